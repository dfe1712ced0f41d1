"""Reads settings from the environment and lists everything that is missing or wrong at once, not only the first."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

YES, NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


class Environment:
    """Every method reads one variable; `finish` raises with the whole list. Until then a bad value has a stand-in."""

    def __init__(self, env: environ.Env) -> None:
        self._env = env
        self._problems: list[str] = []

    def text(self, name: str, default: str, *, expect: Callable[[str], str | None] | None = None) -> str:
        """A text; `expect` says what is wrong with it, if anything."""
        value = self._env(name, default="") or default
        wrong = expect(value) if expect is not None else None
        if wrong:
            self._problems.append(f"{name} {wrong}")
        return value

    def required(self, name: str, why: str, *, expect: Callable[[str], str | None] | None = None) -> str:
        """A text that has no default; `why` says what it is for."""
        if not self._env(name, default=""):
            self._problems.append(f"{name} is missing: {why}")
            return ""
        return self.text(name, "", expect=expect)

    def flag(self, name: str, default: bool) -> bool:
        words = {
            "1": True,
            "true": True,
            "yes": True,
            "on": True,
            "0": False,
            "false": False,
            "no": False,
            "off": False,
        }
        value = self._env(name, default="").strip().lower()
        if value and value not in words:
            self._problems.append(f"{name} is neither 1 nor 0")
        return words.get(value, default)

    def number(self, name: str, default: int) -> int:
        value = self._env(name, default="").strip()
        if value and not value.isdecimal():
            self._problems.append(f"{name} is not a whole number")
            return default
        return int(value or default)

    def words(self, name: str, default: list[str]) -> list[str]:
        """Texts separated by commas."""
        value = self._env(name, default="")
        return [word.strip() for word in value.split(",") if word.strip()] or default

    def database(self, name: str, why: str) -> dict[str, Any]:
        """A PostgreSQL database as Django wants it."""
        url = self.required(name, why, expect=_is_postgres)
        return self._parsed(name, url, self._env.db_url_config) if url and not _is_postgres(url) else {}

    def email(self, name: str, default: str) -> dict[str, Any]:
        """Django's `EMAIL_…` settings."""
        return self._parsed(name, self.text(name, default), self._env.email_url_config)

    def finish(self) -> None:
        """Raises:
        ImproperlyConfigured: with every problem found, one a line.
        """
        if self._problems:
            listed = "\n".join(f"  - {problem}" for problem in self._problems)
            raise ImproperlyConfigured(f"The settings are not complete (see .env.example):\n{listed}")

    def _parsed(self, name: str, url: str, parse: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        # The parsers raise what they happen to meet; a half-read URL must not be used in any case.
        try:
            return dict(parse(url))
        except (ImproperlyConfigured, KeyError, ValueError, TypeError, AttributeError):
            self._problems.append(f"{name} is not a URL of a known kind")
            return {}


def _is_postgres(url: str) -> str | None:
    return None if urlsplit(url).scheme in ("postgres", "postgresql") else "does not begin with postgres://"


def is_redis(url: str) -> str | None:
    """What is wrong with the address of a broker and cache."""
    return None if urlsplit(url).scheme in ("redis", "rediss") else "does not begin with redis:// (nor rediss://)"


def is_web_address(url: str) -> str | None:
    """What is wrong with the address of an installation."""
    parts = urlsplit(url)
    return None if parts.scheme in ("http", "https") and parts.hostname else "is not like https://retention.example.com"


def is_log_level(name: str) -> str | None:
    """What is wrong with the name of a level."""
    return None if name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL") else "is not like INFO or WARNING"


def is_one_of(*names: str) -> Callable[[str], str | None]:
    """What is wrong with a word that must be one of these."""
    return lambda word: None if word in names else f"is none of {', '.join(filter(None, names))}"
