"""What there is to do: recent events, what waits for a second person, what nobody vouches for yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse

from releases import reconciliation
from releases.models import Release, ReleaseEvent
from tracker.admin.base import Link, to, uncited, visible
from tracker.models import Citation, Reviewed, User
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
        "add_event": reverse("admin:releases_releaseevent_add") if site.is_registered(ReleaseEvent) else "",
        "events": [
            (to(found.event) if site.is_registered(ReleaseEvent) else Link(str(found.event), ""), found)
            for found in reconciliation.of_events(events, "default", user)
        ],
        "waiting": [pile for pile in waiting if pile.number],
        "lacking": [pile for pile in lacking if pile.number],
    }


def _pile(model: type[Reviewed], rows: Any, query: str) -> Pile:
    meta = model._meta
    url = f"{reverse(f'admin:{meta.app_label}_{meta.model_name}_changelist')}?{query}"
    return Pile(str(meta.verbose_name_plural), rows.count(), [to(row) for row in rows[:NAMED]], url)
