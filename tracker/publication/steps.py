"""The steps that change what readers see: publishing, withdrawing, closing, deleting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime
from typing import Any
from uuid import UUID

import pghistory
from django.db import IntegrityError, connections, transaction
from django.utils.translation import gettext as _

from tracker import review
from tracker.acts import doing
from tracker.models import Record, Reviewed, User
from tracker.models.rules import explain
from tracker.publication.belonging import COPIES, Ids, by_model, reviewed_models
from tracker.publication.writing import refresh
from tracker.review import Refused, support_of
from tracker.versions import editors, former_owners
from tracker.vocabularies import ActKind, ReviewState


def publish(records: Iterable[Reviewed], *, by: User) -> None:
    """Publish what somebody else submitted, all of it or nothing. Raises ``Refused``.

    The copies are written first and committed last: what they cannot hold is refused as a whole, and a crash between
    the commits leaves copies that show too little, which ``repair`` completes. Must not be called inside a transaction.
    """
    chosen = list(records)
    with (
        open_copies(),
        transaction.atomic(durable=True),
        doing(ActKind.PUBLISH, by=by),
    ):
        locked = lock(chosen)
        sentences = review.obstacles(locked, by=by)
        if sentences:
            raise Refused(sentences)
        moment = clock()
        scope: Ids = defaultdict(set)
        for model, group in by_model(locked).items():
            scope[model] = {record.pk for record in group}
            rows = model._base_manager.filter(pk__in=scope[model])
            rows.update(review_state=ReviewState.PUBLISHED, reviewed_by=by, published_at=moment)
        for support, ids in support_of(locked).items():
            scope[support] = take_along(support, ids, moment, by)
        try:
            refresh(scope)
        except IntegrityError as error:
            raise Refused([contradiction(error)]) from error


def withdraw(records: Iterable[Reviewed], *, by: User) -> None:
    """Take records out of every copy at once, with their history there. Any editor may; needs no second person.

    The copies are emptied before the working database is committed: whatever interrupts it leaves copies that show
    too little, never too much.
    """
    chosen = list(records)
    with transaction.atomic(), pghistory.context(user=str(by.pk)):
        locked = lock(chosen)
        wrong = [record for record in locked if record.review_state == ReviewState.WITHDRAWN]
        if wrong:
            raise Refused([_("“%(record)s” is withdrawn already.") % {"record": record} for record in wrong])
        scope: Ids = defaultdict(set)
        for model, group in by_model(locked).items():
            scope[model] = {record.pk for record in group}
            rows = model._base_manager.filter(pk__in=scope[model])
            rows.update(review_state=ReviewState.WITHDRAWN, published_at=None)
        refresh(scope)


def close(*records: Record) -> None:
    """Bring a stricter disclosure (or consent) of saved records, or of their parts, into the copies at once.

    Costs little when nothing became stricter, and never shows anything that was not published. Call it last in a
    transaction: what it takes out of the copies does not return when the transaction is rolled back.
    """
    scope: Ids = defaultdict(set)
    for record in records:
        scope[type(record)].add(record.pk)
    for model, ids in scope.items():
        for name in model.below:
            if model._meta.get_field(name).related_model is model:
                # a person merged into this one is as closed, also while the copies still show the two apart
                scope[model] = ids | set(
                    model._base_manager.filter(**{f"{name}__in": ids}).values_list("pk", flat=True)
                )
    with transaction.atomic():
        refresh(scope)


def delete(record: Record) -> None:
    """Delete a record, from the copies too. The database refuses one that is published and not withdrawn."""
    key = record.pk
    with transaction.atomic():
        record.delete()
        refresh({type(record): {key}})


def lock(records: Iterable[Reviewed]) -> list[Reviewed]:
    """The records as they are now, locked with all their parts, so that no edit falls between reading and copying."""
    locked: list[Reviewed] = []
    groups = by_model(records)
    for model in reviewed_models():
        if model in groups:
            locked += lock_rows(model, {record.pk for record in groups[model]})
    return locked


def lock_rows(model: type[Record], ids: set[UUID]) -> list[Any]:
    locked = list(model._base_manager.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",)))
    for part in model.part_models():
        rows = part._base_manager.filter(**{f"{part.owner}__in": ids}).order_by("pk")
        list(rows.select_for_update(of=("self",)).values_list("pk"))
    return locked


def clock() -> datetime:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def take_along(model: type[Record], ids: set[UUID], moment: datetime, by: User | None) -> set[UUID]:
    """Show these as they are now, unless ``by`` changed one that is shown already: that waits for somebody else.

    Returns which. One that gave them a part (two organisations turned out to be one) goes with them.
    """
    for part in model.part_models():
        for others in former_owners(part, ids).values():
            ids = ids | set(
                model._base_manager.filter(pk__in=others, published_at__isnull=False).values_list("pk", flat=True)
            )
    since = {row.pk: row.published_at for row in lock_rows(model, ids) if row.published_at}
    if by is not None:
        for kind, column in [(model, "id"), *((part, f"{part.owner}_id") for part in model.part_models())]:
            changed = editors(kind, column, since.items())
            ids = ids - {pk for pk, users in changed.items() if str(by.pk) in users}
    model._base_manager.filter(pk__in=ids).update(published_at=moment)
    return ids


def open_copies() -> ExitStack:
    """Transactions in the copies, that are committed after everything inside."""
    copies = ExitStack()
    for audience in COPIES:
        copies.enter_context(transaction.atomic(using=audience))
    return copies


def contradiction(error: IntegrityError) -> str:
    return _(
        "Readers would see this beside an older version of something else, and the two contradict each other."
        " %(sentence)s Where that is corrected already, publish it together with this."
    ) % {"sentence": explain(error).sentence}
