"""Roles: groups hold exactly what the table says, however often they are seeded."""

import pytest
from django.contrib.auth.models import Group, Permission

from retention.doors import roles, seeds

pytestmark = pytest.mark.django_db


def rights(name):
    group = Group.objects.get(name=name)
    return {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.select_related("content_type")}


def test_every_role_holds_exactly_its_rights_and_seeding_again_changes_nothing(now):
    assert seeds.seed(now=now) == seeds.Seeded(new=5, changed=0)
    for letter, (name, _label) in roles.ROLES.items():
        assert rights(name) == roles.rights_of(letter)
    assert seeds.seed(now=now) == seeds.Seeded(new=0, changed=0)


def test_a_right_given_by_hand_is_taken_back(now):
    seeds.seed(now=now)
    analyst = Group.objects.get(name="analyst")
    analyst.permissions.add(Permission.objects.get(codename="export_customer"))
    assert seeds.seed(now=now) == seeds.Seeded(new=0, changed=1)
    assert rights("analyst") == roles.rights_of("A")


def test_a_name_that_no_model_declares_is_an_error(now, monkeypatch):
    monkeypatch.setitem(roles.TABLE, "customers.enchant_customer", "M")
    with pytest.raises(seeds.UnknownPermission, match="customers.enchant_customer"):
        seeds.seed(now=now)
    assert not Group.objects.exists()


def test_least_rights():
    assert not {right for right in roles.TABLE if ".delete_" in right} - {"campaigns.delete_step"}
    read_only = {right for right in roles.rights_of("A") if not right.split(".")[1].startswith(("view_", "export_"))}
    assert read_only == set()
    only_administrators = roles.rights_of("Z") - frozenset().union(*(roles.rights_of(letter) for letter in "MLSA"))
    assert {"shop.change_staff", "shop.add_staff", "doors.add_apikey", "doors.change_apikey"} <= only_administrators
    assert "campaigns.approve_campaign" not in roles.rights_of("M")
