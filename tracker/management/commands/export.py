from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from tracker import clocks, export, package
from tracker.vocabularies import Audience


class Command(BaseCommand):
    help = (
        "Write one CSV file for each table, and CODEBOOK.md, all of one moment. The files of the public and of"
        " researchers come from their copies, those of staff from the working database, without what is sealed."
        " Files of before are replaced when all new ones are complete. The moment is printed: --known-at with it makes"
        " the same files again, but for what was withdrawn or closed since."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--to", metavar="DIR", type=Path, help="Where to; made if it is not there.")
        where.add_argument(
            "--zip",
            metavar="FILE",
            type=Path,
            help="All files as one package, with datapackage.json, hashes and how to cite them.",
        )
        parser.add_argument("--audience", required=True, help=f"For whom: {', '.join(Audience.codes())}.")
        parser.add_argument(
            "--excel",
            action="store_true",
            help="TABLE.excel.csv for a spreadsheet: with a byte order mark, and no cell that it runs as a formula.",
        )
        parser.add_argument(
            "--table", action="append", metavar="NAME", help="Only this table. May be given several times."
        )

        parser.add_argument(
            "--known-at",
            metavar="TIMESTAMP",
            help="As it was known then: 2025-12-13T18:30:00Z, UTC if nothing else is said, or a day (the end of it).",
        )
        parser.add_argument(
            "--on",
            metavar="DATE",
            help="The day of in_custody and of what else depends on one, unless given that of the moment (UTC).",
        )

    def handle(
        self,
        *,
        to: Path | None = None,
        zip: Path | None = None,
        audience: str,
        excel: bool,
        table: list[str] | None,
        known_at: str | None = None,
        on: str | None = None,
        **options: Any,
    ) -> None:
        if zip is not None and (excel or table is not None):
            raise CommandError("A package holds all tables, in their plain form: leave --table and --excel away.")
        try:
            at = None if known_at is None else clocks.parse(known_at)
            day = None if on is None else clocks.parse_day(on)
            if zip is not None:
                files = package.save(
                    zip, export.get_audience(audience), on=day, known_at=at, as_of=self.as_of, progress=self.progress
                ).files
                self.stderr.write(f"{len(files)} files in {zip}")
                return
            assert to is not None
            tables = None if table is None else [export.get_table(name) for name in dict.fromkeys(table)]
            written = export.write(
                to,
                export.get_audience(audience),
                tables,
                excel=excel,
                on=day,
                known_at=at,
                as_of=self.as_of,
                progress=self.progress,
            )
        except export.Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        except DatabaseError as error:
            raise CommandError(f"The database could not be read, and no file was replaced: {error}") from error
        self.stderr.write(f"{len(written)} files in {to}")

    def as_of(self, moment: datetime) -> None:
        self.stderr.write(f"as of {clocks.display(moment)}")

    def progress(self, name: str, size: int) -> None:
        self.stderr.write(f"{name}: {size:,} bytes")
