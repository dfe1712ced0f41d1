"""How alike two emails are."""

import pytest
from disposable_email_domains import blocklist

from referrals.likeness import is_disposable, likeness


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("anna.meyer@gmail.com", "annameyer+shop@googlemail.com", 100, 100),
        ("anna+1@example.com", "Anna@Example.com", 100, 100),
        ("anna.meyer1@example.com", "annameyer22@example.com", 95, 95),
        ("anna.meyer@example.com", "anna.meyer@example.org", 90, 90),
        ("anna.meyer@example.com", "anna.mayer@example.com", 85, 94),
        ("anna.meyer@example.com", "bela.bartok@example.com", 0, 50),
        ("anna@example.com", "hanna@example.com", 0, 0),
        ("info@example.com", "info@example.org", 0, 0),
        ("", "anna@example.com", 0, 0),
    ],
)
def test_likeness(one, other, least, most):
    assert least <= likeness(one, other) <= most
    assert likeness(one, other) == likeness(other, one)


def test_a_throw_away_address_is_known_by_its_domain_and_those_above():
    assert len(blocklist) > 5_000
    assert is_disposable("x@mailinator.com")
    assert is_disposable("x@eu.Mailinator.com")
    assert not is_disposable("x@example.com")
    assert not is_disposable("x@com")
    assert is_disposable("x@burn.example.com", frozenset({"burn.example.com"}))
