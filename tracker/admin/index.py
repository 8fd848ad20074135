"""What there is to do: recent events, what waits for a second person, what nobody vouches for yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from releases import reconciliation
from releases.admin.notes import to_do
from releases.models import Release, ReleaseEvent, Sitting
from tracker import acts
from tracker.admin.base import Link, to, uncited, visible
from tracker.admin.data_releases import due
from tracker.models import Act, Citation, Reviewed, User
from tracker.vocabularies import ReviewState

#: so many of a kind are named; the rest is counted
NAMED = 5
EVENTS = 6


@dataclass(frozen=True)
class Pile:
    """Records of one kind that want the same thing."""

    title: str
    number: int
    rows: list[Link]
    all: str

    @property
    def more(self) -> int:
        return self.number - len(self.rows)


def work(user: User) -> dict[str, Any]:
    """For the index. The number of queries does not depend on how much there is."""
    site = admin.site
    events = visible(ReleaseEvent.objects.all(), user)[:EVENTS]
    waiting, lacking = [], []
    for model, page in site._registry.items():
        if not issubclass(model, Reviewed):
            continue
        rows = visible(model._default_manager.all(), user).select_related(*getattr(page, "related", ()))
        rows = rows.prefetch_related(*getattr(page, "prefetched", ()))
        submitted = rows.filter(review_state=ReviewState.SUBMITTED)
        waiting.append(_pile(model, submitted, f"review_state__exact={ReviewState.SUBMITTED}"))
        if any(issubclass(part, Citation) for part in model.part_models()):
            withdrawn = Q(review_state=ReviewState.WITHDRAWN)
            lacking.append(_pile(model, uncited(rows.exclude(withdrawn)), "cited=no"))
    return {
        "log_release": reverse("admin:releases_release_add") if site.is_registered(Release) else "",
        "log_list": reverse("admin:releases_sitting_add") if site.is_registered(Sitting) else "",
        "add_event": reverse("admin:releases_releaseevent_add") if site.is_registered(ReleaseEvent) else "",
        "events": [
            (to(found.event) if site.is_registered(ReleaseEvent) else Link(str(found.event), ""), found)
            for found in reconciliation.of_events(events, "default", user)
        ],
        "notes": to_do(user),
        "lists": [(to(sitting), sitting.left) for sitting in _unfinished(user)] if site.is_registered(Sitting) else [],
        "due": due(user),
        "waiting": [pile for pile in [_acts(user), *waiting] if pile.number],
        "lacking": [pile for pile in lacking if pile.number],
    }


def _acts(user: User) -> Pile:
    """What was done as a whole, and waits as a whole."""
    waiting = acts.submitted()
    seen = waiting.keys() - acts.hidden_from(user, waiting)
    rows = Act.objects.filter(pk__in=seen).newest_first()[:NAMED]
    links = [
        Link(
            ngettext("%(act)s: %(number)d record", "%(act)s: %(number)d records", waiting[act.context])
            % {"act": act, "number": waiting[act.context]},
            reverse("admin:tracker_act", args=[act.context]),
        )
        for act in rows
    ]
    return Pile(_("acts"), len(seen), links, reverse("admin:tracker_acts"))


def _unfinished(user: User) -> Any:
    """Lists of which lines are to be decided or logged, the newest first."""
    return Sitting.objects.visible_to(user).unfinished(user).with_left(user)[:EVENTS]


def _pile(model: type[Reviewed], rows: Any, query: str) -> Pile:
    meta = model._meta
    url = f"{reverse(f'admin:{meta.app_label}_{meta.model_name}_changelist')}?{query}"
    return Pile(str(meta.verbose_name_plural), rows.count(), [to(row) for row in rows[:NAMED]], url)
