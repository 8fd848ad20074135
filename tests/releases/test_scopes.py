"""Whom of an event's people a figure counts: when, what came of it, and those who are not ours to record."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.scopes import Alike, Logged, Outside, Step, announced_only, count, count_outside, in_scope
from tests.releases.test_counting import figure
from tracker.dates import parse
from tracker.vocabularies import FigureSubject, LegKind, LegStatus, ReleaseOutcome

EVENT = parse("2025-12-13")
DAYS = (EVENT, None)
UKRAINE, POLAND = frozenset({"UA"}), frozenset({"PL"})


def handed_over(happened: str = "", countries: frozenset[str] = UKRAINE) -> Step:
    return Step(LegKind.HANDOVER, LegStatus.COMPLETED, countries, parse(happened) if happened else None)


def onward(happened: str = "", countries: frozenset[str] = POLAND) -> Step:
    return replace(handed_over(happened, countries), kind=LegKind.ONWARD)


def people(*steps: Step, outcome: str = "confirmed", **values: Any) -> Alike:
    defaults: dict[str, Any] = {
        "legal_bases": frozenset({"pardon"}), "citizenships": frozenset({"BY"}), "sex": "female", "people": 1,
        "named": True,
    }  # fmt: skip
    return Alike(outcome=outcome, steps=steps, **defaults | values)


# --- What came of it


@pytest.mark.parametrize(
    ("subject", "announced", "refused", "refuted"),
    [
        ("released", False, False, False),
        ("exchanged", False, False, False),
        ("handed_over", False, False, False),
        ("arrived", False, False, False),
        ("announced", True, True, True),
        ("named", True, True, True),
        # the pardon was granted; of whoever was never let out nobody knows it
        ("pardoned", True, True, None),
    ],
)
def test_the_refused_and_the_refuted_were_announced_and_are_not_gone(
    subject: str, announced: bool | None, refused: bool | None, refuted: bool | None
) -> None:
    one = people(handed_over(), legal_bases=frozenset({"pardon", "exchange"}))
    asked = figure("a", 5, subject=subject)
    outcomes = {"confirmed": True, "announced": announced, "refused_and_returned": refused, "refuted": refuted}
    assert set(outcomes) == set(ReleaseOutcome.codes())
    assert {outcome: in_scope(replace(one, outcome=outcome), asked) for outcome in outcomes} == outcomes


def test_who_is_only_announced_is_told_beside_who_is_short() -> None:
    refused = replace(handed_over(), status="refused")
    listed = [people(people=3), people(refused, outcome="refused_and_returned", citizenships=frozenset({"UA"}))]
    assert announced_only(figure("a", 4, subject="released"), listed) == 1
    assert announced_only(figure("a", 4, subject="handed_over", destinations="UA"), listed) == 1
    assert announced_only(figure("a", 4, subject="released", citizenships="UA"), listed) == 1
    assert announced_only(figure("a", 4, subject="released", citizenships="BY"), listed) == 0
    assert announced_only(figure("a", 4, subject="handed_over", destinations="LT"), listed) == 0
    for subject in ("announced", "named", "pardoned", "arrived"):
        assert announced_only(figure("a", 4, subject=subject), listed) == 0


# --- When


@pytest.mark.parametrize(
    ("fields", "released_on", "inside"),
    [
        # what takes in the day of the event takes in all of it
        ({"period": "2025-12-13"}, "2025-12-14", True),
        ({"period": "2025-12"}, "", True),
        ({"as_of": "2025-12-20"}, "2025-12-25", True),
        # narrower, or another time: each by the day of release
        ({"period": "2025-12-14"}, "2025-12-14", True),
        ({"period": "2025-12-14"}, "2025-12-13", False),
        ({"period": "2025-12-14"}, "2025-12", None),
        ({"period": "2025-12-14"}, "", False),  # with the event, as far as anybody knows
        ({"as_of": "2025-12-12"}, "2025-12-12", True),
        ({"as_of": "2025-12-12"}, "2025-12-13", False),
        ({"as_of": "2025-12-12"}, "2025-12", None),
        ({}, "2025-12-14", True),
    ],
)
def test_flows_have_periods_and_stocks_days(fields: dict[str, str], released_on: str, inside: bool | None) -> None:
    asked = figure("a", 5, subject="released", **{name: parse(text) for name, text in fields.items()})
    one = people(released_on=parse(released_on) if released_on else None)
    assert in_scope(one, asked, DAYS) is inside


def test_the_day_it_was_announced_takes_in_the_event_as_well() -> None:
    asked = figure("a", 5, subject="released", period=parse("2025-12-12"))
    assert in_scope(people(released_on=EVENT), asked, (EVENT, parse("2025-12-12"))) is True
    assert in_scope(people(released_on=EVENT), asked, (EVENT, None)) is False


@pytest.mark.parametrize(
    ("fields", "steps", "inside"),
    [
        ({"period": "2025-12-20"}, [handed_over(), onward("2025-12-20")], True),
        ({"period": "2025-12-20"}, [handed_over(), onward("2025-12-21")], False),
        ({"period": "2025-12-20"}, [handed_over(), onward()], None),
        ({"period": "2025-12-13"}, [handed_over(), onward("2025-12-20")], False),  # not with the event
        ({"as_of": "2025-12-20"}, [handed_over(), onward("2025-12-19")], True),
        ({"as_of": "2025-12-20"}, [handed_over(), onward("2025-12-24")], False),
        ({}, [handed_over(), onward("2025-12-24")], True),
        ({"as_of": "2025-12-20"}, [handed_over(), replace(onward("2025-12-19"), status="planned")], False),
    ],
)
def test_a_journey_onward_counts_on_its_own_day(fields: dict[str, str], steps: list[Step], inside: bool | None) -> None:
    when = {name: parse(text) for name, text in fields.items()}
    arrived = figure("a", 5, subject="arrived", destinations="PL", **when)
    assert in_scope(people(*steps), arrived, DAYS) is inside


def test_a_journey_onward_is_no_second_release_and_no_second_handover() -> None:
    one = people(handed_over(), onward("2025-12-20"), released_on=EVENT)
    for subject in ("released", "handed_over"):
        for when in ({"period": parse("2025-12-20")}, {"period": parse("2025-12-14/2025-12-31")}):
            assert in_scope(one, figure("a", 5, subject=subject, **when), DAYS) is False
        assert count(figure("a", 5, subject=subject), [one], DAYS) == Logged(1, 1)
    assert in_scope(one, figure("a", 5, subject="handed_over", destinations="PL"), DAYS) is False
    # released, and in the end in Poland
    assert in_scope(one, figure("a", 5, subject="released", destinations="PL", period=EVENT), DAYS) is True


@given(
    st.sampled_from(FigureSubject.codes()),
    st.sampled_from(ReleaseOutcome.codes()),
    st.lists(st.sampled_from([handed_over(), onward(), onward("2025-12-20", UKRAINE)]), max_size=4),
    st.integers(0, 5),
)
def test_nobody_counts_more_than_once(subject: str, outcome: str, steps: list[Step], number: int) -> None:
    logged = count(figure("a", 5, subject=subject), [people(*steps, outcome=outcome, people=number)], DAYS)
    assert logged is None or 0 <= logged.sure <= logged.possible <= number


# --- Outside the remit


def soldiers(low: int = 5, high: int = 5, **values: Any) -> Outside:
    return Outside(people(handed_over(), people=high, **{"citizenships": UKRAINE, "named": None, **values}), low)


@pytest.mark.parametrize(
    ("fields", "counted"),
    [
        ({"subject": "released"}, Logged(5, 5)),
        ({"destinations": "UA"}, Logged(5, 5)),
        ({"destinations": "LT"}, Logged(0, 0)),
        ({"citizenships": "UA"}, Logged(5, 5)),
        ({"citizenships": "BY"}, Logged(0, 0)),
        ({"sex": "female"}, Logged(5, 5)),
        ({"sex": "male"}, Logged(0, 0)),
        ({"subject": "named"}, Logged(0, 5)),
        ({"group": "soldiers"}, Logged(0, 0)),
        ({"counted_as": "political prisoners by Viasna"}, Logged(0, 0)),
        ({"subject": "remaining_in_custody"}, Logged(0, 0)),
    ],
)
def test_those_outside_the_remit_count_as_they_are_entered(fields: dict[str, str], counted: Logged) -> None:
    assert count_outside(figure("a", 114, **fields), [soldiers()], DAYS) == counted


def test_what_nobody_says_of_them_is_possible() -> None:
    assert count_outside(figure("a", 114, sex="male"), [soldiers(sex="")]) == Logged(0, 5)
    assert count_outside(figure("a", 114), [soldiers(3, 6)]) == Logged(3, 6)
    assert count_outside(figure("a", 114), [soldiers(), soldiers(1, 1)]) == Logged(6, 6)
