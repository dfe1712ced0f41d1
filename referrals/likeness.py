"""How alike two emails are, and whether one is of a provider of throw-away addresses. Pure; nothing is kept."""

from __future__ import annotations

import re

from disposable_email_domains import blocklist

#: Mail to `a.n.n.a+x@` reaches `anna@` there.
_WITHOUT_DOTS = frozenset({"gmail.com", "googlemail.com"})
_SAME_HOUSE = {"googlemail.com": "gmail.com", "hotmail.com": "outlook.com", "live.com": "outlook.com"}
_NUMBER = re.compile(r"[0-9]+")
#: A name of fewer letters is many people's.
_LONG_ENOUGH = 5


def normal(email: str) -> str:
    """The mail box that an address reaches: without a tag, without dots where they do not count, in small letters."""
    local, _at, domain = email.strip().lower().rpartition("@")
    local = local.partition("+")[0]
    if domain in _WITHOUT_DOTS:
        local = local.replace(".", "")
    return f"{local}@{_SAME_HOUSE.get(domain, domain)}" if local and domain else ""


def likeness(one: str, other: str) -> int:
    """From 0 to 100: 100 is the same mail box; numbers, dots and single letters make little difference."""
    first, second = normal(one), normal(other)
    if not first or not second:
        return 0
    if first == second:
        return 100
    (name, _at, domain), (name_2, _at2, domain_2) = first.partition("@"), second.partition("@")
    bare, bare_2 = _bare(name), _bare(name_2)
    if bare == bare_2 and len(bare) >= _LONG_ENOUGH:
        return 95 if domain == domain_2 else 90
    if domain != domain_2 or min(len(bare), len(bare_2)) < _LONG_ENOUGH:
        return 0
    return round(100 * (1 - _distance(bare, bare_2) / max(len(bare), len(bare_2))))


def is_same_box(one: str, other: str) -> bool:
    """Whether mail to both of them reaches one box for certain; `anna@hotmail.com` and `anna@outlook.com` are two."""
    first, second = one.rpartition("@")[2].lower(), other.rpartition("@")[2].lower()
    is_one_house = first == second or {first, second} == _WITHOUT_DOTS
    return is_one_house and likeness(one, other) == 100


def is_disposable(email: str, more: frozenset[str] = frozenset()) -> bool:
    """Whether its domain, or one above it, is on the kept list or among `more`."""
    labels = email.strip().lower().rpartition("@")[2].split(".")
    above = {".".join(labels[at:]) for at in range(len(labels) - 1)}
    return not above.isdisjoint(blocklist) or not above.isdisjoint(more)


def _bare(name: str) -> str:
    return _NUMBER.sub("", name).replace(".", "").replace("_", "").replace("-", "")


def _distance(one: str, other: str) -> int:
    """How many letters have to be put in, taken out or changed (Levenshtein)."""
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, start=1):
        corner, row[0] = row[0], at
        for place, other_letter in enumerate(other, start=1):
            corner, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, corner + (letter != other_letter))
    return row[-1]
