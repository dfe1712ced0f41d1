"""A code as a picture: its QR and its Code 128 barcode, as SVG and as PNG. Text in, picture out."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping

import segno
from barcode import Code128

#: Modules (the narrowest bar) of white around a barcode, and how high and wide it is drawn.
_QUIET, _HIGH, _SCALE = 10, 48, 3
_TEXT_HIGH = 14


def qr_svg(text: str) -> bytes:
    picture = io.BytesIO()
    _qr(text).save(picture, kind="svg", scale=8, border=4, light="#fff", xmldecl=False)
    return picture.getvalue()


def qr_png(text: str) -> bytes:
    picture = io.BytesIO()
    _qr(text).save(picture, kind="png", scale=8, border=4)
    return picture.getvalue()


def barcode_svg(text: str) -> bytes:
    """The bars, and the code below them for the cashier whose scanner fails."""
    bars = _bars(text)
    wide = len(bars) + 2 * _QUIET
    high = _HIGH + _TEXT_HIGH
    path = "".join(f"M{_QUIET + at} 0v{_HIGH}h{length}v-{_HIGH}z" for at, length in _runs(bars))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -4 {wide} {high + 8}" width="{wide * 2}"'
        f' height="{(high + 8) * 2}" role="img" aria-label="{text}"><path fill="#fff" d="M0 -4h{wide}v{high + 8}H0z"/>'
        f'<path shape-rendering="crispEdges" d="{path}"/><text x="{wide / 2:g}" y="{high}" text-anchor="middle"'
        f' font-family="monospace" font-size="11">{text}</text></svg>'
    ).encode()


def barcode_png(text: str) -> bytes:
    """The bars alone, one bit a dot; mails say the code beside them."""
    quiet = "0" * _QUIET
    dots = "".join(("0" if module == "1" else "1") * _SCALE for module in f"{quiet}{_bars(text)}{quiet}")
    wide, high = len(dots), _HIGH * _SCALE
    padded = dots.ljust(-(-wide // 8) * 8, "0")
    row = b"\0" + int(padded, 2).to_bytes(len(padded) // 8, "big")
    head = struct.pack(">IIBBBBB", wide, high, 1, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(row * high, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


#: (what it shows, file ending) → who draws it.
PICTURES: Mapping[tuple[str, str], Callable[[str], bytes]] = {
    ("qr", "svg"): qr_svg,
    ("qr", "png"): qr_png,
    ("barcode", "svg"): barcode_svg,
    ("barcode", "png"): barcode_png,
}
CONTENT_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


def _qr(text: str) -> segno.QRCode:
    return segno.make(text, error="m", micro=False)


def _bars(text: str) -> str:
    """`1` for each dark module, `0` for each light one. A code in normal form has nothing that Code 128 lacks."""
    return Code128(text).build()[0]


def _runs(bars: str) -> list[tuple[int, int]]:
    """(where it begins, how wide) of each dark bar."""
    found, at = [], 0
    for run in bars.replace("10", "1 0").replace("01", "0 1").split():
        if run[0] == "1":
            found.append((at, len(run)))
        at += len(run)
    return found


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
