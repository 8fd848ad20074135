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

from django.db import IntegrityError, connections, models
from django.utils.translation import gettext as _

from tracker import publication
from tracker.acts import Kind, act_of, doing, hidden_from, kinds, named, touched, touched_by
from tracker.history import Change, changes, with_previous
from tracker.models import Citation, Part, Person, Record, Reviewed, Row, User
from tracker.models.fields import KeyField, MissingField
from tracker.models.rules import CompositeForeignKey, explain
from tracker.review import Refused
from tracker.versions import editors, history_of, rows_at
from tracker.vocabularies import ActKind, ReviewState

Key = tuple[Kind, UUID]

#: So many rows, and what was changed since in so many records, are told in a preview; the rest is counted.
TOLD, RECORDS = 60, 20


@dataclass(frozen=True)
class Left:
    """One thing that does not go back, in a sentence."""

    row: str
    sentence: str


@dataclass(frozen=True)
class Number:
    """How many rows of one kind go, return or change."""

    kind: str
    removed: int
    returned: int
    changed: int


@dataclass(frozen=True)
class Preview:
    """What taking an act back would do. Empty for whoever may not see all of it."""

    #: row, column, value now, value that returns; of the first rows
    back: list[tuple[str, str, str, str]]
    left: list[Left]
    #: what was changed since in the records it touched, the last first; of the first records
    since: list[Change]
    #: why it cannot be taken back at all
    obstacles: list[str]
    numbers: list[Number] = field(default_factory=list)
    #: how many rows, and how many records that were changed since, are not told one by one
    more_back: int = 0
    more_left: int = 0
    more_since: int = 0


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
    #: rows that go along with what they belong to, though the act did not touch that column of them
    along: set[Key] = field(default_factory=set)
    #: when its last change was written
    ended: datetime | None = None


def undo(context: UUID, *, by: User, why: str = "") -> UUID:
    """Take the act back as far as it stands, all of that or nothing. Raises ``Refused``. Returns the context of this.

    Copies show what they showed until somebody publishes the records it touched. A publication is taken back in the
    copies, at once (``publication.take_back``).
    """
    act = act_of(context)
    if act is not None and act.kind == ActKind.PUBLISH:
        if hidden_from(by, [context]):
            raise Refused([_nothing_left()])
        return publication.take_back(context, by=by, why=why)
    with doing(ActKind.UNDO, by=by, why=why.strip(), undoes=str(context)) as done:
        plan = _plan(context, lock=True)
        sentences = [_nothing_left()] if hidden_from(by, [context]) else _obstacles(plan)
        if sentences:
            raise Refused(sentences)
        try:
            _apply(plan)
            connections["default"].check_constraints()
        except IntegrityError as error:
            raise Refused([str(explain(error).sentence)]) from error
        publication.close(*touched(done))
    return done


def preview(context: UUID, viewer: User) -> Preview:
    """What ``undo`` would do now. Writes nothing."""
    if hidden_from(viewer, [context]):
        return Preview([], [], [], [_nothing_left()])
    plan = _plan(context)
    rows = [*sorted(plan.delete, key=str), *sorted(plan.restore, key=str)]
    rows += [key for key, values in plan.update.items() if values and key not in plan.delete]
    since, more_since = _changed_since(context, plan, viewer)
    return Preview(
        list(_lines(plan, rows[:TOLD])),
        [Left(_called(plan, key), sentence) for key, _column, sentence in plan.left[:TOLD]],
        since,
        _obstacles(plan),
        numbers=_numbers(plan, rows),
        more_back=max(0, len(rows) - TOLD),
        more_left=max(0, len(plan.left) - TOLD),
        more_since=more_since,
    )


def _numbers(plan: _Plan, rows: list[Key]) -> list[Number]:
    found: dict[Kind, list[int]] = defaultdict(lambda: [0, 0, 0])
    for key in rows:
        found[key[0]][0 if key in plan.delete else 1 if key in plan.restore else 2] += 1
    return [Number(str(kind._meta.verbose_name_plural), *numbers) for kind, numbers in found.items()]


def _changed_since(context: UUID, plan: _Plan, viewer: User) -> tuple[list[Change], int]:
    """The changes, and how many records are changed besides those told of."""
    if plan.ended is None:
        return [], 0
    found: list[Any] = []
    for model, rows in touched_by(context).items():
        ids = list(rows.values_list("pk", flat=True))
        edited: set[UUID] = set()
        for kind, column in [(model, "id"), *((part, f"{part.owner}_id") for part in model.part_models())]:
            edited |= editors(kind, column, [(pk, plan.ended) for pk in ids]).keys()  # type: ignore[arg-type]
        found += [(model, pk) for pk in ids if pk in edited]
    since: list[Change] = []
    for model, pk in found[:RECORDS]:
        for record in named(model._default_manager.visible_to(viewer).filter(pk=pk)):
            since += [change for change in changes(record, viewer=viewer)[:TOLD] if _since(change, plan.ended)]
    return sorted(since, key=lambda change: change.when, reverse=True), max(0, len(found) - RECORDS)


def _since(change: Change, ended: datetime) -> bool:
    reviewing = {str(Reviewed._meta.get_field(name).verbose_name) for name in Reviewed.review_columns}  # type: ignore[union-attr]
    return change.when > ended and bool({name for name, _old, _new in change.columns} - reviewing)


# --- What the act did


def _moments(kind: Kind, context: UUID, plan: _Plan) -> dict[UUID, tuple[Any, Any]]:
    """Row → what the act found, and what it left, as rows of history; None for a row that was not there."""
    history = history_of(kind)
    found: dict[UUID, tuple[Any, Any]] = {}
    first: dict[UUID, Any] = {}
    events: Any = history._base_manager.filter(pgh_context_id=context)
    for event in events.order_by("pgh_id"):
        first.setdefault(event.pgh_obj_id, event)
        plan.ended = event.pgh_created_at if plan.ended is None else max(plan.ended, event.pgh_created_at)
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
    for kind in sorted(kinds(), key=_rank):
        moments = _moments(kind, context, plan)
        rows = kind._base_manager.filter(pk__in=moments).order_by("pk")
        now = {row.pk: row for row in (rows.select_for_update(of=("self",)) if lock else rows)}
        for key, (before, after) in moments.items():
            one = (kind, key)
            plan.before[one], plan.after[one], plan.now[one] = before, after, now.get(key)
            if before is not None or after is not None:
                _look_at(plan, one)
    pointing = _pointing(plan)
    there = _there(plan)
    unsettled = True
    while unsettled:
        # what one of them leaves where it is can be what another counted on
        unsettled = _hold_what_is_referred_to(plan, pointing)
        unsettled |= _drop_what_has_lost_its_target(plan, there)
        unsettled |= _keep_together(plan)
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
        reasons = {}
        for name in _columns(kind):
            old, given, present = (getattr(row, name) for row in (before, after, now))
            if old == given or present == old:
                continue
            if isinstance(kind._meta.get_field(name), MissingField):
                reasons[name] = (old, given, present)
            elif present == given:
                plan.update[key][name] = old
            else:
                plan.left.append((key, name, _("Somebody has changed it since: that stands.")))
        for name, versions in reasons.items():
            _look_at_reasons(plan, key, name, *versions)


def _look_at_reasons(
    plan: _Plan, key: Key, column: str, old: dict[str, str], given: dict[str, str], present: dict[str, str]
) -> None:
    """Each goes back by itself, and none to beside a value. The other columns have been looked at."""
    becomes = dict(present)
    for name in sorted({*old, *given}):
        was, became, stands = old.get(name), given.get(name), present.get(name)
        value = plan.update[key].get(name, getattr(plan.now[key], name))
        if was == became or stands == was or (was and value not in (None, "", [])):
            continue
        if stands != became:
            plan.left.append((key, column, _("Somebody has changed it since: that stands.")))
        elif was is None:
            del becomes[name]
        else:
            becomes[name] = was
    if becomes != present:
        plan.update[key][column] = becomes


def _pointing(plan: _Plan) -> dict[Key, list[tuple[Key, str]]]:
    """Each row that is to go → the rows that point to it, and the attname by which they do."""
    going: dict[Kind, set[UUID]] = defaultdict(set)
    for kind, pk in plan.delete:
        going[kind].add(pk)
    found: dict[Key, list[tuple[Key, str]]] = defaultdict(list)
    for kind, ids in going.items():
        for relation in kind._meta.get_fields(include_hidden=True):
            source: Any = relation.related_model
            if not (relation.auto_created and not relation.concrete and source and issubclass(source, Row)):
                continue
            name = relation.field.attname  # type: ignore[union-attr]
            rows = source._base_manager.filter(**{f"{name}__in": ids})
            for pk, target in rows.values_list("pk", name):
                found[kind, target].append(((source, pk), name))
    return found


def _hold_what_is_referred_to(plan: _Plan, pointing: Mapping[Key, list[tuple[Key, str]]]) -> bool:
    """An added row stays to which something points that neither goes nor points elsewhere afterwards.

    Returns whether the plan was changed.
    """

    def holds(source: Key, attname: str, target: UUID) -> bool:
        if source in plan.delete:
            return False
        return source not in plan.update or plan.update[source].get(attname, target) == target

    changed, blocked = False, True
    while blocked:
        held = {
            key for key in plan.delete if any(holds(source, name, key[1]) for source, name in pointing.get(key, ()))
        }
        # whoever stays is not left without a name, or without anybody who vouches for what stays
        held |= {
            key
            for key in plan.delete
            if issubclass(key[0], Part)
            and key[0].owner == "person"
            and (Person, getattr(plan.now[key], "person_id", None)) in held
        }
        for key in sorted(held, key=str):
            plan.delete.discard(key)
            plan.left.append((key, "", _("It was added, and something else refers to it now: it stays.")))
        blocked = bool(held)
        changed |= blocked
    return changed


def _there(plan: _Plan) -> set[Key]:
    """Of what rows that return, or go back, are to point to: what is there now."""
    wanted: dict[Any, set[UUID]] = defaultdict(set)
    for key in plan.restore:
        for _name, target, value in _pointers(key[0], plan.before[key]):
            wanted[target].add(value)
    for key, values in plan.update.items():
        for _name, target, value in _pointers(key[0], plan.before[key], values):
            wanted[target].add(value)
    return {
        (target, pk)
        for target, ids in wanted.items()
        for pk in target._base_manager.filter(pk__in=ids).values_list("pk", flat=True)
    }


def _drop_what_has_lost_its_target(plan: _Plan, there: set[Key]) -> bool:
    """What pointed to something that is not there any more cannot point to it again.

    Returns whether the plan was changed.
    """

    def lost(target: Any, value: UUID) -> bool:
        return (target, value) not in plan.restore and ((target, value) in plan.delete or (target, value) not in there)

    changed, blocked = False, True
    while blocked:
        blocked = False
        for key in [*plan.restore]:
            if any(lost(target, value) for _name, target, value in _pointers(key[0], plan.before[key])):
                plan.restore.discard(key)
                plan.left.append((key, "", _("It was deleted, and what it belonged to is not there any more.")))
                blocked = True
        for key, values in plan.update.items():
            if key not in plan.before or plan.before[key] is None:
                continue
            for name, target, value in list(_pointers(key[0], plan.before[key], values)):
                if values[name] == value and lost(target, value):
                    del values[name]
                    plan.left.append((key, name, _("What it pointed to is not there any more.")))
                    blocked = True
        changed |= blocked
    return changed


def _pointers(kind: Kind, row: Any, names: Iterable[str] | None = None) -> Iterator[tuple[str, Any, UUID]]:
    """Attname, model and key of what a row points to."""
    for column in kind._meta.concrete_fields:
        if row is not None and isinstance(column, models.ForeignKey) and (names is None or column.attname in names):
            value = getattr(row, column.attname)
            if value is not None:
                yield column.attname, column.related_model, value


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
    tables = {kind._meta.db_table: kind for kind in kinds()}
    return [
        _Bond(kind, rule.columns[0], rule.columns[1], tables[rule.to], rule.to_columns[1])
        for kind in kinds()
        for rule in kind._meta.constraints
        if isinstance(rule, CompositeForeignKey)
    ]


def _keep_together(plan: _Plan) -> bool:
    """What belongs together goes back together, or stays. Returns whether the plan was changed.

    A citation or a link that was added since to something that goes back goes with it; a record that was added since,
    or linked since, holds it fast.
    """
    changed, unsettled = False, True
    while unsettled:
        unsettled = False
        for bond in _bonds():
            moving = {pk for (kind, pk), values in plan.update.items() if kind is bond.target and bond.theirs in values}
            own = {pk for (kind, pk), values in plan.update.items() if kind is bond.kind and values}
            if not moving and not own:
                continue
            rows = list(bond.kind._base_manager.filter(models.Q(**{f"{bond.link}__in": moving}) | models.Q(pk__in=own)))
            links = {_link(plan, bond, row) for row in rows} - {None}
            theirs = dict(bond.target._base_manager.filter(pk__in=links).values_list("pk", bond.theirs))
            for row in rows:
                unsettled |= _settle(plan, bond, row, theirs)
        changed |= unsettled
    return changed


def _link(plan: _Plan, bond: _Bond, row: Any) -> Any:
    return plan.update.get((bond.kind, row.pk), {}).get(bond.link, getattr(row, bond.link))


def _settle(plan: _Plan, bond: _Bond, row: Any, theirs: Mapping[UUID, Any]) -> bool:
    """Returns whether the plan was changed."""
    key = (bond.kind, row.pk)
    if key in plan.delete:
        return False
    link = _link(plan, bond, row)
    if link is None:
        return False
    other = (bond.target, link)
    have = plan.update.get(key, {}).get(bond.own, getattr(row, bond.own))
    if other in plan.update and bond.theirs in plan.update[other]:
        want = plan.update[other][bond.theirs]
    elif other in plan.restore:
        want = getattr(plan.before[other], bond.theirs)
    else:
        want = theirs[link]
    if have == want:
        return False
    planned = key in plan.update and bond.own in plan.update[key]
    if not planned and isinstance(row, Part) and key not in plan.along:
        plan.now.setdefault(key, row)
        plan.update[key][bond.own] = want
        plan.along.add(key)
    elif planned:
        plan.along.add(key)
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
    for kind in kinds():
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


def _nothing_left() -> str:
    return _("Nothing of it is left to be taken back.")


def _obstacles(plan: _Plan) -> list[str]:
    merged = [key for key, name, _sentence in plan.left if key[0] is Person and name == "merged_into_id"]
    if merged:
        return [_("They were merged with somebody else since: take that merge back first.")]
    if not plan.delete and not plan.restore and not any(plan.update.values()):
        return [_nothing_left()]
    return []


def _lines(plan: _Plan, rows: list[Key]) -> Iterator[tuple[str, str, str, str]]:
    for key in rows:
        if key in plan.delete:
            yield _called(plan, key), "", str(plan.now[key]), _("(removed)")
        elif key in plan.restore:
            yield _called(plan, key), "", "", _("(returns)")
        else:
            for name, value in plan.update[key].items():
                column: Any = next(column for column in key[0]._meta.concrete_fields if column.attname == name)
                if name != "position":
                    present = getattr(plan.now[key], name)
                    yield _called(plan, key), str(column.verbose_name), _told(column, present), _told(column, value)


def _called(plan: _Plan, key: Key) -> str:
    row = plan.now[key]
    kind = str(key[0]._meta.verbose_name)
    return f"{kind}: {row}" if row is not None else kind


def _told(column: Any, value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(column, MissingField):
        return column.in_words(value)
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
    going: dict[Kind, list[UUID]] = defaultdict(list)
    for kind, pk in plan.delete:
        going[kind].append(pk)
    for kind in sorted(going, key=_rank, reverse=True):
        rows = kind._base_manager.filter(pk__in=going[kind])
        rows._raw_delete("default")  # type: ignore[attr-defined]  # no cascade: nothing else points to it
    # many rows of an act go back to the same
    alike: dict[tuple[Kind, str], tuple[dict[str, Any], list[UUID]]] = {}
    for (kind, pk), values in plan.update.items():
        if "text" in values:
            for name in KeyField.names_in(kind):
                values[name] = kind._meta.get_field(name).key_of(values["text"])  # type: ignore[union-attr]
        if values:
            alike.setdefault((kind, repr(sorted(values.items()))), (values, []))[1].append(pk)
    for (kind, _values), (values, ids) in sorted(alike.items(), key=lambda item: _rank(item[0][0])):
        kind._base_manager.filter(pk__in=ids).update(**values)
    returning: dict[Kind, list[Any]] = defaultdict(list)
    for kind, pk in plan.restore:
        before = plan.before[kind, pk]
        values = {name: getattr(before, name) for name in _columns(kind)}
        if issubclass(kind, Reviewed):
            values["review_state"] = ReviewState.DRAFT
        # whoever still has it open from before the deletion has another revision
        returning[kind].append(kind(id=pk, revision=before.revision + 1, **values))
    for kind in sorted(returning, key=_rank):
        kind._base_manager.bulk_create(returning[kind])
