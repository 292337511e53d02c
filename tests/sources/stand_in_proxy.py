"""A proxy on 127.0.0.1 that relays every tunnel and every plain request to one place, or tells a lie."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HEAD_END = b"\r\n\r\n"


class Proxy:
    """What was asked of the proxy; ``answer`` replaces its answer to CONNECT."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.heads: list[str] = []
        self.relayed = b""
        self.answer = b"HTTP/1.1 200 Connection established\r\nVia: test" + HEAD_END
        self.opens = True
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self._listening.getsockname()[1]}"

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve_one, args=(client,), daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve_one(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while HEAD_END not in head:
                piece = client.recv(4096)
                if not piece:
                    return
                head += piece
            self.heads.append(head.decode("latin-1"))
            tunnel = head.startswith(b"CONNECT ")
            if tunnel:
                client.sendall(self.answer)
            if tunnel and not self.opens:
                return
            with socket.create_connection(self._target) as server:
                if not tunnel:
                    server.sendall(_origin_form(head))
                back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
                back.start()
                self._pump(client, server)
                back.join(1)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65_536):
                self.relayed += piece
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)


def _origin_form(head: bytes) -> bytes:
    """Return a request for a URL as a request for its path."""
    verb, url, rest = head.split(b" ", 2)
    return b" ".join((verb, b"/" + url.split(b"/", 3)[3], rest))


@contextmanager
def running_proxy(target: tuple[str, int]) -> Iterator[Proxy]:
    proxy = Proxy(target)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
