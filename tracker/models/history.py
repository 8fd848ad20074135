"""Who changed what: declared once, written by the database itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import pghistory
import pghistory.models
import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from tracker.models.fields import CodedArrayField, CodedField, KeyField, MissingField, empties, is_empty
from tracker.models.rules import STALE, Check
from tracker.vocabularies import Missing

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


class KnownReasons(models.Func):
    """Whether a column of reasons holds nothing but these keys, each with one of the reasons that are stored."""

    output_field = models.BooleanField()
    template = "NOT jsonb_path_exists(%(expressions)s, '%(path)s')"

    def __init__(self, column: Any, *, keys: Sequence[str], reasons: Sequence[str]) -> None:
        wrong = " && ".join(f'@.key != "{key}"' for key in keys)
        unlike = " && ".join(f'@.value != "{reason}"' for reason in reasons)
        entry = f'({wrong}) || @.value.type() != "string" || ({unlike})'
        path = f'$ ? (@.type() != "object" || exists(@.keyvalue() ? ({entry})))'
        super().__init__(column, path=path)


def _explain_what_is_empty(model: type[models.Model]) -> None:
    """The rules of a model with reasons, made of its fields, so that a new one is part of them."""
    fields = empties(model)
    reasons = tuple(reason.value for reason in Missing.stored())
    column = next(field.name for field in model._meta.concrete_fields if isinstance(field, MissingField))
    of_empty = models.Q()
    for name, field in fields.items():
        of_empty &= ~models.Q(**{f"{column}__has_key": name}) | is_empty(name, field)
    called = model._meta.model_name
    model._meta.constraints = [
        *model._meta.constraints,
        Check(
            name=f"{called}_reasons_are_known",
            condition=models.Q(KnownReasons(models.F(column), keys=tuple(fields), reasons=reasons)),
            sentence=_("Why something is empty is said with one of the reasons offered, of a column that can be."),
            field=column,
        ),
        Check(
            name=f"{called}_reasons_of_what_is_empty",
            condition=of_empty,
            sentence=_("There is a value, and a reason why there is none: take one of the two away."),
            field=column,
        ),
    ]
    answers = " ".join(
        f"IF {_holds_something('NEW', field)} AND NOT {_holds_something('OLD', field)} THEN"
        f" NEW.{column} := NEW.{column} - '{name}'; END IF;"
        for name, field in fields.items()
    )
    pgtrigger.register(
        pgtrigger.Trigger(
            # for whatever writes many rows at once; what is written together with a reason is not touched
            name="value_answers_why",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            condition=pgtrigger.Condition(f"NEW.{column} = OLD.{column} AND NEW.{column} <> '{{}}'"),
            func=f"{answers} RETURN NEW;",
        )
    )(model)


def _holds_something(row: str, field: models.Field[Any, Any]) -> str:
    if isinstance(field, CodedArrayField):
        return f"cardinality({row}.{field.column}) > 0"
    return f"({row}.{field.column} <> '')" if isinstance(field, CodedField) else f"({row}.{field.column} IS NOT NULL)"


def tracked(model: type[M]) -> type[M]:
    """Give the table its revision trigger and its table of events (insert, update, delete, row by row).

    The trackers are made anew for each model: pghistory writes into them.
    """
    owner = getattr(model, "owner", "")
    if any(isinstance(field, MissingField) for field in model._meta.concrete_fields):
        _explain_what_is_empty(model)
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
