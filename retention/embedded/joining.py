"""How a process comes to servers: by its environment, or by joining the embedded ones."""

import fcntl
import os
import secrets
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import environ

from retention.embedded.places import (
    CHECKOUT,
    Place,
    Unavailable,
    data_folder,
    make_data_folder,
    open_lock,
    outbox_folder,
)
from retention.embedded.processes import tail

JOIN_SECONDS = 60
_held: dict[str, TextIO] = {}


@dataclass(frozen=True)
class Embedded:
    """Where the servers of a place are."""

    database_url: str
    redis_url: str
    #: A mail server that keeps what it gets; only the demo has one.
    email_url: str | None = None


def provide(place_name: str = "demo", *, is_complete: bool = False, reads_env_file: bool = True) -> None:
    """Complete this process's environment: what was named outside is honoured, what is missing comes from the place.

    A SECRET_KEY is provided beside an embedded database; an installation with a database of its own has to bring its
    key. `is_complete` (a demo, tests) provides key and mail folder beside any database.

    Raises:
        Unavailable: the embedded servers cannot run here.
    """
    if reads_env_file:
        environ.Env.read_env(CHECKOUT / ".env")
    is_embedded = not os.environ.get("DATABASE_URL")
    if os.environ.get("EMBEDDED_SERVERS") != "off" and (is_embedded or not os.environ.get("REDIS_URL")):
        servers = join(Place.of(place_name))
        for name, url in asdict(servers).items():
            if url and not os.environ.get(name.upper()):
                os.environ[name.upper()] = url
        is_complete = is_complete or is_embedded
    if is_complete and not os.environ.get("SECRET_KEY"):
        os.environ["SECRET_KEY"] = secret_key()
    if is_complete and not os.environ.get("EMAIL_URL"):
        os.environ["EMAIL_URL"] = f"filemail://{quote(str(outbox_folder()))}"


def join(place: Place) -> Embedded:
    """Use the servers of this place until this process ends, starting their owner if there is none.

    Raises:
        Unavailable: they do not come up.
    """
    place.make()
    if place.name not in _held:
        users = open_lock(place.users_lock)
        # Waits for an owner that is just stopping.
        fcntl.flock(users, fcntl.LOCK_SH)
        # A program that replaces this one (`python -m retention.embedded … COMMAND`) goes on holding it.
        os.set_inheritable(users.fileno(), True)
        _held[place.name] = users
    owner: subprocess.Popen | None = None
    deadline = time.monotonic() + JOIN_SECONDS
    while time.monotonic() < deadline:
        if _is_locked(place.owner_lock):
            state = place.read_state()
            if state is not None and place.owner_lock.read_text() == str(state["owner_pid"]):
                return Embedded(**{key: server["url"] for key, server in state["servers"].items()})
        elif owner is None:
            owner = _spawn_owner(place)
        elif owner.poll() is not None:
            if owner.returncode:
                raise Unavailable(f"The embedded servers did not start.\n{tail(place.owner_log)}")
            # It found another owner, which has gone since: begin again.
            owner = None
        time.sleep(0.02)
    raise Unavailable(f"The embedded servers did not start within {JOIN_SECONDS} s.\n{tail(place.owner_log)}")


def leave(place_name: str, *, wait_seconds: float = 0) -> bool:
    """Give up this process's use; with `wait_seconds`, wait for the servers to stop unless others use them.

    Returns whether they have stopped.
    """
    place = Place.of(place_name)
    users = _held.pop(place_name, None)
    if users is None:
        return not _is_locked(place.owner_lock)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        wait_seconds = 0
    users.close()
    deadline = time.monotonic() + wait_seconds
    while (is_running := _is_locked(place.owner_lock)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_running


def secret_key() -> str:
    """The key of this checkout's demo and tests, made once and kept beside their data."""
    make_data_folder()
    path = data_folder() / "secret_key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return path.read_text()


def replace_with(command: list[str]) -> None:
    """Become this command; it inherits the environment and the use of the servers."""
    os.execvp(command[0], command)  # noqa: S606 - the caller's own command line


def _spawn_owner(place: Place) -> subprocess.Popen:
    log = place.owner_log.open("wb")
    place.owner_log.chmod(0o600)
    with log:
        return subprocess.Popen(
            [sys.executable, "-m", "retention.embedded", "own", place.name],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=CHECKOUT, start_new_session=True,
        )  # fmt: skip


def _is_locked(path: Path) -> bool:
    with open_lock(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
