"""One person who was entered twice: whatever pointed to the one points to the other, and readers see one of them."""

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pghistory
import pytest
from django.apps import apps
from django.db import IntegrityError, connection, connections, models, transaction

from releases.models import ListLine, Note, Release, ReleaseEvent, Sitting
from tests.breaches import rules_of
from tests.conftest import ALL_DATABASES, make_user
from tests.rows import ask_what_is_deferred, change, make, refused, transaction_of_its_own, update
from tracker import acts, merging, publication, review, undoing
from tracker.dates import parse
from tracker.merging import KEPT, MOVES, OTHER, How, compare, merge, obstacles
from tracker.models import (
    REVIEWER,
    Alphabetical,
    Detention,
    ExternalIdentifier,
    Grant,
    Name,
    NotTheSame,
    Person,
    PersonCitation,
    Placement,
    Prosecution,
    ProsecutionDetention,
    Recognition,
    Relationship,
    Row,
    Source,
    User,
)
from tracker.models.history import Event
from tracker.models.identity import in_order
from tracker.models.rules import explain
from tracker.review import Refused
from tracker.versions import history_of

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

WHY = "One woman, two spellings"


@pytest.fixture
def carol(db):
    """A second reviewer: whoever merges cannot publish it."""
    return make_user("carol", REVIEWER)


def by(user):
    return pghistory.context(user=str(user.pk))


def person(*names, **values):
    row = make(Person, **values)
    for position, text in enumerate(names, 1):
        text, kind = text if isinstance(text, tuple) else (text, "legal")
        make(Name, person=row, text=text, kind=kind, position=position)
    return row


@pytest.fixture
def two(db):
    """Anna was entered twice: by the passport, and as a newspaper wrote it."""
    return person("Anna Exampleva", sex="female"), person(
        "Ганна Прыкладная", ("Anna Example", "erroneous"), born="1990"
    )


def sentences(kept, other, user):
    return [found.sentence for found in obstacles(kept, other, user)]


# --- The map


def relations():
    return {
        f"{relation.related_model._meta.label}.{relation.field.name}"
        for relation in Person._meta.get_fields(include_hidden=True)
        # a place in the alphabet follows the names
        if relation.auto_created
        and not relation.concrete
        and not issubclass(relation.related_model, Event | Alphabetical)
    }


def test_every_foreign_key_to_a_person_is_in_the_map():
    assert set(MOVES) == relations()
    assert all(issubclass(apps.get_model(key.rsplit(".", 1)[0]), Row) for key in MOVES)


def test_every_column_is_chosen_or_left_out_for_a_reason():
    names = {column.name for column in Person._meta.concrete_fields}
    assert set(merging.NOT_CHOSEN) <= names
    assert {column.name for column in merging.chosen_columns()} == names - set(merging.NOT_CHOSEN)


@pytest.mark.parametrize("key", MOVES)
def test_the_map_is_followed(key, bob):
    """A row behind every foreign key: moved, or left for the reason that is given."""
    model, name = apps.get_model(key.rsplit(".", 1)[0]), key.rsplit(".", 1)[1]
    kept, other = make(Person), make(Person)
    values = {name: other}
    if model is ProsecutionDetention:
        values = {"prosecution": make(Prosecution, person=other)}
    if model is NotTheSame:
        third = make(Person)
        values = {**in_order(other, third)}
    if model is ListLine:
        values["decision"] = "person"
    if model is Grant:
        kept, other = (change(one, disclosure="sealed") for one in (kept, other))
        for one in (kept, other):
            one.save()
        make(Grant, person=kept, user=bob)
        values["user"] = bob
    row = make(model, **values)
    before = model._base_manager.get(pk=row.pk)
    number = {one: one._base_manager.count() for one in apps.get_models() if issubclass(one, Row)}
    merge(kept, other, by=bob, why=WHY)
    now = model._base_manager.get(pk=row.pk)
    if MOVES[key].how is How.STAYS:
        assert MOVES[key].why
        assert getattr(now, name) == other
    elif model is NotTheSame:
        assert {now.person, now.other} == {kept, third}
        assert now.why == before.why
    else:
        assert getattr(now, name) == kept
    assert {one: one._base_manager.count() for one in number} == number, "nothing is made or deleted"
    assert not model._base_manager.filter(**{name: other}).exists() or MOVES[key].how is How.STAYS


# --- What it does


def test_names_come_after_those_of_the_kept_person_and_none_is_lost(two, bob):
    kept, other = two
    merge(kept, other, by=bob, why=WHY)
    names = Person.objects.get(pk=kept.pk).names.values_list("text", "kind", "position")
    assert list(names) == [
        ("Anna Exampleva", "legal", 1),
        ("Ганна Прыкладная", "legal", 2),
        ("Anna Example", "erroneous", 3),
    ]
    assert not other.names.exists()


def test_the_editor_chooses_column_by_column(two, bob):
    kept, other = two
    change(kept, home_town="Invented", citizenships=["BY"], died="2020").save()
    change(other, home_town="Exampleville", citizenships=["BY", "UA"], summary="She left.", sex="unknown").save()
    merge(kept, other, by=bob, why=WHY, choose={"home_town": OTHER, "died": KEPT, "summary": KEPT})
    now = Person.objects.get(pk=kept.pk)
    assert (now.home_town, now.citizenships) == ("Exampleville", ["BY"])
    assert (now.sex, now.born, now.died) == ("female", parse("1990"), parse("2020"))
    assert now.summary == "", "chosen to stay empty"
    assert Person.objects.get(pk=other.pk).home_town == "Exampleville", "what it said stays with it"


def test_a_choice_that_makes_no_sense_is_no_choice(two, bob):
    with pytest.raises(ValueError, match="pid"):
        merge(*two, by=bob, why=WHY, choose={"pid": OTHER})
    with pytest.raises(ValueError, match="neither"):
        merge(*two, by=bob, why=WHY, choose={"sex": "both"})


def test_values_that_contradict_one_another_are_refused_with_the_sentence(two, bob):
    kept, other = two
    change(kept, died="1980").save()
    with pytest.raises(Refused, match="cannot have died before being born"):
        merge(kept, other, by=bob, why=WHY)
    assert Name.objects.filter(person=other).count() == 2


@pytest.mark.parametrize(
    ("one", "two", "stands"),
    [
        ("not_asked", "may_be_published", "may_be_published"),
        ("may_be_published", "name_withheld", "name_withheld"),
        ("not_at_all", "may_be_published", "not_at_all"),
        ("name_withheld", "not_at_all", "not_at_all"),
    ],
)
def test_of_two_wishes_the_stricter_stands(bob, one, two, stands):
    kept = make(Person, consent=one, consent_by="she")
    other = make(Person, consent=two, consent_by="her brother", consent_on=date(2025, 1, 1))
    assert getattr(compare(kept, other, bob).consent, compare(kept, other, bob).consent.default).text
    merge(kept, other, by=bob, why=WHY)
    now = Person.objects.get(pk=kept.pk)
    assert now.consent == stands
    assert now.consent_by == ("she" if stands == one else "her brother")


def test_what_is_cited_stays_cited(two, bob, source):
    kept, other = two
    whole = make(PersonCitation, person=other, about="born", stated="35 years old")
    of_a_name = make(PersonCitation, person=other, name=other.names.first())
    merge(kept, other, by=bob, why=WHY)
    for citation in (whole, of_a_name):
        citation.refresh_from_db()
        assert citation.person == kept
    assert of_a_name.name.person == kept


def test_a_relationship_of_both_is_one_and_has_all_citations(two, bob):
    kept, other = two
    husband, mother = make(Person), make(Person)
    stays = make(Relationship, person=kept, other=husband, kind="spouse")
    double = make(Relationship, person=other, other=husband, kind="spouse")
    said = make(PersonCitation, person=other, relationship=double)
    theirs = make(Relationship, person=mother, other=kept, kind="parent_of")
    theirs_too = make(Relationship, person=mother, other=other, kind="parent_of")
    said_there = make(PersonCitation, person=mother, relationship=theirs_too)
    alone = make(Relationship, person=other, other=mother, kind="sibling")
    merge(kept, other, by=bob, why=WHY)
    assert set(Relationship.objects.filter(person=kept)) == {stays, alone}
    assert set(Relationship.objects.filter(other=kept)) == {theirs}
    assert set(Relationship.objects.filter(person=other)) == {double}
    for citation, tie, owner in ((said, stays, kept), (said_there, theirs, mother)):
        citation.refresh_from_db()
        assert (citation.relationship, citation.person) == (tie, owner)


def test_trials_with_their_detentions_and_releases_go_together(two, bob):
    kept, other = two
    detention = make(Detention, person=other, started="2021", ended="2022")
    prosecution = make(Prosecution, person=other)
    link = make(ProsecutionDetention, prosecution=prosecution, detention=detention)
    release = make(Release, person=other, detention=detention)
    with transaction_of_its_own():
        merge(kept, other, by=bob, why=WHY)
    for row in (detention, prosecution, link, release):
        row.refresh_from_db()
        assert row.person == kept


def test_chains_are_flattened_and_told_apart_stays_told_apart(bob):
    first, second, third, somebody = (make(Person) for _ in range(4))
    for one in (second, third):
        make(NotTheSame, **in_order(one, somebody))
    merge(second, first, by=bob, why=WHY)
    merge(third, second, by=bob, why=WHY)
    for one in (first, second):
        one.refresh_from_db()
        assert one.merged_into == third
    assert sentences(third, somebody, bob)
    assert NotTheSame.objects.about(third, somebody).count() == 1
    assert NotTheSame.objects.about(second, somebody).count() == 1, "the same was decided twice: it stays"


def test_it_is_one_act_of_the_history_with_its_reason(two, bob):
    context = merge(*two, by=bob, why=f" {WHY} ")
    act = acts.act_of(context)
    assert (act.kind, act.by, act.why, act.about, act.records) == ("merge", bob, WHY, {"merged": str(two[1].pk)}, 2)
    assert set(acts.touched(context)) == set(two)
    assert {row.pgh_label for row in history_of(Name)._base_manager.filter(pgh_context_id=context)} == {"update"}
    assert merging.merge_of(two[1]) == context
    assert merging.merge_of(two[0]) is None
    assert review.missing(Person.objects.get(pk=two[1].pk)) == []


def test_what_was_sent_back_is_not_mistaken_for_a_merge(two, bob, alice):
    from tracker.history import sent_back

    merge(*two, by=bob, why=WHY)
    assert sent_back(Person.objects.get(pk=two[0].pk)) is None


def test_it_needs_a_reason(two, bob):
    with pytest.raises(Refused, match="Say why"):
        merge(*two, by=bob, why=" ")


# --- What stands in the way


def two_detentions(kept, other, one, two):
    make(Detention, person=kept, **one)
    make(Detention, person=other, **two)


HELD = [
    ({}, {}, "Both have an open detention"),
    ({"started": "2021-03-01"}, {"started": "2020", "ended": "2022-05"}, "surely held"),
    ({"started": "2021-03-01", "ended": "2021-04-01"}, {"started": "2021-03-20", "ended": "2022"}, "surely held"),
    ({"started": "2021", "ended": "2021"}, {"started": "2021", "ended": "2021"}, None),
    ({"started": "2021-03-01", "ended": "2021-04-01"}, {"started": "2021-04-01"}, None),
    ({"started": "2021-03-01", "ended": "2021-04-01"}, {}, None),
]


@pytest.mark.parametrize(("one", "two", "sentence"), HELD)
def test_detentions_that_cannot_both_be_of_one_person(bob, one, two, sentence):
    """What the obstacles say is what the database would refuse."""
    kept, other = make(Person), make(Person)
    two_detentions(kept, other, one, two)
    found = obstacles(kept, other, bob)
    if sentence:
        assert sentence in found[0].sentence
        assert {row.person for row in found[0].records} == {kept, other}
        assert refused(Detention.objects.filter(person=other).update, person=kept).table == "tracker_detention"
        with pytest.raises(Refused, match=sentence):
            merge(kept, other, by=bob, why=WHY)
    else:
        assert found == []
        merge(kept, other, by=bob, why=WHY)


def test_two_releases_in_one_event(two, bob):
    event = make(ReleaseEvent)
    rows = [make(Release, person=one, event=event) for one in two]
    (found,) = obstacles(*two, bob)
    assert "Both have a release in" in found.sentence
    assert found.records == rows


def test_two_releases_without_an_event_are_no_obstacle(two, bob):
    for one in two:
        make(Release, person=one)
    merge(*two, by=bob, why=WHY)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_who_is_related_to_the_other_is_not_the_other(two, bob, order):
    one, other = (two[number] for number in order)
    make(Relationship, person=one, other=other, kind="sibling")
    (found,) = obstacles(*two, bob)
    assert "One is recorded as the" in found.sentence
    assert found.records == [one]


def test_whoever_was_told_apart_is_not_merged(two, bob, alice):
    pair = make(NotTheSame, **in_order(*two), why="Father and son", decided_by=alice)
    for kept, other in (two, reversed(two)):
        (found,) = obstacles(kept, other, bob)
        assert "alice decided on" in found.sentence
        assert "Father and son" in found.sentence
    pair.delete()
    assert obstacles(*two, bob) == []


def test_no_circle(bob):
    one, two, three = (make(Person) for _ in range(3))
    merge(one, two, by=bob, why=WHY)
    for person_ in (one, two):
        person_.refresh_from_db()
    for kept, other in ((two, one), (one, two), (three, two), (two, three)):
        (found,) = obstacles(kept, other, bob)
        assert "is merged already" in found.sentence
        assert found.records == [one]
    assert "with itself" in sentences(one, one, bob)[0]


def test_a_merge_opens_nothing(two, bob):
    kept, other = two
    change(other, disclosure="staff").save()
    (found,) = obstacles(kept, other, bob)
    assert "is open to public" in found.sentence
    assert "give both the same disclosure" in found.sentence
    with pytest.raises(Refused):
        merge(kept, other, by=bob, why=WHY)


def test_sealed_persons_are_merged_where_the_same_accounts_see_both(two, bob, alice):
    for one in two:
        change(one, disclosure="sealed").save()
        make(Grant, person=one, user=bob)
    make(Grant, person=two[1], user=alice)
    (found,) = obstacles(*two, bob)
    assert "different accounts" in found.sentence
    make(Grant, person=two[0], user=alice)
    merge(*two, by=bob, why=WHY)
    assert not Person.objects.visible_to(make(User)).filter(pk__in=[one.pk for one in two]).exists()
    assert Person.objects.visible_to(alice).filter(pk__in=[one.pk for one in two]).count() == 2


def hidden_release(other, source):
    make(Release, person=other, event=make(ReleaseEvent, title="Secret release", disclosure="sealed"))


def hidden_citation(other, source):
    make(PersonCitation, person=other, source=make(Source, title="Secret letter", disclosure="sealed"))


def hidden_relation(other, source):
    make(Relationship, person=make(Person, label="Secret brother", disclosure="sealed"), other=other)


def hidden_pair(other, source):
    make(NotTheSame, **in_order(make(Person, label="Secret brother", disclosure="sealed"), other), why="Secret")


def hidden_line(other, source):
    sitting = make(Sitting, source=make(Source, title="Secret letter", disclosure="sealed"))
    line = make(ListLine, sitting=sitting, text="Secret line", decision="person", person=other)
    make(Note, person=None, line=line, text="Secret note")


@pytest.mark.parametrize("hide", [hidden_release, hidden_citation, hidden_relation, hidden_pair, hidden_line])
def test_what_somebody_may_not_see_they_do_not_move_and_are_not_told_of(two, bob, source, hide):
    kept, other = two
    hide(other, source)
    (found,) = obstacles(kept, other, bob)
    assert found.sentence.startswith("Not everything that would be moved is for you to see.")
    assert found.records == []
    assert "ecret" not in repr(compare(kept, other, bob))
    hidden_at_the_kept_one = obstacles(other, kept, bob)
    assert hidden_at_the_kept_one == [], "nothing of that would move"


def test_who_is_sealed_later_takes_along_whom_it_was_merged_with(two, bob):
    kept, other = two
    sibling = make(Person)
    make(Relationship, person=sibling, other=kept, kind="sibling")
    left = make(Relationship, person=sibling, other=other, kind="sibling")
    merge(kept, other, by=bob, why=WHY)
    left.refresh_from_db()
    assert left.other == other, "it says what another says already"
    kept.refresh_from_db()
    change(kept, disclosure="sealed").save()
    assert not Person.objects.visible_to(bob).filter(pk=other.pk).exists()
    assert not Relationship.objects.visible_to(bob).filter(pk=left.pk).exists()
    make(Grant, person=kept, user=bob)
    assert Person.objects.visible_to(bob).filter(pk=other.pk).exists()
    assert Relationship.objects.visible_to(bob).filter(pk=left.pk).exists()


def test_comparing_costs_the_same_however_much_there_is(two, bob, django_assert_num_queries):
    def fill(number):
        for one in two:
            for index in range(number):
                make(Name, person=one, position=10 * number + index)
                make(PersonCitation, person=one, about="born")
                make(Recognition, person=one)
                make(Relationship, person=one)
                make(
                    Detention,
                    person=one,
                    started=str(1950 + 20 * number + index),
                    ended=str(1951 + 20 * number + index),
                )
                make(Release, person=one, event=make(ReleaseEvent))

    def cost():
        with connection.execute_wrapper(count), contextlib.suppress(AssertionError):
            repr(compare(*(Person.objects.prefetch_related("names").get(pk=one.pk) for one in two), bob))

    numbers = []

    def count(execute, sql, params, many, context):
        numbers[-1] += 1
        return execute(sql, params, many, context)

    for number in (1, 2):
        fill(number)
        numbers.append(0)
        cost()
    assert numbers[0] == numbers[1]


@pytest.mark.django_db(transaction=True)
def test_two_merges_at_once_make_no_chain():
    """One of them waits for the other, sees what it did, and is refused."""
    first, second, third = (make(Person) for _ in range(3))
    met = threading.Barrier(2, timeout=20)

    def lead(one, to):
        try:
            with transaction.atomic():
                update(Person, one.pk, merged_into=to)
                ask_what_is_deferred()  # each has found nothing wrong, and neither is committed
                with contextlib.suppress(threading.BrokenBarrierError):
                    met.wait(timeout=2)
            return "done"
        except IntegrityError as error:
            return explain(error).rule
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lead, (first, second), (second, third)))
    assert sorted(answers) == ["done", "person_merged_in_one_step"]


#: A prosecution's detention follows its prosecution by itself; of a chain of merges there is a rule of its own.
BY_THEMSELVES = {"tracker.ProsecutionDetention.person", "tracker.Person.merged_into"}


@pytest.mark.parametrize(
    "key", [key for key, move in MOVES.items() if move.how not in {How.STAYS, How.PAIR} and key not in BY_THEMSELVES]
)
def test_nothing_new_is_said_of_a_merged_person(key):
    """Whatever a merge would have moved."""
    label, name = key.rsplit(".", 1)
    assert f"{name}_is_not_merged" in rules_of(apps.get_model(label))


def somebody_waits():
    """Whether, before long, some other connection waits for a lock."""
    for _attempt in range(400):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return True
        time.sleep(0.05)
    return False


@pytest.mark.django_db(transaction=True, databases=ALL_DATABASES)
@pytest.mark.parametrize("model", [Detention, Name])
@pytest.mark.parametrize("first", ["merge", "save"])
def test_what_is_saved_at_the_moment_of_a_merge_is_moved_or_refused(model, first):
    kept, other, user = make(Person), make(Person), make(User)
    begun = threading.Event()

    def act(name):
        try:
            if name != first:
                assert begun.wait(timeout=20)
            with transaction.atomic():
                if name == "merge":
                    merge(kept, other, by=user, why=WHY)
                else:
                    make(model, person=other)
                    ask_what_is_deferred()
                begun.set()
                return somebody_waits() if name == first else "done"
        except IntegrityError as error:
            return explain(error).rule
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        merged, saved = pool.map(act, ("merge", "save"))
    if first == "merge":
        assert (merged, saved) == (True, "person_is_not_merged")
        assert not model.objects.exists()
    else:
        assert (saved, merged) == (True, "done")
        assert model.objects.get().person == kept


# --- Readers


def texts(alias):
    return set(Name.objects.using(alias).values_list("person__pid", "text"))


@pytest.fixture
def published(two, alice, carol):
    """Both are out, each with a detention, a trial, a release; and so is somebody related to the one to be merged."""
    _kept, other = two
    with by(alice):
        event = make(ReleaseEvent)
        rows = [event, make(Person, label="her sister")]
        make(Relationship, person=rows[1], other=other, kind="sibling", disclosure="public")
        for number, one in enumerate(two):
            year = 2015 + 3 * number
            detention = make(Detention, person=one, started=f"{year}-01-01", ended=f"{year + 1}-01-01")
            make(Placement, detention=detention)
            prosecution = make(Prosecution, person=one)
            make(ProsecutionDetention, prosecution=prosecution, detention=detention)
            release = make(Release, person=one, detention=detention, event=event if number else None)
            make(ExternalIdentifier, person=one)
            make(PersonCitation, person=one, name=one.names.first())
            rows += [one, detention, prosecution, release]
        for row in rows:
            row.refresh_from_db()
            cited = row.citation_model()
            make(cited, **{cited.owner: row})
    review.submit(rows, by=alice)
    publication.publish(rows, by=carol)
    return rows


def changed(context):
    return [row for row in acts.touched(context) if row.published_at and row.pk in review.changed_by([row])]


def test_copies_show_what_they_showed_until_a_second_person_publishes(two, published, alice, bob, carol):
    kept, other = two
    shown = texts("public")
    context = merge(kept, other, by=bob, why=WHY)
    assert texts("public") == shown
    assert list(publication.verify()) == []
    rows = changed(context)
    assert {type(row) for row in rows} == {Person, Detention, Prosecution, Release}
    assert len(rows) == 6, "both, what lay below the other, and the sister"
    with pytest.raises(Refused, match="is not submitted"):
        publication.publish(rows, by=carol)
    review.submit(rows, by=alice)
    with pytest.raises(Refused, match="You changed"):
        publication.publish(changed(context), by=bob)
    publication.publish(changed(context), by=carol)
    for alias in ("public", "researcher"):
        assert texts(alias) == {(kept.pid, text) for _pid, text in shown}
        gone = Person.objects.using(alias).get(pk=other.pk)
        assert (gone.merged_into_id, gone.pid) == (kept.pk, other.pid)
        assert (gone.born, gone.sex, gone.summary, gone.label) == (None, "", "", "")
        for model in Person.part_models():
            assert not model.objects.using(alias).filter(person=other.pk).exists(), model
        for model in (Detention, Prosecution, Release):
            assert model.objects.using(alias).filter(person=kept.pk).count() == 2
        assert Relationship.objects.using(alias).get().other_id == kept.pk
    assert list(publication.verify()) == []


def test_undone_after_it_was_published(two, published, alice, bob, carol):
    shown = texts("public")
    context = merge(*two, by=bob, why=WHY)
    review.submit(changed(context), by=alice)
    publication.publish(changed(context), by=carol)
    merged = texts("public")
    taken_back = undoing.undo(context, by=bob)
    assert texts("public") == merged
    assert list(publication.verify()) == []
    rows = changed(taken_back)
    assert len(rows) == 6
    review.submit(rows, by=alice)
    publication.publish(changed(taken_back), by=carol)
    assert texts("public") == shown
    assert Person.objects.using("public").get(pk=two[1].pk).born == parse("1990")
    assert list(publication.verify()) == []


@pytest.mark.parametrize("left_out", ["kept", "other", "detention", "release"])
def test_what_belongs_together_is_published_together(two, published, alice, bob, carol, left_out):
    kept, other = two
    context = merge(kept, other, by=bob, why=WHY)
    review.submit(changed(context), by=alice)
    without = {"kept": kept.pk, "other": other.pk}.get(left_out)
    some = [row for row in changed(context) if row.pk != without and row._meta.model_name != left_out]
    with pytest.raises(Refused):
        publication.publish(some, by=carol)
    assert list(publication.verify()) == []


def test_what_was_merged_before_is_published_along(two, published, alice, bob, carol):
    """The copy that shows A → B cannot show B → C and A → B."""
    kept, other = two
    with by(alice):
        last = person("Anna Lastova")
        make(PersonCitation, person=last)
    context = merge(kept, other, by=bob, why=WHY)
    review.submit(changed(context), by=alice)
    publication.publish(changed(context), by=carol)
    context = merge(last, Person.objects.get(pk=kept.pk), by=bob, why=WHY)
    rows = [Person.objects.get(pk=last.pk), *changed(context)]
    review.submit(rows, by=alice)
    rows = [type(row).objects.get(pk=row.pk) for row in rows]
    with pytest.raises(Refused, match="still shown with"):
        publication.publish([row for row in rows if row.pk != other.pk], by=carol)
    publication.publish(rows, by=carol)
    assert Person.objects.using("public").get(pk=other.pk).merged_into_id == last.pk
    assert list(publication.verify()) == []


@pytest.mark.parametrize("close", [{"disclosure": "sealed"}, {"disclosure": "staff"}, {"consent": "not_at_all"}])
def test_a_kept_person_that_is_closed_closes_whom_it_was_merged_with(two, published, alice, bob, carol, close):
    kept, other = two
    context = merge(kept, other, by=bob, why=WHY)
    review.submit(changed(context), by=alice)
    publication.publish(changed(context), by=carol)
    kept = Person.objects.get(pk=kept.pk)
    with by(bob):
        change(kept, **close).save()
        publication.close(kept)
    for alias in ("public", "researcher"):
        assert not Person.objects.using(alias).filter(pk__in=[kept.pk, other.pk]).exists()
    assert list(publication.verify()) == []


@pytest.mark.parametrize(
    "close",
    [{"disclosure": "sealed"}, {"disclosure": "staff"}, {"consent": "not_at_all"}, {"consent": "name_withheld"}],
)
def test_what_closes_the_kept_person_closes_the_other_before_the_merge_is_published(two, published, bob, close):
    kept, other = two
    merge(kept, other, by=bob, why=WHY)
    kept = Person.objects.get(pk=kept.pk)
    with by(bob):
        change(kept, **close).save()
        publication.close(kept)
    assert texts("public") == texts("researcher") == set()
    assert list(publication.verify()) == []
    for one in two:
        make(Grant, user=bob, person=one)
    undoing.undo(merging.merge_of(Person.objects.get(pk=other.pk)), by=bob)
    assert texts("public") == texts("researcher") == set()
    assert list(publication.verify()) == []


def test_a_stricter_wish_takes_the_names_out_at_once(two, published, bob):
    kept, other = two
    other.refresh_from_db()
    change(other, consent="name_withheld").save()
    publication.close(other)
    merge(kept, other, by=bob, why=WHY)
    assert texts("public") == set()
    assert list(publication.verify()) == []


def test_models_are_not_forgotten_by_the_fixture(two):
    """The published world above has a row of every record that lies below a person."""
    below = {model for model in apps.get_models() if "person" in getattr(model, "below", ())}
    assert below == {Detention, Prosecution, Release}
    assert all(isinstance(model._meta.get_field("person"), models.ForeignKey) for model in below)
