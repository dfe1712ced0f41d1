"""How complaints and what was given for them are forgotten, merged and exported."""

from typing import ClassVar

from retention.registries import PersonData, people


@people.register
class CaseData(PersonData):
    key = "support.case"
    model = "support.Case"
    #: The complaint stays for the counts of complaints; what was said in it goes.
    columns: ClassVar = {"customer": "keep", "words": "scrub", "source": "keep", "channel": "keep"}
