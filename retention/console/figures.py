"""What runs of jobs did, as people read it."""

from typing import Any

from django.utils.translation import gettext as _

from campaigns.reasons import reason_text


def figures_text(figures: dict[str, Any]) -> str:
    """The figures of a run as words, without the noughts and without how long it took."""
    words = [
        f"{count:,} {name}"
        for name, count in figures.items()
        if isinstance(count, int) and not isinstance(count, bool) and count
    ]
    skipped = figures.get("skipped") or {}
    words += [f"{count:,} {_('skipped')} ({reason_text(reason)})" for reason, count in skipped.items()]
    return ", ".join(words) or ("—" if not figures else _("nothing was due"))
