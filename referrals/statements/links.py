"""The link under which a partner reads her statement: signed, so that nobody can guess another's."""

import base64
import binascii
import uuid

from django.conf import settings
from django.core.signing import BadSignature, Signer

from referrals.models import Partner

_SALT = "referrals.statement"


def statement_url(partner: Partner) -> str:
    return f"{settings.BASE_URL}/a/{statement_token(partner)}"


def statement_token(partner: Partner) -> str:
    text = base64.urlsafe_b64encode(partner.public_id.bytes).rstrip(b"=").decode("ascii")
    return _signer().sign(text)


def partner_of(token: str) -> Partner | None:
    """Whose link it is; None: nobody's, or of one who was forgotten."""
    try:
        text = _signer().unsign(token)
        public_id = uuid.UUID(bytes=base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (BadSignature, binascii.Error, ValueError):
        return None
    return Partner.objects.filter(public_id=public_id).exclude(name="").first()


def _signer() -> Signer:
    return Signer(salt=_SALT, sep=".")
