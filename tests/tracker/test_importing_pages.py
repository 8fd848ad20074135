"""Importing at the command line and on the pages of the admin."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.conftest import ALL_DATABASES
from tests.rows import make
from tracker.admin import importing as pages
from tracker.models import Act, Name, Person, PersonCitation, Source, Upload

pytestmark = pytest.mark.django_db(databases=ALL_DATABASES)

IMPORT = "/admin/import/"


def text(rows):
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


@pytest.fixture
def anna():
    person = make(Person, sex="female", home_town="Town")
    make(Name, person=person, text="Anna Exampleva")
    return person


# At the command line


@pytest.fixture
def command(tmp_path, capsys, alice, source):
    """Runs it; returns its exit status and what it printed."""

    def run(rows, *options, by="alice", what="persons"):
        file = tmp_path / "list.csv"
        file.write_text(text(rows), encoding="utf-8", newline="")
        given = ["--source", str(source.pk)] if "--source" not in options and what == "persons" else []
        status, error = 0, ""
        try:
            call_command("import", str(file), "--what", what, "--by", by, *given, *options)
        except CommandError as refusal:
            status, error = refusal.returncode, str(refusal)
        printed = capsys.readouterr()
        return status, printed.out, printed.err + error

    return run


def test_what_changes_is_printed_and_done(command, anna):
    rows = [{"pid": anna.pid, "home_town": "New Town"}, {"pid": "", "home_town": "Old Town"}]
    status, out, err = command(rows, "--dry-run")
    assert status == 0
    assert out.splitlines() == [
        f"row 2, {anna.pk}",
        "    home_town: Town → New Town",
        "row 3, new",
        "    home_town: (empty) → Old Town",
        "home_town: 2",
        "persons: 2 rows read. Changed: 1; new: 1; unchanged: 0; citations added: 2.",
        "Nothing was saved: this was a dry run.",
    ]
    assert Person.objects.count() == 1
    status, out, err = command(rows, "--locator", "table 2")
    assert (status, Person.objects.count()) == (0, 2)
    assert f"Done as {Act.objects.get().context}, which can be taken back." in out
    assert "written: 2 rows" in err
    assert set(PersonCitation.objects.values_list("locator", flat=True)) == {"table 2"}
    status, out, err = command(rows[:1])
    assert out == "persons: 1 rows read. Changed: 0; new: 0; unchanged: 1; citations added: 0.\n"


def test_problems_are_printed_and_end_with_status_1(command, anna):
    rows = [{"pid": anna.pid, "sex": "x", "home_town": "New Town"}, {"pid": "00000-00000", "sex": "", "home_town": ""}]
    status, out, err = command(rows)
    assert status == 1
    assert [line.partition(":")[0] for line in out.splitlines()] == [
        "row 2, column sex, “x”", "row 3, column pid, “00000-00000”",
    ]  # fmt: skip
    assert err.endswith("2 problems in list.csv. Nothing was saved.")
    assert Person.objects.get().home_town == "Town"


@pytest.mark.parametrize("by", ["nobody", "charlie"])
def test_only_who_works_here_imports(command, charlie, anna, by):
    status, _out, err = command([{"pid": anna.pid, "sex": "male"}], by=by)
    assert (status, err) == (1, f"{by} is no account of an editor or reviewer.")


def test_a_file_that_cannot_be_read_is_told(command, anna, tmp_path, alice):
    with pytest.raises(CommandError, match=r"missing.csv cannot be read: No such file"):
        call_command("import", str(tmp_path / "missing.csv"), "--what", "persons", "--by", "alice")
    file = tmp_path / "list.pdf"
    file.write_bytes(b"%PDF-1.7")
    with pytest.raises(CommandError, match=r"1 problems in list.pdf. Nothing was saved."):
        call_command("import", str(file), "--what", "persons", "--by", "alice")


@pytest.mark.django_db(databases=ALL_DATABASES, transaction=True)
def test_broken_off_in_the_middle_nothing_is_there(alice, source, tmp_path, monkeypatch):
    """Whatever breaks off between the rows: nothing of any of them."""
    from tracker.importing import writing

    monkeypatch.setattr(writing, "CHUNK", 10)
    rows = [{"name": f"Anna Exampleva {number}", "sex": "female"} for number in range(100)]
    file = tmp_path / "list.csv"
    file.write_text(text(rows), encoding="utf-8", newline="")
    write, seen = writing.run_sql, []

    def broken(sql, params=()):
        seen.append(sql)
        if sum("INSERT INTO" in one for one in seen) > 12:
            connections["default"].connection.close()
        return write(sql, params)

    monkeypatch.setattr(writing, "run_sql", broken)
    with pytest.raises(CommandError, match="nothing was saved"):
        call_command("import", str(file), "--what", "persons", "--by", "alice", "--source", str(source.pk))
    monkeypatch.undo()
    connections["default"].close()
    assert (Person.objects.count(), Name.objects.count(), PersonCitation.objects.count(), Act.objects.count()) == (
        0, 0, 0, 0,
    )  # fmt: skip
    call_command("import", str(file), "--what", "persons", "--by", "alice", "--source", str(source.pk))
    assert (Person.objects.count(), Name.objects.count(), PersonCitation.objects.count()) == (100, 100, 100)


# In the admin


def upload(client, rows, what="persons", source="", name="list.csv", content=None):
    content = text(rows).encode() if content is None else content
    posted = {"what": what, "source": source and str(source.pk), "locator": "table 2"}
    return client.post(IMPORT, {**posted, "file": SimpleUploadedFile(name, content)})


def test_a_file_is_uploaded_looked_at_and_imported(client, alice, source, anna):
    client.force_login(alice)
    assert b"Import a spreadsheet" in client.get(reverse("admin:index")).content
    assert client.get(IMPORT).status_code == 200
    response = upload(
        client, [{"pid": anna.pid, "home_town": "New Town"}, {"pid": "", "home_town": "X"}], source=source
    )
    preview = response.headers["Location"]
    page = client.get(preview)
    assert page.status_code == 200
    html = page.content.decode()
    assert "Changed: 1; new: 1; unchanged: 0." in html
    assert "Anna Exampleva" in html
    assert "New Town" in html
    assert Person.objects.get().home_town == "Town"
    done = client.post(preview, {"step": "import", "fingerprint": page.context["result"].fingerprint})
    act = Act.objects.get()
    assert done.headers["Location"] == reverse("admin:tracker_act", args=[act.context])
    assert (act.by, act.kind) == (alice, "import")
    assert set(Person.objects.values_list("home_town", flat=True)) == {"New Town", "X"}
    assert {citation.locator for citation in PersonCitation.objects.all()} == {"table 2"}
    assert not Upload.objects.exists()
    assert client.get(preview).status_code == 404
    assert client.get(done.headers["Location"]).status_code == 200


def test_what_is_wrong_is_listed_and_cannot_be_imported(client, alice, source, anna):
    client.force_login(alice)
    preview = upload(client, [{"pid": anna.pid, "sex": "<b>"}], source=source).headers["Location"]
    html = client.get(preview).content.decode()
    assert "1 problem." in html
    assert "“&lt;b&gt;” is no such code." in html
    assert 'value="import"' not in html
    again = client.post(preview, {"step": "import", "fingerprint": "x"})
    assert "1 problem." in again.content.decode()
    assert Person.objects.get().sex == "female"
    assert client.post(preview, {"step": "drop"}).headers["Location"] == IMPORT
    assert not Upload.objects.exists()


def test_only_what_was_looked_at_is_imported(client, alice, source, anna):
    client.force_login(alice)
    preview = upload(client, [{"pid": anna.pid, "home_town": "New Town"}], source=source).headers["Location"]
    mark = client.get(preview).context["result"].fingerprint
    Person.objects.filter(pk=anna.pk).update(summary="Changed")
    for fingerprint in (mark, "", "none"):
        page = client.post(preview, {"step": "import", "fingerprint": fingerprint})
        assert "were changed since the preview" in page.content.decode()
    assert Person.objects.get().home_town == "Town"
    mark = page.context["result"].fingerprint
    assert client.post(preview, {"step": "import", "fingerprint": mark}).status_code == 302
    assert Person.objects.get().home_town == "New Town"


def test_a_file_is_for_who_uploaded_it_and_for_a_day(client, alice, bob, charlie, source, anna):
    client.force_login(alice)
    preview = upload(client, [{"pid": anna.pid, "sex": "male"}], source=source).headers["Location"]
    client.force_login(bob)
    assert client.get(preview).status_code == 404
    assert client.post(preview, {"step": "drop"}).status_code == 404
    client.force_login(charlie)
    for url in (IMPORT, preview):
        assert client.get(url).status_code in (302, 403)
    client.force_login(alice)
    assert client.get(preview).status_code == 200
    kept = Upload.objects.get()
    Upload.objects.update(uploaded_at=kept.uploaded_at - timedelta(days=1, minutes=1))
    assert client.get(preview).status_code == 404
    assert not Upload.objects.exists()


def test_a_form_that_is_wrong_says_so(client, alice, monkeypatch):
    client.force_login(alice)
    sealed = make(Source, disclosure="sealed")
    html = upload(client, [{"sex": "male"}], what="", source=sealed).content.decode()
    assert "This field is required." in html
    assert "Select a valid choice." in html
    monkeypatch.setattr(pages, "LARGEST", 10)
    html = upload(client, [{"sex": "male"}] * 10).content.decode()
    assert "The file is larger than" in html
    assert not Upload.objects.exists()


def test_a_file_that_is_no_table_is_told(client, alice):
    client.force_login(alice)
    preview = upload(client, [], content=b"%PDF-1.7").headers["Location"]
    assert "is a PDF" in client.get(preview).content.decode()


@pytest.mark.parametrize("what", ["persons", "names"])
def test_a_preview_costs_as_many_queries_for_many_rows_as_for_few(client, alice, source, what):
    client.force_login(alice)

    def cost(number):
        people = [make(Person) for _ in range(number)]
        names = [make(Name, person=person, text=f"Anna {n}") for n, person in enumerate(people)]
        rows = [{"id": row.pk, "text": "Hanna"} for row in names]
        if what == "persons":
            rows = [{"id": row.pk, "home_town": "New Town"} for row in people]
        preview = upload(client, rows, what=what, source=source).headers["Location"]
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(preview).status_code == 200
        return len(captured)

    cost(1)
    assert cost(2) == cost(20)
