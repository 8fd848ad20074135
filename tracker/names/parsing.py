"""The words of a name and what each can be: given name, patronymic, initial, surname."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from tracker.names import given, sounds
from tracker.names.given import Groups
from tracker.names.text import script_of, written_words
from tracker.vocabularies import Script

#: Nobody has more names than this; what follows is a sentence, or somebody's joke.
MOST_WORDS: Final = 8
#: No name of a person is longer; the rest of a longer text is not looked at.
LONGEST: Final = 200
#: So many readings of a name are looked up.
_KEYS: Final = 4
#: A shorter stem without a sound is like too many others.
_SHORTEST: Final = 4

# What stands in names and names nobody: son of, junior, “citizen”, “born”.
_PASSED_OVER: Final = frozenset(
    {"оглы", "оглу", "углы", "угли", "кызы", "кизи", "огли", "ogly", "oglu", "ogli", "kyzy", "qizi", "oğlu"}
    | {"born", "née", "мл.", "ст.", "гр.", "нар.", "jr.", "sr.", "ur.", "geb."}
)
_INITIAL: Final = re.compile(r"([^\W\d_]{1,3})\.|([^\W\d_])")

# What the sex of a surname in -оў, -ін, -скі can be, read off its sounds.
_MALE: Final = re.compile("..+(?:[aeo]v|in|[szcSZC]ki)")
_FEMALE: Final = re.compile("...+(?:[aeo]va|ina|[szcSZC]ka|[aeo]vai|[aeo]voi|inoi|inai|[szcSZC]ko?[ao]i|[szcSZC]ku)")
# A surname in a case that only one of the sexes has.
_SURELY_MALE: Final = re.compile(
    "..+(?:[ao]h[ao]|[ao]mu|[szcSZC]kim|[szcSZC]kie[hm][ou]|[szcSZC]ke[hm][ou]|iC(?:a|u|em|om|am))"
)
_SURELY_FEMALE: Final = re.compile("...+(?:[aeo]v|in|[szcSZC]k)(?:oi|ai|oiu|aiu|uiu|ou)")


@dataclass(frozen=True)
class Word:
    """``readings`` are sounds, the likeliest first. ``role``: given, patronymic, initial, surname."""

    text: str
    readings: tuple[str, ...]
    role: str
    #: what the spelling leaves open, a sum of ``LATIN``, ``BARE``, ``GERMAN``
    loose: int
    groups: Groups = field(default_factory=dict)


@dataclass(frozen=True)
class ParsedName:
    words: tuple[Word, ...]
    #: f, m, both, or nothing when the name tells nothing: of whom this can be the name
    sexes: frozenset[str]

    def of_role(self, *roles: str) -> list[Word]:
        return [word for word in self.words if word.role in roles]


@lru_cache(maxsize=50_000)
def parse(text: str) -> ParsedName:
    """What the words of a name are, whatever their order. Never fails; a text without letters has no words."""
    every = written_words(text[:LONGEST])
    found = [word for word in every if word not in _PASSED_OVER]
    if len(found) < 2:
        found = every  # Born and Ur are surnames too
    # of a double surname, lists give one half as often as both
    halves = [(half, "-" in word) for word in found for half in word.split("-") if half][:MOST_WORDS]
    written, joined = [half for half, _joined in halves], [joined for _half, joined in halves]
    initials = [_INITIAL.fullmatch(word) is not None for word in written]
    if all(initials):
        initials = [len(word.rstrip(".")) == 1 for word in written]  # Лі. is a surname where nothing else is one
    bare = [word.rstrip(".") for word in written]
    meant = [given.NONE if initial else given.meant(word) for word, initial in zip(bare, initials, strict=True)]
    fathers = _fathers(bare, initials, meant, joined)
    firsts = _given_names(meant, fathers, initials)
    if any(not joined[place] for place in firsts):
        firsts = {place for place in firsts if not joined[place]}  # half of a double surname is no given name

    meant = _of_one_sex(bare, meant, firsts)
    # who writes one word as in German writes all of them so
    german = sounds.GERMAN if any(sounds.loose(word) & sounds.GERMAN for word in bare) else 0
    words, sexes = [], frozenset("fm")
    for place, word in enumerate(bare):
        heard, loose = sounds.readings(word), sounds.loose(word)
        if not heard:
            continue
        if loose:
            loose |= german
        if place == fathers.place:
            words.append(Word(word, heard, "patronymic", loose, fathers.groups))
        elif initials[place]:
            words.append(Word(word, heard, "initial", loose))
        else:
            words.append(Word(word, heard, "given" if place in firsts else "surname", loose, meant[place]))
    surest = max((max(meant[place].values()) for place in firsts), default=0.0)
    for place in firsts:
        if max(meant[place].values()) == surest:
            sexes &= given.sexes(meant[place])
    sexes = sexes or frozenset("fm")
    if fathers.sex:
        sexes = frozenset(fathers.sex)
    elif not firsts:
        sexes = _sexes_of_surnames(words) or sexes
    return ParsedName(tuple(words), sexes)


@dataclass(frozen=True)
class _Fathers:
    place: int = -1
    groups: Groups = field(default_factory=dict)
    sex: str = ""


def _fathers(bare: list[str], initials: list[bool], meant: list[Groups], joined: list[bool]) -> _Fathers:
    """The patronymic: a surname in -віч is none, so with another word to be the surname, best after the given name."""
    found = []
    for place, word in enumerate(bare):
        reading = None if initials[place] or joined[place] else given.patronymic(word)
        if reading is None or (meant[place] and max(meant[place].values()) >= given.VARIANT):
            continue
        groups, sex = reading
        others = [index for index in range(len(bare)) if index != place and not initials[index]]
        if sex == "m" and len(others) < 2:
            continue  # Іван Лукашэвіч: there is no other surname
        after_given = place > 0 and bool(meant[place - 1])
        found.append(((after_given, bool(groups), place), _Fathers(place, groups, sex)))
    return max(found, key=lambda pair: pair[0], default=((), _Fathers()))[1]


def _given_names(meant: list[Groups], fathers: _Fathers, initials: list[bool]) -> set[int]:
    """Places of given names. Where every word could be one (Раман Аляксей), the least sure is the surname."""
    known = {place: max(groups.values()) for place, groups in enumerate(meant) if groups and place != fathers.place}
    others = [
        place for place, initial in enumerate(initials) if place not in known and place != fathers.place and not initial
    ]
    if len(initials) == 1:
        return set()  # sentences give a surname alone
    if known and not others and any(initials) and len(known) == 1:
        return set()
    if not others and len(known) > 1:
        least, most = min(known.values()), max(known.values())
        candidates = [place for place, sure in known.items() if sure == least]
        # Іван Бабурай; but of Вася Бабурай and Сергея Михалка either word could be the surname
        if len(candidates) == 1 and least < given.VARIANT and (most >= given.VARIANT or least == given.ALIKE):
            del known[candidates[0]]
    return set(known)


def _of_one_sex(bare: list[str], meant: list[Groups], firsts: set[int]) -> list[Groups]:
    """Without the given names that the surname excludes: Александра Бяляцкого is no woman."""
    heard = [reading for place, word in enumerate(bare) if place not in firsts for reading in sounds.readings(word)]
    sexes = {sex for sex, pattern in (("m", _SURELY_MALE), ("f", _SURELY_FEMALE)) if any(map(pattern.fullmatch, heard))}
    if len(sexes) != 1:
        return meant
    return [
        {name: sure for name, sure in groups.items() if given.group(name).sex in sexes} or groups for groups in meant
    ]


def _sexes_of_surnames(words: list[Word]) -> frozenset[str]:
    for word in words:
        if word.role != "surname":
            continue
        if any(_MALE.fullmatch(heard) for heard in word.readings):
            # a woman is Kalesnikau only where the language has no other form
            return frozenset("m") if script_of(word.text) == Script.CYRL else frozenset("fm")
        if any(_FEMALE.fullmatch(heard) for heard in word.readings):
            # Калеснікава is of a man in the genitive too
            return frozenset("f") if script_of(word.text) != Script.CYRL else frozenset("fm")
    return frozenset()


@dataclass(frozen=True)
class Sought:
    """What to look a name up by: like one of ``keys`` as a whole, or with one of ``near`` among its ``near_keys``.

    ``codes`` are of given names where there is nothing else: whoever bears all of them.
    """

    keys: tuple[str, ...]
    near: tuple[str, ...]
    codes: tuple[str, ...]


def sound_key(text: str) -> str:
    """What names are ranked by: the coarse stem of each surname and the code of each given name, sorted.

    It is the same in every script, order, case and sex. Patronymics and initials are in none, for most lists leave
    them out, unless there is nothing else. Empty for a text without letters.
    """
    return _key(next(_codes(word)) for word in _keyed(parse(text)))


def near_keys(text: str) -> list[str]:
    """What a name is found by, sorted: of each surname the stem, and what is left of it without each of its sounds;
    of each given name the code.

    Two stems that differ by one sound (one more, one less, another, two swapped) have one of these in common.
    """
    words = _keyed(parse(text))
    codes = {code for word in words for code in _codes(word) if code[0].isdigit()}
    surnames = [word for word in words if word.role != "given"] or words
    return sorted(codes.union(*(_without_one(stem) for word in surnames for stem in _stems(word, one_reading=False))))


def sought(text: str) -> Sought:
    """The keys that a name can have been kept under, the likeliest first: words have several readings.

    Any word is looked for among the surnames: what is a given name in one language is a surname in another. Only what
    is surely a given name, with a surname beside it, is not: thousands have a surname a slip away from Іван.
    """
    words = _keyed(parse(text))
    surnamed = any(word.role != "given" for word in words)
    options = [list(itertools.islice(_codes(word), 6)) for word in words]
    keys = dict.fromkeys(_key(choice) for choice in itertools.islice(itertools.product(*options), _KEYS))
    near = dict.fromkeys(
        key
        for word in words
        if not (surnamed and word.role == "given" and max(word.groups.values()) >= given.VARIANT)
        for stem in _stems(word, one_reading=word.role == "given")
        for key in _without_one(stem)
    )
    codes = tuple(_likeliest(word) for word in words if _is_given(word, alone=len(words) == 1))
    if len(codes) < len(words):
        codes = ()
    return Sought(tuple(key for key in keys if key), tuple(near), codes)


def _likeliest(word: Word) -> str:
    return next(code for code in _codes(word) if code[0].isdigit())


def _is_given(word: Word, *, alone: bool) -> bool:
    return word.role == "given" or (alone and max(word.groups.values(), default=0.0) >= given.VARIANT)


def _stems(word: Word, *, one_reading: bool) -> list[str]:
    """The coarse stems of a word; two where the last letter can be the ending of a Lithuanian nominative."""
    stems: dict[str, None] = {}
    for heard in word.readings[:1] if one_reading else word.readings:
        stems[sounds.stem_key(heard)] = None
        if heard.endswith(("as", "is", "us")) and len(heard) > _SHORTEST + 1:
            stems[sounds.stem_key(heard[:-2])] = None
    return list(stems)


def given_codes(text: str) -> list[str]:
    """The likeliest codes of the given names in a text."""
    return [_likeliest(word) for word in parse(text).of_role("given")]


def _without_one(stem: str) -> list[str]:
    if len(stem) < _SHORTEST:
        return [stem]
    return [stem, *dict.fromkeys(stem[:place] + stem[place + 1 :] for place in range(len(stem)))]


def _keyed(name: ParsedName) -> list[Word]:
    """The words that keys are made of: all but initials and the patronymic, where it is sure which word that is.

    Of Лукашэвіч and Пятровіч only their order tells, and no key knows an order.
    """
    fathers = [word for word in name.of_role("patronymic", "surname") if given.patronymic(word.text)]
    kept = [word for word in name.words if word.role in ("given", "surname") or (len(fathers) > 1 and word in fathers)]
    return kept or list(name.words)


def _key(codes: Iterable[str]) -> str:
    return " ".join(sorted({*codes}))


def _codes(word: Word) -> Iterator[str]:
    """The likeliest first."""
    if word.role != "given":
        yield from dict.fromkeys(sounds.stem_key(heard) for heard in word.readings)
    if word.role == "patronymic":
        return  # its groups are the father's
    for name, _sure in sorted(word.groups.items(), key=lambda pair: (-pair[1], pair[0])):
        yield given.group(name).code
