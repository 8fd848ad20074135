"""What accounts take away is logged: counted and hashed while it is sent, written down when it ends."""

from __future__ import annotations


class Rows:
    """Counts the rows of a CSV file from its blocks, the header not among them. A block ends between two cells."""

    def __init__(self) -> None:
        self._lines, self._quoted = 0, False

    def count(self, block: bytes) -> None:
        # outside of quotation marks only; a doubled one opens again what it has closed
        for part in block.split(b'"'):
            if not self._quoted:
                self._lines += part.count(b"\n")
            self._quoted = not self._quoted
        self._quoted = not self._quoted

    @property
    def total(self) -> int:
        return max(0, self._lines - 1)
