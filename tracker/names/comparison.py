"""How much two names are one name, and which of their parts say so."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from tracker.names import given, sounds
from tracker.names.parsing import ParsedName, Word, parse

#: Above this, two words are renderings of one; above the next, one of them may hold a mistake; below, two words.
SAME: Final = 0.93
NEAR: Final = 0.79

# What exchanging two sounds costs, of 1. Renderings of one name exchange them by rule, or by the habits of a language:
# akanje and its lack (о/а, е/а), Ukrainian і for о and е, tsekanje (ц/т), devoicing; х and г are told apart by little.
_BY_LANGUAGES: Final = {
    "ao": 0.1, "ae": 0.12, "eo": 0.15, "ei": 0.5, "io": 0.5, "ai": 0.6, "iu": 0.7, "ou": 0.5, "au": 0.7, "eu": 0.7,
    "CS": 0.7, "ct": 0.12, "hx": 0.7, "hk": 0.7, "fv": 0.4, "fp": 0.6, "uv": 0.25, "bp": 0.7, "dt": 0.7, "lv": 0.7,
    "mn": 0.8,
}  # fmt: skip
# What only some spellings leave open (``sounds.loose``).
_BY_SPELLING: Final = {
    sounds.LATIN: {"hx": 0.15, "kx": 0.5, "Cx": 0.5, "ck": 0.5, "fx": 0.6, "CS": 0.5, "CZ": 0.6},
    sounds.BARE: {"Ss": 0.4, "Zz": 0.4, "Cc": 0.4},
    sounds.GERMAN: {"sz": 0.25, "cz": 0.3, "SZ": 0.25, "Zs": 0.5, "Zz": 0.4, "cs": 0.6},
}


@cache
def _costs(loose: int) -> dict[tuple[str, str], float]:
    table = dict(_BY_LANGUAGES)
    for sign, pairs in _BY_SPELLING.items():
        if loose & sign:
            table.update({pair: min(cost, table.get(pair, cost)) for pair, cost in pairs.items()})
    return {(pair[a], pair[1 - a]): cost for pair, cost in table.items() for a in (0, 1)}


_LEFT_OUT: Final = {"a": 0.7, "e": 0.6, "o": 0.7, "u": 0.7, "i": 0.7, "j": 0.1, "h": 0.8, "v": 0.8, "z": 0.8}
#: Below this, two words are not held against one another.
_GUESS: Final = 0.7
#: What a name is worth that has only an initial, only a surname, or none.
_INITIALS: Final = 0.84
_SURNAME_ALONE: Final = 0.65
_NO_SURNAME: Final = 0.4
#: What two given names are worth that are first of all two.
_ANOTHER_FIRST: Final = 0.94
_BEST_SLIP: Final = 0.92
_ANY_SPELLING: Final = sounds.LATIN | sounds.BARE | sounds.GERMAN
#: What renderings of one word by the rules of languages differ in at most.
_BY_RULE: Final = 0.65
_OF_L: Final = 0.2
_SWAPPED: Final = 0.8
_OTHER_FAMILY: Final = 1.5
#: Two suffixes of one family tell less than two stems.
_OF_SUFFIX: Final = 0.9

_WEIGHT: Final = {"surname": 1.0, "given": 0.8, "initial": 0.8, "patronymic": 0.3}


@dataclass(frozen=True)
class Part:
    """Two words held against each other. ``likeness`` is 0 to 1; one of the words is empty where the other has none."""

    role: str
    ours: str
    theirs: str
    likeness: float

    @property
    def agrees(self) -> bool | None:
        """None for what neither agrees nor disagrees: nearly the same, or one of the two says nothing."""
        if not self.ours or not self.theirs:
            return None
        return True if self.likeness >= SAME else False if self.likeness < NEAR else None


@dataclass(frozen=True)
class Comparison:
    """``score`` is 0 to 1; the same whichever of the names comes first."""

    score: float
    parts: tuple[Part, ...]
    #: only an initial stands for a given name on one side, or only a surname was given
    partial: bool
    #: The given names agree, but one as it stands is first of all another name: ``sex`` where that is one of the
    #: other sex (Александра, the genitive of Александр), ``name`` where it is not (Inga for Ingrida); else empty.
    ambiguous: str

    @property
    def agrees(self) -> bool | None:
        """True when every part does that both names have; False when one disagrees; None in between."""
        told = [part.agrees for part in self.parts if part.ours and part.theirs]
        if False in told:
            return False
        return True if told and all(told) and not self.partial else None

    @property
    def turned(self) -> Comparison:
        """The same, seen from the other name."""
        parts = tuple(Part(part.role, part.theirs, part.ours, part.likeness) for part in self.parts)
        return replace(self, parts=parts)

    @property
    def but_for_an_initial(self) -> bool:
        """Whether all agrees, and an initial stands for a given name on one side."""
        told = [part for part in self.parts if part.ours and part.theirs]
        return {part.role for part in told} >= {"surname", "initial"} and all(
            part.agrees or (part.role == "initial" and part.agrees is None) for part in told
        )


#: Places of two words that are one, and how alike they are.
Paired = tuple[int, int, float]

_NOTHING_ALIKE: Final = Comparison(0.0, (), False, "")


def compare(ours: str, theirs: str) -> Comparison:
    """Compares two names as they are written, in any script, language, order, case."""
    one, other = parse(ours), parse(theirs)
    # the words are paired alike from both sides
    if [word.text for word in one.words] <= [word.text for word in other.words]:
        return compare_parsed(one, other)
    return compare_parsed(other, one).turned


def compare_parsed(ours: ParsedName, theirs: ParsedName) -> Comparison:
    pairs = _assigned(ours.words, theirs.words)
    if not pairs:
        return _NOTHING_ALIKE
    rest_ours = [word for index, word in enumerate(ours.words) if index not in {i for i, _j, _like in pairs}]
    rest_theirs = [word for index, word in enumerate(theirs.words) if index not in {j for _i, j, _like in pairs}]
    parts: list[Part] = []
    reached = possible = 0.0
    surnames = names = initials = 0
    pairs = _in_one_case(ours, theirs, pairs)
    surnamed = _has_surname(ours), _has_surname(theirs)
    for i, j, likeness in pairs:
        role = _role(ours.words[i], theirs.words[j], surnamed)
        parts.append(Part(role, ours.words[i].text, theirs.words[j].text, likeness))
        reached += _WEIGHT[role] * likeness
        possible += _WEIGHT[role]
        surnames += role == "surname"
        names += role == "given"
        initials += role == "initial"
    for role in ("surname", "given", "patronymic"):
        left, right = ([word for word in rest if _stands_for(word) == role] for rest in (rest_ours, rest_theirs))
        for one, other in zip(left, right, strict=False):
            parts.append(Part(role, one.text, other.text, 0.0))
            possible += _WEIGHT[role] * (2 if role == "patronymic" else 1)
            names += role == "given"
        extra = [Part(role, word.text, "", 0.0) for word in left[len(right) :]]
        extra += [Part(role, "", word.text, 0.0) for word in right[len(left) :]]
        parts += extra
        if role != "patronymic":
            possible += 0.06 * len(extra)
    here = [part for part in parts if part.ours and not part.theirs and part.role != "patronymic"]
    there = [part for part in parts if part.theirs and not part.ours and part.role != "patronymic"]
    for mine, yours in zip(here, there, strict=False):
        # a surname here and a given name there, each without its like
        parts = [part for part in parts if part not in (mine, yours)]
        parts.append(Part("surname", mine.ours, yours.theirs, 0.0))
        possible += _WEIGHT["surname"]
    score = reached / possible if possible else 0.0
    partial = not names and surnames < 2  # a given name that nobody has told us of is as good
    if partial:
        score *= _INITIALS if initials else _SURNAME_ALONE
    if not surnames and names < 2:  # both words of Раман Аляксей are given names
        score *= _NO_SURNAME
    order = ("surname", "given", "initial", "patronymic")
    parts.sort(key=lambda part: (order.index(part.role), -part.likeness, part.ours, part.theirs))
    return Comparison(round(score, 4), tuple(parts), partial, _ambiguous(ours, theirs, pairs))


def _has_surname(name: ParsedName) -> bool:
    return any(word.role == "surname" for word in name.words)


def _in_one_case(ours: ParsedName, theirs: ParsedName, pairs: list[Paired]) -> list[Paired]:
    """Surnames agree in case with their given names: Павел Кулеша is no genitive of Павел Кулеш."""
    told = [(ours.words[i], theirs.words[j]) for i, j, _likeness in pairs]
    if not any(_nominative(one, other) for one, other in told if one.role == other.role == "given"):
        return pairs
    return [
        (i, j, min(likeness, _BEST_SLIP) if _declined(ours.words[i], theirs.words[j]) else likeness)
        for i, j, likeness in pairs
    ]


def _nominative(one: Word, other: Word) -> bool:
    """Whether two given names are one, and neither stands in another case."""
    shared = one.groups.keys() & other.groups.keys()
    return any(min(one.groups[name], other.groups[name]) >= given.DIMINUTIVE for name in shared)


def _stands_for(word: Word) -> str:
    return "given" if word.role == "initial" else word.role


def _role(one: Word, other: Word, surnamed: tuple[bool, bool] = (False, False)) -> str:
    """Of two words that are one. What is a surname here and a given name there is that, if there is a surname too."""
    for word, partner, has_surname in ((one, other, surnamed[0]), (other, one, surnamed[1])):
        if (word.role, partner.role) == ("given", "surname") and has_surname:
            return "given"
    roles = {one.role, other.role}
    return next(role for role in ("initial", "surname", "patronymic", "given") if role in roles)


def _assigned(ours: tuple[Word, ...], theirs: tuple[Word, ...]) -> list[Paired]:
    """Which word of the one name is which of the other: the pairs with the greatest likeness in all."""
    table: dict[tuple[int, int], float] = {}
    for i, one in enumerate(ours):
        for j, other in enumerate(theirs):
            likeness = like(one, other)
            if likeness >= _GUESS:
                table[i, j] = likeness
    if len(table) < 2:
        return [(i, j, likeness) for (i, j), likeness in table.items()]
    best: dict[tuple[int, int], tuple[float, tuple[Paired, ...]]] = {}

    def from_here(i: int, taken: int) -> tuple[float, tuple[Paired, ...]]:
        if i == len(ours):
            return 0.0, ()
        if (i, taken) not in best:
            found = from_here(i + 1, taken)
            for j in range(len(theirs)):
                likeness = table.get((i, j))
                if likeness is not None and not taken >> j & 1:
                    total, pairs = from_here(i + 1, taken | 1 << j)
                    total += likeness * _WEIGHT[_role(ours[i], theirs[j])]
                    if total > found[0] + 1e-9:
                        found = total, ((i, j, likeness), *pairs)
            best[i, taken] = found
        return best[i, taken]

    return list(from_here(0, 0)[1])


def like(one: Word, other: Word) -> float:
    """How much two words are one, 0 to 1. Symmetric."""
    if "initial" in (one.role, other.role):
        return _initial(one, other)
    if "patronymic" in (one.role, other.role):
        return _patronymic(one, other)
    shared = one.groups.keys() & other.groups.keys()
    if one.role != other.role:  # a surname that merely sounds like somebody's given name
        shared = {name for name in shared if min(one.groups[name], other.groups[name]) >= given.INFLECTED}
    if shared:
        likeness = max(min(one.groups[name], other.groups[name]) for name in shared)
        return min(likeness, _ANOTHER_FIRST) if _another_first(one, other, shared) else likeness
    if one.role == other.role == "given" and _sure(one) and _sure(other):
        return 0.0  # two given names that nobody bears for one another, however alike they look
    likeness = words_alike(one.readings, other.readings, one.loose | other.loose)
    for known, unknown in ((one, other), (other, one)):
        if known.role == "given" and not unknown.groups and likeness < SAME:
            likeness = max(likeness, _like_a_form(known, unknown))
    return likeness


def _sure(word: Word) -> bool:
    return max(word.groups.values(), default=0.0) >= given.INFLECTED


def _initial(one: Word, other: Word) -> float:
    if one.role == other.role:
        return 0.95 if _begins(one.readings, other.readings[0]) else 0.0
    initial, word = (one, other) if one.role == "initial" else (other, one)
    if word.role == "surname" and not word.groups:
        return 0.0
    beginnings = {*word.readings}
    for name in word.groups:
        beginnings.update(heard[0] for heard in given.group(name).heard)
    return 0.9 if any(_begins(initial.readings, reading) for reading in beginnings) else 0.0


def _begins(initials: tuple[str, ...], reading: str) -> bool:
    start = sounds.coarse(reading.lstrip("j"))
    return any(start.startswith(sounds.coarse(initial.lstrip("j") or initial)[:1]) for initial in initials)


def _patronymic(one: Word, other: Word) -> float:
    if one.role == other.role:
        if one.groups and other.groups:
            return 1.0 if one.groups.keys() & other.groups.keys() else 0.0
        return words_alike(one.readings, other.readings, one.loose | other.loose)
    # a surname in -віч may have been taken for a patronymic; a patronymic is no given name
    plain = other if one.role == "patronymic" else one
    return words_alike(one.readings, other.readings, one.loose | other.loose) if plain.role == "surname" else 0.0


def _like_a_form(known: Word, unknown: Word) -> float:
    """A given name with a slip of the pen: held against every form of the other."""
    return max((_slip(name, unknown.readings) for name in known.groups), default=0.0)


@lru_cache(maxsize=500_000)
def _slip(group: str, readings: tuple[str, ...]) -> float:
    forms = given.group(group)
    near = process.extract(
        sounds.coarse(readings[0]), forms.coarse, scorer=Levenshtein.normalized_similarity, score_cutoff=0.6, limit=4
    )
    # no form is exactly this
    return min(
        _BEST_SLIP,
        max((words_alike(forms.heard[place], readings, _ANY_SPELLING) for _key, _like, place in near), default=0.0),
    )


@lru_cache(maxsize=500_000)
def words_alike(one: tuple[str, ...], other: tuple[str, ...], loose: int) -> float:
    """The likeness of two words by their sounds alone: of the readings and lemmas that are nearest to one another."""
    best = 0.0
    for ours in one:
        for theirs in other:
            best = max(best, _forms_alike(min(ours, theirs), max(ours, theirs), loose))
    return best


@lru_cache(maxsize=500_000)
def _forms_alike(ours: str, theirs: str, loose: int) -> float:
    if ours == theirs:
        return 1.0
    if not Levenshtein.normalized_similarity(sounds.coarse(ours), sounds.coarse(theirs), score_cutoff=0.5):
        return 0.0
    best = _likeness(distance(ours, theirs, loose), max(len(ours), len(theirs))) - 0.02
    for place, one in enumerate(sounds.lemmas(ours)):
        for other_place, other in enumerate(sounds.lemmas(theirs)):
            if not (one.fled and other.fled):  # Новак is no Новик
                best = max(best, _lemmas_alike(one, other, loose) - 0.01 * (place > 0 or other_place > 0))
    return round(max(best, 0.0), 4)


def _likeness(cost: float, length: int) -> float:
    """A slip of the pen stays one however long the word."""
    likeness = 1 - cost / max(length, 6)
    return likeness if cost <= _BY_RULE else min(likeness, _BEST_SLIP)


def _lemmas_alike(one: sounds.Lemma, other: sounds.Lemma, loose: int) -> float:
    if one.whole == other.whole:
        return 1.0 if one.family == other.family else 0.97
    length = max(len(one.stem), len(other.stem), 4) + (2 if one.suffix or other.suffix else 0)
    cost = distance(one.stem, other.stem, loose)
    if one.suffix != other.suffix:
        cost += _OF_SUFFIX * distance(one.suffix, other.suffix, loose)
    if one.family != other.family:
        cost += _OTHER_FAMILY
    return _likeness(cost, length)


def distance(one: str, other: str, loose: int) -> float:
    """Damerau's distance (adjacent letters swapped are one mistake), with what languages exchange costing little."""
    costs = _costs(loose)
    rows = [[0.0] * (len(other) + 1) for _row in range(len(one) + 1)]
    for i, sound in enumerate(one, 1):
        rows[i][0] = rows[i - 1][0] + _LEFT_OUT.get(sound, 1.0)
    for j, sound in enumerate(other, 1):
        rows[0][j] = rows[0][j - 1] + _LEFT_OUT.get(sound, 1.0)
    for i, a in enumerate(one, 1):
        row, above = rows[i], rows[i - 1]
        for j, b in enumerate(other, 1):
            if a == b:
                row[j] = above[j - 1]
                continue
            cost = min(
                above[j - 1] + (_OF_L if _vocalised(one, i, other, j) else costs.get((a, b), 1.0)),
                above[j] + _left_out(one, i - 1),
                row[j - 1] + _left_out(other, j - 1),
            )
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, rows[i - 2][j - 2] + _SWAPPED)
            row[j] = cost
    return rows[-1][-1]


def _vocalised(one: str, i: int, other: str, j: int) -> bool:
    """Волк, Воўк: л after a vowel and before a consonant."""
    return (
        {one[i - 1], other[j - 1]} == {"l", "v"}
        and 1 < i < len(one)
        and 1 < j < len(other)
        and one[i - 2] in sounds.VOWELS
        and one[i] not in sounds.VOWELS
        and other[j] not in sounds.VOWELS
    )


def _left_out(word: str, place: int) -> float:
    """What a sound costs that only one of two words has."""
    sound, before = word[place], word[place - 1] if place else ""
    if sound in "zZ" and before == "d":
        return 0.1  # дзеканне: дз for д
    return _LEFT_OUT.get(sound, 1.0)


def _another_first(one: Word, other: Word, shared: Set[str]) -> bool:
    """Whether one of the words is first of all another name: Александра as the genitive of Александр, Inga."""
    for word in (one, other):
        best = max(word.groups.values())
        if best == given.FORMAL and all(word.groups[name] < best for name in shared):
            return True
    return False


def _ambiguous(ours: ParsedName, theirs: ParsedName, pairs: list[Paired]) -> str:
    told = [(ours.words[i], theirs.words[j]) for i, j, _likeness in pairs]
    for one, other in told:
        shared = one.groups.keys() & other.groups.keys()
        if one.role == other.role == "given" and shared and _another_first(one, other, shared):
            sexes = {given.group(name).sex for name in shared}
            first = {given.group(name).sex for word in (one, other) for name in word.groups if word.groups[name] == 1}
            if first <= sexes:
                return "name"
            return "" if "m" in sexes and any(_declined(*pair) for pair in told) else "sex"
    return ""


_VOWEL_LETTERS: Final = frozenset("аеёиоуыэюяіїєaeiouyáéíóúąęėēāūīō")
_OBLIQUE: Final = frozenset("ыиіїуюyiuęą")
_BALTIC: Final = re.compile("[āēīūčšžģķļņė]")


def _declined(one: Word, other: Word) -> bool:
    """Whether a surname stands in the nominative on one side only. Of women those in a consonant do not change."""
    if "surname" not in (one.role, other.role):
        return False
    if {sounds.lemmas(word.readings[0])[0].family for word in (one, other)} & {"ov", "sk", "in"}:
        return False
    vowels = [_ends_in_a_vowel(word.text) for word in (one, other)]
    if all(vowels):
        # Федуты, Фядута
        return (one.text[-1] in _OBLIQUE) != (other.text[-1] in _OBLIQUE) and not (one.loose or other.loose)
    if not any(vowels):
        return False
    # In Baltic languages -s is the nominative, and every woman's surname ends in a vowel.
    return not any(word.text.endswith("s") or _BALTIC.search(word.text) for word in (one, other) if word.loose)


def _ends_in_a_vowel(text: str) -> bool:
    """By its letters: й, and y or i after a vowel, are none."""
    if text[-1] in "yi" and text[-2:-1] in _VOWEL_LETTERS:
        return False
    return text[-1] in _VOWEL_LETTERS
