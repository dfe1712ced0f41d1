"""Folding: a folded template says exactly what the whole one would, for every recipient."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.messaging import compilation, ready, words
from retention.messaging.folding import FoldedTemplate
from retention.messaging.frames import Static
from retention.messaging.placeholders import samples

SHOP = {"name": "Tea & Co <b>", "website_url": None, "logo_url": "https://x/y.png", "postal_address": "안녕 1\nLane"}
texts = st.text(max_size=60)


def both(source, values, constants=("shop",), is_html=True):
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


@settings(max_examples=60, deadline=None)
@given(name=texts, code=st.none() | texts)
def test_any_values_read_the_same(name, code):
    source = (
        "{{ shop.name }} {% if coupon %}<i>{{ coupon }}</i>{{ shop.name | upcase }}{% else %}{{ shop.name }}{% endif %}"
        "{% if shop.website_url %}A{% elsif shop.name %}B{% endif %}{{ name }}{% for x in (1..3) %}{{ x }}"
        "{{ shop.name }}{% endfor %}{% assign y = shop.name %}{{ y }}{% capture z %}{{ name }}{% endcapture %}{{ z }}"
    )
    whole, body = both(source, {"shop": SHOP, "name": name, "coupon": code})
    assert str(body) == whole


def test_a_name_that_the_template_takes_for_itself_is_not_folded():
    whole, body = both("{{ shop }}{% assign shop = name %}{{ shop }}", {"shop": "Tea", "name": "Anna"})
    assert str(body) == whole == "TeaAnna"


def test_what_differs_is_not_kept_from_one_recipient_to_the_next():
    parsed = words.parse("{{ shop }}{% if name %}{{ name }}{% endif %}{% increment n %}", "en", is_html=False)
    folded = FoldedTemplate(parsed, {"shop": "Tea "})
    assert [str(folded.fill({"name": name})) for name in ("Anna", "", "Ben")] == ["Tea Anna0", "Tea 0", "Tea Ben0"]
