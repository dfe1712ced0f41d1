"""A scheme in the marketer's words: one paragraph of its whole rule."""

from __future__ import annotations

from django.utils.translation import gettext as _

from referrals.rules import SchemeRule
from retention.incentives.models import Incentive
from retention.incentives.versions import rules_of


def given_words(ids: frozenset[int]) -> dict[int, str]:
    """Incentive → what it gives, in a few words."""
    found = list(Incentive.objects.filter(pk__in=ids))
    rules = rules_of([incentive.version_id for incentive in found if incentive.version_id])
    return {
        incentive.pk: ", ".join(effect.sentence() for effect in rules[incentive.version_id].effects)
        for incentive in found
        if incentive.version_id
    }


def summary(rule: SchemeRule, currency: str) -> str:
    """What is given to whom, after what, and within which limits."""
    words = given_words(rule.incentive_ids)
    said = []
    if rule.friend_incentive:
        said.append(_("The friend gets %(what)s at once.") % {"what": words.get(rule.friend_incentive, "—")})
    if rule.kind == "partners":
        said.append(_("The partner earns her share of the order in cash."))
    for level in rule.levels:
        what = {"what": words.get(level.incentive_id, "—"), "n": level.from_count}
        if level.is_once:
            said.append(_("With friend %(n)s the advocate gets %(what)s, once.") % what)
        elif level.from_count == 1:
            said.append(_("For each friend the advocate gets %(what)s.") % what)
        else:
            said.append(_("From friend %(n)s on it is %(what)s each.") % what)
    said += [f"{line[:1].upper()}{line[1:]}." for line in rule.sentences(currency)]
    hard = sum(check.is_hard for check in rule.checks)
    said.append(
        _("%(count)s checks look at each friend, %(hard)s of them hard; from %(points)s points on a person decides.")
        % {"count": len(rule.checks), "hard": hard, "points": rule.review_from}
    )
    if rule.variants:
        said.append(_("%(count)s variants are tried against each other.") % {"count": len(rule.variants)})
    return " ".join(said)
