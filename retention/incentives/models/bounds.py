"""Limits over several incentives: budgets of campaigns and agents, and the shop's own policy at the checkout."""

from django.db import models
from django.db.models import Q

from retention.audit.models import Version
from retention.public_ids import PublicIdField


class Budget(models.Model):
    """Limits over everything that is granted on someone's behalf: a campaign, an agent. Its limits are its version."""

    public_id = PublicIdField()
    name = models.CharField(max_length=120)
    origin = models.CharField(max_length=40, help_text="Whose it is, such as `campaigns.campaign`.")
    origin_id = models.BigIntegerField()
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "origin_id"], condition=Q(archived_at=None), name="one_budget_an_origin"
            ),
        ]

    def __str__(self):
        return self.name


class CheckoutPolicy(models.Model):
    """How offers meet at the shop's checkout, and how much one customer may use of all of them: its version says."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "checkout policy"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="checkout_policy_is_single")]

    def __str__(self):
        return "Checkout policy"
