"""The database as it stood at a moment."""

from contextlib import contextmanager

import pytest
from django.db import connections, transaction

from tests.conftest import ALL_DATABASES
from tests.tracker.test_publication_property import World
from tracker import clocks, export
from tracker.models import User
from tracker.vocabularies import Audience

AUDIENCES = list(Audience)


def now(audience):
    with connections[clocks.database(audience)].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


@contextmanager
def at(audience, moment, **options):
    """As ``clocks.standing``, within the transaction of the test."""
    with transaction.atomic(using=clocks.database(audience)):
        clocks.rebuild(audience, moment, **options)
        yield
        transaction.set_rollback(True, using=clocks.database(audience))


def files(audience):
    return {table.name: b"".join(export.stream(table, audience)) for table in export.tables_for(audience)}


@pytest.mark.django_db(databases=ALL_DATABASES)
def test_smoke():
    world = World([User.objects.create(username=name) for name in ("alice", "bob", "carol")])
    world.step("publish", 0, 0, 1)
    import time

    for a in AUDIENCES:
        t = now(a)
        made = files(a)
        s = time.time()
        with at(a, t):
            print(a, time.time() - s)
            assert files(a) == made
