"""Hold a list of names against the persons of the working database."""

from __future__ import annotations

import csv
import itertools
import sys
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tracker.lists import Asked, ListError, decode, questions
from tracker.matching import Candidate, Match, match

COLUMNS = (
    "line", "text", "verdict", "pid", "name", "score", "reasons",
    "pid_2", "name_2", "score_2", "pid_3", "name_3", "score_3",
)  # fmt: skip


class Command(BaseCommand):
    help = (
        "Says of each name in FILE who of the database it can be: one name a line, or CSV with the columns name, born,"
        " age, citizenship, sex. Verdicts: same (one candidate far ahead, nothing disagrees, and more than the name"
        " agrees), choose (somebody has to look), new (nobody has a name like it; the nearest are shown all the same)."
        " Sealed persons are never among the candidates. Nothing is written to the database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", help="a text or CSV file in UTF-8, UTF-16 or Windows-1251; - for standard input"
        )
        parser.add_argument(
            "--on",
            type=_day,
            metavar="DATE",
            help="the day the list speaks of (2025-12-13): who was in custody on it, and ages",
        )
        parser.add_argument("--format", choices=["text", "csv"], default="csv", help="for people or for programs (csv)")

    def handle(self, *, file: str, on: date | None, format: str, **options: Any) -> None:
        try:
            data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        try:
            text, encoding = decode(data)
            asked = list(questions(text))
        except ListError as error:
            raise CommandError(f"{file}: {error}") from error
        if not asked:
            raise CommandError(f"{file}: there is no name in it.")
        if encoding != "utf-8":
            self.stderr.write(f"{file} was read as {encoding}.")
        if on is None and any(one.question.age is not None for one in asked):
            raise CommandError("Ages say nothing without the day they were stated on: give it with --on.")
        found = zip(asked, match((one.question for one in asked), viewer=None, on=on), strict=True)
        if format == "csv":
            writer = csv.writer(self.stdout, lineterminator="\n")
            writer.writerow(COLUMNS)
            for one, answer in self._told(found, len(asked)):
                writer.writerow(_row(one, answer))
        else:
            for one, answer in self._told(found, len(asked)):
                self._write(one, answer)

    def _told(self, found: Any, total: int) -> Any:
        """Tells on standard error how far it is: a list of thousands takes a while."""
        for done in itertools.count():
            pair = next(found, None)
            if pair is None:
                return
            if done and done % 500 == 0:
                self.stderr.write(f"{done} of {total} ...")
            yield pair

    def _write(self, asked: Asked, answer: Match) -> None:
        self.stdout.write(f"{asked.line}. {asked.text}: {answer.verdict.label}")
        for place, candidate in enumerate(answer.candidates[:3], 1):
            self.stdout.write(f"   {place}) {candidate.score:3} {candidate.person.pid} {candidate.name}")
            self.stdout.write(f"      {_reasons(candidate)}")


def _day(value: str) -> date:
    return date.fromisoformat(value)


_day.__name__ = "day"  # argparse says: invalid day value


def _reasons(candidate: Candidate) -> str:
    return "; ".join(reason.text for reason in candidate.reasons)


def _row(asked: Asked, answer: Match) -> list[Any]:
    row: list[Any] = [asked.line, asked.text, answer.verdict.value]
    for place in range(3):
        candidate = answer.candidates[place] if place < len(answer.candidates) else None
        row += [candidate.person.pid, candidate.name, candidate.score] if candidate else ["", "", ""]
        if place == 0:
            row.append(_reasons(candidate) if candidate else "")
    return row
