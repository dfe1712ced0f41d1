"""What people do that programmes give something for, as nouns by language; a shop's own kinds go by their labels."""

from collections.abc import Mapping

#: key → language → noun; in Russian, where it differs, also as an object: `регистрация|регистрацию`.
KINDS: Mapping[str, Mapping[str, str]] = {
    "signed_up": {"en": "signing up", "ko": "회원 가입", "ru": "регистрация|регистрацию"},
    "logged_in": {"en": "logging in", "ko": "로그인", "ru": "вход"},
    "viewed_product": {"en": "looking at a product", "ko": "상품 조회", "ru": "просмотр товара"},
    "viewed_category": {"en": "looking at a category", "ko": "카테고리 조회", "ru": "просмотр раздела"},
    "searched": {"en": "searching", "ko": "검색", "ru": "поиск"},
    "added_to_wishlist": {"en": "filling the wish list", "ko": "위시리스트 담기", "ru": "список желаний"},
    "reviewed": {"en": "reviewing a product", "ko": "상품 리뷰 작성", "ru": "отзыв о товаре"},
    "code_entered": {"en": "entering a code", "ko": "코드 입력", "ru": "ввод кода"},
    "shared": {"en": "sharing", "ko": "공유하기", "ru": "публикация в соцсети|публикацию в соцсети"},
    "followed": {"en": "following the shop", "ko": "팔로우", "ru": "подписка на магазин|подписку на магазин"},
    "trial_started": {"en": "starting a trial", "ko": "체험 시작", "ru": "начало пробного периода"},
    "subscription_renewed": {
        "en": "renewing a subscription", "ko": "구독 갱신", "ru": "продление подписки",
    },
    "mail_opened": {"en": "opening a mail", "ko": "메일 열람", "ru": "чтение письма"},
    "mail_clicked": {"en": "clicking in a mail", "ko": "메일 링크 클릭", "ru": "переход из письма"},
    "store_visited": {"en": "visiting a store", "ko": "매장 방문", "ru": "визит в магазин"},
    "loyalty.joined": {"en": "joining", "ko": "프로그램 가입", "ru": "вступление в программу"},
    "loyalty.tier_reached": {"en": "reaching a tier", "ko": "등급 달성", "ru": "новый уровень"},
    "loyalty.milestone_reached": {"en": "reaching a milestone", "ko": "목표 달성", "ru": "достижение цели"},
    "loyalty.badge_earned": {"en": "earning a badge", "ko": "배지 획득", "ru": "значок"},
}  # fmt: skip
