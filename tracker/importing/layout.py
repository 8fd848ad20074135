"""What each column of a file is, by the columns of our own export; and what a table takes from a file at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from django.db import models
from django.utils.translation import gettext as _

from tracker import export
from tracker.columns import WHY_EMPTY, Column, Table
from tracker.computed import Computed
from tracker.importing.cells import Read, nearest, reader
from tracker.importing.problems import Problems, Unusable
from tracker.models import Citation, Claim, Part, Person, Record, Relationship, Row
from tracker.models.base import Explained

#: The citation of a row: columns besides those of the export.
SOURCE, LOCATOR, STATED = "source", "locator", "stated"
#: Keys for print, by which a row can be named instead of its id.
SHORT: Final = ("pid", "rid")
#: Shorter words for tables.
ALSO: Final[Mapping[str, str]] = {"figures": "reported_figures", "events": "release_events"}
#: Who is whom is said by merging; citations stand in several tables at once. What is computed has no rows of its own.
_APART: Final = {"merged_persons", "citations"}


def _taken() -> dict[str, Table]:
    return {
        table.name: table for table in export.TABLES if table.name not in _APART and not isinstance(table, Computed)
    }


TABLES: Final = _taken()
CHOICES: Final = (*TABLES, *ALSO)


def table_of(what: str) -> Table:
    """Raises ``KeyError`` for what is not in ``CHOICES``."""
    return TABLES[ALSO.get(what, what)]


@dataclass(frozen=True)
class Cited:
    """Where the citations of a table stand."""

    model: type[Citation]
    #: the foreign key to the row where that is a part; empty for a record
    part: str
    #: fields that a citation can be about
    fields: frozenset[str]


def cited(model: type[Row]) -> Cited | None:
    """None for what carries no citations: a source, a case, a figure, which is a citation itself."""
    if issubclass(model, Citation) or not issubclass(model, Record | Part):
        return None
    record: Any = model if issubclass(model, Record) else model._meta.get_field(model.owner).related_model
    try:
        citation = record.citation_model()
    except LookupError:
        return None
    part = ""
    if issubclass(model, Part):
        pointing = [name for name in citation.parts if citation._meta.get_field(name).related_model is model]
        if not pointing:
            return None
        part = pointing[0]
    return Cited(citation, part, frozenset(citation.fields_of(model)))


def visible(model: type[Row], user: Any, *, pointed_from: type[Row] | None = None) -> Any:
    """Rows this account may change, or point to. Nothing new is said of a merged person."""
    manager: Any = model.objects
    rows = manager.visible_to(user).order_by()
    return rows.filter(merged_into=None) if model is Person and pointed_from is not Relationship else rows


@dataclass(frozen=True)
class Settable:
    """A column that a file can change."""

    column: Column
    field: Any
    read: Read
    #: where it stands in the file; None for a foreign key that is given by its short key alone
    place: int | None
    #: where the short key that goes with a foreign key stands
    short: int | None = None

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def attname(self) -> str:
        return str(self.field.attname)


@dataclass(frozen=True)
class Derived:
    """A column that follows from others: it may stay as the export says, or stay empty."""

    column: Column
    place: int
    #: the column to change instead; empty where there is none
    of: str


@dataclass(frozen=True)
class Reason:
    """A column that says why another is empty."""

    column: Column
    place: int

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def of(self) -> str:
        return self.column.field


@dataclass
class Layout:
    """The columns of one file; ``places`` are their positions in it."""

    table: Table
    names: list[str]
    settable: list[Settable] = field(default_factory=list)
    derived: list[Derived] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    @property
    def model(self) -> Any:
        return self.table.model

    @cached_property
    def cited(self) -> Cited | None:
        return cited(self.model)

    @cached_property
    def short(self) -> str:
        """The short key of the table itself, where it has one."""
        return next((name for name in SHORT if any(column.name == name for column in self.table.columns)), "")

    @cached_property
    def explained(self) -> Any:
        """The field that holds why others are empty, where the model has one."""
        return self.model._meta.get_field("missing") if issubclass(self.model, Explained) else None

    @property
    def first_names(self) -> bool:
        """Whether new rows come with their first name."""
        return self.model is Person and "name" in self.places

    @property
    def missing(self) -> list[str]:
        """Columns without which there can be no new row, and that the file does not have."""
        given = {one.field.name for one in self.settable}
        return [
            column.name
            for column in self.table.columns
            if column.field not in given
            and _is_base(column)
            and _is_settable(self.model, column)
            and _is_needed(self.model._meta.get_field(column.field))
        ]


def layout(table: Table, header: list[str], problems: Problems) -> Layout:
    """Raises ``Unusable`` when the file cannot be read by these columns."""
    names = [name.strip().casefold() for name in header]
    while names and not names[-1]:
        names.pop()
    found = Layout(table, names)
    known = {column.name: column for column in table.columns}
    extra = (SOURCE, LOCATOR, STATED) if found.cited else ()
    for place, name in enumerate(names):
        if name in found.places:
            problems.add(_("This column is there twice."), row=1, column=name)
        elif not name:
            problems.add(_("Column %(place)d has no name.") % {"place": place + 1}, row=1)
        else:
            found.places[name] = place
    unknown = [name for name in found.places if name not in known and name not in extra]
    if unknown:
        _tell_unknown(table, found, unknown, [*known, *extra], problems)
    if problems:
        raise Unusable
    _sort(found, known)
    return found


def _tell_unknown(table: Table, found: Layout, unknown: list[str], known: list[str], problems: Problems) -> None:
    others = [
        other.name
        for other in TABLES.values()
        if {*found.places} <= {column.name for column in other.columns} | {SOURCE, LOCATOR, STATED}
    ]
    if others:
        sentence = _("These are the columns of %(others)s, not of %(table)s. Say so, or take the other file.")
        problems.add(sentence % {"others": _(" or ").join(others), "table": table.name}, row=1)
        return
    for name in unknown:
        likely = nearest(name, known)
        if likely:
            sentence = _("There is no such column. Did you mean %(likely)s?") % {"likely": likely}
        else:
            sentence = _("There is no such column. There are: %(known)s.") % {"known": ", ".join(known)}
        problems.add(sentence, row=1, column=name)


def _sort(found: Layout, known: Mapping[str, Column]) -> None:
    model, places = found.model, found.places
    done = {"id", *(column.name for column in found.table.columns if column.volatile)}
    for column in found.table.columns:
        if not (_is_base(column) and _is_settable(model, column)):
            continue
        target: Any = model._meta.get_field(column.field)
        short = _short_of(target, known)
        done |= {column.name, short}
        if column.name in places or short in places:
            read = reader(column.kind, target)
            found.settable.append(Settable(column, target, read, places.get(column.name), places.get(short)))
    for column in found.table.columns:
        if column.name in places and column.name == f"{column.field}{WHY_EMPTY}":
            found.reasons.append(Reason(column, places[column.name]))
            done.add(column.name)
    for column in found.table.columns:
        if column.name in places and column.name not in done:
            found.derived.append(Derived(column, places[column.name], _base_of(column, model)))


def _short_of(target: Any, known: Mapping[str, Column]) -> str:
    if not isinstance(target, models.ForeignKey):
        return ""
    return next((f"{target.name}_{short}" for short in SHORT if f"{target.name}_{short}" in known), "")


def _is_base(column: Column) -> bool:
    """Whether it holds the field itself, not what follows from it."""
    return column.name in (column.field, f"{column.field}_id")


def _is_settable(model: Any, column: Column) -> bool:
    return bool(column.field and model._meta.get_field(column.field).editable)


def _base_of(column: Column, model: Any) -> str:
    if column.name == "custody":
        return "custody_type"
    if not _is_settable(model, column):
        return ""
    return str(model._meta.get_field(column.field).attname)


def _is_needed(target: Any) -> bool:
    return not (target.null or target.has_default() or target.has_db_default() or target.blank)


def claims_itself(model: type[Row]) -> bool:
    """Whether its rows have a source of their own."""
    return issubclass(model, Claim) and not issubclass(model, Citation)
