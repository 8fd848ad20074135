"""What was done as a whole, listed: the history of each table tells what it changed there."""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tracker.models.accounts import User
from tracker.models.fields import CodedField
from tracker.vocabularies import ActKind


class ActQuerySet(models.QuerySet[Any]):
    def newest_first(self) -> Self:
        return self.order_by("-ended", "-context")

    def older_than(self, act: Act) -> Self:
        same = models.Q(ended=act.ended, context__lt=act.context)
        return self.filter(models.Q(ended__lt=act.ended) | same)


class Act(models.Model):
    """One context of the history. It is history itself: written once, by ``tracker.acts``, and never changed."""

    context = models.UUIDField(primary_key=True, editable=False)
    kind = CodedField(ActKind, editable=False, verbose_name=_("kind"))
    by = models.ForeignKey(
        User, null=True, editable=False, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    why = models.TextField(blank=True, default="", editable=False, verbose_name=_("why"))
    #: what else the context says: whom a merge merged, what an undoing took back, which list, which file
    about = models.JSONField(default=dict, editable=False)
    #: everything it changed was written before
    ended = models.DateTimeField(db_default=Now(), editable=False, verbose_name=_("done"))
    records = models.PositiveIntegerField(editable=False, verbose_name=_("records"))

    objects = ActQuerySet.as_manager()

    class Meta:
        verbose_name = _("act")
        verbose_name_plural = _("acts")
        indexes = [models.Index(fields=["-ended", "-context"])]

    def __str__(self) -> str:
        return f"{self.label}, {self.ended:%Y-%m-%d %H:%M}"

    @property
    def label(self) -> str:
        return str(ActKind(self.kind).label)

    @property
    def told(self) -> str:
        """What acts of this kind are, in a sentence."""
        return str(ActKind(self.kind).definition)

    @property
    def undoes(self) -> UUID | None:
        """Of an undoing: the context that was taken back."""
        found = self.about.get("undoes")
        return UUID(found) if found else None
