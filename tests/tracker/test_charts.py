"""Pictures: well-formed, in bounds, with nothing in them that runs or styles, and readable without being seen."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import charts

WORDS = charts.Words("name", "A <title> & more", 'What "it" shows <b>')
SVG = "{http://www.w3.org/2000/svg}"
LEGEND = ("certain", "more possible", "said by others")


def read(picture):
    root = ElementTree.fromstring(picture)
    assert root.tag == f"{SVG}svg"
    return root


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (0, [0, 1]), (1, [0, 1]), (4, [0, 1, 2, 3, 4]), (5, [0, 1, 2, 3, 4, 5]), (6, [0, 2, 4, 6]),
        (1184, [0, 500, 1000, 1500]), (1_000_000, [0, 200_000, 400_000, 600_000, 800_000, 1_000_000]),
    ],
)  # fmt: skip
def test_ticks(most, expected):
    assert charts.ticks(most) == expected


@given(st.integers(0, 10**9))
def test_ticks_reach_what_there_is(most):
    found = charts.ticks(most)
    assert found[-2] < max(most, 1) <= found[-1]
    assert 2 <= len(found) <= 6


numbers = st.integers(0, 10**7)


@st.composite
def series(draw):
    length = draw(st.integers(1, 130))
    first = draw(st.dates(date(1990, 1, 1), date(2030, 1, 1)))
    days = [first + timedelta(days=31 * number) for number in range(length)]
    values = st.lists(numbers, min_size=length, max_size=length)
    return days, draw(values), draw(values)


points = st.builds(
    lambda day, low, more, sides: charts.Point(
        day, low if "l" in sides else None, low + more if "h" in sides else None, "a"
    ),
    st.dates(date(1990, 1, 1), date(2040, 1, 1)),
    numbers,
    numbers,
    st.sampled_from(["l", "h", "lh"]),
)


def assert_in_bounds(root):
    """Every place that is named absolutely lies in the picture."""
    _x, _y, width, height = map(float, root.get("viewBox").split())
    for part in root.iter():
        for name, most in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            if part.get(name) is not None:
                assert -1 <= float(part.get(name)) <= most + 1, ElementTree.tostring(part)
        if part.tag == f"{SVG}rect":
            assert float(part.get("x", 0)) + float(part.get("width")) <= width + 1
            assert float(part.get("y", 0)) + float(part.get("height")) <= height + 1
        for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", part.get("d", "")):
            assert -1 <= float(x) <= width + 1
            assert -1 <= float(y) <= height + 1


@given(series(), st.lists(points, max_size=8))
def test_over_time(drawn, said):
    root = read(charts.over_time(WORDS, *drawn, said, LEGEND))
    assert_in_bounds(root)
    assert len(root.findall(f".//{SVG}circle")) == len(said)


@given(series(), st.integers(1, 5))
def test_columns(drawn, number):
    days, values, others = drawn
    months = [(days[0].replace(day=1) + timedelta(days=31 * place)).replace(day=1) for place in range(len(days))]
    root = read(charts.columns(WORDS, months, [(f"Country {n}", (values, others)[n % 2], n) for n in range(number)]))
    assert_in_bounds(root)


@given(st.lists(st.tuples(st.text(max_size=100).filter(str.isprintable), numbers, numbers), max_size=20))
def test_bars(rows):
    root = read(charts.bars(WORDS, rows, LEGEND[:2]))
    assert_in_bounds(root)
    wide = [float(part.get("width")) for part in root.findall(f".//{SVG}rect[@class='certain']")[1:]]
    assert len(wide) == sum(sure > 0 for _label, sure, _more in rows)


def test_as_long_as_many():
    root = read(charts.bars(WORDS, [("a", 10, 0), ("b", 5, 5), ("c", 0, 0)]))
    certain = [float(part.get("width")) for part in root.findall(f".//{SVG}rect[@class='certain']")]
    possible = [float(part.get("width")) for part in root.findall(f".//{SVG}rect[@class='possible']")]
    assert certain[1] == pytest.approx(certain[0] / 2, abs=0.1)
    assert certain[1] + possible[0] == pytest.approx(certain[0], abs=0.2)


def test_as_high_as_many():
    days = [date(2021, 1, 31), date(2021, 2, 28)]
    root = read(charts.over_time(WORDS, days, [0, 5], [0, 5], [charts.Point(days[1], 10, 10, "a")], LEGEND))
    (dot,) = root.findall(f".//{SVG}circle")
    edge = root.find(f".//{SVG}path[@class='edge']").get("d")
    assert float(dot.get("cy")) == float(edge.split()[-1]), "10 of others is as high as 5 and 5 more"


def test_it_can_be_read_without_being_seen_and_runs_nothing():
    for picture in (
        charts.over_time(
            WORDS, [date(2021, 1, 31)], [1], [1], [charts.Point(date(2021, 1, 1), 1, None, "<a>")], LEGEND
        ),
        charts.columns(WORDS, [date(2021, 1, 1)], [("<x>", [1], 0)]),
        charts.bars(WORDS, [("<script>alert(1)</script>", 1, 1)]),
    ):
        root = read(picture)
        assert root.get("role") == "img"
        told = {part.get("id"): part.text for part in root if part.get("id")}
        assert [told[name] for name in root.get("aria-labelledby").split()] == [WORDS.title, WORDS.description]
        assert {part.tag.removeprefix(SVG) for part in root.iter()} <= {
            "svg", "title", "desc", "rect", "text", "path", "circle",
        }  # fmt: skip
        assert not re.search(r"\s(style|href|on\w+)=", picture)
        assert all(part.get("fill") or part.get("stroke") for part in root.iter() if part.tag == f"{SVG}rect")
