import unicodedata
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.names import clean, script_of, search_key
from tracker.vocabularies import Script

LETTERS = st.characters(categories=["Lu", "Ll"], max_codepoint=0x52F)
WORDS = st.text(LETTERS, min_size=1, max_size=12)
NAMES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
APOSTROPHES = "'`´ʹʼʽˈˊˋ‘’‛′‵＇ꞌ"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Марыя Каленікава", "Марыя Каленікава"),
        ("  Марыя \t\n Каленікава\r\n", "Марыя Каленікава"),
        ("Марыя\u00a0\u2003Каленікава", "Марыя Каленікава"),
        ("\u200eМарыя\u200f \u202aКаленікава\u202c \u2066x\u2069", "Марыя Каленікава x"),
        ("\ufeffМа\u00adрыя\u200b", "Марыя"),
        ("Ма\x00рыя\x1b", "Марыя"),
        ("Марыя\ud800", "Марыя"),
        ("Аляксеи\u0306", "Аляксей"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        (" \u200e\t", ""),
        ("", ""),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text())
def test_clean_text_can_be_stored_and_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    cleaned.encode()
    assert "\x00" not in cleaned


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Марыя Каленікава", Script.CYRL),
        ("Maria Kalesnikava", Script.LATN),
        ("Łukasz Żółć", Script.LATN),
        ("Ｍａｒｉａ", Script.LATN),
        ("Марыя (Maria)", Script.CYRL),
        ("Марыя Kalesnikava", Script.LATN),
        ("Մարիա", Script.ARMN),
        ("მარია", Script.GEOR),
        ("Μαρία", Script.GREK),
        ("מריה", Script.HEBR),
        ("ماريا", Script.ARAB),
        ("李明", Script.ZYYY),
        ("№ 12 – 34", Script.ZYYY),
        ("ʼ", Script.ZYYY),
        ("", Script.ZYYY),
    ],
)
def test_script_of(text: str, script: Script) -> None:
    assert script_of(text) is script


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Maria Kalesnikava", "kalesnikava maria"),
        ("KALESNIKAVA, Maria", "kalesnikava maria"),
        ("Марыя Каленікава", "kalenikava marya"),
        ("Наталля", "natalya"),
        ("Natallia", "natalia"),
        ("Соловьёв", "solovev"),
        ("Alexander Aleksandrovich Alexander", "aleksandrovich alexander"),
        ("Iwanowa-Petrowa", "iwanowa petrowa"),
        ("Аляксандр (Саша) Іваноў", "alyaksandr ivanou sasha"),
        ("Ива́нов", "ivanov"),
        ("Ałeś Białacki", "ales bialacki"),
        ("ﬁ ß", "fi s"),
        ("Ivan 2", "2 ivan"),
        ("—", ""),
        ("", ""),
    ],
)
def test_search_key(text: str, key: str) -> None:
    assert search_key(text) == key


@pytest.mark.parametrize("apostrophe", APOSTROPHES)
def test_every_apostrophe_is_dropped(apostrophe: str) -> None:
    assert search_key(f"Мар{apostrophe}яна") == search_key("Маряна") == "maryana"


@given(NAMES)
def test_key_is_the_same_in_every_normal_form(name: str) -> None:
    assert search_key(unicodedata.normalize("NFC", name)) == search_key(unicodedata.normalize("NFD", name))


@given(st.lists(WORDS, min_size=1, max_size=3))
def test_key_is_the_same_in_every_order_and_with_words_repeated(words: list[str]) -> None:
    keys = {search_key(" ".join(order)) for order in permutations(words)}
    assert keys == {search_key(", ".join(words + words))}


@given(NAMES)
def test_key_is_the_same_in_lower_case(name: str) -> None:
    assert search_key(name.lower()) == search_key(name)


@given(st.text())
def test_key_is_sorted_ascii_words_and_its_own_key(text: str) -> None:
    key = search_key(text)
    assert key.isascii()
    assert key.split(" ") == sorted(set(key.split(" ")))
    assert search_key(key) == key
