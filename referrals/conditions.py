"""What segments may ask of referrals: whom she brought, whether she recommends, whether she was brought herself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count as CountOf
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from referrals.models import Advocate, Referral, Scheme
from retention.registries import Condition, conditions
from retention.segments import phrases
from retention.segments.arguments import Arguments, Count, WhenEver, WordsField, bounds, within
from retention.segments.expressions import any_of, times

GROUP = _("Referrals")
State = Referral.State
#: How far a friend must have come to be counted: her label, and the states.
ANY, DONE, REWARDED = "any", "done", "rewarded"
STATES = {
    ANY: (_("brought, and not turned away"), tuple(set(State) - {State.REJECTED})),
    DONE: (_("who did what counts"), (State.HOLD, State.REVIEW, State.APPROVED, State.REWARDED)),
    REWARDED: (_("for whom the advocate was rewarded"), (State.REWARDED,)),
}


def scheme_pairs() -> list[tuple[str, str]]:
    return list(Scheme.objects.filter(archived_at=None).order_by("name").values_list("key", "name"))


class OfScheme(Arguments):
    schemes = WordsField(label=_("schemes"), required=False, among=scheme_pairs, help_text=_("Empty: any scheme."))


class Brought(OfScheme, WhenEver):
    far = forms.ChoiceField(
        label=_("which friends"), choices=[(key, label) for key, (label, _s) in STATES.items()], initial=ANY
    )
    field_order = ["far", "schemes"]


class BroughtSo(Brought, Count):
    field_order = ["operator", "number", "number_to", "far", "schemes"]


def referrals(args: dict[str, Any], now: Any) -> QuerySet[Referral]:
    states = STATES[args["far"]][1]
    found = Referral.objects.filter(state__in=states, **within("claimed_at", args, now))
    if args["far"] == DONE:
        found = found.filter(qualified_at__isnull=False)
    return found.filter(scheme__in=ids_of(args)) if args["schemes"] else found


def ids_of(args: dict[str, Any]) -> list[int]:
    """By their numbers, so that the question reads no table whose changes are nobody's."""
    return list(Scheme.objects.filter(key__in=args["schemes"]).values_list("pk", flat=True))


def of_schemes(args: dict[str, Any]) -> str:
    if not args["schemes"]:
        return ""
    names = dict(scheme_pairs())
    return gettext(" in %(schemes)s") % {"schemes": phrases.quoted(names.get(key, key) for key in args["schemes"])}


@conditions.register
class ReferralsMade(Condition):
    """ "Nobody" is: at most 0."""

    key = "referrals_made"
    label = _("Brought friends")
    group = GROUP
    form_class = BroughtSo
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        return times(referrals(args, now), CountOf("*"), *bounds(args), of="advocate__customer")

    @classmethod
    def sentence(cls, args):
        friends = phrases.counted(args, gettext("friend"), gettext("friends"))
        far = {DONE: gettext(" who did what counts"), REWARDED: gettext(" and was rewarded")}.get(args["far"], "")
        return gettext("brought %(friends)s") % {"friends": friends} + far + of_schemes(args) + phrases.when(args)


@conditions.register
class IsAdvocate(Condition):
    key = "is_advocate"
    label = _("Has a link to recommend by")
    group = GROUP
    form_class = OfScheme

    @classmethod
    def q(cls, args, *, now):
        found = Advocate.objects.filter(blocked_at=None)
        return any_of(found.filter(scheme__in=ids_of(args)) if args["schemes"] else found)

    @classmethod
    def sentence(cls, args):
        return gettext("has a personal link to recommend by") + of_schemes(args)


@conditions.register
class WasReferred(Condition):
    key = "was_referred"
    label = _("Was brought by a friend")
    group = GROUP
    form_class = Brought
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        return any_of(referrals(args, now), of="friend")

    @classmethod
    def sentence(cls, args):
        far = {DONE: gettext(" and did what counts"), REWARDED: gettext(", who was rewarded")}.get(args["far"], "")
        return gettext("was brought by a friend") + far + of_schemes(args) + phrases.when(args)
