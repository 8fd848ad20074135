"""Words that lists are made of, in the languages they come in: headings of columns, countries, sexes, nobody's names.

All of them are written as ``plain`` gives them: small letters, ё as е, without apostrophes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from tracker import names
from tracker import vocabularies as v
from tracker.names.text import one_script

#: What a column of a list can be.
COLUMNS: Final = (
    "name", "surname", "given_name", "patronymic", "born", "age", "sex", "citizenship", "destination", "sentence",
    "facility", "note", "number",
)  # fmt: skip

# English, Russian, Belarusian, Ukrainian, Polish, Lithuanian, German.
_HEADERS: Final[Mapping[str, str]] = {
    "name": """name; full name; name and surname; surname and name; surname, name; person; prisoner; who; names
        released; фио; ф и о; фамилия имя отчество; фамилия, имя, отчество; фамилия имя; фамилия и имя; имя и фамилия
        имя фамилия; имя, фамилия; фамилия, имя; фигурант; человек; заключенный; осужденный
        освобожденный; политзаключенный
        піб; п і б; прізвище імя по батькові; прізвище, імя, по батькові; прізвище та імя; прізвище імя; імя та прізвище
        імя і прізвище; особа; звільнений
        прозвішча імя імя па бацьку; прозвішча, імя, імя па бацьку; прозвішча імя па бацьку; прозвішча, імя
        прозвішча і імя; прозвішча імя; імя і прозвішча; імя прозвішча; асоба; палітвязень; вызвалены
        imię i nazwisko; nazwisko i imię; nazwisko imię; imie i nazwisko; nazwisko i imie; osoba; więzień
        vardas pavardė; vardas ir pavardė; vardas, pavardė; pavardė vardas; pavardė, vardas; pavardė ir vardas; asmuo
        name und vorname; vorname und name; vorname nachname; name, vorname; vor- und nachname; vollständiger name""",
    "surname": """surname; last name; family name; фамилия; прізвище; прозвішча; nazwisko; pavardė; nachname
        familienname""",
    "given_name": """given name; given names; first name; forename; имя; імя; імя (імёны); imię; imie; imiona; vardas
        vardai; vorname; vornamen""",
    "patronymic": """patronymic; middle name; отчество; по батькові; імя па бацьку; па бацьку; імя по батькові
        otczestwo; imię ojca; tėvavardis; vatersname""",
    "born": """born; birth; birth date; birthdate; birthday; date of birth; dob; year of birth; birth year
        год рождения; дата рождения; г р; гр; д р; др; рожд; родился; день рождения; год рожд; дата рожд
        рік народження; дата народження; р н; народився; рік нар
        год нараджэння; дата нараджэння; г н; дзень нараджэння; нарадзіўся
        rok urodzenia; data urodzenia; ur; urodzony; urodzona
        gimimo data; gimimo metai; gimęs; gimė; gim
        geburtsdatum; geburtsjahr; geboren; geb""",
    "age": """age; age years; возраст; лет; вік; років; узрост; гадоў; wiek; lat; amžius; metai; alter""",
    "sex": """sex; gender; пол; стать; пол (м/ж); płeć; plec; lytis; geschlecht""",
    "citizenship": """citizenship; citizenships; citizen of; nationality; country of citizenship; гражданство
        громадянство; грамадзянства; подданство; obywatelstwo; pilietybė; staatsangehörigkeit; staatsbürgerschaft""",
    "destination": """destination; destinations; countries; taken to; handed over to; sent to; куда; куда вывезен
        куда вывезли; направление; куди; напрямок; куды; куды вывезены; dokąd; kur; wohin""",
    "sentence": """sentence; term; sentenced to; punishment; срок; приговор; наказание; термін; вирок; покарання; строк
        тэрмін; прысуд; прыгавор; пакаранне; wyrok; kara; bausmė; nuosprendis; terminas; urteil; strafe; haftstrafe""",
    "facility": """facility; prison; colony; place of detention; held in; место заключения; колония; учреждение; ик
        где сидел; місце утримання; колонія; установа; месца зняволення; калонія; установа (калонія)
        miejsce osadzenia; zakład karny; kolonia; įkalinimo vieta; kalėjimas; haftort; gefängnis""",
    "note": """note; notes; comment; comments; remark; remarks; примечание; примечания; комментарий; примітка; примітки
        заўвага; заўвагі; каментар; uwagi; uwaga; pastaba; pastabos; anmerkung; bemerkung""",
    "number": """no; nr; n; #; number; line; п/п; пп; п п; номер; нумар; номер п/п
        no п/п; no пп; no п п; lp; l p; eil nr; ser; lfd nr""",
}

# A country is known by how its name, and its people's, begin in any of those languages and in any case. Sorted by
# length before they are used, so that Austria is not Australia's.
_COUNTRIES: Final[Mapping[str, str]] = {
    "AM": "армен армян вармен armen armėn ормян",
    "AT": "австри аўстры австрі austria austriak austrij österreich",
    "AU": "австрал аўстрал austral",
    "AZ": "азербайдж азэрбайдж azerb azerbaidž aserbai",
    "BE": "бельги бельгі belgi",
    "BG": "болгар балгар bulgar bułgar",
    "BY": "белару беларус білорус белорус belarus belarussian białoru bialoru baltarus weißruss weissruss рб",
    "CA": "канад canad kanad",
    "CH": "швейцар швайцар switzer swiss szwajcar šveicar schweiz",
    "CN": "китай китая китае китаю кітай кітая china chines chiny kinij chinas",
    "CY": "кипр кіпр cypr cyprus kipr zypern",
    "CZ": "чех чэш czech czechy čekij tschech чеш",
    "DE": "герман фрг нямеч нямец німеч німец german deutsch niemc niemie vokieti",
    "DK": "дания дании данию дацк данія даніі данію denmark danish dania duńs danij dänemark",
    "EE": "эстон естон eston estij estland",
    "ES": "испан іспан гішпан spain spanish spaniard hiszpan ispanij spanien",
    "FI": "финлянд финск фінлянд фінськ фінск finland finnish finlandi suomij finnland",
    "FR": "франц france french francj francuz prancūz frankreich",
    "GB": "великобритан британ вялікабрытан брытан uk britain british great-britain wielkobryt jungtin großbritan",
    "GE": "грузи грузин грузі georgia georgian gruzj gruziń gruzij georgien",
    "GR": "греци грэцы греція greece greek grecj graikij griechen",
    "HU": "венгр вугор угорщ hungar węg vengrij ungarn",
    "IE": "ирланд ірланд ireland irish irland airij",
    "IL": "израил ізраіл ізраїл israel izrael izraelij",
    "IT": "итал італ ital włoch włosk italij",
    "JP": "япон japan japon",
    "KG": "кирги кыргыз кіргіз kyrgyz kirgi",
    "KZ": "казахст казах kazakh kazach kasach",
    "LT": "литв литов літв літо літоў lithuan litwa litwy litwę litwą litewsk lietuv litau рл",
    "LV": "латви латыш латв латыс latvi łotw łotew latvij lettland",
    "MD": "молдав молдов малдав малдов moldov mołdaw moldau",
    "NL": "нидерланд нідэрланд нідерланд голланд галанд netherland dutch holand niderland niederland",
    "NO": "норвег нарвег norway norweg norvegij",
    "PL": "польш польск польшч поляк poland polish polska polski polsc polsk lenkij polen polnisch рп",
    "RO": "румын румун roman rumun rumän rumunij",
    "RS": "серби сербі serbia serbian serbij serbien",
    "RU": "росси рф россия россий расі расе расій росій росія russia rosja rosji rosyjs rusij russland russisch",
    "SE": "швец швэц sweden swedish szwec szwedz švedij schwed",
    "SK": "словак слават славак словач slovak słowac słowak slovakij slowak",
    "TJ": "таджик таджыц tajik tadżyk tadžik tadschik",
    "TM": "туркмен turkmen",
    "TR": "турц турец турэц турк турэч turkey turkish türk turcj turec turkij",
    "UA": "украин украін укра україн ukrain ukrai",
    "US": "сша зша амери амеры usa us america american stany-zjedn jav amerik",
    "UZ": "узбек uzbek",
    "XXA": "апатрид апатрыд stateless bezpaństw staatenlos негражданин негромадянин",
}
#: These are whole words: too many others begin so.
_WHOLE: Final = {"us", "uk", "рф", "рб", "рл", "рп", "jav"}
_STATELESS: Final = re.compile(
    r"без (?:гражданства|грамадзянства|громадянства)|no citizenship|be pilietybės|bez obywatelstwa"
)

#: No heading is longer, and no enumeration of countries.
_LONGEST: Final = 200

_SEXES: Final[Mapping[str, str]] = {
    v.Sex.FEMALE: "f female woman w ж жен женский женщина жанчына жаночы жін жінка жіноча kobieta moteris frau",
    v.Sex.MALE: "m male man м муж мужской мужчина мужчына мужчынскі чол чоловік чоловіча mężczyzna vyras mann männlich",
    v.Sex.OTHER: "other",
    "": "unknown неизвестно невядома невідомо",
}
SEXES: Final[Mapping[str, str]] = {word: sex for sex, text in _SEXES.items() for word in text.split()}

# Who is on a list without a name. Alone, or beside what a human being is called: Неизвестный is a surname too.
_NOBODY: Final = re.compile(
    r"(?<!\w)(?:неизвестн\w*|невядом\w*|невідом\w*|безымянн\w*|безіменн\w*|unknown|unnamed|unidentified|anonym\w*|nieznan\w*"
    r"|nežinom\w*|unbekannt\w*|nn|n\.n\.?|нн|н\.н\.?|не (?:назван|указан|раскрыт|назв|вказан|розкрит|названы|вядома)\w*"
    r"|без (?:имени|імя|імені|імен)|not (?:named|known|given|disclosed)|nie podano|withheld)(?!\w)"
)
_SOMEBODY: Final = frozenset(
    re.findall(
        r"\w+",
        "a an the one another name имя фамилия имена імя імёны прозвішча прізвище nazwisko imię vardas pavardė"
        " person man woman human человек люди мужчина женщина лицо еще чалавек асоба людзіна жанчына мужчына яшчэ"
        " людина особа жінка чоловік ще osoba kobieta mężczyzna asmuo moteris vyras frau mann",
    )
)
#: What stands in place of a name.
_DASHES: Final = re.compile(r"[-–—?…]|\?{2,3}|\.{3}")


def plain(text: str) -> str:
    text = re.sub("['`´ʼ‘’′\"«»“”„]", "", names.clean(text)).casefold().replace("ё", "е")
    return " ".join(one_script(word) for word in text.split())


def header(text: str) -> str:
    """Which column the text is the heading of; nothing for what is no heading that is known here."""
    if len(text) > _LONGEST:
        return ""
    text = re.sub(r"\(.*?\)|\[.*?\]", " ", plain(text).replace("_", " "))
    text = re.sub(r"[.:№*]", " ", text.replace("№", " no "))
    return _headers().get(" ".join(text.split()), "")


@cache
def _headers() -> dict[str, str]:
    return {
        plain(words): column
        for column, table in _HEADERS.items()
        for words in re.split(r";|\n", table)
        if words.strip()
    }


def countries(text: str) -> tuple[str, ...] | None:
    """The codes of what is nothing but countries: codes, names, peoples; None for any other text."""
    if len(text) > _LONGEST:
        return None
    if _STATELESS.fullmatch(plain(text)):
        return (v.STATELESS,)
    found = []
    for word in re.split(r"[\s,;/+&]+", names.clean(text).strip(" .")):
        if word in ("и", "і", "й", "та", "and", "i", "ir", "und", "or", "или", "або", "ці"):
            continue
        code = word.upper() if word.upper() in _codes() else country(word)
        if not code:
            return None
        found.append(code)
    return tuple(dict.fromkeys(found)) or None


@cache
def _codes() -> frozenset[str]:
    return frozenset(v.country_codes())


def country(word: str) -> str:
    word = plain(word).strip(".,;:!?()")
    if word in _WHOLE:
        return next(code for code, stems in _COUNTRIES.items() if word in stems.split())
    return next((code for stem, code in _stems() if word.startswith(stem)), "")


@cache
def _stems() -> list[tuple[str, str]]:
    found = [(stem, code) for code, stems in _COUNTRIES.items() for stem in stems.split() if stem not in _WHOLE]
    return sorted(found, key=lambda pair: -len(pair[0]))


def blank(text: str) -> bool:
    """Whether a cell says that it says nothing."""
    return _DASHES.fullmatch(names.clean(text)) is not None


def nobody(text: str) -> bool:
    """Whether the text says that there is no name."""
    text = plain(text).strip(" ()[],;")
    if _DASHES.fullmatch(text):
        return True
    rest, times = _NOBODY.subn(" ", text)
    return times > 0 and {word.strip(".,;:()") for word in rest.split()} <= _SOMEBODY | {""}


def sex(text: str) -> str | None:
    """None for what is no sex."""
    return SEXES.get(plain(text).strip(" .,()"))


def sex_within(text: str) -> str:
    """Of the human being that a text without a name speaks of."""
    found = {SEXES[word] for word in re.findall(r"\w{3,}", plain(text)) if word in SEXES} - {""}
    return found.pop() if len(found) == 1 else ""
