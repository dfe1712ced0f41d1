"""The kinds of activity that every shop has from day one."""

import datetime as dt

from retention.customers.models import ActivityKind

_ID = {"type": ["string", "number"]}
_URL = {"type": "string", "maxLength": 2000}


def _object(**properties: dict) -> dict:
    return {"type": "object", "properties": properties}


#: key → (label, JSON Schema of its properties; {}: anything)
KINDS: dict[str, tuple[str, dict]] = {
    "signed_up": ("Signed up", {}),
    "logged_in": ("Logged in", {}),
    "viewed_product": ("Viewed a product", {}),
    "viewed_category": ("Viewed a category", _object(category={"type": "string"})),
    "searched": ("Searched", _object(query={"type": "string", "maxLength": 300})),
    "added_to_wishlist": ("Added to the wish list", {}),
    "added_to_cart": ("Added to the cart", _object(quantity={"type": "number", "exclusiveMinimum": 0})),
    "cart_updated": (
        "Cart updated",
        _object(
            lines={
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"sku": {"type": "string"}, "quantity": {"type": "number", "minimum": 0}},
                    "required": ["sku", "quantity"],
                },
            },
            restore_url=_URL,
            cart_id=_ID,
        ),
    ),
    "checkout_started": ("Checkout started", _object(restore_url=_URL, cart_id=_ID)),
    "reviewed": (
        "Reviewed",
        _object(rating={"type": "number", "minimum": 0, "maximum": 10}, text={"type": "string", "maxLength": 10_000}),
    ),
    "code_entered": ("Entered a code of a pack or a receipt", _object(code={"type": "string", "maxLength": 100})),
    "shared": ("Shared", _object(network={"type": "string"}, url=_URL)),
    "followed": ("Followed", _object(network={"type": "string"})),
    "trial_started": ("Trial started", {}),
    "trial_ended": ("Trial ended", {}),
    "subscription_renewed": ("Subscription renewed", {}),
    "subscription_cancelled": ("Subscription cancelled", _object(reason={"type": "string"})),
    "mail_opened": ("Opened a mail", _object(is_human={"type": "boolean"})),
    "mail_clicked": ("Clicked in a mail", _object(url=_URL)),
    "complaint": ("Complained", _object(text={"type": "string", "maxLength": 10_000})),
    "store_visited": ("Visited a store", _object(store={"type": "string"})),
}


def seed(*, now: dt.datetime) -> None:
    """Make what is missing and refresh the built-in ones; run again it does nothing more."""
    ActivityKind.objects.bulk_create(
        [ActivityKind(key=key, label=label, schema=schema, is_built_in=True) for key, (label, schema) in KINDS.items()],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["label", "schema", "is_built_in"],
    )
