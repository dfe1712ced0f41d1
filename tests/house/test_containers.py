"""`compose.yaml` and `Dockerfile`, as far as reading can tell: whole, private, and of one mind with the code."""

import re
from pathlib import Path

import pytest
import yaml

from retention import registries
from retention.demoshop import stage

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("retention", "campaigns", "loyalty", "referrals")


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def dockerfile():
    return (ROOT / "Dockerfile").read_text()


def queues(command: list[str]) -> set[str]:
    for flag in ("-Q", "--queues"):
        if flag in command:
            return set(command[command.index(flag) + 1].split(","))
    return set()


def test_every_queue_has_its_workers_here_and_in_the_demo(compose):
    in_code = {job.queue for job in registries.jobs} | {"transactional", "bulk", "sweeps"}
    here = set().union(*(queues(service.get("command", [])) for service in compose["services"].values()))
    in_demo = set().union(*(queues(command) for command in stage.commands(host="127.0.0.1", port=1).values()))
    assert here == in_demo == in_code


def test_beat_runs_once(compose):
    beats = [service for service in compose["services"].values() if "beat" in service.get("command", [])]
    assert [service["deploy"]["replicas"] for service in beats] == [1]


def test_what_serves_waits_for_the_servers_and_the_migration(compose):
    for name, service in compose["services"].items():
        if name in ("db", "valkey", "migrate"):
            continue
        conditions = {needed: how["condition"] for needed, how in service["depends_on"].items()}
        assert conditions == {
            "db": "service_healthy", "valkey": "service_healthy", "migrate": "service_completed_successfully",
        }, name  # fmt: skip
    assert compose["services"]["migrate"]["restart"] == "no"


def test_whoever_can_fall_ill_is_looked_after(compose):
    unchecked = {name for name, service in compose["services"].items() if "healthcheck" not in service}
    # One runs once, the other is watched by the workers, who raise an alert when it is silent.
    assert unchecked == {"migrate", "beat"}


def test_data_lie_in_named_volumes_and_only_the_web_has_a_port(compose):
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"], name
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert list(ports) == ["web"]
    assert ports["web"][0].startswith("127.0.0.1:")


def test_the_broker_never_evicts_and_survives_a_restart(compose):
    command = compose["services"]["valkey"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert command[command.index("--appendonly") + 1] == "yes"


def test_no_password_stands_in_the_file(compose):
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name or name == "DATABASE_URL":
                assert "${POSTGRES_PASSWORD:?" in value


def test_the_image_is_pinned_and_serves_as_nobody_special(dockerfile):
    assert "--require-hashes" in dockerfile
    last_stage = dockerfile.split("\nFROM ")[-1]
    assert re.search(r"(?m)^USER (?!root)\w+", last_stage)
    assert "EMBEDDED_SERVERS=off" in last_stage


def test_the_image_holds_every_room(dockerfile):
    copied = set(re.findall(r"(?m)^COPY (?!--from)(\S+)", dockerfile))
    assert set(ROOMS) | {"manage.py", "requirements.txt", "templates", "static"} == copied
    assert all((ROOT / name).exists() for name in copied)
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {f"!{name}" for name in copied} <= set(ignored)
