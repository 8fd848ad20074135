"""Lists of people as they arrive: any encoding, lines or a table, and a sentence for what cannot be read."""

import contextlib
import csv
import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.data import broken
from tests.data.broken import saved
from tracker import names
from tracker.dates import ImpreciseDate, parse
from tracker.lists import COLUMNS, Line, ListError, lines, read
from tracker.lists.details import mended

DATA = Path(broken.__file__).parents[1]

LIST = "Марыя Прыкладная\r\nІван Тэставы\n"


def said(data, **confirmed):
    return lines(read(data), **confirmed)


def told(line):
    """What a line says besides its name, number and print."""
    return {
        key: value.edtf if isinstance(value, ImpreciseDate) else value
        for key, value in vars(line).items()
        if value and key not in ("number", "printed", "name")
    }


# --- One name a line


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251"])
def test_encodings(encoding):
    assert [line.name for line in said(LIST.encode(encoding))] == ["Марыя Прыкладная", "Іван Тэставы"]
    assert [line.name for line in said(LIST)] == ["Марыя Прыкладная", "Іван Тэставы"]


NAME = "Прыкладны Мікалай"


@pytest.mark.parametrize(
    ("line", "name", "details"),
    [
        # numbers and bullets
        ("1. Прыкладны Мікалай", NAME, {}),
        ("1) Прыкладны Мікалай", NAME, {}),
        ("(1) Прыкладны Мікалай", NAME, {}),
        ("1.Прыкладны Мікалай;", NAME, {}),
        ("№ 1 Прыкладны Мікалай", NAME, {}),
        ("No. 1: Прыкладны Мікалай", NAME, {}),
        ("12 Прыкладны Мікалай", NAME, {}),
        ("1 - Прыкладны Мікалай.", NAME, {}),
        ("1.\tПрыкладны Мікалай", NAME, {}),
        ("- Прыкладны Мікалай", NAME, {}),
        ("–Прыкладны Мікалай", NAME, {}),
        ("• Прыкладны Мікалай", NAME, {}),
        ("* 7. Прыкладны Мікалай", NAME, {}),
        ("· Прыкладны   Мікалай", "Прыкладны Мікалай", {}),
        # the name
        ("ПРЫКЛАДНЫ Мікалай", "ПРЫКЛАДНЫ Мікалай", {}),
        ("Прыкладны, Мікалай", NAME, {}),
        ("Прыкладны, Мікалай Іванавіч, 45 гадоў", "Прыкладны Мікалай Іванавіч", {"age": 45}),
        ("Прыкладны, М. І.", "Прыкладны М. І.", {}),
        ("Прыкладны М.І.", "Прыкладны М.І.", {}),
        ("Прыкладны - Тэст Мікалай", "Прыкладны Тэст Мікалай", {}),
        ("Прыкладны-Тэст Мікалай", "Прыкладны-Тэст Мікалай", {}),
        ("Прикладов Азад Тест оглы 1980 г.р.", "Прикладов Азад Тест оглы", {"born": "1980"}),
        ("Прыкл\u00adадны\u00a0Мікалай\u200f", NAME, {}),
        ("Прыклaдны Мiкaлaй", NAME, {}),  # Latin a and i
        ("Неизвестный Иван", "Неизвестный Иван", {}),
        ("Anna Nnova", "Anna Nnova", {}),
        ("Anna", "Anna", {}),
        # ages
        ("Прыкладны Мікалай, 45 лет", NAME, {"age": 45}),
        ("Прыкладны Мікалай 45 гадоў", NAME, {"age": 45}),
        ("Прыкладны Мікалай (45 років)", NAME, {"age": 45}),
        ("Прыкладны Мікалай — 45", NAME, {"age": 45}),
        ("Прыкладны Мікалай,45", NAME, {"age": 45}),
        ("Mikalai Testau, aged 45", "Mikalai Testau", {"age": 45}),
        ("Mikalai Testau (45 years old)", "Mikalai Testau", {"age": 45}),
        ("Mikałaj Testau, 45 l.", "Mikałaj Testau", {"age": 45}),
        ("Mikalai Testau aged 17", "Mikalai Testau", {"age": 17}),
        ("Mikalai Testau, 342", "Mikalai Testau", {"note": "342"}),
        ("Mikalai Testau, 8 years", "Mikalai Testau", {"note": "8 years"}),
        ("Mikalai Testau, 12", "Mikalai Testau", {"note": "12"}),
        # births
        ("Прыкладны Мікалай, 1980 г.р.", NAME, {"born": "1980"}),
        ("Прыкладны Мікалай 1980 г. н.", NAME, {"born": "1980"}),
        ("Прыкладны Мікалай, 1980 года рождения", NAME, {"born": "1980"}),
        ("Прыкладны Мікалай, нар. 1980", NAME, {"born": "1980"}),
        ("Прыкладны Мікалай, нар. 05.03.1980 г.", NAME, {"born": "1980-03-05"}),
        ("Прыкладны Мікалай нарадзіўся ў 1980", NAME, {"born": "1980"}),
        ("Прикладний Микола, 1980 р.н.", "Прикладний Микола", {"born": "1980"}),
        ("Mikalai Testau b. 1980", "Mikalai Testau", {"born": "1980"}),
        ("Mikalai Testau (born 1980-03-05)", "Mikalai Testau", {"born": "1980-03-05"}),
        ("Mikalai Testau, ur. 1980", "Mikalai Testau", {"born": "1980"}),
        ("Mikalai Testau; d.o.b. 05.03.1980", "Mikalai Testau", {"born": "1980-03-05"}),
        ("Mikalai Testau (1980)", "Mikalai Testau", {"born": "1980"}),
        ("Mikalai Testau [05.03.1980]", "Mikalai Testau", {"born": "1980-03-05"}),
        ("Mikalai Testau (2021)", "Mikalai Testau", {"note": "2021"}),
        ("Mikalai Testau, 13.12.2025", "Mikalai Testau", {"note": "13.12.2025"}),
        ("Mikalai Testau, 31.02.1980", "Mikalai Testau", {"note": "31.02.1980"}),
        ("Mikalai Testau, 05/03/1980", "Mikalai Testau", {"note": "05/03/1980"}),
        ("Прыкладны Мікалай, 1980, 45 лет", NAME, {"born": "1980", "age": 45}),
        # sentences
        ("Прыкладны Мікалай, 45 лет, 8 лет", NAME, {"age": 45, "sentence": "8 лет"}),
        ("Прыкладны Мікалай — 5 лет колонии", NAME, {"sentence": "5 лет колонии"}),
        ("Прыкладны Мікалай, 10,5 гадоў", NAME, {"sentence": "10,5 гадоў"}),
        ("Прыкладны Мікалай, 5 лет и 6 месяцев", NAME, {"sentence": "5 лет и 6 месяцев"}),
        ("Прыкладны Мікалай осуждён на 8 лет", NAME, {"sentence": "осуждён на 8 лет"}),
        ("Mikalai Testau: 6 years in prison", "Mikalai Testau", {"sentence": "6 years in prison"}),
        ("Прыкладны Мікалай, 7 месяцев", NAME, {"note": "7 месяцев"}),
        ("Прыкладны Мікалай, пожизненно", NAME, {"sentence": "пожизненно"}),
        ("Прыкладны Мікалай, 20 лет, 25 лет", NAME, {"note": "20 лет; 25 лет"}),
        # citizenships
        ("Прыкладны Мікалай, гражданин Литвы", NAME, {"citizenships": ("LT",)}),
        ("Прыкладны Мікалай гражданин Литвы", NAME, {"citizenships": ("LT",)}),
        ("Mikalai Testau (Ukrainian citizen)", "Mikalai Testau", {"citizenships": ("UA",)}),
        ("Mikalai Testau, citizen of Belarus and Poland", "Mikalai Testau", {"citizenships": ("BY", "PL")}),
        ("Mikalai Testau, citizen of Ruritania", "Mikalai Testau", {"note": "citizen of Ruritania"}),
        ("Mikalai Testau, Литва", "Mikalai Testau", {"note": "Литва"}),
        # what is not understood
        ("Прыкладны Мікалай (журналіст), муж Ганны, ж", NAME, {"sex": "female", "note": "муж Ганны; журналіст"}),
        ("Прыкладны, Мінск", "Прыкладны", {"note": "Мінск"}),
        # nobody's name
        ("неизвестный", "", {"unnamed": True}),
        ("7. —", "", {"unnamed": True}),
        ("?", "", {"unnamed": True}),
        ("unnamed", "", {"unnamed": True}),
        ("N.N.", "", {"unnamed": True}),
        ("Імя не названа", "", {"unnamed": True}),
        ("невядомая жанчына, 45 гадоў", "", {"unnamed": True, "sex": "female", "age": 45}),
        ("неизвестная женщина 45 лет", "", {"unnamed": True, "sex": "female", "age": 45}),
        ("неизвестный гражданин Японии", "", {"unnamed": True, "citizenships": ("JP",)}),
        ("мужчина (имя не названо)", "", {"unnamed": True, "sex": "male"}),
    ],
)  # fmt: skip
def test_a_line(line, name, details):
    (found,) = said(line)
    assert found.name == name
    known = told(found)
    if "unnamed" in details:
        known.pop("note", None)  # the words for nobody, as they stand there
    assert known == details


def test_lines_keep_their_numbers():
    found = said("\n  \u200f\nMaria Exampleva\r\r\nJan\tPrzykład\x00\n")
    assert [(line.number, line.name) for line in found] == [(3, "Maria Exampleva"), (5, "Jan Przykład")]


def test_no_name_is_cut():
    """Every spelling of the labelled list, in nine languages, with a number before it and an age behind it."""
    with (DATA / "spellings.csv").open(encoding="utf-8", newline="") as file:
        spellings = [row["text"] for row in csv.DictReader(file)]
    found = said("\n".join(f"{number}. {text}, 45 лет" for number, text in enumerate(spellings, 1)))
    assert {line.age for line in found} == {45}
    assert [(line.name, line.note) for line in found] == [(mended(text).replace(", ", " "), "") for text in spellings]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("\n5. Maria Exampleva\n6. Jan Testau", [5, 6]),
        ("\n1. Maria Exampleva\n1. Jan Testau", [2, 3]),
        ("\n1. Maria Exampleva\nJan Testau", [2, 3]),
        ("№\tname\n7\tMaria Exampleva\n9\tJan Testau", [7, 9]),
        ("№\tname\n7\tMaria Exampleva\n\tJan Testau", [2, 3]),
    ],
)
def test_a_list_that_prints_its_numbers_is_cited_by_them(text, numbers):
    assert [line.number for line in said(text)] == numbers


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ([20, 45], [{"age": 20}, {"age": 45}]),
        ([8, 20], [{"sentence": "8 лет"}, {"sentence": "20 лет"}]),
        ([8, 20, 45], [{"note": "8 лет"}, {"note": "20 лет"}, {"age": 45}]),
    ],
)
def test_years_alone_are_read_by_the_other_lines(listed, found):
    assert [told(line) for line in said("\n".join(f"Maria Exampleva, {years} лет" for years in listed))] == found


def test_headings_are_no_people():
    sheet = read("Женщины:\n1. Марыя Прыкладная\n* * *\n\nДо Литвы:\n-----\n2. —\n45\n")
    assert sheet.headings == {1: "Женщины:", 3: "* * *", 5: "До Литвы:", 6: "-----", 8: "45"}
    assert [(line.name, line.unnamed) for line in lines(sheet)] == [("Марыя Прыкладная", False), ("", True)]


def test_the_whole_line_is_kept():
    (line,) = said("  3)  Прыкладны\tМікалай (1980),  гражданин  Литвы ")
    assert line.printed == "3) Прыкладны Мікалай (1980), гражданин Литвы"


# --- Tables


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table(delimiter):
    rows = [
        ["Name", " born ", "sex", "citizenship", "age"],
        ["", "", "", "", ""],
        ["Марыя Прыкладная", "1982-04-24", "F", "by", ""],
        ["Ivan Testau", "", "м", "", "43"],
        ["Anna Exampleva"],
    ]
    found = said("\n".join(delimiter.join(row) for row in rows))
    assert [line.number for line in found] == [3, 4, 5]
    first, second, third = (line.question() for line in found)
    assert (first.text, first.sex, first.citizenship, first.age) == ("Марыя Прыкладная", "female", "BY", None)
    assert first.born == ImpreciseDate(date(1982, 4, 24), date(1982, 4, 24))
    assert (second.age, second.sex, second.born) == (43, "male", None)
    assert (third.text, third.born, third.sex) == ("Anna Exampleva", None, "")


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("№ п/п;Ф.И.О.;Год рождения;Гражданство;Срок", ["number", "name", "born", "citizenship", "sentence"]),
        ("Прозвішча;Імя;Імя па бацьку;Узрост;Заўвагі", ["surname", "given_name", "patronymic", "age", "note"]),
        ("ПІБ;Рік  народження;Стать;Куди", ["name", "born", "sex", "destination"]),
        ("Прізвище;Ім’я;По батькові", ["surname", "given_name", "patronymic"]),
        ("Lp.;Imię i nazwisko;Data urodzenia;Obywatelstwo", ["number", "name", "born", "citizenship"]),
        ("Vardas, pavardė;Gimimo data;Pilietybė;Bausmė", ["name", "born", "citizenship", "sentence"]),
        ("Vorname;Nachname;Alter;Geschlecht", ["given_name", "surname", "age", "sex"]),
        ("Name;Date of birth (if known);Prison;Photo", ["name", "born", "facility", "note"]),
        ("Имя;Возраст", ["name", "age"]),
    ],
)
def test_headings_of_columns(header, columns):
    sheet = read(f"{header}\n" + ";".join("x" * len(columns)))
    assert (sheet.headed, sheet.columns) == (True, columns)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (["1\tМарыя Прыкладная\t1980", "2\tЯн Тэставы\t"], ["number", "name", "born"]),
        (
            ["Прыкладная\tМарыя\tІванаўна\t45", "Тэставы\tЯн\tПятровіч\t50"],
            ["surname", "given_name", "patronymic", "age"],
        ),
        (["Марыя|Прыкладная|ж", "Ян|Тэставы|м"], ["given_name", "surname", "sex"]),
        (["Марыя Прыкладная\tЛитва\t5 лет колонии", "Ян Тэставы\tУкраина\tх"], ["name", "citizenship", "note"]),
        (["Марыя Прыкладная;05.03.1980;Гомель", "Ян Тэставы;1981;Мінск"], ["name", "born", "note"]),
    ],
)
def test_columns_without_headings(rows, columns):
    sheet = read("\n".join(rows))
    assert (sheet.headed, sheet.columns) == (False, columns)


def test_what_only_has_commas_is_no_table():
    found = said("Прыкладная, Марыя, 45 лет, Гомель\nЯн Тэставы, 50 лет, Мінск\n")
    assert [(line.name, line.age, line.note) for line in found] == [
        ("Прыкладная Марыя", 45, "Гомель"),
        ("Ян Тэставы", 50, "Мінск"),
    ]


def test_names_of_three_columns_and_a_title():
    found = said(
        "Released in December\n\nsurname,given name,patronymic,born,photo\nТэставы,Ян,Пятровіч,1980 г.р.,yes\nПрыкладная,—,,,\nMinsk:\n—,,,,\n"
    )
    assert [(line.name, line.note, line.unnamed) for line in found] == [
        ("Тэставы Ян Пятровіч", "photo: yes", False),
        ("Прыкладная", "", False),
        ("", "", True),
    ]
    assert found[0].born == parse("1980")


def test_a_workbook():
    found = said(
        saved(
            ["Список"],
            ["ФИО", "Дата рождения", "Возраст", "Куда"],
            ["Ян Тэставы", date(1980, 3, 5), 45.0, "Литва, Польша"],
        )
    )
    assert found == [
        Line(
            3,
            "Ян Тэставы | 1980-03-05 | 45 | Литва, Польша",
            "Ян Тэставы",
            parse("1980-03-05"),
            45,
            countries=("LT", "PL"),
        )
    ]


def test_words_in_the_cells_of_a_table():
    (line,) = said(
        "ФИО;Пол;Гражданство;Возраст;Год рождения;Куда\nЯн Тэставы;other;гражданин Литвы и Польши;45 лет;1980 г.р.;Ukraine\n"
    )
    assert told(line) == {
        "sex": "other", "citizenships": ("LT", "PL"), "age": 45, "born": "1980", "countries": ("UA",),
    }  # fmt: skip


def test_what_nobody_sees_is_passed_over():
    (line,) = said("\ufeffname;born\nMaria\0 Example\ud800va\u00ad;1990\n")
    assert (line.name, line.born) == ("Maria Exampleva", parse("1990"))


def test_a_name_in_two_ways():
    (line,) = said("Прозвішча;Імя;Name\nТэставы;Ян;1. Jan Testavy, 45\n")
    assert (line.name, line.age, line.note) == ("Тэставы Ян", 45, "Jan Testavy")


def test_cells_override_what_stands_beside_the_name():
    (line,) = said("name;born;age;note\n1. Ян Тэставы (1980), 45 лет, Гомель;1981;46;х\n")
    assert told(line) == {"born": "1981", "age": 46, "note": "Гомель; х"}
    assert line.name == "Ян Тэставы"


def test_columns_as_a_person_confirms_them():
    sheet = read("Ян Тэставы\tЛитва\nМарыя Прыкладная\tЛитва\n")
    found = lines(sheet, ["name", "destination"])
    assert [line.countries for line in found] == [("LT",), ("LT",)]
    assert [line.citizenships for line in lines(sheet, ["name", ""])] == [(), ()]
    sheet = read("ФИО\nЯн Тэставы\n")
    assert [line.name for line in lines(sheet)] == ["Ян Тэставы"]
    assert [line.name for line in lines(sheet, headed=False)] == ["ФИО", "Ян Тэставы"]


def test_a_cell_of_two_lines():
    found = said('name,born\n"Anna\nExampleva",1990\nJan Test,1991\n')
    assert [(line.number, line.name) for line in found] == [(2, "Anna Exampleva"), (4, "Jan Test")]


def test_cells_that_say_nothing_and_a_line_under_the_heading():
    found = said("| name | age | note |\n|------|-----|---|\n| Ян Тэстаў | — | ? |\n| — | 45 | - |\n")
    assert [(line.name, line.unnamed, line.age, line.note) for line in found] == [
        ("Ян Тэстаў", False, None, ""),
        ("", True, 45, ""),
    ]


def test_quotation_marks_copied_from_a_page():
    assert [line.name for line in said('Ян Тэставы\t"Вясна" і "Голас"\nМарыя Прыкладная\tх')] == [
        "Ян Тэставы",
        "Марыя Прыкладная",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x" * 900, "Line 1: “xxxx"),
        ("x" * 900, "has 900 characters, and at most 200 can be read"),
        ("x" * 11_000, "has 11000 characters, and at most 1000 can be read"),
        ("born;sex\n1990;f", "None of the columns is the name."),
        ("name,born,born\nAnna,1990,1990", "Two columns are “born”."),
        ("name,born\nAnna,199o", "Line 2, column born: 199o is not a date"),
        ("name,born\nAnna,32.01.1990 г.р.", "Line 2, column born: 32.01.1990 is not a date"),
        ("name,age\n\nAnna,old", "Line 3, column age: “old” is no age in years, from 0 to 125."),
        ("name,age\nAnna,126", "“126” is no age"),
        ("name,age\nAnna,٣٤", "“٣٤” is no age"),
        ("name,age\nAnna," + "9" * 5000, "is no age"),
        ("name,citizenship\nAnna,Ruritania", "Line 2, column citizenship: “Ruritania” is no country that is known here."),
        ("name,sex\nAnna,x", "Line 2, column sex: “x” is neither female nor male."),
        ("name,sex\n,f", "Line 2, column name: there is no name."),
        ("Anna Exampleva,\n(45 лет)", "Line 2: there is no name."),
        ("name,sex\nAnna,f,1990", "Line 2: “1990” is one cell too many; there are 2 columns."),
        ('name,sex\n"Anna,f', "Line 2, column 1: a cell that starts with a quotation mark"),
        ("Ян Тэставы, Марыя Прыкладная, Пётр Проба", "Line 1: there seem to be several names."),
        ("", "There is no name in the list."),
        ("name,born\n", "There is no name in the list."),
        ("name\n" + "Maria\n" * 5001, "The list has 5001 lines, and at most 5000 can be read at once."),
    ],
)  # fmt: skip
def test_bad_input_names_line_column_and_value(text, sentence):
    with pytest.raises(ListError) as refused:
        said(text)
    assert sentence in str(refused.value)
    assert len(str(refused.value)) < 250


def test_every_problem_is_told_at_once():
    with pytest.raises(ListError) as refused:
        said("name,born,sex\nAnna,x,x\n,1990,f\nJan,1,\nPaul,2,\n")
    assert [problem.partition(":")[0] for problem in refused.value.problems] == [
        "Line 2, column born", "Line 2, column sex", "Line 3, column name", "Line 4, column born", "Line 5, column born",
    ]  # fmt: skip
    assert str(refused.value).endswith("And 2 more.")


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (["name", "photo"], "There is no column “photo”."),
        (["name", "name"], "Two columns are “name”."),
        (["", "note"], "None of the columns"),
    ],
)
def test_columns_that_cannot_be(columns, sentence):
    with pytest.raises(ListError, match=sentence):
        lines(read("Ян Тэставы\tЛитва\nМарыя Прыкладная\tЛитва\n"), columns)


@pytest.mark.parametrize("name", sorted(broken.FILES.keys() - {"columns.csv"}))  # commas do not make a table of a list
def test_a_broken_file_is_refused_as_a_list_too(name):
    make, _sentence = broken.FILES[name]
    with pytest.raises(ListError) as refused:
        lines(read(make(), name))
    assert all(refused.value.problems)
    assert len(str(refused.value)) < 500


# --- Anything


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200))
def test_anything_is_read_or_refused(data):
    with contextlib.suppress(ListError):
        said(data)


PIECES = st.sampled_from(
    [
        "Ян",
        "Тэставы",
        "Maria",
        "1.",
        "45 лет",
        "8 лет",
        "1980",
        "г.р.",
        "(",
        ")",
        "[",
        ",",
        ";",
        "\t",
        "  ",
        " - ",
        "\n",
        "\r\n",
        '"',
        "гражданин",
        "Литвы",
        "осуждён на",
        "—",
        "?",
        ":",
        "name",
        "born",
        "ФИО",
        "0",
        "99999",
        "10,5 гадоў",
        "unnamed",
        "\u200f",
        "№",
        "\ud800",
        "\0",
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=30).map(" ".join))
def test_nothing_of_a_list_is_dropped(text):
    """Each word of each line is in its name, its details or its note, or the whole line is shown as it is."""
    sheet = None
    with contextlib.suppress(ListError):
        sheet = read(text)
    if sheet is None:
        return
    with contextlib.suppress(ListError):
        for line in lines(sheet):
            if line.unnamed or sheet.columns != ["name"]:
                continue
            kept = f"{line.name} {line.note} {line.sentence} {line.citizenships} {line.age}  {line.born}"
            for word in ("Ян", "Тэставы", "Maria"):
                assert line.printed.count(word) == kept.count(word)


WORD = (st.text("абвгдежзіклмнопрстуфхцчш", min_size=2) | st.text("abcdefgh", min_size=2)).map(str.title)
TEXT = st.text(st.characters(categories=["L", "Nd", "P", "Sm"], exclude_characters="\ufeff"), max_size=20).map(
    lambda text: text.strip(" :").lstrip("=")
)
ROW = st.fixed_dictionaries(
    {
        "number": st.just(""),
        "surname": WORD, "given_name": WORD, "patronymic": WORD | st.just(""),
        "born": st.sampled_from(["", "1980", "1980-03", "1980-03-05", "1980-03-05/1980-03-09"]),
        "age": st.integers(0, 125).map(str) | st.just(""),
        "sex": st.sampled_from(["", "female", "male"]),
        "citizenship": st.lists(st.sampled_from(["BY", "UA", "LT", "XXA"]), unique=True).map(";".join),
        "destination": st.lists(st.sampled_from(["UA", "LT", "PL"]), unique=True).map(";".join),
        "sentence": TEXT, "facility": TEXT, "note": TEXT,
    }
)  # fmt: skip


@settings(deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=5), delimiter=st.sampled_from(",;\t"), workbook=st.booleans())
def test_a_table_of_all_columns_reads_back(rows, delimiter, workbook):
    header = [column for column in COLUMNS if column != "name"]
    if workbook:
        data = saved(header, *([row[column] for column in header] for row in rows))
    else:
        file = io.StringIO(newline="")
        csv.writer(file, delimiter=delimiter).writerows([header, *([row[column] for column in header] for row in rows)])
        data = file.getvalue().encode()
    for line, row in zip(said(data), rows, strict=True):
        assert line.name.split() == [row[column] for column in ("surname", "given_name", "patronymic") if row[column]]
        assert (line.born.edtf if line.born else "") == row["born"]
        assert ("" if line.age is None else str(line.age)) == row["age"]
        assert line.sex == row["sex"]
        assert ";".join(line.citizenships) == row["citizenship"]
        assert ";".join(line.countries) == row["destination"]
        assert (line.sentence, line.facility, line.note) == tuple(
            names.clean(row[key]) if row[key] not in tuple("-–—?…") else "" for key in ("sentence", "facility", "note")
        )
