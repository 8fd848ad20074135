"""Who acts (for the history), and whose copy a reader sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pghistory
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tracker.vocabularies import Audience

Respond = Callable[[HttpRequest], HttpResponse]


class HistoryMiddleware:
    """Every change made in one request is one history context that names the account. No address is kept."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in {"POST", "PUT", "PATCH", "DELETE"}:
            return self.get_response(request)
        user = str(request.user.pk) if request.user.is_authenticated else None
        with pghistory.context(user=user):
            return self.get_response(request)


class AudienceMiddleware:
    """Sets ``request.audience``: None for whoever sees nothing, else the copy that the reading side runs on."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.audience = audience_of(request)
        return self.get_response(request)


def audience_of(request: Any) -> Audience | None:
    """Asks for the account only when the reader has a session: the public copy needs no working database."""
    if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
        audience: Audience | None = request.user.audience
        if audience:
            return audience
    return Audience.PUBLIC if settings.PUBLIC_SITE else None
