"""What differs, written: set by set, with its citations, and the rows named that the database refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.db import DatabaseError, DataError, IntegrityError, OperationalError, connection, models, transaction
from django.utils.translation import gettext as _
from psycopg.errors import ProgramLimitExceeded

from tracker import publication
from tracker.importing.layout import Layout, visible
from tracker.importing.problems import MOST, Problems
from tracker.importing.reading import CHANGES, FIRST_NAMES, GIVEN, Found, Tell, compiled, fetch, quoted, run_sql
from tracker.models import Name, Part, Record, Source, User
from tracker.models.fields import KeyField
from tracker.models.rules import explain
from tracker.vocabularies import Disclosure

#: so many rows are written by one statement
CHUNK: Final = 5_000
#: so many records are taken out of the copies at a time
CLOSED: Final = 500


def check_targets(of: Layout, user: User, problems: Problems) -> None:
    """What the rows point to is there, and the account may see it: the same sentence for either."""
    for one in of.settable:
        if isinstance(one.field, models.ForeignKey):
            rows = visible(one.field.related_model, user, pointed_from=of.model)  # type: ignore[arg-type]
            told = f"(c.is_new OR {_literal(one.name)} = ANY(c.changed))"
            _check_target(f"c.{quoted(f'f_{one.attname}')}", one.name, rows, told, problems)
    if of.cited is not None:
        _check_target("c.source", "source", visible(Source, user), "true", problems)


def _check_target(key: str, column: str, rows: Any, told: str, problems: Problems) -> None:
    known, params = compiled(rows, "pk")
    wrong = fetch(
        f"SELECT c.n, {key}::text FROM {CHANGES} c WHERE {key} IS NOT NULL AND {told}"
        f" AND NOT EXISTS (SELECT 1 FROM ({known}) known (id) WHERE known.id = {key}) ORDER BY c.n LIMIT {MOST}",
        params,
    )
    for n, value in wrong:
        problems.add(_("There is nothing with this id."), row=n, column=column, value=value)


def lock(of: Layout, problems: Problems) -> None:
    """Nobody changes the rows from here on; what somebody has changed since they were compared is told."""
    table = quoted(of.model._meta.db_table)
    fetch(
        f"SELECT count(*) FROM (SELECT 1 FROM {table} t JOIN {CHANGES} c ON c.id = t.id AND NOT c.is_new"
        " ORDER BY t.id FOR NO KEY UPDATE OF t) locked"
    )
    stale = fetch(
        f"SELECT c.n FROM {CHANGES} c LEFT JOIN {table} t ON t.id = c.id"
        f" WHERE NOT c.is_new AND t.revision IS DISTINCT FROM c.revision ORDER BY c.n LIMIT {MOST}"
    )
    for (n,) in stale:
        problems.add(_("Somebody else has changed this row just now. Look at it, and try again."), row=n)


def fingerprint() -> str:
    """Changes whenever one of the rows that the file would change does."""
    ((text,),) = fetch(
        f"SELECT count(*) || ':' || COALESCE(sum(hashtextextended(n || ':' || id || ':' || revision, 0)::numeric), 0)"
        f" || ':' || (SELECT count(*) FROM {CHANGES} WHERE is_new) FROM {CHANGES} WHERE NOT is_new"
    )
    return str(text)


def _literal(text: str) -> str:
    assert "'" not in text
    return f"'{text}'"


class Writer:
    def __init__(self, of: Layout, fields: list[Any], found: Found, problems: Problems) -> None:
        self.of, self.fields, self.found, self.problems = of, fields, found, problems
        self.model = of.model
        self.table = quoted(self.model._meta.db_table)
        self.refused: dict[int, DatabaseError] = {}
        #: how many citations were added
        self.cited = 0
        self.statements = [*self._update(), *self._insert(), *self._insert_first_names()]
        self.citing = self._cite()

    def write(self, tell: Tell) -> None:
        """All that the database takes; what it does not take is told with its own sentence."""
        self._find_positions()
        run_sql("SET CONSTRAINTS ALL IMMEDIATE")
        last = self.found.added + self.found.changed
        for first in range(1, last + 1, CHUNK):
            self._try(list(range(first, min(first + CHUNK, last + 1))))
            tell(_("written"), min(first + CHUNK - 1, last))
            if len(self.refused) >= MOST:
                break
        else:
            self._try_again()
        run_sql("SET CONSTRAINTS ALL DEFERRED")
        self._tell_refused()

    def _try(self, keys: list[int]) -> None:
        """Writes these rows, or halves them until it is known which one the database refuses."""
        if len(self.refused) >= MOST:
            return
        try:
            with transaction.atomic():
                for sql, params in self.statements:
                    run_sql(sql, (*params, keys))
                cited = sum(run_sql(sql, (*params, keys)) for sql, params in self.citing)
        except (IntegrityError, DataError, OperationalError) as error:
            if isinstance(error, OperationalError) and not isinstance(error.__cause__, ProgramLimitExceeded):
                raise
            if len(keys) == 1:
                self.refused[keys[0]] = error
                return
            middle = len(keys) // 2
            self._try(keys[:middle])
            self._try(keys[middle:])
        else:
            self.cited += cited

    def _try_again(self) -> None:
        """Two rows that change places, or one that makes room for another, are refused alone and taken together."""
        while self.refused:
            keys, self.refused = sorted(self.refused), {}
            self._try(keys)
            if len(self.refused) == len(keys):
                return

    def _tell_refused(self) -> None:
        columns = {column.field: column.name for column in reversed(self.of.table.columns) if column.field}
        for key, error in self.refused.items():
            refusal = explain(error)  # type: ignore[arg-type]
            column = columns.get(refusal.field, "") if refusal.table in ("", self.model._meta.db_table) else ""
            place = self.of.places.get(column)
            value = f"g.c{place}" if place is not None else "''"
            ((n, text),) = fetch(
                f"SELECT c.n, {value} FROM {CHANGES} c JOIN {GIVEN} g ON g.n = c.n WHERE c.k = %s", [key]
            )
            self.problems.add(str(refusal.sentence), row=n, column=column, value=text)

    # The statements: each ends with the rows it is for

    def _update(self) -> Iterator[tuple[str, list[Any]]]:
        sets = []
        for one in self.of.settable:
            if not self.found.columns[one.name]:
                continue
            depends = [one.field.column]
            if one.name == "text" and self.model is Name:
                depends += KeyField.names_in(Name)
            for column in depends:
                new, old = f"c.{quoted(f'f_{column}')}", f"t.{quoted(column)}"
                sets.append(
                    f"{quoted(column)} = CASE WHEN {_literal(one.name)} = ANY(c.changed) THEN {new} ELSE {old} END"
                )
        if self.of.explained is not None:
            sets.append("missing = COALESCE(c.f_missing, t.missing)")
        if self.found.changed and sets:
            yield (
                f"UPDATE {self.table} t SET {', '.join(sets)} FROM {CHANGES} c"
                " WHERE c.id = t.id AND NOT c.is_new AND c.k = ANY(%s)",
                [],
            )

    def _insert(self) -> Iterator[tuple[str, list[Any]]]:
        if not self.found.added:
            return
        columns, values, params = ["id"], ["c.id"], []
        for target in self.model._meta.concrete_fields:
            if target in self.fields:
                columns.append(quoted(target.column))
                values.append(f"c.{quoted(f'f_{target.attname}')}")
            elif not target.primary_key and (constant := _constant(target)) is not None:
                columns.append(quoted(target.column))
                values.append(f"%s::{target.db_type(connection)}")
                params.append(constant)
        yield (
            f"INSERT INTO {self.table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {CHANGES} c"
            " WHERE c.is_new AND c.k = ANY(%s) ORDER BY c.k",
            params,
        )

    def _insert_first_names(self) -> Iterator[tuple[str, list[Any]]]:
        if not (self.of.first_names and self.found.added):
            return
        taken = ["text", "script", *KeyField.names_in(Name)]
        columns, values, params = ["person_id", *taken], ["c.person", *(f"c.{name}" for name in taken)], []
        fields: Any = Name._meta.concrete_fields
        for target in fields:
            if target.column not in columns and (constant := _constant(target)) is not None:
                columns.append(quoted(target.column))
                values.append(f"%s::{target.db_type(connection)}")
                params.append(constant)
        yield (
            f"INSERT INTO {quoted(Name._meta.db_table)} ({', '.join(columns)}) SELECT {', '.join(values)}"
            f" FROM {FIRST_NAMES} c WHERE c.k = ANY(%s)",
            params,
        )

    def _cite(self) -> list[tuple[str, list[Any]]]:
        cited = self.of.cited
        if cited is None:
            return []
        citation = cited.model._meta
        owner: Any = citation.get_field(cited.model.owner)
        record = f"t.{quoted(self.model._meta.get_field(self.model.owner).column)}" if cited.part else "t.id"
        columns, values = [quoted(owner.column)], [record]
        if cited.part:
            part: Any = citation.get_field(cited.part)
            columns.append(quoted(part.column))
            values.append("t.id")
        columns += map(quoted, ("source_id", "locator", "stated", "about", "value"))
        values += ["c.source", "c.locator", "c.stated", "x.about", "x.value"]
        params: list[Any] = []
        fields: Any = citation.concrete_fields
        for target in fields:
            if quoted(target.column) not in columns and (constant := _constant(target)) is not None:
                columns.append(quoted(target.column))
                values.append(f"%s::{target.db_type(connection)}")
                params.append(constant)
        abouts = [(one.name, one.field.name) for one in self.of.settable if one.field.name in cited.fields]
        pairs = ", ".join(f"({_literal(name)}, {_literal(about)})" for name, about in abouts) or "(NULL, NULL)"
        return [
            (
                f"INSERT INTO {quoted(citation.db_table)} ({', '.join(columns)}) SELECT {', '.join(values)}"
                f" FROM {CHANGES} c JOIN {self.table} t ON t.id = c.id CROSS JOIN LATERAL ("
                "SELECT '' AS about, '' AS value WHERE c.is_new UNION ALL"
                " SELECT a.about, u.becomes FROM unnest(c.changed, c.becomes) u (name, becomes)"
                f" JOIN (VALUES {pairs}) a (name, about) ON a.name = u.name WHERE NOT c.is_new) x"
                " WHERE c.k = ANY(%s) ORDER BY c.k",
                params,
            )
        ]

    def _find_positions(self) -> None:
        """A new row that does not say its place in an order comes last."""
        if not (self.found.added and any(target.name == "position" for target in self.fields)):
            return
        owner = quoted(self.model._meta.get_field(self.model.owner).column)
        mine = quoted(f"f_{self.model._meta.get_field(self.model.owner).attname}")
        run_sql(
            f"UPDATE {CHANGES} c SET f_position = s.place FROM (SELECT k, GREATEST(max(f_position) OVER"
            f" (PARTITION BY {mine}), (SELECT max(position) FROM {self.table} t WHERE t.{owner} = x.{mine}), 0)"
            f" + row_number() OVER (PARTITION BY {mine}, f_position IS NULL ORDER BY k) AS place FROM {CHANGES} x"
            " WHERE is_new) s WHERE s.k = c.k AND c.is_new AND c.f_position IS NULL"
        )

    # Afterwards

    def keep_in_sight(self, user: User) -> None:
        """Whoever seals a record can still open it; everybody else needs a grant from them."""
        if "" in self.model.sealed_paths() and self.found.columns["disclosure"]:
            sealed = fetch(
                f"SELECT id FROM {CHANGES} WHERE 'disclosure' = ANY(changed) AND f_disclosure = %s",
                [Disclosure.SEALED.value],
            )
            for record in self.model._base_manager.filter(pk__in=[key for (key,) in sealed]):
                record.grants.get_or_create(user=user)

    def close(self) -> None:
        """What has become stricter leaves the copies at once. Call it last: that does not return."""
        strict = [one.name for one in self.of.settable if _can_close(one.field) and self.found.columns[one.name]]
        if not strict or not self.found.changed:
            return
        is_part = issubclass(self.model, Part)
        holder: Any = self.model._meta.get_field(self.model.owner).related_model if is_part else self.model
        if not issubclass(holder, Record):
            return
        key = f"t.{quoted(self.model._meta.get_field(self.model.owner).column)}" if is_part else "t.id"
        keys = [
            row[0]
            for row in fetch(
                f"SELECT DISTINCT {key} FROM {CHANGES} c JOIN {self.table} t ON t.id = c.id"
                f" JOIN {quoted(holder._meta.db_table)} r ON r.id = {key} AND r.published_at IS NOT NULL"
                " WHERE NOT c.is_new AND c.changed && %s::text[]",
                [strict],
            )
        ]
        for first in range(0, len(keys), CLOSED):
            publication.close(*holder._base_manager.filter(pk__in=keys[first : first + CLOSED]))


def _can_close(target: Any) -> bool:
    return isinstance(target, models.ForeignKey) or target.name in ("disclosure", "consent")


def _constant(target: Any) -> Any:
    """What Django would give a new row in this column; None where the database has it, or nothing is known."""
    if target.has_db_default() or target.primary_key or not target.has_default():
        return None
    value = target.get_default()
    return None if value is None else target.get_db_prep_save(value, connection)
