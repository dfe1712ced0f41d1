"""The shop's look in its mails beside its colour and logo: fonts, paper, corners, and words under every mail."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from retention.audit.models import Version
from retention.messaging.models import BrandKit

Color = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
_EVERYWHERE = "'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans KR', sans-serif"
#: Only what every machine has: mail programs load no fonts.
FONTS = {
    "system": f"-apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, {_EVERYWHERE}",
    "classic": "Georgia, 'Times New Roman', 'Apple Myungjo', Batang, serif",
    "plain": f"Arial, Helvetica, {_EVERYWHERE}",
    "friendly": f"Verdana, 'Trebuchet MS', {_EVERYWHERE}",
    "technical": "ui-monospace, Menlo, Consolas, 'Courier New', monospace",
}
#: What people call them.
FONT_NAMES = {
    "system": gettext_lazy("as the device has them"),
    "classic": gettext_lazy("classic, with serifs"),
    "plain": gettext_lazy("plain"),
    "friendly": gettext_lazy("friendly and wide"),
    "technical": gettext_lazy("technical, each letter as wide"),
}
#: WCAG AA for words of this size.
_LEAST_CONTRAST = 4.5


class Footer(BaseModel):
    """Words under every mail in one language."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=12)]
    text: Annotated[str, StringConstraints(min_length=1, max_length=300)]


class Brand(BaseModel):
    """What every mail wears. The shop's name, colour, logo and postal address are the shop's own."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    font: Literal["system", "classic", "plain", "friendly", "technical"] = "system"
    text_color: Color = "#1f2937"
    paper_color: Color = "#ffffff"
    page_color: Color = "#f3f4f6"
    corners: Annotated[int, Field(ge=0, le=32)] = 8
    footers: Annotated[tuple[Footer, ...], Field(max_length=20)] = Field(
        default=(), description="In a language without one, the first."
    )

    @model_validator(mode="after")
    def _is_readable(self) -> Brand:
        if contrast(self.text_color, self.paper_color) < _LEAST_CONTRAST:
            raise ValueError("the words could hardly be read on this paper: choose a darker or a lighter colour")
        if len({footer.language for footer in self.footers}) < len(self.footers):
            raise ValueError("each language has one footer")
        return self

    def footer(self, language: str) -> str | None:
        """The words under a mail in this language (`pt` for `pt-BR`), else the first there are."""
        by_language = {footer.language: footer.text for footer in reversed(self.footers)}
        first = self.footers[0].text if self.footers else None
        return by_language.get(language) or by_language.get(language.partition("-")[0]) or first

    def sentence(self) -> str:
        return _("Fonts: %(font)s; words in %(text)s on %(paper)s, corners of %(corners)s pixels.") % {
            "font": FONT_NAMES[self.font],
            "text": self.text_color,
            "paper": self.paper_color,
            "corners": self.corners,
        }

    def values(self, language: str) -> dict[str, Any]:
        """What templates in this language read as `brand`."""
        dark = contrast("#4b5563", self.page_color) >= contrast("#d1d5db", self.page_color)
        return {
            "font": FONTS[self.font],
            "text": self.text_color,
            "paper": self.paper_color,
            "page": self.page_color,
            "soft": "#4b5563" if dark else "#d1d5db",
            "corners": f"{self.corners}px",
            "footer": self.footer(language),
        }


def current_brand() -> Brand:
    """What holds now."""
    version_id = BrandKit.objects.values_list("version_id", flat=True).first()
    return brand_of(version_id) if version_id else Brand()


@lru_cache(maxsize=100)
def brand_of(version_id: int) -> Brand:
    """What a version says; versions never change."""
    return Brand.model_validate(Version.objects.get(pk=version_id).data)


def luminance(color: str) -> float:
    """WCAG's relative luminance of #rgb or #rrggbb; what is no colour is as light as black."""
    digits = color.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    try:
        channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    except ValueError:
        return 0.0
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colours: from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable_on(color: str) -> str:
    """Black or white, whichever has the greater contrast on the colour."""
    return "#ffffff" if contrast("#ffffff", color) >= contrast("#000000", color) else "#000000"
