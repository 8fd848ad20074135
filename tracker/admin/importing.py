"""A spreadsheet uploaded, looked at, and imported: the same as ``manage.py import``, in two steps."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.acts import named
from tracker.admin.base import Link, to, visible
from tracker.admin.widgets import SearchSelect, search_of
from tracker.importing import Order, Result, run
from tracker.importing.layout import TABLES, table_of
from tracker.importing.reading import Change
from tracker.models import Part, PersonCitation, Record, Source, Upload

#: in bytes; larger ones are imported at the command line, which holds no file in memory
LARGEST = 20_000_000


class UploadForm(forms.Form):
    # without scripts the list of sources stays empty, and a text is searched for instead
    use_required_attribute = False

    what = forms.ChoiceField(label=gettext_lazy("What it holds"))
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or XLSX with the columns of the staff's export. Columns may be left out."),
    )
    locator = forms.CharField(
        label=gettext_lazy("Where in the source"),
        required=False,
        help_text=gettext_lazy("Table 2, page 5. A row may say its own in a column “locator”."),
    )

    def __init__(self, request: Any) -> None:
        posted = request.method == "POST"
        super().__init__(request.POST if posted else None, request.FILES if posted else None)
        what: Any = self.fields["what"]
        what.choices = [("", "---------"), *((name, name.replace("_", " ")) for name in TABLES)]
        self.fields["source"] = forms.ModelChoiceField(
            visible(Source.objects.all(), request.user),
            label=gettext_lazy("Source"),
            required=False,
            widget=SearchSelect(PersonCitation._meta.get_field("source"), admin.site),
            help_text=gettext_lazy(
                "Who says so, for new rows and changed columns. A row may name its own in a column “source”."
            ),
        )
        self.order_fields(["what", "file", "source", "locator"])

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(
                _("The file is larger than %(size)d MB. Divide it, or have it imported at the command line.")
                % {"size": LARGEST // 1_000_000}
            )
        return file

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        search = search_of(self.fields["source"].widget)
        if search is not None and search.problem:
            self.add_error("source", search.problem)
        return cleaned


def import_view(request: Any) -> HttpResponse:
    form = UploadForm(request)
    if form.is_bound and form.is_valid():
        Upload.objects.expired().delete()
        file, source = form.cleaned_data["file"], form.cleaned_data["source"]
        upload = Upload.objects.create(
            by=request.user,
            what=form.cleaned_data["what"],
            name=file.name,
            source=source and source.pk,
            locator=form.cleaned_data["locator"],
            content=file.read(),
        )
        return HttpResponseRedirect(reverse("admin:tracker_import_preview", args=[upload.pk]))
    return _page(request, "import", title=_("Import a spreadsheet"), form=form)


def preview_view(request: Any, upload: UUID) -> HttpResponse:
    """What the file would change, or what is wrong with it; a POST imports it."""
    Upload.objects.expired().delete()
    kept = get_object_or_404(Upload.objects.filter(by=request.user), pk=upload)
    if request.POST.get("step") == "drop":
        kept.delete()
        return HttpResponseRedirect(reverse("admin:tracker_import"))
    commit = request.method == "POST"
    order = Order(kept.what, request.user, name=kept.name, source=str(kept.source or ""), locator=kept.locator)
    expect = request.POST.get("fingerprint") or "none"
    try:
        result = run(io.BytesIO(kept.content), order, commit=commit, expect=expect if commit else "")
    except OperationalError:
        messages.error(request, _("Somebody is writing to the same rows. Nothing was saved: try again."))
        return HttpResponseRedirect(reverse("admin:tracker_import"))
    if result.context:
        kept.delete()
        messages.success(request, _("The file is imported. Readers see it when a second person has published it."))
        return HttpResponseRedirect(reverse("admin:tracker_act", args=[result.context]))
    source = visible(Source.objects.filter(pk=kept.source), request.user).first() if kept.source else None
    return _page(
        request,
        "import_preview",
        title=_("Import: preview"),
        upload=kept,
        source=source,
        result=result,
        more_problems=result.wrong - len(result.problems),
        lines=_lines(result, request),
        more_changes=result.changed + result.added - len(result.changes),
        something=result.changed + result.added,
    )


@dataclass(frozen=True)
class Line:
    change: Change
    record: Link | None


def _lines(result: Result, request: HttpRequest) -> list[Line]:
    """The first changes, each with the record it is made on. The number of queries does not depend on how many."""
    model: Any = table_of(result.table).model
    keys = {change.id: change.id for change in result.changes if not change.is_new}
    if issubclass(model, Part):
        keys = dict(model._base_manager.filter(pk__in=keys).values_list("pk", f"{model.owner}_id"))
        model = model._meta.get_field(model.owner).related_model
    assert issubclass(model, Record)
    rows = visible(model._default_manager.filter(pk__in=keys.values()), request.user)
    records = {row.pk: to(row) for row in named(rows)}
    return [Line(change, records.get(keys.get(change.id))) for change in result.changes]


def _page(request: Any, template: str, **context: Any) -> HttpResponse:
    request.current_app = admin.site.name
    return TemplateResponse(request, f"admin/{template}.html", {**admin.site.each_context(request), **context})
