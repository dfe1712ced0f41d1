"""An SMTP server that misbehaves on purpose, at a chosen step of the conversation."""

import socket
import threading


class Wire:
    """Plays `acts`, one for each mail, then behaves; `mails` holds what came in whole.

    Acts: ok, cut_rcpt, cut_after_mail, stall_mail, stall_answer, close_after, 421, refuse_rcpt, and refuse_rcpt_354,
    which goes on all the same.
    """

    host = "127.0.0.1"

    def __init__(self, acts=(), *, pipelining=False) -> None:
        self.acts = list(acts)
        self.pipelining = pipelining
        self.mails: list[tuple[str, bytes]] = []
        self.connections = 0
        self._listener = socket.create_server((self.host, 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *exc) -> None:
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        file = connection.makefile("rb")

        def say(text: str) -> None:
            connection.sendall(f"{text}\r\n".encode())

        try:
            say("220 wire")
            act, recipient = "ok", ""
            while line := file.readline().strip():
                verb = line[:4].upper()
                if verb in (b"EHLO", b"HELO"):
                    say("250-wire\r\n250 PIPELINING" if self.pipelining else "250 wire")
                elif verb == b"MAIL":
                    act = self.acts.pop(0) if self.acts else "ok"
                    if act == "stall_mail":
                        threading.Event().wait(5)
                        return
                    say("421 4.3.2 Closing" if act == "421" else "250 Ok")
                elif verb == b"RCPT":
                    if act == "cut_rcpt":
                        connection.shutdown(socket.SHUT_RDWR)
                        return
                    recipient = line.partition(b"<")[2].rstrip(b">").decode()
                    say("550 5.1.1 Nobody" if act.startswith("refuse_rcpt") else "250 Ok")
                elif verb == b"DATA" and act in ("refuse_rcpt", "421"):
                    say("554 5.5.1 No valid recipients")
                elif verb == b"DATA":
                    say("354 Go on")
                    self._take(file, connection, act, recipient, say)
                    if act in ("cut_after_mail", "stall_answer", "close_after"):
                        connection.shutdown(socket.SHUT_RDWR)
                        return
                elif verb == b"QUIT":
                    say("221 Bye")
                    return
                else:
                    say("250 Ok")
        except (OSError, ValueError):
            return

    def _take(self, file, connection, act, recipient, say) -> None:
        rows = []
        while (row := file.readline()) != b".\r\n":
            if not row:
                return
            rows.append(row.removeprefix(b".") if row.startswith(b".") else row)
        self.mails.append((recipient, b"".join(rows)))
        if act == "stall_answer":
            threading.Event().wait(2)
        if act != "cut_after_mail":
            say("250 2.0.0 Ok: queued as WIRE1")
