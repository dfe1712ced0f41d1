"""Whatever customers read is there in English, Korean and Russian, and says the same things."""

import re
from collections.abc import Iterator

import pytest

from retention.messaging import compilation, offers, purposes, ready, tokens
from retention.messaging.ready import base
from retention.storefront import words as storefront
from retention.support import words as support

LANGUAGES = {"en", "ko", "ru"}
#: What is the same in every language: names of things, and the word that phones everywhere know.
SAME = {"stop", "html", "qr"}
_MARKUP = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|<style.*?</style>|<script.*?</script>|<[^>]*>|\{\w+\}|https?://\S+|\S+@\S+", re.S
)


def english_in(text: str, *known: str) -> list[str]:
    """Words in Latin letters that a reader of Korean or Russian would stumble over."""
    found = re.findall(r"[A-Za-z]{3,}", _MARKUP.sub(" ", text))
    return [word for word in found if word.lower() not in SAME | {one.lower() for one in known}]


def named_in(text: str) -> set[str]:
    """What is filled into it, whatever is said where there is nothing to fill in."""
    return set(re.findall(r"\{(\w+)\}|\{\{\s*([\w.]+)", text))


def tables() -> Iterator[tuple[str, dict]]:
    """Every table of words by language that is not a template."""
    yield "public pages", storefront.WORDS
    yield "choices", purposes._WORDS
    yield "offers", offers._WORDS
    yield "foot of mails", {key: dict(enumerate(said)) for key, said in compilation._MARKETING_FOOT.items()}
    for name, said in (
        ("foot of texts", compilation._SMS_FOOT),
        ("coupon", base.UNTIL),
        ("hello", base.HELLO),
        ("shop", base.SHOP_NOW),
    ):
        yield name, {key: {"": text} for key, text in said.items()}
    for name in dir(support):
        said = getattr(support, name)
        if isinstance(said, dict) and LANGUAGES <= set(said):
            yield f"support {name}", said


@pytest.mark.parametrize(("name", "table"), list(tables()), ids=[name for name, _table in tables()])
def test_tables_say_the_same_things_in_each_language(name, table):
    assert set(table) >= LANGUAGES
    english = table["en"]
    for language in LANGUAGES - {"en"}:
        assert set(table[language]) == set(english), language
        for key, said in table[language].items():
            assert said.strip(), (language, key)
            assert named_in(said) == named_in(english[key]), (language, key)
            assert english_in(said) == [], (language, key)


@pytest.mark.parametrize("key", sorted(ready.TEMPLATES))
def test_ready_mails_are_written_wholly_in_their_language(key):
    for language, parts in ready.TEMPLATES[key].words.items():
        if language != "en":
            assert english_in(" ".join(parts.values())) == [], language


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["ko", "ru"])
def test_public_pages_speak_her_language(client, shop, customer, language):
    type(shop).objects.update(languages=["en", "ko", "ru"], name="Чай", postal_address="")
    anna = customer("anna", language=language, phone="+491511234567")
    for make in (tokens.unsubscribe_url, tokens.preferences_url):
        url = make(anna.public_id, "email").partition("localhost:8000")[2]
        for send in (client.get, client.post):
            page = send(url).content.decode()
            assert f'lang="{language}"' in page
            assert english_in(page) == [], (url, send)
