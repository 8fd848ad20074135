"""What accounts take away is logged: counted and hashed while it is sent, written down when it ends.

Of a reader without an account nothing is kept, and nothing is asked of the working database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from django import forms
from django.conf import settings

from tracker.models import Download

#: What is chosen or counted is kept; what is typed freely can be the name of somebody who was looked for.
KEPT: Final = (forms.ChoiceField, forms.ModelChoiceField, forms.DateField, forms.IntegerField, forms.BooleanField)
HIDDEN: Final = "…"


def logged(
    request: Any, blocks: Iterator[bytes], *, what: str, asked: str = "", rows: int | None = None
) -> Iterator[bytes]:
    """The same blocks. ``rows`` of what is no CSV file, of which they are counted."""
    # as the middleware does: without a session there is no account
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
        return blocks
    about = Download(by=request.user, audience=request.audience, what=what, query=asked, rows=rows or 0)
    return _written_down(blocks, about, count=rows is None)


def _written_down(blocks: Iterator[bytes], about: Download, *, count: bool) -> Iterator[bytes]:
    digest, rows = hashlib.sha256(), Rows()
    about.size, about.complete = 0, False
    try:
        for block in blocks:
            digest.update(block)
            about.size += len(block)
            if count:
                rows.count(block)
            yield block
        about.complete = True
    finally:
        # also when the reader goes away: the server closes what it does not read to the end
        blocks.close()  # type: ignore[attr-defined]
        about.sha256 = digest.hexdigest()
        if count:
            about.rows = rows.total
        about.save(using="default", force_insert=True)


def question(params: Any, fields: Mapping[str, forms.Field], *, plain: tuple[str, ...] = ()) -> str:
    """The parameters of an address, those in ``plain`` and those of the fields, without what was searched for."""
    told = []
    for name, values in sorted(params.lists()):
        for value in values:
            if value:
                open_ = name in plain or isinstance(fields.get(name), KEPT)
                told.append(f"{name}={value if open_ else HIDDEN}")
    return "&".join(told)


class Rows:
    """Counts the rows of a CSV file from its blocks, the header not among them. A block ends between two cells."""

    def __init__(self) -> None:
        self._lines, self._quoted = 0, False

    def count(self, block: bytes) -> None:
        # outside of quotation marks only; a doubled one opens again what it has closed
        for part in block.split(b'"'):
            if not self._quoted:
                self._lines += part.count(b"\n")
            self._quoted = not self._quoted
        self._quoted = not self._quoted

    @property
    def total(self) -> int:
        return max(0, self._lines - 1)
