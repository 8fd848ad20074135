"""Deprivations of liberty: from arrest to their end, where they are spent, and who is held on a day.

Arrest and end are imprecise, so two spans of days follow from them: *surely held* and *possibly held*
(``tracker.dates.surely_held`` and ``possibly_held`` say the same for one row in Python).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Self

from django.apps import apps
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, Func, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from tracker import dates
from tracker import vocabularies as v
from tracker.models.base import (
    Citation,
    Explained,
    Part,
    Reviewed,
    RowQuerySet,
    citable,
    citation_rules,
    disclosure,
    ends_after_start,
)
from tracker.models.fields import CodedField, ImpreciseDateField
from tracker.models.history import tracked
from tracker.models.ordering import earliest_first, latest_first
from tracker.models.persons import Person, nothing_new_of_the_merged
from tracker.models.rules import Check, Exclusion, Unique, deferred
from tracker.models.sources import Facility


class SurelyHeld(Func):
    """[upper(started) - 1 or the last day confirmed, lower(ended)): 'empty' where no day is sure, open where it is on.

    A CASE, because ``daterange`` raises when its bounds are the wrong way round.
    """

    output_field = DateRangeField()
    template = (
        "(CASE WHEN LEAST(upper((%(started)s)::daterange) - 1, (%(confirmed)s)::date)"
        " < COALESCE(lower((%(ended)s)::daterange), 'infinity'::date)"
        " THEN daterange(LEAST(upper((%(started)s)::daterange) - 1, (%(confirmed)s)::date),"
        " lower((%(ended)s)::daterange)) ELSE 'empty'::daterange END)"
    )

    def __init__(self, started: Any = "started", ended: Any = "ended", confirmed: Any = "confirmed") -> None:
        super().__init__(started, ended, confirmed)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        return f"{type(self).__module__}.{type(self).__name__}", (), {}

    def as_sql(self, compiler: Any, connection: Any, *_args: Any, **_extra: Any) -> Any:
        compiled = dict(
            zip(
                ("started", "ended", "confirmed"),
                (compiler.compile(expression) for expression in self.get_source_expressions()),
                strict=True,
            )
        )
        params: list[Any] = []
        sql = ""
        rest = self.template
        # a column may be named twice: its parameters then stand twice as well
        while "%(" in rest:
            before, rest = rest.split("%(", 1)
            name, rest = rest.split(")s", 1)
            sql += before + compiled[name][0]
            params += list(compiled[name][1])
        return sql + rest, params


def _can_include(on: date) -> Q:
    return (Q(started__isnull=True) | Q(started__startswith__lte=on)) & (
        Q(ended__isnull=True) | Q(ended__endswith__gt=on)
    )


class DetentionQuerySet(RowQuerySet):
    def possibly_held(self, on: date) -> Self:
        """Detentions that may include the day: nothing known excludes it."""
        return self.filter(_can_include(on))

    def surely_held(self, on: date) -> Self:
        """Detentions that include the day whatever the imprecise dates turn out to be.

        One that is open, but whose term has run out with no source confirming it since, is not sure any more.
        """
        return self.alias(surely=SurelyHeld()).filter(surely__contains=on).exclude(self.run_out(on))

    def run_out(self, on: date) -> Q:
        """Open, every expected end passed by the day, and no source has confirmed it since the last of them."""
        # by name: sentences have foreign keys that lead here
        terms = (
            apps.get_model("tracker", "Sentence")
            ._default_manager.using(self.db)
            .filter(verdict__prosecution__detention_links__detention=OuterRef("pk"))
        )
        over = terms.filter(expected_end__endswith__lte=on)
        running = terms.filter(Q(expected_end__endswith__gt=on) | Q(kind__in=["life", "death"]))
        confirmed_since = Q(
            confirmed__gte=Subquery(over.order_by("-expected_end").values("expected_end__startswith")[:1])
        )
        return Q(Q(ended__isnull=True), Q(Exists(over)), ~Q(Exists(running)), ~confirmed_since | Q(confirmed=None))

    def custody(self, on: date) -> Self:
        """Annotates what is known of the last placement that can have begun by the day and need not be over.

        ``custody_certain``: it has surely begun; ``placement_certain``: and is surely not over.
        """
        current = (
            Placement.objects.using(self.db)
            .filter(detention=OuterRef("pk"))
            .filter(_can_include(on))
            .order_by(F("started").desc(nulls_last=True), "-id")
        )
        return self.annotate(
            custody_type=Subquery(current.values("custody_type")[:1]),
            custody_certain=Subquery(
                current.annotate(
                    certain=ExpressionWrapper(
                        Q(started__isnull=True) | Q(started__endswith__lte=on + timedelta(days=1)),
                        output_field=models.BooleanField(),
                    )
                ).values("certain")[:1]
            ),
            facility_now=Subquery(current.values("facility__name")[:1]),
            facility_id_now=Subquery(current.values("facility")[:1]),
            placement_certain=Subquery(
                current.annotate(
                    certain=ExpressionWrapper(
                        (Q(started__isnull=True) | Q(started__endswith__lte=on + timedelta(days=1)))
                        & (Q(ended__isnull=True) | Q(ended__startswith__gt=on)),
                        output_field=models.BooleanField(),
                    )
                ).values("certain")[:1]
            ),
        )


@tracked
class Detention(Explained, Reviewed):
    """One continuous deprivation of liberty, from arrest to its end.

    Going from closed custody to home restriction is a placement, never the end.
    """

    below = ("person",)

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="detentions", verbose_name=_("person"))
    started = ImpreciseDateField(verbose_name=_("arrested"))
    ended = ImpreciseDateField(
        verbose_name=_("ended"),
        help_text=_(
            "Empty: no source says it ended. On a day nobody knows: from the last day known held to the first known"
            " out, 2021-03-05/2021-06-01."
        ),
    )
    end_reason = CodedField(v.DetentionEnd, blank=True, verbose_name=_("how it ended"))
    authority = models.CharField(blank=True, default="", verbose_name=_("authority"))
    allegation = models.TextField(blank=True, default="", verbose_name=_("allegation as worded"))
    confirmed = models.DateField(
        null=True, blank=True, verbose_name=_("last confirmed"), help_text=_("The last day a source says so.")
    )

    objects = DetentionQuerySet.as_manager()  # type: ignore[misc]

    copied = {
        "public": (
            "missing",
            "person", "started", "ended", "end_reason", "authority", "allegation", "confirmed", "disclosure",
        )
    }  # fmt: skip

    class Meta(Reviewed.Meta):
        verbose_name = _("detention")
        verbose_name_plural = _("detentions")
        ordering = [F("started").asc(nulls_last=True), F("ended").asc(nulls_last=True), "id"]
        constraints = [
            *Reviewed.Meta.constraints,
            # what the composite foreign keys of prosecutions and releases point to
            models.UniqueConstraint(fields=["id", "person"], name="detention_of_person"),
            Check(
                name="detention_ends_after_start",
                condition=ends_after_start("started", "ended"),
                sentence=_("The detention cannot have ended before it began."),
                field="ended",
            ),
            Check(
                name="detention_end_has_a_date",
                condition=Q(end_reason="") | Q(ended__isnull=False),
                sentence=_(
                    "You say how it ended: give the day as well, or the last day known held and the first known out"
                    " (2021-03-05/2021-06-01)."
                ),
                field="ended",
            ),
            Check(
                name="detention_confirmed_while_held",
                condition=(
                    Q(confirmed__isnull=True)
                    | (
                        (Q(started__isnull=True) | Q(confirmed__gte=F("started__startswith")))
                        & (Q(ended__isnull=True) | Q(confirmed__lt=F("ended__endswith")))
                    )
                ),
                sentence=_("The day a source last confirmed it lies outside the detention."),
                field="confirmed",
            ),
            Unique(
                fields=["person"],
                condition=Q(ended__isnull=True),
                name="detention_one_open",
                sentence=_(
                    "This person already has an open detention. Close that one first; if nobody knows the day it"
                    " ended, give the last day known held and the first known out (2021-03-05/2021-06-01)."
                ),
                field="ended",
            ),
            Exclusion(
                name="detention_no_overlap",
                expressions=[("person", RangeOperators.EQUAL), (SurelyHeld(), RangeOperators.OVERLAPS)],
                sentence=_(
                    "On some of these days this person is surely held in another detention. Correct the dates, or"
                    " add a placement to the other detention if it is the same one."
                ),
                field="started",
            ),
        ]
        indexes = [
            models.Index(earliest_first("started"), "id", name="detention_earliest_first"),
            models.Index(latest_first("started"), "id", name="detention_latest_first"),
            models.Index(latest_first("ended"), "id", name="detention_latest_ended"),
        ]
        triggers = [
            *Reviewed.Meta.triggers,
            nothing_new_of_the_merged(),
            deferred(
                "placement_within_detention",
                """EXISTS (SELECT 1 FROM tracker_placement p JOIN tracker_detention d ON d.id = p.detention_id
                    WHERE d.id = NEW.id AND (
                        upper(p.started) <= lower(d.started) OR lower(p.started) >= upper(d.ended)
                        OR upper(p.ended) <= lower(d.started) OR lower(p.ended) >= upper(d.ended)))""",
                _("A placement lies surely outside its detention. Correct one of the two."),
                field="started",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.span}"

    @property
    def span(self) -> str:
        """From when to when, in words."""
        start = self.started.display if self.started else str(_("unknown"))
        if self.ended:
            return f"{start} – {self.ended.display}"
        return str(_("since %(start)s") % {"start": start}) if self.started else str(_("since an unknown day"))

    @property
    def is_open(self) -> bool:
        return self.ended is None

    def surely_held(self) -> tuple[date, date | None] | None:
        return dates.surely_held(self.started, self.ended, self.confirmed)


@tracked
class Placement(Explained, Part):
    """A stretch of a detention in one facility under one custody type."""

    owner = "detention"
    detention = models.ForeignKey(Detention, on_delete=models.CASCADE, related_name="placements")
    facility = models.ForeignKey(
        Facility, null=True, blank=True, on_delete=models.PROTECT, related_name="placements", verbose_name=_("facility")
    )
    custody_type = CodedField(v.CustodyType, blank=True, verbose_name=_("custody type"))
    whereabouts = CodedField(v.Whereabouts, blank=True, verbose_name=_("whereabouts"))
    started = ImpreciseDateField(verbose_name=_("from"))
    ended = ImpreciseDateField(verbose_name=_("until"))

    copied = {"public": ("missing", "detention", "facility", "custody_type", "whereabouts", "started", "ended")}

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        ordering = [F("started").asc(nulls_first=True), "id"]
        constraints = [
            citable("detention"),
            Check(
                name="placement_ends_after_start",
                condition=ends_after_start("started", "ended"),
                sentence=_("The end is before the start."),
                field="ended",
            ),
        ]
        triggers = [
            deferred(
                "placement_within_detention",
                """EXISTS (SELECT 1 FROM tracker_placement p JOIN tracker_detention d ON d.id = p.detention_id
                    WHERE p.id = NEW.id AND (
                        upper(p.started) <= lower(d.started) OR lower(p.started) >= upper(d.ended)
                        OR upper(p.ended) <= lower(d.started) OR lower(p.ended) >= upper(d.ended)))""",
                _("A placement lies surely outside its detention. Correct one of the two."),
                field="started",
            ),
        ]

    def __str__(self) -> str:
        kind = v.CustodyType(self.custody_type).label if self.custody_type else _("placement")
        return ", ".join(filter(None, [str(kind), str(self.facility or ""), str(self.started or "")]))


@tracked
class Episode(Explained, Part):
    """A punishment cell, a hospital stay, a hunger strike: may overlap placements and one another."""

    owner = "detention"
    detention = models.ForeignKey(Detention, on_delete=models.CASCADE, related_name="episodes")
    kind = CodedField(v.EpisodeKind, verbose_name=_("kind"))
    started = ImpreciseDateField(verbose_name=_("from"))
    ended = ImpreciseDateField(verbose_name=_("until"))
    note = models.TextField(blank=True, default="", verbose_name=_("note"))
    disclosure = disclosure(v.Disclosure.STAFF)

    copied = {"public": ("missing", "detention", "kind", "started", "ended", "note", "disclosure")}

    class Meta:
        verbose_name = _("episode")
        verbose_name_plural = _("episodes")
        ordering = [F("started").asc(nulls_first=True), "id"]
        constraints = [
            citable("detention"),
            Check(
                name="episode_ends_after_start",
                condition=ends_after_start("started", "ended"),
                sentence=_("The end is before the start."),
                field="ended",
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(filter(None, [str(v.EpisodeKind(self.kind).label), str(self.started or "")]))


_PARTS = {"placement": "tracker_placement", "episode": "tracker_episode"}


@tracked
class DetentionCitation(Citation):
    owner = "detention"
    parts = tuple(_PARTS)
    detention = models.ForeignKey(Detention, on_delete=models.CASCADE, related_name="citations")
    placement = models.ForeignKey(Placement, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    episode = models.ForeignKey(Episode, null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    copied = {**Citation.copied, "public": (*Citation.copied["public"], "detention", "about", *_PARTS)}

    class Meta(Citation.Meta):
        constraints = [*Citation.Meta.constraints, *citation_rules("detention", _PARTS)]
