"""How an offer is claimed, from when and until when: settings of its codes, and validity."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator

from retention.incentives import codes as code_texts
from retention.incentives.parts import Part
from retention.refusals import Refused

#: In-place codes of an incentive without an issue limit are taken to be at least so many.
EXPECTED_CODES = 1_000
#: A pool with fewer codes left than this is told of, unless the rule says otherwise.
WARN_BELOW = 100


def _is_normal(text: str) -> str:
    try:
        return code_texts.check_normal(text)
    except Refused as refused:
        raise ValueError(str(refused)) from None


class UniqueCodes(Part):
    """One code for each customer: made in place from the pattern, or taken from a pool made or imported before.

    A pool with fewer codes left than `warn_below` is told of; 0 is never. One that `applies_by_itself` is used at its
    customer's next order that it fits, without being typed.
    """

    kind: Literal["unique"] = "unique"
    pattern: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_#\- ]{6,40}$")] = "##########"
    charset: Literal["letters_and_digits", "letters", "digits"] = "letters_and_digits"
    is_from_pool: bool = False
    warn_below: Annotated[int, Field(ge=0, le=10**6)] = WARN_BELOW
    is_bound: bool = True
    applies_by_itself: bool = False
    is_usable_again: bool = True

    @model_validator(mode="after")
    def is_somebodys(self) -> UniqueCodes:
        if self.applies_by_itself and not self.is_bound:
            raise ValueError("what applies by itself is for its customer alone")
        return self

    @property
    def as_pattern(self) -> code_texts.Pattern:
        return code_texts.Pattern(self.pattern, self.charset)


class PublicCode(Part):
    """One code that everybody may type; limits keep it in bounds."""

    kind: Literal["public"] = "public"
    text: Annotated[str, AfterValidator(_is_normal)]
    is_usable_again: bool = True


class Automatic(Part):
    """No code: it applies by itself to every basket it fits, while it is live. `banner` is what the shop shows."""

    kind: Literal["automatic"] = "automatic"
    banner: Annotated[str, StringConstraints(max_length=200)] = ""
    is_usable_again: bool = True


CodeSettings = Annotated[UniqueCodes | PublicCode | Automatic, Field(discriminator="kind")]


class Validity(Part):
    """From when until when codes work, and for how many hours after they were given."""

    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    hours_after_given: Annotated[int, Field(ge=1, le=24 * 3660)] | None = None

    @model_validator(mode="after")
    def is_half_open(self) -> Validity:
        if self.starts_at and self.ends_at and self.starts_at >= self.ends_at:
            raise ValueError("the end must come after the start")
        return self

    def end_of(self, given_at: dt.datetime | None) -> dt.datetime | None:
        """When a code given at that instant ends, None for never (or for not before it is given)."""
        ends = [self.ends_at] if self.ends_at else []
        if self.hours_after_given and given_at:
            ends.append(given_at + dt.timedelta(hours=self.hours_after_given))
        return min(ends, default=None)

    def sentences(self) -> list[str]:
        words = []
        if hours := self.hours_after_given:
            words.append(
                ngettext("for one day", "for %(n)s days", hours // 24) % {"n": hours // 24}
                if hours % 24 == 0
                else ngettext("for one hour", "for %(n)s hours", hours) % {"n": hours}
            )
        if self.ends_at:
            words.append(_("until %(end)s UTC") % {"end": f"{self.ends_at.astimezone(dt.UTC):%Y-%m-%d %H:%M}"})
        return words
