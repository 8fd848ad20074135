"""The same people everywhere: Alice enters, Bob reviews, Charlie researches."""

import pytest
from django.contrib.auth.models import Group

from tracker.models import EDITOR, RESEARCHER, REVIEWER, Organisation, Person, Source, User

ALL_DATABASES = ["default", "researcher", "public"]


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


@pytest.fixture
def person(db):
    return Person.objects.create(label="Invented Person")


@pytest.fixture
def source(db):
    return Source.objects.create(title="An invented report", publisher="Invented Times", kind="news")


@pytest.fixture
def organisation(db):
    return Organisation.objects.create(name="Invented Committee")
