"""Taking a publication back: readers see again what they saw before it, and never more than that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext as _

from tracker.acts import doing
from tracker.models import Record, Reviewed, User
from tracker.publication.belonging import COPIES, Ids, reviewed_models, support_models
from tracker.publication.steps import contradiction, lock_rows, open_copies
from tracker.publication.writing import forget_but_present, refresh
from tracker.review import Refused, support_of
from tracker.versions import history_of, rows_at
from tracker.vocabularies import ActKind, ReviewState


@dataclass
class Return:
    """What taking a publication back would do."""

    #: record → the moment whose state readers see again, None: it leaves the copies
    back: dict[Any, datetime | None] = field(default_factory=dict)
    #: record → why readers go on seeing what they see
    left: dict[Any, str] = field(default_factory=dict)


def returning(context: UUID, *, lock: bool = False) -> Return:
    """What taking back would do now: with every record that is still shown as this publication left it."""
    plan = Return()
    for model in [*support_models(), *reviewed_models()]:
        found = _published_by(model, context)
        if lock:
            lock_rows(model, set(found))
        rows = model._default_manager.filter(pk__in=found).order_by("pk")
        for row in rows:
            moment, before = found[row.pk]
            if row.published_at == moment:
                plan.back[row] = before
            elif isinstance(row, Reviewed):
                plan.left[row] = (
                    _("It was withdrawn since.") if row.published_at is None else _("It was published again since.")
                )
    while held := dict(_held(plan)):
        for row, sentence in held.items():
            del plan.back[row]
            plan.left[row] = sentence
    # what those need that readers go on seeing stays with them
    needed = support_of(plan.left)
    plan.back = {row: moment for row, moment in plan.back.items() if row.pk not in needed.get(type(row), ())}
    return plan


def take_back(context: UUID, *, by: User, why: str = "") -> UUID:
    """Show readers again what they saw before a publication. Raises ``Refused``. Returns the context of this.

    What they saw nothing of is withdrawn; of the rest they see the version of before. It had passed two people, and is
    as closed as it is now. What the working database says stays. What was published again, or withdrawn, since is left.
    """
    with doing(ActKind.UNDO, by=by, why=why.strip(), undoes=str(context)) as done:
        plan = returning(context, lock=True)
        if not any(isinstance(row, Reviewed) for row in plan.back):
            raise Refused([_("Nothing of it is left to be taken back.")])
        scope: Ids = defaultdict(set)
        for row, moment in plan.back.items():
            scope[type(row)].add(row.pk)
            values: dict[str, Any] = {"published_at": moment}
            if isinstance(row, Reviewed):
                if moment is None:
                    values["review_state"] = ReviewState.WITHDRAWN
                elif row.review_state == ReviewState.PUBLISHED:
                    values["review_state"] = ReviewState.DRAFT
            type(row)._base_manager.filter(pk=row.pk).update(**values)
        try:
            with open_copies():
                refresh(scope)
                for audience in COPIES:
                    for model, ids in scope.items():
                        forget_but_present(model, audience, ids)
        except IntegrityError as error:
            raise Refused([contradiction(error)]) from error
    return done


def _published_by(model: type[Record], context: UUID) -> dict[UUID, tuple[datetime, datetime | None]]:
    """Record → the moment that the publication set, and the one before it."""
    events: Any = history_of(model)._base_manager.filter(pgh_context_id=context, pgh_label="update")
    found: dict[UUID, tuple[datetime, datetime | None]] = {}
    keys = dict(events.exclude(published_at=None).values_list("pgh_obj_id", "pgh_id"))
    earlier: Any = history_of(model)._base_manager
    for pk, moment in events.filter(pgh_id__in=keys.values()).values_list("pgh_obj_id", "published_at"):
        found[pk] = (moment, None)
    before = earlier.filter(pgh_obj_id__in=found).order_by("pgh_id").values_list("pgh_obj_id", "pgh_id", "published_at")
    for pk, key, moment in before:
        if key < keys[pk]:
            found[pk] = (found[pk][0], moment)
    return found


def _held(plan: Return) -> Iterator[tuple[Any, str]]:
    """Records whose earlier version cannot stand beside what readers see of others."""
    groups: dict[type[Record], dict[UUID, Any]] = defaultdict(dict)
    for row, moment in plan.back.items():
        if moment is not None and isinstance(row, Record):
            groups[type(row)][row.pk] = row
    for model, rows in groups.items():
        yield from _shown_elsewhere(model, rows, plan)
        yield from _led_away_from(model, rows, plan)


def _moments(rows: Iterable[Any], plan: Return) -> list[tuple[UUID, datetime]]:
    return [(row.pk, moment) for row in rows if (moment := plan.back.get(row)) is not None]


def _shown_elsewhere(model: type[Record], rows: dict[UUID, Any], plan: Return) -> Iterator[tuple[Any, str]]:
    """A part that readers see with another record by now is not shown with this one as well."""
    for part in model.part_models():
        column = f"{part.owner}_id"
        parts = {row.pgh_obj_id: getattr(row, column) for row in rows_at(part, column, _moments(rows.values(), plan))}
        owners = set(history_of(part)._base_manager.filter(pgh_obj_id__in=parts).values_list(column, flat=True)) - set(
            parts.values()
        )
        others = model._base_manager.filter(pk__in=owners, published_at__isnull=False)
        now = [(other.pk, other.published_at) for other in others if other.published_at and other not in plan.back]
        for shown in rows_at(part, column, now):
            if shown.pgh_obj_id in parts:
                yield rows[parts[shown.pgh_obj_id]], _("Something of it is shown with another record since.")


def _led_away_from(model: type[Record], rows: dict[UUID, Any], plan: Return) -> Iterator[tuple[Any, str]]:
    """Readers are not led on from a record below which they see something by now."""
    leading = [row.pgh_obj_id for row in rows_at(model, "id", _moments(rows.values(), plan)) if model.leads_on(row)]
    for kind in reviewed_models() if leading else ():
        for name in kind.below:
            column: Any = kind._meta.get_field(name)
            if column.related_model is not model:
                continue
            shown = kind._base_manager.filter(published_at__isnull=False, **{f"{column.attname}__in": leading})
            now = [(row.pk, row.published_at) for row in shown if row.published_at and row not in plan.back]
            for below in rows_at(kind, "id", now):
                pk = getattr(below, column.attname)
                if pk in rows:
                    yield rows[pk], _("Something below it is shown since, and would be led away from.")
