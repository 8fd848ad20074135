import re

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import translation

from tracker import codebook, export
from tracker.vocabularies import Audience, CustodyType


def test_codebook_in_the_repository_is_current():
    call_command("codebook", check=True)


def test_a_stale_codebook_is_noticed(tmp_path, settings):
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError, match=r"CODEBOOK\.md is not current"):
        call_command("codebook", check=True)
    call_command("codebook")
    call_command("codebook", check=True)
    (tmp_path / "CODEBOOK.md").write_text("old", encoding="utf-8")
    with pytest.raises(CommandError, match=r"Run `manage\.py codebook`"):
        call_command("codebook", check=True)


def test_every_column_and_code_is_explained():
    text = codebook.text(export.TABLES)
    sections = dict(re.findall(r"^### (\S+)\n\n(.*?)(?=^##|\Z)", text, re.M | re.S))
    for table in export.TABLES:
        rows = [line.split(" | ") for line in sections[table.name].splitlines() if line.startswith("| `")]
        assert [row[0] for row in rows] == [f"| `{column.name}`" for column in table.columns]
        assert all(len(row) == 5 and row[4].strip(" |") for row in rows)
        for column in table.columns:
            if column.values:
                for member in column.values:
                    assert f"| `{member.value}` | {member.label} |" in sections[codebook.name_of(column.values)]


def test_headings_and_links_lead_to_one_place():
    text = codebook.text(export.TABLES)
    headings = re.findall(r"^#+ (\S+)$", text, re.M)
    assert len(set(headings)) == len(headings)
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= set(headings)


def test_a_codebook_says_nothing_of_columns_that_its_reader_does_not_get():
    text = codebook.text(export.TABLES, Audience.PUBLIC)
    assert "`consent_by`" not in text
    assert "| `review_state` |" not in text
    assert "### consent\n" not in text
    assert "`death_circumstances`" not in text
    assert "`death_circumstances`" in codebook.text(export.TABLES, Audience.RESEARCHER)


def test_it_says_what_is_coarser():
    born = next(line for line in codebook.text(export.TABLES).splitlines() if line.startswith("| `born` |"))
    assert born.endswith("| Date of birth. Less exact, or withheld, in public files. |")


def test_it_is_the_same_in_every_language():
    with translation.override("uk"):
        assert codebook.text(export.TABLES) == (settings.BASE_DIR / codebook.NAME).read_text(encoding="utf-8")


def test_vocabularies_are_named_in_words():
    assert codebook.name_of(CustodyType) == "custody-type"
