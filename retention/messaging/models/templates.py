"""What we say: templates in every language, their compiled words, and topics to choose from."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from retention.audit.models import Version
from retention.public_ids import PublicIdField


class Way(models.TextChoices):
    """How words reach a customer; the adapters in `channels/` are found by these keys."""

    EMAIL = "email", _("email")
    SMS = "sms", _("text message")
    PUSH = "push", _("push notice")
    INBOX = "inbox", _("inbox on the shop's site")
    WEBHOOK = "webhook", _("webhook")


class Template(models.Model):
    """A message in every language of the shop."""

    class Category(models.TextChoices):
        MARKETING = "marketing", _("marketing: needs consent")
        TRANSACTIONAL = "transactional", _("transactional: someone is waiting for it")

    public_id = PublicIdField()
    key = models.SlugField(max_length=60, unique=True, null=True, blank=True, help_text="Of a ready template.")
    name = models.CharField(max_length=120)
    channel = models.CharField(max_length=10, choices=Way.choices, default=Way.EMAIL)
    category = models.CharField(max_length=15, choices=Category.choices, default=Category.MARKETING)
    topic = models.CharField(max_length=60, blank=True, help_text="Consent for it is asked beside marketing.")
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        permissions = [("send_test_template", "Can send a test of a template to herself")]

    def __str__(self):
        return self.name


class Topic(models.Model):
    """Something customers choose to get or not beside marketing as a whole, such as news of one genre."""

    key = models.CharField(
        max_length=50,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9_-]+$", _("Small letters, digits, - and _ only."), code="not_a_key")],
        help_text="As templates and consents name it (topic:key); it stays as it is.",
    )
    names = models.JSONField(help_text="What customers read, by language.")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["key"]

    def __str__(self):
        return self.key


class CompiledTemplate(models.Model):
    """One language of one template version, compiled at save: MJML is HTML already, Liquid is still Liquid."""

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="compiled_templates")
    language = models.CharField(max_length=12)
    subject = models.TextField(blank=True)
    html = models.TextField(blank=True)
    text = models.TextField()
    url = models.TextField(blank=True, help_text="Where a notice leads; still Liquid.")
    placeholders = models.JSONField(default=list, help_text="Keys it uses: only these are looked up.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "language"], name="compiled_once_a_language")]

    def __str__(self):
        return f"{self.version_id} {self.language}"


class Block(models.Model):
    """A part of a mail that templates use by its key, in every language it has; saved whole as versions."""

    key = models.SlugField(max_length=50, unique=True, help_text="As templates name it; it stays as it is.")
    name = models.CharField(max_length=120)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["key"]

    def __str__(self):
        return self.name


class BrandKit(models.Model):
    """How the shop's mails look: one row, whose version says it."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    version = models.ForeignKey(Version, null=True, editable=False, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "brand kit"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="brand_kit_is_single")]

    def __str__(self):
        return "Brand kit"
