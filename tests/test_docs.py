"""What the documents list is what there is."""

import re
from pathlib import Path

import pytest

from tracker.database import COPIES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def section(title):
    return re.search(rf"^## {title}$(.*?)(?=^## |\Z)", README, re.M | re.S)[1]


def test_every_setting_is_in_the_table_and_nothing_else():
    code = "".join(
        (ROOT / name).read_text()
        for name in ("tracker/settings.py", "tracker/database/__init__.py", "tracker/management/commands/serve.py")
    )
    read = set(re.findall(r'(?:_flag|_list|_number|environ\.get|environ)\(\s*"([A-Z_]+)"', code))
    read |= {f"{copy.upper()}_DATABASE_URL" for copy in COPIES}
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", section("Settings"), re.M))
    assert read == told


def test_every_command_is_in_the_table_and_nothing_else():
    there = {
        path.stem
        for app in ("tracker", "releases")
        for path in (ROOT / app / "management/commands").glob("*.py")
        if path.stem != "__init__"
    }
    assert set(re.findall(r"^\| `manage\.py (\w+)", section("Commands"), re.M)) == there


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_file_named_is_there(document):
    text = (ROOT / document).read_text()
    for path in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"`((?:tracker|releases|tests|fixtures|tools)/[\w./]*)`", text):
        assert (ROOT / path).exists(), path


def test_the_readme_shows_both_commands():
    assert "make run" in README
    assert "make test" in README


def test_every_requirement_is_pinned_and_says_what_it_is_for():
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith(("#", "-r ")):
                assert re.fullmatch(r"[\w.\[\]-]+==[\w.]+ +# \S.*", line), line


LISTS = ROOT / "docs" / "lists.md"


def filters_told():
    """Every list with its filters and orders, as docs/lists.md tells them. Run this file to write it."""
    from tracker.views.data import FILTERS

    for listed in dict.fromkeys(FILTERS.values()):
        tables = ", ".join(f"`{table}.csv`" for table, filters in FILTERS.items() if filters is listed)
        yield f"## {tables}\n\n| Parameter | What it asks |\n|---|---|\n"
        for legend, names in listed.groups:
            for name in names:
                asked = str(listed.base_filters[name].label)
                yield f"| `{name}` | {f'{legend}: {asked}' if legend else asked} |\n"
        yield "\nSorted by: " + ", ".join(f"`{code}` ({sort.label})" for code, sort in listed.sorts.items()) + ".\n\n"


def test_every_filter_is_in_the_document():
    """To write it anew: python -m tests.test_docs"""
    head, _first, _rest = LISTS.read_text().partition("\n## ")
    assert LISTS.read_text() == f"{head.rstrip()}\n\n{''.join(filters_told())}".rstrip() + "\n"


if __name__ == "__main__":
    import django

    django.setup()
    head, _first, _rest = LISTS.read_text().partition("\n## ")
    LISTS.write_text(f"{head.rstrip()}\n\n{''.join(filters_told())}".rstrip() + "\n")
