"""One person's part in an act, and the steps of the way out."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from releases.models.events import ReleaseEvent
from tracker import vocabularies as v
from tracker.models import Detention, Organisation, Person
from tracker.models.base import (
    Citation,
    Explained,
    Part,
    Reviewed,
    RowQuerySet,
    citable,
    citation_rules,
    position,
)
from tracker.models.fields import CodedArrayField, CodedField, CountriesField, ImpreciseDateField
from tracker.models.history import tracked
from tracker.models.ordering import earliest_first, latest_first
from tracker.models.persons import nothing_new_of_the_merged
from tracker.models.rules import CompositeForeignKey, Unique, deferred


class ReleaseQuerySet(RowQuerySet):
    def counted(self) -> Self:
        """Those who came out: announced, refused or refuted is not yet, or not, free."""
        return self.filter(outcome=v.ReleaseOutcome.CONFIRMED)

    def handed_over_to(self, country: str, *, certain: bool = True) -> Self:
        """By a completed handover; one to several countries is to one of them possibly, to none certainly."""
        return self._led_to(country, certain, Q(kind=v.LegKind.HANDOVER))

    def taken_to(self, country: str, *, certain: bool = True) -> Self:
        """Handed over to, or arrived in, the country."""
        return self._led_to(country, certain, Q())

    def _led_to(self, country: str, certain: bool, legs: Q) -> Self:
        there = Q(countries=[country]) if certain else Q(countries__contains=[country])
        reached = Leg.objects.using(self.db).filter(there, legs, status=v.LegStatus.COMPLETED)
        return self.filter(pk__in=reached.values("release"))


@tracked
class Release(Explained, Reviewed):
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
            "missing",
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
        indexes = [
            models.Index(earliest_first("released_on"), "id", name="release_earliest_first"),
            models.Index(latest_first("released_on"), "id", name="release_latest_first"),
        ]
        triggers = [
            *Reviewed.Meta.triggers,
            nothing_new_of_the_merged(),
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
class Leg(Explained, Part):
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

    copied = {
        "public": ("missing", "release", "position", "kind", "countries", "place", "happened", "status", "authority")
    }

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
