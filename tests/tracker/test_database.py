"""Where the databases are, and what a bad setting gets."""

from pathlib import Path

import pytest
from django.core.checks import Tags, registry, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import ConnectionHandler

from tracker.database import SESSION_OPTIONS, base, checks, configure

BASE = Path("/clone")


def configured(**environ: str) -> dict:
    return configure(environ, BASE)


def places(databases: dict) -> list[tuple]:
    return [tuple(databases[alias].get(key, "") for key in ("HOST", "PORT", "NAME")) for alias in databases]


def test_without_settings_all_three_are_embedded():
    databases = configured()
    assert list(databases) == ["default", "researcher", "public"]
    assert [database["NAME"] for database in databases.values()] == ["tracker", "tracker_researcher", "tracker_public"]
    assert {database["EMBEDDED"] for database in databases.values()} == {Path("/clone/.data")}
    assert {database["ENGINE"] for database in databases.values()} == {"tracker.database"}


@pytest.mark.parametrize(
    ("setting", "folder"), [("", "/clone/.data"), ("here", "/clone/here"), ("/srv/data", "/srv/data")]
)
def test_the_folder_of_the_embedded_server(setting, folder):
    assert configured(DATA_DIR=setting)["default"]["EMBEDDED"] == Path(folder)


def test_the_copies_stand_beside_the_working_database():
    databases = configured(DATABASE_URL="postgresql://me:p%40ss@db.example:5433/prisoners")
    assert places(databases) == [
        ("db.example", "5433", "prisoners"),
        ("db.example", "5433", "prisoners_researcher"),
        ("db.example", "5433", "prisoners_public"),
    ]
    assert {(database["USER"], database["PASSWORD"]) for database in databases.values()} == {("me", "p@ss")}
    assert not any("EMBEDDED" in database for database in databases.values())


def test_a_copy_has_an_address_of_its_own():
    databases = configured(
        DATABASE_URL="postgresql://inside/prisoners", PUBLIC_DATABASE_URL="postgresql://outside/shown"
    )
    assert places(databases) == [
        ("inside", "", "prisoners"),
        ("inside", "", "prisoners_researcher"),
        ("outside", "", "shown"),
    ]


@pytest.mark.parametrize(
    ("url", "host", "port", "name"),
    [
        ("postgres://db.example/prisoners", "db.example", "", "prisoners"),
        ("postgresql://%2Fvar%2FRun%2Fpg/prisoners", "/var/Run/pg", "", "prisoners"),
        ("postgresql:///prisoners?host=/var/run/postgresql", "/var/run/postgresql", "", "prisoners"),
        ("postgresql://one:5432,two:5433/prisoners", "one,two", "5432,5433", "prisoners"),
        ("postgresql://[::1]:5432/prisoners", "::1", "5432", "prisoners"),
        ("host=db.example dbname=prisoners", "db.example", "", "prisoners"),
    ],
)
def test_every_address_that_the_tools_of_postgresql_take(url, host, port, name):
    assert places(configured(DATABASE_URL=url))[0] == (host, port, name)


def test_parameters_of_the_address_are_kept():
    url = "postgresql://one,two/prisoners?sslmode=verify-full&target_session_attrs=read-write&options=-c%20search_path%3Dx"
    assert configured(DATABASE_URL=url)["public"]["OPTIONS"] == {
        "sslmode": "verify-full",
        "target_session_attrs": "read-write",
        "options": f"-c search_path=x {SESSION_OPTIONS}",
    }


def test_history_is_quick_on_every_database():
    for databases in (configured(), configured(DATABASE_URL="postgresql://db.example/prisoners")):
        assert {database["OPTIONS"]["options"] for database in databases.values()} == {SESSION_OPTIONS}
    assert "-c pgtrigger.ignore={}" in SESSION_OPTIONS


def use(monkeypatch, databases):
    """Let the checks see these databases."""
    handler = ConnectionHandler(databases)
    monkeypatch.setattr(checks, "connections", handler)
    return handler


BAD = [
    ("mysql://me:secret@db.example/prisoners", "is not an address of a PostgreSQL database"),
    ("postgresql://me:secret@db.example:port/prisoners%zz", "is not an address of a PostgreSQL database"),
    ("postgresql://me:secret@db.example/prisoners?no_such_option=1", "is not an address"),
    ("postgresql://me:secret@db.example", "does not name a database"),
]


@pytest.mark.parametrize(("url", "sentence"), BAD)
def test_an_address_that_cannot_be_read(monkeypatch, django_db_blocker, url, sentence):
    handler = use(monkeypatch, configured(DATABASE_URL=url, PUBLIC_DATABASE_URL="postgresql://db.example/shown"))
    found = checks.check_addresses()
    assert [problem.id for problem in found] == ["tracker.E001", "tracker.E001"]
    assert all(problem.msg.startswith("DATABASE_URL ") and sentence in problem.msg for problem in found)
    assert not any("secret" in problem.msg for problem in found)
    with django_db_blocker.unblock(), pytest.raises(ImproperlyConfigured, match=sentence):
        handler["default"].ensure_connection()
    with django_db_blocker.unblock():  # said once is enough
        assert checks.check_databases(databases=["default"]) == []


def test_a_copy_that_is_the_working_database(monkeypatch):
    url = "postgresql://db.example/prisoners"
    use(monkeypatch, configured(DATABASE_URL=url, PUBLIC_DATABASE_URL=url))
    (problem,) = checks.check_addresses()
    assert problem.id == "tracker.E002"
    assert problem.msg == "The databases default and public are the same one."


def test_a_server_that_is_too_old(transactional_db):
    databases = {**configured(), "default": connections["default"].settings_dict}
    # taken back before the database is cleared, which may connect anew
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base.DatabaseFeatures, "minimum_database_version", (99,))
        patch.setattr("django.db.backends.base.base.RAN_DB_VERSION_CHECK", set())
        handler = use(patch, databases)
        (problem,) = checks.check_databases(databases=["default"])
        handler.close_all()
    assert problem.id == "tracker.E003"
    assert "PostgreSQL 99 or later is required" in problem.msg


def test_a_server_that_is_not_there(monkeypatch, django_db_blocker):
    use(monkeypatch, configured(DATABASE_URL="postgresql://127.0.0.1:1/prisoners"))
    with django_db_blocker.unblock():
        assert checks.check_databases() == []  # connects to what it is asked for
        (problem,) = checks.check_databases(databases=["default"])
    assert problem.id == "tracker.E004"
    assert "Connection refused" in problem.msg


def test_both_checks_are_registered():
    assert checks.check_addresses in registry.registry.registered_checks
    assert checks.check_databases in registry.registry.registered_checks
    assert Tags.database in checks.check_databases.tags
    assert run_checks(tags=[Tags.database]) == []


@pytest.mark.django_db(databases=["default", "researcher", "public"])
def test_the_checks_find_nothing_wrong_with_the_databases_of_the_tests():
    assert run_checks(tags=[Tags.database], databases=list(connections)) == []
