"""Schemathesis against the real application: whatever fits or breaks the document, the answer is one it promises.

`FUZZ_EXAMPLES=100 make test ARGS=tests/api/test_fuzz.py` asks more of each operation than there is time for every day.
"""

import os

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from retention.actors import Actor
from retention.api.mount import api
from retention.doors.endpoints import scopes
from retention.doors.keys import create_key
from retention.shop.models import Shop
from retention.wsgi import application

pytestmark = pytest.mark.django_db
DOCUMENT = api.get_openapi_schema(path_prefix="/api/v1/")
OPERATIONS = [(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods]
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
CONFORMANCE = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def refused(ctx, response, case):
    """As the library judges it, but 413 is a refusal too."""
    if response.status_code == 413:
        return None
    return negative_data_rejection(ctx, response, case)


@pytest.fixture(scope="module")
def schema():
    loaded = schemathesis.openapi.from_dict(DOCUMENT)
    loaded.app = application
    return loaded


@pytest.fixture
def shop(db):
    return Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR", languages=["en", "ko"])


@pytest.fixture(autouse=True)
def one_connection(shop):
    """The application runs in this test's own transaction: no request may close the connection at its end."""
    both = (request_started, request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield
    for signal in both:
        signal.connect(close_old_connections)


@pytest.fixture
def secret(now):
    return create_key(name="fuzz", scopes=scopes, known=scopes, now=now, by=Actor.command("test")).secret


def fuzz(operation, secret, mode, checks):
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def answers(case):
        with transaction.atomic():
            headers = {"Authorization": f"Bearer {secret}", "Accept-Encoding": "identity"}
            response = case.call(headers=headers, base_url="http://localhost")
            transaction.set_rollback(True)
        case.validate_response(response, checks=checks)

    answers()


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[" ".join(names) for names in OPERATIONS])
class TestFuzz:
    def test_what_fits_gets_an_answer_that_the_document_promises(self, schema, secret, method, path):
        fuzz(schema[path][method], secret, GenerationMode.POSITIVE, CONFORMANCE)

    def test_what_does_not_fit_is_refused(self, schema, secret, method, path):
        checks = [*CONFORMANCE, refused]
        fuzz(schema[path][method], secret, GenerationMode.NEGATIVE, checks)
