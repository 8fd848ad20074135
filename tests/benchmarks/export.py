"""All tables by ``manage.py export`` against ``psql \\copy`` of the same SQL, in turn, on the same database.

Compared is the writing of the files: ``tracker.export.write`` from its call to its return (in one snapshot, all CSV
files and the codebook, to their final names) with a psql that copies the same SELECTs in one snapshot, without the
time it takes to connect. The start of Python and Django is no part of it, and printed apart.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.benchmarks.generate import Refused
from tracker import export
from tracker.database import embedded
from tracker.vocabularies import Audience

MOST_TIME = 1.3  # of psql's, of all files together
MOST_OF_THE_LARGEST = 1.15  # of psql's, of the largest file alone
LONGEST = "10min"  # one file; a query that does not end must not keep the benchmark for ever
MOST_MEMORY = 32 * 1024 * 1024  # above the idle process, in bytes
TIMED = Path(__file__).with_name("timed.py")


@dataclass(frozen=True)
class Run:
    """Seconds (of each file, too) and bytes of one run of the command."""

    whole: float
    export: float
    idle: int
    peak: int
    files: dict[str, float]


def find_psql():
    """The one on the PATH, else the one that came with the embedded server."""
    found = shutil.which("psql")
    beside = [binaries / "psql" for binaries in embedded.find_binaries().values()]
    for psql in [Path(found)] if found else beside:
        if psql.exists():
            return psql
    raise Refused("There is no psql: install PostgreSQL's client programs (on Debian: postgresql-client).")


def script(audience, directory, tables=None):
    """What psql does: the statements of the export, in the same one snapshot."""
    lines = ["BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;"]
    for table in tables or export.tables_for(audience):
        select = export.statement(table, audience)
        # \copy ends at the end of its line
        assert "\n" not in select
        path = directory / export.filename(table)
        lines.append(rf"\copy ({select}) TO '{path}' WITH (FORMAT csv, HEADER true, ENCODING 'UTF8')")
    return "\n".join([*lines, "COMMIT;", ""])


def run_export(address, audience, directory, *options):
    # whichever database the audience has, here it is this one
    variable = "DATABASE_URL" if audience is Audience.STAFF else f"{audience.upper()}_DATABASE_URL"
    environment = os.environ | {variable: address}
    command = [sys.executable, TIMED, "export", "--audience", audience, "--to", directory, *options]
    began = time.perf_counter()
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    whole = time.perf_counter() - began
    if ended.returncode:
        raise Refused(f"manage.py export failed: {ended.stderr.strip()}")
    return Run(whole=whole, **json.loads(ended.stdout))


def run_psql(psql, address, statements):
    """Seconds."""
    began = time.perf_counter()
    command = [psql, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={address}"]
    ended = subprocess.run(command, input=statements, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise Refused(f"psql failed: {ended.stderr.strip()}")
    return time.perf_counter() - began


def compare(ours, theirs):
    """Raises ``Refused`` at the first line that differs, but for its end: CR LF in ours (RFC 4180), LF in psql's."""
    for path in sorted(theirs.iterdir()):
        with (ours / path.name).open("rb") as left, path.open("rb") as right:
            for number, (one, other) in enumerate(zip_longest(left, right), 1):
                if one is None or other is None or one.removesuffix(b"\n").removesuffix(b"\r") != other.rstrip(b"\n"):
                    raise Refused(f"{path.name} line {number}: {one!r} is not psql's {other!r}.")


def measure(address, audience, runs, say=print):
    """Whether both targets are met."""
    psql = find_psql()
    options = conninfo_to_dict(address).get("options", "")
    address = make_conninfo(address, options=f"{options} -c statement_timeout={LONGEST}")
    exports, copies, connects = [], [], []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as place:
        ours, theirs = Path(place, "export"), Path(place, "psql")
        theirs.mkdir()
        statements = script(audience, theirs)
        run_psql(psql, address, statements)  # for nothing: now all of it is in memory
        for number in range(runs):
            both = [
                lambda: exports.append(run_export(address, audience, ours)),
                lambda: copies.append(run_psql(psql, address, statements)),
            ]
            for run in both if number % 2 else reversed(both):
                run()
            connects.append(run_psql(psql, address, ""))
        compare(ours, theirs)
        files = list(theirs.iterdir())
        size = sum(path.stat().st_size for path in files)
        largest = max(files, key=lambda path: path.stat().st_size)
        ratio = alone(psql, address, audience, export.get_table(largest.stem), (ours, theirs), connects)
    return _report(say, audience, exports, copies, connects, len(files), size, (largest.name, ratio))


def alone(psql, address, audience, table, places, connects):
    """Times psql's, of one table; as many runs in turn as there were of all."""
    statements = script(audience, places[1], [table])
    ratios = []
    for connect in connects:
        theirs = run_psql(psql, address, statements) - connect
        ratios.append(
            run_export(address, audience, places[0], "--table", table.name).files[f"{table.name}.csv"] / theirs
        )
    return statistics.median(ratios)


def _report(say, audience, exports, copies, connects, files, size, largest):
    connect = statistics.median(connects)
    # each run against the one beside it: what else the machine does changes from minute to minute
    beside = list(zip(exports, copies, strict=True))
    ratio = statistics.median(run.export / (copy - connect) for run, copy in beside)
    whole = statistics.median(run.whole / copy for run, copy in beside)
    ours, alone = (statistics.median(getattr(run, name) for run in exports) for name in ("whole", "export"))
    theirs = statistics.median(copies)
    idle, peak = (max(getattr(run, name) for run in exports) for name in ("idle", "peak"))
    more = max(run.peak - run.idle for run in exports)
    mebibyte = 1024 * 1024
    each = {name: statistics.median(run.files[name] for run in exports) for name in exports[0].files}
    slowest = sorted(each, key=each.__getitem__, reverse=True)[:5]
    say(
        f"""
export, audience {audience}: {files} files, {size / mebibyte:,.1f} MiB; medians of {len(exports)} runs in turn
the same lines as psql's; only their ends differ (CR LF, as RFC 4180 says, against LF)

                         manage.py export   psql \\copy   ratio
whole process            {ours:14.2f} s {theirs:10.2f} s {whole:7.2f}
start (psql: connecting) {ours - alone:14.2f} s {connect:10.2f} s
writing the files        {alone:14.2f} s {theirs - connect:10.2f} s {ratio:7.2f}

memory: idle {idle / mebibyte:.1f} MiB, at most {peak / mebibyte:.1f} MiB, {more / mebibyte:.1f} MiB more
slowest: {", ".join(f"{name} {each[name]:.2f} s" for name in slowest)}
each run, seconds: export {_list(run.export for run in exports)}; psql {_list(copies)}
"""
    )
    met = True
    for what, value, most, unit in (
        ("time of writing the files", ratio, MOST_TIME, "times psql's"),
        (f"time of the largest, {largest[0]}, alone", largest[1], MOST_OF_THE_LARGEST, "times psql's"),
        ("memory above the idle process", more / mebibyte, MOST_MEMORY / mebibyte, "MiB"),
    ):
        fine = value <= most
        met = met and fine
        say(f"{'met   ' if fine else 'MISSED'}  {what}: {value:.2f} {unit}, at most {most:g}")
    return met


def _list(values):
    return " ".join(f"{value:.2f}" for value in values)
