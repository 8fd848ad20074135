"""``python tests/benchmarks/timed.py export ...``: ``manage.py export ...``, telling on standard output how it went.

It is the command itself; only ``tracker.export.write`` is wrapped, to look at clock and memory before and after.
Run as a file, so that nothing is loaded that the command does not load.
"""

import itertools
import json
import re
import resource
import runpy
import sys
import time
from pathlib import Path


def peak_memory():
    """In bytes, the most that this process has had resident."""
    try:
        # not getrusage: there, a child begins with the memory of the process it was forked from
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        peak = None
    if peak:
        return int(peak[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main():
    from django.core.management import base

    execute = base.BaseCommand.execute

    def watch(command, *args, **options):
        from django.db import connections

        from tracker import export
        from tracker.columns import database

        write = export.write

        def watched(directory, audience, *more, **chosen):
            # what an idle process of the site has as well: an open connection
            connections[database(audience)].ensure_connection()
            idle, began = peak_memory(), time.perf_counter()
            ends, tell = {"": began}, chosen["progress"]

            def progress(name, size):
                ends[name] = time.perf_counter()
                tell(name, size)

            written = write(directory, audience, *more, **chosen | {"progress": progress})
            told = {"export": time.perf_counter() - began, "idle": idle, "peak": peak_memory()}
            told["files"] = {name: ends[name] - ends[last] for last, name in itertools.pairwise(ends)}
            sys.stdout.write(json.dumps(told))
            return written

        export.write = watched
        return execute(command, *args, **options)

    base.BaseCommand.execute = watch
    root = Path(__file__).parents[2]
    # as for manage.py itself
    sys.path[0], sys.argv[0] = str(root), "manage.py"
    runpy.run_path(str(root / "manage.py"), run_name="__main__")


if __name__ == "__main__":
    main()
