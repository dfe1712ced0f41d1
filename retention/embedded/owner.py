"""The one process that owns the servers of a place: starts or adopts them, keeps them up, stops them at the end."""

import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from typing import TextIO

from retention.embedded.outbox import Outbox
from retention.embedded.places import Place, Unavailable, open_lock
from retention.embedded.postgres import Postgres
from retention.embedded.valkey import Valkey

BEAT_SECONDS = 0.1
Server = Postgres | Valkey | Outbox


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
    known = (place.read_state() or {}).get("servers", {})
    # Mail is for the demo; tests and benchmarks bring servers that answer as they wish.
    kinds = (Postgres, Valkey, Outbox) if place.name == "demo" else (Postgres, Valkey)
    servers = [kind(place, url=known.get(kind.key, {}).get("url")) for kind in kinds]
    try:
        _bring_up(place, servers, known)
        _serve(place, servers)
    except Stopped:
        pass
    except Unavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        place.state_file.unlink(missing_ok=True)
        for server in reversed(servers):
            server.stop()
    return 0


def _bring_up(place: Place, servers: list[Server], known: dict[str, dict]) -> None:
    """Adopt what an owner that was killed left running; start what does not run; say where all are."""
    for server in servers:
        pid = known.get(server.key, {}).get("pid")
        if pid is not None:
            if server.adopt(pid):
                continue
            server.clear_away(pid)
        _start(place, server)
    state = {server.key: {"url": server.url, "pid": server.pid} for server in servers}
    place.write_state({"owner_pid": os.getpid(), "servers": state})


def _start(place: Place, server: Server) -> None:
    try:
        server.start()
    except Unavailable:
        if place.is_durable:
            raise
        # Without durability a power cut may have left rubbish; tests need none of it.
        server.forget()
        server.start()


def _serve(place: Place, servers: list[Server]) -> None:
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
            if not all(server.is_running() for server in servers):
                sys.stderr.write("A server died and is started again.\n")
                sys.stderr.flush()
                _bring_up(place, servers, (place.read_state() or {}).get("servers", {}))
            time.sleep(BEAT_SECONDS)


def _take(path: Path) -> TextIO | None:
    """The file, exclusively locked, or None. Those who only look whether it is held hold it for an instant."""
    file = open_lock(path)
    for _attempt in range(20):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            # Tells our state from one that an owner before us left.
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            return file
    file.close()
    return None


def _raise_stopped(_number, _frame) -> None:
    raise Stopped
