"""The files: what there is, and each of them."""

from __future__ import annotations

import tempfile
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from releases.filters import EventFilter, ReleaseFilter
from tracker import clocks, export, package
from tracker import codebook as codebooks
from tracker import vocabularies as v
from tracker.access import reader
from tracker.filters import Filter, PersonFilter, SourceFilter

FILTERS: dict[str, type[Filter]] = {
    "persons": PersonFilter,
    "persons_flat": PersonFilter,
    "custody_monthly": PersonFilter,
    "in_custody": PersonFilter,
    "releases": ReleaseFilter,
    "releases_flat": ReleaseFilter,
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
    known_at, unreadable = _known_at(request, audience)
    problems += unreadable
    filters = FILTERS.get(table.name, _NoFilter)
    chosen = filters.of(request, table.models[0].objects.using(audience))  # type: ignore[attr-defined]
    if known_at and "on" in chosen.filters and not request.GET.get("on"):
        chosen.data = chosen.data.copy()
        chosen.data["on"] = export.day_of(known_at).isoformat()  # what is told of today otherwise
    if unknown := chosen.unknown({"excel", "known_at"}):
        known = ", ".join(chosen.filters) or _("none")
        problems.append(
            _("This table has no filter “%(name)s”. It has: %(known)s.") % {"name": ", ".join(unknown), "known": known}
        )
    problems += [f"{label}: {sentence}" for label, sentence in chosen.problems]
    if problems:
        return _refuse(request, problems, HTTPStatus.BAD_REQUEST)
    if chosen.query:
        only = chosen.rows
    blocks = export.stream(
        table, audience, only, excel=excel == "1", on=chosen.form.cleaned_data.get("on"), known_at=known_at
    )
    response = StreamingHttpResponse(blocks, content_type="text/csv; charset=utf-8")
    filename = export.filename(table, excel=excel == "1")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _known_at(request: HttpRequest, audience: v.Audience) -> tuple[datetime | None, list[str]]:
    """The moment asked for, and why it cannot be answered."""
    if not (asked := request.GET.get("known_at")):
        return None, []
    try:
        moment = clocks.parse(asked)
        clocks.check(audience, moment)
    except clocks.Refused as refusal:
        return None, [f"known_at: {refusal}"]
    return moment, []


class _NoFilter(Filter):
    """A table without a list."""


@reader
def package_zip(request: Any) -> HttpResponseBase:
    """All files of this moment, from a temporary file that is gone when it has been read."""
    audience = v.Audience(request.audience)
    if unknown := ", ".join(name for name in request.GET if name != "known_at"):
        sentence = _("The package is always whole: leave “%(name)s” away.") % {"name": unknown}
        return _refuse(request, [sentence], HTTPStatus.BAD_REQUEST)
    known_at, problems = _known_at(request, audience)
    if problems:
        return _refuse(request, problems, HTTPStatus.BAD_REQUEST)
    file = tempfile.TemporaryFile(prefix="package-")  # noqa: SIM115 - the answer closes it
    with export.snapshot(audience, known_at) as moment:
        package.write(file, audience, on=export.day_of(moment))
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename="package.zip", content_type="application/zip")


@reader
def codebook(request: Any) -> HttpResponse:
    text = codebooks.text(export.TABLES, v.Audience(request.audience))
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def _refuse(request: HttpRequest, sentences: list[str], status: HTTPStatus) -> HttpResponse:
    return render(request, "tracker/refused.html", {"sentences": sentences, "status": status}, status=status)
