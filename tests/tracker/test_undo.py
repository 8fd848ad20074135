"""What was done as one act is taken back, and nobody's work since is lost."""

import uuid

import pghistory
import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from releases.models import Leg, ListLine, Release, ReleaseEvent
from tests.conftest import ALL_DATABASES, make_user
from tests.rows import change, make
from tracker import export
from tracker.acts import act_of
from tracker.merging import KEPT, OTHER, chosen_columns, merge, obstacles
from tracker.models import (
    EDITOR,
    REVIEWER,
    Detention,
    ExternalIdentifier,
    Grant,
    Name,
    NotTheSame,
    Organisation,
    Person,
    PersonCitation,
    Prosecution,
    ProsecutionDetention,
    Recognition,
    Relationship,
    Source,
)
from tracker.models.fields import KeyField
from tracker.models.identity import in_order
from tracker.review import Refused
from tracker.undoing import preview, undo
from tracker.vocabularies import Audience

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)


class act:
    """What is done inside is one act; afterwards ``act.id`` is its context."""

    def __init__(self, user):
        self.block = pghistory.context(user=str(user.pk))

    def __enter__(self):
        self.id = self.block.__enter__().id
        return self

    def __exit__(self, *error):
        self.block.__exit__(*error)


def since(user, row, **values):
    with act(user):
        row.refresh_from_db()
        change(row, **values).save()


def files():
    """The staff's files, byte for byte."""
    return {table.name: b"".join(export.stream(table, Audience.STAFF)) for table in export.TABLES}


def different(one, two):
    return {name: (one[name], two[name]) for name in one if one[name] != two[name]}


# --- Any act


def test_what_was_added_goes(alice, bob):
    before = files()
    with act(alice) as done:
        person = make(Person)
        make(PersonCitation, person=person, name=make(Name, person=person))
    undo(done.id, by=bob)
    assert different(before, files()) == {}
    assert not Person.objects.exists()


def test_what_was_deleted_returns_with_its_id(alice, bob):
    with act(alice):
        person = make(Person, summary="She left.")
        make(PersonCitation, person=person, name=make(Name, person=person))
    before = files()
    with act(alice) as done:
        fresh(person).delete()
    undo(done.id, by=bob)
    assert different(before, files()) == {}
    again = Person.objects.get()
    assert (again.pk, again.pid, again.summary) == (person.pk, person.pid, "She left.")
    assert again.revision > person.revision


def test_a_column_goes_back_if_it_still_holds_what_the_act_gave_it(alice, bob):
    with act(alice):
        person = make(Person, summary="one", home_town="one")
    with act(alice) as done:
        change(person, summary="two", home_town="two", sex="female").save()
    since(bob, person, home_town="three")
    seen = preview(done.id, bob)
    assert {(column, now, then) for _row, column, now, then in seen.back} == {
        ("summary", "two", "one"),
        ("sex", "Female", ""),
    }
    assert [left.sentence for left in seen.left] == ["Somebody has changed it since: that stands."]
    assert [(one.user, one.columns) for one in seen.since] == [("bob", [("home town", "two", "three")])]
    undo(done.id, by=bob, why="A slip")
    person.refresh_from_db()
    assert (person.summary, person.home_town, person.sex) == ("one", "three", "")
    taken_back = act_of(undo_of(person))
    assert (taken_back.kind, taken_back.undoes, taken_back.why, taken_back.by) == ("undo", done.id, "A slip", bob)


def undo_of(person):
    return person.history.model.objects.filter(pgh_obj_id=person.pk).latest("pgh_id").pgh_context_id


def test_what_was_added_and_edited_since_stays(alice, bob):
    with act(alice) as done:
        person = make(Person)
        make(Name, person=person)
    since(bob, person, summary="worth keeping")
    undo(done.id, by=bob)
    assert Person.objects.get() == person
    assert not Name.objects.exists(), "nobody has touched the name"


def test_what_was_added_and_is_referred_to_since_stays(alice, bob):
    with act(alice) as done:
        person, source = make(Person), make(Source)
        make(Person)
    with act(bob):
        detention = make(Detention, person=person)
        make(PersonCitation, source=source)
    undo(done.id, by=bob)
    assert Detention.objects.get() == detention
    assert Source.objects.get() == source
    assert Person.objects.filter(pk=person.pk).exists()
    assert Person.objects.count() == 2, "of the three the one to which nothing refers is gone"


@pytest.mark.parametrize("since", ["", "line", "decision", "another line"])
def test_what_only_the_act_itself_pointed_to_goes(alice, bob, since):
    """A line of a list that points elsewhere again holds nothing; one that somebody wrote since does."""
    with act(alice):
        line = make(ListLine, decision="new")
        other = make(ListLine, sitting=line.sitting, decision="new")
    with act(alice) as done:
        release = make(Release, event=line.sitting.event)
        change(line, release=release).save()
    with act(bob):
        if since == "line":
            change(fresh(line), note="worth keeping").save()
        elif since == "decision":
            change(fresh(line), release=None).save()
        elif since:
            change(other, release=release).save()
    left = preview(done.id, bob).left
    undo(done.id, by=bob)
    assert Release.objects.exists() == bool(left) == (since == "another line")
    now = fresh(line)
    assert now.release is None
    assert now.note == ("worth keeping" if since == "line" else "")


def test_what_was_changed_and_deleted_since_stays_deleted(alice, bob):
    with act(alice):
        person = make(Person)
        name = make(Name, person=person)
    with act(alice) as done:
        change(name, text="Anna Exampleva, again").save()
        change(person, summary="x").save()
    with act(bob):
        name.refresh_from_db()
        name.delete()
    assert any("deleted it since" in left.sentence for left in preview(done.id, bob).left)
    undo(done.id, by=bob)
    assert not Name.objects.exists()
    assert Person.objects.get().summary == ""


def test_what_belonged_to_something_that_is_gone_does_not_return(alice, bob):
    with act(alice):
        person = make(Person)
        name = make(Name, person=person)
    with act(alice) as done:
        name.delete()
    with act(bob):
        Person.objects.get().delete()
    assert any("not there any more" in left.sentence for left in preview(done.id, bob).left)
    with pytest.raises(Refused, match="Nothing of it is left"):
        undo(done.id, by=bob)


def test_a_name_returns_to_the_end_if_its_place_is_taken(alice, bob):
    with act(alice):
        person = make(Person)
        first, second = make(Name, person=person, text="First"), make(Name, person=person, text="Second", position=2)
    with act(alice) as done:
        first.delete()
    with act(bob):
        change(second, position=1).save()
    undo(done.id, by=bob)
    assert list(person.names.values_list("text", "position")) == [("Second", 1), ("First", 2)]


def test_what_is_published_is_withdrawn_first(alice, bob):
    with act(alice) as done:
        person = make(Person)
        other = make(Person)
    Person.objects.filter(pk=person.pk).update(published_at="2025-01-01T00:00Z")
    undo(done.id, by=bob)
    assert Person.objects.get() == person
    assert not Person.objects.filter(pk=other.pk).exists()


def test_search_keys_go_back_with_their_text(alice, bob):
    with act(alice):
        name = make(Name, text="Anna Exampleva")
    with act(alice) as done:
        change(name, text="Barbara Primerova").save()
    undo(done.id, by=bob)
    assert Person.objects.named("Anna Exampleva").exists()
    assert not Person.objects.named("Barbara Primerova").exists()


def test_steps_of_the_review_are_not_taken_back(alice, bob):
    person = make(Person)
    with act(alice) as done:
        Person.objects.filter(pk=person.pk).update(review_state="submitted", submitted_by=alice)
    with pytest.raises(Refused, match="Nothing of it is left"):
        undo(done.id, by=bob)


def test_nothing_is_done_twice_and_what_was_undone_can_be_done_again(alice, bob):
    person = make(Person)
    with act(alice) as done:
        change(person, summary="two").save()
    taken_back = undo(done.id, by=bob)
    with pytest.raises(Refused, match="Nothing of it is left"):
        undo(done.id, by=bob)
    undo(taken_back, by=bob)
    assert Person.objects.get().summary == "two"


def test_what_is_not_for_them_they_neither_take_back_nor_are_told_of(alice, bob):
    with act(alice):
        one, two = make(Person), make(Person, disclosure="sealed")
    with act(alice) as done:
        change(one, summary="Secret").save()
        change(two, summary="Secret").save()
    assert preview(done.id, bob) == preview(uuid.uuid4(), bob), "as if it had never been done"
    with pytest.raises(Refused, match="Nothing of it is left"):
        undo(done.id, by=bob)
    with act(alice):
        make(Grant, user=bob, person=two)
    undo(done.id, by=bob)


def test_an_unknown_context(bob):
    assert act_of(uuid.uuid4()) is None
    with pytest.raises(Refused, match="Nothing of it is left"):
        undo(uuid.uuid4(), by=bob)


# --- A merge


@pytest.fixture
def pair(alice):
    """Two persons, each with names, a detention in a trial, and a release from it."""
    with act(alice):
        made = []
        for number in (1, 2):
            person = make(Person, home_town=f"Town {number}")
            for position in (1, 2):
                make(Name, person=person, text=f"Name {number} {position}", position=position)
            detention = make(Detention, person=person, started=str(2010 + 4 * number), ended=str(2011 + 4 * number))
            prosecution = make(Prosecution, person=person)
            make(ProsecutionDetention, prosecution=prosecution, detention=detention)
            make(Release, person=person, detention=detention, outcome="announced")
            make(PersonCitation, person=person, about="home_town")
            make(PersonCitation, person=person, name=person.names.first())
            made.append(person)
    return made


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def test_a_merge_is_taken_back(pair, bob):
    before = files()
    context = merge(*pair, by=bob, why="One", choose={"home_town": OTHER})
    assert different(before, files())
    undo(context, by=bob)
    assert different(before, files()) == {}
    assert fresh(pair[1]).merged_into is None
    assert obstacles(fresh(pair[0]), fresh(pair[1]), bob) == []


def test_what_was_added_since_stays_with_the_kept_person(pair, alice, bob):
    kept, other = pair
    context = merge(kept, other, by=bob, why="One")
    with act(alice):
        name = make(Name, person=kept, text="Name 1 3", position=9)
        detention = make(Detention, person=kept, started="1999", ended="1999")
    undo(context, by=alice)
    assert fresh(name).person == fresh(detention).person == kept
    assert other.names.count() == 2


def test_what_is_cited_since_goes_with_what_it_is_about(pair, alice, bob):
    kept, other = pair
    name = other.names.first()
    context = merge(kept, other, by=bob, why="One")
    with act(alice):
        citation = make(PersonCitation, person=kept, name=fresh(name))
        whole = make(PersonCitation, person=kept, about="home_town")
    undo(context, by=alice)
    assert fresh(citation).person == fresh(name).person == other
    assert fresh(whole).person == kept


def test_a_release_added_since_holds_its_detention_fast(pair, alice, bob):
    """The detention cannot go without its release, and what was added since stays: so both stay, and are named."""
    kept, other = pair
    detention, prosecution = other.detentions.get(), other.prosecutions.get()
    context = merge(kept, other, by=bob, why="One")
    with act(alice):
        release = make(Release, person=kept, detention=fresh(detention))
    left = preview(context, bob).left
    assert any("added or changed since, holds it where it is" in one.sentence for one in left)
    assert sum("belongs to something that does not go back" in one.sentence for one in left) >= 1
    undo(context, by=bob)
    assert fresh(release).person == fresh(detention).person == kept
    assert fresh(prosecution).person == kept, "its trial is linked to it"
    assert other.names.count() == 2


def test_a_link_made_since_between_the_two_holds_both(pair, alice, bob):
    kept, other = pair
    trial, own = other.prosecutions.get(), kept.detentions.get()
    context = merge(kept, other, by=bob, why="One")
    with act(alice):
        link = make(ProsecutionDetention, prosecution=fresh(trial), detention=own)
    undo(context, by=bob)
    assert fresh(link).person == fresh(trial).person == fresh(own).person == kept
    assert fresh(other.names.first()).person == other


def test_a_link_made_since_between_what_goes_back_goes_with_it(pair, alice, bob):
    kept, other = pair
    trial = other.prosecutions.get()
    second = make(Detention, person=other, started="1999", ended="1999")
    context = merge(kept, other, by=bob, why="One")
    with act(alice):
        link = make(ProsecutionDetention, prosecution=fresh(trial), detention=fresh(second))
    undo(context, by=bob)
    assert fresh(link).person == fresh(trial).person == fresh(second).person == other


def test_an_edit_since_stands_wherever_its_row_goes(pair, alice, bob):
    kept, other = pair
    name, detention = other.names.first(), other.detentions.get()
    context = merge(kept, other, by=bob, why="One", choose={"home_town": OTHER})
    since(alice, name, text="Name, as it should be")
    since(alice, detention, authority="KGB")
    since(alice, kept, home_town="Town 3")
    undo(context, by=bob)
    assert (fresh(name).text, fresh(name).person) == ("Name, as it should be", other)
    assert (fresh(detention).authority, fresh(detention).person) == ("KGB", other)
    assert fresh(kept).home_town == "Town 3"


@pytest.mark.parametrize(
    ("values", "then"),
    [
        ({"disclosure": "sealed"}, {"disclosure": "sealed", "consent": "not_asked"}),
        ({"disclosure": "staff"}, {"disclosure": "staff", "consent": "not_asked"}),
        ({"consent": "not_at_all", "consent_by": "her sister"}, {"consent": "not_at_all", "consent_by": "her sister"}),
        ({"consent": "name_withheld"}, {"consent": "name_withheld", "disclosure": "public"}),
        ({"consent": "may_be_published"}, {"consent": "not_asked", "disclosure": "public"}),
    ],
)
def test_who_was_closed_since_is_not_opened_by_being_parted(pair, alice, bob, values, then):
    kept, other = pair
    context = merge(kept, other, by=bob, why="One")
    since(alice, kept, **values)
    if "sealed" in values.values():
        make(Grant, user=bob, person=kept)
        make(Grant, user=bob, person=other)
    undo(context, by=bob)
    other.refresh_from_db()
    assert other.merged_into is None
    assert {name: getattr(other, name) for name in then} == then


def test_names_put_into_another_order_since_find_a_place(pair, alice, bob):
    kept, other = pair
    context = merge(kept, other, by=bob, why="One")
    with act(alice), transaction.atomic():
        for name, place in zip(kept.names.all(), (4, 3, 2, 1), strict=True):
            change(name, position=place).save()
    undo(context, by=bob)
    assert sorted(other.names.values_list("text", flat=True)) == ["Name 2 1", "Name 2 2"]
    assert sorted(kept.names.values_list("text", flat=True)) == ["Name 1 1", "Name 1 2"]


def test_of_two_merges_the_later_is_taken_back_first(pair, alice, bob):
    before = files()
    third = make(Person)
    first = merge(*pair, by=bob, why="One")
    second = merge(third, fresh(pair[0]), by=bob, why="One")
    assert preview(first, bob).obstacles == ["They were merged with somebody else since: take that merge back first."]
    with pytest.raises(Refused, match="take that merge back first"):
        undo(first, by=bob)
    undo(second, by=bob)
    undo(first, by=bob)
    fresh(third).delete()
    assert different(before, files()) == {}


def test_a_merge_that_was_taken_back_can_be_done_again(pair, bob):
    context = merge(*pair, by=bob, why="One")
    merged = files()
    taken_back = undo(context, by=bob)
    undo(taken_back, by=bob)
    assert different(merged, files()) == {}


# --- Whatever they are, and whatever is done since


TEXT = st.sampled_from(["", "one", "two"])
PERSON = st.fixed_dictionaries(
    {
        "sex": st.sampled_from(["", "female", "male"]),
        "home_town": TEXT,
        "citizenships": st.sampled_from([[], ["BY"], ["BY", "UA"]]),
        "consent": st.sampled_from(["not_asked", "name_withheld", "may_be_published"]),
        "names": st.lists(st.sampled_from(["legal", "erroneous"]), max_size=3),
        "years": st.lists(st.sampled_from([2001, 2004, 2007, 2010]), unique=True, max_size=2),
        "relatives": st.lists(
            st.sampled_from([(0, "spouse"), (0, "sibling"), (1, "sibling")]), unique=True, max_size=2
        ),
        "others": st.lists(st.sampled_from([(0, "spouse"), (1, "sibling")]), unique=True, max_size=2),
        "recognised": st.booleans(),
        "cited": st.lists(st.sampled_from(["", "sex", "home_town", "name", "relationship"]), max_size=3),
        "apart": st.booleans(),
        "before": st.booleans(),
    }
)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(
            ["person", "name", "detention", "order", "new name", "new citation", "new release", "new detention", "delete",
             "new link", "relink", "new relationship"]
        ),
        st.integers(0, 5),
        st.integers(0, 5),
    ),
    max_size=6,
)  # fmt: skip


class World:
    def __init__(self):
        self.alice, self.bob = make_user("alice", EDITOR), make_user("bob", REVIEWER)
        self.relatives = [make(Person), make(Person)]
        self.source, self.body, self.event = make(Source), make(Organisation), make(ReleaseEvent)
        self.number = 0
        #: row → columns that somebody wrote after the merge
        self.written = {}

    def text(self):
        self.number += 1
        return f"text {self.number}"

    def person(self, facts):
        person = make(Person, **{name: facts[name] for name in ("sex", "home_town", "citizenships", "consent")})
        for position, kind in enumerate(facts["names"], 1):
            make(Name, person=person, text=self.text(), kind=kind, position=position)
        for year in facts["years"]:
            detention = make(Detention, person=person, started=f"{year}-06-01", ended=f"{year + 1}-06-01")
            prosecution = make(Prosecution, person=person)
            make(ProsecutionDetention, prosecution=prosecution, detention=detention)
            make(Leg, release=make(Release, person=person, detention=detention))
        for number, kind in facts["relatives"]:
            make(Relationship, person=person, other=self.relatives[number], kind=kind)
        for number, kind in facts["others"]:
            make(Relationship, person=self.relatives[number], other=person, kind=kind)
        if facts["recognised"]:
            make(Recognition, person=person, body=self.body)
            make(ExternalIdentifier, person=person)
        for what in facts["cited"]:
            parts = {"name": person.names.first(), "relationship": person.relationships.first()}
            part = {what: parts[what]} if parts.get(what) else {}
            about = "" if what in parts else what
            make(PersonCitation, person=person, source=self.source, about=about, **part)
        if facts["apart"]:
            make(NotTheSame, **in_order(person, self.relatives[0]), decided_by=self.alice)
        if facts["before"]:
            change(make(Person), merged_into=person).save()
        return person

    def pick(self, rows, number):
        rows = sorted(rows, key=lambda row: str(row.pk))
        return rows[number % len(rows)] if rows else None

    def write(self, row, **values):
        if row is None:
            return
        row.refresh_from_db()
        before = {name: getattr(row, name) for name in values}
        change(row, **values).save()
        kept = self.written.setdefault(row, {})
        kept |= {name: getattr(row, name) for name in values if getattr(row, name) != before[name]}

    def added(self, model, **values):
        row = make(model, **values)
        apart = {"revision", "person", "position", "script", *KeyField.names_in(model)}
        columns = [column.name for column in model._meta.concrete_fields if column.name not in apart]
        self.written[row] = {name: getattr(row, name) for name in columns}

    def edit(self, kept, what, a, b):
        person = Person.objects.get(pk=kept.pk)
        names, held = list(person.names.all()), list(person.detentions.all())
        tried, released = list(person.prosecutions.all()), list(person.releases.all())
        match what:
            case "person":
                self.write(person, home_town=self.text())
            case "name":
                self.write(self.pick(names, a), text=self.text())
            case "detention":
                self.write(self.pick(held, a), authority=self.text())
            case "order" if len(names) > 1:
                one, two = self.pick(names, a), self.pick(names, b)
                if one != two:
                    for row, place in ((one, two.position), (two, one.position)):
                        change(row, position=place).save()
            case "new name":
                place = 1 + max((name.position for name in names), default=0)
                self.added(Name, person=person, text=self.text(), position=place)
            case "new citation":
                name = self.pick(names, a)
                self.added(PersonCitation, person=person, source=self.source, name=name, stated=self.text())
            case "new release":
                self.added(Release, person=person, detention=self.pick(held, a), outcome="announced", note=self.text())
            case "new detention":
                year = 1950 + 3 * Detention.objects.count()
                self.added(Detention, person=person, started=f"{year}-01-01", ended=f"{year + 1}-01-01")
            case "new link" if held and tried:
                one, two = self.pick(tried, a), self.pick(held, b)
                if not ProsecutionDetention.objects.filter(prosecution=one, detention=two).exists():
                    self.added(ProsecutionDetention, prosecution=one, detention=two)
            case "relink" if released:
                release, detention = self.pick(released, a), None if b % 3 == 0 else self.pick(held, b)
                self.write(release, outcome="announced", detention=detention)
            case "new relationship":
                stranger = make(Person)
                self.added(Relationship, person=person, other=stranger, kind="partner")
            case "delete":
                row = self.pick(names, a)
                if row is not None and row not in self.written:
                    # its citations go with it
                    for one in [one for one in self.written if getattr(one, "name_id", None) == row.pk]:
                        del self.written[one]
                    row.delete()


@given(one=PERSON, two=PERSON, choices=st.dictionaries(st.sampled_from([c.name for c in chosen_columns()]),
       st.sampled_from([KEPT, OTHER])), edits=EDITS)  # fmt: skip
@settings(
    max_examples=20,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_undoing_a_merge_restores_every_byte_and_loses_no_later_edit(db, one, two, choices, edits):
    with transaction.atomic():
        world = World()
        kept, other = world.person(one), world.person(two)
        if not obstacles(kept, other, world.bob):
            before = files()
            context = merge(kept, other, by=world.bob, why="One", choose=choices)
            assert different(before, files())
            undo(context, by=world.bob)
            assert different(before, files()) == {}
            context = merge(fresh(kept), fresh(other), by=world.bob, why="One", choose=choices)
            with act(world.alice):
                for edit in edits:
                    world.edit(kept, *edit)
            undo(context, by=world.bob)
            for row, values in world.written.items():
                now = fresh(row)
                assert {name: getattr(now, name) for name in values} == values, row
            assert fresh(other).merged_into is None
            assert {name.text for name in fresh(kept).names.all()} | {name.text for name in other.names.all()} == {
                name.text for name in Name.objects.filter(person__in=[kept, other])
            }
            if not edits:
                assert different(before, files()) == {}
        transaction.set_rollback(True)
