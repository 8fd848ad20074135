"""Names of people, as text: cleaned, told apart by script, found however they are typed. Pure: no ORM, no request."""

from tracker.names.text import clean, script_of, search_key

__all__ = ["clean", "script_of", "search_key"]
