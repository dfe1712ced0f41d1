"""Frames: a filled frame is the mail that the standard library would have made, whatever the words."""

import datetime as dt
import email
import email.policy
import uuid
from email.message import EmailMessage
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.messaging import compilation, frames, ready, rendering
from retention.messaging.models import CompiledTemplate
from retention.messaging.placeholders import for_all, samples

NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
REFERENCE = uuid.UUID(int=7)
URL = "https://shop.example.com/u/AbC.d-_e"
SENDER = '"Tea & Co" <shop@example.com>'
#: Words as people and attackers write them; halves of surrogate pairs cannot reach us through UTF-8.
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
lines = st.one_of(words, st.text('aé안 =?_\r\n"\\,<>@:;()', max_size=120))


def filled(*, name="Anna", address="anna@example.com", subject="Hi", text="Hello", html="<p>Hello</p>", bulk=True):
    frame = frames.frame(SENDER, has_html=bool(html), is_bulk=bulk, is_test=False)
    return frames.fill(
        frame,
        name=name,
        address=address,
        subject=subject,
        text=text,
        html=html,
        reference=REFERENCE,
        domain="example.com",
        now=NOW,
        unsubscribe_url=URL if bulk else None,
    )


def by_the_library(*, name, address, subject, text, html):
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = SENDER
    message["To"] = email.headerregistry.Address(name, addr_spec=address)
    message["Subject"] = subject
    message["Message-ID"] = f"<{REFERENCE}@example.com>"
    message["Date"] = format_datetime(NOW)
    message["List-Unsubscribe"] = f"<{URL}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def read(raw):
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    headers = {
        # The library reads the white space between two encoded words of a name as part of it, and writes none between
        # two of a subject; nobody else does.
        name.lower(): "".join(str(value).split()) if name in ("To", "Subject") else str(value)
        for name, value in message.items()
        if name.lower() not in ("content-type", "mime-version")
    }
    parts = [
        (part.get_content_type(), part.get_content_charset(), part["Content-Transfer-Encoding"], part.get_content())
        for part in message.walk()
        if not part.is_multipart()
    ]
    return headers, message.get_content_type(), parts


@settings(max_examples=100, deadline=None)
@given(name=lines, subject=lines, text=words, html=words)
def test_a_filled_frame_says_what_the_library_says(name, subject, text, html):
    name, subject = frames.clean_line(name)[:100].strip(), frames.clean_line(subject)
    text, html = (frames._UNSPEAKABLE.sub(" ", part) for part in (text, html or "<p></p>"))
    # The library itself calls a first line that begins with white space a header.
    ours = read(filled(name=name, subject=subject, text=text, html=html or "-"))
    theirs = read(
        by_the_library(name=name, address="anna@example.com", subject=subject, text=text, html=html or "-").as_bytes()
    )
    assert ours == theirs


@settings(max_examples=100, deadline=None)
@given(name=lines, subject=lines, text=words)
def test_no_words_can_add_a_header_or_break_the_transfer(name, subject, text):
    raw = filled(name=name, subject=subject, text=text)
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    rows = raw.split(b"\r\n")
    assert max(map(len, rows)) <= 998
    assert raw.isascii()
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    assert sorted(message.keys()) == [
        "Auto-Submitted",
        "Content-Type",
        "Date",
        "From",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
    ]
    assert [address.addr_spec for address in message["To"].addresses] == ["anna@example.com"]
    assert not message.defects


#: As customers are called; the last one would like to be a header.
NAMES = (
    "Anna",
    "김민준",
    "Анна «Я» Меньшикова",
    "Zoë " + "O’Hara-" * 12,
    'Ann "=?utf-8?q?x?=" <b>\r\nBcc: x@example.com',
    "",
)


@pytest.mark.parametrize("key", sorted(ready.TEMPLATES))
def test_every_ready_mail_in_every_language_is_the_one_the_library_makes(key):
    """The way of the outbox, folded and framed once and filled for each, beside one whole message of the library's."""
    item = ready.TEMPLATES[key]
    is_bulk = item.category == "marketing"
    compiled, faults = compilation.compile_words(item.words, is_marketing=is_bulk, samples=samples())
    assert faults == []
    assert {one.language for one in compiled} == set(item.words)
    for one in compiled:
        parsed = rendering.parse(
            CompiledTemplate(
                version_id=0,
                language=one.language,
                subject=one.subject,
                html=one.html,
                text=one.text,
                url=one.url,
                placeholders=one.placeholders,
            )  # fmt: skip
        )
        folded = rendering.Folded(parsed, for_all(samples()))
        # Each name meets many mails, and each mail some name.
        name = NAMES[(len(key) + len(one.text)) % len(NAMES)]
        values = {**samples(), "customer": {**samples()["customer"], "first_name": name}}
        words, plain = folded.render(values), rendering.render(parsed, values)
        shown = frames.clean_line(name)[:100].strip()
        raw = filled(name=name, subject=words.subject, text=words.text, html=words.html)
        ours = read(raw)
        assert email.message_from_bytes(raw, policy=email.policy.SMTP)["Subject"] == frames.clean_line(words.subject)
        said = {"name": shown, "address": "anna@example.com", "subject": frames.clean_line(plain.subject)}
        assert ours == read(by_the_library(**said, text=plain.text, html=plain.html).as_bytes()), (one.language, name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Anna Meyer", "Anna Meyer"),
        ('Anna "The Tea" Meyer', 'Anna "The Tea" Meyer'),
        ("Meyer, Anna", "Meyer, Anna"),
        ("김민준", "김민준"),
        ("=?utf-8?q?trick?=", "=?utf-8?q?trick?="),
        ("a\r\nBcc: all@example.com", "a Bcc: all@example.com"),
        ("x" * 200, "x" * 100),
        ("", ""),
    ],
)
def test_names_come_through(name, shown):
    message = email.message_from_bytes(filled(name=name), policy=email.policy.SMTP)
    (address,) = message["To"].addresses
    assert (address.display_name, address.addr_spec) == (shown, "anna@example.com")


@pytest.mark.parametrize("address", ["a b@example.com", "a@b@c.com", "a@", "@b.c", "a\r\n@b.c", "å@example.com", ""])
def test_an_address_that_no_envelope_takes_is_refused(address):
    with pytest.raises(frames.BadAddress):
        frames.envelope_address(address)


def test_a_domain_in_another_script_becomes_punycode():
    assert frames.envelope_address("anna@пример.рф") == "anna@xn--e1afmkfd.xn--p1ai"


def test_a_plain_text_mail_has_one_part():
    headers, kind, parts = read(filled(html="", bulk=False, text="Only words\nof two lines"))
    assert kind == "text/plain"
    assert parts == [("text/plain", "utf-8", "quoted-printable", "Only words\r\nof two lines\r\n")]
    assert "list-unsubscribe" not in headers
