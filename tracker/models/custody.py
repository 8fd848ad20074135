"""Who is in custody on a day, and what is known of a person on it: queries over many persons, never stored."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any, Self

from django.apps import apps
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    Func,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from tracker import names
from tracker import vocabularies as v
from tracker.models.base import RowQuerySet
from tracker.models.naming import closeness

_PID = re.compile("[0-9a-z]{5}-[0-9a-z]{5}")


class Status(v.Vocabulary):
    """What is known of a person at the end of a day."""

    DIED = "died", _("died"), _("Dead by the end of that day.")
    IN_CUSTODY = "in_custody", _("in custody"), _("Held in a closed facility, or held and nobody says where.")
    RESTRICTED = "restricted", _("restricted"), _("Held in an open-type facility or at home.")
    SENTENCE_PENDING = (
        "sentence_pending",
        _("sentence pending"),
        _("Sentenced, at liberty, and the sentence has not begun to be served."),
    )
    RELEASED = "released", _("released"), _("Was held, and every detention known has ended.")
    NEVER_HELD = "never_held", _("never held"), _("Tried in absence; no detention is known.")
    UNKNOWN = "unknown", _("unknown"), _("Nothing recorded tells, or the term has run out and nobody confirms.")


class _AnyOf(Func):
    """``a = ANY (subquery's array)``: the persons are then looked up one by one, whatever the planner expects."""

    output_field = BooleanField()
    arg_joiner = " = ANY("
    template = "%(expressions)s)"


class PersonQuerySet(RowQuerySet):
    """The models below persons are asked for by name: they have foreign keys to persons, and import them."""

    def named(self, text: str) -> Self:
        """Persons with a name (erroneous ones too) or label like ``text``, the best first, or with that pid.

        In any script and language, with slips of the pen; see ``NameQuerySet.found_by``.
        """
        asked = text.strip()
        if not asked:
            return self
        if _PID.fullmatch(asked.lower()):
            return self.filter(pid=asked.lower())
        words = names.clean(asked).split()
        described = Q(~Q(label=""), *(Q(label__icontains=word) for word in words)) if words else Q(pk=None)
        persons: Any = apps.get_model("tracker", "Person")
        known = [rows.order_by().values("person") for rows in self._rows("Name").found_by(asked)]
        labelled = persons._base_manager.using(self.db).filter(described).order_by().values("pk")
        found = self.filter(_AnyOf(F("pk"), ArraySubquery(labelled.union(*known))))
        near = closeness(asked)
        if near is None:
            return found.annotate(closeness=Value(0.0)).order_by("pid")
        own = self._rows("Name").filter(person=OuterRef("pk")).annotate(closeness=near).order_by("-closeness")
        best = Coalesce(Subquery(own.values("closeness")[:1]), Value(0.0), output_field=FloatField())
        return found.annotate(closeness=best).order_by("-closeness", "pid")

    def counted(self, *, unsealed: bool = False) -> Self:
        """Those whom counts and persons.csv hold: with a detention, prosecution, recognition or release.

        ``unsealed``: with one that is not sealed, so that a release in a sealed event is not told by their being there.
        """
        known = Q()
        for name in ("detentions", "prosecutions", "recognitions", "releases"):
            related: Any = self.model._meta.get_field(name).related_model
            own = related._default_manager.using(self.db).filter(person=OuterRef("pk"))
            known |= Q(Exists(own.unsealed() if unsealed else own))
        return self.filter(known, merged_into=None)

    def in_custody(self, on: date) -> Self:
        """Persons possibly in custody on the day; ``surely`` tells those who are, whatever the dates turn out to be."""
        own = self._detentions()
        rows = self.filter(Exists(own.possibly_held(on))).exclude(died__endswith__lte=on)
        surely = Exists(own.surely_held(on)) & (Q(died__isnull=True) | Q(died__startswith__gte=on))
        return rows.annotate(surely=ExpressionWrapper(surely, output_field=BooleanField()))

    def with_custody_kind(self, on: date) -> Self:
        """Those in custody on the day, with ``surely`` and ``custody_kind``, a code of ``Custody``.

        That of the detention that is sure; of several that are possible the mildest. Closed where nobody says where.
        """
        own = self._detentions().custody(on)

        def held(detentions: Any, custody: v.Custody) -> Exists:
            return Exists(detentions.filter(custody_type__in=[kind.value for kind in custody.types()]))

        sure, possible = own.surely_held(on), own.possibly_held(on)
        return self.in_custody(on).annotate(
            custody_kind=Case(
                When(Q(held(sure, v.Custody.HOME), surely=True), then=Value(v.Custody.HOME.value)),
                When(Q(held(sure, v.Custody.OPEN), surely=True), then=Value(v.Custody.OPEN.value)),
                When(surely=True, then=Value(v.Custody.CLOSED.value)),
                When(held(possible, v.Custody.HOME), then=Value(v.Custody.HOME.value)),
                When(held(possible, v.Custody.OPEN), then=Value(v.Custody.OPEN.value)),
                default=Value(v.Custody.CLOSED.value),
                output_field=CharField(),
            )
        )

    def held_in(self, facility: Any, on: date) -> Self:
        """Those in custody on the day whose last placement that can have begun is there, with ``surely``.

        Sure: the detention is, and the placement has surely begun and is surely not over.
        """
        own = self._detentions().custody(on).filter(facility_id_now=facility)
        alive = Q(died__isnull=True) | Q(died__startswith__gte=on)
        there = Exists(own.surely_held(on).filter(placement_certain=True)) & alive
        rows = self.in_custody(on).filter(Exists(own.possibly_held(on)))
        return rows.annotate(surely=ExpressionWrapper(there, output_field=BooleanField()))

    def with_custody(self, on: date) -> Self:
        """Annotates ``custody`` on the day: surely, possibly, no; empty for those of whom no detention is known."""
        own = self._detentions()
        alive, dead = Q(died__isnull=True) | Q(died__startswith__gte=on), Q(died__endswith__lte=on)
        return self.annotate(
            custody=Case(
                When(dead, then=Value("no")),
                When(Exists(own.surely_held(on)) & alive, then=Value("surely")),
                When(Exists(own.possibly_held(on)), then=Value("possibly")),
                When(Exists(own), then=Value("no")),
                default=Value(""),
                output_field=CharField(),
            )
        )

    def with_status(self, on: date) -> Self:
        """Annotates ``status`` (a code of ``Status``) and ``status_certain``, for the end of the day."""
        tomorrow = on + timedelta(days=1)
        own = self._detentions()
        sure = own.surely_held(on)
        # what ends on this very day at the latest has ended by the end of it
        possible = own.possibly_held(on).exclude(ended__endswith=tomorrow)
        ended = own.filter(ended__endswith__lte=tomorrow)
        mild = [kind.value for kind in v.CustodyType if kind.custody != v.Custody.CLOSED]
        sure_mild = sure.custody(on).filter(custody_type__in=mild)
        tried = self._rows("Prosecution").filter(person=OuterRef("pk"))
        pending = self._rows("Verdict").filter(
            Q(pronounced__isnull=True) | Q(pronounced__startswith__lte=on),
            prosecution__person=OuterRef("pk"),
            sentences__execution=v.Execution.DEFERRED,
        )
        # a detention that can have ended after the verdict may have been the sentence, served
        served_since = self._rows("Detention").filter(
            person=OuterRef("prosecution__person"),
            ended__endswith__gt=OuterRef("pronounced__endswith"),
            ended__endswith__lte=tomorrow,
        )

        def when(condition: Any, status: Status, *, certain: bool) -> tuple[When, When]:
            return When(condition, then=Value(status.value)), When(condition, then=Value(certain))

        rules = [
            when(Q(died__endswith__lte=tomorrow), Status.DIED, certain=True),
            when(Q(died__startswith__lte=on), Status.DIED, certain=False),
            when(Exists(sure_mild.filter(custody_certain=True)), Status.RESTRICTED, certain=True),
            when(Exists(sure_mild), Status.RESTRICTED, certain=False),
            when(Exists(sure), Status.IN_CUSTODY, certain=True),
            when(Exists(possible.filter(own.run_out(on))), Status.UNKNOWN, certain=False),
            when(Exists(possible.custody(on).filter(custody_type__in=mild)), Status.RESTRICTED, certain=False),
            when(Exists(possible), Status.IN_CUSTODY, certain=False),
            when(Exists(pending.exclude(Exists(served_since))), Status.SENTENCE_PENDING, certain=False),
            when(Exists(ended), Status.RELEASED, certain=True),
            when(Exists(tried.filter(verdicts__in_absentia=True)) & ~Exists(own), Status.NEVER_HELD, certain=False),
        ]
        return self.annotate(
            status=Case(
                *(status for status, _certain in rules),
                default=Value(Status.UNKNOWN.value),
                output_field=CharField(),
            ),
            status_certain=Case(
                *(certain for _status, certain in rules), default=Value(False), output_field=BooleanField()
            ),
        )

    def _detentions(self) -> Any:
        return self._rows("Detention").filter(person=OuterRef("pk"))

    def _rows(self, model: str) -> Any:
        return apps.get_model("tracker", model)._default_manager.using(self.db)
