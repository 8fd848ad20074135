import csv
import io
import re

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from releases.models import ReleaseCitation
from tests.copies import DAY, Copy
from tracker.dates import parse
from tracker.models import (
    Charge,
    Detention,
    DetentionCitation,
    ExternalIdentifier,
    Facility,
    Name,
    Organisation,
    OrganisationCitation,
    PersonCitation,
    Placement,
    Prosecution,
    Provision,
    Recognition,
    Relationship,
    Sentence,
    Verdict,
    VerdictCitation,
)

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
    def download(url, **query):
        response = client.get(url, query)
        assert response.status_code == 200
        return list(csv.DictReader(io.StringIO(b"".join(response).decode())))

    return download


def words(text):
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


# --- One person


def test_a_person_with_everything_that_is_known(copy, read):
    person = copy.person(
        "Anna Exampleva", born=parse("1990"), home_town="Invented Town", occupations=["teacher"],
        contexts=["donations"], citizenships=["BY", "UA"], summary="Taught until she was arrested.",
    )  # fmt: skip
    body = copy.add(Organisation, name="Invented Committee")
    copy.add(
        Recognition, person=person, body=body, status="political_prisoner", criteria=["pace_a"], started=parse("2022")
    )
    copy.add(ExternalIdentifier, person=person, scheme="invented", value="4711")
    husband = copy.person("Invented Husband")
    copy.add(Relationship, person=husband, other=person, kind="spouse")
    detention = copy.add(
        Detention, person=person, started=parse("2021-03"), ended=parse(DAY), end_reason="released",
        authority="Invented Police", allegation="as they word it",
    )  # fmt: skip
    facility = copy.add(Facility, name="Invented Colony")
    copy.add(Placement, detention=detention, custody_type="colony", facility=facility, started=parse("2022-01"))
    prosecution = copy.add(Prosecution, person=person, opened=parse("2021-04"), outcome="convicted")
    provision = copy.add(Provision, article="361-2", title="Invented title")
    copy.add(Charge, prosecution=prosecution, provision=provision, paragraph="1")
    verdict = copy.add(Verdict, prosecution=prosecution, court="Invented Court", pronounced=parse("2021-09-01"))
    copy.add(Sentence, verdict=verdict, kind="imprisonment", years=4, months=6, regime="general")
    event = copy.event("Invented Pardon")
    copy.release(
        event, person, detention=detention, departure="expelled", conditions=["passport_seized"],
        to=[("handover", "completed", "LT"), ("onward", "planned", "PL DE")],
    )  # fmt: skip
    text = words(read(person.get_absolute_url()))
    for expected in (
        "Anna Exampleva", "1990", "Invented Town", "Teacher", "Donations", "Belarus, Ukraine", "Taught until",
        "Political prisoner", "Invented Committee", "invented: 4711", "Invented Husband : Spouse of Anna Exampleva",
        "Arrested March 2021", "Invented Police", "as they word it", "Penal colony: Invented Colony",
        "article 361-2, part 1: Invented title", "not checked against the official text", "Invented Court",
        "Imprisonment, 4 years 6 months, general regime", "Invented Pardon", "Expelled", "Passport seized", "Lithuania",
        "Germany or Poland", "planned", "Status today", "Released",
    ):  # fmt: skip
        assert expected in text, expected
    timeline = text[text.index("Timeline") :]
    order = [timeline.index(kind) for kind in ("Detention", "Criminal prosecution", "Political prisoner", "Way out")]
    assert order == sorted(order)


def test_an_erroneous_name_is_shown_as_one_and_found(copy, read):
    person = copy.person("Right Name", ("Wrong Exampleva", "erroneous"))
    text = read(person.get_absolute_url())
    assert "<h1>Right Name" in text
    assert "printed in error for this person" in text
    copy.release(None, person)
    assert "Right Name" in read("/persons/", name="exampleva")
    assert "(in error)" in read("/persons/", name="exampleva")


def test_a_rejected_citation_is_shown_with_its_reason(copy, read):
    person = copy.person("Right Name", ("Wrong Name", "erroneous"))
    copy.add(
        PersonCitation, person=person, source=copy.source(), name=person.names.get(kind="erroneous"),
        stated="Wrong Name", locator="paragraph 6", standing="rejected", reason="misidentified", reasoning="Why.",
    )  # fmt: skip
    text = read(person.get_absolute_url())
    assert "rejected</i>" in text.split("<h2", 1)[0], "it is said beside the name"
    assert "Rejected: Misidentified." in text
    assert "Why." in text
    assert "paragraph 6" in text


def test_one_passage_for_several_facts_is_one_note(copy, read):
    person = copy.person("Anna Exampleva", sex="female", citizenships=["BY"])
    source = copy.source()
    for about in ("sex", "citizenships"):
        copy.add(PersonCitation, person=person, source=source, about=about, locator="paragraph 1", stated="she")
    copy.add(PersonCitation, person=person, source=source, about="home_town", locator="paragraph 2")
    text = read(person.get_absolute_url())
    assert text.count('href="#note-1"') == 2
    assert text.count('<li id="note-') == 2
    assert "On: sex; citizenships" in text
    assert "On: home town" in text, "what supports nothing that the page prints is told all the same"


def test_every_reference_leads_to_a_note(copy, read):
    person = copy.everything(1, event=copy.event(), source=copy.source())
    text = read(person.get_absolute_url())
    assert set(re.findall(r'href="#(note-\d+)"', text)) == set(re.findall(r'id="(note-\d+)"', text)) != set()


def test_where_no_source_can_be_named(copy, read):
    person = copy.person("Anna Exampleva")
    assert "Information held by the organisation" in read(person.get_absolute_url())


def test_a_merged_person_leads_to_the_one_it_is(copy, client):
    person = copy.person("Anna Exampleva")
    merged = copy.person("Anna Exampleva")
    connections["public"].check_constraints()  # nothing new is said of somebody who is merged
    merged.merged_into = person
    merged.save()
    response = client.get(merged.get_absolute_url())
    assert (response.status_code, response.url) == (301, person.get_absolute_url())
    assert "no-cache" in response["Cache-Control"], "a merge can be taken back"


def test_somebody_without_a_name_is_called_by_the_label(copy, read):
    person = copy.person(label="husband of Anna Exampleva", identification="partly_identified")
    text = read(person.get_absolute_url())
    assert "<h1>Husband of Anna Exampleva" in text
    assert "Partly identified" in text


def test_an_end_is_not_taken_for_a_beginning(copy, read):
    person = copy.person("Anna Exampleva")
    copy.add(Detention, person=person, ended=parse(DAY))
    text = words(read(person.get_absolute_url()))
    assert "until 13 December 2025 Detention" in text
    assert "No source says when the detention began" in text


# --- Lists


STATUS_DAY = "2025-06-01"
PERSONS = [
    ({}, {"certain", "possible", "free"}),
    ({"status": "in_custody", "on": STATUS_DAY}, {"certain", "possible"}),
    ({"status": "in_custody", "on": STATUS_DAY, "certain": "yes"}, {"certain"}),
    ({"status": "in_custody", "on": STATUS_DAY, "certain": "no"}, {"possible"}),
    ({"status": "released"}, {"free"}),
    ({"citizenship": "UA"}, {"free"}),
    ({"sex": "female"}, {"certain"}),
    ({"arrived_in": "LT"}, {"free"}),
    ({"arrived_in": "PL", "outcome": "confirmed"}, set()),
    ({"arrived_in": "PL"}, {"certain"}),
    ({"name": "экзамплева"}, {"free"}),
    ({"name": "EKZAMPLEVA free"}, {"free"}),
    ({"name": "—"}, set()),
    ({"name": "' OR 1=1 --"}, set()),
]


@pytest.fixture
def three(copy):
    certain = copy.person("certain", sex="female")
    copy.add(Detention, person=certain, started=parse("2021"))
    possible = copy.person("possible")
    copy.add(Detention, person=possible, started=parse("2025"))
    free = copy.person("free", "Экзамплева", citizenships=["UA"])
    detention = copy.add(Detention, person=free, started=parse("2021"), ended=parse("2025-01"), end_reason="released")
    copy.release(copy.event(), free, detention=detention, to="LT", released_on=parse("2025-01"))
    copy.release(None, certain, to="PL", outcome="refuted")
    copy.person("a relative who was never held")
    return {"certain": certain, "possible": possible, "free": free}


@pytest.mark.parametrize(("query", "found"), PERSONS)
def test_persons_and_their_csv_are_the_same_rows(three, read, download, query, found):
    page = read("/persons/", **query)
    assert {name for name in three if f">{name}</a>" in page} == found
    assert {row["pid"] for row in download("/data/persons.csv", **query)} == {three[name].pid for name in found}
    if len(found) > 1:
        assert f"Download these {len(found)} rows as CSV" in page


def test_by_event_and_by_pid(three, read):
    rid = three["free"].releases.get().event.rid
    for query in ({"event": rid}, {"name": three["free"].pid}):
        page = read("/persons/", **query)
        assert ">free</a>" in page
        assert ">certain</a>" not in page


def test_the_link_to_the_csv_asks_the_same_question(three, read):
    page = read("/persons/", sex="female", name="", sort="-name")
    assert 'href="/data/persons.csv?sex=female"' in page


def test_persons_are_sorted_by_name_and_those_without_come_last(copy, read):
    for name in ("beta", "Alpha", "gamma"):
        copy.release(None, copy.person(name))
    copy.release(None, copy.person(label="brother of Alpha"))
    copy.release(None, copy.person())
    page = read("/persons/")
    order = [page.index(f">{name}</a>") for name in ("Alpha", "beta", "Brother of Alpha", "gamma", "Not named here")]
    assert order == sorted(order)


BROKEN = [
    ("persons", {"on": "2025-13-40"}, "“2025-13-40” is no day. Write it as 2025-12-13"),
    ("persons", {"on": "9999-12-31"}, "less than or equal"),
    ("persons", {"on": "0001-01-01"}, "greater than or equal"),
    ("persons", {"citizenship": "ZZ"}, "“ZZ” is not one of the values"),
    ("persons", {"arrived_in": "Ukraine"}, "“Ukraine” is not one of the values"),
    ("persons", {"status": "'; DROP TABLE"}, "is not one of the values"),
    ("persons", {"event": "no-such"}, "There is no such event."),
    ("persons", {"name": "\x00"}, "The address holds a character that cannot be searched for."),
    ("persons", {"name": "x" * 201}, "at most 200 characters"),
    ("releases", {"since": "yesterday"}, "Write it as 2025-12-13"),
    ("releases", {"outcome": "freed"}, "“freed” is not one of the values"),
    ("sources", {"language": "xx"}, "“xx” is not one of the values"),
]


@pytest.mark.parametrize(("table", "query", "sentence"), BROKEN)
def test_a_question_that_cannot_be_read_is_not_answered(copy, read, table, query, sentence):
    copy.release(None, copy.person("Anna Exampleva"))
    page = read(f"/{table}/", code=400, **query)
    assert sentence in page
    assert "Anna Exampleva" not in page
    assert sentence in read(f"/data/{table}.csv", code=400, **query)


@pytest.mark.parametrize(
    ("url", "query", "code", "sentence"),
    [
        ("/data/prisoners.csv", {}, 404, "There is no table “prisoners”."),
        ("/data/persons.csv", {"citizenchip": "UA"}, 400, "no filter “citizenchip”. It has: name, "),
        ("/data/legs.csv", {"event": "x"}, 400, "no filter “event”. It has: none."),
        ("/data/persons.csv", {"excel": "yes"}, 400, "excel=yes: write 1 or 0."),
        ("/persons/", {"page": "2"}, 400, "This list has no filter “page”. It has: name, "),
        ("/persons/", {"after": "9" * 5000}, 400, "The address of this page cannot be read"),
        ("/persons/", {"after": "x", "before": "end"}, 400, "cannot both be asked for"),
        ("/persons/", {"sort": "born"}, 400, "sort=born: this list cannot be sorted by that. It can by: name, -name."),
        ("/persons/%00/", {}, 400, "holds a character that cannot be searched for"),
    ],
)
def test_broken_requests(read, url, query, code, sentence):
    assert sentence in read(url, code=code, **query)


def test_files_come_as_files(copy, client):
    copy.release(None, copy.person("=1+1"))
    plain, excel = client.get("/data/names.csv"), client.get("/data/names.csv", {"excel": "1"})
    assert plain.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert plain.headers["Content-Disposition"] == 'attachment; filename="names.csv"'
    assert excel.headers["Content-Disposition"] == 'attachment; filename="names.excel.csv"'
    plain, excel = b"".join(plain), b"".join(excel)
    assert b",=1+1," in plain
    assert excel.startswith(b"\xef\xbb\xbf")
    assert b",'=1+1," in excel


def test_the_data_page_counts_the_rows_of_every_table(copy, read, download):
    copy.everything(1, event=copy.event(), source=copy.source())
    page = read("/data/")
    for name, rows in re.findall(r"<code>(\w+)</code></th>.*?class=\"number\">([\d,]+)</td>", page):
        assert len(download(f"/data/{name}.csv")) == int(rows), name
    assert "/data/citations.csv" in page


# --- Sources


def test_all_that_rests_on_a_source(copy, read):
    source = copy.source("A report", url="https://example.org/report", archive_url="https://archive.example.org/1")
    person = copy.everything(1, event=copy.event("Invented Pardon"), source=source)
    verdict = Verdict.objects.using("public").get()
    copy.add(VerdictCitation, verdict=verdict, source=source, about="court", stated="a court")
    body = Organisation.objects.using("public").get()
    copy.add(OrganisationCitation, organisation=body, source=source, stated="its other name")
    repeating = copy.source("Another report")
    copy.add(PersonCitation, person=person, source=repeating, origin=source, about="sex", stated="she")
    copy.figure(None, 1184, "at_least", source=source, subject="remaining_in_custody", stated="at least 1,184")
    text = read(f"/sources/{source.pk}/")
    assert "8 passages in these records" in text
    assert text.count(f'href="{person.get_absolute_url()}"') == 6
    for expected in ("a Ukrainian", "paragraph 2", "a court", "its other name", "repeated in", "remaining in custody"):
        assert expected in text
    assert 'href="https://example.org/report" rel="noreferrer noopener external"' in text


def test_no_address_but_the_webs_is_linked(copy, read):
    source = copy.source("A trap", url="javascript:alert(1)")
    text = read(f"/sources/{source.pk}/")
    assert 'href="javascript' not in text
    assert "javascript:alert(1)" in text


def test_sources_by_text_kind_and_language(copy, read):
    copy.source("One report", language="be")
    copy.source("A letter", kind="letter", publisher="", authors="Invented Author")
    for query, found in (
        ({"text": "REPORT times"}, {"One report"}),
        ({"text": "author"}, {"A letter"}),
        ({"kind": "letter"}, {"A letter"}),
        ({"language": "be"}, {"One report"}),
    ):
        page = read("/sources/", **query)
        assert {title for title in ("One report", "A letter") if title in page} == found


# --- Overview


def test_the_overview_counts_this_copy(copy, read):
    event = copy.event("Invented Pardon")
    held, perhaps = copy.person("Held"), copy.person("Perhaps")
    copy.add(Detention, person=held, started=parse("2021"))
    copy.add(Detention, person=perhaps, started=parse(f"2021/{timezone.localdate().year + 1}"))
    copy.release(event, to="UA")
    copy.release(event, outcome="announced")
    copy.person("Only a relative")
    copy.figure(event, 31)
    copy.figure(
        None, 1184, "at_least", subject="remaining_in_custody", as_of=parse("2025-11-22"), stated="at least 1,184",
        source=copy.source(publisher="Invented Weekly"), speaker="Invented Centre",
    )  # fmt: skip
    copy.figure(None, 9999, subject="remaining_in_custody", standing="rejected", reason="typo")
    text = words(read("/"))
    assert "Persons in these records 4" in text
    assert "In custody today 1 certain, 1 more possible" in text
    assert "Releases confirmed 1" in text
    assert "Invented Pardon 31 reported, 1 logged, 30 not yet" in text
    assert "at least 1,184" in text
    assert "Invented Centre, in Invented Weekly" in text
    assert "9999" not in text
    assert "Ukraine 1 1" in text


def test_an_empty_site_is_complete(read):
    for url in ("/", "/persons/", "/releases/", "/events/", "/sources/", "/data/"):
        assert "<h1>" in read(url)


def test_pages_need_no_script_and_no_style_of_their_own(copy, read):
    event = copy.event()
    person = copy.everything(1, event=event, source=copy.source())
    for url in (
        "/",
        "/persons/",
        person.get_absolute_url(),
        event.get_absolute_url(),
        "/releases/",
        "/data/",
        "/login/",
    ):
        page = read(url)
        assert "<script" not in page
        assert "<style" not in page
        assert not re.search(r"\s(style|on\w+)=", page)
        assert len(re.findall("<h1", page)) == 1
        assert not re.search(r'(src|href)="(https?:)?//', page), "nothing of another site"


# --- Queries


def test_no_page_costs_more_queries_for_more_rows(copy, read):
    event, source = copy.event(), copy.source()
    person = copy.everything(0, event=event, source=source)
    case = {"prosecution": person.prosecutions.get(), "detention": person.detentions.get()}

    def grow(start):
        for number in range(start, start + 10):
            other = copy.everything(number, event=event, source=source)
            spelling = copy.add(Name, person=person, text=f"Spelling {number}", position=number + 10)
            copy.add(PersonCitation, person=person, source=copy.source(f"Source {number}"), name=spelling)
            relation = copy.add(Relationship, person=person, other=other, kind="sibling")
            copy.add(PersonCitation, person=person, source=source, relationship=relation)
            recognition = copy.add(
                Recognition, person=person, body=copy.add(Organisation, name="Body"), status="withdrawn"
            )
            copy.add(PersonCitation, person=person, source=source, recognition=recognition)
            facility = copy.add(Facility, name=f"Colony {number}")
            placement = copy.add(Placement, detention=case["detention"], facility=facility)
            copy.add(DetentionCitation, detention=case["detention"], source=source, placement=placement)
            provision = copy.add(Provision, article=str(number))
            copy.add(Charge, prosecution=case["prosecution"], provision=provision)
            verdict = copy.add(Verdict, prosecution=case["prosecution"])
            sentence = copy.add(Sentence, verdict=verdict, kind="fine")
            copy.add(VerdictCitation, verdict=verdict, source=source, sentence=sentence, origin=copy.source())
            release = copy.release(copy.event(f"Event {number}"), person, to="UA")
            copy.add(ReleaseCitation, release=release, source=source, leg=release.legs.get())
            copy.figure(copy.event(), number, source=source, subject="remaining_in_custody")

    def queries(url):
        with CaptureQueriesContext(connections["public"]) as captured:
            read(url)
        return len(captured)

    urls = [
        "/", "/persons/", "/persons/?name=spelling", "/persons/?before=end", "/detentions/", "/sentences/", "/releases/",
        "/events/", "/sources/", "/data/", person.get_absolute_url(),
        f"/sources/{source.pk}/",
    ]  # fmt: skip
    grow(1)
    ten = {url: queries(url) for url in urls}
    grow(11)
    # a page of a source that holds one kind of passage needs less than one that holds several
    assert {url: number for url in urls if (number := queries(url)) > ten[url]} == {}
    assert ten["/persons/"] <= 11


# --- What was shown before, and how to cite it


def test_the_history_of_a_person_is_that_of_the_copy(copy, read):
    person = copy.person("Anna Exampleva", summary="Taught.")
    detention = copy.add(Detention, person=person, started=parse("2021-03"))
    detention.started = parse("2021-03-05")
    detention.save()
    person.summary = "Taught until she was arrested."
    person.save()
    copy.add(Name, person=person, text="Wrong Exampleva", position=2).delete()
    copy.everything(1, event=copy.event(), source=copy.source())  # somebody else
    text = words(read(f"{person.get_absolute_url()}history/"))
    for expected in (
        "Arrested: 2021-03 → 2021-03-05", "Summary: Taught. → Taught until she was arrested.", "Name taken out Name: Wrong Exampleva",
        "Person added", "Detention added", timezone.localdate().strftime("%-d %B %Y"),
    ):  # fmt: skip
        assert expected in text, expected
    assert text.index("taken out") < text.index("Person added"), "the last first"
    assert "Invented Person" not in text
    assert "Disclosure" not in text
    assert not re.search(r"\d\d:\d\d", text), "no time finer than a day"


def test_the_history_of_an_event_and_of_a_source(copy, read):
    event, source = copy.event("A pardon"), copy.source("A report")
    event.title = "The pardon"
    event.save()
    copy.figure(event, 123, source=source)
    text = words(read(f"{event.get_absolute_url()}history/"))
    assert "A pardon → The pardon" in text
    assert "Reported figure added" in text
    source.title = "The report"
    source.save()
    assert "A report → The report" in words(read(f"/sources/{source.pk}/history/"))


def test_the_history_of_a_merged_person_is_that_of_the_other(copy, client):
    person, merged = copy.person("Anna Exampleva"), copy.person("Anna Exampleva")
    connections["public"].check_constraints()
    merged.merged_into = person
    merged.save()
    response = client.get(f"{merged.get_absolute_url()}history/")
    assert (response.status_code, response.url) == (301, f"{person.get_absolute_url()}history/")


def test_a_history_costs_no_more_queries_for_more_rows(copy, read):
    source, event = copy.source(), copy.event()
    person = copy.everything(1, event=event, source=source)

    def grow():
        for number in range(6):
            facility = copy.add(Facility, name=f"Colony {number}")
            placement = copy.add(Placement, detention=person.detentions.get(), facility=facility)
            copy.add(DetentionCitation, detention=person.detentions.get(), source=copy.source(), placement=placement)
            other = copy.person(f"Person {number}")
            copy.add(Relationship, person=person, other=other, kind="sibling")
            verdict = copy.add(Verdict, prosecution=person.prosecutions.get())
            copy.add(VerdictCitation, verdict=verdict, source=source, origin=copy.source())

    def queries():
        with CaptureQueriesContext(connections["public"]) as captured:
            read(f"{person.get_absolute_url()}history/")
        return len(captured)

    grow()
    few = queries()
    grow()
    assert queries() <= few


def test_every_page_says_how_to_cite_it(copy, read):
    person, event, source = copy.person("Anna Exampleva"), copy.event("A pardon"), copy.source("A report")
    today = timezone.localdate().isoformat()
    for address, title in (
        (person.get_absolute_url(), "Anna Exampleva"),
        (event.get_absolute_url(), "A pardon"),
        (f"/sources/{source.pk}/", "Invented Times, A report"),
    ):
        text = read(address)
        assert f"“{title}”, as of {today}, http://testserver{address} (CC-BY-4.0)." in text
        assert f'href="{address}history/"' in text


def test_lists_lead_to_the_place_on_the_page(copy, read):
    person = copy.everything(1, event=copy.event(), source=copy.source())
    page = read(person.get_absolute_url())
    for name in ("detentions", "sentences"):
        (place,) = re.findall(rf'href="{person.get_absolute_url()}#([\w-]+)"', read(f"/{name}/"))
        assert page.count(f'id="{place}"') == 1
