"""What all lists have in common, and the lists of what has no page of its own: detentions and sentences."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from tracker.access import reader
from tracker.filters import DetentionFilter, Filter, SentenceFilter
from tracker.models import Detention, Sentence
from tracker.paging import PARAMETERS, Page, Unreadable, cut


def show_list(
    request: HttpRequest,
    template: str,
    chosen: Filter,
    dressed: Callable[[QuerySet[Any]], QuerySet[Any]] = lambda rows: rows,
    beside: Callable[[Page], dict[str, Any]] = lambda _page: {},
) -> HttpResponse:
    """A list that was asked for something that cannot be read says so, and finds nothing.

    ``dressed`` adds what the rows of a page need, ``beside`` what else the page shows.
    """
    problems = []
    if unknown := chosen.unknown(PARAMETERS):
        known = ", ".join(chosen.filters)
        problems.append(
            _("This list has no filter “%(name)s”. It has: %(known)s.") % {"name": ", ".join(unknown), "known": known}
        )
    page = None
    if chosen.is_valid() and not problems:
        try:
            page = cut(request, chosen.rows, chosen.sorts, best=chosen.best, dressed=dressed)
        except Unreadable as unreadable:
            problems.append(str(unreadable))
    context = {"filter": chosen, "page": page, "problems": problems, **(beside(page) if page else {})}
    return render(request, template, context, status=HTTPStatus.OK if page else HTTPStatus.BAD_REQUEST)


@reader
def detentions(request: Any) -> HttpResponse:
    chosen = DetentionFilter.of(request, Detention.objects.using(request.audience))
    return show_list(
        request,
        "tracker/detentions.html",
        chosen,
        lambda rows: rows.select_related("person").prefetch_related("person__names", "placements__facility"),
    )


@reader
def sentences(request: Any) -> HttpResponse:
    chosen = SentenceFilter.of(request, Sentence.objects.using(request.audience))
    return show_list(
        request,
        "tracker/sentences.html",
        chosen,
        lambda rows: rows.select_related("verdict__prosecution__person").prefetch_related(
            "verdict__prosecution__person__names", "verdict__prosecution__charges__provision"
        ),
    )
