"""Occasions of moving: into a segment, a stage of life or an RFM group, or out of one."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.occasions.base import facts_in
from campaigns.occasions.fields import group_field, segment_field, stage_field
from retention.customers import rfm
from retention.customers.models.lifecycle import Stage
from retention.registries import Occasion, occasions
from retention.segments.models import Segment

GROUP = _("Segments and stages")
#: Before anybody was in anything.
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MICROSECONDS = "(extract(epoch FROM {at}) * 1000000)::bigint"


class _Move(Occasion):
    group = GROUP
    has_local_hour = False
    is_foreseeable = False

    @classmethod
    def opens_at(cls, args, launched_at):
        return LONG_AGO if args.get("also_inside") else launched_at


def also_inside() -> forms.BooleanField:
    return forms.BooleanField(
        label=_("also those inside already"), required=False,
        help_text=_("They are touched at the launch. Else only those who come in after it."),
    )  # fmt: skip


def _segment_name(args) -> str:
    return Segment.objects.filter(public_id=args["segment"]).values_list("name", flat=True).first() or "?"


def _stage_name(key: str) -> str:
    return str(Stage.objects.filter(key=key).first() or key)


@occasions.register
class SegmentEntered(_Move):
    """Key: the segment, and the instant at which she came in, which nobody edits. Whoever left again is not meant."""

    key = "segment_entered"
    label = _("Came into a segment")
    facts = (facts_in("segments_membershipchange"),)
    settled = "campaigns.left_segment"
    settled_sentence = _("she left the segment before it left")
    settled_sql = """
        SELECT t.id FROM campaigns_touch t WHERE t.id = ANY(%(touches)s) AND NOT EXISTS (
            SELECT FROM segments_membership m
            WHERE m.customer_id = t.customer_id AND m.segment_id = split_part(t.occasion, ':', 2)::bigint)
    """

    class form_class(forms.Form):
        segment = segment_field()
        also_inside = also_inside()

    @classmethod
    def sentence(cls, args):
        words = _t("as soon as she is in the segment “%(name)s”") % {"name": _segment_name(args)}
        return words + (_t(", and those inside already") if args["also_inside"] else "")

    @classmethod
    def due_sql(cls, args, window):
        # A change is what an index finds; a membership older than all changes is there only as itself.
        inside = """
            SELECT m.customer_id, m.segment_id, m.entered_at AS at
            FROM segments_membership m JOIN s ON s.id = m.segment_id
        """
        entered = """
            SELECT h.customer_id, h.segment_id, h.at FROM segments_membershipchange h JOIN s ON s.id = h.segment_id
            JOIN segments_membership m ON m.customer_id = h.customer_id AND m.segment_id = h.segment_id
            WHERE h.has_entered AND m.entered_at = h.at
        """
        sql = f"""
            WITH s AS (SELECT id FROM segments_segment WHERE public_id = %s)
            SELECT i.customer_id, 'segment:' || i.segment_id || ':' || {_MICROSECONDS.format(at="i.at")} AS occasion,
                   i.at AS due_at, NULL::bigint AS grant_id, '{{}}'::jsonb AS about
            FROM ({inside if args["also_inside"] else entered}) i WHERE i.at >= %s AND i.at < %s
        """  # noqa: S608
        return sql, [args["segment"], window.since, window.until]


@occasions.register
class SegmentLeft(_Move):
    """Key: the change. Whoever came in again is not meant."""

    key = "segment_left"
    label = _("Left a segment")
    facts = (facts_in("segments_membershipchange"),)
    settled = "campaigns.back_in_segment"
    settled_sentence = _("she was back in the segment before it left")
    settled_sql = """
        SELECT t.id FROM campaigns_touch t
        JOIN segments_membershipchange h ON h.id = split_part(t.occasion, ':', 2)::bigint
        WHERE t.id = ANY(%(touches)s) AND EXISTS (SELECT FROM segments_membership m
            WHERE m.customer_id = t.customer_id AND m.segment_id = h.segment_id)
    """

    class form_class(forms.Form):
        segment = segment_field()

    @classmethod
    def sentence(cls, args):
        return _t("as soon as she leaves the segment “%(name)s”") % {"name": _segment_name(args)}

    @classmethod
    def due_sql(cls, args, window):
        sql = """
            SELECT h.customer_id, 'left:' || h.id AS occasion, h.at AS due_at, NULL::bigint AS grant_id,
                   '{}'::jsonb AS about
            FROM segments_membershipchange h
            WHERE h.segment_id = (SELECT id FROM segments_segment WHERE public_id = %s) AND NOT h.has_entered
              AND h.at >= %s AND h.at < %s AND NOT EXISTS (
                SELECT FROM segments_membership m WHERE m.customer_id = h.customer_id AND m.segment_id = h.segment_id)
        """
        return sql, [args["segment"], window.since, window.until]


@occasions.register
class StageEntered(_Move):
    """Key: the stage, and the instant at which she came into it. Whoever is out of it again is not meant."""

    key = "stage_entered"
    label = _("Came into a stage of life")
    facts = (facts_in("customers_stagechange"), facts_in("customers_customerstage"))
    settled = "campaigns.left_stage"
    settled_sentence = _("she was in another stage before it left")
    settled_sql = """
        SELECT t.id FROM campaigns_touch t WHERE t.id = ANY(%(touches)s) AND NOT EXISTS (
            SELECT FROM customers_customerstage i
            WHERE i.customer_id = t.customer_id AND i.stage_id = split_part(t.occasion, ':', 2)::bigint)
    """

    class form_class(forms.Form):
        stage = stage_field()
        before = stage_field(label=_("from the stage"), required=False)
        also_inside = also_inside()

        def clean(self):
            cleaned = super().clean() or self.cleaned_data
            if cleaned.get("also_inside") and cleaned.get("before"):
                self.add_error("also_inside", _("Nobody knows where those inside already came from."))
            return cleaned

    @classmethod
    def sentence(cls, args):
        words = _t("as soon as she is in the stage “%(name)s”") % {"name": _stage_name(args["stage"])}
        if args["before"]:
            words += _t(", coming from “%(name)s”") % {"name": _stage_name(args["before"])}
        return words + (_t(", and those inside already") if args["also_inside"] else "")

    @classmethod
    def due_sql(cls, args, window):
        before = """
            AND EXISTS (SELECT FROM customers_stagechange h JOIN customers_stage b ON b.id = h.before_id
                        WHERE h.customer_id = i.customer_id AND h.after_id = i.stage_id AND h.at = i.since
                          AND b.key = %s)
        """
        sql = f"""
            SELECT i.customer_id, 'stage:' || i.stage_id || ':' || {_MICROSECONDS.format(at="i.since")} AS occasion,
                   i.since AS due_at, NULL::bigint AS grant_id, '{{}}'::jsonb AS about
            FROM customers_customerstage i JOIN customers_stage s ON s.id = i.stage_id AND s.key = %s
            WHERE i.since >= %s AND i.since < %s {before if args["before"] else ""}
        """  # noqa: S608
        return sql, [args["stage"], window.since, window.until, *([args["before"]] if args["before"] else [])]


@occasions.register
class StageLeft(_Move):
    """Key: the change."""

    key = "stage_left"
    label = _("Left a stage of life")
    facts = (facts_in("customers_stagechange"),)

    class form_class(forms.Form):
        stage = stage_field()

    @classmethod
    def sentence(cls, args):
        return _t("as soon as she leaves the stage “%(name)s”") % {"name": _stage_name(args["stage"])}

    @classmethod
    def due_sql(cls, args, window):
        sql = """
            SELECT h.customer_id, 'left_stage:' || h.id AS occasion, h.at AS due_at, NULL::bigint AS grant_id,
                   '{}'::jsonb AS about
            FROM customers_stagechange h JOIN customers_stage s ON s.id = h.before_id AND s.key = %s
            WHERE h.at >= %s AND h.at < %s AND NOT EXISTS (
                SELECT FROM customers_customerstage i WHERE i.customer_id = h.customer_id AND i.stage_id = s.id)
        """
        return sql, [args["stage"], window.since, window.until]


@occasions.register
class RfmMoved(_Move):
    """Key: the change. Whoever moved on meanwhile is not meant."""

    key = "rfm_moved"
    label = _("Moved to another RFM group")
    facts = (facts_in("customers_rfmchange"),)

    class form_class(forms.Form):
        before = group_field(label=_("from the group"))
        after = group_field(label=_("to the group"))

        def clean(self):
            cleaned = super().clean() or self.cleaned_data
            if not (cleaned.get("before") or cleaned.get("after") or self.errors):
                self.add_error("after", forms.ValidationError(_("Name a group."), code="required"))
            return cleaned

    @classmethod
    def sentence(cls, args):
        words = {name: rfm.GROUPS[args[name]].label for name in ("before", "after") if args[name]}
        if args["before"] and args["after"]:
            return _t("as soon as she moves from “%(before)s” to “%(after)s”") % words
        if args["after"]:
            return _t("as soon as she comes into the group “%(after)s”") % words
        return _t("as soon as she leaves the group “%(before)s”") % words

    @classmethod
    def due_sql(cls, args, window):
        named = [(column, args[column]) for column in ("before", "after") if args[column]]
        only = "".join(f' AND h."{column}" = %s' for column, _group in named)
        sql = f"""
            SELECT h.customer_id, 'rfm:' || h.id AS occasion, h.at AS due_at, NULL::bigint AS grant_id,
                   '{{}}'::jsonb AS about
            FROM customers_rfmchange h
            WHERE h.at >= %s AND h.at < %s {only} AND NOT EXISTS (
                SELECT FROM customers_rfmchange l WHERE l.customer_id = h.customer_id AND l.id > h.id)
        """  # noqa: S608
        return sql, [window.since, window.until, *(group for _column, group in named)]
