"""The room's scheduled work: forgetting answers whose callers will not ask again."""

import datetime as dt

from django.utils.translation import gettext_lazy as _

from retention.doors.idempotency import forget_answers, old_answers
from retention.registries import DueJob, jobs


@jobs.register
class ForgetAnswers(DueJob):
    key = "doors.forget_answers"
    label = _("Forget old answers of the API")
    queue = "bulk"
    at = dt.time(4, 40)
    order = 90

    @classmethod
    def run(cls, *, now, progress):
        return {"due": forget_answers(now=now, progress=progress)}

    @classmethod
    def preview(cls, *, now):
        return {"due": old_answers(now).count()}
