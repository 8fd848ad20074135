"""Who changed what in a record, its parts and its citations: read from what the database wrote down itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, overload

from django.db import models
from django.db.models import CharField, OuterRef, Q, Subquery, Value
from django.utils.translation import gettext as _

from tracker.models import Citation, Record, Row, User
from tracker.models.fields import KeyField, MissingField
from tracker.versions import history_of
from tracker.vocabularies import ActKind, Audience

# an empty list, an empty text and nothing are the same to a reader
_EMPTY: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Change:
    """One row, at one moment. ``what`` names the row; before and after hold what differs, by label of the column."""

    when: datetime
    user: str
    label: str  # insert, update, delete
    what: str
    before: dict[str, str]
    after: dict[str, str]
    why: str = ""
    #: what it was part of, if that has a name (a merge), and the key of the context
    act: str = ""
    context: str = ""

    @property
    def day(self) -> date:
        return self.when.date()

    @property
    def act_label(self) -> str:
        return str(ActKind(self.act).label) if self.act in ActKind.codes() else ""

    @property
    def columns(self) -> list[tuple[str, str, str]]:
        """Column, value before, value after."""
        names = dict.fromkeys([*self.before, *self.after])
        return [(name, self.before.get(name, ""), self.after.get(name, "")) for name in names]


def changes(record: Row, *, viewer: User | None = None) -> Changes:
    """The changes of a record, the last first. With a viewer: without rows that point to what is sealed for them."""
    return Changes(record, viewer)


def shown(record: Row, audience: Audience, below: Mapping[type[Row], Any] | None = None) -> Changes:
    """What this audience has been shown of a record, the last first: its copy's own history, which names nobody.

    ``below``: the ids of records that are shown with it, by their model.
    """
    return Changes(record, None, audience, below or {})


def sent_back(record: Record) -> Change | None:
    """The last time the record was returned to whoever entered it, with the reason."""
    events = history_of(type(record))._base_manager.filter(pgh_obj_id=record.pk, pgh_context__has_key="why")
    event: Any = events.exclude(pgh_context__has_key="act").order_by("-pgh_id").first()
    if event is None:
        return None
    names = _Names([(type(record), event)], None)
    context = event.pgh_context
    return Change(event.pgh_created_at, names.account(context.get("user")), "update", "", {}, {}, str(context["why"]))


class Changes(Sequence[Change]):
    """Counted and read a page at a time: a page costs the same number of queries however much there is."""

    def __init__(
        self,
        record: Row,
        viewer: User | None,
        audience: Audience = Audience.STAFF,
        below: Mapping[type[Row], Any] | None = None,
    ) -> None:
        self.record, self.viewer, self.audience = record, viewer, audience
        self.using = "default" if audience is Audience.STAFF else audience.value
        self.kinds: dict[str, type[Row]] = {}
        self.ids: dict[str, Any] = {}
        for model, ids in {type(record): [record.pk], **(below or {})}.items():
            parts = model.part_models() if issubclass(model, Record) else []
            for kind in (model, *parts):
                self.kinds[kind._meta.label], self.ids[kind._meta.label] = kind, ids

    def _events(self, kind: type[Row]) -> Any:
        owner = getattr(kind, "owner", "")
        key = f"{owner}_id" if owner else "pgh_obj_id"
        ids = self.ids[kind._meta.label]
        rows = history_of(kind)._base_manager.using(self.using).filter(**{f"{key}__in": ids}).order_by()
        if self.viewer is not None:
            for field in _pointing(kind, besides=owner):
                target: Any = field.related_model
                seen = target._default_manager.visible_to(self.viewer).values("pk")
                none = Q(**{f"{field.attname}__isnull": True})
                rows = rows.filter(none | Q(**{f"{field.attname}__in": seen}))
            for name in getattr(kind, "parts", ()):
                rows = rows.exclude(**{f"{name}_id__in": self._hidden_parts(kind._meta.get_field(name).related_model)})
        return rows

    def _hidden_parts(self, part: Any) -> list[Any]:
        """Parts of this record that ever pointed to what is sealed, also those deleted since."""
        assert self.viewer is not None
        rows = history_of(part)._base_manager.filter(**{f"{part.owner}_id": self.record.pk})
        hidden: list[Any] = []
        for field in _pointing(part, besides=part.owner):
            target: Any = field.related_model
            seen = target._default_manager.visible_to(self.viewer).values("pk")
            pointing = rows.filter(**{f"{field.attname}__isnull": False}).exclude(**{f"{field.attname}__in": seen})
            hidden += pointing.values_list("pgh_obj_id", flat=True)
        return hidden

    def _union(self) -> Any:
        parts = [
            rows.annotate(of_kind=Value(label, output_field=CharField())).values_list(
                "of_kind", "pgh_id", "pgh_created_at"
            )
            for label, kind in self.kinds.items()
            for rows in [self._events(kind)]
        ]
        first, *rest = parts
        return first.union(*rest, all=True) if rest else first

    def __len__(self) -> int:
        return self._union().count()

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> list[Change]: ...
    def __getitem__(self, index: int | slice) -> Change | list[Change]:
        if isinstance(index, int):
            return self[index : index + 1][0]
        return self._read(list(self._union().order_by("-pgh_created_at", "-pgh_id")[index]))

    def _read(self, page: list[tuple[str, int, datetime]]) -> list[Change]:
        keys: dict[str, list[int]] = defaultdict(list)
        for label, key, _when in page:
            keys[label].append(key)
        rows: dict[tuple[str, int], tuple[Any, Any]] = {}
        for label, wanted in keys.items():
            for key, pair in with_previous(self.kinds[label], wanted, self.using).items():
                rows[label, key] = pair
        names = _Names(
            [(self.kinds[label], row) for (label, _key), pair in rows.items() for row in pair if row is not None],
            self.viewer,
            self.audience,
        )
        return [self._change(self.kinds[label], *rows[label, key], names) for label, key, _when in page]

    def _change(self, kind: type[Row], event: Any, previous: Any, names: _Names) -> Change:
        context = event.pgh_context or {}
        gone = event.pgh_label == "delete"
        old, new = (event, None) if gone else (previous, event)
        # what the row said when it pointed to something sealed is as closed as that
        before = names.values(kind, old) if old is not None and not names.hides(kind, old) else {}
        after = names.values(kind, new) if new is not None else {}
        same = {name for name in before.keys() & after.keys() if before[name] == after[name]}
        return Change(
            when=event.pgh_created_at,
            user=names.account(context.get("user")),
            label=event.pgh_label,
            what=str(kind._meta.verbose_name),
            before={name: text for name, text in before.items() if name not in same},
            after={name: text for name, text in after.items() if name not in same},
            why=str(context.get("why", "")),
            act=str(context.get("act", "")),
            context=str(event.pgh_context_id or ""),
        )


def _pointing(kind: type[Row], *, besides: str = "") -> list[Any]:
    """Foreign keys to records that may be hidden."""
    return [
        field
        for field in kind._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and field.name != besides
        and isinstance(field.related_model, type)
        and issubclass(field.related_model, Record)
    ]


def with_previous(kind: type[Row], keys: Iterable[int], using: str = "default") -> dict[int, tuple[Any, Any]]:
    """Events by key, each with the event of the same row before it. Two queries."""
    history = history_of(kind)
    past = history._base_manager.using(using)
    earlier = past.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id"))
    events = list(
        past.filter(pgh_id__in=list(keys)).annotate(previous=Subquery(earlier.order_by("-pgh_id").values("pgh_id")[:1]))
    )
    before = past.in_bulk([event.previous for event in events if event.previous])
    return {event.pgh_id: (event, before.get(event.previous)) for event in events}


def _about(kind: type[Citation], name: str) -> str:
    """The field, in words, whether it is the record's or a part's."""
    for holder in (kind.owner, *kind.parts):
        model: Any = kind._meta.get_field(holder).related_model
        if name in (labels := kind.fields_of(model)):
            return labels[name]
    return name


class _Names:
    """What the keys in a page of history are called: one query for each kind of thing they point to."""

    def __init__(
        self, rows: Iterable[tuple[type[Row], Any]], viewer: User | None, audience: Audience = Audience.STAFF
    ) -> None:
        self.audience = audience
        keys: dict[Any, set[Any]] = defaultdict(set)
        for kind, row in rows:
            user = (row.pgh_context or {}).get("user")
            if user:
                keys[User].add(user)
            for field in self.columns(kind):
                if isinstance(field, models.ForeignKey) and getattr(row, field.attname):
                    keys[field.related_model].add(getattr(row, field.attname))
        self.names: dict[Any, dict[str, str]] = {}
        for model, wanted in keys.items():
            rows_of = model._default_manager
            if audience is not Audience.STAFF:
                rows_of = rows_of.using(audience.value)
            found = rows_of.filter(pk__in=wanted)
            if viewer is not None and issubclass(model, Row):
                found = found.visible_to(viewer)
            if any(relation.name == "names" for relation in model._meta.related_objects):
                found = found.prefetch_related("names")
            elif "person" in {field.name for field in model._meta.concrete_fields}:
                found = found.select_related("person").prefetch_related("person__names")
            self.names[model] = {str(row.pk): str(row) for row in found}

    def hides(self, kind: type[Row], row: Any) -> bool:
        """Whether a part points to a record that has no name here; a record is shown without the name."""
        owner = getattr(kind, "owner", "")
        keys = [(field.related_model, getattr(row, field.attname)) for field in _pointing(kind, besides=owner)]
        return bool(owner) and any(key and str(key) not in self.names.get(model, {}) for model, key in keys)

    def account(self, key: Any) -> str:
        return self.names.get(User, {}).get(str(key), "") if key else ""

    def columns(self, kind: type[Row]) -> list[Any]:
        """What is told of a row: to readers, what their copy holds of it, but not to whom of them it may be shown."""
        if self.audience is Audience.STAFF:
            return list(kind._meta.concrete_fields)
        # of what it is a part: the page says so
        hidden = {"disclosure", "person", "prosecution", *getattr(kind, "parts", ())}
        told = set(kind.columns_for(self.audience)) - hidden
        return [field for field in kind._meta.concrete_fields if field.name in told]

    def values(self, kind: type[Row], row: Any) -> dict[str, str]:
        hidden = {"id", "revision", "published_at", getattr(kind, "owner", ""), *KeyField.names_in(kind)}
        values = {}
        for field in self.columns(kind):
            value = getattr(row, field.attname)
            if field.name in hidden or value in _EMPTY:
                continue
            values[str(field.verbose_name)] = self._text(field, value)
        if self.audience is not Audience.STAFF and issubclass(kind, Citation) and row.about:
            values[str(kind._meta.get_field("about").verbose_name)] = _about(kind, row.about)
        return values

    def _text(self, field: Any, value: Any) -> str:
        if isinstance(field, models.ForeignKey):
            return self.names.get(field.related_model, {}).get(str(value)) or _("(not there any more)")
        if isinstance(field, MissingField):
            return field.in_words(value)
        labels = dict(getattr(field, "flatchoices", None) or getattr(field, "code_choices", None) or ())
        if isinstance(value, list):
            return ", ".join(str(labels.get(code, code)) for code in value)
        if isinstance(value, bool):
            return str(_("yes") if value else _("no"))
        return str(labels.get(value, value))
