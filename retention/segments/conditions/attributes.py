"""Conditions over the attributes that the shop declared, one for each type."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.db.models import Q
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from retention.customers.models import AttributeDefinition
from retention.registries import Condition, conditions
from retention.segments import phrases
from retention.segments.arguments import Arguments, DayField, Measure, WordsField, bounds, shop_day
from retention.segments.expressions import json_holds

GROUP = _("Custom attributes")
Kind = AttributeDefinition.Kind


def declared(*kinds: str):
    """The declared attributes of these types, read when the form is used."""

    def pairs() -> list[tuple[str, str]]:
        return list(AttributeDefinition.objects.filter(kind__in=kinds or Kind.values).values_list("key", "label"))

    return pairs


def label_of(key: str) -> str:
    return AttributeDefinition.objects.values_list("label", flat=True).get(key=key)


def holds(key: str, test: str, **params) -> Q:
    return Q(json_holds("attributes", [key, "value"], test, params))


class KnownForm(Arguments):
    attribute = forms.ChoiceField(label=_("attribute"), choices=declared())


@conditions.register
class AttributeKnown(Condition):
    key = "attribute_known"
    label = _("Attribute is known")
    group = GROUP
    form_class = KnownForm

    @classmethod
    def q(cls, args, *, now):
        return holds(args["attribute"], "@ != null")

    @classmethod
    def sentence(cls, args):
        return gettext("has a known “%(attribute)s”") % {"attribute": label_of(args["attribute"])}


class WordsForm(Arguments):
    attribute = forms.ChoiceField(label=_("attribute"), choices=declared(Kind.TEXT, Kind.CHOICE))
    values = WordsField(label=_("is one of"))

    def clean(self):
        cleaned = super().clean()
        definition = AttributeDefinition.objects.filter(key=cleaned.get("attribute"), kind=Kind.CHOICE).first()
        for value in cleaned.get("values") or () if definition else ():
            if value not in definition.choices:
                message = _("“%(value)s” is not a choice of this attribute: %(choices)s.")
                params = {"value": value, "choices": ", ".join(definition.choices)}
                self.add_error("values", forms.ValidationError(message, code="stranger", params=params))
        return cleaned


@conditions.register
class AttributeIs(Condition):
    key = "attribute_is"
    label = _("Attribute: text or choice")
    group = GROUP
    form_class = WordsForm

    @classmethod
    def q(cls, args, *, now):
        return holds(args["attribute"], "@ == $among[*]", among=args["values"])

    @classmethod
    def sentence(cls, args):
        words = {"attribute": label_of(args["attribute"]), "values": phrases.quoted(args["values"])}
        return gettext("has “%(attribute)s” %(values)s") % words


class YesNoForm(Arguments):
    attribute = forms.ChoiceField(label=_("attribute"), choices=declared(Kind.YES_NO))
    answer = forms.ChoiceField(label=_("is"), choices=[("yes", _("yes")), ("no", _("no"))], initial="yes")


@conditions.register
class AttributeYesNo(Condition):
    key = "attribute_yes_no"
    label = _("Attribute: yes or no")
    group = GROUP
    form_class = YesNoForm

    @classmethod
    def q(cls, args, *, now):
        return holds(args["attribute"], "@ == $answer", answer=args["answer"] == "yes")

    @classmethod
    def sentence(cls, args):
        answer = gettext("yes") if args["answer"] == "yes" else gettext("no")
        return gettext("has “%(attribute)s”: %(answer)s") % {
            "attribute": label_of(args["attribute"]),
            "answer": answer,
        }


class NumberForm(Measure):
    attribute = forms.ChoiceField(label=_("attribute"), choices=declared(Kind.NUMBER))
    field_order = ["attribute"]


@conditions.register
class AttributeNumber(Condition):
    key = "attribute_number"
    label = _("Attribute: number")
    group = GROUP
    form_class = NumberForm

    @classmethod
    def q(cls, args, *, now):
        low, high = bounds(args)
        params = {name: bound for name, bound in (("low", low), ("high", high)) if bound is not None}
        tests = {"low": "@ >= $low", "high": "@ <= $high"}
        return holds(args["attribute"], " && ".join(tests[name] for name in params), **params)

    @classmethod
    def sentence(cls, args):
        words = {"attribute": label_of(args["attribute"]), "range": phrases.ranged(args)}
        return gettext("has “%(attribute)s” of %(range)s") % words


class DateForm(Arguments):
    attribute = forms.ChoiceField(label=_("attribute"), choices=declared(Kind.DATE))
    window = forms.ChoiceField(
        label=_("when"),
        choices=[
            ("next", _("in the next … days")),
            ("last", _("in the last … days")),
            ("dates", _("between two dates")),
        ],
        initial="next",
    )
    days = forms.IntegerField(label=_("days"), min_value=0, max_value=36_500, required=False, initial=30)
    since = DayField(label=_("from"), required=False)
    until = DayField(label=_("to"), required=False)
    shown_if = {
        "days": ("window", ("next", "last")),
        "since": ("window", ("dates",)),
        "until": ("window", ("dates",)),
    }

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("since") and cleaned.get("until") and cleaned["until"] < cleaned["since"]:
            self.add_error("until", forms.ValidationError(_("This day is before the first."), code="order"))
        return cleaned


@conditions.register
class AttributeDate(Condition):
    """Days are kept as ISO texts, which sort as the days do."""

    key = "attribute_date"
    label = _("Attribute: date")
    group = GROUP
    form_class = DateForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        today, days = shop_day(now), dt.timedelta(days=args["days"] or 0)
        since, until = {
            "next": (today, today + days),
            "last": (today - days, today),
            "dates": (args["since"], args["until"]),
        }[args["window"]]
        test = "@ >= $since && @ <= $until"
        return holds(args["attribute"], test, since=since.isoformat(), until=until.isoformat())

    @classmethod
    def sentence(cls, args):
        label = label_of(args["attribute"])
        if args["window"] == "dates":
            return gettext("has “%(attribute)s”") % {"attribute": label} + phrases.when(args)
        pattern = (
            ngettext(
                "has “%(attribute)s” today or tomorrow", "has “%(attribute)s” in the next %(days)s days", args["days"]
            )
            if args["window"] == "next"
            else ngettext(
                "has “%(attribute)s” today or yesterday", "has “%(attribute)s” in the last %(days)s days", args["days"]
            )
        )
        return pattern % {"attribute": label, "days": args["days"]}
