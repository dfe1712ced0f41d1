"""What was counted of referrals, kept so that nobody waits for it."""

from django.db import models

from referrals.models.schemes import Scheme


class ReportCount(models.Model):
    """The figures of one period as they were counted last, in the shape of their classes (`referrals.reports`)."""

    scheme = models.ForeignKey(Scheme, null=True, on_delete=models.CASCADE, related_name="+", help_text="Empty: all.")
    first = models.DateField()
    last = models.DateField()
    days = models.PositiveSmallIntegerField(help_text="Within which a customer's worth is counted.")
    figures = models.JSONField(default=dict)
    counted_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True, help_text="Somebody waits for newer ones.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "first", "last", "days"], name="one_count_a_report", nulls_distinct=False
            )
        ]

    def __str__(self):
        return f"Report {self.first} … {self.last}"
