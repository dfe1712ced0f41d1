"""What campaigns say to members of a loyalty programme, and to those who might become some."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from retention.messaging.ready.base import Button, ReadyTemplate, in_words

#: Sentences that are there only where the figures in them are.
_NEXT_REWARD = "{{% if loyalty.next_reward %}} {words}{{% endif %}}"
_NEXT_TIER = "{{% if loyalty.next_tier %}} {words}{{% endif %}}"
_PERKS = (
    "{{% if loyalty.perks %}} {words}</p><ul>{{% for perk in loyalty.perks %}}<li>{{{{ perk }}}}</li>"
    "{{% endfor %}}</ul><p>{{% endif %}}"
)
_TO_HER_PAGE = Button(
    "loyalty.page_url", {"en": "See your page", "ko": "내 페이지 보기", "ru": "Моя страница"}
)  # fmt: skip


def _statement(has: str, reward: str, tier: str) -> str:
    return has + _NEXT_REWARD.format(words=reward) + _NEXT_TIER.format(words=tier)


TEMPLATES: Mapping[str, ReadyTemplate] = {
    "points_statement": ReadyTemplate(
        _("Monthly points statement"),
        in_words(
            en=(
                "You have {{ loyalty.points }}",
                "Your balance at {{ loyalty.programme }}",
                _statement(
                    "You have <b>{{ loyalty.points }}</b> to spend."
                    "{% if loyalty.pending %} {{ loyalty.pending }} more are on their way.{% endif %}"
                    "{% if expiring %} {{ expiring.amount }} of them end on {{ expiring.expires_on }}.{% endif %}",
                    "{{ loyalty.next_reward_missing }} more, and “{{ loyalty.next_reward }}” is yours.",
                    "{{ loyalty.next_tier_missing }} are missing to {{ loyalty.next_tier }}.",
                ),
            ),
            ko=(
                "현재 {{ loyalty.points }} 보유 중입니다",
                "{{ loyalty.programme }} 잔액 안내",
                _statement(
                    "사용 가능한 포인트는 <b>{{ loyalty.points }}</b>입니다."
                    "{% if loyalty.pending %} {{ loyalty.pending }}가 곧 적립됩니다.{% endif %}"
                    "{% if expiring %} 그중 {{ expiring.amount }}는 {{ expiring.expires_on }}에 만료됩니다.{% endif %}",
                    "{{ loyalty.next_reward_missing }}를 더 모으시면 “{{ loyalty.next_reward }}”을(를) 받으실 수"
                    " 있습니다.",
                    "{{ loyalty.next_tier }} 등급까지 {{ loyalty.next_tier_missing }} 남았습니다.",
                ),
            ),
            ru=(
                "У вас {{ loyalty.points }}",
                "Ваш баланс в программе {{ loyalty.programme }}",
                _statement(
                    "Вы можете потратить <b>{{ loyalty.points }}</b>."
                    "{% if loyalty.pending %} Ещё {{ loyalty.pending }} скоро поступят.{% endif %}"
                    "{% if expiring %} {{ expiring.amount }} сгорят после {{ expiring.expires_on }}.{% endif %}",
                    "Ещё {{ loyalty.next_reward_missing }} – и «{{ loyalty.next_reward }}» ваше.",
                    "До уровня {{ loyalty.next_tier }} осталось {{ loyalty.next_tier_missing }}.",
                ),
            ),
        ),
    ),
    "tier_reached": ReadyTemplate(
        _("Tier reached"),
        in_words(
            en=(
                "Welcome to {{ loyalty.tier }}",
                "This is what it brings you",
                "You have reached <b>{{ loyalty.tier }}</b>, and we thank you."
                "{% if loyalty.tier_until %} It is yours until {{ loyalty.tier_until }}.{% endif %}"
                + _PERKS.format(words="From today on you have:"),
            ),
            ko=(
                "{{ loyalty.tier }} 등급이 되셨습니다",
                "새 등급에서 달라지는 점을 확인해 보세요",
                "축하합니다. <b>{{ loyalty.tier }}</b> 등급이 되셨습니다."
                "{% if loyalty.tier_until %} {{ loyalty.tier_until }}까지 유지됩니다.{% endif %}"
                + _PERKS.format(words="오늘부터 다음이 적용됩니다:"),
            ),
            ru=(
                "Ваш новый уровень: {{ loyalty.tier }}",
                "Вот что он вам даёт",
                "Вы достигли уровня <b>{{ loyalty.tier }}</b>. Спасибо, что вы с нами."
                "{% if loyalty.tier_until %} Он ваш до {{ loyalty.tier_until }} включительно.{% endif %}"
                + _PERKS.format(words="С сегодняшнего дня у вас есть:"),
            ),
        ),
    ),
    "tier_ending": ReadyTemplate(
        _("Tier about to end"),
        in_words(
            en=(
                "{% if loyalty.tier_missing %}{{ loyalty.tier_missing }} to stay {{ loyalty.tier }}"
                "{% else %}You stay {{ loyalty.tier }}{% endif %}",
                "Until {{ loyalty.tier_until }}",
                "{% if loyalty.tier_missing %}<b>{{ loyalty.tier_missing }}</b> are missing until"
                " {{ loyalty.tier_until }}, and you stay {{ loyalty.tier }} for another time."
                "{% else %}You have done enough already: after {{ loyalty.tier_until }} you stay {{ loyalty.tier }}."
                "{% endif %}",
            ),
            ko=(
                "{% if loyalty.tier_missing %}{{ loyalty.tier }} 등급 유지까지 {{ loyalty.tier_missing }}"
                "{% else %}{{ loyalty.tier }} 등급이 유지됩니다{% endif %}",
                "{{ loyalty.tier_until }}까지",
                "{% if loyalty.tier_missing %}{{ loyalty.tier_until }}까지 <b>{{ loyalty.tier_missing }}</b>만 더"
                " 채우시면 {{ loyalty.tier }} 등급이 한 번 더 유지됩니다."
                "{% else %}이미 충분히 채우셨습니다. {{ loyalty.tier_until }} 이후에도"
                " {{ loyalty.tier }} 등급이 유지됩니다.{% endif %}",
            ),
            ru=(
                "{% if loyalty.tier_missing %}{{ loyalty.tier_missing }} – и {{ loyalty.tier }} останется за вами"
                "{% else %}{{ loyalty.tier }} остаётся за вами{% endif %}",
                "До {{ loyalty.tier_until }}",
                "{% if loyalty.tier_missing %}До {{ loyalty.tier_until }} не хватает <b>{{ loyalty.tier_missing }}</b>,"
                " чтобы уровень {{ loyalty.tier }} остался за вами и дальше."
                "{% else %}Вы уже сделали достаточно: после {{ loyalty.tier_until }} уровень {{ loyalty.tier }}"
                " остаётся за вами.{% endif %}",
            ),
        ),
    ),
    "programme_invitation": ReadyTemplate(
        _("Invitation to the programme"),
        in_words(
            en=(
                "{% if invitation %}Your orders would have earned you {{ invitation.points }}"
                "{% else %}Orders like yours earn points{% endif %}",
                "Join, and the next one does",
                "Thank you for coming back."
                "{% if invitation %} As a member of {{ invitation.programme }} you would have earned"
                " <b>{{ invitation.points }}</b> with your orders so far"
                "{% if invitation.worth %}, worth {{ invitation.worth }}{% endif %}."
                " Join, and your next order earns.{% endif %}",
            ),
            ko=(
                "{% if invitation %}지금까지의 주문이면 {{ invitation.points }}를 받으실 수 있었습니다"
                "{% else %}주문하실 때마다 적립해 보세요{% endif %}",
                "가입하시면 다음 주문부터 적립됩니다",
                "다시 찾아 주셔서 감사합니다."
                "{% if invitation %} {{ invitation.programme }} 회원이셨다면 지금까지의 주문으로"
                " <b>{{ invitation.points }}</b>{% if invitation.worth %}({{ invitation.worth }} 상당){% endif %}를"
                " 적립하셨을 것입니다. 가입하시면 다음 주문부터 적립됩니다.{% endif %}",
            ),
            ru=(
                "{% if invitation %}За ваши заказы вы получили бы {{ invitation.points }}"
                "{% else %}Ваши заказы могут приносить баллы{% endif %}",
                "Вступите, и следующий заказ их принесёт",
                "Спасибо, что вернулись."
                "{% if invitation %} Как участник программы {{ invitation.programme }} вы получили бы за свои заказы"
                " <b>{{ invitation.points }}</b>"
                "{% if invitation.worth %} (это {{ invitation.worth }}){% endif %}."
                " Вступите, и следующий заказ начнёт копить.{% endif %}",
            ),
        ),
    ),
    "members_event": ReadyTemplate(
        _("Members-only event"),
        in_words(
            en=(
                "An evening for members of {{ loyalty.programme }}",
                "There are not many seats",
                "You are invited to an evening for members of {{ loyalty.programme }} only.",
                "This is your ticket; it lets one person in. Show it at the door.",
            ),
            ko=(
                "{{ loyalty.programme }} 회원 전용 행사",
                "자리가 많지 않습니다",
                "{{ loyalty.programme }} 회원만을 위한 행사에 초대합니다.",
                "입장권을 보내 드립니다. 한 분이 입장하실 수 있으며, 입구에서 보여 주세요.",
            ),
            ru=(
                "Вечер для участников {{ loyalty.programme }}",
                "Мест немного",
                "Приглашаем вас на вечер только для участников {{ loyalty.programme }}.",
                "Это ваш билет на одного человека. Покажите его на входе.",
            ),
        ),
    ),
    "points_unused": ReadyTemplate(
        _("Points never used"),
        in_words(
            en=(
                "You have {{ loyalty.points }}, and never used any",
                "This is what they are good for",
                "You have <b>{{ loyalty.points }}</b> to spend at {{ loyalty.programme }}, and have not used any yet."
                "{% if loyalty.reward %} They are enough for “{{ loyalty.reward }}” today.{% endif %}"
                + _NEXT_REWARD.format(
                    words="{{ loyalty.next_reward_missing }} more, and you can have “{{ loyalty.next_reward }}”."
                ),
            ),
            ko=(
                "{{ loyalty.points }}가 있습니다. 아직 사용하지 않으셨습니다",
                "이렇게 사용하실 수 있습니다",
                "{{ loyalty.programme }}에서 사용 가능한 포인트는 <b>{{ loyalty.points }}</b>이며, 아직 사용하신"
                " 적이 없습니다."
                "{% if loyalty.reward %} 오늘 “{{ loyalty.reward }}”을(를) 받으시기에 충분합니다.{% endif %}"
                + _NEXT_REWARD.format(
                    words="{{ loyalty.next_reward_missing }}를 더 모으시면 “{{ loyalty.next_reward }}”을(를) 받으실 수"
                    " 있습니다."
                ),
            ),
            ru=(
                "У вас {{ loyalty.points }}, и вы ещё ничего не потратили",
                "Вот на что они годятся",
                "В программе {{ loyalty.programme }} вы можете потратить <b>{{ loyalty.points }}</b> и пока ничего не"
                " потратили."
                "{% if loyalty.reward %} Этого уже хватает на «{{ loyalty.reward }}».{% endif %}"
                + _NEXT_REWARD.format(
                    words="Ещё {{ loyalty.next_reward_missing }} – и «{{ loyalty.next_reward }}» ваше."
                ),
            ),
        ),
    ),
    "surprise_unused": ReadyTemplate(
        _("Surprise not used yet"),
        in_words(
            en=(
                "It is still yours",
                "Our surprise, not used yet",
                "Not long ago we surprised you, and you have not used it yet.",
                "Here it is once more, with its code.",
            ),
            ko=(
                "아직 사용하실 수 있습니다",
                "얼마 전 보내 드린 깜짝 혜택이 남아 있습니다",
                "얼마 전 깜짝 혜택을 보내 드렸는데, 아직 사용하지 않으셨습니다.",
                "코드를 다시 한번 보내 드립니다.",
            ),
            ru=(
                "Это всё ещё ваше",
                "Наш сюрприз, которым вы не воспользовались",
                "Недавно мы сделали вам сюрприз, и вы им ещё не воспользовались.",
                "Вот он ещё раз, вместе с кодом.",
            ),
        ),
    ),
    "choice_closing": ReadyTemplate(
        _("Choice of a reward about to close"),
        in_words(
            button=_TO_HER_PAGE,
            en=(
                "Choose your reward{% if choice %} by {{ choice.until }}{% endif %}",
                "Your choice closes soon",
                "You have earned a reward, and it is yours to choose{% if choice %} until <b>{{ choice.until }}</b>:"
                " {{ choice.rewards }}{% endif %}.",
            ),
            ko=(
                "{% if choice %}{{ choice.until }}까지 {% endif %}혜택을 선택해 주세요",
                "선택 기간이 곧 끝납니다",
                "선택하실 수 있는 혜택이 있습니다{% if choice %}: {{ choice.rewards }}. <b>{{ choice.until }}</b>까지"
                " 선택해 주세요{% endif %}.",
            ),
            ru=(
                "Выберите подарок{% if choice %} до {{ choice.until }}{% endif %}",
                "Скоро выбрать будет нельзя",
                "Вас ждёт подарок, и выбирать вам{% if choice %}: {{ choice.rewards }}. Сделать выбор можно по"
                " <b>{{ choice.until }}</b>{% endif %}.",
            ),
        ),
    ),
    "reward_near": ReadyTemplate(
        _("Little short of a reward"),
        in_words(
            button=_TO_HER_PAGE,
            en=(
                "{% if loyalty.next_reward %}Only {{ loyalty.next_reward_missing }} to “{{ loyalty.next_reward }}”"
                "{% else %}You have {{ loyalty.points }}{% endif %}",
                "Your next order may do it",
                "You have <b>{{ loyalty.points }}</b>."
                + _NEXT_REWARD.format(
                    words="{{ loyalty.next_reward_missing }} more, and it is yours: “{{ loyalty.next_reward }}”."
                ),
            ),
            ko=(
                "{% if loyalty.next_reward %}“{{ loyalty.next_reward }}”까지 {{ loyalty.next_reward_missing }}"
                "{% else %}현재 {{ loyalty.points }} 보유 중입니다{% endif %}",
                "다음 주문이면 충분할 수 있습니다",
                "현재 보유하신 포인트는 <b>{{ loyalty.points }}</b>입니다."
                + _NEXT_REWARD.format(
                    words="{{ loyalty.next_reward_missing }}만 더 모으시면 “{{ loyalty.next_reward }}”을(를)"
                    " 받으실 수 있습니다."
                ),
            ),
            ru=(
                "{% if loyalty.next_reward %}Всего {{ loyalty.next_reward_missing }} до «{{ loyalty.next_reward }}»"
                "{% else %}У вас {{ loyalty.points }}{% endif %}",
                "Может хватить следующего заказа",
                "У вас <b>{{ loyalty.points }}</b>."
                + _NEXT_REWARD.format(
                    words="Ещё {{ loyalty.next_reward_missing }} – и «{{ loyalty.next_reward }}» ваше."
                ),
            ),
        ),
    ),
}
