"""Liquid: what is refused and where, and what a limit stops."""

import pytest
from liquid.exceptions import LiquidError

from retention.messaging import words

SAMPLES = {"customer": {"first_name": "Anna"}, "items": [{"name": "Tea"}], "coupon": {"code": "ABC"}, "url": "u"}


def faults(source, is_html=False):
    return [(f.code, f.line, f.column) for f in words.faults(source, "en", SAMPLES, is_html=is_html)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ customer.first_name }} {{ url }}", []),
        ("{% assign x = 1 %}{{ x }}{% for i in items %}{{ i.name }}{% endfor %}", []),
        ("{{ items.first.name }}{{ items.size }}{{ customer.first_name.size }}", []),
        ("{{ items[0].nme }}", [("unknown_placeholder", 1, 4)]),
        ("a\n  {{ customer.frist_name }}", [("unknown_placeholder_near", 2, 6)]),
        ("{{ nobody }}", [("unknown_placeholder", 1, 4)]),
        ("{{ customer['first_name'] }}", []),
        ("{{ url | shout }}", [("unknown_filter", 1, 10)]),
        ("{{ url | safe }}", [("unknown_filter", 1, 10)]),
        ("one\n{% if url %}two", [("unclosed", 2, 1)]),
        ("{% endif %}", [("not_open", 1, 1)]),
        ("{% for i in items %}{% if i %}{% endfor %}", [("closed_by", 1, 21)]),
        ("x {{ url", [("syntax", 1, 3)]),
        ("{% include 'secrets' %}", [("syntax", 1, 4)]),
        ("{% render 'secrets' %}", [("syntax", 1, 4)]),
        ("{{ 1 | divided_by: 0 }}", [("render", 1, 8)]),
        ("{{ (1..100000000) | join }}", [("render", 1, 4)]),
        # Liquid lets Python's own error through here.
        ("{% if customer contains empty %}a{% endif %}", [("render", 1, 1)]),
    ],
)
def test_every_mistake_has_its_place(source, expected):
    assert faults(source) == expected


def test_a_near_miss_is_suggested():
    (fault,) = words.faults("{{ customer.frist_name }}", "en", SAMPLES, is_html=False)
    assert str(fault) == "There is no placeholder “customer.frist_name”. Did you mean “customer.first_name”?"


def test_a_range_that_only_a_value_makes_long_is_stopped_too():
    template = words.parse("{% assign n = size | times: 1000000 %}{{ (1..n) | join }}", "en", is_html=False)
    with pytest.raises(LiquidError, match="at most 1000 steps"):
        words.render(template, {"size": 5})


def test_endless_output_is_stopped():
    source = "{% for a in (1..900) %}{% for b in (1..900) %}xxxxxxxxxx{% endfor %}{% endfor %}"
    with pytest.raises(LiquidError):
        words.render(words.parse(source, "en", is_html=False), {})


def test_values_are_escaped_in_html_alone():
    value = {"customer": {"first_name": "<script>alert(1)</script>"}}
    source = "{{ customer.first_name }}"
    html = words.render(words.parse(source, "en", is_html=True), value)
    assert html == "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert words.render(words.parse(source, "en", is_html=False), value) == "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "June 30, 2026|€1,234.50|1,234.5"),
        ("ko", "2026년 6월 30일|€1,234.50|1,234.5"),
        ("ru", "30 июня 2026 г.|1 234,50 €|1 234,5"),
        ("xx-YY", "June 30, 2026|€1,234.50|1,234.5"),
    ],
)
def test_dates_money_and_numbers_speak_the_language(language, expected):
    source = "{{ day | date }}|{{ 123450 | money: 'EUR' }}|{{ 1234.5 | number }}"
    shown = words.render(words.parse(source, language, is_html=False), {"day": "2026-06-30"})
    assert shown.replace("\u00a0", " ").replace("\u202f", " ") == expected


def test_a_date_filter_never_asks_the_clock():
    assert words.render(words.parse("{{ 'now' | date }}{{ nothing | date }}", "en", is_html=False), {}) == ""


def test_what_is_used_is_known():
    template = words.parse("{% if coupon %}{{ coupon.code }}{% endif %}{% assign x = url %}{{ x }}", "en", is_html=True)
    assert words.used(template) == {"coupon", "url"}
