"""The labelled set of ``tests/data``: persons, spellings of their names, and names of others that look like theirs."""

import csv
from pathlib import Path

from django.utils import timezone

from tests.rows import make
from tracker import dates
from tracker.models import Detention, Name, Person

DATA = Path(__file__).parents[1] / "data"


def rows(name):
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load():
    """Makes the persons, each with the one registered name and the detention; pids by the number in the set."""
    found = {}
    for row in rows("persons"):
        person = make(Person, sex=row["sex"], born=dates.parse(row["born"]), citizenships=[row["citizenship"]])
        Name.objects.create(person=person, text=row["registered"])
        ended = dates.parse(row["released"]) if row["released"] else None
        make(Detention, person=person, started=dates.parse(row["arrested"]), ended=ended)
        found[row["person"]] = person.pid
    return found


def held_on(row):
    """A day on which the person was in custody."""
    return dates.parse(row["released"]).earliest if row["released"] else timezone.localdate()
