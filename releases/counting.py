"""Whether reported numbers agree: with what is logged, with one another, and with the sums they are part of.

A reported figure is a range, open at the top where a source says "at least", and everything here asks whether ranges
can be true together. Sums are checked only along the part-of relation that an editor recorded; one that merely happens
to hold is proposed to editors and believed by nobody.

What is held against what, decided once for all figures:

- People are counted, never rows: each person once in an event, with the events that are part of it, however many
  lists, legs or sources there are. A journey onward is no second release: it counts where people arrived, not again
  where they came out.
- Figures of people who came out (released, exchanged, handed over, arrived) count those whose release is confirmed.
  Whoever refused to go, or turned out to be still held, was announced and is not gone.
- Figures of an announcement count everybody announced, whatever came of it: announced, and named on a list. A pardon
  is granted to those as well who then refuse to leave; of somebody who was never let out nobody knows it.
- A flow counts what happened in its period, a stock what had happened by its day. One that takes in the day of its
  event takes in all who came out in it; journeys onward have days of their own.
- People outside the organisation's remit count as they are entered: so many, of that citizenship, taken there.
- Nothing is held against a figure of a group that only words describe, or by somebody's own definition.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

from tracker.dates import ImpreciseDate
from tracker.vocabularies import FigureDimension as Dimension
from tracker.vocabularies import FigureMeasure, FigureSubject, Qualifier, Standing


def bounds(qualifier: str, number: int | None) -> tuple[int | None, int | None]:
    """The lowest and the highest number that a source means; None at the top is open, None twice is no number.

    About n is every number that rounds to n at the place of its last non-zero digit: about 100 is 50 to 149, around
    1,200 is 1150 to 1249, and about 31 is 31. Raises ValueError for a negative number, and for none where the
    qualifier needs one.
    """
    if qualifier == Qualifier.WORDED:
        return None, None
    if number is None or number < 0:
        raise ValueError(f"{qualifier} needs a number that is not negative, not {number}")
    match Qualifier(qualifier):
        case Qualifier.ABOUT:
            unit = 1
            while number and number % (unit * 10) == 0:
                unit *= 10
            return number - unit // 2, number + (unit - 1) // 2
        case Qualifier.AT_LEAST:
            return number, None
        case Qualifier.MORE_THAN:
            return number + 1, None
        case Qualifier.UP_TO:
            return 0, number
        case _:
            return number, number


@dataclass(frozen=True)
class Figure:
    """A reported figure as a range, with all that decides what it may be held against.

    `low` and `high` are included, and are what `bounds` gives: not the number in the source's words. A missing `low`
    is 0, a missing `high` is open, and both are missing where there is no number. Coded values are the codes of their
    vocabularies; an empty set or text does not narrow the scope.
    """

    id: str
    subject: str
    measure: str
    low: int | None
    high: int | None
    qualifier: str
    as_of: ImpreciseDate | None
    period: ImpreciseDate | None
    destinations: frozenset[str]
    citizenships: frozenset[str]
    sex: str
    group: str
    counted_as: str  # whose definition
    part_of: str | None  # the id of the figure it is "of whom"
    parts_complete: bool  # the figures that are part of this one add up to it
    complete_along: frozenset[str]  # along these dimensions; none, where they do: along the one that comes nearest
    origin: str  # whose word it is: the origin, else what the source is derived from, else the source
    source: str
    standing: str

    @property
    def comparable(self) -> bool:
        """Whether it has a number that an editor has not rejected."""
        return (self.low, self.high) != (None, None) and self.standing != Standing.REJECTED

    def __str__(self) -> str:
        """The range in figures: one number, two with a dash, "≥ 1101", or "…" where there is no number."""
        if self.high is None:
            return "…" if self.low is None else f"≥ {self.low}"
        return str(self.high) if self.low == self.high else f"{self.low or 0}\u2013{self.high}"


# --- Against what is logged


class Agreement(StrEnum):
    AGREES = "agrees"
    SHORT_BY = "short_by"
    OVER_BY = "over_by"
    CONTRADICTS = "contradicts"
    NOT_COMPARED = "not_compared"


@dataclass(frozen=True)
class Verdict:
    kind: Agreement
    n: int = 0  # how many people are short or over, at the least


def compare(figure: Figure, logged_min: int | None, logged_max: int | None) -> Verdict:
    """Holds a figure against what the database has for the same scope.

    For people, `logged_min` is how many are surely in the scope and `logged_max` how many can be. Short: people are
    missing whom the source counts. Over: more are logged than the source allows.

    For ages and sentences the figure's ends are the lowest and the highest in the group. `logged_min` is the lowest
    of the highest values that each logged person can have, `logged_max` the highest of the lowest ones; both are the
    plain extremes when every value is exact. A group that is not logged in full has no reason to reach the ends, so
    there it agrees or contradicts. Without logged values (None) nothing is compared.
    """
    if not figure.comparable or logged_min is None or logged_max is None:
        return Verdict(Agreement.NOT_COMPARED)
    low, high = figure.low or 0, figure.high
    if figure.measure != FigureMeasure.PEOPLE:
        outside = logged_min < low or (high is not None and logged_max > high)
        return Verdict(Agreement.CONTRADICTS if outside else Agreement.AGREES)
    if logged_max < low:
        return Verdict(Agreement.SHORT_BY, low - logged_max)
    if high is not None and logged_min > high:
        return Verdict(Agreement.OVER_BY, logged_min - high)
    return Verdict(Agreement.AGREES)


# --- Against one another


@dataclass(frozen=True)
class Reading:
    """One range, and every figure that gives just that."""

    figures: tuple[Figure, ...]

    @property
    def origins(self) -> int:
        return independent_origins(self.figures)


def independent_origins(figures: Iterable[Figure]) -> int:
    """How many say so: outlets that repeat one origin count once, rejected figures not at all."""
    return len({figure.origin for figure in figures if figure.standing != Standing.REJECTED})


def same_thing(figure: Figure) -> Hashable:
    """What it counts, by whose definition and when: figures with the same one can be true together or not."""
    return _scope(figure), figure.measure, figure.subject, figure.counted_as, figure.as_of, figure.period


def disagreements(figures: Iterable[Figure]) -> list[tuple[Reading, ...]]:
    """Groups of figures about the same thing that cannot all be true, each as its readings, the best supported first.

    Two figures of one origin disagree as well (one outlet has misread it): each reading counts that origin.
    """
    same: defaultdict[Hashable, list[Figure]] = defaultdict(list)
    for figure in figures:
        if figure.comparable:
            same[same_thing(figure)].append(figure)
    return [
        _readings(group)
        for group in same.values()
        if any(not _overlap(a.low, a.high, b.low, b.high) for a, b in combinations(group, 2))
    ]


def _readings(figures: Iterable[Figure]) -> tuple[Reading, ...]:
    """The figures by their range: most independent origins first, then with an accepted figure, then the narrowest."""
    by_range: defaultdict[tuple[int | None, int | None], list[Figure]] = defaultdict(list)
    for figure in figures:
        by_range[figure.low, figure.high].append(figure)
    readings = [Reading(tuple(group)) for group in by_range.values()]
    return tuple(sorted(readings, key=_weakness))


def _weakness(reading: Reading) -> tuple[int, bool, float, int]:
    accepted = any(figure.standing == Standing.ACCEPTED for figure in reading.figures)
    one = reading.figures[0]
    width = float("inf") if one.high is None else one.high - (one.low or 0)
    return -reading.origins, not accepted, width, one.low or 0


def _largest_first(figure: Figure) -> tuple[int, str]:
    """So that nothing depends on the order in which figures come."""
    return -(figure.low or 0), figure.id


# --- Against the sums they are part of


class SumResult(StrEnum):
    HOLDS = "holds"
    DOES_NOT_HOLD = "does_not_hold"
    INCOMPLETE = "incomplete"  # the parts are not all there, and what is there is not too much


@dataclass(frozen=True)
class SumCheck:
    """A whole and its parts: of each scope one figure, the best supported.

    `dimension` is None for a part alone that differs from the whole in several ways or in none of the dimensions.
    """

    whole: Figure
    parts: tuple[Figure, ...]
    dimension: Dimension | None
    complete: bool

    @property
    def low(self) -> int:
        return sum(part.low or 0 for part in self.parts)

    @property
    def high(self) -> int | None:
        highs = [part.high for part in self.parts if part.high is not None]
        return sum(highs) if len(highs) == len(self.parts) else None

    @property
    def result(self) -> SumResult:
        if self.complete:
            held = _overlap(self.whole.low, self.whole.high, self.low, self.high)
            return SumResult.HOLDS if held else SumResult.DOES_NOT_HOLD
        fits = self.whole.high is None or self.low <= self.whole.high
        return SumResult.INCOMPLETE if fits else SumResult.DOES_NOT_HOLD

    def __str__(self) -> str:
        """In figures: 123 = 114 + 9, 123 ≠ 114 + 10, 123 ≥ 114 + … (not complete), 114 < 120."""
        signs = {
            SumResult.HOLDS: "=",
            SumResult.INCOMPLETE: "≥",
            SumResult.DOES_NOT_HOLD: "≠" if self.complete else "<",
        }
        terms = (f"({part})" if str(part).startswith("≥") else str(part) for part in self.parts)
        return f"{self.whole} {signs[self.result]} {' + '.join(terms)}"


def check_sums(figures: Iterable[Figure]) -> list[SumCheck]:
    """Each figure of people that has parts, against their sum, one check for each way in which it is divided.

    Parts are added up when they have the same subject, definition and moment or period (what a part does not say is
    that of the whole) and differ from the whole in one dimension. An editor's word that the parts are complete makes
    the sum along the dimension they name a claim of equality; where they name none, it is taken for the sum that comes
    nearest. Every other sum is only a limit, and only where nobody can be in two parts: people have two citizenships,
    a destination may be "Poland or Lithuania", and nobody knows how groups in words overlap, so such parts are each
    held against the whole alone.
    """
    countable = sorted(
        (one for one in figures if one.measure == FigureMeasure.PEOPLE and one.standing != Standing.REJECTED),
        key=_largest_first,
    )
    parts_of: defaultdict[str, list[Figure]] = defaultdict(list)
    for figure in countable:
        if figure.part_of is not None:
            parts_of[figure.part_of].append(figure)
    return [check for whole in countable if whole.comparable for check in _checks(whole, parts_of[whole.id])]


def _checks(whole: Figure, parts: Iterable[Figure]) -> Iterator[SumCheck]:
    sums = [SumCheck(whole, terms, dimension, complete=False) for dimension, terms in _divisions(whole, parts)]
    complete = _said_to_be_complete(whole, sums)
    for check in sums:
        if check in complete:
            yield replace(check, complete=True)
        elif _disjoint(check.dimension, check.parts):
            yield check
        else:
            yield from (replace(check, parts=(part,)) for part in check.parts if part.comparable)


def _said_to_be_complete(whole: Figure, sums: Iterable[SumCheck]) -> list[SumCheck]:
    """Of each dimension that is named, else of all, the sum that comes nearest."""
    if not whole.parts_complete:
        return []
    known = [check for check in sums if check.dimension is not None]
    named = [[check for check in known if check.dimension == dimension] for dimension in whole.complete_along]
    return [min(group, key=_distance) for group in named or [known] if group]


def _distance(check: SumCheck) -> int:
    return abs(check.low - (check.whole.low or 0))


def _divisions(whole: Figure, parts: Iterable[Figure]) -> Iterator[tuple[Dimension | None, tuple[Figure, ...]]]:
    """The parts that can stand in one sum, one of each scope, with the dimension along which they divide the whole."""
    divisions: defaultdict[tuple[Dimension | None, Hashable], defaultdict[Hashable, list[Figure]]]
    divisions = defaultdict(lambda: defaultdict(list))
    for part in parts:
        narrowed = [name for name in Dimension if getattr(part, name) not in (frozenset(), "", getattr(whole, name))]
        dimension = narrowed[0] if len(narrowed) == 1 else None
        basis = (
            part.subject,
            part.counted_as or whole.counted_as,
            part.as_of or whole.as_of,
            part.period or whole.period,
        )
        divisions[dimension, basis][_scope(part) if dimension is None else getattr(part, dimension)].append(part)
    for (dimension, _basis), by_scope in divisions.items():
        # "Several" stands in a sum as a term without a number, but only where nobody gives one.
        terms = tuple(
            _readings([part for part in same if part.comparable] or same)[0].figures[0] for same in by_scope.values()
        )
        if any(term.comparable for term in terms):
            yield dimension, terms


# --- Sums that nobody has recorded

#: whoever is handed over is one of those released
_OF_THE_RELEASED = (FigureSubject.HANDED_OVER, FigureSubject.RELEASED)
#: so many scopes of one whole are tried, in sums of so many
_SCOPES, _TERMS = 12, 5


def propose_sums(figures: Iterable[Figure]) -> list[SumCheck]:
    """Sums that hold among the figures of one event and that nobody has recorded: for an editor to say if it is chance.

    The parts are exact, about the same as the whole but for one dimension, and nobody can be in two of them: two
    citizenships make no partition, nor do groups in words. All that are recorded as parts of the whole along that
    dimension are among them, and none that are part of another figure.
    """
    exact = [
        figure
        for figure in sorted(figures, key=_largest_first)
        if figure.measure == FigureMeasure.PEOPLE and figure.comparable and figure.low and figure.low == figure.high
    ]
    wholes: defaultdict[Hashable, list[Figure]] = defaultdict(list)
    for figure in exact:
        wholes[same_thing(figure), figure.low].append(figure)
    return [
        SumCheck(whole, parts, dimension, complete=True)
        for same in wholes.values()
        for dimension in Dimension
        if not any(figure.parts_complete and (dimension in (figure.complete_along or {dimension})) for figure in same)
        for whole in [_with_most_parts(same, exact)]
        for parts in _sums(whole, dimension, exact)
    ]


def _with_most_parts(same: Iterable[Figure], figures: Sequence[Figure]) -> Figure:
    return max(same, key=lambda whole: sum(figure.part_of == whole.id for figure in figures))


def _sums(whole: Figure, dimension: Dimension, figures: Sequence[Figure]) -> Iterator[tuple[Figure, ...]]:
    above = _above(whole, {figure.id: figure for figure in figures})
    by_scope: defaultdict[Hashable, list[Figure]] = defaultdict(list)
    for figure in figures:
        if figure.id not in above and figure.part_of in {None, whole.id} and _divides(figure, whole, dimension):
            by_scope[figure.subject, getattr(figure, dimension)].append(figure)
    terms = []
    for same in by_scope.values():
        best = _readings(same)[0].figures
        terms.append(next((figure for figure in best if figure.part_of == whole.id), best[0]))
    recorded = {term.id for term in terms if term.part_of == whole.id}
    for number in range(2, _TERMS + 1):
        for parts in combinations(terms[:_SCOPES], number):
            if (
                sum(part.low or 0 for part in parts) == whole.low
                and recorded <= {part.id for part in parts}
                and len({part.subject for part in parts}) == 1
                and _disjoint(dimension, parts)
            ):
                yield parts


def _divides(part: Figure, whole: Figure, dimension: Dimension) -> bool:
    """Whether it is the same as the whole but narrower along the dimension."""
    own, of_whole = getattr(part, dimension), getattr(whole, dimension)
    if not own or own == of_whole or (of_whole and not (dimension == Dimension.DESTINATIONS and own < of_whole)):
        return False
    alike = all(getattr(part, name) == getattr(whole, name) for name in Dimension if name != dimension)
    same_subject = part.subject == whole.subject or (part.subject, whole.subject) == _OF_THE_RELEASED
    same_moment = (part.as_of, part.period) in {(None, None), (whole.as_of, whole.period)}
    return alike and same_subject and same_moment and part.counted_as == whole.counted_as


def _above(figure: Figure, by_id: Mapping[str, Figure]) -> set[str]:
    """The figures it is part of, directly or not, and itself."""
    found: set[str] = set()
    key: str | None = figure.id
    while key is not None and key not in found:
        found.add(key)
        key = by_id[key].part_of if key in by_id else None
    return found


def _disjoint(dimension: Dimension | None, parts: Sequence[Figure]) -> bool:
    """Whether nobody can be counted in two of the parts."""
    match dimension:
        case Dimension.DESTINATIONS:
            return all(a.destinations.isdisjoint(b.destinations) for a, b in combinations(parts, 2))
        case Dimension.SEX:
            return True
        case _:
            return False


def _scope(figure: Figure) -> tuple[frozenset[str], frozenset[str], str, str]:
    return figure.destinations, figure.citizenships, figure.sex, figure.group


def _overlap(low: int | None, high: int | None, other_low: int | None, other_high: int | None) -> bool:
    return (other_high is None or (low or 0) <= other_high) and (high is None or (other_low or 0) <= high)
