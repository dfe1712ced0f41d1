"""People and a little life for the console's pages."""

from tests.console.conftest import person, shop

__all__ = ["person", "shop"]
