"""``make benchmark``: every benchmark there is, on one generated database. Exit status 1 when a target is missed."""

import argparse
import os
import platform
import sys

from tests.benchmarks import export
from tests.benchmarks.generate import Refused, database
from tests.benchmarks.world import World
from tracker.vocabularies import Audience


def main(say=print):
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--persons", type=int, default=100_000, help="How many to generate (100,000).")
    parser.add_argument("--seed", type=int, default=1, help="The same seed gives the same rows (1).")
    parser.add_argument("--runs", type=int, default=5, help="Of each side; medians are taken (5).")
    parser.add_argument(
        "--audience", default=Audience.STAFF.value, choices=Audience.codes(), help="Whose columns and rows (staff)."
    )
    parser.add_argument("--database", default="benchmark", help="Made for this, and replaced (benchmark).")
    parser.add_argument("--keep", action="store_true", help="Do not drop it at the end: the next run finds it there.")
    options = parser.parse_args()
    say(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    try:
        world = World(options.persons, options.seed)
        with database(options.database, world, keep=options.keep) as address:
            met = export.measure(address, Audience(options.audience), options.runs)
    except (Refused, ValueError) as error:
        sys.exit(str(error))
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
