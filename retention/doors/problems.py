"""Every "no" of the HTTP API as `application/problem+json` (RFC 9457), with a stable code."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.exceptions import (
    ValidationError as FieldsRefused,
)
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from pydantic import Field

from retention.refusals import Refused

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
#: Errors of one answer: a small body can have a hundred thousand, and nobody reads them.
MOST_ERRORS = 100


class ProblemError(Schema):
    """One thing that is wrong with the request."""

    pointer: str = Field(description="JSON pointer into the body, or the name of the parameter.")
    code: str
    message: str


class Problem(Schema):
    """What every answer of 400 and above looks like."""

    type: str = Field(description="`urn:retention:problem:` and the code.")
    title: str
    status: int
    code: str = Field(description="Stable; branch on this.")
    params: dict[str, Any] = Field(default_factory=dict, description="What the sentence in `detail` is made with.")
    detail: str = Field(description="A sentence for people, in the language of Accept-Language.")
    errors: list[ProblemError] | None = Field(default=None, description="With 422: everything that is wrong.")


class ApiRefused(Refused):
    """A refusal by the door itself, before any operation was asked."""

    code = "api.refused"
    status = 400
    headers: Mapping[str, str] = {}


class BadJson(ApiRefused):
    code = "api.bad_json"
    sentence = _("The body is not valid JSON: %(why)s.")


class ControlCharacters(ApiRefused):
    code = "api.control_characters"
    sentence = _("The request holds control characters or broken Unicode.")


class UnknownParameters(ApiRefused):
    code = "api.unknown_parameters"
    sentence = _("This address does not know the parameter %(unknown)s. It knows: %(known)s.")
    status = 422


class NotAuthenticated(ApiRefused):
    code = "api.not_authenticated"
    sentence = _("Send a valid key: Authorization: Bearer rk_….")
    status = 401
    headers = {"WWW-Authenticate": 'Bearer realm="api"'}


class ScopeMissing(ApiRefused):
    code = "api.scope_missing"
    sentence = _("This key lacks the scope %(scope)s.")
    status = 403


class NotFound(ApiRefused):
    code = "api.not_found"
    sentence = _("There is nothing at this address.")
    status = 404


class MethodNotAllowed(ApiRefused):
    code = "api.method_not_allowed"
    sentence = _("This address does not answer %(method)s.")
    status = 405


class TooLarge(ApiRefused):
    code = "api.too_large"
    sentence = _("The body is larger than %(limit)s bytes.")
    status = 413


class UnsupportedMediaType(ApiRefused):
    code = "api.unsupported_media_type"
    sentence = _("Send the body as %(accepted)s.")
    status = 415


class UnsupportedEncoding(ApiRefused):
    code = "api.unsupported_encoding"
    sentence = _("Send the body as it is, without a Content-Encoding.")
    status = 415


class TooManyRequests(ApiRefused):
    code = "api.too_many_requests"
    sentence = _("More than %(limit)s requests within a minute. Try again in %(seconds)s seconds.")
    status = 429


def problem(
    *, status: int, code: str, detail: str, params: Mapping[str, Any] | None = None, errors: Sequence | None = None
) -> HttpResponse:
    """The answer itself."""
    body: dict[str, Any] = {
        "type": f"urn:retention:problem:{code}",
        "title": code.rpartition(".")[2].replace("_", " ").capitalize(),
        "status": status,
        "code": code,
        "params": params or {},
        "detail": detail,
    }
    if errors is not None:
        body["errors"] = errors
    return HttpResponse(json.dumps(body, cls=DjangoJSONEncoder), status=status, content_type=CONTENT_TYPE)


def refusal(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Any operation's refusal, or the door's own."""
    params = {name: _plain(value) for name, value in refused.params.items()}
    response = problem(status=refused.status, code=refused.code, detail=str(refused), params=params)
    for name, value in getattr(refused, "headers", {}).items():
        response[name] = value
    return response


def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """What the schemas found, all of it at once; of a body that is wrong from end to end, the beginning."""
    errors = [
        {"pointer": _pointer(found["loc"]), "code": found["type"], "message": found["msg"]}
        for found in error.errors[:MOST_ERRORS]
    ]
    return _unprocessable(errors)


def fields_refused(request: HttpRequest, error: FieldsRefused) -> HttpResponse:
    """A Django ValidationError out of an operation's form or model."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    errors = [
        {"pointer": f"/{field}" if field else "", "code": one.code or "invalid", "message": " ".join(one.messages)}
        for field, found in by_field.items()
        for one in found
    ]
    return _unprocessable(errors)


def _unprocessable(errors: list[dict[str, str]]) -> HttpResponse:
    detail = "; ".join(f"{e['pointer'] or 'request'}: {e['message']}" for e in errors[:3])
    return problem(status=422, code="api.invalid", detail=detail, errors=errors)


def _by_ninja(request: HttpRequest, error: HttpError) -> HttpResponse:
    # Ninja wraps whatever the parser of the body raises; ours knows better what was wrong.
    if isinstance(error.__cause__, Refused):
        return refusal(request, error.__cause__)
    return problem(status=error.status_code, code="api.refused", detail=str(error))


def _out_of_range(request: HttpRequest, error: DataError) -> HttpResponse:
    # The database refused a value that no schema bounded; its message may quote the value, so it is not repeated.
    logger.warning("the database refused a value at %s", request.resolver_match and request.resolver_match.route)
    return _unprocessable([{"pointer": "", "code": "out_of_range", "message": "A value is out of range."}])


def unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    """What nobody foresaw: logged with its trace, told without it."""
    logger.exception("unexpected error at %s", request.resolver_match and request.resolver_match.route)
    detail = "Something went wrong on our side; it has been logged. Nothing was changed; try again."
    return problem(status=500, code="api.unexpected", detail=detail)


def install(api: NinjaAPI) -> None:
    """Make every exception that leaves an endpoint a problem."""
    api.add_exception_handler(Refused, refusal)
    api.add_exception_handler(ValidationError, invalid)
    api.add_exception_handler(FieldsRefused, fields_refused)
    api.add_exception_handler(Http404, lambda request, error: refusal(request, NotFound()))
    api.add_exception_handler(PermissionDenied, lambda request, error: refusal(request, ScopeMissing(scope="")))
    api.add_exception_handler(RequestDataTooBig, lambda request, error: refusal(request, TooLarge(limit="10485760")))
    api.add_exception_handler(
        SuspiciousOperation, lambda request, error: refusal(request, BadJson(why="it was refused"))
    )
    api.add_exception_handler(HttpError, _by_ninja)
    api.add_exception_handler(DataError, _out_of_range)
    api.add_exception_handler(Exception, unexpected)


def _pointer(loc: Sequence) -> str:
    """`("body", "lines", 0, "sku")` → `/lines/0/sku`; `("query", "limit")` → `limit`."""
    source, *path = loc
    if source != "body":
        return ".".join(str(part) for part in path)
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def _plain(value: Any) -> Any:
    """A parameter as JSON has it; lazy texts become text."""
    return value if value is None or isinstance(value, bool | int | float | list | dict) else str(value)
