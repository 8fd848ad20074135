"""Names of people, as text: cleaned, told apart by script, compared and found however they are written.

Pure: no ORM, no request. ``text`` cuts a name into words, ``sounds`` hears them, ``given`` knows given names,
``parsing`` tells what each word is, ``comparison`` holds two names against each other.
"""

from tracker.names.comparison import Comparison, Part, compare
from tracker.names.parsing import Sought, given_codes, near_keys, parse, sought, sound_key
from tracker.names.text import clean, script_of, search_key

__all__ = [
    "Comparison",
    "Part",
    "Sought",
    "clean",
    "compare",
    "given_codes",
    "near_keys",
    "parse",
    "script_of",
    "search_key",
    "sought",
    "sound_key",
]
