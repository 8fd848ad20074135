"""Who a name on a list can be: every ground for a verdict, and what a viewer may not learn."""

import csv
import io
import os
from datetime import date
from itertools import permutations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tests.rows import ask_what_is_deferred, change, make
from tracker import dates, names
from tracker.matching import Question, duplicates, match
from tracker.models import (
    Charge,
    Detention,
    ExternalIdentifier,
    Facility,
    Grant,
    Name,
    NotTheSame,
    Person,
    Placement,
    Prosecution,
    Provision,
    Relationship,
    User,
)
from tracker.vocabularies import ListVerdict as Verdict

pytestmark = pytest.mark.django_db
DAY = date(2025, 12, 13)


def person(*texts, held=None, **values):
    found = make(Person, **values)
    for place, text in enumerate(texts, 1):
        Name.objects.create(person=found, text=text, position=place)
    if held:
        started, _slash, ended = held.partition(" ")
        make(Detention, person=found, started=dates.parse(started), ended=dates.parse(ended) if ended else None)
    return found


def ask(text, *, on=None, viewer=None, **known):
    if "born" in known:
        known["born"] = dates.parse(known["born"])
    [answer] = match([Question(text, **known)], viewer=viewer, on=on)
    return answer


def told(answer, kind):
    return [reason.agrees for reason in answer.candidates[0].reasons if reason.kind == kind]


# --- Verdicts


@pytest.mark.parametrize(
    ("text", "known", "verdict"),
    [
        # the name alone, however exact
        ("Марыя Прыкладава", {}, "choose"),
        ("Марыя Аляксандраўна Прыкладава", {}, "choose"),
        # the name, and something besides
        ("Maria Prikladova", {"born": "1982"}, "same"),
        ("Maria Prikladova", {"born": "1982-04-24"}, "same"),
        ("Maria Prikladova", {"on": DAY}, "same"),
        ("Maria Prikladova", {"age": 43, "on": DAY}, "same"),
        ("Прикладову Марию", {"on": DAY}, "same"),
        ("Marija Prykladowa", {"on": DAY, "citizenship": "BY", "sex": "female"}, "same"),
        # an age without its day says nothing
        ("Maria Prikladova", {"age": 43}, "choose"),
        # something disagrees
        ("Maria Prikladova", {"born": "1990", "on": DAY}, "choose"),
        ("Maria Prikladova", {"age": 30, "on": DAY}, "choose"),
        ("Maria Prikladova", {"born": "1983", "on": DAY}, "same"),  # a year apart says nothing, custody agrees
        ("Maria Prikladova", {"born": "1983"}, "choose"),
        ("Maria Prikladova", {"on": DAY, "citizenship": "UA"}, "choose"),
        ("Maria Prikladova", {"on": DAY, "sex": "male"}, "choose"),
        ("Maria Prikladova", {"born": "1982", "on": date(2019, 1, 1)}, "choose"),  # not yet in custody
        ("Марыя Іванаўна Прыкладава", {"born": "1982", "on": DAY}, "choose"),  # another father
        # half a name
        ("Прыкладава", {"born": "1982", "on": DAY}, "choose"),
        ("М. Прыкладава", {"on": DAY}, "choose"),
        ("М. Прыкладава", {"born": "1982", "on": DAY}, "same"),
        # a slip of the pen needs the year of birth
        ("Марыя Прыклатава", {"on": DAY}, "choose"),
        # others
        ("Марына Прыкладава", {"on": DAY}, "new"),
        ("Аляксандр Прыкладаў", {"on": DAY}, "new"),
        ("Іван Іншы", {"on": DAY}, "new"),
    ],
)
def test_verdict(text, known, verdict):
    person("Марыя Аляксандраўна Прыкладава", held="2020-09-07", born="1982-04-24", sex="female", citizenships=["BY"])
    assert ask(text, **known).verdict == verdict


def test_a_wrong_name_is_suggested_and_never_joined():
    found = person("Марыя Калеснікава", held="2020-09-07", born="1982-04-24")
    Name.objects.create(person=found, text="Maria Aleksandrova", kind="erroneous", position=2)
    answer = ask("Maria Aleksandrova", born="1982-04-24", on=DAY)
    assert answer.verdict == Verdict.CHOOSE
    assert answer.candidates[0].person == found
    assert told(answer, "name") == [None]


def test_two_who_are_as_likely_are_for_somebody_to_choose():
    father = person("Іван Прыкладаў", held="2020", born="1955")
    son = person("Іван Прыкладаў", held="2021", born="1985")
    assert ask("Ivan Prykladau", on=DAY).verdict == Verdict.CHOOSE
    assert {candidate.person for candidate in ask("Ivan Prykladau", on=DAY).candidates} == {father, son}
    answer = ask("Ivan Prykladau", on=DAY, born="1985")
    assert (answer.verdict, answer.candidates[0].person) == (Verdict.SAME, son)


def test_a_judge_with_the_name_of_a_prisoner():
    person("Іван Прыкладаў", held="2020", born="1955")
    assert ask("Ivan Prykladau").verdict == Verdict.CHOOSE


@pytest.mark.parametrize(
    ("text", "sex", "verdict"),
    [
        ("Александра Прикладова", "", "choose"),  # a man in the genitive, or a woman
        ("Александра Прикладова", "male", "same"),
        ("Александра Прикладова", "female", "choose"),
        ("Александра Прикладского", "", "new"),
        ("Олександра Прикладова", "male", "same"),
    ],
)
def test_a_genitive_that_is_a_name_of_women(text, sex, verdict):
    person("Аляксандр Прыкладаў", held="2020", sex="male")
    assert ask(text, sex=sex, on=DAY).verdict == verdict


def test_possibly_in_custody_agrees_too():
    person("Іван Прыкладаў", held="2020 2025/2026")
    answer = ask("Ivan Prykladau", on=DAY)
    assert (answer.verdict, told(answer, "custody")) == (Verdict.SAME, [True])
    assert "possibly" in next(reason.text for reason in answer.candidates[0].reasons if reason.kind == "custody")


def test_who_is_released_on_the_day_was_in_custody_on_it():
    person("Іван Прыкладаў", held="2020 2025-12-13")
    assert told(ask("Ivan Prykladau", on=DAY), "custody") == [True]


def test_of_whom_no_detention_is_known_custody_says_nothing():
    person("Іван Прыкладаў")
    assert told(ask("Ivan Prykladau", on=DAY), "custody") == []


def test_article_and_facility_are_grounds():
    found = person("Іван Прыкладаў", held="2020")
    make(Charge, prosecution=make(Prosecution, person=found), provision=make(Provision, article="342"))
    make(Placement, detention=found.detentions.get(), facility=make(Facility, name="Invented Colony"))
    answer = ask("Ivan Prykladau", article="342", facility="invented colony")
    assert (told(answer, "article"), told(answer, "facility")) == ([True], [True])
    other = ask("Ivan Prykladau", article="130", facility="Another")
    assert (told(other, "article"), told(other, "facility")) == ([], [])


# --- What is told


def test_reasons_name_the_words():
    person("Марыя Аляксандраўна Прыкладава", born="1982-04-24")
    answer = ask("Maria Ivanovna Prikladova", born="1990")
    assert [reason.text for reason in answer.candidates[0].reasons] == [
        "surname agrees (prikladova – прыкладава)",
        "given name agrees (maria – марыя)",
        "patronymic differs (ivanovna – аляксандраўна)",
        "born 1990, recorded 1982-04-24",
    ]


def test_best_of_all_spellings_counts():
    found = person("Каця Іншая", "Кацярына Прыкладава", "Katherine Another")
    answer = ask("Екатерина Прикладова")
    assert (answer.candidates[0].person, answer.candidates[0].name) == (found, "Кацярына Прыкладава")


@pytest.mark.parametrize(
    "text", ["", " ", "...", "12345", "李明", "\u202e", "x" * 10_000, "а " * 5_000, "Марыя" * 3_000]
)
def test_any_text_has_an_answer(text):
    person("Марыя Прыкладава")
    assert ask(text).verdict in {Verdict.NEW, Verdict.CHOOSE}


def test_sealed_persons_are_nobodys_candidates_but_of_those_named():
    sealed = person("Марыя Прыкладава", held="2020", disclosure="sealed")
    outsider, insider = make(User, username="outsider", is_superuser=True), make(User, username="insider")
    Grant.objects.create(user=insider, person=sealed)
    for viewer in (None, outsider):
        answer = ask("Марыя Прыкладава", on=DAY, viewer=viewer)
        assert (answer.verdict, answer.candidates) == (Verdict.NEW, [])
    assert ask("Марыя Прыкладава", on=DAY, viewer=insider).candidates[0].person == sealed


def test_sealed_names_take_nobodys_place():
    for _number in range(60):
        person("Марыя Прыкладава", disclosure="sealed")
    seen = person("Марія Прикладова")
    assert [candidate.person for candidate in ask("Марыя Прыкладава").candidates] == [seen]


def test_as_many_queries_for_many_names_as_for_one():
    for number in range(12):
        person(f"Марыя Прыклад{'абвгдежзікл'[number % 11]}ўская", held="2020")
    with CaptureQueriesContext(
        connection,
    ) as one:
        list(match([Question("Maria Prikladovskaya"), Question("Nobody Likethis")], viewer=None, on=DAY))
    with CaptureQueriesContext(connection) as many:
        texts = [f"{name} Prikladovskaya" for name in ("Maria", "Марыя", "Марию", "Ivan")] * 25
        list(match([Question(text) for text in [*texts, "Nobody Likethis"]], viewer=None, on=DAY))
    assert len(one) == len(many) <= 9


# --- Names held against each other

SOME = """
    Марыя Мария Maria М. Іван Иван Ivan Аляксандр Александра Аляксандраўна Иванович Калеснікава Kolesnikowa Лукашэвіч
    Раман Бабарыка Дзям'янчык Прыклад-Кулеш Саша Kravets Краўца Виктора
"""
WORDS = st.sampled_from(SOME.split())
LETTERS = st.text(st.characters(categories=["Lu", "Ll"], max_codepoint=0x52F), min_size=1, max_size=9)
NAMES = st.lists(WORDS | LETTERS, max_size=4).map(" ".join)


@given(NAMES, NAMES)
def test_comparing_is_symmetric(one, other):
    there, back = names.compare(one, other), names.compare(other, one)
    assert there.score == back.score
    assert 0 <= there.score <= 1
    assert (there.partial, there.agrees) == (back.partial, back.agrees)


@given(NAMES)
def test_a_name_is_nearest_to_itself(one):
    assert names.compare(one, one).score >= names.compare(one, f"{one} Прыклад").score


@pytest.mark.parametrize(
    ("one", "other", "least"),
    [
        ("Марыя Калеснікава", "Maria Kolesnikova", 0.95),
        ("Марыя Калеснікава", "Марія Колесникова", 0.95),
        ("Марыя Калеснікава", "Marija Kolesnikowa", 0.95),
        ("Віктар Бабарыка", "Виктора Бабарико", 0.95),
        ("Віктар Бабарыка", "Viktaras Babaryka", 0.95),
        ("Алесь Бяляцкі", "Alesis Bialiackis", 0.95),
        ("Аляксандр Бяляцкі", "Ales Bjaljazki", 0.95),
        ("Марына Золатава", "Maryna Zolotova", 0.95),
        ("Раман Галуза", "Романа Галузу", 0.95),
        ("Мікола Прыклад", "Nikolai Priklad", 0.95),
        ("Зміцер Прыклад", "Дмитрий Приклад", 0.95),
        ("Кацярына Прыклад", "Katsiaryna Pryklad", 0.95),
        ("Екатерина Приклад", "Katarzyna Prykład", 0.95),
        ("Прыклад Яўген Іванавіч", "Евгений Приклад", 0.95),
    ],
)
def test_renderings_of_one_name(one, other, least):
    assert names.compare(one, other).score >= least


@pytest.mark.parametrize(
    ("one", "other", "most"),
    [
        ("Марыя Калеснікава", "Марына Калеснікава", 0.6),
        ("Аляксандр Прыклад", "Аляксей Прыклад", 0.6),
        ("Мікалай Прыклад", "Мікіта Прыклад", 0.6),
        ("Уладзімір Прыклад", "Уладзіслаў Прыклад", 0.6),
        ("Марыя Калеснікава", "Maria Aleksandrova", 0.6),
        ("Віктар Бабарыка", "Эдуард Бабарыка", 0.6),
        ("Іван Прыклад", "Іван Кулеш", 0.6),
        ("Марыя Калеснікава", "Марыя", 0.5),
    ],
)
def test_names_of_two(one, other, most):
    assert names.compare(one, other).score <= most


@given(st.permutations(["Калеснікава", "Марыя", "Аляксандраўна"]), st.sampled_from("'’ʼ`´"))
def test_keys_know_no_order_and_no_apostrophe(words, apostrophe):
    assert names.sound_key(" ".join(words)) == names.sound_key("Марыя Аляксандраўна Калеснікава")
    assert names.near_keys(f"Дзям{apostrophe}янчык Іван") == names.near_keys("Іван Дзямянчык")


@given(st.lists(WORDS | LETTERS, min_size=2, max_size=5), st.randoms())
def test_keys_know_no_order(words, random):
    shuffled = random.sample(words, len(words))
    for key in (names.sound_key, names.near_keys, names.search_key):
        assert key(" ".join(words)) == key(" ".join(shuffled))


@pytest.mark.parametrize("words", ["Лукашэвіч Іван Пятровіч", "Пётр Ильич Яковлевич", "Раман Аляксей", "Вася Бабурай"])
def test_keys_know_no_order_of_what_only_order_tells(words):
    keys = {
        (names.sound_key(" ".join(order)), *names.near_keys(" ".join(order))) for order in permutations(words.split())
    }
    assert len(keys) == 1


# --- Duplicates


def pairs(**asked):
    return [{pair.person, pair.other} for pair in duplicates(viewer=None, **asked)]


def test_duplicates_are_renderings_of_one_name_best_first():
    one, other = person("Марыя Прыкладава", born="1982"), person("Maria Prikladova", born="1982-04-24")
    third, fourth = person("Іван Кулеш", citizenships=["BY"]), person("Ivan Kulesh", citizenships=["UA"])
    person("Пятро Іншы")
    assert pairs() == [{one, other}, {third, fourth}]
    first = duplicates(viewer=None, limit=1)
    assert len(first) == 1
    assert any(reason.kind == "born" and reason.agrees for reason in first[0].reasons)


def test_a_slip_of_the_pen_is_found_when_asked_for():
    one, other = person("Марыя Прыкладоўская"), person("Марыя Пыркладоўская")
    assert pairs() == []
    assert pairs(near=True) == [{one, other}]


@pytest.mark.parametrize("apart", ["decided", "related", "born", "identifier", "merged", "sealed"])
def test_no_duplicates(apart):
    one = person("Іван Прыкладаў", born="1955")
    values = {"born": {"born": "1985"}, "sealed": {"disclosure": "sealed"}}
    other = person("Иван Прикладов", **values.get(apart, {}))
    first, second = sorted((one, other), key=lambda row: row.pk)
    if apart == "decided":
        make(NotTheSame, person=first, other=second)
    elif apart == "related":
        make(Relationship, person=one, other=other, kind="parent_of")
    elif apart == "identifier":
        make(ExternalIdentifier, person=one, scheme="viasna", value="1")
        make(ExternalIdentifier, person=other, scheme="viasna", value="2")
    elif apart == "merged":
        ask_what_is_deferred()  # nothing new is said of somebody who is merged
        change(other, merged_into=one).save()
    assert pairs(near=True) == []


# --- Commands


def output(*args, **options):
    out, err = io.StringIO(), io.StringIO()
    call_command(*args, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_match_writes_csv(tmp_path):
    found = person("Марыя Прыкладава", held="2020", born="1982", sex="female")
    person("Марына Прыкладава", held="2020")
    path = tmp_path / "list.csv"
    path.write_text("name,born\nMaria Prikladova,1982\n\nNobody Likethis,\n", encoding="utf-8")
    written, told = output("match", str(path), on=DAY)
    rows = list(csv.DictReader(io.StringIO(written)))
    assert list(rows[0]) == [
        "line", "text", "verdict", "pid", "name", "score", "reasons",
        "pid_2", "name_2", "score_2", "pid_3", "name_3", "score_3",
    ]  # fmt: skip
    assert (rows[0]["line"], rows[0]["verdict"], rows[0]["pid"]) == ("2", "same", found.pid)
    assert rows[0]["name_2"] == "Марына Прыкладава"
    assert int(rows[0]["score"]) > int(rows[0]["score_2"])
    assert "in custody on 13 December 2025" in rows[0]["reasons"]
    assert (rows[1]["line"], rows[1]["verdict"], rows[1]["pid"]) == ("4", "new", "")
    assert told == ""


def test_match_writes_text(tmp_path):
    found = person("Марыя Прыкладава")
    path = tmp_path / "list.txt"
    path.write_bytes("Мария Прикладова\n".encode("cp1251"))
    written, told = output("match", str(path), format="text")
    assert written.startswith(f"1. Мария Прикладова: choose\n   1)  99 {found.pid} Марыя Прыкладава\n")
    assert "was read as windows-1251" in told


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("x" * 10_000, "Line 1: “xxxx"),
        ("", "There is no name in the list"),
        ("—\n", "there is no name in it"),
        ("name,age\nAnna,34\n", "Ages say nothing without the day"),
        ("born,sex\n1990,f\n", "None of the columns is the name"),
        ("name,sex\nAnna,x\nJan,y\n", r"list: Line 2, column sex: .*\n.*list: Line 3, column sex: "),
        (b"\x89PNG\r\n\x1a\n", "Save it as UTF-8"),
    ],
)
def test_match_refuses(tmp_path, data, sentence):
    path = tmp_path / "list"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(CommandError, match=sentence):
        output("match", str(path))


def test_match_guards_its_cells_and_tells_what_it_passes_over(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("Women:\n=Maria Prikladova\nunnamed\nAnna Exampleva\n", encoding="utf-8")
    written, told = output("match", str(path))
    assert [row[:2] for row in csv.reader(io.StringIO(written))][1:] == [
        ["2", "'=Maria Prikladova"],
        ["4", "Anna Exampleva"],
    ]
    assert told == "Line 1 is taken for a heading: Women:\nLines without a name, passed over: 1.\n"


def test_match_ends_quietly_when_nobody_reads_on(tmp_path, monkeypatch):
    """As ``manage.py match FILE | head -1`` does it."""
    path = tmp_path / "list.txt"
    path.write_text("Maria Exampleva\n" * 2000, encoding="utf-8")
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as pipe:
        monkeypatch.setattr("sys.stdout", pipe)
        call_command("match", str(path), stdout=pipe, stderr=io.StringIO())


def test_match_without_a_file(tmp_path):
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        output("match", str(tmp_path / "none"))


def test_duplicates_command():
    one, other = person("Марыя Прыкладава"), person("Maria Prikladova")
    written, _told = output("duplicates")
    [row] = csv.DictReader(io.StringIO(written))
    assert {row["pid"], row["other_pid"]} == {one.pid, other.pid}
    written, _told = output("duplicates", format="text", exact=True)
    assert one.pid in written
