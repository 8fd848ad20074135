"""Notes on the pages of the staff: in a box where they belong, in a list, and on the index when they are due."""

import re
from datetime import timedelta
from html import escape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from releases.models import ListLine, Note, ReleaseEvent, Sitting
from tests.conftest import ALL_DATABASES
from tests.releases.test_notes import SEALED, closed, grant, sealed_note
from tests.rows import make
from tests.tracker.admin_pages import fields, save
from tracker.models import Name, Person, Source

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

LIST = "/admin/releases/note/"
ADD = "/admin/releases/note/add/"
INDEX = "/admin/"


@pytest.fixture
def page(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def root(django_user_model):
    return django_user_model.objects.create_superuser("root", password="x")


def text(response):
    assert response.status_code == 200, (response.status_code, getattr(response, "url", ""))
    return response.content.decode()


def address(record, page="change"):
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_{page}", args=[record.pk])


def step(client, note, name, **sent):
    return client.post(address(note, "step"), {"step": name, "revision": str(note.revision), **sent})


def about(kind):
    return {
        "person": lambda: {"person": make(Person, label="Invented Person")},
        "event": lambda: {"person": None, "event": make(ReleaseEvent)},
        "line": lambda: {"person": None, "line": make(ListLine)},
    }[kind]()


def day(days):
    return timezone.localdate() + timedelta(days=days)


# --- The box


@pytest.mark.parametrize("kind", ["person", "event"])
def test_written_ticked_off_and_opened_again_on_the_page_of_what_it_is_about(page, alice, kind):
    record = about(kind)[kind]
    url = address(record)
    form = f"{ADD}?{kind}={record.pk}"
    sent = {name: values[0] for name, values in fields(page.get(url), form).items()}
    assert sent[kind] == str(record.pk)
    added = page.post(form, {**sent, "text": "Call the <b>mother</b>", "due": "2026-03-10", "_save": "1"})
    note = Note.objects.get()
    assert (note.about, str(note.due), note.written_by) == (record, "2026-03-10", alice)
    assert added.url == f"{url}#notes-{record.pk}"
    shown = text(page.get(url))
    assert escape("Call the <b>mother</b>") in shown
    assert "overdue since 10 March 2026" in shown
    done = step(page, note, "done", next=added.url)
    assert done.url == added.url
    note.refresh_from_db()
    assert note.done_by == alice
    shown = text(page.get(url))
    assert "1 is done" in shown
    assert "overdue" not in shown
    step(page, note, "reopen")
    assert list(Note.objects.open()) == [note]


def test_of_a_line(page, alice):
    """Its page shows the box, and every note leads back to it."""
    line = make(ListLine, text="Anna Exampleva")
    its_page = reverse("admin:releases_sitting_line", args=[line.sitting_id, line.pk])
    url = f"{ADD}?line={line.pk}"
    assert url in text(page.get(its_page))
    assert "Anna Exampleva" in text(page.get(url)), "it says what the note is about"
    assert page.post(url, {"line": str(line.pk), "text": "Which Anna?", "_save": "1"}).url == its_page
    assert "Which Anna?" in text(page.get(its_page))
    note = Note.objects.get()
    assert note.about == line
    assert "Anna Exampleva" in text(page.get(address(note)))
    assert "Anna Exampleva" in text(page.get(LIST))


@pytest.mark.parametrize(
    ("kind", "sent", "told"),
    [
        ("person", {"text": "Call them", "due": "soon"}, "Enter a valid date"),
        ("person", {"text": "Call them", "person": "00000000-0000-0000-0000-000000000000"}, "Select a valid choice"),
        ("person", {"text": "Call them", "person": "x"}, "is not a valid UUID"),
        ("person", {"text": "Call them", "person": ""}, "one of them"),
        ("event", {"text": " ", "due": "2026-03-10"}, "This field is required"),
        ("line", {"text": "Call them", "line": "00000000-0000-0000-0000-000000000000"}, "is not there (any more)"),
        ("line", {"text": "Call them", "line": ""}, "one of them"),
    ],
)
def test_what_was_typed_comes_back_with_a_sentence(page, kind, sent, told):
    record = about(kind)[kind]
    back = address(make(Person))
    response = page.post(f"{ADD}?{kind}={record.pk}", {kind: str(record.pk), "next": back, "_save": "1", **sent})
    assert told in text(response)
    typed = fields(response, "note_form")
    assert [typed["text"][0].strip(), *typed["due"]] == [sent["text"].strip(), sent.get("due", "")]
    assert typed["next"] == [back], "and once it is right, the way leads back"
    assert not Note.objects.exists()


def test_the_way_leads_back_to_no_other_site(page):
    note = make(Note)
    for asked in ("https://example.org/", "//example.org/", "javascript:alert(1)"):
        assert step(page, note, "done", next=asked).url == address(note.person)


# --- Ticked off, and edited


def test_what_somebody_edited_meanwhile_is_not_ticked_off_unread(page):
    note = make(Note, text="Call the mother")
    seen = Note.objects.get()
    note.text = "Call the father"
    note.save()
    for revision in (str(seen.revision), "", "x", "9" * 30):
        response = page.post(address(note, "step"), {"step": "done", "revision": revision}, follow=True)
        assert "Somebody else has changed this" in text(response)
    assert Note.objects.open().exists()


def test_ticked_off_twice_is_ticked_off_once(page, alice, bob):
    note = make(Note)
    step(page, note, "done")
    page.force_login(bob)
    assert step(page, note, "done").status_code == 302
    assert Note.objects.get().done_by == alice
    for name in ("", "nonsense"):
        assert step(page, note, name).status_code == 302
    assert page.get(address(note, "step")).status_code == 302
    assert Note.objects.get().done_by == alice


def test_edited_with_its_history_and_deleted(page):
    note = make(Note, text="Call the mother")
    save(page, address(note), {"text": "Call the father"}, form="note_form")
    shown = text(page.get(address(note, "history")))
    assert "Call the mother" in shown
    assert "Call the father" in shown
    note.refresh_from_db()
    assert note.text == "Call the father"
    typed = {"text": "Call the uncle", "revision": "1"}
    assert "Somebody else has changed this" in text(save(page, address(note), typed, form="note_form"))
    page.post(address(note, "delete"), {"post": "yes", "revision": str(note.revision)})
    assert not Note.objects.exists()


# --- The index and the list


def test_the_index_has_what_is_overdue_first_then_what_is_due_this_week_and_counts_the_rest(page):
    person = make(Person)
    make(Name, person=person, text="Anna Exampleva")
    days = {"due today": day(0), "due long ago": day(-9), "due in 6 days": day(6), "next week": day(7), "no day": None}
    for said, due in days.items():
        make(Note, person=person, text=said, due=due)
    make(Note, text="done already", due=day(-1), done_at=timezone.now(), done_by=make(Note).written_by)
    shown = text(page.get(INDEX))
    assert [shown.find(said) >= 0 for said in ("next week", "no day", "done already")] == [False] * 3
    places = [shown.index(said) for said in ("due long ago", "due today", "due in 6 days")]
    assert places == sorted(places)
    assert "1 overdue" in shown
    assert shown.count("overdue since") == 1
    assert "and 3 more open notes" in shown
    assert "Anna Exampleva" in shown
    assert f"{LIST}?state=open" in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"mine, due", "mine, done", "another's"}),
        ("?state=open", {"mine, due", "another's"}),
        ("?state=due", {"mine, due"}),
        ("?state=done", {"mine, done"}),
        ("?mine=yes", {"mine, due", "mine, done"}),
        ("?q=another", {"another's"}),
        ("?state=open&mine=yes&q=due", {"mine, due"}),
    ],
)
def test_the_list_is_searched_and_filtered(page, alice, bob, query, found):
    make(Note, text="mine, due", written_by=alice, due=day(0))
    make(Note, text="another's", written_by=bob, due=day(1))
    make(Note, text="mine, done", written_by=alice, due=day(0)).finish(bob)
    shown = text(page.get(f"{LIST}{query}"))
    assert {said for said in ("mine, due", "mine, done", "another's") if escape(said) in shown} == found


def test_pages_cost_the_same_number_of_queries_with_twice_the_notes(page):
    person, event = make(Person), make(ReleaseEvent)

    def rows(number):
        for _each in range(number):
            other = make(Person)
            make(Name, person=other, text="Anna Exampleva")
            for values in ({"person": person}, {"person": None, "event": event}, {"person": other}, about("line")):
                make(Note, **values, due=day(-1))
                make(Note, **values).finish(make(Note).written_by)

    urls = [address(person), address(event), LIST, INDEX]
    rows(2)
    few = [_queries(page, url) for url in urls]
    rows(2)
    assert [_queries(page, url) for url in urls] == few


def _queries(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        text(client.get(url))
    return len(captured)


# --- Who may see it


@pytest.mark.parametrize("kind", SEALED)
@pytest.mark.parametrize("name", ["alice", "root"])
def test_a_note_about_what_is_sealed_is_not_there(client, alice, bob, root, kind, name):
    user = alice if name == "alice" else root
    make(Note, text="an open one", due=day(-1))
    note, record = sealed_note(kind, text="HIDDEN MARKER", due=day(-1))
    client.force_login(user)
    lists = [LIST, f"{LIST}?q=HIDDEN", f"{LIST}?state=due", INDEX]
    for url in lists:
        assert "MARKER" not in text(client.get(url)), url
    assert "1 overdue" in text(client.get(INDEX))
    assert "1 note" in text(client.get(LIST))
    assert "0 notes" in text(client.get(f"{LIST}?q=HIDDEN"))
    for one in ("change", "history", "delete", "review", "step"):
        there, nowhere = (client.get(address(row, one)) for row in (note, Note()))
        assert (there.status_code, there.url) == (nowhere.status_code, nowhere.url)
    assert step(client, note, "done").url == step(client, Note(), "done").url
    client.post(address(note), {"text": "changed", "revision": "1", "_save": "1"})
    client.post(address(note, "delete"), {"post": "yes", "revision": "1"})
    note.refresh_from_db()
    assert (note.text, note.done_at) == ("HIDDEN MARKER", None)
    # and nobody writes one without seeing what it is about
    name = next(name for name in ("person", "event", "line") if getattr(note, name))
    key = str(getattr(note, name).pk)
    response = client.post(f"{ADD}?{name}={key}", {name: key, "text": "typed", "_save": "1"})
    assert "typed" in text(response)
    assert Note.objects.count() == 2
    # those who see it do
    grant(record, bob)
    client.force_login(bob)
    for url in (LIST, INDEX, address(note), address(note, "history")):
        assert "MARKER" in text(client.get(url)), url


@pytest.mark.parametrize("kind", ["person", "event"])
def test_who_deletes_what_it_is_about_is_told_how_many_go_with_it(page, kind):
    note = make(Note, **about(kind))
    make(Note, **{name: getattr(note, name) for name in ("person", "event")})
    url = address(note.about, "delete")
    confirmation = page.get(url)
    assert "Notes: 2" in text(confirmation)
    page.post(url, {"post": "yes", "revision": confirmation.context["revision"]})
    assert not Note.objects.exists()


@pytest.mark.parametrize("secret", [Source, ReleaseEvent])
@pytest.mark.parametrize("name", ["alice", "root"])
def test_a_line_of_a_sealed_list_is_told_of_nowhere(client, alice, root, name, secret):
    """On no page of the open person that it is about, nor of the event and the source of the list."""
    person, event, source = make(Person, label="Invented Person"), make(ReleaseEvent), make(Source)
    rows = {"event": event, "source": source}
    rows["source" if secret is Source else "event"] = closed(secret, title="MARKER title")
    line = make(ListLine, sitting=make(Sitting, **rows), text="MARKER line", decision="person", person=person)
    make(Note, person=None, line=line, text="MARKER note", due=day(-1))
    client.force_login(alice if name == "alice" else root)
    for record in (person, event, source):
        for one in ("change", "history", "delete"):
            shown = text(client.get(address(record, one)))
            assert "MARKER" not in shown, (record, one)
            assert not re.search(r"(?i)\b(notes|lines of a list|lists?): [1-9]", shown), (record, one)
    other = make(Person, label="Another invented Person")
    for kept, merged in ((person, other), (other, person)):
        merge = reverse("admin:tracker_person_merge", args=[kept.pk])
        response = client.get(merge, {"other": str(merged.pk)})
        if name == "root":
            assert "MARKER" not in text(response)
            assert "lines of a list" not in text(response).lower()
    # it holds the person, without a word about what it is
    revision = client.get(address(person, "delete")).context["revision"]
    response = client.post(address(person, "delete"), {"post": "yes", "revision": revision}, follow=True)
    assert "Something else refers to this" in text(response)
    assert "MARKER" not in text(response)
    assert Person.objects.filter(pk=person.pk).exists()


def test_nobody_but_those_who_work_here(client, charlie):
    note = make(Note, text="HIDDEN")
    client.force_login(charlie)
    for url in (LIST, ADD, address(note), address(note, "history"), address(note, "step")):
        assert client.get(url).status_code == 302
        assert client.post(url, {"step": "done", "revision": "1"}).status_code == 302
    assert Note.objects.open().exists()
