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
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pghistory
from django.apps import apps
from django.db import IntegrityError, connections, models, transaction
from django.utils.translation import gettext as _

from tracker import review
from tracker.models import Citation, Part, Record, Reviewed, Row, Source, User
from tracker.models.fields import KeyField
from tracker.models.rules import explain
from tracker.review import Refused, references, support_of
from tracker.versions import editors, former_owners, history_of, latest, rows_at
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

    The copies are written first and committed last: what they cannot hold is refused as a whole, and a crash between
    the commits leaves copies that show too little, which ``repair`` completes. Must not be called inside a transaction.
    """
    chosen = list(records)
    with (
        _open_copies(),
        transaction.atomic(durable=True),
        pghistory.context(user=str(by.pk)),
    ):
        locked = _lock(chosen)
        sentences = review.obstacles(locked, by=by)
        if sentences:
            raise Refused(sentences)
        moment = _clock()
        scope: Ids = defaultdict(set)
        for model, group in _by_model(locked).items():
            scope[model] = {record.pk for record in group}
            rows = model._base_manager.filter(pk__in=scope[model])
            rows.update(review_state=ReviewState.PUBLISHED, reviewed_by=by, published_at=moment)
        for support, ids in support_of(locked).items():
            scope[support] = _take_along(support, ids, moment, by)
        try:
            _refresh(scope)
        except IntegrityError as error:
            raise Refused([_contradiction(error)]) from error


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
        scope: Ids = defaultdict(set)
        for model, group in _by_model(locked).items():
            scope[model] = {record.pk for record in group}
            rows = model._base_manager.filter(pk__in=scope[model])
            rows.update(review_state=ReviewState.WITHDRAWN, published_at=None)
        _refresh(scope)


def close(*records: Record) -> None:
    """Bring a stricter disclosure (or consent) of saved records, or of their parts, into the copies at once.

    Costs little when nothing became stricter, and never shows anything that was not published. Call it last in a
    transaction: what it takes out of the copies does not return when the transaction is rolled back.
    """
    scope: Ids = defaultdict(set)
    for record in records:
        scope[type(record)].add(record.pk)
    for model, ids in scope.items():
        for name in model.below:
            if model._meta.get_field(name).related_model is model:
                # a person merged into this one is as closed, also while the copies still show the two apart
                scope[model] = ids | set(
                    model._base_manager.filter(**{f"{name}__in": ids}).values_list("pk", flat=True)
                )
    with transaction.atomic():
        _refresh(scope)


def delete(record: Record) -> None:
    """Delete a record, from the copies too. The database refuses one that is published and not withdrawn."""
    key = record.pk
    with transaction.atomic():
        record.delete()
        _refresh({type(record): {key}})


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
        for field in references(model):
            if field.related_model in found and field.related_model is not model:
                visit(field.related_model)
        done.append(model)

    for model in found:
        visit(model)
    return done


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
        if model in groups:
            locked += _lock_rows(model, {record.pk for record in groups[model]})
    return locked


def _lock_rows(model: type[Record], ids: set[UUID]) -> list[Any]:
    locked = list(model._base_manager.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",)))
    for part in model.part_models():
        rows = part._base_manager.filter(**{f"{part.owner}__in": ids}).order_by("pk")
        list(rows.select_for_update(of=("self",)).values_list("pk"))
    return locked


def _clock() -> datetime:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _take_along(model: type[Record], ids: set[UUID], moment: datetime, by: User) -> set[UUID]:
    """Show these as they are now, unless ``by`` changed one that is shown already: that waits for somebody else.

    Returns which. One that gave them a part (two organisations turned out to be one) goes with them.
    """
    for part in model.part_models():
        for others in former_owners(part, ids).values():
            ids = ids | set(
                model._base_manager.filter(pk__in=others, published_at__isnull=False).values_list("pk", flat=True)
            )
    locked = _lock_rows(model, ids)
    since = {row.pk: row.published_at for row in locked if row.published_at}
    own: set[UUID] = set()
    for kind, column in [(model, "id"), *((part, f"{part.owner}_id") for part in model.part_models())]:
        changed = editors(kind, column, since.items())
        own |= {pk for pk, users in changed.items() if str(by.pk) in users}
    model._base_manager.filter(pk__in=ids - own).update(published_at=moment)
    return ids - own


def _anchors(model: type[Record]) -> list[models.ForeignKey[Any, Any]]:
    """Foreign keys without which no copy holds the record: what it lies below, and what it cannot do without."""
    return [
        field
        for field in references(model)
        if issubclass(field.related_model, Record) and (field.name in model.below or not field.null)  # type: ignore[arg-type]
    ]


def _dependants(model: type[Record], ids: set[UUID], audience: Audience) -> Ids:
    """Records that refer to these, in the working database or in the copy, and so may have to change with them."""
    found: Ids = defaultdict(set)
    for kind, field in _referring(model) if ids else ():
        is_part = issubclass(kind, Part)
        holder: Any = kind._meta.get_field(kind.owner).related_model if is_part else kind
        column = f"{kind.owner}_id" if is_part else "pk"
        for using in ("default", audience):
            rows = kind._base_manager.using(using).filter(**{f"{field.name}__in": ids})
            found[holder] |= set(rows.values_list(column, flat=True))
    return found


def _astray(model: type[Record], ids: set[UUID], audience: Audience) -> Ids:
    """Records in the copy that now lie below these, or whose parts now belong to these, though readers see them
    where they were before: they become as closed as these are."""
    found: Ids = defaultdict(set)
    for part in model.part_models() if ids else ():
        moved = part._base_manager.filter(**{f"{part.owner}__in": ids}).values_list("pk", flat=True)
        rows = part._base_manager.using(audience).filter(pk__in=list(moved))
        found[model] |= set(rows.values_list(f"{part.owner}_id", flat=True))
    for kind, field in _referring(model) if ids else ():
        if issubclass(kind, Record) and field in _anchors(kind):
            below = kind._base_manager.filter(**{f"{field.name}__in": ids})
            found[kind] |= set(below.values_list("pk", flat=True))
    return found


# What a copy should hold


class Copy:
    """What one audience's copy should hold, computed from the working database. Lives for one piece of work."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        # id → (the row as published, the row now), None where the copy does not hold it
        self._shown: dict[type[Record], dict[UUID, tuple[Any, Any] | None]] = defaultdict(dict)
        self._closed: dict[UUID, Disclosure] = {}
        self._stood: dict[UUID, tuple[Any, ...]] = {}
        #: rows of which nothing may be left in the copy's history, besides what still stands
        self.purge: dict[type[Row], set[UUID]] = defaultdict(set)
        #: (model, column) → rows of which nothing may be left in it that points to what is hidden
        self.unlink: dict[tuple[type[Row], str], dict[UUID, UUID]] = defaultdict(dict)

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
                    self._closed[pk] = closed
            for field in _anchors(model):
                target: Any = field.related_model
                above = {pk: tuple(getattr(row, field.attname) for row in pair) for pk, pair in found.items()}
                wanted_above = {then for then, _now in above.values()} - {None}
                # those of its own kind that are being asked for are not in the cache yet
                own = wanted_above & asked if target is model else set()
                held = self.shown(target, wanted_above - own).keys() | (own & found.keys())
                moved = self._open(target, {now for then, now in above.values() if now != then} - {None})
                found = {
                    pk: found[pk]
                    for pk, (then, now) in above.items()
                    if then in {None, *held} and now in {None, then, *moved}
                }
            cache.update(found)
        return {pk: both for pk in wanted if (both := cache[pk]) is not None}

    def _open(self, model: type[Record], ids: set[UUID]) -> set[UUID]:
        """Those that nothing makes more closed than the audience, as they are now, published or not."""
        if not ids:
            return set()
        found = {row.pk: row for row in model._base_manager.filter(pk__in=ids) if self.sees(model.closure_of(row))}
        for field in _anchors(model):
            above = {pk: getattr(row, field.attname) for pk, row in found.items()}
            held = self._open(field.related_model, set(above.values()) - {None})  # type: ignore[arg-type]
            found = {pk: row for pk, row in found.items() if above[pk] in {None, *held}}
        return set(found)

    def rows(self, model: type[Record], ids: Iterable[UUID]) -> tuple[Rows, Ids]:
        """The rows the copy should hold of these records and their parts, and the supporting records they need."""
        records = self.shown(model, ids)
        stood: list[tuple[type[Row], Any, Any]] = [(model, row, now) for row, now in records.values()]
        moments = [(pk, now.published_at) for pk, (row, now) in records.items() if model.leads_on(row) is None]
        for part in model.part_models():
            column = part._meta.get_field(part.owner).attname  # type: ignore[union-attr]
            rows = rows_at(part, column, moments)
            current = latest(part, [row.pgh_obj_id for row in rows])
            for row in rows:
                now = current[row.pgh_obj_id]
                record = records[getattr(row, column)]
                if self._is_open(part, row, now, record):
                    stood.append((part, row, now))
                else:
                    self.purge[part].add(row.pgh_obj_id)
        return self._resolved(stood)

    def _is_open(self, part: type[Part], row: Any, now: Any, record: tuple[Any, Any]) -> bool:
        """Whether nothing closed it, then or now; what was deleted since is as closed as it was last."""
        own = all(self.sees(version.disclosure) for version in (row, now) if hasattr(version, "disclosure"))
        if not own or not all(part.open_with(version) for version in record):
            return False
        owner = getattr(now, f"{part.owner}_id")
        if owner == record[1].pk:
            return True
        # it belongs to another record now, and is as closed as that
        holder = type(record[1])
        other = holder._base_manager.filter(pk=owner).first()
        return other is not None and part.open_with(other) and owner in self._open(holder, {owner})

    def _resolved(self, stood: list[tuple[type[Row], Any, Any]]) -> tuple[Rows, Ids]:
        """Values to write, with no foreign key to anything the copy does not hold."""
        named: dict[type[Record], set[UUID]] = defaultdict(set)
        for kind, row, _now in stood:
            for field in references(kind):
                if issubclass(field.related_model, Record) and field.name in kind.columns_for(self.audience):  # type: ignore[arg-type]
                    named[field.related_model].add(getattr(row, field.attname))  # type: ignore[index]
        held: dict[type[Row], set[UUID]] = {
            kind: set(self.shown(kind, found - {None}))
            for kind, found in named.items()  # type: ignore[arg-type]
        }
        self._look_at_sources(stood)
        want: Rows = defaultdict(dict)
        needs: Ids = defaultdict(set)
        blank: set[tuple[UUID, str]] = set()  # row and field: it points to what is hidden
        for kind, row, now in stood:
            values: dict[str, Any] | None = self._values(kind, row, now)
            if values is not None and issubclass(kind, Citation):
                values = self._cited(kind, values, row, now, blank)
            if values is not None:
                values = self._linked(kind, values, held, want, blank)
            if values is None or values["id"] != row.pgh_obj_id:
                self.purge[kind].add(row.pgh_obj_id)
            if values is None:
                continue
            want[kind][values["id"]] = values
            for field in references(kind):
                target: Any = field.related_model
                if issubclass(target, Record) and not issubclass(target, Reviewed) and values.get(field.attname):
                    needs[target].add(values[field.attname])
        return want, needs

    def _look_at_sources(self, stood: list[tuple[type[Row], Any, Any]]) -> None:
        """A citation is also as closed as the source that it has now."""
        named = {
            now.source_id for kind, row, now in stood if issubclass(kind, Citation) and now.source_id != row.source_id
        }
        for source in Source._base_manager.filter(pk__in=named):
            closed = Source.closure_of(source)
            if not self.sees(closed):
                self._closed[source.pk] = closed

    def _values(self, kind: type[Row], row: Any, now: Any) -> dict[str, Any]:
        values: dict[str, Any] = {"id": row.pgh_obj_id}
        versions = (row, now)
        only = kind.leads_on(row) if issubclass(kind, Record) else None
        for name in kind.columns_for(self.audience):
            attname = kind._meta.get_field(name).attname  # type: ignore[union-attr]
            value = getattr(row, attname) if only is None or name in only else _empty(kind, attname)
            values[attname] = self._redacted(kind, name, value, versions)
        for name in KeyField.names_in(kind):
            values[name] = kind._meta.get_field(name).key_of(values["text"])  # type: ignore[union-attr]
        if kind.redacted:
            self._stood[row.pgh_obj_id] = versions
        if issubclass(kind, Reviewed):
            values["review_state"] = ReviewState.PUBLISHED
        return values

    def _redacted(self, kind: type[Row], name: str, value: Any, versions: tuple[Any, ...]) -> Any:
        redact = kind.redacted.get(name, {}).get(self.audience)
        for version in versions if redact else ():
            value = redact(value, version)  # type: ignore[misc]
        return value

    def was_less_redacted(self, kind: type[Row], pk: UUID, name: str, value: Any) -> bool:
        """Whether a value that the copy holds tells more than may be told of this row now."""
        return bool(self._redacted(kind, name, value, self._stood.get(pk, ())) != value)

    def _cited(
        self, kind: type[Citation], values: dict[str, Any], row: Any, now: Any, blank: set[tuple[UUID, str]]
    ) -> dict[str, Any] | None:
        """A citation of a field is as closed as the field; one of a confidential source says only that there is one."""
        part = next((name for name in kind.parts if values[f"{name}_id"]), None)
        about: Any = kind._meta.get_field(part or kind.owner).related_model
        if values["about"]:
            if values["about"] not in about.columns_for(self.audience):
                return None
            if (values[f"{part or kind.owner}_id"], values["about"]) in blank:
                return None
            if self.audience in about.redacted.get(values["about"], {}):
                values.update({name: "" for name in ("stated", "value", "quote", "reasoning") if name in values})
                if values["standing"] == Standing.REJECTED and not values["reason"]:
                    return None
        closed = {self._closed[source] for source in (row.source_id, now.source_id) if source in self._closed}
        if not closed:
            return values  # as far as its source is known to the copy: see _linked
        if closed != {Disclosure.STAFF} or values["standing"] != Standing.ACCEPTED:
            return None
        place = {
            name: value for name, value in values.items() if name in {f"{p}_id" for p in (kind.owner, *kind.parts)}
        }
        # its own id would tell how many there are, and when one is exchanged for another
        key = ":".join(str(value) for value in (*place.values(), values["about"]))
        empty = {name: _empty(kind, name) for name in values}
        return {**empty, **place, "id": uuid.uuid5(HELD, key), "about": values["about"], "source_id": HELD,
                "standing": Standing.ACCEPTED, "disclosure": values["disclosure"]}  # fmt: skip

    def _linked(
        self,
        kind: type[Row],
        values: dict[str, Any],
        held: Mapping[type[Row], set[UUID]],
        want: Rows,
        blank: set[tuple[UUID, str]],
    ) -> dict[str, Any] | None:
        for field in references(kind):
            target = values.get(field.attname)
            if target is None or target == HELD:
                continue
            there = want[field.related_model] if issubclass(field.related_model, Part) else held[field.related_model]  # type: ignore[index, arg-type]
            if target in there:
                continue
            if not field.null or field.name in kind.bound:
                return None
            values[field.attname] = None
            blank.add((values["id"], field.name))
            self.unlink[kind, field.attname][values["id"]] = target
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


def _open_copies() -> ExitStack:
    """Transactions in the copies, that are committed after everything inside."""
    copies = ExitStack()
    for audience in COPIES:
        copies.enter_context(transaction.atomic(using=audience))
    return copies


def _contradiction(error: IntegrityError) -> str:
    return _(
        "Readers would see this beside an older version of something else, and the two contradict each other."
        " %(sentence)s Where that is corrected already, publish it together with this."
    ) % {"sentence": explain(error).sentence}


def _refresh(scope: Mapping[type[Record], set[UUID]]) -> None:
    """Make the copies what they should be of these records, and of all that depends on whether they are shown."""
    _one_at_a_time("default")
    for audience in COPIES:
        with transaction.atomic(using=audience):
            _one_at_a_time(audience)
            copy = Copy(audience)
            whole = _concerned(copy, scope)
            for model in [*support_models(), *reviewed_models()]:
                for batch in _batches(sorted(whole[model])):
                    for _difference in _compare(copy, model, batch, write=True):
                        pass
            connections[audience].check_constraints()


def _concerned(copy: Copy, scope: Mapping[type[Record], set[UUID]]) -> Ids:
    """These records, and all whose rows depend on whether they are shown, as far as that has changed."""
    whole: Ids = defaultdict(set)
    todo: Ids = {model: set(ids) for model, ids in scope.items()}
    while todo:
        model, ids = todo.popitem()
        ids -= whole[model]
        whole[model] |= ids
        shown = set(copy.shown(model, ids))
        there = set(model._base_manager.using(copy.audience).filter(pk__in=ids).values_list("pk", flat=True))
        hidden = ids - shown - there
        turned = shown ^ there
        if model is Source:
            turned |= hidden & scope.get(Source, set())  # “held by the organisation”, or not even that
        for found in (_dependants(model, turned, copy.audience), _astray(model, hidden, copy.audience)):
            for kind, more in found.items():
                if more - whole[kind]:
                    todo.setdefault(kind, set()).update(more - whole[kind])
    return whole


def _one_at_a_time(alias: str) -> None:
    """The last to write a copy must be the last to have read the working database.

    Held there until what was changed is committed, and in a copy until the copy is.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('publication'))")


def _walk(audience: Audience, *, write: bool) -> Iterator[Difference]:
    for model in [*support_models(), *reviewed_models()]:
        published = model._base_manager.filter(published_at__isnull=False)
        there = model._base_manager.using(audience).exclude(pk=HELD)
        for rows, already in ((published, None), (there, published)):
            for ids in _pages(rows):
                if already is not None:
                    ids = sorted(set(ids) - set(already.filter(pk__in=ids).values_list("pk", flat=True)))
                with transaction.atomic(using=audience), transaction.atomic():
                    _one_at_a_time("default")
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
                        if any(copy.was_less_redacted(kind, pk, name, row[name]) for name in columns):
                            copy.purge[kind].add(pk)
                        yield Difference(copy.audience, kind, pk, "different", columns)
                if values is None or pk in changed[kind]:
                    for field in references(kind):
                        target: Any = field.related_model
                        old = row.get(field.attname)
                        if issubclass(target, Record) and not issubclass(target, Reviewed) and old:
                            dropped[target].add(old)
            for pk, values in want[kind].items():
                if pk not in have and _belongs(kind, values, holder, members):
                    missing[kind][pk] = values
                    yield Difference(copy.audience, kind, pk, "missing")
    if write:
        _write(copy, want, missing, extra, changed)
        for kind, rows in copy.purge.items():
            _forget(kind, copy.audience, rows)
        for (kind, column), links in copy.unlink.items():
            past = history_of(kind)._base_manager.using(copy.audience)
            past.filter(pgh_obj_id__in=list(links), **{f"{column}__in": set(links.values())}).delete()
        for holder, members in gone.items():
            _forget_all(holder, copy.audience, members)
        copy.purge.clear()
        copy.unlink.clear()
        _prune(copy.audience, dropped)


def _belongs(kind: type[Row], values: dict[str, Any], holder: type[Record], members: set[UUID]) -> bool:
    return values["id" if kind is holder else f"{kind.owner}_id"] in members  # type: ignore[attr-defined]


def _write(copy: Copy, want: Rows, missing: Rows, extra: Mapping[type[Row], set[UUID]], changed: Rows) -> None:
    """Take away, then change, then add. Foreign keys are asked at the end of the transaction."""
    using = copy.audience
    for kind, ids in extra.items():
        _delete(kind, using, ids)
    for kind, rows in changed.items():
        try:
            with transaction.atomic(using=using):
                for pk, values in rows.items():
                    kind._base_manager.using(using).filter(pk=pk).update(**values)
        except IntegrityError:
            # one of them takes what another gives up, and is changed before it: put all of them anew
            _delete(kind, using, set(rows))
            missing[kind].update({pk: want[kind][pk] for pk in rows})
    for kind, rows in missing.items():
        kind._base_manager.using(using).bulk_create([kind(**values) for values in rows.values()], batch_size=BATCH)


def _delete(kind: type[Row], using: str, ids: set[UUID]) -> None:
    rows = kind._base_manager.using(using).filter(pk__in=ids)
    rows._raw_delete(using)  # type: ignore[attr-defined]  # no cascade: what hangs on it is written in the same transaction


def _forget(kind: type[Row], using: str, ids: set[UUID]) -> None:
    """Remove the rows' past from the copy's history; of a row that still stands, all but its present."""
    if not ids:
        return
    history = history_of(kind)._base_manager.using(using).filter(pgh_obj_id__in=ids)
    standing = kind._base_manager.using(using).filter(pk__in=ids).values_list("pk", flat=True)
    last = history.filter(pgh_obj_id__in=list(standing)).order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
    history.exclude(pgh_id__in=list(last.values_list("pgh_id", flat=True))).delete()


def _forget_all(model: type[Record], using: str, ids: set[UUID]) -> None:
    """Remove the past of records that are not in the copy any more, and of all parts they ever had."""
    history_of(model)._base_manager.using(using).filter(pgh_obj_id__in=ids).delete()
    for part in model.part_models():
        history_of(part)._base_manager.using(using).filter(**{f"{part.owner}__in": ids}).delete()


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
    while candidates:
        model, ids = candidates.popitem()
        ids -= _used(audience, model, ids)
        if not ids:
            continue
        rows: list[tuple[type[Row], models.QuerySet[Any]]] = [(model, model._base_manager.filter(pk__in=ids))]
        rows += [(part, part._base_manager.filter(**{f"{part.owner}__in": ids})) for part in model.part_models()]
        for kind, queryset in reversed(rows):
            for field in references(kind):
                target: Any = field.related_model
                if issubclass(target, Record) and not issubclass(target, Reviewed):
                    named = queryset.using(audience).exclude(**{field.name: None})
                    more = set(named.values_list(field.attname, flat=True)) - ids
                    if more:
                        candidates[target] = candidates.get(target, set()) | more
            queryset.using(audience)._raw_delete(audience)  # type: ignore[attr-defined]
        _forget_all(model, audience, ids)
