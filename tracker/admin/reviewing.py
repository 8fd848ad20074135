"""Review on the pages of the admin: where a record stands, what is missing, and the steps this account may take."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tracker import acts, history, publication, review
from tracker.admin.forms import stale_sentence
from tracker.models import Record, Reviewed, User
from tracker.models.rules import explain
from tracker.names import clean
from tracker.vocabularies import ReviewState


@dataclass(frozen=True)
class Step:
    """One step of the review: its verb, its button, and from which states it leads on."""

    name: str
    label: Any
    done: Callable[[int], str]
    states: tuple[str, ...]
    take: Callable[..., None]
    #: a second person's step
    reviewers: bool = False
    needs_reason: bool = False

    def open_to(self, user: User) -> bool:
        return user.is_reviewer if self.reviewers else True

    def run(self, records: Iterable[Reviewed], *, by: User, why: str = "") -> list[str]:
        """Take the step for all of the records; returns the sentences of what refused it, empty when it is done."""
        reason = {"why": why} if self.needs_reason else {}
        try:
            self.take(records, by=by, **reason)
        except review.Refused as refused:
            return refused.sentences
        except IntegrityError as error:
            return [str(explain(error).sentence)]
        return []


STEPS = {
    step.name: step
    for step in (
        Step(
            "submit",
            gettext_lazy("Submit for review"),
            lambda n: ngettext("%d record is submitted.", "%d records are submitted.", n) % n,
            (ReviewState.DRAFT, ReviewState.WITHDRAWN, ReviewState.PUBLISHED),
            lambda records, by: review.submit(records, by=by),
        ),
        Step(
            "publish",
            gettext_lazy("Publish"),
            lambda n: ngettext("%d record is published.", "%d records are published.", n) % n,
            (ReviewState.SUBMITTED,),
            lambda records, by: publication.publish(records, by=by),
            reviewers=True,
        ),
        Step(
            "send_back",
            gettext_lazy("Send back"),
            lambda n: ngettext("%d record is sent back.", "%d records are sent back.", n) % n,
            (ReviewState.SUBMITTED,),
            lambda records, by, why: review.send_back(records, by=by, why=why),
            reviewers=True,
            needs_reason=True,
        ),
        Step(
            "withdraw",
            gettext_lazy("Withdraw"),
            lambda n: ngettext("%d record is withdrawn.", "%d records are withdrawn.", n) % n,
            (ReviewState.SUBMITTED, ReviewState.PUBLISHED, ReviewState.DRAFT),
            lambda records, by: publication.withdraw(records, by=by),
        ),
    )
}


_html = lazy(format_html, SafeString)


class StepForm(ActionForm):
    why = forms.CharField(required=False, label=gettext_lazy("Reason, to send back:"))


def versions(records: Iterable[Record]) -> dict[UUID, str]:
    """A short text for each record that changes whenever it, a part or a citation of it does. Constant queries."""
    rows: dict[UUID, list[str]] = defaultdict(list)
    kinds: dict[type[Record], list[UUID]] = defaultdict(list)
    for record in records:
        rows[record.pk].append(f"{record.pk}:{record.revision}")
        kinds[type(record)].append(record.pk)
    for kind, keys in kinds.items():
        for part in kind.part_models():
            found = part._base_manager.filter(**{f"{part.owner}__in": keys})
            for owner, key, revision in found.values_list(f"{part.owner}_id", "pk", "revision"):
                rows[owner].append(f"{key}:{revision}")
    return {key: hashlib.sha256("\n".join(sorted(own)).encode()).hexdigest()[:16] for key, own in rows.items()}


class Reviewing:
    """For a ``ModelAdmin``: panel, steps for one record and for many, and the record's history."""

    model: Any
    opts: Any
    admin_site: Any
    action_form = StepForm
    #: how many changes a history page shows
    changes_per_page = 100

    @property
    def is_reviewed(self) -> bool:
        return issubclass(self.model, Reviewed)

    def address(self, page: str, *args: Any) -> str:
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{page}", args=args)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_review"
        view = self.admin_site.admin_view(self.review_view)
        return [path("<path:object_id>/review/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    # One record

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        context["reviewed"] = self.is_reviewed and not context.get("is_popup")
        if obj is not None and not context.get("is_popup"):
            context["links"] = self.links(request, obj)  # type: ignore[attr-defined]
        if obj is not None and self.is_reviewed and not context.get("is_popup"):
            context["review"] = self.panel(request, obj)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def panel(self, request: Any, obj: Any) -> dict[str, Any]:
        """What the page says about the review of one record."""
        # as stored: a form that was refused has written into the object
        obj = self.model._base_manager.get(pk=obj.pk)
        state = ReviewState(obj.review_state)
        steps = [step for step in STEPS.values() if state in step.states and step.open_to(request.user)]
        if state == ReviewState.DRAFT and not obj.published_at:
            steps = [step for step in steps if step.name != "withdraw"]
        obstacles = []
        if state == ReviewState.SUBMITTED and request.user.is_reviewer:
            obstacles = review.obstacles([obj], by=request.user)
            if obstacles:
                steps = [step for step in steps if step.name != "publish"]
        missing = review.missing(obj)
        difference = review.difference(obj, viewer=request.user) if obj.published_at else []
        if missing or (state == ReviewState.PUBLISHED and not difference):
            steps = [step for step in steps if step.name != "submit"]
        return {
            "state": state,
            "record": obj,
            "missing": missing,
            "obstacles": [sentence for sentence in obstacles if sentence not in missing],
            "steps": [step for step in steps if not step.needs_reason],
            "send_back": next((step for step in steps if step.needs_reason), None),
            "sent_back": history.sent_back(obj) if state == ReviewState.DRAFT else None,
            "difference": difference,
            "version": versions([obj])[obj.pk],
            "url": self.address("review", quote(obj.pk)),
        }

    def review_view(self, request: Any, object_id: str) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if obj is None or not self.is_reviewed:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        back = HttpResponseRedirect(self.address("change", quote(obj.pk)))
        step = STEPS.get(request.POST.get("step", ""))
        if request.method != "POST" or step is None:
            return back
        if not self.has_view_permission(request, obj) or not step.open_to(request.user):  # type: ignore[attr-defined]
            raise PermissionDenied
        why = clean(request.POST.get("why", ""))
        sentences = [stale_sentence()]
        if request.POST.get("version") == versions([obj])[obj.pk]:
            sentences = step.run([obj], by=request.user, why=why)
        for sentence in sentences:
            messages.error(request, sentence)
        if sentences and why:
            messages.warning(request, _("You wrote: %(why)s") % {"why": why})
        if not sentences:
            messages.success(request, step.done(1))
        return back

    def submit_saved(self, request: Any, obj: Any) -> None:
        """After “Save and submit”: what was saved stays saved when it cannot be submitted yet."""
        sentences = STEPS["submit"].run([obj], by=request.user)
        if sentences:
            messages.warning(request, _("Saved, and not submitted: %(record)s.") % {"record": obj})
        else:
            messages.success(request, STEPS["submit"].done(1))
        for sentence in sentences:
            messages.error(request, sentence)

    def response_add(self, request: Any, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return self._submitted(request, obj) or super().response_add(request, obj, post_url_continue)  # type: ignore[misc]

    def response_change(self, request: Any, obj: Any) -> HttpResponse:
        return self._submitted(request, obj) or super().response_change(request, obj)  # type: ignore[misc]

    def _submitted(self, request: Any, obj: Any) -> HttpResponse | None:
        """Back to the record, which says how far it is."""
        return HttpResponseRedirect(self.address("change", quote(obj.pk))) if "_submit" in request.POST else None

    # Many records

    @admin.display(
        description=_html('<input type="checkbox" id="action-toggle" aria-label="{}">', gettext_lazy("Select all"))
    )
    def action_checkbox(self, obj: Any) -> SafeString:
        """Carries what this row's record was when the list was made."""
        return format_html(
            '<input type="checkbox" name="_selected_action" value="{}" class="action-select" aria-label="{}">'
            '<input type="hidden" name="version-{}" value="{}">',
            obj.pk,
            _("Select this row: %(record)s") % {"record": obj},
            obj.pk,
            getattr(obj, "version", obj.revision),
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changes = super().get_changelist_instance(request)  # type: ignore[misc]
        if self.is_reviewed:
            found = versions(changes.result_list)
            for obj in changes.result_list:
                obj.version = found[obj.pk]
        return changes

    def get_actions(self, request: Any) -> Any:
        actions = super().get_actions(request)  # type: ignore[misc]
        actions.pop("delete_selected", None)  # what is deleted is looked at first, one by one
        if self.is_reviewed:
            for step in STEPS.values():
                if step.open_to(request.user):
                    actions[step.name] = (_action(step), step.name, step.label)
        return actions

    def changelist_view(self, request: Any, extra_context: Any = None) -> Any:
        if request.POST.get("select_across", "0") != "0":
            # nobody has looked at what stands on other pages
            request.POST = request.POST.copy()
            request.POST["select_across"] = "0"
        if "_selected_action" in request.POST:
            request.POST = request.POST.copy()
            keys = request.POST.getlist("_selected_action")
            request.POST.setlist("_selected_action", [key for key in keys if is_uuid(key)])
        return super().changelist_view(request, extra_context)  # type: ignore[misc]

    # History

    def history_view(self, request: Any, object_id: str, extra_context: Any = None) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        if not self.has_view_permission(request, obj):  # type: ignore[attr-defined]
            raise PermissionDenied
        pages = Paginator(history.changes(obj, viewer=request.user), self.changes_per_page)
        page = pages.get_page(request.GET.get("p"))
        contexts = {UUID(change.context) for change in page if change.act_label}
        context = {
            **self.admin_site.each_context(request),
            "told": {str(context) for context in contexts - acts.hidden_from(request.user, contexts)},
            "title": _("History"),
            "subtitle": str(obj),
            "object": obj,
            "opts": self.opts,
            "page": page,
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, self.object_history_template, context)  # type: ignore[attr-defined]

    # The database keeps the history, with everything in it; Django's own log would only repeat names.

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """No log of our own."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """No log of our own."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """No log of our own."""


def is_uuid(key: str) -> bool:
    try:
        UUID(key)
    except ValueError:
        return False
    return True


def _action(step: Step) -> Callable[..., None]:
    def action(_page: Any, request: Any, queryset: Any) -> None:
        records = list(queryset)
        now = versions(records)
        changed = [record for record in records if request.POST.get(f"version-{record.pk}") != now[record.pk]]
        sentences = [f"“{record}”: {stale_sentence()}" for record in changed]
        why = clean(request.POST.get("why", ""))
        if not sentences:
            sentences = step.run(records, by=request.user, why=why)
        for sentence in sentences:
            messages.error(request, sentence)
        if sentences and why:
            messages.warning(request, _("You wrote: %(why)s") % {"why": why})
        if not sentences:
            messages.success(request, step.done(len(records)))

    action.__name__ = step.name
    return action
