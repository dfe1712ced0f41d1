"""Which door answers at which address."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path, reverse_lazy
from django.views.generic import RedirectView

from retention.api.mount import api, nowhere

urlpatterns = [
    # First, as patterns are tried in turn and checkouts wait for these.
    path("api/v1/", api.urls),
    re_path(r"^api/(?P<path>[\s\S]*)$", nowhere),
    path("", RedirectView.as_view(url=reverse_lazy("admin:index"))),
    path(f"{settings.CONSOLE_PATH}sorry/", include("retention.support.urls")),
    path(f"{settings.CONSOLE_PATH}campaigns/", include("campaigns.urls")),
    path(settings.CONSOLE_PATH, admin.site.urls),
    path("", include("retention.storefront.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
]

handler500 = "retention.console.answers.broken"
handler403 = "retention.console.answers.forbidden"
handler404 = "retention.console.answers.not_found"
