"""``in_custody``: who is in custody on a day."""

import csv
import io
import itertools
from datetime import date

import pytest
from django.urls import reverse

from tests.conftest import ALL_DATABASES
from tests.copies import Copy
from tracker import export
from tracker.dates import parse
from tracker.models import Detention, Facility, Organisation, Person, Placement, Recognition
from tracker.vocabularies import Audience

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

DAY = date(2025, 12, 13)


def held(on=DAY, audience=Audience.PUBLIC, **options):
    text = b"".join(export.stream(export.get_table("in_custody"), audience, on=on, **options)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_one_row_with_everything():
    copy = Copy("public")
    person = copy.person(("Wrong Name", "erroneous"), "Anna Invented")
    colony = copy.add(Facility, name="Invented Colony")
    detention = copy.add(Detention, person=person, started=parse("2025-11"))
    copy.add(Placement, detention=detention, custody_type="sizo", ended=parse("2025-12-01"))
    copy.add(Placement, detention=detention, custody_type="iuot", started=parse("2025-12-01"), facility=colony)
    body = copy.add(Organisation, name="Committee; invented")
    statements = [("political_prisoner", "2025-11"), ("withdrawn", "2025-12-10"), ("political_prisoner", "2025-12-11")]
    for status, started in statements:
        copy.add(Recognition, person=person, body=body, status=status, started=parse(started))
    former = copy.add(Organisation, name="Another Committee")
    copy.add(Recognition, person=person, body=former, status="political_prisoner", started=parse("2025-11-10"))
    copy.add(Recognition, person=person, body=former, status="withdrawn", started=parse("2025-12-01"))
    (row,) = held()
    assert row == {
        "day": "2025-12-13", "person_id": str(person.pk), "person_pid": person.pid, "name": "Anna Invented",
        "certainty": "certain", "status": "restricted", "custody": "open", "custody_type": "iuot",
        "facility_id": str(colony.pk), "facility": "Invented Colony", "detention_id": str(detention.pk),
        "started": "2025-11", "started_earliest": "2025-11-01", "started_latest": "2025-11-30",
        "started_precision": "month", "days_held_min": "13", "days_held_max": "42",
        "recognised_by": "Committee, invented",
    }  # fmt: skip
    (row,) = held(date(2025, 11, 20))
    assert (row["certainty"], row["custody_type"], row["custody"]) == ("possible", "sizo", "closed")
    assert (row["days_held_min"], row["days_held_max"]) == ("0", "19")
    assert row["recognised_by"] == "Another Committee;Committee, invented"
    assert held(date(2025, 10, 31)) == []


STARTS = [None, "2025-12-13", "2025-12", "2025", "2025-12-14", "2024-06-01"]
ENDS = [None, "2025-12-12", "2025-12-13", "2025-12-14", "2025-12", "2026-01-01"]
DAYS = [date(2024, 6, 1), date(2025, 11, 30), date(2025, 12, 12), DAY, date(2025, 12, 14), date(2026, 1, 1)]


def test_the_same_people_as_everywhere():
    """Of every combination of what can be known of a detention, and of a death."""
    copy = Copy("public")
    for start, end, died in itertools.product(STARTS, ENDS, [None, "2025-12-13"]):
        if start and end and parse(end).latest < parse(start).earliest:
            continue
        person = copy.person("Invented Person", died=died and parse(died))
        copy.add(
            Detention,
            person=person,
            started=start and parse(start),
            ended=end and parse(end),
            confirmed=date(2025, 6, 1) if start is None and end is None else None,
        )
    for on in DAYS:
        persons = Person.objects.using("public").in_custody(on).with_status(on)
        expected = {(str(one.pk), "certain" if one.surely else "possible", one.status) for one in persons}
        rows = held(on)
        assert {(row["person_id"], row["certainty"], row["status"]) for row in rows} == expected, on
        assert len(rows) == len(expected)
        for row in rows:
            if row["days_held_max"]:
                assert int(row["days_held_min"]) <= int(row["days_held_max"])


def test_the_sure_one_of_two_detentions_is_given():
    copy = Copy("public")
    person = copy.person("Anna Invented")
    sure = copy.add(Detention, person=person, started=parse("2024"), ended=parse("2026-02-01"))
    copy.add(Detention, person=person, started=parse("2025"), ended=parse("2025"))
    (row,) = held()
    assert (row["detention_id"], row["certainty"]) == (str(sure.pk), "certain")


def test_over_http(client, settings):
    settings.PUBLIC_SITE = True
    copy = Copy("public")
    person = copy.person("Anna Invented", sex="female")
    copy.add(Detention, person=person, started=parse("2025-11-01"), ended=parse("2025-12-13"))

    def ask(**parameters):
        return client.get(reverse("table_csv", args=["in_custody"]), parameters)

    def rows(**parameters):
        text = b"".join(ask(**parameters).streaming_content).decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))

    (row,) = rows(on="2025-12-01")
    assert (row["day"], row["certainty"]) == ("2025-12-01", "certain")
    assert rows(on="2025-12-01", sex="male") == []
    assert rows() == []
    refused = ask(on="2025-02-30")
    assert refused.status_code == 400
    assert "“2025-02-30” is no day" in refused.content.decode()
