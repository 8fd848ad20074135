"""The pages on which a list is logged, walked as an editor would, without scripts."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from releases import recording
from releases.models import ListLine, Release, ReleaseEvent, Sitting
from tests.releases.sittings import DAY, a_sitting, decide, held, line, take_all
from tests.rows import make
from tests.tracker.admin_pages import fields
from tracker.models import Grant, Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client, alice):
    client.force_login(alice)
    return client


def url(name, *args):
    return reverse(f"admin:releases_sitting_{name}", args=args)


def text(response):
    assert response.status_code == 200, response
    return response.content.decode()


def ticked_in(page, sitting, pile):
    return fields(page.get(url("group", sitting.pk, pile)), "group_form")["line"]


def start(page, **values):
    shared = {
        "released_on": DAY, "outcome": "confirmed", "departure": "unknown", "closes": "on", "status": "completed",
        "onward_status": "planned", "locator": "line {n}", "disclosure": "public", "countries": ["UA"],
    }  # fmt: skip
    return page.post(url("add"), {**shared, **values})


def begun(page, **values):
    response = start(page, step="begin", **values)
    assert response.status_code == 302, text(response)
    return Sitting.objects.get()


# --- Beginning


def test_a_list_of_a_new_event_from_a_new_source(page, alice):
    repeated = make(Source, title="The invented original")
    sitting = begun(
        page,
        new_event="An invented handover",
        new_event_announced="2025-12-12",
        new_title="The list",
        new_publisher="Invented Times",
        new_url="https://example.org/list",
        new_language="ru",
        new_repeats=str(repeated.pk),
        pasted="1. Анна Примерова\n2. Николай Тестов, 45 лет\n",
    )
    event, source = sitting.event, sitting.source
    assert (event.title, event.announced.edtf, event.happened.edtf) == ("An invented handover", "2025-12-12", DAY)
    assert (source.title, source.publisher, source.language, source.derived_from) == (
        "The list", "Invented Times", "ru", repeated,
    )  # fmt: skip
    assert sitting.started_by == alice
    assert list(sitting.lines.values_list("number", "text", "age", "verdict")) == [
        (1, "Анна Примерова", None, "new"),
        (2, "Николай Тестов", 45, "new"),
    ]


def test_the_event_of_the_address_is_filled_in(page):
    event = make(ReleaseEvent, happened=DAY, legal_bases=["pardon"])
    given = fields(page.get(url("add"), {"event": str(event.pk)}), "list_form")
    assert given["event"] == [str(event.pk)]
    assert given["released_on"] == [DAY]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"new_title": "The list", "pasted": "Anna Exampleva"}, "Choose the event, or name a new one."),
        ({"new_event": "One", "pasted": "Anna Exampleva"}, "Choose the source of the list, or enter a new one."),
        ({"new_event": "One", "new_publisher": "Somebody", "pasted": "Anna Exampleva"}, "Give the new one a title."),
        ({"new_event": "One", "new_title": "The list"}, "Paste the list, or upload it."),
        ({"new_event": "One", "new_title": "T", "pasted": "A", "locator": "somewhere"}, "write {n} where its number"),
        ({"new_event": "One", "new_title": "T", "pasted": "A", "released_on": "soon"}, "soon"),
    ],
)
def test_what_is_missing_is_said_and_nothing_typed_is_lost(page, values, said):
    answer = start(page, step="begin", **values)
    assert said in text(answer)
    assert not Sitting.objects.exists()
    assert not ReleaseEvent.objects.exists()
    kept = fields(answer, "list_form")
    for name in ("new_event", "new_title", "pasted", "locator", "released_on"):
        if name in values:
            assert kept[name][0].strip() == values[name]


def test_an_address_that_is_recorded_is_not_recorded_again(page):
    make(Source, title="There already", url="https://example.org/list")
    answer = text(
        start(page, step="begin", new_event="One", new_title="T", new_url="https://example.org/list", pasted="A B")
    )
    assert "There already" in answer
    assert Source.objects.count() == 1


def test_columns_are_shown_and_confirmed(page):
    table = "Imię\tNazwisko\tUwagi\nAnna\tExampleva\tsick\n"
    given = {"new_event": "One", "new_title": "The list", "pasted": table}
    shown = fields(start(page, step="read", **given), "list_form")
    assert shown["width"] == ["3"]
    assert [shown[f"column-{place}"][0] for place in range(3)] == ["given_name", "surname", "note"]
    chosen = {"width": "3", "column-0": "surname", "column-1": "given_name", "column-2": "", "headed": "1"}
    sitting = begun(page, **given, **chosen)
    assert [(row.text, row.note) for row in sitting.lines.all()] == [("Anna Exampleva", "")]


def test_an_uploaded_file_is_carried_on_as_text(page):
    file = SimpleUploadedFile("list.txt", "Анна Примерова\nНиколай Тестов".encode("cp1251"))
    answer = start(page, step="read", new_event="One", new_title="The list", file=file)
    pasted = fields(answer, "list_form")["pasted"][0]
    assert "Анна Примерова" in pasted
    sitting = begun(page, new_event="One", new_title="The list", pasted=pasted)
    assert list(sitting.lines.values_list("number", "text")) == [(1, "Анна Примерова"), (2, "Николай Тестов")]


def test_a_source_of_a_sealed_event_is_sealed(page, alice):
    event = make(ReleaseEvent, disclosure="sealed")
    event.grants.create(user=alice)
    sitting = begun(page, event=str(event.pk), new_title="A name of somebody", pasted="Anna Exampleva")
    assert sitting.source.disclosure == "sealed"
    assert list(sitting.source.grants.values_list("user", flat=True)) == [alice.pk]


# --- The sitting


def test_the_pile_that_needs_somebody_comes_first(page, alice):
    held("Mikalai Testau")
    held("Anna Exampleva", started=None)
    sitting = a_sitting(alice, "Mikalai Testau", "Anna Exampleva", "Nobody Unheardof")
    answer = text(page.get(url("change", sitting.pk)))
    assert "Anna Exampleva" in answer
    assert "Mikalai Testau" not in answer
    assert 'aria-current="page">To choose <span class="count">1</span>' in answer


def test_each_choice_without_scripts(page, alice):
    person = held("Anna Exampleva", started=None)
    sitting = a_sitting(alice, "Anna Exampleva", "Ivan Prykladau", "Mikalai Testau", "")
    for number, choice in enumerate([f"person:{person.pk}:", "new", "later", "unidentified"], start=1):
        row = line(sitting, number)
        answer = page.post(url("line", sitting.pk, row.pk), {"choice": choice, "revision": row.revision})
        assert answer.status_code == 302
    rows = sitting.lines.order_by("number").values_list("decision", "person")
    assert list(rows) == [("person", person.pk), ("new", None), ("later", None), ("unidentified", None)]


def test_a_choice_with_scripts_is_answered_by_the_card(page, alice, bob):
    sitting = a_sitting(alice, "Anna Exampleva", "Ivan Prykladau")
    row = line(sitting, 1)
    sent = {"choice": "new", "revision": row.revision}
    answer = page.post(url("line", sitting.pk, row.pk), sent, headers={"X-Requested-With": "fetch"})
    assert 'data-left="1"' in text(answer)
    assert "<html" not in text(answer)
    again = page.post(
        url("line", sitting.pk, row.pk), {**sent, "choice": "skip"}, headers={"X-Requested-With": "fetch"}
    )
    assert again.status_code == 409
    assert "decided by alice meanwhile: New person" in again.content.decode()
    assert line(sitting, 1).decision == "new"


@pytest.mark.parametrize(
    "choice", ["", "nonsense", "person", "person:nobody:", "person:00000000-0000-0000-0000-000000000000:"]
)
@pytest.mark.parametrize("revision", ["1", "", "x", "99999999999999999999"])
def test_what_no_page_of_ours_sends_decides_nothing(page, alice, choice, revision):
    sitting = a_sitting(alice, "Anna Exampleva")
    answer = page.post(url("line", sitting.pk, line(sitting, 1).pk), {"choice": choice, "revision": revision})
    assert answer.status_code == 302
    assert line(sitting, 1).decision == ""


def test_somebody_else_is_looked_for_by_name(page, alice):
    person = held("Vasil Vydumany", started=None)
    sitting = a_sitting(alice, "Anna Exampleva")
    row = line(sitting, 1)
    answer = text(page.post(url("line", sitting.pk, row.pk), {"search": "1", "person-search": "Василий Выдуманный"}))
    assert f"person:{person.pk}:" in answer


def test_a_group_is_taken_after_one_screen_that_shows_it(page, alice):
    people = [held("Mikalai Testau"), held("Vasil Vydumany")]
    held("Anna Exampleva", died="2024")
    sitting = a_sitting(alice, "Mikalai Testau", "Vasil Vydumany", "Васіль Выдуманы")
    assert "On two lines" in text(page.get(url("group", sitting.pk, "same")))
    ticked = ticked_in(page, sitting, "same")
    assert [value.rsplit(":")[-1] for value in ticked] == [str(people[0].pk)]
    page.post(url("group", sitting.pk, "same"), {"line": ticked})
    assert list(sitting.lines.order_by("number").values_list("person", flat=True)) == [people[0].pk, None, None]


def test_an_empty_database_meets_its_first_list(page, alice):
    sitting = a_sitting(alice, "Anna Exampleva", "Mikalai Testau", "")
    ticked = ticked_in(page, sitting, "new")
    page.post(url("group", sitting.pk, "new"), {"line": ticked})
    assert list(sitting.lines.order_by("number").values_list("decision", flat=True)) == ["new", "new", "unidentified"]


def test_of_a_group_those_decided_meanwhile_stay(page, alice, bob):
    sitting = a_sitting(alice, "Anna Exampleva", "Mikalai Testau")
    ticked = ticked_in(page, sitting, "new")
    decide(sitting, 2, "skip", by=bob)
    answer = page.post(url("group", sitting.pk, "new"), {"line": ticked}, follow=True)
    assert "Line 2 was decided by bob meanwhile: Skip" in text(answer)
    assert list(sitting.lines.order_by("number").values_list("decision", flat=True)) == ["new", "skip"]


# --- Logging


def test_what_will_be_logged_is_shown_first(page, alice):
    held("Mikalai Testau")
    sitting = a_sitting(alice, "Mikalai Testau", "Anna Exampleva", "Ivan Prykladau")
    take_all(sitting, by=alice)
    decide(sitting, 3, "later", by=alice)
    answer = page.get(url("log", sitting.pk))
    assert "Log these 2 lines" in text(answer)
    assert "1 line is not decided yet" in text(answer)
    version = fields(answer, "log_form")["version"]
    done = page.post(url("log", sitting.pk), {"version": version})
    assert done.status_code == 302
    assert Release.objects.count() == 2
    again = page.post(url("log", sitting.pk), {"version": version}, follow=True)
    assert "changed the list since" in text(again)
    assert Release.objects.count() == 2


def test_shared_values_change_for_what_is_not_logged(page, alice):
    sitting = a_sitting(alice, "Anna Exampleva")
    given = fields(page.get(url("shared", sitting.pk)), "shared_form")
    assert given["countries"] == ["UA"]
    saved = page.post(url("shared", sitting.pk), {**given, "countries": ["LT"]})
    assert saved.status_code == 302
    sitting.refresh_from_db()
    assert sitting.countries == ["LT"]
    stale = page.post(url("shared", sitting.pk), {**given, "countries": ["PL"]})
    assert "changed" in text(stale)
    sitting.refresh_from_db()
    assert sitting.countries == ["LT"]


def test_a_list_is_dropped_only_while_nothing_is_logged_from_it(page, alice):
    sitting = a_sitting(alice, "Anna Exampleva")
    page.post(url("shared", sitting.pk), {"drop": "1"})
    assert Sitting.objects.exists()
    take_all(sitting, by=alice)
    recording.record(sitting, by=alice, version=recording.plan(sitting, by=alice).version)
    page.post(url("shared", sitting.pk), {"drop": "1", "sure": "1"})
    assert Sitting.objects.exists()
    other = a_sitting(alice, "Mikalai Testau")
    page.post(url("shared", other.pk), {"drop": "1", "sure": "1"})
    assert not Sitting.objects.filter(pk=other.pk).exists()
    assert not ListLine.objects.filter(sitting=other.pk).exists()


def test_the_lists_of_an_event_side_by_side(page, alice):
    held("Mikalai Testau")
    first = a_sitting(alice, "Mikalai Testau")
    second = a_sitting(alice, "Микола Тестов", "Anna Exampleva", event=first.event)
    for sitting in (first, second):
        take_all(sitting, by=alice)
        recording.record(sitting, by=alice, version=recording.plan(sitting, by=alice).version)
    answer = text(page.get(url("compare", first.pk)))
    assert "1 person is on all of the lists" in answer
    assert "not on this list" in answer


# --- Who may not


def pages_of(sitting):
    names = ["change", "shared", "log", "compare"]
    return [url(name, sitting.pk) for name in names] + [
        url("group", sitting.pk, "new"),
        url("line", sitting.pk, sitting.lines.first().pk),
    ]


@pytest.mark.parametrize("sealed", ["event", "source"])
def test_a_list_about_something_sealed_is_not_there_for_others(page, alice, sealed):
    rows = {"event": make(ReleaseEvent, title="Hidden thing"), "source": make(Source, title="Hidden thing")}
    sitting = a_sitting(alice, "Anna Exampleva", **rows)
    type(rows[sealed]).objects.filter(pk=rows[sealed].pk).update(disclosure="sealed")
    for address in pages_of(sitting):
        assert page.get(address).status_code == 404
        assert page.post(address, {"choice": "new", "revision": "1", "drop": "1", "sure": "1"}).status_code == 404
    assert "Hidden thing" not in text(page.get(url("changelist")))
    assert line(sitting, 1).decision == ""
    rows[sealed].grants.create(user=alice)
    assert page.get(pages_of(sitting)[0]).status_code == 200


def test_researchers_have_no_lists(client, charlie, alice):
    client.force_login(charlie)
    sitting = a_sitting(alice, "Anna Exampleva")
    for address in [url("changelist"), url("add"), *pages_of(sitting)]:
        assert client.get(address).status_code in {302, 403}


def test_a_sealed_person_of_whom_the_editor_knows_is_offered_and_not_taken(page, alice):
    person = held("Mikalai Testau", disclosure="sealed")
    sitting = a_sitting(alice, "Mikalai Testau")
    assert "This person" not in text(page.get(url("line", sitting.pk, line(sitting, 1).pk)))
    make(Grant, user=alice, person=person)
    answer = text(page.get(url("line", sitting.pk, line(sitting, 1).pk)))
    assert (
        "log the release on the person&#x27;s own page" in answer
        or "log the release on the person's own page" in answer
    )
    assert f"person:{person.pk}" not in answer


@pytest.mark.parametrize("name", ["change", "log", "compare"])
def test_a_page_costs_the_same_for_few_lines_and_for_many(page, alice, name):
    def cost(number):
        surnames = [f"Testau{chr(97 + place)}k" for place in range(number)]
        for surname in surnames:
            held(f"Mikalai {surname}")
        sitting = a_sitting(alice, *(f"Mikalai {surname}" for surname in surnames))
        if name != "change":
            take_all(sitting, by=alice)
        with CaptureQueriesContext(connection) as queries:
            text(page.get(url(name, sitting.pk)))
        return len(queries)

    few, many = cost(3), cost(12)
    assert many <= few + (12 if name == "log" else 0)  # a detention is looked at for each line that is logged
