"""The links of a message: which of them are counted, how they are written into the mail, and where they lead."""

from __future__ import annotations

import re
from functools import lru_cache

_HREF = re.compile(r"""(<a\b[^>]*?\shref=)(["'])(.*?)\2""", re.DOTALL | re.IGNORECASE)
_LIQUID = re.compile(r"\{\{\s*(\w+)")
#: What stands behind these placeholders is her right, not our business.
_LEFT_ALONE = {"unsubscribe_url", "preferences_url", "confirmation"}


def _is_counted(target: str) -> bool:
    names = set(_LIQUID.findall(target))
    starts = target.lstrip().lower()
    return not names & _LEFT_ALONE and (starts.startswith(("http://", "https://", "{{")) and "{%" not in target)


def counted(html: str, click: str, pixel: str) -> str:
    """The compiled mail with its links led past us, `click` and the link's number, and a pixel at its end."""
    number = -1

    def led(match: re.Match[str]) -> str:
        nonlocal number
        if not _is_counted(match.group(3)):
            return match.group()
        number += 1
        return f"{match.group(1)}{match.group(2)}{click}{number}{match.group(2)}"

    image = f'<img src="{pixel}" width="1" height="1" alt="" style="display:block;border:0" />'
    return re.sub(r"</body>", lambda end: image + end.group(), _HREF.sub(led, html), count=1)


@lru_cache(maxsize=300)
def targets(html: str) -> tuple[str, ...]:
    """Where the counted links of a compiled mail lead, still Liquid, in the order of their numbers."""
    return tuple(match.group(3) for match in _HREF.finditer(html) if _is_counted(match.group(3)))
