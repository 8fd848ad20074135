"""The event's page shows how far its numbers reconcile; figures follow from the number that is stated."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from releases.models import (
    Concession,
    EventGrant,
    EventRelation,
    Leg,
    Participation,
    Release,
    ReleaseEvent,
    ReportedFigure,
)
from tests.rows import make
from tests.tracker.admin_pages import fields, save
from tracker.models import Name, Person

pytestmark = pytest.mark.django_db(databases=["default", "researcher", "public"])

ADD_FIGURE = "admin:releases_reportedfigure_add"
FIGURE = "reportedfigure_form"


@pytest.fixture
def page(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def event(db):
    return make(ReleaseEvent, title="An invented release", happened="2025-12-13")


def change(record):
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])


def figures(event, source):
    said = {"event": event, "source": source}
    whole = make(ReportedFigure, **said, subject="released", low=123, high=123, parts_complete=True)
    for number, country in ((114, "UA"), (9, "LT")):
        make(ReportedFigure, **said, subject="handed_over", low=number, high=number, destinations=[country],
             part_of=whole)  # fmt: skip
    return whole


def test_the_page_shows_the_reconciliation_with_its_sum_and_what_is_logged(page, event, source):
    whole = figures(event, source)
    person = make(Person, citizenships=["BY"])
    make(Name, person=person, text="Anna Exampleva")
    release = make(Release, event=event, person=person, released_on="2025-12-13")
    make(Leg, release=release, countries=["LT"])
    shown = page.get(change(event)).content.decode()
    assert "123 = 114 + 9" in shown or "123 = 9 + 114" in shown or "114 + 9" in shown
    assert "Lithuania" in shown
    assert "Anna Exampleva" in shown
    assert change(release) in shown
    assert change(whole) in shown
    assert f"{reverse('admin:releases_release_add')}?event={event.pk}" in shown
    assert f"{reverse(ADD_FIGURE)}?event={event.pk}" in shown


def test_an_event_is_entered_with_its_parts_and_a_topic(page, event, source, organisation):
    response = save(
        page,
        change(event),
        {
            "relations-0-kind": "follows",
            "relations-0-other": str(make(ReleaseEvent, title="Another invented release").pk),
            "participations-0-role": "mediator",
            "participations-0-organisation": str(organisation.pk),
            "concessions-0-grantor": "Invented Government",
            "concessions-0-measure": "nothing at all",
            "citations-0-source": str(source.pk),
            "citations-0-about": "participation:#0",
            "citations-1-source": str(source.pk),
            "citations-1-about": "whole",
            "citations-1-topic": "illness",
        }
        | {"citations-TOTAL_FORMS": "2", "citations-1-standing": "accepted", "citations-1-disclosure": "public"},
        form="releaseevent_form",
    )
    assert response.status_code == 302, response.context["errors"]
    assert EventRelation.objects.get().event == event
    assert Participation.objects.get().organisation == organisation
    assert Concession.objects.get().measure == "nothing at all"
    assert {(said.about_label, said.topic) for said in event.citations.all()} == {
        (str(Participation.objects.get()), ""),
        ("the record as a whole", "illness"),
    }


@pytest.mark.parametrize(
    ("qualifier", "number", "typed", "low", "high"),
    [
        ("exactly", "114", {}, 114, 114),
        ("about", "100", {}, 50, 149),
        ("at_least", "1184", {}, 1184, None),
        ("more_than", "1100", {}, 1101, None),
        ("up_to", "40", {}, 0, 40),
        ("about", "100", {"low": "95"}, 95, 149),
        ("about", "100", {"low": "95", "high": "105"}, 95, 105),
        ("worded", "", {"stated": "several"}, None, None),
    ],
)
def test_the_lowest_and_highest_number_follow_from_what_is_stated(
    page, event, source, qualifier, number, typed, low, high
):
    sent = {"subject": "released", "qualifier": qualifier, "number": number, "source": str(source.pk), **typed}
    response = save(page, f"{reverse(ADD_FIGURE)}?event={event.pk}", sent, form=FIGURE, button="_save")
    assert response.status_code == 302, response.context["errors"]
    figure = ReportedFigure.objects.get()
    assert (figure.event, figure.low, figure.high) == (event, low, high)
    shown = fields(page.get(change(figure)), FIGURE)
    if not typed:
        assert shown["number"] == [number]
    assert number in figure.number


def test_another_number_moves_the_bounds_and_bounds_can_be_corrected(page, source):
    figure = make(ReportedFigure, source=source, qualifier="about", low=50, high=149)
    save(page, change(figure), {"number": "200"}, form=FIGURE)
    figure.refresh_from_db()
    assert (figure.low, figure.high) == (150, 249)
    save(page, change(figure), {"high": "220"}, form=FIGURE)
    figure.refresh_from_db()
    assert (figure.low, figure.high) == (150, 220)


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ({"number": ""}, "number"),
        ({"number": "-1"}, "number"),
        ({"number": "many"}, "number"),
        ({"qualifier": "worded", "number": ""}, "stated"),
        ({"low": "200"}, "low"),
        ({"destinations": ["XX"]}, "destinations"),
        ({"as_of": "2025-13-40"}, "as_of"),
    ],
)
def test_bad_figures_are_told_beside_the_field(page, source, typed, place):
    sent = {"subject": "released", "number": "114", "source": str(source.pk), **typed}
    response = save(page, reverse(ADD_FIGURE), sent, form=FIGURE, button="_save")
    assert response.status_code == 200
    assert place in response.context["adminform"].form.errors
    assert not ReportedFigure.objects.exists()


def test_a_figure_is_part_of_one_of_the_same_event_only(page, event, source):
    whole = figures(event, source)
    other = make(ReportedFigure, source=source, event=make(ReleaseEvent, title="Another"), low=5, high=5)
    url = f"{reverse(ADD_FIGURE)}?event={event.pk}"
    sent = {"subject": "released", "number": "5", "source": str(source.pk)}
    assert str(other.pk) not in page.get(url).content.decode()
    response = save(page, url, {**sent, "part_of": str(other.pk)}, form=FIGURE, button="_save")
    assert "part_of" in response.context["adminform"].form.errors
    response = save(page, url, {**sent, "part_of": str(whole.pk)}, form=FIGURE, button="_save")
    assert response.status_code == 302


def test_a_sealed_event_can_be_granted_only_by_those_who_see_it(client, alice, bob):
    sealed = make(ReleaseEvent, title="A sealed release", disclosure="sealed")
    make(EventGrant, user=alice, event=sealed)
    client.force_login(bob)
    url = reverse("admin:releases_eventgrant_add")
    assert "A sealed release" not in client.get(url).content.decode()
    assert client.post(url, {"user": str(bob.pk), "event": str(sealed.pk)}).status_code == 200
    assert "A sealed release" not in client.get(reverse("admin:releases_eventgrant_changelist")).content.decode()
    client.force_login(alice)
    assert client.post(url, {"user": str(bob.pk), "event": str(sealed.pk)}).status_code == 302
    again = client.post(url, {"user": str(bob.pk), "event": str(sealed.pk)})
    assert "already has this grant" in again.content.decode()
    client.force_login(bob)
    assert client.get(change(sealed)).status_code == 200


def test_lists_cost_the_same_number_of_queries_with_twice_the_rows(page, event, source):
    def rows(number):
        for _each in range(number):
            another = make(ReleaseEvent, title="Another invented release")
            make(ReportedFigure, source=source, event=another, low=5, high=5)
            make(ReportedFigure, source=source, event=event, low=5, high=5)

    urls = [reverse("admin:releases_releaseevent_changelist"), reverse("admin:releases_reportedfigure_changelist")]
    urls += [change(event), f"{reverse(ADD_FIGURE)}?event={event.pk}"]
    rows(10)
    few = [_queries(page, url) for url in urls]
    rows(10)
    assert [_queries(page, url) for url in urls] == few


def _queries(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)
