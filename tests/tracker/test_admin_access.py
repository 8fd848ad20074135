"""Who may work in the admin, what is sealed there, and that no list grows more expensive with its rows."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import make_user
from tests.tracker.admin_pages import fill, save
from tracker.dates import parse
from tracker.models import (
    Case,
    Detention,
    Facility,
    Grant,
    Name,
    Organisation,
    Person,
    PersonCitation,
    Placement,
    Prosecution,
    Relationship,
    Source,
    User,
    Verdict,
)

pytestmark = pytest.mark.django_db(databases=["default", "researcher", "public"])


def url(record, page="change"):
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_{page}", args=[record.pk])


@pytest.fixture
def root(db):
    return User.objects.create_superuser("root", password="correct horse battery staple")


# Roles


@pytest.mark.parametrize("name", ["alice", "bob", "root"])
def test_editors_reviewers_and_superusers_work_here(client, request, name, person):
    client.force_login(request.getfixturevalue(name))
    for page in (reverse("admin:index"), reverse("admin:tracker_person_changelist"), url(person)):
        assert client.get(page).status_code == 200
    assert save(client, url(person), {"summary": "typed"}, form="person_form").status_code == 302


@pytest.mark.parametrize("role", ["researcher", "nobody"])
@pytest.mark.parametrize("staff", [True, False])
def test_nobody_else_does(client, person, role, staff):
    client.force_login(make_user("dave", role, staff=staff))
    pages = [reverse("admin:index"), reverse("admin:tracker_person_changelist"), reverse("admin:tracker_person_add")]
    pages += [url(person), url(person, "history"), url(person, "delete"), url(person, "review")]
    pages += [reverse("admin:autocomplete") + "?app_label=tracker&model_name=detention&field_name=person"]
    for page in pages:
        assert client.get(page).status_code == 302, page
        assert client.post(page, {"step": "withdraw"}).status_code == 302, page


def test_whoever_is_not_logged_in_goes_to_the_one_login(client):
    response = client.get(reverse("admin:tracker_person_changelist"), follow=True)
    assert response.redirect_chain[-1][0] == "/login/?next=/admin/tracker/person/"


def test_accounts_are_for_whoever_set_the_site_up(client, alice, root):
    accounts = reverse("admin:tracker_user_changelist")
    client.force_login(alice)
    assert client.get(accounts).status_code == 403
    client.force_login(root)
    assert client.get(accounts).status_code == 200
    assert client.get(url(alice)).status_code == 200
    assert client.get(url(alice, "delete")).status_code == 403


# What is sealed


@pytest.fixture
def sealed(source):
    """A sealed person with all that lies below it; a sealed source; and open records that point to both."""
    person = Person.objects.create(label="MARKER-person", disclosure="sealed")
    Name.objects.create(person=person, text="MARKER-name")
    detention = Detention.objects.create(person=person, started=parse("2024"), authority="MARKER-authority")
    Prosecution.objects.create(person=person, summary="MARKER-prosecution")
    secret = Source.objects.create(title="MARKER-source", disclosure="sealed")
    seen = Person.objects.create(label="Open Person")
    Relationship.objects.create(person=seen, kind="sibling", other=person, note="MARKER-note")
    PersonCitation.objects.create(person=seen, source=secret, quote="MARKER-quote")
    PersonCitation.objects.create(person=seen, source=source, quote="an open quote")
    changed = PersonCitation.objects.create(person=seen, source=secret, quote="MARKER-old", stated="open words")
    changed.source, changed.quote = source, "an open quote as well"
    changed.save()
    seen.label = "Open Person again"
    seen.save()
    return {"person": person, "detention": detention, "source": secret, "seen": seen}


def pages_of(seen):
    lists = ["person", "detention", "prosecution", "verdict", "source"]
    yield reverse("admin:index")
    for name in lists:
        yield reverse(f"admin:tracker_{name}_changelist")
        yield reverse(f"admin:tracker_{name}_changelist") + "?q=MARKER"
    for page in ("change", "history", "delete"):
        yield url(seen, page)
    for model, field in (("detention", "person"), ("relationship", "other"), ("personcitation", "source")):
        yield reverse("admin:autocomplete") + f"?app_label=tracker&model_name={model}&field_name={field}&term=MARKER"
        yield reverse("admin:autocomplete") + f"?app_label=tracker&model_name={model}&field_name={field}"


@pytest.mark.parametrize("name", ["alice", "bob", "root"])
def test_nothing_of_it_is_on_any_page(client, request, name, sealed):
    client.force_login(request.getfixturevalue(name))
    for page in pages_of(sealed["seen"]):
        response = client.get(page)
        assert response.status_code == 200, page
        assert "MARKER-" not in response.content.decode(), page


@pytest.mark.parametrize("name", ["alice", "root"])
def test_it_answers_as_what_never_existed(client, request, name, sealed):
    client.force_login(request.getfixturevalue(name))
    for record in (sealed["person"], sealed["detention"], sealed["source"]):
        never = type(record)()
        for page in ("change", "history", "delete", "review"):
            there, nowhere = (client.get(url(row, page), follow=True) for row in (record, never))
            assert [status for _address, status in there.redirect_chain] == [302], page
            assert there.redirect_chain == nowhere.redirect_chain
            for response, row in ((there, record), (nowhere, never)):
                text = [str(message).replace(str(row.pk), "ID") for message in response.context["messages"]]
                assert text == [f"{record._meta.verbose_name} with ID “ID” doesn’t exist. Perhaps it was deleted?"]


def test_it_cannot_be_chosen(client, alice, sealed):
    client.force_login(alice)
    typed = {"person": str(sealed["person"].pk), "started": "2025"}
    response = save(client, reverse("admin:tracker_detention_add"), typed, form="detention_form")
    assert response.status_code == 200
    assert "not one of the available choices" in response.content.decode()
    assert "MARKER" not in response.content.decode()


def test_what_points_to_it_is_kept_by_whoever_does_not_see_it(client, alice, sealed):
    client.force_login(alice)
    republished = Source.objects.create(title="An open report", derived_from=sealed["source"])
    Source.objects.filter(pk=republished.pk).update(disclosure="public")
    assert save(client, url(sealed["seen"]), {"summary": "typed"}, form="person_form").status_code == 302
    assert sealed["seen"].citations.count() == 3
    assert sealed["seen"].relationships.count() == 1


def test_a_grant_opens_it(client, alice, sealed):
    Grant.objects.create(user=alice, person=sealed["person"])
    client.force_login(alice)
    for record in (sealed["person"], sealed["detention"]):
        assert client.get(url(record)).status_code == 200
    assert client.get(url(sealed["source"])).status_code == 302


def test_whoever_seals_a_record_still_sees_it_and_can_let_others_in(client, alice, bob, person):
    client.force_login(alice)
    assert save(client, url(person), {"disclosure": "sealed"}, form="person_form").status_code == 302
    assert client.get(url(person)).status_code == 200
    response = save(client, url(person), {"grants-1-user": str(bob.pk)}, form="person_form")
    assert response.status_code == 302, response.context["errors"]
    client.force_login(bob)
    assert client.get(url(person)).status_code == 200


def test_names_are_in_no_second_log(client, alice, person):
    client.force_login(alice)
    save(client, url(person), {"summary": "typed"}, form="person_form")
    assert not LogEntry.objects.exists()


# Lists


def make(number):
    """So many of everything, each person with two names and everything below."""
    for index in range(number):
        person = Person.objects.create(summary=f"{index}")
        for position, text in enumerate(["Anna", "Hanna"], start=1):
            Name.objects.create(person=person, text=f"{text} Exampleva {index}", position=position)
        facility = Facility.objects.create(name=f"Colony {index}")
        detention = Detention.objects.create(person=person, started=parse("2024"))
        Placement.objects.create(detention=detention, facility=facility, custody_type="sizo")
        case = Case.objects.create(title=f"Case {index}")
        prosecution = Prosecution.objects.create(person=person, case=case)
        Verdict.objects.create(prosecution=prosecution, pronounced=parse("2025"))
        Organisation.objects.create(name=f"Committee {index}")
        Source.objects.create(title=f"Report {index}")


LISTS = ["person", "detention", "prosecution", "verdict", "case", "source", "organisation", "facility", "provision"]


@pytest.mark.parametrize("page", ["index", *(f"tracker_{name}_changelist" for name in LISTS)])
def test_twenty_rows_cost_as_many_queries_as_ten(client, alice, page):
    client.force_login(alice)
    counts = []
    for _again in range(2):
        make(10)
        client.get(reverse(f"admin:{page}"))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(reverse(f"admin:{page}")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_persons_page_costs_the_same_with_more_on_it(client, alice, person, source):
    client.force_login(alice)
    counts = {"change": [], "history": []}
    for again in range(2):
        for number in range(5):
            name = Name.objects.create(person=person, text=f"Anna {again}{number}", position=again * 5 + number + 1)
            PersonCitation.objects.create(person=person, source=source, name=name)
            other = Person.objects.create()
            Name.objects.create(person=other, text=f"Other {again}{number}")
            Relationship.objects.create(person=person, kind="sibling", other=other)
            year = str(2000 + again * 10 + number)
            Detention.objects.create(person=person, started=parse(year), ended=parse(year))
            Verdict.objects.create(prosecution=Prosecution.objects.create(person=person))
        for page, costs in counts.items():
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url(person, page)).status_code == 200
            costs.append(len(queries))
    for page, (ten, twenty) in counts.items():
        assert ten == twenty, page


def test_a_list_is_searched_by_any_spelling(client, alice, person):
    Name.objects.create(person=person, text="Анна Примерова")
    client.force_login(alice)
    for term in ("primerova anna", "Примерова", person.pid):
        response = client.get(reverse("admin:tracker_person_changelist"), {"q": term})
        assert [row.pk for row in response.context["cl"].result_list] == [person.pk]


def test_every_change_page_opens_for_what_there_is(client, alice):
    client.force_login(alice)
    make(1)
    for model in (Person, Detention, Prosecution, Verdict, Case, Source, Organisation, Facility):
        record = model.objects.first()
        for page in ("change", "history", "delete"):
            assert client.get(url(record, page)).status_code == 200, (model, page)
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_add"
        assert fill(client, reverse(name), form=f"{model._meta.model_name}_form")
