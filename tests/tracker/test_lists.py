"""Lists of names as they arrive: any encoding, one name a line or a table, and a sentence for what cannot be read."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.dates import ImpreciseDate
from tracker.lists import ListError, decode, questions

LIST = "Марыя Прыкладная\r\nІван Тэставы\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (LIST.encode(), "utf-8"),
        (LIST.encode("utf-8-sig"), "utf-8"),
        (LIST.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + LIST.encode("utf-16-be"), "utf-16"),
        ("Anna Exampleva\nJan Przykład\n".encode("utf-16-le"), "utf-16"),
        ("Anna Exampleva\nJan Przykład\n".encode("utf-16-be"), "utf-16"),
        (LIST.encode("utf-16-le"), "utf-16"),
        (LIST.encode("utf-16-be"), "utf-16"),
        (LIST.encode("cp1251"), "windows-1251"),
    ],
)
def test_encodings(data, encoding):
    text, found = decode(data)
    assert found == encoding
    assert not text.startswith("\ufeff")
    assert [asked.text for asked in questions(text)] in (
        ["Марыя Прыкладная", "Іван Тэставы"],
        ["Anna Exampleva", "Jan Przykład"],
    )


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\xff\xfe\xfd\xfc" * 30, b"caf\xe9 na\xefve", b"\xff\xfe\x00\xd8\x00"]
)
def test_what_is_no_text_is_refused(data):
    with pytest.raises(ListError, match="Save it as UTF-8"):
        decode(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(ListError):
        list(questions(decode(data)[0]))


def test_lines_keep_their_numbers():
    found = list(questions("\n  \u200f\nMaria Exampleva\r\r\nJan\tPrzykład\x00\n"))
    assert [(asked.line, asked.text) for asked in found] == [(3, "Maria Exampleva"), (5, "Jan Przykład")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table(delimiter):
    rows = [
        ["Name", " born ", "sex", "citizenship", "age"],
        ["", "", "", "", ""],
        ["Марыя Прыкладная", "1982-04-24", "F", "by", ""],
        ["Ivan Testau", "", "м", "", "43"],
        ["Anna Exampleva"],
    ]
    found = list(questions("\n".join(delimiter.join(row) for row in rows)))
    assert [asked.line for asked in found] == [3, 4, 5]
    first, second, third = (asked.question for asked in found)
    assert (first.text, first.sex, first.citizenship, first.age) == ("Марыя Прыкладная", "female", "BY", None)
    assert first.born == ImpreciseDate(date(1982, 4, 24), date(1982, 4, 24))
    assert (second.age, second.sex, second.born) == (43, "male", None)
    assert (third.text, third.born, third.sex) == ("Anna Exampleva", None, "")


def test_a_cell_of_two_lines():
    found = list(questions('name,born\n"Anna\nExampleva",1990\nJan Test,1991\n'))
    assert [(asked.line, asked.text) for asked in found] == [(2, "Anna Exampleva"), (4, "Jan Test")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x" * 10_000, "Line 1, column name: “xxxx"),
        ("x" * 10_000, "has 10000 characters; a name has at most 200"),
        (
            "name,birthday\nAnna,1990",
            "Line 1: there is no column “birthday”. There are: name, born, age, citizenship, sex.",
        ),
        ("full name;born\nAnna;1990", "Line 1: there is no column “full name”."),
        ("born;sex\n1990;f", "Line 1 names columns, and none is “name”."),
        ("name,born,born\nAnna,1990,1990", "Line 1: the column “born” stands there twice."),
        ("name,born\nAnna,199o", "Line 2, column born: "),
        ("name,born\nAnna,199o", "199o is not a date"),
        ("name,age\n\nAnna,old", "Line 3, column age: “old” is no age in years, from 0 to 125."),
        ("name,age\nAnna,126", "“126” is no age"),
        ("name,age\nAnna,٣٤", "“٣٤” is no age"),
        ("name,age\nAnna," + "9" * 5000, "is no age"),
        ("name,citizenship\nAnna,Belarus", "Line 2, column citizenship: “BELARUS” is no code of a country."),
        ("name,sex\nAnna,x", "Line 2, column sex: “x” is neither female nor male."),
        ("name,sex\n,f", "Line 2, column name: there is no name."),
        ("name,sex\nAnna,f,1990", "Line 2 has 3 cells, and there are 2 columns: “1990” is too many."),
        ('name,sex\n"Anna,f', "Line 2: unexpected end of data."),
    ],
)
def test_bad_input_names_line_column_and_value(text, sentence):
    with pytest.raises(ListError) as refused:
        list(questions(text))
    assert sentence in str(refused.value)
    assert len(str(refused.value)) < 200
