"""Lists of names as they arrive: bytes of an unknown encoding, one name a line or a table, turned into questions."""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from tracker import dates, names
from tracker import vocabularies as v
from tracker.matching import Question
from tracker.names.parsing import LONGEST

COLUMNS: Final = ("name", "born", "age", "citizenship", "sex")

_SEXES: Final = {"f": v.Sex.FEMALE, "female": v.Sex.FEMALE, "ж": v.Sex.FEMALE, "m": v.Sex.MALE, "male": v.Sex.MALE}
_SEXES_TYPED: Final[Mapping[str, str]] = {**_SEXES, "м": v.Sex.MALE, "": "", "unknown": ""}


class ListError(ValueError):
    """A list that cannot be read. Its message names line, column and value, for whoever brought it."""


@dataclass(frozen=True)
class Asked:
    """A question with the line it stands on, from 1, and the name as it stands there."""

    line: int
    text: str
    question: Question


def decode(data: bytes) -> tuple[str, str]:
    """The text, and the encoding it was in: UTF-8, UTF-16 by its mark or its zeros, else Windows-1251.

    Raises ``ListError`` for what is no text.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return _decoded(data, encoding), encoding.removesuffix("-sig")
    # names in UTF-16 without a mark have spaces and ends of lines, of which one byte is zero
    even, odd = (data[start:4000:2].count(0) for start in (0, 1))
    if even + odd > len(data[:4000]) // 16:
        return _decoded(data, "utf-16-be" if even > odd else "utf-16-le"), "utf-16"
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        text = _decoded(data, "cp1251")
    letters = [character for character in text if character.isalpha()]
    odd = any(unicodedata.category(character) == "Cc" and not character.isspace() for character in text)
    if odd or sum("\u0400" <= letter <= "\u04ff" for letter in letters) < len(letters) / 4:
        raise ListError(_("The file is neither in UTF-8 nor in Windows-1251. Save it as UTF-8."))
    return text, "windows-1251"


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ListError(
            _("The file is no text in %(encoding)s: byte %(place)d cannot be read. Save it as UTF-8.")
            % {"encoding": encoding, "place": error.start + 1}
        ) from error


def questions(text: str) -> Iterator[Asked]:
    """One name a line, or a table whose first line names the columns of ``COLUMNS``; empty lines are passed over.

    Raises ``ListError`` for what cannot be read, before or while it is asked for.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first = next((line for line in text.split("\n") if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    header = [cell.strip().strip('"').strip().lower() for cell in first.split(delimiter)]
    if "name" in header or ({*header} & {*COLUMNS} and len(header) > 1):
        yield from _table(text, delimiter)
        return
    for number, line in enumerate(text.split("\n"), 1):
        name = _name(line, number)
        if name:
            yield Asked(number, name, Question(name))


def _table(text: str, delimiter: str) -> Iterator[Asked]:
    reader = csv.reader(io.StringIO(text.replace("\0", "")), delimiter=delimiter, strict=True)
    header: list[str] = []
    end = 0
    while True:
        number = end + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise ListError(_("Line %(line)d: %(error)s.") % {"line": reader.line_num, "error": error}) from error
        end = reader.line_num
        if row is None:
            return
        if not any(cell.strip() for cell in row):
            continue
        if not header:
            header = _header(row, number)
            continue
        if len(row) > len(header) and any(cell.strip() for cell in row[len(header) :]):
            raise ListError(
                _("Line %(line)d has %(cells)d cells, and there are %(columns)d columns: “%(value)s” is too many.")
                % {"line": number, "cells": len(row), "columns": len(header), "value": _short(row[len(header)])}
            )
        cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
        name = _name(cells["name"], number)
        if not name:
            raise ListError(_("Line %(line)d, column name: there is no name.") % {"line": number})
        yield Asked(number, name, _question(name, cells, number))


def _header(row: list[str], number: int) -> list[str]:
    header = [cell.strip().lower() for cell in row]
    while header and not header[-1]:
        header.pop()
    for cell in header:
        if cell not in COLUMNS:
            raise ListError(
                _("Line %(line)d: there is no column “%(column)s”. There are: %(columns)s.")
                % {"line": number, "column": _short(cell), "columns": ", ".join(COLUMNS)}
            )
        if "name" not in header:
            raise ListError(
                _("Line %(line)d names columns, and none is “name”. There are: %(columns)s.")
                % {"line": number, "columns": ", ".join(COLUMNS)}
            )
        if header.count(cell) > 1:
            raise ListError(
                _("Line %(line)d: the column “%(column)s” stands there twice.") % {"line": number, "column": cell}
            )
    return header


def _name(text: str, number: int) -> str:
    name = names.clean(text)
    if len(name) > LONGEST:
        raise ListError(
            _("Line %(line)d, column name: “%(value)s” has %(length)d characters; a name has at most %(most)d.")
            % {"line": number, "value": _short(name), "length": len(name), "most": LONGEST}
        )
    return name


def _question(name: str, cells: Mapping[str, str], number: int) -> Question:
    def refuse(column: str, sentence: str) -> ListError:
        return ListError(
            _("Line %(line)d, column %(column)s: %(sentence)s")
            % {"line": number, "column": column, "sentence": sentence}
        )

    try:
        born = dates.parse(cells["born"]) if cells.get("born") else None
    except dates.DateError as error:
        raise refuse("born", str(error)) from error
    age = cells.get("age", "")
    if age and not (age.isascii() and age.isdigit() and int(age[:4]) <= dates.OLDEST_AGE):
        raise refuse(
            "age",
            _("“%(value)s” is no age in years, from 0 to %(most)d.") % {"value": _short(age), "most": dates.OLDEST_AGE},
        )
    citizenship = cells.get("citizenship", "").upper()
    if citizenship and citizenship not in v.country_codes():
        raise refuse(
            "citizenship",
            _("“%(value)s” is no code of a country. Write it as BY, UA, LT.") % {"value": _short(citizenship)},
        )
    sex = cells.get("sex", "").lower()
    if sex not in _SEXES_TYPED:
        raise refuse("sex", _("“%(value)s” is neither female nor male.") % {"value": _short(sex)})
    return Question(name, born, int(age) if age else None, citizenship, _SEXES_TYPED[sex])


def _short(value: str) -> str:
    value = names.clean(value)
    return value if len(value) <= 40 else value[:40] + "…"
