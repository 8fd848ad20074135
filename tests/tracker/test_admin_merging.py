"""Merging on the pages of the admin: side by side, previewed, done, reviewed again, taken back; and the queue."""

import pytest
from django.contrib.admin.utils import quote
from django.urls import reverse

from releases.models import Release, ReleaseEvent
from tests.conftest import ALL_DATABASES, make_user
from tests.rows import change, make
from tests.tracker.admin_pages import fill
from tracker import acts, merging, publication, review, undoing
from tracker.models import (
    REVIEWER,
    Detention,
    Name,
    NotTheSame,
    Person,
    PersonCitation,
    Recognition,
    Relationship,
)
from tracker.models.identity import in_order

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

DUPLICATES = "/admin/tracker/person/duplicates/"


def page(person, other=None):
    url = reverse("admin:tracker_person_merge", args=[quote(person.pk)])
    return f"{url}?other={other.pk}" if other else url


def act(context):
    return reverse("admin:tracker_act", args=[context])


def person(*names, **values):
    row = make(Person, **values)
    for position, text in enumerate(names, 1):
        make(Name, person=row, text=text, position=position)
    return row


@pytest.fixture
def two(db):
    one = person("Anna Exampleva", sex="female", home_town="Town 1")
    two = person("Hanna Exampleva", "Ганна Прыкладная", home_town="Town 2", born="1990", summary="She left.")
    make(PersonCitation, person=two, about="born", stated="35 years old")
    make(Recognition, person=two)
    return one, two


@pytest.fixture
def carol(db):
    return make_user("carol", REVIEWER)


def to_review(context):
    return [row for rows in acts.waiting(acts.act_of(context)).values() for row in rows]


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def text(response):
    assert response.status_code == 200, (response.status_code, getattr(response, "url", ""))
    return response.content.decode()


def send(client, url, step, typed=None, *, form="merge_form"):
    return client.post(url, {**fill(client, url, typed, form=form), "step": step})


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


# --- The way through


def test_the_whole_way(client, two, bob):
    kept, other = two
    client.force_login(bob)
    assert page(kept) in text(client.get(reverse("admin:tracker_person_change", args=[kept.pk])))
    assert "Compare" in text(client.get(page(kept)))
    shown = text(client.get(page(kept, other)))
    for words in (
        "Town 1",
        "Town 2",
        "1 January 1990" if "1 January 1990" in shown else "1990",
        "35 years old",
        "Ганна Прыкладная",
        "She left.",
    ):
        assert words in shown
    previewed = send(client, page(kept, other), "preview", {"choose-home_town": "other", "why": "One woman"})
    shown = text(previewed)
    assert "Town 2" in shown
    assert "Town 1" not in shown
    assert "Hanna Exampleva" in shown
    assert Person.objects.get(pk=other.pk).merged_into is None, "nothing is changed yet"
    data = {name: previewed.context[name] for name in ("version", "why")}
    data |= {f"choose-{name}": side for name, side in previewed.context["choices"].items()}
    done = client.post(page(kept, other), {**data, "step": "merge"}, follow=True)
    context = merging.merge_of(other)
    assert done.redirect_chain == [(act(context), 302)]
    now = Person.objects.get(pk=kept.pk)
    assert (now.home_town, now.summary, now.sex) == ("Town 2", "She left.", "female")
    assert now.names.count() == 3
    assert "One woman" in text(done)
    # and back
    shown = text(client.get(f"{act(context)}?undo=1"))
    assert "Town 1" in shown
    back = client.post(act(context), {"step": "undo", "why": "Two women"}, follow=True)
    assert "It is taken back" in messages_of(back)[0]
    assert "Two women" in text(back)
    assert Person.objects.get(pk=kept.pk).names.count() == 1
    assert Person.objects.get(pk=kept.pk).home_town == "Town 1"


def test_what_was_chosen_survives_the_way_back_and_every_refusal(client, two, bob):
    kept, other = two
    client.force_login(bob)
    typed = {"choose-home_town": "other", "choose-summary": "kept", "why": "One woman"}
    for step, changed in (("back", {}), ("preview", {"why": " "}), ("merge", {"version": "another"})):
        response = send(client, page(kept, other), step, typed | changed)
        chosen = {column.name: side for column, side in response.context["columns"]}
        assert (chosen["home_town"], chosen["summary"]) == ("other", "kept"), step
        assert response.context["why"] == ("" if "why" in changed else "One woman")
        assert bool(response.context["errors"]) == (step != "back")
    assert Person.objects.get(pk=other.pk).merged_into is None


def test_what_changed_since_it_was_looked_at_is_not_merged(client, two, bob):
    kept, other = two
    client.force_login(bob)
    data = fill(client, page(kept, other), {"why": "One woman"}, form="merge_form")
    make(Name, person=other, text="Ann Exampleva", position=3)
    response = client.post(page(kept, other), {**data, "step": "merge"})
    assert "Somebody else has changed this" in text(response)
    assert Person.objects.get(pk=other.pk).merged_into is None


def test_values_that_contradict_one_another_are_told_on_the_page(client, two, bob):
    kept, other = two
    change(kept, died="1980").save()
    client.force_login(bob)
    response = send(client, page(kept, other), "merge", {"why": "One woman"})
    assert "cannot have died before being born" in text(response)


@pytest.mark.parametrize("asked", ["Hanna Exampleva", "pid"])
def test_it_is_looked_for_without_scripts(client, two, bob, asked):
    kept, other = two
    client.force_login(bob)
    search = other.pid if asked == "pid" else asked
    response = client.get(page(kept), {"other": "", "other-search": search, "other-searched": ""})
    if response.status_code == 200:  # several are found: choose
        assert str(other.pk) in text(response)
    else:
        assert response.url == page(kept, other)
    response = client.get(page(kept), {"other": "", "other-search": "Nobody Atall", "other-searched": ""})
    assert "Nothing is found for" in text(response)


@pytest.mark.parametrize("junk", ["x", "00000000-0000-0000-0000-000000000000", ""])
def test_whom_there_is_not(client, two, bob, junk):
    client.force_login(bob)
    assert client.get(f"{page(two[0])}?other={junk}").status_code == 200
    assert client.get(f"/admin/tracker/person/{junk or 'x'}/merge/").status_code == 302
    assert client.get(f"/admin/acts/{junk or 'x'}/").status_code in {302, 404}


def test_a_second_click_leads_to_what_the_first_has_done(client, two, alice, bob):
    client.force_login(bob)
    data = {**fill(client, page(*two), {"why": "One woman"}, form="merge_form"), "step": "merge"}
    first = client.post(page(*two), data)
    second = client.post(page(*two), data)
    assert (second.status_code, second.url) == (first.status_code, first.url) == (302, act(merging.merge_of(two[1])))
    assert Person.objects.filter(merged_into=two[0]).count() == 1


# --- What stands in the way


def test_obstacles_lead_to_what_is_to_be_mended(client, two, bob):
    for one in two:
        make(Detention, person=one)
    client.force_login(bob)
    shown = text(client.get(page(*two)))
    assert "Both have an open detention" in shown
    for detention in Detention.objects.all():
        assert reverse("admin:tracker_detention_change", args=[detention.pk]) in shown
    assert 'value="preview"' not in shown
    response = client.post(page(*two), {"why": "x", "step": "merge", "version": "x"})
    assert Person.objects.get(pk=two[1].pk).merged_into is None
    assert text(response)


def test_told_apart_and_taken_back_where_they_are_compared(client, two, bob):
    client.force_login(bob)
    response = client.post(page(*two), {"step": "apart", "why": " "}, follow=True)
    assert "Say why they are not the same" in messages_of(response)[0]
    client.post(page(*two), {"step": "apart", "why": "Mother and daughter"})
    pair = NotTheSame.objects.get()
    assert (pair.why, pair.decided_by) == ("Mother and daughter", bob)
    shown = text(client.get(page(*two)))
    assert "Mother and daughter" in shown
    assert 'value="not-apart"' in shown
    client.post(page(*two), {"step": "not-apart"})
    assert not NotTheSame.objects.exists()
    assert pair.history.model.objects.filter(pgh_label="delete", pgh_context__user=str(bob.pk)).count() == 1


# --- Who may


def test_only_reviewers_merge_and_undo(client, two, alice, bob, charlie):
    kept, other = two
    client.force_login(alice)
    assert page(kept) not in text(client.get(reverse("admin:tracker_person_change", args=[kept.pk])))
    assert client.get(page(kept)).status_code == 403
    assert client.post(page(kept, other), {"step": "merge", "why": "x"}).status_code == 403
    context = merging.merge(kept, other, by=bob, why="One")
    assert "undo=1" not in text(client.get(act(context)))
    assert client.post(act(context), {"step": "undo", "why": "x"}).status_code == 403
    assert client.post(act(context), {"step": "publish"}).status_code == 403
    client.force_login(charlie)
    for url in (page(kept), act(context), DUPLICATES):
        assert client.get(url).status_code == 302


def test_nobody_learns_of_what_is_sealed(client, two, bob):
    kept, other = two
    hidden = person("Anna Exampleva", label="Secret", disclosure="sealed")
    client.force_login(bob)
    for one, two_ in ((kept, hidden), (hidden, kept)):
        response = client.get(page(one, two_))
        never = client.get(page(one, two_).replace(str(hidden.pk), "00000000-0000-0000-0000-000000000001"))
        assert response.status_code == never.status_code
        assert response.content.decode().count("Exampleva") == never.content.decode().count("Exampleva")
    client.cookies.pop("messages")  # the page says that there is none of the key that was asked for
    assert str(hidden.pk) not in text(client.get(DUPLICATES))
    response = client.post(DUPLICATES, {"person": kept.pk, "other": hidden.pk, "why": "x"})
    assert response.status_code == 404
    context = merging.merge(kept, other, by=bob, why="Secret reason")
    kept.refresh_from_db()
    change(kept, disclosure="sealed").save()
    client.force_login(make_user("dora", REVIEWER))
    assert client.get(act(context)).status_code == 404
    assert client.post(act(context), {"step": "undo", "why": "x"}).status_code == 404
    assert client.get(reverse("admin:tracker_person_change", args=[other.pk])).status_code == 302
    make(NotTheSame, **in_order(kept, person("Anna Exampleva")), why="Secret")
    assert "Secret" not in text(client.get(f"{DUPLICATES}?apart=1"))


# --- The merged person


def test_a_merged_person_is_in_no_list_and_its_page_leads_on(client, two, bob):
    kept, other = two
    merging.merge(kept, other, by=bob, why="One")
    client.force_login(bob)
    people = reverse("admin:tracker_person_changelist")
    found = {"": 1, "Exampleva": 1, other.pid: 1, "nobody": 0}
    for term, number in found.items():
        rows = client.get(people, {"q": term} if term else {}).context["cl"].result_list
        assert len(rows) == number, term
    assert client.get(people, {"q": other.pid}).context["cl"].result_list[0] == other
    asked = {"app_label": "tracker", "model_name": "detention", "field_name": "person"}
    for term in ("", "Exampleva"):
        results = client.get("/admin/autocomplete/", {**asked, "term": term}).json()["results"]
        assert [row["id"] for row in results] == [str(kept.pk)]
    shown = text(client.get(reverse("admin:tracker_person_change", args=[other.pk])))
    assert reverse("admin:tracker_person_change", args=[kept.pk]) in shown
    assert act(merging.merge_of(other)) in shown
    assert "Town 2" in shown, "what it said stays to be read"
    assert 'name="_save"' not in shown
    client.post(reverse("admin:tracker_person_change", args=[other.pk]), {"summary": "x"})
    assert fresh(other).summary == "She left."
    assert client.get(reverse("admin:tracker_person_delete", args=[other.pk])).status_code == 403
    assert client.get(page(other)).status_code == 302
    index = client.get("/admin/")
    assert all(other.pid not in link.text for pile in index.context["work"]["lacking"] for link in pile.rows)


def test_nothing_new_is_said_of_a_merged_person(client, two, alice, bob):
    kept, other = two
    merging.merge(kept, other, by=bob, why="One")
    client.force_login(alice)
    url = reverse("admin:tracker_detention_add")
    data = fill(client, url, {"person": str(other.pk)}, form="detention_form")
    assert "Select a valid choice" in text(client.post(url, {**data, "_save": "1"}))
    assert not Detention.objects.exists()


def test_what_was_typed_while_somebody_merged_is_not_lost(client, two, alice, bob):
    kept, other = two
    client.force_login(alice)
    url = reverse("admin:tracker_person_change", args=[other.pk])
    data = fill(client, url, {"summary": "She came home.", "names-0-text": "Ганна Іншая"}, form="person_form")
    merging.merge(kept, other, by=bob, why="One")
    answer = client.post(url, {**data, "_continue": "1"})
    assert answer.status_code == 200
    assert f"merged into {kept.pid} meanwhile" in text(answer)
    assert "She came home." in text(answer)
    assert "Ганна Іншая" in text(answer)
    assert not Person.objects.filter(summary="She came home.").exists()
    assert not Name.objects.filter(text="Ганна Іншая").exists()
    assert client.post(url.replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_who_is_related_to_both_can_still_be_saved(client, two, alice, bob):
    kept, other = two
    sister = person("Berta Exampleva")
    for one in two:
        make(Relationship, person=sister, other=one, kind="sibling")
    merging.merge(kept, other, by=bob, why="One")
    client.force_login(alice)
    url = reverse("admin:tracker_person_change", args=[sister.pk])
    data = fill(client, url, {"summary": "She waits."}, form="person_form")
    assert client.post(url, {**data, "_continue": "1"}).status_code == 302
    assert Person.objects.get(pk=sister.pk).summary == "She waits."


# --- Reviewed again


def test_all_of_it_is_submitted_and_published_at_once(client, two, alice, bob, carol):
    kept, other = two
    event = make(ReleaseEvent)
    rows = [event, *two, make(Release, person=other, event=event), make(Detention, person=other)]
    for row in rows:
        cited = row.citation_model()
        make(cited, **{cited.owner: row})
    rows = [type(row).objects.get(pk=row.pk) for row in rows]
    review.submit(rows, by=alice)
    with_carol = [type(row).objects.get(pk=row.pk) for row in rows]
    for row in with_carol:
        type(row).objects.filter(pk=row.pk).update(submitted_by=alice)
    publication.publish(with_carol, by=carol)
    client.force_login(bob)
    context = merging.merge(kept, other, by=bob, why="One")
    response = client.get(act(context))
    assert {item.kind for item in response.context["items"]} == {"person", "detention", "release"}
    assert len(response.context["batch"].to_submit) == 4
    version = response.context["version"]
    assert (
        "changed this since"
        in messages_of(client.post(act(context), {"step": "submit", "version": "x"}, follow=True))[0]
    )
    response = client.post(act(context), {"step": "submit", "version": version}, follow=True)
    assert messages_of(response) == ["4 records are submitted."]
    assert "Publish all" not in text(response), "whoever merged does not publish"
    assert len(response.context["batch"].stopped) == 4
    client.force_login(carol)
    response = client.get(act(context))
    assert "Publish all 4" in text(response)
    response = client.post(act(context), {"step": "publish", "version": response.context["version"]}, follow=True)
    assert messages_of(response) == ["4 records are published."]
    assert response.context["items"] == []
    assert Person.objects.using("public").get(pk=other.pk).merged_into_id == kept.pk
    assert list(publication.verify()) == []
    # the reader is led on
    answer = client.get(reverse("person", args=[other.pid]))
    assert (answer.status_code, answer.url) == (301, reverse("person", args=[kept.pid]))


def test_whom_the_published_belongs_to_now_is_published_along_and_nobody_else(alice, bob, carol, two):
    kept, other = two
    detention, relative = make(Detention, person=other), person("Berta Exampleva")
    make(Relationship, person=relative, other=other, kind="sibling")
    for row in (detention, kept):
        cited = row.citation_model()
        make(cited, **{cited.owner: row})
    review.submit([other, detention], by=alice)
    publication.publish([fresh(other), fresh(detention)], by=carol)
    context = merging.merge(kept, fresh(other), by=bob, why="One")
    rows = to_review(context)
    assert set(rows) == {kept, detention, other}, "the kept one was never published; the relative is nobody's business"
    review.submit(rows, by=alice)
    publication.publish([fresh(row) for row in rows], by=carol)
    context = undoing.undo(context, by=bob)
    assert set(to_review(context)) == {kept, detention, other}


def test_a_reader_who_may_not_see_the_kept_one_sees_nothing_of_the_other(client, two, alice, bob, carol, settings):
    settings.PUBLIC_SITE = True
    kept, other = two
    for row in two:
        make(PersonCitation, person=row)
    merging.merge(kept, other, by=bob, why="One")
    rows = list(Person.objects.filter(pk__in=[one.pk for one in two]))
    review.submit(rows, by=alice)
    publication.publish(Person.objects.filter(pk__in=[one.pk for one in two]), by=carol)
    assert client.get(reverse("person", args=[other.pid])).status_code == 301
    kept.refresh_from_db()
    change(kept, disclosure="staff").save()
    publication.close(kept)
    never = client.get(reverse("person", args=["00000-00000"]))
    hidden = client.get(reverse("person", args=[other.pid]))
    assert (hidden.status_code, hidden.content.replace(other.pid.encode(), b"00000-00000")) == (404, never.content)


# --- The queue


def test_the_queue(client, bob, alice):
    one, two = person("Anna Exampleva", born="1990"), person("Hanna Exampleva", born="1990", sex="female")
    client.force_login(alice)
    response = client.get(DUPLICATES)
    ((pair, people, merge_url),) = response.context["pairs"]
    assert {pair.person, pair.other} == {one, two}
    assert {entry[1] for entry in people} == {one, two}
    assert merge_url not in text(response), "editors tell apart; reviewers merge"
    response = client.post(DUPLICATES, {"person": one.pk, "other": two.pk, "why": ""}, follow=True)
    assert "Say why they are not the same" in messages_of(response)[0]
    response = client.post(DUPLICATES, {"person": one.pk, "other": two.pk, "why": "Mother and daughter"}, follow=True)
    assert response.context["pairs"] == []
    again = client.post(DUPLICATES, {"person": two.pk, "other": one.pk, "why": "Again"}, follow=True)
    assert "already decided" in messages_of(again)[0]
    response = client.get(f"{DUPLICATES}?apart=1")
    assert "Mother and daughter" in text(response)
    client.post(DUPLICATES, {"take-back": NotTheSame.objects.get().pk})
    assert not NotTheSame.objects.exists()
    client.force_login(bob)
    response = client.get(DUPLICATES)
    assert response.context["pairs"][0][2] in text(response).replace("&amp;", "&")
    assert client.get(response.context["pairs"][0][2]).status_code == 200
    for junk in ({"person": "x", "other": two.pk}, {"take-back": "x"}, {}):
        assert client.post(DUPLICATES, junk).status_code == 404


def test_only_those_of_whom_nothing_disagrees(client, bob):
    person("Anna Exampleva", citizenships=["BY"], born="1990")
    person("Hanna Exampleva", citizenships=["UA"], born="1990")
    client.force_login(bob)
    assert len(client.get(DUPLICATES).context["pairs"]) == 1
    assert client.get(f"{DUPLICATES}?agree=1").context["pairs"] == []


def test_the_queue_costs_the_same_however_long_it_is(client, bob, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def fill_up(number):
        for index in range(number):
            name = f"Anna Example{'abcdefghij'[index % 10] * 3}va"
            one, two = person(name, born="1990"), person(name, born="1990")
            make(NotTheSame, **in_order(person(f"Boris {name}"), two), decided_by=bob)
            make(Detention, person=one)

    client.force_login(bob)
    client.get(DUPLICATES)
    costs = []
    for number in (1, 5):
        fill_up(number)
        for query in ("", "?apart=1"):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(f"{DUPLICATES}{query}").context["pairs"]
            costs.append(len(queries))
    assert costs[:2] == costs[2:]
