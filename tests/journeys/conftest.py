"""What stories assert is explained like what tests assert."""

import pytest

pytest.register_assert_rewrite("tests.journeys.telling", "tests.journeys.town")
