"""Every rule of the releases' tables is broken on purpose; what nobody may be forced to invent is left out."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection

from releases.models import (
    Concession,
    EventGrant,
    EventRelation,
    Leg,
    ListLine,
    Note,
    OutsideRemit,
    Participation,
    Release,
    ReleaseEvent,
    ReportedFigure,
    Sitting,
)
from tests.breaches import Breach, follows_from_the_primary_key, of_a_merged, rules_of_app
from tests.rows import MODELS, change, insert_exactly, make, refused, transaction_of_its_own, unsaved, update
from tests.tracker.test_constraints import every_claim, every_explained, every_reviewed
from tracker.models import Detention, Organisation, Person, Source, User
from tracker.models.fields import CodedArrayField, CodedField
from tracker.vocabularies import FigureMeasure, Qualifier, ReleaseOutcome

APP = "releases"


def deleted_rid():
    event = make(ReleaseEvent)
    rid = event.rid
    event.delete()
    return {"rid": rid}


def granted():
    return {"user": make(EventGrant).user, "event": make(ReleaseEvent)}


def released_in_an_event():
    person = make(Person)
    make(Release, person=person, event=make(ReleaseEvent))
    return {"person": person, "event": make(ReleaseEvent)}


def another_release_from_the_same_detention():
    person = make(Person)
    detention = make(Detention, person=person)
    make(Release, person=person, detention=detention)
    return {"person": person, "detention": detention, "outcome": "refuted"}


def released_from():
    person = make(Person)
    return {"person": person, "detention": make(Detention, person=person)}


def part_of(**values):
    def good():
        event = make(ReleaseEvent)
        return {"event": event, "part_of": make(ReportedFigure, event=event, **values)}

    return good


def figure(qualifier, low=None, high=None, **values):
    return {"qualifier": qualifier, "low": low, "high": high, **values}


CASES = [
    *every_reviewed(APP),
    *every_explained(APP),
    *every_claim(APP),
    Breach(ReleaseEvent, "releaseevent_has_a_title", "title", bad={"title": ""}),
    Breach(ReleaseEvent, "rid_is_permanent", "", bad={"rid": "00000-00000"}, by=("update",)),
    Breach(ReleaseEvent, "rid_is_never_reused", "", bad=lambda good: deleted_rid(), by=("insert",)),
    Breach(
        EventGrant,
        "eventgrant_once",
        "user",
        good=granted,
        bad=lambda good: {"event": EventGrant.objects.get(user=good["user"]).event},
    ),
    Breach(EventRelation, "eventrelation_of_two", "other", bad=lambda good: {"other": good["event"]}),
    Breach(
        EventRelation,
        "eventrelation_once",
        "other",
        good=lambda: {
            "event": (relation := make(EventRelation)).event,
            "other": relation.other,
            "kind": "follows",
        },
        bad={"kind": "part_of"},
    ),
    Breach(Participation, "participation_names_one", "name", bad={"name": ""}),
    Breach(Participation, "participation_names_one", "name", bad=lambda good: {"organisation": make(Organisation)}),
    *(
        Breach(OutsideRemit, "outsideremit_counts_somebody", "high", good={"low": low, "high": 5}, bad=bad)
        for low, bad in ((5, {"high": 4}), (0, {"high": 0}))
    ),
    Breach(OutsideRemit, "outsideremit_says_why", "why", bad={"why": ""}),
    Breach(Concession, "concession_says_what", "measure", bad={"measure": ""}),
    Breach(Concession, "concession_says_what", "measure", bad={"grantor": ""}),
    Breach(
        Release,
        "release_once_for_person_and_event",
        "person",
        good=released_in_an_event,
        bad=lambda good: {"event": good["person"].releases.get().event},
    ),
    Breach(
        Release,
        "release_one_confirmed_for_a_detention",
        "detention",
        good=another_release_from_the_same_detention,
        bad={"outcome": "confirmed"},
    ),
    Breach(
        Release,
        "release_detention_is_the_same_persons",
        "detention",
        good=released_from,
        bad=lambda good: {"detention": make(Detention)},
    ),
    Breach(
        # the detention is moved to another person, the release is left behind
        Detention,
        "release_detention_is_the_same_persons",
        "detention",
        then=lambda detention: make(Release, person=detention.person, detention=detention),
        bad=lambda good: {"person": make(Person)},
        by=("update",),
        on=Release,
    ),
    Breach(
        Release,
        "leg_not_before_release",
        "released_on",
        good={"released_on": "2025-11"},
        then=lambda release: make(Leg, release=release, happened="2025-11-01"),
        bad={"released_on": "2025-11-02"},
        by=("update",),
    ),
    Breach(
        Leg,
        "leg_not_before_release",
        "happened",
        good=lambda: {"release": make(Release, released_on="2025-11-22"), "happened": "2025-11-22"},
        bad={"happened": "2025-11-21"},
    ),
    Breach(
        Leg,
        "leg_position",
        "position",
        good=lambda: {"release": make(Leg).release, "position": 2},
        bad={"position": 1},
    ),
    Breach(
        ReportedFigure,
        "reportedfigure_low_is_not_above_high",
        "low",
        good=figure("about", 50, 50),
        bad={"low": 51},
    ),
    *(
        Breach(ReportedFigure, "reportedfigure_numbers_fit_the_qualifier", "qualifier", good=good, bad=bad)
        for good, bad in (
            (figure("exactly", 114, 114), {"high": 115}),
            (figure("exactly", 114, 114), {"high": None}),
            (figure("exactly", 114, 114), {"low": None}),
            (figure("about", 50, 149), {"high": None}),
            (figure("about", 50, 149), {"low": None}),
            (figure("at_least", 1184), {"high": 1200}),
            (figure("at_least", 1184), {"low": None}),
            (figure("more_than", 1101), {"high": 1200}),
            (figure("up_to", None, 30), {"high": None}),
            (figure("worded", stated="several"), {"low": 3}),
            (figure("worded", stated="several"), {"high": 9}),
        )
    ),
    Breach(
        ReportedFigure,
        "reportedfigure_is_a_stock_or_a_flow",
        "period",
        good={"as_of": "2025-11-22"},
        bad={"period": "2024/2025"},
    ),
    Breach(
        ReportedFigure,
        "reportedfigure_complete_along_when_complete",
        "parts_complete",
        good={"parts_complete": True, "complete_along": ["sex"]},
        bad={"parts_complete": False},
    ),
    Breach(
        ReportedFigure,
        "reportedfigure_worded_has_words",
        "stated",
        good=figure("worded", stated="several"),
        bad={"stated": ""},
    ),
    *(
        Breach(ReportedFigure, "reportedfigure_part_of_the_same", "part_of", good=part_of(), bad=bad)
        for bad in (
            {"event": None},
            lambda good: {"event": make(ReleaseEvent)},
            {"measure": "age_in_years"},
        )
    ),
    Breach(
        # the whole is moved away from its part
        ReportedFigure,
        "reportedfigure_part_of_the_same",
        "part_of",
        then=lambda whole: make(ReportedFigure, part_of=whole),
        bad=lambda good: {"event": make(ReleaseEvent)},
        by=("update",),
    ),
    Breach(Sitting, "sitting_locator_tells_the_line", "locator", bad={"locator": "in the list"}),
    Breach(
        ListLine,
        "listline_once",
        "number",
        good=lambda: {"sitting": make(Sitting), "number": 2},
        bad=lambda good: {"number": make(ListLine, sitting=good["sitting"], number=1).number},
    ),
    Breach(ListLine, "listline_person_is_decided", "decision", bad={"decision": "person"}),
    Breach(ListLine, "listline_names_somebody_or_nobody", "decision", bad={"text": "", "decision": "new"}),
    *(Breach(model, "person_is_not_merged", "person", bad=of_a_merged) for model in (Release, Note)),
    Breach(
        ListLine,
        "person_is_not_merged",
        "person",
        good=lambda: {"decision": "person", "person": make(Person)},
        bad=of_a_merged,
    ),
    Breach(Note, "note_about_one", "person", bad={"person": None}),
    Breach(Note, "note_says_something", "text", bad={"text": " \n"}),
    Breach(Note, "note_done_by_somebody", "done_at", bad={"done_at": datetime(2026, 1, 1, tzinfo=UTC)}),
]

# It needs rows that point back, which the way of the others cannot make.
BY_HAND = {"releases_reportedfigure.reportedfigure_part_of_no_circle"}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_broken_rule_is_explained(db, case):
    case.try_through_django()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_holds_in_plain_sql(db, case):
    case.try_in_sql()


def test_no_rule_is_without_a_test():
    tested = {str(case) for case in CASES} | BY_HAND | follows_from_the_primary_key(APP)
    assert rules_of_app(APP) - tested == set()
    assert tested - rules_of_app(APP) == set()


def test_a_figure_is_part_of_no_circle(db):
    whole = make(ReportedFigure)
    half = make(ReportedFigure, part_of=whole)
    quarter = make(ReportedFigure, part_of=half)
    for way in (
        lambda figure, of: change(figure, part_of=of).save(),
        lambda figure, of: update(ReportedFigure, figure.pk, part_of=of),
    ):
        for of in (whole, half, quarter):
            refusal = refused(way, ReportedFigure.objects.get(pk=whole.pk), of)
            assert (refusal.rule, refusal.field) == ("reportedfigure_part_of_no_circle", "part_of")
            assert "itself" in str(refusal.sentence)
    change(quarter, part_of=whole).save()


@pytest.mark.parametrize("qualifier", Qualifier.codes())
def test_each_qualifier_can_be_used(db, qualifier):
    numbers = {
        "exactly": (114, 114),
        "about": (50, 149),
        "at_least": (1184, None),
        "more_than": (1101, None),
        "up_to": (0, 30),
        "worded": (None, None),
    }
    low, high = numbers[qualifier]
    make(ReportedFigure, qualifier=qualifier, low=low, high=high, stated="as worded")


@pytest.mark.parametrize("measure", sorted(set(FigureMeasure.codes()) - {"people"}))
def test_a_measure_of_people_is_a_range(db, measure):
    make(ReportedFigure, measure=measure, low=18, high=58)
    assert refused(unsaved(ReportedFigure, measure=measure, low=58, high=18).save).field == "low"


def test_the_database_knows_the_codes_of_today(db):
    """Django changes no check that a field of our own gives its column: a new code needs a line in its migration."""
    coded = {
        (model._meta.db_table, field.column): set(field.codes)
        for model in MODELS
        for field in model._meta.concrete_fields
        if isinstance(field, CodedField | CodedArrayField) and field.codes
    }
    known = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.conrelid::regclass::text, a.attname, pg_get_constraintdef(c.oid)
            FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND c.conkey = ARRAY[a.attnum]
            WHERE c.contype = 'c' AND c.conname LIKE '%\\_check' ESCAPE '\\'"""
        )
        for table, column, text in cursor.fetchall():
            if (table, column) in coded:
                known[table, column] = set(re.findall("'([^']+)'::", text))
    assert known == coded


# --- Nobody is forced to invent


@pytest.mark.parametrize("model", [m for m in MODELS if m._meta.app_label == APP], ids=lambda m: m.__name__)
def test_the_least_is_enough(db, model):
    row = make(model)
    row.full_clean(exclude=[f.name for f in model._meta.fields if not f.editable])
    assert model.objects.filter(pk=row.pk).exists()


def test_what_the_least_leaves_out():
    may_be_unknown = {
        ReleaseEvent: {"announced", "happened", "country", "mechanism", "legal_bases"},
        Release: {"event", "detention", "released_on", "legal_bases", "conditions"},
        Leg: {"countries", "place", "happened", "authority"},
        ReportedFigure: {"event", "as_of", "period", "speaker", "sex", "citizenships", "destinations"},
        Concession: {"announced", "kind"},
        OutsideRemit: {"citizenships", "destinations", "sex"},
    }
    for model, fields in may_be_unknown.items():
        needed = {field.name for field in model._meta.fields if not field.blank and not field.has_default()}
        assert fields <= {field.name for field in model._meta.fields}
        assert not needed & fields


def test_a_leg_with_several_countries(db):
    leg = make(Leg, countries=["PL", "LT"], status="planned")
    leg.refresh_from_db()
    assert leg.countries == ["LT", "PL"]
    assert "Lithuania" in leg.destination
    assert "Poland" in leg.destination


def test_a_leg_to_nobody_knows_where_on_nobody_knows_which_day(db):
    leg = make(Leg, release=make(Release, released_on="2025-12-13"))
    leg.refresh_from_db()
    assert (leg.countries, leg.happened) == ([], None)


def test_releases_with_no_event(db):
    person = make(Person)
    for _ in range(2):
        make(Release, person=person)
    assert person.releases.count() == 2


@pytest.mark.parametrize("outcome", ReleaseOutcome.codes())
def test_one_confirmed_release_beside_any_other(db, outcome):
    """A detention may have several releases: announced, refused at the border, and in the end confirmed."""
    values = released_from()
    make(Release, **values, outcome="confirmed")
    again = unsaved(Release, **values, outcome=outcome)
    if outcome == "confirmed":
        assert refused(again.save).rule == "release_one_confirmed_for_a_detention"
    else:
        again.save()
    assert values["detention"].releases.filter(outcome="confirmed").count() == 1


def test_a_leg_whose_day_is_no_surer_than_the_release(db):
    make(Leg, release=make(Release, released_on="2025-11-22"), happened="2025-11")
    make(Leg, release=make(Release, released_on="2025-11"), happened="2025-11-01")


# --- What is asked at the end of the transaction


def test_legs_change_places(db):
    release = make(Release)
    first, second = (make(Leg, release=release, position=n) for n in (1, 2))
    with transaction_of_its_own():
        change(first, position=2).save()
        change(second, position=1).save()
    assert list(release.legs.all()) == [second, first]


@pytest.mark.parametrize("order", [("release", "leg"), ("leg", "release")])
def test_a_leg_moves_with_its_release(db, order):
    release = make(Release, released_on="2025-12-13")
    leg = change(make(Leg, release=release, happened="2025-12-13"), happened="2025-11-22")
    rows = {"release": change(release, released_on="2025-11-22"), "leg": leg}
    with transaction_of_its_own():
        for name in order:
            rows[name].save()


@pytest.mark.parametrize("order", [("release", "detention"), ("detention", "release")])
def test_a_detention_and_its_release_move_to_another_person(db, order):
    """As a merge moves them: no row is made anew."""
    values = released_from()
    release, other = make(Release, **values), make(Person)
    rows = {"release": release, "detention": values["detention"]}
    with transaction_of_its_own():
        for name in order:
            change(rows[name], person=other).save()
    release.refresh_from_db()
    assert release.person == release.detention.person == other


def test_figures_are_moved_to_another_event_together(db):
    whole = make(ReportedFigure)
    part = make(ReportedFigure, part_of=whole)
    event = make(ReleaseEvent)
    with transaction_of_its_own():
        ReportedFigure.objects.filter(pk__in=[whole.pk, part.pk]).update(event=event)
    assert event.figures.count() == 2


def test_rows_of_one_transaction_may_come_in_any_order(db):
    """As a loader brings them: the release before the detention it ends."""
    detention, person = unsaved(Detention), make(Person)
    with transaction_of_its_own():
        insert_exactly(Release, {"person": person, "detention": detention})
        insert_exactly(Detention, {"id": detention.pk, "person": person})
    assert person.releases.get().detention == detention


def test_accounts_and_sources_of_releases_stay(db):
    figure = make(ReportedFigure)
    for model, pk in ((Source, figure.source_id), (User, make(EventGrant).user_id)):
        assert refused(lambda model=model, pk=pk: model.objects.filter(pk=pk)._raw_delete("default")).table
