"""What a page of the admin keeps, refuses and says."""

import pytest
from django.urls import reverse
from django.utils.html import escape

from tests.tracker.admin_pages import fields, fill, save
from tracker.dates import parse
from tracker.models import Detention, Name, Person, PersonCitation, Provision, Source
from tracker.models.rules import STALE, StaleError, explain

pytestmark = pytest.mark.django_db(databases=["default", "researcher", "public"])

STALE_SENTENCE = escape(str(explain(StaleError(STALE)).sentence))


@pytest.fixture
def page(client, alice):
    client.force_login(alice)
    return client


def url(record, page="change"):
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_{page}", args=[record.pk])


def kept(response, form="person_form"):
    assert response.status_code == 200
    return fields(response, form)


# Citations beside what they support


def test_a_name_and_its_citation_are_typed_in_one_form(page, source):
    response = save(
        page,
        reverse("admin:tracker_person_add"),
        {
            "names-0-text": "Anna Exampleva",
            "citations-0-about": "name:#0:text",
            "citations-0-source": str(source.pk),
            "citations-0-also": ["field:sex", "whole"],
            "citations-0-locator": "paragraph 3",
            "sex": "female",
        },
        form="person_form",
    )
    assert response.status_code == 302, response.context["errors"]
    person = Person.objects.get()
    cited = {citation.about_label: citation for citation in person.citations.all()}
    assert set(cited) == {"Anna Exampleva: name", "sex", "the record as a whole"}
    assert {citation.locator for citation in cited.values()} == {"paragraph 3"}
    assert cited["Anna Exampleva: name"].name == person.names.get()


def test_a_citation_about_an_empty_row_is_refused(page, source):
    response = save(
        page,
        reverse("admin:tracker_person_add"),
        {"citations-0-about": "name:#0", "citations-0-source": str(source.pk), "citations-0-quote": "word for word"},
        form="person_form",
    )
    assert "That row is empty" in response.content.decode()
    assert kept(response)["citations-0-quote"] == ["word for word"]
    assert kept(response)["citations-0-about"] == ["name:#0"]
    assert not Person.objects.exists()


def test_a_source_is_typed_in_the_citation_and_stays_chosen(page):
    new = {"citations-0-about": "whole", "citations-0-new_title": "A letter", "citations-0-new_kind": "letter"}
    response = save(page, reverse("admin:tracker_person_add"), {"label": "somebody", **new}, form="person_form")
    assert response.status_code == 302, response.context["errors"]
    source = Source.objects.get()
    assert source.disclosure == "staff"  # a letter's usual
    assert PersonCitation.objects.get().source == source
    again = fill(page, reverse("admin:tracker_person_add"), form="person_form")
    assert again["citations-0-source"] == [str(source.pk)]


def test_a_row_with_nothing_but_the_source_chosen_last_is_no_citation(page, source):
    session = page.session
    session["last_source"] = str(source.pk)
    session.save()
    response = save(page, reverse("admin:tracker_person_add"), {"label": "somebody"}, form="person_form")
    assert response.status_code == 302, response.context["errors"]
    assert not PersonCitation.objects.exists()


def test_one_address_is_one_source(page, source):
    Source.objects.filter(pk=source.pk).update(url="https://example.org/1")
    new = {"citations-0-new_title": "The same", "citations-0-new_url": "https://example.org/1"}
    response = save(
        page, reverse("admin:tracker_person_add"), {"citations-0-about": "whole", **new}, form="person_form"
    )
    assert "This address is recorded already" in response.content.decode()
    assert kept(response)["citations-0-new_title"] == ["The same"]
    assert Source.objects.count() == 1


def test_two_rejected_citations_without_a_reason_are_told_so_each_in_its_row(page, person, source):
    typed = {
        "citations-TOTAL_FORMS": "2",
        "citations-1-id": "",
        "citations-1-person": str(person.pk),
        "citations-1-disclosure": "public",
        "citations-1-credibility": "",
        "citations-1-reason": "",
    }
    for row in (0, 1):
        typed |= {
            f"citations-{row}-about": "whole",
            f"citations-{row}-source": str(source.pk),
            f"citations-{row}-standing": "rejected",
            f"citations-{row}-stated": f"words {row}",
        }
    response = save(page, url(person), typed, form="person_form")
    assert response.status_code == 200
    rows = response.context["inline_admin_formsets"][-1].formset.forms
    assert [list(row.errors) for row in rows] == [["reason"], ["reason"]]
    assert kept(response)["citations-1-stated"] == ["words 1"]
    assert not PersonCitation.objects.exists()


# What the database refuses


def test_a_second_open_detention_is_refused_beside_its_field(page, person):
    Detention.objects.create(person=person, started=parse("2024"))
    response = save(
        page,
        reverse("admin:tracker_detention_add"),
        {"person": str(person.pk), "started": "2025-03", "allegation": "as worded"},
        form="detention_form",
    )
    form = response.context["adminform"].form
    assert "already has an open detention" in str(form.errors["ended"])
    assert kept(response, "detention_form")["allegation"] == ["as worded"]
    assert kept(response, "detention_form")["started"] == ["2025-03"]
    assert Detention.objects.count() == 1


def test_a_second_name_at_the_same_place_is_refused_in_its_row(page, person):
    Name.objects.create(person=person, text="Anna Exampleva", position=1)
    response = save(
        page,
        url(person),
        {"names-1-text": "Hanna Exampleva", "names-1-position": "1", "summary": "typed"},
        form="person_form",
    )
    row = response.context["inline_admin_formsets"][0].formset.forms[1]
    assert "Two names stand at the same place" in str(row.errors["position"])
    assert kept(response)["names-1-text"] == ["Hanna Exampleva"]
    assert kept(response)["summary"] == ["typed"]
    person.refresh_from_db()
    assert (person.names.count(), person.summary) == (1, "")


def test_names_change_places_in_one_save(page, person):
    for position, text in enumerate(["Anna Exampleva", "Hanna Exampleva"], start=1):
        Name.objects.create(person=person, text=text, position=position)
    response = save(page, url(person), {"names-0-position": "2", "names-1-position": "1"}, form="person_form")
    assert response.status_code == 302, response.context["errors"]
    assert [name.text for name in person.names.all()] == ["Hanna Exampleva", "Anna Exampleva"]


def test_a_name_without_a_place_goes_to_the_end(page, person):
    Name.objects.create(person=person, text="Anna Exampleva", position=4)
    assert save(page, url(person), {"names-1-text": "Hanna Exampleva"}, form="person_form").status_code == 302
    assert person.names.last().position == 5


def test_what_only_the_database_knows_is_said_in_the_row_it_refused(page, person):
    """A deferred trigger: a placement surely outside its detention."""
    detention = Detention.objects.create(person=person, started=parse("2024-05-01"), ended=parse("2024-06-01"))
    response = save(
        page,
        url(detention),
        {"placements-0-started": "2020-01-01", "placements-0-custody_type": "sizo", "authority": "typed"},
        form="detention_form",
    )
    row = response.context["inline_admin_formsets"][0].formset.forms[0]
    assert "surely outside its detention" in str(row.errors["started"])
    assert kept(response, "detention_form")["authority"] == ["typed"]
    detention.refresh_from_db()
    assert detention.authority == ""
    assert not detention.placements.exists()


def test_another_persons_identifier_is_refused_in_its_row(page, person):
    Person.objects.create(label="Other Invented").external_identifiers.create(scheme="wikidata", value="Q1")
    typed = {"external_identifiers-0-scheme": "wikidata", "external_identifiers-0-value": "Q1", "summary": "typed"}
    response = save(page, url(person), typed, form="person_form")
    assert "perhaps the two are one" in response.content.decode()
    assert kept(response)["external_identifiers-0-value"] == ["Q1"]
    assert kept(response)["summary"] == ["typed"]


def test_a_bad_date_is_a_sentence_beside_the_field(page, person):
    response = save(page, url(person), {"born": "2025-13-40", "home_town": "typed"}, form="person_form")
    assert list(response.context["adminform"].form.errors) == ["born"]
    assert kept(response)["born"] == ["2025-13-40"]
    assert kept(response)["home_town"] == ["typed"]


# Nobody overwrites what they have not seen


def behind(person, **columns):
    """Somebody else saves the person while the page is open."""
    other = Person.objects.get(pk=person.pk)
    for name, value in columns.items():
        setattr(other, name, value)
    other.save()


def test_a_stale_form_is_refused(page, person):
    data = fill(page, url(person), {"summary": "typed"}, form="person_form")
    behind(person, home_town="Minsk")
    response = page.post(url(person), {**data, "_save": "1"})
    assert STALE_SENTENCE in response.content.decode()
    assert kept(response)["summary"] == ["typed"]
    # and again: the page still holds the revision it was opened with
    response = page.post(url(person), {**kept(response), "_save": "1"})
    assert STALE_SENTENCE in response.content.decode()
    person.refresh_from_db()
    assert (person.home_town, person.summary) == ("Minsk", "")


def test_a_form_without_a_revision_is_refused(page, person):
    data = fill(page, url(person), {"summary": "typed"}, form="person_form")
    del data["revision"]
    assert STALE_SENTENCE in page.post(url(person), {**data, "_save": "1"}).content.decode()


def test_a_stale_row_is_refused_in_its_row(page, person):
    name = Name.objects.create(person=person, text="Anna Exampleva")
    data = fill(page, url(person), {"names-0-text": "Hanna Exampleva"}, form="person_form")
    name.text = "Ganna Exampleva"
    name.save()
    response = page.post(url(person), {**data, "_save": "1"})
    row = response.context["inline_admin_formsets"][0].formset.forms[0]
    assert STALE_SENTENCE in escape(row.non_field_errors().as_text())
    assert kept(response)["names-0-text"] == ["Hanna Exampleva"]
    assert person.names.get().text == "Ganna Exampleva"


def test_a_stale_row_is_not_deleted(page, person):
    name = Name.objects.create(person=person, text="Anna Exampleva")
    data = fill(page, url(person), {"names-0-DELETE": "on", "summary": "typed"}, form="person_form")
    name.text = "Ganna Exampleva"
    name.save()
    response = page.post(url(person), {**data, "_save": "1"})
    assert STALE_SENTENCE in response.content.decode()
    assert kept(response)["summary"] == ["typed"]
    assert kept(response)["names-0-DELETE"] == ["on"]
    assert person.names.get().text == "Ganna Exampleva"


def test_a_row_that_somebody_else_deleted_is_not_made_again(page, person):
    name = Name.objects.create(person=person, text="Anna Exampleva")
    data = fill(page, url(person), {"names-0-text": "Hanna Exampleva"}, form="person_form")
    name.delete()
    response = page.post(url(person), {**data, "_save": "1"})
    assert STALE_SENTENCE in response.content.decode()
    assert kept(response)["names-0-text"] == ["Hanna Exampleva"]
    assert not person.names.exists()


def test_a_stale_row_of_a_list_is_refused(page):
    provision = Provision.objects.create(article="999", title="first")
    address = reverse("admin:tracker_provision_changelist") + "?q=999"
    data = fill(page, address, {"form-0-title": "typed"}, form="changelist-form")
    provision.title = "second"
    provision.save()
    response = page.post(address, {**data, "_save": "1"})
    assert STALE_SENTENCE in response.content.decode()
    assert kept(response, "changelist-form")["form-0-title"] == ["typed"]
    provision.refresh_from_db()
    assert provision.title == "second"


def test_a_list_is_edited(page):
    provision = Provision.objects.create(article="999", title="first")
    address = reverse("admin:tracker_provision_changelist") + "?q=999"
    typed = {"form-0-title": "typed", "form-0-verified": "on"}
    assert save(page, address, typed, form="changelist-form", button="_save").status_code == 302
    provision.refresh_from_db()
    assert (provision.title, provision.verified) == ("typed", True)


def test_a_stale_deletion_is_refused(page, person):
    confirmation = page.get(url(person, "delete"))
    behind(person, home_town="Minsk")
    revision = confirmation.context["revision"]
    response = page.post(url(person, "delete"), {"post": "yes", "revision": revision}, follow=True)
    assert STALE_SENTENCE in response.content.decode()
    assert Person.objects.filter(pk=person.pk).exists()


def test_a_deletion_of_what_was_looked_at(page, person, source):
    PersonCitation.objects.create(person=person, source=source)
    confirmation = page.get(url(person, "delete"))
    assert "Citations: 1" in " ".join(confirmation.content.decode().split()).replace("Person citations", "Citations")
    page.post(url(person, "delete"), {"post": "yes", "revision": confirmation.context["revision"]})
    assert not Person.objects.exists()
    assert Source.objects.exists()


# Without scripts


def test_a_person_is_found_by_typing_a_spelling_of_the_name(page, person):
    Name.objects.create(person=person, text="Анна Примерова")
    typed = {"person-search": "primerova", "started": "2024"}
    response = save(page, reverse("admin:tracker_detention_add"), typed, form="detention_form")
    assert response.status_code == 302, response.context["errors"]
    assert Detention.objects.get().person == person


def test_a_text_that_names_several_persons_leaves_a_list_to_choose_from(page, person):
    for given in ("Anna", "Maria"):
        Name.objects.create(person=Person.objects.create(), text=f"{given} Exampleva")
    typed = {"person-search": "exampleva", "allegation": "typed"}
    response = save(page, reverse("admin:tracker_detention_add"), typed, form="detention_form")
    assert "choose one from the list" in response.content.decode()
    assert kept(response, "detention_form")["allegation"] == ["typed"]
    chosen = Person.objects.named("maria").get()
    assert str(chosen.pk) in response.content.decode()
    again = {**kept(response, "detention_form"), "person": str(chosen.pk), "_save": "1"}
    assert page.post(reverse("admin:tracker_detention_add"), again).status_code == 302
    assert Detention.objects.get().person == chosen


def test_the_disclosure_of_a_new_source_follows_its_kind(page):
    for kind, expected in (("interview", "staff"), ("news", "public")):
        typed = {"title": f"An invented {kind}", "kind": kind}
        assert save(page, reverse("admin:tracker_source_add"), typed, form="source_form").status_code == 302
        assert Source.objects.get(kind=kind).disclosure == expected
