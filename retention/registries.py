"""The registries, and the base of everything that an app adds by having a file of a known name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils.functional import Promise

from retention.event_kinds import EventKind
from retention.keyed import Registry

#: A text, or one that is translated when it is shown.
StrOrPromise = str | Promise


class Described:
    """What marketers read of a class: a label, a sentence with `{arguments}`, and the form that asks for them."""

    key: ClassVar[str] = ""
    label: ClassVar[StrOrPromise] = ""
    group: ClassVar[StrOrPromise] = ""
    #: Draws the arguments in the console, validates them at the API, and re-checks them when a stored rule is read.
    form_class: ClassVar[type[forms.Form]] = forms.Form

    @classmethod
    def clean(cls, args: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as Python values.

        Raises:
            forms.ValidationError: by argument name, or for a name that is not asked for.
        """
        unknown = set(args) - set(cls.form_class.base_fields)
        if unknown:
            raise forms.ValidationError(dict.fromkeys(sorted(unknown), "There is no such argument."))
        form = cls.form_class(data={name: value for name, value in args.items() if value is not None})
        if not form.is_valid():
            raise forms.ValidationError(form.errors.as_data())
        return form.cleaned_data

    @classmethod
    def sentence(cls, args: Mapping[str, Any]) -> str:
        """The cleaned arguments as one sentence in the marketer's words."""
        raise NotImplementedError


class Condition(Described):
    """Which customers: one question with one answer for each of them.

    `q` is over `Customer`; statistics by `stats__…` (one row each), every other table only by correlated
    `Exists(…OuterRef("pk"))`, so that all / any / not compose truthfully and the same SQL serves everyone and one.
    """

    #: Whether the answer can change with time alone, with no new fact.
    is_time_relative: ClassVar[bool] = False
    #: What it looks at with one customer, as a path from her, where its question does not show it by itself.
    looks_at: ClassVar[str] = ""

    @classmethod
    def q(cls, args: Mapping[str, Any], *, now: dt.datetime) -> Q:
        raise NotImplementedError


@dataclass(frozen=True)
class Window:
    """A stretch of time to look for occasions in, half open.

    Attributes:
        shop_zone: what counts for customers without a zone, or with one nobody knows.
        zones: IANA names to consider; customers in others are not looked at.
        customer_id: whom alone it is asked for, so that less need be considered; None: everybody.
    """

    since: dt.datetime
    until: dt.datetime
    shop_zone: str
    zones: frozenset[str]
    customer_id: int | None = None


class Occasion(Described):
    """When: yields (customer, occasion key, due instant) for a window as one query, never one by one."""

    #: Marketers choose a local hour for it; otherwise it is due as it happens.
    has_local_hour: ClassVar[bool] = True
    #: What falls due can be told ahead (birthdays), or only counted afterwards (sign-ups).
    is_foreseeable: ClassVar[bool] = True
    #: Two occasions of one customer are at least so far apart, however often she edits the date behind them.
    days_apart: ClassVar[int] = 0
    #: Where its reason can go before a message leaves: SQL selecting those of `%(touches)s` (bigint[]) for which it
    #: has gone, and the reason code that they are skipped with, also in words.
    settled_sql: ClassVar[str] = ""
    settled: ClassVar[str] = ""
    settled_sentence: ClassVar[StrOrPromise] = ""
    #: The facts it is made of beside customers, their statistics and consents: SQL selecting the ids of customers to be
    #: looked at again for facts of transactions between two marks, `xid >= %s::text::xid8 AND xid < %s::text::xid8`.
    facts: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def due_sql(cls, args: Mapping[str, Any], window: Window) -> tuple[str, list[Any]] | None:
        """SQL of `customer_id bigint, occasion text, due_at timestamptz, grant_id bigint, about jsonb` in the window.

        `args` are cleaned; no (customer, occasion) comes twice. `grant_id` names the grant that the occasion is about,
        or is NULL; `about` is what messages may say of it. None: nobody can be due, and the database is not asked.
        """
        raise NotImplementedError

    @classmethod
    def past_sql(cls, args: Mapping[str, Any], window: Window, opens_at: dt.datetime) -> tuple[str, list[Any]] | None:
        """The same for a window that is over, by the facts as they stood then; where it cannot say, by today's.

        Who was due before `opens_at` counts as of then.
        """
        return cls.due_sql(args, window)

    @classmethod
    def opens_at(cls, args: Mapping[str, Any], launched_at: dt.datetime) -> dt.datetime:
        """From when on occasions count for a campaign launched then; earlier where those already inside are wanted."""
        return launched_at

    @classmethod
    def last_due_at(cls, args: Mapping[str, Any], shop_zone: str) -> dt.datetime | None:
        """After this instant it never falls again; None: it goes on."""
        return None


class Placeholder:
    """A word that templates may use: its name, what it says in previews, and its values for many deliveries at once."""

    key: ClassVar[str] = ""
    label: ClassVar[StrOrPromise] = ""
    #: Strings, numbers, booleans, lists and mappings only; shown in previews and checked at save.
    sample: ClassVar[Any] = ""
    #: Where the sample is a mapping: what each of its words is, such as {"first_name": "First name"}.
    labels: ClassVar[Mapping[str, Any]] = {}
    #: Whether all deliveries of one moment have the same value, so that templates are filled with it once.
    is_for_all: ClassVar[bool] = False

    @classmethod
    def values(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Any]:
        """Delivery id → primitive value of the sample's shape, by one query for all of them; missing ones are nil."""
        raise NotImplementedError


@dataclass(frozen=True)
class Skip:
    """Why a message may not leave: a stable code, its parameters, and whether it waits or is over."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    until: dt.datetime | None = None


class SendGuard:
    """May this message leave now? Asked at the moment of sending, for many deliveries at once."""

    key: ClassVar[str] = ""
    #: Guards run in this order; the first refusal is the reason recorded.
    order: ClassVar[int] = 100

    @classmethod
    def refusals(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Skip]:
        """Delivery id → why not; those not named may leave as far as this guard is concerned."""
        raise NotImplementedError


class DeliveryOutcome:
    """What a higher room does, in the same transaction, when its deliveries were sent or ended unsent.

    An `unknown` one may have arrived: what it brought stays given, and it is never sent again by itself.
    """

    key: ClassVar[str] = ""
    #: Which model's rows `group_id` of its deliveries numbers: `campaigns.campaign`. Empty: they have none.
    group: ClassVar[str] = ""

    @classmethod
    def sent(cls, deliveries: list[Any], *, now: dt.datetime) -> None: ...

    @classmethod
    def not_sent(cls, deliveries: list[Any], *, now: dt.datetime) -> None: ...

    @classmethod
    def unknown(cls, deliveries: list[Any], *, now: dt.datetime) -> None: ...

    @classmethod
    def bounced(cls, deliveries: list[Any], *, now: dt.datetime) -> None:
        """They had been sent, and came back for good later; what they brought was taken back where it was unused."""


class Reversal:
    """What must be undone with a return or a roll-back, in its transaction, after the checkout's own counters.

    `redemption`: the checkout's row, locked; `returned`: what comes back (`quantities` by line, `is_last`: all is).
    """

    key: ClassVar[str] = ""

    @classmethod
    def undo(cls, *, redemption: Any, returned: Any, source: str, now: dt.datetime) -> Mapping[str, Any]:
        """Give back this room's share; says as JSON what it was, for the answer and the record. Empty: nothing."""
        raise NotImplementedError

    @classmethod
    def preview(cls, *, redemption: Any, returned: Any, now: dt.datetime) -> Mapping[str, Any]:
        """What `undo` would say, without doing it."""
        raise NotImplementedError


class Exchange:
    """Codes that are no offer's own, but bring her one: such as that of a friend who recommends the shop."""

    key: ClassVar[str] = ""
    secret: ClassVar[frozenset[str]] = frozenset()  # refusals for which strangers hear the one answer for all

    @classmethod
    def exchanged(cls, *, codes: Sequence[str], buyer: Any, order_reference: str, now: dt.datetime) -> dict[str, str]:
        """Typed code → the code that counts in its place; those not named are strange to this class, too.

        May write, such as the grant of that code; asked again it writes nothing more. Who only asks takes it all back.

        Raises:
            Refused: it is good, but not for this buyer.
        """
        raise NotImplementedError


class PersonData:
    """How everything about a person in one table is forgotten, merged and exported.

    Every relation to Customer, and every column of free content in a table that leads to her, must be named.
    """

    TREATMENTS: ClassVar = ("keep", "blank", "scrub")
    MERGINGS: ClassVar = ("move", "stay", "combine")

    key: ClassVar[str] = ""
    #: "app_label.Model"
    model: ClassVar[str] = ""
    #: How a row leads to its customer, as a lookup; "self" for Customer, "" where rows are of many or of nobody.
    owner: ClassVar[str] = "customer"
    #: With a merge the rows become the survivor's ("move"), stay as they are, or are combined with hers by their room.
    merging: ClassVar[str] = "move"
    #: column → what erasure does: "keep" it; "blank": NULL, or empty where NULL is not allowed; "scrub": its content
    #: goes and a mark stays that there was some.
    columns: ClassVar[Mapping[str, str]] = {}


class IngestKind:
    """One kind of bulk fact: its columns, its checks as SQL over the staging table, and its one upsert.

    `retention.work.ingest` runs it: it streams rows into staging by COPY, then calls `load`, all in one transaction.
    """

    key: ClassVar[str] = ""
    label: ClassVar[StrOrPromise] = ""
    #: The permission it takes to bring it in from the console.
    right: ClassVar[str] = ""
    #: A kind that the same rows may also tell of, and its columns that this one's fill: {"customer": "reference"}.
    companion: ClassVar[tuple[str, Mapping[str, str]] | None] = None

    @classmethod
    def more_columns(cls) -> list[str]:
        """Columns by which a file may tell the keys of a document, such as `attributes.size`."""
        return []


class Preset:
    """What the export of a well-known program looks like, and what each of its rows says in our columns."""

    key: ClassVar[str] = ""
    label: ClassVar[StrOrPromise] = ""
    #: What it is offered for: key of `ingests`.
    kind: ClassVar[str] = ""
    #: Columns that every such file has, and no other kind of file all of them.
    marks: ClassVar[frozenset[str]] = frozenset()
    #: `retention.work.ingest.feeds.Feed`: one for each kind of fact, in the order in which they are written.
    feeds: ClassVar[tuple[Any, ...]] = ()

    @classmethod
    def fits(cls, headers: Sequence[str], file_name: str) -> bool:
        """Whether a file is one of these."""
        return bool(cls.marks) and cls.marks <= set(headers)


class Playbook:
    """A ready campaign: plan, expected result, data readiness, what to watch out for, and a launch-ready draft."""

    key: ClassVar[str] = ""
    label: ClassVar[StrOrPromise] = ""
    plan: ClassVar[str] = ""
    expected: ClassVar[str] = ""
    watch_out: ClassVar[str] = ""

    @classmethod
    def readiness(cls, *, now: dt.datetime) -> list[Any]:
        """What data it needs and how much of it is there, counted now."""
        raise NotImplementedError


class DueJob:
    """Scheduled work: does in bounded chunks what is due since its watermark; running it again does nothing more."""

    key: ClassVar[str] = ""
    label: ClassVar[StrOrPromise] = ""
    #: The Celery queue it runs on: "sweeps", "bulk" or "transactional".
    queue: ClassVar[str] = "sweeps"
    #: First hour in the shop's zone; None runs it at every tick. People change it on `work.Job`.
    at: ClassVar[dt.time | None] = None
    #: In one foreground run lower comes first, so that a job finds what another left for it:
    #: facts 10, statistics 20, segments 30, calendars 40, campaigns 50, sending 80, watching and cleaning 90.
    order: ClassVar[int] = 50
    #: How many workers may do it side by side; each claims its own rows.
    lanes: ClassVar[int] = 1
    #: Kinds of facts (keys of `ingests`) that wake it when they come in, so that it does not wait for the tick.
    woken_by: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def run(cls, *, now: dt.datetime, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Do it; `progress(done, total)` is called now and then, outside transactions: it also renews the lease.

        Returns the figures of the report: any of `due`, `touched`, `granted`, `queued`, `sent`, and `skipped` as
        {reason code: count}.
        """
        raise NotImplementedError

    @classmethod
    def preview(cls, *, now: dt.datetime) -> dict[str, Any]:
        """The figures that `run` would return at `now`, changing nothing."""
        raise NotImplementedError


class NightStep:
    """One step of the night of the books, which the job `ledger.night` takes in order at the shop's midnight.

    A room above the ledger adds what must happen before, or only after, value expires. A step that fails holds up those
    after it until the job is tried again, so each can be run again and does nothing twice.
    """

    key: ClassVar[str] = ""
    #: Lower comes first: what waited 10, automatic rewards 20, tiers 30, ends that move 35, what expires 40, and
    #: whatever follows from that 50.
    order: ClassVar[int] = 50

    @classmethod
    def run(cls, *, now: dt.datetime, progress: Callable[[int, int], None]) -> int:
        """Do it, in bounded chunks; how much there was to do."""
        raise NotImplementedError

    @classmethod
    def preview(cls, *, now: dt.datetime) -> int:
        """What `run` would return at `now`, changing nothing."""
        raise NotImplementedError


class EventSource:
    """Facts of one table that other programs are told of, read by the mark that they carry.

    `sql` selects `kind text, reference text, customer_id bigint, occurred_at timestamptz, data jsonb, xid xid8` of the
    facts of transactions between two marks, `xid >= %(since)s::text::xid8 AND xid < %(until)s::text::xid8`, at least
    of `%(kinds)s` (text[]). A reference names one fact for ever, such as `loyalty.tierchange:812`; `occurred_at` is the
    time that its writer was told. In `data` people are public ids, instants RFC 3339, amounts whole numbers.
    """

    key: ClassVar[str] = ""
    #: What its kinds stand under in a list.
    group: ClassVar[StrOrPromise] = ""
    #: By their keys, such as `loyalty.tier_reached`; no two sources share one.
    kinds: ClassVar[Mapping[str, EventKind]] = {}
    sql: ClassVar[str] = ""


conditions: Registry[type[Condition]] = Registry(Condition, "conditions")
occasions: Registry[type[Occasion]] = Registry(Occasion, "occasions")
placeholders: Registry[type[Placeholder]] = Registry(Placeholder, "placeholders")
guards: Registry[type[SendGuard]] = Registry(SendGuard, "guards")
outcomes: Registry[type[DeliveryOutcome]] = Registry(DeliveryOutcome, "outcomes")
reversals: Registry[type[Reversal]] = Registry(Reversal, "reversals")
exchanges: Registry[type[Exchange]] = Registry(Exchange, "exchanges")
people: Registry[type[PersonData]] = Registry(PersonData, "people")
ingests: Registry[type[IngestKind]] = Registry(IngestKind, "ingests")
presets: Registry[type[Preset]] = Registry(Preset, "presets")
playbooks: Registry[type[Playbook]] = Registry(Playbook, "playbooks")
jobs: Registry[type[DueJob]] = Registry(DueJob, "jobs")
nights: Registry[type[NightStep]] = Registry(NightStep, "nights")
events: Registry[type[EventSource]] = Registry(EventSource, "events")

ALL = (
    conditions, occasions, placeholders, guards, outcomes, reversals, exchanges, people, ingests, presets, playbooks,
    jobs, nights, events,
)  # fmt: skip


def discover(autodiscover: Callable[..., None]) -> None:
    """Load every known file of every app; `autodiscover` is Django's `autodiscover_modules`."""
    autodiscover(*(registry.file_name for registry in ALL))
