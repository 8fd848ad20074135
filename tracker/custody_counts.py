"""How many persons are in custody on days, certain and possible, closed, open or at home: for any days at once.

The same as ``Person.objects.counted().in_custody(day)`` says of one day, for very many days in one statement, and with
no more work for a hundred days than for two. Of each person the days in custody are made as ranges (``SPANS``); each
range then counts twice, on the first of the days asked for that it reaches and on the first that it reaches no more,
and the numbers are the running sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db import connections

from tracker import vocabularies as v
from tracker.models import Facility
from tracker.models.detentions import SurelyHeld
from tracker.vocabularies import Custody


def _codes(custody: Custody) -> str:
    return ", ".join(f"'{kind.value}'" for kind in v.CustodyType if kind.custody is custody)


_SURELY = SurelyHeld.template % {name: f"detention.{name}" for name in ("started", "ended", "confirmed")}

#: Detentions of those whom ``counted()`` counts, as ``held`` (id, person_id, possibly, surely): the days of each.
_HELD: Final = f"""
    term AS (
        -- as DetentionQuerySet.run_out: from the last expected end on, unless a source has confirmed it since
        SELECT link.detention_id, max(upper(sentence.expected_end)) AS over, max(lower(sentence.expected_end)) AS last
        FROM tracker_detention AS detention
        JOIN tracker_prosecutiondetention AS link ON link.detention_id = detention.id
        JOIN tracker_verdict AS verdict ON verdict.prosecution_id = link.prosecution_id
        JOIN tracker_sentence AS sentence ON sentence.verdict_id = verdict.id
        WHERE detention.ended IS NULL
        GROUP BY link.detention_id
        HAVING NOT bool_or(sentence.kind IN ('life', 'death'))
    ),
    held AS (
        SELECT detention.id, detention.person_id,
            daterange(lower(detention.started), upper(detention.ended)) * daterange(NULL, upper(person.died))
                AS possibly,
            {_SURELY} * daterange(NULL, lower(person.died), '[]') * daterange(
                NULL, CASE WHEN detention.confirmed IS NULL OR detention.confirmed < term.last THEN term.over END
            ) AS surely
        FROM tracker_detention AS detention
        JOIN tracker_person AS person ON person.id = detention.person_id AND person.merged_into_id IS NULL
        LEFT JOIN term ON term.detention_id = detention.id
    )
"""

#: A relation (person_id, custody, certain, days): disjoint ranges of days on which a person is in custody, by its kind
#: and by whether that is certain. As ``Person.objects.with_custody_kind``: on a day that is possible only, the mildest
#: kind that is possible counts; where nobody says where, it is closed. Only persons whom ``counted()`` counts.
SPANS: Final = f"""
    {_HELD},
    placed AS (
        -- as DetentionQuerySet.custody: the last placement that can have begun and need not be over
        SELECT placement.detention_id, placement.custody_type,
            datemultirange(daterange(lower(placement.started), upper(placement.ended))) - COALESCE(
                range_agg(daterange(lower(placement.started), upper(placement.ended))) OVER (
                    PARTITION BY placement.detention_id ORDER BY placement.started DESC NULLS LAST, placement.id DESC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ), '{{}}'
            ) AS days
        FROM tracker_placement AS placement
        WHERE placement.detention_id IN (
            SELECT mild.detention_id FROM tracker_placement AS mild
            WHERE mild.custody_type IN ({_codes(Custody.OPEN)}, {_codes(Custody.HOME)})
        )
    ),
    mild AS (
        SELECT detention_id,
            COALESCE(range_agg(days) FILTER (WHERE custody_type IN ({_codes(Custody.OPEN)})), '{{}}') AS open,
            COALESCE(range_agg(days) FILTER (WHERE custody_type IN ({_codes(Custody.HOME)})), '{{}}') AS home
        FROM placed GROUP BY detention_id
    ),
    several AS (SELECT person_id FROM tracker_detention GROUP BY person_id HAVING count(*) > 1),
    told AS (
        -- most people have one detention, closed: for them there is nothing to be joined or taken apart
        SELECT held.person_id, held.possibly, held.surely, mild.open, mild.home,
            several.person_id IS NULL AND mild.detention_id IS NULL AS plain
        FROM held
        LEFT JOIN mild ON mild.detention_id = held.id
        LEFT JOIN several ON several.person_id = held.person_id
    ),
    one AS (
        SELECT told.person_id,
            range_agg(told.possibly) AS possibly,
            range_agg(told.surely) AS surely,
            COALESCE(range_agg(datemultirange(told.possibly) * told.open), '{{}}') AS possibly_open,
            COALESCE(range_agg(datemultirange(told.possibly) * told.home), '{{}}') AS possibly_home,
            COALESCE(range_agg(datemultirange(told.surely) * told.open), '{{}}') AS surely_open,
            COALESCE(range_agg(datemultirange(told.surely) * told.home), '{{}}') AS surely_home
        FROM told WHERE NOT told.plain
        GROUP BY told.person_id
    ),
    span AS (
        SELECT told.person_id, 'closed' AS custody, part.certain, part.days
        FROM told CROSS JOIN LATERAL (
            VALUES (true, surely),
                (false, CASE WHEN isempty(surely) THEN possibly ELSE daterange(lower(possibly), lower(surely)) END),
                (false, CASE WHEN isempty(surely) OR upper_inf(surely) THEN 'empty'
                    ELSE daterange(upper(surely), upper(possibly)) END)
        ) AS part (certain, days)
        WHERE told.plain AND NOT isempty(part.days)
        UNION ALL
        SELECT one.person_id, kind.custody, kind.certain, unnest(kind.all_days)
        FROM one CROSS JOIN LATERAL (
            VALUES ('closed', true, surely - surely_open - surely_home), ('open', true, surely_open),
                ('home', true, surely_home), ('closed', false, possibly - possibly_open - possibly_home - surely),
                ('open', false, possibly_open - possibly_home - surely), ('home', false, possibly_home - surely)
        ) AS kind (custody, certain, all_days)
        WHERE NOT isempty(kind.all_days)
    )
"""


#: Of ``day``, a relation (number, day) of the days asked for in their order: how many are held on each.
_COUNTS: Final = f"""
    asked AS (SELECT array_agg(day ORDER BY day) AS days FROM day),
    {SPANS},
    alike AS (
        -- the numbers of the first day that each range reaches, and of the first that it reaches no more; a range
        -- without a beginning has held the first day, one without an end the last
        SELECT span.custody, span.certain, COALESCE(width_bucket(lower(span.days) - 1, asked.days), 0) AS number,
            width_bucket(upper(span.days) - 1, asked.days) AS until, count(*) AS persons
        FROM span CROSS JOIN asked
        GROUP BY 1, 2, 3, 4
    ),
    change AS (
        SELECT alike.custody, alike.certain, edge.number, sum(edge.step) AS step
        FROM alike CROSS JOIN LATERAL (
            VALUES (alike.number, alike.persons), (alike.until, -alike.persons)
        ) AS edge (number, step)
        GROUP BY 1, 2, 3
    )
    SELECT day.day, kind.custody, kind.certain, COALESCE(
        sum(change.step) OVER (PARTITION BY kind.custody, kind.certain ORDER BY day.day), 0
    )::bigint
    FROM (SELECT day, row_number() OVER (ORDER BY day) - 1 AS number FROM day) AS day
    CROSS JOIN (
        SELECT custody, certain FROM unnest(%(kinds)s::text[]) AS custody, (VALUES (true), (false)) AS sure (certain)
    ) AS kind
    LEFT JOIN change USING (number, custody, certain)
    ORDER BY day.day
"""
_GIVEN: Final = "day AS (SELECT DISTINCT unnest(%(days)s::date[]) AS day)"
#: The last day of every month, from the first in which somebody is known to be held; the last one is the day asked for.
_MONTHS: Final = """
    first AS (
        SELECT GREATEST(
            COALESCE(min(LEAST(lower(started), confirmed, lower(ended))), %(until)s),
            %(until)s::date - make_interval(months => %(most)s)
        )::date AS day
        FROM tracker_detention
    ),
    day AS (
        SELECT DISTINCT LEAST((month + interval '1 month - 1 day')::date, %(until)s::date) AS day
        FROM first, generate_series(
            date_trunc('month', LEAST(first.day, %(until)s::date)), %(until)s::date, '1 month'
        ) AS month
    )
"""


@dataclass(frozen=True)
class Held:
    """How many are in custody on a day, by the kind of custody: surely, and only possibly."""

    day: date
    certain: dict[Custody, int] = field(default_factory=dict)
    possible: dict[Custody, int] = field(default_factory=dict)

    @property
    def surely(self) -> int:
        return sum(self.certain.values())

    @property
    def possibly(self) -> int:
        """Besides those who surely are."""
        return sum(self.possible.values())


def on_days(using: str, days: Sequence[date]) -> list[Held]:
    """Each of the days once, in their order. One statement."""
    return _counts(using, _GIVEN, {"days": list(days)})


def by_month(using: str, until: date, *, most: int = 120) -> list[Held]:
    """The last day of every month, and at the end ``until``: at most so many months, from the first of any detention.

    Never empty. One statement.
    """
    return _counts(using, _MONTHS, {"until": until, "most": most})


def _counts(using: str, days: str, params: dict[str, Any]) -> list[Held]:
    found: dict[date, Held] = {}
    with connections[using].cursor() as cursor:
        cursor.execute(f"WITH {days}, {_COUNTS}", {**params, "kinds": list(Custody.codes())})
        for day, custody, certain, number in cursor.fetchall():
            held = found.setdefault(day, Held(day))
            (held.certain if certain else held.possible)[Custody(custody)] = number
    return list(found.values())


@dataclass(frozen=True)
class Place:
    """A facility, and how many were held there on a day: surely, and only possibly."""

    facility: Facility
    certain: int
    possible: int


def by_facility(using: str, on: date) -> list[Place]:
    """Every facility with somebody, the one with most first; as ``Person.objects.held_in`` says of one. Two statements.

    Whoever can have been in one of two detentions counts in both places, possibly.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(
            f"""WITH {_HELD},
            last AS (
                SELECT DISTINCT ON (detention_id) detention_id, facility_id,
                    (started IS NULL OR upper(started) - 1 <= %(on)s)
                        AND (ended IS NULL OR lower(ended) > %(on)s) AS sure
                FROM tracker_placement
                WHERE (started IS NULL OR lower(started) <= %(on)s) AND (ended IS NULL OR upper(ended) > %(on)s)
                ORDER BY detention_id, started DESC NULLS LAST, id DESC
            )
            SELECT facility_id, count(DISTINCT person_id) FILTER (WHERE sure AND surely @> %(on)s::date),
                count(DISTINCT person_id)
            FROM held JOIN last ON last.detention_id = held.id
            WHERE possibly @> %(on)s::date AND facility_id IS NOT NULL
            GROUP BY facility_id""",
            {"on": on},
        )
        counts = {pk: (surely, together - surely) for pk, surely, together in cursor.fetchall()}
    places = [Place(facility, *counts[facility.pk]) for facility in Facility.objects.using(using).filter(pk__in=counts)]
    return sorted(
        places, key=lambda place: (-place.certain, -place.possible, place.facility.name, str(place.facility.pk))
    )
