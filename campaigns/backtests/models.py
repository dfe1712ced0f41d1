"""Back-tests that were asked for: of which version, over which days, how far they are, and what came out."""

from django.db import models
from django.db.models import Q

from retention.work import models as work


class BackTest(work.BackTest):
    """One replay of a plan; its figures in the shape of `figures.of_replay`."""

    campaign = models.ForeignKey("campaigns.Campaign", on_delete=models.PROTECT, related_name="back_tests")

    class Meta(work.BackTest.Meta):
        constraints = [
            *work.BackTest.Meta.constraints,
            models.UniqueConstraint(
                fields=["campaign"], condition=Q(state__in=["waiting", "running"]), name="one_open_back_test"
            ),
        ]
