"""An HTTP server on loopback that plays a provider: it keeps what it gets and answers as it is told."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


@dataclass
class Call:
    path: str
    headers: dict
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def json(self):
        return json.loads(self.body)


class Sink:
    """`answers` are (status, body) or "hang up", one for each call; after them 201 and a number.

    GET is answered with what `pages` holds for the path.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: list = []
        self.pages: dict[str, bytes] = {}
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                sink.calls.append(Call(self.path, headers, body))
                answer = sink.answers.pop(0) if sink.answers else (201, {"sid": f"SM{len(sink.calls)}"})
                if answer == "hang up":
                    self.connection.close()
                    return
                status, said = answer
                data = json.dumps(said).encode()
                self.send_response(status)
                if status in (301, 302, 307):
                    self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self):
                sink.calls.append(Call(self.path, {}, b""))
                page = sink.pages.get(self.path)
                self.send_response(200 if page is not None else 404)
                self.send_header("Content-Length", str(len(page or b"")))
                self.end_headers()
                self.wfile.write(page or b"")

            def log_message(self, *_words):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
