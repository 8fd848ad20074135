"""Frozen versions of the data: made, compared, kept as they are, withdrawn and issued again."""

import csv
import hashlib
import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections, transaction

from tests.copies import Copy
from tracker import comparing, freezing
from tracker.dates import parse
from tracker.freezing import Refused, freeze, reissue
from tracker.models import Act, DataChunk, DataRelease, Detention, Name, Person
from tracker.models.rules import explain
from tracker.vocabularies import Audience

PUBLIC = Audience.PUBLIC
ALL = ["default", "researcher", "public"]

anywhere = pytest.mark.django_db(databases=ALL)
committed = pytest.mark.django_db(databases=ALL, transaction=True)


@pytest.fixture
def copy():
    return Copy("public")


def held(copy, *names):
    person = copy.person(*names)
    copy.add(Detention, person=person, started=parse("2021"))
    return person


def package(release):
    return zipfile.ZipFile(io.BytesIO(b"".join(release.content("package.zip"))))


def rows(release, table):
    return list(csv.DictReader(io.StringIO(package(release).read(f"{table}.csv").decode())))


def listed(release):
    return list(csv.DictReader(io.StringIO(b"".join(release.content("changes.csv")).decode())))


def make_release(version="2025.12.1", using="public", content=b"x", **values):
    moment = values.pop("moment", datetime(2025, 12, 20, 10, tzinfo=UTC))
    values = {"files": [], "changes": {"since": "", "tables": []}, "software": "invented", "frozen_at": moment} | values
    release = DataRelease.objects.using(using).create(
        version=version, moment=moment, size=len(content), sha256=hashlib.sha256(content).hexdigest(), **values
    )
    DataChunk.objects.using(using).create(release=release, name="package.zip", position=0, content=content)
    return release


# --- Freezing


@committed
def test_a_version_holds_the_files_as_they_are(copy, bob):
    person = held(copy, "Anna Exampleva")
    release = freeze(PUBLIC, by=bob)
    release = DataRelease.objects.using("public").get()
    today = datetime.now(UTC)
    assert release.version == f"{today.year}.{today.month}.1"
    assert [row["id"] for row in rows(release, "persons")] == [str(person.pk)]
    content = b"".join(release.content("package.zip"))
    assert (len(content), hashlib.sha256(content).hexdigest()) == (release.size, release.sha256)
    for file in release.files:
        found = package(release).read(file["name"])
        assert (file["bytes"], file["sha256"]) == (len(found), hashlib.sha256(found).hexdigest())
        if file["name"].endswith(".csv"):
            assert file["rows"] == len(rows(release, file["name"].removesuffix(".csv")))
    changes = package(release).read("CHANGES.md").decode()
    assert release.version in changes
    assert "The first version" in changes
    assert freezing.software() in changes
    assert list(release.content("changes.csv")) == []
    act = Act.objects.get()
    assert (act.kind, act.by, act.why) == ("freeze", bob, f"{release.version} (public)")
    assert not DataRelease.objects.using("researcher").exists()
    assert not DataRelease.objects.exists()


@committed
def test_the_same_data_make_the_same_package(copy, bob):
    held(copy, "Anna Exampleva")
    first, second = freeze(PUBLIC, by=bob, version="2025.12.1"), freeze(PUBLIC, by=bob, version="2025.12.2")
    same = [file for file in first.files if file["name"] != "CHANGES.md"]
    assert same == [file for file in second.files if file["name"] != "CHANGES.md"]


@committed
def test_a_large_package_is_kept_in_pieces(copy, bob, monkeypatch):
    monkeypatch.setattr(freezing, "CHUNK", 1000)
    held(copy, "Anna Exampleva")
    release = freeze(PUBLIC, by=bob)
    pieces = list(release.content("package.zip"))
    assert len(pieces) == -(-release.size // 1000) > 2
    assert hashlib.sha256(b"".join(pieces)).hexdigest() == release.sha256


@committed
def test_what_changed_since_the_version_before(copy, bob):
    stays, goes, changes = (held(copy, name) for name in ("Stays", "Goes Exampleva", "Changes"))
    gone = goes.names.get()
    before = freeze(PUBLIC, by=bob, version="2025.11.1")
    Detention.objects.using("public").filter(person=goes).delete()
    Name.objects.using("public").filter(pk=gone.pk).delete()
    changed = changes.names.get()
    Name.objects.using("public").filter(pk=changed.pk).update(text='Has "changed",\nindeed', language="be")
    comes = copy.add(Name, person=stays, text="Comes", position=2)
    after = freeze(PUBLIC, by=bob, version="2025.12.1")
    numbers = {table["table"]: table for table in after.changes["tables"]}
    assert after.changes["since"] == before.version
    names = numbers["names"]
    assert (names["added"], names["removed"], names["changed"]) == (1, 1, 1)
    assert numbers["persons"]["removed"] == 1
    found = {(row["table"], row["id"], row["change"], row["columns"]) for row in listed(after)}
    assert ("names", str(comes.pk), "added", "") in found
    assert ("names", str(changed.pk), "changed", "text;language") in found
    assert len([row for row in found if row[0] == "names"]) == 2
    words = package(after).read("CHANGES.md").decode()
    assert "Since version 2025.11.1" in words
    assert "names: 1 row added; 1 row removed; 1 row changed." in words
    assert "Nothing changed in: " in words
    for file in (words, b"".join(after.content("changes.csv")).decode()):
        for name in (str(goes.pk), goes.pid, str(gone.pk), "Goes"):
            assert name not in file, "what is gone is counted, not named"


def test_columns_and_tables_that_came_and_went(db, tmp_path):
    def write(name, **tables):
        with zipfile.ZipFile(tmp_path / name, "w") as file:
            for table, text in tables.items():
                file.writestr(f"{table}.csv", text.replace("\n", "\r\n"))
        return tmp_path / name

    before = write("before", a='id,old,"sa""me"\n1,x,y\n', b="month,number\n1,2\n1,2\n", c="id\n1\n", same="id,x\n1,\n")
    after = write("after", a='id,"sa""me",new\n1,y,z\n', b="month,number\n1,2\n3,4\n", d="id\n1\n", same="id,x\n1,\n")
    out = io.BytesIO()
    changes = comparing.compare(before, after, out, since="1", using="default")
    assert list(comparing.sentences(changes)) == [
        "a: new columns: new; columns gone: old.",
        "b: 1 row added; 1 row removed.",
        "d: a new table.",
        "c: this table is gone.",
        "Nothing changed in: same.",
    ]
    assert out.getvalue() == comparing.HEADER


@committed
def test_who_may_freeze_and_what_it_is_called(copy, alice, bob, charlie):
    for user in (alice, charlie):
        with pytest.raises(Refused, match="Only a reviewer"):
            freeze(PUBLIC, by=user)
    with pytest.raises(Refused, match="staff see what nobody has checked"):
        freeze(Audience.STAFF, by=bob)
    for version in ("1", "2025.13.1", "2025.1", "2025.12.1-r1", "2025.12.01", "2025.12.1\n"):
        with pytest.raises(Refused, match="is no version"):
            freeze(PUBLIC, by=bob, version=version)
    freeze(PUBLIC, by=bob, version="2025.12.1")
    with pytest.raises(Refused, match="There is a version 2025.12.1 already"):
        freeze(PUBLIC, by=bob, version="2025.12.1")
    freeze(Audience.RESEARCHER, by=bob, version="2025.12.1")
    assert Act.objects.count() == 2


@anywhere
def test_the_next_version_of_a_month(copy):
    assert freezing.next_version(PUBLIC, datetime(2025, 12, 1)) == "2025.12.1"
    for version in ("2025.12.1", "2025.12.9", "2025.12.10", "2025.1.30"):
        make_release(version)
    make_release("2025.12.10-r1", reissue_of=DataRelease.objects.using("public").get(version="2025.12.10"))
    assert freezing.next_version(PUBLIC, datetime(2025, 12, 31)) == "2025.12.11"
    assert freezing.next_version(PUBLIC, datetime(2026, 2, 1)) == "2026.2.1"


@committed
def test_the_command(copy, bob, alice, capsys):
    held(copy, "Anna Exampleva")
    call_command("freeze", "--audience", "public", "--by", "bob", "--as", "2025.12.1")
    release = DataRelease.objects.using("public").get()
    assert release.sha256 in capsys.readouterr().out
    for options, sentence in (
        (["--audience", "nobody", "--by", "bob"], "no audience “nobody”"),
        (["--audience", "public", "--by", "nobody"], "no account nobody"),
        (["--audience", "public", "--by", "alice"], "Only a reviewer"),
        (["--audience", "staff", "--by", "bob"], "staff see"),
    ):
        with pytest.raises(CommandError, match=sentence):
            call_command("freeze", *options)
    assert DataRelease.objects.using("public").count() == 1


# --- Kept as it is


def refused(act):
    with pytest.raises(IntegrityError) as caught, transaction.atomic(using="public"):
        act()
    return explain(caught.value).rule


@anywhere
def test_a_version_is_never_changed_and_never_deleted():
    release = make_release()
    one = DataRelease.objects.using("public").filter(pk=release.pk)
    chunks = DataChunk.objects.using("public").filter(release=release)
    for values in ({"version": "2025.12.2"}, {"sha256": "0" * 64}, {"size": 7}, {"files": [1]}, {"changes": {}}):
        assert refused(lambda values=values: one.update(**values)) == "data_release_stays_as_it_is"
    assert refused(lambda: chunks.update(content=b"y")) == "data_chunk_stays_as_it_is"
    assert refused(chunks.delete) == "data_chunk_goes_with_its_version"
    assert refused(lambda: one._raw_delete("public")) in {"data_release_is_kept", "foreign_key"}
    one.withdraw()
    assert not chunks.exists()
    assert refused(lambda: one.update(withdrawn_on=None)) == "data_release_stays_as_it_is"
    assert refused(lambda: one._raw_delete("public")) == "data_release_is_kept"
    piece = DataChunk(release=release, name="package.zip", position=0, content=b"x")
    assert refused(lambda: piece.save(using="public")) == "data_chunk_is_of_a_standing_version"


@anywhere
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"version": "2025.12.0"}, "data_release_version"),
        ({"version": "latest"}, "data_release_version"),
        ({"version": "2025.12.1-r1"}, "data_release_reissue_says_so"),
        ({"frozen_at": datetime(2025, 12, 20, 9, tzinfo=UTC)}, "data_release_of_the_past"),
    ],
)
def test_what_a_version_cannot_be(values, rule):
    assert refused(lambda: make_release(**values)) == rule


@anywhere
def test_a_version_is_there_once():
    first = make_release()
    with pytest.raises(IntegrityError), transaction.atomic(using="public"):
        make_release()
    assert refused(lambda: make_release("2025.12.2", reissue_of=first)) == "data_release_reissue_says_so"


@anywhere
def test_which_versions_are_due():
    first, second = make_release("2025.12.1"), make_release("2025.12.2", moment=datetime(2025, 12, 21, tzinfo=UTC))
    releases = DataRelease.objects.using("public")
    assert not releases.due().exists()
    releases.filter(pk=first.pk).withdraw()
    assert list(releases.due()) == [first]
    later = first.frozen_at + timedelta(days=9)
    again = make_release("2025.12.1-r1", reissue_of=first, frozen_at=later)
    assert not releases.due().exists()
    releases.filter(pk=again.pk).withdraw()
    assert list(releases.due()) == [again]
    assert list(releases.newest_first()) == [second, again, first]
