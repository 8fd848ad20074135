"""The database as it stood at a moment."""

import csv
import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pghistory
import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.urls import reverse

from releases.models import Release, ReleaseCitation
from tests.conftest import ALL_DATABASES
from tests.tracker.test_clocks_property import files, known_at, now, rows
from tracker import clocks, export, publication, review
from tracker.clocks import Refused
from tracker.dates import parse
from tracker.merging import merge
from tracker.models import (
    Detention,
    Facility,
    Name,
    Person,
    PersonCitation,
    Placement,
    Source,
)
from tracker.publication import publish, withdraw
from tracker.versions import history_of
from tracker.vocabularies import Audience

PUBLIC, RESEARCHER, STAFF = Audience.PUBLIC, Audience.RESEARCHER, Audience.STAFF

uncommitted = pytest.mark.django_db(databases=ALL_DATABASES)
committed = pytest.mark.django_db(databases=ALL_DATABASES, transaction=True)


def by(user):
    return pghistory.context(user=str(user.pk))


def save(record, user, **values):
    """An edit as the admin makes it: saved, then closed at once where it became stricter."""
    with by(user), transaction.atomic():
        record.refresh_from_db()
        for name, value in values.items():
            setattr(record, name, value)
        record.save()
        publication.close(record.record if hasattr(record, "record") else record)


def add(user, model, **values):
    with by(user):
        return model.objects.create(**values)


@pytest.fixture
def enter(alice, source):
    """What Alice types: a cited record of any kind."""

    def enter(model, **values):
        record = add(alice, model, **values)
        cited = record.citation_model()
        add(alice, cited, **{cited.owner: record}, source=source, locator="paragraph 1")
        return record

    return enter


@pytest.fixture
def out(alice, bob):
    """Alice submits, Bob publishes."""

    def out(*records):
        review.submit(records, by=alice)
        publish(records, by=bob)
        for record in records:
            record.refresh_from_db()
        return records[0]

    return out


@pytest.fixture
def held(enter, out, alice):
    """Somebody in prison, published."""

    def held(name="Invented Person", **values):
        person = enter(Person, **values)
        if name:
            add(alice, Name, person=person, text=name)
        out(person)
        out(enter(Detention, person=person, started=parse("2021")))
        return person

    return held


def past(audience, moment, table):
    with known_at(audience, moment):
        return rows(b"".join(export.stream(export.get_table(table), audience)))


# --- A moment in words


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-12-13", "2025-12-13T23:59:59.999999Z"),
        ("2025-12-13T18:30:00Z", "2025-12-13T18:30:00.000000Z"),
        ("2025-12-13T18:30", "2025-12-13T18:30:00.000000Z"),
        (" 2025-12-13 18:30:05.123456 ", "2025-12-13T18:30:05.123456Z"),
        ("2025-12-13T18:30:00+01:00", "2025-12-13T17:30:00.000000Z"),
        ("2025-12-13T18:30:00 01:00", "2025-12-13T17:30:00.000000Z"),
        ("2025-12-13T18:30:00-0330", "2025-12-13T22:00:00.000000Z"),
    ],
)
def test_a_moment_in_words(text, moment):
    assert clocks.display(clocks.parse(text)) == moment
    assert clocks.parse(moment) == clocks.parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2025-13-01", "2025-12", "20251213", "2025-W50-6", "2025-12-13T25:00", "0001-01-01T00:00+02:00",
     "2025-12-13T18:30:00+99:00", "2025-12-13 18:30 01:00", "1765650600", "٢٠٢٥-12-13"],
)  # fmt: skip
def test_what_is_no_moment_is_named(text):
    with pytest.raises(Refused) as refusal:
        clocks.parse(text)
    assert str(refusal.value).startswith(f"“{text}” is no moment. Write a day (2025-12-13: the end of it)")


@uncommitted
@pytest.mark.parametrize("audience", list(Audience))
def test_what_has_not_come_and_what_came_before_the_history_is_refused(audience, held):
    began = now(audience) if audience is not STAFF else datetime(2001, 1, 1, tzinfo=UTC)
    if audience is not STAFF:
        with pytest.raises(Refused, match="there is no history"):
            clocks.check(audience, began)
    held()
    clocks.check(audience, now(audience))
    with pytest.raises(Refused, match="is not over yet: it is 2"):
        clocks.check(audience, now(audience) + timedelta(seconds=30))
    with pytest.raises(Refused, match="the history begins on 2"):
        clocks.check(audience, began)


# --- Every table is one of that moment


@uncommitted
def test_no_file_reads_a_table_of_now():
    # of the past they read when it began, which does not change
    mine = {table._meta.db_table for kind in clocks.kinds() for table in (kind, history_of(kind))}
    for audience in Audience:
        for table in export.tables_for(audience):
            read = set(re.findall(r'(?:FROM|JOIN) "?(\w+)"?', export.statement(table, audience)))
            tables = {name for name in read if name.startswith(("tracker_", "releases_"))}
            assert tables
            assert tables <= mine, table.name


# --- What was withdrawn leaves nothing else in its place


@uncommitted
def test_a_part_that_was_elsewhere_meanwhile_is_nowhere_when_that_is_withdrawn(held, out, alice):
    """It must not stand where it was before, nor be missing there."""
    one, two = held("Anna Invented"), held("Bela Invented")
    name = add(alice, Name, person=one, text="Moving Invented", position=2)
    out(one)
    before = now(PUBLIC)
    save(name, alice, person=two)
    out(one, two)
    meanwhile = now(PUBLIC)
    save(name, alice, person=one, position=3)
    out(one, two)
    after = now(PUBLIC)
    withdraw([two], by=alice)
    key = str(name.pk)
    assert past(PUBLIC, before, "names")[key]["person_id"] == str(one.pk)
    assert key not in past(PUBLIC, meanwhile, "names")
    assert past(PUBLIC, after, "names")[key]["position"] == "3"
    assert not history_of(Name)._base_manager.using("public").filter(person=two.pk).exists()


@uncommitted
def test_a_part_that_belongs_to_what_is_withdrawn_was_never_anybody_elses(held, out, alice):
    one, two = held("Anna Invented"), held("Bela Invented")
    name = add(alice, Name, person=one, text="Moving Invented", position=2)
    out(one)
    before = now(PUBLIC)
    save(name, alice, person=two)
    out(one, two)
    withdraw([two], by=alice)
    assert str(name.pk) not in past(PUBLIC, before, "names")
    assert str(name.pk) not in past(PUBLIC, now(PUBLIC), "names")


@uncommitted
def test_names_that_were_taken_away_are_withheld_with_the_others(held, out, alice):
    person = held("Anna Invented", label="a baker")
    extra = add(alice, Name, person=person, text="Nickname Invented", position=2)
    out(person)
    before = now(PUBLIC)
    with by(alice):
        extra.delete()
    out(person)
    save(person, alice, consent="name_withheld")
    row = past(PUBLIC, before, "persons")[str(person.pk)]
    assert (row["name"], row["label"]) == ("", "")
    assert past(PUBLIC, before, "names") == {}
    assert not history_of(Name)._base_manager.using("public").exists()
    # nobody withheld the detention
    assert len(past(PUBLIC, before, "detentions")) == 1


@uncommitted
def test_a_label_that_was_taken_away_is_withheld_with_the_name(held, out, alice):
    person = held(None, label="wife of the Invented Envoy")
    before = now(PUBLIC)
    save(person, alice, label="")
    out(person)
    assert past(PUBLIC, before, "persons")[str(person.pk)]["label"] == "wife of the Invented Envoy"
    save(person, alice, consent="name_withheld")
    assert past(PUBLIC, before, "persons")[str(person.pk)]["label"] == ""
    assert not history_of(Person)._base_manager.using("public").exclude(label="").exists()


@uncommitted
@pytest.mark.parametrize("merged_first", [True, False])
def test_whoever_wants_the_name_withheld_wants_it_of_whom_they_turned_out_to_be(merged_first, held, out, alice, bob):
    """Readers are shown the two apart, and what was said of the other one before."""
    kept, other = held("Anna Invented"), held("Bela Invented", label="wife of the Invented Envoy")
    save(other.detentions.get(), alice, started=parse("2018"), ended=parse("2019"))
    nickname = add(alice, Name, person=other, text="Nickname Invented", position=2)
    out(other, *other.detentions.all())
    before = now(PUBLIC)
    with by(alice):
        nickname.delete()
    out(other)
    if merged_first:
        merge(kept, other, by=bob, why="the same invented person")
        save(kept, alice, consent="name_withheld")
    else:
        save(kept, alice, consent="name_withheld")
        merge(kept, other, by=bob, why="the same invented person")
    assert past(PUBLIC, before, "persons")[str(other.pk)]["label"] == ""
    assert past(PUBLIC, before, "names") == {}
    assert Person.objects.using("public").get(pk=other.pk).label == ""
    assert not history_of(Name)._base_manager.using("public").exists()


def shown_of(person, client, settings):
    settings.PUBLIC_SITE = True
    return client.get(reverse("person_history", args=[person.pid])).content.decode()


@uncommitted
@pytest.mark.parametrize("hides", ["the name", "all names"])
def test_what_was_said_of_a_name_leaves_the_past_with_it(hides, held, out, alice, source, client, settings):
    """Also what was not said of it any more when it was hidden."""
    person = held("Anna Invented")
    name = person.names.get()
    said = add(alice, PersonCitation, person=person, name=name, source=source, stated="Anna the Invented")
    out(person)
    with by(alice):
        said.delete()
    out(person)
    assert "Anna the Invented" in shown_of(person, client, settings)
    if hides == "the name":
        save(name, alice, disclosure="staff")
    else:
        save(person, alice, consent="name_withheld")
    assert "Anna the Invented" not in shown_of(person, client, settings)
    # what was said of the person stands
    assert history_of(PersonCitation)._base_manager.using("public").exists()


@uncommitted
@pytest.mark.parametrize("disclosure", ["staff", "sealed"])
def test_what_a_source_once_said_leaves_the_past_with_it(disclosure, held, out, alice, client, settings):
    person = held()
    report = add(alice, Source, title="Another invented report", kind="news")
    about = {"person": person, "about": "home_town", "stated": "told by an invented neighbour"}
    said = add(alice, PersonCitation, source=report, **about)
    out(person)
    with by(alice):
        said.delete()
    out(person)
    assert "invented neighbour" in shown_of(person, client, settings)
    save(report, alice, disclosure=disclosure)
    assert "invented neighbour" not in shown_of(person, client, settings)
    assert not history_of(PersonCitation)._base_manager.using("public").filter(source=report.pk).exists()


@uncommitted
def test_what_a_detention_said_while_it_was_somebody_elses_leaves_with_them(held, out, alice, client, settings):
    one, two = held("Anna Invented"), held("Bela Invented")
    detention = one.detentions.get()
    save(detention, alice, started=parse("2018"), ended=parse("2019"), allegation="what Anna is said to have done")
    out(detention)
    save(detention, alice, person=two, allegation="")
    out(one, two, detention)
    moved = now(PUBLIC)
    assert "Anna is said" in shown_of(two, client, settings)
    save(one, alice, disclosure="sealed")
    assert "Anna is said" not in shown_of(two, client, settings)
    row = past(RESEARCHER, moved, "detentions")[str(detention.pk)]
    # not even since when it was there
    events = history_of(Detention)._base_manager.using("researcher").filter(pgh_obj_id=detention.pk)
    assert (row["person_id"], events.filter(person=one.pk).exists()) == (str(two.pk), False)


@uncommitted
def test_a_link_to_what_is_withdrawn_is_blank_and_nothing_is_said_of_it(held, enter, out, alice, source):
    """The version with the link is not gone: the one before it would come to stand in its place."""
    person = held()
    detention = person.detentions.get()
    release = out(enter(Release, person=person, departure="stayed"))
    unlinked = now(PUBLIC)
    save(release, alice, detention=detention, departure="expelled")
    cited = add(alice, ReleaseCitation, release=release, source=source, about="detention", stated="from the colony")
    out(release)
    before = now(PUBLIC)
    with by(alice):
        cited.delete()
    save(release, alice, departure="unknown")
    out(release)
    withdraw([detention], by=alice)
    key = str(release.pk)
    assert past(PUBLIC, unlinked, "releases")[key]["departure"] == "stayed"
    row = past(PUBLIC, before, "releases")[key]
    assert (row["detention_id"], row["departure"]) == ("", "expelled")
    assert str(cited.pk) not in past(PUBLIC, before, "citations")
    assert past(PUBLIC, now(PUBLIC), "releases")[key]["departure"] == "unknown"
    assert not history_of(Release)._base_manager.using("public").filter(detention=detention.pk).exists()
    assert not history_of(ReleaseCitation)._base_manager.using("public").filter(about="detention").exists()


@uncommitted
def test_what_somebody_elses_past_needs_stays_in_the_past(held, enter, out, alice):
    colony = add(alice, Facility, name="Invented Colony")
    person = held()
    detention = person.detentions.get()
    placement = add(alice, Placement, detention=detention, facility=colony, custody_type="colony")
    out(detention)
    made, before = files(PUBLIC), now(PUBLIC)
    save(placement, alice, facility=None)
    out(detention)
    assert not Facility.objects.using("public").exists()
    with known_at(PUBLIC, before):
        assert files(PUBLIC) == made
    withdraw([detention], by=alice)
    assert past(PUBLIC, before, "facilities") == {}
    assert not history_of(Facility)._base_manager.using("public").exists()


@uncommitted
def test_what_was_needed_once_and_is_closed_since_is_gone(held, out, alice):
    colony = add(alice, Facility, name="Invented Colony")
    detention = held().detentions.get()
    placement = add(alice, Placement, detention=detention, facility=colony, custody_type="colony")
    out(detention)
    before = now(PUBLIC)
    save(placement, alice, facility=None)
    out(detention)
    save(colony, alice, disclosure="staff")
    assert past(PUBLIC, before, "facilities") == {}
    assert past(PUBLIC, before, "placements")[str(placement.pk)]["facility_id"] == ""
    assert not history_of(Facility)._base_manager.using("public").exists()


@uncommitted
def test_that_something_is_held_is_not_told_of_a_source_that_is_sealed(held, out, alice):
    letter = add(alice, Source, title="A letter", kind="letter")
    person = held()
    add(alice, PersonCitation, person=person, source=letter, about="sex", stated="secret")
    out(person)
    before = now(PUBLIC)
    held_then = [row for row in past(PUBLIC, before, "citations").values() if row["about"] == "sex"]
    assert [row["source_id"] for row in held_then] == [str(publication.HELD)]
    save(letter, alice, disclosure="sealed")
    assert [row for row in past(PUBLIC, before, "citations").values() if row["about"] == "sex"] == []
    assert str(publication.HELD) not in past(PUBLIC, before, "sources")


# --- Staff: what is sealed, then or now


@uncommitted
def test_staff_see_nothing_of_what_is_sealed_now(held, alice):
    person, other = held("Anna Invented"), held("Bela Invented")
    made, before = files(STAFF), now(STAFF)
    with known_at(STAFF, before):
        assert files(STAFF) == made
    save(person, alice, disclosure="sealed")
    again = past(STAFF, before, "persons")
    assert list(again) == [str(other.pk)]
    with known_at(STAFF, before):
        everything = b"".join(files(STAFF).values()).decode()
    assert str(person.pk) not in everything
    assert "Anna" not in everything


@uncommitted
def test_staff_see_nothing_that_lies_below_what_is_sealed_now(held, alice):
    person, secret = held("Anna Invented"), held("Bela Invented")
    detention = person.detentions.get()
    save(detention, alice, started=parse("2015"), ended=parse("2016"))
    before = now(STAFF)
    save(detention, alice, person=secret)
    save(secret, alice, disclosure="sealed")
    assert str(detention.pk) not in past(STAFF, before, "detentions")
    # then it was below somebody who is open; the name never was anywhere else
    assert [row["text"] for row in past(STAFF, before, "names").values()] == ["Anna Invented"]


@uncommitted
def test_staff_see_nothing_of_what_was_sealed_when_it_was_deleted(alice):
    person = add(alice, Person, label="a secret")
    detention = add(alice, Detention, person=person, allegation="a secret as well")
    source = add(alice, Source, title="A letter")
    cited = add(alice, PersonCitation, person=add(alice, Person, label="open"), source=source)
    before = now(STAFF)
    assert len(past(STAFF, before, "persons")) == 1
    save(person, alice, disclosure="sealed")
    save(source, alice, disclosure="sealed")
    with by(alice):
        detention.delete()
        person.delete()
        cited.delete()
        source.delete()
    for table in ("persons", "detentions", "citations", "sources"):
        assert past(STAFF, before, table) == {}, table
    add(alice, Person, label="something else")


@uncommitted
def test_staff_see_what_is_open_now_only_from_when_it_was(held, alice):
    person = held("Anna Invented")
    save(person, alice, disclosure="sealed")
    sealed = now(STAFF)
    save(person, alice, disclosure="staff")
    assert past(STAFF, sealed, "persons") == {}
    assert past(STAFF, sealed, "names") == {}
    assert len(past(STAFF, now(STAFF), "persons")) == 1


# --- One moment


def everything(audience, **options):
    with clocks.standing(audience, **options) as moment:
        return moment, files(audience)


@contextmanager
def elsewhere():
    """Runs a function in a thread with connections of its own."""
    pool = ThreadPoolExecutor()

    def run(function, *args, **options):
        def inside():
            try:
                return function(*args, **options)
            finally:
                connections.close_all()

        return pool.submit(inside)

    yield run
    pool.shutdown()


@committed
@pytest.mark.parametrize("audience", list(Audience))
def test_the_moment_of_an_export_makes_it_again(audience, held, alice, out):
    person = held("Anna Invented")
    moment, made = everything(audience)
    save(person, alice, summary="Changed")
    out(person)
    again, files_again = everything(audience, at=moment)
    assert again == moment
    assert files_again == made
    assert everything(audience)[1] != made
    with connections[clocks.database(audience)].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname = 'tracker_person'")
        assert cursor.fetchone() == (1,), "nothing temporary is left"


@committed
@pytest.mark.parametrize("audience", list(Audience))
def test_nothing_can_be_written_and_nobody_waits(audience, held):
    using = clocks.database(audience)
    person = held("Anna Invented")

    def edit():
        with transaction.atomic(using=using):
            if using != "default":
                publication.writing.one_at_a_time(using)
            Person.objects.using(using).filter(pk=person.pk).update(summary="Changed")

    with clocks.standing(audience), elsewhere() as run:
        run(edit).result(10)
        assert Person.objects.using(using).get(pk=person.pk).summary == ""
        with pytest.raises(Exception, match="read-only transaction"):
            Person.objects.using(using).create()
    assert Person.objects.using(using).get(pk=person.pk).summary == "Changed"
    moment = now(audience)
    with clocks.standing(audience, moment), elsewhere() as run:
        run(edit).result(10)


@committed
@pytest.mark.parametrize("audience", list(Audience))
def test_what_is_being_written_at_that_moment_is_waited_for(audience, held):
    using = clocks.database(audience)
    person = held("Anna Invented")
    written, go_on = threading.Event(), threading.Event()

    def edit():
        with transaction.atomic(using=using):
            if using != "default":
                publication.writing.one_at_a_time(using)
            Person.objects.using(using).filter(pk=person.pk).update(summary="Changed")
            written.set()
            assert go_on.wait(20)

    with elsewhere() as run:
        editing = run(edit)
        assert written.wait(20)
        exporting = run(everything, audience)
        with pytest.raises(TimeoutError):
            exporting.result(1)
        go_on.set()
        editing.result(20)
        moment, made = exporting.result(20)
    assert b"Changed" in made["persons"]
    assert everything(audience, at=moment)[1] == made


@committed
def test_waiting_has_an_end(monkeypatch):
    monkeypatch.setattr(clocks, "PATIENCE", 0.2)
    written, go_on = threading.Event(), threading.Event()

    def edit():
        with transaction.atomic():
            Person.objects.create(label="x")
            written.set()
            assert go_on.wait(20)

    with elsewhere() as run:
        editing = run(edit)
        assert written.wait(20)
        with pytest.raises(Refused, match="Something is being saved that takes long"), clocks.standing(STAFF):
            pass
        go_on.set()
        editing.result(20)
    with clocks.standing(STAFF):
        assert Person.objects.count() == 1


@committed
def test_a_publication_is_known_as_a_whole_or_not_at_all(enter, out, held, alice):
    held("Anna Invented")
    _moment, before = everything(PUBLIC)
    other = enter(Person, label="another")
    out(other, enter(Detention, person=other, started=parse("2022")))
    moment, after = everything(PUBLIC)
    history = history_of(Detention)._base_manager.using("public")
    newest = history.order_by("-pgh_id").first()
    for half in (
        history_of(Person)._base_manager.using("public").get(pgh_obj_id=other.pk).pgh_created_at,
        newest.pgh_created_at - timedelta(microseconds=1),
    ):
        assert everything(PUBLIC, at=half)[1] == before
    assert everything(PUBLIC, at=moment)[1] == after


# --- The command and the address


def command(directory, audience="public", **options):
    call_command("export", to=directory, audience=audience, **options)
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@committed
def test_the_command_says_its_moment_and_takes_it(tmp_path, capsys, held, alice, out):
    person = held("Anna Invented")
    made = command(tmp_path / "then")
    (moment,) = re.findall(r"^as of (\S+Z)$", capsys.readouterr().err, re.M)
    save(person, alice, summary="Changed")
    out(person)
    assert command(tmp_path / "now") != made
    assert command(tmp_path / "again", known_at=moment) == made
    assert f"as of {moment}" in capsys.readouterr().err
    only = command(tmp_path / "one", known_at=moment, table=["persons"])
    assert only["persons.csv"] == made["persons.csv"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"known_at": "yesterday"}, "“yesterday” is no moment."),
        ({"on": "2025-02-30"}, "“2025-02-30” is no day."),
        ({"on": "1812-06-24"}, "“1812-06-24” is no day."),
    ],
)
def test_the_command_refuses_nonsense(tmp_path, options, sentence):
    with pytest.raises(CommandError) as refusal:
        command(tmp_path / "new", **options)
    assert str(refusal.value).startswith(sentence)
    assert not (tmp_path / "new").exists()


@committed
def test_the_command_refuses_what_has_not_come(tmp_path, held):
    held()
    with pytest.raises(CommandError, match="is not over yet"):
        command(tmp_path, known_at="2099-01-01")
    assert list(tmp_path.iterdir()) == []


def fetch(client, table, **parameters):
    response = client.get(reverse("table_csv", args=[table]), parameters)
    assert response.status_code == 200, response.content.decode()
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode(), newline="")))


@committed
def test_over_http_with_filters_and_former_names(client, settings, held, alice, out):
    settings.PUBLIC_SITE = True
    person = held("Anna Invented")
    held("Bela Otherwise")
    name = person.names.get()
    moment = clocks.display(now(PUBLIC))
    save(name, alice, text="Zina Exampleva")
    out(person)
    assert [row["name"] for row in fetch(client, "persons", name="Exampleva")] == ["Zina Exampleva"]
    assert fetch(client, "persons", name="Invented") == []
    assert [row["name"] for row in fetch(client, "persons", name="Invented", known_at=moment)] == ["Anna Invented"]
    assert fetch(client, "persons", name="Exampleva", known_at=moment) == []
    assert [row["name"] for row in fetch(client, "persons", name="Otherwise", known_at=moment)] == ["Bela Otherwise"]
    assert len(fetch(client, "persons", known_at=moment)) == 2
    assert len(fetch(client, "persons", known_at=moment, status="in_custody")) == 2


@committed
@pytest.mark.parametrize("table", ["detentions", "custody_spells"])
def test_what_is_asked_of_today_is_asked_of_the_day_of_that_moment(
    table, client, settings, held, alice, out, monkeypatch
):
    settings.PUBLIC_SITE = True
    detention = held("Anna Invented").detentions.get()
    save(detention, alice, ended=parse("2090"))
    out(detention)
    asked = {"known_at": clocks.display(now(PUBLIC)), "certain": "yes"}
    made = fetch(client, table, **asked)
    assert len(made) == 1
    monkeypatch.setattr("django.utils.timezone.localdate", lambda: date(2099, 1, 1))
    assert fetch(client, table, **asked) == made


@committed
@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("yesterday", "“yesterday” is no moment."),
        ("2099-01-01", "is not over yet"),
        ("2001-01-01", "the history begins"),
    ],
)
def test_an_address_that_makes_no_sense_is_refused(client, settings, held, value, sentence):
    settings.PUBLIC_SITE = True
    held()
    response = client.get(reverse("table_csv", args=["persons"]), {"known_at": value})
    assert response.status_code == 400
    assert sentence in response.content.decode()


@committed
def test_a_download_that_is_broken_off_ends_its_transaction(client, settings, held):
    settings.PUBLIC_SITE = True
    held("Anna Invented")
    moment = clocks.display(now(PUBLIC))
    response = client.get(reverse("table_csv", args=["persons"]), {"known_at": moment})
    blocks = iter(response.streaming_content)
    next(blocks)
    assert connections["public"].in_atomic_block
    response.close()
    assert not connections["public"].in_atomic_block
    assert len(fetch(client, "persons")) == 1


def test_a_moment_is_given_to_the_microsecond():
    assert clocks.display(datetime(2025, 12, 13, tzinfo=UTC)) == "2025-12-13T00:00:00.000000Z"
