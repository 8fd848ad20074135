"""What is reported about an event beside what is logged: one event in full, or several in a line each.

Read from one database alone: a copy, or the working one, of which nothing sealed is read but what a viewer was
granted. The rules of comparing are in ``releases.counting``, who is counted in a figure is asked in
``releases.scopes``, how many are logged in ``releases.tally``; here rows become figures and are laid side by side.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from releases import tally, wording
from releases.counting import (
    Agreement,
    Figure,
    Reading,
    SumCheck,
    SumResult,
    Verdict,
    check_sums,
    compare,
    disagreements,
    independent_origins,
    propose_sums,
    same_thing,
)
from releases.models import OutsideRemit, ReleaseEvent, ReportedFigure
from releases.scopes import ANNOUNCING, OF_RELEASES, Alike, Days, Logged, Outside, ages, announced_only, count
from releases.scopes import count_outside as outside_in
from tracker import dates
from tracker import vocabularies as v
from tracker.models import Source

# --- What is reported


def as_figure(row: ReportedFigure) -> Figure:
    """Reads ``row.source``: select it."""
    return Figure(
        id=str(row.pk),
        subject=row.subject,
        measure=row.measure,
        low=row.low,
        high=row.high,
        qualifier=row.qualifier,
        as_of=row.as_of,
        period=row.period,
        destinations=frozenset(row.destinations),
        citizenships=frozenset(row.citizenships),
        sex=row.sex,
        group=row.group,
        counted_as=row.counted_as,
        part_of=str(row.part_of_id) if row.part_of_id else None,
        parts_complete=row.parts_complete,
        complete_along=frozenset(row.complete_along),
        origin=str(row.independent_origin),
        source=str(row.source_id),
        standing=row.standing,
    )


#: What is said of people before they are out: where somebody counts those who came out, that is the number.
_BEFOREHAND = ANNOUNCING | {v.FigureSubject.PARDONED}


@dataclass(frozen=True)
class Statement:
    """One range about one thing, with everybody who gives it, and what is logged of the same."""

    figure: Figure  # the first of those who give it: all agree in what is counted and in the numbers
    rows: tuple[ReportedFigure, ...]
    origins: int
    logged: Logged | None
    outside: Logged  # of those outside the remit
    announced_only: int  # logged in its scope, and not out
    verdict: Verdict
    scope: str  # in words, without the day of the event
    depth: int = 0  # how many figures it is "of whom"

    @property
    def number(self) -> str:
        figure = self.figure
        if figure.measure != v.FigureMeasure.PEOPLE and figure.low is not None and figure.high is None:
            return _("%(number)d or more") % {"number": figure.low}
        return self.rows[0].number

    @property
    def subject(self) -> str:
        return wording.subject(self.figure)

    @property
    def meaning(self) -> str:
        return wording.meaning(self.figure)

    @property
    def result(self) -> str:
        return wording.result(self.figure, self.verdict, self.logged, self.outside, self.announced_only)

    @property
    def who(self) -> str:
        """Up to three of those who give it."""
        outlets = list(dict.fromkeys(row.source.publisher or row.source.title for row in self.rows))
        named = ", ".join(outlets[:3])
        return _("%(outlets)s and others") % {"outlets": named} if len(outlets) > 3 else named

    @property
    def common_origin(self) -> Source | None:
        """Whose word all of several sources repeat."""
        origins = {row.origin for row in self.rows}
        return origins.pop() if len(self.rows) > 1 and len(origins) == 1 else None

    @property
    def rejected(self) -> bool:
        return self.figure.standing == v.Standing.REJECTED

    @property
    def kind(self) -> str:
        """The verdict's code, for a template to choose words by."""
        return self.verdict.kind.value

    @property
    def gap(self) -> int:
        """How many people are stated and not logged, at the least."""
        return self.verdict.n if self.verdict.kind is Agreement.SHORT_BY else 0


@dataclass(frozen=True)
class Sum:
    """A figure against the figures that are part of it, for a template to write out with their scopes."""

    check: SumCheck
    terms: tuple[tuple[str, str], ...]  # each part as its number and its scope

    @property
    def holds(self) -> bool:
        return self.check.result is SumResult.HOLDS

    @property
    def broken(self) -> bool:
        return self.check.result is SumResult.DOES_NOT_HOLD

    @property
    def formula(self) -> str:
        return str(self.check)

    @property
    def result(self) -> str:
        return _("The parts add up.") if self.holds else _("The parts do not fit the whole.")

    @property
    def key(self) -> str:
        """What names it in a form: the whole, the parts, and along what."""
        return " ".join([str(self.check.dimension), self.check.whole.id, *(part.id for part in self.check.parts)])


@dataclass(frozen=True)
class Line:
    """One destination, citizenship or sex: what is stated for it, and what is logged."""

    codes: tuple[str, ...]  # several: one of them; none: nobody says
    label: str
    stated: tuple[Statement, ...]
    logged: Logged
    outside: int = 0  # of those outside the remit, at the most

    @property
    def gap(self) -> int | None:
        """The largest number of people that a statement has and the records lack; None where nothing is compared."""
        compared = [one.gap for one in self.stated if one.verdict.kind is not Agreement.NOT_COMPARED]
        return max(compared, default=None)


@dataclass(frozen=True)
class Onward:
    """Where people were to travel on to after the handover: what is stated, and how many went."""

    codes: tuple[str, ...]
    label: str
    stated: tuple[Statement, ...]
    completed: int
    planned: int
    refused: int


@dataclass(frozen=True)
class Reconciliation:
    event: ReleaseEvent
    statements: tuple[Statement, ...]  # wholes before what is "of whom", rejected ones last
    sums: tuple[Sum, ...]
    conflicts: tuple[tuple[Reading, ...], ...]
    people: tuple[Alike, ...]
    outside: tuple[OutsideRemit, ...]
    destinations: tuple[Line, ...]
    citizenships: tuple[Line, ...]
    sexes: tuple[Line, ...]
    onward: tuple[Onward, ...]
    related: tuple[tally.Related, ...] = ()

    @property
    def logged(self) -> int:
        """People who came out."""
        return self._number(lambda alike: alike.counted)

    @property
    def named(self) -> int:
        """Of them, those of whom a name is known here."""
        return self._number(lambda alike: alike.counted and bool(alike.named))

    @property
    def in_parts(self) -> int:
        """Of them, those who are logged in an event that is part of this one."""
        return self._number(lambda alike: alike.counted and alike.in_part)

    @property
    def outside_number(self) -> str:
        low, high = sum(row.low for row in self.outside), sum(row.high for row in self.outside)
        return str(Logged(low, high)) if high else ""

    @property
    def outside_groups(self) -> list[tuple[OutsideRemit, str]]:
        """Each with what narrows it, in words."""
        return [(row, wording.group(row.citizenships, row.sex, row.destinations)) for row in self.outside]

    @property
    def not_counted(self) -> dict[str, int]:
        """By label of the outcome: announced, refused, refuted."""
        found = Counter[str]()
        for outcome in v.ReleaseOutcome:
            if number := self._number(lambda alike: alike.outcome == outcome and not alike.counted):  # noqa: B023
                found[str(outcome.label)] = number
        return dict(found)

    def _number(self, which: Callable[[Alike], bool]) -> int:
        return sum(alike.people for alike in self.people if which(alike))

    @property
    def whole(self) -> Statement | None:
        """The statement that speaks of the whole event: accepted, part of no other, the widest, the best supported."""
        wholes = [
            statement
            for statement in self.statements
            if statement.depth == 0
            and statement.figure.comparable
            and statement.figure.measure == v.FigureMeasure.PEOPLE
            and statement.figure.subject in OF_RELEASES - {v.FigureSubject.NAMED}
        ]

        def weakness(statement: Statement) -> tuple[bool, bool, bool, int, int, int]:
            figure = statement.figure
            in_words = bool(figure.group or figure.counted_as)
            narrowed = sum(map(bool, (figure.destinations, figure.citizenships, figure.sex)))
            return (
                figure.standing != v.Standing.ACCEPTED,
                in_words,
                figure.subject in _BEFOREHAND,
                narrowed,
                -statement.origins,
                -(figure.low or 0),
            )

        return min(wholes, key=weakness, default=None)

    @property
    def gap(self) -> int:
        return self.whole.gap if self.whole else 0

    @property
    def checked_sums(self) -> list[Sum]:
        """Those that claim something: that parts said to be all of it add up, or that a part is too large."""
        return [total for total in self.sums if total.holds or total.broken]

    @property
    def proposed_sums(self) -> list[Sum]:
        """For an editor to record, or not: they hold, and nobody says that the one is made of the others."""
        days = _days(self.event)
        figures = [_of_its_event(as_figure(row), days) for row in self.rows.values()]
        return [_sum(check, days) for check in propose_sums(figures)]

    @property
    def rows(self) -> dict[str, ReportedFigure]:
        """The figures by their key."""
        return {str(row.pk): row for statement in self.statements for row in statement.rows}

    @property
    def disagreements(self) -> list[list[dict[str, Any]]]:
        """Each as its readings: number, origins, sources."""
        rows = self.rows
        return [
            [
                {
                    "number": str(reading.figures[0]),
                    "scope": wording.scope(reading.figures[0], on=_days(self.event)),
                    "subject": v.FigureSubject(reading.figures[0].subject).label,
                    "origins": reading.origins,
                    "rows": [rows[figure.id] for figure in reading.figures],
                }
                for reading in readings
            ]
            for readings in self.conflicts
        ]

    @property
    def in_one_line(self) -> str:
        """123 reported, 4 logged, 119 not yet; 123 = 114 + 9; 1 disagreement."""
        parts = []
        if self.whole:
            parts.append(_("%(number)s reported") % {"number": self.whole.number})
        parts.append(_("%(number)d logged") % {"number": self.logged})
        if self.outside:
            parts.append(_("%(number)s outside the remit") % {"number": self.outside_number})
        if self.gap:
            parts.append(_("%(number)d not yet") % {"number": self.gap})
        elif self.whole and self.whole.verdict.kind is Agreement.OVER_BY:
            parts.append(_("%(number)d more than reported") % {"number": self.whole.verdict.n})
        line = [", ".join(parts), *(total.formula for total in self.checked_sums)]
        if self.conflicts:
            number = len(self.conflicts)
            line.append(ngettext("%(number)d disagreement", "%(number)d disagreements", number) % {"number": number})
        return "; ".join(line)

    @property
    def in_words(self) -> list[str]:
        """What a newcomer asks: who says so, who is missing, who did not come out, where they went, who is named."""
        return [
            *self._of_the_whole(),
            *self._of_the_numbers(),
            *self._of_the_logged(),
            *self._of_the_way_on(),
            *self._of_other_events(),
        ]

    def _of_the_whole(self) -> Iterator[str]:
        whole = self.whole
        if whole is None:
            yield _("No source gives a number of all who came out.")
            return
        about = ", ".join(filter(None, [whole.subject, whole.scope]))
        yield _("%(number)s %(about)s, according to %(who)s: taken here for the event as a whole.") % {
            "number": whole.number,
            "about": about,
            "who": whole.who,
        }
        if whole.kind == Agreement.SHORT_BY and whole.figure.low == whole.figure.high:
            yield ngettext(
                "%(n)d of them is not in these records: nobody has named that person to us.",
                "%(n)d of them are not in these records: nobody has named them to us.",
                whole.gap,
            ) % {"n": whole.gap}
        elif whole.kind == Agreement.SHORT_BY:
            yield ngettext(
                "At least %(n)d of them is not in these records: nobody has named that person to us.",
                "At least %(n)d of them are not in these records: nobody has named them to us.",
                whole.gap,
            ) % {"n": whole.gap}
        elif whole.kind == Agreement.OVER_BY:
            yield ngettext(
                "These records have %(n)d person more: one of the two is wrong, or they count different people.",
                "These records have %(n)d people more: one of the two is wrong, or they count different people.",
                whole.verdict.n,
            ) % {"n": whole.verdict.n}

    def _of_the_numbers(self) -> Iterator[str]:
        if len([one for one in self.statements if one.figure.comparable]) > 1 and not self.conflicts:
            yield _("Where two numbers differ, they are not of the same people, or one is rounded: both can be true.")

    def _of_the_logged(self) -> Iterator[str]:
        nameless = self.logged - self.named
        if nameless:
            yield ngettext(
                "%(n)d of those logged has no name here: only what is told of the person is known.",
                "%(n)d of those logged have no name here: only what is told of them is known.",
                nameless,
            ) % {"n": nameless}
        if self.not_counted:
            announced = self.logged + sum(self.not_counted.values())
            others = ", ".join(f"{number} {label.lower()}" for label, number in self.not_counted.items())
            yield _(
                "%(all)d people are listed here as announced. %(out)d of them came out; not counted as released:"
                " %(others)s."
            ) % {"all": announced, "out": self.logged, "others": others}

    def _of_the_way_on(self) -> Iterator[str]:
        went = sum(line.completed for line in self.onward)
        planned = sum(line.planned for line in self.onward)
        if went:
            yield ngettext(
                "After the handover %(n)d is known to have travelled on; that is the same person, not one more.",
                "After the handover %(n)d are known to have travelled on; they are the same people, not more of them.",
                went,
            ) % {"n": went}
        if planned:
            yield ngettext(
                "%(n)d was to travel on after the handover, and nobody says that it came about.",
                "%(n)d were to travel on after the handover, and nobody says that it came about.",
                planned,
            ) % {"n": planned}
        if not went and not planned and self.logged:
            yield _("Nothing is known here of anybody's journey after the handover.")

    def _of_other_events(self) -> Iterator[str]:
        if self.in_parts:
            yield ngettext(
                "%(n)d person is logged in an event that is part of this one, and counted here once.",
                "%(n)d people are logged in events that are part of this one, and counted here once each.",
                self.in_parts,
            ) % {"n": self.in_parts}
        for other in self.related:
            if other.in_both and not other.is_part:
                yield ngettext(
                    "%(n)d person is logged here and in “%(event)s” as well. Over all events a person counts once"
                    " for coming out once.",
                    "%(n)d people are logged here and in “%(event)s” as well. Over all events a person counts once"
                    " for coming out once.",
                    other.in_both,
                ) % {"n": other.in_both, "event": other.event}


def of_event(event: ReleaseEvent, using: str, viewer: tally.Viewer = None) -> Reconciliation:
    """Five queries, however many figures and releases there are."""
    (found,) = of_events([event], using, viewer)
    return replace(found, related=tuple(tally.related_to(event, using, viewer)))


def recent(using: str, limit: int = 5) -> list[Reconciliation]:
    """Of the latest events, the latest first."""
    return of_events(ReleaseEvent.objects.using(using).all()[:limit], using)


def of_events(
    events: QuerySet[ReleaseEvent] | Sequence[ReleaseEvent], using: str, viewer: tally.Viewer = None
) -> list[Reconciliation]:
    """In the order of the events; four queries beside their own."""
    events = list(events)
    rows: defaultdict[UUID | None, list[ReportedFigure]] = defaultdict(list)
    figures = ReportedFigure.objects.using(using).filter(event__in=[event.pk for event in events])
    for row in figures.visible_to(viewer).select_related("source", "origin"):
        rows[row.event_id].append(row)
    people = tally.people_of((event.pk for event in events), using, viewer)
    outside = tally.outside_of(events, using, viewer)
    return [_of(event, rows[event.pk], people.get(event.pk, []), outside.get(event.pk, [])) for event in events]


def _of(
    event: ReleaseEvent,
    rows: Sequence[ReportedFigure],
    people: Sequence[Alike],
    outside: Sequence[tuple[OutsideRemit, Outside]],
) -> Reconciliation:
    days = _days(event)
    figures = [_of_its_event(as_figure(row), days) for row in rows]
    groups = [group for _row, group in outside]
    statements = tuple(_in_order(_statements(days, rows, figures, people, groups)))
    out = [alike for alike in people if alike.counted]
    return Reconciliation(
        event=event,
        statements=statements,
        sums=tuple(_sum(check, days) for check in check_sums(figures)),
        conflicts=tuple(disagreements(figures)),
        people=tuple(people),
        outside=tuple(row for row, _group in outside),
        destinations=tuple(_by_destination(statements, out, groups)),
        citizenships=tuple(_by_citizenship(statements, out, groups)),
        sexes=tuple(_by_sex(statements, out, groups)),
        onward=tuple(_onward(statements, out)),
    )


def _of_its_event(figure: Figure, days: Days) -> Figure:
    """Who came out in the time of the event is who came out in the event: some sources give the day, some do not."""
    if figure.period in days and figure.subject != v.FigureSubject.ARRIVED:
        return replace(figure, period=None)
    return figure


def _statements(
    days: Days,
    rows: Sequence[ReportedFigure],
    figures: Sequence[Figure],
    people: Sequence[Alike],
    outside: Sequence[Outside],
) -> list[Statement]:
    """Figures that say the same of the same thing together; a rejected one stands by itself."""
    same: defaultdict[Any, list[tuple[ReportedFigure, Figure]]] = defaultdict(list)
    for row, figure in zip(rows, figures, strict=True):
        wording_of = row.number if figure.low is figure.high is None else ""
        key = same_thing(figure), figure.low, figure.high, wording_of, figure.standing == v.Standing.REJECTED
        same[key].append((row, figure))
    statements = []
    for pairs in same.values():
        # an accepted one speaks for the others
        pairs.sort(key=lambda pair: pair[1].standing != v.Standing.ACCEPTED)
        figure = pairs[0][1]
        logged, beyond, only_announced = None, Logged(0, 0), 0
        verdict = Verdict(Agreement.NOT_COMPARED)
        if figure.measure == v.FigureMeasure.PEOPLE:
            logged = count(figure, people, days)
            if logged is not None:
                beyond = outside_in(figure, outside, days)
                only_announced = announced_only(figure, people)
                verdict = compare(figure, logged.sure + beyond.sure, logged.possible + beyond.possible)
        elif figure.measure == v.FigureMeasure.AGE_IN_YEARS:
            verdict = compare(figure, *ages(figure, people, days))
        statements.append(
            Statement(
                figure=figure,
                rows=tuple(row for row, _figure in pairs),
                origins=independent_origins(figure for _row, figure in pairs),
                logged=logged,
                outside=beyond,
                announced_only=only_announced,
                verdict=verdict,
                scope=wording.scope(figure, on=days),
            )
        )
    return statements


def _sum(check: SumCheck, days: Days) -> Sum:
    return Sum(check, tuple((str(part), wording.scope(part, on=days)) for part in check.parts))


def sums_of(wholes: Iterable[ReportedFigure], using: str, viewer: tally.Viewer = None) -> list[Sum]:
    """Whether the parts of these figures add up, for those of no event as well: one query.

    Only what claims something, as ``Reconciliation.checked_sums``.
    """
    rows = {row.pk: row for row in wholes}
    parts = ReportedFigure.objects.using(using).visible_to(viewer).filter(part_of__in=list(rows))
    parts_of = [row for row in parts.select_related("source") if row.pk not in rows]
    checks = check_sums(as_figure(row) for row in (*rows.values(), *parts_of))
    sums = [_sum(check, (None, None)) for check in checks if UUID(check.whole.id) in rows]
    return [total for total in sums if total.holds or total.broken]


def _days(event: ReleaseEvent) -> tuple[dates.ImpreciseDate | None, dates.ImpreciseDate | None]:
    return event.happened, event.announced


def _in_order(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Each whole, then what is part of it; the largest first, people before ages, rejected ones last."""
    by_figure = {str(row.pk): statement for statement in statements for row in statement.rows}
    wholes: dict[int, Statement] = {}
    for statement in statements:
        above = (by_figure.get(str(row.part_of_id)) for row in statement.rows if row.part_of_id)
        whole = next((other for other in above if other and other is not statement), None)
        if whole:
            wholes[id(statement)] = whole

    def rank(statement: Statement) -> tuple[bool, int, int]:
        measure = v.FigureMeasure.codes().index(statement.figure.measure)
        return statement.rejected, measure, -(statement.figure.low or statement.figure.high or 0)

    seen: set[int] = set()

    def below(statement: Statement, depth: int) -> Iterator[Statement]:
        # two outlets may each call the other's number the whole: everything is told once
        if id(statement) not in seen:
            seen.add(id(statement))
            yield replace(statement, depth=depth)
            for part in ranked:
                if wholes.get(id(part)) is statement:
                    yield from below(part, depth + 1)

    ranked = sorted(statements, key=rank)
    for statement in ranked:
        if id(statement) not in wholes:
            yield from below(statement, 0)
    for statement in ranked:
        yield from below(statement, 0)


# --- Line by line


def _plain(statement: Statement) -> bool:
    """Whether it is a number of people who came out, of no group in words, that stands."""
    figure = statement.figure
    return statement.logged is not None and not statement.rejected and figure.subject != v.FigureSubject.NAMED


def _is_of_the_way_on(figure: Figure, out: Iterable[Alike]) -> bool:
    """Plans to travel on, and arrivals in a country where nobody was handed over."""
    if figure.subject == v.FigureSubject.ARRIVED:
        return not any(alike.destination & figure.destinations for alike in out)
    return figure.subject == v.FigureSubject.PLANNED_ONWARD


def _by_destination(
    statements: Iterable[Statement], out: Sequence[Alike], outside: Sequence[Outside]
) -> Iterator[Line]:
    stated: defaultdict[frozenset[str], list[Statement]] = defaultdict(list)
    for statement in statements:
        figure = statement.figure
        narrower = figure.citizenships or figure.sex or _is_of_the_way_on(figure, out)
        if _plain(statement) and figure.destinations and not narrower:
            stated[figure.destinations].append(statement)
    logged = Counter[frozenset[str]]()
    for alike in out:
        logged[alike.destination] += alike.people
    unknown = logged.pop(frozenset(), 0)
    lines = []
    for codes in {*stated, *logged, *(group.alike.destination for group in outside if group.alike.destination)}:
        sure = sum(people for where, people in logged.items() if where <= codes)
        possible = sum(people for where, people in logged.items() if where & codes)
        beyond = sum(group.alike.people for group in outside if group.alike.destination == codes)
        line = Line(
            tuple(sorted(codes)),
            wording.countries(codes),
            tuple(stated[codes]),
            Logged(sure, possible + unknown),
            beyond,
        )
        lines.append(line)
    yield from sorted(lines, key=_largest_first)
    if unknown:
        yield Line((), _("not recorded"), (), Logged(unknown, unknown))


def _by_citizenship(
    statements: Iterable[Statement], out: Sequence[Alike], outside: Sequence[Outside]
) -> Iterator[Line]:
    stated: defaultdict[frozenset[str], list[Statement]] = defaultdict(list)
    for statement in statements:
        if _plain(statement) and statement.figure.citizenships:
            stated[statement.figure.citizenships].append(statement)
    unknown = sum(alike.people for alike in out if not alike.citizenships)
    known = {frozenset({code}) for alike in out for code in alike.citizenships}
    lines = []
    for codes in {*stated, *known, *(group.alike.citizenships for group in outside if group.alike.citizenships)}:
        sure = sum(alike.people for alike in out if alike.citizenships & codes)
        beyond = sum(group.alike.people for group in outside if group.alike.citizenships == codes)
        line = Line(
            tuple(sorted(codes)), wording.countries(codes), tuple(stated[codes]), Logged(sure, sure + unknown), beyond
        )
        lines.append(line)
    yield from sorted(lines, key=_largest_first)
    if unknown:
        yield Line((), _("not recorded"), (), Logged(unknown, unknown))


def _by_sex(statements: Iterable[Statement], out: Sequence[Alike], outside: Sequence[Outside]) -> Iterator[Line]:
    stated: defaultdict[str, list[Statement]] = defaultdict(list)
    for statement in statements:
        if _plain(statement) and statement.figure.sex:
            stated[statement.figure.sex].append(statement)
    logged, beyond = Counter[str](), Counter[str]()
    for alike in out:
        logged[alike.sex or v.Sex.UNKNOWN] += alike.people
    for group in outside:
        beyond[group.alike.sex] += group.alike.people
    if not stated:
        return
    unknown = logged.pop(v.Sex.UNKNOWN, 0)
    lines = [
        Line((sex,), str(sex.label), tuple(stated[sex]), Logged(logged[sex], logged[sex] + unknown), beyond[sex])
        for sex in v.Sex
        if stated[sex] or logged[sex] or beyond[sex]
    ]
    yield from sorted(lines, key=_largest_first)
    if unknown:
        yield Line((), _("not recorded"), (), Logged(unknown, unknown))


def _largest_first(line: Line) -> tuple[int, int, str]:
    largest = max((statement.figure.low or 0 for statement in line.stated), default=0)
    return -largest, -line.logged.sure, line.label


def _onward(statements: Iterable[Statement], out: Sequence[Alike]) -> Iterator[Onward]:
    """What comes after the handover."""
    stated: defaultdict[frozenset[str], list[Statement]] = defaultdict(list)
    for statement in statements:
        if _is_of_the_way_on(statement.figure, out) and not statement.rejected:
            stated[statement.figure.destinations].append(statement)
    steps = Counter[tuple[frozenset[str], str]]()
    for alike in out:
        for where in {(step.countries, step.status) for step in alike.steps if step.kind == v.LegKind.ONWARD}:
            steps[where] += alike.people
    lines = [
        Onward(
            codes=tuple(sorted(codes)),
            label=wording.countries(codes) or _("nobody says where"),
            stated=tuple(stated[codes]),
            completed=steps[codes, v.LegStatus.COMPLETED],
            planned=steps[codes, v.LegStatus.PLANNED],
            refused=steps[codes, v.LegStatus.REFUSED],
        )
        for codes in {*stated, *(codes for codes, _status in steps)}
    ]
    yield from sorted(lines, key=lambda line: (-line.completed, -line.planned, line.label))
