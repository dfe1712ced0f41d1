"""Log-ins, log-outs and refused log-ins in the audit; by account number, never by what was typed."""

from django.contrib.auth import get_user_model

from retention import clock
from retention.actors import Actor
from retention.audit.operations import record

VISITOR = Actor("visitor")


def logged_in(sender, request, user, **more) -> None:
    record(verb="console.log_in", by=Actor.staff(user), now=clock.now(), subject=user)


def logged_out(sender, request, user, **more) -> None:
    if user is not None:
        record(verb="console.log_out", by=Actor.staff(user), now=clock.now(), subject=user)


def log_in_failed(sender, credentials, request=None, **more) -> None:
    """Names the account if there is one; what a stranger typed may be a person's name or even a password."""
    username = credentials.get("username") or ""
    account = get_user_model().objects.filter(username=username).first() if "\x00" not in username else None
    record(verb="console.log_in_refused", by=VISITOR, now=clock.now(), subject=account)
