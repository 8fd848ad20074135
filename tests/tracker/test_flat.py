"""One row a person, one row a release: which of several is taken, and how several stand in one cell."""

import pytest

from releases.models import Leg, Release, ReleaseEvent
from tests.conftest import ALL_DATABASES
from tests.rows import change, make
from tests.tracker.test_export import ANNA, PID, fill, uuid
from tests.tracker.test_spells import cells, sentenced
from tracker import export
from tracker.models import (
    Charge,
    Detention,
    Facility,
    Name,
    Organisation,
    Person,
    Placement,
    Prosecution,
    Provision,
    Recognition,
)
from tracker.vocabularies import Audience

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)


def flat(table="persons_flat", **options):
    (row,) = cells(table, **options)
    return row


def filled(row):
    return {name: cell for name, cell in row.items() if cell}


def test_a_person_of_the_public():
    fill("public")
    assert filled(flat(audience=Audience.PUBLIC)) == {
        "id": str(ANNA), "pid": PID, "name": "Anna Exampleva", "other_names": "Ганна Прыкладава", "sex": "female",
        "citizenships": "BY;UA", "born": "1980", "born_earliest": "1980-01-01", "born_latest": "1980-12-31",
        "born_precision": "year", "occupations": "activist;lawyer", "detentions": "1",
        "first_arrest": "2021-03", "first_arrest_earliest": "2021-03-01", "first_arrest_latest": "2021-03-31",
        "first_arrest_precision": "month", "detention_id": uuid(4),
        "started": "2021-03", "started_earliest": "2021-03-01", "started_latest": "2021-03-31",
        "started_precision": "month", "ended": "2025-12-13", "ended_earliest": "2025-12-13",
        "ended_latest": "2025-12-13", "ended_precision": "day", "end_reason": "released",
        "facility": "Invented Colony", "custody_type": "iuot", "custody": "open", "release_id": uuid(8),
        "released_on": "2025-12-13", "released_on_earliest": "2025-12-13", "released_on_latest": "2025-12-13",
        "released_on_precision": "day", "event_rid": "11111-11111", "release_outcome": "confirmed",
        "departure": "unknown", "handed_over_to": "UA", "last_known_country": "UA",
    }  # fmt: skip


def test_a_release_of_the_public():
    fill("public")
    assert filled(flat("releases_flat", audience=Audience.PUBLIC)) == {
        "id": uuid(8), "person_id": str(ANNA), "person_pid": PID, "name": "Anna Exampleva", "sex": "female",
        "citizenships": "BY;UA", "event_id": uuid(7), "event_rid": "11111-11111", "event_title": "Invented release",
        "released_on": "2025-12-13", "released_on_earliest": "2025-12-13", "released_on_latest": "2025-12-13",
        "released_on_precision": "day", "outcome": "confirmed", "departure": "unknown", "handed_over_to": "UA",
        "handed_over_at": "Kyiv", "last_known_country": "UA",
    }  # fmt: skip


def test_rows_are_those_of_the_tables_they_are_of():
    fill("public")
    Person.objects.using("public").create()  # a relative
    for flat_, table in (("persons_flat", "persons"), ("releases_flat", "releases")):
        assert [row["id"] for row in cells(flat_, audience=Audience.PUBLIC)] == [
            row["id"] for row in cells(table, audience=Audience.PUBLIC)
        ]
        assert export.count(export.get_table(flat_), Audience.PUBLIC) == 1


def test_names(person):
    make(Detention, person=person)
    spellings = ["Wrong One", "Testava", "Żona", "Ab; Cd", "Testava", "=1+1"]
    for position, text in enumerate(spellings, 1):
        make(Name, person=person, text=text, position=position, kind="erroneous" if position == 1 else "legal")
    assert (flat()["name"], flat()["other_names"]) == ("Testava", "=1+1;Ab, Cd;Żona")
    text = b"".join(export.stream(export.get_table("persons_flat"), Audience.STAFF, excel=True)).decode()
    assert "Testava,'=1+1;Ab, Cd;Żona," in text.replace('"', "")


def test_the_last_detention(person):
    first = make(Detention, person=person, started="2020-05", ended="2021")
    second = make(Detention, person=person, ended="2023-02-01")
    assert (flat()["detention_id"], flat()["detentions"], flat()["first_arrest"]) == (str(second.pk), "2", "2020-05")
    change(first, ended="2024").save()
    assert flat()["detention_id"] == str(first.pk)
    third = make(Detention, person=person)  # nobody knows since when, but it is not over
    assert flat()["detention_id"] == str(third.pk)
    make(Placement, detention=third, custody_type="sizo", facility=make(Facility, name="First"))
    make(Placement, detention=third, custody_type="colony", started="2024-03")
    assert (flat()["facility"], flat()["custody_type"], flat()["custody"]) == ("", "colony", "closed")


def test_articles_and_recognitions(person):
    make(Detention, person=person)
    assert (flat()["articles"], flat()["recognitions"]) == ("", "")
    for country, law, article in (
        ("BY", "criminal_code", "361-1"),
        ("BY", "criminal_code", "130"),
        ("BY", "administrative_code", "19.11"),
        ("LT", "criminal_procedure_code", "7"),
    ):
        provision = make(Provision, country=country, law=law, article=article)
        for _time in range(2):
            make(Charge, prosecution=make(Prosecution, person=person), provision=provision)
    make(Charge, prosecution=make(Prosecution, person=person))
    assert flat()["articles"] == "BY AC 19.11;BY CC 130;BY CC 361-1;LT CPC 7"
    for name, status in (("Zeta", "political_prisoner"), ("Alpha", "withdrawn"), ("Zeta", "not_recognised")):
        body = Organisation.objects.filter(name=name).first() or make(Organisation, name=name)
        make(Recognition, person=person, body=body, status=status)
    assert flat()["recognitions"] == "Alpha: withdrawn;Zeta: not_recognised;Zeta: political_prisoner"


def test_the_sentence_stands_on_the_day_of_the_file(person):
    sentenced(make(Detention, person=person), years=3, months=6, regime="strict")
    row = flat()
    assert [row[f"sentence_{name}"] for name in ("kind", "years", "months", "days", "regime")] == [
        "imprisonment", "3", "6", "", "strict",
    ]  # fmt: skip


def test_the_last_release(person):
    later = make(Release, person=person, outcome="refuted", released_on="2025-12")
    assert flat()["release_id"] == str(later.pk)
    event = make(ReleaseEvent)
    confirmed = make(Release, person=person, event=event, released_on="2024", legal_bases=["pardon", "amnesty"])
    row = flat()
    assert (row["release_id"], row["event_rid"], row["legal_bases"]) == (str(confirmed.pk), event.rid, "amnesty;pardon")
    assert len(cells("releases_flat")) == 2


def test_the_way_out(person):
    release = make(Release, person=person)
    assert (flat()["handed_over_to"], flat()["last_known_country"]) == ("", "")
    make(Leg, release=release, position=1, countries=["UA"], status="refused")
    make(Leg, release=release, position=2, countries=["LT", "PL"], happened="2025-12", place="Invented Crossing")
    make(Leg, release=release, position=3, kind="onward", countries=["DE"], happened="2025-12-20")
    make(Leg, release=release, position=4, kind="onward", countries=[], happened="2025-12-24")
    make(Leg, release=release, position=5, kind="onward", countries=["US"], status="planned")
    row = flat("releases_flat")
    assert (row["handed_over_to"], row["handed_over_on"], row["handed_over_at"]) == (
        "LT;PL", "2025-12", "Invented Crossing",
    )  # fmt: skip
    assert (row["onward_to"], row["onward_on"], row["last_known_country"]) == ("", "2025-12-24", "DE")


def test_a_sealed_event_does_not_show(person):
    event = make(ReleaseEvent, disclosure="sealed")
    make(Detention, person=person)
    make(Release, person=person, event=event)
    assert (flat()["release_id"], flat()["event_rid"]) == ("", "")
    assert cells("releases_flat") == []
