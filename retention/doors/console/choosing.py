"""A choice of rows beside a way to write a new one, in a window of its own, without leaving the form."""

from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminSelectWidget


class ChosenOrNew(UnfoldAdminSelectWidget):
    """A select of `model`; what is written in the window becomes the choice. `label` is what the way there says."""

    def __init__(self, model: type[Model], *, label: Any, **options: Any) -> None:
        super().__init__(**options)
        self.model, self.label = model, label

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
        # What Django's own script of related windows looks for: class, id and the mark of a popup.
        return format_html(
            '{}<a class="related-widget-wrapper-link add-related inline-block mt-2 text-primary-600'
            ' dark:text-primary-500" data-popup="yes" id="add_{}" href="{}?_to_field=id&amp;_popup=1">{}</a>',
            super().render(name, value, attrs, renderer),
            (attrs or {}).get("id", f"id_{name}"),
            reverse(f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_add"),
            self.label,
        )
