"""Accounts and their roles: for whoever set the site up."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tracker.models import User


@admin.register(User)
class AccountAdmin(UserAdmin):
    """An account is switched off, never deleted: its name stands in the history."""

    list_display = ("username", "first_name", "last_name", "role", "is_staff", "is_active", "last_login")
    list_filter = ("groups", "is_staff", "is_active")
    fieldsets = (
        (None, {"fields": ("username", "password", ("first_name", "last_name"), "email")}),
        (
            _("What the account may do"),
            {
                "fields": ("groups", ("is_active", "is_staff", "is_superuser")),
                "description": _("Editors and reviewers are staff. Researchers are not. Sealed records need a grant."),
            },
        ),
    )
    filter_horizontal = ()
    ordering = ("username",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description=_("roles"))
    def role(self, obj: User) -> str:
        return ", ".join(sorted(group.name for group in obj.groups.all()))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _set_up(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _set_up(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _set_up(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _set_up(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _set_up(request: Any) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


# the roles are fixed, and what each may do stands in the code
if admin.site.is_registered(Group):
    admin.site.unregister(Group)
