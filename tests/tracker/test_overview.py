"""The overview: each number is what its link leads to, each chart is its table, and a day that is none is refused."""

import csv
import io
import re
from datetime import date
from html import unescape
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from releases.models import EventRelation
from tests.copies import Copy
from tracker import figures
from tracker.dates import parse
from tracker.models import (
    Charge,
    Detention,
    Facility,
    Person,
    Placement,
    Prosecution,
    ProsecutionDetention,
    Provision,
    Sentence,
    Verdict,
)

pytestmark = pytest.mark.django_db(databases=["default", "public"])

DAYS = ["2023-06-15", "2024-03-31", "2025-12-13", "2026-01-31"]


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
        assert response.status_code == code, response.content.decode()
        return response.content.decode()

    return read


@pytest.fixture
def world(copy):
    """Of everything that is counted some: certain, possible, imprecise, and what is not to be counted."""
    places = [copy.add(Facility, name=f"Colony {number}", kind="colony") for number in (1, 2)]
    articles = [copy.add(Provision, article=article, title="invented") for article in ("130", "361-2")]

    def held(number, *, at=(), expected_end=None, years=(), **values):
        person = copy.person(f"Invented Person {number}")
        for name in ("started", "ended"):
            values[name] = values.get(name) and parse(values[name])
        detention = copy.add(Detention, person=person, **values)
        for custody_type, place, started in at:
            copy.add(
                Placement, detention=detention, custody_type=custody_type, facility=place and places[place - 1],
                started=started and parse(started),
            )  # fmt: skip
        prosecution = copy.add(Prosecution, person=person)
        copy.add(ProsecutionDetention, prosecution=prosecution, detention=detention, person=person)
        for article in articles[: number % 3]:
            copy.add(Charge, prosecution=prosecution, provision=article)
            copy.add(Charge, prosecution=prosecution, provision=article, paragraph="2")
        for instance in ("first", "appeal"):
            verdict = copy.add(Verdict, prosecution=prosecution, instance=instance, pronounced=parse("2024"))
            for term in years:
                copy.add(
                    Sentence, verdict=verdict, kind="imprisonment", years=term or None,
                    expected_end=expected_end and parse(expected_end),
                )  # fmt: skip
        return person, detention

    held(1, started="2021-03-05", at=[("sizo", 1, "2021-03-05"), ("colony", 2, "2025")], years=[4, 0])
    held(2, started="2024", at=[("iuot", 1, None)], years=[1, 12])
    held(3, started="2021", at=[("home_restriction", None, "2024-03-31")])
    held(4, ended="2025-06", at=[("house_arrest", None, None)])
    held(5, started="2023-05", expected_end="2025-11-30", years=[2])
    held(6, started="2022-01-01", at=[("colony_settlement", 2, "2023-06/2024-05")])
    dead, _detention = held(7, started="2022-01-01")
    Person.objects.using("public").filter(pk=dead.pk).update(died=parse("2024-03"))
    one, first = held(8, started="2022-01-01", ended="2025-12-13")
    two, _second = held(9, started="2022-01-01", ended="2025-12")
    event, part = copy.event("Invented Pardon", legal_bases=["pardon"]), copy.event("A part of it")
    copy.add(EventRelation, event=part, kind="part_of", other=event)
    copy.release(event, one, detention=first, legal_bases=["pardon", "exchange"])
    copy.release(part, one, to="UA", legal_bases=["pardon"])
    copy.release(event, two, to="LT", released_on=parse("2025-12"), legal_bases=["pardon"])
    for number, (day, to) in enumerate([("2025", "UA"), (None, "UA"), ("2024-02", "PL LT"), ("2023-06-01", "DE")]):
        copy.release(None, copy.person(f"Freed {number}"), released_on=day and parse(day), to=to)
    copy.release(event, outcome="announced", to="UA")
    copy.person("Only a relative")
    copy.figure(
        None, 1184, "at_least", subject="remaining_in_custody", as_of=parse("2025-11-22"), stated="at least 1,184",
        speaker="Invented Centre",
    )  # fmt: skip
    copy.figure(None, 1200, "about", subject="remaining_in_custody", as_of=parse("2026-01-20"), stated="about 1,200")


def links(text):
    """(address, number) of every link of the page whose text is a number."""
    for href, said in re.findall(r'<a href="(/[a-z]+/(?:\?[^"]*)?)">([\d,]+)(?: more possible)?</a>', text):
        yield unescape(href), int(said.replace(",", ""))


@pytest.fixture
def behind(client):
    """How many rows the CSV of a list has that is asked the question of an address."""

    def behind(href):
        parts = urlsplit(href)
        response = client.get(f"/data/{parts.path.strip('/')}.csv", dict(parse_qsl(parts.query)))
        text = b"".join(response).decode()
        assert response.status_code == 200, (href, text)
        return len(list(csv.DictReader(io.StringIO(text))))

    return behind


@pytest.mark.parametrize("on", [*DAYS, None])
def test_every_number_is_what_its_link_leads_to(world, read, behind, on):
    text = read("/", **{"on": on} if on else {})
    found = list(links(text))
    kinds = {(urlsplit(href).path, *sorted(dict(parse_qsl(urlsplit(href).query)))) for href, _number in found}
    if on == "2025-12-13":
        assert kinds == {
            ("/persons/",), ("/persons/", "certain", "custody", "on"), ("/persons/", "certain", "held_in", "on"),
            ("/persons/", "article"), ("/releases/", "once", "outcome"), ("/releases/", "basis", "once", "outcome", "until"),
            ("/releases/", "handed_over_to", "once", "outcome", "until"),
            ("/releases/", "handed_over_to", "once", "outcome", "since", "until"),
        }  # fmt: skip
    assert {href: number for href, number in found if behind(href) != number} == {}


@pytest.mark.parametrize("on", DAYS)
def test_the_row_of_a_month_leads_to_its_releases(world, read, behind, on):
    chart = figures.CHARTS["releases"]("public", date.fromisoformat(on))
    assert {line.label: behind(line.href) for line in chart.lines} == {
        line.label: line.numbers[0].value + line.numbers[1].value for line in chart.lines
    }
    assert any(line.numbers[1].value for line in chart.lines) or on < "2025"


def test_each_number_that_is_not_linked_is_known(world, copy, read):
    """Those of which there is no list of exactly these rows."""
    on = date(2025, 12, 13)
    unlinked = {
        (name, head)
        for name, make in figures.CHARTS.items()
        for chart in [make("public", on)]
        for line in chart.lines
        for head, number in zip(chart.heads[1:], line.numbers, strict=True)
        if not number.href
    }
    assert unlinked == {
        # the row leads to both
        ("releases", "Certain"), ("releases", "More possible"),
        ("releases", "Another country, or one of several"), ("releases", "No handover known"),
        ("destinations", "Handed over"), ("destinations", "Last known in"), ("bases", "Releases"),
        ("sentences", "Sentences"),
    }  # fmt: skip
    (of_several,) = (
        line.label for line in figures.CHARTS["destinations"]("public", on).lines
        if not line.numbers[0].href and line.label != "No handover known"
    )  # fmt: skip
    assert of_several == "Lithuania or Poland"


def test_sentences_by_length(world):
    chart = figures.CHARTS["sentences"]("public", date(2025, 12, 13))
    assert {line.label: line.numbers[0].value for line in chart.lines if line.numbers[0].value} == {
        "1 to less than 3 years": 2, "3 to less than 5 years": 1, "10 to less than 15 years": 1, "Length not known": 1,
    }  # fmt: skip
    assert figures.CHARTS["sentences"]("public", date(2023, 12, 31)).is_empty


@pytest.mark.parametrize("least", [1, 3, 5, 10, 15])
def test_a_band_begins_with_its_years(copy, least):
    verdict = copy.add(Verdict, prosecution=copy.add(Prosecution, person=copy.person("Invented Person")))
    for term in ({"years": least}, {"months": 12 * least}, {"years": least - 1, "months": 11, "days": 29}):
        copy.add(Sentence, verdict=verdict, kind="imprisonment", **term)
    copy.add(Sentence, verdict=verdict, kind="life")
    copy.add(Sentence, verdict=verdict, kind="fine")
    found = figures.CHARTS["sentences"]("public", date(2025, 12, 13)).rows
    numbers = dict(found)
    below = [int(band) for band in numbers if band.isdigit() and int(band) < least]
    assert (numbers[str(least)], numbers[str(max(below))], numbers["life"]) == (2, 1, 1)
    assert sum(numbers.values()) == 4


# --- Others


def test_what_others_say_stands_in_the_picture_and_in_the_text(world, read):
    text = read("/", on="2025-12-13")
    assert "at least 1,184" in text
    assert "Invented Centre" in text
    assert "about 1,200" not in text, "that was said later"
    svg = re.search(r"<svg.*?</svg>", text.split('id="custody"')[1], re.S)[0]
    root = ElementTree.fromstring(svg)
    assert len(root.findall(".//{http://www.w3.org/2000/svg}circle")) == 1
    assert "at least 1,184, 22 November 2025 (a)" in root.find("{http://www.w3.org/2000/svg}desc").text
    later = read("/", on="2026-01-31")
    assert re.findall(r'class="mark">(\w)</span> <strong>([^<]+)<', later) == [
        ("a", "about 1,200"), ("b", "at least 1,184"),
    ]  # fmt: skip


# --- The page


def test_the_page_says_which_day_it_tells_of(world, read):
    today = timezone.localdate()
    assert "In custody today" in read("/")
    assert "In custody today" in read("/", on=today.isoformat())
    assert 'In custody on <time datetime="2025-12-13">' in read("/", on="2025-12-13")
    assert f'value="{today.isoformat()}"' in read("/")
    assert "?on=2025-12-13" in read("/", on="2025-12-13").split('id="cite"')[1]


@pytest.mark.parametrize(
    ("on", "sentence"),
    [
        ("yesterday", "“yesterday” is no day. Write it as 2025-12-13."),
        ("2025-02-30", "“2025-02-30” is no day."),
        ("1800-01-01", "greater than or equal"),
    ],
)
def test_a_day_that_is_none(world, read, on, sentence):
    for url in ("/", "/charts/custody.svg", "/charts/custody.csv"):
        text = unescape(read(url, code=400, on=on))
        assert sentence in text
        assert "Invented" not in text


def test_without_anybody_nothing_is_drawn(read):
    text = read("/")
    assert "<svg" not in text
    assert text.count("Nothing in these records tells of this.") == len(figures.CHARTS)
    for name in figures.CHARTS:
        read(f"/charts/{name}.csv")
        ElementTree.fromstring(read(f"/charts/{name}.svg"))


# --- The files


@pytest.mark.parametrize("name", list(figures.CHARTS))
def test_a_chart_is_its_table(world, read, name):
    on = "2025-12-13"
    page = read("/", on=on)
    section = page.split(f'aria-labelledby="{name}"')[1].split("</section>")[0]
    shown = [
        [int(re.sub(r"<[^>]+>|,", "", cell)) for cell in re.findall(r'<td class="number">(.*?)<meter', row)]
        for row in re.findall("<tr>(.*?)</tr>", section, re.S)
        if "<td" in row
    ]
    chart = figures.CHARTS[name]("public", date.fromisoformat(on))
    assert shown == [[number.value for number in line.numbers] for line in chart.lines]
    table = list(csv.reader(io.StringIO(read(f"/charts/{name}.csv", on=on))))
    assert table[0] == list(chart.columns)
    assert len(table) == len(shown) + 1
    numbers = [row if name != "custody" else row[:3] for row in table[1:]]
    width = len(shown[0])
    told = [[int(cell) for cell in row[-width:]] for row in numbers]
    assert told == (shown[::-1] if name in {"custody", "releases"} else shown)
    drawn = read(f"/charts/{name}.svg", on=on)
    assert chart.picture in page
    assert chart.picture in drawn, "the picture of the page is the one that is downloaded"
    words = [part.text for part in ElementTree.fromstring(drawn) if part.tag.endswith("}text")]
    assert words[0] == f"{chart.title}, in these records"
    assert words[-1] == "http://testserver/?on=2025-12-13"


def test_a_picture_by_itself_runs_and_loads_nothing(world, client):
    response = client.get("/charts/custody.svg", {"on": "2025-12-13"})
    assert response["Content-Type"] == "image/svg+xml"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == 'attachment; filename="custody-2025-12-13.svg"'
    policy = {part.strip() for part in response["Content-Security-Policy"].split(";")}
    assert policy == {"default-src 'none'", "frame-ancestors 'none'", "sandbox"}
    assert client.get("/charts/custody.csv").headers["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("ending", ["svg", "csv"])
def test_questions_that_are_not_answered(read, ending):
    assert "There is no chart “people”. There are: custody, kinds" in read(f"/charts/people.{ending}", code=404)
    assert "A chart has no filter “since”. It has: on." in read(
        f"/charts/custody.{ending}", code=400, since="2025-01-01"
    )


def test_labels_are_text(copy, read):
    place = copy.add(Facility, name="<script>alert(1)</script> & co")
    person = copy.person("Invented Person")
    detention = copy.add(Detention, person=person, started=parse("2021"))
    copy.add(Placement, detention=detention, facility=place, custody_type="colony")
    text = read("/", on="2025-12-13")
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt; &amp; co") == 2
