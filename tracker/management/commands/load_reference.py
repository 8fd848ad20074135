from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from releases import loading


class Command(BaseCommand):
    help = (
        "Load provisions of law and facilities from fixtures/reference/. What is there already, or was deleted by an"
        " editor, is left as it is. A bad row stops it with file, row, column and value, and nothing is loaded."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=loading.REFERENCE, help="Where the files are.")

    def handle(self, *, folder: Path, verbosity: int, **options: Any) -> None:
        try:
            loaded = loading.load_reference(folder)
        except loading.LoadError as error:
            raise CommandError(str(error)) from error
        if verbosity:
            self.stdout.write(str(loaded))
