"""The words that a newcomer types: they exist, the README names them, and CI runs the same."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def make(*arguments: str) -> str:
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_make_alone_lists_what_there_is():
    listed = make()
    for word in ("demo", "test", "check", "bench", "faults", "lock", "clean"):
        assert re.search(rf"make {word}\b", listed), word


@pytest.mark.parametrize("word", ["demo", "test", "check", "bench"])
def test_the_readme_names_the_word(word):
    assert f"make {word}" in (ROOT / "README.md").read_text()


def test_ci_runs_the_tests_as_the_readme_says_and_last():
    lines = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[-1] == "REQUIRE_BROWSER=1 exec make test"
    assert "make check" in lines
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_the_host_and_the_port_reach_the_demo():
    plan = make("--dry-run", "demo", "HOST=0.0.0.0")
    assert "manage.py demo --host 0.0.0.0" in plan
    assert "--require-hashes" in plan
