"""One effect and one answer per Idempotency-Key: the answer is saved in the transaction of the effect."""

import datetime as dt
import hashlib
import re
from collections.abc import Callable

from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from retention import clock
from retention.doors.models import IdempotentAnswer
from retention.doors.problems import ApiRefused

HEADER = "Idempotency-Key"
# Read where WSGI keeps it: `request.headers` would first make a mapping of all headers.
_META = "HTTP_IDEMPOTENCY_KEY"
REPLAYED = "Idempotency-Replayed"
#: A repetition within this time gets the answer that was given.
KEPT_FOR = dt.timedelta(days=7)
_SHAPE = re.compile(r"[\x21-\x7e]{1,255}")


class KeyMissing(ApiRefused):
    code = "api.idempotency_key_missing"
    sentence = _("Send an Idempotency-Key header: 1 to 255 visible ASCII symbols, a new one for each new request.")


class KeyReused(ApiRefused):
    code = "api.idempotency_key_reused"
    sentence = _("This Idempotency-Key came before with another request.")
    status = 422


class InFlight(ApiRefused):
    code = "api.in_flight"
    sentence = _("A request with this Idempotency-Key is being answered at this moment. Try again soon.")
    status = 409
    headers = {"Retry-After": "1"}


def idempotency_key(request: HttpRequest) -> str:
    """The header of a write.

    Raises:
        KeyMissing: it is absent or has another shape.
    """
    key = request.META.get(_META, "")
    if not _SHAPE.fullmatch(key):
        raise KeyMissing()
    return key


def request_hash(request: HttpRequest) -> bytes:
    """SHA-256 of method, path with query, and body: what makes a repeated request the same one."""
    head = f"{request.method} {request.path}?{request.META.get('QUERY_STRING', '')}\n".encode()
    return hashlib.sha256(head + request.body).digest()


def once(request: HttpRequest, run: Callable[[], HttpResponse]) -> HttpResponse:
    """Run a write under its key, or give the answer that was given before.

    Only answers below 400 are kept: a refusal left no effect, so its repetition is judged anew.

    Raises:
        KeyMissing, KeyReused, InFlight
    """
    key, digest = idempotency_key(request), request_hash(request)
    with transaction.atomic():
        # Held to the end of the transaction: a second request under this key does not wait, it is told.
        if not _locked(f"{request.auth.pk}:{key}"):
            raise InFlight()
        answer = IdempotentAnswer.objects.filter(api_key_id=request.auth.pk, key=key).first()
        if answer is not None:
            if bytes(answer.request_hash) != digest:
                raise KeyReused()
            return _again(answer)
        response = run()
        if response.status_code >= 400:
            transaction.set_rollback(True)
        else:
            IdempotentAnswer.objects.create(
                api_key_id=request.auth.pk,
                key=key,
                request_hash=digest,
                status=response.status_code,
                # As a JSON string, so that the same bytes come back: jsonb would sort a mapping's keys.
                body=response.content.decode(),
                at=clock.now(),
            )
    return response


def old_answers(now: dt.datetime) -> QuerySet[IdempotentAnswer]:
    """Answers that are kept no longer."""
    return IdempotentAnswer.objects.filter(at__lt=now - KEPT_FOR)


def forget_answers(*, now: dt.datetime, progress: Callable[[int, int], None], chunk: int = 5_000) -> int:
    """Delete old answers, a chunk in a transaction; returns how many."""
    gone = 0
    while ids := list(old_answers(now).order_by("at").values_list("pk", flat=True)[:chunk]):
        gone += IdempotentAnswer.objects.filter(pk__in=ids).delete()[0]
        progress(gone, gone)
    return gone


def _again(answer: IdempotentAnswer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status, content_type="application/json; charset=utf-8")
    response[REPLAYED] = "true"
    return response


def _locked(name: str) -> bool:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return cursor.fetchone()[0]
