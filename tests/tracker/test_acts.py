"""What was done as one act: listed, looked at beforehand, and a publication taken back."""

import re
import uuid
from pathlib import Path

import pghistory
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from releases.models import Leg, ListLine, Release, ReleaseEvent, Sitting
from tests.conftest import ALL_DATABASES, make_user
from tests.rows import change, make
from tracker import acts, publication, review, undoing
from tracker.dates import parse
from tracker.models import (
    REVIEWER,
    Act,
    Detention,
    DetentionCitation,
    Grant,
    Name,
    Person,
    PersonCitation,
    Relationship,
    Source,
)
from tracker.publication import Refused, publish, take_back, verify, withdraw
from tracker.versions import history_of
from tracker.vocabularies import ActKind, Audience

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

COPIES = ["researcher", "public"]


def by(user):
    return pghistory.context(user=str(user.pk))


@pytest.fixture
def carol(db):
    return make_user("carol", REVIEWER)


def fresh(row):
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
def enter(alice, source):
    def enter(model, **values):
        with by(alice):
            record = make(model, **values)
            cited = record.citation_model()
            make(cited, **{cited.owner: record}, source=source)
        return record

    return enter


@pytest.fixture
def put_out(alice, bob):
    """Submitted by Alice, published by Bob. Returns the act."""

    def put_out(*records, by=bob):
        review.submit(records, by=alice)
        publish([fresh(record) for record in records], by=by)
        return Act.objects.newest_first().first()

    return put_out


def in_copy(record, using="public"):
    return type(record).objects.using(using).filter(pk=record.pk).first()


def edit(user, row, **values):
    with by(user):
        change(fresh(row), **values).save()


def assert_sound():
    assert list(map(str, verify())) == []


def texts_ever(using):
    """All summaries that the copy holds, or has held."""
    return set(history_of(Person)._base_manager.using(using).values_list("summary", flat=True))


# --- The list


def test_it_is_listed_with_what_it_was(alice):
    with acts.doing(ActKind.INTAKE, by=alice, why="The list of the day", sitting="7") as context:
        person = make(Person)
        make(Name, person=person)
        make(Detention, person=person)
    act = acts.act_of(context)
    assert (act.kind, act.by, act.why, act.about, act.records) == (
        "intake", alice, "The list of the day", {"sitting": "7"}, 2,
    )  # fmt: skip
    event = history_of(Name)._base_manager.get()
    assert (event.pgh_context_id, event.pgh_context["act"], event.pgh_context["sitting"]) == (context, "intake", "7")
    assert act.ended > event.pgh_created_at
    assert [row.pk for rows in acts.touched_by(context).values() for row in rows] == [
        row.pk for row in acts.touched(context)
    ]


def test_what_changed_nothing_or_failed_is_not_listed(alice):
    with acts.doing(ActKind.IMPORT, by=alice):
        pass
    with pytest.raises(InterruptedError), acts.doing(ActKind.IMPORT, by=None):
        make(Person)
        raise InterruptedError
    assert not Act.objects.exists()
    assert not Person.objects.exists()


def test_inside_a_request_it_is_the_context_of_the_request(alice):
    with by(alice) as request, acts.doing(ActKind.JOURNEY, by=alice) as context:
        make(Leg)
    assert context == request.id
    assert acts.act_of(context).records == 2, "the release, and its person"


def test_a_record_that_lost_a_part_was_touched(alice):
    one, two = make(Person), make(Person)
    name = make(Name, person=one)
    with acts.doing(ActKind.MERGE, by=alice) as context:
        change(name, person=two).save()
    assert set(acts.touched(context)) == {one, two}


def test_every_act_is_done_in_its_block():
    """Else it would be done, and stand in no list."""
    root = Path(acts.__file__).parent.parent
    for path in [*root.glob("tracker/**/*.py"), *root.glob("releases/**/*.py")]:
        for context in path.read_text().split("pghistory.context(")[1:]:
            named = re.search(r"\bact=([^,)]*)", context[:200])
            assert not named or named[1].strip("\"'") not in {*ActKind.codes(), "ACT"}, path


def done(user, number=1, **values):
    with acts.doing(ActKind.IMPORT, by=user) as context:
        for _n in range(number):
            make(Person, **values)
    return acts.act_of(context)


def test_the_newest_first_a_page_at_a_time(alice):
    rows = [done(alice) for _n in range(5)][::-1]
    page = acts.listed(alice, size=2)
    assert page == rows[:2]
    assert acts.listed(alice, before=page[-1], size=2) == rows[2:4]
    assert acts.listed(alice, kind="merge", size=2) == []


def test_an_act_that_touched_something_sealed_was_never_done_for_others(alice, bob):
    with by(alice):
        sealed, secret = make(Person, disclosure="sealed"), make(Source, disclosure="sealed")
        kept = make(Person)
    open_acts = [done(alice) for _n in range(3)]

    def act(what):
        with acts.doing(ActKind.IMPORT, by=alice) as context:
            what()
        return context

    hidden = [
        act(lambda: change(fresh(sealed), summary="x").save()),
        act(lambda: make(Detention, person=sealed)),
        act(lambda: make(Relationship, person=kept, other=sealed)),
        act(lambda: make(PersonCitation, person=kept, source=secret)),
        act(lambda: PersonCitation.objects.get(person=kept).delete()),
        act(lambda: change(Detention.objects.get(person=sealed), allegation="x").save()),
        act(lambda: make(DetentionCitation, detention=Detention.objects.get(person=sealed))),
    ]
    with by(alice):
        Detention.objects.get(person=sealed).delete()
    assert acts.hidden_from(bob, [*hidden, *(one.pk for one in open_acts)]) == set(hidden), "also of what is deleted"
    assert acts.listed(bob, size=10) == open_acts[::-1]
    assert acts.listed(bob, size=2) == open_acts[:0:-1], "a page is full whatever was left out"
    with by(alice):
        for one in ({"person": sealed}, {"source": secret}):
            Grant.objects.create(user=bob, **one)
    assert not acts.hidden_from(bob, hidden)
    with acts.doing(ActKind.IMPORT, by=bob) as context:
        Grant.objects.filter(person=sealed).delete()
        Relationship.objects.all().delete()
        fresh(sealed).delete()
    assert not acts.hidden_from(bob, [context]), "who deleted it could see it"
    assert acts.hidden_from(alice, [context, hidden[0]]) == {context, hidden[0]}


def test_what_waits_is_counted_once_and_no_longer_than_it_waits(enter, put_out, alice, bob, carol):
    with acts.doing(ActKind.INTAKE, by=alice) as context:
        person = enter(Person)
        detention = enter(Detention, person=person)
    act = acts.act_of(context)

    def waiting():
        return {row for rows in acts.waiting(act).values() for row in rows}

    assert waiting() == {person, detention}
    assert acts.submitted() == {}
    review.submit([person], by=alice)
    assert acts.submitted() == {context: 1}
    review.submit([detention], by=alice)
    assert acts.submitted() == acts.submitted([context]) == {context: 2}
    assert acts.submitted([uuid.uuid4()]) == {}
    publish([fresh(person), fresh(detention)], by=bob)
    assert (acts.submitted(), waiting()) == ({}, set())
    edit(carol, person, summary="x")
    review.submit([person], by=carol)
    assert (acts.submitted(), waiting()) == ({}, set()), "that is somebody else's work"
    withdraw([fresh(person)], by=alice)
    assert waiting() == set()
    assert acts.changed_since(act, [person, detention]) == {person.pk: {str(carol.pk)}}


# --- Beforehand


@pytest.fixture
def published_pair(enter, put_out):
    person = enter(Person, label="Invented Person", born=parse("1982-04-24"), summary="before")
    put_out(person)
    return person


@pytest.mark.parametrize("audience", [Audience.PUBLIC, Audience.RESEARCHER])
def test_as_an_audience_would_see_it(enter, put_out, alice, bob, audience):
    """Row for row what publishing then does to the copy."""
    old = enter(Person, summary="before")
    with by(alice):
        name, going = make(Name, person=old, text="Anna Exampleva"), make(Name, person=old, text="Old", position=2)
    put_out(old)
    edit(alice, old, summary="after", born=parse("1982-04-24"))
    with by(alice):
        fresh(going).delete()
    new = enter(Person, label="Second Person", born=parse("1990-05-05"), consent="name_withheld")
    secret = enter(Person, label="Third Person", disclosure="staff")
    detention = enter(Detention, person=new, allegation="inventing")
    below = enter(Detention, person=secret)
    with by(alice):
        make(Name, person=new, text="Berta Exampleva")
        make(Name, person=secret, text="Carla Exampleva")
    records = [fresh(row) for row in (old, new, secret, detention, below)]
    review.submit(records, by=alice)
    records = [fresh(row) for row in records]
    events = history_of(Person)._base_manager.count()
    seen = publication.preview(records, audience, viewer=bob)
    assert history_of(Person)._base_manager.count() == events, "nothing of it stays"
    assert_sound()
    told = {(row.kind, row.change): row for row in seen.rows}
    assert told["person", "changed"].name == "Anna Exampleva"
    year = "1982" if audience == Audience.PUBLIC else "24 April 1982"
    assert ("born", "", year) in told["person", "changed"].columns
    assert ("summary", "before", "after") in told["person", "changed"].columns
    assert told["name", "gone"].columns[0][1:] == ("Old", "")
    assert told["detention", "added"].name == "not named here: since an unknown day"
    shown = repr(seen.rows)
    assert "Berta" not in shown
    assert "Carla" not in shown
    assert [(record, why) for record, why in seen.hidden] == [
        (row, "“Carla Exampleva” is open to: Staff.") for row in (secret, below)
    ]

    def rows():
        return {
            (model, row["id"]): row
            for model in (Person, Name, Detention, DetentionCitation, PersonCitation, Source)
            for row in model.objects.using(audience).values()
        }

    before = rows()
    publish(records, by=bob)
    after = rows()
    numbers = {}
    for model, pk in before.keys() | after.keys():
        if before.get((model, pk)) != after.get((model, pk)):
            which = 1 if pk and (model, pk) not in before else 2 if (model, pk) in after else 3
            counts = numbers.setdefault(str(model._meta.verbose_name_plural), [0, 0, 0])
            counts[which - 1] += 1
    assert {kind: counts for kind, *counts in seen.numbers} == numbers
    assert publication.preview(records, audience, viewer=bob).numbers == []
    assert name.pk


def test_of_many_the_first_are_shown_and_the_rest_is_counted(enter, bob):
    people = [enter(Person) for _n in range(publication.previewing.SHOWN + 2)]
    seen = publication.preview(people, Audience.PUBLIC, viewer=bob)
    kinds = [row.kind for row in seen.rows]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "source": 1, "person": publication.previewing.SHOWN, "person citation": publication.previewing.SHOWN,
    }  # fmt: skip
    assert seen.more == 4


# --- A publication taken back


def test_who_was_published_first_leaves_and_the_others_are_shown_as_before(enter, put_out, alice, bob, carol, source):
    person = enter(Person, summary="first")
    earlier = put_out(person)
    edit(alice, person, summary="second")
    edit(alice, source, title="A better title")
    with by(alice):
        make(Name, person=person, text="Anna Exampleva")
    detention = enter(Detention, person=person)
    act = put_out(person, detention)
    assert (act.kind, act.records) == ("publish", 3), "the source came along"
    assert in_copy(person).summary == "second"
    context = undoing.undo(act.context, by=carol, why="Too early")
    done = acts.act_of(context)
    assert (done.kind, done.undoes, done.why, done.by) == ("undo", act.context, "Too early", carol)
    for copy in COPIES:
        assert in_copy(person, copy).summary == "first"
        assert in_copy(person, copy).names.using(copy).count() == 0
        assert in_copy(source, copy).title == "An invented report"
        assert in_copy(detention, copy) is None
        assert texts_ever(copy) == {"first"}
        assert not history_of(Name)._base_manager.using(copy).exists()
    now, held = fresh(person), fresh(detention)
    assert (now.review_state, now.summary, held.review_state, held.published_at) == (
        "draft", "second", "withdrawn", None,
    )  # fmt: skip
    assert_sound()
    waiting = {row for rows in acts.waiting(done).values() for row in rows}
    assert waiting == {person}
    with pytest.raises(Refused, match="Nothing of it is left"):
        undoing.undo(act.context, by=carol)
    with pytest.raises(Refused, match="Nothing of it is left"):
        undoing.undo(context, by=carol)
    # who changed it since readers saw it still needs a second person
    review.submit([now, held], by=bob)
    with pytest.raises(Refused, match="You changed"):
        publish([fresh(person), fresh(detention)], by=alice)
    publish([fresh(person), fresh(detention)], by=carol)
    assert in_copy(person).summary == "second"
    assert_sound()
    with pytest.raises(Refused, match="Nothing of it is left"):
        take_back(earlier.context, by=bob)


def test_it_is_never_more_open_than_it_is_now(enter, put_out, alice, carol):
    person, event = enter(Person, summary="first"), enter(ReleaseEvent)
    put_out(person, event)
    edit(alice, person, summary="second", disclosure="researcher")
    act = put_out(person)
    take_back(act.context, by=carol)
    assert in_copy(person) is None
    assert in_copy(person, "researcher").summary == "first"
    assert in_copy(event)
    assert_sound()


def test_what_was_published_or_withdrawn_since_is_left(enter, put_out, alice, bob, carol):
    people = [enter(Person, summary="first") for _n in range(3)]
    act = put_out(*people)
    edit(alice, people[0], summary="second")
    put_out(people[0], by=carol)
    withdraw([fresh(people[1])], by=alice)
    plan = publication.returning(act.context)
    assert plan.left == {
        people[0]: "It was published again since.", people[1]: "It was withdrawn since.",
    }  # fmt: skip
    assert plan.back == {people[2]: None}, "what the first one needs stays"
    take_back(act.context, by=bob)
    assert [bool(in_copy(person)) for person in people] == [True, False, False]
    assert in_copy(people[0]).citations.using("public").count() == 1
    assert_sound()


def test_what_was_submitted_again_since_stays_submitted(enter, put_out, alice, bob, carol):
    person = enter(Person, summary="first")
    put_out(person)
    edit(alice, person, summary="second")
    act = put_out(person)
    edit(alice, person, summary="third")
    review.submit([fresh(person)], by=alice)
    take_back(act.context, by=bob)
    assert (fresh(person).review_state, in_copy(person).summary) == ("submitted", "first")
    publish([fresh(person)], by=carol)
    assert in_copy(person).summary == "third"
    assert_sound()


def test_a_part_is_not_shown_with_two(enter, put_out, alice, bob, carol):
    one, two = enter(Person), enter(Person)
    with by(alice):
        name = make(Name, person=one)
    put_out(one, two)
    with by(alice):
        change(fresh(name), person=two).save()
    act = put_out(one, two)
    edit(alice, two, summary="x")
    put_out(two, by=carol)
    plan = publication.returning(act.context)
    assert one not in plan.back
    assert plan.left[one] == "Something of it is shown with another record since."
    with pytest.raises(Refused, match="Nothing of it is left"):
        take_back(act.context, by=bob)
    assert in_copy(name).person_id == two.pk
    assert_sound()


def test_a_merge_that_was_published_is_taken_back_in_the_copies(enter, put_out, alice, bob, carol):
    from tracker.merging import merge

    kept, other = enter(Person), enter(Person)
    detention = enter(Detention, person=other)
    put_out(kept, other, detention)
    context = merge(fresh(kept), fresh(other), by=alice, why="One")
    act = put_out(*(row for rows in acts.waiting(acts.act_of(context)).values() for row in rows))
    assert in_copy(detention).person_id == kept.pk
    take_back(act.context, by=carol)
    assert in_copy(detention).person_id == other.pk
    assert in_copy(other).merged_into_id is None
    assert_sound()
    # and the other way round: below whom it is shown by now, nobody is led away from
    undoing.undo(context, by=alice)
    put_out(*(fresh(row) for row in (kept, other, detention)), by=carol)
    assert_sound()


def test_nobody_is_led_away_from_what_is_shown(enter, put_out, alice, bob, carol):
    from tracker.merging import merge

    kept, other = enter(Person), enter(Person)
    put_out(kept, other)
    context = merge(fresh(kept), fresh(other), by=alice, why="One")
    put_out(kept, other)
    undoing.undo(context, by=alice)
    act = put_out(kept, other)
    detention = enter(Detention, person=other)
    put_out(detention)
    assert publication.returning(act.context).left[other].startswith("Something below it is shown since")
    with pytest.raises(Refused, match="Nothing of it is left"):
        take_back(act.context, by=carol)
    assert in_copy(detention).person_id == other.pk
    assert in_copy(other).merged_into_id is None
    assert_sound()


def test_whoever_may_not_see_it_takes_nothing_back(enter, put_out, alice, bob):
    person = enter(Person)
    act = put_out(person)
    edit(alice, person, disclosure="sealed")
    with pytest.raises(Refused, match="Nothing of it is left"):
        undoing.undo(act.context, by=bob)


# --- At once, however many


def counted(act, *args, **kwargs):
    with CaptureQueriesContext(connection) as queries:
        act(*args, **kwargs)
    return len(queries)


def intake(alice, source, number):
    with acts.doing(ActKind.INTAKE, by=alice) as context:
        event = make(ReleaseEvent)
        sitting = make(Sitting, event=event, source=source, started_by=alice)
        for n in range(number):
            person = make(Person)
            make(Name, person=person, text=f"Anna Exampleva {n}")
            detention = make(Detention, person=person)
            release = make(Release, person=person, event=event, detention=detention)
            make(Leg, release=release)
            make(ListLine, sitting=sitting, decision="person", person=person, release=release, decided_by=alice)
    return context


def test_taking_back_costs_the_same_however_much_it_is(alice, bob, source):
    contexts = [intake(alice, source, number) for number in (2, 20)]
    assert counted(undoing.preview, contexts[0], bob) + 18 * 8 > counted(undoing.preview, contexts[1], bob)
    few, many = (counted(undoing.undo, context, by=bob) for context in contexts)
    assert few == many
    assert not Release.objects.exists()


def test_a_preview_tells_of_the_first_and_counts_the_rest(alice, bob, source):
    context = intake(alice, source, 30)
    seen = undoing.preview(context, bob)
    assert {number.kind: number.removed for number in seen.numbers}["releases"] == 30
    assert len(seen.back) == undoing.TOLD
    assert seen.more_back == 6 * 30 + 2 - undoing.TOLD
