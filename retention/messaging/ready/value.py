"""The ready template about value that is about to expire."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from retention.messaging.ready.base import ReadyTemplate, in_words

TEMPLATES: Mapping[str, ReadyTemplate] = {
    "value_expiring": ReadyTemplate(
        _("Credit or points about to expire"),
        in_words(
            en=(
                "{% if expiring %}{{ expiring.amount }} to spend until {{ expiring.expires_on }}"
                "{% else %}Something of yours ends soon{% endif %}",
                "It is yours: do not let it go to waste",
                "{% if expiring %}<b>{{ expiring.amount }}</b> ({{ expiring.unit }}) can be spent until"
                " <b>{{ expiring.expires_on }}</b>; after that day they are gone.{% endif %}"
                "{% if balance %} In all you have {{ balance }}.{% endif %}",
            ),
            ko=(
                "{% if expiring %}{{ expiring.amount }}, {{ expiring.expires_on }}까지 사용하실 수 있습니다"
                "{% else %}곧 만료되는 적립금이 있습니다{% endif %}",
                "기한이 지나기 전에 사용해 보세요",
                "{% if expiring %}<b>{{ expiring.amount }}</b>({{ expiring.unit }})이(가)"
                " <b>{{ expiring.expires_on }}</b>에 만료됩니다.{% endif %}"
                "{% if balance %} 현재 잔액은 {{ balance }}입니다.{% endif %}",
            ),
            ru=(
                "{% if expiring %}{{ expiring.amount }}: потратьте до {{ expiring.expires_on }}"
                "{% else %}Ваши средства скоро сгорят{% endif %}",
                "Не дайте им пропасть",
                "{% if expiring %}<b>{{ expiring.amount }}</b> ({{ expiring.unit }}) можно потратить до"
                " <b>{{ expiring.expires_on }}</b> включительно, потом они сгорят.{% endif %}"
                "{% if balance %} Всего у вас {{ balance }}.{% endif %}",
            ),
        ),
    ),
}
