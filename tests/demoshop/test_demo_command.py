"""Ctrl-C while the demo prepares is never lost."""

import signal

import pytest

from retention.demoshop.management.commands.demo import heard_interrupts


class Final:
    """Interrupts the process while it is finalised, where Python drops whatever is raised."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def interruptible():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_python_dropped_is_raised_at_the_next_step():
    with heard_interrupts() as check:
        check()
        Final()
        with pytest.raises(KeyboardInterrupt):
            check()


def test_an_interrupt_is_raised_where_it_comes():
    with pytest.raises(KeyboardInterrupt), heard_interrupts():
        signal.raise_signal(signal.SIGINT)


def test_one_that_is_ignored_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with heard_interrupts() as check:
        signal.raise_signal(signal.SIGINT)
        check()
    signal.signal(signal.SIGINT, signal.default_int_handler)
