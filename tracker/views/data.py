"""The files: what there is, and each of them."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import IO, Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from releases.filters import EventFilter, ReleaseFilter
from tracker import citing, clocks, comparing, downloads, export, package
from tracker import codebook as codebooks
from tracker import vocabularies as v
from tracker.access import reader
from tracker.columns import Table
from tracker.computed import Computed
from tracker.filters import DetentionFilter, Filter, PersonFilter, SentenceFilter, SourceFilter, SpellFilter
from tracker.models import DataRelease
from tracker.models.data_releases import CHANGES, CHUNK, PACKAGE
from tracker.paging import COUNTED

FILTERS: dict[str, type[Filter]] = {
    "persons": PersonFilter,
    "persons_flat": PersonFilter,
    "custody_monthly": PersonFilter,
    "in_custody": PersonFilter,
    "detentions": DetentionFilter,
    "custody_spells": SpellFilter,
    "sentences": SentenceFilter,
    "releases": ReleaseFilter,
    "releases_flat": ReleaseFilter,
    "release_events": EventFilter,
    "sources": SourceFilter,
}


@reader
def data(request: Any) -> HttpResponse:
    audience = v.Audience(request.audience)
    today = timezone.now().date()
    example = f"{reverse('table_csv', args=['persons'])}?sex=female"
    address = request.build_absolute_uri(reverse("table_csv", args=["persons"]))
    with translation.override("en"):
        citation = citing.text(f"Data, {audience} files, table persons", address, today)
    releases = DataRelease.objects.using(audience).select_related("reissue_of").newest_first()
    due = set(DataRelease.objects.using(audience).due().values_list("pk", flat=True))
    return render(
        request,
        "tracker/data.html",
        {
            "tables": [(table, _number(table, audience)) for table in export.tables_for(audience)],
            "counted": COUNTED,
            "filtered": [
                ([name for name, one in FILTERS.items() if one is filters], list(_fields(filters)))
                for filters in dict.fromkeys(FILTERS.values())
            ],
            "versions": [(release, release.pk in due) for release in releases],
            "audience": audience,
            "citation": citation,
            "example": example,
            "example_address": request.build_absolute_uri(example),
            "known_at_address": f"{address}?known_at={(today - timedelta(days=1)).isoformat()}",
        },
    )


def _number(table: Table, audience: v.Audience) -> int | None:
    """How many rows, or one more than are counted; None where only making the file would tell."""
    if isinstance(table, Computed) and not table.one_each:
        return None
    return sum(rows.values("pk")[: COUNTED + 1].count() for rows in table.querysets(audience))


def _fields(filters: type[Filter]) -> Iterator[tuple[str, str]]:
    """Each parameter of a filter, and what it is called."""
    for name, one in filters.base_filters.items():
        yield name, str(one.label or name)


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
    rows: Any = table.models[0].objects  # type: ignore[attr-defined]
    chosen = filters.of(request, rows.using(audience), today=export.day_of(known_at) if known_at else None)
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
    filename = export.filename(table, excel=excel == "1")
    blocks = export.stream(
        table, audience, only, excel=excel == "1", on=chosen.form.cleaned_data.get("on"), known_at=known_at
    )
    question = downloads.question(request.GET, chosen.form.fields, plain=("excel", "known_at"))
    blocks = downloads.logged(request, blocks, what=filename, asked=question)
    return _file(blocks, filename, "text/csv; charset=utf-8")


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
        written = package.write(file, audience, moment)
    size = file.tell()
    file.seek(0)
    rows = sum(one.rows or 0 for one in written.files)
    blocks = downloads.logged(request, _read(file), what="package.zip", asked=request.GET.urlencode(), rows=rows)
    response = _file(blocks, "package.zip", "application/zip")
    response["Content-Length"] = str(size)
    return response


def _read(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(CHUNK):
            yield block


@reader
def codebook(request: Any) -> HttpResponse:
    text = codebooks.text(export.TABLES, v.Audience(request.audience))
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@reader
def data_release(request: Any, version: str) -> HttpResponse:
    release = _release(request, version)
    if release is None:
        return _refuse(request, [_("There is no version “%(name)s”.") % {"name": version}], HTTPStatus.NOT_FOUND)
    with translation.override("en"):
        citation = citing.text(
            f"Data, {request.audience} files",
            request.build_absolute_uri(release.get_absolute_url()),
            release.moment.date(),
            version=release.version,
        )
    family = DataRelease.objects.using(request.audience).family(release).newest_first()
    return render(
        request,
        "tracker/data_release.html",
        {
            "release": release,
            "others": [one for one in family if one != release],
            "is_due": DataRelease.objects.using(request.audience).due().filter(pk=release.pk).exists(),
            "changes": list(comparing.sentences(release.changes)),
            "citation": citation,
            "audience": v.Audience(request.audience),
        },
    )


@reader
def data_release_file(request: Any, version: str, name: str) -> HttpResponseBase:
    """The package of a version, or the list of what changed."""
    release = _release(request, version)
    if release is None:
        return _refuse(request, [_("There is no version “%(name)s”.") % {"name": version}], HTTPStatus.NOT_FOUND)
    if name not in {PACKAGE, CHANGES} or (name == CHANGES and not release.changes["since"]):
        sentence = _("Version %(version)s has no file “%(name)s”.") % {"version": version, "name": name}
        return _refuse(request, [sentence], HTTPStatus.NOT_FOUND)
    if release.withdrawn_on:
        sentence = _("Version %(name)s is withdrawn, and its files are gone.") % {"name": version}
        return _refuse(request, [sentence], HTTPStatus.GONE)
    # both audiences have versions of the same number, and they are two
    filename = f"{request.audience}-{version}-{name}"
    is_table = name == CHANGES
    blocks = downloads.logged(request, release.content(name), what=filename, rows=None if is_table else release.rows)
    response = _file(blocks, filename, "text/csv; charset=utf-8" if is_table else "application/zip")
    if not is_table:
        response["Content-Length"] = str(release.size)
    return response


@reader
def data_releases_csv(request: Any) -> HttpResponse:
    """The list of versions, for machines."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="versions.csv"'
    lines = csv.writer(response)
    lines.writerow(["version", "data_of", "frozen_on", "bytes", "rows", "sha256", "withdrawn_on", "instead_of", "url"])
    for release in DataRelease.objects.using(request.audience).select_related("reissue_of").newest_first():
        url = reverse("data_release_file", args=[release.version, PACKAGE])
        lines.writerow(
            [
                release.version,
                release.moment.date().isoformat(),
                release.frozen_at.date().isoformat(),
                release.size,
                release.rows,
                release.sha256,
                release.withdrawn_on.isoformat() if release.withdrawn_on else "",
                release.reissue_of.version if release.reissue_of else "",
                "" if release.withdrawn_on else request.build_absolute_uri(url),
            ]
        )
    return response


def _release(request: Any, version: str) -> DataRelease | None:
    found: DataRelease | None = (
        DataRelease.objects.using(request.audience).select_related("reissue_of").filter(version=version).first()
    )
    return found


def _file(blocks: Iterator[bytes], filename: str, kind: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(blocks, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _refuse(request: HttpRequest, sentences: list[str], status: HTTPStatus) -> HttpResponse:
    return render(request, "tracker/refused.html", {"sentences": sentences, "status": status}, status=status)
