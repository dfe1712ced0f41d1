"""Occasions that follow what a customer did: she signed up."""

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from retention.registries import Occasion, Window, occasions


@occasions.register
class SignedUp(Occasion):
    """Key: `signed_up`; nobody is welcomed twice. A sign-up that we learn of late counts while it is not too late."""

    key = "signed_up"
    label = _("Signed up")
    group = _("What customers do")
    has_local_hour = False
    is_foreseeable = False
    form_class = forms.Form

    @classmethod
    def sentence(cls, args):
        return _t("as soon as someone signs up")

    @classmethod
    def due_sql(cls, args, window: Window):
        sql = """
            SELECT c.id AS customer_id, 'signed_up' AS occasion, c.signed_up_at AS due_at, NULL::bigint AS grant_id,
                   '{}'::jsonb AS about
            FROM customers_customer c WHERE c.signed_up_at >= %s AND c.signed_up_at < %s
        """
        return sql, [window.since, window.until]
