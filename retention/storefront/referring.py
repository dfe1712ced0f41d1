"""Where a personal link leads: the friend's offer behind her email, or at once the shop. No cookies."""

from __future__ import annotations

import datetime as dt
import uuid
from urllib.parse import urlencode

from csp.decorators import csp_replace
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from referrals import operations
from referrals.landing import Offered, offered
from referrals.querysets import NoSuchAdvocate
from retention import clock
from retention.customers.operations import BadFacts
from retention.doors.problems import ApiRefused
from retention.doors.tries import check_tries, count_failure
from retention.messaging.machines import is_machine
from retention.shop.models import Shop
from retention.storefront.views import STRICT, shown, wished
from retention.storefront.words import words_in

#: Of one network, in ten minutes: a household or a class may sign up together, a program may not.
MOST = 20
#: Visits of one network that are written down, in ten minutes.
MOST_VISITS = 200
_signer = Signer(salt="referrals.visitor")


# Nobody is logged in here, and the visitor's key in the form is signed by us.
@csrf_exempt
@never_cache
@csp_replace(STRICT)
@require_http_methods(["GET", "HEAD", "POST"])
def personal_link(request: HttpRequest, code: str) -> HttpResponse:
    """GET remembers the visit of a person and shows the offer; POST takes the friend's email, and says no more than
    that it was taken: whether the shop knows the address is nobody's business."""
    now = clock.now()
    try:
        offer = offered(code, language=wished(request), now=now)
    except NoSuchAdvocate:
        return shown(request, "nothing", "", status=404, is_of_a_friend=True)
    if not offer.is_live:
        return shown(request, "friend_over", offer.language, status=410)
    if request.method == "POST":
        return _taken(request, offer)
    visitor = "" if is_machine(method=request.method or "", headers=request.headers) else uuid.uuid4().hex
    if visitor and _may({f"visit:{_network(request)}": MOST_VISITS}, now):
        channel = "".join(sign for sign in request.GET.get("via", "") if sign.isalnum())[:20]
        operations.record_visit(
            code=offer.code, visitor_key=visitor, channel=channel, network=_network(request), now=now
        )
    if offer.shop_url:
        joiner = "&" if "?" in offer.shop_url else "?"
        return HttpResponseRedirect(
            f"{offer.shop_url}{joiner}{urlencode({'referral': offer.code, 'visitor': visitor})}"
        )
    return _shown(request, offer, _signer.sign(visitor))


def _taken(request: HttpRequest, offer: Offered) -> HttpResponse:
    now, email = clock.now(), request.POST.get("email", "").strip()
    try:
        validate_email(email)
        visitor = _signer.unsign(request.POST.get("visitor", ""))
    except ValidationError:
        return _shown(request, offer, request.POST.get("visitor", ""), is_wrong=True, status=422)
    except BadSignature:
        return shown(request, "nothing", "", status=404, is_of_a_friend=True)
    if not _may({f"referral:{_network(request)}": MOST}, now):
        return shown(request, "friend_sent", offer.language, status=429, told=_told(offer))
    try:
        operations.take_friend(
            code=offer.code,
            email=email,
            language=wished(request),
            wants_news=request.POST.get("news") == "yes",
            visitor_key=visitor,
            network=_network(request),
            now=now,
        )
    except BadFacts:  # longer than an address may be
        return _shown(request, offer, request.POST.get("visitor", ""), is_wrong=True, status=422)
    return shown(request, "friend_sent", offer.language, told=_told(offer))


def _shown(
    request: HttpRequest, offer: Offered, visitor: str, *, is_wrong: bool = False, status: int = 200
) -> HttpResponse:
    return shown(
        request, "friend", offer.language, status=status, offer=offer, visitor=visitor, is_wrong=is_wrong,
        email=request.POST.get("email", "")[:254], told=_told(offer),
    )  # fmt: skip


def _told(offer: Offered) -> dict[str, str]:
    """The words of a present, or of a tip where the friend is given nothing."""
    words = words_in(offer.language, shop=Shop.objects.get().name)[1]
    kind = "friend" if offer.gets else "tip"
    return {name: words[f"{kind}_{name}"] for name in ("title", "text", "button", "sent_title", "sent_text")}


def _may(limits: dict[str, int], now: dt.datetime) -> bool:
    """Whether it is not more than people do; it is counted."""
    try:
        check_tries(limits, now.timestamp())
    except ApiRefused:
        return False
    count_failure(limits, now.timestamp())
    return True


def _network(request: HttpRequest) -> str:
    """The address that calls; behind a proxy what the nearest proxy says it is."""
    if settings.SECURE_PROXY_SSL_HEADER:
        return request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    return request.META.get("REMOTE_ADDR", "")
