"""Times that people came out: by the month, by where they were handed over, and on which basis."""

from datetime import date

import pytest

from releases import tally
from releases.models import Release
from tests.copies import Copy
from tracker.dates import parse

pytestmark = pytest.mark.django_db(databases=["default", "public"])

UNTIL = date(2025, 12, 13)


@pytest.fixture
def copy():
    return Copy("public")


@pytest.fixture
def freed(copy):
    """``freed("2025-11-22", to="UA")``: a confirmed release of somebody else each time."""

    def make(day, **values):
        return copy.release(None, released_on=day and parse(day), **values)

    return make


def told(until=UNTIL):
    return [
        (month.first.isoformat()[:7], month.certain, month.possible, dict(month.to))
        for month in tally.came_out("public", until).months
    ]


def test_nobody(copy, freed):
    freed("2025-12-13", outcome="announced")
    freed("2025-12-14")
    found = tally.came_out("public", UNTIL)
    assert (found.months, found.to, found.total, found.undated) == ([], {}, 0, 0)
    assert tally.by_basis("public", UNTIL) == {}


def test_months_without_anybody_are_among_them(freed):
    freed("2025-09-30", to="UA")
    freed("2025-12-01", to="LT")
    freed("2025-12-13")
    assert told() == [
        ("2025-09", 1, 0, {("UA",): 1}), ("2025-10", 0, 0, {}), ("2025-11", 0, 0, {}),
        ("2025-12", 2, 0, {("LT",): 1, (): 1}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "months"),
    [
        ("2025-11", [("2025-11", 1, 0)]),
        ("2025-11-30/2025-12-01", [("2025-11", 0, 1), ("2025-12", 0, 1)]),
        # it can have been later than the day that is asked for
        ("2025-12", [("2025-12", 0, 1)]),
        ("2025-12-13/2026-02-01", [("2025-12", 0, 1)]),
    ],
)
def test_imprecise_days(freed, day, months):
    freed(day, to="UA")
    assert [month[:3] for month in told()] == months
    assert all(month[3] == {("UA",): 1} for month in told())
    found = tally.came_out("public", UNTIL)
    assert (found.to, found.total, found.undated) == ({("UA",): 1}, 1, 0)


def test_without_a_date(freed):
    freed(None, to="UA")
    found = tally.came_out("public", UNTIL)
    assert (found.months, found.to, found.total, found.undated) == ([], {}, 0, 1)


def test_destinations(freed):
    freed("2025-12-13", to="PL LT")
    freed("2025-12-13", to=[("handover", "planned", "UA")])
    freed("2025-12-13", to=[("onward", "completed", "PL")])
    freed("2025-12-13", to=[("handover", "completed", "")])
    freed("2025-12-13", to=[("handover", "completed", "UA"), ("handover", "completed", "PL")])
    assert tally.came_out("public", UNTIL).to == {("LT", "PL"): 1, (): 3, ("UA",): 1, ("PL",): 1}
    assert told() == [("2025-12", 5, 0, {("LT", "PL"): 1, (): 3, ("UA",): 1, ("PL",): 1})]


def test_who_is_logged_in_two_events_that_hang_together_came_out_once(copy):
    from releases.models import EventRelation

    whole, part, person = copy.event(), copy.event(), copy.person("Invented Person")
    copy.add(EventRelation, event=part, kind="part_of", other=whole)
    copy.release(whole, person, legal_bases=["pardon"])
    copy.release(part, person, to="UA", legal_bases=["pardon"])
    assert told() == [("2025-12", 1, 0, {("UA",): 1})]
    assert tally.by_basis("public", UNTIL) == {"pardon": 1}


def test_legal_bases(freed):
    freed("2025-12-13", legal_bases=["pardon", "exchange"])
    freed("2025-11-13", legal_bases=["pardon"])
    freed("2025-12-13")
    freed("2025-12-14", legal_bases=["medical"])
    freed(None, legal_bases=["medical"])
    assert list(tally.by_basis("public", UNTIL).items()) == [("pardon", 2), ("", 1), ("exchange", 1)]


def test_one_query_each(freed, django_assert_num_queries):
    for month in range(1, 12):
        freed(f"2025-{month:02}", to="UA", legal_bases=["pardon"])
    assert Release.objects.using("public").count() == 11
    for ask in (tally.came_out, tally.by_basis):
        with django_assert_num_queries(1, using="public"):
            ask("public", UNTIL)
