"""Services of a host, and the clients that visit them."""

import socket
import struct
import threading
from contextlib import suppress

from harness.network import Namespace


class Services:
    """TCP services that take connections and answer them, as many as wanted."""

    def __init__(self, host: Namespace) -> None:
        self._host = host
        self._listeners: list[socket.socket] = []

    def __enter__(self) -> "Services":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self, *ports: int, family: socket.AddressFamily = socket.AF_INET) -> list[int]:
        new = [self._host.listener(port, family) for port in ports]
        self._listeners += new
        for listener in new:
            threading.Thread(target=self._serve, args=(listener,), daemon=True).start()
        return [listener.getsockname()[1] for listener in new]

    @staticmethod
    def _serve(listener: socket.socket) -> None:
        try:
            while True:
                served, _ = listener.accept()
                with served, suppress(ConnectionError):
                    served.sendall(b"an answer\n")
                    served.recv(100)
        except OSError:
            return

    def close(self) -> None:
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def visit(host: Namespace, address: str, port: int, abort: bool = False, source: str | None = None) -> None:
    """A client, who closes well, or in the way that a health check does."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with host.open_socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        if source:
            connection.bind((source, 0))
        connection.connect((address, port))
        assert connection.recv(100) == b"an answer\n"
        if abort:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
