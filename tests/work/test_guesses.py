"""How a file writes dates and amounts is read off its cells, and left open where they do not show it."""

import pytest

from retention.work.ingest.guesses import guess_dates, guess_decimal_comma


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        (["24.12.1980", "01.02.1981"], "day"),
        (["01.02.1981"], "day"),  # points are written by people who write the day first
        (["24/12/1980", "01/02/1981 10:00"], "day"),
        (["12/24/1980 2:30 PM"], "month"),
        (["01/02/1981"], ""),  # either: better refused than swapped
        (["24/12/1980", "12/24/1980"], ""),
        (["1980-12-24", "A-1", "", "1.5"], ""),
        (["1.2.3", "10.0.0.255"], ""),
    ],
)
def test_dates(cells, order):
    assert guess_dates(cells) == order


@pytest.mark.parametrize(
    ("cells", "is_comma"),
    [
        (["1.234,50", "99,90", "Wien"], True),
        (["12,5"], True),
        (["99.90", "99,90"], False),
        (["1,234.50"], False),
        (["1,234"], False),
        (["99.90"], False),
        (["24.12.1980", "a,b", ""], False),
    ],
)
def test_decimal_comma(cells, is_comma):
    assert guess_decimal_comma(cells) is is_comma
