"""What accounts take away is logged; what they searched for, and readers without an account, are not."""

import csv
import hashlib
import io
import re
import zipfile

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from tests.copies import Copy
from tests.tracker.test_freezing import make_release
from tracker import export
from tracker.downloads import KEPT, Rows
from tracker.models import Download, Name
from tracker.views import data

ALL = ["default", "researcher", "public"]
pytestmark = pytest.mark.django_db(databases=ALL)


@pytest.fixture
def copy():
    copy = Copy("researcher")
    copy.everything(1, event=copy.event(), source=copy.source())
    return copy


@pytest.fixture
def reader(client, charlie):
    client.force_login(charlie)
    return client


def test_a_table_is_logged_with_what_was_asked_for(copy, reader, charlie):
    for number in range(2, 5):
        copy.everything(number, event=copy.event(), source=copy.source())
    Name.objects.using("researcher").filter(position=2).update(text='With "quotation" marks,\r\nand "line" breaks')
    content = b"".join(reader.get("/data/names.csv"))
    download = Download.objects.get()
    assert (download.by, download.what, download.audience, download.query) == (charlie, "names.csv", "researcher", "")
    assert (download.rows, download.size, download.complete) == (8, len(content), True)
    assert download.sha256 == hashlib.sha256(content).hexdigest()


def test_names_and_texts_searched_for_are_not_kept(copy, reader):
    asked = {"name": "Exampleva", "sex": "female", "on": "2025-12-01", "excel": "1", "citizenship": ""}
    list(reader.get("/data/persons.csv", asked))
    list(reader.get("/data/sources.csv", {"text": "Exampleva"}))
    assert list(Download.objects.values_list("what", "query").order_by("pk")) == [
        ("persons.excel.csv", "excel=1&name=…&on=2025-12-01&sex=female"),
        ("sources.csv", "text=…"),
    ]


def test_every_filter_is_kept_or_hidden_on_purpose(rf):
    """A new filter that takes a free text is hidden by itself; one that is chosen from a list is kept."""
    request = rf.get("/")
    request.audience = "researcher"
    hidden = {
        name
        for filters in data.FILTERS.values()
        for name, field in filters.of(
            request, filters._meta.model.objects.none() if filters._meta.model else None
        ).form.fields.items()
        if not isinstance(field, KEPT)
    }
    assert hidden == {"name", "text", "title"}


def test_a_download_that_breaks_off_is_logged_as_such(copy, reader, monkeypatch):
    for number in range(2, 20):
        copy.everything(number, event=copy.event(), source=copy.source())
    monkeypatch.setattr(export, "BLOCK", 10)
    response = reader.get("/data/names.csv")
    blocks = response.streaming_content
    taken = next(blocks) + next(blocks)
    response._iterator.close()  # as the server does, but with the connections of the test
    download = Download.objects.get()
    rows = taken.count(b"\r\n") - 1
    assert 0 < rows < Name.objects.using("researcher").count()
    assert (download.complete, download.rows, download.size) == (False, rows, len(taken))
    assert download.sha256 == hashlib.sha256(taken).hexdigest()


def test_a_table_that_fails_halfway_is_logged_as_such(copy, reader, monkeypatch):
    def failing(*args, **kwargs):
        yield b"id\r\n1\r\n"
        raise RuntimeError("the server went away")

    monkeypatch.setattr(export, "stream", failing)
    with pytest.raises(RuntimeError, match="went away"):
        list(reader.get("/data/names.csv"))
    assert Download.objects.get().complete is False


@pytest.mark.django_db(databases=ALL, transaction=True)
def test_a_package_is_logged(copy, reader):
    content = b"".join(reader.get("/data/package.zip"))
    download = Download.objects.get()
    assert (download.what, download.size, download.complete) == ("package.zip", len(content), True)
    assert download.sha256 == hashlib.sha256(content).hexdigest()
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        tables = [name for name in file.namelist() if name.endswith(".csv")]
        assert download.rows == sum(len(list(csv.reader(io.StringIO(file.read(n).decode())))) - 1 for n in tables)


def test_a_frozen_file_is_logged(reader):
    release = make_release(using="researcher", content=b"invented", files=[{"name": "a.csv", "rows": 3, "bytes": 9}])
    url = reverse("data_release_file", args=[release.version, "package.zip"])
    response = reader.get(url)
    assert response.headers["Content-Length"] == "8"
    assert b"".join(response) == b"invented"
    download = Download.objects.get()
    assert (download.what, download.rows) == ("researcher-2025.12.1-package.zip", 3)
    assert download.sha256 == release.sha256


def test_what_is_refused_and_what_is_only_asked_about_is_no_download(copy, reader):
    for url in ("/data/nothing.csv", "/data/names.csv?x=1", "/data/versions/2025.12.1/package.zip"):
        assert reader.get(url).status_code in {400, 404}
    reader.head("/data/names.csv")
    assert not Download.objects.exists()


def test_of_a_reader_without_an_account_nothing_is_kept_and_nothing_is_asked(settings, django_assert_num_queries):
    settings.PUBLIC_SITE = True
    copy = Copy("public")
    copy.everything(1, event=copy.event(), source=copy.source())
    make_release()
    with django_assert_num_queries(0, connection=connections["default"]):
        for url in (
            "/data/", "/data/names.csv", "/data/persons.csv?name=Exampleva", "/data/versions/2025.12.1/",
            "/data/versions/2025.12.1/package.zip", "/data/versions.csv",
        ):  # fmt: skip
            response = Client().get(url)
            assert response.status_code == 200, url
            b"".join(response)
    assert not Download.objects.exists()


CELLS = st.text(alphabet=st.sampled_from('ab",\r\n;x'))


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2)), st.integers(1, 9))
def test_rows_are_counted_whatever_stands_in_them(rows, size):
    def cell(text):
        return '"' + text.replace('"', '""') + '"' if re.search('[",\r\n]', text) else text

    text = "".join(",".join(map(cell, row)) + "\r\n" for row in [["a", "b"], *rows]).encode()
    counted = Rows()
    for start in range(0, len(text), size):
        counted.count(text[start : start + size])
    assert counted.total == len(rows)
