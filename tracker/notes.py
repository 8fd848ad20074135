"""Numbered notes of one page: who says so, beside each fact, and the list of all that was said at the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import ForeignKey, Q, QuerySet

from tracker.models import Citation, Sentence, Source, VerdictCitation
from tracker.vocabularies import Standing


def citation_models() -> list[type[Citation]]:
    return [model for model in apps.get_models() if issubclass(model, Citation)]


def citations_of(model: type[Citation], using: str) -> QuerySet[Any]:
    """With all that a note prints: where it is from, and what the name of the part it is about is made of."""
    parts: list[str] = []
    names: list[str] = []
    for part in model.parts:
        parts.append(part)
        target: Any = model._meta.get_field(part).related_model
        for column in target._meta.concrete_fields:
            if not isinstance(column, ForeignKey) or column.name == target.owner:
                continue
            parts.append(f"{part}__{column.name}")
            related: Any = column.related_model
            if any(relation.name == "names" for relation in related._meta.related_objects):
                names.append(f"{part}__{column.name}__names")
    rows: Any = model._default_manager.using(using)
    return rows.select_related("source", "origin", *parts).prefetch_related(*names)


def resting(model: type[Any], claims: Q, using: str) -> QuerySet[Any]:
    """The ids of rows of this model which such claims are about, or about what lies below them; a query for ``IN``.

    Of a person that is everything that is said of detentions, trials and releases, too.
    """
    found = [
        kind._default_manager.using(using)
        .filter(claims, about, **{f"{path}__isnull": False})
        .order_by()
        .values_list(path)
        for kind in citation_models()
        for path, about in _ways(kind, model)
    ]
    return found[0].union(*found[1:])


def _ways(kind: type[Citation], model: type[Any]) -> list[tuple[str, Q]]:
    """Lookups from citations to the rows of a model that they are about, and which of the citations they are."""
    if model is Source:
        return [("source", Q())]
    if model is Sentence:
        # what is said of a verdict and of none of its sentences is said of all of them
        whole = ("verdict__sentences", Q(sentence=None))
        return [("sentence", Q()), whole] if kind is VerdictCitation else []
    path, above = str(kind.owner), _target(kind, kind.owner)
    while above is not model:
        further = {"person", "prosecution"} & set(getattr(above, "below", ()))
        if not further:
            return []
        name = further.pop()
        path, above = f"{path}__{name}", _target(above, name)
    return [(path, Q())]


def _target(model: type[Any], name: str) -> Any:
    return model._meta.get_field(name).related_model


@dataclass
class Note:
    """One passage of one source, however many facts it supports."""

    number: int
    citation: Citation  # the first of them
    about: list[str] = field(default_factory=list)

    @property
    def stands(self) -> bool:
        return bool(self.citation.standing == Standing.ACCEPTED)


class Notes:
    """A passage gets its number when the page first refers to it; what nothing referred to comes last."""

    def __init__(self, citations: Iterable[Citation]) -> None:
        self._about: defaultdict[UUID, list[Citation]] = defaultdict(list)
        self._notes: dict[Any, Note] = {}
        self._told: set[UUID] = set()
        for citation in citations:
            self._about[_row(citation)].append(citation)

    def refer(self, row: UUID, *fields: str) -> list[Note]:
        """The notes on these fields of a row ("" is the row as a whole), or on all that is left of it for none."""
        notes = {}
        for citation in self._about.get(row, ()):
            if (citation.about in fields) if fields else (citation.pk not in self._told):
                note = self._note(citation)
                notes[note.number] = note
        return [notes[number] for number in sorted(notes)]

    def __iter__(self) -> Iterator[Note]:
        for citations in self._about.values():
            for citation in citations:
                self._note(citation)
        return iter(self._notes.values())

    def __bool__(self) -> bool:
        return bool(self._about)

    def _note(self, citation: Citation) -> Note:
        passage = (
            citation.source_id, citation.origin_id, citation.locator, citation.speaker, citation.stated,
            citation.quote, citation.as_of, citation.standing, citation.reason, citation.reasoning,
        )  # fmt: skip
        note = self._notes.setdefault(passage, Note(len(self._notes) + 1, citation))
        if citation.pk not in self._told:
            self._told.add(citation.pk)
            note.about.append(citation.about_label)
        return note


def _row(citation: Citation) -> UUID:
    """The part it is about, else the record."""
    parts = (getattr(citation, f"{name}_id") for name in citation.parts)
    row: UUID = next(filter(None, parts), None) or getattr(citation, f"{citation.owner}_id")
    return row
