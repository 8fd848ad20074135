"""Workbooks (XLSX), read as a stream of XML, so that neither their size nor what they claim of it decides our memory.

openpyxl builds a tree of each row, holds all shared texts, and passes over formulas without a result and merged cells;
what it knows of number formats and of dates is used.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final
from xml.parsers import expat

from django.utils.translation import gettext as _
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel, from_ISO8601

from tracker.spreadsheets.base import (
    BLOCK,
    Cells,
    Limits,
    SheetError,
    impossible,
    too_long,
    too_many_columns,
    too_many_rows,
)

#: Elements within elements; a sheet has seven.
_DEPTH: Final = 50
#: One tag of a sheet; expat keeps it until it is whole.
_TAG: Final = 1_000_000
#: Of a workbook there may be 65,490 styles, and a format has 255 characters.
_STYLES: Final = 100_000
_FORMAT: Final = 255
#: So many texts are in memory before they go to a file.
_IN_MEMORY: Final = 8_000_000
#: A spreadsheet keeps 15 digits of a number and makes the rest zeros.
_DIGITS: Final = 10**15
#: Rows of one merged cell that are remembered: headings among the rows.
_HEADINGS: Final = 10_000

_ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
_REFERENCE: Final = re.compile("([A-Z]{1,3})([0-9]{1,7})")
_LITERAL: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')


def workbook(file: BinaryIO, *, limits: Limits) -> Iterator[Cells]:
    """The rows that have anything in them, of the one sheet that has any."""
    try:
        yield from _Workbook(file, limits).rows()
    except SheetError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        expat.ExpatError,
        EOFError,
        LookupError,
        ValueError,
        ArithmeticError,
    ) as error:
        raise _damaged() from error


def _damaged() -> SheetError:
    return SheetError(
        _("The spreadsheet is damaged or cut off. Open it in a spreadsheet program, and save it again as XLSX.")
    )


def _too_large() -> SheetError:
    return SheetError(
        _("The spreadsheet is too large once it is unpacked. Save what is needed of it as CSV, or divide it.")
    )


# --- The archive


class _Package:
    """The archive of a workbook; what is unpacked of it is counted, for its table of contents can lie."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        if _contents(file) > limits.members:
            raise _too_large()
        self.archive = zipfile.ZipFile(file)
        self.members = {member.filename.lower(): member for member in self.archive.infolist()}
        self.left = limits.unpacked
        if sum(member.file_size for member in self.members.values()) > limits.unpacked:
            raise _too_large()
        if any(member.flag_bits & 1 for member in self.members.values()):
            raise SheetError(_("The spreadsheet has a password. Save it without one."))

    def __contains__(self, path: str) -> bool:
        return path.lower() in self.members

    def read(self, path: str) -> Iterator[bytes]:
        member = self.members[path.lower()]
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _damaged()  # the format has no other, and others take memory as they like
        with self.archive.open(member) as stream:
            while block := stream.read(BLOCK):
                self.left -= len(block)
                if self.left < 0:
                    raise _too_large()
                yield block

    def related(self, path: str) -> dict[str, tuple[str, str]]:
        """Of a part, the parts it points to: id → (kind, path)."""
        folder, name = posixpath.split(path)
        found: dict[str, tuple[str, str]] = {}

        def start(tag: str, attributes: dict[str, str]) -> None:
            if tag == "Relationship" and attributes.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", folder, attributes["Target"]))
                found[attributes["Id"]] = (posixpath.basename(attributes["Type"]), target.lstrip("/"))

        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        if relations in self:
            _parse(self.read(relations), start)
        return found


def _contents(file: BinaryIO) -> int:
    """How many entries the table of contents has, at most: Python's reader takes memory for each before it counts."""
    found, end = 0, b""
    file.seek(0)
    while block := file.read(BLOCK):
        block = end + block
        found += block.count(b"PK\x01\x02")
        end = block[-3:]
    return found


# --- XML


class _Parser:
    """Calls ``start`` and ``end`` with names without prefix, and refuses what takes memory or time without end."""

    def __init__(self, start: Any, end: Any = None, text: Any = None) -> None:
        self.depth = self.fed = 0
        self.start, self.end = start, end
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._started
        self.parser.EndElementHandler = self._ended
        if text:
            self.parser.CharacterDataHandler = text

    def feed(self, block: bytes) -> None:
        self.parser.Parse(block)
        self.fed += len(block)
        if self.fed - self.parser.CurrentByteIndex > _TAG:
            raise _damaged()

    def close(self) -> None:
        self.parser.Parse(b"", True)

    def _doctype(self, *_declared: Any) -> None:
        raise _damaged()  # entities are declared there; no spreadsheet program writes any

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _DEPTH:
            raise _damaged()
        self.start(name.rpartition(":")[2], attributes)

    def _ended(self, name: str) -> None:
        self.depth -= 1
        if self.end:
            self.end(name.rpartition(":")[2])


def _parse(blocks: Iterator[bytes], start: Any, end: Any = None, text: Any = None) -> None:
    parser = _Parser(start, end, text)
    for block in blocks:
        parser.feed(block)
    parser.close()


# --- The workbook


class _Workbook:
    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self.limits = limits
        self.package = _Package(file, limits)
        path = next((path for kind, path in self.package.related("").values() if kind == "officeDocument"), "")
        if not path or path.startswith(("word/", "ppt/")) or path.endswith(".bin"):
            raise SheetError(
                _(
                    "The file is no XLSX, but another kind of document or archive. "
                    "Open it in a spreadsheet program, and save it as XLSX or CSV."
                )
            )
        self.related = self.package.related(path)
        self.epoch = WINDOWS_EPOCH
        #: names and parts of the sheets that can be seen
        self.sheets: list[tuple[str, str]] = []
        _parse(self.package.read(path), self._start)
        self.strings = _Strings(limits)
        self.styles = _Styles()
        for kind, part in self.related.values():
            if kind == "sharedStrings":
                self.strings.read(self.package.read(part))
            elif kind == "styles":
                _parse(self.package.read(part), self.styles.start, self.styles.end)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            self.epoch = MAC_EPOCH
        elif tag == "sheet" and attributes.get("state", "visible") == "visible":
            key = next((value for name, value in attributes.items() if name.endswith(":id")), "")
            kind, path = self.related[key]
            if kind == "worksheet":
                if len(self.sheets) == self.limits.columns:
                    raise _damaged()
                self.sheets.append((attributes.get("name", ""), path))

    def rows(self) -> Iterator[Cells]:
        """Raises ``SheetError`` where it is not clear which sheet is meant."""
        filled = self.sheets
        if len(filled) > 1:
            filled = [(name, path) for name, path in filled if next(_Sheet(self, path).rows(), None)]
        if len(filled) > 1:
            raise SheetError(
                _("There is something on %(count)d sheets: %(names)s. Save the one that is meant on its own.")
                % {"count": len(filled), "names": ", ".join(f"“{name[:40]}”" for name, _path in filled[:5])}
            )
        for _name, path in filled:
            yield from _Sheet(self, path).rows()


class _Strings:
    """The texts that cells point to, by number, in a file once there are many."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.ends = array("Q", [0])
        self.file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self.text = _Text(limits)

    def read(self, blocks: Iterator[bytes]) -> None:
        _parse(blocks, self._start, self._end, self.text.add)

    def _start(self, tag: str, _attributes: dict[str, str]) -> None:
        if tag == "si":
            self.text.clear()
        self.text.start(tag)

    def _end(self, tag: str) -> None:
        self.text.end(tag)
        if tag == "si":
            data = self.text.value.encode()
            self.file.write(data)
            self.ends.append(self.ends[-1] + len(data))

    def __getitem__(self, number: int) -> str:
        if number < 0:
            raise IndexError
        start, end = self.ends[number], self.ends[number + 1]
        self.file.seek(start)
        return self.file.read(end - start).decode()


class _Text:
    """The text within an element, in one piece or in several of different looks; not how it is pronounced (rPh)."""

    def __init__(self, limits: Limits) -> None:
        self.most = limits.characters
        self.clear()
        self.listening = self.aside = False

    def clear(self) -> None:
        self.pieces: list[str] = []
        self.size = 0

    def start(self, tag: str) -> None:
        if tag == "rPh":
            self.aside = True
        elif tag in ("t", "v"):
            self.listening = not self.aside

    def end(self, tag: str) -> None:
        if tag == "rPh":
            self.aside = False
        elif tag in ("t", "v"):
            self.listening = False

    def add(self, piece: str) -> None:
        if self.listening and self.size <= self.most:
            self.pieces.append(piece)
            self.size += len(piece)

    @property
    def value(self) -> str:
        """One character more than a cell may have, where it has more: the cell that uses it is refused."""
        text = "".join(self.pieces)[: self.most + 1]
        return _ESCAPED.sub(_unescaped, text) if "_x" in text else text


def _unescaped(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return match[0] if impossible(character) else character


class _Styles:
    """Which styles of cells show a number as a date, and how much of it: day, month, year; time, duration."""

    def __init__(self) -> None:
        self.formats: dict[str, str] = {str(number): code for number, code in BUILTIN_FORMATS.items()}
        #: by the number of the style; None is no date
        self.shown: list[str | None] = []
        self.of_cells = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "numFmt":
            self.formats[attributes["numFmtId"][:10]] = attributes["formatCode"][:_FORMAT]
        elif tag == "cellXfs":
            self.of_cells = True
        elif tag == "xf" and self.of_cells:
            self.shown.append(_shown(self.formats.get(attributes.get("numFmtId", "0"), "")))
        if len(self.formats) + len(self.shown) > _STYLES:
            raise _damaged()

    def end(self, tag: str) -> None:
        if tag == "cellXfs":
            self.of_cells = False


def _shown(code: str) -> str | None:
    if not is_date_format(code):
        return None
    if is_timedelta_format(code):
        return "duration"
    letters = _LITERAL.sub("", code.partition(";")[0]).lower()
    if "d" in letters or "y" not in letters:
        return "day"
    return "month" if "m" in letters else "year"


# --- A sheet


class _Sheet:
    def __init__(self, book: _Workbook, path: str) -> None:
        self.book, self.path, self.limits = book, path, book.limits
        self.text = _Text(book.limits)
        self.ready: list[Cells] = []
        self.number = self.column = self.last = 0
        self.values: list[str] = []
        self.kind = self.style = ""
        self.formula = False
        self.columns: dict[str, int] = {}
        #: the first row with several cells: the table's; from there on rows of one cell are headings
        self.table = 0
        self.headings: set[int] = set()

    def rows(self) -> Iterator[Cells]:
        parser = _Parser(self._start, self._end, self.text.add)
        for block in self.book.package.read(self.path):
            parser.feed(block)
            yield from self.ready
            self.ready.clear()
        parser.close()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            reference = attributes.get("r", "")
            column = self._column(reference) if reference else self.column + 1
            if column <= self.column:
                raise _damaged()
            self.column = column
            self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
            self.formula = False
            self.text.clear()
        elif tag in ("v", "t", "rPh"):
            self.text.start(tag)
        elif tag == "f":
            self.formula = True
        elif tag == "row":
            number = int(attributes["r"]) if "r" in attributes else self.number + 1
            if number <= self.number:
                raise _damaged()
            self.number, self.column, self.values = number, 0, []
        elif tag == "mergeCell":
            self._merged(attributes["ref"])

    def _end(self, tag: str) -> None:
        if tag in ("v", "t", "rPh"):
            self.text.end(tag)
        elif tag == "c":
            self._cell()
        elif tag == "row" and self.values:
            if self.number > self.limits.rows:
                raise too_many_rows(self.limits.rows)
            self.ready.append(Cells(self.number, self.values))
            self.last = self.number
            if sum(map(bool, self.values)) == 1:
                if self.table and len(self.headings) < _HEADINGS:
                    self.headings.add(self.number)
            else:
                self.table = self.table or self.number

    def _column(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        if letters not in self.columns:
            if not _REFERENCE.fullmatch(reference):
                raise _damaged()
            column = 0
            for letter in letters:
                column = column * 26 + ord(letter) - 64
            self.columns[letters] = column
        return self.columns[letters]

    def _cell(self) -> None:
        if self.formula and not self.text.pieces and self.kind != "str":
            raise self._problem(
                _(
                    "there is a formula, and the file does not have its result. "
                    "Save it in a spreadsheet program, or put values in place of formulas."
                )
            )
        if not self.text.pieces:
            return
        value = self._value(self.text.value)
        if len(value) > self.limits.characters:
            raise too_long(self._where, self.limits.characters)
        if impossible(value):
            raise self._problem(_("there is a character that no text has."))
        if not value.strip():
            return
        if self.column > self.limits.columns:
            raise too_many_columns(_("Row %(row)d") % {"row": self.number}, self.limits.columns)
        self.values += [""] * (self.column - len(self.values) - 1)
        self.values.append(value)

    def _value(self, text: str) -> str:
        if self.kind == "s":
            return self.book.strings[int(text)]
        if self.kind in ("str", "inlineStr"):
            return text
        if self.kind == "b":
            return "true" if int(text) else "false"
        if self.kind == "e":
            raise self._problem(_("there is the error %(value)s in place of a value.") % {"value": text[:40]})
        if self.kind == "d":
            return _written(from_ISO8601(text[:40]), "day")
        if self.kind != "n" or len(text) > 40:
            raise _damaged()
        shown = self.book.styles.shown[int(self.style)] if self.style and self.book.styles.shown else None
        number = float(text)
        if shown:
            try:
                if number < 0:
                    raise ValueError
                return _written(from_excel(number, self.book.epoch, timedelta=shown == "duration"), shown)
            except (OverflowError, ValueError):
                raise self._problem(_("%(value)s is no date.") % {"value": text}) from None
        if not abs(number) < _DIGITS:
            raise self._problem(
                _("%(value)s has more digits than a spreadsheet keeps. Make the column text, and type it again.")
                % {"value": text}
            )
        return str(int(number)) if number.is_integer() else repr(number)

    def _merged(self, reference: str) -> None:
        """Merged cells have the value of the first; of a row without other cells (a heading) that is all there is."""
        first, _colon, last = reference.partition(":")
        rows = [int(match[2]) for match in map(_REFERENCE.fullmatch, (first, last)) if match]
        if len(rows) != 2:
            raise _damaged()
        top, bottom = rows
        if not self.table or bottom < self.table or top > self.last:
            return
        if top != bottom or top not in self.headings:
            raise SheetError(
                _("The cells %(cells)s are merged, and only the first has the value. Divide them, and fill each.")
                % {"cells": reference}
            )

    @property
    def _where(self) -> str:
        return _("Row %(row)d, column %(column)s") % {"row": self.number, "column": get_column_letter(self.column)}

    def _problem(self, sentence: str) -> SheetError:
        return SheetError(f"{self._where}: {sentence}")


def _written(value: date | datetime | time | timedelta, shown: str) -> str:
    """As our own files write it, and no finer than the sheet shows it: a year that is kept as its first day."""
    if isinstance(value, datetime):
        if value.time() != time():
            return value.isoformat(timespec="seconds")
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()[: {"year": 4, "month": 7}.get(shown, 10)]
    return value.isoformat(timespec="seconds") if isinstance(value, time) else str(value)
