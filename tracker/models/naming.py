"""Names looked up by how they are written and how they sound: queries over many names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Self

from django.contrib.postgres.search import TrigramSimilarity, TrigramWordSimilarity
from django.db import connections
from django.db.models import Q
from django.db.models.functions import Greatest

from tracker import names
from tracker.models.base import RowQuerySet
from tracker.models.fields import KeyField

#: shorter texts tell nobody from anybody
TELLING = 4

#: so many names are read and written at a time
BLOCK = 5_000


class NameQuerySet(RowQuerySet):
    def found_by(self, text: str) -> list[Self]:
        """Names that are a rendering of the text, in any script and language, or whose surname begins as typed.

        A surname may have a slip of the pen. Several querysets, for each has its index, and asked for with "or" none
        is used. What they find never depends on whether something else is found: that would tell of hidden names.
        """
        asked = names.sought(text)
        # one given name alone: as a surname too, but a slip in it would bring in as many again, and in no order
        near = [key for key in asked.near if key in asked.keys or len(asked.codes) != 1]
        found = [self.filter(near_keys__overlap=near)] if near else []
        if asked.codes:
            found.append(self.filter(near_keys__contains=list(asked.codes)))
        begun = _begun(text)
        if begun:
            found.append(self.filter(begun))
        return found

    def stale(self) -> bool:
        """Whether the keys were made by another version of ``tracker.names``."""
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                "SELECT col_description(%s::regclass, attnum) FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attname = 'near_keys'",
                [self.model._meta.db_table] * 2,
            )
            row = cursor.fetchone()
        return row is None or row[0] != fingerprint()

    def rekey(self, progress: Callable[[int], None] = lambda _done: None) -> int:
        """Makes the keys of all names anew where they differ, block by block; the number of names written.

        What is written is no change: it has no revision and no history.
        """
        fields = KeyField.names_in(self.model)
        written = done = 0
        last: Any = None
        while True:
            rows: Any = type(self)(self.model, using=self.db).order_by("pk")
            if last is not None:
                rows = rows.filter(pk__gt=last)
            block = list(rows.values_list("pk", "text", *fields)[:BLOCK])
            if not block:
                break
            last, done = block[-1][0], done + len(block)
            written += self._write_keys(fields, block)
            progress(done)
        with connections[self.db].cursor() as cursor:
            cursor.execute(f"COMMENT ON COLUMN {self.model._meta.db_table}.near_keys IS '{fingerprint()}'")
        return written

    def _write_keys(self, fields: tuple[str, ...], block: list[Any]) -> int:
        makers: list[Any] = [self.model._meta.get_field(name).key_of for name in fields]  # type: ignore[union-attr]
        fresh = [(pk, text, *(make(text) for make in makers)) for pk, text, *_keys in block]
        changed = [dict(zip(("id", "text", *fields), new, strict=True)) for new, old in zip(fresh, block, strict=True)
                   if new[2:] != tuple(old[2:])]  # fmt: skip
        if changed:
            table = connections[self.db].ops.quote_name(self.model._meta.db_table)
            settings = ", ".join(f"{name} = fresh.{name}" for name in fields)
            with connections[self.db].cursor() as cursor:
                cursor.execute(
                    f"UPDATE {table} name SET {settings} FROM jsonb_populate_recordset(NULL::{table}, %s) fresh"
                    # one that was renamed meanwhile has made its own
                    " WHERE name.id = fresh.id AND name.text = fresh.text",
                    [json.dumps(changed, default=str)],
                )
        return len(changed)


def _begun(text: str) -> Q:
    """Words as typed are the beginnings of words in the name: those that are no given names, which thousands bear.

    A few letters begin very many surnames: with them, the given names have to be the same.
    """
    words = [word for word in names.parse(text).words if word.role not in ("given", "patronymic")]
    typed = [key for word in words for key in names.search_key(word.text).split()]
    found = Q()
    for word in typed:
        found &= Q(search_key__startswith=word) | Q(search_key__contains=f" {word}")
    codes = names.given_codes(text)
    if typed and codes and max(map(len, typed)) <= TELLING:
        found &= Q(near_keys__contains=codes)
    return found


def closeness(text: str) -> Any:
    """How near a name is to the text, the greater the better; what is written as typed before what sounds like it.

    None for a text that is a few letters or one given name, which is as near to thousands.
    """
    asked, literal = names.sought(text), names.search_key(text)
    if len(literal) < TELLING or len(asked.codes) == 1 or not asked.keys:
        return None
    near: list[Any] = [
        TrigramSimilarity("sound_key", key) if " " in key else TrigramWordSimilarity(key, "sound_key")
        for key in asked.keys
    ]
    return TrigramWordSimilarity(literal, "search_key") + 2 * (Greatest(*near) if len(near) > 1 else near[0])


@cache
def fingerprint() -> str:
    """Of the rules and data that keys are made by."""
    folder = Path(names.__file__).parent
    files = sorted(path for path in folder.iterdir() if path.suffix in (".py", ".csv") and path.stem != "romanisation")
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
