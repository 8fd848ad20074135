"""The event's page shows how far its numbers reconcile; figures follow from the number that is stated."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from releases.models import (
    Concession,
    EventGrant,
    EventRelation,
    Leg,
    OutsideRemit,
    Participation,
    Release,
    ReleaseEvent,
    ReportedFigure,
)
from tests.rows import make
from tests.tracker.admin_pages import fields, save
from tracker.models import Name, Person, Source
from tracker.versions import history_of

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


def loose_figures(event, source):
    """123 in all, 114 and 9 of them somewhere, and nobody says that the one is made of the others."""
    said = {"event": event, "source": source}
    whole = make(ReportedFigure, **said, subject="released", low=123, high=123)
    return [whole, *(
        make(ReportedFigure, **said, subject="handed_over", low=number, high=number, destinations=[country])
        for number, country in ((114, "UA"), (9, "LT"))
    )]  # fmt: skip


def record_sum(page, event, **data):
    return page.post(reverse("admin:releases_releaseevent_sum", args=[event.pk]), data, follow=True)


def test_a_sum_is_proposed_and_recorded_with_one_button(page, event, source, alice):
    whole, *parts = loose_figures(event, source)
    found = page.get(change(event))
    shown = found.content.decode()
    assert "123 = 114 + 9" in shown
    assert "The parts add up." not in shown
    key = re.search('name="sum" value="([^"]+)"', shown)[1]
    after = record_sum(page, event, sum=key).content.decode()
    assert "Recorded: 123 = 114 + 9" in after
    assert "The parts add up." in after
    assert 'name="sum"' not in after
    whole.refresh_from_db()
    assert (whole.parts_complete, whole.complete_along) == (True, ["destinations"])
    assert set(whole.of_whom.all()) == set(parts)
    changes = history_of(ReportedFigure).objects.filter(pgh_label="update")
    assert {(row.pgh_context["act"], row.pgh_context["why"]) for row in changes} == {("sum", "123 = 114 + 9")}
    assert len({row.pgh_context_id for row in changes}) == 1
    assert "This is recorded, or the figures have changed since" in record_sum(page, event, sum=key).content.decode()


def test_only_a_sum_that_holds_now_can_be_recorded(page, event, source):
    whole, part, other = loose_figures(event, source)
    shown = page.get(change(event)).content.decode()
    key = re.search('name="sum" value="([^"]+)"', shown)[1]
    other.low = other.high = 10
    other.save()
    for sent in (key, "", f"destinations {whole.pk} {part.pk} {other.pk}", "nonsense"):
        assert "the figures have changed since" in record_sum(page, event, sum=sent).content.decode()
    assert not ReportedFigure.objects.exclude(part_of=None).exists()
    assert page.get(reverse("admin:releases_releaseevent_sum", args=[event.pk])).status_code == 403


def test_a_sum_of_a_sealed_event_is_there_for_nobody_else(client, alice, bob, source):
    sealed = make(ReleaseEvent, title="A sealed release", disclosure="sealed")
    make(EventGrant, user=alice, event=sealed)
    whole, *parts = loose_figures(sealed, source)
    key = " ".join(["destinations", *(str(figure.pk) for figure in (whole, *parts))])
    client.force_login(bob)
    assert "A sealed release" not in record_sum(client, sealed, sum=key).content.decode()
    whole.refresh_from_db()
    assert not whole.parts_complete
    client.force_login(alice)
    record_sum(client, sealed, sum=key)
    whole.refresh_from_db()
    assert whole.parts_complete


def test_people_outside_the_remit_are_entered_once_with_who_says_so(page, event, source):
    make(ReportedFigure, event=event, source=source, subject="released", low=5, high=5)
    response = save(
        page,
        change(event),
        {
            "outside-0-low": "5",
            "outside-0-why": "Invented soldiers, whom others record",
            "outside-0-citizenships": ["UA"],
            "citations-0-source": str(source.pk),
            "citations-0-about": "outside:#0",
        },
        form="releaseevent_form",
    )
    assert response.status_code == 302, response.context["errors"]
    (row,) = OutsideRemit.objects.all()
    assert (row.low, row.high, row.citizenships) == (5, 5, ["UA"])
    assert event.citations.get().outside == row
    shown = page.get(change(event)).content.decode()
    assert "agrees: 0 logged, 5 outside the remit" in shown
    assert "Invented soldiers" in shown


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"outside-0-low": "6", "outside-0-high": "5"}, "at least one, and the lower number first"),
        ({"outside-0-low": "0"}, "at least one, and the lower number first"),
        ({"outside-0-low": "5", "outside-0-why": ""}, "This field is required"),
    ],
)
def test_bad_numbers_outside_the_remit_are_told(page, event, typed, sentence):
    response = save(page, change(event), {"outside-0-why": "Invented soldiers"} | typed, form="releaseevent_form")
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert not OutsideRemit.objects.exists()


def test_along_what_the_parts_are_complete_is_entered(page, event, source):
    figure = make(ReportedFigure, event=event, source=source, low=123, high=123)
    assert (
        "tick that they are complete"
        in save(page, change(figure), {"complete_along": ["sex"]}, form=FIGURE).content.decode()
    )
    save(page, change(figure), {"parts_complete": "on", "complete_along": ["sex", "destinations"]}, form=FIGURE)
    figure.refresh_from_db()
    assert (figure.parts_complete, figure.complete_along) == (True, ["destinations", "sex"])


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


def test_a_figure_shows_whether_its_parts_add_up(page, source):
    held = {"subject": "remaining_in_custody", "as_of": "2025-11-22", "source": source}
    whole = make(ReportedFigure, low=1184, high=1184, parts_complete=True, **held)
    men = make(ReportedFigure, low=1000, high=1000, sex="male", part_of=whole, **held)
    sealed = make(Source, title="A sealed letter", disclosure="sealed")
    make(ReportedFigure, low=184, high=184, sex="female", part_of=whole, **{**held, "source": sealed})
    for figure in (whole, men):
        shown = page.get(change(figure)).content.decode()
        assert "1184 ≠ 1000. The parts do not fit the whole." in shown
    make(ReportedFigure, low=184, high=184, sex="female", part_of=whole, **held)
    assert "1184 = 1000 + 184. The parts add up." in page.get(change(men)).content.decode()


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
