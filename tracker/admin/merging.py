"""Two persons side by side, made one; and what becomes of such an act: reviewed anew, or taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker import merging, review, undoing
from tracker.admin.base import Link, Links, to, visible
from tracker.admin.duplicates import duplicates_view, tell_apart
from tracker.admin.forms import stale_sentence
from tracker.admin.reviewing import STEPS, versions
from tracker.admin.widgets import SearchSelect, search_of
from tracker.merging import KEPT, OTHER
from tracker.models import NotTheSame, Person, Record, Relationship, Reviewed
from tracker.names import clean
from tracker.vocabularies import ReviewState

#: Acts that have a page of their own, as it calls them.
ACTS = {merging.ACT: gettext_lazy("Merge"), undoing.ACT: gettext_lazy("Undoing")}


class PersonField(forms.ModelChoiceField):
    """Looked for by any spelling or the identifier, with scripts and without."""

    def __init__(self, request: Any, site: Any) -> None:
        people = visible(Person.objects.filter(merged_into=None), request.user).prefetch_related("names")
        # any foreign key to a person will do: it names the list that is searched
        widget = SearchSelect(Relationship._meta.get_field("other"), site)
        super().__init__(people, widget=widget, label=gettext_lazy("The other record of this person"))


class ChooseForm(forms.Form):
    # without scripts the list stays empty, and a text is searched for instead
    use_required_attribute = False

    def __init__(self, request: Any, site: Any) -> None:
        asked = {"other", "other-search"} & request.GET.keys()
        super().__init__(request.GET if asked else None)
        self.fields["other"] = PersonField(request, site)

    def clean(self) -> None:
        super().clean()
        search = search_of(self.fields["other"].widget)
        if "other" in self.errors and search is not None and search.problem:
            self.errors["other"] = self.error_class([search.problem])


@dataclass(frozen=True)
class Item:
    """A record that an act touched, with what readers do not see of it yet."""

    link: Link
    kind: str
    difference: list[review.Change]


class Merging:
    """For the pages of persons."""

    model: Any
    opts: Any
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        def page(view: Any) -> Any:
            return self.admin_site.admin_view(view)

        return [
            path("duplicates/", page(duplicates_view), name="tracker_person_duplicates"),
            path("acts/<uuid:context>/", page(self.act_view), name="tracker_person_act"),
            path("<path:object_id>/merge/", page(self.merge_view), name="tracker_person_merge"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    # Lists and pages of those who are merged

    def without_merged(self, request: Any, rows: Any, term: str) -> Any:
        """They are found by their identifier, and among what waits for a second person; in no other list."""
        waiting = ReviewState.SUBMITTED
        if request is not None and request.GET.get("review_state__exact") == waiting:
            return rows.filter(Q(merged_into=None) | Q(review_state=waiting))
        return rows.filter(Q(merged_into=None) | Q(pid=term.strip().lower()))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not self._is_closed(request, obj)  # type: ignore[misc]

    def _is_closed(self, request: HttpRequest, obj: Any) -> bool:
        """What was typed when somebody merged the person comes back with a sentence, and is not refused unread."""
        return bool(obj is not None and obj.merged_into_id and request.method != "POST")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.merged_into_id)  # type: ignore[misc]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return [] if self._is_closed(request, obj) else super().get_inlines(request, obj)  # type: ignore[misc]

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj is not None and obj.merged_into_id:
            context["merged_into"] = to(obj.merged_into)
            act = merging.merge_of(obj)
            context["merge_act"] = reverse("admin:tracker_person_act", args=[act]) if act else ""
        elif obj is not None and request.user.is_reviewer:
            context["merge_url"] = reverse("admin:tracker_person_merge", args=[quote(obj.pk)])
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def links(self, request: HttpRequest, obj: Person) -> list[Links]:
        merged = visible(obj.merged.order_by("pid"), request.user)
        rows = [to(row, text=row.pid) for row in merged]
        return [*super().links(request, obj), *([Links(_("Merged into this"), rows)] if rows else [])]  # type: ignore[misc]

    def _page(self, request: Any, template: str, **context: Any) -> HttpResponse:
        request.current_app = self.admin_site.name
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, f"admin/{template}.html", {**shared, **context})

    # Merging

    def merge_view(self, request: Any, object_id: str) -> HttpResponse:
        kept = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if kept is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        if not request.user.is_reviewer:
            raise PermissionDenied
        if kept.merged_into_id:
            return HttpResponseRedirect(to(kept).url)
        choose = ChooseForm(request, self.admin_site)
        if not choose.is_valid():
            return self._page(request, "merge_choose", title=_("Merge"), subtitle=str(kept), kept=kept, form=choose)
        other = choose.cleaned_data["other"]
        asked = f"{request.path}?{urlencode({'other': str(other.pk)})}"
        if request.method != "POST":
            # the address that a search led to says whom it found
            if request.GET.get("other") != str(other.pk):
                return HttpResponseRedirect(asked)
            return self._compared(request, kept, other, [], {})
        step = request.POST.get("step", "")
        if step in {"apart", "not-apart"}:
            return self._tell(request, step, kept, other, asked)
        return self._merge(request, kept, other, confirmed=step == "merge", back=step == "back")

    def _tell(self, request: Any, step: str, kept: Person, other: Person, asked: str) -> HttpResponse:
        if step == "apart":
            if not tell_apart(request, kept, other):
                return HttpResponseRedirect(asked)
            return HttpResponseRedirect(reverse("admin:tracker_person_duplicates"))
        for pair in NotTheSame.objects.visible_to(request.user).about(kept, other):
            pair.delete()
            messages.success(request, _("That they are not the same is taken back."))
        return HttpResponseRedirect(asked)

    def _merge(self, request: Any, kept: Person, other: Person, *, confirmed: bool, back: bool) -> HttpResponse:
        names = {column.name for column in merging.chosen_columns()}
        chosen = {name: request.POST.get(f"choose-{name}") for name in names}
        choices = {name: side for name, side in chosen.items() if side in {KEPT, OTHER}}
        why = clean(request.POST.get("why", ""))
        if back:
            return self._compared(request, kept, other, [], choices, why)
        if not why:
            return self._compared(request, kept, other, [_("Say why the two are one.")], choices, why)
        with transaction.atomic():
            # what was looked at is what is merged
            list(Person.objects.filter(pk__in=[kept.pk, other.pk]).order_by("pk").select_for_update(of=("self",)))
            if request.POST.get("version") != _version([kept, other]):
                return self._compared(request, kept, other, [stale_sentence()], choices, why)
            if not confirmed:
                return self._previewed(request, kept, other, choices, why)
            try:
                context = merging.merge(kept, other, by=request.user, why=why, choose=choices)
            except review.Refused as refused:
                return self._compared(request, kept, other, refused.sentences, choices, why)
        messages.success(request, _("They are one record now. Readers see it when a second person has published it."))
        return HttpResponseRedirect(reverse("admin:tracker_person_act", args=[context]))

    def _compared(
        self, request: Any, kept: Person, other: Person, errors: list[str], choices: dict[str, str], why: str = ""
    ) -> HttpResponse:
        seen = merging.compare(kept, other, request.user)
        obstacles = [
            (found.sentence, [to(row) for row in found.records if isinstance(row, Record)],
             any(isinstance(row, NotTheSame) for row in found.records))
            for found in merging.obstacles(kept, other, request.user)
        ]  # fmt: skip
        swapped = reverse("admin:tracker_person_merge", args=[quote(other.pk)])
        return self._page(
            request,
            "merge",
            title=_("Merge"),
            subtitle=str(kept),
            kept=kept,
            other=other,
            columns=[(column, choices.get(column.name, column.default)) for column in seen.columns],
            seen=seen,
            parts=[(rows.label, rows.kept, rows.other) for rows in seen.parts if rows.kept or rows.other],
            records=[
                (
                    rows.label,
                    *([to(row, text=_apart_from_the_name(row)) for row in side] for side in (rows.kept, rows.other)),
                )
                for rows in seen.records
                if rows.kept or rows.other
            ],
            obstacles=obstacles,
            errors=errors,
            why=why,
            version=_version([kept, other]),
            swap_url=f"{swapped}?{urlencode({'other': str(kept.pk)})}",
            people=[to(kept), to(other)],
        )

    def _previewed(self, request: Any, kept: Person, other: Person, choices: dict[str, str], why: str) -> HttpResponse:
        seen = merging.compare(kept, other, request.user)
        taken = {column.name: choices.get(column.name, column.default) for column in seen.columns}
        sides = [(column, taken[column.name]) for column in seen.columns] + [(seen.consent, seen.consent.default)]
        values = [(column.label, (column.other if side == OTHER else column.kept).text) for column, side in sides]
        return self._page(
            request,
            "merge_preview",
            title=_("Merge"),
            subtitle=str(kept),
            kept=kept,
            other=other,
            values=[(label, text) for label, text in values if text],
            names=[*kept.names.all(), *other.names.all()],
            moved=[
                (rows.label, [_apart_from_the_name(row) for row in rows.other])
                for rows in [*seen.parts[1:], *seen.records]
                if rows.other
            ],
            choices=taken,
            why=why,
            version=request.POST.get("version", ""),
            action=f"{request.path}?{urlencode({'other': str(other.pk)})}",
        )

    # An act, afterwards

    def act_view(self, request: Any, context: UUID) -> HttpResponse:
        act = undoing.act_of(context)
        records = undoing.touched(context)
        if act is None or act.act not in ACTS or not _sees(request.user, records):
            raise Http404
        waiting = to_review(records)
        here = reverse("admin:tracker_person_act", args=[context])
        if request.method == "POST":
            return self._stepped(request, act, waiting, here)
        preview = undoing.preview(context, request.user) if request.GET.get("undo") else None
        states = {
            state: [row for row in waiting if (row.review_state == ReviewState.SUBMITTED) == state]
            for state in (True, False)
        }
        return self._page(
            request,
            "act",
            title=ACTS[act.act],
            subtitle=", ".join(str(row) for row in records if isinstance(row, Person) and not row.merged_into_id),
            act=act,
            people=[to(row) for row in records if isinstance(row, Person)],
            items=[
                Item(to(row), str(row._meta.verbose_name), review.difference(row, viewer=request.user))
                for row in waiting
            ],
            to_submit=len(states[False]),
            to_publish=len(states[True]) if request.user.is_reviewer else 0,
            obstacles=review.obstacles(waiting, by=request.user) if states[True] and request.user.is_reviewer else [],
            version=_version(waiting),
            undo_url=f"{here}?undo=1" if request.user.is_reviewer else "",
            preview=preview,
            here=here,
        )

    def _stepped(self, request: Any, act: undoing.Act, waiting: list[Reviewed], here: str) -> HttpResponse:
        step = request.POST.get("step", "")
        if step == "undo":
            return self._undone(request, act, here)
        if step not in {"submit", "publish"}:
            return HttpResponseRedirect(here)
        if not STEPS[step].open_to(request.user):
            raise PermissionDenied
        submitted = [row for row in waiting if row.review_state == ReviewState.SUBMITTED]
        rows = submitted if step == "publish" else [row for row in waiting if row not in submitted]
        sentences = [stale_sentence()]
        if request.POST.get("version") == _version(waiting):
            sentences = STEPS[step].run(rows, by=request.user)
        for sentence in sentences:
            messages.error(request, sentence)
        if not sentences:
            messages.success(request, STEPS[step].done(len(rows)))
        return HttpResponseRedirect(here)

    def _undone(self, request: Any, act: undoing.Act, here: str) -> HttpResponse:
        if not request.user.is_reviewer:
            raise PermissionDenied
        why = clean(request.POST.get("why", ""))
        try:
            if not why:
                raise review.Refused([_("Say why you take it back.")])
            context = undoing.undo(act.context, by=request.user, why=why)
        except review.Refused as refused:
            for sentence in refused.sentences:
                messages.error(request, sentence)
            return HttpResponseRedirect(f"{here}?undo=1")
        messages.success(request, _("It is taken back. Readers see that when a second person has published it."))
        return HttpResponseRedirect(reverse("admin:tracker_person_act", args=[context]))


def _apart_from_the_name(row: Any) -> str:
    """What a row below a person is called where it is plain whose it is."""
    name = str(row.person)
    text = str(row)
    return text[len(name) + 2 :] if text.startswith((f"{name}: ", f"{name}, ")) else text


def _version(records: Iterable[Record]) -> str:
    """Changes whenever one of them, a part or a citation does."""
    found = versions(records)
    return hashlib.sha256("\n".join(f"{key}:{found[key]}" for key in sorted(found)).encode()).hexdigest()[:16]


def _sees(user: Any, records: list[Record]) -> bool:
    """Whether the account may see all that an act touched: it is told as a whole, or not at all."""
    return all(
        model._default_manager.visible_to(user).filter(pk__in=ids).count() == len(ids)  # type: ignore[attr-defined]
        for model in {type(row) for row in records}
        for ids in [[row.pk for row in records if type(row) is model]]
    )


def to_review(records: list[Record]) -> list[Reviewed]:
    """What has to be published anew so that readers see what an act did: what they see an older version of, and the
    persons, not published yet, whom that belongs to now or leads to."""
    reviewed = [row for row in records if isinstance(row, Reviewed)]
    changed = review.changed_by(reviewed)
    shown = [row for row in reviewed if row.published_at and row.pk in changed]
    needed = {getattr(row, "merged_into_id" if isinstance(row, Person) else "person_id", None) for row in shown}
    return [*(row for row in reviewed if row.pk in needed and not row.published_at), *shown]
