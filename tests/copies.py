"""Rows written straight into a copy, as ``publish`` leaves them there: for tests of what only reads."""

from releases.counting import bounds
from releases.models import Leg, Release, ReleaseCitation, ReleaseEvent, ReportedFigure
from tracker.dates import parse
from tracker.models import (
    Charge,
    Detention,
    DetentionCitation,
    Name,
    Organisation,
    Person,
    PersonCitation,
    Placement,
    Prosecution,
    Recognition,
    Sentence,
    Source,
    Verdict,
)

DAY = "2025-12-13"


class Copy:
    """One database, with the shortest words for what tests need in it."""

    def __init__(self, alias):
        self.alias = alias

    def add(self, model, **values):
        return model.objects.using(self.alias).create(**values)

    def person(self, *names, **values):
        person = self.add(Person, **values)
        for position, name in enumerate(names, 1):
            text, kind = name if isinstance(name, tuple) else (name, "legal")
            self.add(Name, person=person, text=text, kind=kind, position=position)
        return person

    def source(self, title="An invented report", **values):
        return self.add(Source, **{"title": title, "publisher": "Invented Times", "kind": "news"} | values)

    def event(self, title="An invented release", **values):
        return self.add(ReleaseEvent, **{"title": title, "happened": parse(DAY)} | values)

    def release(self, event, person=None, *, to=(), **values):
        """``to``: the countries of one completed handover; a list of legs (kind, status, countries) for more."""
        person = person or self.person("Invented Person")
        release = self.add(Release, **{"event": event, "person": person, "released_on": parse(DAY)} | values)
        legs = [("handover", "completed", to)] if isinstance(to, str) and to else to
        for position, (kind, status, countries) in enumerate(legs, 1):
            self.add(Leg, release=release, position=position, kind=kind, status=status, countries=countries.split())
        return release

    def figure(self, event, number=None, qualifier="exactly", *, source=None, **values):
        low, high = bounds(qualifier, number)
        given = {"low": low, "high": high, "qualifier": qualifier, "subject": "released"} | values
        return self.add(ReportedFigure, event=event, source=source or self.source(), **given)

    def everything(self, number, *, event, source):
        """A person with one of each thing that a page prints, all of it cited."""
        person = self.person(
            f"Invented Person {number:03}", f"Another Spelling {number:03}", citizenships=["UA"], sex="female"
        )
        self.add(PersonCitation, person=person, source=source, about="citizenships", stated="a Ukrainian")
        self.add(PersonCitation, person=person, source=source, name=person.names.first(), stated=str(number))
        detention = self.add(
            Detention, person=person, started=parse("2021-03"), ended=parse(DAY), end_reason="released"
        )
        self.add(Placement, detention=detention, custody_type="colony")
        self.add(DetentionCitation, detention=detention, source=source, about="started", locator="paragraph 2")
        prosecution = self.add(Prosecution, person=person, opened=parse("2021-04"))
        self.add(Charge, prosecution=prosecution, offence="invented offence")
        verdict = self.add(Verdict, prosecution=prosecution, pronounced=parse("2021-09-01"))
        self.add(Sentence, verdict=verdict, kind="imprisonment", years=4)
        body = self.add(Organisation, name=f"Invented Committee {number}")
        self.add(Recognition, person=person, body=body, status="political_prisoner", started=parse("2021-05"))
        release = self.release(event, person, to="UA", detention=detention)
        self.add(ReleaseCitation, release=release, source=source, leg=release.legs.first())
        return person
