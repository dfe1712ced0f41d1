"""Real processes of the product on a test's database and broker: its web server, its workers, started and killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
QUEUES = "sweeps,bulk,transactional"


def environment(**more: str) -> dict[str, str]:
    """What a process needs to stand beside this test: its database, its broker, its key."""
    connection.ensure_connection()
    # Where the settings name a socket and where a host is told in several ways; the connection knows.
    to = connection.connection.info
    login = f"{to.user}:{quote(to.password)}" if to.password else to.user
    is_socket = to.host.startswith("/")
    place = f"/{to.dbname}?host={quote(to.host, safe='/')}" if is_socket else f"{to.host}:{to.port}/{to.dbname}"
    return {
        **os.environ,
        "DATABASE_URL": f"postgres://{login}@{place}",
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        **more,
    }


def wait_until(is_so: Callable[[], object], *, seconds: float = 60, what: str = "it") -> None:
    """Look again and again.

    Raises:
        AssertionError: it is not so after that time.
    """
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.05)


class Service:
    """A long-lived process of the product with all that it forks: one group, started and killed as one."""

    def __init__(self, *arguments: str, **more: str) -> None:
        self.arguments = arguments
        self.environment = environment(**more)
        self.process: subprocess.Popen | None = None

    def start(self, *more: str) -> None:
        command = [sys.executable, "-m", "celery", "--quiet", "-A", "retention", *self.arguments, "-l", "ERROR", *more]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, start_new_session=True)

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """All of it at once, without a word."""
        if self.runs:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """As a new release stops it: what runs may end."""
        if self.runs:
            self.process.terminate()
            self.process.wait(timeout=60)


class Workers(Service):
    """One Celery worker with children, as production starts it."""

    def __init__(self, *, children: int = 2, queues: str = QUEUES, **more: str) -> None:
        super().__init__("worker", "--without-mingle", "-Q", queues, "-c", str(children), **more)

    def start(self, *more: str) -> None:
        # Each life has a name of its own, as that of a container.
        super().start("-n", f"w{time.monotonic_ns()}@%h", *more)

    def children(self) -> list[int]:
        """The processes of its pool."""
        shown = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = [tuple(map(int, line.split())) for line in shown.splitlines()]
        return sorted(pid for pid, parent in pairs if parent == self.process.pid)


class WebServer:
    """The product's own web server: two processes of four threads."""

    def __init__(self, port: int, **more: str) -> None:
        self.port = port
        self.environment = environment(DEBUG="0", API_REQUESTS_A_MINUTE="1000000", **more)

    def __enter__(self) -> "WebServer":
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--no-access-log", "--log-level", "error"]
        self.process = subprocess.Popen([*command, "retention.wsgi:application"], cwd=ROOT, env=self.environment)
        wait_until(self._listens, what="the web server")
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


class Beat(Service):
    """The scheduler, as production starts it."""

    def __init__(self, **more: str) -> None:
        super().__init__("beat", "--pidfile", "", **more)
