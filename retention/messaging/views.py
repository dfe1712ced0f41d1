"""Console pages of messaging that show mails: in a frame of their own, where nothing runs and pictures may load."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from retention import clock
from retention.messaging import operations, texting
from retention.messaging.brand import Brand
from retention.messaging.forms import WordsWidget, customer_from, placed
from retention.messaging.models import Delivery, Template, Way
from retention.messaging.operations import Preview
from retention.messaging.operations.previews import CannotRender
from retention.messaging.operations.templates import TemplateFaulty
from retention.messaging.querysets import usable_templates
from retention.refusals import Refused

#: A mail in a frame: no script, no form, no window of its own; its pictures may come from anywhere, as in a mail box.
_POLICY = "default-src 'none'; img-src * data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


#: What programs do that have no dark version of a mail: colours turned round, pictures left as they are.
_DARK = (
    "<style>html{filter:invert(1) hue-rotate(180deg);background:#fff}img,video,[background]{filter:invert(1)"
    " hue-rotate(180deg)}</style>"
)


def framed(html: str, status: int = 200) -> HttpResponse:
    answer = HttpResponse(html, status=status)
    answer["Content-Security-Policy"] = _POLICY
    answer["Referrer-Policy"] = "no-referrer"
    answer["Cache-Control"] = "no-store"
    return answer


def _shown(request: HttpRequest, preview: Preview, part: str, note: str = "", scheme: str = "") -> HttpResponse:
    """The subject above the mail itself, or above its plain text; dark as programs show it that turn colours round."""
    count = texting.segments(preview.text.strip()) if preview.is_text_message else 0
    top = render_to_string("messaging/envelope.html", {"preview": preview, "note": note, "segments": count})
    if part == "text" or not preview.html:
        return framed(render_to_string("messaging/plain.html", {"preview": preview, "top": top}))
    # Whoever looks at it reaches us by this address, whatever mails call us.
    html = preview.html.replace(f"{settings.BASE_URL}/q/", request.build_absolute_uri("/q/"))
    start = html.find(">", html.find("<body")) + 1
    dark = _DARK if scheme == "dark" else ""
    return framed(html[:start] + dark + top + html[start:])


def look(request: HttpRequest, brand: Brand) -> HttpResponse:
    """The first mail there is, with samples, as this kit makes it look; before there is one, a word about that."""
    template = usable_templates().filter(channel=Way.EMAIL).order_by("pk").first()
    if template is None:
        return framed(render_to_string("messaging/faults.html", {"note": _("There is no template to show it on yet.")}))
    try:
        preview = operations.preview(template_id=template.pk, brand=brand, now=clock.now())
    except CannotRender as refused:
        return framed(render_to_string("messaging/faults.html", {"refusal": str(refused)}))
    asked = request.POST if request.method == "POST" else request.GET
    return _shown(request, preview, "html", scheme=asked.get("preview_scheme", asked.get("scheme", "")))


def _on_day(text: str) -> dt.datetime:
    """Now, or this time of day on the day that was chosen."""
    now = clock.now()
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), now.timetz())
    except ValueError:
        return now


@xframe_options_sameorigin
@require_POST
def template_preview(request: HttpRequest) -> HttpResponse:
    """What is typed in the editor, saved or not, as a customer would get it."""
    if not request.user.has_perm("messaging.view_template"):
        raise PermissionDenied
    words = WordsWidget().value_from_datadict(request.POST, request.FILES, "words")
    asked = request.POST.get("preview_customer", "")
    customer = customer_from(asked)
    note = _("There is no such customer; these are samples.") if asked.strip() and customer is None else ""
    if not words:
        note = _("Write a subject and some blocks, and see the mail here as you type.")
        return framed(render_to_string("messaging/faults.html", {"note": note}))
    try:
        preview = operations.preview(
            words=words,
            category=request.POST.get("category") or Template.Category.MARKETING,
            channel=request.POST.get("channel") or Way.EMAIL,
            customer_id=customer.pk if customer else None,
            language=request.POST.get("preview_language", ""),
            now=_on_day(request.POST.get("preview_date", "")),
        )
    except TemplateFaulty as refused:
        faults = [placed(fault) for fault in refused.faults]
        return framed(render_to_string("messaging/faults.html", {"faults": faults}))
    except Refused as refused:
        return framed(render_to_string("messaging/faults.html", {"refusal": str(refused)}))
    return _shown(
        request, preview, request.POST.get("preview_part", "html"), note, request.POST.get("preview_scheme", "")
    )


@xframe_options_sameorigin
@require_GET
def template_message(request: HttpRequest, object_id: int) -> HttpResponse:
    """A saved template with samples, in one of its languages (`?language=`): for those who may only look."""
    if not request.user.has_perm("messaging.view_template"):
        raise PermissionDenied
    if not Template.objects.filter(pk=object_id).exclude(version=None).exists():
        raise Http404
    try:
        preview = operations.preview(template_id=object_id, language=request.GET.get("language", ""), now=clock.now())
    except CannotRender as refused:
        return framed(render_to_string("messaging/faults.html", {"refusal": str(refused)}))
    return _shown(request, preview, request.GET.get("part", "html"), scheme=request.GET.get("scheme", ""))


@xframe_options_sameorigin
@require_GET
def delivery_message(request: HttpRequest, object_id: int) -> HttpResponse:
    """A delivery's message as its customer reads it, or would."""
    if not request.user.has_perm("messaging.view_delivery"):
        raise PermissionDenied
    if not Delivery.objects.filter(pk=object_id).exists():
        raise Http404
    try:
        preview = operations.preview_delivery(delivery_id=object_id, now=clock.now())
    except CannotRender as refused:
        return framed(render_to_string("messaging/faults.html", {"refusal": str(refused)}))
    return _shown(request, preview, request.GET.get("part", "html"), scheme=request.GET.get("scheme", ""))
