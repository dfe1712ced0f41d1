"""Everything that changes something in webhooks: one verb a function."""

from retention.webhooks.operations.delivering import count_due, deliver
from retention.webhooks.operations.following import DELIVER, FOLLOW, count_to_follow, follow
from retention.webhooks.operations.life import (
    EndpointIsOff,
    EndpointIsOn,
    NoSuchEndpoint,
    UnknownKinds,
    UnsafeAddress,
    archive_endpoint,
    create_endpoint,
    endpoint_of,
    record_reveal,
    rotate_secret,
    save_endpoint,
    send_test,
    switch_off,
    switch_on,
)
from retention.webhooks.operations.replaying import (
    NoSuchNotice,
    NoticeWaits,
    ended_before,
    forget_notices,
    given_up,
    replay,
    replay_given_up,
)

__all__ = [
    "DELIVER",
    "FOLLOW",
    "EndpointIsOff",
    "EndpointIsOn",
    "NoSuchEndpoint",
    "NoSuchNotice",
    "NoticeWaits",
    "UnknownKinds",
    "UnsafeAddress",
    "archive_endpoint",
    "count_due",
    "count_to_follow",
    "create_endpoint",
    "deliver",
    "ended_before",
    "endpoint_of",
    "follow",
    "forget_notices",
    "given_up",
    "record_reveal",
    "replay",
    "replay_given_up",
    "rotate_secret",
    "save_endpoint",
    "send_test",
    "switch_off",
    "switch_on",
]
