"""Spreadsheets in: what an edited export changes, what is wrong with it, and that nothing else happens."""

import csv
import io
import random
import string
import threading
from collections import Counter

import openpyxl
import pytest
from django.apps import apps
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from releases.loading import load_demo
from releases.models import Leg, Release, ReleaseEvent, ReportedFigure
from tests.conftest import ALL_DATABASES, make_user
from tests.rows import make
from tracker import export, publication, review, undoing
from tracker.importing import Order, run, running, writing
from tracker.importing.cells import guard, same, unguard
from tracker.importing.layout import TABLES
from tracker.models import (
    EDITOR,
    REVIEWER,
    Act,
    Charge,
    Detention,
    Episode,
    ExternalIdentifier,
    Facility,
    Grant,
    Name,
    Person,
    PersonCitation,
    Placement,
    Prosecution,
    Recognition,
    Relationship,
    Row,
    Sentence,
    Source,
    Verdict,
    VerdictCitation,
)
from tracker.names import search_key
from tracker.versions import history_of
from tracker.vocabularies import Audience, Sex

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

STAFF = Audience.STAFF


def exported(what, **options):
    """The rows of the staff's file, as dictionaries."""
    text = b"".join(export.stream(export.get_table(what), STAFF, **options)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def as_csv(rows, columns=None, *, delimiter=","):
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns or list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return io.BytesIO(file.getvalue().encode())


def as_xlsx(rows, columns=None):
    book = openpyxl.Workbook()
    columns = columns or list(rows[0])
    book.active.append(columns)
    for row in rows:
        book.active.append([row[name] or None for name in columns])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def load(what, rows, by, *, commit=True, source="", columns=None, **options):
    """The rows imported as a CSV file."""
    file = as_csv(rows, columns) if isinstance(rows, list) else rows
    return run(file, Order(what, by, name=f"{what}.csv", source=str(source and source.pk)), commit=commit, **options)


def sentences(result):
    return [str(problem) for problem in result.problems]


def rows_and_history():
    """How much there is in every table, and how often it was changed."""
    found = Counter()
    for model in apps.get_models():
        if issubclass(model, Row):
            found[model._meta.label] = model._base_manager.count()
            found[f"{model._meta.label} history"] = history_of(model)._base_manager.count()
    return found


@pytest.fixture
def demo():
    return load_demo(editor=make_user("editor", EDITOR), reviewer=make_user("reviewer", REVIEWER))


@pytest.fixture
def world(source):
    """A row of every table, with a value of every kind."""
    person = make(
        Person, sex="female", born="1980-02", citizenships=["BY", "UA"], occupations=["lawyer", "activist"],
        summary='She said "no",\r\n=and; -left.', home_town="-town", consent_on="2025-01-02",
    )  # fmt: skip
    make(Name, person=person, text="Ганна Прыкладная", language="be", script="Cyrl")
    make(Name, person=person, text="Anna Exampleva", position=2, script="Latn")
    make(Relationship, person=person)
    make(Recognition, person=person, started="2021/2022", criteria=[])
    make(ExternalIdentifier, person=person)
    facility = make(Facility, name="Invented Colony", country="BY")
    detention = make(Detention, person=person, started="2021-03-05", confirmed="2021-04-01")
    make(Placement, detention=detention, facility=facility, custody_type="iuot", started="2021-03/2021-05")
    make(Episode, detention=detention, note=" with spaces ")
    prosecution = make(Prosecution, person=person)
    make(Charge, prosecution=prosecution)
    verdict = make(Verdict, prosecution=prosecution, in_absentia=False)
    make(Sentence, verdict=verdict, kind="fine", amount="1200.50", unit="BYN")
    event = make(ReleaseEvent, happened="2025-12-13")
    release = make(Release, person=person, event=event, detention=detention, released_on="2025-12-13")
    make(Leg, release=release, countries=["PL", "LT"])
    make(ReportedFigure, event=event, parts_complete=True)
    done = {model for model in apps.get_models() if issubclass(model, Row) and model._base_manager.exists()}
    for table in TABLES.values():
        if table.model not in done:
            make(table.model)
    return person


# Round trips


@pytest.mark.parametrize("name", TABLES)
def test_an_export_that_nobody_edited_changes_nothing(world, alice, source, name):
    rows = exported(name)
    before = rows_and_history()
    for file in (as_csv(rows), as_xlsx(rows), as_csv(exported(name, excel=True), delimiter=";")):
        result = load(name, file, alice)
        assert (sentences(result), result.read, result.changed, result.added) == ([], len(rows), 0, 0)
    assert rows
    assert rows_and_history() == before
    assert not Act.objects.exists()


def test_an_export_of_the_demo_changes_nothing(demo):
    editor = make_user("alice", EDITOR)
    before, acts = rows_and_history(), Act.objects.count()
    read = 0
    for name in TABLES:
        rows = exported(name)
        if rows:
            for file in (as_csv(rows), as_xlsx(rows)):
                result = load(name, file, editor)
                assert (sentences(result), result.changed, result.added) == ([], 0, 0), name
                read += result.read
    assert read > 200
    assert rows_and_history() == before
    assert Act.objects.count() == acts


CELLS = {
    "text": ("persons", "home_town", "New Town", "home_town", "New Town"),
    "text of lines": ("persons", "summary", "One\nTwo", "summary", "One\nTwo"),
    "text that is emptied": ("persons", "home_town", "", "home_town", ""),
    "text that was guarded": ("persons", "summary", "'=1;'-2", "summary", "=1;-2"),
    "code": ("persons", "sex", "male", "sex", "male"),
    "code in capitals": ("persons", "sex", "MALE", "sex", "male"),
    "code that is emptied": ("persons", "sex", "", "sex", ""),
    "codes": ("persons", "occupations", "lawyer; artist", "occupations", ["artist", "lawyer"]),
    "countries": ("persons", "citizenships", "LT", "citizenships", ["LT"]),
    "countries that are emptied": ("persons", "citizenships", "", "citizenships", []),
    "country": ("facilities", "country", "LT", "country", "LT"),
    "day": ("persons", "consent_on", "05.03.2025", "consent_on", "2025-03-05"),
    "day that is emptied": ("persons", "consent_on", "", "consent_on", None),
    "imprecise date": ("persons", "born", "03.1981", "born", "1981-03"),
    "imprecise date that is emptied": ("persons", "born", "", "born", None),
    "whole number": ("reported_figures", "high", "2.0", "high", 2),
    "decimal": ("sentences", "amount", "7.5", "amount", "7.50"),
    "yes or no": ("verdicts", "in_absentia", "TRUE", "in_absentia", True),
    "yes or no that is emptied": ("verdicts", "in_absentia", "", "in_absentia", None),
    "name": ("names", "text", "Hanna  Prykladnaja", "text", "Hanna Prykladnaja"),
}


def other_cells(model):
    return {pk: rest for pk, *rest in model._base_manager.order_by("pk").values_list()}


@pytest.mark.parametrize("case", CELLS)
def test_a_cell_that_was_edited_changes_that_and_nothing_else(world, alice, source, case):
    name, column, text, field, value = CELLS[case]
    model = TABLES[name].model
    rows = exported(name)
    edited = next((row for row in rows if row["id"] == str(world.pk)), rows[0])
    edited[column] = text
    if name == "reported_figures":
        edited["qualifier"] = "about"
    before = other_cells(model)
    result = load(name, rows, alice, source=source)
    assert sentences(result) == []
    assert (result.changed, result.added) == (1, 0)
    row = model._base_manager.get(pk=edited["id"])
    now = getattr(row, field)
    assert (str(now) if isinstance(value, str) else now) == value
    after = other_cells(model)
    assert {pk for pk in after if after[pk] != before[pk]} == {row.pk}
    names = [field.attname for field in model._meta.concrete_fields][1:]
    changed = {name for name, old, new in zip(names, before[row.pk], after[row.pk], strict=True) if old != new}
    assert changed - {"search_key", "sound_key", "near_keys", "qualifier"} == {"revision", field}
    assert after[row.pk][names.index("revision")] == before[row.pk][names.index("revision")] + 1
    # and once more: it says nothing new, but for what follows from it
    again = load(name, exported(name), alice)
    assert (again.changed, again.added, sentences(again)) == (0, 0, [])


def test_who_says_so_is_kept_with_each_change(world, alice, source):
    verdict = make(Verdict)
    row = next(row for row in exported("verdicts") if row["id"] == str(verdict.pk))
    row |= {"court": "Invented Court", "outcome": "upheld", "disclosure": "staff"}
    row |= {"source": str(source.pk), "locator": "page 2", "stated": "the court upheld it"}
    result = load("verdicts", [row], alice)
    assert (sentences(result), result.cited) == ([], 2)
    found = VerdictCitation.objects.filter(verdict=verdict).values_list(
        "about", "value", "source", "locator", "stated", "standing", "disclosure", "sentence"
    )
    same = (source.pk, "page 2", "the court upheld it", "accepted", "public", None)
    assert set(found) == {("court", "Invented Court", *same), ("outcome", "upheld", *same)}


def test_a_part_is_cited_with_its_record(world, alice, source):
    name = Name.objects.get(text="Anna Exampleva")
    rows = [{"id": str(name.pk), "kind": "pen"}, {"id": "", "kind": ""}]
    rows[1] |= {"person_pid": world.pid, "text": "Hanna Prykladnaja"}
    result = load("names", rows, alice, source=source, columns=["id", "person_pid", "text", "kind"])
    # columns that the first row leaves empty are emptied
    assert sentences(result) == ["row 2, column text: This cannot be empty."]
    rows[0] |= {"text": name.text}
    result = load("names", rows, alice, source=source, columns=["id", "person_pid", "text", "kind"])
    assert (sentences(result), result.cited) == ([], 2)
    new = Name.objects.get(text="Hanna Prykladnaja")
    assert (new.person, new.position, new.kind, new.script) == (world, 3, "legal", "Latn")
    assert new.search_key == search_key(new.text)
    cited = set(PersonCitation.objects.filter(source=source).values_list("person", "name", "about", "value"))
    assert cited == {(world.pk, name.pk, "kind", "pen"), (world.pk, new.pk, "", "")}


def test_new_persons_come_with_their_first_name(alice, source):
    rows = [
        {"name": "Мікалай Тэстаў", "sex": "male", "born": "1990"},
        {"name": "", "sex": "", "born": ""},
        {"name": "'=Anna  Exampleva", "sex": "female", "born": ""},
    ]
    rows[1]["sex"] = "female"
    result = load("persons", rows, alice, source=source)
    assert (sentences(result), result.added, result.cited) == ([], 3, 3)
    names = {name.text: name for name in Name.objects.all()}
    assert set(names) == {"Мікалай Тэстаў", "=Anna Exampleva"}
    first = names["Мікалай Тэстаў"]
    assert (first.position, first.script, first.search_key) == (1, "Cyrl", search_key(first.text))
    assert (first.person.born.edtf, first.person.review_state, len(first.person.pid)) == ("1990", "draft", 11)
    assert Person.objects.count() == 3


def test_a_new_source_is_as_open_as_its_kind_usually_is(alice):
    rows = [{"title": "A letter", "kind": "letter"}, {"title": "A report", "kind": "news"}]
    result = load("sources", rows, alice)
    assert sentences(result) == []
    assert dict(Source.objects.values_list("title", "disclosure")) == {"A letter": "staff", "A report": "public"}


def test_a_figure_is_its_own_citation(alice, source):
    event = make(ReleaseEvent)
    columns = ["event_rid", "subject", "low", "high"]
    rows = [{"event_rid": event.rid, "subject": "released", "low": "123", "high": "123"}]
    missing = load("figures", rows, alice, columns=columns)
    assert sentences(missing) == ["row 2, column source_id: A new row needs this column."]
    order = Order("figures", alice, source=str(source.pk), locator="line 3")
    assert sentences(run(as_csv(rows), order, commit=True)) == []
    figure = ReportedFigure.objects.get()
    assert (figure.event, figure.source, figure.locator, figure.qualifier) == (event, source, "line 3", "exactly")


def test_a_new_row_comes_last_or_where_it_says(alice, source):
    release = make(Release)
    make(Leg, release=release)
    other = make(Release)
    rows = [
        {"release_id": release.pk, "position": "", "place": "third"},
        {"release_id": release.pk, "position": "2", "place": "second"},
        {"release_id": release.pk, "position": "", "place": "fourth"},
        {"release_id": other.pk, "position": "", "place": "first"},
    ]
    assert sentences(load("legs", rows, alice, source=source)) == []
    assert dict(Leg.objects.exclude(place="").values_list("place", "position")) == {
        "first": 1, "second": 2, "third": 3, "fourth": 4,
    }  # fmt: skip


def test_rows_may_change_places(world, alice, source):
    rows = exported("names")
    rows[0]["position"], rows[1]["position"] = rows[1]["position"], rows[0]["position"]
    result = load("names", rows, alice)
    assert (sentences(result), result.changed, result.cited) == ([], 2, 0)
    assert world.name == "Anna Exampleva"


def test_a_row_may_make_room_for_one_that_stands_before_it(alice, source, monkeypatch):
    """The open detention is closed by a later row of the same file, be it written later."""
    monkeypatch.setattr(writing, "CHUNK", 1)
    person = make(Person)
    open_one = make(Detention, person=person)
    closed = make(Detention, person=person, ended="2024")
    rows = [{"id": closed.pk, "ended": ""}, {"id": open_one.pk, "ended": "2021"}]
    assert sentences(load("detentions", rows, alice, source=source)) == []
    assert {row.pk: str(row.ended or "") for row in Detention.objects.all()} == {open_one.pk: "2021", closed.pk: ""}


# What is wrong


def problems_of(what, alice, source, *rows, columns=None):
    before = rows_and_history()
    result = load(what, [*rows], alice, source=source, columns=columns)
    assert rows_and_history() == before
    assert result.context is None
    return sentences(result)


CODES = f"Allowed are: {', '.join(sorted(Sex.codes()))}."
WRONG = {
    "code": ("sex", "fmale", f"“fmale” is no such code. Did you mean female? {CODES}"),
    "code by its label": ("identification", "Not identified", None),
    "code with nothing near": ("sex", "qqq", f"“qqq” is no such code. {CODES}"),
    "country": ("citizenships", "BY;Lithuania", "“Lithuania” is no such code. Did you mean LT? Country codes have two letters: BY, LT, PL, UA."),
    "day": ("consent_on", "2025-03", "Give one day: 2025-12-13."),
    "date": ("born", "in spring", "in spring is not a date. Write 2025, 2025-12, 2025-12-05 or 2025-12-01/2025-12-05."),
    "not null": ("identification", "", "This cannot be empty."),
    "permanent": ("pid", "00000-00000", "This cannot be changed by a file. Leave it as it was or empty."),
    "review": ("review_state", "published", "This cannot be changed by a file. Leave it as it was or empty."),
    "name": ("name", "Somebody Else", "Names are changed in names: this is the first of them."),
    "derived": ("born_latest", "1999-01-01", "This follows from born. Change that one, and leave this as it was or empty."),
    "rule": ("died", "1970", "This person cannot have died before being born."),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_cell_is_said(world, alice, source, case):
    column, text, sentence = WRONG[case]
    row = next(row for row in exported("persons") if row["id"] == str(world.pk))
    row[column] = text
    (said,) = problems_of("persons", alice, source, row)
    if sentence is None:
        assert "Did you mean unidentified?" in said
        return
    place = f"row 2, column {column}, “{text}”" if text else f"row 2, column {column}"
    assert said == f"{place}: {sentence}"


@pytest.mark.parametrize(
    ("what", "row", "sentence"),
    [
        ("sentences", {"kind": "fine", "amount": "1 200"},
         "row 2, column amount, “1 200”: Write a number with a decimal point and no other separators: 1200.50."),
        ("sentences", {"kind": "fine", "amount": "1.234"},
         "row 2, column amount, “1.234”: Ensure that there are no more than 2 decimal places."),
        ("sentences", {"kind": "imprisonment", "years": "5 years"},
         "row 2, column years, “5 years”: Write a whole number in digits, with no separators: 1200."),
        ("sentences", {"kind": "imprisonment", "years": "99999"},
         "row 2, column years, “99999”: Ensure this value is less than or equal to 32767."),
        ("sentences", {"kind": "imprisonment", "is_total": "perhaps"},
         "row 2, column is_total, “perhaps”: Write true or false."),
        ("sentences", {"kind": "fine", "years": "5"},
         "row 2, column years, “5”: This kind of sentence has no term in years, months and days."),
        ("sources", {"title": "A report", "url": "no address"}, "row 2, column url, “no address”: Enter a valid URL."),
        ("sources", {"kind": "news"}, "row 2, column title: A new row needs this column."),
        ("sources", {"kind": "news", "title": ""}, "row 2, column title: This cannot be empty."),
        ("sources", {"id": "7", "title": "A report"},
         "row 2, column id, “7”: This is no id. Ids look like 1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b; take them from the export."),
        ("sources", {"id": "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b", "title": "A report"},
         "row 2, column id, “1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b”: There is no such row in sources. For a new row leave this empty."),
        ("persons", {"pid": "00000-00000", "sex": "male"},
         "row 2, column pid, “00000-00000”: There is no such row in persons. For a new row leave this empty."),
        ("sources", {"title": "A report", "derived_from_id": "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b"},
         "row 2, column derived_from_id, “1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b”: There is nothing with this id."),
        ("detentions", {"person_pid": "00000-00000"},
         "row 2, column person_pid, “00000-00000”: There is nobody, and nothing, with this identifier."),
        ("sources", {"title": "A report", "publsher": "X"},
         "row 1, column publsher: There is no such column. Did you mean publisher?"),
        ("provisions", {"article": "1", "xyz": "X"},
         "row 1, column xyz: There is no such column. There are: id, country, law, article, title, verified, disclosure."),
        ("sources", {"text": "Anna Exampleva", "scheme": ""},
         "row 1: These are the columns of names, not of sources. Say so, or take the other file."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_row_is_said(alice, source, what, row, sentence):
    if what == "sentences":
        row = {"verdict_id": make(Verdict).pk, **row}
    cited = what not in ("sources", "provisions")
    assert problems_of(what, alice, source if cited else "", row) == [sentence]


def test_everything_wrong_is_said_at_once(world, alice):
    rows = [row for row in exported("persons") if row["id"] == str(world.pk)]
    rows[0] |= {"sex": "x", "born": "x", "home_town": "New Town"}
    rows.append(rows[0] | {"sex": "male"})
    rows.append(dict.fromkeys(rows[0], "") | {"citizenships": "BLR", "consent_on": "x"})
    columns = ["id", "sex", "born", "home_town", "citizenships", "consent_on"]
    rows = [{name: row[name] for name in columns} for row in rows]
    found = load("persons", rows, alice)
    assert [(problem.row, problem.column) for problem in found.problems] == [
        (2, "sex"), (2, "born"), (2, "source"), (3, "id"), (3, "born"), (3, "source"),
        (4, "citizenships"), (4, "consent_on"), (4, "source"),
    ]  # fmt: skip
    assert "Say it once." in sentences(found)[3]


def test_a_file_of_nothing_but_mistakes_is_cut_short_and_counted(alice, source):
    found = load("persons", [{"sex": "x"} for _ in range(500)], alice, source=source)
    assert len(found.problems) == 200
    assert found.wrong >= 200


def test_what_follows_from_another_column_may_follow_it(world, alice, source):
    row = next(row for row in exported("persons") if row["id"] == str(world.pk))
    row |= {"born": "1981", "born_earliest": "1981-01-01", "born_latest": "", "born_precision": "day"}
    assert sentences(load("persons", [row], alice, source=source)) == [
        "row 2, column born_precision, “day”: This follows from born. Change that one, and leave this as it was or"
        " empty."
    ]
    row |= {"born": "in spring"}
    assert [problem.column for problem in load("persons", [row], alice, source=source).problems] == ["born"]
    row |= {"born": "1981", "born_precision": "year"}
    assert sentences(load("persons", [row], alice, source=source)) == []


def test_who_says_so_has_to_be_said(world, alice, source):
    row = next(row for row in exported("persons") if row["id"] == str(world.pk))
    row |= {"home_town": "New Town", "born": ""}
    assert problems_of("persons", alice, "", row) == [
        "row 2, column source: Who says so? Give the id of a source here, or one for the whole file, for:"
        " born, home_town."
    ]
    assert problems_of("persons", alice, "", {"sex": "male", "source": ""}) == [
        "row 2, column source: Who says so? Give the id of a source here, or one for the whole file, for: a new row."
    ]
    assert problems_of("persons", alice, "", {"sex": "male", "source": "me"})[0].startswith(
        "row 2, column source, “me”: This is no id."
    )
    nobody = "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b"
    assert problems_of("persons", alice, "", {"sex": "male", "source": nobody}) == [
        f"row 2, column source, “{nobody}”: There is nothing with this id."
    ]
    row |= {"home_town": "-town", "born": "1980-02", "disclosure": "staff"}
    assert sentences(load("persons", [row], alice)) == []  # what may be published is nobody's word but ours


def test_no_source_where_there_are_no_citations(alice, source):
    assert problems_of("sources", alice, source, {"title": "A report"}) == [
        "sources carry no citations: leave the source out."
    ]


@pytest.mark.parametrize("place", [0, 3_000, 6_999])
def test_one_row_that_the_database_refuses_and_nothing_is_saved(alice, source, place):
    rows = [{"name": f"Anna Exampleva {n}", "sex": "female", "born": "", "died": ""} for n in range(7_000)]
    rows[place] |= {"born": "1990", "died": "1980"}
    sentence = "This person cannot have died before being born."
    assert problems_of("persons", alice, source, *rows) == [f"row {place + 2}, column died, “1980”: {sentence}"]


def test_every_row_that_the_database_refuses_is_named(alice, source):
    """Also what it asks only at the end of a transaction, and what two rows of the file do to one another."""
    release = make(Release, released_on="2025-12-13")
    rows = [{"release_id": release.pk, "position": n, "happened": "2025-12-14"} for n in range(1, 9)]
    rows[2]["happened"] = "2024"
    rows[5]["position"] = 2
    before = "A step of the way out lies surely before the release. Correct one of the two dates."
    same = "Two steps stand at the same place. Number them 1, 2, 3."
    assert problems_of("legs", alice, source, *rows) == [
        f"row 4, column happened, “2024”: {before}",
        f"row 7, column position, “2”: {same}",
    ]


def test_a_row_stays_with_its_record(world, alice, source):
    name = Name.objects.first()
    row = {"id": name.pk, "person_pid": make(Person).pid}
    (said,) = problems_of("names", alice, source, row)
    assert said.endswith("A row stays where it belongs. Add a new one there instead.")


def test_short_keys_name_rows_and_who_they_belong_to(world, alice, source):
    other = make(Person)
    detention = make(Detention)
    assert sentences(load("persons", [{"pid": world.pid.upper(), "sex": "male"}], alice, source=source)) == []
    assert Person.objects.get(pk=world.pk).sex == "male"
    row = {"id": detention.pk, "person_id": other.pk, "person_pid": detention.person.pid}
    assert sentences(load("detentions", [row], alice, source=source)) == []
    assert Detention.objects.get(pk=detention.pk).person == other
    row["person_pid"] = world.pid
    assert problems_of("detentions", alice, source, row) == [
        f"row 2, column person_pid, “{world.pid}”: This is not the one that person_id says. Change person_id, and leave"
        " this empty."
    ]


def test_a_pointer_that_is_emptied_is_emptied(world, alice, source):
    rows = exported("releases")
    rows[0]["event_id"] = ""
    assert sentences(load("releases", rows, alice, source=source)) == []
    assert Release.objects.get(pk=rows[0]["id"]).event is None


# Who may


def test_what_is_sealed_is_answered_as_what_never_was(alice, bob, source):
    sealed = make(Person, disclosure="sealed", sex="female")
    name = make(Name, person=sealed)
    secret = make(Source, disclosure="sealed")
    person = make(Person)
    for row, what in [
        ({"id": sealed.pk, "sex": "male"}, "persons"),
        ({"pid": sealed.pid, "sex": "male"}, "persons"),
        ({"id": name.pk, "text": "Anna"}, "names"),
        ({"person_pid": sealed.pid}, "detentions"),
        ({"person_id": sealed.pk}, "detentions"),
        ({"id": person.pk, "sex": "male", "source": secret.pk}, "persons"),
    ]:
        never = {
            key: {sealed.pk: "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b", sealed.pid: "00000-00000"}.get(value, value)
            for key, value in row.items()
        }
        never = {
            key: "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b" if value in (name.pk, secret.pk) else value
            for key, value in never.items()
        }
        given = "" if "source" in row else source
        one, other = problems_of(what, alice, given, row), problems_of(what, alice, given, never)
        hide = {str(sealed.pk), sealed.pid, str(name.pk), str(secret.pk)}
        for key in hide:
            one = [text.replace(key, "…") for text in one]
        for key in ("1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b", "00000-00000"):
            other = [text.replace(key, "…") for text in other]
        assert one == other
        assert len(one) == 1
    Grant.objects.create(user=bob, person=sealed)
    assert sentences(load("persons", [{"id": sealed.pk, "sex": "male"}], bob, source=source)) == []
    assert Person.objects.get(pk=sealed.pk).sex == "male"


def test_whoever_seals_a_row_still_sees_it(alice):
    person = make(Person)
    assert sentences(load("persons", [{"id": person.pk, "disclosure": "sealed"}], alice)) == []
    assert Person.objects.visible_to(alice).filter(pk=person.pk).exists()
    assert Grant.objects.get().user == alice


def test_nothing_is_said_of_a_merged_person(alice, source):
    kept = make(Person)
    merged = make(Person, merged_into=kept)
    assert "There is no such row" in problems_of("persons", alice, source, {"id": merged.pk, "sex": "male"})[0]
    assert "There is nothing with this id." in problems_of("detentions", alice, source, {"person_id": merged.pk})[0]


# Review, history, and once more


def test_an_import_is_a_draft_edit_and_closing_is_immediate(alice, bob, source):
    carol = make_user("carol", REVIEWER)
    person = make(Person, home_town="Town")
    make(PersonCitation, person=person, source=source)
    review.submit([person], by=bob)
    publication.publish([Person.objects.get()], by=carol)
    copy = Person.objects.using("public")
    row = {"pid": person.pid, "home_town": "New Town"}
    assert sentences(load("persons", [row], alice, source=source)) == []
    assert copy.get().home_town == "Town"
    assert Person.objects.get().review_state == "published"
    preview = load("persons", [row | {"disclosure": "staff"}], alice, commit=False)
    assert preview.changed == 1
    assert copy.exists()
    assert sentences(load("persons", [row | {"disclosure": "staff"}], alice)) == []
    assert not copy.exists()


def test_a_preview_writes_nothing_and_says_what_will_be_written(world, alice, source):
    rows = exported("persons")
    row = next(row for row in rows if row["id"] == str(world.pk))
    row |= {"home_town": "New Town", "born": "1981"}
    new = dict.fromkeys(row, "") | {"name": "Hanna Testava", "sex": "female"}
    before = rows_and_history()
    preview = load("persons", [*rows, new], alice, source=source, commit=False)
    assert rows_and_history() == before
    assert (preview.changed, preview.added, preview.cited, preview.context) == (1, 1, 3, None)
    assert preview.columns == {"born": 1, "home_town": 1, "name": 1, "sex": 1}
    cells = {change.is_new: sorted(change.cells) for change in preview.changes}
    assert cells == {
        False: [("born", "1980-02", "1981"), ("home_town", "-town", "New Town")],
        True: [("name", "", "Hanna Testava"), ("sex", "", "female")],
    }
    done = load("persons", [*rows, new], alice, source=source, expect=preview.fingerprint)
    assert (sentences(done), done.changed, done.added, done.cited) == ([], 1, 1, 3)
    assert done.context


def test_what_was_changed_since_the_preview_is_not_written_over(world, alice, source):
    rows = [{"pid": world.pid, "home_town": "New Town"}]
    preview = load("persons", rows, alice, source=source, commit=False)
    Person.objects.filter(pk=world.pk).update(summary="Changed")
    again = load("persons", rows, alice, source=source, expect=preview.fingerprint)
    assert sentences(again) == ["Some of these rows were changed since the preview. Look at the new one."]
    assert Person.objects.get(pk=world.pk).home_town == "-town"
    assert again.fingerprint != preview.fingerprint
    assert sentences(load("persons", rows, alice, source=source, expect=again.fingerprint)) == []


def _by_somebody_else(person, **values):
    """Through another connection, committed at once."""

    def change():
        Person.objects.filter(pk=person.pk).update(**values)
        connection.close()

    thread = threading.Thread(target=change)
    thread.start()
    thread.join()


@pytest.mark.django_db(databases=ALL_DATABASES, transaction=True)
def test_what_is_changed_while_the_file_is_read_is_not_written_over(alice, source, monkeypatch):
    person, other = make(Person), make(Person)
    check = running.check_targets

    def meanwhile(*args):
        _by_somebody_else(other, summary="Changed")
        check(*args)

    monkeypatch.setattr(running, "check_targets", meanwhile)
    rows = [{"pid": person.pid, "home_town": "New Town"}, {"pid": other.pid, "home_town": "New Town"}]
    said = sentences(load("persons", rows, alice, source=source))
    assert said == ["row 3: Somebody else has changed this row just now. Look at it, and try again."]
    assert set(Person.objects.values_list("home_town", "summary")) == {("", ""), ("", "Changed")}


def test_what_is_too_long_for_an_index_is_told(alice, source):
    person = make(Person)
    long = "".join(random.Random(1).choices(string.ascii_letters, k=20_000))
    rows = [{"person_pid": person.pid, "scheme": "invented", "value": value} for value in ("1", long)]
    (said,) = problems_of("external_identifiers", alice, "", *rows)
    assert said == "row 3: The database refused this (ProgramLimitExceeded)."


def test_the_same_file_twice_adds_nothing(alice, source):
    rows = [{"name": "Hanna Testava", "sex": "female"}]
    first = load("persons", rows, alice, source=source)
    again = load("persons", rows, alice, source=source)
    assert len(sentences(again)) == 1
    assert "were added already" in sentences(again)[0]
    assert Person.objects.count() == 1
    undoing.undo(first.context, by=make_user("carol", REVIEWER), why="wrong list")
    assert not Person.objects.exists()
    assert sentences(load("persons", rows, alice, source=source)) == []


def test_an_import_is_one_act_and_can_be_taken_back(world, alice, source):
    rows = [{"pid": world.pid, "sex": "male", "name": ""}, {"pid": "", "sex": "male", "name": "Mikalai Testau"}]
    before = {"persons": exported("persons"), "names": exported("names"), "citations": exported("citations")}
    done = load("persons", rows, alice, source=source)
    act = Act.objects.get(context=done.context)
    assert (act.kind, act.by, act.why) == ("import", alice, "persons: persons.csv")
    assert act.about["what"] == "persons"
    event = history_of(Person)._base_manager.order_by("-pgh_id").first()
    assert (event.pgh_context_id, event.pgh_context["user"]) == (done.context, str(alice.pk))
    undoing.undo(done.context, by=make_user("carol", REVIEWER), why="a mistake")
    assert {name: exported(name) for name in before} == before


def test_progress_is_told(alice, source):
    told = []
    load("persons", [{"sex": "male"}] * 5_000, alice, source=source, tell=lambda *step: told.append(step))
    assert {("read", 2_000), ("read", 4_000), ("compared", 4_000), ("written", 5_000)} <= set(told)


# Any text


@settings(max_examples=300)
@given(st.text(st.sampled_from("=+-@＝\t\r\n;' ax"), max_size=8))
@example("'=1;'-2")
@example("\t=1")
def test_a_guarded_cell_says_what_it_guards(text):
    assert same(guard(text), text)
    if not text.startswith("'") and ";'" not in text and "\n'" not in text and "\r'" not in text and "\t'" not in text:
        assert unguard(guard(text)) == text


class AnyText(TestCase):
    databases = {"default"}

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.text(
                st.one_of(
                    st.sampled_from("=+-@＝\t\r\n;,\"'| "),
                    st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
                ),
                max_size=20,
            ),
            min_size=1,
            max_size=4,
        )
    )
    def test_any_text_comes_back_as_it_was(self, texts):
        alice = make_user("alice", EDITOR)
        Person.objects.bulk_create([Person(summary=text) for text in texts])
        for person in Person.objects.all():
            make(Detention, person=person)
        for rows in (exported("persons"), exported("persons", excel=True)):
            result = load("persons", rows, alice)
            assert (sentences(result), result.changed) == ([], 0)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
