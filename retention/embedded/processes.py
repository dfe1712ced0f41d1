"""What both servers need of the operating system: recognise a process, stop it, find a package, keep a log."""

import importlib.util
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import BinaryIO

from retention.embedded.places import Place, Unavailable

START_SECONDS = 30
STOP_SECONDS = 30
LOG_LIMIT = 10 * 2**20


def command_line(pid: int) -> str:
    """The command line of a process; empty if there is no such process (or it is only waited for)."""
    proc = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def is_alive(pid: int) -> bool:
    """Whether the process runs; buries it if it is a dead child of ours."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    return command_line(pid) != ""


def stop(pid: int, *signals: signal.Signals) -> None:
    """Send each signal in turn until the process is gone; the last resort is KILL."""
    for number in (*signals, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if not is_alive(pid):
                return
            time.sleep(0.02)


class Child:
    """A server of ours that is one process: it is known by its command line, and up once it answers."""

    pid: int | None = None

    def is_running(self) -> bool:
        return self.pid is not None and is_alive(self.pid)

    def adopt(self, pid: int) -> bool:
        """Take over the server with this process id, if it is ours and answers."""
        self.pid = pid if self._is_ours(pid) and self._answers() else None
        return self.pid is not None

    def clear_away(self, pid: int) -> None:
        """Stop what an earlier owner left running under this process id, if it is still that."""
        if self._is_ours(pid):
            stop(pid, signal.SIGTERM)

    def stop(self) -> None:
        if self.pid is not None:
            stop(self.pid, signal.SIGTERM)
            self.pid = None

    def _comes_up(self, process: subprocess.Popen) -> bool:
        """Wait until it answers; what does not is stopped."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if self._answers():
                self.pid = process.pid
                return True
            time.sleep(0.02)
        stop(process.pid, signal.SIGTERM)
        return False

    def _is_ours(self, pid: int) -> bool:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError


def package_folder(package: str) -> Path:
    """Where a package lies, without importing it.

    Raises:
        Unavailable: it is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            f"The package {package} is not installed. Set DATABASE_URL and REDIS_URL, or run `make demo`."
        )
    return Path(spec.submodule_search_locations[0])


def log_file(place: Place, name: str) -> BinaryIO:
    """The place's log of this name, to be written on; begun anew when it has grown large."""
    path = place.folder / name
    is_large = path.exists() and path.stat().st_size > LOG_LIMIT
    file = path.open("wb" if is_large else "ab")
    path.chmod(0o600)
    return file


def tail(path: Path, lines: int = 15) -> str:
    if not path.exists():
        return "(no log)"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def free_port() -> int:
    """A TCP port on loopback on which nobody listens at present."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
