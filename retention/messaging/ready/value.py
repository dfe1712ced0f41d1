"""The ready template about value that is about to expire."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from retention.messaging.ready.base import ReadyTemplate, in_words

#: How much of what; points say themselves what they are.
_AMOUNT = (
    "<b>{{ expiring.amount }}</b>"
    "{% unless expiring.amount contains expiring.unit %} ({{ expiring.unit | downcase }}){% endunless %}"
)


def _told(ends: str, in_all: str) -> str:
    """What ends on which day; and all that she has, where that is more."""
    ends = ends.format(amount=_AMOUNT, day="<b>{{ expiring.expires_on }}</b>")
    in_all = in_all.format(balance="{{ balance }}")
    is_more = "balance and balance != expiring.amount"
    return f"{{% if expiring %}}{ends}{{% endif %}}{{% if {is_more} %}} {in_all}{{% endif %}}"


TEMPLATES: Mapping[str, ReadyTemplate] = {
    "value_expiring": ReadyTemplate(
        _("Credit or points about to expire"),
        in_words(
            en=(
                "{% if expiring %}{{ expiring.amount }} to spend until {{ expiring.expires_on }}"
                "{% else %}Something of yours ends soon{% endif %}",
                "It is yours: do not let it go to waste",
                _told("You can spend {amount} until {day}, but not after that day.", "In all you have {balance}."),
            ),
            ko=(
                "{% if expiring %}{{ expiring.amount }}, {{ expiring.expires_on }}까지 사용하실 수 있습니다"
                "{% else %}곧 만료되는 적립금이 있습니다{% endif %}",
                "기한이 지나기 전에 사용해 보세요",
                _told("{amount} 금액을 {day}까지 사용하실 수 있습니다.", "현재 잔액은 {balance}입니다."),
            ),
            ru=(
                "{% if expiring %}{{ expiring.amount }}: потратьте до {{ expiring.expires_on }}"
                "{% else %}Ваши средства скоро сгорят{% endif %}",
                "Не дайте им пропасть",
                _told("{amount} можно потратить до {day} включительно, потом они сгорят.", "Всего у вас {balance}."),
            ),
        ),
    ),
}
