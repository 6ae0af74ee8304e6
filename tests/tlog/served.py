"""A node's log, mirror and witness over real HTTP, and servers that misbehave."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from urllib.parse import parse_qs, urlsplit

from tests.tlog.homes import ORIGIN

from pellucid.storage.objects import ObjectStore
from pellucid.tlog.listing import kept_sizes
from pellucid.tlog.witness import Witness

Answer = tuple[int, str, bytes]
Responder = Callable[[str, str, bytes], Answer | None]
HEX = sha256(ORIGIN.encode()).hexdigest()


def node(store: ObjectStore | None = None, witness: Witness | None = None) -> Responder:
    """Answer as a node does, from its log and its witness."""

    def respond(method: str, target: str, body: bytes) -> Answer | None:
        parts = urlsplit(target)
        path = parts.path.lstrip("/")
        if method == "POST":
            if path != "add-checkpoint" or witness is None:
                return None
            answer = witness.add_checkpoint(body)
            return answer.status, answer.content_type, answer.body
        if path == f"api/logs/{HEX}/checkpoints" and store is not None:
            query = {key: int(values[0]) for key, values in parse_qs(parts.query).items()}
            sizes = list(islice(kept_sizes(store, after=query["after"]), query["limit"]))
            return 200, "application/json", json.dumps({"sizes": sizes}).encode()
        if path == f"witness/{HEX}/checkpoint" and witness is not None:
            data = witness.latest(HEX)
        else:
            data = store.fetch(path) if store is not None else None
        return None if data is None else (200, "application/octet-stream", data)

    return respond


@contextmanager
def serving(respond: Responder) -> Iterator[str]:
    """Serve until the block is left; give the URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            status, kind, data = respond(self.command, self.path, body) or (404, "text/plain", b"not here\n")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            if status in {301, 302, 307}:
                self.send_header("Location", data.decode())
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it so
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing when a client hangs up."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
