"""The mail server that other tests rely on."""

import smtplib

import pytest
from django.core import mail


def test_it_keeps_what_django_sends(smtp):
    message = mail.EmailMultiAlternatives("Hello", "plain text", "shop@example.com", ["ann@example.com"])
    message.attach_alternative("<p>rich text</p>", "text/html")
    assert message.send() == 1
    (kept,) = smtp.to("ann@example.com")
    assert kept.message["Subject"] == "Hello"
    assert kept.text().strip() == "plain text"
    assert kept.text("html").strip() == "<p>rich text</p>"
    assert smtp.to("bob@example.com") == []


def test_it_refuses_whom_it_is_told_to(smtp):
    smtp.refuse["ann@example.com"] = "550 5.1.1 No such user"
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        mail.send_mail("Hello", "text", "shop@example.com", ["ann@example.com"])
    assert smtp.messages == []


def test_it_can_put_off_everyone(smtp):
    smtp.refuse_data = "451 4.3.0 Try later"
    with pytest.raises(smtplib.SMTPDataError):
        mail.send_mail("Hello", "text", "shop@example.com", ["ann@example.com"])
    assert smtp.messages == []
