"""A name as it is written: cleaned before it is saved, told apart by script, cut into words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Final

from anyascii import anyascii

from tracker.vocabularies import Script

# The first word of a letter's name in Unicode is its script: CYRILLIC SMALL LETTER A.
_SCRIPTS: Final = {
    "ARABIC": Script.ARAB,
    "ARMENIAN": Script.ARMN,
    "CYRILLIC": Script.CYRL,
    "GEORGIAN": Script.GEOR,
    "GREEK": Script.GREK,
    "HEBREW": Script.HEBR,
    "LATIN": Script.LATN,
}

# Zero-width (non-)joiners are format characters too, but Persian spells with them.
_JOINERS: Final = {"\u200c", "\u200d"}

# Letters that look the same and are typed, or read by a machine, one for the other.
_LATIN_LOOKS: Final = "aceiopxykmthbABCEHIKMOPTXY"
_CYRILLIC_LOOKS: Final = "асеіорхукмтнвАВСЕНІКМОРТХУ"
_TO_CYRILLIC: Final = str.maketrans(_LATIN_LOOKS, _CYRILLIC_LOOKS)
_TO_LATIN: Final = str.maketrans(_CYRILLIC_LOOKS + "ѕјԛԝѵ", _LATIN_LOOKS + "sjqwv")

_APOSTROPHES: Final = re.compile("['`´ʹʺʻʼʽˈˊˋ‘’‚‛′‵ʾʿ＇\"“”]")
_HYPHENS: Final = re.compile("[\u00ad\u058a\u2010-\u2015\u2212\ufe63\uff0d]")
_NO_LETTER: Final = re.compile(r"[^\w.-]|[_\d]")


def clean(text: str) -> str:
    """The name in composed form (NFC), white space collapsed, without what nobody sees.

    Dropped are control characters, marks of direction, byte order marks and soft hyphens, which come along when a
    name is copied from a page, and lone surrogates, which PostgreSQL refuses.
    """
    seen = "".join(
        character
        for character in text
        if character.isspace() or character in _JOINERS or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}
    )
    return " ".join(unicodedata.normalize("NFC", seen).split())


def script_of(text: str) -> Script:
    """The script of most letters; `Zyyy` where there are none, or most are of a script that has no code here."""
    # Modifier letters, such as the apostrophe U+02BC, belong to every script.
    letters = "".join(character for character in text if unicodedata.category(character) in {"Lu", "Ll", "Lt", "Lo"})
    scripts = Counter(
        _SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0], Script.ZYYY)
        for letter in unicodedata.normalize("NFKC", letters)  # full-width letters are Latin
    )
    return scripts.most_common(1)[0][0] if scripts else Script.ZYYY


def search_key(text: str) -> str:
    """The words in Latin letters, sorted, each once: the same for every order, case, apostrophe and composition.

    It is empty for a text without letters and digits.
    """
    # Apostrophes of every kind, soft and hard signs all become ' or ` here. Not before: NFKC, which would seem the
    # thing to do, makes the acute accent that some type for an apostrophe a space, and two words of one.
    latin = anyascii(clean(text)).lower().replace("'", "").replace("`", "")
    words = re.sub(r"[^a-z0-9]+", " ", latin)
    return " ".join(sorted({re.sub(r"([a-z])\1+", r"\1", word) for word in words.split()}))


def one_script(word: str) -> str:
    """The word with the letters that only look right (a Latin “a” in a Cyrillic word) put right.

    A word has the script of the letters that have no double in the other one; without any, of most of its letters.
    """
    cyrillic = [letter for letter in word if "\u0400" <= letter <= "\u052f"]
    latin = [letter for letter in word if (letter.isascii() and letter.isalpha()) or "\u00c0" <= letter <= "\u024f"]
    if not cyrillic or not latin:
        return word
    sure = sum(letter not in _CYRILLIC_LOOKS for letter in cyrillic) - sum(
        letter not in _LATIN_LOOKS for letter in latin
    )
    return word.translate(_TO_CYRILLIC if (sure or len(cyrillic) - len(latin)) >= 0 else _TO_LATIN)


def written_words(text: str) -> list[str]:
    """The words, in small letters, without apostrophes, stress marks and digits.

    A full stop stays with its word, and a hyphen with the two that it joins.
    """
    text = _APOSTROPHES.sub("", clean(text)).lower()
    # A stress mark stands on a Cyrillic vowel alone; what is a letter of its own (й, ў, č) is composed by now.
    text = "".join(letter for letter in text if unicodedata.category(letter) != "Mn")
    # initials written together: А.В.Прыклад
    spaced = _NO_LETTER.sub(" ", _HYPHENS.sub("-", text)).replace(".", ". ")
    words = (word.strip("-") for word in spaced.split())
    return [one_script(word) for word in words if word.strip(".-")]
