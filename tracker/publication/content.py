"""What one audience's copy should hold, computed from the working database and its history."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from tracker.models import Citation, Part, Record, Reviewed, Row, Source
from tracker.models.base import HELD
from tracker.models.fields import KeyField, MissingField
from tracker.publication.belonging import Ids, Rows, anchors
from tracker.review import references
from tracker.versions import latest, rows_at
from tracker.vocabularies import Audience, Disclosure, ReviewState, Standing


class Copy:
    """What one audience's copy should hold, computed from the working database. Lives for one piece of work."""

    def __init__(self, audience: Audience) -> None:
        self.audience = audience
        # id → (the row as published, the row now), None where the copy does not hold it
        self._shown: dict[type[Record], dict[UUID, tuple[Any, Any] | None]] = defaultdict(dict)
        self._closed: dict[UUID, Disclosure] = {}
        self._stood: dict[UUID, tuple[Any, ...]] = {}
        # what it has become a part of, as that is now
        self._is: dict[UUID, tuple[Any, ...]] = {}
        #: rows of which nothing may be left in the copy's history, besides what still stands
        self.purge: dict[type[Row], set[UUID]] = defaultdict(set)
        #: (model, field) → rows of which nothing may be left in it that points to what is hidden
        self.unlink: dict[tuple[type[Row], str], dict[UUID, UUID]] = defaultdict(dict)
        #: (model, column) → rows of which the copy's history may tell more than may be told now
        self.coarsen: dict[tuple[type[Row], str], set[UUID]] = defaultdict(set)
        #: records that let none of their parts of this kind be copied, also none of those they once had
        self.bare: dict[type[Part], set[UUID]] = defaultdict(set)

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
            for field in anchors(model):
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
        for field in anchors(model):
            above = {pk: getattr(row, field.attname) for pk, row in found.items()}
            held = self._open(field.related_model, set(above.values()) - {None})  # type: ignore[arg-type]
            found = {pk: row for pk, row in found.items() if above[pk] in {None, *held}}
        return set(found)

    def rows(self, model: type[Record], ids: Iterable[UUID]) -> tuple[Rows, Ids]:
        """The rows the copy should hold of these records and their parts, and the supporting records they need."""
        records = self.shown(model, ids)
        stood: list[tuple[type[Row], Any, Any]] = [(model, row, now) for row, now in records.values()]
        moments = [(pk, now.published_at) for pk, (row, now) in records.items() if model.leads_on(row) is None]
        self._look_at_whom_it_is(model, records)
        for part in model.part_models():
            column = part._meta.get_field(part.owner).attname  # type: ignore[union-attr]
            self.bare[part] |= {
                pk for pk, pair in records.items() if not all(map(part.open_with, (*pair, *self._is.get(pk, ()))))
            }
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

    def _look_at_whom_it_is(self, model: type[Record], records: Mapping[UUID, tuple[Any, Any]]) -> None:
        """What somebody asked for is asked for whoever turned out to be the same, and of all that is known of then."""
        for name in model.below:
            field: Any = model._meta.get_field(name)
            if field.related_model is not model:
                continue
            led = {pk: target for pk, (_row, now) in records.items() if (target := getattr(now, field.attname))}
            found = model._base_manager.in_bulk(list(set(led.values())))
            self._is.update({pk: (found[target],) for pk, target in led.items()})

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
        for kind, kept in want.items():
            self.purge[kind] -= kept.keys()  # several citations may be one that only says that something is held
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
        versions = (row, now, *self._is.get(row.pgh_obj_id, ()))
        only = kind.leads_on(row) if issubclass(kind, Record) else None
        for name in kind.columns_for(self.audience):
            attname = kind._meta.get_field(name).attname  # type: ignore[union-attr]
            value = getattr(row, attname) if only is None or name in only else empty_value(kind, attname)
            values[attname] = self._redacted(kind, name, value, versions)
        for field in kind._meta.concrete_fields:
            if isinstance(field, MissingField) and field.attname in values:
                values[field.attname] = self._reasons(kind, values[field.attname])
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

    def _reasons(self, kind: type[Row], reasons: Mapping[str, str]) -> dict[str, str]:
        """Of the columns that the copy holds, unless they are emptied there whatever they hold."""
        told = set(kind.columns_for(self.audience)) - kind.emptied_for(self.audience)
        return {name: reason for name, reason in reasons.items() if name in told}

    def coarser(self, kind: type[Row], pk: UUID, name: str, value: Any) -> Any:
        """As much of a value that the copy holds, or held, as may be told of this row now."""
        return self._redacted(kind, name, value, self._stood.get(pk, ()))

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
        if closed != {Disclosure.STAFF}:
            self.purge[kind].add(held_id(kind, row))
            return None
        if values["standing"] != Standing.ACCEPTED:
            return None
        place = {
            name: value for name, value in values.items() if name in {f"{p}_id" for p in (kind.owner, *kind.parts)}
        }
        empty = {name: empty_value(kind, name) for name in values}
        return {**empty, **place, "id": held_id(kind, row), "about": values["about"], "source_id": HELD,
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
            self.unlink[kind, field.name][values["id"]] = target
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
        blank = {name: empty_value(Source, name) for name in names}
        return {**blank, "id": HELD, "title": "Information held by the organisation", "disclosure": Disclosure.PUBLIC}


def held_id(kind: type[Citation], row: Any) -> UUID:
    """Of what stands for all citations of one thing that rest on confidential sources: the id of one would tell how
    many there are, and when it is exchanged for another."""
    place = [str(getattr(row, f"{name}_id")) for name in (kind.owner, *kind.parts)]
    return uuid.uuid5(HELD, ":".join([*place, row.about]))


def empty_value(kind: type[Row], attname: str) -> Any:
    field = next(field for field in kind._meta.concrete_fields if field.attname == attname)
    return None if field.null else field.get_default()
