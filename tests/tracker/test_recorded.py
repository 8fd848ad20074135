"""Since when a record has been in the data, and until when it is vouched for."""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.db import connections

from releases.models import Leg, Release, ReleaseCitation, ReleaseEvent, ReleaseEventCitation, ReportedFigure
from tests.conftest import ALL_DATABASES
from tests.rows import change, make
from tracker import export, publication, review
from tracker.computed import Computed
from tracker.importing.layout import TABLES
from tracker.models import (
    Detention,
    DetentionCitation,
    Grant,
    Name,
    Person,
    PersonCitation,
    Placement,
    Prosecution,
    ProsecutionCitation,
    Reviewed,
    Source,
    Verdict,
    VerdictCitation,
)
from tracker.versions import history_of
from tracker.vocabularies import Audience

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

RECORDED = {"first_recorded_on", "last_confirmed_on"}
RECORDS = {
    "persons": (Person, PersonCitation),
    "detentions": (Detention, DetentionCitation),
    "prosecutions": (Prosecution, ProsecutionCitation),
    "verdicts": (Verdict, VerdictCitation),
    "release_events": (ReleaseEvent, ReleaseEventCitation),
    "releases": (Release, ReleaseCitation),
}


def exported(name, audience=Audience.STAFF):
    text = b"".join(export.stream(export.get_table(name), audience)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def when(name, row, audience=Audience.STAFF):
    """Both columns of one row."""
    (found,) = [one for one in exported(name, audience) if one["id"] == str(row.pk)]
    return found["first_recorded_on"], found["last_confirmed_on"]


def at(row, moment, using="default"):
    """Moves all that history says of the row to a moment, as no program of ours can."""
    history = history_of(type(row))._meta.db_table
    with connections[using].cursor() as cursor:
        cursor.execute(f"UPDATE {history} SET pgh_created_at = %s WHERE pgh_obj_id = %s", [moment, row.pk])


def counted(model, **values):
    row = make(model, **values)
    if model is Person:
        make(Detention, person=row)
    return row


def test_every_reviewed_record_has_both_and_nothing_else():
    having = {table.name for table in export.TABLES if {column.name for column in table.columns} & RECORDED}
    assert having == {
        table.name
        for table in export.TABLES
        if not isinstance(table, Computed) and issubclass(table.models[0], Reviewed) and table.name != "merged_persons"
    }
    assert having == {*RECORDS, "reported_figures"}
    for table in export.TABLES:
        for column in table.columns:
            if column.name in RECORDED:
                assert column.audience is Audience.RESEARCHER


@pytest.mark.parametrize("name", RECORDS)
def test_the_first_event_counts_in_utc(name):
    row = counted(RECORDS[name][0])
    at(row, datetime(2025, 12, 13, 23, 59, 59, tzinfo=UTC))
    change(row, disclosure="researcher").save()
    assert when(name, row)[0] == "2025-12-13"
    with connections["default"].cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Europe/Vilnius'")
        assert when(name, row)[0] == "2025-12-13"


@pytest.mark.parametrize("name", RECORDS)
def test_the_latest_accepted_day_counts(name):
    model, citation = RECORDS[name]
    row = counted(model)
    said = {citation.owner: row}
    assert when(name, row)[1] == ""
    make(citation, **said)
    assert when(name, row)[1] == ""
    make(citation, **said, source=make(Source, published="2024"))
    assert when(name, row)[1] == "2024-12-31"
    # what it speaks of goes before the day it was printed
    older = make(citation, **said, source=make(Source, published="2025-12"), as_of="2025-02")
    assert when(name, row)[1] == "2025-02-28"
    make(citation, **said, as_of="2026-01-01/2026-01-09", standing="rejected", reasoning="No.")
    make(citation, **said, as_of="2026-01-01/2026-01-09", standing="unresolved")
    # somebody else's
    make(citation, as_of="2027")
    assert when(name, row)[1] == "2025-02-28"
    change(older, as_of=None).save()
    assert when(name, row)[1] == "2025-12-31"


def test_what_is_said_of_a_part_counts():
    placement = make(Placement)
    make(DetentionCitation, detention=placement.detention, placement=placement, as_of="2025-05-05")
    assert when("detentions", placement.detention)[1] == "2025-05-05"
    name = make(Name)
    make(Detention, person=name.person)
    make(PersonCitation, person=name.person, name=name, as_of="2025-06-06")
    assert when("persons", name.person)[1] == "2025-06-06"
    leg = make(Leg)
    make(ReleaseCitation, release=leg.release, leg=leg, as_of="2025-07-07")
    assert when("releases", leg.release)[1] == "2025-07-07"


def test_a_figure_speaks_for_itself():
    published = make(Source, published="2025-12-13")
    for values, day in (
        ({"as_of": "2025-11"}, "2025-11-30"),
        ({"period": "2025"}, "2025-12-13"),
        ({"as_of": "2025-11", "standing": "rejected", "reasoning": "No."}, ""),
    ):
        assert when("reported_figures", make(ReportedFigure, source=published, **values))[1] == day


def test_what_is_sealed_vouches_for_nothing(bob):
    detention = make(Detention)
    source = make(Source, title="A sealed letter", disclosure="sealed")
    make(Grant, user=bob, person=None, source=source)
    make(DetentionCitation, detention=detention, source=source, as_of="2025-12-13")
    assert when("detentions", detention)[1] == ""


def published(alice, bob, *records):
    review.submit(records, by=alice)
    publication.publish(records, by=bob)


def test_readers_see_since_when_they_could_and_what_they_may(alice, bob):
    person = make(Person)
    detention = make(Detention, person=person, started="2021")
    open_, shut = make(Source, published="2021"), make(Source, published="2023", kind="letter", disclosure="staff")
    for source in (open_, shut):
        make(PersonCitation, person=person, source=source)
        make(DetentionCitation, detention=detention, source=source)
    for row in (person, detention):
        at(row, datetime(2020, 1, 1, tzinfo=UTC))
    published(alice, bob, person, detention)
    for row in (person, detention):
        at(row, datetime(2022, 2, 2, tzinfo=UTC), "researcher")
    for name, row in (("persons", person), ("detentions", detention)):
        assert when(name, row) == ("2020-01-01", "2023-12-31")
        assert when(name, row, Audience.RESEARCHER) == ("2022-02-02", "2021-12-31")
        assert not RECORDED & exported(name, Audience.PUBLIC)[0].keys()


def test_an_import_takes_no_notice_of_them(alice):
    from tests.tracker.test_importing import load, sentences

    detention = make(Detention)
    for name in TABLES:
        if name in RECORDS:
            rows = [
                row | {"first_recorded_on": "1999-01-01", "last_confirmed_on": "1999-01-01"} for row in exported(name)
            ]
            if rows:
                result = load(name, rows, alice)
                assert (sentences(result), result.changed, result.added) == ([], 0, 0)
    assert detention.pk
