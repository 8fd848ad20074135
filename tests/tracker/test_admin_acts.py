"""Acts on the pages of the admin: listed, exceptions first, submitted, published and sent back together, taken back."""

import uuid

import pghistory
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from releases.models import Release, ReleaseEvent
from tests.conftest import ALL_DATABASES, make_user
from tests.rows import change, make
from tests.tracker.admin_pages import fill
from tracker import acts, publication, review
from tracker.admin import acts as pages
from tracker.models import REVIEWER, Act, Detention, Grant, Name, Person, PersonCitation
from tracker.vocabularies import ActKind

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

LIST = "/admin/acts/"


@pytest.fixture
def carol(db):
    return make_user("carol", REVIEWER)


@pytest.fixture
def intake(alice, source):
    """Alice logs a list: an event, and for each name a person, a detention and a release, all of it cited."""

    def intake(number, kind=ActKind.INTAKE):
        with acts.doing(kind, by=alice, why="The list of the day") as context:
            rows = [make(ReleaseEvent)]
            for n in range(number):
                person = make(Person)
                make(Name, person=person, text=f"Anna Exampleva {n}")
                detention = make(Detention, person=person, started="2020-05")
                rows += [
                    person,
                    detention,
                    make(Release, person=person, event=rows[0], detention=detention, released_on="2025-12-13"),
                ]
            for row in rows:
                cited = row.citation_model()
                make(cited, **{cited.owner: row}, source=source)
        return acts.act_of(context)

    return intake


def url(act):
    return reverse("admin:tracker_act", args=[act.context])


def text(response):
    assert response.status_code == 200, (response.status_code, getattr(response, "url", ""))
    return response.content.decode()


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def send(client, act, step, form="act_form", **typed):
    data = fill(client, url(act), form=form)
    return client.post(url(act), {**data, "step": step, **typed}, follow=True)


def states(model=Person):
    return set(model.objects.values_list("review_state", flat=True))


def edit(user, row, **values):
    with pghistory.context(user=str(user.pk)):
        change(type(row).objects.get(pk=row.pk), **values).save()


def test_the_whole_way(client, intake, alice, bob):
    act = intake(3)
    client.force_login(alice)
    shown = text(client.get(url(act)))
    assert "The list of the day" in shown
    assert "<strong>3</strong> persons: 3 draft" in shown
    assert 'value="publish"' not in shown
    response = send(client, act, "submit")
    assert messages_of(response) == ["10 records are submitted."]
    assert client.post(url(act), {"step": "publish"}).status_code == 403
    client.force_login(bob)
    index = client.get("/admin/").context["work"]["waiting"]
    assert index[0].rows[0].url == url(act)
    assert "10 records" in index[0].rows[0].text
    assert (act, 10) in client.get(LIST).context["rows"]
    assert "Publish all 10" in text(client.get(url(act)))
    response = send(client, act, "publish")
    assert messages_of(response) == ["10 records are published."]
    assert "Nothing: readers see these records as they are" in text(response)
    assert Release.objects.using("public").count() == 3
    # and back: the publication is an act of its own
    published = Act.objects.get(kind="publish")
    shown = text(client.get(f"{url(published)}?undo=1"))
    assert "What readers see nothing of any more" in shown
    assert "Say why" in messages_of(client.post(url(published), {"step": "undo", "why": " "}, follow=True))[0]
    response = client.post(url(published), {"step": "undo", "why": "Too early"}, follow=True)
    assert messages_of(response) == ["It is taken back. Readers see what they saw before."]
    assert not Person.objects.using("public").exists()
    assert states() == {"withdrawn"}
    assert list(publication.verify()) == []
    # the list itself goes too
    client.force_login(alice)
    assert client.post(url(act), {"step": "undo", "why": "x"}).status_code == 403
    client.force_login(bob)
    assert "16" not in messages_of(client.post(url(act), {"step": "undo", "why": "Another list"}, follow=True))[0]
    assert not Release.objects.exists()
    assert not Person.objects.exists()


def test_exceptions_come_first_and_the_rest_can_be_published_without_them(client, intake, alice, bob, carol):
    act = intake(4)
    one, two, three, _four = Person.objects.order_by("pk")
    review.submit([row for rows in acts.waiting(act).values() for row in rows], by=alice)
    edit(bob, one, summary="x")
    edit(carol, two, summary="x")
    citation = PersonCitation.objects.get(person=three)
    edit(alice, citation, standing="unresolved")
    client.force_login(bob)
    response = client.get(url(act))
    items = {item.link.text: item for item in response.context["items"]}
    order = [item.link.text for item in response.context["items"]]
    assert items[one.name].stopped == [f"You changed “{one}” yourself: somebody else has to publish it."]
    assert items[two.name].warnings == ["Changed since by carol."]
    assert items[three.name].warnings == ["No accepted citation."]
    stopped = [name for name in order if items[name].stopped]
    assert order[: len(stopped)] == stopped
    assert len(stopped) == 3, "with her go her detention and her release"
    assert set(order[3:5]) == {two.name, three.name}
    assert "Publish all" not in text(response)
    assert "Publish the 4 without exceptions" in text(response)
    response = send(client, act, "publish", form="plain_form")
    assert messages_of(response) == ["4 records are published."]
    assert Release.objects.using("public").count() == 1
    assert list(publication.verify()) == []
    # what only wants a look can be published with it, the other still needs a second person
    client.force_login(carol)
    response = client.get(url(act))
    assert {item.link.text for item in response.context["items"] if item.stopped} >= {two.name}


def test_the_chosen_are_sent_back(client, intake, alice, bob):
    act = intake(2)
    review.submit([row for rows in acts.waiting(act).values() for row in rows], by=alice)
    client.force_login(bob)
    person = Person.objects.first()
    response = send(client, act, "send_back", record=[str(person.pk), str(uuid.uuid4()), "x"], why=" ")
    assert messages_of(response) == ["Say why you send it back."]
    assert messages_of(send(client, act, "send_back", why="Which town?")) == [
        "Nothing is chosen.", "You wrote: Which town?",
    ]  # fmt: skip
    response = send(client, act, "send_back", record=[str(person.pk)], why="Which town?")
    assert messages_of(response) == ["1 record is sent back."]
    person.refresh_from_db()
    assert person.review_state == "draft"
    assert "Submit 1 record for review" in text(response)
    shown = text(client.get(reverse("admin:tracker_person_history", args=[person.pk])))
    assert "Which town?" in shown
    assert url(act) in shown


def test_what_changed_since_it_was_looked_at_is_not_published(client, intake, alice, bob):
    act = intake(1)
    review.submit([row for rows in acts.waiting(act).values() for row in rows], by=alice)
    client.force_login(bob)
    data = fill(client, url(act), form="act_form")
    edit(alice, PersonCitation.objects.get(), stated="x")
    response = client.post(url(act), {**data, "step": "publish"}, follow=True)
    assert "Somebody else has changed this" in messages_of(response)[0]
    assert states() == {"submitted"}
    assert client.post(url(act), {"step": "nonsense"}).status_code == 302


def test_a_portion_at_a_time(client, intake, alice, bob, monkeypatch):
    monkeypatch.setattr(pages, "PORTION", 4)
    act = intake(3)
    client.force_login(alice)
    assert "Portion 1 of 3" in text(client.get(url(act)))
    assert messages_of(send(client, act, "submit")) == ["4 records are submitted."]
    assert "Portion 3 of 3" in text(client.get(f"{url(act)}?portion=99"))
    response = client.get(f"{url(act)}?portion=2")
    data = {"step": "submit", "portion": "2", "version": response.context["version"]}
    assert messages_of(client.post(url(act), data, follow=True)) == ["4 records are submitted."]
    client.force_login(bob)
    assert messages_of(send(client, act, "publish")) == ["4 records are published."]
    assert states() == {"published"}, "those that others need come first"


def test_as_readers_would_see_it(client, intake, alice, bob):
    act = intake(1)
    change(Person.objects.get(), born="1982-04-24").save()
    client.force_login(alice)
    public = text(client.get(f"{url(act)}?as=public"))
    assert "What would change for: Public" in public
    assert "<ins>1982</ins>" in public
    assert "24 April 1982" in text(client.get(f"{url(act)}?as=researcher"))
    assert 'id="seen"' not in text(client.get(f"{url(act)}?as=staff"))
    assert Person.objects.get().published_at is None


def test_who_sees_what(client, intake, alice, bob, charlie):
    act = intake(1)
    client.force_login(charlie)
    assert client.get(LIST).status_code == client.get(url(act)).status_code == 302
    change(Person.objects.get(), disclosure="sealed").save()
    client.force_login(bob)
    never = reverse("admin:tracker_act", args=[uuid.uuid4()])
    for method in (client.get, client.post):
        assert method(url(act)).status_code == method(never).status_code == 404
    assert client.get(LIST).context["rows"] == []
    assert "The list of the day" not in text(client.get(LIST))
    assert client.get(LIST, {"before": act.context}).status_code == 404
    event = ReleaseEvent.objects.get()
    assert url(act) not in text(client.get(reverse("admin:releases_releaseevent_history", args=[event.pk])))
    assert all(pile.title != "acts" for pile in client.get("/admin/").context["work"]["waiting"])
    make(Grant, user=bob, person=Person.objects.get())
    assert client.get(url(act)).status_code == 200


@pytest.mark.parametrize("query", [{"before": "x"}, {"before": str(uuid.uuid4())}, {"kind": "x"}])
def test_addresses_that_lead_nowhere(client, alice, query):
    client.force_login(alice)
    assert client.get(LIST, query).status_code == 404


def test_the_list_a_page_at_a_time(client, alice, monkeypatch):
    monkeypatch.setattr(pages, "LISTED", 2)
    for _n in range(3):
        with acts.doing(ActKind.IMPORT, by=alice):
            make(Person)
    client.force_login(alice)
    response = client.get(LIST)
    assert len(response.context["rows"]) == 2
    response = client.get(LIST + response.context["older"])
    assert len(response.context["rows"]) == 1
    assert not response.context["older"]
    assert client.get(LIST, {"kind": "merge"}).context["rows"] == []


def test_pages_cost_the_same_however_many_records(client, intake, alice, bob):
    client.force_login(bob)
    few, many = intake(2), intake(9)
    review.submit([row for act in (few, many) for rows in acts.waiting(act).values() for row in rows], by=alice)

    def queries(address):
        with CaptureQueriesContext(connection) as captured:
            text(client.get(address))
        return len(captured)

    client.get(url(few))
    for query in ("", "?as=public", "?undo=1"):
        one, two = queries(url(few) + query), queries(url(many) + query)
        assert two - one <= (9 - 2) * 8 * (query == "?undo=1"), query  # what goes is named
    assert queries(LIST) == queries(f"{LIST}?kind=intake")
