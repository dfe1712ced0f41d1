"""Where the embedded servers of this checkout keep their data, and under which user they run."""

import hashlib
import json
import os
import pwd
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

CHECKOUT = Path(__file__).resolve().parent.parent.parent
#: Root may not run PostgreSQL, so root's servers run as this user of their own.
SERVER_USER = "retention-postgres"
#: `demo` keeps its data like a production server; `tests` trades durability for speed; `bench` is durable and apart.
PLACES = ("demo", "tests", "bench")
SOCKET_PATH_LIMIT = 100


class Unavailable(RuntimeError):
    """The embedded servers cannot run here; the text says why and what to do."""


def is_root() -> bool:
    return os.geteuid() == 0


def data_folder() -> Path:
    """The folder of this checkout's servers and keys; DATA_FOLDER names another.

    Root's server user must be able to reach it, which a private home would have to be opened for; so root's data lies
    under /var/lib (or /var/tmp), in a folder named for the checkout's path, and everyone else's in `.data/`.
    """
    named = os.environ.get("DATA_FOLDER")
    if named:
        return Path(named).resolve()
    if not is_root():
        return CHECKOUT / ".data"
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", CHECKOUT.name) or "checkout"
    own = f"{name}-{hashlib.sha256(os.fsencode(CHECKOUT)).hexdigest()[:10]}"
    parent = Path("/var/lib" if os.access("/var/lib", os.W_OK) else "/var/tmp")  # noqa: S108 - checked in `make_folder`
    return parent / "retention" / own


def outbox_folder() -> Path:
    """Where mail that leaves for nobody is kept: at hand, in the checkout."""
    return Path(os.environ.get("DATA_FOLDER") or CHECKOUT / ".data").resolve() / "outbox"


def make_folder(path: Path, mode: int) -> Path:
    """The folder, made if missing; one that belongs to somebody else is refused.

    Raises:
        Unavailable: it is a link or has another owner, so that its content cannot be trusted.
    """
    path.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise Unavailable(f"{path} does not belong to you; set DATA_FOLDER to a folder that does.")
    path.chmod(mode)
    return path


def make_data_folder() -> None:
    """The data folder with its rights; root's server user may pass through, nobody may list it."""
    if is_root() and not os.environ.get("DATA_FOLDER"):
        make_folder(data_folder().parent, 0o755)
    make_folder(data_folder(), 0o711 if is_root() else 0o700)


def open_lock(path: Path) -> TextIO:
    """A file to lock, which only its owner may open: a stranger's lock would hold everybody up."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")


@dataclass(frozen=True)
class Place:
    """The files of one pair of servers."""

    name: str
    folder: Path

    @classmethod
    def of(cls, name: str) -> "Place":
        if name not in PLACES:
            raise ValueError(f"{name!r} is not one of {', '.join(PLACES)}")
        return cls(name, data_folder() / name)

    @property
    def is_durable(self) -> bool:
        return self.name != "tests"

    @property
    def owner_lock(self) -> Path:
        return self.folder / "owner.lock"

    @property
    def users_lock(self) -> Path:
        return self.folder / "users.lock"

    @property
    def owner_log(self) -> Path:
        return self.folder / "owner.log"

    @property
    def state_file(self) -> Path:
        """What runs now: URLs and process ids. True while the owner that it names holds its lock."""
        return self.folder / "servers.json"

    def make(self) -> None:
        """Make the folder."""
        make_data_folder()
        make_folder(self.folder, 0o711 if is_root() else 0o700)

    def read_state(self) -> dict[str, Any] | None:
        """What the last owner wrote, whether it lives or not."""
        try:
            return json.loads(self.state_file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def write_state(self, state: dict[str, Any]) -> None:
        fresh = self.state_file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(state))
        fresh.replace(self.state_file)

    def socket_folder(self) -> Path:
        """A private folder for PostgreSQL's socket; a short one elsewhere where this path is too long for sockets."""
        folder = self.folder / "run"
        if len(os.fsencode(folder)) > SOCKET_PATH_LIMIT - len("/.s.PGSQL.5432"):
            digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:10]
            folder = Path(tempfile.gettempdir()) / f"retention-{os.geteuid()}-{digest}"
        return folder


def server_user() -> pwd.struct_passwd | None:
    """The user that PostgreSQL runs as, made if missing; None where that is simply ourselves.

    Raises:
        Unavailable: we are root and cannot make the user.
    """
    if not is_root():
        return None
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/bin/false"]
    try:
        subprocess.run([*command, SERVER_USER], check=True, capture_output=True, text=True)
        return pwd.getpwnam(SERVER_USER)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        raise Unavailable(
            f"PostgreSQL refuses to run as root, and the user {SERVER_USER} could not be made ({error}). "
            "Run this as an ordinary user, or set DATABASE_URL and REDIS_URL."
        ) from error
