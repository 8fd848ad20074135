"""Files that somebody is looking at before they are imported."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, Final, Self

from django.db import models
from django.db.models.functions import Now

from tracker.models.accounts import User

#: nobody looks at a preview for longer
KEPT: Final = timedelta(days=1)


class UploadQuerySet(models.QuerySet[Any]):
    def expired(self) -> Self:
        return self.filter(uploaded_at__lt=Now() - KEPT)


class Upload(models.Model):
    """A file between its preview and its import. Only who uploaded it sees it; it has no history, and soon goes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    by = models.ForeignKey(User, editable=False, on_delete=models.CASCADE, related_name="+")
    what = models.CharField(editable=False)
    name = models.CharField(editable=False)
    source = models.UUIDField(null=True, editable=False)
    locator = models.CharField(blank=True, default="", editable=False)
    content = models.BinaryField()
    uploaded_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = UploadQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
