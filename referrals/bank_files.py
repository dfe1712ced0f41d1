"""Payouts as a file for the bank: one credit transfer a row, its columns named as in SEPA's messages."""

from collections.abc import Iterator

from referrals.models import PayoutBatch
from retention import money
from retention.shop.models import Shop
from retention.work.ingest.files import harmless

COLUMNS = (
    "EndToEndId", "InstructedAmount", "Currency", "CreditorName", "CreditorIBAN", "RemittanceInformation", "Reference",
)  # fmt: skip


def as_rows(batch: PayoutBatch) -> Iterator[list[str]]:
    """The rows under their head. Names are typed by people: no cell of them can be a spreadsheet's formula."""
    shop = Shop.objects.get().name
    yield list(COLUMNS)
    for payout in batch.payouts.select_related("partner").order_by("pk"):
        yield [
            f"PAYOUT-{batch.pk}-{payout.pk}",
            str(money.to_major(payout.amount_minor, batch.currency)),
            batch.currency,
            harmless(payout.partner.payee[:70]),
            payout.partner.iban,
            harmless(f"{shop} PAYOUT-{batch.pk}"[:140]),
            harmless(payout.partner.reference),
        ]
