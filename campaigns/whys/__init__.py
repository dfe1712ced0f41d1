"""Why one customer did or did not get a campaign: every question that was or would be asked of her, in its order."""

from campaigns.whys.answers import Answer, Part, Verdict, Why
from campaigns.whys.telling import why, why_all

__all__ = ["Answer", "Part", "Verdict", "Why", "why", "why_all"]
