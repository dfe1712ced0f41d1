"""What campaigns do: plan, approve, launch, reach who is due, stop."""

from campaigns.operations.calendars import missing_holidays, refresh_holidays, save_holiday
from campaigns.operations.drafts import NoSuchPlaybook, PlaybookIsComing, create_from_playbook
from campaigns.operations.forecasting import Forecast, forecast
from campaigns.operations.glancing import glance, running
from campaigns.operations.life import (
    AlreadyLaunched,
    NeverLaunched,
    NotApproved,
    NotLive,
    NotPaused,
    StillRunning,
    archive,
    end,
    finish,
    launch,
    pause,
    resume,
)
from campaigns.operations.planning import (
    CampaignArchived,
    CampaignEnded,
    NoSuchCampaign,
    NoSuchTemplate,
    OneMessageAChannel,
    clone,
    create_campaign,
    save_campaign,
)
from campaigns.operations.previewing import preview
from campaigns.operations.ramps import NotWider, widen
from campaigns.operations.reaching import Figures, reach
from campaigns.operations.readiness import DateHasPassed, IncentiveNotUsable, TemplateNotUsable
from campaigns.operations.review import (
    ApprovedMeanwhile,
    NoReason,
    NotADraft,
    NothingToApprove,
    NotInReview,
    OwnWork,
    approve,
    needs_another,
    reject,
    save_policy,
    submit,
)

__all__ = [
    "AlreadyLaunched",
    "ApprovedMeanwhile",
    "CampaignArchived",
    "CampaignEnded",
    "DateHasPassed",
    "Figures",
    "Forecast",
    "IncentiveNotUsable",
    "NeverLaunched",
    "NoReason",
    "NoSuchCampaign",
    "NoSuchPlaybook",
    "NoSuchTemplate",
    "NotADraft",
    "NotApproved",
    "NotInReview",
    "NotLive",
    "NotPaused",
    "NotWider",
    "NothingToApprove",
    "OneMessageAChannel",
    "OwnWork",
    "PlaybookIsComing",
    "StillRunning",
    "TemplateNotUsable",
    "approve",
    "archive",
    "clone",
    "create_campaign",
    "create_from_playbook",
    "end",
    "finish",
    "forecast",
    "glance",
    "launch",
    "missing_holidays",
    "needs_another",
    "pause",
    "preview",
    "reach",
    "refresh_holidays",
    "reject",
    "resume",
    "running",
    "save_campaign",
    "save_holiday",
    "save_policy",
    "submit",
    "widen",
]
