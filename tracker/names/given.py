"""Given names that the same person goes by: Мікалай, Мікола, Николай, Mikołaj. The data is ``given_names.csv``."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final
from zlib import crc32

from tracker.names import sounds
from tracker.names.text import written_words

DATA: Final = Path(__file__).with_name("given_names.csv")

#: How sure a word means a name of a group, by the kind of the form that it is; and of the way there.
FORMAL, VARIANT, DIMINUTIVE, HEARD, INFLECTED, ALIKE = 1.0, 0.99, 0.98, 0.975, 0.97, 0.94

# Patronymics in all cases: -аўна, -івна, -ична, -ovna; -овіч, -йович, -owicz, -ыч.
_PATRONYMIC_F: Final = re.compile("(.+?)(?:[aeoi]vn|i?niCn|iCn)(?:a|i|e|u|oi|ai|ei|oiu|aiu)")
_PATRONYMIC_M: Final = re.compile("(.+?)(?:[aeoi]v)?iC(?:a|u|om|em|am|e|i)?")

_SURE: Final = {"formal": FORMAL, "variant": VARIANT, "diminutive": DIMINUTIVE}
_VOWELS_MERGED: Final = str.maketrans("oe", "aa")

Groups = Mapping[str, float]
NONE: Final[Groups] = MappingProxyType({})


@dataclass(frozen=True)
class Group:
    """Forms of one given name; ``code`` stands for all of them in the database's keys."""

    name: str
    sex: str  # f, m
    code: str
    #: how each form sounds, and coarsely
    heard: tuple[tuple[str, ...], ...]
    coarse: tuple[str, ...]

    @classmethod
    def of(cls, name: str, sex: str, forms: Iterable[str]) -> Group:
        heard = tuple(dict.fromkeys(filter(None, map(sounds.readings, forms))))
        return cls(name, sex, _code(name), heard, tuple(sounds.coarse(readings[0]) for readings in heard))


def _code(name: str) -> str:
    """Three signs, the first a digit, so that none is a sound; the same whatever other groups there are.

    Two groups may share one: then a name is found that the comparison drops again.
    """
    number = crc32(name.encode())
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return digits[number % 10] + digits[number // 10 % 36] + digits[number // 360 % 36]


Table = Mapping[str, Groups]


@dataclass(frozen=True)
class _Index:
    groups: Mapping[str, Group]
    #: as a form is written; then by its sounds, from exact to coarse
    forms: tuple[Table, ...]
    #: stems of the forms that are no diminutives, by their sounds, exact and with vowels merged
    stems: tuple[Table, ...]
    #: the genitive of names of men, which may look like a name of women: Александра
    of_men: tuple[Table, ...]


def _levels(heard: str) -> tuple[str, str, str]:
    return heard, heard.translate(_VOWELS_MERGED), sounds.coarse(heard)


def _stems(heard: str, language: str = "") -> set[str]:
    """What is left of a word without the ending of a case; only Baltic nominatives have an ending in -s."""
    if language in ("", "lt", "lv"):
        stems = {lemma.whole for lemma in sounds.lemmas(heard)}
    else:
        bare = heard.rstrip(sounds.VOWELS)
        stems = {bare, *sounds.fleeting(bare)}
    return {stem for stem in stems if len(stem) >= 2}


def _note(tables: Sequence[dict[str, dict[str, float]]], keys: Iterable[str], name: str, sure: float) -> None:
    for table, key in zip(tables, keys, strict=False):
        table[key][name] = max(sure, table[key].get(name, 0))


@cache
def _index() -> _Index:
    forms: list[dict[str, dict[str, float]]] = [defaultdict(dict) for _level in range(4)]
    stems: list[dict[str, dict[str, float]]] = [defaultdict(dict) for _level in range(2)]
    of_men: list[dict[str, dict[str, float]]] = [defaultdict(dict) for _level in range(2)]
    spelt: dict[str, dict[str, None]] = defaultdict(dict)
    sexes: dict[str, str] = {}
    with DATA.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name, sure = row["name"], _SURE[row["kind"]]
            sexes[name] = row["sex"]
            for word in written_words(row["form"].replace("-", " ")):
                spelt[name][word] = None
                for heard in sounds.readings(word):
                    _note(forms, (word, *_levels(heard)), name, sure)
                    if sure == DIMINUTIVE:
                        if heard.endswith("a"):  # Женя, Женю
                            _note(stems[:1], [heard[:-1]], name, INFLECTED - 0.005)
                        continue
                    for stem in _stems(heard, row["language"]):
                        _note(stems, _levels(stem), name, INFLECTED)
                        if row["sex"] == "m" and row["language"] not in ("lt", "lv"):
                            _note(of_men, _levels(stem + "a"), name, INFLECTED)
    groups = {name: Group.of(name, sexes[name], forms_of) for name, forms_of in spelt.items()}
    return _Index(groups, tuple(forms), tuple(stems), tuple(of_men))


def group(name: str) -> Group:
    return _index().groups[name]


@lru_cache(maxsize=100_000)
def meant(word: str) -> Groups:
    """The groups that a written word can be a form of, in any case, with how sure (0 to 1); often none.

    A form that is one by its letters comes before one that merely sounds like it, and both before other cases.
    """
    index = _index()
    heard = sounds.readings(word)
    written = dict(index.forms[0].get(word, NONE))
    if written:
        return _with_cases(index.of_men, [{reading} for reading in heard], INFLECTED - 0.01) | written
    inflected = _with_cases(index.stems, [_stems(reading) for reading in heard], INFLECTED)
    for level, sure in ((0, HEARD), (1, HEARD), (2, ALIKE)):
        found = _looked_up(index.forms[level + 1], (_levels(reading)[level] for reading in heard))
        if found:
            return inflected | {name: min(known, sure) for name, known in found.items()}
    return inflected


def _with_cases(tables: Sequence[Table], keys: Iterable[set[str]], sure: float) -> dict[str, float]:
    every = [key for stems in keys for key in stems]
    for level, table in enumerate(tables):
        found = _looked_up(table, (_levels(key)[level] for key in every))
        if found:
            return {name: min(known, sure) for name, known in found.items()}
    return {}


def _looked_up(table: Table, keys: Iterable[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for key in keys:
        for name, sure in table.get(key, NONE).items():
            found[name] = max(sure, found.get(name, 0))
    return found


def sexes(meaning: Groups) -> frozenset[str]:
    """Of the groups that a word means in some case or other."""
    return frozenset(group(name).sex for name, sure in meaning.items() if sure > ALIKE)


def patronymic(word: str) -> tuple[Groups, str] | None:
    """The groups of the father's name, and the sex of whoever bears the patronymic; None when the word is none.

    Surnames in -віч look like patronymics: what else is in the name decides (``parsing``).
    """
    for heard in sounds.readings(word):
        found = _father(heard)
        if found is not None:
            return found
    return None


@lru_cache(maxsize=100_000)
def _father(heard: str) -> tuple[Groups, str] | None:
    female = _PATRONYMIC_F.fullmatch(heard)
    matched = female or _PATRONYMIC_M.fullmatch(heard)
    if not matched:
        return None
    base = matched[1]
    index = _index()
    for level in range(3):
        for stem in (base, base.rstrip("aeiou"), base + "i", base + "a", base + "h", base.removesuffix("l")):
            if len(stem) >= 2:
                key = _levels(stem)[level]
                found = (index.stems[level].get(key) if level < 2 else None) or index.forms[level + 1].get(key)
                male = {name: FORMAL for name in found or () if index.groups[name].sex == "m"}
                if male:
                    return MappingProxyType(male), "f" if female else "m"
    return (NONE, "f") if female and len(base) > 2 else None
