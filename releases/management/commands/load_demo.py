from typing import Any

from django.core.management.base import BaseCommand, CommandError

from releases import loading
from tracker import demo
from tracker.models import EDITOR, REVIEWER
from tracker.review import Refused


class Command(BaseCommand):
    help = (
        "Make the demo accounts, load the release events of 2025 from fixtures/ and publish them: entered by the demo"
        " editor, reviewed by the demo reviewer. What has been loaded before is left as it is. Needs DEBUG."
    )

    def handle(self, *, verbosity: int, **options: Any) -> None:
        try:
            accounts = demo.ensure_accounts()
            loaded = loading.load_demo(editor=accounts[EDITOR], reviewer=accounts[REVIEWER])
        except (demo.DemoRefused, loading.LoadError, Refused) as error:
            raise CommandError(str(error)) from error
        if verbosity:
            self.stdout.write(str(loaded))
