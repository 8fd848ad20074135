"""The charts of the overview. Each asks one question of an audience's copy, as known now, of a day.

The answer is a table with links to the rows behind its numbers, the same as a picture, and the same as CSV. A link
leads to as many rows as its number says.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from releases import tally
from releases.models import ReportedFigure
from releases.tally import CameOut, Countries
from tracker import charts, custody_counts, trial_counts
from tracker import vocabularies as v
from tracker.custody_counts import Held

#: Lines of a table that are open; the others are there when they are asked for.
OPEN_LINES: Final = 12
#: Countries that have a column of their own beside the months.
COUNTRIES: Final = 3


@dataclass(frozen=True)
class Number:
    value: int
    href: str = ""


@dataclass(frozen=True)
class Line:
    label: str
    numbers: Sequence[Number]
    href: str = ""


@dataclass(frozen=True)
class Chart:
    name: str
    title: str
    #: what exactly is counted, in a sentence or two
    definition: str
    #: what a line is, and what each of its numbers is
    heads: Sequence[str]
    lines: Sequence[Line]
    picture: str
    #: the names of the columns, and the rows, of its CSV
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]] = field(repr=False)
    #: of lines beyond the open ones, what they are
    more: str = ""

    @property
    def is_empty(self) -> bool:
        return not any(number.value for line in self.lines for number in line.numbers)

    @property
    def is_wide(self) -> bool:
        return len(self.heads) > 3

    @property
    def open_lines(self) -> Sequence[Line]:
        return self.lines[:OPEN_LINES]

    @property
    def other_lines(self) -> Sequence[Line]:
        return self.lines[OPEN_LINES:]

    @cached_property
    def most(self) -> int:
        """What the longest bar is."""
        return max((number.value for line in self.lines for number in line.numbers), default=0) or 1

    @property
    def svg(self) -> SafeString:
        # every text in it is escaped where it is made
        return mark_safe(self.picture)

    @property
    def csv(self) -> str:
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return file.getvalue()


def rows(page: str, **asked: Any) -> str:
    """The address of the list that the number counts."""
    return f"{reverse(page)}?{urlencode({name: value for name, value in asked.items() if value})}"


def _day(day: date) -> str:
    return date_format(day, "j F Y")


def _words(name: str, title: str, sentences: Iterable[str]) -> charts.Words:
    told = " ".join([*sentences, _("The table has every number.")])
    return charts.Words(name, title, told)


def _sureness() -> tuple[str, str]:
    return _("certain"), _("more possible")


# --- In custody


def others(using: str, on: date) -> QuerySet[ReportedFigure]:
    """What others last said, by the day, of how many are held: each by a definition of its own."""
    return (
        ReportedFigure.objects.using(using)
        .filter(subject=v.FigureSubject.REMAINING_IN_CUSTODY, measure=v.FigureMeasure.PEOPLE, part_of=None)
        .exclude(standing=v.Standing.REJECTED)
        .annotate(said_of=Coalesce("as_of", "source__published"))
        .filter(Q(said_of=None) | Q(said_of__startswith__lte=on))
        .select_related("source", "origin")
        .order_by(F("said_of").desc(nulls_last=True), F("low").desc(nulls_last=True), "id")[:8]
    )


def mark(place: int) -> str:
    """What stands beside a point of the picture, and before the number in the list of them."""
    return chr(ord("a") + place)


def over_time(series: Sequence[Held], said: Sequence[Any]) -> Chart:
    title = _("In custody over time")
    points = [
        charts.Point(figure.said_of.earliest, figure.low, figure.high, mark(place))
        for place, figure in enumerate(said)
        if figure.said_of and (figure.low is not None or figure.high is not None)
    ]
    days = [held.day for held in series]
    last = series[-1]
    sentences = [
        _("On %(day)s %(certain)d persons in these records are certainly in custody and %(possible)d more possibly.")
        % {"day": _day(last.day), "certain": last.surely, "possible": last.possibly},
        *(
            _("Others say: %(number)s, %(day)s (%(mark)s).")
            % {"number": figure.number, "day": figure.said_of.display, "mark": mark(place)}
            for place, figure in enumerate(said)
            if figure.said_of
        ),
    ]
    return Chart(
        name="custody",
        title=title,
        definition=_(
            "Persons in these records on the last day of each month. Certain: held that day whatever the imprecise"
            " dates turn out to be. Possible: nothing known excludes it, but the day of the arrest, of the release or"
            " of a death, or a term that has run out, leaves it open."
        ),
        heads=[_("Day"), _("Certain"), _("More possible")],
        lines=[_held(_day(held.day), held.surely, held.possibly, held.day, "any") for held in reversed(series)],
        more=_("Earlier months"),
        picture=charts.over_time(
            _words("custody", title, sentences),
            days,
            [held.surely for held in series],
            [held.possibly for held in series],
            points,
            (*_sureness(), _("said by others")),
        ),
        columns=["day", "certain", "possible", *(f"{kind}_{sure}" for kind in v.Custody for sure in _SURE)],
        rows=[
            [held.day, held.surely, held.possibly]
            + [numbers[kind] for kind in v.Custody for numbers in (held.certain, held.possible)]
            for held in series
        ],
    )


_SURE: Final = ("certain", "possible")


def _held(label: str, certain: int, possible: int, on: date, custody: str) -> Line:
    return Line(
        label,
        [
            Number(certain, rows("persons", custody=custody, on=on, certain="yes")),
            Number(possible, rows("persons", custody=custody, on=on, certain="no")),
        ],
    )


def kinds(held: Held) -> Chart:
    title = _("Closed, open, at home")
    found = [(kind, held.certain[kind], held.possible[kind]) for kind in v.Custody]
    return Chart(
        name="kinds",
        title=title,
        definition=_(
            "Those in custody that day, by the last place where they can have been: in a closed facility (or nobody"
            " says where), in an open-type facility, confined to their home."
        ),
        heads=[_("Custody"), _("Certain"), _("More possible")],
        lines=[_held(str(kind.label), sure, more, held.day, kind.value) for kind, sure, more in found],
        picture=charts.bars(
            _words("kinds", title, [_("On %(day)s.") % {"day": _day(held.day)}]),
            [(str(kind.label), sure, more) for kind, sure, more in found],
            _sureness(),
        ),
        columns=["custody", *_SURE],
        rows=[[kind.value, sure, more] for kind, sure, more in found],
    )


def facilities(using: str, on: date) -> Chart:
    title = _("Facilities")
    found = custody_counts.by_facility(using, on)
    return Chart(
        name="facilities",
        title=title,
        definition=_(
            "Those in custody that day, by facility, where one is known. Certain: held, and known to have come there"
            " by that day and not to have left."
        ),
        heads=[_("Facility"), _("Certain"), _("More possible")],
        lines=[
            Line(
                str(place.facility),
                [
                    Number(number, rows("persons", held_in=place.facility.pk, on=on, certain=certain))
                    for number, certain in ((place.certain, "yes"), (place.possible, "no"))
                ],
            )
            for place in found
        ],
        more=_("Other facilities"),
        picture=charts.bars(
            _words("facilities", title, [_("On %(day)s.") % {"day": _day(on)}]),
            [(str(place.facility), place.certain, place.possible) for place in found[:OPEN_LINES]],
            _sureness(),
        ),
        columns=["facility_id", "name", "locality", *_SURE],
        rows=[
            [place.facility.pk, place.facility.name, place.facility.locality, place.certain, place.possible]
            for place in found
        ],
    )


# --- Out of it


def _confirmed(**asked: Any) -> str:
    return rows("releases", outcome=v.ReleaseOutcome.CONFIRMED.value, once="yes", **asked)


def _where(countries: Countries) -> str:
    if not countries:
        return _("No handover known")
    return _(" or ").join(sorted(map(v.country_name, countries)))


def months(came_out: CameOut, on: date) -> Chart:
    title = _("Releases by month")
    own = [countries for countries, _times in _by_number(came_out.to) if len(countries) == 1][:COUNTRIES]
    rest = [countries for countries in came_out.to if countries and countries not in own]
    series: list[tuple[str, list[Countries]]] = [(_where(countries), [countries]) for countries in own]
    if rest:
        series.append((_("Another country, or one of several"), rest))
    series.append((_("No handover known"), [()]))
    numbers = [
        (name, [sum(month.to[countries] for countries in those) for month in came_out.months]) for name, those in series
    ]
    lines = []
    for place, month in enumerate(came_out.months):
        last = min((month.first + timedelta(days=31)).replace(day=1) - timedelta(days=1), on)
        asked = {"since": month.first, "until": last}
        to = [
            Number(values[place], _confirmed(**asked, handed_over_to=those[0][0]) if those[0] in own else "")
            for (_name, values), (_also, those) in zip(numbers, series, strict=True)
        ]
        lines.append(
            Line(
                date_format(month.first, "M Y"),
                [Number(month.certain), Number(month.possible), *to],
                _confirmed(**asked),
            )
        )
    # what nobody knows is grey, whichever others there are
    places = [*range(len(series) - 1), len(charts.SHADES) - 1]
    shaded = [(name, values or [0], place) for (name, values), place in zip(numbers, places, strict=True)]
    told = _("%(number)d times somebody came out by %(day)s.") % {"number": came_out.total, "day": _day(on)}
    return Chart(
        name="releases",
        title=title,
        definition=_(
            "Confirmed releases, each time out once, though it be logged in several events, by the month and by where"
            " the person was handed over. Certain: surely in that month. More possible: the date is imprecise, and"
            " each month that it can have been in counts it. Destinations count both."
        ),
        heads=[_("Month"), _("Certain"), _("More possible"), *(name for name, _values in numbers)],
        lines=lines[::-1],
        more=_("Earlier months"),
        picture=charts.columns(
            _words("releases", title, [told]), [month.first for month in came_out.months] or [on.replace(day=1)], shaded
        ),
        columns=["month", *_SURE, *(f"to_{those[0][0]}" for _name, those in series if those[0] in own)]
        + (["to_others"] if rest else [])
        + ["no_handover_known"],
        rows=[
            [f"{month.first:%Y-%m}", month.certain, month.possible, *(values[place] for _name, values in numbers)]
            for place, month in enumerate(came_out.months)
        ],
    )


def _by_number(times: dict[Countries, int]) -> list[tuple[Countries, int]]:
    return sorted(times.items(), key=lambda found: (not found[0], -found[1], _where(found[0])))


def destinations(came_out: CameOut, last_known: Sequence[tally.Destination], on: date) -> Chart:
    title = _("Where they went")
    now = {tuple(sorted(where.codes)): where.last_known for where in last_known}
    found = [(to, came_out.to.get(to, 0), now.get(to, 0)) for to in {**came_out.to, **now}]
    found.sort(key=lambda where: (not where[0], -where[1], -where[2], _where(where[0])))
    return Chart(
        name="destinations",
        title=title,
        definition=_(
            "Handed over: confirmed releases by the day, each time out once, by the country of a completed handover."
            " Last known in: the persons whose latest completed step led there, whenever that was."
        ),
        heads=[_("Destination"), _("Handed over"), _("Last known in")],
        lines=[
            Line(
                _where(to),
                [Number(times, _confirmed(until=on, handed_over_to=to[0]) if len(to) == 1 else ""), Number(last)],
            )
            for to, times, last in found
        ],
        more=_("Other destinations"),
        picture=charts.bars(
            _words("destinations", title, [_("Handed over by %(day)s.") % {"day": _day(on)}]),
            [(_where(to), times, 0) for to, times, _last in found[:OPEN_LINES]],
        ),
        columns=["countries", "handed_over", "last_known_in"],
        rows=[[";".join(to), times, last] for to, times, last in found],
    )


def bases(using: str, on: date) -> Chart:
    title = _("Releases by legal basis")
    found = [
        (code, str(v.LegalBasis(code).label) if code else _("None recorded"), number)
        for code, number in tally.by_basis(using, on).items()
    ]
    return Chart(
        name="bases",
        title=title,
        definition=_("Confirmed releases by the day, each time out once. One can have several bases."),
        heads=[_("Legal basis"), _("Releases")],
        lines=[
            Line(label, [Number(number, _confirmed(until=on, basis=code) if code else "")])
            for code, label, number in found
        ],
        more=_("Other bases"),
        picture=charts.bars(
            _words("bases", title, [_("By %(day)s.") % {"day": _day(on)}]), [(label, n, 0) for _code, label, n in found]
        ),
        columns=["legal_basis", "releases"],
        rows=[[code, number] for code, _label, number in found],
    )


# --- Tried


def lengths(using: str, on: date) -> Chart:
    title = _("Sentences by length")
    labels = {v.SentenceKind.LIFE.value: str(v.SentenceKind.LIFE.label), trial_counts.NO_TERM: _("Length not known")}
    bands = [*trial_counts.BANDS, None]
    for least, below in pairwise(bands):
        if below is None:
            label = _("%(least)d years and more") % {"least": least}
        elif not least:
            label = _("Less than %(below)d year") % {"below": below}
        else:
            label = _("%(least)d to less than %(below)d years") % {"least": least, "below": below}
        labels[str(least)] = label
    found = trial_counts.by_length(using, on)
    return Chart(
        name="sentences",
        title=title,
        definition=_(
            "Sentences of imprisonment that courts of first instance had pronounced by the day, or at a time that no"
            " source gives. One person can have several; what a later court changed is not counted again."
        ),
        heads=[_("Length"), _("Sentences")],
        lines=[Line(labels[band], [Number(number)]) for band, number in found.items()],
        picture=charts.bars(
            _words("sentences", title, [_("By %(day)s.") % {"day": _day(on)}]),
            [(labels[band], number, 0) for band, number in found.items()],
        ),
        columns=["years_from", "sentences"],
        rows=list(found.items()),
    )


def articles(using: str) -> Chart:
    title = _("Charged under")
    found = trial_counts.by_article(using)

    def called(charged: trial_counts.Charged) -> str:
        return f"{v.ProvisionLaw(charged.provision.law).label}, {charged.provision}"

    return Chart(
        name="articles",
        title=title,
        definition=_("Persons ever charged under each article, as far as these records say. One can be under several."),
        heads=[_("Article"), _("Persons")],
        lines=[Line(called(one), [Number(one.persons, rows("persons", article=one.provision.pk))]) for one in found],
        more=_("Other articles"),
        picture=charts.bars(
            _words("articles", title, []), [(called(charged), charged.persons, 0) for charged in found[:OPEN_LINES]]
        ),
        columns=["provision_id", "country", "law", "article", "title", "persons"],
        rows=[
            [getattr(one.provision, name) for name in ("pk", "country", "law", "article", "title")] + [one.persons]
            for one in found
        ],
    )


# --- Each by itself


def _over_time(using: str, on: date) -> Chart:
    return over_time(custody_counts.by_month(using, on), list(others(using, on)))


#: By name: what makes the chart of a copy and a day when nothing else is asked.
CHARTS: Final[dict[str, Callable[[str, date], Chart]]] = {
    "custody": _over_time,
    "kinds": lambda using, on: kinds(custody_counts.on_days(using, [on])[0]),
    "facilities": facilities,
    "releases": lambda using, on: months(tally.came_out(using, on), on),
    "destinations": lambda using, on: destinations(tally.came_out(using, on), tally.by_destination(using), on),
    "bases": bases,
    "sentences": lengths,
    "articles": lambda using, _on: articles(using),
}
