"""What is reported about an event beside what is logged: one event in full, or several in a line each.

Read from one database alone: a copy, or the working one, of which nothing sealed is read but what a viewer was
granted. The rules of comparing are in ``releases.counting``; here its ranges are made from rows, and the logged
releases are counted for each of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.aggregates import JSONBAgg
from django.db.models import Count, Exists, F, Max, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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
    same_thing,
)
from releases.models import Leg, Release, ReleaseEvent, ReportedFigure
from tracker import dates
from tracker import vocabularies as v
from tracker.models import Name, Source, User

# --- What is logged


@dataclass(frozen=True)
class Step:
    """A step of the way out as far as a figure can ask for it."""

    kind: str
    status: str
    countries: frozenset[str]


@dataclass(frozen=True)
class Alike:
    """Releases of one event that are alike in all that a figure can ask for, and how many they are."""

    outcome: str
    legal_bases: frozenset[str]
    citizenships: frozenset[str]
    sex: str
    steps: tuple[Step, ...]
    named: bool
    people: int
    latest_birth: date | None  # of each person the earliest day of birth, and of these the latest
    earliest_birth: date | None  # of each person the latest day of birth, and of these the earliest

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
class Logged:
    """How many people are surely in a scope, and how many can be."""

    sure: int
    possible: int

    def __str__(self) -> str:
        return str(self.sure) if self.sure == self.possible else f"{self.sure}\u2013{self.possible}"

    @property
    def only_possible(self) -> int:
        return self.possible - self.sure


def _releases_alike(events: Iterable[UUID], using: str, viewer: User | AnonymousUser | None) -> dict[UUID, list[Alike]]:
    """One query, grouped in the database: an amnesty of thousands costs as many rows as it has kinds of release."""
    steps = (
        Leg.objects.using(using)
        .filter(release=OuterRef("pk"))
        .order_by()
        .values("release")
        .annotate(all=JSONBAgg(JSONObject(kind="kind", status="status", countries="countries"), order_by="position"))
        .values("all")
    )
    names = Name.objects.using(using).filter(person=OuterRef("person")).exclude(kind=v.NameKind.ERRONEOUS)
    rows = (
        Release.objects.using(using)
        .filter(event__in=list(events))
        .visible_to(viewer)
        .order_by()
        .annotate(
            steps=Subquery(steps),
            named=Exists(names),
            citizenships=F("person__citizenships"),
            sex=F("person__sex"),
        )
        .values("event", "outcome", "legal_bases", "citizenships", "sex", "steps", "named")
        .annotate(
            people=Count("pk"),
            latest_birth=Max("person__born__startswith"),
            earliest_birth=Min("person__born__endswith"),
        )
    )
    found: defaultdict[UUID, list[Alike]] = defaultdict(list)
    for row in rows:
        before = row["earliest_birth"]
        found[row["event"]].append(
            Alike(
                outcome=row["outcome"],
                legal_bases=frozenset(row["legal_bases"]),
                citizenships=frozenset(row["citizenships"]),
                sex=row["sex"],
                steps=tuple(
                    Step(step["kind"], step["status"], frozenset(step["countries"])) for step in row["steps"] or ()
                ),
                named=row["named"],
                people=row["people"],
                latest_birth=row["latest_birth"],
                earliest_birth=before - timedelta(days=1) if before else None,  # the bound of a range is not in it
            )
        )
    return found


# --- Whether a release is in the scope of a figure: yes, no, or nobody says (None)


def _reached(steps: Sequence[Step], countries: frozenset[str], kinds: frozenset[str]) -> bool | None:
    """Whether a completed step led to one of the countries (to any, where there are none)."""
    known = [step for step in steps if step.kind in kinds and step.status == v.LegStatus.COMPLETED]
    if not known:
        refused = any(step.kind in kinds and step.status == v.LegStatus.REFUSED for step in steps)
        return False if refused else None
    if not countries or any(step.countries and step.countries <= countries for step in known):
        return True
    return None if any(not step.countries or step.countries & countries for step in known) else False


def _has_basis(bases: frozenset[str], basis: str) -> bool | None:
    if basis in bases:
        return True
    return None if bases <= {v.LegalBasis.UNKNOWN} else False


_ANY_STEP = frozenset(v.LegKind.codes())
_BASIS = {
    v.FigureSubject.PARDONED: v.LegalBasis.PARDON,
    v.FigureSubject.EXCHANGED: v.LegalBasis.EXCHANGE,
    v.FigureSubject.SERVED_IN_FULL: v.LegalBasis.EXPIRY_OF_TERM,
}
#: Subjects that the releases of an event can be counted for. A plan, a death, those left behind are no release.
_OF_RELEASES = frozenset(
    {v.FigureSubject.RELEASED, v.FigureSubject.HANDED_OVER, v.FigureSubject.ARRIVED, v.FigureSubject.NAMED, *_BASIS}
)


def in_scope(alike: Alike, figure: Figure) -> bool | None:
    answers: list[bool | None] = []
    if figure.subject == v.FigureSubject.HANDED_OVER:
        answers.append(_reached(alike.steps, figure.destinations, frozenset({v.LegKind.HANDOVER})))
    elif figure.subject == v.FigureSubject.ARRIVED or figure.destinations:
        answers.append(_reached(alike.steps, figure.destinations, _ANY_STEP))
    if basis := _BASIS.get(v.FigureSubject(figure.subject)):
        answers.append(_has_basis(alike.legal_bases, basis))
    if figure.subject == v.FigureSubject.NAMED:
        answers.append(alike.named)
    if figure.citizenships:
        answers.append(bool(alike.citizenships & figure.citizenships) if alike.citizenships else None)
    if figure.sex:
        answers.append(None if alike.sex in {"", v.Sex.UNKNOWN} else alike.sex == figure.sex)
    if False in answers:
        return False
    return None if None in answers else True


def count(figure: Figure, releases: Iterable[Alike]) -> Logged | None:
    """How many of those who came out are in the figure's scope; None where the scope is words, or no release's."""
    if figure.subject not in _OF_RELEASES or figure.group or figure.counted_as:
        return None
    sure = possible = 0
    for alike in releases:
        if alike.counted and (inside := in_scope(alike, figure)) is not False:
            possible += alike.people
            sure += alike.people if inside else 0
    return Logged(sure, possible)


def _ages(figure: Figure, releases: Iterable[Alike], on: dates.ImpreciseDate | None) -> tuple[int | None, int | None]:
    """The two ages that ``counting.compare`` asks for, of those surely in the scope whose birth is known."""
    if on is None or figure.subject not in _OF_RELEASES or figure.group or figure.counted_as:
        return None, None
    inside = [alike for alike in releases if alike.counted and in_scope(alike, figure)]
    young = max((alike.latest_birth for alike in inside if alike.latest_birth), default=None)
    old = min((alike.earliest_birth for alike in inside if alike.earliest_birth), default=None)
    if young is None or old is None:
        return None, None
    lowest = dates.age_range(dates.ImpreciseDate.from_day(young), on.latest)
    highest = dates.age_range(dates.ImpreciseDate.from_day(old), on.earliest)
    return (lowest[1] if lowest else None), (highest[0] if highest else None)


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
        origin=str(row.independent_origin),
        source=str(row.source_id),
        standing=row.standing,
    )


def scope_in_words(figure: Figure, *, on: Sequence[dates.ImpreciseDate | None] = ()) -> str:
    """To Ukraine, citizens of Ukraine, women, as of 22 November 2025: what narrows the figure, empty for nothing.

    ``on`` are the days that the reader knows it is about: those of its event.
    """
    either = _(" or ")
    said = [figure.group]
    if figure.citizenships:
        said.append(_("citizens of %(countries)s") % {"countries": either.join(_countries(figure.citizenships))})
    if figure.sex:
        said.append(str(v.Sex(figure.sex).label).lower())
    if figure.destinations:
        said.append(_("to %(countries)s") % {"countries": either.join(_countries(figure.destinations))})
    if figure.counted_as:
        said.append(_("counted as %(definition)s") % {"definition": figure.counted_as})
    if figure.as_of and figure.as_of not in on:
        said.append(_("as of %(date)s") % {"date": figure.as_of.display})
    if figure.period and figure.period not in on:
        said.append(_("in the time of %(date)s") % {"date": figure.period.display})
    return ", ".join(filter(None, said))


def _countries(codes: Iterable[str]) -> list[str]:
    return sorted(v.country_name(code) for code in codes)


@dataclass(frozen=True)
class Statement:
    """One range about one thing, with everybody who gives it, and what is logged of the same."""

    figure: Figure  # the first of those who give it: all agree in what is counted and in the numbers
    rows: tuple[ReportedFigure, ...]
    origins: int
    logged: Logged | None
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
        """What the number counts: handed over; years of age, handed over."""
        subject = str(v.FigureSubject(self.figure.subject).label).lower()
        words = {
            v.FigureMeasure.AGE_IN_YEARS: _("years of age, %(subject)s"),
            v.FigureMeasure.SENTENCE_IN_YEARS: _("years of sentence, %(subject)s"),
        }
        return words.get(v.FigureMeasure(self.figure.measure), "%(subject)s") % {"subject": subject}

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


@dataclass(frozen=True)
class Line:
    """One destination or citizenship: what is stated for it, and what is logged."""

    codes: tuple[str, ...]  # several: one of them; none: nobody says
    label: str
    stated: tuple[Statement, ...]
    logged: Logged

    @property
    def gap(self) -> int | None:
        """The largest number of people that a statement has and the records lack; None where nothing is compared."""
        compared = [one.gap for one in self.stated if one.verdict.kind is not Agreement.NOT_COMPARED]
        return max(compared, default=None)


@dataclass(frozen=True)
class Reconciliation:
    event: ReleaseEvent
    statements: tuple[Statement, ...]  # wholes before what is "of whom", rejected ones last
    sums: tuple[Sum, ...]
    conflicts: tuple[tuple[Reading, ...], ...]
    logged: int  # people who came out
    named: int  # of whom a name is known here
    not_counted: dict[str, int] = field(default_factory=dict)  # label of the outcome: announced, refused, refuted
    destinations: tuple[Line, ...] = ()
    citizenships: tuple[Line, ...] = ()

    @property
    def whole(self) -> Statement | None:
        """The statement that speaks of the whole event: accepted, part of no other, the widest, the best supported."""
        wholes = [
            statement
            for statement in self.statements
            if statement.depth == 0
            and statement.figure.comparable
            and statement.figure.measure == v.FigureMeasure.PEOPLE
            and statement.figure.subject in _OF_RELEASES - {v.FigureSubject.NAMED}
        ]

        def weakness(statement: Statement) -> tuple[bool, bool, int, int, int]:
            figure = statement.figure
            in_words = bool(figure.group or figure.counted_as)
            narrowed = sum(map(bool, (figure.destinations, figure.citizenships, figure.sex)))
            return figure.standing != v.Standing.ACCEPTED, in_words, narrowed, -statement.origins, -(figure.low or 0)

        return min(wholes, key=weakness, default=None)

    @property
    def gap(self) -> int:
        return self.whole.gap if self.whole else 0

    @property
    def checked_sums(self) -> list[Sum]:
        """Those that claim something: that parts said to be all of it add up, or that a part is too large."""
        return [total for total in self.sums if total.holds or total.broken]

    @property
    def disagreements(self) -> list[list[dict[str, Any]]]:
        """Each as its readings: number, origins, sources."""
        rows = {str(row.pk): row for statement in self.statements for row in statement.rows}
        return [
            [
                {
                    "number": str(reading.figures[0]),
                    "scope": scope_in_words(reading.figures[0], on=_days(self.event)),
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
        if self.gap:
            parts.append(_("%(number)d not yet") % {"number": self.gap})
        elif self.whole and self.whole.verdict.kind is Agreement.OVER_BY:
            parts.append(_("%(number)d more than reported") % {"number": self.whole.verdict.n})
        line = [", ".join(parts), *(total.formula for total in self.checked_sums)]
        if self.conflicts:
            number = len(self.conflicts)
            line.append(ngettext("%(number)d disagreement", "%(number)d disagreements", number) % {"number": number})
        return "; ".join(line)


def of_event(event: ReleaseEvent, using: str, viewer: User | AnonymousUser | None = None) -> Reconciliation:
    """Two queries, however many figures and releases there are."""
    return _reconcile([event], using, viewer)[0]


def recent(using: str, limit: int = 5) -> list[Reconciliation]:
    """Of the latest events, the latest first, in three queries."""
    return of_events(ReleaseEvent.objects.using(using).all()[:limit], using)


def of_events(
    events: QuerySet[ReleaseEvent] | Sequence[ReleaseEvent], using: str, viewer: User | AnonymousUser | None = None
) -> list[Reconciliation]:
    """In the order of the events; two queries beside their own."""
    return _reconcile(list(events), using, viewer)


def _reconcile(events: Sequence[ReleaseEvent], using: str, viewer: User | AnonymousUser | None) -> list[Reconciliation]:
    rows: defaultdict[UUID | None, list[ReportedFigure]] = defaultdict(list)
    figures = ReportedFigure.objects.using(using).filter(event__in=[event.pk for event in events])
    for row in figures.visible_to(viewer).select_related("source", "origin"):
        rows[row.event_id].append(row)
    releases = _releases_alike((event.pk for event in events), using, viewer)
    return [_of(event, rows[event.pk], releases.get(event.pk, [])) for event in events]


def _of(event: ReleaseEvent, rows: Sequence[ReportedFigure], releases: Sequence[Alike]) -> Reconciliation:
    figures = [as_figure(row) for row in rows]
    statements = tuple(_in_order(_statements(event, rows, figures, releases)))
    out = [alike for alike in releases if alike.counted]
    not_counted = Counter[str]()
    for alike in releases:
        if not alike.counted:
            not_counted[str(v.ReleaseOutcome(alike.outcome).label)] += alike.people
    return Reconciliation(
        event=event,
        statements=statements,
        sums=tuple(_sum(check, event) for check in check_sums(figures)),
        conflicts=tuple(disagreements(figures)),
        logged=sum(alike.people for alike in out),
        named=sum(alike.people for alike in out if alike.named),
        not_counted=dict(not_counted),
        destinations=tuple(_by_destination(statements, out)),
        citizenships=tuple(_by_citizenship(statements, out)),
    )


def _statements(
    event: ReleaseEvent, rows: Sequence[ReportedFigure], figures: Sequence[Figure], releases: Sequence[Alike]
) -> list[Statement]:
    """Figures that say the same of the same thing together; a rejected one stands by itself."""
    same: defaultdict[Any, list[tuple[ReportedFigure, Figure]]] = defaultdict(list)
    for row, figure in zip(rows, figures, strict=True):
        wording = row.number if figure.low is figure.high is None else ""
        key = same_thing(figure), figure.low, figure.high, wording, figure.standing == v.Standing.REJECTED
        same[key].append((row, figure))
    statements = []
    for pairs in same.values():
        # an accepted one speaks for the others
        pairs.sort(key=lambda pair: pair[1].standing != v.Standing.ACCEPTED)
        figure = pairs[0][1]
        logged = None
        verdict = Verdict(Agreement.NOT_COMPARED)
        if figure.measure == v.FigureMeasure.PEOPLE:
            logged = count(figure, releases)
            if logged:
                verdict = compare(figure, logged.sure, logged.possible)
        elif figure.measure == v.FigureMeasure.AGE_IN_YEARS:
            verdict = compare(figure, *_ages(figure, releases, figure.as_of or event.happened or event.announced))
        statements.append(
            Statement(
                figure=figure,
                rows=tuple(row for row, _figure in pairs),
                origins=independent_origins(figure for _row, figure in pairs),
                logged=logged,
                verdict=verdict,
                scope=scope_in_words(figure, on=_days(event)),
            )
        )
    return statements


def _sum(check: SumCheck, event: ReleaseEvent) -> Sum:
    return Sum(check, tuple((str(part), scope_in_words(part, on=_days(event))) for part in check.parts))


def _days(event: ReleaseEvent) -> tuple[dates.ImpreciseDate | None, ...]:
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


def _plain(statement: Statement) -> bool:
    """Whether it is a number of people who came out, of no group in words, that stands."""
    figure = statement.figure
    return statement.logged is not None and not statement.rejected and figure.subject != v.FigureSubject.NAMED


def _by_destination(statements: Iterable[Statement], out: Sequence[Alike]) -> Iterator[Line]:
    stated: defaultdict[frozenset[str], list[Statement]] = defaultdict(list)
    for statement in statements:
        figure = statement.figure
        if _plain(statement) and figure.destinations and not figure.citizenships and not figure.sex:
            stated[figure.destinations].append(statement)
    logged = Counter[frozenset[str]]()
    for alike in out:
        logged[alike.destination] += alike.people
    unknown = logged.pop(frozenset(), 0)
    lines = []
    for codes in {*stated, *logged}:
        sure = sum(people for where, people in logged.items() if where <= codes)
        possible = sum(people for where, people in logged.items() if where & codes)
        label = _(" or ").join(_countries(codes))
        lines.append(Line(tuple(sorted(codes)), label, tuple(stated[codes]), Logged(sure, possible + unknown)))
    yield from sorted(lines, key=_largest_first)
    if unknown:
        yield Line((), _("not recorded"), (), Logged(unknown, unknown))


def _by_citizenship(statements: Iterable[Statement], out: Sequence[Alike]) -> Iterator[Line]:
    stated: defaultdict[frozenset[str], list[Statement]] = defaultdict(list)
    for statement in statements:
        if _plain(statement) and statement.figure.citizenships:
            stated[statement.figure.citizenships].append(statement)
    unknown = sum(alike.people for alike in out if not alike.citizenships)
    known = {frozenset({code}) for alike in out for code in alike.citizenships}
    lines = []
    for codes in {*stated, *known}:
        sure = sum(alike.people for alike in out if alike.citizenships & codes)
        label = _(" or ").join(_countries(codes))
        lines.append(Line(tuple(sorted(codes)), label, tuple(stated[codes]), Logged(sure, sure + unknown)))
    yield from sorted(lines, key=_largest_first)
    if unknown:
        yield Line((), _("not recorded"), (), Logged(unknown, unknown))


def _largest_first(line: Line) -> tuple[int, int, str]:
    largest = max((statement.figure.low or 0 for statement in line.stated), default=0)
    return -largest, -line.logged.sure, line.label


# --- Where they went, over all events


@dataclass(frozen=True)
class Destination:
    codes: tuple[str, ...]
    label: str
    handed_over: int
    last_known: int


def by_destination(using: str) -> list[Destination]:
    """People whose confirmed release led there: handed over to, and last known to have arrived in. Two queries.

    Those of whom nobody says where they went are in none of the rows.
    """
    completed = Leg.objects.using(using).filter(
        status=v.LegStatus.COMPLETED, release__outcome=v.ReleaseOutcome.CONFIRMED
    )
    later = Leg.objects.using(using).filter(
        release=OuterRef("release"), status=v.LegStatus.COMPLETED, position__gt=OuterRef("position")
    )
    handed_over = _people_by_countries(completed.filter(kind=v.LegKind.HANDOVER))
    last_known = _people_by_countries(completed.filter(~Exists(later)))
    either = _(" or ")
    destinations = [
        Destination(codes, either.join(_countries(codes)), handed_over[codes], last_known[codes])
        for codes in {*handed_over, *last_known}
        if codes
    ]
    return sorted(destinations, key=lambda where: (-where.handed_over, -where.last_known, where.label))


def _people_by_countries(legs: QuerySet[Leg]) -> Counter[tuple[str, ...]]:
    rows = legs.order_by().values_list("countries").annotate(people=Count("release__person", distinct=True))
    return Counter({tuple(countries): people for countries, people in rows})
