"""What stands beside a name on one line: a number before it; behind a comma, a dash or in brackets an age, a year.

What is not surely one of these stays as it is printed, in ``rest``: it becomes a note, never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from tracker import dates, names
from tracker.lists import words
from tracker.names import given
from tracker.names.text import one_script, written_words

#: Whose year of birth stands without a word beside it was not born later; what is later can be the year of an arrest.
LAST_BARE_YEAR: Final = 2007
#: What is under the first is no age without a word that says so, and what is over the second no sentence.
YOUNGEST: Final = 18
LONGEST_SENTENCE: Final = 30

_NUMBER: Final = re.compile(
    r"(?:(?:№|no\.?|nr\.?|#)\s*(?P<marked>\d{1,4})\s*[.):\]]?|\(?(?P<plain>\d{1,4})(?:\s*[.):\],](?!\d)|\s+[-–—]|(?=\s)))\s*",
    re.IGNORECASE,
)
_BULLET: Final = re.compile(r"(?:[-–—•*·●▪◦‣○■□→>+]\s*){1,3}(?=[\w№#(«\"])")

# Where a name ends. A comma within a number is none of these ends: 10,5 years.
_CUT: Final = re.compile(r"\s[-–—]+\s|\t+| {2,}|;|(?<!\d),|,(?!\d)|(?<=\d{4}),")
# The first word of a name, and the next, that a page had in two columns.
_SPREAD: Final = re.compile(r"^([^\W\d_]\S*[^\W\d_])(?:\t+| {2,})(?=([^\W\d_]))")
_BRACKETS: Final = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")

_UNIT: Final = (
    r"(?:лет|год[ау]?|гадоў|гады|гадоу|рок[иіу]|років|рік|years?(?:[\s-]old)?|yrs?|y\.?\s?o\.?|lat|lata|l\.|metų|metai|m\."
    r"|jahre|j\.)"
)
_AGE: Final = re.compile(
    rf"(?P<said>aged?|возраст|вік|узрост|wiek|amžius|alter)?:?\s*(?P<age>\d{{1,3}})\s*(?P<unit>{_UNIT})?"
)
_SURELY_AGE: Final = re.compile(r"old|y\.?\s?o\.?")
_TERM: Final = re.compile(
    r"колони|калоні|колоні|kolonij|colony|тюр[ьеу]?м|турм|вязниц|позбав|лишен|пазбаў|зняволен|увязнен|асудж|осужд|засудж"
    r"|пригов|прысуд|прыгав|вирок|срок|тэрмін|термін|режим|рэжым|хими|хімі|домашн|хатн|ограничен|абмежав|обмежен|штраф"
    r"|prison|imprison|sentenc|jail|convict|więzien|skazan|pozbaw|wyrok|kalėj|nuteist|laisvės|haft|gefängnis|verurteilt"
    r"|пожизн|пажыцц|довічн|life\b|dożywo"
)
_DECIMAL: Final = re.compile(
    rf"(?<!\d)\d{{1,3}}(?:[.,]\d{{1,3}}\s*{_UNIT}|\s*{_UNIT}\s*(?:и|і|й|та|and|i)?\s*\d+\s*(?:мес|міс|month|mies|mėn))"
)

_BIRTH: Final = (
    r"(?:г\.?\s?р\.?|года? рожд\w*|г\.?\s?рожд\w*|г\.?\s?н\.?|года? нар\w*|г\.?\s?нар\w*"
    r"|р\.?\s?н\.?|року нар\w*|р\.?\s?нар\w*"
    r"|дата рожд\w*|год рожд\w*|дата нар\w*|рік нар\w*|род\.?|рожд\.?|родил\w*|нар\.?|народ\w*|нарадз\w*"
    r"|born|b\.|d\.?o\.?b\.?|(?:year|date) of birth|ur\.?|urodz\w*"
    r"|gim\.?|gimė|gimęs|gimusi|geb\.?|geboren|\*)"
)
_DAY: Final = r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}\.\d{1,2}\.\d{4}|\d{2}\.\d{4}|\d{4})"
_BORN: Final = re.compile(
    rf"(?P<before>{_BIRTH})?:?\s*(?:in|on|у|ў|в|w)?\s*(?P<day>{_DAY})\s*(?:(?P<after>{_BIRTH})|г\.?|года?|р\.?|r\.?|m\.)?"
)

_FIGURE: Final = re.compile(r"\d")
_CITIZEN: Final = re.compile(
    r"\b(?:граждан\w*|грамадзян\w*|громадян\w*|citizens?|national|obywatel\w*|piliet\w*|(?:staats)?bürger\w*)\b(?:\s+of\b)?",
    re.IGNORECASE,
)
# Words of a name that are written with a small letter.
_PARTICLES: Final = {
    "оглы", "оглу", "огли", "кызы", "кизи", "ogly", "oglu", "kyzy", "von", "van", "de", "da", "di", "du", "фон", "ван",
    "дэ", "де",
}  # fmt: skip


@dataclass
class Details:
    """``terms`` are numbers of years that can be an age or a sentence: the whole list tells (``settle``)."""

    name: str = ""
    printed_number: int | None = None
    born: dates.ImpreciseDate | None = None
    age: int | None = None
    sex: str = ""
    citizenships: tuple[str, ...] = ()
    sentence: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    terms: list[tuple[int, str]] = field(default_factory=list)
    unnamed: bool = False
    #: what else on the line looks like the name of somebody
    others: int = 0


def read(line: str) -> Details:
    """Of one line; white space still tells where its parts end. The name is empty where there is none."""
    found = Details()
    line = _bare(line, found)
    if words.nobody(line):
        found.unnamed, found.sex = True, words.sex_within(line)
        if len(line) > 1 and not words.nobody(line[:1]):
            found.rest.append(names.clean(line))
        return found
    inside = [names.clean(match[1] or match[2] or "") for match in _BRACKETS.finditer(line)]
    line = _SPREAD.sub(_together, _BRACKETS.sub("\t", line))
    parts = [part for part in map(_trimmed, _CUT.split(line)) if part]
    if not parts:
        parts, inside = inside[:1], inside[1:]
    name, behind = _name_and_rest(parts[0]) if parts else ("", "")
    parts = [*filter(None, [behind]), *parts[1:]]
    if parts and not behind and _is_given(parts[0], name):
        name = f"{name} {parts.pop(0)}"
    if words.nobody(name) or (words.sex(name) and any(map(words.nobody, [*parts, *inside]))):
        found.unnamed, found.sex = True, words.sex_within(name)
        found.rest.append(name)
        name = ""
    found.name = mended(name)
    for part in [*parts, *inside]:
        _note(part, found)
    return found


def mended(name: str) -> str:
    """The name as it is printed, but for letters of another script that only look right."""
    return " ".join(one_script(word) for word in names.clean(name).split())


def year_or_day(text: str) -> dates.ImpreciseDate | None:
    """A date of birth with whatever says that it is one; None for any other text. Raises ``DateError``."""
    match = _BORN.fullmatch(words.plain(text))
    return dates.parse(match["day"]) if match else None


def years_old(text: str) -> int | None:
    """An age with or without its unit; None for any other text."""
    match = _AGE.fullmatch(words.plain(text))
    return int(match["age"]) if match and match["age"].isascii() and int(match["age"]) <= dates.OLDEST_AGE else None


def citizenships(text: str) -> tuple[str, ...] | None:
    """Of countries, with or without whatever says that it is a citizen of them; None for any other text."""
    return words.countries(_CITIZEN.sub(" ", text))


def is_sentence(text: str) -> bool:
    return bool(_TERM.search(words.plain(text)) or _DECIMAL.search(words.plain(text)))


def settle(every: list[Details]) -> None:
    """Tells ages from sentences where only the number stands there, by the other lines of the same list.

    Beside an age over 30 the other number is a sentence. Where each line has one number, and some are under 18, they
    are sentences when none is over 30; else what is not over 30 is left open.
    """
    alone = [details.terms[0][0] for details in every if len(details.terms) == 1]
    young = any(years < YOUNGEST for years in alone)
    old = any(years > LONGEST_SENTENCE for years in alone)
    for details in every:
        terms, details.terms = details.terms, []
        surely = [years for years, _text in terms if years > LONGEST_SENTENCE]
        for years, text in terms:
            if details.age is None and (surely == [years] or (len(terms) == 1 and years >= YOUNGEST and not young)):
                details.age = years
            elif (len(terms) > 1 and len(surely) == 1) or (len(terms) == 1 and len(alone) > 1 and young and not old):
                details.sentence.append(text)
            else:
                details.rest.append(text)


def _together(match: re.Match[str]) -> str:
    return f"{match[1]} " if match[2].isupper() else match[0]


def _bare(line: str, found: Details) -> str:
    """Without the bullet and the number that the list puts before each name."""
    line = line.strip()
    line = line[match.end() :] if (match := _BULLET.match(line)) else line
    if match := _NUMBER.match(line):
        rest = line[match.end() :]
        # “45 лет” and “1980” begin no line of a list, but a broken one
        if rest[:1] and not re.match(rf"{_UNIT}(?:\W|$)", words.plain(rest)):
            found.printed_number = int(match["marked"] or match["plain"])
            line = rest
    return line[match.end() :] if (match := _BULLET.match(line)) else line


def _trimmed(part: str) -> str:
    part = names.clean(part).strip(" ,;:–—")
    # the full stop of an initial or of an abbreviation stays
    return part[:-1] if part.endswith(".") and len(part) > 3 and part[-4:-1].isalpha() else part


def _name_and_rest(part: str) -> tuple[str, str]:
    """A name goes on to the first figure, or to what is said of citizenship; small words before that are no name."""
    ends = [match.start() for match in (_FIGURE.search(part), _CITIZEN.search(part)) if match]
    if not ends:
        return part, ""
    kept = part[: part.rfind(" ", 0, min(ends)) + 1].split()
    while kept and not words.nobody(" ".join(kept)) and kept[-1][0].islower() and kept[-1] not in _PARTICLES:
        kept.pop()
    if not kept:
        return "", part
    name = " ".join(kept)
    return _trimmed(name), _trimmed(part.removeprefix(name))


def _is_given(part: str, surname: str) -> bool:
    """Whether what follows a surname and a comma is a given name, initials or a patronymic."""
    found = part.split()
    if len(surname.split()) != 1 or not 1 <= len(found) <= 3 or re.search(r"\d", part) or not part[0].isupper():
        return False
    return any(max(given.meant(word).values(), default=0) >= given.INFLECTED for word in written_words(part)) or all(
        re.fullmatch(r"(?:[^\W\d_]{1,2}\.)+", word) for word in found
    )


def _note(part: str, found: Details) -> None:
    """Sorts one part of a line."""
    text = words.plain(part)
    if not text:
        return
    sex = words.sex(part)
    if sex and not found.sex:
        found.sex = sex
    elif not _born(text, found) and not _citizen(part, found):
        if match := _AGE.fullmatch(text):
            _age(match, part, found)
        elif is_sentence(part) and re.search(r"\d|жизн|жыцц|вічн|life|dożywo", text):
            found.sentence.append(part)
        else:
            found.rest.append(part)
            found.others += len(part.split()) in (2, 3) and len(names.given_codes(part)) == 1 and part.istitle()


def _age(match: re.Match[str], part: str, found: Details) -> None:
    years = int(match["age"])
    if match["said"] or _SURELY_AGE.search(match["unit"] or ""):
        if years <= dates.OLDEST_AGE and found.age is None:
            found.age = years
            return
        found.rest.append(part)
    elif years <= 99 and (match["unit"] or years >= YOUNGEST):
        found.terms.append((years, part))
    else:
        found.rest.append(part)


def _born(text: str, found: Details) -> bool:
    match = _BORN.fullmatch(text)
    if not match or found.born:
        return False
    try:
        born = dates.parse(match["day"])
    except dates.DateError:
        return False
    if not (match["before"] or match["after"]) and born.latest.year > LAST_BARE_YEAR:
        return False
    found.born = born
    return True


def _citizen(part: str, found: Details) -> bool:
    if not _CITIZEN.search(part) or found.citizenships:
        return False
    codes = citizenships(part)
    found.citizenships = codes or ()
    return codes is not None
