"""What messaging does: write templates, show them, queue messages, send them, call them off."""

from retention.messaging.operations.braking import brake, lift_pause
from retention.messaging.operations.confirming import (
    Asked,
    asked_by,
    confirm,
    count_confirmations,
    queue_confirmations,
)
from retention.messaging.operations.hearing import count_heard, pass_on
from retention.messaging.operations.leaving import set_preferences, stop_everything, unsubscribe
from retention.messaging.operations.looks import archive_block, save_block, save_brand
from retention.messaging.operations.policies import save_messaging_policy
from retention.messaging.operations.previews import Preview, preview, preview_delivery, preview_due, send_test
from retention.messaging.operations.queueing import Message, Queued, queue
from retention.messaging.operations.reading import read_message, subscribe_device, unsubscribe_device
from retention.messaging.operations.sending import send_due
from retention.messaging.operations.stopping import cancel, settle_unknown
from retention.messaging.operations.templates import (
    archive_template,
    create_template,
    ensure_ready_template,
    ensure_ready_templates,
    save_template,
)
from retention.messaging.operations.texted import answer_text
from retention.messaging.operations.tracking import Told, record_click, record_open, record_told

__all__ = [
    "Asked",
    "Message",
    "Preview",
    "Queued",
    "Told",
    "answer_text",
    "archive_block",
    "archive_template",
    "asked_by",
    "brake",
    "cancel",
    "confirm",
    "count_confirmations",
    "count_heard",
    "create_template",
    "ensure_ready_template",
    "ensure_ready_templates",
    "lift_pause",
    "pass_on",
    "preview",
    "preview_delivery",
    "preview_due",
    "queue",
    "queue_confirmations",
    "read_message",
    "record_click",
    "record_open",
    "record_told",
    "save_block",
    "save_brand",
    "save_messaging_policy",
    "save_template",
    "send_due",
    "send_test",
    "set_preferences",
    "settle_unknown",
    "stop_everything",
    "subscribe_device",
    "unsubscribe",
    "unsubscribe_device",
]
