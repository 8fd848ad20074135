"""What could go wrong with a list: doubled persons, what leaks, what is lost, what nobody said."""

import contextlib
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from releases import intake, recording
from releases.models import Leg, Release, ReleaseCitation, ReleaseEvent
from tests.conftest import ALL_DATABASES
from tests.releases.sittings import DAY, a_sitting, decide, held, line, take_all
from tests.releases.test_admin_sittings import begun, start, text, url
from tests.rows import make
from tests.tracker.admin_pages import fields
from tracker import undoing
from tracker.models import Detention, DetentionCitation, Grant, Name, Person, PersonCitation
from tracker.review import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client, alice):
    client.force_login(alice)
    return client


def record(sitting, by):
    return recording.record(sitting, by=by, version=recording.plan(sitting, by=by).version)


def test_same_new_person_on_two_lists_is_one(alice):
    a = a_sitting(alice, "Anna Exampleva")
    b = a_sitting(alice, "Anna Exampleva", event=a.event)
    take_all(a, by=alice)
    take_all(b, by=alice)
    record(a, alice)
    with contextlib.suppress(Refused):
        record(b, alice)
    assert Person.objects.count() == 1


def test_deleted_release_of_new_line_does_not_double(alice):
    a = a_sitting(alice, "Anna Exampleva")
    take_all(a, by=alice)
    record(a, alice)
    Release.objects.all().delete()
    with contextlib.suppress(Refused):
        record(a, alice)
    assert Person.objects.count() == 1


def test_new_twice_after_first_logged(alice):
    a = a_sitting(alice, "Anna Exampleva", "Anna Exampleva")
    decide(a, 1, "new", by=alice)
    record(a, alice)
    decide(a, 2, "new", by=alice)
    with contextlib.suppress(Refused):
        record(a, alice)
    assert Person.objects.count() == 1


def test_new_whose_name_is_of_a_chosen_line(alice):
    p = held("Anna Exampleva")
    s = a_sitting(alice, "Anna Exampleva", "Anna Exampleva")
    decide(s, 1, "person", p, by=alice)
    decide(s, 2, "new", by=alice)
    assert [c.line.number for c in recording.plan(s, by=alice).held_back]


def test_unnamed_on_two_lists(alice):
    a = a_sitting(alice, "")
    take_all(a, by=alice)
    record(a, alice)
    b = a_sitting(alice, "", event=a.event)
    take_all(b, by=alice)
    assert recording.plan(b, by=alice).held_back


def test_locator_of_two_sittings_of_one_source(alice):
    held("Mikalai Testau")
    held("Vasil Vydumany")
    a = a_sitting(alice, "Mikalai Testau")
    take_all(a, by=alice)
    record(a, alice)
    b = a_sitting(alice, "Anna Exampleva", event=a.event, source=a.source)
    decide(b, 1, "new", by=alice)
    assert not recording.plan(b, by=alice).held_back


def test_line_of_new_person_sealed_later_leaks(page, client, alice, bob):
    s = a_sitting(bob, "Anna Exampleva", "Ivan Prykladau")
    take_all(s, by=bob)
    record(s, bob)
    p = Person.objects.get(names__text="Anna Exampleva")
    Name.objects.filter(person=p).update(text="Changed Sealedname")
    Person.objects.filter(pk=p.pk).update(disclosure="sealed")
    for a in [
        url("change", s.pk),
        url("change", s.pk) + "?show=logged",
        url("compare", s.pk),
        url("line", s.pk, line(s, 1).pk),
    ]:
        r = page.get(a)
        assert "Sealedname" not in r.content.decode(), a


def test_granted_sealed_meanwhile_not_logged(alice):
    p = held("Mikalai Testau")
    s = a_sitting(alice, "Mikalai Testau")
    take_all(s, by=alice)
    Person.objects.filter(pk=p.pk).update(disclosure="sealed")
    make(Grant, user=alice, person=p)
    with contextlib.suppress(Refused):
        record(s, alice)
    assert not Release.objects.exists()


def test_label_does_not_tell_sealed_event(alice):
    e = make(ReleaseEvent, title="Hidden handover", happened=DAY, disclosure="sealed")
    e.grants.create(user=alice)
    s = a_sitting(alice, "", event=e)
    take_all(s, by=alice)
    record(s, alice)
    assert "Hidden" not in Person.objects.get().label


def test_unidentified_with_text_has_no_name(alice):
    s = a_sitting(alice, "Woman from Homel")
    decide(s, 1, "unidentified", by=alice)
    record(s, alice)
    p = Person.objects.get()
    assert p.names.count() == 0
    assert "Woman from Homel" in PersonCitation.objects.get(about="").quote


def test_second_upload_wins_in_textarea_too(page):
    table = "Name\tAge\nAnna Exampleva\t33\n"
    given = {"new_event": "One", "new_title": "The list"}
    f = SimpleUploadedFile("l.csv", b"Name;Age\nIvan Prykladau;44\n")
    r = start(
        page,
        step="read",
        pasted=table,
        width="2",
        file=f,
        **{"column-0": "name", "column-1": "age"},
        headed="1",
        **given,
    )
    assert "Ivan Prykladau" in fields(r, "list_form")["pasted"][0] or "not both" in text(r)


def test_quoted_upload_round_trip(page):
    f = SimpleUploadedFile("l.txt", b'Anna "Ania" Exampleva\nIvan Prykladau\n')
    r = start(page, step="read", new_event="One", new_title="T", file=f)
    pasted = fields(r, "list_form")["pasted"][0]
    s = begun(page, new_event="One", new_title="T", pasted=pasted)
    assert s.lines.order_by("number").first().printed == 'Anna "Ania" Exampleva'


def test_released_on_cited_or_empty(alice):
    e = make(ReleaseEvent, announced="2025-12-01")
    s = a_sitting(alice, "Anna Exampleva", event=e, released_on=None)
    take_all(s, by=alice)
    record(s, alice)
    r = Release.objects.get()
    assert r.released_on is None


def test_confirm_compatible_is_no_dispute(alice):
    held("Mikalai Testau")
    a = a_sitting(alice, "Mikalai Testau", onward_countries=["PL"])
    take_all(a, by=alice)
    record(a, alice)
    leg = Leg.objects.get(kind="onward")
    leg.status = "completed"
    leg.save()
    b = a_sitting(
        alice, "Mikalai Testau", event=a.event, onward_countries=["PL"], countries=["UA", "LT"], released_on="2025-12"
    )
    take_all(b, by=alice)
    one = recording.plan(b, by=alice)
    assert [(c.about, c.value) for c in one.planned[0].disputed] == []


def test_confirm_place_without_country(alice):
    held("Mikalai Testau")
    a = a_sitting(alice, "Mikalai Testau")
    take_all(a, by=alice)
    record(a, alice)
    b = a_sitting(alice, "Mikalai Testau", event=a.event, countries=[], place="Border")
    take_all(b, by=alice)
    record(b, alice)
    assert not ReleaseCitation.objects.filter(about="countries", value="").exists()


def test_free_without_detention(alice):
    p = held("Mikalai Testau", started=None)
    make(Release, person=p, outcome="confirmed", released_on="2025-06-21", event=make(ReleaseEvent, title="Earlier"))
    s = a_sitting(alice, "Mikalai Testau")
    decide(s, 1, "person", p, by=alice)
    assert recording.plan(s, by=alice).held_back


def test_other_release_same_day_warned(alice):
    held("Mikalai Testau")
    a = a_sitting(alice, "Mikalai Testau")
    take_all(a, by=alice)
    record(a, alice)
    b = a_sitting(alice, "Mikalai Testau", event=make(ReleaseEvent, title="Other", happened=DAY))
    card = intake.weigh(b, list(b.lines.all()), alice)[0]
    take_all(b, by=alice)
    recording.plan(b, by=alice)
    assert card.options[0].warnings


def test_open_detention_but_released(alice):
    held("Mikalai Testau")
    a = a_sitting(alice, "Mikalai Testau", closes=False)
    take_all(a, by=alice)
    record(a, alice)
    b = a_sitting(
        alice,
        "Mikalai Testau",
        event=make(ReleaseEvent, title="Other", happened="2026-01-13"),
        released_on="2026-01-13",
    )
    card = intake.weigh(b, list(b.lines.all()), alice)[0]
    assert card.options[0].warnings


def test_version_tells_of_event_day(alice):
    e = make(ReleaseEvent, happened=DAY)
    s = a_sitting(alice, "Anna Exampleva", event=e, released_on=None)
    take_all(s, by=alice)
    v = recording.plan(s, by=alice).version
    e.refresh_from_db()
    e.happened = intake.dates.parse("2025-12-20")
    e.save()
    with pytest.raises(Refused):
        recording.record(s, by=alice, version=v)


def test_a_nul_typed_into_a_search_is_no_error_of_the_server(page, alice):
    sitting = a_sitting(alice, "Anna Exampleva")
    answer = page.post(url("line", sitting.pk, line(sitting, 1).pk), {"search": "1", "person-search": "a\0b"})
    assert answer.status_code == 200


def test_the_log_page_costs_the_same_for_known_people(page, alice):
    def cost(number):
        people = [held(f"Mikalai Testau{chr(97 + place)}k") for place in range(number)]
        sitting = a_sitting(alice, *(str(person) for person in people))
        for place, person in enumerate(people, start=1):
            decide(sitting, place, "person", person, by=alice)
        with CaptureQueriesContext(connection) as queries:
            text(page.get(url("log", sitting.pk)))
        return len(queries)

    assert cost(3) == cost(12)


def test_big_paste(page):
    r = start(
        page,
        step="read",
        new_event="E",
        new_title="T",
        pasted="Anna Exampleva, " + "\u0430" * 200 + "\n" + ("Anna Exampleva, " + "\u0430" * 300 + "\n") * 4400,
    )
    assert r.status_code == 200


@pytest.mark.django_db(transaction=True, databases=ALL_DATABASES)
def test_undo_leaves_no_shell(alice, bob):
    a = a_sitting(alice, "Anna Exampleva", "Ivan Prykladau")
    take_all(a, by=alice)
    ctx = record(a, alice)
    b = a_sitting(alice, "Anna Exampleva", event=a.event)
    decide(b, 1, "person", Person.objects.get(names__text="Anna Exampleva"), by=alice)
    undoing.undo(ctx, by=bob)
    assert [str(p) for p in Person.objects.all()] in ([], ["Anna Exampleva"])


def test_group_reaches_everybody(page, alice):
    s = a_sitting(alice, *["Anna Exampleva"] * 300, "Ivan Prykladau")
    answer = text(page.get(url("group", s.pk, "new")))
    after = re.search(r'href="(\?after=\d+)"', answer)[1]
    t = fields(page.get(url("group", s.pk, "new") + after), "group_form").get("line", [])
    assert t


def test_closed_detention_is_cited(alice):
    p = held("Mikalai Testau", started=None)
    d = make(Detention, person=p, started="2021-03-05", ended=DAY, end_reason="released")
    s = a_sitting(alice, "Mikalai Testau")
    decide(s, 1, "person", p, by=alice)
    record(s, alice)
    assert Release.objects.get().detention == d
    assert DetentionCitation.objects.exists()


def test_announced_is_not_handed_over(page):
    r = start(page, step="begin", new_event="One", new_title="T", pasted="Anna Exampleva", outcome="announced")
    assert r.status_code == 200


def test_compare_not_on_this_list(page, alice):
    held("Mikalai Testau")
    a = a_sitting(alice, "Mikalai Testau")
    take_all(a, by=alice)
    record(a, alice)
    b = a_sitting(alice, "Mikalai Testau", event=a.event)
    take_all(b, by=alice)
    assert "not on this list" not in text(page.get(url("compare", a.pk)))
