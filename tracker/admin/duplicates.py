"""Persons that look like one: compared and merged, or told apart for good."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from tracker import matching
from tracker.admin.base import status_in_words, to, visible
from tracker.models import NotTheSame, Person
from tracker.models.identity import in_order
from tracker.models.rules import explain
from tracker.names import clean

#: So many pairs are looked for, the likeliest first; when these are decided, the next come.
PAIRS = 200
PER_PAGE = 20


def tell_apart(request: Any, one: Person, two: Person) -> bool:
    """Remember that they are two, with the reason that was posted; says what refused it, if something does."""
    why = clean(request.POST.get("why", ""))
    try:
        with transaction.atomic():
            NotTheSame.objects.create(**in_order(one, two), why=why, decided_by=request.user)
    except IntegrityError as error:
        messages.error(request, str(explain(error).sentence))
        return False
    messages.success(request, _("Remembered: “%(one)s” and “%(two)s” are not the same.") % {"one": one, "two": two})
    return True


def duplicates_view(request: Any) -> HttpResponse:
    here = reverse("admin:tracker_person_duplicates")
    if request.method == "POST":
        return _decided(request, here)
    agreeing, told_apart = request.GET.get("agree") == "1", request.GET.get("apart") == "1"
    rows: Any = _apart(request) if told_apart else _alike(request, agreeing=agreeing)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("p"))
    entries = list(page)
    people = {person.pk for row in entries for person in (row.person, row.other)}
    known: Any = Person.objects.filter(pk__in=people).with_status(timezone.localdate())
    statuses = {row.pk: status_in_words(row) for row in known}
    query = {name: "1" for name in ("agree", "apart") if request.GET.get(name) == "1"}
    request.current_app = admin.site.name
    context = {
        **admin.site.each_context(request),
        "opts": Person._meta,
        "title": _("Duplicates"),
        "page": page,
        "pairs": [
            (
                row,
                [(to(person), person, statuses.get(person.pk, "")) for person in (row.person, row.other)],
                _merge(row),
            )
            for row in entries
        ],
        "agreeing": agreeing,
        "told_apart": told_apart,
        "query": f"{urlencode(query)}&" if query else "",
        "here": here,
        "most": PAIRS,
    }
    return TemplateResponse(request, "admin/duplicates.html", context)


def _alike(request: Any, *, agreeing: bool) -> list[matching.Pair]:
    found = matching.duplicates(viewer=request.user, limit=PAIRS)
    return [pair for pair in found if not agreeing or all(reason.agrees is not False for reason in pair.reasons)]


def _apart(request: Any) -> Any:
    rows = NotTheSame.objects.visible_to(request.user).select_related("person", "other", "decided_by")
    return rows.prefetch_related("person__names", "other__names").order_by("-decided_at", "pk")


def _merge(row: Any) -> str:
    """Where the two are compared; the one of which more is known by name is offered as the kept one."""
    first, second = row.person, row.other
    if len(second.names.all()) > len(first.names.all()):
        first, second = second, first
    return f"{reverse('admin:tracker_person_merge', args=[first.pk])}?{urlencode({'other': str(second.pk)})}"


def _decided(request: HttpRequest, here: str) -> HttpResponse:
    if "take-back" in request.POST:
        rows = NotTheSame.objects.visible_to(request.user)
        _key(rows, request.POST["take-back"]).delete()
        messages.success(request, _("That they are not the same is taken back."))
        return HttpResponseRedirect(f"{here}?apart=1")
    people = visible(Person.objects.filter(merged_into=None), request.user).prefetch_related("names")
    tell_apart(request, *(_key(people, request.POST.get(name, "")) for name in ("person", "other")))
    return HttpResponseRedirect(f"{here}?{urlencode(request.GET)}" if request.GET else here)


def _key(rows: Any, key: str) -> Any:
    """The row, or the answer of a page that never was; also for what cannot be a key."""
    try:
        wanted = rows.model._meta.pk.to_python(key)
    except ValidationError:
        wanted = None
    return get_object_or_404(rows, pk=wanted)
