"""The room's HTTP endpoints: templates to read, write and preview; deliveries to read."""

import uuid
from typing import Literal

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from ninja import Query, Status

from retention import clock
from retention.customers.querysets import known_as
from retention.doors.endpoints import Page, Router, actor, page
from retention.messaging import operations, schemas
from retention.messaging.models import Delivery, MessagingPolicy, Template
from retention.refusals import Refused

router = Router("Messages")
READ, WRITE = "messages:read", "messages:write"


class NoSuchTemplate(Refused):
    code = "messaging.no_such_template"
    sentence = _("There is no such template.")
    status = 404


class NoSuchDelivery(Refused):
    code = "messaging.no_such_delivery"
    sentence = _("There is no such delivery.")
    status = 404


def _template(public_id: uuid.UUID) -> Template:
    found = Template.objects.select_related("version").filter(public_id=public_id).first()
    if found is None:
        raise NoSuchTemplate
    return found


@router.get("templates/", scope=READ, response=Page[schemas.TemplateOut])
def list_templates(
    request: HttpRequest, cursor: str | None = None, limit: int = Query(50, ge=1, le=200), archived: bool = False
):
    """Templates in the order in which they were made; archived ones only when asked for."""
    found = Template.objects.select_related("version").filter(archived_at__isnull=not archived)
    return page(found, cursor, limit, shape=schemas.template_out)


@router.get("templates/{uuid:id}/", scope=READ, response=schemas.TemplateWhole)
def get_template(request: HttpRequest, id: uuid.UUID):
    """A template with its words."""
    return schemas.template_whole(_template(id))


@router.post("templates/", scope=WRITE, response={201: schemas.TemplateWhole})
def create_template(request: HttpRequest, body: schemas.TemplateIn):
    """Every mistake in the words is refused at once; `params.faults` names language, part, line and column of each."""
    made = operations.create_template(
        name=body.name,
        category=body.category,
        channel=body.channel,
        topic=body.topic,
        words={language: words.dict() for language, words in body.words.items()},
        now=clock.now(),
        by=actor(request),
    )
    return Status(201, schemas.template_whole(made))


@router.patch("templates/{uuid:id}/", scope=WRITE, response=schemas.TemplateWhole)
def change_template(request: HttpRequest, id: uuid.UUID, body: schemas.TemplatePatch):
    """Saves the next version. Messages that are queued keep the words they were queued with."""
    template = _template(id)
    words = template.version.data["words"] if template.version else {}
    if body.words is not None:
        words = {language: parts.dict() for language, parts in body.words.items()}
    saved = operations.save_template(
        template_id=template.pk,
        name=template.name if body.name is None else body.name,
        category=template.category if body.category is None else body.category,
        topic=template.topic if body.topic is None else body.topic,
        words=words,
        edited=body.edited,
        why=body.why,
        now=clock.now(),
        by=actor(request),
    )
    return schemas.template_whole(saved)


@router.post("templates/{uuid:id}/archive/", scope=WRITE, response=schemas.TemplateOut)
def archive_template(request: HttpRequest, id: uuid.UUID):
    """It is offered no more; what is queued still leaves. Said again, the first time stays."""
    operations.archive_template(template_id=_template(id).pk, now=clock.now(), by=actor(request))
    return schemas.template_out(_template(id))


@router.post("templates/{uuid:id}/preview/", scope=READ, response=schemas.MessagePreviewOut, idempotent=False)
def preview_template(request: HttpRequest, id: uuid.UUID, body: schemas.MessagePreviewIn):
    """The saved template as this customer would get it, or with samples. Writes nothing."""
    template = _template(id)
    return operations.preview(
        template_id=template.pk,
        customer_id=known_as(body.customer).pk if body.customer else None,
        language=body.language or "",
        now=clock.now(),
    )


@router.get("inbox/", scope=READ, response=Page[schemas.InboxMessageOut])
def list_inbox(
    request: HttpRequest,
    customer: uuid.UUID,
    unread: bool = False,
    cursor: str | None = None,
    limit: int = Query(50, ge=1, le=200),
):
    """One customer's inbox, the newest message first; only what she has not read where asked."""
    found = known_as(customer).inbox.all()
    if unread:
        found = found.filter(read_at=None)
    return page(found, cursor, limit, newest_first=True, shape=schemas.inbox_out)


@router.post("inbox/{uuid:id}/read/", scope=WRITE, response=schemas.InboxMessageOut)
def read_inbox_message(request: HttpRequest, id: uuid.UUID):
    """She has read it. Said again, the first time stays."""
    return schemas.inbox_out(operations.read_message(public_id=id, now=clock.now()))


@router.post("customers/{uuid:id}/devices/", scope=WRITE, response=schemas.DeviceOut)
def subscribe_device(request: HttpRequest, id: uuid.UUID, body: schemas.DeviceIn):
    """A browser of hers takes push notices. Her consent to them is recorded as any other, by `consents/`."""
    operations.subscribe_device(
        customer=known_as(id),
        endpoint=body.endpoint,
        p256dh=body.p256dh,
        auth=body.auth,
        now=clock.now(),
    )
    return {"is_subscribed": True}


@router.post("devices/gone/", scope=WRITE, response=schemas.DeviceOut)
def unsubscribe_device(request: HttpRequest, body: schemas.DeviceGone):
    """This browser takes no more notices."""
    operations.unsubscribe_device(endpoint=body.endpoint, now=clock.now())
    return {"is_subscribed": False}


@router.get("messaging-policy/", scope=READ, response=schemas.MessagingPolicyOut)
def get_messaging_policy(request: HttpRequest):
    """What may be sent when, and how often. `version` is null as long as nobody said anything."""
    return schemas.policy_out(MessagingPolicy.objects.select_related("version").first())


@router.put("messaging-policy/", scope=WRITE, response=schemas.MessagingPolicyOut)
def put_messaging_policy(request: HttpRequest, body: schemas.MessagingPolicyIn):
    """Save the whole policy; what leaves from now on obeys it."""
    saved = operations.save_messaging_policy(
        policy=body.policy, edited=body.edited, why=body.why, now=clock.now(), by=actor(request)
    )
    return schemas.policy_out(saved)


@router.get("deliveries/", scope=READ, response=Page[schemas.DeliveryOut])
def list_deliveries(
    request: HttpRequest,
    cursor: str | None = None,
    limit: int = Query(50, ge=1, le=200),
    customer: uuid.UUID | None = None,
    state: Literal[
        "queued", "held", "claimed", "sending", "sent", "withheld", "bounced", "failed", "suppressed", "unknown"
    ]
    | None = None,
):
    """Messages, the newest first, of one customer or in one state where asked."""
    found = Delivery.objects.select_related("customer", "template")
    if customer is not None:
        found = found.filter(customer=known_as(customer))
    if state is not None:
        found = found.filter(state=state)
    return page(found, cursor, limit, newest_first=True, shape=schemas.delivery_out)


@router.get("deliveries/{uuid:id}/", scope=READ, response=schemas.DeliveryOut)
def get_delivery(request: HttpRequest, id: uuid.UUID):
    """One message and why it is where it is. Its words are not kept: they are filled anew when someone looks."""
    found = Delivery.objects.select_related("customer", "template").filter(public_id=id).first()
    if found is None:
        raise NoSuchDelivery
    return schemas.delivery_out(found)
