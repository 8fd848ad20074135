"""What the database refuses, and the sentence a person is given for it.

A rule is a constraint or a trigger with a name; the sentence stands beside it and is no part of a migration, so that
it can be reworded and translated. ``explain`` turns a refusal of PostgreSQL back into the sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pgtrigger
from django.apps import apps
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import DEFAULT_DB_ALIAS, IntegrityError, models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class _Rule:
    """Takes the sentence, and the field beside which a form shows it, out of what migrations record."""

    sentence: Text | None
    field: str

    def __init__(self, *args: Any, sentence: Text | None = None, field: str = "", **kwargs: Any) -> None:
        if sentence:
            kwargs["violation_error_message"] = sentence
        super().__init__(*args, **kwargs)
        self.sentence = sentence
        self.field = field

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()  # type: ignore[misc]
        kwargs.pop("violation_error_message", None)
        return path, args, kwargs

    def clone(self) -> Any:
        _path, args, kwargs = self.deconstruct()
        return type(self)(*args, sentence=self.sentence, field=self.field, **kwargs)

    def __eq__(self, other: object) -> bool:
        """As migrations see it: without the sentence."""
        return isinstance(other, models.BaseConstraint) and self.deconstruct()[1:] == other.deconstruct()[1:]

    __hash__ = models.BaseConstraint.__hash__


class Check(_Rule, models.CheckConstraint):
    pass


class Unique(_Rule, models.UniqueConstraint):
    pass


class Exclusion(_Rule, ExclusionConstraint):
    pass


class CompositeForeignKey(_Rule, models.BaseConstraint):
    """``columns`` of this table stand together in one row of ``to`` (which has a unique constraint over them).

    Django has no such constraint. It is deferrable, so that both rows may change in one transaction.
    """

    def __init__(
        self, *, columns: tuple[str, ...], to: str, to_columns: tuple[str, ...], name: str, **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.columns, self.to, self.to_columns = tuple(columns), to, tuple(to_columns)

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        """Nothing in the CREATE TABLE: what it points to may not be there yet."""
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))

    def create_sql(self, model: Any, schema_editor: Any) -> str:
        quote = schema_editor.quote_name
        here = ", ".join(map(quote, self.columns))
        there = ", ".join(map(quote, self.to_columns))
        return (
            f"ALTER TABLE {quote(model._meta.db_table)} ADD CONSTRAINT {quote(self.name)} FOREIGN KEY ({here})"
            f" REFERENCES {quote(self.to)} ({there}) DEFERRABLE INITIALLY DEFERRED"
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> str:
        table = schema_editor.quote_name(model._meta.db_table)
        return f"ALTER TABLE {table} DROP CONSTRAINT {schema_editor.quote_name(self.name)}"

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = DEFAULT_DB_ALIAS) -> None:
        """Left to the database: the other row may be part of the same, unfinished, form."""

    def deconstruct(self) -> Any:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "columns": self.columns, "to": self.to, "to_columns": self.to_columns}


class Guard(pgtrigger.Trigger):
    """A rule that no constraint can state. ``refuse_when`` is an SQL condition over the row (and the tables).

    ``rule`` is the constraint name that the refusal carries; two guards on two tables may share one rule. ``first`` is
    a statement to run before the condition is asked: it locks what the condition reads.
    """

    when = pgtrigger.After
    operation = pgtrigger.Insert | pgtrigger.Update

    def __init__(
        self,
        *,
        rule: str,
        refuse_when: str,
        sentence: Text,
        field: str = "",
        name: str = "",
        first: str = "",
        **kwargs: Any,
    ) -> None:
        self.rule, self.sentence, self.field = rule, sentence, field
        func = f"""{first}
            IF {" ".join(refuse_when.split())} THEN
                RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
                    CONSTRAINT = '{rule}', TABLE = TG_TABLE_NAME, MESSAGE = '{rule}',
                    DETAIL = COALESCE(NEW.id, OLD.id)::text;
            END IF;
            RETURN NULL;
        """
        kwargs.setdefault("timing", pgtrigger.Deferred)
        super().__init__(name=name or rule, func=func, **kwargs)


def deferred(rule: str, refuse_when: str, sentence: Text, **kwargs: Any) -> Guard:
    """Asked at the end of the transaction, when both rows it speaks of have been saved."""
    return Guard(rule=rule, refuse_when=refuse_when, sentence=sentence, **kwargs)


def immediate(rule: str, refuse_when: str, sentence: Text, **kwargs: Any) -> Guard:
    return Guard(rule=rule, refuse_when=refuse_when, sentence=sentence, timing=None, **kwargs)


STALE = "revision_is_current"

_SENTENCES: dict[str, Text] = {
    STALE: _(
        "Somebody else has changed this since you opened it. Nothing was saved. Open it again in another tab,"
        " compare, and enter your change there."
    ),
    "unique": _("Another row already says the same."),
    "foreign_key": _("This refers to something that does not exist (any more), or something still refers to it."),
    "not_null": _("This cannot be left empty."),
    "check": _("This value is not allowed here."),
    "protected": _("Something else refers to this, so it cannot be deleted."),
    "other": _("The database refused this (%(name)s)."),
}


@dataclass(frozen=True)
class Refusal:
    rule: str
    table: str
    field: str
    sentence: Text


def _rules() -> dict[tuple[str, str], tuple[Text, str]]:
    """(table, rule) → sentence and field; two tables may share a rule and differ in the field."""
    known: dict[tuple[str, str], tuple[Text, str]] = {}
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if isinstance(constraint, _Rule) and constraint.sentence:
                known[model._meta.db_table, constraint.name] = (constraint.sentence, constraint.field)
    for guarded, trigger in pgtrigger.registered():
        if isinstance(trigger, Guard):
            known[guarded._meta.db_table, trigger.rule] = (trigger.sentence, trigger.field)
    return known


def explain(error: IntegrityError) -> Refusal:
    """Which rule PostgreSQL (or a stale delete) says was broken, in words for the person who broke it."""
    diag = getattr(error.__cause__, "diag", None)
    rule, table, column = (
        str(getattr(diag, name, None) or "") for name in ("constraint_name", "table_name", "column_name")
    )
    rule = rule or getattr(error, "rule", "")
    if rule == STALE:
        return Refusal(rule, table, "", _SENTENCES[STALE])
    known = _rules().get((table, rule))
    if known:
        return Refusal(rule, table, known[1], known[0])
    if isinstance(error, models.ProtectedError | models.RestrictedError):
        # its own words name the rows that refer to it, also to whoever may not see them
        return Refusal(rule, table, "", _SENTENCES["protected"])
    kind = {
        "UniqueViolation": "unique",
        "ForeignKeyViolation": "foreign_key",
        "NotNullViolation": "not_null",
        "CheckViolation": "check",
    }.get(type(error.__cause__).__name__, "other")
    sentence = _SENTENCES[kind]
    if kind == "other":
        return Refusal(rule, table, column, sentence % {"name": rule or type(error.__cause__).__name__})
    for model in apps.get_models():
        if model._meta.db_table == table:
            for field in model._meta.concrete_fields:
                if field.column == column or _is_named_after(rule, table, str(field.column)):
                    return Refusal(rule, table, field.name, sentence)
    return Refusal(rule, table, column, sentence)


def _is_named_after(rule: str, table: str, column: str) -> bool:
    """Both PostgreSQL and Django name what belongs to a column after table and column; Django cuts a long table."""
    if rule.startswith(f"{table}_{column}_"):
        return True
    start = re.sub(r"_[0-9a-f]{8}_(fk|uniq|like)(_.*)?$", "", rule)
    return start.endswith(f"_{column}") and table.startswith(start[: -len(column) - 1])


class StaleError(IntegrityError):
    """A row was deleted or saved that somebody else had changed in the meantime."""

    rule = STALE
