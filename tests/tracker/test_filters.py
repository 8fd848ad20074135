"""What lists and their CSV can be narrowed by: each filter with rows that it finds and rows that it does not."""

import csv
import io

import pytest
from django.urls import reverse

from releases.filters import EventFilter, ReleaseFilter
from releases.models import ReleaseCitation, ReleaseEventCitation
from tests.copies import DAY, Copy
from tracker.dates import parse
from tracker.filters import DetentionFilter, PersonFilter, SentenceFilter, SourceFilter
from tracker.models import (
    Charge,
    Detention,
    DetentionCitation,
    Facility,
    Organisation,
    PersonCitation,
    Placement,
    Prosecution,
    ProsecutionDetention,
    Provision,
    Recognition,
    Sentence,
    Verdict,
    VerdictCitation,
)
from tracker.views.data import FILTERS

pytestmark = pytest.mark.django_db(databases=["default", "public"])

#: The list's address, and the file with the same rows
LISTS = {
    PersonFilter: ("persons", "persons"),
    DetentionFilter: ("detentions", "detentions"),
    SentenceFilter: ("sentences", "sentences"),
    ReleaseFilter: ("releases", "releases"),
    EventFilter: ("events", "release_events"),
    SourceFilter: ("sources", "sources"),
}


@pytest.fixture(autouse=True)
def public_site(settings):
    settings.PUBLIC_SITE = True


class World:
    """Anna was held for long, sentenced and pardoned; Boris may have been; of Vera nearly nothing is known."""

    def __init__(self):
        copy = Copy("public")
        self.report, self.other = (
            copy.source("One report"),
            copy.source("Another", published=parse("2021"), kind="letter"),
        )
        self.body, self.another_body = (copy.add(Organisation, name=f"Committee {number}") for number in (1, 2))
        self.colony, self.jail = (copy.add(Facility, name=name) for name in ("Colony 1", "Jail 2"))
        self.article, self.second = (copy.add(Provision, article=number) for number in ("342", "361-1"))
        self.pardon = copy.event("A pardon", legal_bases=["pardon"], mechanism="unilateral", happened=parse(DAY))
        self.exchange = copy.event("An exchange", happened=None, announced=parse("2024/2025"), mechanism="exchange")

        anna = copy.person("Anna Exampleva", sex="female", citizenships=["BY"])
        boris = copy.person("Барыс Прыклад", sex="male", citizenships=["BY", "UA"])
        vera = copy.person("Vera Nobody")
        self.persons = {"anna": anna, "boris": boris, "vera": vera}
        copy.add(Recognition, person=anna, body=self.body, status="political_prisoner")
        copy.add(Recognition, person=boris, body=self.body, status="withdrawn")
        copy.add(Recognition, person=boris, body=self.another_body, status="political_prisoner")
        ended = {"ended": parse(DAY), "end_reason": "released"}
        held = copy.add(Detention, person=anna, started=parse("2021-03-05"), **ended)
        maybe = copy.add(Detention, person=boris, started=parse("2021"))
        copy.add(Placement, detention=held, facility=self.colony, custody_type="colony")
        copy.add(Placement, detention=maybe, facility=self.jail, custody_type="prison")
        self.detentions = {"anna": held, "boris": maybe, "vera": copy.add(Detention, person=vera)}
        self.sentences = {}
        for name, kind, term, provision, pronounced, more in (
            ("anna", "imprisonment", {"years": 4, "months": 6}, self.article, "2021-09-01", {"regime": "general"}),
            ("boris", "imprisonment", {"years": 2}, self.second, "2021", {"execution": "suspended"}),
            ("vera", "fine", {}, self.second, None, {}),
        ):
            prosecution = copy.add(Prosecution, person=self.persons[name])
            copy.add(Charge, prosecution=prosecution, provision=provision)
            if name == "anna":
                copy.add(ProsecutionDetention, prosecution=prosecution, detention=held, person=anna)
            instance = "appeal" if name == "boris" else "first"
            verdict = copy.add(
                Verdict, prosecution=prosecution, pronounced=pronounced and parse(pronounced), instance=instance
            )
            self.sentences[name] = copy.add(Sentence, verdict=verdict, kind=kind, **term, **more)
        self.releases = {
            "anna": copy.release(
                self.pardon, anna, to=[("handover", "completed", "UA"), ("onward", "completed", "LT")],
                detention=held, legal_bases=["pardon"], departure="expelled",
            ),
            "boris": copy.release(
                self.exchange, boris, to="LT PL", released_on=parse("2024/2025"), outcome="announced"
            ),
            # a second time, otherwise: what is asked of one release is not found in two
            "again": copy.release(None, anna, released_on=parse("2020-01-01"), outcome="refuted"),
        }  # fmt: skip
        self.events = {"pardon": self.pardon, "exchange": self.exchange}
        self.sources = {"report": self.report, "other": self.other}
        copy.add(PersonCitation, person=anna, source=self.report, about="sex")
        copy.add(DetentionCitation, detention=maybe, source=self.report, origin=self.other, standing="unresolved")
        copy.add(DetentionCitation, detention=held, source=self.report, standing="superseded")
        copy.add(
            VerdictCitation, verdict=self.sentences["anna"].verdict, sentence=self.sentences["anna"],
            source=self.other, standing="rejected", reason="typo",
        )  # fmt: skip
        copy.add(VerdictCitation, verdict=self.sentences["boris"].verdict, source=self.other)
        copy.add(ReleaseCitation, release=self.releases["anna"], source=self.report)
        copy.add(ReleaseEventCitation, event=self.pardon, source=self.report)
        copy.figure(self.exchange, 5, source=self.other, standing="rejected", reason="typo")


def cases(world):
    """For each list: a question, and whose rows answer it."""
    w = world
    years = {"length_from": "4", "length_to": "5"}
    yield from (
        ("persons", query, found)
        for query, found in (
            ({}, "anna boris vera"),
            ({"name": "prıklad"}, "boris"),
            ({"sex": "female"}, "anna"),
            ({"citizenship": "UA"}, "boris"),
            ({"recognised": "political_prisoner"}, "anna boris"),
            ({"recognised_by": w.body.pk}, "anna boris"),
            ({"recognised": "political_prisoner", "recognised_by": w.body.pk}, "anna"),
            ({"status": "in_custody", "on": "2021-12-01"}, "anna boris vera"),
            ({"status": "in_custody", "on": "2021-12-01", "certain": "yes"}, "anna"),
            ({"certain": "no", "on": "2021-12-01"}, "boris vera"),
            ({"detained_since": "2021-03-01", "detained_until": "2021-03-31"}, "anna boris"),
            ({"detained_since": "2021-03-01", "detained_until": "2021-03-31", "dates": "certain"}, "anna"),
            ({"detained_until": "2021-12-31", "dates": "certain"}, "anna boris"),
            ({"detained_until": "2021-12-30", "dates": "certain"}, "anna"),
            ({"facility": w.jail.pk}, "boris"),
            ({"custody": "any", "on": "2021-12-01"}, "anna boris vera"),
            ({"custody": "any", "on": "2021-12-01", "certain": "yes"}, "anna"),
            ({"custody": "closed", "on": "2021-12-01", "certain": "no"}, "boris vera"),
            ({"custody": "home", "on": "2021-12-01"}, ""),
            ({"held_in": w.jail.pk, "on": "2021-12-01"}, "boris"),
            ({"held_in": w.colony.pk, "on": "2026-01-01"}, ""),
            ({"released_since": "2025-01-01"}, "anna boris"),
            ({"released_since": "2025-01-01", "dates": "certain"}, "anna"),
            ({"released_until": "2020-12-31", "outcome": "confirmed"}, ""),
            ({"released_until": "2020-12-31"}, "anna"),
            ({"handed_over_to": "UA"}, "anna"),
            ({"handed_over_to": "LT"}, ""),
            ({"handed_over_to": "LT", "countries": "possible"}, "boris"),
            ({"arrived_in": "LT"}, "anna"),
            ({"arrived_in": "LT", "countries": "possible"}, "anna boris"),
            ({"arrived_in": "LT", "outcome": "refuted"}, ""),
            ({"outcome": "announced"}, "boris"),
            ({"departure": "expelled"}, "anna"),
            ({"basis": "pardon"}, "anna"),
            ({"event": w.exchange.rid}, "boris"),
            ({"article": w.second.pk}, "boris vera"),
            ({"sentence": "fine"}, "vera"),
            (years, "anna"),
            ({"length_from": "54", "length_to": "54", "length_unit": "months"}, "anna"),
            ({"length_to": "53", "length_unit": "months"}, "boris"),
            ({"length_from": "0"}, "anna boris"),
            ({"sentence": "fine", "length_from": "0"}, ""),
            ({"source": w.report.pk}, "anna boris"),
            ({"source": w.other.pk}, "anna boris"),
            ({"disputed": "disagree"}, "anna boris"),
            ({"disputed": "unresolved"}, "boris"),
        )
    )
    yield from (
        ("detentions", query, found)
        for query, found in (
            ({}, "anna boris vera"),
            ({"name": "exampleva"}, "anna"),
            ({"sex": "male"}, "boris"),
            ({"citizenship": "BY"}, "anna boris"),
            ({"recognised": "withdrawn"}, "boris"),
            ({"recognised_by": w.another_body.pk}, "boris"),
            ({"held_on": "2021-12-01"}, "anna boris vera"),
            ({"held_on": "2021-12-01", "certain": "yes"}, "anna"),
            ({"held_on": "2021-12-01", "certain": "no"}, "boris vera"),
            ({"held_on": "2026-01-01"}, "boris vera"),
            ({"certain": "no"}, "vera"),
            ({"certain": "yes"}, "boris"),
            ({"detained_since": "2021-03-06"}, "boris"),
            ({"detained_until": "2021-03-05", "dates": "certain"}, "anna"),
            ({"ended_since": "2025-12-13"}, "anna"),
            ({"ended_until": "2025-12-12"}, ""),
            ({"end_reason": "released"}, "anna"),
            ({"custody": "prison"}, "boris"),
            ({"facility": w.colony.pk}, "anna"),
            ({"facility": w.colony.pk, "custody": "prison"}, ""),
            ({"article": w.article.pk}, "anna"),
            ({"source": w.other.pk}, "boris"),
            ({"source": w.report.pk}, "anna boris"),
            ({"disputed": "disagree"}, "boris"),
            ({"disputed": "unresolved"}, "boris"),
        )
    )
    yield from (
        ("sentences", query, found)
        for query, found in (
            ({}, "anna boris vera"),
            ({"name": "Barys"}, "boris"),
            ({"sex": "female"}, "anna"),
            ({"citizenship": "BY"}, "anna boris"),
            ({"recognised": "political_prisoner"}, "anna boris"),
            ({"recognised_by": w.another_body.pk}, "boris"),
            ({"sentence": "imprisonment"}, "anna boris"),
            (years, "anna"),
            ({"length_from": "25", "length_unit": "months"}, "anna"),
            ({"pronounced_since": "2021-09-01", "pronounced_until": "2021-09-01"}, "anna boris"),
            ({"pronounced_since": "2021-09-01", "dates": "certain"}, "anna"),
            ({"article": w.article.pk}, "anna"),
            ({"instance": "appeal"}, "boris"),
            ({"regime": "general"}, "anna"),
            ({"execution": "suspended"}, "boris"),
            ({"source": w.other.pk}, "anna boris"),
            ({"source": w.report.pk}, ""),
            ({"disputed": "disagree"}, "anna"),
            ({"disputed": "unresolved"}, ""),
        )
    )
    yield from (
        ("releases", query, found)
        for query, found in (
            ({}, "anna boris again"),
            ({"name": "anna"}, "anna again"),
            ({"sex": "male"}, "boris"),
            ({"citizenship": "UA"}, "boris"),
            ({"recognised": "withdrawn"}, "boris"),
            ({"recognised_by": w.another_body.pk}, "boris"),
            ({"event": w.pardon.rid}, "anna"),
            ({"outcome": "refuted"}, "again"),
            ({"since": "2025-01-01"}, "anna boris"),
            ({"since": "2025-01-01", "dates": "certain"}, "anna"),
            ({"until": "2024-06-01"}, "boris again"),
            ({"handed_over_to": "PL", "countries": "possible"}, "boris"),
            ({"handed_over_to": "UA"}, "anna"),
            ({"arrived_in": "LT"}, "anna"),
            ({"departure": "expelled"}, "anna"),
            ({"basis": "pardon"}, "anna"),
            ({"once": "yes"}, "anna"),
            ({"source": w.report.pk}, "anna"),
            ({"disputed": "disagree"}, ""),
        )
    )
    yield from (
        ("events", query, found)
        for query, found in (
            ({}, "pardon exchange"),
            ({"title": "pard"}, "pardon"),
            ({"since": "2025-01-01"}, "pardon exchange"),
            ({"since": "2025-01-01", "dates": "certain"}, "pardon"),
            ({"until": "2024-12-31"}, "exchange"),
            ({"basis": "pardon"}, "pardon"),
            ({"mechanism": "exchange"}, "exchange"),
            ({"source": w.report.pk}, "pardon"),
            ({"source": w.other.pk}, "exchange"),
            ({"disputed": "disagree"}, "exchange"),
            ({"disputed": "unresolved"}, ""),
        )
    )
    yield from (
        ("sources", query, found)
        for query, found in (
            ({}, "report other"),
            ({"text": "ANOTHER times"}, "other"),
            ({"kind": "letter"}, "other"),
            ({"language": "be"}, ""),
            ({"published_since": "2021-06-01"}, "other"),
            ({"published_until": "2021-06-01", "dates": "certain"}, ""),
            ({"disputed": "unresolved"}, "report"),
            ({"disputed": "disagree"}, "report other"),
        )
    )


def test_each_filter_finds_what_it_should_on_the_page_and_in_the_file(client):
    world = World()
    asked = {name: set() for name, _table in LISTS.values()}
    wrong = []
    for name, query, found in cases(world):
        asked[name] |= set(query)
        rows = getattr(world, name)
        wanted = {rows[one].pk for one in found.split()}
        page = client.get(reverse(name), query)
        assert page.status_code == 200, (name, query, page.context["filter"].form.errors)
        shown = {row.pk for row in page.context["page"]}
        table = dict(LISTS.values())[name]
        text = b"".join(client.get(f"/data/{table}.csv", query)).decode()
        in_file = {row["id"] for row in csv.DictReader(io.StringIO(text))}
        if shown != wanted or in_file != {str(pk) for pk in wanted} or page.context["page"].count != len(wanted):
            called = {row.pk: one for one, row in rows.items()}
            wrong.append((name, query, found, [called.get(pk, pk) for pk in shown]))
    assert wrong == []
    for listed, (name, _table) in LISTS.items():
        assert asked[name] == set(listed.base_filters), "each filter is asked"


@pytest.mark.parametrize("listed", LISTS)
def test_every_filter_is_shown_once_and_narrows_the_file(listed):
    shown = [name for _legend, names in listed.groups for name in names]
    assert sorted(shown) == sorted(listed.base_filters)
    assert FILTERS[LISTS[listed][1]] is listed


@pytest.mark.parametrize(
    ("day", "sure"), [("2021-01-01", "yes"), ("2021-01-02", "no"), ("2021-12-31", "no"), ("2022-01-01", None)]
)
def test_nobody_is_surely_held_who_may_have_died(day, sure, client):
    """Detentions say the same as persons, and as the spells."""
    copy = Copy("public")
    person = copy.person("Anna Exampleva", died=parse("2021"))
    copy.add(Detention, person=person, started=parse("2020-01-01"))

    def found(table, **query):
        text = b"".join(client.get(f"/data/{table}.csv", query)).decode()
        return list(csv.DictReader(io.StringIO(text)))

    for answer in ("yes", "no"):
        expected = int(answer == sure)
        assert len(found("persons", custody="any", on=day, certain=answer)) == expected
        assert len(found("detentions", held_on=day, certain=answer)) == expected
    assert len(found("detentions", held_on=day)) == int(sure is not None)
    (spell,) = found("custody_spells", on=day)
    assert (spell["held"], spell["as_of"]) == ({"yes": "certain", "no": "possible", None: ""}[sure], day)


def test_what_is_asked_of_a_release_is_asked_of_one(client):
    """Who was released to Lithuania in 2025 is not who went to Lithuania at some time and was released in 2025."""
    copy = Copy("public")
    person = copy.person("Anna Exampleva")
    copy.release(None, person, to="LT", released_on=parse("2020"))
    copy.release(copy.event(), person, to="PL", released_on=parse("2025"))
    both = {"arrived_in": "LT", "released_since": "2025-01-01"}
    assert client.get("/persons/", both).context["page"].count == 0
    assert client.get("/persons/", {"arrived_in": "LT"}).context["page"].count == 1


def test_filters_that_are_set_are_open(client):
    World()
    assert '<details class="more">' in client.get("/persons/").content.decode()
    assert '<details class="more" open>' in client.get("/persons/", {"sex": "male"}).content.decode()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/persons/?article=x", "“x” is not a valid UUID"),
        ("/persons/?facility=00000000-0000-0000-0000-000000000000", "There is no such facility."),
        ("/detentions/?source=00000000-0000-0000-0000-000000000000", "There is no such source."),
        ("/sentences/?length_from=-1", "greater than or equal to 0"),
        ("/sentences/?length_from=1e9", "less than or equal to"),
        ("/sentences/?length_from=many", "Enter a number"),
        ("/releases/?countries=all", "“all” is not one of the values"),
        ("/detentions/?certain=yes&held_on=1", "“1” is no day"),
        ("/events/?nonsense=1", "This list has no filter “nonsense”. It has: "),
    ],
)
def test_what_cannot_be_read_is_told(client, address, sentence):
    answer = client.get(address)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
