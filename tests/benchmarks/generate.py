"""``python -m tests.benchmarks.generate``: a database of its own, full of invented persons."""

import argparse
import re
import sys
import time
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pgtrigger
import psycopg
from django.db import connections
from psycopg import sql

from tests.benchmarks.world import World
from tracker.models import alphabet
from tracker.models.rules import Guard

#: What the comment on a database begins with that is ours to drop
OURS = "Invented persons for benchmarks"


class Refused(Exception):
    """What stands in the way, in a sentence."""


def address(name):
    """How libpq reaches a database of the working database's server; the embedded one runs while this process does."""
    connection = connections["default"]
    connection.ensure_connection()
    # what libpq itself understands of it, and not more: psql may be an older one than ours
    understood = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    given = connection.get_connection_params()
    return psycopg.conninfo.make_conninfo(**{key: given[key] for key in given.keys() & understood} | {"dbname": name})


@contextmanager
def database(name, world, *, keep=False, say=print):
    """The address of a database with this world in it: the one kept from last time if it is the same, else a new one.

    Raises ``Refused`` rather than touch a database that was not made here.
    """
    if not re.fullmatch("[a-z][a-z0-9_]{0,62}", name):
        raise Refused(f"A database cannot be named {name} here: small letters, digits and _ only.")
    connection = connections["default"]
    with connection._nodb_cursor() as cursor:
        found = _comment(cursor, name)
        if found is not None and not found.startswith(OURS):
            raise Refused(f"There is a database {name} that was not made by this. Give another name.")
        try:
            with connection.creation._template(cursor, verbosity=1) as template:
                comment = (
                    f"{OURS}: {type(world).__name__}, {world.persons}, seed {world.seed}, {template}, {_digest(world)}"
                )
                if found != comment:
                    cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
                    cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE {template}')
                    cursor.execute(f"COMMENT ON DATABASE \"{name}\" IS '{OURS}, unfinished'")
            if found == comment:
                say(f"Database {name} is there from before.")
            else:
                with psycopg.connect(address(name), autocommit=True) as loading:
                    load(loading, world, say=say)
                cursor.execute(f"COMMENT ON DATABASE \"{name}\" IS '{comment}'")
            yield address(name)
        finally:
            if not keep:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _comment(cursor, name):
    """None where there is no such database."""
    cursor.execute(
        "SELECT COALESCE(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = %s", [name]
    )
    row = cursor.fetchone()
    return row and row[0]


def _digest(world):
    """Changes with the code that makes the rows."""
    return sha256(b"".join(file.read_bytes() for file in (Path(__file__), *world.files))).hexdigest()[:16]


def load(connection, world, *, say=print):
    """Fill the empty tables. Returns how many rows each has.

    As ``pg_restore`` does: constraints, indexes and triggers are set aside, and constraints and indexes made again
    when the rows are there, so that PostgreSQL itself checks every one of them. What triggers would have refused is
    asked in their own words. History stays empty: it is not written while triggers are off.
    """
    names = [table.model._meta.db_table for table in world.tables.values()]
    with _step("constraints, indexes and triggers set aside", say):
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '256MB'")
        connection.execute("SET work_mem = '64MB'")
        aside = _set_aside(connection, names)
    counts = dict.fromkeys(names, 0)
    began = time.perf_counter()
    for block in world.blocks():
        # checks of single rows (CHECK, NOT NULL) stay on
        with connection.transaction(), connection.cursor() as cursor:
            for table, lines in block.items():
                copy_in(cursor, table, lines)
                counts[table.model._meta.db_table] += len(lines)
    took, rows = time.perf_counter() - began, sum(counts.values())
    say(f"{rows:,} rows of {world.persons:,} persons by COPY: {took:.1f} s, {rows / took:,.0f} rows a second")
    with _step("constraints and indexes made again", say):
        for statement in aside:
            connection.execute(statement)
    with _step("rules of triggers asked", say):
        check_guards(connection, names)
    with _step("places in the alphabet", say):
        connection.execute(alphabet.RENEW)
    with _step("vacuum and analyse", say):
        connection.execute("VACUUM (ANALYZE) tracker_alphabetical")
        for name in names:
            connection.execute(f'ALTER TABLE "{name}" ENABLE TRIGGER USER')
            connection.execute(f'VACUUM (ANALYZE) "{name}"')
    return counts


def copy_in(cursor, table, lines):
    columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    name = sql.Identifier(table.model._meta.db_table)
    with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(name, columns)) as copy:
        copy.write("\n".join([*lines, ""]))


def _set_aside(connection, names):
    """Drop what is quicker made at the end; returns the statements that make it again, in their order."""
    constraints = connection.execute(
        """SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
           WHERE contype IN ('p', 'u', 'x', 'f') AND (conrelid = ANY(%(names)s::regclass[])
               OR contype = 'f' AND confrelid = ANY(%(names)s::regclass[]))
           ORDER BY array_position('{p,u,x,f}', contype::text), conrelid, conname""",
        {"names": names},
    ).fetchall()
    again = [f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule}" for table, name, rule in constraints]
    # foreign keys first: what they point to cannot go before them
    for table, name, _rule in reversed(constraints):
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    indexes = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid = ANY(%s::regclass[]) ORDER BY 1",
        [names],
    ).fetchall()
    for index, definition in indexes:
        connection.execute(f"DROP INDEX {index}")
        again.append(definition)
    for name in names:
        connection.execute(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')
    # indexes before foreign keys: checking one reads the other
    return sorted(again, key=lambda statement: " FOREIGN KEY " in statement)


def check_guards(connection, names):
    """Ask of every row what the triggers that refuse rows ask of a new one. Raises ``Refused``."""
    for model, trigger in pgtrigger.registered():
        name = model._meta.db_table
        if not isinstance(trigger, Guard) or name not in names or not _on_insert(trigger):
            continue
        # what comes before locks rows, and asks nothing
        (condition,) = re.findall(r"^\s*IF (.*) THEN\s+RAISE", trigger.func, re.DOTALL | re.MULTILINE)
        rows = f'"{name}" AS new CROSS JOIN LATERAL (SELECT new.*) AS old'
        asked = condition.replace("TG_OP", "'INSERT'")
        found = connection.execute(f"SELECT new.id FROM {rows} WHERE {asked} LIMIT 1").fetchone()
        if found:
            raise Refused(f"{name} {found[0]} breaks {trigger.rule}.")


def _on_insert(trigger):
    return pgtrigger.Insert in getattr(trigger.operation, "operations", [trigger.operation])


@contextmanager
def _step(what, say):
    began = time.perf_counter()
    yield
    say(f"{what}: {time.perf_counter() - began:.1f} s")


def main(say=print):
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.generate", description=__doc__)
    parser.add_argument("--persons", type=int, default=100_000, help="From 1 to 1,000,000 (100,000).")
    parser.add_argument("--seed", type=int, default=1, help="The same seed gives the same rows (1).")
    parser.add_argument("--database", default="benchmark", help="Made for this, and replaced (benchmark).")
    parser.add_argument("--keep", action="store_true", help="Do not drop it at the end.")
    options = parser.parse_args()
    began = time.perf_counter()
    try:
        with database(options.database, World(options.persons, options.seed), keep=options.keep):
            say(f"altogether: {time.perf_counter() - began:.1f} s")
    except (Refused, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
