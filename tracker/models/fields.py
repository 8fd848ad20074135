"""Columns of our own: coded values, lists of them, imprecise dates. The database refuses what a form would refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _
from psycopg.types.range import Range

from tracker import vocabularies
from tracker.dates import DateError, ImpreciseDate, parse
from tracker.names import near_keys, search_key, sound_key


def _quoted(codes: Iterable[str]) -> str:
    return ", ".join("'" + code.replace("'", "''") + "'" for code in codes)


class _Coded:
    """The codes are part of the column, the labels are not: rewording one needs no migration."""

    codes: tuple[str, ...]
    vocabulary: type[vocabularies.Vocabulary] | None

    def _take(
        self, vocabulary: type[vocabularies.Vocabulary] | None, codes: Sequence[str]
    ) -> list[tuple[str, Any]] | None:
        self.vocabulary = vocabulary
        if vocabulary:
            # ``codes`` may name those of the vocabulary that this column takes
            self.codes = tuple(codes) or vocabulary.codes()
            return [(code, label) for code, label in vocabulary.choices() if code in self.codes]
        self.codes = tuple(codes)
        return [(code, code) for code in self.codes] or None


class CodedField(_Coded, models.CharField):
    """One code of a vocabulary; empty where ``blank`` says so. Without codes (in history) it takes any text."""

    def __init__(
        self, vocabulary: type[vocabularies.Vocabulary] | None = None, *, codes: Sequence[str] = (), **kwargs: Any
    ) -> None:
        kwargs["choices"] = self._take(vocabulary, codes)
        if kwargs.get("blank"):
            kwargs.setdefault("default", "")
        super().__init__(**kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("choices", None)
        kwargs["codes"] = self.codes
        if "default" in kwargs:
            kwargs["default"] = str(kwargs["default"])
        return name, path, list(args), kwargs

    def db_check(self, connection: BaseDatabaseWrapper) -> str | None:
        if not self.codes:
            return None
        allowed = (*self.codes, "") if self.blank else self.codes
        return f"{connection.ops.quote_name(str(self.column))} IN ({_quoted(allowed)})"


class CodesFormField(forms.TypedMultipleChoiceField):
    widget = forms.CheckboxSelectMultiple

    def has_changed(self, initial: Any, data: Any) -> bool:
        # a list from the database, a list of strings from the form, in any order
        return sorted(initial or []) != sorted(data or [])


class CodedArrayField(_Coded, ArrayField):
    """Several codes of one vocabulary, each once, kept in alphabetical order (the order of a set means nothing)."""

    def __init__(
        self, vocabulary: type[vocabularies.Vocabulary] | None = None, *, codes: Sequence[str] = (), **kwargs: Any
    ) -> None:
        self.code_choices = self._take(vocabulary, codes) or []
        kwargs.setdefault("default", list)
        kwargs.setdefault("blank", True)
        kwargs["base_field"] = models.CharField()
        super().__init__(**kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("base_field", None)
        kwargs["codes"] = self.codes
        return name, path, list(args), kwargs

    def db_check(self, connection: BaseDatabaseWrapper) -> str | None:
        if not self.codes:
            return None
        column = connection.ops.quote_name(str(self.column))
        return f"{column} <@ ARRAY[{_quoted(self.codes)}]::varchar[] AND array_position({column}, NULL) IS NULL"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if isinstance(value, list | tuple | set | frozenset):
            value = sorted({str(code) for code in value})
        return super().get_db_prep_value(value, connection, prepared)

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        unknown = sorted(set(value) - set(self.codes)) if self.codes else []
        if unknown:
            raise ValidationError(
                _("%(codes)s: no such code. Allowed are: %(allowed)s."),
                params={"codes": ", ".join(unknown), "allowed": ", ".join(self.codes)},
            )

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        options: dict[str, Any] = {
            "choices": self.code_choices,
            "coerce": str,
            "empty_value": [],
            "required": not self.blank,
            "label": str(self.verbose_name).capitalize(),
            "help_text": self.help_text,
        }
        if self.has_default():
            options["initial"] = self.default
        # what a caller (the admin) passes for an array of text makes no sense for a set of codes
        options.update({key: value for key, value in kwargs.items() if key in {"widget", "label", "help_text"}})
        return CodesFormField(**options)


class CountryField(CodedField):
    """One code as in ``CountriesField``, chosen by the country's name."""

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        field: Any = super().formfield(**kwargs)
        field.choices = [*([("", "---------")] if self.blank else []), *vocabularies.country_choices()]
        return field


class CountriesField(CodedArrayField):
    """ISO 3166-1 alpha-2 codes, and XXA (ICAO 9303) for people without citizenship."""

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        self.code_choices = list(vocabularies.country_choices())
        kwargs.setdefault("widget", forms.SelectMultiple(attrs={"size": 6}))
        return super().formfield(**kwargs)


class KeyField(models.Field):
    """Follows the row's ``text`` on every way that objects are written, bulk ones included.

    What it holds says nothing that the text does not: it is no change, and a copy makes its own.
    """

    key_of: Callable[[str], Any]

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        key = self.key_of(model_instance.text)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, key)
        return key

    @classmethod
    def names_in(cls, model: type[models.Model]) -> tuple[str, ...]:
        """The fields of the model that are of this kind."""
        return tuple(field.name for field in model._meta.concrete_fields if isinstance(field, cls))


class SearchKeyField(KeyField, models.CharField):
    """The words as written, in Latin letters; see ``tracker.names.search_key``."""

    key_of = staticmethod(search_key)


class SoundKeyField(KeyField, models.CharField):
    """The same for every rendering of a name; see ``tracker.names.sound_key``."""

    key_of = staticmethod(sound_key)


class NearKeysField(KeyField, ArrayField):
    """One in common for names that a slip of the pen parts; see ``tracker.names.near_keys``."""

    key_of = staticmethod(near_keys)

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("base_field", models.TextField())
        super().__init__(**kwargs)


class ImpreciseDateFormField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs.setdefault("placeholder", "2021-03-05")
        self.widget.attrs.setdefault("autocomplete", "off")

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if isinstance(value, ImpreciseDate):
            return value
        try:
            return parse(str(value))
        except DateError as error:
            raise ValidationError(str(error)) from error

    def prepare_value(self, value: Any) -> Any:
        return value.edtf if isinstance(value, ImpreciseDate) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except ValidationError:
            return True


class ImpreciseDateField(DateRangeField):
    """*Some day within* a range of days; in Python an ``ImpreciseDate``, in forms EDTF text (ISO 8601-2)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def db_check(self, connection: BaseDatabaseWrapper) -> str | None:
        column = connection.ops.quote_name(str(self.column))
        return (
            f"NOT isempty({column}) AND NOT lower_inf({column}) AND NOT upper_inf({column})"
            f" AND lower({column}) >= '1900-01-01' AND upper({column}) <= '2101-01-01'"
        )

    def from_db_value(self, value: Any, *_args: Any) -> ImpreciseDate | None:
        return None if value is None else imprecise(value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, Range):
            return imprecise(value)
        if isinstance(value, str):
            if not value.strip():
                return None
            try:
                return parse(value)
            except DateError as error:
                raise ValidationError(str(error)) from error
        return value

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, str):
            value = self.to_python(value)
        if isinstance(value, ImpreciseDate):
            return day_range(value)
        return super().get_prep_value(value)

    def value_to_string(self, obj: models.Model) -> str:
        value = self.value_from_object(obj)
        return "" if value is None else str(value)

    def run_validators(self, value: Any) -> None:
        """The range validators of the parent speak of ranges; what could be wrong was wrong while parsing."""

    def formfield(self, **kwargs: Any) -> forms.Field | None:  # type: ignore[override]
        kwargs.setdefault(
            "help_text", _("2021, 2021-03, 2021-03-05 or an interval 2021-03-05/2021-03-09; empty if nobody says.")
        )
        return models.Field.formfield(self, form_class=ImpreciseDateFormField, **kwargs)


def imprecise(days: Range[date]) -> ImpreciseDate:
    """From PostgreSQL's half-open range of days; it is never empty and never open (see ``db_check``)."""
    assert days.lower is not None
    assert days.upper is not None
    return ImpreciseDate(days.lower, days.upper - timedelta(days=1))


def day_range(when: ImpreciseDate) -> Range[date]:
    return Range(when.earliest, when.latest + timedelta(days=1), "[)")


class MissingField(models.JSONField):
    """Why typed columns of the row are empty, where somebody knows: {"born": "unknown"}. See ``empties``."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["default"] = dict
        kwargs["db_default"] = models.Value({}, models.JSONField())
        kwargs["editable"] = False
        kwargs.setdefault("verbose_name", _("why something is empty"))
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("default", "db_default", "editable"):
            kwargs.pop(fixed, None)
        return name, path, args, kwargs

    def in_words(self, reasons: Mapping[str, str]) -> str:
        """“born: unknown – nobody knows”, one after the other."""
        return "; ".join(
            f"{field.verbose_name}: {reason_in_words(reasons[field.name])}"
            for field in self.model._meta.concrete_fields
            if field.name in reasons
        )


def reason_in_words(reason: str) -> str:
    """“unknown – nobody knows”."""
    known = vocabularies.Missing(reason)
    label, definition = str(known.label), str(known.definition).rstrip(".")
    return f"{label[:1].lower()}{label[1:]} – {definition[:1].lower()}{definition[1:]}"


def empties(model: type[models.Model]) -> dict[str, models.Field[Any, Any]]:
    """The typed fields of a model that editors may leave empty: of these a file says why they are."""
    return {
        field.name: field
        for field in model._meta.concrete_fields
        if field.editable and not field.is_relation and _can_be_empty(field)
    }


def _can_be_empty(field: models.Field[Any, Any]) -> bool:
    if isinstance(field, _Coded):
        return bool(field.blank)
    typed = ImpreciseDateField | models.BooleanField | models.DateField | models.DecimalField | models.IntegerField
    return field.null and isinstance(field, typed)


def is_empty(name: str, field: models.Field[Any, Any]) -> models.Q:
    """The condition that it holds nothing."""
    if isinstance(field, CodedArrayField):
        return models.Q(**{name: []})
    return models.Q(**{name: ""}) if isinstance(field, CodedField) else models.Q(**{f"{name}__isnull": True})


Redaction = Callable[[Any, Any], Any]


def emptying(redact: Redaction) -> Redaction:
    """Marks a redaction that may leave nothing of a value: where it applies, an empty cell says “withheld”."""
    redact.emptying = True  # type: ignore[attr-defined]
    return redact
