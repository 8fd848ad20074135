"""The first page: how many are held, who came out, where they went; and each of its charts as a file."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Any

from csp.constants import NONE
from csp.decorators import csp
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from releases import reconciliation, tally
from tracker import charts, citing, custody_counts, figures
from tracker.access import reader
from tracker.filters import DayFilter
from tracker.models import Person


class DayForm(forms.Form):
    """The day that the numbers are told for: the one asked for, else today."""

    on = DayFilter(label=gettext_lazy("On the day")).field

    @property
    def day(self) -> date:
        return self.cleaned_data.get("on") or timezone.localdate()


@reader
def home(request: Any) -> HttpResponse:
    using = request.audience
    form = DayForm(request.GET)
    if not form.is_valid():
        return render(request, "tracker/home.html", {"form": form}, status=HTTPStatus.BAD_REQUEST)
    on = form.day
    series = custody_counts.by_month(using, on)
    said = list(figures.others(using, on))
    came_out = tally.came_out(using, on)
    return render(
        request,
        "tracker/home.html",
        {
            "form": form,
            "on": on,
            "is_today": on == timezone.localdate(),
            "persons": Person.objects.using(using).counted().count(),
            "held": series[-1],
            "held_rows": figures.rows("persons", custody="any", on=on, certain="yes"),
            "perhaps_rows": figures.rows("persons", custody="any", on=on, certain="no"),
            "released": tally.journeys(using).count(),
            "released_rows": figures.rows("releases", outcome="confirmed", once="yes"),
            "undated": came_out.undated,
            "over_time": figures.over_time(series, said),
            "said": [(figures.mark(place), figure) for place, figure in enumerate(said)],
            "sums": reconciliation.sums_of(said, using),
            "now": [figures.kinds(series[-1]), figures.facilities(using, on)],
            "out": [
                figures.months(came_out, on),
                figures.destinations(came_out, tally.by_destination(using), on),
                figures.bases(using, on),
            ],
            "tried": [figures.lengths(using, on), figures.articles(using)],
            "events": reconciliation.recent(using, limit=5),
            "cite": citing.text(
                _("Overview"),
                request.build_absolute_uri(f"{reverse('home')}?on={on.isoformat()}"),
                timezone.localdate(),
            ),
        },
    )


@reader
def chart(request: Any, which: str, ending: str) -> HttpResponse:
    """One chart, as a picture or as CSV; a question that cannot be read is not answered."""
    make = figures.CHARTS.get(which)
    if make is None:
        known = ", ".join(figures.CHARTS)
        sentence = _("There is no chart “%(name)s”. There are: %(known)s.") % {"name": which, "known": known}
        return _refuse(request, [sentence], HTTPStatus.NOT_FOUND)
    form = DayForm(request.GET)
    problems = [str(sentence) for sentence in form.errors.get("on", [])]
    problems += [
        _("A chart has no filter “%(name)s”. It has: on.") % {"name": unknown}
        for unknown in sorted(set(request.GET) - set(form.fields))
    ]
    if problems:
        return _refuse(request, problems, HTTPStatus.BAD_REQUEST)
    made = make(request.audience, form.day)
    filename = f"{which}-{form.day.isoformat()}.{ending}"
    if ending == "svg":
        heading = _("%(title)s, in these records") % {"title": made.title}
        whose = _("%(organisation)s, %(day)s, %(licence)s") % {
            "organisation": settings.ORGANISATION,
            "day": form.day.isoformat(),
            "licence": settings.DATA_LICENCE,
        }
        page = request.build_absolute_uri(f"{reverse('home')}?on={form.day.isoformat()}")
        picture = charts.framed(made.picture, heading, [whose, page])
        return _file(picture, "image/svg+xml", filename)
    return _file(made.csv, "text/csv; charset=utf-8", filename)


@csp({"default-src": [NONE], "frame-ancestors": [NONE], "sandbox": [""]})
def _file(text: str, content_type: str, filename: str) -> HttpResponse:
    """A picture that is opened by itself runs nothing and loads nothing."""
    response = HttpResponse(text, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _refuse(request: HttpRequest, sentences: list[str], status: HTTPStatus) -> HttpResponse:
    return render(request, "tracker/refused.html", {"sentences": sentences, "status": status}, status=status)
