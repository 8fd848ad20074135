import pytest

from releases import logging
from releases.logging import Ending, Impossible
from releases.models import Leg, Release, ReleaseCitation
from tests.rows import make, unsaved
from tracker.models import Detention, DetentionCitation
from tracker.vocabularies import DetentionEnd

pytestmark = pytest.mark.django_db


def released(person, on="2025-12-13", **values):
    return unsaved(Release, person=person, released_on=on, **values)


def spans():
    return sorted(detention.span for detention in Detention.objects.all())


def test_the_open_detention_is_closed_on_the_day_of_release(person):
    detention = make(Detention, person=person, started="2021-03-05")
    release = released(person)
    logging.log(release)
    detention.refresh_from_db()
    assert detention.ended.edtf == "2025-12-13"
    assert detention.end_reason == DetentionEnd.RELEASED
    assert release.detention == detention


def test_way_out_and_citations_are_saved_with_it(person, source):
    release = released(person)
    legs = [unsaved(Leg, release=release, countries=["UA"], position=1)]
    logging.log(release, legs=legs, citations=[ReleaseCitation(release=release, source=source)])
    assert list(release.legs.values_list("countries", flat=True)) == [["UA"]]
    assert release.citations.count() == 1


def test_without_a_detention_one_is_recorded_that_ended_then(person):
    release = released(person)
    logging.log(release)
    detention = Detention.objects.get()
    assert (detention.started, detention.ended.edtf) == (None, "2025-12-13")
    assert release.detention == detention


@pytest.mark.parametrize("outcome", ["announced", "refused_and_returned", "refuted"])
@pytest.mark.parametrize("named", [True, False])
def test_what_is_not_confirmed_ends_nothing(person, outcome, named):
    detention = make(Detention, person=person, started="2021-03-05")
    release = released(person, outcome=outcome)
    logging.log(release, detention if named else Ending.AUTO)
    detention.refresh_from_db()
    assert detention.is_open
    assert release.detention == detention


def test_what_is_not_confirmed_records_no_detention(person):
    logging.log(released(person, outcome="announced"))
    assert not Detention.objects.exists()
    with pytest.raises(Impossible) as refused:
        logging.log(released(person, outcome="announced"), Ending.NEW)
    assert refused.value.field == "ends"


def test_the_editor_may_leave_it_open(person):
    detention = make(Detention, person=person, started="2021-03-05")
    release = released(person)
    logging.log(release, Ending.NONE)
    detention.refresh_from_db()
    assert detention.is_open
    assert release.detention is None


@pytest.mark.parametrize(
    ("held", "on", "ended"),
    [
        ({"started": "2021-03-05", "confirmed": "2025-12-05"}, "2025-12", "2025-12-05/2025-12-31"),
        ({"started": "2025-12-10"}, "2025-12", "2025-12-10/2025-12-31"),
        ({"started": "2021"}, "2025-12", "2025-12"),
        ({}, "2025-12-01/2025-12-13", "2025-12-01/2025-12-13"),
    ],
)
def test_an_imprecise_release_ends_it_after_the_last_day_known_held(person, held, on, ended):
    detention = make(Detention, person=person, **held)
    logging.log(released(person, on))
    detention.refresh_from_db()
    assert detention.ended.edtf == ended


@pytest.mark.parametrize(
    ("held", "on"),
    [
        ({"started": "2021-03-05"}, None),
        ({"started": "2021-03-05", "confirmed": "2025-12-14"}, "2025-12-13"),
        ({"started": "2025-12-14"}, "2025-12-13"),
    ],
)
def test_a_day_that_cannot_be_its_end_is_refused_beside_the_day(person, held, on):
    make(Detention, person=person, **held)
    with pytest.raises(Impossible) as refused:
        logging.log(released(person, on), Detention.objects.get())
    assert refused.value.field == "released_on"
    assert not Release.objects.exists()


def test_a_detention_that_began_after_the_release_stays_open(person):
    again = make(Detention, person=person, started="2025-01-10")
    logging.log(released(person, "2023-06-01"))
    again.refresh_from_db()
    assert again.is_open
    assert spans() == sorted([again.span, "unknown – 1 June 2023"])


def test_a_detention_closed_on_that_day_is_linked_not_recorded_twice(person):
    closed = make(Detention, person=person, started="2021", ended="2025-12", end_reason="released")
    release = released(person)
    logging.log(release)
    closed.refresh_from_db()
    assert release.detention == closed
    assert closed.ended.edtf == "2025-12"
    assert Detention.objects.count() == 1


def test_a_second_confirmed_release_of_a_detention_is_refused_with_the_first(person):
    logging.log(first := released(person))
    with pytest.raises(Impossible) as refused:
        logging.log(released(person), first.detention)
    assert refused.value.release == first


def test_another_persons_detention_is_refused(person):
    with pytest.raises(Impossible) as refused:
        logging.log(released(person), make(Detention))
    assert refused.value.field == "ends"


def test_the_end_is_cited_with_who_says_so_of_the_release(person, source):
    detention = make(Detention, person=person, started="2021-03-05")
    release = released(person)
    said = {"release": release, "source": source, "locator": "paragraph 3"}
    logging.log(
        release,
        citations=[
            ReleaseCitation(**said, about="outcome", stated="freed"),
            ReleaseCitation(**said, about="released_on", stated="on Saturday", value="2025-12-13"),
            ReleaseCitation(**said, about="legal_bases", stated="pardoned"),
            ReleaseCitation(**{**said, "locator": "line 9"}, standing="rejected", reason="typo"),
        ],
    )
    cited = DetentionCitation.objects.get()
    assert (cited.detention, cited.source, cited.about) == (detention, source, "ended")
    assert (cited.locator, cited.stated, cited.value) == ("paragraph 3", "on Saturday", "2025-12-13")


def test_a_release_that_is_cited_later_cites_the_end_as_well(person, source):
    make(Detention, person=person, started="2021-03-05")
    release = released(person)
    done = logging.log(release)
    assert not DetentionCitation.objects.exists()
    make(ReleaseCitation, release=release, source=source)
    for _twice in range(2):
        logging.finish(release, logging.plan(release, Ending.KEEP))
    assert [(cited.detention, cited.source) for cited in DetentionCitation.objects.all()] == [(done.detention, source)]


def test_an_end_that_differs_is_not_cited_with_the_release(person, source):
    other_day = make(Detention, person=person, started="2021-03-05", ended="2025-12-14")
    release = make(Release, person=person, detention=other_day, released_on="2025-12-13")
    make(ReleaseCitation, release=release, source=source)
    logging.finish(release, logging.plan(release, Ending.KEEP))
    assert not DetentionCitation.objects.exists()


def test_nothing_is_saved_in_part(person, source):
    make(Detention, person=person, started="2021-03-05")
    release = released(person)
    with pytest.raises(ValueError, match="nobody"):
        logging.log(release, citations=[_Refused()])
    assert not Release.objects.exists()
    assert Detention.objects.get().is_open


class _Refused:
    def save(self):
        raise ValueError("nobody")


@pytest.mark.parametrize(
    ("detention", "release", "said"),
    [
        ({"ended": "2025-12-13", "end_reason": "released"}, {}, ""),
        ({"ended": "2025-12", "end_reason": ""}, {}, ""),
        ({}, {}, "still open"),
        ({"ended": "2025-12-14"}, {}, "dated 2025-12-13"),
        ({"ended": "2025-12-13", "end_reason": "died"}, {}, "ended otherwise"),
        ({"ended": "2025-12-13", "end_reason": "released"}, {"outcome": "refuted"}, "no confirmed release"),
    ],
)
def test_disagreements_are_told(person, detention, release, said):
    held = make(Detention, person=person, started="2021-03-05", **detention)
    found = logging.disagreements(make(Release, person=person, detention=held, released_on="2025-12-13", **release))
    assert (said in " ".join(found)) if said else not found
