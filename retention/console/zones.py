"""Which clock console pages show: the shop's."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from retention import clock
from retention.work.querysets import shop_zone


class ShopZone:
    """Shows and reads every instant of the console in the shop's zone; all other pages stay in UTC."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(f"/{settings.CONSOLE_PATH}") or not request.user.is_authenticated:
            return self.get_response(request)
        with timezone.override(clock.zone(shop_zone())):
            return self.get_response(request)
