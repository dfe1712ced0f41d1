"""Crowds of shoppers: clients on connections of their own, let loose together, with nothing of ours replaced."""

import itertools
import threading
from collections import Counter as Tally
from collections.abc import Callable

from django.db import connections

from retention.refusals import Refused


def at_once(act: Callable[[int], object], tries: int, shoppers: int) -> Tally:
    """Let `shoppers` connections loose together until `act(n)` was called for every n below `tries`; tally outcomes."""
    gate, numbers, outcomes = threading.Barrier(shoppers), itertools.count(), []

    def run() -> None:
        try:
            gate.wait(timeout=60)
            while (number := next(numbers)) < tries:
                try:
                    outcomes.append(act(number) or "done")
                except Refused as refused:
                    outcomes.append(refused.code)
        except Exception as error:
            outcomes.append(repr(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(shoppers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    return Tally(outcomes)
