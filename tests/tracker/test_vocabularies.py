import re

import pytest

from tracker import vocabularies
from tracker.vocabularies import (
    ALL,
    Audience,
    Custody,
    CustodyType,
    Disclosure,
    SentenceKind,
    SourceKind,
    Vocabulary,
    country_choices,
    country_codes,
    country_name,
)

MEMBERS = [member for vocabulary in ALL for member in vocabulary]


def test_all_has_every_vocabulary_once() -> None:
    defined = {
        thing
        for thing in vars(vocabularies).values()
        if isinstance(thing, type) and issubclass(thing, Vocabulary) and len(thing)
    }
    assert set(ALL) == defined
    assert len(ALL) == len(defined)


@pytest.mark.parametrize("vocabulary", ALL)
def test_choices_and_codes_are_the_members_in_order(vocabulary: type[Vocabulary]) -> None:
    assert vocabulary.codes() == tuple(member.value for member in vocabulary)
    assert vocabulary.choices() == [(member.value, member.label) for member in vocabulary]
    # Plain strings: an enum member in a migration would tie the migration to this module.
    assert all(type(code) is str for code in vocabulary.codes())
    assert len({str(member.label) for member in vocabulary}) == len(vocabulary), "two values look the same in a form"


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: f"{type(member).__name__}.{member.name}")
def test_a_member_is_its_code_and_says_what_it_means(member: Vocabulary) -> None:
    assert isinstance(member, str)
    assert member == member.value == str(member) == f"{member}"
    assert type(member)(member.value) is member
    assert re.fullmatch(r"[A-Za-z0-9_-]+", member)
    assert str(member.label).strip()
    definition = str(member.definition)
    assert definition.endswith(".")
    assert definition == definition.strip()
    assert "\n" not in definition


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="'guest' is not a valid Audience"):
        Audience("guest")


@pytest.mark.parametrize("custody_type", CustodyType)
def test_custody_is_closed_unless_it_is_open_or_at_home(custody_type: CustodyType) -> None:
    open_or_home = {
        CustodyType.IUOT: Custody.OPEN,
        CustodyType.COLONY_SETTLEMENT: Custody.OPEN,
        CustodyType.HOME_RESTRICTION: Custody.HOME,
        CustodyType.HOUSE_ARREST: Custody.HOME,
    }
    assert custody_type.custody is open_or_home.get(custody_type, Custody.CLOSED)


def test_life_death_and_amounts_have_no_term() -> None:
    assert not {SentenceKind.LIFE, SentenceKind.DEATH, *SentenceKind.with_amount()} & set(SentenceKind.with_term())


def test_sources_that_endanger_the_informant_are_confidential() -> None:
    assert SourceKind.confidential() == ("letter", "interview", "court_record")


@pytest.mark.parametrize(
    ("disclosure", "seen_by"),
    [
        (Disclosure.PUBLIC, {Audience.PUBLIC, Audience.RESEARCHER, Audience.STAFF}),
        (Disclosure.RESEARCHER, {Audience.RESEARCHER, Audience.STAFF}),
        (Disclosure.STAFF, {Audience.STAFF}),
        (Disclosure.SEALED, set()),
    ],
)
def test_disclosure_says_which_audiences_see(disclosure: Disclosure, seen_by: set[Audience]) -> None:
    assert {audience for audience in Audience if disclosure.visible_to(audience)} == seen_by


def test_disclosure_goes_from_open_to_closed() -> None:
    assert [disclosure.level for disclosure in Disclosure] == [0, 1, 2, 3]
    for audience in Audience:
        assert Disclosure(audience).level == audience.level


def test_countries_are_iso_codes_with_kosovo_and_stateless() -> None:
    codes = country_codes()
    assert list(codes) == sorted(codes)
    assert {"BY", "UA", "LT", "PL", "XK", "XXA"} <= set(codes)
    assert all(re.fullmatch("[A-Z]{2}", code) for code in codes if code != "XXA")


def test_every_country_has_a_name_and_no_other_code_has() -> None:
    names = {country_name(code) for code in country_codes()}
    assert len(names) == len(country_codes())
    assert {"Belarus", "Lithuania", "Kosovo", "Stateless"} <= names
    for code in ("", "XX", "by", "BLR", "112"):
        with pytest.raises(KeyError):
            country_name(code)


def test_country_choices_start_with_those_asked_for_and_go_on_by_name() -> None:
    choices = country_choices()
    assert choices[:4] == [("UA", "Ukraine"), ("LT", "Lithuania"), ("PL", "Poland"), ("AF", "Afghanistan")]
    assert sorted(code for code, _ in choices) == list(country_codes())
    names = [name for _, name in country_choices(first=("DE",))]
    assert names[0] == "Germany"
    assert names.index("Åland Islands") < names.index("Belarus")
