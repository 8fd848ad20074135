"""Dates as sources give them: some day within a range, written as EDTF, compared by what can be and what is sure.

The text is EDTF (ISO 8601-2) level 0 with intervals. Readers of EDTF take an interval for a duration;
here it always means *some day within*, both ends included.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.utils import formats
from django.utils.translation import gettext as _

from tracker.vocabularies import Precision

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2100
OLDEST_AGE: Final = 125

ONE_DAY: Final = timedelta(days=1)


class DateError(ValueError):
    """A text that is no date, or days that cannot be one. Its message is for whoever typed it."""


_OPEN: Final = {"", ".."}

# ASCII digits only: \d would let the digits of every script through.
_ISO: Final = re.compile(r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?")
# As people type it in the countries this is about: day first, with dots.
_DOTTED: Final = re.compile(r"(?:(?P<day>[0-9]{1,2})\.)?(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})")

# How much of YYYY-MM-DD says a unit, and Django's format of it in words (E is the month as it stands beside a day).
_LENGTHS: Final = {Precision.YEAR: 4, Precision.MONTH: 7, Precision.DAY: 10}
_WORDS: Final = {Precision.YEAR: "Y", Precision.MONTH: "F Y", Precision.DAY: "j E Y"}


@dataclass(frozen=True)
class ImpreciseDate:
    """Some day from `earliest` to `latest`, both included. Raises DateError when they are reversed or out of bounds."""

    earliest: date
    latest: date

    def __post_init__(self) -> None:
        if self.earliest > self.latest:
            raise DateError(
                _("%(earliest)s is after %(latest)s. Give the earlier day first.")
                % {"earliest": self.earliest.isoformat(), "latest": self.latest.isoformat()}
            )
        if self.earliest.year < FIRST_YEAR or self.latest.year > LAST_YEAR:
            raise DateError(
                _("%(earliest)s to %(latest)s is outside the years %(first)d to %(last)d.")
                % {
                    "earliest": self.earliest.isoformat(),
                    "latest": self.latest.isoformat(),
                    "first": FIRST_YEAR,
                    "last": LAST_YEAR,
                }
            )

    @classmethod
    def from_day(cls, day: date) -> ImpreciseDate:
        return cls(day, day)

    @classmethod
    def from_bounds(cls, lower: date, upper: date) -> ImpreciseDate:
        """From the bounds of a PostgreSQL daterange: `lower` is included, `upper` is not."""
        return cls(lower, upper - ONE_DAY)

    @property
    def upper(self) -> date:
        """The first day that it can no longer be: the exclusive bound of a PostgreSQL daterange."""
        return self.latest + ONE_DAY

    @property
    def precision(self) -> Precision:
        unit = self._unit
        return unit if _text(self.earliest, unit) == _text(self.latest, unit) else Precision.INTERVAL

    @property
    def edtf(self) -> str:
        """The shortest text that `parse` reads as this date: one unit, or two of the same size with a slash."""
        first, last = _text(self.earliest, self._unit), _text(self.latest, self._unit)
        return first if first == last else f"{first}/{last}"

    def __str__(self) -> str:
        return self.edtf

    @property
    def display(self) -> str:
        """The date in words, in the language of the reader."""
        unit = self._unit
        if self.precision is not Precision.INTERVAL:
            return formats.date_format(self.earliest, _WORDS[unit])
        # What both ends share is said once: "between 5 and 9 March 2021".
        words = _WORDS[unit]
        if unit is not Precision.YEAR and self.earliest.year == self.latest.year:
            words = "j" if self.earliest.month == self.latest.month else words.removesuffix(" Y")
        return _("between %(first)s and %(last)s") % {
            "first": formats.date_format(self.earliest, words),
            "last": formats.date_format(self.latest, _WORDS[unit]),
        }

    def whole_year(self) -> ImpreciseDate:
        """The year or years that contain it: what is published where the day is withheld."""
        return ImpreciseDate(date(self.earliest.year, 1, 1), date(self.latest.year, 12, 31))

    def can_be_before(self, other: ImpreciseDate) -> bool:
        """Whether it can be on an earlier day than `other`; the same day is not before."""
        return self.earliest < other.latest

    def can_be_after(self, other: ImpreciseDate) -> bool:
        """Whether it can be on a later day than `other`; the same day is not after."""
        return self.latest > other.earliest

    def surely_before(self, other: ImpreciseDate) -> bool:
        """Whether it is on an earlier day than `other`, whatever the two days are."""
        return self.latest < other.earliest

    def possibly(self, day: date) -> bool:
        """Whether it can be that day."""
        return self.earliest <= day <= self.latest

    def surely(self, day: date) -> bool:
        """Whether it is that day and can be no other."""
        return self.earliest == day == self.latest

    @property
    def _unit(self) -> Precision:
        """The largest unit that starts with `earliest` and ends, itself or another of its size, with `latest`."""
        if self.earliest.day == 1 and self.upper.day == 1:
            return Precision.YEAR if self.earliest.month == 1 and self.upper.month == 1 else Precision.MONTH
        return Precision.DAY


def parse(text: str) -> ImpreciseDate:
    """Reads `2021`, `2021-03`, `2021-03-05`, `05.03.2021`, `03.2021`, or two of them with a slash between.

    An interval ends with the last day of its last unit. Raises DateError, and nothing else, for all other text.
    """
    value = text.strip()
    first, slash, last = (part.strip() for part in value.partition("/"))
    if slash and (first in _OPEN or last in _OPEN):
        raise DateError(
            _("%(value)s is open at one end. Give both ends, or leave the date empty.") % {"value": _shown(value)}
        )
    if any(mark in value for mark in "?~%"):
        raise _error(value, _("a mark of doubt cannot be kept, but the days between which it was can"))
    earliest, latest = _first_and_last_day(first, value)
    if slash:
        latest = _first_and_last_day(last, value)[1]
    if earliest > latest:
        raise _error(value, _("it ends before it starts"))
    return ImpreciseDate(earliest, latest)


def _text(day: date, unit: Precision) -> str:
    return day.isoformat()[: _LENGTHS[unit]]


def _first_and_last_day(unit: str, value: str) -> tuple[date, date]:
    """Of one year, month or day. `value` is the whole of what was typed, for the message of the DateError."""
    match = _ISO.fullmatch(unit) or _DOTTED.fullmatch(unit)
    if match is None:
        raise _error(value)
    year = int(match["year"])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        limits = {"first": FIRST_YEAR, "last": LAST_YEAR}
        raise _error(value, _("its year is not between %(first)d and %(last)d") % limits)
    if match["month"] is None:
        return date(year, 1, 1), date(year, 12, 31)
    month = int(match["month"])
    if not 1 <= month <= 12:
        raise _error(value, _("there is no month %(month)d") % {"month": month})
    length = calendar.monthrange(year, month)[1]
    if match["day"] is None:
        return date(year, month, 1), date(year, month, length)
    number = int(match["day"])
    if not 1 <= number <= length:
        raise _error(value, _("there is no day %(day)d in that month") % {"day": number})
    day = date(year, month, number)
    return day, day


def _shown(value: str) -> str:
    if not value:
        return _("An empty text")
    return value if len(value) <= 60 else f"{value[:59]}…"


def _error(value: str, why: str = "") -> DateError:
    how = _("Write 2025, 2025-12, 2025-12-05 or 2025-12-01/2025-12-05.")
    if why:
        return DateError(
            _("%(value)s is not a date: %(why)s. %(how)s") % {"value": _shown(value), "why": why, "how": how}
        )
    return DateError(_("%(value)s is not a date. %(how)s") % {"value": _shown(value), "how": how})


# --- Which days somebody was held


def surely_held(
    started: ImpreciseDate | None, ended: ImpreciseDate | None, confirmed: date | None = None
) -> tuple[date, date | None] | None:
    """The first day surely held, and the first day after that may be free (None: no end is known).

    `confirmed` is a day on which a source says that the person is held: it makes days sure when the start is
    imprecise or unknown (`started` None). None when no day is sure.
    The same rule as the exclusion constraint on detentions: [LEAST(upper(started) - 1, confirmed), lower(ended)).
    """
    starts = [day for day in (started.latest if started else None, confirmed) if day]
    if not starts:
        return None
    first = min(starts)
    if ended is None:
        return first, None
    return (first, ended.earliest) if first < ended.earliest else None


def possibly_held(started: ImpreciseDate | None, ended: ImpreciseDate | None) -> tuple[date | None, date | None]:
    """The first day that can be in custody, and the first that cannot be any more; None where nothing limits it."""
    return started.earliest if started else None, ended.upper if ended else None


# --- Ages
# A year of life is complete on the anniversary; for somebody born on 29 February, in a common year, on 1 March.


def age_range(born: ImpreciseDate, on: date) -> tuple[int, int] | None:
    """The lowest and the highest age in completed years on that day; None when nobody born then was alive."""
    if born.earliest > on:
        return None
    return _age(min(born.latest, on), on), _age(born.earliest, on)


def born_range(age: int, on: date) -> ImpreciseDate:
    """The days of birth of those who are `age` years old on that day. Raises DateError for an age nobody has."""
    if not 0 <= age <= OLDEST_AGE:
        raise DateError(
            _("%(age)d is not an age. Give completed years, from 0 to %(oldest)d.") % {"age": age, "oldest": OLDEST_AGE}
        )
    return ImpreciseDate.from_bounds(_years_before(on, age + 1) + ONE_DAY, _years_before(on, age) + ONE_DAY)


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _years_before(day: date, years: int) -> date:
    """The last day of birth with which `years` are complete on `day`."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February has no counterpart in a common year
        return date(day.year - years, 2, 28)
