"""``make benchmark``: every benchmark there is, or those named. Exit status 1 when a target is missed."""

import argparse
import os
import platform
import sys

from tests.benchmarks import downloading, export, importing, labelled, lists, matching, moments, overview, search
from tests.benchmarks.crowd import Crowd
from tests.benchmarks.generate import Refused, database
from tests.benchmarks.world import World
from tracker.vocabularies import Audience


def exporting(options, say):
    world = World(options.persons, options.seed)
    with database(options.database, world, keep=options.keep, say=say) as address:
        return export.measure(address, Audience(options.audience), options.runs, say)


def handing_out(options, say):
    world = World(options.persons, options.seed)
    with database(options.database, world, keep=options.keep, say=say) as address:
        return downloading.measure(address, options.runs, say)


def looking_back(options, say):
    world = World(options.persons, options.seed)
    with database(f"{options.database}_moments", world, say=say) as address:
        return moments.measure(address, Audience(options.audience), options.runs, say)


def reading_in(options, say):
    world = World(options.persons, options.seed)
    with database(options.database, world, keep=options.keep, say=say) as address:
        return importing.measure(address, options.runs, say)


def leafing(options, say):
    small = f"{options.database}_small"
    with (
        database(small, World(10, options.seed), say=say),
        database(options.database, World(options.persons, options.seed), keep=options.keep, say=say),
    ):
        return lists.measure(options.database, small, options.runs, say, verbose=options.verbose)


def looking_over(options, say):
    world = World(options.persons, options.seed)
    with database(options.database, world, keep=options.keep, say=say):
        return overview.measure(options.database, options.runs, say, verbose=options.verbose)


def comparing(options, say):
    return labelled.measure(say, verbose=options.verbose)


def looking_up(options, say):
    """Both on one database."""
    name = f"{options.database}_crowd"
    with database(name, Crowd(options.crowd, options.seed), keep=options.keep, say=say):
        wanted = [module for word, module in (("search", search), ("matching", matching)) if word in options.which]
        met = [module.measure(name, options.seed, options.runs, say, verbose=options.verbose) for module in wanted]
    return all(met)


BENCHMARKS = {
    "export": exporting,
    "downloading": handing_out,
    "known_at": looking_back,
    "importing": reading_in,
    "lists": leafing,
    "overview": looking_over,
    "labelled": comparing,
    "search": looking_up,
    "matching": looking_up,
}


def main(say=print):
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("which", nargs="*", metavar="BENCHMARK", help=f"Of {', '.join(BENCHMARKS)} (all).")
    parser.add_argument(
        "--persons",
        type=int,
        default=100_000,
        help="How many to generate for all but search and matching (100,000).",
    )
    parser.add_argument("--crowd", type=int, default=400_000, help="How many to search and to match with (400,000).")
    parser.add_argument("--seed", type=int, default=1, help="The same seed gives the same rows (1).")
    parser.add_argument("--runs", type=int, default=5, help="Of each side; medians are taken (5).")
    parser.add_argument(
        "--audience", default=Audience.STAFF.value, choices=Audience.codes(), help="Whose columns and rows (staff)."
    )
    parser.add_argument("--database", default="benchmark", help="Made for this, and replaced (benchmark).")
    parser.add_argument("--keep", action="store_true", help="Do not drop it at the end: the next run finds it there.")
    parser.add_argument("--verbose", action="store_true", help="Show spellings that were missed, and slow plans.")
    options = parser.parse_args()
    options.which = options.which or list(BENCHMARKS)
    unknown = [name for name in options.which if name not in BENCHMARKS]
    if unknown:
        parser.error(f"{', '.join(unknown)}: no such benchmark. There are: {', '.join(BENCHMARKS)}.")
    say(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    try:
        met = [run(options, say) for run in dict.fromkeys(BENCHMARKS[name] for name in options.which)]
    except (Refused, ValueError) as error:
        sys.exit(str(error))
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
