"""What messaging does: write templates, show them, queue messages, send them, call them off."""

from retention.messaging.operations.leaving import set_preferences, unsubscribe
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
    "Message",
    "Preview",
    "Queued",
    "archive_template",
    "cancel",
    "create_template",
    "ensure_ready_template",
    "ensure_ready_templates",
    "preview",
    "preview_delivery",
    "preview_due",
    "queue",
    "save_template",
    "send_due",
    "send_test",
    "set_preferences",
    "settle_unknown",
    "unsubscribe",
]
