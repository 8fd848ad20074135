import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from releases import journeys, logging
from releases.journeys import ADD, OUT, Journey, Plans, Step
from releases.models import EventGrant, Leg, Release, ReleaseCitation, ReleaseEvent
from tests.rows import change, make, unsaved
from tracker import acts, publication, review, undoing
from tracker.dates import parse
from tracker.models import Detention, DetentionCitation, Name, Organisation, Person, PersonCitation, Source
from tracker.review import Refused
from tracker.versions import history_of
from tracker.vocabularies import LegKind, Standing, StandingReason

pytestmark = pytest.mark.django_db(databases=["default", "researcher", "public"])

LATER = "2025-12-20"


@pytest.fixture
def event(db):
    return make(ReleaseEvent, title="An invented release", happened="2025-12-13")


@pytest.fixture
def report(db):
    return make(Source, title="An invented report of later")


@pytest.fixture
def free(event):
    """Makes somebody released in the event, with these steps after a handover in Ukraine."""

    def free(name, *steps, **values):
        person = make(Person)
        make(Name, person=person, text=name)
        release = make(Release, person=person, event=event, **{"released_on": "2025-12-13", **values})
        make(Leg, release=release, countries=["UA"], happened="2025-12-13")
        for position, step in enumerate(steps, start=2):
            make(Leg, release=release, position=position, **{"kind": "onward", "status": "planned", **step})
        return release

    return free


@pytest.fixture
def held(event):
    """Makes somebody whose detention the release has ended."""

    def held(name, *, outcome="confirmed", day="2025-12-13", **values):
        person = make(Person)
        make(Name, person=person, text=name)
        detention = make(Detention, person=person, **{"started": "2021-03-05", **values})
        release = unsaved(Release, person=person, event=event, released_on=day, outcome=outcome)
        said = [ReleaseCitation(release=release, source=make(Source), about=about) for about in ("", "outcome")]
        logging.log(release, legs=[unsaved(Leg, release=release, countries=["LT"], happened=day)], citations=said)
        detention.refresh_from_db()
        return release, detention

    return held


def to(countries, report, step=Step.TRAVELLED, **values):
    values = {"kind": LegKind.ONWARD, "happened": parse(LATER), "locator": "paragraph 2", **values}
    return Journey(step, report, countries=countries.split(), **values)


def refuted(report, **values):
    return Journey(Step.REFUTED, report, held_on=parse(LATER).earliest, **values)


def keys(*releases):
    return [release.pk for release in releases]


def take(event, releases, journey, by, **choices):
    """As the page does it: planned, looked at, done. ``choices`` by the person's name."""
    decided = {release.pk: choices.get(str(release.person), "") for release in releases} if choices else {}
    lines = journeys.plan(event, keys(*releases), journey, by=by)
    versions = {line.release.pk: line.version for line in lines}
    return journeys.take(event, keys(*releases), journey, by=by, choices=decided, versions=versions).context


def way(release):
    return [
        (leg.position, leg.kind, " ".join(leg.countries), leg.status, str(leg.happened or ""))
        for leg in release.legs.all()
    ]


HANDOVER = (1, "handover", "UA", "completed", "2025-12-13")


# --- Travelled


def test_one_more_step_for_all_with_who_says_so(event, free, report, alice):
    anna, bruno = free("Anna Exampleva"), free("Bruno Exampleau")
    committee = make(Organisation)
    context = take(event, [anna, bruno], to("PL LT", report, place="Suwałki", authority=committee), alice)
    for release in (anna, bruno):
        assert way(release) == [HANDOVER, (2, "onward", "LT PL", "completed", LATER)]
        leg = release.legs.last()
        assert (leg.place, leg.authority) == ("Suwałki", committee)
        said = release.citations.get()
        assert (said.leg, said.about, said.source, said.locator) == (leg, "", report, "paragraph 2")
    act = acts.act_of(context)
    assert (act.kind, act.by, act.about) == ("journey", alice, {"step": "travelled", "event": str(event.pk)})
    assert "Lithuania or Poland, Suwałki" in act.why


@pytest.mark.parametrize(
    ("steps", "plans", "choice", "expected"),
    [
        # of one planned step it is the completion
        ([{"countries": ["LT", "PL"]}], Plans.COME_TRUE, None, [(2, "onward", "PL", "completed", LATER)]),
        ([{"countries": []}], Plans.COME_TRUE, None, [(2, "onward", "PL", "completed", LATER)]),
        ([{"countries": ["PL"], "happened": "2025-12-18"}], Plans.ONLY, None, [(2, "onward", "PL", "completed", LATER)]),
        # the plan stays, behind what has happened
        (
            [{"countries": ["PL"]}],
            Plans.STAY,
            None,
            [(2, "onward", "PL", "completed", LATER), (3, "onward", "PL", "planned", "")],
        ),
        (
            [{"countries": ["LT"]}],
            Plans.COME_TRUE,
            None,
            [(2, "onward", "PL", "completed", LATER), (3, "onward", "LT", "planned", "")],
        ),
        ([{"countries": ["LT"]}], Plans.COME_TRUE, OUT, [(2, "onward", "LT", "planned", "")]),
        # who has no such plan
        ([], Plans.COME_TRUE, None, [(2, "onward", "PL", "completed", LATER)]),
        ([], Plans.ONLY, ADD, [(2, "onward", "PL", "completed", LATER)]),
        ([{"countries": ["PL"], "kind": "handover"}], Plans.ONLY, ADD, [(2, "onward", "PL", "completed", LATER), (3, "handover", "PL", "planned", "")]),
        # there already
        ([{"countries": ["PL"], "status": "completed", "happened": "2025-12"}], Plans.STAY, ADD, [(2, "onward", "PL", "completed", "2025-12"), (3, "onward", "PL", "completed", LATER)]),
    ],
)  # fmt: skip
def test_plans_come_true_or_stay(event, free, report, alice, steps, plans, choice, expected):
    anna = free("Anna Exampleva", *steps)
    beside = free("Bruno Exampleau")  # somebody always gets something
    choices = {"Anna Exampleva": choice} if choice else {}
    choices["Bruno Exampleau"] = ADD
    take(event, [anna, beside], to("PL", report, plans=plans), alice, **choices)
    assert way(anna) == [HANDOVER, *expected]


@pytest.mark.parametrize(
    ("steps", "plans", "choice", "why"),
    [
        ([{"countries": ["PL"]}, {"countries": ["LT", "PL"]}], Plans.COME_TRUE, "", "Several"),
        ([{"countries": ["LT"]}], Plans.COME_TRUE, ADD, "Planned is something else"),
        ([{"countries": ["LT"]}], Plans.ONLY, OUT, "Planned is something else"),
        ([], Plans.ONLY, OUT, "No such step is planned"),
        ([{"countries": ["PL"], "status": "completed", "happened": "2025-12"}], Plans.STAY, OUT, "Already recorded"),
        ([{"countries": ["PL"], "status": "completed"}], Plans.COME_TRUE, OUT, "Already recorded"),
        ([{"countries": ["LT", "PL"], "status": "completed"}], Plans.COME_TRUE, OUT, "Already recorded"),
        ([{"countries": ["PL"], "status": "completed", "happened": "2025-12-15"}], Plans.COME_TRUE, ADD, ""),
        ([{"countries": ["PL"], "status": "refused"}], Plans.COME_TRUE, ADD, ""),
    ],
)
def test_what_has_to_be_looked_at_says_why(event, free, report, alice, steps, plans, choice, why):
    anna = free("Anna Exampleva", *steps)
    (line,) = journeys.plan(event, keys(anna), to("PL", report, plans=plans), by=alice)
    assert line.choice == choice
    assert why in line.why
    assert bool(line.options) == bool(why)


def test_of_several_plans_one_is_chosen_or_nothing_is_done(event, free, report, alice):
    anna = free("Anna Exampleva", {"countries": ["PL"]}, {"countries": ["LT", "PL"]})
    bruno = free("Bruno Exampleau")
    with pytest.raises(Refused) as refused:
        take(event, [anna, bruno], to("PL", report), alice)
    assert refused.value.sentences == ["Anna Exampleva: Several steps can be meant: choose one."]
    assert way(bruno) == [HANDOVER]
    second = anna.legs.last()
    take(event, [anna, bruno], to("PL", report), alice, **{"Anna Exampleva": str(second.pk)})
    assert way(anna)[1:] == [(2, "onward", "PL", "planned", ""), (3, "onward", "PL", "completed", LATER)]


def test_what_becomes_exacter_is_the_same_step(event, free, report, alice):
    anna = free("Anna Exampleva", {"countries": ["LT", "PL"], "status": "completed", "happened": "2025-12-20"})
    leg = anna.legs.last()
    take(event, [anna], to("PL", report, happened=None), alice, **{"Anna Exampleva": str(leg.pk)})
    assert way(anna) == [HANDOVER, (2, "onward", "PL", "completed", "2025-12-20")]


def test_who_told_of_the_plan_told_of_a_plan(event, free, report, alice):
    anna = free("Anna Exampleva", {"countries": ["LT", "PL"], "happened": "2025-12-18"})
    leg = anna.legs.last()
    for about, stated in (("", "will go to Poland or Lithuania"), ("status", "will"), ("place", ""), ("countries", "")):
        ReleaseCitation.objects.create(release=anna, leg=leg, source=make(Source), about=about, stated=stated)
    take(event, [anna], to("PL", report), alice)
    said = {
        (one.about, one.source == report): (one.standing, one.value, bool(one.reasoning))
        for one in anna.citations.filter(leg=leg)
    }
    assert said == {
        ("", False): ("accepted", "planned LT;PL 2025-12-18", True),
        ("status", False): ("superseded", "", True),
        ("countries", False): ("superseded", "", True),
        ("place", False): ("accepted", "", False),
        ("", True): ("accepted", "", False),
    }


def test_of_a_plan_what_came_true_stays_accepted(event, free, report, alice):
    anna = free("Anna Exampleva", {"countries": ["PL"], "place": "Town 1", "happened": LATER})
    for about in ("countries", "place", "happened"):
        make(ReleaseCitation, release=anna, leg=anna.legs.last(), about=about)
    take(event, [anna], to("PL", report), alice)
    assert {one.standing for one in anna.citations.all()} == {"accepted"}
    assert anna.legs.last().place == "Town 1"


def test_twice_adds_nothing(event, free, report, alice):
    people = [free("Anna Exampleva", {"countries": ["PL"]}), free("Bruno Exampleau")]
    take(event, people, to("PL", report), alice)
    with pytest.raises(Refused) as refused:
        take(event, people, to("PL", report), alice)
    assert refused.value.sentences == ["There is nothing to do: everybody is left out."]
    assert Leg.objects.count() == 4
    assert ReleaseCitation.objects.count() == 2


def test_handed_over_again(event, free, report, alice):
    anna = free("Anna Exampleva", {"countries": ["PL"]})
    take(event, [anna], to("LT", report, Step.HANDED_OVER, kind=LegKind.HANDOVER), alice)
    assert way(anna) == [
        HANDOVER,
        (2, "handover", "LT", "completed", LATER),
        (3, "onward", "PL", "planned", ""),
    ]


@pytest.mark.parametrize(
    ("steps", "countries", "expected"),
    [
        ([{"countries": ["LT", "PL"], "happened": "2025-12-18"}], "", (2, "onward", "LT PL", "refused", LATER)),
        ([{"countries": ["LT", "PL"]}], "PL", (2, "onward", "PL", "refused", LATER)),
        ([], "PL", (2, "onward", "PL", "refused", LATER)),
    ],
)
def test_a_step_is_refused(event, free, report, alice, steps, countries, expected):
    anna = free("Anna Exampleva", *steps)
    take(event, [anna], to(countries, report, Step.REFUSED), alice)
    assert way(anna) == [HANDOVER, expected]
    with pytest.raises(Refused):
        take(event, [anna], to(countries, report, Step.REFUSED), alice)


# --- Out of order


@pytest.mark.parametrize(
    ("steps", "day", "refused"),
    [
        ([], "2025-12-12", "surely before the release"),
        ([], "2025-12-01/2025-12-13", ""),
        ([{"countries": ["PL"], "status": "completed", "happened": "2025-12-25"}], "2025-12-20", "surely before the step that it follows"),
        ([{"countries": ["PL"], "status": "completed", "happened": "2025-12"}], "2025-12-20", ""),
        ([{"countries": ["DE"]}, {"countries": ["PL"], "status": "completed", "happened": "2025-12-25"}], "2025-12-26", "surely after the step that it precedes"),
        ([{"countries": ["PL"], "status": "refused", "happened": "2025-12-25"}], "2025-12-20", ""),
    ],
)  # fmt: skip
def test_days_that_cannot_be_are_refused_by_name(event, free, report, alice, steps, day, refused):
    anna, bruno = free("Anna Exampleva", *steps), free("Bruno Exampleau", released_on="2025-12-01")
    bruno.legs.update(happened=None)
    journey = to("DE", report, happened=parse(day))
    before = way(anna), way(bruno)
    if not refused:
        take(event, [anna, bruno], journey, alice)
        return
    with pytest.raises(Refused) as caught:
        take(event, [anna, bruno], journey, alice)
    (sentence,) = caught.value.sentences
    assert sentence.startswith("Anna Exampleva: ")
    assert refused in sentence
    assert (way(anna), way(bruno)) == before


def test_what_the_database_refuses_names_the_person(event, free, report, alice, monkeypatch):
    monkeypatch.setattr(journeys, "_out_of_order", lambda release, leg: "")
    anna, bruno = free("Anna Exampleva", released_on="2025-12-25"), free("Bruno Exampleau")
    Leg.objects.filter(release=anna).update(happened=None)
    with pytest.raises(Refused) as caught:
        take(event, [anna, bruno], to("PL", report), alice)
    assert caught.value.sentences == [
        "Anna Exampleva: A step of the way out lies surely before the release. Correct one of the two dates."
    ]
    assert way(bruno) == [HANDOVER]


# --- Returned, refuted


@pytest.mark.parametrize("countries", ["LT", ""])
def test_refused_at_the_border_and_returned(event, held, report, alice, countries):
    release, detention = held("Anna Exampleva")
    journey = to(
        countries, report, Step.RETURNED, kind=LegKind.HANDOVER, happened=None, held_on=parse("2025-12-14").earliest
    )
    take(event, [release], journey, alice)
    release.refresh_from_db()
    detention.refresh_from_db()
    assert release.outcome == "refused_and_returned"
    assert (detention.ended, detention.end_reason, str(detention.confirmed)) == (None, "", "2025-12-14")
    assert way(release) == [(1, "handover", "LT", "refused", "2025-12-13")]
    assert logging.disagreements(release) == []
    new = {(one.about, one.leg_id is not None, one.value) for one in release.citations.filter(source=report)}
    assert new == {("outcome", False, "refused_and_returned"), ("", True, "")}


def test_a_return_may_leave_the_detention_closed(event, held, report, alice):
    release, detention = held("Anna Exampleva")
    journey = to("LT", report, Step.RETURNED, kind=LegKind.HANDOVER, reopens=False)
    (line,) = journeys.plan(event, keys(release), journey, by=alice)
    assert "stays as it is" in line.remark
    take(event, [release], journey, alice)
    detention.refresh_from_db()
    assert detention.end_reason == "released"
    assert detention.citations.filter(source=report).count() == 0


def test_refuted_the_detention_is_open_again_and_all_citations_are_kept(event, held, report, alice):
    release, detention = held("Anna Exampleva")
    before = {*release.citations.values_list("pk", flat=True), *detention.citations.values_list("pk", flat=True)}
    take(event, [release], refuted(report, reason=StandingReason.MISIDENTIFIED, reasoning="A namesake"), alice)
    release.refresh_from_db()
    detention.refresh_from_db()
    assert release.outcome == "refuted"
    assert release.detention == detention
    assert (detention.ended, detention.end_reason, str(detention.confirmed)) == (None, "", LATER)
    assert Person.objects.in_custody(on=parse("2025-12-19").earliest).get().surely
    after = {*release.citations.values_list("pk", flat=True), *detention.citations.values_list("pk", flat=True)}
    assert before < after
    old = [*release.citations.exclude(source=report), *detention.citations.exclude(source=report)]
    assert {(one.about, one.standing, one.reason, one.reasoning) for one in old} == {
        ("", "accepted", "", ""),
        ("outcome", "superseded", "misidentified", "A namesake"),
        ("ended", "superseded", "misidentified", "A namesake"),
    }
    assert {(one.about, one.value) for one in release.citations.filter(source=report)} == {("outcome", "refuted")}
    (of_detention,) = detention.citations.filter(source=report)
    assert (of_detention.about, of_detention.value, of_detention.as_of.edtf) == ("confirmed", LATER, LATER)


@pytest.mark.parametrize(
    ("meanwhile", "remark"),
    [
        (lambda detention: change(detention, ended="2025-12-01/2025-12-31").save(), "not the one that this release"),
        (lambda detention: change(detention, end_reason="died").save(), "not the one that this release"),
        (lambda detention: make(Detention, person=detention.person, started="2025-12-16"), "cannot be open beside"),
        (lambda detention: make(Detention, person=detention.person, started="2025-12-16", ended="2025-12-18"), "cannot be open beside"),
    ],
)  # fmt: skip
def test_an_end_that_is_not_the_releases_is_left_to_be_looked_at(event, held, report, alice, meanwhile, remark):
    release, detention = held("Anna Exampleva")
    meanwhile(detention)
    detention.refresh_from_db()
    ended = detention.ended
    (line,) = journeys.plan(event, keys(release), refuted(report), by=alice)
    assert remark in line.remark
    take(event, [release], refuted(report), alice)
    release.refresh_from_db()
    detention.refresh_from_db()
    assert (release.outcome, detention.ended, detention.confirmed) == ("refuted", ended, None)


def test_an_announced_release_is_refuted_and_the_open_detention_confirmed(event, held, report, alice):
    release, detention = held("Anna Exampleva", outcome="announced")
    assert detention.is_open
    take(event, [release], refuted(report), alice)
    release.refresh_from_db()
    detention.refresh_from_db()
    assert (release.outcome, str(detention.confirmed)) == ("refuted", LATER)
    # that it was announced is still so
    assert {one.standing for one in release.citations.all()} == {Standing.ACCEPTED}


def test_a_later_confirmation_stays(event, held, report, alice):
    release, detention = held("Anna Exampleva", outcome="announced")
    change(detention, confirmed=parse("2025-12-24").earliest).save()
    take(event, [release], refuted(report), alice)
    detention.refresh_from_db()
    assert str(detention.confirmed) == "2025-12-24"
    assert [one.about for one in detention.citations.filter(source=report)] == [""]


@pytest.mark.parametrize(("started", "day"), [("2021-03-05", "2025-12-25"), ("2025-12-22", "2025-12-01/2025-12-31")])
def test_a_day_before_refutes_nothing(event, held, report, alice, started, day):
    release, _detention = held("Anna Exampleva", started=started, day=day)
    with pytest.raises(Refused) as caught:
        take(event, [release], refuted(report), alice)
    assert caught.value.sentences[0].startswith("Anna Exampleva: ")
    release.refresh_from_db()
    assert release.outcome == "confirmed"


def test_refuted_once(event, held, free, report, alice):
    release, _detention = held("Anna Exampleva")
    take(event, [release], refuted(report), alice)
    with pytest.raises(Refused):
        take(event, [release], refuted(report), alice)
    for journey in (to("PL", report), to("", report, Step.RETURNED)):
        (line,) = journeys.plan(event, keys(release), journey, by=alice)
        assert line.is_out
        assert "Refuted" in line.why
    take(event, [release], refuted(report), alice, **{"Anna Exampleva": ADD})
    assert release.citations.filter(source=report).count() == 2


# --- One act


def test_taken_back_whole(event, free, held, report, alice, bob):
    anna = free("Anna Exampleva", {"countries": ["LT", "PL"]})
    make(ReleaseCitation, release=anna, leg=anna.legs.last(), source=make(Source))
    bruno = free("Bruno Exampleau", {"countries": ["LT"]})
    clara, _detention = held("Clara Exampletti")

    def all_of_it():
        kinds = (Release, Leg, ReleaseCitation, Detention, DetentionCitation)
        skipped = {"revision"}
        return [
            {name: value for name, value in row.items() if name not in skipped}
            for kind in kinds
            for row in kind.objects.order_by("pk").values()
        ]

    before = all_of_it()
    travelled = take(event, [anna, bruno], to("PL", report), alice)
    back = take(event, [clara], refuted(report), alice)
    assert {type(record) for record in acts.touched(back)} == {Release, Detention}
    assert undoing.preview(travelled, bob).left == []
    undoing.undo(travelled, by=bob, why="invented")
    undoing.undo(back, by=bob, why="invented")
    assert all_of_it() == before


def test_readers_see_it_when_somebody_else_has_published_it(event, held, report, alice, bob, source):
    release, detention = held("Anna Exampleva")
    make(ReleaseEvent.citation_model(), event=event, source=source)
    make(PersonCitation, person=release.person, source=source)
    records = [event, release.person, detention, release]
    review.submit(records, by=alice)
    publication.publish(records, by=bob)

    def copied():
        shown = Release.objects.using("public").get()
        return shown.outcome, shown.detention.ended is None, shown.citations.count()

    take(event, [release], refuted(report), alice)
    assert copied() == ("confirmed", False, 2)
    again = [detention, release]
    review.submit(again, by=alice)
    with pytest.raises(Refused):
        publication.publish(again, by=alice)
    publication.publish(again, by=bob)
    assert copied() == ("refuted", True, 3)
    assert list(publication.verify()) == []


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda release: change(release, note="looked at").save(),
        lambda release: change(release.legs.first(), place="Town 1").save(),
        lambda release: make(Leg, release=release, position=2, countries=["DE"]),
        lambda release: make(ReleaseCitation, release=release),
        lambda release: make(Detention, person=release.person),
    ],
)
def test_what_somebody_changed_meanwhile_is_refused_by_name(event, free, report, alice, meanwhile):
    anna, bruno = free("Anna Exampleva"), free("Bruno Exampleau")
    lines = journeys.plan(event, keys(anna, bruno), to("PL", report), by=alice)
    versions = {line.release.pk: line.version for line in lines}
    meanwhile(anna)
    before = Leg.objects.count()
    with pytest.raises(Refused) as caught:
        journeys.take(event, keys(anna, bruno), to("PL", report), by=alice, choices={}, versions=versions)
    (sentence,) = caught.value.sentences
    assert "“Anna Exampleva” was changed" in sentence
    assert Leg.objects.count() == before


def test_nobody_else_is_touched_and_nobody_sealed_is_named(event, free, report, alice, bob):
    anna, elsewhere = free("Anna Exampleva"), free("Bruno Exampleau")
    change(elsewhere, event=make(ReleaseEvent)).save()
    hidden = free("Clara Exampletti")
    change(hidden.person, disclosure="sealed").save()
    for other in (elsewhere, hidden):
        lines = journeys.plan(event, keys(anna, other), to("PL", report), by=alice)
        assert [line.release for line in lines] == [anna]
        versions = {line.release.pk: line.version for line in lines}
        with pytest.raises(Refused) as caught:
            journeys.take(event, keys(anna, other), to("PL", report), by=alice, choices={}, versions=versions)
        assert "Exampl" not in "".join(caught.value.sentences)


@pytest.mark.parametrize("sealed", [True, False])
def test_a_new_source_is_as_closed_as_whom_it_speaks_of(event, free, alice, sealed):
    anna = free("Anna Exampleva")
    if sealed:
        change(event, disclosure="sealed").save()
        EventGrant.objects.create(user=alice, event=event)
    source = Source(title="An invented report on Anna")
    take(event, [anna], to("PL", source), alice)
    source.refresh_from_db()
    assert source.disclosure == ("sealed" if sealed else "public")
    assert source.grants.filter(user=alice).exists() == sealed


def test_a_source_is_not_left_behind_by_what_was_refused(event, free, alice):
    anna = free("Anna Exampleva")
    with pytest.raises(Refused):
        take(event, [anna], to("PL", Source(title="An invented report"), happened=parse("2025-12-01")), alice)
    assert not Source.objects.exists()


# --- Two thousand


@pytest.fixture
def crowd(event):
    """Makes so many people with a plan each, a detention that the release ended, and who says so."""

    def crowd(number):
        persons = Person.objects.bulk_create(Person(label=f"Invented {index}") for index in range(number))
        ended = {"ended": parse("2025-12-13"), "end_reason": "released"}
        detentions = Detention.objects.bulk_create(Detention(person=person, **ended) for person in persons)
        common = {"event": event, "released_on": parse("2025-12-13")}
        releases = Release.objects.bulk_create(
            Release(person=one.person, detention=one, **common) for one in detentions
        )
        plans = Leg.objects.bulk_create(
            Leg(release=release, kind="onward", status="planned", countries=["LT", "PL"]) for release in releases
        )
        source = make(Source)
        ReleaseCitation.objects.bulk_create(
            ReleaseCitation(release=leg.release, leg=leg, source=source) for leg in plans
        )
        ReleaseCitation.objects.bulk_create(
            ReleaseCitation(release=leg.release, about="outcome", source=source) for leg in plans
        )
        return releases

    return crowd


def test_as_many_queries_for_many_as_for_few(event, crowd, report, alice):
    def queries(number):
        releases = crowd(number)
        with CaptureQueriesContext(connection) as seen:
            take(event, releases, to("PL", report), alice)
            take(event, releases, refuted(report), alice)
        return len(seen)

    assert queries(3) == queries(30)


def test_two_thousand_in_a_few_seconds(event, crowd, report, alice):
    releases = crowd(2000)
    began = time.process_time()  # not that of the clock: other tests run beside this one
    take(event, releases, to("PL", report), alice)
    take(event, releases, refuted(report), alice)
    spent = time.process_time() - began
    assert Release.objects.filter(outcome="refuted", legs__status="completed").count() == 2000
    assert history_of(Leg).objects.filter(pgh_label="update").count() == 2000
    assert spent < 40, spent
