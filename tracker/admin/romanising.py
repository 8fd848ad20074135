"""Spellings in Latin letters, offered below the names of a person and kept only when they are ticked.

To tick one is to type it: before the names are read, each spelling that is ticked becomes a row of theirs. So it is
checked, numbered, saved, refused and shown again as every other row, in the same transaction and the same act.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.forms.formsets import DEFAULT_MAX_NUM
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from tracker.admin.forms import PartFormSet, is_small_number
from tracker.names import clean
from tracker.names.romanisation import Proposal, guess_language, possible_languages, proposals
from tracker.vocabularies import Language, NameKind

#: what the names' rows are called in the form of a person
PREFIX = "names"


@dataclass(frozen=True)
class Typed:
    """A name as a row has it, stored or typed."""

    text: str
    language: str
    kind: str
    disclosure: str


@dataclass(frozen=True)
class Offer:
    """A spelling. It is as closed as the name it is made from."""

    proposal: Proposal
    disclosure: str

    @property
    def code(self) -> str:
        return f"{self.proposal.language}:{self.proposal.scheme}:{self.proposal.text}"

    @property
    def tag(self) -> str:
        """The language and script of the spelling for a browser that reads it out (BCP 47)."""
        plain = self.proposal.language is Language.EN
        return str(self.proposal.language) if plain else f"{self.proposal.language}-{self.proposal.script}"


@dataclass(frozen=True)
class Group:
    """What is offered for one name in one language."""

    text: str
    language: Language
    #: the letters leave other languages too
    unsure: bool
    #: ticked, it gives the row its language; empty where that is known already, or cannot be told
    tell: str
    offers: list[Offer]


def offered(rows: Sequence[Typed | None]) -> list[Group]:
    """For each name in Cyrillic what the person has not got yet. An erroneous name is not spelled in more ways."""
    taken = {row.text.casefold() for row in rows if row}
    groups = []
    for number, row in enumerate(rows):
        if row is None or row.kind == NameKind.ERRONEOUS:
            continue
        languages = _languages(row)
        fresh: set[str] = set()
        for language in languages:
            offers = [
                Offer(proposal, row.disclosure)
                for proposal in proposals(row.text, language)
                if proposal.text.casefold() not in taken
            ]
            guessed = not row.language and guess_language(row.text) is language
            if offers or guessed:
                tell = f"{number}:{language}" if guessed else ""
                groups.append(Group(row.text, language, len(languages) > 1, tell, offers))
            fresh |= {offer.proposal.text.casefold() for offer in offers}
        taken |= fresh
    return groups


def _languages(row: Typed) -> Sequence[Language]:
    if row.language in ("", Language.UND):
        return possible_languages(row.text)
    return [Language(row.language)]


def _rows(data: Any, prefix: str) -> list[Typed | None]:
    """What stands in the rows of a page that was sent; None for a row that is empty or goes."""
    total = data.get(f"{prefix}-TOTAL_FORMS", "")
    rows: list[Typed | None] = []
    for number in range(min(int(total), DEFAULT_MAX_NUM) if is_small_number(total) else 0):
        row = f"{prefix}-{number}"
        text, language = clean(data.get(f"{row}-text", "")), data.get(f"{row}-language", "")
        known = language == "" or language in Language.codes()
        if text and known and f"{row}-DELETE" not in data:
            rows.append(Typed(text, language, data.get(f"{row}-kind", ""), data.get(f"{row}-disclosure", "")))
        else:
            rows.append(None)
    return rows


class NameFormSet(PartFormSet):
    """The names of a person, with the spellings that may be added to them."""

    data: Any
    prefix: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gone: list[str] = []
        if self.is_bound and (self._ticked("language") or self._ticked("keep")):
            self.data = self.data.copy()
            self._tell()
            self._keep()

    def _ticked(self, what: str) -> list[str]:
        ticked: list[str] = self.data.getlist(f"{self.prefix}-{what}")
        return ticked

    def _tell(self) -> None:
        """Gives rows the language that was ticked for them. One that was chosen in the row itself is left alone."""
        rows = dict(enumerate(_rows(self.data, self.prefix)))
        for code in self._ticked("language"):
            number, _colon, language = code.partition(":")
            row = rows.get(int(number)) if is_small_number(number) else None
            if row and not row.language and guess_language(row.text) == language:
                self.data[f"{self.prefix}-{int(number)}-language"] = language

    def _keep(self) -> None:
        """Adds a row for each spelling that was ticked, if it is offered still and not there already."""
        rows = _rows(self.data, self.prefix)
        offers = {offer.code: offer for group in offered(rows) for offer in group.offers}
        taken = {row.text.casefold() for row in rows if row}
        total = len(rows)
        for code in self._ticked("keep"):
            text = clean(code.partition(":")[2].partition(":")[2])
            offer = offers.get(code)
            if text.casefold() in taken:
                continue
            if offer is None:
                self.gone.append(text)
                continue
            found = offer.proposal
            row = {
                "text": found.text,
                "language": found.language,
                "script": found.script,
                "kind": found.kind,
                "scheme": found.scheme,
                "disclosure": offer.disclosure,
            }
            for name, value in row.items():
                self.data[f"{self.prefix}-{total}-{name}"] = value
            taken.add(text.casefold())
            total += 1
        if total > len(rows):
            self.data[f"{self.prefix}-TOTAL_FORMS"] = str(total)

    def clean(self) -> None:
        super().clean()
        if self.gone:
            sentence = _("“%(name)s” is not offered any more: the name it was made from has changed.")
            raise ValidationError([sentence % {"name": text} for text in self.gone])

    @property
    def groups(self) -> list[Group]:
        if self.is_bound:
            return offered(_rows(self.data, self.prefix))
        return offered([Typed(row.text, row.language, row.kind, row.disclosure) for row in self.get_queryset()])


@sensitive_post_parameters()
@require_POST
def spellings(request: HttpRequest) -> TemplateResponse:
    """What is offered for the names as they are being typed. Reads no record and keeps nothing."""
    context = {
        "groups": offered(_rows(request.POST, PREFIX)),
        "prefix": PREFIX,
        "ticked": request.POST.getlist(f"{PREFIX}-keep") + request.POST.getlist(f"{PREFIX}-language"),
    }
    return TemplateResponse(request, "admin/spellings.html", context)
