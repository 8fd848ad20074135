"""Every fact of fixtures/facts.tsv stands in the database, with who says so."""

import csv
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

from releases import loading
from releases.counting import check_sums
from releases.models import Leg, Release, ReleaseEventCitation, ReportedFigure
from releases.reconciliation import as_figure
from tracker import dates
from tracker.models import Claim, DetentionCitation, Name, Part, PersonCitation, Relationship
from tracker.vocabularies import Disclosure, NameKind, Standing

pytestmark = pytest.mark.django_db

FACTS = Path(settings.BASE_DIR) / "fixtures" / "facts.tsv"
ARTICLES = ["menafn", "the_gaze", "kyiv_independent", "news_ghana", "indo_arab_news"]


@pytest.fixture
def loaded(alice):
    return loading.load_events(by=alice)


def facts():
    with FACTS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def find(key):
    """The row that a fixture key names."""
    table, _name, *part = key.split(".")
    model = loading.TABLES[table]
    if part:
        model = {kind._meta.get_field(kind.owner).remote_field.related_name: kind for kind in model.part_models()}[
            part[0]
        ]
    return model.objects.filter(pk=loading.fixture_id(key)).first()


def printed(row, column):
    value = getattr(row, row._meta.get_field(column).attname)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


def expected(row, column, value):
    """A reference is written as the key of the row it points to."""
    return str(loading.fixture_id(value)) if value and row._meta.get_field(column).many_to_one else value


def claims_about(row, columns):
    """The citations of the row: as a whole, or of one of these columns."""
    if isinstance(row, Claim):
        return [row]
    record = row.record if isinstance(row, Part) else row
    found = []
    for claim in record.citations.all():
        part = claim.part
        if part == row if isinstance(row, Part) else part is None:
            found.append(claim)
    return [claim for claim in found if not columns or claim.about in {"", *columns}]


def failure(fact):
    """What is wrong with a row of the table of facts, in words; empty when it stands in the database."""
    row = find(fact["key"])
    if row is None:
        return "there is no such row"
    if type(row).__name__ != fact["model"]:
        return f"it is a {type(row).__name__}"
    holds = dict(pair.split("=", 1) for pair in fact["holds"].split("; ")) if fact["holds"] else {}
    for column, value in holds.items():
        if printed(row, column) != expected(row, column, value):
            return f"{column} is {printed(row, column)}"
    claims = [
        claim
        for claim in claims_about(row, holds)
        if claim.source_id == loading.fixture_id(f"source.{fact['source']}") and claim.locator
    ]
    if not claims:
        return f"{fact['source']} does not say so"
    claims = [claim for claim in claims if claim.standing == fact["standing"]]
    if not claims:
        return f"no citation is {fact['standing']}"
    if fact["speaker"] == "nobody":
        claims = [claim for claim in claims if not claim.speaker]
    else:
        claims = [claim for claim in claims if fact["speaker"] in claim.speaker]
    if not claims:
        return f"the speaker is not {fact['speaker']}"
    if not any(fact["reasoning"] in claim.reasoning for claim in claims):
        return f"no reasoning says {fact['reasoning']}"
    return ""


def test_every_fact_stands_in_the_database_with_who_says_so(loaded):
    failures = [f"{fact['fact']}, {fact['key']}: {why}" for fact in facts() if (why := failure(fact))]
    assert failures == []


def test_no_fact_is_missing():
    assert {int(fact["fact"]) for fact in facts()} == set(range(1, 33))
    assert {fact["source"] for fact in facts()} == set(ARTICLES)


def test_a_fact_without_its_citation_or_with_another_value_is_noticed(loaded):
    one = next(fact for fact in facts() if fact["key"] == "event.november.participations.ukraine")
    assert failure(one) == ""
    assert failure({**one, "holds": "role=mediator"}) == "role is requester"
    assert failure({**one, "standing": "rejected"}) == "no citation is rejected"
    assert failure({**one, "speaker": "nobody"}) == "the speaker is not nobody"
    assert failure({**one, "reasoning": "because"}) == "no reasoning says because"
    find("event.november.citations.ukraine_kyiv_independent").delete()
    assert failure(one) == "kyiv_independent does not say so"
    assert failure({**one, "key": "event.november.participations.nobody"}) == "there is no such row"


# What the table cannot say in rows.


def test_123_is_114_and_9(loaded):
    figures = map(as_figure, ReportedFigure.objects.filter(event=find("event.december")).select_related("source"))
    sums = [str(check) for check in check_sums(figures)]
    assert sorted(sums) == ["123 = 114 + 9", "123 ≥ 5", "50–149 ≥ 5"]


def test_three_outlets_with_one_origin_are_one(loaded):
    same = ReportedFigure.objects.filter(low=114).select_related("source")
    assert len(same) == 3
    assert {figure.independent_origin for figure in same} == {loading.fixture_id("source.headquarters_december")}


def test_the_plan_is_nobodys_leg(loaded):
    assert set(Leg.objects.values_list("kind", "status")) == {("handover", "completed")}


def test_the_31_and_the_priests_are_figures_not_persons(loaded):
    assert Release.objects.filter(event=find("event.november")).count() == 1
    assert Release.objects.filter(event=find("event.priests")).count() == 0


def test_the_only_names_are_those_the_articles_print(loaded):
    printed_names = {
        "Maria Kalesnikava", "Maria Kolesnikova", "Maria Aleksandrova", "Viktar Babaryka", "Viktor Babariko",
        "Maryna Zolotova", "Marina Zolotova", "Ales Bialiatski", "Sviatlana Tsikhanouskaya", "Svetlana Tikhanovskaya",
    }  # fmt: skip
    assert set(Name.objects.values_list("text", flat=True)) == printed_names
    assert {claim.name_id for claim in PersonCitation.objects.exclude(name=None)} == set(
        Name.objects.values_list("pk", flat=True)
    )
    assert Name.objects.get(kind=NameKind.ERRONEOUS).text == "Maria Aleksandrova"


def test_free_beside_still_jailed(loaded):
    for name in ("kalesnikava", "bialiatski"):
        claims = DetentionCitation.objects.filter(detention=find(f"detention.{name}"), about="ended")
        assert {(claim.standing, str(claim.as_of)) for claim in claims} == {
            ("superseded", "2025-11-22"),
            ("accepted", "2025-12-13"),
        }


def test_the_born_range_is_that_of_the_age(loaded):
    day = dates.parse("2025-12-13").earliest
    assert find("person.youngest_ukrainian").born == dates.born_range(25, day)


def test_health_relatives_and_relationships_are_for_staff(loaded):
    assert {row.disclosure for row in Relationship.objects.all()} == {Disclosure.STAFF}
    assert {row.disclosure for row in PersonCitation.objects.exclude(relationship=None)} == {Disclosure.STAFF}
    assert find("person.bialiatski.citations.health_indo_arab").disclosure == Disclosure.STAFF
    for key in ("person.babaryka_son", "detention.babaryka_son", "person.tsikhanouskaya"):
        assert find(key).disclosure == Disclosure.STAFF
    public = PersonCitation.objects.filter(person=find("person.returned_woman"), disclosure=Disclosure.PUBLIC)
    assert not [claim for claim in public if "wife" in claim.stated + claim.reasoning]


# The rules the fixtures keep.

#: Ours to say, or said by the record's other end: no source is asked for it.
OURS = {
    "title", "country", "kind", "identification", "disclosure", "pid", "rid", "person", "event", "detention",
    "note", "url", "measure", "authority",
}  # fmt: skip


def tables():
    for path in sorted(loading.EVENTS.glob("*.toml")):
        for table, rows in tomllib.loads(path.read_text(encoding="utf-8")).items():
            for name, values in rows.items():
                yield f"{table}.{name}", values


def all_claims():
    for key, values in tables():
        if key.startswith("figure."):
            yield key, values
        for name, claim in values.get("citations", {}).items():
            yield f"{key}.citations.{name}", claim


def test_every_column_of_a_person_event_detention_or_release_says_who_says_so():
    bare = []
    for key, values in tables():
        if key.split(".")[0] not in {"person", "event", "detention", "release"}:
            continue
        standing = [claim for claim in values["citations"].values() if claim.get("standing") != Standing.REJECTED]
        cited = {claim["about"] for claim in standing if "about" in claim}
        columns = {column for column, value in values.items() if not isinstance(value, dict)}
        bare += [f"{key}: {column}" for column in sorted(columns - cited - OURS)]
    assert bare == []


def test_every_part_says_who_says_so():
    parts = {"names": "name", "relationships": "relationship", "participations": "participation"} | {
        "concessions": "concession",
        "legs": "leg",
    }
    bare = []
    for key, values in tables():
        for accessor, part in parts.items():
            cited = {claim[part] for claim in values.get("citations", {}).values() if part in claim}
            bare += [f"{key}.{accessor}.{name}" for name in values.get(accessor, {}) if name not in cited]
    assert bare == []


def test_an_accepted_citation_reads_as_the_column_does(loaded):
    """Where sources disagree with the editor's choice, they are not accepted."""
    other = []
    for model in (PersonCitation, DetentionCitation, ReleaseEventCitation):
        for claim in model.objects.filter(standing=Standing.ACCEPTED).exclude(value=""):
            row = claim.part or claim.record
            value = printed(row, claim.about).replace(",", ";")
            if claim.value != value:
                other.append(f"{claim}: {claim.value}, not {value}")
    assert other == []


def test_only_articles_are_cited_and_no_sentence_of_theirs_is_copied():
    for key, claim in all_claims():
        assert claim["source"] in ARTICLES, key
        assert claim["locator"], key
        assert len(claim.get("stated", "").split()) <= 7, key
        assert "quote" not in claim, key


def test_whoever_is_rejected_or_unresolved_is_told_why():
    for key, claim in all_claims():
        if claim.get("standing", Standing.ACCEPTED) != Standing.ACCEPTED:
            assert claim["reasoning"], key


def test_a_reading_that_was_rejected_stands_beside_the_one_that_was_taken():
    records = dict(tables())
    for key, claim in all_claims():
        if claim.get("standing") == Standing.REJECTED and "about" in claim:
            same = "participation" if "participation" in claim else "about"
            others = records[key.partition(".citations.")[0]]["citations"].values()
            assert [other for other in others if other.get(same) == claim[same] and "standing" not in other], key
