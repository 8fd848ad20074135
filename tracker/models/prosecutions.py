"""Proceedings, a person's part in them, what courts decided, and the penalties."""

from __future__ import annotations

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tracker import vocabularies as v
from tracker.models.base import (
    Citation,
    Explained,
    Part,
    Record,
    Reviewed,
    RowQuerySet,
    citable,
    citation_rules,
    disclosure,
    ends_after_start,
)
from tracker.models.detentions import Detention
from tracker.models.fields import CodedField, ImpreciseDateField
from tracker.models.history import tracked
from tracker.models.ordering import by_term, earliest_first, latest_first
from tracker.models.persons import Person, nothing_new_of_the_merged
from tracker.models.rules import Check, CompositeForeignKey, Unique
from tracker.models.sources import Provision


@tracked
class Case(Record):
    """Proceedings that several people may be part of. Its title may name them, so it is staff unless decided."""

    disclosure = disclosure(v.Disclosure.STAFF)
    title = models.CharField(verbose_name=_("title"))
    number = models.CharField(blank=True, default="", verbose_name=_("number"))
    note = models.TextField(blank=True, default="", verbose_name=_("note"))

    copied = {"public": ("title", "number", "disclosure")}

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        ordering = ["title", "id"]
        constraints = [
            Check(name="case_has_a_title", condition=~Q(title=""), sentence=_("Give the case a title."), field="title")
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.title, self.number]))


@tracked
class Prosecution(Explained, Reviewed):
    """One person's part in proceedings."""

    below = ("person",)

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="prosecutions", verbose_name=_("person"))
    case = models.ForeignKey(
        Case, null=True, blank=True, on_delete=models.PROTECT, related_name="prosecutions", verbose_name=_("case")
    )
    kind = CodedField(v.ProsecutionKind, default=v.ProsecutionKind.CRIMINAL, verbose_name=_("kind"))
    opened = ImpreciseDateField(verbose_name=_("opened"))
    outcome = CodedField(v.ProsecutionEnd, blank=True, verbose_name=_("how it ended"))
    closed = ImpreciseDateField(verbose_name=_("ended"))
    summary = models.TextField(blank=True, default="", verbose_name=_("summary"))

    copied = {"public": ("missing", "person", "case", "kind", "opened", "outcome", "closed", "summary", "disclosure")}

    class Meta(Reviewed.Meta):
        verbose_name = _("prosecution")
        verbose_name_plural = _("prosecutions")
        ordering = [F("opened").asc(nulls_last=True), "id"]
        constraints = [
            *Reviewed.Meta.constraints,
            models.UniqueConstraint(fields=["id", "person"], name="prosecution_of_person"),
            Check(
                name="prosecution_ends_after_start",
                condition=ends_after_start("opened", "closed"),
                sentence=_("The end is before the start."),
                field="closed",
            ),
        ]
        triggers = [*Reviewed.Meta.triggers, nothing_new_of_the_merged()]

    def __str__(self) -> str:
        kind = v.ProsecutionKind(self.kind).label
        return f"{self.person}: {kind}{f', {self.opened.edtf}' if self.opened else ''}"


@tracked
class ProsecutionDetention(Part):
    """A detention that belongs to a prosecution; both are the same person's."""

    owner = "prosecution"
    prosecution = models.ForeignKey(Prosecution, on_delete=models.CASCADE, related_name="detention_links")
    detention = models.ForeignKey(
        Detention, on_delete=models.PROTECT, related_name="prosecution_links", verbose_name=_("detention")
    )
    # follows the prosecution's person, by trigger: what both composite foreign keys need
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", editable=False)

    copied = {"public": ("prosecution", "detention", "person")}

    class Meta:
        verbose_name = _("detention")
        verbose_name_plural = _("detentions")
        constraints = [
            Unique(
                fields=["prosecution", "detention"],
                name="prosecutiondetention_once",
                sentence=_("This detention is already linked."),
                field="detention",
            ),
            CompositeForeignKey(
                name="prosecutiondetention_person_of_prosecution",
                columns=("prosecution_id", "person_id"),
                to="tracker_prosecution",
                to_columns=("id", "person_id"),
                sentence=_("The detentions linked to this prosecution are another person's."),
                field="person",
            ),
            CompositeForeignKey(
                name="prosecution_detention_is_the_same_persons",
                columns=("detention_id", "person_id"),
                to="tracker_detention",
                to_columns=("id", "person_id"),
                sentence=_("This detention is another person's."),
                field="detention",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="person_of_prosecution",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    SELECT person_id INTO NEW.person_id FROM tracker_prosecution WHERE id = NEW.prosecution_id;
                    RETURN NEW;
                """,
            )
        ]

    def __str__(self) -> str:
        return str(self.detention)


@tracked
class Charge(Explained, Part):
    """An article, or the offence as worded where no source gives a number."""

    owner = "prosecution"
    bound = ("provision",)
    prosecution = models.ForeignKey(Prosecution, on_delete=models.CASCADE, related_name="charges")
    provision = models.ForeignKey(
        Provision, null=True, blank=True, on_delete=models.PROTECT, related_name="charges", verbose_name=_("article")
    )
    paragraph = models.CharField(blank=True, default="", verbose_name=_("part of the article"))
    offence = models.CharField(blank=True, default="", verbose_name=_("offence as worded"))
    stage = CodedField(v.ChargeStage, blank=True, verbose_name=_("stage"))
    participation = CodedField(v.ChargeParticipation, blank=True, verbose_name=_("participation"))
    outcome = CodedField(v.ChargeOutcome, blank=True, verbose_name=_("outcome"))

    copied = {
        "public": ("missing", "prosecution", "provision", "paragraph", "offence", "stage", "participation", "outcome"),
    }

    class Meta:
        verbose_name = _("charge")
        verbose_name_plural = _("charges")
        constraints = [
            citable("prosecution"),
            Check(
                name="charge_says_what",
                condition=Q(provision__isnull=False) | ~Q(offence=""),
                sentence=_("A charge needs an article, or the offence as the source words it."),
                field="offence",
            ),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [str(self.provision or ""), self.paragraph, self.offence]))


@tracked
class ProsecutionCitation(Citation):
    owner = "prosecution"
    parts = ("charge",)
    prosecution = models.ForeignKey(Prosecution, on_delete=models.CASCADE, related_name="citations")
    charge = models.ForeignKey(Charge, null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    copied = {**Citation.copied, "public": (*Citation.copied["public"], "prosecution", "about", "charge")}

    class Meta(Citation.Meta):
        constraints = [*Citation.Meta.constraints, *citation_rules("prosecution", {"charge": "tracker_charge"})]


@tracked
class Verdict(Explained, Reviewed):
    """What a court decided in one instance."""

    below = ("prosecution",)

    prosecution = models.ForeignKey(
        Prosecution, on_delete=models.PROTECT, related_name="verdicts", verbose_name=_("prosecution")
    )
    instance = CodedField(v.Instance, default=v.Instance.FIRST, verbose_name=_("instance"))
    court = models.CharField(blank=True, default="", verbose_name=_("court"))
    pronounced = ImpreciseDateField(verbose_name=_("pronounced"))
    in_force = ImpreciseDateField(verbose_name=_("in force from"))
    in_absentia = models.BooleanField(null=True, blank=True, verbose_name=_("in absence"))
    outcome = CodedField(v.VerdictOutcome, blank=True, verbose_name=_("outcome"))

    copied = {
        "public": (
            "missing",
            "prosecution", "instance", "court", "pronounced", "in_force", "in_absentia", "outcome", "disclosure",
        )
    }  # fmt: skip

    class Meta(Reviewed.Meta):
        verbose_name = _("verdict")
        verbose_name_plural = _("verdicts")
        ordering = [F("pronounced").asc(nulls_last=True), "id"]
        constraints = [
            *Reviewed.Meta.constraints,
            Check(
                name="verdict_in_force_after_it_was_pronounced",
                condition=ends_after_start("pronounced", "in_force"),
                sentence=_("A verdict cannot be in force before it is pronounced."),
                field="in_force",
            ),
        ]
        # not by the id: a query that sorts sentences cannot name that of the verdict
        indexes = [
            models.Index(earliest_first("pronounced"), "prosecution", name="verdict_earliest_first"),
            models.Index(latest_first("pronounced"), "prosecution", name="verdict_latest_first"),
        ]

    def __str__(self) -> str:
        instance = v.Instance(self.instance).label
        return f"{self.prosecution.person}: {instance}{f', {self.pronounced.edtf}' if self.pronounced else ''}"


def _term_is_empty() -> Q:
    return Q(years__isnull=True, months__isnull=True, days__isnull=True)


class SentenceQuerySet(RowQuerySet):
    def lasting(self, least: int | None, most: int | None) -> Self:
        """Sentences with a term of so many months, both included; those without a term are none of them."""
        rows = self.exclude(_term_is_empty()).alias(term_in_days=by_term())
        if least is not None:
            rows = rows.filter(term_in_days__gte=30 * least)
        return rows if most is None else rows.filter(term_in_days__lte=30 * most)


@tracked
class Sentence(Explained, Part):
    """One penalty of a verdict. A death or life sentence has no invented term."""

    owner = "verdict"
    verdict = models.ForeignKey(Verdict, on_delete=models.CASCADE, related_name="sentences")
    kind = CodedField(v.SentenceKind, verbose_name=_("kind"))
    years = models.PositiveSmallIntegerField(null=True, blank=True, verbose_name=_("years"))
    months = models.PositiveSmallIntegerField(null=True, blank=True, verbose_name=_("months"))
    days = models.PositiveSmallIntegerField(null=True, blank=True, verbose_name=_("days"))
    regime = CodedField(v.Regime, blank=True, verbose_name=_("regime"))
    in_prison_years = models.PositiveSmallIntegerField(
        null=True, blank=True, verbose_name=_("of these in prison, years")
    )
    execution = CodedField(v.Execution, blank=True, verbose_name=_("execution"))
    amount = models.DecimalField(null=True, blank=True, max_digits=14, decimal_places=2, verbose_name=_("amount"))
    unit = models.CharField(
        blank=True, default="", verbose_name=_("unit"), help_text=_("A currency (BYN) or “base_units”.")
    )
    counted_from = ImpreciseDateField(verbose_name=_("counted from"))
    expected_end = ImpreciseDateField(verbose_name=_("expected end"))
    is_total = models.BooleanField(
        default=False, db_default=False, verbose_name=_("total after merging"),
        help_text=_("The term that replaces earlier ones, not one to add to them."),
    )  # fmt: skip

    objects = SentenceQuerySet.as_manager()  # type: ignore[misc]

    copied = {
        "public": (
            "missing",
            "verdict", "kind", "years", "months", "days", "regime", "in_prison_years", "execution", "amount", "unit",
            "counted_from", "expected_end", "is_total",
        )
    }  # fmt: skip

    not_applicable = {
        **dict.fromkeys(("years", "months", "days"), ~Q(kind__in=v.SentenceKind.with_term())),
        "in_prison_years": ~Q(kind=v.SentenceKind.IMPRISONMENT),
        "regime": ~Q(kind__in=[v.SentenceKind.IMPRISONMENT, v.SentenceKind.LIFE]),
        "amount": ~Q(kind__in=v.SentenceKind.with_amount()),
        "expected_end": Q(kind__in=[v.SentenceKind.LIFE, v.SentenceKind.DEATH]),
    }

    class Meta:
        verbose_name = _("sentence")
        verbose_name_plural = _("sentences")
        indexes = [models.Index(by_term(), "id", name="sentence_by_term")]
        constraints = [
            citable("verdict"),
            Check(
                name="sentence_term_only_where_the_kind_has_one",
                condition=_term_is_empty() | Q(kind__in=sorted(v.SentenceKind.with_term())),
                sentence=_("This kind of sentence has no term in years, months and days."),
                field="years",
            ),
            Check(
                name="sentence_amount_only_where_the_kind_has_one",
                condition=Q(amount__isnull=True) | Q(kind__in=sorted(v.SentenceKind.with_amount())),
                sentence=_("Only a fine or damages have an amount."),
                field="amount",
            ),
            Check(
                name="sentence_amount_has_a_unit",
                condition=Q(amount__isnull=True, unit="") | (Q(amount__isnull=False, amount__gt=0) & ~Q(unit="")),
                sentence=_("An amount needs its currency or “base_units”, and a unit an amount."),
                field="unit",
            ),
            Check(
                name="sentence_regime_only_in_prison",
                condition=Q(regime="") | Q(kind__in=["imprisonment", "life"]),
                sentence=_("Only imprisonment has a regime."),
                field="regime",
            ),
            Check(
                name="sentence_prison_part_within_term",
                condition=Q(in_prison_years__isnull=True)
                | (Q(kind="imprisonment") & (Q(years__isnull=True) | Q(in_prison_years__lte=F("years")))),
                sentence=_("Only a term of imprisonment has a part to be served in prison, at most the whole of it."),
                field="in_prison_years",
            ),
            Check(
                name="sentence_ends_after_it_starts",
                condition=ends_after_start("counted_from", "expected_end"),
                sentence=_("The expected end is before the day the term is counted from."),
                field="expected_end",
            ),
            Check(
                name="sentence_life_has_no_expected_end",
                condition=Q(expected_end__isnull=True) | ~Q(kind__in=["life", "death"]),
                sentence=_("A life or death sentence has no expected end."),
                field="expected_end",
            ),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [str(v.SentenceKind(self.kind).label), self.term]))

    @property
    def term(self) -> str:
        """The term in words, empty where there is none."""
        counted = ((self.years, _("%d years")), (self.months, _("%d months")), (self.days, _("%d days")))
        return " ".join(str(words) % number for number, words in counted if number)


@tracked
class VerdictCitation(Citation):
    owner = "verdict"
    parts = ("sentence",)
    verdict = models.ForeignKey(Verdict, on_delete=models.CASCADE, related_name="citations")
    sentence = models.ForeignKey(Sentence, null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    copied = {**Citation.copied, "public": (*Citation.copied["public"], "verdict", "about", "sentence")}

    class Meta(Citation.Meta):
        constraints = [*Citation.Meta.constraints, *citation_rules("verdict", {"sentence": "tracker_sentence"})]
