"""Spellings in Latin letters, offered on the page of a person: none is added unless it is ticked."""

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from tests.tracker.admin_pages import fields, fill, save
from tracker.models import Name, Person
from tracker.models.rules import STALE, StaleError, explain

pytestmark = pytest.mark.django_db(databases=["default", "researcher", "public"])

ADD = "/admin/tracker/person/add/"
ASK = "/admin/tracker/person/spellings/"
PASSPORT = "be:by_passport:Maryia Testava"
BGN = "be:bgn_pcgn:Maryya Testava"
MEDIA = "en:media:Maria Testava"
STALE_SENTENCE = escape(str(explain(StaleError(STALE)).sentence))


@pytest.fixture
def page(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def named(person):
    Name.objects.create(person=person, text="Марыя Тэстава", language="be", position=1)
    return person


def url(person):
    return reverse("admin:tracker_person_change", args=[person.pk])


def groups(response):
    formsets = [inline.formset for inline in response.context["inline_admin_formsets"]]
    return next(formset for formset in formsets if formset.prefix == "names").groups


def offered(response):
    """The codes of what may be ticked, in the order of the page."""
    codes = [offer.code for group in groups(response) for offer in group.offers]
    assert all(f'value="{escape(code)}"' in response.content.decode() for code in codes)
    return codes


def stored(person):
    return [
        (name.position, name.text, name.language, name.script, name.kind, name.scheme) for name in person.names.all()
    ]


FIRST = (1, "Марыя Тэстава", "be", "Cyrl", "legal", "")


def test_nothing_is_kept_that_is_not_ticked(page, named):
    assert offered(page.get(url(named))) == [PASSPORT, BGN, MEDIA]
    assert save(page, url(named), {"summary": "typed"}, form="person_form").status_code == 302
    assert stored(named) == [FIRST]


def test_what_is_ticked_is_kept_as_one_act_and_offered_no_more(page, named):
    Name.objects.create(person=named, text="Anna Exampleva", position=4)
    response = save(page, url(named), {"names-keep": [PASSPORT, MEDIA], "summary": "typed"}, form="person_form")
    assert response.status_code == 302, response.context["errors"]
    assert stored(named) == [
        FIRST,
        (4, "Anna Exampleva", "", "Latn", "legal", ""),
        (5, "Maryia Testava", "be", "Latn", "romanised", "by_passport"),
        (6, "Maria Testava", "en", "Latn", "media", "media"),
    ]
    events = [
        apps.get_model("tracker", model).objects.filter(pgh_obj_id__in=keys).latest("pgh_id")
        for model, keys in [
            ("PersonHistory", [named.pk]),
            ("NameHistory", [named.names.get(position=5).pk]),
            ("NameHistory", [named.names.get(position=6).pk]),
        ]
    ]
    assert events[0].pgh_context_id
    assert {event.pgh_context_id for event in events} == {events[0].pgh_context_id}
    assert offered(page.get(url(named))) == [BGN]


def test_a_name_is_typed_and_its_spelling_ticked_in_one_page(page):
    """As the script has it: what is offered for a name that is still being typed."""
    typed = {"names-0-text": " Мария  Пыжова ", "names-0-disclosure": "staff"}
    asked = page.post(ASK, {**fill(page, ADD, typed, form="person_form"), "names-keep": "en:media:Maria Pyzhova"})
    assert [offer.code for group in asked.context["groups"] for offer in group.offers] == [
        "ru:from_russian:Mariia Pyzhova",
        "ru:bgn_pcgn:Mariya Pyzhova",
        "en:media:Maria Pyzhova",
    ]
    assert 'value="en:media:Maria Pyzhova" checked' in asked.content.decode()
    assert not Name.objects.exists()
    ticked = {**typed, "names-keep": ["en:media:Maria Pyzhova"], "names-language": ["0:ru"]}
    assert save(page, ADD, ticked, form="person_form").status_code == 302
    person = Person.objects.get()
    assert [(name.text, name.language, name.disclosure) for name in person.names.all()] == [
        ("Мария Пыжова", "ru", "staff"),
        ("Maria Pyzhova", "en", "staff"),
    ]


def test_a_spelling_is_as_closed_as_the_name_it_is_made_from(page, named):
    Name.objects.create(person=named, text="Яна Тэстава", language="be", position=2, disclosure="staff")
    ticked = {"names-keep": [PASSPORT, "be:by_passport:Yana Testava"]}
    assert save(page, url(named), ticked, form="person_form").status_code == 302
    assert list(named.names.values_list("text", "disclosure")[2:]) == [
        ("Maryia Testava", "public"),
        ("Yana Testava", "staff"),
    ]


@pytest.mark.parametrize(
    ("text", "columns", "first"),
    [
        ("Юлія Ўладзева", {}, ["be:by_passport:Yuliya Uladzeva"]),
        ("Юлия Пыжова", {}, ["ru:from_russian:Iuliia Pyzhova"]),
        ("Юлія Щур", {}, ["uk:ua_2010:Yuliia Shchur"]),
        ("Ян Тэст", {"language": "uk"}, ["uk:ua_2010:Yan Test"]),
        ("Анна Новак", {}, ["be:by_passport:Anna Novak", "ru:from_russian:Anna Novak", "uk:ua_2010:Anna Novak"]),
        (
            "Анна Новак",
            {"language": "und"},
            ["be:by_passport:Anna Novak", "ru:from_russian:Anna Novak", "uk:ua_2010:Anna Novak"],
        ),
        ("Анна Новак", {"language": "ru"}, ["ru:from_russian:Anna Novak"]),
        ("Анна Новак", {"language": "pl"}, []),
        ("Юлія Ўладзева", {"kind": "erroneous"}, []),
        ("Anna Novak", {}, []),
        ("李明", {}, []),
    ],
)
def test_for_which_names_and_languages(page, person, text, columns, first):
    Name.objects.create(person=person, text=text, **columns)
    response = page.get(url(person))
    found = groups(response)
    assert [group.offers[0].code for group in found] == first
    assert [group.unsure for group in found] == [len(first) > 1] * len(first)
    assert ("if it is Belarusian" in response.content.decode()) is (len(first) > 1)
    # only where the letters leave one language is it offered, and only where there is none yet
    assert [bool(group.tell) for group in found] == [not columns and len(first) == 1] * len(first)


def test_spellings_that_the_person_has_are_not_offered(page, named):
    Name.objects.create(person=named, text="MARYIA  Testava", position=2)
    Name.objects.create(person=named, text="Марыя ТЭСТАВА", language="be", position=3)
    assert offered(page.get(url(named))) == [BGN, MEDIA]


def test_one_spelling_in_two_languages_is_kept_once(page, person):
    Name.objects.create(person=person, text="Анна Новак")
    ticked = {"names-keep": ["be:by_passport:Anna Novak", "ru:from_russian:Anna Novak"]}
    assert save(page, url(person), ticked, form="person_form").status_code == 302
    assert [name.language for name in person.names.all()] == ["", "be"]


def test_a_language_is_set_where_it_was_ticked_and_nothing_else_chosen(page, person):
    Name.objects.create(person=person, text="Юлія Ўладзева")
    ticked = {"names-language": ["0:be"], "names-keep": ["be:by_passport:Yuliya Uladzeva"]}
    assert save(page, url(person), ticked, form="person_form").status_code == 302
    assert [name.language for name in person.names.all()] == ["be", "be"]
    ticked = {"names-language": ["0:be"], "names-0-language": "uk"}
    assert save(page, url(person), ticked, form="person_form").status_code == 302
    assert person.names.first().language == "uk"


def test_a_refused_page_keeps_what_was_ticked(page, named):
    typed = {"names-keep": [PASSPORT], "born": "2025-13-40", "summary": "typed"}
    response = save(page, url(named), typed, form="person_form")
    assert response.status_code == 200
    again = fields(response, "person_form")
    assert again["names-2-text"] == ["Maryia Testava"]
    assert again["summary"] == ["typed"]
    assert offered(response) == [BGN, MEDIA]
    assert stored(named) == [FIRST]
    assert page.post(url(named), {**again, "born": "1990", "_save": "1"}).status_code == 302
    assert stored(named)[1:] == [(2, "Maryia Testava", "be", "Latn", "romanised", "by_passport")]


def test_what_the_database_refuses_takes_the_spelling_back_with_it(page, named):
    Name.objects.create(person=named, text="Anna Exampleva", position=2)
    typed = {"names-keep": [PASSPORT], "names-1-position": "1"}
    response = save(page, url(named), typed, form="person_form")
    assert "Two names stand at the same place" in response.content.decode()
    assert [name[1] for name in stored(named)] == ["Марыя Тэстава", "Anna Exampleva"]
    assert fields(response, "person_form")["names-3-text"] == ["Maryia Testava"]


def test_a_spelling_of_a_name_that_was_changed_is_refused_with_a_sentence(page, named):
    typed = {"names-keep": [PASSPORT], "names-0-text": "Марына Тэстава", "summary": "typed"}
    response = save(page, url(named), typed, form="person_form")
    assert response.status_code == 200
    assert "“Maryia Testava” is not offered any more" in response.content.decode()
    assert fields(response, "person_form")["names-0-text"] == ["Марына Тэстава"]
    assert fields(response, "person_form")["summary"] == ["typed"]
    assert "be:by_passport:Maryna Testava" in offered(response)
    assert stored(named) == [FIRST]


@pytest.mark.parametrize("change", [{"text": "Марына Тэстава"}, None])
def test_a_page_that_somebody_else_overtook_is_refused(page, named, change):
    data = fill(page, url(named), {"names-keep": [PASSPORT]}, form="person_form")
    name = named.names.get()
    if change is None:
        name.delete()
    else:
        name.text = change["text"]
        name.save()
    response = page.post(url(named), {**data, "_save": "1"})
    assert STALE_SENTENCE in response.content.decode()
    assert [name[1] for name in stored(named)] == ([change["text"]] if change else [])


def test_a_name_that_goes_offers_nothing(page, named):
    response = save(page, url(named), {"names-0-DELETE": "on", "names-keep": [PASSPORT]}, form="person_form")
    assert "is not offered any more" in response.content.decode()
    assert stored(named) == [FIRST]


@pytest.mark.parametrize(
    "junk",
    [
        {"names-keep": ["", ":", "be:by_passport:", "x" * 5000, "be:by_passport:<b>x</b>"]},
        {"names-language": ["", ":", "0:", "0:xx", "9:be", "²:be", "-1:be", "9999999999:be"]},
        {"names-keep": [PASSPORT], "names-0-language": "xx"},
        {"names-keep": [PASSPORT], "names-0-disclosure": "nobody"},
        {"names-keep": [PASSPORT], "names-TOTAL_FORMS": "many"},
        {"names-keep": [PASSPORT], "names-TOTAL_FORMS": "-1"},
        {"names-keep": [PASSPORT], "names-TOTAL_FORMS": ""},
    ],
)
def test_junk_is_no_name_and_no_error_of_the_server(page, named, junk):
    data = fill(page, url(named), junk, form="person_form")
    assert page.post(ASK, data).status_code == 200
    response = page.post(url(named), {**data, "_save": "1"})
    assert response.status_code in (200, 302)
    assert b"<b>x</b>" not in response.content
    assert stored(named) == [FIRST]


def test_a_very_long_name_is_spelled_too(page):
    asked = page.post(ASK, {"names-TOTAL_FORMS": "1", "names-0-text": "Ў" * 10_000})
    assert asked.context["groups"][0].offers[0].proposal.text == "U" * 10_000


def test_only_who_works_here_may_ask_and_only_by_post(client, page, charlie):
    assert page.get(ASK).status_code == 405
    client.logout()
    for stranger in (None, charlie):
        if stranger:
            client.force_login(stranger)
        answer = client.post(ASK, {"names-TOTAL_FORMS": "1", "names-0-text": "Ўля"})
        assert (answer.status_code, answer.content) == (302, b"")


def test_asking_reads_no_name_of_anybody(page, named):
    row = {"names-TOTAL_FORMS": "1", "names-0-id": str(named.names.get().pk)}
    with CaptureQueriesContext(connection) as asking:
        asked = page.post(ASK, row)
    assert asked.context["groups"] == []
    assert asking.captured_queries
    assert not [query for query in asking.captured_queries if "tracker_name" in query["sql"]]
    assert not [query for query in asking.captured_queries if "tracker_person" in query["sql"]]


def test_names_cost_the_same_number_of_queries_however_many(page, named):
    page.get(url(named))
    with CaptureQueriesContext(connection) as few:
        page.get(url(named))
    for position in range(2, 12):
        Name.objects.create(person=named, text=f"Яна {'Ў' * position}", position=position)
    with CaptureQueriesContext(connection) as many:
        response = page.get(url(named))
    assert len(groups(response)) == 11
    assert len(many) == len(few)
