"""Makes the rule-made part of the labelled set: `python -m tests.data.rules` rewrites it and leaves hand-made rows alone.

The rules come from the published tables of romanisation and from the grammars, never from the code that is measured
with their results. Nothing here may import `tracker`.
"""

from __future__ import annotations

import csv
import random
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).parent
PERSON_COLUMNS = ["person", "registered", "language", "sex", "born", "citizenship", "arrested", "released"]
SPELLING_COLUMNS = ["person", "text", "language", "how", "made"]
NEGATIVE_COLUMNS = ["person", "text", "sex", "born", "age", "citizenship", "on", "why", "made"]
Row = dict[str, str]


def read(name: str) -> list[Row]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(name: str, columns: list[str], rows: Iterable[Row]) -> None:
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


# Romanisation: a scheme is a table of letters and groups of letters, the longest first. A value of four parts is for
# the letter at the start of a word, after a vowel, after a consonant, after a soft sign or an apostrophe.

VOWELS = "аеёиоуыэюяіїєй"
SIGNS = "ьъ'"
Scheme = dict[str, str | tuple[str, str, str, str]]


def table(text: str) -> Scheme:
    """`а a е je,je,e,je` as a scheme; a hyphen stands for nothing."""
    words = text.split()
    scheme: Scheme = {}
    for letter, value in zip(words[::2], words[1::2], strict=True):
        if "," in value:
            start, vowel, consonant, sign = value.split(",")
            scheme[letter] = (start, vowel, consonant, sign)
        else:
            scheme[letter] = "" if value == "-" else value
    return scheme


def romanise(text: str, scheme: Scheme, endings: Iterable[tuple[str, str]] = ()) -> str:
    return re.sub(r"[\w']+", lambda word: _word(word[0], scheme, endings), text)


def _word(word: str, scheme: Scheme, endings: Iterable[tuple[str, str]]) -> str:
    lower, tail = word.lower(), ""
    for ending, latin in endings:
        if lower.endswith(ending) and len(lower) > len(ending):
            lower, tail = lower[: -len(ending)], latin
            break
    out, at = "", 0
    while at < len(lower):
        size = next(size for size in (4, 3, 2, 1, 0) if size == 0 or lower[at : at + size] in scheme)
        if not size:
            raise ValueError(f"{word}: no letter for {lower[at]!r}")
        value = scheme[lower[at : at + size]]
        if isinstance(value, tuple):
            before = lower[at - 1] if at else ""
            value = value[0 if not before else 1 if before in VOWELS else 3 if before in SIGNS else 2]
        out += value
        at += size
    out += tail
    return out[:1].upper() + out[1:]


BE = "а a б b в v г h ґ g д d з z і i к k л l м m н n о o п p р r с s т t у u ф f ы y э e ' - "
PASSPORT_LETTERS = BE + "ж zh й i ў u х kh ц ts ч ch ш sh ь - ые yie ыя yia ё yo,yo,io,yo ю yu,yu,iu,yu я ya,ya,ia,ya "
#: As passports are printed; the register of the population (2008) writes every soft е after a consonant with an i.
BE_PASSPORT = table(PASSPORT_LETTERS + "е ye,ye,e,ye")
BE_REGISTER = table(PASSPORT_LETTERS + "е ye,ye,ie,ye")
BE_BGN = table(BE + "ж zh й y ў w х kh ц ts ч ch ш sh ь ’ е ye ё yo ю yu я ya")
BE_SOFT = "ць ć сь ś зь ź нь ń дзь dź "
BE_LACINKA = table(
    BE + BE_SOFT + "ж ž й j ў ŭ х ch ц c ч č ш š ь - л ł лі li ле le лё lo лю lu ля la ль l лля lla "
    "е je,je,ie,je ё jo,jo,io,jo ю ju,ju,iu,ju я ja,ja,ia,ja"
)
BE_2007 = table(
    BE + BE_SOFT + "ж ž й j ў ŭ х ch ц c ч č ш š ь - ль ĺ е je,je,ie,je ё jo,jo,io,jo ю ju,ju,iu,ju я ja,ja,ia,ja"
)
BE_PL = table(
    BE + BE_SOFT + "в w ж ż дж dż й j ў u х ch ц c ч cz ш sz ь - л ł лі li ле le лё lo лю lu ля la ль l лля lla "
    "е je,je,ie,je ё jo,jo,io,jo ю ju,ju,iu,ju я ja,ja,ia,ja"
)
BE_DE = table(
    BE + "в w ж sch дж dsch з s й j ў u х ch ц z ч tsch ш sch шч schtsch ь - кс x е je,je,e,je ё jo ю ju я ja"
)
BE_LT = table(BE + "ж ž й j ў u х ch ц c ч č ш š ь - е je,je,e,je ё jo,jo,io,jo ю ju,ju,iu,ju я ja,ja,ia,ja")
RU = "а a б b в v г g д d з z и i к k л l м m н n о o п p р r с s т t у u ф f ы y э e ъ - ь - ' - "
RU_EN = table(RU + "ж zh й y х kh ц ts ч ch ш sh щ shch е ye,ye,e,ye ё yo чё cho шё sho щё shcho ю yu я ya")
RU_ICAO = table(RU + "ж zh й i х kh ц ts ч ch ш sh щ shch ъ ie е e ё e ю iu я ia")
RU_DE = table(
    RU
    + "в w ж sch з s й i х ch ц z ч tsch ш sch щ schtsch кс x е je,je,e,je ё jo чё tscho шё scho щё schtscho ю ju я ja"
)
RU_PL = table(
    RU + "в w ж ż й j х ch ц c ч cz ш sz щ szcz л ł ли li ле le лё lo лю lu ля la ль l нь ń сь ś зь ź "
    "жи ży ши szy ци cy же że ше sze че cze ще szcze це ce чё czo шё szo щё szczo "
    "е je,je,ie,je ё jo,jo,io,jo ю ju,ju,iu,ju я ja,ja,ia,ja"
)
RU_LV = table(
    RU + "ж ž й j х h ц c ч č ш š щ šč ы i е je,je,e,je ё jo ю ju я ja ль ļ нь ņ ля ļa ле ļe ли ļi лю ļu ня ņa ни ņi"
)
UK = "а a б b в v г h ґ g д d е e з z и y і i к k л l м m н n о o п p р r с s т t у u ф f ь - ' - "
UK_2010 = table(
    UK + "зг zgh ж zh й y,i,i,i х kh ц ts ч ch ш sh щ shch є ye,ie,ie,ie ї yi,i,i,i ю yu,iu,iu,iu я ya,ia,ia,ia"
)
UK_PL = table(
    UK + "в w ж ż й j х ch ц c ч cz ш sz щ szcz л ł лі li ле łe ля la лю lu ль l льо lo нь ń сь ś ць ć ьо io "
    "є je,je,ie,je ї ji ю ju,ju,iu,ju я ja,ja,ia,ja"
)
UK_DE = table(UK + "в w ж sch з s й j х ch ц z ч tsch ш sch щ schtsch ьо jo є je ї ji ю ju я ja")

Y_ENDINGS = (("ый", "y"), ("ій", "i"))
RU_EN_ENDINGS = (("ий", "y"), ("ый", "y"))
RU_DE_ENDINGS = (("ий", "i"), ("ый", "y"))
PL_ENDINGS = tuple(
    (cyrillic, latin)
    for latin, cyrillics in {
        "ski": ("ский", "ський", "скі"),
        "cki": ("цкий", "цький", "цкі"),
        "ska": ("ская", "ська", "ская"),
        "cka": ("цкая", "цька", "цкая"),
    }.items()
    for cyrillic in cyrillics
)
UK_DE_ENDINGS = (("ський", "skyj"), ("цький", "zkyj"))


# Grammar. Cases stand in the order genitive, dative, accusative, instrumental.

CASES = ("genitive", "dative", "accusative", "instrumental")
Forms = tuple[str, str, str, str]

IRREGULAR: dict[tuple[str, str], Forms] = {
    ("be", "Павел"): ("Паўла", "Паўлу", "Паўла", "Паўлам"),
    ("be", "Пётр"): ("Пятра", "Пятру", "Пятра", "Пятром"),
    ("be", "Ілья"): ("Ільі", "Ільі", "Ілью", "Ільёй"),
    ("be", "Васіль"): ("Васіля", "Васілю", "Васіля", "Васілём"),
    ("be", "Вольга"): ("Вольгі", "Вользе", "Вольгу", "Вольгай"),
    ("be", "Інга"): ("Інгі", "Інзе", "Інгу", "Інгай"),
    ("be", "Вераніка"): ("Веранікі", "Вераніцы", "Вераніку", "Веранікай"),
    ("be", "Аляксандра"): ("Аляксандры", "Аляксандры", "Аляксандру", "Аляксандрай"),
    ("be", "Маргарыта"): ("Маргарыты", "Маргарыце", "Маргарыту", "Маргарытай"),
    ("be", "Лізавета"): ("Лізаветы", "Лізавеце", "Лізавету", "Лізаветай"),
    ("be", "Зінаіда"): ("Зінаіды", "Зінаідзе", "Зінаіду", "Зінаідай"),
    ("ru", "Павел"): ("Павла", "Павлу", "Павла", "Павлом"),
    ("ru", "Пётр"): ("Петра", "Петру", "Петра", "Петром"),
    ("ru", "Илья"): ("Ильи", "Илье", "Илью", "Ильёй"),
    ("uk", "Федір"): ("Федора", "Федору", "Федора", "Федором"),
    ("uk", "Яків"): ("Якова", "Якову", "Якова", "Яковом"),
    ("uk", "Ігор"): ("Ігоря", "Ігорю", "Ігоря", "Ігорем"),
    ("uk", "Ілля"): ("Іллі", "Іллі", "Іллю", "Іллею"),
    ("uk", "Ольга"): ("Ольги", "Ользі", "Ольгу", "Ольгою"),
    ("uk", "Інга"): ("Інги", "Інзі", "Інгу", "Інгою"),
    ("uk", "Вероніка"): ("Вероніки", "Вероніці", "Вероніку", "Веронікою"),
    ("pl", "Pawieł"): ("Pawła", "Pawłowi", "Pawła", "Pawłem"),
    ("pl", "Paweł"): ("Pawła", "Pawłowi", "Pawła", "Pawłem"),
    ("pl", "Ilja"): ("Ilji", "Ilji", "Ilję", "Ilją"),
}


def with_endings(stem: str, endings: str) -> Forms:
    """The four forms; a hyphen stands for one that is left to the rows made by hand."""
    first, second, third, fourth = ("" if ending == "-" else stem + ending for ending in endings.split())
    return first, second, third, fourth


def decline_given(name: str, language: str, sex: str) -> Forms:
    if (language, name) in IRREGULAR:
        return IRREGULAR[language, name]
    stem, last = name[:-1], name[-1]
    if language == "be":
        if last == "я":
            return with_endings(stem, "і і ю яй")
        if last == "а":
            return with_endings(stem, "ы у у ам" if sex == "male" else "ы е у ай")
        if last in "йь":
            return with_endings(stem, "я ю я ем")
        return with_endings(stem + "в" if last == "ў" else name, "а у а ам")
    if language == "ru":
        if last == "я":
            return with_endings(stem, "и и ю ей" if stem[-1] == "и" else "и е ю ей")
        if last == "а":
            return with_endings(stem, "и е у ой" if stem[-1] in "гкхжшч" else "ы е у ой")
        return with_endings(stem, "я ю я ем") if last in "йь" else with_endings(name, "а у а ом")
    if language == "uk":
        if last == "я":
            return with_endings(stem, "ї ї ю єю")
        if last == "а":
            return with_endings(stem, "и і у ою")
        if last == "й":
            return with_endings(stem, "я ю я єм")
        if last == "ь":
            return with_endings(stem, "я ю я ем")
        return with_endings(stem if last == "о" else name, "а у а ом")
    if last == "a":
        if stem[-1] in "ji":
            genitive = stem[:-1] + "i" if stem[-1] == "j" and stem[-2] in "aeiouy" else stem + "i"
            return genitive, genitive, stem + "ę", stem + "ą"
        return stem + ("i" if stem[-1] in "kgl" else "y"), "", stem + "ę", stem + "ą"  # no dative: it changes the stem
    if last == "y":
        return name + "ego", name + "emu", name + "ego", name + "m"
    if name.endswith("dź"):
        return with_endings(name[:-2] + "dzi", "a owi a em")
    if name.endswith("ś"):
        return with_endings(stem + "si", "a owi a em")
    return with_endings(name, "a owi a iem" if last in "kg" else "a owi a em")


def kind_of(russian: str) -> str:
    """How a surname is declined, read off its Russian masculine form."""
    if re.search(r"[сц]кий$", russian):
        return "adjective"
    if re.search(r"([оеё]в|[иы]н)$", russian) and russian != "Гнатишин":  # Ukrainian: the same for a woman
        return "possessive"
    if russian.endswith("ко"):
        return "o"
    if russian[-1] in "ая":
        return "a"
    return "fixed" if russian[-1] in "иеэоу" else "consonant"


@dataclass(frozen=True)
class Surname:
    be: str
    ru: str
    uk: str
    native: str = ""

    @property
    def kind(self) -> str:
        return kind_of(self.ru)

    @property
    def home(self) -> str:
        """The language of a surname that is written in Latin letters at home."""
        return "" if not self.native else "pl" if self.native[-1] in "izy" else "lt"

    def form(self, language: str, sex: str) -> str:
        word = {"be": self.be, "ru": self.ru, "uk": self.uk}[language]
        if sex == "male":
            return word
        if self.kind == "adjective":
            return word[:-1] + "ая" if language == "be" else word[:-2] + ("ая" if language == "ru" else "а")
        if self.kind == "possessive":
            return (word[:-1] + "в" if word[-1] == "ў" else word) + "а"
        return word

    def decline(self, language: str, sex: str) -> Forms | None:
        """The oblique forms; None where the surname has none."""
        word = self.form(language, sex)
        kind = self.kind
        if kind == "fixed" or (kind in {"o", "consonant"} and sex == "female") or (kind == "o" and language == "ru"):
            return None
        if kind == "adjective":
            stem = re.sub(r"(ая|а|ий|і)$", "", word)
            if sex == "male":
                return with_endings(
                    stem, {"be": "ага аму ага ім", "ru": "ого ому ого им", "uk": "ого ому ого им"}[language]
                )
            return with_endings(stem, {"be": "ай ай ую ай", "ru": "ой ой ую ой", "uk": "ої ій у ою"}[language])
        if kind == "possessive":
            if sex == "male":
                stem = word[:-1] + "в" if word[-1] == "ў" else word
                return with_endings(stem, {"be": "а у а ым", "ru": "а у а ым", "uk": "а у а им"}[language])
            return with_endings(word[:-1], {"be": "ай ай у ай", "ru": "ой ой у ой", "uk": "ої ій у ою"}[language])
        if kind == "o":
            return with_endings(word[:-1], "і у у ам" if language == "be" else "а у а ом")
        if kind == "a":
            return self._feminine(word, language, sex)
        return self._consonant(word, language)

    def _feminine(self, word: str, language: str, sex: str) -> Forms:
        stem, soft, velar = word[:-1], word[-1] == "я", word[-2] in "гкх"
        if language == "be":
            if sex == "male":
                return with_endings(stem, "і ю ю ем" if soft else "і у у ам" if velar else "ы у у ам")
            # The dative of a woman's surname changes its consonant: left to the rows made by hand.
            return with_endings(stem, "і - ю яй" if soft else "і - у ай" if velar else "ы - у ай")
        if language == "ru":
            return with_endings(stem, "и е ю ей" if soft else "и е у ой" if velar else "ы е у ой")
        return with_endings(stem, "і і ю ею" if soft else "и - у ою")

    def _consonant(self, word: str, language: str) -> Forms:
        if word.endswith(("ец", "ець")):
            stem = re.sub(r"ець?$", "ц", word)
            if language == "be":
                return with_endings(re.sub(r"вц$", "ўц", stem), "а у а ам")
            return with_endings(stem, "а у а -" if language == "ru" else "я ю я ем")
        stem, last = word[:-1], word[-1]
        if last in "йь":
            return with_endings(stem, "я ю я єм" if language == "uk" and last == "й" else "я ю я ем")
        if language == "be":
            return with_endings(word, "а у а ом" if re.search("[юуя]к$", word) else "а у а ам")
        return with_endings(word, "а у а ем" if last in "чшщж" else "а у а ом")

    def polish(self, sex: str) -> str:
        if self.native:
            return self.native[:-1] + "a" if sex == "female" and self.kind == "adjective" else self.native
        return romanise(self.form("be", sex), BE_PL, PL_ENDINGS)

    def decline_polish(self, sex: str) -> Forms | None:
        word, kind = self.polish(sex), self.kind
        if kind == "adjective":
            return with_endings(word, "ego emu ego m") if sex == "male" else with_endings(word[:-1], "iej iej ą ą")
        if kind == "possessive" and sex == "male":
            return with_endings(romanise(self.ru, RU_PL), "a owi a em")
        if kind == "possessive":
            return with_endings(word[:-1], "ej ej ą ą")
        if kind in {"a", "o"}:
            stem = word[:-1]
            return with_endings(stem, "i - ę ą" if stem[-1] in "kglj" or stem.endswith("ni") else "y - ę ą")
        if kind == "fixed" or sex == "female":
            return None
        if word.endswith(("iec", "ec")):
            return with_endings(re.sub(r"i?ec$", "c", word), "a owi a em")
        if word[-1] in "ńś":
            return with_endings(word[:-1] + {"ń": "ni", "ś": "si"}[word[-1]], "a owi a em")
        return with_endings(word, "a owi a iem" if word[-1] in "kg" else "a owi a em")

    def lithuanian(self, sex: str) -> str:
        if self.home == "lt":
            return self.native
        word = re.sub(r"(?<=[aeiouy])j(?=[bcdfghklmnprstvzčšž])", "i", romanise(self.form("be", sex), BE_LT))
        if sex == "female":
            return word
        if self.kind == "possessive":
            return romanise(self.form("be", "female"), BE_LT)[:-1] + "as"
        if word.endswith(("is", "us")):
            return word
        if self.kind == "adjective":
            return word + "s"
        if self.kind != "consonant":
            return word
        if word.endswith("č"):
            return word + "ius"
        if word.endswith("j"):
            return word + "us"
        return word + ("is" if self.be[-1] == "ь" else "as")

    def latvian(self, sex: str) -> str:
        word = self.form("ru", sex)
        if self.kind == "adjective":
            return romanise(word, RU_LV, (("ский", "skis"), ("цкий", "ckis"), ("ская", "ska"), ("цкая", "cka")))
        latin = romanise(word, RU_LV)
        if latin.endswith("is"):
            return latin
        return latin + "s" if sex == "male" and self.kind in {"possessive", "consonant"} else latin


SURNAMES = {
    row["be"]: (Surname(row["be"], row["ru"], row["uk"], row["native"]), row["sex"]) for row in read("surnames.csv")
}
GIVEN = {row["be"]: row for row in read("given_names.csv")}
BY_SEX = {sex: [name for name, row in GIVEN.items() if row["sex"] == sex] for sex in ("male", "female")}


def patronymic(father: str, language: str, sex: str) -> str:
    word = GIVEN[father][f"father_{language}"]
    if sex == "male":
        return word
    if word in {"Ільіч", "Ильич", "Ілліч", "Никитич"}:
        return {"Ільіч": "Ільінічна", "Ильич": "Ильинична", "Ілліч": "Іллівна", "Никитич": "Никитична"}[word]
    if language == "be":
        return re.sub(r"([аео])віч$", r"\1ўна", word)
    if language == "ru":
        return re.sub(r"([ое])вич$", r"\1вна", word)
    return (
        "Яківна"
        if word == "Якович"
        else re.sub(r"йович$", "ївна", word)
        if "йович" in word
        else re.sub("ович$", "івна", word)
    )


# Persons. One for every surname of the table; then their kin, then surnames of two parts.

PLAIN = ("be", "be", "be", "be", "be", "be", "be", "be", "be", "be-Latn", "ru", "ru")

#: surname, what they are to each other, the one, the one's father, the other, the other's father
KIN = (
    ("Драбязоўскі", "brothers", "Мікалай", "Пётр", "Сяргей", "Пётр"),
    ("Кулебніцкі", "father and son", "Уладзімір", "Іван", "Арцём", "Уладзімір"),
    ("Жарнавіцкі", "spouses", "Вікторыя", "Леанід", "Дзяніс", "Аляксандр"),
    ("Вярбалоўскі", "sisters", "Кацярына", "Ігар", "Дар'я", "Ігар"),
    ("Карчавінскі", "brother and sister", "Павел", "Барыс", "Таццяна", "Барыс"),
    ("Хмызоўскі", "brothers", "Станіслаў", "Анатоль", "Яўген", "Анатоль"),
    ("Рудавінскі", "father and son", "Міхаіл", "Сцяпан", "Глеб", "Міхаіл"),
    ("Эйсмінскі", "spouses", "Юлія", "Мікалай", "Раман", "Віктар"),
    ("Бурмакоў", "brothers", "Дзмітрый", "Алег", "Максім", "Алег"),
    ("Кашалёў", "spouses", "Наталля", "Васіль", "Ігар", "Фёдар"),
    ("Арэшкаў", "father and son", "Сяргей", "Мікалай", "Ілья", "Сяргей"),
    ("Саланцоў", "sisters", "Ганна", "Віталь", "Марына", "Віталь"),
    ("Вялічкін", "mother and son", "Ларыса", "Павел", "Яраслаў", "Юрый"),
    ("Бандзюковіч", "brothers", "Аляксандр", "Канстанцін", "Антон", "Канстанцін"),
    ("Вербавіч", "father and daughter", "Віктар", "Якаў", "Вольга", "Віктар"),
    ("Казлякевіч", "spouses", "Святлана", "Пётр", "Андрэй", "Рыгор"),
    ("Радзькевіч", "father and son", "Валерый", "Аляксей", "Мікіта", "Валерый"),
    ("Цвіркевіч", "brothers", "Кірыл", "Андрэй", "Вадзім", "Андрэй"),
    ("Андрушчанка", "brother and sister", "Руслан", "Генадзь", "Алена", "Генадзь"),
    ("Варапаенка", "spouses", "Ірына", "Раман", "Аляксей", "Іван"),
    ("Касцючэнка", "father and son", "Юрый", "Васіль", "Цімафей", "Юрый"),
    ("Шупейка", "brothers", "Віталь", "Сяргей", "Эдуард", "Сяргей"),
    ("Дубатоўка", "father and daughter", "Алег", "Антон", "Вераніка", "Алег"),
    ("Хадыка", "brothers", "Ягор", "Дзмітрый", "Раман", "Дзмітрый"),
    ("Андрасюк", "spouses", "Людміла", "Міхаіл", "Анатоль", "Сцяпан"),
    ("Данільчук", "father and son", "Іван", "Барыс", "Уладзіслаў", "Іван"),
    ("Пазняк", "brothers", "Леанід", "Уладзімір", "Вячаслаў", "Уладзімір"),
    ("Гурыновец", "brother and sister", "Арцём", "Віктар", "Ксенія", "Віктар"),
    ("Дзям'янчык", "spouses", "Марыя", "Яўген", "Фёдар", "Міхаіл"),
    ("Крывашэй", "father and son", "Барыс", "Леанід", "Дзяніс", "Барыс"),
)
#: two surnames of their own, sex, given name, father, language of the registered spelling
DOUBLE = (
    ("Сінявіч", "Дубаўцоўскі", "Зінаіда", "", "be"),
    ("Грабянчук", "Мялкоўскі", "Людміла", "", "be"),
    ("Рымшэль", "Карабчык", "Яраслаў", "Антон", "be"),
    ("Астравух", "Пясоцкі", "Аліна", "", "ru"),
    ("Лойчук", "Бязручанка", "Сцяпан", "", "be"),
    ("Вайтэшык", "Гарбарскі", "Валерыя", "Эдуард", "be"),
    ("Кандрацёнак", "Сцешыц", "Руслан", "", "ru"),
    ("Бранцэвіч", "Чарнагольскі", "Надзея", "", "be-Latn"),
)
UKRAINIAN = ("Скарапанчанка", "Гнатышын", "Гудзяцкі", "Шчэрбань", "Пшанічнюк", "Задарожанка", "Крапіўняк", "Яцэнчук",
             "Галушчак", "Непыйвада", "Ільчанюк", "Паліваха", "Міхайлянюк", "Закружанка", "Мялешчанка")  # fmt: skip
FROM_RUSSIA = ("Тагірбекаў", "Мурзаліеў", "Ахундзееў", "Гасанбалаеў", "Ямалетаў", "Шагібагаў", "Варданянц", "Чахкіяні",
               "Багратадзэ", "Набокін", "Трапезаў")  # fmt: skip


@dataclass(frozen=True)
class Person:
    number: str
    given: str
    surnames: tuple[Surname, ...]
    father: str
    sex: str
    registered_in: str
    citizenship: str
    born: date
    only_year: bool
    arrested: date
    released: date | None
    kin: str = ""  # the number of their kin

    @property
    def row(self) -> Row:
        return GIVEN[self.given]

    def surname(self, language: str) -> str:
        return "-".join(surname.form(language, self.sex) for surname in self.surnames)

    def named(self, language: str) -> str:
        return self.row[language]

    def father_in(self, language: str) -> str:
        return patronymic(self.father, language, self.sex)

    def full(self, language: str, *, father: bool = False) -> str:
        """Given name, patronymic if asked for, surname; Russian and Belarusian order of a calm sentence."""
        middle = [self.father_in(language)] if father else []
        return " ".join([self.named(language), *middle, self.surname(language)])

    def latin(self, spell: Callable[[Surname], str]) -> str:
        return "-".join(spell(surname) for surname in self.surnames)

    @property
    def passport(self) -> str:
        if self.citizenship == "UA":
            return romanise(self.full("uk"), UK_2010)
        if self.citizenship == "RU":
            return romanise(self.full("ru"), RU_ICAO)
        return romanise(self.full("be"), BE_PASSPORT, Y_ENDINGS)

    @property
    def registered(self) -> str:
        chance = random.Random(f"registered {self.number}")
        if self.registered_in in {"pl", "lt"}:
            return f"{self.row[self.registered_in].split('/')[-1 if self.registered_in == 'pl' else 0]} {self.native}"
        if self.registered_in == "be-Latn":
            return self.passport
        apostrophe = chance.choice("'’ʼ")
        return self.full(self.registered_in, father=self.has_patronymic).replace("'", apostrophe)

    @property
    def native(self) -> str:
        surname = self.surnames[0]
        return surname.polish(self.sex) if surname.home == "pl" else surname.native

    @property
    def has_patronymic(self) -> bool:
        chance = random.Random(f"patronymic {self.number}")
        return self.registered_in in {"be", "ru", "uk"} and bool(self.father) and chance.random() < 0.37

    def age(self, on: date) -> int:
        return on.year - self.born.year - ((on.month, on.day) < (self.born.month, self.born.day))

    def as_row(self) -> Row:
        return {
            "person": self.number,
            "registered": self.registered,
            "language": self.registered_in.split("-")[0],
            "sex": self.sex,
            "born": str(self.born.year) if self.only_year else self.born.isoformat(),
            "citizenship": self.citizenship,
            "arrested": self.arrested.isoformat(),
            "released": self.released.isoformat() if self.released else "",
        }


def _person(
    number: int, key: str, surnames: tuple[Surname, ...], given: str, father: str, registered_in: str
) -> Person:
    chance = random.Random(f"person {key}")
    names = {surname.be for surname in surnames}
    citizenship = "UA" if names & set(UKRAINIAN) else "RU" if names & set(FROM_RUSSIA) else "BY"
    registered_in = {"UA": "uk", "RU": "ru"}.get(citizenship, registered_in or chance.choice(PLAIN))
    if surnames[0].native:
        registered_in = surnames[0].home
        citizenship = chance.choice(["BY", registered_in.upper()])
    arrested = date(2020, 8, 9) + timedelta(days=chance.randrange(1750))
    held = timedelta(days=chance.randrange(40, 1500))
    released = arrested + held if chance.random() < 0.55 and arrested + held < date(2025, 9, 12) else None
    return Person(
        number=f"P{number:03}",
        given=given,
        surnames=surnames,
        father=father or chance.choice(BY_SEX["male"][:45]),
        sex=GIVEN[given]["sex"],
        registered_in=registered_in,
        citizenship=citizenship,
        born=date(1955, 1, 1) + timedelta(days=chance.randrange(365 * 49)),
        only_year=chance.random() < 0.5,
        arrested=arrested,
        released=released,
    )


def persons() -> list[Person]:
    kin = {row[0]: row for row in KIN}
    found: list[Person] = []
    for be, (surname, only) in SURNAMES.items():
        if only == "half":
            continue
        chance = random.Random(f"given {be}")
        if be in kin:
            _, what, one, father, other, other_father = kin[be]
            first = _person(len(found) + 1, be, (surname,), one, father, "")
            second = _person(len(found) + 2, f"{be} {other}", (surname,), other, other_father, first.registered_in)
            if what.startswith(("father", "mother")):
                first = replace(first, born=first.born.replace(year=1958 + chance.randrange(14), day=1))
                second = replace(
                    second, born=second.born.replace(year=first.born.year + 22 + chance.randrange(12), day=1)
                )
            else:
                year = first.born.year + chance.choice([-5, -4, -3, -2, 2, 3, 4, 6])
                second = replace(second, born=second.born.replace(year=year, day=1))
            found += [replace(first, kin=second.number), replace(second, kin=first.number)]
        else:
            sex = only or ("male" if chance.random() < 0.64 else "female")
            names = BY_SEX[sex]
            if be in FROM_RUSSIA and sex == "male" and chance.random() < 0.4:
                names = ["Марат", "Рустам", "Руслан", "Артур"]
            found.append(_person(len(found) + 1, be, (surname,), chance.choice(names), "", ""))
    for left, right, given, father, language in DOUBLE:
        halves = (SURNAMES[left][0], SURNAMES[right][0])
        found.append(_person(len(found) + 1, left, halves, given, father, language))
    return found


# Spellings. Each way to spell a person gives a language and a text, or nothing where it does not fit the person.

Spelling = tuple[str, str]
CYRILLIC = ("be", "ru", "uk")


def one_of(chance: random.Random, variants: str) -> str:
    return chance.choice(variants.split("/"))


def other_language(who: Person, chance: random.Random) -> Spelling | None:
    """The name as the press of another language has it: its own given name, the surname spelt its own way."""
    home = who.registered_in.split("-")[0]
    language = chance.choice([to for to in ("be", "ru", "ru", "uk", "uk", "pl", "de") if to != home])
    if language in CYRILLIC:
        text = who.full(language)
        if language == "ru" and chance.random() < 0.7:
            text = text.replace("ё", "е")
        return language, text
    if language == "pl":
        if who.citizenship == "UA":
            return "pl", f"{one_of(chance, who.row['pl'])} {romanise(who.surname('uk'), UK_PL, PL_ENDINGS)}"
        return "pl", f"{one_of(chance, who.row['pl'])} {who.latin(lambda name: name.polish(who.sex))}"
    if who.citizenship == "UA":
        return "de", f"{one_of(chance, who.row['de'])} {romanise(who.surname('uk'), UK_DE, UK_DE_ENDINGS)}"
    surname = who.native or romanise(who.surname("be"), BE_DE)
    return "de", f"{who.row['de'].split('/')[-1]} {surname}"


def passport(who: Person, chance: random.Random) -> Spelling | None:
    if who.registered_in in {"pl", "lt"}:
        return None
    language = {"UA": "uk", "RU": "ru"}.get(who.citizenship, "be")
    if language == "be" and chance.random() < 0.15:
        return "be", romanise(who.full("be"), BE_REGISTER, Y_ENDINGS)
    return language, who.passport.upper() if chance.random() < 0.1 else who.passport


def belarusian(scheme: Scheme) -> Callable[[Person, random.Random], Spelling | None]:
    def spell(who: Person, chance: random.Random) -> Spelling | None:
        return (
            ("be", romanise(who.full("be"), scheme)) if who.citizenship == "BY" and not who.surnames[0].native else None
        )

    return spell


def from_russian(who: Person, chance: random.Random) -> Spelling | None:
    language = "en" if who.native else chance.choice(["en", "en", "de", "pl"])
    surname = who.surname("ru")
    if language == "en":
        text = surname if chance.random() < 0.5 else surname.replace("ё", "е")
        return "en", f"{one_of(chance, who.row['en'])} {romanise(text, RU_EN, RU_EN_ENDINGS)}"
    if language == "de":
        return "de", f"{who.row['de'].split('/')[0]} {german(surname)}"
    names = who.row["pl"].split("/")
    return "pl", f"{names[min(1, len(names) - 1)]} {romanise(surname, RU_PL, PL_ENDINGS)}"


def german(russian: str) -> str:
    """Duden writes ss for с between vowels."""
    return romanise(re.sub(r"(?<=[аеёиоуыэюя])с(?=[аеёиоуыэюя])", "сс", russian), RU_DE, RU_DE_ENDINGS)


def media(who: Person, chance: random.Random) -> Spelling | None:
    """An English or German newspaper: the known given name before the surname as the passport has it."""
    surname = who.passport.split(" ", 1)[1]
    if who.native:  # newspapers leave the marks out
        marks = unicodedata.normalize("NFD", who.native.replace("ł", "l").replace("Ł", "L"))
        surname = "".join(letter for letter in marks if not unicodedata.combining(letter))
    language = chance.choice(["en", "en", "en", "de"])
    return language, f"{one_of(chance, who.row[language])} {surname}"


def diminutive(who: Person, chance: random.Random) -> Spelling | None:
    if who.kin:
        return None
    language = chance.choice(["be", "be", "ru", "uk", "pl"])
    name = one_of(chance, who.row[f"dim_{language}"])
    return language, f"{name} {who.latin(lambda it: it.polish(who.sex)) if language == 'pl' else who.surname(language)}"


def case(number: int) -> Callable[[Person, random.Random], Spelling | None]:
    def spell(who: Person, chance: random.Random) -> Spelling | None:
        if len(who.surnames) > 1:
            return None
        surname = who.surnames[0]
        language = chance.choice(["be", "be", "ru", "ru", "uk", "pl"])
        if language == "pl" and surname.home == "lt":
            return None
        if language == "pl":
            names = who.row["pl"].split("/")
            name = names[0 if surname.kind != "possessive" else min(1, len(names) - 1)]
            given, forms = decline_given(name, "pl", who.sex), surname.decline_polish(who.sex)
            unchanged = surname.polish(who.sex)
        else:
            given, forms = decline_given(who.named(language), language, who.sex), surname.decline(language, who.sex)
            unchanged = surname.form(language, who.sex)
        first, last = given[number], forms[number] if forms else unchanged
        if not first or not last:
            return None
        if chance.random() < 0.2:
            return language, f"{last} {first}"
        return language, f"{first} {last}"

    return spell


def lithuanian(who: Person, chance: random.Random) -> Spelling | None:
    if who.registered_in == "lt":
        return None
    return "lt", f"{one_of(chance, who.row['lt'])} {who.latin(lambda name: name.lithuanian(who.sex))}"


def latvian(who: Person, chance: random.Random) -> Spelling | None:
    if who.surnames[0].native:
        return None
    return "lv", f"{one_of(chance, who.row['lv'])} {who.latin(lambda name: name.latvian(who.sex))}"


def patronymic_added(who: Person, chance: random.Random) -> Spelling | None:
    if who.has_patronymic or who.surnames[0].native:
        return None
    language = chance.choice([who.registered_in.split("-")[0], "be", "ru", "ru"])
    first, last = who.named(language), who.surname(language)
    text = f"{last} {first} {who.father_in(language)}" if chance.random() < 0.6 else who.full(language, father=True)
    if language == "be" and chance.random() < 0.2:
        return "be", romanise(text, BE_PASSPORT, Y_ENDINGS)
    return language, text


def patronymic_dropped(who: Person, chance: random.Random) -> Spelling | None:
    if not who.has_patronymic:
        return None
    language = chance.choice([who.registered_in, "be", "ru", "uk"])
    return language, who.full(language)


def initials(who: Person, chance: random.Random) -> Spelling | None:
    if who.kin or who.surnames[0].native:
        return None
    language = chance.choice(["be", "ru"])
    first, last = who.named(language)[0], who.surname(language)
    father = f" {who.father_in(language)[0]}." if who.has_patronymic else ""
    return language, chance.choice(
        [f"{first}.{father} {last}", f"{last} {first}.{father}", f"{last} {first}.{father.strip()}"]
    )


def plain(who: Person, chance: random.Random) -> Spelling:
    """A spelling to which something is still to happen: turned round, mistyped, shouted."""
    if who.surnames[0].native:
        return who.registered_in, who.registered
    made = None
    while made is None:
        made = chance.choice([other_language, other_language, patronymic_dropped, passport, media])(who, chance)
    return made


def order(who: Person, chance: random.Random) -> Spelling | None:
    language, text = plain(who, chance)
    first, _, last = text.partition(" ")
    return language, f"{last}{chance.choice(['', '', ','])} {first}"


def capitals(who: Person, chance: random.Random) -> Spelling | None:
    language, text = plain(who, chance)
    first, _, last = text.partition(" ")
    return language, f"{last.upper()} {first}" if chance.random() < 0.6 else f"{first} {last.upper()}"


#: Keys side by side on the keyboards of the region, and letters that are taken for each other.
NEIGHBOURS = {"а": "оп", "о": "а", "і": "и", "и": "іы", "е": "ёэ", "ы": "и", "у": "ў", "ў": "у", "ц": "у", "н": "г", "р": "п",
              "л": "д", "д": "л", "в": "ы", "к": "у", "т": "ь", "a": "so", "o": "pi", "i": "yu", "y": "i", "e": "r", "s": "z",
              "n": "m", "k": "l", "v": "w", "c": "s", "t": "r", "l": "k", "u": "i", "m": "n"}  # fmt: skip


def typo(who: Person, chance: random.Random) -> Spelling | None:
    language, text = plain(who, chance)
    if text.isupper():
        return None
    words = text.split(" ")
    place = chance.choice([at for at, word in enumerate(words) if len(word) >= 5] or [0])
    word = words[place]
    if len(word) < 5:
        return None
    at = chance.randrange(2, len(word) - 1)
    what = chance.choice(["double", "drop", "swap", "neighbour", "neighbour"])
    if what == "double" and word[at].isalpha() and word[at] != word[at - 1]:
        word = word[:at] + word[at] + word[at:]
    elif what == "drop":
        word = word[:at] + word[at + 1 :]
    elif what == "swap" and word[at] != word[at - 1]:
        word = word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
    elif what == "neighbour" and word[at] in NEIGHBOURS:
        word = word[:at] + chance.choice(NEIGHBOURS[word[at]]) + word[at + 1 :]
    else:
        return None
    words[place] = word
    return language, " ".join(words)


LOOKALIKES = dict(zip("аеосрхуіАЕОСРХІКМНТВ", "aeocpxyiAEOCPXIKMHTB", strict=True))
BACK = {latin: cyrillic for cyrillic, latin in LOOKALIKES.items()}


def homoglyph(who: Person, chance: random.Random) -> Spelling | None:
    language, text = plain(who, chance)
    if chance.random() < 0.3 and unicodedata.normalize("NFD", text) != text:
        return language, unicodedata.normalize("NFD", text)
    if "'" in text and chance.random() < 0.7:
        return language, text.replace("'", chance.choice("`´ʹ‘′ʼ"))
    swap = LOOKALIKES if language in CYRILLIC and any(letter in text for letter in "аеоАЕО") else BACK
    places = [at for at, letter in enumerate(text) if letter in swap]
    if len(places) < 3:
        return None
    letters = list(text)
    for at in chance.sample(places, chance.randrange(1, 4)):
        letters[at] = swap[letters[at]]
    return language, "".join(letters)


def half(who: Person, chance: random.Random) -> Spelling | None:
    if len(who.surnames) < 2:
        return None
    language = chance.choice(CYRILLIC)
    return language, f"{who.named(language)} {chance.choice(who.surnames).form(language, who.sex)}"


def surname_alone(who: Person, chance: random.Random) -> Spelling | None:
    if who.kin or len(who.surnames) > 1 or who.surnames[0].native:
        return None
    language = chance.choice(["be", "ru", "uk"])
    return language, who.surname(language)


Way = Callable[[Person, random.Random], Spelling | None]
#: What a person is spelt by, in turns, and how often of all.
TURNS: tuple[tuple[tuple[str, Way, int], ...], ...] = (
    (("other_language", other_language, 1),),
    (
        ("passport", passport, 5),
        ("bgn", belarusian(BE_BGN), 2),
        ("lacinka", belarusian(BE_LACINKA), 4),
        ("by_2007", belarusian(BE_2007), 2),
        ("from_russian", from_russian, 2),
    ),
    (("from_russian", from_russian, 4), ("media", media, 4), ("lithuanian", lithuanian, 5), ("latvian", latvian, 2)),
    (
        ("genitive", case(0), 6),
        ("dative", case(1), 2),
        ("accusative", case(2), 5),
        ("instrumental", case(3), 3),
        ("diminutive", diminutive, 2),
    ),
    (
        ("typo", typo, 24),
        ("order", order, 5),
        ("homoglyph", homoglyph, 4),
        ("capitals", capitals, 3),
        ("double", half, 30),
    ),
    (
        ("initials", initials, 3),
        ("surname_alone", surname_alone, 2),
        ("patronymic_added", patronymic_added, 6),
        ("patronymic_dropped", patronymic_dropped, 10),
        ("diminutive", diminutive, 4),
        ("media", media, 2),
        ("latvian", latvian, 2),
        ("lithuanian", lithuanian, 2),
    ),
)


def spellings(people: list[Person], hand: list[Row]) -> list[Row]:
    """The rule-made rows; what was written by hand is not made again."""
    taken = {key(who.registered): who.number for who in people} | {key(row["text"]): row["person"] for row in hand}
    written: dict[str, set[str]] = defaultdict(set)
    for row in hand:
        written[row["person"]].add(row["text"])
    rows: list[Row] = []
    for who in people:
        chance = random.Random(f"spellings {who.number} {who.registered}")
        for _ in range(200):
            mine = _round(who, chance, taken, written[who.number])
            if len(mine) >= 5 and len({language for language, _, _ in mine.values()}) >= 4:
                break
        else:
            raise ValueError(f"no set of spellings for {who.registered}")
        for found, (language, text, how) in mine.items():
            taken[found] = who.number
            rows.append({"person": who.number, "text": text, "language": language, "how": how, "made": "rule"})
    return rows


def key(text: str) -> str:
    """Told apart as a reader does: not by case, composition or order."""
    return " ".join(sorted(unicodedata.normalize("NFC", text).casefold().replace(",", "").split()))


def _round(
    who: Person, chance: random.Random, taken: dict[str, str], written: set[str]
) -> dict[str, tuple[str, str, str]]:
    mine: dict[str, tuple[str, str, str]] = {}
    seen = {who.registered} | written
    for turn in TURNS:
        for _ in range(30):
            how, way, _weight = chance.choices(turn, [weight for _, _, weight in turn])[0]
            made = way(who, chance)
            if made is None or made[1] in seen:
                continue
            language, text = made
            other = taken.get(key(text), who.number) != who.number
            if other or any(text == old for _, old, _ in mine.values()):
                continue
            seen.add(text)
            mine[f"{key(text)} {text}" if key(text) in mine or key(text) == key(who.registered) else key(text)] = (
                language,
                text,
                how,
            )
            break
    return mine


# Names of other people, who resemble a person: father and son, spouses, a judge of the same surname, homonyms.

CONFUSED = (
    "Марыя Марына", "Аляксандр Аляксей", "Мікалай Мікіта", "Мікалай Міхаіл", "Уладзімір Уладзіслаў", "Станіслаў Святаслаў",
    "Станіслаў Вячаслаў", "Яраслаў Святаслаў", "Алена Аліна", "Дзмітрый Дзяніс", "Валерый Віталь", "Вадзім Валерый",
    "Віталь Віктар", "Антон Анатоль", "Андрэй Антон", "Раман Руслан", "Ігар Ягор", "Ілья Ігар", "Максім Міхаіл",
    "Юлія Ульяна", "Вераніка Валерыя", "Вікторыя Валерыя", "Вікторыя Вераніка", "Таццяна Таісія", "Наталля Надзея",
    "Ганна Галіна", "Ангеліна Аліна", "Ангеліна Антаніна", "Анастасія Антаніна", "Кацярына Карына", "Ірына Карына",
    "Ларыса Раіса", "Раіса Таісія", "Арцём Артур", "Марат Марк", "Сяргей Сцяпан", "Леанід Леў", "Глеб Алег", "Канстанцін Кірыл",
    "Людміла Лізавета", "Яна Ганна", "Дар'я Дзіяна", "Юрый Яраслаў", "Барыс Глеб", "Павел Пётр", "Рустам Руслан",
    "Яўген Яўгенія", "Фёдар Фама", "Святлана Соф'я", "Маргарыта Марыя", "Эдуард Генадзь", "Якаў Ягор",
)  # fmt: skip
LIKE: dict[str, list[str]] = defaultdict(list)
for pair in CONFUSED:
    one, two = pair.split()
    if {one, two} <= GIVEN.keys() and GIVEN[one]["sex"] == GIVEN[two]["sex"]:
        LIKE[one].append(two)
        LIKE[two].append(one)
SEXES = dict(pair for one, two in (("Аляксандр", "Аляксандра"), ("Валерый", "Валерыя"), ("Яўген", "Яўгенія"),
             ("Віктар", "Вікторыя")) for pair in ((one, two), (two, one)))  # fmt: skip
SIMILAR = {row["of"]: Surname(row["be"], row["ru"], row["uk"]) for row in read("similar_surnames.csv")}
Other = tuple[Person, str]  # who it is, and why it is somebody else


def years(who: Person, count: int) -> date:
    return who.born.replace(year=who.born.year + count, day=1)


def other_given(who: Person, chance: random.Random) -> Other:
    given = chance.choice(LIKE[who.given] or [name for name in BY_SEX[who.sex] if name != who.given])
    born = chance.choice([who.born, years(who, chance.choice([-14, -6, -3, 2, 7, 12]))])
    return replace(
        who, given=given, father=chance.choice(BY_SEX["male"][:45]), born=born
    ), "same surname, another given name"


def official(who: Person, chance: random.Random) -> Other:
    given = chance.choice([name for name in BY_SEX[who.sex] if name not in {who.given, who.father}])
    return replace(who, given=given), "a judge or an official of the same surname"


def father(who: Person, chance: random.Random) -> Other | None:
    if (who.sex == "female" and chance.random() < 0.5) or who.father == who.given:
        return None
    years_older = chance.randrange(20, 34)
    older = replace(
        who, given=who.father, sex="male", father=chance.choice(BY_SEX["male"][:45]), born=years(who, -years_older)
    )
    return older, "the father: his given name is the person's patronymic"


def son(who: Person, chance: random.Random) -> Other | None:
    if who.sex == "female" or who.born.year > 1980:
        return None
    given = chance.choice([name for name in BY_SEX["male"][:45] if name != who.given])
    return replace(
        who, given=given, father=who.given, born=years(who, 24)
    ), "a son: the person's given name is his patronymic"


def namesake_son(who: Person, chance: random.Random) -> Other | None:
    if who.sex == "female" or who.father == who.given or who.born.year > 1978:
        return None
    return replace(
        who, father=who.given, born=years(who, chance.randrange(20, 29))
    ), "a son of the same given name, born later"


def spouse(who: Person, chance: random.Random) -> Other:
    sex = "male" if who.sex == "female" else "female"
    given = chance.choice(BY_SEX[sex])
    other = replace(
        who,
        given=given,
        sex=sex,
        father=chance.choice(BY_SEX["male"][:45]),
        born=years(who, chance.choice([-4, -2, 1, 3])),
    )
    return other, "a spouse: the other form of the surname"


def sibling(who: Person, chance: random.Random) -> Other:
    sex = chance.choice([who.sex, who.sex, "male", "female"])
    given = chance.choice([name for name in BY_SEX[sex] if name not in {who.given, who.father}])
    return replace(
        who, given=given, sex=sex, born=years(who, chance.choice([-5, -2, 2, 4]))
    ), "a brother or sister: the same patronymic"


def homonym(who: Person, chance: random.Random) -> Other:
    born = years(who, chance.choice([-27, -18, -9, -4, -3, -2, 2, 3, 5, 11]))
    return replace(who, born=born), "the same name, born in another year"


def other_patronymic(who: Person, chance: random.Random) -> Other | None:
    if not who.has_patronymic:
        return None
    named = chance.choice([name for name in LIKE[who.father] or BY_SEX["male"][:45] if name != who.father] or ["Барыс"])
    return (replace(who, father=named), "the same name, another patronymic") if named != who.father else None


def other_sex(who: Person, chance: random.Random) -> Other | None:
    if who.given not in SEXES:
        return None
    given = SEXES[who.given]
    return replace(
        who, given=given, sex=GIVEN[given]["sex"], born=years(who, chance.choice([0, -3, 5]))
    ), "the same names of the other sex"


def similar_surname(who: Person, chance: random.Random) -> Other | None:
    other = SIMILAR.get(who.surnames[0].be)
    if other is None:
        return None
    born = chance.choice([who.born, years(who, chance.choice([-8, 4]))])
    return replace(who, surnames=(other,), born=born), "the same given name, a similar surname"


Resembling = Callable[[Person, random.Random], Other | None]
NEGATIVES: tuple[tuple[Resembling, int], ...] = (
    (other_given, 46),
    (official, 14),
    (father, 20),
    (son, 16),
    (namesake_son, 14),
    (spouse, 24),
    (sibling, 24),
    (homonym, 34),
    (other_patronymic, 16),
    (other_sex, 12),
    (similar_surname, 48),
)


def spell_other(other: Person, chance: random.Random, middle: bool) -> str:
    """A plain spelling of somebody else, mostly in another script than the person's."""
    latin = ["passport"] if middle else ["passport", "passport", "media", "from_russian", "pl", "lt"]
    across = chance.random() < 0.72
    in_cyrillic = (other.registered_in in CYRILLIC) != across
    language = chance.choice(["be", "ru", "ru", "uk"] if in_cyrillic else latin)
    if language in CYRILLIC:
        text = other.full(language, father=middle)
        if middle and chance.random() < 0.4:
            first, *rest, last = text.split(" ")
            text = " ".join([last, first, *rest])
        return text
    if language == "passport":
        return romanise(other.full("be", father=middle), BE_PASSPORT, Y_ENDINGS)
    if language == "pl":
        return f"{one_of(chance, other.row['pl'])} {other.latin(lambda name: name.polish(other.sex))}"
    if language == "lt":
        return f"{one_of(chance, other.row['lt'])} {other.latin(lambda name: name.lithuanian(other.sex))}"
    made = (media if language == "media" else from_russian)(other, chance)
    assert made is not None
    return made[1]


def negatives(people: list[Person], rows: list[Row]) -> list[Row]:
    by_number = {who.number: who for who in people}
    mine: dict[str, set[str]] = defaultdict(set)
    everybody = {key(who.registered): who.number for who in people}
    for row in rows:
        mine[row["person"]].add(key(row["text"]))
        everybody[key(row["text"])] = row["person"]
    found: list[Row] = []
    said: set[str] = set()
    names = {(who.given, who.surnames) for who in people}
    for resembling, wanted in NEGATIVES:
        chance = random.Random(f"negatives {resembling.__name__}")
        order_of_people = chance.sample(people, len(people))
        done = 0
        for who in order_of_people:
            if done == wanted:
                break
            if len(who.surnames) > 1 or who.native:
                continue
            other = resembling(who, chance)
            # Another person of the set is one whom a machine may well join.
            if other is None or (other[0].given, other[0].surnames) in names - {(who.given, who.surnames)}:
                continue
            found_row = _negative(who, *other, chance, resembling in {other_patronymic, son, namesake_son, sibling})
            seen = key(found_row["text"])
            if seen in mine[who.number] or everybody.get(seen, who.number) != who.number or seen in said:
                continue
            if seen == key(who.registered) and resembling is not homonym and resembling is not namesake_son:
                continue
            said.add(seen)
            found.append(found_row)
            done += 1
        if done < wanted:
            print(f"{resembling.__name__}: {done} of {wanted}")  # noqa: T201
    assert all(row["person"] in by_number for row in found)
    return found


def _negative(who: Person, other: Person, why: str, chance: random.Random, patronymic_tells: bool) -> Row:
    same_name = "same name" in why or "same given name, born" in why
    middle = (
        patronymic_tells
        and ("same given name, born" not in why)
        and (why.startswith("the same") or chance.random() < 0.7)
    )
    held_for = (who.released or date(2025, 9, 12)) - who.arrested
    on = who.arrested + timedelta(days=chance.randrange(1, max(2, held_for.days)))
    tells_year = ("born in another year" in why or "born later" in why) or chance.random() < 0.45
    as_age = tells_year and chance.random() < 0.35 and (not same_name or abs(other.born.year - who.born.year) > 3)
    tells_day = as_age or chance.random() < 0.5
    if why.startswith("a judge"):
        tells_year = as_age = tells_day = False
    born = str(other.born.year) if other.only_year or chance.random() < 0.5 else other.born.isoformat()
    return {
        "person": who.number,
        "text": spell_other(other, chance, middle),
        "sex": other.sex if chance.random() < (0.9 if same_name else 0.7) or "other sex" in why else "",
        "born": born if tells_year and not as_age else "",
        "age": str(other.age(on)) if as_age else "",
        "citizenship": other.citizenship if chance.random() < 0.35 else "",
        "on": on.isoformat() if tells_day else "",
        "why": why,
        "made": "rule",
    }


def by_hand(name: str) -> list[Row]:
    path = HERE / name
    return [row for row in read(name) if row["made"] == "hand"] if path.exists() else []


def main() -> None:
    people = persons()
    write("persons.csv", PERSON_COLUMNS, [who.as_row() for who in people])
    hand = by_hand("spellings.csv")
    made = spellings(people, hand)
    write("spellings.csv", SPELLING_COLUMNS, sorted(made + hand, key=lambda row: row["person"]))
    others = negatives(people, made + hand)
    write(
        "hard_negatives.csv",
        NEGATIVE_COLUMNS,
        sorted(others + by_hand("hard_negatives.csv"), key=lambda row: row["person"]),
    )
    print(Counter(row["how"] for row in made), len(made), len(others))  # noqa: T201


if __name__ == "__main__":
    main()
