"""Names as text: cleaned before they are saved, told apart by script, and found however they are typed."""

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
