"""Files over HTTP: how soon the first byte is there, and what other readers notice of four downloads at once.

The site runs as it is served (gunicorn, its own settings) on the generated database, which stands for every audience's.
The first byte of ``/data/TABLE.csv`` is compared with that of a psql, connected beforehand, which copies the same
SELECT to its standard output; pages while four downloads run, with the same pages before. All in one run, in turn.

For the record, with no target: a queryset written by ``csv.writer``, and django-import-export, against our own way on
one table of one model.
"""

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.benchmarks.export import find_psql
from tests.benchmarks.generate import Refused
from tracker import export
from tracker.vocabularies import Audience

ROOT = Path(__file__).parents[2]
RUN = Path(__file__).with_name("exported.py")
FIRST_BYTE = 2.0  # times psql's
OTHER_PAGES = 2.0  # times what they take otherwise
PAGES = ("/", "/persons/", "/events/", "/sources/")
DOWNLOADS = 4
TABLE = "citations"  # of all the most rows and bytes
OTHERS = "names"  # of one model, as the others need it
THEIRS = 20_000  # rows that the others are given


@contextlib.contextmanager
def served(address):
    """The site's address, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    urls = dict.fromkeys(("DATABASE_URL", "PUBLIC_DATABASE_URL", "RESEARCHER_DATABASE_URL"), address)
    environment = os.environ | urls | {"PUBLIC_SITE": "1", "DEBUG": "1"}
    command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py"), "--chdir", str(ROOT)]
    server = subprocess.Popen([*command, "--bind", f"127.0.0.1:{port}"], env=environment, cwd=ROOT)
    site = f"http://127.0.0.1:{port}"
    try:
        for _attempt in range(300):
            with contextlib.suppress(OSError):
                fetch(site, "/data/CODEBOOK.md")
                break
            if server.poll() is not None:
                raise Refused("The site could not be started.")
            time.sleep(0.1)
        yield site
    finally:
        server.terminate()
        server.wait(20)


def fetch(site, path):
    """Seconds until it is all there."""
    began = time.perf_counter()
    with urllib.request.urlopen(site + path, timeout=600) as answer:
        while answer.read(1 << 20):
            pass
    return time.perf_counter() - began


def first_byte(site, path):
    began = time.perf_counter()
    with urllib.request.urlopen(site + path, timeout=600) as answer:
        assert answer.read(1)
        return time.perf_counter() - began


def first_byte_of_psql(psql, address, select):
    """Without the time it takes to start and to connect."""
    command = [psql, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={address}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        running.stdin.write(b"SELECT 1;\n\\echo ready\n")
        running.stdin.flush()
        while b"ready" not in (line := running.stdout.readline()):
            if not line:
                raise Refused("psql could not connect.")
        began = time.perf_counter()
        running.stdin.write(f"COPY ({select}) TO STDOUT (FORMAT csv, HEADER true);\n".encode())
        running.stdin.flush()
        if not running.stdout.read(1):
            raise Refused("psql could not read the table.")
        took = time.perf_counter() - began
        running.kill()
    return took


def pages(site, rounds):
    """Median seconds of each page."""
    return {path: statistics.median(fetch(site, path) for _round in range(rounds)) for path in PAGES}


def beside_downloads(site, rounds):
    """The same while four files are being read, without a pause; and how many were read."""
    stop, read = threading.Event(), []

    def download():
        while not stop.is_set():
            read.append(fetch(site, f"/data/{TABLE}.csv"))

    threads = [threading.Thread(target=download) for _number in range(DOWNLOADS)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        found = pages(site, rounds)
        running = sum(thread.is_alive() for thread in threads)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert running == DOWNLOADS
    return found


def others(address, kind):
    command = [sys.executable, RUN, kind, OTHERS, str(THEIRS)]
    environment = os.environ | {"DATABASE_URL": address, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        return None, ended.stderr.strip().splitlines()[-1]
    return json.loads(ended.stdout), ""


def measure(address, runs, say=print):
    """Whether the targets are met."""
    psql = find_psql()
    select = export.statement(export.get_table(TABLE), Audience.PUBLIC)
    ours, theirs, alone, beside = [], [], [], []
    with served(address) as site:
        fetch(site, f"/data/{TABLE}.csv")  # for nothing: now the table is in memory
        pages(site, 2)
        for _number in range(runs):
            theirs.append(first_byte_of_psql(psql, address, select))
            ours.append(first_byte(site, f"/data/{TABLE}.csv"))
            alone.append(pages(site, 5))
            beside.append(beside_downloads(site, 5))
    early = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
    slower = {
        path: statistics.median(loud[path] / quiet[path] for loud, quiet in zip(beside, alone, strict=True))
        for path in PAGES
    }
    say(
        f"""
files over HTTP, {TABLE}.csv; medians of {runs} runs in turn

first byte: {statistics.median(ours) * 1000:.0f} ms, psql {statistics.median(theirs) * 1000:.0f} ms
pages, alone and beside {DOWNLOADS} downloads, milliseconds:"""
    )
    for path in PAGES:
        quiet, loud = (statistics.median(one[path] for one in times) * 1000 for times in (alone, beside))
        say(f"    {path:12} {quiet:8.0f} {loud:8.0f} {slower[path]:8.2f} times")
    say(f"\n{OTHERS}, for the record           rows  rows/second   memory above idle")
    for kind, title in (
        ("ours", "COPY in blocks"),
        ("csv", "queryset and csv.writer"),
        ("import_export", "django-import-export"),
    ):
        told, why = others(address, kind)
        if told is None:
            say(f"{title:26} not run: {why}")
        else:
            more = (told["peak"] - told["idle"]) / 1024 / 1024
            say(f"{title:26} {told['rows']:8,} {told['rows'] / told['seconds']:12,.0f} {more:15.1f} MiB")
    met = True
    worst = max(slower.values())
    for fine, what in (
        (early <= FIRST_BYTE, f"first byte: {early:.2f} times psql's, at most {FIRST_BYTE:g}"),
        (worst <= OTHER_PAGES, f"the slowest page beside downloads: {worst:.2f} times, at most {OTHER_PAGES:g}"),
    ):
        met = met and fine
        say(f"{'met   ' if fine else 'MISSED'}  {what}")
    return met
