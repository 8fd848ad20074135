import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from releases.reconciliation import by_destination, of_event, recent
from tests.conftest import ALL_DATABASES
from tests.copies import DAY, Copy
from tracker.dates import parse
from tracker.models import Name

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)


@pytest.fixture
def copy():
    return Copy("researcher")


@pytest.fixture
def event(copy):
    return copy.event()


def reconcile(event):
    return of_event(event, "researcher")


def statements(event):
    return {statement.number: statement for statement in reconcile(event).statements}


def test_the_parts_add_up_and_the_gap_is_shown(copy, event):
    whole = copy.figure(event, 123, parts_complete=True)
    copy.figure(event, 114, subject="handed_over", destinations=["UA"], part_of=whole)
    copy.figure(event, 9, subject="handed_over", destinations=["LT"], part_of=whole)
    for _ in range(3):
        copy.release(event, to="UA")
    copy.release(event, to="LT")
    found = reconcile(event)
    assert found.in_one_line == "123 reported, 4 logged, 119 not yet; 123 = 114 + 9"
    assert (found.whole.number, found.logged, found.named, found.gap) == ("123", 4, 4, 119)
    assert [(sum.formula, sum.holds) for sum in found.checked_sums] == [("123 = 114 + 9", True)]
    assert [(line.label, line.logged.sure, line.gap) for line in found.destinations] == [
        ("Ukraine", 3, 111),
        ("Lithuania", 1, 8),
    ]
    assert [(statement.number, statement.depth) for statement in found.statements] == [("123", 0), ("114", 1), ("9", 1)]


def test_parts_that_do_not_add_up_are_said_to_be_wrong(copy, event):
    whole = copy.figure(event, 123, parts_complete=True)
    copy.figure(event, 114, destinations=["UA"], part_of=whole)
    copy.figure(event, 10, destinations=["LT"], part_of=whole)
    (sum,) = reconcile(event).checked_sums
    assert (sum.formula, sum.broken) == ("123 ≠ 114 + 10", True)


@pytest.mark.parametrize("outcome", ["announced", "refused_and_returned", "refuted"])
def test_only_confirmed_releases_are_logged(copy, event, outcome):
    copy.figure(event, 2)
    copy.release(event, to="UA")
    copy.release(event, to="UA", outcome=outcome)
    found = reconcile(event)
    assert (found.logged, found.gap) == (1, 1)
    assert sum(found.not_counted.values()) == 1
    assert [line.logged.sure for line in found.destinations] == [1]


def test_more_logged_than_reported(copy, event):
    copy.figure(event, 1)
    copy.release(event)
    copy.release(event)
    assert statements(event)["1"].kind == "over_by"
    assert reconcile(event).in_one_line == "1 reported, 2 logged, 1 more than reported"


@pytest.mark.parametrize(
    ("legs", "logged"),
    [
        ([("handover", "completed", "UA")], "1"),
        ([("handover", "completed", "UA LT")], "0–1"),  # one of the two
        ([("handover", "completed", "")], "0–1"),
        ([], "0–1"),  # nobody says where
        ([("handover", "planned", "UA")], "0–1"),
        ([("handover", "refused", "UA")], "0"),
        ([("handover", "completed", "LT")], "0"),
        ([("handover", "completed", "LT"), ("onward", "completed", "UA")], "0"),  # arrived, but was not handed over
    ],
)
def test_who_was_handed_over_to_ukraine(copy, event, legs, logged):
    copy.figure(event, 5, subject="handed_over", destinations=["UA"])
    copy.release(event, to=legs)
    assert str(statements(event)["5"].logged) == logged


def test_who_arrived_in_poland_is_asked_of_every_step(copy, event):
    copy.figure(event, 5, subject="arrived", destinations=["PL"])
    copy.release(event, to=[("handover", "completed", "UA"), ("onward", "completed", "PL")])
    copy.release(event, to=[("handover", "completed", "UA"), ("onward", "planned", "PL")])
    assert str(statements(event)["5"].logged) == "1"


@pytest.mark.parametrize(
    ("scope", "person", "logged"),
    [
        ({"citizenships": ["UA"]}, {"citizenships": ["UA", "BY"]}, "1"),
        ({"citizenships": ["UA"]}, {"citizenships": ["BY"]}, "0"),
        ({"citizenships": ["UA"]}, {}, "0–1"),
        ({"sex": "female"}, {"sex": "female"}, "1"),
        ({"sex": "female"}, {"sex": "male"}, "0"),
        ({"sex": "female"}, {"sex": "unknown"}, "0–1"),
        ({"group": "priests"}, {}, "None"),
        ({"counted_as": "political prisoners by Viasna"}, {}, "None"),
        ({"subject": "died"}, {}, "None"),
    ],
)
def test_scopes(copy, event, scope, person, logged):
    copy.figure(event, 5, **scope)
    copy.release(event, copy.person("Invented Person", **person))
    assert str(statements(event)["5"].logged) == logged


@pytest.mark.parametrize(
    ("bases", "logged"), [(["pardon", "medical"], "1"), (["amnesty"], "0"), ([], "0–1"), (["unknown"], "0–1")]
)
def test_pardoned_by_the_legal_basis(copy, event, bases, logged):
    copy.figure(event, 5, subject="pardoned")
    copy.release(event, legal_bases=bases)
    assert str(statements(event)["5"].logged) == logged


def test_an_erroneous_name_names_nobody(copy, event):
    copy.figure(event, 2, subject="named")
    copy.release(event, copy.person(("Wrong Name", "erroneous")))
    copy.release(event, copy.person("Right Name", ("Wrong Name", "erroneous")))
    assert str(statements(event)["2"].logged) == "1"
    assert reconcile(event).named == 1


def test_outlets_of_one_origin_count_once(copy, event):
    origin = copy.source("A statement")
    for title in ("One paper", "Another paper"):
        copy.figure(event, 114, source=copy.source(title), origin=origin)
    copy.figure(event, 114, source=copy.source("A third, of its own"))
    (statement,) = reconcile(event).statements
    assert (len(statement.rows), statement.origins, statement.common_origin) == (3, 2, None)


def test_sources_that_disagree_stand_side_by_side(copy, event):
    copy.figure(event, 114)
    copy.figure(event, 100)
    copy.figure(event, 90, standing="rejected", reason="typo")
    found = reconcile(event)
    ((first, second),) = found.disagreements
    assert {first["number"], second["number"]} == {"114", "100"}
    assert found.in_one_line.endswith("1 disagreement")
    assert found.statements[-1].rejected


def test_about_a_hundred_agrees_with_114(copy, event):
    copy.figure(event, 114)
    copy.figure(event, 100, "about", stated="about a hundred")
    assert reconcile(event).disagreements == []


def test_a_rejected_number_speaks_for_nobody(copy, event):
    copy.figure(event, 500, standing="rejected", reason="typo")
    found = reconcile(event)
    assert found.whole is None
    assert found.in_one_line == "0 logged"


def test_the_widest_accepted_number_is_the_whole(copy, event):
    copy.figure(event, 900, group="dissidents")
    copy.figure(event, 100, citizenships=["BY"])
    copy.figure(event, 31)
    copy.figure(event, 44, standing="unresolved")
    assert reconcile(event).whole.number == "31"


def test_ages_contradict_or_agree(copy, event):
    copy.figure(event, qualifier="worded", measure="age_in_years", low=18, high=58, stated="18 to 58")
    assert reconcile(event).statements[0].kind == "not_compared"
    copy.release(event, copy.person("In Between", born=parse("2000")))
    assert reconcile(event).statements[0].kind == "agrees"
    copy.release(event, copy.person("Too Old", born=parse("1960-05-01")))
    assert reconcile(event).statements[0].kind == "contradicts"


def test_the_day_of_the_event_is_not_repeated(copy, event):
    copy.figure(event, 5, period=parse(DAY))
    copy.figure(event, 6, period=parse("2025"), citizenships=["UA"])
    found = statements(event)
    assert found["5"].scope == ""
    assert found["6"].scope == "citizens of Ukraine, in the time of 2025"


def test_several_events_cost_no_more_queries_than_one(copy):
    def queries():
        with CaptureQueriesContext(connections["researcher"]) as captured:
            recent("researcher", 50)
        return len(captured)

    copy.figure(copy.event(), 5)
    one = queries()
    for number in range(9):
        event = copy.event(f"Event {number}")
        copy.figure(event, number)
        copy.release(event, to="UA")
    assert queries() == one == 3


def test_thousands_alike_are_counted_in_the_database(copy, event):
    for _ in range(12):
        copy.release(event, to="UA")
    with CaptureQueriesContext(connections["researcher"]) as captured:
        found = reconcile(event)
    assert found.logged == 12
    assert len(captured) == 2


def test_nothing_sealed_is_read_from_the_working_database():
    working = Copy("default")
    event = working.event()
    working.figure(event, 31)
    working.figure(event, 32, source=working.source("Sealed", disclosure="sealed"))
    working.release(event, working.person("Sealed Person", disclosure="sealed"))
    working.release(event)
    found = of_event(event, "default")
    assert [statement.number for statement in found.statements] == ["31"]
    assert found.logged == 1


def test_where_they_went(copy, event):
    copy.release(event, to=[("handover", "completed", "UA"), ("onward", "completed", "PL")])
    copy.release(event, to=[("handover", "completed", "UA"), ("onward", "planned", "LT PL")])
    copy.release(event, to="LT PL")
    copy.release(event, to="LT", outcome="announced")
    copy.release(event)
    rows = [(where.label, where.handed_over, where.last_known) for where in by_destination("researcher")]
    assert rows == [("Ukraine", 2, 1), ("Lithuania or Poland", 1, 1), ("Poland", 0, 1)]


def test_each_copy_is_read_by_itself(copy, event):
    other = Copy("public")
    same = other.event(id=event.id, rid=event.rid)
    copy.release(event)
    assert of_event(same, "public").logged == 0
    assert Name.objects.using("public").count() == 0
