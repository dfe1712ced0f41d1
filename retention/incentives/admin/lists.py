"""The console's lists of codes, grants and redemptions: what happened, to be read."""

from __future__ import annotations

from django.contrib import admin
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from retention.doors.console import DaysFilter, FactAdmin
from retention.doors.console.words import actor_words, behalf, noted
from retention.incentives import views
from retention.incentives.baskets import amount_text
from retention.incentives.codes import readings
from retention.incentives.models import Code, Grant, Redemption


@admin.register(Code)
class CodeAdmin(FactAdmin):
    list_display = ["code", "shown_incentive", "shown_state", "customer", "given_at", "expires_at"]
    list_filter = [["incentive", AutocompleteSelectFilter], "state"]
    search_fields = ["code__startswith"]
    search_help_text = _("The beginning of a code, however it is typed.")
    sortable_by = ["code"]
    list_select_related = ["incentive", "customer"]
    fields = [
        "code",
        "incentive",
        "version",
        "state",
        "is_public",
        "customer",
        "grant",
        "starts_at",
        "expires_at",
        "given_at",
        "pictures",
    ]
    readonly_fields = ["pictures"]
    labels = {"is_public": _("One for everyone"), "incentive": _("Offer")}
    empty_hint = _("Codes are here once an offer with codes is live, and something was given or generated.")

    class Media:
        css = {"all": ["incentives/incentives.css"]}

    def get_urls(self):
        def picture(request, object_id):
            return views.picture_view(request, self, object_id)

        shown = path("<int:object_id>/picture/", self.admin_site.admin_view(picture), name="incentives_code_picture")
        return [shown, *super().get_urls()]

    @admin.display(description=_("To scan"))
    def pictures(self, code):
        address = reverse("admin:incentives_code_picture", args=[code.pk])
        return render_to_string("incentives/pictures.html", {"address": address, "code": code})

    def get_search_results(self, request, queryset, search_term):
        begun = readings(search_term)
        return super().get_search_results(request, queryset, begun[0] if begun else search_term.upper())

    @display(description=_("Offer"), ordering="incentive")
    def shown_incentive(self, code):
        return code.incentive

    @display(
        description=_("State"), label={"given": "success", "reserved": "info", "redeemed": "warning", "void": "danger"}
    )
    def shown_state(self, code):
        return code.state, code.get_state_display()


@admin.register(Grant)
class GrantAdmin(FactAdmin):
    list_display = ["granted_at", "incentive", "customer", "state", "behalf", "expires_at"]
    list_filter = [["incentive", AutocompleteSelectFilter], "state", ["granted_at", DaysFilter]]
    search_fields = ["customer__email_normal__exact", "customer__reference__exact", "code__code__exact"]
    search_help_text = _("Email, reference or code of the customer, whole")
    list_select_related = ["incentive", "customer"]
    fields = [
        "incentive",
        "version",
        "customer",
        "state",
        "shown_terms",
        "behalf",
        "granted_at",
        "shown_by",
        "expires_at",
        "ended_at",
        "source",
    ]
    readonly_fields = ["shown_terms", "behalf", "shown_by"]
    labels = {"source": _("Idempotency key")}
    empty_hint = _("Whatever a campaign, an agent or the shop's system gives to a customer is listed here.")

    @display(description=_("Decided for this customer"))
    def shown_terms(self, grant):
        return noted(grant.terms)

    @display(description=_("On behalf of"))
    def behalf(self, grant):
        return behalf(grant.origin, grant.origin_id)

    @display(description=_("Granted by"))
    def shown_by(self, grant):
        return actor_words(grant.granted_by)


@admin.register(Redemption)
class RedemptionAdmin(FactAdmin):
    empty_hint = _("The shop's checkout redeems codes through the API.")
    list_display = ["redeemed_at", "shown_offers", "shown_discount", "order_reference", "customer", "shown_state"]
    list_filter = [["redeemed_at", DaysFilter]]
    search_fields = ["order_reference__exact"]
    search_help_text = _("The order's number, whole")
    sortable_by = ["redeemed_at"]
    list_select_related = ["customer"]
    fields = [
        "public_id",
        "shown_offers",
        "customer",
        "order_reference",
        "shown_discount",
        "shown_effects",
        "held_until",
        "redeemed_at",
        "shown_given_back",
        "ended_at",
    ]
    readonly_fields = ["shown_offers", "shown_discount", "shown_effects", "shown_given_back"]
    labels = {"public_id": _("Number for the shop"), "ended_at": _("Undone at")}

    class Media:
        css = {"all": ["incentives/incentives.css"]}

    def get_urls(self):
        page = self.admin_site.admin_view(lambda request: views.abuse_view(request, self))
        return [path("abuse/", page, name="incentives_abuse"), *super().get_urls()]

    @admin.display(description=_("Offers"))
    def shown_offers(self, redemption):
        offers = redemption.effects.get("offers", ())
        return ", ".join(f"{offer['code'] or _('by itself')} ({offer['incentive']['name']})" for offer in offers)

    @display(description=_("Discount"))
    def shown_discount(self, redemption):
        return amount_text(redemption.discount_minor, redemption.currency)

    @display(description=_("Given back"))
    def shown_given_back(self, redemption):
        return amount_text(redemption.given_back_minor, redemption.currency)

    @display(
        description=_("State"),
        label={"held": "info", "redeemed": "success", "returned": "warning", "rolled_back": "danger"},
    )
    def shown_state(self, redemption):
        if redemption.state == Redemption.State.REDEEMED and redemption.given_back_minor:
            return "returned", _("returned in part")
        return redemption.state, redemption.get_state_display()

    @admin.display(description=_("Taken off"))
    def shown_effects(self, redemption):
        # A row from another system may say no more than its sum.
        return views.effects_table(redemption.effects) if redemption.effects else None
