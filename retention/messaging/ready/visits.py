"""What campaigns say of what was begun and left, and to those who are silent."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from retention.messaging.ready.base import Button, ReadyTemplate, in_words

_TO_CART = Button(
    "occasion.restore_url", {"en": "Back to my cart", "ko": "장바구니로 돌아가기", "ru": "Вернуться в корзину"}
)
_TO_CHOICE = Button(
    "preferences_url", {"en": "Choose what I get", "ko": "받을 메일 선택하기", "ru": "Выбрать, что получать"}
)

TEMPLATES: Mapping[str, ReadyTemplate] = {
    "abandoned_cart": ReadyTemplate(
        _("Abandoned cart"),
        in_words(
            button=_TO_CART,
            en=(
                "Your cart is still waiting",
                "As you left it",
                "Your cart is as you left it. If anything kept you, just reply to this mail.",
            ),
            ko=(
                "장바구니에 담아 두신 상품이 있습니다",
                "아직 그대로 있습니다",
                "장바구니가 그대로 남아 있습니다. 불편한 점이 있으셨다면 이 메일로 알려 주세요.",
            ),
            ru=(
                "Вы кое-что оставили в корзине",
                "Всё ещё на месте",
                "Ваша корзина ждёт вас такой, какой вы её оставили. Если что-то помешало, ответьте на это письмо.",
            ),
        ),
    ),
    "abandoned_cart_again": ReadyTemplate(
        _("Abandoned cart, once more"),
        in_words(
            button=_TO_CART,
            en=(
                "Your cart will not wait much longer",
                "Before it is gone",
                "Your cart is still there, but we cannot keep things for ever.",
                "So that it is easier to decide, this is for you.",
            ),
            ko=(
                "장바구니가 곧 비워집니다",
                "비워지기 전에 확인하세요",
                "장바구니에 담으신 상품이 아직 남아 있습니다.",
                "결정에 도움이 되도록 혜택을 드립니다.",
            ),
            ru=(
                "Ваша корзина скоро опустеет",
                "Пока всё на месте",
                "Ваша корзина всё ещё ждёт, но мы не можем хранить её вечно.",
                "Чтобы было легче решиться, вот подарок.",
            ),
        ),
    ),
    "email_my_cart": ReadyTemplate(
        _("Your cart by mail"),
        in_words(
            button=_TO_CART,
            en=(
                "Your cart, so that you need not search",
                "It is kept for you",
                "You filled a cart in our shop. Here is the way back to it, whenever you like.",
            ),
        ),
    ),
    "abandoned_browse": ReadyTemplate(
        _("Looked around"),
        in_words(
            button=Button("occasion.product_url", {"en": "Look at it again"}),
            has_picture=True,
            en=(
                "Still thinking about {{ occasion.product | default: 'it' }}?",
                "Have another look",
                'You looked at {{ occasion.product | default: "our products" }} the other day. If you have a question,'
                " just reply to this mail.",
            ),
        ),
    ),
    "trial_activation": ReadyTemplate(
        _("Begin your trial"),
        in_words(
            en=(
                "Your trial has begun",
                "The first step takes a minute",
                "Your trial is running, and you have not used it yet. Begin with one small thing today: it takes a"
                " minute.",
            ),
        ),
    ),
    "trial_help": ReadyTemplate(
        _("Help with your trial"),
        in_words(
            en=(
                "Can we help you with your trial?",
                "Just reply",
                "Your trial ends soon. If anything keeps you from using it, reply to this mail: a person will answer.",
            ),
        ),
    ),
    "win_back_hello": ReadyTemplate(
        _("Win-back ladder: we miss you"),
        in_words(
            en=(
                "It has been a while",
                "Come and see what is new",
                "It has been a while since your last order. Much is new; come and have a look.",
            ),
            ko=(
                "오랜만에 인사드립니다",
                "새로운 상품을 확인해 보세요",
                "마지막 주문 이후 시간이 조금 지났습니다. 그동안 새로워진 것들을 둘러보세요.",
            ),
            ru=(
                "Давно не виделись",
                "Заходите посмотреть, что нового",
                "Вы давно у нас не были. С тех пор появилось много нового, заходите посмотреть.",
            ),
        ),
    ),
    "win_back_shipping": ReadyTemplate(
        _("Win-back ladder: free shipping"),
        in_words(
            en=(
                "We would like to see you again",
                "It comes to your door",
                "We would like to see you again.",
                "This is for you, so that the way to you costs nothing.",
            ),
            ko=(
                "다시 만나고 싶습니다",
                "문 앞까지 보내 드립니다",
                "고객님을 다시 뵙고 싶습니다.",
                "부담 없이 받아 보실 수 있도록 혜택을 드립니다.",
            ),
            ru=(
                "Будем рады видеть вас снова",
                "Привезём до двери",
                "Будем рады видеть вас снова.",
                "Вот подарок, чтобы дорога к вам ничего не стоила.",
            ),
        ),
    ),
    "win_back_small": ReadyTemplate(
        _("Win-back ladder: a discount"),
        in_words(
            en=(
                "A reason to come back",
                "For a week",
                "We have not heard from you, and we have thought of a reason to come back.",
                "Here is something for your next order.",
            ),
            ko=(
                "다시 찾아 주실 이유를 준비했습니다",
                "일주일 동안 사용하실 수 있습니다",
                "그동안 소식이 없어 다시 인사드립니다.",
                "다음 주문에 사용하실 수 있는 혜택을 드립니다.",
            ),
            ru=(
                "Есть причина вернуться",
                "Целую неделю",
                "Мы давно не получали от вас вестей и придумали, зачем вам вернуться.",
                "Вот подарок к следующему заказу.",
            ),
        ),
    ),
    "win_back_bigger": ReadyTemplate(
        _("Win-back ladder: the last word"),
        in_words(
            en=(
                "One last word from us",
                "Three days, then we leave you in peace",
                "This is the last time that we write about it; then we leave you in peace.",
                "Here is something that we give to few.",
            ),
            ko=(
                "마지막으로 인사드립니다",
                "3일 동안만 사용하실 수 있습니다",
                "이 소식은 이번이 마지막입니다. 더는 번거롭게 해 드리지 않겠습니다.",
                "일부 고객님께만 드리는 특별한 혜택입니다.",
            ),
            ru=(
                "Последнее слово от нас",
                "Три дня, и больше не побеспокоим",
                "Больше мы об этом писать не будем.",
                "Вот подарок, который мы дарим немногим.",
            ),
        ),
    ),
    "sleeping_subscriber": ReadyTemplate(
        _("Whether mail is still wanted"),
        in_words(
            button=_TO_CHOICE,
            en=(
                "Do you still want to hear from us?",
                "One click decides",
                "We have written to you for a while and are not sure that you like it. Choose what you get, or leave:"
                " both take one click.",
            ),
            ko=(
                "저희 소식을 계속 받아 보시겠어요?",
                "한 번의 클릭으로 결정하실 수 있습니다",
                "그동안 보내 드린 소식이 도움이 되었는지 궁금합니다. 받으실 내용을 고르거나 그만 받으실 수 있습니다.",
            ),
            ru=(
                "Хотите ли вы и дальше получать наши письма?",
                "Решает одно нажатие",
                "Мы пишем вам уже давно и не уверены, что вам это нравится. Выберите, что получать, или откажитесь:"
                " и то и другое — одно нажатие.",
            ),
        ),
    ),
}
