"""The first page: how many are held, who came out, where they went."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, F, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from releases import reconciliation, tally
from releases.models import ReportedFigure
from tracker import vocabularies as v
from tracker.access import reader
from tracker.models import Person, Status


@reader
def home(request: Any) -> HttpResponse:
    using = request.audience
    persons = Person.objects.using(using).counted()
    today = timezone.localdate()
    destinations = tally.by_destination(using)
    remaining = list(_remaining(using))
    return render(
        request,
        "tracker/home.html",
        {
            "persons": persons.count(),
            "today": today,
            "statuses": _statuses(persons, today),
            "released": tally.journeys(using).count(),
            "destinations": destinations,
            "most": max((max(where.handed_over, where.last_known) for where in destinations), default=0),
            "events": reconciliation.recent(using, limit=5),
            "remaining": remaining,
            "sums": reconciliation.sums_of(remaining, using),
        },
    )


def _statuses(persons: Any, day: Any) -> dict[str, dict[str, Any]]:
    """How many persons have each status on the day, certain and possible; by code, in the order of ``Status``."""
    counts = persons.with_status(day).order_by().values_list("status", "status_certain").annotate(Count("pk"))
    found = {
        status.value: {"label": status.label, "definition": status.definition, "certain": 0, "possible": 0}
        for status in (Status.IN_CUSTODY, Status.RESTRICTED, Status.SENTENCE_PENDING, *Status)
    }
    for code, certain, number in counts:
        found[code]["certain" if certain else "possible"] = number
    return found


def _remaining(using: str) -> QuerySet[ReportedFigure]:
    """What others last said of how many are still held. Their definitions differ from one another and from ours."""
    return (
        ReportedFigure.objects.using(using)
        .filter(subject=v.FigureSubject.REMAINING_IN_CUSTODY, measure=v.FigureMeasure.PEOPLE, part_of=None)
        .exclude(standing=v.Standing.REJECTED)
        .select_related("source", "origin")
        .order_by(Coalesce("as_of", "source__published").desc(nulls_last=True), F("low").desc(nulls_last=True), "id")[
            :5
        ]
    )
