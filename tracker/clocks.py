"""The database as it stood at a moment: rebuilt from its own history, for whoever may still see it.

Two days decide what is seen: what the audience could see then, and may see now. A copy's history holds nothing that
was withdrawn or closed since (``tracker.publication`` forgets it); from the working database's history what is sealed
now is left out as well as what was sealed then.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from datetime import time as clock
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError, OperationalError, connections, transaction
from django.utils.translation import gettext as _

from tracker.dates import FIRST_YEAR, LAST_YEAR
from tracker.models import Citation, Record, Row
from tracker.models.fields import KeyField
from tracker.publication.belonging import anchors, citations_of, referring, reviewed_models, support_models
from tracker.review import references
from tracker.versions import history_of
from tracker.vocabularies import Audience, Disclosure

#: Whoever writes to a copy holds this advisory lock until it is committed (``publication.writing``).
PUBLISHING: Final = "hashtext('publication')"
PATIENCE: Final = 30.0  # seconds, for a moment at which nobody is in the middle of saving something


class Refused(Exception):
    """A question about a moment that cannot be answered. Its message is for whoever asked."""


def database(audience: Audience) -> str:
    """The alias of the database that holds what the audience may see; staff work in the default one."""
    return "default" if audience is Audience.STAFF else audience.value


def kinds() -> list[type[Row]]:
    """Everything that is rebuilt; what others refer to comes first."""
    found: list[type[Row]] = []
    for record in [*support_models(), *reviewed_models()]:
        found += [record, *record.part_models()]
    return found


# --- A moment in words


def parse(text: str) -> datetime:
    """ISO 8601, in UTC where no offset says otherwise; a day is the end of it. Raises ``Refused``."""
    # in an address a plus that is not escaped is a space
    written = re.sub(r"(T[^ ]*) (?=\d\d:?\d\d$)", r"\1+", text.strip())
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", written):
            return datetime.combine(date.fromisoformat(written), clock.max, UTC)
        if not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", written):
            raise ValueError
        at = datetime.fromisoformat(written)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(
            _(
                "“%(text)s” is no moment. Write a day (2025-12-13: the end of it) or a time as in 2025-12-13T18:30:00Z;"
                " without Z or an offset it is taken for UTC."
            )
            % {"text": text}
        ) from None


def parse_day(text: str) -> date:
    """Raises ``Refused``."""
    written = text.strip()
    if re.fullmatch(r"\d{4}-\d\d-\d\d", written) and FIRST_YEAR <= int(written[:4]) <= LAST_YEAR:
        with suppress(ValueError):
            return date.fromisoformat(written)
    raise Refused(_("“%(text)s” is no day. Write it as 2025-12-13.") % {"text": text})


def display(at: datetime) -> str:
    """To the microsecond: what is asked for again has to be this moment and no other."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


# --- A moment to stand at


@contextmanager
def standing(
    audience: Audience, at: datetime | None = None, *, searched: bool = False, was_known: bool = False
) -> Iterator[datetime]:
    """What is read inside, from the audience's database, is of one moment; nothing can be written.

    Without ``at`` the moment is now, and is given: whoever asks for it later reads the same. ``searched``: with what
    names are found by, which history does not keep. ``was_known``: something was known then, though all of it may be
    withdrawn since. Not within another transaction. Raises ``Refused``.
    """
    using = database(audience)
    with _nobody_publishes(audience) as go_on, transaction.atomic(using=using, durable=True):
        with connections[using].cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        now = _now(audience)
        go_on()
        if at is not None:
            _must_be_known(audience, at, now, was_known=was_known)
            rebuild(audience, at, searched=searched)
        with connections[using].cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        yield now if at is None else at


@contextmanager
def _nobody_publishes(audience: Audience) -> Iterator[Callable[[], None]]:
    """Waits until what is being published to a copy is committed, and keeps the next one waiting until told.

    The transaction must begin inside: one that asks for the lock itself sees the rows of before it got it.
    """
    if audience is Audience.STAFF:
        yield lambda: None
        return
    connection = connections[database(audience)]
    held = True

    def go_on() -> None:
        nonlocal held
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_unlock_shared({PUBLISHING})")
        held = False

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock_shared({PUBLISHING})")
    try:
        yield go_on
    finally:
        if held:
            with suppress(DatabaseError):  # a connection that is gone holds no lock
                go_on()


def _now(audience: Audience) -> datetime:
    """The moment of the transaction: all that is in history up to it is seen, and nothing of after it.

    Staff's edits take no lock that could be asked for, and one that is under way writes a moment into history before
    others can see it. So nobody may be in the middle of one. Locks that are not waited for keep nobody waiting, and
    are gone with the savepoint; what the transaction sees stays.
    """
    using = database(audience)
    if audience is not Audience.STAFF:
        return _clock(using)
    tables = ", ".join(_quote(using, history_of(kind)._meta.db_table) for kind in kinds())
    until = time.monotonic() + PATIENCE
    while True:
        block = transaction.savepoint(using=using)
        try:
            with connections[using].cursor() as cursor:
                cursor.execute(f"LOCK TABLE {tables} IN SHARE MODE NOWAIT")
            return _clock(using)
        except OperationalError as error:
            if time.monotonic() > until:
                raise Refused(
                    _("Something is being saved that takes long, so no moment can be told apart. Try again later.")
                ) from error
        finally:
            transaction.savepoint_rollback(block, using=using)
        time.sleep(0.05)


def _clock(using: str) -> datetime:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return now


def check(audience: Audience, at: datetime) -> None:
    """Raises ``Refused`` for a moment that ``standing`` would refuse."""
    _must_be_known(audience, at, _clock(database(audience)))


def _must_be_known(audience: Audience, at: datetime, now: datetime, *, was_known: bool = False) -> None:
    if at > now:
        raise Refused(
            _("%(at)s is not over yet: it is %(now)s. What is known as of then can still change.")
            % {"at": display(at), "now": display(now)}
        )
    if was_known:
        return
    using = database(audience)
    first = " UNION ALL ".join(
        f"(SELECT pgh_created_at FROM {_quote(using, history_of(kind)._meta.db_table)} ORDER BY pgh_id LIMIT 1)"
        for kind in kinds()
    )
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT min(pgh_created_at) FROM ({first}) AS first")
        (began,) = cursor.fetchone()
    if began is None:
        raise Refused(_("Nothing is known as of %(at)s: there is no history.") % {"at": display(at)})
    if at < began:
        day = began.astimezone(UTC).date().isoformat()
        raise Refused(
            _("Nothing is known as of %(at)s: the history begins on %(day)s.") % {"at": display(at), "day": day}
        )


# --- The tables of that moment


def rebuild(audience: Audience, at: datetime, *, searched: bool = False) -> None:
    """Temporary tables that bear the real names, until the transaction ends: PostgreSQL looks among them first."""
    _Rebuilding(audience, at).run(searched=searched)


class _Rebuilding:
    def __init__(self, audience: Audience, at: datetime) -> None:
        self.audience, self.at = audience, at
        self.using = database(audience)
        self.kinds = kinds()

    def run(self, *, searched: bool) -> None:
        with connections[self.using].cursor() as self.cursor:
            self.cursor.execute("SELECT current_schema()")
            self.schema = self.quote(self.cursor.fetchone()[0])
            self.cursor.execute("SET LOCAL work_mem = '64MB'")
            sealed = self.audience is Audience.STAFF and self._something_was_sealed()
            if sealed:
                self._note_what_is_sealed_now()
            half = self._half_published()
            for kind in self.kinds:
                self._fill(kind, half)
            if sealed:
                self._leave_out_what_is_sealed()
            while self._let_go_of_what_is_not_there() + self._leave_out_what_nothing_uses():
                pass
            if searched:
                self._make_keys()
            for kind in self.kinds:
                self.cursor.execute(f"ANALYZE {self.table(kind)}")

    def quote(self, name: str) -> str:
        return _quote(self.using, name)

    def table(self, kind: type[Row]) -> str:
        return self.quote(kind._meta.db_table)

    def history(self, kind: type[Row]) -> str:
        return f"{self.schema}.{self.quote(history_of(kind)._meta.db_table)}"

    def ask(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = self.cursor.fetchall()
        return found

    def change(self, sql: str, params: Sequence[Any] = ()) -> int:
        self.cursor.execute(sql, params)
        return int(self.cursor.rowcount)

    def _half_published(self) -> UUID | None:
        """What was being published to a copy at that moment, and was seen by nobody yet.

        Publications of a copy come one after the other, so it is the one that wrote last.
        """
        if self.audience is Audience.STAFF:
            return None
        last = " UNION ALL ".join(
            f"(SELECT pgh_created_at, pgh_context_id FROM {self.history(kind)} WHERE pgh_created_at <= %s"
            " ORDER BY pgh_id DESC LIMIT 1)"
            for kind in self.kinds
        )
        found = self.ask(
            f"SELECT pgh_context_id FROM ({last}) AS last ORDER BY pgh_created_at DESC LIMIT 1",
            [self.at] * len(self.kinds),
        )
        context: UUID | None = found[0][0] if found else None
        if context is None:
            return None
        later = " OR ".join(
            f"EXISTS (SELECT FROM {self.history(kind)} WHERE pgh_context_id = %s AND pgh_created_at > %s)"
            for kind in self.kinds
        )
        ((half,),) = self.ask(f"SELECT {later}", [context, self.at] * len(self.kinds))
        return context if half else None

    def _fill(self, kind: type[Row], half: UUID | None) -> None:
        """The last event of each row first, and then not those whose last one is a delete."""
        self._create(
            kind,
            f"""SELECT DISTINCT ON (pgh_obj_id) * FROM {self.history(kind)}
            WHERE pgh_created_at <= %s {"AND pgh_context_id IS DISTINCT FROM %s" if half else ""}
            ORDER BY pgh_obj_id, pgh_id DESC""",
            [self.at, half] if half else [self.at],
        )
        table = self.table(kind)
        self.cursor.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
        for field in references(kind):
            # what the files look up row by row; citations are many, and looked up by their record alone
            if not issubclass(kind, Citation) or field.name == kind.owner:
                self.cursor.execute(f"CREATE INDEX ON {table} ({self.quote(str(field.column))})")

    def _create(self, kind: type[Row], events: str, params: Sequence[Any], *, dead: bool = False) -> None:
        keys = KeyField.names_in(kind)
        columns = ", ".join(
            f"NULL::{field.db_type(connections[self.using])} AS {self.quote(str(field.column))}"
            if field.name in keys
            else self.quote(str(field.column))
            for field in kind._meta.concrete_fields
        )
        living = "" if dead else " WHERE pgh_label <> 'delete'"
        self.cursor.execute(
            f"CREATE TEMPORARY TABLE {self.table(kind)} ON COMMIT DROP AS"
            f" SELECT {columns} FROM ({events}) AS event{living}",
            params,
        )

    # What is sealed, in the working database. A row that lies below what is sealed, or points to it, is so as well.

    def _something_was_sealed(self) -> bool:
        asked = " OR ".join(
            f"EXISTS (SELECT FROM {self.history(kind)} WHERE disclosure = '{Disclosure.SEALED}')"
            for kind in self._sealable()
        )
        return bool(self.ask(f"SELECT {asked}")[0][0])

    def _sealable(self) -> list[type[Row]]:
        return [kind for kind in self.kinds if "" in kind.sealed_paths()]

    def _note_what_is_sealed_now(self) -> None:
        """Asked of every row there ever was: one that was deleted is as closed as it was last."""
        for kind in self.kinds:
            newest = f"SELECT DISTINCT ON (pgh_obj_id) * FROM {self.history(kind)} ORDER BY pgh_obj_id, pgh_id DESC"
            self._create(kind, newest, (), dead=True)
            self.cursor.execute(f"CREATE INDEX ON {self.table(kind)} (id)")
            self.cursor.execute(f"ANALYZE {self.table(kind)}")
        self.cursor.execute("CREATE TEMPORARY TABLE sealed_then_or_now (id uuid) ON COMMIT DROP")
        self._note_what_is_sealed()
        self.cursor.execute(f"DROP TABLE {', '.join(map(self.table, self.kinds))}")

    def _note_what_is_sealed(self) -> None:
        for kind in self.kinds:
            if not kind.sealed_paths():
                continue
            rows: Any = kind.objects.using(self.using)  # type: ignore[attr-defined]
            sealed = rows.exclude(pk__in=rows.unsealed().order_by().values("pk")).order_by().values("pk")
            sql, params = sealed.query.sql_with_params()
            self.cursor.execute(f"INSERT INTO sealed_then_or_now {sql}", params)

    def _leave_out_what_is_sealed(self) -> None:
        for kind in self._sealable():
            self.cursor.execute(
                f"UPDATE {self.table(kind)} SET disclosure = '{Disclosure.SEALED}'"
                " WHERE id IN (SELECT id FROM sealed_then_or_now)"
            )
        self._note_what_is_sealed()
        for kind in self.kinds:
            self.cursor.execute(f"DELETE FROM {self.table(kind)} WHERE id IN (SELECT id FROM sealed_then_or_now)")

    # What was left out, or is forgotten, takes along what cannot be without it, as it does when it is withdrawn.

    def _let_go_of_what_is_not_there(self) -> int:
        changed = 0
        for kind in self.kinds:
            for field in references(kind):
                column = self.quote(str(field.column))
                gone = (
                    f"{column} IS NOT NULL AND NOT EXISTS (SELECT FROM {self.table(field.related_model)} AS target"  # type: ignore[arg-type]
                    f" WHERE target.id = {self.table(kind)}.{column})"
                )
                anchored = issubclass(kind, Record) and field in anchors(kind)
                if anchored or not field.null or field.name in kind.bound:
                    changed += self.change(f"DELETE FROM {self.table(kind)} WHERE {gone}")
                    continue
                blank = self.ask(f"UPDATE {self.table(kind)} SET {column} = NULL WHERE {gone} RETURNING id")
                if blank:
                    changed += len(blank)
                    self._nothing_is_said_of(kind, field.name, [row[0] for row in blank])
        return changed

    def _nothing_is_said_of(self, kind: type[Row], name: str, ids: list[UUID]) -> None:
        for cited, where in citations_of(kind):
            self.cursor.execute(
                f"DELETE FROM {self.table(cited)} WHERE about = %s AND {self.quote(where[0])} = ANY(%s)"
                + "".join(f" AND {self.quote(part)} IS NULL" for part in where[1:]),
                [name, ids],
            )

    def _leave_out_what_nothing_uses(self) -> int:
        """Sources and the like are in a copy as long as something there needs them."""
        if self.audience is Audience.STAFF:
            return 0
        changed = 0
        for kind in reversed(support_models()):
            uses = " AND ".join(
                f"NOT EXISTS (SELECT FROM {self.table(other)} AS other"
                f" WHERE other.{self.quote(field.column)} = {self.table(kind)}.id)"
                for other, field in referring(kind)
                if other in self.kinds
            )
            changed += self.change(f"DELETE FROM {self.table(kind)} WHERE {uses}")
        return changed

    def _make_keys(self) -> None:
        """Of a row that says the same now they are there; the others are made."""
        for kind in self.kinds:
            keys = KeyField.names_in(kind)
            if not keys:
                continue
            live = f"{self.schema}.{self.table(kind)}"
            take = ", ".join(f"{self.quote(key)} = live.{self.quote(key)}" for key in keys)
            self.cursor.execute(
                f"UPDATE {self.table(kind)} AS past SET {take} FROM {live} AS live"
                " WHERE live.id = past.id AND live.text = past.text"
            )
            rows: Any = kind._base_manager.using(self.using)
            while found := list(rows.filter(**{f"{keys[0]}__isnull": True}).only("id", "text", "revision")[:1000]):
                for row in found:
                    values = {key: kind._meta.get_field(key).key_of(row.text) for key in keys}  # type: ignore[union-attr]
                    rows.filter(pk=row.pk).update(**values)


def _quote(using: str, name: str) -> str:
    return connections[using].ops.quote_name(name)
