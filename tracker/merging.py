"""One person who was entered twice: all that points to the one is made to point to the other.

A merge updates rows and nothing else, so that ``tracker.undoing`` can take it back whatever happened since. The merged
person keeps what its own columns say, its identifier, and ``merged_into``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import IntegrityError, connections, models
from django.db.models import F, Max, Q
from django.utils.translation import gettext as _

from tracker import publication
from tracker.acts import doing, touched
from tracker.dates import ImpreciseDate
from tracker.models import Citation, Detention, NotTheSame, Person, PersonCitation, Relationship, User
from tracker.models.fields import CodedArrayField, CodedField, CountriesField, reason_in_words
from tracker.models.identity import in_order
from tracker.models.persons import CONSENTS
from tracker.models.rules import explain
from tracker.review import Refused
from tracker.versions import history_of
from tracker.vocabularies import ActKind, Consent, country_name


class How(Enum):
    REPOINT = "points to the kept person from then on"
    APPEND = "the same, and comes after those that the kept person has already"
    ONCE = "the same, unless the kept person has an equal one; its citations then go to that"
    PAIR = "the same, stored in the order of pairs, unless that pair is there already"
    STAYS = "stays as it is"


@dataclass(frozen=True)
class Move:
    how: How
    #: of ONCE: the columns that make two rows equal, besides the person
    equal: tuple[str, ...] = ()
    #: of STAYS: the reason
    why: str = ""


#: Every foreign key to a person, in the order in which they are moved.
MOVES: Mapping[str, Move] = {
    "tracker.Name.person": Move(How.APPEND),
    "tracker.Relationship.person": Move(How.ONCE, equal=("other", "kind")),
    "tracker.Relationship.other": Move(How.ONCE, equal=("person", "kind")),
    "tracker.Recognition.person": Move(How.REPOINT),
    "tracker.ExternalIdentifier.person": Move(How.REPOINT),
    "tracker.PersonCitation.person": Move(How.REPOINT),
    "tracker.Detention.person": Move(How.REPOINT),
    "tracker.Prosecution.person": Move(How.REPOINT),
    # it follows its prosecution's person by itself, when it is touched
    "tracker.ProsecutionDetention.person": Move(How.REPOINT),
    "releases.Release.person": Move(How.REPOINT),
    "releases.ListLine.person": Move(How.REPOINT),
    "releases.Note.person": Move(How.REPOINT),
    "tracker.NotTheSame.person": Move(How.PAIR),
    "tracker.NotTheSame.other": Move(How.PAIR),
    "tracker.Person.merged_into": Move(How.REPOINT),
    "tracker.Grant.person": Move(
        How.STAYS, why="both are seen by the same accounts, or they are not merged; the merged one stays as closed"
    ),
}

#: Columns of a person that are no statement about it, or follow a rule of their own.
NOT_CHOSEN: Mapping[str, str] = {
    "id": "what the row is",
    "revision": "counts edits",
    "pid": "in print: the old one leads to the new one",
    "merged_into": "says that it is merged",
    "disclosure": "both have the same, or they are not merged",
    "consent": "the stricter one stands",
    "consent_by": "belongs to the consent",
    "consent_on": "belongs to the consent",
    "missing": "why a column is empty is chosen with the column",
    **dict.fromkeys(Person.review_columns, "how far the review is"),
}

KEPT, OTHER = "kept", "other"


def chosen_columns() -> list[models.Field[Any, Any]]:
    """The columns of which an editor says whose value stays."""
    return [column for column in Person._meta.concrete_fields if column.name not in NOT_CHOSEN]


# --- What a page shows before


@dataclass(frozen=True)
class Side:
    """What one of the two says in one column, in words, with the citations that this account may see."""

    text: str
    citations: list[Citation]


@dataclass(frozen=True)
class Column:
    name: str
    label: str
    kept: Side
    other: Side
    #: whose value stays if nobody says otherwise
    default: str

    @property
    def differs(self) -> bool:
        return self.kept.text != self.other.text


@dataclass(frozen=True)
class Rows:
    """Rows of one kind that belong to the one, and to the other."""

    label: str
    kept: list[Any]
    other: list[Any]


@dataclass(frozen=True)
class Comparison:
    columns: list[Column]
    #: names, relationships, recognitions, identifiers
    parts: list[Rows]
    #: detentions, prosecutions, releases
    records: list[Rows]
    #: whose consent stands, and what it says
    consent: Column


def compare(kept: Person, other: Person, viewer: User) -> Comparison:
    """Both side by side, as far as the account may see. The number of queries does not depend on what there is."""
    cited: dict[tuple[UUID, str], list[Citation]] = defaultdict(list)
    whole = {f"{part}__isnull": True for part in PersonCitation.parts}
    citations = PersonCitation.objects.visible_to(viewer).filter(person__in=[kept, other], **whole)
    for citation in citations.select_related("source").order_by("standing", "source__title", "id"):
        cited[citation.person_id, citation.about].append(citation)

    def column(name: str, default: str) -> Column:
        label = str(Person._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
        one, two = (Side(in_words(side, name), cited.get((side.pk, name), [])) for side in (kept, other))
        return Column(name, label, one, two, default)

    parts: list[Rows] = []
    records: list[Rows] = []
    for key in MOVES:
        model, name = _relation(key)
        if name != "person" or model in (Person, PersonCitation, NotTheSame) or key in _NOT_LISTED:
            continue
        rows = list(_listed(model.objects.visible_to(viewer).filter(person__in=[kept, other])))
        found = Rows(
            str(model._meta.verbose_name_plural),
            *([row for row in rows if row.person_id == one.pk] for one in (kept, other)),
        )
        (records if hasattr(model, "review_state") else parts).append(found)
    return Comparison(
        columns=[column(one.name, _default(kept, other, one.name)) for one in chosen_columns()],
        parts=parts,
        records=records,
        consent=column("consent", OTHER if _stricter(kept, other) is other else KEPT),
    )


#: What is shown with something else, or concerns accounts.
_NOT_LISTED = {"tracker.ProsecutionDetention.person", "tracker.Grant.person"}


def _listed(rows: Any) -> Any:
    """With all that the rows are called by."""
    model = rows.model
    named = [
        one.name for one in model._meta.concrete_fields if isinstance(one, models.ForeignKey) and one.name != "person"
    ]
    rows = rows.select_related(*(name for name in named if not name.endswith("_by")))
    people = [name for name in named if model._meta.get_field(name).related_model is Person]
    return rows.select_related("person").prefetch_related("person__names", *(f"{name}__names" for name in people))


def in_words(person: Person, name: str) -> str:
    """What a column of a person says, or why it says nothing, if anybody knows; else empty."""
    column: Any = Person._meta.get_field(name)
    value = getattr(person, name)
    if value in (None, "", []):
        return reason_in_words(person.missing[name]) if name in person.missing else ""
    if isinstance(value, ImpreciseDate):
        return value.display
    if isinstance(column, CountriesField):
        return ", ".join(str(country_name(code)) for code in value)
    if isinstance(column, CodedArrayField | CodedField):
        labels = dict(column.vocabulary.choices()) if column.vocabulary else {}
        codes = value if isinstance(value, list) else [value]
        return ", ".join(str(labels.get(code, code)) for code in codes)
    return str(value)


def _default(kept: Person, other: Person, name: str) -> str:
    def told(person: Person) -> int:
        return (name in person.missing) if person.is_empty(name) else 2

    return OTHER if told(other) > told(kept) else KEPT


def _stricter(kept: Person, other: Person) -> Person:
    """The one whose wish stands: the stricter of the two, the kept person's where they agree."""
    return min((kept, other), key=lambda person: CONSENTS.index(Consent(person.consent)))


# --- What stands in the way


@dataclass(frozen=True)
class Obstacle:
    """A sentence, and the records to mend."""

    sentence: str
    records: list[Any] = field(default_factory=list)


def obstacles(kept: Person, other: Person, viewer: User) -> list[Obstacle]:
    """Why the two cannot be merged by this account as they are. Both are visible to it."""
    if kept.pk == other.pk:
        return [Obstacle(_("A person cannot be merged with itself."))]
    merged = [
        Obstacle(_("“%(person)s” is merged already: choose the person it was merged into.") % {"person": one.pid},
                 list(Person.objects.visible_to(viewer).filter(pk=one.merged_into_id)))
        for one in (kept, other) if one.merged_into_id
    ]  # fmt: skip
    if merged:
        return merged
    return [
        *_told_apart(kept, other, viewer),
        *_unlike_closed(kept, other),
        *_hidden(other, viewer),
        *_related(kept, other, viewer),
        *_held_twice(kept, other, viewer),
        *_released_twice(kept, other, viewer),
    ]


def _told_apart(kept: Person, other: Person, viewer: User) -> Iterator[Obstacle]:
    for pair in NotTheSame.objects.visible_to(viewer).about(kept, other).select_related("decided_by"):
        yield Obstacle(
            _("%(user)s decided on %(day)s that they are not the same: %(why)s")
            % {"user": pair.decided_by, "day": pair.decided_at.date().isoformat(), "why": pair.why},
            [pair],
        )


def _unlike_closed(kept: Person, other: Person) -> Iterator[Obstacle]:
    """A merge opens nothing and closes nothing: who may see what is decided on the two pages, and seen there."""
    if kept.disclosure != other.disclosure:
        yield Obstacle(
            _("“%(kept)s” is open to %(one)s and “%(other)s” to %(two)s: give both the same disclosure.")
            % {
                "kept": kept,
                "one": in_words(kept, "disclosure").lower(),
                "other": other,
                "two": in_words(other, "disclosure").lower(),
            },
            [kept, other],
        )
    accounts = [set(one.grants.values_list("user", flat=True)) for one in (kept, other)]
    if kept.disclosure == other.disclosure == "sealed" and accounts[0] != accounts[1]:
        yield Obstacle(
            _("The two sealed persons are seen by different accounts: let the same accounts see both."), [kept, other]
        )


def _hidden(other: Person, viewer: User) -> Iterator[Obstacle]:
    for key, move in MOVES.items():
        model, name = _relation(key)
        rows = model._base_manager.filter(**{name: other})
        if move.how is not How.STAYS and rows.exclude(pk__in=model.objects.visible_to(viewer).values("pk")).exists():
            yield Obstacle(
                _("Not everything that would be moved is for you to see. Ask somebody who may see all of it.")
            )
            return


def _related(kept: Person, other: Person, viewer: User) -> Iterator[Obstacle]:
    between = Q(person=kept, other=other) | Q(person=other, other=kept)
    for row in Relationship.objects.visible_to(viewer).filter(between).select_related("person"):
        yield Obstacle(
            _("One is recorded as the %(kind)s of the other: if they are one, take the relationship away.")
            % {"kind": row.get_kind_display().lower()},
            [row.person],
        )


def _held_twice(kept: Person, other: Person, viewer: User) -> Iterator[Obstacle]:
    rows = Detention.objects.visible_to(viewer).filter(person__in=[kept, other]).select_related("person")
    of: dict[UUID, list[Detention]] = defaultdict(list)
    for row in rows.prefetch_related("person__names"):
        of[row.person_id].append(row)
    for one in of[kept.pk]:
        for two in of[other.pk]:
            if one.is_open and two.is_open:
                yield Obstacle(
                    _("Both have an open detention: close one of them, or take it away if it is the same."), [one, two]
                )
            elif _overlap(one.surely_held(), two.surely_held()):
                yield Obstacle(
                    _("On some days both are surely held, in two detentions: correct the dates, or take one away."),
                    [one, two],
                )


def _overlap(one: Any, two: Any) -> bool:
    """Whether two spans of days (the end not included, None: no end) share one."""
    if one is None or two is None:
        return False
    return (two[1] is None or one[0] < two[1]) and (one[1] is None or two[0] < one[1])


def _released_twice(kept: Person, other: Person, viewer: User) -> Iterator[Obstacle]:
    releases: Any = apps.get_model("releases", "Release")
    rows = releases.objects.visible_to(viewer).filter(event__isnull=False).select_related("event", "person")
    rows = rows.prefetch_related("person__names")
    events = {row.event_id: row for row in rows.filter(person=kept)}
    for row in rows.filter(person=other, event__in=events.keys()):
        yield Obstacle(
            _("Both have a release in “%(event)s”: take one of the two away.") % {"event": row.event},
            [events[row.event_id], row],
        )


# --- Doing it


def merge(kept: Person, other: Person, *, by: User, why: str, choose: Mapping[str, str] | None = None) -> UUID:
    """Make ``other`` a part of ``kept``, all of it or nothing. Raises ``Refused``. Returns the history's context.

    ``choose`` names a column → ``KEPT`` or ``OTHER``, whose value stays; what it does not name stays the kept person's,
    or becomes the other's where the kept person has none. Copies show what they showed until somebody publishes it.
    """
    if not why.strip():
        raise Refused([_("Say why the two are one.")])
    choices = dict(choose or {})
    unknown = choices.keys() - {column.name for column in chosen_columns()} or set(choices.values()) - {KEPT, OTHER}
    if unknown:
        raise ValueError(f"{unknown}: no column of which one chooses, or neither of the two")
    with doing(ActKind.MERGE, by=by, why=why.strip(), merged=str(other.pk)) as context:
        rows = Person.objects.filter(pk__in=[kept.pk, other.pk]).order_by("pk").select_for_update()
        locked = {row.pk: row for row in rows}
        try:
            one, two = locked[kept.pk], locked[other.pk]
        except KeyError:
            raise Refused([_("One of the two is not there any more.")]) from None
        # what was written before in the same transaction is asked before anything is moved
        connections["default"].check_constraints()
        found = obstacles(one, two, by)
        if found:
            raise Refused([obstacle.sentence for obstacle in found])
        try:
            _take(one, two, choices)
            for key in MOVES:
                _move(key, one, two)
            Person.objects.filter(pk=two.pk).update(merged_into=one)
            connections["default"].check_constraints()
        except IntegrityError as error:
            raise Refused([str(explain(error).sentence)]) from error
        publication.close(*touched(context))
    return context


def _take(kept: Person, other: Person, choices: Mapping[str, str]) -> None:
    """The columns of the other that stay, written to the kept person."""
    names = [column.name for column in chosen_columns()]
    taken = [name for name in names if choices.get(name, _default(kept, other, name)) == OTHER]
    if _stricter(kept, other) is other:
        taken += ["consent", "consent_by", "consent_on"]
    values = {name: getattr(other, name) for name in taken if getattr(other, name) != getattr(kept, name)}
    told = {name: reason for name, reason in kept.missing.items() if name not in taken}
    told |= {name: reason for name, reason in other.missing.items() if name in taken}
    if told != kept.missing:
        values["missing"] = told
    if values:
        Person.objects.filter(pk=kept.pk).update(**values)


def _relation(key: str) -> tuple[Any, str]:
    """Model and foreign key of an entry of ``MOVES``."""
    label, name = key.rsplit(".", 1)
    return apps.get_model(label), name


def _move(key: str, kept: Person, other: Person) -> None:
    model, name = _relation(key)
    rows: Any = model._base_manager.filter(**{name: other})
    match MOVES[key].how:
        case How.REPOINT:
            rows.update(**{name: kept})
        case How.APPEND:
            last = model._base_manager.filter(**{name: kept}).aggregate(last=Max("position"))["last"] or 0
            rows.update(**{name: kept, "position": F("position") + last})
        case How.ONCE:
            for row in rows:
                _move_once(row, name, MOVES[key].equal, kept)
        case How.PAIR:
            for row in rows.select_related("person", "other"):
                partner = row.other if name == "person" else row.person
                if not NotTheSame.objects.about(kept, partner).exists():
                    rows.filter(pk=row.pk).update(**in_order(kept, partner))


def _move_once(row: Any, name: str, equal: Iterable[str], kept: Person) -> None:
    model = type(row)
    same = {column: getattr(row, model._meta.get_field(column).attname) for column in equal}
    there = model._base_manager.filter(**{name: kept}, **same).first()
    if there is None:
        model._base_manager.filter(pk=row.pk).update(**{name: kept})
        return
    cited = row.record.citation_model()
    part = next(part for part in cited.parts if cited._meta.get_field(part).related_model is model)
    cited._base_manager.filter(**{part: row}).update(**{part: there, cited.owner: there.record})


def merge_of(person: Person) -> UUID | None:
    """The history's context in which this person was last merged into another, None if it never was."""
    events = history_of(Person)._base_manager.filter(
        pgh_obj_id=person.pk, pgh_context__act=ActKind.MERGE, pgh_context__merged=str(person.pk)
    )
    context: UUID | None = events.order_by("-pgh_id").values_list("pgh_context_id", flat=True).first()
    return context
