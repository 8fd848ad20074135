"""A list of the released, taken line by line: begun, looked up, weighed and decided, by as many as work on it.

Nothing of it is a record yet: ``releases.recording`` makes releases of what was decided. Everything is kept as it is
decided, with the revision that the decider had read, so that nobody overwrites what another decided unseen.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from releases.models import Leg, ListLine, Release, Sitting
from tracker import dates, lists, matching, names
from tracker import vocabularies as v
from tracker.dates import ImpreciseDate
from tracker.models import Detention, Name, Person, PersonCitation, Sentence, User

#: so many lines are looked up at a time
BATCH: Final = 200
#: so many candidates are shown for a line, each with a key of its own
SHOWN: Final = 3


class Stale(Exception):
    """Somebody else has decided about the line since it was read."""

    def __init__(self, line: ListLine) -> None:
        super().__init__(str(line))
        self.line = line


class Impossible(ValueError):
    """A decision that the line does not allow; the sentence says why."""


# --- Beginning


def begin(sitting: Sitting, lines: Iterable[lists.Line], *, by: User) -> Sitting:
    """Keep the list. What it is about and from whom are saved already."""
    sitting.started_by = by
    with transaction.atomic():
        sitting.save()
        ListLine.objects.bulk_create(
            ListLine(
                sitting=sitting,
                number=line.number,
                text=line.name,
                printed=line.printed,
                born=line.born,
                age=line.age,
                sex=line.sex,
                citizenships=list(line.citizenships),
                countries=list(line.countries),
                sentence=line.sentence,
                facility=line.facility,
                note=line.note,
                verdict=v.ListVerdict.NEW if line.unnamed else "",
            )
            for line in lines
        )
    return sitting


def day_of(sitting: Sitting) -> ImpreciseDate | None:
    """When the people of the list came out, as far as anybody says."""
    return sitting.released_on or sitting.event.happened or sitting.event.announced


def held_on(sitting: Sitting) -> date:
    """The last day on which whoever is on the list was still held."""
    day = day_of(sitting)
    return (day.earliest if day else timezone.localdate()) - timedelta(days=1)


# --- Looking up


def _question(line: ListLine, sitting: Sitting) -> matching.Question:
    born, day = line.born, day_of(sitting)
    if born is None and line.age is not None and day is not None:
        # of the day of the list, not of the day before it that custody is asked for
        born = dates.born_range(line.age, day.latest)
        if day.earliest != day.latest:
            born = ImpreciseDate(dates.born_range(line.age, day.earliest).earliest, born.latest)
    citizenships = line.citizenships or sitting.citizenships
    return matching.Question(
        line.text,
        born,
        citizenship=citizenships[0] if len(citizenships) == 1 else "",
        sex=line.sex,
        facility=line.facility,
    )


def look_up(sitting: Sitting, *, at_most: int = BATCH) -> int:
    """Look up some more of the lines, among persons that nobody sealed. Returns how many are left."""
    waiting = sitting.lines.filter(verdict="", release=None)
    lines = list(waiting[:at_most])
    found = matching.match((_question(line, sitting) for line in lines), viewer=None, on=held_on(sitting))
    for line, match in zip(lines, found, strict=True):
        line.verdict = match.verdict
    by_verdict: dict[str, list[UUID]] = defaultdict(list)
    for line in lines:
        by_verdict[line.verdict].append(line.pk)
    with transaction.atomic():
        for verdict, keys in by_verdict.items():
            ListLine.objects.filter(pk__in=keys).update(verdict=verdict)
    return waiting.count()


def look_again(sitting: Sitting) -> None:
    """Forget what was found for the lines that nobody has decided: the database has changed since."""
    sitting.lines.open().exclude(text="").exclude(verdict="").update(verdict="")


# --- Weighing


@dataclass(frozen=True)
class Option:
    """A person whom a line can be about: why, what is recorded, and what speaks against it."""

    person: Person
    candidate: matching.Candidate | None
    facts: tuple[str, ...]
    warnings: tuple[v.LineWarning, ...]

    @property
    def sealed(self) -> bool:
        return self.person.disclosure == v.Disclosure.SEALED

    @property
    def reasons(self) -> tuple[matching.Reason, ...]:
        return self.candidate.reasons if self.candidate else ()


@dataclass(frozen=True)
class Weighed:
    """A line with whom it can be about, the likeliest first; ``chosen`` is whom somebody decided for."""

    line: ListLine
    verdict: v.ListVerdict
    options: tuple[Option, ...]
    chosen: Option | None
    #: of whoever is new by the decision: somebody of another line, or in the event already, has the same name
    warnings: tuple[v.LineWarning, ...] = ()

    @property
    def unanswered(self) -> tuple[v.LineWarning, ...]:
        """What speaks against the decision and was not taken knowingly."""
        against = self.chosen.warnings if self.chosen else self.warnings
        return tuple(warning for warning in against if warning not in self.line.taken_knowingly)


def weigh(
    sitting: Sitting, lines: Sequence[ListLine], viewer: User, *, closely: bool = False, candidates: bool = True
) -> list[Weighed]:
    """The lines with their candidates. Costs a handful of queries, however many there are.

    Persons that are sealed, but not for the viewer, are among the candidates: they are logged on their own pages.
    ``closely``: all candidates, not only the likeliest. Without ``candidates`` nobody but the person decided for is
    looked at.
    """
    named = [line for line in lines if candidates and line.text and not line.release_id]
    found = matching.match((_question(line, sitting) for line in named), viewer=viewer, on=held_on(sitting))
    matches = {line.pk: match for line, match in zip(named, found, strict=True)}
    people: dict[UUID, Person] = {}
    for match in matches.values():
        people.update({candidate.person.pk: candidate.person for candidate in match.candidates})
    decided = {line.person_id for line in lines if line.person_id} - people.keys()
    rows: Any = Person.objects.visible_to(viewer).filter(pk__in=decided).prefetch_related("names")
    people.update({person.pk: person for person in rows})
    known = Known(sitting, people.values(), viewer)
    return [_weighed(line, matches.get(line.pk), people, known, closely) for line in lines]


def _weighed(
    line: ListLine, match: matching.Match | None, people: Mapping[UUID, Person], known: Known, closely: bool
) -> Weighed:
    candidates = match.candidates if match else []
    offered = [one for one in candidates if closely or one.score >= matching.OFFERED]
    options = [known.option(line, one.person, one) for one in offered[: None if closely else SHOWN]]
    chosen = next((option for option in options if option.person.pk == line.person_id), None)
    if chosen is None and line.person_id and line.person_id in people:
        chosen = known.option(line, people[line.person_id], None)
    verdict = match.verdict if match else v.ListVerdict.NEW
    # who is sealed is not taken with the others
    if verdict == v.ListVerdict.SAME and options and options[0].sealed:
        verdict = v.ListVerdict.CHOOSE
    warnings = known.of_new(line) if line.decision in {v.LineDecision.NEW, v.LineDecision.UNIDENTIFIED} else ()
    return Weighed(line, verdict, tuple(options), chosen, warnings)


class Known:
    """What is recorded of persons that matters for a list. Costs the same number of queries for one and for many."""

    def __init__(self, sitting: Sitting, people: Iterable[Person], viewer: User) -> None:
        self.sitting, self.day = sitting, day_of(sitting)
        keys = [person.pk for person in people]
        self.detentions: dict[UUID, list[Detention]] = defaultdict(list)
        held: Any = Detention.objects.visible_to(viewer).filter(person__in=keys)
        for detention in held.custody(held_on(sitting)):
            self.detentions[detention.person_id].append(detention)
        self.releases: dict[UUID, list[Release]] = defaultdict(list)
        out: Any = Release.objects.visible_to(viewer).filter(person__in=keys).select_related("event")
        for release in out.prefetch_related("legs"):
            self.releases[release.person_id].append(release)
        self.sentences: dict[UUID, str] = {}
        terms: Any = Sentence.objects.visible_to(viewer).filter(verdict__prosecution__person__in=keys)
        terms = terms.annotate(person=models.F("verdict__prosecution__person")).select_related("verdict")
        for sentence in terms.order_by(models.F("verdict__pronounced").asc(nulls_first=True), "pk"):
            self.sentences[sentence.person] = str(sentence)
        taken = sitting.lines.visible_to(viewer).exclude(person=None).values_list("person", flat=True)
        self.taken = Counter(taken)
        alike = sitting.lines.visible_to(viewer).filter(decision__in=[v.LineDecision.NEW, v.LineDecision.PERSON])
        self.alike = Counter(names.sound_key(text) for text in alike.values_list("text", flat=True))
        there: Any = Release.objects.visible_to(viewer).filter(event=sitting.event_id)
        texts = Name._default_manager.filter(person__in=there.values("person")).values_list("text", flat=True)
        self.there = {names.sound_key(text) for text in texts}
        unknown = there.filter(person__identification=v.Identification.UNIDENTIFIED)
        self.unknown_there = unknown.exclude(lines__sitting=sitting).exists()
        # whom a line was made into stays, though the release is deleted or taken back
        made: Any = PersonCitation.objects.visible_to(viewer).filter(source=sitting.source_id, about="", name=None)
        of = made.values_list("locator", "person__names__text")
        self.made = {(locator, names.sound_key(text or "")) for locator, text in of}

    def option(self, line: ListLine, person: Person, candidate: matching.Candidate | None) -> Option:
        return Option(person, candidate, tuple(self._facts(person)), tuple(self._warnings(line, person)))

    def in_event(self, person: Person) -> Release | None:
        own = (release for release in self.releases[person.pk] if release.event_id == self.sitting.event_id)
        return next(own, None)

    def of_new(self, line: ListLine) -> tuple[v.LineWarning, ...]:
        if line.decision == v.LineDecision.UNIDENTIFIED:
            key, twice = names.sound_key(""), self.unknown_there
        else:
            key = names.sound_key(line.text)
            twice = self.alike[key] > 1 or key in self.there
        return (v.LineWarning.TWICE,) if twice or (self.sitting.place_of(line), key) in self.made else ()

    def _facts(self, person: Person) -> Iterable[str]:
        if person.born:
            yield _("born %(date)s") % {"date": person.born.display}
        logged = self.in_event(person)
        if logged and came_true(logged, self.sitting):
            yield _("announced in this event: the list confirms it")
        elif logged:
            yield _("in this event already: the list is added as a source")
        for detention in self.detentions[person.pk]:
            place = getattr(detention, "facility_now", None) if detention.is_open else None
            yield ", ".join(filter(None, [_("held %(span)s") % {"span": detention.span}, place]))
        if person.pk in self.sentences:
            yield _("sentence: %(sentence)s") % {"sentence": self.sentences[person.pk]}
        for release in self.releases[person.pk]:
            if release.event_id != self.sitting.event_id:
                said = [v.ReleaseOutcome(release.outcome).label, release.released_on and release.released_on.display]
                yield ": ".join(filter(None, [", ".join(map(str, filter(None, said))), str(release.event or "")]))

    def _warnings(self, line: ListLine, person: Person) -> Iterable[v.LineWarning]:
        others = self.taken[person.pk] - (line.person_id == person.pk)
        if others > 0:
            yield v.LineWarning.TWICE
        day = self.day
        if day and person.died and person.died.surely_before(day):
            yield v.LineWarning.DEAD
        logged = self.in_event(person)
        if logged:
            if differences(logged, self.sitting, line):
                yield v.LineWarning.DIFFERS
            return
        own = self.detentions[person.pk]
        before = [
            release
            for release in self.releases[person.pk]
            if release.ends_detention and not (day and release.released_on and day.surely_before(release.released_on))
        ]
        held = [one for one in own if not any(_is_over(one, release) for release in before)]
        if not day or not (own or before) or any(_can_be_held(detention, day) for detention in held):
            return
        yield v.LineWarning.FREE if before else v.LineWarning.NOT_HELD


def _can_be_held(detention: Detention, day: ImpreciseDate) -> bool:
    """Whether the person can have been held until some day of these."""
    if detention.started and day.surely_before(detention.started):
        return False
    return detention.ended is None or not detention.ended.surely_before(day)


def _is_over(detention: Detention, release: Release) -> bool:
    """Whether the release ended the detention, or came after its beginning and is linked to none."""
    if release.detention_id:
        return release.detention_id == detention.pk
    return not (detention.started and release.released_on and release.released_on.surely_before(detention.started))


def countries_of(sitting: Sitting, line: ListLine) -> list[str]:
    """Where the line, or else the whole list, says that its people were handed over."""
    return list(line.countries or sitting.countries)


def came_true(release: Release, sitting: Sitting) -> bool:
    """Whether the list says that what was announced has happened: that is no contradiction."""
    return release.outcome == v.ReleaseOutcome.ANNOUNCED and sitting.outcome == v.ReleaseOutcome.CONFIRMED


def differences(release: Release, sitting: Sitting, line: ListLine) -> list[str]:
    """Columns of which a release in the same event says otherwise than the list."""
    found = []
    day = sitting.released_on
    if (
        day
        and release.released_on
        and (day.surely_before(release.released_on) or release.released_on.surely_before(day))
    ):
        found.append("released_on")
    if release.outcome != sitting.outcome and not came_true(release, sitting):
        found.append("outcome")
    handovers = [leg for leg in release.legs.all() if leg.kind == v.LegKind.HANDOVER]
    countries = {*countries_of(sitting, line)}
    if countries and handovers and not any(_compatible(leg, countries) for leg in handovers):
        found.append("countries")
    return found


def _compatible(leg: Leg, countries: set[str]) -> bool:
    return not leg.countries or bool(countries & {*leg.countries})


# --- Deciding


@dataclass(frozen=True)
class Choice:
    """What somebody decided about a line, as they had read it (its revision)."""

    line: UUID
    revision: int
    decision: str
    person: UUID | None = None
    knowing: tuple[str, ...] = ()


def decide(sitting: Sitting, choice: Choice, *, by: User) -> ListLine:
    """Raises ``Stale`` when somebody was faster, and ``Impossible``."""
    with transaction.atomic():
        rows = sitting.lines.visible_to(by).filter(pk=choice.line)
        line = rows.select_for_update(of=("self",)).select_related("sitting").first()
        if line is None:
            raise Impossible(_("The list has no such line."))
        if line.revision != choice.revision:
            raise Stale(line)
        _take(line, choice, by)
        line.save()
    return line


def decide_all(sitting: Sitting, choices: Sequence[Choice], *, by: User) -> list[ListLine]:
    """Decide about many lines; returns those of which somebody else was faster: they stay as they are."""
    wanted = {choice.line: choice for choice in choices}
    stale = []
    with transaction.atomic():
        rows = sitting.lines.visible_to(by).filter(pk__in=wanted).order_by("number")
        people: Any = Person.objects.visible_to(by)
        people = people.filter(pk__in=[choice.person for choice in choices if choice.person])
        known = {person.pk: person for person in people}
        taken = []
        for line in rows.select_for_update(of=("self",)):
            if line.revision != wanted[line.pk].revision:
                stale.append(line)
            else:
                _take(line, wanted[line.pk], by, known)
                taken.append(line)
        ListLine.objects.bulk_update(taken, ["decision", "person", "taken_knowingly", "decided_by"])
    return stale


def _take(line: ListLine, choice: Choice, by: User, known: Mapping[UUID | None, Person] | None = None) -> None:
    if line.release_id:
        raise Impossible(_("Line %(number)d is logged already.") % {"number": line.number})
    person = None
    if choice.decision == v.LineDecision.PERSON:
        people: Any = Person.objects.visible_to(by)
        person = people.filter(pk=choice.person).first() if known is None else known.get(choice.person)
        if person is None:
            raise Impossible(_("There is no such person."))
        if person.merged_into_id:
            raise Impossible(_("“%(person)s” was merged into another record. Choose that one.") % {"person": person})
        if person.disclosure == v.Disclosure.SEALED:
            raise Impossible(_("“%(person)s” is sealed: log the release on the person's page.") % {"person": person})
    if not line.text and choice.decision in {v.LineDecision.PERSON, v.LineDecision.NEW}:
        raise Impossible(_("Line %(number)d has no name.") % {"number": line.number})
    line.decision, line.person, line.decided_by = choice.decision, person, by if choice.decision else None
    line.taken_knowingly = sorted({*choice.knowing} & {*v.LineWarning.codes()}) if choice.decision else []


# --- Several lists of one event


@dataclass(frozen=True)
class OnLists:
    """A release with the lines that are about it, list by list (None: not on that list)."""

    release: Release
    lines: tuple[ListLine | None, ...]

    @property
    def missing(self) -> bool:
        return None in self.lines


def compared(sittings: Sequence[Sitting], viewer: User) -> list[OnLists]:
    """Everybody logged from one of the lists, those first who are not on all of them. Two queries."""
    lines: Any = ListLine.objects.visible_to(viewer).filter(sitting__in=sittings).logged()
    rows: dict[UUID, dict[UUID, ListLine]] = defaultdict(dict)
    for line in lines:
        rows[line.release_id].setdefault(line.sitting_id, line)
    releases: Any = Release.objects.visible_to(viewer).filter(pk__in=rows).select_related("person")
    found = [
        OnLists(release, tuple(rows[release.pk].get(sitting.pk) for sitting in sittings))
        for release in releases.prefetch_related("person__names")
    ]
    return sorted(found, key=lambda one: (not one.missing, names.search_key(str(one.release.person))))
