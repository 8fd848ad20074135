"""Rows of a file somebody brings, CSV or XLSX: in constant memory, and with a sentence for what cannot be read.

What a file is, its bytes say; its name is only repeated. A refusal names the line or row, the column and the value
where there is one. ``base`` has the limits, ``delimited`` reads text, ``xlsx`` reads workbooks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from django.utils.translation import gettext as _

from tracker.spreadsheets import xlsx
from tracker.spreadsheets.base import LIMITS, Cells, Limits, SheetError
from tracker.spreadsheets.delimited import delimited, delimiter_of, encoding_of

__all__ = [
    "LIMITS",
    "Cells",
    "Limits",
    "SheetError",
    "delimited",
    "delimiter_of",
    "encoding_of",
    "is_workbook",
    "rows",
    "text",
]

# A web page, or a table of XML, that a program saved under the name of a spreadsheet.
_MARKUP: Final = re.compile(rb"<(?:!doctype|html|head|meta|body|table|\?xml|\?mso)", re.IGNORECASE)


def rows(file: BinaryIO, name: str = "", *, limits: Limits = LIMITS) -> Iterator[Cells]:
    """The rows that have anything in them, of a file that can be read from anywhere (``seek``).

    Raises ``SheetError`` for what cannot be read, before or while it is asked for: rows given out until then are not
    the whole file.
    """
    found = xlsx.workbook(file, limits=limits) if _kind(file, name, limits) else delimited(file, limits=limits)
    empty = True
    for row in found:
        empty = False
        yield row
    if empty:
        raise _refused(name, _("There is nothing in %(file)s."))


def is_workbook(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def text(file: BinaryIO, name: str = "", *, limits: Limits = LIMITS) -> str:
    """The whole of a file that is no workbook. Raises ``SheetError``."""
    _kind(file, name, limits)
    encoding = encoding_of(file)
    file.seek(0)
    return file.read().decode(encoding)


def _kind(file: BinaryIO, name: str, limits: Limits) -> bool:
    """Whether it is a workbook. Raises ``SheetError`` for what is neither that nor text."""
    size = file.seek(0, 2)
    if size > limits.size:
        raise _refused(
            name,
            _("%(file)s has %(size)d MB, and at most %(most)d can be read. Divide it into several files.")
            % {"file": "%(file)s", "size": size // 1_000_000 + 1, "most": limits.size // 1_000_000},
        )
    file.seek(0)
    start = file.read(1024)
    file.seek(0)
    if is_workbook(file):
        return True
    sentence = _refusal(start)
    if sentence:
        raise _refused(name, sentence)
    return False


def _refusal(start: bytes) -> str:
    """Why a file that starts so is not read; nothing for what can be text."""
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return _(
            "%(file)s is a file of an old Office program (.xls, .doc), or one with a password. "
            "Open it, and save it as XLSX without a password."
        )
    if start.startswith(b"%PDF"):
        return _("%(file)s is a PDF. Open it, copy the names, and paste them as text.")
    if start.startswith(b"{\\rtf"):
        return _("%(file)s is a text document (RTF). Open it, copy the names, and paste them as text.")
    # every other byte of UTF-16 is zero
    if _MARKUP.match(start.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").replace(b"\0", b"").lstrip()):
        return _(
            "%(file)s is a web page or XML, whatever its name says. "
            "Open it in a spreadsheet program, and save it as XLSX or CSV."
        )
    return ""


def _refused(name: str, sentence: str) -> SheetError:
    return SheetError(sentence % {"file": f"“{name}”" if name else _("The file")})
