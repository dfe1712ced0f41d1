"""What one kind of event is: its name, when other programs are told of it, and what they are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise


@dataclass(frozen=True)
class EventKind:
    """What other programs can be told of: its name, when it is told, and what it says.

    Attributes:
        sample: the data as it is told, in shape; nothing in it names a person.
        has_customer: it is somebody's; otherwise the message says nobody.
    """

    label: str | Promise
    told: str | Promise
    sample: Mapping[str, Any]
    has_customer: bool = True
