"""Who changed what: declared once, written by the database itself."""

from __future__ import annotations

from typing import Any, TypeVar

import pghistory
import pghistory.models
import pgtrigger
from django.db import models

from tracker.models.fields import KeyField
from tracker.models.rules import STALE

M = TypeVar("M", bound=models.Model)


class Event(pghistory.models.Event):
    """One insert, update or delete of one row, with the row as it was after (a delete: before) it."""

    pgh_id = models.BigAutoField(primary_key=True)

    class Meta:
        abstract = True


def revised(*, ignoring: tuple[str, ...] = ()) -> pgtrigger.Trigger:
    """Refuse a row written with another revision than the one read, else count one up.

    A save that changes nothing is no new revision; nor is one that changes only the columns of ``ignoring``.
    """
    same = " ".join(f"changed.{column} := OLD.{column};" for column in ignoring)
    return pgtrigger.Trigger(
        name="revision",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        declare=[("changed", "RECORD")],
        func=f"""
            IF NEW.revision <> OLD.revision THEN
                RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{STALE}',
                    TABLE = TG_TABLE_NAME, MESSAGE = 'revision ' || NEW.revision || ' is not ' || OLD.revision;
            END IF;
            changed := NEW; {same}
            IF changed IS DISTINCT FROM OLD THEN NEW.revision := OLD.revision + 1; END IF;
            RETURN NEW;
        """,
    )


def _waits_for_its_record(model: type[models.Model], owner: str) -> pgtrigger.Trigger:
    """Lock the record while a part is typed: Django's foreign keys do so only when the transaction ends.

    A publication would else read the record, commit, and be followed by a part whose history says that it was there
    before: published, and nobody has seen it.
    """
    foreign_key: Any = model._meta.get_field(owner)
    record = foreign_key.remote_field.model  # a class: records are declared before their parts
    return pgtrigger.Trigger(
        name="waits_for_its_record",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(f"{owner}_id"),  # type: ignore[no-untyped-call]
        func=f"""
            PERFORM 1 FROM {record._meta.db_table} WHERE id = NEW.{owner}_id FOR KEY SHARE;
            RETURN NEW;
        """,
    )


def tracked(model: type[M]) -> type[M]:
    """Give the table its revision trigger and its table of events (insert, update, delete, row by row).

    The trackers are made anew for each model: pghistory writes into them.
    """
    owner = getattr(model, "owner", "")
    indexes = [models.Index(fields=["pgh_obj", "-pgh_id"]), models.Index(fields=["pgh_context_id"])]
    indexes += [models.Index(fields=[column]) for column in getattr(model, "looked_up_in_history", ())]
    if owner:
        pgtrigger.register(_waits_for_its_record(model, owner))(model)
        indexes.append(models.Index(fields=[owner]))
    derived = KeyField.names_in(model)
    pgtrigger.register(revised(ignoring=(*getattr(model, "bookkeeping", ()), *derived)))(model)
    return pghistory.track(
        pghistory.InsertEvent(),
        pghistory.UpdateEvent(condition=pgtrigger.AnyChange(exclude=list(derived) or None)),
        pghistory.DeleteEvent(),
        base_model=Event,
        model_name=f"{model.__name__}History",
        obj_field=pghistory.ObjForeignKey(db_index=False, related_name="history"),
        meta={"indexes": indexes},
    )(model)
