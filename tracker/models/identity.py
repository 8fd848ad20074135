"""Who is who: two persons that look like one, and are not."""

from __future__ import annotations

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tracker.models.accounts import User
from tracker.models.base import Row, RowQuerySet
from tracker.models.history import tracked
from tracker.models.persons import Person
from tracker.models.rules import Check, Unique, immediate


def in_order(one: Person, two: Person) -> dict[str, Person]:
    """The two as a pair is stored: PostgreSQL and Python compare keys alike."""
    first, second = sorted((one, two), key=lambda person: person.pk)
    return {"person": first, "other": second}


class NotTheSameQuerySet(RowQuerySet):
    def about(self, one: Person, two: Person) -> Self:
        return self.filter(**in_order(one, two))


@tracked
class NotTheSame(Row):
    """Somebody decided that two persons are two. Remembered for good: it is taken back by deleting it."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+", verbose_name=_("person"))
    other = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+", verbose_name=_("is not"))
    why = models.TextField(editable=False, verbose_name=_("why"))
    decided_by = models.ForeignKey(
        User, editable=False, on_delete=models.PROTECT, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(db_default=Now(), editable=False, verbose_name=_("decided"))

    objects = NotTheSameQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("decision that two are not the same")
        verbose_name_plural = _("decisions that two are not the same")
        indexes = [models.Index(fields=["other"])]
        constraints = [
            Check(
                name="notthesame_in_one_order",
                condition=Q(person__lt=F("other")),
                sentence=_("A pair of persons is stored once, the smaller key first, and never with itself."),
                field="other",
            ),
            Unique(
                fields=["person", "other"],
                name="notthesame_once",
                sentence=_("Somebody has already decided that these two are not the same."),
                field="other",
            ),
            Check(
                name="notthesame_has_a_reason",
                condition=~Q(why__regex=r"^\s*$"),
                sentence=_("Say why they are not the same: whoever comes next wants to know."),
                field="why",
            ),
        ]
        triggers = [
            immediate(
                "notthesame_is_not_reworded",
                "(NEW.why, NEW.decided_by_id, NEW.decided_at) IS DISTINCT FROM"
                " (OLD.why, OLD.decided_by_id, OLD.decided_at)",
                _("What was decided stays as it was decided. Take it back, and decide anew."),
                field="why",
                operation=pgtrigger.Update,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} ≠ {self.other}"
