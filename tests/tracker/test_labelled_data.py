"""The labelled set itself: as large, as mixed and as consistent as its README says."""

from collections import Counter, defaultdict
from datetime import date

import pytest

from tests.data import rules
from tracker.names import clean, script_of
from tracker.vocabularies import Script

LANGUAGES = {"be", "ru", "uk", "pl", "lt", "lv", "en", "de"}
PERSONS = {row["person"]: row for row in rules.read("persons.csv")}
SPELLINGS = rules.read("spellings.csv")
NEGATIVES = rules.read("hard_negatives.csv")
CASES = {"genitive", "dative", "accusative", "instrumental"}
HOW = CASES | {
    "other_language", "passport", "bgn", "lacinka", "by_2007", "from_russian", "media", "diminutive", "lithuanian", "latvian",
    "patronymic_added", "patronymic_dropped", "initials", "order", "typo", "homoglyph", "capitals", "double", "surname_alone",
}  # fmt: skip


def of_person(rows):
    grouped = defaultdict(list)
    for row in rows:
        grouped[row["person"]].append(row)
    return grouped


def share(*how):
    return sum(row["how"] in how for row in SPELLINGS) / len(SPELLINGS)


def custody(person):
    return date.fromisoformat(person["arrested"]), date.fromisoformat(person["released"] or "9999-12-31")


def age(born, on):
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def test_the_set_is_large_enough():
    assert len(PERSONS) >= 320
    assert len(NEGATIVES) >= 220
    assert {row["language"] for row in SPELLINGS} == LANGUAGES
    assert {row["how"] for row in SPELLINGS} == HOW
    assert {row["person"] for row in SPELLINGS + NEGATIVES} <= PERSONS.keys()
    for number, rows in of_person(SPELLINGS).items():
        assert len(rows) >= 6, number
        assert len({row["language"] for row in rows}) >= 4, number


def test_the_kinds_of_spelling_are_mixed_as_print_mixes_them():
    made = Counter(row["made"] for row in SPELLINGS)
    assert made.keys() == {"rule", "hand"}
    assert made["hand"] / len(SPELLINGS) >= 0.25
    assert share("initials", "surname_alone") <= 0.04
    assert 0.06 <= share("typo") <= 0.10
    assert 0.10 <= share(*CASES) <= 0.16
    assert min(Counter(row["language"] for row in SPELLINGS).values()) >= 80


def test_every_person_is_told_apart():
    # By name alone: there are no homonyms among the persons, or no spelling could be given to one of them.
    assert len({rules.key(row["registered"]) for row in PERSONS.values()}) == len(PERSONS)
    assert {row["sex"] for row in PERSONS.values()} == {"male", "female"}
    for row in PERSONS.values():
        assert row["registered"] == clean(row["registered"])
        assert date.fromisoformat(row["arrested"]) < date.fromisoformat(row["released"] or "9999-12-31")
        assert 15 < int(row["arrested"][:4]) - int(row["born"][:4]) < 75, row


def test_a_spelling_is_of_one_person_and_not_the_registered_one():
    whose = {rules.key(row["registered"]): row["person"] for row in PERSONS.values()}
    for row in SPELLINGS:
        assert row["text"] != PERSONS[row["person"]]["registered"]
        assert whose.setdefault(rules.key(row["text"]), row["person"]) == row["person"], row["text"]
    assert len({(row["person"], row["text"]) for row in SPELLINGS}) == len(SPELLINGS)


@pytest.mark.parametrize(("language", "script"), [("be", None), ("ru", None), ("uk", None), *[(code, Script.LATN) for code in ("pl", "lt", "lv", "en", "de")]])  # fmt: skip
def test_a_spelling_is_in_the_script_of_its_language(language, script):
    for row in SPELLINGS:
        if row["language"] == language and row["how"] != "homoglyph":
            assert script_of(row["text"]) in ({script} if script else {Script.CYRL, Script.LATN}), row


def test_no_hard_negative_is_a_spelling_of_anybody():
    spelt = {(row["person"], rules.key(row["text"])) for row in SPELLINGS}
    anybody = {rules.key(row["text"]): row["person"] for row in SPELLINGS}
    anybody |= {rules.key(row["registered"]): row["person"] for row in PERSONS.values()}
    for row in NEGATIVES:
        assert (row["person"], rules.key(row["text"])) not in spelt, row
        assert anybody.get(rules.key(row["text"]), row["person"]) == row["person"], row


def test_a_reader_can_tell_every_homonym_apart():
    for row in NEGATIVES:
        person = PERSONS[row["person"]]
        year = int(person["born"][:4])
        if rules.key(row["text"]) != rules.key(person["registered"]) and "born" not in row["why"]:
            continue
        if row["born"]:
            assert abs(int(row["born"][:4]) - year) >= 2, row
        else:
            on = date.fromisoformat(row["on"])
            possible = {age(date(year, 1, 1), on), age(date(year, 12, 31), on)}
            assert min(abs(int(row["age"]) - one) for one in possible) >= 2, row


def test_a_day_that_a_list_speaks_of_is_a_day_in_custody():
    said = [row for row in NEGATIVES if row["on"]]
    assert len(said) >= 100
    for row in said:
        arrested, released = custody(PERSONS[row["person"]])
        assert arrested <= date.fromisoformat(row["on"]) <= released, row
    assert all(row["on"] for row in NEGATIVES if row["age"])


def test_half_of_the_hard_negatives_are_in_another_script_than_the_registered_name():
    across = [row for row in NEGATIVES if script_of(row["text"]) != script_of(PERSONS[row["person"]]["registered"])]
    assert len(across) / len(NEGATIVES) >= 0.5


def test_relatives_stand_in_the_set():
    pairs = [(person.number, person.kin) for person in rules.persons() if person.kin]
    assert len(pairs) >= 2 * 20
    assert all((other, one) in pairs for one, other in pairs)


def test_the_rules_make_the_same_rows_again():
    people = rules.persons()
    assert [person.as_row() for person in people] == list(PERSONS.values())
    hand = [row for row in SPELLINGS if row["made"] == "hand"]
    made = rules.spellings(people, hand)
    assert made == [row for row in SPELLINGS if row["made"] == "rule"]
    assert sorted(rules.negatives(people, made + hand), key=lambda row: row["person"]) == [
        row for row in NEGATIVES if row["made"] == "rule"
    ]


@pytest.mark.parametrize(
    ("scheme", "endings", "name", "latin"),
    [
        (rules.BE_PASSPORT, rules.Y_ENDINGS, "Марыя Калеснікава", "Maryia Kalesnikava"),
        (rules.BE_PASSPORT, rules.Y_ENDINGS, "Віктар Бабарыка", "Viktar Babaryka"),
        (rules.BE_PASSPORT, rules.Y_ENDINGS, "Алесь Бяляцкі", "Ales Bialiatski"),
        (rules.BE_LACINKA, (), "Алесь Бяляцкі", "Aleś Bialacki"),
        (rules.BE_2007, (), "Марына Золатава", "Maryna Zolatava"),
        (rules.BE_BGN, (), "Алесь Бяляцкі", "Alyes’ Byalyatski"),
        (rules.RU_EN, rules.RU_EN_ENDINGS, "Мария Колесникова", "Mariya Kolesnikova"),
        (rules.RU_DE, rules.RU_DE_ENDINGS, "Мария Колесникова", "Marija Kolesnikowa"),
        (rules.RU_PL, rules.PL_ENDINGS, "Мария Колесникова", "Marija Kolesnikowa"),
        (rules.BE_PL, rules.PL_ENDINGS, "Алесь Бяляцкі", "Aleś Bialacki"),
    ],
)
def test_the_tables_give_the_known_spellings(scheme, endings, name, latin):
    assert rules.romanise(name, scheme, endings) == latin
