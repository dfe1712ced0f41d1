"""The scheduled work of back-tests: those that were asked for."""

from django.utils.translation import gettext_lazy as _

from campaigns.backtests.models import BackTest
from campaigns.backtests.operations import JOB, do_back_tests
from retention.registries import DueJob, jobs


@jobs.register
class BackTests(DueJob):
    """One at a time, apart from what customers wait for."""

    key = JOB
    label = _("Back-tests that were asked for")
    queue = "bulk"
    order = 60

    @classmethod
    def run(cls, *, now, progress):
        return {"due": do_back_tests(now=now, progress=progress)}

    @classmethod
    def preview(cls, *, now):
        return {"due": BackTest.objects.filter(state__in=BackTest.OPEN).count()}
