"""Release events: what is reported beside what is logged, and who had which part in it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from releases import reconciliation
from releases.admin.figures import of_whom
from releases.admin.journeys import Journeys
from releases.admin.notes import box
from releases.models import (
    Concession,
    EventRelation,
    OutsideRemit,
    Participation,
    Release,
    ReleaseEvent,
    ReleaseEventCitation,
    ReportedFigure,
    Sitting,
)
from tracker import acts
from tracker.admin.base import CitationInline, PartInline, RecordAdmin
from tracker.models.rules import explain
from tracker.vocabularies import ActKind

#: so many releases and figures stand on an event's page; the list has them all
SHOWN = 100


class EventRelationInline(PartInline):
    model = EventRelation
    fk_name = "event"
    related = ("other",)


class ParticipationInline(PartInline):
    model = Participation
    related = ("organisation",)


class ConcessionInline(PartInline):
    model = Concession


class OutsideRemitInline(PartInline):
    model = OutsideRemit
    fields = ("low", "high", "why", "citizenships", "destinations", "sex")


class ReleaseEventCitationInline(CitationInline):
    model = ReleaseEventCitation
    # of an event much is said: dozens of rows, each as tall as a hand
    classes = ("collapse",)


@admin.register(ReleaseEvent)
class ReleaseEventAdmin(Journeys, RecordAdmin):
    change_form_template = "admin/releases/event.html"
    inlines = (
        EventRelationInline,
        ParticipationInline,
        ConcessionInline,
        OutsideRemitInline,
        ReleaseEventCitationInline,
    )
    fieldsets = (
        (
            None,
            {"fields": ("title", ("announced", "happened"), "legal_bases", ("mechanism", "country"), "summary")},
        ),
        (_("What may be published"), {"fields": ("disclosure",)}),
    )
    list_display = ("title", "announced", "happened", "mechanism", "reconciled", "review_state", "disclosure")
    list_filter = ("mechanism", "disclosure")
    search_fields = ("title", "rid")

    class Media:
        css = {"all": ("releases/admin/releases.css",)}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.sum_view)
        return [path("<path:object_id>/sum/", view, name="releases_releaseevent_sum"), *super().get_urls()]

    # Lists

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changes = super().get_changelist_instance(request)
        found = reconciliation.of_events(list(changes.result_list), "default", request.user)
        for event, line in zip(changes.result_list, found, strict=True):
            event.line = line.in_one_line
        return changes

    @admin.display(description=_("how far it reconciles"))
    def reconciled(self, obj: Any) -> str:
        return getattr(obj, "line", "")

    # The page

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj is not None and not context.get("is_popup"):
            stored = ReleaseEvent.objects.get(pk=obj.pk)
            context.update(self.beside(request, stored))
        return super().render_change_form(request, context, *args, **kwargs)

    def beside(self, request: Any, event: ReleaseEvent) -> dict[str, Any]:
        """What stands above the form: the reconciliation, the figures it is made of, the releases."""
        given = urlencode({"event": str(event.pk)})
        releases = Release.objects.visible_to(request.user).filter(event=event).select_related("person")
        figures = ReportedFigure.objects.visible_to(request.user).filter(event=event).select_related("source")
        shown: list[Any] = list(figures[:SHOWN])
        for figure in shown:
            figure.said_of = of_whom(figure)
        return {
            "notes": box(request.user, event),
            "reconciliation": reconciliation.of_event(event, "default", request.user),
            "releases": releases.prefetch_related("person__names", "legs")[:SHOWN],
            "releases_number": releases.count(),
            "figures": shown,
            "figures_number": figures.count(),
            "log_release": f"{reverse('admin:releases_release_add')}?{given}",
            "log_list": f"{reverse('admin:releases_sitting_add')}?{given}",
            "sittings": Sitting.objects.visible_to(request.user).filter(event=event).with_left(request.user),
            "add_figure": f"{reverse('admin:releases_reportedfigure_add')}?{given}",
            "all_releases": f"{reverse('admin:releases_release_changelist')}?event__id__exact={event.pk}",
            "all_figures": f"{reverse('admin:releases_reportedfigure_changelist')}?event__id__exact={event.pk}",
        }

    def sum_view(self, request: Any, object_id: str) -> HttpResponse:
        """Records one of the sums that the page proposes."""
        event = self.get_object(request, unquote(object_id))
        if event is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        if request.method != "POST" or not self.has_change_permission(request, event):
            raise PermissionDenied
        found = reconciliation.of_event(event, "default", request.user)
        total = next((one for one in found.proposed_sums if one.key == request.POST.get("sum")), None)
        back = HttpResponseRedirect(self.address("change", quote(event.pk)))
        if total is None:
            messages.error(request, gettext("This is recorded, or the figures have changed since. Look again."))
            return back
        whole, *parts = (found.rows[figure.id] for figure in (total.check.whole, *total.check.parts))
        try:
            with acts.doing(ActKind.SUM, by=request.user, why=total.formula):
                whole.add_up(parts, along=str(total.check.dimension))
        except IntegrityError as error:
            messages.error(request, str(explain(error).sentence))
        else:
            messages.success(request, gettext("Recorded: %(sum)s") % {"sum": total.formula})
        return back
