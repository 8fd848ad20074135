"""All that one copy holds about a person, in the order of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Prefetch

from releases.models import Release, ReleaseCitation
from tracker.dates import ImpreciseDate
from tracker.models import (
    Detention,
    DetentionCitation,
    Person,
    PersonCitation,
    Prosecution,
    ProsecutionCitation,
    Verdict,
    VerdictCitation,
)
from tracker.notes import Notes, citations_of


@dataclass(frozen=True)
class Entry:
    row: Any
    dates: tuple[ImpreciseDate | None, ...]  # the first that is known places it

    @property
    def kind(self) -> str:
        return str(self.row._meta.model_name)

    @property
    def starts(self) -> bool:
        """Whether the date is that of the beginning."""
        return self.dates[0] is not None or self.kind == "release"

    @property
    def when(self) -> ImpreciseDate | None:
        return next(filter(None, self.dates), None)


# what can have happened on one day stands in the order in which it happens
_KINDS = ("recognition", "detention", "prosecution", "release")


def of_person(person: Person, using: str) -> list[Entry]:
    """Earliest first, what has no date last. Reads the person's recognitions: prefetch them."""
    detentions = Detention.objects.using(using).prefetch_related("placements__facility", "episodes")
    prosecutions = (
        Prosecution.objects.using(using)
        .select_related("case")
        .prefetch_related(
            "charges__provision", Prefetch("verdicts", Verdict.objects.using(using)), "verdicts__sentences"
        )
    )
    releases = Release.objects.using(using).select_related("event").prefetch_related("legs__authority")
    entries = [
        *(Entry(row, (row.started, row.ended)) for row in detentions.filter(person=person)),
        *(
            Entry(row, (row.opened, *(verdict.pronounced for verdict in row.verdicts.all()), row.closed))
            for row in prosecutions.filter(person=person)
        ),
        *(
            Entry(row, (row.released_on, row.event and (row.event.happened or row.event.announced)))
            for row in releases.filter(person=person)
        ),
        *(Entry(row, (row.started, row.ended)) for row in person.recognitions.all()),
    ]
    return sorted(entries, key=_place)


def _place(entry: Entry) -> tuple[date, int]:
    return entry.when.earliest if entry.when else date.max, _KINDS.index(entry.kind)


def notes_of(person: Person, using: str) -> Notes:
    """Everything that is cited for the person and for all that lies below it."""
    return Notes(_citations(person, using))


def _citations(person: Person, using: str) -> Iterable[Any]:
    below: dict[Any, str] = {
        PersonCitation: "person",
        DetentionCitation: "detention__person",
        ProsecutionCitation: "prosecution__person",
        VerdictCitation: "verdict__prosecution__person",
        ReleaseCitation: "release__person",
    }
    for model, path in below.items():
        # the accepted first, then by source: the same order at every visit
        yield from citations_of(model, using).filter(**{path: person}).order_by("standing", "source__title", "id")
