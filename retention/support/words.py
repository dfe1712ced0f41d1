"""The ready words of the sorry mail in English, Korean and Russian; leads edit the template made of them."""

_BODY = """<mj-text>
<p>{hello}</p>
<p>{sorry}</p>
{{% if compensation.words %}}<p>{{{{ compensation.words }}}}</p>{{% endif %}}
<p>{gift}</p>
</mj-text>
{{% if coupon %}}
<mj-section padding="0 24px">
  <mj-column border="2px dashed #9ca3af" border-radius="12px" padding="12px 0">
    <mj-text align="center" font-size="22px" font-weight="700">{{{{ compensation.amount }}}}</mj-text>
    {{% if compensation.product %}}<mj-text align="center" font-size="14px">{only}</mj-text>{{% endif %}}
    <mj-text align="center" font-size="26px" font-weight="700" css-class="code">{{{{ coupon.code }}}}</mj-text>
    <mj-image src="{{{{ coupon.qr_url }}}}" alt="{{{{ coupon.code }}}}" width="148px" />
    {{% if coupon.expires_on %}}<mj-text align="center" font-size="14px" color="#4b5563">{until}</mj-text>{{% endif %}}
    {{% if coupon.terms %}}
    <mj-text align="center" font-size="14px" color="#4b5563">{{{{ coupon.terms }}}}</mj-text>
    {{% endif %}}
  </mj-column>
</mj-section>
{{% endif %}}
<mj-text><p>{{% if compensation.agent %}}{{{{ compensation.agent }}}}, {{% endif %}}{{{{ shop.name }}}}</p></mj-text>"""


def _words(*, subject: str, preheader: str, **sentences: str) -> dict[str, str]:
    return {"subject": subject, "preheader": preheader, "body": _BODY.format(**sentences)}


SORRY = {
    "en": _words(
        subject="We are sorry{% if compensation.order %} about order {{ compensation.order }}{% endif %}",
        preheader="{{ compensation.amount }} to make it good",
        hello='Hello {{ customer.first_name | default: "there" }},',
        sorry="something went wrong{% if compensation.order %} with your order {{ compensation.order }}{% endif %}, "
        "and we are sorry for it.",
        gift="Please take this off one of your next orders. The code works once, for you alone.",
        only="For “{{ compensation.product }}” only",
        until="Good until {{ coupon.expires_on }}",
    ),
    "ko": _words(
        subject="불편을 드려 죄송합니다{% if compensation.order %} (주문 {{ compensation.order }}){% endif %}",
        preheader="{{ compensation.amount }} 할인으로 사과드립니다",
        hello='{{ customer.first_name | default: "고객" }}님, 안녕하세요.',
        sorry="{% if compensation.order %}주문 {{ compensation.order }} 건으로 {% endif %}"
        "불편을 드려 진심으로 죄송합니다.",
        gift="다음 주문에서 아래 금액을 할인해 드립니다. 이 코드는 고객님만 한 번 사용하실 수 있습니다.",
        only="“{{ compensation.product }}” 상품에만 사용 가능",
        until="{{ coupon.expires_on }}까지 사용 가능",
    ),
    "ru": _words(
        subject="Приносим извинения{% if compensation.order %} за заказ {{ compensation.order }}{% endif %}",
        preheader="Дарим {{ compensation.amount }}, чтобы это исправить",
        hello="Здравствуйте{% if customer.first_name %}, {{ customer.first_name }}{% endif %}!",
        sorry="Что-то пошло не так{% if compensation.order %} с заказом {{ compensation.order }}{% endif %}, "
        "и нам очень жаль.",
        gift="Пожалуйста, примите эту скидку на один из следующих заказов. Код действует один раз и только для вас.",
        only="Только на «{{ compensation.product }}»",
        until="Действует до {{ coupon.expires_on }}",
    ),
}
