"""What is logged names nobody: no query string, and of an error what it is and where, not what it says."""

from __future__ import annotations

import logging
import re
import traceback

_QUERY = re.compile(r"\?\S*")


class Discreet(logging.Filter):
    """For a handler or a logger. Errors of databases and of Python quote the values that they are about."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _QUERY.sub("?…", record.getMessage()), ()
        if record.exc_info and record.exc_info[0]:
            kind, _error, trace = record.exc_info
            record.exc_text = "".join([*traceback.format_tb(trace), f"{kind.__module__}.{kind.__qualname__}"])
            # what a handler may print besides
            record.exc_info = None
        return True
