"""Fixture files: loaded whole or not at all, and never over what an editor did."""

import pghistory
import pytest
from django.core.management import CommandError, call_command

from releases import loading
from releases.loading import LoadError, fixture_id, load_demo, load_events, load_reference
from releases.models import Leg, Release, ReleaseEvent, ReportedFigure
from tracker.demo import DEMO_LOGINS
from tracker.models import Facility, Name, Person, Provision, Relationship, Source
from tracker.publication import verify, withdraw
from tracker.versions import history_of
from tracker.vocabularies import ReviewState

ALL = ["default", "researcher", "public"]
MODELS = [Facility, Provision, Source, Person, Name, Relationship, ReleaseEvent, ReportedFigure, Release, Leg]


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("_toml", ".toml").replace("_csv", ".csv")
        path.write_text(text, encoding="utf-8")
    return folder


def everything(using="default"):
    """What is in the tables, as text."""
    return {model: sorted(map(str, model.objects.using(using).values_list())) for model in MODELS}


# Reference data


@pytest.mark.django_db
def test_reference_data_is_all_there():
    load_reference()
    assert set(Provision.objects.values_list("country", "verified")) == {("BY", False)}
    assert Provision.objects.get(article="361-1").title == "Extremist formation"
    assert Provision.objects.count() == 59
    assert {str(row) for row in Facility.objects.filter(name="IK-1")} == {"IK-1, Navapolatsk", "IK-1, Minsk"}
    assert Facility.objects.filter(number="1", kind="sizo").count() == 2
    assert str(Facility.objects.get(name="IK-1", locality="Minsk").closed) == "2007"


@pytest.mark.django_db
def test_a_second_load_of_reference_data_changes_nothing():
    load_reference()
    Facility.objects.filter(name="IK-4").update(locality="Gomel")
    Provision.objects.get(article="14").delete()
    before = everything()
    again = load_reference()
    assert (again.added, everything()) == (0, before)


@pytest.mark.django_db
def test_an_article_that_an_editor_had_entered_is_left_to_the_editor():
    mine = Provision.objects.create(article="342", title="Mine")
    load_reference()
    assert Provision.objects.get(article="342") == mine


PROVISIONS = "key,law,country,article,title,verified\n"
FACILITIES = "key,kind,name,number,locality,country,opened,closed,note\n"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("x,colony,IK-99,99,Nowhere,BY,2025-13,,", "row 3, column opened, “2025-13”: 2025-13 is not a date"),
        ("x,kolony,IK-99,99,Nowhere,BY,,,", "row 3, column kind, “kolony”"),
        ("x,colony,IK-99,99,Nowhere,Belarus,,,", "row 3, column country, “Belarus”"),
        ("x,colony,,99,Nowhere,BY,,,", "row 3, column name, “”: This field cannot be blank."),
        (",colony,IK-99,99,Nowhere,BY,,,", "row 3, column key: it is empty"),
        ("good,colony,IK-99,99,Nowhere,BY,,,", "row 3: the key facility.good is used twice"),
        ("x,colony,IK-99", "row 3 has 3 cells, the header 9"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_loaded(tmp_path, row, sentence):
    good = "good,colony,IK-98,98,Nowhere,BY,,,\n"
    folder = write(tmp_path, provisions_csv=PROVISIONS, facilities_csv=FACILITIES + good + row + "\n")
    with pytest.raises(LoadError) as error:
        load_reference(folder)
    assert [problem for problem in error.value.problems if f"facilities.csv, {sentence}" in problem]
    assert not Facility.objects.exists()


@pytest.mark.django_db
def test_every_bad_row_is_named_at_once(tmp_path):
    bad = "x,nowhere,BY,1,,perhaps\n"
    folder = write(tmp_path, provisions_csv=PROVISIONS + bad, facilities_csv=FACILITIES + "y,colony,IK-1,1,,Q,,,\n")
    with pytest.raises(LoadError) as error:
        load_reference(folder)
    columns = [problem.split("column ")[1].split(",")[0] for problem in error.value.problems]
    assert sorted(columns) == ["country", "law", "verified"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("kind,name", "row 1: there is no column “key”"),
        ("key,name,colour\nx,IK-99,red", "column colour, “red”: There is no such column"),
    ],
)
def test_a_bad_header_is_named(tmp_path, header, sentence):
    folder = write(tmp_path, provisions_csv=PROVISIONS, facilities_csv=header)
    with pytest.raises(LoadError, match=sentence):
        load_reference(folder)


@pytest.mark.django_db
def test_the_command_names_the_row_and_fails(tmp_path, capsys):
    write(tmp_path, provisions_csv=PROVISIONS, facilities_csv=FACILITIES + "x,colony,IK-99,99,Nowhere,BY,2025-13,,\n")
    with pytest.raises(CommandError, match=r"facilities\.csv, row 2, column opened, “2025-13”") as error:
        call_command("load_reference", str(tmp_path))
    assert error.value.returncode == 1
    with pytest.raises(CommandError, match=r"provisions\.csv"):
        call_command("load_reference", str(tmp_path / "nowhere"))
    call_command("load_reference")
    assert capsys.readouterr().out == "91 records added, 0 left as they are.\n"


# Events


@pytest.mark.django_db
def test_events_are_loaded_as_drafts_that_one_account_entered(alice):
    loaded = load_events(by=alice)
    events = ReleaseEvent.objects.all()
    assert {event.review_state for event in events} == {ReviewState.DRAFT}
    contexts = history_of(ReleaseEvent).objects.values_list("pgh_context__user", flat=True)
    assert set(contexts) == {str(alice.pk)}
    assert loaded.kept == 0


@pytest.mark.django_db
def test_a_second_load_adds_nothing_and_leaves_what_editors_did(alice, bob):
    load_events(by=alice)
    with pghistory.context(user=str(bob.pk)):
        event = ReleaseEvent.objects.get(pk=fixture_id("event.november"))
        event.title = "Changed by an editor"
        event.save()
        event.citations.get(pk=fixture_id("event.november.citations.unnamed_ghana")).delete()
        Name.objects.get(text="Viktor Babariko").delete()
        Release.objects.get(pk=fixture_id("release.zolotova")).delete()
    before = everything()
    again = load_events(by=alice)
    assert (again.added, everything()) == (0, before)


@pytest.mark.django_db
def test_ids_and_short_identifiers_are_the_same_everywhere(alice):
    load_events(by=alice)
    assert str(fixture_id("person.zolotova")) == "186f3bcc-3790-59ed-8a81-03837818bc6d"
    assert Person.objects.get(pk=fixture_id("person.zolotova")).pid == "c5qye-07m37"


EVENT = """
[source.report]
title = "An invented report"
[event.one]
title = "An invented event"
[event.one.participations.envoy]
role = "mediator"
name = "Invented Envoy"
[event.one.citations.said]
source = "report"
participation = "envoy"
[figure.all]
event = "one"
source = "report"
subject = "released"
number = 12
"""


@pytest.mark.django_db
def test_keys_are_resolved_in_both_directions(alice, tmp_path):
    """A row may refer to one that comes later, in another file too."""
    part = (
        '[figure.part]\nevent="one"\nsource="report"\nsubject="released"\npart_of="all"\nqualifier="about"\nnumber=10\n'
    )
    load_events(write(tmp_path, a_toml=part, b_toml=EVENT), by=alice)
    figure = ReportedFigure.objects.get(pk=fixture_id("figure.part"))
    assert (figure.part_of.low, figure.low, figure.high) == (12, 5, 14)
    citation = figure.event.citations.get()
    assert (citation.participation.name, citation.source.title) == ("Invented Envoy", "An invented report")


@pytest.mark.django_db
def test_names_and_legs_stand_in_the_order_of_the_file(alice):
    load_events(by=alice)
    person = Person.objects.get(pk=fixture_id("person.kalesnikava"))
    assert [(name.position, name.text) for name in person.names.all()] == [
        (1, "Maria Kalesnikava"),
        (2, "Maria Kolesnikova"),
        (3, "Maria Aleksandrova"),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('source = "report"\nparticipation', 'source = "rumour"\nparticipation',
         "a.toml, event.one.citations.said, column source, “rumour”: There is no source.rumour."),
        ('participation = "envoy"', 'participation = "nobody"',
         "a.toml, event.one.citations.said, column participation, “nobody”:"
         " There is no event.one.participations.nobody."),
        ('source = "report"\nparticipation', "participation",
         "a.toml, event.one.citations.said, column source, “”: This cannot be left empty."),
        ('role = "mediator"', 'role = "middleman"',
         "a.toml, event.one.participations.envoy, column role, “middleman”: Value 'middleman' is not a valid choice."
         " Allowed are: requester, mediator"),
        ('title = "An invented event"', 'title = "An invented event"\nhappened = "2025-13-40"',
         "a.toml, event.one, column happened, “2025-13-40”: 2025-13-40 is not a date"),
        ('title = "An invented event"', 'title = "An invented event"\nweather = "fine"',
         "a.toml, event.one, column weather, “fine”: There is no such column."),
        ('title = "An invented event"', 'title = ["An invented event"]',
         "a.toml, event.one, column title, “['An invented event']”: This column takes another kind of value."),
        ('title = "An invented event"', 'title = "An invented event"\nlegal_bases = ["whim"]',
         "a.toml, event.one, column legal_bases, “['whim']”: whim: no such code."),
        ('title = "An invented event"', 'title = "An invented event"\nid = "1"',
         "a.toml, event.one, column id, “1”: There is no such column."),
        ('title = "An invented event"', "", "a.toml, event.one, column title, “”: This field cannot be blank."),
        ('title = "An invented event"', 'title = "An invented event"\nconcessions = "none"',
         "a.toml, event.one.concessions: 'none' stands where a table should."),
        ('participation = "envoy"', 'participation = "envoy"\nabout = "weather"',
         "a.toml, event.one.citations.said, column about, “weather”: participation has no field “weather”."),
        ("number = 12", 'number = "twelve"', "a.toml, figure.all, column number, “twelve”: A whole number is needed."),
        ("number = 12", "number = 12\nhigh = 13", "a.toml, figure.all, column high, “13”: People are given as “number”"),
        ("number = 12", 'number = 12\nmeasure = "age_in_years"',
         "a.toml, figure.all, column number, “12”: People are given as “number”, ages and terms as “low” and “high”."),
        ("number = 12", "number = 12\norigin = 5",
         "a.toml, figure.all, column origin, “5”: The key of another row is needed."),
        ("number = 12", "", "a.toml, figure.all, column number, “”: exactly needs a number"),
        ("number = 12", 'number = 12\npart_of = "all"', "a.toml, figure.all, part_of: A figure cannot be part of itself"),
        ("number = 12", "number = 12\nas_of = 2025-01-01\nperiod = 2025-01-01",
         "a.toml, figure.all, period: A figure is counted on a day or over a period, not both."),
        ("[event.one]", "[tale.one]\n[event.one]", "a.toml: there is no table “tale”. There are: provision"),
        ("[event.one]", "[event.one", "a.toml: Expected"),
    ],
)  # fmt: skip
def test_what_a_file_gets_wrong_is_said_in_a_sentence(alice, tmp_path, old, new, sentence):
    assert EVENT.count(old) == 1
    with pytest.raises(LoadError) as error:
        load_events(write(tmp_path, a_toml=EVENT.replace(old, new)), by=alice)
    assert [problem for problem in error.value.problems if problem.startswith(sentence)], error.value.problems
    assert not ReleaseEvent.objects.exists()
    assert not Source.objects.exists()


@pytest.mark.django_db
def test_what_only_the_whole_can_show_is_refused_too(alice, tmp_path):
    """A figure of another event, which the database asks for at the end."""
    other = '[event.two]\ntitle="Another"\n[figure.part]\nevent="two"\nsource="report"\nsubject="released"\nnumber=1\npart_of="all"\n'
    with pytest.raises(LoadError, match="part of another of the same event"):
        load_events(write(tmp_path, a_toml=EVENT, b_toml=other), by=alice)
    assert not ReleaseEvent.objects.exists()


@pytest.mark.django_db
def test_a_key_in_two_files_and_a_folder_without_any_are_said(alice, tmp_path):
    with pytest.raises(LoadError, match="holds no TOML file"):
        load_events(tmp_path, by=alice)
    with pytest.raises(LoadError, match=r"b\.toml, event\.one: the key event\.one is used twice"):
        load_events(write(tmp_path, a_toml=EVENT, b_toml='[event.one]\ntitle = "Again"\n'), by=alice)


@pytest.mark.django_db
def test_a_confidential_source_is_for_staff_unless_the_file_says_otherwise(alice, tmp_path):
    load_events(write(tmp_path, a_toml='[source.letter]\ntitle = "A letter"\nkind = "letter"\n'), by=alice)
    assert Source.objects.get().disclosure == "staff"


# The demo


@pytest.mark.django_db(databases=ALL)
def test_the_demo_is_published_by_a_second_person(alice, bob):
    load_demo(editor=alice, reviewer=bob)
    for record in loading.records_of():
        assert (record.review_state, record.submitted_by, record.reviewed_by) == (ReviewState.PUBLISHED, alice, bob)
    assert list(map(str, verify())) == []


@pytest.mark.django_db(databases=ALL)
def test_the_copies_hold_no_relative_and_no_health(alice, bob):
    load_demo(editor=alice, reviewer=bob)
    for copy in ("researcher", "public"):
        assert Release.objects.using(copy).count() == 7
        assert not Relationship.objects.using(copy).exists()
        assert not Person.objects.using(copy).filter(label__contains="son of").exists()
        person = Person.objects.using(copy).get(pk=fixture_id("person.bialiatski"))
        assert not [claim for claim in person.citations.all() if "health" in claim.stated]
    young = Person.objects.using("public").get(pk=fixture_id("person.youngest_ukrainian"))
    assert str(young.born) == "1999/2000"


@pytest.mark.django_db(databases=ALL)
def test_a_second_demo_changes_nothing_and_publishes_nothing_of_an_editor(alice, bob):
    load_demo(editor=alice, reviewer=bob)
    with pghistory.context(user=str(alice.pk)):
        withdraw([Release.objects.get(pk=fixture_id("release.zolotova"))], by=alice)
        event = ReleaseEvent.objects.get(pk=fixture_id("event.november"))
        event.title = "Changed by an editor"
        event.save()
    before = [everything(using) for using in ALL]
    again = load_demo(editor=alice, reviewer=bob)
    assert (again.added, [everything(using) for using in ALL]) == (0, before)


@pytest.mark.django_db(databases=ALL)
def test_an_interrupted_demo_is_finished_by_the_next(alice, bob, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loading, "publish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load_demo(editor=alice, reviewer=bob)
    load_demo(editor=alice, reviewer=bob)
    assert {record.review_state for record in loading.records_of()} == {ReviewState.PUBLISHED}


@pytest.mark.django_db(databases=ALL)
def test_the_demo_command_makes_accounts_and_is_refused_without_debug(settings, capsys):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("load_demo")
    assert not ReleaseEvent.objects.exists()
    settings.DEBUG = True
    call_command("load_demo")
    assert capsys.readouterr().out == "70 records added, 0 left as they are.\n"
    assert ReleaseEvent.objects.using("public").count() == 3
    assert len(DEMO_LOGINS) == 3
