"""The mail server beside PostgreSQL and Valkey: what a demo sends is kept in `.data/outbox` and reaches nobody."""

import signal
import smtplib
import subprocess
import sys
import time

from retention.embedded.places import CHECKOUT, Place, Unavailable, outbox_folder
from retention.embedded.processes import START_SECONDS, command_line, free_port, is_alive, log_file, stop, tail


class Outbox:
    """SMTP on a loopback port; the messages are files."""

    key = "email_url"

    def __init__(self, place: Place, *, url: str | None = None) -> None:
        """`url` is where it was last: it returns there if it can."""
        self.place = place
        self.folder = outbox_folder()
        self.port = int(url.rpartition(":")[2]) if url else free_port()
        self.pid: int | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Raises:
        Unavailable: it does not come up; the text ends with its log.
        """
        for _attempt in range(2):
            with log_file(self.place, "outbox.log") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "retention.embedded.mail", str(self.port), str(self.folder)],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=CHECKOUT,
                )  # fmt: skip
            deadline = time.monotonic() + START_SECONDS
            while time.monotonic() < deadline and process.poll() is None:
                if self._answers():
                    self.pid = process.pid
                    return
                time.sleep(0.02)
            stop(process.pid, signal.SIGTERM)
            self.port = free_port()
        raise Unavailable(f"The mail server did not start:\n{tail(self.place.folder / 'outbox.log')}")

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

    def forget(self) -> None:
        """What was sent stays: it is nobody's trouble."""

    def _is_ours(self, pid: int) -> bool:
        return f"retention.embedded.mail {self.port} " in command_line(pid)

    def _answers(self) -> bool:
        try:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=2) as line:
                return line.noop()[0] == 250
        except OSError:
            return False
