"""Lists that stay fast at a million rows, and the read-only admin of facts."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.contrib.admin import ShowFacets
from django.contrib.admin.checks import ModelAdminChecks
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import capfirst
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateFilter
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

    def get_ordering_field(self, field_name: Any) -> Any:
        # An address may ask for an order that the heads of the columns do not offer.
        return super().get_ordering_field(field_name) if field_name in self.sortable_by else None

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.multi_page:
            self.result_list = self.result_list[: self.list_per_page]


class DaysFilter(RangeDateFilter):
    """From one day to another, both included, as the shop's clock has them."""

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        first, last = (self._day(f"{self.parameter_name}_{end}") for end in ("from", "to"))
        if first is not None:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": self._start_of(first)})
        if last is not None:
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": self._start_of(last + dt.timedelta(days=1))})
        return queryset

    def _day(self, name: str) -> dt.date | None:
        try:
            return forms.DateField(required=False).clean(self.used_parameters.get(name))
        except ValidationError:
            return None

    def _start_of(self, day: dt.date) -> dt.date | dt.datetime:
        if not isinstance(self.field, models.DateTimeField):
            return day
        return timezone.make_aware(dt.datetime.combine(day, dt.time()))


class FastList(RowHistory, ModelAdmin):
    """The common part of every list: pages of 50, no exact counts, no facets, nothing deleted, nothing edited in rows.

    Filter by a foreign key with `unfold.contrib.filters.admin.AutocompleteSelectFilter`, and by a text without
    choices with `FieldTextFilter`: Django's own filters select every related row, or every distinct value.
    Search fields are lookups that an index serves (`reference__startswith`, `customer__email_normal__exact`), never `^`
    and `=`, which compare in upper case. Days are `DaysFilter`'s. What grows with the shop offers in `sortable_by` only
    orders that have an index.
    """

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    #: Found by each search field; nobody reads further.
    search_limit = 500
    list_max_show_all = 0
    list_filter_submit = True
    # "Select all 10,000" beside a capped count would promise less than it does.
    list_disable_select_all = True
    warn_unsaved_form = True
    #: What an empty list says below "No … yet": where such rows come from.
    empty_hint: Any = ""
    #: Field → what people call it here, where the model's own word is one of the house.
    labels: Mapping[str, Any] = {}
    help_texts: Mapping[str, Any] = {}
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    # The theme's own checks read the permission table, which an empty database does not have yet.
    checks_class = ModelAdminChecks

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedChangeList

    def get_search_results(self, request: HttpRequest, queryset: models.QuerySet, search_term: str) -> tuple:
        """Each field is asked by itself and without an order: all of them at once would read the whole table."""
        term = search_term.strip().replace("\x00", "")
        if not term:
            return queryset, False
        found: set[Any] = set()
        for lookup in self.get_search_fields(request):
            # References and codes are kept in one case or another; people type what comes.
            for typed in {term} if "__i" in lookup else {term, term.upper(), term.lower()}:
                rows = queryset.filter(**{lookup: typed}).order_by()
                found.update(rows.values_list("pk", flat=True)[: self.search_limit])
        return queryset.filter(pk__in=found), False

    def buttons_of(self, obj: models.Model) -> Collection[str] | None:
        """The buttons of `actions_detail` that make sense for this row as it is now; None: all of them."""
        return None

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list:
        offered = super().get_actions_detail(request, object_id)
        if not offered:
            return offered
        obj = self.get_object(request, str(object_id))
        shown = self.buttons_of(obj) if obj is not None else ()
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [each for each in offered if shown is None or each.action_name.removeprefix(prefix) in shown]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # Hints are for who fills something in.
        may_fill = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        silent = {} if may_fill else dict.fromkeys((field.name for field in self.opts.fields), "")
        words = {"labels": dict(self.labels), "help_texts": silent or dict(self.help_texts)}
        return super().get_form(request, obj, change=change, **{**words, **kwargs})

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, {**title, **(extra_context or {})})

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
    sortable_by: Any = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False
