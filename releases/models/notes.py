"""What somebody is to do, or to remember, about a person, an event or a line of a list. Staff only, in no copy."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from releases.models.events import ReleaseEvent
from releases.models.sittings import ListLine
from tracker.models import Person, User
from tracker.models.base import Row, RowQuerySet
from tracker.models.history import tracked
from tracker.models.persons import nothing_new_of_the_merged
from tracker.models.rules import Check


class NoteQuerySet(RowQuerySet):
    def open(self) -> Self:
        """What nobody has done yet, the most urgent first; what has no day comes last."""
        return self.filter(done_at=None).order_by(F("due").asc(nulls_last=True), "written_at", "id")

    def due(self, on: date) -> Self:
        return self.open().filter(due__lte=on)


@tracked
class Note(Row):
    """What the phone brings: a call to make, a rumour to check."""

    below = ("line",)

    person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.CASCADE, related_name="notes", verbose_name=_("person")
    )
    event = models.ForeignKey(
        ReleaseEvent, null=True, blank=True, on_delete=models.CASCADE, related_name="notes", verbose_name=_("event")
    )
    line = models.ForeignKey(
        ListLine, null=True, blank=True, on_delete=models.CASCADE, related_name="notes", verbose_name=_("line")
    )
    text = models.TextField(verbose_name=_("note"), help_text=_("Seen by staff only, and never published."))
    due = models.DateField(null=True, blank=True, verbose_name=_("due"), help_text=_("When somebody has to act."))
    written_by = models.ForeignKey(
        User, editable=False, on_delete=models.PROTECT, related_name="+", verbose_name=_("written by")
    )
    written_at = models.DateTimeField(db_default=Now(), editable=False, verbose_name=_("written"))
    done_by = models.ForeignKey(
        User,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("done by"),
    )
    done_at = models.DateTimeField(null=True, blank=True, editable=False, verbose_name=_("done"))

    objects = NoteQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["-written_at", "id"]
        indexes = [models.Index(fields=["due"], condition=Q(done_at__isnull=True), name="note_open_by_day")]
        constraints = [
            Check(
                name="note_about_one",
                condition=Q(person__isnull=False, event__isnull=True, line__isnull=True)
                | Q(person__isnull=True, event__isnull=False, line__isnull=True)
                | Q(person__isnull=True, event__isnull=True, line__isnull=False),
                sentence=_("A note is about a person, an event or a line of a list: one of them."),
                field="person",
            ),
            Check(
                name="note_says_something",
                condition=~Q(text__regex=r"^\s*$"),
                sentence=_("Write what is to be done or remembered."),
                field="text",
            ),
            Check(
                name="note_done_by_somebody",
                condition=Q(done_at__isnull=True, done_by__isnull=True)
                | Q(done_at__isnull=False, done_by__isnull=False),
                sentence=_("Whoever has done it, and when, are remembered together."),
                field="done_at",
            ),
        ]
        triggers = [nothing_new_of_the_merged()]

    def __str__(self) -> str:
        return self.text if len(self.text) <= 60 else f"{self.text[:59]}…"

    @property
    def about(self) -> Any:
        """The person, the event or the line."""
        return self.person or self.event or self.line

    def is_overdue(self, on: date) -> bool:
        return self.done_at is None and self.due is not None and self.due < on

    def finish(self, by: User) -> None:
        self.done_by, self.done_at = by, timezone.now()
        self.save()

    def reopen(self) -> None:
        self.done_by = self.done_at = None
        self.save()
