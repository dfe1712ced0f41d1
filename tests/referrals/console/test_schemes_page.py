"""The scheme's editor: what is saved is what was there, what is wrong is said, and the gallery makes a draft."""

import pytest
from django.contrib.auth.models import Permission

from referrals.admin.forms import SchemeForm
from referrals.models import Scheme
from referrals.operations.ready import create_from_ready
from referrals.ready import BY_KEY
from referrals.rules import SchemeRule
from referrals.versions import rule_of
from retention.shop.models import Staff
from tests.referrals.conftest import BY


@pytest.fixture
def boss(client, db):
    client.force_login(
        Staff.objects.create_superuser("boss", "boss@example.com", "x"),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def typed(scheme):
    """What the browser would send of the form as it is shown."""
    form = SchemeForm(instance=scheme)
    data = {"edited": scheme.version.number, "why": ""}
    for name, field in form.fields.items():
        value = form.initial.get(name, field.initial)
        if name in ("levels", "texts", "variants"):
            rows = form[name].field.widget.formset(initial=value or [], prefix=name)
            data |= {f"{name}-TOTAL_FORMS": len(value or []), f"{name}-INITIAL_FORMS": len(value or [])}
            for row in rows:
                data |= {row.add_prefix(key): row.initial[key] for key in row.initial if row.initial[key] is not None}
        elif value is True:
            data[name] = "on"
        elif value not in (None, False):
            data[name] = getattr(value, "pk", value)
    return data


@pytest.mark.parametrize("key", BY_KEY)
def test_saved_as_it_is_shown_it_is_the_same(boss, shop, now, key):
    scheme = create_from_ready(key=key, now=now, by=BY)
    before = rule_of(scheme.version_id)
    answer = boss.post(f"/admin/referrals/scheme/{scheme.pk}/change/", typed(scheme))
    assert answer.status_code == 302, answer.context["errors"]
    scheme.refresh_from_db()
    assert scheme.version.number == 2
    assert rule_of(scheme.version_id) == before


def test_what_the_form_does_not_show_is_kept(boss, scheme):
    made = scheme(names={"en": "Friends", "pt": "Amigos"}, checks=[{"kind": "speed", "points": 7, "most": 3}])
    data = typed(made) | {"hold_days": 30, "scenario_least": "25.50"}
    assert boss.post(f"/admin/referrals/scheme/{made.pk}/change/", data).status_code == 302
    made.refresh_from_db()
    rule = rule_of(made.version_id)
    assert (rule.names["pt"], rule.hold_days, rule.scenario.least_minor) == ("Amigos", 30, 2_550)
    (speed,) = rule.checks
    assert (speed.points, speed.most, speed.hours) == (7, 3, 24)


def test_a_test_of_two_rewards(boss, scheme, offer):
    made, more = scheme(), offer("More")
    data = typed(made) | {
        "variants-TOTAL_FORMS": 2, "variants-INITIAL_FORMS": 0,
        "variants-0-key": "now", "variants-0-weight": 50, "variants-1-key": "more", "variants-1-weight": 50,
        "variants-1-incentive": more.pk,
    }  # fmt: skip
    assert boss.post(f"/admin/referrals/scheme/{made.pk}/change/", data).status_code == 302
    made.refresh_from_db()
    rule = rule_of(made.version_id)
    assert rule.with_variant("more").level_at(1).incentive_id == more.pk
    assert rule.with_variant("now").levels == rule.levels


def test_two_levels_for_the_same_friend_are_told_at_the_form(boss, scheme):
    made = scheme()
    level = rule_of(made.version_id).levels[0].incentive_id
    data = typed(made) | {"levels-TOTAL_FORMS": 2, "levels-1-from_count": 1, "levels-1-incentive": level}
    answer = boss.post(f"/admin/referrals/scheme/{made.pk}/change/", data)
    assert answer.status_code == 200
    assert "Two levels begin with the same friend." in answer.content.decode()
    made.refresh_from_db()
    assert made.version.number == 1


def test_the_form_is_said_before_it_is_saved(boss, shop, now):
    scheme = create_from_ready(key="give_and_get", now=now, by=BY)
    page = boss.post(f"/admin/referrals/scheme/say/?of={scheme.pk}", typed(scheme) | {"hold_days": 21}).content.decode()
    assert "Rewarded 21 days later, if nothing was returned." in page
    assert "With my link you get 10.00 EUR off" in page
    wrong = typed(scheme) | {"texts-0-text_en": "{{ nobody }}"}
    assert "email, en" in boss.post(f"/admin/referrals/scheme/say/?of={scheme.pk}", wrong).content.decode()
    scheme.refresh_from_db()
    assert scheme.version.number == 1


def test_a_new_one_by_the_form(boss, shop, offer, now):
    ready = create_from_ready(key="ladder", now=now, by=BY)
    data = typed(ready) | {"key": "mine", "kind": "customers", "edited": "", "name_en": "Mine"}
    answer = boss.post("/admin/referrals/scheme/add/", data)
    assert answer.status_code == 302, answer.context["errors"]
    assert SchemeRule.model_validate(Scheme.objects.get(key="mine").version.data).names == {"en": "Mine"}


def test_who_only_reads_reads_the_sentence(client, scheme):
    agent = Staff.objects.create_user("agent", "agent@example.com", "x", is_staff=True)
    agent.user_permissions.add(Permission.objects.get(codename="view_scheme"))
    client.force_login(agent, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/admin/referrals/scheme/{scheme().pk}/change/").content.decode()
    assert "The first link of the last 30 days counts." in page
    assert "data-said" not in page
