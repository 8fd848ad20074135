"""Coded values, lists of them and imprecise dates, in every column that has them; and what goes into the copies."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, models, transaction

from releases.models import Leg, Release
from tests.rows import MODELS, change, insert, make, refused, unsaved
from tracker.dates import ImpreciseDate, parse
from tracker.models import Detention, Organisation, Person, Source
from tracker.models.fields import CodedArrayField, CodedField, ImpreciseDateField
from tracker.models.rules import explain
from tracker.vocabularies import STATELESS, Audience, country_codes


def columns(kind):
    return [
        pytest.param(model, field, id=f"{model.__name__}.{field.name}")
        for model in MODELS
        for field in model._meta.concrete_fields
        if isinstance(field, kind)
    ]


def write(model, pk, field, value, cast):
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE {model._meta.db_table} SET "{field.column}" = %s::{cast} WHERE id = %s',
            [value, pk],
        )


#: What a row needs so that no other rule is the first to refuse a wrong code.
COMPANY = {"end_reason": {"ended": "2021"}}


def assert_column_refuses(model, field, values, cast):
    pk = insert(model, **COMPANY.get(field.name, {}))
    for value in values:
        refusal = refused(write, model, pk, field, value, cast)
        assert (refusal.table, refusal.field) == (model._meta.db_table, field.name), value
        assert str(refusal.sentence).endswith(".")


def assert_column_takes(model, field, values, cast):
    """Another rule may refuse the value in this row; the column's own check does not."""
    pk = insert(model)
    refusals = []
    for value in values:
        try:
            with transaction.atomic():
                write(model, pk, field, value, cast)
        except IntegrityError as error:
            refusals.append(explain(error).rule)
    assert not [rule for rule in refusals if rule.endswith("_check")]
    assert len(refusals) < len(values)


# --- One code


@pytest.mark.parametrize(("model", "field"), columns(CodedField))
def test_a_coded_column_takes_its_codes_and_nothing_else(db, model, field):
    assert field.codes
    code = field.codes[0]
    wrong = ["no_such_code", f"{code}{code}", f" {code}", f"{code}\n", None]
    assert_column_refuses(model, field, wrong if field.blank else [*wrong, ""], "varchar")
    assert_column_takes(model, field, [*field.codes, *[""] * field.blank], "varchar")


@pytest.mark.parametrize(("model", "field"), [c for c in columns(CodedField) if c.values[1].editable])
def test_a_form_refuses_what_the_coded_column_refuses(model, field):
    with pytest.raises(ValidationError):
        field.clean("no_such_code", model())
    assert field.clean(field.codes[-1], model()) == field.codes[-1]


def test_a_code_cannot_be_saved_that_is_none(db):
    refusal = refused(unsaved(Person, sex="robot").save)
    assert (refusal.rule, refusal.field) == ("tracker_person_sex_check", "sex")


@pytest.mark.parametrize("code", ["ZZ", "by", "BLR", "UK", "", "SU"])
@pytest.mark.parametrize(("model", "name"), [(Organisation, "country"), (Leg, "countries")])
def test_countries_are_those_of_the_standard(db, model, name, code):
    if (model, code) == (Organisation, ""):
        assert make(model).country == ""  # the country of an organisation may be unknown
    else:
        row = unsaved(model, **{name: code if name == "country" else [code]})
        assert refused(row.save).field == name


@pytest.mark.parametrize("code", ["BY", "UA", "LT", "PL", "XK", STATELESS])
def test_countries_that_matter(db, code):
    assert code in country_codes()
    assert make(Person, citizenships=[code]).citizenships == [code]


# --- Several codes


@pytest.mark.parametrize(("model", "field"), columns(CodedArrayField))
def test_a_column_of_codes_takes_its_codes_and_nothing_else(db, model, field):
    code = field.codes[0]
    wrong = [["no_such_code"], [code, "no_such_code"], [code.swapcase()], [""], [None], [code, None], None]
    assert_column_refuses(model, field, wrong, "varchar[]")
    assert_column_takes(model, field, [[], list(field.codes), [code]], "varchar[]")


def test_a_table_of_codes_is_no_list(db):
    person = make(Person)
    with pytest.raises(DatabaseError), transaction.atomic():
        write(Person, person.pk, Person._meta.get_field("citizenships"), [["BY"], ["UA"]], "varchar[]")


def test_codes_are_a_set(db):
    leg = make(Leg, countries=["PL", "LT", "PL"])
    leg.refresh_from_db()
    assert leg.countries == ["LT", "PL"]
    assert Leg.objects.filter(countries=["LT", "PL"]).get() == leg


def test_codes_in_another_order_are_no_change():
    field = Release._meta.get_field("legal_bases").formfield()
    assert not field.has_changed(["amnesty", "pardon"], ["pardon", "amnesty"])
    assert field.has_changed(["amnesty", "pardon"], ["pardon"])
    assert not field.has_changed(None, [])


def test_an_unknown_code_is_named():
    with pytest.raises(ValidationError) as caught:
        Release._meta.get_field("legal_bases").clean(["pardon", "mercy"], Release())
    assert caught.value.messages[0].startswith("mercy: no such code.")


def test_no_codes_are_as_good_as_some():
    assert Release._meta.get_field("legal_bases").formfield().clean([]) == []


def test_ukraine_lithuania_and_poland_come_first_and_every_country_is_there():
    choices = [code for code, _label in Leg._meta.get_field("countries").formfield().choices]
    assert choices[:3] == ["UA", "LT", "PL"]
    assert sorted(choices) == sorted(country_codes())


def test_history_takes_codes_that_are_no_longer_allowed():
    """A value that is dropped from a vocabulary stays in what was."""
    for model in MODELS:
        for field in model.history.field.model._meta.concrete_fields if hasattr(model, "history") else ():
            if isinstance(field, CodedField | CodedArrayField):
                assert not field.codes, (model, field.name)
                assert field.db_check(connection) is None


# --- Imprecise dates

NO_DATES = [
    "empty",
    "(,)",
    "[2021-01-01,)",
    "(,2021-01-01)",
    "[-infinity,2021-01-01)",
    "[2021-01-01,infinity)",
    "[-infinity,infinity]",
    "[1899-12-31,1900-01-02)",
    "[2100-12-31,2101-01-02)",
    "[2021-01-01,2021-01-01)",
]


@pytest.mark.parametrize(("model", "field"), columns(ImpreciseDateField))
def test_a_column_of_dates_takes_bounded_ranges_only(db, model, field):
    assert_column_refuses(model, field, NO_DATES, "daterange")
    dates = ["[1900-01-01,2101-01-01)", "[2021-03-05,2021-03-05]", "(2021-03-04,2021-03-06)", None]
    assert_column_takes(model, field, dates, "daterange")


@pytest.mark.parametrize(("model", "field"), columns(ImpreciseDateField))
def test_no_date_is_ever_required(model, field):
    assert field.null
    assert field.blank


@pytest.mark.parametrize(
    ("text", "lower", "upper"),
    [
        ("2021", date(2021, 1, 1), date(2022, 1, 1)),
        ("2021-12", date(2021, 12, 1), date(2022, 1, 1)),
        ("2021-03-05", date(2021, 3, 5), date(2021, 3, 6)),
        ("2021-03-05/2021-03-09", date(2021, 3, 5), date(2021, 3, 10)),
    ],
)
def test_a_date_is_stored_as_the_days_it_can_be(db, text, lower, upper):
    detention = make(Detention, started=text)
    with connection.cursor() as cursor:
        cursor.execute("SELECT lower(started), upper(started) FROM tracker_detention")
        assert cursor.fetchone() == (lower, upper)
    detention.refresh_from_db()
    assert detention.started == parse(text)
    assert detention.started.edtf == text


def test_text_is_a_date_too(db):
    detention = Detention.objects.create(person=make(Person), started="2021-03")
    assert Detention.objects.get(started="2021-03") == detention
    assert Detention.objects.filter(started__startswith=date(2021, 3, 1)).get() == detention
    assert Detention.objects.get().started == parse("2021-03")


@pytest.mark.parametrize("text", ["2025-13-40", "yesterday", "2021-03-09/2021-03-05", "2021/", "1899"])
def test_what_is_no_date_gets_a_sentence(text):
    field = Detention._meta.get_field("started")
    for clean in (lambda: field.clean(text, Detention()), lambda: field.formfield().clean(text)):
        with pytest.raises(ValidationError) as caught:
            clean()
        assert caught.value.messages[0].endswith(".")


def test_a_form_shows_a_date_as_it_was_typed():
    field = Detention._meta.get_field("started").formfield()
    assert field.prepare_value(parse("2021-03")) == "2021-03"
    assert field.prepare_value("2021-13") == "2021-13"
    assert field.clean("") is None
    assert not field.has_changed(parse("2021-03"), "03.2021")
    assert not field.has_changed(None, "")
    assert field.has_changed(parse("2021-03"), "2021-13")


def test_every_date_of_the_calendar_comes_back(db):
    ends = ImpreciseDate(date(1900, 1, 1), date(2100, 12, 31))
    person = make(Person, born=ends)
    person.refresh_from_db()
    assert person.born == ends


def test_fixtures_and_dumps_write_dates_as_text():
    detention = change(Detention(), started="2021-03")
    field = Detention._meta.get_field("started")
    assert field.value_to_string(detention) == "2021-03"
    assert field.to_python("2021-03") == parse("2021-03")
    assert field.value_to_string(Detention()) == ""


# --- What is declared to go into a copy

COPIED = [pytest.param(model, id=model.__name__) for model in MODELS if getattr(model, "copied", None)]


def test_accounts_grants_and_what_staff_decided_of_two_are_in_no_copy():
    outside = {model.__name__ for model in MODELS if not getattr(model, "copied", None)}
    assert outside == {"User", "Grant", "EventGrant", "NotTheSame", "Sitting", "ListLine", "Note"}


@pytest.mark.parametrize("model", COPIED)
def test_what_is_copied_are_columns(model):
    names = {field.name for field in model._meta.concrete_fields}
    for audience, copied in model.copied.items():
        assert Audience(audience) != Audience.STAFF
        assert set(copied) <= names
        assert len(copied) == len(set(copied))
    everything = [name for copied in model.copied.values() for name in copied]
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize("model", COPIED)
def test_what_must_be_there_is_copied_to_the_public(model):
    for field in model._meta.concrete_fields:
        if not field.primary_key and not field.null and not field.has_default() and not field.has_db_default():
            assert field.name in model.copied["public"], field.name


@pytest.mark.parametrize("model", COPIED)
def test_what_is_copied_points_to_what_is_copied(model):
    for name in (name for copied in model.copied.values() for name in copied):
        target = model._meta.get_field(name).related_model
        assert target is None or target.copied


@pytest.mark.parametrize("model", COPIED)
def test_redaction_is_of_what_is_copied(model):
    for name, audiences in model.redacted.items():
        assert set(audiences) <= {Audience.PUBLIC.value, Audience.RESEARCHER.value}
        for audience in audiences:
            assert name in model.columns_for(Audience(audience))


#: Columns of rules that are only asked of what staff write.
INSIDE = {"submitted_by", "reviewed_by", "id"}


@pytest.mark.parametrize("model", COPIED)
@pytest.mark.parametrize("audience", ["public", "researcher"])
def test_a_rule_finds_all_its_columns_in_a_copy_or_none(model, audience):
    """Else what staff were allowed to write could not be published."""
    copied = set(model.columns_for(Audience(audience)))
    for constraint in model._meta.constraints:
        # of the reasons, a copy holds those of its own columns: see test_missing
        if isinstance(constraint, models.CheckConstraint) and not constraint.name.endswith("_reasons_of_what_is_empty"):
            named = {name.split("__")[0] for name in _names(constraint.condition)} - INSIDE
            assert named <= copied or not named & copied, constraint.name


def _names(condition):
    for child in condition.children:
        if isinstance(child, models.Q):
            yield from _names(child)
        elif isinstance(child, models.Func):
            yield from (source.name for source in child.get_source_expressions())
        else:
            yield child[0]
            if isinstance(child[1], models.F):
                yield child[1].name


def test_the_year_of_birth_is_all_the_public_gets():
    assert Person.redacted["born"].keys() == {"public"}


def test_a_confidential_source_starts_among_staff(db):
    for kind, disclosure in (("interview", "staff"), ("letter", "staff"), ("news", "public")):
        assert Source.objects.create(title="An invented source", kind=kind).disclosure == disclosure
