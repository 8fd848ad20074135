"""Rows as they stood at a moment, read back from history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections, models

from tracker.models import Part, Record, Reviewed, Row
from tracker.vocabularies import ReviewState


def history_of(model: type[Row]) -> type[models.Model]:
    """The table of events of a model."""
    fields: Any = model._meta
    history: type[models.Model] = fields.get_field("history").related_model
    return history


def rows_at(
    model: type[Row], column: str, moments: Iterable[tuple[UUID, datetime]], using: str = "default"
) -> list[Any]:
    """The rows whose ``column`` (an attname) held one of the ids at that id's own moment.

    Takes the last event of each object first and drops it then if it is a delete or if the row belonged elsewhere:
    filtering before would bring the dead, and the moved, back.
    """
    pairs = list(moments)
    if not pairs:
        return []
    history = history_of(model)
    table = connections[using].ops.quote_name(history._meta.db_table)
    key = connections[using].ops.quote_name("pgh_obj_id" if column == "id" else column)
    sql = f"""
        WITH moment (id, at) AS (SELECT * FROM unnest(%s::uuid[], %s::timestamptz[])),
        candidate AS (SELECT DISTINCT h.pgh_obj_id, m.id, m.at FROM {table} h JOIN moment m ON h.{key} = m.id)
        SELECT last.* FROM candidate c CROSS JOIN LATERAL (
            SELECT * FROM {table} h WHERE h.pgh_obj_id = c.pgh_obj_id AND h.pgh_created_at <= c.at
            ORDER BY h.pgh_id DESC LIMIT 1) last
        WHERE last.{key} = c.id AND last.pgh_label <> 'delete'
        ORDER BY last.pgh_obj_id
    """
    ids, times = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return list(history._base_manager.using(using).raw(sql, [ids, times]))


def latest(model: type[Row], ids: Iterable[UUID]) -> dict[UUID, Any]:
    """The rows as they are now; of those deleted, what they last were (a row of history)."""
    wanted = list(ids)
    found: dict[UUID, Any] = dict(model._base_manager.in_bulk(wanted))
    gone = [pk for pk in wanted if pk not in found]
    deleted: Any = history_of(model)._base_manager.filter(pgh_obj_id__in=gone, pgh_label="delete")
    return found | {row.pgh_obj_id: row for row in deleted.order_by("pgh_id")}


def _ignored(model: type[Row]) -> list[str]:
    """Columns whose change says nothing about the world: of the event itself, and of the review."""
    columns = ["pgh_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "pgh_context", "pgh_context_id", "revision"]
    if issubclass(model, Reviewed):
        columns += [model._meta.get_field(name).attname for name in model.review_columns]  # type: ignore[union-attr]
    elif issubclass(model, Record):
        columns.append("published_at")
    return columns


def editors(
    model: type[Row], column: str, since: Iterable[tuple[UUID, datetime | None]], using: str = "default"
) -> dict[UUID, set[str]]:
    """Who changed what these rows say since their moments (None: ever): id → keys of accounts ("" for none).

    An id is missing when nothing was changed. Steps of the review are no changes; taking a row away is one.
    """
    pairs = list(since)
    if not pairs:
        return {}
    history = history_of(model)
    table = connections[using].ops.quote_name(history._meta.db_table)
    key = connections[using].ops.quote_name("pgh_obj_id" if column == "id" else column)
    sql = f"""
        WITH moment (id, at) AS (SELECT * FROM unnest(%s::uuid[], %s::timestamptz[])),
        candidate AS (SELECT DISTINCT h.pgh_obj_id, m.id, m.at FROM {table} h JOIN moment m ON h.{key} = m.id)
        SELECT DISTINCT c.id, COALESCE(h.pgh_context->>'user', '')
        FROM candidate c JOIN {table} h ON h.pgh_obj_id = c.pgh_obj_id
        LEFT JOIN LATERAL (
            SELECT * FROM {table} p WHERE p.pgh_obj_id = h.pgh_obj_id AND p.pgh_id < h.pgh_id
            ORDER BY p.pgh_id DESC LIMIT 1) before ON true
        WHERE (c.at IS NULL OR h.pgh_created_at > c.at)
            AND (h.{key} = c.id OR before.{key} = c.id)
            AND (h.pgh_label <> 'update' OR to_jsonb(h) - %s::text[] IS DISTINCT FROM to_jsonb(before) - %s::text[])
    """
    ignored = _ignored(model)
    ids, times = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    found: dict[UUID, set[str]] = {}
    with connections[using].cursor() as cursor:
        cursor.execute(sql, [ids, times, ignored, ignored])
        for id_, user in cursor.fetchall():
            found.setdefault(id_, set()).add(user)
    return found


def submitted_at(model: type[Reviewed], ids: Iterable[UUID]) -> dict[UUID, datetime]:
    """When each of these records was last handed to a second person."""
    events = history_of(model)._base_manager.filter(pgh_obj_id__in=list(ids)).order_by("pgh_id")
    before: dict[UUID, str] = {}
    found: dict[UUID, datetime] = {}
    for pk, state, at in events.values_list("pgh_obj_id", "review_state", "pgh_created_at"):
        if state == ReviewState.SUBMITTED and before.get(pk) != state:
            found[pk] = at
        before[pk] = state
    return found


def former_owners(model: type[Part], ids: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """The other records that parts of these records once belonged to: record of today → records of before."""
    now = dict(model._base_manager.filter(**{f"{model.owner}__in": list(ids)}).values_list("pk", f"{model.owner}_id"))
    events = history_of(model)._base_manager.filter(pgh_obj_id__in=list(now)).order_by()
    found: dict[UUID, set[UUID]] = {}
    for pk, owner in events.values_list("pgh_obj_id", f"{model.owner}_id").distinct():
        if owner != now[pk]:
            found.setdefault(now[pk], set()).add(owner)
    return found
