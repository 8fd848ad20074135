"""Searching for one person among very many: the time that PostgreSQL takes for the first page of an answer."""

import statistics

from django.contrib.auth import get_user_model

from tests.benchmarks.asked import KINDS, TOO_WIDE, explain, recorded, searches, working_on
from tracker.models import Person

PAGE = 20
MOST = 0.05  # seconds for 95 in a hundred
#: Kinds that name one person well enough to be found on the first page
NAMING = ("as recorded", "in another script", "mistyped", "in the genitive", "pid")


def look(viewer, text):
    return list(Person.objects.visible_to(viewer).named(text)[:PAGE])


def measure(name, seed, runs, say=print, *, verbose=False):
    """Whether the target is met. ``runs``: of each search, after one for nothing; the median is taken."""
    with working_on(name) as connection:
        viewer = get_user_model().objects.get(username="generated-reviewer-3")
        with connection.cursor() as cursor:
            asked = searches(cursor, seed)
        times, found, slowest = {kind: [] for kind in KINDS}, dict.fromkeys(KINDS, 0), []
        for kind, text, pk in asked:
            look(viewer, text)
            took = []
            for _run in range(runs):
                with recorded(connection) as sent:
                    page = look(viewer, text)
                took.append(sum(seconds for seconds, _statement, _params in sent))
            times[kind].append(statistics.median(took))
            found[kind] += any(person.pk == pk for person in page)
            slowest.append((times[kind][-1], kind, text, sent))
        slowest.sort(key=lambda search: search[0], reverse=True)
        met = _report(say, times, found, slowest)
        if verbose:
            for _seconds, kind, text, sent in slowest[:3]:
                say(f"\n{kind}: {text}")
                for _took, statement, params in sent:
                    explain(say, connection, statement, params)
    return met


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def _report(say, times, found, slowest):
    every = [seconds for kind, some in times.items() if kind not in TOO_WIDE for seconds in some]
    say(
        f"\nsearch: {len(every)} searches, the first {PAGE} found; milliseconds of database time\n\n"
        "                            median      p95      max   on the first page"
    )
    rows = [pair for pair in times.items() if pair[0] not in TOO_WIDE]
    wide = [(f"{kind} (not counted)", times[kind]) for kind in TOO_WIDE]
    for kind, some in [*rows, ("all", every), *wide]:
        if some:
            figures = statistics.median(some), percentile(some, 0.95), max(some)
            there = f"{found[kind]} of {len(some)}" if kind in NAMING else ""
            say(f"{kind:26}" + "".join(f"{seconds * 1000:9.1f}" for seconds in figures) + f"   {there}")
    above = [search for search in slowest if search[0] > MOST and search[1] not in TOO_WIDE]
    say(f"\nabove {MOST * 1000:.0f} ms: {len(above)} of {len(every)}")
    for seconds, kind, text, _sent in above[:10]:
        say(f"  {seconds * 1000:.0f} ms, {kind}: {text}")
    value = percentile(every, 0.95)
    fine = value < MOST
    say(f"{'met   ' if fine else 'MISSED'}  p95 of database time: {value * 1000:.1f} ms, under {MOST * 1000:.0f} ms")
    return fine
