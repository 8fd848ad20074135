"""The CSV files, line by line."""

import csv
import gc
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from releases.models import Leg, Release, ReleaseCitation, ReleaseEvent, ReportedFigure
from tracker import export
from tracker.dates import parse
from tracker.models import (
    Detention,
    Facility,
    Name,
    Organisation,
    Person,
    PersonCitation,
    Placement,
    Recognition,
    Relationship,
    Sentence,
    Source,
)
from tracker.models.prosecutions import Prosecution, Verdict
from tracker.vocabularies import Audience

ALL = ["default", "researcher", "public"]
PUBLIC, RESEARCHER, STAFF = Audience.PUBLIC, Audience.RESEARCHER, Audience.STAFF

ANNA = UUID(int=1)
PID = "00000-0000a"

everywhere = pytest.mark.django_db(databases=ALL)
committed = pytest.mark.django_db(databases=ALL, transaction=True)


def text_of(name, audience=PUBLIC, queryset=None, **options):
    return b"".join(export.stream(export.get_table(name), audience, queryset, **options)).decode()


def lines(name, audience=PUBLIC, queryset=None, **options):
    """The lines after the header."""
    text = text_of(name, audience, queryset, **options)
    assert text.endswith("\r\n")
    return text.split("\r\n")[1:-1]


def values(name, audience=PUBLIC):
    """The lines without what tests of their own are about: why a cell is empty, and when the row was recorded."""
    text = io.StringIO(text_of(name, audience), newline="")
    header, *rows = csv.reader(text)
    apart = ("_missing", "first_recorded_on", "last_confirmed_on")
    kept = [place for place, column in enumerate(header) if not column.endswith(apart)]
    out = io.StringIO(newline="")
    csv.writer(out).writerows([row[place] for place in kept] for row in rows)
    return out.getvalue().split("\r\n")[:-1]


def cells(name, audience=PUBLIC, queryset=None, **options):
    return list(csv.DictReader(io.StringIO(text_of(name, audience, queryset, **options), newline="")))


def make_person(using, number=1, **values):
    """Somebody with a detention, so that they are in persons.csv."""
    person = Person.objects.using(using).create(id=UUID(int=number), pid=f"00000-{number:04}a", **values)
    Detention.objects.using(using).create(id=UUID(int=number), person=person)
    return person


def fill(using):
    """The same small world in any database: one person, released, handed over and cited."""
    person = Person.objects.using(using).create(
        id=ANNA,
        pid=PID,
        sex="female",
        born=parse("1980"),
        citizenships=["UA", "BY"],
        occupations=["lawyer", "activist"],
        summary='She said "no",\nand left.',
        consent="may_be_published",
        consent_by="her invented brother",
        consent_on=date(2025, 12, 14),
        death_circumstances="",
    )
    Name.objects.using(using).create(id=UUID(int=2), person=person, text="Ганна Прыкладава", language="be", position=2)
    Name.objects.using(using).create(
        id=UUID(int=3), person=person, text="Anna Exampleva", language="en", kind="romanised", position=1
    )
    detention = Detention.objects.using(using).create(
        id=UUID(int=4), person=person, started=parse("2021-03"), ended=parse("2025-12-13"), end_reason="released"
    )
    facility = Facility.objects.using(using).create(id=UUID(int=5), name="Invented Colony", kind="colony", country="BY")
    Placement.objects.using(using).create(
        id=UUID(int=6), detention=detention, facility=facility, custody_type="iuot", started=parse("2021-03/2021-05")
    )
    event = ReleaseEvent.objects.using(using).create(
        id=UUID(int=7),
        rid="11111-11111",
        title="Invented release",
        happened=parse("2025-12-13"),
        legal_bases=["pardon"],
    )
    release = Release.objects.using(using).create(
        id=UUID(int=8), person=person, event=event, detention=detention, released_on=parse("2025-12-13")
    )
    Leg.objects.using(using).create(
        id=UUID(int=9), release=release, position=2, kind="onward", countries=["PL", "LT"], status="planned"
    )
    Leg.objects.using(using).create(id=UUID(int=10), release=release, position=1, countries=["UA"], place="Kyiv")
    source = Source.objects.using(using).create(
        id=UUID(int=11),
        title="An invented report",
        publisher="Invented Times",
        kind="news",
        published=parse("2025-12-14"),
    )
    ReportedFigure.objects.using(using).create(
        id=UUID(int=12), event=event, subject="released", low=123, high=123, source=source, stated="123",
        as_of=parse("2025-12-13"), quote="All 123 of them", parts_complete=True,
    )  # fmt: skip
    ReleaseCitation.objects.using(using).create(
        id=UUID(int=13), release=release, leg_id=UUID(int=10), about="place", source=source, stated="in Kyiv",
        value="Kyiv", quote="She is in Kyiv", credibility="2",
    )  # fmt: skip
    PersonCitation.objects.using(using).create(id=UUID(int=14), person=person, source=source, locator="line 3")
    return person


def uuid(number):
    return str(UUID(int=number))


# --- Whole lines


@everywhere
def test_public_persons():
    fill("public")
    assert text_of("persons").split("\r\n", 1)[0] == (
        "id,pid,name,label,identification,sex,sex_missing,born,born_earliest,born_latest,born_precision,born_missing,"
        "died,died_earliest,died_latest,died_precision,died_missing,citizenships,citizenships_missing,home_town,"
        "occupations,occupations_missing,contexts,contexts_missing,coding_note,summary,disclosure"
    )
    assert lines("persons") == [
        f"{uuid(1)},{PID},Anna Exampleva,,identified,female,,1980,1980-01-01,1980-12-31,year,,,,,,not_recorded,BY;UA,,,"
        'activist;lawyer,,,not_recorded,,"She said ""no"",\nand left.",public'
    ]


@everywhere
def test_researchers_get_more_columns():
    person = fill("researcher")
    person.died, person.death_circumstances = parse("2025-12-20/2025-12-22"), "at_liberty"
    person.save()
    assert values("persons", RESEARCHER) == [
        f"{uuid(1)},{PID},Anna Exampleva,,identified,female,1980,1980-01-01,1980-12-31,year,"
        "2025-12-20/2025-12-22,2025-12-20,2025-12-22,interval,at_liberty,BY;UA,,activist;lawyer,,,"
        '"She said ""no"",\nand left.",public'
    ]


@everywhere
def test_staff_get_consent_and_review_state():
    fill("default")
    assert values("persons", STAFF) == [
        f"{uuid(1)},{PID},Anna Exampleva,,identified,female,1980,1980-01-01,1980-12-31,year,,,,,,BY;UA,,"
        'activist;lawyer,,,"She said ""no"",\nand left.",may_be_published,her invented brother,2025-12-14,public,draft'
    ]
    assert values("persons") == values("persons", RESEARCHER) == []


@everywhere
def test_names_stand_in_their_order():
    fill("public")
    assert values("names") == [
        f"{uuid(3)},{uuid(1)},{PID},1,Anna Exampleva,romanised,en,Latn,,public",
        f"{uuid(2)},{uuid(1)},{PID},2,Ганна Прыкладава,legal,be,Cyrl,,public",
    ]


@everywhere
def test_detention_with_its_placement():
    fill("public")
    assert values("detentions") == [
        f"{uuid(4)},{uuid(1)},{PID},2021-03,2021-03-01,2021-03-31,month,"
        "2025-12-13,2025-12-13,2025-12-13,day,released,,,,public"
    ]
    assert values("placements") == [
        f"{uuid(6)},{uuid(4)},{uuid(5)},iuot,open,,2021-03/2021-05,2021-03-01,2021-05-31,interval,,,,"
    ]


@everywhere
def test_release_with_its_legs():
    fill("public")
    assert values("release_events") == [
        f"{uuid(7)},11111-11111,Invented release,,,,,2025-12-13,2025-12-13,2025-12-13,day,pardon,,BY,,public"
    ]
    assert values("releases") == [
        f"{uuid(8)},{uuid(1)},{PID},{uuid(7)},11111-11111,{uuid(4)},"
        "2025-12-13,2025-12-13,2025-12-13,day,confirmed,,unknown,,public"
    ]
    assert values("legs") == [
        f"{uuid(10)},{uuid(8)},1,handover,UA,Kyiv,,,,,completed,",
        f"{uuid(9)},{uuid(8)},2,onward,LT;PL,,,,,,planned,",
    ]


@everywhere
def test_reported_figure_carries_its_source():
    fill("public")
    fill("researcher")
    tail = "accepted,,,public"
    start = (
        f"{uuid(12)},{uuid(7)},11111-11111,released,people,exactly,123,123,,,,,,,,,,,true,,{uuid(11)},"
        "123,,2025-12-13,2025-12-13,2025-12-13,day,,,,"
    )
    assert values("reported_figures") == [start + tail]
    assert values("reported_figures", RESEARCHER) == [f"{start}All 123 of them,,{tail}"]


@everywhere
def test_citations_of_all_tables_are_one_file():
    fill("researcher")
    assert values("citations", RESEARCHER) == [
        f"{uuid(14)},persons,{uuid(1)},,,,,{uuid(11)},,,,,,,,,line 3,,,accepted,,,public",
        f"{uuid(13)},releases,{uuid(8)},legs,{uuid(10)},place,,{uuid(11)},in Kyiv,Kyiv,,,,,,,,She is in Kyiv,2,"
        "accepted,,,public",
    ]
    assert export.count(export.get_table("citations"), RESEARCHER) == 2


@everywhere
def test_numbers_and_booleans():
    person = make_person("public")
    prosecution = Prosecution.objects.using("public").create(person=person)
    verdict = Verdict.objects.using("public").create(
        id=UUID(int=2), prosecution=prosecution, in_absentia=False, pronounced=parse("2022")
    )
    Sentence.objects.using("public").create(id=UUID(int=3), verdict=verdict, kind="fine", amount="1500.5", unit="BYN")
    (row,) = cells("verdicts")
    assert row["in_absentia"] == "false"
    assert values("sentences") == [f"{uuid(3)},{uuid(2)},fine,,,,,,,1500.50,BYN,,,,,,,,,false"]


# --- What is in which file


@everywhere
def test_persons_without_any_record_are_in_no_row():
    body = Organisation.objects.using("public").create(name="Invented Committee")
    people = [Person.objects.using("public").create(pid=f"00000-0000{n}") for n in range(5)]
    Detention.objects.using("public").create(person=people[0])
    Prosecution.objects.using("public").create(person=people[1])
    Recognition.objects.using("public").create(person=people[2], body=body, status="not_recognised")
    Release.objects.using("public").create(person=people[3])
    assert [row["pid"] for row in cells("persons")] == [person.pid for person in people[:4]]
    assert export.count(export.get_table("persons"), PUBLIC) == 4


@everywhere
def test_a_file_can_be_narrowed_to_a_queryset():
    for number in range(1, 5):
        make_person("public", number, sex="female" if number % 2 else "male")
    table = export.get_table("persons")
    women = Person.objects.filter(sex="female").with_status(date(2025, 1, 1)).order_by("-pid")
    assert [row["pid"] for row in cells("persons", PUBLIC, women)] == ["00000-0001a", "00000-0003a"]
    assert export.count(table, PUBLIC, women) == 2
    assert [row["pid"] for row in cells("persons", PUBLIC, Person.objects.named("00000-0002a"))] == ["00000-0002a"]
    assert lines("persons", PUBLIC, Person.objects.none()) == []
    assert export.count(table, PUBLIC, Person.objects.none()) == 0


@everywhere
def test_an_erroneous_name_is_nobodys_first():
    person = make_person("public")
    Name.objects.using("public").create(person=person, text="Maria Wrongova", kind="erroneous", position=1)
    (row,) = cells("persons")
    assert row["name"] == ""
    Name.objects.using("public").create(person=person, text="Maria Exampleva", position=2)
    (row,) = cells("persons")
    assert row["name"] == "Maria Exampleva"


@everywhere
def test_who_is_known_by_what_is_sealed_alone_is_in_no_file_of_staff():
    """That somebody is there whose row says nothing would tell that there is something."""
    event = ReleaseEvent.objects.create(title="Invented talks", disclosure="sealed")
    person = Person.objects.create(label="Invented Person")
    release = Release.objects.create(person=person, event=event)
    tables = [table for table in export.tables_for(STAFF) if table.models == (Person,)]
    assert {"persons", "persons_flat", "in_custody", "custody_monthly"} <= {table.name for table in tables}
    assert [table.name for table in tables if person.pid in text_of(table.name, STAFF)] == []
    release.event = None
    release.save()
    assert person.pid in text_of("persons", STAFF)
    assert person.pid in text_of("persons_flat", STAFF)


@everywhere
def test_nothing_sealed_is_in_a_file_of_staff(organisation):
    """Nor what lies below it, points to it, or speaks of what does."""
    open_, sealed = make_person("default", 1), make_person("default", 2, disclosure="sealed", summary="SEALED")
    Name.objects.create(person=sealed, text="SEALED")
    informant = Source.objects.create(title="SEALED", disclosure="sealed")
    known = Source.objects.create(title="Known", derived_from=informant)
    event = ReleaseEvent.objects.create(title="SEALED", rid="SEALED", disclosure="sealed")
    Release.objects.create(person=open_, event=event, note="SEALED")
    relation = Relationship.objects.create(person=open_, kind="spouse", other=sealed, note="SEALED")
    PersonCitation.objects.create(person=open_, source=informant, stated="SEALED")
    PersonCitation.objects.create(person=open_, source=known, origin=informant, stated="SEALED")
    PersonCitation.objects.create(person=open_, source=known, relationship=relation, stated="SEALED")
    PersonCitation.objects.create(person=open_, source=known, stated="open")
    ReportedFigure.objects.create(event=event, subject="released", source=known, low=1, high=1, stated="SEALED")
    hidden = ["SEALED", *(str(row.pk) for row in (sealed, informant, event, relation)), sealed.pid]
    for table in export.TABLES:
        text = text_of(table.name, STAFF)
        assert not [word for word in hidden if word in text], table.name
    assert [row["id"] for row in cells("persons", STAFF)] == [str(open_.pk)]
    assert [row["derived_from_id"] for row in cells("sources", STAFF)] == [""]
    assert [row["stated"] for row in cells("citations", STAFF)] == ["open"]


@everywhere
def test_every_audience_reads_its_own_database():
    for number, alias in enumerate(ALL, 1):
        make_person(alias, number)
    assert [[row["id"] for row in cells("persons", a)] for a in (STAFF, RESEARCHER, PUBLIC)] == [
        [uuid(1)], [uuid(2)], [uuid(3)],
    ]  # fmt: skip


# --- The form of a file


NASTY = [
    'a "quoted" word', "a, comma", "two\nlines", "two\r\nlines", "Зміцер Прыкладаў", "Łucja Żółć", "tab\there",
    "\\.", "\\N", "NULL", " spaces ", "'", ";", "“”", "50%", "%s", "{x}", "日本", "a\u2028b", "\ufeffbom",
]  # fmt: skip


@everywhere
def test_any_text_comes_back_as_it_was():
    for number, text in enumerate(NASTY, 1):
        make_person("public", number, summary=text)
    assert [row["summary"] for row in cells("persons")] == NASTY


@everywhere
def test_an_empty_cell_is_bare():
    make_person("public")
    assert '""' not in text_of("persons")


FORMULAS = [
    ("=1+1", "'=1+1"),
    ("+1", "'+1"),
    ("-1", "'-1"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "'\t'=1"),
    ("\rx", "'\rx"),
    ("\nx", "'\nx"),
    ("＝1", "'＝1"),
    ("＋1", "'＋1"),
    ("－1", "'－1"),
    ("＠x", "'＠x"),
    ("a;=1+1", "a;'=1+1"),
    ("a\n=1+1", "a\n'=1+1"),
    ('"=1', '"=1'),
    ("a-b", "a-b"),
    ("a; b", "a; b"),
    ("1=1", "1=1"),
    ("Ганна", "Ганна"),
]


@everywhere
def test_formulas_are_made_harmless_for_spreadsheets_only():
    for number, (text, _safe) in enumerate(FORMULAS, 1):
        make_person("public", number, summary=text, label=text)
    assert [row["summary"] for row in cells("persons")] == [text for text, _safe in FORMULAS]
    text = text_of("persons", excel=True)
    assert text.startswith("\ufeffid,")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["summary"] for row in rows] == [safe for _text, safe in FORMULAS]
    assert [row["label"] for row in rows] == [safe for _text, safe in FORMULAS]


@everywhere
def test_computed_text_is_made_harmless_too():
    person = make_person("public")
    Name.objects.using("public").create(person=person, text="=HYPERLINK(1)")
    (row,) = csv.DictReader(io.StringIO(text_of("persons", excel=True), newline=""))
    assert row["name"] == "'=HYPERLINK(1)"


@everywhere
def test_lines_end_as_rfc_4180_says():
    make_person("public", 1, summary="one\ntwo")
    make_person("public", 2)
    text = text_of("persons")
    assert text.count("\r\n") == 3
    assert text.replace("\r\n", "").count("\n") == 1


@everywhere
def test_rows_do_not_stand_in_the_order_of_entry():
    for number in (3, 1, 2):
        make_person("public", number)
    assert [row["id"] for row in cells("persons")] == [uuid(1), uuid(2), uuid(3)]
    assert text_of("persons") == text_of("persons")


@everywhere
def test_the_servers_settings_change_nothing():
    fill("public")
    before = [text_of(table.name) for table in export.TABLES]
    with connections["public"].cursor() as cursor:
        cursor.execute(
            "SET LOCAL datestyle = 'German'; SET LOCAL timezone = 'Asia/Tokyo'; SET LOCAL bytea_output = 'escape'"
        )
    assert [text_of(table.name) for table in export.TABLES] == before


# --- Streaming


def make_many(using, number):
    people = Person.objects.using(using).bulk_create(
        Person(id=UUID(int=n), pid=f"1{n:04}-00000", summary="x" * 500) for n in range(1, number + 1)
    )
    Detention.objects.using(using).bulk_create(Detention(person=person) for person in people)


@everywhere
def test_blocks_are_of_even_size():
    make_many("public", 600)
    blocks = list(export.stream(export.get_table("persons"), PUBLIC))
    assert len(blocks) > 4
    assert all(export.BLOCK <= len(block) < export.BLOCK + 1000 for block in blocks[:-1])
    assert b"".join(blocks).count(b"\r\n") == 601


@everywhere
def test_a_reader_who_goes_away_leaves_nothing_behind():
    make_many("public", 600)
    blocks = export.stream(export.get_table("persons"), PUBLIC)
    next(blocks)
    blocks.close()
    assert Person.objects.using("public").count() == 600
    assert len(lines("persons")) == 600


@everywhere
def test_a_forgotten_stream_leaves_nothing_behind():
    make_many("public", 600)
    blocks = export.stream(export.get_table("persons"), PUBLIC)
    next(blocks)
    del blocks
    gc.collect()
    assert Person.objects.using("public").count() == 600


@everywhere
def test_ten_rows_and_twenty_cost_the_same(django_assert_num_queries):
    for number in range(1, 21):
        person = make_person("public", number)
        Name.objects.using("public").create(person=person, text=f"Person {number}")
    for table in export.TABLES:
        # a savepoint (a transaction, outside of tests), COPY, and the end of it
        with django_assert_num_queries(3, connection=connections["public"]):
            list(export.stream(table, PUBLIC))


@committed
def test_several_threads_read_at_once():
    make_many("public", 300)
    start = threading.Barrier(4)

    def read(_number):
        blocks = export.stream(export.get_table("persons"), PUBLIC)
        first = next(blocks)
        start.wait(10)
        try:
            return first + b"".join(blocks)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(read, range(4)))
    assert len(set(texts)) == 1
    assert texts[0].count(b"\r\n") == 301


# --- The command


def call(directory, audience="public", **options):
    call_command("export", to=directory, audience=audience, stderr=io.StringIO(), **options)
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@committed
def test_one_file_a_table_the_same_bytes_each_time(tmp_path):
    fill("public")
    first, second = call(tmp_path / "first"), call(tmp_path / "new" / "second")
    assert set(first) == {f"{table.name}.csv" for table in export.TABLES} | {"CODEBOOK.md"}
    assert first == second
    assert all(not content.startswith(b"\xef\xbb\xbf") for content in first.values())
    assert b"Anna Exampleva" in first["names.csv"]
    assert first["persons.csv"].decode() == text_of("persons")


@committed
def test_spreadsheet_files_stand_beside_the_others(tmp_path):
    fill("public")
    plain = call(tmp_path, table=["persons"])
    both = call(tmp_path, table=["persons"], excel=True)
    assert set(both) == {"persons.csv", "persons.excel.csv", "CODEBOOK.md"}
    assert both["persons.csv"] == plain["persons.csv"]
    assert both["persons.excel.csv"] == b"\xef\xbb\xbf" + plain["persons.csv"]


@committed
def test_codebook_beside_the_files_is_that_of_their_reader(tmp_path):
    assert b"`consent_by`" not in call(tmp_path / "public")["CODEBOOK.md"]
    assert b"`consent_by`" in call(tmp_path / "staff", "staff")["CODEBOOK.md"]


@committed
def test_what_is_not_for_the_public_is_for_one_account_only(tmp_path):
    call(tmp_path, "staff", table=["persons"])
    assert (tmp_path / "persons.csv").stat().st_mode & 0o077 == 0


@committed
def test_all_files_are_of_one_moment(tmp_path):
    fill("public")
    seen = []

    def edit():
        Name.objects.using("public").update(text="Changed")
        Release.objects.using("public").update(outcome="refuted")
        connections.close_all()

    def progress(name, size):
        if name == "persons.csv":
            thread = threading.Thread(target=edit)
            thread.start()
            thread.join(10)
            assert not thread.is_alive()
        seen.append((name, size))

    export.write(tmp_path, PUBLIC, progress=progress)
    assert b"Changed" not in (tmp_path / "names.csv").read_bytes()
    assert b"refuted" not in (tmp_path / "releases.csv").read_bytes()
    assert [name for name, _size in seen] == [f"{table.name}.csv" for table in export.TABLES]
    assert all(size == (tmp_path / name).stat().st_size for name, size in seen)
    assert b"Changed" in call(tmp_path)["names.csv"]


@committed
def test_an_export_cannot_write():
    with export.snapshot(PUBLIC), pytest.raises(Exception, match="read-only transaction"):
        Person.objects.using("public").create()


@committed
def test_what_fails_leaves_the_files_of_before(tmp_path):
    fill("public")
    before = call(tmp_path)
    Name.objects.using("public").update(text="Changed")

    def fail(name, size):
        if name == "releases.csv":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export.write(tmp_path, PUBLIC, progress=fail)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@committed
def test_a_database_that_cannot_be_read_is_a_sentence(tmp_path):
    with connections["public"].cursor() as cursor:
        cursor.execute("ALTER TABLE tracker_name RENAME TO gone")
    try:
        with pytest.raises(CommandError, match="no file was replaced"):
            call(tmp_path)
    finally:
        with connections["public"].cursor() as cursor:
            cursor.execute("ALTER TABLE gone RENAME TO tracker_name")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"table": ["persons", "people"]}, "There is no table “people”. There are: persons, names,"),
        ({"audience": "everybody"}, "There is no audience “everybody”. There are: public, researcher, staff."),
    ],
)
def test_what_is_not_there_is_named(tmp_path, options, sentence):
    with pytest.raises(CommandError) as refusal:
        call(tmp_path / "new", **options)
    assert str(refusal.value).startswith(sentence)
    assert refusal.value.returncode == 1
    assert not (tmp_path / "new").exists()


def test_a_directory_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("here before")
    with pytest.raises(CommandError, match=r"Nothing can be written to .*file: ") as refusal:
        call(tmp_path / "file")
    assert refusal.value.returncode == 1
    assert (tmp_path / "file").read_text() == "here before"
