from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracker import codebook, export


class Command(BaseCommand):
    help = "Write CODEBOOK.md from the declarations of tables, columns and vocabularies."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing; fail if CODEBOOK.md is not current.")

    def handle(self, *, check: bool, **options: Any) -> None:
        path = settings.BASE_DIR / codebook.NAME
        text = codebook.text(export.TABLES)
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise CommandError(f"{codebook.NAME} is not current. Run `manage.py codebook` and commit the result.")
