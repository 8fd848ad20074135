"""How people came out, and where they went: announced acts, the numbers stated about them, and each person's part."""

from releases.models.events import (
    Concession,
    EventGrant,
    EventRelation,
    OutsideRemit,
    Participation,
    ReleaseEvent,
    ReleaseEventCitation,
)
from releases.models.figures import ReportedFigure
from releases.models.notes import Note
from releases.models.releases import Leg, Release, ReleaseCitation, ReleaseQuerySet
from releases.models.sittings import ListLine, Sitting

__all__ = [
    "Concession",
    "EventGrant",
    "EventRelation",
    "Leg",
    "ListLine",
    "Note",
    "OutsideRemit",
    "Participation",
    "Release",
    "ReleaseCitation",
    "ReleaseEvent",
    "ReleaseEventCitation",
    "ReleaseQuerySet",
    "ReportedFigure",
    "Sitting",
]
