"""Several offers in one order: which of them go together, and in which order they work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from retention.incentives.carts import Cart
from retention.incentives.discounts.offers import Missed, Offer, attempt, missed_from_the_start
from retention.incentives.rules import Benefit, Stacking
from retention.refusals import Refused

#: Up to so many offers that could be combined, every combination is thought of.
EXACT = 10


class NotTogether(Refused):
    code = "incentives.not_together"
    sentence = _("This offer does not go together with “%(offer)s”.")


class OthersAreBetter(Refused):
    code = "incentives.others_are_better"
    sentence = _("The other offers of this order save more without this one.")


class TooManyOffers(Refused):
    code = "incentives.too_many_offers"
    sentence = _("An order may have %(limit)s offers at most.")


class NoCeilingInCurrency(Refused):
    code = "incentives.no_ceiling_in_currency"
    sentence = _("The shop gives no discounts on baskets in %(currency)s.")


class Candidate:
    """An offer that could hold, with what the search asks of it often."""

    def __init__(self, offer: Offer, at: int, cart: Cart) -> None:
        rule = offer.rule
        self.offer, self.rule, self.at = offer, rule, at
        #: The higher priority first; among equals amounts off the whole last, then as they were told.
        self.turn = (-rule.stacking.priority, any(effect.is_flat for effect in rule.effects), at)
        self.benefits_count = sum(effect.benefit(cart) is not None for effect in rule.effects)

    def bounds(self, cart: Cart) -> tuple[int, int]:
        """No less than what it takes off, and gives in money, in any combination; asked of the first cart."""
        off = given = 0
        for effect in self.rule.effects:
            if isinstance(effect, Benefit):
                given += effect.bound(cart)
            else:
                off += effect.bound(cart)
        return off, given

    def allows(self, other: Candidate) -> bool:
        return self.rule.stacking.allows(other.rule.stacking)

    def benefits(self, cart: Cart) -> list[dict[str, Any]]:
        if not self.benefits_count:
            return []
        return [benefit for effect in self.rule.effects if (benefit := effect.benefit(cart)) is not None]


#: An offer, and the cart after it.
Step = tuple[Candidate, Cart]


@dataclass(frozen=True)
class Deal:
    """Offers that work together, one after the other."""

    steps: tuple[Step, ...]
    start: Cart
    #: What it is worth to the shopper in money, and how many benefits without a price come with it.
    worth: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, steps: tuple[Step, ...], start: Cart) -> Deal:
        end = steps[-1][1] if steps else start
        money_minor, others = start.total_minor - end.total_minor, 0
        for candidate, _cart in steps:
            for benefit in candidate.benefits(end):
                money_minor += benefit.get("amount_minor", 0)
                others += "amount_minor" not in benefit
        return cls(steps, start, (money_minor, others))

    @property
    def end(self) -> Cart:
        return self.steps[-1][1] if self.steps else self.start

    @property
    def candidates(self) -> list[Candidate]:
        return [candidate for candidate, _cart in self.steps]

    def idle(self) -> list[Candidate]:
        """Those that bring nothing in the end, such as money back of goods that others made free."""
        idle, before = [], self.start
        for candidate, after in self.steps:
            if after is before and not candidate.benefits(self.end):
                idle.append(candidate)
            before = after
        return idle


class Combining:
    """The offers of one order under the shop's policy."""

    def __init__(self, offers: Sequence[Offer], cart: Cart, stacking: Stacking) -> None:
        self.cart, self.stacking = cart, stacking
        self.most_offers = stacking.most_offers or len(offers)
        self.ceiling = _ceiling(stacking, cart)
        self.missed: dict[int, Missed] = {}
        self.candidates: list[Candidate] = []
        has_ceiling = not stacking.ceiling or cart.basket.currency in stacking.ceiling
        for at, offer in enumerate(offers):
            missed = missed_from_the_start(offer.rule, cart)
            if missed is None and not has_ceiling:
                missed = Missed((NoCeilingInCurrency(currency=cart.basket.currency).as_refusal(),))
            if missed is None:
                self.candidates.append(Candidate(offer, at, cart))
            else:
                self.missed[at] = missed

    def deal(self) -> Deal:
        """The offers that work, and in `missed` why the others do not."""
        decide = self._run if self.stacking.mode == "priority" else self._best
        deal, playing = decide(self.candidates), self.candidates
        while idle := deal.idle():
            playing = [one for one in playing if one not in idle]
            deal = decide(playing)
        taken = {candidate.at for candidate in deal.candidates}
        for candidate in self.candidates:
            if candidate.at not in taken:
                self.missed[candidate.at] = self._why_not(candidate, deal)
        return deal

    def attempt(self, candidate: Candidate, cart: Cart) -> Cart | Missed:
        """The cart after one more offer, as far as the ceiling lets it."""
        left = None if self.ceiling is None else self.ceiling - (self.cart.total_minor - cart.total_minor)
        return attempt(candidate.rule, cart, left)

    def _run(self, candidates: Sequence[Candidate], first: Sequence[Step] = ()) -> Deal:
        """One offer after the other in their turn, each that does something and goes with those before it.

        `first` are steps that were worked out before.
        """
        steps = list(first)
        cart = steps[-1][1] if steps else self.cart
        for candidate in sorted(candidates, key=_turn):
            if len(steps) < self.most_offers and all(candidate.allows(other) for other, _cart in steps):
                after = self.attempt(candidate, cart)
                if isinstance(after, Cart):
                    cart = after
                    steps.append((candidate, cart))
        return Deal.of(tuple(steps), self.cart)

    def _best(self, candidates: Sequence[Candidate]) -> Deal:
        """The combination worth most. Exact up to `EXACT` offers that could be combined.

        Beyond, the first `EXACT` of them are searched through and every further one may join what was found, replace
        what it does not go with, or stand alone; automatic ones come before codes, and those as they were told. So a
        code more never makes the shopper worse off, and no offer alone is ever better than what is found.
        """
        lonely = [one for one in candidates if one.rule.stacking.kind == "exclusive"]
        social = [one for one in candidates if one.rule.stacking.kind != "exclusive"]
        social.sort(key=lambda one: not one.offer.is_automatic)
        best = _Search(self, social[:EXACT]).best if len(social) > 1 else self._run(social)
        for further in social[EXACT:]:
            best = max(best, self._joined(best, further), self._run([further]), key=_rank)
        for one in lonely:
            best = max(best, self._run([one]), key=_rank)
        return best

    def _joined(self, deal: Deal, further: Candidate) -> Deal:
        """One offer more, in its turn, in place of those that it does not go with."""
        steps = [step for step in deal.steps if step[0].allows(further)]
        first = [step for step in steps if step[0].turn < further.turn] if len(steps) == len(deal.steps) else []
        return self._run([further, *[candidate for candidate, _cart in steps[len(first) :]]], first)

    def _why_not(self, candidate: Candidate, deal: Deal) -> Missed:
        alone = self.attempt(candidate, self.cart)
        if isinstance(alone, Missed):
            return alone
        for other in deal.candidates:
            if not candidate.allows(other):
                return Missed((NotTogether(offer=other.rule.name).as_refusal(),))
        if len(deal.steps) >= self.most_offers:
            return Missed((TooManyOffers(limit=self.most_offers).as_refusal(),))
        on_top = self.attempt(candidate, deal.end)
        # Alone it holds: where its condition fails now, that is the doing of the others, which are the better deal.
        if isinstance(on_top, Cart) or self.stacking.mode == "best_deal" and on_top.is_by_condition:
            return Missed((OthersAreBetter().as_refusal(),))
        return on_top


class _Search:
    """Every allowed combination, left where what is still to come could not make it better than the best known."""

    def __init__(self, combining: Combining, candidates: Sequence[Candidate]) -> None:
        self.combining, self.start = combining, combining.cart
        self.candidates = sorted(candidates, key=_turn)
        #: For each candidate those before it that it does not go with.
        self.foes = [
            {place for place, other in enumerate(self.candidates[:at]) if not one.allows(other)}
            for at, one in enumerate(self.candidates)
        ]
        #: What those from here on can add at the most: off the basket, in money besides, in benefits without a price.
        self.bounds = [one.bounds(self.start) for one in self.candidates]
        self.hopes = [(0, 0, 0)]
        for one, (most_off, most_given) in zip(reversed(self.candidates), reversed(self.bounds), strict=True):
            off, given, others = self.hopes[-1]
            self.hopes.append((off + most_off, given + most_given, others + one.benefits_count))
        self.hopes.reverse()
        self.most_off = self.start.room_minor
        if combining.ceiling is not None:
            self.most_off = min(self.most_off, combining.ceiling)
        self.best = Deal((), self.start)
        self._go(0, (), (), self.start)

    def _go(self, at: int, steps: tuple[Step, ...], chosen: tuple[int, ...], cart: Cart) -> None:
        if at == len(self.candidates) or self._hope(at, chosen, cart) <= self.best.worth:
            return
        candidate = self.candidates[at]
        if len(steps) < self.combining.most_offers and self.foes[at].isdisjoint(chosen):
            after = self.combining.attempt(candidate, cart)
            if isinstance(after, Cart):
                longer = (*steps, (candidate, after))
                deal = Deal.of(longer, self.start)
                if deal.worth > self.best.worth:
                    self.best = deal
                self._go(at + 1, longer, (*chosen, at), after)
        self._go(at + 1, steps, chosen, cart)

    def _hope(self, at: int, chosen: tuple[int, ...], cart: Cart) -> tuple[int, int]:
        """No combination from here on is worth more."""
        off, given, others = self.hopes[at]
        off = min(self.most_off, self.start.total_minor - cart.total_minor + off)
        for one in chosen:
            given += self.bounds[one][1]
            others += self.candidates[one].benefits_count
        return off + given, others


def _ceiling(stacking: Stacking, cart: Cart) -> int | None:
    """The most that all discounts together may come to; None is no ceiling."""
    ceilings = []
    if stacking.ceiling_basis_points:
        ceilings.append(cart.total_minor * stacking.ceiling_basis_points // 10_000)
    if stacking.ceiling:
        ceilings.append(stacking.ceiling.get(cart.basket.currency, 0))
    return min(ceilings, default=None)


def _turn(candidate: Candidate) -> tuple[int, bool, int]:
    return candidate.turn


def _rank(deal: Deal) -> tuple[int, int, int]:
    """Of deals that are worth the same the one whose first offer has the higher priority."""
    first = deal.steps[0][0].rule.stacking.priority if deal.steps else -1_000
    return *deal.worth, first
