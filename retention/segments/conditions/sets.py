"""Conditions over being in a set: another segment, an uploaded list, or a stable random share."""

from __future__ import annotations

from django import forms
from django.core.validators import RegexValidator
from django.db.models import F, Q, Value
from django.db.models.lookups import GreaterThanOrEqual, LessThan
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from retention.registries import Condition, conditions
from retention.segments import phrases
from retention.segments.arguments import Arguments
from retention.segments.expressions import Bucket, any_of
from retention.segments.models import CustomerList, ListEntry, Segment
from retention.segments.rules import RuleCondition

GROUP = _("Sets")


class SegmentForm(Arguments):
    segment = forms.ModelChoiceField(
        label=_("segment"),
        queryset=Segment.objects.filter(archived_at=None),
        to_field_name="public_id",
        error_messages={"invalid_choice": _("There is no such segment.")},
    )


@conditions.register
class InSegment(RuleCondition):
    """By the other segment's rule as it is now, not by its stored members."""

    key = "in_segment"
    label = _("In another segment")
    group = GROUP
    form_class = SegmentForm

    @classmethod
    def stands_for(cls, args):
        return args["segment"].pk, args["segment"].rule

    @classmethod
    def sentence(cls, args):
        return gettext("is in the segment “%(segment)s”") % {"segment": args["segment"].name}


class ListForm(Arguments):
    list = forms.ModelChoiceField(
        label=_("list"),
        queryset=CustomerList.objects.filter(archived_at=None),
        to_field_name="public_id",
        error_messages={"invalid_choice": _("There is no such list.")},
    )


@conditions.register
class OnList(Condition):
    key = "on_list"
    label = _("On an uploaded list")
    group = GROUP
    form_class = ListForm

    @classmethod
    def q(cls, args, *, now):
        return any_of(ListEntry.objects.filter(list=args["list"].pk))

    @classmethod
    def sentence(cls, args):
        return gettext("is on the list “%(list)s”") % {"list": args["list"].name}


class BucketForm(Arguments):
    since = forms.FloatField(label=_("from percent"), min_value=0, max_value=100, initial=0)
    until = forms.FloatField(label=_("to percent"), min_value=0, max_value=100, initial=10)
    salt = forms.CharField(
        label=_("name of the draw"),
        max_length=40,
        initial="draw 1",
        validators=[RegexValidator(r"^[\w .:-]+$")],
        help_text=_("The same name always draws the same customers; another name draws afresh."),
    )
    field_order = ["since", "until", "salt"]

    def clean(self):
        cleaned = super().clean()
        low, high = cleaned.get("since"), cleaned.get("until")
        if low is not None and high is not None and high <= low:
            self.add_error("until", forms.ValidationError(_("This must be more than the first."), code="order"))
        return cleaned


@conditions.register
class RandomBucket(Condition):
    """From (included) to (excluded) a percentage of everyone, in hundredths of a percent."""

    key = "random_bucket"
    label = _("Random share")
    group = GROUP
    form_class = BucketForm

    @classmethod
    def q(cls, args, *, now):
        bucket = Bucket(Value(args["salt"]), F("pk"))
        low, high = round(args["since"] * 100), round(args["until"] * 100)
        return Q(GreaterThanOrEqual(bucket, low)) & Q(LessThan(bucket, high))

    @classmethod
    def sentence(cls, args):
        words = {"since": phrases.plain(args["since"]), "until": phrases.plain(args["until"]), "salt": args["salt"]}
        return gettext("is drawn at random from %(since)s to %(until)s %% in “%(salt)s”") % words
