"""The shop's settings, which are one page, and its exchange rates."""

from django import forms
from django.contrib import admin
from django.contrib.postgres.forms import SimpleArrayField
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from retention.audit.querysets import versions_of
from retention.doors.console import EditAdmin, VersionHistory, acting
from retention.doors.operations.shop import save_shop, set_rate
from retention.shop.models import ExchangeRate, Shop


class ShopForm(forms.ModelForm):
    languages = SimpleArrayField(
        forms.CharField(max_length=12),
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Codes with commas between them, such as en, ko, ru. The first is the default."),
    )


@admin.register(Shop)
class ShopAdmin(VersionHistory, EditAdmin):
    """One row: its list leads straight to it."""

    form = ShopForm
    fieldsets = [
        (
            _("The shop"),
            {"fields": ["name", "website_url", "cart_link", "country", "time_zone", "currency", "languages"]},
        ),
        (_("Messages"), {"fields": ["sender_name", "sender_email", "postal_address", "has_double_opt_in"]}),
        (_("Brand"), {"fields": ["brand_color", "logo_url"]}),
    ]

    def has_add_permission(self, request):
        return super().has_change_permission(request) and not Shop.objects.exists()

    def changelist_view(self, request, extra_context=None):
        if self.has_view_or_change_permission(request) and (shop := Shop.objects.first()):
            return redirect(reverse("admin:shop_shop_change", args=[shop.pk]))
        return super().changelist_view(request, extra_context)

    def get_readonly_fields(self, request, obj=None):
        return ["currency"] if obj else []

    def version_number(self, obj):
        newest = versions_of(obj).first() if obj else None
        return newest.number if newest else None

    def operate(self, request, form, formsets, change):
        values = {name: form.cleaned_data[name] for name in form.cleaned_data if name not in ("edited", "why")}
        words = {"edited": form.cleaned_data["edited"], "why": form.cleaned_data["why"]}
        return save_shop(values=values, **words, **acting(request))

    def restore(self, request, obj, data, edited, why):
        values = {name: value for name, value in data.items() if name not in ("id", "currency")}
        save_shop(values=values, edited=edited, why=why, **acting(request))


@admin.register(ExchangeRate)
class ExchangeRateAdmin(EditAdmin):
    is_versioned = False
    list_display = ["currency", "on", "shown_rate"]
    help_texts = {"rate": _("What one unit of it is worth in the base currency.")}
    search_fields = ["currency__istartswith"]
    fields = ["currency", "on", "rate"]

    @admin.display(description=_("rate"), ordering="rate")
    def shown_rate(self, obj):
        return f"{obj.rate.normalize():f}"

    def get_fields(self, request, obj=None):
        is_fixed = obj is not None and not self.has_change_permission(request, obj)
        return ["currency", "on", "shown_rate" if is_fixed else "rate"]

    def get_readonly_fields(self, request, obj=None):
        return ["currency", "on", "shown_rate"] if obj else []

    def operate(self, request, form, formsets, change):
        rate = form.instance
        return set_rate(currency=rate.currency, on=rate.on, rate=form.cleaned_data["rate"], **acting(request))
