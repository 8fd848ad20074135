"""Announced acts: a pardon, a handover, an exchange; who took part, and what was granted."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tracker import vocabularies as v
from tracker.models import Organisation
from tracker.models.base import (
    Citation,
    Explained,
    Part,
    Reviewed,
    Row,
    citable,
    citation_rules,
    disclosure,
)
from tracker.models.fields import CodedArrayField, CodedField, CountriesField, CountryField, ImpreciseDateField
from tracker.models.history import tracked
from tracker.models.ordering import by_text, earliest_first, latest_first
from tracker.models.persons import new_pid, permanent
from tracker.models.rules import Check, Unique


@tracked
class ReleaseEvent(Explained, Reviewed):
    """One announced act: a pardon, a handover, an exchange, an amnesty."""

    disclosure = disclosure(sealable=True)
    looked_up_in_history = ("rid",)

    rid = models.CharField(default=new_pid, unique=True, editable=False)
    title = models.CharField(verbose_name=_("title"), help_text=_("Shown to the public."))
    announced = ImpreciseDateField(verbose_name=_("announced"))
    happened = ImpreciseDateField(verbose_name=_("happened"))
    legal_bases = CodedArrayField(v.LegalBasis, verbose_name=_("legal bases"))
    mechanism = CodedField(v.Mechanism, blank=True, verbose_name=_("mechanism"))
    country = CountryField(blank=True, default="BY", verbose_name=_("released by"), codes=v.country_codes())
    summary = models.TextField(blank=True, default="", verbose_name=_("summary"), help_text=_("Shown to the public."))

    copied = {
        "public": (
            "missing",
            "rid", "title", "announced", "happened", "legal_bases", "mechanism", "country", "summary", "disclosure",
        )
    }  # fmt: skip

    class Meta(Reviewed.Meta):
        verbose_name = _("release event")
        verbose_name_plural = _("release events")
        ordering = [F("happened").desc(nulls_last=True), F("announced").desc(nulls_last=True), "rid"]
        constraints = [
            *Reviewed.Meta.constraints,
            Check(
                name="releaseevent_has_a_title",
                condition=~Q(title=""),
                sentence=_("Give the event a title."),
                field="title",
            ),
        ]
        indexes = [
            models.Index(earliest_first("happened", "announced"), "id", name="releaseevent_earliest_first"),
            models.Index(latest_first("happened", "announced"), "id", name="releaseevent_latest_first"),
            models.Index(by_text("title"), "id", name="releaseevent_by_title"),
        ]
        triggers = [*Reviewed.Meta.triggers, *permanent("rid", "releases_releaseeventhistory")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("event", args=[self.rid])


@tracked
class EventGrant(Row):
    """Names a user who may see one sealed event; being a superuser is not enough."""

    user = models.ForeignKey("tracker.User", on_delete=models.CASCADE, related_name="event_grants")
    event = models.ForeignKey(ReleaseEvent, on_delete=models.CASCADE, related_name="grants")

    class Meta:
        constraints = [
            Unique(
                fields=["user", "event"],
                name="eventgrant_once",
                sentence=_("This account already has this grant."),
                field="user",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.event}"


@tracked
class EventRelation(Part):
    """``event`` is part of, follows, or may include the same people as ``other``."""

    owner = "event"
    event = models.ForeignKey(ReleaseEvent, on_delete=models.CASCADE, related_name="relations")
    kind = CodedField(v.EventRelationKind, verbose_name=_("relation"))
    other = models.ForeignKey(
        ReleaseEvent, on_delete=models.PROTECT, related_name="relations_to", verbose_name=_("other event")
    )

    copied = {"public": ("event", "kind", "other")}

    class Meta:
        verbose_name = _("related event")
        verbose_name_plural = _("related events")
        constraints = [
            citable("event"),
            Check(
                name="eventrelation_of_two",
                condition=~Q(event=F("other")),
                sentence=_("A relation is between two events."),
                field="other",
            ),
            Unique(
                fields=["event", "other", "kind"],
                name="eventrelation_once",
                sentence=_("This relation is already recorded."),
                field="other",
            ),
        ]

    def __str__(self) -> str:
        return f"{v.EventRelationKind(self.kind).label} – {self.other}"


@tracked
class Participation(Part):
    """An organisation, or a name with a title, in a role. Officials are never persons of this database."""

    owner = "event"
    bound = ("organisation",)
    event = models.ForeignKey(ReleaseEvent, on_delete=models.CASCADE, related_name="participations")
    role = CodedField(v.EventRole, verbose_name=_("role"))
    organisation = models.ForeignKey(
        Organisation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="participations",
        verbose_name=_("organisation"),
    )
    name = models.CharField(blank=True, default="", verbose_name=_("or a name"))
    title = models.CharField(blank=True, default="", verbose_name=_("with the title"))

    copied = {"public": ("event", "role", "organisation", "name", "title")}

    class Meta:
        verbose_name = _("participation")
        verbose_name_plural = _("participations")
        constraints = [
            citable("event"),
            Check(
                name="participation_names_one",
                condition=Q(organisation__isnull=True) & ~Q(name="") | Q(organisation__isnull=False) & Q(name=""),
                sentence=_("Give an organisation or a name, not both."),
                field="name",
            ),
        ]

    def __str__(self) -> str:
        who = str(self.organisation) if self.organisation else ", ".join(filter(None, [self.name, self.title]))
        return f"{v.EventRole(self.role).label}: {who}"


@tracked
class Concession(Explained, Part):
    """Something granted that is reported as linked to the event; never a cause."""

    owner = "event"
    event = models.ForeignKey(ReleaseEvent, on_delete=models.CASCADE, related_name="concessions")
    grantor = models.CharField(verbose_name=_("granted by"))
    kind = CodedField(v.ConcessionMeasure, blank=True, verbose_name=_("kind"))
    measure = models.CharField(verbose_name=_("measure"))
    announced = ImpreciseDateField(verbose_name=_("announced"))

    copied = {"public": ("missing", "event", "grantor", "kind", "measure", "announced")}

    class Meta:
        verbose_name = _("concession")
        verbose_name_plural = _("concessions")
        constraints = [
            citable("event"),
            Check(
                name="concession_says_what",
                condition=~Q(measure="") & ~Q(grantor=""),
                sentence=_("Say who granted what."),
                field="measure",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grantor}: {self.measure}"


@tracked
class OutsideRemit(Part):
    """People of the event who are not this database's to record: said once, so that nobody looks for them for ever."""

    owner = "event"
    event = models.ForeignKey(ReleaseEvent, on_delete=models.CASCADE, related_name="outside")
    low = models.PositiveIntegerField(verbose_name=_("how many, at least"))
    high = models.PositiveIntegerField(
        blank=True, verbose_name=_("at most"), help_text=_("Empty: exactly the number before.")
    )
    citizenships = CountriesField(codes=v.country_codes(), verbose_name=_("citizens of"))
    destinations = CountriesField(codes=v.country_codes(), verbose_name=_("taken to"))
    sex = CodedField(v.Sex, blank=True, verbose_name=_("sex"))
    why = models.CharField(
        verbose_name=_("who they are, and why they are not recorded"),
        help_text=_("Shown to the public: soldiers, whose exchange others record."),
    )

    copied = {"public": ("event", "low", "high", "citizenships", "destinations", "sex", "why")}

    class Meta:
        verbose_name = _("people outside the remit")
        verbose_name_plural = _("people outside the remit")
        ordering = ["-low", "id"]
        constraints = [
            citable("event"),
            Check(
                name="outsideremit_counts_somebody",
                condition=Q(high__gte=F("low"), high__gt=0),
                sentence=_("Give how many they are: at least one, and the lower number first."),
                field="high",
            ),
            Check(
                name="outsideremit_says_why",
                condition=~Q(why=""),
                sentence=_("Say who they are, and why they are not recorded here."),
                field="why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.why}"

    def clean(self) -> None:
        super().clean()
        if self.high is None:
            self.high = self.low

    @property
    def number(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


_PARTS = {
    "relation": "releases_eventrelation",
    "participation": "releases_participation",
    "concession": "releases_concession",
    "outside": "releases_outsideremit",
}


@tracked
class ReleaseEventCitation(Citation):
    """Also what is said about the group and is no count: an allegation, an illness, help given (``topic``)."""

    owner = "event"
    parts = tuple(_PARTS)
    event = models.ForeignKey(ReleaseEvent, on_delete=models.CASCADE, related_name="citations")
    topic = CodedField(v.CitationTopic, blank=True, verbose_name=_("topic"))
    relation = models.ForeignKey(EventRelation, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    participation = models.ForeignKey(Participation, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    concession = models.ForeignKey(Concession, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    outside = models.ForeignKey(OutsideRemit, null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    copied = {**Citation.copied, "public": (*Citation.copied["public"], "event", "about", "topic", *_PARTS)}

    class Meta(Citation.Meta):
        constraints = [*Citation.Meta.constraints, *citation_rules("event", _PARTS)]
