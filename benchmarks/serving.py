"""The product's own server with the bare endpoints beside its pages, and many connections that press it."""

import contextlib
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

_LUA = """
local at = tonumber(os.getenv("AT"))
function request()
    at = at + 1
    return wrk.format("POST", [[%(path)s]], {["Content-Type"] = "application/json",
                      ["Authorization"] = [[Bearer %(secret)s]]}, [[%(start)s]] .. at .. [[%(finish)s]])
end
"""


@contextlib.contextmanager
def server(url: str) -> Iterator[int]:
    """Serve this database by granian with two workers of four threads; yields the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4"),
        *("--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--log-level", "error"),
        "retention.wsgi:application",
    ]
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "benchmarks.bare",
        "API_REQUESTS_A_MINUTE": "100000000",
        "DEBUG": "0",
    }
    process = subprocess.Popen(command, env=environment)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(port: int) -> None:
    for _try in range(200):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def press(port: int, path: str, *, secret: str, body: str, at: int, connections: int, seconds: float) -> int:
    """Post to a path from kept connections, `|` of the body being a number that grows from `at`; how many were sent.

    By wrk where it is installed, else by threads.
    """
    if shutil.which("wrk") is None:
        return _by_threads(port, path, secret=secret, body=body, at=at, connections=connections, seconds=seconds)
    start, finish = body.split("|")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_LUA % {"path": path, "secret": secret, "start": start, "finish": finish})
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name, f"http://127.0.0.1:{port}"]
        environment = {**os.environ, "AT": str(at)}
        report = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in report:
        raise SystemExit(report)
    return int(re.search(r"(\d+) requests in", report)[1])


def _by_threads(port: int, path: str, *, secret: str, body: str, at: int, connections: int, seconds: float) -> int:
    sent, lock, until = [0], threading.Lock(), time.perf_counter() + seconds
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}

    def one() -> None:
        kept = http.client.HTTPConnection("127.0.0.1", port)
        while time.perf_counter() < until:
            with lock:
                sent[0] += 1
                number = at + sent[0]
            kept.request("POST", path, body.replace("|", str(number)), headers)
            kept.getresponse().read()

    threads = [threading.Thread(target=one) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sent[0]
