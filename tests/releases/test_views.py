import csv
import io
import re

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from releases.models import Concession, EventRelation, OutsideRemit, Participation, ReleaseEventCitation
from tests.copies import Copy
from tracker.dates import parse

pytestmark = pytest.mark.django_db(databases=["default", "public"])


@pytest.fixture(autouse=True)
def public_site(settings):
    settings.PUBLIC_SITE = True


@pytest.fixture
def copy():
    return Copy("public")


@pytest.fixture
def read(client):
    def read(url, *, code=200, **query):
        response = client.get(url, query)
        text = b"".join(response).decode()
        assert response.status_code == code, text
        return " ".join(text.split())

    return read


@pytest.fixture
def download(client):
    """The ids of the persons in the file."""

    def download(url, **query):
        text = b"".join(client.get(url, query)).decode()
        return [row["person_id"] for row in csv.DictReader(io.StringIO(text))]

    return download


def test_an_event_shows_the_sum_and_the_gap(copy, read):
    event = copy.event("Release of 123")
    whole = copy.figure(event, 123, parts_complete=True)
    copy.figure(event, 114, subject="handed_over", destinations=["UA"], part_of=whole)
    copy.figure(event, 9, subject="handed_over", destinations=["LT"], part_of=whole)
    copy.release(event, copy.person("Anna Exampleva"), to="UA")
    text = read(event.get_absolute_url())
    assert "<h1>Release of 123" in text
    assert "123 = 114 + 9" in text
    assert "The parts add up." in text
    assert "122 not yet logged" in text
    assert "Anna Exampleva" in text


def test_an_event_says_who_says_so(copy, read):
    event = copy.event(legal_bases=["pardon"], mechanism="negotiated", announced=parse("2025-12-12"))
    source = copy.source("A report", publisher="Invented Times", url="https://example.org/report")
    copy.add(
        ReleaseEventCitation, event=event, source=source, about="happened", stated="on Saturday", speaker="A spokesman",
        locator="paragraph 3",
    )  # fmt: skip
    role = copy.add(Participation, event=event, role="mediator", name="Invented Envoy", title="envoy")
    copy.add(
        ReleaseEventCitation, event=event, source=source, participation=role, stated="Cole",
        standing="rejected", reason="typo",
    )  # fmt: skip
    copy.add(ReleaseEventCitation, event=event, source=source, topic="illness", stated="gravely ill")
    copy.add(Concession, event=event, grantor="Invented Country", measure="sanctions eased")
    text = read(event.get_absolute_url())
    for words in (
        "Pardon", "Negotiated", "12 December 2025", "on Saturday", "A spokesman", "paragraph 3", "Invented Envoy",
        "Rejected: Typing error", "gravely ill", "Reported as linked", "sanctions eased",
    ):  # fmt: skip
        assert words in text
    assert 'href="https://example.org/report" rel="noreferrer noopener external"' in text


def test_whoever_did_not_get_out_is_listed_and_not_counted(copy, read):
    event = copy.event()
    copy.figure(event, 2)
    copy.release(event, copy.person("Came Out"))
    copy.release(event, copy.person("Refused Exampleva"), outcome="refused_and_returned")
    text = read(event.get_absolute_url())
    assert "Refused Exampleva" in text
    assert "1 refused and returned, not counted as released" in text
    assert "1 not yet logged" in text


def test_people_outside_the_remit_are_told_once_with_who_says_so(copy, read):
    event = copy.event()
    copy.figure(event, 7, subject="handed_over", destinations=["UA"])
    copy.release(event, copy.person("Came Out"), to="UA")
    row = copy.add(OutsideRemit, event=event, low=6, high=6, why="invented soldiers", destinations=["UA"])
    copy.add(ReleaseEventCitation, event=event, source=copy.source("A report on soldiers"), outside=row)
    text = read(event.get_absolute_url())
    assert "Not recorded here, and not looked for: 6, invented soldiers" in text
    assert "agrees: 1 logged, 6 outside the remit" in text
    assert re.search(r'invented soldiers <span class="soft">\(to Ukraine\)</span><sup', text)
    assert "7 reported, 1 logged, 6 outside the remit" in read("/")


def test_where_they_went_on_to(copy, read):
    event = copy.event()
    copy.figure(event, 1, subject="arrived", destinations=["PL"])
    copy.release(event, to=[("handover", "completed", "UA"), ("onward", "completed", "PL")])
    copy.release(event, to=[("handover", "completed", "UA"), ("onward", "refused", "LT")])
    text = read(event.get_absolute_url())
    assert "After the handover 1 is known to have travelled on" in text
    table = text.split("After the handover</caption>")[1].split("</table>")[0]
    assert re.findall("<t[hd][^>]*>([^<]+)<", table.split("<tbody>")[1]) == [
        "Poland", "1 ", "1", "0", "0", "Lithuania", "–", "0", "0", "1",
    ]  # fmt: skip


def test_no_sum_is_guessed_for_readers(copy, read):
    event = copy.event()
    copy.figure(event, 123)
    copy.figure(event, 114, destinations=["UA"])
    copy.figure(event, 9, destinations=["LT"])
    assert "114 + 9" not in read(event.get_absolute_url())


def test_population_counts_are_added_up_on_the_overview(copy, read):
    held = {"subject": "remaining_in_custody", "as_of": parse("2025-11-22")}
    whole = copy.figure(None, 1184, parts_complete=True, **held)
    copy.figure(None, 1000, sex="male", part_of=whole, **held)
    women = copy.figure(None, 185, sex="female", part_of=whole, **held)
    assert "<b>1184 ≠ 1000 + 185</b> <span>The parts do not fit the whole." in read("/")
    women.low = women.high = 184
    women.save()
    text = read("/")
    assert "<b>1184 = 1000 + 184</b> <span>The parts add up." in text
    assert "<strong>184</strong>" not in text


def test_the_people_of_a_part_are_counted_in_the_whole(copy, read):
    event, part = copy.event(), copy.event("A part of it")
    copy.add(EventRelation, event=part, other=event, kind="part_of")
    copy.figure(event, 2)
    copy.release(event, copy.person("In The Whole"))
    copy.release(part, copy.person("In The Part"))
    text = read(event.get_absolute_url())
    assert "agrees" in text
    assert "1 more is listed in an event that is part of this one" in text
    assert part.get_absolute_url() in text
    assert '<td data-label="Logged" class="number">2</td>' in read("/events/")


def test_overlapping_events_count_nobody_twice(copy, read):
    event, other = copy.event(), copy.event("Another")
    copy.add(EventRelation, event=event, other=other, kind="may_include_same_people")
    person = copy.person("Invented Person")
    for one in (event, other):
        copy.release(one, person, to="UA")
    copy.release(other, to="UA")
    assert re.search(r'outcome=confirmed&amp;once=yes">2</a>', read("/"))


def test_related_events_lead_to_one_another(copy, read):
    event, other = copy.event("One"), copy.event("Another")
    copy.add(EventRelation, event=event, other=other, kind="may_include_same_people")
    assert other.get_absolute_url() in read(event.get_absolute_url())
    assert event.get_absolute_url() in read(other.get_absolute_url())


FILTERS = [
    ({}, ["lt", "poland", "possible", "refuted", "ukraine"]),
    ({"outcome": "confirmed"}, ["lt", "poland", "possible", "ukraine"]),
    ({"handed_over_to": "UA"}, ["poland", "refuted", "ukraine"]),
    ({"arrived_in": "PL"}, ["poland"]),
    ({"arrived_in": "LT"}, ["lt"]),
    ({"citizenship": "BY"}, ["lt"]),
    ({"since": "2025-12-01"}, ["possible", "ukraine"]),
    ({"until": "2025-11-30"}, ["lt", "poland", "possible", "refuted"]),
    ({"since": "2025-11-22", "until": "2025-11-22"}, ["lt", "poland", "refuted"]),
]


@pytest.mark.parametrize(("query", "found"), FILTERS)
def test_the_list_and_its_csv_hold_the_same_rows(copy, read, download, query, found):
    event = copy.event()
    on = {"released_on": parse("2025-11-22")}
    releases = {
        "ukraine": copy.release(event, copy.person("ukraine"), to="UA"),
        "poland": copy.release(
            event, copy.person("poland"), to=[("handover", "completed", "UA"), ("onward", "completed", "PL")], **on
        ),
        "lt": copy.release(event, copy.person("lt", citizenships=["BY"]), to="LT", **on),
        "possible": copy.release(None, copy.person("possible"), to="LT PL", released_on=parse("2025-11-25/2025-12-05")),
        "refuted": copy.release(None, copy.person("refuted"), to="UA", outcome="refuted", **on),
    }
    page = read("/releases/", **query)
    assert [name for name in sorted(releases) if f">{name}</a>" in page] == found
    assert f"Download these {len(found)} rows" in page or len(found) == 1
    in_file = set(download("/data/releases.csv", **query))
    assert in_file == {str(releases[name].person_id) for name in found}


def test_releases_of_one_event(copy, read, download):
    event = copy.event()
    copy.release(event, copy.person("In It"))
    copy.release(copy.event("Another"), copy.person("In Another"))
    page = read("/releases/", event=event.rid)
    assert "In It" in page
    assert "In Another" not in page
    assert len(download("/data/releases.csv", event=event.rid)) == 1


def test_events_by_day_basis_and_mechanism(copy, read):
    copy.event("A pardon", legal_bases=["pardon"], mechanism="unilateral", happened=parse("2025-11-22"))
    copy.event("An exchange", legal_bases=["exchange"], mechanism="exchange")
    copy.event("Only announced", happened=None, announced=parse("2025-10"))
    for query, found in (
        ({"basis": "pardon"}, {"A pardon"}),
        ({"mechanism": "exchange"}, {"An exchange"}),
        ({"since": "2025-12-01"}, {"An exchange"}),
        ({"until": "2025-10-01"}, {"Only announced"}),
    ):
        page = read("/events/", **query)
        assert {title for title in ("A pardon", "An exchange", "Only announced") if title in page} == found


def test_lists_cost_no_more_queries_for_more_rows(copy, read):
    def grow(start):
        for number in range(start, start + 10):
            event = copy.event(f"Event {number}")
            whole = copy.figure(event, 10 + number)
            copy.figure(event, 5, part_of=whole, origin=copy.source("An origin"))
            person = copy.person(f"Person {number}")
            copy.release(first, person, to=[("handover", "completed", "UA"), ("onward", "planned", "PL")])
            copy.release(event, person)
            copy.figure(first, 100 + number, origin=copy.source("Another origin"))
            body = copy.add(Participation, event=first, role="mediator", name=f"Envoy {number}")
            copy.add(ReleaseEventCitation, event=first, source=copy.source(), participation=body)
            relation = copy.add(EventRelation, event=first, other=event, kind="follows")
            copy.add(ReleaseEventCitation, event=first, source=copy.source(), relation=relation)

    def queries(url):
        with CaptureQueriesContext(connections["public"]) as captured:
            read(url)
        return len(captured)

    first = copy.event("First")
    urls = ["/events/", "/releases/", first.get_absolute_url(), "/"]
    grow(0)
    ten = {url: queries(url) for url in urls}
    grow(10)
    assert {url: queries(url) for url in urls} == ten
    assert max(ten.values()) <= 17


def test_pages_of_fifty(copy, read):
    event = copy.event()
    for number in range(51):
        copy.release(event, copy.person(f"Person {number:02}"))
    first = read("/releases/")
    assert "Person 00" in first
    assert "Person 49" in first
    assert "Person 50" not in first
    assert "Download these 51 rows" in first
    last = read("/releases/", before="end")
    assert "Person 00" not in last
    assert "Person 50" in last
    (after,) = re.findall(r'rel="next" href="\?after=([\w-]+)"', first)
    second = read("/releases/", after=after)
    assert "Person 49" not in second
    assert "Person 50" in second
    assert "Person 50" in read(event.get_absolute_url(), before="end")
    assert "cannot be read" in read(event.get_absolute_url(), code=400, after="x")
