"""A scheme's test: each variant's advocates, how many of them brought a friend who counted, and what friends spent.

Every advocate is in the arm where the lot put her, whether she shared her link or not. `Arm.converted` is how many
advocates won a friend; `Arm.money` is what the friends of each spent, nothing for those who brought nobody.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection

from referrals.arms import variant_sql
from referrals.models import Scheme, TrialCount
from referrals.rules import SchemeRule
from referrals.versions import rule_of
from retention.audit.models import Version
from retention.customers.models import Order
from retention.experiments.comparison import Arm, Compared, compare
from retention.experiments.means import Amounts
from retention.experiments.samples import MISMATCH_BELOW, ratio_p_value

#: The smallest relative lift worth seeing.
LIFT = 0.2

_ARMS = """
WITH drawn AS (
    SELECT a.id, {variant} AS arm FROM referrals_advocate a WHERE a.scheme_id = %(scheme)s AND a.joined_at <= %(now)s
), won AS (
    SELECT referral.advocate_id,
           count(*) FILTER (WHERE referral.qualified_at IS NOT NULL
                            AND referral.state IN ('hold', 'review', 'approved', 'rewarded')) AS friends,
           coalesce(sum((
               SELECT sum(bought.base_minor - coalesce((SELECT sum(back.base_minor) FROM customers_return back
                                                        WHERE back.order_id = bought.id), 0))
               FROM customers_order bought
               WHERE bought.customer_id = referral.friend_id AND bought.state = ANY(%(bought)s)
                 AND bought.placed_at >= referral.since_at AND bought.placed_at <= %(now)s
           )), 0)::float8 AS money
    FROM referrals_referral referral
    WHERE referral.scheme_id = %(scheme)s AND referral.claimed_at >= %(began)s AND referral.state <> 'rejected'
    GROUP BY referral.advocate_id
)
SELECT drawn.arm, count(*), count(*) FILTER (WHERE won.friends > 0), coalesce(sum(won.money), 0),
       coalesce(sum(won.money ^ 2), 0), coalesce(sum(won.money ^ 3), 0)
FROM drawn LEFT JOIN won ON won.advocate_id = drawn.id GROUP BY drawn.arm
"""


@dataclass(frozen=True)
class Trial:
    """`compared` are the others against the first variant; `ratio_p` says how odd the sizes of the arms are."""

    rule: SchemeRule
    began_at: dt.datetime
    counted_at: dt.datetime
    arms: tuple[Arm, ...]
    compared: tuple[Compared, ...]
    ratio_p: float

    @property
    def is_mismatch(self) -> bool:
        return self.ratio_p < MISMATCH_BELOW


def trial(scheme: Scheme) -> Trial | None:
    """The test that the scheme runs at present, as it was counted last; None: it has none, or was not counted yet."""
    if scheme.version_id is None or not (rule := rule_of(scheme.version_id)).variants:
        return None
    kept = TrialCount.objects.filter(scheme=scheme, began_at=_began(scheme, rule)).first()
    if kept is None:
        return None
    found = {key: Arm(key, heads, won, Amounts(heads, *sums)) for key, heads, won, *sums in kept.arms}
    arms = tuple(found.get(variant.key, Arm(variant.key, 0, 0, Amounts(0, 0, 0))) for variant in rule.variants)
    return Trial(
        rule,
        kept.began_at,
        kept.counted_at,
        arms,
        tuple(compare(arms[0], arms[1:], lift=LIFT)),
        ratio_p_value([arm.heads for arm in arms], [variant.weight for variant in rule.variants]),
    )


def on_trial(scheme: Scheme | None = None) -> list[Scheme]:
    """The schemes that run a test; one of them, or all."""
    schemes = [scheme] if scheme else Scheme.objects.exclude(state="draft").select_related("version")
    return [each for each in schemes if each.version_id is not None and rule_of(each.version_id).variants]


def has_all_trials() -> bool:
    """False: a test began, or another draw of it, since they were counted last."""
    began = dict(TrialCount.objects.values_list("scheme_id", "began_at"))
    return all(began.get(each.pk) == _began(each, rule_of(each.version_id)) for each in on_trial())


def count_trial(scheme: Scheme, *, now: dt.datetime) -> None:
    """Count the arms of the test that the scheme runs."""
    rule = rule_of(scheme.version_id)
    began_at = _began(scheme, rule)
    found = {"began_at": began_at, "arms": _arms(scheme, rule, began_at, now), "counted_at": now}
    TrialCount.objects.update_or_create(scheme=scheme, defaults=found)


def _arms(scheme: Scheme, rule: SchemeRule, began_at: dt.datetime, now: dt.datetime) -> list[tuple[Any, ...]]:
    """(key, heads, converted, and the sums of what friends spent, of its squares and cubes) of each arm."""
    variant, own = variant_sql("a.id", scheme.public_id, rule)
    # The lot's expression has its parameters by place; here all have names.
    params: dict[str, Any] = {"scheme": scheme.pk, "now": now, "began": began_at, "bought": list(Order.BOUGHT)}
    for place, value in enumerate(own):
        variant = variant.replace("%s", f"%(own_{place})s", 1)
        params[f"own_{place}"] = value
    with connection.cursor() as cursor:
        cursor.execute(_ARMS.format(variant=variant), params)
        return cursor.fetchall()


def _began(scheme: Scheme, rule: SchemeRule) -> dt.datetime:
    """Since when this draw is live: the oldest of the newest versions that draw alike, or later the launch."""
    lot = _lot(rule)
    began = scheme.version.saved_at
    versions = Version.objects.filter(subject=scheme._meta.label_lower, subject_id=scheme.pk).order_by("-number")
    for version in versions:
        if _lot(rule_of(version.pk)) != lot:
            break
        began = version.saved_at
    return max(began, scheme.launched_at or began)


def _lot(rule: SchemeRule) -> tuple[Any, ...]:
    return rule.experiment, tuple((variant.key, variant.weight) for variant in rule.variants)
