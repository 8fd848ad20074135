"""`manage.py serve`, really run: however it ends, nothing stays."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tracker.test_database_server import PATIENCE, ROOT, fresh, gone, nothing_left, processes, shared, wait_until

__all__ = ["fresh", "shared"]


def serve(data: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(data), "DATABASE_URL": "", "DEBUG": "1", "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # a Ctrl-C of ours reaches it alone
    )


def free_port() -> int:
    with socket.socket() as attempt:
        attempt.bind(("127.0.0.1", 0))
        return attempt.getsockname()[1]


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/admin/login/")
        return connection.getresponse().status < 500
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()


def members(group: int) -> list[str]:
    """The processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(of) == group and state != "Z":
            found.append(stat.parent.name)
    return found


@pytest.mark.parametrize("end", ["Ctrl-C", "SIGTERM", "crash"])
def test_however_it_ends_nothing_stays(shared: Path, end: str) -> None:
    port = free_port()
    with nothing_left(shared), serve(shared, port) as server:
        assert wait_until(lambda: answers(port), 20)
        # A browser keeps its connection; another is in the middle of a request.
        idle = socket.create_connection(("127.0.0.1", port))
        idle.sendall(b"GET /admin/login/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        idle.recv(1000)
        busy = socket.create_connection(("127.0.0.1", port))
        busy.sendall(b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
        assert processes(shared)
        assert len(members(server.pid)) == 3
        if end == "Ctrl-C":
            os.killpg(server.pid, signal.SIGINT)
        else:
            server.send_signal(signal.SIGTERM if end == "SIGTERM" else signal.SIGKILL)
        assert wait_until(lambda: not members(server.pid) and not processes(shared), PATIENCE)
        idle.close()
        busy.close()
        server.wait()
        assert server.stdout
        said = server.stdout.read()
    assert f"http://127.0.0.1:{port}/" in said
    assert "editor / demo-editor" in said


def test_a_port_that_is_in_use(fresh: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with serve(fresh, port) as server:
            said = server.communicate()[0]
    assert server.returncode == 1
    assert said == f"CommandError: Port {port} is in use: choose another, as in PORT=8001 make run.\n"
    assert gone(fresh)
