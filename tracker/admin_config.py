"""The site of staff, and how it is installed.

This stands outside the package of the admin: apps are loaded before their models, which the admin needs, and the
site before what registers with it.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _


class StaffSite(AdminSite):
    site_title = _("Tracker")
    site_header = _("Tracker")
    index_title = _("What there is to do")
    index_template = "admin/work.html"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        from tracker.admin.base import works_here

        return works_here(request.user)

    def get_urls(self) -> list[Any]:
        """Without Django's way from a key to a page of the site, which asks nobody whether the record is sealed."""
        from tracker.admin.acts import act_view, acts_view
        from tracker.admin.data_releases import data_releases_view, downloads_view
        from tracker.admin.importing import import_view, preview_view

        return [
            path("acts/", self.admin_view(acts_view), name="tracker_acts"),
            path("acts/<uuid:context>/", self.admin_view(act_view), name="tracker_act"),
            path("import/", self.admin_view(import_view), name="tracker_import"),
            path("import/<uuid:upload>/", self.admin_view(preview_view), name="tracker_import_preview"),
            path("data/", self.admin_view(data_releases_view), name="tracker_data_releases"),
            path("downloads/", self.admin_view(downloads_view), name="tracker_downloads"),
            *(pattern for pattern in super().get_urls() if getattr(pattern, "name", None) != "view_on_site"),
        ]

    def index(self, request: Any, extra_context: Any = None) -> TemplateResponse:
        from tracker.admin.index import work

        return super().index(request, {"work": work(request.user), **(extra_context or {})})

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """There is one way in, with everything that guards it: the site's own."""
        from django.contrib.auth.views import redirect_to_login

        if request.user.is_authenticated and self.has_permission(request):
            return HttpResponseRedirect(reverse(f"{self.name}:index"))
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse(f"{self.name}:index"), reverse("login"))


class StaffAdminConfig(AdminConfig):
    default_site = "tracker.admin_config.StaffSite"
