"""Templates: saved whole as versions, compiled once, refused with the place of every mistake."""

import pytest

from retention.audit.models import AuditEntry, Version
from retention.audit.operations import EditedMeanwhile
from retention.messaging import ready
from retention.messaging.models import CompiledTemplate, Template
from retention.messaging.operations import ensure_ready_templates, save_template
from retention.messaging.operations import templates as refusals
from retention.messaging.seeds import seed
from retention.shop.models import Shop

pytestmark = pytest.mark.django_db


def test_a_new_template_has_a_version_and_each_language_compiled(template):
    made = template()
    assert made.version.number == 1
    assert made.version.data["words"]["ko"]["subject"] == "안녕하세요 {{ customer.first_name }}님"
    compiled = {item.language: item for item in CompiledTemplate.objects.filter(version=made.version)}
    assert set(compiled) == {"en", "ko"}
    assert compiled["en"].placeholders == ["brand", "customer", "preferences_url", "shop", "unsubscribe_url"]
    assert "{{ unsubscribe_url }}" in compiled["en"].html
    assert compiled["en"].text.startswith("Dear {{ customer.first_name }}\n\n-- \n")
    assert "수신 거부" in compiled["ko"].html
    assert AuditEntry.objects.get().verb == "messaging.create_template"


def test_a_transactional_template_offers_no_unsubscribing(template):
    made = template(category="transactional")
    (compiled,) = CompiledTemplate.objects.filter(version=made.version, language="en")
    assert "unsubscribe_url" not in compiled.html + compiled.text


def test_plain_text_alone_is_a_template_too(template):
    made = template(words={"en": {"subject": "Hi", "text": "Only words {{ customer.first_name }}"}})
    compiled = CompiledTemplate.objects.get(version=made.version)
    assert compiled.html == ""
    assert "Unsubscribe: {{ unsubscribe_url }}" in compiled.text


def test_a_given_plain_text_goes_before_the_derived_one(template):
    made = template(words={"en": {"subject": "Hi", "body": "<mj-text>A</mj-text>", "text": "B {{ unsubscribe_url }}"}})
    assert CompiledTemplate.objects.get(version=made.version).text == "B {{ unsubscribe_url }}"


def test_saving_makes_the_next_version_and_keeps_the_last(template, now, by):
    made = template()
    words = {"en": {"subject": "New", "body": "<mj-text>New</mj-text>"}}
    saved = save_template(
        template_id=made.pk, name="Newer", words=words, category="marketing", edited=1, now=now, by=by, why="Shorter"
    )
    assert (saved.version.number, saved.name) == (2, "Newer")
    assert Version.objects.filter(subject="messaging.template", subject_id=made.pk).count() == 2
    assert CompiledTemplate.objects.filter(version=made.version).count() == 2
    with pytest.raises(EditedMeanwhile):
        save_template(template_id=made.pk, name="Late", words=words, category="marketing", edited=1, now=now, by=by)


def test_every_mistake_of_every_language_is_named_and_nothing_is_saved(template):
    words = {
        "en": {"subject": "{{ customer.nick }}", "body": "<mj-text>\n{{ coupon.kode }}</mj-text>"},
        "ko": {"subject": "", "body": "<mj-foo/>"},
    }
    with pytest.raises(refusals.TemplateFaulty) as refused:
        template(words=words)
    assert [(f.language, f.part, f.code, f.line, f.column) for f in refused.value.faults] == [
        ("en", "subject", "unknown_placeholder", 1, 4),
        ("en", "body", "unknown_placeholder_near", 2, 4),
        ("ko", "subject", "empty", 1, 1),
        ("ko", "body", "unknown_tag", 1, 1),
    ]
    assert str(refused.value) == "en, subject, line 1, column 4: There is no placeholder “customer.nick”."
    assert not Template.objects.exists()
    assert not Version.objects.exists()


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ({"ko": {"subject": "a", "body": "<mj-text>a</mj-text>"}}, refusals.WordsMissing),
        ({}, refusals.WordsMissing),
        ({"en": "hello"}, refusals.BadWords),
        ({"en": {"subject": 5}}, refusals.BadWords),
        ({"en": {"title": "x"}}, refusals.BadWords),
        ({"en": {"subject": "Hi"}}, refusals.TemplateFaulty),
    ],
)
def test_other_shapes_are_refused(template, words, refusal):
    with pytest.raises(refusal):
        template(words=words)
    assert not Template.objects.exists()


def test_unknown_channels_and_categories_and_taken_keys_are_refused(template):
    with pytest.raises(refusals.UnknownChannel):
        template(channel="pigeon")
    with pytest.raises(refusals.UnknownCategory):
        template(category="spam")
    template(key="mine")
    with pytest.raises(refusals.TemplateTaken):
        template(key="mine")


def test_ready_templates_are_whole_in_every_language_and_made_once(shop, now, by):
    Shop.objects.update(languages=["de", "ko", "ru", "en"])
    made = ensure_ready_templates(now=now, by=by)
    assert {item.key for item in made} == set(ready.TEMPLATES)
    for item in made:
        # Where the shop's own language has no words, the English ones stand in.
        assert set(item.version.data["words"]) == {"de", *ready.TEMPLATES[item.key].words}
    Template.objects.filter(key="welcome").update(name="My welcome")
    again = ensure_ready_templates(now=now, by=by)
    assert [item.pk for item in again] == [item.pk for item in made]
    assert Template.objects.get(key="welcome").name == "My welcome"


def test_a_new_installation_has_the_ready_templates(shop, now, by):
    assert seed(now=now, by=by) == f"{len(ready.TEMPLATES)} ready templates"
    assert Template.objects.filter(version__isnull=False).count() == len(ready.TEMPLATES)
