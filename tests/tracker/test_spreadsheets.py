"""Spreadsheets somebody brings: what a cell becomes, how a file's kind is told, and that no file does harm."""

import contextlib
import csv
import io
import subprocess
import sys
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data import broken
from tests.data.broken import package, relationships, saved, sheet
from tracker.spreadsheets import Cells, Limits, SheetError, delimited, encoding_of, rows

ROOT = Path(__file__).parents[2]


def read(data, **limits):
    return [(cells.number, cells.values) for cells in rows(io.BytesIO(data), limits=Limits(**limits))]


# --- Text


@pytest.mark.parametrize(
    ("encoded", "encoding"),
    [
        ("имя,born\nМария,1980\n".encode(), "utf-8"),
        ("имя,born\nМария,1980\n".encode("utf-8-sig"), "utf-8"),
        ("имя,born\nМария,1980\n".encode("utf-16"), "utf-16-le"),
        ("\ufeffимя,born\nМария,1980\n".encode("utf-16-be"), "utf-16-be"),
        ("имя,born\nМария,1980\n".encode("utf-16-le"), "utf-16-le"),
        ("имя,born\nМария,1980\n".encode("utf-16-be"), "utf-16-be"),
        ("имя,born\nМария,1980\n".encode("cp1251"), "windows-1251"),
    ],
)
def test_encodings(encoded, encoding):
    assert encoding_of(io.BytesIO(encoded)) == encoding
    assert read(encoded) == [(1, ["имя", "born"]), (2, ["Мария", "1980"])]


@pytest.mark.parametrize(
    "text",
    [
        "Марыя\nЛі\n",  # the second line is one letter of UTF-8
        "Пётр\nЁлкін\n",  # a capital and ё are one letter of UTF-8
        "id,note\n" + "1,a\n" * 50_000 + "2,Лукаш\n",  # Cyrillic comes late
        "№ 1 «Maria» – 5\n",
        "name\nМария Example\n",
    ],
)
def test_windows_1251_is_told_from_utf_8(text):
    assert encoding_of(io.BytesIO(text.encode("cp1251"))) == "windows-1251"
    assert encoding_of(io.BytesIO(text.encode())) == "utf-8"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("name,born\nA,1\n", ["name", "born"]),
        ("name;sum\nA;1,5\nB;2,5\n", ["name", "sum"]),
        ("name\tborn, or age\nA\t1\n", ["name", "born, or age"]),
        ("name|born\nA|1\n", ["name", "born"]),
        ('"name, given";born\n"A, B";1\n', ["name, given", "born"]),
        ("name,a;b\nA,1\nB,2\n", ["name", "a;b"]),
        ("name\nTestau, Jan\n", ["name"]),
        ('"na""me"\n', ['na"me']),
    ],
)
def test_delimiters(text, first):
    assert next(delimited(text)).values == first


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_keep_the_number_of_the_line_they_start_on(end):
    text = f'\ufeff{end}a,b{end}{end},{end}"x{end}y",1{end}z,2'
    assert [(cells.number, cells.values) for cells in delimited(text)] == [
        (2, ["a", "b"]),
        (5, [f"x{end}y", "1"]),
        (7, ["z", "2"]),
    ]


@pytest.mark.parametrize("value", ["\0", "\ud800"])
def test_text_that_no_database_holds(value):
    with pytest.raises(SheetError, match="Line 2, column 2: there is a character that no text has"):
        list(delimited(f"name,note\nMaria,{value}\n"))


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@pytest.mark.parametrize("delimiter", list(",;\t|"))
@settings(deadline=None)
@given(table=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6))
def test_what_is_written_is_read(delimiter, table):
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([["name", "born", "note"], *table])
    wanted = [["name", "born", "note"], *(row for row in table if any(map(str.strip, row)))]
    assert [cells.values for cells in delimited(file.getvalue())] == wanted
    for encoding in ("utf-8-sig", "utf-16"):
        with contextlib.suppress(SheetError):  # of control characters, in UTF-16, or of markup
            assert [values for _number, values in read(file.getvalue().encode(encoding))] == wanted


@settings(deadline=None)
@given(
    st.binary(max_size=300)
    | st.text(max_size=100).map(str.encode)
    | st.text(max_size=100).map(lambda text: text.encode("utf-16", "replace"))
)
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(SheetError):
        read(data)


@pytest.mark.parametrize("kind", [SimpleUploadedFile, TemporaryUploadedFile])
@pytest.mark.parametrize("data", [b"a,b\n1,2\n", saved(["a", "b"], [1, 2])])
def test_an_uploaded_file_is_left_open(kind, data):
    file = (
        kind("list.csv", data, "text/csv")
        if kind is SimpleUploadedFile
        else kind("list.csv", "text/csv", len(data), None)
    )
    if kind is TemporaryUploadedFile:
        file.write(data)
    for _time in range(2):
        assert [cells.values for cells in rows(file)] == [["a", "b"], ["1", "2"]]


# --- Workbooks


def test_cells_become_text_as_our_own_files_have_it():
    def change(book):
        found = book.active
        for cell, value, shown in (
            ("A2", 0.25, "0%"),
            ("B2", date(1980, 1, 1), "yyyy"),
            ("C2", date(1980, 5, 1), "[$-423]mmmm yyyy"),
        ):
            found[cell], found[cell].number_format = value, shown

    row = [
        "Марыя\nТэст",
        45.0,
        1.5,
        -0.0,
        True,
        False,
        None,
        date(1980, 3, 5),
        datetime(2025, 12, 13),
        datetime(2025, 12, 13, 14, 30),
        time(5, 6),
        timedelta(hours=30),
        "=1+1"[1:],
        "'=1",
        "  ",
    ]
    found = read(saved(row, change=change))
    assert found == [
        (
            1,
            [
                "Марыя\nТэст",
                "45",
                "1.5",
                "0",
                "true",
                "false",
                "",
                "1980-03-05",
                "2025-12-13",
                "2025-12-13T14:30:00",
                "05:06:00",
                "1 day, 6:00:00",
                "1+1",
                "'=1",
            ],
        ),
        (2, ["0.25", "1980", "1980-05"]),
    ]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ('<c t="str"><f>A2</f><v>Maria</v></c>', ["Maria"]),
        ('<c t="str"><f>A2</f><v></v></c><c><f>1+1</f><v>2</v></c>', ["", "2"]),
        (
            '<c t="inlineStr"><is><r><t>Ma</t></r><r><rPr><b/></rPr><t xml:space="preserve">ria </t></r><rPh><t>x</t></rPh></is></c>',
            ["Maria "],
        ),
        ('<c t="s"><v>1</v></c><c t="s"><v>0</v></c>', ["Ян_x0041_", "Ма\nрыя"]),
        ('<c t="d"><v>2025-12-13</v></c>', ["2025-12-13"]),
        ('<c r="C1"><v>1E3</v></c><c><v>7</v></c>', ["", "", "1000", "7"]),
        ('<c t="inlineStr"><is><t>_x0000_a_xD800_</t></is></c>', ["_x0000_a_xD800_"]),
    ],
)
def test_cells_as_programs_write_them(cells, values):
    strings = "<sst><si><t>Ма&#10;рыя</t></si><si><r><t>Ян_x005F_</t></r><r><t>x0041_</t></r></si></sst>"
    assert read(package(sheet(f"<row>{cells}</row>"), {"xl/sharedStrings.xml": strings})) == [(1, values)]


def test_a_workbook_with_prefixes_absolute_paths_and_the_calendar_of_1904():
    parts = {
        "_rels/.rels": relationships(officeDocument="/XL/workbook.xml")
        .replace("<Rel", "<p:Rel")
        .replace("</Rel", "</p:Rel")
        .replace("xmlns=", "xmlns:p="),
        "xl/workbook.xml": '<x:workbook xmlns:x="x" xmlns:r="r"><x:workbookPr date1904="1"/><x:sheets>'
        '<x:sheet name="a" state="hidden" r:id="worksheet1"/><x:sheet name="b" r:id="worksheet2"/><x:sheet name="c" r:id="chartsheet1"/>'
        "</x:sheets></x:workbook>",
        "xl/_rels/workbook.xml.rels": relationships(
            worksheet1="worksheets/sheet1.xml", worksheet2="/xl/b.xml", chartsheet1="c.xml", styles="styles.xml"
        ),
        "xl/b.xml": '<x:worksheet xmlns:x="x"><x:sheetData><x:row r="3"><x:c r="B3" s="1"><x:v>0.0</x:v></x:c><x:c s="1"><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>',
        "xl/styles.xml": '<styleSheet><cellStyleXfs><xf numFmtId="1"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
    }
    assert read(package(sheet('<row r="1"><c><v>1</v></c></row>'), parts)) == [(3, ["", "00:00:00", "1904-01-02"])]


def test_the_one_sheet_with_anything_on_it():
    def change(book):
        book.create_sheet("List").append(["Maria"])
        book.create_sheet("Codes").append(["f"])
        book["Codes"].sheet_state = "hidden"
        book["Sheet"]["A1"].number_format = "yyyy"

    assert read(saved(change=change)) == [(1, ["Maria"])]


@pytest.mark.parametrize("merged", ["A1:C1", "A3:C3", "B9:C12"])
def test_merged_cells_that_hide_nothing(merged):
    table = [["List of December"], ["name", "born", "note"], ["To Lithuania:"], ["Maria", 1980, "x"]]
    found = read(saved(*table, change=lambda book: book.active.merge_cells(merged)))
    assert [values[0] for _number, values in found] == ["List of December", "name", "To Lithuania:", "Maria"]


@settings(deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_read_or_refused(data):
    found = bytearray(SAVED)
    for _time in range(data.draw(st.integers(1, 5))):
        found[data.draw(st.integers(0, len(found) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(SheetError):
        read(bytes(found))


SAVED = saved(["name", "born"], ["Maria", date(1980, 1, 1)], ["Jan", 45])
_XML = st.sampled_from(
    [
        "<row>",
        "</row>",
        '<row r="2">',
        "<c>",
        '<c r="B2" t="s">',
        '<c t="n" s="9">',
        '<c t="e">',
        "</c>",
        "<v>",
        "1",
        "x",
        "-1e999",
        "</v>",
        "<f/>",
        "<is><t>",
        "</t></is>",
        '<mergeCell ref="A1:B9"/>',
        '<mergeCell ref=""/>',
        "&#0;",
        "<!--",
        "]]>",
    ]
)


@settings(deadline=None)
@given(st.lists(_XML, max_size=12).map("".join))
def test_any_sheet_is_read_or_refused(inside):
    with contextlib.suppress(SheetError):
        read(package(sheet(inside)))
    with contextlib.suppress(SheetError):
        read(package(sheet(f"<row><c><v>1</v></c>{inside}</row>")))


# --- Harm


@pytest.mark.parametrize("name", broken.FILES)
def test_a_broken_file_is_refused_with_a_sentence(name):
    make, sentence = broken.FILES[name]
    with pytest.raises(SheetError) as refused:
        list(rows(io.BytesIO(make()), name))
    assert sentence in str(refused.value)
    assert len(str(refused.value)) < 300
    assert "  " not in str(refused.value)


def test_limits_are_told():
    with pytest.raises(SheetError, match=r"“a\.csv” has 1 MB, and at most 0 can be read"):
        list(rows(io.BytesIO(b"a" * 11), "a.csv", limits=Limits(size=10)))
    with pytest.raises(SheetError, match="There are more than 2 rows"):
        read(b"a\nb\nc\n", rows=2)
    with pytest.raises(SheetError, match="Line 1: there are more than 2 columns"):
        read(b"a,b,c\n", columns=2)
    with pytest.raises(SheetError, match="Row 1: there are more than 2 columns"):
        read(saved(["a", "b", "c"]), columns=2)
    assert read(saved(["a", "b", ""]), columns=2) == [(1, ["a", "b"])]


_MEASURE = """
import sys
from pathlib import Path
from django.conf import settings
settings.configure(USE_I18N=False)
from tracker.spreadsheets import SheetError, rows

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024

list(rows(open(sys.argv[1], "rb")))
before = peak()
for path in sys.argv[1:]:
    count = 0
    with open(path, "rb") as file:
        try:
            for _row in rows(file):
                count += 1
        except SheetError:
            pass
    print(Path(path).name, count, peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured as Linux tells it")
def test_no_file_takes_more_memory_than_a_small_one(tmp_path):
    def table():
        for start in range(0, 100_000, 1000):
            yield "".join(
                f'<row r="{n + 1}"><c r="A{n + 1}" t="s"><v>{n}</v></c><c r="B{n + 1}"><v>{n}</v></c></row>'
                for n in range(start, start + 1000)
            ).encode()

    head, foot = sheet("|").encode().split(b"|")
    strings = "<sst>" + "".join(f"<si><t>Імя Прыкладнае {n} {'x' * 400}</t></si>" for n in range(100_000)) + "</sst>"
    files = {
        "small.xlsx": SAVED,
        "large.xlsx": package([head, *table(), foot], {"xl/sharedStrings.xml": strings}),
        "large.csv": b"name,note\n" + "Імя Прыкладнае,так\n".encode() * 500_000,
        **{name: make() for name, (make, _sentence) in broken.FILES.items()},
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    told = subprocess.run(
        [sys.executable, "-c", _MEASURE, *(str(tmp_path / name) for name in files)],
        cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    found = {name: (int(count), int(grown)) for name, count, grown in map(str.split, told.stdout.splitlines())}
    assert found["large.xlsx"][0] == 100_000
    assert found["large.csv"][0] == 500_001
    assert {name: grown for name, (_count, grown) in found.items() if grown > 40} == {}


def test_rows_can_be_asked_for_one_at_a_time():
    assert next(rows(io.BytesIO(b"a,b\n" + b"c,d\n" * 10))) == Cells(1, ["a", "b"])
