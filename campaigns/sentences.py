"""A plan in the marketer's words: one summary of the whole, and what differs between two of its versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.plans import END, Hours, Plan, PlannedStep, Ramp, Wait
from retention.incentives.models import Incentive
from retention.incentives.rules import sentence
from retention.incentives.versions import rules_of
from retention.messaging.models import Template
from retention.segments.models import Segment


@dataclass(frozen=True)
class Names:
    """What people call the rows that plans name."""

    segments: dict[int, str]
    templates: dict[int, str]
    incentives: dict[int, str]

    @classmethod
    def of(cls, *plans: Plan) -> Names:
        """One query a kind for all of these plans."""
        versions = dict(
            Incentive.objects.filter(pk__in={pk for plan in plans for pk in plan.incentives}).values_list(
                "pk", "version_id"
            )
        )
        rules = rules_of(pk for pk in versions.values() if pk)
        return cls(
            segments=dict(
                Segment.objects.filter(pk__in={pk for plan in plans for pk in plan.segments}).values_list("pk", "name")
            ),
            templates=dict(
                Template.objects.filter(pk__in={pk for plan in plans for pk in plan.templates}).values_list(
                    "pk", "name"
                )
            ),
            incentives={pk: sentence(rules[version]) for pk, version in versions.items() if version in rules},
        )

    def segment(self, pk: int) -> str:
        return "“{}”".format(self.segments.get(pk, "?"))


def summary(plan: Plan, names: Names | None = None) -> str:
    """The whole plan in a few sentences: who, when, what, within which bounds, tested how."""
    names = names or Names.of(plan)
    parts = [f"{who(plan, names)}, {plan.of.sentence(plan.cleaned_args())}:"]
    for index in range(len(plan.steps)):
        parts.append(step_words(plan, index, names))
    parts += [*bounds(plan, names).values(), *tests(plan, names).values()]
    return " ".join(parts)


def who(plan: Plan, names: Names) -> str:
    words = names.segments.get(plan.audience, "?") if plan.audience else _("Everyone")
    if plan.countries:
        words += " " + _("in %(countries)s") % {"countries": ", ".join(plan.countries)}
    if plan.excluded:
        words += " " + _("without %(segment)s") % {"segment": names.segments.get(plan.excluded, "?")}
    return words


def step_words(plan: Plan, index: int, names: Names) -> str:
    """One step: its wait, whom it is for, what it gives and says, where it leads."""
    step = plan.steps[index]
    act = "; ".join(_acts(step, names))
    words = f"{_wait(step.wait, is_first=index == 0)}{act}"
    if step.only_for:
        other = _leads(plan, step.otherwise) if step.otherwise else _("the next step")
        words = _("%(step)s – only for %(segment)s, others: %(other)s") % {
            "step": words, "segment": names.segment(step.only_for), "other": other}  # fmt: skip
    if step.then:
        words = _("%(step)s, then %(target)s") % {"step": words, "target": _leads(plan, step.then)}
    return words + "."


def _leads(plan: Plan, key: str) -> str:
    return _("the end") if key == END else _("step %(n)s") % {"n": plan.index_of(key) + 1}


def _acts(step: PlannedStep, names: Names) -> Iterable[str]:
    if step.incentive:
        yield names.incentives.get(step.incentive, "?")
    said = [_("the message “%(name)s”") % {"name": names.templates.get(pk, "?")} for pk in step.messages]
    joiner = _(" or ") if step.reach == "first" else _(" and ")
    if said:
        yield joiner.join(said)


def _wait(wait: Wait, *, is_first: bool) -> str:
    if wait.days is not None:
        words = {"days": wait.days, "hour": f"{wait.hour:%H:%M}"}
        if not wait.days:
            return _("At the next %(hour)s of her clock: ") % words
        return ngettext("After %(days)s day, at %(hour)s of her clock: ",
                        "After %(days)s days, at %(hour)s of her clock: ", wait.days) % words  # fmt: skip
    days, hours = divmod(wait.hours, 24)
    if days and not hours:
        return ngettext("After %(days)s day: ", "After %(days)s days: ", days) % {"days": days}
    if wait.hours:
        return ngettext("After %(hours)s hour: ", "After %(hours)s hours: ", wait.hours) % {"hours": wait.hours}
    return _("At once: ") if is_first else _("Then: ")


def bounds(plan: Plan, names: Names) -> dict[str, str]:
    """What bounds it, field by field; nothing where nothing does."""
    said: dict[str, str] = {}
    if exits := _exits(plan, names):
        said["exits"] = exits
    if plan.starts_low is not None:
        said["starts_low"] = _(
            "Full-price buyers begin at step 1; those with discounts of %(share)s %% or more begin at %(step)s."
        ) % {"share": plan.starts_low.below_percent, "step": _leads(plan, plan.starts_low.others_at)}
    if plan.re_entry:
        said["re_entry"] = _("Again at the earliest %(days)s days after it ended.") % {"days": plan.re_entry.days}
    if plan.cool_down_days:
        said["cool_down_days"] = _("Nobody to whom a campaign gave something in the last %(days)s days.") % {
            "days": plan.cool_down_days
        }
    if limits := _limits(plan):
        said["limits"] = limits
    if plan.ramp:
        said["ramp"] = ramp_words(plan.ramp)
    if plan.windows:
        said["windows"] = _("Only %(hours)s, by her clock.") % {"hours": "; ".join(map(hours_words, plan.windows))}
    return said


def _exits(plan: Plan, names: Names) -> str:
    ends = [goal_words(plan)] if plan.exits.on_goal else []
    if plan.exits.segment:
        ends.append(_("is in %(segment)s") % {"segment": names.segment(plan.exits.segment)})
    return _("It ends for her when she %(what)s.") % {"what": _(" or ").join(ends)} if ends else ""


def goal_words(plan: Plan) -> str:
    """What the campaign is for, as what she does."""
    if plan.goal.kind == "activity":
        return _("does “%(activity)s”") % {"activity": str(plan.goal.activity).replace("_", " ")}
    return _("orders") if plan.goal.kind == "order" else _("uses what it gave her")


def _limits(plan: Plan) -> str:
    limits, parts = plan.limits, []
    if limits.touches:
        parts.append(_("%(n)s customers in all") % {"n": f"{limits.touches:,}"})
    if limits.touches_a_day:
        parts.append(_("%(n)s a day") % {"n": f"{limits.touches_a_day:,}"})
    if limits.per_customer:
        parts.append(ngettext("once for each customer", "%(n)s times for each customer", limits.per_customer)
                     % {"n": limits.per_customer})  # fmt: skip
    return _("At most %(limits)s.") % {"limits": ", ".join(parts)} if parts else ""


def ramp_words(ramp: Ramp | None) -> str:
    """How far it is opened."""
    if ramp is None:
        return _("Open to everyone.")
    if ramp.percent:
        return _("At first for %(percent)s %% of them, until it is opened further.") % {"percent": ramp.percent}
    return _("At first for %(n)s customers, until it is opened further.") % {"n": f"{ramp.first:,}"}


def hours_words(hours: Hours) -> str:
    days = ", ".join(str(WEEKDAYS[day]) for day in hours.weekdays)
    until = "24:00" if hours.until == dt.time.min else f"{hours.until:%H:%M}"
    return f"{days} {hours.from_:%H:%M}–{until}"


def tests(plan: Plan, names: Names) -> dict[str, str]:
    """How it is tested, field by field."""
    said: dict[str, str] = {}
    if plan.variants:
        total = sum(variant.weight for variant in plan.variants)
        arms = [f"{variant.label} ({variant.weight * 100 // total} %)" for variant in plan.variants]
        said["variants"] = _("Tested: %(arms)s.") % {"arms": ", ".join(arms)}
    if plan.holdout_percent:
        said["holdout_percent"] = _("%(percent)s %% get nothing, for the sake of proof.") % {
            "percent": plan.holdout_percent
        }
    if plan.ignores_global_holdout:
        said["ignores_global_holdout"] = _("Those whom the shop holds out get it as well.")
    return said


@dataclass(frozen=True)
class Difference:
    """One thing that a newer plan says otherwise; "" where it was or is not said."""

    label: str
    before: str
    after: str


def differences(before: Plan, after: Plan) -> list[Difference]:
    """What changes, in the marketer's words, in the order of the editor's tabs."""
    names = Names.of(before, after)
    old, new = _said(before, names), _said(after, names)
    found = []
    for key in [*new, *(key for key in old if key not in new)]:
        label, said = new.get(key) or old[key]
        was, now = old.get(key, ("", ""))[1], said if key in new else ""
        if was != now:
            found.append(Difference(label, was, now))
    return found


def _said(plan: Plan, names: Names) -> dict[str, tuple[str, str]]:
    """What a plan says, piece by piece: key → (label, sentence)."""
    args: dict[str, Any] = plan.cleaned_args()
    said = {
        "name": (_("Name"), plan.name),
        "who": (_("Who"), who(plan, names)),
        "when": (_("When"), str(plan.of.sentence(args))),
    }
    for index, step in enumerate(plan.steps):
        said[f"step {step.key}"] = (_("Step %(n)s") % {"n": index + 1}, step_words(plan, index, names))
    goal = _("She %(what)s within %(days)s days.") % {"what": goal_words(plan), "days": plan.goal.days}
    said["goal"] = (_("Goal"), goal)
    for key, words in bounds(plan, names).items():
        said[key] = (_("Limits"), words)
    said["dates"] = (_("Dates"), _dates(plan))
    said["lateness"] = (_("Too late after"), _("%(hours)s hours") % {"hours": plan.lateness_hours})
    said["priority"] = (_("Priority"), str(plan.priority))
    for key, words in tests(plan, names).items():
        said[key] = (_("Test"), words)
    for variant in plan.variants:
        for step_key, change in sorted(variant.steps.items()):
            arm = plan.model_copy(update={"variants": ()})
            index = plan.index_of(step_key)
            steps = [*arm.steps[:index], plan.step_for(index, variant.key), *arm.steps[index + 1 :]]
            words = step_words(arm.model_copy(update={"steps": tuple(steps)}), index, names) if change else ""
            label = f"{variant.label}, {_('step %(n)s') % {'n': index + 1}}"
            said[f"variant {variant.key} {step_key}"] = (label, words)
    return said


def _dates(plan: Plan) -> str:
    def day(at: dt.datetime | None, other: str) -> str:
        return f"{at:%Y-%m-%d %H:%M} UTC" if at else other

    return f"{day(plan.starts_at, _('from the launch'))} – {day(plan.ends_at, _('without an end'))}"
