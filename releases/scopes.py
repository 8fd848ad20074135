"""Who of an event's people a reported figure counts: yes, no, or nobody says (None).

``releases.counting`` says in its first lines how this was decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from releases.counting import Figure
from tracker import dates
from tracker import vocabularies as v
from tracker.dates import ImpreciseDate

#: The days of an event: when it happened, when it was announced.
Days = tuple[ImpreciseDate | None, ImpreciseDate | None]


@dataclass(frozen=True)
class Step:
    """A step of the way out as far as a figure can ask for it."""

    kind: str
    status: str
    countries: frozenset[str]
    happened: ImpreciseDate | None = None


@dataclass(frozen=True)
class Alike:
    """People of one event who are alike in all that a figure can ask for, and how many they are."""

    outcome: str
    legal_bases: frozenset[str]
    citizenships: frozenset[str]
    sex: str
    steps: tuple[Step, ...]
    people: int
    named: bool | None = None
    released_on: ImpreciseDate | None = None
    in_part: bool = False  # logged in another event, which is part of this one
    latest_birth: date | None = None  # of each person the earliest day of birth, and of these the latest
    earliest_birth: date | None = None  # of each person the latest day of birth, and of these the earliest

    @property
    def counted(self) -> bool:
        """Announced, refused or refuted is not yet, or not, free."""
        return self.outcome == v.ReleaseOutcome.CONFIRMED

    @property
    def destination(self) -> frozenset[str]:
        """Where the people were handed over, else the first place they reached; empty where nobody says."""
        reached = [step for step in self.steps if step.status == v.LegStatus.COMPLETED]
        handed = [step for step in reached if step.kind == v.LegKind.HANDOVER]
        return (handed or reached)[0].countries if reached else frozenset()


@dataclass(frozen=True)
class Outside:
    """People of the event whom this database does not record: all that is known of them, and how many there can be."""

    alike: Alike  # with the highest number
    low: int


@dataclass(frozen=True)
class Logged:
    """How many people are surely in a scope, and how many can be."""

    sure: int
    possible: int

    def __str__(self) -> str:
        return str(self.sure) if self.sure == self.possible else f"{self.sure}\u2013{self.possible}"

    def __add__(self, other: Logged) -> Logged:
        return Logged(self.sure + other.sure, self.possible + other.possible)

    def __bool__(self) -> bool:
        return self.possible > 0

    @property
    def only_possible(self) -> int:
        return self.possible - self.sure


# --- What a figure counts

_ANY_STEP = frozenset(v.LegKind.codes())
_HANDOVER = frozenset({v.LegKind.HANDOVER.value})
_BASIS = {
    v.FigureSubject.PARDONED: v.LegalBasis.PARDON,
    v.FigureSubject.EXCHANGED: v.LegalBasis.EXCHANGE,
    v.FigureSubject.SERVED_IN_FULL: v.LegalBasis.EXPIRY_OF_TERM,
}
#: Everybody who was announced, whatever came of it.
ANNOUNCING = frozenset({v.FigureSubject.ANNOUNCED, v.FigureSubject.NAMED})
#: Subjects that the people of an event can be counted for. A plan, a death, those left behind are no release.
OF_RELEASES = ANNOUNCING | {v.FigureSubject.RELEASED, v.FigureSubject.HANDED_OVER, v.FigureSubject.ARRIVED, *_BASIS}


def countable(figure: Figure) -> bool:
    """Whether its group is one that records know: no group in words, nobody's own definition."""
    return figure.subject in OF_RELEASES and not figure.group and not figure.counted_as


def in_scope(alike: Alike, figure: Figure, days: Days = (None, None)) -> bool | None:
    moment = _Moment(figure, days)
    answers: list[bool | None] = [_came_about(alike.outcome, figure.subject)]
    if figure.subject == v.FigureSubject.HANDED_OVER:
        answers.append(_reached(alike, figure.destinations, _HANDOVER, moment))
    elif figure.subject == v.FigureSubject.ARRIVED:
        answers.append(_reached(alike, figure.destinations, _ANY_STEP, moment))
    else:
        if figure.destinations:
            answers.append(_reached(alike, figure.destinations, _ANY_STEP, None))
        if figure.subject not in ANNOUNCING and figure.subject != v.FigureSubject.PARDONED:
            answers.append(moment.takes_in_release(alike.released_on))
    if basis := _BASIS.get(v.FigureSubject(figure.subject)):
        answers.append(_has_basis(alike.legal_bases, basis))
    if figure.subject == v.FigureSubject.NAMED:
        answers.append(alike.named)
    if figure.citizenships:
        answers.append(bool(alike.citizenships & figure.citizenships) if alike.citizenships else None)
    if figure.sex:
        answers.append(None if alike.sex in {"", v.Sex.UNKNOWN} else alike.sex == figure.sex)
    return _all(answers)


def _all(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return False if False in found else None if None in found else True


def _came_about(outcome: str, subject: str) -> bool | None:
    if outcome == v.ReleaseOutcome.CONFIRMED or subject in ANNOUNCING:
        return True
    if subject == v.FigureSubject.PARDONED:
        return None if outcome == v.ReleaseOutcome.REFUTED else True
    return False


def _reached(alike: Alike, countries: frozenset[str], kinds: frozenset[str], moment: _Moment | None) -> bool | None:
    """Whether a completed step led to one of the countries (to any, where there are none) by the figure's moment."""
    steps = [step for step in alike.steps if step.kind in kinds]
    known = [step for step in steps if step.status == v.LegStatus.COMPLETED]
    if not known:
        return False if any(step.status == v.LegStatus.REFUSED for step in steps) else None
    answers = {
        _all([_leads_to(step.countries, countries), moment.takes_in_step(step, alike) if moment else True])
        for step in known
    }
    return True if True in answers else None if None in answers else False


def _leads_to(where: frozenset[str], countries: frozenset[str]) -> bool | None:
    if not countries or (where and where <= countries):
        return True
    return None if not where or where & countries else False


def _has_basis(bases: frozenset[str], basis: str) -> bool | None:
    if basis in bases:
        return True
    return None if bases <= {v.LegalBasis.UNKNOWN} else False


class _Moment:
    """When a figure counts: in its period, or all that had happened by its day."""

    def __init__(self, figure: Figure, days: Days) -> None:
        self.by, self.period = figure.as_of, figure.period
        self.day = days[0] or days[1]
        self.whole_event = any(day is not None and self._takes_in(day) for day in days)

    def _takes_in(self, day: ImpreciseDate | None) -> bool | None:
        if not self.by and not self.period:
            return True
        if day is None:
            return None
        if self.period:
            if self.period.earliest <= day.earliest and day.latest <= self.period.latest:
                return True
            return None if day.earliest <= self.period.latest and self.period.earliest <= day.latest else False
        assert self.by is not None
        if day.latest <= self.by.earliest:
            return True
        return None if day.earliest <= self.by.latest else False

    def takes_in_release(self, released_on: ImpreciseDate | None) -> bool | None:
        return True if self.whole_event else self._takes_in(released_on or self.day)

    def takes_in_step(self, step: Step, alike: Alike) -> bool | None:
        """A handover is of the day of the release where it has no other; a journey onward is of its own."""
        if step.kind == v.LegKind.ONWARD:
            return self._takes_in(step.happened)
        return self.takes_in_release(step.happened or alike.released_on)


# --- How many


def count(figure: Figure, people: Iterable[Alike], days: Days = (None, None)) -> Logged | None:
    """How many people the figure counts; None where its group is words, or no release's."""
    if not countable(figure):
        return None
    found = [(alike.people, in_scope(alike, figure, days)) for alike in people]
    return Logged(
        sum(number for number, inside in found if inside),
        sum(number for number, inside in found if inside is not False),
    )


def count_outside(figure: Figure, groups: Iterable[Outside], days: Days = (None, None)) -> Logged:
    """The same of those outside the remit."""
    sure = possible = 0
    for group in groups:
        inside = countable(figure) and in_scope(group.alike, figure, days)
        if inside is not False:
            possible += group.alike.people
            sure += group.low if inside else 0
    return Logged(sure, possible)


def announced_only(figure: Figure, people: Iterable[Alike]) -> int:
    """How many can have been announced as the figure's, and are not counted in it: they are not out."""
    if not countable(figure) or figure.subject in ANNOUNCING or figure.subject == v.FigureSubject.ARRIVED:
        return 0
    wider = replace(figure, subject=v.FigureSubject.ANNOUNCED, destinations=frozenset())
    return sum(
        alike.people
        for alike in people
        if _came_about(alike.outcome, figure.subject) is False
        and in_scope(alike, wider) is not False
        and (not figure.destinations or any(step.countries & figure.destinations for step in alike.steps))
    )


def ages(figure: Figure, people: Sequence[Alike], days: Days) -> tuple[int | None, int | None]:
    """The two ages that ``counting.compare`` asks for, of those surely in the scope whose birth is known."""
    on = figure.as_of or days[0] or days[1]
    if on is None or not countable(figure):
        return None, None
    inside = [alike for alike in people if in_scope(alike, figure, days)]
    young = max((alike.latest_birth for alike in inside if alike.latest_birth), default=None)
    old = min((alike.earliest_birth for alike in inside if alike.earliest_birth), default=None)
    if young is None or old is None:
        return None, None
    lowest = dates.age_range(ImpreciseDate.from_day(young), on.latest)
    highest = dates.age_range(ImpreciseDate.from_day(old), on.earliest)
    return (lowest[1] if lowest else None), (highest[0] if highest else None)
