"""A forecast in words: whom it would reach, how many take each step, and what nobody can know today."""

from __future__ import annotations

from django.utils.translation import gettext as _

from campaigns.operations.forecasting import Forecast
from campaigns.plans import Exits, Plan


def sentence(found: Forecast, plan: Plan) -> str:
    """How many it would reach, and in how many of the days."""
    if found.heads is None:
        return _("Counting takes too long here.")
    words = {"heads": f"{found.heads:,}", "days": found.days}
    said = (
        _("It would reach %(heads)s customers in the next %(days)s days.")
        if found.is_ahead
        else _("It would have reached %(heads)s customers in the last %(days)s days.")
    ) % words
    if found.later:
        said += " " + _("%(later)s of them only later: it touches at most %(most)s a day.") % {
            "later": f"{found.later:,}", "most": f"{plan.limits.touches_a_day:,}"}  # fmt: skip
    return said


def steps(found: Forecast) -> list[str]:
    """How many take each step; nothing of a plan that has but one."""
    if len(found.steps) < 2:
        return []
    words = _("Step %(n)s: at most %(heads)s customers")
    return [words % {"n": n, "heads": f"{heads:,}"} for n, heads in enumerate(found.steps, start=1)]


def unforeseen(plan: Plan) -> str:
    """What the figures leave out, because nobody knows it today; "" where that is nothing."""
    parts = []
    is_long = len(plan.steps) > 1 or plan.steps[0].wait.delay or plan.steps[0].wait.is_by_her_clock
    if is_long and plan.exits.on_goal:
        parts.append(_("who does what it is for before a step comes, and leaves"))
    if plan.exits.segment is not None:
        parts.append(_("who comes into the segment that ends it"))
    if any(step.only_for for step in plan.steps):
        parts.append(_("who is in a step's segment when the step comes: they are counted as they are today"))
    if plan.starts_low is not None:
        parts.append(_("who gets used to discounts meanwhile"))
    if plan.cool_down_days is not None:
        parts.append(_("what other campaigns give them until then"))
    if plan.re_entry is not None and plan.exits != Exits():
        parts.append(_("when those who leave early may come again"))
    if plan.windows:
        parts.append(_("who has to wait for its hours for so long that it is too late"))
    return _("Not foreseen: %(parts)s.") % {"parts": "; ".join(parts)} if parts else ""
