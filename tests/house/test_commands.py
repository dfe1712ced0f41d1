"""The first two commands of a new installation: what shop it is, and the rows that no room can be without."""

import io

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from retention.audit.models import AuditEntry
from retention.doors.roles import ROLES
from retention.shop.models import Shop

pytestmark = pytest.mark.django_db


def create_shop(**named):
    said = io.StringIO()
    call_command("create_shop", "Side B", **{"currency": "eur", "time_zone": "Europe/Berlin"} | named, stdout=said)
    return said.getvalue()


def test_a_shop_is_what_it_was_said_to_be():
    assert "manage.py seed" in create_shop(languages="de, en", sender_email="shop@example.com")
    shop = Shop.objects.get()
    assert (shop.name, shop.currency, shop.time_zone) == ("Side B", "EUR", "Europe/Berlin")
    assert shop.languages == ["de", "en"]
    assert AuditEntry.objects.filter(verb="doors.save_shop").count() == 1


@pytest.mark.parametrize("wrong", [{"currency": "EURO"}, {"time_zone": "Berlin"}, {"sender_email": "shop"}])
def test_a_wrong_word_is_refused_and_no_shop_made(wrong):
    with pytest.raises(CommandError) as refused:
        create_shop(**wrong)
    assert refused.value.returncode == 2
    assert not Shop.objects.exists()


def test_there_is_one_shop():
    create_shop()
    with pytest.raises(CommandError, match="a shop already"):
        create_shop()
    assert Shop.objects.count() == 1


def test_nothing_is_seeded_before_it_is_said_what_shop_this_is():
    with pytest.raises(CommandError, match="create_shop"):
        call_command("seed", verbosity=0)


def test_seeding_twice_makes_nothing_twice():
    create_shop()
    call_command("seed", verbosity=0)
    roles = {key for key, _label in ROLES.values()}
    assert roles <= set(Group.objects.values_list("name", flat=True))
    before = AuditEntry.objects.count()
    call_command("seed", verbosity=0)
    assert AuditEntry.objects.count() == before
    assert Group.objects.count() == len(set(Group.objects.values_list("name", flat=True)))
