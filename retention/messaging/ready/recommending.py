"""Ready templates of recommendations: the invitation with her own link, the friend's welcome, the advocate's thanks."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from retention.messaging.ready.base import Button, ReadyTemplate, in_words

#: Keys: of what a campaign sends, and of the two that a scheme sends by itself.
INVITATION = "referral_invite"
WELCOME, THANKS = "referral_welcome", "referral_thanks"


def _linked(words: str, gets: str) -> str:
    """What is said where she has a link of her own, with what it gives her friend."""
    more = f"{{% if referral.friend_gets %}} {gets}{{% endif %}}"
    return f"{words}{more}{{% if referral %}}</p><p><b>{{{{ referral.link }}}}</b>{{% endif %}}"


TEMPLATES: Mapping[str, ReadyTemplate] = {
    INVITATION: ReadyTemplate(
        _("Invitation to recommend the shop"),
        in_words(
            button=Button(
                "referral.link", {"en": "See what your friend sees", "ko": "링크 열어 보기", "ru": "Открыть мою ссылку"}
            ),
            en=(
                "Would your friends like {{ shop.name }}?",
                "A link of your own, to pass on",
                _linked(
                    "Thank you for being with us. If you know somebody who would like {{ shop.name }}, pass your own"
                    " link on: by mail, in a chat, or read aloud.",
                    "Your friend gets: {{ referral.friend_gets }}.",
                ),
            ),
            ko=(
                "{{ shop.name }}, 친구에게 추천해 보시겠어요?",
                "나만의 추천 링크가 준비되었습니다",
                _linked(
                    "함께해 주셔서 감사합니다. {{ shop.name }}에 관심 있을 친구에게 나만의 링크를 전해 주세요.",
                    "친구가 받는 것: {{ referral.friend_gets }}.",
                ),
            ),
            ru=(
                "Понравится ли {{ shop.name }} вашим друзьям?",
                "Ваша личная ссылка, которую можно передать",
                _linked(
                    "Спасибо, что вы с нами. Если вы знаете, кому понравится {{ shop.name }}, передайте свою личную"
                    " ссылку: письмом, в чате или вслух.",
                    "Ваш друг получит: {{ referral.friend_gets }}.",
                ),
            ),
        ),
    ),
    WELCOME: ReadyTemplate(
        _("Welcome of a friend who was brought"),
        in_words(
            en=(
                "Welcome to {{ shop.name }}: a friend has sent you",
                "You asked for this mail",
                "A friend recommended {{ shop.name }} to you.",
                "This is your present: type the code at the checkout.",
            ),
            ko=(
                "친구의 추천으로 {{ shop.name }}에 오신 것을 환영합니다",
                "신청하신 메일입니다",
                "친구가 {{ shop.name }} 이용을 추천했습니다.",
                "선물 코드를 결제할 때 입력해 주세요.",
            ),
            ru=(
                "Добро пожаловать в {{ shop.name }}: вас позвал друг",
                "Вы просили прислать это письмо",
                "Друг порекомендовал вам {{ shop.name }}.",
                "Вот ваш подарок: введите код при оформлении заказа.",
            ),
        ),
        category="transactional",
    ),
    THANKS: ReadyTemplate(
        _("Thanks for a friend who was brought"),
        in_words(
            en=(
                "Thank you: your friend has bought at {{ shop.name }}",
                "Your reward is here",
                "Somebody you recommended {{ shop.name }} to has become a customer. Thank you for your word.",
                "This is for you.",
            ),
            ko=(
                "감사합니다. 추천하신 친구가 {{ shop.name }}에서 구매하셨습니다",
                "추천 보상이 도착했습니다",
                "추천해 주신 분이 {{ shop.name }}의 고객이 되셨습니다. 추천해 주셔서 감사합니다.",
                "감사의 선물을 드립니다.",
            ),
            ru=(
                "Спасибо: ваш друг сделал покупку в {{ shop.name }}",
                "Ваша награда здесь",
                "Тот, кому вы порекомендовали {{ shop.name }}, стал нашим покупателем. Спасибо за рекомендацию.",
                "Это для вас.",
            ),
        ),
        category="transactional",
    ),
}
