"""What was done as one act: done in one block, listed, and asked what it touched.

An act is one context of the history. What it changed is read from there; that it was done stands in the list of acts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pghistory
from django.apps import apps
from django.db import connections, models, transaction
from django.db.models import Exists, OuterRef, Q, Subquery

from tracker.models import Act, Part, Person, Record, Reviewed, Row, User
from tracker.versions import editors, history_of
from tracker.vocabularies import ActKind, Disclosure, ReviewState

Kind = type[Row]

#: Acts that rearrange what is there: of what readers never saw they make nobody's business but that of whom it needs.
REARRANGE = (ActKind.MERGE, ActKind.UNDO)


@contextmanager
def doing(kind: ActKind, *, by: User | None, why: str = "", **about: str) -> Iterator[UUID]:
    """One transaction, and one context of the history (given), that stands in the list of acts afterwards.

    Inside another context, that of a request, it is that one. What changes nothing is not listed.
    """
    told = {"user": str(by.pk) if by else None, "act": str(kind), "why": why, **about}
    with transaction.atomic(), pghistory.context(**told) as block:
        context: UUID = block.id
        yield context
        number = sum(rows.count() for rows in touched_by(context).values())
        if number:
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT clock_timestamp()")
                (ended,) = cursor.fetchone()
            values = {"kind": kind, "by": by, "why": why, "about": about, "ended": ended, "records": number}
            Act.objects.update_or_create(context=context, defaults=values)


def act_of(context: UUID) -> Act | None:
    return Act.objects.select_related("by").filter(pk=context).first()


# --- What it touched


def kinds() -> list[Kind]:
    return [model for model in apps.get_models() if issubclass(model, Row)]


def _holder(kind: Kind) -> tuple[type[Record] | None, str]:
    """The records that rows of this kind are, or are parts of, and the attname of their key in a row of history."""
    if issubclass(kind, Record):
        return kind, "pgh_obj_id"
    if issubclass(kind, Part):
        owner: Any = kind._meta.get_field(kind.owner)
        return owner.related_model, owner.attname
    return None, ""


def touched_by(context: UUID) -> dict[type[Record], Any]:
    """The records that the act changed, or whose parts and citations it changed, or that it gave them or took them.

    A queryset for each model; none is read here.
    """
    keys: dict[type[Record], list[Any]] = defaultdict(list)
    for kind in kinds():
        holder, column = _holder(kind)
        if holder is None:
            continue
        events: Any = history_of(kind)._base_manager.filter(pgh_context_id=context).order_by()
        keys[holder].append(events.values_list(column))
        if issubclass(kind, Part):
            earlier: Any = history_of(kind)._base_manager.filter(
                pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id")
            )
            moved = events.filter(pgh_label="update").annotate(
                came_from=Subquery(earlier.order_by("-pgh_id").values(column)[:1])
            )
            keys[holder].append(moved.values_list("came_from"))
    found = {}
    for model in sorted(keys, key=lambda model: model._meta.label):
        first, *others = keys[model]
        # a union is asked of the indexes; alternatives would be asked of every record
        found[model] = model._default_manager.filter(pk__in=first.union(*others)).order_by("pk")
    return found


def touched(context: UUID) -> list[Record]:
    """All of them, with what they are called by."""
    return [record for rows in touched_by(context).values() for record in named(rows)]


def named(rows: Any) -> Any:
    """With what the rows are called by, and what closes them."""
    model = rows.model
    path, names = "", []
    above: Any = model
    while above is not Person and any(name in ("person", "prosecution") for name in getattr(above, "below", ())):
        path = f"{path}__{above.below[0]}" if path else above.below[0]
        above = above._meta.get_field(above.below[0]).related_model
    if above is Person:
        names = [f"{path}__names" if path else "names"]
    if issubclass(model, Part):
        pointing = [attname.removesuffix("_id") for attname, _target in _pointers(model)]
        names = [f"{attname.removesuffix('_id')}__names" for attname, target in _pointers(model) if target is Person]
        return rows.select_related(*pointing).prefetch_related(*names)
    above_them = [*getattr(model, "below", ()), *([path] if path else [])]
    return (rows.select_related(*above_them) if above_them else rows).prefetch_related(*names)


# --- What of it waits


def waiting(act: Act) -> dict[type[Reviewed], Any]:
    """What has to be published so that readers see what an act did, a queryset for each model.

    That is what they see an older version of, and what it added or changed that they do not see at all; of an act that
    only rearranges: no more of that than those whom the shown belong to now, or lead to.
    """
    if act.kind == ActKind.PUBLISH:
        return {}
    found: dict[type[Reviewed], Any] = {}
    needed: set[UUID | None] = set()
    for model, rows in touched_by(act.context).items():
        if not issubclass(model, Reviewed):
            continue
        rows = rows.exclude(review_state=ReviewState.WITHDRAWN)
        shown = rows.filter(published_at__lt=act.ended)
        if act.kind in REARRANGE:
            found[model] = shown
            for name in ("merged_into_id" if model is Person else "person_id",):
                if any(column.attname == name for column in model._meta.concrete_fields):
                    needed |= set(shown.values_list(name, flat=True))
        else:
            found[model] = rows.filter(Q(published_at__lt=act.ended) | Q(published_at=None))
    if act.kind in REARRANGE:
        touched_persons = touched_by(act.context).get(Person, Person.objects.none())
        ids = Q(pk__in=found[Person].values("pk")) if Person in found else Q(pk__in=())
        found[Person] = touched_persons.filter(ids | Q(pk__in=needed - {None}, published_at=None))
    return {model: rows.order_by("pk") for model, rows in found.items()}


def submitted(contexts: Iterable[UUID] | None = None) -> dict[UUID, int]:
    """Acts of which something waits for a second person → how many records. Of these contexts, or of all."""
    parts = []
    for kind in kinds():
        holder, column = _holder(kind)
        if holder is None or not issubclass(holder, Reviewed):
            continue
        quote = connections["default"].ops.quote_name
        parts.append(
            f"SELECT h.pgh_context_id, r.id, r.published_at FROM {quote(history_of(kind)._meta.db_table)} h"
            f" JOIN {quote(holder._meta.db_table)} r ON r.id = h.{quote(column)}"
            f" WHERE r.review_state = '{ReviewState.SUBMITTED}'"
        )
    sql = f"""
        SELECT a.context, count(DISTINCT of.id) FROM tracker_act a
        JOIN ({" UNION ALL ".join(parts)}) AS of ON of.pgh_context_id = a.context
        WHERE a.kind <> %s AND (of.published_at IS NULL OR of.published_at < a.ended)
            AND (%s OR a.context = ANY(%s))
        GROUP BY a.context
    """
    wanted = None if contexts is None else list(contexts)
    with connections["default"].cursor() as cursor:
        cursor.execute(sql, [ActKind.PUBLISH, wanted is None, wanted or []])
        return dict(cursor.fetchall())


def changed_since(act: Act, records: Iterable[Record]) -> dict[UUID, set[str]]:
    """Who changed these records, their parts or citations after the act: record → keys of accounts."""
    groups: dict[type[Record], list[UUID]] = defaultdict(list)
    for record in records:
        groups[type(record)].append(record.pk)
    found: dict[UUID, set[str]] = defaultdict(set)
    for model, ids in groups.items():
        columns: list[tuple[Any, str]] = [(model, "id"), *((part, f"{part.owner}_id") for part in model.part_models())]
        for kind, column in columns:
            for pk, users in editors(kind, column, [(pk, act.ended) for pk in ids]).items():
                found[pk] |= users
    return dict(found)


# --- Who may see it


def _hidden(model: type[Row], viewer: User) -> Any:
    """Keys of what this account may not see of a model."""
    return model._base_manager.exclude(pk__in=model.objects.visible_to(viewer).values("pk")).values("pk")


def _pointers(kind: Kind) -> Iterator[tuple[str, type[Row]]]:
    for field in kind._meta.concrete_fields:
        target = field.related_model
        if isinstance(field, models.ForeignKey) and isinstance(target, type) and issubclass(target, Row):
            yield field.attname, target


class _Deleted:
    """Keys of records that are deleted and were not for this account when they were."""

    def __init__(self, viewer: User) -> None:
        self.viewer = viewer
        self._found: dict[type[Row], set[UUID]] = {}

    def __call__(self, model: type[Row]) -> set[UUID]:
        if model in self._found or not issubclass(model, Record):
            return self._found.get(model, set())
        self._found[model] = set()
        events: Any = history_of(model)._base_manager.filter(pgh_label="delete")
        secret = Q(pk__in=())
        for attname, target in _pointers(model):
            secret |= Q(**{f"{attname}__in": _hidden(target, self.viewer)}) | Q(**{f"{attname}__in": self(target)})
        if "" in model.sealed_paths():
            grants: Any = next(field for field in model._meta.related_objects if field.name == "grants")
            granted = history_of(grants.related_model)._base_manager.filter(
                **{f"{grants.field.attname}": OuterRef("pgh_obj_id")},
                pgh_label="delete",
                pgh_context_id=OuterRef("pgh_context_id"),
                user_id=self.viewer.pk,
            )
            sealed = events.filter(~Exists(granted), disclosure=Disclosure.SEALED)
            secret |= Q(pk__in=sealed.values("pk"))
        self._found[model] = set(events.filter(secret).values_list("pgh_obj_id", flat=True))
        return self._found[model]


def hidden_from(viewer: User, contexts: Iterable[UUID]) -> set[UUID]:
    """Those of the contexts that touched, or pointed to, something this account may not see.

    An act is told as a whole or not at all: for whoever may not see all of it, it was never done.
    """
    wanted = list(contexts)
    deleted = _Deleted(viewer)
    sealable = [model for model in kinds() if "" in model.sealed_paths()]
    if not any(_hidden(model, viewer).exists() or deleted(model) for model in sealable):
        return set()
    hidden: set[UUID] = set()
    for kind in kinds():
        secret = Q(pgh_obj_id__in=_hidden(kind, viewer)) | Q(pgh_obj_id__in=deleted(kind))
        for attname, target in _pointers(kind):
            secret |= Q(**{f"{attname}__in": _hidden(target, viewer)}) | Q(**{f"{attname}__in": deleted(target)})
        events: Any = history_of(kind)._base_manager.filter(pgh_context_id__in=wanted).order_by()
        hidden |= set(events.filter(secret).values_list("pgh_context_id", flat=True).distinct())
    return hidden


def listed(viewer: User, *, kind: str = "", before: Act | None = None, size: int) -> list[Act]:
    """The acts this account may see, the last first; ``before`` is the last one of the page before."""
    rows = Act.objects.select_related("by").newest_first()
    if kind:
        rows = rows.filter(kind=kind)
    found: list[Act] = []
    while len(found) < size:
        more = list((rows.older_than(before) if before else rows)[:size])
        hidden = hidden_from(viewer, [act.context for act in more])
        found += [act for act in more if act.context not in hidden]
        if len(more) < size:
            break
        before = more[-1]
    return found[:size]
