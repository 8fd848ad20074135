"""What the matching must reach on the labelled set of ``tests/data``: see its README for how the set was made."""

import datetime

import pytest

from tests.tracker.labelled import held_on, load, rows
from tracker import dates
from tracker.matching import Question, match
from tracker.vocabularies import ListVerdict as Verdict

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def people():
    return {row["person"]: row for row in rows("persons")}


@pytest.fixture(scope="module")
def spellings():
    return rows("spellings")


def share(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers)


def test_the_right_person_is_found_and_first(spellings):
    pids = load()
    found = [
        [candidate.person.pid for candidate in answer.candidates[:3]]
        for answer in match([Question(spelling["text"]) for spelling in spellings], viewer=None)
    ]
    wanted = [pids[spelling["person"]] for spelling in spellings]
    assert share(pid in three[:1] for pid, three in zip(wanted, found, strict=True)) >= 0.98
    assert share(pid in three for pid, three in zip(wanted, found, strict=True)) >= 0.995


@pytest.mark.parametrize("evidence", ["the year of birth", "custody on the day"])
def test_same_is_said_of_nine_in_ten_and_of_nobody_else(spellings, people, evidence):
    pids = load()
    on = datetime.date(2025, 12, 1) if evidence == "custody on the day" else None
    asked = [
        spelling
        for spelling in spellings
        if on is None
        or (people[spelling["person"]]["arrested"] < "2025-12" and not people[spelling["person"]]["released"])
    ]
    assert len(asked) > 1_500
    questions = [
        Question(spelling["text"], born=None if on else dates.parse(people[spelling["person"]]["born"][:4]))
        for spelling in asked
    ]
    answers = list(match(questions, viewer=None, on=on))
    told = [
        (answer.candidates[0].person.pid, pids[spelling["person"]])
        for spelling, answer in zip(asked, answers, strict=True)
        if answer.verdict == Verdict.SAME
    ]
    assert all(said == meant for said, meant in told)
    assert len(told) / len(asked) >= 0.90


def test_the_name_alone_is_never_the_same(spellings):
    load()
    verdicts = {answer.verdict for answer in match((Question(spelling["text"]) for spelling in spellings), viewer=None)}
    assert Verdict.SAME not in verdicts


def test_no_hard_negative_is_the_same(people):
    load()
    negatives = rows("hard_negatives")
    assert len(negatives) >= 200
    days = {}
    for row in negatives:
        # where the list names no day, one on which custody agrees as well is the harder question
        for on in {row["on"] or None, str(held_on(people[row["person"]]))} if not row["age"] else {row["on"]}:
            days.setdefault(on, []).append(row)
    for on, asked in days.items():
        questions = [
            Question(
                row["text"],
                born=dates.parse(row["born"]) if row["born"] else None,
                age=int(row["age"]) if row["age"] else None,
                citizenship=row["citizenship"],
                sex=row["sex"],
            )
            for row in asked
        ]
        answers = match(questions, viewer=None, on=datetime.date.fromisoformat(on) if on else None)
        wrong = [row["text"] for row, answer in zip(asked, answers, strict=True) if answer.verdict == Verdict.SAME]
        assert wrong == []
