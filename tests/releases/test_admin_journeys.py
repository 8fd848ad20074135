"""What became of people later on: chosen, told, looked at, done."""

import re

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from releases.models import EventGrant, Leg, Release, ReleaseEvent
from tests.rows import change, make
from tests.tracker.admin_pages import fields
from tracker.models import Act, Detention, Name, Person, Source
from tracker.undoing import undo

pytestmark = pytest.mark.django_db(databases=["default", "researcher", "public"])

FORM = "journey_form"


@pytest.fixture
def event(db):
    return make(ReleaseEvent, title="An invented release", happened="2025-12-13")


@pytest.fixture
def there(event):
    """Makes somebody released in the event, handed over in Ukraine, with these plans."""

    def there(name, *plans, citizenships=("BY",), **values):
        person = make(Person, citizenships=list(citizenships))
        make(Name, person=person, text=name)
        release = make(Release, **{"person": person, "event": event, "released_on": "2025-12-13", **values})
        make(Leg, release=release, countries=["UA"], happened="2025-12-13")
        for position, countries in enumerate(plans, start=2):
            make(Leg, release=release, position=position, kind="onward", status="planned", countries=countries.split())
        return release

    return there


class Tab:
    """A tab of a browser: what the last page holds is sent, with what is typed over it and one button."""

    def __init__(self, client, event, query=""):
        self.client, self.url = client, reverse("admin:releases_releaseevent_journeys", args=[event.pk])
        self.page = client.get(self.url + query)

    def press(self, go, **typed):
        sent = {name: values for name, values in fields(self.page, FORM).items() if values}
        self.page = self.client.post(self.url, {**sent, **typed, "go": go})
        return self

    def back(self, page):
        self.page = page
        return self

    @property
    def text(self):
        assert self.page.status_code == 200, self.page.status_code
        return re.sub(r"\s+", " ", self.page.content.decode())

    @property
    def chosen(self):
        return {key for key in fields(self.page, FORM)["chosen"][0].split(",") if key}

    @property
    def shown(self):
        return [str(release.person) for release, _ticked in self.page.context["shown"]]

    def said(self):
        return [str(message) for message in get_messages(self.page.wsgi_request)]


@pytest.fixture
def tab(client, alice, event):
    client.force_login(alice)
    return lambda query="": Tab(client, event, query)


def hexes(*releases):
    return {release.pk.hex for release in releases}


def way(release):
    return [(leg.kind, " ".join(leg.countries), leg.status, str(leg.happened or "")) for leg in release.legs.all()]


HANDOVER = ("handover", "UA", "completed", "2025-12-13")
POLAND = {"countries": ["PL"], "happened": "2025-12-20", "locator": "paragraph 2"}


# --- Who


def test_the_event_leads_here(client, alice, event, there):
    there("Anna Exampleva")
    client.force_login(alice)
    shown = client.get(reverse("admin:releases_releaseevent_change", args=[event.pk])).content.decode()
    assert reverse("admin:releases_releaseevent_journeys", args=[event.pk]) in shown


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "Anna Bruno Clara"),
        ({"name": "Прыдуманаў"}, "Bruno"),
        ({"now": "UA"}, "Anna Bruno"),
        ({"now": "LT;PL"}, "Clara"),
        ({"planned": "PL"}, "Anna Bruno"),
        ({"planned": "DE"}, "Bruno"),
        ({"outcome": "announced"}, "Bruno"),
        ({"citizenship": "LT"}, "Clara"),
        ({"citizenship": "BY", "planned": "PL", "outcome": "confirmed"}, "Anna"),
        ({"now": "FR"}, "Anna Bruno Clara"),  # what nobody offered is not asked
    ],
)
@pytest.mark.parametrize("sent", ["get", "post"])
def test_filters(tab, there, asked, expected, sent):
    there("Anna Exampleva", "LT PL")
    there("Bruno Prydumanau", "PL", "DE", outcome="announced")
    clara = there("Clara Exampletti", citizenships=["BY", "LT"])
    make(Leg, release=clara, position=2, kind="onward", countries=["LT", "PL"])
    page = tab("?" + "&".join(f"{name}={value.replace(';', '%3B')}" for name, value in asked.items()))
    page = page if sent == "get" else tab().press("filter", **asked)
    assert [name.split()[0] for name in page.shown] == expected.split()


def test_nowhere_yet(tab, there):
    there("Anna Exampleva")
    bruno = there("Bruno Exampleau")
    bruno.legs.update(status="refused")
    assert tab("?now=-").shown == ["Bruno Exampleau"]


def test_who_is_chosen_stays_chosen_on_other_pages(tab, there, monkeypatch):
    monkeypatch.setattr("releases.admin.journeys.PER_PAGE", 2)
    names = ("Anna Exampleva", "Bruno Prydumanau", "Clara Sample", "Dana Testava", "Emil Ukladau")
    anna, bruno, clara, dana, emil = (there(name) for name in names)
    page = tab().press("page:2", person=[anna.pk.hex])
    assert (page.shown, page.chosen) == (["Clara Sample", "Dana Testava"], hexes(anna))
    page.press("page:3", person=[clara.pk.hex, dana.pk.hex])
    page.press("page:2", person=[emil.pk.hex])
    assert page.chosen == hexes(anna, clara, dana, emil)
    page.press("filter", person=[dana.pk.hex], only="on")  # Clara is not ticked any more
    assert (page.shown, page.chosen) == (["Anna Exampleva", "Dana Testava"], hexes(anna, dana, emil))
    page.press("all", name="Prydumanau")
    assert page.chosen == hexes(anna, bruno, dana, emil)
    assert page.press("none").chosen == set()
    assert page.press("all", only="", name="").chosen == hexes(anna, bruno, clara, dana, emil)


def test_nobody_chosen_is_said(tab, there):
    there("Anna Exampleva")
    assert tab().press("step:travelled").said() == ["Choose at least one person first."]


# --- One step for all


def test_travelled_looked_at_and_done(tab, there, source, alice, bob, event):
    anna, bruno, clara = there("Anna Exampleva", "LT PL"), there("Bruno Exampleau"), there("Clara Exampletti", "LT")
    page = tab().press("step:travelled", person=list(hexes(anna, bruno, clara)))
    assert "3 people" in page.text
    page.press("preview", source=str(source.pk), **POLAND)
    groups = [[str(line.release.person) for line in lines] for _phrases, lines in page.page.context["alike"]]
    assert groups == [["Anna Exampleva"], ["Bruno Exampleau"]]
    assert [str(line.release.person) for line in page.page.context["open"]] == ["Clara Exampletti"]
    assert (
        "“Onward journey – Lithuania or Poland, planned” becomes “Onward journey – Poland, 20 December 2025"
        in page.text
    )
    assert not Leg.objects.filter(countries=["PL"]).exists()
    page.press("preview", **{f"choice-{clara.pk.hex}": "out"})
    assert "So it will be for 2 people." in page.text
    page.press("do")
    assert page.page.status_code == 302
    assert page.said() == ["Done for 2 people: Travelled on. Readers see it when a second person has published it."]
    assert way(anna) == [HANDOVER, ("onward", "PL", "completed", "2025-12-20")]
    assert way(bruno) == way(anna)
    assert way(clara) == [HANDOVER, ("onward", "LT", "planned", "")]
    assert anna.citations.get().locator == "paragraph 2"
    act = Act.objects.get()
    assert page.page.url == reverse("admin:tracker_act", args=[act.context])
    assert (act.kind, act.by, act.records) == ("journey", alice, 2)
    undo(act.context, by=bob, why="invented")
    assert way(anna) == [HANDOVER, ("onward", "LT PL", "planned", "")]
    assert way(bruno) == [HANDOVER]


def test_done_twice_adds_nothing(tab, there, source):
    anna = there("Anna Exampleva")
    page = tab().press("step:travelled", person=[anna.pk.hex]).press("preview", source=str(source.pk), **POLAND)
    looked_at = page.page
    page.press("do").back(looked_at).press("do")
    assert "“Anna Exampleva” was changed by somebody since you looked" in page.text
    page.press("do")  # the page that said so has looked once more
    assert "There is nothing to do" in page.text
    assert anna.legs.count() == 2


def test_changed_between_looking_and_doing_is_refused_by_name(tab, there, source):
    anna, bruno = there("Anna Exampleva"), there("Bruno Exampleau")
    page = tab().press("all").press("step:travelled").press("preview", source=str(source.pk), **POLAND)
    change(anna, note="Called the invented family").save()
    page.press("do")
    assert "“Anna Exampleva” was changed" in page.text
    assert "“Bruno" not in page.text
    assert Leg.objects.count() == 2
    page.press("do")
    assert (way(anna)[1:], way(bruno)[1:]) == ([("onward", "PL", "completed", "2025-12-20")],) * 2


def test_what_cannot_be_is_left_out_or_nothing_is_done(tab, there, source):
    anna, bruno = there("Anna Exampleva", released_on="2025-12-24"), there("Bruno Exampleau")
    Leg.objects.update(happened=None)
    page = tab().press("all").press("step:travelled").press("preview", source=str(source.pk), **POLAND)
    assert [str(line.release.person) for line in page.page.context["problems"]] == ["Anna Exampleva"]
    assert 'value="do"' not in page.text
    before = Leg.objects.count()
    assert "surely before the release" in page.press("do").text
    assert Leg.objects.count() == before
    page.press("without").press("do")
    assert page.page.status_code == 302
    assert (anna.legs.count(), bruno.legs.count()) == (1, 2)


def test_a_source_that_is_new_is_saved_when_it_is_done(tab, there):
    anna = there("Anna Exampleva")
    page = tab().press("all").press("step:travelled")
    page.press("preview", new_title="An invented report", new_publisher="Invented Times", **POLAND)
    assert "An invented report" in page.text
    assert not Source.objects.exists()
    page.press("form")
    assert fields(page.page, FORM)["new_title"] == ["An invented report"]
    page.press("preview").press("do")
    assert page.page.status_code == 302
    assert anna.citations.get().source.publisher == "Invented Times"


@pytest.mark.parametrize(
    ("step", "typed", "wrong"),
    [
        ("travelled", {**POLAND}, {"source"}),
        ("travelled", {**POLAND, "countries": [], "new_title": "x"}, {"countries"}),
        ("travelled", {**POLAND, "happened": "tomorrow", "new_title": "x"}, {"happened"}),
        ("refuted", {"new_title": "x"}, {"held_on"}),
        ("refuted", {"new_title": "x", "held_on": "2025-12-20", "standing": "rejected"}, {"reason"}),
        ("refuted", {"new_title": "x", "held_on": "2025-12-20", "standing": "accepted"}, {"standing"}),
        ("refused", {"new_publisher": "x"}, {"new_title"}),
    ],
)
def test_what_is_missing_is_said_beside_it(tab, there, step, typed, wrong):
    there("Anna Exampleva")
    page = tab().press("all").press(f"step:{step}").press("preview", **typed)
    assert set(page.page.context["form"].errors) == wrong
    page.press("do", **typed)  # not even behind its back
    assert set(page.page.context["form"].errors) == wrong
    assert not Act.objects.exists()


@pytest.mark.parametrize(
    ("step", "typed", "expected"),
    [
        ("handed_over", {"countries": ["LT"]}, [HANDOVER, ("handover", "LT", "completed", ""), ("onward", "LT PL", "planned", "")]),
        ("refused", {}, [HANDOVER, ("onward", "LT PL", "refused", "")]),
        ("refused", {"kind": "handover", "countries": ["PL"]}, [HANDOVER, ("handover", "PL", "refused", ""), ("onward", "LT PL", "planned", "")]),
    ],
)  # fmt: skip
def test_other_steps(tab, there, source, step, typed, expected):
    anna = there("Anna Exampleva", "LT PL")
    page = tab().press("all").press(f"step:{step}").press("preview", source=str(source.pk), **typed).press("do")
    assert page.page.status_code == 302, page.text
    assert way(anna) == expected


@pytest.mark.parametrize(
    ("step", "typed", "outcome"),
    [
        ("refuted", {"held_on": "2025-12-20"}, "refuted"),
        ("returned", {"reopens": "on"}, "refused_and_returned"),
    ],
)
def test_back_in_custody(tab, there, source, step, typed, outcome):
    anna = there("Anna Exampleva")
    detention = make(Detention, person=anna.person, started="2021-03-05", ended="2025-12-13", end_reason="released")
    change(anna, detention=detention).save()
    bruno = there("Bruno Exampleau")
    page = tab().press("all").press(f"step:{step}").press("preview", source=str(source.pk), **typed)
    assert "The detention that it had ended is open again" in page.text
    assert "5 March 2021 – 13 December 2025" in page.text
    assert [line.release for line in page.page.context["remarked"]] == [bruno]
    page.press("do")
    assert page.said()[1:] == ["Bruno Exampleau: No detention is recorded that could be open again."]
    for release in (anna, bruno):
        release.refresh_from_db()
        assert release.outcome == outcome
    detention.refresh_from_db()
    assert detention.is_open


def test_a_return_may_leave_the_detention_closed(tab, there, source):
    anna = there("Anna Exampleva")
    detention = make(Detention, person=anna.person, ended="2025-12-13", end_reason="released")
    change(anna, detention=detention).save()
    page = tab().press("all").press("step:returned").press("preview", source=str(source.pk), reopens=[])
    assert "stays as it is" in page.text
    page.press("do")
    detention.refresh_from_db()
    assert not detention.is_open


# --- Who may see whom


def test_whoever_may_not_see_somebody_does_not_learn_of_them(tab, there, source, event, alice):
    anna, hidden = there("Anna Exampleva"), there("Bruno Exampleau", "FR", citizenships=["MD"], outcome="refuted")
    change(hidden.person, disclosure="sealed").save()
    page = tab()
    assert page.shown == ["Anna Exampleva"]
    for text in ("Moldova", "France"):
        assert text not in page.text
    page.press("all")
    assert page.chosen == hexes(anna)
    both = ",".join(hexes(anna, hidden))
    page.press("step:travelled", chosen=both, shown=both, person=list(hexes(anna, hidden)))
    assert page.chosen == hexes(anna)
    page.press("preview", source=str(source.pk), chosen=both, **POLAND)
    assert "Bruno" not in page.text
    page.press("do", chosen=both)
    assert page.page.status_code == 302
    assert hidden.legs.count() == 2


def test_a_sealed_event_and_a_sealed_source_are_not_there(client, tab, there, event, alice, bob):
    anna = there("Anna Exampleva")
    secret = make(Source, title="An invented secret", disclosure="sealed")
    page = tab().press("all").press("step:travelled").press("preview", source=str(secret.pk), **POLAND)
    assert set(page.page.context["form"].errors) == {"source"}
    assert "An invented secret" not in page.text
    change(event, disclosure="sealed").save()
    EventGrant.objects.create(user=bob, event=event)
    never = reverse("admin:releases_releaseevent_journeys", args=[anna.pk])
    assert (client.get(page.url).status_code, client.post(page.url, {"go": "all"}).status_code) == (302, 302)
    assert client.get(never).status_code == 302
    client.force_login(bob)
    page = Tab(client, event).press("all").press("step:travelled")
    page.press("preview", new_title="An invented report on Anna", **POLAND)
    assert "the new source will be sealed as well" in page.text
    page.press("do")
    assert Source.objects.get(title="An invented report on Anna").disclosure == "sealed"


def test_not_for_researchers(client, charlie, event):
    client.force_login(charlie)
    assert client.get(reverse("admin:releases_releaseevent_journeys", args=[event.pk])).status_code == 302


@pytest.mark.parametrize(
    "sent",
    [
        {"go": "step:nonsense"},
        {"go": "page:999"},
        {"go": "page:x", "chosen": "x,,-1", "shown": "\0"},
        {"go": "filter", "name": "a\0b", "now": "\0;", "citizenship": "x'"},
        {"go": "do", "step": "travelled", "versions": ":,x:,::"},
        {"go": "preview", "step": "travelled", "source": "x", "authority": "\0", "countries": ["XX", "\0"]},
    ],
)
def test_nonsense_is_answered(tab, there, sent):
    anna = there("Anna Exampleva")
    page = tab()
    typed = {"chosen": anna.pk.hex, "shown": "", **{name: value for name, value in sent.items() if name != "go"}}
    assert page.press(sent["go"], **typed).page.status_code == 200


# --- Many


def test_a_page_costs_the_same_for_many(tab, there, source):
    def queries(number):
        for index in range(number):
            there(f"Anna Exampleva {index}", "LT PL")
        counted = []
        page = tab()
        for go, typed in (
            ("all", {}),
            ("step:travelled", {}),
            ("preview", {"source": str(source.pk), **POLAND}),
        ):
            with CaptureQueriesContext(connection) as seen:
                page.press(go, **typed)
            assert page.page.status_code == 200
            counted.append(len(seen))
        return counted

    assert queries(2) == queries(10)


def test_two_thousand_can_be_chosen_looked_at_and_done(tab, event, source):
    persons = Person.objects.bulk_create(Person(label=f"Invented {index}") for index in range(2000))
    releases = Release.objects.bulk_create(Release(person=person, event=event) for person in persons)
    legs = [{"status": "planned", "countries": ["LT"]}, {"status": "completed", "countries": ["PL"], "position": 2}]
    Leg.objects.bulk_create(Leg(release=release, kind="onward", **leg) for release in releases for leg in legs)
    page = tab().press("all").press("step:travelled").press("preview", source=str(source.pk), **POLAND)
    # everybody has something to be decided: two thousand lists are sent back
    assert len(page.page.context["open"]) == 2000
    page.press("do", **{f"choice-{releases[0].pk.hex}": "add"})
    assert page.page.status_code == 302, page.text[-3000:]
    assert Leg.objects.count() == 4001
