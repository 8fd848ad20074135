"""Pages cut by cursors: every row once, in every order of every list, forward and back."""

import base64
import contextlib
import json
import random
import re

import pytest
from django.db import connections
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from releases.filters import EventFilter, ReleaseFilter
from releases.models import Release
from tests.copies import Copy
from tracker import paging
from tracker.dates import parse
from tracker.filters import DetentionFilter, PersonFilter, SentenceFilter, SourceFilter
from tracker.models import Alphabetical, Detention, Name, Person, Prosecution, Sentence, Verdict

pytestmark = pytest.mark.django_db(databases=["default", "public"])

LISTS = [PersonFilter, DetentionFilter, SentenceFilter, ReleaseFilter, EventFilter, SourceFilter]
#: Ties, and nothing known, among them
DAYS = [None, None, "2021", "2021-03", "2021-03-01", "2021-03-01", "2022-05-05", "2020/2022"]


@pytest.fixture
def copy():
    return Copy("public")


@pytest.fixture
def many(copy):
    """Some rows of each list; names that are the same, in two scripts, none at all."""
    rng = random.Random(1)
    names = ["Anna Exampleva", "Anna Exampleva", "Ганна Прыкладава", "anna", "", "", "Žana", "Яўген"]
    for number in range(24):
        text, when = rng.choice(names), rng.choice(DAYS)
        person = copy.person(*([text] if text else []))
        on = parse(when) if when else None
        copy.add(Detention, person=person, started=on)
        prosecution = copy.add(Prosecution, person=person)
        verdict = copy.add(Verdict, prosecution=prosecution, pronounced=on)
        for years in rng.sample([None, 1, 3], rng.randint(1, 2)):
            copy.add(Sentence, verdict=verdict, kind="imprisonment", years=years)
        event = copy.event(f"Event {number % 3}", happened=on, announced=parse("2021") if number % 2 else None)
        copy.release(event, person, released_on=on)
        copy.source(f"Report {number % 3}", published=on)


def page(rows, sorts, **query):
    return paging.cut(RequestFactory().get("/", query), rows, sorts)


def walk(rows, sorts, name):
    """All pages forward; then back from the last one."""
    forward, after = [], {}
    while True:
        one = page(rows, sorts, sort=name, **after)
        assert bool(one.previous) == bool(after)
        forward.append([row.pk for row in one])
        if not one.next:
            break
        after = {"after": one.next}
    backward, before = [], {"before": "end"}
    while True:
        one = page(rows, sorts, sort=name, **before)
        assert bool(one.next) == (before["before"] != "end")
        backward.insert(0, [row.pk for row in one])
        if not one.previous:
            break
        before = {"before": one.previous}
    return forward, backward


@pytest.mark.parametrize("listed", LISTS)
def test_every_row_is_on_one_page_forward_and_back(many, monkeypatch, listed):
    monkeypatch.setattr(paging, "SIZE", 5)
    rows = listed._meta.model.objects.using("public")
    for name in listed.sorts:
        forward, backward = walk(rows, listed.sorts, name)
        found = [pk for one in forward for pk in one]
        assert len(found) == len(set(found)) == rows.count() >= 24, name
        assert [pk for one in backward for pk in one] == found, name
        assert {len(one) for one in forward[:-1]} == {len(one) for one in backward[1:]} == {5}, name


def test_what_is_not_known_comes_last_both_ways(many, copy):
    for name in ("-started", "started"):
        found = page(Detention.objects.using("public"), DetentionFilter.sorts, sort=name).rows
        known = [row.started.earliest for row in found if row.started]
        assert known == sorted(known, reverse=name[0] == "-")
        assert 0 < len(known) < len(found)
        assert all(found[: len(known)][number].started for number in range(len(known)))


def test_names_of_two_scripts_are_one_alphabet(copy):
    named = [copy.person(text) for text in ("Барыс", "Anna", "Čas", "Віка", "Ганна", "Borys", "Жанна", "Яна", "Zoja")]
    named.append(copy.person(label="uncle of Anna"))
    named.append(copy.person())
    found = page(Person.objects.using("public"), PersonFilter.sorts).rows
    shown = [row.name for row in found]
    assert shown == [
        "Anna", "Барыс", "Borys", "Čas", "Ганна", "uncle of Anna", "Віка", "Яна", "Жанна", "Zoja", "not named here",
    ]  # fmt: skip


def key_of(person):
    return Alphabetical.objects.using(person._state.db).get(person=person).key


def test_the_place_in_the_alphabet_follows_names_and_label(person):
    assert key_of(person) == "invented person"
    first = Name.objects.create(person=person, text="Exampleva", position=2)
    assert key_of(person) == "exampleva"
    wrong = Name.objects.create(person=person, text="A Wrong One", position=1, kind="erroneous")
    assert key_of(person) == "exampleva"
    wrong.kind = "legal"
    wrong.save()
    assert key_of(person) == "a wrong one"
    Name.objects.filter(pk=wrong.pk).update(text="Обычная")
    assert key_of(person) == "obycnay"
    other = Person.objects.create(label="O'Ther")
    assert key_of(other) == "other"
    Name.objects.filter(pk=wrong.pk).update(person=other)
    assert (key_of(person), key_of(other)) == ("exampleva", "obycnay")
    first.delete()
    wrong.refresh_from_db()
    wrong.delete()
    assert (key_of(person), key_of(other)) == ("invented person", "other")
    other.label = ""
    other.save()
    assert key_of(other) == "\U0010ffff"
    key = other.pk
    other.delete()
    assert not Alphabetical.objects.filter(person=key).exists()


def test_it_is_no_change_of_the_person(person):
    before, history = person.revision, Person.history.rel.related_model.objects.count()
    Name.objects.create(person=person, text="Exampleva")
    person.refresh_from_db()
    assert person.revision == before
    assert Person.history.rel.related_model.objects.count() == history


def test_names_of_any_length_are_sorted_by_their_beginning(person):
    Name.objects.create(person=person, text="Я" * 9000)
    assert key_of(person) == "y" * 100


def test_keys_that_were_lost_are_made_anew(person):
    Name.objects.create(person=person, text="Exampleva")
    other = Person.objects.create(label="Another")
    Alphabetical.objects.filter(person=person).update(key="old")
    Alphabetical.objects.filter(person=other)._raw_delete("default")
    Alphabetical.objects.all().renew()
    assert (key_of(person), key_of(other)) == ("exampleva", "another")


# --- Cursors


def cursor(*words):
    return base64.urlsafe_b64encode(json.dumps(words).encode()).decode()


@pytest.mark.parametrize(
    "after",
    [
        "x", "é", "====", cursor(), cursor("name"), cursor("name", "a"), cursor("name", "a", "b"), cursor("name", 1, 2),
        cursor("name", "a", "00000000-0000-0000-0000-000000000000", "more"), cursor("name", None, None),
        cursor("name", "\0", "00000000-0000-0000-0000-000000000000"),
        cursor("name", "\ud800", "00000000-0000-0000-0000-000000000000"),
        cursor("name", "a" * 101, "00000000-0000-0000-0000-000000000000"),
        cursor("-name", "a", "00000000-0000-0000-0000-000000000000"), "W" * 5000,
        base64.urlsafe_b64encode(b"[" * 3000).decode(), base64.urlsafe_b64encode(b"7").decode(),
    ],
)  # fmt: skip
def test_a_broken_cursor_is_told(copy, after):
    with pytest.raises(paging.Unreadable, match="cannot be read"):
        page(Person.objects.using("public"), PersonFilter.sorts, after=after)


@given(st.text(max_size=60))
def test_no_address_is_an_error(after):
    with contextlib.suppress(paging.Unreadable):
        page(Person.objects.using("public").none(), PersonFilter.sorts, after=after)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=100), max_size=3))
def test_what_is_written_is_read(words):
    written = paging._written("name", words)
    assert paging._read(written, "name", [paging._text] * len(words)) == words
    assert re.fullmatch(r"[\w-]+", written)


def test_a_cursor_shows_no_name(copy, monkeypatch):
    monkeypatch.setattr(paging, "SIZE", 1)
    for number in range(2):
        copy.person(f"Anna Exampleva {number}")
    one = page(Person.objects.using("public"), PersonFilter.sorts)
    assert "anna" not in one.next.lower()
    assert "exampleva" not in one.next.lower()


def test_a_row_that_left_is_no_hole(copy, monkeypatch):
    """The place is one in the order, not a row that has to be there."""
    monkeypatch.setattr(paging, "SIZE", 1)
    people = [copy.person(text) for text in "ABC"]
    rows = Person.objects.using("public")
    one = page(rows, PersonFilter.sorts)
    people[0].delete()
    assert [row.name for row in page(rows, PersonFilter.sorts, after=one.next)] == ["B"]


# --- Numbers


def test_more_than_are_counted(copy, monkeypatch):
    monkeypatch.setattr(paging, "COUNTED", 3)
    for number in range(5):
        copy.source(f"Report {number}")
    with CaptureQueriesContext(connections["public"]) as captured:
        one = page(copy.source().__class__.objects.using("public"), SourceFilter.sorts)
    assert (one.count, one.more) == (3, True)
    assert any("LIMIT 4" in query["sql"] and "COUNT" in query["sql"] for query in captured)


def test_the_best_first_are_cut_by_their_number(copy, monkeypatch, client, settings):
    settings.PUBLIC_SITE = True
    monkeypatch.setattr(paging, "SIZE", 2)
    monkeypatch.setattr(paging, "BEST", 4)
    for number in range(5):
        copy.release(None, copy.person(f"Anna Exampleva {'x' * number}"))
    first = client.get("/persons/", {"name": "Anna Exampleva"})
    assert "Only the 4 best matches are listed" in first.content.decode()
    second = client.get("/persons/", {"name": "Anna Exampleva", "after": first.context["page"].next})
    names = [row.name for page in (first, second) for row in page.context["page"]]
    assert len(set(names)) == 4
    assert not second.context["page"].next
    back = client.get("/persons/", {"name": "Anna Exampleva", "after": second.context["page"].previous})
    assert [row.name for row in back.context["page"]] == names[:2]
    by_name = client.get("/persons/", {"name": "Anna Exampleva", "sort": "name", "before": "end"})
    assert [row.name for row in by_name.context["page"]] == ["Anna Exampleva xxx", "Anna Exampleva xxxx"]
    beyond = client.get("/persons/", {"name": "Anna Exampleva", "after": cursor("best", "4")})
    assert beyond.status_code == 400


def test_the_last_page_is_found_in_an_index(many):
    """PostgreSQL is asked how: by the index that the sort was declared for, with nothing to be sorted."""
    with connections["public"].cursor() as asking:
        asking.execute("SET enable_seqscan = off")
        asking.execute("SET enable_sort = off")
        asking.execute("SET enable_bitmapscan = off")
        wanted = {
            (DetentionFilter, "-started"): "detention_latest_first",
            (DetentionFilter, "started"): "detention_earliest_first",
            (DetentionFilter, "-ended"): "detention_latest_ended",
            (DetentionFilter, "name"): "alphabetical_key",
            (PersonFilter, "-name"): "alphabetical_key",
            (SentenceFilter, "pronounced"): "verdict_earliest_first",
            (SentenceFilter, "-pronounced"): "verdict_latest_first",
            (SentenceFilter, "-term"): "sentence_by_term",
            (ReleaseFilter, "released"): "release_earliest_first",
            (ReleaseFilter, "-released"): "release_latest_first",
            (EventFilter, "happened"): "releaseevent_earliest_first",
            (EventFilter, "-happened"): "releaseevent_latest_first",
            (EventFilter, "title"): "releaseevent_by_title",
            (SourceFilter, "published"): "source_earliest_first",
            (SourceFilter, "-published"): "source_latest_first",
            (SourceFilter, "title"): "source_by_title",
        }
        for (listed, name), index in wanted.items():
            rows = listed._meta.model.objects.using("public")
            middle = page(rows, listed.sorts, sort=name, before="end").previous
            with CaptureQueriesContext(connections["public"]) as captured:
                page(rows, listed.sorts, sort=name, **({"after": middle} if middle else {"before": "end"}))
            (which,) = (query["sql"] for query in captured if query["sql"].rstrip().endswith("LIMIT 51"))
            asking.execute(f"EXPLAIN {which}")
            plan = "\n".join(line for (line,) in asking.fetchall())
            assert index in plan, (listed, name, plan)
            assert "Sort Key" not in plan or "Incremental Sort" in plan, plan


def test_a_list_of_nothing_is_a_page(copy):
    one = page(Release.objects.using("public"), ReleaseFilter.sorts)
    assert (one.rows, one.count, one.whole) == ([], 0, True)
