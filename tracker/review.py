"""Submitting, sending back, and what stands in the way: opening takes two people, closing one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pghistory
from django.apps import apps
from django.db import models, transaction
from django.utils.translation import gettext as _

from tracker.acts import named
from tracker.models import Citation, Person, Record, Reviewed, Row, User
from tracker.models.fields import KeyField, MissingField
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
        lacking = missing_of(locked)
        sentences = [sentence for record in locked for sentence in lacking.get(record.pk, ())]
        sentences += [
            _("“%(record)s” is submitted already.") % {"record": record}
            for record in locked
            if record.review_state == ReviewState.SUBMITTED
        ]
        if sentences:
            raise Refused(sentences)
        for model, group in _by_model(locked).items():
            rows = model._base_manager.filter(pk__in=group)
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
        for model, group in _by_model(locked).items():
            model._base_manager.filter(pk__in=group).update(review_state=ReviewState.DRAFT)


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
    return missing_of([record]).get(record.pk, [])


def missing_of(records: Iterable[Reviewed]) -> dict[UUID, list[str]]:
    """The same of many records: record → sentences; ids that lack nothing are missing."""
    found: dict[UUID, list[str]] = defaultdict(list)
    for model, group in _by_model(records).items():
        cited: set[UUID] | None = None
        if any(issubclass(part, Citation) for part in model.part_models()):
            citations = model.citation_model()
            rows = citations._base_manager.filter(**{f"{citations.owner}__in": group.keys()})
            cited = set(rows.exclude(standing=Standing.REJECTED).values_list(f"{citations.owner}_id", flat=True))
        for record in group.values():
            name = {"record": record}
            if isinstance(record, Person) and record.merged_into_id:
                continue  # what it said is said, and cited, by another record
            if isinstance(record, Person) and record.consent == Consent.NOT_AT_ALL:
                found[record.pk].append(_("“%(record)s” does not want to be published. It stays with staff.") % name)
            if cited is not None and record.pk not in cited:
                found[record.pk].append(_("“%(record)s” has no citation: add who says so, and where.") % name)
    return dict(found)


def uncited(records: Iterable[Reviewed]) -> set[UUID]:
    """Keys of those that speak for themselves and that no accepted citation supports."""
    found: set[UUID] = set()
    for model, group in _by_model(records).items():
        if any(issubclass(part, Citation) for part in model.part_models()):
            citations = model.citation_model()
            rows = citations._base_manager.filter(**{f"{citations.owner}__in": group.keys()})
            accepted = set(rows.filter(standing=Standing.ACCEPTED).values_list(f"{citations.owner}_id", flat=True))
            speaking = {pk for pk, record in group.items() if model.leads_on(record) is None}
            found |= speaking - accepted
    return found


def obstacles(records: Iterable[Reviewed], *, by: User) -> list[str]:
    """What stands in the way of ``by`` publishing these together, a sentence each."""
    return list(dict.fromkeys(sentence for _pk, sentence in _obstacles(list(records), by)))


def publishable(records: Iterable[Reviewed], *, by: User) -> tuple[list[Reviewed], dict[UUID, list[str]]]:
    """Those of the records that ``by`` can publish together though the others stay, and what is in the others' way."""
    rest = list(records)
    found: dict[UUID, list[str]] = defaultdict(list)
    while rest:
        stopped: set[UUID] = set()
        for pk, sentence in _obstacles(rest, by):
            stopped.add(pk)
            if sentence not in found[pk]:
                found[pk].append(sentence)
        if not stopped:
            break
        rest = [record for record in rest if record.pk not in stopped]
    return rest, dict(found)


def _obstacles(chosen: list[Reviewed], by: User) -> Iterator[tuple[UUID, str]]:
    """Key of the record in whose way it is, and the sentence."""
    changed = changed_by(chosen)
    lacking = missing_of(chosen)
    for record in chosen:
        name = {"record": str(record)}
        if record.review_state != ReviewState.SUBMITTED:
            yield record.pk, _("“%(record)s” is not submitted.") % name
        elif str(by.pk) in changed.get(record.pk, set()):
            yield record.pk, _("You changed “%(record)s” yourself: somebody else has to publish it.") % name
        elif record.submitted_by_id == by.pk:  # type: ignore[attr-defined]
            yield record.pk, _("You submitted “%(record)s” yourself: somebody else has to publish it.") % name
        for sentence in lacking.get(record.pk, ()):
            yield record.pk, sentence
    yield from _opened_alone(chosen, by)
    yield from _shown_elsewhere(chosen, by)
    yield from _shown_below(chosen, by)
    yield from _unpublished_targets(chosen)


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


def _opened_alone(records: list[Reviewed], by: User) -> Iterator[tuple[UUID, str]]:
    """A source (or the like) that readers never saw, changed by the publisher after somebody vouched for the record."""
    moments = [
        at
        for model in {type(record) for record in records}
        for at in submitted_at(model, [record.pk for record in records if type(record) is model]).values()
    ]
    if not moments:
        return
    own: dict[type[Record], set[UUID]] = {}
    for model, ids in support_of(records).items():
        unseen = model._base_manager.filter(pk__in=ids, published_at=None)
        since = [(pk, min(moments)) for pk in unseen.values_list("pk", flat=True)]
        for kind, column in [(model, "id"), *((part, f"{part.owner}_id") for part in model.part_models())]:
            changed = {pk for pk, users in editors(kind, column, since).items() if str(by.pk) in users}
            if changed:
                own.setdefault(model, set()).update(changed)
    if not own:
        return
    for record in records:
        for model, ids in support_of([record]).items():
            for row in model.objects.visible_to(by).filter(pk__in=ids & own.get(model, set())):
                yield (
                    record.pk,
                    _("You changed “%(row)s” yourself since this was submitted: somebody else has to publish it.")
                    % {"row": row},
                )


def _by_model(records: Iterable[Reviewed]) -> dict[type[Reviewed], dict[UUID, Reviewed]]:
    groups: dict[type[Reviewed], dict[UUID, Reviewed]] = defaultdict(dict)
    for record in records:
        groups[type(record)][record.pk] = record
    return groups


def _shown_elsewhere(records: list[Reviewed], by: User) -> Iterator[tuple[UUID, str]]:
    """A name, or another part, that readers still see with the record that it belonged to before."""
    targets = _Targets(by)
    for model, group in _by_model(records).items():
        for part in model.part_models():
            others = set().union(*former_owners(part, group).values()) - group.keys()
            shown = model._base_manager.filter(pk__in=others, published_at__isnull=False)
            moments = [(record.pk, record.published_at) for record in shown if record.published_at]
            moved = {row.pgh_obj_id: row for row in rows_at(part, f"{part.owner}_id", moments)}
            for row in part._base_manager.filter(**{f"{part.owner}__in": group.keys()}, pk__in=moved):
                targets.look_up(part, [moved[row.pk]])
                other = _plain(part, moved[row.pk], part.owner, targets)
                yield (
                    row.record.pk,
                    _("“%(part)s” of “%(record)s” is still shown with “%(other)s”: publish the two together.")
                    % {"part": row, "record": row.record, "other": other},
                )


def _shown_below(records: list[Reviewed], by: User) -> Iterator[tuple[UUID, str]]:
    """A record that readers still see below one that only leads to another from now on; what is sealed they do not."""
    together = {record.pk for record in records}
    for record in records:
        if record.leads_on(record) is None:
            continue
        for sentence in _leads_to_what_is_not_shown(record, together):
            yield record.pk, sentence
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
                for row in rows:
                    if row.pk in shown:
                        yield (
                            record.pk,
                            _("“%(row)s” is still shown with “%(record)s”: publish the two together.")
                            % {"row": row, "record": record},
                        )


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


def _unpublished_targets(records: list[Reviewed]) -> Iterator[tuple[UUID, str]]:
    """A reference to something that readers may see but that nobody has published yet."""
    together = {record.pk for record in records}
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
                for record, key in pointing:
                    if key in missing and missing[key].closure().visible_to(Audience.RESEARCHER):
                        yield (
                            record.pk,
                            _(
                                "“%(record)s” refers to “%(target)s”, which is not published:"
                                " publish it first, or together."
                            )
                            % {"record": record, "target": missing[key]},
                        )


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
    return differences([record], viewer=viewer)[record.pk]


def differences(records: Iterable[Reviewed], *, viewer: User) -> dict[UUID, list[Change]]:
    """The same of many records, with as many queries as of one of each model."""
    found: dict[UUID, list[Change]] = {}
    targets = _Targets(viewer)
    for model, group in _by_model(records).items():
        found.update({pk: [] for pk in group})
        moments = [(pk, record.published_at) for pk, record in group.items() if record.published_at]
        for kind, column in [(model, "id"), *((part, f"{part.owner}_id") for part in model.part_models())]:
            own = "pk" if column == "id" else column
            after = {row.pk: row for row in named(kind.objects.visible_to(viewer).filter(**{f"{own}__in": group}))}
            hidden = set(
                kind._base_manager.filter(**{f"{own}__in": group}).exclude(pk__in=after).values_list("pk", flat=True)
            )
            before = {row.pgh_obj_id: row for row in rows_at(kind, column, moments) if row.pgh_obj_id not in hidden}
            targets.look_up(kind, [*after.values(), *before.values()])
            for pk in [*after, *(pk for pk in before if pk not in after)]:
                then, now = before.get(pk), after.get(pk)
                if then is not None and column != "id" and targets.hide(kind, then):
                    then = None
                holders: list[Any] = [
                    None if row is None else pk if column == "id" else getattr(row, column) for row in (then, now)
                ]
                if holders[0] in {None, holders[1]} or holders[1] is None:
                    if then is not None or now is not None:
                        found[holders[1] or holders[0]] += _changes(kind, then, now, targets)
                else:  # it belongs to another of these records by now
                    found[holders[0]] += _changes(kind, then, None, targets)
                    found[holders[1]] += _changes(kind, None, now, targets)
    return found


class _Targets:
    """What rows point to, as far as the viewer may see it: looked up for many rows at once."""

    def __init__(self, viewer: User) -> None:
        self.viewer = viewer
        self._visible: dict[Any, dict[UUID, Any]] = defaultdict(dict)
        self._hidden: dict[Any, set[UUID]] = defaultdict(set)

    def look_up(self, kind: Any, rows: Iterable[Any]) -> None:
        wanted: dict[Any, set[UUID]] = defaultdict(set)
        for row in rows:
            for field in references(kind):
                wanted[field.related_model].add(getattr(row, field.attname))
        for target, keys in wanted.items():
            new = keys - {None} - self._visible[target].keys() - self._hidden[target]
            if new:
                rows_seen = named(target.objects.visible_to(self.viewer).filter(pk__in=new))
                self._visible[target].update({row.pk: row for row in rows_seen})
                there = set(target._base_manager.filter(pk__in=new).values_list("pk", flat=True))
                # what was deleted meanwhile is hidden from nobody
                self._hidden[target] |= there - self._visible[target].keys()

    def hide(self, kind: Any, row: Any) -> bool:
        """Whether a row of history points to something the viewer may not see."""
        return any(getattr(row, field.attname) in self._hidden[field.related_model] for field in references(kind))

    def name(self, target: Any, key: UUID) -> str:
        return str(self._visible[target].get(key) or _("sealed"))


def _changes(kind: Any, before: Any, after: Any, targets: _Targets) -> list[Change]:
    names = list(dict.fromkeys([*kind.columns_for(Audience.RESEARCHER), *_staff_columns(kind)]))
    label = f"{kind._meta.verbose_name} {_label(kind, after)}".strip() if after else str(kind._meta.verbose_name)
    if after is None:
        return [Change(label, "", _summary(kind, before, names, targets), None)]
    if before is None and not issubclass(kind, Reviewed):
        return [Change(label, "", None, _summary(kind, after, names, targets))]
    return [
        Change(label, str(kind._meta.get_field(name).verbose_name), old, new)
        for name in names
        if before is None or _value(kind, before, name) != _value(kind, after, name)
        if (old := _plain(kind, before, name, targets)) != (new := _plain(kind, after, name, targets))
    ]


def _staff_columns(kind: Any) -> list[str]:
    hidden = {"id", "revision", "pid", "rid", getattr(kind, "owner", "")}
    hidden |= {*Reviewed.review_columns, *KeyField.names_in(kind)}
    return [field.name for field in kind._meta.concrete_fields if field.name not in hidden]


def _label(kind: Any, row: Any) -> str:
    return "" if issubclass(kind, Reviewed | Citation) else str(row)


def _value(kind: Any, row: Any, name: str) -> Any:
    return getattr(row, kind._meta.get_field(name).attname)


def _plain(kind: Any, row: Any, name: str, targets: _Targets) -> str:
    if row is None:
        return ""
    field = kind._meta.get_field(name)
    value = _value(kind, row, name)
    if value in (None, "", [], {}):
        return ""
    if isinstance(field, MissingField):
        return field.in_words(value)
    if isinstance(field, models.ForeignKey):
        return targets.name(field.related_model, value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _summary(kind: Any, row: Any, names: list[str], targets: _Targets) -> str:
    return "; ".join(
        f"{kind._meta.get_field(name).verbose_name}: {text}"
        for name in names
        if (text := _plain(kind, row, name, targets))
    )
