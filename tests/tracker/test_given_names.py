"""The file of given names: well formed, each form where it belongs, names that only look alike kept apart."""

import csv
import re
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import pytest

import tracker.names
from tracker.names import clean, script_of
from tracker.vocabularies import Script

FOLDER = Path(tracker.names.__file__).parent
ALPHABETS = {
    "be": "абвгдеёжзійклмнопрстуўфхцчшыьэюя'",
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя'",
}
SCRIPTS = dict.fromkeys(ALPHABETS, Script.CYRL) | dict.fromkeys(("pl", "lt", "lv", "de", "en"), Script.LATN)
KINDS = {"formal", "variant", "diminutive"}


class Row(NamedTuple):
    name: str
    sex: str
    form: str
    language: str
    kind: str
    source: str


def _read() -> tuple[list[str], list[Row]]:
    with (FOLDER / "given_names.csv").open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file, strict=True)
    return header, [Row(*line) for line in lines]


HEADER, ROWS = _read()
SEXES: dict[str, set[str]] = defaultdict(set)
GROUPS: dict[str, set[str]] = defaultdict(set)  # of a form, in whatever part
WHOLE: dict[str, set[str]] = defaultdict(set)  # of a form that is more than a diminutive there
for _row in ROWS:
    SEXES[_row.name].add(_row.sex)
    GROUPS[_row.form].add(_row.name)
    if _row.kind != "diminutive":
        WHOLE[_row.form].add(_row.name)


def test_every_row_is_well_formed() -> None:
    assert tuple(HEADER) == Row._fields
    assert [
        row
        for row in ROWS
        if not re.fullmatch("[a-z]+", row.name)
        or row.sex not in {"f", "m"}
        or row.language not in SCRIPTS
        or row.kind not in KINDS
        or row.form != clean(row.form)
        or not re.fullmatch(r"[^\W\d_](?:'?[^\W\d_])+", row.form)
        or row.form != row.form.capitalize()
    ] == []


def test_the_letters_fit_the_language() -> None:
    # Of every letter: a Latin "a" in a Cyrillic word would leave the script of the word as it is.
    assert [
        row
        for row in ROWS
        if any(script_of(letter) != SCRIPTS[row.language] for letter in row.form if letter != "'")
        or (row.language in ALPHABETS and set(row.form.lower()) - set(ALPHABETS[row.language]))
    ] == []


def test_belarusian_is_spelt_as_belarusian_is() -> None:
    # The hard consonants, and т and д that are never soft in a native spelling.
    assert [row for row in ROWS if row.language == "be" and re.search("[дтрчшж]і|[рчшж][еёюя]", row.form.lower())] == []


def test_no_form_stands_twice_in_a_group_and_language() -> None:
    counted = Counter((row.name, row.language, row.form) for row in ROWS)
    assert [key for key, count in counted.items() if count > 1] == []


def test_the_file_is_sorted_by_group() -> None:
    names = [row.name for row in ROWS]
    assert names == sorted(names)


def test_there_are_groups_enough_and_each_is_of_one_sex_and_has_a_formal_name() -> None:
    assert len(SEXES) >= 1000
    assert [name for name, sexes in SEXES.items() if len(sexes) != 1] == []
    languages: dict[str, set[str]] = defaultdict(set)
    formal: dict[str, set[str]] = defaultdict(set)
    for row in ROWS:
        languages[row.name].add(row.language)
        if row.kind == "formal":
            formal[row.name].add(row.language)
    assert [name for name in languages if not formal[name] & {"be", "ru"} and languages[name] & {"be", "ru"}] == []
    assert set(formal) == set(languages)


def test_a_whole_name_is_of_one_sex() -> None:
    """A form of groups of both sexes is a diminutive in those of one sex: Янка is Ян, and short for Яна."""
    assert {
        form: names for form, names in WHOLE.items() if len(set().union(*(SEXES[name] for name in names))) > 1
    } == {}


def test_the_sources_are_those_explained() -> None:
    explained = re.findall(r"^- `(\w+)`:", (FOLDER / "given_names.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(explained) == len(set(explained))
    assert set(explained) == {row.source for row in ROWS}


@pytest.mark.parametrize(
    "forms",
    [
        "Аляксандр Алесь Аляксандар Александр Олександр Aleksander Aleksandras Aleksandrs Alexander Alexandr Ales Саша",
        "Мікалай Мікола Николай Микола Mikołaj Mikalojus Nikolajus Nikolajs Nikolai Nicholas Nikolaus Коля",
        "Дзмітрый Зміцер Дмитрий Дмитро Dymitr Dmitrijus Dmitry Zmicier Дима",
        "Кацярына Катарына Екатерина Катерина Katarzyna Kotryna Jekaterina Katharina Catherine Катя",
        "Уладзімір Уладзімер Владимир Володимир Włodzimierz Vladimiras Vladimirs Wladimir Вова",
        "Марыя Мария Марія Maria Marija Maryja Mary Маша",
        "Ганна Анна Hanna Anna Ona Anne",
        "Вольга Ольга Olga Olha Оля",
        "Алена Елена Олена Helena Elena Jelena Helen Лена",
        "Ірына Ирина Ірина Irena Irina Irene",
        "Сяргей Сергей Сергій Sergiusz Sergejus Sergejs Sergej Sergei",
        "Яўген Яўгеній Евгений Євген Eugeniusz Jevgenijus Eugene Женя",
        "Юрый Юры Юрась Юрий Юрій Jerzy Jurijus Jurgis",
        "Канстанцін Кастусь Константин Костянтин Konstanty Konstantinas",
        "Міхаіл Міхась Михаил Михайло Michał Mykolas Michael",
        "Рыгор Григорий Григорій Grzegorz Grigorijus Gregory Hryhorij",
        "Іосіф Язэп Юзаф Иосиф Осип Йосип Józef Juozas Joseph",
        "Фёдар Хведар Тодар Фёдор Федор Федір Teodor Theodore",
        "Піліп Филипп Пилип Filip Philip",
        "Апанас Афанасий Опанас Панас Athanasius",
        "Тамаш Фама Хама Фома Хома Tomasz Thomas",
        "Павел Павал Паўло Павло Paweł Paulius Povilas Paul",
        "Пётр Пятро Петро Piotr Petras Peter",
        "Ілья Илья Ілля Eliasz Elijah",
        "Яўгенія Евгения Євгенія Eugenia",
        "Настасся Анастасія Анастасия Anastazja Анастасія Настя",
        "Дар'я Дарья Дарія Daria",
        "Соф'я София Софія Zofia Sofija",
        "Еўдакія Аўдоцця Евдокия Євдокія Авдотья",
        "Ксенія Аксіння Ксения Xenia",
        "Святлана Сьвятлана Светлана Світлана Swietłana Svetlana",
        "Наталля Натальля Наталья Наталія Natalia Nathalie",
        "Таццяна Тацяна Татьяна Тетяна Tatjana",
        "Надзея Надежда Надія Nadzieja Nadežda",
        "Лізавета Альжбета Елизавета Єлизавета Elżbieta Elizabeth",
        "Тадэвуш Тадеуш Tadeusz Tadas",
        "Генадзь Геннадий Геннадій Genadijus",
    ],
)
def test_forms_of_one_name_share_a_group(forms: str) -> None:
    assert set.intersection(*(GROUPS[form] for form in forms.split()))


@pytest.mark.parametrize(
    "forms",
    [
        "Марыя Марына Марта Мар'яна Марцэля",
        "Аляксандр Аляксей Альгерд",
        "Аляксандр Аляксандра",
        "Мікалай Мікіта Міхаіл Нікадзім",
        "Mykola Mykolas",
        "Уладзімір Уладзіслаў Уладлен",
        "Станіслаў Святаслаў Яраслаў Міраслаў Вячаслаў Мечыслаў Браніслаў Чэслаў Вацлаў Расціслаў",
        "Алена Аліна Алеся Ала Ілона Галіна Эліна",
        "Ірына Іна Інга Іраіда",
        "Вольга Алег",
        "Яна Ганна Іна Жанна Яніна",
        "Дзмітрый Дзяніс Дзям'ян",
        "Раман Рамуальд Рамзан",
        "Віктар Віталь Вітаўт Вінцэнт",
        "Юлія Юліяна Ульяна",
        "Караліна Кацярына Карына Крысціна",
        "Наталля Наста Ніна",
        "Георгій Ягор Рыгор Юрый",
        "Лявон Леанард Леапольд Леў",
        "Валерый Валянцін Васіль",
        "Валерыя Валянціна Варвара",
        "Людміла Любоў Лідзія Лілія Ларыса",
        "Святлана Святаслава Снежана",
        "Захар Зянон Зіновій",
        "Данііл Давід Данат",
        "Арцём Артур Арсень Аркадзь",
        "Эдуард Эдмунд Эдгар Эльдар",
        "Ібрагім Абрам",
        "Юсуф Іосіф",
        "Муса Майсей",
        "Вера Вераніка Вікторыя",
        "Паліна Палагея Параскева",
        "Дар'я Дарота Дзіяна",
        "Яўген Яўхім Якім",
        "Цімафей Тымур Ціхан",
        "Максім Макар Марк Мацвей",
    ],
)
def test_names_that_only_look_alike_are_apart(forms: str) -> None:
    for one, other in combinations(forms.split(), 2):
        assert WHOLE[one], one
        assert WHOLE[other], other
        assert not WHOLE[one] & WHOLE[other], (one, other)


@pytest.mark.parametrize("form", ["Саша", "Валя", "Женя", "Слава", "Шура"])
def test_some_short_names_are_of_men_and_of_women(form: str) -> None:
    assert set().union(*(SEXES[name] for name in GROUPS[form])) == {"f", "m"}
    assert not WHOLE[form]
