from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from tracker.database import COPIES
from tracker.database.creation import clone, create_if_missing
from tracker.models import Alphabetical, Name


class Command(BaseCommand):
    help = (
        "Make everything ready to serve: create and migrate the working database and the copies"
        " for each audience, collect static files, load the reference data. Does only what is"
        " still to be done, so it can be run at any time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo",
            action="store_true",
            help="Also load and publish the demo, with its accounts. Needs DEBUG.",
        )

    def handle(self, *, demo: bool, verbosity: int, **options: Any) -> None:
        was_empty = self.migrate("default", verbosity)
        for copy in COPIES:
            if not (was_empty and clone(connections["default"], connections[copy])):
                self.migrate(copy, verbosity)
        for alias in ("default", *COPIES):
            self.rekey(alias, verbosity)
        if not settings.DEBUG:  # with it, files are served from where they are
            call_command("collectstatic", interactive=False, verbosity=0)
        told = verbosity if was_empty else 0  # that there is nothing to do need not be said
        call_command("load_reference", verbosity=told)
        if demo:
            call_command("load_demo", verbosity=told)

    def rekey(self, alias: str, verbosity: int) -> None:
        """Names are looked up by keys that the code makes: a new version of it may make other ones."""
        rows: Any = Name.objects.using(alias)
        if rows.stale():
            total = rows.count()

            def tell(done: int) -> None:
                if verbosity and total > 20_000:
                    self.stdout.write(f"Keys of names in {alias}: {done} of {total} ...")

            rows.rekey(tell)
            Alphabetical.objects.using(alias).renew()

    def migrate(self, alias: str, verbosity: int) -> bool:
        """Returns whether there was nothing in the database."""
        connection = connections[alias]
        name = connection.settings_dict["NAME"]
        try:
            try:
                connection.ensure_connection()
            except DatabaseError:
                create_if_missing(connection)
            executor = MigrationExecutor(connection)
        except DatabaseError as error:
            raise CommandError(f"The database {name} cannot be used: {str(error).strip()}") from error
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            if verbosity:
                self.stdout.write(f"Migrating the database {name} ({len(plan)} steps) ...")
                self.stdout.flush()
            call_command("migrate", database=alias, interactive=False, verbosity=max(0, verbosity - 1))
        return not executor.loader.applied_migrations
