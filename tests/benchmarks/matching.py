"""A list of 150 names against very many: how much of the time of ``tracker.matching.match`` is PostgreSQL's."""

import random
import statistics
import time
from collections import Counter

import psycopg
from django.contrib.auth import get_user_model

from tests.benchmarks import asked
from tests.benchmarks.asked import explain, people, recorded, working_on
from tests.benchmarks.crowd import Crowd
from tests.benchmarks.generate import address
from tracker.matching import Question, match

NAMES = 150
STRANGERS = 50
MOST_TIME = 3  # times the bare statements

_WAYS = ("as recorded", "in another script", "mistyped", "in the genitive")


def questions(cursor, seed):
    """What a list asks, and the id of who is meant, None for those of whom nothing is known. In any order."""
    rng = random.Random(f"lists/{seed}")
    meant = []
    for number, somebody in enumerate(people(cursor, NAMES * 20)):
        if len(meant) == NAMES - STRANGERS:
            break
        text = asked.KINDS[_WAYS[number % len(_WAYS)]](rng, somebody)
        if text:
            meant.append((_question(text, somebody.woman, somebody.born if rng.random() < 0.5 else None), somebody.pk))
    others = Crowd(1, f"strangers {seed}")
    others.begin("strangers")
    for _number in range(STRANGERS):
        woman = rng.random() < 0.25
        meant.append((_question(rng.choice(others.spellings(woman))[0], woman, None), None))
    rng.shuffle(meant)
    return [question for question, _pk in meant], [pk for _question, pk in meant]


def _question(text, woman, born):
    return Question(text=text, born=born, age=None, sex="female" if woman else "male", citizenship="")


def bare(connection, sent):
    """Seconds for the same statements without Django and without scores."""
    began = time.perf_counter()
    with psycopg.ClientCursor(connection) as cursor:
        for _seconds, statement, params in sent:
            cursor.execute(statement, params)
            if cursor.description:
                cursor.fetchall()
    return time.perf_counter() - began


def measure(name, seed, runs, say=print, *, verbose=False):
    """Whether the targets are met."""
    with working_on(name) as connection, psycopg.connect(address(name), autocommit=True) as alone:
        viewer = get_user_model().objects.get(username="generated-reviewer-3")
        with connection.cursor() as cursor:
            listed, meant = questions(cursor, seed)
        with recorded(connection) as few:
            list(match(listed[:10], viewer=viewer))
        with recorded(connection) as sent:
            list(match(listed, viewer=viewer))
        bare(alone, sent)
        whole, statements = [], []
        for number in range(runs):
            for side in (0, 1) if number % 2 else (1, 0):
                if side:
                    statements.append(bare(alone, sent))
                else:
                    began = time.perf_counter()
                    matches = list(match(listed, viewer=viewer))
                    whole.append(time.perf_counter() - began)
        met = _report(say, matches, meant, len(few), sent, whole, statements)
        if verbose:
            for _seconds, statement, params in sent:
                explain(say, connection, statement, params)
    return met


def _report(say, matches, meant, few, sent, whole, statements):
    known = [(found, pk) for found, pk in zip(matches, meant, strict=True) if pk]
    first = sum(bool(found.candidates) and found.candidates[0].person.pk == pk for found, pk in known)
    third = sum(any(candidate.person.pk == pk for candidate in found.candidates[:3]) for found, pk in known)
    wrong = sum(
        found.verdict == "same" and found.candidates[0].person.pk != pk
        for found, pk in zip(matches, meant, strict=True)
    )
    verdicts = Counter(str(found.verdict) for found in matches)
    # each run against the one beside it: what else the machine does changes from minute to minute
    ratio = statistics.median(ours / theirs for ours, theirs in zip(whole, statements, strict=True))
    say(
        f"""
match: {len(matches)} names, {len(known)} of them of persons who are there; medians of {len(whole)} runs in turn

match()             {statistics.median(whole):8.3f} s
its statements alone{statistics.median(statements):8.3f} s   {ratio:.2f} times
statements          {len(sent):8}   (for 10 names {few})
first, in the first three: {first}, {third} of {len(known)}; verdicts: {dict(verdicts)}; “same” and wrong: {wrong}
each statement, ms: {" ".join(f"{seconds * 1000:.1f}" for seconds, _statement, _params in sent)}
"""
    )
    met = True
    for fine, what in (
        (ratio <= MOST_TIME, f"whole time: {ratio:.2f} times its statements alone, at most {MOST_TIME}"),
        (len(sent) == few, f"statements: {len(sent)} for {len(matches)} names, {few} for 10"),
    ):
        met = met and fine
        say(f"{'met   ' if fine else 'MISSED'}  {what}")
    return met
