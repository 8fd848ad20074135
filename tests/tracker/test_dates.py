from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.dates import (
    DateError,
    ImpreciseDate,
    age_range,
    born_range,
    parse,
    possibly_held,
    surely_held,
)

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))
DATES = st.builds(lambda a, b: ImpreciseDate(min(a, b), max(a, b)), DAYS, DAYS)


@st.composite
def units(draw: st.DrawFn) -> ImpreciseDate:
    """Whole days, months and years, and intervals of them."""
    length = draw(st.sampled_from([4, 7, 10]))
    first, last = sorted([draw(DAYS), draw(DAYS)])
    return parse(f"{first.isoformat()[:length]}/{last.isoformat()[:length]}")


@pytest.mark.parametrize(
    ("text", "earliest", "latest", "precision", "edtf", "display"),
    [
        ("2021", "2021-01-01", "2021-12-31", "year", "2021", "2021"),
        ("2021-03", "2021-03-01", "2021-03-31", "month", "2021-03", "March 2021"),
        ("2024-02", "2024-02-01", "2024-02-29", "month", "2024-02", "February 2024"),
        ("2021-12", "2021-12-01", "2021-12-31", "month", "2021-12", "December 2021"),
        ("2021-03-05", "2021-03-05", "2021-03-05", "day", "2021-03-05", "5 March 2021"),
        ("2024-02-29", "2024-02-29", "2024-02-29", "day", "2024-02-29", "29 February 2024"),
        (" 2021-03-05\n", "2021-03-05", "2021-03-05", "day", "2021-03-05", "5 March 2021"),
        ("05.03.2021", "2021-03-05", "2021-03-05", "day", "2021-03-05", "5 March 2021"),
        ("5.3.2021", "2021-03-05", "2021-03-05", "day", "2021-03-05", "5 March 2021"),
        ("03.2021", "2021-03-01", "2021-03-31", "month", "2021-03", "March 2021"),
        (
            "2021-03-05/2021-03-09",
            "2021-03-05",
            "2021-03-09",
            "interval",
            "2021-03-05/2021-03-09",
            "between 5 and 9 March 2021",
        ),
        (
            "05.03.2021 / 9.4.2021",
            "2021-03-05",
            "2021-04-09",
            "interval",
            "2021-03-05/2021-04-09",
            "between 5 March and 9 April 2021",
        ),
        (
            "2021-12-30/2022-01-02",
            "2021-12-30",
            "2022-01-02",
            "interval",
            "2021-12-30/2022-01-02",
            "between 30 December 2021 and 2 January 2022",
        ),
        ("2021-03/2021-05", "2021-03-01", "2021-05-31", "interval", "2021-03/2021-05", "between March and May 2021"),
        (
            "2021-12/2022-01",
            "2021-12-01",
            "2022-01-31",
            "interval",
            "2021-12/2022-01",
            "between December 2021 and January 2022",
        ),
        ("2021/2023", "2021-01-01", "2023-12-31", "interval", "2021/2023", "between 2021 and 2023"),
        # Ends of different sizes: to the end of the last unit.
        (
            "2021/2021-03-05",
            "2021-01-01",
            "2021-03-05",
            "interval",
            "2021-01-01/2021-03-05",
            "between 1 January and 5 March 2021",
        ),
        (
            "2021-03-05/2021-03",
            "2021-03-05",
            "2021-03-31",
            "interval",
            "2021-03-05/2021-03-31",
            "between 5 and 31 March 2021",
        ),
        # Intervals that are one unit.
        ("2021-03-05/2021-03-05", "2021-03-05", "2021-03-05", "day", "2021-03-05", "5 March 2021"),
        ("2021-03-01/2021-03-31", "2021-03-01", "2021-03-31", "month", "2021-03", "March 2021"),
        ("2021-01/2021-12", "2021-01-01", "2021-12-31", "year", "2021", "2021"),
        ("1900/2100", "1900-01-01", "2100-12-31", "interval", "1900/2100", "between 1900 and 2100"),
    ],
)
def test_dates_as_they_are_written(
    text: str, earliest: str, latest: str, precision: str, edtf: str, display: str
) -> None:
    parsed = parse(text)
    assert parsed == ImpreciseDate(date.fromisoformat(earliest), date.fromisoformat(latest))
    assert parsed.precision == precision
    assert parsed.edtf == str(parsed) == edtf
    assert parsed.display == display


WRITE = "Write 2025, 2025-12, 2025-12-05 or 2025-12-01/2025-12-05."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2025-13-40", f"2025-13-40 is not a date: there is no month 13. {WRITE}"),
        ("2025-00", f"2025-00 is not a date: there is no month 0. {WRITE}"),
        ("40.12.2025", f"40.12.2025 is not a date: there is no day 40 in that month. {WRITE}"),
        ("2025-02-29", f"2025-02-29 is not a date: there is no day 29 in that month. {WRITE}"),
        ("2025-02-00", f"2025-02-00 is not a date: there is no day 0 in that month. {WRITE}"),
        ("2021/2025-02-30", f"2021/2025-02-30 is not a date: there is no day 30 in that month. {WRITE}"),
        ("1899", f"1899 is not a date: its year is not between 1900 and 2100. {WRITE}"),
        ("31.12.2101", f"31.12.2101 is not a date: its year is not between 1900 and 2100. {WRITE}"),
        ("0000-01-01", f"0000-01-01 is not a date: its year is not between 1900 and 2100. {WRITE}"),
        ("2021-05/2021-03", f"2021-05/2021-03 is not a date: it ends before it starts. {WRITE}"),
        ("2021/..", "2021/.. is open at one end. Give both ends, or leave the date empty."),
        ("../2021", "../2021 is open at one end. Give both ends, or leave the date empty."),
        ("2021/", "2021/ is open at one end. Give both ends, or leave the date empty."),
        ("/2021", "/2021 is open at one end. Give both ends, or leave the date empty."),
        (
            "2021?",
            "2021? is not a date: a mark of doubt cannot be kept, but the days between which it was can. " + WRITE,
        ),
        (
            "2021-03~",
            "2021-03~ is not a date: a mark of doubt cannot be kept, but the days between which it was can. " + WRITE,
        ),
        ("", f"An empty text is not a date. {WRITE}"),
        ("yesterday", f"yesterday is not a date. {WRITE}"),
        ("x" * 100, f"{'x' * 59}… is not a date. {WRITE}"),
    ],
)
def test_what_is_no_date_is_explained(text: str, message: str) -> None:
    with pytest.raises(DateError) as refused:
        parse(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "text",
    [
        "21",
        "2021-3-5",
        "20210305",
        "2021/2022/2023",
        "2021--03",
        "2021-03-05T10:00",
        "201X",
        "-2021",
        "3/5/2021",
        "05-03-2021",
        "5 March 2021",
        "٢٠٢١",
        "２０２１",
        "2021-03-05 2021-03-09",
        "1.2.3.2021",
        "2021\x00",
    ],
)
def test_other_ways_of_writing_are_refused(text: str) -> None:
    with pytest.raises(DateError):
        parse(text)


@given(st.text() | st.text("0123456789-./?~ ", max_size=24))
def test_parse_raises_nothing_but_date_errors(text: str) -> None:
    with suppress(DateError):
        parsed = parse(text)
        assert parse(parsed.edtf) == parsed


@given(DATES | units() | DAYS.map(ImpreciseDate.from_day))
def test_a_date_survives_its_text_and_its_bounds(when: ImpreciseDate) -> None:
    assert parse(when.edtf) == when
    assert ImpreciseDate.from_bounds(when.earliest, when.upper) == when
    assert (when.precision == "interval") == ("/" in when.edtf)
    assert "  " not in when.display


@given(DATES | units())
def test_the_text_is_the_shortest(when: ImpreciseDate) -> None:
    for length in (4, 7):
        shorter = f"{when.earliest.isoformat()[:length]}/{when.latest.isoformat()[:length]}"
        if parse(shorter) == when:
            assert len(when.edtf) <= len(shorter)


def test_reversed_and_distant_days_are_refused() -> None:
    with pytest.raises(DateError, match=r"2021-03-06 is after 2021-03-05\. Give the earlier day first\."):
        ImpreciseDate(date(2021, 3, 6), date(2021, 3, 5))
    for day in (date.min, date(1899, 12, 31), date(2101, 1, 1), date.max):
        with pytest.raises(DateError, match="is outside the years 1900 to 2100"):
            ImpreciseDate.from_day(day)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2021-03-05", "2021"),
        ("2021", "2021"),
        ("1999-12-14/2000-12-13", "1999/2000"),
        ("2020-12/2022-01", "2020/2022"),
    ],
)
def test_whole_year_hides_the_day(text: str, years: str) -> None:
    assert parse(text).whole_year() == parse(years)


@pytest.mark.parametrize(
    ("one", "other", "can_be_before", "can_be_after", "surely_before"),
    [
        ("2021-03-05", "2021-03-06", True, False, True),
        ("2021-03-05", "2021-03-05", False, False, False),
        ("2021-03-06", "2021-03-05", False, True, False),
        ("2021-03", "2021-03-05", True, True, False),
        ("2021-03", "2021-03-01", False, True, False),
        ("2021-03", "2021-03-31", True, False, False),
        ("2021-03", "2021-04", True, False, True),
        ("2021", "2021", True, True, False),
        ("2021", "2021-12", True, True, False),
    ],
)
def test_before_and_after(one: str, other: str, can_be_before: bool, can_be_after: bool, surely_before: bool) -> None:
    first, second = parse(one), parse(other)
    assert first.can_be_before(second) is can_be_before
    assert first.can_be_after(second) is can_be_after
    assert first.surely_before(second) is surely_before


SHORT_DATES = st.builds(
    lambda start, length: ImpreciseDate(start, start + timedelta(days=length)),
    st.dates(date(2021, 1, 1), date(2021, 1, 12)),
    st.integers(0, 6),
)


def days_of(when: ImpreciseDate) -> list[date]:
    return [when.earliest + timedelta(days=n) for n in range((when.upper - when.earliest).days)]


@given(SHORT_DATES, SHORT_DATES)
def test_comparisons_are_what_the_days_say(one: ImpreciseDate, other: ImpreciseDate) -> None:
    pairs = [(a, b) for a in days_of(one) for b in days_of(other)]
    assert one.can_be_before(other) == any(a < b for a, b in pairs)
    assert one.can_be_after(other) == any(a > b for a, b in pairs)
    assert one.surely_before(other) == all(a < b for a, b in pairs)
    for day in days_of(other):
        assert one.possibly(day) == (day in days_of(one))
        assert one.surely(day) == (days_of(one) == [day])


def when(text: str) -> ImpreciseDate | None:
    return parse(text) if text else None


@pytest.mark.parametrize(
    ("started", "ended", "confirmed", "held"),
    [
        ("2021-03-05", "2021-03-09", "", ("2021-03-05", "2021-03-09")),
        ("2021-03-05", "", "", ("2021-03-05", None)),
        ("2021-03", "", "", ("2021-03-31", None)),
        ("2021-03", "2021-05", "", ("2021-03-31", "2021-05-01")),
        ("2021", "2021", "", None),
        ("2021-03-05", "2021-03-05", "", None),
        # A source that says "held" on a day makes days sure that the range of the arrest leaves open.
        ("2021-03", "", "2021-03-20", ("2021-03-20", None)),
        ("2021-03", "", "2021-06-01", ("2021-03-31", None)),
        ("2021", "2021-12", "2021-06-01", ("2021-06-01", "2021-12-01")),
        ("", "", "2021-06-01", ("2021-06-01", None)),
        ("", "2021-12", "2021-06-01", ("2021-06-01", "2021-12-01")),
        ("", "2021-06-01", "2021-06-01", None),
        ("", "2021-12", "", None),
        ("", "", "", None),
    ],
)
def test_surely_held(started: str, ended: str, confirmed: str, held: tuple[str, str | None] | None) -> None:
    days = surely_held(when(started), when(ended), date.fromisoformat(confirmed) if confirmed else None)
    expected = held and (date.fromisoformat(held[0]), date.fromisoformat(held[1]) if held[1] else None)
    assert days == expected


@pytest.mark.parametrize(
    ("started", "ended", "held"),
    [
        ("2021-03", "2021-05", ("2021-03-01", "2021-06-01")),
        ("2021-03-05", "2021-03-05", ("2021-03-05", "2021-03-06")),
        ("2021-03", "", ("2021-03-01", None)),
        ("", "2021-05", (None, "2021-06-01")),
        ("", "", (None, None)),
    ],
)
def test_possibly_held(started: str, ended: str, held: tuple[str | None, str | None]) -> None:
    expected = tuple(date.fromisoformat(day) if day else None for day in held)
    assert possibly_held(when(started), when(ended)) == expected


@given(SHORT_DATES, SHORT_DATES)
def test_surely_held_days_are_those_held_whatever_the_dates_are(started: ImpreciseDate, ended: ImpreciseDate) -> None:
    stays = [(a, b) for a in days_of(started) for b in days_of(ended)]
    sure = [
        day
        for day in (date(2021, 1, 1) + timedelta(days=n) for n in range(30))
        if all(first <= day < last for first, last in stays)
    ]
    assert surely_held(started, ended) == ((sure[0], sure[-1] + timedelta(days=1)) if sure else None)


@pytest.mark.parametrize(
    ("age", "on", "born"),
    [
        (25, "2025-12-13", "1999-12-14/2000-12-13"),
        (0, "2025-12-13", "2024-12-14/2025-12-13"),
        (20, "2021-01-01", "2000-01-02/2001-01-01"),
        (20, "2020-12-31", "2000"),
        # On 29 February: those born on 1 March have their birthday tomorrow.
        (18, "2024-02-29", "2005-03-01/2006-02-28"),
        (20, "2024-02-29", "2003-03-01/2004-02-29"),
        # In a common year those born on 29 February complete a year on 1 March, not before.
        (20, "2025-02-28", "2004-02-29/2005-02-28"),
        (21, "2025-02-28", "2003-03-01/2004-02-28"),
        (21, "2025-03-01", "2003-03-02/2004-03-01"),
    ],
)
def test_born_range(age: int, on: str, born: str) -> None:
    assert born_range(age, date.fromisoformat(on)) == parse(born)


@pytest.mark.parametrize("age", [-1, 126, 2025])
def test_an_age_that_nobody_has_is_refused(age: int) -> None:
    with pytest.raises(DateError, match=r"is not an age\. Give completed years, from 0 to 125\."):
        born_range(age, date(2025, 12, 13))


def test_an_age_that_gives_a_birth_too_long_ago_is_refused() -> None:
    with pytest.raises(DateError, match="is outside the years 1900 to 2100"):
        born_range(110, date(2000, 1, 1))


@pytest.mark.parametrize(
    ("born", "on", "ages"),
    [
        ("2000", "2025-12-13", (24, 25)),
        ("2000-12-13", "2025-12-13", (25, 25)),
        ("2000-12-14", "2025-12-13", (24, 24)),
        ("2000-12", "2025-12-13", (24, 25)),
        ("1999/2000", "2025-12-31", (25, 26)),
        ("2004-02-29", "2025-02-28", (20, 20)),
        ("2004-02-29", "2025-03-01", (21, 21)),
        ("2025", "2025-06-01", (0, 0)),
        ("2024-01/2026-12", "2025-06-01", (0, 1)),
        ("2025-06-02", "2025-06-01", None),
    ],
)
def test_age_range(born: str, on: str, ages: tuple[int, int] | None) -> None:
    assert age_range(parse(born), date.fromisoformat(on)) == ages


@given(st.integers(0, 90), st.dates(date(2000, 1, 1), date(2100, 12, 31)))
def test_born_range_holds_all_who_have_that_age_and_nobody_else(age: int, on: date) -> None:
    born = born_range(age, on)
    assert age_range(born, on) == (age, age)
    one_day = timedelta(days=1)
    assert age_range(ImpreciseDate.from_day(born.earliest - one_day), on) == (age + 1, age + 1)
    day_after = ImpreciseDate.from_day(born.latest + one_day) if born.latest < date(2100, 12, 31) else None
    if day_after:
        assert age_range(day_after, on) == ((age - 1, age - 1) if age else None)
