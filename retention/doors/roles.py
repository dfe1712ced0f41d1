"""Who may do what: one table of permission × role. Rights are given here and nowhere else."""

from django.utils.translation import gettext_lazy as _

#: Letter → key of the group, and what people call it. Administrators have every right of the table.
ROLES = {
    "M": ("marketer", _("Marketer")),
    "L": ("marketing lead", _("Marketing lead")),
    "S": ("support agent", _("Support agent")),
    "A": ("analyst", _("Analyst")),
    "Z": ("administrator", _("Administrator")),
}

#: Permission → the roles that have it beside the administrator; "" is the administrator alone.
#: Nobody deletes in the console, so no `delete_…` is here.
TABLE = {
    # The shop
    "shop.view_shop": "ML",
    "shop.change_shop": "",
    "shop.view_exchangerate": "MLA",
    "shop.add_exchangerate": "",
    "shop.change_exchangerate": "",
    "shop.view_staff": "",
    "shop.add_staff": "",
    "shop.change_staff": "",
    "auth.view_group": "",
    "doors.view_apikey": "",
    "doors.add_apikey": "",
    "doors.change_apikey": "",
    "audit.view_auditentry": "L",
    "axes.view_accessattempt": "",
    # Work
    "work.view_job": "MLA",
    "work.change_job": "",
    "work.view_jobrun": "MLA",
    "work.view_import": "ML",
    "work.add_import": "ML",
    "work.change_import": "ML",
    "work.view_alert": "MLSA",
    "work.change_alert": "ML",
    "django_celery_beat.view_periodictask": "",
    "django_celery_beat.change_periodictask": "",
    # Customers and facts
    "customers.view_customer": "MLSA",
    "customers.add_customer": "ML",
    "customers.change_customer": "ML",
    "customers.import_customer": "ML",
    "customers.export_customer": "L",
    "customers.view_attributedefinition": "MLA",
    "customers.add_attributedefinition": "ML",
    "customers.change_attributedefinition": "ML",
    "customers.view_consent": "MLS",
    "customers.view_consentstate": "MLSA",
    "customers.view_customerstats": "MLSA",
    "customers.view_product": "MLSA",
    "customers.add_product": "ML",
    "customers.change_product": "ML",
    "customers.import_product": "ML",
    "customers.export_product": "MLA",
    "customers.view_price": "MLSA",
    "customers.view_stock": "MLSA",
    "customers.view_order": "MLSA",
    "customers.import_order": "ML",
    "customers.export_order": "LA",
    "customers.view_orderline": "MLSA",
    "customers.view_return": "MLSA",
    "customers.view_returnline": "MLSA",
    "customers.view_activity": "MLSA",
    "customers.view_activitykind": "MLA",
    "customers.add_activitykind": "ML",
    "customers.change_activitykind": "ML",
    # Segments
    "segments.view_segment": "MLSA",
    "segments.add_segment": "ML",
    "segments.change_segment": "ML",
    "segments.view_membership": "MLA",
    "segments.view_customerlist": "MLA",
    "segments.add_customerlist": "ML",
    "segments.change_customerlist": "ML",
    # Incentives
    "incentives.view_incentive": "MLSA",
    "incentives.add_incentive": "ML",
    "incentives.change_incentive": "ML",
    "incentives.stop_incentive": "ML",
    "incentives.view_grant": "MLSA",
    "incentives.view_code": "MLS",
    "incentives.import_code": "ML",
    "incentives.export_code": "ML",
    "incentives.view_redemption": "MLSA",
    # Campaigns
    "campaigns.view_campaign": "MLA",
    "campaigns.add_campaign": "ML",
    "campaigns.change_campaign": "ML",
    "campaigns.approve_campaign": "L",
    "campaigns.launch_campaign": "ML",
    "campaigns.view_step": "MLA",
    "campaigns.add_step": "ML",
    "campaigns.change_step": "ML",
    "campaigns.delete_step": "ML",  # a line of the campaign's form, not a record
    "campaigns.view_touch": "MLSA",
    "campaigns.view_holiday": "MLA",
    "campaigns.add_holiday": "ML",
    "campaigns.change_holiday": "ML",
    # Messages
    "messaging.view_template": "MLSA",
    "messaging.add_template": "ML",
    "messaging.change_template": "ML",
    "messaging.send_test_template": "ML",
    "messaging.view_delivery": "MLSA",
    "messaging.settle_delivery": "L",
    "messaging.view_suppression": "ML",
    "messaging.add_suppression": "ML",
    "messaging.lift_suppression": "L",
    # Support
    "support.view_reason": "MLSA",
    "support.add_reason": "L",
    "support.change_reason": "L",
    "support.view_case": "MLSA",
    "support.add_case": "LS",
    "support.view_compensation": "MLSA",
    "support.add_compensation": "LS",
    "support.change_compensation": "LS",
    "support.undo_any_compensation": "L",
    "support.view_agentlimit": "L",
    "support.add_agentlimit": "L",
    "support.change_agentlimit": "L",
    "support.view_desk": "LS",
    "support.change_desk": "L",
}


def rights_of(letter: str) -> frozenset[str]:
    """Every permission that a role has."""
    return frozenset(permission for permission, letters in TABLE.items() if letter == "Z" or letter in letters)
