"""Text with a delimiter, in the encodings that arrive: UTF-8, UTF-16, Windows-1251."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO, Final, TextIO

from django.utils.translation import gettext as _

from tracker.spreadsheets.base import (
    BLOCK,
    LIMITS,
    Cells,
    Limits,
    SheetError,
    impossible,
    too_long,
    too_many_columns,
    too_many_rows,
)

DELIMITERS: Final = ",;\t|"
#: So many lines are looked at to tell the delimiter.
_LOOKED_AT: Final = 50
#: A title may take so many rows.
_TITLES: Final = 5
#: A file of one column has no delimiter; this one no text has.
_NONE: Final = "\x1f"

_WORD: Final = re.compile(r"[^\W\d_]+")
_CYRILLIC: Final = re.compile("[\u0400-\u04ff]+")
_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_NOT_1251: Final = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f\x98]")


def delimited(source: BinaryIO | str, *, limits: Limits = LIMITS) -> Iterator[Cells]:
    """The rows that have anything in them; ``number`` is the line that a row starts on."""
    if isinstance(source, str):
        yield from _rows(io.StringIO(source, newline=""), limits)
        return
    encoding = encoding_of(source)
    source.seek(0)
    text = io.TextIOWrapper(source, encoding, newline="")
    try:
        yield from _rows(text, limits)
    finally:
        text.detach()  # or it closes a file that is not its own


def encoding_of(file: BinaryIO) -> str:
    """utf-8, utf-16-le, utf-16-be or windows-1251: the whole file is that. Raises ``SheetError`` for any other."""
    file.seek(0)
    start = file.read(4000)
    file.seek(0)
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if start.startswith(mark):
            return _checked(file, encoding)
    # text in UTF-16 without a mark has spaces and ends of lines, of which one byte is zero
    even, odd = start[::2].count(0), start[1::2].count(0)
    if even + odd > len(start) // 16:
        with contextlib.suppress(SheetError):
            return _checked(file, "utf-16-be" if even > odd else "utf-16-le")
        file.seek(0)
    return _of_single_bytes(file)


def _checked(file: BinaryIO, encoding: str) -> str:
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    while True:
        block = file.read(BLOCK)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            line += error.object[: error.start].decode(encoding).count("\n")
            raise SheetError(
                _("Line %(line)d is no text in %(encoding)s. Save the file as UTF-8.")
                % {"line": line, "encoding": "UTF-16"}
            ) from error
        if _CONTROL.search(text):
            raise _no_text()
        line += text.count("\n")
        if not block:
            return encoding


def _of_single_bytes(file: BinaryIO) -> str:
    """UTF-8 or Windows-1251, told line by line: a file that was put together of several can change in the middle."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    number = 1
    first_good = first_bad = 0
    bad: list[str] = []
    impossible_here = False
    size = 0
    while True:
        piece = file.readline(BLOCK)
        impossible_here = impossible_here or _NOT_1251.search(piece) is not None
        if b"\0" in piece:
            raise SheetError(
                _("Line %(line)d holds zeros, which no text does. Save the file as UTF-8.") % {"line": number}
            )
        try:
            text = decoder.decode(piece, final=not piece)
            # a capital and an ё of Windows-1251 are one letter of UTF-8; two such pairs and nothing else are no word
            if not first_good and len(piece) - len(text) > 1:
                first_good = number
        except UnicodeDecodeError:
            decoder.reset()
            first_bad = first_bad or number
            if size < BLOCK:
                bad.append(piece.decode("windows-1251", "replace"))
                size += len(piece)
        if not piece:
            break
        number += piece.endswith(b"\n")
    if not first_bad:
        return "utf-8"
    if first_good:
        raise SheetError(
            _(
                "Line %(line)d is in another encoding than the lines before it, or the file is cut off there. "
                "Save it as UTF-8."
            )
            % {"line": max(first_good, first_bad)}
        )
    words = [word for word in _WORD.findall(" ".join(bad)) if not word.isascii()]
    cyrillic = sum(_CYRILLIC.fullmatch(word) is not None for word in words)
    if impossible_here or cyrillic < len(words) * 3 / 4:
        raise _no_text()
    return "windows-1251"


def _no_text() -> SheetError:
    return SheetError(_("The file is neither in UTF-8 nor in Windows-1251. Save it as UTF-8."))


class _Lines:
    """Lines of the text, kept until the row they belong to is complete, and never more of them than a row may have."""

    def __init__(self, text: TextIO, limits: Limits) -> None:
        self.text, self.limits = text, limits
        self.number = 0
        self.kept: list[str] = []
        self.size = 0

    def __iter__(self) -> Iterator[str]:
        while True:
            line = self.text.readline(self.limits.row - self.size + 1)
            if not line:
                return
            self.number += 1
            self.kept.append(line)
            self.size += len(line)
            if self.size > self.limits.row:
                raise csv.Error
            yield line.removeprefix("\ufeff") if self.number == 1 else line

    def forget(self) -> None:
        self.kept.clear()
        self.size = 0


def _rows(text: TextIO, limits: Limits) -> Iterator[Cells]:
    delimiter = _delimiter(text)
    text.seek(0)
    lines = _Lines(text, limits)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = lines.number + 1
        try:
            values = next(reader, None)
        except csv.Error as error:  # strict, it only tells of quotation marks, and of a limit that is everybody's
            raise _problem("".join(lines.kept), number, delimiter, limits) from error
        if values is None:
            return
        if any(values) and any(map(str.strip, values)):
            _check(values, number, limits)
            yield Cells(number, values)
        lines.forget()


def _check(values: list[str], number: int, limits: Limits) -> None:
    if number > limits.rows:
        raise too_many_rows(limits.rows)
    if len(values) > limits.columns:
        raise too_many_columns(_("Line %(line)d") % {"line": number}, limits.columns)
    for column, value in enumerate(values, 1):
        if len(value) > limits.characters:
            raise too_long(_place(number, column), limits.characters)
        if impossible(value):
            raise SheetError(_("%(where)s: there is a character that no text has.") % {"where": _place(number, column)})


def delimiter_of(text: str) -> str:
    """One of ``DELIMITERS``, or a character that no text has."""
    return _delimiter(io.StringIO(text, newline=""))


def _delimiter(text: TextIO) -> str:
    """What the first row has, outside quotation marks, and most of the rows after it as often.

    Where it has none it can be a title: then what most of the rows have.
    """
    start = [text.readline(BLOCK).removeprefix("\ufeff") for _line in range(_LOOKED_AT)]
    best = (False, 0.0, 0, _NONE)
    for delimiter in DELIMITERS:
        try:
            found = [row for row in csv.reader(start, delimiter=delimiter) if any(map(str.strip, row))]
        except csv.Error:
            continue
        if not found:
            return delimiter
        width = max(map(len, found[:_TITLES]))
        share = sum(len(row) == width for row in found) / len(found)
        headed = len(found[0]) > 1
        if headed or (width > 1 and share > 0.5):
            best = max(best, (headed, share, width, delimiter))
    return best[3]


def _problem(row: str, number: int, delimiter: str, limits: Limits) -> SheetError:
    """What is wrong with a row of which all that was read is given."""
    column, start, quoted, place = 1, 0, False, 0
    while place < len(row):
        sign = row[place]
        if place - start > limits.characters:
            return too_long(_place(number, column), limits.characters)
        if sign == '"' and (quoted or place == start):
            if quoted and row[place + 1 : place + 2] == '"':
                place += 1
            elif quoted and row[place + 1 : place + 2] not in (delimiter, "\r", "\n", ""):
                break
            else:
                quoted = not quoted
        elif sign == delimiter and not quoted:
            column, start = column + 1, place + 1
        place += 1
    if len(row) > limits.row:
        return SheetError(_("Line %(line)d has more than %(most)d characters.") % {"line": number, "most": limits.row})
    return SheetError(
        _(
            "%(where)s: a cell that starts with a quotation mark ends with one, and within it they are doubled: "
            "“%(value)s”."
        )
        % {"where": _place(number, column), "value": row[start : start + 40].strip()}
    )


def _place(number: int, column: int) -> str:
    return _("Line %(line)d, column %(column)d") % {"line": number, "column": column}
