"""The files: what there is, and each of them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from releases.filters import EventFilter, ReleaseFilter
from tracker import codebook as codebooks
from tracker import export
from tracker import vocabularies as v
from tracker.access import reader
from tracker.filters import DetentionFilter, Filter, PersonFilter, SentenceFilter, SourceFilter

FILTERS: dict[str, type[Filter]] = {
    "persons": PersonFilter,
    "detentions": DetentionFilter,
    "sentences": SentenceFilter,
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
