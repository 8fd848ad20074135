"""Citations, entered beside what they support: on the page of their record, also for parts typed in the same form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tracker.admin.forms import PartFormSet, RevisedForm, is_small_number
from tracker.models import Citation, Source
from tracker.models.fields import ImpreciseDateFormField
from tracker.vocabularies import Disclosure, Language, SourceKind

LAST_SOURCE = "last_source"
WHOLE = "whole"
#: a part typed in the same form has no key yet: "#2" is the row with that number, counted from 0
PLACE = "#"


@dataclass(frozen=True)
class About:
    """What a citation supports: as one value of a select, or a part and a field."""

    part: str = ""
    row: str = ""
    field: str = ""

    @classmethod
    def read(cls, value: str) -> About:
        if value == WHOLE:
            return cls()
        kind, _colon, rest = value.partition(":")
        if kind == "field":
            return cls(field=rest)
        row, _colon, name = rest.partition(":")
        return cls(part=kind, row=row, field=name)

    @classmethod
    def of(cls, citation: Citation) -> About:
        for name in citation.parts:
            key = getattr(citation, f"{name}_id")
            if key:
                return cls(part=name, row=str(key), field=citation.about)
        return cls(field=citation.about)

    def __str__(self) -> str:
        if self.part:
            return ":".join(filter(None, [self.part, self.row, self.field]))
        return f"field:{self.field}" if self.field else WHOLE


class AboutField(forms.ChoiceField):
    """Its choices depend on the rows of the page; that a row typed there is not empty, the formset looks at."""

    def valid_value(self, value: Any) -> bool:
        return super().valid_value(value) or (PLACE in str(value) and self._is_a_place(About.read(str(value))))

    def _is_a_place(self, about: About) -> bool:
        fields = self.fields_of.get(about.part)
        row = about.row.removeprefix(PLACE)
        return fields is not None and is_small_number(row) and (not about.field or about.field in fields)

    #: part → its fields, set by the form
    fields_of: dict[str, dict[str, str]] = {}


class AlsoField(AboutField, forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple


class CitationForm(RevisedForm):
    """One citation; ``also`` makes several of it, and a source that is not yet recorded is typed right here."""

    fields: dict[str, Any]

    about = AboutField(label=gettext_lazy("Supports"))
    also = AlsoField(label=gettext_lazy("Also supports"), required=False)
    new_title = forms.CharField(label=gettext_lazy("Title"), required=False)
    new_publisher = forms.CharField(label=gettext_lazy("Publisher"), required=False)
    new_url = forms.URLField(label=gettext_lazy("Address"), required=False, assume_scheme="https")
    new_published = ImpreciseDateFormField(label=gettext_lazy("Published"), required=False)
    new_kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), required=False, choices=[("", "---------"), *SourceKind.choices()]
    )
    new_language = forms.ChoiceField(
        label=gettext_lazy("Language"), required=False, choices=[("", "---------"), *Language.choices()]
    )

    NEW_SOURCE = ("new_title", "new_publisher", "new_url", "new_published", "new_kind", "new_language")

    def offer(self, choices: list[Any], fields_of: dict[str, dict[str, str]]) -> None:
        """The choices of the page this citation stands on."""
        adding = self.instance._state.adding
        for name in ("about", "also"):
            if name in self.fields:
                self.fields[name].fields_of = fields_of
        self.fields["about"].choices = [("", _("choose …")), *choices] if adding else choices
        self.fields["also"].choices = choices if adding else []
        # a new source will do as well
        self.fields["source"].required = False
        if not adding:
            self.initial["about"] = str(About.of(self.instance))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        typed = [name for name in self.NEW_SOURCE if cleaned.get(name)]
        if not typed:
            if not cleaned.get("source") and "source" not in self.errors:
                self.add_error("source", _("Choose a source, or enter a new one below."))
            return cleaned
        if not cleaned.get("new_title"):
            self.add_error("new_title", _("Give the new source a title."))
        if cleaned.get("source") and "source" in self.changed_data:
            self.add_error("new_title", _("Choose a source or enter a new one, not both."))
        known = cleaned.get("new_url") and self.fields["source"].queryset.filter(url=cleaned["new_url"]).first()
        if known:
            self.add_error(
                "new_url", _("This address is recorded already: “%(source)s”. Choose it.") % {"source": known}
            )
        # a stand-in, so that the rest can be looked at; it is saved with the row
        texts = {name.removeprefix("new_"): cleaned.get(name) or "" for name in self.NEW_SOURCE}
        cleaned["source"] = Source(**{**texts, "published": cleaned.get("new_published")})
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        return {*super()._get_validation_exclusions(), "about", "source"}  # type: ignore[misc]

    def _post_clean(self) -> None:
        chosen = self.cleaned_data.get("about")
        if chosen is None:
            super()._post_clean()
            return
        about = About.read(chosen)
        self.cleaned_data["about"] = about.field
        for name in self.instance.parts:
            part: Any = None
            if name == about.part:
                model = self.instance._meta.get_field(name).related_model
                # a row of this page that is not saved yet is stood in for, until the formset resolves it
                part = model() if about.row.startswith(PLACE) else model(pk=about.row)
            setattr(self.instance, name, part)
        super()._post_clean()
        self.cleaned_data["about"] = chosen


class CitationFormSet(PartFormSet):
    """Resolves what rows are about once the parts typed in the same form are saved."""

    model: type[Citation]
    form: type[CitationForm]
    request: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.new_sources: dict[tuple[str, str], Source] = {}
        self._offered: list[Any] | None = None
        self._stored: dict[str, dict[Any, Any]] | None = None

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.offer(self._choices(), self._fields_of())
        for name, rows in self._stored_parts().items():
            # the part is on the page: what it is called costs no query
            part = rows.get(getattr(form.instance, f"{name}_id"))
            if part is not None:
                setattr(form.instance, name, part)
        if form.instance._state.adding:
            # compared with what the page showed: another tab may have chosen another source since
            form.fields["source"].show_hidden_initial = True
            form.initial.setdefault("source", self._last_source())

    def _last_source(self) -> Any:
        if not hasattr(self, "_last"):
            chosen = self.request.session.get(LAST_SOURCE) if self.request else None
            field: Any = self.form.base_fields["source"]
            visible = field.queryset
            self._last = chosen if chosen and visible.filter(pk=chosen).exists() else None
        return self._last

    # What can be chosen

    def _target(self, name: str) -> Any:
        return self.model._meta.get_field(name).related_model

    def _part_formsets(self) -> Iterator[tuple[str, Any]]:
        for name in self.model.parts:
            model = self._target(name)
            for formset in self.siblings:
                if formset.model is model:
                    yield name, formset

    def _stored_parts(self) -> dict[str, dict[Any, Any]]:
        if self._stored is None:
            self._stored = {
                name: {form.instance.pk: form.instance for form in formset.initial_forms}
                for name, formset in self._part_formsets()
            }
        return self._stored

    def _fields_of(self) -> dict[str, dict[str, str]]:
        return {name: self.model.fields_of(self._target(name)) for name in self.model.parts}

    def _choices(self) -> list[Any]:
        """The record as a whole and its fields, then a group for each part on the page, saved or not."""
        if self._offered is not None:
            return self._offered
        owner = self._target(self.model.owner)
        choices: list[Any] = [(WHOLE, _("the %(record)s as a whole") % {"record": owner._meta.verbose_name})]
        choices += [(str(About(field=name)), capfirst(label)) for name, label in self.model.fields_of(owner).items()]
        for part, formset in self._part_formsets():
            fields = self.model.fields_of(formset.model)
            for index, form in enumerate(formset.forms):
                word = str(formset.model._meta.verbose_name)
                if form.instance._state.adding:
                    row, label = f"{PLACE}{index}", f"{word} {index + 1}"
                else:
                    row, label = str(form.instance.pk), f"{word}: {form.instance}"
                group = [(str(About(part, row)), label)]
                group += [(str(About(part, row, name)), f"{label}: {field}") for name, field in fields.items()]
                choices.append((label, group))
        self._offered = choices
        return choices

    # Reading and saving

    def clean(self) -> None:
        super().clean()
        formsets = dict(self._part_formsets())
        for form in self.forms:
            for name in ("about", "also"):
                values = form.cleaned_data.get(name) if hasattr(form, "cleaned_data") else None
                for value in [values] if isinstance(values, str) else values or []:
                    about = About.read(value)
                    if about.row.startswith(PLACE) and self._row(formsets, about) is None:
                        form.add_error(name, _("That row is empty. Fill it in, or choose another."))
                        break

    def _row(self, formsets: dict[str, Any], about: About) -> Any:
        formset, index = formsets.get(about.part), int(about.row.removeprefix(PLACE))
        if formset is None or index >= len(formset.forms):
            return None
        form = formset.forms[index]
        gone = form in formset.deleted_forms_seen() if form.is_valid() else False
        return form.instance if form.has_changed() and not gone else None

    def _resolve(self, citation: Citation, value: str) -> None:
        about = About.read(value)
        citation.about = about.field
        for name in citation.parts:
            setattr(citation, name, None)
        if about.row.startswith(PLACE):
            setattr(citation, about.part, self._row(dict(self._part_formsets()), about))
        elif about.part:
            setattr(citation, f"{about.part}_id", about.row)

    def _source_of(self, form: Any) -> Source:
        source: Source = form.cleaned_data["source"]
        if source._state.adding:
            # typed twice on one page, it is one source all the same
            source = self.new_sources.setdefault((source.publisher, source.title), source)
            if source._state.adding:
                sealed = self.instance.closure() == Disclosure.SEALED
                if sealed:
                    # its title may name whom it speaks of
                    source.disclosure = Disclosure.SEALED
                source.save()
                if sealed and self.request is not None:
                    source.grants.create(user=self.request.user)
        return source

    def _write(self, form: Any) -> Citation:
        citation: Citation = form.instance
        self._resolve(citation, form.cleaned_data["about"])
        citation.source = self._source_of(form)
        if self.request is not None:
            self.request.session[LAST_SOURCE] = str(citation.source.pk)
        return citation

    def save_existing(self, form: Any, obj: Any, commit: bool = True) -> Any:
        with self.saving(form):
            self._write(form)
        return super().save_existing(form, obj, commit=commit)

    def save_new(self, form: Any, commit: bool = True) -> Any:
        with self.saving(form):
            self._write(form)
        citation = super().save_new(form, commit=commit)
        with self.saving(form):
            for value in form.cleaned_data.get("also") or []:
                if value == form.cleaned_data["about"]:
                    continue
                again = type(citation)(
                    **{
                        field.attname: getattr(citation, field.attname)
                        for field in citation._meta.concrete_fields
                        if field.name not in {"id", "revision", "about", *citation.parts}
                    }
                )
                self._resolve(again, value)
                again.save()
        return citation
