"""Beside an alert stands the button that helps at once: on the home page and on the offer's own."""

import pytest

from retention.work.models import Alert
from retention.work.operations import raise_alert
from tests.console.conftest import as_role, person

__all__ = ["as_role", "person"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def alarmed(offer, now):
    """An offer with an alert of this kind."""

    def make(kind, subject="{}"):
        incentive = offer(name="Leaky")
        url = f"/admin/incentives/incentive/{incentive.pk}/change/"
        raise_alert(kind=kind, subject=subject.format(incentive.pk), level="urgent", text="Look here", url=url, now=now)
        return incentive

    return make


@pytest.mark.parametrize(
    ("kind", "subject", "action"),
    [
        ("incentives.leak", "{}:0", "stop"),
        ("incentives.pool_low", "{}", "generate-codes"),
        ("incentives.pool_expiring", "{}", "generate-codes"),
    ],
)
def test_the_button_opens_the_right_dialog(as_role, alarmed, kind, subject, action):
    incentive = alarmed(kind, subject)
    url = f"/admin/incentives/incentive/{incentive.pk}/{action}/"
    marketer = as_role("marketer")
    assert f'hx-get="{url}"' in marketer.get("/admin/").content.decode()
    assert f'class="remedy{" remedy-stop" if action == "stop" else ""}" hx-get="{url}"' in (
        marketer.get(f"/admin/incentives/incentive/{incentive.pk}/change/").content.decode()
    )
    assert marketer.get(url).status_code == 200
    analyst = as_role("analyst").get("/admin/").content.decode()
    assert "Look here" in analyst
    assert url not in analyst, "she may look and not press"


def test_other_alerts_have_none(as_role, alarmed):
    alarmed("incentives.near_limit", "incentive {}:money")
    page = as_role("marketer").get("/admin/").content.decode()
    assert "Look here" in page
    assert 'class="remedy' not in page


def test_what_is_urgent_comes_first(as_role, shop, now):
    for n in range(8):
        raise_alert(kind=f"test.{n}", level="urgent" if n == 0 else "note", text=f"Alert {n}", now=now)
    shown = as_role("marketer").get("/admin/").context["home"].alerts
    assert [alert.text for alert, _remedy in shown][0] == "Alert 0"
    assert Alert.objects.count() == 8
