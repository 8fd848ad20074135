"""How to cite what readers are shown: whose it is, what, as of which day, where."""

from __future__ import annotations

from datetime import date

from django.conf import settings


def text(title: str, url: str, on: date, *, version: str = "") -> str:
    """One line for a footnote, in English in every language of the site: it is quoted, not read.

    ``url`` is absolute. With a version the text names that, and the day is the one on which it was frozen.
    """
    moment = f"version {version}, {on.isoformat()}" if version else f"as of {on.isoformat()}"
    return f"{settings.ORGANISATION}, “{title}”, {moment}, {url} ({settings.DATA_LICENCE})."
