"""What the lists of releases and events, and the CSV of the same rows, can be narrowed by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from releases import tally
from releases.models import Release, ReleaseEvent, ReportedFigure
from tracker import names
from tracker import vocabularies as v
from tracker.filters import (
    PERSONS_ARE,
    SAID,
    CodeFilter,
    DayFilter,
    EventChoice,
    Filter,
    OfPersons,
    code,
    countries_count,
    destination_choices,
    disputed_filter,
    releases,
    source_filter,
    sureness,
)
from tracker.models.ordering import by_text, earliest_first, latest_first
from tracker.paging import Sort, Sorts, by_name, day, identifier, words


class ReleaseFilter(OfPersons):
    event = EventChoice(label=_("Release event"))
    outcome = code(v.ReleaseOutcome, _("Outcome"))
    since = DayFilter(label=_("Released since"))
    until = DayFilter(label=_("and until"))
    dates = sureness()
    handed_over_to = CodeFilter(choices=destination_choices, method="together", label=_("Handed over to"))
    arrived_in = CodeFilter(choices=destination_choices, method="together", label=_("Arrived in"))
    countries = countries_count()
    basis = code(v.LegalBasis, _("Legal basis"))
    departure = code(v.Departure, _("Departure"))
    once = CodeFilter(
        choices=[("yes", _("each time out once"))], method="together", label=_("Logged in several events")
    )
    source = source_filter()
    disputed = disputed_filter()

    groups = (
        ("", ("name", "event", "outcome", "since", "until")),
        (_("Way out"), ("handed_over_to", "arrived_in", "countries", "departure", "basis", "dates", "once")),
        PERSONS_ARE,
        SAID,
    )
    sorts: ClassVar[Sorts] = {
        **by_name("person"),
        "-released": Sort(
            _("released, latest first"), (day(latest_first("released_on")), identifier()), descending=True
        ),
        "released": Sort(_("released, earliest first"), (day(earliest_first("released_on")), identifier())),
    }

    class Meta:
        model = Release
        fields: tuple[str, ...] = ()

    def narrowed(self, rows: Any, asked: Mapping[str, Any]) -> Any:
        rows = releases(rows, {**asked, "released_since": asked["since"], "released_until": asked["until"]})
        if asked["once"]:
            rows = rows.filter(pk__in=tally.journeys(rows.db).values("pk"))
        return super().narrowed(self.narrowed_by_claims(rows, asked), asked)


class EventFilter(Filter):
    title = django_filters.CharFilter(method="by_title", label=_("Title"), max_length=200)
    since = DayFilter(label=_("Happened since"))
    until = DayFilter(label=_("and until"))
    dates = sureness()
    basis = CodeFilter(choices=v.LegalBasis.choices(), method="by_basis", label=_("Legal basis"))
    mechanism = CodeFilter(choices=v.Mechanism.choices(), label=_("Mechanism"))
    source = source_filter()
    disputed = disputed_filter()

    groups = (
        ("", ("title", "since", "until", "basis")),
        (_("Event"), ("mechanism", "dates")),
        SAID,
    )
    sorts: ClassVar[Sorts] = {
        "-happened": Sort(
            _("latest first"), (day(latest_first("happened", "announced")), identifier()), descending=True
        ),
        "happened": Sort(_("earliest first"), (day(earliest_first("happened", "announced")), identifier())),
        "title": Sort(_("title"), (words(by_text("title")), identifier())),
    }

    class Meta:
        model = ReleaseEvent
        fields: tuple[str, ...] = ()

    def by_title(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        for word in names.clean(value).split():
            rows = rows.filter(title__icontains=word)
        return rows

    def by_basis(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return rows.filter(legal_bases__contains=[value])

    def narrowed(self, rows: Any, asked: Mapping[str, Any]) -> Any:
        """By the day it happened, else by the day it was announced."""
        days = {"since": asked["since"], "until": asked["until"], "certain": asked["dates"] == "certain"}
        if asked["since"] or asked["until"]:
            happened = rows.dated("happened", **days)
            rows = happened | rows.filter(happened=None).dated("announced", **days)
        return self.narrowed_by_claims(rows, asked)

    def resting(self, rows: QuerySet[Any], claims: Q) -> QuerySet[Any]:
        figures = ReportedFigure.objects.using(rows.db).filter(claims, event__isnull=False)
        return super().resting(rows, claims).union(figures.order_by().values("event"))
