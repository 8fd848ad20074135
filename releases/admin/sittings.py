"""A list of the released, logged in one sitting: pasted, looked up, decided line by line, logged."""

from __future__ import annotations

import csv
import io
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import IntegrityError, connections, transaction
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from releases import intake, recording
from releases.admin import notes
from releases.admin.sitting_forms import ListForm, PersonForm, SharedForm
from releases.models import ListLine, ReleaseEvent, Sitting
from tracker import lists, names
from tracker import vocabularies as v
from tracker.admin.base import ByRole, to
from tracker.admin.forms import is_small_number
from tracker.models.rules import explain
from tracker.review import Refused

#: lines on one page, and in one group that is accepted together
PER_PAGE = 30
PER_GROUP = 300
#: for so many seconds one request looks names up
PATIENCE = 2.0
#: rows of a list shown before it is taken
FIRST = 8

#: what a column of a table can be
LABELS = {
    "name": gettext_lazy("name"),
    "surname": gettext_lazy("surname"),
    "given_name": gettext_lazy("given name"),
    "patronymic": gettext_lazy("patronymic"),
    "number": gettext_lazy("number on the list"),
    "born": gettext_lazy("born"),
    "age": gettext_lazy("age"),
    "sex": gettext_lazy("sex"),
    "citizenship": gettext_lazy("citizenship"),
    "destination": gettext_lazy("handed over to"),
    "sentence": gettext_lazy("sentence"),
    "facility": gettext_lazy("facility"),
    "note": gettext_lazy("note"),
}
#: which lines a pile holds, in the order in which somebody should look at them
PILES: dict[str, tuple[Any, Q]] = {
    "choose": (gettext_lazy("To choose"), Q(verdict=v.ListVerdict.CHOOSE, decision="", release=None)),
    "new": (gettext_lazy("New, it seems"), Q(verdict=v.ListVerdict.NEW, decision="", release=None)),
    "same": (gettext_lazy("Known, it seems"), Q(verdict=v.ListVerdict.SAME, decision="", release=None)),
    "later": (gettext_lazy("Look later"), Q(decision=v.LineDecision.LATER, release=None)),
    "decided": (
        gettext_lazy("Decided"),
        Q(decision__in=[v.LineDecision.PERSON, v.LineDecision.NEW, v.LineDecision.UNIDENTIFIED], release=None),
    ),
    "skipped": (gettext_lazy("Skipped"), Q(decision=v.LineDecision.SKIP, release=None)),
    "logged": (gettext_lazy("Logged"), Q(release__isnull=False)),
}
#: piles that can be accepted as a whole
GROUPS = ("same", "new")


@admin.register(Sitting)
class SittingAdmin(ByRole, admin.ModelAdmin):
    form = SharedForm
    list_display = ("event", "source", "started_by", "started_at", "progress")
    list_select_related = ("event", "source", "started_by")
    list_display_links = ("event",)
    list_per_page = 50
    show_full_result_count = False
    change_list_template = "admin/releases/sittings.html"
    ordering = ("-started_at", "pk")

    shared: Any = (
        (
            gettext_lazy("What all lines share"),
            {
                "fields": (
                    ("released_on", "outcome"),
                    "legal_bases",
                    ("departure", "closes"),
                    ("countries", "place", "happened", "status"),
                ),
            },
        ),
        (
            gettext_lazy("Onward journey, citizenship, locator, disclosure"),
            {
                "fields": (
                    ("onward_countries", "onward_happened", "onward_status"),
                    ("citizenships", "locator", "disclosure"),
                ),
                "classes": ("collapse",),
            },
        ),
    )
    about: Any = (
        (
            gettext_lazy("Event"),
            {"fields": (("event",), ("new_event", "new_event_announced"))},
        ),
        (
            gettext_lazy("Source"),
            {
                "fields": (
                    ("source",),
                    ("new_title", "new_publisher"),
                    ("new_url", "new_published", "new_kind", "new_language"),
                    ("new_repeats",),
                )
            },
        ),
    )

    class Media:
        css = {"all": ("releases/admin/releases.css", "releases/admin/sittings.css")}
        js = ("releases/admin/sitting.js",)

    def get_urls(self) -> list[URLPattern]:
        def page(view: Any, name: str, address: str) -> URLPattern:
            return path(address, self.admin_site.admin_view(view), name=f"releases_sitting_{name}")

        return [
            page(self.changelist_view, "changelist", ""),
            page(self.start_view, "add", "add/"),
            page(self.sitting_view, "change", "<uuid:key>/change/"),
            page(self.shared_view, "shared", "<uuid:key>/shared/"),
            page(self.line_view, "line", "<uuid:key>/lines/<uuid:line>/"),
            page(self.group_view, "group", "<uuid:key>/group/<str:pile>/"),
            page(self.log_view, "log", "<uuid:key>/log/"),
            page(self.compare_view, "compare", "<uuid:key>/compare/"),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a list that nothing was logged from is dropped on its own page

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).with_left(request.user)

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, obj: Any) -> str:
        if obj.left:
            return _("%(left)d of %(number)d to decide") % {"left": obj.left, "number": obj.number}
        return _("%(number)d decided") % {"number": obj.number}

    # Helpers

    def sitting(self, request: Any, key: UUID) -> Sitting:
        found: Any = Sitting.objects.visible_to(request.user).select_related("event", "source", "started_by")
        sitting = found.filter(pk=key).first()
        if sitting is None:
            raise Http404
        return sitting

    def page(self, request: Any, template: str, sitting: Sitting | None, **context: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media, "sitting": sitting}
        if sitting is not None:
            shared |= {"event": to(sitting.event), "source": to(sitting.source), "subtitle": str(sitting.event)}
        return TemplateResponse(request, f"admin/releases/{template}.html", {**shared, **context})

    def address(self, name: str, *args: Any) -> str:
        return reverse(f"admin:releases_sitting_{name}", args=args)

    # Beginning

    def start_view(self, request: Any) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        kind: Any = self.get_form(request, None, form=ListForm, fields=ListForm.columns())
        form = kind(request.POST or None, request.FILES or None, initial=self._given(request))
        sheet: Any = None
        headed: bool | None = None
        columns: list[str] = []
        lines: list[lists.Line] = []
        problems: list[str] = []
        if request.method == "POST":
            valid = form.is_valid()
            sheet = form.sheet
            columns = self._columns(request, sheet) if sheet else []
            looked_at = sheet is not None and self._looked_at(request, sheet)
            headed = request.POST.get("headed") == "1" if looked_at else None
            if sheet:
                try:
                    lines = lists.lines(sheet, columns, sheet.headed if headed is None else headed)
                except lists.ListError as error:
                    problems = error.problems
            if valid and lines and not problems and request.POST.get("step") == "begin":
                sitting = self._begun(request, form, lines)
                if sitting is not None:
                    return HttpResponseRedirect(self.address("change", sitting.pk))
        fieldsets = [*self.about, *self.shared]
        shown = AdminForm(form, fieldsets, {}, (), model_admin=self)
        return self.page(
            request,
            "sitting_start",
            None,
            title=_("Log a list"),
            form=form,
            adminform=shown,
            media=self.media + shown.media,
            sheet=sheet,
            pasted=_as_text(sheet, "" if request.FILES else request.POST.get("pasted", "")) if sheet else None,
            columns=list(enumerate(columns)) if sheet and len(columns) > 1 else [],
            column_labels=LABELS.items(),
            first_rows=[row.values for row in sheet.rows[: FIRST + 1]] if sheet else [],
            headed=sheet and (sheet.headed if headed is None else headed),
            lines=[(line, _details(line)) for line in lines[:FIRST]],
            number=len(lines),
            unnamed=sum(line.unnamed for line in lines),
            problems=problems,
            headings=list(getattr(sheet, "headings", {}).items()) if sheet else [],
        )

    def _given(self, request: Any) -> dict[str, Any]:
        """What the address gives: the event; and what the event says."""
        given: dict[str, Any] = {}
        key = request.GET.get("event", "")
        events: Any = ReleaseEvent.objects.visible_to(request.user)
        try:
            event = events.filter(pk=UUID(key)).first() if key else None
        except ValueError:
            event = None
        if event:
            given = {"event": event.pk, "released_on": event.happened, "legal_bases": event.legal_bases}
        return given

    def _looked_at(self, request: Any, sheet: Any) -> bool:
        """Whether the page showed this table: a file brought with it is another."""
        return not request.FILES and request.POST.get("width", "") == str(len(sheet.columns))

    def _columns(self, request: Any, sheet: Any) -> list[str]:
        """As confirmed, if it was this table that was looked at; else as recognised."""
        width = len(sheet.columns)
        if not self._looked_at(request, sheet):
            return list(sheet.columns)
        return [request.POST.get(f"column-{place}", "") for place in range(width)]

    def _begun(self, request: Any, form: Any, lines: Sequence[lists.Line]) -> Sitting | None:
        try:
            with transaction.atomic():
                sitting = form.save_with(request.user)
                intake.begin(sitting, lines, by=request.user)
                connections["default"].check_constraints()
        except IntegrityError as error:
            form.add_error(None, str(explain(error).sentence))
            return None
        self._look_up(sitting)
        return sitting

    def _look_up(self, sitting: Sitting) -> int:
        """For as long as somebody waits patiently; returns how many are left."""
        until = time.monotonic() + PATIENCE
        left = intake.look_up(sitting)
        while left and time.monotonic() < until:
            left = intake.look_up(sitting)
        return left

    def shared_view(self, request: Any, key: UUID) -> HttpResponse:
        sitting = self.sitting(request, key)
        here = self.address("change", sitting.pk)
        logged = sitting.lines.logged().exists()
        if request.method == "POST" and "drop" in request.POST:
            if logged or request.POST.get("sure") != "1":
                messages.error(request, _("Tick that you are sure. A list that something was logged from stays."))
                return HttpResponseRedirect(request.path)
            with transaction.atomic():
                sitting.lines.all().delete()
                sitting.delete()
            messages.success(request, _("The list is dropped. Nothing was logged from it."))
            return HttpResponseRedirect(self.address("changelist"))
        form = self.get_form(request, sitting, change=True)(request.POST or None, instance=sitting)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    form.save()
            except IntegrityError as error:
                form.add_error(None, str(explain(error).sentence))
            else:
                intake.look_again(sitting)
                self._look_up(sitting)
                messages.success(request, _("Saved. The lines that nobody has decided are looked up anew."))
                return HttpResponseRedirect(here)
        shown = AdminForm(form, list(self.shared), {}, (), model_admin=self)
        return self.page(
            request,
            "sitting_shared",
            sitting,
            title=_("What all lines share"),
            form=form,
            adminform=shown,
            media=self.media + shown.media,
            logged=logged,
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return SharedForm.columns()

    # The sitting

    def sitting_view(self, request: Any, key: UUID) -> HttpResponse:
        sitting = self.sitting(request, key)
        if request.method == "POST":
            if "again" in request.POST:
                intake.look_again(sitting)
            self._look_up(sitting)
            return HttpResponseRedirect(request.path)
        rows = sitting.lines.visible_to(request.user)
        counts = {name: Count("pk", filter=condition) for name, (_label, condition) in PILES.items()}
        numbers = rows.aggregate(**counts)
        waiting, total = rows.filter(verdict="", decision="", release=None).count(), rows.count()
        shown = request.GET.get("show", "")
        if not numbers.get(shown):  # no pile, or an empty one by now
            shown = next((name for name in PILES if numbers[name]), "choose")
        chosen = rows.filter(PILES[shown][1]).select_related("decided_by", "release__person").order_by("number")
        page = Paginator(chosen.prefetch_related("release__person__names"), PER_PAGE).get_page(request.GET.get("p"))
        return self.page(
            request,
            "sitting",
            sitting,
            title=_("List"),
            here=True,
            piles=[(name, label, numbers[name]) for name, (label, _condition) in PILES.items()],
            shown=shown,
            group=shown if shown in GROUPS else "",
            page=page,
            cards=intake.weigh(sitting, list(page), request.user),
            waiting=waiting,
            total=total,
            done=total - waiting,
            to_log=numbers["decided"],
            lists=self._lists(request, sitting),
        )

    def _lists(self, request: Any, sitting: Sitting) -> list[Sitting]:
        """All lists of the event, this one too."""
        rows: Any = Sitting.objects.visible_to(request.user).filter(event=sitting.event)
        return list(rows.select_related("source", "event").order_by("started_at", "pk"))

    # One line

    def line_view(self, request: Any, key: UUID, line: UUID) -> HttpResponse:
        sitting = self.sitting(request, key)
        rows: Any = sitting.lines.visible_to(request.user).select_related("decided_by", "release__person")
        row = rows.filter(pk=line).first()
        if row is None:
            raise Http404
        search = PersonForm(request, self.admin_site, request.POST if "search" in request.POST else None)
        if request.method == "POST":
            answer = self._decide(request, sitting, row, search)
            if answer is not None:
                return answer
            row = rows.get(pk=line)
        weighed = intake.weigh(sitting, [row], request.user, closely=True)[0]
        shown = search.found if search.is_bound and search.is_valid() else None
        return self.page(
            request,
            "sitting_line",
            sitting,
            title=str(row),
            card=weighed,
            search=search,
            found=intake.Known(sitting, [shown], request.user).option(row, shown, None) if shown else None,
            media=self.media + search.media,
            pile=request.GET.get("show", ""),
            box=notes.box(request.user, row),
        )

    def _decide(self, request: Any, sitting: Sitting, line: ListLine, search: PersonForm) -> HttpResponse | None:
        """The answer to a decision; None where there is only somebody to look for."""
        if "search" in request.POST:
            return None
        choice = _choice(line.pk, request.POST.get("choice", ""), request.POST.get("revision", ""))
        fragment = request.headers.get("X-Requested-With") == "fetch"
        status, said = 200, ""
        try:
            if choice is None:
                raise intake.Impossible(_("Choose what the line is about."))
            intake.decide(sitting, choice, by=request.user)
        except intake.Stale as stale:
            status, said = 409, _overtaken(stale.line)
        except intake.Impossible as why:
            status, said = 409, str(why)
        if not fragment:
            if said:
                messages.error(request, said)
            back = {"show": request.GET.get("show", "")} if request.GET.get("show") in PILES else {}
            where = f"{self.address('change', sitting.pk)}?{urlencode(back)}" if back else ""
            return HttpResponseRedirect(where or self.address("change", sitting.pk))
        rows: Any = sitting.lines.visible_to(request.user).select_related("decided_by", "release__person")
        card = intake.weigh(sitting, [rows.get(pk=line.pk)], request.user)[0]
        left = sitting.lines.visible_to(request.user).open().filter(decision="").count()
        context = {"card": card, "sitting": sitting, "said": said, "left": left, "shown": request.GET.get("show", "")}
        return TemplateResponse(request, "admin/releases/sitting_card.html", context, status=status)

    # Many lines

    def group_view(self, request: Any, key: UUID, pile: str) -> HttpResponse:
        sitting = self.sitting(request, key)
        if pile not in GROUPS:
            raise Http404
        back = f"{self.address('change', sitting.pk)}?{urlencode({'show': pile})}"
        if request.method == "POST":
            choices = [one for one in map(_ticked, request.POST.getlist("line")) if one is not None]
            try:
                stale = intake.decide_all(sitting, choices, by=request.user)
            except intake.Impossible as why:
                messages.error(request, _("Nothing is decided: %(why)s") % {"why": why})
                return HttpResponseRedirect(request.path)
            for line in stale:
                messages.warning(request, _overtaken(line))
            number = len(choices) - len(stale)
            messages.success(request, ngettext("%d line is decided.", "%d lines are decided.", number) % number)
            return HttpResponseRedirect(self.address("change", sitting.pk))
        after = request.GET.get("after", "")
        rows = sitting.lines.visible_to(request.user).filter(PILES[pile][1]).order_by("number")
        rows = rows.filter(number__gt=int(after)) if is_small_number(after) else rows
        lines = list(rows[: PER_GROUP + 1])
        more, lines = len(lines) > PER_GROUP, lines[:PER_GROUP]
        entries = _entries(pile, intake.weigh(sitting, lines, request.user))
        return self.page(
            request,
            "sitting_group",
            sitting,
            title=_("Known, all of these") if pile == "same" else _("New, all of these"),
            pile=pile,
            entries=entries,
            ticked=sum(ticked for _card, ticked, _why, _value in entries),
            more=lines[-1].number if more else None,
            back=back,
        )

    # Logging

    def log_view(self, request: Any, key: UUID) -> HttpResponse:
        sitting = self.sitting(request, key)
        if request.method == "POST":
            try:
                context = recording.record(sitting, by=request.user, version=request.POST.get("version", ""))
            except Refused as refused:
                for sentence in refused.sentences[:20]:
                    messages.error(request, sentence)
                return HttpResponseRedirect(request.path)
            messages.success(request, _("Logged as drafts. Submit them here; a second person publishes them."))
            return HttpResponseRedirect(act_page(context))
        plan = recording.plan(sitting, by=request.user)
        left = sitting.lines.visible_to(request.user).open().count()
        return self.page(
            request, "sitting_log", sitting, title=_("Log the list"), plan=plan, left=left, shown=plan.planned[:500]
        )

    def compare_view(self, request: Any, key: UUID) -> HttpResponse:
        sitting = self.sitting(request, key)
        sittings = self._lists(request, sitting)
        rows = intake.compared(sittings, request.user)
        keys: Any = Sitting.objects.unfinished(request.user).filter(pk__in=[one.pk for one in sittings])
        unfinished = {*keys.values_list("pk", flat=True)}
        page = Paginator(rows, 200).get_page(request.GET.get("p"))
        return self.page(
            request,
            "sitting_compare",
            sitting,
            title=_("Lists of this event"),
            lists=sittings,
            page=page,
            rows=[
                (
                    to(one.release, text=str(one.release.person)),
                    [(line, other.pk in unfinished) for line, other in zip(one.lines, sittings, strict=True)],
                )
                for one in page
            ],
            missing=sum(one.missing for one in rows),
            everywhere=sum(not one.missing for one in rows),
        )


def act_page(context: UUID) -> str:
    return reverse("admin:tracker_act", args=[context])


def _overtaken(line: ListLine) -> str:
    """What somebody else decided meanwhile."""
    decided = v.LineDecision(line.decision).label if line.decision else _("nothing")
    return _("Line %(number)d was decided by %(user)s meanwhile: %(decision)s. Look at it once more.") % {
        "number": line.number,
        "user": line.decided_by or _("somebody"),
        "decision": f"{decided} – {line.person}" if line.person_id else decided,
    }


def _choice(line: UUID, text: str, revision: str) -> intake.Choice | None:
    """``person:KEY:warning,warning``, ``new``, ``unidentified``, ``skip``, ``later``, or ``open`` to take it back."""
    decision, _colon, rest = text.partition(":")
    key, _colon, knowing = rest.partition(":")
    number = int(revision) if is_small_number(revision) else 0
    if decision == "open":
        return intake.Choice(line, number, "")
    if decision not in v.LineDecision.codes():
        return None
    try:
        person = UUID(key) if decision == v.LineDecision.PERSON else None
    except ValueError:
        return None
    warnings = knowing if decision == v.LineDecision.PERSON else rest
    return intake.Choice(line, number, decision, person, tuple(filter(None, warnings.split(","))))


def _ticked(text: str) -> intake.Choice | None:
    """The key of a line, and then as in ``_choice``: ``line|revision|decision``."""
    line, _bar, rest = text.partition("|")
    revision, _bar, choice = rest.partition("|")
    try:
        return _choice(UUID(line), choice, revision)
    except ValueError:
        return None


def _entries(pile: str, cards: Sequence[intake.Weighed]) -> list[tuple[intake.Weighed, bool, str, str]]:
    """Each line with whether it is ticked, why not, and the value it is ticked with."""
    first = Counter(card.options[0].person.pk for card in cards if card.options)
    alike = Counter(names.sound_key(card.line.text) for card in cards)
    entries = []
    for card in cards:
        line, option, why = card.line, card.options[0] if card.options else None, ""
        choice = str(v.LineDecision.NEW if line.text else v.LineDecision.UNIDENTIFIED)
        if pile == "same":
            if option is None or card.verdict != v.ListVerdict.SAME:
                continue  # the database has changed since: it is looked at one by one
            choice = f"{v.LineDecision.PERSON}:{option.person.pk}"
            warnings = {*option.warnings, *([v.LineWarning.TWICE] if first[option.person.pk] > 1 else [])}
            why = ", ".join(sorted(str(warning.label) for warning in warnings))
        elif card.verdict != v.ListVerdict.NEW:
            why = _("Somebody recorded meanwhile has a name like it.")
        elif line.text and alike[names.sound_key(line.text)] > 1:
            why = str(v.LineWarning.TWICE.label)
        value = f"{line.pk}|{line.revision}|{choice}"
        entries.append((card, not why, why, value))
    return entries


def _as_text(sheet: Any, typed: str) -> str:
    """The list as the page carries it on: what was typed, or what an uploaded file holds."""
    if typed.strip():
        return typed
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    line = 1
    for row in sheet.rows:
        while line < row.number:
            text.write("\n")
            line += 1
        cells = [value.replace("\n", " ") for value in row.values]
        # a line that is no table is read again as it stands, with its quotation marks
        text.write(f"{cells[0]}\n") if len(sheet.columns) == 1 else writer.writerow(cells)
        line += 1
    return text.getvalue()


def _details(line: lists.Line) -> dict[str, str]:
    """What a line says besides the name, as it will be kept."""
    columns = ("born", "age", "sex", "sentence", "facility", "note")
    kept = ListLine(**{name: getattr(line, name) for name in columns})
    kept.citizenships, kept.countries = list(line.citizenships), list(line.countries)
    return kept.details
