"""Every rule of the tracker's tables is broken on purpose; what nobody may be forced to invent is left out."""

from datetime import date
from uuid import UUID

import pytest
from django.db import models, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from tests.breaches import Breach, follows_from_the_primary_key, of_a_merged, rules_of_app
from tests.rows import LEAST, MODELS, change, delete, insert, make, refused, transaction_of_its_own, unsaved, update
from tracker.models import (
    Case,
    Charge,
    Claim,
    Detention,
    DetentionCitation,
    Episode,
    ExternalIdentifier,
    Facility,
    Grant,
    Name,
    NotTheSame,
    Organisation,
    OrganisationName,
    Person,
    PersonCitation,
    Placement,
    Prosecution,
    ProsecutionDetention,
    Provision,
    Recognition,
    Relationship,
    Reviewed,
    Sentence,
    Source,
    User,
    Verdict,
)
from tracker.models.base import STATES, Citation, Explained
from tracker.models.fields import CodedArrayField, CodedField, ImpreciseDateField, empties
from tracker.vocabularies import ReviewState, SentenceKind

APP = "tracker"


def two_users():
    return {"submitted_by": make(User), "reviewed_by": make(User)}


def every_reviewed(app):
    for model in MODELS:
        if issubclass(model, Reviewed) and model._meta.app_label == app:
            yield Breach(
                model,
                f"{model._meta.model_name}_reviewer_is_not_submitter",
                "",
                good=two_users,
                bad=lambda good: {"reviewed_by": good["submitted_by"]},
            )
            yield Breach(
                model,
                f"{model._meta.model_name}_published_by_two",
                "",
                good=lambda: {**two_users(), "review_state": "published", "published_at": timezone.now()},
                bad={"reviewed_by": None},
            )
            yield Breach(model, "review_takes_its_steps", "", bad={"review_state": "published"}, by=("update",))
            yield Breach(
                model, "published_is_withdrawn_first", "", bad={"published_at": timezone.now()}, by=("delete",)
            )


#: What else a row needs in which this field has a value.
COMPANY = {
    "end_reason": {"ended": "2021"},
    "in_prison_years": {"years": 1},
    "amount": {"kind": "fine", "unit": "BYN"},
}


def some_value(field):
    if isinstance(field, ImpreciseDateField):
        return "2021-03-05"
    if isinstance(field, CodedArrayField):
        return [field.codes[0]]
    return (
        field.codes[0]
        if isinstance(field, CodedField)
        else field.to_python("2021-03-05" if isinstance(field, models.DateField) else 1)
    )


def every_explained(app):
    for model in MODELS:
        if issubclass(model, Explained) and model._meta.app_label == app:
            known, of_empty = (f"{model._meta.model_name}_reasons_{rule}" for rule in ("are_known", "of_what_is_empty"))
            fields = empties(model)
            for wrong in (
                {"no_such_column": "unknown"},
                {"id": "unknown"},
                *(
                    {next(iter(fields)): reason}
                    for reason in ("withheld", "not_recorded", "no_such_reason", "", None, 1)
                ),
                ["unknown"],
                "unknown",
            ):
                yield Breach(model, known, "missing", bad={"missing": wrong})
            for name, field in fields.items():
                good = {**COMPANY.get(name, {}), name: some_value(field), "missing": {}}
                yield Breach(model, of_empty, "missing", good=good, bad={"missing": {name: "unknown"}}, saved=False)


def every_claim(app):
    for model in MODELS:
        if issubclass(model, Claim) and model._meta.app_label == app:
            yield Breach(
                model,
                f"{model._meta.model_name}_rejected_has_reason",
                "reason",
                good={"standing": "rejected", "reasoning": "It was somebody else."},
                bad={"reasoning": ""},
            )
        if issubclass(model, Citation) and model._meta.app_label == app:
            yield from every_part(model)


def same_record(citation, part):
    return f"{citation._meta.model_name}_{part}_is_of_the_same_record"


def every_part(citation):
    owner = citation.owner

    def about(part):
        def good():
            row = make(citation._meta.get_field(part).related_model)
            return {owner: row.record, part: row}

        return good

    def of_another(part):
        return lambda good: {part: make(citation._meta.get_field(part).related_model)}

    def second(part):
        return lambda good: {part: make(citation._meta.get_field(part).related_model, **{owner: good[owner]})}

    for part in citation.parts:
        yield Breach(citation, same_record(citation, part), "about", good=about(part), bad=of_another(part))
    for first, other in zip(citation.parts, citation.parts[1:] + citation.parts[:1], strict=True):
        if first != other:
            yield Breach(
                citation,
                f"{citation._meta.model_name}_about_one_part",
                "about",
                good=about(first),
                bad=second(other),
            )


def deleted_pid():
    person = make(Person)
    pid = person.pid
    person.delete()
    return {"pid": pid}


def named():
    return {"person": make(Name).person, "position": 2}


def granted():
    grant = make(Grant)
    return {"user": grant.user, "person": make(Person)}


def surely_in_june():
    return {"person": make(Detention, started="2021-06-01", ended="2021-07-01").person}


def linked(**values):
    person = make(Person)
    return {
        "prosecution": make(Prosecution, person=person),
        "detention": make(Detention, person=person, ended="2021", **values),
    }


def told_apart():
    pair = make(NotTheSame)
    return {"person": make(Person, id=UUID(int=1)), "other": pair.other}


CASES = [
    *every_reviewed(APP),
    *every_explained(APP),
    *every_claim(APP),
    Breach(
        Grant,
        "grant_names_one_record",
        "",
        good=lambda: {"person": None, "source": make(Source)},
        bad={"source": None},
    ),
    Breach(Grant, "grant_names_one_record", "", bad=lambda good: {"source": make(Source)}),
    Breach(
        Grant,
        "grant_once",
        "user",
        good=granted,
        bad=lambda good: {"person": Grant.objects.get(user=good["user"]).person},
    ),
    Breach(Source, "source_has_a_title", "", bad={"title": ""}),
    Breach(Organisation, "organisation_has_a_name", "", bad={"name": ""}),
    Breach(
        OrganisationName,
        "organisationname_position",
        "position",
        good=lambda: {"organisation": make(OrganisationName).organisation, "position": 2},
        bad={"position": 1},
    ),
    Breach(OrganisationName, "organisationname_is_not_empty", "", bad={"text": ""}),
    Breach(Facility, "facility_has_a_name", "", bad={"name": ""}),
    Breach(
        Provision,
        "provision_once",
        "article",
        good=lambda: {"country": "UA", "law": "criminal_code", "article": make(Provision, country="BY").article},
        bad={"country": "BY"},
    ),
    Breach(
        Person,
        "person_died_after_birth",
        "died",
        good={"born": "1990", "died": "1990-01-02"},
        bad={"born": "1990-01-03"},
    ),
    Breach(
        Person,
        "person_other_has_a_note",
        "coding_note",
        good={"occupations": ["other"], "coding_note": "a lighthouse keeper"},
        bad={"coding_note": ""},
    ),
    Breach(
        Person,
        "person_other_has_a_note",
        "coding_note",
        good={"contexts": ["other"], "coding_note": "kept a lighthouse"},
        bad={"coding_note": ""},
    ),
    Breach(Person, "pid_is_permanent", "", bad={"pid": "00000-00000"}, by=("update",)),
    Breach(Person, "pid_is_never_reused", "", bad=lambda good: deleted_pid(), by=("insert",)),
    Breach(Name, "name_position", "position", good=named, bad={"position": 1}),
    Breach(Name, "name_is_not_empty", "text", bad={"text": ""}),
    *(
        Breach(model, "person_is_not_merged", "person", bad=of_a_merged)
        for model in (Name, Relationship, Recognition, ExternalIdentifier, PersonCitation, Detention, Prosecution)
    ),
    Breach(Relationship, "other_is_not_merged", "other", bad=lambda good: {"other": of_a_merged(good)["person"]}),
    Breach(Relationship, "relationship_of_two", "other", bad=lambda good: {"other": good["person"]}),
    Breach(
        Relationship,
        "relationship_once",
        "other",
        good=lambda: {"person": make(Relationship).person, "other": make(Person)},
        bad=lambda good: {"other": Relationship.objects.get(person=good["person"]).other},
    ),
    Breach(
        Relationship,
        "relationship_other_has_a_note",
        "note",
        good={"kind": "other", "note": "godmother"},
        bad={"note": ""},
    ),
    Breach(
        Recognition,
        "recognition_ends_after_start",
        "ended",
        good={"started": "2021-03", "ended": "2021-03-01"},
        bad={"ended": "2021-02"},
    ),
    Breach(
        ExternalIdentifier,
        "externalidentifier_once",
        "value",
        good=lambda: {"scheme": "another", "value": make(ExternalIdentifier).value},
        bad={"scheme": "invented"},
    ),
    Breach(ExternalIdentifier, "externalidentifier_is_not_empty", "value", bad={"value": ""}),
    Breach(ExternalIdentifier, "externalidentifier_is_not_empty", "value", bad={"scheme": ""}),
    Breach(
        NotTheSame,
        "notthesame_in_one_order",
        "other",
        bad=lambda good: {"person": good["other"], "other": good["person"]},
    ),
    Breach(NotTheSame, "notthesame_in_one_order", "other", bad=lambda good: {"other": good["person"]}),
    Breach(
        NotTheSame,
        "notthesame_once",
        "other",
        good=told_apart,
        bad=lambda good: {"person": NotTheSame.objects.get(other=good["other"]).person},
    ),
    Breach(NotTheSame, "notthesame_has_a_reason", "why", bad={"why": " \n"}, by=("insert",)),
    Breach(NotTheSame, "notthesame_is_not_reworded", "why", bad={"why": "After all"}, by=("update",)),
    Breach(
        Detention,
        "detention_ends_after_start",
        "ended",
        good={"started": "2021-03-05", "ended": "2021-03-05"},
        bad={"ended": "2021-03-04"},
    ),
    Breach(
        Detention,
        "detention_ends_after_start",
        "ended",
        good={"started": "2021-03", "ended": "2021-03-01"},
        bad={"ended": "2021-02"},
    ),
    Breach(
        Detention,
        "detention_end_has_a_date",
        "ended",
        good={"end_reason": "released", "ended": "2021-03-05/2021-06-01"},
        bad={"ended": None},
    ),
    Breach(
        Detention,
        "detention_confirmed_while_held",
        "confirmed",
        good={"started": "2021-03", "ended": "2021-05", "confirmed": date(2021, 5, 31)},
        bad={"confirmed": date(2021, 6, 1)},
    ),
    Breach(
        Detention,
        "detention_confirmed_while_held",
        "confirmed",
        good={"started": "2021-03", "confirmed": date(2021, 3, 1)},
        bad={"confirmed": date(2021, 2, 28)},
    ),
    Breach(
        Detention,
        "detention_one_open",
        "ended",
        good=lambda: {"person": make(Detention).person, "ended": "2021"},
        bad={"ended": None},
    ),
    Breach(
        Detention,
        "detention_no_overlap",
        "started",
        good=lambda: {**surely_in_june(), "started": "2021-07-01", "ended": "2021-08"},
        bad={"started": "2021-06-30"},
    ),
    Breach(
        # an open one, surely held from the day a source confirms it
        Detention,
        "detention_no_overlap",
        "started",
        good=lambda: {**surely_in_june(), "started": "2021", "confirmed": date(2021, 7, 1)},
        bad={"confirmed": date(2021, 6, 30)},
    ),
    Breach(
        Detention,
        "placement_within_detention",
        "started",
        good={"started": "2021-03", "ended": "2021-05-10"},
        then=lambda detention: make(Placement, detention=detention, started="2021-05-10"),
        bad={"ended": "2021-05-09"},
        by=("update",),
    ),
    Breach(
        Detention,
        "placement_within_detention",
        "started",
        good={"started": "2021-03"},
        then=lambda detention: make(Placement, detention=detention, ended="2021-03-01"),
        bad={"started": "2021-03-02"},
        by=("update",),
    ),
    Breach(
        Placement,
        "placement_within_detention",
        "started",
        good=lambda: {"detention": make(Detention, started="2021-03", ended="2021-05-10"), "started": "2021-05-10"},
        bad={"started": "2021-05-11"},
    ),
    Breach(
        Placement,
        "placement_within_detention",
        "started",
        good=lambda: {"detention": make(Detention, started="2021-03", ended="2021-05-10"), "ended": "2021-03-01"},
        bad={"ended": "2021-02"},
    ),
    Breach(
        Placement,
        "placement_ends_after_start",
        "ended",
        good={"started": "2021-03", "ended": "2021-03-01"},
        bad={"ended": "2021-02"},
    ),
    Breach(
        Episode,
        "episode_ends_after_start",
        "ended",
        good={"started": "2021-03", "ended": "2021-03-01"},
        bad={"ended": "2021-02"},
    ),
    Breach(Case, "case_has_a_title", "title", bad={"title": ""}),
    Breach(
        Prosecution,
        "prosecution_ends_after_start",
        "closed",
        good={"opened": "2021-03", "closed": "2021-03-01"},
        bad={"closed": "2021-02"},
    ),
    Breach(
        ProsecutionDetention,
        "prosecutiondetention_once",
        "detention",
        good=lambda: {
            "prosecution": (link := make(ProsecutionDetention, **linked())).prosecution,
            "detention": make(Detention, person=link.detention.person),
        },
        bad=lambda good: {"detention": good["prosecution"].detention_links.get().detention},
    ),
    Breach(
        ProsecutionDetention,
        "prosecution_detention_is_the_same_persons",
        "detention",
        bad=lambda good: {"detention": make(Detention)},
    ),
    Breach(
        # the detention is moved to another person, the link is left behind
        Detention,
        "prosecution_detention_is_the_same_persons",
        "detention",
        then=lambda detention: make(
            ProsecutionDetention, detention=detention, prosecution=make(Prosecution, person=detention.person)
        ),
        bad=lambda good: {"person": make(Person)},
        by=("update",),
        on=ProsecutionDetention,
    ),
    Breach(
        # the prosecution is
        Prosecution,
        "prosecutiondetention_person_of_prosecution",
        "person",
        then=lambda prosecution: make(
            ProsecutionDetention, prosecution=prosecution, detention=make(Detention, person=prosecution.person)
        ),
        bad=lambda good: {"person": make(Person)},
        by=("update",),
        on=ProsecutionDetention,
    ),
    Breach(Charge, "charge_says_what", "offence", bad={"offence": ""}),
    Breach(
        Verdict,
        "verdict_in_force_after_it_was_pronounced",
        "in_force",
        good={"pronounced": "2021-03", "in_force": "2021-03-01"},
        bad={"in_force": "2021-02"},
    ),
    *(
        Breach(
            Sentence,
            "sentence_term_only_where_the_kind_has_one",
            "years",
            good={"kind": "imprisonment", unit: 3},
            bad={"kind": kind},
        )
        for unit, kind in (("years", "life"), ("months", "death"), ("days", "fine"))
    ),
    Breach(
        Sentence,
        "sentence_amount_only_where_the_kind_has_one",
        "amount",
        good={"kind": "fine", "amount": 100, "unit": "base_units"},
        bad={"kind": "imprisonment"},
    ),
    *(
        Breach(
            Sentence,
            "sentence_amount_has_a_unit",
            "unit",
            good={"kind": "fine", "amount": 100, "unit": "BYN"},
            bad=bad,
        )
        for bad in ({"unit": ""}, {"amount": None}, {"amount": 0})
    ),
    Breach(
        Sentence,
        "sentence_regime_only_in_prison",
        "regime",
        good={"kind": "life", "regime": "special"},
        bad={"kind": "arrest"},
    ),
    Breach(
        Sentence,
        "sentence_prison_part_within_term",
        "in_prison_years",
        good={"years": 5, "in_prison_years": 5},
        bad={"in_prison_years": 6},
    ),
    Breach(
        Sentence,
        "sentence_ends_after_it_starts",
        "expected_end",
        good={"counted_from": "2021-03", "expected_end": "2021-03-01"},
        bad={"expected_end": "2021-02"},
    ),
    Breach(
        Sentence,
        "sentence_life_has_no_expected_end",
        "expected_end",
        good={"kind": "imprisonment", "expected_end": "2031"},
        bad={"kind": "life"},
    ),
]

# They need rows that point back, which the way of the others cannot make.
BY_HAND = {
    "tracker_source.source_repeats_another",
    "tracker_source.source_repeats_no_circle",
    "tracker_person.person_merged_into_another",
    "tracker_person.person_merged_in_one_step",
}


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


def test_a_source_repeats_neither_itself_nor_what_repeats_it(db):
    first = make(Source)
    second = make(Source, derived_from=first)
    third = make(Source, derived_from=second)
    for way in (
        lambda source, of: change(source, derived_from=of).save(),
        lambda s, of: update(Source, s.pk, derived_from=of),
    ):
        itself = refused(way, Source.objects.get(pk=first.pk), first)
        assert (itself.rule, itself.field) == ("source_repeats_another", "derived_from")
        assert "itself" in str(itself.sentence)
        circle = refused(way, Source.objects.get(pk=first.pk), third)
        assert (circle.rule, circle.field) == ("source_repeats_no_circle", "derived_from")
        assert "directly or not" in str(circle.sentence)
    change(third, derived_from=first).save()


def test_a_person_is_merged_into_another(db):
    person = make(Person)
    for way in (
        lambda: change(person, merged_into=person).save(),
        lambda: update(Person, person.pk, merged_into=person),
    ):
        refusal = refused(way)
        assert refusal.rule == "person_merged_into_another"
        assert "itself" in str(refusal.sentence)
    change(person, merged_into=make(Person)).save()


def test_a_merged_person_leads_to_one_that_is_not_merged(db):
    kept, middle, other = make(Person), make(Person), make(Person)
    for way in (
        lambda person, into: change(person, merged_into=into).save(),
        lambda person, into: update(Person, person.pk, merged_into=into),
    ):
        with transaction_of_its_own():
            update(Person, middle.pk, merged_into=kept)
        middle.refresh_from_db()
        for chain in ((other, middle), (kept, other)):
            chain[0].refresh_from_db()
            refusal = refused(way, *chain)
            assert (refusal.rule, refusal.field) == ("person_merged_in_one_step", "merged_into")
        with transaction_of_its_own():  # in any order, as long as it ends well
            update(Person, kept.pk, merged_into=other)
            update(Person, middle.pk, merged_into=other)
        with transaction_of_its_own():
            update(Person, kept.pk, merged_into=None)
            update(Person, middle.pk, merged_into=None)


@pytest.mark.parametrize("model", [m for m in MODELS if issubclass(m, Reviewed)], ids=lambda m: m.__name__)
@pytest.mark.parametrize("before", ReviewState.codes())
def test_a_review_takes_only_its_steps(db, model, before):
    on_the_way = {"published": ["submitted", "published"]}.get(before, [before] * (before != "draft"))
    for after in ReviewState.codes():
        pk = insert(model)
        for state in on_the_way:
            update(model, pk, review_state=state)
        if after == before or after in STATES[before]:
            update(model, pk, review_state=after)
            assert model.objects.get(pk=pk).review_state == after
        else:
            assert refused(update, model, pk, review_state=after).rule == "review_takes_its_steps"


def test_nothing_is_published_that_was_not_submitted():
    assert [state for state, after in STATES.items() if "published" in after] == ["submitted"]


def test_review_may_lack_either_name(db):
    for values in ({"submitted_by": make(User)}, {"reviewed_by": make(User)}, {}):
        make(Person, **values)


@pytest.mark.parametrize("kind", SentenceKind.codes())
def test_which_sentences_have_a_term(db, kind):
    sentence = unsaved(Sentence, kind=kind, years=2)
    if kind in SentenceKind.with_term():
        sentence.save()
    else:
        assert refused(sentence.save).rule == "sentence_term_only_where_the_kind_has_one"


# --- Nobody is forced to invent


@pytest.mark.parametrize("model", [m for m in MODELS if m._meta.app_label == APP], ids=lambda m: m.__name__)
def test_the_least_is_enough(db, model):
    """No record needs more than what it is about: neither a date nor a name nor an address."""
    row = make(model)
    row.full_clean(exclude=[f.name for f in model._meta.fields if not f.editable] + ["password"])
    assert model.objects.filter(pk=row.pk).exists()


def test_what_the_least_leaves_out():
    """The claim above rests on this: the least of a row holds none of what may be unknown."""
    may_be_unknown = {
        Person: {"label", "born", "citizenships", "sex"},
        Name: {"language", "script", "scheme"},
        Detention: {"started", "ended", "authority"},
        Placement: {"facility", "custody_type", "started", "ended"},
        Source: {"url", "publisher", "published", "language"},
        Organisation: {"country"},
        Facility: {"country", "locality"},
        Charge: {"provision"},
        Verdict: {"court", "pronounced", "in_absentia"},
        Sentence: {"years", "counted_from", "expected_end"},
    }
    for model, fields in may_be_unknown.items():
        assert fields <= {field.name for field in model._meta.fields}
    for model in may_be_unknown.keys() & {Person, Detention, Placement, Source, Organisation, Facility, Verdict}:
        needed = {field.name for field in model._meta.fields if not field.blank and not field.has_default()}
        assert not needed & may_be_unknown[model]


def test_two_detentions_known_by_the_year(db):
    person = make(Person)
    for _ in range(2):
        make(Detention, person=person, started="2021", ended="2021")
    assert person.detentions.count() == 2


def test_an_end_without_a_start_and_a_start_without_an_end(db):
    person = make(Person)
    make(Detention, person=person, ended="2020")
    make(Detention, person=person, started="2021")


def test_placements_may_leave_gaps_and_overlap(db):
    detention = make(Detention, started="2021")
    for _ in range(2):
        make(Placement, detention=detention, started="2021-03", custody_type="colony")


# --- What is asked at the end of the transaction


def test_names_change_places(db):
    person = make(Person)
    first, second = (make(Name, person=person, text=text, position=n) for n, text in enumerate(("Ona", "Ana"), 1))
    with transaction_of_its_own():
        change(first, position=2).save()
        change(second, position=1).save()
    assert [name.text for name in person.names.all()] == ["Ana", "Ona"]


def test_other_names_of_an_organisation_change_places(db):
    organisation = make(Organisation)
    first, second = (make(OrganisationName, organisation=organisation, position=n) for n in (1, 2))
    with transaction_of_its_own():
        change(first, position=2).save()
        change(second, position=1).save()
    assert list(organisation.names.all()) == [second, first]


@pytest.mark.parametrize("order", [("detention", "placement"), ("placement", "detention")])
def test_a_placement_moves_with_its_detention(db, order):
    detention = make(Detention, started="2021-03-05")
    placement = make(Placement, detention=detention, started="2021-03-05", ended="2021-03-06")
    rows = {"detention": change(detention, started="2022-03-05"), "placement": placement}
    change(placement, started="2022-03-05", ended="2022-03-06")
    with transaction_of_its_own():
        for name in order:
            rows[name].save()
    placement.refresh_from_db()
    assert placement.started.edtf == "2022-03-05"


@pytest.mark.parametrize("order", [("prosecution", "detention"), ("detention", "prosecution")])
def test_a_prosecution_and_its_detention_move_to_another_person(db, order):
    link = make(ProsecutionDetention)
    other = make(Person)
    with transaction_of_its_own():
        for name in order:
            change(getattr(link, name), person=other).save()
        link.save()
    link.refresh_from_db()
    assert link.person == other


def _parts():
    for citation in MODELS:
        if issubclass(citation, Citation):
            for part in citation.parts:
                yield pytest.param(citation, part, id=f"{citation.__name__}-{part}")


@pytest.mark.parametrize(("citation", "part"), list(_parts()))
def test_a_part_does_not_leave_its_citation_behind(db, citation, part):
    row = make(citation._meta.get_field(part).related_model)
    make(citation, **{citation.owner: row.record, part: row})
    elsewhere = make(citation._meta.get_field(citation.owner).related_model)
    change(row, **{row.owner: elsewhere})
    for refusal in (refused(row.save), refused(update, type(row), row.pk, **{row.owner: elsewhere})):
        assert (refusal.rule, refusal.table) == (same_record(citation, part), citation._meta.db_table)


@pytest.mark.parametrize("first", ["name", "citation"])
def test_a_part_moves_with_its_citation(db, first):
    name = make(Name)
    citation = make(PersonCitation, person=name.person, name=name)
    other = make(Person)
    rows = {"name": name, "citation": citation}
    with transaction_of_its_own():
        for row in sorted(rows, key=lambda row: row != first):
            change(rows[row], person=other).save()
    citation.refresh_from_db()
    assert citation.name.person == citation.person == other


def test_only_the_end_of_a_transaction_counts(db):
    """A citation that is changed twice is judged by what it is in the end."""
    name = make(Name)
    citation = make(PersonCitation)
    with transaction_of_its_own():
        change(citation, name=name).save()
        change(citation, person=name.person).save()
    citation.refresh_from_db()
    assert citation.name == name


def test_a_deferred_rule_is_asked_at_the_latest_when_the_transaction_ends(db):
    person = make(Person)
    make(Name, person=person)

    def a_second_first_name():
        with transaction.atomic():
            make(Name, person=person)
            assert person.names.count() == 2

    assert refused(a_second_first_name).rule == "name_position"
    assert person.names.count() == 1


# --- What is referred to stays


def test_who_is_referred_to_is_not_deleted(db):
    detention = make(Detention)
    with pytest.raises(ProtectedError):
        detention.person.delete()
    refusal = refused(delete, Person, detention.person_id)
    assert (refusal.table, refusal.field) == ("tracker_detention", "person")


def test_parts_go_with_their_record(db):
    citation = make(DetentionCitation, detention=make(Placement).detention)
    citation.detention.delete()
    assert not Placement.objects.exists()
    assert not DetentionCitation.objects.exists()


def test_every_model_can_be_tested():
    assert set(LEAST) == set(MODELS)
