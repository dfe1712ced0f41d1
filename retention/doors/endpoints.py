"""What every HTTP endpoint is built from: a router whose routes state their scope, and cursor paging."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Generic, Literal, TypeVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Router as NinjaRouter
from ninja import Schema
from ninja.decorators import decorate_view
from ninja.parser import Parser
from ninja.signature import ViewSignature
from pydantic import Field

from retention import clock
from retention.actors import Actor
from retention.doors import problems
from retention.doors.idempotency import HEADER, REPLAYED, idempotency_key, once, request_hash
from retention.doors.keys import recognise
from retention.doors.pace import pace
from retention.doors.problems import ApiRefused, Problem
from retention.refusals import Refused

__all__ = ["REPLAYED", "Page", "Router", "actor", "idempotency_key", "page", "request_hash", "scopes"]

MAX_BODY = 2**20
_WRITES = ("POST", "PUT", "PATCH", "DELETE")
_ESCAPED_CONTROL = re.compile(rb"\\(?:u00(?:[01][0-9a-fA-F]|7[fF])|u[dD][89a-fA-F]|[bf])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_CONTROL_IN_QUERY = re.compile(r"%(?:[01][0-9a-fA-F]|7[fF])")

Item = TypeVar("Item")


class BadCursor(ApiRefused):
    code = "api.bad_cursor"
    sentence = _("This cursor is not one that we gave.")
    status = 422


class Page(Schema, Generic[Item]):
    """Some items, and where the next ones begin."""

    items: list[Item]
    next: str | None = Field(default=None, description="Send it back as `cursor`; absent on the last page.")


@dataclass(frozen=True)
class Route:
    """What the door checks before an endpoint runs.

    Attributes:
        scope: what the key must have, such as `incentives:redeem`.
        idempotent: True: the door keeps the answer under the Idempotency-Key; "own": the endpoint reads the key
            with `idempotency_key(request)` and keeps its own record; False: a read, or a repeatable calculation.
        accepts: content types of the body.
        max_body: in bytes.
        query: the names that its query string may hold.
    """

    scope: str
    idempotent: bool | Literal["own"]
    accepts: tuple[str, ...]
    max_body: int
    query: frozenset[str]


#: Every scope that some endpoint of the product asks for: those of the routers that are mounted there.
scopes: set[str] = set()


def actor(request: HttpRequest) -> Actor:
    """Who calls, for an operation's `by`."""
    return Actor.key(request.auth.name)


class Router(NinjaRouter):
    """A room's endpoints: `router = Router("Incentives")`, then `@router.post("incentives/", scope="…")`.

    The first parameter must be named `request`; `request.auth` is the ApiKey. Writes want `idempotent`
    to be said where it is not True. Everything that goes wrong leaves as a problem (see `problems`).
    """

    def __init__(self, tag: str) -> None:
        super().__init__(tags=[tag])
        self.scopes: set[str] = set()

    def get(self, path: str, *, scope: str, response: Any, **options) -> Callable:
        return self._route("GET", path, scope=scope, response=response, idempotent=False, **options)

    def post(self, path: str, *, scope: str, response: Any, idempotent: bool | Literal["own"] = True, **options):
        return self._route("POST", path, scope=scope, response=response, idempotent=idempotent, **options)

    def put(self, path: str, *, scope: str, response: Any, idempotent: bool | Literal["own"] = True, **options):
        return self._route("PUT", path, scope=scope, response=response, idempotent=idempotent, **options)

    def patch(self, path: str, *, scope: str, response: Any, idempotent: bool | Literal["own"] = True, **options):
        return self._route("PATCH", path, scope=scope, response=response, idempotent=idempotent, **options)

    def delete(self, path: str, *, scope: str, response: Any, idempotent: bool | Literal["own"] = True, **options):
        return self._route("DELETE", path, scope=scope, response=response, idempotent=idempotent, **options)

    def _route(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        response: Any,
        idempotent: bool | Literal["own"],
        accepts: tuple[str, ...] = ("application/json",),
        max_body: int = MAX_BODY,
        openapi_extra: dict | None = None,
        **options: Any,
    ) -> Callable:
        self.scopes.add(scope)
        answers = response if isinstance(response, dict) else {200: response}

        def decorate(view: Callable) -> Callable:
            route = Route(scope, idempotent, accepts, max_body, _query_names(path, view))
            decorate_view(_guarded(route))(view)
            return self.api_operation(
                [method],
                path,
                auth=None,
                response={**answers, **dict.fromkeys(_refusals(method, route), Problem)},
                openapi_extra={**_described(route), **(openapi_extra or {})},
                operation_id=options.pop("operation_id", view.__name__),
                **options,
            )(view)

        return decorate


def page(
    queryset: QuerySet, cursor: str | None, limit: int, *, newest_first: bool = False, shape: Callable | None = None
) -> dict[str, Any]:
    """Up to `limit` rows after `cursor` by id, as `{"items": […], "next": …}`; `shape` turns a row into an item.

    Raises:
        BadCursor
    """
    limit = max(1, min(limit, 200))
    if cursor:
        queryset = queryset.filter(**{"pk__lt" if newest_first else "pk__gt": _read_cursor(cursor)})
    rows = list(queryset.order_by("-pk" if newest_first else "pk")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return {
        "items": [shape(row) for row in rows] if shape else rows,
        "next": _write_cursor(rows[-1].pk) if more else None,
    }


class StrictParser(Parser):
    """JSON as the standard has it, and without control characters, which PostgreSQL or a mail header would choke on.

    Raises:
        BadJson, ControlCharacters
    """

    def parse_body(self, request: HttpRequest) -> Any:
        body = request.body
        try:
            # Decoded here: `json` would take UTF-16 and UTF-32 too, in which the look for control characters is blind.
            data = json.loads(body.decode(), parse_constant=_no_constant)
        except RecursionError:
            raise problems.BadJson(why="it is nested too deeply") from None
        except ValueError as error:
            # The message names a place, never the content.
            why = str(error) if isinstance(error, json.JSONDecodeError) else "it cannot be read"
            raise problems.BadJson(why=why) from None
        # JSON has control characters only as escapes; the values are looked at only where the bytes hold one.
        if b"\\" in body and _ESCAPED_CONTROL.search(body) and _has_control(data):
            raise problems.ControlCharacters()
        return data


def _guarded(route: Route) -> Callable:
    def decorate(run: Callable) -> Callable:
        @wraps(run)
        def guarded(request: HttpRequest, **path: Any) -> HttpResponse:
            try:
                now = clock.now()
                key = recognise(request.META.get("HTTP_AUTHORIZATION", ""), now)
                if key is None:
                    raise problems.NotAuthenticated()
                request.auth = key
                pace.spend(str(key.pk), settings.API_REQUESTS_A_MINUTE, now.timestamp())
                if route.scope not in key.scopes:
                    raise problems.ScopeMissing(scope=route.scope)
                _check_shape(request, route)
                if route.idempotent is True:
                    return once(request, lambda: run(request, **path))
                return run(request, **path)
            except Refused as refused:
                return problems.refusal(request, refused)
            except Exception as error:
                # What the endpoint raises is answered inside `run`; this is the door itself, or a lost database.
                return problems.unexpected(request, error)

        return guarded

    return decorate


def _check_shape(request: HttpRequest, route: Route) -> None:
    meta = request.META
    if _CONTROL.search(request.path_info) or _CONTROL_IN_QUERY.search(meta.get("QUERY_STRING", "")):
        raise problems.ControlCharacters()
    if meta.get("QUERY_STRING") and (unknown := [name for name in request.GET if name not in route.query]):
        # Of a query that is wrong from end to end, the beginning.
        told = ", ".join(name[:60] for name in unknown[:5])
        raise problems.UnknownParameters(unknown=told, known=", ".join(sorted(route.query)) or "—")
    length = meta.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > route.max_body:
        raise problems.TooLarge(limit=route.max_body)
    if length != "0" and request.method in _WRITES and request.content_type not in route.accepts:
        raise problems.UnsupportedMediaType(accepted=", ".join(route.accepts))
    if meta.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise problems.UnsupportedEncoding()


def _query_names(path: str, view: Callable) -> frozenset[str]:
    return frozenset(
        name
        for model in ViewSignature(path, view).models
        if model.__ninja_param_source__ == "query"
        for name in model.__ninja_flatten_map__
    )


def _refusals(method: str, route: Route) -> list[int]:
    """The statuses of the answers that the door may give on this route, for the OpenAPI document."""
    found = [400, 401, 403, 404, 422, 429, 500]
    return sorted([*found, 409, 413, 415] if method in _WRITES else found)


def _described(route: Route) -> dict[str, Any]:
    extra: dict[str, Any] = {"security": [{"ApiKey": []}], "x-scope": route.scope}
    if route.idempotent:
        extra["parameters"] = [
            {
                "in": "header",
                "name": HEADER,
                "required": True,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
                "description": "A new one for each new request; the same one gives the same answer again.",
            }
        ]
    return extra


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _has_control(data: Any) -> bool:
    if isinstance(data, str):
        return bool(_CONTROL.search(data))
    if isinstance(data, dict):
        return any(_has_control(key) or _has_control(value) for key, value in data.items())
    return isinstance(data, list) and any(map(_has_control, data))


def _write_cursor(pk: int) -> str:
    return base64.urlsafe_b64encode(str(pk).encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> int:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        number = int(text) if text.isdigit() else -1
    except ValueError:
        number = -1
    if not 0 <= number < 2**63:
        raise BadCursor()
    return number
