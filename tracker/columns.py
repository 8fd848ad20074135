"""What a column and a table of the CSV files are, and the SQL that reads them.

A column is declared once; query and codebook are built from the declaration. Who may have the column of a model
follows from the model's ``copied`` map, so that there is no second list to fall behind; a computed column states it.
PostgreSQL makes the text of every cell: no row passes through Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db import models
from django.db.models import Case, Exists, F, Func, OuterRef, Q, QuerySet, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from tracker.models import Row
from tracker.models.base import Explained
from tracker.models.fields import CodedArrayField, CodedField, CountriesField, ImpreciseDateField, empties, is_empty
from tracker.vocabularies import Audience, Missing, Precision, Vocabulary

Text = str | Promise
#: What a column reads: made for a model and an audience, because staff's rows are filtered where they are read.
Read = Callable[[type[Row], Audience], Any]


class Kind(Vocabulary):
    """What a cell of a column looks like."""

    UUID = "uuid", _("Identifier"), _("A random identifier, the same in every file and for ever.")
    TEXT = "text", _("Text"), _("Free text. Line breaks in it are kept as they were entered.")
    TEXTS = (
        "texts",
        _("Texts"),
        _("Texts, each once, sorted by code point, with ; between them; a ; within one of them is written as a comma."),
    )
    CODE = "code", _("Code"), _("One code of the vocabulary named.")
    CODES = "codes", _("Codes"), _("Codes of the vocabulary named, in alphabetical order, with ; between them.")
    COUNTRY = "country", _("Country"), _("ISO 3166-1 alpha-2; also XK (Kosovo) and XXA (ICAO 9303: stateless).")
    COUNTRIES = "countries", _("Countries"), _("Country codes in alphabetical order, with ; between them.")
    DATE = "date", _("Day"), _("YYYY-MM-DD.")
    EDTF = "edtf", _("Imprecise date"), _("Some day within: 2021, 2021-03, 2021-03-05 or 2021-03-05/2021-03-09.")
    MONTH = "month", _("Month"), _("YYYY-MM.")
    INTEGER = "integer", _("Whole number"), _("Digits, with no separators.")
    DECIMAL = "decimal", _("Number"), _("Digits with a decimal point, and always the same number of places.")
    BOOLEAN = "boolean", _("Yes or no"), _("true or false.")


# --- How PostgreSQL writes a cell. The templates repeat a column, so they take columns, which have no parameters.


class _Text(Func):
    """Dates by ``to_char``: a cast to text depends on the server's DateStyle."""

    output_field = models.TextField()


class Filled(_Text):
    """An empty text is an empty cell. COPY would write a pair of quotes for it, and nothing for NULL."""

    template = "NULLIF(%(expressions)s, '')"


class Day(_Text):
    template = "to_char(%(expressions)s, 'YYYY-MM-DD')"


class DayOfMoment(_Text):
    template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD')"


class Joined(_Text):
    template = (
        "NULLIF(array_to_string(ARRAY(SELECT code FROM unnest(%(expressions)s) AS code"
        """ ORDER BY code COLLATE "C"), ';'), '')"""
    )


class Earliest(_Text):
    template = "to_char(lower(%(expressions)s), 'YYYY-MM-DD')"


class Latest(_Text):
    template = "to_char(upper(%(expressions)s) - 1, 'YYYY-MM-DD')"


_FIRST_OF_MONTH = "extract(day FROM lower(%(expressions)s)) = 1 AND extract(day FROM upper(%(expressions)s)) = 1"
_FIRST_OF_YEAR = (
    f"{_FIRST_OF_MONTH} AND extract(month FROM lower(%(expressions)s)) = 1"
    " AND extract(month FROM upper(%(expressions)s)) = 1"
)


def _edtf(form: str) -> str:
    first, last = (f"to_char({day}, '{form}')" for day in ("lower(%(expressions)s)", "upper(%(expressions)s) - 1"))
    return f"{first} || COALESCE('/' || NULLIF({last}, {first}), '')"


class Edtf(_Text):
    """The same text as ``ImpreciseDate.edtf``."""

    template = (
        f"CASE WHEN upper(%(expressions)s) - lower(%(expressions)s) = 1 THEN to_char(lower(%(expressions)s),"
        f" 'YYYY-MM-DD') WHEN {_FIRST_OF_YEAR} THEN {_edtf('YYYY')} WHEN {_FIRST_OF_MONTH} THEN {_edtf('YYYY-MM')}"
        f" ELSE {_edtf('YYYY-MM-DD')} END"
    )


class PrecisionOf(_Text):
    """The same code as ``ImpreciseDate.precision``."""

    template = (
        "CASE WHEN upper(%(expressions)s) - lower(%(expressions)s) = 1 THEN 'day'"
        f" WHEN {_FIRST_OF_MONTH} AND upper(%(expressions)s) = lower(%(expressions)s) + interval '1 month' THEN 'month'"
        f" WHEN {_FIRST_OF_YEAR} AND upper(%(expressions)s) = lower(%(expressions)s) + interval '1 year' THEN 'year'"
        " WHEN %(expressions)s IS NOT NULL THEN 'interval' END"
    )


# Plus, minus, equals, at, and the full-width forms that some locales take for them
STARTS_FORMULA = "=+@＝＋－＠-"


class Harmless(_Text):
    """A cell that no spreadsheet runs as a formula: an apostrophe before what would start one.

    Also after a semicolon, tab or line break within the cell: a spreadsheet that takes the semicolon for the
    separator (most of Europe) cuts a cell there, and one that has lost count of the quotes does at a line break.
    """

    template = (
        r"regexp_replace(regexp_replace(%(expressions)s, '^(?=[\t\r\n" + STARTS_FORMULA + r"])', ''''),"
        r" '([;\t\r\n])(?=[" + STARTS_FORMULA + r"])', '\1''', 'g')"
    )


# --- Columns


@dataclass(frozen=True, kw_only=True)
class Column:
    name: str
    label: Text
    definition: Text
    kind: Kind
    audience: Audience
    read: Read
    values: type[Vocabulary] | None = None
    #: the model's field that this is, or is a part of; empty for a computed column
    field: str = ""
    #: of a computed column: the table in whose ``id`` its value is always to be found
    to: str = ""
    #: audiences that get it less exactly than it is known
    coarser_for: tuple[str, ...] = ()
    #: may change while nobody changes the row, so that an import takes no notice of it
    volatile: bool = False


#: What the name of the column ends in that says why another is empty.
WHY_EMPTY: Final = "_missing"
_ALWAYS: Final = Q(pk__isnull=False)


def audience_of(model: type[Row], field: str) -> Audience:
    """The most open audience that may have this column, as the model's ``copied`` map says."""
    if field == "id":
        return Audience.PUBLIC
    return next((a for a in (Audience.PUBLIC, Audience.RESEARCHER) if field in model.copied.get(a, ())), Audience.STAFF)


def strictest(*audiences: Audience) -> Audience:
    return max(audiences, key=lambda audience: audience.level)


def fields(model: type[Row], /, **definitions: Text) -> tuple[Column, ...]:
    """Columns of these fields of the model, in this order. An imprecise date gives four, a foreign key up to two.

    What is typed and can be empty gives one more, which says why it is.
    """
    return tuple(
        column for name, definition in definitions.items() for column in _columns_of_field(model, name, definition)
    )


def _columns_of_field(model: type[Row], name: str, definition: Text) -> list[Column]:
    field: Any = model._meta.get_field(name)
    columns = _columns_of_value(model, name, field, definition)
    return [*columns, _why_empty(model, name, field)] if name in empties(model) else columns


def _why_empty(model: type[Row], name: str, field: Any) -> Column:
    """Which reason stands in a cell: what somebody entered, else what is certain, else that nobody entered any."""
    return Column(
        name=f"{name}{WHY_EMPTY}",
        label=format_lazy(_("{label}: why empty"), label=field.verbose_name),
        definition=format_lazy(_("Why {name} is empty; empty where it is not."), name=f"`{name}`"),
        kind=Kind.CODE,
        values=Missing,
        field=name,
        audience=audience_of(model, name),
        read=lambda of, audience: _reason(of, audience, name),
    )


def _reason(model: type[Row], audience: Audience, name: str) -> Any:
    """``model`` is that of the row, which may be another than the column was declared with: see citations."""
    certain: list[When] = []
    if name in model.not_applicable:
        certain.append(When(model.not_applicable[name] or _ALWAYS, then=Value(Missing.NOT_APPLICABLE.value)))
    if name in model.emptied_for(audience):
        certain.append(When(_ALWAYS, then=Value(Missing.WITHHELD.value)))
    elif model.withheld is not None and audience is not Audience.STAFF:
        certain.append(When(model.withheld, then=Value(Missing.WITHHELD.value)))
    reason: Any = Case(*certain, default=Value(Missing.NOT_RECORDED.value), output_field=models.TextField())
    if issubclass(model, Explained):
        reason = Coalesce(KeyTextTransform(name, F("missing")), reason)
    field: Any = model._meta.get_field(name)
    return Case(When(is_empty(name, field), then=reason), output_field=models.TextField())


def _columns_of_value(model: type[Row], name: str, field: Any, definition: Text) -> list[Column]:
    label = field.verbose_name
    column = F(name)
    about: dict[str, Any] = {
        "field": name,
        "audience": audience_of(model, name),
        "coarser_for": tuple(model.redacted.get(name, ())),
    }

    def one(kind: Kind, read: Any, values: type[Vocabulary] | None = None) -> list[Column]:
        return [
            Column(
                name=name,
                label=label,
                definition=definition,
                kind=kind,
                values=values,
                read=lambda _model, _audience: read,
                **about,
            )
        ]

    match field:
        case models.ForeignKey():
            return _pointer(field, definition, about)
        case ImpreciseDateField():
            return _imprecise(name, label, definition, about)
        case CountriesField():
            return one(Kind.COUNTRIES, Joined(column))
        case CodedArrayField():
            return one(Kind.CODES, Joined(column), field.vocabulary)
        case CodedField():
            return one(Kind.CODE if field.vocabulary else Kind.COUNTRY, Filled(column), field.vocabulary)
        case models.UUIDField():
            return one(Kind.UUID, column)
        case models.BooleanField():
            return one(Kind.BOOLEAN, Cast(column, models.TextField()))
        case models.DateField():
            return one(Kind.DATE, Day(column))
        case models.DecimalField():
            return one(Kind.DECIMAL, column)
        case models.IntegerField():
            return one(Kind.INTEGER, column)
        case models.CharField() | models.TextField():
            return one(Kind.TEXT, Filled(column))
    raise TypeError(f"{model._meta.label}.{name}: no column type for {type(field).__name__}")


def _imprecise(name: str, label: Text, definition: Text, about: dict[str, Any]) -> list[Column]:
    parts: list[tuple[str, Any, Any, Kind, Any, type[Vocabulary] | None]] = [
        ("", label, definition, Kind.EDTF, Edtf, None),
        ("_earliest", _("{label}: earliest"), _("The earliest day that {name} can be."), Kind.DATE, Earliest, None),
        ("_latest", _("{label}: latest"), _("The latest day that {name} can be."), Kind.DATE, Latest, None),
        ("_precision", _("{label}: precision"), _("How exactly {name} is known."), Kind.CODE, PrecisionOf, Precision),
    ]

    def read(write: Any) -> Read:
        return lambda _model, _audience: write(F(name))

    return [
        Column(
            name=f"{name}{suffix}",
            label=format_lazy(part_label, label=label) if suffix else label,
            definition=format_lazy(part_definition, name=f"`{name}`") if suffix else definition,
            kind=kind,
            values=values,
            read=read(write),
            **about,
        )
        for suffix, part_label, part_definition, kind, write, values in parts
    ]


def _pointer(field: Any, definition: Text, about: dict[str, Any]) -> list[Column]:
    """The target's id, and its short readable one where it has one."""
    target: type[Row] = field.related_model
    columns = [
        Column(
            name=field.attname,
            label=field.verbose_name,
            definition=definition,
            kind=Kind.UUID,
            read=_unsealed_only(field, F(field.attname)),
            **about,
        )
    ]
    for short in ("pid", "rid"):
        if any(known.name == short for known in target._meta.concrete_fields):
            columns.append(
                Column(
                    name=f"{field.name}_{short}",
                    label=format_lazy("{label}: {short}", label=field.verbose_name, short=short),
                    definition=format_lazy(
                        _("The {short} that belongs to {name}."), short=f"`{short}`", name=f"`{field.attname}`"
                    ),
                    kind=Kind.TEXT,
                    read=_unsealed_only(field, Filled(F(f"{field.name}__{short}"))),
                    **about | {"audience": strictest(about["audience"], audience_of(target, short))},
                )
            )
    return columns


def _unsealed_only(field: Any, value: Any) -> Read:
    """A row that points to something sealed is in no file, but one that points to its own kind may stay."""
    target = field.related_model

    def read(model: type[Row], audience: Audience) -> Any:
        if audience is not Audience.STAFF or not issubclass(model, target):
            return value
        seen = rows(target, audience).filter(pk=OuterRef(field.attname))
        return models.Case(When(Exists(seen), then=value))

    return read


# --- Tables


def database(audience: Audience) -> str:
    """The alias of the database that holds what the audience may see; staff work in the default one."""
    return "default" if audience is Audience.STAFF else audience.value


def rows(model: type[Row], audience: Audience) -> QuerySet[Any]:
    """What an audience may see of a table. A copy holds nothing else; of the working database nothing sealed."""
    manager: Any = model.objects
    readable = manager.using(database(audience)).order_by()
    return readable.unsealed() if audience is Audience.STAFF else readable


def counted(model: type[Row], audience: Audience) -> QuerySet[Any]:
    """The rows of persons.csv."""
    persons: Any = rows(model, audience)
    return persons.counted(unsealed=audience is Audience.STAFF)


@dataclass(frozen=True, kw_only=True)
class Table:
    #: also the name of its file, without the ending
    name: str
    definition: Text
    #: one model; only citations stand in several tables of the database
    models: tuple[type[Row], ...]
    columns: tuple[Column, ...]
    #: columns by which rows are sorted; the last one is unique
    order: tuple[str, ...]
    #: columns that together tell a row from all others
    key: tuple[str, ...] = ("id",)
    rows: Callable[[type[Row], Audience], QuerySet[Any]] = rows

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        assert len(set(names)) == len(names), f"{self.name}: a column is declared twice"
        assert {*self.order, *self.key} <= set(names), f"{self.name}: sorted by a column that is not there"

    @property
    def model(self) -> type[Row]:
        """What a queryset that narrows the table is made of."""
        (model,) = self.models
        return model

    def columns_for(self, audience: Audience) -> list[Column]:
        return [column for column in self.columns if column.audience.level <= audience.level]

    def querysets(self, audience: Audience, only: QuerySet[Any] | None = None) -> list[QuerySet[Any]]:
        """The rows of the table, one queryset a model. ``only`` narrows them; annotations and order of it are lost."""
        found = [self.rows(model, audience) for model in self.models]
        if only is None:
            return found
        if only.model is not self.model:
            raise TypeError(f"{self.name} has rows of {self.model._meta.label}, not of {only.model._meta.label}.")
        chosen = only.using(database(audience)).order_by().values("pk")
        return [queryset.filter(pk__in=chosen) for queryset in found]

    def count(self, audience: Audience, only: QuerySet[Any] | None = None) -> int | None:
        """How many rows the file has; None where only making it would tell. One query for each model."""
        return sum(rows.count() for rows in self.querysets(audience, only))

    def query(
        self, audience: Audience, only: QuerySet[Any] | None = None, *, excel: bool = False, on: date | None = None
    ) -> tuple[str, tuple[Any, ...]]:
        """The SELECT that is the file: its columns under their names, its rows in their order.

        ``on`` is the day that what depends on one is counted to; most tables do not.
        """
        columns = self.columns_for(audience)
        aliases = {column.name: f"c{number}" for number, column in enumerate(columns)}
        selects: list[str] = []
        params: list[Any] = []
        for queryset in self.querysets(audience, only):
            cells = {aliases[column.name]: _cell(column, queryset.model, audience, excel) for column in columns}
            # a queryset that Django knows to be empty is a query all the same: the header has to be written
            compiler = queryset.annotate(**cells).values_list(*cells).query.get_compiler(queryset.db, elide_empty=False)
            sql, some = compiler.as_sql()
            selects.append(sql)
            params += some
        named = ", ".join(f'{alias} AS "{name}"' for name, alias in aliases.items())
        rows = " UNION ALL ".join(selects)
        return f"SELECT {named} FROM ({rows}) AS t ORDER BY {self.sorted(aliases)}", tuple(params)

    def sorted(self, cells: Mapping[str, str]) -> str:
        """What ORDER BY takes, of what stands in SQL for each column's cell."""
        kinds = {column.name: column.kind for column in self.columns}
        texts = {Kind.TEXT, Kind.CODE, Kind.MONTH}
        return ", ".join(cells[name] + (' COLLATE "C"' if kinds[name] in texts else "") for name in self.order)


def _cell(column: Column, model: type[Row], audience: Audience, excel: bool) -> Any:
    value = column.read(model, audience)
    return Harmless(value) if excel and column.kind is Kind.TEXT else value
