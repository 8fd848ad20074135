"""What ``test_intake_killed`` runs in processes of their own, over a database of their own: told what to do line by line."""

import json
import os
import signal
import sys
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from releases import recording  # noqa: E402
from releases.models import Leg, Release, ReleaseCitation, ReleaseEventCitation, Sitting  # noqa: E402
from tests.conftest import make_user  # noqa: E402
from tests.releases.sittings import a_sitting, decide, held  # noqa: E402
from tracker.models import EDITOR, Detention, DetentionCitation, Name, Person, PersonCitation, User  # noqa: E402
from tracker.review import Refused  # noqa: E402

SURNAMES = ("Testy", "Proby", "Vydumk", "Fiksy", "Prykladn", "Mirazh")


def prepare(sittings):
    call_command("prepare", verbosity=0)
    alice = make_user("alice", EDITOR)
    for number in range(sittings):
        surnames = [f"{surname}{chr(97 + number)}au" for surname in SURNAMES]
        people = [held(f"Mikalai {surname}") for surname in surnames[:4]]
        sitting = a_sitting(alice, *(f"Mikola {surname}" for surname in surnames), "", look_up=False)
        for line, person in enumerate(people, start=1):
            decide(sitting, line, "person", person, by=alice)
        for line in (5, 6):
            decide(sitting, line, "new", by=alice)
        decide(sitting, 7, "unidentified", by=alice)
    return [str(key) for key in Sitting.objects.order_by("started_at", "pk").values_list("pk", flat=True)]


def state(key):
    """What rests on the list, kind by kind."""
    sitting = Sitting.objects.get(pk=key)
    releases = Release.objects.filter(event=sitting.event)
    rows = {
        "releases": releases,
        "legs": Leg.objects.filter(release__in=releases),
        "said of releases": ReleaseCitation.objects.filter(source=sitting.source),
        "said of the event": ReleaseEventCitation.objects.filter(source=sitting.source),
        "said of persons": PersonCitation.objects.filter(source=sitting.source),
        "said of detentions": DetentionCitation.objects.filter(source=sitting.source),
        "persons": Person.objects.filter(releases__event=sitting.event),
        "names": Name.objects.filter(pk__in=PersonCitation.objects.filter(source=sitting.source).values("name")),
        "detentions ended": Detention.objects.filter(releases__event=sitting.event, end_reason="released"),
        "lines logged": sitting.lines.logged(),
    }
    return {name: found.count() for name, found in rows.items()}


def log(key):
    """The counts afterwards, or why it was refused."""
    sitting, alice = Sitting.objects.get(pk=key), User.objects.get(username="alice")
    try:
        recording.record(sitting, by=alice, version=recording.plan(sitting, by=alice).version)
    except Refused as refused:
        return {"refused": refused.sentences}
    return state(key)


def log_until(key, point, victim):
    """Kill this process (0), or the server, before that statement of the logging. Says how many there were."""
    sitting, alice = Sitting.objects.get(pk=key), User.objects.get(username="alice")
    version = recording.plan(sitting, by=alice).version
    done = 0

    def count(execute, sql, params, many, context):
        nonlocal done
        done += 1
        if done == point:
            os.kill(victim or os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        recording.record(sitting, by=alice, version=version)
    return done


def postmaster():
    (file,) = Path(os.environ["DATA_DIR"]).glob("postgresql-*/postmaster.pid")
    return int(file.read_text().split()[0])


if __name__ == "__main__":
    for asked in sys.stdin:
        name, *arguments = json.loads(asked)
        try:
            answer = globals()[name](*arguments)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
            connections.close_all()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
