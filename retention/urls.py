"""Which door answers at which address."""

from django.contrib import admin
from django.urls import include, path, re_path

from retention.api.mount import api, nowhere

urlpatterns = [
    path("admin/sorry/", include("retention.support.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", api.urls),
    re_path(r"^api/(?P<path>.*)$", nowhere),
]
