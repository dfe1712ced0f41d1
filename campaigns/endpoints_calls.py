"""Another system says that customers' moments have come."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from campaigns.calls.operations import MOST, call
from retention import clock
from retention.doors.endpoints import Router

router = Router("Campaigns")

Word = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[-a-zA-Z0-9_]+$")]
#: What begins with an underscore is the house's own.
Key = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[a-zA-Z][a-zA-Z0-9_]*$")]
Source = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class CallIn(Schema):
    model_config = ConfigDict(extra="forbid")

    name: Word = Field(description="What campaigns listen to, such as table-booked.")
    customers: Annotated[list[uuid.UUID], Field(min_length=1, max_length=MOST, description="Their ids.")]
    source: Source = Field(description="Your own key of this moment: the same one calls a customer once.")
    about: dict[Key, str | int | float | bool | None] = Field(
        default={}, max_length=20, description="What messages may say of it: `{{ occasion.… }}`."
    )
    at: AwareDatetime | None = Field(default=None, description="When it came; now, if it is not said.")


class CalledOut(Schema):
    called: int = Field(description="Customers called now.")
    repeated: int = Field(description="Customers called before with the same source.")


@router.post("calls/", scope="campaigns:call", response=CalledOut)
def call_customers(request: HttpRequest, body: CallIn) -> Any:
    """The moment of these customers has come: every live campaign that listens to the name touches them once."""
    now = clock.now()
    return call(
        name=body.name, customers=body.customers, source=body.source, about=body.about, at=min(body.at or now, now)
    )  # fmt: skip
