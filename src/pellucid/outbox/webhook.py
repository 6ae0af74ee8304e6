"""Webhooks: a notice as canonical JSON in a DSSE envelope that the node's own key signs, posted to one address.

The receiver checks the signature with the `node` key of the node's card, then that `webhook` is its own and that it
has not seen `id` before.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pellucid.outbox.addresses import Target, WebhookAddressError, read_target, resolved
from pellucid.outbox.attempt import DELIVERED, Attempt
from pellucid.outbox.channel import Problem
from pellucid.statement.canonical import canonical_json
from pellucid.statement.dsse import Envelope
from pellucid.statement.moment import format_time
from pellucid.tlog.web import tls_context

PAYLOAD_TYPE = "application/vnd.pellucid.notice+json"
FORMAT = "pellucid-notice/v1"
_AGENT = "pellucid"


@dataclass(frozen=True, slots=True)
class Call:
    """What a webhook is told: `id` is the same at every attempt, `at` is when the notice was posted, in Unix seconds.

    `page` is the address of the page that tells all.
    """

    id: str
    webhook: str
    node: str
    kind: str
    at: int
    page: str
    words: Mapping[str, str | int]

    def payload(self) -> bytes:
        """Return the bytes that are signed: canonical JSON (RFC 8785)."""
        return canonical_json(
            {
                "format": FORMAT,
                "id": self.id,
                "webhook": self.webhook,
                "node": self.node,
                "kind": self.kind,
                "at": format_time(self.at),
                "page": self.page,
                "words": dict(self.words),
            }
        )


def post(url: str, envelope: Envelope, networks: Sequence[str], *, deadline: float = 10.0) -> Attempt:
    """Post an envelope within `deadline` seconds; redirects are not followed, and of the answer only the status counts.

    The address is looked up once, held against `networks` (see `addresses.allowed`), and that very one is called.
    """
    try:
        target = read_target(url)
        address = resolved(target, networks)
    except WebhookAddressError:
        return Attempt(Problem.FORBIDDEN_ADDRESS, final=True)
    except OSError:
        return Attempt(Problem.UNREACHABLE)
    if address is None:
        return Attempt(Problem.FORBIDDEN_ADDRESS, final=True)
    try:
        return _judged(_status(target, address, envelope.to_bytes(), deadline))
    except ssl.SSLError:
        return Attempt(Problem.TLS)
    except (OSError, ValueError, http.client.HTTPException):
        return Attempt(Problem.UNREACHABLE)


def _status(target: Target, address: str, body: bytes, deadline: float) -> int:
    connection = http.client.HTTPConnection(target.host, target.port)
    plain = socket.create_connection((address, target.port), timeout=deadline)
    connected = _wrapped(plain, target) if target.encrypted else plain
    watchdog = threading.Timer(deadline, _cut, (connected,))
    watchdog.daemon = True
    watchdog.start()
    try:
        if isinstance(connected, ssl.SSLSocket):
            connected.do_handshake()
        connection.sock = connected
        headers = {"Host": target.named, "Content-Type": "application/json", "User-Agent": _AGENT}
        connection.request("POST", target.target, body=body, headers=headers)
        return connection.getresponse().status
    finally:
        watchdog.cancel()
        connected.close()


def _wrapped(plain: socket.socket, target: Target) -> ssl.SSLSocket:
    """Return the socket encrypted, with the handshake still to make: the watchdog has to be able to cut that too."""
    try:
        return tls_context().wrap_socket(plain, server_hostname=target.host, do_handshake_on_connect=False)
    except BaseException:
        plain.close()
        raise


def _cut(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _judged(status: int) -> Attempt:
    if 200 <= status < 300:
        return DELIVERED
    if 300 <= status < 400:
        return Attempt(Problem.REDIRECTED, final=True)
    if status == 410:
        return Attempt(Problem.REFUSED, final=True)
    return Attempt(Problem.LATER if status in {408, 425, 429} or status >= 500 else Problem.REFUSED)
