"""What was counted of referrals, kept so that nobody waits for it: every figure of a report is a sum of these rows.

All of them are counted anew, part by part (`referrals.reports.totals`); they hold nothing that is not told elsewhere,
but how many were invited by visits that were deleted since. Money is of the base currency.
"""

from django.db import models

from referrals.models.schemes import Advocate, Scheme


class SchemeDay(models.Model):
    """Who came to a scheme on a day; and what was spent and given, within a month, for friends who came on that day.

    The heads are in the row of the day's own month.
    """

    scheme = models.ForeignKey(Scheme, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(help_text="The shop's.")
    month = models.DateField(help_text="Its first day.")
    advocates = models.IntegerField()
    invitations = models.IntegerField()
    friends = models.IntegerField()
    won = models.IntegerField()
    rewarded = models.IntegerField()
    rejected = models.IntegerField()
    reversed = models.IntegerField()
    open = models.IntegerField()
    spend_minor = models.BigIntegerField()
    won_spend_minor = models.BigIntegerField(help_text="Of it, by friends who were won.")
    reward_minor = models.DecimalField(max_digits=24, decimal_places=6)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scheme", "day", "month"], name="one_sum_a_day_and_month")]

    def __str__(self):
        return f"Scheme {self.scheme_id} on {self.day}"


class AdvocateDay(models.Model):
    """The friends whom an advocate brought on a day; and what they spent and cost since, within a month.

    The heads are in the row of the day's own month.
    """

    advocate = models.ForeignKey(Advocate, on_delete=models.CASCADE, related_name="+", db_index=False)
    scheme = models.ForeignKey(Scheme, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField(help_text="The shop's.")
    month = models.DateField(help_text="Its first day.")
    friends = models.IntegerField()
    typed = models.IntegerField(help_text="Of the friends, those who followed no link.")
    won = models.IntegerField()
    rewarded = models.IntegerField()
    rejected = models.IntegerField()
    reversed = models.IntegerField()
    open = models.IntegerField()
    spend_minor = models.BigIntegerField()
    won_spend_minor = models.BigIntegerField(help_text="Of it, by friends who were won.")
    reward_minor = models.DecimalField(max_digits=24, decimal_places=6)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["advocate", "day", "month"], name="one_sum_an_advocate_and_day")]
        indexes = [models.Index(fields=["scheme", "day"], name="advocate_day_by_day")]

    def __str__(self):
        return f"Advocate {self.advocate_id} on {self.day}"


class WorthDay(models.Model):
    """What customers whose first order was on a day spent within so many days of it, as sums of powers.

    Those whom a scheme brought; with no scheme, those whom any did, or whom nobody brought.
    """

    scheme = models.ForeignKey(Scheme, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    is_brought = models.BooleanField()
    within = models.PositiveSmallIntegerField(help_text="Days from the first order on; they are over.")
    day = models.DateField(help_text="The shop's.")
    customers = models.IntegerField()
    total = models.FloatField()
    squares = models.FloatField()
    cubes = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "is_brought", "within", "day"], name="one_worth_a_day", nulls_distinct=False
            )
        ]

    def __str__(self):
        return f"Worth of {self.day} within {self.within} days"


class TrialCount(models.Model):
    """The arms of a scheme's test as they were counted last."""

    scheme = models.OneToOneField(Scheme, primary_key=True, on_delete=models.CASCADE, related_name="+")
    began_at = models.DateTimeField(help_text="Of the test: figures of another draw are none of this one's.")
    arms = models.JSONField(help_text="The fields of `experiments.comparison.Arm`, by key.")
    counted_at = models.DateTimeField()

    def __str__(self):
        return f"Test of scheme {self.scheme_id}"
