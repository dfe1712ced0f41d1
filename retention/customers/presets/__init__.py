"""Presets: how the exports of well-known shops and mailing programs are read."""

from retention.customers.presets.mailchimp import Cleaned, Subscribed, Unsubscribed
from retention.customers.presets.shopify import ShopifyCustomers, ShopifyOrders
from retention.customers.presets.woocommerce import WooCustomers, WooOrders

__all__ = [
    "Cleaned",
    "ShopifyCustomers",
    "ShopifyOrders",
    "Subscribed",
    "Unsubscribed",
    "WooCustomers",
    "WooOrders",
]
