"""The overview with all its charts: how much of the time of the page is PostgreSQL's."""

import statistics
import time

import psycopg
from django.test import Client, override_settings

from tests.benchmarks.asked import explain, recorded, working_on
from tests.benchmarks.generate import address
from tests.benchmarks.matching import bare

MOST_TIME = 2  # times the bare statements
DAY = "2025-12-13"


def page():
    response = Client(SERVER_NAME="127.0.0.1").get("/", {"on": DAY})
    assert response.status_code == 200, response.content[:2000]
    return response.content


def measure(name, runs, say=print, *, verbose=False):
    """Whether the target is met."""
    with (
        override_settings(PUBLIC_SITE=True),
        working_on(name, "public") as connection,
        psycopg.connect(address(name), autocommit=True) as alone,
    ):
        page()
        with recorded(connection) as sent:
            size = len(page())
        bare(alone, sent)
        whole, statements, each = [], [], []
        for number in range(runs):
            for side in (0, 1) if number % 2 else (1, 0):
                if side:
                    statements.append(bare(alone, sent))
                else:
                    with recorded(connection) as again:
                        began = time.perf_counter()
                        page()
                        whole.append(time.perf_counter() - began)
                    each.append([seconds for seconds, _statement, _params in again])
        if verbose:
            for _seconds, statement, params in sent:
                explain(say, connection, statement, params)
    # each run against the one beside it: what else the machine does changes from minute to minute
    ratio = statistics.median(ours / theirs for ours, theirs in zip(whole, statements, strict=True))
    say(
        f"""
overview: {size / 1024:.0f} KiB, {len(sent)} statements; medians of {runs} runs in turn

the page            {statistics.median(whole):8.3f} s
its statements alone{statistics.median(statements):8.3f} s   {ratio:.2f} times
"""
    )
    for seconds, (_first, statement, _params) in zip(
        map(statistics.median, zip(*each, strict=True)), sent, strict=True
    ):
        say(f"{seconds * 1000:9.1f} ms  {' '.join(statement.split())[:110]}")
    met = ratio <= MOST_TIME
    say(f"{'met   ' if met else 'MISSED'}  whole time: {ratio:.2f} times its statements alone, at most {MOST_TIME}")
    return met
