"""Logging one release: one form on one page."""

import re

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from releases.models import EventGrant, Leg, Release, ReleaseCitation, ReleaseEvent
from tests.rows import make
from tests.tracker.admin_pages import fields, fill, save
from tracker import publication, review
from tracker.models import Detention, Grant, Name, Person, PersonCitation, Source

pytestmark = pytest.mark.django_db(databases=["default", "researcher", "public"])

ADD = "admin:releases_release_add"
FORM = "release_form"


@pytest.fixture
def page(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def event(db):
    return make(ReleaseEvent, title="An invented release", happened="2025-12-13", legal_bases=["pardon"])


@pytest.fixture
def anna(db):
    person = make(Person)
    make(Name, person=person, text="Anna Exampleva")
    make(Name, person=person, text="Hanna Pryklad", position=2)
    return person


@pytest.fixture
def held(anna):
    return make(Detention, person=anna, started="2021-03-05")


def change(record):
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])


def log(page, typed, *, query="", button="_save"):
    return save(page, reverse(ADD) + query, {"outcome": "confirmed", **typed}, form=FORM, button=button)


def errors(response):
    assert response.status_code == 200, [str(message) for message in get_messages(response.wsgi_request)]
    form = response.context["adminform"].form
    found = {name: " ".join(sentences) for name, sentences in form.errors.items()}
    for formset in response.context["inline_admin_formsets"]:
        for row in formset.formset.forms:
            found |= {f"{row.prefix}-{name}": " ".join(sentences) for name, sentences in row.errors.items()}
    return found


def publish(records, alice, bob):
    review.submit(records, by=alice)
    publication.publish(records, by=bob)


def test_a_release_is_logged_submitted_published_and_copied(client, alice, bob, event, anna, held, source):
    client.force_login(alice)
    response = log(
        client,
        {
            "person": str(anna.pk),
            "event": str(event.pk),
            "released_on": "2025-12-13",
            "legal_bases": ["pardon"],
            "departure": "expelled",
            "conditions": ["must_leave"],
            "legs-0-countries": ["UA"],
            "legs-0-happened": "2025-12-13",
            "legs-1-countries": ["PL", "LT"],
            "legs-1-status": "planned",
            "citations-0-source": str(source.pk),
            "citations-0-locator": "paragraph 3",
            "citations-0-about": ["whole", "field:released_on", "leg:#0"],
            "citations-1-new_title": "An invented statement",
            "citations-1-new_publisher": "Invented Headquarters",
            "citations-1-speaker": "An invented speaker",
            "citations-1-about": ["leg:#1"],
        },
        button="_submit",
    )
    assert response.status_code == 302, errors(response)
    release = Release.objects.get()
    assert response.url == change(release)
    assert [(leg.kind, leg.countries, leg.status, leg.position) for leg in release.legs.all()] == [
        ("handover", ["UA"], "completed", 1),
        ("onward", ["LT", "PL"], "planned", 2),
    ]
    cited = {(citation.about_label, citation.source.title) for citation in release.citations.all()}
    assert cited == {
        ("the record as a whole", "An invented report"),
        ("released on", "An invented report"),
        ("1. Handover – Ukraine", "An invented report"),
        ("2. Onward journey – Lithuania or Poland", "An invented statement"),
    }
    held.refresh_from_db()
    assert (held.ended.edtf, held.end_reason) == ("2025-12-13", "released")
    assert [citation.about for citation in held.citations.all()] == ["ended"]
    assert {release.review_state, held.review_state} == {"submitted"}

    event_cited = make(ReleaseEvent.citation_model(), event=event, source=source)
    person_cited = make(PersonCitation, person=anna, source=source)
    assert event_cited.pk
    assert person_cited.pk
    publish([anna, event], alice, bob)
    client.force_login(bob)
    panel = {"step": "publish", **_panel(client.get(change(release)))}
    response = client.post(reverse("admin:releases_release_review", args=[release.pk]), panel)
    said = [str(message) for message in get_messages(response.wsgi_request)]
    assert said == ["2 records are published."]
    copied = Release.objects.using("public").get()
    assert (copied.released_on.edtf, copied.detention.ended.edtf) == ("2025-12-13", "2025-12-13")
    assert copied.legs.count() == 2
    assert copied.citations.count() == 4


def _panel(response):
    return {"version": re.search(r'name="version" value="([^"]+)"', response.content.decode())[1]}


def test_whoever_logged_it_cannot_publish_it(client, bob, anna, held, source):
    client.force_login(bob)
    typed = {"person": str(anna.pk), "released_on": "2025-12-13", "citations-0-source": str(source.pk)}
    log(client, {**typed, "citations-0-about": ["whole"]}, button="_submit")
    release = Release.objects.get()
    shown = client.get(change(release)).content.decode()
    assert 'value="publish"' not in shown
    client.post(
        reverse("admin:releases_release_review", args=[release.pk]),
        {"step": "publish", **_panel(client.get(change(release)))},
    )
    release.refresh_from_db()
    assert release.review_state == "submitted"


def test_without_a_citation_it_is_a_draft_and_says_what_is_missing(page, anna):
    response = log(page, {"person": str(anna.pk), "released_on": "2025-12-13"}, button="_submit")
    release = Release.objects.get()
    assert (response.url, release.review_state) == (change(release), "draft")
    assert any("no citation" in str(message) for message in get_messages(response.wsgi_request))


def test_the_open_detention_is_chosen_when_the_person_is_known(page, anna, held):
    response = page.get(reverse(ADD), {"person": anna.pk})
    assert fields(response, FORM)["ends"] == [f"{held.pk}:{held.revision}"]
    assert "Ends the detention since 5 March 2021" in response.content.decode()


def test_with_a_person_typed_in_the_form_the_open_detention_is_closed_all_the_same(page, anna, held):
    assert fields(page.get(reverse(ADD)), FORM)["ends"] == ["auto"]
    log(page, {"person": str(anna.pk), "released_on": "2025-12-13"})
    held.refresh_from_db()
    assert held.ended.edtf == "2025-12-13"


@pytest.mark.parametrize(
    ("ends", "outcome", "ended"), [("none", "confirmed", None), ("auto", "announced", None), ("auto", "refuted", None)]
)
def test_a_detention_is_left_open(page, anna, held, ends, outcome, ended):
    response = log(page, {"person": str(anna.pk), "released_on": "2025-12-13", "ends": ends, "outcome": outcome})
    assert response.status_code == 302, errors(response)
    held.refresh_from_db()
    assert held.ended is ended


def test_a_detention_nobody_recorded_is_created_without_a_day_of_arrest(page, anna):
    log(page, {"person": str(anna.pk), "released_on": "2025-12-13"})
    detention = Detention.objects.get()
    assert (detention.started, detention.ended.edtf, detention.end_reason) == (None, "2025-12-13", "released")
    assert Release.objects.get().detention == detention


def test_without_scripts_a_person_is_found_by_a_spelling(page, anna, held):
    response = log(page, {"person": "", "person-search": "hanna pryklad", "released_on": "2025-12-13"})
    assert response.status_code == 302, errors(response)
    assert Release.objects.get().person == anna
    held.refresh_from_db()
    assert held.ended


@pytest.mark.parametrize(
    ("typed", "place", "said"),
    [
        ({"released_on": "2025-13-40"}, "released_on", "there is no month 13"),
        ({"legs-0-countries": ["XX"]}, "legs-0-countries", "XX"),
        ({"legs-0-happened": "2025-12-12"}, "legs-0-happened", "surely before"),
        ({"legs-1-countries": ["PL"], "legs-1-happened": "yesterday"}, "legs-1-happened", "not a date"),
        ({"person": ""}, "person", "required"),
        ({"person": "0b3f0a8e-7a44-4f3b-8f43-6d4b2f8f9b11"}, "person", "valid choice"),
        ({"ends": "0b3f0a8e-7a44-4f3b-8f43-6d4b2f8f9b11:1"}, "ends", "Choose again"),
        ({"outcome": "escaped"}, "outcome", "valid choice"),
        ({"ends": "new", "outcome": "announced"}, "ends", "Only a confirmed release"),
        ({"citations-0-locator": "line 2"}, "citations-0-about", "Tick"),
        ({"citations-0-about": ["whole"]}, "citations-0-source", "Choose a source"),
        ({"citations-0-about": ["leg:#1"], "citations-0-new_title": "T"}, "citations-0-about", "That row is empty"),
        ({"citations-0-about": ["whole"], "citations-0-new_publisher": "P"}, "citations-0-new_title", "title"),
        ({"citations-0-new_title": "T", "citations-0-about": ["whole"], "citations-0-standing": "rejected"},
         "citations-0-reason", "reason"),
    ],
)  # fmt: skip
def test_bad_input_is_told_beside_the_field_and_kept(page, anna, held, typed, place, said):
    sent = {
        "person": str(anna.pk),
        "released_on": "2025-12-13",
        "note": "what was typed",
        "legs-0-place": "Invented Crossing",
        **typed,
    }
    response = log(page, sent)
    assert said in errors(response).get(place, ""), errors(response)
    shown = fields(response, FORM)
    assert shown["note"][0].strip() == "what was typed"
    assert shown["legs-0-place"] == ["Invented Crossing"]
    for name, value in typed.items():
        if name not in {"person", "outcome", "ends", "legs-0-countries", "citations-0-about"} or name == place:
            continue
        assert shown[name] == ([value] if isinstance(value, str) else value)
    assert not Release.objects.exists()
    assert not Leg.objects.exists()
    assert Source.objects.count() == 0
    held.refresh_from_db()
    assert held.is_open


def test_a_day_before_the_chosen_detention_began_is_refused(page, anna, held):
    ends = {"ends": f"{held.pk}:{held.revision}"}
    response = log(page, {"person": str(anna.pk), "released_on": "2021-01-01", **ends}, query=f"?person={anna.pk}")
    assert "began later" in errors(response)["released_on"]


def test_a_second_confirmed_release_of_a_detention_is_refused_with_a_link(page, anna, held):
    log(page, {"person": str(anna.pk), "released_on": "2025-12-13"})
    first = Release.objects.get()
    response = log(page, {"person": str(anna.pk), "released_on": "2025-12-13"})
    assert "already ends the detention" in errors(response)["ends"]
    assert change(first) in response.content.decode()


def test_the_same_release_again_is_refused_with_a_link(page, anna, event):
    typed = {"person": str(anna.pk), "event": str(event.pk), "released_on": "2025-12-13"}
    log(page, typed)
    first = Release.objects.get()
    response = log(page, typed)
    assert "already recorded" in errors(response)["person"]
    assert change(first) in response.content.decode()
    assert Release.objects.count() == 1


def test_a_detention_changed_since_the_page_was_opened_is_not_closed(page, anna, held):
    url = f"{reverse(ADD)}?person={anna.pk}"
    sent = fill(page, url, {"released_on": "2025-12-13", "outcome": "confirmed"}, form=FORM)
    held.allegation = "changed by somebody else"
    held.save()
    response = page.post(url, {**sent, "_save": "1"})
    assert "Choose again" in errors(response)["ends"]
    assert not Release.objects.exists()


def test_a_preview_shows_each_audience_its_view_and_saves_nothing(page, anna, held, event):
    letter = Source.objects.create(title="A secret letter", kind="letter")
    response = log(
        page,
        {
            "person": str(anna.pk),
            "event": str(event.pk),
            "released_on": "2025-12-13",
            "legs-0-countries": ["UA"],
            "note": "for staff only",
            "citations-0-source": str(letter.pk),
            "citations-0-about": ["whole"],
        },
        button="_preview",
    )
    assert errors(response) == {}
    public, researcher = response.context["preview"].seen
    assert (public.audience, researcher.audience) == ("public", "researcher")
    assert dict(public.facts)["person"] == "Anna Exampleva"
    assert dict(public.facts)["detention"] == "5 March 2021 – 13 December 2025"
    assert public.way_out == ["1. Handover – Ukraine, Completed"]
    assert public.citations == ["the record as a whole – Information held by the organisation"]
    shown = response.content.decode()
    assert "A secret letter" not in shown.split('id="preview"')[1]
    assert "for staff only" not in shown.split('id="preview"')[1]
    kept = fields(response, FORM)
    assert (kept["released_on"], kept["legs-0-countries"]) == (["2025-12-13"], ["UA"])
    assert not Release.objects.exists()
    assert not ReleaseCitation.objects.exists()
    assert not Person.objects.filter(published_at__isnull=False).exists()
    held.refresh_from_db()
    assert held.is_open
    # and what was previewed can be saved as it stands
    data = {name: values for name, values in kept.items() if values}
    saved = page.post(reverse(ADD), {**data, "_save": "1"})
    assert saved.status_code == 302
    assert Release.objects.get().citations.count() == 1


def test_a_preview_of_a_stricter_disclosure_takes_nothing_from_readers(page, alice, bob, anna, held, source):
    typed = {"person": str(anna.pk), "released_on": "2025-12-13", "citations-0-source": str(source.pk)}
    log(page, {**typed, "citations-0-about": ["whole"]})
    make(PersonCitation, person=anna, source=source)
    release = Release.objects.get()
    held.refresh_from_db()
    publish([anna, held, release], alice, bob)
    response = save(page, change(release), {"disclosure": "staff"}, form=FORM, button="_preview")
    assert [bool(seen.hidden) for seen in response.context["preview"].seen] == [True, True]
    assert Release.objects.using("public").filter(pk=release.pk).exists()
    response = save(page, change(release), {"disclosure": "staff"}, form=FORM)
    assert not Release.objects.using("public").filter(pk=release.pk).exists()


@pytest.mark.parametrize(
    ("closed", "audience"), [({"disclosure": "staff"}, "researcher"), ({"consent": "not_at_all"}, "public")]
)
def test_a_preview_says_why_an_audience_sees_nothing(page, anna, closed, audience):
    for name, value in closed.items():
        setattr(anna, name, value)
    anna.save()
    response = log(page, {"person": str(anna.pk), "released_on": "2025-12-13"}, button="_preview")
    seen = {one.audience: one for one in response.context["preview"].seen}
    assert "Anna Exampleva" in seen[audience].hidden
    assert not seen[audience].facts


def test_the_next_person_of_the_event_needs_only_a_name(page, event, anna, source):
    response = log(
        page,
        {
            "person": str(anna.pk),
            "event": str(event.pk),
            "released_on": "2025-12-13",
            "legal_bases": ["pardon"],
            "departure": "expelled",
            "legs-0-countries": ["UA"],
            "legs-1-countries": ["PL"],
            "citations-0-source": str(source.pk),
            "citations-0-speaker": "An invented speaker",
            "citations-0-about": ["whole", "leg:#0"],
        },
        button="_next",
    )
    assert response.status_code == 302, errors(response)
    second = make(Person, label="Somebody else")
    first = Release.objects.get()
    saved = save(page, response.url, {"person": str(second.pk)}, form=FORM, button="_save")
    assert saved.status_code == 302, errors(saved)
    again = Release.objects.get(person=second)
    names = ("event", "released_on", "outcome", "legal_bases", "departure")
    assert [getattr(again, name) for name in names] == [getattr(first, name) for name in names]
    assert [leg.countries for leg in again.legs.all()] == [["UA"], ["PL"]]
    cited = {(citation.about_label, citation.source, citation.speaker) for citation in again.citations.all()}
    assert cited == {
        ("the record as a whole", source, "An invented speaker"),
        ("1. Handover – Ukraine", source, "An invented speaker"),
    }
    assert again.detention != first.detention


def test_the_last_source_stays_chosen_and_cites_nothing_by_itself(page, anna, source):
    typed = {"person": str(anna.pk), "citations-0-source": str(source.pk), "citations-0-about": ["whole"]}
    log(page, typed)
    shown = fields(page.get(reverse(ADD)), FORM)
    assert shown["citations-0-source"] == [str(source.pk)]
    other = make(Person)
    log(page, {"person": str(other.pk)})
    assert not Release.objects.get(person=other).citations.exists()


def test_an_event_in_the_address_gives_its_day_and_bases(page, event):
    shown = fields(page.get(reverse(ADD), {"event": event.pk}), FORM)
    assert (shown["event"], shown["released_on"], shown["legal_bases"]) == ([str(event.pk)], ["2025-12-13"], ["pardon"])


def test_ukraine_lithuania_and_poland_come_first_and_every_country_is_there(page):
    shown = page.get(reverse(ADD)).content.decode()
    options = re.search(r'<select name="legs-0-countries".*?</select>', shown, re.S)[0]
    codes = re.findall(r'<option value="(\w+)"', options)
    assert codes[:3] == ["UA", "LT", "PL"]
    assert {"BY", "DE", "XXA"} < set(codes)


# The release once it is logged


def test_a_change_is_never_carried_to_the_detention_and_the_difference_is_shown(page, anna, held):
    log(page, {"person": str(anna.pk), "released_on": "2025-12-13"})
    release = Release.objects.get()
    response = save(page, change(release), {"released_on": "2025-12-14"}, form=FORM)
    assert response.status_code == 302, errors(response)
    held.refresh_from_db()
    assert held.ended.edtf == "2025-12-13"
    shown = page.get(change(release)).content.decode()
    assert "The release is dated 2025-12-14 and the end of the detention 2025-12-13." in shown


def test_a_release_confirmed_later_closes_the_detention_when_the_editor_says_so(page, anna, held):
    log(page, {"person": str(anna.pk), "released_on": "2025-12-13", "outcome": "announced"})
    release = Release.objects.get()
    save(page, change(release), {"outcome": "confirmed"}, form=FORM)
    held.refresh_from_db()
    assert held.is_open
    assert "still open" in page.get(change(release)).content.decode()
    save(page, change(release), {"ends": f"{held.pk}:{held.revision}"}, form=FORM)
    held.refresh_from_db()
    assert held.ended.edtf == "2025-12-13"


def test_a_stale_save_is_refused_and_kept(page, anna):
    log(page, {"person": str(anna.pk), "released_on": "2025-12-13"})
    release = Release.objects.get()
    sent = fill(page, change(release), {"note": "typed by the slower one"}, form=FORM)
    save(page, change(release), {"note": "typed by the quicker one"}, form=FORM)
    response = page.post(change(release), {**sent, "_save": "1"})
    assert "Somebody else has changed this" in response.content.decode()
    assert fields(response, FORM)["note"][0].strip() == "typed by the slower one"
    release.refresh_from_db()
    assert release.note == "typed by the quicker one"


# Who sees what


def autocomplete(client, field, term):
    names = {"app_label": "releases", "model_name": "release", "field_name": field, "term": term}
    response = client.get(reverse("admin:autocomplete"), names)
    assert response.status_code == 200
    return [result["text"] for result in response.json()["results"]]


def test_a_person_is_found_by_any_spelling(page, anna):
    assert autocomplete(page, "person", "hanna prykl") == ["Anna Exampleva"]


def test_what_is_sealed_is_not_there_without_a_grant(page, alice, anna, event):
    for record in (anna, event):
        record.disclosure = "sealed"
        record.save()
    release = make(Release, person=anna, event=event)
    assert autocomplete(page, "person", "exampleva") == []
    assert autocomplete(page, "event", "invented") == []
    for url in (change(release), change(event)):
        assert page.get(url).status_code == 302
    for name in ("release", "releaseevent"):
        shown = page.get(reverse(f"admin:releases_{name}_changelist")).content.decode()
        assert "Exampleva" not in shown
        assert "An invented release" not in shown
    for query in (f"?person={anna.pk}", f"?event={event.pk}", f"?after={release.pk}"):
        shown = page.get(reverse(ADD) + query).content.decode()
        assert "Exampleva" not in shown
        assert "An invented release" not in shown
    response = log(page, {"person": str(anna.pk)})
    assert "valid choice" in errors(response)["person"]

    make(Grant, user=alice, person=anna)
    make(EventGrant, user=alice, event=event)
    assert autocomplete(page, "person", "exampleva") == ["Anna Exampleva"]
    assert autocomplete(page, "event", "invented") == ["An invented release"]
    assert page.get(change(release)).status_code == 200


def test_only_editors_and_reviewers_log_releases(client, alice, bob, charlie):
    for user, status in ((alice, 200), (bob, 200), (charlie, 302)):
        client.force_login(user)
        assert client.get(reverse(ADD)).status_code == status, user


def test_a_list_costs_the_same_number_of_queries_with_twice_the_rows(page, event, source):
    def rows(number):
        for _each in range(number):
            person = make(Person)
            make(Name, person=person, text="Anna Exampleva")
            release = make(Release, person=person, event=event, detention=make(Detention, person=person, ended="2025"))
            make(Leg, release=release, countries=["UA"])
            make(ReleaseCitation, release=release, source=source)

    urls = [reverse("admin:releases_release_changelist"), change(event)]
    rows(10)
    assert all(page.get(url).content.decode().count("Anna Exampleva") >= 10 for url in urls)
    few = [_queries(page, url) for url in urls]
    rows(10)
    assert [_queries(page, url) for url in urls] == few


def _queries(client, url):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)
