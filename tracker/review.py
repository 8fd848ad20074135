"""Submitting, sending back, and what stands in the way: opening takes two people, closing one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pghistory
from django.apps import apps
from django.db import models, transaction
from django.utils.translation import gettext as _

from tracker.models import Citation, Person, Record, Reviewed, Row, User
from tracker.models.fields import KeyField
from tracker.versions import editors, former_owners, history_of, rows_at, submitted_at
from tracker.vocabularies import Audience, Consent, Disclosure, ReviewState, Standing


class Refused(Exception):
    """A step of the review that cannot be taken; ``sentences`` say why, for whoever asked for it."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


def submit(records: Iterable[Reviewed], *, by: User) -> None:
    """Hand records to a second person, all or none. Raises ``Refused``."""
    with transaction.atomic(), pghistory.context(user=str(by.pk)):
        locked = _locked(records)
        sentences = [sentence for record in locked for sentence in missing(record)]
        sentences += [
            _("“%(record)s” is submitted already.") % {"record": record}
            for record in locked
            if record.review_state == ReviewState.SUBMITTED
        ]
        if sentences:
            raise Refused(sentences)
        for record in locked:
            rows = type(record)._base_manager.filter(pk=record.pk)
            rows.update(review_state=ReviewState.SUBMITTED, submitted_by=by, reviewed_by=None)


def send_back(records: Iterable[Reviewed], *, by: User, why: str) -> None:
    """Return submitted records to whoever entered them, with the reason. What is published stays so."""
    if not why.strip():
        raise Refused([_("Say why you send it back.")])
    with transaction.atomic(), pghistory.context(user=str(by.pk), why=why):
        locked = _locked(records)
        wrong = [record for record in locked if record.review_state != ReviewState.SUBMITTED]
        if wrong:
            raise Refused([_("“%(record)s” is not submitted.") % {"record": record} for record in wrong])
        for record in locked:
            rows = type(record)._base_manager.filter(pk=record.pk)
            rows.update(review_state=ReviewState.DRAFT)


def _locked(records: Iterable[Reviewed]) -> list[Reviewed]:
    groups: dict[type[Reviewed], list[UUID]] = defaultdict(list)
    for record in records:
        groups[type(record)].append(record.pk)
    return [
        record
        for model, ids in sorted(groups.items(), key=lambda item: item[0]._meta.label)
        for record in model._base_manager.filter(pk__in=ids).order_by("pk").select_for_update(of=("self",))
    ]


def missing(record: Reviewed) -> list[str]:
    """What has to be entered before the record can be submitted, a sentence each."""
    sentences: list[str] = []
    if isinstance(record, Person) and record.merged_into_id:
        return sentences  # what it said is said, and cited, by another record
    if isinstance(record, Person) and record.consent == Consent.NOT_AT_ALL:
        sentences.append(_("“%(record)s” does not want to be published. It stays with staff.") % {"record": record})
    try:
        cited = record.citation_model()
    except LookupError:
        return sentences
    standing = cited._base_manager.filter(**{cited.owner: record}).exclude(standing=Standing.REJECTED)
    if not standing.exists():
        sentences.append(_("“%(record)s” has no citation: add who says so, and where.") % {"record": record})
    return sentences


def obstacles(records: Iterable[Reviewed], *, by: User) -> list[str]:
    """What stands in the way of ``by`` publishing these together, a sentence each."""
    chosen = list(records)
    sentences: list[str] = []
    changed = changed_by(chosen)
    for record in chosen:
        name = {"record": str(record)}
        if record.review_state != ReviewState.SUBMITTED:
            sentences.append(_("“%(record)s” is not submitted.") % name)
        elif str(by.pk) in changed.get(record.pk, set()):
            sentences.append(_("You changed “%(record)s” yourself: somebody else has to publish it.") % name)
        elif record.submitted_by_id == by.pk:  # type: ignore[attr-defined]
            sentences.append(_("You submitted “%(record)s” yourself: somebody else has to publish it.") % name)
        sentences += missing(record)
    return [
        *sentences,
        *_opened_alone(chosen, by),
        *_shown_elsewhere(chosen, by),
        *_shown_below(chosen, by),
        *_unpublished_targets(chosen),
    ]


def changed_by(records: Iterable[Reviewed]) -> dict[UUID, set[str]]:
    """Who changed each record, its parts or citations since it was last published; ids unchanged since are missing."""
    groups: dict[type[Reviewed], list[Reviewed]] = defaultdict(list)
    for record in records:
        groups[type(record)].append(record)
    found: dict[UUID, set[str]] = defaultdict(set)
    for model, group in groups.items():
        since = [(record.pk, record.published_at) for record in group]
        columns: list[tuple[Any, str]] = [(model, "id"), *((part, f"{part.owner}_id") for part in model.part_models())]
        for kind, column in columns:
            for pk, users in editors(kind, column, since).items():
                found[pk] |= users
    return dict(found)


def references(model: type[Row]) -> list[models.ForeignKey[Any, Any]]:
    """Foreign keys between rows of ours (accounts are in no copy)."""
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and issubclass(field.related_model, Row)  # type: ignore[arg-type]
    ]


def support_of(records: Iterable[Record]) -> dict[type[Record], set[UUID]]:
    """Sources, organisations and the like that the records' working rows refer to, directly or through one another."""
    found: dict[type[Record], set[UUID]] = defaultdict(set)
    todo: dict[type[Record], set[UUID]] = defaultdict(set)
    for record in records:
        todo[type(record)].add(record.pk)
    while todo:
        model, ids = todo.popitem()
        rows: list[tuple[type[Row], models.QuerySet[Any]]] = [(model, model._base_manager.filter(pk__in=ids))]
        rows += [(part, part._base_manager.filter(**{f"{part.owner}__in": ids})) for part in model.part_models()]
        for kind, queryset in rows:
            for field in references(kind):
                target: Any = field.related_model
                if issubclass(target, Record) and not issubclass(target, Reviewed):
                    named = set(queryset.exclude(**{field.name: None}).values_list(field.attname, flat=True))
                    new = named - found[target]
                    found[target] |= new
                    if new:
                        todo[target] |= new
    return found


def _opened_alone(records: list[Reviewed], by: User) -> list[str]:
    """A source (or the like) that readers never saw, changed by the publisher after somebody vouched for the record."""
    moments = [
        at
        for model in {type(record) for record in records}
        for at in submitted_at(model, [record.pk for record in records if type(record) is model]).values()
    ]
    if not moments:
        return []
    sentences = []
    for model, ids in support_of(records).items():
        unseen = model._base_manager.filter(pk__in=ids, published_at=None)
        since = [(pk, min(moments)) for pk in unseen.values_list("pk", flat=True)]
        for kind, column in [(model, "id"), *((part, f"{part.owner}_id") for part in model.part_models())]:
            changed = [pk for pk, users in editors(kind, column, since).items() if str(by.pk) in users]
            for row in model.objects.visible_to(by).filter(pk__in=changed):
                sentences.append(
                    _("You changed “%(row)s” yourself since this was submitted: somebody else has to publish it.")
                    % {"row": row}
                )
    return list(dict.fromkeys(sentences))


def _by_model(records: Iterable[Reviewed]) -> dict[type[Reviewed], dict[UUID, Reviewed]]:
    groups: dict[type[Reviewed], dict[UUID, Reviewed]] = defaultdict(dict)
    for record in records:
        groups[type(record)][record.pk] = record
    return groups


def _shown_elsewhere(records: list[Reviewed], by: User) -> list[str]:
    """A name, or another part, that readers still see with the record that it belonged to before."""
    sentences = []
    for model, group in _by_model(records).items():
        for part in model.part_models():
            others = set().union(*former_owners(part, group).values()) - group.keys()
            shown = model._base_manager.filter(pk__in=others, published_at__isnull=False)
            moments = [(record.pk, record.published_at) for record in shown if record.published_at]
            moved = {row.pgh_obj_id: row for row in rows_at(part, f"{part.owner}_id", moments)}
            for row in part._base_manager.filter(**{f"{part.owner}__in": group.keys()}, pk__in=moved):
                other = _plain(part, moved[row.pk], part.owner, by)
                sentences.append(
                    _("“%(part)s” of “%(record)s” is still shown with “%(other)s”: publish the two together.")
                    % {"part": row, "record": row.record, "other": other}
                )
    return sentences


def _shown_below(records: list[Reviewed], by: User) -> list[str]:
    """A record that readers still see below one that only leads to another from now on; what is sealed they do not."""
    together = {record.pk for record in records}
    sentences = []
    for record in records:
        if record.leads_on(record) is None:
            continue
        sentences += _leads_to_what_is_not_shown(record, together)
        kinds: list[Any] = [model for model in apps.get_models() if issubclass(model, Reviewed)]
        for model in kinds:
            for name in model.below:
                field: Any = model._meta.get_field(name)
                if field.related_model is not type(record):
                    continue
                ever = history_of(model)._base_manager.filter(**{field.attname: record.pk}).values("pgh_obj_id")
                rows = model._default_manager.visible_to(by).filter(pk__in=ever, published_at__isnull=False)
                rows = rows.exclude(pk__in=together)
                moments = [(row.pk, row.published_at) for row in rows if row.published_at]
                shown = {
                    row.pgh_obj_id for row in rows_at(model, "id", moments) if getattr(row, field.attname) == record.pk
                }
                sentences += [
                    _("“%(row)s” is still shown with “%(record)s”: publish the two together.")
                    % {"row": row, "record": record}
                    for row in rows
                    if row.pk in shown
                ]
    return sentences


def _leads_to_what_is_not_shown(record: Reviewed, together: set[UUID]) -> list[str]:
    """From the moment that readers are led on, they have to find there what they found here."""
    model = type(record)
    moments = [(record.pk, record.published_at)] if record.published_at else []
    if not moments or any(model.leads_on(row) is not None for row in rows_at(model, "id", moments)):
        return []
    above = [getattr(record, name) for name in model.below]
    return [
        _("“%(row)s” is to lead to “%(record)s”: publish the two together.") % {"row": record, "record": target}
        for target in above
        if target is not None and target.pk not in together
    ]


def _unpublished_targets(records: list[Reviewed]) -> list[str]:
    """A reference to something that readers may see but that nobody has published yet."""
    together = {record.pk for record in records}
    sentences = []
    for model, group in _by_model(
        record for record in records if record.closure().visible_to(Audience.RESEARCHER)
    ).items():
        kinds: list[tuple[Any, str, Any]] = [(model, "pk", group.values())]
        for part in model.part_models():
            rows = part._base_manager.filter(**{f"{part.owner}__in": group.keys()})
            kinds.append((part, f"{part.owner}_id", rows))
        for kind, owner, rows in kinds:
            names = kind.columns_for(Audience.RESEARCHER)
            for field in references(kind):
                target: Any = field.related_model
                if field.name not in names or not issubclass(target, Reviewed):
                    continue
                pointing = [
                    (group[getattr(row, owner)], getattr(row, field.attname))
                    for row in rows
                    if Disclosure(getattr(row, "disclosure", Disclosure.PUBLIC)).visible_to(Audience.RESEARCHER)
                ]
                wanted = {key for _record, key in pointing} - together - {None}
                missing = target._base_manager.filter(pk__in=wanted, published_at=None).in_bulk()
                sentences += [
                    _("“%(record)s” refers to “%(target)s”, which is not published: publish it first, or together.")
                    % {"record": record, "target": missing[key]}
                    for record, key in pointing
                    if key in missing and missing[key].closure().visible_to(Audience.RESEARCHER)
                ]
    return list(dict.fromkeys(sentences))


@dataclass(frozen=True)
class Change:
    """One column of one row, as readers see it and as it is now in the working database."""

    row: str
    column: str
    published: Any
    working: Any


def difference(record: Reviewed, *, viewer: User) -> list[Change]:
    """What publishing would change for readers: the working record beside the version last published.

    Parts that point to something sealed are left out for a viewer without a grant; where the record itself does,
    “sealed” stands for the name.
    """
    changes: list[Change] = []
    moment = [(record.pk, record.published_at)] if record.published_at else []
    kinds: list[tuple[Any, str]] = [(type(record), "id")]
    kinds += [(part, f"{part.owner}_id") for part in record.part_models()]
    for kind, column in kinds:
        lookup = {"pk": record.pk} if column == "id" else {kind.owner: record}
        after = {row.pk: row for row in kind.objects.visible_to(viewer).filter(**lookup)}
        hidden = set(kind._base_manager.filter(**lookup).exclude(pk__in=after).values_list("pk", flat=True))
        before = {
            row.pgh_obj_id: row
            for row in rows_at(kind, column, moment)
            if row.pgh_obj_id not in hidden and (column == "id" or _points_to_visible(kind, row, viewer))
        }
        for pk in [*after, *(pk for pk in before if pk not in after)]:
            changes += _changes(kind, before.get(pk), after.get(pk), viewer)
    return changes


def _points_to_visible(kind: Any, row: Any, viewer: User) -> bool:
    """Of a row of history: whether the viewer may see all it points to."""
    for field in references(kind):
        target: Any = field.related_model
        key = getattr(row, field.attname)
        # what was deleted meanwhile is hidden from nobody
        hidden = target._base_manager.filter(pk=key).exclude(pk__in=target.objects.visible_to(viewer).values("pk"))
        if key and hidden.exists():
            return False
    return True


def _changes(kind: Any, before: Any, after: Any, viewer: User) -> list[Change]:
    names = list(dict.fromkeys([*kind.columns_for(Audience.RESEARCHER), *_staff_columns(kind)]))
    label = f"{kind._meta.verbose_name} {_label(kind, after)}".strip() if after else str(kind._meta.verbose_name)
    if after is None:
        return [Change(label, "", _summary(kind, before, names, viewer), None)]
    if before is None and not issubclass(kind, Reviewed):
        return [Change(label, "", None, _summary(kind, after, names, viewer))]
    return [
        Change(label, str(kind._meta.get_field(name).verbose_name), old, new)
        for name in names
        if before is None or _value(kind, before, name) != _value(kind, after, name)
        if (old := _plain(kind, before, name, viewer)) != (new := _plain(kind, after, name, viewer))
    ]


def _staff_columns(kind: Any) -> list[str]:
    hidden = {"id", "revision", "pid", "rid", getattr(kind, "owner", "")}
    hidden |= {*Reviewed.review_columns, *KeyField.names_in(kind)}
    return [field.name for field in kind._meta.concrete_fields if field.name not in hidden]


def _label(kind: Any, row: Any) -> str:
    return "" if issubclass(kind, Reviewed | Citation) else str(row)


def _value(kind: Any, row: Any, name: str) -> Any:
    return getattr(row, kind._meta.get_field(name).attname)


def _plain(kind: Any, row: Any, name: str, viewer: User) -> str:
    if row is None:
        return ""
    field = kind._meta.get_field(name)
    value = _value(kind, row, name)
    if value in (None, "", []):
        return ""
    if isinstance(field, models.ForeignKey):
        targets: Any = field.related_model
        target = targets.objects.visible_to(viewer).filter(pk=value).first()
        return str(target or _("sealed"))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _summary(kind: Any, row: Any, names: list[str], viewer: User) -> str:
    return "; ".join(
        f"{kind._meta.get_field(name).verbose_name}: {text}"
        for name in names
        if (text := _plain(kind, row, name, viewer))
    )
