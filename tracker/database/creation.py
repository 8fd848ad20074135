"""Test databases, cloned from a template rather than migrated one by one.

A run needs one for each alias and each worker of pytest-xdist; migrating takes seconds, cloning a
tenth of one. The template is named after the migrations it was made by, and kept for the next run.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError
from django.db.backends.base.creation import TEST_DATABASE_PREFIX
from django.db.backends.postgresql import creation
from django.db.backends.utils import CursorWrapper
from django.db.migrations.loader import MigrationLoader

TEMPLATE = "test_tracker_template_"

# The first of the two numbers of our advisory locks, so that they are nobody else's.
LOCKS = 0x7465_7374
TEMPLATE_LOCK = 0


def create_if_missing(connection: Any) -> None:
    """Create the database itself, without tables."""
    name = connection.settings_dict["NAME"]
    with connection._nodb_cursor() as cursor:
        if not _exists(cursor, name):
            cursor.execute(f"CREATE DATABASE {connection.ops.quote_name(name)}")


def clone(source: Any, target: Any) -> bool:
    """Make the target a copy of the source, tenfold quicker than migrating it. Returns whether it did: only on the
    embedded server, where both are nobody else's, and only when there is nothing in the target."""
    if not source.settings_dict.get("EMBEDDED") or not target.settings_dict.get("EMBEDDED"):
        return False
    if target.introspection.table_names():
        return False
    source.close()
    target.close()
    name, template = (connection.ops.quote_name(connection.settings_dict["NAME"]) for connection in (target, source))
    with source._nodb_cursor() as cursor:
        try:
            cursor.execute(f"DROP DATABASE {name}")
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        except OperationalError:  # somebody is connected to one of them
            return False
    return True


class DatabaseCreation(creation.DatabaseCreation):
    connection: Any
    # Open while the test database is in use: its session holds the lock on the name.
    _claim: contextlib.ExitStack | None = None

    def create_test_db(
        self,
        verbosity: int = 1,
        autoclobber: bool = False,
        serialize: bool | None = True,
        keepdb: bool = False,
    ) -> str:
        self._claim = contextlib.ExitStack()
        cursor = self._claim.enter_context(self.connection._nodb_cursor())
        name = self._claim_name(cursor)
        if verbosity >= 1:
            self.log(f"Creating test database for alias '{self.connection.alias}'...")
        with self._template(cursor, verbosity) as template:
            if not (keepdb and _template_of(cursor, name) == template):
                quoted = self.connection.ops.quote_name(name)
                cursor.execute(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")
                cursor.execute(f"CREATE DATABASE {quoted} TEMPLATE {template}")
                cursor.execute(f"COMMENT ON DATABASE {quoted} IS '{template}'")
                # What a crash of the machine takes from a test is no loss.
                cursor.execute(f"ALTER DATABASE {quoted} SET synchronous_commit = off")
        self._point_to(name)
        if serialize:
            self.connection._test_serialized_contents = self.serialize_db_to_string()
        self.connection.ensure_connection()
        return name

    def destroy_test_db(self, *args: Any, **kwargs: Any) -> None:
        super().destroy_test_db(*args, **kwargs)
        if self._claim:
            self._claim.close()

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        name = self.connection.ops.quote_name(test_database_name)
        with self.connection._nodb_cursor() as cursor:
            # By force: the threads of a live server may still be connected.
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _claim_name(self, cursor: CursorWrapper) -> str:
        """A name that no other run uses, so that two runs at the same time do not meet."""
        configured = self.connection.settings_dict
        wanted = configured["TEST"]["NAME"] or f"{TEST_DATABASE_PREFIX}{configured['NAME']}"
        for name in itertools.chain([wanted], (f"{wanted}_{number}" for number in itertools.count(2))):
            cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [LOCKS, name])
            if cursor.fetchone()[0]:
                break
        return name

    @contextlib.contextmanager
    def _template(self, cursor: CursorWrapper, verbosity: int) -> Iterator[str]:
        """The name of the migrated template, which stays while it is used."""
        template = TEMPLATE + migrations_digest()
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [LOCKS, TEMPLATE_LOCK])
        try:
            if not _exists(cursor, template):
                cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [TEMPLATE])
                for (stale,) in cursor.fetchall():
                    cursor.execute(f"DROP DATABASE {self.connection.ops.quote_name(stale)} WITH (FORCE)")
                unfinished = f"{template}_unfinished"
                cursor.execute(f"CREATE DATABASE {unfinished}")
                self._migrate(unfinished, verbosity)
                cursor.execute(f"ALTER DATABASE {unfinished} RENAME TO {template}")
            yield template
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCKS, TEMPLATE_LOCK])

    def _migrate(self, name: str, verbosity: int) -> None:
        real_name = self.connection.settings_dict["NAME"]
        alias = self.connection.alias
        self._point_to(name)
        try:
            call_command("migrate", database=alias, interactive=False, run_syncdb=True, verbosity=max(verbosity - 1, 0))
            call_command("createcachetable", database=alias)
        finally:
            self._point_to(real_name)

    def _point_to(self, name: str) -> None:
        self.connection.close()
        settings.DATABASES[self.connection.alias]["NAME"] = name
        self.connection.settings_dict["NAME"] = name


def _exists(cursor: CursorWrapper, name: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return cursor.fetchone() is not None


def _template_of(cursor: CursorWrapper, name: str) -> str | None:
    """The template that a test database was cloned from, if there is one of this name."""
    cursor.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name])
    row = cursor.fetchone()
    return row and row[0]


def migrations_digest() -> str:
    """Changes whenever a migration does, or what runs it."""
    digest = hashlib.sha256()
    for package in ("Django", "psycopg"):
        digest.update(f"{package} {importlib.metadata.version(package)}\n".encode())
    for app in apps.get_app_configs():
        digest.update(f"{app.label}\n".encode())
        module, _ = MigrationLoader.migrations_module(app.label)
        spec = importlib.util.find_spec(module) if module else None
        for folder in (spec and spec.submodule_search_locations) or []:
            for file in sorted(Path(folder).rglob("*")):
                if file.is_file() and file.suffix != ".pyc":
                    digest.update(f"{file.relative_to(folder)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]
