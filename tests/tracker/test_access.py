"""Who sees what on the reading side."""

import contextlib

import pytest
from django.db import connections
from django.urls import get_resolver, reverse
from django.utils import timezone

from releases.models import ReleaseEvent
from tests.conftest import ALL_DATABASES
from tests.copies import Copy
from tracker.models import DataChunk, DataRelease, Person, Source

HIDDEN = "00000-00000"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
ARGUMENTS = {
    "rid": HIDDEN,
    "pid": HIDDEN,
    "pk": UNKNOWN_ID,
    "name": "persons",
    "which": "custody",
    "version": "2025.12.1",
}
OPEN = {"login", "logout"}


def pages():
    """Every page of the site but the admin's, with arguments that name nothing."""
    for pattern in get_resolver().url_patterns:
        if getattr(pattern, "name", None) and pattern.name not in OPEN:
            names = pattern.pattern.converters
            yield pattern.name, reverse(pattern.name, kwargs={name: ARGUMENTS[name] for name in names})


def test_the_pages_are_these():
    assert {name for name, _url in pages()} == {
        "home", "events", "event", "persons", "person", "releases", "sources", "source", "data", "codebook",
        "table_csv", "chart_svg", "chart_csv", "package", "data_release", "data_release_file", "data_releases_csv",
        "detentions", "sentences", "person_history", "event_history", "source_history",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "url"), list(pages()))
def test_whoever_is_not_logged_in_is_sent_to_the_login_page(client, name, url):
    """No database is asked (the test may use none), so the answer cannot tell whether there is such a record."""
    response = client.get(url, {"page": "7"})
    assert response.status_code == 302
    assert response.url == f"{reverse('login')}?next={url}%3Fpage%3D7"


@pytest.mark.django_db
def test_an_account_with_no_role_sees_nothing(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("nobody"))
    assert client.get("/persons/").status_code == 302
    assert "there is nothing to show" in client.get("/login/").content.decode()


@pytest.fixture
def public_site(settings):
    settings.PUBLIC_SITE = True


@contextlib.contextmanager
def out_of_reach(*aliases):
    def refuse(_execute, sql, *_rest):
        pytest.fail(f"a database that should not be needed was asked: {sql}")

    with contextlib.ExitStack() as stack:
        for alias in aliases:
            stack.enter_context(connections[alias].execute_wrapper(refuse))
        yield


@pytest.mark.django_db(databases=ALL_DATABASES, transaction=True)
def test_the_public_site_asks_no_other_database(client, public_site):
    copy = Copy("public")
    event = copy.event()
    source = copy.source(url="https://example.org/report")
    person = copy.everything(1, event=event, source=source)
    copy.figure(event, 3, source=source, subject="remaining_in_custody")
    seen = {
        "rid": event.rid,
        "pid": person.pid,
        "pk": source.pk,
        "name": "persons",
        "which": "custody",
        "version": "2025.12.1",
    }
    content = b"of an Invented Person"
    now = timezone.now()
    release = copy.add(
        DataRelease, version=seen["version"], moment=now, frozen_at=now, software="x", size=len(content),
        sha256=64 * "0", files=[], changes={"since": "", "tables": []},
    )  # fmt: skip
    copy.add(DataChunk, release=release, name="package.zip", position=0, content=content)
    with out_of_reach("default", "researcher"):
        for name, _url in pages():
            pattern = next(p for p in get_resolver().url_patterns if getattr(p, "name", None) == name)
            given = {**seen, "name": "package.zip"} if name == "data_release_file" else seen
            url = reverse(name, kwargs={key: given[key] for key in pattern.pattern.converters})
            response = client.get(url)
            assert response.status_code == 200, name
            assert b"Invented Person" in b"".join(response) or name in {
                "home", "events", "sources", "data", "codebook", "chart_svg", "chart_csv", "package", "event_history",
                "source_history", "data_release", "data_releases_csv",
            }  # fmt: skip
            assert "no-store" not in response.headers.get("Cache-Control", "")
        assert client.get("/login/").status_code == 200
        assert client.get("/nothing-here/").status_code == 404


@pytest.mark.django_db(databases=ALL_DATABASES)
def test_each_audience_reads_its_own_copy(client, settings, charlie, alice):
    settings.PUBLIC_SITE = True
    for alias in ALL_DATABASES:
        copy = Copy(alias)
        copy.release(copy.event(f"Event in {alias}"), copy.person(f"Person in {alias}"))
    for user, alias in ((None, "public"), (charlie, "researcher"), (alice, "researcher")):
        if user:
            client.force_login(user)
        text = "".join(
            b"".join(client.get(url)).decode()
            for url in ("/", "/persons/", "/events/", "/releases/", "/data/persons.csv")
        )
        assert f"Person in {alias}" in text
        assert f"Event in {alias}" in text
        for other in set(ALL_DATABASES) - {alias}:
            assert f"in {other}" not in text


@pytest.mark.django_db(databases=ALL_DATABASES)
@pytest.mark.parametrize("as_charlie", [False, True])
def test_what_is_hidden_answers_as_if_it_had_never_been(client, public_site, charlie, as_charlie):
    """Byte for byte: a researcher learns nothing of staff's records, the public nothing of researchers'."""
    if as_charlie:
        client.force_login(charlie)
    held = ["default"] if as_charlie else ["default", "researcher"]
    rows = {}
    for alias in held:
        copy = Copy(alias)
        for model, values in rows.items():
            copy.add(model, **values)
        if not rows:
            person, event, source = copy.person("Hidden Person"), copy.event("Hidden"), copy.source("Hidden")
            rows = {
                Person: {"id": person.id, "pid": person.pid},
                ReleaseEvent: {"id": event.id, "rid": event.rid, "title": "Hidden"},
                Source: {"id": source.id, "title": "Hidden"},
            }
    for name, key, never in (
        ("person", rows[Person]["pid"], HIDDEN),
        ("event", rows[ReleaseEvent]["rid"], HIDDEN),
        ("source", rows[Source]["id"], UNKNOWN_ID),
    ):
        hidden, unknown = client.get(reverse(name, args=[key])), client.get(reverse(name, args=[never]))
        assert hidden.status_code == unknown.status_code == 404
        assert hidden.content == unknown.content
        assert hidden.headers == unknown.headers


@pytest.mark.django_db(databases=ALL_DATABASES)
def test_nothing_that_an_account_reads_is_kept(client, charlie):
    client.force_login(charlie)
    for url in ("/", "/persons/", "/persons/00000-00000/", "/data/persons.csv", "/nothing-here/"):
        response = client.get(url)
        assert "no-store" in response.headers["Cache-Control"], url
        assert response.headers["X-Robots-Tag"] == "noindex", url
    assert '<meta name="robots" content="noindex">' in client.get("/").content.decode()


@pytest.mark.django_db(databases=ALL_DATABASES)
def test_only_staff_are_shown_the_way_to_the_admin(client, alice, charlie):
    copy = Copy("researcher")
    person = copy.person("Invented Person")
    url = reverse("admin:tracker_person_change", args=[person.pk])
    for user, seen in ((alice, True), (charlie, False)):
        client.force_login(user)
        text = client.get(person.get_absolute_url()).content.decode()
        assert (url in text) is seen
        assert (reverse("admin:index") in text) is seen


@pytest.mark.parametrize(("name", "url"), list(pages()))
def test_pages_are_only_read(client, public_site, name, url):
    assert client.post(url).status_code == 405


@pytest.mark.django_db
def test_coming_and_going(client, charlie):
    response = client.post("/login/", {"username": "charlie", "password": "wrong"})
    assert response.status_code == 200
    assert "Please enter a correct username and password" in response.content.decode()
    given = {"username": "charlie", "password": "correct horse battery staple", "next": "/persons/"}
    assert client.post("/login/", given).url == "/persons/"
    assert client.get("/logout/").status_code == 200
    assert "_auth_user_id" in client.session, "a link that is followed logs nobody out"
    client.post("/logout/")
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_login_leads_to_no_other_site(client, charlie):
    given = {"username": "charlie", "password": "correct horse battery staple", "next": "https://example.org/"}
    assert client.post("/login/", given).url == "/"
