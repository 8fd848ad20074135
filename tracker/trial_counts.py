"""What people were sentenced to and charged with, counted for a whole copy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import Case, CharField, Count, F, Q, Value, When
from django.db.models.functions import Coalesce

from tracker import vocabularies as v
from tracker.models import Charge, Provision, Sentence

#: From so many years on, up to but without the next; the last is open.
BANDS: Final = (0, 1, 3, 5, 10, 15)
NO_TERM: Final = "no_term"


def by_length(using: str, until: date) -> dict[str, int]:
    """Penalties of imprisonment and for life, as courts of first instance gave them by the day.

    By the years that the band of the term begins with, ``NO_TERM`` where no source says how long, and ``life``. What
    a later court changed is not counted again. One query.
    """
    # a month of 30 days, as sentences are added up
    days = Coalesce(F("years"), 0) * 360 + Coalesce(F("months"), 0) * 30 + Coalesce(F("days"), 0)
    band = Case(
        When(kind=v.SentenceKind.LIFE, then=Value(v.SentenceKind.LIFE.value)),
        When(years=None, months=None, days=None, then=Value(NO_TERM)),
        *(When(days_in_all__gte=years * 360, then=Value(str(years))) for years in reversed(BANDS)),
        output_field=CharField(),
    )
    rows = (
        Sentence.objects.using(using)
        .filter(
            Q(verdict__pronounced=None) | Q(verdict__pronounced__startswith__lte=until),
            kind__in=[v.SentenceKind.IMPRISONMENT, v.SentenceKind.LIFE],
            verdict__instance=v.Instance.FIRST,
        )
        .order_by()
        .annotate(days_in_all=days)
        .annotate(band=band)
        .values_list("band")
        .annotate(sentences=Count("pk"))
    )
    found = dict(rows)
    return {band: found.get(band, 0) for band in (*map(str, BANDS), v.SentenceKind.LIFE.value, NO_TERM)}


@dataclass(frozen=True)
class Charged:
    provision: Provision
    persons: int


def by_article(using: str) -> list[Charged]:
    """How many persons are or were charged under each article, the commonest first. Two queries."""
    rows = Charge.objects.using(using).filter(provision__isnull=False, prosecution__person__merged_into=None)
    counts = dict(
        rows.order_by().values_list("provision").annotate(persons=Count("prosecution__person", distinct=True))
    )
    found = [Charged(row, counts[row.pk]) for row in Provision.objects.using(using).filter(pk__in=counts)]
    return sorted(found, key=lambda charged: (-charged.persons, charged.provision.article, str(charged.provision.pk)))
