"""The demo's processes in one terminal: web, workers and beat as in production, started together, stopped together."""

import contextlib
import hashlib
import os
import re
import shlex
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from django.contrib.staticfiles.finders import get_finders
from honcho.compat import ProcessManager
from honcho.manager import Manager
from honcho.printer import Message, Printer

#: In the environment of every process of a demo: tells those that a killed demo left behind.
MARK = "RETENTION_DEMO"
READY_SECONDS = 60
#: So long a part may take to end what it is at.
STOP_SECONDS = 8


def commands(*, host: str, port: int, threads: int = 4, workers: int = 2) -> dict[str, list[str]]:
    """Name → command line of everything that serves; as in `compose.yaml`, where each has its container."""
    celery = ["-m", "celery", "--quiet", "--app", "retention"]
    worker = [*celery, "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    web = ["--interface", "wsgi", "--workers", str(workers), "--blocking-threads", str(threads), "--backpressure", "64"]
    web += ["--no-ws", "--log-level", "warning", "--host", host, "--port", str(port)]
    return {
        "web": ["-m", "granian", *web, "retention.wsgi:application"],
        "sender": [*worker, "--queues", "transactional", "--hostname", "sender@demo", "--concurrency", "1"],
        "worker": [*worker, "--queues", "bulk,sweeps", "--hostname", "worker@demo", "--concurrency", str(workers)],
        "beat": [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""],
    }


def is_port_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As the web server does: connections of an earlier demo that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def clear_leftovers(mark: str) -> int:
    """Stop what a demo of this checkout left running when it was killed; returns how many processes.

    The caller holds the demo's lock, so none of them can belong to a living one. (Where there is no /proc, nothing is
    found, and the port says so.)
    """
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(folder.name) != os.getpid() and wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in found:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + 5
        while any(Path(f"/proc/{pid}/environ").exists() for pid in found) and time.monotonic() < deadline:
            time.sleep(0.05)
    return len(found)


def print_of_static_files() -> str:
    """Changes whenever a style, script or picture does; compressing them all takes longer than everything else."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            digest.update(f"{path} {storage.size(path)} {storage.get_modified_time(path)}\n".encode())
    return digest.hexdigest()


class Voices(Printer):
    """Prints what the processes say; calls `when_started` once all of them run."""

    def __init__(self, names: list[str], when_started: Callable[[], None]) -> None:
        super().__init__(sys.stdout)
        self._waiting = set(names)
        self._when_started = when_started

    def write(self, message: Message) -> None:
        started = re.match(r"(\w+) started \(pid=", message.data) if message.name == "system" else None
        if started is None:
            super().write(message)
            return
        self._waiting.discard(started[1])
        if not self._waiting:
            self._when_started()


class Leaders(ProcessManager):
    """Asks a part's own process to stop, which tells its children: those told too would die in the middle of a mail."""

    def terminate(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


class Parts(Manager):
    """Starts the parts together and stops them together, by force those that do not go in time."""

    def __init__(self, printer: Printer) -> None:
        super().__init__(printer)
        self._procmgr = Leaders()
        self._pid = os.getpid()
        self._deadline = 0.0

    def terminate(self) -> None:
        # Ctrl-C reaches the watchers too that were forked a moment ago; and who has no number yet cannot be told:
        # `stop_if_asked` comes back to it.
        if os.getpid() != self._pid or not self._all_started() or self._terminating:
            return
        self._deadline = time.monotonic() + STOP_SECONDS
        forcing = threading.Timer(STOP_SECONDS, self.kill)
        forcing.daemon = True
        forcing.start()
        super().terminate()

    def kill(self) -> None:
        # honcho would like to five seconds after the first part has gone.
        if time.monotonic() >= self._deadline:
            super().kill()

    def stop_if_asked(self) -> bool:
        """To be called when all have started: whether somebody wanted them to stop meanwhile."""
        if self.returncode is None:
            return False
        self.terminate()
        return True


def serve(parts: dict[str, list[str]], *, url: str, mark: str, banner: str) -> int:
    """Run the parts until Ctrl-C or until one of them ends, which ends all; the exit code."""

    def announce() -> None:
        if _answers(url):
            sys.stdout.write(f"\n{banner}\n")
            sys.stdout.flush()

    # Started after the last fork, so that no fork meets a second thread.
    announcing = threading.Thread(target=announce, daemon=True)
    manager = Parts(Voices(list(parts), lambda: manager.stop_if_asked() or announcing.start()))
    # A demo in a container runs as root, and Celery would say so at length.
    quiet = "ignore:You're running the worker with superuser privileges"
    environment = {**os.environ, MARK: mark, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": quiet}
    environment.setdefault("LOG_LEVEL", "WARNING")
    for name, arguments in parts.items():
        manager.add_process(name, shlex.join(["exec", sys.executable, *arguments]), env=environment)
    manager.loop()
    # Ctrl-C and a polite stop are how a demo ends well.
    return 0 if manager.returncode in (130, 143) else manager.returncode


def _answers(url: str) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own address
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.1)
    return False
