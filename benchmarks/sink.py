"""A mail server that says yes and forgets: as little Python as SMTP allows, so that senders are measured, not it.

Run as `python -m benchmarks.sink`; prints its port, and answers `XCOUNT` with how many mails it took.
"""

import socket
import threading

_ANSWERS = {
    b"EHLO": b"250-sink\r\n250 PIPELINING\r\n",
    b"HELO": b"250 sink\r\n",
    b"MAIL": b"250 2.1.0 Ok\r\n",
    b"RCPT": b"250 2.1.5 Ok\r\n",
    b"RSET": b"250 2.0.0 Ok\r\n",
    b"NOOP": b"250 2.0.0 Ok\r\n",
}
_taken = 0


def serve(connection: socket.socket) -> None:
    global _taken
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(b"220 sink\r\n")
    waiting = answers = b""
    while True:
        while b"\r\n" not in waiting:
            connection.sendall(answers)
            answers = b""
            received = connection.recv(65536)
            if not received:
                return
            waiting += received
        line, waiting = waiting.split(b"\r\n", 1)
        verb = line[:4].upper()
        if verb == b"DATA":
            connection.sendall(answers + b"354 Go on\r\n")
            answers = b""
            parts, tail = [waiting], waiting[-5:]
            while not tail.endswith(b"\r\n.\r\n"):
                received = connection.recv(262144)
                if not received:
                    return
                parts.append(received)
                tail = (tail + received)[-5:]
            waiting = b""
            _taken += 1
            answers = b"250 2.0.0 Ok: queued as SINK\r\n"
        elif verb == b"QUIT":
            connection.sendall(answers + b"221 Bye\r\n")
            return
        elif verb == b"XCOU":
            answers += b"250 %d\r\n" % _taken
        else:
            answers += _ANSWERS.get(verb, b"500 What\r\n")


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _address = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
