"""Pages of programmes for customers: how one works, and a customer's own page by a signed link; no cookies."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from loyalty import operations
from loyalty.links import programme_url, read_member
from loyalty.models import Programme
from loyalty.operations import claims, milestones
from loyalty.operations.members import NoSuchMember
from loyalty.operations.rewards import reward_by
from loyalty.pages import Hers, hers, how_it_works
from retention import clock
from retention.actors import Actor
from retention.customers.models import Customer
from retention.refusals import Refused
from retention.shop.models import Shop
from retention.storefront.club_words import club_words
from retention.storefront.views import STRICT, shown, wished

#: Pictures of rewards are the shop's own, wherever they stand.
_POLICY = {**STRICT, "img-src": [*STRICT["img-src"], "https:"]}
CUSTOMER = Actor("customer")


@require_safe
@csp_replace(_POLICY)
def programme(request: HttpRequest, key: str) -> HttpResponse:
    """How a programme works, made of the rules that hold now; in `?language=`, or as the browser wishes."""
    found = Programme.objects.select_related("unit").filter(key=key, archived_at=None).first()
    if found is None or found.state == Programme.State.DRAFT:
        raise Http404
    language = _language(request.GET.get("language") or wished(request))
    spoken, words = club_words(language)
    page = how_it_works(found, language=language, now=clock.now())
    _word_programme(page, words)
    answer = shown(request, "programme", language, page=page, club=words, languages=_languages(), spoken=language)
    answer["X-Robots-Tag"] = "all"
    answer["Vary"] = "Accept-Language"
    return answer


# The signed token is the whole right to do this, as in links of mails; a forged form has none.
@csrf_exempt
@never_cache
@csp_replace(_POLICY)
@require_http_methods(["GET", "HEAD", "POST"])
def member(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows what she has and can have, and changes nothing; POST joins, takes, chooses or leaves.

    What she cannot undo is asked about first, by a page of its own whose button says that she is sure.
    """
    now = clock.now()
    found = read_member(token, now=now)
    if found is None:
        language = wished(request)
        return shown(request, "old_link", language, status=404, club=club_words(language)[1])
    customer, its = found
    language = _language(customer.language or wished(request))
    done = ""
    if request.method == "POST":
        if question := _question(request, language, customer, its):
            return shown(request, "sure", language, club=club_words(language)[1], page=question)
        try:
            done = _act(request, hers(customer, its, language=language, now=now), its, customer.pk)
        except Refused:
            done = "refused"
    spoken, words = club_words(language)
    with translation.override(spoken):
        page = hers(customer, its, language=language, now=clock.now())
    said = "refused" if done == "refused" else f"done_{done}"
    return shown(
        request, "member", language, page=page, club=words, told=_word_member(page, words), done=words.get(said, ""),
        is_refused=done == "refused", how=programme_url(its), once=uuid.uuid4().hex,
        is_open=its.state != Programme.State.ENDED,
    )  # fmt: skip


def _question(request: HttpRequest, language: str, customer: Customer, its: Programme) -> dict[str, Any] | None:
    """What a pressed button would do that she cannot undo; None where she is sure, or where it can do nothing."""
    posted, (spoken, words) = request.POST, club_words(language)
    if "sure" in posted or "join" in posted:
        return None
    with translation.override(spoken):
        page = hers(customer, its, language=language, now=clock.now())
    sent = {name: posted[name] for name in ("leave", "choice", "reward", "once") if name in posted}
    told = {"programme": page.name, "available": page.available, "tier": page.tier}
    if "leave" in posted:
        said = ["sure_leave_text", *(["sure_leave_tier"] if page.tier else [])]
        said += ["sure_leave_choice"] if page.choices else []
        return _asked("leave", words, said, told, sent) if page.member and not page.member.left_at else None
    open_to_her = [one for one in page.choices if str(one["id"]) == posted.get("choice")]
    rewards = open_to_her[0]["rewards"] if open_to_her else [one for one in page.offers if one["can_have"]]
    reward = next((one for one in rewards if str(one["id"]) == posted.get("reward")), None)
    if reward is None or ("choice" in posted and not open_to_her):
        return None
    told |= {"name": reward["name"], "price": reward.get("price") or words["free"], "rest": reward.get("rest", "")}
    if open_to_her:
        return _asked("choose", words, ["sure_choose_text"], told, sent)
    return _asked("take", words, ["sure_take_text"] if told["rest"] else [], told, sent)


def _asked(
    act: str, words: Mapping[str, str], said: list[str], told: Mapping[str, str], sent: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "title": words[f"sure_{act}"].format(**told), "said": [words[key].format(**told) for key in said],
        "button": words["choose_button" if act == "choose" else act], "sent": sent, "is_leaving": act == "leave",
    }  # fmt: skip


def _act(request: HttpRequest, page: Hers, its: Programme, customer_id: int) -> str:
    """What the pressed button says, as one operation; the word for what came of it."""
    said = {"now": clock.now(), "by": CUSTOMER}
    posted = request.POST
    if "join" in posted:
        operations.join(programme_id=its.pk, customer_ids=[customer_id], **said)
        return "joined"
    if page.member is None:
        raise NoSuchMember
    if "leave" in posted:
        operations.leave(programme_id=its.pk, customer_ids=[customer_id], **said)
        return "left"
    reward = reward_by(_uuid(posted.get("reward")))
    if "choice" in posted:
        choice = _uuid(posted["choice"])
        if choice not in [one["id"] for one in page.choices]:
            raise milestones.NoSuchChoice
        milestones.choose(passing=choice, reward_id=reward.pk, **said)
        return "taken"
    # Pressed twice it is one claim: the page carries a number of its own for each time it is shown.
    once = _uuid(posted.get("once")).hex
    source = f"page:{page.member.pk}:{once}:{reward.pk}"
    claims.claim(reward_id=reward.pk, member_id=page.member.pk, source=source, **said)
    return "taken"


def _word_programme(page: dict[str, Any], words: Mapping[str, str]) -> None:
    """Put what stands around amounts and names into words."""
    for tier in page["tiers"]:
        tier["from_words"] = words["from"].format(amount=tier["from"]) if tier["from"] else ""
        if tier["is_invited"]:
            tier["from_words"] = words["by_invitation"]
        tier["times"] = words["times"].format(percent=tier["percent"]) if tier["percent"] != 100 else ""
    for reward in page["rewards"]:
        tiers = ", ".join(reward["tiers"])
        reward["for_tiers"] = words["for_tiers"].format(tiers=tiers) if tiers else ""
    days = page["inactive_days"]
    page["inactive"] = words["inactive"].format(days=days) if days else ""


def _word_member(page: Hers, words: Mapping[str, str]) -> dict[str, str]:
    """The same for her own page; empty where there is nothing to say."""
    for offer in page.offers:
        offer["left_words"] = words["left"].format(n=offer["left"]) if offer["left"] is not None else ""
        told = {
            "loyalty.points_short": words["short"].format(amount=offer["short"]),
            "loyalty.for_other_tiers": words["for_tiers"].format(tiers=", ".join(offer["tiers"])),
        }
        offer["words"] = told.get(offer["why"]) or words.get(offer["why"], "")
    for choice in page.choices:
        choice["words"] = words["choose_until"].format(name=choice["name"], day=choice["until"])
    for one in page.history:
        one["words"] = one["bought"] or words.get(one["verb"], words["moved"])
    said = {
        "pending": {"amount": page.pending}, "expires": {"amount": page.expires_next, "day": page.expires_on},
        "tier": {"tier": page.tier}, "until": {"day": page.tier_until},
        "next": {"amount": page.next_missing, "tier": page.next_tier},
    }  # fmt: skip
    return {name: words[name].format(**values) for name, values in said.items() if all(values.values())}


def _uuid(text: Any) -> uuid.UUID:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        raise claims.NoSuchClaim from None


def _languages() -> list[str]:
    return (Shop.objects.first() or Shop()).languages


def _language(wish: str) -> str:
    """The language of the shop that comes nearest to the wished one."""
    spoken = _languages()
    near = [one for one in spoken if one.partition("-")[0] == wish.partition("-")[0]]
    return wish if wish in spoken else next(iter(near), spoken[0])
