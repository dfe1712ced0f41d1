"""What campaigns say after a purchase."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from retention.messaging.ready.base import Button, ReadyTemplate, in_words

_IT = '{{ occasion.product | default: "it" }}'
_WITH_IT = (
    "{% if recommendations.size > 0 %}You may like with it:{% for one in recommendations limit: 3 %}<br>{{ one.name }},"
    " {{ one.price }}{% endfor %}<br>{% else %}In the shop you find what goes with it.{% endif %}"
)
_TO_IT = Button("occasion.product_url", {"en": "Have a look"})
_TO_GUIDE = Button("occasion.how_to_url", {"en": "Open the guide"})
_TO_REVIEW = Button("occasion.product_url", {"en": "Write a review", "ko": "리뷰 작성하기", "ru": "Написать отзыв"})

TEMPLATES: Mapping[str, ReadyTemplate] = {
    "bounce_back": ReadyTemplate(
        _("Thank you for your order"),
        in_words(
            en=(
                "Thank you for your order",
                "We hope you enjoy it",
                "Thank you for your order. We hope that everything is as you wished.",
                "Here is something for the next one.",
            ),
            ko=(
                "주문해 주셔서 감사합니다",
                "마음에 드셨기를 바랍니다",
                "주문해 주셔서 감사합니다. 상품이 마음에 드셨기를 바랍니다.",
                "다음 주문에 사용하실 수 있는 혜택을 드립니다.",
            ),
            ru=(
                "Спасибо за ваш заказ",
                "Надеемся, вам всё понравилось",
                "Спасибо за ваш заказ. Надеемся, что всё так, как вы хотели.",
                "Вот подарок к следующему.",
            ),
        ),
    ),
    "how_to_use": ReadyTemplate(
        _("How to use your purchase"),
        in_words(
            button=_TO_GUIDE,
            has_picture=True,
            en=(
                "Making the most of {{ occasion.product | default: 'your purchase' }}",
                "A few minutes that are worth it",
                f"We hope you enjoy {_IT}. Our guide says how to use it well and how to keep it for long.",
            ),
        ),
    ),
    "add_on": ReadyTemplate(
        _("What goes with your purchase"),
        in_words(
            en=(
                "What goes with {{ occasion.product | default: 'your purchase' }}",
                "A few things that belong together",
                f"Two weeks ago you chose {_IT}. {_WITH_IT}",
                "This is for you, so that it need not come alone.",
            ),
        ),
    ),
    "half_year": ReadyTemplate(
        _("Half a year later"),
        in_words(
            button=_TO_IT,
            has_picture=True,
            en=(
                "Half a year with {{ occasion.product | default: 'your purchase' }}",
                "How is it doing?",
                f"For half a year now {_IT} has been with you. We hope it still does its work. If it begins to wear,"
                " have a look at what is new.",
                "Here is something for the next one.",
            ),
        ),
    ),
    "replenishment": ReadyTemplate(
        _("Time to refill"),
        in_words(
            button=Button("occasion.product_url", {"en": "Order again"}),
            has_picture=True,
            en=(
                "Is {{ occasion.product | default: 'it' }} running out?",
                "Order in time",
                f"By our reckoning {_IT} will be used up in a few days. One click, and the next is on its way.",
            ),
        ),
    ),
    "nth_order": ReadyTemplate(
        _("Thank you for coming back"),
        in_words(
            en=(
                "Thank you for coming back again and again",
                "You are one of our best",
                "{% if occasion.number %}This is your order number {{ occasion.number }} with us.{% else %}You have"
                " ordered from us again.{% endif %} That you keep coming back means a lot to us.",
                "This is for you.",
            ),
        ),
    ),
    "review_request": ReadyTemplate(
        _("Request for a review"),
        in_words(
            button=_TO_REVIEW,
            has_picture=True,
            en=(
                "What do you think of {{ occasion.product | default: 'your purchase' }}?",
                "Your opinion helps others",
                f"You have had {_IT} for some days now. What do you think? A few words help those who come after you,"
                " whether they are good or bad.",
            ),
            ko=(
                "{% if occasion.product %}{{ occasion.product }}, {% endif %}어떠셨나요?",
                "고객님의 의견이 다른 분들께 도움이 됩니다",
                "상품을 받으신 지 며칠이 지났습니다. 어떠셨나요? 좋은 점도 아쉬운 점도 모두 다음 분들께 도움이 됩니다.",
            ),
            ru=(
                "Как вам {{ occasion.product | default: 'ваша покупка' }}?",
                "Ваше мнение поможет другим",
                "Прошло несколько дней с тех пор, как вы получили заказ. Что вы думаете? Несколько слов, хороших или"
                " плохих, помогут тем, кто выбирает после вас.",
            ),
        ),
    ),
    "faulty_return": ReadyTemplate(
        _("Sorry for the fault"),
        in_words(
            en=(
                "We are sorry",
                "This should not have happened",
                "You had to send an order back because it was faulty. We are sorry: this should not have happened.",
                "Please accept this with our apology.",
            ),
        ),
    ),
    "cross_category": ReadyTemplate(
        _("Something quite different"),
        in_words(
            en=(
                "Have you seen this side of us?",
                "There is more to find",
                "You know a part of {{ shop.name }} well. There is another that you may like as much.",
                "Here is something to try it with.",
            ),
        ),
    ),
}
