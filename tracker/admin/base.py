"""What every page of the admin shares: roles, sealed records, refusals, revisions, review and history.

Django leaves out of its own checks every constraint that names the parent of an inline, and asks no deferred one
before the commit. So a page is saved in a savepoint, all constraints are asked, and what the database refuses is shown
on the same page, with everything that was typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AdminURLFieldWidget, RelatedFieldWidgetWrapper
from django.db import IntegrityError, connections, models, router
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tracker import publication
from tracker.admin.citations import CitationForm, CitationFormSet
from tracker.admin.forms import PartFormSet, RefusingFormSet, RevisedForm, attempt_of, is_small_number
from tracker.admin.reviewing import Reviewing
from tracker.admin.widgets import SearchSelect
from tracker.models import EDITOR, REVIEWER, Citation, Person, Record, Relationship, Reviewed, Row, Status
from tracker.models.rules import explain
from tracker.vocabularies import Disclosure, ReviewState, Standing


def works_here(user: Any) -> bool:
    """Editors and reviewers, and whoever set the site up. Being staff alone opens nothing."""
    return bool(user.is_active and user.is_staff and (user.is_superuser or user.roles & {EDITOR, REVIEWER}))


def visible(rows: Any, user: Any) -> Any:
    """The rows this account may see; tables of accounts have nothing sealed."""
    return rows.visible_to(user) if hasattr(rows, "visible_to") else rows


class ByRole:
    """Permissions by role, querysets by what the account may see. For pages and for their inlines."""

    model: Any
    admin_site: Any
    formfield_overrides: ClassVar[Any] = {models.URLField: {"widget": AdminURLFieldWidget, "assume_scheme": "https"}}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return works_here(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return works_here(request.user)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return works_here(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return works_here(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return works_here(request.user)

    def get_queryset(self, request: HttpRequest) -> Any:
        return visible(super().get_queryset(request), request.user)  # type: ignore[misc]

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> Any:
        rows = visible(db_field.remote_field.model._default_manager.using(db).all(), request.user)
        # nothing new is said of a merged person; an old relationship that was left with one can still be saved
        return rows.filter(merged_into=None) if rows.model is Person and self.model is not Relationship else rows

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = SearchSelect(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        found = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if found is not None and isinstance(found.widget, RelatedFieldWidgetWrapper):
            # what is chosen here is deleted, and looked at, on its own page
            found.widget.can_delete_related = found.widget.can_view_related = False
        return found

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        """Every foreign key whose own page can be searched."""
        found = []
        for field in self.model._meta.concrete_fields:
            target = field.related_model
            registered = field.editable and target and self.admin_site.is_registered(target)
            if registered and self.admin_site.get_model_admin(target).search_fields:
                found.append(field.name)
        return found

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # the revision is hidden: our templates carry it
        fields = super().get_fields(request, obj)  # type: ignore[misc]
        return [name for name in fields if name != "revision"]


class PartInline(ByRole, admin.StackedInline):
    """Parts of a record: one row of labelled inputs each, as wide as the page is."""

    template = "admin/parts.html"
    form = RevisedForm
    formset = PartFormSet
    extra = 1
    #: shown above the fields of the record
    leading: ClassVar[bool] = False
    #: what the rows' own names are read from, so that no row costs a query
    related: ClassVar[tuple[str, ...]] = ()
    prefetched: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related(*self.related).prefetch_related(*self.prefetched)

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return self.extra


class CitationInline(PartInline):
    """Give it the concrete citation as ``model``."""

    form = CitationForm
    formset = CitationFormSet
    template = "admin/parts.html"
    verbose_name = _("citation")
    verbose_name_plural = _("citations")
    related = ("source", "origin")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        topic = ["topic"] if any(field.name == "topic" for field in self.model._meta.concrete_fields) else []
        new = {"fields": list(CitationForm.NEW_SOURCE), "classes": ["collapse", "for-new"]}
        also = {"fields": ["also"], "classes": ["collapse", "for-new"]}
        more = ["as_of", "origin", "quote", "credibility", "standing", "reason", "reasoning", "disclosure"]
        return [
            (None, {"fields": ["about", *topic, "source", "locator", "speaker", "stated"]}),
            (_("New source"), new),
            (_("Also supports"), also),
            (_("Day, origin, quote, standing"), {"fields": more, "classes": ["collapse"]}),
        ]


class GrantInline(PartInline):
    """Who may see a sealed record; shown once it is sealed. Give it the table of grants as ``model``."""

    fields = ("user",)
    related = ("user",)
    verbose_name = _("account that may see this")
    verbose_name_plural = _("who may see this sealed record")

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        return []

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> Any:
        rows = super().get_field_queryset(db, db_field, request)
        return rows.filter(is_active=True, is_staff=True).order_by("username") if db_field.name == "user" else rows


@dataclass(frozen=True)
class Link:
    text: str
    url: str
    state: str = ""

    @property
    def state_label(self) -> str:
        return str(ReviewState(self.state).label) if self.state else ""


@dataclass(frozen=True)
class Links:
    """A line of links: to what a record belongs to, or to what lies below it, with a page to add one more."""

    title: Any
    rows: list[Link]
    add: str = ""


def to(record: Any, *, text: str = "") -> Link:
    """A link to the page of a record, named as the record is if no text is given."""
    url = ""
    if admin.site.is_registered(type(record)):
        url = reverse(f"admin:{record._meta.app_label}_{record._meta.model_name}_change", args=[record.pk])
    return Link(text or str(record), url, getattr(record, "review_state", ""))


def status_in_words(person: Any) -> str:
    """The status annotated by ``with_status``, with how certain it is."""
    label = Status(person.status).label
    if person.status_certain or person.status == Status.UNKNOWN:
        return str(label)
    return gettext("possibly %(status)s") % {"status": label}


def uncited(rows: Any) -> Any:
    """Records that no accepted citation supports, and that speak for themselves."""
    if rows.model is Person:
        rows = rows.filter(merged_into=None)
    cited = rows.model.citation_model()
    accepted = cited._base_manager.filter(**{cited.owner: models.OuterRef("pk")}, standing=Standing.ACCEPTED)
    return rows.filter(~models.Exists(accepted))


class CitedFilter(admin.SimpleListFilter):
    title = _("citations")
    parameter_name = "cited"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("none accepted"))]

    def queryset(self, request: Any, queryset: Any) -> Any:
        return uncited(queryset) if self.value() == "no" else queryset


class RecordAdmin(Reviewing, ByRole, admin.ModelAdmin):
    """Base of every record's pages."""

    #: what the record's own name, in lists and elsewhere, is read from
    related: ClassVar[tuple[str, ...]] = ()
    prefetched: ClassVar[tuple[str, ...]] = ()

    form = RevisedForm
    # the page has its own link to where readers see the record
    view_on_site = False
    change_form_template = "admin/record.html"
    change_list_template = "admin/records.html"
    delete_confirmation_template = "admin/record_delete.html"
    object_history_template = "admin/record_history.html"
    save_on_top = False
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related(*self.related).prefetch_related(*self.prefetched)

    def links(self, request: HttpRequest, obj: Any) -> list[Links]:
        """What the record belongs to and what lies below it, for the head of its page."""
        return []

    # The page

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        sealed = getattr(obj, "disclosure", "") == Disclosure.SEALED
        return [inline for inline in super().get_inlines(request, obj) if sealed or not issubclass(inline, GrantInline)]

    def get_inline_instances(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Citations last: they point to the other parts, also to those typed in the same form."""
        inlines = super().get_inline_instances(request, obj)
        return sorted(inlines, key=lambda inline: issubclass(inline.model, Citation))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # made anew for each request, so that it can hold what this request was refused
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.refusals = tuple(refusal for refusal in attempt_of(request).refusals if refusal.prefix is None)
        return form

    def _create_formsets(self, request: HttpRequest, obj: Any, change: bool) -> Any:
        formsets, inlines = super()._create_formsets(request, obj, change)  # type: ignore[misc]  # not in the stubs
        attempt = attempt_of(request)
        for formset in formsets:
            formset.attempt, formset.siblings, formset.request = attempt, formsets, request
        return formsets, inlines

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        attempt = attempt_of(request)
        try:
            response = super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError as error:
            attempt.refuse(error)
            return super().changeform_view(request, object_id, form_url, extra_context)
        if attempt.saved is not None and "_submit" in request.POST:
            self.submit_saved(request, attempt.saved)
        return response

    # Saving

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with attempt_of(request).saving(form):
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        attempt = attempt_of(request)
        attempt.form, attempt.formsets = form, list(formsets)
        super().save_related(request, form, formsets, change)
        self.keep_in_sight(request, form.instance)
        connections[router.db_for_write(self.model)].check_constraints()
        if isinstance(form.instance, Record):
            publication.close(form.instance)
        attempt.saved = form.instance

    def keep_in_sight(self, request: HttpRequest, obj: Any) -> None:
        """Whoever seals a record can still open it; everybody else needs a grant from them."""
        sealable = "" in self.model.sealed_paths() if issubclass(self.model, Record) else False
        if sealable and obj.disclosure == Disclosure.SEALED:
            obj.grants.get_or_create(user=request.user)

    # Lists

    def get_list_filter(self, request: HttpRequest) -> Any:
        filters = list(super().get_list_filter(request))
        if issubclass(self.model, Reviewed):
            filters.insert(0, "review_state")
            if any(issubclass(part, Citation) for part in self.model.part_models()):
                filters.insert(1, CitedFilter)
        return filters

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, **{"form": RevisedForm, **kwargs})

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        formset: Any = super().get_changelist_formset(request, **{"formset": RefusingFormSet, **kwargs})
        formset.attempt = attempt_of(request)
        return formset

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        attempt = attempt_of(request)
        try:
            return super().changelist_view(request, extra_context)
        except IntegrityError as error:
            attempt.refuse(error)
            return super().changelist_view(request, extra_context)

    # Deleting

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The record with all that goes with it; what refers to it besides, as far as this account may see it."""
        lines: list[Any] = []
        counted: dict[str, int] = {}
        holding: list[str] = []
        for obj in objs:
            lines.append(str(obj))
            own: list[str] = []
            parts = obj.part_models() if isinstance(obj, Record) else []
            with_it = [(model, model.owner) for model in parts] + [
                (relation.related_model, relation.field.name)
                for relation in obj._meta.related_objects
                if relation.on_delete is models.CASCADE
                and issubclass(relation.related_model, Row)
                and relation.related_model not in parts
            ]
            for model, name in with_it:
                rows = visible(model._default_manager.filter(**{name: obj}), request.user)
                number = rows.count()
                if number:
                    label = str(model._meta.verbose_name_plural)
                    counted[label] = counted.get(label, 0) + number
                    own.append(f"{label}: {number}")
            if own:
                lines.append(own)
            for relation in obj._meta.related_objects:
                model = relation.related_model
                if relation.on_delete is models.PROTECT and issubclass(model, Row):
                    rows = visible(model._default_manager.filter(**{relation.field.name: obj}), request.user)
                    holding += [f"{model._meta.verbose_name}: {row}" for row in rows[:10]]
        return lines, counted, set(), holding

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        obj = self.get_object(request, unquote(object_id))
        context = {"revision": obj.revision if obj else None, **(extra_context or {})}
        try:
            return super().delete_view(request, object_id, context)
        except IntegrityError as error:
            self.message_user(request, str(explain(error).sentence), messages.ERROR)
            return HttpResponseRedirect(
                reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])
            )

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        posted = request.POST.get("revision", "")
        obj.revision = int(posted) if is_small_number(posted) else 0
        obj.delete()
        connections[router.db_for_write(self.model)].check_constraints()
