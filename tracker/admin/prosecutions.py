"""Proceedings, verdicts, penalties."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tracker.admin.base import CitationInline, Links, PartInline, RecordAdmin, to, visible
from tracker.admin.detentions import OfPerson
from tracker.models import (
    Case,
    Charge,
    Prosecution,
    ProsecutionCitation,
    ProsecutionDetention,
    Sentence,
    Verdict,
    VerdictCitation,
)


@admin.register(Case)
class CaseAdmin(RecordAdmin):
    list_display = ("title", "number", "disclosure")
    search_fields = ("title", "number")

    def links(self, request: Any, obj: Any) -> list[Links]:
        rows = visible(obj.prosecutions.all(), request.user)
        rows = rows.select_related("person").prefetch_related("person__names")
        return [Links(_("Prosecutions"), [to(row) for row in rows[:50]])]


class ChargeInline(PartInline):
    model = Charge
    related = ("provision",)


class ProsecutionDetentionInline(PartInline):
    model = ProsecutionDetention
    related = ("detention__person",)
    prefetched = ("detention__person__names",)


class ProsecutionCitationInline(CitationInline):
    model = ProsecutionCitation


@admin.register(Prosecution)
class ProsecutionAdmin(OfPerson):
    list_display = ("person", "kind", "opened", "outcome", "closed", "review_state", "disclosure")
    list_filter = ("kind", "outcome", "disclosure")
    related = ("person", "case")
    prefetched = ("person__names",)
    inlines = (ChargeInline, ProsecutionDetentionInline, ProsecutionCitationInline)
    fieldsets = (
        (None, {"fields": (("person", "case"), ("kind", "opened"), ("outcome", "closed"), "summary")}),
        (_("What may be published"), {"fields": ("disclosure",)}),
    )

    def links(self, request: Any, obj: Any) -> list[Links]:
        verdicts = visible(obj.verdicts.all(), request.user).select_related("prosecution__person")
        rows = verdicts.prefetch_related("prosecution__person__names")
        add = f"{reverse('admin:tracker_verdict_add')}?prosecution={obj.pk}"
        return [Links(_("Of"), [to(obj.person)]), Links(_("Verdicts"), [to(row) for row in rows], add)]


class SentenceInline(PartInline):
    model = Sentence


class VerdictCitationInline(CitationInline):
    model = VerdictCitation


@admin.register(Verdict)
class VerdictAdmin(OfPerson):
    path = "prosecution__person"
    search_fields = ("prosecution__person__pid",)
    list_display = ("__str__", "court", "pronounced", "outcome", "in_absentia", "review_state", "disclosure")
    list_filter = ("instance", "outcome", "in_absentia", "disclosure")
    related = ("prosecution__person",)
    prefetched = ("prosecution__person__names",)
    inlines = (SentenceInline, VerdictCitationInline)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "prosecution",
                    ("instance", "court"),
                    ("pronounced", "in_force"),
                    ("in_absentia", "outcome"),
                )
            },
        ),
        (_("What may be published"), {"fields": ("disclosure",)}),
    )

    def links(self, request: Any, obj: Any) -> list[Links]:
        return [Links(_("Of"), [to(obj.prosecution.person), to(obj.prosecution)])]
