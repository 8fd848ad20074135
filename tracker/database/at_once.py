"""A migration step for many models at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations import CreateModel
from django.db.migrations.operations.base import Operation
from pgtrigger.migrations import AddTrigger


class AtOnce(Operation):
    """Create models with all that the following operations add to them.

    Django renders every model anew after each operation: the first migration, of some six hundred, took half a minute
    to do what takes PostgreSQL one second. Here the models are rendered once, in their final state, and made from that.
    Takes operations that create models or add fields, indexes, constraints and triggers to models created with them.
    """

    reversible = True

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: Any) -> None:
        # not rendered, so that nothing is rendered again after each operation
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for kind in (CreateModel, AddTrigger):
            for operation in self.operations:
                if isinstance(operation, kind):
                    operation.database_forwards(app_label, schema_editor, from_state, to_state)
        # foreign keys over several columns need the unique constraints that they point to
        schema_editor.deferred_sql.sort(key=lambda sql: "FOREIGN KEY" in str(sql))

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for operation in reversed(self.operations):
            if isinstance(operation, CreateModel):
                table = from_state.apps.get_model(app_label, operation.name)._meta.db_table
                schema_editor.execute(f"DROP TABLE {schema_editor.quote_name(table)} CASCADE")

    def describe(self) -> str:
        return f"Create {sum(isinstance(operation, CreateModel) for operation in self.operations)} models at once"
