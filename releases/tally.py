"""How many people are logged, counted in the database: of each event, and over all events.

Read from one database alone: a copy, or the working one, of which nothing sealed is read but what a viewer was
granted. An amnesty of thousands costs as many rows as it has kinds of release.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.aggregates import JSONBAgg
from django.db import connections
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    Func,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Coalesce, JSONObject
from django.db.models.lookups import IsNull
from django.utils.translation import gettext as _

from releases.models import EventRelation, Leg, OutsideRemit, Release, ReleaseEvent
from releases.scopes import Alike, Outside, Step
from tracker import vocabularies as v
from tracker.dates import ImpreciseDate
from tracker.models import Name, User

Viewer = User | AnonymousUser | None


# --- Of each event


def people_of(events: Iterable[UUID], using: str, viewer: Viewer) -> dict[UUID, list[Alike]]:
    """Who is logged in each of these events or in one that is part of it, each person once. Two queries."""
    families = _families(list(events), using)
    releases = Release.objects.using(using).visible_to(viewer).order_by()
    alone = [whole for whole, parts in families.items() if len(parts) == 1]
    found = _grouped(releases.filter(event__in=alone).annotate(whole=F("event")))
    together = [
        _grouped(
            releases.filter(pk__in=_one_each(releases.filter(event__in=parts))).annotate(
                whole=Value(whole, output_field=UUIDField())
            )
        )
        for whole, parts in families.items()
        if len(parts) > 1
    ]
    people: defaultdict[UUID, list[Alike]] = defaultdict(list)
    for row in found.union(*together, all=True) if together else found:
        people[row["whole"]].append(_alike(row))
    return people


def _families(events: list[UUID], using: str) -> dict[UUID, list[UUID]]:
    """Each event, and the events that are part of it, directly or not."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            """WITH RECURSIVE family (whole, event) AS (
                SELECT id, id FROM unnest(%s::uuid[]) AS given (id)
                UNION SELECT family.whole, relation.event_id FROM family JOIN releases_eventrelation relation
                    ON relation.other_id = family.event AND relation.kind = %s
            ) SELECT whole, array_agg(event) FROM family GROUP BY whole""",
            [events, v.EventRelationKind.PART_OF.value],
        )
        return dict(cursor.fetchall())


def _reached() -> Any:
    """How many steps of a release were completed."""
    legs = Leg.objects.filter(release=OuterRef("pk"), status=v.LegStatus.COMPLETED).order_by()
    return Coalesce(Subquery(legs.values("release").annotate(number=Count("pk")).values("number")), 0)


def _one_each(releases: QuerySet[Any]) -> QuerySet[Any]:
    """Of each person one release: a confirmed one if there is, of several the one that says most of the way out."""
    confirmed = Case(When(outcome=v.ReleaseOutcome.CONFIRMED, then=0), default=1)
    return (
        releases.annotate(confirmed=confirmed, reached=_reached())
        .order_by("person_id", "confirmed", "-reached", "pk")
        .distinct("person_id")
        .values("pk")
    )


def _grouped(releases: QuerySet[Any]) -> QuerySet[Any, dict[str, Any]]:
    steps = (
        Leg.objects.filter(release=OuterRef("pk"))
        .order_by()
        .values("release")
        .annotate(
            all=JSONBAgg(
                JSONObject(
                    kind="kind",
                    status="status",
                    countries="countries",
                    first="happened__startswith",
                    end="happened__endswith",
                ),
                order_by="position",
            )
        )
        .values("all")
    )
    names = Name.objects.filter(person=OuterRef("person")).exclude(kind=v.NameKind.ERRONEOUS)
    return (
        releases.annotate(
            steps=Subquery(steps),
            named=Exists(names),
            citizenships=F("person__citizenships"),
            sex=F("person__sex"),
            in_part=Case(When(event=F("whole"), then=False), default=True),
        )
        .values(
            "whole",
            "in_part",
            "outcome",
            "released_on",
            "legal_bases",
            "citizenships",
            "sex",
            "steps",
            "named",
        )
        .annotate(
            people=Count("pk"),
            latest_birth=Max("person__born__startswith"),
            earliest_birth=Min("person__born__endswith"),
        )
    )


def _alike(row: dict[str, Any]) -> Alike:
    before = row["earliest_birth"]
    return Alike(
        outcome=row["outcome"],
        legal_bases=frozenset(row["legal_bases"]),
        citizenships=frozenset(row["citizenships"]),
        sex=row["sex"],
        steps=tuple(
            Step(step["kind"], step["status"], frozenset(step["countries"]), _day(step["first"], step["end"]))
            for step in row["steps"] or ()
        ),
        people=row["people"],
        named=row["named"],
        released_on=row["released_on"],
        in_part=row["in_part"],
        latest_birth=row["latest_birth"],
        earliest_birth=before - timedelta(days=1) if before else None,  # the bound of a range is not in it
    )


def _day(first: str | None, end: str | None) -> ImpreciseDate | None:
    return ImpreciseDate.from_bounds(date.fromisoformat(first), date.fromisoformat(end)) if first and end else None


def outside_of(
    events: Iterable[ReleaseEvent], using: str, viewer: Viewer
) -> dict[UUID, list[tuple[OutsideRemit, Outside]]]:
    """The people of each event who are not this database's to record. One query."""
    by_id = {event.pk: event for event in events}
    found: defaultdict[UUID, list[tuple[OutsideRemit, Outside]]] = defaultdict(list)
    for row in OutsideRemit.objects.using(using).visible_to(viewer).filter(event__in=list(by_id)):
        handed_over = Step(v.LegKind.HANDOVER, v.LegStatus.COMPLETED, frozenset(row.destinations))
        alike = Alike(
            outcome=v.ReleaseOutcome.CONFIRMED,
            legal_bases=frozenset(by_id[row.event_id].legal_bases),
            citizenships=frozenset(row.citizenships),
            sex=row.sex,
            steps=(handed_over,) if row.destinations else (),
            people=row.high,
        )
        found[row.event_id].append((row, Outside(alike, row.low)))
    return found


@dataclass(frozen=True)
class Related:
    """An event that hangs together with another one, and how many people came out in both."""

    event: ReleaseEvent
    kind: str  # what it is to the other one, or the other to it
    is_part: bool
    in_both: int


def related_to(event: ReleaseEvent, using: str, viewer: Viewer) -> list[Related]:
    """One query."""
    released = Release.objects.using(using).visible_to(viewer).counted().order_by()
    both = (
        released.filter(event=OuterRef("far"), person__in=released.filter(event=event).values("person"))
        .values("event")
        .annotate(number=Count("person", distinct=True))
        .values("number")
    )
    rows = (
        EventRelation.objects.using(using)
        .visible_to(viewer)
        .filter(Q(event=event) | Q(other=event))
        .annotate(far=Case(When(event=event, then="other_id"), default="event_id"))
        .annotate(in_both=Coalesce(Subquery(both), 0))
        .select_related("event", "other")
    )
    return [
        Related(
            event=row.event if row.other_id == event.pk else row.other,
            kind=row.kind,
            is_part=row.kind == v.EventRelationKind.PART_OF and row.other_id == event.pk,
            in_both=row.in_both,
        )
        for row in rows
    ]


# --- Over all events


@dataclass(frozen=True)
class Destination:
    codes: tuple[str, ...]
    label: str
    handed_over: int
    last_known: int


def journeys(using: str) -> QuerySet[Any]:
    """Confirmed releases, one for each time that somebody came out.

    A person who is logged in two events that hang together came out once, unless from two detentions: the events
    overlap, or the later one is the journey onward. Of such releases the one that says most of the way out stays.
    """
    together = EventRelation.objects.using(using).filter(
        Q(event=OuterRef("event"), other=OuterRef(OuterRef("event")))
        | Q(other=OuterRef("event"), event=OuterRef(OuterRef("event")))
    )
    confirmed = Release.objects.using(using).counted().order_by().annotate(reached=_reached())
    others = confirmed.exclude(pk=OuterRef("pk")).filter(
        Q(reached__gt=OuterRef("reached")) | Q(reached=OuterRef("reached"), pk__lt=OuterRef("pk")),
        Q(detention=None) | Q(IsNull(OuterRef("detention"), True)),
        Exists(together),
        person=OuterRef("person"),
    )
    return confirmed.filter(~Exists(others))


def by_destination(using: str) -> list[Destination]:
    """Where people were handed over to, and where those are now who came out last: as far as sources know. Two queries.

    Those of whom nobody says where they went are in none of the rows.
    """
    came_out = journeys(using)
    last_time = came_out.order_by("person_id", F("released_on__endswith").desc(nulls_last=True), "pk").distinct(
        "person_id"
    )
    completed = Leg.objects.using(using).filter(status=v.LegStatus.COMPLETED)
    later = completed.filter(release=OuterRef("release"), position__gt=OuterRef("position"))
    handed_over = _people_by_countries(completed.filter(kind=v.LegKind.HANDOVER, release__in=came_out.values("pk")))
    last_known = _people_by_countries(completed.filter(~Exists(later), release__in=last_time.values("pk")))
    either = _(" or ")
    destinations = [
        Destination(codes, either.join(sorted(map(v.country_name, codes))), handed_over[codes], last_known[codes])
        for codes in {*handed_over, *last_known}
        if codes
    ]
    return sorted(destinations, key=lambda where: (-where.handed_over, -where.last_known, where.label))


def _people_by_countries(legs: QuerySet[Leg]) -> Counter[tuple[str, ...]]:
    rows = legs.order_by().values_list("countries").annotate(people=Count("release__person", distinct=True))
    return Counter({tuple(countries): people for countries, people in rows})


Countries = tuple[str, ...]


@dataclass
class Month:
    """Times that people came out in a month: surely in it, and only possibly; and all of them by destination."""

    first: date
    certain: int = 0
    possible: int = 0
    to: Counter[Countries] = field(default_factory=Counter)


@dataclass(frozen=True)
class CameOut:
    """Times that people came out, as far as it can have been by a day, by the month and by where they were handed over.

    A destination is a country; several of which it was one are a destination of their own, and none is that nobody was
    handed over or nobody says where. Who was handed over twice stands below both.
    """

    months: list[Month]
    to: Counter[Countries]
    total: int
    undated: int


def came_out(using: str, until: date) -> CameOut:
    """The months come in their order, those without anybody among them. One query."""
    journey, params = journeys(using).values("pk", "released_on").query.sql_with_params()
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"""WITH journey (id, released) AS ({journey}),
            timed AS (
                SELECT journey.id, released IS NOT NULL AS dated, month::date AS month,
                    lower(released) >= month
                        AND upper(released) <= LEAST((month + interval '1 month')::date, %s + 1) AS certain
                FROM journey LEFT JOIN LATERAL generate_series(
                    date_trunc('month', lower(released)), LEAST(upper(released) - 1, %s), '1 month'
                ) AS month ON true
                WHERE released IS NULL OR lower(released) <= %s
            ),
            led AS (SELECT DISTINCT release_id, countries FROM releases_leg WHERE kind = %s AND status = %s),
            way AS (
                SELECT timed.*, COALESCE(led.countries, '{{}}') AS countries
                FROM timed LEFT JOIN led ON led.release_id = timed.id
            )
            SELECT GROUPING(month, countries), dated, month, certain, countries, count(DISTINCT id) FROM way
            GROUP BY GROUPING SETS ((dated, month, certain), (dated, month, countries), (dated, countries), (dated))
            ORDER BY month""",
            [*params, until, until, until, v.LegKind.HANDOVER.value, v.LegStatus.COMPLETED.value],
        )
        rows = cursor.fetchall()
    found: dict[date, Month] = {}
    to: Counter[Countries] = Counter()
    totals = {True: 0, False: 0}
    for left_out, dated, first, certain, countries, number in rows:
        if left_out == _ALL_OF_THEM:
            totals[dated] = number
        elif not dated:
            continue
        elif left_out == _OF_ANY_MONTH:
            to[tuple(sorted(countries))] += number
        else:
            month = found.setdefault(first, Month(first))
            if left_out == _IN_A_MONTH and certain:
                month.certain = number
            elif left_out == _IN_A_MONTH:
                month.possible = number
            else:
                month.to[tuple(sorted(countries))] += number
    return CameOut(_without_gaps(found), to, totals[True], totals[False])


# What PostgreSQL's GROUPING(month, countries) says of a row that is not of one month, of one destination
_IN_A_MONTH, _OF_ANY_MONTH, _ALL_OF_THEM = 1, 2, 3


def _without_gaps(found: dict[date, Month]) -> list[Month]:
    months = []
    day = min(found, default=None)
    while day is not None and day <= max(found):
        months.append(found.get(day) or Month(day))
        day = (day + timedelta(days=31)).replace(day=1)
    return months


def by_basis(using: str, until: date) -> dict[str, int]:
    """How many times people came out by the day on each legal basis, "" for none recorded; the commonest first.

    One time out can have several. One query.
    """
    came = journeys(using).filter(released_on__startswith__lte=until)
    basis = Func(
        Case(
            When(legal_bases=[], then=Value([""], output_field=Release._meta.get_field("legal_bases"))),
            default="legal_bases",
        ),
        function="unnest",
        output_field=CharField(),
    )
    rows = came.annotate(basis=basis).values_list("basis").annotate(times=Count("pk"))
    return dict(rows.order_by("-times", "basis"))
