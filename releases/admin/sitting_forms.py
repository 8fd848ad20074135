"""What a list is about and from whom, what all its lines share, and somebody looked for by hand."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminURLFieldWidget
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from releases.models import ReleaseEvent, Sitting
from tracker import lists
from tracker.admin.base import visible
from tracker.admin.forms import RevisedForm
from tracker.admin.widgets import SearchSelect, search_of
from tracker.models import Person, Relationship, Source, User
from tracker.models.fields import ImpreciseDateFormField
from tracker.vocabularies import Disclosure, Language, LegStatus, ReleaseOutcome, SourceKind

#: an upload that is larger is no list of names
LARGEST = 10 * 1024 * 1024


class SharedForm(RevisedForm):
    """What all lines of a list share."""

    class Meta:
        model = Sitting
        fields: tuple[str, ...] = (
            "released_on", "outcome", "legal_bases", "departure", "closes", "countries", "place", "happened",
            "status", "onward_countries", "onward_happened", "onward_status", "citizenships", "locator", "disclosure",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        announced = cleaned.get("outcome") == ReleaseOutcome.ANNOUNCED
        told = cleaned.get("countries") or cleaned.get("place")
        handed_over = told and cleaned.get("status") == LegStatus.COMPLETED
        if announced and handed_over:
            self.add_error("status", _("The release is only announced: the handover is planned."))
        return cleaned

    @classmethod
    def columns(cls) -> list[str]:
        return [*cls.Meta.fields]


class ListForm(SharedForm):
    """A list as it arrives: pasted or uploaded, with its event and its source, each recorded already or new."""

    new_event = forms.CharField(label=gettext_lazy("Or a new event: its title"), required=False)
    new_event_announced = ImpreciseDateFormField(label=gettext_lazy("Announced"), required=False)
    new_title = forms.CharField(label=gettext_lazy("Or a new source: its title"), required=False)
    new_publisher = forms.CharField(label=gettext_lazy("Publisher"), required=False)
    new_url = forms.URLField(
        label=gettext_lazy("Address"),
        required=False,
        assume_scheme="https",
        widget=AdminURLFieldWidget,
    )
    new_published = ImpreciseDateFormField(label=gettext_lazy("Published"), required=False)
    new_kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), required=False, choices=[("", "---------"), *SourceKind.choices()]
    )
    new_language = forms.ChoiceField(
        label=gettext_lazy("Language"), required=False, choices=[("", "---------"), *Language.choices()]
    )
    pasted = forms.CharField(
        label=gettext_lazy("The list"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy(
            "One name a line, as it is printed: with numbers, ages, sentences behind the name; or a table."
        ),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".txt,.csv,.tsv,.xlsx"}),
        help_text=gettext_lazy("Text, CSV, TSV or XLSX, in UTF-8, UTF-16 or Windows-1251."),
    )

    class Meta(SharedForm.Meta):
        fields = ("event", "source", *SharedForm.Meta.fields)

    NEW_SOURCE = ("new_title", "new_publisher", "new_url", "new_published", "new_kind", "new_language")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sheet: lists.Sheet | None = None
        # a new one will do as well
        self.fields["event"].required = self.fields["source"].required = False
        source: Any = self.fields["source"]
        site = search_of(source.widget).admin_site  # type: ignore[union-attr]
        self.fields["new_repeats"] = forms.ModelChoiceField(
            source.queryset,
            label=_("Repeats, word for word"),
            required=False,
            widget=SearchSelect(Source._meta.get_field("derived_from"), site),
            help_text=_("The publication that the new source was copied from as a whole."),
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self._one_of(
            "event", ["new_event", "new_event_announced"], "new_event", _("Choose the event, or name a new one.")
        )
        self._one_of(
            "source",
            [*self.NEW_SOURCE, "new_repeats"],
            "new_title",
            _("Choose the source of the list, or enter a new one."),
        )
        address = cleaned.get("new_url")
        sources: Any = self.fields["source"]
        known = address and sources.queryset.filter(url=address).first()
        if known:
            self.add_error(
                "new_url", _("This address is recorded already: “%(source)s”. Choose it.") % {"source": known}
            )
        self._read()
        return cleaned

    def _one_of(self, chosen: str, typed: list[str], title: str, sentence: str) -> None:
        cleaned = self.cleaned_data
        new = any(cleaned.get(name) for name in typed)
        if new and cleaned.get(chosen):
            self.add_error(title, _("Choose one that is recorded or enter a new one, not both."))
        elif new and not cleaned.get(title):
            self.add_error(title, _("Give the new one a title."))
        elif not new and not cleaned.get(chosen) and chosen not in self.errors:
            self.add_error(chosen, sentence)

    def _read(self) -> None:
        """Also beside other errors: what was pasted or uploaded must not be lost with them."""
        typed, file = self.cleaned_data.get("pasted") or "", self.cleaned_data.get("file")
        if file is not None and file.size > LARGEST:
            self.add_error("file", _("The file is larger than 10 MB: no list of names is."))
            return
        if file is not None and typed.strip() and not self.data.get("width"):
            self.add_error("file", _("Paste a list or upload one, not both."))
            return
        if file is None and not typed.strip():
            self.add_error("pasted", _("Paste the list, or upload it."))
            return
        try:
            self.sheet = lists.read(file.read(), file.name) if file is not None else lists.read(typed)
        except lists.ListError as error:
            self.add_error("file" if file is not None else "pasted", str(error))

    def _get_validation_exclusions(self) -> set[str]:
        return {*super()._get_validation_exclusions(), "event", "source"}  # type: ignore[misc]

    def save_with(self, by: User) -> Sitting:
        """Save what is new of event and source, as drafts; the list itself is saved with its lines."""
        cleaned, sitting = self.cleaned_data, self.instance
        if cleaned.get("new_event"):
            sitting.event = ReleaseEvent.objects.create(
                title=cleaned["new_event"],
                announced=cleaned.get("new_event_announced"),
                happened=cleaned.get("released_on"),
                legal_bases=cleaned.get("legal_bases") or [],
                disclosure=cleaned.get("disclosure") or Disclosure.PUBLIC,
            )
        if cleaned.get("new_title"):
            texts = {name.removeprefix("new_"): cleaned.get(name) or "" for name in self.NEW_SOURCE}
            source = Source(
                **{**texts, "published": cleaned.get("new_published")}, derived_from=cleaned.get("new_repeats")
            )
            sealed = sitting.event.disclosure == Disclosure.SEALED
            # its title may name whom it speaks of
            source.disclosure = Disclosure.SEALED if sealed else Source.usual_disclosure(source.kind)
            source.save()
            if sealed:
                source.grants.create(user=by)
            sitting.source = source
        return sitting


class PersonForm(forms.Form):
    """Somebody looked for by any spelling or the identifier, with scripts and without."""

    use_required_attribute = False

    def __init__(self, request: Any, site: Any, data: Any = None) -> None:
        super().__init__(data)
        people = visible(Person.objects.filter(merged_into=None), request.user).prefetch_related("names")
        # any foreign key to a person will do: it names the list that is searched
        widget = SearchSelect(Relationship._meta.get_field("other"), site)
        self.fields["person"] = forms.ModelChoiceField(people, widget=widget, label=_("Somebody else"))

    def clean(self) -> None:
        super().clean()
        search = search_of(self.fields["person"].widget)
        if "person" in self.errors and search is not None and search.problem:
            self.errors["person"] = self.error_class([search.problem])

    @property
    def found(self) -> Person | None:
        return self.cleaned_data.get("person")
