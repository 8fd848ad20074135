"""Measured against targets, apart from the tests: ``make benchmark``, or ``python -m tests.benchmarks``."""

import os

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
os.environ.setdefault("DEBUG", "1")
if not apps.ready:
    django.setup()
