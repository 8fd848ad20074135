"""Which files accounts took away: written when a file ends, read by reviewers alone."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tracker.models.accounts import User
from tracker.models.fields import CodedField
from tracker.vocabularies import Audience


class DownloadQuerySet(models.QuerySet[Any]):
    def newest_first(self) -> Self:
        return self.order_by("-pk")

    def older_than(self, pk: int) -> Self:
        return self.filter(pk__lt=pk)


class Download(models.Model):
    """One file that an account was sent, or the beginning of one. It is history itself: written once, never changed."""

    at = models.DateTimeField(db_default=Now(), editable=False, verbose_name=_("when"))
    by = models.ForeignKey(User, editable=False, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))
    what = models.CharField(editable=False, verbose_name=_("file"))
    #: the question, without the names and texts that were searched for
    query = models.CharField(blank=True, default="", editable=False, verbose_name=_("filter"))
    audience = CodedField(Audience, editable=False, verbose_name=_("audience"))
    #: of the table, or of all tables of a package
    rows = models.BigIntegerField(editable=False, verbose_name=_("rows"))
    size = models.BigIntegerField(editable=False, verbose_name=_("bytes"))
    #: of what was sent
    sha256 = models.CharField(editable=False)
    complete = models.BooleanField(editable=False, verbose_name=_("complete"))

    objects = DownloadQuerySet.as_manager()

    class Meta:
        verbose_name = _("download")
        verbose_name_plural = _("downloads")

    def __str__(self) -> str:
        return f"{self.what}, {self.at:%Y-%m-%d %H:%M}"
