"""Belarusian, Russian and Ukrainian names in Latin letters, by the tables that papers, maps and newspapers go by.

What comes out is an offer to an editor, never a fact: a passport may bear what its owner asked for. The tables:

`by_passport`: Belarusian passports. Resolution No. 200 of the Ministry of the Interior of 28 June 2010 (Г is H, no
signs above letters) over the Belarusian column of ICAO Doc 9303, part 3, section 6, with the y that printed passports
have where ICAO has i: first in a word, after a vowel other than ы, after ў, the soft sign and the apostrophe (Yauheni,
Tsikhanouskaya, Salauyou, Darya; but Maryia). They print a doubled ц once (Tatsiana), and no й at the end of -ій and
-ый (Yauheni, Dzmitry). The table with resolution No. 288 of 9 October 2008 (w for ў, j for й) is not what they show.

`bgn_pcgn`: the BGN/PCGN systems for Belarusian (1979) and Russian (1947), as confirmed in June 2019, and the agreement
of 2019 for Ukrainian, which is the table of 2010. The raised dots, which the systems leave open, are not used.

`by_2007`: the Belarusian instruction on the transliteration of geographical names (State Committee on Land Resources,
resolution No. 15 of 23 November 2000) as amended by resolution No. 38 of the State Committee on Property of
11 June 2007; recommended for place names by the United Nations, resolution X/6 (2012).

`lacinka`: the Latin alphabet as Belarusian publications use it since the 1990s, letter for letter. What only the ear
tells is not guessed: which г is g, and which consonant the next one softens.

`from_russian`: the Russian form by the Russian column of ICAO Doc 9303, part 3, section 6: what stands in papers that
were filled in from Russian.

`ua_2010`: resolution No. 55 of the Cabinet of Ministers of Ukraine of 27 January 2010.

`media`: as newspapers in English spell. Russian: BGN/PCGN simplified, with -y for -ий and -ый, i for й after a vowel
and yo for ё (The Economist's style guide, "Russian words and names"), and the agencies' customary given names.
Belarusian: the letters of the passport, Ukrainian: those of 2010, both with the endings of newspapers (Maria, Yulia;
Serhiy, -sky).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from anyascii import anyascii

from tracker.names.text import clean, script_of
from tracker.vocabularies import Language, NameKind, NameScheme, Script

# What is typed for the apostrophe of Belarusian and Ukrainian.
_APOSTROPHES: Final = "'`´ʹʼʽˈˊˋ‘’‛′‵＇ꞌ"
_LETTER: Final = r"[^\W\d_]"
_INNER_APOSTROPHE: Final = re.compile(f"(?<={_LETTER})[{_APOSTROPHES}](?={_LETTER})")
_WORD: Final = re.compile(f"{_LETTER}+(?:’{_LETTER}+)*")


@dataclass(frozen=True)
class Proposal:
    """A spelling that an editor may keep as one more name of the person."""

    text: str
    language: Language
    script: Script
    scheme: NameScheme
    kind: NameKind


def romanise(text: str, language: Language, scheme: NameScheme) -> str:
    """The text in Latin letters. What is no Cyrillic letter stays as it is; a word in capitals stays in capitals.

    Raises ValueError where the scheme has no table for the language.
    """
    cleaned = clean(text)
    if scheme is NameScheme.ORIGINAL:
        return cleaned
    try:
        table = _TABLES[language, scheme]
    except KeyError:
        raise ValueError(f"{scheme} has no table for {language}") from None
    bare = _INNER_APOSTROPHE.sub("’", _without_stress(cleaned))
    words = _WORD.findall(bare)
    # an initial is no word in capitals, unless all that stands beside it is
    shouted = any(len(word) > 1 for word in words) and all(word.isupper() for word in words)
    return clean(_WORD.sub(lambda found: _word(found[0], table, shouted=shouted), bare))


def proposals(text: str, language: Language) -> list[Proposal]:
    """The spellings that papers, authorities and newspapers are likely to have, each once, the likeliest first."""
    if script_of(text) is not Script.CYRL:
        return []
    found: dict[str, Proposal] = {}
    for scheme in _PROPOSED.get(language, ()):
        latin = romanise(text, language, scheme)
        media = scheme is NameScheme.MEDIA
        proposal = Proposal(
            latin,
            Language.EN if media else language,
            Script.LATN,
            scheme,
            NameKind.MEDIA if media else NameKind.ROMANISED,
        )
        found.setdefault(latin.casefold(), proposal)
    return list(found.values())


def possible_languages(text: str) -> tuple[Language, ...]:
    """Of Belarusian, Russian and Ukrainian those that have all the letters of a Cyrillic text; none for another."""
    if script_of(text) is not Script.CYRL:
        return ()
    cleaned = _without_stress(clean(text)).lower()
    letters = {letter for letter in cleaned if _is_cyrillic(letter)}
    found = [language for language, alphabet in _ALPHABETS.items() if letters <= alphabet]
    apostrophe = any(_is_cyrillic(cleaned[at.start() - 1]) for at in _INNER_APOSTROPHE.finditer(cleaned))
    if len(found) > 1 and apostrophe:
        found = [language for language in found if language is not Language.RU]
    if len(found) > 1 and _NOT_BELARUSIAN.search(cleaned):
        found = [language for language in found if language is not Language.BE]
    return tuple(found)


def guess_language(text: str) -> Language | None:
    """The one language that the letters leave; None where they do not tell."""
    found = possible_languages(text)
    return found[0] if len(found) == 1 else None


def _is_cyrillic(character: str) -> bool:
    return character > "\u02ff" and unicodedata.name(character, "").startswith("CYRILLIC")


def _without_stress(text: str) -> str:
    """Without the accents and other marks above Cyrillic letters that are not letters of their own, as й and ё are."""
    kept: list[str] = []
    base = ""
    for character in text:
        if unicodedata.category(character) in {"Mn", "Me"}:
            if not base or not _is_cyrillic(base):
                kept.append(character)
        else:
            kept.append(character)
            base = character
    return "".join(kept)


def _word(word: str, table: _Table, *, shouted: bool) -> str:
    # letter by letter: some capitals of other scripts become two characters, and the places would differ
    small = "".join(letter.lower() if _is_cyrillic(letter) else letter for letter in word)
    capitals = word.isupper() and (len(word) > 1 or shouted)
    if small in table.words:
        latin = table.words[small]
        return latin.upper() if capitals else latin.capitalize() if word[0].isupper() else latin
    pieces = []
    for place, letter in enumerate(word):
        piece = table.piece(small, place) if _is_cyrillic(letter) or letter == "’" else letter
        if letter.isupper() and _is_cyrillic(letter):
            piece = piece.upper() if capitals else piece[:1].upper() + piece[1:]
        pieces.append(piece)
    return "".join(pieces)


class _Table:
    """What stands for each small letter, and what for some of them where the letters before and behind fit a pattern.

    The first rule that fits is taken. `words` go before both.
    """

    def __init__(
        self,
        letters: Mapping[str, str],
        *rules: tuple[str, Mapping[str, str], str],
        words: Mapping[str, str] | None = None,
    ) -> None:
        self.letters = {**_OF_NEIGHBOURS, **letters}
        self.rules = [(re.compile(f"{before}[{''.join(some)}]{behind}"), some) for before, some, behind in rules]
        self.words = words or {}

    def piece(self, word: str, place: int) -> str:
        letter = word[place]
        for pattern, some in self.rules:
            if letter in some and pattern.match(word, place):
                return some[letter]
        for known in (letter, unicodedata.normalize("NFD", letter)[0]):
            if known in self.letters:
                return self.letters[known]
        return anyascii(letter).lower() if _is_cyrillic(letter) else letter


def _pairs(text: str) -> dict[str, str]:
    """Of "а a б b" the letters and what stands for them."""
    parts = text.split()
    return dict(zip(parts[::2], parts[1::2], strict=True))


# Latin letters count as well: an i that was typed for an і is a vowel to the letter behind it.
_VOWEL: Final = "[аеёєиіїоуыэюяaeiouyAEIOUY]"
_AFTER_VOWEL: Final = f"(?<={_VOWEL})"
_START: Final = r"\A"
_END: Final = r"\Z"

# Letters of the neighbours' alphabets, which occur in every list of names.
_OF_NEIGHBOURS: Final = _pairs("и i і i ї i щ shch ґ g ў u є ie ы y э e ё io") | {"ъ": "", "ь": ""}
_ENGLISH: Final = _pairs(
    "а a б b в v д d е e ж zh з z й y к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh"
)
_DROPPED: Final = {"’": ""}

_OF_BELARUSIAN: Final = {**_ENGLISH, **_pairs("г h ё io й i ю iu я ia")}
_Y_IN_PASSPORTS: Final = (
    ("(?<=ц)", {"ц": ""}, ""),
    ("(?<=ы)", _pairs("е ie ё io ю iu я ia"), ""),
    (f"(?:{_START}|{_AFTER_VOWEL}|(?<=[ўьъ’]))", _pairs("е ye ё yo ю yu я ya"), ""),
    (_START, {"й": "y"}, ""),
    ("(?<=[іыи])", {"й": ""}, _END),
    ("", {"й": "y"}, f"(?={_VOWEL})"),
    ("(?<=[бвгджзйклмнпрстўфхцчшщ])", _DROPPED, "(?=[еёюяіїє])"),
)
_BY_PASSPORT: Final = _Table(_OF_BELARUSIAN, *_Y_IN_PASSPORTS)
_BY_MEDIA: Final = _Table(
    _OF_BELARUSIAN,
    ("(?<=[іы])", {"я": "a"}, _END),
    ("", {"ы": "i"}, rf"(?=я{_END})"),
    *_Y_IN_PASSPORTS,
)
_BY_BGN: Final = _Table(
    {
        **_ENGLISH,
        **_pairs("г h е ye ё yo ў w ю yu я ya є ye ь ’ ъ ” ’ ”"),
    }
)

_CZECH: Final = _pairs(
    "а a б b в v г h д d ж ž з z й j к k л l м m н n о o п p р r с s т t у u ў ŭ ф f х ch ц c ч č ш š щ šč"
)
_J_STANDS: Final = (f"(?:{_START}|{_AFTER_VOWEL}|(?<=[ўйьъ’]))", _pairs("е je ё jo ю ju я ja є je"), "")
_ACUTE: Final = ("(?<=[лнсзц])", {"ь": "\u0301"}, "")
_BY_2007: Final = _Table({**_CZECH, **_DROPPED, **_pairs("е ie ё io ю iu я ia")}, _J_STANDS, _ACUTE)
_SOFT: Final = "[еёюяіиьєї]"
_LACINKA: Final = _Table(
    {**_CZECH, **_DROPPED, **_pairs("л ł е ie ё io ю iu я ia")},
    _J_STANDS,
    ("(?<=л)", {"е": "e", "ё": "o", "ю": "u", "я": "a", "ь": ""}, ""),
    ("", {"л": "l"}, f"(?=л?{_SOFT})"),
    _ACUTE,
)

_RU_ICAO: Final = _Table({**_ENGLISH, **_pairs("г g ё e й i ю iu я ia ъ ie")})
_RU_BGN: Final = _Table(
    {**_ENGLISH, **_pairs("г g ё ë ю yu я ya ь ’ ъ ”")},
    (f"(?:{_START}|{_AFTER_VOWEL}|(?<=[йъь’]))", _pairs("е ye ё yë"), ""),
)
# Reuters, AP and AFP print these so, where the letters would give Aleksandr, Aleksey, Maksim, Yury; and those with a ё
# that is typed as е. The Economist keeps Aleksandr.
_CUSTOMARY: Final = _pairs(
    "александр Alexander александра Alexandra александрович Alexandrovich александровна Alexandrovna"
    " алексей Alexei алексеевич Alexeyevich алексеевна Alexeyevna максим Maxim максимович Maximovich"
    " максимовна Maximovna юрий Yuri алена Alyona артем Artyom петр Pyotr семен Semyon федор Fyodor"
)
_RU_MEDIA: Final = _Table(
    {**_ENGLISH, **_pairs("г g ё yo й i ю yu я ya"), "ь": "", "ъ": ""},
    ("(?<=и)", {"я": "a"}, _END),
    ("", {"и": ""}, f"(?=й{_END})"),
    ("(?<=[иы])", {"й": "y"}, _END),
    ("", {"ы": ""}, f"(?=й{_END})"),
    (f"(?:{_START}|{_AFTER_VOWEL}|(?<=[ъь’]))", {"е": "ye"}, ""),
    ("(?<=[жчшщ])", {"ё": "e"}, ""),
    ("(?<=ь)", {"и": "yi", "о": "yo"}, ""),
    (_START, {"й": "y"}, ""),
    ("", {"й": "y"}, f"(?={_VOWEL})"),
    words=_CUSTOMARY,
)

_OF_UKRAINIAN: Final = {**_ENGLISH, **_DROPPED, **_pairs("г h и y й i є ie ї i ю iu я ia")}
_ZGH: Final = ("(?<=з)", {"г": "gh"}, "")
_UA_2010: Final = _Table(_OF_UKRAINIAN, (_START, _pairs("є ye ї yi й y ю yu я ya"), ""), _ZGH)
_UA_MEDIA: Final = _Table(
    _OF_UKRAINIAN,
    (_START, _pairs("є ye ї yi й y ю yu я ya"), ""),
    _ZGH,
    ("(?<=і)", {"я": "a"}, _END),
    ("(?<=и)", {"й": ""}, _END),
    ("(?<=і)", {"й": "y"}, _END),
    (f"(?:{_AFTER_VOWEL}|(?<=[ь’]))", _pairs("є ye ю yu я ya"), ""),
)

_TABLES: Final = {
    (Language.BE, NameScheme.BY_PASSPORT): _BY_PASSPORT,
    (Language.BE, NameScheme.BGN_PCGN): _BY_BGN,
    (Language.BE, NameScheme.BY_2007): _BY_2007,
    (Language.BE, NameScheme.LACINKA): _LACINKA,
    (Language.BE, NameScheme.MEDIA): _BY_MEDIA,
    (Language.RU, NameScheme.FROM_RUSSIAN): _RU_ICAO,
    (Language.RU, NameScheme.BGN_PCGN): _RU_BGN,
    (Language.RU, NameScheme.MEDIA): _RU_MEDIA,
    (Language.UK, NameScheme.UA_2010): _UA_2010,
    (Language.UK, NameScheme.BGN_PCGN): _UA_2010,
    (Language.UK, NameScheme.MEDIA): _UA_MEDIA,
}  # fmt: skip
_PROPOSED: Final = {
    Language.BE: (NameScheme.BY_PASSPORT, NameScheme.BGN_PCGN, NameScheme.MEDIA),
    Language.RU: (NameScheme.FROM_RUSSIAN, NameScheme.BGN_PCGN, NameScheme.MEDIA),
    Language.UK: (NameScheme.UA_2010, NameScheme.BGN_PCGN, NameScheme.MEDIA),
}

_ALPHABETS: Final = {
    Language.BE: frozenset("абвгдеёжзійклмнопрстуўфхцчшыьэюя"),
    Language.RU: frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),
    Language.UK: frozenset("абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"),
}
# These are always hard in Belarusian, and its spelling shows it: Сяргей for Сергей, Андрэй for Андрей.
_NOT_BELARUSIAN: Final = re.compile("[рдтжшч][еёюяіь]")
