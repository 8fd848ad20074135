"""Two records made one in Chromium, with scripts and without, each page looked over by axe; and taken back."""

import pytest
from playwright.sync_api import expect

from tests.conftest import ALL_DATABASES, PHONE, WIDE
from tests.looking import problems
from tests.rows import make
from tracker.models import Name, Person, PersonCitation, Source

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=ALL_DATABASES, transaction=True)]


@pytest.fixture
def two(transactional_db):
    kept, other = make(Person, home_town="Town 1"), make(Person, home_town="Town 2", born="1990")
    # and of a longer name than a telephone is wide
    for person, text in ((kept, "Anna Exampleva"), (other, "Ганна Экзамплева" + "ва" * 30)):
        make(Name, person=person, text=text)
    make(PersonCitation, person=other, source=make(Source), about="born", stated="35 years old")
    return kept, other


@pytest.mark.parametrize(
    "options",
    [{"viewport": WIDE}, {"viewport": PHONE, "color_scheme": "dark"}],
    ids=["light, wide", "dark, phone"],
)
def test_merged_and_taken_back(browse, two, bob, options):
    kept, other = two
    page = browse(bob, **options)
    page.goto("/admin/tracker/person/duplicates/")
    assert problems(page) == []
    page.goto(f"/admin/tracker/person/{kept.pk}/change/")
    page.get_by_role("link", name="Merge with…").click()
    assert problems(page) == []
    page.locator(".select2-selection").click()
    page.locator(".select2-search__field").fill("Hanna")
    page.locator(".select2-results__option", has_text="Ганна").click()
    page.get_by_role("button", name="Compare").click()
    assert problems(page) == []
    page.locator("[name=choose-home_town][value=other]").check()
    page.get_by_label("Why the two are one").fill("One woman")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".will-be")).to_contain_text("Town 2")
    assert problems(page) == []
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("They are one record now")
    assert problems(page) == []
    merged = Person.objects.get(pk=kept.pk)
    assert (merged.home_town, merged.names.count()) == ("Town 2", 2)
    page.get_by_role("link", name="Undo this merge").click()
    assert problems(page) == []
    page.get_by_label("Why it is taken back").fill("Two women")
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator(".messagelist")).to_contain_text("It is taken back")
    assert Person.objects.get(pk=kept.pk).home_town == "Town 1"
    assert Person.objects.get(pk=other.pk).names.count() == 1
    page.goto(f"/admin/tracker/person/{kept.pk}/history/")
    assert problems(page) == []


def test_merged_without_scripts(browse, two, bob):
    kept, other = two
    page = browse(bob, java_script_enabled=False)
    page.goto(f"/admin/tracker/person/{kept.pk}/merge/")
    page.locator("[name=other-search]").fill(other.pid)
    page.get_by_role("button", name="Compare").click()
    page.get_by_label("Why the two are one").fill("One woman")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("They are one record now")
    assert Person.objects.get(pk=other.pk).merged_into == kept
