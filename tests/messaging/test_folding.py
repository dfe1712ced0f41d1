"""Folding: the ready templates say the same folded, and nothing stays from one recipient to the next."""

import pytest

from retention.messaging import compilation, ready, words
from retention.messaging.folding import FoldedTemplate
from retention.messaging.frames import Static
from retention.messaging.placeholders import samples

SHOP = {"name": "Tea & Co <b>", "website_url": None, "logo_url": "https://x/y.png", "postal_address": "안녕 1\nLane"}


def both(source, values, constants=("shop", "brand"), is_html=True):
    whole = words.parse(source, "en", is_html=is_html).render(**values)
    folded = FoldedTemplate(
        words.parse(source, "en", is_html=is_html), {key: values[key] for key in constants if key in values}
    )
    return whole, folded.fill(values)


@pytest.mark.parametrize("key", sorted(ready.TEMPLATES))
@pytest.mark.parametrize("coupon", [True, False])
def test_ready_templates_read_the_same_folded(key, coupon):
    item = ready.TEMPLATES[key]
    compiled, _faults = compilation.compile_words(
        item.words, is_marketing=item.category == "marketing", samples=samples()
    )
    values = samples() | {"shop": samples()["shop"] | SHOP, "coupon": samples()["coupon"] if coupon else None}
    for language in compiled:
        whole, body = both(language.html, values)
        assert str(body) == whole
        assert any(isinstance(piece, Static) and len(piece.text) > 3000 for piece in body.pieces)


def test_what_differs_is_not_kept_from_one_recipient_to_the_next():
    parsed = words.parse("{{ shop }}{% if name %}{{ name }}{% endif %}{% increment n %}", "en", is_html=False)
    folded = FoldedTemplate(parsed, {"shop": "Tea "})
    assert [str(folded.fill({"name": name})) for name in ("Anna", "", "Ben")] == ["Tea Anna0", "Tea 0", "Tea Ben0"]
