"""Lists of people as they are pasted or uploaded: lines or a table, in any script, made into questions.

``words`` knows the words of lists, ``details`` what stands beside a name on one line.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from django.utils.translation import gettext as _

from tracker import dates, names, spreadsheets
from tracker.lists import details as line_details
from tracker.lists import words
from tracker.lists.details import Details
from tracker.lists.words import COLUMNS
from tracker.matching import Question
from tracker.names import given
from tracker.names.parsing import LONGEST
from tracker.names.text import written_words
from tracker.spreadsheets import Cells, SheetError

__all__ = ["COLUMNS", "Line", "ListError", "Sheet", "lines", "read"]

#: So many people are on one list.
MOST_LINES: Final = 5_000
LIMITS: Final = spreadsheets.Limits(
    size=5_000_000, unpacked=50_000_000, rows=20_000, columns=50, characters=10_000, row=100_000
)
#: A name with all that stands beside it.
LONGEST_LINE: Final = 1_000
#: A table may have a title above its heading.
_TITLES: Final = 5
#: So many rows are looked at to tell what a column is, and so much of a cell.
_LOOKED_AT: Final = 200
_OF_A_CELL: Final = 200

_NAMES: Final = ("surname", "given_name", "patronymic")
_NAMED: Final = ("name", *_NAMES)
_LINE_ENDS: Final = re.compile("\r\n|[\n\r\v\f\u2028\u2029]")
# What PostgreSQL cannot hold is nothing that anybody sees.
_UNSEEN: Final = re.compile("[\0\ud800-\udfff]")


_T = TypeVar("_T")


class ListError(ValueError):
    """A list that cannot be read. Each of its problems names line, column and value, for whoever brought it."""

    def __init__(self, *problems: str) -> None:
        self.problems = list(problems)
        more = len(problems) - 3
        told = [*problems[:3], *([_("And %(count)d more.") % {"count": more}] if more > 0 else [])]
        super().__init__(" ".join(told))


@dataclass(frozen=True)
class Sheet:
    """A list as it arrived: rows of cells, or of one cell where it is no table.

    ``columns`` is what each cell seems to be, one of ``COLUMNS`` or nothing; ``headed`` says that the first row names
    them; ``headings`` are lines that are about nobody (title, heading, rule), by their number.
    """

    rows: list[Cells]
    columns: list[str]
    headed: bool
    headings: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """What one line says of one person. ``number`` is the list's own, where each line has one; else the line's."""

    number: int
    printed: str
    name: str = ""
    born: dates.ImpreciseDate | None = None
    age: int | None = None
    sex: str = ""
    citizenships: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    sentence: str = ""
    facility: str = ""
    note: str = ""
    unnamed: bool = False

    def question(self) -> Question:
        """Of several citizenships none is asked for: a record may have any of them."""
        citizenship = self.citizenships[0] if len(self.citizenships) == 1 else ""
        return Question(self.name, self.born, self.age, citizenship, self.sex, facility=self.facility)


def read(data: bytes | str, name: str = "") -> Sheet:
    """What arrived, and what its columns seem to be. Raises ``ListError``."""
    try:
        if isinstance(data, bytes) and spreadsheets.is_workbook(io.BytesIO(data)):
            return _checked(_table(list(spreadsheets.rows(io.BytesIO(data), name, limits=LIMITS))))
        text = spreadsheets.text(io.BytesIO(data), name, limits=LIMITS) if isinstance(data, bytes) else data
    except SheetError as error:
        raise ListError(str(error)) from error
    if len(text) > LIMITS.size:
        raise ListError(_("The text is too long for a list."))
    text = _UNSEEN.sub("", text.removeprefix("\ufeff"))
    return _checked(_tabular(text) or _plain(text))


def _checked(sheet: Sheet) -> Sheet:
    count = len(sheet.rows) - sheet.headed
    if count > MOST_LINES:
        raise ListError(
            _("The list has %(count)d lines, and at most %(most)d can be read at once. Divide it.")
            % {"count": count, "most": MOST_LINES}
        )
    if count < 1:
        raise ListError(_("There is no name in the list."))
    return sheet


# --- What it is


def _plain(text: str) -> Sheet:
    rows = [Cells(number, [line]) for number, line in enumerate(_LINE_ENDS.split(text), 1) if names.clean(line)]
    for row in rows:
        if len(row.values[0]) > LONGEST_LINE:
            raise ListError(_too_long(row.number, row.values[0], LONGEST_LINE))
    return _without_headings(rows, ["name"], headed=bool(rows) and words.header(rows[0].values[0]) in _NAMED)


def _tabular(text: str) -> Sheet | None:
    """The table that the text is, or None: a comma is in many lists that are no table."""
    tabs = text.count("\t") >= sum(1 for line in _LINE_ENDS.split(text) if line.strip())
    try:
        rows = list(spreadsheets.delimited(text, limits=LIMITS))
    except SheetError as error:
        first = next((line for line in _LINE_ENDS.split(text) if line.strip()), "")
        if any(_is_header(first.split(delimiter)) for delimiter in ",;\t|"):
            raise ListError(str(error)) from error
        if not tabs:
            return None
        # copied from a page, where a quotation mark is one
        rows = [
            Cells(number, line.split("\t")) for number, line in enumerate(_LINE_ENDS.split(text), 1) if line.strip()
        ]
    if not rows or max(len(row.values) for row in rows) < 2:
        return None
    sheet = _table(rows)
    if sheet.headed:
        return sheet
    if spreadsheets.delimiter_of(text) == ",":
        return None
    people = [row for row in sheet.rows if len(row.values) > 1]
    if len({len(row.values) for row in people}) > 1 or not 1 < len(people) >= len(sheet.rows) * 0.8:
        return None
    return sheet if {"name", "surname"} & {*sheet.columns} else None


def _table(rows: list[Cells]) -> Sheet:
    above: dict[int, str] = {}
    for place, row in enumerate(rows[:_TITLES]):
        if _is_header(row.values):
            columns = [words.header(cell) or ("note" if cell.strip() else "") for cell in row.values]
            if "surname" not in columns:
                columns = ["name" if column == "given_name" else column for column in columns]
            while columns and not columns[-1]:
                columns.pop()
            return _without_headings(rows[place:], columns, headed=True, above=above)
        above[row.number] = _printed(row)
    sheet = _without_headings(rows, [], headed=False)
    return Sheet(sheet.rows, _told_by_content(sheet.rows), False, sheet.headings)


def _is_header(cells: Sequence[str]) -> bool:
    """Whether a row names columns: one that is surely of names, or two of anything."""
    found = [words.header(cell) for cell in cells]
    return "name" in found or len({*found} - {""}) > 1 or (len(found) == 1 and found[0] in _NAMES)


def _without_headings(
    rows: list[Cells], columns: list[str], *, headed: bool, above: Mapping[int, str] | None = None
) -> Sheet:
    headings = dict(above or {})
    kept = rows[:headed]
    for row in rows[headed:]:
        cells = [cell for cell in map(names.clean, row.values) if cell]
        if (len(cells) == 1 and _is_heading(cells[0])) or _is_rule(cells):
            headings[row.number] = _printed(row)
        else:
            kept.append(row)
    return Sheet(kept, columns, headed, headings)


def _is_heading(text: str) -> bool:
    """What ends with a colon, and what has no letter and does not stand for a name: “To Lithuania:”, “* * *”, “12.”"""
    if text.endswith(":"):
        return True
    return not any(map(str.isalpha, text)) and not line_details.read(text).unnamed


def _is_rule(cells: list[str]) -> bool:
    """The line under the heading of a table that was typed: |---|---|."""
    return all(len(cell) > 1 and not any(map(str.isalnum, cell)) for cell in cells)


def _told_by_content(rows: list[Cells]) -> list[str]:
    """What columns without a heading seem to be, by most of their cells. What seems nothing is a note."""
    rows = rows[:_LOOKED_AT]
    width = max((len(row.values) for row in rows), default=0)
    if width == 1:
        return ["name"]
    cells = [
        [row.values[place].strip()[:_OF_A_CELL] for row in rows if place < len(row.values)] for place in range(width)
    ]
    filled = [[cell for cell in column if cell] for column in cells]
    columns = [_content(column) if column else "" for column in filled]
    for place, column in enumerate(columns):
        if column != "note" and column in columns[:place]:
            columns[place] = "note"
    # a name is where given names are: alone in their cells when surnames have a column beside them
    borne = [
        _share(column, _bears_given_name) if columns[place] == "note" else 0 for place, column in enumerate(filled)
    ]
    best = max(range(width), key=lambda place: borne[place], default=0)
    if width and borne[best] >= 0.5:
        columns[best] = "name"
        if _share(filled[best], lambda cell: len(cell.split()) == 1) > 0.5:
            beside = [place for place in (best - 1, best + 1) if 0 <= place < width and columns[place] == "note"]
            surnames = [place for place in beside if _share(filled[place], _is_one_word) > 0.8]
            fathers = [place for place in beside if _share(filled[place], _is_patronymic) > 0.8]
            if surnames and surnames != fathers:
                columns[best] = "given_name"
                columns[next(place for place in surnames if place not in fathers or len(surnames) == 1)] = "surname"
                for place in fathers[-1:]:
                    columns[place] = "patronymic" if columns[place] == "note" else columns[place]
    return columns


def _content(cells: list[str]) -> str:
    if _share(cells, _is_born) > 0.8:
        return "born"
    printed = [re.fullmatch(r"(?:№|No\.?|#)?\s*(\d{1,4})\s*[.)]?", cell) for cell in cells]
    numbers = [int(match[1]) for match in printed if match]
    if len(numbers) == len(cells) and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return "number"
    for column, test in _TESTS.items():
        if _share(cells, test) > 0.8:
            return column
    return "note"


def _is_born(cell: str) -> bool:
    with contextlib.suppress(dates.DateError):
        born = line_details.year_or_day(cell)
        return born is not None and born.latest.year <= line_details.LAST_BARE_YEAR
    return False


def _is_age(cell: str) -> bool:
    age = line_details.years_old(cell)
    return age is not None and age >= line_details.YOUNGEST


_TESTS: Final[Mapping[str, Callable[[str], object]]] = {
    "sex": words.sex,
    "age": _is_age,
    "citizenship": words.countries,
    "sentence": line_details.is_sentence,
}


def _share(cells: list[str], test: Callable[[str], object]) -> float:
    return sum(bool(test(cell)) for cell in cells) / len(cells) if cells else 0


def _is_one_word(cell: str) -> bool:
    return re.fullmatch(r"[^\W\d_]+(?:['’ʼ-][^\W\d_]+)*", cell) is not None


def _is_patronymic(cell: str) -> bool:
    return any(given.patronymic(word) for word in written_words(cell)[:1])


def _bears_given_name(cell: str) -> bool:
    return any(max(given.meant(word).values(), default=0) >= given.INFLECTED for word in written_words(cell)[:4])


# --- What it says


def lines(sheet: Sheet, columns: Sequence[str] | None = None, headed: bool | None = None) -> list[Line]:
    """What each line says, with the columns as a person has confirmed them. Raises ``ListError`` with every problem."""
    columns = list(sheet.columns if columns is None else columns)
    headed = sheet.headed if headed is None else headed
    problems = list(_wrong_columns(columns))
    if problems:
        raise ListError(*problems)
    reader = _Reader(columns, sheet.rows[0].values if headed and sheet.rows else [])
    found = [reader.details(row) for row in sheet.rows[headed:]]
    line_details.settle([one for one, _said in found])
    made = [reader.line(row, one, said) for row, (one, said) in zip(sheet.rows[headed:], found, strict=True)]
    if reader.problems:
        raise ListError(*reader.problems)
    own = [one.printed_number for one, _said in found if one.printed_number is not None]
    if len({*own}) < len(found):
        return made
    return [replace(line, number=number) for line, number in zip(made, own, strict=True)]


def _wrong_columns(columns: list[str]) -> Iterator[str]:
    for column in dict.fromkeys(columns):
        if column and column not in COLUMNS:
            yield _("There is no column “%(column)s”. There are: %(columns)s.") % {
                "column": _short(column),
                "columns": ", ".join(COLUMNS),
            }
        elif column not in ("", "note") and columns.count(column) > 1:
            yield _("Two columns are “%(column)s”.") % {"column": column}
    if not {*_NAMED} & {*columns}:
        yield _("None of the columns is the name. Say which one is.")


class _Reader:
    """Reads rows, and gathers what is wrong with them."""

    def __init__(self, columns: list[str], header: list[str]) -> None:
        self.columns, self.problems = columns, list[str]()
        # a column that nobody knows keeps its heading in the note
        self.labels = [names.clean(cell) if not words.header(cell) and cell.strip() else "" for cell in header] + [
            ""
        ] * len(columns)
        self.alone = len([column for column in columns if column]) == 1

    def details(self, row: Cells) -> tuple[Details, dict[str, str]]:
        """What the cells of the name say, and what the others do, by column."""
        said: dict[str, str] = {}
        notes = []
        for place, cell in enumerate(row.values):
            text = names.clean(cell)
            if not text:
                continue
            if place >= len(self.columns):
                self._wrong(
                    row,
                    _("“%(value)s” is one cell too many; there are %(columns)d columns.")
                    % {"columns": len(self.columns), "value": _short(text)},
                )
                break
            column = self.columns[place]
            if column not in _NAMED and words.blank(text):
                continue
            if column == "note":
                notes.append(f"{self.labels[place]}: {text}" if self.labels[place] else text)
            elif column:
                said[column] = cell if column == "name" else text
        if len(said.get("name", "")) > LONGEST_LINE:
            self.problems.append(_too_long(row.number, said["name"], LONGEST_LINE))
            del said["name"]
        one = line_details.read(said.get("name", ""))
        if len(said.keys() & {*_NAMES}):
            parts = [said[column] for column in _NAMES if column in said]
            if one.name:
                one.rest.append(one.name)
            one.name = line_details.mended(" ".join(part for part in parts if not words.nobody(part)))
            one.unnamed = not one.name
        one.rest += notes
        return one, said

    def line(self, row: Cells, one: Details, said: Mapping[str, str]) -> Line:
        if not one.name and not one.unnamed:
            self._wrong(row, _("there is no name. Put a dash where nobody knows it."), "name")
        if len(one.name) > LONGEST:
            self.problems.append(_too_long(row.number, one.name, LONGEST))
        if one.others > 1:
            self._wrong(row, _("there seem to be several names. Put each on a line of its own."), "name")
        born = self._read(row, "born", said, _born, one.born)
        age = self._read(row, "age", said, _age, one.age)
        sex = self._read(row, "sex", said, _sex, one.sex)
        citizenships = self._read(row, "citizenship", said, _countries, one.citizenships)
        number = re.search(r"[0-9]{1,6}", said.get("number", ""))
        if number:
            one.printed_number = int(number[0])
        sentence = [*one.sentence, *filter(None, [said.get("sentence")])]
        return Line(
            number=row.number,
            printed=_printed(row),
            name=one.name,
            born=born,
            age=age,
            sex=sex or "",
            citizenships=citizenships or (),
            countries=self._read(row, "destination", said, _countries, ()) or (),
            sentence="; ".join(sentence),
            facility=said.get("facility", ""),
            note="; ".join(one.rest),
            unnamed=one.unnamed,
        )

    def _read(self, row: Cells, column: str, said: Mapping[str, str], reader: Callable[[str], _T], otherwise: _T) -> _T:
        if column not in said:
            return otherwise
        try:
            return reader(said[column])
        except ValueError as error:
            self._wrong(row, str(error), column)
            return otherwise

    def _wrong(self, row: Cells, sentence: str, column: str = "") -> None:
        where = (
            _("Line %(line)d, column %(column)s") % {"line": row.number, "column": column}
            if column and not self.alone
            else _("Line %(line)d") % {"line": row.number}
        )
        self.problems.append(f"{where}: {sentence}")


def _born(text: str) -> dates.ImpreciseDate | None:
    with contextlib.suppress(dates.DateError):
        return dates.parse(text)
    return line_details.year_or_day(text) or dates.parse(text)


def _age(text: str) -> int | None:
    age = line_details.years_old(text)
    if age is None:
        raise ValueError(
            _("“%(value)s” is no age in years, from 0 to %(most)d.") % {"value": _short(text), "most": dates.OLDEST_AGE}
        )
    return age


def _sex(text: str) -> str:
    sex = words.sex(text)
    if sex is None:
        raise ValueError(_("“%(value)s” is neither female nor male.") % {"value": _short(text)})
    return sex


def _countries(text: str) -> tuple[str, ...]:
    codes = line_details.citizenships(text)
    if codes is None:
        raise ValueError(
            _("“%(value)s” is no country that is known here. Write its code: BY, UA, LT.") % {"value": _short(text)}
        )
    return codes


def _printed(row: Cells) -> str:
    return " | ".join(cell for cell in map(names.clean, row.values) if cell)


def _too_long(number: int, value: str, most: int) -> str:
    return _("Line %(line)d: “%(value)s” has %(length)d characters, and at most %(most)d can be read.") % {
        "line": number,
        "value": _short(value),
        "length": len(value),
        "most": most,
    }


def _short(value: str) -> str:
    value = names.clean(value)
    return value if len(value) <= 40 else value[:40] + "…"
