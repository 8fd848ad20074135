"""Figures, and what comes of comparing them, in words for whoever has never seen such a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from releases.counting import Agreement, Figure, Verdict
from releases.scopes import OF_RELEASES, Logged
from tracker import vocabularies as v
from tracker.dates import ImpreciseDate


def countries(codes: Iterable[str]) -> str:
    """Lithuania or Poland."""
    return _(" or ").join(sorted(v.country_name(code) for code in codes))


def scope(figure: Figure, *, on: Sequence[ImpreciseDate | None] = ()) -> str:
    """To Ukraine, citizens of Ukraine, women, as of 22 November 2025: what narrows the figure, empty for nothing.

    ``on`` are the days that the reader knows it is about: those of its event.
    """
    said = [figure.group, group(figure.citizenships, figure.sex, figure.destinations)]
    if figure.counted_as:
        said.append(_("counted as %(definition)s") % {"definition": figure.counted_as})
    if figure.as_of and figure.as_of not in on:
        said.append(_("as of %(date)s") % {"date": figure.as_of.display})
    if figure.period and figure.period not in on:
        said.append(_("in the time of %(date)s") % {"date": figure.period.display})
    return ", ".join(filter(None, said))


def group(citizenships: Iterable[str], sex: str, destinations: Iterable[str]) -> str:
    said = []
    if citizenships:
        said.append(_("citizens of %(countries)s") % {"countries": countries(citizenships)})
    if sex:
        said.append(str(v.Sex(sex).label).lower())
    if destinations:
        said.append(_("to %(countries)s") % {"countries": countries(destinations)})
    return ", ".join(said)


def subject(figure: Figure) -> str:
    """What the number counts: handed over; years of age, handed over."""
    counted = str(v.FigureSubject(figure.subject).label).lower()
    words = {
        v.FigureMeasure.AGE_IN_YEARS: _("years of age, %(subject)s"),
        v.FigureMeasure.SENTENCE_IN_YEARS: _("years of sentence, %(subject)s"),
    }
    return words.get(v.FigureMeasure(figure.measure), "%(subject)s") % {"subject": counted}


def meaning(figure: Figure) -> str:
    """The numbers that a qualified figure stands for; empty for an exact one, and for one without a number."""
    if figure.measure != v.FigureMeasure.PEOPLE or figure.low == figure.high:
        return ""
    if figure.high is None:
        return _("any number from %(low)d") % {"low": figure.low}
    return _("any number from %(low)d to %(high)d") % {"low": figure.low or 0, "high": figure.high}


def why_not_compared(figure: Figure) -> str:
    if figure.standing == v.Standing.REJECTED:
        return _("rejected")
    if figure.low is figure.high is None:
        return _("not compared: a word, no number")
    if figure.measure == v.FigureMeasure.SENTENCE_IN_YEARS:
        return _("not compared: lengths of sentences")
    if figure.measure == v.FigureMeasure.AGE_IN_YEARS:
        return _("not compared: no age is known here of anybody it counts")
    if figure.subject not in OF_RELEASES:
        return _("not compared: it counts no releases")
    if figure.counted_as:
        return _("not compared: counted by a definition of somebody's own")
    return _("not compared: the group is described in words")


def result(figure: Figure, verdict: Verdict, logged: Logged | None, outside: Logged, announced_only: int) -> str:
    """What comes of holding the figure against the records: agrees, 110 not yet logged, with what explains it."""
    match verdict.kind:
        case Agreement.NOT_COMPARED:
            return why_not_compared(figure)
        case Agreement.CONTRADICTS:
            return _("contradicts what is logged")
        case Agreement.AGREES:
            said = [_("agrees")]
        case Agreement.SHORT_BY:
            said = [ngettext("%(n)d not yet logged", "%(n)d not yet logged", verdict.n) % {"n": verdict.n}]
        case Agreement.OVER_BY:
            said = [ngettext("%(n)d more logged", "%(n)d more logged", verdict.n) % {"n": verdict.n}]
    if outside:
        said.append(_("%(logged)s logged, %(outside)s outside the remit") % {"logged": logged, "outside": outside})
    if announced_only and verdict.kind is Agreement.SHORT_BY:
        said.append(
            ngettext(
                "%(n)d is logged as announced, not as out",
                "%(n)d are logged as announced, not as out",
                announced_only,
            )
            % {"n": announced_only}
        )
    return ": ".join([said[0], ", ".join(said[1:])]) if said[1:] else said[0]
