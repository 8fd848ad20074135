"""``releases_flat``: one row a release, with the person, the event and the way out."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from releases.models import Release
from tracker import vocabularies as v
from tracker.columns import Kind
from tracker.computed import Computed, column, imprecise
from tracker.flat import HANDED_OVER_TO, LAST_KNOWN_COUNTRY, NAMES, WAY_OUT, person_columns

_STATEMENT = f"""
    SELECT e.*, b.pid AS person_pid, b.sex, b.citizenships, n.name, v.rid AS event_rid, v.title AS event_title,
        w.handed_over_to, w.handed_over_on, w.handed_over_at, w.onward_to, w.onward_on, w.last_known_country
    FROM {{base}} e
    JOIN {{Person}} b ON b.id = e.person_id
    LEFT JOIN {{ReleaseEvent}} v ON v.id = e.event_id
    LEFT JOIN LATERAL ({NAMES}) n ON true
    LEFT JOIN LATERAL ({WAY_OUT}) w ON true
"""

RELEASES_FLAT = Computed(
    name="releases_flat",
    definition=_(
        "The releases of `releases.csv`, one row each, with whose they are and where the way led. Only a confirmed one"
        " says that somebody is free."
    ),
    models=(Release,),
    order=("person_pid", "id"),
    statement=_STATEMENT,
    columns=(
        column("id", _("ID"), _("The `id` of the release in `releases.csv`."), Kind.UUID, to="releases"),
        column("person_id", _("person"), _("Who was released, in `persons.csv`."), Kind.UUID),
        column("person_pid", _("person: pid"), _("The `pid` that belongs to `person_id`."), Kind.TEXT),
        column("name", _("name"), _("The person's name, as in `persons.csv`."), Kind.TEXT),
        *person_columns(),
        column(
            "event_id",
            _("event"),
            _("The event, in `release_events.csv`; empty for a release that belongs to none."),
            Kind.UUID,
            to="release_events",
        ),
        column("event_rid", _("event: rid"), _("The `rid` that belongs to `event_id`."), Kind.TEXT),
        column("event_title", _("event: title"), _("What the event is called here."), Kind.TEXT),
        *imprecise("released_on", _("released on"), _("When the person came out.")),
        column("outcome", _("outcome"), _("Whether it came about."), Kind.CODE, v.ReleaseOutcome),
        column("legal_bases", _("legal bases"), _("On what basis; several may apply."), Kind.CODES, v.LegalBasis),
        column(
            "departure",
            _("departure"),
            _("Whether, and how freely, the person left the country."),
            Kind.CODE,
            v.Departure,
        ),
        column("handed_over_to", _("handed over to"), HANDED_OVER_TO, Kind.COUNTRIES),
        *imprecise("handed_over_on", _("handed over on"), _("When that handover was.")),
        column("handed_over_at", _("handed over at"), _("Where exactly that handover was."), Kind.TEXT),
        column(
            "onward_to",
            _("onward to"),
            _("Where the last completed journey onward led; several: one of these."),
            Kind.COUNTRIES,
        ),
        *imprecise("onward_on", _("onward on"), _("When that journey was.")),
        column("last_known_country", _("last known country"), LAST_KNOWN_COUNTRY, Kind.COUNTRIES),
    ),
)

TABLES = (RELEASES_FLAT,)
