"""Sending what is due: claim hundreds, ask the guards, render, mark twenty, hand over with no transaction open, record.

Any number of senders share the rows. One that dies leaves at most twenty messages of which nobody knows whether they
left; these are never sent again by themselves.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from retention.bulk import batches
from retention.customers.addresses import address_hash
from retention.messaging import guards, reasons, rendering, tokens
from retention.messaging.channels import CHANNELS, Channel, HandedOver, Letter, Line, Result
from retention.messaging.channels.sms import NO_NUMBER
from retention.messaging.frequency import current_policy
from retention.messaging.models import Delivery, Suppression, Way
from retention.messaging.operations import outages, outbox, pacing
from retention.messaging.operations.outbox import CLAIM_LEASE, Settlement
from retention.messaging.outgoing import CONFIRMATIONS, Outgoing
from retention.messaging.placeholders import for_all, resolve
from retention.messaging.policy import SendingPolicy
from retention.messaging.words import FAILURES
from retention.shop.models import Shop
from retention.work.operations import raise_alert

CLAIMED_AT_ONCE = 200
#: As many as may become unknown when a sender dies.
SENDING_AT_ONCE = 20
#: Waits between tries, in minutes; after the last one it is given up.
_WAITS = (1, 5, 15, 60, 120, 240, 480)
#: Twenty hand-overs stop after so many seconds, well within their lease, and the rest goes back.
_PATIENCE = 120
#: By which a mail server says that there is no such mailbox or domain, or a provider that there is no such number.
_NO_ADDRESS = {"5.1.1", "5.1.2", "5.1.10", *map(str, NO_NUMBER)}


@dataclass
class Figures:
    """What a run did."""

    due: int = 0
    sent: int = 0
    withheld: int = 0
    failed: int = 0
    unknown: int = 0
    held: int = 0
    retried: int = 0
    skipped: Counter = field(default_factory=Counter)

    def as_dict(self) -> dict[str, Any]:
        return {
            "due": self.due,
            "sent": self.sent,
            "withheld": self.withheld,
            "failed": self.failed,
            "unknown": self.unknown,
            "held": self.held,
            "retried": self.retried,
            "skipped": dict(self.skipped),
        }


def send_due(
    *,
    now: dt.datetime,
    worker: str,
    limit: int | None = None,
    transactional: bool = False,
    progress: Callable[[int, int], None] | None = None,
    seconds: float | None = None,
) -> dict[str, Any]:
    """Send what is due until nothing is left, `limit` were taken up, `seconds` have passed or the line is down.

    `progress(done, total)` is called between batches, outside transactions; what it raises ends the run cleanly.

    Returns: due, sent, withheld, failed, unknown, held, retried and {reason code: count} of skipped.
    """
    figures = Figures()
    repeating = [channel.key for channel in CHANNELS if channel.knows_repetitions]
    lost = outbox.give_up_lost(now=now, repeating=repeating)
    figures.unknown += lost
    for key in outbox.due_channels(CHANNELS.keys(), is_transactional=transactional, at=now):
        channel = CHANNELS[key]
        if outages.resting_until(channel.key, at=now) is None:
            with channel.open(now=now) as line:
                _Run(channel, line, transactional, now, worker, figures).send(limit, progress, seconds)
    if figures.unknown:
        tell_of_unknown(now=now)
    return figures.as_dict()


def tell_of_unknown(*, now: dt.datetime) -> None:
    count = Delivery.objects.filter(state=Delivery.State.UNKNOWN).count()
    text = _("%(count)s messages may or may not have been sent. Look at them and decide.") % {"count": count}
    raise_alert(
        kind="messaging.unknown",
        text=text,
        url=f"/{settings.CONSOLE_PATH}messaging/delivery/?state__exact=unknown",
        now=now,
    )


class _Run:
    """One sender on one channel."""

    def __init__(
        self,
        channel: type[Channel],
        line: Line,
        is_transactional: bool,
        now: dt.datetime,
        worker: str,
        figures: Figures,
    ) -> None:
        self.channel = channel.key
        self.knows_repetitions = channel.knows_repetitions
        self.line = line
        self.is_transactional = is_transactional
        self.token = f"{worker[:40]}:{uuid.uuid4().hex[:12]}"
        self.figures = figures
        self.shop = Shop.objects.first()
        self.had_failures = outages.Outage.objects.filter(channel=channel.key, failures__gt=0).exists()
        self.trouble = ""
        self.policy = SendingPolicy()
        self._now = now
        self._began = time.monotonic()

    @property
    def at(self) -> dt.datetime:
        """The door's time, moved on by how long this run has lasted."""
        return self._now + dt.timedelta(seconds=time.monotonic() - self._began)

    def send(self, limit: int | None, progress: Callable[[int, int], None] | None, seconds: float | None) -> None:
        done = 0
        while (limit is None or done < limit) and (seconds is None or time.monotonic() - self._began < seconds):
            self.policy = current_policy()
            claimed = outbox.claim(
                channel=self.channel,
                is_transactional=self.is_transactional,
                at=self.at,
                limit=min(self._in_hand(), CLAIMED_AT_ONCE if limit is None else limit - done),
                token=self.token,
                zone=self.shop.time_zone if self.shop else "UTC",
            )
            if not claimed:
                break
            self.figures.due += len(claimed)
            self._hand_over(self._letters(claimed))
            done += len(claimed)
            if progress:
                progress(done, max(done, limit or 0))
            if self.trouble:
                break
        if self.trouble:
            outages.note_failure(self.channel, reason=self.trouble, at=self.at)

    def _in_hand(self) -> int:
        """No more than leave well within the lease of a claim."""
        pace = self.policy.pace_of(self.channel)
        return CLAIMED_AT_ONCE if pace is None else max(1, min(CLAIMED_AT_ONCE, int(pace * 60)))

    # -- before: who may get it, and what it says

    def _letters(self, claimed: list[Outgoing]) -> list[tuple[Outgoing, Letter]]:
        allowed = self._ask_guards(claimed)
        templates = rendering.templates_of({delivery.version_id for delivery in allowed})
        chosen = {}
        default = self.shop.default_language if self.shop else "en"
        for delivery in allowed:
            template = rendering.choose(templates[delivery.version_id], delivery.language, default)
            chosen[delivery.id] = template
            delivery.language = template.language
        used = {key for template in chosen.values() for key in template.placeholders}
        values = resolve(used, allowed, now=self._now)
        letters, failed = [], []
        folded: dict[tuple[int, str, bool], rendering.Folded] = {}
        for delivery in allowed:
            mine = values[delivery.id]
            try:
                is_tracked = self.policy.tracks and not delivery.is_transactional
                key = (delivery.version_id, delivery.language, is_tracked)
                if key not in folded:
                    folded[key] = rendering.folded(chosen[delivery.id], for_all(mine), is_tracked=is_tracked)
                if is_tracked:
                    mine["tracking"] = tokens.tracking(delivery.public_id)
                rendered = folded[key].render(mine)
            except FAILURES as error:
                failed.append(Settlement(delivery, "failed", reasons.RENDER_FAILED, {"error": type(error).__name__}))
                continue
            letters.append((delivery, self._letter(delivery, rendered, values[delivery.id].get("unsubscribe_url"))))
        self.figures.failed += len(failed)
        outbox.settle(failed, token=self.token, at=self.at)
        return letters

    def _ask_guards(self, claimed: list[Outgoing]) -> list[Outgoing]:
        refused = guards.refusals(claimed, now=self.at)
        settlements = []
        for delivery in claimed:
            skip = refused.get(delivery.id)
            if skip is None:
                continue
            if skip.until is not None:
                self.figures.held += 1
                settlements.append(Settlement(delivery, "held", skip.code, skip.params, skip.until))
            else:
                self.figures.skipped[skip.code] += 1
                settlements.append(Settlement(delivery, "suppressed", skip.code, skip.params))
        outbox.settle(settlements, token=self.token, at=self.at)
        return [delivery for delivery in claimed if delivery.id not in refused]

    def _letter(self, delivery: Outgoing, rendered: rendering.Rendered, unsubscribe_url: str | None) -> Letter:
        if delivery.is_transactional or delivery.channel != Way.EMAIL:
            unsubscribe_url = None
        elif not unsubscribe_url:
            unsubscribe_url = tokens.unsubscribe_url(delivery.customer_public_id, delivery.channel)
        return Letter(
            frame=(delivery.version_id, delivery.language),
            reference=delivery.public_id,
            # Until she has confirmed, her name is whatever somebody typed.
            name=""
            if delivery.origin == CONFIRMATIONS
            else " ".join(filter(None, (delivery.first_name, delivery.last_name))),
            address=delivery.address or "",
            subject=rendered.subject,
            html=rendered.html,
            text=rendered.text,
            unsubscribe_url=unsubscribe_url,
            url=rendered.url,
        )

    # -- the hand-over

    def _hand_over(self, letters: list[tuple[Outgoing, Letter]]) -> None:
        results: list[tuple[Outgoing, Result]] = []
        left = {delivery.id for delivery, _letter in letters}
        for twenty in batches(letters, self._at_once()):
            self._keep_pace(len(twenty))
            # One commit for both: what became of the last twenty, and that these are about to leave.
            with transaction.atomic():
                self._record(results)
                leaving = [delivery for delivery, _letter in twenty]
                going = outbox.mark_sending(leaving, policy=self.policy, token=self.token, at=self.at)
                withheld = self._withhold([delivery for delivery in leaving if delivery.id in going])
                stopped = [delivery.id for delivery in leaving if delivery.id not in going]
                if stopped:
                    outbox.release(stopped, token=self.token, at=self._now)
            results = self._send([pair for pair in twenty if pair[0].id in going - withheld])
            left -= {delivery.id for delivery, _result in results} | set(stopped) | withheld
            if self.trouble:
                break
        with transaction.atomic():
            self._record(results)
            if left:
                outbox.release(left, token=self.token)

    def _at_once(self) -> int:
        """As many as leave in two seconds where there is a pace, so that no place in the line is taken for long."""
        pace = self.policy.pace_of(self.channel)
        return SENDING_AT_ONCE if pace is None else max(1, min(SENDING_AT_ONCE, int(pace * 2)))

    def _keep_pace(self, count: int) -> None:
        """What someone waits for takes its places too, and goes ahead: the others make room behind it."""
        pace = self.policy.pace_of(self.channel)
        if pace is None:
            return
        wait = pacing.reserve(channel=self.channel, count=count, per_second=pace)
        if not self.is_transactional:
            time.sleep(min(wait, CLAIM_LEASE.total_seconds() / 4))

    def _withhold(self, going: Sequence[Outgoing]) -> set[int]:
        """The ghosts among those that may leave are over here: no line ever sees them."""
        ghosts = [delivery for delivery in going if delivery.is_ghost]
        self.figures.withheld += len(ghosts)
        outbox.settle([Settlement(delivery, "withheld") for delivery in ghosts], token=self.token, at=self.at)
        return {delivery.id for delivery in ghosts}

    def _send(self, letters: Sequence[tuple[Outgoing, Letter]]) -> list[tuple[Outgoing, Result]]:
        """No transaction is open here. What is not in the answer was not handed over."""
        results = []
        deadline = time.monotonic() + _PATIENCE
        for delivery, letter in letters:
            if self.trouble or time.monotonic() > deadline:
                break
            result = self.line.hand_over(letter)
            results.append((delivery, result))
            if result.is_line_down:
                self.trouble = result.code
        return results

    # -- after

    def _record(self, results: Sequence[tuple[Outgoing, Result]]) -> None:
        settlements = [self._settlement(delivery, result) for delivery, result in results]
        outbox.settle(settlements, token=self.token, at=self.at)
        self._suppress_dead_addresses(results)
        if self.had_failures and any(result.how is HandedOver.ACCEPTED for _delivery, result in results):
            outages.note_success(self.channel, at=self.at)
            self.had_failures = False

    def _settlement(self, delivery: Outgoing, result: Result) -> Settlement:
        params = {"detail": result.detail} if result.detail else {}
        if result.how is HandedOver.ACCEPTED:
            self.figures.sent += 1
            return Settlement(delivery, "sent", provider_id=result.provider_id)
        if result.how is HandedOver.REFUSED:
            self.figures.failed += 1
            return Settlement(delivery, "failed", result.code, params)
        if result.how is HandedOver.UNKNOWN and not self.knows_repetitions:
            self.figures.unknown += 1
            return Settlement(delivery, "unknown", result.code, params)
        attempts = delivery.attempts + 1
        if attempts > len(_WAITS):
            self.figures.failed += 1
            return Settlement(delivery, "failed", reasons.GAVE_UP, {"attempts": attempts, "reason": result.code})
        self.figures.retried += 1
        wait = dt.timedelta(minutes=_WAITS[attempts - 1])
        return Settlement(delivery, "queued", result.code, params, not_before=self.at + wait)

    def _suppress_dead_addresses(self, results: Sequence[tuple[Outgoing, Result]]) -> None:
        dead = [
            Suppression(
                channel=delivery.channel,
                address_hash=address_hash(delivery.address_normal or ""),
                why=Suppression.Why.UNSUBSCRIBED if result.code == reasons.SAID_STOP else Suppression.Why.BOUNCE,
                marketing_only=result.code == reasons.SAID_STOP,
                since=self.at,
            )
            for delivery, result in results
            if result.code == reasons.SAID_STOP
            or (result.code == reasons.ADDRESS_REFUSED and result.detail.rpartition(" ")[2] in _NO_ADDRESS)
        ]
        if dead:
            Suppression.objects.bulk_create(dead, ignore_conflicts=True)
