"""Why a column is empty, said on the pages of the admin, and read on those of the reading side."""

import re

import pytest
from django.urls import reverse
from django.utils.html import escape

from tests.conftest import ALL_DATABASES
from tests.copies import Copy
from tests.rows import change, make
from tests.tracker.admin_pages import fields, fill, save
from tracker.models import Detention, Episode, Person, Placement, Verdict
from tracker.models.fields import empties

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)


@pytest.fixture
def page(client, alice):
    client.force_login(alice)
    return client


def url(record):
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])


def asked(response, form):
    return {name for name in fields(response, form) if name.endswith("_missing")}


def test_a_page_asks_of_what_is_empty(page):
    everything = asked(page.get(reverse("admin:tracker_person_add")), "person_form")
    assert {f"{name}_missing" for name in empties(Person)} <= everything
    person = make(Person, born="1990", citizenships=["BY"], sex="female")
    left = {f"{name}_missing" for name in empties(Person)} - {"born_missing", "citizenships_missing", "sex_missing"}
    shown = {name for name in asked(page.get(url(person)), "person_form") if "-" not in name}
    assert shown == left


def test_of_rows_of_an_inline_too(page):
    detention = make(Detention)
    make(Placement, detention=detention, custody_type="sizo")
    response = page.get(url(detention))
    found = asked(response, "detention_form")
    assert {name for name in found if name.startswith("placements-0")} == {
        "placements-0-started_missing", "placements-0-ended_missing", "placements-0-whereabouts_missing",
    }  # fmt: skip
    assert {"placements-1-custody_type_missing", "episodes-0-started_missing"} <= found
    # the row that scripts copy has them too
    assert 'name="placements-__prefix__-started_missing"' in response.content.decode()


def test_a_reason_is_entered_changed_and_taken_away(page):
    person = make(Person)
    for given, stored in (("unknown", {"born": "unknown"}), ("not_stated", {"born": "not_stated"}), ("", {})):
        response = save(page, url(person), {"born_missing": given}, form="person_form")
        assert response.status_code == 302
        person.refresh_from_db()
        assert person.missing == stored
    # nothing typed is nothing changed
    revision = person.revision
    save(page, url(person), form="person_form")
    person.refresh_from_db()
    assert person.revision == revision


def test_in_an_inline(page):
    detention = make(Detention)
    save(page, url(detention), {"placements-0-custody_type": "colony", "placements-0-started_missing": "unknown"}, form="detention_form")  # fmt: skip
    placement = Placement.objects.get()
    assert placement.missing == {"started": "unknown"}
    save(page, url(detention), {"placements-0-started": "2021"}, form="detention_form")
    placement.refresh_from_db()
    assert (placement.missing, placement.started.edtf) == ({}, "2021")
    # rows that nobody touched are none
    assert not Episode.objects.exists()
    assert Placement.objects.count() == 1


def test_a_value_answers_what_was_stored_before(page):
    person = make(Person, missing={"born": "unknown", "sex": "not_stated"})
    data = fill(page, url(person), {"born": "1990"}, form="person_form")
    assert data["born_missing"] == ["unknown"]
    assert page.post(url(person), {**data, "_continue": "1"}).status_code == 302
    person.refresh_from_db()
    assert (person.born.edtf, person.missing) == ("1990", {"sex": "not_stated"})


SENTENCE = escape("“born” has a value, so there is no reason why it is empty: take one of the two away.")


def test_a_value_and_a_reason_typed_at_once_are_told(page):
    for before, given in (({}, "unknown"), ({"missing": {"born": "unknown"}}, "not_stated")):
        person = make(Person, **before)
        typed = {"born": "1990", "born_missing": given}
        response = save(page, url(person), typed, form="person_form")
        text = response.content.decode()
        assert SENTENCE.lower() in text.lower()
        assert re.search(r'<details class="part-more why-empty" open>', text)
        assert fields(response, "person_form")["born_missing"] == [given]
        person.refresh_from_db()
        assert (person.born, person.missing) == (None, before.get("missing", {}))


def test_in_an_inline_it_is_told_in_its_row(page):
    detention = make(Detention)
    typed = {"placements-0-started": "2021", "placements-0-started_missing": "unknown"}
    response = save(page, url(detention), typed, form="detention_form")
    assert escape("“from” has a value").lower() in response.content.decode().lower()
    assert not Placement.objects.exists()


def test_what_is_sent_without_reasons_leaves_them(page):
    """A page that was made by somebody else's program, or by an older version."""
    person = make(Person, missing={"born": "unknown"})
    data = {
        name: value for name, value in fill(page, url(person), form="person_form").items() if "_missing" not in name
    }
    assert page.post(url(person), {**data, "home_town": "Nowhere", "_continue": "1"}).status_code == 302
    person.refresh_from_db()
    assert (person.home_town, person.missing) == ("Nowhere", {"born": "unknown"})


def test_a_reason_that_there_is_not_is_refused(page):
    person = make(Person)
    for wrong in ("withheld", "not_recorded", "<b>"):
        assert save(page, url(person), {"born_missing": wrong}, form="person_form").status_code == 200
    person.refresh_from_db()
    assert person.missing == {}


def test_a_value_may_be_taken_away_with_other_reasons_kept(page):
    person = make(Person, born="1990", missing={"sex": "not_stated"})
    save(page, url(person), {"born": ""}, form="person_form")
    person.refresh_from_db()
    assert (person.born, person.missing) == (None, {"sex": "not_stated"})


# --- The reading side


@pytest.mark.parametrize("alias", ["researcher"])
def test_readers_are_told(client, charlie, alias):
    copy = Copy(alias)
    event = copy.event(missing={"mechanism": "not_stated"})
    person = copy.everything(1, event=event, source=copy.source())
    for row, missing in (
        (person, {"born": "unknown"}),
        (person.detentions.get(), {"confirmed": "not_applicable"}),
        (person.prosecutions.get(), {"closed": "unknown"}),
        (Verdict.objects.using(alias).get(), {"in_force": "not_stated"}),
        (person.releases.get(), {"conditions": "unknown"}),
    ):
        change(row, missing=missing).save()
    client.force_login(charlie)
    text = client.get(person.get_absolute_url()).content.decode()
    for words in (
        "Born: unknown – nobody knows.",
        "Last confirmed: not applicable – there can be none here.",
        "Ended: unknown – nobody knows.",
        "In force from: not stated – the sources are silent.",
        "Conditions: unknown – nobody knows.",
    ):
        assert words in text
    assert "Mechanism: not stated" in client.get(event.get_absolute_url()).content.decode()
    for row in (person, person.detentions.get()):
        change(row, missing={}).save()
    assert "nobody knows" not in client.get(person.get_absolute_url()).content.decode().split("Timeline")[0]
