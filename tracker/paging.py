"""Pages of a list: fifty rows, and as many queries for fifty as for one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.http import Http404, HttpRequest

from tracker.models import Name
from tracker.vocabularies import NameKind

SIZE = 50


def called(using: str, person: str = "") -> Any:
    """What persons are sorted by: the first name that is not erroneous, else the label; none come last.

    ``person`` is the foreign key to the person, for rows that are not persons themselves.
    """
    names = Name.objects.using(using).filter(person=OuterRef(person or "pk")).exclude(kind=NameKind.ERRONEOUS)
    first = Subquery(names.order_by("position").values("text")[:1])
    label = f"{person}__label" if person else "label"
    return Lower(Coalesce(first, NullIf(label, Value("")))).asc(nulls_last=True)


def paged(request: HttpRequest, rows: QuerySet[Any] | Concatenation) -> Page[Any]:
    """The page that ``?page=`` asks for. The rows need a complete order. Raises ``Http404`` for a page there is not."""
    try:
        return Paginator(rows, SIZE).page(request.GET.get("page", 1))  # type: ignore[arg-type]
    except InvalidPage as error:
        raise Http404(str(error)) from error


class Concatenation:
    """Querysets of several models one after the other, sliced without reading more than the slice."""

    def __init__(self, querysets: Sequence[QuerySet[Any]]) -> None:
        self.querysets = querysets

    @cached_property
    def _lengths(self) -> list[int]:
        return [queryset.count() for queryset in self.querysets]

    def __len__(self) -> int:
        return sum(self._lengths)

    def __getitem__(self, wanted: slice) -> list[Any]:
        found: list[Any] = []
        before = 0
        for queryset, length in zip(self.querysets, self._lengths, strict=True):
            start, stop = max(wanted.start - before, 0), min(wanted.stop - before, length)
            if start < stop:
                found += queryset[start:stop]
            before += length
        return found
