"""Frozen versions of the data: made, compared, kept as they are, withdrawn and issued again."""

import csv
import hashlib
import io
import threading
import zipfile
from datetime import UTC, datetime, timedelta

import pghistory
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections, transaction

from tests.copies import Copy
from tracker import comparing, freezing, publication, review
from tracker.dates import parse
from tracker.freezing import Refused, freeze, reissue
from tracker.models import (
    Act,
    DataChunk,
    DataRelease,
    Detention,
    DetentionCitation,
    Name,
    Person,
    PersonCitation,
    Source,
)
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
    tables = [file for file in first.files if file["name"].endswith(".csv")]
    assert tables == [file for file in second.files if file["name"].endswith(".csv")]
    assert len(tables) > 20


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
    assert ("names", str(changed.pk), "changed", "text;language;language_missing") in found
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
    with pytest.raises(Refused, match=r"There is a version 2025\.12\.1 already"):
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


# --- Withdrawn and issued again


def by(user):
    return pghistory.context(user=str(user.pk))


@pytest.fixture
def publish(alice, bob):
    def publish(*records):
        review.submit(records, by=alice)
        publication.publish(records, by=bob)
        for record in records:
            record.refresh_from_db()

    return publish


@pytest.fixture
def enter(alice, source):
    """What Alice types: somebody in detention, cited."""

    def enter(name, source=source, **values):
        with by(alice):
            person = Person.objects.create(**values)
            Name.objects.create(person=person, text=name)
            PersonCitation.objects.create(person=person, source=source)
            detention = Detention.objects.create(person=person, started=parse("2021"))
            DetentionCitation.objects.create(detention=detention, source=source, stated=f"said of {name}")
        return person, detention

    return enter


def everything_in(release):
    """All that stands in any file of a version."""
    with package(release) as file:
        return "\n".join(file.read(name).decode() for name in file.namelist()) + "".join(
            block.decode() for block in release.content("changes.csv")
        )


def versions(audience="public"):
    return {one.version: one.withdrawn_on is None for one in DataRelease.objects.using(audience).all()}


@committed
def test_what_is_withdrawn_is_gone_from_every_version_at_once(enter, publish, alice, bob, client, settings):
    settings.PUBLIC_SITE = True
    (stays, own), (goes, other) = enter("Stays Exampleva", summary="kept"), enter("Goes Exampleva", summary="secret")
    publish(stays, own)
    first = freeze(PUBLIC, by=bob, version="2025.10.1")
    publish(goes, other)
    second, third = (freeze(PUBLIC, by=bob, version=f"2025.{month}.1") for month in (11, 12))
    freeze(Audience.RESEARCHER, by=bob, version="2025.12.1")
    secrets = ["Goes", "secret", str(goes.pk), goes.pid, str(other.pk), str(goes.names.get().pk)]
    assert all(secret in everything_in(second) for secret in secrets)
    url = "/data/versions/2025.11.1/package.zip"
    assert b"".join(client.get(url)) == b"".join(second.content("package.zip"))

    publication.withdraw([goes], by=alice)

    assert versions() == {"2025.10.1": True, "2025.11.1": False, "2025.12.1": False}
    assert versions("researcher") == {"2025.12.1": False}
    answer = client.get(url)
    assert answer.status_code == 410
    assert b"is withdrawn" in answer.content
    assert not DataChunk.objects.using("public").exclude(release=first).exists()
    page = client.get("/data/").content.decode()
    assert second.sha256 in page
    assert "being re-issued" in page
    assert url not in page
    assert "being re-issued" in client.get("/data/versions/2025.11.1/").content.decode()
    with pytest.raises(Refused, match=r"2025\.12\.1 has to be issued again first"):
        freeze(PUBLIC, by=bob)

    done = reissue(PUBLIC)
    assert [release.version for release in done] == ["2025.11.1-r1", "2025.12.1-r1"]
    assert reissue(PUBLIC) == []
    for release, old in zip(done, (second, third), strict=True):
        assert release.moment == old.moment
        text = everything_in(release)
        assert "Stays Exampleva" in text
        assert [secret for secret in secrets if secret in text] == []
        assert old.sha256 in text
        page = client.get(release.get_absolute_url()).content.decode()
        assert [secret for secret in secrets if secret in page] == []
        assert client.get(f"/data/versions/{release.version}/package.zip").status_code == 200
    assert done[0].changes["since"] == "2025.10.1"
    assert done[1].changes["since"] == "2025.11.1-r1"
    page = client.get("/data/").content.decode()
    assert "being re-issued" not in page
    assert second.sha256 in page
    listing = list(csv.DictReader(io.StringIO(client.get("/data/versions.csv").content.decode())))
    assert [(row["version"], bool(row["withdrawn_on"]), row["instead_of"]) for row in listing] == [
        ("2025.12.1-r1", False, "2025.12.1"), ("2025.12.1", True, ""),
        ("2025.11.1-r1", False, "2025.11.1"), ("2025.11.1", True, ""), ("2025.10.1", False, ""),
    ]  # fmt: skip
    assert [row["url"] != "" for row in listing] == [True, False, True, False, True]


@committed
def test_a_version_issued_again_is_issued_again(enter, publish, alice, bob, capsys):
    records = [enter(f"Exampleva {number}") for number in range(3)]
    publish(*(record for pair in records for record in pair))
    freeze(PUBLIC, by=bob, version="2025.12.1")
    for number, (person, _detention) in enumerate(records[:2], 1):
        publication.withdraw([person], by=alice)
        call_command("reissue")
        assert f"2025.12.1-r{number}" in capsys.readouterr().out
    assert versions() == {"2025.12.1": False, "2025.12.1-r1": False, "2025.12.1-r2": True}
    last = DataRelease.objects.using("public").get(version="2025.12.1-r2")
    assert last.reissue_of.version == "2025.12.1"
    assert [row["primary_name"] if "primary_name" in row else row["id"] for row in rows(last, "persons")]
    assert len(rows(last, "persons")) == 1
    call_command("reissue")
    assert "No version" in capsys.readouterr().out


@committed
def test_a_version_of_which_nothing_is_left(enter, publish, alice, bob):
    person, detention = enter("Goes Exampleva")
    publish(person, detention)
    freeze(PUBLIC, by=bob, version="2025.12.1")
    publication.withdraw([person, detention], by=alice)
    (again,) = reissue(PUBLIC)
    assert rows(again, "persons") == rows(again, "sources") == []


@committed
def test_a_version_is_issued_again_with_what_it_said_then(enter, publish, alice, bob):
    """Not with what was edited since."""
    (goes, one), (stays, other) = enter("Goes Exampleva"), enter("Stays Exampleva", summary="as it was")
    publish(goes, one, stays, other)
    freeze(PUBLIC, by=bob, version="2025.12.1")
    with by(alice):
        stays.summary = "as it is"
        stays.save()
    publish(stays)
    publication.withdraw([goes], by=alice)
    (again,) = reissue(PUBLIC)
    assert [row["summary"] for row in rows(again, "persons")] == ["as it was"]


@committed
def test_an_edit_that_withdraws_nothing_changes_no_version(enter, publish, source, alice, bob):
    person, detention = enter("Anna Exampleva", summary="before")
    publish(person, detention)
    release = freeze(PUBLIC, by=bob)
    with by(alice):
        person.summary = "after"
        person.save()
        name = person.names.get()
        name.text = "Hanna Exampleva"
        name.save()
        Name.objects.create(person=person, text="Another Exampleva", position=2)
        other = Source.objects.create(title="Another report")
        PersonCitation.objects.filter(person=person).update(source=other)
        DetentionCitation.objects.filter(detention=detention).update(source=other, stated="another word")
    publish(person, detention)
    with by(alice):
        Name.objects.get(text="Another Exampleva").delete()
    publish(person)
    assert not Source.objects.using("public").filter(pk=source.pk).exists()
    assert rows(release, "sources")[0]["id"] == str(source.pk)
    list(publication.repair())
    assert versions() == {release.version: True}
    with by(alice), transaction.atomic():
        source.refresh_from_db()
        source.disclosure = "staff"
        source.save()
        publication.close(source)
    assert versions() == {release.version: False}, "what nothing in the copy uses any more is in the version still"


@committed
@pytest.mark.parametrize("closes", ["disclosure", "consent", "part", "source", "deletion"])
def test_what_is_closed_is_gone_from_the_versions(enter, publish, alice, bob, closes):
    own = Source.objects.create(title="Her own letter")
    person, detention = enter("Anna Exampleva", source=own)
    publish(person, detention)
    release = freeze(PUBLIC, by=bob)
    assert versions() == {release.version: True}
    with by(alice), transaction.atomic():
        if closes == "disclosure":
            person.disclosure = "staff"
            person.save()
            publication.close(person)
        elif closes == "consent":
            person.consent = "name_withheld"
            person.save()
            publication.close(person)
        elif closes == "part":
            name = person.names.get()
            name.disclosure = "staff"
            name.save()
            publication.close(person)
        elif closes == "source":
            own.refresh_from_db()
            own.disclosure = "staff"
            own.save()
            publication.close(own)
        else:
            publication.withdraw([detention], by=alice)
    assert versions() == {release.version: False}


@committed
def test_what_was_taken_away_before_it_was_closed_is_in_the_version_still(enter, publish, alice, bob):
    person, detention = enter("Anna Exampleva")
    with by(alice), transaction.atomic():
        person.names.all().delete()
        person.label = "wife of the Invented Envoy"
        person.save()
    publish(person, detention)
    release = freeze(PUBLIC, by=bob)
    with by(alice), transaction.atomic():
        person.refresh_from_db()
        person.label = ""
        person.save()
    publish(person)
    assert versions() == {release.version: True}
    with by(alice), transaction.atomic():
        person.refresh_from_db()
        person.consent = "name_withheld"
        person.save()
        publication.close(person)
    assert versions() == {release.version: False}
    (again,) = reissue(PUBLIC)
    assert [row["label"] for row in rows(again, "persons")] == [""]


@committed
def test_a_withdrawal_waits_for_a_version_that_is_being_made(enter, publish, alice, bob, monkeypatch):
    """And takes it along: nothing slips into a version after it was withdrawn."""
    person, detention = enter("Goes Exampleva")
    publish(person, detention)
    keep = freezing._keep
    withdrawing = threading.Thread(target=lambda: withdraw_elsewhere(person, alice))

    def kept(*args, **kwargs):
        withdrawing.start()
        withdrawing.join(1)
        assert withdrawing.is_alive()
        return keep(*args, **kwargs)

    monkeypatch.setattr(freezing, "_keep", kept)
    release = freeze(PUBLIC, by=bob)
    withdrawing.join(30)
    assert versions() == {release.version: False}


def withdraw_elsewhere(person, user):
    try:
        publication.withdraw([person], by=user)
    finally:
        connections.close_all()


@committed
def test_what_is_told_less_exactly_is_gone_from_the_versions(publish, source, alice, bob):
    """Nothing of the record's history is forgotten then: it is made coarser where it stands."""
    with by(alice):
        person = Person.objects.create(label="sister of Goes Exampleva")
        PersonCitation.objects.create(person=person, source=source)
        detention = Detention.objects.create(person=person, started=parse("2021"))
        DetentionCitation.objects.create(detention=detention, source=source)
    publish(person, detention)
    release = freeze(PUBLIC, by=bob)
    assert "Goes" in everything_in(release)
    with by(alice), transaction.atomic():
        person.consent = "name_withheld"
        person.save()
        publication.close(person)
    assert versions() == {release.version: False}
    (again,) = reissue(PUBLIC)
    assert "Goes" not in everything_in(again)
    assert len(rows(again, "persons")) == 1
