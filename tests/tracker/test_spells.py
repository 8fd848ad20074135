"""How long somebody was held and how much of the sentence that is: every case of the rule."""

import csv
import io
from datetime import date

import pytest
from django.db import connection

from tests.rows import ask_what_is_deferred, make
from tracker import export
from tracker.models import Detention, Person, Placement, Prosecution, ProsecutionDetention, Sentence, Verdict
from tracker.vocabularies import Audience

ON = date(2025, 11, 22)

pytestmark = pytest.mark.django_db


def cells(name, on=ON, audience=Audience.STAFF, queryset=None):
    text = b"".join(export.stream(export.get_table(name), audience, queryset, on=on)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def spell(on=ON):
    (row,) = cells("custody_spells", on)
    return row


def sentenced(detention, verdict=None, **values):
    prosecution = make(Prosecution, person=detention.person)
    make(ProsecutionDetention, prosecution=prosecution, detention=detention)
    given = {"pronounced": "2023-02-01", "outcome": "convicted"} | (verdict or {})
    return make(Sentence, verdict=make(Verdict, prosecution=prosecution, **given), **{"kind": "imprisonment"} | values)


HELD = [
    # started, ended, confirmed, died; certainty, held on the day, least, most
    ("2025-03-05", "2025-03-07", None, None, "certain", "", 2, 2),
    ("2025-03-05", "2025-03-05", None, None, "possible", "", 0, 0),
    ("2025-03", "2025-04", None, None, "certain", "", 1, 60),
    ("2025", "2025-06-01", None, None, "possible", "", 0, 151),
    # open: to the day of the file
    ("2025-11-20", None, None, None, "certain", "certain", 2, 2),
    ("2025-11-22", None, None, None, "certain", "certain", 0, 0),
    ("2025-11", None, None, None, "possible", "possible", 0, 21),
    ("2025-12-01", None, None, None, "possible", "", 0, 0),
    # nobody names the arrest
    (None, "2025-11-22", None, None, "possible", "possible", 0, None),
    (None, "2025-11-22", "2025-11-12", None, "certain", "possible", 10, None),
    (None, None, None, None, "possible", "possible", 0, None),
    (None, None, "2025-11-12", None, "certain", "certain", 10, None),
    # a source's word makes days sure that the arrest does not
    ("2025", None, "2025-11-12", None, "certain", "certain", 10, 325),
    ("2025-11-02", None, "2025-11-12", None, "certain", "certain", 20, 20),
    # nobody closed it
    ("2025-11-02", None, None, "2025-11-10", "certain", "", 8, 8),
    ("2025-11-02", None, None, "2025-11", "possible", "possible", 0, 20),
]


@pytest.mark.parametrize(("started", "ended", "confirmed", "died", "certainty", "held", "least", "most"), HELD)
def test_days_held(started, ended, confirmed, died, certainty, held, least, most):
    person = make(Person, died=died)
    make(Detention, person=person, started=started, ended=ended, confirmed=confirmed and date.fromisoformat(confirmed))
    row = spell()
    assert (row["certainty"], row["held"]) == (certainty, held)
    assert row["as_of"] == "2025-11-22"
    assert (row["days_held_min"], row["days_held_max"]) == (str(least), "" if most is None else str(most))
    on = Person.objects.in_custody(ON).first()
    assert {"certain": True, "possible": False, "": None}[held] == (on and on.surely)


def test_the_day_is_that_of_the_file():
    make(Detention, started="2025-11-20")
    assert spell(date(2025, 11, 30))["days_held_max"] == "10"


def test_what_has_run_out_is_sure_until_then(person):
    detention = make(Detention, person=person, started="2024-11-01")
    sentence = sentenced(detention, expected_end="2025-11-01")
    row = spell()
    assert (row["held"], row["days_held_min"], row["days_held_max"]) == ("possible", "366", "386")
    detention.confirmed = date(2025, 11, 10)
    detention.save()
    assert (spell()["held"], spell()["days_held_min"]) == ("certain", "386")
    detention.confirmed = None
    detention.save()
    make(Sentence, verdict=sentence.verdict, kind="life")
    assert (spell()["held"], spell()["days_held_min"]) == ("certain", "386")


TERMS = [
    # years, months, days, counted from; least, most
    (2, None, None, "2023-01-10", 731, 731),
    (1, None, None, "2023-01-10", 365, 365),
    (None, 1, None, "2023-02-10", 28, 28),
    (None, None, 15, "2023-02-10", 15, 15),
    (2, 3, 5, "2023-01-10", 731 + 90 + 5, 731 + 90 + 5),
    (2, None, None, None, 730, 731),
    (4, None, None, None, 1461, 1461),
    (5, 6, None, "2023-01", 5 * 365 + 1 + 181, 5 * 365 + 2 + 184),
    (None, 18, 3, None, 365 + 181 + 3, 366 + 184 + 3),
    (None, None, None, "2023-01-10", None, None),
]


@pytest.mark.parametrize(("years", "months", "days", "counted_from", "least", "most"), TERMS)
def test_term_in_days(person, years, months, days, counted_from, least, most):
    detention = make(Detention, person=person, started="2023-01-10")
    sentenced(detention, years=years, months=months, days=days, counted_from=counted_from)
    row = spell()
    assert (row["term_days_min"], row["term_days_max"]) == tuple("" if n is None else str(n) for n in (least, most))


def test_any_term_has_so_many_days():
    """From every day of eight years, as PostgreSQL counts months; once as exact, once as unknown."""
    for months in range(61):
        person = make(Person)
        detention = make(Detention, person=person, started="2023-01-10")
        sentenced(detention, months=months, counted_from=None)
    found = {int(row["sentence_months"]): row for row in cells("custody_spells")}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m, min((d + make_interval(months => m))::date - d::date), max((d + make_interval(months => m))::date"
            " - d::date) FROM generate_series(0, 60) m, generate_series('2020-01-01', '2027-12-31', interval '1 day') d"
            " GROUP BY m"
        )
        for months, least, most in cursor.fetchall():
            row = found[months]
            assert int(row["term_days_min"]) <= least, months
            assert int(row["term_days_max"]) >= most, months
            assert int(row["term_days_max"]) - int(row["term_days_min"]) <= most - least + 2


CREDIT = [
    # arrest, counted from, pronounced, in force, end; credit least, most
    ("2022-08-01", "2022-08-01", "2023-02-01", None, None, 184, 184),
    ("2022-08-01", "2022-08-01", "2023-02-01", "2023-03-01", None, 212, 212),
    ("2022-08-01", "2023-02-01", "2023-02-01", None, None, 0, 0),
    ("2022-08-01", "2021-01-01", "2023-02-01", None, None, 184, 184),  # only of this detention
    ("2022-08-01", "2022-08-01", "2023-02", None, None, 184, 211),
    ("2022-08", "2022-08", "2023-02-01", None, None, 154, 184),
    ("2022-08-01", None, "2023-02-01", None, None, None, None),
    ("2022-08-01", "2022-08-01", None, None, None, None, None),
    (None, "2022-08-01", "2023-02-01", None, None, None, None),
    # the verdict came into force after the end: no more than all of it
    ("2022-08-01", "2022-08-01", "2023-02-01", "2023-02-28", "2023-03-01", 211, 211),
]


@pytest.mark.parametrize(("started", "counted_from", "pronounced", "in_force", "ended", "least", "most"), CREDIT)
def test_credit(person, started, counted_from, pronounced, in_force, ended, least, most):
    detention = make(Detention, person=person, started=started, ended=ended)
    verdict = {"pronounced": pronounced, "in_force": in_force}
    sentenced(detention, verdict, years=2, counted_from=counted_from)
    row = spell()
    assert (row["credit_days_min"], row["credit_days_max"]) == tuple("" if n is None else str(n) for n in (least, most))


SHARES = [
    # arrest, end, counted from, years; least, most
    ("2023-01-10", "2024-01-10", "2023-01-10", 2, "0.4993", "0.4993"),
    ("2023-01-10", None, "2023-01-10", 2, "1.4323", "1.4323"),
    ("2023-01-10", "2024-01-10", "2023-07-01", 2, "0.2640", "0.2640"),
    ("2023-01", "2024-01-10", "2023-01-10", 2, "0.4706", "0.4993"),
    ("2023-01-10", "2024-01-10", "2023-01", 2, "0.4706", "0.5000"),
    ("2023-01-10", "2024-01-10", None, 2, "", ""),
    (None, "2024-01-10", "2023-01-10", 2, "", ""),
    ("2023-01-10", "2024-01-10", "2023-01-10", None, "", ""),
    ("2023-01-10", "2024-01-10", "2023-01-10", 0, "", ""),
]


@pytest.mark.parametrize(("started", "ended", "counted_from", "years", "least", "most"), SHARES)
def test_share_served(person, started, ended, counted_from, years, least, most):
    detention = make(Detention, person=person, started=started, ended=ended)
    sentenced(detention, {"pronounced": "2023-06-01"}, years=years, counted_from=counted_from)
    row = spell()
    assert (row["share_served_min"], row["share_served_max"]) == (least, most)


# --- Which sentence


def kinds(on=ON):
    return [row["sentence_kind"] for row in cells("custody_spells", on)]


def test_the_last_verdict_that_stands_tells(person):
    detention = make(Detention, person=person, started="2022-08-01")
    first = sentenced(detention, kind="arrest")
    prosecution = first.verdict.prosecution
    assert kinds(date(2023, 1, 31)) == [""]
    assert kinds(date(2023, 2, 1)) == ["arrest"]
    appeal = make(Verdict, prosecution=prosecution, instance="appeal", pronounced="2023-04-01", outcome="upheld")
    assert kinds() == ["arrest"]
    make(Sentence, verdict=appeal, kind="imprisonment", years=3)
    assert kinds() == ["imprisonment"]
    assert kinds(date(2023, 3, 31)) == ["arrest"]
    quashed = make(Verdict, prosecution=prosecution, instance="cassation", pronounced="2024-01-01", outcome="quashed")
    assert kinds(date(2023, 12, 31)) == ["imprisonment"]
    assert kinds() == [""]
    quashed.outcome = "upheld"
    quashed.save()
    assert kinds() == ["imprisonment"]
    make(Verdict, prosecution=make(Prosecution, person=person), pronounced="2025-01-01", outcome="acquitted")
    assert kinds() == ["imprisonment"]


def test_a_verdict_not_yet_in_force_is_no_sentence(person):
    detention = make(Detention, person=person, started="2022-08-01")
    sentenced(detention, {"in_force": "2023-03-01"})
    assert kinds(date(2023, 2, 28)) == [""]
    assert kinds(date(2023, 3, 1)) == ["imprisonment"]


def test_of_one_verdict_the_total_then_the_harshest_then_the_longest(person):
    detention = make(Detention, person=person, started="2022-08-01")
    verdict = sentenced(detention, kind="fine", amount=10, unit="BYN").verdict
    assert kinds() == [""]
    make(Sentence, verdict=verdict, kind="imprisonment", years=20, execution="suspended")
    assert kinds() == [""]
    make(Sentence, verdict=verdict, kind="restriction_with_facility", years=9)
    make(Sentence, verdict=verdict, kind="imprisonment", years=2)
    make(Sentence, verdict=verdict, kind="imprisonment", years=3)
    assert (kinds(), spell()["sentence_years"]) == (["imprisonment"], "3")
    make(Sentence, verdict=verdict, kind="restriction_with_facility", years=1, is_total=True)
    assert (kinds(), spell()["sentence_years"]) == (["restriction_with_facility"], "1")


def test_a_prosecution_that_is_not_linked_tells_nothing(person):
    make(Detention, person=person, started="2022-08-01")
    make(Sentence, verdict=make(Verdict, prosecution=make(Prosecution, person=person)), kind="imprisonment")
    assert kinds() == [""]
    (row,) = cells("persons_flat")
    assert row["sentence_kind"] == "imprisonment"


def test_custody_at_the_end(person):
    detention = make(Detention, person=person, started="2022-08-01", ended="2023-06")
    assert (spell()["custody_type"], spell()["custody"]) == ("", "")
    make(Placement, detention=detention, custody_type="sizo")
    make(Placement, detention=detention, custody_type="home_restriction", started="2023-06-15")
    make(Placement, detention=detention, custody_type="colony", started="2023-01", ended="2023-06-10")
    assert (spell()["custody_type"], spell()["custody"]) == ("home_restriction", "home")
    assert spell(date(2023, 5, 1))["custody"] == "closed"


# --- Who


def test_who_turned_out_to_be_somebody_else_is_in_no_row():
    merged = make(Detention, started="2022")
    kept = make(Detention, started="2023")
    ask_what_is_deferred()
    assert len(cells("custody_spells")) == 2
    Person.objects.filter(pk=merged.person_id).update(merged_into=kept.person)
    assert [row["id"] for row in cells("custody_spells")] == [str(kept.pk)]


def test_nothing_sealed_is_counted(person, source):
    """Nor does a sealed release, verdict or name show through what is open."""
    sealed = make(Person, disclosure="sealed")
    make(Detention, person=sealed, started="2020")
    make(Detention, person=person, started="2020")
    assert [row["person_id"] for row in cells("custody_spells")] == [str(person.pk)]
    assert [row["id"] for row in cells("persons_flat")] == [str(person.pk)]
    assert {row["possible"] for row in cells("custody_monthly")} == {"1"}
