"""Reads of experiments: whom the shop holds out of all campaigns."""

from retention.experiments.holdouts import Holdout
from retention.experiments.models import GlobalHoldout


def global_holdout() -> Holdout | None:
    """Whom campaigns pass over now; None: nobody."""
    row = GlobalHoldout.objects.filter(percent__gt=0).first()
    return Holdout(row.seed, row.percent) if row is not None else None
