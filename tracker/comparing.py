"""What changed between two packages of CSV files: in numbers, in words, and row by row.

PostgreSQL compares them, in temporary tables: neither a table nor a list of what differs is ever held here. A row that
is gone is counted and never named, since it may be gone because it must not be known any more.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final
from zipfile import ZipFile

from django.db import connections, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tracker.export import BLOCK

HEADER: Final = b"table,id,change,columns\r\n"

Changes = dict[str, Any]


def compare(before: Path, after: Path, out: IO[bytes], *, since: str, using: str) -> Changes:
    """Writes to ``out`` a line for each row that is new or changed, by table and id; returns the numbers.

    Only a table with the column ``id`` has such lines. Of one that is computed as a whole, rows are counted.
    """
    out.write(HEADER)
    with ZipFile(before) as old, ZipFile(after) as new:
        was, became = (
            {name.removesuffix(".csv"): name for name in package.namelist() if name.endswith(".csv")}
            for package in (old, new)
        )
        tables = []
        for table in (*became, *(name for name in was if name not in became)):
            if table not in was or table not in became:
                tables.append({"table": table, "is": "new" if table in became else "gone"})
                continue
            with transaction.atomic(using=using), connections[using].cursor() as cursor:
                one, other = (
                    _load(cursor, name, package, member)
                    for name, package, member in (("was", old, was[table]), ("became", new, became[table]))
                )
                tables.append({"table": table} | _difference(cursor, table, one, other, out))
                transaction.set_rollback(True, using=using)
    return {"since": since, "tables": tables}


def _load(cursor: Any, name: str, package: ZipFile, member: str) -> list[str]:
    """A temporary table of texts. Returns the names of its columns, which are called c0, c1 ... there or not at all."""
    with package.open(member) as file:
        header: list[str] = next(csv.reader(io.TextIOWrapper(file, "utf-8", newline="")))
    columns = ", ".join(f"{_quoted(column)} text" for column in header)
    cursor.execute(f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP")
    with (
        package.open(member) as file,
        cursor.copy(f"COPY {name} FROM STDIN (FORMAT csv, HEADER true, ENCODING 'UTF8')") as rows,
    ):
        while block := file.read(BLOCK):
            rows.write(block)
    cursor.execute(f"ANALYZE {name}")
    return header


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _difference(cursor: Any, table: str, was: list[str], became: list[str], out: IO[bytes]) -> dict[str, Any]:
    both = [column for column in became if column in was]
    columns = {
        "new_columns": [column for column in became if column not in was],
        "gone_columns": [column for column in was if column not in became],
    }
    if "id" not in both:
        names = ", ".join(map(_quoted, both))
        numbers = {}
        for kind, one, other in (("added", "became", "was"), ("removed", "was", "became")):
            cursor.execute(
                f"SELECT count(*) FROM (SELECT {names} FROM {one} EXCEPT ALL SELECT {names} FROM {other}) AS t"
            )
            (numbers[kind],) = cursor.fetchone()
        return {**numbers, "changed": 0, **columns}
    values = [_quoted(column) for column in both if column != "id"]
    one, other = (f"ROW({', '.join(f'{row}.{value}' for value in values)})" for row in ("b", "w"))
    literals = [cursor.mogrify("%s", [column]) for column in both if column != "id"]
    named = ", ".join(
        f"CASE WHEN b.{value} IS DISTINCT FROM w.{value} THEN {literal} END"
        for value, literal in zip(values, literals, strict=True)
    )
    cursor.execute(f"""
        CREATE TEMPORARY TABLE differs ON COMMIT DROP AS
        SELECT b.id, CASE WHEN w.id IS NULL THEN 'added' ELSE 'changed' END AS change,
            CASE WHEN w.id IS NOT NULL THEN array_to_string(ARRAY[{named}]::text[], ';') END AS columns
        FROM became b LEFT JOIN was w ON w.id = b.id
        WHERE w.id IS NULL OR {one} IS DISTINCT FROM {other}
    """)
    cursor.execute("""
        SELECT count(*) FILTER (WHERE change = 'added'), count(*) FILTER (WHERE change = 'changed'),
            (SELECT count(*) FROM was w WHERE NOT EXISTS (SELECT FROM became b WHERE b.id = w.id)) FROM differs
    """)
    added, changed, removed = cursor.fetchone()
    rows = cursor.mogrify('SELECT %s, id, change, columns FROM differs ORDER BY id COLLATE "C"', [table])
    with cursor.copy(f"COPY ({rows}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')") as lines:
        for line in lines:
            out.write(bytes(line)[:-1] + b"\r\n")
    return {"added": added, "removed": removed, "changed": changed, **columns}


def sentences(changes: Changes) -> Iterator[str]:
    """What changed, in words: a sentence for each table in which something did."""
    same = []
    for table in changes["tables"]:
        name = table["table"]
        if "is" in table:
            yield (
                _("%(table)s: a new table.") % {"table": name}
                if table["is"] == "new"
                else _("%(table)s: this table is gone.") % {"table": name}
            )
            continue
        told = [
            sentence % {"number": f"{number:,}"}
            for number, sentence in (
                (table["added"], ngettext("%(number)s row added", "%(number)s rows added", table["added"])),
                (table["removed"], ngettext("%(number)s row removed", "%(number)s rows removed", table["removed"])),
                (table["changed"], ngettext("%(number)s row changed", "%(number)s rows changed", table["changed"])),
            )
            if number
        ]
        for columns, sentence in (
            (table["new_columns"], _("new columns: %(names)s")),
            (table["gone_columns"], _("columns gone: %(names)s")),
        ):
            if columns:
                told.append(sentence % {"names": ", ".join(columns)})
        if told:
            yield f"{name}: {'; '.join(told)}."
        else:
            same.append(name)
    if same:
        yield _("Nothing changed in: %(tables)s.") % {"tables": ", ".join(same)}
