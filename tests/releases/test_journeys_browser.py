"""People of an event sent on, and sent back, in Chromium: with scripts and without, each page looked over by axe."""

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import expect, sync_playwright

from releases.models import Leg, Release, ReleaseEvent
from tests import chromium
from tests.conftest import ALL_DATABASES
from tests.rows import make
from tracker.models import Detention, Name, Person, Source

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=ALL_DATABASES, transaction=True)]


@pytest.fixture
def visit(live_server, client, alice):
    """Alice's browser, logged in; it has nothing to complain about."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread
    client.force_login(alice)
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
def event(transactional_db):
    """Anna and Bruno might go to Lithuania or Poland, Clara to Germany; Dana has a detention that the release ended."""
    event = make(ReleaseEvent, title="An invented release", happened="2025-12-13")
    plans = {"Anna Exampleva": ["LT", "PL"], "Bruno Prydumanau": ["LT", "PL"], "Clara Sample": ["DE"]}
    for name in (*plans, "Dana Testava"):
        person = make(Person, citizenships=["BY"])
        make(Name, person=person, text=name)
        ended = {"ended": "2025-12-13", "end_reason": "released"}
        detention = make(Detention, person=person, started="2021-03-05", **ended)
        release = make(Release, person=person, event=event, detention=detention, released_on="2025-12-13")
        make(Leg, release=release, countries=["UA"], happened="2025-12-13")
        if name in plans:
            make(Leg, release=release, position=2, kind="onward", status="planned", countries=plans[name])
    make(Source, title="An invented report of later")
    return event


def ways():
    return {
        str(release.person): " → ".join(
            leg.destination + ("" if leg.status == "completed" else f" ({leg.status})") for leg in release.legs.all()
        )
        for release in Release.objects.prefetch_related("legs", "person__names")
    }


@pytest.mark.parametrize(
    "options",
    [{"viewport": {"width": 1366, "height": 900}}, {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}],
    ids=["light, wide", "dark, phone"],
)
def test_sent_on_in_one_step(visit, event, options):
    page = visit(**options)
    page.goto(f"/admin/releases/releaseevent/{event.pk}/change/")
    page.get_by_role("link", name="What became of them later on").click()
    visit.look(page)
    page.get_by_label("All on this page").check()
    expect(page.locator(".how-many")).to_have_text("4")
    page.get_by_label("Dana Testava", exact=True).uncheck()
    expect(page.locator(".how-many")).to_have_text("3")
    page.get_by_role("button", name="Travelled on").click()
    visit.look(page)
    page.locator("[name=countries]").select_option(["PL"])
    page.get_by_label("Date").fill("2025-12-20")
    page.locator(".field-source .select2-selection").click()
    page.locator(".select2-search__field").fill("report of later")
    page.locator(".select2-results__option", has_text="of later").click()
    page.get_by_label("Locator").fill("paragraph 2")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".alike .how-many")).to_have_text("2")
    expect(page.locator("tbody")).to_contain_text("Planned is something else, which stays: Onward journey – Germany")
    visit.look(page)
    page.get_by_role("combobox", name="Clara Sample").select_option("out")
    page.get_by_role("button", name="Look again").click()
    page.get_by_role("button", name="Do it for 2 people").click()
    expect(page.locator(".messagelist")).to_contain_text("Done for 2 people: Travelled on.")
    assert ways() == {
        "Anna Exampleva": "Ukraine → Poland",
        "Bruno Prydumanau": "Ukraine → Poland",
        "Clara Sample": "Ukraine → Germany (planned)",
        "Dana Testava": "Ukraine",
    }


def test_still_held_without_scripts(visit, event):
    page = visit(java_script_enabled=False)
    page.goto(f"/admin/releases/releaseevent/{event.pk}/journeys/")
    page.get_by_label("Name").fill("Testava")
    page.get_by_role("button", name="Show these").click()
    page.get_by_role("button", name="Choose the 1 shown").click()
    page.get_by_role("button", name="Still held").click()
    page.get_by_label("In custody on").fill("2025-12-20")
    page.locator("[name=source-search]").fill("report of later")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".alike")).to_contain_text("Confirmed becomes Refuted")
    page.get_by_role("button", name="Do it for 1 person").click()
    expect(page.locator(".messagelist")).to_contain_text("Done for 1 person: Still held")
    dana = Release.objects.get(outcome="refuted")
    assert str(dana.person) == "Dana Testava"
    assert dana.detention.is_open
    assert Release.objects.filter(outcome="confirmed").count() == 3
