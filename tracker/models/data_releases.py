"""Frozen versions of the data, kept in the copy of the audience they are for: nothing else hands them out."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, Final, Self

import pgtrigger
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tracker.models.rules import Check, immediate

#: what is written and read at once
CHUNK: Final = 1024 * 1024

PACKAGE, CHANGES = "package.zip", "changes.csv"


class DataReleaseQuerySet(models.QuerySet[Any]):
    def newest_first(self) -> Self:
        """By the moment of their data, and each before what it was issued again for."""
        return self.order_by("-moment", "-frozen_at")

    def family(self, release: DataRelease) -> Self:
        """The first issue and all that were issued in its place."""
        first = release.reissue_of_id or release.pk
        return self.filter(Q(pk=first) | Q(reissue_of=first))

    def standing(self) -> Self:
        """Those whose files are there."""
        return self.filter(withdrawn_on=None)

    def due(self) -> Self:
        """Those whose file is gone and that were not issued again since."""
        first = models.functions.Coalesce("reissue_of", "pk")
        later = self.model._base_manager.using(self.db).annotate(first=first)
        return self.annotate(first=first).filter(
            ~Exists(later.filter(first=OuterRef("first"), frozen_at__gt=OuterRef("frozen_at"))),
            withdrawn_on__isnull=False,
        )

    def holding(self, events: models.QuerySet[Any]) -> Self:
        """Those that hold what these rows of history say: it stood at the moment of their data."""
        later = events.model._base_manager.using(self.db).filter(
            pgh_obj_id=OuterRef("pgh_obj_id"),
            pgh_id__gt=OuterRef("pgh_id"),
            pgh_created_at__lte=OuterRef(OuterRef("moment")),
        )
        stood = events.exclude(pgh_label="delete").filter(~Exists(later), pgh_created_at__lte=OuterRef("moment"))
        return self.filter(Exists(stood))

    def withdraw(self) -> None:
        """Their files go at once (see the triggers); that they were there, and what their hash was, stays."""
        self.standing().update(withdrawn_on=Now())


class DataRelease(models.Model):
    """One frozen version: the data as this audience could see it at a moment. Immutable, but for what is withdrawn.

    Who froze it is an act in the working database; a copy names nobody.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: year, month, number: 2025.12.1; issued again: 2025.12.1-r1
    version = models.CharField(unique=True, editable=False, verbose_name=_("version"))
    reissue_of = models.ForeignKey(
        "self", null=True, editable=False, on_delete=models.PROTECT, related_name="reissues", verbose_name=_("issued")
    )
    moment = models.DateTimeField(editable=False, verbose_name=_("data of"))
    frozen_at = models.DateTimeField(editable=False, verbose_name=_("frozen"))
    software = models.CharField(editable=False, verbose_name=_("made by software"))
    #: of the package
    size = models.BigIntegerField(editable=False, verbose_name=_("bytes"))
    sha256 = models.CharField(editable=False)
    #: what is in it: name, bytes, sha256, and rows of a table
    files = models.JSONField(editable=False)
    #: against which version, and of each table how many rows and which columns (``tracker.comparing``)
    changes = models.JSONField(editable=False)
    withdrawn_on = models.DateField(null=True, editable=False, verbose_name=_("withdrawn"))

    objects = DataReleaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("data release")
        verbose_name_plural = _("data releases")
        constraints = [
            Check(
                name="data_release_version",
                condition=Q(version__regex=r"^[1-9][0-9]{3}\.([1-9]|1[0-2])\.[1-9][0-9]{0,3}(-r[1-9][0-9]{0,3})?$"),
                sentence=_("A version is year, month and number: 2025.12.1."),
                field="version",
            ),
            Check(
                name="data_release_reissue_says_so",
                condition=Q(reissue_of=None, version__regex=r"^[^-]+$")
                | Q(reissue_of__isnull=False, version__contains="-r"),
                sentence=_("What is issued again is called after the version it is issued for."),
                field="version",
            ),
            Check(
                name="data_release_hash",
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$", size__gt=0),
                sentence=_("A version is known by the hash of its file."),
            ),
            Check(
                name="data_release_of_the_past",
                condition=Q(frozen_at__gte=F("moment")),
                sentence=_("Data are frozen as they stood, not as they will stand."),
            ),
        ]
        triggers = [
            immediate(
                "data_release_stays_as_it_is",
                "OLD.withdrawn_on IS NOT NULL OR to_jsonb(NEW) - 'withdrawn_on' <> to_jsonb(OLD) - 'withdrawn_on'",
                _("A frozen version is never changed. It can be withdrawn, once."),
                operation=pgtrigger.Update,
            ),
            immediate(
                "data_release_is_kept",
                "true",
                _("That a version was there, and what its hash was, is never deleted."),
                operation=pgtrigger.Delete,
            ),
            pgtrigger.Trigger(
                name="files_go",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("withdrawn_on"),  # type: ignore[no-untyped-call]
                func="DELETE FROM tracker_datachunk WHERE release_id = NEW.id; RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return self.version

    def get_absolute_url(self) -> str:
        return reverse("data_release", args=[self.version])

    @property
    def rows(self) -> int:
        return sum(file["rows"] or 0 for file in self.files)

    def content(self, name: str) -> Iterator[bytes]:
        """A file of this version, a chunk at a time. Breaks off when it is withdrawn meanwhile."""
        chunks = DataChunk.objects.using(self._state.db).filter(release=self.pk, name=name)
        number = chunks.count()
        for position in range(number):
            yield bytes(chunks.values_list("content", flat=True).get(position=position))


class DataChunk(models.Model):
    """A piece of a file of a version."""

    release = models.ForeignKey(DataRelease, editable=False, on_delete=models.PROTECT, related_name="chunks")
    name = models.CharField(editable=False)
    position = models.PositiveIntegerField(editable=False)
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["release", "name", "position"], name="data_chunk_stands_in_one_place")
        ]
        triggers = [
            immediate(
                "data_chunk_stays_as_it_is",
                "true",
                _("A frozen version is never changed."),
                operation=pgtrigger.Update,
            ),
            immediate(
                "data_chunk_goes_with_its_version",
                "EXISTS (SELECT 1 FROM tracker_datarelease WHERE id = OLD.release_id AND withdrawn_on IS NULL)",
                _("A frozen version is never changed. It can be withdrawn, with all its files."),
                operation=pgtrigger.Delete,
            ),
            immediate(
                "data_chunk_is_of_a_standing_version",
                "EXISTS (SELECT 1 FROM tracker_datarelease WHERE id = NEW.release_id AND withdrawn_on IS NOT NULL)",
                _("This version is withdrawn."),
                operation=pgtrigger.Insert,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.position}"
