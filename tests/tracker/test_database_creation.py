"""Test databases come from a template."""

import pytest
from django.db import connections

from tracker.database import creation

ALIASES = ["default", "researcher", "public"]


@pytest.mark.django_db(databases=ALIASES)
@pytest.mark.parametrize("alias", ALIASES)
def test_each_test_database_is_a_clone_of_the_template(alias):
    with connections[alias].cursor() as cursor:
        name = connections[alias].settings_dict["NAME"]
        assert name.startswith("test_")
        assert creation._template_of(cursor, name) == creation.TEMPLATE + creation.migrations_digest()
        assert creation._exists(cursor, creation.TEMPLATE + creation.migrations_digest())
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("off",)
        cursor.execute("SELECT 1 FROM tracker_person")  # migrated


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_the_same_time_use_databases_of_their_own():
    used = connections["default"]
    name = used.settings_dict["NAME"]
    other = used.copy()
    # The copy shares the settings, which a second run has for itself.
    other.settings_dict = {**used.settings_dict, "TEST": {**used.settings_dict["TEST"], "NAME": name}}
    second = creation.DatabaseCreation(other)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(used.settings_dict, "NAME", name)
        created = second.create_test_db(verbosity=0, serialize=False)
        try:
            assert created != name
            with other.cursor() as cursor:
                cursor.execute("SELECT current_database()")
                assert cursor.fetchone() == (created,)
        finally:
            second.destroy_test_db(verbosity=0)


def test_the_digest_changes_with_a_migration(settings, tmp_path, monkeypatch):
    package = tmp_path / "copied_migrations"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    settings.MIGRATION_MODULES = {"tracker": "copied_migrations"}
    before = creation.migrations_digest()
    assert creation.migrations_digest() == before
    (package / "0001_first.py").write_text("one")
    after = creation.migrations_digest()
    (package / "0001_first.py").write_text("two")
    assert len({before, after, creation.migrations_digest()}) == 3
