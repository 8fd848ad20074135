"""What the readers of spreadsheets share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

#: So much of a file is read at a time.
BLOCK: Final = 1 << 16

# What no text column of PostgreSQL holds: zeros, and halves of a character.
_IMPOSSIBLE: Final = re.compile("[\0\ud800-\udfff]")


class SheetError(ValueError):
    """A file that cannot be read. Its message is for whoever brought it."""


@dataclass(frozen=True)
class Cells:
    """``number`` is that of the line, or of the row of the sheet, from 1, as an editor or a spreadsheet shows it."""

    number: int
    values: list[str]


@dataclass(frozen=True)
class Limits:
    """Of a file: bytes, bytes once unpacked, files within. Of a sheet: rows, columns. Characters of a cell, a row."""

    size: int = 100_000_000
    unpacked: int = 200_000_000
    members: int = 2_000
    rows: int = 1_048_576
    columns: int = 256
    characters: int = 100_000
    row: int = 1_000_000


LIMITS: Final = Limits()


def too_long(where: str, most: int) -> SheetError:
    return SheetError(
        _("%(where)s: the cell has more than %(most)d characters. Is a quotation mark not closed?")
        % {"where": where, "most": most}
    )


def too_many_rows(most: int) -> SheetError:
    return SheetError(_("There are more than %(most)d rows. Divide the file into several.") % {"most": most})


def too_many_columns(where: str, most: int) -> SheetError:
    return SheetError(_("%(where)s: there are more than %(most)d columns.") % {"where": where, "most": most})


def impossible(value: str) -> bool:
    return "\0" in value or (not value.isascii() and _IMPOSSIBLE.search(value) is not None)
