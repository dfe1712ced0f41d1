"""Occasions that somebody names: another system by a call, or a person by a list."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.occasions.base import facts_in
from campaigns.occasions.fields import list_field
from campaigns.occasions.moves import LONG_AGO
from retention.registries import Occasion, occasions
from retention.segments.models import CustomerList

GROUP = _("By hand and by call")


@occasions.register
class Called(Occasion):
    """Key: the call."""

    key = "called"
    label = _("Another system calls")
    group = GROUP
    has_local_hour = False
    is_foreseeable = False
    facts = (facts_in("campaigns_call"),)

    class form_class(forms.Form):
        name = forms.SlugField(
            label=_("name of the call"), max_length=60,
            help_text=_("As it is sent to POST /api/v1/calls/, such as table-booked."),
        )  # fmt: skip

    @classmethod
    def sentence(cls, args):
        return _t("as soon as “%(name)s” is called for her") % args

    @classmethod
    def due_sql(cls, args, window):
        sql = """
            SELECT l.customer_id, 'call:' || l.id AS occasion, l.at AS due_at, NULL::bigint AS grant_id, l.about
            FROM campaigns_call l WHERE l.name = %s AND l.at >= %s AND l.at < %s
        """
        return sql, [args["name"], window.since, window.until]


@occasions.register
class ByHand(Occasion):
    """Everybody on a list, at the launch. Key: the list."""

    key = "by_hand"
    label = _("By hand, for a list")
    group = GROUP
    has_local_hour = False
    is_foreseeable = False

    class form_class(forms.Form):
        list = list_field()

    @classmethod
    def opens_at(cls, args, launched_at):
        return LONG_AGO

    @classmethod
    def sentence(cls, args):
        name = CustomerList.objects.filter(public_id=args["list"]).values_list("name", flat=True).first()
        return _t("once, for everybody on the list “%(name)s”, at the launch") % {"name": name or "?"}

    @classmethod
    def due_sql(cls, args, window):
        sql = """
            SELECT e.customer_id, 'list:' || l.id AS occasion, l.uploaded_at AS due_at, NULL::bigint AS grant_id,
                   '{}'::jsonb AS about
            FROM segments_customerlist l JOIN segments_listentry e ON e.list_id = l.id
            WHERE l.public_id = %s AND l.uploaded_at >= %s AND l.uploaded_at < %s
        """
        return sql, [args["list"], window.since, window.until]
