"""Logging one release: one form on one page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connections, router
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from releases import logging
from releases.forms import LegFormSet, ReleaseCitationForm, ReleaseForm
from releases.models import Leg, Release, ReleaseCitation, ReleaseEvent
from releases.preview import Preview, preview
from tracker import review
from tracker.admin.base import CitationInline, Links, PartInline, RecordAdmin, to
from tracker.admin.citations import LAST_SOURCE, PLACE, About
from tracker.admin.forms import attempt_of, stale_sentence
from tracker.admin.reviewing import STEPS, versions
from tracker.models import Person, Reviewed
from tracker.names import clean
from tracker.vocabularies import ReviewState

#: saves, and opens the form again with what the next person of the same event has in common with this one
NEXT = "_next"
PREVIEW = "_preview"
#: the release that a new one follows
AFTER = "after"


class Previewed(Exception):
    """Carries a preview out of the transaction that is rolled back with all that was saved for it."""

    def __init__(self, seen: Preview) -> None:
        self.seen = seen


class LegInline(PartInline):
    model = Leg
    formset = LegFormSet
    related = ("authority",)
    fields = ("kind", "countries", "place", "happened", "status", "authority", "position")

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 1 if obj else 2


class ReleaseCitationInline(CitationInline):
    model = ReleaseCitation
    form = ReleaseCitationForm

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 1 if obj else 2

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        new = {"fields": list(ReleaseCitationForm.NEW_SOURCE), "classes": ["collapse", "for-new"]}
        more = ["as_of", "origin", "quote", "credibility", "reason", "reasoning", "disclosure"]
        return [
            (None, {"fields": ["source"]}),
            (_("New source"), new),
            (None, {"fields": ["locator", "speaker", "stated", "standing", "about"]}),
            (_("Day, origin, quote, reason"), {"fields": more, "classes": ["collapse"]}),
        ]


@admin.register(Release)
class ReleaseAdmin(RecordAdmin):
    form = ReleaseForm
    change_form_template = "admin/releases/release.html"
    inlines = (LegInline, ReleaseCitationInline)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "event",
                    "person",
                    ("released_on", "outcome"),
                    "legal_bases",
                    "departure",
                    "conditions",
                    "ends",
                )
            },
        ),
        (gettext_lazy("Note and disclosure"), {"fields": ("note", "disclosure"), "classes": ("collapse",)}),
    )
    list_display = ("person", "event", "released_on", "outcome", "way_out", "review_state", "disclosure")
    list_filter = ("outcome", "departure", "disclosure")
    related = ("person", "event", "detention")
    prefetched = ("person__names", "legs")
    search_fields = ("person__pid",)
    search_help_text = gettext_lazy("Any spelling of the person's name")

    class Media:
        css = {"all": ("releases/admin/releases.css",)}
        js = ("releases/admin/logging.js",)

    # Lists

    def get_search_results(self, request: Any, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(person__in=Person.objects.named(search_term).order_by().values("pk")), False

    @admin.display(description=gettext_lazy("way out"))
    def way_out(self, obj: Release) -> str:
        return " → ".join(leg.destination for leg in obj.legs.all())

    def links(self, request: HttpRequest, obj: Release) -> list[Links]:
        return [Links(_("Of"), [to(obj.person), *([to(obj.event)] if obj.event else [])])]

    # The page

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the address gives; after another release of the same event, all that the two have in common."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)  # type: ignore[assignment]
        before = self.before(request)
        if before:
            names = ("event", "released_on", "outcome", "legal_bases", "departure", "disclosure")
            return {**{name: getattr(before, name) for name in names}, **initial}
        event = self._event_of(request, initial.get("event"))
        if event:
            initial.setdefault("released_on", event.happened)
            initial.setdefault("legal_bases", event.legal_bases)
        return initial

    def _event_of(self, request: HttpRequest, key: Any) -> Any:
        return _found(ReleaseEvent.objects.visible_to(request.user), key)

    def before(self, request: HttpRequest) -> Any:
        """The release that the new one follows, if this account may see it."""
        rows = Release.objects.visible_to(request.user).prefetch_related("legs", "citations")
        return _found(rows, request.GET.get(AFTER))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.viewer = request.user
        form.held = hasattr(request, "_seen")
        first = "person" if request.GET.get("event") or request.GET.get(AFTER) else "event"
        if not change and request.method == "GET":
            form.base_fields[first].widget.widget.attrs["autofocus"] = True
        return form

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        options: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        before = self.before(request) if request.method == "GET" and AFTER in request.GET else None
        if before:
            rows = _legs_again(before) if inline.model is Leg else _citations_again(before)
            # compared with nothing when they are sent: all of them are new
            options["initial"] = rows
        return options

    def changeform_view(
        self, request: Any, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        last_source = request.session.get(LAST_SOURCE)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Previewed as previewed:
            request.session[LAST_SOURCE] = last_source
            request._seen = previewed.seen
        # once more, from what was typed: what was saved for the preview is gone
        return super().changeform_view(request, object_id, form_url, extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        context["preview"] = getattr(request, "_seen", None)
        context["before"] = None if obj else self.before(request)
        if obj is not None:
            stored = Release.objects.select_related("detention").get(pk=obj.pk)
            context["detention"] = stored.detention
            context["disagreements"] = logging.disagreements(stored)
        return super().render_change_form(request, context, *args, **kwargs)

    # Saving

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with attempt_of(request).saving(form):
            logging.begin(obj, form.plan)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if PREVIEW in request.POST:
            self.preview_related(request, form, formsets, change)
        super().save_related(request, form, formsets, change)
        logging.finish(form.instance, form.plan)
        if form.plan.ended:
            messages.info(request, _("The detention %(span)s ends with it.") % {"span": form.plan.detention.span})

    def preview_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """As it is saved, but for the copies: a disclosure that is only tried out takes nothing from readers."""
        attempt = attempt_of(request)
        attempt.form, attempt.formsets = form, list(formsets)
        admin.ModelAdmin.save_related(self, request, form, formsets, change)
        logging.finish(form.instance, form.plan)
        connections[router.db_for_write(self.model)].check_constraints()
        raise Previewed(preview(form.instance))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return self._onward(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._onward(request, obj) or super().response_change(request, obj)

    def _onward(self, request: HttpRequest, obj: Release) -> HttpResponse | None:
        """Where the evening goes on: to the next person, to what was submitted, or back to the event."""
        if NEXT in request.POST:
            messages.success(request, _("Saved as a draft: %(release)s.") % {"release": obj})
            return HttpResponseRedirect(f"{self.address('add')}?{urlencode({AFTER: str(obj.pk)})}")
        if "_submit" in request.POST:
            return HttpResponseRedirect(self.address("change", quote(obj.pk)))
        if "_save" in request.POST and obj.event_id:
            messages.success(request, _("Saved as a draft: %(release)s.") % {"release": obj})
            return HttpResponseRedirect(reverse("admin:releases_releaseevent_change", args=[obj.event_id]))
        return None

    # Review: the detention that a release ended goes with it

    def panel(self, request: Any, obj: Any) -> dict[str, Any]:
        panel = super().panel(request, obj)
        stored = Release.objects.select_related("detention").get(pk=obj.pk)
        step = "publish" if panel["state"] == ReviewState.SUBMITTED else "submit"
        records = logging.act(stored, step)
        if len(records) == 1:
            return panel
        own_missing = panel["missing"]
        panel["missing"] = list(dict.fromkeys(sentence for record in records for sentence in review.missing(record)))
        if panel["missing"] and not own_missing:
            panel["steps"] = [one for one in panel["steps"] if one.name != "submit"]
        if panel["state"] == ReviewState.SUBMITTED and request.user.is_reviewer:
            obstacles = review.obstacles(records, by=request.user)
            panel["obstacles"] = [sentence for sentence in obstacles if sentence not in panel["missing"]]
            others = [one for one in panel["steps"] if one.name != "publish"]
            panel["steps"] = others if obstacles else [*others, STEPS["publish"]]
        for record in records[:-1]:
            if record.published_at:
                panel["difference"] = [*review.difference(record, viewer=request.user), *panel["difference"]]
        panel["together"] = [to(record) for record in records[:-1]]
        panel["version"] = _version(records)
        return panel

    def review_view(self, request: Any, object_id: str) -> HttpResponse:
        obj: Any = self.get_object(request, unquote(object_id))
        name = request.POST.get("step", "")
        records = logging.act(obj, name) if obj and request.method == "POST" and name in STEPS else []
        if name == "withdraw" and obj and obj.detention and obj.detention.published_at and obj.detention.ended:
            messages.warning(
                request,
                _("The detention that it ended stays as readers see it: %(span)s. Withdraw or correct it as well.")
                % {"span": obj.detention.span},
            )
        if len(records) < 2:
            return super().review_view(request, object_id)
        step = STEPS[name]
        if not self.has_change_permission(request, obj) or not step.open_to(request.user):
            raise PermissionDenied
        why = clean(request.POST.get("why", ""))
        sentences = [stale_sentence()]
        if request.POST.get("version") == _version(records):
            sentences = step.run(records, by=request.user, why=why)
        for sentence in sentences:
            messages.error(request, sentence)
        if sentences and why:
            messages.warning(request, _("You wrote: %(why)s") % {"why": why})
        if not sentences:
            messages.success(request, step.done(len(records)))
        return HttpResponseRedirect(self.address("change", quote(obj.pk)))

    def submit_saved(self, request: Any, obj: Any) -> None:
        obj = Release.objects.select_related("detention", "person", "event").get(pk=obj.pk)
        records = logging.act(obj, "submit")
        sentences = STEPS["submit"].run(records, by=request.user)
        if sentences:
            messages.success(request, _("Saved as a draft: %(release)s.") % {"release": obj})
        else:
            messages.success(request, STEPS["submit"].done(len(records)))
        for sentence in sentences:
            messages.error(request, sentence)
        above: list[Any] = [obj.person, *filter(None, [obj.event])]
        above = [one for one in above if not one.published_at and one.review_state != ReviewState.SUBMITTED]
        if above and not sentences:
            messages.warning(
                request,
                ngettext(
                    "It can be published once this is: %(names)s. Submit that too.",
                    "It can be published once these are: %(names)s. Submit them too.",
                    len(above),
                )
                % {"names": ", ".join(str(one) for one in above)},
            )


def _found(rows: Any, key: Any) -> Any:
    """The row with this key, which an address may give; what is no key finds nothing."""
    try:
        return rows.filter(pk=key).first() if key else None
    except (ValidationError, ValueError):
        return None


def _version(records: list[Reviewed]) -> str:
    found = versions(records)
    return "-".join(found[record.pk] for record in records)


def _legs_again(before: Release) -> list[dict[str, Any]]:
    names = ("kind", "countries", "place", "happened", "status", "authority")
    return [{name: getattr(leg, name) for name in names} for leg in before.legs.all()]


def _citations_again(before: Release) -> list[dict[str, Any]]:
    """Each source once, ticked for what it supported; where in it the next person stands is to be looked up."""
    places = {leg.pk: f"{PLACE}{index}" for index, leg in enumerate(before.legs.all())}
    rows: dict[Any, dict[str, Any]] = {}
    for citation in before.citations.all():
        if citation.leg_id and citation.about:
            continue
        about = About("leg", places[citation.leg_id]) if citation.leg_id else About(field=citation.about)
        passage = citation.source_id, citation.origin_id, citation.speaker, citation.standing
        row = rows.setdefault(
            passage,
            {"about": [], **{name: getattr(citation, name) for name in ("source", "origin", "speaker", "standing")}},
        )
        row["about"].append(str(about))
    return list(rows.values())
