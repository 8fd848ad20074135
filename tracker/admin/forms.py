"""Forms that carry the revision they were opened with, and show what the database refused beside the field."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pgtrigger
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError
from django.forms.models import BaseInlineFormSet, BaseModelFormSet
from django.utils.translation import gettext_lazy as _

from tracker.admin.widgets import search_of
from tracker.columns import WHY_EMPTY
from tracker.models.base import Explained
from tracker.models.fields import empties
from tracker.models.rules import STALE, Guard, StaleError, Unique, explain
from tracker.vocabularies import Missing


@dataclass(frozen=True)
class Refusal:
    """What the database refused, and where on the page to say so (prefix None: the record's own form)."""

    sentence: str
    field: str = ""
    prefix: str | None = None
    index: int | None = None


@dataclass
class Attempt:
    """One attempt to save a page: the forms that were saved, and what came of it.

    A refused attempt is rolled back as a whole. The page is then built once more from what was typed, with the
    refusals put where they belong, so that objects half saved are never shown.
    """

    form: Any = None
    formsets: list[Any] = field(default_factory=list)
    current: Any = None
    refusals: list[Refusal] = field(default_factory=list)
    saved: Any = None

    @contextmanager
    def saving(self, form: Any) -> Iterator[None]:
        """Remembers the form whose row is being written, for a refusal that comes at once."""
        self.current = form
        yield
        self.current = None

    def refuse(self, error: IntegrityError) -> None:
        refusal = explain(error)
        form, name = self.current, refusal.field
        if form is None or (refusal.table and form._meta.model._meta.db_table != refusal.table):
            form = self._guess(error, refusal.table)
            form, name = self._who_changed(refusal.rule, form, name)
        self.refusals.append(self._place(form, str(refusal.sentence), name))

    def _forms(self) -> Iterator[Any]:
        if self.form is not None:
            yield self.form
        for formset in self.formsets:
            for form in formset.forms:
                if form.has_changed() and form not in formset.deleted_forms:
                    yield form

    def _who_changed(self, rule: str, form: Any, name: str) -> tuple[Any, str]:
        """A rule between two tables is broken by the row that was changed, not by the one that is looked at first."""
        if form is not None and name in form.changed_data:
            return form, name
        for model, trigger in pgtrigger.registered():
            if isinstance(trigger, Guard) and trigger.rule == rule:
                for other in self._forms():
                    if other._meta.model is model and trigger.field in other.changed_data:
                        return other, trigger.field
        return form, name

    def _guess(self, error: IntegrityError, table: str) -> Any:
        """The form of a rule that is asked only at the end: the row the database names, else the only one it can be."""
        candidates = [form for form in self._forms() if form._meta.model._meta.db_table == table]
        diag = getattr(error.__cause__, "diag", None)
        named = getattr(diag, "message_detail", None) or ""
        for form in candidates:
            if str(form.instance.pk) in named:
                return form
        return candidates[0] if len(candidates) == 1 else None

    def _place(self, form: Any, sentence: str, name: str) -> Refusal:
        if form is None or not form.prefix:
            return Refusal(sentence, name)
        prefix, _dash, index = form.prefix.rpartition("-")
        return Refusal(sentence, name, prefix, int(index))


def attempt_of(request: Any) -> Attempt:
    if not hasattr(request, "_attempt"):
        request._attempt = Attempt()
    attempt: Attempt = request._attempt
    return attempt


def is_small_number(text: str) -> bool:
    """Digits that ``int`` and the database both take."""
    return text.isascii() and text.isdecimal() and len(text) < 10


class RevisionField(forms.IntegerField):
    """Hidden. By itself it is no change: what differs from the stored row only in it is that row, seen earlier."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> int | None:
        """A revision that there cannot be is one that is not current."""
        text = str(value or "").strip()
        return int(text) if is_small_number(text) else 0 if text else None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class ReasonField(forms.ChoiceField):
    """Why the field ``of`` is empty."""

    def __init__(self, of: str, **kwargs: Any) -> None:
        self.of = of
        choices: list[tuple[str, Any]] = [("", _("no reason given"))]
        choices += [(code.value, str(code.definition).rstrip(".")) for code in Missing.stored()]
        super().__init__(choices=choices, required=False, **kwargs)

    def has_changed(self, initial: Any, data: Any) -> bool:
        # not sent: a list, or a page, without it
        return data is not None and super().has_changed(initial, data)


class RevisedForm(forms.ModelForm):
    """A form of a record or a part. Gives the row the revision the page was opened with; the database compares.

    After its own fields come those that say why one of them is empty, where it is: see ``reasons``.
    """

    revision = RevisionField(required=False)

    #: set on the class that one request makes for itself
    refusals: tuple[Refusal, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["revision"] = self.instance.revision
        else:
            self.fields["revision"].disabled = True  # a new row has none to compare
        for name, found in self.fields.items():
            search = search_of(found.widget)
            row = self.instance._state.fields_cache.get(name) if search else None
            # a row that can be seen points to nothing that cannot, except perhaps to one of its own kind
            if search and row is not None and type(row) is not type(self.instance):
                search.known = {str(row.pk): row}
        if isinstance(self.instance, Explained):
            self._ask_for_reasons(self.instance)

    def _ask_for_reasons(self, row: Explained) -> None:
        for name in empties(type(row)):
            if name in self.fields and row.is_empty(name):
                label = self.fields[name].label
                asked = ReasonField(name, label=label)
                asked.widget.attrs["aria-label"] = _("Why “%(field)s” is empty") % {"field": label}
                self.fields[f"{name}{WHY_EMPTY}"] = asked
                self.initial[f"{name}{WHY_EMPTY}"] = row.missing.get(name, "")

    @property
    def reasons(self) -> list[forms.BoundField]:
        return [self[name] for name, found in self.fields.items() if isinstance(found, ReasonField)]

    @property
    def reasons_given(self) -> str:
        """The fields of which a reason is stored, for the line above."""
        return ", ".join(str(found.label) for found in self.reasons if found.initial)

    def _take_reasons(self, row: Explained) -> None:
        """A value answers what was stored before; to type both at once is a mistake."""
        reasons = dict(row.missing)
        for found in self.reasons:
            field: Any = found.field
            name, reason = field.of, self.cleaned_data.get(found.name)
            if found.name not in self.cleaned_data or found.data is None:
                continue
            reasons.pop(name, None)
            if not reason:
                continue
            if self.cleaned_data.get(name) in (None, "", []):
                reasons[name] = reason
            elif found.name in self.changed_data:
                sentence = _(
                    "“%(field)s” has a value, so there is no reason why it is empty: take one of the two away."
                )
                self.add_error(found.name, sentence % {"field": found.label})
        row.missing = reasons

    def has_changed(self) -> bool:
        # a text that was searched for and not found is typed, too
        return super().has_changed() or any(problem for _name, problem in self._searches())

    def _searches(self) -> Iterator[tuple[str, str]]:
        for name, found in self.fields.items():
            search = search_of(found.widget)
            if search and search.problem:
                yield name, search.problem

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, problem in self._searches():
            self.errors.pop(name, None)
            self.add_error(name, problem)
        for name in self.fields:
            if name in cleaned and cleaned[name] in self.fields[name].empty_values:
                cleaned[name] = self._hidden_value(name, cleaned[name])
        return cleaned

    def _hidden_value(self, name: str, value: Any) -> Any:
        """What the account may not see cannot be chosen in a list; left empty, it stays what it was."""
        options = getattr(self.fields[name], "queryset", None)
        stored = getattr(self.instance, f"{name}_id", None)
        if options is None or stored is None or options.filter(pk=stored).exists():
            return value
        return getattr(self.instance, name)

    def _post_clean(self) -> None:
        if isinstance(self.instance, Explained):
            self._take_reasons(self.instance)
        super()._post_clean()  # type: ignore[misc]
        if not self.instance._state.adding:
            # without one, the form is from nowhere: 0 is no row's revision, so the database refuses it
            self.instance.revision = self.cleaned_data.get("revision") or 0

    def _update_errors(self, errors: ValidationError) -> None:
        """Puts what a constraint says beside the field that the constraint names."""
        if hasattr(errors, "error_dict") and NON_FIELD_ERRORS in errors.error_dict:
            beside = {
                str(constraint.get_violation_error_message()): constraint.field
                for constraint in self.instance._meta.constraints
                if getattr(constraint, "field", "") in self.fields
            }
            for error in errors.error_dict.pop(NON_FIELD_ERRORS):
                place = beside.get(str(error.message), NON_FIELD_ERRORS)
                errors.error_dict.setdefault(place, []).append(error)
        super()._update_errors(errors)  # type: ignore[misc]

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound:
            for refusal in self.refusals:
                self.refuse(refusal)

    def refuse(self, refusal: Refusal) -> None:
        self.add_error(refusal.field if refusal.field in self.fields else None, refusal.sentence)


class RefusingFormSet(BaseModelFormSet):
    """Shows refusals in the row they belong to, and tells the attempt which row is being written."""

    attempt: Attempt | None = None
    forms: list[Any]
    _non_form_errors: Any

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if not isinstance(self, BaseInlineFormSet):
            # in a list, the head of the column is all that names an input
            for field in form.fields.values():
                field.widget.attrs["aria-label"] = f"{field.label}: {form.instance}"

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound or self.attempt is None:
            return
        for refusal in self.attempt.refusals:
            if refusal.prefix == self.prefix:
                self.refuse(refusal)

    def deleted_forms_seen(self) -> list[Any]:
        return [form for form in self.forms if self.can_delete and self._should_delete_form(form)]  # type: ignore[attr-defined]

    def refuse(self, refusal: Refusal) -> None:
        form = self.forms[refusal.index] if refusal.index is not None and refusal.index < len(self.forms) else None
        if form is None or form in self.deleted_forms_seen():
            self._non_form_errors.append(refusal.sentence)
        else:
            form.refuse(refusal)

    @contextmanager
    def saving(self, form: Any) -> Iterator[None]:
        if self.attempt is None:
            yield
            return
        with self.attempt.saving(form):
            yield

    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Any:
        with self.saving(form):
            return super().save_existing(form, obj, commit=commit)

    def delete_existing(self, obj: Any, commit: bool = True) -> None:
        form = next(form for form in self.forms if form.instance is obj)
        with self.saving(form):
            super().delete_existing(obj, commit=commit)


class PartFormSet(RefusingFormSet, BaseInlineFormSet):
    """The parts of one record. A row without a position goes to the end."""

    model: type[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._paired: list[Any] | None = None
        super().__init__(*args, **kwargs)
        self.siblings: list[Any] = []

    def get_queryset(self) -> Any:
        """The stored rows; for a page that was sent, those its rows are about, one for one, None for one that is gone.

        Django pairs rows and forms by their order, and so shows a form beside another row, or not at all, when
        somebody else has deleted or moved one.
        """
        rows = super().get_queryset()
        if not self.is_bound:
            return rows
        if self._paired is None:
            known = {str(row.pk): row for row in rows}
            keys = [self.data.get(f"{self.prefix}-{index}-id") for index in range(self.initial_form_count())]
            self._paired = [known.get(str(key)) for key in keys]
        return self._paired

    def _existing_object(self, pk: Any) -> Any:
        return next((row for row in self.get_queryset() if row is not None and row.pk == pk), None)

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if "position" in form.fields and form.instance._state.adding:
            form.fields["position"].required = False
            form.fields["position"].initial = form.initial["position"] = None
            form.fields["position"].widget.attrs["placeholder"] = _("next")

    def save_new(self, form: Any, commit: bool = True) -> Any:
        with self.saving(form):
            return super().save_new(form, commit=commit)

    def validate_unique(self) -> None:
        """What the database would refuse among the rows of this page, in the words of the rule, beside the row."""
        gone = self.deleted_forms_seen()
        rows = [form for form in self.forms if form.is_valid() and form not in gone and self._counts(form)]
        for rule in self.model._meta.constraints:
            if not isinstance(rule, Unique) or rule.condition is not None:
                continue
            seen: set[tuple[Any, ...]] = set()
            for form in rows:
                values = tuple(getattr(form.instance, name) for name in rule.fields if name != self.fk.name)
                if None not in values and values in seen:
                    form.refuse(Refusal(str(rule.get_violation_error_message()), rule.field))
                seen.add(values)

    def _counts(self, form: Any) -> bool:
        return not form.instance._state.adding or form.has_changed()

    def clean(self) -> None:
        gone = self.deleted_forms_seen()
        kept = [form for form in self.forms if form not in gone and hasattr(form, "cleaned_data")]
        if any("position" in form.fields for form in self.forms):
            taken = [form.cleaned_data.get("position") or 0 for form in kept]
            last = max(taken, default=0)
            for form in kept:
                if form.has_changed() and form.cleaned_data.get("position") is None and "position" not in form.errors:
                    last += 1
                    form.cleaned_data["position"] = form.instance.position = last
        super().clean()
        for form in self.initial_forms:
            # somebody else deleted the row while this page was open; Django would say nothing, or nothing helpful
            if form.instance._state.adding and form not in gone:
                form.errors.pop("id", None)
                form.add_error(None, stale_sentence())


def stale_sentence() -> str:
    return str(explain(StaleError(STALE)).sentence)
