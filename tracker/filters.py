"""What a list, and the CSV of the same rows, can be narrowed by.

Filters that speak of one thing are read together: whoever asks for releases in 2025 and for releases to Lithuania is
answered with those who were released to Lithuania in 2025, and not with those of whom both is true at some time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.forms.utils import flatatt
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from releases.models import Release, ReleaseEvent
from tracker import dates, names
from tracker import vocabularies as v
from tracker.models import (
    Charge,
    Detention,
    Facility,
    Organisation,
    Person,
    Placement,
    Provision,
    Recognition,
    Sentence,
    Source,
    Status,
)
from tracker.models.base import DISPUTED
from tracker.models.ordering import by_term, by_text, earliest_first, latest_first
from tracker.notes import resting
from tracker.paging import Sort, Sorts, by_name, day, identifier, number, words

ANY = _("any")
#: Which countries come first in a list of all of them.
CITIZENS = ("BY", "UA", "PL", "LT", "RU")
DESTINATIONS = ("UA", "LT", "PL")
#: So many rows are offered in a list; of events the latest
MOST_CHOICES = 200
#: The longest term that can be asked for, in months
LONGEST_TERM = 1200


@lru_cache
def _countries(first: tuple[str, ...], _language: str | None) -> list[tuple[str, str]]:
    """Written and sorted once for each language, not once for each page."""
    return [(code, str(name)) for code, name in v.country_choices(first)]


def citizenship_choices() -> list[tuple[str, str]]:
    return _countries(CITIZENS, get_language())


def destination_choices() -> list[tuple[str, str]]:
    return _countries(DESTINATIONS, get_language())


def events(request: Any) -> QuerySet[ReleaseEvent]:
    return ReleaseEvent.objects.using(request.audience)


def facilities(request: Any) -> QuerySet[Facility]:
    return Facility.objects.using(request.audience)


def provisions(request: Any) -> QuerySet[Provision]:
    return Provision.objects.using(request.audience)


def recognising(request: Any) -> QuerySet[Organisation]:
    stated = Recognition.objects.using(request.audience).filter(body=OuterRef("pk"))
    return Organisation.objects.using(request.audience).filter(Exists(stated))


def sources(request: Any) -> QuerySet[Source]:
    return Source.objects.using(request.audience)


# --- Fields


class Choices(forms.Select):
    """Written at one go: a template for each of 250 countries would be most of the time that a page takes."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        chosen = set(self.format_value(value))
        choices = [(str(code), label) for code, label in self.choices]
        choices += [(code, code) for code in chosen.difference(code for code, _label in choices)]
        options = "".join(
            f'<option value="{escape(code)}"{" selected" * (code in chosen)}>{escape(label)}</option>'
            for code, label in choices
        )
        written = flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))
        return format_html("<select{}>{}</select>", written, SafeString(options))


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
            **{"method": "together", **kwargs},
        )


class CodeFilter(django_filters.ChoiceFilter):
    """One code of a list; what is not in the list is refused with the value that was asked for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("empty_label", ANY)
        kwargs["error_messages"] = {
            "invalid_choice": _("“%(value)s” is not one of the values. Choose one of the list.")
        }
        super().__init__(*args, widget=Choices, **kwargs)


class _Some(django_filters.fields.ModelChoiceIterator):
    """The first of very many; another one that is asked for is found all the same."""

    def __init__(self, field: Any) -> None:
        super().__init__(field)
        self.queryset = field.queryset[:MOST_CHOICES]


class RowField(django_filters.fields.ModelChoiceField):
    iterator = _Some


class RowChoice(django_filters.ModelChoiceFilter):
    """One row of the audience's copy; one that is not there is answered as one that never was."""

    field_class = RowField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("widget", Choices)
        kwargs["error_messages"] = {"invalid_choice": kwargs.pop("missing")}
        super().__init__(*args, **{"empty_label": ANY, "method": "together", **kwargs})


class EventChoice(RowChoice):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=events, to_field_name="rid", missing=_("There is no such event."), **kwargs)


class NumberFilter(django_filters.NumberFilter):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            method="together",
            decimal_places=0,
            min_value=0,
            max_value=LONGEST_TERM,
            widget=forms.NumberInput(attrs={"min": 0, "max": LONGEST_TERM, "step": 1}),
            **kwargs,
        )


def code(vocabulary: type[v.Vocabulary], label: Any) -> CodeFilter:
    return CodeFilter(choices=vocabulary.choices(), method="together", label=label)


def sureness() -> CodeFilter:
    """How the dates of a list are read. The usual is what an imprecise date cannot exclude."""
    return CodeFilter(
        choices=[("certain", _("surely"))],
        empty_label=_("possibly"),
        method="together",
        label=_("Within these days"),
    )


def countries_count() -> CodeFilter:
    return CodeFilter(
        choices=[("possible", _("or one of several"))],
        empty_label=_("it alone"),
        method="together",
        label=_("To that country"),
    )


# --- Lists

#: A legend, and the filters below it
Group = tuple[str | Promise, tuple[str, ...]]


class Filter(django_filters.FilterSet):
    """Read from ``request.audience``'s copy. Nothing is found by a filter that cannot be read."""

    #: The filters as the page shows them: the first group at once, the others when they are asked for.
    groups: ClassVar[tuple[Group, ...]] = ()
    #: The orders that the list can have; the first is the usual one.
    sorts: ClassVar[Sorts] = {}

    #: what is told of a day that nobody names is told of this one
    today: date

    @classmethod
    def of(cls, request: Any, rows: QuerySet[Any], *, today: date | None = None) -> Any:
        made = cls(request.GET, rows, request=request)
        made.today = today or timezone.localdate()
        return made

    @property
    def rows(self) -> QuerySet[Any]:
        return self.qs if self.is_valid() else self.queryset.none()

    @property
    def best(self) -> bool:
        """Whether the rows are found by a name, and come with the best first."""
        return False

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
                said = dates.ImpreciseDate.from_day(value).display
            elif isinstance(field, django_filters.fields.ChoiceField):
                said = str(dict(field.choices)[value])
            else:
                said = str(value)
            found.append((str(field.label), said))
        return found

    @property
    def query(self) -> str:
        """The filters that are set, as a query string for the CSV of the same rows."""
        asked = self.data.copy()
        for name in self.data:
            if name not in self.filters or not any(asked.getlist(name)):
                del asked[name]
        return str(asked.urlencode())

    @cached_property
    def grouped(self) -> list[tuple[str | Promise, list[Any]]]:
        return [(legend, [self.form[name] for name in names]) for legend, names in self.groups]

    @property
    def usual(self) -> list[Any]:
        return self.grouped[0][1]

    @property
    def others(self) -> list[tuple[str | Promise, list[Any]]]:
        return self.grouped[1:]

    @property
    def others_asked(self) -> bool:
        """Whether one of those is set, which are not shown at once."""
        return any(self.data.get(field.name) for _legend, fields in self.others for field in fields)

    def together(self, rows: QuerySet[Any], _name: str, _value: Any) -> QuerySet[Any]:
        """For a filter that is read with others, in ``narrowed``."""
        return rows

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return self.narrowed(super().filter_queryset(queryset), self.form.cleaned_data)

    def narrowed(self, rows: Any, asked: Mapping[str, Any]) -> Any:
        return rows

    def narrowed_by_claims(self, rows: Any, asked: Mapping[str, Any]) -> Any:
        """By what rests on a source, and by what sources disagree on."""
        if source := asked.get("source"):
            rows = rows.filter(pk__in=self.resting(rows, Q(source=source) | Q(origin=source)))
        if disputed := asked.get("disputed"):
            standings = DISPUTED if disputed == "disagree" else [v.Standing.UNRESOLVED]
            rows = rows.filter(pk__in=self.resting(rows, Q(standing__in=standings)))
        return rows

    def resting(self, rows: QuerySet[Any], claims: Q) -> QuerySet[Any]:
        return resting(rows.model, claims, rows.db)


def given(asked: Mapping[str, Any], *names: str) -> bool:
    """Whether any of these filters is set. A zero is."""
    return any(asked.get(name) not in (None, "") for name in names)


def source_filter() -> RowChoice:
    return RowChoice(
        queryset=sources,
        missing=_("There is no such source."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        label=_("Source (the end of its address)"),
    )


def disputed_filter() -> CodeFilter:
    return CodeFilter(
        choices=[("disagree", _("sources disagree")), ("unresolved", _("sources disagree, nobody has decided"))],
        method="together",
        label=_("Disputed"),
    )


SAID: Group = (_("Who says so"), ("source", "disputed"))


class OfPersons(Filter):
    """For rows that are persons or belong to one: by what the person is."""

    name = django_filters.CharFilter(method="together", label=_("Name"), max_length=200)
    sex = code(v.Sex, _("Sex"))
    citizenship = CodeFilter(choices=citizenship_choices, method="together", label=_("Citizenship"))
    recognised = code(v.RecognitionStatus, _("Recognised as"))
    recognised_by = RowChoice(queryset=recognising, missing=_("There is no such body."), label=_("by"))

    #: the way from a row to its person
    person: ClassVar[str] = "person"

    def narrowed(self, rows: Any, asked: Mapping[str, Any]) -> Any:
        rows = super().narrowed(rows, asked)
        about = "" if self.person == "pk" else f"{self.person}__"
        if asked.get("sex"):
            rows = rows.filter(**{f"{about}sex": asked["sex"]})
        if asked.get("citizenship"):
            rows = rows.filter(**{f"{about}citizenships__contains": [asked["citizenship"]]})
        if given(asked, "recognised", "recognised_by"):
            stated = Recognition.objects.using(rows.db)
            if asked["recognised"]:
                stated = stated.filter(status=asked["recognised"])
            if asked["recognised_by"]:
                stated = stated.filter(body=asked["recognised_by"])
            rows = rows.filter(**{f"{self.person}__in": stated.values("person")})
        return self.named(rows, asked["name"]) if asked.get("name") else rows

    def named(self, rows: Any, name: str) -> Any:
        persons = Person.objects.using(rows.db).named(name)
        return rows.filter(**{f"{self.person}__in": persons.order_by().values("pk")})


PERSONS_ARE: Group = (_("Person"), ("citizenship", "sex", "recognised", "recognised_by"))


def terms() -> CodeFilter:
    return CodeFilter(
        choices=[("months", _("months"))], empty_label=_("years"), method="together", label=_("counted in")
    )


def sentences(asked: Mapping[str, Any], using: str) -> QuerySet[Any]:
    """Sentences of the kind and the length asked for."""
    rows = Sentence.objects.using(using)
    if asked["sentence"]:
        rows = rows.filter(kind=asked["sentence"])
    if given(asked, "length_from", "length_to"):
        in_months = 1 if asked["length_unit"] == "months" else 12
        least, most = (
            None if asked[name] is None else int(asked[name]) * in_months for name in ("length_from", "length_to")
        )
        rows = rows.lasting(least, most)
    return rows


def releases(rows: Any, asked: Mapping[str, Any]) -> Any:
    """Releases of the dates, destinations, bases and so on asked for."""
    certain = asked["dates"] == "certain"
    alone = asked["countries"] != "possible"
    rows = rows.dated("released_on", asked["released_since"], asked["released_until"], certain=certain)
    if asked["handed_over_to"]:
        rows = rows.handed_over_to(asked["handed_over_to"], certain=alone)
    if asked["arrived_in"]:
        rows = rows.taken_to(asked["arrived_in"], certain=alone)
    if asked["basis"]:
        rows = rows.filter(legal_bases__contains=[asked["basis"]])
    return rows.filter(**{name: asked[name] for name in ("outcome", "departure", "event") if asked[name]})


RELEASES_ARE = (
    "released_since", "released_until", "handed_over_to", "arrived_in", "outcome", "departure", "basis", "event",
)  # fmt: skip


def held_on(rows: QuerySet[Any], asked: Mapping[str, Any], on: date) -> QuerySet[Any]:
    """Persons in custody on the day, of the kind and in the facility asked for; how sure that is goes for both."""
    persons: Any = Person.objects.using(rows.db)
    found = []
    if asked["custody"]:
        kind = asked["custody"]
        found.append(
            persons.in_custody(on) if kind == "any" else persons.with_custody_kind(on).filter(custody_kind=kind)
        )
    if asked["held_in"]:
        found.append(persons.held_in(asked["held_in"], on))
    for held in found:
        if asked["certain"]:
            held = held.filter(surely=asked["certain"] == "yes")
        rows = rows.filter(pk__in=held.order_by().values("pk"))
    return rows


class PersonFilter(OfPersons):
    status = CodeFilter(choices=Status.choices(), method="together", label=_("Status"))
    on = DayFilter(label=_("on the day (today)"))
    certain = CodeFilter(choices=[("yes", _("certain")), ("no", _("possible"))], method="together", label=_("How sure"))
    custody = CodeFilter(
        choices=[("any", _("of any kind")), *v.Custody.choices()], method="together", label=_("In custody that day")
    )
    held_in = RowChoice(queryset=facilities, missing=_("There is no such facility."), label=_("that day in"))
    detained_since = DayFilter(label=_("Detained since"))
    detained_until = DayFilter(label=_("and until"))
    facility = RowChoice(queryset=facilities, missing=_("There is no such facility."), label=_("Ever held in"))
    released_since = DayFilter(label=_("Released since"))
    released_until = DayFilter(label=_("and until"))
    dates = sureness()
    handed_over_to = CodeFilter(choices=destination_choices, method="together", label=_("Handed over to"))
    arrived_in = CodeFilter(choices=destination_choices, method="together", label=_("Arrived in"))
    countries = countries_count()
    outcome = code(v.ReleaseOutcome, _("Outcome of a release"))
    departure = code(v.Departure, _("Departure"))
    basis = code(v.LegalBasis, _("Legal basis"))
    event = EventChoice(label=_("Release event"))
    article = RowChoice(queryset=provisions, missing=_("There is no such article."), label=_("Charged under"))
    sentence = code(v.SentenceKind, _("Sentenced to"))
    length_from = NumberFilter(label=_("for at least"))
    length_to = NumberFilter(label=_("at most"))
    length_unit = terms()
    source = source_filter()
    disputed = disputed_filter()

    person = "pk"
    groups = (
        ("", ("name", "status", "on", "certain")),
        PERSONS_ARE,
        (_("Detention"), ("custody", "held_in", "detained_since", "detained_until", "facility", "dates")),
        (_("Release"), (*RELEASES_ARE, "countries")),
        (_("Trial"), ("article", "sentence", "length_from", "length_to", "length_unit")),
        SAID,
    )
    sorts = by_name()

    class Meta:
        model = Person
        fields: tuple[str, ...] = ()

    @property
    def day(self) -> date:
        """The day that statuses are told for: the one asked for, else today."""
        asked = self.form.cleaned_data.get("on") if self.is_valid() else None
        return asked or self.today

    @property
    def best(self) -> bool:
        return bool(self.is_valid() and self.form.cleaned_data.get("name"))

    def named(self, rows: Any, name: str) -> Any:
        return rows.named(name)

    def narrowed(self, rows: Any, asked: Mapping[str, Any]) -> Any:
        using, certain = rows.db, asked["dates"] == "certain"
        held = given(asked, "custody", "held_in")
        if held:
            rows = held_on(rows, asked, self.day)
        if asked["status"] or (asked["certain"] and not held):
            rows = rows.with_status(self.day)
        if asked["status"]:
            rows = rows.filter(status=asked["status"])
        if asked["certain"] and not held:
            rows = rows.filter(status_certain=asked["certain"] == "yes")
        if given(asked, "detained_since", "detained_until"):
            detained = Detention.objects.using(using).dated(
                "started", asked["detained_since"], asked["detained_until"], certain=certain
            )
            rows = rows.filter(pk__in=detained.order_by().values("person"))
        if asked["facility"]:
            placed = Placement.objects.using(using).filter(facility=asked["facility"])
            rows = rows.filter(pk__in=placed.order_by().values("detention__person"))
        if given(asked, *RELEASES_ARE):
            released = releases(Release.objects.using(using), asked)
            rows = rows.filter(pk__in=released.order_by().values("person"))
        if asked["article"]:
            charged = Charge.objects.using(using).filter(provision=asked["article"])
            rows = rows.filter(pk__in=charged.values("prosecution__person"))
        if given(asked, "sentence", "length_from", "length_to"):
            rows = rows.filter(pk__in=sentences(asked, using).values("verdict__prosecution__person"))
        # the name last: its order is the one that stays
        return super().narrowed(self.narrowed_by_claims(rows, asked), asked)


class DetentionFilter(OfPersons):
    held_on = DayFilter(label=_("Held on the day"))
    certain = CodeFilter(choices=[("yes", _("certain")), ("no", _("possible"))], method="together", label=_("How sure"))
    detained_since = DayFilter(label=_("Detained since"))
    detained_until = DayFilter(label=_("and until"))
    ended_since = DayFilter(label=_("Ended since"))
    ended_until = DayFilter(label=_("and until"))
    dates = sureness()
    end_reason = code(v.DetentionEnd, _("How it ended"))
    custody = code(v.CustodyType, _("Kind of custody"))
    facility = RowChoice(queryset=facilities, missing=_("There is no such facility."), label=_("Held in"))
    article = RowChoice(queryset=provisions, missing=_("There is no such article."), label=_("Charged under"))
    source = source_filter()
    disputed = disputed_filter()

    groups: ClassVar[tuple[Group, ...]] = (
        ("", ("name", "held_on", "certain", "end_reason")),
        (_("Dates"), ("detained_since", "detained_until", "ended_since", "ended_until", "dates")),
        (_("Where, and why"), ("facility", "custody", "article")),
        PERSONS_ARE,
        SAID,
    )
    sorts: ClassVar[Sorts] = {
        **by_name("person"),
        "-started": Sort(_("arrested, latest first"), (day(latest_first("started")), identifier()), descending=True),
        "started": Sort(_("arrested, earliest first"), (day(earliest_first("started")), identifier())),
        "-ended": Sort(_("ended, latest first"), (day(latest_first("ended")), identifier()), descending=True),
    }

    class Meta:
        model = Detention
        fields: tuple[str, ...] = ()

    def narrowed(self, rows: Any, asked: Mapping[str, Any]) -> Any:
        using, certain = rows.db, asked["dates"] == "certain"
        held_on = asked["held_on"] or (self.today if asked["certain"] else None)
        if held_on:
            # nobody is held after death, nor surely from the first day on which it can have been
            alive = Q(person__died__isnull=True) | Q(person__died__startswith__gte=held_on)
            surely = Detention.objects.using(using).surely_held(held_on).filter(alive).order_by().values("pk")
            rows = rows.possibly_held(held_on).exclude(person__died__endswith__lte=held_on)
            if asked["certain"]:
                rows = rows.filter(pk__in=surely) if asked["certain"] == "yes" else rows.exclude(pk__in=surely)
        rows = rows.dated("started", asked["detained_since"], asked["detained_until"], certain=certain)
        rows = rows.dated("ended", asked["ended_since"], asked["ended_until"], certain=certain)
        if asked["end_reason"]:
            rows = rows.filter(end_reason=asked["end_reason"])
        if given(asked, "facility", "custody"):
            placed = Placement.objects.using(using)
            if asked["facility"]:
                placed = placed.filter(facility=asked["facility"])
            if asked["custody"]:
                placed = placed.filter(custody_type=asked["custody"])
            rows = rows.filter(pk__in=placed.order_by().values("detention"))
        if asked["article"]:
            charged = Charge.objects.using(using).filter(provision=asked["article"])
            rows = rows.filter(pk__in=charged.values("prosecution__detention_links__detention"))
        return super().narrowed(self.narrowed_by_claims(rows, asked), asked)


class SpellFilter(DetentionFilter):
    """Of ``custody_spells``, which is counted to a day."""

    on = DayFilter(label=_("counted to the day (today)"))

    groups = (*DetentionFilter.groups, (_("The file"), ("on",)))


class SentenceFilter(OfPersons):
    sentence = code(v.SentenceKind, _("Kind"))
    length_from = NumberFilter(label=_("for at least"))
    length_to = NumberFilter(label=_("at most"))
    length_unit = terms()
    pronounced_since = DayFilter(label=_("Pronounced since"))
    pronounced_until = DayFilter(label=_("and until"))
    dates = sureness()
    article = RowChoice(queryset=provisions, missing=_("There is no such article."), label=_("Charged under"))
    instance = code(v.Instance, _("Instance"))
    regime = code(v.Regime, _("Regime"))
    execution = code(v.Execution, _("Execution"))
    source = source_filter()
    disputed = disputed_filter()

    person = "verdict__prosecution__person"
    groups = (
        ("", ("name", "sentence", "length_from", "length_to", "length_unit")),
        (_("Verdict"), ("pronounced_since", "pronounced_until", "dates", "article", "instance", "regime", "execution")),
        PERSONS_ARE,
        SAID,
    )
    sorts: ClassVar[Sorts] = {
        **by_name("verdict__prosecution__person"),
        "-pronounced": Sort(
            _("pronounced, latest first"),
            (day(latest_first("verdict__pronounced")), identifier("verdict__prosecution_id"), identifier()),
            descending=True,
            indexed=2,
        ),
        "pronounced": Sort(
            _("pronounced, earliest first"),
            (day(earliest_first("verdict__pronounced")), identifier("verdict__prosecution_id"), identifier()),
            indexed=2,
        ),
        "-term": Sort(_("longest term first"), (number(by_term()), identifier()), descending=True),
    }

    class Meta:
        model = Sentence
        fields: tuple[str, ...] = ()

    def narrowed(self, rows: Any, asked: Mapping[str, Any]) -> Any:
        if given(asked, "sentence", "length_from", "length_to"):
            rows = rows.filter(pk__in=sentences(asked, rows.db).values("pk"))
        rows = rows.dated(
            "verdict__pronounced",
            asked["pronounced_since"],
            asked["pronounced_until"],
            certain=asked["dates"] == "certain",
        )
        if asked["article"]:
            charged = Charge.objects.using(rows.db).filter(provision=asked["article"])
            rows = rows.filter(verdict__prosecution__in=charged.values("prosecution"))
        if asked["instance"]:
            rows = rows.filter(verdict__instance=asked["instance"])
        rows = rows.filter(**{name: asked[name] for name in ("regime", "execution") if asked[name]})
        return super().narrowed(self.narrowed_by_claims(rows, asked), asked)


class SourceFilter(Filter):
    text = django_filters.CharFilter(method="by_text", label=_("Title, publisher or author"), max_length=200)
    kind = CodeFilter(choices=v.SourceKind.choices(), label=_("Kind"))
    language = CodeFilter(choices=v.Language.choices(), label=_("Language"))
    published_since = DayFilter(label=_("Published since"))
    published_until = DayFilter(label=_("and until"))
    dates = sureness()
    disputed = CodeFilter(
        choices=[
            ("disagree", _("something it says is held to be wrong, or undecided")),
            ("unresolved", _("something it says is undecided")),
        ],
        method="together",
        label=_("Disputed"),
    )

    groups = (
        ("", ("text", "kind", "language")),
        (_("Dates"), ("published_since", "published_until", "dates")),
        (_("What it says"), ("disputed",)),
    )
    sorts: ClassVar[Sorts] = {
        "-published": Sort(
            _("published, latest first"), (day(latest_first("published")), identifier()), descending=True
        ),
        "published": Sort(_("published, earliest first"), (day(earliest_first("published")), identifier())),
        "title": Sort(_("title"), (words(by_text("title")), identifier())),
    }

    class Meta:
        model = Source
        fields: tuple[str, ...] = ()

    def by_text(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        for word in names.clean(value).split():
            rows = rows.filter(Q(title__icontains=word) | Q(publisher__icontains=word) | Q(authors__icontains=word))
        return rows

    def narrowed(self, rows: Any, asked: Mapping[str, Any]) -> Any:
        rows = rows.dated(
            "published", asked["published_since"], asked["published_until"], certain=asked["dates"] == "certain"
        )
        return self.narrowed_by_claims(rows, asked)
