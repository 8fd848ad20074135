"""Who was looked for stands in no log, whatever goes wrong."""

import io
import logging
import runpy
from pathlib import Path

import pytest

from tracker.logs import Discreet
from tracker.views import lists

ROOT = Path(__file__).parents[2]
NAME = "Zqexampleva"


@pytest.fixture
def console(monkeypatch):
    """What the site's own handler writes."""
    (handler,) = [one for one in logging.getLogger().handlers if any(isinstance(f, Discreet) for f in one.filters)]
    written = io.StringIO()
    monkeypatch.setattr(handler, "stream", written)
    return written


@pytest.mark.django_db(databases=["default", "public"])
def test_an_error_in_a_page_tells_where_it_was_and_not_of_whom(client, settings, monkeypatch, console):
    settings.PUBLIC_SITE = True

    def broken(*_args, **_more):
        raise ValueError(f"invalid name: {NAME}")

    client.raise_request_exception = False
    assert client.get("/persons/", {"name": NAME, "sort": "x"}).status_code == 400
    assert client.get(f"/persons/none/?name={NAME}").status_code == 404
    monkeypatch.setattr(lists, "cut", broken)
    assert client.get("/persons/", {"name": NAME}).status_code == 500
    told = console.getvalue()
    for expected in ("Bad Request: /persons/", "Not Found: /persons/none/", "Internal Server Error: /persons/", "in broken", "ValueError"):  # fmt: skip
        assert expected in told
    assert NAME not in told
    assert "name=" not in told


def test_the_server_logs_no_address_with_its_query(caplog):
    given = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    assert given["accesslog"] is None
    logger = logging.getLogger("gunicorn.error")
    before = list(logger.filters)
    try:
        given["be_discreet"]()
        try:
            raise KeyError(NAME)
        except KeyError:
            logger.exception("Error handling request %s %s", "GET", f"/persons/?name={NAME}&sort=name")
        logger.warning(f"Invalid HTTP request line: 'GET /persons/?name={NAME} HTTP/9'")
    finally:
        logger.filters[:] = before
    assert "Error handling request GET /persons/?…" in caplog.text
    assert "builtins.KeyError" in caplog.text
    assert NAME not in caplog.text
