"""The leak alarm: an offer, or one code, that is suddenly used far faster than is usual for it.

The rule, as the marketer's guide tells it: in the last ten minutes it was used at least `LEAST` times, and at least
`TIMES` as often as in ten minutes of its own busiest hour of the last seven days. An offer that is younger than an hour
has no usual yet, and does not alarm; one that expects a rush says so in its rule, and does not alarm either.
The alarm is told once a day; it ends when an hour went by without the rule being met, or when the offer is stopped.
"""

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from retention.incentives.models import Incentive
from retention.work.models import Alert, Watermark
from retention.work.operations import raise_alert, resolve_alert

ALERT = "incentives.leak"
_MARK = f"{ALERT}:"
RECENT, USUAL = dt.timedelta(minutes=10), dt.timedelta(days=7)
LEAST, TIMES = 20, 5
QUIET_FOR, AGAIN_AFTER = dt.timedelta(hours=1), dt.timedelta(days=1)

# What was used in the last minutes is little, so nothing but the few that were used often is looked at for its past.
_FAST = """
WITH recent AS (
    SELECT used.incentive_id, used.code_id FROM incentives_redemption redemption
    JOIN incentives_use used ON used.redemption_id = redemption.id
    WHERE redemption.redeemed_at > %(recent)s AND redemption.redeemed_at <= %(now)s
), counted AS (
    SELECT incentive_id, NULL::bigint AS code_id, count(*) AS uses FROM recent GROUP BY incentive_id
    HAVING count(*) >= %(least)s
    UNION ALL
    SELECT incentive_id, code_id, count(*) FROM recent WHERE code_id IS NOT NULL GROUP BY incentive_id, code_id
    HAVING count(*) >= %(least)s
)
SELECT incentive.id, incentive.name, code.code, counted.code_id, counted.uses, coalesce(busiest.uses, 0) / 6.0
FROM counted
JOIN incentives_incentive incentive ON incentive.id = counted.incentive_id AND incentive.state = 'live'
JOIN audit_version version ON version.id = incentive.version_id
LEFT JOIN incentives_code code ON code.id = counted.code_id
CROSS JOIN LATERAL (
    SELECT max(hours.uses) AS uses FROM (
        SELECT count(*) AS uses FROM incentives_use used
        WHERE used.incentive_id = counted.incentive_id AND (counted.code_id IS NULL OR used.code_id = counted.code_id)
          AND used.used_at > %(since)s AND used.used_at <= %(recent)s
        GROUP BY floor(extract(epoch FROM used.used_at - %(since)s) / 3600)
    ) hours
) busiest
WHERE NOT coalesce((version.data #>> '{limits,expects_rush}')::boolean, false)
  AND EXISTS (
      SELECT FROM incentives_use used WHERE used.incentive_id = incentive.id AND used.used_at <= %(hour_ago)s
  )
  AND counted.uses >= %(times)s * greatest(coalesce(busiest.uses, 0) / 6.0, 1)
ORDER BY incentive.id, counted.code_id NULLS FIRST
"""


@dataclass(frozen=True)
class Leak:
    """An offer or one code of it, with its uses of the last ten minutes and those of ten usual ones."""

    incentive_id: int
    name: str
    code: str | None
    code_id: int | None
    uses: int
    usual: float

    @property
    def subject(self) -> str:
        return f"{self.incentive_id}:{self.code_id or 0}"

    def sentence(self) -> str:
        what = _("The code %(code)s of “%(name)s”") if self.code else _("“%(name)s”")
        words = what + " " + _("may have leaked: %(uses)s uses in 10 minutes, usually %(usual)s at most.")
        return words % {"name": self.name, "code": self.code, "uses": f"{self.uses:,}", "usual": f"{self.usual:.0f}"}


def fast_offers(*, now: dt.datetime) -> list[Leak]:
    """Offers and codes to which the rule applies now. Where all uses are of one code, the code alone is named."""
    with connection.cursor() as cursor:
        cursor.execute(
            _FAST,
            {
                "now": now,
                "recent": now - RECENT,
                "since": now - RECENT - USUAL,
                "hour_ago": now - dt.timedelta(hours=1),
                "least": LEAST,
                "times": TIMES,
            },
        )
        found = [Leak(*row[:-1], usual=float(row[-1])) for row in cursor.fetchall()]
    by_code = {(leak.incentive_id, leak.uses) for leak in found if leak.code_id}
    return [leak for leak in found if leak.code_id or (leak.incentive_id, leak.uses) not in by_code]


def watch_leaks(*, now: dt.datetime) -> list[Leak]:
    """Raise an alarm for each, once a day; resolve those that were quiet for an hour or whose offer was stopped."""
    fast = fast_offers(now=now)
    told = dict(Watermark.objects.filter(key__startswith=_MARK).values_list("key", "mark"))
    new = []
    for leak in fast:
        begun = told.get(f"{_MARK}{leak.subject}")
        if begun is None or now.timestamp() - begun >= AGAIN_AFTER.total_seconds():
            _raise(leak, now)
            new.append(leak)
        Watermark.objects.filter(key=f"{_MARK}{leak.subject}").update(at=now)
    _resolve_quiet({leak.subject for leak in fast}, now)
    return new


def _raise(leak: Leak, now: dt.datetime) -> None:
    raise_alert(
        kind=ALERT,
        subject=leak.subject,
        level=Alert.Level.URGENT,
        text=leak.sentence(),
        url=f"/{settings.CONSOLE_PATH}incentives/incentive/{leak.incentive_id}/change/",
        now=now,
    )
    Watermark.objects.update_or_create(key=f"{_MARK}{leak.subject}", defaults={"mark": int(now.timestamp()), "at": now})


def _resolve_quiet(fast: set[str], now: dt.datetime) -> None:
    quiet = Watermark.objects.filter(key__startswith=_MARK, at__lte=now - QUIET_FOR)
    over = {key.removeprefix(_MARK) for key in quiet.values_list("key", flat=True)}
    for subject in Alert.objects.filter(kind=ALERT, resolved_at=None).values_list("subject", flat=True):
        incentive_id = int(subject.partition(":")[0])
        is_live = Incentive.objects.filter(pk=incentive_id, state=Incentive.State.LIVE).exists()
        if subject not in fast and (subject in over or not is_live):
            resolve_alert(kind=ALERT, subject=subject, now=now)
