"""The generator of the benchmarks: what it makes is the same each time, and nothing that the database would refuse."""

import os
import re
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection

from tests.benchmarks import export as benchmark
from tests.benchmarks import generate
from tests.benchmarks.crowd import Crowd
from tests.benchmarks.world import BLOCK, KEYS, World, constant
from tracker import export, names
from tracker.models import Name, Person
from tracker.vocabularies import Audience

PERSONS = 300


def lines_of(world):
    return [(table.model, list(lines)) for block in world.blocks() for table, lines in block.items()]


@contextmanager
def generated(persons=PERSONS):
    """A connection to a database of this process's own."""
    with (
        generate.database(f"benchmark_test_{os.getpid()}", World(persons, 1), say=lambda _line: None) as address,
        psycopg.connect(address, autocommit=True) as made,
    ):
        yield made


@pytest.mark.parametrize("make", [World, Crowd])
def test_the_same_seed_gives_the_same_lines(make):
    first = lines_of(make(PERSONS, 1))
    assert first == lines_of(make(PERSONS, 1))
    assert first != lines_of(make(PERSONS, 2))


@pytest.mark.parametrize("persons", [1, 2, 10, BLOCK + 1])
def test_as_many_persons_as_asked_for(persons):
    found = [line for model, lines in lines_of(World(persons, 1)) if model is Person for line in lines]
    assert len(found) == persons
    assert len({line.split("\t")[0] for line in found}) == persons
    assert len({line.split("\t")[1] for line in found}) == persons


@pytest.mark.parametrize("persons", [0, 1_000_001])
def test_not_more_than_a_million(persons):
    with pytest.raises(ValueError, match="From 1 to 1,000,000 persons"):
        World(persons, 1)


def test_rows_come_in_blocks_however_many():
    world = World(BLOCK * 3, 1)
    longest = max(len(lines) for block in world.blocks() for lines in block.values())
    assert longest < BLOCK * 6


@pytest.mark.django_db
@pytest.mark.parametrize("make", [World, Crowd])
def test_every_row_is_accepted_as_if_it_were_typed(make):
    """With every constraint and trigger on, history included; and no file of an export of a world is empty."""
    with connection.cursor() as cursor:
        for block in make(PERSONS, 1).blocks():
            for table, lines in block.items():
                generate.copy_in(cursor, table, lines)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SELECT count(*) FROM tracker_personhistory")
        assert cursor.fetchone() == (PERSONS,)
    if make is World:
        assert [table.name for table in export.TABLES if export.count(table, Audience.STAFF) == 0] == []
        assert next(export.stream(export.get_table("custody_monthly"), Audience.STAFF)).count(b"\r\n") > 100


@pytest.mark.django_db
@pytest.mark.parametrize("make", [World, Crowd])
def test_names_are_as_if_they_were_typed(make):
    found = [name.split("\t") for model, lines in lines_of(make(PERSONS, 1)) if model is Name for name in lines]
    texts = {(cells[2], cells[4], *cells[8 : 8 + len(KEYS)]) for cells in found}
    assert {script for _text, script, *_keys in texts} == {"Cyrl", "Latn"}
    for text, script, *keys in texts:
        assert (names.clean(text), names.script_of(text)) == (text, script)
        assert [constant(field.pre_save(Name(text=text), True)) for field in KEYS] == keys


# What stands in the catalogues about tables: none of it may be lost on the way
SCHEMA = """
    SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid), convalidated FROM pg_constraint
    UNION ALL SELECT tgrelid::regclass::text, tgname::text, tgdeferrable::text, tgenabled = 'O' FROM pg_trigger
        WHERE NOT tgisinternal
    UNION ALL SELECT tablename::text, indexname::text, indexdef, true FROM pg_indexes WHERE schemaname = 'public'
    ORDER BY 1, 2, 3
"""


def plain(definitions):
    """Without the casts: PostgreSQL writes a list of texts in another way once it has read it from what it wrote."""
    return [re.sub(r"::(character varying|text)(\[\])?|[()]", "", str(row)) for row in definitions]


@pytest.mark.django_db
def test_what_was_set_aside_is_there_again():
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        before = plain(cursor.fetchall())
    with generated() as made:
        assert plain(made.execute(SCHEMA).fetchall()) == before
        assert made.execute("SELECT count(*) FROM tracker_person").fetchone() == (PERSONS,)


@pytest.mark.django_db
def test_what_a_trigger_would_have_refused_is_found():
    with generated() as made:
        generate.check_guards(made, ["releases_leg", "tracker_placement"])
        made.execute("ALTER TABLE releases_leg DISABLE TRIGGER USER")
        made.execute("UPDATE releases_leg SET happened = '[1999-01-01,1999-01-02)'")
        with pytest.raises(generate.Refused, match="breaks leg_not_before_release"):
            generate.check_guards(made, ["releases_leg"])


@pytest.mark.django_db
def test_nobody_elses_database_is_dropped():
    name = connection.settings_dict["NAME"]
    with pytest.raises(generate.Refused, match="not made by this"), generate.database(name, World(1, 1)):
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM tracker_person")


@pytest.mark.parametrize("theirs", [b"id\n1\n3\n", b"id\n1\n", b"id\n1\n2\n4\n"])
def test_a_difference_between_the_files_is_seen(tmp_path, theirs):
    for folder, content in (("ours", b"id\r\n1\r\n2\r\n"), ("same", b"id\n1\n2\n"), ("theirs", theirs)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "persons.csv").write_bytes(content)
    benchmark.compare(tmp_path / "ours", tmp_path / "same")
    with pytest.raises(generate.Refused, match=r"persons.csv line [34]: "):
        benchmark.compare(tmp_path / "ours", tmp_path / "theirs")
