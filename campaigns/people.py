"""How touches and calls are forgotten, merged and exported."""

from typing import ClassVar

from retention.registries import PersonData, people


@people.register
class TouchData(PersonData):
    key = "campaigns.touch"
    model = "campaigns.Touch"
    #: That she was touched stays for the counts; it holds no word about her.
    columns: ClassVar = {"customer": "keep", "occasion": "keep", "reason": "keep", "variant": "keep", "about": "keep"}


@people.register
class CallData(PersonData):
    key = "campaigns.call"
    model = "campaigns.Call"
    columns: ClassVar = {"customer": "keep", "name": "keep", "source": "keep", "about": "blank"}
