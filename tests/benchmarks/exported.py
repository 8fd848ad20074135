"""``python tests/benchmarks/exported.py ours|csv|import_export TABLE ROWS``: one export, telling how it went.

Run as a file, so that nothing is loaded that the way does not load. ``ROWS`` is how many rows the two others are
given: they are slow, and rows per second are compared. django-import-export is found in .venv-benchmark.
"""

import csv
import json
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[0] = str(ROOT)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")


def ours(table, _most, file):
    from tracker import export
    from tracker.vocabularies import Audience

    number = []
    for block in export.stream(table, Audience.STAFF, told=number.append):
        file.write(block)
    return number[-1]


def by_csv(table, most, file):
    """The fields of the table as Django reads them."""
    import io

    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    fields = list(dict.fromkeys(column.field for column in table.columns if column.field))
    writer.writerow(fields)
    rows = table.model.objects.unsealed().order_by("id").values_list(*fields)[:most]
    number = 0
    for row in rows.iterator():
        writer.writerow(row)
        number += 1
    text.detach()
    return number


def by_import_export(table, most, file):
    packages = (ROOT / ".venv-benchmark" / "lib").glob("python*/site-packages")
    sys.path += map(str, packages)  # last: what .venv has as well is taken from there
    from import_export import resources

    fields = list(dict.fromkeys(column.field for column in table.columns if column.field))
    meta = type("Meta", (), {"model": table.model, "fields": fields})
    resource = type("Exported", (resources.ModelResource,), {"Meta": meta})()
    dataset = resource.export(queryset=table.model.objects.unsealed().order_by("id")[:most])
    file.write(dataset.csv.encode())
    return len(dataset)


WAYS = {"ours": ours, "csv": by_csv, "import_export": by_import_export}


def main():
    way, name, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
    import django

    django.setup()
    from django.db import connection

    from tests.benchmarks.timed import peak_memory
    from tracker import export

    table = export.get_table(name)
    connection.ensure_connection()
    told = {"idle": peak_memory()}
    with tempfile.TemporaryFile() as file:
        began = time.perf_counter()
        told["rows"] = WAYS[way](table, most, file)
        told["seconds"] = time.perf_counter() - began
    told["peak"] = peak_memory()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
