"""A form's field that is a list: each of its rows a small form, with one more to fill in, and a button for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _


class _Rows(forms.BaseFormSet):
    """The rows as they were sent; those left empty are nothing."""

    def get_deletion_widget(self) -> forms.Widget:
        return forms.CheckboxInput(attrs={"class": "ref-remove"})

    def given(self) -> list[dict[str, Any]]:
        kept = [form for form in self.forms if form.has_changed() and not self._should_delete_form(form)]
        return [{name: value for name, value in form.cleaned_data.items() if name != "DELETE"} for form in kept]


class RowsWidget(forms.Widget):
    """Draws the rows; its value is a list of mappings, or the rows as they were sent."""

    def __init__(self, row: type[forms.Form], *, most: int, add: Any) -> None:
        super().__init__()
        self.add = add
        self.formset = forms.formset_factory(
            row, formset=_Rows, extra=0, can_delete=True, max_num=most, validate_max=True, absolute_max=most + 10
        )
        self.most = most

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        return self.formset(data, prefix=name) if f"{name}-TOTAL_FORMS" in data else None

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return f"{name}-TOTAL_FORMS" not in data

    def id_for_label(self, id_: str) -> str:
        return ""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        rows = value if isinstance(value, _Rows) else self.formset(initial=value or [], prefix=name)
        context = {"rows": rows, "name": name, "add": self.add, "most": self.most}
        return render_to_string("referrals/rows.html", context)


class RowsField(forms.Field):
    """Its value is a list of what each row's form holds."""

    widget: RowsWidget

    def __init__(self, row: type[forms.Form], *, most: int, add: Any, **options: Any) -> None:
        options.setdefault("required", False)
        super().__init__(widget=RowsWidget(row, most=most, add=add), **options)
        self.row = row

    def clean(self, value: Any) -> Sequence[dict[str, Any]]:
        if value is None:
            return []
        if not value.is_valid():
            raise ValidationError([*value.non_form_errors(), _("Please correct what is marked below.")])
        return value.given()

    def has_changed(self, initial: Any, data: Any) -> bool:
        return isinstance(data, _Rows) and data.has_changed()
