"""A scheme's life: versions, what it refuses, one click each way."""

import pytest
from pydantic import ValidationError

from referrals import operations
from referrals.models import Scheme
from referrals.rules import SchemeRule
from referrals.sharing import Faulty, shared
from referrals.versions import rule_of
from retention.audit.models import AuditEntry
from retention.audit.operations import EditedMeanwhile
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from tests.referrals.conftest import BY

pytestmark = pytest.mark.django_db


def test_a_scheme_is_written_launched_paused_resumed_and_ended(scheme, now):
    made = scheme(is_live=False)
    assert made.state == "draft"
    assert made.version.number == 1
    assert made.launched_at is None
    assert set(Incentive.objects.values_list("state", flat=True)) == {"draft"}

    made = operations.launch_scheme(scheme_id=made.pk, now=now, by=BY)
    assert made.state == "live"
    assert made.launched_at == now
    assert set(Incentive.objects.values_list("state", flat=True)) == {"live"}
    with pytest.raises(operations.AlreadyLaunched):
        operations.launch_scheme(scheme_id=made.pk, now=now, by=BY)

    assert operations.pause_scheme(scheme_id=made.pk, now=now, by=BY).state == "paused"
    with pytest.raises(operations.NotLive):
        operations.pause_scheme(scheme_id=made.pk, now=now, by=BY)
    assert operations.resume_scheme(scheme_id=made.pk, now=now, by=BY).state == "live"
    with pytest.raises(operations.NotPaused):
        operations.resume_scheme(scheme_id=made.pk, now=now, by=BY)
    assert operations.end_scheme(scheme_id=made.pk, now=now, by=BY).state == "ended"
    with pytest.raises(operations.HasEnded):
        operations.end_scheme(scheme_id=made.pk, now=now, by=BY)
    verbs = AuditEntry.objects.filter(subject="referrals.scheme").order_by("id").values_list("verb", flat=True)
    assert [verb.removeprefix("referrals.").removesuffix("_scheme") for verb in verbs] == [
        "create", "launch", "pause", "resume", "end",
    ]  # fmt: skip


def test_a_saved_scheme_is_the_next_version_and_an_old_edit_is_refused(scheme, now):
    made = scheme()
    rule = rule_of(made.version_id)
    saved = operations.save_scheme(
        scheme_id=made.pk, rule=rule.model_copy(update={"hold_days": 30}), edited=1, now=now, by=BY
    )
    assert saved.version.number == 2
    assert rule_of(saved.version_id).hold_days == 30
    with pytest.raises(EditedMeanwhile):
        operations.save_scheme(scheme_id=made.pk, rule=rule, edited=1, now=now, by=BY)
    partners = SchemeRule.model_validate({"kind": "partners", "names": {"en": "P"}})
    with pytest.raises(operations.KindIsFixed):
        operations.save_scheme(scheme_id=made.pk, rule=partners, edited=2, now=now, by=BY)
    operations.end_scheme(scheme_id=made.pk, now=now, by=BY)
    with pytest.raises(operations.HasEnded):
        operations.save_scheme(scheme_id=made.pk, rule=rule, edited=2, now=now, by=BY)


def test_what_cannot_be_is_refused_when_it_is_written(scheme, offer, now):
    scheme()
    with pytest.raises(operations.KeyTaken):
        scheme()
    with pytest.raises(operations.IncentiveNotUsable):
        scheme("two", friend_incentive=10**9)
    public = offer("All", codes={"kind": "public", "text": "ALL"})
    with pytest.raises(operations.IncentiveNotUsable):
        scheme("two", friend_incentive=public.pk)
    with pytest.raises(operations.NamesMissing):
        scheme("two", names={"de": "Freunde"})
    with pytest.raises(operations.NoSuchSegment):
        scheme("two", segment_id=10**9)
    with pytest.raises(Faulty) as refused:
        scheme("two", texts=[{"channel": "sms", "texts": {"en": "Take {{ referal_link }}"}}])
    assert "referral_link" in str(refused.value)
    with pytest.raises(operations.NoSuchScheme):
        operations.pause_scheme(scheme_id=10**9, now=now, by=BY)
    assert Scheme.objects.count() == 1


def test_a_stopped_incentive_does_not_launch(scheme, offer, now):
    thanks = offer(is_live=True)
    made = scheme(is_live=False, levels=[{"incentive_id": thanks.pk}])
    incentives.stop(incentive_id=thanks.pk, now=now, by=BY)
    with pytest.raises(operations.IncentiveNotUsable):
        operations.launch_scheme(scheme_id=made.pk, now=now, by=BY)
    made.refresh_from_db()
    assert made.state == "draft"


@pytest.mark.parametrize(
    "wrong",
    [
        {"levels": []},
        {"levels": [{"incentive_id": 1}, {"incentive_id": 2}]},
        {"kind": "partners", "levels": [{"incentive_id": 1}]},
        {"levels": [{"incentive_id": 1}], "checks": [{"kind": "loop"}, {"kind": "loop", "length": 3}]},
        {"levels": [{"incentive_id": 1}], "landing": {"leads_to": "shop"}},
        {"levels": [{"incentive_id": 1}], "hold_hours": 3},
    ],
)
def test_a_rule_that_does_not_fit_itself_is_no_rule(wrong):
    with pytest.raises(ValidationError):
        SchemeRule.model_validate({"names": {"en": "Friends"}, **wrong})


def test_levels_grow_and_one_of_them_is_for_its_friend_alone():
    rule = SchemeRule.model_validate(
        {
            "names": {"en": "Friends"},
            "levels": [
                {"from_count": 10, "incentive_id": 4},
                {"from_count": 1, "incentive_id": 1},
                {"from_count": 3, "incentive_id": 2},
                {"from_count": 5, "incentive_id": 3, "is_once": True},
            ],
        }
    )
    assert [rule.level_at(n).incentive_id for n in (1, 2, 3, 4, 5, 6, 9, 10, 11)] == [1, 1, 2, 2, 3, 2, 2, 4, 4]
    only = rule.model_copy(update={"levels": (rule.levels[2],)})
    assert [only.level_at(n) is not None for n in (4, 5, 6)] == [False, True, False]


def test_share_texts_are_of_her_persona_and_language_with_her_link():
    rule = SchemeRule.model_validate(
        {
            "names": {"en": "Friends"},
            "friend_incentive": 1,
            "texts": [
                {"channel": "sms", "texts": {"en": "{{ referral_code }} is {{ friend_gets }}"}},
                {
                    "channel": "email", "subjects": {"en": "From {{ advocate.first_name }}"},
                    "texts": {"en": "See {{ referral_link }}", "de": "Siehe {{ referral_link }}"},
                },
                {"channel": "sms", "persona": "runner", "segment_id": 7, "texts": {"en": "Run: {{ referral_code }}"}},
            ],
        }
    )  # fmt: skip

    def hers(**how):
        found = shared(
            rule, code="ANNA", default="en", first_name="Anna", friend_gets="10 % off", shop_name="Shop", **how
        )
        return {each.channel: (each.subject, each.text.partition("http")[0]) for each in found}

    assert hers(language="de-AT") == {"sms": ("", "ANNA is 10 % off"), "email": ("", "Siehe ")}
    assert hers(language="fr", segments={7}) == {"sms": ("", "Run: ANNA"), "email": ("From Anna", "See ")}
    assert hers(language="en", persona="runner")["sms"] == ("", "Run: ANNA")
