"""Making a copy what it should be, by writing the differences, so that its history stays."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connections, models, transaction

from tracker.models import DataRelease, Part, Record, Reviewed, Row, Source
from tracker.models.base import HELD
from tracker.publication.belonging import (
    BATCH,
    COPIES,
    Ids,
    Rows,
    anchors,
    citations_of,
    referring,
    reviewed_models,
    support_models,
)
from tracker.publication.content import Copy, empty_value
from tracker.review import references
from tracker.versions import history_of
from tracker.vocabularies import Audience


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


def verify() -> Iterator[Difference]:
    """Where the copies are not what they should be. Writes nothing."""
    for audience in COPIES:
        yield from _walk(audience, write=False)


def repair() -> Iterator[Difference]:
    """Mends what ``verify`` finds, by writing the differences, so that the copies' history stays."""
    for audience in COPIES:
        yield from _walk(audience, write=True)


def refresh(scope: Mapping[type[Record], set[UUID]]) -> None:
    """Make the copies what they should be of these records, and of all that depends on whether they are shown."""
    one_at_a_time("default")
    for audience in COPIES:
        with transaction.atomic(using=audience):
            one_at_a_time(audience)
            copy = Copy(audience)
            whole = concerned(copy, scope)
            for model in [*support_models(), *reviewed_models()]:
                for batch in batches(sorted(whole[model])):
                    for _difference in _compare(copy, model, batch, write=True):
                        pass
            connections[audience].check_constraints()


def concerned(copy: Copy, scope: Mapping[type[Record], set[UUID]]) -> Ids:
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
        for found in (
            _dependants(model, turned, copy.audience),
            _dependants_then(model, shown - there),
            _astray(model, hidden, copy.audience),
        ):
            for kind, more in found.items():
                if more - whole[kind]:
                    todo.setdefault(kind, set()).update(more - whole[kind])
    return whole


def _dependants(model: type[Record], ids: set[UUID], audience: Audience) -> Ids:
    """Records that refer to these, in the working database or in the copy, and so may have to change with them."""
    found: Ids = defaultdict(set)
    for kind, field in referring(model) if ids else ():
        is_part = issubclass(kind, Part)
        holder: Any = kind._meta.get_field(kind.owner).related_model if is_part else kind
        column = f"{kind.owner}_id" if is_part else "pk"
        for using in ("default", audience):
            rows = kind._base_manager.using(using).filter(**{f"{field.name}__in": ids})
            found[holder] |= set(rows.values_list(column, flat=True))
    return found


def _dependants_then(model: type[Record], ids: set[UUID]) -> Ids:
    """Records that once referred to these and do not now: readers can see a version of then."""
    found: Ids = defaultdict(set)
    for kind, field in referring(model) if ids else ():
        is_part = issubclass(kind, Part)
        holder: Any = kind._meta.get_field(kind.owner).related_model if is_part else kind
        past: Any = history_of(kind)._base_manager.filter(**{f"{field.attname}__in": ids})
        now = kind._base_manager.filter(**{f"{field.name}__in": ids})
        column = f"{kind.owner}_id" if is_part else "pgh_obj_id"
        found[holder] |= set(past.exclude(pgh_obj_id__in=now.values("pk")).values_list(column, flat=True).distinct())
    return found


def _astray(model: type[Record], ids: set[UUID], audience: Audience) -> Ids:
    """Records in the copy that now lie below these, or whose parts now belong to these, though readers see them
    where they were before: they become as closed as these are."""
    found: Ids = defaultdict(set)
    for part in model.part_models() if ids else ():
        moved = part._base_manager.filter(**{f"{part.owner}__in": ids}).values_list("pk", flat=True)
        rows = part._base_manager.using(audience).filter(pk__in=list(moved))
        found[model] |= set(rows.values_list(f"{part.owner}_id", flat=True))
    for kind, field in referring(model) if ids else ():
        if issubclass(kind, Record) and field in anchors(kind):
            below = kind._base_manager.filter(**{f"{field.name}__in": ids})
            found[kind] |= set(below.values_list("pk", flat=True))
    return found


def one_at_a_time(alias: str) -> None:
    """The last to write a copy must be the last to have read the working database.

    Held there until what was changed is committed, and in a copy until the copy is.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('publication'))")
        if alias in COPIES:
            # what is written to a copy is known from its commit on, all of it: the history tells it by this mark
            cursor.execute("SELECT set_config('pghistory.context_id', gen_random_uuid()::text, true)")


def _walk(audience: Audience, *, write: bool) -> Iterator[Difference]:
    for model in [*support_models(), *reviewed_models()]:
        published = model._base_manager.filter(published_at__isnull=False)
        there = model._base_manager.using(audience).exclude(pk=HELD)
        for rows, already in ((published, None), (there, published)):
            for ids in _pages(rows):
                if already is not None:
                    ids = sorted(set(ids) - set(already.filter(pk__in=ids).values_list("pk", flat=True)))
                with transaction.atomic(using=audience), transaction.atomic():
                    one_at_a_time("default")
                    one_at_a_time(audience)
                    yield from _compare(Copy(audience), model, ids, write=write)


def _pages(rows: models.QuerySet[Any]) -> Iterator[list[UUID]]:
    last: UUID | None = None
    while ids := list((rows.filter(pk__gt=last) if last else rows).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield ids
        last = ids[-1]


def batches(ids: list[UUID]) -> Iterator[list[UUID]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


@dataclass
class Gap:
    """What a copy holds, and what it should hold, of some records and all they need."""

    want: Rows
    missing: Rows = dataclasses.field(default_factory=lambda: defaultdict(dict))
    #: as the copy holds them
    extra: Rows = dataclasses.field(default_factory=lambda: defaultdict(dict))
    #: the columns that differ, as the copy holds them and as it should
    old: Rows = dataclasses.field(default_factory=lambda: defaultdict(dict))
    new: Rows = dataclasses.field(default_factory=lambda: defaultdict(dict))
    #: supporting records that something does not refer to any more, and records that are not in the copy any more
    dropped: Ids = dataclasses.field(default_factory=lambda: defaultdict(set))
    gone: Ids = dataclasses.field(default_factory=lambda: defaultdict(set))


def gap_of(copy: Copy, model: type[Record], ids: list[UUID]) -> Gap:
    ids_wanted = ids
    if not issubclass(model, Reviewed):
        # one that nothing in the copy uses has no place there
        used = _used(copy.audience, model, ids)
        ids_wanted = [pk for pk in ids if pk in used]
    want, scope = copy.plan(model, ids_wanted)
    scope.setdefault(model, set()).update(ids)
    gap = Gap(want)
    for holder, members in scope.items():
        gap.gone[holder] = members - want[holder].keys()
        for kind in (holder, *holder.part_models()):
            lookup = {"pk__in" if kind is holder else f"{kind.owner}__in": members}  # type: ignore[attr-defined]
            names = [*(kind._meta.get_field(name).attname for name in kind.columns_for(copy.audience)), "id"]  # type: ignore[union-attr]
            have = {row["id"]: row for row in kind._base_manager.using(copy.audience).filter(**lookup).values(*names)}
            for name in kind.emptied_for(copy.audience):
                # also where the copy holds nothing now: it may once have
                copy.coarsen[kind, name] |= want[kind].keys()
            for pk, row in have.items():
                values = want[kind].get(pk)
                if values is None:
                    gap.extra[kind][pk] = row
                else:
                    columns = [name for name in names if row[name] != values[name]]
                    if columns:
                        gap.old[kind][pk] = {name: row[name] for name in columns}
                        gap.new[kind][pk] = {name: values[name] for name in columns}
                        for name in columns:
                            if copy.coarser(kind, pk, name, row[name]) != row[name]:
                                copy.coarsen[kind, name].add(pk)
                if values is None or pk in gap.new[kind]:
                    for field in references(kind):
                        target: Any = field.related_model
                        old = row.get(field.attname)
                        if issubclass(target, Record) and not issubclass(target, Reviewed) and old:
                            gap.dropped[target].add(old)
            for pk, values in want[kind].items():
                if pk not in have and _belongs(kind, values, holder, members):
                    gap.missing[kind][pk] = values
    return gap


def _compare(copy: Copy, model: type[Record], ids: list[UUID], *, write: bool) -> Iterator[Difference]:
    """Differences between the copy and what it should hold of these records and all they need."""
    if not ids:
        return
    gap = gap_of(copy, model, ids)
    for rows, called in ((gap.extra, "extra"), (gap.new, "different"), (gap.missing, "missing")):
        for kind, found in rows.items():
            for pk, values in found.items():
                yield Difference(copy.audience, kind, pk, called, tuple(values) if called == "different" else ())
    if write:
        _write(copy, gap)
        _forget_what_is_hidden(copy, gap)


def _belongs(kind: type[Row], values: dict[str, Any], holder: type[Record], members: set[UUID]) -> bool:
    return values["id" if kind is holder else f"{kind.owner}_id"] in members  # type: ignore[attr-defined]


def _write(copy: Copy, gap: Gap) -> None:
    """Take away, then change, then add. Foreign keys are asked at the end of the transaction."""
    using = copy.audience
    for kind, rows in gap.extra.items():
        _delete(kind, using, set(rows))
    for kind, rows in gap.new.items():
        try:
            with transaction.atomic(using=using):
                for pk, values in rows.items():
                    kind._base_manager.using(using).filter(pk=pk).update(**values)
        except IntegrityError:
            # one of them takes what another gives up, and is changed before it: put all of them anew
            _delete(kind, using, set(rows))
            gap.missing[kind].update({pk: gap.want[kind][pk] for pk in rows})
    for kind, rows in gap.missing.items():
        kind._base_manager.using(using).bulk_create([kind(**values) for values in rows.values()], batch_size=BATCH)


def _delete(kind: type[Row], using: str, ids: set[UUID]) -> None:
    rows = kind._base_manager.using(using).filter(pk__in=ids)
    rows._raw_delete(using)  # type: ignore[attr-defined]  # no cascade: what hangs on it is written in the same transaction


# --- What nobody may see any more leaves the copy's history as well. Of what is still seen nothing older may come to
# stand in its place: the files of a moment are read from that history (``tracker.clocks``).


def _forget_what_is_hidden(copy: Copy, gap: Gap) -> None:
    using = copy.audience
    left: Ids = gap.dropped
    for kind, ids in copy.purge.items():
        _merge(left, _forget(kind, using, ids))
    for (kind, name), links in copy.unlink.items():
        _merge(left, _unlink(kind, using, name, links.keys(), set(links.values())))
    for (kind, name), ids in copy.coarsen.items():
        for event in _past(kind, using).filter(pgh_obj_id__in=ids).exclude(**{name: empty_value(kind, name)}):
            value = getattr(event, name)
            coarser = copy.coarser(kind, event.pgh_obj_id, name, value)
            if coarser != value:
                _let_go(_past(kind, using).filter(pgh_id=event.pgh_id))
                _past(kind, using).filter(pgh_id=event.pgh_id).update(**{name: coarser})
    for part, ids in copy.bare.items():
        _merge(left, _forget_parts(part, using, ids))
    for holder, members in gap.gone.items():
        hidden = members - copy.shown(holder, members).keys()
        _merge(left, _forget_all(holder, using, hidden))
        left[holder] |= members - hidden
    for found in (copy.purge, copy.unlink, copy.coarsen, copy.bare):
        found.clear()
    _prune(using, left)


def _past(kind: type[Row], using: str) -> models.QuerySet[Any]:
    return history_of(kind)._base_manager.using(using)


def _merge(left: Ids, more: Ids) -> None:
    for model, ids in more.items():
        left[model] = left.get(model, set()) | ids


def _let_go(events: models.QuerySet[Any]) -> None:
    """Of every frozen version that holds what these events say the files go, in the same transaction."""
    DataRelease.objects.using(events.db).standing().holding(events.order_by()).withdraw()


def _erase(kind: type[Row], events: models.QuerySet[Any]) -> Ids:
    """Remove these events. Returns the supporting records they referred to."""
    left: Ids = defaultdict(set)
    for field in references(kind):
        target: Any = field.related_model
        if issubclass(target, Record) and not issubclass(target, Reviewed):
            named = events.order_by().exclude(**{field.attname: None}).values_list(field.attname, flat=True)
            left[target] |= set(named.distinct())
    _let_go(events)
    events.delete()
    return left


def _forget(kind: type[Row], using: str, ids: set[UUID]) -> Ids:
    """Remove the rows' past from the copy's history; of a row that still stands, all but its present."""
    if not ids:
        return {}
    history = _past(kind, using).filter(pgh_obj_id__in=ids)
    standing = kind._base_manager.using(using).filter(pk__in=ids).values_list("pk", flat=True)
    last = history.filter(pgh_obj_id__in=list(standing)).order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
    gone = set(history.order_by().values_list("pgh_obj_id", flat=True)) - set(standing)
    left = _erase(kind, history.exclude(pgh_id__in=list(last.values_list("pgh_id", flat=True))))
    _merge(left, _forget_what_points_to(kind, using, gone))
    return left


def _cut_out(kind: type[Row], using: str, doomed: models.QuerySet[Any]) -> Ids:
    """Remove events out of the midst of others: from there on to the next one that is left, the row was not there.

    What stands for the first of them says no more than the event before it said already.
    """
    keys = set(doomed.values_list("pgh_id", flat=True))
    if not keys:
        return {}
    _let_go(doomed)
    rows = set(doomed.values_list("pgh_obj_id", flat=True))
    same = [field.attname for field in history_of(kind)._meta.concrete_fields if not field.name.startswith("pgh_")]
    before: Any = None
    for event in _past(kind, using).filter(pgh_obj_id__in=rows).order_by("pgh_obj_id", "pgh_id"):
        if event.pgh_id not in keys:
            before = event
        elif before is not None and before.pgh_obj_id == event.pgh_obj_id and before.pgh_label != "delete":
            said = {name: getattr(before, name) for name in same}
            _past(kind, using).filter(pgh_id=event.pgh_id).update(**said, pgh_label="delete")
            keys.discard(event.pgh_id)
            before = None
    return _erase(kind, _past(kind, using).filter(pgh_id__in=keys))


def _forget_parts(part: type[Part], using: str, owners: set[UUID]) -> Ids:
    """Remove all that these records ever had of these parts; all of a part that was theirs in the end."""
    if not owners:
        return {}
    theirs = _past(part, using).filter(**{f"{part.owner}__in": owners})
    rows = set(theirs.values_list("pgh_obj_id", flat=True))
    last = _past(part, using).filter(pgh_obj_id__in=rows).order_by("pgh_obj_id", "-pgh_id").distinct("pgh_obj_id")
    in_the_end = dict(last.values_list("pgh_obj_id", f"{part.owner}_id"))
    whole = {pk for pk, owner in in_the_end.items() if owner in owners}
    left = _cut_out(part, using, theirs.exclude(pgh_obj_id__in=whole)) if rows - whole else {}
    _merge(left, _erase(part, _past(part, using).filter(pgh_obj_id__in=whole)))
    _merge(left, _forget_what_points_to(part, using, whole))
    return left


def _forget_all(model: type[Record], using: str, ids: set[UUID]) -> Ids:
    """Remove the past of records that are not in the copy any more, and of all parts they ever had."""
    if not ids:
        return {}
    past = _past(model, using).filter(pgh_obj_id__in=ids)
    ever = set(past.order_by().values_list("pgh_obj_id", flat=True))
    left = _erase(model, past)
    for part in model.part_models():
        _merge(left, _forget_parts(part, using, ids))
    _merge(left, _forget_what_points_to(model, using, ever))
    return left


def _forget_what_points_to(kind: type[Row], using: str, ids: set[UUID]) -> Ids:
    """Remove what is left of rows that once referred to these, and were taken away, or led elsewhere, before."""
    left: Ids = {}
    if not ids:
        return left
    for other, field in referring(kind):
        past = _past(other, using).filter(**{f"{field.attname}__in": ids})
        anchored = issubclass(other, Record) and field in anchors(other)
        if field.null and not anchored and field.name not in other.bound:
            _merge(left, _unlink(other, using, field.name, set(past.values_list("pgh_obj_id", flat=True)), ids))
        else:
            _merge(left, _cut_out(other, using, past))
    return left


def _unlink(kind: type[Row], using: str, name: str, rows: Iterable[UUID], hidden: set[UUID]) -> Ids:
    """Blank what points to something hidden, and remove what was ever said of that column."""
    column = kind._meta.get_field(name).attname  # type: ignore[union-attr]
    past = _past(kind, using).filter(pgh_obj_id__in=rows, **{f"{column}__in": hidden})
    pointing = set(past.values_list("pgh_obj_id", flat=True))
    _let_go(past)
    past.update(**{column: None})
    left: Ids = {}
    for cited, (of, *empty) in citations_of(kind) if pointing else ():
        said = _past(cited, using).filter(about=name, **{f"{of}__in": pointing}, **dict.fromkeys(empty))
        _merge(left, _cut_out(cited, using, said))
    return left


def forget_but_present(model: type[Record], using: str, ids: set[UUID]) -> None:
    """Remove the past of records and of all parts they ever had; of what still stands, all but its present."""
    left = _forget(model, using, ids)
    for part in model.part_models():
        theirs = _past(part, using).filter(**{f"{part.owner}__in": ids})
        _merge(left, _forget(part, using, set(theirs.values_list("pgh_obj_id", flat=True))))
    _prune(Audience(using), left)


def _used(audience: Audience, model: type[Record], ids: Iterable[UUID]) -> set[UUID]:
    """Which of these supporting records something else in the copy refers to."""
    used: set[UUID] = set()
    wanted = list(ids)
    for kind, field in referring(model):
        rows = kind._base_manager.using(audience).filter(**{f"{field.name}__in": wanted})
        used |= set(rows.values_list(field.attname, flat=True))
    return used


def _prune(audience: Audience, candidates: Ids) -> None:
    """Supporting records that nothing in the copy refers to any more leave it; their past, when nothing there did."""
    left: Ids = {}
    while candidates:
        model, ids = candidates.popitem()
        left[model] = left.get(model, set()) | ids
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
    while left:
        model, ids = left.popitem()
        ids -= set(model._base_manager.using(audience).filter(pk__in=ids).values_list("pk", flat=True))
        for kind, field in referring(model):
            if ids:
                past = _past(kind, audience).filter(**{f"{field.attname}__in": ids})
                ids -= set(past.order_by().values_list(field.attname, flat=True).distinct())
        _merge(left, _forget_all(model, audience, ids))
