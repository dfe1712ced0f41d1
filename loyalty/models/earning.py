"""What customers earned, one row for each reason."""

from django.db import models
from django.db.models import Q

from loyalty.models.programmes import Member, Programme
from retention.audit.models import Version
from retention.customers.models import Activity, Order
from retention.marks import MarkField


class Earning(models.Model):
    """What one rule of a programme gave one member for one fact: unique, so that nothing is earned twice.

    Its value left by a grant whose origin is `loyalty.earning`. When the order behind it shrinks, `amount` shrinks with
    it, by the same rules as then, and the difference is taken back.
    """

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="earnings", db_index=False)
    rule = models.CharField(max_length=40, db_collation="C", help_text="Key of the rule in its version.")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    activity = models.ForeignKey(Activity, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    about = models.CharField(
        max_length=60, blank=True, db_collation="C", help_text="Where it is neither: such as birthday:2027."
    )
    given = models.BigIntegerField(help_text="As it was earned.")
    amount = models.BigIntegerField(help_text="What stands of it now.")
    counts_for_tier = models.BooleanField(default=True)
    tier = models.CharField(max_length=40, blank=True, help_text="Key of the tier in which it was earned.")
    why = models.JSONField(default=dict, help_text="What it was made of: base, factor, cap.")
    earned_at = models.DateTimeField(help_text="When what it is for happened.")
    recorded_at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "member", "rule"], condition=Q(order__isnull=False), name="an_order_earns_once_a_rule"
            ),
            models.UniqueConstraint(
                fields=["activity", "member", "rule"],
                condition=Q(activity__isnull=False),
                name="an_activity_earns_once_a_rule",
            ),
            models.UniqueConstraint(
                fields=["member", "rule", "about"], condition=~Q(about=""), name="a_reason_earns_once_a_rule"
            ),
            models.CheckConstraint(
                condition=Q(order__isnull=False, activity=None, about="")
                | Q(order=None, activity__isnull=False, about="")
                | Q(order=None, activity=None) & ~Q(about=""),
                name="earning_has_one_reason",
            ),
            models.CheckConstraint(
                condition=Q(given__gt=0, amount__gte=0, amount__lte=models.F("given")), name="earning_only_shrinks"
            ),
        ]
        indexes = [
            models.Index(fields=["member", "earned_at"], name="earning_by_member"),
            models.Index(fields=["xid"], name="earning_mark"),
        ]

    def __str__(self):
        return f"Earning {self.pk}"


class UsedCode(models.Model):
    """The code of a pack or a receipt that earned by one rule, so that nobody earns by it again."""

    earning = models.OneToOneField(Earning, on_delete=models.CASCADE, primary_key=True, related_name="used_code")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="+", db_index=False)
    rule = models.CharField(max_length=40, db_collation="C")
    code = models.CharField(max_length=100, db_collation="C", help_text="In one spelling: trimmed, in capitals.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["programme", "rule", "code"], name="a_code_earns_once_a_rule"),
        ]

    def __str__(self):
        return f"Code of earning {self.earning_id}"
