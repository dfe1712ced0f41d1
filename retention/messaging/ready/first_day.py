"""Ready templates for the shop's first day: what the main campaigns and a confirmation say."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from retention.messaging.ready.base import ReadyTemplate, in_words

#: Of the anniversary; a message without an occasion means the first.
_YEARS = "{{% if occasion.years and occasion.years > 1 %}}{many}{{% else %}}{one}{{% endif %}}"
#: Key of the mail that asks for a confirmation; it is sent by itself, and never as marketing.
CONFIRMATION = "confirmation"


def _confirmation(*, subject: str, preheader: str, intro: str, button: str, until: str, not_you: str) -> dict[str, str]:
    # Nobody's name: whoever typed the address into a form could have typed anything as the name.
    body = (
        f"<mj-text><p>{intro}</p><p><strong>{{{{ confirmation.what }}}}</strong></p></mj-text>\n"
        f'<mj-button href="{{{{ confirmation.url }}}}">{button}</mj-button>\n'
        f'<mj-text font-size="14px" color="#4b5563"><p>{until}</p><p>{not_you}</p></mj-text>'
    )
    return {"subject": subject, "preheader": preheader, "body": body}


TEMPLATES: Mapping[str, ReadyTemplate] = {
    CONFIRMATION: ReadyTemplate(
        _("Confirmation of a sign-up to mail"),
        {
            "en": _confirmation(
                subject="Please confirm: mail from {{ shop.name }}",
                preheader="One click, and we may write to you",
                intro="Hello, someone (we hope it was you) asked {{ shop.name }} to send this to your address:",
                button="Yes, I want this",
                until="The button works until {{ confirmation.until }}.",
                not_you="It was not you? Then do nothing: without your click we send you none of it.",
            ),
            "ko": _confirmation(
                subject="{{ shop.name }} 메일 수신 동의를 확인해 주세요",
                preheader="버튼을 한 번만 누르시면 됩니다",
                intro="안녕하세요. 이 주소로 {{ shop.name }}의 다음 소식을 받겠다는 신청이 있었습니다.",
                button="네, 받겠습니다",
                until="버튼은 {{ confirmation.until }}까지 사용하실 수 있습니다.",
                not_you="직접 신청하지 않으셨다면 아무것도 하지 않으셔도 됩니다. 누르지 않으시면 보내드리지 않습니다.",
            ),
            "ru": _confirmation(
                subject="Подтвердите подписку на письма {{ shop.name }}",
                preheader="Одно нажатие — и мы сможем вам писать",
                intro="Здравствуйте! Кто-то (надеемся, что вы) попросил {{ shop.name }} присылать на этот адрес:",
                button="Да, хочу получать",
                until="Кнопка действует до {{ confirmation.until }}",
                not_you="Это были не вы? Ничего не делайте: без вашего нажатия мы ничего присылать не будем.",
            ),
        },
        category="transactional",
        needs="confirmation",
    ),
    "welcome": ReadyTemplate(
        _("Welcome"),
        in_words(
            en=(
                "Welcome to {{ shop.name }}",
                "Nice to have you here",
                "Welcome, and thank you for joining us.",
                "Here is something for your first order.",
            ),
            ko=(
                "{{ shop.name }}에 오신 것을 환영합니다",
                "함께해 주셔서 반갑습니다",
                "가입해 주셔서 감사합니다.",
                "첫 주문에 사용하실 수 있는 혜택을 드립니다.",
            ),
            ru=(
                "Добро пожаловать в {{ shop.name }}",
                "Рады, что вы с нами",
                "Спасибо, что присоединились к нам.",
                "Вот подарок к вашему первому заказу.",
            ),
        ),
    ),
    "birthday": ReadyTemplate(
        _("Birthday"),
        in_words(
            en=(
                "Happy birthday{% if customer.first_name %}, {{ customer.first_name }}{% endif %}!",
                "Best wishes from {{ shop.name }}",
                "Happy birthday! All of us at {{ shop.name }} wish you a wonderful year.",
                "This is our present for you.",
            ),
            ko=(
                "{% if customer.first_name %}{{ customer.first_name }}님, {% endif %}생일을 축하합니다!",
                "{{ shop.name }}에서 보내는 축하 인사",
                "생일을 진심으로 축하드립니다. 행복한 한 해 보내시기 바랍니다.",
                "{{ shop.name }}에서 준비한 작은 선물을 받아 주세요.",
            ),
            ru=(
                "С днём рождения{% if customer.first_name %}, {{ customer.first_name }}{% endif %}!",
                "С наилучшими пожеланиями, {{ shop.name }}",
                "Поздравляем вас с днём рождения и желаем прекрасного года!",
                "Это подарок от всех нас в {{ shop.name }}.",
            ),
        ),
    ),
    "anniversary": ReadyTemplate(
        _("Sign-up anniversary"),
        in_words(
            en=(
                f"Thank you for {_YEARS.format(many='{{ occasion.years }} years', one='a year')}",
                "We are glad you are here",
                "On this day you joined {{ shop.name }}. Thank you for staying with us.",
                "This is for you.",
            ),
            ko=(
                "{{ shop.name }} 가입 {{ occasion.years | default: 1 }}주년을 축하합니다",
                "함께해 주셔서 감사합니다",
                "오늘은 고객님께서 {{ shop.name }}에 가입하신 날입니다. 함께해 주셔서 감사합니다.",
                "감사의 마음을 담아 드립니다.",
            ),
            ru=(
                f"Мы вместе уже {_YEARS.format(many='не первый год', one='целый год')}",
                "Спасибо, что вы с нами",
                "В этот день вы присоединились к {{ shop.name }}. Спасибо, что остаётесь с нами.",
                "Это для вас.",
            ),
        ),
    ),
    "holiday": ReadyTemplate(
        _("National holiday"),
        in_words(
            en=(
                '{{ occasion.name | default: "Happy holidays" }}:'
                " {% if coupon %}a present{% else %}best wishes{% endif %} from {{ shop.name }}",
                "Enjoy the day",
                'We wish you a happy {{ occasion.name | default: "holiday" }}.',
                "Here is a small present.",
            ),
            ko=(
                '{{ occasion.name | default: "명절" }}'
                " {% if coupon %}선물을 준비했습니다{% else %}인사드립니다{% endif %} – {{ shop.name }}",
                "즐거운 하루 보내세요",
                '{{ occasion.name | default: "명절" }}, 행복하게 보내시기 바랍니다.',
                "작은 선물을 준비했습니다.",
            ),
            ru=(
                '{{ occasion.name | default: "С праздником" }}:'
                " {% if coupon %}подарок{% else %}наши поздравления{% endif %} от {{ shop.name }}",
                "Хорошего праздника",
                "Поздравляем вас с праздником{% if occasion.name %}: {{ occasion.name }}{% endif %}.",
                "Вот небольшой подарок.",
            ),
        ),
    ),
    "win_back": ReadyTemplate(
        _("Win-back"),
        in_words(
            en=(
                "We have missed you",
                "Come and see what is new",
                "It has been a while since your last order. We would love to see you again.",
                "Here is something to come back for.",
            ),
            ko=(
                "다시 만나고 싶습니다",
                "고객님을 기다리고 있습니다",
                "마지막 주문 이후 시간이 조금 지났습니다. 다시 찾아 주시기를 기다리겠습니다.",
                "고객님을 위한 혜택을 준비했습니다.",
            ),
            ru=(
                "Мы скучали по вам",
                "Заходите посмотреть, что нового",
                "Вы давно у нас не были. Будем рады видеть вас снова.",
                "Вот повод вернуться.",
            ),
        ),
    ),
    "coupon_expiring": ReadyTemplate(
        _("Coupon about to expire"),
        in_words(
            en=(
                "Your coupon ends{% if coupon.expires_on %} on {{ coupon.expires_on }}{% else %} soon{% endif %}",
                "Do not let it go to waste",
                "Your coupon is still waiting for you, but not for long.",
            ),
            ko=(
                "쿠폰 사용 기한이 얼마 남지 않았습니다",
                "{% if coupon.expires_on %}{{ coupon.expires_on }}까지 사용하세요{% endif %}",
                "아직 사용하지 않으신 쿠폰이 있습니다. 기한이 지나기 전에 사용해 보세요.",
            ),
            ru=(
                "Ваш купон скоро закончится",
                "{% if coupon.expires_on %}Успейте до {{ coupon.expires_on }}{% endif %}",
                "Ваш купон ещё действует, но осталось немного времени.",
            ),
        ),
    ),
    "broadcast": ReadyTemplate(
        _("Announcement"),
        in_words(
            en=(
                "News from {{ shop.name }}",
                "Something new for you",
                "We have something new for you. Come and have a look.",
            ),
            ko=(
                "{{ shop.name }} 소식",
                "새로운 소식을 전해 드립니다",
                "새로운 소식을 준비했습니다. 지금 확인해 보세요.",
            ),
            ru=(
                "Новости {{ shop.name }}",
                "У нас есть для вас новости",
                "У нас есть кое-что новое. Заходите посмотреть.",
            ),
        ),
    ),
    "apology": ReadyTemplate(
        _("Apology"),
        in_words(
            en=(
                "We are sorry",
                "Please accept our apology",
                "We are sorry that things went wrong.",
                "Please accept this with our apology.",
            ),
            ko=(
                "불편을 드려 죄송합니다",
                "사과의 마음을 전합니다",
                "불편을 드려 진심으로 죄송합니다.",
                "사과의 마음을 담아 드립니다.",
            ),
            ru=(
                "Приносим извинения",
                "Нам очень жаль",
                "Нам жаль, что так вышло.",
                "Пожалуйста, примите это вместе с нашими извинениями.",
            ),
        ),
        category="transactional",
    ),
}
