"""Compare the copies that readers read with what they should hold, and mend them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tracker.publication import repair, verify


class Command(BaseCommand):
    help = (
        "Compares the copies that readers read with what they should hold (--verify), or writes the differences"
        " (--repair). Records are published in the admin, by a second person. Exit status 1: differences, none mended."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--verify", action="store_true", help="list where the copies differ; write nothing")
        what.add_argument("--repair", action="store_true", help="write the differences; the copies' history stays")

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for difference in repair() if options["repair"] else verify():
            found += 1
            self.stdout.write(str(difference))
        if not found:
            self.stdout.write("The copies are what they should be.")
        elif options["verify"]:
            raise CommandError(f"{found} differences. Mend them with: manage.py publish --repair", returncode=1)
        else:
            self.stdout.write(f"{found} differences mended.")
