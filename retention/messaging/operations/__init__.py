"""What messaging does: write templates, show them, queue messages, send them, call them off."""

from retention.messaging.operations.confirming import (
    Asked,
    asked_by,
    confirm,
    count_confirmations,
    queue_confirmations,
)
from retention.messaging.operations.leaving import set_preferences, stop_everything, unsubscribe
from retention.messaging.operations.policies import save_messaging_policy
from retention.messaging.operations.previews import Preview, preview, preview_delivery, preview_due, send_test
from retention.messaging.operations.queueing import Message, Queued, queue
from retention.messaging.operations.sending import send_due
from retention.messaging.operations.stopping import cancel, settle_unknown
from retention.messaging.operations.templates import (
    archive_template,
    create_template,
    ensure_ready_template,
    ensure_ready_templates,
    save_template,
)

__all__ = [
    "Asked",
    "Message",
    "Preview",
    "Queued",
    "archive_template",
    "asked_by",
    "cancel",
    "confirm",
    "count_confirmations",
    "create_template",
    "ensure_ready_template",
    "ensure_ready_templates",
    "preview",
    "preview_delivery",
    "preview_due",
    "queue",
    "queue_confirmations",
    "save_messaging_policy",
    "save_template",
    "send_due",
    "send_test",
    "set_preferences",
    "settle_unknown",
    "stop_everything",
    "unsubscribe",
]
