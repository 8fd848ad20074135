"""A list taken line by line: looked up, weighed, decided; nobody overwrites what another decided."""

import pytest

from releases import intake
from releases.intake import Choice, Impossible, Stale, decide_all, look_again, look_up, weigh
from releases.models import Leg, ListLine, Release, ReleaseEvent, Sitting
from tests.releases.sittings import DAY, a_sitting, decide, held, line, verdicts
from tests.rows import make
from tracker.models import Detention, Grant, Person, Prosecution, Sentence, Source, Verdict

pytestmark = pytest.mark.django_db


def warned(sitting, number, by):
    """What speaks against the likeliest person of a line."""
    card = weigh(sitting, [line(sitting, number)], by)[0]
    return [str(warning) for warning in card.options[0].warnings]


# --- Looking up


def test_lines_are_told_apart_by_what_needs_a_person(alice):
    held("Mikalai Testau")
    held("Anna Exampleva", started=None)
    sitting = a_sitting(alice, "Николай Тестов", "Анна Экземплева", "Nobody Unheardof", "")
    assert verdicts(sitting) == ["same", "choose", "new", "new"]


def test_a_list_is_looked_up_piece_by_piece(alice):
    sitting = a_sitting(alice, "Anna Exampleva", "Mikalai Testau", "Nobody Unheardof", look_up=False)
    assert look_up(sitting, at_most=2) == 1
    assert verdicts(sitting) == ["new", "new", ""]
    assert look_up(sitting, at_most=2) == 0


def test_looking_again_forgets_only_what_nobody_decided(alice):
    sitting = a_sitting(alice, "Mikalai Testau", "Anna Exampleva")
    decide(sitting, 2, "new", by=alice)
    held("Mikalai Testau")
    look_again(sitting)
    look_up(sitting)
    assert verdicts(sitting) == ["same", "new"]


def test_who_is_sealed_is_not_looked_up(alice):
    hidden = held("Mikalai Testau", disclosure="sealed")
    sitting = a_sitting(alice, "Mikalai Testau")
    assert verdicts(sitting) == ["new"]
    assert weigh(sitting, [line(sitting, 1)], alice)[0].options == ()
    make(Grant, user=alice, person=hidden)
    card = weigh(sitting, [line(sitting, 1)], alice)[0]
    assert (card.options[0].person, card.options[0].sealed, card.verdict) == (hidden, True, "choose")
    with pytest.raises(Impossible, match="is sealed"):
        decide(sitting, 1, "person", hidden, by=alice)


def test_an_age_is_of_the_day_of_the_list(alice):
    held("Anna Exampleva", born="1980-12-13", started=None)
    sitting = a_sitting(alice, "Anna Exampleva", look_up=False)
    ListLine.objects.update(age=45)
    look_up(sitting)
    assert verdicts(sitting) == ["same"]
    reasons = weigh(sitting, [line(sitting, 1)], alice)[0].options[0].reasons
    assert [reason.agrees for reason in reasons if reason.kind == "born"] == [True]


# --- Weighing


def test_what_is_recorded_stands_beside_each_candidate(alice):
    person = held("Mikalai Testau", born="1980")
    prosecution = make(Prosecution, person=person)
    make(Sentence, verdict=make(Verdict, prosecution=prosecution), kind="imprisonment", years=5)
    make(Release, person=person, event=make(ReleaseEvent, title="An earlier one"), outcome="announced")
    sitting = a_sitting(alice, "Mikalai Testau")
    facts = weigh(sitting, [line(sitting, 1)], alice)[0].options[0].facts
    for told in ("born 1980", "held since 5 March 2021", "sentence: ", "An earlier one"):
        assert any(told in fact for fact in facts), (told, facts)


def test_a_person_in_the_event_already_is_told_and_not_warned_of(alice):
    person = held("Mikalai Testau")
    event = make(ReleaseEvent, happened=DAY)
    make(Release, person=person, event=event, released_on=DAY)
    sitting = a_sitting(alice, "Mikalai Testau", event=event)
    option = weigh(sitting, [line(sitting, 1)], alice)[0].options[0]
    assert any("in this event already" in fact for fact in option.facts)
    assert option.warnings == ()


@pytest.mark.parametrize(
    ("values", "leg"),
    [({"outcome": "refuted"}, None), ({"released_on": "2025-11-22"}, None), ({}, ["LT"])],
    ids=["outcome", "day", "destination"],
)
def test_one_who_is_logged_otherwise_is_warned_of(alice, values, leg):
    person = held("Mikalai Testau")
    event = make(ReleaseEvent, happened=DAY)
    release = make(Release, person=person, event=event, **{"released_on": DAY, **values})
    if leg:
        make(Leg, release=release, countries=leg)
    sitting = a_sitting(alice, "Mikalai Testau", event=event)
    assert warned(sitting, 1, alice) == ["differs"]


def test_a_destination_that_nobody_knew_exactly_is_no_difference(alice):
    person = held("Mikalai Testau")
    event = make(ReleaseEvent, happened=DAY)
    make(Leg, release=make(Release, person=person, event=event, released_on=DAY), countries=["LT", "UA"])
    assert warned(a_sitting(alice, "Mikalai Testau", event=event), 1, alice) == []


def test_one_who_was_released_before_is_warned_of(alice):
    person = held("Mikalai Testau", started=None)
    before = make(Detention, person=person, started="2021", ended="2023-05-01", end_reason="released")
    make(Release, person=person, detention=before, released_on="2023-05-01")
    assert warned(a_sitting(alice, "Mikalai Testau"), 1, alice) == ["free"]


def test_one_who_was_not_in_custody_is_warned_of(alice):
    person = held("Mikalai Testau", started=None)
    make(Detention, person=person, started="2021", ended="2023-05-01")
    assert warned(a_sitting(alice, "Mikalai Testau"), 1, alice) == ["not_held"]


def test_one_of_whom_no_detention_is_known_is_not(alice):
    held("Mikalai Testau", started=None)
    assert warned(a_sitting(alice, "Mikalai Testau"), 1, alice) == []


def test_one_who_died_before_is_warned_of(alice):
    held("Mikalai Testau", died="2024-02")
    assert warned(a_sitting(alice, "Mikalai Testau"), 1, alice) == ["dead"]


def test_two_lines_about_one_person_are_warned_of(alice):
    person = held("Mikalai Testau")
    sitting = a_sitting(alice, "Mikalai Testau", "Николай Тестов")
    decide(sitting, 1, "person", person, by=alice)
    assert warned(sitting, 2, alice) == ["twice"]
    decide(sitting, 2, "person", person, by=alice)
    first, second = weigh(sitting, [line(sitting, 1), line(sitting, 2)], alice)
    assert (first.unanswered, second.unanswered) == (("twice",), ("twice",))
    decide(sitting, 2, "person", person, by=alice, knowing=["twice"])
    assert weigh(sitting, [line(sitting, 2)], alice)[0].unanswered == ()


def test_two_new_persons_of_one_name_are_warned_of(alice):
    sitting = a_sitting(alice, "Mikalai Testau", "Николай Тестов", "Anna Exampleva")
    for number in (1, 2, 3):
        decide(sitting, number, "new", by=alice)
    cards = weigh(sitting, list(sitting.lines.all()), alice)
    assert [card.unanswered for card in cards] == [("twice",), ("twice",), ()]


def test_the_number_of_queries_does_not_depend_on_the_lines(alice, django_assert_max_num_queries):
    for number in range(12):
        held(f"Mikalai Testau{chr(97 + number)}k")
    sitting = a_sitting(alice, *(f"Mikalai Testau{chr(97 + number)}k" for number in range(12)))
    lines = list(sitting.lines.all())
    with django_assert_max_num_queries(14):
        weigh(sitting, lines, alice)


# --- Deciding


def test_a_decision_is_kept_with_whoever_took_it(alice):
    sitting = a_sitting(alice, "Mikalai Testau")
    kept = decide(sitting, 1, "new", by=alice)
    kept.refresh_from_db()
    assert (kept.decision, kept.decided_by) == ("new", alice)
    decide(sitting, 1, "", by=alice)
    kept.refresh_from_db()
    assert (kept.decision, kept.decided_by) == ("", None)


def test_the_second_of_two_is_told_and_changes_nothing(alice, bob):
    sitting = a_sitting(alice, "Mikalai Testau")
    row = line(sitting, 1)
    intake.decide(sitting, Choice(row.pk, row.revision, "new"), by=alice)
    with pytest.raises(Stale) as told:
        intake.decide(sitting, Choice(row.pk, row.revision, "skip"), by=bob)
    assert (told.value.line.decision, told.value.line.decided_by) == ("new", alice)
    assert line(sitting, 1).decision == "new"


def test_of_many_decided_at_once_those_that_changed_stay(alice, bob):
    people = [held("Mikalai Testau"), held("Anna Exampleva")]
    sitting = a_sitting(alice, "Mikalai Testau", "Anna Exampleva")
    rows = list(sitting.lines.all())
    decide(sitting, 2, "skip", by=bob)
    choices = [Choice(row.pk, row.revision, "person", person.pk) for row, person in zip(rows, people, strict=True)]
    assert decide_all(sitting, choices, by=alice) == [rows[1]]
    assert [row.decision for row in sitting.lines.all()] == ["person", "skip"]


def test_a_line_of_another_list_is_not_decided_here(alice):
    one, other = a_sitting(alice, "Mikalai Testau"), a_sitting(alice, "Mikalai Testau")
    row = line(other, 1)
    with pytest.raises(Impossible):
        intake.decide(one, Choice(row.pk, row.revision, "new"), by=alice)
    assert decide_all(one, [Choice(row.pk, row.revision, "new")], by=alice) == []
    assert line(other, 1).decision == ""


@pytest.mark.parametrize("decision", ["new", "person"])
def test_a_line_without_a_name_is_about_nobody_named(alice, decision):
    sitting = a_sitting(alice, "")
    with pytest.raises(Impossible, match="has no name"):
        decide(sitting, 1, decision, held("Mikalai Testau"), by=alice)


def test_who_was_merged_is_not_taken(alice):
    kept = held("Anna Exampleva")
    gone = make(Person, merged_into=kept)
    with pytest.raises(Impossible, match="merged into another"):
        decide(a_sitting(alice, "Anna Exampleva"), 1, "person", gone, by=alice)


# --- What is sealed


@pytest.mark.parametrize("sealed", ["event", "source"])
def test_a_list_is_as_closed_as_its_event_and_its_source(alice, sealed):
    rows = {"event": make(ReleaseEvent), "source": make(Source)}
    sitting = a_sitting(alice, "Mikalai Testau", **rows)
    row = line(sitting, 1)
    type(rows[sealed]).objects.filter(pk=rows[sealed].pk).update(disclosure="sealed")
    assert not Sitting.objects.visible_to(alice).exists()
    assert not ListLine.objects.visible_to(alice).exists()
    with pytest.raises(Impossible, match="no such line"):
        intake.decide(sitting, Choice(row.pk, row.revision, "new"), by=alice)


def test_looking_up_again_is_no_change_to_what_somebody_decides(alice):
    sitting = a_sitting(alice, "Mikalai Testau")
    before = line(sitting, 1)
    look_again(sitting)
    look_up(sitting)
    assert line(sitting, 1).revision == before.revision
    intake.decide(sitting, Choice(before.pk, before.revision, "new"), by=alice)
