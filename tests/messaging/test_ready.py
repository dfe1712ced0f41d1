"""Ready templates are good to send without an edit: to whomever, with a coupon or without, for an occasion or not."""

import pytest

from retention.messaging import compilation, ready, words
from retention.messaging.placeholders import samples

LANGUAGES = {"en", "ko", "ru"}
#: What the ten main campaigns, a confirmation and an apology say is there in all of them; the rest in English.
MAIN = {
    "referral_invite", "referral_welcome", "referral_thanks",
    "confirmation", "welcome", "birthday", "anniversary", "holiday", "win_back", "win_back_hello", "win_back_shipping",
    "win_back_small", "win_back_bigger", "abandoned_cart", "abandoned_cart_again", "bounce_back", "coupon_expiring",
    "review_request", "sleeping_subscriber", "broadcast", "apology",
    "value_expiring", "points_statement", "tier_reached", "choice_closing", "reward_near", "tier_ending",
    "programme_invitation", "members_event", "points_unused", "surprise_unused",
}  # fmt: skip
#: What one language says when something is given.
GIFTS = (
    "present",
    "something",
    "this is for you",
    "accept this",
    "your ticket",
    "선물",
    "혜택",
    "담아 드립니다",
    "подар",
    "для вас",
    "повод",
    "примите",
    "with its code",
    "입장권",
    "코드를 다시",
    "ваш билет",
    "вместе с кодом",
)


def said(key, values):
    """{language: subject, HTML and plain text, filled}"""
    item = ready.TEMPLATES[key]
    compiled, faults = compilation.compile_words(
        item.words, is_marketing=item.category == "marketing", samples=samples()
    )
    assert faults == []
    return {
        each.language: [
            words.parse(source, each.language, is_html=is_html).render(**values)
            for source, is_html in ((each.subject, False), (each.html, True), (each.text, False))
        ]
        for each in compiled
    }


@pytest.mark.parametrize("key", sorted(ready.TEMPLATES))
def test_a_mail_without_coupon_name_and_occasion_promises_nothing(key):
    bare = {key: value for key, value in samples().items() if key not in ("coupon", "gift", "occasion")}
    bare["customer"] = dict.fromkeys(bare["customer"])
    found = said(key, bare)
    assert set(found) == (LANGUAGES if key in MAIN else {"en"})
    for subject, html, text in found.values():
        assert subject.strip() == " ".join(subject.split())
        assert not subject.endswith((",", ":", "–", " "))
        assert "SAMPLE" not in html + text
        if key not in ("broadcast", "coupon_expiring", "value_expiring", "choice_closing", "surprise_unused"):
            assert not [gift for gift in GIFTS if gift in f"{subject}\n{text}".lower()]


@pytest.mark.parametrize("key", sorted(set(ready.TEMPLATES) - {ready.CONFIRMATION}))
def test_a_mail_with_a_coupon_shows_it_whole_and_says_why(key):
    for subject, html, text in said(key, samples()).values():
        for shown in (html, text):
            assert samples()["coupon"]["code"] in shown
            assert samples()["coupon"]["sentence"] in shown
            assert samples()["coupon"]["expires_on"] in shown
            assert samples()["coupon"]["terms"] in shown
        assert f"<title>{subject}</title>" in html.replace("&#39;", "'")
        if any("{% if coupon %} " in each["body"] for each in ready.TEMPLATES[key].words.values()):
            assert [gift for gift in GIFTS if gift in f"{subject}\n{text}".lower()]
