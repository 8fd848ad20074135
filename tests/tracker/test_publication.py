"""The copies hold what their audience may see, and nothing else writes to them."""

import pghistory
import pytest
from django.db import connections

from releases.models import Leg, Release, ReleaseCitation, ReleaseEvent, ReleaseEventCitation, ReportedFigure
from tracker import publication, review
from tracker.dates import parse
from tracker.models import Detention, DetentionCitation, Name, Person, PersonCitation, Relationship, Source
from tracker.publication import HELD, Refused, publish, repair, verify, withdraw
from tracker.versions import history_of

pytestmark = pytest.mark.django_db(databases=["default", "researcher", "public"])

COPIES = ["researcher", "public"]


def by(user):
    return pghistory.context(user=str(user.pk))


@pytest.fixture
def enter(alice, source):
    """What Alice types: a cited record of any kind."""

    def enter(model, parts=(), **values):
        with by(alice):
            record = model.objects.create(**values)
            cited = record.citation_model()
            cited.objects.create(**{cited.owner: record}, source=source, locator="paragraph 1")
        return record

    return enter


@pytest.fixture
def published(enter, alice, bob):
    def published(model, **values):
        record = enter(model, **values)
        review.submit([record], by=alice)
        publish([record], by=bob)
        record.refresh_from_db()
        return record

    return published


def in_copy(record, using):
    return type(record).objects.using(using).filter(pk=record.pk).first()


def assert_sound():
    assert list(map(str, verify())) == []


def test_nothing_is_in_a_copy_before_it_is_published(enter, alice):
    person = enter(Person, label="Invented Person")
    review.submit([person], by=alice)
    assert [in_copy(person, copy) for copy in COPIES] == [None, None]
    assert Source.objects.using("public").count() == 0
    assert_sound()


def test_a_record_is_copied_with_its_parts_and_what_they_need(enter, alice, bob, source):
    person = enter(Person, label="x", sex="female", born=parse("1982-04-24"), consent_by="her lawyer")
    with by(alice):
        name = Name.objects.create(person=person, text="Anna Exampleva")
        Relationship.objects.create(person=person, other=Person.objects.create(), kind="spouse")
        PersonCitation.objects.create(person=person, name=name, source=source, stated="Anna")
    review.submit([person], by=alice)
    publish([person], by=bob)
    for copy in COPIES:
        there = in_copy(person, copy)
        assert (there.pid, there.sex, there.name) == (person.pid, "female", "Anna Exampleva")
        assert there.consent_by == ""
        assert there.submitted_by_id is None
        assert there.reviewed_by_id is None
        assert there.published_at is None
        assert there.relationships.count() == 0
        assert there.citations.count() == 2
        assert Source.objects.using(copy).get().title == source.title
        assert set(there.history.using(copy).values_list("pgh_context", flat=True)) == {None}
    assert in_copy(person, "researcher").born.edtf == "1982-04-24"
    assert in_copy(person, "public").born.edtf == "1982"
    assert_sound()


def test_a_copy_makes_its_own_keys_of_names(published, alice, bob):
    person = published(Person, label="before")
    with by(alice):
        Name.objects.create(person=person, text="Марыя Прыкладава")
    review.submit([person], by=alice)
    publish([person], by=bob)
    rows = Name.objects.using("public")
    assert [found.pid for found in Person.objects.using("public").named("Maria Prikladova")] == [person.pid]
    rows.update(sound_key="old", near_keys=["old"])
    assert [difference.columns for difference in verify()] == [("sound_key", "near_keys")]
    list(repair())
    assert_sound()
    assert rows.get().sound_key == Name.objects.get().sound_key


def test_an_edit_changes_no_copy_until_a_second_person_publishes_it(published, alice, bob):
    person = published(Person, label="before")
    with by(alice):
        person.label = "after"
        person.save()
        Name.objects.create(person=person, text="New Exampleva")
    assert in_copy(person, "public").label == "before"
    assert in_copy(person, "public").names.count() == 0
    assert_sound()
    assert review.changed_by([person]) == {person.pk: {str(alice.pk)}}
    review.submit([person], by=alice)
    assert in_copy(person, "public").label == "before"
    publish([person], by=bob)
    assert in_copy(person, "public").label == "after"
    assert in_copy(person, "public").names.count() == 1
    person.refresh_from_db()
    assert review.changed_by([person]) == {}
    assert_sound()


def test_whoever_submitted_or_changed_it_cannot_publish_it(enter, alice, bob):
    person = enter(Person, label="x")
    review.submit([person], by=alice)
    with pytest.raises(Refused, match="yourself"):
        publish([person], by=alice)
    with by(bob):
        Name.objects.create(person=person, text="Bobs Addition")
    with pytest.raises(Refused, match="You changed"):
        publish([person], by=bob)
    assert in_copy(person, "public") is None


def test_sending_back_is_no_change_and_needs_a_reason(enter, alice, bob):
    person = enter(Person, label="x")
    review.submit([person], by=alice)
    with pytest.raises(Refused):
        review.send_back([person], by=bob, why=" ")
    review.send_back([person], by=bob, why="which town?")
    person.refresh_from_db()
    assert person.review_state == "draft"
    review.submit([person], by=alice)
    publish([person], by=bob)
    assert in_copy(person, "public")


def test_without_a_citation_it_is_not_submitted(alice, person):
    with pytest.raises(Refused, match="no citation"):
        review.submit([person], by=alice)


def test_all_or_nothing(enter, alice, bob):
    good, bad = enter(Person, label="good"), enter(Person, label="bad")
    review.submit([good], by=alice)
    with pytest.raises(Refused, match="“bad” is not submitted"):
        publish([good, bad], by=bob)
    assert in_copy(good, "public") is None


def test_what_it_refers_to_is_published_first_or_together(enter, alice, bob):
    person = enter(Person, label="x")
    detention = enter(Detention, person=person)
    review.submit([person, detention], by=alice)
    with pytest.raises(Refused, match="publish it first, or together"):
        publish([detention], by=bob)
    publish([detention, person], by=bob)
    assert in_copy(detention, "public").person.pid == person.pid
    assert_sound()


def test_withdrawal_is_immediate_takes_everything_below_and_its_past(published, enter, alice, bob):
    person = published(Person, label="x")
    detention = published(Detention, person=person, allegation="secret")
    event = published(ReleaseEvent, title="An event")
    release = published(Release, person=person, detention=detention, event=event)
    withdraw([person], by=alice)
    for copy in COPIES:
        for record in (person, detention, release):
            assert in_copy(record, copy) is None
            assert not history_of(type(record))._base_manager.using(copy).filter(pgh_obj_id=record.pk).exists()
        for citation in (PersonCitation, DetentionCitation, ReleaseCitation):
            assert citation.objects.using(copy).count() == 0
            assert history_of(citation)._base_manager.using(copy).count() == 0
        assert in_copy(event, copy)
    assert_sound()
    with pytest.raises(Refused, match="withdrawn already"):
        withdraw([person], by=alice)
    person.refresh_from_db()
    review.submit([person], by=alice)
    publish([person], by=bob)
    assert in_copy(release, "public").detention_id == detention.pk
    assert_sound()


def test_withdrawing_a_detention_leaves_the_release_without_it(published, alice, bob):
    person = published(Person, label="x")
    detention = published(Detention, person=person)
    release = published(Release, person=person, detention=detention)
    withdraw([detention], by=alice)
    assert in_copy(release, "public").detention_id is None
    assert_sound()
    review.submit([detention], by=alice)
    publish([detention], by=bob)
    assert in_copy(release, "public").detention_id == detention.pk
    assert_sound()


def test_stricter_disclosure_is_immediate_wider_is_not(published, alice):
    person = published(Person, label="x")
    with by(alice):
        person.disclosure = "researcher"
        person.save()
    publication.close(person)
    assert in_copy(person, "public") is None
    assert in_copy(person, "researcher")
    with by(alice):
        person.disclosure = "public"
        person.save()
    publication.close(person)
    # as it stood when it was published it was public, so that is no widening by one person
    assert in_copy(person, "public")
    assert_sound()


def test_widening_takes_two(published, enter, alice, bob):
    person = published(Person, label="x", disclosure="researcher")
    assert in_copy(person, "public") is None
    with by(alice):
        person.disclosure = "public"
        person.save()
    publication.close(person)
    assert in_copy(person, "public") is None
    review.submit([person], by=alice)
    publish([person], by=bob)
    assert in_copy(person, "public")


def test_what_lies_below_a_closed_record_is_as_closed(published, alice):
    person = published(Person, label="x", disclosure="staff")
    detention = published(Detention, person=person)
    assert in_copy(detention, "researcher") is None
    sealed = published(Person, label="s", disclosure="sealed")
    assert in_copy(published(Detention, person=sealed), "researcher") is None
    assert_sound()


def test_a_name_for_staff_is_in_no_copy_nor_what_cites_it(published, enter, alice, bob, source):
    person = enter(Person, label="x")
    with by(alice):
        open_name = Name.objects.create(person=person, text="Open Exampleva", position=1)
        hidden = Name.objects.create(person=person, text="Hidden Exampleva", position=2, disclosure="staff")
        PersonCitation.objects.create(person=person, name=hidden, source=source, stated="Hidden")
    review.submit([person], by=alice)
    publish([person], by=bob)
    assert [name.text for name in in_copy(person, "public").names.all()] == ["Open Exampleva"]
    assert in_copy(person, "public").citations.count() == 1
    with by(alice):
        open_name.disclosure = "staff"
        open_name.save()
    publication.close(person)
    assert in_copy(person, "public").names.count() == 0
    assert not history_of(Name)._base_manager.using("public").exists()
    assert_sound()


def test_consent(published, alice, bob, enter):
    person = enter(Person, label="x")
    with by(alice):
        Name.objects.create(person=person, text="Anna Exampleva")
    review.submit([person], by=alice)
    publish([person], by=bob)
    person.refresh_from_db()
    with by(alice):
        person.consent = "name_withheld"
        person.save()
    publication.close(person)
    there = in_copy(person, "public")
    assert (there.label, there.names.count(), there.name) == ("", 0, "not named here")
    assert "x" not in history_of(Person)._base_manager.using("public").values_list("label", flat=True)
    with by(alice):
        person.consent = "not_at_all"
        person.save()
    publication.close(person)
    assert in_copy(person, "researcher") is None
    assert_sound()
    with pytest.raises(Refused, match="does not want to be published"):
        review.submit([person], by=alice)


def test_a_confidential_source_shows_only_that_there_is_one(enter, alice, bob):
    letter = Source.objects.create(title="Letter of a cellmate", kind="letter")
    assert letter.disclosure == "staff"
    person = enter(Person, label="x")
    with by(alice):
        for _ in range(3):
            PersonCitation.objects.create(
                person=person, source=letter, about="sex", stated="secret", locator="page 1", speaker="the cellmate"
            )
        PersonCitation.objects.create(person=person, source=letter, standing="rejected", reason="typo", stated="secret")
    review.submit([person], by=alice)
    publish([person], by=bob)
    for copy in COPIES:
        citation = in_copy(person, copy).citations.get(source=HELD)
        assert (citation.about, citation.stated, citation.locator, citation.speaker) == ("sex", "", "", "")
        assert citation.source.title == "Information held by the organisation"
        assert not Source.objects.using(copy).filter(pk=letter.pk).exists()
    assert_sound()


def test_a_source_that_becomes_confidential_leaves_at_once(published, source, alice):
    person = published(Person, label="x")
    source.disclosure = "staff"
    source.save()
    publication.close(source)
    assert [citation.source_id for citation in in_copy(person, "public").citations.all()] == [HELD]
    assert not Source.objects.using("public").exclude(pk=HELD).exists()
    assert not history_of(Source)._base_manager.using("public").filter(pgh_obj_id=source.pk).exists()
    assert_sound()
    source.disclosure = "sealed"
    source.save()
    publication.close(source)
    assert in_copy(person, "public").citations.count() == 0
    assert not Source.objects.using("public").exists()
    assert_sound()


def test_a_citation_of_a_redacted_field_tells_no_more_than_the_field(enter, alice, bob, source):
    person = enter(Person, label="x", born=parse("1982-04-24"))
    with by(alice):
        PersonCitation.objects.create(person=person, source=source, about="born", stated="24 April", value="1982-04-24")
        PersonCitation.objects.create(person=person, source=source, about="death_circumstances", stated="ill")
    review.submit([person], by=alice)
    publish([person], by=bob)
    cited = {citation.about: citation for citation in in_copy(person, "public").citations.all()}
    assert (cited["born"].stated, cited["born"].value) == ("", "")
    assert "death_circumstances" not in cited
    cited = {citation.about: citation for citation in in_copy(person, "researcher").citations.all()}
    assert cited["born"].stated == "24 April"
    assert cited["death_circumstances"].stated == "ill"


def test_a_source_is_shown_as_it_was_when_somebody_else_published_it(published, enter, source, alice, bob):
    published(Person, label="x")
    with by(bob):
        source.title = "Bob was here"
        source.save()
    assert Source.objects.using("public").get().title == "An invented report"
    assert_sound()
    other = enter(Person, label="y")
    review.submit([other], by=alice)
    publish([other], by=bob)
    assert Source.objects.using("public").get().title == "An invented report"
    with by(bob):
        third = Person.objects.create(label="z")
        PersonCitation.objects.create(person=third, source=source)
    review.submit([third], by=bob)
    publish([third], by=alice)
    assert Source.objects.using("public").get().title == "Bob was here"
    assert_sound()


def test_sources_that_nothing_uses_leave(published, alice):
    person = published(Person, label="x")
    withdraw([person], by=alice)
    assert not Source.objects.using("public").exists()
    assert_sound()


def test_figures_and_their_whole(published, source, alice, bob):
    event = published(ReleaseEvent, title="An event")
    with by(alice):
        whole = ReportedFigure.objects.create(event=event, source=source, subject="released", low=123, high=123)
        part = ReportedFigure.objects.create(
            event=event, source=source, subject="handed_over", low=114, high=114, part_of=whole, destinations=["UA"]
        )
    review.submit([part, whole], by=alice)
    publish([part, whole], by=bob)
    assert in_copy(part, "public").part_of.low == 123
    withdraw([whole], by=alice)
    assert in_copy(part, "public").part_of is None
    assert_sound()


def test_a_deleted_part_stays_in_the_copy_until_published(published, enter, alice, bob, source):
    release = enter(Release, person=published(Person, label="x"))
    with by(alice):
        leg = Leg.objects.create(release=release, countries=["UA"])
        ReleaseCitation.objects.create(release=release, leg=leg, source=source)
    review.submit([release], by=alice)
    publish([release], by=bob)
    leg_id = leg.pk
    with by(alice):
        leg.delete()
    assert in_copy(release, "public").legs.count() == 1
    assert_sound()
    review.submit([release], by=alice)
    publish([release], by=bob)
    assert in_copy(release, "public").legs.count() == 0
    # its past stays in the copy's history: nothing was withdrawn
    assert history_of(Leg)._base_manager.using("public").filter(pgh_obj_id=leg_id).count() == 2
    assert_sound()


def test_verify_finds_and_repair_mends_with_differences_only(published, person):
    kept = published(Person, label="kept")
    lost = published(Person, label="lost")
    spoilt = published(Person, label="spoilt")
    PersonCitation.objects.using("public").filter(person=lost.pk).delete()
    Person.objects.using("public").filter(pk=lost.pk).delete()
    Person.objects.using("public").filter(pk=spoilt.pk).update(label="something else")
    Person.objects.using("public").create(pk=person.pk, pid=person.pid, label="never published")
    Source.objects.using("public").create(title="a stray source")
    before = in_copy(kept, "public").history.using("public").count()
    found = {(difference.model, difference.id, difference.kind) for difference in verify()}
    assert {(Person, lost.pk, "missing"), (Person, spoilt.pk, "different"), (Person, person.pk, "extra")} <= found
    assert any(model is Source and kind == "extra" for model, _id, kind in found)
    assert {difference.audience for difference in verify()} == {"public"}
    assert {(difference.model, difference.id, difference.kind) for difference in repair()} == found
    assert_sound()
    assert in_copy(kept, "public").history.using("public").count() == before


def test_publishing_again_writes_nothing(published, alice, bob):
    person = published(Person, label="x")
    review.submit([person], by=alice)
    before = history_of(Person)._base_manager.using("public").count()
    publish([person], by=bob)
    assert history_of(Person)._base_manager.using("public").count() == before


def test_topics_and_event_citations(published, enter, alice, bob, source):
    event = enter(ReleaseEvent, title="An event")
    with by(alice):
        ReleaseEventCitation.objects.create(event=event, source=source, topic="illness", stated="some ill")
    review.submit([event], by=alice)
    publish([event], by=bob)
    assert in_copy(event, "public").citations.filter(topic="illness").count() == 1


def test_no_account_and_no_time_in_a_copy(published):
    published(Person, label="x")
    for copy in COPIES:
        with connections[copy].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM tracker_user")
            assert cursor.fetchone() == (0,)
            cursor.execute("SELECT count(*) FROM tracker_person WHERE published_at IS NOT NULL")
            assert cursor.fetchone() == (0,)


def test_the_command_tells_and_mends(published, capsys):
    from django.core.management import CommandError, call_command

    person = published(Person, label="x")
    call_command("publish", "--verify")
    assert "are what they should be" in capsys.readouterr().out
    Person.objects.using("public").filter(pk=person.pk).update(label="y")
    with pytest.raises(CommandError, match="1 differences"):
        call_command("publish", "--verify")
    assert f"public: tracker.Person {person.pk} is different: label" in capsys.readouterr().out
    call_command("publish", "--repair")
    call_command("publish", "--verify")
