"""The link under which a partner reads her statement: signed, so that nobody can guess another's."""

import base64
import binascii
import uuid

from django.conf import settings
from django.core.signing import BadSignature, Signer

from referrals.models import Partner

_SALT = "referrals.statement"


def statement_url(partner: Partner) -> str:
    """Empty: it was revoked, or she was forgotten."""
    return f"{settings.BASE_URL}/a/{statement_token(partner)}" if partner.has_link and partner.name else ""


def statement_token(partner: Partner) -> str:
    said = partner.public_id.bytes + partner.link_number.to_bytes(4, "big")
    text = base64.urlsafe_b64encode(said).rstrip(b"=").decode("ascii")
    return _signer().sign(text)


def partner_of(token: str) -> Partner | None:
    """Whose link it is; None: nobody's, one that was revoked or renewed, or of a partner who was forgotten."""
    try:
        text = _signer().unsign(token)
        said = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        public_id, number = uuid.UUID(bytes=said[:16]), int.from_bytes(said[16:], "big")
    except (BadSignature, binascii.Error, ValueError):
        return None
    readers = Partner.objects.filter(has_link=True, link_number=number).exclude(name="")
    return readers.filter(public_id=public_id).first()


def _signer() -> Signer:
    return Signer(salt=_SALT, sep=".")
