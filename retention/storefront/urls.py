"""Addresses that stand in mails: short, and never changed, since mails are never forgotten."""

from django.urls import path

from retention.storefront import club, hooks, referring, statements, tracking, views

app_name = "storefront"
urlpatterns = [
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("p/<str:token>", views.preferences, name="preferences"),
    path("c/<str:token>", views.confirm, name="confirm"),
    path("r/<str:code>", referring.personal_link, name="personal-link"),
    path("a/<str:token>", statements.partner_statement, name="statement"),
    path("club/<slug:key>", club.programme, name="programme"),
    path("m/<str:token>", club.member, name="member"),
    path("o/<str:token>.gif", tracking.pixel, name="pixel"),
    path("l/<str:token>/<int:number>", tracking.link, name="link"),
    path("hooks/sms/", hooks.text_answer, name="text-hook"),
    path("hooks/sms/<str:token>/", hooks.text_status, name="text-status"),
    path("hooks/<slug:provider>/", hooks.mail_provider, name="mail-hook"),
    path("q/sample.png", views.sample_picture, {"shape": "qr"}, name="sample-picture"),
    path("q/<str:token>.png", views.code_picture, {"shape": "qr"}, name="code-picture"),
    path("b/sample.png", views.sample_picture, {"shape": "barcode"}, name="sample-barcode"),
    path("b/<str:token>.png", views.code_picture, {"shape": "barcode"}, name="code-barcode"),
]
