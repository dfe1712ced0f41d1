"""Pictures of codes say the code: the barcode is read back bar by bar, the QR is compared dot by dot."""

import io
import re
import struct
import zlib

import pytest
import segno
from barcode.charsets.code128 import CODES, STOP, B
from django.urls import reverse

from retention.actors import Actor
from retention.doors.keys import create_key
from retention.incentives.models import Code
from retention.incentives.pictures import PICTURES
from retention.shop.models import Staff

TEXTS = ["ABC", "SPRING20X", "X" * 60, "A_1234567890_Z", "00001111"]


def dots(png):
    """Rows of a one-bit picture as texts of 0 (dark) and 1, from its bytes."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, data, size = 8, b"", (0, 0)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + content)
        if kind == b"IHDR":
            size = struct.unpack(">II", content[:8])
        data += content if kind == b"IDAT" else b""
        at += 12 + length
    raw, wide = zlib.decompress(data), -(-size[0] // 8)
    rows = [raw[at + 1 : at + 1 + wide] for at in range(0, len(raw), wide + 1)]
    assert len(rows) == size[1]
    return ["".join(f"{byte:08b}" for byte in row)[: size[0]] for row in rows]


def read_bars(modules):
    """What a scanner says: symbols of eleven modules, digits in pairs where the set is C, and a right check symbol."""
    inside = modules.strip("0")
    assert len(modules) - len(inside) >= 20, "white on both sides"
    stop = STOP + "11"
    assert inside.endswith(stop)
    body = inside.removesuffix(stop)
    values = [CODES.index(body[at : at + 11]) for at in range(0, len(body), 11)]
    assert values[-1] == (values[0] + sum(n * v for n, v in enumerate(values[1:-1], 1))) % 103
    text, is_pairs = "", values[0] == 105
    for value in values[1:-1]:
        if value in (99, 100):
            is_pairs = value == 99
        else:
            text += f"{value:02}" if is_pairs else {v: k for k, v in B.items()}[value]
    return text


@pytest.mark.parametrize("text", TEXTS)
def test_a_barcode_can_be_read_back(text):
    (row,) = set(dots(PICTURES["barcode", "png"](text)))
    modules = "".join("1" if dot == "0" else "0" for dot in row[::3])
    assert read_bars(modules) == text
    svg = PICTURES["barcode", "svg"](text).decode()
    drawn = ["0"] * len(modules)
    for at, wide in re.findall(r"M(\d+) 0v48h(\d+)v-48z", svg):
        drawn[int(at) : int(at) + int(wide)] = "1" * int(wide)
    assert "".join(drawn) == modules
    assert f">{text}</text>" in svg


@pytest.mark.parametrize("text", TEXTS)
def test_a_qr_holds_the_code_and_nothing_else(text):
    wanted = io.BytesIO()
    segno.make(text, error="m", micro=False).save(wanted, kind="png", scale=8, border=4)
    assert PICTURES["qr", "png"](text) == wanted.getvalue()
    assert PICTURES["qr", "svg"](text).startswith(b"<svg")
    assert b"<?xml" not in PICTURES["qr", "svg"](text)


@pytest.fixture
def code(offer, shop):
    offer(codes={"kind": "public", "text": "SPRING-20"})
    return Code.objects.get()


@pytest.mark.django_db
@pytest.mark.parametrize("shape", ["qr.svg", "qr.png", "barcode.svg", "barcode.png"])
def test_the_page_of_a_code_shows_and_hands_out_its_pictures(client, code, shape):
    client.force_login(Staff.objects.create_superuser("root", "r@example.com", "x"))
    page = client.get(f"/admin/incentives/code/{code.pk}/change/").content.decode()
    url = reverse("admin:incentives_code_picture", args=[code.pk])
    assert f"{url}?as={shape}&amp;file" in page
    answer = client.get(f"{url}?as={shape}&file")
    assert answer["Content-Disposition"] == f'attachment; filename="SPRING20-{shape}"'
    assert answer.content == PICTURES[tuple(shape.split("."))]("SPRING20")
    assert client.get(f"{url}?as=barcode.exe").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("shape", ["qr.svg", "qr.png", "barcode.svg", "barcode.png"])
def test_the_api_draws_a_code_however_it_is_typed(client, code, shape, now):
    scope = "incentives:read"
    secret = create_key(name="shop", scopes=[scope], known=[scope], now=now, by=Actor.command("test")).secret
    headers = {"authorization": f"Bearer {secret}"}
    answer = client.get(f"/api/v1/codes/spring-20/{shape}", headers=headers)
    assert answer.status_code == 200
    assert answer["Content-Type"] == {"svg": "image/svg+xml", "png": "image/png"}[shape.partition(".")[2]]
    assert answer.content == PICTURES[tuple(shape.split("."))]("SPRING20")
    unknown = client.get(f"/api/v1/codes/NOSUCH/{shape}", headers=headers)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "incentives.no_such_code")
