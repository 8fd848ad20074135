"""What is wrong with a file: all of it at once, each with its place and what would be right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

#: so many are told; the rest is counted
MOST: Final = 200
#: so much of a value is repeated
SHOWN: Final = 60


@dataclass(frozen=True, order=True)
class Problem:
    """``row`` is the line of the file, or row of the sheet; 0 for the file as a whole."""

    row: int
    column: str
    value: str
    sentence: str

    def __str__(self) -> str:
        places = [_("row %(row)d") % {"row": self.row}] if self.row else []
        if self.column:
            places.append(_("column %(column)s") % {"column": self.column})
        if self.value:
            places.append(f"“{self.value}”")
        return f"{', '.join(places)}: {self.sentence}" if places else self.sentence


class Problems:
    """Keeps the first ones and counts the others, so that a file of nothing but mistakes needs no memory."""

    def __init__(self) -> None:
        self._first: list[Problem] = []
        self.total = 0

    def add(self, sentence: str, *, row: int = 0, column: str = "", value: str = "") -> None:
        self.total += 1
        if len(self._first) < MOST:
            shown = value if len(value) <= SHOWN else f"{value[: SHOWN - 1]}…"
            self._first.append(Problem(row, column, shown, sentence))

    def __bool__(self) -> bool:
        return self.total > 0

    def __iter__(self) -> Iterator[Problem]:
        return iter(sorted(self._first, key=lambda problem: problem.row))

    @property
    def is_full(self) -> bool:
        return self.total >= MOST


class Unusable(Exception):
    """Nothing more can be found out about the file; what is wrong has been added to the problems."""
