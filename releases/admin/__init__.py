"""Where staff log releases. Importing it registers every page."""

from releases.admin import events, figures, notes, releases, sittings  # noqa: F401
