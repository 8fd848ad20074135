"""An import from the file to the database: everything, or nothing and all that is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tracker.acts import doing
from tracker.importing.cells import CellError, read_uuid
from tracker.importing.layout import Layout, claims_itself, layout, table_of, visible
from tracker.importing.problems import Problem, Problems, Unusable
from tracker.importing.reading import Change, Found, Reader, Tell, find_rows, stage
from tracker.importing.writing import Writer, check_targets, fingerprint, lock
from tracker.models import Act, Source, User
from tracker.spreadsheets import SheetError, rows
from tracker.versions import history_of
from tracker.vocabularies import ActKind

BLOCK: Final = 1024 * 1024


@dataclass(frozen=True)
class Order:
    """What is asked for. ``source`` (an id) and ``locator`` stand for every row that does not say its own."""

    what: str
    by: User
    name: str = ""
    source: str = ""
    locator: str = ""


@dataclass(frozen=True)
class Result:
    """``context`` is set when it was done, and takes it back (``tracker.undoing``)."""

    table: str
    problems: list[Problem]
    #: more than are listed
    wrong: int
    read: int = 0
    changed: int = 0
    added: int = 0
    cited: int = 0
    #: column → how many rows change in it
    columns: Mapping[str, int] = field(default_factory=dict)
    #: the first ones
    changes: list[Change] = field(default_factory=list)
    #: of the file and of the rows it would change
    fingerprint: str = ""
    context: UUID | None = None

    @property
    def unchanged(self) -> int:
        return self.read - self.changed - self.added


def run(
    file: BinaryIO, order: Order, *, commit: bool, expect: str = "", tell: Tell = lambda _what, _done: None
) -> Result:
    """One transaction; without ``commit`` all of it is tried, and rolled back.

    ``expect`` is the fingerprint of a preview: what was changed since is refused. Must not be called in a transaction
    that goes on after it, because what it takes out of the copies does not return.
    """
    problems, found, digest = Problems(), Found(), _digest(file)
    table = table_of(order.what)
    told = {"what": table.name, "file": order.name, "source": order.source, "sha256": digest}
    why = f"{table.name}: {order.name}" if order.name else table.name
    mark, cited, act = "", 0, None
    try:
        with _acting(order, why, told, commit) as context:
            of, reader = _compare(file, order, problems, found, tell)
            mark = hashlib.sha256(f"{digest}:{told}:{order.locator}:{fingerprint()}".encode()).hexdigest()
            if expect and expect != mark and not problems:
                problems.add(_("Some of these rows were changed since the preview. Look at the new one."))
            if found.added and not problems:
                _refuse_twice(of, digest, problems)
            if not problems and (found.added or found.changed):
                cited = _write(of, reader, order, found, problems, commit, tell)
                act = context
            if problems or not commit:
                raise Unusable
    except SheetError as error:
        problems.add(str(error))
    except Unusable:
        act = None  # rolled back
    return Result(
        table=table.name,
        problems=list(problems),
        wrong=problems.total,
        read=found.read,
        changed=found.changed,
        added=found.added,
        cited=cited,
        columns={name: found.columns[name] for name in sorted(found.columns)},
        changes=found.shown,
        fingerprint=mark,
        context=act,
    )


@contextmanager
def _acting(order: Order, why: str, told: Mapping[str, str], commit: bool) -> Iterator[UUID | None]:
    """One transaction; one that is to be kept is an act, and stands in the list of them."""
    if commit:
        with doing(ActKind.IMPORT, by=order.by, why=why, **told) as context:
            yield context
    else:
        with transaction.atomic():
            yield None


def _digest(file: BinaryIO) -> str:
    made = hashlib.sha256()
    while block := file.read(BLOCK):
        made.update(block)
    file.seek(0)
    return made.hexdigest()


def _compare(file: BinaryIO, order: Order, problems: Problems, found: Found, tell: Tell) -> tuple[Layout, Reader]:
    lines = rows(file, order.name)
    of = layout(table_of(order.what), next(lines).values, problems)
    source = _source(order, of, problems)
    read = stage(lines, of, problems, tell)
    find_rows(of, order.by, problems)
    reader = Reader(of, order.by, source, order.locator.strip(), problems, found)
    found.read = read
    reader.read(tell)
    check_targets(of, order.by, problems)
    return of, reader


def _source(order: Order, of: Layout, problems: Problems) -> str:
    """The id of the source of the whole file; empty for none."""
    text = order.source.strip()
    if not text:
        return ""
    if of.cited is None and not claims_itself(of.model):
        problems.add(_("%(table)s carry no citations: leave the source out.") % {"table": of.table.name})
        return ""
    try:
        key = read_uuid(text).text
    except CellError as error:
        problems.add(str(error), column="source", value=text)
        return ""
    if not visible(Source, order.by).filter(pk=key).exists():
        problems.add(_("There is nothing with this id."), column="source", value=text)
        return ""
    return key


def _refuse_twice(of: Layout, digest: str, problems: Problems) -> None:
    """New rows have no id that would tell that they are there already."""
    before = Act.objects.filter(kind=ActKind.IMPORT, about__sha256=digest, about__what=of.table.name)
    for act in before.order_by("ended"):
        added = history_of(of.model)._base_manager.filter(pgh_context_id=act.context, pgh_label="insert")
        if of.model._base_manager.filter(pk__in=added.values("pgh_obj_id")).exists():
            sentence = _("The new rows of this very file were added already, on %(day)s. Take that import back first.")
            problems.add(sentence % {"day": timezone.localtime(act.ended).date().isoformat()})


def _write(of: Layout, reader: Reader, order: Order, found: Found, problems: Problems, commit: bool, tell: Tell) -> int:
    lock(of, problems)
    if problems:
        return 0
    writer = Writer(of, reader.fields, found, problems)
    writer.write(tell)
    if commit and not problems:
        writer.keep_in_sight(order.by)
        writer.close()
    return writer.cited
