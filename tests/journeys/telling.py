"""The words that stories are told in, and how a story is played: through the shop's doors, instant after instant.

A story is a list of scenes. In a scene facts come first, in their order; a second later the jobs run; then whoever
`gets` a mail has it, and nobody else has any; then the jobs run once more, and nobody has anything more. A minute
before a mail is due that no fact of its scene brings, the jobs run too, and nobody has it yet.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loyalty import operations as loyalty
from loyalty.models import Programme, Reward
from loyalty.operations import surprises
from loyalty.operations.rewards import create_reward, start_reward
from loyalty.rules import ProgrammeRule
from loyalty.rules.rewards import RewardRule
from loyalty.rules.surprises import SurpriseRule
from referrals import operations as referrals
from referrals.models import Advocate, Scheme
from referrals.rules import SchemeRule
from retention import clock
from retention.customers.models import Customer
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from tests.journeys.town import BY, GOODS, Town, moment, words_of
from tests.mailbox import Mail

MINUTE, SECOND = dt.timedelta(minutes=1), dt.timedelta(seconds=1)
#: The jobs between her and her mail.
TO_THE_MAIL = ("segments.refresh", "campaigns.reach", "messaging.send")
#: What the parcel costs.
SHIPPING = 490


@dataclass(frozen=True)
class Fact:
    """Something that happens before the jobs run; `is_late`: when they have looked, and nothing has left yet."""

    happen: Callable[[Town], Any]
    is_late: bool = False


@dataclass(frozen=True)
class Check:
    """Something that must be true when they have run; `is_of_facts`: and have read what came just before them."""

    hold: Callable[[Town], None]
    is_of_facts: bool = False


@dataclass(frozen=True)
class Gets:
    """One mail in somebody's box.

    Attributes:
        says: passages of its words, as they stand there.
        offer, until: what its code gives, and the last day; None: it brings no code.
        link: where its button leads.
    """

    who: str
    subject: str
    says: tuple[str, ...]
    offer: str | None
    until: str | None
    link: str


@dataclass(frozen=True)
class Scene:
    at: dt.datetime
    acts: tuple[Fact | Check | Gets, ...]

    def of(self, kind: type) -> list[Any]:
        return [act for act in self.acts if isinstance(act, kind)]


@dataclass(frozen=True)
class Story:
    """`playbook`: the key of the one that it is about; more than one story may be."""

    playbook: str
    scenes: tuple[Scene, ...]


def story(playbook: str, *scenes: Scene) -> Story:
    return Story(playbook, scenes)


def on(at: str, *acts: Fact | Check | Gets) -> Scene:
    """At this instant by the clock in Berlin."""
    return Scene(moment(at), acts)


def play(told: Story, town: Town) -> None:
    for scene in told.scenes:
        facts, mails = scene.of(Fact), {mail.who: mail for mail in scene.of(Gets)}
        if mails and not facts:
            town.go(scene.at - MINUTE)
            assert hears(town, *TO_THE_MAIL) == {}, f"a minute before {scene.at}"
        town.go(scene.at)
        for fact in (fact for fact in facts if not fact.is_late):
            fact.happen(town)
        town.go(scene.at + SECOND)
        if late := [fact for fact in facts if fact.is_late]:
            town.run_jobs("segments.refresh")
            town.go(scene.at + 2 * SECOND)
            town.run_jobs("campaigns.reach")
            for fact in late:
                fact.happen(town)
        # All that is due where something is told of; elsewhere what could bring a mail that is not.
        came = hears(town, *(() if facts or mails else TO_THE_MAIL))
        checks = scene.of(Check)
        if came.keys() != mails.keys() or any(check.is_of_facts for check in checks):
            # What a run made due is the next one's.
            town.settle()
            town.go(clock.now() + SECOND)
            came |= hears(town)
        assert came.keys() == mails.keys(), f"at {scene.at}"
        for who, mail in mails.items():
            read(mail, came[who])
        town.last_mail |= came
        if mails:
            assert hears(town, *TO_THE_MAIL) == {}, "twice"
        for check in checks:
            check.hold(town)


def hears(town: Town, *jobs: str) -> dict[str, Mail]:
    """The jobs run; who has a mail from it. Before the first launch there is nothing that they could do."""
    if town.campaigns:
        town.run_jobs(*jobs)
    mails = town.new_mails()
    came = {town.name_of(mail): mail for mail in mails}
    assert len(came) == len(mails), "two mails at once"
    return came


def read(expected: Gets, mail: Mail) -> None:
    """It says what the story says, in both of its parts, and nothing half-made."""
    assert mail.message["Subject"] == expected.subject
    assert mail.message["To"] == f"{expected.who.capitalize()} <{expected.who}@example.com>"
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = words_of(mail), words_of(mail, "html")
    assert f"Hello {expected.who.capitalize()}," in text
    for words in (*expected.says, *filter(None, [expected.offer])):
        assert words in text
        assert words in html.replace("<b>", "").replace("</b>", "")
    assert ("Good until" in text) == (expected.until is not None)
    assert f"Good until {expected.until or ''}" in text or expected.until is None
    assert f": {expected.link}" in text
    for unfinished in ("{{", "{%", "None", "nil", " ,", " .", "  "):
        assert unfinished not in text.partition("\n-- \n")[0], text


# --- facts ---------------------------------------------------------------------------------------------------------


def fact(happen: Callable[[Town], Any]) -> Fact:
    return Fact(happen)


def meanwhile(told: Fact) -> Fact:
    """It happens when the campaign has touched her already, and her mail waits in the outbox."""
    return Fact(told.happen, is_late=True)


def night() -> Fact:
    """The jobs run before anything is launched, the nightly ones with them."""
    return fact(lambda town: town.run_jobs())


def calendar(name: str, event: str, day: str, *, city: str) -> Fact:
    """The marketer makes a calendar of a town, and the town's own system adds an event to it."""

    def happen(town: Town) -> None:
        made = town.desk("mina").post(
            "/admin/campaigns/calendar/add/", {"name": name, "countries": "DE", "cities": city}
        )
        assert made.status_code == 302, made.context["adminform"].form.errors
        (found,) = town.get("calendars/")["items"]
        town.post(f"calendars/{found['id']}/events/", {"name": event, "days": [day]})

    return fact(happen)


def opens(who: str) -> Fact:
    """Her mail program shows her last mail, and its picture is fetched."""
    return fact(lambda town: town.looks_at(who))


def launches(playbook: str) -> Fact:
    """From the gallery, reviewed by the lead, and live."""
    return fact(lambda town: town.launch(playbook))


def joins(who: str, *, agrees: bool = True, **profile: Any) -> Fact:
    """She signs up and, unless it is said, agrees to mail."""

    def happen(town: Town) -> None:
        person = {
            "reference": who, "email": f"{who}@example.com", "given_name": who.capitalize(),
            "signed_up_at": clock.now().isoformat(), **profile,
        }  # fmt: skip
        town.ids[who] = town.post("customers/", person)["id"]
        if agrees:
            consents(town, who, "given")

    return fact(happen)


def consents(town: Town, who: str, event: str, channel: str = "email") -> None:
    said = {"channel": channel, "event": event, "source": "preferences"}
    town.post(f"customers/{town.ids[who]}/consents/", said)


def agrees(who: str, channel: str = "email") -> Fact:
    return fact(lambda town: consents(town, who, "given", channel))


def withdraws(who: str) -> Fact:
    return fact(lambda town: consents(town, who, "withdrawn"))


def tells(who: str, **profile: Any) -> Fact:
    """The shop learns more of her."""
    return fact(lambda town: town.call("patch", f"customers/{town.ids[who]}/", profile))


def sells(*skus: str, **more: Any) -> Fact:
    """The catalogue has these of `GOODS`."""
    return fact(lambda town: [town.stocks(sku, **more) for sku in skus])


def goes_with(sku: str, other: str) -> Fact:
    """Somebody of the shop says that the one goes with the other."""
    return fact(lambda town: town.post("product-links/", {"product": sku, "other": other, "kind": "goes_with"}))


def does(who: str, kind: str, sku: str | None = None, **properties: Any) -> Fact:
    """An activity that the shop's site tells of."""

    def happen(town: Town) -> None:
        told = {"kind": kind, "customer": who, "product": sku, "properties": properties or None}
        said = {name: value for name, value in told.items() if value is not None}
        town.post("activities/", {**said, "occurred_at": clock.now().isoformat()})

    return fact(happen)


def orders(who: str, reference: str, *skus: str, state: str = "paid", off: int = 0, at: str = "") -> Fact:
    """She orders one of each; `off`: what a discount of the shop's own took off the first. `at`: it was then."""
    return fact(
        lambda town: town.post("orders/", an_order(who, reference, skus or ("LP",), state=state, off=off, at=at))
    )


def an_order(
    who: str, reference: str, skus: tuple[str, ...], *, state: str = "paid", off: int = 0, shipping: int = SHIPPING,
    codes: tuple[str, ...] = (), at: str = "",
) -> Mapping[str, Any]:  # fmt: skip
    placed_at = moment(at) if at else clock.now()
    lines = [
        {"sku": sku, "quantity": 1, "unit_price_minor": GOODS[sku]["price_minor"], "discount_minor": 0} for sku in skus
    ]
    lines[0]["discount_minor"] = off
    told = {
        "reference": reference, "customer": who, "state": state, "currency": "EUR", "shipping_minor": shipping,
        "codes": list(codes), "placed_at": placed_at.isoformat(), "lines": lines,
    }  # fmt: skip
    return told | ({"fulfilled_at": placed_at.isoformat()} if state == "fulfilled" else {})


def arrives(reference: str) -> Fact:
    """The parcel is delivered."""
    told = {"reference": reference, "state": "fulfilled"}
    return fact(lambda town: town.post("orders/", {**told, "fulfilled_at": clock.now().isoformat()}))


def pays(who: str, reference: str, unit: str, amount: int) -> Fact:
    """She pays so much of an order with what she has of a unit."""

    def happen(town: Town) -> None:
        basket = {"currency": "EUR", "lines": [{"sku": "LP", "quantity": 1, "unit_price_minor": 4_000}]}
        tender = {"unit": unit, "amount": amount}
        town.post(
            "redemptions/",
            {"basket": basket, "tenders": [tender], "customer": {"reference": who}, "order_reference": reference},
        )
        town.post("orders/", an_order(who, reference, ("LP",)))

    return fact(happen)


def returns(reference: str, sku: str, reason: str) -> Fact:
    def happen(town: Town) -> None:
        told = {"reference": f"R-{reference}", "order_reference": reference, "reason": reason}
        lines = [{"sku": sku, "quantity": 1}]
        amount = GOODS[sku]["price_minor"]
        town.post("returns/", {**told, "amount_minor": amount, "lines": lines, "occurred_at": clock.now().isoformat()})

    return fact(happen)


def is_given(who: str, unit: str, amount: int, *, until: str) -> Fact:
    """The shop books so much of a unit to her, good until an instant."""

    def happen(town: Town) -> None:
        told = {"unit": unit, "amount": amount, "reason": "Goodwill", "expires_at": moment(until).isoformat()}
        town.post(f"customers/{town.ids[who]}/adjustments/", told)

    return fact(happen)


def redeems(who: str, reference: str, *skus: str, off: int = 0, shipping_off: int = 0) -> Fact:
    """She types the code of her last mail at the checkout, which takes so much off, and orders.

    Nobody else can use it, and she cannot use it twice.
    """

    def happen(town: Town) -> None:
        bought, code = skus or ("LP",), town.code_of(who)
        lines = [{"sku": sku, "quantity": 1, "unit_price_minor": GOODS[sku]["price_minor"]} for sku in bought]
        basket = {"currency": "EUR", "lines": lines, "shipping_minor": SHIPPING, "country": "DE"}
        asked = {"codes": [code], "basket": basket, "order_reference": reference}
        stranger = {"email": "stranger@example.com"}
        status, answer = town.call("post", "redemptions/", {**asked, "customer": stranger})
        assert (status, answer["code"]) == (409, "incentives.other_customer")
        status, answer = town.call("post", "redemptions/", {**asked, "customer": {"reference": who}})
        assert status == 201, answer
        taken = answer["effects"]
        assert sum(line["discount_minor"] for line in taken["lines"]) == off
        assert taken["shipping"]["discount_minor"] == shipping_off
        assert (
            answer["to_pay_minor"] == sum(GOODS[sku]["price_minor"] for sku in bought) + SHIPPING - off - shipping_off
        )
        again = {**asked, "customer": {"reference": who}, "order_reference": f"{reference}-again"}
        status, answer = town.call("post", "redemptions/", again)
        assert (status, answer["code"]) == (409, "incentives.code_redeemed")
        town.post("orders/", an_order(who, reference, bought, off=off, shipping=SHIPPING - shipping_off, codes=(code,)))

    return fact(happen)


def runs_a_club(**rule: Any) -> Fact:
    """The shop runs a programme: a point for each euro of an order, for everyone unless it is said."""

    def happen(town: Town) -> None:
        opening = {"now": clock.now(), "by": BY}
        whole = {
            "names": {"en": "Club"},
            "earning": [{"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}],
            **rule,
        }
        made = loyalty.create_programme(
            key="club", unit_key="points", rule=ProgrammeRule.model_validate(whole), **opening
        )
        loyalty.launch_programme(programme_id=made.pk, **opening)

    return fact(happen)


def recommends(**rule: Any) -> Fact:
    """The shop runs a referral scheme: 10 % off for friend and advocate unless it is said."""

    def happen(town: Town) -> None:
        opening = {"now": clock.now(), "by": BY}
        gives = {"name": "Friends", "effects": [{"kind": "percent", "basis_points": 1000}]}
        both = incentives.create_incentive(rule=IncentiveRule.model_validate(gives), **opening)
        whole = {"names": {"en": "Friends"}, "friend_incentive": both.pk, "levels": [{"incentive_id": both.pk}], **rule}
        made = referrals.create_scheme(key="friends", rule=SchemeRule.model_validate(whole), **opening)
        referrals.launch_scheme(scheme_id=made.pk, **opening)

    return fact(happen)


def stops_recommending() -> Fact:
    return fact(lambda town: referrals.pause_scheme(scheme_id=Scheme.objects.get().pk, now=clock.now(), by=BY))


def has_a_code(who: str, code: str) -> Fact:
    """She has a personal link by this code."""

    def happen(town: Town) -> None:
        hers = Customer.objects.get(public_id=town.ids[who]).pk
        referrals.open_advocates(scheme_id=Scheme.objects.get().pk, customer_ids=[hers], now=clock.now(), by=BY)
        Advocate.objects.filter(customer=hers).update(code=code)

    return fact(happen)


def enters(who: str) -> Fact:
    """She joins the programme."""

    def happen(town: Town) -> None:
        hers = Customer.objects.get(public_id=town.ids[who]).pk
        programme = Programme.objects.get()
        loyalty.join(programme_id=programme.pk, customer_ids=[hers], now=clock.now(), by=BY)

    return fact(happen)


def rewards(name: str, price: int) -> Fact:
    """The catalogue of the programme has it for so many points."""

    def happen(town: Town) -> None:
        opening = {"now": clock.now(), "by": BY}
        gives = IncentiveRule.model_validate(
            {"name": name, "effects": [{"kind": "experience", "name": name}], "codes": {"kind": "unique"}}
        )
        incentive = incentives.create_incentive(rule=gives, **opening)
        incentives.go_live(incentive_id=incentive.pk, **opening)
        rule = RewardRule.model_validate(
            {"kind": "experience", "names": {"en": name}, "price": price, "incentive_id": incentive.pk}
        )
        made = create_reward(programme_id=Programme.objects.get().pk, rule=rule, **opening)
        start_reward(reward_id=made.pk, **opening)

    return fact(happen)


def surprises_all(percent: int) -> Fact:
    """Every member wins the day's draw: a coupon of so many percent."""

    def happen(town: Town) -> None:
        said = {"now": clock.now(), "by": BY}
        gives = {"name": "Treat", "effects": [{"kind": "percent", "basis_points": 100 * percent}]}
        rule = {"kind": "coupon", "names": {"en": "Treat"}, "price": 0, "incentive_id": 0, "is_in_catalogue": False}
        club = Programme.objects.get().pk
        reward = create_reward(
            programme_id=club, rule=RewardRule.model_validate(rule), gives=IncentiveRule.model_validate(gives), **said
        )
        drawn = {
            "names": {"en": "Treat"},
            "reward_id": reward.pk,
            "chance": 10_000,
            "limits": {"limits": [{"issued": 9}]},
        }
        made = surprises.create_surprise(programme_id=club, rule=SurpriseRule.model_validate(drawn), **said)
        surprises.start_surprise(surprise_id=made.pk, **said)
        assert surprises.draw_surprises(now=said["now"])["granted"] > 0

    return fact(happen)


def lets_choose(*names: str, at: int, days: int) -> Fact:
    """The programme lets members choose one of these rewards once they have earned so many points in all."""

    def happen(town: Town) -> None:
        club = Programme.objects.select_related("version").get()
        numbers = [Reward.objects.get(name=name).pk for name in names]
        milestone = {
            "key": "choice", "names": {"en": "Your choice"}, "measure": "points", "at": at,
            "gives": {"kind": "choice", "reward_ids": numbers, "days": days},
        }  # fmt: skip
        rule = ProgrammeRule.model_validate({**club.version.data, "milestones": [milestone]})
        loyalty.save_programme(
            programme_id=club.pk, rule=rule, edited=club.version.number, now=clock.now(), by=BY
        )  # fmt: skip

    return fact(happen)


def chooses(who: str, name: str) -> Fact:
    def happen(town: Town) -> None:
        (choice,) = town.get(f"loyalty/choices/?customer={town.ids[who]}")["items"]
        reward = str(Reward.objects.get(name=name).public_id)
        status, answer = town.call("post", f"loyalty/choices/{choice['id']}/choose/", {"reward": reward})
        assert status == 200, answer

    return fact(happen)


# --- mails and what is true then -------------------------------------------------------------------------------------


def gets(
    who: str, subject: str, *says: str, offer: str | None = None, until: str | None = None,
    link: str = "https://shop.example.com",
) -> Gets:  # fmt: skip
    return Gets(who, subject, says, offer, until, link)


def converted(who: str, at: str) -> Check:
    """Her touch counts as won, by what she did at this instant."""

    def hold(town: Town) -> None:
        touch = town.touches(who)[0]
        assert touch["converted_at"], touch
        assert dt.datetime.fromisoformat(touch["converted_at"]) == moment(at), touch

    return Check(hold, is_of_facts=True)


def not_converted(who: str) -> Check:
    def hold(town: Town) -> None:
        assert [touch["converted_at"] for touch in town.touches(who)] == [None]

    return Check(hold)


def ended(who: str, reason: str = "") -> Check:
    """Nothing more is to come for her, for this reason; none: she had all of it."""

    def hold(town: Town) -> None:
        touch = town.touches(who)[0]
        assert (touch["state"], touch["reason"]) == ("done", reason)

    return Check(hold)


def why(who: str, code: str, sentence: str) -> Check:
    """What “why did or didn't she get it” says first."""

    def hold(town: Town) -> None:
        answer = town.why(who)
        assert (answer["code"], answer["is_deciding"]) == (code, True), answer
        assert sentence in answer["sentence"]

    return Check(hold)
