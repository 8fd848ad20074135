"""Nothing leaks: a marker in every column, searched for in everything that anybody is shown."""

import calendar
import csv
import io
import logging
import re
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import connections, models
from django.test import Client
from django.urls import get_resolver, reverse

from releases.models import ListLine, Note, Release, ReleaseEvent, Sitting
from tests.canary import (
    COLUMNS,
    HIDDEN,
    LEVEL,
    MODELS,
    NOBODY,
    PUBLIC,
    RESEARCHERS,
    STAFF,
    World,
    digits_alone,
)
from tests.conftest import ALL_DATABASES
from tracker import acts, clocks, columns, computed, export, figures
from tracker.freezing import freeze
from tracker.models import Act, Detention, Facility, Organisation, Person, Prosecution, Provision, Recognition, Source
from tracker.paging import PARAMETERS
from tracker.publication import HELD
from tracker.versions import history_of
from tracker.vocabularies import ActKind, Audience

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

COPIES = {"public": PUBLIC, "researcher": RESEARCHERS}


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Made once, and really committed: an export is of one moment, and reads in a transaction of its own."""
    with django_db_blocker.unblock():
        try:
            yield World()
        finally:
            for alias in ALL_DATABASES:
                call_command("flush", database=alias, interactive=False, verbosity=0)


@pytest.fixture(scope="module", autouse=True)
def logged():
    """Every line that anything here writes to any log."""
    lines = io.StringIO()
    handler, root = logging.StreamHandler(lines), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.setLevel(level)
    root.removeHandler(handler)


def told(world, markers):
    """What they are, for a failure that can be read."""
    return sorted(
        f"{marker}: {type(row).__name__}.{column} of “{row.chain.name}”{'' if published else ' (edited)'}"
        for marker in markers
        for row, column, published in [world.markers.of[marker]]
    )


MONTHS = " ".join(
    f"{date(year, month, day)}"
    for year in range(1900, 2030)
    for month in range(1, 13)
    for day in (1, calendar.monthrange(year, month)[1])
)


class Viewer:
    """Somebody with a browser. Whatever it is shown is looked through at once."""

    def __init__(self, world, level, user=None):
        self.world, self.level, self.client, self.found = world, level, Client(), set()
        self.user, self.never = user, {}
        if user:
            self.client.force_login(user)

    def get(self, url, query=None, *, status=200, level=None, look=True):
        response = self.client.get(url, query)
        response.text_ = b"".join(response).decode()
        if status is not None:
            assert response.status_code == status, (url, query, response.status_code, response.text_[:2000])
        if look:
            headers = (f"{name}: {value}" for name, value in response.headers.items() if name != "Content-Length")
            shown = "\n".join([response.text_, *headers])
            self.look_at(shown, (url, query), self.level if level is None else level)
        return response

    def look_at(self, text, where, level):
        # what was asked for may be repeated in the answer
        if "custody_monthly" in str(where):
            # the last day of each month is of the calendar, and of no record
            text = re.sub(r"^(\d{4}-\d\d),\1-\d\d,", r"\1,", text, flags=re.MULTILINE)
        if "datapackage.json" in str(where):
            text = re.sub(r'"bytes": \d+', '"bytes"', text)  # any number may be the size of a file
        found = self.world.markers.found_in(text) - self.world.markers.found_in(str(where))
        wrong = {marker for marker in found if level is None or not self.world.may_see(marker, level)}
        assert not wrong, f"{where}\n" + "\n".join(told(self.world, wrong))
        self.found |= found

    def over_time(self, url, query=None):
        """A page that names every month, whatever happened in it: that a month begins or ends tells nothing."""
        response = self.get(url, query, look=False)
        self.look_at(response.text_, (url, query, MONTHS), self.level)
        return response

    def same_as_never(self, url, hidden, never, query=None):
        """What is asked for a hidden thing is answered byte for byte as for one that never was."""
        asked = url, never, str(query)
        if asked not in self.never:
            self.never[asked] = self._answer(url, never, query)
        for one, other in zip(self._answer(url, hidden, query), self.never[asked], strict=True):
            assert one == other, (url, query)

    def _answer(self, url, key, query):
        asked = {name: value.format(key) for name, value in (query or {}).items()}
        response = self.get(url.format(key), asked, status=None)
        # the admin tells on the next page that there is no such record
        self.client.cookies.pop("messages", None)
        headers = {name: value.replace(key, "…") for name, value in response.headers.items() if name != "Expires"}
        headers["Vary"] = sorted(headers.get("Vary", "").split(", "))
        text = re.sub(r'(csrfmiddlewaretoken" value=")\w+', r"\1", response.text_.replace(key, "…"))
        return response.status_code, headers, text


# --- The account of what there is


def test_every_field_has_its_place():
    """A new model or column is given a place in ``tests.canary`` before anybody is shown it."""
    assert set(COLUMNS) == set(MODELS)
    for model in MODELS:
        assert set(COLUMNS[model]) == {field.name for field in model._meta.concrete_fields}, model


def urls(resolver=None, space=""):
    for pattern in (resolver or get_resolver()).url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from urls(pattern, pattern.namespace or space)
        else:
            yield f"{space}:{pattern.name or pattern.pattern}" if space else pattern.name


READ = {
    "home", "events", "event", "persons", "person", "detentions", "sentences", "releases", "sources", "source",
    "person_history", "event_history", "source_history", "data", "codebook", "table_csv", "package", "data_release",
    "data_release_file", "data_releases_csv", "login", "logout", "chart_svg", "chart_csv",
}  # fmt: skip
WORK = {"index", "login", "logout", "password_change", "password_change_done", "autocomplete", "jsi18n",
        "app_list", "auth_user_password_change", "<path:object_id>/", "(?P<url>.*)$",
        "tracker_person_merge", "tracker_acts", "tracker_act", "tracker_person_duplicates",
        "tracker_import", "tracker_import_preview", "tracker_data_releases", "tracker_downloads",
        "tracker_person_spellings", "releases_releaseevent_sum", "releases_note_step", "releases_releaseevent_journeys",
        *(f"releases_sitting_{page}" for page in ("line", "group", "log", "compare", "shared"))}  # fmt: skip
PAGES = ("changelist", "add", "change", "history", "delete", "review")


def test_every_address_is_looked_at():
    """A new page is looked at below before anybody else does."""
    registered = {
        f"{model._meta.app_label}_{model._meta.model_name}_{page}" for model in admin.site._registry for page in PAGES
    }
    assert set(urls()) <= READ | {f"admin:{name}" for name in WORK | registered}
    assert set(urls()) >= READ


# --- The copies


@pytest.mark.parametrize("alias", COPIES)
def test_a_copy_holds_what_its_audience_may_see_and_nothing_else(world, alias):
    found = set()
    with connections[alias].cursor() as cursor:
        for table in connections[alias].introspection.table_names(cursor):
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')
            text = "\n".join(row for (row,) in cursor.fetchall())
            found |= world.markers.found_in(text)
            for user in (world.alice, world.bob, world.charlie, world.root):
                assert str(user.pk) not in text
                assert f'"{user.username}"' not in text
    allowed = world.allowed(COPIES[alias])
    assert told(world, found - allowed) == []
    assert told(world, allowed - found) == []


@pytest.mark.parametrize("alias", COPIES)
def test_a_copy_knows_no_time_and_no_code_that_is_not_for_it(world, alias):
    """Columns that have no room for a marker: those that are not copied stand at their default."""
    level = COPIES[alias]
    for model in MODELS:
        for column in model._meta.concrete_fields:
            if COLUMNS[model][column.name] > level and column.name != "review_state":
                unset = None if column.null else column.get_default()
                rows = model.objects.using(alias).exclude(
                    **{column.attname: unset} if unset is not None else {f"{column.attname}__isnull": True}
                )
                assert not rows.exists(), (model, column.name)
        for kind in (model, model._meta.get_field("history").related_model):
            for column in kind._meta.concrete_fields:
                if isinstance(column, models.DateTimeField) and column.name != "pgh_created_at":
                    assert not kind._base_manager.using(alias).exclude(**{column.name: None}).exists(), column
    for model in MODELS:
        history = model._meta.get_field("history").related_model
        assert not history._base_manager.using(alias).exclude(pgh_context=None).exists(), model


# --- The reading side


LISTS = {
    "persons": [
        {}, {"before": "end"}, {"status": "in_custody"}, {"status": "released", "on": "1999-01-01"}, {"certain": "no"},
        {"citizenship": "BY"}, {"sex": "female"}, {"arrived_in": "UA"}, {"name": "zq"}, {"on": "1910-01-01"},
        {"sort": "-name"}, {"detained_since": "1903-01-01"}, {"released_until": "2090-01-01", "dates": "certain"},
        {"length_from": "0"}, {"recognised": "political_prisoner"}, {"disputed": "disagree"},
        {"custody": "any"}, {"custody": "home", "certain": "no"},
    ],
    "detentions": [
        {}, {"before": "end"}, {"held_on": "1999-01-01"}, {"held_on": "1999-01-01", "certain": "no"}, {"name": "zq"},
        {"sort": "-started"}, {"custody": "colony"}, {"ended_since": "1903-01-01"}, {"disputed": "unresolved"},
    ],
    "sentences": [
        {}, {"before": "end"}, {"sentence": "imprisonment"}, {"length_to": "1200"}, {"sort": "-term"},
        {"pronounced_since": "1903-01-01"}, {"disputed": "disagree"},
    ],
    "events": [{}, {"before": "end"}, {"since": "1903-01-01"}, {"until": "1903-01-01"}, {"basis": "pardon"}],
    "releases": [
        {}, {"before": "end"}, {"outcome": "confirmed"}, {"since": "1903-01-01"}, {"until": "1999-01-01"},
        {"handed_over_to": "UA"}, {"arrived_in": "UA"}, {"citizenship": "UA"}, {"basis": "pardon"}, {"once": "yes"},
    ],
    "sources": [{}, {"before": "end"}, {"published_since": "1903-01-01"}, {"disputed": "disagree"}, {"text": "zq"}, {"kind": "news"}, {"language": "be"}],
}  # fmt: skip
WRONG = [
    ("persons", {"status": "nonsense"}), ("persons", {"on": "2025-13-40"}), ("persons", {"event": "00000-00000"}),
    ("releases", {"event": "00000-00000"}), ("events", {"since": "x"}), ("sources", {"kind": "x"}),
]  # fmt: skip


@pytest.fixture(params=["public", "researcher"])
def reader(request, world, settings):
    settings.PUBLIC_SITE = request.param == "public"
    return Viewer(world, COPIES[request.param], None if settings.PUBLIC_SITE else world.charlie)


def rows_of(world, level, *kinds):
    return [row for row in world.visible[level].values() if type(row) in kinds]


def persons_of(world, level):
    """Those whom counts hold: with a detention, prosecution, recognition or release, and nobody else in the end."""
    known = {row.person.pk for row in rows_of(world, level, Detention, Prosecution, Recognition, Release)}
    return [row for row in rows_of(world, level, Person) if row.pk in known and row.merged_into is None]


def expected(world, level, table):
    if table == "merged_persons":
        return len([row for row in rows_of(world, level, Person) if row.merged_into])
    if table == "custody_spells":
        return len([row for row in rows_of(world, level, Detention) if row.person.merged_into is None])
    return len(
        persons_of(world, level)
        if table in {"persons", "persons_flat"}
        else rows_of(world, level, *export.get_table(table).models)
    )


def test_the_reading_side(reader, world):
    level = reader.level
    for name, queries in LISTS.items():
        for query in queries if level == PUBLIC else queries[:2]:
            response = reader.get(reverse(name), query)
            if not query:
                held = name == "sources"
                number = response.context["page"].count
                table = {"events": "release_events"}.get(name, name)
                table = table if any(one.name == table for one in export.TABLES) else name
                assert number == expected(world, level, table) + held, name
    home = reader.over_time(reverse("home"))
    assert home.context["persons"] == len(persons_of(world, level))
    assert home.context["released"] == len(rows_of(world, level, Release))
    for query in ({}, {"on": "1999-12-31"}):
        reader.over_time(reverse("home"), query)
        for name in figures.CHARTS:
            for page in ("chart_svg", "chart_csv"):
                reader.over_time(reverse(page, args=[name]), query)
    for name, query in WRONG:
        reader.get(reverse(name), query, status=400)
    for url in ("/nothing-here/", "/persons/x/", "/sources/x/", "/data/nothing.csv", "/events/00000-00000/"):
        reader.get(url, status=404)
    for name, key, model in (("person", "pid", Person), ("event", "rid", ReleaseEvent), ("source", "pk", Source)):
        rows = [chain.rows[model][0] for chain in world.chains.values()]
        rows += [world.repeating, world.merged, world.redirect]
        for row in rows:
            if not isinstance(row, model) or row.pk not in world.visible[level]:
                continue
            merged = getattr(row, "merged_into", None)
            gone_on = merged is not None and merged.pk in world.visible[level]
            for page in (name, f"{name}_history"):
                reader.get(reverse(page, args=[getattr(row, key)]), status=301 if gone_on else 200)
    reader.get(reverse("source", args=[HELD]))
    texts = {marker for marker in world.allowed(level) if marker.endswith("qz")}
    of_pages = {Person: "summary", Detention: "allegation", ReleaseEvent: "title", Source: "title"}
    wanted = {
        marker for marker in texts if of_pages.get(type(world.markers.of[marker][0])) == world.markers.of[marker][1]
    }
    firsts = {chain.rows[model][0] for chain in world.chains.values() for model in of_pages}
    wanted = {marker for marker in wanted if world.markers.of[marker][0] in firsts}
    assert len(wanted) > 20
    assert told(world, wanted - reader.found) == []


def test_what_is_hidden_answers_as_what_never_was(reader, world):
    never, nobody, nothing = "00000-00000", str(uuid.UUID(int=0)), "zqfffffqz"
    found_by_their_words(world)
    for chain in world.chains.values():
        person, event, source = (chain.rows[model][0] for model in (Person, ReleaseEvent, Source))
        asked = []
        at_length = chain.name in {"public draft", "sealed published"}
        if person.pk not in world.visible[reader.level]:
            asked += [(f"/persons/{{}}/{page}", person.pid, never, {}) for page in ("", "history/")]
            if at_length:
                asked += [("/detentions/", chain.word, NOBODY, {"name": "{}"})]
                asked += [("/persons/", person.pid, never, {"name": "{}"})]
                asked += [("/persons/", chain.word, NOBODY, {"name": "{}"})]
                asked += [("/data/persons.csv", chain.word, NOBODY, {"name": "{}"})]
        if event.pk not in world.visible[reader.level]:
            asked += [(f"/events/{{}}/{page}", event.rid, never, {}) for page in ("", "history/")]
            if at_length:
                lists = ("/persons/", "/releases/", "/data/releases.csv", "/data/persons.csv")
                asked += [(url, event.rid, never, {"event": "{}"}) for url in lists]
        for model, name, url in (
            (Facility, "facility", "/persons/"), (Facility, "facility", "/data/detentions.csv"),
            (Provision, "article", "/sentences/"), (Organisation, "recognised_by", "/releases/"),
            (Source, "source", "/detentions/"), (Source, "source", "/data/release_events.csv"),
        ):  # fmt: skip
            row = chain.rows[model][0]
            if row.pk not in world.visible[reader.level] and at_length:
                asked.append((url, str(row.pk), nobody, {name: "{}"}))
        if source.pk not in world.visible[reader.level]:
            asked += [(f"/sources/{{}}/{page}", str(source.pk), nobody, {}) for page in ("", "history/")]
            if at_length:
                asked += [(url, source.title, nothing, {"text": "{}"}) for url in ("/sources/", "/data/sources.csv")]
        for url, hidden, other, query in asked:
            reader.same_as_never(url, hidden, other, query)
    # and what the audience may see is found
    for row in world.chains["public published"].rows[Source]:
        assert str(row.pk) in reader.get("/sources/", {"text": row.title}).text_


def test_the_package_over_http(world, settings):
    """In a thread, with connections that are in no transaction of a test; a session would be in that transaction."""
    settings.PUBLIC_SITE = True
    reader = Viewer(world, PUBLIC)

    def fetch():
        try:
            return b"".join(reader.client.get(reverse("package")))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        content = pool.submit(fetch).result()
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        for name in package.namelist():
            reader.look_at(package.read(name).decode(), name, PUBLIC)
    assert reader.found


def read_csv(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_every_file_over_http(reader, world):
    level = reader.level
    data = reader.get(reverse("data"))
    for table, number in data.context["tables"]:
        rows = read_csv(reader.get(reverse("table_csv", args=[table.name])).text_)
        assert number in (len(rows), None)
        if table.name == "custody_monthly":
            everybody = [row for row in rows if not row["custody"] and not row["body_id"]]
            most = max(sum(int(row["possible"]) for row in everybody if row["month"] == last["month"]) for last in rows)
            assert 0 < most <= len(persons_of(world, level))
        elif table.name == "in_custody":
            day = next(row.started.latest for row in rows_of(world, level, Detention) if row.started)
            then = read_csv(reader.get(reverse("table_csv", args=[table.name]), {"on": day.isoformat()}).text_)
            assert 0 < len(then) <= len(persons_of(world, level))
        else:
            own = [row for row in rows if row["id"] != str(HELD) and row.get("source_id") != str(HELD)]
            assert len(own) == expected(world, level, table.name), table.name
        reader.get(reverse("table_csv", args=[table.name]), {"excel": "1"})
        reader.get(reverse("table_csv", args=[table.name]), {"nonsense": "1"}, status=400)
    for name, queries in LISTS.items():
        for query in queries:
            reader.get(
                f"/data/{name}.csv", {key: value for key, value in query.items() if key not in PARAMETERS}, status=None
            )
    reader.get(reverse("codebook"))
    missing = {marker for marker in world.allowed(level) - reader.found if in_files(world, marker, level)}
    assert told(world, missing) == []


def in_files(world, marker, level):
    """persons.csv has no relatives and nobody who turned out to be somebody else; nor have files of what hangs on it
    any word more than that."""
    row, _column, _published = world.markers.of[marker]
    if row in world.own:
        return False
    return not isinstance(row, Person) or row in persons_of(world, level)


def test_whoever_may_see_nothing_sees_nothing(world, settings):
    settings.PUBLIC_SITE = False
    stranger = Viewer(world, None)
    for url in everything(world):
        response = stranger.get(url, status=None)
        assert response.status_code in {302, 404}, url
    for name in ("login", "logout"):
        stranger.get(reverse(name), status=None)


def everything(world):
    """An address of every kind, of what everybody may see and of what nobody may."""
    for name in (*LISTS, "home", "data", "codebook", "package"):
        yield reverse(name)
    for table in export.TABLES:
        yield reverse("table_csv", args=[table.name])
    yield reverse("data_releases_csv")
    yield reverse("data_release", args=["2025.12.1"])
    yield reverse("data_release_file", args=["2025.12.1", "package.zip"])
    for chain in ("public published", "sealed published"):
        rows = world.chains[chain].rows
        yield reverse("person", args=[rows[Person][0].pid])
        yield reverse("event", args=[rows[ReleaseEvent][0].rid])
        yield reverse("source", args=[rows[Source][0].pk])
        yield reverse("person_history", args=[rows[Person][0].pid])
        yield reverse("event_history", args=[rows[ReleaseEvent][0].rid])
        yield reverse("source_history", args=[rows[Source][0].pk])
        for model in admin.site._registry:
            base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            yield reverse(f"{base}_changelist")
            yield reverse(f"{base}_add")
            for row in rows.get(model, [])[:1]:
                for page in ("change", "history", "delete"):
                    yield reverse(f"{base}_{page}", args=[row.pk])
        for page in ("change", "history", "delete", "step"):
            yield from (address(Note, page, notes[0].pk) for notes in world.notes)
        yield reverse("admin:tracker_person_merge", args=[rows[Person][0].pk])
        yield address(ReleaseEvent, "journeys", rows[ReleaseEvent][0].pk)
    for page in ("duplicates", "spellings"):
        yield reverse(f"admin:tracker_person_{page}")
    yield reverse("admin:tracker_acts")
    yield reverse("admin:tracker_act", args=[uuid.UUID(int=0)])
    yield reverse("admin:tracker_data_releases")
    yield reverse("admin:tracker_downloads")
    yield reverse("admin:tracker_import")
    yield reverse("admin:tracker_import_preview", args=[uuid.UUID(int=0)])
    yield reverse("admin:index")
    yield reverse("admin:autocomplete")


def test_a_researcher_is_shown_nothing_of_the_admin(world):
    researcher = Viewer(world, None, world.charlie)
    for url in everything(world):
        if url.startswith("/admin/"):
            assert researcher.get(url, status=None).status_code == 302, url


# --- Files


@pytest.mark.parametrize("audience", ["public", "researcher", "staff"])
def test_exported_files(world, audience, tmp_path):
    level = LEVEL[audience]

    def run(*options):
        try:
            call_command("export", "--audience", audience, *options)
        finally:
            connections.close_all()

    # in a thread, with connections that are in no transaction of a test
    with ThreadPoolExecutor(1) as pool:
        pool.submit(run, "--to", str(tmp_path / "x")).result()
        pool.submit(run, "--to", str(tmp_path / "excel"), "--excel").result()
        pool.submit(run, "--zip", str(tmp_path / "package.zip")).result()
    with zipfile.ZipFile(tmp_path / "package.zip") as package:
        for name in package.namelist():
            content = package.read(name)
            assert not (tmp_path / "x" / name).exists() or (tmp_path / "x" / name).read_bytes() == content
            (tmp_path / name).write_bytes(content)
    (tmp_path / "package.zip").unlink()
    viewer = Viewer(world, level)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            viewer.look_at(path.read_text(), path.name, level)
            if path.suffix == ".csv" and ".excel" not in path.name:
                own = [row for row in read_csv(path.read_text()) if row.get("source_id") != str(HELD) != row.get("id")]
                assert path.stem in {"custody_monthly", "in_custody"} or len(own) == expected(
                    world, level, path.stem
                ), path.name
    # of what was changed since it was published, staff's files have what it is now
    changed = {(row, column) for row, column, published in world.markers.of.values() if not published}
    old = {marker for marker, (*at, published) in world.markers.of.items() if published and tuple(at) in changed}
    wanted = world.allowed(level) - (old if level == STAFF else set())
    missing = {marker for marker in wanted - viewer.found if in_files(world, marker, level)}
    assert told(world, missing) == []


@pytest.mark.parametrize("audience", list(Audience))
def test_files_as_known_before(world, audience):
    """Also of what was shown for a while, and is closed since."""
    viewer = Viewer(world, LEVEL[audience])

    def look():
        try:
            using = clocks.database(audience)
            moments = sorted(
                moment
                for kind in (Person, Detention, Release)
                for moment in history_of(kind)._base_manager.using(using).values_list("pgh_created_at", flat=True)
            )
            for moment in [*moments[:: len(moments) // 5 or 1], moments[-1]]:
                with clocks.standing(audience, moment):
                    for table in export.tables_for(audience):
                        text = b"".join(export.stream(table, audience)).decode()
                        viewer.look_at(text, f"{table.name} as of {moment}", LEVEL[audience])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(look).result()
    assert viewer.found


def test_what_is_computed_reads_the_same_rows(world):
    """Another way of asking for what is not sealed, of every table."""
    for model in MODELS:
        if any(model in table.models for table in export.TABLES):
            ids, others = (set(rows(model, Audience.STAFF).values_list("pk")) for rows in (columns.rows, computed.rows))
            assert ids == others, model
    assert len(computed.rows(Person, Audience.STAFF)) < Person.objects.count()


# --- The admin


@pytest.fixture(params=["alice", "root"])
def worker(request, world):
    return Viewer(world, STAFF, getattr(world, request.param))


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_lists_of_the_admin(worker, world):
    index = worker.get(reverse("admin:index"))
    for app in ("tracker", "releases"):
        worker.get(reverse("admin:app_list", args=[app]))
    for model, page in admin.site._registry.items():
        if not page.has_module_permission(index.wsgi_request):
            continue
        queries = [{}, {"p": "2"}, {"_popup": "1", "o": "-2.3"}, {"q": "zq"}]
        if model in COLUMNS:
            queries += [{"disclosure__exact": "sealed"}, {"review_state__exact": "published"}, {"cited": "no"}]
        for query in queries if worker.user is world.alice else queries[:1]:
            response = worker.get(address(model, "changelist"), query, status=None)
            assert response.status_code in {200, 302}
        if worker.user is world.alice:
            worker.get(address(model, "add"))
    for query in ({}, {"apart": "1"}, {"agree": "1"}):
        worker.get(reverse("admin:tracker_person_duplicates"), query)
    assert world.apart[0].why in worker.found
    for query in ({"state": "open"}, {"state": "due"}, {"mine": "yes"}, {"q": "zq"}):
        worker.get(address(Note, "changelist"), query)
    seen, _hidden = world.notes
    assert {note.text for note in seen} <= worker.found
    events = world.chains["sealed published"].rows[ReleaseEvent]
    for name in ("release", "reportedfigure"):
        listed = reverse(f"admin:releases_{name}_changelist")
        worker.same_as_never(listed, str(events[0].pk), str(uuid.uuid4()), {"event__id__exact": "{}"})


def test_acts_in_the_admin(worker, world):
    """Of what touched something sealed there is not even the act."""
    published = Act.objects.get(kind="publish")
    with acts.doing(ActKind.IMPORT, by=world.bob) as context:
        people = [world.chains[name].rows[Person][0].pk for name in ("public edited", "public draft")]
        Person.objects.filter(pk__in=people).update(sex="other")
    listed = worker.get(reverse("admin:tracker_acts")).context["rows"]
    assert [act.context for act, _waiting in listed] == [context]
    for query in ({}, {"as": "public"}, {"undo": "1"}):
        worker.get(reverse("admin:tracker_act", args=[context]), query)
        worker.get(reverse("admin:tracker_act", args=[published.context]), query, status=404)


def test_records_in_the_admin(worker, world):
    """Of what is open and points to what is sealed, above all."""
    knots = {row.pk for row in (*world.once, world.repeating)}
    for name in ("public published", "public edited"):
        for model, rows in world.chains[name].rows.items():
            if model not in admin.site._registry:
                continue
            for row in rows:
                if row is not rows[0] and row.pk not in knots and model is not Person:
                    continue
                if row is world.merged:
                    continue  # as closed as the sealed person it is
                pages = ("change", "history", "delete") if worker.user is world.alice else ("history",)
                for page in pages if name == "public published" else pages[:1]:
                    response = worker.get(address(model, page, row.pk), status=None)
                    assert response.status_code == 200 or page == "delete", (model, page, response.status_code)
    for note in world.notes[0]:
        for page in ("change", "history", "delete"):
            worker.get(address(Note, page, note.pk))
    for name in ("public published", "public edited"):
        rows = world.chains[name].rows
        url = address(ReleaseEvent, "journeys", rows[ReleaseEvent][0].pk)
        worker.get(url)
        chosen = ",".join(str(release.pk) for release in world.rows if isinstance(release, Release))
        looked_at = {"go": "preview", "source": str(rows[Source][0].pk), "chosen": chosen, "standing": "superseded"}
        for step in ("refuted", "returned", "refused"):
            preview = worker.client.post(url, {**looked_at, "step": step, "kind": "onward", "held_on": "2031-01-01"})
            assert "versions" in preview.context, (preview.context["form"].errors, preview.context["number"])
            worker.look_at(preview.content.decode(), (url, looked_at), STAFF)
    edited = {
        marker
        for marker, (row, column, published) in world.markers.of.items()
        if (type(row), column, published) == (Person, "summary", False) and row.chain.name == "public edited"
    }
    assert edited & worker.found or worker.user is world.root, "an edit is seen by those who work here"


def test_what_is_sealed_answers_in_the_admin_as_what_never_was(worker, world):
    never = str(digits_alone())
    found_by_their_words(world)
    sealed = {}
    for row in world.rows:
        if row.pk not in world.visible[STAFF]:
            sealed.setdefault((type(row), getattr(row, "merged_into", None) is None), row)
    for (model, _unmerged), row in sealed.items():
        if model in admin.site._registry:
            for page in ("change", "history", "delete", "review"):
                url = address(model, page, uuid.UUID(int=0)).replace(str(uuid.UUID(int=0)), "{}")
                worker.same_as_never(url, str(row.pk), never)
            worker.same_as_never(address(model, "changelist"), str(row.pk), never, {"q": "{}"})
    rows, word = world.chains["sealed published"].rows, world.chains["sealed published"].word
    person, event, source = rows[Person][0], rows[ReleaseEvent][0], rows[Source][0]
    journeys = address(ReleaseEvent, "journeys", uuid.UUID(int=0)).replace(str(uuid.UUID(int=0)), "{}")
    worker.same_as_never(journeys, str(event.pk), never)
    for model, texts in (
        (Person, [person.pid, word]),
        (Release, [person.pid, word]),
        (Detention, [person.pid, word]),
        (ReleaseEvent, [event.rid, event.title]),
        (Source, [source.title, source.publisher]),
    ):
        for text in texts:
            fill = NOBODY if text == word else "00000-00000" if "-" in text else "zqfffffqz"
            worker.same_as_never(address(model, "changelist"), text, fill, {"q": "{}"})
    kept, merging = world.chains["public published"].rows[Person][0], worker.user is world.root
    merge = reverse("admin:tracker_person_merge", args=[kept.pk])
    worker.get(merge, {"other": str(world.chains["public edited"].rows[Person][0].pk)}, status=200 if merging else 403)
    for url, key, other in (
        (merge, {"other": "{}"}, str(person.pk)),
        (merge, {"other-search": "{}"}, person.pid),
        (merge, {"other-search": "{}"}, word),
        (address(Person, "merge", uuid.UUID(int=0)).replace(str(uuid.UUID(int=0)), "{}"), {}, str(person.pk)),
    ):
        worker.same_as_never(url, other, {person.pid: "00000-00000", word: NOBODY}.get(other, never), key)
    for model, name, row in (
        (Release, "event", event), (Release, "person", person), (Detention, "person", person),
        (Release, "after", rows[Release][0]), (Prosecution, "person", person),
    ):  # fmt: skip
        worker.same_as_never(address(model, "add"), str(row.pk), never, {name: "{}"})
    for note in world.notes[1]:
        for page in ("change", "history", "delete", "step"):
            url = address(Note, page, uuid.UUID(int=0)).replace(str(uuid.UUID(int=0)), "{}")
            worker.same_as_never(url, str(note.pk), never)
        worker.same_as_never(address(Note, "changelist"), note.text, "zqfffffqz", {"q": "{}"})
        name, row = next((name, getattr(note, name)) for name in ("person", "event", "line") if getattr(note, name))
        if row.pk not in world.visible[STAFF]:
            worker.same_as_never(address(Note, "add"), str(row.pk), never, {name: "{}"})


def found_by_their_words(world):
    """Whoever may see them finds the hidden by what is asked for below, and nobody but them."""
    for name, word in HIDDEN.items():
        # one by the name, another by the label
        assert set(Person.objects.named(word)) == set(world.chains[name].rows[Person]), word
    assert not Person.objects.named(NOBODY).exists()


def rows_text(rows, model, column):
    return next(getattr(found[0], column) for kind, found in rows.items() if kind.__name__ == model)


def pages_of(sitting, line):
    for page in ("change", "log", "compare", "shared"):
        yield address(Sitting, page, sitting)
    for pile in ("same", "new"):
        yield reverse("admin:releases_sitting_group", args=[sitting, pile])
    yield reverse("admin:releases_sitting_line", args=[sitting, line])


def test_lists_of_the_released_in_the_admin(worker, world):
    """A list is as closed as its event and its source, and a line of it as the person it was decided for."""
    never = str(digits_alone())
    lines = [row for row in world.own if isinstance(row, ListLine)]
    seen = [line for line in lines if line.pk in world.visible[STAFF]]
    assert len(seen) == 1
    shut = {line.sitting_id for line in lines if line.sitting.pk not in world.visible[STAFF]}
    assert len(shut) == 2
    for line in seen:
        for url in pages_of(line.sitting_id, line.pk):
            worker.get(url)
        for pile in ("decided", "choose", "logged"):
            worker.get(address(Sitting, "change", line.sitting_id), {"show": pile})
        assert line.text in worker.found
    for line in lines:
        if line.pk in world.visible[STAFF]:
            continue
        for url in pages_of(uuid.UUID(int=0), uuid.UUID(int=0)):
            whole = url.replace(str(uuid.UUID(int=0)), "{}", 1).replace(str(uuid.UUID(int=0)), str(line.pk))
            if line.sitting_id in shut:
                worker.same_as_never(whole, str(line.sitting_id), never)
            else:
                worker.get(whole.format(line.sitting_id), status=None)
        one_line = reverse("admin:releases_sitting_line", args=[line.sitting_id, uuid.UUID(int=0)])
        worker.same_as_never(one_line.replace(str(uuid.UUID(int=0)), "{}"), str(line.pk), never)


def test_what_can_be_chosen_in_the_admin(worker, world):
    sealed = world.chains["sealed published"].rows
    terms = ["", rows_text(sealed, "Name", "text"), world.chains["sealed published"].word, sealed[Source][0].title]
    asked = 0
    for model in (*MODELS, ListLine, Note, Sitting):
        for column in model._meta.concrete_fields:
            if isinstance(column, models.ForeignKey) and column.related_model in admin.site._registry:
                for term in terms if worker.user is world.alice else [""]:
                    response = worker.get(
                        reverse("admin:autocomplete"),
                        {
                            "app_label": model._meta.app_label, "model_name": model._meta.model_name,
                            "field_name": column.name, "term": term,
                        },
                        status=None,
                    )  # fmt: skip
                    asked += response.status_code == 200
    assert asked > 20


# --- Frozen versions, and who took them


@pytest.fixture(scope="module")
def frozen(world):
    """Audience → its version, frozen as a command does it: with connections that are in no transaction of a test."""

    def run(audience):
        try:
            return freeze(Audience(audience), by=world.bob, version="2025.12.1")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return {audience: pool.submit(run, audience).result() for audience in COPIES}


def test_frozen_versions(reader, world, frozen):
    release = frozen["public" if reader.level == PUBLIC else "researcher"]
    for name, args in (("data", []), ("data_releases_csv", []), ("data_release", [release.version])):
        text = reader.get(reverse(name, args=args)).text_
        assert release.sha256 in text
        for user in (world.bob, world.charlie):
            assert user.username not in text.replace(f'hidden"> {user.username}', ""), "but for who is logged in"
    content = b"".join(reader.client.get(reverse("data_release_file", args=[release.version, "package.zip"])))
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        for name in package.namelist():
            text = package.read(name).decode()
            reader.look_at(text, name, reader.level)
            if name.endswith(".csv") and name not in {"custody_monthly.csv", "in_custody.csv"}:
                own = [row for row in read_csv(text) if row.get("source_id") != str(HELD) != row["id"]]
                assert len(own) == expected(world, reader.level, name.removesuffix(".csv")), name
    for asked in ("2025.12.2", "x", "2025.12.1-r1"):
        reader.get(reverse("data_release", args=[asked]), status=404)
        reader.get(reverse("data_release_file", args=[asked, "package.zip"]), status=404)
    for name in ("x", "changes.csv"):
        reader.get(reverse("data_release_file", args=[release.version, name]), status=404)


def test_who_downloaded_what(world, frozen):
    reader = Viewer(world, RESEARCHERS, world.charlie)
    marker = next(iter(sorted(marker for marker in world.allowed(RESEARCHERS) if marker.endswith("qz"))))
    reader.get("/data/persons.csv", {"name": marker, "sex": "female"})
    reviewer = Viewer(world, STAFF, world.bob)
    page = reviewer.get(reverse("admin:tracker_downloads"))
    assert "name=…&amp;sex=female" in page.text_
    assert marker not in page.text_
    assert frozen["public"].sha256[:12] in reviewer.get(reverse("admin:tracker_data_releases")).text_
    for name in ("tracker_downloads", "tracker_data_releases"):
        Viewer(world, None, world.alice).get(reverse(f"admin:{name}"), status=403)


# --- What is written down


def test_nothing_of_all_this_was_logged(world, logged):
    """Runs last: what was looked for, and what was found, stands in no line that any of the tests above left."""
    Viewer(world, STAFF, world.alice).get("/persons/", {"name": "zqfffffqz", "status": "nonsense"}, status=400)
    text = logged.getvalue()
    assert "/persons/" in text, "the lines are read"
    named = {marker for marker in world.markers.found_in(text) if marker.endswith("qz")}
    assert told(world, named) == []
    assert "zqfffffqz" not in text
