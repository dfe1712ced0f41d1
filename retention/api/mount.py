"""The HTTP API: every app's routers, found by file name, under /api/v1/, and its OpenAPI document."""

from collections.abc import Callable, Iterator
from functools import wraps
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from django.apps import apps
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver
from django.urls.resolvers import RoutePattern
from ninja import NinjaAPI
from ninja.errors import ValidationError, ValidationErrorContext
from ninja.openapi.docs import Swagger

from retention.doors import problems
from retention.doors.endpoints import Router, StrictParser, scopes
from retention.webhooks import catalogue

VERSION = "1"
_AT_CHECKOUT = ("redemptions/", "validations/", "qualifications/")
_INTRODUCTION = """\
Send `Authorization: Bearer rk_…` with every request; keys are made in the console or by `manage.py create_api_key`.

* **Writes** carry an `Idempotency-Key`. The same key with the same request gives the same answer again, marked
  `Idempotency-Replayed: true`; with another request it is refused (422). Answers are kept for at least a week.
* **Errors** are `application/problem+json` with a stable `code`; `errors` lists everything that is wrong (422).
* **Lists** are pages: send `next` back as `cursor` until it is absent.
* **Money** is in minor units (`…_minor`) with an ISO 4217 currency; instants are RFC 3339 in UTC.
* Under a key **for strangers** (a storefront's) a code that does not work is always `incentives.code_not_valid`; tell
  whose try it is by `customer` and by the header `Shopper-Address`, so that a guesser is stopped (429) and nobody else.
* **Webhooks** tell another program what happens, signed; `webhooks/events/` lists of what.
* A revoked key stops within two seconds. Past the limit of requests a minute, the answer is 429 with `Retry-After`.
"""


class Api(NinjaAPI):
    """Ninja's API with our way to say no, and a document that tells it."""

    def get_openapi_schema(self, **options: Any) -> dict[str, Any]:
        document = super().get_openapi_schema(**options)
        document["webhooks"] = catalogue.described()
        document.setdefault("components", {})["securitySchemes"] = {"ApiKey": {"type": "http", "scheme": "bearer"}}
        for operations in document["paths"].values():
            for operation in operations.values():
                scope = operation.pop("x-scope", "")
                text = f"Scope: `{scope}`."
                operation["description"] = "\n\n".join(filter(None, (operation.get("description"), text)))
                operation["x-scope"] = scope
                for status, answer in operation["responses"].items():
                    if int(status) >= 400 and "application/json" in answer.get("content", {}):
                        answer["content"][problems.CONTENT_TYPE] = answer["content"].pop("application/json")
        return document

    def validation_error_from_error_contexts(self, error_contexts: list[ValidationErrorContext]) -> ValidationError:
        """Ninja's errors, placed in the body that was sent: the name of the view's parameter is not in it."""
        errors = []
        for context in error_contexts:
            found = super().validation_error_from_error_contexts([context]).errors
            if getattr(context.model, "__read_from_single_attr__", None):
                found = [{**error, "loc": (error["loc"][0], *error["loc"][2:])} for error in found]
            errors += found
        return ValidationError(errors)

    def _get_urls(self) -> list[URLPattern | URLResolver]:  # type: ignore[override]
        patterns = super()._get_urls()
        for pattern in patterns:
            pattern.callback = _without_html(pattern.callback)
        # They are tried in turn. Fixed addresses come first, so that a variable part cannot take one of them, and of
        # those the ones that a checkout waits for.
        patterns.sort(key=lambda one: (bool(one.pattern.converters), str(one.pattern) not in _AT_CHECKOUT))
        return _by_words(patterns)


def _by_words(patterns: list[URLPattern], depth: int = 2) -> list[URLPattern | URLResolver]:
    """The same addresses, those that begin with the same word as one: of some two hundred a request tries a few."""
    groups: dict[str, list[URLPattern]] = {}
    for pattern in patterns:
        groups.setdefault("".join(str(pattern.pattern).partition("/")[:2]), []).append(pattern)
    found: list[URLPattern | URLResolver] = []
    for start, some in groups.items():
        if len(some) == 1 or not depth or not start or "<" in start:
            found += some
            continue
        below = [
            URLPattern(
                RoutePattern(str(one.pattern)[len(start) :], one.name, is_endpoint=True), one.callback, None, one.name
            )
            for one in some
        ]
        found.append(URLResolver(RoutePattern(start), _by_words(below, depth - 1)))
    return found


def _without_html(view: Callable) -> Callable:
    """A method that no endpoint has, and the bare root, are answered as problems too."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return nowhere(request)
        if response.status_code != 405:
            return response
        refused = problems.refusal(request, problems.MethodNotAllowed(method=request.method))
        refused["Allow"] = response["Allow"]
        return refused

    return answer


def nowhere(request: HttpRequest, path: str = "") -> HttpResponse:
    """Whatever else is asked under /api/."""
    return problems.refusal(request, problems.NotFound())


nowhere.csrf_exempt = True


def _routers() -> Iterator[Router]:
    """Of `endpoints.py`, and of `endpoints_….py` beside it where a room has several."""
    for app in apps.get_app_configs():
        for module in iter_modules([app.path]):
            if module.name.split("_")[0] == "endpoints":
                router = getattr(import_module(f"{app.name}.{module.name}"), "router", None)
                if router is not None:
                    yield router


def build() -> Api:
    """The API with every room's routes; once a process."""
    api = Api(
        title="Retention",
        version=VERSION,
        description=_INTRODUCTION,
        parser=StrictParser(),
        docs=Swagger(settings={"persistAuthorization": False, "displayRequestDuration": True}),
        docs_url="/docs",
        openapi_url="/openapi.json",
        urls_namespace="api",
    )
    problems.install(api)
    for router in _routers():
        api.add_router("", router)
        scopes.update(router.scopes)
    return api


api = build()
