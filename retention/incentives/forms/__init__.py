"""What the console asks of a marketer: a whole rule, drawn from its classes, and a basket to try it on."""

from retention.incentives.forms.rule import RuleForm, RuleWidget, builder_context, problems_of
from retention.incentives.forms.trying import TryForm, moment

__all__ = ["RuleForm", "RuleWidget", "TryForm", "builder_context", "moment", "problems_of"]
