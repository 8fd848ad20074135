from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.counting import (
    Agreement,
    Dimension,
    Figure,
    SumResult,
    Verdict,
    bounds,
    check_sums,
    compare,
    disagreements,
    independent_origins,
    propose_sums,
)
from tracker.dates import parse
from tracker.vocabularies import Qualifier


def figure(id: str, number: int | None = None, qualifier: str = "exactly", **fields: Any) -> Figure:
    """A number of people handed over, by a source and an origin of its own, unless `fields` says otherwise."""
    low, high = bounds(qualifier, number)
    defaults: dict[str, Any] = {
        "subject": "handed_over",
        "measure": "people",
        "low": low,
        "high": high,
        "qualifier": qualifier,
        "as_of": None,
        "period": None,
        "destinations": "",
        "citizenships": "",
        "sex": "",
        "group": "",
        "counted_as": "",
        "part_of": None,
        "parts_complete": False,
        "complete_along": "",
        "origin": f"origin of {id}",
        "source": f"source of {id}",
        "standing": "accepted",
    }
    values = defaults | fields
    for field in ("destinations", "citizenships", "complete_along"):
        values[field] = frozenset(values[field].split())
    return Figure(id=id, **values)


# --- bounds


@pytest.mark.parametrize(
    ("qualifier", "number", "expected"),
    [
        ("exactly", 114, (114, 114)),
        ("exactly", 0, (0, 0)),
        ("at_least", 1184, (1184, None)),
        ("more_than", 1100, (1101, None)),
        ("up_to", 50, (0, 50)),
        ("up_to", 0, (0, 0)),
        ("worded", None, (None, None)),
        ("worded", 3, (None, None)),
        ("about", 100, (50, 149)),
        ("about", 1200, (1150, 1249)),
        ("about", 1000, (500, 1499)),
        ("about", 110, (105, 114)),
        ("about", 10, (5, 14)),
        ("about", 5, (5, 5)),
        ("about", 114, (114, 114)),
        ("about", 0, (0, 0)),
    ],
)
def test_bounds(qualifier: str, number: int | None, expected: tuple[int | None, int | None]) -> None:
    assert bounds(qualifier, number) == expected


@pytest.mark.parametrize("qualifier", [code for code in Qualifier.codes() if code != "worded"])
@pytest.mark.parametrize("number", [None, -1])
def test_a_qualifier_needs_its_number(qualifier: str, number: int | None) -> None:
    with pytest.raises(ValueError, match="needs a number that is not negative"):
        bounds(qualifier, number)


def test_an_unknown_qualifier_is_refused() -> None:
    with pytest.raises(ValueError, match="'roughly' is not a valid Qualifier"):
        bounds("roughly", 100)


@given(st.integers(1, 999), st.integers(0, 3))
def test_about_is_every_number_that_rounds_to_it(digits: int, zeros: int) -> None:
    number = digits * 10**zeros
    place = next(10**power for power in range(6, -1, -1) if number % 10**power == 0)
    low, high = bounds("about", number)
    assert low is not None
    assert high is not None
    rounds_to_it = [
        n for n in range(number - place - 1, number + place + 2) if (2 * n + place) // (2 * place) * place == number
    ]
    assert list(range(low, high + 1)) == rounds_to_it


# --- compare

AGREES = Verdict(Agreement.AGREES)
NOT_COMPARED = Verdict(Agreement.NOT_COMPARED)


@pytest.mark.parametrize(
    ("qualifier", "number", "logged", "verdict"),
    [
        ("exactly", 114, (114, 114), AGREES),
        ("exactly", 114, (100, 120), AGREES),
        ("exactly", 114, (114, 120), AGREES),
        ("exactly", 114, (4, 4), Verdict(Agreement.SHORT_BY, 110)),
        ("exactly", 114, (4, 113), Verdict(Agreement.SHORT_BY, 1)),
        ("exactly", 114, (0, 0), Verdict(Agreement.SHORT_BY, 114)),
        ("exactly", 114, (115, 120), Verdict(Agreement.OVER_BY, 1)),
        ("exactly", 0, (0, 0), AGREES),
        ("exactly", 0, (2, 2), Verdict(Agreement.OVER_BY, 2)),
        ("about", 100, (114, 114), AGREES),
        ("about", 100, (49, 49), Verdict(Agreement.SHORT_BY, 1)),
        ("about", 100, (150, 150), Verdict(Agreement.OVER_BY, 1)),
        ("at_least", 1184, (1184, 1184), AGREES),
        ("at_least", 1184, (9999, 9999), AGREES),
        ("at_least", 1184, (1000, 1183), Verdict(Agreement.SHORT_BY, 1)),
        ("more_than", 1100, (1100, 1100), Verdict(Agreement.SHORT_BY, 1)),
        ("more_than", 1100, (1101, 1101), AGREES),
        ("up_to", 50, (0, 0), AGREES),
        ("up_to", 50, (50, 60), AGREES),
        ("up_to", 50, (51, 60), Verdict(Agreement.OVER_BY, 1)),
        ("worded", None, (0, 0), NOT_COMPARED),
        ("worded", None, (109, 109), NOT_COMPARED),
        ("exactly", 114, (None, None), NOT_COMPARED),
    ],
)
def test_people_are_compared(
    qualifier: str, number: int | None, logged: tuple[int | None, int | None], verdict: Verdict
) -> None:
    assert compare(figure("a", number, qualifier), *logged) == verdict


@pytest.mark.parametrize("measure", ["age_in_years", "sentence_in_years"])
@pytest.mark.parametrize(
    ("logged", "verdict"),
    [
        ((18, 58), AGREES),
        ((25, 40), AGREES),
        ((17, 40), Verdict(Agreement.CONTRADICTS)),
        ((25, 59), Verdict(Agreement.CONTRADICTS)),
        # One person who can be 20 to 30: the lowest highest is above the highest lowest.
        ((30, 20), AGREES),
        ((None, None), NOT_COMPARED),
    ],
)
def test_ages_and_sentences_agree_or_contradict(
    measure: str, logged: tuple[int | None, int | None], verdict: Verdict
) -> None:
    assert compare(figure("a", measure=measure, qualifier="exactly", number=0, low=18, high=58), *logged) == verdict


def test_an_age_that_is_open_at_the_top_has_no_oldest() -> None:
    youngest = figure("a", 25, "at_least", measure="age_in_years")
    assert compare(youngest, 25, 99) == AGREES
    assert compare(youngest, 24, 99) == Verdict(Agreement.CONTRADICTS)


def test_a_missing_lower_end_is_none_at_all() -> None:
    up_to = figure("a", 50, "up_to", low=None)
    assert compare(up_to, 0, 0) == AGREES
    assert compare(up_to, 60, 60) == Verdict(Agreement.OVER_BY, 10)
    assert disagreements([up_to, figure("b", 51)])
    assert str(up_to) == "0–50"


def test_rejected_figures_are_not_compared() -> None:
    assert compare(figure("a", 114, standing="rejected"), 1, 1) == NOT_COMPARED
    assert compare(figure("a", 114, standing="unresolved"), 1, 1) == Verdict(Agreement.SHORT_BY, 113)


@given(
    st.sampled_from(["exactly", "about", "at_least", "more_than", "up_to"]),
    st.integers(0, 300),
    st.integers(0, 300),
    st.integers(0, 300),
)
def test_a_verdict_names_the_distance(qualifier: str, number: int, first: int, second: int) -> None:
    least, most = sorted([first, second])
    low, high = bounds(qualifier, number)
    meant = range(low or 0, 1000 if high is None else high + 1)
    distance = min(abs(logged - n) for logged in range(least, most + 1) for n in (meant[0], meant[-1]))
    if any(logged in meant for logged in range(least, most + 1)):
        distance = 0
    verdict = compare(figure("a", number, qualifier), least, most)
    assert verdict.n == distance
    assert (verdict.kind == Agreement.AGREES) == (distance == 0)


# --- origins and disagreements


def test_an_origin_counts_once() -> None:
    outlets = [figure(outlet, 114, origin="HQ") for outlet in ("UI", "GZ", "IA")]
    assert independent_origins(outlets) == 1
    assert independent_origins([*outlets, figure("Viasna", 114)]) == 2
    assert independent_origins([*outlets, figure("Viasna", 114, standing="rejected")]) == 1
    assert independent_origins([]) == 0


def test_numbers_that_differ_disagree() -> None:
    groups = disagreements(
        [
            figure("lone", 115),
            figure("UI", 114, origin="HQ"),
            figure("GZ", 114, origin="HQ"),
            figure("Viasna", 114),
        ]
    )
    assert [[(reading.figures[0].low, reading.origins) for reading in readings] for readings in groups] == [
        [(114, 2), (115, 1)]
    ]


def test_outlets_that_report_one_origin_differently_disagree() -> None:
    ((first, second),) = disagreements([figure("UI", 114, origin="HQ"), figure("GZ", 141, origin="HQ")])
    assert independent_origins([*first.figures, *second.figures]) == 1


def test_figures_that_can_be_true_together_do_not_disagree() -> None:
    remaining: dict[str, Any] = {"subject": "remaining_in_custody", "counted_as": "political prisoners by Viasna"}
    assert not disagreements(
        [
            figure("KI", 1184, "at_least", **remaining),
            figure("NG", 1100, "more_than", **remaining),
            figure("IA", 1200, "about", **remaining),
        ]
    )
    assert not disagreements([figure("Yusov", 114), figure("Zelensky", 100, "about")])
    assert not disagreements([figure("GZ", None, "worded"), figure("UI", 109)])


@pytest.mark.parametrize(
    "difference",
    [
        {"subject": "released"},
        {"measure": "age_in_years"},
        {"destinations": "UA"},
        {"destinations": "LT PL"},
        {"citizenships": "UA"},
        {"sex": "female"},
        {"group": "clergy"},
        {"counted_as": "political prisoners by Viasna"},
        {"as_of": parse("2025-11-22")},
        {"period": parse("2025-12-13")},
        {"standing": "rejected"},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_figures_about_different_things_do_not_disagree(difference: dict[str, Any]) -> None:
    assert disagreements([figure("a", 114), figure("b", 9)])
    assert not disagreements([figure("a", 114), figure("b", 9, **difference)])


def test_the_best_supported_reading_comes_first() -> None:
    claims = [
        figure("two 1", 1),
        figure("two 2", 1),
        figure("accepted", 3),
        figure("narrow", 20, "up_to", standing="unresolved"),
        figure("open", 5, "at_least", standing="unresolved"),
    ]
    for order in permutations(claims):
        ((*group,),) = disagreements(order)
        assert [reading.figures[0].low for reading in group] == [1, 3, 0, 5]


# --- sums


def shown(figures: list[Figure]) -> list[tuple[str, SumResult]]:
    return [(str(check), check.result) for check in check_sums(figures)]


def by_destination(lithuania: int = 9, *, complete: bool = False) -> list[Figure]:
    return [
        figure("total", 123, subject="released", parts_complete=complete),
        figure("ukraine", 114, destinations="UA", part_of="total"),
        figure("lithuania", lithuania, destinations="LT", part_of="total"),
    ]


def test_123_is_114_and_9() -> None:
    (check,) = check_sums(by_destination(complete=True))
    assert check.dimension is Dimension.DESTINATIONS
    assert check.complete
    assert [part.id for part in check.parts] == ["ukraine", "lithuania"]
    assert (check.low, check.high) == (123, 123)
    assert check.result is SumResult.HOLDS
    assert str(check) == "123 = 114 + 9"


def test_a_sum_that_does_not_hold_is_shown() -> None:
    assert shown(by_destination(10, complete=True)) == [("123 ≠ 114 + 10", SumResult.DOES_NOT_HOLD)]
    assert shown(by_destination(8, complete=True)) == [("123 ≠ 114 + 8", SumResult.DOES_NOT_HOLD)]


def test_parts_not_known_to_be_complete_are_a_limit() -> None:
    assert shown(by_destination(8)) == [("123 ≥ 114 + 8", SumResult.INCOMPLETE)]
    assert shown(by_destination(9)) == [("123 ≥ 114 + 9", SumResult.INCOMPLETE)]
    assert shown(by_destination(10)) == [("123 < 114 + 10", SumResult.DOES_NOT_HOLD)]


def by_citizenship(*, complete: bool = False, **fields: Any) -> list[Figure]:
    return [
        figure("ukraine", 114, destinations="UA", parts_complete=complete),
        figure("belarusians", 109, citizenships="BY", part_of="ukraine", **fields),
        figure("ukrainians", 5, citizenships="UA", part_of="ukraine", **fields),
    ]


def test_114_is_109_and_5() -> None:
    assert shown(by_citizenship(complete=True)) == [("114 = 109 + 5", SumResult.HOLDS)]
    # A part may repeat the scope of its whole.
    assert shown(by_citizenship(complete=True, destinations="UA")) == [("114 = 109 + 5", SumResult.HOLDS)]


def test_two_citizenships_are_no_partition() -> None:
    assert shown(by_citizenship()) == [("114 ≥ 109", SumResult.INCOMPLETE), ("114 ≥ 5", SumResult.INCOMPLETE)]


def test_a_part_is_never_more_than_its_whole() -> None:
    figures = [figure("all", 5), figure("some", 9, citizenships="BY", part_of="all")]
    assert shown(figures) == [("5 < 9", SumResult.DOES_NOT_HOLD)]


@pytest.mark.parametrize(
    ("men", "women", "complete", "expected"),
    [
        (20, 11, True, ("31 = 20 + 11", SumResult.HOLDS)),
        (20, 12, True, ("31 ≠ 20 + 12", SumResult.DOES_NOT_HOLD)),
        (20, 5, False, ("31 ≥ 20 + 5", SumResult.INCOMPLETE)),
        (20, 12, False, ("31 < 20 + 12", SumResult.DOES_NOT_HOLD)),
    ],
)
def test_men_and_women(men: int, women: int, complete: bool, expected: tuple[str, SumResult]) -> None:
    figures = [
        figure("all", 31, parts_complete=complete),
        figure("men", men, sex="male", part_of="all"),
        figure("women", women, sex="female", part_of="all"),
    ]
    assert shown(figures) == [expected]


@pytest.mark.parametrize(
    ("whole", "parts", "expected"),
    [
        (("about", 100), [("exactly", 109), ("exactly", 5)], ("50–149 = 109 + 5", SumResult.HOLDS)),
        (("about", 100), [("exactly", 145), ("exactly", 5)], ("50–149 ≠ 145 + 5", SumResult.DOES_NOT_HOLD)),
        (("exactly", 114), [("about", 110), ("exactly", 5)], ("114 = 105–114 + 5", SumResult.HOLDS)),
        (("exactly", 114), [("at_least", 110), ("exactly", 5)], ("114 ≠ (≥ 110) + 5", SumResult.DOES_NOT_HOLD)),
        (("exactly", 114), [("at_least", 100), ("exactly", 5)], ("114 = (≥ 100) + 5", SumResult.HOLDS)),
        (("at_least", 114), [("exactly", 200), ("exactly", 5)], ("≥ 114 = 200 + 5", SumResult.HOLDS)),
        (("at_least", 114), [("exactly", 100), ("exactly", 5)], ("≥ 114 ≠ 100 + 5", SumResult.DOES_NOT_HOLD)),
    ],
)
def test_ranges_are_added_up(
    whole: tuple[str, int], parts: list[tuple[str, int]], expected: tuple[str, SumResult]
) -> None:
    figures = [figure("all", whole[1], whole[0], parts_complete=True)]
    for (qualifier, number), sex in zip(parts, ("male", "female"), strict=True):
        figures.append(figure(sex, number, qualifier, sex=sex, part_of="all"))
    assert shown(figures) == [expected]


def test_several_stands_in_a_sum_without_a_number() -> None:
    total, ukraine, lithuania = by_destination(complete=True)
    several = figure("several", None, "worded", destinations="LT", part_of="total")
    assert shown([total, ukraine, several]) == [("123 = 114 + …", SumResult.HOLDS)]
    assert shown([total, replace(ukraine, low=124, high=124), several]) == [("123 ≠ 124 + …", SumResult.DOES_NOT_HOLD)]
    assert shown([replace(total, parts_complete=False), ukraine, several]) == [("123 ≥ 114 + …", SumResult.INCOMPLETE)]
    # A number for the same scope is better than a word.
    assert shown([total, ukraine, several, lithuania]) == [("123 = 114 + 9", SumResult.HOLDS)]


def test_several_alone_makes_no_sum() -> None:
    total = figure("total", 123, parts_complete=True)
    assert shown([total, figure("several", None, "worded", citizenships="BY", part_of="total")]) == []
    assert shown([figure("several", None, "worded"), figure("part", 5, sex="male", part_of="several")]) == []


def test_rejected_figures_are_in_no_sum() -> None:
    total, ukraine, lithuania = by_destination(complete=True)
    rejected = figure("wrong", 5, destinations="PL", part_of="total", standing="rejected")
    assert shown([total, ukraine, lithuania, rejected]) == [("123 = 114 + 9", SumResult.HOLDS)]
    assert shown([replace(total, standing="rejected"), ukraine, lithuania]) == []


def test_each_scope_counts_once_with_its_best_supported_figure() -> None:
    total, ukraine, lithuania = by_destination(complete=True)
    outlet = replace(ukraine, id="outlet", origin="another", source="another")
    wrong = replace(lithuania, id="wrong", low=19, high=19)
    repeated = replace(wrong, id="repeats the wrong one")
    supported = replace(lithuania, id="supported", origin="another", source="another")
    figures = [wrong, repeated, lithuania, supported, ukraine, outlet, total]
    assert shown(figures) == [("123 = 114 + 9", SumResult.HOLDS)]


def test_each_way_of_dividing_is_checked() -> None:
    figures = [
        *by_destination(complete=True),
        figure("men", 100, sex="male", part_of="total"),
        figure("ukrainians", 5, citizenships="UA", part_of="total"),
        figure("priests", 2, group="clergy", part_of="total"),
        figure("journalists", 3, group="journalists", part_of="total"),
    ]
    assert [(check.dimension, str(check)) for check in check_sums(figures)] == [
        (Dimension.DESTINATIONS, "123 = 114 + 9"),
        (Dimension.SEX, "123 ≥ 100"),
        (Dimension.CITIZENSHIPS, "123 ≥ 5"),
        (Dimension.GROUP, "123 ≥ 3"),
        (Dimension.GROUP, "123 ≥ 2"),
    ]


def test_complete_is_said_of_the_sum_that_comes_nearest() -> None:
    others = [
        figure("men", 100, sex="male", part_of="total"),
        figure("women", 2, sex="female", part_of="total"),
        # "More than five" could be any number, 123 too: its lower end is what counts.
        figure("ukrainians", 5, "more_than", citizenships="UA", part_of="total"),
    ]
    for lithuania, by_country in ((9, "123 = 114 + 9"), (10, "123 ≠ 114 + 10")):
        figures = [*others, *by_destination(lithuania, complete=True)]
        assert sorted(text for text, _ in shown(figures)) == sorted([by_country, "123 ≥ 100 + 2", "123 ≥ (≥ 6)"])


def test_complete_is_said_of_the_dimension_that_is_named() -> None:
    """Men and women come nearer to the total, and are not what the editor means."""
    figures = [
        *by_destination(10),
        figure("men", 100, sex="male", part_of="total"),
        figure("women", 23, sex="female", part_of="total"),
    ]
    told = {
        "": ["123 = 100 + 23", "123 < 114 + 10"],
        "destinations": ["123 ≠ 114 + 10", "123 ≥ 100 + 23"],
        "sex": ["123 = 100 + 23", "123 < 114 + 10"],
        "destinations sex": ["123 = 100 + 23", "123 ≠ 114 + 10"],
        "citizenships": ["123 < 114 + 10", "123 ≥ 100 + 23"],
    }
    for along, expected in told.items():
        total = replace(figures[0], parts_complete=True, complete_along=frozenset(along.split()))
        assert sorted(text for text, _ in shown([total, *figures[1:]])) == sorted(expected), along


def test_population_counts_are_added_up_too() -> None:
    """A stock on a day, of no event."""
    held: dict[str, Any] = {"subject": "remaining_in_custody", "as_of": parse("2025-11-22")}
    men = figure("men", 1000, sex="male", part_of="all", **held)
    women = figure("women", 184, sex="female", part_of="all", **held)
    whole = figure("all", 1184, parts_complete=True, **held)
    assert shown([whole, men, women]) == [("1184 = 1000 + 184", SumResult.HOLDS)]
    assert shown([whole, men, replace(women, low=185, high=185)]) == [("1184 ≠ 1000 + 185", SumResult.DOES_NOT_HOLD)]
    later = replace(women, as_of=parse("2025-12-13"))
    assert [text for text, _ in shown([whole, men, later])] == ["1184 ≠ 1000", "1184 ≥ 184"]


def test_all_of_one_kind() -> None:
    figures = [figure("all", 31, parts_complete=True), figure("ukrainians", 31, citizenships="UA", part_of="all")]
    assert shown(figures) == [("31 = 31", SumResult.HOLDS)]


def test_destinations_that_overlap_are_not_added_up() -> None:
    figures = [
        figure("all", 100),
        figure("lithuania", 60, destinations="LT", part_of="all"),
        figure("either", 70, destinations="LT PL", part_of="all"),
    ]
    assert [text for text, _ in shown(figures)] == ["100 ≥ 70", "100 ≥ 60"]


def test_a_plan_is_not_added_to_what_happened() -> None:
    planned = figure("planned", 109, subject="planned_onward", destinations="LT PL", part_of="total")
    assert [text for text, _ in shown([*by_destination(complete=True), planned])] == [
        "123 = 114 + 9",
        "123 ≥ 109",
    ]


@pytest.mark.parametrize(
    "difference",
    [
        {"counted_as": "political prisoners by Viasna"},
        {"as_of": parse("2025-11-22")},
        {"period": parse("2025-12-13")},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_parts_of_another_definition_or_moment_are_not_added_up(difference: dict[str, Any]) -> None:
    total, ukraine, lithuania = by_destination()
    assert [text for text, _ in shown([total, ukraine, replace(lithuania, **difference)])] == ["123 ≥ 114", "123 ≥ 9"]
    # What only one of whole and part says holds for both.
    said_by_whole = [replace(total, **difference), replace(ukraine, **difference), lithuania]
    assert [text for text, _ in shown(said_by_whole)] == ["123 ≥ 114 + 9"]


def test_a_part_that_differs_in_two_ways_or_none_stands_alone() -> None:
    figures = [
        figure("all", 31, subject="released", parts_complete=True),
        figure("ukrainian women", 8, citizenships="UA", sex="female", part_of="all"),
        figure("named", 0, subject="named", part_of="all"),
    ]
    assert [(check.dimension, str(check)) for check in check_sums(figures)] == [(None, "31 ≥ 8"), (None, "31 ≥ 0")]


def test_ages_are_not_added_up() -> None:
    ages = figure("ages", 0, measure="age_in_years", low=18, high=58)
    figures = [figure("all", 31), replace(ages, part_of="all"), replace(ages, id="men", part_of="ages", sex="male")]
    assert check_sums(figures) == []


@given(st.lists(st.integers(0, 50), min_size=1, max_size=4), st.integers(0, 200))
def test_complete_parts_hold_when_they_add_up(numbers: list[int], total: int) -> None:
    parts = [
        figure(country, number, destinations=country, part_of="all")
        for number, country in zip(numbers, ("UA", "LT", "PL", "DE"), strict=False)
    ]
    for whole in (total, sum(numbers)):
        (check,) = check_sums([figure("all", whole, parts_complete=True), *parts])
        assert (check.result is SumResult.HOLDS) == (whole == sum(numbers))


# --- Sums that nobody has recorded


def proposed(figures: list[Figure]) -> list[str]:
    return [f"{check}, {check.dimension}" for check in propose_sums(figures)]


def loose(lithuania: int = 9, **fields: Any) -> list[Figure]:
    """123 in all, 114 to Ukraine, 9 to Lithuania, and nobody says that the one is made of the others."""
    return [
        figure("total", 123, subject="released"),
        figure("ukraine", 114, destinations="UA"),
        figure("lithuania", lithuania, destinations="LT", **fields),
    ]


def test_a_sum_that_nobody_recorded_is_proposed() -> None:
    assert proposed(loose()) == ["123 = 114 + 9, destinations"]
    assert check_sums(loose()) == []
    assert proposed(loose(10)) == []
    whole = figure("all", 31)
    sexes = [figure("men", 20, sex="male"), figure("women", 11, sex="female")]
    assert proposed([whole, *sexes]) == ["31 = 20 + 11, sex"]
    assert proposed([whole, *(replace(one, subject="planned_onward") for one in sexes)]) == []


@pytest.mark.parametrize(
    "difference",
    [
        {"standing": "rejected"},
        {"qualifier": "about", "low": 5, "high": 14},
        {"subject": "planned_onward"},
        {"subject": "released"},  # the other part counts those handed over
        {"citizenships": "BY"},
        {"counted_as": "political prisoners by Viasna"},
        {"period": parse("2025-12-13")},
        {"as_of": parse("2025-12-13")},
        {"destinations": "LT UA"},  # somebody can be in both
        {"part_of": "another"},
        {"measure": "age_in_years"},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_what_is_not_of_the_same_people_is_not_proposed(difference: dict[str, Any]) -> None:
    total, ukraine, lithuania = loose()
    fields = {name: frozenset(text.split()) if name in {"destinations", "citizenships"} else text
              for name, text in difference.items()}  # fmt: skip
    assert proposed([total, ukraine, replace(lithuania, **fields)]) == []


def test_two_citizenships_and_groups_in_words_are_not_proposed() -> None:
    whole = figure("all", 114)
    assert proposed([whole, figure("a", 109, citizenships="BY"), figure("b", 5, citizenships="UA")]) == []
    assert proposed([whole, figure("a", 109, group="laymen"), figure("b", 5, group="clergy")]) == []


def test_what_is_recorded_is_not_proposed_again() -> None:
    total, *parts = by_destination(complete=True)
    assert proposed([total, *parts]) == []
    assert proposed([replace(total, complete_along=frozenset({"destinations"})), *parts]) == []
    assert proposed([replace(total, complete_along=frozenset({"sex"})), *parts]) == ["123 = 114 + 9, destinations"]
    assert proposed([replace(total, parts_complete=False), *parts]) == ["123 = 114 + 9, destinations"]


def test_what_is_recorded_is_in_every_sum_that_is_proposed() -> None:
    total, ukraine, lithuania = loose()
    poland = figure("poland", 5, destinations="PL", part_of="total")
    germany = figure("germany", 4, destinations="DE")
    assert proposed([total, ukraine, lithuania, poland]) == []
    assert proposed([total, ukraine, lithuania, poland, germany]) == ["123 = 114 + 5 + 4, destinations"]
    assert set(proposed([total, ukraine, lithuania, replace(poland, part_of=None), germany])) == {
        "123 = 114 + 9, destinations",
        "123 = 114 + 5 + 4, destinations",
    }


def test_several_who_say_the_same_make_one_proposal() -> None:
    figures = [
        variant
        for one in loose()
        for variant in (one, replace(one, id=f"{one.id} again", origin="another", source="another"))
    ]
    assert proposed(figures) == ["123 = 114 + 9, destinations"]


def test_of_several_who_say_the_same_the_one_that_is_recorded_stays() -> None:
    total, ukraine, lithuania = loose()
    again = replace(total, id="total again", origin="another", source="another")
    part = replace(lithuania, id="lithuania again", origin="another", source="another", part_of="total again")
    (check,) = propose_sums([total, again, ukraine, lithuania, part])
    assert [figure.id for figure in (check.whole, *check.parts)] == ["total again", "ukraine", "lithuania again"]


def test_the_narrower_of_two_is_the_part() -> None:
    """A whole is never proposed as a part of what is recorded as its own part."""
    total, ukraine, lithuania = loose()
    assert proposed([replace(total, part_of="ukraine"), ukraine, lithuania]) == []


# --- What holds for any figures

SCOPES = st.sampled_from(["UA", "LT", "PL", "LT PL", ""])


@st.composite
def any_figures(draw: Any) -> list[Figure]:
    found = []
    for number in range(draw(st.integers(1, 7))):
        above = draw(st.sampled_from([None, *(one.id for one in found)]))
        found.append(
            figure(
                f"figure {number}",
                draw(st.integers(0, 12)),
                draw(st.sampled_from(["exactly", "about", "at_least", "up_to", "worded"])),
                subject=draw(st.sampled_from(["released", "handed_over"])),
                destinations=draw(SCOPES),
                sex=draw(st.sampled_from(["", "", "female", "male"])),
                part_of=above,
                parts_complete=draw(st.booleans()),
                standing=draw(st.sampled_from(["accepted", "accepted", "unresolved"])),
                origin=draw(st.sampled_from(["one", "another"])),
            )
        )
    return found


def everything(figures: list[Figure]) -> Any:
    readings = [
        [(reading.figures[0].low, reading.figures[0].high, reading.origins) for reading in group]
        for group in disagreements(figures)
    ]
    return sorted(map(str, readings)), check_sums(figures), propose_sums(figures)


@given(st.data())
def test_the_order_of_figures_does_not_matter(data: Any) -> None:
    figures = data.draw(any_figures())
    assert everything(data.draw(st.permutations(figures))) == everything(figures)


@given(any_figures(), st.integers(0, 12), SCOPES, st.booleans())
def test_a_rejected_figure_changes_nothing(figures: list[Figure], number: int, where: str, complete: bool) -> None:
    rejected = figure(
        "rejected", number, destinations=where, part_of=figures[0].id, parts_complete=complete, standing="rejected"
    )
    assert everything([*figures, rejected]) == everything(figures)


@given(any_figures())
def test_a_sum_that_holds_exactly_is_never_broken(figures: list[Figure]) -> None:
    for check in check_sums(figures):
        low, high = check.low, check.high
        assert high is None or low <= high
        exact = {check.whole.low, check.whole.high, low, high}
        assert len(exact) > 1 or check.result is not SumResult.DOES_NOT_HOLD
        assert check.complete or check.result is not SumResult.HOLDS
    for check in propose_sums(figures):
        assert sum(part.low or 0 for part in check.parts) == check.whole.low == check.whole.high
