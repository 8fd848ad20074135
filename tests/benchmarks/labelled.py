"""Ours against other people's comparisons of names, on the labelled set of tests/data, in one run.

Names only: no birth year, sex or country. Every spelling is compared with every registered name, and every hard
negative with the name of the person whom it resembles, by each method from the bare texts.

A method's time is what the comparing of all these pairs takes it, its own preparation of each name included, without
loading its code and data.
"""

import csv
import json
import math
import subprocess
import time
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tests.benchmarks.generate import Refused
from tracker import names

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
PYTHON = ROOT / ".venv-benchmark" / "bin" / "python"
BASELINES = Path(__file__).with_name("baselines.py")
OTHERS = ("anyascii", "unidecode", "logic-v2")
#: What is most like a spelling and is not it: so many of each method's own are asked of all methods
CONFUSIONS = 5


@dataclass(frozen=True)
class Labelled:
    registered: list[str]
    #: text, and the number of the registered name that it spells
    spellings: list[tuple[str, int]]
    #: text, and the number of the registered name that it is not, though it resembles it
    strangers: list[tuple[str, int]]

    @property
    def texts(self):
        return [text for text, _number in chain(self.spellings, self.strangers)]


@dataclass(frozen=True)
class Scores:
    """``rows`` has a score for each text and registered name, in the order of ``Labelled.texts``."""

    rows: list[list[float]]
    seconds: float

    @property
    def speed(self):
        return sum(map(len, self.rows)) / self.seconds


@dataclass(frozen=True)
class Result:
    first: float
    third: float
    f1: float
    threshold: float
    precision: float
    recall: float
    speed: float


def read():
    def lines(name):
        try:
            with (DATA / name).open(encoding="utf-8", newline="") as file:
                return list(csv.DictReader(file))
        except FileNotFoundError:
            raise Refused(f"There is no {DATA / name}.") from None

    persons = lines("persons.csv")
    number = {line["person"]: index for index, line in enumerate(persons)}
    return Labelled(
        [line["registered"] for line in persons],
        [(line["text"], number[line["person"]]) for line in lines("spellings.csv")],
        # of another year of birth and the same name: no comparison of names can tell
        [(line["text"], number[line["person"]]) for line in lines("hard_negatives.csv") if "born" not in line["why"]],
    )


def ours(rows, columns):
    # for nothing: loads the lists of names
    names.compare("Kim Invented", "Someone Else")
    began = time.perf_counter()
    scores = [[names.compare(row, column).score for column in columns] for row in rows]
    return Scores(scores, time.perf_counter() - began)


def others(method, rows, columns):
    if not PYTHON.exists():
        raise Refused("What names are compared with is not installed: `make requirements-benchmark`.")
    asked = json.dumps({"method": method, "rows": rows, "columns": columns}) + "\n"
    ended = subprocess.run([PYTHON, "-I", BASELINES], input=asked, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise Refused(f"{method} failed: {ended.stderr.strip()}")
    told = json.loads(ended.stdout)
    return Scores(told["scores"], told["seconds"])


def recall_at(rank, scores, spellings):
    """Where the right one has the same score as others, the chance that it stands there in an order by lot."""
    found = 0.0
    for row, (_text, number) in zip(scores, spellings, strict=False):
        ordered = sorted(row)
        better = len(row) - bisect_right(ordered, row[number])
        alike = bisect_right(ordered, row[number]) - bisect_left(ordered, row[number])
        # nothing in common with anybody is no find
        if row[number] > 0:
            found += min(1.0, max(0.0, (rank - better) / alike))
    return found / len(spellings)


def hard_pairs(labelled, methods):
    """Which texts and names, by their numbers, are hard to tell apart from true pairs, for any method."""
    pairs = {(len(labelled.spellings) + index, number) for index, (_, number) in enumerate(labelled.strangers)}
    for scores in methods.values():
        for index, (_text, number) in enumerate(labelled.spellings):
            row = scores.rows[index]
            wrong = sorted((other for other in range(len(row)) if other != number), key=lambda other: -row[other])
            pairs.update((index, other) for other in wrong[:CONFUSIONS])
    return pairs


def best_f1(true, wrong):
    """F1, threshold, precision and recall where F1 is best: at or above the threshold is a match."""
    wrong, best = sorted(wrong), (0.0, math.inf, 0.0, 0.0)
    ordered = sorted(true)
    for threshold in sorted(set(true)):
        hits = len(ordered) - bisect_left(ordered, threshold)
        mistakes = len(wrong) - bisect_left(wrong, threshold)
        f1 = 2 * hits / (hits + mistakes + len(ordered))
        best = max(best, (f1, threshold, hits / (hits + mistakes), hits / len(ordered)))
    return best


def evaluate(labelled, methods):
    pairs = hard_pairs(labelled, methods)
    results = {}
    for method, scores in methods.items():
        true = [scores.rows[index][number] for index, (_text, number) in enumerate(labelled.spellings)]
        wrong = [scores.rows[index][number] for index, number in pairs]
        f1, threshold, precision, recall = best_f1(true, wrong)
        first, third = (recall_at(rank, scores.rows, labelled.spellings) for rank in (1, 3))
        results[method] = Result(first, third, f1, threshold, precision, recall, scores.speed)
    return results, len(pairs)


def missed(labelled, scores, most=15):
    """Spellings that do not stand first, the worst first: (text, registered, its score, who stands first, score)."""
    found = []
    for row, (text, number) in zip(scores.rows, labelled.spellings, strict=False):
        top = max(range(len(row)), key=row.__getitem__)
        if row[top] > row[number]:
            found.append((row[top] - row[number], text, number, row[number], top, row[top]))
    found.sort(reverse=True)
    return [
        (text, labelled.registered[number], score, labelled.registered[top], highest)
        for _gap, text, number, score, top, highest in found[:most]
    ]


def measure(say=print, *, verbose=False):
    """Whether ours is ahead of all others, and faster than logic-v2."""
    labelled = read()
    methods = {"ours": ours(labelled.texts, labelled.registered)}
    methods |= {method: others(method, labelled.texts, labelled.registered) for method in OTHERS}
    results, hard = evaluate(labelled, methods)
    return _report(say, labelled, methods, results, hard, verbose)


def _report(say, labelled, methods, results, hard, verbose):
    say(
        f"\nlabelled: {len(labelled.registered)} persons, {len(labelled.spellings)} spellings,"
        f" {len(labelled.strangers)} hard negatives; {hard} pairs that are hard to tell apart\n\n"
        "            rank 1   rank 3       F1   precision   recall   threshold   pairs a second"
    )
    for method, result in results.items():
        say(
            f"{method:10}{result.first:8.2%} {result.third:8.2%} {result.f1:8.4f}"
            f" {result.precision:10.2%} {result.recall:9.2%} {result.threshold:10.3f} {result.speed:16,.0f}"
        )
    if verbose:
        for text, registered, score, top, highest in missed(labelled, methods["ours"]):
            say(f"{text}: {registered} {score:.3f}, before it {top} {highest:.3f}")
    say("")
    mine = results["ours"]
    met = True
    for what, name in (("recall at rank 1", "first"), ("recall at rank 3", "third"), ("F1", "f1")):
        best = max(OTHERS, key=lambda method: getattr(results[method], name))
        value, most = getattr(mine, name), getattr(results[best], name)
        met &= _say(say, value > most, f"{what}: {value:.4f}, the best other {most:.4f} ({best})")
    theirs = results["logic-v2"].speed
    met &= _say(say, mine.speed > theirs, f"pairs a second: {mine.speed:,.0f}, logic-v2 {theirs:,.0f}")
    return met


def _say(say, fine, what):
    say(f"{'met   ' if fine else 'MISSED'}  {what}")
    return fine
