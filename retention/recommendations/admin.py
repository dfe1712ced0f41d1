"""What goes with what: said by hand, and counted from orders."""

from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from retention.doors.console import EditAdmin, FactAdmin, acting, button
from retention.recommendations import operations
from retention.recommendations.models import BoughtTogether, ProductLink


@admin.register(ProductLink)
class ProductLinkAdmin(EditAdmin):
    is_versioned = False
    list_display = ("product", "kind", "other", "position")
    list_filter = (("product", AutocompleteSelectFilter), "kind")
    list_select_related = ("product", "other")
    search_fields = ("product__sku__startswith", "other__sku__startswith")
    fields = ("product", "kind", "other", "position")
    autocomplete_fields = ("product", "other")
    actions_detail = ["remove"]
    empty_hint = _("Say what makes a look together, and what to suggest after a purchase. Sales say the rest by night.")
    remove = button(
        operations.remove_link,
        of="link_id",
        done=_("They are no longer linked."),
        goes_to=lambda _nothing: reverse("admin:recommendations_productlink_changelist"),
        title=_("Take back this link"),
        description=_("Nobody is shown the one with the other because of it any more."),
        permissions=["change"],
        icon="link_off",
        variant=ActionVariant.DANGER,
    )

    def operate(self, request, form, formsets, change):
        data = form.cleaned_data
        return operations.save_link(
            link_id=form.instance.pk,
            product_id=data["product"].pk,
            other_id=data["other"].pk,
            kind=data["kind"],
            position=data["position"],
            **acting(request),
        )


@admin.register(BoughtTogether)
class BoughtTogetherAdmin(FactAdmin):
    list_display = ("product", "other", "orders", "shown_score")
    list_filter = (("product", AutocompleteSelectFilter),)
    list_select_related = ("product", "other")
    search_fields = ("product__sku__exact",)
    fields = ("product", "other", "orders", "score")
    empty_hint = _("Each night all orders of a year are counted: what was in one order at least twice is listed here.")

    @display(description=_("score"))
    def shown_score(self, obj: BoughtTogether) -> str:
        return f"{obj.score:.2f}"
