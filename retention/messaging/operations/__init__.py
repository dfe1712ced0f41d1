"""What messaging does: write templates, queue messages, send them."""

from retention.messaging.operations.queueing import Message, Queued, queue
from retention.messaging.operations.templates import (
    archive_template,
    create_template,
    ensure_ready_template,
    ensure_ready_templates,
    save_template,
)

__all__ = [
    "Message",
    "Queued",
    "archive_template",
    "create_template",
    "ensure_ready_template",
    "ensure_ready_templates",
    "queue",
    "save_template",
]
