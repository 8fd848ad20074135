"""One ZIP of one moment: all CSV files of an audience, and what a stranger needs to read, check and cite them.

A Frictionless Data Package. The same data and the same software make the same bytes: times in the archive are fixed,
and nothing in it depends on when or where it was made but for the day and the version it is told.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.conf import settings
from django.db import connections
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from tracker import citing, clocks, codebook, export
from tracker.columns import Column, Kind, Table, database, rows
from tracker.vocabularies import Audience

DESCRIPTOR: Final = "datapackage.json"
CHANGES: Final = "CHANGES.md"
SUMS: Final = "SHA256SUMS"
_NOT_FROZEN: Final = """\
# Changes

This is not a frozen version: it is of the data as known at {moment}, and is not kept. Whoever
wants to cite the files takes a version from the data page, or gives that moment, by which they can be had again.
"""

_TITLE: Final = "Political prisoners: who is held, sentenced and released"
_WRITTEN_AT: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that the format knows

# EDTF as it is written here: a year, month or day, or two of one size
_EDTF: Final = r"\d{4}(-\d{2}(-\d{2})?)?(/\d{4}(-\d{2}(-\d{2})?)?)?"
_COUNTRY: Final = "[A-Z]{2,3}"
_TYPES: Final[dict[Kind, dict[str, Any]]] = {
    Kind.UUID: {"type": "string", "format": "uuid"},
    Kind.COUNTRY: {"type": "string", "constraints": {"pattern": _COUNTRY}},
    Kind.COUNTRIES: {"type": "string", "constraints": {"pattern": f"{_COUNTRY}(;{_COUNTRY})*"}},
    Kind.DATE: {"type": "date", "format": "default"},
    Kind.EDTF: {"type": "string", "constraints": {"pattern": _EDTF}},
    Kind.MONTH: {"type": "yearmonth"},
    Kind.INTEGER: {"type": "integer"},
    Kind.DECIMAL: {"type": "number"},
    Kind.BOOLEAN: {"type": "boolean", "trueValues": ["true"], "falseValues": ["false"]},
}


@dataclass(frozen=True)
class File:
    name: str
    bytes: int
    sha256: str
    #: of a CSV file, without the header
    rows: int | None = None


@dataclass(frozen=True)
class Written:
    files: tuple[File, ...]


def save(
    path: Path,
    audience: Audience,
    *,
    on: date | None = None,
    known_at: datetime | None = None,
    as_of: Callable[[datetime], None] = lambda _moment: None,
    progress: Callable[[str, int], None] = lambda _name, _size: None,
) -> Written:
    """The package of this moment, or of ``known_at``, as a file, in place of one of before when it is complete.

    ``as_of`` is told the moment; ``on`` is its day (UTC) unless given. Raises ``Refused``.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(prefix=".package-", dir=path.parent)
    except OSError as error:
        raise export.Refused(
            _("Nothing can be written to %(directory)s: %(why)s.") % {"directory": path.parent, "why": error.strerror}
        ) from error
    try:
        with open(handle, "wb") as file, export.snapshot(audience, known_at) as moment:
            as_of(moment)
            written = write(file, audience, moment, on=on, progress=progress)
        # what is not for the public is for the account that made it alone, as mkstemp leaves it
        if audience is Audience.PUBLIC:
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(unfinished, 0o666 & ~umask)
        os.replace(unfinished, path)
    except OSError as error:
        raise export.Refused(
            _("Writing to %(directory)s failed: %(why)s. The files of before are as they were.")
            % {"directory": path.parent, "why": error.strerror}
        ) from error
    finally:
        Path(unfinished).unlink(missing_ok=True)
    return written


def write(
    file: Path | IO[bytes],
    audience: Audience,
    moment: datetime,
    *,
    version: str = "",
    on: date | None = None,
    changes: str = "",
    progress: Callable[[str, int], None] = lambda _name, _size: None,
) -> Written:
    """Writes the package of the moment that ``export.snapshot`` gave: within it alone its files are of one moment.

    ``version`` and ``changes`` (the text of CHANGES.md) are those of a frozen version; ``on`` is the day of what
    depends on one, unless given that of the moment (UTC). ``progress`` is told each file and its size.
    """
    day = export.day_of(moment)
    if not connections[database(audience)].in_atomic_block:
        raise RuntimeError("A package is written of one moment: open its transaction first.")
    files: list[File] = []
    with ZipFile(file, "w") as archive:

        def add(name: str, blocks: Iterable[bytes], count: Callable[[], int | None] = lambda: None) -> None:
            digest, size = hashlib.sha256(), 0
            entry = ZipInfo(name, _WRITTEN_AT)
            entry.compress_type = ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = 0o644 << 16
            with archive.open(entry, "w", force_zip64=True) as member:
                for block in blocks:
                    member.write(block)
                    digest.update(block)
                    size += len(block)
            files.append(File(name, size, digest.hexdigest(), count()))
            progress(name, size)

        tables = export.tables_for(audience)
        for table in tables:
            number: list[int] = []
            add(
                export.filename(table),
                export.stream(table, audience, on=on or day, told=number.append),
                lambda number=number: number[-1],  # type: ignore[misc]
            )
        texts = {
            DESCRIPTOR: _descriptor(tables, audience, {one.name: one for one in files}, version, day),
            codebook.NAME: codebook.text(export.TABLES, audience),
            CHANGES: changes or _NOT_FROZEN.format(moment=clocks.display(moment)),
            "HOW-TO-CITE.txt": how_to_cite(audience, version, day),
            "CITATION.cff": _citation(audience, version, day),
            "LICENCE.txt": f"{settings.DATA_LICENCE}\n{_licence()}\n",
        }
        for name, text in texts.items():
            add(name, [text.encode()])
        sums = "".join(f"{one.sha256}  {one.name}\n" for one in files)
        add(SUMS, [sums.encode()])
    return Written(tuple(files))


# --- How to cite


def address() -> str:
    """Where the data page is, by the first name that the site is reached at."""
    host = settings.ALLOWED_HOSTS[0].lstrip(".")
    return f"{'http' if settings.DEBUG else 'https'}://{host}{reverse('data')}"


def _named(audience: Audience) -> str:
    return f"{_TITLE} ({audience} files)"


def how_to_cite(audience: Audience, version: str, on: date) -> str:
    line = citing.text(_named(audience), address(), on, version=version)
    return (
        f"{line}\n\nName the table as well where you rely on one. A fact is somebody's word: where you rely on one,"
        " cite the source\nthat citations.csv names for it.\n"
    )


def _citation(audience: Audience, version: str, on: date) -> str:
    """Citation File Format 1.2.0. Every JSON string is a YAML string."""
    fields: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use these data, cite them as below.",
        "type": "dataset",
        "title": _named(audience),
        "authors": [{"name": settings.ORGANISATION}],
        **({"version": version} if version else {}),
        "date-released": on.isoformat(),
        "license": settings.DATA_LICENCE,
        "url": address(),
    }
    return "".join(f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in fields.items())


def _licence() -> str:
    return f"https://spdx.org/licenses/{quote(settings.DATA_LICENCE)}.html"


# --- The descriptor


def _descriptor(tables: list[Table], audience: Audience, files: dict[str, File], version: str, on: date) -> str:
    keys = _holding(tables, audience)
    with translation.override("en"):
        described = {
            "profile": "data-package",
            "name": f"political-prisoners-{audience}",
            "title": _named(audience),
            "description": f"Read {codebook.NAME} first: who is in these files, what they cover, what they miss.",
            **({"version": version} if version else {}),
            "created": f"{on.isoformat()}T00:00:00Z",
            "homepage": address(),
            "licenses": [{"name": settings.DATA_LICENCE, "path": _licence()}],
            "contributors": [{"title": settings.ORGANISATION, "role": "publisher"}],
            "sources": [{"title": "The publications listed in sources.csv; citations.csv says which says what."}],
            "resources": [_resource(table, audience, files[export.filename(table)], keys) for table in tables],
        }
    return json.dumps(described, ensure_ascii=False, indent=1) + "\n"


def _resource(table: Table, audience: Audience, file: File, keys: dict[tuple[str, str], str]) -> dict[str, Any]:
    columns = table.columns_for(audience)
    pointers = [
        {"fields": column.name, "reference": {"resource": "" if target == table.name else target, "fields": "id"}}
        for column in columns
        if (target := keys.get((table.name, column.name)))
    ]
    return {
        "name": table.name,
        "path": file.name,
        "profile": "tabular-data-resource",
        "title": table.name.replace("_", " "),
        "description": str(table.definition),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
        "dialect": {
            "delimiter": ",",
            "lineTerminator": "\r\n",
            "quoteChar": '"',
            "doubleQuote": True,
            "header": True,
            "skipInitialSpace": False,
        },
        "schema": {
            "fields": [_field(table, column) for column in columns],
            "missingValues": [""],
            "primaryKey": list(table.key),
            **({"foreignKeys": pointers} if pointers else {}),
        },
    }


def _field(table: Table, column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": column.name,
        "title": str(column.label),
        "description": str(column.definition),
        **_TYPES.get(column.kind, {"type": "string"}),
    }
    constraints = dict(field.pop("constraints", {}))
    if column.values is not None:
        codes = column.values.codes()
        if column.kind is Kind.CODE:
            constraints["enum"] = list(codes)
        else:
            constraints["pattern"] = f"({'|'.join(codes)})(;({'|'.join(codes)}))*"
    if (column.name,) == table.key:
        constraints |= {"required": True, "unique": True}
    elif _always_filled(table, column):
        constraints["required"] = True
    return field | ({"constraints": constraints} if constraints else {})


def _always_filled(table: Table, column: Column) -> bool:
    """A foreign key that no row is without."""
    if column.kind is not Kind.UUID or not column.field or len(table.models) != 1:
        return False
    return not table.model._meta.get_field(column.field).null


def _holding(tables: list[Table], audience: Audience) -> dict[tuple[str, str], str]:
    """(table, column) → the table in which what it points to is always to be found.

    Not ``persons``, for those who were never held are in no row of it: only the computed tables keep to its rows.
    """
    names = {table.name for table in tables}
    whole = {table.model: table.name for table in reversed(tables) if len(table.models) == 1 and table.rows is rows}
    found = {}
    for table in tables:
        for column in table.columns_for(audience):
            target = column.to
            if column.field and column.kind is Kind.UUID and column.name != "id":
                field: Any = table.models[0]._meta.get_field(column.field)
                target = whole.get(field.related_model, "")
            if target in names:
                found[table.name, column.name] = target
    return found
