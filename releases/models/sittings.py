"""A list of the released as it arrived, and what somebody decided about each line of it. Staff only, in no copy."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _

from releases.models.events import ReleaseEvent
from releases.models.releases import Release
from tracker import vocabularies as v
from tracker.models import Person, Source, User
from tracker.models.base import Row, RowQuerySet, disclosure
from tracker.models.fields import CodedArrayField, CodedField, CountriesField, ImpreciseDateField
from tracker.models.history import tracked
from tracker.models.persons import nothing_new_of_the_merged
from tracker.models.rules import Check, Unique


class SittingQuerySet(RowQuerySet):
    def unfinished(self, viewer: User | None) -> Self:
        """Lists with lines that are neither logged nor skipped, as far as the viewer may see them."""
        waiting = self._lines(viewer).filter(release=None).exclude(decision=v.LineDecision.SKIP)
        return self.filter(models.Exists(waiting))

    def with_left(self, viewer: User | None) -> Self:
        """Annotates the ``number`` of lines, and how many are ``left`` of which somebody still has to say something."""
        lines = self._lines(viewer).order_by()
        numbers = {
            name: Coalesce(models.Subquery(rows.values("sitting").annotate(all=models.Count("pk")).values("all")), 0)
            for name, rows in (("number", lines), ("left", lines.open()))
        }
        return self.select_related("event", "source", "started_by").annotate(**numbers)

    def _lines(self, viewer: User | None) -> ListLineQuerySet:
        rows: ListLineQuerySet = ListLine.objects.using(self.db).visible_to(viewer)  # type: ignore[assignment]
        return rows.filter(sitting=models.OuterRef("pk"))


@tracked
class Sitting(Row):
    """One list of one source about one event, logged line by line; what all its lines share stands here."""

    event = models.ForeignKey(ReleaseEvent, on_delete=models.PROTECT, related_name="sittings", verbose_name=_("event"))
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="sittings", verbose_name=_("source"))
    started_by = models.ForeignKey(
        User, editable=False, on_delete=models.PROTECT, related_name="+", verbose_name=_("begun by")
    )
    started_at = models.DateTimeField(db_default=Now(), editable=False, verbose_name=_("begun"))

    released_on = ImpreciseDateField(verbose_name=_("released on"))
    outcome = CodedField(v.ReleaseOutcome, default=v.ReleaseOutcome.CONFIRMED, verbose_name=_("outcome"))
    legal_bases = CodedArrayField(v.LegalBasis, verbose_name=_("legal bases"))
    departure = CodedField(v.Departure, default=v.Departure.UNKNOWN, verbose_name=_("departure"))
    closes = models.BooleanField(
        default=True,
        db_default=True,
        verbose_name=_("ends the detentions"),
        help_text=_("The open detention of each person ends on the day of release; where none is recorded, one is."),
    )
    countries = CountriesField(
        codes=v.country_codes(),
        verbose_name=_("handed over to"),
        help_text=_("One country; or several where nobody says which of them. A line may say otherwise."),
    )
    place = models.CharField(blank=True, default="", verbose_name=_("place"))
    happened = ImpreciseDateField(verbose_name=_("handed over on"), help_text=_("Empty: on the day of release."))
    status = CodedField(v.LegStatus, default=v.LegStatus.COMPLETED, verbose_name=_("status of the handover"))
    onward_countries = CountriesField(codes=v.country_codes(), verbose_name=_("then onward to"))
    onward_happened = ImpreciseDateField(verbose_name=_("arrived on"))
    onward_status = CodedField(v.LegStatus, default=v.LegStatus.PLANNED, verbose_name=_("status of the onward journey"))
    citizenships = CountriesField(
        codes=v.country_codes(),
        verbose_name=_("citizens of"),
        help_text=_("For those who are new here. A line may say otherwise."),
    )
    locator = models.CharField(
        default="line {n}",
        verbose_name=_("locator"),
        help_text=_("Where in the source each name stands: {n} is the number of its line."),
    )
    disclosure = disclosure()

    objects = SittingQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("list")
        verbose_name_plural = _("lists")
        ordering = [F("started_at").desc(), "id"]
        indexes = [models.Index(fields=["source"])]
        constraints = [
            Check(
                name="sitting_locator_tells_the_line",
                condition=Q(locator__contains="{n}"),
                sentence=_("The locator says which line it is: write {n} where its number belongs."),
                field="locator",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.source}"

    def place_of(self, line: ListLine) -> str:
        """Where in the source the line stands."""
        return self.locator.replace("{n}", str(line.number))


class ListLineQuerySet(RowQuerySet):
    def open(self) -> Self:
        """Lines of which somebody still has to say something."""
        return self.filter(release=None, decision__in=["", v.LineDecision.LATER])

    def to_log(self) -> Self:
        """Decided, and not logged yet."""
        return self.filter(release=None).exclude(decision__in=["", v.LineDecision.LATER, v.LineDecision.SKIP])

    def logged(self) -> Self:
        return self.exclude(release=None)


@tracked
class ListLine(Row):
    """One line as it is printed, what it says besides the name, and what somebody decided about it.

    ``verdict`` is what the matching found among persons that nobody sealed (empty: not looked up yet). It orders the
    lines, and decides nothing.
    """

    #: the person that a line became can be sealed afterwards
    below = ("sitting", "release")
    #: looked up anew, it is no change to what somebody decides
    bookkeeping = ("verdict",)

    sitting = models.ForeignKey(Sitting, on_delete=models.CASCADE, related_name="lines", verbose_name=_("list"))
    number = models.PositiveIntegerField(verbose_name=_("line"))
    text = models.CharField(blank=True, default="", verbose_name=_("name as printed"))
    printed = models.TextField(verbose_name=_("the whole line"))
    born = ImpreciseDateField(verbose_name=_("born"))
    age = models.PositiveSmallIntegerField(null=True, blank=True, verbose_name=_("age"))
    sex = CodedField(v.Sex, blank=True, verbose_name=_("sex"))
    citizenships = CountriesField(codes=v.country_codes(), verbose_name=_("citizens of"))
    countries = CountriesField(codes=v.country_codes(), verbose_name=_("handed over to"))
    sentence = models.CharField(blank=True, default="", verbose_name=_("sentence as printed"))
    facility = models.CharField(blank=True, default="", verbose_name=_("facility as printed"))
    note = models.TextField(blank=True, default="", verbose_name=_("note"))

    verdict = CodedField(v.ListVerdict, blank=True, verbose_name=_("verdict"))
    decision = CodedField(v.LineDecision, blank=True, verbose_name=_("decision"))
    person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="lines", verbose_name=_("person")
    )
    taken_knowingly = CodedArrayField(v.LineWarning, verbose_name=_("taken although"))
    decided_by = models.ForeignKey(
        User,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("decided by"),
    )
    release = models.ForeignKey(
        Release,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="lines",
        verbose_name=_("release"),
    )

    objects = ListLineQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("line of a list")
        verbose_name_plural = _("lines of a list")
        ordering = ["number"]
        constraints = [
            Unique(
                fields=["sitting", "number"],
                name="listline_once",
                sentence=_("The list has this line already."),
                field="number",
            ),
            Check(
                name="listline_person_is_decided",
                condition=Q(decision=v.LineDecision.PERSON, person__isnull=False)
                | ~Q(decision=v.LineDecision.PERSON) & Q(person__isnull=True),
                sentence=_("A line is about a person where that is what was decided, and only there."),
                field="decision",
            ),
            Check(
                name="listline_names_somebody_or_nobody",
                condition=~Q(text="") | ~Q(decision__in=[v.LineDecision.NEW, v.LineDecision.PERSON]),
                sentence=_("This line has no name: it is about somebody unidentified, or about nobody."),
                field="decision",
            ),
        ]
        triggers = [nothing_new_of_the_merged()]

    def __str__(self) -> str:
        return now("line %(number)d: %(text)s") % {"number": self.number, "text": self.text or self.printed}

    @property
    def details(self) -> dict[str, Any]:
        """What the line says besides the name: label → text."""
        said = {
            "born": self.born and self.born.display,
            "age": self.age,
            "sex": self.sex and v.Sex(self.sex).label,
            "citizenships": ", ".join(v.country_name(code) for code in self.citizenships),
            "countries": ", ".join(v.country_name(code) for code in self.countries),
            "sentence": self.sentence,
            "facility": self.facility,
            "note": self.note,
        }
        return {str(self._meta.get_field(name).verbose_name): text for name, text in said.items() if text}  # type: ignore[union-attr]
