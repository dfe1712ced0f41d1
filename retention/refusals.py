"""Every "no" as a stable code with parameters, worded only at the door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    """An operation's refusal. Subclasses live beside the operation that raises them.

    Attributes:
        code: stable, dotted by room: `incentives.code_expired`.
        sentence: the words, with `%(name)s` for each parameter.
        status: what the HTTP API answers with.
    """

    code: ClassVar[str] = "refused"
    sentence: ClassVar[Any] = _("That is not possible.")
    status: ClassVar[int] = 409
    by_code: ClassVar[dict[str, type[Refused]]] = {}

    def __init__(self, **params: Any) -> None:
        self.params = params
        super().__init__(self.code)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" in cls.__dict__:
            other = Refused.by_code.setdefault(cls.code, cls)
            if other is not cls and other.__qualname__ != cls.__qualname__:
                raise TypeError(f"two refusals say {cls.code!r}: {other!r} and {cls!r}")

    def __str__(self) -> str:
        return str(self.sentence) % self.params

    def as_refusal(self) -> Refusal:
        return Refusal(self.code, self.params)


@dataclass(frozen=True)
class Refusal:
    """A refusal as plain data, for answers that hold many of them; parameters are JSON values."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        refused = Refused.by_code.get(self.code)
        return str(refused.sentence) % self.params if refused else self.code
