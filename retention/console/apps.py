"""The `console` room as Django sees it."""

from importlib import import_module

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "retention.console"
    label = "console"

    def ready(self):
        # Django's log-in can be heard only by its signals; what listens needs the models, which exist from now on.
        signals = import_module("django.contrib.auth.signals")
        logins = import_module("retention.console.logins")
        signals.user_logged_in.connect(logins.logged_in, dispatch_uid="audit log-in")
        signals.user_logged_out.connect(logins.logged_out, dispatch_uid="audit log-out")
        signals.user_login_failed.connect(logins.log_in_failed, dispatch_uid="audit refused log-in")
