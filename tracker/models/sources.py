"""Publications, and what they and we name again and again: organisations, facilities, provisions of law."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tracker import vocabularies as v
from tracker.models.base import HELD, Citation, Part, Record, citable, citation_rules, disclosure, position
from tracker.models.fields import CodedField, CountryField, ImpreciseDateField
from tracker.models.history import tracked
from tracker.models.ordering import by_text, earliest_first, latest_first
from tracker.models.rules import Check, Unique, immediate


@tracked
class Source(Record):
    """A publication, a letter, a conversation. An address may be unknown; a title never is."""

    disclosure = disclosure(sealable=True)
    title = models.CharField(verbose_name=_("title"))
    publisher = models.CharField(blank=True, default="", verbose_name=_("publisher"))
    kind = CodedField(v.SourceKind, blank=True, verbose_name=_("kind"))
    authors = models.CharField(blank=True, default="", verbose_name=_("authors"))
    published = ImpreciseDateField(verbose_name=_("published"))
    accessed = models.DateField(null=True, blank=True, verbose_name=_("accessed"))
    language = CodedField(v.Language, blank=True, verbose_name=_("language"))
    url = models.URLField(blank=True, default="", max_length=2000, verbose_name=_("address"))
    archive_url = models.URLField(blank=True, default="", max_length=2000, verbose_name=_("archived at"))
    derived_from = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="republications",
        verbose_name=_("repeats"),
        help_text=_("Only for a text republished whole. Where a passage repeats somebody, say so in the citation."),
    )
    reliability = CodedField(v.Reliability, blank=True, verbose_name=_("reliability"))
    note = models.TextField(blank=True, default="", verbose_name=_("note"))

    copied = {
        "public": (
            "title", "publisher", "kind", "authors", "published", "language", "url", "archive_url", "derived_from",
            "disclosure",
        ),
        "researcher": ("accessed", "reliability"),
    }  # fmt: skip
    withheld = Q(id=HELD)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["-published", "title", "id"]
        indexes = [
            models.Index(earliest_first("published"), "id", name="source_earliest_first"),
            models.Index(latest_first("published"), "id", name="source_latest_first"),
            models.Index(by_text("title"), "id", name="source_by_title"),
        ]
        constraints = [
            Check(name="source_has_a_title", condition=~Q(title=""), sentence=_("Give the source a title.")),
            Check(
                name="source_repeats_another",
                condition=Q(derived_from__isnull=True) | ~Q(derived_from=models.F("id")),
                sentence=_("A source cannot repeat itself."),
                field="derived_from",
            ),
        ]
        triggers = [
            immediate(
                "source_repeats_no_circle",
                """NEW.derived_from_id IS NOT NULL AND EXISTS (
                    WITH RECURSIVE up AS (
                        SELECT derived_from_id AS id FROM tracker_source WHERE id = NEW.derived_from_id
                        UNION SELECT s.derived_from_id FROM tracker_source s JOIN up ON s.id = up.id
                    ) SELECT 1 FROM up WHERE id = NEW.id)""",
                _("This source is itself repeated, directly or not, by the one it is said to repeat."),
                field="derived_from",
            )
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs and "disclosure" not in kwargs:
            kwargs["disclosure"] = self.usual_disclosure(str(kwargs.get("kind", "")))
        super().__init__(*args, **kwargs)

    @staticmethod
    def usual_disclosure(kind: str) -> v.Disclosure:
        """Staff for a letter, an interview, a court record: there the informant is in most danger."""
        return v.Disclosure.STAFF if kind in v.SourceKind.confidential() else v.Disclosure.PUBLIC

    def __str__(self) -> str:
        parts = [self.publisher, self.title, self.published.edtf if self.published else ""]
        return ", ".join(filter(None, parts))


@tracked
class Organisation(Record):
    kind = CodedField(v.OrganisationKind, blank=True, verbose_name=_("kind"))
    name = models.CharField(verbose_name=_("name"), help_text=_("The name we use. Others stand below."))
    country = CountryField(blank=True, verbose_name=_("country"), codes=v.country_codes())
    url = models.URLField(blank=True, default="", max_length=2000, verbose_name=_("address"))
    note = models.TextField(blank=True, default="", verbose_name=_("note"))

    copied = {"public": ("kind", "name", "country", "url", "disclosure")}

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = ["name", "id"]
        constraints = [
            Check(name="organisation_has_a_name", condition=~Q(name=""), sentence=_("Give the organisation a name."))
        ]

    def __str__(self) -> str:
        return self.name


@tracked
class OrganisationName(Part):
    """Another name of an organisation: DIU, HUR and Main Intelligence Directorate are one."""

    owner = "organisation"
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="names")
    text = models.CharField(verbose_name=_("name"))
    kind = CodedField(v.OrganisationNameKind, blank=True, verbose_name=_("kind"))
    language = CodedField(v.Language, blank=True, verbose_name=_("language"))
    position = position()

    copied = {"public": ("organisation", "text", "kind", "language", "position")}

    class Meta:
        verbose_name = _("other name")
        verbose_name_plural = _("other names")
        ordering = ["position"]
        constraints = [
            citable("organisation"),
            Unique(
                fields=["organisation", "position"],
                name="organisationname_position",
                deferrable=models.Deferrable.DEFERRED,
                sentence=_("Two names stand at the same place. Number them 1, 2, 3."),
                field="position",
            ),
            Check(name="organisationname_is_not_empty", condition=~Q(text=""), sentence=_("A name cannot be empty.")),
        ]

    def __str__(self) -> str:
        return self.text


@tracked
class OrganisationCitation(Citation):
    owner = "organisation"
    parts = ("name",)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="citations")
    name = models.ForeignKey(OrganisationName, null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    copied = {**Citation.copied, "public": (*Citation.copied["public"], "organisation", "about", "name")}

    class Meta(Citation.Meta):
        constraints = [
            *Citation.Meta.constraints,
            *citation_rules("organisation", {"name": "tracker_organisationname"}),
        ]


@tracked
class Facility(Record):
    """A place of detention. Numbers are reused: a different IK-1 existed until 2007, so key on the row."""

    kind = CodedField(v.CustodyType, blank=True, verbose_name=_("kind"))
    name = models.CharField(verbose_name=_("name"))
    number = models.CharField(blank=True, default="", verbose_name=_("number"))
    locality = models.CharField(blank=True, default="", verbose_name=_("locality"))
    country = CountryField(blank=True, verbose_name=_("country"), codes=v.country_codes())
    opened = ImpreciseDateField(verbose_name=_("in use from"))
    closed = ImpreciseDateField(verbose_name=_("in use until"))
    note = models.TextField(blank=True, default="", verbose_name=_("note"))

    copied = {"public": ("kind", "name", "number", "locality", "country", "opened", "closed", "disclosure")}

    class Meta:
        verbose_name = _("facility")
        verbose_name_plural = _("facilities")
        ordering = ["name", "id"]
        constraints = [
            Check(name="facility_has_a_name", condition=~Q(name=""), sentence=_("Give the facility a name."))
        ]

    def __str__(self) -> str:
        return ", ".join(filter(None, [self.name, self.locality]))


@tracked
class FacilityCitation(Citation):
    owner = "facility"
    facility = models.ForeignKey(Facility, on_delete=models.CASCADE, related_name="citations")

    copied = {**Citation.copied, "public": (*Citation.copied["public"], "facility", "about")}


@tracked
class Provision(Record):
    """An article of a code. ``verified``: somebody has compared our title with the official text."""

    law = CodedField(v.ProvisionLaw, default=v.ProvisionLaw.CRIMINAL_CODE, verbose_name=_("law"))
    country = CountryField(default="BY", verbose_name=_("country"), codes=v.country_codes())
    article = models.CharField(verbose_name=_("article"), help_text=_("342, 361-1"))
    title = models.CharField(blank=True, default="", verbose_name=_("title"))
    verified = models.BooleanField(default=False, db_default=False, verbose_name=_("checked against the official text"))

    copied = {"public": ("law", "country", "article", "title", "verified", "disclosure")}

    class Meta:
        verbose_name = _("provision")
        verbose_name_plural = _("provisions")
        ordering = ["law", "article", "id"]
        constraints = [
            Unique(
                fields=["country", "law", "article"],
                name="provision_once",
                sentence=_("This article is already in the list."),
                field="article",
            )
        ]

    def __str__(self) -> str:
        return f"{self.article} {self.title}".strip()
