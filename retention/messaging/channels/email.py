"""Mail through whatever Django is set to send with; SMTP takes the fast way over one kept connection."""

from __future__ import annotations

from retention.messaging.channels.base import CHANNELS, Channel


@CHANNELS.register
class Email(Channel):
    key = "email"
