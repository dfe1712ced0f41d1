"""Who works in the demo shop: one member of staff per role, with log-ins that everybody may know."""

import datetime as dt

from retention.actors import Actor
from retention.doors.operations.staff import Person, create_staff
from retention.doors.roles import ROLES
from retention.shop.models import Staff

#: Public on purpose: the demo listens on this machine only.
PASSWORD = "retention-demo"  # noqa: S105

#: One for each role of `doors.roles.ROLES`.
PEOPLE = {
    "M": Person("marketer", "Mina", "Okafor", "marketer@example.com", roles=(ROLES["M"][0],)),
    "L": Person("lead", "Leo", "Brandt", "lead@example.com", roles=(ROLES["L"][0],)),
    "S": Person("agent", "Sora", "Kim", "agent@example.com", roles=(ROLES["S"][0],)),
    "A": Person("analyst", "Ana", "Duarte", "analyst@example.com", roles=(ROLES["A"][0],)),
    "Z": Person("admin", "Zoya", "Petrova", "admin@example.com", roles=(ROLES["Z"][0],)),
}


def hire(*, now: dt.datetime, by: Actor) -> int:
    """Make those who are not there yet; returns how many."""
    known = set(Staff.objects.values_list("username", flat=True))
    missing = [person for person in PEOPLE.values() if person.username not in known]
    for person in missing:
        create_staff(person=person, password=PASSWORD, now=now, by=by)
    return len(missing)
