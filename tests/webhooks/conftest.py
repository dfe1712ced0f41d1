"""A receiver of webhooks on loopback, endpoints that lead to it, and facts to be told."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection

from loyalty import seeds as loyalty_seeds
from loyalty.operations.telling import Told, tell
from retention.actors import Actor
from retention.customers.models import Customer
from retention.shop.models import Shop
from retention.webhooks import operations

BY = Actor.command("test")


@dataclass(frozen=True)
class Heard:
    headers: dict[str, str]
    body: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> dict:
        return json.loads(self.body)


class Receiver:
    """Keeps what it hears. `answers` are (status, headers) or an Event that it waits for; after them it says 204."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: list = []
        #: Said whenever `answers` are used up.
        self.status = 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.heard.append(Heard({k.lower(): v for k, v in self.headers.items()}, body))
                answer = receiver.answers.pop(0) if receiver.answers else (receiver.status, {})
                if isinstance(answer, threading.Event):
                    answer.wait(10)
                    answer = (204, {})
                status, headers = answer
                said = b"" if status == 204 else b"so it is"
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receivers(settings):
    """A function that starts one more receiver; ours may be called though they are in a private network."""
    settings.PRIVATE_ADDRESSES_ALLOWED = True
    started = []

    def start() -> Receiver:
        started.append(Receiver())
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def receiver(receivers):
    return receivers()


@pytest.fixture
def endpoint(now):
    """A function that makes an endpoint that is told the given kinds at the receiver."""

    def make(receiver, *of, name="Shop", at=now):
        return operations.create_endpoint(name=name, url=receiver.url, of=of, now=at, by=BY)

    return make


@pytest.fixture
def shop(now):
    loyalty_seeds.seed(now=now)
    return Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")


@pytest.fixture
def anna(shop, now):
    return Customer.objects.create(reference="anna-1", email="anna@example.com", given_name="Anna", recorded_at=now)


@pytest.fixture
def joined(now):
    """A function that writes facts of the kind `loyalty.joined` as the room does."""

    def write(customer, *numbers, at=now):
        told = [Told(customer.pk, f"loyalty.joined:{n}", {"programme": "club"}) for n in numbers]
        tell(kind="loyalty.joined", told=told, now=at)

    return write


@pytest.fixture
def past_lease():
    """A function after which no lease holds, as if its time were over."""

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE webhooks_notice SET lease_until = lease_until - interval '1 hour'")

    return end
