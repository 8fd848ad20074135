"""Who is held on a day, and what is known of a person at the end of it: every case of the rule, then all of them at once."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.rows import make
from tracker import dates
from tracker.dates import ImpreciseDate
from tracker.models import (
    Detention,
    Person,
    Placement,
    Prosecution,
    ProsecutionDetention,
    Sentence,
    Status,
    Verdict,
)
from tracker.models.detentions import SurelyHeld
from tracker.vocabularies import Custody, CustodyType

ON = date(2025, 11, 22)
DAY = timedelta(days=1)


@pytest.fixture
def held(person):
    """Makes a detention of the one person, with placements: ``held(started=..., ended=..., at=[...])``."""

    def make_one(*, at=(), **values):
        detention = make(Detention, person=person, **values)
        for placement in at:
            make(Placement, detention=detention, **placement)
        return detention

    return make_one


def sentenced(detention=None, *, person=None, verdict=None, **values):
    """One penalty, of a prosecution that the detention belongs to."""
    prosecution = make(Prosecution, person=person or detention.person)
    if detention:
        make(ProsecutionDetention, prosecution=prosecution, detention=detention)
    return make(Sentence, verdict=make(Verdict, prosecution=prosecution, **(verdict or {})), **values)


def custody(on=ON):
    """None, "possibly" or "surely" for the one person there is."""
    person = Person.objects.in_custody(on).first()
    return person and ("surely" if person.surely else "possibly")


def status(on=ON):
    person = Person.objects.with_status(on).get()
    return person.status, person.status_certain


# --- One detention, and the day

SPANS = [
    # started, ended, confirmed, the day, in custody
    ("2020-08-09", None, None, date(2020, 8, 8), None),
    ("2020-08-09", None, None, date(2020, 8, 9), "surely"),
    ("2020-08-09", None, None, date(2099, 1, 1), "surely"),
    ("2020-08-09", "2025-11-22", None, date(2025, 11, 21), "surely"),
    ("2020-08-09", "2025-11-22", None, date(2025, 11, 22), "possibly"),
    ("2020-08-09", "2025-11-22", None, date(2025, 11, 23), None),
    # the arrest is imprecise: from its first day possible, from its last day sure
    ("2020-08", "2025-11-22", None, date(2020, 7, 31), None),
    ("2020-08", "2025-11-22", None, date(2020, 8, 1), "possibly"),
    ("2020-08", "2025-11-22", None, date(2020, 8, 30), "possibly"),
    ("2020-08", "2025-11-22", None, date(2020, 8, 31), "surely"),
    # so is the end: until its first day sure, until its last day possible
    ("2020-08-09", "2025-11", None, date(2025, 10, 31), "surely"),
    ("2020-08-09", "2025-11", None, date(2025, 11, 1), "possibly"),
    ("2020-08-09", "2025-11", None, date(2025, 11, 30), "possibly"),
    ("2020-08-09", "2025-11", None, date(2025, 12, 1), None),
    # known by the year alone: never sure
    ("2021", "2021", None, date(2021, 1, 1), "possibly"),
    ("2021", "2021", None, date(2021, 12, 31), "possibly"),
    ("2021", "2021", None, date(2022, 1, 1), None),
    # half of all published releases name no arrest
    (None, "2025-11-22", None, date(1950, 1, 1), "possibly"),
    (None, "2025-11-22", None, date(2025, 11, 23), None),
    (None, None, None, date(2025, 11, 22), "possibly"),
    # a source says so on a day: sure from then on
    (None, None, date(2025, 11, 22), date(2025, 11, 21), "possibly"),
    (None, None, date(2025, 11, 22), date(2025, 11, 22), "surely"),
    (None, "2025-11", date(2025, 10, 1), date(2025, 10, 31), "surely"),
    ("2020", None, date(2020, 3, 1), date(2020, 2, 28), "possibly"),
    ("2020", None, date(2020, 3, 1), date(2020, 3, 1), "surely"),
    # confirmed later than the arrest is sure: it takes nothing away
    ("2020-08-09", None, date(2025, 11, 22), date(2020, 8, 9), "surely"),
]


@pytest.mark.parametrize(("started", "ended", "confirmed", "on", "expected"), SPANS)
def test_in_custody(held, started, ended, confirmed, on, expected):
    detention = held(started=started, ended=ended, confirmed=confirmed)
    assert custody(on) == expected
    assert Detention.objects.possibly_held(on).exists() == (expected is not None)
    assert Detention.objects.surely_held(on).exists() == (expected == "surely")
    sure, possible = detention.surely_held(), dates.possibly_held(detention.started, detention.ended)
    assert includes(sure, on) == (expected == "surely")
    assert includes(possible, on) == (expected is not None)


def test_nobody_is_held_without_a_detention(person):
    assert custody() is None
    assert status() == (Status.UNKNOWN, False)


def test_somebody_is_counted_once_whose_detentions_meet(held):
    """Two, the one imprecise: whoever joins them counts the person twice."""
    held(started="2020", ended="2025-11")
    held(started="2025-11-20")
    assert Person.objects.in_custody(ON).count() == 1
    assert custody() == "surely"


def test_the_dead_are_not_in_custody(held, person):
    """A detention that nobody closed does not hold a dead person."""
    held(started="2020")
    Person.objects.update(died=dates.parse("2025-11"))
    assert custody(date(2025, 10, 31)) == "surely"
    assert custody(date(2025, 11, 15)) == "possibly"
    assert custody(date(2025, 12, 1)) is None
    assert status(date(2025, 10, 31)) == (Status.IN_CUSTODY, True)
    assert status(date(2025, 11, 15)) == (Status.DIED, False)
    assert status(date(2025, 11, 30)) == (Status.DIED, True)


def test_on_the_day_of_death_somebody_may_have_been_in_custody(held, person):
    held(started="2020")
    Person.objects.update(died=dates.parse("2025-11-22"))
    assert custody(ON) == "surely"
    assert status(ON) == (Status.DIED, True)
    assert custody(ON + DAY) is None


# --- What is known at the end of the day


def test_before_the_arrest_nothing_is_known(held):
    held(started="2020-08-09", ended="2025-11-22")
    assert status(date(2020, 8, 8)) == (Status.UNKNOWN, False)


def test_held(held):
    held(started="2020-08-09")
    assert status() == (Status.IN_CUSTODY, True)


@pytest.mark.parametrize(
    ("started", "ended"), [("2025-11", None), (None, None), ("2020", "2025-11"), (None, "2025-12-13")]
)
def test_possibly_held(held, started, ended):
    held(started=started, ended=ended)
    assert status() == (Status.IN_CUSTODY, False)


def test_released_on_that_very_day(held):
    held(started="2020-08-09", ended="2025-11-22", end_reason="released")
    assert status(ON - DAY) == (Status.IN_CUSTODY, True)
    assert status(ON) == (Status.RELEASED, True)
    assert status(ON + DAY) == (Status.RELEASED, True)


def test_released_some_day_until_then(held):
    held(started="2020", ended="2025-10-01/2025-11-22")
    assert status(ON - DAY) == (Status.IN_CUSTODY, False)
    assert status(ON) == (Status.RELEASED, True)


def test_held_again(held):
    held(started="2020-08-09", ended="2021-08-09")
    held(started="2024-01-01")
    assert status(date(2022, 1, 1)) == (Status.RELEASED, True)
    assert status(ON) == (Status.IN_CUSTODY, True)


@pytest.mark.parametrize("kind", list(CustodyType))
def test_what_restricted_is(held, kind):
    held(started="2020", at=[{"started": "2021-03-01", "custody_type": kind}])
    closed = kind.custody == Custody.CLOSED
    assert status() == (Status.IN_CUSTODY if closed else Status.RESTRICTED, True)


def test_from_the_colony_to_home(held):
    """A placement, never the end of the detention."""
    held(
        started="2020-08-09",
        at=[
            {"started": "2020-08-09", "ended": "2024-05-02", "custody_type": "colony"},
            {"started": "2024-05-02", "custody_type": "home_restriction"},
        ],
    )
    assert status(date(2024, 5, 1)) == (Status.IN_CUSTODY, True)
    assert status(date(2024, 5, 3)) == (Status.RESTRICTED, True)
    assert custody() == "surely"


def test_back_from_home_to_the_colony(held):
    held(
        started="2020-08-09",
        at=[
            {"started": "2022-01-01", "ended": "2024-05-02", "custody_type": "home_restriction"},
            {"started": "2024-05-02", "custody_type": "colony"},
        ],
    )
    assert status(date(2023, 1, 1)) == (Status.RESTRICTED, True)
    assert status() == (Status.IN_CUSTODY, True)


def test_at_home_since_some_day_of_the_month(held):
    held(started="2020-08-09", at=[{"started": "2025-11", "custody_type": "home_restriction"}])
    assert status(date(2025, 10, 31)) == (Status.IN_CUSTODY, True)
    assert status(ON) == (Status.RESTRICTED, False)
    assert status(date(2025, 11, 30)) == (Status.RESTRICTED, True)


def test_possibly_held_at_home(held):
    held(started="2025-11", at=[{"custody_type": "house_arrest"}])
    assert status() == (Status.RESTRICTED, False)


def test_a_placement_that_is_over_says_nothing(held):
    held(started="2020-08-09", at=[{"started": "2020-08-09", "ended": "2021-01-01", "custody_type": "house_arrest"}])
    assert status() == (Status.IN_CUSTODY, True)


def test_where_somebody_is(held):
    detention = held(
        started="2020",
        at=[
            {"started": "2020", "ended": "2022", "custody_type": "sizo"},
            {"started": "2022", "custody_type": "colony"},
        ],
    )
    now = Detention.objects.custody(ON).get(pk=detention.pk)
    assert (now.custody_type, now.facility_now) == ("colony", None)
    assert Detention.objects.custody(date(2021, 1, 1)).get().custody_type == "sizo"
    assert Detention.objects.custody(date(2019, 1, 1)).get().custody_type is None


# --- The term has run out


def test_the_term_has_run_out_and_nobody_confirms(held):
    sentenced(held(started="2020-11-21"), years=5, expected_end="2025-11-21")
    assert status(date(2025, 11, 21)) == (Status.IN_CUSTODY, True)
    assert status(ON) == (Status.UNKNOWN, False)
    assert custody(date(2025, 11, 21)) == "surely"
    assert custody(ON) == "possibly"


@pytest.mark.parametrize(
    ("confirmed", "expected"),
    [
        (date(2025, 11, 20), (Status.UNKNOWN, False)),
        (date(2025, 11, 21), (Status.IN_CUSTODY, True)),
        (date(2025, 11, 22), (Status.IN_CUSTODY, True)),
    ],
)
def test_a_source_has_confirmed_it_since(held, confirmed, expected):
    sentenced(held(started="2020-11-21", confirmed=confirmed), expected_end="2025-11-21")
    assert status(date(2025, 12, 13)) == expected


def test_an_end_that_is_known_needs_no_term(held):
    sentenced(held(started="2020-11-21", ended="2025-12-13"), expected_end="2025-11-21")
    assert status(ON) == (Status.IN_CUSTODY, True)
    assert status(date(2025, 12, 13)) == (Status.RELEASED, True)


def test_an_expected_end_that_is_imprecise_has_passed_when_all_of_it_has(held):
    sentenced(held(started="2020-11-21"), expected_end="2025-11")
    assert status(date(2025, 11, 30)) == (Status.IN_CUSTODY, True)
    assert status(date(2025, 12, 1)) == (Status.UNKNOWN, False)


def test_the_last_of_several_terms_counts(held):
    detention = held(started="2020-11-21")
    for year in ("2021", "2027", "2023"):
        sentenced(detention, expected_end=year)
    assert status() == (Status.IN_CUSTODY, True)
    assert status(date(2028, 1, 1)) == (Status.UNKNOWN, False)


@pytest.mark.parametrize("kind", ["life", "death"])
def test_what_has_no_term_does_not_run_out(held, kind):
    detention = held(started="2020-11-21")
    sentenced(detention, kind="arrest", days=15, expected_end="2020-12-06")
    sentenced(detention, kind=kind)
    assert status() == (Status.IN_CUSTODY, True)


def test_the_term_of_another_detention_says_nothing(held):
    sentenced(held(started="2020-01-01", ended="2020-01-16"), kind="arrest", days=15, expected_end="2020-01-16")
    held(started="2024-01-01")
    assert status() == (Status.IN_CUSTODY, True)


def test_at_home_when_the_term_ran_out(held):
    detention = held(started="2020-11-21", at=[{"started": "2023-01-01", "custody_type": "home_restriction"}])
    sentenced(detention, expected_end="2025-11-21")
    assert status(date(2025, 11, 21)) == (Status.RESTRICTED, True)
    assert status(ON) == (Status.UNKNOWN, False)


# --- Sentenced and at liberty, or never held


def test_a_deferred_sentence(person):
    sentenced(person=person, execution="deferred", years=3, verdict={"pronounced": "2025-03-05"})
    assert status(date(2025, 3, 4)) == (Status.UNKNOWN, False)
    assert status(date(2025, 3, 5)) == (Status.SENTENCE_PENDING, False)


@pytest.mark.parametrize("ended", ["2024-06-01", "2025-03-05"])
def test_a_deferred_sentence_after_remand(held, person, ended):
    """Held before the trial, let go, sentenced with deferral: what is to come counts, not what is over."""
    held(started="2024-05-01", ended=ended)
    sentenced(person=person, execution="deferred", verdict={"pronounced": "2025-03-05"})
    assert status(date(2025, 3, 4)) == ((Status.RELEASED, True) if ended < "2025" else (Status.IN_CUSTODY, True))
    assert status() == (Status.SENTENCE_PENDING, False)


def test_a_deferred_sentence_that_was_served(held, person):
    sentenced(person=person, execution="deferred", verdict={"pronounced": "2022-03-05"})
    held(started="2024-01-01", ended="2025-01-01")
    assert status(date(2023, 1, 1)) == (Status.SENTENCE_PENDING, False)
    assert status(date(2024, 6, 1)) == (Status.IN_CUSTODY, True)
    assert status() == (Status.RELEASED, True)


@pytest.mark.parametrize("execution", ["immediate", "suspended", ""])
def test_another_sentence_is_not_pending(person, execution):
    sentenced(person=person, execution=execution, verdict={"pronounced": "2025-03-05"})
    assert status() == (Status.UNKNOWN, False)


def test_tried_in_absence_and_never_held(person):
    sentenced(person=person, years=12, verdict={"pronounced": "2024-07-01", "in_absentia": True})
    assert status() == (Status.NEVER_HELD, False)
    assert custody() is None


def test_tried_in_absence_after_a_release(held, person):
    held(started="2020-08-09", ended="2021-08-09")
    sentenced(person=person, verdict={"pronounced": "2024-07-01", "in_absentia": True})
    assert status() == (Status.RELEASED, True)


def test_tried_in_presence_says_nothing_of_custody(person):
    sentenced(person=person, verdict={"in_absentia": False})
    assert status() == (Status.UNKNOWN, False)


def test_died_after_a_release(held, person):
    held(started="2020", ended="2021-08-09")
    Person.objects.update(died=dates.parse("2025"))
    assert status(date(2024, 1, 1)) == (Status.RELEASED, True)
    assert status() == (Status.DIED, False)
    assert status(date(2025, 12, 31)) == (Status.DIED, True)


def test_every_status_was_met():
    """The cases above name each; a new one has no test."""
    source = Path(__file__).read_text(encoding="utf-8")
    assert [member.name for member in Status if f"Status.{member.name}" not in source] == []


# --- All of it at once


def includes(span, day):
    return span is not None and (span[0] is None or span[0] <= day) and (span[1] is None or day < span[1])


FIRST = date(2021, 1, 1)
some_days = st.integers(0, 60).map(lambda n: FIRST + n * DAY)
imprecise = st.one_of(
    st.none(),
    st.builds(lambda a, b: ImpreciseDate(min(a, b), max(a, b)), some_days, some_days),
    some_days.map(ImpreciseDate.from_day),
)


def possible(detention):
    started, ended, confirmed = detention
    if started and ended and ended.latest < started.earliest:
        return False
    return not confirmed or (
        (not started or confirmed >= started.earliest) and (not ended or confirmed <= ended.latest)
    )


spans = st.tuples(imprecise, imprecise, st.none() | some_days).filter(possible)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(spans, min_size=1, max_size=12), days=st.lists(some_days, min_size=1, max_size=4))
def test_python_and_sql_agree(db, drawn, days):
    Detention.objects.all().delete()
    Person.objects.all().delete()
    people = Person.objects.bulk_create(Person() for _ in drawn)
    Detention.objects.bulk_create(
        Detention(person=person, started=started, ended=ended, confirmed=confirmed)
        for person, (started, ended, confirmed) in zip(people, drawn, strict=True)
    )
    rows = list(Detention.objects.annotate(sure=SurelyHeld()))
    for row in rows:
        mine = row.surely_held()
        assert (mine is None) == row.sure.isempty
        if mine:
            assert mine == (row.sure.lower, row.sure.upper)
    for day in days:
        sure = set(Detention.objects.surely_held(day).values_list("pk", flat=True))
        maybe = set(Detention.objects.possibly_held(day).values_list("pk", flat=True))
        assert sure == {row.pk for row in rows if includes(row.surely_held(), day)}
        assert maybe == {row.pk for row in rows if includes(dates.possibly_held(row.started, row.ended), day)}
        assert sure <= maybe
        assert_status_agrees(day)


def assert_status_agrees(day):
    """A list by status and a list of those in custody never tell two stories of one person."""
    known = {person.pk: (person.status, person.status_certain) for person in Person.objects.with_status(day)}
    held = {person.pk: person.surely for person in Person.objects.in_custody(day)}
    for pk, (status, certain) in known.items():
        if status in {Status.IN_CUSTODY, Status.RESTRICTED}:
            assert pk in held
            assert held[pk] == certain
        else:
            # gone by the end of the day, perhaps there in the morning
            assert not held.get(pk, False)


day_ranges = st.builds(lambda a, b: ImpreciseDate(min(a, b), max(a, b)), some_days, some_days)


@settings(max_examples=40, deadline=None)
@given(started=day_ranges, ended=day_ranges, day=some_days)
def test_what_is_sure_is_so_on_whichever_days_it_was(started, ended, day):
    """Against the meaning of the words: every day that the arrest and the end can have been is tried."""
    pairs = [(start, end) for start in _days_of(started) for end in _days_of(ended) if start <= end]
    assume(pairs)
    assert includes(dates.surely_held(started, ended), day) == all(start <= day < end for start, end in pairs)
    # the day of a release is a day in custody, and one at liberty
    assert includes(dates.possibly_held(started, ended), day) == any(start <= day <= end for start, end in pairs)


def _days_of(when):
    return [when.earliest + n * DAY for n in range((when.latest - when.earliest).days + 1)]


# --- A list costs what one row costs


@pytest.mark.parametrize("query", [Person.objects.in_custody, Person.objects.with_status])
def test_one_query_for_any_number(db, django_assert_num_queries, query):
    for _ in range(10):
        detention = make(Detention, started="2020")
        make(Placement, detention=detention, custody_type="colony")
        sentenced(detention, expected_end="2027")
    with django_assert_num_queries(1):
        assert len(query(ON)) == 10


def test_custody_is_asked_of_the_copy_that_is_read():
    for query in (Person.objects.in_custody, Person.objects.with_status):
        assert query(ON).db == "default"
    assert Person.objects.using("public").in_custody(ON).db == "public"
