"""Accounts for trying out. Their passwords are public, so they exist under DEBUG only."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction

from tracker.models import EDITOR, RESEARCHER, REVIEWER, User


@dataclass(frozen=True)
class Login:
    username: str
    password: str
    role: str


DEMO_LOGINS = (
    Login("editor", "demo-editor-2025", EDITOR),
    Login("reviewer", "demo-reviewer-2025", REVIEWER),
    Login("researcher", "demo-researcher-2025", RESEARCHER),
)


class DemoRefused(Exception):
    """Demo accounts were asked for where real people work."""


def ensure_accounts() -> dict[str, User]:
    """The demo accounts by role, made where they are missing. Raises ``DemoRefused`` unless ``DEBUG`` is on."""
    if not settings.DEBUG:
        raise DemoRefused("Demo accounts have public passwords. They are made only with DEBUG=1.")
    accounts = {}
    with transaction.atomic():
        for login in DEMO_LOGINS:
            group = Group.objects.get_or_create(name=login.role)[0]
            user = User.objects.filter(username=login.username).first()
            if user is None:
                user = User.objects.create_user(
                    login.username, password=login.password, is_staff=login.role != RESEARCHER
                )
            user.groups.add(group)
            accounts[login.role] = user
    return accounts
