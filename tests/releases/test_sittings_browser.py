"""A list of 123 in one sitting, in Chromium: nobody taken for somebody else, everything reconciled, few interactions."""

import csv
import io
from collections import defaultdict
from pathlib import Path

import pytest
from playwright.sync_api import expect

from releases import reconciliation
from releases.counting import Agreement
from releases.models import ListLine, Release, ReleaseEvent, ReportedFigure, Sitting
from tests.conftest import ALL_DATABASES, PHONE, WIDE
from tests.looking import problems
from tests.releases.sittings import DAY, a_sitting, decide, held
from tests.rows import make
from tracker.models import Detention, Name, Person, Source
from tracker.names import script_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=ALL_DATABASES, transaction=True)]

#: what an evening may cost after the list is pasted
MOST = 40
DATA = Path(__file__).resolve().parents[1] / "data"
UKRAINIANS, LITHUANIA, GENITIVE, MISSPELT, TWICE = 5, 9, 8, 4, 2
UNKNOWN = ["Аляксей Нечаканскі", "Пётр Невядомашчык", "Ганна Прыдуманоўская"]
UNNAMED = ["неизвестный", "имя не названо"]


def rows(name):
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def people():
    """Rows of the invented people, one of each surname, still held, with their Russian and Ukrainian spellings."""
    spellings = defaultdict(lambda: defaultdict(list))
    for row in rows("spellings.csv"):
        if row["language"] in {"ru", "uk"}:
            spellings[row["person"]][row["how"]].append(row["text"])
    seen = set()
    for row in rows("persons.csv"):
        surname = row["registered"].split()[-1][:5]
        plain = spellings[row["person"]]
        if row["released"] or surname in seen or not (plain["other_language"] or plain["patronymic_added"]):
            continue
        seen.add(surname)
        yield row, plain


@pytest.fixture
def world(transactional_db):
    """Everybody whom the database knows; and the list, as lines of a table, each with whom it is about."""
    lines, left = [], dict.fromkeys(("genitive", "typo"), 0)
    most = {"genitive": GENITIVE, "typo": MISSPELT}
    known = list(people())
    ukrainians = [one for one in known if one[0]["citizenship"] == "UA"][:UKRAINIANS]
    belarusians = [one for one in known if one[0]["citizenship"] == "BY"]
    for row, _spellings in known:
        person = make(Person, citizenships=[row["citizenship"]], sex=row["sex"], born=row["born"])
        make(Name, person=person, text=row["registered"], script=script_of(row["registered"]), language=row["language"])
        make(Detention, person=person, started=row["arrested"])
        row["pk"] = person.pk
    wanted = 109 - len(UNKNOWN) - len(UNNAMED)
    for row, spellings in [*belarusians[: wanted + LITHUANIA], *ukrainians]:
        how = next((how for how in most if spellings[how] and left[how] < most[how]), "")
        left[how] = left.get(how, 0) + 1
        text = (spellings[how] if how else spellings["other_language"] or spellings["patronymic_added"])[0]
        country = "Литва" if row["citizenship"] == "BY" and len(lines) >= wanted else "Украина"
        nation = {"BY": "Беларусь", "UA": "Украина"}[row["citizenship"]]
        lines.append((row["pk"], how, text, nation, country))
    lines += [(None, "unknown", text, "Беларусь", "Украина") for text in UNKNOWN]
    lines += [(None, "unnamed", text, "Беларусь", "Украина") for text in UNNAMED]
    assert len(lines) == 123
    assert left["genitive"] == GENITIVE
    assert left["typo"] == MISSPELT
    assert sum(country == "Литва" for *_rest, country in lines) == LITHUANIA
    again = [line for line in lines if not line[1]][:TWICE]
    return [*lines, *again]


def table(lines):
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(["№", "ФИО", "Гражданство", "Куда передан"])
    writer.writerows((number, *line[2:]) for number, line in enumerate(lines, start=1))
    return text.getvalue()


@pytest.fixture
def event(transactional_db):
    event = make(ReleaseEvent, title="An invented handover", happened=DAY)
    source = make(Source, title="An invented statement")
    said = {"event": event, "source": source, "subject": "released"}
    whole = make(ReportedFigure, **said, low=123, high=123, parts_complete=True)
    make(ReportedFigure, **said, low=114, high=114, destinations=["UA"], part_of=whole)
    make(ReportedFigure, **said, low=9, high=9, destinations=["LT"], part_of=whole)
    make(ReportedFigure, **said, low=5, high=5, citizenships=["UA"])
    return event


class Hand:
    """Whoever works; everything they do with mouse or keyboard is counted."""

    def __init__(self, page):
        self.page, self.done = page, 0

    def click(self, name):
        self.done += 1
        self.page.locator("a, button").filter(has_text=name).first.click()

    def press(self, key):
        self.done += 1
        self.page.keyboard.press(key)


def test_a_list_of_123_is_logged_in_one_sitting(browse, alice, world, event):
    expected = {number: pk for number, (pk, *_rest) in enumerate(world, start=1)}
    page = browse(alice)
    page.goto(f"/admin/releases/sitting/add/?event={event.pk}")
    page.get_by_label("Or a new source: its title").fill("A list of the invented")
    page.get_by_label("Paste it").fill(table(world))

    hand = Hand(page)
    hand.click("Read the list")
    expect(page.locator("#read")).to_contain_text("125 lines, 2 of them without a name")
    hand.click("Look these 125 names up")
    expect(page.get_by_role("heading", name="An invented handover")).to_be_visible()
    sitting = Sitting.objects.get()
    assert not sitting.lines.filter(verdict="").exists()
    wrong = [
        line.number for line in sitting.lines.filter(verdict="same") if expected[line.number] is None
    ]  # somebody unknown is never surely somebody
    assert wrong == []

    # to choose: the likeliest is the right one, also for the misspelt
    misspelt = [number for number, line in enumerate(world, start=1) if line[1] == "typo"]
    assert not sitting.lines.filter(number__in=misspelt, verdict="new").exists()
    while page.locator("a[aria-current]", has_text="To choose").count():
        card = page.locator(".card[data-open]").first
        expect(card).to_be_visible()
        number = int(card.get_attribute("id").removeprefix("line-"))
        offered = card.locator("button[data-key='1']").get_attribute("value")
        assert expected[number] is not None, card.inner_text()
        assert offered.split(":")[1] == str(expected[number]), card.inner_text()
        hand.press("1")
        expect(page.locator(f"#line-{number}[data-open]")).to_have_count(0)
        page.wait_for_load_state()

    # who is new, and who is known, are taken after one screen that shows them
    expect(page.locator("a[aria-current]")).to_contain_text("New, it seems")
    hand.click("Take these 5 lines as new")
    hand.click("These are new")
    expect(page.locator("a[aria-current]")).to_contain_text("Known, it seems")
    hand.click("as known")
    hand.click("These are who they seem to be")

    # the two that stand there twice
    for _ in range(TWICE):
        card = page.locator(".card[data-open]").first
        first = int(card.get_attribute("id").removeprefix("line-"))
        hand.press("1")
        expect(page.locator(f"#line-{first}[data-open]")).to_have_count(0)
    for _ in range(TWICE):
        card = page.locator(".card[data-open]").first
        expect(card).to_be_visible()
        number = int(card.get_attribute("id").removeprefix("line-"))
        assert number > 123
        hand.press("s")
        expect(page.locator(f"#line-{number}[data-open]")).to_have_count(0)

    expect(page.locator("a", has_text="Log what is decided: 123 lines")).to_be_visible()
    hand.click("Log what is decided")
    hand.click("Log these 123 lines")
    page.wait_for_url("**/acts/**")
    assert problems(page) == []
    expect(page.locator(".again .stop")).to_have_count(0)
    expect(page.get_by_role("button", name="Submit all 370 for review")).to_be_visible()

    # no wrong link
    for line in ListLine.objects.exclude(release=None).select_related("release__person"):
        if expected[line.number] is not None:
            assert line.release.person_id == expected[line.number], line.text
    assert Release.objects.count() == 123
    assert Person.objects.filter(releases__isnull=False, pk__in=[pk for pk in expected.values() if pk]).count() == 118
    assert not Detention.objects.filter(releases__isnull=False, ended=None).exists()

    # everything reconciles
    found = reconciliation.of_event(event, "default", None)
    verdicts = {(one.figure.low, one.verdict.kind) for one in found.statements}
    assert verdicts == {(number, Agreement.AGREES) for number in (123, 114, 9, 5)}
    assert hand.done <= MOST, hand.done
    page.goto(f"/admin/releases/releaseevent/{event.pk}/change/")
    expect(page.locator("body")).to_contain_text("123")


@pytest.mark.parametrize(
    "options",
    [{"viewport": WIDE}, {"viewport": PHONE, "color_scheme": "dark"}],
    ids=["light, wide", "dark, phone"],
)
def test_every_page_of_a_sitting_is_accessible_and_fits(browse, alice, bob, options):
    held("Mikalai Testau")
    held("Anna Exampleva", started=None, died="2024")
    sitting = a_sitting(bob, "Николай Тестов", "Анна Экземплева", "Nobody Unheardof", "", "Vasil Vydumany")
    decide(sitting, 5, "new", by=bob)
    page = browse(alice, **options)
    base = f"/admin/releases/sitting/{sitting.pk}"
    line = sitting.lines.get(number=2)
    for address in (
        "/admin/releases/sitting/", "/admin/releases/sitting/add/", f"{base}/change/", f"{base}/change/?show=decided",
        f"{base}/group/same/", f"{base}/group/new/", f"{base}/log/", f"{base}/compare/", f"{base}/shared/",
        f"{base}/lines/{line.pk}/",
    ):  # fmt: skip
        page.goto(address)
        assert problems(page) == []


def test_without_scripts_the_same_buttons_do_it(browse, alice, bob):
    person = held("Anna Exampleva", started=None)
    sitting = a_sitting(bob, "Анна Экземплева")
    page = browse(alice, java_script_enabled=False)
    page.goto(f"/admin/releases/sitting/{sitting.pk}/change/")
    page.get_by_role("button", name="This person").click()
    expect(page.locator("a[aria-current]")).to_contain_text("Decided")
    assert sitting.lines.get().person == person
