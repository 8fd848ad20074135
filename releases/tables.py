"""The CSV tables of releases: what each column means."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from releases.models import (
    Concession,
    EventRelation,
    Leg,
    OutsideRemit,
    Participation,
    Release,
    ReleaseEvent,
    ReportedFigure,
)
from tracker.columns import Table, fields
from tracker.tables import CLAIM, DISCLOSURE, ID, POSITION, REVIEW_STATE, recorded

EVENT = _("The event, in `release_events.csv`.")

RELEASE_EVENTS = Table(
    name="release_events",
    definition=_("Announced acts by which people came out: a pardon, a handover, an exchange, an amnesty."),
    models=(ReleaseEvent,),
    order=("rid", "id"),
    columns=fields(
        ReleaseEvent,
        id=ID,
        rid=_("Short identifier for print: permanent, never used again for another event."),
        title=_("What the event is called here."),
        announced=_("When it was announced."),
        happened=_("When it took place."),
        legal_bases=_("On what basis people were released; several may apply."),
        mechanism=_("How it came about."),
        country=_("The country that released them."),
        summary=_("What happened, in a few sentences."),
        disclosure=DISCLOSURE,
        review_state=REVIEW_STATE,
    )
    + recorded(),
)

EVENT_RELATIONS = Table(
    name="event_relations",
    definition=_("How events hang together: `event` is the `kind` of `other`."),
    models=(EventRelation,),
    order=("event_id", "id"),
    columns=fields(
        EventRelation, id=ID, event=EVENT, kind=_("What the event is to the other."), other=_("The other event.")
    ),
)

PARTICIPATIONS = Table(
    name="participations",
    definition=_("Who took part in an event, in which role: an organisation, or a name with a title."),
    models=(Participation,),
    order=("event_id", "id"),
    columns=fields(
        Participation,
        id=ID,
        event=EVENT,
        role=_("In which role."),
        organisation=_("The organisation, in `organisations.csv`; empty where `name` says who."),
        name=_("The name of an official or an envoy."),
        title=_("The title of that person."),
    ),
)

CONCESSIONS = Table(
    name="concessions",
    definition=_("What somebody granted that is reported as linked to an event: never a statement of cause."),
    models=(Concession,),
    order=("event_id", "id"),
    columns=fields(
        Concession,
        id=ID,
        event=EVENT,
        grantor=_("Who granted it."),
        kind=_("What kind of measure."),
        measure=_("The measure."),
        announced=_("When it was announced."),
    ),
)

OUTSIDE_REMIT = Table(
    name="outside_remit",
    definition=_(
        "People of an event whom this database does not record, and why. They are part of what is reported and in no"
        " other file."
    ),
    models=(OutsideRemit,),
    order=("event_id", "id"),
    columns=fields(
        OutsideRemit,
        id=ID,
        event=EVENT,
        low=_("The fewest they can be."),
        high=_("The most they can be."),
        citizenships=_("Citizens of which countries; empty: nobody says."),
        destinations=_("Taken to which countries; empty: nobody says."),
        sex=_("Of which sex; empty: nobody says."),
        why=_("Who they are, and why they are not recorded."),
    ),
)

REPORTED_FIGURES = Table(
    name="reported_figures",
    definition=_(
        "Numbers that somebody stated about a group, each with its source. They are claims: neither added up nor"
        " corrected."
    ),
    models=(ReportedFigure,),
    order=("event_id", "id"),
    columns=fields(
        ReportedFigure,
        id=ID,
        event=_("The event, in `release_events.csv`; empty for a figure about none."),
        subject=_("What is counted."),
        measure=_("What the numbers measure."),
        qualifier=_("How the source qualifies the number."),
        low=_("The lowest number it can be; empty where nothing limits it."),
        high=_("The highest number it can be; empty where nothing limits it."),
        period=_("From when to when a flow is counted; a stock has `as_of`."),
        citizenships=_("Citizens of which countries are counted; empty: of any."),
        destinations=_("Taken to which countries; empty: to any."),
        sex=_("Of which sex; empty: of any."),
        group=_("Which group is counted, as worded; empty: everybody."),
        counted_as=_("Whose definition was counted by; empty: none is named."),
        part_of=_("The figure it is “of whom”, in this file."),
        parts_complete=_("Whether the figures that are part of it add up to it."),
        complete_along=_("Along what they do; empty, where they do: nobody says."),
        source=_("The source, in `sources.csv`."),
        **CLAIM,
        review_state=REVIEW_STATE,
    )
    + recorded(),
)

RELEASES = Table(
    name="releases",
    definition=_(
        "One person's part in an event, or a release with no event. Only a confirmed one says that somebody is free."
    ),
    models=(Release,),
    order=("person_id", "id"),
    columns=fields(
        Release,
        id=ID,
        person=_("Who was released."),
        event=_("The event, in `release_events.csv`; empty for a release that belongs to none."),
        detention=_("The detention it ended, in `detentions.csv`; empty where none is linked."),
        released_on=_("When the person came out."),
        outcome=_("Whether it came about."),
        legal_bases=_("On what basis; several may apply."),
        departure=_("Whether, and how freely, the person left the country."),
        conditions=_("Under which conditions."),
        note=_("Remarks of the staff."),
        disclosure=DISCLOSURE,
        review_state=REVIEW_STATE,
    )
    + recorded(),
)

LEGS = Table(
    name="legs",
    definition=_("Steps of a person's way out, in order: the handover, then the journey onward."),
    models=(Leg,),
    order=("release_id", "position", "id"),
    columns=fields(
        Leg,
        id=ID,
        release=_("The release, in `releases.csv`."),
        position=POSITION,
        kind=_("Whether it is the handover or a journey onward."),
        countries=_("Where to. Several: one of these, and nobody says which. Empty: nobody says."),
        place=_("Where exactly."),
        happened=_("When."),
        status=_("Whether it took place."),
        authority=_("The organisation that received the person, in `organisations.csv`."),
    ),
)

TABLES = (
    RELEASE_EVENTS,
    EVENT_RELATIONS,
    PARTICIPATIONS,
    CONCESSIONS,
    OUTSIDE_REMIT,
    REPORTED_FIGURES,
    RELEASES,
    LEGS,
)
