"""What might still show what it must not, or leave a copy that is not what it should be."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pghistory
import pytest
from django.db import connections, transaction

from releases.models import Release, ReleaseEvent, ReportedFigure
from tracker import publication, review
from tracker.dates import parse
from tracker.models import (
    Case,
    Charge,
    Detention,
    DetentionCitation,
    ExternalIdentifier,
    Facility,
    Name,
    Organisation,
    OrganisationCitation,
    OrganisationName,
    Person,
    PersonCitation,
    Placement,
    Prosecution,
    ProsecutionCitation,
    Provision,
    Recognition,
    Relationship,
    Source,
)
from tracker.publication import HELD, Refused, publish, repair, steps, verify, withdraw, writing
from tracker.versions import history_of

ALL = ["default", "researcher", "public"]
COPIES = ["researcher", "public"]

pytestmark = pytest.mark.django_db(databases=ALL)


def by(user):
    return pghistory.context(user=str(user.pk))


def save(record, user, **values):
    """An edit as the admin makes it: saved, then closed at once where it became stricter."""
    with by(user), transaction.atomic():
        record.refresh_from_db()
        for name, value in values.items():
            setattr(record, name, value)
        record.save()
        publication.close(record.record if hasattr(record, "record") else record)


def add(user, model, **values):
    with by(user):
        return model.objects.create(**values)


@pytest.fixture
def enter(alice, source):
    """What Alice types: a cited record of any kind."""

    def enter(model, **values):
        record = add(alice, model, **values)
        if model is not ReportedFigure:
            cited = record.citation_model()
            add(alice, cited, **{cited.owner: record}, source=source, locator="paragraph 1")
        return record

    return enter


@pytest.fixture
def out(alice, bob):
    """Alice submits, Bob publishes."""

    def out(*records):
        review.submit(records, by=alice)
        publish(records, by=bob)
        for record in records:
            record.refresh_from_db()
        return records[0]

    return out


@pytest.fixture
def published(enter, out):
    return lambda model, **values: out(enter(model, **values))


def there(record, using="public"):
    return type(record).objects.using(using).filter(pk=record.pk).first()


def past(model, using="public"):
    return history_of(model)._base_manager.using(using)


def assert_sound():
    assert list(map(str, verify())) == []


# --- What is hidden hides what speaks of it


def test_a_figure_whose_source_becomes_confidential_takes_its_part_from_no_one(published, source, alice):
    letter = add(alice, Source, title="A letter", disclosure="public")
    event = published(ReleaseEvent, title="An event")
    whole = published(ReportedFigure, event=event, source=letter, subject="released", low=123, high=123)
    part = published(ReportedFigure, event=event, source=source, subject="released", low=9, high=9, part_of=whole)
    assert there(part).part_of_id == whole.pk
    save(letter, alice, disclosure="staff")
    for copy in COPIES:
        assert there(whole, copy) is None
        assert there(part, copy).part_of_id is None
        assert not past(ReportedFigure, copy).filter(part_of=whole.pk).exists()
    assert_sound()


def test_a_figure_with_a_confidential_source_is_no_whole_of_another(published, source, alice):
    letter = add(alice, Source, title="A letter", kind="letter")
    whole = published(ReportedFigure, source=letter, subject="released", low=123, high=123)
    part = published(ReportedFigure, source=source, subject="released", low=9, high=9, part_of=whole)
    assert there(whole) is None
    assert there(part).part_of_id is None
    assert_sound()


def test_what_a_confidential_source_said_leaves_the_past_as_well(enter, out, alice):
    letter = add(alice, Source, title="A letter", disclosure="public")
    person = enter(Person, label="x")
    add(alice, PersonCitation, person=person, source=letter, about="sex", stated="a secret")
    out(person)
    save(letter, alice, disclosure="staff")
    for copy in COPIES:
        assert not past(PersonCitation, copy).filter(stated="a secret").exists()
        assert not past(PersonCitation, copy).filter(source=letter.pk).exists()
    assert_sound()


def test_a_citation_of_a_part_of_an_organisation_is_closed_at_once(enter, out, source, alice):
    body = add(alice, Organisation, name="Invented Committee")
    citation = add(alice, OrganisationCitation, organisation=body, source=source, stated="a secret")
    person = enter(Person, label="x")
    add(alice, Recognition, person=person, body=body, status="political_prisoner")
    out(person)
    assert OrganisationCitation.objects.using("public").count() == 1
    save(citation, alice, disclosure="staff")
    for copy in COPIES:
        assert OrganisationCitation.objects.using(copy).count() == 0
        assert not past(OrganisationCitation, copy).exists()
    assert_sound()


def test_what_is_said_of_a_hidden_case_or_facility_is_hidden_with_it(enter, out, source, alice):
    case = add(alice, Case, title="The case of the inventors")
    colony = add(alice, Facility, name="Invented Colony", disclosure="staff")
    person = out(enter(Person, label="x"))
    prosecution = enter(Prosecution, person=person, case=case)
    add(alice, ProsecutionCitation, prosecution=prosecution, source=source, about="case", stated="the inventors")
    detention = enter(Detention, person=person)
    placement = add(alice, Placement, detention=detention, facility=colony)
    add(
        alice, DetentionCitation, detention=detention, placement=placement, source=source, about="facility",
        stated="the colony",
    )  # fmt: skip
    out(prosecution, detention)
    for copy in COPIES:
        assert there(prosecution, copy).case_id is None
        assert there(placement, copy).facility_id is None
        assert not ProsecutionCitation.objects.using(copy).filter(about="case").exists()
        assert not DetentionCitation.objects.using(copy).filter(about="facility").exists()
    assert_sound()


def test_a_case_that_becomes_confidential_links_nobody_any_more(enter, out, alice):
    case = add(alice, Case, title="The case of the inventors", disclosure="public")
    person = out(enter(Person, label="x"))
    prosecution = out(enter(Prosecution, person=person, case=case))
    assert there(prosecution).case_id == case.pk
    save(case, alice, disclosure="staff")
    for copy in COPIES:
        assert there(prosecution, copy).case_id is None
        assert not past(Prosecution, copy).filter(case=case.pk).exists()
        assert not past(Case, copy).exists()
    assert_sound()


def test_a_provision_that_is_hidden_takes_its_charges_along(enter, out, source, alice):
    provision = add(alice, Provision, article="361-9")
    person = out(enter(Person, label="x"))
    prosecution = enter(Prosecution, person=person)
    charge = add(alice, Charge, prosecution=prosecution, provision=provision)
    add(alice, ProsecutionCitation, prosecution=prosecution, charge=charge, source=source, stated="361-9")
    out(prosecution)
    save(provision, alice, disclosure="researcher")
    assert Charge.objects.using("public").count() == 0
    assert ProsecutionCitation.objects.using("public").filter(charge__isnull=False).count() == 0
    assert not past(Charge).exists()
    assert not past(ProsecutionCitation).filter(stated="361-9").exists()
    assert Charge.objects.using("researcher").count() == 1
    assert_sound()


def test_moving_a_record_below_a_sealed_one_seals_it_at_once(published, alice):
    person = published(Person, label="x")
    detention = published(Detention, person=person, allegation="a secret")
    sealed = add(alice, Person, label="s", disclosure="sealed")
    save(detention, alice, person=sealed)
    for copy in COPIES:
        assert there(detention, copy) is None
        assert not past(Detention, copy).exists()
    assert_sound()


def test_moving_a_part_to_a_sealed_record_seals_it_at_once(enter, out, alice):
    person = enter(Person, label="x")
    name = add(alice, Name, person=person, text="Secret Exampleva")
    out(person)
    sealed = add(alice, Person, label="s", disclosure="sealed")
    save(name, alice, person=sealed)
    publication.close(person)
    for copy in COPIES:
        assert Name.objects.using(copy).count() == 0
        assert not past(Name, copy).exists()
    assert_sound()


@pytest.mark.parametrize(("disclosure", "left"), [("staff", 1), ("sealed", 0)])
def test_giving_a_citation_another_confidential_source_closes_it_at_once(enter, out, source, alice, disclosure, left):
    person = enter(Person, label="x")
    citation = add(alice, PersonCitation, person=person, source=source, about="sex", stated="a secret")
    out(person)
    letter = add(alice, Source, title="A letter", disclosure=disclosure)
    save(citation, alice, source=letter)
    for copy in COPIES:
        assert PersonCitation.objects.using(copy).filter(about="sex").count() == left
        assert not PersonCitation.objects.using(copy).filter(stated="a secret").exists()
        assert not past(PersonCitation, copy).filter(stated="a secret").exists()
    assert_sound()


def test_what_was_closed_is_not_opened_by_deleting_it(enter, out, source, alice):
    person = enter(Person, label="x")
    name = add(alice, Name, person=person, text="Secret Exampleva")
    citation = add(alice, PersonCitation, person=person, source=source, stated="a secret")
    out(person)
    letter = add(alice, Source, title="A letter", disclosure="sealed")
    save(name, alice, disclosure="staff")
    save(citation, alice, source=letter)
    with by(alice):
        name.delete()
        citation.delete()
    publication.close(person)
    for copy in COPIES:
        assert Name.objects.using(copy).count() == 0
        assert not PersonCitation.objects.using(copy).filter(stated="a secret").exists()
    assert_sound()


def test_a_relationship_with_somebody_hidden_is_hidden(enter, out, alice):
    husband = out(enter(Person, label="husband", disclosure="researcher"))
    person = enter(Person, label="x")
    tie = add(alice, Relationship, person=person, other=husband, kind="spouse", disclosure="public")
    out(person)
    assert there(tie) is None
    assert there(tie, "researcher")
    save(husband, alice, consent="not_at_all")
    assert there(tie, "researcher") is None
    assert not past(Relationship, "researcher").exists()
    assert_sound()


def test_a_merged_person_is_as_hidden_as_the_one_it_leads_to(enter, out, alice):
    kept = out(enter(Person, label="kept"))
    merged = enter(Person, label="merged")
    connections["default"].check_constraints()  # nothing new is said of somebody who is merged
    save(merged, alice, merged_into=kept)
    out(merged)
    assert there(merged).merged_into_id == kept.pk
    assert there(merged).label == "", "it leads on, and says nothing by itself"
    save(kept, alice, disclosure="sealed")
    for copy in COPIES:
        assert there(merged, copy) is None
        assert not past(Person, copy).exists()
    assert_sound()


# --- What comes along, and leaves again


def test_what_a_republished_source_repeats_leaves_with_it(enter, out, alice):
    agency = add(alice, Source, title="The agency")
    paper = add(alice, Source, title="The paper", derived_from=agency)
    person = enter(Person, label="x")
    add(alice, PersonCitation, person=person, source=paper)
    out(person)
    assert there(agency)
    withdraw([person], by=alice)
    for copy in COPIES:
        assert not Source.objects.using(copy).exists()
        assert not past(Source, copy).exists()
    assert_sound()


def test_an_organisation_leaves_with_the_names_it_once_had(enter, out, alice, source):
    body = add(alice, Organisation, name="Invented Committee")
    name = add(alice, OrganisationName, organisation=body, text="The Inventors")
    person = enter(Person, label="x")
    add(alice, Recognition, person=person, body=body, status="political_prisoner")
    out(person)
    with by(alice):
        name.delete()
    out(person)
    assert OrganisationName.objects.using("public").count() == 0
    withdraw([person], by=alice)
    for copy in COPIES:
        assert not past(Organisation, copy).exists()
        assert not past(OrganisationName, copy).exists()
    assert_sound()


def test_a_source_that_opens_opens_for_whoever_cites_it(enter, out, alice):
    letter = add(alice, Source, title="A letter", kind="letter")
    first, second = enter(Person, label="1"), enter(Person, label="2")
    for person in (first, second):
        add(alice, PersonCitation, person=person, source=letter, about="sex", stated="she")
    out(first)
    assert there(first).citations.get(about="sex").source_id == HELD
    save(letter, alice, disclosure="public")
    assert there(first).citations.get(about="sex").source_id == HELD
    out(second)
    assert there(second).citations.get(about="sex").stated == "she"
    assert there(first).citations.get(about="sex").stated == "she"
    assert_sound()


def test_a_source_cited_only_where_nobody_sees_it_comes_along_for_others_too(enter, out, alice, source):
    first, second = enter(Person, label="1"), enter(Person, label="2")
    out(first)
    hidden = add(alice, Name, person=second, text="Hidden Exampleva", disclosure="staff")
    add(alice, PersonCitation, person=second, name=hidden, source=source)
    save(source, alice, title="Another title")
    PersonCitation.objects.filter(person=second, name=None).delete()
    out(second)
    assert there(source).title == "Another title"
    assert_sound()


def test_nobody_opens_a_confidential_source_alone(enter, alice, bob):
    letter = add(alice, Source, title="A letter", kind="letter")
    person = enter(Person, label="x")
    add(alice, PersonCitation, person=person, source=letter, about="sex", stated="she")
    review.submit([person], by=alice)
    save(letter, bob, disclosure="public")
    with pytest.raises(Refused, match="A letter"):
        publish([person], by=bob)
    for copy in COPIES:
        assert there(letter, copy) is None
    # what Bob did before Alice vouched for the record is seen by two
    review.send_back([person], by=bob, why="look at the source again")
    review.submit([person], by=alice)
    publish([person], by=bob)
    assert there(letter)
    assert_sound()


def test_a_source_is_deleted_from_the_copies_too(enter, out, alice, source):
    person = enter(Person, label="x")
    extra = add(alice, Source, title="Another report")
    citation = add(alice, PersonCitation, person=person, source=extra)
    out(person)
    with by(alice):
        citation.delete()
        publication.delete(extra)
    for copy in COPIES:
        assert there(citation, copy) is None
        assert not Source.objects.using(copy).filter(title="Another report").exists()
        assert not past(Source, copy).filter(title="Another report").exists()
    assert_sound()


# --- Four eyes


def test_taking_a_part_away_is_a_change(enter, alice, bob):
    person, other = enter(Person, label="x"), enter(Person, label="y")
    name = add(alice, Name, person=person, text="Anna Exampleva")
    with by(bob):
        name.person = other
        name.save()
    assert review.changed_by([person, other]) == {
        person.pk: {str(alice.pk), str(bob.pk)},
        other.pk: {str(alice.pk), str(bob.pk)},
    }
    review.submit([person], by=alice)
    with pytest.raises(Refused, match="You changed"):
        publish([person], by=bob)


def test_deleting_a_part_is_a_change(enter, alice, bob):
    person = enter(Person, label="x")
    name = add(alice, Name, person=person, text="Anna Exampleva")
    with by(bob):
        name.delete()
    review.submit([person], by=alice)
    with pytest.raises(Refused, match="You changed"):
        publish([person], by=bob)


# --- What several records say together


def test_swapping_what_only_one_may_have(enter, out, alice):
    first, second = enter(Person, label="1"), enter(Person, label="2")
    one = add(alice, ExternalIdentifier, person=first, scheme="invented", value="1")
    two = add(alice, ExternalIdentifier, person=second, scheme="invented", value="2")
    out(first, second)
    for row, value in ((one, "3"), (two, "1"), (one, "2")):
        save(row, alice, value=value)
    with pytest.raises(Refused, match="already has this identifier"):
        out(first)
    assert there(one).value == "1"
    review.send_back([first], by=alice, why="together")
    out(first, second)
    assert (there(one).value, there(two).value) == ("2", "1")
    assert_sound()


def test_swapping_the_dates_of_two_detentions(enter, out, alice):
    person = out(enter(Person, label="x"))
    early = enter(Detention, person=person, started=parse("2019-01-01"), ended=parse("2019-12-31"))
    late = enter(Detention, person=person, started=parse("2021-01-01"), ended=parse("2021-12-31"))
    out(early, late)
    save(early, alice, started=parse("2023-01-01"), ended=parse("2023-12-31"))
    save(late, alice, started=parse("2019-01-01"), ended=parse("2019-12-31"))
    save(early, alice, started=parse("2021-01-01"), ended=parse("2021-12-31"))
    with pytest.raises(Refused, match="surely held in another detention"):
        out(early)
    assert there(early).started == parse("2019-01-01")
    assert_sound()
    review.send_back([early], by=alice, why="together")
    out(early, late)
    assert (there(early).started, there(late).started) == (parse("2021-01-01"), parse("2019-01-01"))
    assert_sound()


def test_names_are_renumbered_in_one_go(enter, out, alice):
    person = enter(Person, label="x")
    names = [add(alice, Name, person=person, text=f"Name {n}", position=n) for n in (1, 2, 3)]
    out(person)
    with by(alice), transaction.atomic():
        for name, position in zip(names, (3, 1, 2), strict=True):
            name.position = position
            name.save()
    out(person)
    assert [name.text for name in there(person).names.all()] == ["Name 2", "Name 3", "Name 1"]
    assert_sound()


def test_a_part_that_moved_is_published_with_both_records(enter, out, alice):
    person, other = out(enter(Person, label="x")), out(enter(Person, label="y"))
    name = add(alice, Name, person=person, text="Anna Exampleva")
    out(person)
    save(name, alice, person=other)
    with pytest.raises(Refused, match="“Anna Exampleva” of “Anna Exampleva” is still shown with “x”"):
        out(other)
    assert_sound()
    review.send_back([other], by=alice, why="together")
    out(person, other)
    assert there(name).person_id == other.pk
    assert_sound()


def test_a_name_of_an_organisation_that_moved(enter, out, alice):
    first, second = (add(alice, Organisation, name=f"Invented Committee {n}") for n in (1, 2))
    name = add(alice, OrganisationName, organisation=first, text="The Inventors")
    persons = []
    for body in (first, second):
        person = enter(Person, label="x")
        add(alice, Recognition, person=person, body=body, status="political_prisoner")
        persons.append(out(person))
    with by(alice):
        name.organisation = second
        name.save()
    assert_sound()
    out(persons[1])
    assert there(name).organisation_id == second.pk
    assert_sound()


def test_a_detention_that_turns_out_to_be_another_persons(enter, out, alice):
    person, other = out(enter(Person, label="x")), out(enter(Person, label="y"))
    detention = out(enter(Detention, person=person))
    release = out(enter(Release, person=person, detention=detention))
    with by(alice), transaction.atomic():
        for record in (detention, release):
            record.person = other
            record.save()
    with pytest.raises(Refused, match="another person"):
        out(detention)
    assert_sound()
    review.send_back([detention], by=alice, why="together")
    out(detention, release)
    assert there(release).detention.person_id == other.pk
    assert_sound()


def test_figures_that_turn_into_parts_of_one_another(enter, out, source, alice):
    first = enter(ReportedFigure, source=source, subject="released", low=9, high=9)
    second = enter(ReportedFigure, source=source, subject="released", low=9, high=9, part_of=first)
    out(first, second)
    with by(alice), transaction.atomic():
        second.part_of = None
        second.save()
        first.part_of = second
        first.save()
    with pytest.raises(Refused, match="part of itself"):
        out(first)
    assert_sound()
    review.send_back([first], by=alice, why="together")
    out(first, second)
    assert there(first).part_of_id == second.pk
    assert_sound()


# --- At the same time


class Meeting:
    """Runs functions in threads with connections of their own, and lets one wait for the other."""

    def __init__(self):
        self.pool = ThreadPoolExecutor()
        self.reached, self.go_on = threading.Event(), threading.Event()

    def run(self, function, *args, **kwargs):
        def inside():
            try:
                return function(*args, **kwargs)
            finally:
                connections.close_all()

        return self.pool.submit(inside)

    def pause(self):
        self.reached.set()
        assert self.go_on.wait(20)

    def is_waiting(self, future):
        """Whether it still does nothing after a moment: it waits for a lock."""
        with pytest.raises(TimeoutError):
            future.result(0.5)
        return True


@pytest.fixture
def meeting():
    meeting = Meeting()
    yield meeting
    meeting.go_on.set()
    meeting.pool.shutdown()


@pytest.mark.django_db(databases=ALL, transaction=True)
def test_a_part_typed_while_it_is_published(enter, alice, bob, meeting):
    person = enter(Person, label="x")
    review.submit([person], by=alice)

    def type_a_name():
        with by(bob), transaction.atomic():
            Name.objects.create(person=person, text="Seen by nobody")
            meeting.pause()

    typing = meeting.run(type_a_name)
    assert meeting.reached.wait(20)
    publishing = meeting.run(publish, [person], by=bob)
    assert meeting.is_waiting(publishing)
    meeting.go_on.set()
    typing.result(20)
    with pytest.raises(Refused, match="You changed"):
        publishing.result(20)
    assert there(person) is None
    assert_sound()


@pytest.mark.django_db(databases=ALL, transaction=True)
def test_two_publish_the_same_at_once(enter, alice, bob, django_user_model, meeting):
    carol = django_user_model.objects.create_user("carol", is_staff=True)
    person = enter(Person, label="x")
    review.submit([person], by=alice)
    both = [meeting.run(publish, [person], by=user) for user in (bob, carol)]
    refused = [attempt.exception(20) for attempt in both]
    assert [type(error) for error in refused if error] == [Refused]
    assert there(person)
    assert past(Person).filter(pgh_obj_id=person.pk).count() == 1
    assert_sound()


@pytest.mark.django_db(databases=ALL, transaction=True)
def test_what_is_withdrawn_is_not_brought_back_by_whoever_publishes_meanwhile(published, enter, alice, bob, meeting):
    person = published(Person, label="x")
    detention = enter(Detention, person=person)
    review.submit([detention], by=alice)

    def withdraw_slowly():
        with transaction.atomic():
            withdraw([person], by=alice)
            meeting.pause()

    withdrawing = meeting.run(withdraw_slowly)
    assert meeting.reached.wait(20)
    assert there(person) is None, "out of the copies before anything else"
    publishing = meeting.run(publish, [detention], by=bob)
    assert meeting.is_waiting(publishing)
    meeting.go_on.set()
    withdrawing.result(20)
    publishing.result(20)
    for copy in COPIES:
        assert there(person, copy) is None
        assert there(detention, copy) is None
    assert_sound()


# --- Interrupted


@pytest.mark.django_db(databases=ALL, transaction=True)
def test_a_crash_between_the_commits_shows_too_little(enter, alice, bob, monkeypatch):
    person = enter(Person, label="x")
    review.submit([person], by=alice)
    open_copies = steps.open_copies

    @contextmanager
    def crash():
        with open_copies():
            yield
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(steps, "open_copies", crash)
        with pytest.raises(KeyboardInterrupt):
            publish([person], by=bob)
    person.refresh_from_db()
    assert person.review_state == "published"
    assert there(person) is None
    assert {difference.kind for difference in verify()} == {"missing"}
    list(repair())
    assert there(person)
    assert_sound()


@pytest.mark.django_db(databases=ALL, transaction=True)
def test_nothing_is_published_where_a_copy_cannot_be_written(enter, alice, bob, monkeypatch):
    person = enter(Person, label="x")
    review.submit([person], by=alice)

    def fail(*args, **kwargs):
        raise OSError("the copies' server is away")

    with monkeypatch.context() as patch:
        patch.setattr(writing, "_compare", fail)
        with pytest.raises(OSError, match="away"):
            publish([person], by=bob)
    person.refresh_from_db()
    assert person.review_state == "submitted"
    publish([person], by=bob)
    assert_sound()


def test_closing_that_is_rolled_back_shows_too_little(published, alice):
    person = published(Person, label="x")
    with transaction.atomic():
        save(person, alice, disclosure="staff")
        transaction.set_rollback(True)
    assert {difference.kind for difference in verify()} == {"missing"}
    list(repair())
    assert there(person)
    assert_sound()


# --- The reviewer sees no more than the reviewer may


def test_the_difference_tells_nothing_of_what_is_sealed(enter, out, alice, bob):
    sealed = add(alice, Person, label="Sealed Exampleva", disclosure="sealed")
    letter = add(alice, Source, title="A sealed letter", disclosure="sealed")
    person = out(enter(Person, label="x"))
    tie = add(alice, Relationship, person=person, other=sealed, kind="spouse")
    add(alice, PersonCitation, person=person, relationship=tie, source=letter, stated="her secret husband")
    seen = str(review.difference(person, viewer=bob))
    for secret in ("Sealed", "sealed", "secret"):
        assert secret not in seen
    alice.grants.create(person=sealed)
    alice.grants.create(source=letter)
    assert "her secret husband" in str(review.difference(person, viewer=alice))
