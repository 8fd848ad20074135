"""What the admin's own script does: rows that are added can be cited, and keep being meant when others go."""

import pytest
from playwright.sync_api import expect

from tracker.models import Name, Person, Source

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(databases=["default", "researcher", "public"], transaction=True),
]


@pytest.fixture
def page(browse, alice):
    return browse(alice)


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


def test_what_is_typed_into_a_note_is_not_lost_by_saving_the_record(page):
    """Nor the other way round: they are two forms of one page."""
    note = "textarea[id^=notes-]"
    person = Person.objects.create(label="Invented Person")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.goto(f"/admin/tracker/person/{person.pk}/change/")
    page.fill(note, "Call the invented family")
    page.click("[name=_continue]", no_wait_after=True)
    expect(page.locator(note)).to_have_value("Call the invented family")
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Add a note").click()
    expect(page.locator(".notes .note-text")).to_have_text("Call the invented family")
    page.fill("#id_summary", "typed")
    page.fill(note, "Call the invented lawyer")
    page.get_by_role("button", name="Add a note").click(no_wait_after=True)
    expect(page.locator("#id_summary")).to_have_value("typed")
    assert asked == ["beforeunload"] * 2
