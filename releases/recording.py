"""What was decided about the lines of a list becomes records: releases, steps, spellings, citations, ended detentions.

All of it in one transaction and one act of the history, so that it is reviewed, published and taken back as one. A
line that is logged is not logged again; a person whose release in the event is there gets the list as one more source.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import IntegrityError, OperationalError, connections, models
from django.utils.translation import gettext as _
from psycopg.errors import DeadlockDetected

from releases import logging
from releases.intake import Weighed, came_true, countries_of, weigh
from releases.models import Leg, ListLine, Release, ReleaseCitation, ReleaseEventCitation, Sitting
from tracker import acts, dates, names
from tracker import vocabularies as v
from tracker.dates import ImpreciseDate
from tracker.models import Detention, DetentionCitation, Name, Person, PersonCitation, User
from tracker.models.rules import explain
from tracker.names.romanisation import guess_language
from tracker.review import Refused


@dataclass
class Planned:
    """What one line becomes. Nothing is saved; ``problem`` says why the line cannot be logged as it was decided."""

    line: ListLine
    person: Person
    release: Release
    new_person: bool = False
    new_release: bool = False
    names: list[Name] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    citations: list[ReleaseCitation] = field(default_factory=list)
    person_citations: list[PersonCitation] = field(default_factory=list)
    ending: logging.Plan = field(default_factory=logging.Plan)
    #: the release was announced, and the list confirms it; these of its steps have been taken
    came_true: bool = False
    taken: list[Leg] = field(default_factory=list)
    problem: str = ""

    @property
    def new_detention(self) -> bool:
        return self.ending.detention is not None and self.ending.detention._state.adding

    @property
    def disputed(self) -> list[ReleaseCitation]:
        """Where the list says otherwise than the release that is there."""
        return [citation for citation in self.citations if citation.standing == v.Standing.UNRESOLVED]


@dataclass(frozen=True)
class Plan:
    planned: list[Planned]
    #: decided, but something speaks against it that nobody has taken knowingly
    held_back: list[Weighed]
    #: changes whenever what was looked at does
    version: str

    @property
    def problems(self) -> list[Planned]:
        return [one for one in self.planned if one.problem]

    def count(self, name: str) -> int:
        """How many lines have this: an attribute of ``Planned``."""
        return sum(bool(getattr(one, name)) for one in self.planned)

    @property
    def new_persons(self) -> int:
        return self.count("new_person")

    @property
    def new_releases(self) -> int:
        return self.count("new_release")

    @property
    def confirming(self) -> list[Planned]:
        """Those whose release is there already: they get a citation."""
        return [one for one in self.planned if not one.new_release]

    @property
    def closed(self) -> int:
        return sum(one.ending.ended is not None and not one.new_detention for one in self.planned)

    @property
    def new_detentions(self) -> int:
        return self.count("new_detention")


def plan(sitting: Sitting, *, by: User) -> Plan:
    """What logging the list would do now, as far as ``by`` may see its lines. Writes nothing."""
    lines = list(sitting.lines.visible_to(by).to_log().select_related("sitting__event", "sitting__source"))
    weighed = weigh(sitting, lines, by, candidates=False)
    held_back = [one for one in weighed if one.unanswered]
    keys = {one.line.pk for one in held_back}
    planner = _Planner(sitting, [line for line in lines if line.pk not in keys], by)
    planned = planner.planned()
    return Plan(planned, held_back, _version(sitting, lines, planned))


def _version(sitting: Sitting, lines: Iterable[ListLine], planned: Iterable[Planned]) -> str:
    told = [f"{row.pk}:{row.revision}" for row in (sitting, sitting.event, *lines)]
    for one in planned:
        there = [one.person, one.release, one.ending.detention]
        told += [str(one.line.pk), *(f"{row.pk}:{row.revision}" for row in there if row and not row._state.adding)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]


def record(sitting: Sitting, *, by: User, version: str) -> UUID:
    """Log what is planned, all or nothing; ``version`` is that of the plan that was looked at.

    Returns the history context. Raises ``Refused`` with a sentence for each line that cannot be logged, and when
    somebody changed the list meanwhile.
    """
    try:
        with acts.doing(v.ActKind.INTAKE, by=by, sitting=str(sitting.pk), event=str(sitting.event_id)) as context:
            _record(sitting.pk, by, version)
    except IntegrityError as error:
        raise Refused([str(explain(error).sentence)]) from error
    except OperationalError as error:
        if not isinstance(error.__cause__, DeadlockDetected):
            raise
        sentence = _("Somebody was merging one of these persons at the same moment. Nothing is logged: try once more.")
        raise Refused([sentence]) from error
    return context


def _record(key: UUID, by: User, version: str) -> None:
    # a second click waits here, and finds nothing left
    sitting = Sitting.objects.select_for_update(of=("self",)).select_related("event", "source").get(pk=key)
    list(sitting.lines.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    found = plan(sitting, by=by)
    if found.version != version:
        raise Refused([_("Somebody has changed the list since you opened this page. Look at it once more.")])
    if found.problems:
        raise Refused([f"{one.line} – {one.problem}" for one in found.problems])
    if not found.planned:
        raise Refused([_("There is nothing to log: no line is decided that is not logged already.")])
    _cite_event(sitting)
    _save(found.planned)
    connections["default"].check_constraints()


def _cite_event(sitting: Sitting) -> None:
    """An event that nobody is cited for could not be published with what was logged in it."""
    said = ReleaseEventCitation.objects.filter(event=sitting.event, source=sitting.source)
    if not said.exists():
        ReleaseEventCitation.objects.create(event=sitting.event, source=sitting.source, disclosure=sitting.disclosure)


def _save(planned: Sequence[Planned]) -> None:
    """Those that others refer to first."""
    Person.objects.bulk_create(one.person for one in planned if one.new_person)
    Name._default_manager.bulk_create(name for one in planned for name in one.names)
    PersonCitation.objects.bulk_create(citation for one in planned for citation in one.person_citations)
    endings = [one.ending for one in planned if one.ending.detention is not None]
    for ending in endings:
        if ending.ended and ending.detention:
            ending.detention.ended, ending.detention.end_reason = ending.ended, v.DetentionEnd.RELEASED
            ending.detention.save()
    confirmed = [one for one in planned if one.came_true]
    for one in planned:
        if one.new_release or one.came_true:
            one.release.detention = one.ending.detention or one.release.detention
    Release.objects.bulk_create(one.release for one in planned if one.new_release)
    for one in confirmed:
        one.release.save()
        for leg in one.taken:
            leg.save()
    announced = ReleaseCitation.objects.filter(release__in=[one.release for one in confirmed], about="outcome")
    announced.filter(value=v.ReleaseOutcome.ANNOUNCED, standing=v.Standing.ACCEPTED).update(
        standing=v.Standing.SUPERSEDED
    )
    Leg.objects.bulk_create(leg for one in planned for leg in one.legs)
    ReleaseCitation.objects.bulk_create(citation for one in planned for citation in one.citations)
    linked = [one for one in planned if (one.new_release or one.came_true) and one.ending.detention]
    said = DetentionCitation.objects.filter(detention__in=[one.ending.detention for one in linked])
    vouched = {*said.values_list("detention", flat=True)}
    DetentionCitation.objects.bulk_create(
        end
        for one in linked
        if (detention := one.ending.detention)
        # one that ended before is cited as well, where nobody else is and the two agree
        and (one.ending.ended or not (detention.pk in vouched or logging.disagreements(one.release)))
        for end in logging.said_of_the_end(detention, one.citations)
    )
    for one in planned:
        one.line.release = one.release
    ListLine.objects.bulk_update([one.line for one in planned], ["release"])


class _Planner:
    """Reads once what the lines need, and turns them into rows one by one."""

    def __init__(self, sitting: Sitting, lines: Sequence[ListLine], by: User) -> None:
        self.sitting, self.lines, self.by = sitting, lines, by
        # the day on which it was announced is no day on which anybody says that they came out
        self.day = sitting.released_on or sitting.event.happened
        keys = [line.person_id for line in lines if line.person_id]
        people: Any = Person.objects.visible_to(by).filter(pk__in=keys)
        own: Any = Detention.objects.visible_to(by)
        people = people.prefetch_related("names", models.Prefetch("detentions", own))
        self.people: dict[UUID, Person] = {person.pk: person for person in people}
        there: Any = Release.objects.visible_to(by).filter(event=sitting.event_id, person__in=keys)
        there = there.select_related("person", "detention").prefetch_related("legs")
        self.releases: dict[UUID, Release] = {release.person_id: release for release in there}
        ending = Release.objects.counted().filter(detention__person__in=keys)
        self.ending: dict[UUID, Release] = {release.detention_id: release for release in ending}  # type: ignore[misc]
        self.cited: set[tuple[Any, ...]] = set()
        said = ReleaseCitation.objects.filter(release__in=self.releases.values(), source=sitting.source_id)
        self.cited |= {*said.values_list("release", "locator", "about", "leg")}
        of_persons = PersonCitation.objects.filter(person__in=keys, source=sitting.source_id)
        self.cited |= {*of_persons.values_list("person", "locator", "about", "name")}

    def planned(self) -> list[Planned]:
        found = []
        for line in self.lines:
            one = self._planned(line)
            if one is not None:
                found.append(one)
        return found

    def _planned(self, line: ListLine) -> Planned | None:
        if line.decision != v.LineDecision.PERSON:
            person = self._new_person(line)
        elif line.person_id in self.people:
            person = self.people[line.person_id]
        else:
            return None  # merged or sealed since: nobody may see whom the line was about
        new = person._state.adding
        if person.disclosure == v.Disclosure.SEALED:
            sealed = _("“%(person)s” is sealed: log the release on the person's page, and skip the line.")
            return Planned(line, person, Release(person=person), problem=sealed % {"person": person})
        release = self.releases.get(person.pk)
        one = Planned(line, person, release or self._new_release(line, person), new, release is None)
        self.releases[person.pk] = one.release
        self._name(one)
        if one.new_release:
            self._describe(one)
            self._end(one)
        else:
            self._confirm(one)
        return one

    # The person

    def _new_person(self, line: ListLine) -> Person:
        unknown = line.decision == v.LineDecision.UNIDENTIFIED
        person = Person(
            identification=v.Identification.UNIDENTIFIED if unknown else v.Identification.IDENTIFIED,
            sex=line.sex or v.Sex.UNKNOWN,
            born=self._born(line),
            citizenships=sorted(line.citizenships or self.sitting.citizenships),
            disclosure=self.sitting.disclosure,
        )
        if unknown:
            # anybody may read it: the title of an event that is closed is not theirs to know
            event = self.sitting.event
            about = str(event) if event.disclosure == v.Disclosure.PUBLIC else self.day and self.day.display
            place = _("line %(number)d") % {"number": line.number}
            person.label = ", ".join(filter(None, [_("Unidentified person"), about, place]))
        # what is not saved has no relations to ask for
        person._prefetched_objects_cache = {"names": [], "detentions": []}  # type: ignore[attr-defined]
        return person

    def _born(self, line: ListLine) -> ImpreciseDate | None:
        if line.born or line.age is None or self.day is None:
            return line.born
        first, last = (dates.born_range(line.age, day) for day in (self.day.earliest, self.day.latest))
        return ImpreciseDate(first.earliest, last.latest)

    def _name(self, one: Planned) -> None:
        """The spelling as it is printed, with whoever prints it; and what else a list tells of somebody new."""
        line, person = one.line, one.person
        unknown = line.decision == v.LineDecision.UNIDENTIFIED  # what is printed describes, and names nobody
        text = "" if unknown else names.clean(line.text)
        recorded: list[Name] = [*person.names.all(), *one.names]
        same = next((name for name in recorded if text and names.clean(name.text) == text), None)
        if text and same is None:
            right = not recorded or any(names.compare(text, name.text).agrees for name in recorded)
            language = guess_language(text)
            same = Name(
                person=person,
                text=text,
                script=names.script_of(text),
                language=language or "",
                kind=v.NameKind.MEDIA if right else v.NameKind.ERRONEOUS,
                position=max((name.position for name in recorded), default=0) + 1,
                disclosure=self.sitting.disclosure,
            )
            one.names.append(same)
            person._prefetched_objects_cache["names"] = [*recorded, same]  # type: ignore[attr-defined]
        told: list[tuple[str, Name | None, str]] = []
        if one.new_person:
            told.append(("", None, ""))
            told += [("born", None, person.born.edtf)] if person.born and (line.born or line.age) else []
            told += [("sex", None, line.sex)] if line.sex else []
            told += [("citizenships", None, ";".join(person.citizenships))] if person.citizenships else []
        if same is not None:
            told.append(("", same, ""))
        for about, name, value in told:
            if (person.pk, self.sitting.place_of(line), about, name and name.pk) in self.cited:
                continue
            one.person_citations.append(
                PersonCitation(person=person, about=about, name=name, value=value, **self._claim(line))
            )

    def _claim(self, line: ListLine) -> dict[str, Any]:
        more = line.printed != line.text or line.decision == v.LineDecision.UNIDENTIFIED
        return {
            "source": self.sitting.source,
            "locator": self.sitting.place_of(line),
            "quote": line.printed if more else "",
            "disclosure": self.sitting.disclosure,
        }

    # The release

    def _new_release(self, line: ListLine, person: Person) -> Release:
        sitting = self.sitting
        return Release(
            person=person,
            event=sitting.event,
            released_on=self.day,
            outcome=sitting.outcome,
            legal_bases=sitting.legal_bases,
            departure=sitting.departure,
            note="\n".join(filter(None, [line.sentence, line.facility, line.note])),
            disclosure=sitting.disclosure,
        )

    def _said(self) -> dict[str, tuple[Any, str]]:
        """What the list says of every release: column → value, and how our files would print it."""
        sitting = self.sitting
        said: dict[str, tuple[Any, str]] = {"outcome": (sitting.outcome, sitting.outcome)}
        if sitting.released_on:
            said["released_on"] = (sitting.released_on, sitting.released_on.edtf)
        if sitting.legal_bases:
            said["legal_bases"] = (sorted(sitting.legal_bases), ";".join(sorted(sitting.legal_bases)))
        if sitting.departure != v.Departure.UNKNOWN:
            said["departure"] = (sitting.departure, sitting.departure)
        return said

    def _steps(self, line: ListLine) -> list[Leg]:
        sitting = self.sitting
        steps = []
        countries = countries_of(sitting, line)
        if countries or sitting.place:
            steps.append(
                Leg(
                    kind=v.LegKind.HANDOVER,
                    countries=sorted(countries),
                    place=sitting.place,
                    happened=sitting.happened or (self.day if sitting.status == v.LegStatus.COMPLETED else None),
                    status=sitting.status,
                )
            )
        if sitting.onward_countries:
            steps.append(
                Leg(
                    kind=v.LegKind.ONWARD,
                    countries=sorted(sitting.onward_countries),
                    happened=sitting.onward_happened,
                    status=sitting.onward_status,
                )
            )
        return steps

    def _describe(self, one: Planned) -> None:
        line, release = one.line, one.release
        self._cite(one, "")
        for about, (_value, text) in self._said().items():
            self._cite(one, about, value=text)
        for position, leg in enumerate(self._steps(line), start=1):
            leg.release, leg.position = release, position
            one.legs.append(leg)
            self._cite(one, "", leg=leg)
        release._prefetched_objects_cache = {"legs": one.legs}  # type: ignore[attr-defined]

    def _cite(self, one: Planned, about: str, *, leg: Leg | None = None, value: str = "", agrees: bool = True) -> None:
        line, release = one.line, one.release
        if (release.pk, self.sitting.place_of(line), about, leg and leg.pk) in self.cited:
            return
        one.citations.append(
            ReleaseCitation(
                release=release,
                about=about,
                leg=leg,
                value=value,
                standing=v.Standing.ACCEPTED if agrees else v.Standing.UNRESOLVED,
                **self._claim(line),
            )
        )

    def _end(self, one: Planned) -> None:
        closes = self.sitting.closes and one.release.ends_detention
        try:
            ends = logging.Ending.AUTO if closes else logging.Ending.NONE
            one.ending = logging.plan(one.release, ends, self.ending)
        except logging.Impossible as why:
            dated = self.day is not None
            one.problem = why.sentence if dated else _("Say under “What all lines share” on which day they came out.")
        detention = one.ending.detention
        if detention is not None and detention._state.adding:
            detention.disclosure = self.sitting.disclosure

    def _come_true(self, one: Planned) -> None:
        """What was announced has happened: the release, the steps that were planned, and the end of the detention."""
        release = one.release
        one.came_true = True
        release.person = one.person  # with the detentions that are read already
        release.outcome, release.released_on = self.sitting.outcome, release.released_on or self.day
        planned = [leg for leg in release.legs.all() if leg.status == v.LegStatus.PLANNED]
        for step in self._steps(one.line):
            if step.status != v.LegStatus.COMPLETED:
                continue
            for leg in planned:
                if leg.kind == step.kind and (not leg.countries or {*step.countries} <= {*leg.countries}):
                    leg.status, leg.happened = step.status, step.happened or leg.happened
                    leg.countries = step.countries or leg.countries
                    one.taken.append(leg)
                    break
        self._end(one)

    def _confirm(self, one: Planned) -> None:
        """One more source for what is there; what it says otherwise stands beside it, for somebody to decide."""
        release = one.release
        if came_true(release, self.sitting):
            self._come_true(one)
        self._cite(one, "")
        for about, (value, text) in self._said().items():
            self._cite(one, about, value=text, agrees=_agree(getattr(release, about), value))
        there: dict[str, list[Leg]] = defaultdict(list)
        for leg in release.legs.all():
            there[leg.kind].append(leg)
        for step in self._steps(one.line):
            own_steps = there[step.kind]
            same = next((leg for leg in own_steps if _same_step(leg, step)), None)
            if same is not None and step.status not in {same.status, v.LegStatus.PLANNED}:
                self._cite(one, "status", leg=same, value=step.status, agrees=False)
            elif same is not None:
                self._cite(one, "", leg=same)
            elif own_steps:
                self._cite(one, "countries", leg=own_steps[-1], value=";".join(step.countries), agrees=False)
            else:
                step.release = release
                step.position = max((leg.position for leg in [*release.legs.all(), *one.legs]), default=0) + 1
                one.legs.append(step)
                self._cite(one, "", leg=step)


def _same_step(leg: Leg, step: Leg) -> bool:
    """Whether what the list says leaves room for what is recorded."""
    return not step.countries or bool(leg.countries and {*leg.countries} <= {*step.countries})


def _agree(own: Any, said: Any) -> bool:
    if isinstance(own, ImpreciseDate) and isinstance(said, ImpreciseDate):
        return not own.surely_before(said) and not said.surely_before(own)
    return bool((sorted(own) if isinstance(own, list) else own) == said)
