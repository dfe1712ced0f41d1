"""Conditions over what she agreed to receive."""

from __future__ import annotations

import datetime as dt
import re

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import F, OuterRef, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from retention.customers.models import Consent, ConsentState
from retention.customers.models.people import Channel
from retention.customers.querysets import holding
from retention.registries import Condition, conditions
from retention.segments import phrases
from retention.segments.arguments import Arguments, When, within
from retention.segments.expressions import SameText, any_of

GROUP = _("Consent")
#: The customer's column that a channel's consent must have been given for.
ADDRESSES = {Channel.EMAIL: "email_normal", Channel.SMS: "phone"}


def check_purpose(purpose: str) -> None:
    if purpose not in ("marketing", "transactional") and not re.fullmatch(r"topic:\S{1,54}", purpose):
        raise ValidationError(_("A purpose is marketing, transactional or topic:name."), code="not_a_purpose")


class PurposeForm(Arguments):
    channel = forms.ChoiceField(label=_("channel"), choices=Channel.choices, initial=Channel.EMAIL)
    purpose = forms.CharField(
        label=_("purpose"),
        max_length=60,
        initial="marketing",
        validators=[check_purpose],
        help_text=_("marketing, transactional, or a topic such as topic:jazz"),
    )


class ConsentForm(PurposeForm):
    state = forms.ChoiceField(
        label=_("she"),
        choices=[
            ("given", _("has given consent")),
            ("withdrawn", _("has withdrawn it")),
            ("expired", _("gave it for a time that is over")),
            ("asked", _("was asked to confirm it and has not answered")),
            ("not_asked", _("was never asked")),
        ],
        initial="given",
    )
    field_order = ["state"]


def given(channel: str, purpose: str, now: dt.datetime) -> Q:
    """As the sender asks it: a yes for the address she has now."""
    states = ConsentState.objects.filter(holding(now), channel=channel, purpose=purpose)
    if channel in ADDRESSES:
        states = states.filter(SameText(F("address"), OuterRef(ADDRESSES[channel])))
    return any_of(states)


@conditions.register
class ConsentIs(Condition):
    """Given is a yes for her present address. A yes for a former address is none of these: nobody asked for this one.

    What ends by itself is a new fact within a minute, so the answer need not be asked for again and again.
    """

    key = "consent"
    label = _("Consent")
    group = GROUP
    form_class = ConsentForm

    @classmethod
    def q(cls, args, *, now):
        channel, purpose, state = args["channel"], args["purpose"], args["state"]
        yes = given(channel, purpose, now)
        if state == "given":
            return yes
        states = ConsentState.objects.filter(channel=channel, purpose=purpose)
        if state == "withdrawn":
            return any_of(states.filter(is_given=False, expires_at=None))
        if state == "expired":
            return any_of(states.filter(expires_at__lte=now))
        answered = yes | any_of(states.filter(Q(is_given=False) | Q(expires_at__lte=now)))
        asked = any_of(Consent.objects.filter(channel=channel, purpose=purpose, event=Consent.Event.ASKED))
        return ~answered & asked if state == "asked" else ~answered & ~asked

    @classmethod
    def sentence(cls, args):
        pattern = {
            "given": gettext("has given consent to %(purpose)s by %(channel)s"),
            "withdrawn": gettext("has withdrawn consent to %(purpose)s by %(channel)s"),
            "expired": gettext("gave consent to %(purpose)s by %(channel)s for a time that is over"),
            "asked": gettext("was asked to confirm consent to %(purpose)s by %(channel)s and has not answered"),
            "not_asked": gettext("was never asked for consent to %(purpose)s by %(channel)s"),
        }[args["state"]]
        return pattern % {"purpose": args["purpose"], "channel": Channel(args["channel"]).label}


class ConsentEventForm(PurposeForm, When):
    event = forms.ChoiceField(
        label=_("she"), choices=[("given", _("gave consent")), ("withdrawn", _("withdrew it"))], initial="given"
    )
    field_order = ["event", "channel", "purpose"]


@conditions.register
class ConsentEvent(Condition):
    key = "consent_event"
    label = _("Gave or withdrew consent")
    group = GROUP
    form_class = ConsentEventForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        events = Consent.objects.filter(channel=args["channel"], purpose=args["purpose"], event=args["event"])
        return any_of(events.filter(**within("occurred_at", args, now)))

    @classmethod
    def sentence(cls, args):
        pattern = (
            gettext("gave consent to %(purpose)s by %(channel)s")
            if args["event"] == "given"
            else gettext("withdrew consent to %(purpose)s by %(channel)s")
        )
        words = {"purpose": args["purpose"], "channel": Channel(args["channel"]).label}
        return pattern % words + phrases.when(args)
