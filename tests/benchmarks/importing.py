"""``manage.py import`` against django-import-export, in turn, on the same file and the same database.

The file is our own export of persons, with another home town in every row: 21 fields of each row are compared and one
is changed, with triggers and history on. Ours also checks who may see what, and adds a citation to every row; theirs
is a plain resource, which saves row by row, and one that saves in bulk. As they are slow, they are given the beginning
of the file; rows per second are compared. All run in one transaction that is rolled back at its end.
"""

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from tests.benchmarks.generate import Refused

RUN = Path(__file__).with_name("imported.py")
ROOT = RUN.parents[2]

FASTER = 10  # times the rows per second of the plain resource
MOST_MORE = 1.5  # times the memory, above the idle process, that a tenth of the file takes
THEIRS = 2_000  # rows of the file that the others are given


def environment(address):
    return os.environ | {"DATABASE_URL": address, "PYTHONPATH": str(ROOT)}


def write_files(address, place):
    """The whole file, a tenth of it, and its beginning; how many rows the whole has."""
    command = [sys.executable, ROOT / "manage.py", "export", "--to", place, "--audience", "staff", "--table", "persons"]
    ended = subprocess.run(command, env=environment(address), capture_output=True, text=True, check=False)
    if ended.returncode:
        raise Refused(f"manage.py export failed: {ended.stderr.strip()}")
    with (place / "persons.csv").open(encoding="utf-8", newline="") as file:
        total = sum(1 for _row in csv.reader(file)) - 1
    parts = {"all": total, "tenth": total // 10, "theirs": min(THEIRS, total)}
    for name, most in parts.items():
        with (
            (place / "persons.csv").open(encoding="utf-8", newline="") as file,
            (place / f"{name}.csv").open("w", encoding="utf-8", newline="") as edited,
        ):
            rows = csv.DictReader(file)
            writer = csv.DictWriter(edited, rows.fieldnames)
            writer.writeheader()
            for number, row in enumerate(rows):
                if number == most:
                    break
                row["home_town"] = f"Invented Town {number}"
                writer.writerow(row)
    return parts


def run(address, kind, file, source, *more):
    command = [sys.executable, RUN, kind, file, source, *more]
    ended = subprocess.run(command, env=environment(address), capture_output=True, text=True, check=False)
    if ended.returncode:
        raise Refused(f"{kind} {' '.join(more)} failed: {ended.stderr.strip()}")
    return json.loads(ended.stdout)


def measure(address, runs, say=print):
    """Whether the targets are met."""
    with psycopg.connect(address) as connection:
        (source,) = connection.execute("SELECT id::text FROM tracker_source WHERE disclosure = 'public'").fetchone()
    ours, plain, bulk = [], [], []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as directory:
        place = Path(directory)
        parts = write_files(address, place)
        run(address, "ours", place / "tenth.csv", source)  # for nothing: now the table is in memory
        tenth = run(address, "ours", place / "tenth.csv", source)
        for _number in range(runs):
            ours.append(run(address, "ours", place / "all.csv", source))
            plain.append(run(address, "theirs", place / "theirs.csv", source))
            bulk.append(run(address, "theirs", place / "theirs.csv", source, "bulk"))
        size = (place / "all.csv").stat().st_size
    for found, rows in ((ours, parts["all"]), (plain, parts["theirs"]), (bulk, parts["theirs"])):
        assert {one["rows"] for one in found} == {rows}
    return _report(say, parts, size, tenth, ours, plain, bulk)


def _rate(runs):
    return statistics.median(one["rows"] / one["seconds"] for one in runs)


def _more(runs):
    return max(one["peak"] - one["idle"] for one in runs) / 1024 / 1024


def _report(say, parts, size, tenth, ours, plain, bulk):
    say(
        f"""
importing: persons, {parts["all"]:,} rows, {size / 1024 / 1024:.1f} MiB, one cell changed in each; medians of {len(ours)} runs

                                      rows  rows/second   memory above idle
manage.py import            {parts["all"]:14,} {_rate(ours):12,.0f} {_more(ours):15.1f} MiB
    a tenth of the file     {parts["tenth"]:14,} {_rate([tenth]):12,.0f} {_more([tenth]):15.1f} MiB
django-import-export        {parts["theirs"]:14,} {_rate(plain):12,.0f} {_more(plain):15.1f} MiB
    with use_bulk           {parts["theirs"]:14,} {_rate(bulk):12,.0f} {_more(bulk):15.1f} MiB
"""
    )
    ratio = statistics.median(
        (one["rows"] / one["seconds"]) / (other["rows"] / other["seconds"])
        for one, other in zip(ours, plain, strict=True)
    )
    growth = _more(ours) / _more([tenth])
    met = True
    for fine, what in (
        (ratio >= FASTER, f"rows per second: {ratio:.1f} times django-import-export's, at least {FASTER}"),
        (growth <= MOST_MORE, f"memory: {growth:.2f} times that of a tenth of the file, at most {MOST_MORE}"),
    ):
        met = met and fine
        say(f"{'met   ' if fine else 'MISSED'}  {what}")
    return met
