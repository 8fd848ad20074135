"""The CSV files: all tables of both apps, read from PostgreSQL by COPY, in blocks, without touching a row.

The files follow RFC 4180. What a cell looks like is said in ``tracker.columns`` and, for readers, in CODEBOOK.md.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from django.db import connections, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from releases.flat import TABLES as RELEASES_FLAT
from releases.tables import TABLES as RELEASES_TABLES
from tracker import clocks, codebook, flat, months, spells
from tracker.columns import Table, database
from tracker.tables import TABLES as TRACKER_TABLES
from tracker.tables import citations
from tracker.vocabularies import Audience

_RECORDS = (*TRACKER_TABLES, *RELEASES_TABLES)
#: Every table, in the order of the codebook.
TABLES: Final[tuple[Table, ...]] = (
    *_RECORDS,
    # of two tables of one model the first holds the records
    citations({table.model: table.name for table in reversed(_RECORDS)}),
    *flat.TABLES,
    *RELEASES_FLAT,
    *spells.TABLES,
    *months.TABLES,
)

BLOCK: Final = 64 * 1024
#: One block of one file at a time in a process: other pages then share it with one download, however many there are.
_TURN: Final = threading.Lock()
BYTE_ORDER_MARK: Final = "\ufeff".encode()


#: An export that cannot be made as it was asked for. Its message is for whoever asked.
Refused = clocks.Refused


def tables_for(audience: Audience) -> list[Table]:
    """The tables of which the audience has more than the id, in the order of the codebook."""
    return [table for table in TABLES if len(table.columns_for(audience)) > 1]


def get_table(name: str) -> Table:
    """Raises ``Refused`` for a name that no table has."""
    for table in TABLES:
        if table.name == name:
            return table
    raise Refused(
        _("There is no table “%(name)s”. There are: %(names)s.")
        % {"name": name, "names": ", ".join(table.name for table in TABLES)}
    )


def get_audience(name: str) -> Audience:
    """Raises ``Refused`` for a name that no audience has."""
    try:
        return Audience(name)
    except ValueError:
        raise Refused(
            _("There is no audience “%(name)s”. There are: %(names)s.")
            % {"name": name, "names": ", ".join(Audience.codes())}
        ) from None


def filename(table: Table, *, excel: bool = False) -> str:
    """The two variants have two names, so that neither is taken for the other or written over it."""
    return f"{table.name}.excel.csv" if excel else f"{table.name}.csv"


def count(table: Table, audience: Audience, queryset: QuerySet[Any] | None = None) -> int | None:
    """How many rows the file has; None where only making it would tell. One query for each model of the table."""
    return table.count(audience, queryset)


def statement(
    table: Table,
    audience: Audience,
    queryset: QuerySet[Any] | None = None,
    *,
    excel: bool = False,
    on: date | None = None,
) -> str:
    """The SELECT that is the file, with nothing left to fill in: COPY takes no parameters."""
    sql, params = table.query(audience, queryset, excel=excel, on=on)
    with connections[database(audience)].cursor() as cursor:
        text: str = cursor.mogrify(sql, params)
    return text


def stream(
    table: Table,
    audience: Audience,
    queryset: QuerySet[Any] | None = None,
    *,
    excel: bool = False,
    on: date | None = None,
    told: Callable[[int], None] = lambda _rows: None,
    known_at: datetime | None = None,
) -> Iterator[bytes]:
    """The file, in blocks of about 64 KiB; ``queryset`` (of the table's model) narrows it to some rows.

    ``on``: the day that spells and months are counted to, unless given that of ``known_at`` (UTC), or today. ``told``
    is told, before the last block, how many rows there are. ``known_at``: as it stood then, in a transaction of its
    own; the first block may raise ``Refused``.

    Nothing is read before the first block is asked for, and what was begun is given up when the iterator is closed.
    Read it in one thread: the connection is that thread's own.
    """
    if known_at is not None:
        day = on or day_of(known_at)
        return _stream_known_at(known_at, table, audience, queryset, excel=excel, on=day, told=told)
    select = statement(table, audience, queryset, excel=excel, on=on)
    return _copy(database(audience), select, excel=excel, told=told)


def _stream_known_at(
    known_at: datetime, table: Table, audience: Audience, queryset: QuerySet[Any] | None, **options: Any
) -> Iterator[bytes]:
    with clocks.standing(audience, known_at, searched=queryset is not None):
        yield from stream(table, audience, queryset, **options)


def day_of(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _copy(alias: str, select: str, *, excel: bool, told: Callable[[int], None]) -> Iterator[bytes]:
    """One statement sees one moment, so this needs no transaction for that; the block undoes what is broken off."""
    connection = connections[alias]
    with (
        transaction.atomic(using=alias),
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT csv, HEADER true, ENCODING 'UTF8')") as rows,
    ):
        # PostgreSQL sends one message a row (it promises so) and ends it with a line feed; RFC 4180 wants CR and LF
        left = iter(rows)
        # the header comes when the query has its first row: nobody else waits for that
        block = [BYTE_ORDER_MARK, next(left)[:-1], b"\r\n"] if excel else [next(left)[:-1], b"\r\n"]
        size, number, more = 0, 0, True
        while more:
            with _TURN:
                more = False
                for row in left:
                    number += 1
                    block += (row[:-1], b"\r\n")
                    size += len(row)
                    if size >= BLOCK:
                        more = True
                        break
            if not more:
                told(number)
            if block:
                yield b"".join(block)
            block.clear()
            size = 0


@contextmanager
def snapshot(audience: Audience, known_at: datetime | None = None) -> Iterator[datetime]:
    """What is read inside is of one moment, which is given, and nothing can be written. Not within a transaction."""
    with clocks.standing(audience, known_at) as moment:
        yield moment


def write(
    directory: Path,
    audience: Audience,
    tables: Sequence[Table] | None = None,
    *,
    excel: bool = False,
    on: date | None = None,
    known_at: datetime | None = None,
    as_of: Callable[[datetime], None] = lambda _moment: None,
    progress: Callable[[str, int], None] = lambda _name, _size: None,
) -> list[Path]:
    """One file a table, and the codebook, all of one moment; ``progress`` is told each file and its size in bytes.

    ``as_of`` is told the moment, ``known_at`` or now: asked for by it, the files are the same. ``on`` is the day of what
    depends on one, unless given that of the moment (UTC).
    They come to stand in the directory when all of them are complete: what fails leaves the files of before.
    Raises ``Refused`` for a directory that cannot be written.
    """
    chosen = tables_for(audience) if tables is None else tables
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # in the directory itself: only within one file system is a file renamed in one step
        unfinished = Path(tempfile.mkdtemp(prefix=".export-", dir=directory))
    except OSError as error:
        raise Refused(
            _("Nothing can be written to %(directory)s: %(why)s.") % {"directory": directory, "why": error.strerror}
        ) from error
    try:
        names = []
        with snapshot(audience, known_at) as moment:
            as_of(moment)
            for table in chosen:
                name = filename(table, excel=excel)
                with _open(unfinished / name, audience) as file:
                    for block in stream(table, audience, excel=excel, on=on or day_of(moment)):
                        file.write(block)
                    size = file.tell()
                names.append(name)
                progress(name, size)
        with _open(unfinished / codebook.NAME, audience) as file:
            file.write(codebook.text(TABLES, audience).encode())
        names.append(codebook.NAME)
        return [(unfinished / name).replace(directory / name) for name in names]
    except OSError as error:
        raise Refused(
            _("Writing to %(directory)s failed: %(why)s. The files of before are as they were.")
            % {"directory": directory, "why": error.strerror}
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _open(path: Path, audience: Audience) -> Any:
    """What is not for the public is for the account that exports it alone."""
    mode = 0o666 if audience is Audience.PUBLIC else 0o600
    return open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode))
