"""HTTP to strangers: bounded in bytes and in time, and never led elsewhere.

Each request ends within its deadline even if the other side sends a byte at a time, and redirects are not followed.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from pellucid.errors import InputError, UnavailableError

_CHUNK = 1 << 16
_AGENT = "pellucid"


def tls_context() -> ssl.SSLContext:
    """Return what calls to other machines are encrypted by: TLS 1.2 or newer, and a certificate is asked for."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # not every system's OpenSSL sees to that
    return context


class RemoteError(UnavailableError):
    """Another node could not be reached, or answered something that no such node should."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP status, the media type without parameters, and the whole body."""

    status: int
    content_type: str
    body: bytes


class _Body(NamedTuple):
    data: bytes
    content_type: str


class WebClient:
    """One kept-alive connection to one base URL (`http` or `https`), one request at a time, safe between threads.

    `timeout` bounds a silence and `deadline` a whole request, both in seconds.
    """

    def __init__(self, url: str, *, timeout: float = 10.0, deadline: float = 60.0) -> None:
        self.url = url.rstrip("/")
        self._parts = _split(self.url)
        self._timeout = timeout
        self._deadline = deadline
        self._mutex = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str, *, limit: int) -> Reply:
        """Fetch `<url>/<path>`; RemoteError if that fails or the body is above `limit` bytes."""
        return self._request(path, limit, None)

    def post(self, path: str, body: bytes, *, limit: int, content_type: str = "text/plain; charset=utf-8") -> Reply:
        """Send `body` to `<url>/<path>`; RemoteError if that fails or the reply is above `limit` bytes."""
        return self._request(path, limit, _Body(body, content_type))

    def close(self) -> None:
        """Drop the connection; the next request makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _request(self, path: str, limit: int, body: _Body | None) -> Reply:
        with self._mutex:
            fresh = self._connection is None
            try:
                return self._guarded(path, limit, body)
            except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError) as error:
                self.close()
                if fresh:
                    raise self._failed(path, error) from error
            except BaseException as error:
                self._give_up(path, error)
                raise
            # The kept connection had gone stale, which says nothing about the other side: try once more.
            try:
                return self._guarded(path, limit, body)
            except BaseException as error:
                self._give_up(path, error)
                raise

    def _give_up(self, path: str, error: BaseException) -> None:
        self.close()
        if isinstance(error, OSError | ValueError | http.client.HTTPException):
            raise self._failed(path, error) from error

    def _guarded(self, path: str, limit: int, body: _Body | None) -> Reply:
        connection = self._connection or self._connect()
        self._connection = connection
        late = threading.Event()
        watchdog = threading.Timer(self._deadline, _cut, (connection.sock, late))
        watchdog.daemon = True
        watchdog.start()
        try:
            reply = self._exchange(connection, path, limit, body)
        finally:
            watchdog.cancel()
        if late.is_set():
            # Headers that end where the connection does would pass for a whole answer.
            raise TimeoutError(f"not finished within {self._deadline:g} seconds")
        return reply

    def _exchange(self, connection: http.client.HTTPConnection, path: str, limit: int, body: _Body | None) -> Reply:
        headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity"}
        target = f"{self._parts.path}/{path}"
        if body is None:
            connection.request("GET", target, headers=headers)
        else:
            connection.request("POST", target, body=body.data, headers={**headers, "Content-Type": body.content_type})
        response = connection.getresponse()
        if response.getheader("Content-Encoding", "identity") != "identity":
            raise RemoteError("answered in an encoding that was not asked for", where=f"{self.url}/{path}")
        chunks: list[bytes] = []
        left = limit + 1
        while left > 0 and (chunk := response.read1(min(left, _CHUNK))):
            chunks.append(chunk)
            left -= len(chunk)
        if left <= 0:
            raise RemoteError(f"answered more than {limit} bytes", where=f"{self.url}/{path}")
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        response.close()
        if response.will_close:
            self.close()
        return Reply(response.status, response.headers.get_content_type(), b"".join(chunks))

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        connection: http.client.HTTPConnection
        if self._parts.scheme == "https":
            connection = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=tls_context())
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        connection.connect()
        return connection

    def _failed(self, path: str, error: Exception) -> RemoteError:
        what = str(error) or type(error).__name__
        return RemoteError(f"no answer: {what[:300]}", where=f"{self.url}/{path}", remedy="try again later")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username is not None or not url.isascii() or " " in url:
        raise InputError(f"not a base URL: {url[:200]!r}", remedy="give http://host:port or https://host/path")
    return parts


def _cut(connected: socket.socket, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
