"""What a list, and the CSV of the same rows, can be narrowed by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from releases.models import Release, ReleaseEvent
from tracker import dates, names
from tracker import vocabularies as v
from tracker.models import Charge, Facility, Person, Provision, Source, Status

ANY = _("any")
#: Which countries come first in a list of all of them.
CITIZENS = ("BY", "UA", "PL", "LT", "RU")
DESTINATIONS = ("UA", "LT", "PL")


def citizenship_choices() -> list[tuple[str, str]]:
    return v.country_choices(CITIZENS)


def destination_choices() -> list[tuple[str, str]]:
    return v.country_choices(DESTINATIONS)


def events(request: Any) -> QuerySet[ReleaseEvent]:
    return ReleaseEvent.objects.using(request.audience)


def facilities(request: Any) -> QuerySet[Facility]:
    return Facility.objects.using(request.audience)


def provisions(request: Any) -> QuerySet[Provision]:
    return Provision.objects.using(request.audience)


class DayField(forms.DateField):
    def to_python(self, value: Any) -> date | None:
        try:
            return super().to_python(value)
        except ValidationError:
            raise ValidationError(
                _("“%(value)s” is no day. Write it as 2025-12-13."), code="invalid", params={"value": value}
            ) from None


class DayFilter(django_filters.DateFilter):
    """One exact day, of the years that a date can have here."""

    field_class = DayField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        first, last = date(dates.FIRST_YEAR, 1, 1), date(dates.LAST_YEAR, 12, 31)
        super().__init__(
            *args,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            input_formats=["%Y-%m-%d"],
            validators=[MinValueValidator(first), MaxValueValidator(last)],
            **kwargs,
        )


class CodeFilter(django_filters.ChoiceFilter):
    """One code of a list; what is not in the list is refused with the value that was asked for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("empty_label", ANY)
        kwargs["error_messages"] = {
            "invalid_choice": _("“%(value)s” is not one of the values. Choose one of the list.")
        }
        super().__init__(*args, **kwargs)


class EventChoice(django_filters.ModelChoiceFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(
            *args,
            queryset=events,
            to_field_name="rid",
            empty_label=ANY,
            error_messages={"invalid_choice": _("There is no such event.")},
            **kwargs,
        )


class FacilityChoice(django_filters.ModelChoiceFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(
            *args,
            queryset=facilities,
            empty_label=ANY,
            error_messages={"invalid_choice": _("There is no such facility.")},
            **kwargs,
        )


class ArticleChoice(django_filters.ModelChoiceFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(
            *args,
            queryset=provisions,
            empty_label=ANY,
            error_messages={"invalid_choice": _("There is no such article.")},
            **kwargs,
        )


class Filter(django_filters.FilterSet):
    """Read from ``request.audience``'s copy. Nothing is found by a filter that cannot be read."""

    @classmethod
    def of(cls, request: Any, rows: QuerySet[Any]) -> Any:
        return cls(request.GET, rows, request=request)

    @property
    def rows(self) -> QuerySet[Any]:
        return self.qs if self.is_valid() else self.queryset.none()

    @property
    def problems(self) -> Iterator[tuple[str, str]]:
        """What cannot be read: the label of the field, and a sentence."""
        for name, errors in self.form.errors.items():
            for error in errors:
                yield str(self.form.fields[name].label), str(error)

    def unknown(self, allowed: Iterable[str]) -> list[str]:
        """Parameters that are no filter: an answer to a mistyped one would be an answer to another question."""
        return sorted(set(self.data) - set(self.filters) - set(allowed))

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """What narrows the list, as label and value in words."""
        found = []
        for name, value in getattr(self.form, "cleaned_data", {}).items():
            if value in (None, "", []):
                continue
            field = self.form.fields[name]
            if isinstance(value, date):
                words = dates.ImpreciseDate.from_day(value).display
            elif isinstance(field, django_filters.fields.ChoiceField):
                words = str(dict(field.choices)[value])
            else:
                words = str(value)
            found.append((str(field.label), words))
        return found

    @property
    def query(self) -> str:
        """The filters that are set, as a query string for the CSV of the same rows."""
        asked = self.data.copy()
        for name in self.data:
            if name not in self.filters or not any(asked.getlist(name)):
                del asked[name]
        return str(asked.urlencode())


def held_on(rows: QuerySet[Any], asked: Mapping[str, Any], day: date) -> QuerySet[Any]:
    """Persons in custody on the day, of the kind and in the facility asked for; how sure that is goes for both."""
    persons: Any = Person.objects.using(rows.db)
    found = []
    if asked["custody"]:
        kind = asked["custody"]
        held = persons.in_custody(day) if kind == "any" else persons.with_custody_kind(day).filter(custody_kind=kind)
        found.append(held)
    if asked["held_in"]:
        found.append(persons.held_in(asked["held_in"], day))
    for held in found:
        if asked["certain"]:
            held = held.filter(surely=asked["certain"] == "yes")
        rows = rows.filter(pk__in=held.values("pk"))
    return rows


class PersonFilter(Filter):
    name = django_filters.CharFilter(method="by_name", label=_("Name"), max_length=200)
    status = CodeFilter(choices=Status.choices(), method="by_status", label=_("Status"))
    on = DayFilter(method="by_status", label=_("on the day (today)"))
    certain = CodeFilter(
        choices=[("yes", _("certain")), ("no", _("possible"))], method="by_status", label=_("How sure")
    )
    custody = CodeFilter(
        choices=[("any", _("in custody, of any kind")), *v.Custody.choices()], method="together", label=_("Held")
    )
    held_in = FacilityChoice(method="together", label=_("Held in"))
    article = ArticleChoice(method="by_article", label=_("Charged under"))
    citizenship = CodeFilter(choices=citizenship_choices, method="by_citizenship", label=_("Citizenship"))
    sex = CodeFilter(choices=v.Sex.choices(), label=_("Sex"))
    destination = CodeFilter(choices=destination_choices, method="by_destination", label=_("Released to"))
    event = EventChoice(method="by_event", label=_("Release event"))

    class Meta:
        model = Person
        fields: tuple[str, ...] = ()

    @property
    def day(self) -> date:
        """The day that statuses are told for: the one asked for, else today."""
        asked = self.form.cleaned_data.get("on") if self.is_valid() else None
        return asked or timezone.localdate()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = self.form.cleaned_data
        held = asked.get("custody") or asked.get("held_in")
        rows: Any = held_on(queryset, asked, self.day) if held else queryset
        if asked.get("status") or (asked.get("certain") and not held):
            rows = rows.with_status(self.day)
        return super().filter_queryset(rows)

    def by_name(self, rows: Any, _name: str, value: str) -> QuerySet[Any]:
        return rows.named(value)

    def by_status(self, rows: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        if name == "certain" and "status_certain" in rows.query.annotations:
            return rows.filter(status_certain=value == "yes")
        return rows.filter(status=value) if name == "status" else rows

    def together(self, rows: QuerySet[Any], _name: str, _value: Any) -> QuerySet[Any]:
        """Read with others, in ``held_on``."""
        return rows

    def by_article(self, rows: QuerySet[Any], _name: str, value: Provision) -> QuerySet[Any]:
        charged = Charge.objects.using(rows.db).filter(provision=value)
        return rows.filter(pk__in=charged.values("prosecution__person"))

    def by_citizenship(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return rows.filter(citizenships__contains=[value])

    def by_destination(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        releases = Release.objects.using(rows.db).counted().taken_to(value)
        return rows.filter(pk__in=releases.values("person"))

    def by_event(self, rows: QuerySet[Any], _name: str, value: ReleaseEvent) -> QuerySet[Any]:
        return rows.filter(pk__in=Release.objects.using(rows.db).filter(event=value).values("person"))


class SourceFilter(Filter):
    text = django_filters.CharFilter(method="by_text", label=_("Title, publisher or author"), max_length=200)
    kind = CodeFilter(choices=v.SourceKind.choices(), label=_("Kind"))
    language = CodeFilter(choices=v.Language.choices(), label=_("Language"))

    class Meta:
        model = Source
        fields: tuple[str, ...] = ()

    def by_text(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        for word in names.clean(value).split():
            rows = rows.filter(Q(title__icontains=word) | Q(publisher__icontains=word) | Q(authors__icontains=word))
        return rows
