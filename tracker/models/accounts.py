"""Accounts of staff and researchers. In the copies these tables exist and are empty."""

from __future__ import annotations

import uuid

import pghistory
import pgtrigger
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from tracker.models.base import Row
from tracker.models.history import Event, tracked
from tracker.models.rules import Check, Unique
from tracker.vocabularies import Audience

EDITOR, REVIEWER, RESEARCHER = "editor", "reviewer", "researcher"


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.UpdateEvent(condition=pgtrigger.AnyChange()),
    pghistory.DeleteEvent(),
    # a hash kept for ever is a hash that can be attacked for ever
    exclude=["password", "last_login"],
    base_model=Event,
    model_name="UserHistory",
    obj_field=pghistory.ObjForeignKey(db_index=False, related_name="history"),
    meta={"indexes": [models.Index(fields=["pgh_obj", "-pgh_id"])]},
)
class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta(AbstractUser.Meta):
        verbose_name = _("account")  # type: ignore[assignment]
        verbose_name_plural = _("accounts")  # type: ignore[assignment]

    @property
    def roles(self) -> set[str]:
        """Names of the account's groups; asked once for each object."""
        if not hasattr(self, "_roles"):
            self._roles = set(self.groups.values_list("name", flat=True))
        return self._roles

    @property
    def is_reviewer(self) -> bool:
        return self.is_active and (REVIEWER in self.roles or self.is_superuser)

    @property
    def audience(self) -> Audience | None:
        """Whose copy this account reads on the reading side; staff read the researchers' copy there."""
        if self.is_active and (self.is_staff or RESEARCHER in self.roles):
            return Audience.RESEARCHER
        return None


@pghistory.track(
    pghistory.InsertEvent(),
    pghistory.DeleteEvent(),
    obj_field=None,
    base_model=Event,
    model_name="RoleHistory",
)
class Role(User.groups.through):  # type: ignore[name-defined, misc]
    """Who was given which role, and by whom: a row of Django's own table."""

    class Meta:
        proxy = True


@tracked
class Grant(Row):
    """Names a user who may see one sealed person or source; being a superuser is not enough."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    person = models.ForeignKey("tracker.Person", null=True, blank=True, on_delete=models.CASCADE, related_name="grants")
    source = models.ForeignKey("tracker.Source", null=True, blank=True, on_delete=models.CASCADE, related_name="grants")

    class Meta:
        constraints = [
            Check(
                name="grant_names_one_record",
                condition=models.Q(person__isnull=False, source__isnull=True)
                | models.Q(person__isnull=True, source__isnull=False),
                sentence=_("A grant names one record: a person or a source."),
            ),
            Unique(
                fields=["user", "person", "source"],
                name="grant_once",
                nulls_distinct=False,
                sentence=_("This account already has this grant."),
                field="user",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.person or self.source}"
