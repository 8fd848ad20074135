"""Pages of lists among very many rows: against their own statements alone, and the last page against the first."""

import statistics
import time
from urllib.parse import urlencode

import psycopg
from django.conf import settings
from django.test import Client, override_settings

from releases.filters import EventFilter, ReleaseFilter
from tests.benchmarks.asked import explain, recorded, working_on
from tests.benchmarks.generate import address
from tests.benchmarks.matching import bare
from tracker.filters import DetentionFilter, PersonFilter, SentenceFilter, SourceFilter

MOST_TIME = 3  # times the bare statements
LAST_PAGE = 1.5  # times the first one, or less than the other way round

LISTS = {
    "/persons/": PersonFilter,
    "/detentions/": DetentionFilter,
    "/sentences/": SentenceFilter,
    "/releases/": ReleaseFilter,
    "/events/": EventFilter,
    "/sources/": SourceFilter,
}
#: What researchers ask, some of it found in many rows, some in few
ASKED = [
    ("/persons/", {"citizenship": "UA", "sex": "female"}),
    ("/persons/", {"status": "in_custody", "on": "2024-06-01", "certain": "yes"}),
    ("/persons/", {"detained_since": "2022-01-01", "detained_until": "2022-03-31"}),
    ("/persons/", {"arrived_in": "LT", "released_since": "2024-01-01"}),
    ("/persons/", {"sentence": "imprisonment", "length_from": "9"}),
    ("/persons/", {"disputed": "unresolved"}),
    ("/persons/", {"released_until": "2021-01-01", "sort": "-name"}),
    ("/detentions/", {"held_on": "2023-01-01", "certain": "yes", "sort": "-started"}),
    ("/detentions/", {"custody": "prison"}),
    ("/sentences/", {"sentence": "imprisonment", "length_from": "5", "sort": "-term"}),
    ("/sentences/", {"sex": "female", "sort": "-pronounced"}),
    ("/releases/", {"handed_over_to": "UA", "basis": "pardon", "sort": "-released"}),
    ("/releases/", {"since": "2023-01-01", "until": "2023-01-31"}),
    ("/events/", {"basis": "amnesty"}),
    ("/sources/", {"kind": "news", "language": "ru"}),
    ("/sources/", {"disputed": "disagree"}),
]


class Reader:
    """Whoever comes without an account, to a site that is open; the world's database is the public copy."""

    def __init__(self, connection):
        self.client, self.connection = Client(SERVER_NAME="localhost"), connection

    def get(self, path, query):
        """Seconds, and what was sent to PostgreSQL."""
        with recorded(self.connection) as sent:
            began = time.perf_counter()
            answer = self.client.get(path, query, secure=True)
            took = time.perf_counter() - began
        assert answer.status_code == 200, (path, query, answer.status_code)
        return took, sent


def reading(name):
    return working_on(name, "public")


def measure(name, small, runs, say=print, *, verbose=False):
    """Whether the targets are met. ``small``: the name of a database with ten persons."""
    with override_settings(DEBUG=False, PUBLIC_SITE=True, ALLOWED_HOSTS=[*settings.ALLOWED_HOSTS, "localhost"]):
        with reading(small) as connection:
            reader = Reader(connection)
            reader.get("/events/", {})
            few = {path: len(reader.get(path, {})[1]) for path in LISTS}
        with reading(name) as connection, psycopg.connect(address(name), autocommit=True) as alone:
            reader = Reader(connection)
            many = {path: len(reader.get(path, {})[1]) for path in LISTS}
            against = [_against_its_statements(reader, alone, runs, path, query) for path, query in ASKED]
            ends = [
                # a page of events costs what its events hold, whose numbers are added up on it
                _ends(reader, runs, path, sort)
                for path, listed in LISTS.items()
                for sort in listed.sorts
                if listed is not EventFilter
            ]
            met = _report(say, few, many, against, ends)
            if verbose:
                for path, query, *_figures in sorted(against, key=lambda row: -row[2])[:3]:
                    say(f"\n{path}?{urlencode(query)}")
                    for _took, statement, params in reader.get(path, query)[1]:
                        explain(say, connection, statement, params)
    return met


def _against_its_statements(reader, alone, runs, path, query):
    _took, sent = reader.get(path, query)
    bare(alone, sent)
    pairs = []
    for number in range(runs):
        sides = [lambda: reader.get(path, query)[0], lambda: bare(alone, sent)]
        found = {side: sides[side]() for side in ((0, 1) if number % 2 else (1, 0))}
        pairs.append((found[0], found[1]))
    ratio = statistics.median(page / statements for page, statements in pairs)
    return path, query, statistics.median(page for page, _bare in pairs), ratio


def _ends(reader, runs, path, sort):
    """The first and the last page, in turn."""
    asked = {"sort": sort}, {"sort": sort, "before": "end"}
    for query in asked:
        reader.get(path, query)
    pairs = [[reader.get(path, query)[0] for query in asked] for _run in range(runs)]
    first, last = (statistics.median(side) for side in zip(*pairs, strict=True))
    return path, sort, first, last, statistics.median(last / first for first, last in pairs)


def _report(say, few, many, against, ends):
    say("\nlists: a page against its statements alone\n\n                                              ms   times")
    for path, query, took, ratio in against:
        say(f"{path + '?' + urlencode(query):70.70}{took * 1000:9.1f}{ratio:8.2f}")
    say("\nfirst page, last page, ms; how many times")
    for path, sort, first, last, ratio in ends:
        say(f"{path:13}{sort:14}{first * 1000:9.1f}{last * 1000:9.1f}{ratio:8.2f}")
    # a page whose statements take no time at all is the template's, whatever the list
    worst = max(ratio for *_rest, took, ratio in against)
    apart = max(max(ratio, 1 / ratio) for *_rest, ratio in ends)
    met = True
    for fine, what in (
        (worst <= MOST_TIME, f"a page: at most {worst:.2f} times its statements alone, at most {MOST_TIME}"),
        (apart <= LAST_PAGE, f"first and last page: {apart:.2f} times apart at most, at most {LAST_PAGE}"),
        (few == many, f"statements: {many}, of ten persons {few}"),
    ):
        met = met and fine
        say(f"{'met   ' if fine else 'MISSED'}  {what}")
    return met
