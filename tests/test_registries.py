"""The registries are strict."""

import pytest

from retention import registries
from retention.keyed import DuplicateKey, Registry, UnknownKey
from retention.registries import Condition


def a_condition(key):
    return type("AnyCondition", (Condition,), {"key": key})


def test_a_key_is_given_once():
    registry = Registry(Condition, "conditions")
    first = registry.register(a_condition("country"))
    with pytest.raises(DuplicateKey, match="country"):
        registry.register(a_condition("country"))
    assert registry["country"] is first


def test_an_unknown_key_is_an_error():
    with pytest.raises(UnknownKey, match="no condition 'moon_phase'"):
        Registry(Condition, "conditions")["moon_phase"]


@pytest.mark.parametrize("stranger", [object, type("NoKey", (Condition,), {}), "country"])
def test_strangers_are_refused(stranger):
    with pytest.raises(TypeError):
        Registry(Condition, "conditions").register(stranger)


def test_a_job_is_named_by_its_room():
    for job in registries.jobs:
        room = job.__module__.removeprefix("retention.").split(".")[0]
        assert job.key.startswith(f"{room}."), job
