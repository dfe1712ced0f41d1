"""Conditions over where she stands: her stage of life with the shop, and her RFM group and scores."""

from __future__ import annotations

from django import forms
from django.db.models import Q
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from retention.customers.models import CustomerStage, Rfm, RfmChange, Stage, StageChange
from retention.customers.rfm import GROUPS
from retention.registries import Condition, conditions
from retention.segments import phrases
from retention.segments.arguments import Arguments, Count, When, WhenEver, WordsField, bounds, within
from retention.segments.expressions import any_of, measure_in
from retention.shop.models import Shop
from retention.texts import choose

GROUP = _("Lifecycle")


def stage_pairs() -> list[tuple[str, str]]:
    default = next(iter(Shop.objects.values_list("languages", flat=True)[:1]), ["en"])[0]
    language = get_language() or default
    return [(stage.key, choose(stage.name, language, default)) for stage in Stage.objects.filter(archived_at=None)]


def stages(args) -> str:
    labels = dict(stage_pairs())
    return phrases.quoted(labels.get(key, key) for key in args["stages"])


class StageForm(WhenEver):
    stages = WordsField(label=_("stages"), among=stage_pairs)
    window = forms.ChoiceField(
        label=_("since"),
        choices=[
            ("ever", _("however long")),
            ("last", _("came in the last … days")),
            ("before", _("came more than … days ago")),
            ("dates", _("came between two dates")),
        ],
        initial="ever",
    )
    field_order = ["stages"]


@conditions.register
class InStage(Condition):
    """As it was when stages were last computed, within minutes."""

    key = "stage"
    label = _("Lifecycle stage")
    group = GROUP
    form_class = StageForm
    is_time_relative = True
    looks_at = "lifecycle_stage__stage__key"

    @classmethod
    def q(cls, args, *, now):
        return any_of(CustomerStage.objects.filter(stage__key__in=args["stages"], **within("since", args, now)))

    @classmethod
    def sentence(cls, args):
        text = gettext("is in the stage %(stages)s") % {"stages": stages(args)}
        if args["window"] == "ever":
            return text
        return gettext("%(text)s, where she came%(when)s") % {"text": text, "when": phrases.when(args)}


class LeftStageForm(When):
    stages = WordsField(label=_("stages"), among=stage_pairs)
    field_order = ["stages"]


@conditions.register
class LeftStage(Condition):
    """For another stage, or for none."""

    key = "left_stage"
    label = _("Left a stage")
    group = GROUP
    form_class = LeftStageForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        return any_of(StageChange.objects.filter(before__key__in=args["stages"], **within("at", args, now)))

    @classmethod
    def sentence(cls, args):
        return gettext("left the stage %(stages)s") % {"stages": stages(args)} + phrases.when(args)


def group_pairs() -> list[tuple[str, str]]:
    return [(group.key, str(group.label)) for group in GROUPS.values()]


def groups(args) -> str:
    return phrases.quoted(GROUPS[key].label for key in args["groups"])


class GroupForm(Arguments):
    groups = WordsField(label=_("groups"), among=group_pairs)
    which = forms.ChoiceField(
        label=_("which"),
        choices=[("now", _("is in it now")), ("previous", _("was in it before the one she is in"))],
        initial="now",
    )


@conditions.register
class InRfmGroup(Condition):
    """Computed nightly among all who bought."""

    key = "rfm_group"
    label = _("RFM group")
    group = GROUP
    form_class = GroupForm
    looks_at = "rfm__group"

    @classmethod
    def q(cls, args, *, now):
        column = "group__in" if args["which"] == "now" else "previous_group__in"
        return any_of(Rfm.objects.filter(**{column: args["groups"]}))

    @classmethod
    def sentence(cls, args):
        if args["which"] == "now":
            return gettext("is in the RFM group %(groups)s") % {"groups": groups(args)}
        return gettext("was in the RFM group %(groups)s before the one she is in") % {"groups": groups(args)}


class MovedForm(When):
    groups = WordsField(label=_("into the groups"), among=group_pairs)
    field_order = ["groups"]


@conditions.register
class MovedToRfmGroup(Condition):
    key = "rfm_moved"
    label = _("Moved to an RFM group")
    group = GROUP
    form_class = MovedForm
    is_time_relative = True

    @classmethod
    def q(cls, args, *, now):
        return any_of(RfmChange.objects.filter(after__in=args["groups"], **within("at", args, now)))

    @classmethod
    def sentence(cls, args):
        return gettext("moved into the RFM group %(groups)s") % {"groups": groups(args)} + phrases.when(args)


class ScoreForm(Count):
    score = forms.ChoiceField(
        label=_("score"),
        choices=[("recency", _("recency")), ("frequency", _("frequency")), ("monetary", _("money"))],
        initial="recency",
    )
    number = forms.IntegerField(label=_("of 5"), min_value=1, max_value=5, initial=4)
    number_to = forms.IntegerField(label=_("and"), min_value=1, max_value=5, required=False)


@conditions.register
class RfmScore(Condition):
    """5 is the best fifth of all who bought, 1 the last."""

    key = "rfm_score"
    label = _("RFM score")
    group = GROUP
    form_class = ScoreForm

    @classmethod
    def q(cls, args, *, now):
        return any_of(Rfm.objects.filter(Q(measure_in(args["score"], *bounds(args)))))

    @classmethod
    def sentence(cls, args):
        score = dict(ScoreForm.base_fields["score"].choices)[args["score"]]
        words = {"score": score, "range": phrases.ranged(args)}
        return gettext("has an RFM score for %(score)s of %(range)s") % words
