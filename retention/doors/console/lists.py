"""Lists that stay fast at a million rows, and the read-only admin of facts."""

from typing import Any

from django.contrib.admin import ShowFacets
from django.contrib.admin.checks import ModelAdminChecks
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from retention.doors.console.history import RowHistory


class CappedPaginator(Paginator):
    """Counts no further than `CAP` rows, so that neither the count nor the deepest page reads a whole table."""

    CAP = 10_000
    template_name = "console/pagination.html"

    @cached_property
    def count(self) -> int:
        return min(self._count_to_cap, self.CAP)

    @cached_property
    def is_capped(self) -> bool:
        return self._count_to_cap > self.CAP

    @cached_property
    def _count_to_cap(self) -> int:
        if not hasattr(self.object_list, "query"):
            return len(self.object_list)
        # The order does not change how many there are, and without it the first rows found will do.
        return self.object_list.order_by().values("pk")[: self.CAP + 1].count()


class BoundedChangeList(ChangeList):
    """Reads a page also where the whole list fits on one: it may have grown since it was counted."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.multi_page:
            self.result_list = self.result_list[: self.list_per_page]


class FastList(RowHistory, ModelAdmin):
    """The common part of every list: pages of 50, no exact counts, no facets, nothing deleted, nothing edited in rows.

    Filter by a foreign key with `unfold.contrib.filters.admin.AutocompleteSelectFilter`, and by a text without
    choices with `FieldTextFilter`: Django's own filters select every related row, or every distinct value.
    Search with prefix lookups (`^name` or `name__startswith`), which an index can serve.
    """

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0
    list_filter_submit = True
    # "Select all 10,000" beside a capped count would promise less than it does.
    list_disable_select_all = True
    warn_unsaved_form = True
    #: What an empty list says below "No … yet": where such rows come from.
    empty_hint: Any = ""
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    # The theme's own checks read the permission table, which an empty database does not have yet.
    checks_class = ModelAdminChecks

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedChangeList

    def get_actions(self, request: HttpRequest) -> dict:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        """Nobody deletes in the console: facts stay, configuration is archived."""
        return False

    # What was done is in the audit and in the versions; a second log would keep people's names.
    def log_addition(self, request, obj, message):
        return None

    def log_change(self, request, obj, message):
        return None

    def log_deletions(self, request, queryset):
        return None


class FactAdmin(FastList):
    """Read-only: what happened is not edited by hand."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False
