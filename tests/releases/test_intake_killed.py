"""Killed while a list is logged, the site or its database: all of it is there or nothing, and it can go on."""

import json
import os
import random
import subprocess
import sys

import pytest

from tests.tracker.test_database_server import ROOT, folder, nothing_left

SITE, DATABASE = 10, 10


class Process:
    def __init__(self, data):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.releases.doomed"],
            cwd=ROOT,
            env={**os.environ, "DATA_DIR": str(data), "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "tracker.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *asked):
        """The answer, or None where the process died of it."""
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@pytest.fixture(scope="module")
def data():
    with folder() as path, nothing_left(path):
        yield path


def test_killed_at_any_point_it_is_all_or_nothing(data):
    chance = random.Random(20251213)
    with Process(data) as site:
        first, *sittings = site.ask("prepare", SITE + DATABASE + 1)
        empty = site.ask("state", first)
        statements = site.ask("log_until", first, 0, 0)
        whole = site.ask("state", first)
        assert set(empty.values()) == {0}
        assert all(whole.values())
        # one beyond the last: everything was sent, and only the commit is missing or done
        points = [*chance.sample(range(1, statements + 1), SITE - 1), statements]
        points += [*chance.sample(range(1, statements + 1), DATABASE - 1), statements]
        victims = [0] * SITE + [1] * DATABASE
        for key, point, victim in zip(sittings, points, victims, strict=True):
            with Process(data) as doomed:
                answer = doomed.ask("log_until", key, point, site.ask("postmaster") if victim else 0)
            # what serves a connection may still finish when the server is killed beside it
            finished = isinstance(answer, int)
            assert answer is None if not victim else finished or "error" in answer, (point, victim, answer)
            found = site.ask("state", key)
            if found and "error" in found:  # its connection went down with the server
                found = site.ask("state", key)
            assert found == whole if finished else found in (empty, whole), (point, victim, found)
            after = site.ask("log", key)
            assert after == whole if found == empty else "refused" in after, (point, victim, found, after)
            assert "refused" in site.ask("log", key)
            assert site.ask("state", key) == whole
