"""Whatever is done in whatever order: the files as known at a moment are those that were made then, but for what
was withdrawn or closed since."""

import csv
import io
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from django.db import connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import ALL_DATABASES
from tests.tracker.test_publication_property import World
from tracker import clocks, export
from tracker.computed import Computed
from tracker.models import User
from tracker.vocabularies import Audience

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

LEVEL = {Audience.PUBLIC: 0, Audience.RESEARCHER: 1, Audience.STAFF: 2}
#: what is computed from other rows, which may be hidden by now
COMPUTED = {"name", "first_recorded_on", "last_confirmed_on"}
#: the tables of rows of the database; the others are counted out of them
RECORDS = {table.name for table in export.TABLES if not isinstance(table, Computed)}


def now(audience):
    with connections[clocks.database(audience)].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


@contextmanager
def known_at(audience, moment, **options):
    """As ``clocks.standing``, within the transaction of the test."""
    with transaction.atomic(using=clocks.database(audience)):
        clocks.rebuild(audience, moment, **options)
        yield
        transaction.set_rollback(True, using=clocks.database(audience))


def files(audience):
    return {table.name: b"".join(export.stream(table, audience)) for table in export.tables_for(audience)}


def rows(text):
    return {row["id"]: row for row in csv.DictReader(io.StringIO(text.decode(), newline=""))}


@dataclass
class Export:
    audience: Audience
    moment: object
    files: dict
    #: ids of what could be seen then, and at any time since
    seen: set


@contextmanager
def a_world():
    with ExitStack() as rolled_back:
        for alias in ALL_DATABASES:
            block = transaction.atomic(using=alias)
            block._from_testcase = True  # as of a test: publish opens its outermost transaction inside
            rolled_back.enter_context(block)
            rolled_back.callback(transaction.set_rollback, True, using=alias)
        world = World([User.objects.create(username=name) for name in ("alice", "bob", "carol")])
        world.remember()
        world.step("publish", 0, 0, 1)
        assert world.published, "the first publication is of everything"
        yield world


def seen(world, level):
    """Ids of the things that the audience sees, and of their parts."""
    found = set()
    for thing in [*world.records, *world.sources, world.case]:
        if thing.shown(level):
            found.add(str(thing.row.pk))
            found |= {str(key) for key, said in thing.out.parts.items() if world.says(thing, key, said, level)}
    return found


def make(world, audience):
    return Export(audience, now(audience), files(audience), seen(world, LEVEL[audience]))


# --- Nothing is withdrawn: the same bytes

EDITS = st.sampled_from(
    ["publish"] * 6
    + ["text", "text", "name", "cite", "source", "delete", "move name", "move", "link", "link", "part", "part"]
    + ["submit", "send back"]
)
NUMBER = st.integers(0, 11)
SETTINGS = settings(
    max_examples=3,
    derandomize=True,
    phases=[Phase.generate],  # to make an example smaller takes minutes: add Phase.shrink when there is one
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@given(steps=st.lists(st.tuples(EDITS, NUMBER, NUMBER, NUMBER), min_size=10, max_size=24))
@SETTINGS
def test_what_was_never_withdrawn_is_the_same_to_the_byte(db, steps):
    with a_world() as world:
        exports = [make(world, audience) for audience in Audience]
        for number, (what, a, b, c) in enumerate(steps):
            world.step(what, a, b, 0 if what == "part" else c)  # 0: a part that stays public
            world.remember()
            exports.append(make(world, list(Audience)[number % 3]))
        for made in exports[:: len(exports) // 12 or 1]:
            with known_at(made.audience, made.moment):
                again = files(made.audience)
            for name, text in made.files.items():
                assert again[name] == text, name


# --- Withdrawn, closed, taken back: no more than then and now, and all of what was always there

ANYTHING = st.sampled_from(
    ["publish"] * 6
    + ["disclosure"] * 4
    + ["text", "consent", "consent", "name", "cite", "part", "part", "source", "delete", "delete", "move name", "move"]
    + ["link", "submit", "send back", "withdraw", "take back"]
)


@given(steps=st.lists(st.tuples(ANYTHING, NUMBER, NUMBER, NUMBER), min_size=10, max_size=24))
@SETTINGS
def test_what_is_seen_was_seen_then_and_may_be_seen_now(db, steps):
    with a_world() as world:
        exports = [make(world, audience) for audience in Audience]
        sealed = False
        for number, step in enumerate(steps):
            acts = {thing: thing.out for thing in [*world.records, *world.sources, world.case]}
            world.step(*step)
            world.remember()
            sealed |= any(thing.now.disclosure == "sealed" for thing in acts)
            taken_back = set()
            if step[0] in {"take back", "withdraw"}:
                taken_back = {
                    str(key)
                    for thing, out in acts.items()
                    if out is not thing.out
                    for key in (thing.row.pk, *(out.parts if out else ()), *(thing.out.parts if thing.out else ()))
                }
            for made in exports:
                made.seen &= seen(world, LEVEL[made.audience]) - taken_back
            exports.append(make(world, list(Audience)[number % 3]))
        for made in exports[:: len(exports) // 12 or 1]:
            with known_at(made.audience, made.moment):
                again = files(made.audience)
            check(world, made, again)
            if made.audience is Audience.STAFF and not sealed:
                assert again == made.files


def check(world, made, again):
    level = LEVEL[made.audience]
    for name in RECORDS & again.keys():
        text = again[name]
        then = rows(made.files[name])
        for key, row in rows(text).items():
            assert key in then, (name, row)
            differs = {column for column in row if row[column] != then[key][column]} - COMPUTED
            assert not any(row[column] for column in differs), (name, differs, row, then[key])
    # whoever must not see something now sees no word of it
    everything = b"".join(again.values()).decode()
    for text, (thing, _key) in world.slots.items():
        if text and (not thing.open_now(level) if level == 2 else not thing.shown(level)):
            assert text not in everything, (text, thing.model)
    if level == 2:
        return
    here = {name: rows(text) for name, text in again.items() if name in RECORDS}
    for name in here:
        text = made.files[name]
        for key, row in rows(text).items():
            above = [row.get("person_id"), row.get("source_id") if name == "reported_figures" else None]
            if name == "citations":
                above += [row["record_id"], row["source_id"], row["part_id"]]
            if key in made.seen and all(one in made.seen for one in above if one) and key not in here[name]:
                assert name in {"persons", "sources", "cases"}, (name, row)  # these only as long as others need them
                using = [other for found in here.values() for other in found.values() if key in other.values()]
                assert not using, (name, row, using)
