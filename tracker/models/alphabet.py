"""Where persons stand in the alphabet: what pages of a list are cut by, kept by the database itself."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.db import connections, models
from django.utils.translation import gettext_lazy as _

# One Latin letter for each Cyrillic one, and for each with a mark: enough to sort by. Capitals too, for ``lower`` knows
# them only where the database's locale does.
_FROM = "абвгґдеёжзиійклмнопрстуўфхцчшщыэєюяїčćšśžźżłńřěéèëáàäâãåąęėįųūôöóøüúùíìñç"
_TO = "abvggdeezziijklmnoprstuufhccssyeeyyiccsszzzlnreeeeaaaaaaaeeiuuoooouuuiinc"
#: characters of a text that is sorted by
LONGEST = 100
#: after every letter: of whom neither a name nor a label is known
_LAST = "\U0010ffff"


def _letters(column: str) -> str:
    upper = "".join(letter.upper() for letter in _FROM)
    # those without a partner at the end are dropped: signs, and apostrophes of every kind; an index takes no whole page
    return f"left(translate(lower({column}), '{_FROM}{upper}ьъЬЪʼ’‘`''', '{_TO}{_TO}'), {LONGEST})"


#: The key of each person: the first name that is not erroneous, else the label. To be narrowed by a WHERE.
_KEYS = f"""SELECT p.id, COALESCE(
        (SELECT {_letters("n.text")} FROM tracker_name n WHERE n.person_id = p.id AND n.kind <> 'erroneous'
            ORDER BY n.position LIMIT 1),
        NULLIF({_letters("p.label")}, ''), '{_LAST}')
    FROM tracker_person p"""
_WRITE = """INSERT INTO tracker_alphabetical (person_id, key) {keys}
    ON CONFLICT (person_id) DO UPDATE SET key = EXCLUDED.key WHERE tracker_alphabetical.key <> EXCLUDED.key"""


#: Makes every key anew that is not what it should be
RENEW = _WRITE.format(keys=f"{_KEYS} WHERE true")


class AlphabeticalQuerySet(models.QuerySet[Any]):
    def renew(self) -> None:
        """Also of rows that were loaded without triggers."""
        with connections[self.db].cursor() as cursor:
            cursor.execute(RENEW)


class Alphabetical(models.Model):
    """One for each person. Apart from the person, so that it is in no revision, no history and no stale save.

    It follows from names and label alone: a copy makes its own, from the names that it holds.
    """

    person = models.OneToOneField(
        "tracker.Person",
        primary_key=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="alphabetical",
    )
    key = models.TextField(db_collation="C", editable=False)

    objects = AlphabeticalQuerySet.as_manager()

    class Meta:
        verbose_name = _("place in the alphabet")
        indexes = [models.Index(fields=["key", "person"], name="alphabetical_key")]

    def __str__(self) -> str:
        return self.key


def placed(*columns: str, person: str) -> list[pgtrigger.Trigger]:
    """For the tables that the key is made from: ``columns`` of it, and ``person``, the key of whom the row is about."""
    gone = "DELETE FROM tracker_alphabetical WHERE person_id = OLD.id;" if person == "id" else ""
    write = _WRITE.format(keys=f"{_KEYS} WHERE p.id IN ({{}})")
    changed = pgtrigger.UpdateOf(*columns)  # type: ignore[no-untyped-call]
    both = f"NEW.{person}, OLD.{person}"
    operations: list[tuple[str, Any, str]] = [
        ("placed_when_added", pgtrigger.Insert, f"{write.format(f'NEW.{person}')};"),
        ("placed_when_changed", changed, f"{write.format(both)};"),
        ("placed_when_gone", pgtrigger.Delete, gone or f"{write.format(f'OLD.{person}')};"),
    ]
    return [
        pgtrigger.Trigger(name=name, when=pgtrigger.After, operation=operation, func=f"{statement} RETURN NULL;")
        for name, operation, statement in operations
    ]
