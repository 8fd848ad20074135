"""Tables that PostgreSQL works out of several others in one statement: flat ones, spells, counts.

The statement is written out, with names in braces for what is put in: ``{base}``, the rows that the file is narrowed
to; ``{Detention}`` and the like, what the audience may see of a table; ``{on}``, the day. Each column is declared
once, as everywhere, and reads a column of the statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.apps import apps
from django.db.models import Func, QuerySet
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from tracker import vocabularies as v
from tracker.columns import (
    Column,
    Day,
    Earliest,
    Edtf,
    Filled,
    Harmless,
    Joined,
    Kind,
    Latest,
    PrecisionOf,
    Table,
    database,
)
from tracker.columns import Text as Words
from tracker.models import Row
from tracker.vocabularies import Audience, Precision, Vocabulary

#: SQL and its parameters
Sql = tuple[str, tuple[Any, ...]]

_CELLS: Final[Mapping[Kind, str]] = {
    kind: write.template
    for write, kinds in {
        Filled: (Kind.TEXT, Kind.TEXTS, Kind.CODE, Kind.COUNTRY, Kind.MONTH),
        Day: (Kind.DATE,),
        Joined: (Kind.CODES, Kind.COUNTRIES),
    }.items()
    for kind in kinds
} | dict.fromkeys((Kind.UUID, Kind.INTEGER, Kind.DECIMAL), "%(expressions)s")


def column(
    name: str,
    label: Words,
    definition: Words,
    kind: Kind,
    values: type[Vocabulary] | None = None,
    *,
    to: str = "",
    coarser_for: tuple[str, ...] = (),
) -> Column:
    """The column of this name of the statement."""
    return _column(name, label, definition, kind, values, _written(_CELLS[kind], name), coarser_for, to)


def imprecise(name: str, label: Words, definition: Words, *, coarser_for: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """Four columns of a range of the statement, as everywhere."""
    parts: list[tuple[str, Any, Any, Kind, type[Vocabulary] | None, type[Func]]] = [
        ("", label, definition, Kind.EDTF, None, Edtf),
        ("_earliest", _("{label}: earliest"), _("The earliest day that {name} can be."), Kind.DATE, None, Earliest),
        ("_latest", _("{label}: latest"), _("The latest day that {name} can be."), Kind.DATE, None, Latest),
        ("_precision", _("{label}: precision"), _("How exactly {name} is known."), Kind.CODE, Precision, PrecisionOf),
    ]
    return tuple(
        _column(
            f"{name}{suffix}",
            format_lazy(part_label, label=label) if suffix else label,
            format_lazy(part_definition, name=f"`{name}`") if suffix else definition,
            kind,
            values,
            _written(str(write.template), name),
            coarser_for,
        )
        for suffix, part_label, part_definition, kind, values, write in parts
    )


def _written(template: str, name: str) -> str:
    return template % {"expressions": f'r."{name}"'}


def _column(
    name: str,
    label: Words,
    definition: Words,
    kind: Kind,
    values: type[Vocabulary] | None,
    cell: str,
    coarser_for: tuple[str, ...],
    to: str = "",
) -> Column:
    return Column(
        name=name,
        label=label,
        definition=definition,
        kind=kind,
        values=values,
        audience=Audience.PUBLIC,
        read=lambda _model, _audience: cell,
        coarser_for=coarser_for,
        to=to,
    )


@dataclass(frozen=True, kw_only=True)
class Computed(Table):
    """``models`` is the one model whose rows ``{base}`` are, and by whose filters the file is narrowed."""

    statement: str
    #: whether each row of ``{base}`` is a row of the file
    one_each: bool = True

    def count(self, audience: Audience, only: QuerySet[Any] | None = None) -> int | None:
        return super().count(audience, only) if self.one_each else None

    def query(
        self, audience: Audience, only: QuerySet[Any] | None = None, *, excel: bool = False, on: date | None = None
    ) -> Sql:
        day = on or timezone.now().date()
        sql, params = _filled(self.statement, audience, self.base(audience, only, day), day)
        cells = {column.name: _cell(column, self.model, audience, excel) for column in self.columns_for(audience)}
        named = ", ".join(f'{cell} AS "{name}"' for name, cell in cells.items())
        return f"SELECT {named} FROM ({sql}) AS r ORDER BY {self.sorted(cells)}", params

    def base(self, audience: Audience, only: QuerySet[Any] | None, on: date) -> Sql:
        (rows,) = self.querysets(audience, only)
        return readable(rows, audience)


def _cell(column: Column, model: type[Row], audience: Audience, excel: bool) -> str:
    cell = str(column.read(model, audience))
    return Harmless.template % {"expressions": cell} if excel and column.kind in {Kind.TEXT, Kind.TEXTS} else cell


def _filled(statement: str, audience: Audience, base: Sql, on: date) -> Sql:
    """The parameters of each part come in the order in which the parts stand."""
    parts: dict[str, Callable[[], Sql]] = {"base": lambda: base, "on": lambda: ("%s::date", (on,))}
    # on one line, without what is said about it: psql's \copy ends with its line
    pieces = re.split(r"\{(\w+)\}", " ".join(re.sub(r"--.*", "", statement).split()))
    params: list[Any] = []
    for place in range(1, len(pieces), 2):
        name = pieces[place]
        pieces[place], some = parts[name]() if name in parts else readable(rows(_model(name), audience), audience)
        params += some
    return "".join(pieces), tuple(params)


def _model(name: str) -> type[Row]:
    for app in ("tracker", "releases"):
        if name.lower() in apps.all_models[app]:
            found: type[Row] = apps.get_model(app, name)
            return found
    raise LookupError(name)


def rows(model: type[Row], audience: Audience) -> QuerySet[Any]:
    """The same rows as ``tracker.columns.rows``, for statements that look a few of them up again and again.

    What is sealed is little, and is asked for once; the joins that find out for each row would be made each time.
    """
    manager: Any = model.objects
    found = manager.using(database(audience)).order_by()
    if audience is Audience.STAFF:
        for path in model.sealed_paths():
            closed = f"{path}__disclosure" if path else "disclosure"
            sealed = manager.using(database(audience)).order_by().filter(**{closed: v.Disclosure.SEALED})
            found = found.exclude(pk__in=sealed.values("pk"))
    return found


def readable(queryset: QuerySet[Any], audience: Audience, *annotated: str) -> Sql:
    """The rows as a table, with the columns that are in a copy: what is for nobody but staff is not read here."""
    kind: type[Row] = queryset.model
    held = {"id", *kind.columns_for(Audience.RESEARCHER if audience is Audience.STAFF else audience)}
    names = [field.attname for field in kind._meta.concrete_fields if field.name in held]
    compiler = queryset.values_list(*names, *annotated).query.get_compiler(queryset.db, elide_empty=False)
    sql, params = compiler.as_sql()
    return f"({sql})", tuple(params)


# --- What several statements say


def custody_of(custody_type: str) -> str:
    """SQL: the class of a custody type; NULL for none."""
    kinds = {custody: [kind.value for kind in v.CustodyType if kind.custody is custody] for custody in v.Custody}
    cases = " ".join(f"WHEN {custody_type} IN ({_quoted(codes)}) THEN '{of}'" for of, codes in kinds.items())
    return f"CASE {cases} END"


def _quoted(codes: list[str]) -> str:
    return ", ".join(f"'{code}'" for code in codes)


#: From the harshest on: a verdict may carry several.
_HARSHEST = (
    v.SentenceKind.DEATH,
    v.SentenceKind.LIFE,
    v.SentenceKind.IMPRISONMENT,
    v.SentenceKind.RESTRICTION_WITH_FACILITY,
    v.SentenceKind.RESTRICTION_UNSPECIFIED,
    v.SentenceKind.RESTRICTION_WITHOUT_FACILITY,
    v.SentenceKind.ARREST,
)


def sentence_by(day: str, prosecutions: str) -> str:
    """SQL: at most one row, the sentence that deprives of liberty or restricts it and stands on the day.

    ``prosecutions``: a condition on the verdict ``v``. What ``SENTENCE`` says to readers of the codebook.
    """
    kinds = [kind.value for kind in _HARSHEST]
    return f"""
        SELECT s.*, v.pronounced, v.in_force
        FROM {{Verdict}} v JOIN {{Sentence}} s ON s.verdict_id = v.id
        WHERE {prosecutions} AND s.kind IN ({_quoted(kinds)}) AND s.execution <> 'suspended'
            AND (v.pronounced IS NULL OR lower(v.pronounced) <= {day})
            AND (v.in_force IS NULL OR lower(v.in_force) <= {day})
            AND v.outcome NOT IN ('quashed', 'acquitted')
            AND NOT EXISTS (SELECT 1 FROM {{Verdict}} w WHERE w.prosecution_id = v.prosecution_id
                AND w.outcome IN ('quashed', 'acquitted') AND w.pronounced > v.pronounced
                AND lower(w.pronounced) <= {day})
        ORDER BY v.pronounced DESC NULLS LAST, s.is_total DESC,
            array_position(ARRAY[{_quoted(kinds)}], s.kind::text),
            s.years DESC NULLS LAST, s.months DESC NULLS LAST, s.days DESC NULLS LAST, s.id
        LIMIT 1
    """


SENTENCE: Final = _(
    "Of the penalties that deprive of liberty or restrict it (no fines, no bans; none that is suspended) the one of the"
    " verdict pronounced last that can have been pronounced, and be in force, by that day, and that no later verdict of"
    " the same prosecution quashed or turned into an acquittal; of several of one verdict the total, else the harshest,"
    " else the longest."
)
