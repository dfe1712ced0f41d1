"""What segments may ask of memberships and tiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from loyalty.forecasts import parts, show_counted
from loyalty.models import Member, Programme, Tier, TierChange
from loyalty.versions import rule_of
from retention.ledger.versions import rule_of as unit_rule_of
from retention.registries import Condition, conditions
from retention.segments import phrases
from retention.segments.arguments import Measure, When, WhenEver, WordsField, bounds, shop_currency, within
from retention.segments.expressions import NO_ONE, any_of

GROUP = _("Loyalty")


def programme_pairs() -> list[tuple[str, str]]:
    return list(Programme.objects.filter(archived_at=None).values_list("key", "name"))


def tier_pairs() -> list[tuple[str, str]]:
    """Tiers as `programme.tier`, the lowest first."""
    rows = Tier.objects.filter(programme__archived_at=None, archived_at=None).select_related("programme")
    return [(f"{row.programme.key}.{row.key}", f"{row.programme.name}: {row.name}") for row in rows]


def tiers_of(keys: list[str]) -> QuerySet[Tier]:
    named = Q(pk__in=[])
    for key in keys:
        programme, _dot, tier = key.partition(".")
        named |= Q(programme__key=programme, key=tier)
    return Tier.objects.filter(named)


def tier_ids(keys: list[str]) -> list[int]:
    """Their numbers: a rule over them alone asks for nothing but her own rows, and is followed by their marks."""
    return list(tiers_of(keys).values_list("pk", flat=True))


def names(args: Mapping[str, Any]) -> str:
    labels = dict(tier_pairs())
    return phrases.quoted(labels.get(key, key) for key in args["tiers"])


def any_programme() -> list[tuple[str, str]]:
    return [("", _("any")), *programme_pairs()]


class MemberForm(WhenEver):
    programme = forms.ChoiceField(label=_("programme"), choices=any_programme, required=False)
    window = forms.ChoiceField(
        label=_("since"),
        choices=[
            ("ever", _("however long")),
            ("last", _("joined in the last … days")),
            ("before", _("joined more than … days ago")),
            ("dates", _("joined between two dates")),
        ],
        initial="ever",
    )
    field_order = ["programme"]


@conditions.register
class IsMember(Condition):
    """She joined and did not leave."""

    key = "loyalty_member"
    label = _("Member of a programme")
    group = GROUP
    form_class = MemberForm
    is_time_relative = True
    looks_at = "loyalty_memberships__joined_at"

    @classmethod
    def q(cls, args, *, now):
        members = Member.objects.filter(left_at=None, **within("joined_at", args, now))
        if args["programme"]:
            named = Programme.objects.filter(key=args["programme"])
            members = members.filter(programme_id__in=list(named.values_list("pk", flat=True)))
        return any_of(members)

    @classmethod
    def sentence(cls, args):
        name = dict(programme_pairs()).get(args["programme"], args["programme"])
        if not name:
            return gettext("is a member of a loyalty programme%(when)s") % {"when": phrases.when(args)}
        if args["window"] == "ever":
            return gettext("is a member of “%(name)s”") % {"name": name}
        return gettext("joined “%(name)s”%(when)s") % {"name": name, "when": phrases.when(args)}


class TierForm(WhenEver):
    tiers = WordsField(label=_("tiers"), among=tier_pairs)
    window = forms.ChoiceField(
        label=_("since"),
        choices=[
            ("ever", _("however long")),
            ("last", _("in it for at most … days")),
            ("before", _("in it for more than … days")),
            ("dates", _("in it since between two dates")),
        ],
        initial="ever",
    )
    field_order = ["tiers"]


@conditions.register
class InTier(Condition):
    key = "loyalty_tier"
    label = _("Loyalty tier")
    group = GROUP
    form_class = TierForm
    is_time_relative = True
    looks_at = "loyalty_memberships__tier__name"

    @classmethod
    def q(cls, args, *, now):
        return any_of(Member.objects.filter(tier_id__in=tier_ids(args["tiers"]), **within("tier_since", args, now)))

    @classmethod
    def sentence(cls, args):
        text = gettext("is in the tier %(tiers)s") % {"tiers": names(args)}
        if args["window"] == "ever":
            return text
        return gettext("%(text)s, where she came%(when)s") % {"text": text, "when": phrases.when(args)}


class TierMovedForm(When):
    move = forms.ChoiceField(label=_("what happened"), choices=[("up", _("rose to")), ("down", _("lost"))])
    tiers = WordsField(label=_("tiers"), among=tier_pairs)
    field_order = ["move", "tiers"]


@conditions.register
class TierMoved(Condition):
    """Whatever became of it since."""

    key = "loyalty_tier_moved"
    label = _("Rose to a tier, or lost it")
    group = GROUP
    form_class = TierMovedForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        ids = tier_ids(args["tiers"])
        moved = {"is_up": True, "after_id__in": ids} if args["move"] == "up" else {"is_up": False, "before_id__in": ids}
        changes = TierChange.objects.filter(**moved, **within("changed_at", args, now))
        return any_of(changes, of="member__customer")

    @classmethod
    def sentence(cls, args):
        words = {"tiers": names(args), "when": phrases.when(args)}
        if args["move"] == "up":
            return gettext("rose to the tier %(tiers)s%(when)s") % words
        return gettext("lost the tier %(tiers)s%(when)s") % words


class MissingForm(Measure):
    programme = forms.ChoiceField(label=_("programme"), choices=programme_pairs)
    field_order = ["programme"]


@conditions.register
class MissingToNextTier(Condition):
    """By what counted when she was last looked at, within a minute of what she did.

    Who has the highest tier lacks nothing, and is not meant.
    """

    key = "loyalty_missing"
    label = _("Missing to the next tier")
    group = GROUP
    form_class = MissingForm
    looks_at = "loyalty_memberships__qualifying"

    @classmethod
    def q(cls, args, *, now):
        programme = Programme.objects.filter(key=args["programme"], version__isnull=False).first()
        if programme is None:
            return NO_ONE
        rules = rule_of(programme.version_id).tiers
        least, most = (None if bound is None else round(bound * parts(programme, rules)) for bound in bounds(args))
        asked, below = Q(pk__in=[]), [None]
        for row in Tier.objects.filter(programme=programme, archived_at=None).order_by("rank"):
            if row.threshold is not None:
                asked |= _from(below) & _between(row.threshold, least, most)
                below = []
            below.append(row.pk)
        return any_of(Member.objects.filter(asked, programme=programme.pk, left_at=None))

    @classmethod
    def sentence(cls, args):
        programme = Programme.objects.select_related("unit").get(key=args["programme"])
        rules, unit = rule_of(programme.version_id).tiers, unit_rule_of(programme.unit)

        def show(number: float) -> str:
            amount = round(number * parts(programme, rules))
            return show_counted(rules, amount, unit=unit, currency=shop_currency())

        return gettext("is %(much)s short of the next tier of “%(name)s”") % {
            "much": phrases.ranged(args, show), "name": programme.name}  # fmt: skip


def _from(below: list[int | None]) -> Q:
    """She has one of these tiers; None among them is none."""
    there = Q(tier_id__in=[pk for pk in below if pk is not None])
    return there | Q(tier_id=None) if None in below else there


def _between(threshold: int, least: int | None, most: int | None) -> Q:
    asked = Q(qualifying__lt=threshold) if least is None or least <= 0 else Q(qualifying__lte=threshold - least)
    return asked if most is None else asked & Q(qualifying__gte=threshold - most)
