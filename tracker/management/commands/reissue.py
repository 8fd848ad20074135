from typing import Any

from django.core.management.base import BaseCommand

from tracker import freezing
from tracker.publication import COPIES


class Command(BaseCommand):
    help = (
        "Issue again, without what was withdrawn, every frozen version whose file is gone because of that. Does"
        " nothing when there is none, so that a timer can run it."
    )

    def handle(self, **options: Any) -> None:
        done = 0
        for audience in COPIES:
            for release in freezing.reissue(audience):
                done += 1
                self.stdout.write(f"{release.version} ({audience}): {release.size:,} bytes, SHA-256 {release.sha256}")
        if not done:
            self.stdout.write("No version has to be issued again.")
