"""Who of the database a name on a list can be: candidates with reasons that a person can weigh, and a verdict.

Names are looked up by their sound (``tracker.names.sound_keys``), all of a batch in one statement, then held against
each other word by word, then against what else the list and the record say. ``same`` is said only when one candidate
is far ahead, nothing disagrees, and something besides the name agrees: a father and a son, a judge and a prisoner may
share a name.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.db import connections
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from tracker import dates, names
from tracker import vocabularies as v
from tracker.models import Charge, Name, NotTheSame, Person, Placement, Relationship, User
from tracker.names.parsing import LONGEST

BATCH: Final = 500
#: so many names of the database are held against each name of a list
LOOKED_AT: Final = 40
#: of so many persons every name is looked at
LOOKED_AT_CLOSELY: Final = 10

#: Scores, of 100: from here on a candidate is offered; by so much the first must be ahead of the second.
OFFERED: Final = 58
AHEAD: Final = 12

# What agreement brings (of what is missing to 100), and what disagreement costs.
_BRINGS: Final = {"born": 0.35, "custody": 0.2, "sex": 0.05, "citizenship": 0.05, "article": 0.1, "facility": 0.1}
_COSTS: Final = {"born": 40, "custody": 12, "sex": 30, "citizenship": 10, "identifier": 40}


@dataclass(frozen=True)
class Question:
    """A name as a list gives it, with what else the list says; ``age`` is of the day that is asked for."""

    text: str
    born: dates.ImpreciseDate | None = None
    age: int | None = None
    citizenship: str = ""
    sex: str = ""
    article: str = ""
    facility: str = ""

    def born_between(self, on: date | None) -> dates.ImpreciseDate | None:
        if self.born is None and self.age is not None and on is not None:
            return dates.born_range(self.age, on)
        return self.born


@dataclass(frozen=True)
class Reason:
    """``kind``: surname, given, initial, patronymic, name, born, custody, sex, citizenship, article, facility."""

    kind: str
    text: str
    agrees: bool | None


@dataclass(frozen=True)
class Candidate:
    """A person whom the name can be of; ``name`` is the recorded spelling that is nearest."""

    person: Person
    name: str
    exact: float
    reasons: tuple[Reason, ...]
    comparison: names.Comparison

    @property
    def score(self) -> int:
        """0 to 100."""
        return round(self.exact)

    def agrees(self, kind: str) -> bool:
        return any(reason.agrees for reason in self.reasons if reason.kind == kind)

    @property
    def grounds(self) -> int:
        """How much agrees besides the name."""
        return _grounds(self.reasons)

    @property
    def contradicted(self) -> bool:
        return any(reason.agrees is False for reason in self.reasons)


@dataclass(frozen=True)
class Match:
    question: Question
    verdict: v.ListVerdict
    candidates: list[Candidate] = field(default_factory=list)


@dataclass(frozen=True)
class Pair:
    """Two persons that look like one."""

    person: Person
    other: Person
    score: int
    reasons: tuple[Reason, ...]


def match(
    questions: Iterable[Question], *, viewer: User | None, on: date | None = None, using: str = "default"
) -> Iterator[Match]:
    """The verdict on each question, in order, of persons whom the viewer may see (None: nobody sealed).

    ``on`` is the day the list speaks of: who was in custody on it is likelier meant. Costs a handful of queries for
    every ``BATCH`` names.
    """
    batch: list[Question] = []
    for question in questions:
        batch.append(question)
        if len(batch) == BATCH:
            yield from _matched(batch, viewer, on, using)
            batch = []
    if batch:
        yield from _matched(batch, viewer, on, using)


def _matched(batch: Sequence[Question], viewer: User | None, on: date | None, using: str) -> Iterator[Match]:
    texts, hidden = dict(enumerate(question.text for question in batch)), _hidden(viewer, using)
    nearest = {place: _nearest(texts[place], rows) for place, rows in _looked_up(texts, hidden, using).items()}
    far = {place: text for place, text in texts.items() if not _any_near(nearest.get(place, {}))}
    for place, rows in _looked_up_as_a_whole(far, hidden, using).items():
        nearest[place] = _nearest(texts[place], rows) | nearest.get(place, {})
    known = _Known(batch, {pk for persons in nearest.values() for pk in persons}, on, using)
    for place, question in enumerate(batch):
        persons = [known.persons[pk] for pk in nearest.get(place, ()) if pk in known.persons]
        candidates = [known.candidate(question, person) for person in persons]
        candidates.sort(key=lambda candidate: (-candidate.exact, -candidate.grounds, candidate.person.pid))
        offered = [candidate for candidate in candidates if candidate.exact >= OFFERED]
        yield Match(question, _verdict(offered), candidates)


def _verdict(offered: list[Candidate]) -> v.ListVerdict:
    if not offered:
        return v.ListVerdict.NEW
    best, comparison = offered[0], offered[0].comparison
    told = best.agrees("born") or best.agrees("custody")
    if not told or best.contradicted or comparison.agrees is False:
        return v.ListVerdict.CHOOSE
    if len(offered) > 1 and best.exact - offered[1].exact < AHEAD:
        return v.ListVerdict.CHOOSE
    if comparison.ambiguous == "name" or (comparison.ambiguous and not best.agrees("sex")):
        return v.ListVerdict.CHOOSE
    if any(reason.kind == "name" for reason in best.reasons):
        return v.ListVerdict.CHOOSE  # found by a name that is known to be wrong
    if comparison.agrees or (best.agrees("born") and comparison.but_for_an_initial):
        return v.ListVerdict.SAME
    return v.ListVerdict.CHOOSE


# --- Looking names up

_NEAR: Final = """
    SELECT asked.place, found.person_id, found.text
    FROM unnest(%(places)s::int[], %(keys)s::text[], %(literals)s::text[], %(near)s::text[])
        AS asked (place, key, literal, near)
    CROSS JOIN LATERAL (
        SELECT name.person_id, name.text FROM tracker_name name
        WHERE name.person_id <> ALL(%(hidden)s) AND name.near_keys && string_to_array(asked.near, ' ')
        ORDER BY similarity(name.sound_key, asked.key) DESC, similarity(name.search_key, asked.literal) DESC, name.id
        LIMIT {limit}) found
"""
_ALIKE_AS_A_WHOLE: Final = """
    SELECT DISTINCT asked.place, found.person_id, found.text
    FROM unnest(%(places)s::int[], %(keys)s::text[], %(literals)s::text[], %(near)s::text[])
        AS asked (place, key, literal, near)
    CROSS JOIN LATERAL (
        SELECT name.person_id, name.text FROM tracker_name name
        WHERE name.person_id <> ALL(%(hidden)s) AND asked.key {operator} name.sound_key
        ORDER BY similarity(name.sound_key, asked.key) DESC, similarity(name.search_key, asked.literal) DESC, name.id
        LIMIT {limit}) found
"""

Found = dict[int, list[tuple[UUID, str]]]


def _hidden(viewer: User | None, using: str) -> list[UUID]:
    """Whose names are not looked at: what is sealed for the viewer, and persons that are somebody else by now.

    A list, for in the statements a join would be planned anew for each name that is asked for.
    """
    rows: Any = Person.objects.using(using)
    seen = rows.visible_to(viewer).filter(merged_into=None, pk=OuterRef("pk"))
    perhaps = rows.filter(Q(disclosure=v.Disclosure.SEALED) | Q(merged_into__isnull=False))
    return list(perhaps.filter(~Exists(seen)).order_by().values_list("pk", flat=True))


def _looked_up(texts: Mapping[int, str], hidden: list[UUID], using: str) -> Found:
    """The nearest recorded names of each text, by its place: keys of persons with the name. One statement.

    They share a surname, but for a slip of the pen.
    """
    found: Found = defaultdict(list)
    rows = []
    for place, text in texts.items():
        sought = names.sought(text)
        if sought.near:
            rows.append((place, sought.keys[0], text, " ".join(sought.near)))
    _ask(_NEAR.format(limit=LOOKED_AT), rows, hidden, using, found)
    return found


def _looked_up_as_a_whole(texts: Mapping[int, str], hidden: list[UUID], using: str) -> Found:
    """The same for names with more than one slip of the pen: like the whole of it. Slower by far."""
    found: Found = defaultdict(list)
    for operator, whole in (("%%", True), ("<%%", False)):
        rows = [
            (place, key, text, "")
            for place, text in texts.items()
            for key in names.sought(text).keys
            if (" " in key) is whole and not key.replace(" ", "").isdigit()
        ]
        _ask(_ALIKE_AS_A_WHOLE.format(operator=operator, limit=LOOKED_AT), rows, hidden, using, found)
    return found


def _ask(statement: str, rows: list[tuple[int, str, str, str]], hidden: list[UUID], using: str, found: Found) -> None:
    if not rows:
        return
    places, keys, texts, near = zip(*rows, strict=True)
    literals = [names.search_key(text[:LONGEST]) for text in texts]
    asked = {"places": list(places), "keys": list(keys), "literals": literals, "near": list(near), "hidden": hidden}
    with connections[using].cursor() as cursor:
        cursor.execute(statement, asked)
        for place, person, text in cursor:
            found[place].append((person, text))


def _nearest(text: str, rows: Iterable[tuple[UUID, str]]) -> dict[UUID, float]:
    """The persons whose names are nearest, with how near; the nearest first."""
    best: dict[UUID, float] = {}
    for person, name in rows:
        best[person] = max(best.get(person, 0.0), names.compare(text, name).score)
    nearest = sorted(best, key=lambda person: (-best[person], person))[:LOOKED_AT_CLOSELY]
    return {person: best[person] for person in nearest}


def _any_near(persons: Mapping[UUID, float]) -> bool:
    return any(100 * score >= OFFERED for score in persons.values())


# --- What else is known


class _Known:
    """Persons with what can be held against a question. Costs the same number of queries for one and for many."""

    def __init__(self, batch: Sequence[Question], keys: Iterable[UUID], on: date | None, using: str) -> None:
        self.on = on
        wanted = list(keys)
        rows: Any = Person.objects.using(using).filter(pk__in=wanted).prefetch_related("names")
        if on is not None:
            rows = rows.with_custody(on)
        self.persons: dict[UUID, Person] = {person.pk: person for person in rows}
        self.articles: dict[UUID, set[str]] = defaultdict(set)
        self.facilities: dict[UUID, set[str]] = defaultdict(set)
        if any(question.article for question in batch):
            charges = Charge.objects.using(using).filter(prosecution__person__in=wanted, provision__isnull=False)
            for person, article in charges.values_list("prosecution__person", "provision__article"):
                self.articles[person].add(article)
        if any(question.facility for question in batch):
            placements = Placement.objects.using(using).filter(detention__person__in=wanted, facility__isnull=False)
            for person, facility in placements.values_list("detention__person", "facility__name"):
                self.facilities[person].add(facility)

    def candidate(self, question: Question, person: Person) -> Candidate:
        compared = [(names.compare(question.text, name.text), name) for name in person.names.all()]
        comparison, name = max(
            compared, key=lambda pair: (pair[0].score, pair[1].kind != v.NameKind.ERRONEOUS, -pair[1].position)
        )
        reasons = [*_of_the_name(comparison), *self._evidence(question, person)]
        if name.kind == v.NameKind.ERRONEOUS:
            reasons.append(Reason("name", _("found by “%(name)s”, which is recorded as wrong") % {"name": name}, None))
        return Candidate(person, name.text, _scored(comparison, reasons), tuple(reasons), comparison)

    def _evidence(self, question: Question, person: Person) -> Iterator[Reason]:
        yield from _births(question.born_between(self.on), person.born)
        yield from _sexes(question, person)
        yield from _citizenships([question.citizenship] if question.citizenship else [], person.citizenships)
        custody = getattr(person, "custody", "")
        if self.on is not None and custody:
            day = {"day": dates.ImpreciseDate.from_day(self.on).display}
            if custody == "no":
                yield Reason("custody", _("not in custody on %(day)s") % day, False)
            elif custody == "surely":
                yield Reason("custody", _("in custody on %(day)s") % day, True)
            else:
                yield Reason("custody", _("possibly in custody on %(day)s") % day, True)
        if question.article and question.article in self.articles[person.pk]:
            yield Reason("article", _("charged under article %(article)s") % {"article": question.article}, True)
        if question.facility and names.search_key(question.facility) in {
            names.search_key(facility) for facility in self.facilities[person.pk]
        }:
            yield Reason("facility", _("held at %(facility)s") % {"facility": question.facility}, True)


def _of_the_name(comparison: names.Comparison) -> Iterator[Reason]:
    words = {
        "surname": (_("surname agrees"), _("surname nearly agrees"), _("surname differs")),
        "given": (_("given name agrees"), _("given name nearly agrees"), _("given name differs")),
        "initial": (_("initial agrees"), _("initial agrees"), _("initial differs")),
        "patronymic": (_("patronymic agrees"), _("patronymic nearly agrees"), _("patronymic differs")),
    }
    for part in comparison.parts:
        if not part.ours or not part.theirs:
            continue
        place = 0 if part.agrees else 2 if part.agrees is False else 1
        both = part.ours if part.ours == part.theirs else f"{part.ours} – {part.theirs}"
        agrees = None if part.role == "initial" and part.agrees is not False else part.agrees
        yield Reason(part.role, f"{words[part.role][place]} ({both})", agrees)
    if comparison.ambiguous:
        yield Reason("given", _("one given name as it stands is first of all another one"), None)


def _births(told: dates.ImpreciseDate | None, recorded: dates.ImpreciseDate | None) -> Iterator[Reason]:
    if told is None or recorded is None:
        return
    both = {"told": told.edtf, "recorded": recorded.edtf}
    if told.earliest <= recorded.latest and recorded.earliest <= told.latest:
        yield Reason("born", _("born %(told)s agrees with %(recorded)s") % both, True)
    elif min(abs(told.earliest.year - recorded.latest.year), abs(recorded.earliest.year - told.latest.year)) <= 1:
        yield Reason("born", _("born %(told)s, recorded %(recorded)s: about a year apart") % both, None)
    else:
        yield Reason("born", _("born %(told)s, recorded %(recorded)s") % both, False)


_SEXES: Final = {"f": v.Sex.FEMALE, "m": v.Sex.MALE}


def _sexes(question: Question, person: Person) -> Iterator[Reason]:
    recorded = _sex_of(person)
    told = {question.sex} if question.sex in _SEXES.values() else set()
    if told and recorded:
        agrees = told == recorded
        yield Reason("sex", _("sex agrees") if agrees else _("sex differs"), agrees)
        return
    of_name = {_SEXES[sex] for sex in names.parse(question.text).sexes}
    if len(recorded) == 1 and len(of_name) == 1 and recorded != of_name:
        yield Reason("sex", _("the name is of the other sex"), False)


def _sex_of(person: Person) -> set[str]:
    """As recorded, else as all the names say; empty where they do not tell."""
    if person.sex in _SEXES.values():
        return {person.sex}
    sexes = {"f", "m"}
    for name in person.names.all():
        if name.kind != v.NameKind.ERRONEOUS:
            sexes &= names.parse(name.text).sexes
    return {_SEXES[sex] for sex in sexes} if len(sexes) == 1 else set()


def _citizenships(told: Sequence[str], recorded: Sequence[str]) -> Iterator[Reason]:
    if not told or not recorded:
        return
    agrees = bool({*told} & {*recorded})
    yield Reason("citizenship", _("citizenship agrees") if agrees else _("citizenship differs"), agrees)


def _grounds(reasons: Iterable[Reason]) -> int:
    return sum(reason.agrees is True for reason in reasons if reason.kind in _BRINGS)


def _scored(comparison: names.Comparison, reasons: Iterable[Reason]) -> float:
    score = 100 * comparison.score
    for reason in reasons:
        if reason.agrees and (comparison.agrees is not False or reason.kind == "born"):
            # thousands are in custody on the day, and women: that joins no names that differ
            score += (100 - score) * _BRINGS.get(reason.kind, 0)
        elif reason.agrees is False:
            score -= _COSTS.get(reason.kind, 0)
        elif reason.kind in ("name", "born"):
            score -= 5
    return max(score, 0.0)


# --- Persons that look like one

#: Scores, of 100: from here on two persons are shown as one perhaps.
LIKE_ONE: Final = 72
_NAMES_AT_ONCE: Final = 1_000
#: pairs held against each other, for each that is asked for
_TRIED: Final = 8


def duplicates(
    *,
    viewer: User | None,
    limit: int = 100,
    near: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Pair]:
    """Pairs of persons that look like one, best first; none that somebody decided to be two, and no relatives.

    ``near`` finds names with slips of the pen as well: every name is looked up, which takes minutes for a million.
    Without it, names are renderings of one by rule: one statement.
    """
    keys: set[tuple[UUID, UUID]] = set()
    hidden = _hidden(viewer, "default")
    for block in itertools.chain([_alike(hidden, limit * _TRIED)], _alike_near(hidden, progress) if near else ()):
        keys.update(block)
        if len(keys) > limit * _TRIED * 4:
            keys = {pair_of.keys for pair_of in _best(keys, viewer, limit * _TRIED)}
    return [found.pair for found in _best(keys, viewer, limit)]


_ALIKE: Final = """
    SELECT DISTINCT LEAST(a.person_id, b.person_id), GREATEST(a.person_id, b.person_id)
    FROM tracker_name a JOIN tracker_name b ON b.sound_key = a.sound_key AND a.person_id < b.person_id
    JOIN tracker_person one ON one.id = a.person_id JOIN tracker_person two ON two.id = b.person_id
    WHERE a.sound_key LIKE '%% %%' AND (one.born IS NULL OR two.born IS NULL OR one.born && two.born)
        AND a.person_id <> ALL(%(hidden)s) AND b.person_id <> ALL(%(hidden)s)
    LIMIT %(limit)s
"""


def _alike(hidden: list[UUID], limit: int) -> set[tuple[UUID, UUID]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(_ALIKE, {"limit": limit, "hidden": hidden})
        return {*cursor.fetchall()}


def _alike_near(hidden: list[UUID], progress: Callable[[int, int], None]) -> Iterator[set[tuple[UUID, UUID]]]:
    rows: Any = Name.objects.filter(sound_key__contains=" ").exclude(person__in=hidden).order_by("pk")
    total, done, last = rows.count(), 0, None
    while True:
        block = rows if last is None else rows.filter(pk__gt=last)
        page = list(block.values_list("pk", "person", "text")[:_NAMES_AT_ONCE])
        if not page:
            return
        pairs = set()
        for place, found in _looked_up(dict(enumerate(text for *_keys, text in page)), hidden, "default").items():
            _pk, person, text = page[place]
            for other, name in found:
                if other != person and 100 * names.compare(text, name).score >= LIKE_ONE:
                    pairs.add((min(person, other), max(person, other)))
        yield pairs
        last, done = page[-1][0], done + len(page)
        if total > _NAMES_AT_ONCE:
            progress(done, total)


@dataclass(frozen=True)
class _Scored:
    exact: float
    keys: tuple[UUID, UUID]
    pair: Pair

    @property
    def grounds(self) -> int:
        return _grounds(self.pair.reasons)


def _best(keys: Iterable[tuple[UUID, UUID]], viewer: User | None, limit: int) -> list[_Scored]:
    """The likeliest of the pairs. Costs a handful of queries for every ``BATCH`` pairs."""
    found: list[_Scored] = []
    pairs = sorted(keys)
    for start in range(0, len(pairs), BATCH):
        found += _scored_pairs(pairs[start : start + BATCH], viewer)
        found.sort(key=lambda scored: (-scored.exact, -scored.grounds, scored.keys))
        del found[limit:]
    return found


def _scored_pairs(pairs: Sequence[tuple[UUID, UUID]], viewer: User | None) -> Iterator[_Scored]:
    wanted = {key for pair in pairs for key in pair}
    rows: Any = Person.objects.visible_to(viewer).filter(pk__in=wanted, merged_into=None)
    persons = {row.pk: row for row in rows.prefetch_related("names", "external_identifiers")}
    apart = {*NotTheSame.objects.filter(person__in=wanted).values_list("person_id", "other_id")}
    related = Relationship.objects.filter(person__in=wanted, other__in=wanted).values_list("person_id", "other_id")
    apart |= {(min(pair), max(pair)) for pair in related}
    for pair in pairs:
        if pair in apart or pair[0] not in persons or pair[1] not in persons:
            continue
        one, other = persons[pair[0]], persons[pair[1]]
        compared = [names.compare(a.text, b.text) for a in one.names.all() for b in other.names.all()]
        comparison = max(compared, key=lambda found: found.score)
        reasons = [*_of_the_name(comparison), *_between(one, other)]
        exact = _scored(comparison, reasons)
        if exact >= LIKE_ONE:
            yield _Scored(exact, pair, Pair(one, other, round(exact), tuple(reasons)))


def _between(one: Person, other: Person) -> Iterator[Reason]:
    """What two records say of one another besides the name."""
    yield from _births(one.born, other.born)
    if _sex_of(one) and _sex_of(other):
        agrees = _sex_of(one) == _sex_of(other)
        yield Reason("sex", _("sex agrees") if agrees else _("sex differs"), agrees)
    yield from _citizenships(one.citizenships, other.citizenships)
    theirs = {row.scheme: row.value for row in other.external_identifiers.all()}
    for row in one.external_identifiers.all():
        if row.scheme in theirs and theirs[row.scheme] != row.value:
            yield Reason("identifier", _("two identifiers in the list %(list)s") % {"list": row.scheme}, False)
