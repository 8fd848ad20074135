"""Publications, and all that rests on one of them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from releases.models import ReportedFigure
from tracker import citing, history
from tracker import vocabularies as v
from tracker.access import reader
from tracker.filters import SourceFilter
from tracker.models import Person, Source
from tracker.notes import citation_models, citations_of
from tracker.paging import Concatenation, paged
from tracker.views.lists import show_list


@reader
def sources(request: Any) -> HttpResponse:
    chosen = SourceFilter.of(request, Source.objects.using(request.audience))
    return show_list(request, "tracker/sources.html", chosen)


@reader
def source(request: Any, pk: Any) -> HttpResponse:
    using = request.audience
    found = get_object_or_404(Source.objects.using(using).select_related("derived_from"), pk=pk)
    here = Q(source=found) | Q(origin=found)
    figures = ReportedFigure.objects.using(using).filter(here).select_related("source", "event")
    resting = [
        *(_with_records(citations_of(model, using).filter(here), model.owner) for model in citation_models()),
        figures.order_by("subject", "id"),
    ]
    address = request.build_absolute_uri(reverse("source", args=[found.pk]))
    return render(
        request,
        "tracker/source.html",
        {
            "source": found,
            "cite": citing.text(str(found), address, timezone.localdate()),
            "republications": Source.objects.using(using).filter(derived_from=found),
            "page": paged(request, Concatenation(resting)),
        },
    )


@reader
def source_history(request: Any, pk: Any) -> HttpResponse:
    found = get_object_or_404(Source.objects.using(request.audience), pk=pk)
    changes = history.shown(found, v.Audience(request.audience))
    back = reverse("source", args=[found.pk])
    return render(
        request, "tracker/history.html", {"title": found.title, "back": back, "page": paged(request, changes)}
    )


def _with_records(rows: QuerySet[Any], owner: str) -> QuerySet[Any]:
    """With the records that are cited, and the persons these are about: a record is called by its person's name."""
    path, model = owner, rows.model._meta.get_field(owner).related_model
    while model is not Person and any(above in {"person", "prosecution"} for above in getattr(model, "below", ())):
        above = model.below[0]
        path, model = f"{path}__{above}", model._meta.get_field(above).related_model
    rows = rows.select_related(path)
    if model is Person:
        rows = rows.prefetch_related(f"{path}__names")
    return rows.order_by(f"{owner}_id", "about", "id")
