"""How the pages write dates, countries, coded values, links and references to sources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from tracker import vocabularies as v
from tracker.dates import ImpreciseDate
from tracker.models import Citation, Person, Row, Source, Status
from tracker.models.base import Explained
from tracker.models.fields import CodedArrayField, CodedField, CountriesField
from tracker.notes import Note, Notes
from tracker.vocabularies import Precision

register = template.Library()


@register.filter
def when(day: Any) -> str:
    """A date in words; an interval has no ``datetime``, which would claim a day."""
    if not day:
        return ""
    if not isinstance(day, ImpreciseDate):
        return format_html('<time datetime="{}">{}</time>', day.isoformat(), date_format(day, "j F Y"))
    if day.precision is Precision.INTERVAL:
        return day.display
    return format_html('<time datetime="{}">{}</time>', day.edtf, day.display)


@register.filter
def called(person: Person) -> str:
    """The name of a person; a label begins with a capital letter where it stands by itself."""
    return person.name if person.primary_name else first_up(person.name)


@register.filter
def country(code: str) -> str:
    return v.country_name(code) if code else ""


@register.filter
def countries(codes: Iterable[str]) -> str:
    return ", ".join(v.country_name(code) for code in codes)


@register.simple_tag
def coded(row: Row, name: str) -> str:
    """The labels of a coded column, with a comma between several."""
    field = row._meta.get_field(name)
    value = getattr(row, name)
    if isinstance(field, CountriesField):
        return countries(value)
    if not isinstance(field, CodedField | CodedArrayField) or field.vocabulary is None:
        return country(value)
    codes = [value] if isinstance(value, str) else value
    return ", ".join(str(field.vocabulary(code).label) for code in codes if code)


@register.simple_tag
def why_empty(row: Row) -> str:
    """“arrested: unknown – nobody knows”: of what is empty, that of which the reason is known."""
    if not isinstance(row, Explained):
        return ""
    field: Any = row._meta.get_field("missing")
    return first_up(field.in_words(row.missing))


@register.filter
def with_code(text: Any) -> str:
    """A definition of the codebook, in which names of columns and files stand between backticks."""
    parts = str(text).split("`")
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if number % 2 else part,) for number, part in enumerate(parts))
    )


@register.filter
def first_up(text: Any) -> str:
    """With a capital letter at the start; the others stay as they are."""
    return str(capfirst(str(text)))


@register.simple_tag
def outgoing(url: str, text: str = "") -> str:
    """A link out of the site that does not tell where it was followed; anything but http is printed, not linked."""
    if not url.startswith(("https://", "http://")):
        return text or url
    return format_html(
        '<a class="outgoing" href="{}" rel="noreferrer noopener external">{}</a>', url, text or _("original")
    )


@register.simple_tag(takes_context=True)
def edit_link(context: template.Context, row: Row) -> str:
    """For staff: where the row is edited. The rows of a copy have the ids of the working database."""
    request: Any = context.get("request")
    if request is None or request.audience != v.Audience.RESEARCHER or not request.user.is_staff:
        return ""
    try:
        url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return ""
    return format_html(
        '<a class="edit" href="{}">{}<span class="hidden"> {}</span></a>', url, _("edit"), row._meta.verbose_name
    )


@register.simple_tag
def sources_of(notes: Notes, also: Iterable[Any] = ()) -> list[Source]:
    """Every source that the page cites, and every one whose word these repeat, once, by publisher and title."""
    claims = [*(note.citation for note in notes), *(also or ())]
    sources = {source for claim in claims for source in (claim.source, claim.origin) if source}
    return sorted(sources, key=lambda source: (source.publisher.lower(), source.title.lower(), str(source.pk)))


def _references(notes: list[Note]) -> str:
    if not notes:
        return ""
    links = format_html_join(
        mark_safe("<span class=hidden>, </span>"),
        '<a href="#note-{}">{}{}</a>',
        ((note.number, note.number, _standing(note)) for note in notes),
    )
    return format_html('<sup class="notes"><span class="hidden"> {} </span>{}</sup>', _("Notes:"), links)


def _standing(note: Note) -> str:
    """Whatever is not accepted says so where it is referred to, in words."""
    if note.stands:
        return SafeString("")
    return format_html(" <i>{}</i>", str(v.Standing(note.citation.standing).label).lower())


@register.simple_tag
def cite(notes: Notes, row: Row, *fields: str) -> str:
    """References to what is said of these fields of a row; of the row as a whole where none is named."""
    return _references(notes.refer(row.pk, *(fields or ("",))))


@register.simple_tag
def cite_rest(notes: Notes, row: Row) -> str:
    """References to all that is said of a row and that the page has not referred to before."""
    return _references(notes.refer(row.pk))


@register.simple_tag
def status_label(code: str) -> str:
    return first_up(Status(code).label)


@register.simple_tag
def record_link(claim: Any) -> str:
    """What a citation or a reported figure is about: the record, with a link where it has a page."""
    record = getattr(claim, claim.owner) if isinstance(claim, Citation) else claim.event
    if record is None:
        return _("No event")
    target = record
    for above in ("prosecution", "person"):  # a verdict is shown with its prosecution, and that with its person
        target = getattr(target, above, target)
    kind = record._meta.verbose_name
    if not hasattr(target, "get_absolute_url"):
        return format_html('{} <span class="soft">{}</span>', record, kind)
    name = called(target) if isinstance(target, Person) else target
    return format_html('<a href="{}">{}</a> <span class="soft">{}</span>', target.get_absolute_url(), name, kind)


@register.simple_tag
def about(claim: Any) -> str:
    """What in the record: its part and field; a reported figure says its number."""
    if isinstance(claim, Citation):
        return first_up(claim.about_label)
    return f"{claim.number} {claim.get_subject_display().lower()}"
