"""Rendering and sending mail to a local sink, against one kept SMTP connection that sends ready bytes.

`mail` is what one sender does for each customer: fill the template in her language, make the mail, hand it over.
`mail_outbox` is the whole outbox beside the same floor: claim, guards, placeholders, marks, and what becomes of each
(without coupons, whose giving is measured by `enlist`).
"""

import smtplib
import subprocess
import sys
import uuid

from benchmarks import harness

from django.conf import settings  # isort: skip
from retention import clock
from retention.actors import Actor
from retention.customers.models import ConsentState, Customer
from retention.messaging import frames, placeholders, rendering
from retention.messaging.channels.base import Letter
from retention.messaging.channels.email import Email, sender_of
from retention.messaging.models import Delivery
from retention.messaging.operations import Message, ensure_ready_template, queue, send_due
from retention.shop.models import Shop

BY = Actor.command("bench")


def start_sink() -> tuple[subprocess.Popen, int]:
    sink = subprocess.Popen([sys.executable, "-m", "benchmarks.sink"], stdout=subprocess.PIPE, text=True)
    return sink, int(sink.stdout.readline())


def people(count: int) -> list[int]:
    """Customers who agreed to marketing mail."""
    now = clock.now()
    made = Customer.objects.bulk_create(
        Customer(
            email=f"c{n}@example.com",
            given_name="Anna" if n % 2 else "민준",
            family_name="Meyer",
            language="en" if n % 2 else "ko",
            recorded_at=now,
        )
        for n in range(count)
    )
    ConsentState.objects.bulk_create(
        ConsentState(
            customer=customer,
            channel="email",
            purpose="marketing",
            is_given=True,
            address=customer.email,
            occurred_at=now,
        )
        for customer in made
    )
    return [customer.pk for customer in made]


class Bench:
    """One shop, one template with a coupon's block, and as many customers as mails."""

    def __init__(self, count: int, port: int) -> None:
        self.count = count
        self.port = port
        self.round = 0
        now = clock.now()
        Shop.objects.create(
            name="Tea & Co",
            time_zone="Europe/Berlin",
            currency="EUR",
            languages=["en", "ko"],
            sender_name="Tea & Co",
            sender_email="shop@example.com",
            postal_address="1 Leaf Lane, Hamburg",
            website_url="https://tea.example.com",
        )
        self.template = ensure_ready_template(key="birthday", now=now, by=BY)
        self.customers = people(count)
        self.parsed = rendering.templates_of({self.template.version_id})[self.template.version_id]
        self.values = placeholders.samples()
        constants = placeholders.for_all(self.values)
        self.folded = {language: rendering.folded(parsed, constants) for language, parsed in self.parsed.items()}
        self.ready = self.mail_bytes()

    def letter(self, n: int) -> Letter:
        parsed = self.parsed["en" if n % 2 else "ko"]
        name = "Anna" if n % 2 else "민준"
        values = self.values | {"customer": {"first_name": name, "last_name": "Meyer", "full_name": f"{name} Meyer"}}
        rendered = self.folded[parsed.language].render(values)
        return Letter(
            frame=(parsed.version_id, parsed.language),
            reference=uuid.uuid4(),
            name=f"{name} Meyer",
            address=f"c{n}@example.com",
            subject=rendered.subject,
            html=rendered.html,
            text=rendered.text,
            unsubscribe_url=self.values["unsubscribe_url"],
        )

    def mail_bytes(self) -> bytes:
        letter = self.letter(1)
        sender, address = sender_of(Shop.objects.get())
        return frames.fill(
            frames.frame(sender, has_html=True, is_bulk=True, is_test=False),
            name=letter.name,
            address=letter.address,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            reference=letter.reference,
            domain=address.rpartition("@")[2],
            now=clock.now(),
            unsubscribe_url=letter.unsubscribe_url,
        )

    def render_and_send(self) -> int:
        with Email.open(now=clock.now()) as line:
            for n in range(self.count):
                line.hand_over(self.letter(n))
        return self.count

    def ready_bytes(self) -> int:
        with smtplib.SMTP("127.0.0.1", self.port) as smtp:
            for n in range(self.count):
                smtp.sendmail("shop@example.com", [f"c{n}@example.com"], self.ready)
        return self.count

    def enqueue(self) -> None:
        self.round += 1
        now = clock.now()
        Delivery.objects.all().delete()
        for start in range(0, self.count, 5_000):
            part = self.customers[start : start + 5_000]
            messages = [Message(origin_id=pk, customer_id=pk) for pk in part]
            queue(template_id=self.template.pk, origin="bench.row", messages=messages, step=self.round, now=now)
        harness.settle()

    def whole_outbox(self) -> int:
        sent = send_due(now=clock.now(), worker="bench")["sent"]
        if sent != self.count:
            raise RuntimeError(f"{sent} of {self.count} were sent")
        return sent


def main() -> None:
    sink, port = start_sink()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    try:
        with harness.database():
            bench = Bench(harness.size(5_000), port)
            print(f"one mail: {len(bench.ready):,} bytes")
            harness.compare("mail", ours=bench.render_and_send, floor=bench.ready_bytes, unit="mails")
            harness.compare(
                "mail_outbox",
                ours=bench.whole_outbox,
                floor=bench.ready_bytes,
                unit="mails",
                prepare=bench.enqueue,
            )
    finally:
        sink.terminate()
        sink.wait()


if __name__ == "__main__":
    main()
