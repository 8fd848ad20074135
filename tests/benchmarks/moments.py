"""All files as known at a moment, by ``manage.py export --known-at``, against the plain export, in turn.

The generator leaves history empty: it is filled with an insert of every row. Then the files are made, a share of the
rows is edited and deleted by plain SQL (the triggers write it down), and what was made before is asked for again.
"""

import filecmp
import statistics
import tempfile
from pathlib import Path

import psycopg

from tests.benchmarks.export import run_export
from tests.benchmarks.generate import Refused
from tracker import clocks
from tracker.models.fields import KeyField
from tracker.versions import history_of
from tracker.vocabularies import Audience

MOST_TIME = 3.0  # of the plain export's
EDITS = (
    "UPDATE tracker_person SET summary = summary || ' Edited.' WHERE hashtext(id::text) % 20 = 0",
    "UPDATE tracker_name SET scheme = '' WHERE hashtext(id::text) % 20 = 1",
    "UPDATE tracker_detention SET allegation = allegation || ' Edited.' WHERE hashtext(id::text) % 20 = 2",
    "UPDATE tracker_personcitation SET quote = '' WHERE hashtext(id::text) % 20 = 3",
    "DELETE FROM tracker_personcitation WHERE hashtext(id::text) % 50 = 4",
    "DELETE FROM tracker_detentioncitation WHERE hashtext(id::text) % 50 = 5",
)


def remember(connection):
    """An insert of every row that has no history."""
    for kind in clocks.kinds():
        history = history_of(kind)._meta.db_table
        keys = KeyField.names_in(kind)
        columns = ", ".join(f'"{field.column}"' for field in kind._meta.concrete_fields if field.name not in keys)
        connection.execute(
            f'INSERT INTO "{history}" (pgh_created_at, pgh_label, pgh_obj_id, {columns})'
            f" SELECT clock_timestamp(), 'insert', id, {columns} FROM \"{kind._meta.db_table}\" AS row"
            f' WHERE NOT EXISTS (SELECT FROM "{history}" AS event WHERE event.pgh_obj_id = row.id)'
        )
        connection.execute(f'VACUUM (ANALYZE) "{history}"')


def measure(address, audience, runs, say=print):
    """Whether the target is met."""
    plain, known = [], []
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as place,
        psycopg.connect(address, autocommit=True) as connection,
    ):
        remember(connection)
        then, now, again = (Path(place, name) for name in ("then", "now", "again"))
        run_export(address, audience, then)
        (moment,) = connection.execute("SELECT clock_timestamp()").fetchone()
        changed = sum(connection.execute(edit).rowcount for edit in EDITS)
        for table in ("person", "name", "detention", "personcitation", "detentioncitation"):
            connection.execute(f"VACUUM (ANALYZE) tracker_{table}")
            connection.execute(f"VACUUM (ANALYZE) tracker_{table}history")
        at = ("--known-at", clocks.display(moment), "--on", clocks.display(moment)[:10])
        run_export(address, audience, now)  # for nothing: now all of it is in memory
        for number in range(runs):
            both = [
                lambda: plain.append(run_export(address, audience, now, "--on", at[3])),
                lambda: known.append(run_export(address, audience, again, *at)),
            ]
            for run in both if number % 2 else reversed(both):
                run()
        if audience is Audience.STAFF:
            # the generated rows were never published: a copy would not hold what nothing in it needs
            for path in sorted(then.iterdir()):
                if not filecmp.cmp(path, again / path.name, shallow=False):
                    raise Refused(f"{path.name} as known at {at[1]} is not what was written then.")
        size = sum(path.stat().st_size for path in again.iterdir())
    ratio = statistics.median(late.export / early.export for late, early in zip(known, plain, strict=True))
    theirs, ours = (statistics.median(run.export for run in side) for side in (plain, known))
    first = statistics.median(next(iter(run.files.values())) for run in known)
    more = max(run.peak - run.idle for run in known)
    met = ratio <= MOST_TIME
    say(
        f"""
known_at, audience {audience}: {size / 2**20:,.1f} MiB; {changed:,} rows changed since; medians of {runs} runs in turn
plain export {theirs:.2f} s, known at {ours:.2f} s ({first:.2f} s of it to the end of the first file)
{ratio:.2f} times the plain export (at most {MOST_TIME}): {"met" if met else "MISSED"}
memory: {more / 2**20:.1f} MiB more than idle"""
    )
    return met
