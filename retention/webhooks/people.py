"""How what was told of a person is forgotten, merged and exported."""

from typing import ClassVar

from retention.registries import PersonData, people


@people.register
class NoticeData(PersonData):
    """Public ids and amounts alone; who she is, is read when a notice is sent."""

    key = "webhooks.notice"
    model = "webhooks.Notice"
    columns: ClassVar = {"customer": "keep", "kind": "keep", "reference": "keep", "data": "keep", "replayed_by": "keep"}


@people.register
class AttemptData(PersonData):
    """The receiver may have answered with anything."""

    key = "webhooks.attempt"
    model = "webhooks.Attempt"
    owner = "notice__customer"
    columns: ClassVar = {"why": "keep", "answer": "blank", "by": "keep"}
