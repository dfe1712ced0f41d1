"""Who opened or clicked: a person, or a machine that reads mail for one. When in doubt, a person."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

#: Nobody has read a message so soon after it left; scanners in front of mailboxes have.
TOO_FAST = dt.timedelta(seconds=3)
#: Nobody follows two different links of one message within it.
AT_ONCE = dt.timedelta(seconds=2)
#: Programs that fetch before or without anybody looking. Not Gmail's proxy: it fetches when mail is shown.
_KNOWN = re.compile(
    r"bot\b|crawl|spider|slurp|preview|scanner|prefetch|headless|phantomjs|python|curl|wget|go-http|okhttp|java/"
    r"|libwww|httpclient|apache-http|axios|node-fetch|yahoomailproxy|barracuda|mimecast|proofpoint|fireeye|symantec"
    r"|trendmicro|facebookexternalhit|safelinks|bingpreview|googlesafety|virustotal|^whatsapp/|vkshare",
    re.IGNORECASE,
)
#: Apple's Mail Privacy Protection loads every picture beforehand and names itself so, and no more.
_APPLE = "Mozilla/5.0"


def is_machine(*, method: str, headers: Mapping[str, str]) -> bool:
    """Whether a hit on a pixel or link is a machine's, by what it says of itself."""
    purpose = " ".join(headers.get(name, "") for name in ("Purpose", "Sec-Purpose", "X-Purpose", "X-Moz")).lower()
    if method == "HEAD" or "prefetch" in purpose or "preview" in purpose:
        return True
    return is_machine_name(headers.get("User-Agent", ""))


def is_machine_name(user_agent: str) -> bool:
    """Whether a program that calls itself so reads mail for others; one that says nothing does."""
    name = user_agent.strip()
    return name in ("", _APPLE) or bool(_KNOWN.search(name))
