"""The facts a shop knows: people and consent, products, orders, activities, statistics, and where each stands."""

from retention.customers.models.activities import Activity, ActivityKind, KnownVisitor
from retention.customers.models.lifecycle import (
    CustomerStage,
    LifeEvent,
    Rfm,
    RfmChange,
    Stage,
    StageChange,
)
from retention.customers.models.orders import Order, OrderLine, Return, ReturnLine
from retention.customers.models.people import (
    AttributeDefinition,
    Consent,
    ConsentProof,
    ConsentState,
    Customer,
)
from retention.customers.models.products import Price, Product, Stock
from retention.customers.models.stats import CustomerStats

__all__ = [
    "Activity",
    "ActivityKind",
    "AttributeDefinition",
    "Consent",
    "ConsentProof",
    "ConsentState",
    "Customer",
    "CustomerStage",
    "CustomerStats",
    "KnownVisitor",
    "LifeEvent",
    "Order",
    "OrderLine",
    "Price",
    "Product",
    "Return",
    "ReturnLine",
    "Rfm",
    "RfmChange",
    "Stage",
    "StageChange",
    "Stock",
]
