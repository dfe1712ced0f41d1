"""Hostile templates: whatever a marketer writes, by mistake or not, a worker is done with it in a moment."""

import pytest

from retention.messaging import words
from retention.messaging.folding import FoldedTemplate

LONG = "a" * 1000


def loop(times, inside):
    return f"{{% for i in (1..{times}) %}}{inside}{{% endfor %}}"


def grown(first, step):
    """A value that a filter makes larger sixty times over."""
    return f"{{% assign a = {first} %}}{loop(60, f'{{% assign a = a | {step} %}}')}{{{{ a | size }}}}"


def captured(inside, filters):
    return f"{{% capture a %}}{inside}{{% endcapture %}}{{{{ a | {filters} }}}}"


SLOW = " | split: 'a' | sort | join: 'a' | upcase | downcase" * 20
HOSTILE = {
    "nested loops": loop(1000, loop(1000, loop(1000, "x"))),
    "a long range": loop(100_000_000, "x"),
    "replace grows": f"{{{{ '{LONG}' | replace: 'a', '{LONG}' | replace: 'a', '{LONG}' | size }}}}",
    "between every symbol": f"{{{{ '{LONG}' | replace: '', '{LONG}' | replace: '', '{LONG}' | size }}}}",
    "doubling text": grown("'aaaaaaaaaa'", "append: a"),
    "doubling numbers": grown("9", "times: a"),
    "doubling lists": grown("'a,b,c' | split: ','", "concat: a"),
    "output": loop(9000, LONG),
    "captured": captured(loop(9000, LONG), "size"),
    "searching": captured(loop(900, "<" * 90), "strip_html | size"),
    "slow filters": captured(loop(90, LONG), "size") + loop(9000, f"{{% assign b = a{SLOW} %}}"),
    "table": "{% tablerow i in (1..1000) cols:1 %}" + loop(1000, "{{ i }}") + "{% endtablerow %}",
    "deep": "{% if true %}" * 60 + "x" + "{% endif %}" * 60,
}


# Without limits these run for minutes or for ever; with them, for a second at most.
@pytest.mark.timeout(60)
@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_no_template_hangs_a_worker(source):
    for render in (
        lambda: words.render(words.parse(source, "en", is_html=True), {}),
        lambda: str(FoldedTemplate(words.parse(source, "en", is_html=True), {}).fill({})),
        lambda: words.faults(source, "en", {}, is_html=True),
    ):
        try:
            result = render()
        except words.FAILURES:
            result = ""
        assert len(result) < 300_000


def test_what_is_honest_is_not_touched():
    source = "{% for n in (1..500) %}{{ n | times: 3 | append: '<b>' | replace: 'b', 'i' | upcase }}{% endfor %}"
    assert words.faults(source, "en", {}, is_html=True) == []
    assert words.render(words.parse("{{ '<p>x</p>' | strip_html }}", "en", is_html=False), {}) == "x"


def test_it_is_refused_at_save_with_its_place():
    source = f"Hello\n {{{{ '{LONG}' | replace: 'a', '{LONG}' | replace: 'a', 'b' }}}}"
    (fault,) = words.faults(source, "en", {}, is_html=False)
    assert (fault.code, fault.line) == ("render", 2)
    assert "would make the text too long" in str(fault)
