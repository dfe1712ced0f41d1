"""Looking at messages: a template as any customer would get it, a delivery as it was, a test to oneself."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.audit.operations import record
from retention.customers.models import Customer
from retention.messaging import querysets, rendering
from retention.messaging.brand import Brand
from retention.messaging.channels import CHANNELS, HandedOver, Letter
from retention.messaging.compilation import Compiled
from retention.messaging.models import CompiledTemplate, Delivery, Template, Way
from retention.messaging.operations.templates import check_words
from retention.messaging.outgoing import Outgoing
from retention.messaging.placeholders import resolve, samples
from retention.messaging.words import FAILURES, plain
from retention.refusals import Refused
from retention.shop.models import Shop, Staff

#: Tests that one member of staff may send within an hour.
TESTS_AN_HOUR = 30


class CannotRender(Refused):
    code = "messaging.cannot_render"
    sentence = _("This template cannot be filled for this customer: %(message)s.")
    status = 422


class NoOwnAddress(Refused):
    code = "messaging.no_own_address"
    sentence = _("A test goes to your own address, and your account has none.")


class TooManyTests(Refused):
    code = "messaging.too_many_tests"
    sentence = _("You have sent %(most)s tests within the last hour. Wait a little.")
    status = 429


class TestNotSent(Refused):
    code = "messaging.test_not_sent"
    sentence = _("The test was not sent: %(reason)s %(detail)s")
    status = 502
    # Not a test of ours, whatever its name begins with.
    __test__ = False


@dataclass(frozen=True)
class Preview:
    """What would be read; `language` is the one that was chosen, `is_sample` tells made-up values from real ones."""

    subject: str
    html: str
    text: str
    language: str
    is_sample: bool
    url: str = ""
    is_text_message: bool = False


def preview(
    *,
    template_id: int | None = None,
    words: Mapping[str, Mapping[str, str]] | None = None,
    category: str = Template.Category.MARKETING,
    channel: str = Way.EMAIL,
    customer_id: int | None = None,
    language: str = "",
    brand: Brand | None = None,
    now: dt.datetime,
) -> Preview:
    """A template as one customer would get it, or with samples; unsaved `words` go before the saved ones.

    Where the customer has no value (no coupon yet, no order), the sample stands in; `brand` goes before the saved kit.

    Raises:
        TemplateFaulty, WordsMissing, BadWords: of unsaved words.
        CannotRender
    """
    template = Template.objects.get(pk=template_id) if template_id else Template(category=category, channel=channel)
    compiled: list[Any]
    if words is not None:
        compiled = check_words(words, category=category, channel=channel)
    else:
        compiled = list(CompiledTemplate.objects.filter(version_id=template.version_id))
    customer = Customer.objects.filter(pk=customer_id).first() if customer_id else None
    return _preview(template, compiled, customer, language, brand, now)


def _preview(
    template: Template,
    compiled: list[Any],
    customer: Customer | None,
    language: str,
    brand: Brand | None,
    now: dt.datetime,
) -> Preview:
    parsed = {item.language: rendering.parse(_as_row(item, template)) for item in compiled}
    shop = Shop.objects.get()
    wanted = language or (customer.language if customer else "")
    chosen = rendering.choose(parsed, wanted, shop.default_language)
    outgoing = querysets.sample_outgoing(template, customer, chosen.language, template.channel)
    values = sample_values(outgoing, now=now)
    if brand is not None:
        values["brand"] = brand.values(chosen.language)
    shown = _rendered(chosen, values, is_sample=customer is None)
    return replace(shown, is_text_message=template.channel == Way.SMS)


def sample_values(outgoing: Outgoing, *, now: dt.datetime) -> dict[str, Any]:
    """Samples, with the customer's and the shop's own values wherever there are some."""
    values = samples()
    for key, value in resolve(set(values), [outgoing], now=now)[outgoing.id].items():
        if isinstance(value, Mapping) and isinstance(values[key], Mapping):
            # Nobody's name is a sample's; a customer without a name has none.
            if any(part is not None for part in value.values()) or outgoing.customer_id:
                values[key] = value
        elif outgoing.customer_id:
            values[key] = value
    return values


def preview_delivery(*, delivery_id: int, now: dt.datetime) -> Preview:
    """A delivery as its customer reads it: its own version, language and context, with today's values.

    Raises:
        CannotRender
    """
    (outgoing,) = querysets.outgoing(Delivery.objects.filter(pk=delivery_id))
    templates = rendering.templates_of({outgoing.version_id})[outgoing.version_id]
    if not templates:
        raise CannotRender(message=_("its words are not there any more"))
    shop = Shop.objects.first()
    chosen = rendering.choose(templates, outgoing.language, shop.default_language if shop else "en")
    outgoing.language = chosen.language
    values = resolve(set(chosen.placeholders), [outgoing], now=now)[outgoing.id]
    return _rendered(chosen, values, is_sample=False)


def preview_due(*, now: dt.datetime, transactional: bool) -> dict[str, Any]:
    """The figures that sending at `now` would begin with; whether each may leave is asked at that moment."""
    due = querysets.due(now=now, is_transactional=transactional)
    figures: dict[str, Any] = {"due": due.count()}
    by_state = dict(due.values_list("state").annotate(count=Count("pk")))
    return figures | ({"held": by_state["held"]} if by_state.get("held") else {})


def send_test(
    *,
    template_id: int,
    to: Staff,
    customer_id: int | None = None,
    language: str = "",
    now: dt.datetime,
    by: Actor,
) -> Preview:
    """Send the saved template to a member of staff's own address, marked as a test; nothing is given or counted.

    Raises:
        NoOwnAddress, TooManyTests, TestNotSent, CannotRender
    """
    template = Template.objects.get(pk=template_id)
    if not to.email or template.channel != Way.EMAIL:
        raise NoOwnAddress
    hour_ago = now - dt.timedelta(hours=1)
    sent = AuditEntry.objects.filter(actor=by.name, verb="messaging.send_test", at__gt=hour_ago)[:TESTS_AN_HOUR].count()
    if sent >= TESTS_AN_HOUR:
        raise TooManyTests(most=TESTS_AN_HOUR)
    shown = preview(template_id=template_id, customer_id=customer_id, language=language, now=now)
    letter = Letter(
        frame=(template.version_id or 0, shown.language),
        reference=uuid.uuid4(),
        name=to.get_full_name(),
        address=to.email,
        subject=f"[Test] {shown.subject}",
        html=shown.html,
        text=shown.text,
        unsubscribe_url=None,
        is_test=True,
    )
    with CHANNELS[template.channel].open(now=now) as line:
        result = line.hand_over(letter)
    if result.how is not HandedOver.ACCEPTED:
        raise TestNotSent(reason=result.code, detail=result.detail)
    with transaction.atomic():
        record(
            verb="messaging.send_test",
            by=by,
            now=now,
            subject=template,
            customer_id=customer_id,
            after={"language": shown.language},
        )
    return shown


def _as_row(item: Compiled | CompiledTemplate, template: Template) -> CompiledTemplate:
    if isinstance(item, CompiledTemplate):
        return item
    return CompiledTemplate(
        version_id=template.version_id or 0,
        language=item.language,
        subject=item.subject,
        html=item.html,
        text=item.text,
        url=item.url,
        placeholders=item.placeholders,
    )


def _rendered(chosen: rendering.ParsedTemplate, values: Mapping[str, Any], *, is_sample: bool) -> Preview:
    try:
        rendered = rendering.render(chosen, values)
    except FAILURES as error:
        raise CannotRender(message=plain(error)) from None
    return Preview(rendered.subject, str(rendered.html), rendered.text, chosen.language, is_sample, rendered.url)
