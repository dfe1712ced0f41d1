"""What the checkout is told about shoppers by the rooms above it."""

from collections.abc import Sequence

from django.db import connection, transaction

from retention.incentives.models import ShopperTier


@transaction.atomic
def put_tiers(*, programme: str, customer_ids: Sequence[int], tiers: Sequence[str]) -> None:
    """From now on these customers have these tiers in a programme, an empty one being none.

    Called in the transaction that moves them, for different customers whose memberships it has locked.

    Args:
        programme, tiers: their keys; a cart condition asks for `programme.tier`.
    """
    held = {customer: tier for customer, tier in zip(customer_ids, tiers, strict=True) if tier}
    gone = [customer for customer in customer_ids if customer not in held]
    if gone:
        ShopperTier.objects.filter(programme=programme, customer__in=gone).delete()
    if held:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO incentives_shoppertier AS s (customer_id, programme, tier)
                SELECT told.customer, %s, told.tier
                FROM unnest(%s::bigint[], %s::text[]) AS told (customer, tier) ORDER BY told.customer
                ON CONFLICT (customer_id, programme) DO UPDATE SET tier = excluded.tier WHERE s.tier <> excluded.tier
                """,
                [programme, list(held), list(held.values())],
            )


def drop_tiers(*, programme: str) -> int:
    """Nobody has a tier in this programme any more; how many had one."""
    return ShopperTier.objects.filter(programme=programme).delete()[0]
