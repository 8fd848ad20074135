"""Spreadsheets in: a file with the columns of our own export changes the rows it names and adds the ones it lacks.

``cells`` reads one cell, ``layout`` says what each column of the file is, ``reading`` holds the file against the
database, ``writing`` writes what differs, ``running`` does it all in one transaction, or previews it.
"""

from tracker.importing.layout import CHOICES
from tracker.importing.problems import Problem
from tracker.importing.running import Order, Result, run

__all__ = ["CHOICES", "Order", "Problem", "Result", "run"]
