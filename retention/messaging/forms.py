"""The template editor's form: words by language in tabs, what may be said in them, and a preview beside."""

from __future__ import annotations

from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from retention.customers.addresses import normal_email
from retention.customers.models import Customer
from retention.doors.console import ConfirmForm
from retention.messaging import placeholders
from retention.messaging.compilation import PARTS, PARTS_OF
from retention.messaging.models import Template, Way
from retention.messaging.words import locale
from retention.shop.models import Shop

_LABELS = {
    "subject": _("Subject"),
    "preheader": _("Preview line"),
    "body": _("Blocks (MJML)"),
    "text": _("Plain text"),
    "url": _("Leads to"),
}
_HELP = {
    "preheader": _("What mail programs show behind the subject."),
    "body": _("The shop's name, colours and address stand around them by themselves."),
    "text": _("In a mail: left empty, it is read out of the blocks."),
    "url": _("The address that opens when she follows the notice."),
}
#: Ready blocks to insert: label, source.
SNIPPETS = (
    (_("Heading"), '<mj-text font-size="24px" font-weight="700">Heading</mj-text>'),
    (_("Text"), "<mj-text><p>Text</p></mj-text>"),
    (_("Button"), '<mj-button href="{{ shop.website_url }}">Button</mj-button>'),
    (_("Picture"), '<mj-image src="https://" alt="What it shows" />'),
    (
        _("Coupon"),
        '{% if coupon %}\n<mj-section padding="0 24px">\n'
        '  <mj-column border="2px dashed #9ca3af" border-radius="12px" padding="12px 0">\n'
        '    <mj-text align="center">{{ coupon.sentence }}</mj-text>\n'
        '    <mj-text align="center" font-size="28px" font-weight="700" css-class="code">{{ coupon.code }}</mj-text>\n'
        '    <mj-image src="{{ coupon.qr_url }}" alt="{{ coupon.code }}" width="148px" />\n'
        "    {% if coupon.expires_on %}\n"
        '    <mj-text align="center">Good until {{ coupon.expires_on }}</mj-text>\n    {% endif %}\n'
        '    {% if coupon.terms %}\n    <mj-text align="center">{{ coupon.terms }}</mj-text>\n    {% endif %}\n'
        "  </mj-column>\n</mj-section>\n{% endif %}",
    ),
    (
        _("Two columns"),
        "<mj-section>\n  <mj-column><mj-text>Left</mj-text></mj-column>\n"
        "  <mj-column><mj-text>Right</mj-text></mj-column>\n</mj-section>",
    ),
    (_("Line"), "<mj-divider />"),
    (_("Only if"), "{% if customer.first_name %}\n\n{% endif %}"),
)


class WordsWidget(forms.Widget):
    """{language: {part: text}} as tabs of text fields; each named `words-LANGUAGE-PART`."""

    template_name = "messaging/words.html"
    channel = Way.EMAIL.value

    class Media:
        js = ["messaging/editor.js"]
        css = {"all": ["messaging/editor.css"]}

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> str:
        # The renderer of forms looks into apps only, and our templates lie together in one folder.
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        words = value if isinstance(value, dict) else {}
        languages = list(dict.fromkeys([*Shop.objects.get().languages, *words]))
        context["tabs"] = [
            {
                "language": language,
                "label": locale(language).get_display_name(),
                "is_written": any(words.get(language, {}).values()),
                "parts": [
                    {
                        "part": part,
                        "name": f"{name}-{language}-{part}",
                        "label": _LABELS[part],
                        "help": _HELP.get(part, ""),
                        "is_long": part in ("body", "text"),
                        "rows": {"body": 22, "text": 8}.get(part),
                        "channels": " ".join(channel for channel, parts in PARTS_OF.items() if part in parts),
                        "value": words.get(language, {}).get(part, ""),
                    }
                    for part in PARTS
                ],
            }
            for language in languages
        ]
        context["placeholders"] = placeholders.listed()
        context["snippets"] = SNIPPETS
        context["channel"] = self.channel
        context["preview_url"] = reverse("admin:messaging_template_preview")
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, dict[str, str]]:
        words: dict[str, dict[str, str]] = {}
        for key in data:
            start, _dash, rest = key.partition("-")
            language, _dash, part = rest.rpartition("-")
            if start == name and language and part in PARTS:
                words.setdefault(language, {})[part] = data[key].replace("\r\n", "\n")
        return {language: parts for language, parts in words.items() if any(text.strip() for text in parts.values())}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str) -> str:
        return ""


class WordsField(forms.Field):
    widget = WordsWidget

    def clean(self, value: Any) -> dict[str, dict[str, str]]:
        return value or {}

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or {}) != (data or {})


class TemplateForm(forms.ModelForm):
    words = WordsField(label=_("Words"), required=False)

    class Meta:
        model = Template
        fields = ("name", "channel", "category", "topic", "words")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "words" in self.fields:
            self.fields["words"].widget.channel = self.instance.channel
        if self.instance.pk and self.instance.version:
            self.initial["words"] = self.instance.version.data["words"]


def customer_from(text: str) -> Customer | None:
    """The customer of an email or a reference; None for an empty text or nobody."""
    text = text.strip()
    if not text:
        return None
    living = Customer.objects.filter(merged_into=None, erased_at=None)
    return living.filter(email_normal=normal_email(text)).first() or living.filter(reference=text).first()


class TestForm(ConfirmForm):
    """Which customer's values and which language a test has."""

    __test__ = False

    customer = forms.CharField(
        label=_("As this customer"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Email or reference; empty: samples."),
    )
    language = forms.CharField(
        label=_("Language"), required=False, max_length=12, widget=UnfoldAdminTextInputWidget, help_text="en, ko …"
    )

    def clean_customer(self) -> int | None:
        text = self.cleaned_data["customer"]
        if not text:
            return None
        found = customer_from(text)
        if found is None:
            raise forms.ValidationError(_("There is no such customer."))
        return found.pk


def languages() -> list[str]:
    """The shop's, its default first."""
    shop = Shop.objects.first()
    return shop.languages if shop else ["en"]


def placed(fault: Any) -> str:
    """`English · body, line 3, column 5: …`"""
    return format_html(
        "{} · {}, {}: {}",
        locale(fault.language).get_display_name(),
        fault.part,
        _("line %(line)s, column %(column)s") % {"line": fault.line, "column": fault.column},
        str(fault),
    )


class NamesWidget(forms.Widget):
    """One line, or a few where it `is_long`, for each language of the shop."""

    def __init__(self, attrs: Any = None, *, is_long: bool = False) -> None:
        super().__init__(attrs)
        self.is_long = is_long

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
        lines = []
        for language in languages():
            widget = UnfoldAdminTextareaWidget({"rows": 2}) if self.is_long else UnfoldAdminTextInputWidget()
            field = widget.render(
                f"{name}_{language}", (value or {}).get(language, ""), {"id": f"id_{name}_{language}"}, renderer
            )
            lines.append((f"id_{name}_{language}", locale(language).get_display_name(), field))
        return format_html_join("", '<div class="mb-3"><label class="block mb-1" for="{}">{}</label>{}</div>', lines)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        said = {language: data.get(f"{name}_{language}", "").strip() for language in languages()}
        return {language: text for language, text in said.items() if text}

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_{languages()[0]}"
