"""What people carry out by hand, and tickets that are checked in at a door: both made by the grant that gives them."""

from django.db import models
from django.db.models import Q

from retention.incentives.models.offers import Grant
from retention.public_ids import PublicIdField


class Fulfilment(models.Model):
    """Something that a grant promised and people make happen: an experience, a present. Open ones are the work-list."""

    class State(models.TextChoices):
        OPEN = "open", "to be done"
        DONE = "done"
        CANCELLED = "cancelled"

    public_id = PublicIdField()
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="fulfilments")
    place = models.PositiveSmallIntegerField(help_text="Among the effects of the grant's rule.")
    what = models.CharField(max_length=120)
    instructions = models.CharField(max_length=1000, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    asked_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=80, blank=True, help_text="The actor's name.")
    note = models.CharField(max_length=300, blank=True, help_text="Such as the number of the parcel.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["grant", "place"], name="one_fulfilment_an_effect"),
            models.CheckConstraint(
                condition=Q(state="open", settled_at=None) | (~Q(state="open") & Q(settled_at__isnull=False)),
                name="fulfilment_is_settled_at_some_time",
            ),
        ]
        indexes = [models.Index(fields=["id"], name="fulfilment_open", condition=Q(state="open"))]
        permissions = [("settle_fulfilment", "Can settle what is on the work-list")]

    def __str__(self):
        return self.what


class Ticket(models.Model):
    """A seat or another entry, known by the code of its grant and checked in once."""

    public_id = PublicIdField()
    grant = models.OneToOneField(Grant, on_delete=models.PROTECT, related_name="ticket")
    name = models.CharField(max_length=120, help_text="Of the event, or of whatever it lets in to.")
    checked_in_at = models.DateTimeField(null=True)
    checked_in_by = models.CharField(max_length=80, blank=True, help_text="The actor's name.")
    withdrawn_at = models.DateTimeField(null=True, help_text="The order that brought it was undone.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(checked_in_at=None) | Q(withdrawn_at=None), name="withdrawn_ticket_lets_nobody_in"
            )
        ]
        permissions = [("check_in_ticket", "Can check in tickets")]

    def __str__(self):
        return self.name
