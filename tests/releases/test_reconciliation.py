import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from releases.models import EventGrant, EventRelation, OutsideRemit
from releases.reconciliation import of_event, of_events, recent
from releases.tally import by_destination, journeys
from tests.conftest import ALL_DATABASES
from tests.copies import DAY, Copy
from tracker.dates import parse
from tracker.models import Detention, Name

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
    assert queries() == one == 5


def test_thousands_alike_are_counted_in_the_database(copy, event):
    for _ in range(12):
        copy.release(event, to="UA")
    with CaptureQueriesContext(connections["researcher"]) as captured:
        found = reconcile(event)
    assert found.logged == 12
    assert len(captured) == 5


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


# --- Outside the remit


def test_people_outside_the_remit_close_the_gap(copy, event):
    copy.figure(event, 6, subject="handed_over", destinations=["UA"])
    for _ in range(2):
        copy.release(event, to="UA")
    assert reconcile(event).in_one_line == "6 reported, 2 logged, 4 not yet"
    copy.add(OutsideRemit, event=event, low=3, high=3, why="invented soldiers", destinations=["UA"])
    found = reconcile(event)
    assert found.in_one_line == "6 reported, 2 logged, 3 outside the remit, 1 not yet"
    assert found.whole.result == "1 not yet logged: 2 logged, 3 outside the remit"
    copy.add(OutsideRemit, event=event, low=1, high=2, why="invented others")
    found = reconcile(event)
    assert found.in_one_line == "6 reported, 2 logged, 4\u20135 outside the remit"
    assert found.whole.result == "agrees: 2 logged, 3\u20135 outside the remit"
    assert [(line.label, line.logged.sure, line.outside, line.gap) for line in found.destinations] == [
        ("Ukraine", 2, 3, 0)
    ]


def test_those_outside_the_remit_are_of_their_event_alone(copy, event):
    other = copy.event("Another")
    for one in (event, other):
        copy.figure(one, 3)
    copy.add(OutsideRemit, event=other, low=3, high=3, why="invented soldiers")
    assert [found.gap for found in of_events([event, other], "researcher")] == [3, 0]


def test_a_pardon_among_those_outside_is_the_events(copy):
    event = copy.event(legal_bases=["pardon"])
    copy.figure(event, 3, subject="pardoned")
    copy.figure(event, 3, subject="exchanged")
    copy.add(OutsideRemit, event=event, low=3, high=3, why="invented soldiers")
    assert {one.figure.subject: one.kind for one in reconcile(event).statements} == {
        "pardoned": "agrees",
        "exchanged": "short_by",
    }


# --- Announced, and what came of it


def test_whoever_refused_was_announced_and_pardoned_and_is_not_gone(copy, event):
    for subject in ("announced", "pardoned", "released"):
        copy.figure(event, 3, subject=subject)
    for outcome in ("confirmed", "confirmed", "refused_and_returned"):
        copy.release(event, copy.person("Invented Person"), outcome=outcome, legal_bases=["pardon"])
    found = reconcile(event)
    assert {one.figure.subject: one.result for one in found.statements} == {
        "announced": "agrees",
        "pardoned": "agrees",
        "released": "1 not yet logged: 1 is logged as announced, not as out",
    }
    assert found.whole.figure.subject != "announced"
    assert (
        "3 people are listed here as announced. 2 of them came out; not counted as released: 1 refused and returned."
        in found.in_words
    )


def test_a_name_on_a_list_stays_on_it_when_it_is_refuted(copy, event):
    copy.figure(event, 2, subject="named")
    copy.release(event, copy.person("Came Out"))
    copy.release(event, copy.person("Still Held"), outcome="refuted")
    assert statements(event)["2"].result == "agrees"
    assert reconcile(event).logged == 1


# --- When


def test_arrivals_count_on_their_own_days(copy, event):
    copy.figure(event, 1, subject="arrived", destinations=["PL"], as_of=parse("2025-12-20"))
    copy.figure(event, 2, subject="arrived", destinations=["PL"], period=parse("2025-12-14/2025-12-31"))
    for day in ("2025-12-18", "2025-12-24"):
        release = copy.release(event, to=[("handover", "completed", "UA"), ("onward", "completed", "PL")])
        release.legs.using("researcher").filter(kind="onward").update(happened=parse(day))
    found = reconcile(event)
    assert {one.number: one.result for one in found.statements} == {"1": "agrees", "2": "agrees"}
    assert [(line.label, line.completed, len(line.stated)) for line in found.onward] == [("Poland", 2, 2)]
    assert [line.label for line in found.destinations] == ["Ukraine"]


def test_a_number_with_the_day_of_the_event_disagrees_with_one_without(copy, event):
    copy.figure(event, 114, period=parse(DAY))
    copy.figure(event, 115)
    assert [[reading["number"] for reading in one] for one in reconcile(event).disagreements] == [["114", "115"]]
    copy.figure(event, 3, subject="arrived", period=parse(DAY))
    copy.figure(event, 4, subject="arrived")
    assert len(reconcile(event).disagreements) == 1


# --- Events that hang together


def part_of(copy, part, whole):
    copy.add(EventRelation, event=part, other=whole, kind="part_of")


def test_a_whole_counts_the_people_of_its_parts_each_once(copy, event):
    part, deeper = copy.event("A part"), copy.event("A part of the part")
    part_of(copy, part, event)
    part_of(copy, deeper, part)
    copy.figure(event, 3, destinations=["UA"], subject="handed_over")
    both = copy.person("In Both")
    copy.release(event, both)
    copy.release(part, both, to="UA")  # says more
    copy.release(deeper, both, outcome="announced")
    copy.release(part, to="UA")
    copy.release(deeper, to="UA")
    found, of_part, of_deeper = of_events([event, part, deeper], "researcher")
    assert (found.logged, of_part.logged, of_deeper.logged) == (3, 3, 1)
    assert (found.in_parts, of_part.in_parts) == (3, 1)
    assert found.whole.result == "agrees"
    assert found.not_counted == {}
    assert "3 people are logged in events that are part of this one, and counted here once each." in found.in_words


def test_events_that_are_part_of_one_another_do_not_go_round_for_ever(copy, event):
    other = copy.event("Another")
    part_of(copy, other, event)
    part_of(copy, event, other)
    copy.release(event)
    assert [found.logged for found in of_events([event, other], "researcher")] == [1, 1]


def test_a_sealed_part_is_counted_for_nobody_else(alice):
    working = Copy("default")
    event, part = working.event(), working.event("Sealed", disclosure="sealed")
    part_of(working, part, event)
    working.figure(event, 2)
    person = working.person("In Both")
    working.release(event, person)
    working.release(part, person, to="UA")
    working.release(part)
    assert (of_event(event, "default").logged, of_event(event, "default").in_parts) == (1, 0)
    assert of_event(event, "default").related == ()
    working.add(EventGrant, user=alice, event=part)
    assert of_event(event, "default", alice).logged == 2


def test_overlapping_events_say_how_many_are_in_both(copy, event):
    other = copy.event("Another")
    copy.add(EventRelation, event=other, other=event, kind="may_include_same_people")
    for outcome in ("confirmed", "confirmed", "announced"):
        person = copy.person("Invented Person")
        copy.release(event, person)
        copy.release(other, person, outcome=outcome)
    found = reconcile(event)
    assert found.logged == 3
    assert [(one.event, one.in_both) for one in found.related] == [(other, 2)]
    assert any("2 people are logged here and in “Another” as well" in sentence for sentence in found.in_words)


@pytest.mark.parametrize(
    ("kind", "detained", "counted"),
    [
        ("may_include_same_people", False, 1),
        ("part_of", False, 1),
        ("follows", False, 1),  # onward, and no second release
        ("", False, 2),
        ("may_include_same_people", True, 2),  # came out of two detentions
    ],
)
def test_over_all_events_whoever_came_out_once_counts_once(copy, event, kind, detained, counted):
    other = copy.event("Another")
    if kind:
        copy.add(EventRelation, event=other, other=event, kind=kind)
    person = copy.person("Invented Person")
    years = ["2021", "2023"] if detained else [None, None]
    detentions = [year and copy.add(Detention, person=person, ended=parse(year)) for year in years]
    copy.release(event, person, to="LT UA", detention=detentions[0])
    copy.release(other, person, detention=detentions[1],
                 to=[("handover", "completed", "UA"), ("onward", "completed", "PL")])  # fmt: skip
    assert journeys("researcher").count() == counted
    handed_over = {where.label: where.handed_over for where in by_destination("researcher")}
    assert handed_over.get("Lithuania or Ukraine", 0) == counted - 1
    assert handed_over["Ukraine"] == 1


def test_whoever_came_out_twice_is_where_the_last_journey_led(copy, event):
    person = copy.person("Invented Person")
    copy.release(event, person, to="PL")
    copy.release(copy.event("Earlier"), person, to="LT", released_on=parse("2021-05"))
    rows = [(where.label, where.handed_over, where.last_known) for where in by_destination("researcher")]
    assert rows == [("Poland", 1, 1), ("Lithuania", 1, 0)]


# --- In words


def test_sums_are_proposed_and_not_believed(copy, event):
    copy.figure(event, 123, period=parse(DAY))
    copy.figure(event, 114, subject="handed_over", destinations=["UA"])
    copy.figure(event, 9, subject="handed_over", destinations=["LT"])
    found = reconcile(event)
    assert [total.formula for total in found.proposed_sums] == ["123 = 114 + 9"]
    assert found.checked_sums == []
    assert "=" not in found.in_one_line


def test_by_sex(copy, event):
    copy.figure(event, 5, sex="female")
    for sex in ("female", "female", "male", ""):
        copy.release(event, copy.person("Invented Person", sex=sex))
    assert [(line.label, line.logged.sure, line.logged.only_possible, line.gap) for line in reconcile(event).sexes] == [
        ("Female", 2, 1, 2),
        ("Male", 1, 1, None),
        ("not recorded", 1, 0, None),
    ]


@pytest.mark.parametrize(
    ("values", "result"),
    [
        ({"number": None, "qualifier": "worded", "stated": "several"}, "not compared: a word, no number"),
        ({"subject": "planned_onward"}, "not compared: it counts no releases"),
        ({"group": "priests"}, "not compared: the group is described in words"),
        ({"counted_as": "x"}, "not compared: counted by a definition of somebody's own"),
        ({"measure": "sentence_in_years"}, "not compared: lengths of sentences"),
        ({"measure": "age_in_years"}, "not compared: no age is known here of anybody it counts"),
        ({"standing": "rejected", "reason": "typo"}, "rejected"),
        ({}, "4 not yet logged"),
        ({"number": 1}, "agrees"),
        ({"number": 0}, "1 more logged"),
    ],
)
def test_each_result_is_told_in_words(copy, event, values, result):
    copy.figure(event, **{"number": 5, **values})
    copy.release(event)
    assert reconcile(event).statements[0].result == result


@pytest.mark.parametrize(
    ("number", "qualifier", "meaning"),
    [
        (114, "exactly", ""),
        (100, "about", "any number from 50 to 149"),
        (1100, "more_than", "any number from 1101"),
        (30, "up_to", "any number from 0 to 30"),
    ],
)
def test_a_range_is_told_in_words(copy, event, number, qualifier, meaning):
    copy.figure(event, number, qualifier)
    assert reconcile(event).statements[0].meaning == meaning


def test_what_a_newcomer_asks_is_answered(copy, event):
    copy.figure(event, 3, source=copy.source(publisher="Invented Agency"))
    copy.release(event, copy.person("Named Exampleva"), to="UA")
    copy.release(event, copy.person(), to=[("handover", "completed", "UA"), ("onward", "planned", "LT PL")])
    assert reconcile(event).in_words == [
        "3 released, according to Invented Agency: taken here for the event as a whole.",
        "1 of them is not in these records: nobody has named that person to us.",
        "1 of those logged has no name here: only what is told of the person is known.",
        "1 was to travel on after the handover, and nobody says that it came about.",
    ]


def test_why_two_numbers_differ_is_answered(copy, event):
    def told():
        return [sentence for sentence in reconcile(event).in_words if sentence.startswith("Where two numbers differ")]

    copy.figure(event, 123)
    assert not told()
    copy.figure(event, 100, "about", stated="about a hundred")
    assert told()
    copy.figure(event, 150)
    assert not told()  # two are said to disagree


@pytest.mark.parametrize(
    ("qualifier", "sentence"),
    [
        ("exactly", "5 of them are not in these records: nobody has named them to us."),
        ("at_least", "At least 5 of them are not in these records: nobody has named them to us."),
    ],
)
def test_who_is_missing_is_answered(copy, event, qualifier, sentence):
    copy.figure(event, 6, qualifier)
    copy.release(event)
    assert sentence in reconcile(event).in_words
