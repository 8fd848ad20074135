"""Versions of the data, frozen and issued again; and who took which file away. For reviewers."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from tracker import freezing
from tracker.models import DataRelease, Download, User
from tracker.publication import COPIES
from tracker.vocabularies import Audience

#: downloads on a page
LISTED: Final = 50


def data_releases_view(request: Any) -> HttpResponse:
    _reviewers_only(request)
    if request.method == "POST":
        return _stepped(request)
    listed = [
        (
            audience,
            list(DataRelease.objects.using(audience).select_related("reissue_of").newest_first()),
            set(DataRelease.objects.using(audience).due().values_list("pk", flat=True)),
        )
        for audience in COPIES
    ]
    return _render(request, "data_releases", title=_("Data releases"), listed=listed)


def _stepped(request: Any) -> HttpResponse:
    audience = request.POST.get("audience", "")
    if audience not in COPIES:
        raise Http404
    chosen = Audience(audience)
    try:
        if request.POST.get("step") == "reissue":
            done = freezing.reissue(chosen, by=request.user)
            if not done:
                messages.info(request, _("No version has to be issued again."))
        else:
            done = [freezing.freeze(chosen, by=request.user, version=request.POST.get("version", "").strip())]
    except freezing.Refused as refusal:
        messages.error(request, str(refusal))
        done = []
    for release in done:
        messages.success(request, _("Version %(version)s (%(audience)s) is there.") % {
            "version": release, "audience": chosen.label,
        })  # fmt: skip
    return HttpResponseRedirect(reverse("admin:tracker_data_releases"))


def downloads_view(request: Any) -> HttpResponse:
    _reviewers_only(request)
    before = request.GET.get("before", "")
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise Http404
    rows = Download.objects.select_related("by").newest_first()
    found = list((rows.older_than(int(before)) if before else rows)[: LISTED + 1])
    page = found[:LISTED]
    older = f"?{urlencode({'before': page[-1].pk})}" if len(found) > LISTED else ""
    return _render(request, "downloads", title=_("Downloads"), rows=page, older=older, first=not before)


def due(user: User) -> list[tuple[Audience, int]]:
    """Of each audience with any, how many versions have to be issued again; for whoever can do it."""
    if not user.is_reviewer:
        return []
    numbers = [(audience, DataRelease.objects.using(audience).due().count()) for audience in COPIES]
    return [(audience, number) for audience, number in numbers if number]


def _reviewers_only(request: Any) -> None:
    if not request.user.is_reviewer:
        raise PermissionDenied


def _render(request: Any, template: str, **context: Any) -> HttpResponse:
    request.current_app = admin.site.name
    return TemplateResponse(request, f"admin/{template}.html", {**admin.site.each_context(request), **context})
