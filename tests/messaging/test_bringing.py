"""What a message says of its grant: the code, or what she has without one."""

from retention.incentives.models import Code
from retention.incentives.operations import create_incentive, go_live, grant
from retention.incentives.rules import IncentiveRule

WORDS = {
    "en": {
        "subject": "Thank you",
        "body": "<mj-text>{% if coupon %}Type {{ coupon.code }}{% elsif gift %}You have {{ gift.sentence }}"
        "{% else %}Nothing{% endif %}</mj-text>",
    }
}


def test_a_mail_says_the_code_or_what_needs_none(template, say, send, customer, smtp, coupons, now, by):
    anna, ben, clara = customer("anna"), customer("ben"), customer("clara")
    credit = create_incentive(
        rule=IncentiveRule.model_validate(
            {"name": "Credit", "effects": [{"kind": "store_credit", "amounts": {"EUR": 500}}]}
        ),
        now=now, by=by,
    )  # fmt: skip
    go_live(incentive_id=credit.pk, now=now, by=by)
    given = grant(
        incentive_id=credit.pk, sources=["test"], customer_ids=[ben.pk], origin="test.row", origin_ids=[1], now=now,
        by=by,
    )  # fmt: skip
    grants = {**coupons(anna), ben.pk: given.grants["test"]}
    say(anna, ben, clara, grants=grants, template_=template(words=WORDS))
    send()
    code = Code.objects.get(grant_id=grants[anna.pk]).code
    said = {mail.recipients[0].partition("@")[0]: mail.text() for mail in smtp.messages}
    assert {name: text.splitlines()[0] for name, text in said.items()} == {
        "anna": f"Type {code}", "ben": "You have €5.00 of credit", "clara": "Nothing",
    }  # fmt: skip
