"""Pages of a list: fifty rows, and as many queries for fifty as for one.

A page of a sorted list is cut by a *cursor*: what the row next to it is sorted by. PostgreSQL finds that place in an
index, so that the last page of a million rows costs what the first one does. A sort is declared with keys that are
never NULL (``tracker.models.ordering``): a row whose key is NULL would be on no page.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from django.core.paginator import InvalidPage, Paginator
from django.core.paginator import Page as NumberedPage
from django.db.models import BooleanField, F, Func, QuerySet, Value
from django.db.models.expressions import OrderBy
from django.http import Http404, HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.models.alphabet import LONGEST

SIZE: Final = 50
#: So many rows are counted; of more it is said that there are more.
COUNTED: Final = 10_000
#: So many of those found by a name are listed best first: there is no index to cut them by.
BEST: Final = 1_000
#: The parameters of a list that are no filters
PARAMETERS: Final = frozenset({"sort", "after", "before"})
#: The cursor of the last page, as ``before``
END: Final = "end"

_BEST_FIRST = "best"


class Unreadable(Exception):
    """A page asked for in a way that cannot be read. Its message is for whoever asked."""


# --- Sorts


def _text(value: str) -> str:
    value.encode()  # a lone surrogate is no text
    if "\0" in value or len(value) > LONGEST:
        raise ValueError
    return value


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise ValueError
    return int(value)


@dataclass(frozen=True)
class Key:
    """A column or an expression that is never NULL, and how a cursor's word for it is read."""

    expression: Any
    read: Callable[[str], Any]


def words(expression: Any) -> Key:
    return Key(expression, _text)


def day(expression: Any) -> Key:
    return Key(expression, date.fromisoformat)


def number(expression: Any) -> Key:
    return Key(expression, _number)


def identifier(column: str = "id") -> Key:
    return Key(column, UUID)


@dataclass(frozen=True)
class Sort:
    label: str | Promise
    #: the last one is different for each row
    keys: tuple[Key, ...]
    descending: bool = False
    #: how many of the keys, from the first, stand in one index, where the rest is of another table
    indexed: int = 0
    #: a relation that every row has, said so that PostgreSQL can begin there
    through: str = ""


Sorts = Mapping[str, Sort]


def by_name(person: str = "") -> dict[str, Sort]:
    """Of persons, or of rows that lead to one by this path. Whoever has no name comes last, or first."""
    path = "__".join(filter(None, (person, "alphabetical")))
    keys = [words(f"{path}__key"), identifier(f"{path}__person_id")]
    more = {"indexed": 2} if person else {}
    keys += [identifier()] if person else []
    return {
        "name": Sort(gettext_lazy("name, A to Z"), tuple(keys), through=path, **more),  # type: ignore[arg-type]
        "-name": Sort(gettext_lazy("name, Z to A"), tuple(keys), descending=True, through=path, **more),  # type: ignore[arg-type]
    }


# --- Pages

#: What a page needs besides the rows
Dressed = Callable[[QuerySet[Any]], QuerySet[Any]]


class _Beyond(Func):
    """``(key, key) > (value, value)``: one comparison, for which PostgreSQL goes to that place in the index."""

    output_field = BooleanField()

    def __init__(self, keys: Sequence[Any], values: Sequence[Any], operator: str) -> None:
        super().__init__(*keys, *map(Value, values))
        self.operator = operator

    def as_sql(self, compiler: Any, connection: Any, *_args: Any, **_extra: Any) -> Any:
        compiled = [compiler.compile(expression) for expression in self.source_expressions]
        half = len(compiled) // 2
        left, right = (", ".join(sql for sql, _params in part) for part in (compiled[:half], compiled[half:]))
        return f"({left}) {self.operator} ({right})", [param for _sql, params in compiled for param in params]


@dataclass(frozen=True)
class Page:
    rows: list[Any]
    #: how many there are at most ``COUNTED`` + 1
    counted: int
    sorts: list[tuple[str, str | Promise]]
    sort: str
    #: cursors; empty where there is nothing more
    previous: str = ""
    next: str = ""
    #: best first, and whether only the best are listed
    by_rank: bool = False
    cut: bool = False
    first: bool = True

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    @property
    def more(self) -> bool:
        """Whether there are more than are counted."""
        return self.counted > COUNTED

    @property
    def count(self) -> int:
        return min(self.counted, COUNTED)

    @property
    def most(self) -> int:
        return BEST

    @property
    def whole(self) -> bool:
        """Whether this page is all there is."""
        return not (self.previous or self.next)


def cut(
    request: HttpRequest,
    rows: QuerySet[Any],
    sorts: Sorts,
    *,
    best: bool = False,
    dressed: Dressed = lambda rows: rows,
) -> Page:
    """The page that ``?sort=``, ``?after=`` and ``?before=`` ask for; the first of the sorts is the usual one.

    ``best``: the rows are found by a name and come with the best first, unless another order is asked for.
    ``dressed`` adds what the rows of the page need. Raises ``Unreadable``.
    """
    asked = request.GET.get("sort", "")
    known = ([_BEST_FIRST] if best else []) + list(sorts)
    if asked and asked not in known:
        raise Unreadable(
            _("sort=%(asked)s: this list cannot be sorted by that. It can by: %(known)s.")
            % {"asked": asked, "known": ", ".join(known)}
        )
    name = asked or known[0]
    labels: list[tuple[str, str | Promise]] = [(code, sort.label) for code, sort in sorts.items()]
    if best:
        labels.insert(0, (_BEST_FIRST, _("best match first")))
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    if after and before:
        raise Unreadable(_("“after” and “before” cannot both be asked for."))
    counted = rows.order_by().values("pk")[: COUNTED + 1].count()
    if name == _BEST_FIRST:
        return _best(rows, dressed, after or before, counted, labels)
    sort = sorts[name]
    backward = bool(before)
    place = [] if before == END else _read(after or before, name, [key.read for key in sort.keys])
    found, further = _slice(rows, sort, place, backward)
    return Page(
        rows=_rows([pk for pk, *_keys in found], rows, dressed),
        counted=counted,
        sorts=labels,
        sort=name,
        previous=_cursor(name, found[0]) if found and (further if backward else place) else "",
        next=_cursor(name, found[-1]) if found and ((backward and place) or (not backward and further)) else "",
        first=not (after or before),
    )


def _slice(rows: QuerySet[Any], sort: Sort, place: list[Any], backward: bool) -> tuple[list[tuple[Any, ...]], bool]:
    """The ids and keys of the rows next to the place, and whether there are more behind them."""
    names = [f"key_{number}" for number in range(len(sort.keys))]
    expressions = [F(key.expression) if isinstance(key.expression, str) else key.expression for key in sort.keys]
    descending = sort.descending != backward
    if sort.through:
        rows = rows.filter(**{f"{sort.through}__isnull": False})
    if place:
        operator = "<" if descending else ">"
        if sort.indexed:
            # over two tables the comparison is in no index: this one says the same of the first of them
            near = expressions[: sort.indexed], place[: sort.indexed]
            rows = rows.filter(_Beyond(*near, f"{operator}="))
        rows = rows.filter(_Beyond(expressions, place, operator))
    found = list(
        rows.annotate(**dict(zip(names, expressions, strict=True)))
        .order_by(*(OrderBy(expression, descending=descending) for expression in expressions))
        .values_list("pk", *names)[: SIZE + 1]
    )
    further = len(found) > SIZE
    del found[SIZE:]
    return (found[::-1] if backward else found), further


def _rows(ids: list[Any], rows: QuerySet[Any], dressed: Dressed) -> list[Any]:
    """Dressed by their ids: for an order or a filter PostgreSQL may have to look at very many, which wear nothing."""
    manager: Any = rows.model._default_manager
    found = {row.pk: row for row in dressed(manager.using(rows.db).filter(pk__in=ids))}
    return [found[pk] for pk in ids if pk in found]


def _best(
    rows: QuerySet[Any], dressed: Dressed, cursor: str, counted: int, labels: list[tuple[str, str | Promise]]
) -> Page:
    (start,) = _read(cursor, _BEST_FIRST, [_number]) or [0]
    if start % SIZE or start >= BEST:
        raise _broken()
    end = min(counted, BEST)
    return Page(
        rows=_rows(list(rows.values_list("pk", flat=True)[start : start + SIZE]), rows, dressed),
        counted=counted,
        sorts=labels,
        sort=_BEST_FIRST,
        previous=_written(_BEST_FIRST, [str(start - SIZE)]) if start else "",
        next=_written(_BEST_FIRST, [str(start + SIZE)]) if start + SIZE < end else "",
        by_rank=True,
        cut=counted > BEST,
        first=not start,
    )


# --- Cursors


def _cursor(name: str, row: tuple[Any, ...]) -> str:
    _pk, *keys = row
    return _written(name, [str(key) for key in keys])


def _written(name: str, words: list[str]) -> str:
    """Short, and not to be read in passing: an address is seen by whoever looks at the screen."""
    plain = json.dumps([name, *words], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _read(cursor: str, name: str, readers: list[Callable[[str], Any]]) -> list[Any]:
    """Raises ``Unreadable`` for what no page of this sort has written."""
    if not cursor:
        return []
    try:
        plain = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        own, *words = json.loads(plain)
        if own != name:
            raise ValueError
        return [read(word) for read, word in zip(readers, words, strict=True)]
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise _broken() from None


def _broken() -> Unreadable:
    return Unreadable(
        _("The address of this page cannot be read, or is of another order of the list. Begin with the first page.")
    )


# --- Pages with numbers, of what is never long


def paged(request: HttpRequest, rows: QuerySet[Any] | Sequence[Any] | Concatenation) -> NumberedPage[Any]:
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
