"""What somebody is to do or to remember: a box on the page of what it is about, a list of all, the urgent on the index.

``admin/releases/notes.html`` is the box. It takes ``box`` (of ``boxes``), must stand in no other form, and leads back
to the page it stands on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q
from django.forms import HiddenInput
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from releases.models import ListLine, Note, ReleaseEvent
from tracker.admin.base import Link, RecordAdmin, to
from tracker.admin.forms import RevisedForm, is_small_number
from tracker.models import Person, User
from tracker.models.rules import explain

#: so many urgent ones stand on the index; the list has them all
NAMED = 20
WEEK = timedelta(days=7)
#: what a note can be about
FIELDS = {Person: "person", ReleaseEvent: "event", ListLine: "line"}


@dataclass(frozen=True)
class Entry:
    note: Note
    overdue: bool


@dataclass(frozen=True)
class Box:
    """The notes about one person, event or line, as far as the account may see them."""

    kind: str
    about: UUID
    open: list[Entry] = field(default_factory=list)
    done: list[Note] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        return f"notes-{self.about}"

    @property
    def add(self) -> str:
        return f"{reverse('admin:releases_note_add')}?{self.kind}={self.about}"


def boxes(user: User, rows: Iterable[Any]) -> dict[UUID, Box]:
    """A box for each of these persons, events or lines (all of one kind). One query, none for no rows."""
    found = {row.pk: Box(FIELDS[type(row)], row.pk) for row in rows}
    today = timezone.localdate()
    for name in {box.kind for box in found.values()}:
        notes = Note.objects.visible_to(user).filter(**{f"{name}__in": found}).select_related("written_by", "done_by")
        for note in notes.open():
            found[getattr(note, f"{name}_id")].open.append(Entry(note, note.is_overdue(today)))
        for note in notes.exclude(done_at=None).order_by("-done_at", "id"):
            found[getattr(note, f"{name}_id")].done.append(note)
    return found


def box(user: User, row: Any) -> Box:
    return boxes(user, [row])[row.pk]


def link_to(note: Note) -> Link:
    """To what the note is about."""
    line = note.line
    if line is not None:
        url = reverse("admin:releases_sitting_line", args=[line.sitting_id, line.pk])
        return Link(f"{line.sitting}, {line}", url)
    return to(note.about)


# --- The index


@dataclass(frozen=True)
class ToDo:
    """What is overdue or due within a week, the most urgent first; the rest is counted."""

    rows: list[tuple[Entry, Link]]
    overdue: int
    number: int
    all: str

    @property
    def more(self) -> int:
        return self.number - len(self.rows)


def to_do(user: User) -> ToDo:
    today = timezone.localdate()
    notes = Note.objects.visible_to(user).open()
    rows = _named(notes.filter(due__lt=today + WEEK))[:NAMED]
    counted = notes.order_by().aggregate(number=Count("pk"), overdue=Count("pk", filter=Q(due__lt=today)))
    return ToDo(
        [(Entry(note, note.is_overdue(today)), link_to(note)) for note in rows],
        **counted,
        all=f"{reverse('admin:releases_note_changelist')}?state=open",
    )


def _named(notes: Any) -> Any:
    """With what they, and what they are about, are called by."""
    related = ("person", "event", "line__sitting__event", "line__sitting__source", "written_by", "done_by")
    return notes.select_related(*related).prefetch_related("person__names")


# --- Pages


class NoteForm(RevisedForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.errors.pop("line", None):  # nobody sees the field itself
            self.add_error(None, _("The line that this is about is not there (any more)."))
        return cleaned


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", gettext_lazy("open")), ("due", gettext_lazy("due")), ("done", gettext_lazy("done"))]

    def queryset(self, request: Any, queryset: Any) -> Any:
        match self.value():
            case "open":
                return queryset.filter(done_at=None)
            case "due":
                return queryset.filter(done_at=None, due__lte=timezone.localdate())
            case "done":
                return queryset.exclude(done_at=None)
        return queryset


class MineFilter(admin.SimpleListFilter):
    title = gettext_lazy("written by")
    parameter_name = "mine"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", gettext_lazy("me"))]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(written_by=request.user) if self.value() == "yes" else queryset


@admin.register(Note)
class NoteAdmin(RecordAdmin):
    form = NoteForm
    change_form_template = "admin/releases/note.html"
    list_display = ("__str__", "of", "day", "written_by", "written_at", "done_by")
    list_filter = (StateFilter, MineFilter)
    search_fields = ("text",)
    ordering = (F("done_at").desc(nulls_first=True), F("due").asc(nulls_last=True), "written_at", "id")

    def get_queryset(self, request: HttpRequest) -> Any:
        return _named(super().get_queryset(request))

    @admin.display(description=gettext_lazy("about"))
    def of(self, obj: Note) -> str:
        found = link_to(obj)
        return format_html('<a href="{}">{}</a>', found.url, found.text)

    @admin.display(description=gettext_lazy("due"), ordering="due")
    def day(self, obj: Note) -> str:
        day = obj.due.isoformat() if obj.due else ""
        if obj.is_overdue(timezone.localdate()):
            return format_html('{} <span class="state late">{}</span>', day, _("overdue"))
        return day

    # The page of one

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What it is about is said once; a new one may have been given it in the address."""
        if obj is not None:
            return ("text", "due")
        given = [name for name in FIELDS.values() if name in request.GET]
        return (*(given[:1] or ["person", "event"]), "text", "due")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "line":
            kwargs["widget"] = HiddenInput()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj is not None:
            context["about"] = link_to(obj)
            context["step_url"] = reverse("admin:releases_note_step", args=[quote(obj.pk)])
        else:
            context["about"] = self._line(request)
        context["next"] = request.POST.get("next", "")
        return super().render_change_form(request, context, *args, **kwargs)

    def _line(self, request: Any) -> Link | None:
        """Of the line in the address, which has no field to be seen."""
        lines = ListLine.objects.visible_to(request.user).select_related("sitting__event", "sitting__source")
        try:
            line = lines.filter(pk=UUID(request.GET.get("line", ""))).first()
        except ValueError:
            return None
        return link_to(Note(line=line)) if line else None

    def save_model(self, request: Any, obj: Note, form: Any, change: bool) -> None:
        if not change:
            obj.written_by = request.user
        super().save_model(request, obj, form, change)

    def response_post_save_add(self, request: HttpRequest, obj: Note) -> HttpResponseRedirect:
        return self._back(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Note) -> HttpResponseRedirect:
        return self._back(request, obj)

    def _back(self, request: HttpRequest, note: Note) -> HttpResponseRedirect:
        """To where the note was written or ticked off, else to what it is about."""
        asked = request.POST.get("next", "")
        if url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure()):
            return HttpResponseRedirect(asked)
        return HttpResponseRedirect(link_to(note).url)

    # Done, and open again

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.step_view)
        return [path("<path:object_id>/step/", view, name="releases_note_step"), *super().get_urls()]

    def step_view(self, request: Any, object_id: str) -> HttpResponse:
        note = self.get_object(request, unquote(object_id))
        if note is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        step, revision = request.POST.get("step"), request.POST.get("revision", "")
        if step not in {"done", "reopen"} or (step == "done") == (note.done_at is not None):
            return self._back(request, note)  # nothing asked for, or it is so already
        note.revision = int(revision) if is_small_number(revision) else 0
        try:
            with transaction.atomic():
                if step == "done":
                    note.finish(request.user)
                else:
                    note.reopen()
        except IntegrityError as error:
            messages.error(request, str(explain(error).sentence))
        else:
            said = _("Done: %(note)s") if step == "done" else _("Open again: %(note)s")
            messages.success(request, said % {"note": note})
        return self._back(request, note)
