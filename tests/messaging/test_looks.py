"""How mails look: the brand kit that all wear, and blocks that templates name and change with."""

import json

import pytest
from pydantic import ValidationError

from retention.audit.operations import EditedMeanwhile
from retention.messaging.brand import Brand
from retention.messaging.models import Block, BrandKit, Template
from retention.messaging.operations import create_template, preview, save_block, save_brand
from retention.messaging.operations.looks import BlockBreaks, BlockMissing, BlockTaken
from retention.messaging.operations.templates import TemplateFaulty
from tests.console.conftest import as_role, person
from tests.messaging.test_endpoints import api

__all__ = ["api", "as_role", "person"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
FOOTERS = ({"language": "en", "text": "Tea for all"}, {"language": "ko", "text": "모두를 위한 차"})
OFFER = "<mj-text>Spring, {{ customer.first_name }}</mj-text>"


@pytest.fixture
def block(now, by):
    def save(bodies=None, key="offer", **fields):
        return save_block(
            **{
                "key": key,
                "name": "Offer",
                "bodies": bodies or {"en": OFFER},
                "edited": None,
                "now": now,
                "by": by,
                **fields,
            }
        )

    return save


@pytest.fixture
def write(now, by):
    def make(body, ko=None, name="Hello"):
        words = {"en": {"subject": "Hi", "body": body}, **({"ko": {"subject": "안녕", "body": ko}} if ko else {})}
        return create_template(name=name, words=words, now=now, by=by)

    return make


def test_a_block_stands_where_it_is_named_in_each_language(block, write, now):
    block({"en": OFFER, "ko": "<mj-text>봄</mj-text>"})
    block({"en": "<mj-section><mj-column><mj-text>Whole</mj-text></mj-column></mj-section>"}, key="whole")
    named = '<mj-block name="offer" />\n<mj-block name="whole"></mj-block>'
    body = f"<mj-text>Before</mj-text>\n{named}<mj-text>After</mj-text>"
    made = write(body, ko=body)
    shown = preview(template_id=made.pk, now=now)
    for words in (shown.html, shown.text):
        assert words.index("Before") < words.index("Spring, Anna") < words.index("Whole") < words.index("After")
    assert "mj-block" not in shown.html
    korean = preview(template_id=made.pk, language="ko", now=now)
    assert "봄" in korean.html
    assert "Whole" in korean.html


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<mj-text>x</mj-text>\n  <mj-block name="ofer" />', ("unknown_block_near", 2, 3)),
        ('<mj-block name="nothing" />', ("unknown_block", 1, 1)),
        ("<mj-block />", ("unknown_block", 1, 1)),
        ('<mj-section><mj-column>\n<mj-block name="offer" /></mj-column></mj-section>', ("misplaced_tag", 2, 1)),
    ],
)
def test_what_is_wrong_with_a_name_is_said_with_its_place(block, write, body, fault):
    block()
    with pytest.raises(TemplateFaulty) as refused:
        write(body)
    assert (refused.value.faults[0].code, refused.value.faults[0].line, refused.value.faults[0].column) == fault


def test_a_new_version_reaches_every_template_or_none(block, write, now):
    made = block()
    first, second, other = write('<mj-block name="offer" />'), write('<mj-block name="offer" />'), write(OFFER)
    before = preview(template_id=first.pk, now=now).html
    saved = block({"en": "<mj-text>Summer</mj-text>"}, block_id=made.pk, edited=1)
    assert saved.version.number == 2
    numbers = {template.pk: template.version.number for template in Template.objects.select_related("version")}
    assert numbers == {first.pk: 2, second.pk: 2, other.pk: 1}
    assert "Spring" in before
    assert "Summer" in preview(template_id=second.pk, now=now).html
    with pytest.raises(EditedMeanwhile):
        block({"en": OFFER}, block_id=made.pk, edited=1)
    # Of a text that grows too large together, nothing is kept.
    big = "<mj-text>" + "x" * 90_000 + "</mj-text>"
    full = write(f'<mj-block name="offer" />{big}{big}', name="Full")
    with pytest.raises(BlockBreaks):
        block({"en": big}, block_id=made.pk, edited=2)
    full.refresh_from_db()
    assert (full.version.number, Block.objects.get().version.number) == (1, 2)


def test_a_faulty_block_is_refused_with_its_place(block):
    with pytest.raises(TemplateFaulty) as refused:
        block({"en": "<mj-text>\n {{ nobody }}</mj-text>"})
    (fault,) = refused.value.faults
    assert (fault.code, fault.line, fault.column) == ("unknown_placeholder", 2, 5)
    with pytest.raises(TemplateFaulty):
        block({"en": '<mj-block name="offer" />'})
    with pytest.raises(BlockMissing):
        block({"ko": OFFER})
    block()
    with pytest.raises(BlockTaken):
        block()
    assert Block.objects.count() == 1


def test_every_mail_wears_the_brand_at_once(write, now, by, shop):
    made = write(OFFER)
    assert (
        "border-radius:8px"
        in preview(template_id=write('<mj-button href="https://x.example.com">x</mj-button>').pk, now=now).html
    )
    dark = {"text_color": "#ffffff", "paper_color": "#111111", "page_color": "#000000"}
    save_brand(brand=Brand(font="classic", footers=FOOTERS, **dark), edited=None, now=now, by=by)
    html = preview(template_id=made.pk, now=now).html
    for expected in ("Georgia", "#111111", "color:#ffffff", "Tea for all", "color:#d1d5db"):
        assert expected in html
    assert "Segoe UI" not in html
    # A mail in another language has that language's words, or the first.
    both = write(OFFER, ko=OFFER, name="Both")
    assert "모두를 위한 차" in preview(template_id=both.pk, language="ko", now=now).html
    assert Brand(footers=FOOTERS).footer("de-AT") == "Tea for all"
    with pytest.raises(ValidationError):
        Brand(footers=FOOTERS * 2)
    assert BrandKit.objects.get().version.number == 1


def test_words_that_could_not_be_read_are_refused():
    with pytest.raises(ValidationError):
        Brand(text_color="#999999")
    with pytest.raises(ValidationError):
        Brand(page_color="red")


def test_the_pages(as_role, block, write):
    made = block()
    write('<mj-block name="offer" />', name="Spring mail")
    marketer = as_role("marketer")
    page = marketer.get(f"/admin/messaging/block/{made.pk}/change/").content.decode()
    assert "Spring mail" in page
    assert "&lt;mj-block name=&quot;offer&quot; /&gt;" in page or '&lt;mj-block name="offer" /&gt;' in page
    typed = {"name": "Offer", "bodies_en": "<mj-text>\r\n{{ nobody }}</mj-text>", "edited": "1", "why": ""}
    answer = marketer.post(f"/admin/messaging/block/{made.pk}/change/", typed)
    assert "line 2, column 4: There is no placeholder “nobody”." in answer.content.decode()
    assert marketer.post(f"/admin/messaging/block/{made.pk}/change/", {**typed, "bodies_en": OFFER}).status_code == 302
    assert marketer.get("/admin/messaging/brandkit/", follow=True).status_code == 200


def test_blocks_and_the_kit_over_the_api(api, write):
    made = {"key": "offer", "name": "Offer", "bodies": {"en": OFFER}}
    assert api.post("blocks/", made) == (201, {**made, "version": 1, "is_archived": False})
    template = write('<mj-block name="offer" />')
    status, changed = api.patch("blocks/offer/", {"edited": 1, "bodies": {"en": "<mj-text>Summer</mj-text>"}})
    assert (status, changed["version"], changed["name"]) == (200, 2, "Offer")
    template.refresh_from_db()
    assert template.version.number == 2
    status, refused = api.patch("blocks/offer/", {"edited": 2, "bodies": {"en": "<mj-text>\n{{ nobody }}</mj-text>"}})
    assert (status, refused["code"]) == (422, "messaging.template_faulty")
    (fault,) = refused["params"]["faults"]
    assert (fault["line"], fault["column"]) == (2, 4)
    assert api.post("blocks/offer/archive/", None)[1]["is_archived"]
    assert api.get("blocks/")[1]["items"] == []
    assert [item["key"] for item in api.get("blocks/?archived=true")[1]["items"]] == ["offer"]
    assert api.get("blocks/nothing/")[0] == 404
    assert api.get("brand-kit/")[1]["version"] is None
    status, saved = api.put("brand-kit/", {"brand": {"font": "classic", "corners": 0}, "edited": None})
    assert (status, saved["version"], saved["brand"]["corners"]) == (200, 1, 0)
    assert api.put("brand-kit/", {"brand": {}, "edited": None})[0] == 409
    assert api.get("brand-kit/") == (200, saved)


def test_the_kit_is_seen_on_a_mail_before_it_is_saved(as_role, write):
    write(OFFER)
    marketer, url = as_role("marketer"), "/admin/messaging/brandkit/look/"
    shown = marketer.post(url, {"brand": json.dumps({"paper_color": "#fffbeb"})}).content.decode()
    assert "#fffbeb" in shown
    assert "Spring, Anna" in shown
    assert "#fffbeb" not in marketer.get(url).content.decode()
    assert "could hardly be read" in marketer.post(url, {"brand": '{"text_color": "#ffffff"}'}).content.decode()
    assert marketer.post(url, {"brand": "no kit"}).status_code == 200
    assert not BrandKit.objects.exclude(version=None).exists()
