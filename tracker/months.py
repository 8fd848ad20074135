"""``custody_monthly``: how many people are in custody on the last day of each month, as the overview counts them.

Nobody is looked at month by month: a person's days in custody become sets of months (multiranges of integers, year
times twelve plus month), from which only the changes from month to month are counted and added up.

A day lies in the set of months [m(first), m(end)) if the month's last day is in [first, end), where m(day) is the
month of that day: the last day of the month of ``end`` is not before ``end``.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from tracker import vocabularies as v
from tracker.columns import Kind, counted
from tracker.computed import Computed, column
from tracker.custody_counts import SPANS
from tracker.models import Person


def _m(day: str) -> str:
    return f"(extract(year FROM {day}) * 12 + extract(month FROM {day}) - 1)::int"


def _months(first: str, end: str) -> str:
    """The months whose last day is in [first, end); nothing known is no limit. Empty where they are reversed."""
    first, end = f"COALESCE({_m(first)}, 0)", f"COALESCE({_m(end)}, 99999)"
    return f"int4multirange(int4range({first}, GREATEST({first}, {end})))"


_STATEMENT = f"""
    WITH {SPANS},
    bounds AS MATERIALIZED (
        SELECT min({_m("COALESCE(lower(d.started), d.confirmed, lower(d.ended))")}) AS first,
            {_m("{on} + 1")} AS after
        FROM {{base}} b JOIN {{Detention}} d ON d.person_id = b.id
    ),
    classed AS (
        SELECT b.id AS person_id, b.sex, k.custody,
            CASE WHEN s.certain THEN m.months ELSE int4multirange() END AS certain, m.months AS possible
        FROM bounds n CROSS JOIN {{base}} b JOIN span s ON s.person_id = b.id CROSS JOIN LATERAL (
            SELECT int4multirange(int4range(n.first, n.after)) * {_months("lower(s.days)", "upper(s.days)")} AS months
        ) m CROSS JOIN LATERAL (VALUES (NULL), (s.custody)) AS k (custody)
        WHERE n.first < n.after AND NOT isempty(m.months)
    ),
    recognised AS (
        SELECT g.person_id, g.body_id, range_agg({
    _months("lower(g.started)", "LEAST(upper(g.ended), w.later)")
}) AS possible,
            range_agg(CASE WHEN g.started IS NULL THEN int4multirange() ELSE {
    _months("upper(g.started) - 1", "LEAST(lower(g.ended), w.sooner)")
} END) AS certain
        FROM {{Recognition}} g LEFT JOIN LATERAL (
            SELECT min(COALESCE(lower(w.started), '0001-01-01'::date)) AS sooner, min(upper(w.started)) AS later
            FROM {{Recognition}} w
            WHERE w.person_id = g.person_id AND w.body_id = g.body_id AND w.status IN ('withdrawn', 'not_recognised')
                AND (w.started IS NULL OR g.started IS NULL OR upper(w.started) > lower(g.started))
        ) w ON true
        WHERE g.status NOT IN ('withdrawn', 'not_recognised')
        GROUP BY g.person_id, g.body_id
    ),
    counted AS (
        SELECT c.custody, c.sex, NULL::uuid AS body_id, c.certain, c.possible FROM classed c
        UNION ALL
        SELECT c.custody, c.sex, g.body_id, c.certain * g.certain, c.possible * g.possible
        FROM classed c JOIN recognised g ON g.person_id = c.person_id
    ),
    change AS (
        SELECT x.custody, x.sex, x.body_id, x.month, sum(x.certain) AS certain, sum(x.possible) AS possible
        FROM (
            SELECT c.custody, c.sex, c.body_id, e.month, e.step AS certain, 0 AS possible
            FROM counted c CROSS JOIN LATERAL unnest(c.certain) AS r
            CROSS JOIN LATERAL (VALUES (lower(r), 1), (upper(r), -1)) AS e (month, step)
            UNION ALL
            SELECT c.custody, c.sex, c.body_id, e.month, 0, e.step
            FROM counted c CROSS JOIN LATERAL unnest(c.possible) AS r
            CROSS JOIN LATERAL (VALUES (lower(r), 1), (upper(r), -1)) AS e (month, step)
        ) x
        GROUP BY x.custody, x.sex, x.body_id, x.month
    ),
    standing AS (
        SELECT c.custody, c.sex, c.body_id, c.month,
            lead(c.month) OVER w AS until, sum(c.certain) OVER w AS certain, sum(c.possible) OVER w AS possible
        FROM change c WINDOW w AS (PARTITION BY c.custody, c.sex, c.body_id ORDER BY c.month)
    )
    SELECT to_char(make_date(m / 12, mod(m, 12) + 1, 1), 'YYYY-MM') AS month,
        (make_date(m / 12, mod(m, 12) + 1, 1) + interval '1 month')::date - 1 AS day,
        s.custody, s.sex, s.body_id, o.name AS body, s.certain::bigint, s.possible::bigint
    FROM standing s CROSS JOIN LATERAL generate_series(s.month, s.until - 1) AS m
    LEFT JOIN {{Organisation}} o ON o.id = s.body_id
    WHERE s.possible > 0
"""


CUSTODY_MONTHLY = Computed(
    name="custody_monthly",
    definition=_(
        "How many people of `persons.csv` are in custody on the last day of each month, from the first month of any"
        " detention to the last month that is over on the day of the file. An empty `custody`, or an empty `body_id`,"
        " stands for all of them together: never add rows with and without. Sexes add up; bodies do not, since several"
        " recognise the same people. Where nobody is possibly in custody there is no row."
    ),
    models=(Person,),
    rows=counted,
    order=("month", "custody", "sex", "body_id"),
    key=("month", "custody", "sex", "body_id"),
    one_each=False,
    statement=_STATEMENT,
    columns=(
        column("month", _("month"), _("The month."), Kind.MONTH),
        column("day", _("day"), _("Its last day, on which people are counted."), Kind.DATE),
        column(
            "custody",
            _("custody"),
            _(
                "Whether their custody is closed, open or at home: of the placement that began last of those that can"
                " include the day, closed where nobody says. Of several detentions that can include the day the sure"
                " one tells, else one at home, else an open one. Empty: any of these."
            ),
            Kind.CODE,
            v.Custody,
        ),
        column(
            "sex", _("sex"), _("Sex, as the sources speak of them; empty where none is recorded."), Kind.CODE, v.Sex
        ),
        column(
            "body_id",
            _("recognising body"),
            _(
                "The organisation, in `organisations.csv`, that recognises them that day (political prisoner, prisoner"
                " of conscience, arbitrary detention, posthumous) and has not withdrawn it. Empty: everybody,"
                " recognised or not."
            ),
            Kind.UUID,
            to="organisations",
        ),
        column("body", _("body: name"), _("The name of that organisation."), Kind.TEXT),
        column(
            "certain",
            _("certain"),
            _(
                "How many are surely in custody that day and, where a body is named, surely recognised by it: not where"
                " the day of the recognition is not known well enough."
            ),
            Kind.INTEGER,
        ),
        column(
            "possible",
            _("possible"),
            _("How many are possibly in custody that day, and possibly recognised; the certain ones are among them."),
            Kind.INTEGER,
        ),
    ),
)

TABLES = (CUSTODY_MONTHLY,)
