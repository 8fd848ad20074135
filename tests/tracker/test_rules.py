"""What the database refuses, in words: ``explain`` finds the rule, the field and the sentence."""

import pgtrigger
import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.questioner import NonInteractiveMigrationQuestioner
from django.db.migrations.state import ProjectState

from releases.models import Release
from tests.breaches import rules_of
from tests.rows import MODELS, insert, insert_exactly, make, refused, unsaved, update
from tracker.models import Detention, Name, Person, User
from tracker.models.rules import STALE, Check, CompositeForeignKey, Guard, StaleError, Unique, explain

EVERY_MODEL = [pytest.param(model, id=model.__name__) for model in MODELS]


# --- The sentences


def sentences():
    for model in MODELS:
        for rule, sentence in rules_of(model).items():
            yield pytest.param(model, rule, sentence, id=f"{model.__name__}-{rule}")


@pytest.mark.parametrize(("model", "rule", "sentence"), list(sentences()))
def test_every_rule_speaks_to_a_person(model, rule, sentence):
    if sentence is None:
        # only what cannot be broken, because it holds the primary key
        (constraint,) = (c for c in model._meta.constraints if c.name == rule)
        assert "id" in constraint.fields
        return
    text = str(sentence)
    assert text[0].isupper() or text[0] == "“"
    assert text.endswith((".", ")."))
    assert len(text.split()) >= 4
    assert "_" not in text.replace("base_units", "")
    assert rule not in text
    assert "violat" not in text
    assert "constraint" not in text


@pytest.mark.parametrize("model", EVERY_MODEL)
def test_a_sentence_stands_beside_a_field_there_is(model):
    names = {field.name for field in model._meta.concrete_fields}
    for constraint in model._meta.constraints:
        assert getattr(constraint, "field", "") in names | {""}
    for registered, trigger in pgtrigger.registered():
        if registered is model and isinstance(trigger, Guard):
            assert trigger.field in names | {""}


def test_a_name_is_one_rule():
    """PostgreSQL tells rules apart by table; people who read a log do not."""
    seen = {}
    for model in MODELS:
        for constraint in model._meta.constraints:
            assert seen.setdefault(constraint.name, model) is model


# --- What PostgreSQL calls a constraint leads back to the field


class Diag:
    def __init__(self, **values):
        self.constraint_name = self.table_name = self.column_name = None
        self.__dict__.update(values)


def error(cause, **values):
    cause = type(cause, (Exception,), {})()
    cause.diag = Diag(**values)
    wrapped = IntegrityError("as PostgreSQL words it")
    wrapped.__cause__ = cause
    return wrapped


KINDS = {"c": "CheckViolation", "f": "ForeignKeyViolation", "u": "UniqueViolation"}


@pytest.mark.parametrize("model", EVERY_MODEL)
def test_every_constraint_of_one_column_leads_to_its_field(db, model):
    """All that PostgreSQL has, named by Django, by PostgreSQL or by us; names of long tables are cut."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT conname, contype::text, array_agg(attname::text)
            FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
            WHERE conrelid = %s::regclass AND contype IN ('c', 'f', 'u') GROUP BY 1, 2
            """,
            [model._meta.db_table],
        )
        rows = cursor.fetchall()
    assert rows
    fields = {field.column: field.name for field in model._meta.concrete_fields}
    for name, kind, columns in rows:
        if len(columns) == 1 and name not in rules_of(model):
            refusal = explain(error(KINDS[kind], constraint_name=name, table_name=model._meta.db_table))
            assert refusal.field == fields[columns[0]], name
            assert str(refusal.sentence).endswith(".")


def test_an_empty_column_leads_to_its_field(db):
    refusal = refused(insert, Name, text=None)
    assert (refusal.table, refusal.field) == ("tracker_name", "text")
    assert "empty" in str(refusal.sentence)


def test_a_value_taken_twice(db):
    user = make(User, username="invented")
    refusal = refused(unsaved(User, username=user.username).save)
    assert (refusal.table, refusal.field) == ("tracker_user", "username")
    assert "already" in str(refusal.sentence)


def test_a_pid_taken_twice(db):
    person = make(Person)
    refusal = refused(insert, Person, pid=person.pid)
    assert refusal.field == "pid"


def test_what_is_not_there_cannot_be_referred_to(db):
    refusal = refused(insert_exactly, Detention, {"person": unsaved(Person)})
    assert (refusal.table, refusal.field) == ("tracker_detention", "person")
    assert "does not exist" in str(refusal.sentence)


def test_a_rule_that_two_tables_share_has_the_field_of_each(db):
    for table, field in (("releases_leg", "happened"), ("releases_release", "released_on")):
        refusal = explain(
            error("IntegrityConstraintViolation", constraint_name="leg_not_before_release", table_name=table)
        )
        assert (refusal.table, refusal.field) == (table, field)


def test_what_nobody_thought_of_is_named():
    refusal = explain(error("ExclusionViolation", constraint_name="something_new", table_name="tracker_person"))
    assert "something_new" in str(refusal.sentence)
    # the words of an error may quote what its reader must not see
    refusal = explain(IntegrityError("no cause at all"))
    assert "no cause at all" not in str(refusal.sentence)
    assert str(refusal.sentence)


def test_a_stale_object_is_explained_wherever_it_is_found():
    assert explain(StaleError("revision 1 is not 2")).rule == STALE
    refusal = explain(error("IntegrityConstraintViolation", constraint_name=STALE, table_name="tracker_person"))
    assert refusal.rule == STALE
    assert "Nothing was saved" in str(refusal.sentence)


# --- Sentences are no part of migrations, and survive what Django does to constraints


@pytest.mark.parametrize("model", EVERY_MODEL)
def test_a_sentence_is_kept_by_a_copy_and_left_out_of_migrations(model):
    for constraint in model._meta.constraints:
        if isinstance(constraint, Check | Unique | CompositeForeignKey):
            assert str(constraint.clone().sentence) == str(constraint.sentence)
            assert constraint.clone().field == constraint.field
            assert not constraint.deconstruct()[2].keys() & {"sentence", "field", "violation_error_message"}
            assert constraint.clone() == constraint


def test_the_migrations_know_every_rule():
    loader = MigrationLoader(None)
    detector = MigrationAutodetector(
        loader.project_state(),
        ProjectState.from_apps(apps),
        NonInteractiveMigrationQuestioner(),
    )
    changes = detector.changes(graph=loader.graph)
    assert not {label for label in changes if label in {"tracker", "releases"}}


def test_a_composite_foreign_key_is_asked_at_the_end(db):
    (key,) = (c for c in Release._meta.constraints if isinstance(c, CompositeForeignKey))
    with connection.cursor() as cursor:
        cursor.execute("SELECT condeferrable, condeferred FROM pg_constraint WHERE conname = %s", [key.name])
        assert cursor.fetchall() == [(True, True)]


def test_positions_are_asked_at_the_end(db):
    names = [
        constraint.name
        for model in MODELS
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and "position" in constraint.fields
    ]
    assert len(names) == 3
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE condeferred AND conname = ANY (%s)", [names])
        assert {name for (name,) in cursor.fetchall()} == set(names)


def test_rules_hold_in_the_copies_too():
    """The copies are made by the same migrations; nothing routes a rule away from them."""
    assert not settings.DATABASE_ROUTERS


def test_a_refusal_leaves_the_transaction_as_it_was(db):
    person = make(Person, label="before")
    refused(update, Person, person.pk, revision=9)
    person.refresh_from_db()
    assert person.label == "before"
