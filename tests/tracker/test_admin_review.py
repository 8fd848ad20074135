"""Submitting, publishing, sending back and withdrawing in the admin, for one record and for many."""

import pytest
from django.urls import reverse
from django.utils.html import escape

from tests.tracker.admin_pages import fields, fill, save
from tracker import history
from tracker.models import Name, Person, PersonCitation
from tracker.models.rules import STALE, StaleError, explain

pytestmark = pytest.mark.django_db(databases=["default", "researcher", "public"])

STALE_SENTENCE = str(explain(StaleError(STALE)).sentence)


def url(record, page="change"):
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_{page}", args=[record.pk])


@pytest.fixture
def cited(person, source):
    PersonCitation.objects.create(person=person, source=source)
    return person


def press(client, record, name, **typed):
    """What the button of the review panel sends, if the page has it."""
    page = client.get(url(record))
    action = url(record, "review")
    assert f'value="{name}"' in page.content.decode(), "no such button"
    sent = fields(page, action)
    return client.post(action, {**sent, "step": name, **typed}, follow=True)


def said(response):
    return [str(message) for message in response.context["messages"]]


def buttons(client, record):
    panel = client.get(url(record)).context["review"]
    return [step.name for step in panel["steps"]] + (["send_back"] if panel["send_back"] else [])


def state(record):
    return type(record).objects.get(pk=record.pk).review_state


def test_one_enters_and_submits_another_publishes(client, alice, bob, source):
    client.force_login(alice)
    typed = {"label": "Invented Person", "citations-0-about": "whole", "citations-0-source": str(source.pk)}
    response = save(client, reverse("admin:tracker_person_add"), typed, form="person_form", button="_submit")
    assert response.status_code == 302, response.context["errors"]
    person = Person.objects.get()
    assert state(person) == "submitted"
    assert buttons(client, person) == ["withdraw"]
    client.force_login(bob)
    assert buttons(client, person) == ["publish", "withdraw", "send_back"]
    assert said(press(client, person, "publish")) == ["1 record is published."]
    assert Person.objects.using("public").get().label == "Invented Person"


def test_what_is_missing_is_said_and_there_is_no_button(client, alice, person):
    client.force_login(alice)
    page = client.get(url(person))
    assert "has no citation" in page.content.decode()
    assert buttons(client, person) == []


def test_saving_and_submitting_saves_even_if_it_cannot_be_submitted(client, alice, person):
    client.force_login(alice)
    data = fill(client, url(person), {"summary": "typed"}, form="person_form")
    response = client.post(url(person), {**data, "_submit": "1"}, follow=True)
    assert "has no citation" in " ".join(said(response))
    person.refresh_from_db()
    assert (person.summary, person.review_state) == ("typed", "draft")


def test_an_editor_cannot_publish(client, alice, bob, cited):
    client.force_login(bob)
    press(client, cited, "submit")
    client.force_login(alice)
    version = client.get(url(cited)).context["review"]["version"]
    response = client.post(url(cited, "review"), {"step": "publish", "version": version})
    assert response.status_code == 403
    assert state(cited) == "submitted"


def test_whoever_changed_it_cannot_publish_it(client, bob, cited):
    client.force_login(bob)
    save(client, url(cited), {"summary": "typed"}, form="person_form")
    press(client, cited, "submit")
    panel = client.get(url(cited)).context["review"]
    assert "publish" not in [step.name for step in panel["steps"]]
    assert "yourself" in " ".join(panel["obstacles"])
    response = client.post(url(cited, "review"), {"step": "publish", "version": panel["version"]}, follow=True)
    assert "yourself" in " ".join(said(response))
    assert state(cited) == "submitted"


def test_sent_back_with_a_reason(client, alice, bob, cited):
    client.force_login(alice)
    press(client, cited, "submit")
    client.force_login(bob)
    assert said(press(client, cited, "send_back", why="")) == ["Say why you send it back."]
    assert said(press(client, cited, "send_back", why="The name is misspelt.")) == ["1 record is sent back."]
    assert state(cited) == "draft"
    client.force_login(alice)
    assert "The name is misspelt." in client.get(url(cited)).content.decode()
    assert "The name is misspelt." in client.get(url(cited, "history")).content.decode()


def test_any_editor_withdraws(client, alice, bob, cited):
    client.force_login(alice)
    press(client, cited, "submit")
    client.force_login(bob)
    press(client, cited, "publish")
    client.force_login(alice)
    assert said(press(client, cited, "withdraw")) == ["1 record is withdrawn."]
    assert not Person.objects.using("public").exists()


def test_a_stricter_disclosure_takes_effect_with_the_save(client, alice, bob, cited):
    client.force_login(alice)
    press(client, cited, "submit")
    client.force_login(bob)
    press(client, cited, "publish")
    client.force_login(alice)
    assert save(client, url(cited), {"disclosure": "staff"}, form="person_form").status_code == 302
    assert not Person.objects.using("public").exists()


def test_what_changed_meanwhile_is_not_published_unseen(client, alice, bob, cited):
    client.force_login(alice)
    press(client, cited, "submit")
    client.force_login(bob)
    sent = fields(client.get(url(cited)), url(cited, "review"))
    Name.objects.create(person=cited, text="Anna Exampleva")  # a part, not the record itself
    response = client.post(url(cited, "review"), {**sent, "step": "send_back", "why": "typed"}, follow=True)
    assert said(response) == [STALE_SENTENCE, "You wrote: typed"]
    assert state(cited) == "submitted"


# Many at once

LIST = "/admin/tracker/person/"


@pytest.fixture
def three(source):
    people = [Person.objects.create(label=f"Invented {number}") for number in range(3)]
    for person in people:
        PersonCitation.objects.create(person=person, source=source)
    return people


def act(client, name, people, **typed):
    sent = fill(client, LIST, form="changelist-form")
    chosen = {"action": name, "_selected_action": [str(person.pk) for person in people], "index": "0"}
    return client.post(LIST, {**sent, **chosen, **typed}, follow=True)


def test_many_are_submitted_and_published_at_once(client, alice, bob, three):
    client.force_login(alice)
    assert said(act(client, "submit", three)) == ["3 records are submitted."]
    client.force_login(bob)
    assert said(act(client, "publish", three)) == ["3 records are published."]
    assert Person.objects.using("public").count() == 3
    client.force_login(alice)
    assert said(act(client, "withdraw", three[:2])) == ["2 records are withdrawn."]
    assert Person.objects.using("public").count() == 1


def test_one_that_is_not_ready_holds_all_back(client, alice, three):
    bare = Person.objects.create(label="Without a citation")
    client.force_login(alice)
    assert said(act(client, "submit", [*three, bare])) == [
        "“Without a citation” has no citation: add who says so, and where."
    ]
    assert {state(person) for person in three} == {"draft"}


def test_editors_have_no_action_that_publishes(client, alice, bob, three):
    for user, expected in ((alice, {"submit", "withdraw"}), (bob, {"submit", "withdraw", "publish", "send_back"})):
        client.force_login(user)
        choices = dict(client.get(LIST).context["action_form"].fields["action"].choices)
        assert set(choices) - {""} == expected


def test_a_stale_list_is_refused(client, alice, three):
    client.force_login(alice)
    sent = fill(client, LIST, form="changelist-form")
    Person.objects.get(pk=three[1].pk).citations.get().delete()
    chosen = {"action": "submit", "_selected_action": [str(person.pk) for person in three], "index": "0"}
    response = client.post(LIST, {**sent, **chosen}, follow=True)
    assert said(response) == [f"“Invented 1”: {STALE_SENTENCE}"]
    assert {state(person) for person in three} == {"draft"}


def test_nothing_is_done_to_rows_of_other_pages(client, alice, three):
    client.force_login(alice)
    sent = fill(client, LIST, form="changelist-form")
    chosen = {"action": "submit", "_selected_action": [str(three[0].pk)], "index": "0", "select_across": "1"}
    client.post(LIST, {**sent, **chosen})
    assert [state(person) for person in three] == ["submitted", "draft", "draft"]


# History


def test_history_tells_who_changed_what(client, alice, bob, cited):
    client.force_login(alice)
    save(client, url(cited), {"names-0-text": "Anna Exampleva", "home_town": "Minsk"}, form="person_form")
    client.force_login(bob)
    save(client, url(cited), {"names-0-DELETE": "on", "home_town": "Homel"}, form="person_form")
    found = {(change.user, change.label, change.what): change for change in history.changes(cited)}
    assert found["alice", "insert", "name"].after["name"] == "Anna Exampleva"
    assert found["bob", "delete", "name"].before["name"] == "Anna Exampleva"
    town = found["bob", "update", "person"]
    assert (town.before, town.after) == ({"home town": "Minsk"}, {"home town": "Homel"})
    page = client.get(url(cited, "history")).content.decode()
    assert "<del>Minsk</del> → <ins>Homel</ins>" in page
    assert escape("An invented report") in page  # what a citation points to, by name


def test_history_is_read_in_pages(person):
    for number in range(7):
        person.home_town = f"Town {number}"
        person.save()
    changes = history.changes(person)
    assert len(changes) == 8
    assert [change.after["home town"] for change in changes[:2]] == ["Town 6", "Town 5"]
    assert changes[7].label == "insert"
