"""What higher rooms tell the checkout about a shopper, kept where its one read finds it."""

from django.db import models

from retention.customers.models import Customer


class ShopperTier(models.Model):
    """The tier that one customer has in one loyalty programme, by their keys; without a row she has none.

    `operations.put_tiers` writes it in the transaction that moves her, so that a checkout asks no other room.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    programme = models.CharField(max_length=40, db_collation="C")
    tier = models.CharField(max_length=40, db_collation="C")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "programme"], name="one_tier_a_customer_and_programme"),
        ]
        indexes = [models.Index(fields=["programme", "tier"], name="shopper_tier_by_programme")]

    def __str__(self):
        return f"{self.programme}.{self.tier}"
