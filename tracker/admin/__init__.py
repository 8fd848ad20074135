"""Where staff work. Importing it registers every page."""

from tracker.admin import accounts, detentions, persons, prosecutions, sources  # noqa: F401
