"""What becomes of people of an event later on, for many of them as one act: they travel on, are handed over again,
refuse or are not let in, are returned, or turn out never to have been free.

``plan`` says who gets what and writes nothing, ``take`` does it. A planned step that came true says so itself; the
citation of the plan stays accepted, and says from then on that it spoke of a plan.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, connections
from django.utils.translation import gettext as _

from releases import logging
from releases.models import Leg, Release, ReleaseCitation, ReleaseEvent
from tracker.acts import doing
from tracker.dates import ImpreciseDate
from tracker.models import Citation, Detention, DetentionCitation, Organisation, Source, User
from tracker.models.rules import explain
from tracker.review import Refused
from tracker.vocabularies import ActKind, Disclosure, LegKind, LegStatus, ReleaseOutcome, Standing, StandingReason

# What can be decided about one person, besides the key of a step that becomes the new one.
ADD: Final = "add"
OUT: Final = "out"

BATCH: Final = 500


class Step(StrEnum):
    """What happened to them."""

    TRAVELLED = "travelled"
    HANDED_OVER = "handed_over"
    REFUSED = "refused"
    RETURNED = "returned"
    REFUTED = "refuted"

    @property
    def outcome(self) -> ReleaseOutcome | None:
        """What the outcome of the release turns out to be."""
        outcomes = {Step.RETURNED: ReleaseOutcome.REFUSED_AND_RETURNED, Step.REFUTED: ReleaseOutcome.REFUTED}
        return outcomes.get(self)


class Plans(StrEnum):
    """What becomes of planned steps that this one can be."""

    COME_TRUE = "come_true"  # and whoever has none gets a new step
    ONLY = "only"  # and whoever has none is left out
    STAY = "stay"  # everybody gets a new step


@dataclass(frozen=True)
class Journey:
    """One step, the same for everybody, and who says so."""

    step: Step
    source: Source
    kind: LegKind = LegKind.ONWARD
    countries: Collection[str] = ()
    place: str = ""
    happened: ImpreciseDate | None = None
    authority: Organisation | None = None
    plans: Plans = Plans.COME_TRUE
    #: a day on which they are held (again, or still)
    held_on: date | None = None
    reopens: bool = True
    #: what becomes of the citations that said that they were out
    standing: Standing = Standing.SUPERSEDED
    reason: StandingReason | None = None
    reasoning: str = ""
    locator: str = ""
    speaker: str = ""

    def __str__(self) -> str:
        if self.step is Step.REFUTED:
            day = ImpreciseDate.from_day(self.held_on).display if self.held_on else _("a day that nobody gives")
            return _("Refuted: still held on %(day)s") % {"day": day}
        if self.step is Step.RETURNED:
            return ": ".join([_("Refused and returned"), *([in_words(self.leg())] if self.countries else [])])
        return in_words(self.leg())

    @property
    def status(self) -> LegStatus:
        return LegStatus.REFUSED if self.step in {Step.REFUSED, Step.RETURNED} else LegStatus.COMPLETED

    def leg(self) -> Leg:
        return Leg(
            kind=self.kind,
            countries=sorted(self.countries),
            place=self.place,
            happened=self.happened,
            status=self.status,
            authority=self.authority,
        )


@dataclass
class Line:
    """What one person gets."""

    release: Release
    #: what an editor can decide, and why somebody has to look at it; without options there is nothing to decide
    options: list[tuple[str, str]] = field(default_factory=list)
    choice: str = ADD
    why: str = ""
    #: why it cannot be done
    problem: str = ""
    #: the step that is added, or the recorded one that becomes it, and what that was: in words, and in codes
    added: Leg | None = None
    became: Leg | None = None
    before: str = ""
    coded: str = ""
    changed: frozenset[str] = frozenset()
    outcome: ReleaseOutcome | None = None
    reopened: Detention | None = None
    confirmed: Detention | None = None
    #: what is left for somebody to look at
    remark: str = ""
    #: changes whenever the release, a part of it or a detention of the person does
    version: str = ""

    @property
    def is_out(self) -> bool:
        return self.choice == OUT

    @property
    def undecided(self) -> bool:
        return not self.choice

    @property
    def detention(self) -> Detention | None:
        return self.reopened or self.confirmed

    @property
    def gets(self) -> list[str]:
        """What is done, a phrase each."""
        done = []
        if self.outcome == self.release.outcome:
            done.append(_("one more source for: %(outcome)s") % {"outcome": self.outcome.label})
        elif self.outcome:
            before = ReleaseOutcome(self.release.outcome).label
            done.append(_("%(before)s becomes %(after)s") % {"before": before, "after": self.outcome.label})
        if self.became:
            done.append(_("“%(before)s” becomes “%(after)s”") % {"before": self.before, "after": in_words(self.became)})
        if self.added:
            done.append(_("one more step: %(leg)s") % {"leg": in_words(self.added)})
        if self.reopened:
            done.append(_("the detention that it had ended is open again"))
        elif self.confirmed:
            done.append(_("the detention that is open is confirmed"))
        return done

    @property
    def whose(self) -> str:
        """Which detention, where one is concerned."""
        return self.detention.span if self.detention else ""


@dataclass(frozen=True)
class Done:
    """The history context, and what each person got in it."""

    context: UUID
    lines: list[Line]


def in_words(leg: Leg) -> str:
    """A step of the way out with all that is known of it, but for its place in the order."""
    details = [leg.destination, leg.place, leg.happened.display if leg.happened else ""]
    details += [str(leg.authority or ""), str(LegStatus(leg.status).label).lower()]
    return f"{LegKind(leg.kind).label} – {', '.join(filter(None, details))}"


def _coded(leg: Leg) -> str:
    """As our files would print it."""
    day = leg.happened.edtf if leg.happened else ""
    return " ".join(filter(None, [str(leg.status), ";".join(leg.countries), day]))


def plan(
    event: ReleaseEvent,
    keys: Collection[UUID],
    journey: Journey,
    *,
    by: User,
    choices: Mapping[UUID, str] | None = None,
) -> list[Line]:
    """Who gets what, by name; of the releases that ``by`` may see. The same number of queries for any number."""
    rows: Any = Release.objects.visible_to(by).filter(event=event, pk__in=keys)
    rows = rows.select_related("event", "person__merged_into")
    rows = rows.prefetch_related("person__names", "person__detentions", "legs__authority", "citations")
    lines = [_line(release, journey, (choices or {}).get(release.pk)) for release in rows]
    return sorted(lines, key=lambda line: (str(line.release.person).casefold(), str(line.release.pk)))


def take(
    event: ReleaseEvent,
    keys: Collection[UUID],
    journey: Journey,
    *,
    by: User,
    choices: Mapping[UUID, str],
    versions: Mapping[UUID, str],
) -> Done:
    """Do what was planned, all or nothing; ``versions`` are those of the lines that were looked at.

    Copies show what they showed until somebody publishes it. Raises ``Refused``.
    """
    with doing(ActKind.JOURNEY, by=by, why=str(journey), step=journey.step.value, event=str(event.pk)) as context:
        _lock(keys)
        lines = plan(event, keys, journey, by=by, choices=choices)
        sentences = _obstacles(lines, keys, versions)
        if sentences:
            raise Refused(sentences)
        lines = [line for line in lines if not line.is_out]
        try:
            if journey.source._state.adding:
                _record(journey.source, lines, by)
            _save(lines, journey)
            connections["default"].check_constraints()
        except IntegrityError as error:
            raise Refused([_named(error, lines)]) from error
    return Done(context, lines)


def seals(lines: Iterable[Line]) -> bool:
    """Whether a source that is new must be sealed: its title may name whom it speaks of."""
    return any(line.release.closure() == Disclosure.SEALED for line in lines if not line.is_out)


# --- What one person gets


def _line(release: Release, journey: Journey, decided: str | None) -> Line:
    line = Line(release, version=_version(release))
    new = journey.leg() if journey.step is not Step.REFUTED else None
    _weigh(line, journey, new)
    if any(decided == value for value, _label in line.options):
        line.choice = str(decided)
    if line.is_out or line.undecided:
        return line
    if new is not None:
        _travel(line, journey, new)
    if journey.step.outcome and not line.problem:
        _return(line, journey)
    return line


def _weigh(line: Line, journey: Journey, new: Leg | None) -> None:
    """What there is to decide, and what is done unless somebody decides otherwise."""
    odd = _odd(line.release, journey.step)
    if odd:
        line.options, line.choice, line.why = [_out(), _all_the_same()], OUT, odd
        return
    if new is None:
        return
    legs = list(line.release.legs.all())
    there = [leg for leg in legs if leg.status == new.status and _alike(leg, new)]
    if there:
        line.why = _("Already recorded: %(legs)s") % {"legs": _listed(there)}
        exacter = [leg for leg in there if leg.kind == new.kind and set(new.countries) < set(leg.countries)]
        line.options, line.choice = [_out(), *map(_becomes, exacter), _all_the_same()], OUT
        return
    if journey.plans is Plans.STAY:
        return
    can_be = [leg for leg in legs if _can_become(leg, journey, new)]
    planned = [leg for leg in legs if leg.status == LegStatus.PLANNED and leg.kind == new.kind]
    one_more = (ADD, _("One more step"))
    if len(can_be) == 1:
        line.choice = str(can_be[0].pk)
    elif can_be:
        line.why = _("Several steps can be meant: choose one.")
        line.options, line.choice = [("", _("choose …")), *map(_becomes, can_be), one_more, _out()], ""
    elif journey.plans is Plans.ONLY:
        line.why = _("No such step is planned.")
        if planned:
            line.why = _("Planned is something else: %(legs)s") % {"legs": _listed(planned)}
        line.options, line.choice = [_out(), one_more], OUT
    elif planned:
        line.why = _("Planned is something else, which stays: %(legs)s") % {"legs": _listed(planned)}
        line.options = [one_more, _out()]


def _odd(release: Release, step: Step) -> str:
    """What the outcome of the release says against this step."""
    outcome = ReleaseOutcome(release.outcome)
    if step.outcome:
        odd = outcome in {ReleaseOutcome.REFUTED, ReleaseOutcome.REFUSED_AND_RETURNED}
    else:
        odd = outcome != ReleaseOutcome.CONFIRMED
    return _("The outcome of this release is: %(outcome)s.") % {"outcome": outcome.label} if odd else ""


def _out() -> tuple[str, str]:
    return OUT, _("Leave out")


def _all_the_same() -> tuple[str, str]:
    return ADD, _("Add it all the same")


def _becomes(leg: Leg) -> tuple[str, str]:
    return str(leg.pk), _("It is this one: %(leg)s") % {"leg": in_words(leg)}


def _listed(legs: Iterable[Leg]) -> str:
    return "; ".join(map(in_words, legs))


def _alike(leg: Leg, new: Leg) -> bool:
    """Whether both can be one: the countries of one are among those of the other, and the days can be the same."""
    one, two = set(leg.countries), set(new.countries)
    if not leg.happened or not new.happened:
        same_day = True
    else:
        same_day = not (leg.happened.surely_before(new.happened) or new.happened.surely_before(leg.happened))
    return same_day and (one <= two or two <= one)


def _can_become(leg: Leg, journey: Journey, new: Leg) -> bool:
    statuses = {LegStatus.PLANNED, LegStatus.COMPLETED} if journey.step is Step.RETURNED else {LegStatus.PLANNED}
    there = set(leg.countries)
    return leg.kind == new.kind and leg.status in statuses and (not there or set(new.countries) <= there)


def _travel(line: Line, journey: Journey, new: Leg) -> None:
    release = line.release
    legs = list(release.legs.all())
    became = next((leg for leg in legs if str(leg.pk) == line.choice), None)
    if became is not None:
        line.became, line.before, line.coded = became, in_words(became), _coded(became)
        was = {name: getattr(became, name) for name in _OF_A_STEP}
        _become(became, new)
        line.changed = frozenset(name.removesuffix("_id") for name in was if getattr(became, name) != was[name])
    elif journey.step is Step.RETURNED and not new.countries:
        return  # nobody says where to: there is no step to record
    else:
        # what happened comes before what is only planned
        happened = [leg.position for leg in legs if leg.status != LegStatus.PLANNED]
        new.position = max(happened or [leg.position for leg in legs], default=0) + 1
        new.release = release
        line.added = new
    line.problem = _out_of_order(release, became or new)


_OF_A_STEP: Final = ("status", "countries", "place", "happened", "authority_id")


def _become(leg: Leg, new: Leg) -> None:
    was_planned = leg.status == LegStatus.PLANNED
    # the day of a plan is no day on which it happened
    keeps_day = not was_planned or new.status == LegStatus.REFUSED
    leg.happened = new.happened or (leg.happened if keeps_day else None)
    leg.status = new.status
    leg.countries = new.countries or leg.countries
    leg.place = new.place or leg.place
    leg.authority = new.authority or leg.authority


def _out_of_order(release: Release, leg: Leg) -> str:
    if leg.happened is None:
        return ""
    if release.released_on and leg.happened.surely_before(release.released_on):
        return _("The step on %(day)s lies surely before the release on %(release)s.") % {
            "day": leg.happened.display,
            "release": release.released_on.display,
        }
    for other in release.legs.all():
        if other.pk == leg.pk or other.status != LegStatus.COMPLETED or other.happened is None:
            continue
        if other.position < leg.position and leg.happened.surely_before(other.happened):
            sentence = _("The step on %(day)s lies surely before the step that it follows: %(other)s.")
        elif other.position > leg.position and other.happened.surely_before(leg.happened):
            sentence = _("The step on %(day)s lies surely after the step that it precedes: %(other)s.")
        else:
            continue
        return sentence % {"day": leg.happened.display, "other": in_words(other)}
    return ""


# The detention that the release had ended


def _return(line: Line, journey: Journey) -> None:
    release, day = line.release, journey.held_on
    line.outcome = journey.step.outcome
    own = list(release.person.detentions.all())
    linked = next((one for one in own if one.pk == release.detention_id), None)
    detention = linked or next((one for one in own if one.is_open), None)
    if detention is None:
        line.remark = _("No detention is recorded that could be open again.")
        return
    if day and release.released_on and day < release.released_on.earliest:
        line.problem = _("The release is dated %(release)s, and the source speaks of a day before: %(day)s.") % {
            "release": release.released_on.display,
            "day": ImpreciseDate.from_day(day).display,
        }
        return
    if detention.is_open:
        line.confirmed = detention
    elif not journey.reopens:
        line.remark = _("The detention %(span)s stays as it is.") % {"span": detention.span}
    elif not logging.is_end_of(release, detention):
        line.remark = _("Look at the detention %(span)s: its end is not the one that this release gave it.") % {
            "span": detention.span
        }
    elif other := logging.in_the_way(detention, day):
        line.remark = _("Look at the detention %(span)s: it cannot be open beside the detention %(other)s.") % {
            "span": detention.span,
            "other": other.span,
        }
    else:
        line.reopened = detention
    if line.detention and day and detention.started and day < detention.started.earliest:
        line.problem = _("The detention %(span)s began after %(day)s.") % {
            "span": detention.span,
            "day": ImpreciseDate.from_day(day).display,
        }


# --- Doing it


def _lock(keys: Collection[UUID]) -> None:
    """Nothing is added to a release that is locked: its parts wait for it."""
    list(Release.objects.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    for part in (Leg, ReleaseCitation):
        rows = part._base_manager.filter(release__in=keys).order_by("pk")
        list(rows.select_for_update(of=("self",)).values_list("pk"))
    held = Detention.objects.filter(person__releases__in=keys).order_by("pk")
    list(held.select_for_update(of=("self",)).values_list("pk"))


def _version(release: Release) -> str:
    rows: list[Any] = [release, *release.legs.all(), *release.citations.all(), *release.person.detentions.all()]
    told = sorted(f"{row.pk}:{row.revision}" for row in rows)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]


def _obstacles(lines: list[Line], keys: Collection[UUID], versions: Mapping[UUID, str]) -> list[str]:
    if len(lines) != len(keys):
        return [_("Somebody whom you had chosen is not in this event any more. Nothing was saved: choose again.")]
    changed = [line for line in lines if versions.get(line.release.pk) != line.version]
    if changed:
        sentence = _("“%(person)s” was changed by somebody since you looked. Nothing was saved: look once more.")
        return [sentence % {"person": line.release.person} for line in changed]
    sentences = [f"{line.release.person}: {line.problem}" for line in lines if line.problem]
    sentences += [f"{line.release.person}: {line.why}" for line in lines if line.undecided]
    if not sentences and all(line.is_out for line in lines):
        sentences = [_("There is nothing to do: everybody is left out.")]
    return sentences


def _record(source: Source, lines: list[Line], by: User) -> None:
    sealed = seals(lines)
    if sealed:
        source.disclosure = Disclosure.SEALED
    source.save()
    if sealed:
        source.grants.create(user=by)


def _save(lines: list[Line], journey: Journey) -> None:
    """A few statements for each table, however many people there are."""
    said = [citation for line in lines for citation in _overtaken(line, journey)]
    _write([*said, *_said_of_the_end(lines, journey)], "standing", "reason", "reasoning", "value")
    became = [line.became for line in lines if line.became]
    _write(became, *_OF_A_STEP)
    _write([leg for line in lines for leg in _moved(line)], "position")
    Leg._default_manager.bulk_create([line.added for line in lines if line.added], BATCH)
    if journey.step.outcome:
        Release.objects.filter(pk__in=[line.release.pk for line in lines]).update(outcome=journey.step.outcome)
    detentions = [_held(line, journey) for line in lines if line.detention]
    _write(detentions, "ended", "end_reason", "confirmed")
    ReleaseCitation._default_manager.bulk_create([one for line in lines for one in _cite(line, journey)], BATCH)
    DetentionCitation._default_manager.bulk_create([one for line in lines for one in _cite_held(line, journey)], BATCH)


def _write(rows: Iterable[Any], *columns: str) -> None:
    """One statement for all that get the same: ten times as fast as one CASE for each row. The rows are locked."""
    alike: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        alike[type(row), *(str(getattr(row, name)) for name in columns)].append(row)
    for (kind, *_texts), group in alike.items():
        values = {name: getattr(group[0], name) for name in columns}
        kind._default_manager.filter(pk__in=[row.pk for row in group]).update(**values)


def _moved(line: Line) -> Iterable[Leg]:
    """Steps behind the one that is added."""
    for leg in line.release.legs.all() if line.added else ():
        if line.added and leg.position >= line.added.position:
            leg.position += 1
            yield leg


def _held(line: Line, journey: Journey) -> Detention:
    detention = line.detention
    assert detention is not None
    if line.reopened:
        detention.ended, detention.end_reason = None, ""
    if _confirms(detention, journey):
        detention.confirmed = journey.held_on
    return detention


def _confirms(detention: Detention, journey: Journey) -> bool:
    return journey.held_on is not None and (detention.confirmed is None or detention.confirmed <= journey.held_on)


# Who says so


def _overtaken(line: Line, journey: Journey) -> Iterable[Citation]:
    """Citations that spoke of what is not so any more. None goes; what they said stays beside them."""
    for citation in line.release.citations.all():
        if citation.standing != Standing.ACCEPTED:
            continue
        if line.became and citation.leg_id == line.became.pk:
            _of_the_step_before(citation, line)
            yield citation
        elif line.outcome and not citation.leg_id and citation.about == "outcome" and _said_out(citation, line):
            _overtake(citation, journey)
            yield citation


def _of_the_step_before(citation: ReleaseCitation, line: Line) -> None:
    """A plan is not wrong for having come true: the citation of the step says what it spoke of. One of a column that
    now reads otherwise is superseded."""
    if not citation.about:
        citation.value = citation.value or line.coded
    elif citation.about in line.changed:
        citation.standing = Standing.SUPERSEDED
    else:
        return
    citation.reasoning = citation.reasoning or _("It spoke of the step before: %(leg)s.") % {"leg": line.before}


def _said_out(citation: ReleaseCitation, line: Line) -> bool:
    said = citation.value or line.release.outcome
    return bool(said == ReleaseOutcome.CONFIRMED)


def _said_of_the_end(lines: Iterable[Line], journey: Journey) -> list[Citation]:
    """Citations of the end of a detention that is open again."""
    reopened = [line.reopened for line in lines if line.reopened]
    said: Any = DetentionCitation._default_manager.filter(detention__in=reopened, about__in=["ended", "end_reason"])
    changed = list(said.filter(standing=Standing.ACCEPTED).order_by("pk").select_for_update(of=("self",)))
    for citation in changed:
        _overtake(citation, journey)
    return changed


def _overtake(citation: Citation, journey: Journey) -> None:
    citation.standing = journey.standing
    citation.reason = journey.reason or ""
    citation.reasoning = journey.reasoning or citation.reasoning


def _cite(line: Line, journey: Journey) -> Iterable[ReleaseCitation]:
    leg = line.added or line.became
    if leg is not None:
        yield ReleaseCitation(release=line.release, leg=leg, **_passage(journey))
    if line.outcome:
        value = {"about": "outcome", "value": str(line.outcome), "as_of": _as_of(journey)}
        yield ReleaseCitation(release=line.release, **value, **_passage(journey))


def _cite_held(line: Line, journey: Journey) -> Iterable[DetentionCitation]:
    detention = line.detention
    if detention is None:
        return
    about = {}
    if _confirms(detention, journey) and journey.held_on:
        about = {"about": "confirmed", "value": journey.held_on.isoformat()}
    yield DetentionCitation(detention=detention, as_of=_as_of(journey), **about, **_passage(journey))


def _as_of(journey: Journey) -> ImpreciseDate | None:
    return ImpreciseDate.from_day(journey.held_on) if journey.held_on else None


def _passage(journey: Journey) -> dict[str, Any]:
    return {"source": journey.source, "locator": journey.locator, "speaker": journey.speaker}


def _named(error: IntegrityError, lines: Iterable[Line]) -> str:
    """What the database refused, with whose row it was."""
    refusal = explain(error)
    detail = str(getattr(getattr(error.__cause__, "diag", None), "message_detail", None) or "")
    for line in lines:
        rows: list[Any] = [line.release, line.release.person, line.added, line.became, line.detention]
        if any(row is not None and str(row.pk) in detail for row in rows):
            return f"{line.release.person}: {refusal.sentence}"
    return str(refusal.sentence)
