"""Why a typed column is empty: entered, answered by a value, published, undone, merged, exported and imported."""

import csv
import io

import pytest
from django.db import models

from releases.models import ReportedFigure
from tests.conftest import ALL_DATABASES
from tests.rows import MODELS, change, make, unsaved, update
from tests.tracker.test_constraints import COMPANY, some_value
from tests.tracker.test_importing import load, sentences
from tracker import export, history, merging, publication, review, undoing
from tracker.acts import doing
from tracker.columns import WHY_EMPTY, Kind
from tracker.models import (
    Citation,
    Detention,
    DetentionCitation,
    Facility,
    Person,
    PersonCitation,
    Sentence,
    Source,
)
from tracker.models.base import HELD, Explained
from tracker.models.fields import CodedArrayField, CodedField, ImpreciseDateField, empties, is_empty
from tracker.vocabularies import ActKind, Audience, Missing

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

EXPLAINED = [pytest.param(model, id=model.__name__) for model in MODELS if issubclass(model, Explained)]
FIELDS = [
    pytest.param(model, field, id=f"{model.__name__}.{name}")
    for model in MODELS
    if issubclass(model, Explained)
    for name, field in empties(model).items()
]

#: What is not empty unless one says so.
EMPTY = {"country": {"country": ""}}


# --- Which columns


def test_these_models_say_why():
    assert {param.id for param in EXPLAINED} == {
        "Person", "Recognition", "Detention", "Placement", "Episode", "Prosecution", "Charge", "Verdict", "Sentence",
        "ReleaseEvent", "Concession", "Release", "Leg",
    }  # fmt: skip


@pytest.mark.parametrize("model", EXPLAINED)
def test_every_typed_column_that_can_be_empty_and_no_other(model):
    for field in model._meta.concrete_fields:
        coded = isinstance(field, CodedField | CodedArrayField) and field.blank
        numbers = models.BooleanField | models.DateField | models.DecimalField | models.IntegerField
        typed = coded or (isinstance(field, ImpreciseDateField | numbers) and field.null)
        assert (field.name in empties(model)) == bool(typed and field.editable), field.name


def test_rules_of_what_is_certain_are_of_columns_that_can_be_empty():
    for model in MODELS:
        if hasattr(model, "not_applicable"):
            assert set(model.not_applicable) <= set(empties(model)), model


# --- A value answers


@pytest.mark.parametrize(("model", "field"), FIELDS)
def test_a_value_answers_in_an_object(db, model, field):
    others = [name for name in empties(model) if name not in {field.name, *COMPANY.get(field.name, {})}]
    kept = {others[0]: "not_stated"} if others else {}
    row = make(model, missing={field.name: "unknown", **kept}, **EMPTY.get(field.name, {}))
    assert row.missing == {field.name: "unknown", **kept}
    change(row, **COMPANY.get(field.name, {}), **{field.name: some_value(field)})
    row.full_clean(exclude=[one.name for one in model._meta.concrete_fields if one.is_relation])
    assert row.missing == kept
    row.missing = {field.name: "unknown", **kept}
    row.save(update_fields=[field.name, *COMPANY.get(field.name, {})])
    row.refresh_from_db()
    assert row.missing == kept
    assert not row.is_empty(field.name)


@pytest.mark.parametrize(("model", "field"), FIELDS)
def test_a_value_answers_in_the_database(db, model, field):
    row = make(model, missing={field.name: "unknown"}, **EMPTY.get(field.name, {}))
    assert model.objects.filter(is_empty(field.name, field), pk=row.pk).exists()
    update(model, row.pk, **{**COMPANY.get(field.name, {}), field.name: some_value(field)})
    row.refresh_from_db()
    assert row.missing == {}
    assert not model.objects.filter(is_empty(field.name, field), pk=row.pk).exists()


def test_a_row_read_without_its_reasons_can_be_saved(db):
    person = make(Person, missing={"sex": "unknown"})
    part = Person.objects.only("sex", "revision").get(pk=person.pk)
    part.sex = "female"
    part.save(update_fields=["sex"])
    person.refresh_from_db()
    assert (person.sex, person.missing) == ("female", {})


def test_a_form_is_told_of_a_reason_that_is_none(db):
    person = unsaved(Person, missing={"sex": "withheld"})
    with pytest.raises(Exception, match="one of the reasons offered"):
        person.full_clean()


# --- Copies


def published(alice, bob, *records):
    review.submit(records, by=alice)
    publication.publish(records, by=bob)


def test_a_copy_holds_the_reasons_of_its_own_columns(alice, bob):
    person = make(Person, missing=dict.fromkeys(empties(Person), "unknown"))
    make(PersonCitation, person=person)
    published(alice, bob, person)
    in_copy = {audience: Person.objects.using(audience).get().missing for audience in ("researcher", "public")}
    assert set(in_copy["researcher"]) == set(empties(Person)) - {"consent_on"}
    assert set(in_copy["public"]) == set(empties(Person)) - {"consent_on", "death_circumstances"}
    assert list(publication.verify()) == []
    # an edit is seen when it is published, like any other
    act(alice, person, missing={"sex": "not_stated"})
    assert Person.objects.using("public").get().missing == in_copy["public"]
    (changed,) = review.difference(person, viewer=bob)
    assert changed.column == "why something is empty"
    assert changed.working == "sex: not stated – the sources are silent"
    assert "born: unknown – nobody knows" in changed.published
    published(alice, bob, person)
    assert Person.objects.using("public").get().missing == {"sex": "not_stated"}


def test_where_a_copy_may_be_emptied_no_reason_tells_whether_it_was(alice, bob, monkeypatch):
    def nothing(_value, _row):
        return None

    nothing.emptying = True
    monkeypatch.setattr(Person, "redacted", {**Person.redacted, "died": {"public": nothing}})
    people = [make(Person), make(Person, died="2021"), make(Person, missing={"died": "unknown"})]
    for person in people:
        make(PersonCitation, person=person)
        make(DetentionCitation, detention=make(Detention, person=person))
    published(alice, bob, *people)
    published(alice, bob, *Detention.objects.all())
    assert {row["died_missing"] for row in exported("persons", Audience.PUBLIC)} == {"withheld"}
    found = {row["pid"]: row["died_missing"] for row in exported("persons", Audience.RESEARCHER)}
    assert [found[person.pid] for person in people] == ["not_recorded", "", "unknown"]


# --- History, undo, merging


def test_history_says_it_in_words(db):
    person = make(Person)
    change(person, missing={"born": "unknown", "died": "not_applicable"}).save()
    change(person, born="1990").save()
    last, before, _first = history.changes(person)
    assert before.after == {
        "why something is empty": "born: unknown – nobody knows; died: not applicable – there can be none here"
    }
    assert last.after["why something is empty"] == "died: not applicable – there can be none here"


def act(alice, row, **values):
    with doing(ActKind.IMPORT, by=alice) as context:
        row.refresh_from_db()
        change(row, **values).save()
    return context


UNDONE = {
    # before; what the act does; what is done since; what is left
    "entered": ({}, {"missing": {"born": "unknown"}}, {}, {}),
    "another since": ({}, {"missing": {"born": "unknown"}}, {"missing": {"born": "unknown", "sex": "unknown"}}, {"sex": "unknown"}),
    "changed since": ({}, {"missing": {"born": "unknown"}, "home_town": "Nowhere"}, {"missing": {"born": "not_stated"}}, {"born": "not_stated"}),
    "answered since": ({}, {"missing": {"born": "unknown"}, "home_town": "Nowhere"}, {"born": "1990"}, {}),
    "answered": ({"missing": {"born": "unknown"}}, {"born": "1990"}, {"missing": {"sex": "unknown"}}, {"born": "unknown", "sex": "unknown"}),
    "answered otherwise since": (
        {"missing": {"born": "unknown"}}, {"born": "1990", "home_town": "Nowhere"}, {"born": "1991"}, {},
    ),
    "emptied": ({"born": "1990"}, {"born": None, "missing": {"born": "unknown"}}, {"missing": {"born": "not_stated"}}, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", UNDONE)
def test_each_reason_goes_back_by_itself(db, alice, case):
    before, does, since, left = UNDONE[case]
    person = make(Person, **before)
    context = act(alice, person, **does)
    if since:
        act(alice, person, **since)
    undoing.preview(context, alice)
    undoing.undo(context, by=alice)
    person.refresh_from_db()
    assert person.missing == left
    assert person.home_town == ""


@pytest.mark.parametrize(
    ("kept", "other", "choose", "born", "missing"),
    [
        ({}, {"missing": {"born": "unknown"}}, {}, None, {"born": "unknown"}),
        ({"missing": {"born": "not_stated"}}, {"missing": {"born": "unknown"}}, {}, None, {"born": "not_stated"}),
        ({"missing": {"born": "not_stated"}}, {"missing": {"born": "unknown"}}, {"born": "other"}, None, {"born": "unknown"}),
        ({"missing": {"born": "not_stated"}}, {"born": "1990"}, {}, "1990", {}),
        ({"missing": {"born": "not_stated"}}, {"born": "1990"}, {"born": "kept"}, None, {"born": "not_stated"}),
        ({"born": "1990"}, {"missing": {"born": "unknown", "sex": "unknown"}}, {}, "1990", {"sex": "unknown"}),
        ({"born": "1990"}, {"missing": {"born": "unknown"}}, {"born": "other"}, None, {"born": "unknown"}),
    ],
)  # fmt: skip
def test_a_reason_is_chosen_with_its_column(db, alice, kept, other, choose, born, missing):
    one, two = make(Person, **kept), make(Person, **other)
    columns = {column.name: column for column in merging.compare(one, two, alice).columns}
    assert columns["born"].differs
    context = merging.merge(one, two, by=alice, why="The same invented person", choose=choose)
    one.refresh_from_db()
    assert (one.born.edtf if one.born else None, one.missing) == (born, missing)
    undoing.undo(context, by=alice)
    one.refresh_from_db()
    assert one.missing == kept.get("missing", {})


# --- Files


def exported(name, audience=Audience.STAFF):
    text = b"".join(export.stream(export.get_table(name), audience)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_each_typed_column_that_can_be_empty_is_followed_by_why():
    typed = {
        Kind.CODE,
        Kind.CODES,
        Kind.COUNTRY,
        Kind.COUNTRIES,
        Kind.DATE,
        Kind.EDTF,
        Kind.INTEGER,
        Kind.DECIMAL,
        Kind.BOOLEAN,
    }
    for table in export.TABLES:
        names = [column.name for column in table.columns]
        for column in table.columns:
            if column.name != column.field:
                continue
            can_be_empty = column.field in empties(table.models[0])
            assert can_be_empty <= (column.kind in typed)
            assert (f"{column.name}{WHY_EMPTY}" in names) == can_be_empty, f"{table.name}.{column.name}"
            if can_be_empty:
                after = names[names.index(column.name) + (4 if column.kind is Kind.EDTF else 1)]
                assert after == f"{column.name}{WHY_EMPTY}"
                why = table.columns[names.index(after)]
                assert (why.kind, why.values, why.audience) == (Kind.CODE, Missing, column.audience)


@pytest.mark.parametrize(("model", "field"), FIELDS)
def test_a_cell_says_why_it_is_empty(db, model, field):
    table = next(table for table in export.TABLES if model in table.models)

    def why():
        (row,) = [row for row in exported(table.name) if row["id"] == str(row_.pk)]
        assert (row[field.name] == "") == (row[f"{field.name}_missing"] != "")
        return row[f"{field.name}_missing"]

    row_ = make(model, **EMPTY.get(field.name, {}))
    if model is Person:
        make(Detention, person=row_)
    if field.name not in model.not_applicable:
        assert why() == "not_recorded"
    for reason in Missing.stored():
        change(row_, missing={field.name: reason}).save()
        assert why() == reason
    change(row_, **COMPANY.get(field.name, {}), **{field.name: some_value(field)}).save()
    assert why() == ""


TERM = {"years", "months", "days"}
CERTAIN = [
    (Sentence, {"kind": "life"}, {*TERM, "in_prison_years", "amount", "expected_end"}),
    (Sentence, {"kind": "death"}, {*TERM, "in_prison_years", "amount", "expected_end", "regime"}),
    (Sentence, {"kind": "imprisonment"}, {"amount"}),
    (Sentence, {"kind": "fine"}, {*TERM, "in_prison_years", "regime"}),
    (Sentence, {"kind": "restriction_with_facility"}, {"in_prison_years", "regime", "amount"}),
    (ReportedFigure, {"as_of": "2025"}, {"period", "reason", "citizenships", "destinations", "sex", "complete_along"}),
    (ReportedFigure, {"period": "2025", "parts_complete": True}, {"as_of", "reason", "citizenships", "destinations", "sex"}),
    (
        ReportedFigure,
        {"qualifier": "worded", "low": None, "high": None, "stated": "several", "standing": "rejected", "reasoning": "No."},
        {"low", "high", "citizenships", "destinations", "sex", "complete_along"},
    ),
    (
        ReportedFigure,
        {"qualifier": "at_least", "high": None},
        {"high", "reason", "citizenships", "destinations", "sex", "complete_along"},
    ),
    (
        ReportedFigure,
        {"qualifier": "up_to", "low": None},
        {"reason", "citizenships", "destinations", "sex", "complete_along"},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("model", "values", "certain"), CERTAIN)
def test_where_there_is_no_room_for_a_value(db, model, values, certain):
    row = make(model, **values)
    table = next(table for table in export.TABLES if model in table.models)
    (found,) = exported(table.name)
    none = {name for name in empties(model) if found[f"{name}_missing"] == Missing.NOT_APPLICABLE}
    assert none == certain
    assert row.pk


def test_nobody_said_when_nobody_was_asked(db):
    for consent in ("not_asked", "may_be_published"):
        make(Detention, person=make(Person, consent=consent))
    found = {row["consent"]: row["consent_on_missing"] for row in exported("persons")}
    assert found == {"not_asked": "not_applicable", "may_be_published": "not_recorded"}


def test_what_a_confidential_source_says_is_withheld(alice, bob):
    known = [make(Person), make(Person)]
    sources = [make(Source, title="A letter", kind="letter", disclosure="staff"), make(Source)]
    for person, source, as_of in zip(known, sources, ("2021", None), strict=True):
        make(PersonCitation, person=person, source=source, as_of=as_of)
        make(DetentionCitation, detention=make(Detention, person=person), source=sources[1])
    published(alice, bob, *known, *Detention.objects.all())
    for audience in (Audience.RESEARCHER, Audience.PUBLIC):
        held = {row["id"] == str(HELD): row for row in exported("sources", audience)}
        assert {held[True][f"{name}_missing"] for name in ("published", "kind", "language")} == {"withheld"}
        assert {held[False][f"{name}_missing"] for name in ("published", "kind", "language")} == {"not_recorded"}
        said = {row["source_id"]: row for row in exported("citations", audience)}
        assert said[str(HELD)]["as_of_missing"] == "withheld"
        assert said[str(sources[1].pk)]["as_of_missing"] == "not_recorded"
        assert {row["reason_missing"] for row in said.values()} == {"not_applicable"}
    assert {row["as_of_missing"] for row in exported("citations")} == {"", "not_recorded"}


def test_citations_of_every_kind_say_the_same(db):
    kinds = [model for model in MODELS if issubclass(model, Citation)]
    for model in kinds:
        make(model)
    found = exported("citations")
    assert len(found) == len(kinds)
    assert {(row["as_of_missing"], row["credibility_missing"]) for row in found} == {("not_recorded", "not_recorded")}


# --- Import


@pytest.fixture
def source(db):
    return make(Source, title="An invented list")


def only(rows, *columns):
    return [{name: row[name] for name in ("id", *columns)} for row in rows]


@pytest.mark.parametrize(
    ("before", "cells", "after", "columns"),
    [
        ({}, {"born_missing": "unknown"}, {"born": "unknown"}, {"born_missing": 1}),
        ({}, {"born_missing": " Not_Stated "}, {"born": "not_stated"}, {"born_missing": 1}),
        ({}, {"born_missing": ""}, {}, {}),
        ({}, {"born_missing": "withheld"}, {}, {}),
        ({"missing": {"born": "unknown"}}, {"born_missing": ""}, {}, {"born_missing": 1}),
        ({"missing": {"born": "unknown"}}, {"born_missing": "not_recorded"}, {}, {"born_missing": 1}),
        ({"missing": {"born": "unknown"}}, {"born_missing": "withheld"}, {}, {"born_missing": 1}),
        ({"missing": {"born": "unknown"}}, {"born_missing": "not_applicable"}, {"born": "not_applicable"}, {"born_missing": 1}),
        # a value answers what was stored before, whether or not the cell still says so
        ({"missing": {"born": "unknown"}}, {"born": "1990"}, {}, {"born": 1}),
        ({"missing": {"born": "unknown"}}, {"born": "1990", "born_missing": ""}, {}, {"born": 1, "born_missing": 1}),
        ({"missing": {"born": "unknown"}}, {"born": "1990", "sex_missing": "unknown"}, {"sex": "unknown"}, {"born": 1, "sex_missing": 1}),
        ({}, {"born": "1990"}, {}, {"born": 1}),
        ({"born": "1990"}, {"born": "", "born_missing": "unknown"}, {"born": "unknown"}, {"born": 1, "born_missing": 1}),
        ({"born": "1990"}, {"born": ""}, {}, {"born": 1}),
        ({"missing": {"born": "unknown"}}, {"sex": "female"}, {"born": "unknown"}, {"sex": 1}),
        ({"missing": {"born": "unknown"}}, {"sex_missing": "not_stated"}, {"born": "unknown", "sex": "not_stated"}, {"sex_missing": 1}),
    ],
)  # fmt: skip
def test_a_file_says_why(db, alice, source, before, cells, after, columns):
    person = make(Person, **before)
    make(Detention, person=person)
    rows = only(exported("persons"), "born", "born_missing", "sex", "sex_missing")
    result = load("persons", [rows[0] | cells], alice, source=source)
    assert sentences(result) == []
    assert result.columns == columns
    person.refresh_from_db()
    assert person.missing == after
    # a reason alone rests on no source
    assert {citation.about for citation in person.citations.all()} == {
        name for name in columns if "missing" not in name
    }
    # and once more
    rows = only(exported("persons"), "born", "born_missing", "sex", "sex_missing")
    again = load("persons", rows, alice)
    assert (again.changed, again.added, sentences(again)) == (0, 0, [])


def test_what_a_reason_is_for_need_not_be_in_the_file(db, alice):
    one, two = make(Person), make(Person, born="1990")
    for person in (one, two):
        make(Detention, person=person)
    rows = [row | {"born_missing": "unknown"} for row in only(exported("persons"), "born_missing")]
    (sentence,) = sentences(load("persons", rows, alice))
    assert "born has a value" in sentence
    result = load("persons", [row for row in rows if row["id"] == str(one.pk)], alice)
    assert sentences(result) == []
    one.refresh_from_db()
    assert one.missing == {"born": "unknown"}


def test_a_new_row_says_why(db, alice, source):
    result = load("persons", [{"id": "", "sex": "", "sex_missing": "unknown", "born": "", "born_missing": "not_recorded"}], alice, source=source)  # fmt: skip
    assert sentences(result) == []
    assert Person.objects.get().missing == {"sex": "unknown"}
    result = load("persons", [{"id": "", "born": "1990"}], alice, source=source)
    assert Person.objects.get(sex="", born__isnull=False).missing == {}


@pytest.mark.parametrize(
    ("what", "model", "cells", "sentence"),
    [
        ("persons", Person, {"born": "1990", "born_missing": "unknown"}, "born has a value, so there is no reason why it is empty"),
        ("persons", Person, {"born_missing": "unknwon"}, "“unknwon” is no such code. Did you mean unknown?"),
        ("facilities", None, {"opened_missing": "unknown"}, "Why this is empty is not recorded here."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_new", [False, True])
def test_what_is_wrong_with_a_reason_is_said(db, alice, source, what, model, cells, sentence, is_new):
    if is_new:
        rows = [{"id": "", "name": "Invented", **cells}]
    else:
        row = make(model) if model else make(Facility)
        if model is Person:
            make(Detention, person=row)
        names = dict.fromkeys(name.removesuffix("_missing") for name in cells) | dict.fromkeys(cells)
        rows = [only(exported(what), *names)[0] | cells]
    result = load(what, rows, alice, source=source)
    assert any(sentence in one for one in sentences(result)), sentences(result)
    assert result.wrong == 1
