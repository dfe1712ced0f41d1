"""The one query of a campaign: who is due in a window, as of when, and why not, if not. Runs and previews share it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import Q

from campaigns.local_days import every_zone, zones_of
from campaigns.models import Campaign
from campaigns.plans import Plan
from campaigns.reachability import Way, ways
from retention.customers.models import Customer
from retention.registries import Window
from retention.segments.models import Segment
from retention.segments.querysets import members

TOO_LATE = "campaigns.too_late"
NO_ADDRESS = "campaigns.no_address"
NO_CONSENT = "campaigns.no_consent"
#: Skipped for these, a customer is looked at again while it is not too late: consent often follows the sign-up.
MENDABLE = (NO_ADDRESS, NO_CONSENT)
#: Why a touch ended before its steps were over.
NO_WAY = "campaigns.no_channel"
CONVERTED = "campaigns.converted"
LEFT = "campaigns.left"
NOT_MEANT = "campaigns.not_meant"
TOO_SOON = "campaigns.too_soon"
COOLING_DOWN = "campaigns.cooling_down"
CUSTOMERS_LIMIT = "campaigns.customers_limit"
LIMIT_REACHED = "campaigns.limit_reached"
#: No touch is skipped for these: she waits until the campaign is opened further; or goes her way without a thing.
HELD = "campaigns.held"
HELD_OUT = "campaigns.held_out"

#: Customers of whom something was learned by transactions from one mark to before another.
CHANGED = (
    "SELECT id FROM customers_customer WHERE xid >= %s::text::xid8 AND xid < %s::text::xid8",
    "SELECT customer_id FROM customers_customerstats WHERE xid >= %s::text::xid8 AND xid < %s::text::xid8",
    "SELECT customer_id FROM customers_consentstate WHERE xid >= %s::text::xid8 AND xid < %s::text::xid8",
)


@dataclass(frozen=True)
class Sql:
    """A statement and its parameters."""

    text: str
    params: list[Any]


def changed_sql(changed: tuple[int, int], facts: Iterable[str] = ()) -> Sql:
    """Customers of whom something was learned between two marks; by the facts of occasions, too."""
    parts = (*CHANGED, *facts)
    return Sql(" UNION ".join(parts), [*changed] * len(parts))


@dataclass(frozen=True)
class Selection:
    """Who a plan means, read once for a whole look: its segments' rules and what its first message needs.

    Attributes:
        opens_at: nobody is due as of an earlier instant.
        late_before: what fell due before it is too late.
        audience: rule of the segment, None for everyone.
        ways: by which the first message may go; none where nothing is said.
        is_past: who was due, by the facts as they stood then.
    """

    campaign_id: int
    plan: Plan
    shop_zone: str
    now: dt.datetime
    opens_at: dt.datetime
    late_before: dt.datetime
    audience: Any
    excluded: Any
    ways: tuple[Way, ...]
    is_past: bool = False

    @classmethod
    def of(cls, campaign: Campaign, plan: Plan, *, shop_zone: str, now: dt.datetime, opens_at: dt.datetime):
        """Read what the plan names; one query each.

        Raises:
            Segment.DoesNotExist: a segment is gone.
        """
        rules = dict(Segment.objects.filter(pk__in=[plan.audience, plan.excluded]).values_list("pk", "rule"))
        return cls(
            campaign_id=campaign.pk or 0,
            plan=plan,
            shop_zone=shop_zone,
            now=now,
            opens_at=opens_at,
            late_before=now - plan.lateness,
            audience=rules[plan.audience] if plan.audience else None,
            excluded=rules[plan.excluded] if plan.excluded else None,
            ways=ways(plan.first_messages),
        )

    def with_late_before(self, at: dt.datetime) -> Selection:
        """The same, with another border of what is too late."""
        return replace(self, late_before=at)

    def due(
        self,
        since: dt.datetime,
        until: dt.datetime,
        *,
        from_id: int,
        until_id: int,
        changed: tuple[int, int] | None = None,
        zones: frozenset[str] | None = None,
    ) -> Sql | None:
        """Rows of `customer_id, occasion, due_at, grant_id, about, reason` of customers in [from_id, until_id).

        Those touched already are left out. `changed` keeps only customers of whom something was learned by
        transactions between the two marks. None: the calendar says that nobody can be due.
        """
        window = Window(since, until, self.shop_zone, zones if zones is not None else every_zone())
        args = self.plan.cleaned_args()
        found = (
            self.plan.of.past_sql(args, window, self.opens_at) if self.is_past else self.plan.of.due_sql(args, window)
        )
        if found is None:
            return None
        due, due_params = found
        reason, reason_params = self._reason()
        who, who_params = self._who(from_id, until_id)
        again = changed_sql(changed, self.plan.of.facts) if changed else Sql("", [])
        text = f"""
            SELECT d.customer_id, d.occasion, d.due_at, d.grant_id, d.about, {reason} AS reason
            FROM (SELECT customer_id, occasion, GREATEST(due_at, %s) AS due_at, grant_id, about FROM ({due}) o) d
            JOIN customers_customer c ON c.id = d.customer_id
            WHERE {who} {f"AND c.id IN ({again.text})" if changed else ""}
            AND NOT EXISTS (
                SELECT FROM campaigns_touch t
                WHERE t.campaign_id = %s AND t.customer_id = c.id AND t.occasion = d.occasion
            )
        """  # noqa: S608
        params = [*reason_params, self.opens_at, *due_params, *who_params, *again.params]
        params.append(self.campaign_id)
        if self.plan.of.days_apart:
            text += """
                AND NOT EXISTS (
                    SELECT FROM campaigns_touch t WHERE t.campaign_id = %s AND t.customer_id = c.id
                    AND t.state <> 'skipped' AND t.due_at > d.due_at - %s AND t.due_at < d.due_at + %s
                )
            """
            apart = dt.timedelta(days=self.plan.of.days_apart)
            params += [self.campaign_id, apart, apart]
        return Sql(text, params)

    def mended(self, changed: tuple[int, int]) -> Sql:
        """Ids of touches skipped for want of consent or address, not too late, who can be written to now."""
        reason, reason_params = self._reason(due_at="t.due_at")
        again = changed_sql(changed)
        text = f"""
            SELECT t.id FROM campaigns_touch t JOIN customers_customer c ON c.id = t.customer_id
            WHERE t.campaign_id = %s AND t.state = 'skipped' AND t.reason = ANY(%s) AND t.due_at >= %s
            AND c.id IN ({again.text}) AND {reason} = ''
        """  # noqa: S608
        return Sql(text, [self.campaign_id, list(MENDABLE), self.late_before, *again.params, *reason_params])

    def _reason(self, due_at: str = "d.due_at") -> tuple[str, list[Any]]:
        cases, params = [f"WHEN {due_at} < %s THEN '{TOO_LATE}'"], [self.late_before]
        if self.ways and all(way.address for way in self.ways):
            nowhere = " AND ".join(f"{way.address} IS NULL" for way in self.ways)
            cases.append(f"WHEN {nowhere} THEN '{NO_ADDRESS}'")
        if self.ways:
            usable = [way.may_be_used(self.now) for way in self.ways]
            cases.append(f"WHEN NOT ({' OR '.join(f'({text})' for text, _params in usable)}) THEN '{NO_CONSENT}'")
            params += [param for _text, its in usable for param in its]
        return f"CASE {' '.join(cases)} ELSE '' END", params

    def _who(self, from_id: int, until_id: int) -> tuple[str, list[Any]]:
        text = "c.merged_into_id IS NULL AND c.erased_at IS NULL AND c.id >= %s AND c.id < %s"
        params: list[Any] = [from_id, until_id]
        if self.plan.countries:
            text += " AND c.country = ANY(%s)"
            params.append(list(self.plan.countries))
        for rule, within in ((self.audience, "IN"), (self.excluded, "NOT IN")):
            if rule is not None:
                inside = members(rule, self.now, among=Q(pk__gte=from_id, pk__lt=until_id))
                sql, inside_params = inside.order_by().values("pk").query.sql_with_params()
                text += f" AND c.id {within} ({sql})"
                params += inside_params
        return text, params


def zones_in_use() -> frozenset[str]:
    """The zones that customers live in: a month of them all would be computed for hundreds where nobody is."""
    return zones_of(Customer.objects.order_by().values_list("time_zone", flat=True).distinct())


def zones_of_changed(changed: tuple[int, int], facts: Iterable[str]) -> frozenset[str]:
    """The zones of customers of whom something was learned between two marks; none where nothing was."""
    again = changed_sql(changed, facts)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT time_zone FROM customers_customer WHERE id IN ({again.text})",  # noqa: S608
            again.params,
        )
        return zones_of(zone for (zone,) in cursor.fetchall())
