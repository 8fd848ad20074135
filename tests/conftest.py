"""The same people everywhere: Alice enters, Bob reviews, Charlie researches."""

import os

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client

from tests import chromium
from tracker.models import EDITOR, RESEARCHER, REVIEWER, Organisation, Person, Source, User

ALL_DATABASES = ["default", "researcher", "public"]
WIDE, PHONE = {"width": 1366, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    """A million rounds for each account would be half of the time that the tests take."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def make_user(name, role, *, staff=True):
    user = User.objects.create_user(name, password="correct horse battery staple", is_staff=staff)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


@pytest.fixture
def alice(db):
    """An editor."""
    return make_user("alice", EDITOR)


@pytest.fixture
def bob(db):
    """A reviewer."""
    return make_user("bob", REVIEWER)


@pytest.fixture
def charlie(db):
    """A researcher: no staff."""
    return make_user("charlie", RESEARCHER, staff=False)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright  # not needed by most of the tests

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox"])
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def browse(browser, live_server):
    """Opens a page in a browser of somebody's own, logged in if an account is given.

    ``complaints`` of the page collects what its console says, CSP violations among it; none may be left in the end.
    """
    opened = []

    def browse(user=None, **options):
        context = browser.new_context(base_url=live_server.url, **{"viewport": WIDE, **options})
        if user:
            client = Client()
            client.force_login(user)
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page = context.new_page()
        opened.append(page)
        page.complaints = []
        page.on(
            "console", lambda message: message.type in {"error", "warning"} and page.complaints.append(message.text)
        )
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        return page

    yield browse
    for page in opened:
        page.context.close()
    assert [complaint for page in opened for complaint in page.complaints] == []


@pytest.fixture
def person(db):
    return Person.objects.create(label="Invented Person")


@pytest.fixture
def source(db):
    return Source.objects.create(title="An invented report", publisher="Invented Times", kind="news")


@pytest.fixture
def organisation(db):
    return Organisation.objects.create(name="Invented Committee")
