"""The benchmarks' measuring stick: it must alternate, count and keep what it saw."""

import json
import os

import pytest

from benchmarks import harness


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "RESULTS", tmp_path)
    return tmp_path


@pytest.mark.django_db
def test_sides_take_turns_and_the_line_is_kept(results, capsys):
    calls = []
    result = harness.compare(
        "turns",
        ours=lambda: calls.append("ours") or 10,
        floor=lambda: calls.append("floor") or 10,
        rounds=4,
        unit="calls",
        prepare=lambda: calls.append("prepare"),
    )
    order = [call for call in calls if call != "prepare"]
    # One uncounted round first, then who goes first changes each round.
    assert order == ["ours", "floor", *["floor", "ours", "ours", "floor"] * 2]
    assert calls[::2] == ["prepare"] * 10
    (line,) = (results / "turns.jsonl").read_text().splitlines()
    kept = json.loads(line)
    assert (kept["name"], kept["unit"], kept["units"], kept["rounds"]) == ("turns", "calls", 10, 4)
    assert kept["ratio_lowest"] <= kept["ratio"] <= kept["ratio_highest"]
    assert result.ours.lowest <= result.ours.median <= result.ours.highest
    assert "ratio" in capsys.readouterr().out


def test_scale_shrinks_but_never_below_the_least(monkeypatch):
    monkeypatch.setenv("BENCH_SCALE", "0.1")
    assert harness.size(200_000) == 20_000
    assert harness.size(2_000) == 1_000
    monkeypatch.delenv("BENCH_SCALE")
    assert harness.size(200_000) == 200_000
    assert "DATABASE_URL" in os.environ
