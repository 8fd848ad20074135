"""What the admin's own script does: rows that are added can be cited, and keep being meant when others go."""

import os

import pytest
from django.conf import settings
from playwright.sync_api import expect, sync_playwright

from tests import chromium
from tracker.models import Name, Person, Source

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(databases=["default", "researcher", "public"], transaction=True),
]


@pytest.fixture
def page(live_server, client, alice):
    """Alice's browser, logged in; it has nothing to complain about."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread
    client.force_login(alice)
    complaints = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox"])
        context = browser.new_context(base_url=live_server.url)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    assert complaints == []


def test_a_row_that_is_added_is_cited_and_stays_meant(page):
    source = Source.objects.create(title="An invented report")
    page.goto("/admin/tracker/person/add/")
    for number, text in enumerate(["Anna Exampleva", "a slip", "Hanna Exampleva"]):
        if number:
            page.get_by_text("Add another Name").click()
        page.fill(f"#id_names-{number}-text", text)
    page.select_option("#id_citations-0-about", "name:#2:text")
    # the row between goes, and the last one takes its number
    page.click("#names-1 .inline-deletelink")
    assert page.input_value("#id_citations-0-about") == "name:#1:text"
    page.evaluate(
        "key => document.querySelector('#id_citations-0-source').append(new Option('it', key, true, true))",
        str(source.pk),
    )
    page.click("[name=_continue]")
    page.wait_for_url("**/change/")
    person = Person.objects.get()
    assert [name.text for name in person.names.all()] == ["Anna Exampleva", "Hanna Exampleva"]
    assert person.citations.get().name == Name.objects.get(text="Hanna Exampleva")


def test_a_source_is_added_in_a_window_of_its_own_and_nothing_typed_is_lost(page):
    page.goto("/admin/tracker/person/add/")
    page.fill("#id_names-0-text", "Anna Exampleva")
    with page.expect_popup() as opened:
        page.click("#add_id_citations-0-source")
    opened.value.fill("#id_title", "An invented report")
    opened.value.click("[name=_save]")
    expect(page.locator("#id_citations-0-source option:checked")).to_have_text("An invented report")
    page.select_option("#id_citations-0-about", "name:#0")
    page.click("[name=_submit]")
    page.wait_for_url("**/change/")
    person = Person.objects.get()
    assert (person.name, person.review_state) == ("Anna Exampleva", "submitted")
    assert person.citations.get().source == Source.objects.get()


def test_a_page_with_something_typed_asks_before_it_is_left(page):
    page.goto("/admin/tracker/person/add/")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto("/admin/")
    assert asked == []
    page.goto("/admin/tracker/person/add/")
    page.fill("#id_names-0-text", "Anna Exampleva")
    page.goto("/admin/")
    assert asked == ["beforeunload"]
