"""How far a campaign is: its look over the customers, its touches, the outbox, and its codes that are out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.goals import ORIGIN
from campaigns.models import Campaign, Reach, Touch
from campaigns.operations.reaching import customer_ids
from retention.incentives.models import Code
from retention.messaging.models import Pause
from retention.refusals import Refusal
from retention.segments.querysets import TooSlow, within_ms

#: A page does not wait longer for its figures.
LIMIT_MS = 2_000
#: Beyond this nobody counts on a page.
MANY = 100_000


@dataclass(frozen=True)
class Progress:
    """Figures of now; None where counting took too long.

    `pause` is why its messages wait, where too many of them went wrong.

    Attributes:
        percent: of the customers looked at in the look under way; None: none is under way.
        touches: state → how many.
        outbox: messages that have not left yet; `sent`: those that have.
    """

    percent: int | None
    touches: Counter | None
    outbox: int | None
    sent: int | None
    pause: Pause | None = None

    @property
    def why_paused(self) -> str:
        return str(Refusal(self.pause.reason, self.pause.params)) if self.pause else ""

    @property
    def is_going_on(self) -> bool:
        return self.percent is not None or bool(self.outbox)

    @property
    def sent_percent(self) -> int:
        every = (self.sent or 0) + (self.outbox or 0)
        return 100 * (self.sent or 0) // every if every else 100

    def lines(self) -> list[tuple[str, str]]:
        """(state, how many) of the touches."""
        touches = self.touches or Counter()
        return [(str(label), f"{touches[value]:,}") for value, label in Touch.State.choices if touches[value]]


def progress_of(campaign: Campaign) -> Progress:
    """Counted now, over the campaign's own touches."""
    reached = Reach.objects.filter(campaign=campaign).first()
    pause = Pause.objects.filter(origin=ORIGIN, group_id=campaign.pk, lifted_at=None).first()
    percent = None
    if reached is not None and reached.phase != Reach.Phase.REST:
        first, last = customer_ids()
        percent = min(100, 100 * max(0, reached.position - first) // max(1, last - first + 1))
    try:
        with within_ms(LIMIT_MS) as cursor:
            cursor.execute(
                "SELECT state, count(*) FROM campaigns_touch WHERE campaign_id = %s GROUP BY 1", [campaign.pk]
            )
            touches = Counter(dict(cursor.fetchall()))
            cursor.execute(
                """
                SELECT count(*) FILTER (WHERE d.state IN ('queued', 'held', 'claimed', 'sending')),
                       count(*) FILTER (WHERE d.state IN ('sent', 'withheld', 'unknown'))
                FROM campaigns_touch t JOIN messaging_delivery d ON d.origin = %s AND d.origin_id = t.id
                WHERE t.campaign_id = %s
                """,
                [ORIGIN, campaign.pk],
            )
            outbox, sent = cursor.fetchone()
    except TooSlow:
        return Progress(percent, None, None, None, pause)
    return Progress(percent, touches, outbox, sent, pause)


def codes_out(campaign: Campaign) -> int:
    """How many of its codes are out and unused, up to a bound."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM (
                SELECT FROM campaigns_touch t JOIN incentives_grant g ON g.origin = %s AND g.origin_id = t.id
                JOIN incentives_code k ON k.grant_id = g.id WHERE t.campaign_id = %s AND k.state = ANY(%s) LIMIT %s
            ) out
            """,
            [ORIGIN, campaign.pk, list(Code.OUT), MANY + 1],
        )
        return cursor.fetchone()[0]


def codes_out_words(campaign: Campaign) -> str:
    """What a new version means for the codes that are out: they keep what was promised."""
    count = codes_out(campaign)
    if not count:
        return ""
    shown = f"{count:,}" if count <= MANY else _("More than 100,000")
    return ngettext(
        "One code is already out; it keeps what it promises. Those who wait for a step keep theirs.",
        "%(count)s codes are already out; they keep what they promise. Those who wait for a step keep theirs.",
        count,
    ) % {"count": shown}
