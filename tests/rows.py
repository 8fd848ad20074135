"""The least that makes a row of each model, through Django and in plain SQL, and how to see what the database refuses."""

import contextlib
import itertools

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from releases.models import (
    Concession,
    EventGrant,
    EventRelation,
    Leg,
    Participation,
    Release,
    ReleaseCitation,
    ReleaseEvent,
    ReleaseEventCitation,
    ReportedFigure,
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


def _linked():
    person = make(Person)
    return {"prosecution": make(Prosecution, person=person), "detention": make(Detention, person=person)}


#: What a row cannot do without. All else may be unknown.
LEAST = {
    User: lambda: {"username": f"invented-{next(_numbers)}"},
    Grant: lambda: {"user": make(User), "person": make(Person)},
    Source: lambda: {"title": "An invented report"},
    Organisation: lambda: {"name": "Invented Committee"},
    OrganisationName: lambda: {"organisation": make(Organisation), "text": "The Inventors"},
    OrganisationCitation: lambda: {"organisation": make(Organisation), "source": make(Source)},
    Facility: lambda: {"name": "Invented Colony"},
    FacilityCitation: lambda: {"facility": make(Facility), "source": make(Source)},
    Provision: lambda: {"article": f"900-{next(_numbers)}"},
    Person: dict,
    Name: lambda: {"person": make(Person), "text": "Anna Exampleva"},
    Relationship: lambda: {"person": make(Person), "kind": "spouse", "other": make(Person)},
    Recognition: lambda: {"person": make(Person), "body": make(Organisation), "status": "political_prisoner"},
    ExternalIdentifier: lambda: {"person": make(Person), "scheme": "invented", "value": str(next(_numbers))},
    PersonCitation: lambda: {"person": make(Person), "source": make(Source)},
    Detention: lambda: {"person": make(Person)},
    Placement: lambda: {"detention": make(Detention)},
    Episode: lambda: {"detention": make(Detention), "kind": "hunger_strike"},
    DetentionCitation: lambda: {"detention": make(Detention), "source": make(Source)},
    Case: lambda: {"title": "The case of the inventors"},
    Prosecution: lambda: {"person": make(Person)},
    ProsecutionDetention: _linked,
    Charge: lambda: {"prosecution": make(Prosecution), "offence": "inventing"},
    ProsecutionCitation: lambda: {"prosecution": make(Prosecution), "source": make(Source)},
    Verdict: lambda: {"prosecution": make(Prosecution)},
    Sentence: lambda: {"verdict": make(Verdict), "kind": "imprisonment"},
    VerdictCitation: lambda: {"verdict": make(Verdict), "source": make(Source)},
    ReleaseEvent: lambda: {"title": "An invented release"},
    EventGrant: lambda: {"user": make(User), "event": make(ReleaseEvent)},
    EventRelation: lambda: {"event": make(ReleaseEvent), "kind": "part_of", "other": make(ReleaseEvent)},
    Participation: lambda: {"event": make(ReleaseEvent), "role": "mediator", "name": "Invented Envoy"},
    Concession: lambda: {"event": make(ReleaseEvent), "grantor": "Invented Government", "measure": "nothing at all"},
    ReleaseEventCitation: lambda: {"event": make(ReleaseEvent), "source": make(Source)},
    Release: lambda: {"person": make(Person)},
    Leg: lambda: {"release": make(Release)},
    ReleaseCitation: lambda: {"release": make(Release), "source": make(Source)},
    ReportedFigure: lambda: {"source": make(Source), "subject": "released", "low": 1, "high": 1},
}

#: Every table of both apps that people write to: no history, no proxy.
MODELS = [
    model
    for label in ("tracker", "releases")
    for model in apps.get_app_config(label).get_models()
    if issubclass(model, Row) or model is User
]


def unsaved(model, **values):
    """An object of the model; imprecise dates may be given as EDTF."""
    return change(model(), **{**LEAST[model](), **values})


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
        yield field.column, f"%s::{field.db_parameters(connection)['type']}", value


def insert(model, **values):
    """By plain SQL, with what Django would fill in by itself, but no id and no revision. Returns the id."""
    return insert_exactly(model, {**LEAST[model](), **values})


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
