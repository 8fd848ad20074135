"""List persons that look like one."""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from tracker.matching import duplicates

COLUMNS = ("score", "pid", "name", "other_pid", "other_name", "reasons")


class Command(BaseCommand):
    help = (
        "Lists pairs of persons that look like one, best first. Pairs of whom somebody decided that they are not the"
        " same, relatives of one another and sealed persons are left out. Nothing is written to the database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, default=100, metavar="N", help="the best N pairs (100)")
        parser.add_argument(
            "--exact",
            action="store_true",
            help="only names that are renderings of one, none with slips of the pen: much faster",
        )
        parser.add_argument("--format", choices=["text", "csv"], default="csv", help="for people or for programs (csv)")

    def handle(self, *, limit: int, exact: bool, format: str, **options: Any) -> None:
        def tell(done: int, total: int) -> None:
            self.stderr.write(f"{done} of {total} names ...")

        pairs = duplicates(viewer=None, limit=max(limit, 0), near=not exact, progress=tell)
        writer = csv.writer(self.stdout, lineterminator="\n")
        if format == "csv":
            writer.writerow(COLUMNS)
        for pair in pairs:
            reasons = "; ".join(reason.text for reason in pair.reasons)
            if format == "csv":
                writer.writerow(
                    [pair.score, pair.person.pid, pair.person.name, pair.other.pid, pair.other.name, reasons]
                )
            else:
                self.stdout.write(f"{pair.score:3} {pair.person.pid} {pair.person} – {pair.other.pid} {pair.other}")
                self.stdout.write(f"    {reasons}")
