"""Occasions of rewards: a choice that closes, little short of the next one, a surprise that lies unused."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns.local_days import DAY, local_days, spans
from campaigns.occasions.base import SPANS, ZONE, HourForm, as_json, hour_text, known_zones
from campaigns.occasions.fields import RowField
from campaigns.occasions.members import GROUP, keyed, programme_field, programme_text
from loyalty.models import Reward
from retention.registries import Occasion, occasions

_ENTRIES = (
    "SELECT a.customer_id FROM ledger_entry e JOIN ledger_account a ON a.id = e.to_account_id"
    " WHERE e.xid >= %s::text::xid8 AND e.xid < %s::text::xid8"
)
# The cheapest reward that she cannot have yet.
_NEXT_REWARD = """r.id = (
    SELECT next.id FROM loyalty_reward next
    WHERE next.programme_id = p.id AND next.state = 'live' AND next.archived_at IS NULL
      AND next.price > a.balance - a.held ORDER BY next.price, next.id LIMIT 1)"""


@occasions.register
class ChoiceClosing(Occasion):
    """Days before she can choose no more. Key: the choice; who has chosen by then is not meant."""

    key = "choice_closing"
    label = _("Choice of a reward about to close")
    group = GROUP
    settled = "campaigns.chosen"
    settled_sentence = _("she chose her reward before it left")
    settled_sql = """
        SELECT t.id FROM campaigns_touch t WHERE t.id = ANY(%(touches)s) AND NOT EXISTS (
            SELECT FROM loyalty_passing p WHERE p.id = split_part(t.occasion, ':', 2)::bigint AND p.state = 'open')
    """

    class form_class(HourForm):
        days = forms.IntegerField(label=_("days before the end"), min_value=1, max_value=365, initial=3)
        programme = programme_field()
        field_order = ["days", "programme", "hour"]

    @classmethod
    def sentence(cls, args):
        text = ngettext(
            "one day before a choice of hers%(programme)s closes, at %(hour)s her time",
            "%(days)s days before a choice of hers%(programme)s closes, at %(hour)s her time",
            args["days"],
        )
        return text % {"days": args["days"], "programme": programme_text(args), "hour": hour_text(args)}

    @classmethod
    def due_sql(cls, args, window):
        rows = list(keyed(local_days(args["hour"], window), window.shop_zone, DAY * args["days"], ""))
        if not rows:
            return None
        sql = f"""
            SELECT c.id AS customer_id, 'choice:' || o.id AS occasion, v.due_at, NULL::bigint AS grant_id,
                   jsonb_build_object('programme', p.key, 'milestone', o.milestone) AS about
            FROM {SPANS}
            JOIN loyalty_passing o ON o.state = 'open' AND o.choose_until >= v.from_at AND o.choose_until < v.until_at
            JOIN loyalty_member m ON m.id = o.member_id AND m.left_at IS NULL
            JOIN loyalty_programme p ON p.id = m.programme_id AND %s IN ('', p.key)
            JOIN customers_customer c ON c.id = m.customer_id AND {ZONE} = ANY(v.zones)
        """  # noqa: S608
        return sql, [as_json(rows), args["programme"], known_zones()]


@occasions.register
class ShortOfReward(Occasion):
    """Key: the account, the reward, and the last time that something was spent: once on each way up.

    Without a reward it is the next one that she cannot have yet.
    """

    key = "short_of_reward"
    label = _("Little short of a reward")
    group = GROUP
    has_local_hour = False
    is_foreseeable = False
    facts = (_ENTRIES,)

    class form_class(forms.Form):
        reward = RowField(
            Reward.objects.all, value="public_id", label=_("reward"), offered={"state": "live", "archived_at": None},
            required=False,
        )  # fmt: skip
        short = forms.IntegerField(label=_("at most so much short of it"), min_value=1, max_value=10**13)

    @classmethod
    def sentence(cls, args):
        if not args["reward"]:
            return _t("as soon as she is %(short)s or less short of the next reward") % {"short": args["short"]}
        name = Reward.objects.filter(public_id=args["reward"]).values_list("name", flat=True).first()
        words = {"short": args["short"], "name": name or "?"}
        return _t("as soon as she is %(short)s or less short of the reward “%(name)s”") % words

    @classmethod
    def due_sql(cls, args, window):
        meant = "r.public_id = %s" if args["reward"] else _NEXT_REWARD
        sql = f"""
            SELECT a.customer_id,
                   'reward:' || a.id || ':' || r.id || ':' || coalesce((
                       SELECT max(e.id) FROM ledger_entry e WHERE e.from_account_id = a.id), 0) AS occasion,
                   last.recorded_at AS due_at, NULL::bigint AS grant_id,
                   jsonb_build_object('programme', p.key, 'reward', r.name, 'short', r.price - (a.balance - a.held))
                   AS about
            FROM loyalty_reward r JOIN loyalty_programme p ON p.id = r.programme_id
            JOIN ledger_account a ON a.unit_id = p.unit_id AND a.kind = 'customer' AND NOT a.is_frozen
                 AND a.balance - a.held >= r.price - %s AND a.balance - a.held < r.price
            JOIN loyalty_member m ON m.customer_id = a.customer_id AND m.programme_id = p.id AND m.left_at IS NULL
            CROSS JOIN LATERAL (SELECT e.recorded_at FROM ledger_entry e WHERE e.to_account_id = a.id
                                ORDER BY e.id DESC LIMIT 1) last
            WHERE {meant} AND r.state = 'live' AND last.recorded_at >= %s AND last.recorded_at < %s
        """  # noqa: S608
        wished = [args["reward"]] if args["reward"] else []
        return sql, [args["short"], *wished, window.since, window.until]


@occasions.register
class SurpriseUnused(Occasion):
    """So long after a surprise with a code. Key: its claim: once. Whoever has used the code by then is not meant."""

    key = "surprise_unused"
    label = _("Surprise not used yet")
    group = GROUP
    settled = "campaigns.surprise_used"
    settled_sentence = _("she used the surprise, or it ended, before it left")
    settled_sql = """
        SELECT t.id FROM campaigns_touch t WHERE t.id = ANY(%(touches)s) AND NOT EXISTS (
            SELECT FROM loyalty_claim claim JOIN incentives_code code ON code.grant_id = claim.grant_id
            LEFT JOIN incentives_giftcard card ON card.code_id = code.id
            LEFT JOIN ledger_account account ON account.id = card.account_id
            WHERE claim.id = split_part(t.occasion, ':', 2)::bigint AND code.state = 'given'
              AND (account.id IS NULL OR account.balance >= card.initial_minor))
    """

    class form_class(HourForm):
        days = forms.IntegerField(label=_("days after it was given"), min_value=1, max_value=365, initial=14)
        programme = programme_field()
        field_order = ["days", "programme", "hour"]

    @classmethod
    def sentence(cls, args):
        text = ngettext(
            "a day after a surprise%(programme)s that she has not used, at %(hour)s her time",
            "%(days)s days after a surprise%(programme)s that she has not used, at %(hour)s her time",
            args["days"],
        )
        return text % {"days": args["days"], "programme": programme_text(args), "hour": hour_text(args)}

    @classmethod
    def due_sql(cls, args, window):
        ago: dt.timedelta = DAY * args["days"]
        rows = spans(local_days(args["hour"], window), window.shop_zone, lambda day: [(day - ago, "")])
        if (found := as_json(rows)) == "[]":
            return None
        sql = f"""
            SELECT c.id AS customer_id, 'surprise:' || claim.id AS occasion, v.due_at, claim.grant_id,
                   jsonb_build_object('programme', p.key) AS about
            FROM {SPANS}
            JOIN loyalty_claim claim ON claim.origin = 'loyalty.surprise' AND claim.state = 'claimed'
                 AND claim.claimed_at >= v.from_at AND claim.claimed_at < v.until_at
            JOIN loyalty_member m ON m.id = claim.member_id
            JOIN loyalty_programme p ON p.id = m.programme_id AND %s IN ('', p.key)
            JOIN incentives_code code ON code.grant_id = claim.grant_id AND code.state = 'given'
                 AND (code.expires_at IS NULL OR code.expires_at > v.due_at)
            LEFT JOIN incentives_giftcard card ON card.code_id = code.id
            LEFT JOIN ledger_account account ON account.id = card.account_id
            JOIN customers_customer c ON c.id = m.customer_id AND {ZONE} = ANY(v.zones)
            WHERE account.id IS NULL OR account.balance >= card.initial_minor
        """  # noqa: S608
        return sql, [found, args["programme"], known_zones()]
