"""Looking for a person: any spelling, any script, slips of the pen, best first, wherever it is done."""

import json

import pytest
from django.db import connection
from django.urls import reverse

from releases.models import Release
from tests.rows import change, make
from tracker.models import Detention, Name, Person, naming


def person(*texts, **values):
    found = make(Person, **values)
    for place, text in enumerate(texts, 1):
        Name.objects.create(person=found, text=text, position=place)
    return found


def named(text):
    return [row.name for row in Person.objects.named(text)]


@pytest.fixture
def people(db):
    for text in (
        "Марыя Калеснікава",
        "Аляксандр Калеснікаў",
        "Віктар Бабарыка",
        "Марына Прыклад-Кулеш",
        "Дзям'ян Кравец",
        "Раман Аляксей",
    ):
        person(text)
    person("Марына Золатава", "Maryna Zolotova")
    Name.objects.create(
        person=Name.objects.get(text="Марыя Калеснікава").person,
        text="Maria Aleksandrova",
        kind="erroneous",
        position=2,
    )
    make(Person, label="husband of somebody invented")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Maria Kolesnikova", "Марыя Калеснікава"),
        ("Колесникова Мария", "Марыя Калеснікава"),
        ("Марія Колесникова", "Марыя Калеснікава"),
        ("Калеснікаў", "Аляксандр Калеснікаў"),
        ("Александра Колесникова", "Аляксандр Калеснікаў"),
        ("Kalesnikva Maryia", "Марыя Калеснікава"),  # a slip of the pen
        ("Каласникава Мария", "Марыя Калеснікава"),
        ("Maria Aleksandrova", "Марыя Калеснікава"),
        ("zol", "Марына Золатава"),
        ("Золат Мар", "Марына Золатава"),
        ("Виктора Бабарико", "Віктар Бабарыка"),
        ("BABARYKA", "Віктар Бабарыка"),
        ("Kulesz", "Марына Прыклад-Кулеш"),
        ("Демьяна Кравца", "Дзям'ян Кравец"),
        ("Алексей Роман", "Раман Аляксей"),
        ("invented husband", "husband of somebody invented"),
    ],
)
def test_the_best_is_first(people, text, first):
    assert named(text)[:1] == [first]


@pytest.mark.parametrize("text", ["Kolesnikowa", "Калеснікавай", "Каленсикова", "kolesnikoff", "Кале", "kal"])
def test_a_surname_alone_finds_all_who_bear_it(people, text):
    assert set(named(text)) == {"Марыя Калеснікава", "Аляксандр Калеснікаў"}


@pytest.mark.parametrize(
    "text", ["Nobody Likethis", "12345", "№ 5", "🙂🙂🙂🙂", "born", "...", "\u202e", "李明", "%", "_", "\\", "x" * 5000]
)
def test_nobody_is_found(people, text):
    assert named(text) == []


@pytest.mark.parametrize("text", ["", " "])
def test_nothing_asked_for_is_everybody(people, text):
    assert Person.objects.named(text).count() == Person.objects.count()


def test_a_pid_is_a_name(people):
    found = Person.objects.first()
    assert list(Person.objects.named(f" {found.pid.upper()} ")) == [found]


def test_given_names_find_all_who_bear_them(people):
    assert set(named("Maria")) == {"Марыя Калеснікава"}
    assert set(named("Дзям’ян")) == {"Дзям'ян Кравец"}, "and no surname that is nearly like it"
    assert set(named("Marina")) == {"Марына Прыклад-Кулеш", "Марына Золатава"}


def test_the_admin_lists_the_best_first(client, people, alice):
    client.force_login(alice)
    page = client.get(reverse("admin:tracker_person_changelist"), {"q": "Колесникова Мария"}).content.decode()
    assert page.index("Марыя Калеснікава") < page.index("Аляксандр Калеснікаў")
    sorted_by_name = client.get(reverse("admin:tracker_person_changelist"), {"q": "Калеснікава", "o": "1"})
    page = sorted_by_name.content.decode()
    assert page.index("Аляксандр Калеснікаў") < page.index("Марыя Калеснікава")


def test_the_autocomplete_offers_the_best_first(client, people, alice):
    client.force_login(alice)
    asked = {"term": "Kolesnikova Maria", "app_label": "tracker", "model_name": "detention", "field_name": "person"}
    answer = json.loads(client.get(reverse("admin:autocomplete"), asked).content)
    assert [row["text"] for row in answer["results"]][:1] == ["Марыя Калеснікава"]


def test_records_below_a_person_are_found_by_the_name(client, people, alice):
    make(Detention, person=Name.objects.get(text="Марыя Калеснікава").person)
    client.force_login(alice)
    page = client.get(reverse("admin:tracker_detention_changelist"), {"q": "Kolesnikowa"}).content.decode()
    assert "Марыя Калеснікава" in page


@pytest.mark.parametrize("list_of", ["person", "detention", "release", "autocomplete"])
def test_nobody_sealed_changes_what_is_found(client, people, alice, list_of):
    asked, near = "Zharnaseikin", person("Пётр Жарнасейкін")
    make(Detention, person=near)
    make(Release, person=near)
    client.force_login(alice)

    def found():
        if list_of == "autocomplete":
            of = {"app_label": "tracker", "model_name": "detention", "field_name": "person"}
            return client.get(reverse("admin:autocomplete"), {**of, "term": asked}).json()["results"]
        app = "releases" if list_of == "release" else "tracker"
        page = client.get(reverse(f"admin:{app}_{list_of}_changelist"), {"q": asked})
        return [getattr(row, "person", row) for row in page.context["cl"].result_list]

    before = found()
    assert before
    sealed = person("Пётр Жарнасечкін", disclosure="sealed")
    make(Detention, person=sealed)
    make(Release, person=sealed)
    assert found() == before
    change(sealed, disclosure="public").save()
    assert found() != before, "it would have been found"


# --- Keys that another version of the code has made


def keys():
    return list(Name.objects.order_by("pk").values_list("search_key", "sound_key", "near_keys", "revision"))


def test_keys_are_made_anew_and_that_is_no_change(people):
    fresh, events = keys(), Name.history.rel.related_model.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tracker_name SET sound_key = 'old', near_keys = '{old}', search_key = 'old'")
    assert named("Kolesnikova") == []
    assert Name.objects.rekey() == len(fresh)
    assert keys() == fresh
    assert Name.history.rel.related_model.objects.count() == events
    assert Name.objects.rekey() == 0


def test_a_rename_counts(people):
    name = Name.objects.get(text="Віктар Бабарыка")
    before = Name.history.rel.related_model.objects.filter(pgh_obj=name).count()
    name.text = "Віктар Прыкладны"
    name.save()
    assert name.revision == 2
    assert Name.history.rel.related_model.objects.filter(pgh_obj=name).count() == before + 1
    assert named("Prikladny Viktor")[0] == "Віктар Прыкладны"


def test_keys_of_another_version_are_stale(people, monkeypatch):
    assert Name.objects.stale()
    Name.objects.rekey()
    assert not Name.objects.stale()
    monkeypatch.setattr(naming, "fingerprint", lambda: "of another version")
    assert Name.objects.stale()
