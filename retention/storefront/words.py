"""The words of the public pages by language; English stands in for the others."""

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "stop_title": "Stop these mails?",
        "stop_text": "Press the button and {shop} sends no more marketing mail to this address."
        " Mail about your orders still comes.",
        "stop_button": "Unsubscribe",
        "stopped_title": "Done",
        "stopped_text": "From now on {shop} sends no more marketing mail to this address."
        " Mail about your orders still comes.",
        "choose_instead": "Choose what you get instead",
        "choose_title": "What would you like to get?",
        "choose_text": "You can change this at any time by the link in any of our mails.",
        "choose_button": "Save",
        "chosen_title": "Saved",
        "chosen_text": "We will keep to this.",
        "nothing_title": "This link does not work",
        "nothing_text": "It may be incomplete. Please use the link in a newer mail.",
        "stop_all_title": "Stop everything",
        "stop_all_text": "No more offers and news of any kind, on any channel. Mail about your orders still comes.",
        "all_stopped_title": "Everything is stopped",
        "all_stopped_text": "From now on {shop} sends you no offers and news. Mail about your orders still comes.",
        "asked": "We have sent you a mail: please press the button in it",
        "confirm_title": "Is this what you want?",
        "confirm_text": "Press the button, and {shop} may send you:",
        "confirm_button": "Yes, I want this",
        "confirmed_title": "Thank you, it is confirmed",
        "confirmed_text": "{shop} may now send you:",
        "change_it": "Change this or stop it at any time",
        "late_title": "This link no longer works",
        "late_text": "It may be too old, incomplete, or meant for another address. If you would like our mail, please"
        " sign up again and use the button in the new mail.",
    },
    "ko": {
        "stop_title": "메일 수신을 그만두시겠습니까?",
        "stop_text": "버튼을 누르시면 {shop}에서 이 주소로 광고성 메일을 더 이상 보내지 않습니다."
        " 주문 관련 메일은 계속 보내드립니다.",
        "stop_button": "수신 거부",
        "stopped_title": "처리되었습니다",
        "stopped_text": "이제 {shop}에서 이 주소로 광고성 메일을 보내지 않습니다. 주문 관련 메일은 계속 보내드립니다.",
        "choose_instead": "받을 메일 직접 선택하기",
        "choose_title": "어떤 소식을 받으시겠습니까?",
        "choose_text": "저희가 보내는 모든 메일의 링크에서 언제든지 변경하실 수 있습니다.",
        "choose_button": "저장",
        "chosen_title": "저장되었습니다",
        "chosen_text": "선택하신 대로 보내드리겠습니다.",
        "nothing_title": "사용할 수 없는 링크입니다",
        "nothing_text": "링크가 완전하지 않을 수 있습니다. 최근에 받으신 메일의 링크를 이용해 주세요.",
        "stop_all_title": "모두 그만 받기",
        "stop_all_text": "모든 채널의 혜택과 소식을 더 이상 보내지 않습니다. 주문 관련 메일은 계속 보내드립니다.",
        "all_stopped_title": "모두 중단되었습니다",
        "all_stopped_text": "이제 {shop}에서 혜택과 소식을 보내지 않습니다. 주문 관련 메일은 계속 보내드립니다.",
        "asked": "확인 메일을 보내드렸습니다. 메일의 버튼을 눌러 주세요",
        "confirm_title": "이 소식을 받으시겠습니까?",
        "confirm_text": "버튼을 누르시면 {shop}에서 다음을 보내드립니다.",
        "confirm_button": "네, 받겠습니다",
        "confirmed_title": "확인되었습니다. 감사합니다",
        "confirmed_text": "이제 {shop}에서 다음을 보내드립니다.",
        "change_it": "언제든지 변경하거나 그만 받기",
        "late_title": "더 이상 사용할 수 없는 링크입니다",
        "late_text": "기한이 지났거나, 불완전하거나, 다른 주소로 보내진 링크일 수 있습니다. "
        "메일을 받고 싶으시면 다시 신청하신 후 새로 받으신 메일의 버튼을 눌러 주세요.",
    },
    "ru": {
        "stop_title": "Больше не присылать писем?",
        "stop_text": "Нажмите кнопку, и {shop} больше не будет присылать рекламные письма на этот адрес."
        " Письма о ваших заказах будут приходить по-прежнему.",
        "stop_button": "Отписаться",
        "stopped_title": "Готово",
        "stopped_text": "Теперь {shop} не присылает рекламных писем на этот адрес."
        " Письма о ваших заказах будут приходить по-прежнему.",
        "choose_instead": "Выбрать, какие письма получать",
        "choose_title": "Что вы хотите получать?",
        "choose_text": "Это можно изменить в любое время по ссылке в любом нашем письме.",
        "choose_button": "Сохранить",
        "chosen_title": "Сохранено",
        "chosen_text": "Мы будем следовать вашему выбору.",
        "nothing_title": "Ссылка не работает",
        "nothing_text": "Возможно, она неполная. Воспользуйтесь ссылкой из более нового письма.",
        "stop_all_title": "Отписаться от всего",
        "stop_all_text": "Больше никаких предложений и новостей ни по одному каналу."
        " Письма о ваших заказах будут приходить по-прежнему.",
        "all_stopped_title": "Вы отписаны от всего",
        "all_stopped_text": "Теперь {shop} не присылает вам предложений и новостей."
        " Письма о ваших заказах будут приходить по-прежнему.",
        "asked": "Мы отправили вам письмо: нажмите кнопку в нём",
        "confirm_title": "Вы этого хотите?",
        "confirm_text": "Нажмите кнопку, и {shop} сможет присылать вам:",
        "confirm_button": "Да, хочу получать",
        "confirmed_title": "Спасибо, всё подтверждено",
        "confirmed_text": "Теперь {shop} может присылать вам:",
        "change_it": "Изменить или отписаться в любое время",
        "late_title": "Эта ссылка больше не действует",
        "late_text": "Возможно, она устарела, неполная или предназначена для другого адреса. Если вы хотите получать"
        " наши письма, подпишитесь ещё раз и нажмите кнопку в новом письме.",
    },
}


def words_in(language: str, *, shop: str) -> tuple[str, dict[str, str]]:
    """The language that is spoken instead of the wished one, if need be, and its words with the shop's name."""
    spoken = language.partition("-")[0]
    spoken = spoken if spoken in WORDS else "en"
    return spoken, {key: text.replace("{shop}", shop) for key, text in WORDS[spoken].items()}
