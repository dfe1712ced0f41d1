"""What parts of rules are made of: the frozen base, the kinds of values in them, and how sentences name those."""

from __future__ import annotations

from typing import Annotated, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from retention import money
from retention.refusals import Refused

Currency = Annotated[str, AfterValidator(money.check_currency)]
#: By currency, in minor units.
Amounts = dict[Currency, Annotated[int, Field(gt=0, le=10**12)]]
Sku = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Category = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"[^/]$")]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
#: Hundredths of a percent.
Points = Annotated[int, Field(ge=1, le=10_000)]
#: Of units of goods.
Units = Annotated[int, Field(ge=1, le=1_000_000)]


class Part(BaseModel):
    """A part of a rule: it is exact, cannot change, and knows nothing it was not told to know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, str_strip_whitespace=True)


class WrongCurrency(Refused):
    code = "incentives.wrong_currency"
    sentence = gettext_lazy("This offer is not for baskets in %(currency)s.")


def some(words: tuple[Any, ...], most: int = 4) -> str:
    """`A, B, C, D and 12 more`."""
    shown = ", ".join(str(word) for word in words[:most])
    return shown if len(words) <= most else _("%(some)s and %(n)s more") % {"some": shown, "n": len(words) - most}


def percent_text(basis_points: int) -> str:
    """`12.5` of 1250."""
    return f"{basis_points / 100:.2f}".rstrip("0").rstrip(".")
