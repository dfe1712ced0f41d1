"""Whatever marketers write and whoever gets it: a folded template says exactly what Liquid says of the whole one."""

from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st
from liquid.exceptions import LiquidError

from retention.messaging import words
from retention.messaging.folding import FoldedTemplate

NAMES = ["shop", "coupon", "items"]
PARTS = ["name", "code", "size"]
#: Some that nobody has, and one that Liquid knows by itself.
roots = st.sampled_from([*NAMES, *NAMES, "nothing", "today"])
parts = st.sampled_from([*PARTS, *PARTS, "first", "nothing", "items[0]"])
paths = st.builds(lambda root, rest: ".".join([root, *rest]), roots, st.lists(parts, max_size=2))
paths |= st.builds("{}['{}']".format, roots, st.sampled_from(PARTS))
operands = paths | st.sampled_from(["'a&b'", "1", "2.5", "true", "nil", "''"])
filters = st.sampled_from(
    ["upcase", "size", "date", "number", "first", "escape", "strip_html", "money: 'EUR'", "plus: 1", "divided_by: 0"]
)
filters |= st.builds("{}: {}".format, st.sampled_from(["default", "default", "append", "truncate"]), operands)
expressions = st.builds(lambda first, rest: " | ".join([first, *rest]), operands, st.lists(filters, max_size=2))
comparisons = st.builds(
    "{} {} {}".format,
    paths,
    st.sampled_from("== != < >= contains".split()),
    operands | st.sampled_from(["blank", "empty"]),
)
conditions = paths | st.builds("{} {} {}".format, paths | comparisons, st.sampled_from(["and", "or"]), comparisons)
leaves = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="{}%"), max_size=6),
    st.sampled_from(["words ", " ", "\n", "\r\n", "\r", "<b>", "&", "{ "]),
    st.builds("{{{{ {} }}}}".format, expressions),
    st.builds("{{{{- {} -}}}}".format, paths),
    st.builds("{{% assign {} = {} %}}".format, roots, expressions),
    st.builds("{{% increment {} %}}".format, roots),
    st.builds("{{% cycle 'a', {} %}}".format, operands),
    st.builds("{{% echo {} %}}".format, expressions),
    st.sampled_from(["{% break %}", "{% raw %}{{ shop }}{% endraw %}", "{% comment %}a{% endcomment %}"]),
)
#: Kind of block → what its gaps hold: (c)ondition, (b)ody, (n)ame, (p)ath.
BLOCKS = {
    "{{% if {} %}}{}{{% endif %}}": "cb",
    "{{%- if {} -%}}{}{{%- else -%}}{}{{%- endif -%}}": "cbb",
    "{{% if {} %}}{}{{% elsif {} %}}{}{{% else %}}{}{{% endif %}}": "cbcbb",
    "{{% unless {} %}}{}{{% else %}}{}{{% endunless %}}": "cbb",
    "{{% case {} %}}{{% when 'a&b', true %}}{}{{% else %}}{}{{% endcase %}}": "pbb",
    "{{% for {} in {} %}}{}{{% endfor %}}": "npb",
    "{{% for {} in (1..3) %}}{}{{% endfor %}}": "nb",
    "{{% capture {} %}}{}{{% endcapture %}}": "nb",
}


@st.composite
def templates(draw, depth=2):
    """Any words, with blocks in blocks."""
    pieces = []
    for _piece in range(draw(st.integers(1, 4))):
        if depth == 0 or draw(st.booleans()):
            pieces.append(draw(leaves))
            continue
        block = draw(st.sampled_from(sorted(BLOCKS)))
        gaps = {"c": conditions, "n": roots, "p": paths, "b": templates(depth - 1)}
        pieces.append(block.format(*(draw(gaps[kind]) for kind in BLOCKS[block])))
    return "".join(pieces)


scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["Tea & Co", "2026-05-12", "\r", "<i>", ""])
objects = st.fixed_dictionaries({}, optional=dict.fromkeys([*PARTS, "items"], scalars | st.lists(scalars, max_size=3)))
values = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(NAMES, objects | objects | scalars | st.lists(scalars | objects, max_size=3))
)


def case(source, shared=None, **own):
    """One that a rule of the folding is there for."""
    return example(source=source, shared=shared or {"shop": "Tea"}, own=[own], is_html=False)


def said(render, given):
    """The words, or what kind of failure it is."""
    try:
        return str(render(given))
    except words.FAILURES as error:
        return type(error)


@settings(max_examples=300, deadline=None)
@case("{% for shop in items %}{{ shop }}{% endfor %}", items=["a", "b"])
@case("{{ shop }}{% assign shop = coupon %}{{ shop }}", coupon="a")
@case("{% increment items %}{{ items }}")
@case("{{ coupon }}{{ coupon.size }}{{ today.nothing }}", coupon="a\rb")
@case("a\r{{ shop }}\nb")
@case(
    "{% if coupon %} {% endif %}{% if coupon %} {% else %}x{% endif %}{% if coupon %} {% assign x = 1 %}{% endif %}",
    coupon=1,
)
@case("{% if coupon %}{{ shop | divided_by: 0 }}{% endif %}")
@case(
    "{% if coupon.name and coupon.name != nil %}{{ coupon.name | default: shop | append: items }}{% endif %}", items=[1]
)
@given(source=templates(), shared=values, own=st.lists(values, min_size=1, max_size=2), is_html=st.booleans())
def test_a_folded_template_says_what_the_whole_one_says(source, shared, own, is_html):
    def parsed():
        return words.parse(source, "en", is_html=is_html)

    try:
        whole = parsed()
    except LiquidError:
        assume(False)
    folded = FoldedTemplate(parsed(), shared)
    for mine in own:
        given = mine | shared
        wanted = said(lambda given: whole.render(**given), given)
        event("fails" if isinstance(wanted, type) else "says something" if wanted.strip() else "says nothing")
        assert said(folded.fill, given) == wanted
