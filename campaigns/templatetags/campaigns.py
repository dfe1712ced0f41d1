"""What templates ask about campaigns."""

from django import template
from django.utils.translation import gettext as _

from campaigns.models import Campaign
from campaigns.plans import plan_of
from retention.incentives.models import Incentive
from retention.incentives.rules import sentence
from retention.incentives.versions import rule_of
from retention.messaging.models import Template

register = template.Library()


@register.filter
def campaign_sentence(campaign: Campaign) -> str:
    """The whole plan as it was last saved, as a sentence or two."""
    if campaign.version is None:
        return ""
    plan = plan_of(campaign)
    who = campaign.audience.name if campaign.audience else _("Everyone")
    if plan.countries:
        who += " " + _("in %(countries)s") % {"countries": ", ".join(plan.countries)}
    if campaign.excluded:
        who += " " + _("without %(segment)s") % {"segment": campaign.excluded.name}
    words = _("%(who)s, %(when)s.") % {"who": who, "when": plan.of.sentence(plan.cleaned_args())}
    incentives = Incentive.objects.in_bulk(plan.incentives)
    templates = Template.objects.in_bulk(plan.templates)
    for step in plan.steps:
        parts = []
        if step.incentive in incentives:
            parts.append(sentence(rule_of(incentives[step.incentive].version_id)))
        parts += [_("the message “%(name)s”") % {"name": templates[pk].name} for pk in step.messages if pk in templates]
        wait = _("After %(hours)s hours: ") % {"hours": step.wait.hours} if step.wait.hours else _("Then: ")
        words += " " + wait + "; ".join(parts) + "."
    return words
