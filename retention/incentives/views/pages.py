"""The console's pages of an offer beside its form: its codes as a file, codes being made, a code to scan."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from retention.doors.console import acting
from retention.incentives import operations
from retention.incentives.models import CodeBatch, Incentive
from retention.incentives.pictures import CONTENT_TYPES, PICTURES
from retention.money import to_major
from retention.refusals import Refused


def codes_file(request: HttpRequest, object_id: Any) -> HttpResponse:
    """A CSV file, streamed; `?batch=` names one batch."""
    batch = request.GET.get("batch", "")
    try:
        blocks = operations.export_codes(
            incentive_id=int(object_id), batch_id=int(batch) if batch.isdecimal() else None, **acting(request)
        )
    except Refused as refused:
        raise Http404(str(refused)) from refused
    name = f"codes-{object_id}-batch-{batch}.csv" if batch else f"codes-{object_id}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(blocks, content_type="text/csv; charset=utf-8", headers=headers)


@require_safe
def picture_view(request: HttpRequest, admin: Any, object_id: int) -> HttpResponse:
    """The code to scan: `?as=qr.svg`, `qr.png`, `barcode.svg` or `barcode.png`, and `&file` to keep it."""
    code = shown_row(request, admin, object_id)
    shape, _dot, ending = request.GET.get("as", "qr.svg").partition(".")
    if (shape, ending) not in PICTURES:
        raise Http404
    kept = f'attachment; filename="{code.code}-{shape}.{ending}"' if "file" in request.GET else "inline"
    headers = {"Content-Disposition": kept}
    return HttpResponse(PICTURES[shape, ending](code.code), content_type=CONTENT_TYPES[ending], headers=headers)


def batches_view(request: HttpRequest, admin: Any, object_id: int) -> HttpResponse:
    """The batches alone; the page asks for them again until all are made."""
    incentive = shown_row(request, admin, object_id)
    return TemplateResponse(request, "incentives/batches.html", batches_of(incentive, request.user))


def batches_of(incentive: Incentive, user: Any) -> dict[str, Any]:
    """The newest batches, how far they are, and the files of those who may have them."""
    batches = list(CodeBatch.objects.filter(incentive=incentive).select_related("by")[:5])
    file = reverse("admin:incentives_incentive_export_codes", args=[incentive.pk])
    return {
        "incentive": incentive,
        "batches": batches,
        "is_making": any(batch.state == CodeBatch.State.WAITING for batch in batches),
        "file": file if user.has_perm("incentives.export_code") else None,
    }


def shown_row(request: HttpRequest, admin: Any, object_id: Any) -> Any:
    if not admin.has_view_permission(request):
        raise PermissionDenied
    row = admin.get_object(request, str(object_id))
    if row is None:
        raise Http404
    return row


def effects_table(effects: Mapping[str, Any]) -> SafeString:
    """Lines and shipping with what is taken off each."""
    currency = effects["currency"]

    def row(name: Any, quantity: Any, cell: Mapping[str, Any]) -> dict[str, Any]:
        amounts = {key: f"{to_major(cell[f'{key}_minor'], currency):f}" for key in ("amount", "discount", "total")}
        return {"name": name, "quantity": quantity, "is_less": bool(cell["discount_minor"]), **amounts}

    rows = [row(line["sku"], line["quantity"], line) for line in effects["lines"]]
    if effects["shipping"]["amount_minor"]:
        rows.append(row(_("Shipping"), "", effects["shipping"]))
    whole = {"amount_minor": effects["discount_minor"] + effects["total_minor"], **effects}
    return render_to_string(
        "incentives/effects.html", {"rows": rows, "all": row(_("All"), "", whole), "currency": currency}
    )
