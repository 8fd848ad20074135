"""The file held against the database: what differs, cell by cell, and what is wrong with it.

The file is copied into a temporary table as it is, and compared there with what the export would print. Only rows that
differ come back to be read, so that a file that says nothing new costs next to nothing; what they say goes into a
second temporary table, with the types of the columns, from which ``tracker.importing.writing`` writes.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.utils.translation import gettext as _

from tracker import names
from tracker.dates import parse
from tracker.importing.cells import CellError, Value, read_reason, read_uuid, same, unguard
from tracker.importing.layout import LOCATOR, SOURCE, STATED, Derived, Layout, Settable, claims_itself, visible
from tracker.importing.problems import Problems
from tracker.models import Name, Source
from tracker.models.fields import KeyField
from tracker.spreadsheets import Cells
from tracker.vocabularies import Audience, CustodyType, Missing

BLOCK: Final = 2_000
#: so many changes are kept to be shown; the rest is counted
SHOWN: Final = 50

GIVEN, CHANGES, FIRST_NAMES = "import_given", "import_changes", "import_first_names"

#: what an empty cell of a new row stands for depends on the rest of the row
_APART: Final = {(Name, "script"), (Source, "disclosure")}

Tell = Callable[[str, int], None]


@dataclass(frozen=True)
class Change:
    """One row of the file that changes something; ``cells`` are column, text before, text after."""

    row: int
    id: uuid.UUID
    is_new: bool
    cells: list[tuple[str, str, str]]


@dataclass
class Found:
    """What the file says, counted."""

    read: int = 0
    added: int = 0
    changed: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    shown: list[Change] = field(default_factory=list)


def quoted(name: str) -> str:
    return str(connection.ops.quote_name(name))


def run_sql(sql: str, params: Iterable[Any] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, tuple(params))
        return int(cursor.rowcount)


def fetch(sql: str, params: Iterable[Any] = ()) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, tuple(params))
        return list(cursor.fetchall())


def compiled(rows: Any, *names: str) -> tuple[str, tuple[Any, ...]]:
    compiler = rows.values_list(*names).query.get_compiler(connection.alias, elide_empty=False)
    sql, params = compiler.as_sql()
    return str(sql), tuple(params)


# --- The file into a table


def stage(rows: Iterator[Cells], of: Layout, problems: Problems, tell: Tell) -> int:
    """Copies the rows as they are, but for those whose id is none. Returns how many the file has."""
    width = len(of.names)
    columns = ", ".join(f"c{place} text NOT NULL" for place in range(width))
    run_sql(f"DROP TABLE IF EXISTS {GIVEN}, {CHANGES}, {FIRST_NAMES}")
    run_sql(f"CREATE TEMPORARY TABLE {GIVEN} (n integer PRIMARY KEY, id uuid, {columns}) ON COMMIT DROP")
    key = of.places.get("id")
    read = 0
    with connection.cursor() as cursor, cursor.copy(f"COPY {GIVEN} FROM STDIN") as copy:
        for cells in rows:
            values = cells.values
            read += 1
            if len(values) > width:
                if any(values[width:]):
                    sentence = _("There are more cells than columns.")
                    problems.add(sentence, row=cells.number, value=next(filter(None, values[width:])))
                values = values[:width]
            elif len(values) < width:
                values = [*values, *[""] * (width - len(values))]
            own = None
            if key is not None and (text := values[key].strip()):
                try:
                    own = read_uuid(text).literal
                except CellError as error:
                    problems.add(str(error), row=cells.number, column="id", value=text)
                    continue
            copy.write_row([cells.number, own, *values])
            if read % BLOCK == 0:
                tell(_("read"), read)
    return read


def find_rows(of: Layout, user: Any, problems: Problems) -> None:
    """Rows named by their short key get their id; no row is named twice."""
    if of.short in of.places:
        known, params = compiled(visible(of.model, user), "pk", of.short)
        run_sql(
            f"UPDATE {GIVEN} g SET id = known.id FROM ({known}) known (id, short)"
            f" WHERE g.id IS NULL AND lower(btrim(g.c{of.places[of.short]})) = known.short",
            params,
        )
    run_sql(f"CREATE INDEX ON {GIVEN} (id)")
    run_sql(f"ANALYZE {GIVEN}")
    doubled = fetch(
        f"SELECT n, id, first FROM (SELECT n, id, min(n) OVER (PARTITION BY id) AS first FROM {GIVEN}"
        " WHERE id IS NOT NULL) t WHERE n <> first ORDER BY n"
    )
    for n, key, first in doubled:
        problems.add(
            _("Row %(row)d is the same one. Say it once.") % {"row": first}, row=n, column="id", value=str(key)
        )


# --- What differs


class Reader:
    """Reads the rows that differ, and says what is wrong with them."""

    def __init__(self, of: Layout, user: Any, source: str, locator: str, problems: Problems, found: Found) -> None:
        self.of, self.user, self.problems, self.found = of, user, problems, found
        #: for rows that do not say their own
        self.source, self.locator = source, locator
        self.columns = self._columns()
        #: fields that the second table holds, in the order of its columns
        self.fields = self._fields()
        self.missing = of.missing
        if claims_itself(of.model) and source:
            self.missing = [name for name in self.missing if name != "source_id"]

    def _columns(self) -> list[Any]:
        """Columns of the export that are compared, each once."""
        given = [one.column for one in self.of.settable]
        given += [one.column for one in self.of.derived]
        given += [one.column for one in self.of.reasons]
        # what a reason is given for need not be in the file
        of = {one.of for one in self.of.reasons} - {column.name for column in given}
        given += [column for column in self.of.table.columns if column.name in of]
        shorts = [self.of.names[one.short] for one in self.of.settable if one.short is not None]
        return [*given, *(column for column in self.of.table.columns if column.name in shorts)]

    def _fields(self) -> list[Any]:
        model = self.of.model
        given = [one.field for one in self.of.settable]
        more = [model._meta.get_field(name) for name in KeyField.names_in(model)]
        more += [
            column
            for column in model._meta.concrete_fields
            # made for each row apart
            if column.name in ("pid", "rid", "position") or (model, column.name) in _APART
        ]
        if claims_itself(model):
            more += [model._meta.get_field(name) for name in ("source", "locator")]
        if self.of.explained is not None:
            more.append(self.of.explained)
        return list(dict.fromkeys([*given, *more]))

    def read(self, tell: Tell) -> None:
        self._make_tables()
        done = 0
        columns = ["k", "n", "id", "is_new", "revision", "changed", "was", "becomes", "source", "locator", "stated"]
        columns += [quoted(f"f_{target.attname}") for target in self.fields]
        copying = f"COPY {CHANGES} ({', '.join(columns)}) FROM STDIN"
        for block in self._differing():
            lines, first_names = [], []
            for n, key, revision, reasons, *cells in block:
                line = self._line(n, key, revision, json.loads(reasons or "{}"), cells)
                if line is not None:
                    done += 1
                    lines.append([done, *line])
                    if revision is None and (text := self._first_name(cells)):
                        first_names.append([done, line[1], text, str(names.script_of(text)), *_keys(text).values()])
            with connection.cursor() as cursor:
                with cursor.copy(copying) as copy:
                    for line in lines:
                        copy.write_row(line)
                if first_names:
                    with cursor.copy(f"COPY {FIRST_NAMES} FROM STDIN") as copy:
                        for line in first_names:
                            copy.write_row(line)
            tell(_("compared"), done)
            if self.problems.is_full:
                break
        run_sql(f"ALTER TABLE {CHANGES} ADD PRIMARY KEY (k)")
        run_sql(f"ANALYZE {CHANGES}")

    def _make_tables(self) -> None:
        columns = ["k integer", "n integer", "id uuid", "is_new boolean", "revision integer"]
        columns += ["changed text[]", "was text[]", "becomes text[]", "source uuid", "locator text", "stated text"]
        columns += [f"{quoted(f'f_{one.attname}')} {_type(one)}" for one in self.fields]
        run_sql(f"CREATE TEMPORARY TABLE {CHANGES} ({', '.join(columns)}) ON COMMIT DROP")
        keys = [f"{one} {_type(Name._meta.get_field(one))}" for one in KeyField.names_in(Name)]
        run_sql(
            f"CREATE TEMPORARY TABLE {FIRST_NAMES} (k integer, person uuid, text text, script text, {', '.join(keys)})"
            " ON COMMIT DROP"
        )

    def _differing(self) -> Iterator[list[Any]]:
        """Rows of the file that are new or differ from the export; with them what the export says."""
        model, places = self.of.model, self.of.places
        rows = visible(model, self.user)
        table = quoted(model._meta.db_table)
        rows = rows.extra(where=[f"{table}.id IN (SELECT id FROM {GIVEN})"])
        cells = {f"k{i}": column.read(model, Audience.STAFF) for i, column in enumerate(self.columns)}
        reasons = models.F("missing") if self.of.explained is not None else models.Value({}, models.JSONField())
        shown, params = compiled(rows.annotate(stored=reasons, **cells), "pk", "revision", "stored", *cells)
        joins, resolved = "", []
        for one in self.of.settable:
            if one.short is None:
                continue
            target = one.field.related_model
            short = self.of.names[one.short].rpartition("_")[2]
            known, more = compiled(visible(target, self.user, pointed_from=model), "pk", short)
            alias = f"p{one.short}"
            joins += f" LEFT JOIN ({known}) {alias} (id, short) ON {alias}.short = lower(btrim(g.c{one.short}))"
            resolved.append(f"{alias}.id::text")
            params += more
        differs = ["g.id IS NULL", "shown.id IS NULL"]
        for i, column in enumerate(self.columns):
            if column.name in places:
                given = f"g.c{places[column.name]}"
                cell = f"COALESCE(shown.k{i}::text, '')"
                differs.append(f"{given} <> {cell}")
        select = [
            "g.n",
            "g.id",
            "shown.revision",
            "shown.stored",
            *(f"g.c{place}" for place in range(len(self.of.names))),
        ]
        select += [f"COALESCE(shown.k{i}::text, '')" for i in range(len(self.columns))]
        select += resolved
        run_sql(
            f"DECLARE import_differing NO SCROLL CURSOR FOR"
            f" WITH shown (id, revision, stored, {', '.join(cells)}) AS MATERIALIZED ({shown})"
            f" SELECT {', '.join(select)} FROM {GIVEN} g LEFT JOIN shown ON shown.id = g.id{joins}"
            f" WHERE {' OR '.join(differs)} ORDER BY g.n",
            params,
        )
        while block := fetch(f"FETCH {BLOCK} FROM import_differing"):
            yield block
        run_sql("CLOSE import_differing")

    # One row

    def _line(
        self, n: int, key: Any, revision: int | None, stored: dict[str, str], cells: list[Any]
    ) -> list[Any] | None:
        """The row as the second table holds it; None where it says nothing new, or what it says is wrong."""
        of, before = self.of, self.problems.total
        width = len(of.names)
        given, shown, resolved = (
            cells[:width],
            cells[width : width + len(self.columns)],
            cells[width + len(self.columns) :],
        )
        is_new = key is None
        if is_new and of.short in of.places and given[of.places[of.short]].strip():
            self._unknown(n, of.short, given[of.places[of.short]])
            return None
        if not is_new and revision is None:
            self._unknown(n, "id", str(key))
            return None
        exported = dict(zip((column.name for column in self.columns), shown, strict=True))
        literals: dict[str, Any] = {}
        changed: list[tuple[str, str, str]] = []
        texts: dict[str, str] = {}
        wrong = set()
        following = iter(resolved)
        for one in of.settable:
            target = next(following) if one.short is not None else None
            text = self._text(n, one, given, exported, target, is_new)
            if (of.model, one.name) == (Name, "script") and not text:
                text = self._script(given)
            if text is None:
                wrong.add(one.name)
                continue
            if not is_new and same(text, exported[one.name]):
                texts[one.name] = exported[one.name]
                continue
            value = self._value(n, one, text.strip(), is_new)
            if value is None:
                wrong.add(one.name)
                continue
            texts[one.name] = value.text
            literals[one.attname] = value.literal
            if is_new:
                if value.text and text.strip():
                    changed.append((one.name, "", value.text))
            elif value.text != exported[one.name]:
                changed.append((one.name, exported[one.name], value.text))
        reasons = self._reasons(n, given, exported, texts, stored, wrong, changed, is_new)
        if of.explained is not None and reasons != stored:
            literals[of.explained.attname] = json.dumps(reasons)
        for other in of.derived:
            if other.of in wrong:
                continue  # what follows from that, nobody knows
            self._look_at(n, other, given[other.place], exported[other.column.name], texts, is_new)
        if is_new:
            if first := self._first_name(given):
                changed.append(("name", "", first))
            for name in self.missing:
                self.problems.add(_("A new row needs this column."), row=n, column=name)
        cite = self._cite(n, given, [name for name, _was, _becomes in changed], is_new)
        if self.problems.total > before or not (changed or is_new):
            return None
        return self._taken(n, key, revision, changed, literals, cite)

    def _taken(
        self,
        n: int,
        key: Any,
        revision: int | None,
        changed: list[tuple[str, str, str]],
        literals: dict[str, Any],
        cite: list[str | None],
    ) -> list[Any]:
        is_new = key is None
        row = uuid.uuid4() if is_new else key
        if is_new:
            for target in self.fields:
                if target.attname not in literals:
                    literals[target.attname] = _default(target)
            if claims_itself(self.of.model):
                literals["source_id"] = literals["source_id"] or self.source
                literals["locator"] = literals["locator"] or self.locator
            self.found.added += 1
        else:
            self.found.changed += 1
        self._fill(literals, {name for name, _was, _becomes in changed}, is_new)
        for name, _was, _becomes in changed:
            self.found.columns[name] += 1
        if len(self.found.shown) < SHOWN:
            self.found.shown.append(Change(n, row, is_new, changed))
        columns, was, becomes = ([cell[i] for cell in changed] for i in range(3))
        values = [literals.get(target.attname) for target in self.fields]
        return [n, row, is_new, revision or 0, columns, was, becomes, *cite, *values]

    def _fill(self, literals: dict[str, Any], changed: set[str], is_new: bool) -> None:
        """What a model's own ``save`` would add."""
        model = self.of.model
        if model is Name and "text" in literals:
            literals |= _keys(literals["text"])
            if is_new and not literals["script"]:
                literals["script"] = str(names.script_of(literals["text"]))
        if model is Source and is_new and "disclosure" not in changed:
            literals["disclosure"] = str(Source.usual_disclosure(literals.get("kind") or "").value)

    def _reasons(
        self,
        n: int,
        given: list[str],
        exported: dict[str, str],
        texts: dict[str, str],
        stored: dict[str, str],
        wrong: set[str],
        changed: list[tuple[str, str, str]],
        is_new: bool,
    ) -> dict[str, str]:
        """Why columns are empty from then on, by column; what is changed in so many words is added to ``changed``."""
        # a value answers what was stored before
        reasons = {name: reason for name, reason in stored.items() if not texts.get(name)}
        for one in self.of.reasons:
            text = given[one.place].strip()
            if one.of in wrong or (not is_new and same(text, exported[one.name])):
                continue
            try:
                reason = read_reason(text)
                becomes = reason if reason in Missing.stored() else ""
                if becomes and self.of.explained is None:
                    raise CellError(_("Why this is empty is not recorded here. Leave it as it was or empty."))
                if becomes and texts.get(one.of, exported[one.of]):
                    sentence = _("%(column)s has a value, so there is no reason why it is empty: leave one of the two.")
                    raise CellError(sentence % {"column": one.of})
            except CellError as error:
                self.problems.add(str(error), row=n, column=one.name, value=text)
                continue
            if becomes != stored.get(one.of, ""):
                changed.append((one.name, stored.get(one.of, ""), becomes))
            reasons.pop(one.of, None)
            if becomes:
                reasons[one.of] = becomes
        return reasons

    def _unknown(self, n: int, column: str, value: str) -> None:
        # the same for what is not there and for what this account may not see
        sentence = _("There is no such row in %(table)s. For a new row leave this empty.")
        self.problems.add(sentence % {"table": self.of.table.name}, row=n, column=column, value=value)

    def _text(
        self, n: int, one: Settable, given: list[str], exported: dict[str, str], target: str | None, is_new: bool
    ) -> str | None:
        """The cell; of a foreign key the id, also where the short key says who it is. None for what is wrong."""
        text = given[one.place] if one.place is not None else ""
        short = given[one.short].strip() if one.short is not None else ""
        left = text if one.place is not None else ("" if is_new else None)
        if one.short is None or not short:
            return left
        name = self.of.names[one.short]
        if not is_new and same(short, exported[name]):
            return left  # also where the id has been changed, and this column been left as it was
        if target is None:
            sentence = _("There is nobody, and nothing, with this identifier.")
            self.problems.add(sentence, row=n, column=name, value=short)
            return None
        if text.strip() and text.strip().lower() != target:
            sentence = _("This is not the one that %(column)s says. Change %(column)s, and leave this empty.")
            self.problems.add(sentence % {"column": one.name}, row=n, column=name, value=short)
            return None
        return target

    def _value(self, n: int, one: Settable, text: str, is_new: bool) -> Value | None:
        if not is_new and one.field.name == getattr(self.of.model, "owner", None):
            sentence = _("A row stays where it belongs. Add a new one there instead.")
            self.problems.add(sentence, row=n, column=one.name, value=text)
            return None
        if not text:
            return self._empty(n, one, is_new)
        try:
            return one.read(text)
        except CellError as error:
            self.problems.add(str(error), row=n, column=one.name, value=text)
            return None

    def _empty(self, n: int, one: Settable, is_new: bool) -> Value | None:
        target = one.field
        if is_new and one.name == "source_id" and claims_itself(self.of.model) and self.source:
            return Value(self.source, self.source)
        if is_new and (target.has_default() or target.has_db_default()):
            value = _default(target)
            return Value(value, value if isinstance(value, str) else "")
        if isinstance(target, ArrayField):
            return Value([], "")
        if target.null:
            return Value(None, "")
        if target.blank:
            return Value("", "")
        self.problems.add(_("This cannot be empty."), row=n, column=one.name)
        return None

    def _look_at(self, n: int, one: Derived, given: str, exported: str, texts: dict[str, str], is_new: bool) -> None:
        """What follows from another column may stay as it was, or say what follows from it now."""
        text = given.strip()
        if not text or (not is_new and same(given, exported)):
            return
        if one.column.name == self.of.short and text.lower() == exported:
            return
        if one.column.name == "name" and self.of.first_names:
            if is_new:
                return
            sentence = _("Names are changed in names: this is the first of them.")
        elif one.of:
            if text == _follows(one, texts.get(one.of, "")):
                return
            sentence = _("This follows from %(column)s. Change that one, and leave this as it was or empty.") % {
                "column": one.of
            }
        else:
            sentence = _("This cannot be changed by a file. Leave it as it was or empty.")
        self.problems.add(sentence, row=n, column=one.column.name, value=text)

    def _cite(self, n: int, given: list[str], changed: list[str], is_new: bool) -> list[str | None]:
        """Source, locator and words of the citation that the row makes; all empty where it makes none."""
        of = self.of
        about = [] if of.cited is None else [one for one in of.settable if one.name in changed]
        if of.cited is None or not (is_new or any(one.field.name in of.cited.fields for one in about)):
            return [None, "", ""]

        def cell(name: str) -> str:
            return given[of.places[name]].strip() if name in of.places else ""

        source: Any = self.source or None
        if cell(SOURCE):
            try:
                source = read_uuid(cell(SOURCE)).literal
            except CellError as error:
                self.problems.add(str(error), row=n, column=SOURCE, value=cell(SOURCE))
                return [None, "", ""]
        if source is None:
            what = _("a new row") if is_new else ", ".join(changed)
            sentence = _("Who says so? Give the id of a source here, or one for the whole file, for: %(what)s.")
            self.problems.add(sentence % {"what": what}, row=n, column=SOURCE)
        return [source, cell(LOCATOR) or self.locator, cell(STATED)]

    def _script(self, given: list[str]) -> str | None:
        """Read off the name; None where the file does not give it."""
        text = names.clean(given[self.of.places["text"]]) if "text" in self.of.places else ""
        return str(names.script_of(text)) if text else None

    def _first_name(self, given: list[Any]) -> str:
        """Of a new person."""
        return names.clean(unguard(given[self.of.places["name"]])) if self.of.first_names else ""


def _keys(text: str) -> dict[str, Any]:
    made = {name: Name._meta.get_field(name).key_of(text) for name in KeyField.names_in(Name)}  # type: ignore[union-attr]
    return {name: list(key) if isinstance(key, list | tuple | set | frozenset) else key for name, key in made.items()}


def _follows(one: Derived, base: str) -> str:
    """What the export prints in a column that follows from another which says this."""
    if not base:
        return ""
    if one.column.name == "custody":
        return str(CustodyType(base).custody.value)
    when = parse(base)
    last = one.column.name.removeprefix(f"{one.of}_")
    return {
        "earliest": when.earliest.isoformat(),
        "latest": when.latest.isoformat(),
        "precision": str(when.precision.value),
    }[last]


def _type(target: Any) -> str:
    if isinstance(target, models.ForeignKey):
        return "uuid"
    return str(target.db_type(connection))


def _default(target: Any) -> Any:
    """As COPY takes it."""
    if target.name == "position":
        return None  # the next one, found when all are known
    value = target.get_default() if target.has_default() else None
    if value is None:
        return None if target.null or target.has_db_default() or not target.empty_strings_allowed else ""
    return value if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
