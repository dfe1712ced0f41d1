"""Who acts: a member of staff, an API key, or a job."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """Passed as `by` to every operation.

    Attributes:
        name: `staff:5`, `key:shop`, `job:birthdays` or `command:demo`; no personal text.
        staff_id: the member of staff, where it is one.
    """

    name: str
    staff_id: int | None = None

    @classmethod
    def staff(cls, user) -> Actor:
        return cls(f"staff:{user.pk}", user.pk)

    @classmethod
    def key(cls, name: str) -> Actor:
        return cls(f"key:{name}")

    @classmethod
    def job(cls, key: str) -> Actor:
        return cls(f"job:{key}")

    @classmethod
    def command(cls, name: str) -> Actor:
        return cls(f"command:{name}")
