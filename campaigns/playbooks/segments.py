"""Segments that playbooks need beside those every shop has: made with the first draft that names them."""

from django.utils.translation import gettext_lazy as _

_CONSENT = {"key": "consent", "args": {"channel": "email", "purpose": "marketing", "state": "given"}}
_SMS = {"key": "consent", "args": {"channel": "sms", "purpose": "marketing", "state": "given"}}

#: key → (name, what it is for, rule), as `retention.segments.seeds.READY` has them.
READY = {
    "sms-consent": (
        _("Everyone with SMS consent"),
        _("May be written to by SMS."),
        {"all": [_SMS]},
    ),
    "loyalty-members": (
        _("Members of a programme"),
        _("Joined a loyalty programme and did not leave it."),
        {"all": [{"key": "loyalty_member", "args": {"programme": "", "window": "ever"}}]},
    ),
    "earlier-season-buyers": (
        _("Earlier season's buyers"),
        _("Bought more than 300 days ago, and not for 60 days: remind them when the season comes round."),
        {
            "all": [
                _CONSENT,
                {"key": "order_count", "args": {"operator": "at_least", "number": 1, "window": "before", "days": 300}},
                {"key": "no_order", "args": {"days": 60, "never": "leave_out"}},
            ]
        },
    ),
}
