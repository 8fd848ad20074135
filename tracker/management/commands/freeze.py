from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracker import comparing, export, freezing
from tracker.models import User
from tracker.publication import COPIES


class Command(BaseCommand):
    help = (
        "Freeze a version of the data of an audience: one package of all files, with what changed since the version"
        " before. It is kept in the audience's copy, listed on its data page, and never changed: when something in it"
        " is withdrawn, the file goes and the version is issued again (manage.py reissue)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--audience", required=True, help=f"For whom: {', '.join(COPIES)}.")
        parser.add_argument("--by", required=True, metavar="USERNAME", help="the reviewer who freezes it")
        parser.add_argument(
            "--as", dest="version_", default="", metavar="VERSION", help="2025.12.1; else the next one of this month"
        )

    def handle(self, *, audience: str, by: str, version_: str, **options: Any) -> None:
        user = User.objects.filter(username=by).first()
        if user is None:
            raise CommandError(f"There is no account {by}.")
        try:
            release = freezing.freeze(export.get_audience(audience), by=user, version=version_)
        except (export.Refused, freezing.Refused) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{release.version} ({audience}): {release.size:,} bytes, SHA-256 {release.sha256}")
        for sentence in comparing.sentences(release.changes):
            self.stdout.write(sentence)
