"""CODEBOOK.md: how to read the files, every table, every column, every code. Made from the declarations alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.utils import translation

from tracker import vocabularies
from tracker.columns import Column, Kind, Table, Text
from tracker.vocabularies import Audience, Vocabulary

NAME: Final = "CODEBOOK.md"

_INTRODUCTION: Final = """\
# Codebook

Made by `manage.py codebook` from the declarations that the files are written from. Do not edit it.

## Who is in these files

- `persons.csv`, and every count, holds people of whom at least one of these is recorded: a **detention**, a
  **prosecution**, a **recognition** (also one that was refused), a **release**, named or not. Relatives, co-defendants
  and people on a list of whom nothing else is known are not counted. Who turned out to be somebody else of the files
  is in `merged_persons.csv` alone.
- Whether somebody **is** a political prisoner is nowhere decided here: `recognitions.csv` holds what bodies say, each
  with its own criteria. A count of recognised people names the body whose recognition it counts.
- A **detention** that counts is one of a person of `persons.csv`. A **release** is one person's part in an event; only
  one whose outcome is `confirmed` says that somebody is free, and only such a one is counted as released.
- Numbers that others state (“123 released”) are claims, in `reported_figures.csv`. People whom such a number contains
  and this database does not record are in `outside_remit.csv`.
- The files of an audience hold what a second person has checked and published to that audience (see **Audiences**).

## What they cover

No time, place or group is claimed to be covered completely. What the files cover is what they show: from when to when
in `custody_monthly.csv`, `detentions.csv` and `release_events.csv`, where in `facilities.csv`, and what was read for it
in `sources.csv`. That there is no row for a time or a place says that nothing is recorded, never that nothing happened.

## Known biases

- **Only what became known.** Recorded is what somebody published or told the organisation. Cases that nobody speaks of
  are missing, and they are not missing at random: families keep silent for fear, and the better known a person, the
  fuller the record.
- **Released without a name.** Many releases are announced as a number. Those whom no source names are in no row, or in
  one without a name: counts of people are lower bounds.
- **No date of arrest.** Lists of released people mostly do not say when each was arrested. Their detentions have no
  start and count as possible, not as certain, before their release; durations of known ones are not those of all.
- **Open until somebody says otherwise.** A detention has no end until a source names one, so recent ends are missing,
  and numbers of the last months shrink later. One whose term has run out with no word since is not certain any more.
- **Spellings and mistaken identity.** Names come from the press of several languages. Two rows may be one person, and
  are merged when that is found out.
- **Those who report.** Sources of one side, and of the countries that receive people, are read more often than others.
- **Withheld.** Who does not want to be published is in no file below staff; some columns are less exact, or withheld,
  in the files of some audiences, as said with each.

## Certain and possible

What is **certain** is so whatever the imprecise dates turn out to be; what is **possible** is excluded by nothing that
is known, and contains the certain. The truth lies between. Somebody is surely held from the latest day the arrest can
have been (or the day on which a source confirmed it, if that is earlier) until the day before the earliest day the
detention can have ended, and possibly from the earliest day of the one to the latest day of the other. An open
detention whose every expected end has passed, with no source confirming it since, is possible only. Nobody is held
after their death.

## How to cite, and versions

Cite a **version**: `2025.12.1` is the first of December 2025, and what it holds does not change. When a person has to
be removed, every version that held them is issued again without them (`2025.12.1-r1`); the old file is gone, its hash
stays listed as withdrawn. A package that is no version says so in `CHANGES.md`. `HOW-TO-CITE.txt` has the line for a
footnote, `CITATION.cff` the same for machines, `SHA256SUMS` the hash of every file. A fact is somebody's word: where
you rely on one, cite the source that `citations.csv` names for it as well.

## How to read the files

- **Form.** One file a table, `<table>.csv`: RFC 4180, UTF-8 without a byte order mark, comma, lines that end with
  CR LF, names of the columns in the first line. A cell with a comma, a quotation mark or a line break stands in
  quotation marks, with quotation marks in it doubled. A line break within a cell is as it was entered.
- **Types for machines.** `datapackage.json` in the package (Frictionless Data Package) says of every column its type,
  its codes, and in which other file its value is to be found. It names those pointers only that hold for every row.
- **Readers** that guess types from the first rows can be wrong where a text looks like a number (article `130`, then
  `361-1`), or where a number comes after a hundred empty cells: tell them the types of `datapackage.json` then. All
  other columns are read as what they are without any option, and an empty cell as nothing.
- **Tidy.** One row a thing, one thing a row. Tables are joined by `id`: `person_id` in `names.csv` is the `id` of a
  row of `persons.csv`. It may lead to no row there: a relative who was never held has names and relationships only.
- **Ids** are random and permanent, the same in every file of every audience. `pid` (persons) and `rid` (release
  events) are short ones, for print.
- **Order.** Columns as listed here; rows by the columns named with each table, texts by code point. The same data
  gives the same bytes. All files of one export are of one moment.
- **Empty cells.** Nothing is recorded. An empty cell is written as nothing at all, never as a pair of quotation marks.
- **Imprecise dates** give four columns. `x` is EDTF (ISO 8601-2): `2021`, `2021-03`, `2021-03-05`, or an interval
  `2021-03-05/2021-03-09`. It always means **some day within**, both ends included, never the whole of it: an arrest
  in `2021-03` was on one day of that month, and no source says on which. `x_earliest` and `x_latest` are its first
  and last day, `x_precision` says which kind it is. Compare what can be or what is sure, not the text.
- **Several values** in a cell have `;` between them and are sorted by code point.
- **Computed files.** `persons_flat`, `releases_flat`, `custody_spells` and `custody_monthly` hold nothing that cannot
  be worked out from the others, and are no source of their own. What in them depends on a day is counted to the day
  (UTC) on which the files were made, or to that of the moment that was asked for; `custody_spells` names it.
- **Booleans** are `true` and `false`. Days are YYYY-MM-DD in the calendar of the place. No column holds a time of day.
- **Audiences.** `public` and `researcher` files hold what a second person has checked and published to that audience,
  as it was published. `staff` files hold the working database, drafts too (see `review_state`), without what is
  sealed. A column is in the files of its audience and of the more closed ones: public, researcher, staff.
- **Spreadsheets.** A cell such as `=1+1` is run as a formula when a CSV file is opened in a spreadsheet. The files
  `<table>.excel.csv` are for that: they begin with a byte order mark, and in columns of type text an apostrophe stands
  before a first character `=` `+` `-` `@` (or its full-width form), tab or line break, and before any of `=` `+` `-`
  `@` that follows a `;`, tab or line break within the cell. Analyse the other files: nothing in them is changed.
"""


def text(tables: Sequence[Table], audience: Audience = Audience.STAFF) -> str:
    """The codebook of what the audience gets; of staff: of everything."""
    with translation.override("en"):
        return "\n".join(_lines(tables, audience)) + "\n"


def _lines(tables: Sequence[Table], audience: Audience) -> Iterator[str]:
    shown = [(table, table.columns_for(audience)) for table in tables]
    yield _INTRODUCTION
    yield "## Types\n"
    yield from _list((kind.value, kind.definition) for kind in Kind)
    yield "\n## Tables\n"
    yield from _list((f"[{table.name}](#{table.name})", table.definition) for table, _columns in shown)
    for table, columns in shown:
        yield f"\n### {table.name}\n"
        order = ", ".join(f"`{name}`" for name in table.order)
        yield f"{table.definition} Sorted by {order}.\n"
        yield "| Column | Label | Kind | Audience | Meaning |"
        yield "|---|---|---|---|---|"
        for column in columns:
            cells = (f"`{column.name}`", column.label, _type(column), column.audience.value, _meaning(column))
            yield f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"
    yield "\n## Vocabularies\n"
    yield "Codes are permanent; labels may be reworded."
    used = {column.values for _table, columns in shown for column in columns}
    for vocabulary in vocabularies.ALL:
        if vocabulary in used:
            yield f"\n### {name_of(vocabulary)}\n"
            yield "| Code | Label | Definition |"
            yield "|---|---|---|"
            for member in vocabulary:
                yield f"| `{member.value}` | {member.label} | {member.definition} |"


def _list(entries: Iterable[tuple[str, Text]]) -> Iterator[str]:
    return (f"- {term}: {definition}" for term, definition in entries)


def _type(column: Column) -> str:
    if column.values is None:
        return column.kind.value
    name = name_of(column.values)
    return f"{column.kind.value}: [{name}](#{name})"


def _meaning(column: Column) -> str:
    if not column.coarser_for:
        return str(column.definition)
    return f"{column.definition} Less exact, or withheld, in {' and '.join(sorted(column.coarser_for))} files."


def name_of(vocabulary: type[Vocabulary]) -> str:
    """As words: ``CustodyType`` is custody-type, which is also its anchor in the codebook."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", vocabulary.__name__).lower()
