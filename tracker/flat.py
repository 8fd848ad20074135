"""``persons_flat``: one row a person, with what is asked most often of the tables that belong to it."""

from __future__ import annotations

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from tracker import vocabularies as v
from tracker.columns import Column, Kind, counted
from tracker.computed import SENTENCE, Computed, column, custody_of, imprecise, sentence_by
from tracker.models import Person

_LAWS = {
    v.ProvisionLaw.CRIMINAL_CODE: "CC",
    v.ProvisionLaw.ADMINISTRATIVE_CODE: "AC",
    v.ProvisionLaw.CRIMINAL_PROCEDURE_CODE: "CPC",
}
_LAW = "CASE p.law " + " ".join(f"WHEN '{law}' THEN '{short}'" for law, short in _LAWS.items()) + " END"

#: The name of ``persons.csv``, and all others but erroneous ones.
NAMES = """
    SELECT n.names[1] AS name, array_to_string(ARRAY(
        SELECT DISTINCT replace(o, ';', ',') COLLATE "C" AS o FROM unnest(n.names[2:]) AS o
        WHERE o <> n.names[1] ORDER BY o
    ), ';') AS other_names
    FROM (SELECT array_agg(n.text::text ORDER BY n.position, n.id) AS names FROM {Name} n
        WHERE n.person_id = b.id AND n.kind <> 'erroneous') n
"""

#: A release's completed steps: the first handover, the last onward journey, and where the last of all led.
WAY_OUT = """
    SELECT
        (array_agg(l.countries::text ORDER BY l.position, l.id) FILTER (WHERE l.kind = 'handover'))[1]::text[]
            AS handed_over_to,
        (array_agg(l.happened ORDER BY l.position, l.id) FILTER (WHERE l.kind = 'handover'))[1] AS handed_over_on,
        (array_agg(l.place ORDER BY l.position, l.id) FILTER (WHERE l.kind = 'handover'))[1] AS handed_over_at,
        (array_agg(l.countries::text ORDER BY l.position DESC, l.id) FILTER (WHERE l.kind = 'onward'))[1]::text[]
            AS onward_to,
        (array_agg(l.happened ORDER BY l.position DESC, l.id) FILTER (WHERE l.kind = 'onward'))[1] AS onward_on,
        (array_agg(l.countries::text ORDER BY l.position DESC, l.id)
            FILTER (WHERE cardinality(l.countries) > 0))[1]::text[] AS last_known_country
    FROM {Leg} l WHERE l.release_id = e.id AND l.status = 'completed'
"""

HANDED_OVER_TO = _("Where the first completed handover led; several: one of these. Planned steps: in `legs.csv`.")
LAST_KNOWN_COUNTRY = _(
    "Where the last completed step led whose country is known; several: one of these. Empty: no step is recorded, also"
    " for those who stayed."
)

_STATEMENT = f"""
    SELECT b.*, n.name, n.other_names, d.detentions, d.first_arrest,
        l.id AS detention_id, l.started, l.ended, l.end_reason,
        p.facility, p.custody_type, {custody_of("p.custody_type")} AS custody,
        c.articles, s.kind AS sentence_kind, s.years AS sentence_years, s.months AS sentence_months,
        s.days AS sentence_days, s.regime AS sentence_regime, g.recognitions,
        e.id AS release_id, e.released_on, e.outcome AS release_outcome, e.legal_bases, e.departure,
        v.rid AS event_rid, w.handed_over_to, w.last_known_country
    FROM {{base}} b
    LEFT JOIN LATERAL ({NAMES}) n ON true
    LEFT JOIN LATERAL (
        SELECT count(*) AS detentions,
            (array_agg(d.started ORDER BY d.started) FILTER (WHERE d.started IS NOT NULL))[1] AS first_arrest
        FROM {{Detention}} d WHERE d.person_id = b.id
    ) d ON true
    LEFT JOIN LATERAL (
        SELECT * FROM {{Detention}} d WHERE d.person_id = b.id
        ORDER BY d.ended IS NULL DESC, d.ended DESC, d.started DESC NULLS LAST, d.id LIMIT 1
    ) l ON true
    LEFT JOIN LATERAL (
        SELECT f.name AS facility, p.custody_type
        FROM {{Placement}} p LEFT JOIN {{Facility}} f ON f.id = p.facility_id
        WHERE p.detention_id = l.id ORDER BY p.started DESC NULLS LAST, p.id DESC LIMIT 1
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT array_to_string(ARRAY(
            SELECT DISTINCT replace(p.country || ' ' || {_LAW} || ' ' || p.article, ';', ',') COLLATE "C" AS article
            FROM {{Prosecution}} q JOIN {{Charge}} c ON c.prosecution_id = q.id
            JOIN {{Provision}} p ON p.id = c.provision_id WHERE q.person_id = b.id ORDER BY article
        ), ';') AS articles
    ) c ON true
    LEFT JOIN LATERAL ({
    sentence_by("{on}", "v.prosecution_id IN (SELECT q.id FROM {Prosecution} q WHERE q.person_id = b.id)")
}) s ON true
    LEFT JOIN LATERAL (
        SELECT array_to_string(ARRAY(
            SELECT DISTINCT replace(o.name || ': ' || g.status, ';', ',') COLLATE "C" AS recognition
            FROM {{Recognition}} g JOIN {{Organisation}} o ON o.id = g.body_id
            WHERE g.person_id = b.id ORDER BY recognition
        ), ';') AS recognitions
    ) g ON true
    LEFT JOIN LATERAL (
        SELECT * FROM {{Release}} e WHERE e.person_id = b.id
        ORDER BY e.outcome = 'confirmed' DESC, e.released_on DESC NULLS LAST, e.id LIMIT 1
    ) e ON true
    LEFT JOIN {{ReleaseEvent}} v ON v.id = e.event_id
    LEFT JOIN LATERAL ({WAY_OUT}) w ON true
"""


def person_columns() -> tuple[Column, ...]:
    """Of the person, in several flat tables."""
    return (
        column("sex", _("sex"), _("Sex, as the sources speak of the person."), Kind.CODE, v.Sex),
        column("citizenships", _("citizenships"), _("Countries the person is a citizen of."), Kind.COUNTRIES),
    )


_OF_THE_LAST = _("Of the last detention: {what}")


def _last(what: Any) -> Any:
    return format_lazy(_OF_THE_LAST, what=what)


_OF_THE_RELEASE = _("Of the last release: {what}")


def _release(what: Any) -> Any:
    return format_lazy(_OF_THE_RELEASE, what=what)


PERSONS_FLAT = Computed(
    name="persons_flat",
    definition=_(
        "The people of `persons.csv`, one row each, with the last of what there may be several of. It answers the"
        " frequent questions; whoever counts detentions, sentences or releases takes their own files."
    ),
    models=(Person,),
    rows=counted,
    order=("pid", "id"),
    statement=_STATEMENT,
    columns=(
        column("id", _("ID"), _("The `id` of the person in `persons.csv`."), Kind.UUID, to="persons"),
        column("pid", _("pid"), _("Short identifier for print."), Kind.TEXT),
        column("name", _("name"), _("As in `persons.csv`."), Kind.TEXT),
        column(
            "other_names", _("other names"), _("All other names of `names.csv` that are not erroneous."), Kind.TEXTS
        ),
        column(
            "label",
            _("label"),
            _("What to call somebody without a name."),
            Kind.TEXT,
            coarser_for=("public", "researcher"),
        ),
        *person_columns(),
        *imprecise("born", _("born"), _("Date of birth."), coarser_for=("public",)),
        *imprecise("died", _("died"), _("Date of death; empty where no source says that the person has died.")),
        column("occupations", _("occupations"), _("What the person did before the arrest."), Kind.CODES, v.Occupation),
        column(
            "contexts",
            _("context of persecution"),
            _("What the person is persecuted for."),
            Kind.CODES,
            v.PersecutionContext,
        ),
        column("detentions", _("detentions"), _("How many rows of `detentions.csv` are theirs."), Kind.INTEGER),
        *imprecise(
            "first_arrest",
            _("first arrest"),
            _("The earliest `started` of their detentions; empty where none has one."),
        ),
        column(
            "detention_id",
            _("last detention"),
            _(
                "Their last detention, in `detentions.csv`: the one with no end, else that which ended last, else that"
                " which began last."
            ),
            Kind.UUID,
            to="detentions",
        ),
        *imprecise("started", _("arrested"), _last(_("when the person was arrested."))),
        *imprecise("ended", _("ended"), _last(_("when it ended; empty where no source says that it has."))),
        column("end_reason", _("how it ended"), _last(_("how it ended.")), Kind.CODE, v.DetentionEnd),
        column(
            "facility",
            _("facility"),
            _last(_("the name of the facility of the placement that began last.")),
            Kind.TEXT,
        ),
        column(
            "custody_type",
            _("custody type"),
            _last(_("the kind of custody of the placement that began last.")),
            Kind.CODE,
            v.CustodyType,
        ),
        column(
            "custody",
            _("custody"),
            _last(_("whether that kind of custody is closed, open or at home.")),
            Kind.CODE,
            v.Custody,
        ),
        column(
            "articles",
            _("articles charged"),
            _(
                "Articles of all charges of all their prosecutions, whatever became of them: country, CC (criminal"
                " code), AC (administrative code) or CPC (criminal procedure code), and number, as in “BY CC 361-1”."
            ),
            Kind.TEXTS,
        ),
        column(
            "sentence_kind",
            _("last sentence: kind"),
            format_lazy(_("The sentence that stands on the day of the file. {which}"), which=SENTENCE),
            Kind.CODE,
            v.SentenceKind,
        ),
        column("sentence_years", _("last sentence: years"), _("Years of its term."), Kind.INTEGER),
        column("sentence_months", _("last sentence: months"), _("Months of its term, beside the years."), Kind.INTEGER),
        column(
            "sentence_days",
            _("last sentence: days"),
            _("Days of its term, beside years and months."),
            Kind.INTEGER,
        ),
        column("sentence_regime", _("last sentence: regime"), _("The regime of the colony."), Kind.CODE, v.Regime),
        column(
            "recognitions",
            _("recognitions"),
            _("What bodies say of the person, each as the body's name, a colon, a space and the code of `status`."),
            Kind.TEXTS,
        ),
        column(
            "release_id",
            _("last release"),
            _("Their last release, in `releases.csv`: of the confirmed ones, else of all, that of the latest date."),
            Kind.UUID,
            to="releases",
        ),
        *imprecise("released_on", _("released on"), _release(_("when the person came out."))),
        column("event_rid", _("event: rid"), _release(_("the `rid` of its event.")), Kind.TEXT),
        column("legal_bases", _("legal bases"), _release(_("on what basis.")), Kind.CODES, v.LegalBasis),
        column("release_outcome", _("outcome"), _release(_("whether it came about.")), Kind.CODE, v.ReleaseOutcome),
        column(
            "departure",
            _("departure"),
            _release(_("whether, and how freely, the person left the country.")),
            Kind.CODE,
            v.Departure,
        ),
        column("handed_over_to", _("handed over to"), HANDED_OVER_TO, Kind.COUNTRIES),
        column("last_known_country", _("last known country"), LAST_KNOWN_COUNTRY, Kind.COUNTRIES),
    ),
)

TABLES = (PERSONS_FLAT,)
