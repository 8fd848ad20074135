"""Two records made one in Chromium, with scripts and without, each page looked over by axe; and taken back."""

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import expect, sync_playwright

from tests import chromium
from tests.conftest import ALL_DATABASES
from tests.rows import make
from tracker.models import Name, Person, PersonCitation, Source

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=ALL_DATABASES, transaction=True)]


@pytest.fixture
def visit(live_server, client, bob):
    """Bob's browser, logged in; it has nothing to complain about."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread
    client.force_login(bob)
    complaints = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox"])

        def visit(**options):
            context = browser.new_context(base_url=live_server.url, **options)
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
            page = context.new_page()
            page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            return page

        def look(page):
            wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            found = [*complaints, *(["wider than the screen"] if page.evaluate(wider) else [])]
            found += [f"{one['id']}: {one['nodes'][0]['html']}" for one in Axe().run(page).response["violations"]]
            complaints.clear()  # axe writes styles into the page, which our policy blocks
            assert found == [], page.url

        visit.look = look
        yield visit
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def two(transactional_db):
    kept, other = make(Person, home_town="Town 1"), make(Person, home_town="Town 2", born="1990")
    for person, text in ((kept, "Anna Exampleva"), (other, "Ганна Экзамплева")):
        make(Name, person=person, text=text)
    make(PersonCitation, person=other, source=make(Source), about="born", stated="35 years old")
    return kept, other


@pytest.mark.parametrize(
    "options",
    [{"viewport": {"width": 1366, "height": 900}}, {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}],
    ids=["light, wide", "dark, phone"],
)
def test_merged_and_taken_back(visit, two, options):
    kept, other = two
    page = visit(**options)
    page.goto("/admin/tracker/person/duplicates/")
    visit.look(page)
    page.goto(f"/admin/tracker/person/{kept.pk}/change/")
    page.get_by_role("link", name="Merge with…").click()
    visit.look(page)
    page.locator(".select2-selection").click()
    page.locator(".select2-search__field").fill("Hanna Exampleva")
    page.locator(".select2-results__option", has_text="Ганна").click()
    page.get_by_role("button", name="Compare").click()
    visit.look(page)
    page.locator("[name=choose-home_town][value=other]").check()
    page.get_by_label("Why the two are one").fill("One woman")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".will-be")).to_contain_text("Town 2")
    visit.look(page)
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("They are one record now")
    visit.look(page)
    merged = Person.objects.get(pk=kept.pk)
    assert (merged.home_town, merged.names.count()) == ("Town 2", 2)
    page.get_by_role("link", name="Undo this merge").click()
    visit.look(page)
    page.get_by_label("Why it is taken back").fill("Two women")
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator(".messagelist")).to_contain_text("It is taken back")
    assert Person.objects.get(pk=kept.pk).home_town == "Town 1"
    assert Person.objects.get(pk=other.pk).names.count() == 1
    page.goto(f"/admin/tracker/person/{kept.pk}/history/")
    visit.look(page)


def test_merged_without_scripts(visit, two):
    kept, other = two
    page = visit(java_script_enabled=False)
    page.goto(f"/admin/tracker/person/{kept.pk}/merge/")
    page.locator("[name=other-search]").fill(other.pid)
    page.get_by_role("button", name="Compare").click()
    page.get_by_label("Why the two are one").fill("One woman")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("They are one record now")
    assert Person.objects.get(pk=other.pk).merged_into == kept
