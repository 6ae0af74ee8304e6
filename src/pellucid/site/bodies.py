"""Reading request bodies from anybody: bounded in size, and in how many threads they may keep waiting.

The server hands a request on before its body has come, and reading it cannot be given a time. So a few clients who send
slowly could hold every thread. Fewer threads may read than there are, and fewer still for one address: what is only
read is answered whatever happens. A proxy in front that buffers requests keeps the other doors open too.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

READERS = 6
READERS_FOR_ONE = 4
_WAIT_FOR_TURN = 0.1


class BodyRefusedError(Exception):
    """A body is not taken: HTTP status, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Bodies:
    """Reads bodies for any number of threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._reading: Counter[str] = Counter()

    def read(self, environ: dict[str, Any], limit: int) -> bytes:
        """Return the whole body; BodyRefusedError above `limit` bytes (413) or if too many are being read (503)."""
        declared = environ.get("CONTENT_LENGTH") or ""
        if declared.isdecimal() and int(declared) > limit:
            raise BodyRefusedError(413, f"a body of more than {limit} bytes")
        if declared == "0" or (not declared and not environ.get("HTTP_TRANSFER_ENCODING")):
            return b""
        with self._turn(environ.get("REMOTE_ADDR", "")):
            body = _read(environ["wsgi.input"], int(declared) if declared.isdecimal() else limit + 1)
        if len(body) > limit:
            raise BodyRefusedError(413, f"a body of more than {limit} bytes")
        return body

    @contextmanager
    def _turn(self, address: str) -> Iterator[None]:
        deadline = time.monotonic() + _WAIT_FOR_TURN
        with self._changed:
            while self._reading.total() >= READERS or self._reading[address] >= READERS_FOR_ONE:
                if not self._changed.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    raise BodyRefusedError(503, "too many bodies are being read at once")
            self._reading[address] += 1
        try:
            yield
        finally:
            with self._changed:
                self._reading[address] -= 1
                self._reading += Counter()  # forget addresses that read nothing
                self._changed.notify_all()


def _read(source: Any, wanted: int) -> bytes:
    chunks: list[bytes] = []
    while wanted > 0 and (chunk := source.read(wanted)):
        chunks.append(chunk)
        wanted -= len(chunk)
    return b"".join(chunks)
