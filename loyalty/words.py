"""The ready words of the mail about points corrected by hand, in English, Korean and Russian; leads edit them."""

_BODY = """<mj-text>
<p>{hello}</p>
<p>{{% if adjustment.is_less %}}{less}{{% else %}}{more}{{% endif %}}</p>
<p>{why}</p>
<p>{balance}</p>
<p>{{{{ shop.name }}}}</p>
</mj-text>"""


def _words(*, subject: str, preheader: str, **sentences: str) -> dict[str, str]:
    return {"subject": subject, "preheader": preheader, "body": _BODY.format(**sentences)}


ADJUSTED = {
    "en": _words(
        subject="Your balance was corrected: {{ adjustment.amount }}",
        preheader="{{ adjustment.reason }}",
        hello='Hello {{ customer.first_name | default: "there" }},',
        more="we added <b>{{ adjustment.amount }}</b> to your account.",
        less="we took <b>{{ adjustment.amount }}</b> off your account.",
        why="Why: {{ adjustment.reason }}",
        balance="You have {{ adjustment.balance }} now.",
    ),
    "ko": _words(
        subject="잔액이 정정되었습니다: {{ adjustment.amount }}",
        preheader="{{ adjustment.reason }}",
        hello="안녕하세요{% if customer.first_name %} {{ customer.first_name }}님{% endif %},",
        more="<b>{{ adjustment.amount }}</b>를 적립해 드렸습니다.",
        less="<b>{{ adjustment.amount }}</b>를 차감했습니다.",
        why="사유: {{ adjustment.reason }}",
        balance="현재 잔액은 {{ adjustment.balance }}입니다.",
    ),
    "ru": _words(
        subject="Ваш баланс исправлен: {{ adjustment.amount }}",
        preheader="{{ adjustment.reason }}",
        hello="Здравствуйте{% if customer.first_name %}, {{ customer.first_name }}{% endif %}!",
        more="Мы добавили на ваш счёт <b>{{ adjustment.amount }}</b>.",
        less="Мы списали с вашего счёта <b>{{ adjustment.amount }}</b>.",
        why="Причина: {{ adjustment.reason }}",
        balance="Теперь у вас {{ adjustment.balance }}.",
    ),
}
