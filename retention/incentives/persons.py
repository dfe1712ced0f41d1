"""Who counts as the same person for limits: keyed hashes of an email, phone, address or means of payment."""

import hashlib
import re
from functools import cache

from django.conf import settings

_NOT_OF_A_NUMBER = re.compile(r"[^0-9]+")
_NOT_OF_AN_ADDRESS = re.compile(r"[\W_]+")


@cache
def hash_key() -> bytes:
    """The key of these hashes; made from the installation's, and of use for nothing else."""
    return hashlib.sha256(b"retention.incentives.email\0" + settings.ADDRESS_HASH_KEY.encode()).digest()


def email_key(email: str) -> int:
    """What a guest with this email is counted under; the SQL functions say the same of a customer's own."""
    return _key(email.encode())


def phone_key(phone: str) -> int:
    """By its digits alone, and without the zeros that stand for "abroad"."""
    return _key(b"phone\0" + _NOT_OF_A_NUMBER.sub("", phone).lstrip("0").encode())


def address_key(address: str) -> int:
    """By letters and digits alone: case, punctuation and spaces do not make another home."""
    return _key(b"address\0" + _NOT_OF_AN_ADDRESS.sub("", address).casefold().encode())


def payment_key(token: str) -> int:
    """By the payment provider's own token of a card or account."""
    return _key(b"payment\0" + token.encode())


def customer_key(customer_id: int) -> int:
    """A customer among persons, where rolling limits look for her."""
    return _key(b"customer\0" + str(customer_id).encode())


def _key(value: bytes) -> int:
    return int.from_bytes(hashlib.sha256(hash_key() + value).digest()[:8], "big", signed=True)
