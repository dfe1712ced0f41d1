"""The demo in a terminal: Ctrl-C leaves nothing running, a second start keeps the data, a kill is cleared away."""

import fcntl
import os
import pty
import select
import shutil
import signal
import socket
import struct
import sys
import tempfile
import termios
import time
import urllib.request
from pathlib import Path

import pytest

from retention.demoshop import stage

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
BANNER = b"Ctrl-C stops everything"


class Terminal:
    """`manage.py demo` in a terminal of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.output = b""
        self.started = time.monotonic()
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            # Whoever runs the tests in the background has Ctrl-C ignored, and an ignored signal is inherited.
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            # A new terminal has no width, and progress bars would not be drawn on it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, "manage.py", "demo"], environment)

    def read_until(self, text: bytes | None, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if text is not None and text in self.output:
                return
            if select.select([self.screen], [], [], 0.2)[0]:
                try:
                    part = os.read(self.screen, 65536)
                except OSError:
                    part = b""
                if not part:
                    break
                self.output += part
        if text is not None and text not in self.output:
            self.kill()
            raise AssertionError(f"No {text!r} in:\n" + self.output.decode(errors="replace")[-3000:])

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        os.write(self.screen, b"\x03")
        self.read_until(None, 60)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        self.kill()
        raise AssertionError("Ctrl-C was not heard:\n" + self.output.decode(errors="replace")[-3000:])

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@pytest.fixture(scope="module")
def environment():
    folder = Path(tempfile.mkdtemp(prefix="retention-demo-", dir="/var/tmp"))
    folder.chmod(0o711)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    named = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "EMAIL_URL", "DEBUG", "BASE_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in named}
    yield kept | {
        "DATA_FOLDER": str(folder),
        "PORT": str(port),
        "MEDIA_ROOT": str(folder / "media"),
        "STATIC_ROOT": str(folder / "static"),
    }
    stage.clear_leftovers(str(folder))
    wait_until_gone({"DATA_FOLDER": str(folder)})
    shutil.rmtree(folder)


def wait_until_gone(environment: dict[str, str]) -> list[str]:
    """What still runs on this data folder after a moment; nothing, if all is well."""
    deadline = time.monotonic() + 20
    while (left := processes_of(environment)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def processes_of(environment: dict[str, str]) -> list[str]:
    """Command lines of everything that runs on this data folder."""
    mark = f"DATA_FOLDER={environment['DATA_FOLDER']}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def answer(environment: dict[str, str]) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{environment['PORT']}/admin/login/", timeout=10) as page:
        return page.status


@pytest.mark.parametrize("after", [b"Preparing the database", b"Collecting styles", b"orders "])
def test_ctrl_c_while_it_prepares_leaves_nothing_running(environment, after):
    demo = Terminal(environment)
    demo.read_until(after, 600)
    assert demo.interrupt() == 130
    assert b"Traceback" not in demo.output
    assert b"Stopped." in demo.output
    assert wait_until_gone(environment) == []


def test_the_life_of_a_demo(environment):
    first = Terminal(environment)
    first.read_until(BANNER, 600)
    assert b"loaded already" not in first.output
    assert b"Running every due job once" in first.output
    assert answer(environment) == 200
    assert first.interrupt() == 0
    assert b"Your data are kept" in first.output
    assert b"SIGKILL" not in first.output
    assert wait_until_gone(environment) == []

    second = Terminal(environment)
    second.read_until(BANNER, 120)
    assert b"loaded already" in second.output
    assert b"Running every due job once" not in second.output
    assert answer(environment) == 200

    second.kill()
    assert processes_of(environment) != []
    third = Terminal(environment)
    third.read_until(BANNER, 120)
    assert b"that an earlier demo had left behind" in third.output
    assert answer(environment) == 200

    fourth = Terminal(environment)
    fourth.read_until(b"runs already", 60)
    fourth.read_until(None, 60)
    assert os.waitstatus_to_exitcode(os.waitpid(fourth.pid, 0)[1]) == 1

    assert third.interrupt() == 0
    assert b"SIGKILL" not in third.output
    assert wait_until_gone(environment) == []
