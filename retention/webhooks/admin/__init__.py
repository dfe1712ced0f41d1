"""The room's pages in the console."""

from retention.webhooks.admin.endpoints import EndpointAdmin
from retention.webhooks.admin.notices import NoticeAdmin

__all__ = ["EndpointAdmin", "NoticeAdmin"]
