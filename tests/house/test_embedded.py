"""The embedded servers: one owner, many users, nothing left behind, and every kind of crash survived."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from retention.embedded import joining, places, processes

ROOT = Path(__file__).resolve().parents[2]
PLACE = "tests"


class Checkout:
    """The servers of one data folder, used by other processes as people would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = folder / PLACE
        self.users: list[subprocess.Popen] = []

    def environment(self) -> dict[str, str]:
        named = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "EMAIL_URL"}
        return {name: value for name, value in os.environ.items() if name not in named} | {
            "DATA_FOLDER": str(self.folder)
        }

    def join(self) -> tuple[subprocess.Popen, dict[str, str]]:
        """A process that uses the servers until its input ends, and the environment that it got."""
        says = "import json, os, sys; print(json.dumps(dict(os.environ)), flush=True); sys.stdin.read()"
        user = subprocess.Popen(
            [sys.executable, "-m", "retention.embedded", PLACE, sys.executable, "-c", says],
            cwd=ROOT, env=self.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.users.append(user)
        return user, json.loads(user.stdout.readline())

    @staticmethod
    def leave(user: subprocess.Popen) -> None:
        user.communicate(timeout=30)

    def state(self) -> dict:
        return json.loads((self.place / "servers.json").read_text())

    def pids(self) -> list[int]:
        state = self.state()
        return [state["owner_pid"], *(server["pid"] for server in state["servers"].values())]

    def wait_until_stopped(self, pids: list[int]) -> None:
        wait_for(lambda: not any(processes.command_line(pid) for pid in pids))

    def end(self) -> None:
        for user in self.users:
            user.kill()
            user.communicate()
        wait_for(lambda: not joining._is_locked(self.place / "owner.lock"))


def wait_for(happened, seconds=30):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def checkout():
    # Not pytest's own folder: as root, PostgreSQL's user could not reach it.
    folder = Path(tempfile.mkdtemp(prefix="retention-embedded-", dir="/var/tmp"))
    folder.chmod(0o711)
    servers = Checkout(folder)
    yield servers
    servers.end()
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def nobody_there(request):
    yield
    if "checkout" in request.fixturenames:
        request.getfixturevalue("checkout").end()


def query(url: str, statement: str):
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def test_the_second_joins_the_first_and_the_last_turns_off_the_light(checkout):
    first, seen_by_first = checkout.join()
    pids = checkout.pids()
    second, seen_by_second = checkout.join()
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        assert seen_by_first[name] == seen_by_second[name]
    assert query(seen_by_first["DATABASE_URL"], "SHOW server_version_num").startswith("18")
    checkout.leave(first)
    assert query(seen_by_second["DATABASE_URL"], "SELECT 1") == 1
    assert checkout.pids() == pids
    checkout.leave(second)
    checkout.wait_until_stopped(pids)
    assert not (checkout.place / "servers.json").exists()


def test_data_are_kept_and_found_again(checkout):
    first, seen = checkout.join()
    query(seen["DATABASE_URL"], "CREATE TABLE kept AS SELECT 42 AS answer")
    pids = checkout.pids()
    checkout.leave(first)
    checkout.wait_until_stopped(pids)
    _second, seen = checkout.join()
    assert query(seen["DATABASE_URL"], "SELECT answer FROM kept") == 42
    query(seen["DATABASE_URL"], "DROP TABLE kept")


def test_a_user_killed_outright_has_left(checkout):
    user, _seen = checkout.join()
    pids = checkout.pids()
    user.kill()
    checkout.wait_until_stopped(pids)


def test_servers_of_a_killed_owner_are_adopted_and_nobody_notices(checkout):
    first, seen = checkout.join()
    owner, *servers = checkout.pids()
    os.kill(owner, signal.SIGKILL)
    wait_for(lambda: not processes.command_line(owner))
    second, seen_by_second = checkout.join()
    assert [seen_by_second[name] for name in ("DATABASE_URL", "REDIS_URL")] == [
        seen[name] for name in ("DATABASE_URL", "REDIS_URL")
    ]
    assert checkout.pids()[1:] == servers
    assert checkout.pids()[0] != owner
    checkout.leave(first)
    checkout.leave(second)
    checkout.wait_until_stopped(servers)


def test_after_everything_was_killed_it_starts_again_with_its_data(checkout):
    user, seen = checkout.join()
    query(seen["DATABASE_URL"], "CREATE TABLE survived AS SELECT 7 AS number")
    # Tests run without durability: what must survive a kill has to be written out first.
    query(seen["DATABASE_URL"], "CHECKPOINT")
    pids = checkout.pids()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    user.kill()
    wait_for(lambda: not any(processes.command_line(pid) for pid in pids))
    _user, seen = checkout.join()
    assert query(seen["DATABASE_URL"], "SELECT number FROM survived") == 7
    query(seen["DATABASE_URL"], "DROP TABLE survived")


def test_a_stale_pid_file_with_the_number_of_a_stranger_is_no_obstacle_and_no_target(checkout):
    user, _seen = checkout.join()
    pids = checkout.pids()
    checkout.leave(user)
    checkout.wait_until_stopped(pids)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        (checkout.place / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n{checkout.place}/postgres\n")
        (checkout.place / "servers.json").write_text(
            json.dumps(
                {
                    "owner_pid": stranger.pid,
                    "servers": {
                        "database_url": {"url": "postgres:///gone", "pid": stranger.pid},
                        "redis_url": {"url": "redis://:old@127.0.0.1:6/0", "pid": stranger.pid},
                    },
                }
            )
        )
        _user, seen = checkout.join()
        assert query(seen["DATABASE_URL"], "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_that_dies_comes_back_where_it_was(checkout):
    _user, seen = checkout.join()
    owner, *servers = checkout.pids()
    for pid in servers:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not set(checkout.pids()) & set(servers))
    assert checkout.pids()[0] == owner
    assert query(seen["DATABASE_URL"], "SELECT 1") == 1
    assert checkout.state()["servers"]["redis_url"]["url"] == seen["REDIS_URL"]


def test_an_interrupt_in_the_terminal_does_not_reach_the_servers(checkout):
    user, seen = checkout.join()
    owner = checkout.pids()[0]
    assert os.getsid(owner) != os.getsid(user.pid)
    assert query(seen["DATABASE_URL"], "SELECT 1") == 1


def test_the_socket_and_the_keys_are_private(checkout):
    _user, seen = checkout.join()
    assert (checkout.place / "run").stat().st_mode & 0o077 == 0
    for name in ("servers.json", "owner.lock", "users.lock", "postgres.log"):
        assert (checkout.place / name).stat().st_mode & 0o077 == 0, name
    assert (checkout.folder / "secret_key").stat().st_mode & 0o077 == 0
    assert len(seen["SECRET_KEY"]) >= 50
    assert query(seen["DATABASE_URL"], "SHOW listen_addresses") == ""


def test_what_was_named_outside_is_honoured_and_nothing_is_started(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_FOLDER", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere/else")
    monkeypatch.setenv("REDIS_URL", "redis://somewhere/0")
    monkeypatch.delenv("SECRET_KEY")
    joining.provide(reads_env_file=False)
    assert os.environ["DATABASE_URL"] == "postgres://somewhere/else"
    # An installation with a database of its own has to bring its key.
    assert "SECRET_KEY" not in os.environ
    assert not (tmp_path / "data").exists()


def test_two_checkouts_never_share_a_folder(monkeypatch):
    monkeypatch.delenv("DATA_FOLDER", raising=False)
    folders = set()
    for is_root in (True, False):
        monkeypatch.setattr(places, "is_root", lambda is_root=is_root: is_root)
        for path in ("/srv/one/retention", "/srv/two/retention"):
            monkeypatch.setattr(places, "CHECKOUT", Path(path))
            folders.add(places.data_folder())
    assert len(folders) == 4


def test_a_path_too_long_for_a_socket_gets_a_short_one(tmp_path):
    deep = tmp_path / ("long" * 30)
    assert places.Place("tests", tmp_path).socket_folder() != places.Place("tests", deep).socket_folder()
    assert len(str(places.Place("tests", deep).socket_folder())) < places.SOCKET_PATH_LIMIT


def test_a_folder_of_somebody_else_is_not_trusted(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(places.Unavailable, match="does not belong to you"):
        places.make_folder(tmp_path / "link", 0o700)
