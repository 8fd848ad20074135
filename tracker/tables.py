"""The CSV tables of persons, their detentions and trials, and of sources: what each column means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext_lazy as _

from tracker import vocabularies as v
from tracker.columns import Column, DayOfMoment, Filled, Kind, Latest, Table, Text, counted, database, fields, rows
from tracker.models import (
    Case,
    Charge,
    Citation,
    Detention,
    Episode,
    ExternalIdentifier,
    Facility,
    Name,
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
    Row,
    Sentence,
    Source,
    Verdict,
)
from tracker.models.base import Claim, Reviewed
from tracker.versions import history_of
from tracker.vocabularies import Audience

ID = _("Identifies the row.")
DISCLOSURE = _("The widest audience that may see the row.")
REVIEW_STATE = _("How far the review of the record has come.")
POSITION = _("Its place in the order, from 1.")
PERSON = _("Whose it is.")
FROM = _("When it began.")
UNTIL = _("When it ended; empty where no source says that it has.")


def _first_recorded(model: type[Row], audience: Audience) -> Any:
    """The first event of the row in the history of the database that is read: of a copy, when it came there."""
    events: Any = history_of(model)._base_manager.using(database(audience)).filter(pgh_obj_id=OuterRef("pk"))
    return Subquery(events.order_by("pgh_id").values(day=DayOfMoment("pgh_created_at"))[:1])


def _last_day(claims: QuerySet[Any]) -> Any:
    """Of which a claim speaks: as of which, else on which its source was published at the latest."""
    return claims.values(day=Coalesce(Latest("as_of"), Latest("source__published")))


def _last_confirmed(model: type[Row], audience: Audience) -> Any:
    if issubclass(model, Claim):
        return Subquery(_last_day(rows(model, audience).filter(pk=OuterRef("pk"), standing=v.Standing.ACCEPTED)))
    assert issubclass(model, Reviewed)
    cited = model.citation_model()
    accepted = rows(cited, audience).filter(**{cited.owner: OuterRef("pk")}, standing=v.Standing.ACCEPTED)
    return Subquery(_last_day(accepted).order_by(F("day").desc(nulls_last=True))[:1])


def recorded() -> tuple[Column, Column]:
    """Since when a reviewed record can be read, and until when it is vouched for."""
    return (
        Column(
            name="first_recorded_on",
            label=_("first recorded on"),
            definition=_(
                "The day (UTC) since when the record has been in the data: in `staff` files entered, in the others"
                " published to their audience."
            ),
            kind=Kind.DATE,
            audience=Audience.RESEARCHER,
            read=_first_recorded,
            volatile=True,
        ),
        Column(
            name="last_confirmed_on",
            label=_("last confirmed on"),
            definition=_(
                "The latest day of which an accepted citation of the record, or of a part of it, speaks: its `as_of`,"
                " else the day its source was published, the latest day of each. Empty where neither is known."
            ),
            kind=Kind.DATE,
            audience=Audience.RESEARCHER,
            read=_last_confirmed,
            volatile=True,
        ),
    )


def _primary_name(_model: type[Row], audience: Audience) -> Any:
    names = rows(Name, audience).filter(person=OuterRef("pk")).exclude(kind=v.NameKind.ERRONEOUS)
    return Subquery(names.order_by("position").values("text")[:1])


PERSONS = Table(
    name="persons",
    definition=_(
        "People with a detention, a prosecution, a recognition or a release, named or not. Relatives and"
        " co-defendants with none of these are in no row, nor are those who turned out to be somebody else of the file."
    ),
    models=(Person,),
    rows=counted,
    order=("pid", "id"),
    columns=(
        *fields(Person, id=ID, pid=_("Short identifier for print: permanent, never used again for anybody else.")),
        Column(
            name="name",
            label=_("name"),
            definition=_(
                "The first name of `names.csv` that is not erroneous; empty where none is known or published."
            ),
            kind=Kind.TEXT,
            audience=Audience.PUBLIC,
            read=_primary_name,
        ),
        *fields(
            Person,
            label=_("What to call somebody without a name."),
            identification=_("Whether it is known who this is."),
            sex=_("Sex, as the sources speak of the person."),
            born=_("Date of birth."),
            died=_("Date of death; empty where no source says that the person has died."),
            death_circumstances=_("Where, or of what, the person died."),
            citizenships=_("Countries the person is a citizen of."),
            home_town=_("Where the person lived."),
            occupations=_("What the person did before the arrest."),
            contexts=_("What the person is persecuted for."),
            coding_note=_("What “other” stands for among occupations and contexts."),
            summary=_("What happened, in a few sentences."),
            consent=_("What the person or the family said about publication."),
            consent_by=_("Who said so."),
            consent_on=_("When they said so."),
            disclosure=DISCLOSURE,
            review_state=REVIEW_STATE,
        ),
        *recorded(),
    ),
)

NAMES = Table(
    name="names",
    definition=_("Every spelling of a person's name that is known, also erroneous ones, so that they are found."),
    models=(Name,),
    order=("person_id", "position", "id"),
    columns=fields(
        Name,
        id=ID,
        person=PERSON,
        position=POSITION,
        text=_("The name as it is spelt."),
        kind=_("What kind of name it is."),
        language=_("The language it is written in."),
        script=_("The script it is written in."),
        scheme=_("How it was put into Latin letters."),
        disclosure=DISCLOSURE,
    ),
)

RELATIONSHIPS = Table(
    name="relationships",
    definition=_("Who is whose spouse, parent or sibling: `person` is the `kind` of `other`."),
    models=(Relationship,),
    order=("person_id", "id"),
    columns=fields(
        Relationship,
        id=ID,
        person=_("The person who is the spouse, parent, sibling."),
        kind=_("What the person is to the other."),
        other=_("The person of whom."),
        note=_("What “other” stands for, or what is to be added."),
        disclosure=DISCLOSURE,
    ),
)

RECOGNITIONS = Table(
    name="recognitions",
    definition=_("Statements of a body that somebody is, or is not, a political prisoner."),
    models=(Recognition,),
    order=("person_id", "id"),
    columns=fields(
        Recognition,
        id=ID,
        person=_("Of whom it speaks."),
        body=_("The organisation whose statement it is, in `organisations.csv`."),
        status=_("What the body says."),
        criteria=_("On which criteria of Resolution 1900 (2012) of the Parliamentary Assembly, § 3."),
        started=_("From when."),
        ended=_("Until when; empty where no source says that it has ended."),
    ),
)

EXTERNAL_IDENTIFIERS = Table(
    name="external_identifiers",
    definition=_("The same person in somebody else's list."),
    models=(ExternalIdentifier,),
    order=("person_id", "scheme", "id"),
    columns=fields(
        ExternalIdentifier, id=ID, person=PERSON, scheme=_("Whose list."), value=_("The identifier in that list.")
    ),
)


def _merged(model: type[Row], audience: Audience) -> QuerySet[Any]:
    return rows(model, audience).filter(merged_into__isnull=False)


MERGED_PERSONS = Table(
    name="merged_persons",
    definition=_(
        "People who turned out to be somebody else of the file. What was said of them is said of that person now; the"
        " identifier that was in print leads there."
    ),
    models=(Person,),
    rows=_merged,
    order=("pid", "id"),
    columns=fields(
        Person,
        id=ID,
        pid=_("The identifier that is no longer used."),
        merged_into=_("Who it is, in `persons.csv`, unless nothing else is known of that person."),
    ),
)

ORGANISATIONS = Table(
    name="organisations",
    definition=_("Bodies that recognise, release, receive or report."),
    models=(Organisation,),
    order=("id",),
    columns=fields(
        Organisation,
        id=ID,
        name=_("The name used here; others are in `organisation_names.csv`."),
        kind=_("What kind of body it is."),
        country=_("The country it belongs to."),
        url=_("Its address on the web."),
        note=_("Remarks of the staff."),
        disclosure=DISCLOSURE,
    ),
)

ORGANISATION_NAMES = Table(
    name="organisation_names",
    definition=_("Other names of an organisation."),
    models=(OrganisationName,),
    order=("organisation_id", "position", "id"),
    columns=fields(
        OrganisationName,
        id=ID,
        organisation=_("Whose name it is, in `organisations.csv`."),
        position=POSITION,
        text=_("The name as it is spelt."),
        kind=_("What kind of name it is."),
        language=_("The language it is written in."),
    ),
)

FACILITIES = Table(
    name="facilities",
    definition=_("Places of detention. Numbers are given again to other places: join on `id`."),
    models=(Facility,),
    order=("id",),
    columns=fields(
        Facility,
        id=ID,
        name=_("The name used here."),
        number=_("The number it bears."),
        kind=_("What kind of place it is."),
        locality=_("Where it is."),
        country=_("The country it is in."),
        opened=_("Since when it has been in use under this name."),
        closed=_("Until when it was in use; empty where no source says that it has ended."),
        note=_("Remarks of the staff."),
        disclosure=DISCLOSURE,
    ),
)

SOURCES = Table(
    name="sources",
    definition=_(
        "Publications that citations rest on. One row, “Information held by the organisation”, stands for all that is"
        " not published to the audience, such as letters and interviews."
    ),
    models=(Source,),
    order=("id",),
    columns=fields(
        Source,
        id=ID,
        title=_("Its title."),
        publisher=_("Who published it."),
        kind=_("What kind of source it is."),
        authors=_("Who wrote it."),
        published=_("When it was published."),
        accessed=_("When the organisation last read it."),
        language=_("The language it is in."),
        url=_("Its address; empty where none is known."),
        archive_url=_("The address of an archived copy."),
        derived_from=_("The source of which this one is a republication as a whole."),
        reliability=_("How reliable the staff hold the source to be."),
        note=_("Remarks of the staff."),
        disclosure=DISCLOSURE,
    ),
)

PROVISIONS = Table(
    name="provisions",
    definition=_("Articles of law that people are charged with."),
    models=(Provision,),
    order=("id",),
    columns=fields(
        Provision,
        id=ID,
        country=_("The country whose law it is."),
        law=_("The code it stands in."),
        article=_("Its number."),
        title=_("A working title in English."),
        verified=_("Whether somebody has compared the title with the official text."),
        disclosure=DISCLOSURE,
    ),
)

DETENTIONS = Table(
    name="detentions",
    definition=_("Continuous deprivations of liberty, from arrest to their end. Where: in `placements.csv`."),
    models=(Detention,),
    order=("person_id", "id"),
    columns=fields(
        Detention,
        id=ID,
        person=_("Who is or was held."),
        started=_("When the person was arrested; empty where no source says."),
        ended=UNTIL,
        end_reason=_("How it ended."),
        authority=_("Who made the arrest."),
        allegation=_("What the person was accused of, as worded."),
        confirmed=_("The last day on which a source says that the person is held."),
        disclosure=DISCLOSURE,
        review_state=REVIEW_STATE,
    )
    + recorded(),
)


def _custody(_model: type[Row], _audience: Audience) -> Any:
    kinds = {custody: [kind.value for kind in v.CustodyType if kind.custody is custody] for custody in v.Custody}
    cases = [When(custody_type__in=codes, then=Value(custody.value)) for custody, codes in kinds.items()]
    return models.Case(*cases, output_field=models.CharField())


PLACEMENTS = Table(
    name="placements",
    definition=_("Stretches of a detention in one place under one kind of custody."),
    models=(Placement,),
    order=("detention_id", "id"),
    columns=(
        *fields(
            Placement,
            id=ID,
            detention=_("The detention it is a stretch of, in `detentions.csv`."),
            facility=_("Where, in `facilities.csv`; empty where nobody says."),
            custody_type=_("Under which kind of custody."),
        ),
        Column(
            name="custody",
            label=_("custody"),
            definition=_("Whether that kind of custody is closed, open or at home."),
            kind=Kind.CODE,
            values=v.Custody,
            audience=Audience.PUBLIC,
            read=_custody,
        ),
        *fields(
            Placement,
            whereabouts=_("Whether the authorities say where the person is."),
            started=FROM,
            ended=UNTIL,
        ),
    ),
)

EPISODES = Table(
    name="episodes",
    definition=_("What happened within a detention: a punishment cell, a hospital stay, a hunger strike."),
    models=(Episode,),
    order=("detention_id", "id"),
    columns=fields(
        Episode,
        id=ID,
        detention=_("The detention it is a part of, in `detentions.csv`."),
        kind=_("What it was."),
        started=FROM,
        ended=UNTIL,
        note=_("What is to be added."),
        disclosure=DISCLOSURE,
    ),
)

CASES = Table(
    name="cases",
    definition=_("Proceedings that several people may be part of."),
    models=(Case,),
    order=("id",),
    columns=fields(
        Case,
        id=ID,
        title=_("What it is known as."),
        number=_("Its number at the court or the investigators."),
        note=_("Remarks of the staff."),
        disclosure=DISCLOSURE,
    ),
)

PROSECUTIONS = Table(
    name="prosecutions",
    definition=_("One person's part in proceedings; a person may have several."),
    models=(Prosecution,),
    order=("person_id", "id"),
    columns=fields(
        Prosecution,
        id=ID,
        person=_("Who is or was prosecuted."),
        case=_("The proceedings, in `cases.csv`: those with the same one are co-defendants."),
        kind=_("What kind of proceedings."),
        opened=_("When it was opened."),
        outcome=_("How it ended for this person."),
        closed=_("When it ended for this person."),
        summary=_("What happened, in a few sentences."),
        disclosure=DISCLOSURE,
        review_state=REVIEW_STATE,
    )
    + recorded(),
)

PROSECUTION_DETENTIONS = Table(
    name="prosecution_detentions",
    definition=_("Which detentions belong to which prosecution."),
    models=(ProsecutionDetention,),
    order=("prosecution_id", "detention_id", "id"),
    columns=fields(
        ProsecutionDetention,
        id=ID,
        prosecution=_("The prosecution, in `prosecutions.csv`."),
        detention=_("The detention, in `detentions.csv`."),
        person=_("The person of both."),
    ),
)

CHARGES = Table(
    name="charges",
    definition=_("What a person is charged with in a prosecution."),
    models=(Charge,),
    order=("prosecution_id", "id"),
    columns=fields(
        Charge,
        id=ID,
        prosecution=_("The prosecution, in `prosecutions.csv`."),
        provision=_("The article, in `provisions.csv`; empty where no source gives one."),
        paragraph=_("The part of the article."),
        offence=_("The offence as the source words it."),
        stage=_("Whether it was completed."),
        participation=_("The part in it that is alleged."),
        outcome=_("What became of the charge."),
    ),
)

VERDICTS = Table(
    name="verdicts",
    definition=_("What courts decided, one row an instance."),
    models=(Verdict,),
    order=("prosecution_id", "id"),
    columns=fields(
        Verdict,
        id=ID,
        prosecution=_("The prosecution, in `prosecutions.csv`."),
        instance=_("Which instance."),
        court=_("Which court."),
        pronounced=_("When it was pronounced."),
        in_force=_("When it came into force."),
        in_absentia=_("Whether the person was tried in absence; empty where no source says."),
        outcome=_("What it made of the decision before it."),
        disclosure=DISCLOSURE,
        review_state=REVIEW_STATE,
    )
    + recorded(),
)

SENTENCES = Table(
    name="sentences",
    definition=_("Penalties of a verdict. A life or death sentence has no term."),
    models=(Sentence,),
    order=("verdict_id", "id"),
    columns=fields(
        Sentence,
        id=ID,
        verdict=_("The verdict, in `verdicts.csv`."),
        kind=_("What kind of penalty."),
        years=_("Years of the term."),
        months=_("Months of the term, beside the years."),
        days=_("Days of the term, beside years and months."),
        regime=_("The regime of the colony."),
        in_prison_years=_("How many of the years are to be served in a prison."),
        execution=_("Whether it is served at once, later or not."),
        amount=_("The amount of a fine or of damages."),
        unit=_("Its currency (ISO 4217), or `base_units`."),
        counted_from=_("The day the term is counted from."),
        expected_end=_("When the term ends."),
        is_total=_("Whether it replaces earlier terms; it is then not to be added to them."),
    ),
)


def _record_table(files: Mapping[type[Row], str]) -> Any:
    def read(model: type[Row], _audience: Audience) -> Any:
        assert issubclass(model, Citation)
        return Value(files[_target(model, model.owner)])

    return read


def _target(model: type[Row], foreign_key: str) -> type[Row]:
    field: Any = model._meta.get_field(foreign_key)
    target: type[Row] = field.related_model
    return target


def _record_id(model: type[Row], _audience: Audience) -> Any:
    assert issubclass(model, Citation)
    return F(f"{model.owner}_id")


def _part_table(files: Mapping[type[Row], str]) -> Any:
    def read(model: type[Row], _audience: Audience) -> Any:
        assert issubclass(model, Citation)
        cases = [When(**{f"{part}__isnull": False}, then=Value(files[_target(model, part)])) for part in model.parts]
        return models.Case(*cases, output_field=models.CharField()) if cases else _nothing(models.CharField())

    return read


def _part_id(model: type[Row], _audience: Audience) -> Any:
    assert issubclass(model, Citation)
    ids = [F(f"{part}_id") for part in model.parts]
    if not ids:
        return _nothing(models.UUIDField())
    return Coalesce(*ids, _nothing(models.UUIDField()))


def _topic(model: type[Row], _audience: Audience) -> Any:
    if any(field.name == "topic" for field in model._meta.concrete_fields):
        return Filled(F("topic"))
    return _nothing(models.CharField())


def _nothing(kind: models.Field[Any, Any]) -> Any:
    return Cast(Value(None), kind)


CLAIM: Mapping[str, Text] = {
    "stated": _("The value in the source's own words."),
    "value": _("The value as the column supported would hold it."),
    "as_of": _("The day that it speaks of."),
    "speaker": _("Whom the source quotes, with title."),
    "origin": _("The source whose word this one repeats, in `sources.csv`: those of one origin are not independent."),
    "locator": _("Where in the source."),
    "quote": _("The passage itself."),
    "credibility": _("How credible the staff hold it to be."),
    "standing": _("What the staff hold of it."),
    "reason": _("Why it is not accepted."),
    "reasoning": _("Why it stands as it does, in a sentence."),
    "disclosure": DISCLOSURE,
}


def citations(files: Mapping[type[Row], str]) -> Table:
    """All tables of citations as one; ``files`` are the names of the tables that hold the records and their parts."""
    kinds: Sequence[Any] = sorted(
        (model for model in apps.get_models() if issubclass(model, Citation)), key=lambda model: model._meta.label
    )
    return Table(
        name="citations",
        definition=_(
            "What sources say about a record, a part of it or a column of either. Sources that disagree stand side by"
            " side. Reported figures carry their source themselves, in `reported_figures.csv`."
        ),
        models=tuple(kinds),
        order=("record_table", "record_id", "id"),
        columns=(
            *fields(PersonCitation, id=ID),
            Column(
                name="record_table",
                label=_("record: table"),
                definition=_("The file that holds the record it is about, without `.csv`."),
                kind=Kind.TEXT,
                audience=Audience.PUBLIC,
                read=_record_table(files),
            ),
            Column(
                name="record_id",
                label=_("record"),
                definition=_("The `id` of the record there."),
                kind=Kind.UUID,
                audience=Audience.PUBLIC,
                read=_record_id,
            ),
            Column(
                name="part_table",
                label=_("part: table"),
                definition=_("The file that holds the part of the record it is about, without `.csv`; empty for none."),
                kind=Kind.TEXT,
                audience=Audience.PUBLIC,
                read=_part_table(files),
            ),
            Column(
                name="part_id",
                label=_("part"),
                definition=_("The `id` of the part there."),
                kind=Kind.UUID,
                audience=Audience.PUBLIC,
                read=_part_id,
            ),
            *fields(
                PersonCitation,
                about=_("The column it supports (without `_id`); empty for the record, or the part, as a whole."),
            ),
            Column(
                name="topic",
                label=_("topic"),
                definition=_("What is said about a group that is no count."),
                kind=Kind.CODE,
                values=v.CitationTopic,
                audience=Audience.PUBLIC,
                read=_topic,
            ),
            *fields(PersonCitation, source=_("The source, in `sources.csv`."), **CLAIM),
        ),
    )


TABLES: tuple[Table, ...] = (
    PERSONS,
    NAMES,
    RELATIONSHIPS,
    RECOGNITIONS,
    EXTERNAL_IDENTIFIERS,
    MERGED_PERSONS,
    DETENTIONS,
    PLACEMENTS,
    EPISODES,
    CASES,
    PROSECUTIONS,
    PROSECUTION_DETENTIONS,
    CHARGES,
    VERDICTS,
    SENTENCES,
    ORGANISATIONS,
    ORGANISATION_NAMES,
    FACILITIES,
    PROVISIONS,
    SOURCES,
)
