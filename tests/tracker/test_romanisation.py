"""The tables of romanisation, rule by rule. Names of places are those that the standards themselves give."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.names import clean, script_of
from tracker.names.romanisation import Proposal, guess_language, possible_languages, proposals, romanise
from tracker.vocabularies import Language, NameKind, NameScheme, Script

BE, RU, UK, EN = Language.BE, Language.RU, Language.UK, Language.EN
TABLES = [
    (language, scheme)
    for language, schemes in {
        BE: "by_passport bgn_pcgn by_2007 lacinka media",
        RU: "from_russian bgn_pcgn media",
        UK: "ua_2010 bgn_pcgn media",
    }.items()
    for scheme in map(NameScheme, schemes.split())
]
ALPHABETS = {
    BE: "абвгдеёжзійклмнопрстуўфхцчшыьэюя’",
    RU: "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    UK: "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя’",
}


def pairs(lines):
    return [tuple(part.strip() for part in line.split("=")) for line in lines.strip().splitlines()]


@pytest.mark.parametrize(
    ("name", "latin"),
    pairs("""
    Марыя Калеснікава = Maryia Kalesnikava
    Віктар Бабарыка = Viktar Babaryka
    Аляксандр Бяляцкі = Aliaksandr Bialiatski
    Ігар = Ihar
    Уладзімір = Uladzimir
    Сяргей = Siarhei
    Яўген = Yauhen
    Яўгенія = Yauheniya
    Яўгеній = Yauheni
    Зіновій-Анатолій = Zinovi-Anatoli
    Дзмітрый = Dzmitry
    Юрый = Yury
    Дар'я = Darya
    Юлія Зоя = Yuliya Zoya
    Вікторыя = Viktoryia
    Таццяна = Tatsiana
    Наталля Анна = Natallia Anna
    Кацярына = Katsiaryna
    Любоў Вольга = Liubou Volha
    Цішкоўская = Tsishkouskaya
    Салаўёў Вераб'ёў Маёраў = Salauyou Verabyou Mayorau
    Васільева Андрэева = Vasilyeva Andreyeva
    Ёрш Кавалёў = Yorsh Kavaliou
    Еўдакія Хведаровіч = Yeudakiya Khvedarovich
    Шчэрба Жук Чыж = Shcherba Zhuk Chyzh
    Д'Арк = D’Ark
    """),
)
def test_belarusian_passports(name, latin):
    assert romanise(name, BE, NameScheme.BY_PASSPORT) == latin


@pytest.mark.parametrize(
    ("name", "latin"),
    pairs("""
    Марыя Калеснікава = Maryya Kalyesnikava
    Вілейка = Vilyeyka
    Віцебск = Vitsyebsk
    Гомель = Homyel’
    Ёдкавічы = Yodkavichy
    Нёман = Nyoman
    Жлобін = Zhlobin
    Йосель = Yosyel’
    Магілёў = Mahilyow
    Іўе = Iwye
    Хатынь = Khatyn’
    Стоўбцы = Stowbtsy
    Шчара = Shchara
    Чэрыкаў = Cherykaw
    Івянец = Ivyanyets
    Юры уюн = Yury uyun
    Вялікія Вераб’евічы = Vyalikiya Vyerab”yevichy
    """),
)
def test_belarusian_by_bgn_pcgn(name, latin):
    assert romanise(name, BE, NameScheme.BGN_PCGN) == latin


@pytest.mark.parametrize(
    ("name", "by_2007", "lacinka"),
    pairs("""
    Марыя Калеснікава = Maryja Kaliesnikava = Maryja Kalesnikava
    Гаўя = Haŭja = Haŭja
    Ельск = Jeĺsk = Jelsk
    Бабаедава = Babajedava = Babajedava
    Вераб'ёвічы = Vierabjovičy = Vierabjovičy
    Мёры = Miory = Miory
    Лагойск = Lahojsk = Łahojsk
    Любань = Liubań = Lubań
    Магілёў = Mahilioŭ = Mahiloŭ
    Нясвіж = Niasviž = Niasviž
    Рось = Roś = Roś
    Хоцімск = Chocimsk = Chocimsk
    Шаркаўшчына = Šarkaŭščyna = Šarkaŭščyna
    Друць = Druć = Druć
    Цюрлі = Ciurli = Ciurli
    Чачэрск = Čačersk = Čačersk
    Крэзь Лядзь = Kreź Liadź = Kreź Ladź
    Наталля Ілля = Natallia Illia = Natalla Illa
    Васільева = Vasiĺjeva = Vasiljeva
    Ляля Лапата = Lialia Lapata = Lala Łapata
    """),
)
def test_belarusian_with_signs(name, by_2007, lacinka):
    assert romanise(name, BE, NameScheme.BY_2007) == by_2007
    assert romanise(name, BE, NameScheme.LACINKA) == lacinka


@pytest.mark.parametrize(
    ("name", "bgn_pcgn", "icao", "media"),
    pairs("""
    Мария Колесникова = Mariya Kolesnikova = Mariia Kolesnikova = Maria Kolesnikova
    Александр = Aleksandr = Aleksandr = Alexander
    Сергей Николай = Sergey Nikolay = Sergei Nikolai = Sergei Nikolai
    Евгений = Yevgeniy = Evgenii = Yevgeny
    Алексей Андреевич = Aleksey Andreyevich = Aleksei Andreevich = Alexei Andreyevich
    Дмитрий Юрий = Dmitriy Yuriy = Dmitrii Iurii = Dmitry Yuri
    Елизово Чапаевск = Yelizovo Chapayevsk = Elizovo Chapaevsk = Yelizovo Chapayevsk
    Мейеровка = Meyyerovka = Meierovka = Meyerovka
    Юрьев = Yur’yev = Iurev = Yuryev
    Подъездов = Pod”yezdov = Podieezdov = Podyezdov
    Ёлкин Соловьёв = Yëlkin Solov’yëv = Elkin Solovev = Yolkin Solovyov
    Щукин Грачёв = Shchukin Grachëv = Shchukin Grachev = Shchukin Grachev
    Пётр Артём = Pëtr Artëm = Petr Artem = Pyotr Artyom
    Петр Артем = Petr Artem = Petr Artem = Pyotr Artyom
    Чёрный Грозный = Chërnyy Groznyy = Chernyi Groznyi = Cherny Grozny
    Горский Ильич = Gorskiy Il’ich = Gorskii Ilich = Gorsky Ilyich
    Майоров Зайцев Йодко = Mayorov Zaytsev Yodko = Maiorov Zaitsev Iodko = Mayorov Zaitsev Yodko
    Лия Цой Эльза = Liya Tsoy El’za = Liia Tsoi Elza = Lia Tsoi Elza
    """),
)
def test_russian(name, bgn_pcgn, icao, media):
    assert romanise(name, RU, NameScheme.BGN_PCGN) == bgn_pcgn
    assert romanise(name, RU, NameScheme.FROM_RUSSIAN) == icao
    assert romanise(name, RU, NameScheme.MEDIA) == media


@pytest.mark.parametrize(
    ("name", "ua_2010", "media"),
    pairs("""
    Марія Колесникова = Mariia Kolesnykova = Maria Kolesnykova
    Алушта = Alushta = Alushta
    Борщагівка = Borshchahivka = Borshchahivka
    Ґалаґан = Galagan = Galagan
    Згурський Розгон = Zghurskyi Rozghon = Zghursky Rozghon
    Єнакієве = Yenakiieve = Yenakiyeve
    Короп'є = Koropie = Koropye
    Їжакевич = Yizhakevych = Yizhakevych
    Кадиївка = Kadyivka = Kadyivka
    Мар'їне = Marine = Marine
    Йосипівка = Yosypivka = Yosypivka
    Сергій Олексій = Serhii Oleksii = Serhiy Oleksiy
    Юрій Крюківка = Yurii Kriukivka = Yuriy Kriukivka
    Яготин Ічня = Yahotyn Ichnia = Yahotyn Ichnia
    Знам'янка = Znamianka = Znamyanka
    Феодосія = Feodosiia = Feodosia
    Маєвська Цибуля = Maievska Tsybulia = Mayevska Tsybulia
    """),
)
def test_ukrainian(name, ua_2010, media):
    assert romanise(name, UK, NameScheme.UA_2010) == romanise(name, UK, NameScheme.BGN_PCGN) == ua_2010
    assert romanise(name, UK, NameScheme.MEDIA) == media


@pytest.mark.parametrize(
    ("name", "latin"),
    pairs("""
    Марыя = Maria
    Юлія Вікторыя = Yulia Viktoria
    Яўгенія Яўгеній = Yauhenia Yauheni
    Аляксандр Цішкоўская = Aliaksandr Tsishkouskaya
    """),
)
def test_belarusian_names_in_newspapers(name, latin):
    assert romanise(name, BE, NameScheme.MEDIA) == latin


@pytest.mark.parametrize(
    ("name", "latin"),
    [
        ("ЮЛІЯ ХВОСТ", "YULIYA KHVOST"),
        ("юлія хвост", "yuliya khvost"),
        ("Ю. Я. Хвост", "Yu. Ya. Khvost"),
        ("Ю. ХВОСТ", "YU. KHVOST"),
        ("Ю.", "Yu."),
        ("ХВОСТ Юлія", "KHVOST Yuliya"),
        ("МакЮраў", "MakIurau"),
        ("Яна-Ева", "Yana-Yeva"),
        ("  Яна\u00a0 Хвост ", "Yana Khvost"),
        ("Яна Khvost", "Yana Khvost"),
        ("Iван", "Ivan"),  # a Latin I
        ("Хво́ст", "Khvost"),
        ("Хвѝст Бо\u0301йка", "Khvist Boika"),
        ("Яна (Юля) «Ёж» №2", "Yana (Yulia) «Yozh» №2"),
        ("Яна 'Ёж' Хвост", "Yana 'Yozh' Khvost"),
        ("Щур Їжак Ђура", "Shchur Izhak Djura"),
        ("José Хвост", "José Khvost"),
        ("İÇ Хвост", "İÇ Khvost"),
        ("", ""),
    ],
)
def test_what_stands_around_the_letters_stays(name, latin):
    assert romanise(name, BE, NameScheme.BY_PASSPORT) == latin


@pytest.mark.parametrize("apostrophe", "'`´ʹʼʽˈˊˋ‘’‛′‵＇ꞌ")
def test_every_apostrophe_is_one(apostrophe):
    assert romanise(f"Вераб{apostrophe}ёў", BE, NameScheme.BY_PASSPORT) == "Verabyou"
    assert romanise(f"Знам{apostrophe}янка", UK, NameScheme.UA_2010) == "Znamianka"


def test_the_original_is_only_cleaned_and_other_tables_there_are_none():
    assert romanise(" Аляксеи\u0306 ", BE, NameScheme.ORIGINAL) == "Аляксей"
    for language, scheme in [(BE, NameScheme.FROM_RUSSIAN), (RU, NameScheme.LACINKA), (EN, NameScheme.MEDIA)]:
        with pytest.raises(ValueError, match="has no table for"):
            romanise("Аляксей", language, scheme)


def test_proposals():
    def offered(text, language):
        return [(found.scheme.value, found.text) for found in proposals(text, language)]

    assert offered("Марыя Калеснікава", BE) == [
        ("by_passport", "Maryia Kalesnikava"),
        ("bgn_pcgn", "Maryya Kalyesnikava"),
        ("media", "Maria Kalesnikava"),
    ]
    assert offered("Мария Колесникова", RU) == [
        ("from_russian", "Mariia Kolesnikova"),
        ("bgn_pcgn", "Mariya Kolesnikova"),
        ("media", "Maria Kolesnikova"),
    ]
    assert offered("Марія Колесникова", UK) == [("ua_2010", "Mariia Kolesnykova"), ("media", "Maria Kolesnykova")]
    # the same by every table is one spelling
    assert offered("Виктор Бабарико", RU) == [("from_russian", "Viktor Babariko")]
    assert proposals("Марыя Калеснікава", BE)[::2] == [
        Proposal("Maryia Kalesnikava", BE, Script.LATN, NameScheme.BY_PASSPORT, NameKind.ROMANISED),
        Proposal("Maria Kalesnikava", EN, Script.LATN, NameScheme.MEDIA, NameKind.MEDIA),
    ]
    for text, language in [("Maria", BE), ("Марыя", Language.PL), ("", RU), ("№ 1", UK), ("Maria Калеснікава", EN)]:
        assert proposals(text, language) == []


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("Марыя Калеснікава", [BE]),
        ("Ўладзімір", [BE]),
        ("Дзмітрый", [BE]),
        ("Мария Пыжова", [RU]),
        ("Объедков", [RU]),
        ("Артём", [RU]),
        ("Марія", [UK]),
        ("Ґалаґан", [UK]),
        ("Єва", [UK]),
        ("Щур", [RU, UK]),
        ("Мария", [RU, UK]),
        ("Дар'я", [BE, UK]),
        ("Андрей", [RU, UK]),
        ("Сяргей", [BE, RU, UK]),
        ("Анна Новак", [BE, RU, UK]),
        ("Ґўї", []),
        ("Ђура", []),
        ("Maria", []),
        ("Mаria", []),  # one Cyrillic letter in a Latin word
        ("№ 1", []),
        ("", []),
    ],
)
def test_languages_that_the_letters_leave(text, languages):
    assert list(possible_languages(text)) == languages
    assert guess_language(text) == (languages[0] if len(languages) == 1 else None)


NAMES_AND_TABLES = st.sampled_from(TABLES).flatmap(
    lambda table: st.tuples(
        st.just(table),
        st.text(ALPHABETS[table[0]] + ALPHABETS[table[0]].upper() + " -́", max_size=30),
    )
)


@given(NAMES_AND_TABLES)
def test_a_name_of_the_language_comes_out_in_latin_letters(drawn):
    (language, scheme), name = drawn
    latin = romanise(name, language, scheme)
    assert script_of(latin) in {Script.LATN, Script.ZYYY}
    assert not any(unicodedata.name(letter, "").startswith("CYRILLIC") for letter in latin)
    assert latin == clean(latin)
    assert latin == romanise(unicodedata.normalize("NFD", name), language, scheme)
    assert len(proposals(name, language)) == len({found.text.casefold() for found in proposals(name, language)})


@given(NAMES_AND_TABLES)
def test_the_case_of_words_is_kept(drawn):
    (language, scheme), name = drawn
    latin = romanise(name.lower(), language, scheme)
    assert latin == latin.lower()
    assert romanise(name.upper(), language, scheme).casefold() == latin.casefold()
    if sum(letter.isalpha() for letter in name) > 1 and " " not in name and "-" not in name:
        assert romanise(name.upper(), language, scheme) == latin.upper()


@given(st.text(max_size=40), st.sampled_from(TABLES))
def test_any_text_has_an_answer(text, table):
    language, scheme = table
    latin = romanise(text, language, scheme)
    assert not any(unicodedata.name(letter, "").startswith("CYRILLIC") for letter in latin)
    assert latin == romanise(text, language, scheme)
    for guess in possible_languages(text):
        proposals(text, guess)


def test_a_long_text_takes_no_longer_than_its_length():
    assert romanise("Марыя" * 2000, BE, NameScheme.BY_PASSPORT).startswith("MaryiaMary")
