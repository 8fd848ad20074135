import os
import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from tracker.database import embedded

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = "Serve the site on this machine until Ctrl-C. PORT changes the port."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", default=os.environ.get("PORT") or "8000")

    def handle(self, *, port: str, **options: Any) -> None:
        require_free(port)
        for connection in connections.all():
            if data := connection.settings_dict.get("EMBEDDED"):
                # Or else the server would stop whenever no worker has come to use it yet.
                connection.ensure_connection()
                embedded.hold_over_exec(data)
        connections.close_all()
        self.stdout.write(f"Serving on http://{HOST}:{port}/ until Ctrl-C.")
        if settings.DEBUG:
            from tracker.demo import DEMO_LOGINS

            self.stdout.write("To log in to the demo:")
            for login in DEMO_LOGINS:
                self.stdout.write(f"  {login.username} / {login.password} ({login.role})")
        self.stdout.flush()
        base = Path(settings.BASE_DIR)
        # Becomes gunicorn, so that every signal reaches it.
        os.execv(
            sys.executable,
            [
                *(sys.executable, "-m", "gunicorn", "--config", str(base / "gunicorn.conf.py")),
                *("--chdir", str(base), "--bind", f"{HOST}:{port}"),
            ],
        )


def require_free(port: str) -> None:
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise CommandError(f"{port} is not a port: use a number from 1 to 65535.")
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, int(port)))
        except PermissionError:
            raise CommandError(f"Port {port} is reserved: choose one from 1024 to 65535.") from None
        except OSError:
            raise CommandError(f"Port {port} is in use: choose another, as in PORT=8001 make run.") from None
