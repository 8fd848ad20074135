"""What the lists of releases and events, and the CSV of the same rows, can be narrowed by."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from releases import tally
from releases.models import Leg, Release, ReleaseEvent
from tracker import vocabularies as v
from tracker.filters import CodeFilter, DayFilter, EventChoice, Filter, citizenship_choices, destination_choices


def _can_be_since(column: str, day: date) -> Q:
    return Q(**{f"{column}__endswith__gt": day})


def _can_be_until(column: str, day: date) -> Q:
    return Q(**{f"{column}__startswith__lte": day})


class ReleaseFilter(Filter):
    event = EventChoice(label=_("Release event"))
    outcome = CodeFilter(choices=v.ReleaseOutcome.choices(), label=_("Outcome"))
    since = DayFilter(method="by_day", label=_("Released since"))
    until = DayFilter(method="by_day", label=_("and until"))
    handed_over_to = CodeFilter(choices=destination_choices, method="by_handover", label=_("Handed over to"))
    arrived_in = CodeFilter(choices=destination_choices, method="by_arrival", label=_("Arrived in"))
    basis = CodeFilter(choices=v.LegalBasis.choices(), method="by_basis", label=_("Legal basis"))
    once = CodeFilter(
        choices=[("yes", _("each time out once"))], method="by_times", label=_("Logged in several events")
    )
    citizenship = CodeFilter(choices=citizenship_choices, method="by_citizenship", label=_("Citizenship"))

    class Meta:
        model = Release
        fields: tuple[str, ...] = ()

    def by_day(self, rows: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        """Releases that can have been on such a day; of those without a date nobody says that they were."""
        bound = _can_be_since if name == "since" else _can_be_until
        return rows.filter(bound("released_on", value))

    def by_handover(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        handovers = Leg.objects.using(rows.db).filter(
            kind=v.LegKind.HANDOVER, status=v.LegStatus.COMPLETED, countries=[value]
        )
        return rows.filter(pk__in=handovers.values("release"))

    def by_arrival(self, rows: Any, _name: str, value: str) -> QuerySet[Any]:
        return rows.taken_to(value)

    def by_basis(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return rows.filter(legal_bases__contains=[value])

    def by_times(self, rows: QuerySet[Any], _name: str, _value: str) -> QuerySet[Any]:
        return rows.filter(pk__in=tally.journeys(rows.db).values("pk"))

    def by_citizenship(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return rows.filter(person__citizenships__contains=[value])


class EventFilter(Filter):
    since = DayFilter(method="by_day", label=_("Happened since"))
    until = DayFilter(method="by_day", label=_("and until"))
    basis = CodeFilter(choices=v.LegalBasis.choices(), method="by_basis", label=_("Legal basis"))
    mechanism = CodeFilter(choices=v.Mechanism.choices(), label=_("Mechanism"))

    class Meta:
        model = ReleaseEvent
        fields: tuple[str, ...] = ()

    def by_day(self, rows: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        """By the day it happened, else by the day it was announced."""
        bound = _can_be_since if name == "since" else _can_be_until
        return rows.filter(bound("happened", value) | Q(happened=None) & bound("announced", value))

    def by_basis(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return rows.filter(legal_bases__contains=[value])
