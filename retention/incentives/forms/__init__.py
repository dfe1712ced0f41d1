"""What the console asks of a marketer: rules drawn from their classes, and a basket to try them on."""

from retention.incentives.forms.gifts import SHOWN_FOR, GiftFields, GiftForm
from retention.incentives.forms.parts import Editor, PartField, problems_of
from retention.incentives.forms.policy import POLICY, PolicyForm
from retention.incentives.forms.rule import RULE, RuleForm
from retention.incentives.forms.trying import TryForm, moment

__all__ = [
    "POLICY",
    "RULE",
    "SHOWN_FOR",
    "Editor",
    "GiftFields",
    "GiftForm",
    "PartField",
    "PolicyForm",
    "RuleForm",
    "TryForm",
    "moment",
    "problems_of",
]
