"""Fixture files become rows: reference data, and release events with their people, figures and citations.

Every row has a key: the path of its table in the file (``event.december.citations.led_gaze``), or table and key column
in a CSV. Its id is made from the key alone, so files can be loaded again, and tests and tables of facts can name a row.

A record that is there, or was there and has been deleted since, is the editors' now: it is left as it is, with all its
parts. Everything is loaded in one transaction or not at all.
"""

from __future__ import annotations

import csv
import tomllib
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

import pghistory
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, connection, models, transaction
from django.utils.translation import gettext as _

from releases.counting import bounds
from releases.models import Release, ReleaseEvent, ReportedFigure
from tracker.models import (
    Citation,
    Detention,
    Facility,
    Organisation,
    Part,
    Person,
    Provision,
    Record,
    Reviewed,
    Row,
    Source,
    User,
)
from tracker.models.fields import ImpreciseDateField
from tracker.models.rules import explain
from tracker.publication import publish
from tracker.review import submit
from tracker.versions import history_of
from tracker.vocabularies import FigureMeasure, Qualifier, ReviewState

REFERENCE = Path(settings.BASE_DIR) / "fixtures" / "reference"
EVENTS = Path(settings.BASE_DIR) / "fixtures" / "release_events_2025"

#: The tables of a file, those that others refer to first.
TABLES: Mapping[str, type[Record]] = {
    "provision": Provision,
    "facility": Facility,
    "source": Source,
    "organisation": Organisation,
    "person": Person,
    "detention": Detention,
    "event": ReleaseEvent,
    "figure": ReportedFigure,
    "release": Release,
}

# never changed: ids that are in the world would no longer be found
_NAMESPACE = uuid.UUID("6a3c8f0e-41c7-5d0b-9d52-8f6f2b1f0d25")


def fixture_id(key: str) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, key)


class LoadError(Exception):
    """Nothing was loaded. ``problems`` holds a sentence for each: file, row, column, value, and what is wrong."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class Loaded:
    """How many records were added with their parts, and how many were left as they are."""

    added: int
    kept: int

    def __str__(self) -> str:
        return _("%(added)d records added, %(kept)d left as they are.") % {"added": self.added, "kept": self.kept}


@dataclass(frozen=True)
class Entry:
    """A row as a file gives it. ``where`` names file and row for a person; ``record`` is set for a part."""

    where: str
    key: str
    model: type[Row]
    values: Mapping[str, Any]
    record: str = ""


def load_reference(folder: Path = REFERENCE) -> Loaded:
    """Provisions of law and facilities. Raises LoadError."""
    problems: list[str] = []
    entries = [
        *_read_csv(folder / "provisions.csv", "provision", problems),
        *_read_csv(folder / "facilities.csv", "facility", problems),
    ]
    return _load(entries, problems, fixture=folder.name)


def load_events(folder: Path = EVENTS, *, by: User) -> Loaded:
    """The release events of a folder of TOML files, as drafts that ``by`` has entered. Raises LoadError."""
    return _load(*_read_folder(folder), fixture=folder.name, user=str(by.pk))


def load_demo(folder: Path = EVENTS, *, editor: User, reviewer: User) -> Loaded:
    """Load the events as one account and publish them as another. Raises LoadError, tracker.review.Refused.

    What an editor has changed or withdrawn since is not published here; what an interrupted run left behind is.
    """
    loaded = load_events(folder, by=editor)
    with pghistory.context(user=str(editor.pk)):
        submit([record for record in records_of(folder) if _is_untouched(record)], by=editor)
    with pghistory.context(user=str(reviewer.pk)):
        publish([record for record in records_of(folder) if _awaits_review(record, editor)], by=reviewer)
    return loaded


def _is_untouched(record: Reviewed) -> bool:
    return record.review_state == ReviewState.DRAFT and record.revision == 1


def _awaits_review(record: Reviewed, editor: User) -> bool:
    submitted = record.review_state == ReviewState.SUBMITTED and not record.published_at
    return submitted and record.submitted_by_id == editor.pk  # type: ignore[attr-defined]


def records_of(folder: Path = EVENTS) -> list[Reviewed]:
    """The reviewed records that the folder's files describe, as far as they are in the working database."""
    entries, _problems = _read_folder(folder)
    found: list[Reviewed] = []
    for model in TABLES.values():
        if issubclass(model, Reviewed):
            ids = [fixture_id(entry.key) for entry in entries if entry.model is model]
            found += model.objects.filter(pk__in=ids)
    return found


# --- Reading files


def _read_folder(folder: Path) -> tuple[list[Entry], list[str]]:
    problems: list[str] = []
    files = sorted(folder.glob("*.toml"))
    if not files:
        problems.append(_("%(folder)s holds no TOML file.") % {"folder": folder})
    return [entry for path in files for entry in _read_toml(path, problems)], problems


def _read_csv(path: Path, table: str, problems: list[str]) -> Iterator[Entry]:
    """Rows are numbered as a spreadsheet shows them; an empty cell leaves the column at its default."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(f"{path.name}: {error}")
        return
    header = rows[0] if rows else []
    if "key" not in header:
        problems.append(_("%(file)s, row 1: there is no column “key”.") % {"file": path.name})
        return
    for number, cells in enumerate(rows[1:], start=2):
        where = _("%(file)s, row %(row)d") % {"file": path.name, "row": number}
        if len(cells) != len(header):
            problems.append(
                _("%(where)s has %(cells)d cells, the header %(columns)d.")
                % {"where": where, "cells": len(cells), "columns": len(header)}
            )
            continue
        values = {column: cell.strip() for column, cell in zip(header, cells, strict=True) if cell.strip()}
        key = values.pop("key", "")
        if not key:
            problems.append(_("%(where)s, column key: it is empty.") % {"where": where})
            continue
        yield Entry(where, f"{table}.{key}", TABLES[table], values)


def _read_toml(path: Path, problems: list[str]) -> Iterator[Entry]:
    """``[person.someone]`` is a record, ``[person.someone.names.first]`` a part of it, in their order."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path.name}: {error}")
        return
    for table, rows in document.items():
        model = TABLES.get(table)
        if model is None or not isinstance(rows, dict):
            problems.append(
                _("%(file)s: there is no table “%(table)s”. There are: %(tables)s.")
                % {"file": path.name, "table": table, "tables": ", ".join(TABLES)}
            )
            continue
        parts = _part_models(model)
        for name, values in _tables(rows, f"{path.name}, {table}", problems):
            key = f"{table}.{name}"
            own = {column: value for column, value in values.items() if column not in parts}
            yield Entry(f"{path.name}, {key}", key, model, own)
            for accessor, part in parts.items():
                where = f"{path.name}, {key}.{accessor}"
                listed = _tables(values.get(accessor, {}), where, problems)
                for position, (part_name, part_values) in enumerate(listed, start=1):
                    part_key = f"{key}.{accessor}.{part_name}"
                    if "position" in _columns(part):
                        part_values = {"position": position, **part_values}
                    yield Entry(f"{path.name}, {part_key}", part_key, part, part_values, record=key)


def _tables(rows: Any, where: str, problems: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, values in rows.items() if isinstance(rows, dict) else [("", rows)]:
        if isinstance(values, dict):
            yield name, values
        else:
            problems.append(_("%(where)s: %(value)r stands where a table should.") % {"where": where, "value": values})


def _part_models(model: type[Record]) -> dict[str, type[Part]]:
    """The name by which a record knows its parts, and their model: names, relationships, citations."""
    return {_accessor(part): part for part in model.part_models()}


def _accessor(part: type[Part]) -> str:
    owner: Any = part._meta.get_field(part.owner)
    return str(owner.remote_field.related_name)


def _columns(model: type[Row]) -> dict[str, models.Field]:
    """What a file can set: what an editor can, and the short identifiers, which are then the same in every clone."""
    return {
        field.name: field
        for field in model._meta.concrete_fields
        if (field.editable or field.name in {"pid", "rid"}) and field.name != getattr(model, "owner", "")
    }


# --- From values to rows


def _load(entries: list[Entry], problems: list[str], **context: str) -> Loaded:
    rows = _build(entries, problems)
    if problems:
        raise LoadError(problems)
    with transaction.atomic(), pghistory.context(**context):
        return _save(entries, rows)


def _build(entries: Iterable[Entry], problems: list[str]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for entry in entries:
        if entry.key in rows:
            problems.append(_("%(where)s: the key %(key)s is used twice.") % {"where": entry.where, "key": entry.key})
            continue
        rows[entry.key] = entry.model(id=fixture_id(entry.key), **_plain(entry, problems))
    for entry in entries:
        _connect(entry, rows, problems)
        _check(entry, rows[entry.key], problems)
    return rows


def _problem(entry: Entry, column: str, value: Any, why: Any) -> str:
    return _("%(where)s, column %(column)s, “%(value)s”: %(why)s") % {
        "where": entry.where,
        "column": column,
        "value": value,
        "why": why,
    }


def _plain(entry: Entry, problems: list[str]) -> dict[str, Any]:
    """The values that are no reference to another row, in a form that the fields' own cleaning takes."""
    columns = _columns(entry.model)
    plain: dict[str, Any] = {}
    for column, value in entry.values.items():
        field = columns.get(column)
        if field is None:
            if not (entry.model is ReportedFigure and column == "number"):
                problems.append(
                    _problem(entry, column, value, _("There is no such column. There are: %s.") % ", ".join(columns))
                )
        elif isinstance(value, dict) or isinstance(value, list) != isinstance(field, ArrayField):
            problems.append(_problem(entry, column, value, _("This column takes another kind of value.")))
        elif field.many_to_one:
            if not isinstance(value, str):
                problems.append(_problem(entry, column, value, _("The key of another row is needed.")))
        elif isinstance(field, ImpreciseDateField) and isinstance(value, date):
            plain[column] = value.isoformat()
        elif isinstance(field, models.BooleanField) and isinstance(value, str):
            plain[column] = value.capitalize()  # Django reads True, a CSV of ours says true
        else:
            plain[column] = value
    if entry.model is ReportedFigure:
        plain |= _bounds(entry, problems)
    return plain


def _bounds(entry: Entry, problems: list[str]) -> dict[str, int | None]:
    """A figure of people is given as its number and qualifier; ages and terms, as low and high."""
    values = entry.values
    of_people = values.get("measure", FigureMeasure.PEOPLE) == FigureMeasure.PEOPLE
    for column in {"low", "high"} if of_people else {"number"}:
        if column in values:
            why = _("People are given as “number”, ages and terms as “low” and “high”.")
            problems.append(_problem(entry, column, values[column], why))
    if not of_people:
        return {}
    number = values.get("number")
    if not isinstance(number, int | None):
        problems.append(_problem(entry, "number", number, _("A whole number is needed.")))
        return {}
    try:
        low, high = bounds(values.get("qualifier", Qualifier.EXACTLY), number)
    except ValueError as error:
        problems.append(_problem(entry, "number", "" if number is None else number, error))
        return {}
    return {"low": low, "high": high}


def _connect(entry: Entry, rows: Mapping[str, Row], problems: list[str]) -> None:
    """Set the foreign keys. A key of a record is written without its table, one of a part without its record."""
    row = rows[entry.key]
    if entry.record:
        setattr(row, cast(type[Part], entry.model).owner, rows[entry.record])
    tables = {model: table for table, model in TABLES.items()}
    for column, field in _columns(entry.model).items():
        value = entry.values.get(column)
        if not field.many_to_one or not isinstance(value, str):
            continue
        target: Any = field.related_model
        if issubclass(target, Part):
            key = f"{entry.record}.{_accessor(target)}.{value}"
        else:
            key = f"{tables.get(target, target._meta.model_name)}.{value}"
        if key in rows:
            setattr(row, column, rows[key])
        else:
            problems.append(_problem(entry, column, value, _("There is no %s.") % key))


def _check(entry: Entry, row: Row, problems: list[str]) -> None:
    references = {field.name: field for field in row._meta.concrete_fields if field.many_to_one}
    for name, field in references.items():
        if not field.null and not entry.values.get(name) and getattr(row, field.attname) is None:
            problems.append(_problem(entry, name, "", _("This cannot be left empty.")))
    try:
        # whether what a reference points to exists is checked above: it may not be saved yet
        row.clean_fields(exclude=set(references))
        if isinstance(row, Citation):
            row.clean()
    except ValidationError as error:
        for column, messages in error.message_dict.items():
            codes = getattr(row._meta.get_field(column), "codes", ())
            allowed = " " + _("Allowed are: %s.") % ", ".join(codes) if 0 < len(codes) < 40 else ""
            value = entry.values.get(column, "")
            problems.append(_problem(entry, column, value, " ".join(messages) + allowed))


# --- Saving


def _save(entries: Iterable[Entry], rows: Mapping[str, Row]) -> Loaded:
    known = _known(rows.values())
    added = kept = 0
    where = ""
    try:
        for entry in entries:
            if not entry.record:
                added, kept = (added, kept + 1) if rows[entry.key].pk in known else (added + 1, kept)
            if rows[entry.record or entry.key].pk not in known:
                where = entry.where
                rows[entry.key].save(force_insert=True)
        where = ""
        connection.check_constraints()
    except IntegrityError as error:
        refusal = explain(error)
        raise LoadError([f"{where or refusal.table}, {refusal.field or refusal.rule}: {refusal.sentence}"]) from error
    except DataError as error:
        raise LoadError([f"{where}: {error}"]) from error
    return Loaded(added, kept)


def _known(rows: Iterable[Row]) -> set[uuid.UUID]:
    """The ids of records that are or once were in the database, or that an editor has entered under another id."""
    by_model: dict[type[Row], list[Row]] = {}
    for row in rows:
        if isinstance(row, Record):
            by_model.setdefault(type(row), []).append(row)
    known: set[uuid.UUID] = set()
    for model, same in by_model.items():
        events = history_of(model)._base_manager.filter(pgh_obj_id__in=[row.pk for row in same])
        known |= set(events.values_list("pgh_obj_id", flat=True))
    articles = set(Provision.objects.values_list("country", "law", "article"))
    return known | {
        row.pk
        for row in by_model.get(Provision, [])
        if isinstance(row, Provision) and (row.country, row.law, row.article) in articles
    }
