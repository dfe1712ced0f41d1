"""The demo's parts stop together: each in its own time, none for ever, whenever Ctrl-C is pressed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_SERVE = """
import sys
from retention.demoshop import stage
stage.READY_SECONDS, stage.STOP_SECONDS = 0, {patience}
sys.exit(stage.serve({parts!r}, url="http://127.0.0.1:9/", mark="test", banner=""))
"""
#: A part whose child is at work: asked to stop, it lets the child finish.
_AT_WORK = """
import os, signal, sys, time
child = os.fork()
if child == 0:
    time.sleep(1.5)
    print("child finished", flush=True)
    os._exit(0)
def finish(*_):
    os.waitpid(child, 0)
    print("leader finished", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, finish)
print("at work", flush=True)
while True:
    time.sleep(1)
"""
_DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf to", {name!r}, flush=True)
time.sleep(60)
"""
_PLAIN = "import time; print('plain', flush=True); time.sleep(600)"


class Stage:
    """`serve` with these parts in a process group of its own, as in a terminal."""

    def __init__(self, patience: float = 8, **parts: str) -> None:
        source = _SERVE.format(patience=patience, parts={name: ["-c", code] for name, code in parts.items()})
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "retention.settings"}
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", source], cwd=ROOT, env=environment, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.output = ""

    def read_until(self, *wanted: str) -> None:
        while not all(text in self.output for text in wanted):
            line = self.process.stdout.readline()
            assert line, self.output
            self.output += line

    def interrupt(self) -> int:
        """Ctrl-C reaches the whole group, as a terminal sends it; the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.output += self.process.stdout.read()
        return self.process.wait()


def test_a_part_may_finish_what_its_child_is_at():
    stage = Stage(one=_AT_WORK, two=_PLAIN)
    stage.read_until("at work", "plain")
    assert stage.interrupt() == 0
    assert stage.output.index("child finished") < stage.output.index("leader finished")
    assert "SIGKILL" not in stage.output


def test_a_part_that_does_not_listen_is_stopped_by_force():
    stage = Stage(patience=0.5, **{name: _DEAF.format(name=name) for name in ("one", "two")})
    stage.read_until("deaf to one", "deaf to two")
    assert stage.interrupt() == 0
    assert "sending SIGKILL to one" in stage.output
    assert "sending SIGKILL to two" in stage.output


def test_ctrl_c_in_the_first_moment_stops_them_as_well():
    for moment in (0.0, 0.02, 0.05, 0.1):
        stage = Stage(one=_PLAIN, two=_PLAIN, three=_PLAIN, four=_PLAIN)
        # The fork of the first watcher shows that starting has begun.
        children = Path(f"/proc/{stage.process.pid}/task/{stage.process.pid}/children")
        while not children.read_text().split():
            assert stage.process.poll() is None
        time.sleep(moment)
        assert stage.interrupt() == 0
        assert "Traceback" not in stage.output
        assert stage.output.count("stopped (rc=") == 4


def test_a_part_that_ends_by_itself_ends_all():
    stage = Stage(one=_PLAIN, two="raise SystemExit(3)")
    assert stage.process.wait() == 3
