"""Hold a list of names against the persons of the working database."""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tracker import spreadsheets
from tracker.columns import STARTS_FORMULA
from tracker.lists import LIMITS, Line, ListError, lines, read
from tracker.matching import Candidate, Match, match

COLUMNS = (
    "line", "text", "verdict", "pid", "name", "score", "reasons",
    "pid_2", "name_2", "score_2", "pid_3", "name_3", "score_3",
)  # fmt: skip


# As the export guards its cells
_FORMULA = re.compile(rf"^(?=[\t\r\n{STARTS_FORMULA}])|(?<=[;\t\r\n])(?=[{STARTS_FORMULA}])")


class Command(BaseCommand):
    help = (
        "Says of each name in FILE who of the database it can be: one name a line, or a table (CSV, XLSX) with a column"
        " of names, and others of births, ages, citizenships, sexes where there are any. Verdicts: same (one candidate"
        " far ahead, nothing disagrees, and more than the name agrees), choose (somebody has to look), new (nobody has"
        " a name like it; the nearest are shown all the same). Sealed persons are never among the candidates. Nothing"
        " is written to the database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", help="text or CSV in UTF-8, UTF-16 or Windows-1251, or XLSX; - for standard input"
        )
        parser.add_argument(
            "--on",
            type=_day,
            metavar="DATE",
            help="the day the list speaks of (2025-12-13): who was in custody on it, and ages",
        )
        parser.add_argument("--format", choices=["text", "csv"], default="csv", help="for people or for programs (csv)")

    def handle(self, *, file: str, on: date | None, format: str, **options: Any) -> None:
        data = _bytes(file)
        try:
            sheet = read(data)
            found = lines(sheet)
        except ListError as error:
            raise CommandError("\n".join(f"{file}: {problem}" for problem in error.problems)) from error
        asked = [line for line in found if line.name]
        if not asked:
            raise CommandError(f"{file}: there is no name in it.")
        if on is None and any(line.age is not None for line in asked):
            raise CommandError("Ages say nothing without the day they were stated on: give it with --on.")
        encoding = "" if spreadsheets.is_workbook(io.BytesIO(data)) else spreadsheets.encoding_of(io.BytesIO(data))
        if encoding not in ("", "utf-8"):
            self.stderr.write(f"{file} was read as {encoding}.")
        for number, text in sheet.headings.items():
            self.stderr.write(f"Line {number} is taken for a heading: {text}")
        if len(asked) < len(found):
            self.stderr.write(f"Lines without a name, passed over: {len(found) - len(asked)}.")
        try:
            self._answer(asked, match((line.question() for line in asked), viewer=None, on=on), format)
            self.stdout.flush()
        except BrokenPipeError:  # whoever reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _answer(self, asked: list[Line], answers: Iterator[Match], format: str) -> None:
        found = zip(asked, answers, strict=True)
        if format == "csv":
            writer = csv.writer(self.stdout, lineterminator="\n")
            writer.writerow(COLUMNS)
            for line, answer in self._told(found, len(asked)):
                writer.writerow(_row(line, answer))
        else:
            for line, answer in self._told(found, len(asked)):
                self._write(line, answer)

    def _told(self, found: Any, total: int) -> Any:
        """Tells on standard error how far it is: a list of thousands takes a while."""
        for done in itertools.count():
            pair = next(found, None)
            if pair is None:
                return
            if done and done % 500 == 0:
                self.stderr.write(f"{done} of {total} ...")
            yield pair

    def _write(self, line: Line, answer: Match) -> None:
        self.stdout.write(f"{line.number}. {line.name}: {answer.verdict.label}")
        for place, candidate in enumerate(answer.candidates[:3], 1):
            self.stdout.write(f"   {place}) {candidate.score:3} {candidate.person.pid} {candidate.name}")
            self.stdout.write(f"      {_reasons(candidate)}")


def _bytes(file: str) -> bytes:
    """Of the file, one more than can be read."""
    try:
        with open(sys.stdin.fileno() if file == "-" else file, "rb", closefd=file != "-") as stream:
            return stream.read(LIMITS.size + 1)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error


def _day(value: str) -> date:
    return date.fromisoformat(value)


_day.__name__ = "day"  # argparse says: invalid day value


def _reasons(candidate: Candidate) -> str:
    return "; ".join(reason.text for reason in candidate.reasons)


def _row(line: Line, answer: Match) -> list[Any]:
    row: list[Any] = [line.number, line.name, answer.verdict.value]
    for place in range(3):
        candidate = answer.candidates[place] if place < len(answer.candidates) else None
        row += [candidate.person.pid, candidate.name, candidate.score] if candidate else ["", "", ""]
        if place == 0:
            row.append(_reasons(candidate) if candidate else "")
    return [_FORMULA.sub("'", cell) if isinstance(cell, str) else cell for cell in row]
