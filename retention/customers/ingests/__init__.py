"""The kinds of bulk fact of this room."""

from retention.customers.ingests.activities import Activities
from retention.customers.ingests.consents import Consents
from retention.customers.ingests.customers import Customers
from retention.customers.ingests.orders import Orders
from retention.customers.ingests.products import Products, Stocks
from retention.customers.ingests.returns import Returns

__all__ = ["Activities", "Consents", "Customers", "Orders", "Products", "Returns", "Stocks"]
