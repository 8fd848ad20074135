"""What belongs to what: records that are published, those that come along, and what refers to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models

from tracker.models import Citation, Part, Record, Reviewed, Row
from tracker.review import references
from tracker.vocabularies import Audience

COPIES = (Audience.RESEARCHER, Audience.PUBLIC)
BATCH = 500

Rows = dict[type[Row], dict[UUID, dict[str, Any]]]
Ids = dict[type[Record], set[UUID]]


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


def referring(model: type[Row]) -> Iterator[tuple[Any, Any]]:
    """Models of ours with a foreign key to this one, and that field; not the parts that belong to it."""
    for relation in model._meta.get_fields(include_hidden=True):
        kind: Any = relation.related_model
        if not (relation.auto_created and not relation.concrete and isinstance(kind, type)):
            continue
        if issubclass(kind, Part | Record) and getattr(kind, "owner", "") != relation.field.name:  # type: ignore[union-attr]
            yield kind, relation.field  # type: ignore[union-attr]


def by_model(records: Iterable[Reviewed]) -> dict[type[Reviewed], list[Reviewed]]:
    groups: dict[type[Reviewed], list[Reviewed]] = defaultdict(list)
    for record in records:
        groups[type(record)].append(record)
    return groups


def anchors(model: type[Record]) -> list[models.ForeignKey[Any, Any]]:
    """Foreign keys without which no copy holds the record: what it lies below, and what it cannot do without."""
    return [
        field
        for field in references(model)
        if issubclass(field.related_model, Record) and (field.name in model.below or not field.null)  # type: ignore[arg-type]
    ]


def citations_of(kind: type[Row]) -> list[tuple[type[Citation], list[str]]]:
    """Models of citations that may be about a field of this kind: the column that says of which row, and those that
    are empty then."""
    found = []
    for cited in apps.get_models():
        if issubclass(cited, Citation):
            parts = {f"{part}_id": cited._meta.get_field(part).related_model for part in cited.parts}
            found += [(cited, [column]) for column, target in parts.items() if target is kind]
            if cited._meta.get_field(cited.owner).related_model is kind:
                found.append((cited, [f"{cited.owner}_id", *parts]))
    return found
