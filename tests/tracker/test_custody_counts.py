"""Many days in one statement say what one day says: every case by hand, then worlds at random."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.copies import Copy
from tracker import custody_counts, dates
from tracker.dates import ImpreciseDate, parse
from tracker.models import (
    Detention,
    Facility,
    Person,
    Placement,
    Prosecution,
    ProsecutionDetention,
    Sentence,
    Status,
    Verdict,
)
from tracker.vocabularies import Custody, CustodyType

pytestmark = pytest.mark.django_db(databases=["default", "public"])

DAY = timedelta(days=1)
CLOSED, OPEN, HOME = Custody


@pytest.fixture
def copy():
    return Copy("public")


@pytest.fixture
def held(copy):
    """A detention of a person of its own: ``held(started=..., at=[(type, from, until), ...], until=expected end)``."""

    def make(person=None, *, at=(), expected_end=None, kind="imprisonment", died=None, **values):
        imprecise = {name: value and parse(value) for name, value in values.items() if name != "confirmed"}
        person = person or copy.person("Invented Person", died=died and parse(died))
        detention = copy.add(Detention, person=person, **values | imprecise)
        for custody_type, *span in at:
            started, ended = ([day and parse(day) for day in span] + [None, None])[:2]
            copy.add(Placement, detention=detention, custody_type=custody_type, started=started, ended=ended)
        if expected_end or kind != "imprisonment":
            prosecution = copy.add(Prosecution, person=person)
            copy.add(ProsecutionDetention, prosecution=prosecution, detention=detention, person=person)
            verdict = copy.add(Verdict, prosecution=prosecution)
            copy.add(Sentence, verdict=verdict, kind=kind, expected_end=expected_end and parse(expected_end))
        return person

    return make


def told(day):
    """What is told of one day, as {(kind, certain): number}, without zeros."""
    (found,) = custody_counts.on_days("public", [date.fromisoformat(day)])
    return {
        (custody.value, certain): number
        for certain, numbers in ((True, found.certain), (False, found.possible))
        for custody, number in numbers.items()
        if number
    }


# --- One person


CASES = [
    # the detention, {day: what is told}
    ({"started": "2021-03-05", "ended": "2021-06"}, {
        "2021-03-04": {}, "2021-03-05": {("closed", True): 1}, "2021-05-31": {("closed", True): 1},
        "2021-06-01": {("closed", False): 1}, "2021-06-30": {("closed", False): 1}, "2021-07-01": {},
    }),
    ({"started": "2021-03"}, {"2021-03-30": {("closed", False): 1}, "2021-03-31": {("closed", True): 1}}),
    ({"confirmed": date(2021, 3, 5)}, {"1950-01-01": {("closed", False): 1}, "2021-03-05": {("closed", True): 1}}),
    # the dead are held by nobody
    ({"started": "2021", "died": "2023-02"}, {
        "2023-01-31": {("closed", True): 1}, "2023-02-01": {("closed", True): 1}, "2023-02-02": {("closed", False): 1},
        "2023-02-28": {("closed", False): 1}, "2023-03-01": {},
    }),
    # the term has run out and nobody has confirmed it since
    ({"started": "2021-01-01", "expected_end": "2023-02"}, {
        "2023-02-28": {("closed", True): 1}, "2023-03-01": {("closed", False): 1},
    }),
    ({"started": "2021-01-01", "expected_end": "2023-02", "confirmed": date(2023, 1, 31)}, {
        "2023-03-01": {("closed", False): 1},
    }),
    ({"started": "2021-01-01", "expected_end": "2023-02", "confirmed": date(2023, 2, 1)}, {
        "2099-01-01": {("closed", True): 1},
    }),
    ({"started": "2021-01-01", "kind": "life"}, {"2099-01-01": {("closed", True): 1}}),
    ({"started": "2021-01-01", "ended": "2024", "expected_end": "2023-02"}, {"2023-12-31": {("closed", True): 1}}),
    # the last placement that can have begun
    ({"started": "2021-01-01", "at": [("sizo", "2021-01-01", "2021-06"), ("iuot", "2021-06", "2022-01-01"),
                                      ("house_arrest", "2022-01-01")]}, {
        "2021-05-31": {("closed", True): 1}, "2021-06-01": {("open", True): 1}, "2022-01-01": {("home", True): 1},
        "2020-12-31": {}, "2099-01-01": {("home", True): 1},
    }),
    ({"started": "2021-01-01", "at": [("home_restriction", "2021-02-01", "2021-03-31"), ("colony", "2021-02-15")]}, {
        "2021-02-14": {("home", True): 1}, "2021-02-15": {("closed", True): 1}, "2021-04-15": {("closed", True): 1},
    }),
    ({"started": "2021", "ended": "2022", "at": [("colony_settlement",)]}, {
        "2021-07-01": {("open", False): 1}, "2022-07-01": {("open", False): 1},
    }),
]  # fmt: skip


@pytest.mark.parametrize(("values", "days"), CASES)
def test_one_detention(held, values, days):
    held(**values)
    assert {day: told(day) for day in days} == days


def test_a_person_counts_once(held):
    """Two detentions known by the year alone; the mildest that is possible counts."""
    person = held(started="2021", ended="2022")
    held(person, started="2022", ended="2023", at=[("iuot",)])
    held(person, started="2022", ended="2022", at=[("house_arrest",)])
    assert told("2021-06-01") == {("closed", False): 1}
    assert told("2022-06-01") == {("home", False): 1}
    assert told("2023-06-01") == {("open", False): 1}


def test_what_is_sure_goes_before_what_is_possible(held):
    person = held(started="2022-01-01", ended="2022-12-31")
    held(person, started="2022", ended="2023", at=[("house_arrest",)])
    assert told("2022-06-01") == {("closed", True): 1}
    assert told("2023-06-01") == {("home", False): 1}


def test_who_turned_out_to_be_somebody_else_is_not_counted(held, copy):
    person = held(started="2021")
    connections["public"].check_constraints()  # nothing new is said of somebody who is merged
    Person.objects.using("public").filter(pk=person.pk).update(merged_into=copy.person("Somebody Else"))
    assert told("2022-01-01") == {}


# --- Days and months


def test_any_days_in_any_order(held):
    held(started="2021-03-05", ended="2021-03-08")
    days = [date(2021, 3, 8), date(2021, 3, 6), date(2021, 3, 4), date(2021, 3, 6)]
    found = custody_counts.on_days("public", days)
    assert [(held.day.day, held.surely, held.possibly) for held in found] == [(4, 0, 0), (6, 1, 0), (8, 0, 1)]
    assert custody_counts.on_days("public", []) == []


def months(until, **options):
    return [held.day.isoformat() for held in custody_counts.by_month("public", date.fromisoformat(until), **options)]


def test_the_months_begin_with_the_first_detention_and_end_with_the_day(held):
    assert months("2021-03-15") == ["2021-03-15"]
    held(ended="2020-12")
    held(started="2021-01-20/2021-02-10", confirmed=date(2021, 2, 1))
    assert months("2021-03-15") == ["2020-12-31", "2021-01-31", "2021-02-28", "2021-03-15"]
    assert months("2021-02-28") == ["2020-12-31", "2021-01-31", "2021-02-28"]
    assert months("2021-03-15", most=1) == ["2021-02-28", "2021-03-15"]
    assert months("2019-03-15") == ["2019-03-15"]


def test_one_statement_for_any_number(held, django_assert_num_queries):
    for year in range(1990, 2021, 10):
        held(started=str(year), at=[("iuot", str(year))], expected_end=str(year + 5))
    with django_assert_num_queries(1, using="public"):
        assert len(custody_counts.by_month("public", date(2025, 1, 31), most=1000)) == 35 * 12 + 1


# --- Worlds at random

FIRST = date(2021, 1, 1)
some_days = st.integers(0, 40).map(lambda number: FIRST + number * DAY)
day_ranges = st.builds(lambda a, b: ImpreciseDate(min(a, b), max(a, b)), some_days, some_days)
imprecise = st.one_of(st.none(), day_ranges, some_days.map(ImpreciseDate.from_day))


def in_order(span):
    started, ended, *_rest = span
    return not started or not ended or started.earliest <= ended.latest


kinds = st.sampled_from(["", "colony", "iuot", "house_arrest"])
placements = st.tuples(imprecise, imprecise, kinds, st.integers(0, 2)).filter(in_order)
terms = st.tuples(imprecise, st.sampled_from(["imprisonment", "imprisonment", "life"]))


def possible(detention):
    started, ended, confirmed, *_rest = detention
    return in_order(detention) and (
        not confirmed or ((not started or confirmed >= started.earliest) and (not ended or confirmed <= ended.latest))
    )


detentions = st.tuples(
    imprecise, imprecise, st.none() | some_days, st.lists(placements, max_size=3), st.lists(terms, max_size=2)
).filter(possible)


def of_one_person(detentions):
    """What the database takes: one that is open, and no day surely in two."""
    sure = sorted(filter(None, (dates.surely_held(*one[:3]) for one in detentions)), key=lambda span: span[0])
    apart = all(first[1] and first[1] <= second[0] for first, second in pairwise(sure))
    return apart and sum(one[1] is None for one in detentions) <= 1


persons = st.tuples(st.none() | day_ranges, st.lists(detentions, min_size=1, max_size=3).filter(of_one_person))


def within(day, started, ended):
    """Whether the database takes it as a day of a placement in such a detention."""
    return not day or ((not started or day.upper > started.earliest) and (not ended or day.earliest < ended.upper))


def build(world):
    for model in (Sentence, Verdict, ProsecutionDetention, Prosecution, Placement, Detention, Person):
        model.objects.using("public").all().delete()
    copy = Copy("public")
    facilities = list(Facility.objects.using("public")) or [copy.add(Facility, name=f"Colony {n}") for n in (1, 2)]
    facilities.append(None)
    for died, drawn in world:
        person = copy.add(Person, died=died)
        for started, ended, confirmed, placed, sentenced in drawn:
            detention = copy.add(Detention, person=person, started=started, ended=ended, confirmed=confirmed)
            for begun, over, custody_type, place in placed:
                if all(within(day, started, ended) for day in (begun, over)):
                    span = {"started": begun, "ended": over}
                    copy.add(
                        Placement, detention=detention, custody_type=custody_type, facility=facilities[place], **span
                    )
            if sentenced:
                prosecution = copy.add(Prosecution, person=person)
                copy.add(ProsecutionDetention, prosecution=prosecution, detention=detention, person=person)
                verdict = copy.add(Verdict, prosecution=prosecution)
                for expected_end, kind in sentenced:
                    expected_end = None if kind == "life" else expected_end
                    copy.add(Sentence, verdict=verdict, kind=kind, expected_end=expected_end)


def kind_of(detention):
    return CustodyType(detention.custody_type).custody if detention.custody_type else CLOSED


def expected(day):
    """The same from what the models say of one day, one person after the other."""
    found = Counter()
    all_of = Detention.objects.using("public")
    statuses = {person.pk: person.status for person in people().with_status(day)}
    for person in people().in_custody(day):
        own = all_of.filter(person=person).custody(day)
        counting = own.surely_held(day) if person.surely else own.possibly_held(day)
        kinds = {kind_of(detention) for detention in counting}
        kind = next(kind for kind in (HOME, OPEN, CLOSED) if kind in kinds)
        assert people().with_custody_kind(day).get(pk=person.pk).custody_kind == kind
        found[kind, person.surely] += 1
        if person.surely and statuses[person.pk] != Status.DIED:
            assert statuses[person.pk] == (Status.IN_CUSTODY if kind is CLOSED else Status.RESTRICTED)
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    world=st.lists(persons, min_size=1, max_size=4),
    days=st.lists(some_days, min_size=1, max_size=4, unique=True),
)
def test_many_days_say_what_each_day_says(world, days):
    build(world)
    found = custody_counts.on_days("public", days)
    assert [held.day for held in found] == sorted(days)
    for held in found:
        counted = expected(held.day)
        assert held.certain == {kind: counted[kind, True] for kind in Custody}
        assert held.possible == {kind: counted[kind, False] for kind in Custody}
        for place in (places := custody_counts.by_facility("public", held.day)):
            sure = [person.surely for person in people().held_in(place.facility, held.day)]
            assert (place.certain, place.possible) == (sure.count(True), sure.count(False))
        assert {place.facility for place in places} == {
            facility for facility in Facility.objects.using("public") if people().held_in(facility, held.day).exists()
        }


def people():
    return Person.objects.using("public").counted()
