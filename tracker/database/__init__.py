"""The Django database backend of the project, and where its databases are.

There are three databases: the one staff work in (`default`), and a copy for each audience that
holds only what that audience may see. Each is served from the address given for it or, when none
is given, by the embedded server (see `embedded.py`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

COPIES = ("researcher", "public")

# The triggers of django-pgtrigger read this setting for each row. Where it does not exist, each
# row opens a subtransaction that fails, which made large writes two hundred times slower.
#
# A name is like another (operator %) where this share of what they consist of is in both; a word is in a name (<%)
# where this share of the word is. In PostgreSQL they are 0.3, which only brings in what is not alike, for the key of a
# given name is three signs, and 0.6, which misses short surnames with a slip of the pen.
SESSION_OPTIONS = "-c pgtrigger.ignore={} -c pg_trgm.similarity_threshold=0.4 -c pg_trgm.word_similarity_threshold=0.5"

# What libpq and Django call the same things.
DJANGO_NAMES = {
    "dbname": "NAME",
    "user": "USER",
    "password": "PASSWORD",
    "host": "HOST",
    "port": "PORT",
}


def configure(environ: Mapping[str, str], base: Path) -> dict[str, dict[str, Any]]:
    """Django's DATABASES.

    DATABASE_URL is the working database; where it is unset, all that has no address of its own is
    on the embedded server, whose files are in DATA_DIR (`.data` under `base`). RESEARCHER_DATABASE_URL
    and PUBLIC_DATABASE_URL are the copies; by default they stand beside the working database.

    Nothing is connected to or started here, and nothing is raised: an address that cannot be
    read is reported by `checks.check_databases` and by whatever connects to it.
    """
    data = Path(environ.get("DATA_DIR") or ".data")
    data = base / data.expanduser()  # an absolute path replaces the base
    working = environ.get("DATABASE_URL")

    databases = {"default": _served("DATABASE_URL", working) if working else _embedded("tracker", data)}
    for alias in COPIES:
        variable = f"{alias.upper()}_DATABASE_URL"
        if url := environ.get(variable):
            databases[alias] = _served(variable, url)
        elif working:
            databases[alias] = _served("DATABASE_URL", working, suffix=f"_{alias}")
        else:
            databases[alias] = _embedded(f"tracker_{alias}", data)
    return databases


def _served(variable: str, url: str, *, suffix: str = "") -> dict[str, Any]:
    """Read with libpq's own parser, so that every address PostgreSQL's tools take works here too:
    socket folders, several hosts, services, and any connection parameter."""
    try:
        parameters = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # What libpq says about it can quote the password.
        return _database(
            MALFORMED=f"{variable} is not an address of a PostgreSQL database, such as"
            " postgresql://user:password@host:5432/name. Characters with a meaning in addresses"
            " (such as @ : / # and %) have to be percent-encoded in a user or password."
        )
    if not parameters.get("dbname"):
        return _database(MALFORMED=f"{variable} does not name a database: add /name to its end.")
    parameters["dbname"] = f"{parameters['dbname']}{suffix}"
    options = {key: value for key, value in parameters.items() if key not in DJANGO_NAMES}
    options["options"] = f"{options.get('options') or ''} {SESSION_OPTIONS}".strip()
    named = {DJANGO_NAMES[key]: value for key, value in parameters.items() if key in DJANGO_NAMES}
    return _database(**named, OPTIONS=options)


def _embedded(name: str, data: Path) -> dict[str, Any]:
    # Its address is known when it runs: the backend fills in the host.
    return _database(NAME=name, USER="tracker", OPTIONS={"options": SESSION_OPTIONS}, EMBEDDED=data)


def _database(**given: Any) -> dict[str, Any]:
    return {
        "ENGINE": "tracker.database",
        "NAME": "",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        **given,
    }
