"""The OpenAPI document and its page: current, complete, and from this server alone."""

import json
import typing
from collections import defaultdict

import pytest
from django.core.management import CommandError, call_command
from pydantic import BaseModel

from retention.api.management.commands.export_openapi import PATH
from retention.api.mount import api
from retention.doors.models import ApiKey


def test_the_document_in_the_docs_is_current():
    call_command("export_openapi", check=True)


def test_a_document_that_is_not_current_is_told(monkeypatch, tmp_path):
    old = tmp_path / "openapi.json"
    monkeypatch.setattr("retention.api.management.commands.export_openapi.PATH", old)
    with pytest.raises(CommandError, match="manage.py export_openapi"):
        call_command("export_openapi", check=True)
    old.write_text("{}")
    with pytest.raises(CommandError):
        call_command("export_openapi", check=True)


def classes_within(annotation):
    """The classes with fields that a type names, at whatever depth."""
    found, waiting = set(), [annotation]
    while waiting:
        one = waiting.pop()
        waiting += typing.get_args(one)
        if isinstance(one, type) and issubclass(one, BaseModel) and one not in found:
            found.add(one)
            waiting += [field.annotation for field in one.model_fields.values()]
    return found


def test_no_two_classes_of_the_document_share_a_name():
    """The document knows them by name alone: of two with one name it would describe only the last."""
    places = defaultdict(set)
    for _prefix, router in api._routers:
        for view in router.path_operations.values():
            for operation in view.operations:
                for model in [*operation.models, *filter(None, operation.response_models.values())]:
                    for cls in classes_within(model):
                        if not cls.__module__.startswith("ninja"):
                            places[cls.__name__].add(cls.__module__)
    assert len(places) > 100
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


def test_operation_ids_are_unique():
    ids = [o["operationId"] for methods in api.get_openapi_schema()["paths"].values() for o in methods.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.django_db
def test_it_is_served_with_a_page_that_asks_nobody_else(client):
    document = client.get("/api/v1/openapi.json")
    assert document.json() == json.loads(json.dumps(api.get_openapi_schema(path_prefix="api/v1/")))
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert b"cdn" not in page.content
    assert b"//" not in page.content.replace(b"</", b"").replace(b"https://www.w3.org", b"").split(b"<body")[0]
    assert "unsafe-eval" not in page["Content-Security-Policy"]


@pytest.mark.django_db
class TestCreateApiKey:
    def test_it_prints_the_key_once(self, capsys, now):
        scope = sorted(_scopes())[0]
        call_command("create_api_key", "shop", scopes=[scope])
        secret = capsys.readouterr().out.strip()
        row = ApiKey.objects.get()
        assert secret.startswith(row.prefix)
        assert row.scopes == [scope]

    def test_it_says_what_is_wrong(self):
        with pytest.raises(CommandError, match="No endpoint asks for nonsense:all"):
            call_command("create_api_key", "shop", scopes=["nonsense:all"])
        assert not ApiKey.objects.exists()

    def test_several_with_commas_or_spaces(self, capsys):
        one, two, three = sorted(_scopes())[:3]
        call_command("create_api_key", "shop", scopes=[f"{one},{two}", three])
        assert sorted(ApiKey.objects.get().scopes) == [one, two, three]

    def test_all_scopes(self, capsys):
        call_command("create_api_key", "shop", scopes=["all"])
        assert set(ApiKey.objects.get().scopes) == _scopes()


def _scopes():
    return {o["x-scope"] for methods in api.get_openapi_schema()["paths"].values() for o in methods.values()}


def test_the_file_is_where_the_docs_are():
    assert PATH.parts[-2:] == ("docs", "openapi.json")
