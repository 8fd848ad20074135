"""What an audience would see differently if some records were published as they stand. Nothing of it stays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.utils.translation import gettext as _

from tracker.dates import ImpreciseDate
from tracker.models import Part, Record, Reviewed, Row, User
from tracker.models.fields import KeyField, MissingField
from tracker.publication.belonging import Ids, Rows, by_model, reviewed_models, support_models
from tracker.publication.content import Copy
from tracker.publication.steps import clock, lock, take_along
from tracker.publication.writing import batches, concerned, gap_of
from tracker.review import references, support_of
from tracker.vocabularies import Audience, Disclosure

#: so many rows of each kind are shown in full, and so many records named that stay hidden; the rest is counted
SHOWN = 8


@dataclass(frozen=True)
class SeenRow:
    kind: str
    #: what this audience would call it
    name: str
    change: str  # added, changed, gone
    #: label of the column, what it says there now, what it would say
    columns: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Seen:
    audience: Audience
    #: kind of row, and how many of it are added, changed and gone
    numbers: list[tuple[str, int, int, int]]
    rows: list[SeenRow]
    more: int
    #: records of which this audience would see nothing, and why
    hidden: list[tuple[Record, str]]
    more_hidden: int


def preview(records: Iterable[Reviewed], audience: Audience, *, viewer: User) -> Seen:
    """By the rules of publication themselves, in a savepoint that is taken back, as if a second person published."""
    added: Rows = defaultdict(dict)
    gone: Rows = defaultdict(dict)
    old: Rows = defaultdict(dict)
    new: Rows = defaultdict(dict)
    pool: Rows = defaultdict(dict)
    with transaction.atomic():
        # in the order in which publishing locks them, so that neither waits for the other for ever
        chosen = lock(records)
        moment = clock()
        scope: Ids = defaultdict(set)
        for model, group in by_model(chosen).items():
            scope[model] = {record.pk for record in group}
            model._base_manager.filter(pk__in=scope[model]).update(published_at=moment)
        for support, ids in support_of(chosen).items():
            scope[support] = take_along(support, ids, moment, None)
        copy = Copy(audience)
        whole = concerned(copy, scope)
        for record_model in [*support_models(), *reviewed_models()]:
            for batch in batches(sorted(whole[record_model])):
                gap = gap_of(copy, record_model, batch)
                for into, rows in (
                    (added, gap.missing), (gone, gap.extra), (old, gap.old), (new, gap.new), (pool, gap.want),
                ):  # fmt: skip
                    for kind, found in rows.items():
                        into[kind].update(found)
        hidden = [record for record in chosen if record.pk not in copy.shown(type(record), [record.pk])]
        why_hidden: list[tuple[Record, str]] = [
            (record, _why_hidden(record, audience, viewer)) for record in hidden[:SHOWN]
        ]
        said = [
            *((kind, pk, "added") for kind, rows in added.items() for pk in rows),
            *((kind, pk, "changed") for kind, rows in new.items() for pk in rows),
            *((kind, pk, "gone") for kind, rows in gone.items() for pk in rows),
        ]
        first: list[tuple[type[Row], UUID, str]] = []
        listed: dict[type[Row], int] = defaultdict(int)
        for kind, pk, change in said:
            listed[kind] += 1
            if listed[kind] <= SHOWN:
                first.append((kind, pk, change))
        called = _Called(copy, pool, gone, first)
        transaction.set_rollback(True)
    kinds = dict.fromkeys(kind for kind, _pk, _change in said)
    values = {"added": (gone, added), "changed": (old, new), "gone": (gone, added)}
    return Seen(
        audience,
        [(str(kind._meta.verbose_name_plural), len(added[kind]), len(new[kind]), len(gone[kind])) for kind in kinds],
        [
            SeenRow(
                str(kind._meta.verbose_name),
                called.name(kind, pk),
                change,
                called.columns(kind, *(rows[kind].get(pk, {}) for rows in values[change])),
            )
            for kind, pk, change in first
        ],
        len(said) - len(first),
        why_hidden,
        max(0, len(hidden) - SHOWN),
    )


def _why_hidden(record: Reviewed, audience: Audience, viewer: User) -> str:
    above: list[Any] = [record]
    while above:
        one = above.pop(0)
        closed = type(one).closure_of(one)
        if not closed.visible_to(audience):
            if not type(one).objects.visible_to(viewer).filter(pk=one.pk).exists():
                break
            return _("“%(record)s” is open to: %(closed)s.") % {"record": one, "closed": Disclosure(closed).label}
        above += [target for name in one.below if (target := getattr(one, name)) is not None]
    return _("Something it needs is not published.")


class _Called:
    """What rows of a copy are called in it, read from nothing but what it would hold."""

    def __init__(self, copy: Copy, pool: Rows, gone: Rows, first: list[tuple[type[Row], UUID, str]]) -> None:
        self._pool, self._objects = pool, dict[tuple[type[Row], UUID], Any]()
        for kind, rows in gone.items():
            for pk, values in rows.items():
                pool[kind].setdefault(pk, values)
        wanted: list[tuple[type[Row], UUID]] = [(kind, pk) for kind, pk, _change in first]
        done: set[tuple[type[Row], UUID]] = set()
        while wanted:
            asked: dict[type[Record], set[UUID]] = defaultdict(set)
            further: list[tuple[type[Row], UUID]] = []
            for kind, pk in wanted:
                done.add((kind, pk))
                if pk not in pool[kind] and issubclass(kind, Record):
                    asked[kind].add(pk)
            for model, ids in asked.items():
                for kind, rows in copy.rows(model, ids)[0].items():
                    for pk, values in rows.items():
                        pool[kind].setdefault(pk, values)
            for kind, pk in wanted:
                for field in references(kind):
                    target: Any = field.related_model
                    key = pool[kind].get(pk, {}).get(field.attname)
                    if key and (target, key) not in done:
                        further.append((target, key))
            wanted = further

    def _object(self, kind: type[Row], pk: UUID) -> Any:
        if (kind, pk) in self._objects:
            return self._objects[kind, pk]
        if pk not in self._pool[kind]:
            return None
        values = {**self._pool[kind][pk]}
        pointing = {field: values.pop(field.attname, None) for field in references(kind)}
        row: Any = kind(**values)
        self._objects[kind, pk] = row
        for field, key in pointing.items():
            target = self._object(field.related_model, key) if key else None  # type: ignore[arg-type]
            # never what the working database says of it
            setattr(row, field.attname, key if target is not None else None)
            field.set_cached_value(row, target)
        if issubclass(kind, Record):
            row._prefetched_objects_cache = {
                part._meta.get_field(part.owner).remote_field.get_accessor_name(): self._parts(part, pk)  # type: ignore[union-attr]
                for part in kind.part_models()
            }
        return row

    def _parts(self, part: type[Part], owner: UUID) -> Any:
        own = [pk for pk, values in self._pool[part].items() if values.get(f"{part.owner}_id") == owner]
        rows = [self._object(part, pk) for pk in own]
        found: Any = part._base_manager.none()
        found._result_cache = sorted(rows, key=lambda row: getattr(row, "position", 0))
        found._prefetch_done = True
        return found

    def name(self, kind: type[Row], pk: UUID) -> str:
        return str(self._object(kind, pk))

    def columns(self, kind: type[Row], old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str]]:
        found = []
        hidden = {"id", getattr(kind, "owner", ""), *KeyField.names_in(kind)}
        for column in kind._meta.concrete_fields:
            before, after = (self._text(column, values.get(column.attname)) for values in (old, new))
            if column.name not in hidden and before != after:
                found.append((str(column.verbose_name), before, after))
        return found

    def _text(self, column: Any, value: Any) -> str:
        if value in (None, "", [], {}):
            return ""
        if isinstance(column, MissingField):
            return column.in_words(value)
        if isinstance(column, models.ForeignKey):
            return str(self._object(column.related_model, value) or "")  # type: ignore[arg-type]
        if isinstance(value, ImpreciseDate):
            return value.display
        labels = dict(getattr(column, "code_choices", None) or getattr(column, "flatchoices", None) or ())
        codes = value if isinstance(value, list) else [value]
        return ", ".join(str(labels.get(code, code)) for code in codes)
