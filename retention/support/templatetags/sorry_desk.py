"""Money as the desk's pages show and ask for it."""

from django import template
from django.utils.translation import get_language

from retention import money

register = template.Library()


@register.filter
def shown(minor: int | None, currency: str) -> str:
    """`1250|shown:"USD"` is $12.50; nothing where there is no amount."""
    return "" if minor is None else money.show(minor, currency, get_language() or "en")


@register.filter
def typed(minor: int | None, currency: str) -> str:
    """`1250|typed:"USD"` is 12.50, as an amount field holds it."""
    return "" if minor is None else str(money.to_major(minor, currency))
