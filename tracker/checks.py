"""Bad settings fail here, as system checks with an id and a sentence, never as a traceback."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from tracker.database.checks import check_databases

register(Tags.database)(check_databases)


@register
def check_settings(**_: Any) -> list[CheckMessage]:
    """What ``settings.py`` could not read, and what is not safe to serve with."""
    found: list[CheckMessage] = [
        Error(sentence, hint="See the table of settings in README.md.", id=f"tracker.{number}")
        for number, sentence in settings.PROBLEMS
    ]
    return found
