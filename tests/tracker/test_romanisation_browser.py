"""Spellings in Latin letters are offered while a name is typed; without scripts, once it is saved."""

import re

import pytest
from playwright.sync_api import expect

from tracker.models import Name, Person

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(databases=["default", "researcher", "public"], transaction=True),
]


def test_spellings_are_offered_while_a_name_is_typed(browse, alice):
    page = browse(alice)
    asked = []
    page.on(
        "request", lambda request: request.url.endswith("spellings/") and asked.append((request.method, request.url))
    )
    page.goto("/admin/tracker/person/add/")
    spellings = page.locator("#names-spellings")
    expect(spellings.locator("input")).to_have_count(0)
    page.locator("#id_names-0-text").press_sequentially("Марыя Ўладз")
    spellings.get_by_label("Maryia Uladz").check()
    page.fill("#id_names-0-text", "Марыя Ўладзева")
    expect(spellings.get_by_label("Maryia Uladzeva")).not_to_be_checked()
    spellings.get_by_label("Maryia Uladzeva").check()
    # what is ticked for the language is chosen in the row, and what was ticked stays
    spellings.get_by_label("Set the language").check()
    expect(page.locator("#id_names-0-language")).to_have_value("be")
    expect(spellings.get_by_label("Set the language")).to_have_count(0)
    expect(spellings.get_by_label("Maryia Uladzeva")).to_be_checked()
    page.locator("#id_names-0-kind").select_option("erroneous")
    expect(spellings.locator("input")).to_have_count(0)
    page.locator("#id_names-0-kind").select_option("legal")
    spellings.get_by_label("Maryia Uladzeva").check()
    page.click("[name=_continue]")
    page.wait_for_url("**/change/")
    assert list(Person.objects.get().names.values_list("text", "language", "scheme")) == [
        ("Марыя Ўладзева", "be", ""),
        ("Maryia Uladzeva", "be", "by_passport"),
    ]
    # the name itself is in no address, and so in no log
    assert asked
    assert {(method, re.sub(".*/admin", "", url)) for method, url in asked} == {("POST", "/tracker/person/spellings/")}


def test_rows_that_are_added_and_taken_away(browse, alice):
    page = browse(alice)
    page.goto("/admin/tracker/person/add/")
    page.fill("#id_names-0-text", "a slip")
    page.get_by_text("Add another Name").click()
    page.fill("#id_names-1-text", "Яна Ўладзева")
    page.get_by_label("Set the language").check()
    expect(page.locator("#id_names-1-language")).to_have_value("be")
    page.get_by_text("Add another Name").click()
    page.fill("#id_names-2-text", "Яна Пыжова")
    page.get_by_label("Yana Uladzeva").check()
    page.click("#names-1 .inline-deletelink")
    expect(page.get_by_label("Yana Uladzeva")).to_have_count(0)
    page.get_by_label("Yana Pyzhova").first.check()
    page.click("[name=_continue]")
    page.wait_for_url("**/change/")
    assert [name.text for name in Person.objects.get().names.all()] == ["a slip", "Яна Пыжова", "Yana Pyzhova"]


def test_without_scripts_they_are_offered_once_the_name_is_saved(browse, alice):
    page = browse(alice, java_script_enabled=False)
    page.goto("/admin/tracker/person/add/")
    page.fill("#id_names-0-text", "Яна Ўладзева")
    page.click("[name=_continue]")
    page.wait_for_url("**/change/")
    page.get_by_label("Yana Uladzeva").check()
    page.get_by_label("Set the language").check()
    page.click("[name=_continue]")
    page.wait_for_url("**/change/")
    assert list(Name.objects.values_list("text", "language")) == [("Яна Ўладзева", "be"), ("Yana Uladzeva", "be")]
    expect(page.get_by_label("Yana Wladzyeva")).not_to_be_checked()
