"""Back-tests that were asked for: of which version, over which days, how far they are, and what came out."""

from django.db import models
from django.db.models import Q

from retention.work import models as work


class BackTest(work.BackTest):
    """One look back by the rules of a programme; its figures in the shape of `looking.Looked`."""

    programme = models.ForeignKey("loyalty.Programme", on_delete=models.PROTECT, related_name="back_tests")

    class Meta(work.BackTest.Meta):
        constraints = [
            *work.BackTest.Meta.constraints,
            models.UniqueConstraint(
                fields=["programme"], condition=Q(state__in=["waiting", "running"]), name="one_open_look_back"
            ),
        ]
