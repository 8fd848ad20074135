"""The embedded server, really started and killed, each test from processes of its own."""

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from tracker.database import embedded, keeper

ROOT = Path(__file__).resolve().parents[2]

# Uses the database as the site does, and does as it is told, line by line.
USER = """
import sys
from pathlib import Path
import django
from django.conf import settings
from tracker.database import configure
settings.configure(DATABASES=configure({"DATA_DIR": sys.argv[1]}, Path("/")), USE_TZ=True)
django.setup()
from django.db import connection, connections
from tracker.database.creation import clone, create_if_missing

def query(sql, alias="default"):
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0] if cursor.description else None

for line in sys.stdin:
    try:
        print(eval(line), flush=True)
    except Exception as error:
        print(type(error).__module__, type(error).__name__, str(error).replace("\\n", " "), flush=True)
        connection.close()
"""


def run(script: str, data: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, str(data)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class User:
    def __init__(self, data: Path) -> None:
        self.process = run(USER, data)

    def ask(self, expression: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{expression}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self, kind: signal.Signals | None = None) -> None:
        assert self.process.stdin
        assert self.process.stdout
        if kind:
            self.process.send_signal(kind)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.returncode is None:
            self.end(signal.SIGKILL)


def processes(data: Path) -> dict[int, str]:
    """Keeper and server of this data folder: process id -> command."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            about_it = str(data) in command and (
                keeper.__file__ in command or "postgres" in command or "initdb" in command
            )
            if about_it or data in (entry / "cwd").readlink().parents:
                found[int(entry.name)] = command
    return found


def keeper_of(data: Path) -> int:
    (pid,) = (pid for pid, command in processes(data).items() if keeper.__file__ in command)
    return pid


def postmaster_of(data: Path) -> int:
    (pid_file,) = data.glob("postgresql-*/postmaster.pid")
    return int(pid_file.read_text().split()[0])


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    return keeper.wait_until(condition, seconds)


# Two seconds is what is promised, but the machine may be busy with other tests.
PATIENCE = 4


def gone(data: Path, seconds: float = PATIENCE) -> bool:
    return wait_until(lambda: not processes(data), seconds)


def sockets(data: Path) -> list[str]:
    return [line for file in data.glob(keeper.KEEPER) for line in file.read_text().splitlines()]


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Not pytest's own: that one is closed to others, and as root the server usually runs under
    another account."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name) / "data"


@contextlib.contextmanager
def nothing_left(data: Path) -> Iterator[Path]:
    """Fails the test when soon after its last user anything of the server is there."""
    yield data
    left = {} if gone(data) else processes(data)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert not left


@pytest.fixture
def fresh() -> Iterator[Path]:
    """A data folder without a database in it."""
    with folder() as data, nothing_left(data):
        yield data


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    with folder() as data:
        yield data


@pytest.fixture
def data(shared: Path) -> Iterator[Path]:
    """A data folder that the tests here share, so that a database is made once."""
    with nothing_left(shared):
        yield shared


def test_twenty_processes_start_at_once(fresh: Path) -> None:
    script = """
import sys
from pathlib import Path
import psycopg
from tracker.database import embedded
host = embedded.ensure(Path(sys.argv[1]))
print(psycopg.connect(host=host, user="tracker", dbname="tracker").execute("SELECT 1").fetchone())
"""
    starts = [run(script, fresh) for _ in range(20)]
    assert [start.communicate()[0] for start in starts] == ["(1,)\n"] * 20


def test_the_three_databases_are_there(data: Path) -> None:
    with User(data) as user:
        names = "[connections[alias].cursor() and connections[alias].pg_version for alias in connections]"
        assert len(set(eval(user.ask(names)))) == 1
        assert user.ask("query('SHOW server_encoding')") == "UTF8"
        assert user.ask("query('SHOW timezone')") == "UTC"
        assert user.ask("query('SHOW fsync')") == "on"
        assert user.ask("query('SHOW listen_addresses')") == ""
        assert user.ask("query(\"SELECT lower('ЁЖ') || ('Ж' < 'а') || ('Z' < 'a')\")") == "ёжtruetrue"


@pytest.mark.parametrize("kind", [None, signal.SIGKILL])
def test_after_its_last_user_nothing_is_left(data: Path, kind: signal.Signals | None) -> None:
    with User(data) as user, User(data) as other:
        assert user.ask("query('SELECT 1')") == other.ask("query('SELECT 1')") == "1"
        (socket,) = sockets(data)
        user.end(kind)
        assert not gone(data, 0.5)
        assert other.ask("query('SELECT 2')") == "2"
        other.end(kind)
    assert gone(data)
    assert not Path(socket).exists()
    assert not list(data.glob("postgresql-*/postmaster.pid"))


@pytest.mark.parametrize("stays", ["parent", "child"])
def test_a_fork_counts_for_itself(data: Path, stays: str) -> None:
    """The one that stays uses the server; the other, which has used it too, ends."""
    script = f"""
import os, sys
from pathlib import Path
from tracker.database import embedded
data = Path(sys.argv[1])
embedded.ensure(data)
me = "parent" if os.fork() else "child"
embedded.ensure(data)
if me == "{stays}":
    print(me, flush=True)
    sys.stdin.read()
"""
    with run(script, data) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == f"{stays}\n"
        assert not gone(data, 0.5)


def test_a_fork_that_does_not_use_the_server_does_not_keep_it(data: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from tracker.database import embedded
embedded.ensure(Path(sys.argv[1]))
if pid := os.fork():
    print(pid, flush=True)
else:
    os.close(1)
    signal.pause()
"""
    with run(script, data) as process:
        child = int(process.communicate()[0])
    try:
        assert gone(data)
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_killed_keeper_is_replaced_at_the_next_use(data: Path) -> None:
    with User(data) as user, User(data) as other:
        assert user.ask("query('SELECT 1')") == "1"
        killed, server = keeper_of(data), postmaster_of(data)
        os.kill(killed, signal.SIGKILL)
        assert user.ask("query('SELECT 2')") == "2"
        assert other.ask("query('SELECT 3')") == "3"
        assert keeper_of(data) != killed
        assert postmaster_of(data) == server


def test_a_keeper_told_to_end_ends_the_server(data: Path) -> None:
    with User(data) as user:
        assert user.ask("query('SELECT 1')") == "1"
        os.kill(keeper_of(data), signal.SIGTERM)
        assert gone(data)
        assert "OperationalError" in user.ask("query('SELECT 2')")
        assert user.ask("query('SELECT 3')") == "3"


def test_a_killed_server_starts_again(data: Path) -> None:
    with User(data) as user, User(data) as other:
        assert user.ask("query('CREATE TABLE kept AS SELECT 1')") == "None"
        os.kill(postmaster_of(data), signal.SIGKILL)
        user.ask("connection.close()")
        assert user.ask("query('TABLE kept')") == "1"
        assert other.ask("query('DROP TABLE kept')") == "None"


def test_a_killed_session_takes_no_more_than_a_moment(data: Path) -> None:
    with User(data) as user, User(data) as other:
        session = int(user.ask("query('SELECT pg_backend_pid()')"))
        os.kill(session, signal.SIGKILL)
        assert other.ask("query('SELECT 1')") == "1"
        assert "OperationalError" in user.ask("query('SELECT 1')")
        assert user.ask("query('SELECT 1')") == "1"


def test_a_session_that_does_not_notice_its_server_was_killed(data: Path) -> None:
    endless = "query('SELECT count(*) FROM generate_series(1, 1e12::bigint) AS n WHERE n < 0')"
    with User(data) as user, User(data) as other:
        assert user.ask("query('SELECT 1')") == "1"
        assert user.process.stdin
        user.process.stdin.write(f"{endless}\n")
        user.process.stdin.flush()
        time.sleep(0.3)
        os.kill(postmaster_of(data), signal.SIGKILL)
        assert other.ask("query('SELECT 1')") == "1"
        user.end(signal.SIGKILL)


def test_after_everything_was_killed(data: Path) -> None:
    with User(data) as user:
        assert user.ask("query('SELECT 1')") == "1"
        server = postmaster_of(data)
        (pid_file,) = data.glob("postgresql-*/postmaster.pid")
        (socket,) = sockets(data)
        account = pid_file.stat().st_uid
        # The keeper first: it would start the server again.
        for pid in [keeper_of(data), server, *processes(data), user.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert gone(data)
    # By now, the server's process id is that of some other program of the same account.
    with subprocess.Popen(["sleep", "60"], user=account) as other:
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(other.pid), *lines[1:], ""]))
        with User(data) as user:
            assert user.ask("query('SELECT 1')") == "1"
            assert postmaster_of(data) != other.pid
        assert other.poll() is None
        other.kill()
    assert gone(data)
    assert not Path(socket).exists()


def test_killed_while_it_makes_the_database_folder(fresh: Path) -> None:
    with User(fresh) as user:
        assert user.process.stdin
        assert user.process.stdout
        user.process.stdin.write("query('SELECT 1')\n")
        user.process.stdin.flush()
        assert wait_until(lambda: bool(list(fresh.glob(".unfinished-*/base"))), 10)
        for pid in [keeper_of(fresh), *processes(fresh)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # Whoever waited for it does not even notice.
        assert user.process.stdout.readline() == "1\n"
        assert not list(fresh.glob(".unfinished-*"))


def test_a_clone_with_a_long_path(fresh: Path) -> None:
    data = fresh / ("a folder of Łódź " * 4) / ("x" * 100)
    fresh.mkdir(mode=0o711)
    with User(data) as user:
        assert user.ask("query('SELECT 1')") == "1"
        (socket,) = sockets(data)
        assert len(f"{socket}/{keeper.SOCKET}") <= keeper.LONGEST_SOCKET


def user_namespaces() -> bool:
    asking = ["unshare", "--user", "--map-user=1", "--map-group=1", "true"]
    return subprocess.run(asking, stderr=subprocess.DEVNULL).returncode == 0


def test_a_folder_that_only_its_owner_can_reach(fresh: Path) -> None:
    fresh.parent.chmod(0o700)
    with User(fresh) as user:
        answer = user.ask("query('SELECT 1')")
        if os.geteuid() == 0 and not user_namespaces():
            assert answer.startswith("django.db.utils OperationalError PostgreSQL refuses")
        else:
            assert answer == "1"
            (cluster,) = fresh.glob("postgresql-*")
            assert cluster.stat().st_uid == os.geteuid()
            user.end()
            with User(fresh) as later:  # and the next time
                assert later.ask("query('SELECT 1')") == "1"


def test_only_the_owner_and_root_get_in(data: Path) -> None:
    with User(data) as user:
        assert user.ask("query('SELECT current_user')") == "tracker"
        (socket,) = sockets(data)
        (cluster,) = data.glob("postgresql-*")
        assert Path(socket).stat().st_mode & 0o777 == cluster.stat().st_mode & 0o777 == 0o700
        if os.geteuid() == 0:
            stranger = pwd.getpwnam("daemon").pw_uid
            # Even with the doors open, the server asks the kernel who it is.
            Path(socket).chmod(0o711)
            Path(socket, keeper.SOCKET).chmod(0o777)
            _, binaries = embedded.find(data)
            attempt = subprocess.run(
                [binaries / "psql", "-h", socket, "-U", "tracker", "-d", "tracker", "-c", "TABLE x"],
                user=stranger,
                extra_groups=[],
                capture_output=True,
                text=True,
            )
            assert "Peer authentication failed" in attempt.stderr


def test_files_of_a_version_that_is_not_installed(fresh: Path) -> None:
    (fresh / "postgresql-16").mkdir(parents=True)
    (fresh / "postgresql-16" / "PG_VERSION").write_text("16\n")
    with User(fresh) as user:
        answer = user.ask("query('SELECT 1')")
    assert answer.startswith("django.db.utils OperationalError The data in ")
    assert "was made by PostgreSQL 16, which is not installed" in answer
    assert [folder.name for folder in fresh.glob("postgresql-1*")] == ["postgresql-16"]


def test_a_file_in_the_way(fresh: Path) -> None:
    fresh.write_text("")
    with User(fresh) as user:
        assert "OperationalError The embedded PostgreSQL server cannot use" in user.ask("query('SELECT 1')")


def test_importing_settings_starts_nothing(fresh: Path) -> None:
    with User(fresh) as user:
        assert user.ask("1 + 1") == "2"
        assert not fresh.exists()


def test_a_copy_that_holds_nothing_is_cloned(data: Path) -> None:
    with User(data) as user:
        user.ask("query('CREATE TABLE cloned AS SELECT 7')")
        assert user.ask("clone(connection, connections['public'])") == "True"
        assert user.ask("query('TABLE cloned', 'public')") == "7"
        user.ask("query('UPDATE cloned SET \"?column?\" = 8')")
        assert user.ask("clone(connection, connections['public'])") == "False"
        assert user.ask("query('TABLE cloned', 'public')") == "7"
        user.ask("query('DROP TABLE cloned')")
        user.ask("query('DROP TABLE cloned', 'public')")


def test_a_database_that_is_missing_is_made(data: Path) -> None:
    with User(data) as user:
        user.ask("connections['public'].settings_dict.update(NAME='tracker other')")
        assert 'database "tracker other" does not exist' in user.ask("query('SELECT 1', 'public')")
        for _ in range(2):
            assert user.ask("create_if_missing(connections['public'])") == "None"
        assert user.ask("query('SELECT current_database()', 'public')") == "tracker other"
