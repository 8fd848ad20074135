"""The package: what is in it, that others can read and check it, and that the same data make the same bytes."""

import csv
import hashlib
import io
import json
import re
import warnings
import zipfile
from datetime import UTC, datetime
from uuid import UUID

import duckdb
import frictionless
import pandas
import polars
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.urls import reverse

from releases.loading import load_events, load_reference
from releases.models import Release
from tests.benchmarks import generate
from tests.benchmarks.world import World
from tests.conftest import ALL_DATABASES
from tests.rows import make
from tests.tracker.test_export import NASTY, fill
from tracker import codebook, export, package
from tracker.models import (
    Charge,
    Detention,
    Facility,
    Name,
    Organisation,
    Person,
    PersonCitation,
    Placement,
    Prosecution,
    Provision,
    Recognition,
    Relationship,
    User,
)
from tracker.vocabularies import Audience

MOMENT = datetime(2025, 12, 14, 18, 30, tzinfo=UTC)
PUBLIC, RESEARCHER, STAFF = Audience.PUBLIC, Audience.RESEARCHER, Audience.STAFF

# for all of them: where nobody asks for it, no database is made for the tests
pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)
committed = pytest.mark.django_db(databases=ALL_DATABASES, transaction=True)


def unpacked(directory, audience, **options):
    path = directory / "package.zip"
    written = package.write(path, audience, MOMENT, **options)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(directory / "package")
    return directory / "package", written


def demo():
    load_reference()
    load_events(by=make(User))


def nasty():
    """Two hundred generated persons, and what is hard to read: text that looks like a number, until it does not."""
    with connection.cursor() as cursor:
        for block in World(200, 1).blocks():
            for table, lines in block.items():
                generate.copy_in(cursor, table, lines)
    for number, text in enumerate(NASTY):
        person = make(Person, label=text, summary=text, home_town=text)
        make(Name, person=person, text=f"Invented; {number}")
        make(Name, person=person, text=str(number), position=2)
        make(Relationship, person=person, note=text)
        make(Detention, person=person)
        make(Recognition, person=person, body=make(Organisation, name=text))
        make(PersonCitation, person=person, locator=str(number), quote=text)
        make(Placement, detention=make(Detention), facility=make(Facility, name=text, number=str(number)))
        make(Charge, provision=make(Provision, country="LT", article=str(number)), paragraph=str(number))
        make(Release, person=person)
    # first in their files: a reader that takes an article for a number by its first rows fails at the first that is none
    for number, text in enumerate(("361-1", "2021-05", "true", "1e5", "12:30", "007", "NaN", "inf", "-"), 1):
        person = make(Person, home_town=text)
        make(Placement, facility=make(Facility, id=UUID(int=number), number=text))
        prosecution = make(Prosecution, id=UUID(int=number))
        provision = make(Provision, id=UUID(int=number), country="LT", article=text)
        make(Charge, prosecution=prosecution, provision=provision, paragraph=text)
        make(PersonCitation, person=person, locator=text)


WORLDS = {"empty": lambda: None, "demo": demo, "small": lambda: fill("default"), "nasty": nasty}


@pytest.fixture(scope="module")
def packages(django_db_setup, django_db_blocker, tmp_path_factory):
    """Each world's, made once."""
    made = {}
    with django_db_blocker.unblock():
        for name, build in WORLDS.items():
            with transaction.atomic():
                build()
                made[name] = unpacked(tmp_path_factory.mktemp(name), STAFF)[0]
                transaction.set_rollback(True)
    return made


@pytest.fixture(params=WORLDS)
def unzipped(request, packages):
    return packages[request.param]


def resources(unzipped):
    return json.loads((unzipped / package.DESCRIPTOR).read_text(encoding="utf-8"))["resources"]


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))


# --- Others read it


def test_frictionless_finds_nothing_wrong(unzipped):
    report = frictionless.validate(str(unzipped / package.DESCRIPTOR))
    found = [(task.name, error.message) for task in report.tasks for error in task.errors]
    assert (found[:5], report.errors) == ([], [])
    assert not [task.warnings for task in report.tasks if task.warnings]
    assert len(report.tasks) == len(export.tables_for(STAFF))


BREAKING = {
    "persons.csv": (b",female,", b",femail,"),
    "detentions.csv": (b"2021-03-01", b"2021-03-32"),
    "placements.csv": (b"00000000-0000-0000-0000-000000000004", b"00000000-0000-0000-0000-000000000044"),
    "legs.csv": (b",2,onward", b",two,onward"),
    "persons_flat.csv": (b"BY;UA", b"Belarus"),
}


@pytest.mark.parametrize("name", BREAKING)
def test_frictionless_would_find_it(packages, name, tmp_path):
    """What is wrong in one cell is seen, besides the hash that is another then."""
    for path in packages["small"].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    right, wrong = BREAKING[name]
    content = (tmp_path / name).read_bytes()
    assert right in content
    (tmp_path / name).write_bytes(content.replace(right, wrong, 1))
    report = frictionless.validate(str(tmp_path / package.DESCRIPTOR))
    (task,) = [task for task in report.tasks if task.name == name.removesuffix(".csv")]
    kinds = {error.type for error in task.errors}
    assert "hash-count" in kinds or "byte-count" in kinds
    assert kinds - {"hash-count", "byte-count"}


def of_pandas(path):
    frame = pandas.read_csv(path)
    return len(frame), {name: (str(frame[name].dtype), int(frame[name].isna().sum())) for name in frame.columns}


def of_polars(path):
    frame = polars.read_csv(path)
    return frame.height, {name: (str(frame[name].dtype), frame[name].null_count()) for name in frame.columns}


def of_duckdb(path):
    with duckdb.connect() as database:
        table = database.sql(f"SELECT * FROM '{path}'")
        ((height,),) = database.sql(f"SELECT count(*) FROM '{path}'").fetchall()
        cells = ", ".join(f'count(*) - count("{name}")' for name in table.columns)
        (empty,) = database.sql(f"SELECT {cells} FROM '{path}'").fetchall()
        columns = zip(table.columns, table.types, empty, strict=True)
        return height, {name: (str(kind), none) for name, kind, none in columns}


# What a column of each type becomes. Dates: only DuckDB makes some of text by itself; Booleans with empty cells are
# objects in pandas, as integers are floats.
READERS = {
    "pandas": (of_pandas, {
        "integer": ("int64", "float64"), "number": ("float64",), "boolean": ("bool", "object"), "date": ("str",),
        "yearmonth": ("str",),
    }),
    "polars": (of_polars, {
        "integer": ("Int64",), "number": ("Float64",), "boolean": ("Boolean",), "date": ("String",),
        "yearmonth": ("String",),
    }),
    "duckdb": (of_duckdb, {
        "integer": ("BIGINT",), "number": ("DOUBLE",), "boolean": ("BOOLEAN",), "date": ("DATE",),
        "yearmonth": ("VARCHAR",),
    }),
}  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
def test_it_opens_without_options(unzipped, reader):
    read, types = READERS[reader]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for resource in resources(unzipped):
            path = unzipped / resource["path"]
            rows = rows_of(path)
            height, columns = read(path)
            assert height == len(rows), path.name
            assert list(columns) == [field["name"] for field in resource["schema"]["fields"]]
            for field in resource["schema"]["fields"]:
                kind, empty = columns[field["name"]]
                cells = [row[field["name"]] for row in rows]
                words = {"NULL", "NaN"} if reader == "pandas" else set()  # pandas takes them for nothing
                assert empty == sum(1 for cell in cells if not cell or cell in words), (path.name, field["name"])
                if field["type"] in types and any(cells):
                    assert kind in types[field["type"]], (path.name, field["name"], kind)


def test_every_type_occurs(packages):
    """So that the tests above can fail."""
    seen = {
        field["type"]
        for resource in resources(packages["nasty"])
        for field in resource["schema"]["fields"]
        if any(row[field["name"]] for row in rows_of(packages["nasty"] / resource["path"]))
    }
    assert seen == {"string", "date", "yearmonth", "integer", "number", "boolean"}


# --- What is in it


def test_what_is_written_is_told(tmp_path):
    fill("public")
    folder, written = unpacked(tmp_path, PUBLIC)
    assert {file.name for file in written.files} == {path.name for path in folder.iterdir()}
    assert [file.name for file in written.files][-7:] == [
        "datapackage.json", "CODEBOOK.md", "CHANGES.md", "HOW-TO-CITE.txt", "CITATION.cff", "LICENCE.txt", "SHA256SUMS",
    ]  # fmt: skip
    for file in written.files:
        content = (folder / file.name).read_bytes()
        assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert file.rows == (len(rows_of(folder / file.name)) if file.name.endswith(".csv") else None)
    sums = dict(reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert sums == {file.name: file.sha256 for file in written.files if file.name != "SHA256SUMS"}
    assert (folder / "CODEBOOK.md").read_text() == codebook.text(export.TABLES, PUBLIC)
    assert "Anna Exampleva" in (folder / "persons_flat.csv").read_text()


def test_a_frozen_version_says_which(tmp_path, settings):
    settings.ORGANISATION, settings.DATA_LICENCE = "Invented Organisation", "CC-BY-4.0"
    settings.ALLOWED_HOSTS, settings.DEBUG = ["www.example.org"], False
    folder, _written = unpacked(tmp_path, PUBLIC, version="2025.12.1", changes="# Changes\n\nNone.\n")
    described = json.loads((folder / "datapackage.json").read_text())
    assert (described["version"], described["created"]) == ("2025.12.1", "2025-12-14T00:00:00Z")
    assert described["licenses"] == [{"name": "CC-BY-4.0", "path": "https://spdx.org/licenses/CC-BY-4.0.html"}]
    assert (folder / "CHANGES.md").read_text() == "# Changes\n\nNone.\n"
    cited = (folder / "HOW-TO-CITE.txt").read_text()
    assert cited.startswith("Invented Organisation, “Political prisoners: who is held, sentenced and released")
    assert "version 2025.12.1, 2025-12-14, https://www.example.org/data/ (CC-BY-4.0)." in cited
    assert 'version: "2025.12.1"' in (folder / "CITATION.cff").read_text()
    (tmp_path / "plain").mkdir()
    folder, _written = unpacked(tmp_path / "plain", PUBLIC)
    assert "as known at 2025-12-14T18:30:00.000000Z" in (folder / "CHANGES.md").read_text()
    assert "version" not in json.loads((folder / "datapackage.json").read_text())


def test_the_same_data_make_the_same_bytes(tmp_path):
    fill("public")
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    for path in (first, second):
        package.write(path, PUBLIC, MOMENT)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:  # the two were made within a second
        assert {(entry.date_time, entry.create_system) for entry in archive.infolist()} == {((1980, 1, 1, 0, 0, 0), 3)}
    Name.objects.using("public").update(text="Changed")
    package.write(second, PUBLIC, MOMENT)
    assert first.read_bytes() != second.read_bytes()


def test_pointers_are_those_that_hold(tmp_path):
    folder, _written = unpacked(tmp_path, PUBLIC)
    pointers = {
        f"{resource['name']}.{pointer['fields']}": pointer["reference"]["resource"]
        for resource in resources(folder)
        for pointer in resource["schema"].get("foreignKeys", [])
    }
    assert pointers["placements.detention_id"] == "detentions"
    assert pointers["citations.source_id"] == "sources"
    assert pointers["reported_figures.part_of_id"] == ""
    # relatives have names, and what was left with a merged person is in no row of persons.csv
    assert {name for name, target in pointers.items() if target == "persons"} == {
        "persons_flat.id",
        "custody_spells.person_id",
    }


def test_it_asks_for_an_open_moment(tmp_path):
    with pytest.raises(RuntimeError, match="of one moment"), outside_of_a_transaction("public"):
        package.write(tmp_path / "package.zip", PUBLIC, MOMENT)


class outside_of_a_transaction:
    def __init__(self, alias):
        self.connection = connections[alias]

    def __enter__(self):
        self.was, self.connection.in_atomic_block = self.connection.in_atomic_block, False

    def __exit__(self, *_error):
        self.connection.in_atomic_block = self.was


# --- The command and the address


def call(path, audience="public", **options):
    call_command("export", zip=path, audience=audience, stderr=io.StringIO(), **options)
    return path.read_bytes()


@committed
def test_the_command_writes_one_file_and_makes_it_again(tmp_path):
    fill("public")
    one = call(tmp_path / "new" / "one.zip")
    Name.objects.using("public").update(text="Changed")
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        (moment,) = re.findall(r"as known at (\S+),", archive.read("CHANGES.md").decode())
    assert call(tmp_path / "two.zip", known_at=moment) == one
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "two.zip"]
    with zipfile.ZipFile(tmp_path / "two.zip") as archive:
        assert archive.testzip() is None
    call(tmp_path / "staff.zip", "staff")
    assert (tmp_path / "staff.zip").stat().st_mode & 0o077 == 0
    assert (tmp_path / "two.zip").stat().st_mode & 0o044


@committed
def test_what_fails_leaves_the_file_of_before(tmp_path):
    fill("public")
    before = call(tmp_path / "one.zip")

    def fail(name, size):
        if name == "releases.csv":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        package.save(tmp_path / "one.zip", PUBLIC, progress=fail)
    assert [path.name for path in tmp_path.iterdir()] == ["one.zip"]
    assert (tmp_path / "one.zip").read_bytes() == before


@pytest.mark.parametrize("options", [{"table": ["persons"]}, {"excel": True}])
def test_a_package_is_whole(tmp_path, options):
    with pytest.raises(CommandError, match="leave --table and --excel away"):
        call(tmp_path / "one.zip", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("here before")
    with pytest.raises(CommandError, match=r"Nothing can be written to .*file: "):
        call(tmp_path / "file" / "one.zip")


@committed
def test_it_can_be_downloaded(client, settings, tmp_path):
    settings.PUBLIC_SITE = True
    fill("public")
    response = client.get(reverse("package"))
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"] == 'attachment; filename="package.zip"'
    content = b"".join(response)
    assert int(response["Content-Length"]) == len(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert b"Anna Exampleva" in archive.read("names.csv")
    assert reverse("package") in client.get(reverse("data")).content.decode()
    assert client.get(reverse("package"), {"sex": "female"}).status_code == 400
