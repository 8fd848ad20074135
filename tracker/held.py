"""``in_custody``: who is in custody on a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from tracker import vocabularies as v
from tracker.columns import Kind, counted
from tracker.computed import Computed, Sql, column, custody_of, imprecise, readable
from tracker.models import Person, Status
from tracker.spells import RUN_OUT
from tracker.vocabularies import Audience


@dataclass(frozen=True, kw_only=True)
class OfADay(Computed):
    """Of the persons those possibly in custody on the day, each with how sure that is (``surely``) and ``status``."""

    def base(self, audience: Audience, only: QuerySet[Any] | None, on: date) -> Sql:
        (persons,) = self.querysets(audience, only)
        held: Any = persons
        return readable(held.in_custody(on).with_status(on), audience, "surely", "status")


_STATEMENT = f"""
    SELECT b.id AS person_id, b.pid AS person_pid, {{on}} AS day,
        (SELECT n.text FROM {{Name}} n WHERE n.person_id = b.id AND n.kind <> 'erroneous'
            ORDER BY n.position LIMIT 1) AS name,
        CASE WHEN b.surely THEN 'certain' ELSE 'possible' END AS certainty, b.status,
        COALESCE({custody_of("p.custody_type")}, 'closed') AS custody, p.custody_type,
        p.facility_id, f.name AS facility, d.id AS detention_id, d.started,
        GREATEST(0, COALESCE(LEAST(lower(d.ended), lower(b.died), d.over, {{on}}) - d.surely_from, 0)) AS days_held_min,
        CASE WHEN d.started IS NOT NULL
            THEN GREATEST(0, LEAST(upper(d.ended) - 1, upper(b.died) - 1, {{on}}) - lower(d.started)) END
            AS days_held_max,
        NULLIF(array_to_string(ARRAY(
            SELECT DISTINCT replace(o.name, ';', ',') COLLATE "C" AS body
            FROM {{Recognition}} g JOIN {{Organisation}} o ON o.id = g.body_id
            WHERE g.person_id = b.id AND g.status NOT IN ('withdrawn', 'not_recognised')
                AND (g.started IS NULL OR lower(g.started) <= {{on}}) AND (g.ended IS NULL OR upper(g.ended) > {{on}})
                AND NOT EXISTS (SELECT 1 FROM {{Recognition}} w
                    WHERE w.person_id = g.person_id AND w.body_id = g.body_id
                        AND w.status IN ('withdrawn', 'not_recognised') AND upper(w.started) <= {{on}}
                        AND (g.started IS NULL OR upper(w.started) > lower(g.started)))
            ORDER BY body
        ), ';'), '') AS recognised_by
    FROM {{base}} b
    CROSS JOIN LATERAL (
        SELECT d.*, o.over, LEAST(upper(d.started) - 1, d.confirmed) AS surely_from
        FROM {{Detention}} d LEFT JOIN LATERAL ({RUN_OUT}) o ON true
        WHERE d.person_id = b.id AND (d.started IS NULL OR lower(d.started) <= {{on}})
            AND (d.ended IS NULL OR upper(d.ended) > {{on}})
        ORDER BY COALESCE(LEAST(upper(d.started) - 1, d.confirmed) <= {{on}} AND COALESCE(lower(d.ended) > {{on}}, true)
            AND COALESCE(o.over > {{on}}, true), false) DESC, d.started DESC NULLS LAST, d.id DESC
        LIMIT 1
    ) d
    LEFT JOIN LATERAL (
        SELECT p.custody_type, p.facility_id FROM {{Placement}} p
        WHERE p.detention_id = d.id AND (p.started IS NULL OR lower(p.started) <= {{on}})
            AND (p.ended IS NULL OR upper(p.ended) > {{on}})
        ORDER BY p.started DESC NULLS LAST, p.id DESC LIMIT 1
    ) p ON true
    LEFT JOIN {{Facility}} f ON f.id = p.facility_id
"""


IN_CUSTODY = OfADay(
    name="in_custody",
    definition=_(
        "Who of `persons.csv` is, or may be, in custody on the day `day`: one row a person. Of several detentions that"
        " can include the day the one is given that surely does, else the one that began last. Days are differences of"
        " days, counted as in `custody_spells.csv`, to that day."
    ),
    models=(Person,),
    rows=counted,
    order=("person_id",),
    key=("person_id",),
    one_each=False,
    statement=_STATEMENT,
    columns=(
        column("day", _("day"), _("The day that is asked about."), Kind.DATE),
        column("person_id", _("person"), _("Who, in `persons.csv`."), Kind.UUID),
        column("person_pid", _("person: pid"), _("The `pid` that belongs to `person_id`."), Kind.TEXT),
        column("name", _("name"), _("The first name that is not erroneous; empty where none is published."), Kind.TEXT),
        column(
            "certainty", _("certainty"), _("Whether the person surely is in custody that day."), Kind.CODE, v.Certainty
        ),
        column(
            "status",
            _("status"),
            _("What is known of the person at the end of the day, who may have been released on it."),
            Kind.CODE,
            Status,
        ),
        column(
            "custody",
            _("custody"),
            _("Whether the custody is closed, open or at home; closed where nobody says."),
            Kind.CODE,
            v.Custody,
        ),
        column(
            "custody_type",
            _("custody type"),
            _("Under which kind of custody: of the placement that began last of those that can include the day."),
            Kind.CODE,
            v.CustodyType,
        ),
        column("facility_id", _("facility"), _("Where, in `facilities.csv`; empty where nobody says."), Kind.UUID),
        column("facility", _("facility: name"), _("The name of that place."), Kind.TEXT),
        column("detention_id", _("detention"), _("The detention, in `detentions.csv`."), Kind.UUID),
        *imprecise("started", _("started"), _("When the person was arrested; empty where no source says.")),
        column("days_held_min", _("days held: fewest"), _("The fewest days held by that day."), Kind.INTEGER),
        column(
            "days_held_max",
            _("days held: most"),
            _("The most days held by that day; empty where no source says when the person was arrested."),
            Kind.INTEGER,
        ),
        column(
            "recognised_by",
            _("recognised by"),
            _(
                "Bodies that can recognise the person that day (political prisoner, prisoner of conscience, arbitrary"
                " detention, posthumous) and are not known to have withdrawn it."
            ),
            Kind.TEXTS,
        ),
    ),
)
