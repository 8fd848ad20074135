"""Rows as they stood at a moment, read back from history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections, models

from tracker.models import Record, Reviewed, Row


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

    An id is missing when nothing was changed. Steps of the review are no changes.
    """
    pairs = list(since)
    if not pairs:
        return {}
    history = history_of(model)
    table = connections[using].ops.quote_name(history._meta.db_table)
    key = connections[using].ops.quote_name("pgh_obj_id" if column == "id" else column)
    sql = f"""
        WITH moment (id, at) AS (SELECT * FROM unnest(%s::uuid[], %s::timestamptz[]))
        SELECT DISTINCT m.id, COALESCE(h.pgh_context->>'user', '')
        FROM {table} h JOIN moment m ON h.{key} = m.id
        WHERE (m.at IS NULL OR h.pgh_created_at > m.at) AND (
            h.pgh_label <> 'update' OR to_jsonb(h) - %s::text[] IS DISTINCT FROM (
                SELECT to_jsonb(p) - %s::text[] FROM {table} p
                WHERE p.pgh_obj_id = h.pgh_obj_id AND p.pgh_id < h.pgh_id ORDER BY p.pgh_id DESC LIMIT 1))
    """
    ignored = _ignored(model)
    ids, times = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    found: dict[UUID, set[str]] = {}
    with connections[using].cursor() as cursor:
        cursor.execute(sql, [ids, times, ignored, ignored])
        for id_, user in cursor.fetchall():
            found.setdefault(id_, set()).add(user)
    return found
