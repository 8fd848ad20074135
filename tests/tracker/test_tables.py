"""The declarations of the CSV columns: complete, and no more open than the models say."""

from datetime import date

import pytest
from django.apps import apps
from django.db import ProgrammingError, connections, models
from hypothesis import given, settings
from hypothesis import strategies as st

from releases.models import EventGrant, ListLine, Note, Sitting
from tracker import export
from tracker.columns import Earliest, Edtf, Kind, Latest, PrecisionOf
from tracker.computed import Computed
from tracker.dates import ImpreciseDate
from tracker.models import Citation, Grant, Name, NotTheSame, Person, Row
from tracker.models.fields import day_range
from tracker.vocabularies import Audience

# in no file, and why
NOT_EXPORTED = {
    "revision": "counts edits, and says nothing about the world",
    "published_at": "bookkeeping of the copies",
    "submitted_by": "names a member of staff",
    "reviewed_by": "names a member of staff",
    "search_key": "made from the name",
    "sound_key": "made from the name, anew in every copy",
    "near_keys": "made from the name, anew in every copy",
    "missing": "said next to each column that it speaks of",
    "merged_into": "a person merged into another is in no row of persons, but in merged_persons",
}

COPIES = [Audience.RESEARCHER, Audience.PUBLIC]


def test_every_table_of_the_database_is_in_a_file():
    kinds = {model for model in apps.get_models() if issubclass(model, Row)}
    assert {model for table in export.TABLES for model in table.models} == kinds - {
        Grant,
        EventGrant,
        NotTheSame,
        Sitting,
        ListLine,
        Note,
    }


def test_every_field_is_a_column_or_left_out_for_a_reason():
    left_out = set()
    for table in export.TABLES:
        if table.name in {"merged_persons", "citations"} or isinstance(table, Computed):
            continue  # they say nothing but who they are; see below; what is in the others
        fields = {field.name for field in table.model._meta.concrete_fields}
        missing = fields - {column.field for column in table.columns}
        assert missing <= set(NOT_EXPORTED), f"{table.name} lacks {missing - set(NOT_EXPORTED)}"
        left_out |= missing
    assert left_out == set(NOT_EXPORTED)


def test_every_field_of_a_citation_is_a_column():
    table = export.get_table("citations")
    columns = {column.field for column in table.columns}
    for model in table.models:
        fields = {field.name for field in model._meta.concrete_fields}
        assert fields - columns - {model.owner, *model.parts, "topic"} <= set(NOT_EXPORTED)


def test_citations_of_every_kind_have_the_same_audience():
    for column in export.get_table("citations").columns:
        if column.field:
            for model in apps.get_models():
                if issubclass(model, Citation):
                    seen_by = {a for a in Audience if column.field == "id" or column.field in model.columns_for(a)}
                    assert column.audience in seen_by
                    assert not any(a.level < column.audience.level for a in seen_by)


def test_rows_are_sorted_by_something_unique():
    for table in export.TABLES:
        assert table.key == ("id",) or isinstance(table, Computed)
        assert table.order[-1] == "id" if table.key == ("id",) else set(table.order) == set(table.key)


def test_names_are_plain_and_each_occurs_once():
    names = [table.name for table in export.TABLES]
    assert len(set(names)) == len(names)
    for text in [*names, *(column.name for table in export.TABLES for column in table.columns)]:
        assert text.isascii()
        assert text.replace("_", "").isalnum()
        assert text == text.lower()


def test_coded_columns_name_their_vocabulary():
    for table in export.TABLES:
        for column in table.columns:
            assert (column.values is not None) == (column.kind in {Kind.CODE, Kind.CODES}), column.name


def test_what_only_staff_may_see():
    staff = {
        f"{table.name}.{column.name}"
        for table in export.TABLES
        for column in table.columns
        if column.audience is Audience.STAFF
    }
    assert staff == {
        "persons.consent", "persons.consent_by", "persons.consent_on", "persons.consent_on_missing", "persons.review_state",
        "detentions.review_state", "prosecutions.review_state", "verdicts.review_state", "release_events.review_state",
        "releases.review_state", "reported_figures.review_state",
        "cases.note", "facilities.note", "organisations.note", "releases.note", "sources.note",
    }  # fmt: skip


@pytest.mark.parametrize("audience", COPIES)
@pytest.mark.django_db(databases=["default", "researcher", "public"])
def test_a_file_reads_nothing_that_its_copy_does_not_hold(audience):
    """The columns that the copy leaves empty are dropped: PostgreSQL then refuses whatever reads one."""
    with connections[audience].cursor() as cursor:
        for table in export.TABLES:
            for model in table.models:
                held = {"id", *model.columns_for(audience)}
                empty = [field for field in model._meta.concrete_fields if field.name not in held]
                drop = ", ".join(f'DROP COLUMN IF EXISTS "{field.column}" CASCADE' for field in empty)
                cursor.execute(f'ALTER TABLE "{model._meta.db_table}" {drop}')
    for table in export.tables_for(audience):
        for excel in (False, True):
            (header,) = export.stream(table, audience, excel=excel)
            columns = header.decode("utf-8-sig").rstrip("\r\n").split(",")
            assert columns == [column.name for column in table.columns_for(audience)]


@pytest.mark.django_db(databases=["default", "researcher", "public"])
def test_a_column_that_is_gone_is_noticed():
    """So the test above can fail."""
    with connections["public"].cursor() as cursor:
        cursor.execute("ALTER TABLE tracker_name DROP COLUMN kind CASCADE")
    with pytest.raises(ProgrammingError, match="kind"):
        list(export.stream(export.get_table("persons"), Audience.PUBLIC))


# --- Dates: SQL and Python say the same


def _first_of_month(day):
    return day.replace(day=1)


def _bounds():
    day = st.dates(date(1900, 1, 1), date(2100, 11, 30))
    # whole units are rare among random days, and what this is about
    whole = st.one_of(day, day.map(_first_of_month), day.map(lambda d: d.replace(day=1, month=1)))
    return st.tuples(whole, whole, st.booleans()).filter(lambda pair: pair[0] != pair[1]).map(_date)


def _date(pair):
    first, last, single = pair
    if single:
        return ImpreciseDate.from_day(first)
    return ImpreciseDate.from_bounds(min(first, last), max(first, last))


KNOWN = [
    ImpreciseDate(date(2021, 1, 1), date(2021, 12, 31)),
    ImpreciseDate(date(2021, 1, 1), date(2022, 12, 31)),
    ImpreciseDate(date(2020, 2, 1), date(2020, 2, 29)),
    ImpreciseDate(date(2021, 12, 1), date(2021, 12, 31)),
    ImpreciseDate(date(2021, 1, 1), date(2021, 3, 31)),
    ImpreciseDate(date(2021, 2, 1), date(2021, 12, 31)),
    ImpreciseDate(date(2021, 2, 1), date(2022, 1, 31)),
    ImpreciseDate(date(2021, 3, 5), date(2021, 3, 9)),
    ImpreciseDate(date(2021, 3, 1), date(2021, 3, 30)),
    ImpreciseDate(date(1900, 1, 1), date(2100, 12, 31)),
    ImpreciseDate(date(2021, 12, 31), date(2022, 1, 1)),
    ImpreciseDate.from_day(date(2021, 1, 1)),
    None,
]


def _in_sql(values):
    column = models.expressions.RawSQL("d", [])
    compiler = Person.objects.all().query.get_compiler("default")
    cells = ", ".join(compiler.compile(write(column))[0] for write in (Edtf, Earliest, Latest, PrecisionOf))
    ranges = [value and day_range(value) for value in values]
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT {cells} FROM unnest(%s::daterange[]) WITH ORDINALITY AS t(d, n) ORDER BY n", [ranges])
        return cursor.fetchall()


def _in_python(value):
    if value is None:
        return (None, None, None, None)
    return (value.edtf, value.earliest.isoformat(), value.latest.isoformat(), value.precision)


def test_known_dates_read_the_same_in_sql(db):
    assert _in_sql(KNOWN) == [_in_python(value) for value in KNOWN]


@given(values=st.lists(_bounds(), min_size=1, max_size=200))
@settings(max_examples=30, deadline=None)
@pytest.mark.django_db(transaction=False)
def test_dates_read_the_same_in_sql(values):
    assert _in_sql(values) == [_in_python(value) for value in values]


# --- What a queryset may narrow


def test_a_queryset_of_another_model_is_refused(db):
    with pytest.raises(TypeError, match=r"persons has rows of tracker\.Person"):
        export.stream(export.get_table("persons"), Audience.STAFF, Name.objects.all())
