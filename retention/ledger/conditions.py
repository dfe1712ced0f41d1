"""What segments may ask of balances."""

from __future__ import annotations

from django import forms
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from retention.ledger.models import Account, Unit
from retention.ledger.versions import rule_of
from retention.registries import Condition, conditions
from retention.segments import phrases
from retention.segments.arguments import Measure, bounds
from retention.segments.expressions import any_of


class BalanceForm(Measure):
    unit = forms.ModelChoiceField(
        label=_("of the unit"),
        queryset=Unit.objects.order_by("key"),
        to_field_name="key",
        error_messages={"invalid_choice": _("There is no such unit.")},
    )


@conditions.register
class BalanceOf(Condition):
    """Of what her account holds, pending and held parts included; without an account it is 0."""

    key = "balance"
    label = _("Balance of points or credit")
    group = _("Value")
    form_class = BalanceForm

    @classmethod
    def q(cls, args, *, now):
        parts = 10 ** args["unit"].digits
        low, high = (None if bound is None else round(bound * parts) for bound in bounds(args))
        below = Q() if low is None else Q(balance__lt=low)
        above = Q() if high is None else Q(balance__gt=high)
        hers = Account.objects.filter(unit=args["unit"])
        if (low is None or low <= 0) and (high is None or high >= 0):
            return ~any_of(hers.filter(below | above))
        inside = {"balance__gte": low, "balance__lte": high}
        return any_of(hers.filter(**{name: bound for name, bound in inside.items() if bound is not None}))

    @classmethod
    def sentence(cls, args):
        rule = rule_of(args["unit"])
        much = phrases.ranged(args, lambda number: rule.show(round(number * 10**rule.digits)))
        if args["unit"].kind == Unit.Kind.POINTS:
            return gettext("has %(much)s") % {"much": much}
        return gettext("has %(much)s of %(unit)s") % {"much": much, "unit": args["unit"].name}
