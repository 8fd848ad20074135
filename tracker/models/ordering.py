"""What lists are sorted by, as it stands in an index: never NULL, for a row without a value would be on no page.

What nobody knows comes last, whichever way a list is sorted: so there is a key for each.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Func
from django.db.models.functions import Coalesce, Collate, Left, Lower

from tracker.models.alphabet import LONGEST


class FirstDay(Func):
    """The earliest day that an imprecise date can be."""

    function = "lower"
    output_field = models.DateField()


class EarliestFirst(Func):
    """A literal, not a parameter: the index is found by the very same words."""

    output_field = models.DateField()
    template = "COALESCE(%(expressions)s, DATE '9999-12-31')"


class LatestFirst(Func):
    output_field = models.DateField()
    template = "COALESCE(%(expressions)s, DATE '0001-01-01')"


def earliest_first(*columns: str) -> Any:
    """By the first of the columns that has a date."""
    return EarliestFirst(*map(FirstDay, columns))


def latest_first(*columns: str) -> Any:
    return LatestFirst(*map(FirstDay, columns))


def by_text(column: str) -> Any:
    return Collate(Left(Lower(column), LONGEST), "C")


def by_term() -> Any:
    """Days of a sentence's term, a month counted as thirty; nothing where there is no term."""
    return Coalesce(F("years"), 0) * 360 + Coalesce(F("months"), 0) * 30 + Coalesce(F("days"), 0)
