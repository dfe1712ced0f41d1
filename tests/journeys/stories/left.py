"""Begun and left: a checkout, a cart, a look around, a trial."""

from tests.journeys.telling import (
    converted,
    does,
    ended,
    gets,
    joins,
    launches,
    meanwhile,
    not_converted,
    on,
    orders,
    redeems,
    sells,
    story,
    why,
)

CART = "https://shop.example.com/cart/7"

STORIES = (
    story(
        "abandoned_cart",
        on("2026-05-12 11:00", sells("LP"), joins("anna"), joins("boris", agrees=False), joins("clara"), joins("dora"),
           joins("eva")),
        on("2026-05-12 12:00", launches("abandoned_cart")),
        on("2026-05-12 12:30", *(does(who, "checkout_started", restore_url=CART)
                                 for who in ("anna", "boris", "dora", "eva")),
           does("clara", "viewed_product", "LP")),
        on("2026-05-12 14:00", orders("dora", "D-1", state="placed")),
        on(
            "2026-05-12 15:30",
            gets("anna", "Your cart is still waiting", "Your cart is as you left it.", link=CART),
            gets("eva", "Your cart is still waiting", link=CART),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.no_occasion", "did not fall"),
            why("dora", "campaigns.no_occasion", "did not fall"),
        ),
        # Eva orders while her second mail waits.
        on(
            "2026-05-13 15:30",
            meanwhile(orders("eva", "E-1")),
            gets("anna", "Your cart will not wait much longer", "So that it is easier to decide, this is for you.",
                 offer="Free shipping", until="May 15, 2026", link=CART),
            converted("eva", "2026-05-13 15:30:02"),
        ),
        on("2026-05-13 20:00", redeems("anna", "A-1", shipping_off=490), converted("anna", "2026-05-13 20:00")),
        on("2026-05-30 12:00", ended("anna"), ended("eva", "campaigns.followed_up")),
    ),
    story(
        "email_my_cart",
        on("2026-05-12 11:00", sells("LP"), joins("anna"), joins("boris", agrees=False), joins("clara"), joins("dora")),
        on("2026-05-12 12:00", launches("email_my_cart")),
        on("2026-05-12 12:30", *(does(who, "cart_updated", restore_url=CART)
                                 for who in ("anna", "boris", "clara", "dora"))),
        on("2026-05-12 13:00", does("clara", "checkout_started", restore_url=CART), orders("dora", "D-1")),
        on(
            "2026-05-13 12:30",
            gets("anna", "Your cart, so that you need not search", "Here is the way back to it, whenever you like.",
                 link=CART),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.no_occasion", "did not fall"),
            why("dora", "campaigns.no_occasion", "did not fall"),
        ),
        on("2026-05-14 10:00", orders("anna", "A-1"), converted("anna", "2026-05-14 10:00")),
    ),
    story(
        "abandoned_browse",
        on("2026-05-12 11:00", sells("LP"), joins("anna"), joins("boris", agrees=False), joins("clara"), joins("dora")),
        on("2026-05-12 12:00", launches("abandoned_browse")),
        on("2026-05-12 12:30", *(does(who, "viewed_product", "LP") for who in ("anna", "boris", "clara", "dora"))),
        on("2026-05-12 13:00", does("clara", "added_to_cart", "LP"), orders("dora", "D-1")),
        on(
            "2026-05-13 12:30",
            gets("anna", "Still thinking about Blue Train?", "You looked at Blue Train the other day.",
                 link="https://shop.example.com/blue-train"),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.no_occasion", "did not fall"),
            why("dora", "campaigns.no_occasion", "did not fall"),
        ),
        # Nobody twice a month.
        on("2026-05-20 12:00", does("anna", "viewed_product", "LP")),
        on("2026-05-21 12:00", why("anna", "campaigns.too_soon", "It was too soon after the last time.")),
        on("2026-05-22 12:00", orders("anna", "A-1")),
    ),
    story(
        "trial_activation",
        on("2026-05-12 11:00", sells("LP"), joins("anna"), joins("boris", agrees=False), joins("clara"), joins("dora")),
        on("2026-05-12 12:00", launches("trial_activation")),
        on("2026-05-12 12:30", *(does(who, "trial_started") for who in ("anna", "boris", "clara", "dora"))),
        on("2026-05-13 12:30", orders("clara", "C-1")),
        on(
            "2026-05-15 12:30",
            gets("anna", "Your trial has begun", "you have not used it yet"),
            gets("dora", "Your trial has begun"),
            why("boris", "campaigns.no_consent", "No consent for this address."),
            why("clara", "campaigns.no_occasion", "did not fall"),
        ),
        on("2026-05-20 09:00", orders("dora", "D-1"), converted("dora", "2026-05-20 09:00"), not_converted("anna")),
        on("2026-05-25 12:30", gets("anna", "Can we help you with your trial?", "a person will answer"),
           ended("dora", "campaigns.followed_up")),
        on("2026-05-26 09:00", orders("anna", "A-1"), converted("anna", "2026-05-26 09:00")),
    ),
)  # fmt: skip
