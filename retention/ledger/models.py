"""Value as rows: units, accounts, entries that are never changed, the lots that are spent, and what is held."""

from django.db import models
from django.db.models import F, Q

from retention.audit.models import Version
from retention.customers.models import Customer
from retention.marks import MarkField
from retention.public_ids import PublicIdField
from retention.shop.models import check_currency


class Unit(models.Model):
    """What is counted: points, or money for one purpose. Its whole rule is the data of its version."""

    class Kind(models.TextChoices):
        POINTS = "points"
        MONEY = "money"

    key = models.CharField(max_length=40, db_collation="C", unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    currency = models.CharField(max_length=3, blank=True, validators=[check_currency])
    digits = models.PositiveSmallIntegerField(default=0, help_text="Decimal places of an amount.")
    may_be_negative = models.BooleanField(default=False)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["key"]
        permissions = [("view_liability", "Can see what the shop owes")]
        constraints = [
            models.CheckConstraint(condition=Q(key__regex=r"^[a-z][a-z0-9_]*$"), name="unit_key_is_a_word"),
            models.CheckConstraint(
                condition=Q(kind="money", currency__regex=r"^[A-Z]{3}$") | Q(kind="points", currency=""),
                name="money_has_a_currency",
            ),
        ]

    def __str__(self):
        return self.name


class Account(models.Model):
    """One owner's value in one unit. The shop's own accounts keep no balance: their days are in `Cell`.

    Everyone else's is guarded: every entry moves it under the account's lock, and it always equals what is left in
    the account's lots; where it may be negative it has none left then.
    """

    class Kind(models.TextChoices):
        CUSTOMER = "customer"
        GIFT_CARD = "gift_card", "gift card"
        PARTNER = "partner"
        SYSTEM = "system", "the shop's own"

    class Purpose(models.TextChoices):
        ISSUED = "issued", "given away"
        SOLD = "sold", "sold or paid in"
        REDEEMED = "redeemed", "used at a checkout"
        EXPIRED = "expired", "expired unused (breakage)"
        ADJUSTED = "adjusted", "corrected by hand"
        PAID_OUT = "paid_out", "paid out"

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="accounts", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="accounts", db_index=False)
    purpose = models.CharField(max_length=10, blank=True, choices=Purpose.choices)
    origin = models.CharField(max_length=40, blank=True, help_text="Whose it is, such as `incentives.giftcard`.")
    origin_id = models.BigIntegerField(null=True)
    balance = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0, help_text="Of the balance: set aside by holds.")
    may_be_negative = models.BooleanField(default=False, help_text="As its unit says.")
    is_frozen = models.BooleanField(default=False, help_text="Nothing can be spent from it.")
    opened_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        permissions = [("adjust_account", "Can correct balances"), ("freeze_account", "Can block and free accounts")]
        constraints = [
            models.UniqueConstraint(fields=["customer", "unit"], name="one_account_a_customer_and_unit"),
            models.UniqueConstraint(
                fields=["origin", "origin_id", "unit"], condition=~Q(origin=""), name="one_account_an_origin_and_unit"
            ),
            models.UniqueConstraint(
                fields=["unit", "purpose"], condition=~Q(purpose=""), name="one_account_a_purpose_and_unit"
            ),
            # What the entries' foreign keys point to: both sides of an entry are in its unit.
            models.UniqueConstraint(fields=["id", "unit"], name="account_with_its_unit"),
            models.CheckConstraint(
                condition=Q(kind="customer", customer__isnull=False, purpose="", origin="")
                | Q(kind="system", customer=None, origin="") & ~Q(purpose="")
                | Q(kind__in=["gift_card", "partner"], customer=None, purpose="", origin_id__isnull=False)
                & ~Q(origin=""),
                name="account_has_one_owner",
            ),
            models.CheckConstraint(
                condition=Q(held__gte=0) & (Q(may_be_negative=True) | Q(balance__gte=F("held"))),
                name="balance_covers_what_is_held",
            ),
            models.CheckConstraint(
                condition=~Q(kind="system") | Q(balance=0, held=0), name="system_accounts_have_cells"
            ),
        ]
        # None on the balance: every movement would pay for it, in each index of the row.

    def __str__(self):
        return f"Account {self.pk}"


class Entry(models.Model):
    """One transfer of one amount in one unit from one account to another; never changed, never deleted."""

    class Verb(models.TextChoices):
        ISSUE = "issue", "given"
        TOP_UP = "top_up", "paid in"
        SPEND = "spend", "spent"
        GIVE_BACK = "give_back", "given back"
        TAKE_BACK = "take_back", "taken back"
        EXPIRE = "expire", "expired"
        ADJUST = "adjust", "corrected"
        PAY_OUT = "pay_out", "paid out"
        TRANSFER = "transfer", "passed on"
        MERGE = "merge", "moved with its customer"

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+", db_index=False)
    # Their foreign keys are with the unit (see the migration), so that no entry can mix two.
    from_account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="debits", db_index=False, db_constraint=False
    )
    to_account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="credits", db_index=False, db_constraint=False
    )
    amount = models.BigIntegerField()
    source = models.CharField(max_length=300, db_collation="C", help_text="Idempotency key: one reason, one entry.")
    verb = models.CharField(max_length=10, choices=Verb.choices)
    reason = models.CharField(max_length=120, blank=True, help_text="Why, without names.")
    reverses = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="reversals", db_index=False)
    origin = models.CharField(max_length=40, blank=True, help_text="On whose behalf, such as `incentives.grant`.")
    origin_id = models.BigIntegerField(null=True)
    effective_at = models.DateTimeField(help_text="When it counts; a balance as of a day asks for this.")
    recorded_at = models.DateTimeField()
    by = models.CharField(max_length=80, help_text="The actor's name.")
    xid = MarkField()

    class Meta:
        verbose_name_plural = "entries"
        ordering = ["-id"]
        permissions = [("reverse_entry", "Can undo entries")]
        constraints = [
            models.UniqueConstraint(fields=["source"], name="one_entry_a_source"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="entry_moves_something"),
            models.CheckConstraint(condition=~Q(from_account=F("to_account")), name="entry_has_two_sides"),
        ]
        indexes = [
            models.Index(fields=["from_account", "-id"], name="entry_by_giver"),
            models.Index(fields=["to_account", "-id"], name="entry_by_taker"),
            models.Index(fields=["origin", "origin_id"], name="entry_by_origin", condition=~Q(origin="")),
            models.Index(fields=["xid"], name="entry_mark"),
            models.Index(fields=["reverses"], name="entry_reversals", condition=Q(reverses__isnull=False)),
        ]

    def __str__(self):
        return f"Entry {self.pk}"


class Lot(models.Model):
    """What one entry brought to a guarded account: spendable from an instant or an event on, until it expires."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="lots", db_index=False)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="lot")
    amount = models.BigIntegerField()
    remaining = models.BigIntegerField()
    active_at = models.DateTimeField(null=True, help_text="Spendable from then on; empty: it waits for its event.")
    pending_event = models.CharField(max_length=120, blank=True, db_collation="C")
    expires_at = models.DateTimeField(null=True)
    #: The draw that it undoes, where it came back.
    draw = models.ForeignKey("Draw", null=True, on_delete=models.PROTECT, related_name="restorations", db_index=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("amount")), name="lot_keeps_what_is_left"
            ),
            models.CheckConstraint(
                condition=Q(active_at__isnull=False) | ~Q(pending_event=""), name="pending_lot_waits_for_something"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "expires_at", "id"], name="lot_open", condition=Q(remaining__gt=0)),
            models.Index(
                fields=["expires_at", "account"],
                name="lot_expiring",
                condition=Q(remaining__gt=0, expires_at__isnull=False),
            ),
            models.Index(
                fields=["pending_event", "id"], name="lot_pending", condition=Q(remaining__gt=0, active_at=None)
            ),
            models.Index(fields=["draw"], name="lot_by_draw", condition=Q(draw__isnull=False)),
        ]

    def __str__(self):
        return f"Lot {self.pk}"


class Draw(models.Model):
    """So much of an entry came out of this lot; never changed, so that it can be undone to the same expiry."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="draws", db_index=False)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="draws")
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "lot"], name="one_draw_an_entry_and_lot"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="draw_takes_something"),
        ]

    def __str__(self):
        return f"Draw {self.pk}"


class Hold(models.Model):
    """An amount set aside for one use: captured whole or in part, released, or open until it runs out."""

    class State(models.TextChoices):
        OPEN = "open"
        CAPTURED = "captured"
        RELEASED = "released"

    public_id = PublicIdField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="holds", db_index=False)
    amount = models.BigIntegerField()
    captured = models.BigIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    source = models.CharField(max_length=300, db_collation="C")
    origin = models.CharField(max_length=40, blank=True)
    origin_id = models.BigIntegerField(null=True)
    placed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source"], name="one_hold_a_source"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, captured__gte=0, captured__lte=F("amount")), name="hold_sets_something_aside"
            ),
        ]
        indexes = [
            models.Index(fields=["account"], name="hold_open", condition=Q(state="open")),
            models.Index(fields=["expires_at"], name="hold_running_out", condition=Q(state="open")),
            models.Index(fields=["origin", "origin_id"], name="hold_by_origin", condition=~Q(origin="")),
        ]

    def __str__(self):
        return f"Hold {self.pk}"


class Cell(models.Model):
    """What one of the shop's own accounts took and gave on one day: sixteen rows a day, so that nobody waits."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="cells", db_index=False)
    day = models.DateField(help_text="Of recording, by the shop's zone; a day that is over never changes.")
    stripe = models.SmallIntegerField()
    credited = models.BigIntegerField(default=0)
    debited = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "day", "stripe"], name="one_cell_a_day_and_stripe"),
            models.CheckConstraint(condition=Q(credited__gte=0, debited__gte=0), name="cells_only_grow"),
        ]

    def __str__(self):
        return f"{self.account_id} on {self.day}"
