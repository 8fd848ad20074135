"""Nothing is overwritten unseen (revisions), and nothing changes without a trace (history)."""

import contextlib
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pghistory
import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone

from tests.rows import MODELS, change, delete, insert, insert_exactly, make, refused, unsaved, update
from tracker.models import (
    Act,
    Alphabetical,
    DataChunk,
    DataRelease,
    Detention,
    Download,
    Name,
    Organisation,
    Person,
    Placement,
    Row,
    Source,
    Upload,
    User,
)
from tracker.models.history import Event
from tracker.models.rules import STALE, StaleError, explain

EVERY_MODEL = [pytest.param(model, id=model.__name__) for model in MODELS]
EVERY_ROW = [pytest.param(model, id=model.__name__) for model in MODELS if issubclass(model, Row)]


def history_of(model):
    return model.history.rel.related_model


def events(model, **of):
    """What happened, oldest first."""
    return list(history_of(model).objects.filter(**of).order_by("pgh_id").values_list("pgh_label", flat=True))


def text_column(model):
    """A column that can be changed without breaking a rule, if the table has one."""
    for field in model._meta.concrete_fields:
        plain = type(field) in {models.CharField, models.TextField} and field.editable and not field.choices
        # a password is in no history, a unit is nothing without an amount
        if plain and field.name not in {"password", "unit"}:
            return field.name
    return None


# --- Every table has both


def test_every_table_is_a_row_an_account_or_history():
    """The list of acts is history as well; what was uploaded is kept until it is read in; sort keys follow from
    rows; a frozen version, and what was downloaded, is written once."""
    known = Event | Act | Upload | Alphabetical | DataRelease | DataChunk | Download
    for label in ("tracker", "releases"):
        for model in apps.get_app_config(label).get_models(include_auto_created=True):
            if not model._meta.auto_created and not model._meta.proxy:
                assert model in MODELS or issubclass(model, known), model


@pytest.mark.parametrize("model", EVERY_MODEL)
def test_every_table_has_its_triggers(db, model):
    wanted = {"insert_insert", "update_update", "delete_delete"} | ({"revision"} if issubclass(model, Row) else set())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgenabled = 'O'",
            [model._meta.db_table],
        )
        there = {name.removeprefix("pgtrigger_").rpartition("_")[0] for (name,) in cursor.fetchall()}
    assert wanted <= there


@pytest.mark.parametrize("model", EVERY_MODEL)
def test_history_has_every_column(model):
    left_out = {"password", "last_login"} if model is User else set()
    columns = {field.column for field in history_of(model)._meta.concrete_fields}
    assert {field.column for field in model._meta.concrete_fields} - columns == left_out


@pytest.mark.parametrize("model", EVERY_MODEL)
def test_history_refers_to_nothing_that_must_still_be_there(db, model):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('f', 'u')",
            [history_of(model)._meta.db_table],
        )
        assert cursor.fetchall() == []


@pytest.mark.parametrize(("table", "column"), [("tracker_person", "pid"), ("releases_releaseevent", "rid")])
def test_an_old_identifier_is_found_by_an_index(db, table, column):
    """It is asked of the history for every row that is added."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s", [f"{table}history"])
        assert any(f"({column}" in definition for (definition,) in cursor.fetchall())


def test_who_may_do_what_is_in_history():
    """Being made a reviewer opens the second pair of eyes: it leaves a trace like any other change."""
    tracked = {event.pgh_tracked_model._meta.db_table for event in apps.get_models() if issubclass(event, Event)}
    assert User.groups.through._meta.db_table in tracked


# --- Keys and revisions


@pytest.mark.parametrize("model", EVERY_ROW)
def test_plain_sql_needs_no_id(db, model):
    pk = insert(model)
    assert isinstance(pk, uuid.UUID)
    assert pk.version == 4
    assert model.objects.get(pk=pk).revision == 1


@pytest.mark.parametrize("model", EVERY_ROW)
def test_a_revision_is_not_chosen(db, model):
    pk = insert(model)
    for revision in (0, 2, 7):
        refusal = refused(update, model, pk, revision=revision)
        assert (refusal.rule, refusal.table) == (STALE, model._meta.db_table)
    assert model.objects.get(pk=pk).revision == 1


@pytest.mark.parametrize("model", EVERY_ROW)
def test_a_change_is_a_revision_and_a_save_without_one_is_none(db, model):
    row = model.objects.get(pk=make(model).pk)
    row.save()
    assert row.revision == 1
    assert events(model, pgh_obj_id=row.pk) == ["insert"]
    if name := text_column(model):
        change(row, **{name: "other words"}).save()
        assert row.revision == model.objects.get(pk=row.pk).revision == 2
        assert events(model, pgh_obj_id=row.pk) == ["insert", "update"]


@pytest.fixture
def stale(db):
    """A person as somebody read it before somebody else changed it."""
    person = Person.objects.get(pk=make(Person, label="as it was").pk)
    Person.objects.filter(pk=person.pk).update(label="by somebody else")
    return person


def assert_untouched(person):
    now = Person.objects.get(pk=person.pk)
    assert (now.label, now.revision) == ("by somebody else", 2)
    assert events(Person, pgh_obj_id=person.pk) == ["insert", "update"]


STALE_WRITES = {
    "save": lambda person: person.save(),
    "save one field": lambda person: person.save(update_fields=["label"]),
    "save another field": lambda person: change(person, home_town="Exampleville").save(update_fields=["home_town"]),
    "bulk update": lambda person: Person.objects.bulk_update([person], ["label"]),
    "delete": lambda person: person.delete(),
    "plain SQL": lambda person: update(Person, person.pk, label="lost", revision=1),
}


@pytest.mark.parametrize("write", STALE_WRITES.values(), ids=STALE_WRITES)
def test_what_somebody_else_has_changed_is_not_overwritten(stale, write):
    stale.label = "lost"
    refusal = refused(write, stale)
    assert refusal.rule == STALE
    assert "Nothing was saved" in str(refusal.sentence)
    assert_untouched(stale)


def test_a_stale_row_spoils_the_whole_bulk_update(stale):
    others = [make(Person, label=str(n)) for n in range(3)]
    for person in others:
        person.label = "new"
    assert refused(Person.objects.bulk_update, [*others, stale], ["label"]).rule == STALE
    assert_untouched(stale)
    assert not Person.objects.filter(label="new").exists()


def test_nothing_of_a_stale_form_is_saved(stale):
    """A record and its parts are saved as one: the part is not written when the record was stale."""

    def save_both():
        make(Name, person=stale)
        stale.save()

    assert refused(save_both).rule == STALE
    assert not Name.objects.exists()


@pytest.mark.parametrize("model", [Person, Source])
def test_an_object_read_without_its_revision_is_not_saved(db, model):
    """Nobody can tell whether it is stale."""
    make(model)
    partial = model.objects.only("pk").get()
    model.objects.update(**{text_column(model): "by somebody else"})
    change(partial, **{text_column(model): "lost"})
    for write in (partial.save, lambda: model.objects.bulk_update([partial], [text_column(model)])):
        assert refused(write).rule == STALE
    assert getattr(model.objects.get(), text_column(model)) == "by somebody else"


def test_a_refused_save_can_be_made_after_reading_again(stale):
    refused(stale.save)
    stale.refresh_from_db()
    change(stale, label="agreed").save()
    assert Person.objects.get().revision == 3


@pytest.mark.parametrize("fields", [None, ["label"]])
def test_a_deleted_row_does_not_come_back_by_being_saved(db, fields):
    person = make(Person, label="as it was")
    read_before = Person.objects.get(pk=person.pk)
    person.delete()
    assert refused(change(read_before, label="back again").save, update_fields=fields).rule == STALE
    assert not Person.objects.exists()


def test_a_deleted_part_does_not_come_back_by_being_saved(db):
    name = make(Name)
    Name.objects.get(pk=name.pk).delete()
    assert refused(name.save).rule == STALE
    assert not Name.objects.exists()


def test_deleting_what_is_gone_does_nothing(db):
    person = make(Person)
    again = Person.objects.get(pk=person.pk)
    person.delete()
    assert again.delete()[0] == 0


def test_an_object_knows_its_revision_after_each_save(db):
    person = make(Person)
    for number, label in enumerate(("a", "b", "b", "c"), 1):
        change(person, label=label).save()
        assert person.revision == Person.objects.get().revision == 1 + number - (number > 2)
    person.delete()


def test_saving_again_after_a_bulk_update(db):
    """It wrote what the object was read with, so the object has to know what came of it."""
    people = [make(Person) for _ in range(2)]
    for label in ("a", "b"):
        for person in people:
            person.label = label
        Person.objects.bulk_update(people, ["label"])
    change(people[0], label="c").save()
    assert sorted(Person.objects.values_list("label", "revision")) == [("b", 3), ("c", 4)]


def test_an_update_of_many_counts_for_each(db):
    people = [make(Person) for _ in range(3)]
    Person.objects.update(label="all of them")
    assert list(Person.objects.values_list("revision", flat=True)) == [2, 2, 2]
    refused(people[0].save)


def test_an_update_that_changes_nothing_counts_for_nothing(db):
    make(Person, label="same")
    Person.objects.update(label="same")
    assert Person.objects.get().revision == 1
    assert events(Person) == ["insert"]


@pytest.mark.parametrize("model", [Source, Organisation, Person])
def test_being_published_is_no_revision(db, model):
    """What the copies hold is bookkeeping: a form that is open meanwhile can still be saved."""
    row = make(model)
    model.objects.update(published_at=timezone.now())
    assert model.objects.get().revision == 1
    assert events(model) == ["insert", "update"]
    if model is not Person:
        change(row, note="still my form").save()
        assert model.objects.get().revision == 2
    model.objects.update(published_at=None, disclosure="staff")
    assert model.objects.get().revision == (2 if model is Person else 3)


def test_a_form_that_was_open_does_not_take_back_a_publication(db):
    for model in (Source, Person):
        row = make(model)
        model.objects.update(published_at=timezone.now())
        change(row, **{text_column(model): "other words"}).save()
        assert model.objects.get().published_at is not None


def test_saving_by_itself_says_nothing_about_the_review(db):
    person = make(Person)
    update(Person, person.pk, review_state="submitted")
    person.refresh_from_db()
    change(person, review_state="draft", label="other words").save()
    person.refresh_from_db()
    assert (person.review_state, person.label) == ("submitted", "other words")


# --- Two people at the same time


def in_two_threads(*acts):
    """Runs both at once on a connection each; what came of them, in their order: a value or the rule that refused."""

    def run(act):
        try:
            return act()
        except IntegrityError as error:
            return explain(error).rule
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(30) for future in [pool.submit(run, act) for act in acts]]


def wait_until_somebody_waits():
    """Until a connection to this database waits for a lock."""
    for _ in range(1000):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.01)")
    pytest.fail("nobody waits")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_at_once_one_wins():
    pk = make(Person, label="before").pk
    both_have_read = threading.Barrier(2)

    def save(label):
        def act():
            person = change(Person.objects.get(pk=pk), label=label)
            both_have_read.wait(20)
            person.save()
            return label

        return act

    results = in_two_threads(save("hers"), save("his"))
    assert results.count(STALE) == 1
    (winner,) = set(results) - {STALE}
    person = Person.objects.get(pk=pk)
    assert (person.label, person.revision) == (winner, 2)
    assert events(Person, pgh_obj_id=pk) == ["insert", "update"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("second", ["save", "delete"])
@pytest.mark.parametrize("committed", [True, False])
def test_who_comes_second_waits_for_what_becomes_of_the_first(second, committed):
    pk = make(Person, label="before").pk
    first_has_written = threading.Event()
    both_have_read = threading.Barrier(2)

    def first_act():
        person = change(Person.objects.get(pk=pk), label="first")
        both_have_read.wait(20)
        with contextlib.suppress(InterruptedError), transaction.atomic():
            person.save()
            first_has_written.set()
            wait_until_somebody_waits()
            if not committed:
                raise InterruptedError
        return "first"

    def second_act():
        person = change(Person.objects.get(pk=pk), label="second")
        both_have_read.wait(20)
        first_has_written.wait(20)
        getattr(person, second)()
        return "second"

    results = in_two_threads(first_act, second_act)
    assert results == ["first", STALE if committed else "second"]
    labels = list(Person.objects.values_list("label", flat=True))
    assert labels == (["first"] if committed else ["second"] if second == "save" else [])


@pytest.mark.django_db(transaction=True)
def test_two_open_detentions_at_once():
    person = make(Person)
    ready = threading.Barrier(2)

    def open_one():
        connection.ensure_connection()
        ready.wait(20)
        make(Detention, person=person)
        return "opened"

    assert sorted(in_two_threads(open_one, open_one)) == ["detention_one_open", "opened"]


# --- History


def bulk_create():
    return Person.objects.bulk_create([unsaved(Person) for _ in range(2)])


@pytest.mark.parametrize("model", EVERY_MODEL)
def test_plain_sql_is_in_history(db, model):
    pk = insert(model)
    expected = ["insert"]
    if name := text_column(model):
        update(model, pk, **{name: "other words"})
        expected.append("update")
    delete(model, pk)
    assert events(model, pgh_obj_id=pk) == [*expected, "delete"]


def test_every_way_to_write_is_in_history(db):
    person = make(Person)
    change(person, label="saved").save()
    people = bulk_create()
    for one in people:
        one.label = "in bulk"
    Person.objects.bulk_update(people, ["label"])
    Person.objects.filter(pk=person.pk).update(label="updated")
    Person.objects.all().delete()
    assert events(Person, pgh_obj_id=person.pk) == ["insert", "update", "update", "delete"]
    for one in people:
        assert events(Person, pgh_obj_id=one.pk) == ["insert", "update", "delete"]


def test_an_event_holds_the_row_as_it_was_after_it(db):
    person = make(Person, label="first", born="1990")
    change(person, label="second").save()
    person.delete()
    history = history_of(Person).objects.order_by("pgh_id")
    assert list(history.values_list("label", "revision")) == [("first", 1), ("second", 2), ("second", 2)]
    assert {event.born.edtf for event in history} == {"1990"}
    assert history.last().pgh_obj_id == history.first().pgh_obj_id


def test_parts_that_go_with_their_record_are_in_history(db):
    placement = make(Placement)
    placement.detention.delete()
    assert events(Placement, pgh_obj_id=placement.pk) == ["insert", "delete"]


def test_moments_are_told_apart_within_a_transaction(db):
    person = make(Person)
    change(person, label="a moment later").save()
    first, second = history_of(Person).objects.order_by("pgh_id").values_list("pgh_created_at", flat=True)
    assert first < second


def test_what_is_taken_back_is_not_in_history(db):
    with pghistory.context(user="alice"):
        kept = make(Person, label="kept")
        with contextlib.suppress(InterruptedError), transaction.atomic():
            make(Person, label="taken back")
            change(kept, label="taken back").save()
            raise InterruptedError
        after = make(Person, label="after")
    rows = history_of(Person).objects.order_by("pgh_id").values_list("label", "pgh_obj_id", "pgh_context__user")
    assert list(rows) == [("kept", kept.pk, "alice"), ("after", after.pk, "alice")]
    assert history_of(Person).objects.values("pgh_context_id").distinct().count() == 1


def test_the_first_thing_taken_back_takes_the_context_with_it_for_that_thing_only(db):
    with pghistory.context(user="alice"):
        with contextlib.suppress(InterruptedError), transaction.atomic():
            make(Person)
            raise InterruptedError
        make(Person)
    event = history_of(Person).objects.get()
    assert event.pgh_context == {"user": "alice"}
    assert event.pgh_context_id


@pytest.mark.django_db(transaction=True)
def test_an_act_names_who_did_it_and_only_that_act():
    user = make(User)
    with pghistory.context(user=str(user.pk)):
        person = make(Person)
        insert(Name, person=person)
        Person.objects.bulk_create([unsaved(Person)])
    change(person, label="by nobody in particular").save()
    with pghistory.context(user=str(user.pk)):
        Person.objects.all().delete()
    history = history_of(Person).objects.filter(pgh_obj_id=person.pk).order_by("pgh_id")
    assert [event.pgh_context for event in history] == [{"user": str(user.pk)}, None, {"user": str(user.pk)}]
    acts = [event.pgh_context_id for event in history]
    assert acts[0] not in {None, acts[2]}
    assert history_of(Name).objects.order_by("pgh_id").first().pgh_context_id == acts[0]


def write_something(request):
    make(Person, label=request.method)
    make(Source)
    return HttpResponse()


urlpatterns = [path("write/", write_something)]


@pytest.mark.urls(__name__)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_request_that_changes_something_names_the_account(client, method):
    user = make(User)
    client.force_login(user)
    assert getattr(client, method)("/write/").status_code == 200
    person, source = (history_of(model).objects.get() for model in (Person, Source))
    # no address, no browser: who, and nothing else
    assert person.pgh_context == source.pgh_context == {"user": str(user.pk)}
    assert person.pgh_context_id == source.pgh_context_id


@pytest.mark.urls(__name__)
@pytest.mark.django_db(transaction=True)
def test_two_requests_are_two_acts(client):
    client.force_login(make(User))
    client.post("/write/")
    client.post("/write/")
    assert history_of(Person).objects.values("pgh_context_id").distinct().count() == 2


@pytest.mark.urls(__name__)
@pytest.mark.django_db(transaction=True)
def test_nobody_is_named_who_is_not_logged_in(client):
    client.post("/write/")
    assert history_of(Person).objects.get().pgh_context == {"user": None}


def test_a_password_is_never_in_history(alice):
    """Nor is the hash of one: kept for ever, it could be attacked for ever."""
    alice.set_password("another battery staple horse")
    alice.save()
    hashes = {alice.password, User.objects.get(pk=alice.pk).password}
    assert events(User, pgh_obj_id=alice.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE tablename ~ '(history$|^pghistory_)'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")
            text = "".join(row for (row,) in cursor.fetchall())
            assert not [secret for secret in hashes if secret in text]
            assert "pbkdf2" not in text
            assert "md5$" not in text


def test_a_login_is_no_event(client, alice):
    """When somebody logged in is nobody's business for ever."""
    before = events(User, pgh_obj_id=alice.pk)
    client.force_login(alice)
    assert User.objects.get(pk=alice.pk).last_login
    assert events(User, pgh_obj_id=alice.pk) == before


# --- Identifiers in print


def test_a_pid_is_not_given_away_by_a_bulk_insert(db):
    person = make(Person)
    pid = person.pid
    person.delete()
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        Person.objects.bulk_create([unsaved(Person), change(unsaved(Person), pid=pid)])
    assert explain(caught.value).rule == "pid_is_never_reused"
    assert not Person.objects.exists()


def test_a_deleted_person_may_return_as_itself(db):
    """Undoing a deletion brings the row back with its id and its pid."""
    person = make(Person)
    pk, pid = person.pk, person.pid
    person.delete()
    insert_exactly(Person, {"id": pk, "pid": pid})
    assert Person.objects.get().pid == pid
    assert events(Person, pgh_obj_id=pk) == ["insert", "delete", "insert"]


def test_a_stale_error_is_an_integrity_error():
    """So that whoever handles what the database refuses handles it as well."""
    assert issubclass(StaleError, IntegrityError)
