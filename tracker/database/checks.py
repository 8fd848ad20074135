"""What can be wrong with the databases, said as Django system checks."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.db import NotSupportedError, OperationalError, connections


@register
def check_addresses(**_: Any) -> list[CheckMessage]:
    """Reads the configuration and connects to nothing."""
    problems: list[CheckMessage] = []
    places: dict[tuple[str, ...], str] = {}
    for alias in connections:
        configured = connections[alias].settings_dict
        if sentence := configured.get("MALFORMED"):
            problems.append(Error(sentence, id="tracker.E001"))
            continue
        place = tuple(str(configured[key]) for key in ("HOST", "PORT", "NAME"))
        other = places.setdefault(place, alias)
        if other != alias:
            problems.append(
                Error(
                    f"The databases {other} and {alias} are the same one.",
                    hint="A copy must hold nothing but what its audience may see: give each its"
                    " own with DATABASE_URL, RESEARCHER_DATABASE_URL and PUBLIC_DATABASE_URL.",
                    id="tracker.E002",
                )
            )
    return problems


def check_databases(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Connects, so only to the databases that the check was asked for (`check --database`)."""
    problems: list[CheckMessage] = []
    for alias in databases or ():
        try:
            connections[alias].ensure_connection()
        except ImproperlyConfigured:
            pass  # E001
        except NotSupportedError as error:
            problems.append(Error(f"The database {alias} is too old: {error}", id="tracker.E003"))
        except OperationalError as error:
            said = str(error).strip()
            problems.append(Error(f"The database {alias} cannot be used: {said}", id="tracker.E004"))
    return problems
