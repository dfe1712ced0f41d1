"""Members of staff: made, changed, given roles and passwords; only by those who may, and never locking oneself out."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.operations import record
from retention.doors.roles import ROLES
from retention.refusals import Refused
from retention.shop.models import Staff

ROLE_KEYS = tuple(key for key, _label in ROLES.values())
ADMINISTRATOR = ROLES["Z"][0]


class UserNameTaken(Refused):
    code = "doors.user_name_taken"
    sentence = _("Someone logs in as %(username)s already.")


class LockingOneselfOut(Refused):
    code = "doors.locking_oneself_out"
    sentence = _("You cannot take the administrator's role or the log-in from yourself. Ask another administrator.")


class OwnerOnly(Refused):
    code = "doors.owner_only"
    sentence = _("This account has every right of the installation; only another such account may change it.")
    status = 403


@dataclass(frozen=True)
class Person:
    """What the console knows of a member of staff.

    Attributes:
        roles: keys of `doors.roles.ROLES`, such as "marketer".
    """

    username: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    is_active: bool = True
    roles: tuple[str, ...] = ()


@transaction.atomic
def create_staff(*, person: Person, password: str, now: dt.datetime, by: Actor) -> Staff:
    """Make a member of staff who may log in at once.

    Raises:
        UserNameTaken
        ValidationError: the password breaks a rule, or a role is unknown.
    """
    if Staff.objects.filter(username__iexact=person.username).exists():
        raise UserNameTaken(username=person.username)
    staff = Staff(username=person.username, is_staff=True, date_joined=now, **_fields(person))
    _check_password(password, staff)
    staff.set_password(password)
    staff.full_clean()
    staff.save()
    staff.groups.set(_groups(person.roles))
    record(verb="doors.create_staff", by=by, now=now, subject=staff, after={"roles": sorted(person.roles)})
    return staff


@transaction.atomic
def save_staff(*, staff_id: int, person: Person, now: dt.datetime, by: Actor) -> Staff:
    """Change a member of staff. Roles and log-in act from her next click on.

    Raises:
        UserNameTaken, LockingOneselfOut, OwnerOnly
        ValidationError: a role is unknown.
    """
    staff = _locked(staff_id, by)
    groups = _groups(person.roles)
    if staff.pk == by.staff_id and not staff.is_superuser:
        if not person.is_active or ADMINISTRATOR not in person.roles:
            raise LockingOneselfOut()
    if staff.pk == by.staff_id and not person.is_active:
        raise LockingOneselfOut()
    if Staff.objects.filter(username__iexact=person.username).exclude(pk=staff.pk).exists():
        raise UserNameTaken(username=person.username)
    before = {"roles": sorted(staff.groups.values_list("name", flat=True)), "is_active": staff.is_active}
    for field, value in {"username": person.username, **_fields(person)}.items():
        setattr(staff, field, value)
    staff.full_clean()
    staff.save()
    staff.groups.set(groups)
    after = {"roles": sorted(person.roles), "is_active": person.is_active}
    record(verb="doors.save_staff", by=by, now=now, subject=staff, before=before, after=after)
    return staff


@transaction.atomic
def set_password(*, staff_id: int, password: str, now: dt.datetime, by: Actor) -> Staff:
    """Give a member of staff a new password; her sessions everywhere end.

    Raises:
        OwnerOnly
        ValidationError: the password breaks a rule.
    """
    staff = _locked(staff_id, by)
    _check_password(password, staff)
    staff.set_password(password)
    staff.save(update_fields=["password"])
    record(verb="doors.set_password", by=by, now=now, subject=staff)
    return staff


def _locked(staff_id: int, by: Actor) -> Staff:
    staff = Staff.objects.select_for_update().get(pk=staff_id)
    if staff.is_superuser and by.staff_id is not None:
        if not Staff.objects.filter(pk=by.staff_id, is_superuser=True, is_active=True).exists():
            raise OwnerOnly()
    return staff


def _groups(roles: Iterable[str]) -> list[Group]:
    if unknown := sorted(set(roles) - set(ROLE_KEYS)):
        raise ValidationError({"roles": _("There is no role %s.") % ", ".join(unknown)}, code="unknown_role")
    return list(Group.objects.filter(name__in=roles))


def _check_password(password: str, staff: Staff) -> None:
    try:
        validate_password(password, staff)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error


def _fields(person: Person) -> dict:
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "is_active": person.is_active,
    }
