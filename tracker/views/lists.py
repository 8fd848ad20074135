"""What all lists have in common."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tracker.filters import Filter


def show_list(request: HttpRequest, template: str, chosen: Filter, page: Any, **context: Any) -> HttpResponse:
    """A list that was asked for something that cannot be read says so, and finds nothing."""
    status = HTTPStatus.OK if chosen.is_valid() else HTTPStatus.BAD_REQUEST
    return render(request, template, {"filter": chosen, "page": page, **context}, status=status)
