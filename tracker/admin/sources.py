"""Publications, and what is named again and again: organisations, facilities, provisions of law."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from tracker.admin.base import CitationInline, GrantInline, Link, Links, PartInline, RecordAdmin, to, visible
from tracker.admin.forms import RevisedForm
from tracker.models import (
    Citation,
    Facility,
    FacilityCitation,
    Grant,
    Organisation,
    OrganisationCitation,
    OrganisationName,
    Provision,
    Source,
)

#: so many records that rest on a source are listed on its page, of each kind
RESTING = 20


class SourceForm(RevisedForm):
    """A new source is as open as its kind usually is, unless somebody says otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding and "disclosure" in self.fields:
            field: Any = self.fields["disclosure"]
            field.required = False
            field.choices = [("", _("as usual for its kind")), *((code, text) for code, text in field.choices if code)]
            field.initial = self.initial["disclosure"] = ""
            field.help_text = _("Usual: staff for a letter, an interview or a court record, public for the rest.")

    def clean_disclosure(self) -> str:
        chosen = str(self.cleaned_data.get("disclosure") or "")
        return chosen or Source.usual_disclosure(str(self.cleaned_data.get("kind") or ""))


class SourceGrantInline(GrantInline):
    model = Grant


@admin.register(Source)
class SourceAdmin(RecordAdmin):
    form = SourceForm
    list_display = ("title", "publisher", "published", "kind", "language", "reliability", "disclosure")
    list_filter = ("kind", "language", "disclosure")
    search_fields = ("title", "publisher", "url", "authors")
    inlines = (SourceGrantInline,)
    fieldsets = (
        (None, {"fields": ("title", ("publisher", "kind"), ("published", "language"), "url")}),
        (_("More"), {"fields": ("authors", ("accessed", "archive_url"), "derived_from", "reliability", "note")}),
        (_("What may be published"), {"fields": ("disclosure",)}),
    )

    def links(self, request: Any, obj: Any) -> list[Links]:
        """What rests on the source, through its own reverse relations."""
        found = []
        for relation in obj._meta.related_objects:
            model = relation.related_model
            if not issubclass(model, Citation) or relation.field.name != "source":
                continue
            record = model._meta.get_field(model.owner).related_model
            if not self.admin_site.is_registered(record):
                continue
            page = self.admin_site.get_model_admin(record)
            rows = page.get_queryset(request).filter(
                pk__in=model._default_manager.filter(source=obj).values(model.owner)
            )
            links: list[Link] = [to(row) for row in rows[:RESTING]]
            if links:
                found.append(Links(str(record._meta.verbose_name_plural), links))
        repeated = visible(obj.republications.all(), request.user)
        republished = [to(row) for row in repeated[:RESTING]]
        return [*found, *([Links(_("Republished as"), republished)] if republished else [])]


class OrganisationNameInline(PartInline):
    model = OrganisationName


class OrganisationCitationInline(CitationInline):
    model = OrganisationCitation


@admin.register(Organisation)
class OrganisationAdmin(RecordAdmin):
    list_display = ("name", "kind", "country", "disclosure")
    list_filter = ("kind", "disclosure")
    search_fields = ("name", "names__text")
    inlines = (OrganisationNameInline, OrganisationCitationInline)


class FacilityCitationInline(CitationInline):
    model = FacilityCitation


@admin.register(Facility)
class FacilityAdmin(RecordAdmin):
    list_display = ("name", "number", "locality", "kind", "opened", "closed", "disclosure")
    list_filter = ("kind", "disclosure")
    search_fields = ("name", "number", "locality")
    inlines = (FacilityCitationInline,)


@admin.register(Provision)
class ProvisionAdmin(RecordAdmin):
    """Titles are working titles until somebody compares them with the official text, here in the list."""

    list_display = ("article", "title", "law", "country", "verified")
    list_editable = ("title", "verified")
    list_filter = ("law", "verified")
    search_fields = ("article", "title")
