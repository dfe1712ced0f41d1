"""The one process that owns a pair of servers: starts or adopts them, keeps them up, stops them after the last user."""

import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from typing import TextIO

from retention.embedded.places import Place, Unavailable, open_lock
from retention.embedded.postgres import Postgres
from retention.embedded.valkey import Valkey

BEAT_SECONDS = 0.1


class Stopped(Exception):
    """Somebody asked the owner to stop."""


def own(place: Place) -> int:
    """Own the servers of this place until nobody uses them; the exit code of the process."""
    place.make()
    # Held until the process ends, in whatever way; whoever comes second has nothing to do.
    lock = _take(place.owner_lock)
    if lock is None:
        return 0
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _raise_stopped)
    state = place.read_state() or {}
    postgres, valkey = Postgres(place), Valkey(place, url=state.get("redis_url"))
    try:
        _bring_up(place, postgres, valkey, state)
        _serve(place, postgres, valkey)
    except Stopped:
        pass
    except Unavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        place.state_file.unlink(missing_ok=True)
        valkey.stop()
        postgres.stop()
    return 0


def _bring_up(place: Place, postgres: Postgres, valkey: Valkey, state: dict) -> None:
    """Adopt what an owner that was killed left running; start what does not run; say where both are."""
    if not (state and postgres.adopt(state["postgres_pid"])):
        _start(place, postgres)
    if not (state and valkey.adopt(state["valkey_pid"])):
        if state:
            valkey.clear_away(state["valkey_pid"])
        _start(place, valkey)
    place.write_state(
        {
            "database_url": postgres.url,
            "redis_url": valkey.url,
            "owner_pid": os.getpid(),
            "postgres_pid": postgres.pid,
            "valkey_pid": valkey.pid,
        }
    )


def _start(place: Place, server: Postgres | Valkey) -> None:
    try:
        server.start()
    except Unavailable:
        if place.is_durable:
            raise
        # Without durability a power cut may have left rubbish; tests need none of it.
        server.forget()
        server.start()


def _serve(place: Place, postgres: Postgres, valkey: Valkey) -> None:
    """Wait for the last user to go; meanwhile restart a server that dies."""
    with open_lock(place.users_lock) as users:
        while True:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                # Nobody can join while we hold it: newcomers wait here until the servers are down.
                raise Stopped
            if not (postgres.is_running() and valkey.is_running()):
                sys.stderr.write("A server died and is started again.\n")
                _bring_up(place, postgres, valkey, place.read_state() or {})
            time.sleep(BEAT_SECONDS)


def _take(path: Path) -> TextIO | None:
    """The file, exclusively locked, or None. Those who only look whether it is held hold it for an instant."""
    file = open_lock(path)
    for _attempt in range(20):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            time.sleep(0.02)
    file.close()
    return None


def _raise_stopped(_number, _frame) -> None:
    raise Stopped
