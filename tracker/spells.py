"""``custody_spells``: how long each detention has lasted by a day, and how much of the sentence that is.

What is surely and what possibly held follows ``tracker.models.detentions``; days are differences of days, so that an
arrest and an end on the same day are no day held.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from tracker import vocabularies as v
from tracker.columns import Kind, rows
from tracker.computed import SENTENCE, Computed, column, custody_of, imprecise, sentence_by
from tracker.models import Detention, Row
from tracker.vocabularies import Audience

# The fewest and the most days of so many months in a row, from none to eleven.
_FEWEST = "ARRAY[0, 28, 59, 89, 120, 150, 181, 212, 242, 273, 303, 334]"
_MOST = "ARRAY[0, 31, 62, 92, 123, 153, 184, 215, 245, 276, 306, 337]"

#: When it ran out: open, and every expected end passed with no source confirming it since (``run_out``).
RUN_OUT = """
    SELECT CASE WHEN NOT t.endless AND (d.confirmed IS NULL OR d.confirmed < lower(t.last)) THEN t.over END AS over
    FROM (
        SELECT max(upper(s.expected_end)) AS over, bool_or(s.kind IN ('life', 'death')) AS endless,
            (array_agg(s.expected_end ORDER BY s.expected_end DESC) FILTER (WHERE s.expected_end IS NOT NULL))[1]
                AS last
        FROM {ProsecutionDetention} k JOIN {Verdict} v ON v.prosecution_id = k.prosecution_id
        JOIN {Sentence} s ON s.verdict_id = v.id
        WHERE k.detention_id = d.id AND d.ended IS NULL
    ) t
"""


def _not_below_nought(days: str) -> str:
    """Not GREATEST, which makes a nought of NULL."""
    return f"CASE WHEN {days} < 0 THEN 0 ELSE {days} END"


_STATEMENT = f"""
    SELECT d.*, b.pid AS person_pid, {{on}} AS as_of,
        GREATEST(0, COALESCE(e.sooner - e.surely_from, 0)) AS days_held_min,
        {_not_below_nought("e.later - lower(d.started)")} AS days_held_max,
        CASE WHEN e.surely_from <= {{on}} AND e.surely_from < COALESCE(lower(d.ended), 'infinity')
            AND e.surely_from <= COALESCE(lower(b.died), 'infinity') AND e.surely_from < COALESCE(o.over, 'infinity')
            THEN 'certain' ELSE 'possible' END AS certainty,
        CASE
            WHEN lower(d.started) > {{on}} OR upper(d.ended) <= {{on}} OR upper(b.died) <= {{on}} THEN NULL
            WHEN e.surely_from <= {{on}} AND COALESCE(lower(d.ended) > {{on}}, true)
                AND COALESCE(lower(b.died) >= {{on}}, true) AND COALESCE(o.over > {{on}}, true) THEN 'certain'
            ELSE 'possible'
        END AS held,
        p.custody_type, {custody_of("p.custody_type")} AS custody,
        s.id AS sentence_id, s.kind AS sentence_kind, s.years AS sentence_years, s.months AS sentence_months,
        s.days AS sentence_days, s.counted_from, s.expected_end,
        t.term_days_min, t.term_days_max,
        CASE WHEN c.fixed IS NOT NULL THEN {
    _not_below_nought("LEAST(lower(c.fixed), e.sooner) - c.late")
} END AS credit_days_min,
        CASE WHEN c.fixed IS NOT NULL THEN {
    _not_below_nought("LEAST(upper(c.fixed) - 1, e.later) - c.early")
} END AS credit_days_max,
        round(({_not_below_nought("e.sooner - c.late")})::numeric / NULLIF(t.term_days_max, 0), 4) AS share_served_min,
        round(({_not_below_nought("e.later - c.early")})::numeric / NULLIF(t.term_days_min, 0), 4) AS share_served_max
    FROM {{base}} d
    JOIN {{Person}} b ON b.id = d.person_id
    LEFT JOIN LATERAL ({RUN_OUT}) o ON true
    CROSS JOIN LATERAL (
        SELECT LEAST(upper(d.started) - 1, d.confirmed) AS surely_from,
            LEAST(lower(d.ended), lower(b.died), o.over, {{on}}) AS sooner,
            LEAST(upper(d.ended) - 1, upper(b.died) - 1, {{on}}) AS later
    ) e
    LEFT JOIN LATERAL (
        SELECT p.custody_type FROM {{Placement}} p
        WHERE p.detention_id = d.id AND (p.started IS NULL OR lower(p.started) <= e.later)
        ORDER BY p.started DESC NULLS LAST, p.id DESC LIMIT 1
    ) p ON true
    LEFT JOIN LATERAL ({
    sentence_by(
        "e.later",
        "v.prosecution_id IN (SELECT k.prosecution_id FROM {ProsecutionDetention} k WHERE k.detention_id = d.id)",
    )
}) s ON true
    CROSS JOIN LATERAL (
        SELECT COALESCE(s.in_force, s.pronounced) AS fixed,
            CASE WHEN d.started IS NOT NULL AND s.counted_from IS NOT NULL
                THEN GREATEST(upper(d.started) - 1, upper(s.counted_from) - 1) END AS late,
            CASE WHEN d.started IS NOT NULL AND s.counted_from IS NOT NULL
                THEN GREATEST(lower(d.started), lower(s.counted_from)) END AS early,
            CASE WHEN COALESCE(s.years, s.months, s.days) IS NOT NULL
                THEN COALESCE(s.years, 0) * 12 + COALESCE(s.months, 0) END AS months,
            COALESCE(s.days, 0) AS days,
            CASE WHEN upper(s.counted_from) - lower(s.counted_from) = 1 THEN lower(s.counted_from) END AS from_day
    ) c
    CROSS JOIN LATERAL (
        SELECT CASE WHEN c.from_day IS NOT NULL THEN f.exact ELSE f.fewest END AS term_days_min,
            CASE WHEN c.from_day IS NOT NULL THEN f.exact ELSE f.most END AS term_days_max
        FROM (SELECT
            (c.from_day + make_interval(months => c.months))::date - c.from_day + c.days AS exact,
            c.months / 12 * 365 + c.months / 48 + ({_FEWEST})[mod(c.months, 12) + 1] + c.days AS fewest,
            c.months / 12 * 365 + (c.months / 12 + 3) / 4 + ({_MOST})[mod(c.months, 12) + 1] + c.days AS most
        ) f
    ) t
"""


def _of_counted_persons(model: type[Row], audience: Audience) -> QuerySet[Any]:
    return rows(model, audience).filter(person__merged_into=None)


CUSTODY_SPELLS = Computed(
    name="custody_spells",
    definition=_(
        "How long each detention of a person of `persons.csv` has lasted by the day `as_of`, and how much of the"
        " sentence that is. Days are differences of days: from an arrest on 5 March to a release on 7 March are 2. The"
        " least is counted from the latest day the arrest can have been (or the day a source confirmed it, if that is"
        " earlier) to the earliest day it can have ended, the most from the earliest to the latest. An open one is"
        " counted to `as_of`; where its term has run out and no source has confirmed it since, the least ends with the"
        " term. A death ends it."
    ),
    models=(Detention,),
    rows=_of_counted_persons,
    order=("person_id", "id"),
    statement=_STATEMENT,
    columns=(
        column("id", _("ID"), _("The `id` of the detention in `detentions.csv`."), Kind.UUID, to="detentions"),
        column("person_id", _("person"), _("Who is or was held, in `persons.csv`."), Kind.UUID, to="persons"),
        column("person_pid", _("person: pid"), _("The `pid` that belongs to `person_id`."), Kind.TEXT),
        column(
            "as_of", _("as of"), _("The day that everything here is counted to: the day (UTC) of the file."), Kind.DATE
        ),
        *imprecise("started", _("arrested"), _("When the person was arrested; empty where no source says.")),
        *imprecise("ended", _("ended"), _("When it ended; empty where no source says that it has.")),
        column("end_reason", _("how it ended"), _("How it ended."), Kind.CODE, v.DetentionEnd),
        column(
            "certainty",
            _("certainty"),
            _("Whether the person was surely held on at least one day of it up to `as_of`."),
            Kind.CODE,
            v.Certainty,
        ),
        column(
            "held",
            _("held on that day"),
            _("Whether it includes the day `as_of`: certain, possible, or empty where it does not."),
            Kind.CODE,
            v.Certainty,
        ),
        column(
            "days_held_min",
            _("days held: least"),
            _("The fewest days it can have lasted; 0 where no day is sure."),
            Kind.INTEGER,
        ),
        column(
            "days_held_max",
            _("days held: most"),
            _("The most days it can have lasted; empty where no arrest is recorded."),
            Kind.INTEGER,
        ),
        column(
            "custody_type",
            _("custody type at the end"),
            _(
                "Of the placement that began last of those that can have begun by the latest day it can have ended, or"
                " by `as_of` for an open one; empty where there is none, or where nobody says."
            ),
            Kind.CODE,
            v.CustodyType,
        ),
        column(
            "custody",
            _("custody at the end"),
            _("Whether that kind of custody is closed, open or at home."),
            Kind.CODE,
            v.Custody,
        ),
        column(
            "sentence_id",
            _("sentence"),
            format_lazy(
                _(
                    "The sentence in force at the end (the latest day it can have ended, `as_of` for an open one), in"
                    " `sentences.csv`: of the prosecutions that the detention belongs to. {which} Empty: none stood"
                    " then, or no prosecution is linked to the detention."
                ),
                which=SENTENCE,
            ),
            Kind.UUID,
            to="sentences",
        ),
        column("sentence_kind", _("sentence: kind"), _("Its kind."), Kind.CODE, v.SentenceKind),
        column("sentence_years", _("sentence: years"), _("Years of its term."), Kind.INTEGER),
        column("sentence_months", _("sentence: months"), _("Months of its term, beside the years."), Kind.INTEGER),
        column("sentence_days", _("sentence: days"), _("Days of its term, beside years and months."), Kind.INTEGER),
        column(
            "term_days_min",
            _("term in days: least"),
            _(
                "Its term in days: exact where `counted_from` is an exact day, else the fewest that so many years and"
                " months can have. Empty for a sentence with no term, or with none recorded."
            ),
            Kind.INTEGER,
        ),
        column(
            "term_days_max",
            _("term in days: most"),
            _("The same where `counted_from` is an exact day, else the most that so many years and months can have."),
            Kind.INTEGER,
        ),
        *imprecise("counted_from", _("counted from"), _("The day its term is counted from, as recorded.")),
        *imprecise("expected_end", _("expected end"), _("When its term ends, as recorded.")),
        column(
            "credit_days_min",
            _("credit in days: least"),
            _(
                "The fewest days of this detention before the verdict came into force (where no source says when: was"
                " pronounced) that its term counts: from the later of the arrest and `counted_from`. Nothing is worked"
                " out by any statute. Empty where the arrest, `counted_from` or the day of the verdict is not recorded."
            ),
            Kind.INTEGER,
        ),
        column(
            "credit_days_max",
            _("credit in days: most"),
            _("The most such days."),
            Kind.INTEGER,
        ),
        column(
            "share_served_min",
            _("share served: least"),
            _(
                "The fewest days of this detention since the later of the arrest and `counted_from`, divided by"
                " `term_days_max`, to four places; above 1 for who is held beyond the term. Time in other detentions is"
                " not in it. Empty where the arrest, `counted_from` or the term is not recorded."
            ),
            Kind.DECIMAL,
        ),
        column(
            "share_served_max",
            _("share served: most"),
            _("The most such days, divided by `term_days_min`, to four places."),
            Kind.DECIMAL,
        ),
    ),
)

TABLES = (CUSTODY_SPELLS,)
