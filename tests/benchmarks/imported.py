"""``python tests/benchmarks/imported.py ours|theirs|idle FILE``: one import, telling on standard output how it went.

Both run in a transaction that is rolled back, so that the next one finds the same rows. Run as a file, so that nothing
is loaded that the import does not load. ``theirs`` finds django-import-export in .venv-benchmark.
"""

import json
import os
import sys
import time
from pathlib import Path
from uuid import UUID

ROOT = Path(__file__).parents[2]
sys.path[0] = str(ROOT)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")


def ours(file, source, user):
    """As ``manage.py import`` does it."""
    from tracker.importing import Order, run

    with file.open("rb") as opened:
        result = run(opened, Order("persons", user, name=file.name, source=source), commit=True)
    assert not result.problems, result.problems[:3]
    return result.changed


def theirs(file, bulk):
    """A plain resource of the same columns: the model's own fields, and what their texts need to be read."""
    packages = (ROOT / ".venv-benchmark" / "lib").glob("python*/site-packages")
    sys.path += map(str, packages)  # last: what .venv has as well is taken from there
    import tablib
    from import_export import fields, resources, widgets

    from tracker.models import Person
    from tracker.models.fields import CodedArrayField, ImpreciseDateField

    class Dates(widgets.Widget):
        def clean(self, value, row=None, **kwargs):
            return ImpreciseDateField().to_python(value)

        def render(self, value, obj=None, **kwargs):
            return str(value or "")

    class Key(widgets.Widget):
        def clean(self, value, row=None, **kwargs):
            return UUID(value)

    class Codes(widgets.Widget):
        def clean(self, value, row=None, **kwargs):
            return value.split(";") if value else []

        def render(self, value, obj=None, **kwargs):
            return ";".join(value)

    header = file.open(encoding="utf-8").readline().strip().split(",")
    taken = [field for field in Person._meta.concrete_fields if field.name in header and field.editable]
    apart = {ImpreciseDateField: Dates(), CodedArrayField: Codes()}

    def widget(field):
        return next((one for kind, one in apart.items() if isinstance(field, kind)), None)

    declared = {
        field.name: fields.Field(attribute=field.name, column_name=field.name, widget=widget(field))
        for field in taken
        if widget(field)
    }
    declared["id"] = fields.Field(attribute="id", column_name="id", widget=Key())
    options = {"model": Person, "fields": ["id", *(field.name for field in taken)], "import_id_fields": ["id"]}
    options |= {"use_bulk": True, "batch_size": 1000} if bulk else {}
    resource = type("PersonResource", (resources.ModelResource,), {**declared, "Meta": type("Meta", (), options)})()
    dataset = tablib.Dataset().load(file.read_text(encoding="utf-8"), format="csv")
    result = resource.import_data(dataset, raise_errors=True, use_transactions=True)
    return sum(result.totals.values()) if bulk else result.totals["update"]


def main():
    kind, path, source, bulk = sys.argv[1], Path(sys.argv[2]), sys.argv[3], "bulk" in sys.argv[4:]
    import django

    django.setup()
    import pghistory
    from django.contrib.auth import get_user_model
    from django.db import transaction

    from tests.benchmarks.timed import peak_memory

    user = get_user_model().objects.get(username="generated-editor-1")
    told = {"idle": peak_memory()}
    with transaction.atomic():
        began = time.perf_counter()
        if kind == "ours":
            told["rows"] = ours(path, source, user)
        else:
            with pghistory.context(user=str(user.pk)):
                told["rows"] = theirs(path, bulk)
        told["seconds"] = time.perf_counter() - began
        transaction.set_rollback(True)
    told["peak"] = peak_memory()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
