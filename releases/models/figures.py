"""Numbers that somebody stated about a group."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from releases.models.events import ReleaseEvent
from tracker import vocabularies as v
from tracker.models.base import (
    Claim,
    Reviewed,
)
from tracker.models.fields import CodedArrayField, CodedField, CountriesField, ImpreciseDateField
from tracker.models.history import tracked
from tracker.models.rules import Check, deferred, immediate


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
        help_text=_("The figures that are part of this one add up to it."),
    )
    complete_along = CodedArrayField(
        v.FigureDimension,
        verbose_name=_("complete along"),
        help_text=_("Along what the parts add up to it. Empty, where they are complete: along what comes nearest."),
    )

    copied = {
        "public": (
            *Claim.copied["public"], "event", "subject", "measure", "qualifier", "low", "high", "period",
            "citizenships", "destinations", "sex", "group", "counted_as", "part_of", "parts_complete",
            "complete_along",
        ),
        "researcher": Claim.copied["researcher"],
    }  # fmt: skip

    not_applicable = {
        **Claim.not_applicable,
        # a stock or a flow; and numbers as far as the words have any
        "as_of": Q(period__isnull=False),
        "period": Q(as_of__isnull=False),
        "low": Q(measure=v.FigureMeasure.PEOPLE, qualifier=v.Qualifier.WORDED),
        "high": Q(
            measure=v.FigureMeasure.PEOPLE,
            qualifier__in=[v.Qualifier.WORDED, v.Qualifier.AT_LEAST, v.Qualifier.MORE_THAN],
        ),
        "complete_along": Q(parts_complete=False),
        # empty is an answer: everybody is counted
        **dict.fromkeys(("citizenships", "destinations", "sex"), Q()),
    }

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
                name="reportedfigure_complete_along_when_complete",
                condition=Q(parts_complete=True) | Q(complete_along=[]),
                sentence=_("Its parts are complete along something: then tick that they are complete, too."),
                field="parts_complete",
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

    def add_up(self, parts: Iterable[ReportedFigure], *, along: str) -> None:
        """Saves that these are its parts, and that along this they are all of it."""
        for part in parts:
            part.part_of = self
            part.save()
        self.parts_complete = True
        self.complete_along = [*self.complete_along, along]
        self.save()

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
