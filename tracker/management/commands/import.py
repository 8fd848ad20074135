"""Change and add rows from a spreadsheet with the columns of our own export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from tracker.admin.base import works_here
from tracker.importing import CHOICES, Order, Result, run
from tracker.models import User


class Command(BaseCommand):
    help = (
        "Reads FILE (CSV or XLSX, with the columns of the staff's export): rows with an id, or a pid or rid, change"
        " what differs, rows without are added. A column that is not in the file is left alone, an empty cell empties"
        " its column. New rows and changed columns need a source: in the columns source, locator and stated, or for"
        " the whole file. Everything is written in one transaction, or nothing and every problem is listed (exit"
        " status 1). What it would change is printed; with --dry-run, that is all it does."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="CSV, TSV or XLSX")
        parser.add_argument("--what", required=True, choices=CHOICES, metavar="TABLE", help=", ".join(CHOICES))
        parser.add_argument("--by", required=True, metavar="USERNAME", help="whose change it is, who sees what it sees")
        parser.add_argument("--source", default="", metavar="ID", help="of the source of all rows that name none")
        parser.add_argument("--locator", default="", metavar="TEXT", help="where in that source: table 2, page 5")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(
        self, *, file: Path, what: str, by: str, source: str, locator: str, dry_run: bool, **options: Any
    ) -> None:
        user = User.objects.filter(username=by).first()
        if user is None or not works_here(user):
            raise CommandError(f"{by} is no account of an editor or reviewer.")
        order = Order(what, user, name=file.name, source=source, locator=locator)
        try:
            with file.open("rb") as opened:
                result = run(opened, order, commit=not dry_run, tell=self.tell)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except OperationalError as error:
            raise CommandError(f"The database broke off, and nothing was saved. Try again. ({error})") from error
        if result.problems:
            for problem in result.problems:
                self.stdout.write(str(problem))
            more = result.wrong - len(result.problems)
            if more:
                self.stdout.write(f"and {more:,} more")
            raise CommandError(f"{result.wrong:,} problems in {file.name}. Nothing was saved.")
        self.summarise(result, done=not dry_run)

    def tell(self, what: str, done: int) -> None:
        self.stderr.write(f"{what}: {done:,} rows")

    def summarise(self, result: Result, *, done: bool) -> None:
        write = self.stdout.write
        for change in result.changes:
            write(f"row {change.row}, {'new' if change.is_new else change.id}")
            for column, was, becomes in change.cells:
                write(f"    {column}: {was or '(empty)'} → {becomes or '(empty)'}")
        more = result.changed + result.added - len(result.changes)
        if more:
            write(f"and {more:,} rows more")
        for column, number in result.columns.items():
            write(f"{column}: {number:,}")
        write(
            f"{result.table}: {result.read:,} rows read. Changed: {result.changed:,}; new: {result.added:,};"
            f" unchanged: {result.unchanged:,}; citations added: {result.cited:,}."
        )
        if result.context:
            write(f"Done as {result.context}, which can be taken back.")
        elif not done:
            write("Nothing was saved: this was a dry run.")
