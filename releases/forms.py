"""The forms in which releases, their way out and the figures about them are entered."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from releases.counting import bounds
from releases.logging import Ending, Impossible, Plan, plan
from releases.models import Release, ReportedFigure
from tracker.admin.citations import WHOLE, About, AlsoField, CitationForm
from tracker.admin.forms import PartFormSet, RevisedForm
from tracker.models import Detention, Person, User
from tracker.vocabularies import FigureMeasure, LegKind, Qualifier


def _page(record: Any) -> str:
    return reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])


class ReleaseForm(RevisedForm):
    """A release, and what it does to the person's detentions. ``plan`` is set when all of it is valid."""

    ends = forms.ChoiceField(
        label=gettext_lazy("The detention it ends"),
        widget=forms.RadioSelect,
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy(
                "This detention was changed since you opened the page, or is another person's. Choose again."
            )
        },
        help_text=gettext_lazy("Only a confirmed release ends a detention. The day of release becomes its end."),
    )

    #: set on the class that one request makes for itself
    viewer: User | None = None
    #: set for a page that is shown again and must not be saved, though nothing is wrong with it
    held = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan = Plan()
        for name, key in (("person", "p"), ("released_on", "d")):
            widget: Any = self.fields[name].widget if name in self.fields else None
            if widget is not None:
                getattr(widget, "widget", widget).attrs["accesskey"] = key
        self.adding = self.instance._state.adding
        self.offer(self._person_chosen())

    def is_valid(self) -> bool:
        return super().is_valid() and not self.held

    # The choices

    def _person_chosen(self) -> Person | None:
        field: Any = self.fields.get("person")
        if field is None:
            return None
        key = self["person"].value()
        try:
            chosen: Person = field.clean(getattr(key, "pk", key))
        except forms.ValidationError:
            return None
        return chosen

    def offer(self, person: Person | None) -> None:
        """The detentions of the person, with the open one chosen; without a person, what to do about it."""
        field: Any = self.fields["ends"]
        own = list(person.detentions.visible_to(self.viewer)) if person else []
        self._detentions = {f"{detention.pk}:{detention.revision}": detention for detention in own}
        choices: list[tuple[str, Any]] = []
        if not self.adding:
            linked = self.instance.detention
            as_it_is = _("Leave it as it is: linked to the detention %(span)s") if linked else _("Leave it: none")
            choices.append((Ending.KEEP, as_it_is % {"span": linked.span} if linked else as_it_is))
        for value, detention in self._detentions.items():
            if detention == self.instance.detention and not detention.is_open:
                continue  # it is linked, and nothing is left to be closed
            closes = _("Ends the detention %(span)s") if detention.is_open else _("Belongs to the detention %(span)s")
            choices.append((value, closes % {"span": detention.span}))
        if self.adding:
            choices.append(
                (
                    Ending.AUTO,
                    _("Ends the detention that is open; where there is none, one is recorded, without a day of arrest"),
                )
            )
        choices += [
            (Ending.NEW, _("Ends a detention that is not recorded yet: record it, without a day of arrest")),
            (Ending.NONE, _("Ends no detention")),
        ]
        field.choices = choices
        open_one = next((value for value, detention in self._detentions.items() if detention.is_open), None)
        self.initial["ends"] = (open_one or Ending.AUTO) if self.adding else Ending.KEEP

    def _chosen_ending(self, text: str) -> Ending | Detention:
        if text in self._detentions:
            return self._detentions[text]
        return Ending(text or (Ending.AUTO if self.adding else Ending.KEEP))

    # What must fit together

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        person, event = cleaned.get("person"), cleaned.get("event")
        if person is None:
            return cleaned
        self.offer(person)
        if event is not None and self._is_logged_already(person, event):
            return cleaned
        if {"ends", "released_on", "outcome"} & self.errors.keys():
            return cleaned
        names = ("released_on", "outcome", "disclosure")
        tried = Release(person=person, event=event, **{name: cleaned[name] for name in names if name in cleaned})
        tried.pk, tried.detention = self.instance.pk, self.instance.detention
        try:
            self.plan = plan(tried, self._chosen_ending(cleaned.get("ends", "")))
        except Impossible as why:
            self.add_error(why.field, self._with_link(why.sentence, why.release))
        return cleaned

    def _is_logged_already(self, person: Person, event: Any) -> bool:
        other = Release.objects.filter(person=person, event=event).exclude(pk=self.instance.pk).first()
        if other:
            sentence = _("This person's release in this event is already recorded.")
            self.add_error("person", self._with_link(sentence, other))
        return other is not None

    def _with_link(self, sentence: str, release: Release | None) -> Any:
        if release is None or not Release.objects.visible_to(self.viewer).filter(pk=release.pk).exists():
            return sentence
        return forms.ValidationError(format_html('{} <a href="{}">{}</a>', sentence, _page(release), _("Open it")))


class LegFormSet(PartFormSet):
    """The way out: a handover first, then onward."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if form.instance._state.adding and index != 0:
            form.initial.setdefault("kind", LegKind.ONWARD)
        if index == 0:
            form.fields["kind"].widget.attrs["accesskey"] = "l"

    def clean(self) -> None:
        super().clean()
        released_on = self.instance.released_on
        for form in self.forms:
            happened = getattr(form, "cleaned_data", {}).get("happened")
            if form in self.deleted_forms_seen() or not released_on or not happened:
                continue
            if happened.surely_before(released_on):
                form.add_error(
                    "happened",
                    _("This lies surely before the release on %(day)s. Correct one of the two.")
                    % {"day": released_on.edtf},
                )


class ReleaseCitationForm(CitationForm):
    """Who says so, ticked for each thing that it supports."""

    #: what is ticked; a field of a step of the way out is cited on the page of the saved release
    SUPPORTS = ("person", "released_on", "outcome", "legal_bases", "departure", "conditions")

    def offer(self, choices: list[Any], fields_of: dict[str, dict[str, str]]) -> None:
        super().offer(choices, fields_of)
        if not self.instance._state.adding:
            return
        known = {WHOLE, *(str(About(field=name)) for name in self.SUPPORTS)}
        ticks: list[tuple[str, Any]] = []
        for value, label in choices:
            if isinstance(label, list):  # a group: a step, and its fields
                ticks.append(label[0])
            elif value in known:
                ticks.append((value, label))
        field = AlsoField(label=gettext_lazy("Supports"), error_messages={"required": _("Tick what it supports.")})
        field.fields_of = fields_of
        field.choices = ticks
        self.fields["about"] = field
        if str(self.prefix).endswith("-0"):
            source: Any = self.fields["source"].widget
            getattr(source, "widget", source).attrs["accesskey"] = "c"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if isinstance(cleaned.get("about"), list):
            cleaned["about"], cleaned["also"] = cleaned["about"][0], cleaned["about"][1:]
        return cleaned


class FigureForm(RevisedForm):
    """A number as it is stated; what it can be follows from its qualifier and may be corrected."""

    number = forms.IntegerField(
        label=gettext_lazy("Number"),
        required=False,
        min_value=0,
        help_text=gettext_lazy("As stated: 114. Lowest and highest follow from it; enter them where they differ."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("number", stated_number(self.instance))
        if "part_of" in self.fields:
            field: Any = self.fields["part_of"]
            event = self["event"].value() if "event" in self.fields else None
            wholes = field.queryset.filter(event=_key(event)).exclude(pk=self.instance.pk)
            field.queryset = wholes.select_related("source")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        qualifier, number = cleaned.get("qualifier"), cleaned.get("number")
        if qualifier is None or "number" in self.errors:
            return cleaned
        if cleaned.get("measure") == FigureMeasure.PEOPLE and qualifier != Qualifier.WORDED and number is None:
            if cleaned.get("low") is None and cleaned.get("high") is None:
                self.add_error("number", _("Give the number, or choose the qualifier for words (“several”)."))
            return cleaned
        if number is None and qualifier != Qualifier.WORDED:
            return cleaned
        if self.instance._state.adding or {"number", "qualifier"} & set(self.changed_data):
            computed = dict(zip(("low", "high"), bounds(qualifier, number), strict=True))
            for name, value in computed.items():
                if name not in self.changed_data:
                    cleaned[name] = value
            if number is not None and qualifier != Qualifier.EXACTLY and not cleaned.get("stated"):
                # the bounds do not tell it once they are corrected
                cleaned["stated"] = f"{Qualifier(qualifier).label} {number}".lower()
        return cleaned


def stated_number(figure: ReportedFigure) -> int | None:
    """The number that these bounds follow from; None where an editor has entered others."""
    low, high = figure.low, figure.high
    candidates = {
        Qualifier.MORE_THAN: low and low - 1,
        Qualifier.UP_TO: high,
        Qualifier.ABOUT: None if low is None or high is None else (low + high + 1) // 2,
    }
    number = candidates.get(Qualifier(figure.qualifier), low)
    if number is None or figure.qualifier == Qualifier.WORDED:
        return None
    return number if bounds(figure.qualifier, number) == (low, high) else None


def _key(value: Any) -> Any:
    """The key of a chosen event; what is no key is none."""
    try:
        return ReportedFigure._meta.get_field("event").target_field.to_python(getattr(value, "pk", value)) or None  # type: ignore[union-attr]
    except forms.ValidationError:
        return None
