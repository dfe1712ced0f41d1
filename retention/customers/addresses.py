"""Addresses people are written to: their normal form, and the keyed hash under which they outlive their owner."""

import hashlib
import hmac

import phonenumbers
from django.conf import settings

_BLOCK = 64  # bytes, of SHA-256


def normal_email(email: str) -> str:
    """The form in which emails are compared; the database keeps the same as `email_normal`."""
    return email.strip(" ").lower()


def normal_phone(text: str, country: str) -> str | None:
    """The number as E.164, read as people in the country write it; None where it cannot be a number."""
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def address_hash(address: str) -> bytes:
    """HMAC-SHA256 of a normal address under `settings.ADDRESS_HASH_KEY` (32 bytes)."""
    return hmac.new(_key(), address.encode(), hashlib.sha256).digest()


def address_hash_sql(expression: str) -> str:
    """SQL of the same hash over a text expression; wants `hash_params()` among its parameters.

    HMAC spelled out over PostgreSQL's own sha256: no extension is needed, and the key itself never travels.
    """
    return f"sha256(%(hash_outer)s || sha256(%(hash_inner)s || convert_to({expression}, 'UTF8')))"


def hash_params() -> dict[str, bytes]:
    key = _key()
    key = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return {"hash_outer": bytes(byte ^ 0x5C for byte in key), "hash_inner": bytes(byte ^ 0x36 for byte in key)}


def _key() -> bytes:
    return settings.ADDRESS_HASH_KEY.encode()
