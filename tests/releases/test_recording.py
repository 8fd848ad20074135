"""What was decided about a list becomes records: all or nothing, once, and one more source where they are there."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from releases import intake, recording
from releases.models import Leg, ListLine, Release, ReleaseCitation, ReleaseEvent, ReleaseEventCitation
from tests.conftest import ALL_DATABASES
from tests.releases.sittings import DAY, a_sitting, decide, held, line, take_all
from tests.rows import make
from tracker import acts, undoing
from tracker.models import Detention, DetentionCitation, Name, Person, PersonCitation
from tracker.review import Refused

pytestmark = pytest.mark.django_db


def record(sitting, by):
    return recording.record(sitting, by=by, version=recording.plan(sitting, by=by).version)


def everything():
    kinds = (
        Person,
        Name,
        PersonCitation,
        Detention,
        DetentionCitation,
        Release,
        Leg,
        ReleaseCitation,
        ReleaseEventCitation,
    )
    return {kind.__name__: kind.objects.count() for kind in kinds}


# --- What a line becomes


def test_somebody_known_is_released_and_the_detention_closed(alice):
    person = held("Mikalai Testau")
    sitting = a_sitting(alice, "Николай Тестов", legal_bases=["pardon"], onward_countries=["LT", "PL"])
    take_all(sitting, by=alice)
    record(sitting, alice)
    release = Release.objects.get()
    assert (release.person, release.event, release.released_on.edtf) == (person, sitting.event, DAY)
    assert (release.outcome, release.legal_bases) == ("confirmed", ["pardon"])
    assert release.detention == person.detentions.get()
    assert (release.detention.ended.edtf, release.detention.end_reason) == (DAY, "released")
    legs = list(release.legs.values_list("kind", "countries", "status", "position"))
    assert legs == [("handover", ["UA"], "completed", 1), ("onward", ["LT", "PL"], "planned", 2)]
    assert line(sitting, 1).release == release


def test_every_fact_says_who_says_so(alice):
    held("Mikalai Testau")
    sitting = a_sitting(alice, "Николай Тестов", legal_bases=["pardon"], locator="page 2, no. {n}")
    take_all(sitting, by=alice)
    record(sitting, alice)
    said = ReleaseCitation.objects.values_list("about", "value", "source", "locator", "standing")
    assert {(about, value) for about, value, *_rest in said} == {
        ("", ""), ("released_on", DAY), ("outcome", "confirmed"), ("legal_bases", "pardon"),
    }  # fmt: skip
    assert {rest for _about, _value, *rest_ in said for rest in [tuple(rest_)]} == {
        (sitting.source_id, "page 2, no. 1", "accepted")
    }
    assert ReleaseCitation.objects.filter(leg__isnull=False).count() == 1
    assert ReleaseEventCitation.objects.get().source == sitting.source
    name = Name.objects.get(text="Николай Тестов")
    assert PersonCitation.objects.get().name == name
    assert DetentionCitation.objects.get().about == "ended"


def test_the_spelling_as_printed_is_kept_last_and_once(alice):
    person = held("Mikalai Testau", "Николай Тестов")
    sitting = a_sitting(alice, "Мікалай Тэстаў")
    take_all(sitting, by=alice)
    record(sitting, alice)
    names = list(person.names.values_list("text", "kind", "language", "script", "position"))
    assert names[2] == ("Мікалай Тэстаў", "media", "be", "Cyrl", 3)
    again = a_sitting(alice, "Николай Тестов", event=sitting.event)
    take_all(again, by=alice)
    record(again, alice)
    assert person.names.count() == 3
    assert {citation.source for citation in PersonCitation.objects.filter(name__text="Николай Тестов")} == {
        again.source
    }


def test_a_spelling_that_is_no_rendering_is_kept_as_erroneous(alice):
    person = held("Mikalai Testau")
    sitting = a_sitting(alice, "Mikalai Festov")
    decide(sitting, 1, "person", person, by=alice)
    record(sitting, alice)
    assert person.names.get(text="Mikalai Festov").kind == "erroneous"


def test_somebody_new_is_recorded_with_a_detention_without_a_day_of_arrest(alice):
    sitting = a_sitting(alice, "Anna Exampleva", citizenships=["UA"])
    ListLine.objects.update(age=45, sex="female", sentence="5 years", note="from Invented Town")
    decide(sitting, 1, "new", by=alice)
    record(sitting, alice)
    person = Person.objects.get()
    assert (person.name, person.identification, person.sex) == ("Anna Exampleva", "identified", "female")
    assert (person.citizenships, person.born.edtf) == (["UA"], "1979-12-14/1980-12-13")
    detention = person.detentions.get()
    assert (detention.started, detention.ended.edtf) == (None, DAY)
    assert Release.objects.get().note == "5 years\nfrom Invented Town"
    said = set(PersonCitation.objects.values_list("about", "value", "name__text"))
    assert said == {
        ("", "", None), ("", "", "Anna Exampleva"), ("born", "1979-12-14/1980-12-13", None),
        ("sex", "female", None), ("citizenships", "UA", None),
    }  # fmt: skip


def test_somebody_unidentified_has_a_label_and_no_name(alice):
    sitting = a_sitting(alice, "")
    take_all(sitting, by=alice)
    record(sitting, alice)
    person = Person.objects.get()
    assert (person.identification, person.names.count()) == ("unidentified", 0)
    assert "line 1" in person.label
    assert PersonCitation.objects.get().quote == "unknown"


def test_what_a_line_says_goes_before_what_all_share(alice):
    sitting = a_sitting(alice, "Anna Exampleva", "Mikalai Testau", citizenships=["BY"])
    ListLine.objects.filter(number=1).update(countries=["LT"], citizenships=["UA"])
    take_all(sitting, by=alice)
    record(sitting, alice)
    told = {
        release.person.name: (release.legs.get().countries, release.person.citizenships)
        for release in Release.objects.all()
    }
    assert told == {"Anna Exampleva": (["LT"], ["UA"]), "Mikalai Testau": (["UA"], ["BY"])}


@pytest.mark.parametrize("values", [{"closes": False}, {"outcome": "announced"}], ids=str)
def test_a_detention_is_closed_only_where_the_editor_says_so_and_only_by_who_is_out(alice, values):
    person = held("Mikalai Testau")
    sitting = a_sitting(alice, "Mikalai Testau", **values)
    take_all(sitting, by=alice)
    record(sitting, alice)
    assert person.detentions.get().is_open


def test_skipped_and_undecided_lines_become_nothing(alice):
    sitting = a_sitting(alice, "Anna Exampleva", "Mikalai Testau", "Ivan Prykladau")
    decide(sitting, 1, "skip", by=alice)
    decide(sitting, 2, "later", by=alice)
    with pytest.raises(Refused, match="nothing to log"):
        record(sitting, alice)
    assert not Person.objects.exists()


# --- All or nothing, and once


def test_logging_twice_adds_nothing(alice):
    held("Mikalai Testau")
    sitting = a_sitting(alice, "Mikalai Testau", "Anna Exampleva")
    take_all(sitting, by=alice)
    plan = recording.plan(sitting, by=alice)
    recording.record(sitting, by=alice, version=plan.version)
    before = everything()
    with pytest.raises(Refused):
        recording.record(sitting, by=alice, version=plan.version)
    with pytest.raises(Refused, match="nothing to log"):
        record(sitting, alice)
    assert everything() == before


def test_the_same_list_in_another_sitting_adds_nothing(alice):
    """The same source, the same lines: somebody pasted it once more."""
    held("Mikalai Testau")
    sitting = a_sitting(alice, "Николай Тестов")
    take_all(sitting, by=alice)
    record(sitting, alice)
    before = everything()
    again = a_sitting(alice, "Николай Тестов", event=sitting.event, source=sitting.source)
    take_all(again, by=alice)
    record(again, alice)
    assert everything() == before
    assert line(again, 1).release == line(sitting, 1).release


def test_what_changed_since_it_was_looked_at_is_not_logged(alice, bob):
    sitting = a_sitting(alice, "Mikalai Testau", "Anna Exampleva")
    take_all(sitting, by=alice)
    plan = recording.plan(sitting, by=alice)
    decide(sitting, 2, "skip", by=bob)
    with pytest.raises(Refused, match="changed the list"):
        recording.record(sitting, by=alice, version=plan.version)
    assert not Person.objects.exists()


def test_one_line_that_cannot_be_logged_keeps_all_from_being_logged(alice):
    late = held("Mikalai Testau", started=None)
    make(Detention, person=late, started="2020", confirmed="2026-01-05")
    sitting = a_sitting(alice, "Anna Exampleva", "Mikalai Testau")
    decide(sitting, 1, "new", by=alice)
    decide(sitting, 2, "person", late, by=alice)
    assert [one.line.number for one in recording.plan(sitting, by=alice).problems] == [2]
    with pytest.raises(Refused, match=r"(?s)line 2: Mikalai Testau.*still held on 2026-01-05"):
        record(sitting, alice)
    assert not Release.objects.exists()
    assert Person.objects.count() == 1


def test_what_the_database_refuses_is_told_and_nothing_is_kept(alice, monkeypatch):
    """Somebody else's confirmed release ends the detention, and nobody looked: the constraint does."""
    person = held("Mikalai Testau")
    sitting = a_sitting(alice, "Anna Exampleva", "Mikalai Testau")
    take_all(sitting, by=alice)
    make(Release, person=person, detention=person.detentions.get(), outcome="confirmed", event=make(ReleaseEvent))
    monkeypatch.setattr(recording.logging, "plan", lambda *_: recording.logging.Plan(person.detentions.get()))
    with pytest.raises(Refused, match="Another confirmed release already ends this detention"):
        record(sitting, alice)
    assert Release.objects.count() == 1


def test_a_line_with_a_warning_that_nobody_took_stays(alice):
    person = held("Mikalai Testau", died="2024")
    sitting = a_sitting(alice, "Mikalai Testau", "Anna Exampleva")
    decide(sitting, 1, "person", person, by=alice)
    decide(sitting, 2, "new", by=alice)
    plan = recording.plan(sitting, by=alice)
    assert [one.line.number for one in plan.held_back] == [1]
    recording.record(sitting, by=alice, version=plan.version)
    assert [row.release_id is None for row in sitting.lines.order_by("number")] == [True, False]
    decide(sitting, 1, "person", person, by=alice, knowing=["dead"])
    assert recording.plan(sitting, by=alice).held_back == []


def test_a_person_on_two_lines_taken_knowingly_is_released_once_and_cited_twice(alice):
    person = held("Mikalai Testau")
    sitting = a_sitting(alice, "Mikalai Testau", "Николай Тестов")
    for number in (1, 2):
        decide(sitting, number, "person", person, by=alice, knowing=["twice"])
    record(sitting, alice)
    release = Release.objects.get()
    assert {row.release for row in sitting.lines.all()} == {release}
    assert set(release.citations.filter(about="", leg=None).values_list("locator", flat=True)) == {"line 1", "line 2"}
    assert person.names.count() == 2


def test_who_is_sealed_meanwhile_stays_out(alice, bob):
    person = held("Mikalai Testau")
    sitting = a_sitting(alice, "Mikalai Testau", "Anna Exampleva")
    take_all(sitting, by=alice)
    Person.objects.filter(pk=person.pk).update(disclosure="sealed")
    record(sitting, bob)
    assert [release.person.name for release in Release.objects.all()] == ["Anna Exampleva"]


# --- A second list


def test_a_second_list_adds_sources_and_spellings_and_no_release(alice):
    held("Mikalai Testau")
    first = a_sitting(alice, "Николай Тестов")
    take_all(first, by=alice)
    record(first, alice)
    release = Release.objects.get()
    second = a_sitting(alice, "Микола Тестов", "Anna Exampleva", event=first.event)
    take_all(second, by=alice)
    record(second, alice)
    assert line(second, 1).release == release
    assert {citation.source for citation in release.citations.all()} == {first.source, second.source}
    assert release.legs.count() == 1
    assert {citation.source for citation in ReleaseCitation.objects.filter(leg=release.legs.get())} == {
        first.source, second.source,
    }  # fmt: skip
    assert release.person.names.count() == 3
    rows = intake.compared([first, second], alice)
    assert [(str(row.release.person), [bool(one) for one in row.lines]) for row in rows] == [
        ("Anna Exampleva", [False, True]),
        ("Mikalai Testau", [True, True]),
    ]


def test_a_list_that_says_otherwise_stands_beside_and_changes_nothing(alice):
    person = held("Mikalai Testau")
    first = a_sitting(alice, "Mikalai Testau")
    take_all(first, by=alice)
    record(first, alice)
    second = a_sitting(alice, "Mikalai Testau", event=first.event, released_on="2025-12-14", countries=["LT"])
    decide(second, 1, "person", person, by=alice, knowing=["differs"])
    planned = recording.plan(second, by=alice).planned[0]
    assert {(citation.about, citation.value) for citation in planned.disputed} == {
        ("released_on", "2025-12-14"), ("countries", "LT"),
    }  # fmt: skip
    record(second, alice)
    release = Release.objects.get()
    assert (release.released_on.edtf, release.legs.get().countries) == (DAY, ["UA"])
    disputed = release.citations.filter(standing="unresolved").values_list("about", "value", "source")
    assert set(disputed) == {("released_on", "2025-12-14", second.source_id), ("countries", "LT", second.source_id)}


def test_a_destination_that_only_the_second_list_gives_is_added(alice):
    held("Mikalai Testau")
    first = a_sitting(alice, "Mikalai Testau", countries=[])
    take_all(first, by=alice)
    record(first, alice)
    second = a_sitting(alice, "Mikalai Testau", event=first.event)
    take_all(second, by=alice)
    record(second, alice)
    leg = Leg.objects.get()
    assert (leg.countries, {citation.source for citation in ReleaseCitation.objects.filter(leg=leg)}) == (
        ["UA"], {second.source},
    )  # fmt: skip


# --- Taken back


@pytest.mark.django_db(databases=ALL_DATABASES)
def test_a_sitting_is_taken_back_whole_and_can_be_logged_again(alice, bob):
    held("Mikalai Testau")
    sitting = a_sitting(alice, "Николай Тестов", "Anna Exampleva", "")
    take_all(sitting, by=alice)
    before = everything()
    context = record(sitting, alice)
    after = everything()
    assert acts.act_of(context).kind == "intake"
    undoing.undo(context, by=bob)
    assert everything() == before
    assert Detention.objects.get().is_open
    assert [row.release_id for row in sitting.lines.all()] == [None, None, None]
    assert [row.decision for row in sitting.lines.order_by("number")] == ["person", "new", "unidentified"]
    record(sitting, alice)
    assert everything() == after


def test_a_long_list_costs_few_statements_a_line(alice, django_assert_max_num_queries):
    names = [f"Mikalai {surname}au" for surname in ("Testy", "Proby", "Vydumk", "Fiksy", "Prykla", "Mirazh", "Uzory")]
    for name in names:
        held(name)
    sitting = a_sitting(alice, *names)
    take_all(sitting, by=alice)
    plan = recording.plan(sitting, by=alice)
    with django_assert_max_num_queries(45 + 5 * len(names)):
        recording.record(sitting, by=alice, version=plan.version)


# --- Two at once


@pytest.mark.django_db(transaction=True)
def test_two_who_log_at_once_log_once(alice, bob):
    held("Mikalai Testau")
    sitting = a_sitting(alice, "Mikalai Testau", "Anna Exampleva")
    take_all(sitting, by=alice)
    version = recording.plan(sitting, by=alice).version
    gate = threading.Barrier(2)

    def log(by):
        try:
            gate.wait(timeout=10)
            recording.record(sitting, by=by, version=version)
        except Refused as refused:
            return refused.sentences
        finally:
            connection.close()
        return []

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(log, [alice, bob]))
    assert sorted(map(len, answers)) == [0, 1]
    assert (Release.objects.count(), Person.objects.count()) == (2, 2)


@pytest.mark.django_db(databases=ALL_DATABASES)
def test_a_list_that_confirms_what_another_announced(alice, bob):
    person = held("Mikalai Testau")
    shared = {"outcome": "announced", "status": "planned", "countries": ["LT", "UA"]}
    first = a_sitting(alice, "Mikalai Testau", "Anna Exampleva", **shared)
    take_all(first, by=alice)
    record(first, alice)
    second = a_sitting(alice, "Mikalai Testau", event=first.event)
    take_all(second, by=alice)
    plan = recording.plan(second, by=alice)
    assert line(second, 1).taken_knowingly == []  # it is no contradiction
    assert (plan.held_back, [one.came_true for one in plan.planned]) == ([], [True])
    before = everything()
    context = recording.record(second, by=alice, version=plan.version)
    release = Release.objects.get(person=person)
    assert (release.outcome, release.detention, release.detention.ended.edtf) == (
        "confirmed", person.detentions.get(), DAY,
    )  # fmt: skip
    leg = release.legs.get()
    assert (leg.status, leg.countries, leg.happened.edtf) == ("completed", ["UA"], DAY)
    said = set(release.citations.filter(about="outcome").values_list("value", "standing", "source"))
    assert said == {
        ("announced", "superseded", first.source_id), ("confirmed", "accepted", second.source_id),
    }  # fmt: skip
    assert DetentionCitation.objects.get().source == second.source
    assert Release.objects.exclude(person=person).get().outcome == "announced"
    undoing.undo(context, by=bob)
    release.refresh_from_db()
    leg.refresh_from_db()
    assert (release.outcome, release.detention, leg.status, leg.countries) == (
        "announced",
        None,
        "planned",
        ["LT", "UA"],
    )
    assert person.detentions.get().is_open
    assert everything() == before
