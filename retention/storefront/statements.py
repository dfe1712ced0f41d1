"""A partner's own statement by her signed link, month by month, as a page and as a file; no cookies."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping

from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from referrals.statements.links import partner_of
from referrals.statements.reading import Statement, as_rows, statement
from retention import clock, money
from retention.ledger.days import book_day
from retention.ledger.units import end_of_stretch
from retention.storefront.views import STRICT, shown, wished
from retention.work.querysets import shop_zone

_DAY = dt.timedelta(days=1)
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Your statement", "opening": "Opening balance", "closing": "Closing balance", "issue": "Commission",
        "take_back": "Taken back with a return", "pay_out": "Paid out", "adjust": "Corrected", "file": "As a CSV file",
        "before": "The month before", "after": "The month after", "nothing": "Nothing in this month.",
        "coming": "Coming, once orders can no longer be returned: {amount}",
        "pending": "Not payable yet, until returns are over: {amount}",
        "set_aside": "On its way to your bank: {amount}", "as_of": "As of {at}",
    },
    "ko": {
        "title": "정산 내역", "opening": "이월 잔액", "closing": "마감 잔액", "issue": "수수료",
        "take_back": "반품에 따른 회수", "pay_out": "지급", "adjust": "정정", "file": "CSV 파일로 받기",
        "before": "이전 달", "after": "다음 달", "nothing": "이 달에는 내역이 없습니다.",
        "coming": "반품 기간이 끝나면 들어올 예정: {amount}",
        "pending": "반품 기간이 끝날 때까지 지급 대기: {amount}", "set_aside": "은행으로 송금 중: {amount}",
        "as_of": "{at} 기준",
    },
    "ru": {
        "title": "Ваша выписка", "opening": "Начальный остаток", "closing": "Конечный остаток", "issue": "Комиссия",
        "take_back": "Удержано при возврате", "pay_out": "Выплачено", "adjust": "Исправлено", "file": "Файл CSV",
        "before": "Предыдущий месяц", "after": "Следующий месяц", "nothing": "В этом месяце ничего не было.",
        "coming": "Ожидается, когда истечёт срок возврата заказов: {amount}",
        "pending": "Будет доступно после срока возврата: {amount}", "set_aside": "Отправляется в ваш банк: {amount}",
        "as_of": "По состоянию на {at}",
    },
}  # fmt: skip


# The signed token is the whole right to read this.
@never_cache
@csp_replace(STRICT)
@require_safe
def partner_statement(request: HttpRequest, token: str) -> HttpResponse:
    """The present month, or the one of `?month=2026-05`; `format=csv` as a file. A forged link gets one answer."""
    partner, language = partner_of(token), wished(request)
    if partner is None:
        return shown(request, "nothing", language, status=404)
    now = clock.now()
    today = book_day(now)
    first = _month(request.GET.get("month", ""), today)
    found = statement(partner, first=first, last=end_of_stretch(first, 1), now=now)
    if request.GET.get("format") == "csv":
        headers = {"Content-Disposition": f'attachment; filename="statement-{first:%Y-%m}.csv"'}
        answer = HttpResponse(content_type="text/csv; charset=utf-8", headers=headers)
        csv.writer(answer).writerows(as_rows(found))
        return answer
    spoken = language.partition("-")[0] if language.partition("-")[0] in WORDS else "en"
    told = {
        "partner": partner,
        "said": _said(found, WORDS[spoken], spoken),
        "month": first,
        "before": f"{first - _DAY:%Y-%m}",
        "after": f"{found.last + _DAY:%Y-%m}" if found.last < today else "",
        "told": WORDS[spoken],
    }
    with timezone.override(clock.zone(shop_zone())):
        return shown(request, "statement", language, **told)


def _month(asked: str, today: dt.date) -> dt.date:
    try:
        first = dt.datetime.strptime(asked, "%Y-%m").date()  # noqa: DTZ007  a month has no zone
    except ValueError:
        return today.replace(day=1)
    return min(max(first, dt.date(2000, 1, 1)), today.replace(day=1))


def _said(found: Statement, words: Mapping[str, str], language: str) -> dict:
    def amount(minor: int) -> str:
        return money.show(minor, found.currency, language)

    notes = [(name, getattr(found, f"{name}_minor")) for name in ("coming", "pending", "set_aside")]
    return {
        "opening": amount(found.opening_minor),
        "closing": amount(found.closing_minor),
        "lines": [(line.at, words.get(line.verb, line.verb), amount(line.amount_minor)) for line in found.lines],
        "notes": [words[name].format(amount=amount(minor)) for name, minor in notes if minor],
        "as_of": words["as_of"].format(at=f"{found.as_of.astimezone(clock.zone(shop_zone())):%Y-%m-%d %H:%M}"),
    }
