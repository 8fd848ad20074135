"""Whatever is posted or asked for, nobody is answered with a 500, and a refusal tells nothing that is sealed."""

import pytest
from django.urls import reverse

from tests.tracker.admin_pages import fields
from tracker.models import Person, PersonCitation, Source, User

pytestmark = pytest.mark.django_db(databases=["default", "researcher", "public"])

ADD = "/admin/releases/release/add/"


def fields_of(page):
    """Of the form that a page to add or change a record holds."""
    form = f"{page.context['opts'].model_name}_form"
    return {name: values for name, values in fields(page, form).items() if values}


@pytest.fixture
def editor(client, alice):
    client.force_login(alice)
    return client


@pytest.mark.parametrize(
    "address",
    [
        f"{ADD}?person=x",
        f"{ADD}?event=x",
        "/admin/tracker/detention/add/?person=x",
        "/admin/tracker/person/?review_state__exact=%00",
        "/admin/tracker/person/?q=%00",
        "/persons/?name=%00",
        "/data/versions/%00/",
        "/data/versions/2025.12.1%00/package.zip",
    ],
)
def test_what_is_asked_for(editor, address):
    assert editor.get(address).status_code < 500


@pytest.mark.parametrize(
    ("address", "field"),
    [
        (ADD, "person"),
        (ADD, "event"),
        (ADD, "citations-0-source"),
        (ADD, "citations-0-origin"),
        (ADD, "legs-0-authority"),
        ("/admin/tracker/person/add/", "relationships-0-other"),
        ("/admin/tracker/person/add/", "recognitions-0-body"),
        ("/admin/tracker/detention/add/", "placements-0-facility"),
        ("/admin/tracker/verdict/add/", "prosecution"),
        ("/admin/releases/reportedfigure/add/", "origin"),
    ],
)
@pytest.mark.parametrize("value", ["x", "\x00", "1" * 5000])
def test_a_key_that_cannot_be_one(editor, address, field, value):
    typed = fields_of(editor.get(address))
    answer = editor.post(address, {**typed, field: value})
    assert answer.status_code == 200
    assert b"errorlist" in answer.content


@pytest.mark.parametrize("value", ["²", "9" * 14, "9" * 5000, "abc", "-1"])
def test_a_revision_that_cannot_be_one_is_stale(editor, person, value):
    address = reverse("admin:tracker_person_change", args=[person.pk])
    answer = editor.post(address, {**fields_of(editor.get(address)), "label": "typed", "revision": value})
    assert answer.status_code == 200
    assert b"typed" in answer.content
    delete = reverse("admin:tracker_person_delete", args=[person.pk])
    assert editor.post(delete, {"post": "yes", "revision": value}).status_code == 302
    person.refresh_from_db()
    assert person.label == "Invented Person"


@pytest.mark.parametrize("place", ["leg:#²", "leg:#" + "9" * 5000, "leg:#-1"])
def test_a_place_that_cannot_be_one(editor, place):
    answer = editor.post(ADD, {**fields_of(editor.get(ADD)), "citations-0-about": place})
    assert answer.status_code == 200


@pytest.mark.parametrize("key", ["zz", "\x00", ""])
def test_a_row_that_cannot_be_chosen(editor, key):
    answer = editor.post("/admin/tracker/person/", {"action": "submit", "_selected_action": key})
    assert answer.status_code in {200, 302}


def test_a_reason_with_a_nul(client, bob, person):
    Person.objects.filter(pk=person.pk).update(review_state="submitted")
    client.force_login(bob)
    page = client.get(reverse("admin:tracker_person_change", args=[person.pk]))
    answer = client.post(
        page.context["review"]["url"],
        {"step": "send_back", "why": "which\x00 town?", "version": page.context["review"]["version"]},
    )
    assert answer.status_code == 302
    person.refresh_from_db()
    assert person.review_state == "draft"


def test_a_source_typed_for_somebody_sealed_is_sealed(client, bob, alice):
    root = User.objects.create_superuser("root", password="x")
    client.force_login(root)
    address = "/admin/tracker/person/add/"
    typed = {
        **fields_of(client.get(address)),
        "label": "Sealed Exampleva",
        "disclosure": "sealed",
        "citations-0-about": "",
        "citations-0-new_title": "Her sister's letter",
    }
    page = client.get(address)
    whole = next(str(value) for value, label in page.context["inline_admin_formsets"][-1].formset.forms[0].fields["about"].choices if value)  # fmt: skip
    answer = client.post(address, {**typed, "citations-0-about": whole})
    assert answer.status_code == 302, answer.content.decode()
    source = Source.objects.get(title="Her sister's letter")
    assert source.disclosure == "sealed"
    assert source.grants.get().user == root
    client.force_login(alice)
    assert b"sister" not in client.get("/admin/tracker/source/").content


def test_a_refused_deletion_names_nothing(editor, source):
    sealed = Person.objects.create(label="Sealed Exampleva", disclosure="sealed")
    PersonCitation.objects.create(person=sealed, source=source, stated="her words")
    address = reverse("admin:tracker_source_delete", args=[source.pk])
    answer = editor.post(address, {"post": "yes", "revision": source.revision}, follow=True)
    assert "Something else refers to this" in answer.content.decode()
    assert b"Exampleva" not in answer.content
    assert b"PersonCitation" not in answer.content


def test_somebody_who_may_not_work_here_is_told_so(client, charlie):
    client.force_login(charlie)
    assert client.get("/admin/", follow=True).status_code == 403
