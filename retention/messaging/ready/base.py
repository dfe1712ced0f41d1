"""What ready templates are made of: the frame that a few sentences go into, by language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Words = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class ReadyTemplate:
    name: Any
    words: Words
    category: str = "marketing"
    #: A placeholder without which it would be good for nothing, in whatever words.
    needs: str = ""


#: One block: the code, its picture, what it gives, until when, and what it leaves out; or what needs no code; words by
#: language.
COUPON = """{{% if coupon %}}
<mj-section padding="0 24px">
  <mj-column border="2px dashed #9ca3af" border-radius="12px" padding="12px 0">
    <mj-text align="center" font-size="18px" font-weight="600">{{{{ coupon.sentence }}}}</mj-text>
    <mj-text align="center" font-size="28px" font-weight="700" css-class="code">{{{{ coupon.code }}}}</mj-text>
    <mj-image src="{{{{ coupon.qr_url }}}}" alt="{{{{ coupon.code }}}}" width="148px" />
    {{% if coupon.expires_on %}}<mj-text align="center" font-size="14px" color="#4b5563">{until}</mj-text>{{% endif %}}
    {{% if coupon.terms %}}
    <mj-text align="center" font-size="14px" color="#4b5563">{{{{ coupon.terms }}}}</mj-text>
    {{% endif %}}
  </mj-column>
</mj-section>
{{% elsif gift %}}
<mj-section padding="0 24px">
  <mj-column border="2px dashed #9ca3af" border-radius="12px" padding="12px 0">
    <mj-text align="center" font-size="22px" font-weight="700">{{{{ gift.sentence }}}}</mj-text>
  </mj-column>
</mj-section>
{{% endif %}}"""
UNTIL = {
    "en": "Good until {{ coupon.expires_on }}",
    "ko": "{{ coupon.expires_on }}까지 사용 가능",
    "ru": "Действует до {{ coupon.expires_on }}",
}
BUTTON = """{{% if shop.website_url %}}
<mj-button href="{{{{ shop.website_url }}}}" padding="20px 25px 10px">{label}</mj-button>
{{% endif %}}"""
HELLO = {
    "en": 'Hello {{ customer.first_name | default: "there" }},',
    "ko": '{{ customer.first_name | default: "고객" }}님, 안녕하세요.',
    "ru": "Здравствуйте{% if customer.first_name %}, {{ customer.first_name }}{% endif %}!",
}
SHOP_NOW = {"en": "Visit the shop", "ko": "쇼핑하러 가기", "ru": "Перейти в магазин"}


@dataclass(frozen=True)
class Button:
    """A button to a placeholder's address, where the message has it; else it leads to the shop.

    Attributes:
        link: such as "occasion.restore_url".
        labels: by language.
    """

    link: str
    labels: Mapping[str, str]


_LINKED = """{{% if {link} %}}
<mj-button href="{{{{ {link} }}}}" padding="20px 25px 10px">{label}</mj-button>
{{% elsif shop.website_url %}}
<mj-button href="{{{{ shop.website_url }}}}" padding="20px 25px 10px">{otherwise}</mj-button>
{{% endif %}}"""
#: The product that the occasion is about, where it has a picture.
_PICTURE = """{% if occasion.image_url %}
<mj-image src="{{ occasion.image_url }}" alt="{{ occasion.product }}" width="240px" />
{% endif %}"""


def in_words(
    *, button: Button | None = None, has_picture: bool = False, **by_language: Sequence[str]
) -> dict[str, dict[str, str]]:
    """language=(subject, preheader, paragraph, what the paragraph goes on with where the mail brings a coupon)"""
    return {
        language: {
            "subject": subject,
            "preheader": preheader,
            "body": _body(language, *sentences, button=button, has_picture=has_picture),
        }
        for language, (subject, preheader, *sentences) in by_language.items()
    }


def _body(language: str, always: str, with_coupon: str = "", *, button: Button | None, has_picture: bool) -> str:
    more = f"{{% if coupon %}} {with_coupon}{{% endif %}}" if with_coupon else ""
    to_shop = SHOP_NOW[language]
    parts = [
        f"<mj-text><p>{HELLO[language]}</p><p>{always}{more}</p></mj-text>",
        _PICTURE if has_picture else "",
        COUPON.format(until=UNTIL[language]),
        _LINKED.format(link=button.link, label=button.labels[language], otherwise=to_shop)
        if button
        else BUTTON.format(label=to_shop),
    ]
    return "\n".join(filter(None, parts))
