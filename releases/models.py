"""How people came out, and where they went: announced acts, the numbers stated about them, and each person's part."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tracker import vocabularies as v
from tracker.models import Detention, Organisation, Person
from tracker.models.base import (
    Citation,
    Claim,
    Part,
    Reviewed,
    Row,
    RowQuerySet,
    citable,
    citation_rules,
    disclosure,
    position,
)
from tracker.models.fields import CodedArrayField, CodedField, CountriesField, CountryField, ImpreciseDateField
from tracker.models.history import tracked
from tracker.models.persons import new_pid, permanent
from tracker.models.rules import Check, CompositeForeignKey, Unique, deferred, immediate


@tracked
class ReleaseEvent(Reviewed):
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
class Concession(Part):
    """Something granted that is reported as linked to the event; never a cause."""

    owner = "event"
    event = models.ForeignKey(ReleaseEvent, on_delete=models.CASCADE, related_name="concessions")
    grantor = models.CharField(verbose_name=_("granted by"))
    kind = CodedField(v.ConcessionMeasure, blank=True, verbose_name=_("kind"))
    measure = models.CharField(verbose_name=_("measure"))
    announced = ImpreciseDateField(verbose_name=_("announced"))

    copied = {"public": ("event", "grantor", "kind", "measure", "announced")}

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


_PARTS = {
    "relation": "releases_eventrelation",
    "participation": "releases_participation",
    "concession": "releases_concession",
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

    copied = {**Citation.copied, "public": (*Citation.copied["public"], "event", "about", "topic", *_PARTS)}

    class Meta(Citation.Meta):
        constraints = [*Citation.Meta.constraints, *citation_rules("event", _PARTS)]


class ReleaseQuerySet(RowQuerySet):
    def counted(self) -> Self:
        """Those who came out: announced, refused or refuted is not yet, or not, free."""
        return self.filter(outcome=v.ReleaseOutcome.CONFIRMED)

    def taken_to(self, country: str) -> Self:
        """Handed over to, or arrived in, the country (a completed leg); a leg to several countries is none of them."""
        reached = Leg.objects.using(self.db).filter(status=v.LegStatus.COMPLETED, countries=[country])
        return self.filter(pk__in=reached.values("release"))


@tracked
class Release(Reviewed):
    """One person's part in an event, or a release with no event. Being on a list is not yet being free."""

    below = ("person", "event")

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="releases", verbose_name=_("person"))
    event = models.ForeignKey(
        ReleaseEvent,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="releases",
        verbose_name=_("event"),
        help_text=_("Empty for a release that belongs to no announced act."),
    )
    detention = models.ForeignKey(
        Detention,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="releases",
        verbose_name=_("detention"),
    )
    released_on = ImpreciseDateField(verbose_name=_("released on"))
    outcome = CodedField(v.ReleaseOutcome, default=v.ReleaseOutcome.CONFIRMED, verbose_name=_("outcome"))
    legal_bases = CodedArrayField(v.LegalBasis, verbose_name=_("legal bases"))
    departure = CodedField(v.Departure, default=v.Departure.UNKNOWN, verbose_name=_("departure"))
    conditions = CodedArrayField(v.ReleaseCondition, verbose_name=_("conditions"))
    note = models.TextField(blank=True, default="", verbose_name=_("note"), help_text=_("Seen by staff only."))

    objects = ReleaseQuerySet.as_manager()  # type: ignore[misc]

    copied = {
        "public": (
            "person", "event", "detention", "released_on", "outcome", "legal_bases", "departure", "conditions",
            "disclosure",
        )
    }  # fmt: skip

    class Meta(Reviewed.Meta):
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        ordering = [F("released_on").desc(nulls_last=True), "id"]
        constraints = [
            *Reviewed.Meta.constraints,
            Unique(
                fields=["person", "event"],
                name="release_once_for_person_and_event",
                sentence=_("This person's release in this event is already recorded. Open that one instead."),
                field="person",
            ),
            Unique(
                fields=["detention"],
                condition=Q(outcome=v.ReleaseOutcome.CONFIRMED),
                name="release_one_confirmed_for_a_detention",
                sentence=_("Another confirmed release already ends this detention."),
                field="detention",
            ),
            CompositeForeignKey(
                name="release_detention_is_the_same_persons",
                columns=("detention_id", "person_id"),
                to="tracker_detention",
                to_columns=("id", "person_id"),
                sentence=_("This detention is another person's."),
                field="detention",
            ),
        ]
        triggers = [
            *Reviewed.Meta.triggers,
            deferred(
                "leg_not_before_release",
                """EXISTS (SELECT 1 FROM releases_leg l JOIN releases_release r ON r.id = l.release_id
                    WHERE r.id = NEW.id AND upper(l.happened) <= lower(r.released_on))""",
                _("A step of the way out lies surely before the release. Correct one of the two dates."),
                field="released_on",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}{f', {self.released_on.edtf}' if self.released_on else ''}"

    def get_absolute_url(self) -> str:
        return self.person.get_absolute_url()

    @property
    def ends_detention(self) -> bool:
        """Only a confirmed release does, and only when an editor says so."""
        return self.outcome == v.ReleaseOutcome.CONFIRMED


@tracked
class Leg(Part):
    """One step of the way out. Several countries mean one of these; none means nobody says."""

    owner = "release"
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="legs")
    position = position()
    kind = CodedField(v.LegKind, default=v.LegKind.HANDOVER, verbose_name=_("kind"))
    countries = CountriesField(
        codes=v.country_codes(),
        verbose_name=_("to"),
        help_text=_("One country; or several where nobody says which of them."),
    )
    place = models.CharField(blank=True, default="", verbose_name=_("place"))
    happened = ImpreciseDateField(verbose_name=_("date"))
    status = CodedField(v.LegStatus, default=v.LegStatus.COMPLETED, verbose_name=_("status"))
    authority = models.ForeignKey(
        Organisation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("received by"),
    )

    copied = {"public": ("release", "position", "kind", "countries", "place", "happened", "status", "authority")}

    class Meta:
        verbose_name = _("step of the way out")
        verbose_name_plural = _("way out")
        ordering = ["position"]
        constraints = [
            citable("release"),
            Unique(
                fields=["release", "position"],
                name="leg_position",
                deferrable=models.Deferrable.DEFERRED,
                sentence=_("Two steps stand at the same place. Number them 1, 2, 3."),
                field="position",
            ),
        ]
        triggers = [
            deferred(
                "leg_not_before_release",
                """EXISTS (SELECT 1 FROM releases_leg l JOIN releases_release r ON r.id = l.release_id
                    WHERE l.id = NEW.id AND upper(l.happened) <= lower(r.released_on))""",
                _("A step of the way out lies surely before the release. Correct one of the two dates."),
                field="happened",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {v.LegKind(self.kind).label} – {self.destination}"

    @property
    def destination(self) -> str:
        """The country in words; “Poland or Lithuania” where nobody says which."""
        return str(_(" or ")).join(str(v.country_name(code)) for code in self.countries) or str(_("not known where"))


@tracked
class ReleaseCitation(Citation):
    owner = "release"
    parts = ("leg",)
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="citations")
    leg = models.ForeignKey(Leg, null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    copied = {**Citation.copied, "public": (*Citation.copied["public"], "release", "about", "leg")}

    class Meta(Citation.Meta):
        constraints = [*Citation.Meta.constraints, *citation_rules("release", {"leg": "releases_leg"})]


def _bounds_fit_the_qualifier() -> Q:
    both, low, high = (
        Q(low__isnull=False, high__isnull=False),
        Q(low__isnull=False, high__isnull=True),
        Q(low__isnull=True, high__isnull=False) | Q(low__isnull=False, high__isnull=False),
    )
    return (
        Q(qualifier=v.Qualifier.WORDED, low__isnull=True, high__isnull=True)
        | (Q(qualifier=v.Qualifier.EXACTLY, low=F("high")) & both)
        | (Q(qualifier=v.Qualifier.ABOUT) & both)
        | (Q(qualifier__in=[v.Qualifier.AT_LEAST, v.Qualifier.MORE_THAN]) & low)
        | (Q(qualifier=v.Qualifier.UP_TO) & high)
    )


@tracked
class ReportedFigure(Claim, Reviewed):
    """A number somebody stated about a group; a citation of its own. For measures of age and sentence, a range.

    ``low`` and ``high`` are what the number can be: see ``releases.counting.bounds``.
    """

    below = ("event",)

    event = models.ForeignKey(
        ReleaseEvent,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="figures",
        verbose_name=_("event"),
        help_text=_("Empty for a figure about no event, such as a number of prisoners on a day."),
    )
    subject = CodedField(v.FigureSubject, verbose_name=_("what is counted"))
    measure = CodedField(v.FigureMeasure, default=v.FigureMeasure.PEOPLE, verbose_name=_("measured in"))
    qualifier = CodedField(v.Qualifier, default=v.Qualifier.EXACTLY, verbose_name=_("qualifier"))
    low = models.PositiveIntegerField(null=True, blank=True, verbose_name=_("at least"))
    high = models.PositiveIntegerField(null=True, blank=True, verbose_name=_("at most"))
    as_of = ImpreciseDateField(verbose_name=_("as of"), help_text=_("The day a stock is counted on."))
    period = ImpreciseDateField(verbose_name=_("period"), help_text=_("From when to when a flow is counted."))
    citizenships = CountriesField(codes=v.country_codes(), verbose_name=_("citizens of"))
    destinations = CountriesField(codes=v.country_codes(), verbose_name=_("taken to"))
    sex = CodedField(v.Sex, blank=True, verbose_name=_("sex"))
    group = models.CharField(blank=True, default="", verbose_name=_("group"), help_text=_("As worded: priests."))
    counted_as = models.CharField(
        blank=True,
        default="",
        verbose_name=_("counted as"),
        help_text=_("Whose definition: political prisoners by Viasna. Empty: everybody."),
    )
    part_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="of_whom",
        verbose_name=_("part of"),
        help_text=_("The figure it is “of whom”."),
    )
    parts_complete = models.BooleanField(
        default=False,
        db_default=False,
        verbose_name=_("its parts are complete"),
        help_text=_("The figures that are part of this one add up to it, along one dimension."),
    )

    copied = {
        "public": (
            *Claim.copied["public"], "event", "subject", "measure", "qualifier", "low", "high", "period",
            "citizenships", "destinations", "sex", "group", "counted_as", "part_of", "parts_complete",
        ),
        "researcher": Claim.copied["researcher"],
    }  # fmt: skip

    class Meta(Reviewed.Meta):
        verbose_name = _("reported figure")
        verbose_name_plural = _("reported figures")
        ordering = ["subject", "measure", F("low").desc(nulls_last=True), "id"]
        indexes = [models.Index(fields=["source"])]
        constraints = [
            *Reviewed.Meta.constraints,
            *Claim.Meta.constraints,
            Check(
                name="reportedfigure_low_is_not_above_high",
                condition=Q(low__isnull=True) | Q(high__isnull=True) | Q(low__lte=F("high")),
                sentence=_("The lower number is above the higher one."),
                field="low",
            ),
            Check(
                name="reportedfigure_numbers_fit_the_qualifier",
                condition=_bounds_fit_the_qualifier() | ~Q(measure=v.FigureMeasure.PEOPLE),
                sentence=_(
                    "The numbers do not fit the qualifier: “exactly” has one number, “at least” and “more than” a"
                    " lower one, “up to” a higher one, “about” both, and a worded figure (“several”) none."
                ),
                field="qualifier",
            ),
            Check(
                name="reportedfigure_is_a_stock_or_a_flow",
                condition=Q(as_of__isnull=True) | Q(period__isnull=True),
                sentence=_("A figure is counted on a day or over a period, not both."),
                field="period",
            ),
            Check(
                name="reportedfigure_worded_has_words",
                condition=~Q(qualifier=v.Qualifier.WORDED) | ~Q(stated=""),
                sentence=_("A figure without numbers needs its words: “several”."),
                field="stated",
            ),
        ]
        triggers = [
            *Reviewed.Meta.triggers,
            immediate(
                "reportedfigure_part_of_no_circle",
                """NEW.part_of_id IS NOT NULL AND (NEW.part_of_id = NEW.id OR EXISTS (
                    WITH RECURSIVE up AS (
                        SELECT part_of_id AS id FROM releases_reportedfigure WHERE id = NEW.part_of_id
                        UNION SELECT f.part_of_id FROM releases_reportedfigure f JOIN up ON f.id = up.id
                    ) SELECT 1 FROM up WHERE id = NEW.id))""",
                _("A figure cannot be part of itself, directly or not."),
                field="part_of",
            ),
            deferred(
                "reportedfigure_part_of_the_same",
                """EXISTS (SELECT 1 FROM releases_reportedfigure part JOIN releases_reportedfigure whole
                    ON whole.id = part.part_of_id WHERE (part.id = NEW.id OR whole.id = NEW.id)
                    AND (whole.measure <> part.measure OR whole.event_id IS DISTINCT FROM part.event_id))""",
                _("A figure is part of another of the same event and measure."),
                field="part_of",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {v.FigureSubject(self.subject).label} ({self.source})"

    @property
    def number(self) -> str:
        """The number as a person would write it: “114”, “about 100”, “more than 1100”, “18–58”, “several”."""
        if self.qualifier == v.Qualifier.WORDED:
            return self.stated
        if self.low is not None and self.low == self.high:
            return str(self.low)
        if self.measure != v.FigureMeasure.PEOPLE and self.low is not None and self.high is not None:
            return f"{self.low}–{self.high}"
        if self.stated and self.measure == v.FigureMeasure.PEOPLE:
            return self.stated
        words: dict[str, Any] = {
            v.Qualifier.AT_LEAST: _("at least %(low)s"),
            v.Qualifier.MORE_THAN: _("at least %(low)s"),
            v.Qualifier.UP_TO: _("up to %(high)s"),
        }
        return str(words.get(self.qualifier, _("%(low)s to %(high)s"))) % {"low": self.low, "high": self.high}
