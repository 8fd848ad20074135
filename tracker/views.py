"""The reading side: who is held and who says so. Everything is read from the copy of the reader's audience."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib.auth import views as auth
from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from releases import reconciliation, tally
from releases.filters import EventFilter, ReleaseFilter
from releases.models import ReportedFigure
from tracker import codebook as codebooks
from tracker import export, timeline
from tracker import vocabularies as v
from tracker.access import reader
from tracker.filters import Filter, PersonFilter, SourceFilter
from tracker.models import Person, Prosecution, Relationship, Source, Status
from tracker.notes import citation_models, citations_of
from tracker.paging import Concatenation, called, paged

# --- Overview


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


# --- Persons


@reader
def persons(request: Any) -> HttpResponse:
    using = request.audience
    chosen = PersonFilter.of(request, Person.objects.using(using).counted().order_by(called(using), "pid"))
    rows: Any = chosen.rows
    page = paged(request, rows.with_status(chosen.day).prefetch_related("names", "releases__legs", "releases__event"))
    return show_list(request, "tracker/persons.html", chosen, page, today=timezone.localdate())


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


# --- Sources


@reader
def sources(request: Any) -> HttpResponse:
    chosen = SourceFilter.of(request, sources_of(request.audience))
    return show_list(request, "tracker/sources.html", chosen, paged(request, chosen.rows))


def sources_of(using: str) -> QuerySet[Source]:
    return Source.objects.using(using).order_by(F("published").desc(nulls_last=True), "title", "id")


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
    return render(
        request,
        "tracker/source.html",
        {
            "source": found,
            "republications": Source.objects.using(using).filter(derived_from=found),
            "page": paged(request, Concatenation(resting)),
        },
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


# --- Data


FILTERS: dict[str, type[Filter]] = {
    "persons": PersonFilter,
    "releases": ReleaseFilter,
    "release_events": EventFilter,
    "sources": SourceFilter,
}


@reader
def data(request: Any) -> HttpResponse:
    tables = [(table, export.count(table, request.audience)) for table in export.tables_for(request.audience)]
    return render(request, "tracker/data.html", {"tables": tables, "today": timezone.localdate()})


@reader
def table_csv(request: Any, name: str) -> HttpResponseBase:
    """One table, narrowed by the same filters as its list; a question that cannot be read is not answered."""
    audience = v.Audience(request.audience)
    table = next((table for table in export.tables_for(audience) if table.name == name), None)
    if table is None:
        return _refuse(request, [_("There is no table “%(name)s”.") % {"name": name}], HTTPStatus.NOT_FOUND)
    only = None
    problems = []
    excel = request.GET.get("excel", "0")
    if excel not in {"0", "1"}:
        problems.append(_("excel=%(value)s: write 1 or 0.") % {"value": excel})
    filters = FILTERS.get(table.name, _NoFilter)
    chosen = filters.of(request, table.models[0].objects.using(audience))  # type: ignore[attr-defined]
    if unknown := chosen.unknown({"excel"}):
        known = ", ".join(chosen.filters) or _("none")
        problems.append(
            _("This table has no filter “%(name)s”. It has: %(known)s.") % {"name": ", ".join(unknown), "known": known}
        )
    problems += [f"{label}: {sentence}" for label, sentence in chosen.problems]
    if problems:
        return _refuse(request, problems, HTTPStatus.BAD_REQUEST)
    if chosen.query:
        only = chosen.rows
    response = StreamingHttpResponse(
        export.stream(table, audience, only, excel=excel == "1"), content_type="text/csv; charset=utf-8"
    )
    filename = export.filename(table, excel=excel == "1")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


class _NoFilter(Filter):
    """A table without a list."""


@reader
def codebook(request: Any) -> HttpResponse:
    text = codebooks.text(export.TABLES, v.Audience(request.audience))
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def _refuse(request: HttpRequest, sentences: list[str], status: HTTPStatus) -> HttpResponse:
    return render(request, "tracker/refused.html", {"sentences": sentences, "status": status}, status=status)


def show_list(request: HttpRequest, template: str, chosen: Filter, page: Any, **context: Any) -> HttpResponse:
    """A list that was asked for something that cannot be read says so, and finds nothing."""
    status = HTTPStatus.OK if chosen.is_valid() else HTTPStatus.BAD_REQUEST
    return render(request, template, {"filter": chosen, "page": page, **context}, status=status)


# --- Coming and going

login = auth.LoginView.as_view(template_name="tracker/login.html")


@never_cache
def logout(request: HttpRequest) -> HttpResponseBase:
    """Asks first: a link on every page needs no form on every page, and no page carries a token of its own."""
    if request.method == "POST":
        return auth.LogoutView.as_view()(request)
    return render(request, "tracker/logout.html")
