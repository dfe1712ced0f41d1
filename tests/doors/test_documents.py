"""A rule that is read by its own class, as the API's document describes it."""

import json

from loyalty.rules import ProgrammeRule
from referrals.references import FIELDS
from referrals.rules import SchemeRule
from retention.doors.documents import rule_of


def test_a_rule_is_described_whole_and_its_rows_by_their_ids():
    programme = rule_of(ProgrammeRule, ids=("rewards",)).json_schema
    parts = programme["properties"]
    kinds = {one["properties"]["kind"]["const"] for one in parts["earning"]["items"]["oneOf"]}
    assert kinds == {"per_amount", "per_unit", "per_order", "multiplied", "activity", "yearly"}
    step = parts["tiers"]["properties"]["steps"]["items"]
    assert step["properties"]["rewards"]["items"] == {"type": "string", "format": "uuid"}
    scheme = rule_of(SchemeRule, ids=FIELDS).json_schema["properties"]
    assert scheme["friend_incentive"]["anyOf"] == [{"type": "string", "format": "uuid"}, {"type": "null"}]
    assert scheme["levels"]["items"]["properties"]["incentive_id"] == {"type": "string", "format": "uuid"}
    # Nothing in it points to a place that only the class knows.
    assert "$defs" not in json.dumps([programme, scheme])
    assert "$ref" not in json.dumps([programme, scheme])
