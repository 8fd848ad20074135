"""How people came out, and where they went: announced acts, the numbers stated about them, and each person's part."""

from releases.models.events import (
    Concession,
    EventGrant,
    EventRelation,
    Participation,
    ReleaseEvent,
    ReleaseEventCitation,
)
from releases.models.figures import ReportedFigure
from releases.models.releases import Leg, Release, ReleaseCitation, ReleaseQuerySet

__all__ = [
    "Concession",
    "EventGrant",
    "EventRelation",
    "Leg",
    "Participation",
    "Release",
    "ReleaseCitation",
    "ReleaseEvent",
    "ReleaseEventCitation",
    "ReleaseQuerySet",
    "ReportedFigure",
]
