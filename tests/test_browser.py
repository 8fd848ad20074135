"""What a person does and sees, in Chromium: an evening's work by keyboard, and every page looked over by axe."""

import csv
import io
import re

import pghistory
import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import expect

from releases.models import Leg, Release, ReleaseEvent
from tests.conftest import PHONE, WIDE
from tests.looking import problems
from tracker import publication, review
from tracker.demo import DEMO_LOGINS
from tracker.models import Detention, Name, Person, Source, User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(databases=["default", "researcher", "public"], transaction=True),
]
PASSWORDS = {login.username: login.password for login in DEMO_LOGINS}


@pytest.fixture
def demo(transactional_db, settings):
    settings.DEBUG = True  # its accounts have public passwords
    call_command("load_demo", verbosity=0)
    settings.DEBUG = False


@pytest.fixture
def visit(browse):
    """A browser of somebody's own, who logs in as everybody does."""

    def visit(username, **options):
        page = browse(**options)
        page.goto("/login/")
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(PASSWORDS[username])
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/login/" not in url)
        return page

    return visit


def tab_to(page, selector):
    """Reach it as somebody without a mouse does."""
    for _ in range(120):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{selector} cannot be reached with the Tab key")


def choose(page, field, text, answer=""):
    """Type into an autocomplete and take the first answer."""
    tab_to(page, f"[aria-labelledby~='select2-id_{field}-container']")
    page.keyboard.press("Enter")
    expect(page.locator(".select2-search__field")).to_be_focused()
    page.keyboard.type(text)
    # the list of choices shows “Searching…” until the answer is there
    option = page.locator(".select2-results__option--highlighted", has_text=re.compile(re.escape(answer or text), re.I))
    expect(option).to_be_visible()
    page.keyboard.press("Enter")


def pick(page, selector, text):
    """Choose from a select by its keyboard: typing the first letters moves to the option."""
    tab_to(page, selector)
    page.keyboard.type(text)


def test_a_release_is_logged_by_keyboard_published_by_a_second_person_and_read(visit, demo):
    event = ReleaseEvent.objects.get(title__startswith="Release of 123")
    first, second = Source.objects.filter(derived_from=None).exclude(url="").order_by("title")[:2]
    person, detention = in_custody("Anna Exampleva", "Ганна Прыкладава", source=first)

    page = visit("editor")
    page.goto("/admin/releases/release/add/")
    choose(page, "event", event.title)
    choose(page, "person", "Ганна", "Anna Exampleva")
    tab_to(page, "[name=released_on]")
    page.keyboard.type("2025-12-13")
    tab_to(page, "[name=legal_bases][value=pardon]")
    page.keyboard.press("Space")
    pick(page, "[name=legs-0-countries]", "Ukr")
    tab_to(page, "[name=legs-0-happened]")
    page.keyboard.type("2025-12-13")
    pick(page, "[name=legs-1-countries]", "Pol")
    tab_to(page, "[name=legs-1-place]")
    page.keyboard.type("Warsaw")
    for row, source, locator in (("0", first, "line 7"), ("1", second, "paragraph 2")):
        choose(page, f"citations-{row}-source", source.title)
        tab_to(page, f"[name=citations-{row}-locator]")
        page.keyboard.type(locator)
        for supported in ("Released on", "step of the way out 1"):
            box = page.locator(f"[name=citations-{row}-about]").and_(page.get_by_label(supported, exact=True))
            tab_to(page, f"#{box.get_attribute('id')}")
            page.keyboard.press("Space")
    tab_to(page, "[name=_submit]")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: not url.endswith("/add/"))

    release = Release.objects.get(person=person)
    assert release.review_state == "submitted", page.inner_text("#content")
    assert [(leg.kind, leg.countries) for leg in release.legs.all()] == [("handover", ["UA"]), ("onward", ["PL"])]
    assert release.citations.count() == 4
    detention.refresh_from_db()
    assert (detention.ended.edtf, detention.end_reason) == ("2025-12-13", "released")
    assert not Release.objects.using("public").filter(pk=release.pk).exists()

    page = visit("reviewer")
    page.goto("/admin/")
    page.get_by_role("link", name=re.compile("Anna Exampleva, 2025-12-13")).click()
    page.get_by_role("button", name="Publish").click()
    page.wait_for_load_state()
    release.refresh_from_db()
    assert release.review_state == "published", page.inner_text("#content")
    assert Detention.objects.using("public").get(pk=detention.pk).end_reason == "released"

    page = visit("researcher")
    page.goto(f"/events/{event.rid}/")
    expect(page.get_by_role("link", name="Anna Exampleva").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("rows as CSV")).first.click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert str(release.pk) in {row["id"] for row in rows}
    page.goto("/data/")
    with page.expect_download() as download:
        page.locator("a[href='/data/legs.csv']").click()
    legs = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert {leg["countries"] for leg in legs if leg["release_id"] == str(release.pk)} == {"UA", "PL"}


def in_custody(*names, source):
    """Somebody whose detention was published long ago."""
    editor, reviewer = User.objects.get(username="editor"), User.objects.get(username="reviewer")
    with pghistory.context(user=str(editor.pk)):
        person = Person.objects.create()
        for position, text in enumerate(names, start=1):
            Name.objects.create(person=person, text=text, position=position)
        detention = Detention.objects.create(person=person)
        for record in (person, detention):
            cited = record.citation_model()
            cited.objects.create(**{cited.owner: record}, source=source)
    review.submit([person, detention], by=editor)
    publication.publish([person, detention], by=reviewer)
    return person, detention


def every_page(prefix=""):
    """Addresses of all pages that can be looked at, with the demo's records in them."""
    ids = {
        "rid": ReleaseEvent.objects.using("public").order_by("-happened").first().rid,
        "pid": Person.objects.using("public").order_by("pid").first().pid,
        "pk": str(Source.objects.using("public").order_by("title").first().pk),
    }
    for pattern in get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            continue
        assert isinstance(pattern, URLPattern)
        route = re.sub(r"<\w+:(\w+)>", lambda match: ids.get(match[1], "?"), str(pattern.pattern))
        if "?" not in route and not route.endswith((".md", ".csv", ".zip")) and pattern.name != "logout":
            yield f"/{route}"


ADMIN = [
    "/admin/",
    "/admin/password_change/",
    "/admin/data/",
    "/admin/downloads/",
    *(
        f"/admin/{app}/{model}/{page}"
        for app, models in {
            "tracker": ("person", "detention", "prosecution", "verdict", "source", "organisation", "facility", "case"),
            "releases": ("release", "releaseevent", "reportedfigure", "note"),
        }.items()
        for model in models
        for page in ("", "add/")
    ),
]


def admin_pages():
    yield from ADMIN
    for model in (Person, Detention, Source, ReleaseEvent, Release):
        row = model.objects.order_by("pk").first()
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{row.pk}"
        yield from (f"{address}/change/", f"{address}/history/", f"{address}/delete/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_pages_of_the_reading_side(visit, demo, scheme, viewport):
    page = visit("researcher", viewport=viewport, color_scheme=scheme)
    wrong = []
    for address in every_page():
        page.goto(address)
        wrong += problems(page)
    assert wrong == []


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["light, wide", "dark, phone"])
def test_pages_of_the_admin(visit, demo, scheme, viewport):
    page = visit("reviewer", viewport=viewport, color_scheme=scheme)
    wrong = []
    for address in admin_pages():
        assert page.goto(address).status == 200, address
        wrong += problems(page)
    assert wrong == []


def test_everything_is_there_without_javascript(visit, demo):
    """Axe needs scripts; here the text of each page is compared with what scripts would show."""
    with_scripts, without = visit("researcher"), visit("researcher", java_script_enabled=False)
    for address in every_page():
        with_scripts.goto(address)
        without.goto(address)
        assert without.inner_text("main") == with_scripts.inner_text("main")
        assert not without.locator("main script").count()


def test_a_release_can_be_logged_without_javascript(visit, demo):
    person = Person.objects.create(label="Invented Person")
    page = visit("editor", java_script_enabled=False)
    page.goto(f"/admin/releases/release/add/?person={person.pk}")
    released_on = page.get_by_role("textbox", name="Released on")
    released_on.fill("2025-13-40")
    page.get_by_role("button", name=re.compile("draft")).click()
    expect(page.locator(".errorlist").first).to_be_visible()
    assert released_on.input_value() == "2025-13-40"
    released_on.fill("2025-12-13")
    page.locator("[name=legs-0-countries]").select_option("UA")
    page.get_by_role("button", name=re.compile("draft")).click()
    assert Leg.objects.get(release__person=person).countries == ["UA"], page.inner_text("#content")
