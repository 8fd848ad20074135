"""People: names first, how it stands with them today, then what happened to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from releases.admin.notes import box
from releases.models import Release
from tracker.admin.base import CitationInline, GrantInline, Link, PartInline, RecordAdmin, status_in_words, to, visible
from tracker.admin.merging import Merging
from tracker.admin.romanising import NameFormSet, spellings
from tracker.models import (
    Detention,
    ExternalIdentifier,
    Grant,
    Name,
    Person,
    PersonCitation,
    Prosecution,
    Recognition,
    Relationship,
    User,
    Verdict,
)
from tracker.vocabularies import NameKind

# the name a person is called by, to sort a list with
FIRST_NAME = Subquery(
    Name.objects.filter(person=OuterRef("pk")).exclude(kind=NameKind.ERRONEOUS).order_by("position").values("text")[:1]
)


class NameInline(PartInline):
    model = Name
    formset = NameFormSet
    template = "admin/names.html"
    leading = True
    extra = 1
    fields = ("text", "position", "kind", "language", "script", "scheme", "disclosure")

    class Media:
        js = (forms.Script("tracker/admin/spellings.js", defer=True),)


class RelationshipInline(PartInline):
    model = Relationship
    fk_name = "person"
    related = ("other",)
    prefetched = ("other__names",)


class RecognitionInline(PartInline):
    model = Recognition
    related = ("body",)


class ExternalIdentifierInline(PartInline):
    model = ExternalIdentifier


class PersonCitationInline(CitationInline):
    model = PersonCitation


class PersonGrantInline(GrantInline):
    model = Grant


@dataclass(frozen=True)
class Entry:
    """One line of a person's timeline, and what lies below it."""

    kind: str
    when: Any
    link: Link
    below: list[tuple[str, Link | None]] = field(default_factory=list)


def timeline(person: Person, user: User) -> list[Entry]:
    """What happened to a person, as far as the account may see it, earliest first, undated last. Constant queries."""
    entries = [*_detentions(person, user), *_prosecutions(person, user), *_releases(person, user)]
    return sorted(entries, key=lambda entry: entry.when.earliest if entry.when else date.max)


def _detentions(person: Person, user: User) -> Iterator[Entry]:
    rows = visible(Detention.objects.filter(person=person), user).prefetch_related("placements__facility")
    for row in rows:
        yield Entry(
            _("detention"), row.started, to(row, text=row.span), [(str(place), None) for place in row.placements.all()]
        )


def _prosecutions(person: Person, user: User) -> Iterator[Entry]:
    rows = visible(Prosecution.objects.filter(person=person), user).prefetch_related("charges__provision")
    verdicts: dict[Any, list[Any]] = {}
    for verdict in visible(Verdict.objects.filter(prosecution__person=person), user).prefetch_related("sentences"):
        verdicts.setdefault(verdict.prosecution_id, []).append(verdict)
    for row in rows:
        own = verdicts.get(row.pk, [])
        below: list[tuple[str, Link | None]] = [(str(charge), None) for charge in row.charges.all()]
        for verdict in own:
            words = [verdict.get_instance_display(), verdict.pronounced.display if verdict.pronounced else ""]
            penalties = "; ".join(str(sentence) for sentence in verdict.sentences.all())
            below.append((penalties, to(verdict, text=", ".join(filter(None, map(str, words))))))
        dates = (row.opened, *(verdict.pronounced for verdict in own), row.closed)
        when = next(filter(None, dates), None)
        text = " – ".join(filter(None, [str(row.get_kind_display()), str(row.get_outcome_display())]))
        yield Entry(_("prosecution"), when, to(row, text=text), below)


def _releases(person: Person, user: User) -> Iterator[Entry]:
    rows = visible(Release.objects.filter(person=person), user).select_related("event").prefetch_related("legs")
    for row in rows:
        when = row.released_on or (row.event and (row.event.happened or row.event.announced))
        words = [row.get_outcome_display(), row.released_on.display if row.released_on else "", row.event or ""]
        journey: list[tuple[str, Link | None]] = [(str(leg), None) for leg in row.legs.all()]
        yield Entry(_("release"), when, to(row, text=", ".join(filter(None, map(str, words)))), journey)


@admin.register(Person)
class PersonAdmin(Merging, RecordAdmin):
    change_form_template = "admin/person.html"
    list_display = ("name", "today", "born", "citizenships", "review_state", "disclosure", "pid")
    list_filter = ("identification", "disclosure", "sex")
    search_fields = ("pid",)
    search_help_text = gettext_lazy("Any spelling of a name, or the identifier")
    prefetched = ("names",)
    inlines = (
        NameInline,
        RelationshipInline,
        RecognitionInline,
        ExternalIdentifierInline,
        PersonGrantInline,
        PersonCitationInline,
    )
    fieldsets = (
        (None, {"fields": (("identification", "label"), ("sex", "born", "died"), ("citizenships", "home_town"))}),
        (gettext_lazy("Occupation and persecution"), {"fields": ("occupations", "contexts", "coding_note")}),
        (gettext_lazy("In words"), {"fields": ("summary", "death_circumstances")}),
        (gettext_lazy("What may be published"), {"fields": ("disclosure", ("consent", "consent_by", "consent_on"))}),
    )

    def get_urls(self) -> list[URLPattern]:
        offered = path("spellings/", self.admin_site.admin_view(spellings), name="tracker_person_spellings")
        return [offered, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).with_status(timezone.localdate())

    def get_ordering(self, request: HttpRequest) -> Any:
        return (FIRST_NAME.asc(nulls_last=True), "pid")

    def get_search_results(self, request: Any, queryset: Any, search_term: str) -> tuple[Any, bool]:
        queryset = self.without_merged(request, queryset, search_term)
        if not search_term.strip():
            return queryset, False
        found = queryset.named(search_term)
        # best first, unless a column was clicked to sort by
        return (found.order_by(*queryset.query.order_by) if request and ORDER_VAR in request.GET else found), False

    @admin.display(description=gettext_lazy("name"), ordering=FIRST_NAME)
    def name(self, obj: Person) -> str:
        return obj.name

    @admin.display(description=gettext_lazy("today"))
    def today(self, obj: Any) -> str:
        return status_in_words(obj)

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj is not None and not context.get("is_popup"):
            context["status"] = status_in_words(obj)
            context["timeline"] = timeline(obj, request.user)
            context["notes"] = box(request.user, obj)
            for name in ("detention", "prosecution"):
                context[f"add_{name}"] = f"{reverse(f'admin:tracker_{name}_add')}?person={obj.pk}"
            if self.admin_site.is_registered(Release):
                context["add_release"] = f"{reverse('admin:releases_release_add')}?person={obj.pk}"
        return super().render_change_form(request, context, *args, **kwargs)
