"""Which products belong together, by sales and by hand; and what happened to a product that customers wait for."""

from django.db import models
from django.db.models import F, Q

from retention.customers.models import Product
from retention.marks import MarkField


class BoughtTogether(models.Model):
    """How often two products were in one order, both ways round; computed each night."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="bought_together", db_index=False)
    other = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+", db_index=False)
    orders = models.PositiveIntegerField(help_text="With both of them.")
    score = models.FloatField(help_text="Orders with both over the root of the product of the orders with either.")

    class Meta:
        verbose_name_plural = "bought together"
        ordering = ["product", "-score", "other"]
        constraints = [
            models.UniqueConstraint(fields=["product", "other"], name="a_pair_of_products_once"),
            models.CheckConstraint(condition=~Q(product=F("other")), name="a_pair_is_of_two_products"),
        ]
        indexes = [models.Index(fields=["other"], name="bought_together_other")]

    def __str__(self):
        return f"{self.product} + {self.other}"


class ProductLink(models.Model):
    """What a person says of two products; shown before what sales say."""

    class Kind(models.TextChoices):
        GOES_WITH = "goes_with", "goes with"
        AFTER = "after", "to suggest after"

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="links", db_index=False)
    other = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(
        max_length=10, choices=Kind.choices, default=Kind.GOES_WITH,
        help_text="Things of one look go with each other; after a purchase comes what follows it.",
    )  # fmt: skip
    position = models.PositiveSmallIntegerField(default=0, help_text="Lower ones are shown first.")

    class Meta:
        ordering = ["product", "kind", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "kind", "other"], name="one_link_of_a_kind"),
            models.CheckConstraint(condition=~Q(product=F("other")), name="a_link_is_between_two_products"),
        ]

    def __str__(self):
        return f"{self.product} {self.get_kind_display()} {self.other}"


class Availability(models.Model):
    """Whether a product was in stock when its stock was last looked at; without a row nobody ever told its stock."""

    product = models.OneToOneField(Product, primary_key=True, on_delete=models.CASCADE, related_name="availability")
    is_in_stock = models.BooleanField()
    since = models.DateTimeField()

    class Meta:
        verbose_name_plural = "availability"

    def __str__(self):
        return f"{self.product}: {'in stock' if self.is_in_stock else 'sold out'}"


class Restock(models.Model):
    """A product that had sold out is there again: a fact, never changed."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="restocks")
    at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["at"], name="restock_by_time"),
            models.Index(fields=["xid"], name="restock_mark"),
        ]

    def __str__(self):
        return f"{self.product} at {self.at:%Y-%m-%d}"


class PriceDrop(models.Model):
    """A product costs less than it did before: a fact, never changed."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="price_drops", db_index=False)
    before_minor = models.BigIntegerField()
    after_minor = models.BigIntegerField()
    at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "at"], name="one_price_drop_an_instant"),
            models.CheckConstraint(condition=Q(after_minor__lt=F("before_minor")), name="a_price_drop_is_downward"),
        ]
        indexes = [
            models.Index(fields=["at"], name="price_drop_by_time"),
            models.Index(fields=["xid"], name="price_drop_mark"),
        ]

    def __str__(self):
        return f"{self.product}: {self.before_minor} → {self.after_minor}"
