"""The mail server beside PostgreSQL and Valkey: what a demo sends is kept in `.data/outbox` and reaches nobody."""

import smtplib
import subprocess
import sys

from retention.embedded.places import CHECKOUT, Place, Unavailable, outbox_folder
from retention.embedded.processes import Child, command_line, free_port, log_file, tail


class Outbox(Child):
    """SMTP on a loopback port; the messages are files."""

    key = "email_url"

    def __init__(self, place: Place, *, url: str | None = None) -> None:
        """`url` is where it was last: it returns there if it can."""
        self.place = place
        self.folder = outbox_folder()
        self.port = int(url.rpartition(":")[2]) if url else free_port()

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
            if self._comes_up(process):
                return
            self.port = free_port()
        raise Unavailable(f"The mail server did not start:\n{tail(self.place.folder / 'outbox.log')}")

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
