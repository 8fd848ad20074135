"""Coming and going."""

from __future__ import annotations

from django.contrib.auth import views as auth
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache

login = auth.LoginView.as_view(template_name="tracker/login.html")


@never_cache
def logout(request: HttpRequest) -> HttpResponseBase:
    """Asks first: a link on every page needs no form on every page, and no page carries a token of its own."""
    if request.method == "POST":
        return auth.LogoutView.as_view()(request)
    return render(request, "tracker/logout.html")
