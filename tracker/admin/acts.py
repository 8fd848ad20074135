"""What was done as a whole: listed, looked through, submitted, published or sent back together, and taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from tracker import acts, publication, review, undoing
from tracker.admin.base import Link, to
from tracker.admin.forms import stale_sentence
from tracker.admin.reviewing import STEPS, versions
from tracker.models import Act, Record, Reviewed, User
from tracker.names import clean
from tracker.paging import Concatenation
from tracker.vocabularies import ActKind, Audience, ReviewState

#: acts on a page of the list, records on a page of an act, and records named at its head
LISTED, SHOWN, FIRST = 25, 50, 8
#: so many records are submitted or published at once; those that others need come first
PORTION = 500

NOT_SUBMITTED = (ReviewState.DRAFT, ReviewState.PUBLISHED)


def version_of(records: Iterable[Record]) -> str:
    """Changes whenever one of them, a part or a citation does."""
    found = versions(records)
    return hashlib.sha256("\n".join(f"{key}:{found[key]}" for key in sorted(found)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Item:
    """A record of which readers do not see yet what the act did."""

    pk: UUID
    link: Link
    kind: str
    #: why it cannot be published, or submitted, as things stand
    stopped: list[str]
    #: what is to be looked at all the same
    warnings: list[str]
    #: what readers do not see yet; None for what they never saw
    difference: list[review.Change] | None
    submitted: bool


class Batch:
    """The records of an act that wait, a portion of them, as one account sees them."""

    def __init__(self, act: Act, user: User, portion: int) -> None:
        self.act, self.user = act, user
        found = acts.waiting(act)
        querysets = [acts.named(found[model]) for model in publication.reviewed_models() if model in found]
        self.all = Concatenation(querysets)
        self.portions = max(1, -(-len(self.all) // PORTION))
        self.portion = min(max(portion, 1), self.portions)

    @cached_property
    def rows(self) -> list[Any]:
        return self.all[slice((self.portion - 1) * PORTION, self.portion * PORTION)]

    @cached_property
    def submitted(self) -> list[Any]:
        return [row for row in self.rows if row.review_state == ReviewState.SUBMITTED]

    @cached_property
    def to_submit(self) -> list[Any]:
        return [row for row in self.rows if row.review_state in NOT_SUBMITTED]

    @cached_property
    def _judged(self) -> tuple[list[Any], dict[UUID, list[str]]]:
        lacking = review.missing_of(self.to_submit)
        if not self.user.is_reviewer:
            return [], lacking | review.missing_of(self.submitted)
        ready, stopped = review.publishable(self.submitted, by=self.user)
        return ready, lacking | stopped

    @property
    def stopped(self) -> dict[UUID, list[str]]:
        return self._judged[1]

    @cached_property
    def warnings(self) -> dict[UUID, list[str]]:
        found: dict[UUID, list[str]] = {}
        since = acts.changed_since(self.act, self.rows)
        keys = {key for users in since.values() for key in users if key}
        names = {str(user.pk): str(user) for user in User.objects.filter(pk__in=keys)}
        uncited = review.uncited(self.rows)
        own = str(self.act.by_id)
        for row in self.rows:
            others = sorted(names.get(key, "?") for key in since.get(row.pk, ()) if key != own)
            if others:
                found.setdefault(row.pk, []).append(_("Changed since by %(users)s.") % {"users": ", ".join(others)})
            if row.pk in uncited:
                found.setdefault(row.pk, []).append(_("No accepted citation."))
        return found

    @property
    def can_submit(self) -> list[Any]:
        return [row for row in self.to_submit if row.pk not in self.stopped]

    @property
    def can_publish(self) -> list[Any]:
        return self._judged[0]

    @cached_property
    def without_exceptions(self) -> list[Any]:
        """Those that can be published though all that wants a look stays."""
        if not self.warnings:
            return self.can_publish
        plain = [row for row in self.can_publish if row.pk not in self.warnings]
        return list(review.publishable(plain, by=self.user)[0])

    def in_order(self) -> list[Any]:
        """What cannot be published first, then what wants a look."""
        return sorted(self.rows, key=lambda row: (row.pk not in self.stopped, row.pk not in self.warnings))

    def items(self, rows: list[Any]) -> list[Item]:
        found = review.differences([row for row in rows if row.published_at], viewer=self.user)
        return [
            Item(
                row.pk,
                to(row),
                str(row._meta.verbose_name),
                self.stopped.get(row.pk, []),
                self.warnings.get(row.pk, []),
                found.get(row.pk),
                row.review_state == ReviewState.SUBMITTED,
            )
            for row in rows
        ]

    def chosen(self, step: str, request: HttpRequest) -> list[Any]:
        """The records that a button means."""
        if step == "send_back":
            keys = set(request.POST.getlist("record"))
            return [row for row in self.submitted if str(row.pk) in keys]
        if step == "submit":
            return self.can_submit
        return self.without_exceptions if request.POST.get("which") == "plain" else self.submitted


def _render(request: Any, template: str, **context: Any) -> HttpResponse:
    request.current_app = admin.site.name
    return TemplateResponse(request, f"admin/{template}.html", {**admin.site.each_context(request), **context})


# --- The list


def acts_view(request: Any) -> HttpResponse:
    kind = request.GET.get("kind", "")
    if kind and kind not in ActKind.codes():
        raise Http404
    before = None
    if request.GET.get("before"):
        before = _seen(request, request.GET["before"])
    found = acts.listed(request.user, kind=kind, before=before, size=LISTED + 1)
    page = found[:LISTED]
    waiting = acts.submitted(act.context for act in page)
    older: dict[str, str] = {"before": str(page[-1].context), "kind": kind} if len(found) > LISTED else {}
    return _render(
        request,
        "acts",
        title=_("Acts"),
        rows=[(act, waiting.get(act.context, 0)) for act in page],
        kinds=ActKind.choices(),
        kind=kind,
        older=f"?{urlencode(older)}" if older else "",
        first=before is None,
    )


def _seen(request: Any, context: Any) -> Act:
    """Raises ``Http404`` for an act that there is not, or not for this account."""
    try:
        act = acts.act_of(UUID(str(context)))
    except ValueError:
        raise Http404 from None
    if act is None or acts.hidden_from(request.user, [act.context]):
        raise Http404
    return act


# --- One act


def act_view(request: Any, context: UUID) -> HttpResponse:
    act = _seen(request, context)
    here = reverse("admin:tracker_act", args=[context])
    posted = request.POST if request.method == "POST" else request.GET
    portion = posted.get("portion", "")
    batch = Batch(act, request.user, int(portion) if portion.isascii() and portion.isdigit() else 1)
    if request.method == "POST":
        return _stepped(request, batch, here)
    page = Paginator(batch.in_order(), SHOWN).get_page(request.GET.get("page"))
    reviewer = request.user.is_reviewer
    audience = request.GET.get("as", "")
    asked = bool(request.GET.get("undo")) and reviewer
    is_publication = act.kind == ActKind.PUBLISH
    found = acts.touched_by(context)
    records = Concatenation([acts.named(found[model]) for model in publication.reviewed_models() if model in found])
    first = [] if is_publication else records[slice(0, FIRST)]
    return _render(
        request,
        "act",
        title=act.label,
        act=act,
        here=here,
        counts=_counts(found),
        of=[to(row) for row in first],
        more_of=len(records) - len(first) if first else 0,
        batch=batch,
        page=page,
        items=batch.items(list(page)),
        exceptions=len({*batch.stopped, *batch.warnings}),
        all_can_be_published=reviewer and len(batch.can_publish) == len(batch.submitted),
        version=version_of(batch.rows),
        previews=[
            (code, label, f"{here}?{urlencode({'as': code, 'portion': str(batch.portion)})}")
            for code, label in Audience.choices()
            if code in publication.COPIES
        ],
        seen=publication.preview(batch.rows, Audience(audience), viewer=request.user)
        if audience in publication.COPIES
        else None,
        undo_url=f"{here}?undo=1" if reviewer and act.kind != ActKind.FREEZE else "",
        undo=undoing.preview(context, request.user) if asked and not is_publication else None,
        published=_published(request, records) if is_publication else None,
        returns=_returning(context) if asked and is_publication else None,
    )


def _counts(touched: dict[type[Record], Any]) -> list[tuple[str, int, list[tuple[str, int]]]]:
    """Kind, how many the act touched, and in which states they are."""
    found = []
    for model, rows in touched.items():
        if issubclass(model, Reviewed):
            numbers = dict(rows.order_by().values_list("review_state").annotate(Count("pk")))
            states = [(str(ReviewState(code).label), numbers[code]) for code in ReviewState.codes() if code in numbers]
            total = sum(numbers.values())
        else:
            states, total = [], rows.count()
        if total:
            found.append(
                (str(model._meta.verbose_name if total == 1 else model._meta.verbose_name_plural), total, states)
            )
    return found


def _published(request: Any, rows: Concatenation) -> Any:
    """A page of what a publication published."""
    page: Any = Paginator(rows, SHOWN).get_page(request.GET.get("page"))  # type: ignore[arg-type, var-annotated]
    page.object_list = [(to(row), str(row._meta.verbose_name)) for row in page]
    return page


def _returning(context: UUID) -> dict[str, Any]:
    """What taking a publication back would do, by what readers would see then; of many, the first are named."""
    plan = publication.returning(context)
    records = {row: moment for row, moment in plan.back.items() if isinstance(row, Reviewed)}
    named = {row.pk: to(row) for row in _named([*records, *plan.left])}
    gone = [named[row.pk] for row, moment in records.items() if moment is None and row.pk in named]
    older = [(named[row.pk], moment) for row, moment in records.items() if moment is not None and row.pk in named]
    left = [(named[row.pk], sentence) for row, sentence in plan.left.items() if row.pk in named]
    return {
        "left": left[:SHOWN],
        "gone": gone[:SHOWN],
        "older": older[:SHOWN],
        "more": sum(max(0, len(rows) - SHOWN) for rows in (left, gone, older)),
        "possible": bool(records),
    }


def _named(records: Iterable[Any]) -> list[Any]:
    keys: dict[Any, list[UUID]] = {}
    for record in records:
        keys.setdefault(type(record), []).append(record.pk)
    return [row for model, ids in keys.items() for row in acts.named(model._default_manager.filter(pk__in=ids))]


def _stepped(request: Any, batch: Batch, here: str) -> HttpResponse:
    name = request.POST.get("step", "")
    if name == "undo":
        return _undone(request, batch.act, here)
    if name not in {"submit", "publish", "send_back"}:
        return HttpResponseRedirect(here)
    step = STEPS[name]
    if not step.open_to(request.user):
        raise PermissionDenied
    back = HttpResponseRedirect(here if batch.portion == 1 else f"{here}?portion={batch.portion}")
    why = clean(request.POST.get("why", ""))
    rows: list[Any] = []
    # what was looked at is what the step is taken for
    if request.POST.get("version") != version_of(batch.rows):
        sentences = [stale_sentence()]
    else:
        rows = batch.chosen(name, request)
        sentences = step.run(rows, by=request.user, why=why) if rows else [_("Nothing is chosen.")]
    for sentence in sentences[:SHOWN]:
        messages.error(request, sentence)
    if len(sentences) > SHOWN:
        messages.error(request, _("And %(number)d more of the kind.") % {"number": len(sentences) - SHOWN})
    if sentences and why:
        messages.warning(request, _("You wrote: %(why)s") % {"why": why})
    if not sentences:
        messages.success(request, step.done(len(rows)))
    return back


def _undone(request: Any, act: Act, here: str) -> HttpResponse:
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
    if act.kind == ActKind.PUBLISH:
        messages.success(request, _("It is taken back. Readers see what they saw before."))
    else:
        messages.success(request, _("It is taken back. Readers see that when a second person has published it."))
    return HttpResponseRedirect(reverse("admin:tracker_act", args=[context]))
