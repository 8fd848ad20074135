"""Who may read the pages of the reading side, and that no browser or search engine keeps what somebody read."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

View = Callable[..., HttpResponseBase]


def reader(view: View) -> View:
    """A page of the reading side: whoever has no audience is sent to the login page, whatever they asked for."""

    @require_safe
    @wraps(view)
    def page(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.audience is None:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return page


class NoNulMiddleware:
    """PostgreSQL holds no NUL, so an address that asks for one asks for nothing that can be there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", "") or "\0" in request.path:
            return HttpResponseBadRequest(_("The address holds a character that cannot be searched for."))
        return self.get_response(request)


class PrivateMiddleware:
    """An answer to a browser with a session is not kept by it, by a proxy or by a search engine, errors included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            patch_cache_control(response, private=True, no_store=True)
            response["X-Robots-Tag"] = "noindex"
        return response
