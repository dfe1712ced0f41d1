"""The catalogue: products, how their prices changed, and where they are in stock."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from retention.marks import MarkField
from retention.shop.models import check_currency


class Product(models.Model):
    """Something the shop sells, by its SKU."""

    sku = models.CharField("SKU", max_length=100, unique=True)
    name = models.CharField(max_length=200)
    category = models.CharField(max_length=200, blank=True, help_text="Path from the top: Music/Jazz/Vinyl.")
    currency = models.CharField(max_length=3, validators=[check_currency])
    price_minor = models.BigIntegerField()
    minimum_price_minor = models.BigIntegerField(default=0, help_text="No discount goes below it.")
    unit_cost_minor = models.BigIntegerField(null=True, blank=True)
    compare_at_minor = models.BigIntegerField(null=True, blank=True)
    is_low_margin = models.BooleanField("low margin", default=False)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    season_from = models.DateField(null=True, blank=True)
    season_until = models.DateField(null=True, blank=True)
    launched_on = models.DateField(null=True, blank=True)
    replenish_days = models.PositiveIntegerField("replenishment interval in days", null=True, blank=True)
    url = models.URLField(max_length=500, blank=True)
    how_to_url = models.URLField(max_length=500, blank=True)
    image_url = models.URLField(max_length=500, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["sku"]
        constraints = [
            models.CheckConstraint(
                condition=Q(price_minor__gte=0, minimum_price_minor__gte=0, minimum_price_minor__lte=F("price_minor")),
                name="product_prices_are_in_order",
            ),
            models.CheckConstraint(
                condition=Q(season_from=None) | Q(season_until=None) | Q(season_from__lt=F("season_until")),
                name="season_is_half_open",
            ),
        ]
        indexes = [
            models.Index(fields=["category"], name="product_category", opclasses=["varchar_pattern_ops"]),
            GinIndex(fields=["tags"], name="product_tags"),
            models.Index(fields=["xid"], name="product_mark"),
        ]
        permissions = [("import_product", "Can import products"), ("export_product", "Can export products")]

    def __str__(self):
        return self.name


class Price(models.Model):
    """What a product cost from an instant on; written whenever an import changes a price."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="prices")
    price_minor = models.BigIntegerField()
    compare_at_minor = models.BigIntegerField(null=True)
    starts_at = models.DateTimeField()
    xid = MarkField()

    class Meta:
        ordering = ["product", "-starts_at"]
        constraints = [models.UniqueConstraint(fields=["product", "starts_at"], name="one_price_an_instant")]

    def __str__(self):
        return f"{self.product}: {self.price_minor}"


class Stock(models.Model):
    """How many of a product are at a place."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="stocks")
    place = models.CharField(max_length=60)
    quantity = models.IntegerField()
    xid = MarkField()

    class Meta:
        verbose_name_plural = "stock"
        constraints = [models.UniqueConstraint(fields=["product", "place"], name="one_stock_a_place")]

    def __str__(self):
        return f"{self.product} at {self.place}: {self.quantity}"
