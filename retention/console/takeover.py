"""The admin application with our site in the place of Django's."""

from django.contrib.admin.apps import AdminConfig


class ConsoleAdminConfig(AdminConfig):
    default_site = "retention.console.site.ConsoleSite"
