"""What may be sent when and how often, as a marketer says it: caps, quiet hours, the brake on bad rates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from retention import clock
from retention.messaging.models import Way

Per = Literal["hours", "days", "day", "week", "month"]
#: No window looks further back, and no calendar month is longer.
LONGEST = dt.timedelta(days=31)


class Part(BaseModel):
    """Exact, unchangeable, and knows nothing it was not told to know."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


@dataclass(frozen=True, slots=True)
class Left:
    """A message that left, or would have: what caps count."""

    at: dt.datetime
    channel: str
    topic: str


class Cap(Part):
    """At most `most` messages to one customer within `span` hours or days, or in her calendar day, week or month."""

    channel: Literal["", "email", "sms", "push", "inbox", "webhook"] = Field(
        default="", description="Empty: all together."
    )
    topic: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,50}$")] = Field(
        default="", description="Empty: all."
    )
    most: Annotated[int, Field(ge=1, le=1000)]
    per: Per = "days"
    span: Annotated[int, Field(ge=1, le=744)] = Field(
        default=1, description="How many hours or days back; 1 for the others."
    )

    @model_validator(mode="after")
    def _span_fits(self) -> Cap:
        if self.per not in ("hours", "days") and self.span != 1:
            raise ValueError("a calendar day, week or month has no span")
        if self.per == "days" and self.span > LONGEST.days:
            raise ValueError(f"at most {LONGEST.days} days back")
        return self

    def covers(self, channel: str, topic: str) -> bool:
        return self.channel in ("", channel) and self.topic in ("", topic)

    def since(self, now: dt.datetime, zone: str) -> dt.datetime:
        """The first instant that counts; rolling windows are open there, calendar ones closed."""
        if self.per == "hours":
            return now - dt.timedelta(hours=self.span)
        if self.per == "days":
            return now - dt.timedelta(days=self.span)
        return clock.local_instant(self._first_day(now.astimezone(clock.zone(zone)).date()), dt.time(), zone)

    def room_at(self, counted: Sequence[dt.datetime], now: dt.datetime, zone: str) -> dt.datetime | None:
        """When the next one may leave, where `counted` instants are too many; None: now."""
        since = self.since(now, zone)
        is_rolling = self.per in ("hours", "days")
        within = sorted(at for at in counted if at > since or (at == since and not is_rolling))
        if len(within) < self.most:
            return None
        if is_rolling:
            return within[len(within) - self.most] + (now - since)
        first = self._first_day(now.astimezone(clock.zone(zone)).date())
        longest = {"day": 1, "week": 7, "month": 31}[self.per]
        return clock.local_instant(self._first_day(first + dt.timedelta(days=longest)), dt.time(), zone)

    def sentence(self) -> str:
        every = _("all channels together") if not self.channel else str(Way(self.channel).label)
        said = ngettext("at most %(n)s message", "at most %(n)s messages", self.most) % {"n": self.most}
        topic = _(" about %(topic)s") % {"topic": self.topic} if self.topic else ""
        return f"{said}{topic} {self.period()} ({every})"

    def period(self) -> str:
        if self.per == "hours":
            return ngettext("within %(n)s hour", "within %(n)s hours", self.span) % {"n": self.span}
        if self.per == "days":
            return ngettext("within %(n)s day", "within %(n)s days", self.span) % {"n": self.span}
        return {"day": _("a calendar day"), "week": _("a calendar week"), "month": _("a calendar month")}[self.per]

    def _first_day(self, day: dt.date) -> dt.date:
        if self.per == "week":
            return day - dt.timedelta(days=day.weekday())
        return day.replace(day=1) if self.per == "month" else day


class QuietHours(Part):
    """From `starts` until `ends` by her own clock, over midnight too, nothing leaves on these channels."""

    starts: dt.time
    ends: dt.time
    channels: Annotated[tuple[Literal["email", "sms", "push", "inbox", "webhook"], ...], Field(min_length=1)]
    then: Literal["hold", "drop"] = "hold"

    @model_validator(mode="after")
    def _lasts(self) -> QuietHours:
        if self.starts == self.ends:
            raise ValueError("quiet hours end at another time than they begin")
        return self

    def until(self, now: dt.datetime, zone: str) -> dt.datetime | None:
        """When they end for her, where it is quiet now."""
        local = now.astimezone(clock.zone(zone))
        at, day = local.time(), local.date()
        if self.starts < self.ends:
            return clock.local_instant(day, self.ends, zone) if self.starts <= at < self.ends else None
        if at >= self.starts:
            return clock.local_instant(day + dt.timedelta(days=1), self.ends, zone)
        return clock.local_instant(day, self.ends, zone) if at < self.ends else None

    def sentence(self) -> str:
        words = {
            "from": self.starts.strftime("%H:%M"),
            "until": self.ends.strftime("%H:%M"),
            "channels": ", ".join(str(Way(channel).label) for channel in self.channels),
        }
        if self.then == "hold":
            return _("from %(from)s to %(until)s in her zone messages wait (%(channels)s)") % words
        return _("from %(from)s to %(until)s in her zone messages are dropped (%(channels)s)") % words


class Brake(Part):
    """A campaign's or a channel's marketing rests by itself when too much of it bounces or is complained about."""

    bounced_per_mille: Annotated[int, Field(ge=1, le=1000)] = 50
    complained_per_mille: Annotated[int, Field(ge=1, le=1000)] = 3
    sample: Annotated[int, Field(ge=10, le=1_000_000)] = Field(
        default=200, description="Fewer sent messages say nothing."
    )

    def sentence(self) -> str:
        return _(
            "a campaign or channel pauses by itself when over %(bounced)s%% bounce or over %(complained)s%% complain,"
            " from %(sample)s messages on"
        ) % {
            "bounced": f"{self.bounced_per_mille / 10:g}",
            "complained": f"{self.complained_per_mille / 10:g}",
            "sample": self.sample,
        }


class Pace(Part):
    """No more than so many messages a second are handed to a channel's provider, by all senders together."""

    channel: Literal["email", "sms", "push", "inbox", "webhook"] = "email"
    per_second: Annotated[float, Field(gt=0, le=100_000)]

    def sentence(self) -> str:
        return _("%(n)s a second at most (%(channel)s)") % {
            "n": f"{self.per_second:g}",
            "channel": Way(self.channel).label,
        }


class SendingPolicy(Part):
    """The whole of it; what nobody said does not hold, but for the brake."""

    caps: Annotated[tuple[Cap, ...], Field(max_length=20)] = ()
    over_cap: Literal["hold", "drop"] = Field(
        default="drop", description="What becomes of a message that is one too many."
    )
    quiet_hours: QuietHours | None = None
    brake: Brake | None = Brake()
    paces: Annotated[tuple[Pace, ...], Field(max_length=5)] = ()
    tracks: bool = Field(default=True, description="Whether opens and clicks of marketing mail are seen.")

    def sentence(self) -> str:
        """What holds, in one sentence."""
        said = [cap.sentence() for cap in self.caps]
        if said:
            said.append(_("one too many waits") if self.over_cap == "hold" else _("one too many is dropped"))
        else:
            said.append(_("no caps on frequency"))
        said.append(self.quiet_hours.sentence() if self.quiet_hours else _("no quiet hours"))
        said.append(self.brake.sentence() if self.brake else _("no brake on bad rates"))
        said += [pace.sentence() for pace in self.paces]
        if not self.tracks:
            said.append(_("opens and clicks are not seen"))
        text = "; ".join(said)
        return f"{text[:1].upper()}{text[1:]}."

    def pace_of(self, channel: str) -> float | None:
        """Messages a second, the slowest where several are said; None: as fast as it goes."""
        return min((pace.per_second for pace in self.paces if pace.channel == channel), default=None)

    def covering(self, channel: str, topic: str) -> list[Cap]:
        return [cap for cap in self.caps if cap.covers(channel, topic)]


def room(
    caps: Iterable[Cap], lefts: Sequence[Left], *, channel: str, topic: str, now: dt.datetime, zone: str
) -> tuple[Cap, dt.datetime] | None:
    """The cap that lets no more of this kind leave now, and when it will; where several do, the one that lasts."""
    full = []
    for cap in caps:
        if cap.covers(channel, topic):
            until = cap.room_at([left.at for left in lefts if cap.covers(left.channel, left.topic)], now, zone)
            if until is not None:
                full.append((until, cap))
    if not full:
        return None
    until, cap = max(full, key=lambda pair: pair[0])
    return cap, until


def as_data(policy: SendingPolicy) -> dict[str, Any]:
    return policy.model_dump(mode="json")
