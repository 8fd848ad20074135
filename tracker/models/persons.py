"""People, named or not, and what is said of them apart from their detentions and trials."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

import pgtrigger
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from tracker import dates, names
from tracker import vocabularies as v
from tracker.models.alphabet import placed
from tracker.models.base import (
    Citation,
    Explained,
    Part,
    Reviewed,
    citable,
    citation_rules,
    disclosure,
    ends_after_start,
    position,
)
from tracker.models.custody import PersonQuerySet
from tracker.models.fields import (
    CodedArrayField,
    CodedField,
    CountriesField,
    ImpreciseDateField,
    KeyField,
    NearKeysField,
    SearchKeyField,
    SoundKeyField,
    emptying,
)
from tracker.models.history import tracked
from tracker.models.naming import NameQuerySet
from tracker.models.rules import Check, Unique, deferred, immediate
from tracker.models.sources import Organisation

# Crockford's base 32 in small letters: no i, l, o, u to mistake or to spell words with
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


def new_pid() -> str:
    """Ten random letters and digits (50 bits) with a hyphen: says nothing about order or number."""
    letters = [secrets.choice(_LETTERS) for _ in range(10)]
    return "".join(letters[:5]) + "-" + "".join(letters[5:])


def permanent(column: str, event_table: str) -> list[Any]:
    """A short id in print is never changed, and never given to another row after a deletion."""
    return [
        immediate(
            f"{column}_is_permanent",
            f"NEW.{column} <> OLD.{column}",
            _("This identifier is in print. It never changes."),
            operation=pgtrigger.Update,
        ),
        immediate(
            f"{column}_is_never_reused",
            f"EXISTS (SELECT 1 FROM {event_table} WHERE {column} = NEW.{column} AND pgh_obj_id <> NEW.id)",
            _("This identifier once named another record. It is never used again."),
            operation=pgtrigger.Insert,
        ),
    ]


def nothing_new_of_the_merged(column: str = "person") -> Any:
    """For a table whose rows a merge moves: a row that is saved at the same moment does not stay behind.

    It waits for the end of the merge, which takes its persons FOR UPDATE; who merely edits the person is not waited
    for. What was left with a merged person can still be edited.
    """
    key = f"{column}_id"
    return deferred(
        f"{column}_is_not_merged",
        f"""(TG_OP = 'INSERT' OR NEW.{key} IS DISTINCT FROM OLD.{key})
            AND EXISTS (SELECT 1 FROM tracker_person WHERE id = NEW.{key} AND merged_into_id IS NOT NULL)""",
        _("This person was merged into another record meanwhile: choose that one."),
        field=column,
        first=f"PERFORM 1 FROM tracker_person WHERE id = NEW.{key} FOR KEY SHARE;",
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(key),  # type: ignore[no-untyped-call]
    )


def _year_only(born: dates.ImpreciseDate | None, _row: Any) -> dates.ImpreciseDate | None:
    return born and born.whole_year()


@emptying
def _no_label_without_name(label: str, row: Any) -> str:
    """Whoever wants the name withheld does not want a description that names them either."""
    return "" if row.consent == v.Consent.NAME_WITHHELD else label


#: What somebody asked for, from strict to open; nobody was asked in the end.
CONSENTS = (v.Consent.NOT_AT_ALL, v.Consent.NAME_WITHHELD, v.Consent.MAY_BE_PUBLISHED, v.Consent.NOT_ASKED)


@tracked
class Person(Explained, Reviewed):
    """Somebody who is or was held or released, named or not, or a relative or co-defendant of one."""

    disclosure = disclosure(sealable=True)
    pid = models.CharField(default=new_pid, unique=True, editable=False)
    identification = CodedField(v.Identification, default=v.Identification.IDENTIFIED, verbose_name=_("identification"))
    label = models.CharField(
        blank=True,
        default="",
        verbose_name=_("label"),
        help_text=_("For somebody without a name: “husband of Sviatlana Tsikhanouskaya”. Shown to the public."),
    )
    sex = CodedField(v.Sex, blank=True, verbose_name=_("sex"))
    born = ImpreciseDateField(verbose_name=_("born"))
    died = ImpreciseDateField(verbose_name=_("died"))
    death_circumstances = CodedField(v.DeathCircumstances, blank=True, verbose_name=_("circumstances of death"))
    citizenships = CountriesField(codes=v.country_codes(), verbose_name=_("citizenships"))
    home_town = models.CharField(blank=True, default="", verbose_name=_("home town"))
    occupations = CodedArrayField(v.Occupation, verbose_name=_("occupations"))
    contexts = CodedArrayField(v.PersecutionContext, verbose_name=_("context of persecution"))
    coding_note = models.CharField(
        blank=True,
        default="",
        verbose_name=_("note on coding"),
        help_text=_("Say here what “other” stands for among the occupations or contexts."),
    )
    summary = models.TextField(blank=True, default="", verbose_name=_("summary"), help_text=_("Shown to the public."))
    consent = CodedField(v.Consent, default=v.Consent.NOT_ASKED, verbose_name=_("consent to publication"))
    consent_by = models.CharField(blank=True, default="", verbose_name=_("who said so"))
    consent_on = models.DateField(null=True, blank=True, verbose_name=_("said on"))
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged", editable=False
    )

    looked_up_in_history = ("pid",)
    below = ("merged_into",)

    objects = PersonQuerySet.as_manager()  # type: ignore[misc]

    copied = {
        "public": (
            "missing",
            "pid", "identification", "label", "sex", "born", "died", "citizenships", "home_town", "occupations",
            "contexts", "coding_note", "summary", "merged_into", "disclosure",
        ),
        "researcher": ("death_circumstances",),
    }  # fmt: skip
    redacted = {
        "born": {"public": _year_only},
        "label": {"public": _no_label_without_name, "researcher": _no_label_without_name},
    }

    not_applicable = {"consent_on": Q(consent=v.Consent.NOT_ASKED)}

    class Meta(Reviewed.Meta):
        verbose_name = _("person")
        verbose_name_plural = _("persons")
        ordering = ["pid"]
        constraints = [
            *Reviewed.Meta.constraints,
            Check(
                name="person_died_after_birth",
                condition=ends_after_start("born", "died"),
                sentence=_("This person cannot have died before being born."),
                field="died",
            ),
            Check(
                name="person_other_has_a_note",
                condition=(
                    ~Q(coding_note="") | ~(Q(occupations__contains=["other"]) | Q(contexts__contains=["other"]))
                ),
                sentence=_("“Other” needs a note that says what it stands for."),
                field="coding_note",
            ),
            Check(
                name="person_merged_into_another",
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=models.F("id")),
                sentence=_("A person cannot be merged into itself."),
            ),
        ]
        indexes = [
            models.Index(name="person_sealed", fields=["disclosure"], condition=Q(disclosure=v.Disclosure.SEALED)),
            GinIndex(
                OpClass(Upper("label"), name="gin_trgm_ops"), name="person_label_trigrams", condition=~Q(label="")
            ),
        ]
        triggers = [
            *Reviewed.Meta.triggers,
            *permanent("pid", "tracker_personhistory"),
            *placed("label", person="id"),  # type: ignore[list-item]
            pgtrigger.Trigger(  # type: ignore[list-item]
                # of two mergers at once the second sees what the first did
                name="waits_for_whom_it_is",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("merged_into_id"),  # type: ignore[no-untyped-call]
                func="""
                    PERFORM 1 FROM tracker_person WHERE id = NEW.merged_into_id FOR NO KEY UPDATE;
                    RETURN NEW;
                """,
            ),
            deferred(
                "person_merged_in_one_step",
                """EXISTS (SELECT 1 FROM tracker_person merged JOIN tracker_person kept
                    ON kept.id = merged.merged_into_id
                    WHERE merged.id = NEW.id AND kept.merged_into_id IS NOT NULL)
                OR EXISTS (SELECT 1 FROM tracker_person kept JOIN tracker_person merged
                    ON merged.merged_into_id = kept.id
                    WHERE kept.id = NEW.id AND kept.merged_into_id IS NOT NULL)""",
                _("This person is merged into another one already. Merge with that one."),
                field="merged_into",
                condition=pgtrigger.Q(new__merged_into__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.merged_into is not None:
            raise ValidationError(
                _("This person has been merged into %(kept)s meanwhile. Nothing was saved: enter it there.")
                % {"kept": self.merged_into.pid}
            )

    def get_absolute_url(self) -> str:
        return reverse("person", args=[self.pid])

    @classmethod
    def closure_of(cls, row: Any) -> v.Disclosure:
        """Also closed to every copy while the person does not want to be published."""
        closed = super().closure_of(row)
        if row.consent == v.Consent.NOT_AT_ALL and closed.level < v.Disclosure.STAFF.level:
            return v.Disclosure.STAFF
        return closed

    @classmethod
    def leads_on(cls, row: Any) -> tuple[str, ...] | None:
        return ("pid", "merged_into", "disclosure") if row.merged_into_id else None

    @cached_property
    def primary_name(self) -> Name | None:
        """The first name that is not erroneous. Reads prefetched names, else costs a query."""
        known = [name for name in self.names.all() if name.kind != v.NameKind.ERRONEOUS]
        return min(known, key=lambda name: name.position, default=None)

    @property
    def name(self) -> str:
        """What to call this person on a page: the first name, else the label, else words that claim nothing."""
        if self.primary_name:
            return self.primary_name.text
        if self.merged_into_id:
            return str(_("%(pid)s, merged") % {"pid": self.pid})
        return self.label or str(_("not named here"))

    @classmethod
    def closer(cls, row: Any, than: Any) -> dict[str, Any]:
        """The columns in which a person is more closed than another, with their values; both may be of history."""
        values: dict[str, Any] = {}
        if v.Disclosure(row.disclosure).level > v.Disclosure(than.disclosure).level:
            values["disclosure"] = row.disclosure
        asked = v.Consent(row.consent)
        if asked in (v.Consent.NOT_AT_ALL, v.Consent.NAME_WITHHELD) and (
            CONSENTS.index(asked) < CONSENTS.index(v.Consent(than.consent))
        ):
            values |= {"consent": row.consent, "consent_by": row.consent_by, "consent_on": row.consent_on}
        return values

    def age_on(self, day: date) -> tuple[int, int] | None:
        """Smallest and largest age the person can have had on that day."""
        return dates.age_range(self.born, day) if self.born else None


@tracked
class Name(Part):
    """One spelling of a person's name. Erroneous ones are kept, so that they are found."""

    owner = "person"
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="names")
    text = models.CharField(verbose_name=_("name"))
    language = CodedField(v.Language, blank=True, verbose_name=_("language"))
    script = CodedField(v.Script, blank=True, verbose_name=_("script"), help_text=_("Empty: read off the name."))
    kind = CodedField(v.NameKind, default=v.NameKind.LEGAL, verbose_name=_("kind"))
    scheme = CodedField(v.NameScheme, blank=True, verbose_name=_("romanisation"))
    position = position()
    search_key = SearchKeyField(default="", db_default="", blank=True, editable=False)
    sound_key = SoundKeyField(default="", db_default="", blank=True, editable=False)
    near_keys = NearKeysField(default=list, db_default=[], blank=True, editable=False)
    disclosure = disclosure()

    objects = NameQuerySet.as_manager()  # type: ignore[misc]

    copied = {
        "public": (
            "person", "text", "language", "script", "kind", "scheme", "position", "search_key", "sound_key",
            "near_keys", "disclosure",
        )
    }  # fmt: skip

    class Meta:
        verbose_name = _("name")
        verbose_name_plural = _("names")
        ordering = ["position"]
        constraints = [
            citable("person"),
            Unique(
                fields=["person", "position"],
                name="name_position",
                deferrable=models.Deferrable.DEFERRED,
                sentence=_("Two names stand at the same place. Number them 1, 2, 3; the first is the primary one."),
                field="position",
            ),
            Check(
                name="name_is_not_empty",
                condition=~Q(text=""),
                sentence=_("A name cannot be empty. Remove the line if there is none."),
                field="text",
            ),
        ]
        triggers = [
            nothing_new_of_the_merged(),
            *placed("text", "kind", "position", "person_id", person="person_id"),
        ]
        indexes = [
            GinIndex(name="name_search_trigrams", fields=["search_key"], opclasses=["gin_trgm_ops"]),
            GinIndex(name="name_sound_trigrams", fields=["sound_key"], opclasses=["gin_trgm_ops"]),
            GinIndex(name="name_near_keys", fields=["near_keys"], fastupdate=False),
        ]

    def __str__(self) -> str:
        return self.text

    @classmethod
    def open_with(cls, record: Any) -> bool:
        return bool(record.consent != v.Consent.NAME_WITHHELD)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.text = names.clean(self.text)
        self.script = self.script or names.script_of(self.text)
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "text", "script", *KeyField.names_in(type(self))}
        super().save(*args, **kwargs)


@tracked
class Relationship(Part):
    """``person`` is the ``kind`` of ``other``. About relatives: staff unless somebody decides otherwise."""

    owner = "person"
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="relationships")
    kind = CodedField(v.RelationshipKind, verbose_name=_("is"))
    other = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="relationships_to", verbose_name=_("of"))
    note = models.CharField(blank=True, default="", verbose_name=_("note"))
    disclosure = disclosure(v.Disclosure.STAFF)

    copied = {"public": ("person", "kind", "other", "note", "disclosure")}

    class Meta:
        verbose_name = _("relationship")
        verbose_name_plural = _("relationships")
        constraints = [
            citable("person"),
            Check(
                name="relationship_of_two",
                condition=~Q(person=models.F("other")),
                sentence=_("A relationship is between two persons."),
                field="other",
            ),
            Unique(
                fields=["person", "other", "kind"],
                name="relationship_once",
                sentence=_("This relationship is already recorded."),
                field="other",
            ),
            Check(
                name="relationship_other_has_a_note",
                condition=~Q(kind=v.RelationshipKind.OTHER) | ~Q(note=""),
                sentence=_("“Other” needs a note that says what it stands for."),
                field="note",
            ),
        ]
        triggers = [nothing_new_of_the_merged(), nothing_new_of_the_merged("other")]

    def __str__(self) -> str:
        return f"{v.RelationshipKind(self.kind).label} – {self.other}"


@tracked
class Recognition(Explained, Part):
    """A body's statement that somebody is, or is not, a political prisoner; never a Boolean."""

    owner = "person"
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="recognitions")
    body = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", verbose_name=_("body"))
    status = CodedField(v.RecognitionStatus, verbose_name=_("status"))
    criteria = CodedArrayField(v.RecognitionCriterion, verbose_name=_("criteria"))
    started = ImpreciseDateField(verbose_name=_("from"))
    ended = ImpreciseDateField(verbose_name=_("until"))

    copied = {"public": ("missing", "person", "body", "status", "criteria", "started", "ended")}

    class Meta:
        verbose_name = _("recognition")
        verbose_name_plural = _("recognitions")
        constraints = [
            citable("person"),
            Check(
                name="recognition_ends_after_start",
                condition=ends_after_start("started", "ended"),
                sentence=_("The end is before the start."),
                field="ended",
            ),
        ]
        triggers = [nothing_new_of_the_merged()]

    def __str__(self) -> str:
        return f"{v.RecognitionStatus(self.status).label} ({self.body})"


@tracked
class ExternalIdentifier(Part):
    """The same person in somebody else's list."""

    owner = "person"
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="external_identifiers")
    scheme = models.CharField(verbose_name=_("list"), help_text=_("viasna, wikidata, ovd-info"))
    value = models.CharField(verbose_name=_("identifier there"))

    copied = {"public": ("person", "scheme", "value")}

    class Meta:
        verbose_name = _("external identifier")
        verbose_name_plural = _("external identifiers")
        constraints = [
            Unique(
                fields=["scheme", "value"],
                name="externalidentifier_once",
                sentence=_("Another person already has this identifier: perhaps the two are one."),
                field="value",
            ),
            Check(
                name="externalidentifier_is_not_empty",
                condition=~Q(scheme="") & ~Q(value=""),
                sentence=_("An identifier needs the list it is from and its value there."),
                field="value",
            ),
        ]
        triggers = [nothing_new_of_the_merged()]

    def __str__(self) -> str:
        return f"{self.scheme}: {self.value}"

    @classmethod
    def open_with(cls, record: Any) -> bool:
        """The number in another public list is as good as the name."""
        return bool(record.consent != v.Consent.NAME_WITHHELD)


_PARTS = {"name": "tracker_name", "relationship": "tracker_relationship", "recognition": "tracker_recognition"}


@tracked
class PersonCitation(Citation):
    owner = "person"
    parts = tuple(_PARTS)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="citations")
    name = models.ForeignKey(Name, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    relationship = models.ForeignKey(Relationship, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    recognition = models.ForeignKey(Recognition, null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    copied = {**Citation.copied, "public": (*Citation.copied["public"], "person", "about", *_PARTS)}

    class Meta(Citation.Meta):
        constraints = [*Citation.Meta.constraints, *citation_rules("person", _PARTS)]
        triggers = [nothing_new_of_the_merged()]
