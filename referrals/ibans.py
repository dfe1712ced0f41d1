"""Pure: the number of an account at a bank, as forms check it and as pages show it."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from stdnum.iban import is_valid


def check_iban(typed: str) -> None:
    """Length and check digits, those of its country too; whether the account exists only its bank knows."""
    if not is_valid(typed):
        raise ValidationError(_("This is not an IBAN: its length or its check digits are wrong."), code="bad_iban")


def shown(iban: str) -> str:
    """For those who need only recognise it: `DE89 … 3000`."""
    return f"{iban[:4]} … {iban[-4:]}" if iban else ""
