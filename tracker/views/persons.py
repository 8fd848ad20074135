"""Who is or was held: the list, and one person with everything that the copy holds."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control

from tracker import timeline
from tracker.access import reader
from tracker.filters import PersonFilter
from tracker.models import Person, Prosecution, Relationship, Status
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


@reader
def person(request: Any, pid: str) -> HttpResponse:
    using = request.audience
    rows: Any = Person.objects.using(using).with_status(timezone.localdate())
    found = get_object_or_404(
        rows.select_related("merged_into").prefetch_related("names", "recognitions__body", "external_identifiers"),
        pid=pid,
    )
    if found.merged_into:
        # for good, as far as anybody knows; a browser that kept it would not learn that it was taken back
        response = redirect(found.merged_into, permanent=True)
        patch_cache_control(response, no_cache=True)
        return response
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
            "timeline": timeline.of_person(found, using),
            "notes": timeline.notes_of(found, using),
        },
    )
