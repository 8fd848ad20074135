"""The least that makes a row of each model, through Django and in plain SQL, and how to see what the database refuses."""

import contextlib
import itertools
import uuid

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from psycopg.types.json import Jsonb

from releases.models import (
    Concession,
    EventGrant,
    EventRelation,
    Leg,
    ListLine,
    Note,
    OutsideRemit,
    Participation,
    Release,
    ReleaseCitation,
    ReleaseEvent,
    ReleaseEventCitation,
    ReportedFigure,
    Sitting,
)
from tracker.models import (
    Case,
    Charge,
    Detention,
    DetentionCitation,
    Episode,
    ExternalIdentifier,
    Facility,
    FacilityCitation,
    Grant,
    Name,
    NotTheSame,
    Organisation,
    OrganisationCitation,
    OrganisationName,
    Person,
    PersonCitation,
    Placement,
    Prosecution,
    ProsecutionCitation,
    ProsecutionDetention,
    Provision,
    Recognition,
    Relationship,
    Row,
    Sentence,
    Source,
    User,
    Verdict,
    VerdictCitation,
)
from tracker.models.fields import ImpreciseDateField
from tracker.models.rules import explain

_numbers = itertools.count(1)


def _number(_given):
    return f"invented-{next(_numbers)}"


def _behind(given):
    """A person whose key comes after that of the other one."""
    first = given["person"].pk
    return make(Person, id=uuid.UUID(int=first.int + 1 + uuid.uuid4().int % (2**128 - 1 - first.int)))


#: What a row cannot do without; all else may be unknown. A model stands for a row of it, a function is given what
#: is already known of the row.
LEAST = {
    User: {"username": _number},
    Grant: {"user": User, "person": Person},
    Source: {"title": "An invented report"},
    Organisation: {"name": "Invented Committee"},
    OrganisationName: {"organisation": Organisation, "text": "The Inventors"},
    OrganisationCitation: {"organisation": Organisation, "source": Source},
    Facility: {"name": "Invented Colony"},
    FacilityCitation: {"facility": Facility, "source": Source},
    Provision: {"article": _number},
    Person: {},
    Name: {"person": Person, "text": "Anna Exampleva"},
    Relationship: {"person": Person, "kind": "spouse", "other": Person},
    Recognition: {"person": Person, "body": Organisation, "status": "political_prisoner"},
    ExternalIdentifier: {"person": Person, "scheme": "invented", "value": _number},
    PersonCitation: {"person": Person, "source": Source},
    NotTheSame: {"person": Person, "other": _behind, "why": "Two invented persons", "decided_by": User},
    Detention: {"person": Person},
    Placement: {"detention": Detention},
    Episode: {"detention": Detention, "kind": "hunger_strike"},
    DetentionCitation: {"detention": Detention, "source": Source},
    Case: {"title": "The case of the inventors"},
    Prosecution: {"person": Person},
    ProsecutionDetention: {
        "prosecution": Prosecution,
        "detention": lambda given: make(Detention, person=given["prosecution"].person),
    },
    Charge: {"prosecution": Prosecution, "offence": "inventing"},
    ProsecutionCitation: {"prosecution": Prosecution, "source": Source},
    Verdict: {"prosecution": Prosecution},
    Sentence: {"verdict": Verdict, "kind": "imprisonment"},
    VerdictCitation: {"verdict": Verdict, "source": Source},
    ReleaseEvent: {"title": "An invented release"},
    EventGrant: {"user": User, "event": ReleaseEvent},
    EventRelation: {"event": ReleaseEvent, "kind": "part_of", "other": ReleaseEvent},
    Participation: {"event": ReleaseEvent, "role": "mediator", "name": "Invented Envoy"},
    Concession: {"event": ReleaseEvent, "grantor": "Invented Government", "measure": "nothing at all"},
    OutsideRemit: {"event": ReleaseEvent, "low": 5, "high": 5, "why": "invented soldiers"},
    ReleaseEventCitation: {"event": ReleaseEvent, "source": Source},
    Release: {"person": Person},
    Leg: {"release": Release},
    ReleaseCitation: {"release": Release, "source": Source},
    Sitting: {"event": ReleaseEvent, "source": Source, "started_by": User},
    ListLine: {
        "sitting": Sitting,
        "number": lambda _given: next(_numbers),
        "text": "Anna Exampleva",
        "printed": "Anna Exampleva",
    },
    Note: {"person": Person, "text": "Call the invented family", "written_by": User},
    ReportedFigure: {"source": Source, "subject": "released", "low": 1, "high": 1},
}

#: Every table of both apps that people write to: no history, no proxy.
MODELS = [
    model
    for label in ("tracker", "releases")
    for model in apps.get_app_config(label).get_models()
    if issubclass(model, Row) or model is User
]


def at_least(model, values):
    """The values, and what else a row cannot do without."""
    values = dict(values)
    for name, value in LEAST[model].items():
        if name not in values:
            values[name] = make(value) if value in LEAST else value(values) if callable(value) else value
    return values


def unsaved(model, **values):
    """An object of the model; imprecise dates may be given as EDTF."""
    return change(model(), **at_least(model, values))


def make(model, **values):
    row = unsaved(model, **values)
    row.save()
    return row


def change(row, **values):
    for name, value in values.items():
        field = row._meta.get_field(name)
        setattr(row, name, field.to_python(value) if isinstance(field, ImpreciseDateField) else value)
    return row


def _in_sql(model, values):
    """Columns and what stands in SQL for their values. Text for a range is PostgreSQL's own, if it is no EDTF."""
    for name, value in values.items():
        field = model._meta.get_field(name)
        if isinstance(value, models.Model):
            value = value.pk
        elif isinstance(field, ImpreciseDateField) and isinstance(value, str) and value[:1].isdigit():
            value = field.get_prep_value(value)
        elif isinstance(field, models.JSONField):
            value = Jsonb(value)
        yield field.column, f"%s::{field.db_parameters(connection)['type']}", value


def insert(model, **values):
    """By plain SQL, with what Django would fill in by itself, but no id and no revision. Returns the id."""
    return insert_exactly(model, at_least(model, values))


def insert_exactly(model, values):
    values = dict(values)
    for field in model._meta.concrete_fields:
        if field.name not in values and not field.null and not field.has_db_default():
            default = field.get_default()
            if default is not None:
                values[field.name] = default
    columns, places, parameters = zip(*_in_sql(model, values), strict=True)
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({', '.join(places)}) RETURNING id", parameters
        )
        return cursor.fetchone()[0]


def update(model, pk, **values):
    """By plain SQL."""
    columns, places, parameters = zip(*_in_sql(model, values), strict=True)
    setting = ", ".join(f'"{column}" = {place}' for column, place in zip(columns, places, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {model._meta.db_table} SET {setting} WHERE id = %s", [*parameters, pk])


def delete(model, pk):
    """By plain SQL."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE id = %s", [pk])


@contextlib.contextmanager
def transaction_of_its_own():
    """What is asked at the end of a transaction is asked at the end of this; what came before is asked before it."""
    with transaction.atomic():
        ask_what_is_deferred()
        yield
        ask_what_is_deferred()


def ask_what_is_deferred():
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def refused(act, *args, **kwargs):
    """Calls ``act``, which the database has to refuse; returns what ``explain`` says of it."""
    with pytest.raises(IntegrityError) as caught, transaction_of_its_own():
        act(*args, **kwargs)
    return explain(caught.value)
