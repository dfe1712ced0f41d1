"""The mail server of a machine without one: takes every message by SMTP and keeps it as a file; nothing leaves.

Run by the owner as `python -m retention.embedded.mail PORT FOLDER`. A message is one `.eml` file, its recipients in an
`X-Envelope-To` line; the newest sort last.
"""

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP

SIZE_LIMIT = 30 * 2**20


class Folder:
    """aiosmtpd's handler: every message a file, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        last = max((int(path.stem) for path in folder.glob("*.eml") if path.stem.isdecimal()), default=0)
        self._numbers = itertools.count(last + 1)

    async def handle_DATA(self, server, session, envelope) -> str:
        path = self.folder / f"{next(self._numbers):09d}.eml"
        fresh = path.with_suffix(".new")
        recipients = ", ".join(envelope.rcpt_tos)
        fresh.write_bytes(f"X-Envelope-To: {recipients}\r\n".encode() + envelope.content)
        fresh.rename(path)
        return "250 OK kept as " + path.name


async def serve(port: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    handler = Folder(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(handler, hostname="localhost", data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True),
        host="127.0.0.1",
        port=port,
    )
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    async with server:
        await stopping.wait()


if __name__ == "__main__":
    os.umask(0o077)
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
