"""The reading side: how people came out. Everything is read from the copy of the reader's audience."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from releases import reconciliation
from releases.filters import EventFilter, ReleaseFilter
from releases.models import Release, ReleaseEvent, ReleaseEventCitation, ReportedFigure
from tracker import citing, history
from tracker import vocabularies as v
from tracker.access import reader
from tracker.notes import Notes, citations_of
from tracker.paging import Unreadable, by_name, cut, paged
from tracker.views.lists import show_list


@reader
def events(request: Any) -> HttpResponse:
    using = request.audience
    chosen = EventFilter.of(request, ReleaseEvent.objects.using(using))
    return show_list(
        request,
        "releases/events.html",
        chosen,
        beside=lambda page: {"reconciliations": reconciliation.of_events(page.rows, using)},
    )


@reader
def event(request: Any, rid: str) -> HttpResponse:
    using = request.audience
    rows = ReleaseEvent.objects.using(using).prefetch_related(
        "participations__organisation", "concessions", "relations__other", "relations_to__event"
    )
    found = get_object_or_404(rows, rid=rid)
    citations = list(
        citations_of(ReleaseEventCitation, using).filter(event=found).order_by("standing", "source__title", "id")
    )
    numbers = reconciliation.of_event(found, using)
    problems, page = [], None
    try:
        page = cut(request, Release.objects.using(using).filter(event=found), by_name("person"), dressed=_dressed)
    except Unreadable as unreadable:
        problems = [str(unreadable)]
    return render(
        request,
        "releases/event.html",
        {
            "event": found,
            "cite": citing.text(
                found.title, request.build_absolute_uri(found.get_absolute_url()), timezone.localdate()
            ),
            "reconciliation": numbers,
            "participations": sorted(found.participations.all(), key=_role),
            "topics": _topics(citations),
            "notes": Notes(citation for citation in citations if not citation.topic),
            "others": [
                *(citation for citation in citations if citation.topic),
                *(row for statement in numbers.statements for row in statement.rows),
            ],
            "page": page,
            "problems": problems,
        },
        status=HTTPStatus.OK if page else HTTPStatus.BAD_REQUEST,
    )


@reader
def event_history(request: Any, rid: str) -> HttpResponse:
    """Of the event and of the numbers reported of it; each release has its history on its person's page."""
    using = request.audience
    found = get_object_or_404(ReleaseEvent.objects.using(using), rid=rid)
    figures = ReportedFigure.objects.using(using).filter(event=found).order_by().values("pk")
    changes = history.shown(found, v.Audience(using), {ReportedFigure: figures})
    context = {"title": found.title, "back": found.get_absolute_url(), "page": paged(request, changes)}
    return render(request, "tracker/history.html", context)


def _role(participation: Any) -> tuple[int, str]:
    return v.EventRole.codes().index(participation.role), str(participation)


def _topics(citations: list[Any]) -> list[tuple[v.CitationTopic, list[Any]]]:
    """What is said of the group and is no count, in the order of the topics."""
    said = [(topic, [citation for citation in citations if citation.topic == topic]) for topic in v.CitationTopic]
    return [(topic, found) for topic, found in said if found]


def _dressed(rows: QuerySet[Any]) -> QuerySet[Any]:
    """With the person and the journey of each."""
    return rows.select_related("person", "event").prefetch_related("person__names", "legs__authority")


@reader
def releases(request: Any) -> HttpResponse:
    chosen = ReleaseFilter.of(request, Release.objects.using(request.audience))
    return show_list(request, "releases/releases.html", chosen, _dressed)
