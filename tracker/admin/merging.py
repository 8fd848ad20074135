"""Two persons side by side, and made one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker import acts, merging, review
from tracker.admin.acts import version_of
from tracker.admin.base import Links, to, visible
from tracker.admin.duplicates import duplicates_view, tell_apart
from tracker.admin.forms import stale_sentence
from tracker.admin.reviewing import is_uuid
from tracker.admin.widgets import SearchSelect, search_of
from tracker.merging import KEPT, OTHER
from tracker.models import NotTheSame, Person, Record, Relationship
from tracker.names import clean
from tracker.vocabularies import ReviewState


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
            told = act is not None and not acts.hidden_from(request.user, [act])
            context["merge_act"] = reverse("admin:tracker_act", args=[act]) if told else ""
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
        if request.method == "POST" and (done := self._done_already(request, kept)):
            return done
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

    def _done_already(self, request: Any, kept: Person) -> HttpResponse | None:
        """A second click on “Merge” leads to what the first has done."""
        if request.POST.get("step") != "merge" or not is_uuid(request.GET.get("other", "")):
            return None
        people = Person.objects.visible_to(request.user).filter(merged_into=kept)
        other = people.filter(pk=request.GET["other"]).first()
        context = merging.merge_of(other) if other else None
        if context is None or acts.hidden_from(request.user, [context]):
            return None
        return HttpResponseRedirect(reverse("admin:tracker_act", args=[context]))

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
            if request.POST.get("version") != version_of([kept, other]):
                return self._compared(request, kept, other, [stale_sentence()], choices, why)
            if not confirmed:
                return self._previewed(request, kept, other, choices, why)
            try:
                context = merging.merge(kept, other, by=request.user, why=why, choose=choices)
            except review.Refused as refused:
                return self._compared(request, kept, other, refused.sentences, choices, why)
        messages.success(request, _("They are one record now. Readers see it when a second person has published it."))
        return HttpResponseRedirect(reverse("admin:tracker_act", args=[context]))

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
            version=version_of([kept, other]),
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


def _apart_from_the_name(row: Any) -> str:
    """What a row below a person is called where it is plain whose it is."""
    name = str(row.person)
    text = str(row)
    return text[len(name) + 2 :] if text.startswith((f"{name}: ", f"{name}, ")) else text
