"""The data that playbooks need: whom of the customers it is known of, each a query that counts."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from campaigns.models import Holiday
from loyalty.models import Claim, Member, Passing, Programme
from retention.customers.models import Activity, ConsentState, Customer, Order, Product, Return
from retention.incentives.models import Code
from retention.ledger.models import Account, Lot


def living() -> QuerySet[Customer]:
    return Customer.objects.filter(merged_into=None, erased_at=None)


def _agreed(channel: str, **address: OuterRef) -> Exists:
    states = ConsentState.objects.filter(
        customer=OuterRef("pk"), channel=channel, purpose="marketing", is_given=True, **address
    )
    return Exists(states)


def with_consent() -> QuerySet[Customer]:
    return living().filter(_agreed("email", address=OuterRef("email_normal")))


def with_sms_consent() -> QuerySet[Customer]:
    return living().filter(_agreed("sms", address=OuterRef("phone")))


def with_birthday() -> QuerySet[Customer]:
    return living().filter(birth_month__isnull=False)


def with_sign_up() -> QuerySet[Customer]:
    return living().filter(signed_up_at__isnull=False)


def with_a_city() -> QuerySet[Customer]:
    return living().exclude(city="")


def in_a_country_with_holidays() -> QuerySet[Customer]:
    return living().filter(country__in=Holiday.objects.values("country"))


def with_an_order() -> QuerySet[Customer]:
    return living().filter(stats__last_order_at__isnull=False)


def with_two_orders() -> QuerySet[Customer]:
    return living().filter(stats__orders__gte=2)


def with_a_delivery() -> QuerySet[Customer]:
    return living().filter(Exists(Order.objects.filter(customer=OuterRef("pk"), fulfilled_at__isnull=False)))


def with_a_return() -> QuerySet[Customer]:
    return living().filter(Exists(Return.objects.filter(order__customer=OuterRef("pk"))))


def _bought(**of_product: object) -> QuerySet[Customer]:
    wanted = Product.objects.filter(**of_product).values("pk")
    return living().filter(
        Exists(Order.objects.filter(customer=OuterRef("pk"), state__in=Order.BOUGHT, lines__product__in=wanted))
    )


def with_something_used_up() -> QuerySet[Customer]:
    return _bought(replenish_days__isnull=False)


def with_something_to_learn() -> QuerySet[Customer]:
    return _bought(how_to_url__gt="")


def _did(*kinds: str) -> QuerySet[Customer]:
    return living().filter(Exists(Activity.objects.filter(customer=OuterRef("pk"), kind__in=kinds)))


def with_a_checkout() -> QuerySet[Customer]:
    return _did("checkout_started")


def with_a_cart() -> QuerySet[Customer]:
    return _did("added_to_cart", "cart_updated")


def with_a_look() -> QuerySet[Customer]:
    return _did("viewed_product")


def with_a_trial() -> QuerySet[Customer]:
    return _did("trial_started")


def with_an_opened_mail() -> QuerySet[Customer]:
    return _did("mail_opened")


def with_a_code_that_ends() -> QuerySet[Customer]:
    codes = Code.objects.filter(state=Code.State.GIVEN, expires_at__isnull=False, customer__isnull=False)
    return living().filter(pk__in=codes.values("customer"))


def with_value_that_ends(**of_unit: object) -> QuerySet[Customer]:
    lots = Lot.objects.filter(remaining__gt=0, expires_at__isnull=False, account__is_frozen=False, **of_unit)
    owners = lots.annotate(owner=Coalesce(F("account__customer_id"), F("account__card__code__customer_id")))
    return living().filter(pk__in=owners.values("owner"))


def with_credit_that_ends() -> QuerySet[Customer]:
    return with_value_that_ends(account__unit__key__startswith="store_credit")


def with_store_cash_that_ends() -> QuerySet[Customer]:
    return with_value_that_ends(account__unit__key__startswith="store_cash")


def with_points_that_end() -> QuerySet[Customer]:
    return with_value_that_ends(account__unit__kind="points")


def with_a_life_event() -> QuerySet[Customer]:
    return living().filter(attributes__has_key="life-event")


def members() -> QuerySet[Customer]:
    return living().filter(Exists(Member.objects.filter(customer=OuterRef("pk"), left_at=None)))


def with_a_tier_that_ends() -> QuerySet[Customer]:
    return living().filter(
        Exists(Member.objects.filter(customer=OuterRef("pk"), left_at=None, tier_until__isnull=False))
    )


def with_points() -> QuerySet[Customer]:
    units = Programme.objects.values("unit")
    return living().filter(Exists(Account.objects.filter(customer=OuterRef("pk"), unit__in=units, balance__gt=0)))


def with_an_open_choice() -> QuerySet[Customer]:
    return living().filter(Exists(Passing.objects.filter(member__customer=OuterRef("pk"), state="open")))


def with_an_unused_surprise() -> QuerySet[Customer]:
    unused = Claim.objects.filter(origin="loyalty.surprise", state="claimed", grant__code__state=Code.State.GIVEN)
    return living().filter(Exists(unused.filter(member__customer=OuterRef("pk"))))
