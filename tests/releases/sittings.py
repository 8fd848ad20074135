"""Lists for tests: a sitting over invented names, and people of the database who are on it."""

from releases import intake
from releases.models import ListLine, ReleaseEvent, Sitting
from tests.rows import change, make
from tracker.dates import parse
from tracker.models import Detention, Name, Person, Source
from tracker.names import script_of

DAY = "2025-12-13"


def held(*names, started="2021-03-05", **values):
    """Somebody in custody, known by these names."""
    person = make(Person, **values)
    for position, text in enumerate(names, start=1):
        make(Name, person=person, text=text, position=position, script=script_of(text))
    if started:
        make(Detention, person=person, started=started)
    return person


def a_sitting(by, *texts, event=None, source=None, look_up=True, **values):
    """A list with a line for each text ("": somebody without a name), looked up."""
    event = event or make(ReleaseEvent, title="An invented handover", happened=DAY)
    source = source or make(Source, title="An invented list")
    shared = {"released_on": DAY, "countries": ["UA"], **values}
    sitting = change(Sitting(event=event, source=source, started_by=by), **shared)
    sitting.save()
    for number, text in enumerate(texts, start=1):
        make(
            ListLine,
            sitting=sitting,
            number=number,
            text=text,
            printed=text or "unknown",
            verdict="" if text else "new",
        )
    while look_up and intake.look_up(sitting):
        pass
    return sitting


def verdicts(sitting):
    return list(sitting.lines.order_by("number").values_list("verdict", flat=True))


def line(sitting, number):
    return sitting.lines.get(number=number)


def decide(sitting, number, decision, person=None, *, by, knowing=()):
    row = line(sitting, number)
    choice = intake.Choice(row.pk, row.revision, decision, person and person.pk, tuple(knowing))
    return intake.decide(sitting, choice, by=by)


def take_all(sitting, *, by):
    """Everybody is whom the machine takes them for, and whoever it does not know is new."""
    for card in intake.weigh(sitting, list(sitting.lines.open()), by):
        row = card.line
        if not row.text:
            decide(sitting, row.number, "unidentified", by=by)
        elif card.verdict == "same":
            decide(sitting, row.number, "person", card.options[0].person, by=by, knowing=card.options[0].warnings)
        else:
            decide(sitting, row.number, "new", by=by)


def day(text):
    return parse(text)
