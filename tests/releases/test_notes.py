"""Notes: what is open and due, where they go with their person, and that no copy and no file has them."""

from datetime import UTC, date, datetime, timedelta

import pghistory
import pytest
from django.db import IntegrityError, connections

from releases.models import EventGrant, ListLine, Note, ReleaseEvent, Sitting
from tests.conftest import ALL_DATABASES
from tests.rows import ask_what_is_deferred, change, make
from tracker import history, merging, publication, review, undoing
from tracker.models import Grant, Person, PersonCitation, Source
from tracker.versions import history_of

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

DAY = date(2026, 3, 10)


def test_the_most_urgent_comes_first_and_what_is_done_is_not_open(alice):
    written = datetime(2026, 1, 1, tzinfo=UTC)
    later, no_day, sooner, older = (
        make(Note, due=due, written_at=written + timedelta(days=day))
        for day, due in enumerate([date(2026, 3, 11), None, DAY, date(2026, 3, 11)], 1)
    )
    done = make(Note, due=date(2026, 1, 1))
    done.finish(alice)
    assert list(Note.objects.open()) == [sooner, later, older, no_day]
    assert list(Note.objects.due(DAY)) == [sooner]
    assert [note.is_overdue(date(2026, 3, 11)) for note in (sooner, later, no_day, done)] == [True, False, False, False]


def test_done_by_somebody_at_some_time_and_open_again(alice):
    note = make(Note)
    note.finish(alice)
    note = Note.objects.get()
    assert (note.done_by, bool(note.done_at)) == (alice, True)
    note.reopen()
    assert list(Note.objects.open()) == [note]
    assert (note.done_by, note.done_at) == (None, None)


def test_who_read_an_older_note_does_not_tick_it_off(alice):
    seen = make(Note)
    changed = Note.objects.get()
    changed.text = "Call the other family"
    changed.save()
    with pytest.raises(IntegrityError):
        seen.finish(alice)


def test_what_it_said_before_stays_in_its_history():
    note = make(Note, text="Call the mother")
    note.text = "Call the father"
    note.save()
    before, after = (dict.fromkeys(["note"], text) for text in ("Call the mother", "Call the father"))
    edited = history.changes(note)[0]
    assert (edited.before, edited.after) == (before, after)


# --- With whom it goes


def test_deleted_with_what_it_is_about():
    person, event, line = make(Person), make(ReleaseEvent), make(ListLine)
    for about in ({"person": person}, {"person": None, "event": event}, {"person": None, "line": line}):
        make(Note, **about)
    person.delete()
    event.delete()
    line.sitting.delete()
    assert not Note.objects.exists()
    assert history_of(Note)._base_manager.filter(pgh_label="delete").count() == 3


def test_it_goes_along_when_its_person_is_merged_and_back(bob):
    kept, other = make(Person), make(Person)
    note = make(Note, person=other)
    context = merging.merge(kept, other, by=bob, why="One woman")
    assert Note.objects.get().person == kept
    note.refresh_from_db()
    with pghistory.context(user=str(bob.pk)):
        note.finish(bob)
    undoing.undo(context, by=bob)
    note.refresh_from_db()
    assert (note.person, note.done_by) == (other, bob)


# --- Who may see it


def closed(model, **values):
    return make(model, disclosure="sealed", **values)


def of_a_line(**sitting):
    return {"person": None, "line": make(ListLine, sitting=make(Sitting, **sitting))}


#: A note that only whoever may see the sealed record sees: makes its columns, and that record.
SEALED = {
    "person": lambda: _of(person := closed(Person), person=person),
    "merged person": lambda: _of(closed(Person), person=make(Person)),
    "event": lambda: _of(event := closed(ReleaseEvent), person=None, event=event),
    "line of an event": lambda: _of(event := closed(ReleaseEvent), **of_a_line(event=event)),
    "line of a source": lambda: _of(source := closed(Source), **of_a_line(source=source)),
    "line about a person": lambda: _of(
        person := closed(Person), person=None, line=make(ListLine, decision="person", person=person)
    ),
}


def _of(record, **values):
    return record, values


def sealed_note(kind, **values):
    """The note, and the sealed record that it hangs on."""
    record, about = SEALED[kind]()
    note = make(Note, **about, **values)
    if kind == "merged person":
        ask_what_is_deferred()  # nothing new is said of somebody who is merged
        change(note.person, merged_into=record).save()
    return note, record


def grant(record, user):
    if isinstance(record, ReleaseEvent):
        return make(EventGrant, event=record, user=user)
    return make(Grant, user=user, **{"person": None, record._meta.model_name: record})


@pytest.mark.parametrize("kind", SEALED)
def test_about_what_an_account_may_not_see_there_is_no_note(kind, alice, bob):
    note, record = sealed_note(kind)
    open_one = make(Note)
    grant(record, bob)
    assert set(Note.objects.visible_to(alice)) == {open_one}
    assert set(Note.objects.unsealed()) == {open_one}
    assert set(Note.objects.visible_to(bob)) == {open_one, note}


def test_no_copy_has_it(alice, bob, source):
    person = make(Person, label="Invented Person")
    make(PersonCitation, person=person, source=source)
    make(Note, person=person, text="Call the invented family")
    review.submit([person], by=alice)
    publication.publish([person], by=bob)
    for copy in ("researcher", "public"):
        assert Person.objects.using(copy).get() == person
        with connections[copy].cursor() as cursor:
            for table in ("releases_note", "releases_notehistory"):
                cursor.execute(f"SELECT count(*) FROM {table}")
                assert cursor.fetchone() == (0,), (copy, table)
