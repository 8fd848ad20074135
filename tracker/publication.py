"""Filling the copies that readers read: nothing else writes to them.

A copy holds a record when it is published and neither it nor anything it lies below is more closed than the audience,
then *and* now; it shows the record as it stood at ``published_at``, which is read back from history. So an edit
changes no copy, a stricter disclosure works at once, and every copy can be computed anew at any time.

Sources, organisations and the like have no review: they come along with a record that needs them, as they stood when
a second person last published something that uses them.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pghistory
from django.apps import apps
from django.db import connections, models, transaction
from django.utils.translation import gettext as _

from tracker import review
from tracker.models import Citation, Part, Record, Reviewed, Row, Source, User
from tracker.review import Refused
from tracker.versions import editors, history_of, rows_at
from tracker.vocabularies import Audience, Disclosure, ReviewState, Standing

COPIES = (Audience.RESEARCHER, Audience.PUBLIC)
BATCH = 500

#: Stands in a copy for every source that is for staff only, so that a reader sees that a fact has one.
HELD = uuid.uuid5(uuid.NAMESPACE_URL, "information held by the organisation")

Rows = dict[type[Row], dict[UUID, dict[str, Any]]]
Ids = dict[type[Record], set[UUID]]


@dataclass(frozen=True)
class Difference:
    """A row of a copy that is not what it should be."""

    audience: Audience
    model: type[Row]
    id: UUID
    kind: str  # missing, extra, different
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        columns = f": {', '.join(self.columns)}" if self.columns else ""
        return f"{self.audience}: {self.model._meta.label} {self.id} is {self.kind}{columns}"


def publish(records: Iterable[Reviewed], *, by: User) -> None:
    """Publish what somebody else submitted, all of it or nothing. Raises ``Refused``.

    The working database is committed first: whatever interrupts the copying leaves copies that show too little, and
    that ``repair`` completes. Must not be called inside a transaction.
    """
    chosen = list(records)
    with transaction.atomic(durable=True), pghistory.context(user=str(by.pk)):
        locked = _lock(chosen)
        sentences = review.obstacles(locked, by=by)
        if sentences:
            raise Refused(sentences)
        moment = _clock()
        for model, group in _by_model(locked).items():
            rows = model._base_manager.filter(pk__in=[record.pk for record in group])
            rows.update(review_state=ReviewState.PUBLISHED, reviewed_by=by, published_at=moment)
        for support, ids in _support_of(locked).items():
            _take_along(support, ids, moment, by)
    _refresh(chosen)


def withdraw(records: Iterable[Reviewed], *, by: User) -> None:
    """Take records out of every copy at once, with their history there. Any editor may; needs no second person.

    The copies are emptied before the working database is committed: whatever interrupts it leaves copies that show
    too little, never too much.
    """
    chosen = list(records)
    with transaction.atomic(), pghistory.context(user=str(by.pk)):
        locked = _lock(chosen)
        wrong = [record for record in locked if record.review_state == ReviewState.WITHDRAWN]
        if wrong:
            raise Refused([_("“%(record)s” is withdrawn already.") % {"record": record} for record in wrong])
        for model, group in _by_model(locked).items():
            rows = model._base_manager.filter(pk__in=[record.pk for record in group])
            rows.update(review_state=ReviewState.WITHDRAWN, published_at=None)
        _refresh(locked)


def close(record: Record) -> None:
    """Bring a stricter disclosure (or consent) of a saved record, or of its parts, into the copies at once.

    Costs little when nothing became stricter, and never shows anything new.
    """
    if isinstance(record, Reviewed):
        if type(record)._base_manager.filter(pk=record.pk, published_at__isnull=False).exists():
            _refresh([record])
        return
    for audience in COPIES:
        if Disclosure(record.disclosure).visible_to(audience):
            continue
        scope = _dependants({type(record): {record.pk}}, audience)
        scope[type(record)] = {record.pk}
        _bring_up_to_date(audience, scope)


def verify() -> Iterator[Difference]:
    """Where the copies are not what they should be. Writes nothing."""
    for audience in COPIES:
        yield from _walk(audience, write=False)


def repair() -> Iterator[Difference]:
    """Mends what ``verify`` finds, by writing the differences, so that the copies' history stays."""
    for audience in COPIES:
        yield from _walk(audience, write=True)


# What belongs to what


def reviewed_models() -> list[type[Reviewed]]:
    """Records that are published, those that others refer to first."""
    return _sorted([model for model in apps.get_models() if issubclass(model, Reviewed)])


def support_models() -> list[type[Record]]:
    """Records that come along, those that others refer to first."""
    return _sorted(
        [model for model in apps.get_models() if issubclass(model, Record) and not issubclass(model, Reviewed)]
    )


def _sorted(found: list[Any]) -> list[Any]:
    done: list[Any] = []

    def visit(model: Any) -> None:
        if model in done:
            return
        for field in _references(model):
            if field.related_model in found and field.related_model is not model:
                visit(field.related_model)
        done.append(model)

    for model in found:
        visit(model)
    return done


def _references(model: type[Row]) -> list[models.ForeignKey[Any, Any]]:
    """Foreign keys between rows of ours (accounts are in no copy)."""
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and issubclass(field.related_model, Row)  # type: ignore[arg-type]
    ]


def _referring(model: type[Record]) -> Iterator[tuple[Any, Any]]:
    """Models of ours with a foreign key to this one, and that field; not the parts that belong to it."""
    for relation in model._meta.get_fields(include_hidden=True):
        kind: Any = relation.related_model
        if not (relation.auto_created and not relation.concrete and isinstance(kind, type)):
            continue
        if issubclass(kind, Part | Record) and getattr(kind, "owner", "") != relation.field.name:  # type: ignore[union-attr]
            yield kind, relation.field  # type: ignore[union-attr]


def _by_model(records: Iterable[Reviewed]) -> dict[type[Reviewed], list[Reviewed]]:
    groups: dict[type[Reviewed], list[Reviewed]] = defaultdict(list)
    for record in records:
        groups[type(record)].append(record)
    return groups


def _lock(records: Iterable[Reviewed]) -> list[Reviewed]:
    """The records as they are now, locked with all their parts, so that no edit falls between reading and copying."""
    locked: list[Reviewed] = []
    groups = _by_model(records)
    for model in reviewed_models():
        ids = sorted(record.pk for record in groups.get(model, []))
        if ids:
            locked += model._base_manager.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",))
            for part in model.part_models():
                rows = part._base_manager.filter(**{f"{part.owner}__in": ids}).order_by("pk")
                list(rows.select_for_update(of=("self",)).values_list("pk"))
    return locked


def _clock() -> datetime:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _support_of(records: Iterable[Record]) -> Ids:
    """Sources, organisations and the like that the records' working rows refer to, directly or through one another."""
    found: Ids = defaultdict(set)
    todo: Ids = defaultdict(set)
    for record in records:
        todo[type(record)].add(record.pk)
    while todo:
        model, ids = todo.popitem()
        rows: list[tuple[type[Row], models.QuerySet[Any]]] = [(model, model._base_manager.filter(pk__in=ids))]
        rows += [(part, part._base_manager.filter(**{f"{part.owner}__in": ids})) for part in model.part_models()]
        for kind, queryset in rows:
            for field in _references(kind):
                target: Any = field.related_model
                if issubclass(target, Record) and not issubclass(target, Reviewed):
                    named = set(queryset.exclude(**{field.name: None}).values_list(field.attname, flat=True))
                    new = named - found[target]
                    found[target] |= new
                    if new:
                        todo[target] |= new
    return found


def _take_along(model: type[Record], ids: set[UUID], moment: datetime, by: User) -> None:
    """Show these as they are now, unless ``by`` changed one that is shown already: that waits for somebody else."""
    rows = model._base_manager.filter(pk__in=ids).order_by("pk").select_for_update()
    since = {pk: at for pk, at in rows.values_list("pk", "published_at") if at}
    own: set[UUID] = set()
    for kind, column in [(model, "id"), *((part, f"{part.owner}_id") for part in model.part_models())]:
        changed = editors(kind, column, since.items())
        own |= {pk for pk, users in changed.items() if str(by.pk) in users}
    model._base_manager.filter(pk__in=ids - own).update(published_at=moment)


def _dependants(scope: Mapping[type[Record], set[UUID]], audience: Audience) -> Ids:
    """Records that refer to these, in the working database or in the copy, and so may have to change with them.

    What lies below a record hangs on it, and what lies below that; other references reach one step.
    """
    found: Ids = defaultdict(set)
    todo = [(model, set(ids)) for model, ids in scope.items()]
    while todo:
        model, ids = todo.pop()
        for kind, field in _referring(model):
            is_part = issubclass(kind, Part)
            holder: Any = kind._meta.get_field(kind.owner).related_model if is_part else kind
            column = f"{kind.owner}_id" if is_part else "pk"
            near: set[UUID] = set()
            for using in ("default", audience):
                rows = kind._base_manager.using(using).filter(**{f"{field.name}__in": ids})
                near |= set(rows.values_list(column, flat=True))
            new = near - found[holder]
            found[holder] |= new
            if new and not is_part and field.name in kind.below:
                todo.append((kind, new))
    return found


# What a copy should hold


class Copy:
    """What one audience's copy should hold, computed from the working database. Lives for one piece of work."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        # id → (the row as published, the row now), None where the copy does not hold it
        self._shown: dict[type[Record], dict[UUID, tuple[Any, Any] | None]] = defaultdict(dict)
        self._confidential: set[UUID] = set()
        #: rows of which nothing may be left in the copy's history
        self.purge: dict[type[Row], set[UUID]] = defaultdict(set)

    def sees(self, disclosure: str) -> bool:
        return Disclosure(disclosure).visible_to(self.audience)

    def shown(self, model: type[Record], ids: Iterable[UUID]) -> dict[UUID, tuple[Any, Any]]:
        """Those of the records that the copy holds, each as published and as it is now."""
        cache = self._shown[model]
        wanted = set(ids)
        asked = wanted - cache.keys()
        if asked:
            cache.update(dict.fromkeys(asked))
            now: dict[UUID, Any] = {
                row.pk: row for row in model._base_manager.filter(pk__in=asked, published_at__isnull=False)
            }
            moments = [(pk, row.published_at) for pk, row in now.items()]
            found: dict[UUID, tuple[Any, Any]] = {
                row.pgh_obj_id: (row, now[row.pgh_obj_id]) for row in rows_at(model, "id", moments)
            }
            for pk, pair in list(found.items()):
                closed = max((model.closure_of(row) for row in pair), key=lambda disclosure: disclosure.level)
                if not self.sees(closed):
                    del found[pk]
                    if closed == Disclosure.STAFF:
                        self._confidential.add(pk)
            for name in model.below:
                field: Any = model._meta.get_field(name)
                parents = {getattr(row, field.attname) for row, _now in found.values()} - {None}
                held = self.shown(field.related_model, parents)
                found = {
                    pk: pair
                    for pk, pair in found.items()
                    if getattr(pair[0], field.attname) is None or getattr(pair[0], field.attname) in held
                }
            cache.update(found)
        return {pk: both for pk in wanted if (both := cache[pk]) is not None}

    def rows(self, model: type[Record], ids: Iterable[UUID]) -> tuple[Rows, Ids]:
        """The rows the copy should hold of these records and their parts, and the supporting records they need."""
        records = self.shown(model, ids)
        stood: list[tuple[type[Row], Any, Any]] = [(model, row, now) for row, now in records.values()]
        moments = [(pk, now.published_at) for pk, (_row, now) in records.items()]
        for part in model.part_models():
            column = part._meta.get_field(part.owner).attname  # type: ignore[union-attr]
            rows = rows_at(part, column, moments)
            current = part._base_manager.in_bulk([row.pgh_obj_id for row in rows])
            for row in rows:
                now = current.get(row.pgh_obj_id)
                record = records[getattr(row, column)]
                if self._is_open(part, row, now, record):
                    stood.append((part, row, now))
                else:
                    self.purge[part].add(row.pgh_obj_id)
        return self._resolved(stood)

    def _is_open(self, part: type[Part], row: Any, now: Any, record: tuple[Any, Any]) -> bool:
        versions = [version for version in (row, now) if version is not None]
        own = all(self.sees(version.disclosure) for version in versions if hasattr(version, "disclosure"))
        return own and all(part.open_with(version) for version in record)

    def _resolved(self, stood: list[tuple[type[Row], Any, Any]]) -> tuple[Rows, Ids]:
        """Values to write, with no foreign key to anything the copy does not hold."""
        named: dict[type[Record], set[UUID]] = defaultdict(set)
        for kind, row, _now in stood:
            for field in _references(kind):
                if issubclass(field.related_model, Record) and field.name in kind.columns_for(self.audience):  # type: ignore[arg-type]
                    named[field.related_model].add(getattr(row, field.attname))  # type: ignore[index]
        held: dict[type[Row], set[UUID]] = {
            kind: set(self.shown(kind, found - {None}))
            for kind, found in named.items()  # type: ignore[arg-type]
        }
        want: Rows = defaultdict(dict)
        needs: Ids = defaultdict(set)
        for kind, row, now in stood:
            values: dict[str, Any] | None = self._values(kind, row, now)
            if values is not None and issubclass(kind, Citation):
                values = self._cited(kind, values, held)
            if values is not None:
                values = self._linked(kind, values, held, want)
            if values is None:
                self.purge[kind].add(row.pgh_obj_id)
                continue
            want[kind][values["id"]] = values
            for field in _references(kind):
                target: Any = field.related_model
                if issubclass(target, Record) and not issubclass(target, Reviewed) and values.get(field.attname):
                    needs[target].add(values[field.attname])
        return want, needs

    def _values(self, kind: type[Row], row: Any, now: Any) -> dict[str, Any]:
        values: dict[str, Any] = {"id": row.pgh_obj_id}
        for name in kind.columns_for(self.audience):
            value = getattr(row, kind._meta.get_field(name).attname)  # type: ignore[union-attr]
            redact = kind.redacted.get(name, {}).get(self.audience)
            if redact:
                value = redact(value, row)
                if now is not None and redact(value, now) != value:
                    value = redact(value, now)
                    self.purge[kind].add(row.pgh_obj_id)
            values[kind._meta.get_field(name).attname] = value  # type: ignore[union-attr]
        if issubclass(kind, Reviewed):
            values["review_state"] = ReviewState.PUBLISHED
        return values

    def _cited(
        self, kind: type[Citation], values: dict[str, Any], held: Mapping[type[Row], set[UUID]]
    ) -> dict[str, Any] | None:
        """A citation of a field is as closed as the field; one of a confidential source says only that there is one."""
        part = next((name for name in kind.parts if values[f"{name}_id"]), None)
        about: Any = kind._meta.get_field(part or kind.owner).related_model
        if values["about"]:
            if values["about"] not in about.columns_for(self.audience):
                return None
            if self.audience in about.redacted.get(values["about"], {}):
                values.update({name: "" for name in ("stated", "value", "quote", "reasoning") if name in values})
                if values["standing"] == Standing.REJECTED and not values["reason"]:
                    return None
        source = values["source_id"]
        if source in held.get(Source, set()):
            return values
        if source not in self._confidential or values["standing"] != Standing.ACCEPTED:
            return None
        place = {
            name: value for name, value in values.items() if name in {f"{p}_id" for p in (kind.owner, *kind.parts)}
        }
        # its own id would tell how many there are, and when one is exchanged for another
        key = ":".join(str(value) for value in (*place.values(), values["about"]))
        blank = {name: _empty(kind, name) for name in values}
        return {**blank, **place, "id": uuid.uuid5(HELD, key), "about": values["about"], "source_id": HELD,
                "standing": Standing.ACCEPTED, "disclosure": values["disclosure"]}  # fmt: skip

    def _linked(
        self, kind: type[Row], values: dict[str, Any], held: Mapping[type[Row], set[UUID]], want: Rows
    ) -> dict[str, Any] | None:
        for field in _references(kind):
            target = values.get(field.attname)
            if target is None or target == HELD:
                continue
            there = want[field.related_model] if issubclass(field.related_model, Part) else held[field.related_model]  # type: ignore[index, arg-type]
            if target in there:
                continue
            if not field.null or field.name in kind.bound:
                return None
            values[field.attname] = None
        return values

    def plan(self, model: type[Record], ids: Iterable[UUID]) -> tuple[Rows, Ids]:
        """The rows of the records with everything they need, and which records (of all kinds) these rows belong to."""
        scope: Ids = {model: set(ids)}
        want, todo = self.rows(model, scope[model])
        while todo:
            kind, needed = todo.popitem()
            needed -= scope.setdefault(kind, set())
            if HELD in needed:
                needed.discard(HELD)
                want[Source][HELD] = self._held_source()
                scope[kind].add(HELD)
            scope[kind] |= needed
            rows, further = self.rows(kind, needed)
            for part, found in rows.items():
                want[part].update(found)
            for part_of, more in further.items():
                todo.setdefault(part_of, set()).update(more - scope.get(part_of, set()))
            todo = {left: rest for left, rest in todo.items() if rest}
        return want, scope

    def _held_source(self) -> dict[str, Any]:
        names = [Source._meta.get_field(name).attname for name in Source.columns_for(self.audience)]  # type: ignore[union-attr]
        blank = {name: _empty(Source, name) for name in names}
        return {**blank, "id": HELD, "title": "Information held by the organisation", "disclosure": Disclosure.PUBLIC}


def _empty(kind: type[Row], attname: str) -> Any:
    field = next(field for field in kind._meta.concrete_fields if field.attname == attname)
    return None if field.null else field.get_default()


# Writing it


def _refresh(records: Iterable[Record]) -> None:
    for audience in COPIES:
        scope: Ids = defaultdict(set)
        for record in records:
            scope[type(record)].add(record.pk)
        for model, ids in _dependants(scope, audience).items():
            scope[model] |= ids
        _bring_up_to_date(audience, scope)


def _bring_up_to_date(audience: Audience, scope: Mapping[type[Record], set[UUID]]) -> None:
    with transaction.atomic(using=audience):
        _one_at_a_time(audience)
        copy = Copy(audience)
        for model in [*support_models(), *reviewed_models()]:
            for ids in _batches(sorted(scope.get(model, set()))):
                for _difference in _compare(copy, model, ids, write=True):
                    pass


def _one_at_a_time(audience: Audience) -> None:
    """The last to write a copy must be the last to have read the working database."""
    with connections[audience].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('publication'))")


def _walk(audience: Audience, *, write: bool) -> Iterator[Difference]:
    for model in [*support_models(), *reviewed_models()]:
        published = model._base_manager.filter(published_at__isnull=False)
        there = model._base_manager.using(audience).exclude(pk=HELD)
        for rows, already in ((published, None), (there, published)):
            for ids in _pages(rows):
                if already is not None:
                    ids = sorted(set(ids) - set(already.filter(pk__in=ids).values_list("pk", flat=True)))
                with transaction.atomic(using=audience):
                    _one_at_a_time(audience)
                    yield from _compare(Copy(audience), model, ids, write=write)


def _pages(rows: models.QuerySet[Any]) -> Iterator[list[UUID]]:
    last: UUID | None = None
    while ids := list((rows.filter(pk__gt=last) if last else rows).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield ids
        last = ids[-1]


def _batches(ids: list[UUID]) -> Iterator[list[UUID]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def _compare(copy: Copy, model: type[Record], ids: list[UUID], *, write: bool) -> Iterator[Difference]:
    """Differences between the copy and what it should hold of these records and all they need."""
    if not ids:
        return
    is_support = not issubclass(model, Reviewed)
    if is_support:
        # one that nothing in the copy uses has no place there
        used = _used(copy.audience, model, ids)
        ids_wanted = [pk for pk in ids if pk in used]
    else:
        ids_wanted = ids
    want, scope = copy.plan(model, ids_wanted)
    scope.setdefault(model, set()).update(ids)
    missing: Rows = defaultdict(dict)
    extra: dict[type[Row], set[UUID]] = defaultdict(set)
    changed: Rows = defaultdict(dict)
    dropped: Ids = defaultdict(set)
    gone: dict[type[Record], set[UUID]] = {}
    for holder, members in scope.items():
        gone[holder] = members - want[holder].keys()
        for kind in (holder, *holder.part_models()):
            column = "pk" if kind is holder else f"{kind.owner}__in"  # type: ignore[attr-defined]
            lookup = {"pk__in": members} if kind is holder else {column: members}
            names = [*(kind._meta.get_field(name).attname for name in kind.columns_for(copy.audience)), "id"]  # type: ignore[union-attr]
            have = {row["id"]: row for row in kind._base_manager.using(copy.audience).filter(**lookup).values(*names)}
            for pk, row in have.items():
                values = want[kind].get(pk)
                if values is None:
                    extra[kind].add(pk)
                    yield Difference(copy.audience, kind, pk, "extra")
                else:
                    columns = tuple(name for name in names if row[name] != values[name])
                    if columns:
                        changed[kind][pk] = {name: values[name] for name in columns}
                        yield Difference(copy.audience, kind, pk, "different", columns)
                if values is None or pk in changed[kind]:
                    for field in _references(kind):
                        target: Any = field.related_model
                        old = row.get(field.attname)
                        if issubclass(target, Record) and not issubclass(target, Reviewed) and old:
                            dropped[target].add(old)
            for pk, values in want[kind].items():
                if pk not in have and _belongs(kind, values, holder, members):
                    missing[kind][pk] = values
                    yield Difference(copy.audience, kind, pk, "missing")
    if write:
        _write(copy, missing, extra, changed, gone)
        _prune(copy.audience, dropped)


def _belongs(kind: type[Row], values: dict[str, Any], holder: type[Record], members: set[UUID]) -> bool:
    return values["id" if kind is holder else f"{kind.owner}_id"] in members  # type: ignore[attr-defined]


def _write(
    copy: Copy,
    missing: Rows,
    extra: Mapping[type[Row], set[UUID]],
    changed: Rows,
    gone: Mapping[type[Record], set[UUID]],
) -> None:
    """Take away, then change, then add. Foreign keys are asked at the end of the transaction."""
    using = copy.audience
    for kind, ids in extra.items():
        _delete(kind, using, ids)
    for kind, rows in changed.items():
        for pk, values in rows.items():
            kind._base_manager.using(using).filter(pk=pk).update(**values)
    for kind, rows in missing.items():
        kind._base_manager.using(using).bulk_create([kind(**values) for values in rows.values()], batch_size=BATCH)
    for kind, ids in copy.purge.items():
        _forget(kind, using, ids, keep_last=True)
    for holder, ids in gone.items():
        _forget(holder, using, ids)
        for part in holder.part_models():
            column = part._meta.get_field(part.owner).attname  # type: ignore[union-attr]
            history_of(part)._base_manager.using(using).filter(**{f"{column}__in": ids}).delete()
    copy.purge.clear()


def _delete(kind: type[Row], using: str, ids: set[UUID]) -> None:
    rows = kind._base_manager.using(using).filter(pk__in=ids)
    rows._raw_delete(using)  # type: ignore[attr-defined]  # no cascade: what hangs on it is written in the same transaction


def _forget(kind: type[Row], using: str, ids: set[UUID], *, keep_last: bool = False) -> None:
    """Remove the rows' past from the copy's history; of a row that still stands, all but its present."""
    if not ids:
        return
    history = history_of(kind)._base_manager.using(using).filter(pgh_obj_id__in=ids)
    if keep_last:
        standing = kind._base_manager.using(using).filter(pk__in=ids).values_list("pk", flat=True)
        last = history.filter(pgh_obj_id__in=list(standing)).order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
        history = history.exclude(pgh_id__in=list(last.values_list("pgh_id", flat=True)))
    history.delete()


def _used(audience: Audience, model: type[Record], ids: Iterable[UUID]) -> set[UUID]:
    """Which of these supporting records something else in the copy refers to."""
    used: set[UUID] = set()
    wanted = list(ids)
    for kind, field in _referring(model):
        rows = kind._base_manager.using(audience).filter(**{f"{field.name}__in": wanted})
        used |= set(rows.values_list(field.attname, flat=True))
    return used


def _prune(audience: Audience, candidates: Ids) -> None:
    """Supporting records that nothing in the copy refers to any more leave it, with their history."""
    for model in reversed(support_models()):
        ids = candidates.get(model, set())
        ids -= _used(audience, model, ids)
        if not ids:
            continue
        for kind, lookup in [
            *((part, {f"{part.owner}__in": ids}) for part in reversed(model.part_models())),
            (model, {"pk__in": ids}),
        ]:
            rows = kind._base_manager.using(audience).filter(**lookup)
            for field in _references(kind):
                target: Any = field.related_model
                if issubclass(target, Record) and not issubclass(target, Reviewed):
                    candidates.setdefault(target, set()).update(
                        set(rows.exclude(**{field.name: None}).values_list(field.attname, flat=True)) - ids
                    )
            pks = set(rows.values_list("pk", flat=True))
            _delete(kind, audience, pks)
            _forget(kind, audience, pks)
