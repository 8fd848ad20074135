"""Files that cannot be read, as they arrive or as somebody means harm: made when asked for, small on disk."""

import io
import zipfile
from collections.abc import Callable, Iterable

import openpyxl

_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def relationships(**targets: str) -> str:
    """By kind: of ``worksheet1``, the kind is worksheet and the id worksheet1."""
    inside = "".join(
        f'<Relationship Id="{key}" Type="{_TYPE}/{key.rstrip("0123456789")}" Target="{target}"/>'
        for key, target in targets.items()
    )
    return f'{_XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{inside}</Relationships>'


def package(sheet: bytes | str | Iterable[bytes], parts: dict[str, str | bytes] | None = None) -> bytes:
    """A workbook of one sheet, whose XML is given; other parts are added, or put in place of its own."""
    plain: dict[str, str | bytes] = {
        "_rels/.rels": relationships(officeDocument="xl/workbook.xml"),
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_TYPE}"><sheets>'
        '<sheet name="List" sheetId="1" r:id="worksheet1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relationships(
            worksheet1="worksheets/sheet1.xml", sharedStrings="sharedStrings.xml", styles="styles.xml"
        ),
        "xl/sharedStrings.xml": f'{_XML}<sst xmlns="{_MAIN}"/>',
        "xl/styles.xml": f'{_XML}<styleSheet xmlns="{_MAIN}"/>',
        **(parts or {}),
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in plain.items():
            archive.writestr(path, text)
        with archive.open("xl/worksheets/sheet1.xml", "w") as member:
            for block in [sheet] if isinstance(sheet, bytes | str) else sheet:
                member.write(block.encode() if isinstance(block, str) else block)
    return made.getvalue()


def sheet(rows: str, after: str = "") -> str:
    return f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>{after}</worksheet>'


def saved(*rows: Iterable[object], change: Callable[[openpyxl.Workbook], object] = lambda _book: None) -> bytes:
    """A workbook as openpyxl saves it."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    change(book)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _blocks(start: str, block: bytes, times: int, end: str = "") -> Iterable[bytes]:
    yield f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>{start}'.encode()
    for _time in range(times):
        yield block
    yield f"{end}</sheetData></worksheet>".encode()


def _declaring(size: int) -> bytes:
    """The table of contents says this of the sheet, the last of the files."""
    data = bytearray(package(sheet('<row r="1"><c r="A1"><v>1</v></c></row>')))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = size.to_bytes(4, "little")
    return bytes(data)


def _lying_bomb() -> bytes:
    """300 MB of rows, of which the table of contents says that they are a thousand bytes."""
    data = bytearray(package(_blocks("", b"<row></row>" * 100_000, 280)))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (1000).to_bytes(4, "little")
    return bytes(data)


def _archive(names: Iterable[str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    return made.getvalue()


_TABLE = [["name", "born"], ["Maria Exampleva", 1980], ["Jan Testau", 1990]]
_ONE = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
_NAME = '<row r="1"><c r="A1" t="inlineStr"><is><t>Maria</t></is></c></row>'
_DAMAGED = "is damaged or cut off"
_LARGE = "is too large once it is unpacked"
_QUOTES = "a cell that starts with a quotation mark ends with one"
_KIND = "but another kind of document or archive"

#: name → how it is made, and what is said of it
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.csv": (lambda: b"", "There is nothing in “empty.csv”."),
    "spaces.csv": (lambda: b"\xef\xbb\xbf \r\n;;\r\n\t\r\n", "There is nothing in “spaces.csv”."),
    "zeros.csv": (lambda: b"name,born\nMaria,1980\n" + b"\0" * 5, "Line 3 holds zeros"),
    "zeros-only.txt": (lambda: b"\0" * 100_000, "Line 1 holds zeros"),
    "mixed.csv": (
        lambda: "имя;рожд\nМария;1980\n".encode() + "Игорь;1990\n".encode("cp1251"),
        "Line 3 is in another encoding than the lines before it",
    ),
    "mixed-late.csv": (
        lambda: "имя;рожд\nМария;1980\n".encode() * 50_000 + "Игорь;1990\n".encode("cp1251"),
        "Line 100001 is in another encoding than the lines before it",
    ),
    "mixed-other-way.csv": (
        lambda: "имя;рожд\nМария;1980\n".encode("cp1251") + "Игорь;1990\n".encode(),
        "Line 3 is in another encoding than the lines before it",
    ),
    "polish.csv": (
        lambda: "name\nŁucja Przykładowa\nJan Próbny".encode("cp1250"),
        "neither in UTF-8 nor in Windows-1251",
    ),
    "no-letter.csv": (lambda: "Мария\n".encode("cp1251") * 20_000 + b"\x98\n", "neither in UTF-8 nor in Windows-1251"),
    "cut-off.csv": (lambda: "имя\nМария\nИгорь".encode()[:-1], "Line 3 is in another encoding"),
    "half-characters.txt": (
        lambda: b"\xff\xfe" + "Ян\n".encode("utf-16-le") + b"\x00\xd8\x41\x04",
        "Line 2 is no text in UTF-16",
    ),
    "ten-megabytes.csv": (
        lambda: b"name,note\nMaria," + b"x" * 10_000_000 + b"\n",
        "Line 2, column 2: the cell has more than",
    ),
    "ten-megabytes-of-lines.csv": (
        lambda: b'name,note\n"' + b"Maria\n" * 1_700_000,
        "Line 2, column 1: the cell has more than 100000 characters. Is a quotation mark not closed?",
    ),
    "many-cells.csv": (lambda: b"name,note\n" + b"x," * 5_000_000, "Line 2 has more than 1000000 characters"),
    "open-quote.csv": (lambda: b'name,note\nMaria,"x\nJan,y\n', f"Line 2, column 2: {_QUOTES}"),
    "bare-quote.csv": (lambda: b'name,note\nMaria,"the "best" one"\n', f"Line 2, column 2: {_QUOTES}"),
    "columns.csv": (lambda: b",".join([b"x"] * 300), "Line 1: there are more than 256 columns"),
    "image.csv": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(1, 256)) * 20, "neither in UTF-8 nor in Windows-1251"),
    "list.pdf": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "“list.pdf” is a PDF"),
    "list.rtf": (lambda: b"{\\rtf1\\ansi Maria}", "is a text document (RTF)"),
    "old.xls": (
        lambda: bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 504,
        "an old Office program (.xls, .doc), or one with a password",
    ),
    "page.xls": (
        lambda: b"\r\n<html><table><tr><td>Maria</td></tr></table></html>",
        "is a web page or XML, whatever its name says",
    ),
    "page16.xls": (lambda: "<!DOCTYPE html><table>".encode("utf-16"), "is a web page or XML, whatever its name says"),
    "xml.xls": (
        lambda: b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>',
        "is a web page or XML",
    ),
    "list.ods": (lambda: _archive(["mimetype", "content.xml"]), _KIND),
    "list.docx": (lambda: package("", {"_rels/.rels": relationships(officeDocument="word/document.xml")}), _KIND),
    "list.xlsb": (lambda: package("", {"_rels/.rels": relationships(officeDocument="xl/workbook.bin")}), _KIND),
    "nothing.zip": (lambda: _archive([]), _KIND),
    "cut-off.xlsx": (lambda: saved(*_TABLE)[:-100], _DAMAGED),
    "cut-early.xlsx": (lambda: saved(*_TABLE)[:1000], _DAMAGED),
    "cut-sheet.xlsx": (lambda: package(sheet(_NAME)[:-20]), _DAMAGED),
    "no-sheet.xlsx": (
        lambda: package(
            sheet(_NAME), {"xl/_rels/workbook.xml.rels": relationships(worksheet1="worksheets/sheet9.xml")}
        ),
        _DAMAGED,
    ),
    "no-strings.xlsx": (lambda: package(sheet(_ONE)), _DAMAGED),
    "nothing.xlsx": (lambda: saved(), "There is nothing in “nothing.xlsx”."),
    "negative.xlsx": (
        lambda: package(
            sheet(_ONE.replace("<v>0", "<v>-1")), {"xl/sharedStrings.xml": "<sst><si><t>Maria</t></si></sst>"}
        ),
        _DAMAGED,
    ),
    "million-empty-rows.xlsx": (
        lambda: package(sheet("".join(f'<row r="{number}" spans="1:5"/>' for number in range(1, 1_000_001)))),
        "There is nothing in",
    ),
    "backwards.xlsx": (lambda: package(sheet('<row r="2"/><row r="1"/>')), _DAMAGED),
    "formula.xlsx": (
        lambda: saved(*_TABLE, ["=A2&A3", 1970]),
        "Row 4, column A: there is a formula, and the file does not have its result",
    ),
    "error.xlsx": (
        lambda: package(sheet('<row r="7"><c r="C7" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>')),
        "Row 7, column C: there is the error #DIV/0! in place of a value",
    ),
    "merged-down.xlsx": (
        lambda: saved(*_TABLE, change=lambda book: book.active.merge_cells("B2:B3")),
        "The cells B2:B3 are merged, and only the first has the value",
    ),
    "merged-across.xlsx": (
        lambda: saved(
            ["name", "born", "sex"], ["Maria", 1980, "f"], change=lambda book: book.active.merge_cells("A2:B2")
        ),
        "The cells A2:B2 are merged",
    ),
    "two-sheets.xlsx": (
        lambda: saved(*_TABLE, change=lambda book: book.create_sheet("Men").append(["Jan"])),
        "There is something on 2 sheets: “Sheet”, “Men”",
    ),
    "digits.xlsx": (
        lambda: saved(["name", "id"], ["Maria", 1234567890123456]),
        "Row 2, column B: 1234567890123456 has more digits than",
    ),
    "no-date.xlsx": (
        lambda: saved(
            ["Maria"],
            change=lambda book: (book.active.append([-5]), setattr(book.active["A2"], "number_format", "yyyy-mm-dd")),
        ),
        "Row 2, column A: -5 is no date",
    ),
    "hundred-megabytes.xlsx": (
        lambda: package(sheet(_ONE), {"xl/sharedStrings.xml": f"{_XML}<sst><si><t>{'x' * 100_000_000}</t></si></sst>"}),
        "Row 1, column A: the cell has more than 100000 characters",
    ),
    "columns.xlsx": (lambda: saved(["x"] * 300), "Row 1: there are more than 256 columns"),
    "rows.xlsx": (lambda: package(sheet(_NAME.replace('"1"', '"9999999"'))), "There are more than 1048576 rows"),
    "entities.xlsx": (
        lambda: package(
            '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
            + sheet(_NAME.replace("Maria", "&b;")).removeprefix(_XML)
        ),
        _DAMAGED,
    ),
    "declared.xlsx": (lambda: _declaring(210_000_000), _LARGE),
    "bomb.xlsx": (lambda: package(_blocks("", b"<row></row>" * 100_000, 280)), _LARGE),
    "many-sheets.xlsx": (
        lambda: package(
            _blocks("", b" " * 1_000_000, 50),
            {
                "xl/workbook.xml": f'<workbook xmlns:r="{_TYPE}"><sheets>'
                + '<sheet name="List" r:id="worksheet1"/>' * 100
                + "</sheets></workbook>"
            },
        ),
        _LARGE,
    ),
    "lying-bomb.xlsx": (_lying_bomb, _DAMAGED),
    "deep.xlsx": (lambda: package(_blocks("", b"<row>" * 100_000, 30)), _DAMAGED),
    "long-tag.xlsx": (lambda: package(_blocks("<row ", b" " * 1_000_000, 100, "/>")), _DAMAGED),
    "long-row.xlsx": (
        lambda: package(_blocks("<row>", b"<c><v>1</v></c>" * 10_000, 100, "</row>")),
        "Row 1: there are more than 256 columns",
    ),
    "many-files.xlsx": (lambda: _archive(f"{number}.xml" for number in range(3000)), _LARGE),
    "styles.xlsx": (
        lambda: package(
            sheet(_NAME), {"xl/styles.xml": "<styleSheet><cellXfs>" + "<xf/>" * 150_000 + "</cellXfs></styleSheet>"}
        ),
        _DAMAGED,
    ),
}
