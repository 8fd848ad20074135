"""Numbers that somebody stated, and who may see a sealed event."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from releases import wording
from releases.forms import FigureForm
from releases.models import EventGrant, ReleaseEvent, ReportedFigure
from releases.reconciliation import as_figure, sums_of
from tracker.admin.base import ByRole, Link, Links, RecordAdmin, to
from tracker.models import User
from tracker.vocabularies import Disclosure, FigureMeasure


def of_whom(figure: ReportedFigure) -> str:
    """What the number is about, in words; reads the figure's source."""
    measured = FigureMeasure(figure.measure)
    words = [wording.scope(as_figure(figure))]
    if measured != FigureMeasure.PEOPLE:
        words.insert(0, str(measured.label).lower())
    return ", ".join(filter(None, words))


@admin.register(ReportedFigure)
class ReportedFigureAdmin(RecordAdmin):
    form = FigureForm
    list_display = ("number", "subject", "scope", "event", "outlet", "speaker", "standing", "review_state")
    list_display_links = ("number", "subject")
    list_filter = ("subject", "measure", "standing", "disclosure")
    related = ("event", "source", "origin")
    search_fields = ("group", "speaker", "stated", "source__title", "event__title")
    fieldsets = (
        (None, {"fields": ("event", "subject", "measure", ("number", "qualifier"), ("low", "high"), "stated")}),
        (
            gettext_lazy("Of whom, when"),
            {
                "fields": (
                    ("citizenships", "destinations"),
                    ("sex", "group", "counted_as"),
                    ("as_of", "period"),
                    "part_of",
                    ("parts_complete", "complete_along"),
                )
            },
        ),
        (
            gettext_lazy("Who says so"),
            {"fields": ("source", ("locator", "speaker"), "origin", "quote", ("credibility", "standing"))},
        ),
        (
            gettext_lazy("Reason, disclosure"),
            {"fields": ("reason", "reasoning", "disclosure"), "classes": ("collapse",)},
        ),
    )

    class Media:
        css = {"all": ("releases/admin/releases.css",)}

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        # of one event there are few enough to choose from a list
        return [name for name in super().get_autocomplete_fields(request) if name != "part_of"]

    @admin.display(description=gettext_lazy("of whom"))
    def scope(self, obj: ReportedFigure) -> str:
        return of_whom(obj)

    @admin.display(description=gettext_lazy("source"), ordering="source__title")
    def outlet(self, obj: ReportedFigure) -> str:
        return obj.source.publisher or obj.source.title

    def links(self, request: HttpRequest, obj: ReportedFigure) -> list[Links]:
        wholes = ReportedFigure.objects.visible_to(request.user).filter(pk__in=[obj.pk, obj.part_of_id])
        sums = sums_of(wholes.select_related("source"), "default", request.user)
        links = [Links(_("Of"), [to(obj.event)])] if obj.event else []
        if sums:
            links.append(
                Links(
                    _("Its parts"),
                    [
                        Link(f"{total.formula}. {total.result}", self.address("change", total.check.whole.id))
                        for total in sums
                    ],
                )
            )
        return links


@admin.register(EventGrant)
class EventGrantAdmin(ByRole, admin.ModelAdmin):
    """Who may see a sealed event; given by somebody who may see it."""

    list_display = ("user", "event")
    list_select_related = ("user", "event")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = User.objects.filter(is_active=True, is_staff=True).order_by("username")
        else:
            sealed = ReleaseEvent.objects.visible_to(request.user).filter(disclosure=Disclosure.SEALED)
            kwargs["queryset"] = sealed
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        return []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    # Django's own log would keep the names of sealed events where everybody reads them

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Nothing: the database keeps the history."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Nothing: the database keeps the history."""
