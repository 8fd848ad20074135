"""How gunicorn serves the site; it reads this file by itself when started in this folder."""

import ctypes
import logging
import os
import signal
import sys
from typing import Any

wsgi_app = "tracker.wsgi"
worker_class = "gthread"  # streams a large file and still answers others
workers = 2
threads = 8
graceful_timeout = 1  # seconds that a request has to end after SIGTERM
accesslog = None  # a query string holds the names that were searched for
loglevel = "warning"
control_socket_disable = True

PR_SET_PDEATHSIG = 1


def be_discreet() -> None:
    from tracker.logs import Discreet  # not before: gunicorn reads this file before it goes to this folder

    # gunicorn tells of requests that it cannot read or answer with their whole address
    logging.getLogger("gunicorn.error").addFilter(Discreet())


def post_fork(_server: Any, _worker: Any) -> None:
    be_discreet()
    # A worker whose master was killed would finish what it does first, with nobody to stop it.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def worker_int(_worker: Any) -> None:
    # Ctrl-C: do not wait for the requests there are, which the database undoes.
    os._exit(0)
