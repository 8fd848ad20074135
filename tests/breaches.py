"""How each rule of the database is broken on purpose: a case for each, tried through Django and in plain SQL."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pgtrigger
import pytest
from django.core.exceptions import ValidationError
from django.db import models

from tests.rows import MODELS, at_least, change, delete, insert_exactly, make, refused, transaction_of_its_own, update
from tracker.models import Person
from tracker.models.rules import CompositeForeignKey, Guard

Values = dict[str, Any]


@dataclass(frozen=True)
class Breach:
    """``good`` makes the neighbouring legal row; ``bad``, put on top of it, breaks the rule.

    Both may be functions, when other rows are needed; that of ``bad`` is given the legal values.
    """

    model: type[models.Model]
    rule: str
    #: where a form shows the sentence
    field: str
    bad: Values | Callable[[Values], Values]
    good: Values | Callable[[], Values] = dict
    by: tuple[str, ...] = ("insert", "update")
    #: makes what only matters once the legal row is there
    then: Callable[[Any], Any] | None = None
    #: False where saving an object mends it by itself
    saved: bool = True
    #: the model whose table the rule stands in, if it is another one
    on: type[models.Model] | None = None

    @property
    def table(self) -> str:
        return (self.on or self.model)._meta.db_table

    def __str__(self) -> str:
        return f"{self.table}.{self.rule}"

    def values(self) -> tuple[Values, Values]:
        good = at_least(self.model, self.good() if callable(self.good) else self.good)
        return good, self.bad(good) if callable(self.bad) else self.bad

    def check(self, refusal: Any) -> None:
        assert (refusal.rule, refusal.table, refusal.field) == (self.rule, self.table, self.field)
        assert str(refusal.sentence) == str(rules_of(self.on or self.model)[self.rule])

    def try_through_django(self) -> None:
        good, bad = self.values()
        if "insert" in self.by:
            self.try_form(good, bad)
        if not self.saved:
            return
        if "insert" in self.by:
            self.check(refused(change(self.model(), **(good | bad)).save))
        with transaction_of_its_own():
            row = change(self.model(), **good)
            row.save()
        if self.then:
            with transaction_of_its_own():
                self.then(row)
        if "update" in self.by:
            self.check(refused(self.save, change(row, **bad), bad))
        if "delete" in self.by:
            self.save(change(row, **bad), bad)
            self.check(refused(row.delete))

    def save(self, row: Any, bad: Values) -> None:
        # what a plain save leaves alone is written by name
        row.save(update_fields=bad if bad.keys() & set(row.not_saved) else None)

    def try_in_sql(self) -> None:
        good, bad = self.values()
        if "insert" in self.by:
            self.check(refused(insert_exactly, self.model, good | bad))
        with transaction_of_its_own():
            pk = insert_exactly(self.model, good)
        if self.then:
            with transaction_of_its_own():
                self.then(self.model.objects.get(pk=pk))
        if "update" in self.by:
            self.check(refused(update, self.model, pk, **bad))
        if "delete" in self.by:
            update(self.model, pk, **bad)
            self.check(refused(delete, self.model, pk))

    def try_form(self, good: Values, bad: Values) -> None:
        """What ``full_clean`` asks of the constraint: the same sentence before anything is written."""
        for constraint in self.model._meta.constraints:
            if constraint.name == self.rule and not isinstance(constraint, CompositeForeignKey):
                constraint.validate(self.model, change(self.model(), **good))
                with pytest.raises(ValidationError) as caught:
                    constraint.validate(self.model, change(self.model(), **(good | bad)))
                assert caught.value.messages == [str(constraint.sentence)]


def of_a_merged(good: Values) -> Values:
    return {"person": make(Person, merged_into=make(Person))}


def rules_of(model):
    """Names of the constraints and guards of one table, with their sentences."""
    rules = {constraint.name: getattr(constraint, "sentence", None) for constraint in model._meta.constraints}
    for registered, trigger in pgtrigger.registered():
        if registered is model and isinstance(trigger, Guard):
            rules[trigger.rule] = trigger.sentence
    return rules


def rules_of_app(label):
    return {f"{m._meta.db_table}.{rule}" for m in MODELS if m._meta.app_label == label for rule in rules_of(m)}


def follows_from_the_primary_key(label):
    """Unique constraints that composite foreign keys point to. They hold the primary key, so nothing breaks them."""
    return {
        f"{model._meta.db_table}.{constraint.name}"
        for model in MODELS
        if model._meta.app_label == label
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and "id" in constraint.fields
    }
