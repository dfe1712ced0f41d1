"""The scheduled work of results: those of many touches, when somebody waits for them."""

from django.utils.translation import gettext_lazy as _

from campaigns.results.counting import JOB, count_waiting, waiting
from retention.registries import DueJob, jobs


@jobs.register
class CountResults(DueJob):
    key = JOB
    label = _("Count the results of large campaigns that somebody looks at")
    queue = "bulk"
    order = 62

    @classmethod
    def run(cls, *, now, progress):
        return {"due": count_waiting(now=now, progress=progress)}

    @classmethod
    def preview(cls, *, now):
        return {"due": len(waiting())}
