"""Key → class, strict: what every registry is. Which ones there are is in `registries`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Entry = TypeVar("Entry")


class UnknownKey(LookupError):
    """A stored or sent key that no class answers to: an error, never a quiet no."""


class DuplicateKey(ValueError):
    """Two classes with one key."""


class Registry(Generic[Entry]):
    """Classes of one kind by their `key`, filled by the modules found under `file_name` in every app."""

    def __init__(self, base: type, file_name: str) -> None:
        self.base = base
        self.file_name = file_name
        self._entries: dict[str, Entry] = {}

    def register(self, cls: Entry) -> Entry:
        """Class decorator.

        Raises:
            DuplicateKey: the key is taken.
            TypeError: the class is a stranger to this registry or has no key.
        """
        key = getattr(cls, "key", "")
        if not (isinstance(cls, type) and issubclass(cls, self.base)) or not key:
            raise TypeError(f"{cls!r} is not a keyed {self.base.__name__}")
        if key in self._entries:
            raise DuplicateKey(f"{self.base.__name__} {key!r} is there already: {self._entries[key]!r}")
        self._entries[key] = cls
        return cls

    def __getitem__(self, key: str) -> Entry:
        try:
            return self._entries[key]
        except KeyError:
            raise UnknownKey(f"no {self.base.__name__.lower()} {key!r}") from None

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def keys(self) -> Iterable[str]:
        return self._entries.keys()
