"""Reviewers freeze versions and issue them again, and see who downloaded what; nobody else does."""

import re

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import ALL_DATABASES
from tests.copies import Copy
from tests.tracker.test_freezing import make_release
from tracker.admin import data_releases
from tracker.models import Act, DataRelease, Download, User

anywhere = pytest.mark.django_db(databases=ALL_DATABASES)
committed = pytest.mark.django_db(databases=ALL_DATABASES, transaction=True)

VERSIONS, DOWNLOADS = "/admin/data/", "/admin/downloads/"


def words(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@committed
def test_a_version_is_frozen_withdrawn_and_issued_again(client, bob):
    client.force_login(bob)
    assert "No version yet." in words(client.get(VERSIONS))
    page = client.post(VERSIONS, {"audience": "public", "step": "freeze", "version": "2025.12.1"}, follow=True)
    assert "Version 2025.12.1 (Public) is there." in words(page)
    release = DataRelease.objects.using("public").get()
    assert release.sha256 in page.content.decode()
    page = client.post(VERSIONS, {"audience": "public", "step": "freeze", "version": "2025.12.1"}, follow=True)
    assert "There is a version 2025.12.1 already." in words(page)
    page = client.post(VERSIONS, {"audience": "public", "step": "reissue"}, follow=True)
    assert "No version has to be issued again." in words(page)
    assert "Versions to be issued again" not in words(client.get("/admin/"))

    DataRelease.objects.using("public").all().withdraw()
    assert "Versions to be issued again Public 1 version lost something" in words(client.get("/admin/"))
    page = client.get(VERSIONS)
    assert "1 version has to be issued again" in words(page)
    assert b'value="freeze"' in page.content.split(b'id="of-public"')[0], "that of researchers can be frozen"
    assert b'value="freeze"' not in page.content.split(b'id="of-public"')[1]
    page = client.post(VERSIONS, {"audience": "public", "step": "reissue"}, follow=True)
    assert "Version 2025.12.1-r1 (Public) is there." in words(page)
    assert [(act.kind, act.by, act.why) for act in Act.objects.newest_first()] == [
        ("freeze", bob, "2025.12.1-r1 (public)"),
        ("freeze", bob, "2025.12.1 (public)"),
    ]


@anywhere
def test_an_act_of_freezing_is_listed_and_not_taken_back(client, bob):
    act = Act.objects.create(
        context="00000000-0000-0000-0000-000000000001", kind="freeze", by=bob, why="2025.12.1 (public)", records=0
    )
    client.force_login(bob)
    assert "Data release" in words(client.get(reverse("admin:tracker_acts"), {"kind": "freeze"}))
    here = reverse("admin:tracker_act", args=[act.context])
    page = client.get(here)
    assert "2025.12.1 (public)" in words(page)
    assert "Take this back" not in words(page)
    client.post(here, {"step": "undo", "why": "to see"})
    assert Act.objects.count() == 1


@anywhere
def test_only_for_reviewers(client, alice, bob, charlie):
    make_release()
    DataRelease.objects.using("public").all().withdraw()
    for user, status in ((alice, 403), (charlie, 302), (bob, 200)):
        client.force_login(user)
        for url in (VERSIONS, DOWNLOADS):
            assert client.get(url).status_code == status, (user, url)
        assert client.post(VERSIONS, {"audience": "x", "step": "freeze"}).status_code == (
            404 if user == bob else status
        )
    client.force_login(alice)
    assert "issued again" not in words(client.get("/admin/"))


@anywhere
def test_downloads_are_listed_page_by_page_at_the_same_cost(client, bob, monkeypatch):
    monkeypatch.setattr(data_releases, "LISTED", 10)
    client.force_login(bob)

    def download(number):
        user = User.objects.create(username=f"researcher {number}")
        values = {"query": "sex=female", "audience": "researcher", "rows": number, "size": 9, "sha256": "0" * 64}
        Download.objects.create(by=user, what=f"file {number}.csv", complete=number != 7, **values)

    def queries(url):
        with CaptureQueriesContext(connections["default"]) as captured:
            client.get(url)
        return len(captured)

    download(1)
    one = queries(DOWNLOADS)
    for number in range(2, 26):
        download(number)
    assert queries(DOWNLOADS) == one
    found, url = [], DOWNLOADS
    for _page in range(3):
        text = client.get(url).content.decode()
        found += re.findall(r"file (\d+)\.csv", text)
        older = re.search(r'href="(\?before=\d+)"', text)
        url = f"{DOWNLOADS}{older[1]}" if older else ""
    assert [int(number) for number in found] == list(range(25, 0, -1))
    assert url == ""
    assert "broken off" in client.get(DOWNLOADS, {"before": Download.objects.get(rows=8).pk}).content.decode()
    for wrong in ("x", "-1", "9" * 30, "²"):
        assert client.get(DOWNLOADS, {"before": wrong}).status_code == 404


@anywhere
def test_the_pages_of_versions_cost_the_same_for_many(client, settings):
    settings.PUBLIC_SITE = True
    Copy("public").person("Anna Exampleva")

    def queries(url):
        with CaptureQueriesContext(connections["public"]) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    first = make_release("2025.12.1")
    urls = ("/data/", "/data/versions.csv", "/data/versions/2025.12.1/")
    before = [queries(url) for url in urls]
    for number in range(2, 8):
        make_release(f"2025.12.{number}")
        make_release(f"2025.12.1-r{number}", reissue_of=first)
    assert [queries(url) for url in urls] == before
