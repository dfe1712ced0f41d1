"""MJML blocks: what is refused and where, what comes out as HTML, and what as plain text."""

import pytest

from retention.messaging import blocks


def faults(source):
    return [(fault.code, fault.line, fault.column) for fault in blocks.read(source).faults]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<mj-text>Hello<br>you &amp; me &nbsp;</mj-text>", []),
        ("<mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section>", []),
        ("<mj-text>{{ a }}</mj-text>\n{% if b < 3 %}<mj-divider />{% endif %}", []),
        ("<mj-foo/>", [("unknown_tag", 1, 1)]),
        ("\n  hello", [("stray_words", 2, 3)]),
        ("{{ coupon.code }}<mj-text>a</mj-text>", [("stray_words", 1, 1)]),
        ("<mj-text>\n a <i>b</mj-text>", [("closed_by", 2, 4)]),
        ("<mj-text>a</mj-txt>", [("unclosed", 1, 1), ("not_open", 1, 11)]),
        ("<mj-section><mj-text>a</mj-text></mj-section>", [("misplaced_tag", 1, 13)]),
        ("<mj-text><mj-button>a</mj-button></mj-text>", [("misplaced_tag", 1, 10)]),
        ("<mj-text><script>a</script></mj-text>", [("forbidden_tag", 1, 10)]),
        ('<mj-text><a onclick="x">a</a></mj-text>', [("forbidden_tag", 1, 10)]),
        ("<mj-text {% if a %}color='red'{% endif %}>a</mj-text>", [("between_attributes", 1, 1)]),
        ("<mjml><mj-body></mj-body></mjml>", [("unknown_tag", 1, 1), ("unknown_tag", 1, 7)]),
        ("<mj-include path='/etc/passwd' />", [("unknown_tag", 1, 1)]),
    ],
)
def test_every_mistake_has_its_place(source, expected):
    assert faults(source) == expected


def test_loose_blocks_are_set_into_sections_and_loose_conditions_into_raw():
    source = "<mj-text>A</mj-text>\n{% if b %}\n<mj-button href='u'>B</mj-button>\n{% endif %}"
    assert blocks.read(source).mjml == (
        "<mj-section><mj-column><mj-text>A</mj-text></mj-column></mj-section>\n<mj-raw>{% if b %}</mj-raw>\n"
        "<mj-section><mj-column><mj-button href='u'>B</mj-button></mj-column></mj-section>\n"
        "<mj-raw>{% endif %}</mj-raw>"
    )


def test_liquid_comes_through_the_compiler_untouched():
    liquid = '{% if a < b and c == "x" %}{{ d | default: "<b>&" }}{% endif %}'
    source = f'<mj-text>{liquid}</mj-text><mj-image src="{{{{ url }}}}" alt="{{{{ d }}}}" />'
    html = blocks.compile_html(blocks.read(source).mjml, "ko", subject="", preheader="", footer="")
    assert liquid in html
    assert 'src="{{ url }}"' in html
    assert 'lang="ko"' in html
    assert "LQ" not in html


def test_words_that_look_like_the_compilers_marks_survive():
    html = blocks.compile_html(
        blocks.read("<mj-text>LQ0X and {{ a }} and LQQ1X</mj-text>").mjml, "en", subject="", preheader="", footer=""
    )
    assert "LQ0X and {{ a }} and LQQ1X" in html


def test_the_subject_is_the_pages_title():
    subject = "Tom & \"Jerry\" <3{% if name %}, {{ name | default: 'a & b' }}{% endif %}"
    html = blocks.compile_html(blocks.read("<mj-text>a</mj-text>").mjml, "en", subject=subject, preheader="", footer="")
    title = "Tom &amp; &quot;Jerry&quot; &lt;3{% if name %}, {{ name | default: 'a & b' }}{% endif %}"
    assert f"<title>{title}</title>" in html
    assert f'aria-label="{title}"' in html


def test_nothing_is_fetched_from_elsewhere():
    html = blocks.compile_html(blocks.read("<mj-text>a</mj-text>").mjml, "en", subject="", preheader="", footer="")
    assert "<link" not in html
    assert "@import" not in html
    assert "fonts.g" not in html


def test_plain_text_keeps_words_links_lists_and_conditions():
    source = (
        "<mj-section><mj-column><mj-text><p>Hello  {{ name }},</p><ul><li>one</li><li>two &amp; three</li></ul>"
        'see <a href="https://a.example/?x=1">this</a></mj-text>\n{% if coupon %}\n'
        "<mj-button href='{{ url }}'>Go</mj-button>\n{% endif %}<mj-image src='x' alt='A cup' />"
        "</mj-column></mj-section>"
    )
    assert blocks.read(source).text == (
        "Hello {{ name }},\n\n- one\n- two & three\n\nsee this (https://a.example/?x=1)\n\n"
        "{% if coupon %}Go: {{ url }}\n\n{% endif %}A cup"
    )
