"""What templates ask about campaigns."""

from django import template

from campaigns.models import Campaign
from campaigns.plans import Ramp, plan_of, running_plan
from campaigns.progress import codes_out_words
from campaigns.sentences import Difference, differences, ramp_words, summary

register = template.Library()


@register.filter
def campaign_sentence(campaign: Campaign) -> str:
    """The whole plan as it was last saved, in a few sentences."""
    return summary(plan_of(campaign)) if campaign.version is not None else ""


@register.filter
def ramp_sentence(campaign: Campaign) -> str:
    """How far it is opened now."""
    ramp = campaign.reach.ramp
    return ramp_words(Ramp(**ramp) if ramp else None)


@register.filter
def pending_changes(campaign: Campaign) -> list[Difference]:
    """What the newest version says otherwise than the one that runs."""
    return differences(running_plan(campaign), plan_of(campaign))


register.filter("codes_out", codes_out_words)
