"""How a written word sounds, whatever language and romanisation it was written in.

A *sound* is one character: the vowels ``a e i o u``, the consonants ``b c d f h k l m n p r s t v x z`` and ``C`` (ч),
``S`` (ш), ``Z`` (ж). Left out is what languages write differently without meaning a different name: softness, the
glide before a vowel, doubled letters. Two levels are made of it:

* ``readings``: the sounds, more than one where letters are ambiguous (``ch`` is ч in English and х in Polish);
* ``coarse``: the sounds with those merged that languages and romanisations exchange: akanje (а/о/е), tsekanje (т/ц),
  г/х, the sibilants. It is what the database looks names up by: the same for all renderings that follow a rule.

The tables follow the romanisations of ``vocabularies.NameScheme``, Polish and Lithuanian orthography, and the
transcription of Duden for German.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from anyascii import anyascii

VOWELS: Final = "aeiou"

_CYRILLIC: Final = {
    "а": "a", "б": "b", "в": "v", "г": "h", "ґ": "h", "д": "d", "е": "e", "є": "e", "ё": "o", "ж": "Z", "з": "z",
    "и": "i", "і": "i", "ї": "i", "й": "j", "ј": "j", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p",
    "р": "r", "с": "s", "т": "t", "у": "u", "ў": "v", "ф": "f", "х": "x", "ц": "c", "ч": "C", "џ": "dZ", "ш": "S",
    "щ": "SC", "ъ": "", "ы": "i", "ь": "", "э": "e", "ю": "ju", "я": "ja", "ә": "a", "ө": "o", "ү": "u", "ұ": "u",
    "қ": "k", "ғ": "h", "ң": "n", "һ": "h", "җ": "dZ", "ӣ": "i", "ӯ": "u", "ҷ": "C", "ҳ": "x",
}  # fmt: skip

# Latin letters in groups, the longest first. Where a value is a tuple, the first reading is the likelier.
_LATIN: Final[dict[str, tuple[str, ...]]] = {
    "schtsch": ("SC",), "shtsh": ("SC",), "stsch": ("SC",), "shch": ("SC",), "szcz": ("SC",), "šč": ("SC",),
    "tsch": ("C",), "dsch": ("dZ",), "dzh": ("dZ",), "dž": ("dZ",), "dż": ("dZ",), "zgh": ("zh",), "tch": ("C",),
    "sch": ("S", "SC"), "sz": ("S",), "sh": ("S",), "š": ("S",), "ș": ("S",), "ş": ("S",), "ś": ("s",),
    "cz": ("C",), "č": ("C",), "ć": ("c",), "ch": ("C", "x"), "ck": ("k",), "tz": ("c",), "ts": ("c",),
    "kh": ("x",), "gh": ("h",), "zh": ("Z",), "ž": ("Z",), "ż": ("Z",), "rzh": ("rZ",), "rz": ("rz", "Z", "r"),
    "krz": ("krz", "kS"), "prz": ("prz", "pS"), "trz": ("trz", "tS"), "ź": ("z",), "zz": ("c",),
    "ph": ("f",), "th": ("t",), "x": ("ks",), "q": ("k",), "w": ("v",), "ŭ": ("v",), "ł": ("l",), "c": ("c", "k"),
    "g": ("h",), "j": ("j",), "y": ("y",), "ó": ("o", "u"),
}  # fmt: skip
_GROUP: Final = re.compile("|".join(sorted(_LATIN, key=len, reverse=True)) + "|.")

# “ch” is ч where the rest of the word is spelt as in English, х where it is spelt as in Polish, German or łacinka.
_CH_IS_KH: Final = re.compile("^(?!.*(?:kh|[cs]h$|ts|zh|[^cs]sh)).*(?:cz|sz|rz|tsch|sch|c[^hkz]|[čšžćśźńłżjw])")
_POLISH: Final = re.compile("[włńśżźóąę]|cz|sz|dz")
_READINGS: Final = 4


#: What a spelling may leave open. Latin letters: г and х are both h somewhere; bare ones: the signs of ш, ж, ч may have
#: been left out; German ones: s is з and с, z is ц, sch is ж and ш. Cyrillic leaves none of it open.
LATIN, BARE, GERMAN = 1, 2, 4
_SIGNED: Final = re.compile("[šžčśźżćşș]|sh|zh|kh")
_GERMAN_SIGNS: Final = re.compile("tsch|sch|[bdfghklmnprstvz]j[aeou][a-z]|^(?!.*(?:ł|sz|cz|rz|dz)).*w")


def loose(word: str) -> int:
    """A sum of ``LATIN``, ``BARE`` and ``GERMAN``; 0 for a word in Cyrillic."""
    if any("\u0400" <= letter <= "\u052f" for letter in word):
        return 0
    if word.isascii() and _GERMAN_SIGNS.search(word):
        return LATIN | GERMAN
    return LATIN if _SIGNED.search(word) else LATIN | BARE


def readings(word: str) -> tuple[str, ...]:
    """The sounds of a word in small letters, the likeliest reading first; empty for a word without letters."""
    return _readings(word)


@lru_cache(maxsize=200_000)
def _readings(word: str) -> tuple[str, ...]:
    if any("\u0400" <= letter <= "\u052f" for letter in word):
        raw = ["".join(_CYRILLIC.get(letter, "") or anyascii(letter) * (letter not in "ьъ") for letter in word)]
    else:
        raw = _latin(word)
    found = dict.fromkeys(_settled(sounds) for sounds in raw)
    # Хведар is Фёдар in Belarusian
    found |= dict.fromkeys(sounds.replace("xv", "f") for sounds in list(found))
    return tuple(sounds for sounds in found if sounds)


def _latin(word: str) -> list[str]:
    if not word.isascii():
        # the nasal vowels of Polish, before a consonant: Dąbrowski is Дамброўскі
        word = re.sub("([ąę])(?=[bp])", lambda m: {"ą": "om", "ę": "em"}[m[1]], word)
        word = re.sub("([ąę])(?=[cdgjkłst]|[zż][^y])", lambda m: {"ą": "on", "ę": "en"}[m[1]], word)
    word = re.sub("(?<=[aeiyoėēīō])j(?:u?s|aus|ui|umi|owi|em)$", "j", word)  # Baltic and Polish endings of a name in -j
    word = re.sub("(?<=[aeo])u(?=[aeo])", "v", word)  # Uładzisłaua, of Uładzisłau
    word = re.sub("ić$", "ič", word)  # as names of the south of Europe end
    # цк has one c in Polish, and a z in German
    word = re.sub(
        "(?<=[aeiouyąęěėūó])[zc]k(?=(?:i[jyse]?|y[ij]?|a[s]?|a[jiy]a|iego|iemu|im|iej|oj|ou|uju|u|ą|ienė|aitė)$)",
        "tsk",
        word,
    )
    kinds = dict(_LATIN)
    if _CH_IS_KH.search(word):
        kinds["ch"] = ("x", "C")
    if _POLISH.search(word):
        kinds |= {"rz": ("Z", "r", "rz"), "krz": ("kS",), "prz": ("pS",), "trz": ("tS",)}
    found = [""]
    for group in _GROUP.findall(word):
        sounds = kinds.get(group) or (_plain(group),)
        if group == "ck":
            sounds = ("k", "ck")
        found = [before + sound for sound in sounds for before in found][:_READINGS]
    if word.startswith("j") and not _CH_IS_KH.search(word[1:]):
        found.append("dZ" + found[0][1:])  # Jafarov, as English writes Джафаров
    if word.startswith("z") and "w" in word:
        found.append("c" + found[0][1:])  # Zepkalo, as German writes Цепкало
    return found


def _plain(letter: str) -> str:
    """Without the diacritics that change nothing: ģ is g, ə is a."""
    plain = "a" if letter == "ə" else re.sub("[^a-z]", "", anyascii(letter).lower())[:2]
    return _LATIN[plain][0] if plain in _LATIN else plain


def _settled(sounds: str) -> str:
    """Without what is written differently and means the same; a word may begin with ``j``."""
    # ў, and у where it is spoken like it; before the glide goes, for ою is no ов
    sounds = re.sub("(?<=[aeo])u(?![aeiouyj]|[sm]$)", "v", sounds)  # not in Белоус, Наум
    sounds = re.sub("[yj]", "i", sounds)
    start = "j" if re.match("i[au]", sounds) else ""
    # a vowel after the glide is the vowel: ия, ja, ia, ya
    sounds = re.sub("i+(?=[aeou])", "", sounds)
    sounds = re.sub(r"(.)\1+", r"\1", sounds)
    sounds = re.sub("f$", "v", sounds)  # Romanoff
    sounds = sounds.replace("sC", "SC")  # Счастный, Шчасны
    sounds = re.sub("([sz])[td](?=[nl])", r"\1", sounds)  # and its т, which Belarusian does not write
    return start + sounds


_COARSE: Final = str.maketrans({"o": "a", "e": "a", "z": "s", "Z": "s", "S": "s", "c": "t", "x": "h", "C": "c"})


@lru_cache(maxsize=200_000)
def coarse(sounds: str) -> str:
    """Sounds with those merged that renderings of one name exchange: in small letters, for the database."""
    merged = sounds.translate(_COARSE).replace("ds", "d").replace("hv", "f")
    return re.sub(r"(.)\1+", r"\1", merged)


@dataclass(frozen=True)
class Lemma:
    """What a form is a form of, without sex and case: Калеснікава is the stem ``kalesnik`` and the suffix ``ov``.

    Half the surnames of the region end in one of a few suffixes, which tell little: they are weighed apart.
    """

    stem: str
    suffix: str = ""
    family: str = ""
    #: without a vowel that the word has
    fled: bool = False

    @property
    def whole(self) -> str:
        return self.stem + self.suffix


# The endings of surnames in any case, and those that Lithuanian and Latvian add.
_NOUN: Final = "a|u|om|em|am|im|e|i|oi|ovi|evi|avi|s|ene|aite|ite|ute|o|iui|ui"
_POSSESSIVE: Final = f"{_NOUN}|ai|ei|ea|eu|oiu|aiu|ih|as|os|oho|eho|emu|omu"
_ADJECTIVE: Final = (
    "i|oi|a|ai|ei|oho|aho|aha|oha|eho|omu|amu|emu|im|om|am|em|u|oiu|aiu|ih|imi|e|[ia]s(?:a|u|om|am|em)?|us|s|"
    "ene|aite|iu"
)
_FAMILIES: Final = tuple(
    (family, re.compile(pattern))
    for family, pattern in (
        ("sk", f"(.+?)((?:[aeo]v|[aei]n)?(?:[scSZC]|(?<!d)z)k)(?:{_ADJECTIVE})"),
        ("ov", f"(..+)([aeo]v)(?:{_POSSESSIVE})?"),
        ("iC", f"(.+?)((?:[aeo]v)?[ie]C)(?:{_NOUN}|us(?:a|u|om|am|em)?|aus|umi)?"),
        ("in", f"(..+)(in)(?:{_POSSESSIVE})?"),
        ("enk", "(..+)([eai]nk)(?:o|a|u|i|e|oi|ai|om|am|ovi|os|ene|s)"),
        ("uk", f"(..+?)(C?[aiu]k)(?:{_NOUN}|as)?"),
        ("ec", f"(..+)([aei]c)(?:{_NOUN}|as)?"),
    )
)
# Кравец, Краўца: the vowel of the suffix is gone in the other cases.
_FLED: Final = re.compile("(..+[^aeiou])c(?:a|u|om|am|em|e|i|as|us|ui|ovi|avi)")
_FLEETING: Final = re.compile("(..+|.*[^aeiou])[aeo]([knlrv])")
_PLAIN_ADJECTIVE: Final = re.compile(
    "(.+n)(?:[ao]h[ao]|[ao]mu|im|i?h|a?i|a|aiu|u|oi)|(.{3,}[^aeiou])(?:[ao]h[ao]|[ao]mu)"
)
_ENDINGS: Final = re.compile(
    "(.{2,}?)(?:oho|aho|aha|eho|omu|amu|emu|oiu|aiu|ovi|evi|avi|om|am|em|im|um|oi|ai|ei|ui|ih|os|as|is|us|es|ene|aite|"
    "ite|ute|[aeiou]+)"
)


@lru_cache(maxsize=200_000)
def lemmas(sounds: str) -> tuple[Lemma, ...]:
    """What a form can be a form of, the likeliest first."""
    found: list[Lemma] = []
    for family, pattern in _FAMILIES:
        form = pattern.fullmatch(sounds)
        if form:
            found.append(Lemma(form[1], form[2], family))
            if family in ("sk", "ov", "iC"):
                return tuple(found)
            break
    shortened = _FLED.fullmatch(sounds)
    if shortened:
        found.append(Lemma(shortened[1], "ec", "ec"))
    adjective = _PLAIN_ADJECTIVE.fullmatch(sounds)
    vowelless = adjective[1] or adjective[2] if adjective else sounds.rstrip(VOWELS)
    stems = [vowelless if len(vowelless) >= 2 else sounds, *_shorter(sounds), sounds]
    if re.fullmatch(".{2,}c[ie]", sounds):
        stems.append(sounds[:-2] + "k")  # Гарошка, Гарошцы
    fled = dict.fromkeys(shorter for stem in stems[:2] for shorter in fleeting(stem))
    return (*found, *(Lemma(stem) for stem in dict.fromkeys(stems)), *(Lemma(stem, fled=True) for stem in fled))


def fleeting(stem: str) -> list[str]:
    """Without the vowel that cases drop: Павел, Паўла."""
    form = _FLEETING.fullmatch(stem)
    return [form[1] + form[2]] if form else []


def _shorter(sounds: str) -> list[str]:
    found = []
    ending = _ENDINGS.fullmatch(sounds)
    if ending:
        found.append(ending[1])
    if re.fullmatch(".{3,}[^aeiou]s", sounds):
        found.append(sounds[:-1])  # Latvian: Kovaļs
    return found


def stem_key(sounds: str) -> str:
    """The coarse sounds of the likeliest lemma: what the database finds a surname by, in any case and sex."""
    return coarse(lemmas(sounds)[0].whole) or coarse(sounds)
