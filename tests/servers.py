"""Workers that test side by side have servers of their own.

What follows facts by their marks waits for every transaction of a server, so that two workers on one would wait for
each other. Loaded by `-p`, before Django reads its settings.
"""

import os

import pytest

from retention.embedded import joining
from retention.embedded.places import Place, data_folder

#: Named by pytest-xdist in its workers alone.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")


def _use_own_servers() -> None:
    state = Place.of("tests").read_state()
    shared = {server["url"] for server in state["servers"].values()} if state else set()
    if {os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")} != shared:
        raise pytest.UsageError("Workers side by side need the embedded servers; with servers of yours: WORKERS=0.")
    for name in ("DATABASE_URL", "REDIS_URL"):
        del os.environ[name]
    outside = os.environ.get("DATA_FOLDER")
    os.environ["DATA_FOLDER"] = str(data_folder() / "workers" / WORKER)
    try:
        joining.provide("tests", reads_env_file=False)
    finally:
        del os.environ["DATA_FOLDER"]
        if outside:
            os.environ["DATA_FOLDER"] = outside


# The first uses what `make test` brought.
if WORKER != "gw0":
    _use_own_servers()
