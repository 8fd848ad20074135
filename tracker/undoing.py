"""Taking back what was done as one act (one history context), however much was edited since.

Rows that were added go, rows that were deleted return with their ids, and a column goes back only if it still holds
what the act gave it. What somebody changed since stands, what was added since stays where it is, and a row that either
of them holds fast stays with it. Steps of the review are not taken back: they have steps of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import pghistory
from django.apps import apps
from django.db import IntegrityError, connections, models, transaction
from django.utils.translation import gettext as _

from tracker import publication
from tracker.history import Change, changes, with_previous
from tracker.models import Citation, Part, Person, Record, Reviewed, Row, User
from tracker.models.fields import KeyField
from tracker.models.rules import CompositeForeignKey, explain
from tracker.review import Refused
from tracker.versions import history_of, rows_at
from tracker.vocabularies import ReviewState

#: What the history calls it.
ACT = "undo"

Kind = type[Row]
Key = tuple[Kind, UUID]


@dataclass(frozen=True)
class Act:
    """What one history context was."""

    context: UUID
    act: str
    user: str
    why: str
    #: when its first and its last change were written
    began: datetime
    ended: datetime
    #: of a merge, the key of the person that was merged; of an undo, the context that was taken back
    merged: str = ""
    undoes: str = ""


@dataclass(frozen=True)
class Left:
    """One thing that does not go back, in a sentence."""

    row: str
    sentence: str


@dataclass(frozen=True)
class Preview:
    """What taking an act back would do, as far as the account may see it."""

    #: row, column, value now, value that returns
    back: list[tuple[str, str, str, str]]
    left: list[Left]
    #: what was changed since in the records it touched, the last first
    since: list[Change]
    #: why it cannot be taken back at all
    obstacles: list[str]


@dataclass
class _Plan:
    #: what the act left of each row it touched (None: deleted), and what it had found (None: it added the row)
    after: dict[Key, Any] = field(default_factory=dict)
    before: dict[Key, Any] = field(default_factory=dict)
    #: the rows as they are
    now: dict[Key, Any] = field(default_factory=dict)
    update: dict[Key, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    delete: set[Key] = field(default_factory=set)
    restore: set[Key] = field(default_factory=set)
    left: list[tuple[Key, str, str]] = field(default_factory=list)  # row, attname, sentence


def act_of(context: UUID) -> Act | None:
    """None for a context that changed no row of ours."""
    first: Any = None
    last: Any = None
    for kind in _kinds():
        events: Any = history_of(kind)._base_manager.filter(pgh_context_id=context)
        for event in events.order_by("pgh_id")[:1]:
            first = event if first is None or event.pgh_created_at < first.pgh_created_at else first
        for event in events.order_by("-pgh_id")[:1]:
            last = event if last is None or event.pgh_created_at > last.pgh_created_at else last
    if first is None:
        return None
    told = last.pgh_context or {}
    account: Any = told.get("user")
    user = User.objects.filter(pk=account).first() if account else None
    return Act(
        context,
        str(told.get("act", "")),
        str(user or ""),
        str(told.get("why", "")),
        first.pgh_created_at,
        last.pgh_created_at,
        merged=str(told.get("merged", "")),
        undoes=str(told.get("undoes", "")),
    )


def touched(context: UUID) -> list[Record]:
    """The records that the act changed, or whose parts and citations it changed, or that it gave them or took them."""
    ids: dict[type[Record], set[UUID]] = defaultdict(set)
    for kind in _kinds():
        holder, column = _holder(kind)
        if holder is None:
            continue
        found = _moments(kind, context)
        for before, after in found.values():
            ids[holder] |= {getattr(row, column) for row in (before, after) if row is not None}
    return [
        record
        for model in sorted(ids, key=lambda model: model._meta.label)
        for record in _named(model).filter(pk__in=ids[model]).order_by("pk")
    ]


def _named(model: type[Record]) -> Any:
    """With what the records are called by."""
    path, names = "", []
    above: Any = model
    while above is not Person and any(name in ("person", "prosecution") for name in getattr(above, "below", ())):
        path = f"{path}__{above.below[0]}" if path else above.below[0]
        above = above._meta.get_field(above.below[0]).related_model
    if above is Person:
        names = [f"{path}__names" if path else "names"]
    rows: Any = model._default_manager
    return (rows.select_related(path) if path else rows.all()).prefetch_related(*names)


def undo(context: UUID, *, by: User, why: str = "") -> UUID:
    """Take the act back as far as it stands, all of that or nothing. Raises ``Refused``. Returns the context of this.

    Copies show what they showed until somebody publishes the records it touched.
    """
    metadata = {"user": str(by.pk), "act": ACT, "undoes": str(context), "why": why.strip()}
    with transaction.atomic(), pghistory.context(**metadata) as act:
        plan = _plan(context, lock=True)
        sentences = _obstacles(plan, by)
        if sentences:
            raise Refused(sentences)
        try:
            _apply(plan)
            connections["default"].check_constraints()
        except IntegrityError as error:
            raise Refused([str(explain(error).sentence)]) from error
        if _hides(plan, by):  # also what has only now returned
            raise Refused([_not_for_you()])
        publication.close(*touched(act.id))
    return act.id


def preview(context: UUID, viewer: User) -> Preview:
    """What ``undo`` would do now. Writes nothing."""
    plan = _plan(context)
    obstacles = _obstacles(plan, viewer)
    if _hides(plan, viewer):
        return Preview([], [], [], obstacles)
    act = act_of(context)
    since = []
    for record in touched(context):
        if act is not None and type(record)._default_manager.visible_to(viewer).filter(pk=record.pk).exists():  # type: ignore[attr-defined]
            since += [change for change in changes(record, viewer=viewer)[:50] if _since(change, act)]
    return Preview(
        list(_lines(plan)),
        [Left(_called(plan, key), sentence) for key, _column, sentence in plan.left],
        sorted(since, key=lambda change: change.when, reverse=True),
        obstacles,
    )


def _since(change: Change, act: Act) -> bool:
    reviewing = {str(Reviewed._meta.get_field(name).verbose_name) for name in Reviewed.review_columns}  # type: ignore[union-attr]
    return change.when > act.ended and bool({name for name, _old, _new in change.columns} - reviewing)


# --- What the act did


def _kinds() -> Iterator[Kind]:
    for model in apps.get_models():
        if issubclass(model, Row):
            yield model


def _holder(kind: Kind) -> tuple[type[Record] | None, str]:
    """The records that rows of this kind are, or are parts of, and the attname of their key in a row of history."""
    if issubclass(kind, Record):
        return kind, "pgh_obj_id"
    if issubclass(kind, Part):
        owner: Any = kind._meta.get_field(kind.owner)
        return owner.related_model, owner.attname
    return None, ""


def _moments(kind: Kind, context: UUID) -> dict[UUID, tuple[Any, Any]]:
    """Row → what the act found, and what it left, as rows of history; None for a row that was not there."""
    history = history_of(kind)
    found: dict[UUID, tuple[Any, Any]] = {}
    first: dict[UUID, Any] = {}
    events: Any = history._base_manager.filter(pgh_context_id=context)
    for event in events.order_by("pgh_id"):
        first.setdefault(event.pgh_obj_id, event)
        found[event.pgh_obj_id] = (None, None if event.pgh_label == "delete" else event)
    added = {key for key, event in first.items() if event.pgh_label == "insert"}
    earlier = with_previous(kind, [first[key].pgh_id for key in found.keys() - added])
    for event, before in earlier.values():
        found[event.pgh_obj_id] = (before or event, found[event.pgh_obj_id][1])
    return found


def _columns(kind: Kind) -> list[str]:
    """Attnames of what a row says: neither its key, nor counted, nor a step of the review."""
    # a search key follows its text
    apart = {"id", "revision", *KeyField.names_in(kind)}
    if issubclass(kind, Reviewed):
        apart |= {*kind.review_columns}
    elif issubclass(kind, Record):
        apart |= {*kind.bookkeeping}
    return [column.attname for column in kind._meta.concrete_fields if column.name not in apart]


def _same(kind: Kind, one: Any, two: Any) -> bool:
    return all(getattr(one, name) == getattr(two, name) for name in _columns(kind))


# --- What can go back


def _plan(context: UUID, *, lock: bool = False) -> _Plan:
    plan = _Plan()
    for kind in sorted(_kinds(), key=_rank):
        moments = _moments(kind, context)
        rows = kind._base_manager.filter(pk__in=moments).order_by("pk")
        now = {row.pk: row for row in (rows.select_for_update(of=("self",)) if lock else rows)}
        for key, (before, after) in moments.items():
            one = (kind, key)
            plan.before[one], plan.after[one], plan.now[one] = before, after, now.get(key)
            if before is not None or after is not None:
                _look_at(plan, one)
    _hold_what_is_referred_to(plan)
    _drop_what_has_lost_its_target(plan)
    _keep_together(plan)
    _make_room(plan)
    _stay_as_closed(plan)
    return plan


def _rank(kind: Kind) -> tuple[int, str]:
    """Records first, then parts, citations last."""
    return (issubclass(kind, Part) + issubclass(kind, Citation), kind._meta.label)


def _look_at(plan: _Plan, key: Key) -> None:
    kind = key[0]
    before, after, now = plan.before[key], plan.after[key], plan.now[key]
    if before is None:
        if now is None:
            return  # gone already
        if getattr(now, "published_at", None):
            plan.left.append((key, "", _("It was added, and is published: withdraw it, and delete it.")))
        elif _same(kind, now, after):
            plan.delete.add(key)
        else:
            plan.left.append((key, "", _("It was added, and somebody has changed it since: it stays.")))
    elif after is None:
        if now is None:
            plan.restore.add(key)
    elif now is None:
        if not _same(kind, before, after):
            plan.left.append((key, "", _("It was changed, and somebody has deleted it since.")))
    else:
        for name in _columns(kind):
            old, given, present = (getattr(row, name) for row in (before, after, now))
            if old == given or present == old:
                continue
            if present == given:
                plan.update[key][name] = old
            else:
                plan.left.append((key, name, _("Somebody has changed it since: that stands.")))


def _hold_what_is_referred_to(plan: _Plan) -> None:
    """An added row to which something points that is not added by the same act stays."""
    blocked = True
    while blocked:
        blocked = False
        for key in sorted(plan.delete, key=str):
            kind, pk = key
            for relation in kind._meta.get_fields(include_hidden=True):
                source: Any = relation.related_model
                if not (relation.auto_created and not relation.concrete and source and issubclass(source, Row)):
                    continue
                pointing = source._base_manager.filter(**{relation.field.name: pk}).values_list("pk", flat=True)  # type: ignore[union-attr]
                if any((source, one) not in plan.delete for one in pointing):
                    plan.delete.discard(key)
                    plan.left.append((key, "", _("It was added, and something else refers to it now: it stays.")))
                    blocked = True
                    break


def _drop_what_has_lost_its_target(plan: _Plan) -> None:
    """What pointed to something that is not there any more cannot point to it again."""
    blocked = True
    while blocked:
        blocked = False
        for key in [*plan.restore]:
            if any(not _there(plan, target, value) for target, value in _pointers(key[0], plan.before[key])):
                plan.restore.discard(key)
                plan.left.append((key, "", _("It was deleted, and what it belonged to is not there any more.")))
                blocked = True
        for key, values in plan.update.items():
            for target, value in list(_pointers(key[0], plan.before[key], values)):
                if not _there(plan, target, value):
                    name = next(name for name in values if values[name] == value)
                    del values[name]
                    plan.left.append((key, name, _("What it pointed to is not there any more.")))
                    blocked = True


def _pointers(kind: Kind, row: Any, names: Iterable[str] | None = None) -> Iterator[tuple[Any, UUID]]:
    for column in kind._meta.concrete_fields:
        if isinstance(column, models.ForeignKey) and (names is None or column.attname in names):
            value = getattr(row, column.attname)
            if value is not None:
                yield column.related_model, value


def _there(plan: _Plan, target: Any, pk: UUID) -> bool:
    if (target, pk) in plan.restore:
        return True
    return (target, pk) not in plan.delete and target._base_manager.filter(pk=pk).exists()


def _drop(plan: _Plan, key: Key, name: str, sentence: str) -> None:
    """This column stays as it is; and so does the row's place in an order that the column makes."""
    values = plan.update[key]
    values.pop(name)
    if name == _owner(key[0]):
        values.pop("position", None)
    plan.left.append((key, name, sentence))


def _owner(kind: Kind) -> str:
    return str(kind._meta.get_field(kind.owner).attname) if issubclass(kind, Part) else ""  # type: ignore[union-attr]


# Composite foreign keys: a release and its detention, a citation and its part, have the same person


@dataclass(frozen=True)
class _Bond:
    """Rows of ``kind`` and the rows that ``link`` points to share what ``own`` and ``theirs`` hold."""

    kind: Kind
    link: str
    own: str
    target: Kind
    theirs: str


def _bonds() -> list[_Bond]:
    tables = {kind._meta.db_table: kind for kind in _kinds()}
    return [
        _Bond(kind, rule.columns[0], rule.columns[1], tables[rule.to], rule.to_columns[1])
        for kind in _kinds()
        for rule in kind._meta.constraints
        if isinstance(rule, CompositeForeignKey)
    ]


def _keep_together(plan: _Plan) -> None:
    """What belongs together goes back together, or stays.

    A citation or a link that was added since to something that goes back goes with it; a record that was added since,
    or linked since, holds it fast.
    """
    fast: set[Key] = set()
    unsettled = True
    while unsettled:
        unsettled = False
        for bond in _bonds():
            moving = {pk for (kind, pk), values in plan.update.items() if kind is bond.target and bond.theirs in values}
            own = {pk for (kind, pk), values in plan.update.items() if kind is bond.kind and values}
            rows = bond.kind._base_manager.filter(models.Q(**{f"{bond.link}__in": moving}) | models.Q(pk__in=own))
            for row in rows:
                unsettled |= _settle(plan, bond, row, fast)


def _settle(plan: _Plan, bond: _Bond, row: Any, fast: set[Key]) -> bool:
    """Returns whether the plan was changed."""
    key = (bond.kind, row.pk)
    if key in plan.delete:
        return False
    link = plan.update[key].get(bond.link, getattr(row, bond.link)) if key in plan.update else getattr(row, bond.link)
    if link is None:
        return False
    other = (bond.target, link)
    have = plan.update[key].get(bond.own, getattr(row, bond.own)) if key in plan.update else getattr(row, bond.own)
    if other in plan.update and bond.theirs in plan.update[other]:
        want = plan.update[other][bond.theirs]
    elif other in plan.restore:
        want = getattr(plan.before[other], bond.theirs)
    else:
        want = bond.target._base_manager.values_list(bond.theirs, flat=True).get(pk=link)
    if have == want:
        return False
    planned = key in plan.update and bond.own in plan.update[key]
    if not planned and isinstance(row, Part) and key not in fast:
        plan.now.setdefault(key, row)
        plan.update[key][bond.own] = want
        fast.add(key)
    elif planned:
        fast.add(key)
        _drop(plan, key, bond.own, _("It belongs to something that does not go back."))
    elif key in plan.update and bond.link in plan.update[key]:
        _drop(plan, key, bond.link, _("It belongs to something that does not go back."))
    elif bond.theirs in plan.update.get(other, {}):
        plan.now.setdefault(key, row)
        _drop(plan, other, bond.theirs, _("“%(row)s”, added or changed since, holds it where it is.") % {"row": row})
    else:
        return False
    return True


def _make_room(plan: _Plan) -> None:
    """Where something stands by now at a place to which a row returns, the row comes last."""
    for kind in _kinds():
        owner = _owner(kind)
        if not owner or "position" not in _columns(kind):
            continue
        moving = {pk: values for (model, pk), values in plan.update.items() if model is kind}
        moving = {pk: values for pk, values in moving.items() if values.keys() & {owner, "position"}}
        restored = {pk: plan.before[kind, pk] for model, pk in plan.restore if model is kind}
        if not moving and not restored:
            continue
        ends: dict[UUID, dict[int, UUID]] = defaultdict(dict)
        wanted = [
            (
                pk,
                values.get(owner, getattr(plan.now[kind, pk], owner)),
                values.get("position", plan.now[kind, pk].position),
            )
            for pk, values in moving.items()
        ]
        wanted += [(pk, getattr(row, owner), row.position) for pk, row in restored.items()]
        gone = {pk for model, pk in plan.delete if model is kind} | moving.keys()
        standing = kind._base_manager.filter(**{f"{owner}__in": {one[1] for one in wanted}}).exclude(pk__in=gone)
        for pk, record, place in standing.values_list("pk", owner, "position"):
            ends[record][place] = pk
        for pk, record, place in sorted(wanted, key=lambda one: (one[2], str(one[0]))):
            if place in ends[record]:
                place = max(ends[record]) + 1
                if pk in restored:
                    restored[pk].position = place
                else:
                    plan.update[kind, pk]["position"] = place
                plan.left.append(((kind, pk), "position", _("Its place is taken: it comes last.")))
            ends[record][place] = pk


# --- What stands in the way, and how it is told


def _stay_as_closed(plan: _Plan) -> None:
    """Opening takes two: who was closed while merged with somebody is not opened by being parted."""
    for (kind, pk), values in plan.update.items():
        if kind is not Person or values.get("merged_into_id", ...) is not None:
            continue
        other = plan.now[kind, pk]
        for kept in Person._base_manager.filter(pk=other.merged_into_id):
            moment = plan.after[kind, pk].pgh_created_at
            for then in rows_at(Person, "id", [(kept.pk, moment)]):
                since = Person.closer(kept, then)
                values.update({name: value for name, value in Person.closer(kept, other).items() if name in since})


def _not_for_you() -> str:
    return _("Not everything that would go back is for you to see. Ask somebody who may see all of it to take it back.")


def _keys(plan: _Plan) -> dict[Kind, set[UUID]]:
    found: dict[Kind, set[UUID]] = defaultdict(set)
    for kind, pk in [*plan.after, *plan.update]:
        found[kind].add(pk)
    return found


def _hides(plan: _Plan, viewer: User) -> bool:
    """Whether it touches a row that this account may not see."""
    return any(
        kind._base_manager.filter(pk__in=ids).exclude(pk__in=kind.objects.visible_to(viewer).values("pk")).exists()
        for kind, ids in _keys(plan).items()
    )


def _obstacles(plan: _Plan, viewer: User) -> list[str]:
    if _hides(plan, viewer):
        return [_not_for_you()]
    merged = [key for key, name, _sentence in plan.left if key[0] is Person and name == "merged_into_id"]
    if merged:
        return [_("They were merged with somebody else since: take that merge back first.")]
    if not plan.delete and not plan.restore and not any(plan.update.values()):
        return [_("Nothing of it is left to be taken back.")]
    return []


def _lines(plan: _Plan) -> Iterator[tuple[str, str, str, str]]:
    for key in [*sorted(plan.delete, key=str)]:
        yield _called(plan, key), "", str(plan.now[key]), _("(removed)")
    for key in [*sorted(plan.restore, key=str)]:
        yield _called(plan, key), "", "", _("(returns)")
    for key, values in plan.update.items():
        for name, value in values.items():
            column: Any = next(column for column in key[0]._meta.concrete_fields if column.attname == name)
            if name == "position":
                continue
            present = getattr(plan.now[key], name)
            yield _called(plan, key), str(column.verbose_name), _told(column, present), _told(column, value)


def _called(plan: _Plan, key: Key) -> str:
    row = plan.now[key]
    kind = str(key[0]._meta.verbose_name)
    return f"{kind}: {row}" if row is not None else kind


def _told(column: Any, value: Any) -> str:
    if value in (None, "", []):
        return ""
    if isinstance(column, models.ForeignKey):
        target: Any = column.related_model
        return str(target._default_manager.filter(pk=value).first() or _("(not there any more)"))
    labels: Mapping[Any, Any] = dict(
        getattr(column, "flatchoices", None) or getattr(column, "code_choices", None) or ()
    )
    if isinstance(value, list):
        return ", ".join(str(labels.get(code, code)) for code in value)
    return str(labels.get(value, value))


# --- Doing it


def _apply(plan: _Plan) -> None:
    """Take away, then change, then add. What must agree in the end is asked at the end of the transaction."""
    for kind, pk in sorted(plan.delete, key=lambda key: _rank(key[0]), reverse=True):
        rows = kind._base_manager.filter(pk=pk)
        rows._raw_delete("default")  # type: ignore[attr-defined]  # no cascade: nothing else points to it
    for (kind, pk), values in sorted(plan.update.items(), key=lambda item: _rank(item[0][0])):
        if "text" in values:
            for name in KeyField.names_in(kind):
                values[name] = kind._meta.get_field(name).key_of(values["text"])  # type: ignore[union-attr]
        if values:
            kind._base_manager.filter(pk=pk).update(**values)
    for key in sorted(plan.restore, key=lambda key: _rank(key[0])):
        kind, before = key[0], plan.before[key]
        values = {name: getattr(before, name) for name in _columns(kind)}
        if issubclass(kind, Reviewed):
            values["review_state"] = ReviewState.DRAFT
        # whoever still has it open from before the deletion has another revision
        kind._base_manager.bulk_create([kind(id=key[1], revision=before.revision + 1, **values)])
