"""Who is or was held: the list, and one person with everything that the copy holds."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control

from releases.models import Release
from tracker import citing, history, timeline
from tracker import vocabularies as v
from tracker.access import reader
from tracker.filters import PersonFilter
from tracker.models import Detention, Person, Prosecution, Relationship, Status, Verdict
from tracker.paging import paged
from tracker.views.lists import show_list


@reader
def persons(request: Any) -> HttpResponse:
    using = request.audience
    chosen = PersonFilter.of(request, Person.objects.using(using).counted())
    return show_list(
        request,
        "tracker/persons.html",
        chosen,
        lambda rows: rows.with_status(chosen.day).prefetch_related("names", "releases__legs"),  # type: ignore[attr-defined]
        lambda _page: {"today": timezone.localdate()},
    )


def _kept(found: Person, name: str) -> HttpResponse:
    """For good, as far as anybody knows; a browser that kept it would not learn that it was taken back."""
    assert found.merged_into is not None
    response = redirect(name, found.merged_into.pid, permanent=True)
    patch_cache_control(response, no_cache=True)
    return response


@reader
def person(request: Any, pid: str) -> HttpResponse:
    using = request.audience
    rows: Any = Person.objects.using(using).with_status(timezone.localdate())
    found = get_object_or_404(
        rows.select_related("merged_into").prefetch_related("names", "recognitions__body", "external_identifiers"),
        pid=pid,
    )
    if found.merged_into:
        return _kept(found, "person")
    relationships = Relationship.objects.using(using).prefetch_related("person__names", "other__names")
    cases = Prosecution.objects.using(using).filter(person=found, case__isnull=False).values("case")
    together = Prosecution.objects.using(using).filter(case__in=cases).exclude(person=found)
    return render(
        request,
        "tracker/person.html",
        {
            "person": found,
            "names": [name for name in found.names.all() if name != found.primary_name],
            "status": Status(found.status),
            "today": timezone.localdate(),
            # what pointed to a merged person as well is told once
            "relationships": relationships.filter(Q(person=found) | Q(other=found))
            .filter(person__merged_into=None, other__merged_into=None)
            .order_by("kind", "id"),
            "codefendants": Person.objects.using(using)
            .filter(pk__in=together.values("person"))
            .prefetch_related("names"),
            "cite": citing.text(found.name, request.build_absolute_uri(found.get_absolute_url()), timezone.localdate()),
            "timeline": timeline.of_person(found, using),
            "notes": timeline.notes_of(found, using),
        },
    )


@reader
def person_history(request: Any, pid: str) -> HttpResponse:
    """Of the person and of all that the person's page shows."""
    using = request.audience
    found = get_object_or_404(
        Person.objects.using(using).select_related("merged_into").prefetch_related("names"), pid=pid
    )
    if found.merged_into:
        return _kept(found, "person_history")
    below: dict[Any, Any] = {
        model: model._default_manager.using(using).filter(**{path: found}).order_by().values("pk")
        for model, path in (
            (Detention, "person"),
            (Prosecution, "person"),
            (Verdict, "prosecution__person"),
            (Release, "person"),
        )
    }
    changes = history.shown(found, v.Audience(using), below)
    return render(
        request,
        "tracker/history.html",
        {"title": found.name, "back": found.get_absolute_url(), "page": paged(request, changes)},
    )
