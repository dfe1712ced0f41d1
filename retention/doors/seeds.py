"""The rows that this room cannot be without: one group per role with exactly the rights of the table."""

import datetime as dt
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from retention.doors.roles import ROLES, TABLE, rights_of


class UnknownPermission(LookupError):
    """The table of roles names a permission that no model declares."""


@dataclass(frozen=True)
class Seeded:
    """How many groups were made, and how many had their rights set right."""

    new: int
    changed: int


@transaction.atomic
def seed(*, now: dt.datetime) -> Seeded:
    """Make every role's group hold exactly its rights; repeat it whenever the table changed.

    Raises:
        UnknownPermission: a name in the table is not a permission of an installed, migrated app.
    """
    known = {
        f"{app}.{codename}": pk
        for pk, app, codename in Permission.objects.values_list("pk", "content_type__app_label", "codename")
    }
    if unknown := sorted(set(TABLE) - set(known)):
        raise UnknownPermission(", ".join(unknown))
    new = changed = 0
    for letter, (key, _label) in ROLES.items():
        group, is_new = Group.objects.get_or_create(name=key)
        rights = {known[permission] for permission in rights_of(letter)}
        if rights != set(group.permissions.values_list("pk", flat=True)):
            group.permissions.set(rights)
            changed += not is_new
        new += is_new
    return Seeded(new, changed)
