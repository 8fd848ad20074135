"""What became of people of an event later on: chosen on one page, told on the next, looked at on a third, then done.

Each page sends the next all that it needs, so that two editors, or two tabs, never mix what they chose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import Fieldset
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Exists, F, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from releases import journeys
from releases.journeys import Journey, Line, Plans, Step
from releases.models import Leg, Release, ReleaseCitation, ReleaseEvent
from tracker.admin.base import visible
from tracker.admin.citations import CitationForm
from tracker.admin.widgets import SearchSelect
from tracker.models import Name, Organisation, Person, Source
from tracker.models.fields import ImpreciseDateFormField
from tracker.review import Refused
from tracker.vocabularies import (
    LegKind,
    LegStatus,
    ReleaseOutcome,
    Standing,
    StandingReason,
    country_name,
)

PER_PAGE = 100
#: so many remarks are told after a step; the preview told all of them
TOLD = 10


@dataclass(frozen=True)
class Kind:
    """A step as the pages call it."""

    step: Step
    label: Any
    explanation: Any
    fields: tuple[str, ...]
    kind: LegKind = LegKind.ONWARD


_OVERTAKES = ("standing", "reason", "reasoning")

KINDS = {
    kind.step: kind
    for kind in (
        Kind(
            Step.TRAVELLED,
            gettext_lazy("Travelled on"),
            gettext_lazy("They arrived somewhere else. A planned step that this is becomes the completed one."),
            ("countries", "place", "happened", "authority", "plans"),
        ),
        Kind(
            Step.HANDED_OVER,
            gettext_lazy("Handed over again"),
            gettext_lazy("From the authority that had received them to another one."),
            ("countries", "place", "happened", "authority", "plans"),
            LegKind.HANDOVER,
        ),
        Kind(
            Step.REFUSED,
            gettext_lazy("Refused to go, or not let in"),
            gettext_lazy("They stay out of custody. A planned step that this is becomes the refused one."),
            ("kind", "countries", "place", "happened"),
        ),
        Kind(
            Step.RETURNED,
            gettext_lazy("Refused, and returned to custody"),
            gettext_lazy("They were taken back: the release does not count any more, and the detention goes on."),
            ("kind", "countries", "place", "happened", "held_on", "reopens", *_OVERTAKES),
            LegKind.HANDOVER,
        ),
        Kind(
            Step.REFUTED,
            gettext_lazy("Still held: never released"),
            gettext_lazy("The release is refuted, its citations are kept, and the detention that it ended goes on."),
            ("held_on", *_OVERTAKES),
        ),
    )
}


def page_of(context: UUID) -> str:
    """Where the act is looked at, reviewed and taken back."""
    return reverse("admin:tracker_act", args=[context])


# --- Who is chosen


class People:
    """Those of an event whom an account may see, and what they can be filtered by."""

    def __init__(self, event: ReleaseEvent, user: Any) -> None:
        reached = Leg.objects.filter(release=OuterRef("pk"), status=LegStatus.COMPLETED).order_by("-position")
        first = Name.objects.filter(person=OuterRef("person")).order_by("position")
        self.rows: Any = (
            Release.objects.visible_to(user)
            .filter(event=event)
            .annotate(now=Subquery(reached.values("countries")[:1]))
            .annotate(called=Subquery(first.values("search_key")[:1]))
            .order_by(F("called").asc(nulls_last=True), "person__label", "pk")
        )

    def named(self, rows: Any) -> Any:
        return rows.select_related("person").prefetch_related("person__names", "legs")

    def choices(self) -> dict[str, list[tuple[str, Any]]]:
        """Only what occurs, by the name of the filter."""
        rows = self.rows.order_by()
        now = [found for found in rows.values_list("now", flat=True).distinct() if found]
        citizens = rows.values_list("person__citizenships", flat=True).distinct()
        ahead = rows.filter(legs__status=LegStatus.PLANNED).values_list("legs__countries", flat=True).distinct()
        return {
            "now": sorted(((";".join(codes), _countries(codes)) for codes in now), key=lambda one: one[1]),
            "citizenship": _each(citizens),
            "planned": _each(ahead),
            "outcome": [*ReleaseOutcome.choices()],
        }

    def filtered(self, asked: Mapping[str, Any]) -> Any:
        rows = self.rows
        if asked.get("name"):
            rows = rows.filter(person__in=Person.objects.named(asked["name"]).order_by().values("pk"))
        if asked.get("now"):
            rows = rows.filter(now=asked["now"].split(";")) if asked["now"] != NOWHERE else rows.filter(now=None)
        if asked.get("outcome"):
            rows = rows.filter(outcome=asked["outcome"])
        if asked.get("citizenship"):
            rows = rows.filter(person__citizenships__contains=[asked["citizenship"]])
        if asked.get("planned"):
            ahead = Leg.objects.filter(release=OuterRef("pk"), status=LegStatus.PLANNED)
            rows = rows.filter(Exists(ahead.filter(countries__contains=[asked["planned"]])))
        return rows


#: no step is completed
NOWHERE = "-"


def _countries(codes: list[str]) -> str:
    return str(_(" or ")).join(country_name(code) for code in codes)


def _each(lists: Any) -> list[tuple[str, str]]:
    codes = {code for found in lists for code in found or ()}
    return sorted(((code, country_name(code)) for code in codes), key=lambda one: one[1])


class FilterForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), required=False)
    now = forms.ChoiceField(label=gettext_lazy("Where they are"), required=False)
    planned = forms.ChoiceField(label=gettext_lazy("Planned onward to"), required=False)
    outcome = forms.ChoiceField(label=gettext_lazy("Outcome"), required=False)
    citizenship = forms.ChoiceField(label=gettext_lazy("Citizenship"), required=False)
    only = forms.BooleanField(label=gettext_lazy("Only the chosen"), required=False)

    def __init__(self, data: Any, people: People) -> None:
        super().__init__(data, label_suffix="")
        for name, choices in people.choices().items():
            nowhere = [(NOWHERE, _("no completed step"))] if name == "now" else []
            field: Any = self.fields[name]
            field.choices = [("", _("all")), *choices, *nowhere]


def _alike(lines: Iterable[Line]) -> dict[tuple[str, ...], list[Line]]:
    """Who gets the same, the largest group first."""
    groups: dict[tuple[str, ...], list[Line]] = defaultdict(list)
    for line in lines:
        groups[tuple(line.gets)].append(line)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def _keys(text: str) -> list[UUID]:
    """Those that can be keys; who they are, if anybody, is asked of the database."""
    found = []
    for part in text.split(","):
        try:
            found.append(UUID(part))
        except ValueError:
            continue
    return found


# --- What happened to them


class StepForm(CitationForm):
    """One step for everybody who is chosen, and who says so."""

    use_required_attribute = False
    about = None  # type: ignore[assignment]
    also = None  # type: ignore[assignment]

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=LegKind.choices, widget=forms.RadioSelect)
    place = forms.CharField(label=gettext_lazy("Place"), required=False)
    happened = ImpreciseDateFormField(
        label=gettext_lazy("Date"),
        required=False,
        help_text=gettext_lazy("2025-12-20, 2025-12 or an interval 2025-12-14/2025-12-20; empty if nobody says."),
    )
    plans = forms.ChoiceField(
        label=gettext_lazy("Planned steps that this can be"),
        widget=forms.RadioSelect,
        initial=Plans.COME_TRUE,
        choices=[
            (Plans.COME_TRUE, gettext_lazy("become it; whoever has none planned gets a new step")),
            (Plans.ONLY, gettext_lazy("become it; whoever has none planned is left out")),
            (Plans.STAY, gettext_lazy("stay planned; everybody gets a new step")),
        ],
    )
    held_on = forms.DateField(
        label=gettext_lazy("In custody on"),
        required=False,
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        widget=forms.DateInput(attrs={"placeholder": "2025-12-20", "autocomplete": "off"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("The day on which the source has them in custody."),
    )
    reopens = forms.BooleanField(
        label=gettext_lazy("The detention that the release had ended is open again"), required=False, initial=True
    )

    class Meta:
        model = ReleaseCitation
        fields = ("source", "locator", "speaker", *_OVERTAKES)

    def __init__(self, data: Any, kind: Kind, user: Any, site: Any) -> None:
        super().__init__(data, initial={"kind": kind.kind, "standing": Standing.SUPERSEDED})
        for name in ("kind", "place", "happened", "plans", "held_on", "reopens", *_OVERTAKES):
            if name not in kind.fields:
                del self.fields[name]
        if "countries" in kind.fields:
            self.fields["countries"] = Leg._meta.get_field("countries").formfield()
            self.fields["countries"].required = "plans" in kind.fields
        if "authority" in kind.fields:
            self.fields["authority"] = forms.ModelChoiceField(
                visible(Organisation.objects.all(), user),
                label=_("Received by"),
                required=False,
                widget=SearchSelect(Leg._meta.get_field("authority"), site),
            )
        self.fields["source"] = forms.ModelChoiceField(
            visible(Source.objects.all(), user),
            label=_("Source"),
            required=False,
            widget=SearchSelect(ReleaseCitation._meta.get_field("source"), site),
        )
        if "standing" in self.fields:
            self.fields["standing"].label = _("What said that they were out is")
            self.fields["standing"].choices = [
                (code, Standing(code).label) for code in (Standing.SUPERSEDED, Standing.REJECTED)
            ]
        if "held_on" in self.fields:
            self.fields["held_on"].required = "reopens" not in kind.fields
        self.step = kind

    def fieldsets(self) -> list[Fieldset]:
        """Without a title: always open."""
        step = [name for name in self.step.fields if name not in _OVERTAKES]
        found = [Fieldset(self, fields=step), Fieldset(self, fields=("source", "locator", "speaker"))]
        found.append(Fieldset(self, name=_("New source"), fields=self.NEW_SOURCE))
        if "standing" in self.fields:
            found.append(Fieldset(self, fields=_OVERTAKES))
        return found

    def carried(self) -> list[Any]:
        """What was typed, for the page that looks at it."""
        return [self[name].as_hidden() for name in self.fields if name != "revision"]

    def journey(self) -> Journey:
        cleaned = self.cleaned_data
        reason = cleaned.get("reason")
        return Journey(
            self.step.step,
            cleaned["source"],
            kind=LegKind(cleaned.get("kind") or self.step.kind),
            countries=cleaned.get("countries") or (),
            place=cleaned.get("place") or "",
            happened=cleaned.get("happened"),
            authority=cleaned.get("authority"),
            plans=Plans(cleaned.get("plans") or Plans.COME_TRUE),
            held_on=cleaned.get("held_on"),
            reopens=cleaned.get("reopens", True),
            standing=Standing(cleaned.get("standing") or Standing.SUPERSEDED),
            reason=StandingReason(reason) if reason else None,
            reasoning=cleaned.get("reasoning") or "",
            locator=cleaned.get("locator") or "",
            speaker=cleaned.get("speaker") or "",
        )


# --- The pages


class Journeys:
    """For the pages of events."""

    model: Any
    opts: Any
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.journeys_view)
        name = "releases_releaseevent_journeys"
        return [path("<path:object_id>/journeys/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def journeys_view(self, request: Any, object_id: str) -> HttpResponse:
        event = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if event is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        if not self.has_change_permission(request, event):  # type: ignore[attr-defined]
            raise PermissionDenied
        return _Pages(self, request, event).answer()


class _Pages:
    """One request: whom it chose, and which of the three pages answers it."""

    def __init__(self, admin: Any, request: HttpRequest, event: ReleaseEvent) -> None:
        self.admin, self.request, self.event = admin, request, event
        self.user: Any = request.user
        self.data = request.POST if request.method == "POST" else request.GET
        self.people = People(event, self.user)
        self.chosen = self._chosen()

    def _chosen(self) -> set[UUID]:
        """Chosen on other pages before, and on the page that was sent."""
        if self.request.method != "POST":
            return set()
        shown = set(_keys(self.data.get("shown", "")))
        ticked = {key for text in self.data.getlist("person") for key in _keys(text)} & shown
        asked = (set(_keys(self.data.get("chosen", ""))) - shown) | ticked
        return set(self.people.rows.order_by().filter(pk__in=asked).values_list("pk", flat=True))

    def answer(self) -> HttpResponse:
        go, _colon, step = self.data.get("go", "").partition(":")
        kind = next((one for one in KINDS.values() if one.step == (step or self.data.get("step"))), None)
        if self.request.method != "POST" or go not in {"step", "preview", "form", "without", "do"} or kind is None:
            return self.choose(go, step)
        if not self.chosen:
            messages.error(self.request, _("Choose at least one person first."))
            return self.choose("", "")
        form = StepForm(None if go == "step" else self.data, kind, self.user, self.admin.admin_site)
        if go in {"step", "form"} or not form.is_valid():
            return self.tell(form)
        return self.look(form, go)

    def page(self, template: str, **context: Any) -> HttpResponse:
        self.request.current_app = self.admin.admin_site.name  # type: ignore[attr-defined]
        shared = {
            **self.admin.admin_site.each_context(self.request),
            "opts": self.admin.opts,
            "title": _("Journeys later on"),
            "event": self.event,
            "chosen": ",".join(sorted(key.hex for key in self.chosen)),
            "number": len(self.chosen),
        }
        return TemplateResponse(self.request, f"admin/releases/{template}.html", {**shared, **context})

    # Who

    def choose(self, go: str, number: str) -> HttpResponse:
        form = FilterForm(self.data, self.people)
        asked = form.cleaned_data if form.is_valid() else {}
        rows = self.people.filtered(asked)
        if go == "all":
            self.chosen |= set(rows.order_by().values_list("pk", flat=True))
        elif go == "none":
            self.chosen = set()
        if asked.get("only"):
            rows = rows.filter(pk__in=self.chosen)
        page = Paginator(self.people.named(rows), PER_PAGE).get_page(number or self.data.get("p"))
        shown = [(release, release.pk in self.chosen) for release in page]
        return self.page(
            "journey_choose",
            form=form,
            page=page,
            shown=shown,
            keys=",".join(release.pk.hex for release, _ticked in shown),
            kinds=list(KINDS.values()),
        )

    # What

    def tell(self, form: StepForm) -> HttpResponse:
        rows = self.people.named(self.people.rows.filter(pk__in=self.chosen))
        names = [str(release.person) for release in rows]
        return self.page("journey_step", form=form, kind=form.step, names=names, fieldsets=form.fieldsets())

    # Look, and do

    def look(self, form: StepForm, go: str) -> HttpResponse:
        journey, decided = form.journey(), self._decided()
        if go == "without":
            lines = self._lines(journey, decided)
            self.chosen -= {line.release.pk for line in lines if line.problem}
            if not self.chosen:
                messages.error(self.request, _("Nobody is left: choose again."))
                return self.choose("", "")
        errors: list[str] = []
        if go == "do":
            seen = dict(part.split(":", 1) for part in self.data.get("versions", "").split(",") if ":" in part)
            versions = {key: seen.get(key.hex, "") for key in self.chosen}
            try:
                done = journeys.take(self.event, self.chosen, journey, by=self.user, choices=decided, versions=versions)
            except Refused as refused:
                errors = refused.sentences
                # what was not saved is a stand-in again
                form = StepForm(self.data, form.step, self.user, self.admin.admin_site)
                form.is_valid()
                journey = form.journey()
            else:
                return self._done(done, form.step)
        return self.preview(form, journey, self._lines(journey, decided), errors)

    def _decided(self) -> dict[UUID, str]:
        return {key: self.data.get(f"choice-{key.hex}", "") for key in self.chosen}

    def _lines(self, journey: Journey, decided: dict[UUID, str]) -> list[Line]:
        return journeys.plan(self.event, self.chosen, journey, by=self.user, choices=decided)

    def preview(self, form: StepForm, journey: Journey, lines: list[Line], errors: list[str]) -> HttpResponse:
        new = journey.source._state.adding
        doing = [line for line in lines if not line.is_out and not line.problem]
        plain = [line for line in lines if not line.options and not line.problem]
        return self.page(
            "journey_preview",
            form=form,
            kind=form.step,
            journey=journey,
            errors=errors,
            problems=[line for line in lines if line.problem],
            open=[line for line in lines if line.options and not line.problem],
            remarked=[line for line in plain if line.remark],
            alike=list(_alike(line for line in plain if not line.remark).items()),
            doing=len(doing),
            new_source=new,
            seals=new and journeys.seals(lines),
            versions=",".join(f"{line.release.pk.hex}:{line.version}" for line in lines),
        )

    def _done(self, done: journeys.Done, kind: Kind) -> HttpResponse:
        messages.success(
            self.request,
            ngettext(
                "Done for %(number)d person: %(step)s. Readers see it when a second person has published it.",
                "Done for %(number)d people: %(step)s. Readers see it when a second person has published it.",
                len(done.lines),
            )
            % {"number": len(done.lines), "step": kind.label},
        )
        remarks = [f"{line.release.person}: {line.remark}" for line in done.lines if line.remark]
        for remark in remarks[:TOLD]:
            messages.warning(self.request, remark)
        if len(remarks) > TOLD:
            messages.warning(self.request, _("and %(number)d more like these") % {"number": len(remarks) - TOLD})
        return HttpResponseRedirect(page_of(done.context))
