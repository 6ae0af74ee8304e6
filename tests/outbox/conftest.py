"""A node's outbox with a real mail server and a real receiver of webhooks, both on loopback."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from aiosmtpd.controller import Controller
from tests.world import World, made_home, world

from pellucid.outbox.portal import worker as workers
from pellucid.outbox.portal.worker import Worker
from pellucid.record.settings import Mail, Settings, write_settings

__all__ = ["made_home", "world"]

NODE_URL = "https://node.vendor.example"


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def change(world: World, **settings: Any) -> Settings:
    """Edit the node's settings."""
    changed = msgspec.structs.replace(world.home.settings, **settings)
    write_settings(world.home.path, changed)
    return changed


@dataclass
class Mailbox:
    """What a mail server took; `answers` are given to the next mails in place of 250, and `on_mail` is called first."""

    port: int
    raw: list[bytes] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    signed_in: list[bytes] = field(default_factory=list)
    on_mail: Callable[[], None] = lambda: None

    @property
    def mails(self) -> list[EmailMessage]:
        """Every mail that was offered, read by the library."""
        return [message_from_bytes(data, policy=default) for data in self.raw]

    def texts(self) -> list[str]:
        """The texts of all mails."""
        return [mail.get_content() for mail in self.mails]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802 - the library's
        """Take a mail."""
        self.raw.append(envelope.original_content)
        self.recipients += envelope.rcpt_tos
        self.encrypted.append(session.ssl is not None)
        self.on_mail()
        return self.answers.pop(0) if self.answers else "250 taken"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server without encryption."""
    box = Mailbox(free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


@dataclass
class Receiver:
    """A receiver of webhooks: what came, and the answers that it gives in turn (200 at the end)."""

    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/hook?for=me"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of webhooks on loopback."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.paths.append(self.path)
            found.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            status, headers = found.answers.pop(0) if found.answers else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def outbox(world: World, mailbox: Mailbox) -> Iterator[Worker]:
    """The outbox of the node, with the mail server set; a test calls `turn` where a thread would."""
    mail = Mail(host="127.0.0.1", port=mailbox.port, sender="node@vendor.example", security="none")
    change(world, mail=mail, url=NODE_URL)
    yield workers.serve(world.node, start=False)
    workers.stop()
