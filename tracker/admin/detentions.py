"""Deprivations of liberty."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from tracker.admin.base import CitationInline, Links, PartInline, RecordAdmin, to
from tracker.models import Detention, DetentionCitation, Episode, Person, Placement


class OfPerson(RecordAdmin):
    """Records that lie below a person are found by any spelling of the person's name."""

    #: the way to the person
    path: ClassVar[str] = "person"
    search_fields = ("person__pid",)
    search_help_text = _("Any spelling of the person's name")

    def get_search_results(self, request: Any, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(**{f"{self.path}__in": Person.objects.named(search_term).order_by().values("pk")}), False


class PlacementInline(PartInline):
    model = Placement
    related = ("facility",)


class EpisodeInline(PartInline):
    model = Episode


class DetentionCitationInline(CitationInline):
    model = DetentionCitation


@admin.register(Detention)
class DetentionAdmin(OfPerson):
    list_display = ("person", "started", "ended", "confirmed", "review_state", "disclosure")
    list_filter = ("end_reason", "disclosure")
    related = ("person",)
    prefetched = ("person__names",)
    inlines = (PlacementInline, EpisodeInline, DetentionCitationInline)
    fieldsets = (
        (None, {"fields": ("person", ("started", "ended", "end_reason"), ("confirmed", "authority"), "allegation")}),
        (_("What may be published"), {"fields": ("disclosure",)}),
    )

    def links(self, request: Any, obj: Any) -> list[Links]:
        return [Links(_("Of"), [to(obj.person)])]
