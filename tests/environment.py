"""Loaded before Django's settings are (see pyproject.toml): the tests run as `make` runs things."""

import os

os.environ.setdefault("DEBUG", "1")
