"""The console as an admin site: its front page by role, its navigation, and a search that reads only a few rows."""

from typing import Any

from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.dataclasses import SearchResult
from unfold.forms import AdminOwnPasswordChangeForm
from unfold.sites import UnfoldAdminSite

from retention import clock
from retention.actors import Actor
from retention.console import home, navigation
from retention.doors.operations.staff import set_password
from retention.shop.models import Staff

#: How many rows of one kind the search shows.
FOUND = 5


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """One's own password, changed by the operation that audits it."""

    def save(self, commit: bool = True) -> Staff:
        changed = set_password(
            staff_id=self.user.pk,
            password=self.cleaned_data["new_password1"],
            now=clock.now(),
            by=Actor.staff(self.user),
        )
        # The page keeps this log-in alive by the hash that is in force now; all others end.
        self.user.password = changed.password
        return self.user


class ConsoleSite(UnfoldAdminSite):
    index_title = _("Home")

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Nothing: what was done is in the audit."""
        return ()

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What one room shows. Of all rooms the sidebar tells; every page would ask for them, and show none."""
        return super().get_app_list(request, app_label) if app_label else []

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        return {**context, "log_entries": (), "sidebar_navigation": context["sidebar_navigation"] or [{"items": []}]}

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        page = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse("admin:password_change_done"),
            template_name="registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        request.current_app = self.name
        return page(request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        start = navigation.start_of(request.user)
        if start is not None:
            return redirect(start)
        cards = home.read(request.user, clock.now())
        return super().index(request, {"home": cards, **(extra_context or {})})

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The palette: pages by name, then a few rows of each kind by the beginning of what one types.

        The theme's own search reads every hit and keeps people's names in the cache.
        """
        term = request.GET.get("s", "").strip()[:100].replace("\x00", "")
        if not term:
            return HttpResponse()
        pages = navigation.pages(request)
        results = [
            SearchResult(title=title, description=group, link=link, icon="arrow_forward")
            for group, title, link in pages
            if term.lower() in title.lower()
        ]
        if len(term) > 1:
            results += [found for admin in self._searched(request) for found in self._rows(request, admin, term)]
        template = "unfold/helpers/command_results.html"
        return TemplateResponse(request, template, {"results": results}, headers={"HX-Trigger": "search"})

    def _searched(self, request: HttpRequest) -> list:
        by_label = {model._meta.label_lower: admin for model, admin in self._registry.items()}
        wanted = [by_label[label] for label in navigation.SEARCHED if label in by_label]
        return [a for a in wanted if a.get_search_fields(request) and a.has_view_or_change_permission(request)]

    def _rows(self, request: HttpRequest, admin: Any, term: str) -> list[SearchResult]:
        rows, _duplicates = admin.get_search_results(request, admin.get_queryset(request), term)
        opts = admin.model._meta
        return [
            SearchResult(
                title=str(row),
                description=str(opts.verbose_name).capitalize(),
                link=navigation.address(f"{opts.app_label}_{opts.model_name}_change", row.pk),
                icon="data_object",
            )
            for row in rows[:FOUND]
        ]
