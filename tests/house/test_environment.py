"""Settings by environment: complete or refused with the whole list."""

import os
import subprocess
import sys
from pathlib import Path

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from retention.environment import Environment, is_log_level, is_redis, is_web_address

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def reading(monkeypatch):
    """Reads an environment of just these variables."""

    def read(**variables) -> Environment:
        env = environ.Env()
        env.ENVIRON = variables
        return Environment(env)

    return read


def problems(env: Environment) -> list[str]:
    with pytest.raises(ImproperlyConfigured) as refused:
        env.finish()
    return [line.removeprefix("  - ") for line in str(refused.value).splitlines()[1:]]


def test_good_values_are_read(reading):
    env = reading(A="text", F="yes", N="7", W="a, b,", D="postgres://u:p@host:1/name", M="smtp://mail.example.com:25")
    assert (env.required("A", "why"), env.flag("F", False), env.number("N", 1)) == ("text", True, 7)
    assert env.words("W", []) == ["a", "b"]
    assert env.database("D", "why")["NAME"] == "name"
    assert env.email("M", "consolemail://")["EMAIL_HOST"] == "mail.example.com"
    env.finish()


def test_defaults_stand_in_for_what_is_unset_or_empty(reading):
    env = reading(T="", F="", N="", W="")
    assert (env.text("T", "x"), env.flag("F", True), env.number("N", 3), env.words("W", ["w"])) == ("x", True, 3, ["w"])
    env.finish()


def test_a_socket_in_a_folder_with_blanks_is_a_database(reading):
    database = reading(D="postgres://postgres@/shop?host=/var/a%20folder/run").database("D", "why")
    assert (database["NAME"], database["USER"]) == ("shop", "postgres")
    assert database["OPTIONS"]["host"] == "/var/a folder/run"


def test_everything_wrong_is_listed_at_once(reading):
    env = reading(F="maybe", N="-1", D="mysql://host/name", R="http://host", B="shop.example.com", L="loud", M="x://y")
    env.required("S", "signs sessions")
    env.flag("F", False)
    env.number("N", 1)
    env.database("D", "the database")
    env.required("R", "the broker", expect=is_redis)
    env.text("B", "", expect=is_web_address)
    env.text("L", "INFO", expect=is_log_level)
    env.email("M", "consolemail://")
    assert problems(env) == [
        "S is missing: signs sessions",
        "F is neither 1 nor 0",
        "N is not a whole number",
        "D does not begin with postgres://",
        "R does not begin with redis:// (nor rediss://)",
        "B is not like https://retention.example.com",
        "L is not like INFO or WARNING",
        "M is not a URL of a known kind",
    ]


def test_a_start_without_settings_lists_what_is_missing_and_no_traceback():
    bare = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT, env=bare | {"EMBEDDED_SERVERS": "off", "LOG_LEVEL": "loud"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "LOG_LEVEL"):
        assert f"  - {name} " in done.stderr
