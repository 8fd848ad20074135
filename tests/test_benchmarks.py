"""The arithmetic of the benchmarks: figures that are wrong prove anything."""

import random

import pytest

from tests.benchmarks.asked import genitive, mistyped, surname
from tests.benchmarks.labelled import Labelled, Scores, best_f1, evaluate, recall_at


@pytest.mark.parametrize(
    ("scores", "rank", "recall"),
    [
        ([0.9, 0.5, 0.1], 1, 1),
        ([0.5, 0.9, 0.1], 1, 0),
        ([0.5, 0.9, 0.1], 3, 1),
        ([0.9, 0.9, 0.1], 1, 1 / 2),  # by lot
        ([0.4, 0.9, 0.4, 0.4], 3, 2 / 3),
        ([0, 0, 0], 3, 0),  # nothing in common with anybody is no find
    ],
)
def test_recall_of_the_first_name(scores, rank, recall):
    assert recall_at(rank, [scores], [("somebody", 0)]) == pytest.approx(recall)


@pytest.mark.parametrize(
    ("true", "wrong", "f1", "threshold"),
    [
        ([0.8, 0.9], [0.1, 0.7], 1, 0.8),
        ([0.3, 0.9], [0.1, 0.7], 4 / 5, 0.3),
        ([0.3, 0.9], [0.4, 0.5, 0.6, 0.7], 2 / 3, 0.9),
        ([0.5], [0.5], 2 / 3, 0.5),  # who stands at the threshold is taken, right or wrong
    ],
)
def test_f1_at_the_best_threshold(true, wrong, f1, threshold):
    assert best_f1(true, wrong)[:2] == pytest.approx((f1, threshold))


def test_every_method_is_asked_what_is_hard_for_any():
    """Each has its own confusions; what the one takes for somebody else is asked of the other, too."""
    registered = ["Testau", *(f"Prykladny {number}" for number in range(20))]
    labelled = Labelled(registered, [("Testov", 0)], [("Testava", 0)])
    methods = {
        "first": Scores([[1.0, *[0.9] * 5, *[0.0] * 15], [0.2, *[0.0] * 20]], 1),
        "second": Scores([[1.0, *[0.0] * 15, *[0.9] * 5], [0.2, *[0.0] * 20]], 1),
    }
    results, hard = evaluate(labelled, methods)
    assert hard == 5 + 5 + 1
    assert {result.f1 for result in results.values()} == {1}
    assert {result.speed for result in results.values()} == {2 * 21}


def test_what_is_asked_of_the_crowd():
    assert surname("Тэстаў Мікалай", "ru") == surname("Мікалай Тэстаў", "be") == "Тэстаў"
    assert [genitive(word, "be") for word in ("Андрэй", "Віктар", "Тэсцінскі", "Тэстаў")] == [
        "Андрэя", "Віктара", "Тэсцінскага", "Тэстава",
    ]  # fmt: skip
    for seed in range(50):
        wrong = mistyped(random.Random(seed), "Testau")
        assert wrong[0] == "T"
        assert abs(len(wrong) - len("Testau")) <= 1
