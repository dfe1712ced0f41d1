"""Back-tests that were asked for: of which version, over which days, how far they are, and what came out."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from retention.audit.models import Version


class BackTest(models.Model):
    """One look back; its result stays with its version and time, whatever is saved or learned later."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    #: Still to come.
    OPEN = (State.WAITING, State.RUNNING)

    programme = models.ForeignKey("loyalty.Programme", on_delete=models.PROTECT, related_name="back_tests")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+", db_index=False)
    first = models.DateField(help_text="First day of the shop's that is looked at.")
    last = models.DateField(help_text="Last one.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    done = models.PositiveIntegerField(default=0, help_text="Facts that are through.")
    total = models.PositiveIntegerField(default=0)
    figures = models.JSONField(default=dict, help_text="The result, in the shape of `looking.Looked`.")
    error = models.CharField(max_length=300, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    computed_at = models.DateTimeField(null=True, help_text="As of when facts were read.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(first__lte=F("last")), name="loyalty_back_test_has_days"),
            models.UniqueConstraint(
                fields=["programme"], condition=Q(state__in=["waiting", "running"]), name="one_open_look_back"
            ),
        ]

    def __str__(self):
        return f"Back-test {self.pk}"
