"""One cell: from the text in a file to the value of a column, or a sentence that says what would be right.

``Value.text`` is the value as our own export prints it, so that two texts of one value (05.03.2021 and 2021-03-05) are
no change. Pure but for the fields that it is told about.
"""

from __future__ import annotations

import difflib
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from tracker import names
from tracker.columns import STARTS_FORMULA, Kind
from tracker.dates import DateError, parse
from tracker.models import Name
from tracker.vocabularies import Missing, Precision, country_choices

_GUARDED_START: Final = re.compile(rf"^(?=[\t\r\n{STARTS_FORMULA}])")
_GUARDED_WITHIN: Final = re.compile(rf"([;\t\r\n])(?=[{STARTS_FORMULA}])")
_UNGUARD_START: Final = re.compile(rf"^'(?=[\t\r\n{STARTS_FORMULA}])")
_UNGUARD_WITHIN: Final = re.compile(rf"([;\t\r\n])'(?=[{STARTS_FORMULA}])")

#: so many values of a column are remembered: codes, dates and places repeat
_REMEMBERED: Final = 4096


class CellError(ValueError):
    """A text that is no value of its column. Its message says what would be one."""


@dataclass(frozen=True)
class Value:
    #: as COPY takes it
    literal: str | list[str] | None
    text: str


Read = Callable[[str], Value]


def guard(text: str) -> str:
    """As ``tracker.columns.Harmless`` writes it, so that no spreadsheet runs it as a formula."""
    return _GUARDED_WITHIN.sub(r"\1'", _GUARDED_START.sub("'", text))


def unguard(text: str) -> str:
    return _UNGUARD_WITHIN.sub(r"\1", _UNGUARD_START.sub("", text))


def plain(text: str) -> str:
    """A cell without what programs add on the way: other line ends, white space around it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def same(given: str, shown: str) -> bool:
    """Whether a cell says what the export says, guarded or not."""
    if given == shown:
        return True
    cell = plain(given)
    return cell == plain(shown) or cell == plain(guard(shown))


def reader(kind: Kind, field: Any) -> Read:
    """For texts that are not empty and have no white space around them. What it returns raises ``CellError``."""
    read = _READERS[kind](field)
    return lru_cache(_REMEMBERED)(read) if kind is not Kind.TEXT else read


def read_uuid(text: str) -> Value:
    try:
        if len(text) != 36:
            raise ValueError
        key = str(uuid.UUID(text))
    except ValueError:
        raise CellError(
            _("This is no id. Ids look like %(example)s; take them from the export.")
            % {"example": "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b"}
        ) from None
    return Value(key, key)


def read_reason(text: str) -> str:
    """Why a column is empty; empty where nothing is said."""
    return _one_code(text, {code: str(label) for code, label in Missing.choices()}) if text else ""


def _text(field: Any) -> Read:
    is_name = field.model is Name and field.name == "text"

    def read(given: str) -> Value:
        text = unguard(given).strip()
        if is_name:
            text = names.clean(text)
        _validated(field, text)
        return Value(text, text)

    return read


def _code(field: Any) -> Read:
    labels = _labels(field)

    def read(text: str) -> Value:
        code = _one_code(text, labels)
        return Value(code, code)

    return read


def _codes(field: Any) -> Read:
    labels = _labels(field)

    def read(text: str) -> Value:
        codes = sorted({_one_code(part.strip(), labels) for part in text.split(";") if part.strip()})
        return Value(codes, ";".join(codes))

    return read


def _labels(field: Any) -> dict[str, str]:
    if field.vocabulary is None and len(field.codes) > 100:
        return {code: str(label) for code, label in country_choices() if code in field.codes}
    choices = getattr(field, "code_choices", None) or field.choices or [(code, code) for code in field.codes]
    return {code: str(label) for code, label in choices if code}


def _one_code(text: str, labels: dict[str, str]) -> str:
    if text in labels:
        return text
    folded = {code.casefold(): code for code in labels}
    if text.casefold() in folded:
        return folded[text.casefold()]
    likely = nearest(text, [*labels, *labels.values()])
    meant = next((code for code, label in labels.items() if likely and likely in (code, label)), "")
    if len(labels) > 100:
        allowed = _("Country codes have two letters: BY, LT, PL, UA.")
    else:
        allowed = _("Allowed are: %(codes)s.") % {"codes": ", ".join(sorted(labels))}
    guess = _("Did you mean %(code)s?") % {"code": meant} if meant else ""
    raise CellError(" ".join(filter(None, [_("“%(code)s” is no such code.") % {"code": text}, guess, allowed])))


def nearest(text: str, known: Sequence[str]) -> str:
    """The one that is spelt most like the text; empty where none is near."""
    folded = {one.casefold(): one for one in known}
    found = difflib.get_close_matches(text.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else ""


def _imprecise(_field: Any) -> Read:
    def read(text: str) -> Value:
        try:
            when = parse(text)
        except DateError as error:
            raise CellError(str(error)) from error
        return Value(f"[{when.earliest},{when.upper})", when.edtf)

    return read


def _day(_field: Any) -> Read:
    def read(text: str) -> Value:
        try:
            when = parse(text)
        except DateError as error:
            raise CellError(str(error)) from error
        if when.precision is not Precision.DAY:
            raise CellError(_("Give one day: 2025-12-13."))
        return Value(when.edtf, when.edtf)

    return read


def _integer(field: Any) -> Read:
    def read(text: str) -> Value:
        # a spreadsheet may have made a number with a decimal point of it
        if not re.fullmatch(r"-?[0-9]{1,18}(\.0+)?", text):
            raise CellError(_("Write a whole number in digits, with no separators: 1200."))
        number = int(text.partition(".")[0])
        _validated(field, number)
        return Value(str(number), str(number))

    return read


def _decimal(field: Any) -> Read:
    def read(text: str) -> Value:
        try:
            if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
                raise InvalidOperation
            number = Decimal(text).normalize()
        except InvalidOperation:
            raise CellError(_("Write a number with a decimal point and no other separators: 1200.50.")) from None
        _validated(field, number)
        written = f"{number:.{field.decimal_places}f}"
        return Value(written, written)

    return read


def _boolean(_field: Any) -> Read:
    def read(text: str) -> Value:
        answer = text.casefold()
        if answer not in {"true", "false"}:
            raise CellError(_("Write true or false."))
        return Value(answer, answer)

    return read


def _validated(field: Any, value: Any) -> None:
    try:
        field.run_validators(value)
    except ValidationError as error:
        raise CellError(" ".join(error.messages)) from error


_READERS: dict[Kind, Callable[[Any], Read]] = {
    Kind.UUID: lambda _field: read_uuid,
    Kind.TEXT: _text,
    Kind.CODE: _code,
    Kind.CODES: _codes,
    Kind.COUNTRY: _code,
    Kind.COUNTRIES: _codes,
    Kind.DATE: _day,
    Kind.EDTF: _imprecise,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _boolean,
}
