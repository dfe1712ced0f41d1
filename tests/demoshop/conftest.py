"""A small demo shop: whole histories of a few hundred buyers, through the same way in as the large one."""

import pytest

from retention.actors import Actor
from retention.customers import seeds
from retention.demoshop import loading, premises

BUYERS = 300
BY = Actor.command("test")


def no_progress(stage: str, done: int, total: int) -> None:
    return None


def load_small(now, *, buyers: int = BUYERS, seed: int = 1, progress=no_progress) -> loading.Loaded:
    premises.open_shop(now=now, by=BY)
    seeds.seed(now=now)
    return loading.load(now=now, by=BY, seed=seed, buyers=buyers, progress=progress)


@pytest.fixture
def small_demo(db, now):
    """300 buyers and 30 subscribers with all their facts; about two seconds."""
    return load_small(now)
