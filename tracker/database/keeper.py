"""The keeper of the embedded PostgreSQL server: a process of its own, one for each data folder.

Run by `embedded.py` as `keeper.py DATA CLUSTER BINARIES DESCRIPTOR`, where the descriptor holds
the keeper's lock. It answers READY, or a sentence about what is wrong, and goes on in the
background. Only the standard library: it starts in the time that takes.

Whatever is killed, the next one mends: the kernel drops the locks of the dead, a new database
folder gets its name when it is complete, and nothing that is only written down (a process id, a
socket) is believed before it has been looked at.
"""

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

USERS = "postgresql.users"  # everybody who uses the server holds a shared lock on it
KEEPER = "postgresql.keeper"  # the keeper holds a lock on it, and writes the socket's folder in it
READY = "ready"
ROLE = "tracker"
DATABASES = ("tracker", "tracker_researcher", "tracker_public")

POLL = 0.1
STOPPING = 60  # for the checkpoint at the end; the kernel does the rest

SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET = 103  # of the address of a Unix socket: 107 on Linux, 103 on macOS
SOCKET_FOLDER = "tracker-postgresql-"
UNFINISHED = ".unfinished-"
LARGEST_LOG = 4 * 1024 * 1024

# For a machine of modest size. An administrator can change what stands here in the folder.
SETTINGS = """
# Set by the tracker when it made this folder.
max_connections = 200
shared_buffers = 128MB
max_wal_size = 512MB
jit = off
log_checkpoints = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %d '
# Statements and the details of errors hold names of people, which do not belong in a log.
log_min_error_statement = panic
log_error_verbosity = terse
"""


class KeeperError(Exception):
    """Why there is no server, in a sentence."""


def lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def read_socket(descriptor: int) -> str | None:
    text = os.pread(descriptor, 1024, 0).decode()
    return text.removesuffix("\n") if text.endswith("\n") else None


def write_socket(descriptor: int, folder: str | None) -> None:
    os.ftruncate(descriptor, 0)
    if folder:
        os.pwrite(descriptor, f"{folder}\n".encode(), 0)


# Under which account


@dataclass(frozen=True)
class Account:
    """Whom the server's programs run as. PostgreSQL refuses to be root."""

    uid: int | None = None  # None: as this process
    gid: int | None = None
    prefix: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()  # the accounts that may connect, as the server sees them

    def run(self, *command: str | Path, stderr: int | IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*self.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            umask=0o077,
            start_new_session=True,
            cwd="/",
        )

    def reaches(self, folder: Path, program: Path) -> str | None:
        """None when it can use the folder and run the program, else what stands in the way."""
        script = 'cd "$1" && exec "$2" --version'
        try:
            with self.run("/bin/sh", "-c", script, "sh", folder, program, stderr=subprocess.PIPE) as attempt:
                said = attempt.communicate()[0].decode(errors="replace").strip()
        except OSError as error:
            return str(error)
        return None if attempt.returncode == 0 else said or f"status {attempt.returncode}"


def choose_account(data: Path, cluster: Path, program: Path) -> Account:
    me = os.geteuid()
    # Files that are there decide: they can be read by their owner only.
    owner = (cluster if cluster.exists() else data).stat().st_uid
    if me != 0:
        if owner != me and cluster.exists():
            raise KeeperError(f"The data in {cluster} belongs to another account.")
        try:
            return Account(clients=(pwd.getpwuid(me).pw_name, pwd.getpwuid(0).pw_name))
        except KeyError:  # PostgreSQL wants an account with a name
            return _mapped_account(data, program)
    candidates = [owner] if owner else []
    if not cluster.exists():
        candidates += [entry.pw_uid for name in ("postgres", "nobody") if (entry := _find(name))]
    for uid in candidates:
        with contextlib.suppress(KeyError):  # an account without a name
            entry = pwd.getpwuid(uid)
            clients = (entry.pw_name, pwd.getpwuid(0).pw_name)
            account = Account(uid, entry.pw_gid, clients=clients)
            if account.reaches(data, program) is None:
                return account
    if owner and cluster.exists():
        raise KeeperError(
            f"The data in {cluster} belongs to account {owner}, which has no name here or cannot"
            f" reach it or {program}. Run this as that account, or move the folder away."
        )
    return _mapped_account(data, program)


def _mapped_account(data: Path, program: Path) -> Account:
    """This account, under the name of another in a user namespace.

    Everybody who is not mapped appears there as the overflow account (nobody), so that one must
    not be the one that may connect.
    """
    other = next((entry for entry in pwd.getpwall() if 0 < entry.pw_uid < 1000), None)
    if other is None:
        raise KeeperError("There is no system account under whose name PostgreSQL could run.")
    unshare = shutil.which("unshare") or "unshare"
    mapping = (f"--map-user={other.pw_uid}", f"--map-group={other.pw_gid}")
    account = Account(prefix=(unshare, "--user", *mapping), clients=(other.pw_name,))
    if obstacle := account.reaches(data, program):
        raise KeeperError(
            f"PostgreSQL refuses to run as this account, no other can reach {data} and"
            f" {program.parent}, and a user namespace is refused here ({obstacle}). Run this as an"
            " ordinary user, put the project where others may read it, or name a served"
            " PostgreSQL with DATABASE_URL."
        )
    return account


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


# The server


class Server:
    def __init__(self, data: Path, cluster: Path, binaries: Path, lock: int) -> None:
        self.data = data
        self.cluster = cluster
        self.binaries = binaries
        self.lock = lock
        self.account = choose_account(data, cluster, binaries / "postgres")
        self.socket = ""
        self.pid = 0
        # None for a server that a keeper started which was killed.
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.cluster / "server.log"

    def start(self) -> None:
        """Start the server, or take over the one that runs. Returns when it answers."""
        if not self.cluster.exists():
            self._initialise()
        if not self._adopt():
            self._clean()
            self._launch()
        self._create_databases()
        write_socket(self.lock, self.socket)

    def alive(self) -> bool:
        if self.process:
            return self.process.poll() is None
        return self._is_ours(self.pid)

    def stop(self) -> None:
        write_socket(self.lock, None)
        # Ending the sessions there are, writing all to disk; then not waiting for that.
        for kind in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if not self.alive():
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, kind)
            wait_until(lambda: not self.alive(), STOPPING)
        _remove_socket(self.socket)

    def moved(self) -> bool:
        """Whether the data folder was moved or removed: whoever comes next finds no keeper there."""
        try:
            return not os.path.samestat((self.data / KEEPER).stat(), os.fstat(self.lock))
        except OSError:
            return True

    def _initialise(self) -> None:
        """Make the database folder. It gets its name when it is complete."""
        for leftover in self.data.glob(f"{UNFINISHED}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.data))  # 0700
        if self.account.uid is not None:
            os.chown(folder, self.account.uid, self.account.gid or 0)
        major = int(self.cluster.name.removeprefix("postgresql-"))
        # Letters of every language, in the same order on every machine.
        locale = ["--locale=C.UTF-8"]
        if major >= 17:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        with self.account.run(
            *(self.binaries / "initdb", "-D", folder, f"--username={ROLE}", "--encoding=UTF8"),
            *("--auth-local=peer", "--auth-host=reject", "--text-search-config=simple"),
            *("--data-checksums", *locale),
            stderr=subprocess.PIPE,
        ) as making:
            said = making.communicate()[0].decode(errors="replace")
        if making.returncode:
            reason = " ".join(line.strip() for line in said.splitlines() if "error" in line)
            raise KeeperError(f"The database folder {self.cluster} could not be made: {reason or said.strip()}")
        with (folder / "postgresql.conf").open("a") as configuration:
            configuration.write(SETTINGS)
        folder.rename(self.cluster)

    def _adopt(self) -> bool:
        """Take over a server whose keeper was killed."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
            pid, socket = int(lines[0]), lines[4]
        except (OSError, ValueError, IndexError):
            return False
        if not self._is_ours(pid):
            _remove_socket(socket)
            return False
        self.pid, self.socket, self.process = pid, socket, None
        self._wait()
        return self.alive()

    def _clean(self) -> None:
        """Clear away what a killed server left."""
        # Without it, sessions end as soon as they look; one in a long query looks late, and the
        # memory they share keeps a new server from starting.
        for kind in (signal.SIGQUIT, signal.SIGKILL):
            for pid in self._processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, kind)
            if wait_until(lambda: not self._processes(), 2):
                break
        # Its process id may be somebody else's by now, which PostgreSQL takes for a server.
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _launch(self) -> None:
        self._write_access()
        self.socket = self._make_socket_folder()
        self.trim_log()
        beginning = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._own(self.log)
            self.process = self.account.run(
                *(self.binaries / "postgres", "-D", self.cluster, "-k", self.socket),
                *("-c", "listen_addresses=", "-c", "unix_socket_permissions=0700"),
                *("-c", "port=5432", "-c", "unix_socket_group="),
                *("-c", "logging_collector=off", "-c", "log_destination=stderr"),
                stderr=log,
            )
        self.pid = self.process.pid
        self._wait()
        if not self.alive():
            with self.log.open("rb") as log:
                log.seek(beginning)
                said = log.read().decode(errors="replace").splitlines()
            _remove_socket(self.socket)
            fatal = [line.partition("FATAL:")[2].strip() for line in said if "FATAL:" in line]
            raise KeeperError(
                f"The embedded PostgreSQL server in {self.cluster} did not start:"
                f" {'; '.join(fatal) or 'it was killed'}. See server.log there."
            )

    def _wait(self) -> None:
        # However long it takes: it may be recovering from a crash of the machine.
        wait_until(lambda: not self.alive() or self._answers())

    def _answers(self) -> bool:
        asking = [str(self.binaries / "pg_isready"), "-q", "-h", self.socket, "-p", "5432"]
        return subprocess.run([*asking, "-U", ROLE, "-d", "postgres"]).returncode == 0

    def _create_databases(self) -> None:
        names = ", ".join(f"('{name}')" for name in DATABASES)
        statement = (
            f"SELECT format('CREATE DATABASE %I', name) FROM (VALUES {names}) AS wanted (name)"
            " WHERE name NOT IN (SELECT datname FROM pg_database) \\gexec\n"
            "CHECKPOINT;\n"  # now, so that a stop soon after is quick
        )
        address = f"host={self.socket} port=5432 user={ROLE} dbname=postgres"
        # As this process itself, so that what is wrong with access shows here.
        creating = subprocess.run(
            [str(self.binaries / "psql"), "-Xqt", "-v", "ON_ERROR_STOP=1", address],
            input=statement,
            capture_output=True,
            text=True,
            cwd="/",
        )
        if creating.returncode:
            raise KeeperError(
                f"The embedded PostgreSQL server in {self.cluster} refused the databases of the"
                f" tracker: {creating.stderr.strip()}"
            )

    def _write_access(self) -> None:
        """Who may connect is known from the account, whatever stood there before."""
        map = "".join(f'tracker "{name}" {ROLE}\n' for name in self.account.clients)
        for name, text in (
            ("pg_hba.conf", f"local all {ROLE} peer map=tracker\n"),
            ("pg_ident.conf", map),
        ):
            new = self.cluster / f"{name}.new"
            new.write_text("# Written by the tracker at every start.\n" + text)
            self._own(new)
            new.replace(self.cluster / name)

    def _make_socket_folder(self) -> str:
        # TMPDIR may be too long, or closed to the server's account.
        for place in ("/tmp", tempfile.gettempdir()):
            if len(f"{place}/{SOCKET_FOLDER}12345678/{SOCKET}") > LONGEST_SOCKET:
                continue
            try:
                folder = tempfile.mkdtemp(prefix=SOCKET_FOLDER, dir=place)  # 0700
            except OSError:
                continue
            self._own(Path(folder))
            return folder
        raise KeeperError(
            "The embedded PostgreSQL server needs a folder for its socket, but neither /tmp nor"
            " TMPDIR can be written to with a path short enough."
        )

    def _own(self, path: Path) -> None:
        if self.account.uid is not None:
            os.chown(path, self.account.uid, self.account.gid or 0)

    def trim_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            os.truncate(self.log, 0)

    def _processes(self) -> list[int]:
        """All processes of this database folder (none where there is no /proc)."""
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self._is_in(entry)]

    def _is_ours(self, pid: int) -> bool:
        if Path("/proc/self").exists():
            return self._is_in(Path(f"/proc/{pid}"))
        told = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
        return f"-D {self.cluster} " in told.stdout

    def _is_in(self, process: Path) -> bool:
        """PostgreSQL's processes work in their database folder."""
        try:
            if not (process / "comm").read_text().startswith("postgres"):
                return False
            return (process / "cwd").samefile(self.cluster)
        except OSError:  # it ended, or is another account's
            return False


def wait_until(condition: Callable[[], bool], seconds: float = float("inf")) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _remove_socket(folder: str) -> None:
    if Path(folder).name.startswith(SOCKET_FOLDER):
        shutil.rmtree(folder, ignore_errors=True)


# The keeper


def keep(server: Server) -> None:
    """Watch over the server until nobody uses it. Then the lock on its users stays taken, so that whoever comes
    meanwhile waits, and starts another keeper when this one is gone."""
    users = os.open(server.data / USERS, os.O_RDWR | os.O_CREAT, 0o600)
    while not lock(users, fcntl.LOCK_EX) and not server.moved():
        if not server.alive():
            server.start()
        server.trim_log()
        time.sleep(POLL)


def answer(sentence: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # whoever asked may be gone
        os.write(1, f"{sentence}\n".encode())


def main() -> None:
    data, cluster, binaries = (Path(argument) for argument in sys.argv[1:4])
    if os.fork():
        os._exit(0)
    os.umask(0o077)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    server = None
    try:
        server = Server(data, cluster, binaries, int(sys.argv[4]))
        server.start()
        answer(READY)
        log = os.open(server.log, os.O_WRONLY | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        keep(server)
    except KeeperError as error:
        answer(str(error))
    finally:
        if server:
            server.stop()


if __name__ == "__main__":
    main()
