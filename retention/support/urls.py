"""The sorry desk's addresses, below the console's."""

from django.contrib import admin
from django.urls import path

from retention.support import views

app_name = "support"

urlpatterns = [
    path("", admin.site.admin_view(views.desk), name="desk"),
    path("found/", admin.site.admin_view(views.found), name="found"),
    path("customer/<uuid:public_id>/", admin.site.admin_view(views.customer), name="customer"),
    path("customer/<uuid:public_id>/amount/", admin.site.admin_view(views.suggestion), name="suggestion"),
    path("given/<int:compensation_id>/", admin.site.admin_view(views.given), name="given"),
    path("given/<int:compensation_id>/undo/", admin.site.admin_view(views.undone), name="undo"),
]
