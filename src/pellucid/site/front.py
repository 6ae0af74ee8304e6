"""The door of the server, in front of Django: the log, the mirrors and the witness at their C2SP paths.

    GET  /checkpoint  /tile/…  /checkpoints/…            the own log (tlog-tiles)
    GET  /mirror/<sha256 of origin>/checkpoint …         the same for each log mirrored here
    GET  /witness/<sha256 of origin>/checkpoint          the newest checkpoint cosigned here
    GET  /audit/checkpoint                               the published head of the audit log, and nothing else of it
    POST /add-checkpoint                                 the witness (tlog-witness)
    GET  /healthz                                        200 while the node works, else 503 with the reason

Everything else goes to the portal and the API, with a body that was read here and is bounded.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pellucid.errors import FatalError, PellucidError
from pellucid.node import DoorReply, Node
from pellucid.site.bodies import Bodies, BodyRefusedError
from pellucid.tlog.witness import TEXT
from pellucid.tlog.witness_protocol import MAX_ADD_CHECKPOINT

BODY_LIMIT = 1 << 20
JSON = "application/json"
_NOTHING_RUNS = "default-src 'none'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
_NOTE_CACHE = "no-cache"
_KEPT_CACHE = "public, max-age=60"
_PARTIAL_CACHE = "public, max-age=3600"
_TILE_CACHE = "public, max-age=31536000, immutable"

_LOG = re.compile(
    r"/(?:mirror/(?P<mirror>[0-9a-f]{64})/)?"
    r"(?P<path>checkpoint|checkpoints/(?:x[0-9]{3}/){0,6}[0-9]{3}"
    r"|tile/(?:entries|[0-9]{1,2})/(?:x[0-9]{3}/){0,6}[0-9]{3}(?P<partial>\.p/[0-9]{1,3})?)",
    re.ASCII,
)
_WITNESS = re.compile(r"/witness/(?P<log>[0-9a-f]{64})/checkpoint", re.ASCII)
_AUDIT = "/audit/checkpoint"
_RESERVED = re.compile(r"/(?:mirror|tile|checkpoints|witness)(?:/|$)")
_REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    422: "Unprocessable Content",
    503: "Service Unavailable",
}

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Health = Callable[[], tuple[str | None, dict[str, Any]]]  # what is wrong, if anything, and how a room stands


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: status, body, content type, cache rule, and for a 405 what is allowed."""

    status: int
    body: bytes
    content_type: str = TEXT
    cache: str = "no-store"
    allow: str | None = None


class Front:
    """A WSGI application: answers what is its own, and passes everything else on to `behind`."""

    def __init__(self, node: Node, behind: Application, rooms: Mapping[str, Health] | None = None) -> None:
        self._node = node
        self._behind = behind
        self._rooms = rooms or {}
        self._bodies = Bodies()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        method: str = environ["REQUEST_METHOD"]
        path: str = environ.get("PATH_INFO", "/")
        try:
            reply = self._own(method, path, environ)
            if reply is None and method not in {"GET", "HEAD", "OPTIONS"}:
                body = self._bodies.read(environ, BODY_LIMIT)
                environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
        except BodyRefusedError as refused:
            reply = _refused(refused, path)
        except FatalError:
            raise
        except PellucidError as error:
            reply = Reply(503, f"{error.what}\n".encode())
        if reply is not None:
            return _send(reply, method, start_response)
        return self._behind(environ, start_response)

    def _own(self, method: str, path: str, environ: Environ) -> Reply | None:
        """Return the answer to what the front serves itself, None for everything else."""
        if path == "/add-checkpoint":
            return self._witness(environ) if method == "POST" else _not_allowed("POST")
        if (match := _LOG.fullmatch(path)) is not None:
            return self._file(match) if method in {"GET", "HEAD"} else _not_allowed("GET, HEAD")
        if (match := _WITNESS.fullmatch(path)) is not None or path == _AUDIT:
            if method not in {"GET", "HEAD"}:
                return _not_allowed("GET, HEAD")
            doors = self._node.doors
            return _of(doors.witness_checkpoint(match["log"]) if match else doors.audit_checkpoint(), _NOTE_CACHE)
        if path == "/healthz":
            return self._health() if method in {"GET", "HEAD"} else _not_allowed("GET, HEAD")
        return _not_found() if _RESERVED.match(path) else None

    def _file(self, match: re.Match[str]) -> Reply:
        doors, path = self._node.doors, match["path"]
        reply = doors.mirror_file(match["mirror"], path) if match["mirror"] else doors.log_file(path)
        if path.startswith("checkpoint"):
            return _of(reply, _NOTE_CACHE if path == "checkpoint" else _KEPT_CACHE)
        return _of(reply, _PARTIAL_CACHE if match["partial"] else _TILE_CACHE)

    def _witness(self, environ: Environ) -> Reply:
        body = self._bodies.read(environ, MAX_ADD_CHECKPOINT)
        return _of(self._node.doors.add_checkpoint(body), "no-store")

    def _health(self) -> Reply:
        """Say what keeps the node from its work, and how publication stands; a quorum that is not met is no illness."""
        status, problem = self._node.publication, self._node.logs.problem
        audit = self._node.auditing.problem
        wrong = [text for text in (status.frozen, problem, audit, *self._node.live.index_problems.values()) if text]
        publication = {
            "signed_size": status.signed_size,
            "published_size": status.published_size,
            "required": status.required,
            "cosigned_by": list(status.cosigned_by),
            "missing": [{"name": absent.name, "why": absent.why} for absent in status.missing],
            "wanting": list(status.wanting),
        }
        rooms = {name: health() for name, health in self._rooms.items()}
        wrong += [text for text, _ in rooms.values() if text]
        details = {name: standing for name, (_, standing) in rooms.items()}
        body = json.dumps({"ok": not wrong, "problems": wrong, "publication": publication, **details}).encode()
        return Reply(503 if wrong else 200, body, JSON)


def _send(reply: Reply, method: str, start_response: StartResponse) -> list[bytes]:
    headers = [
        ("Content-Type", reply.content_type),
        ("Content-Length", str(len(reply.body))),
        ("Cache-Control", reply.cache),
        ("Access-Control-Allow-Origin", "*"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", _NOTHING_RUNS),
    ]
    if os.environ.get("PELLUCID_HTTPS") == "1":
        headers.append(("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))
    if reply.allow:
        headers.append(("Allow", reply.allow))
    start_response(f"{reply.status} {_REASONS.get(reply.status, 'Status')}", headers)
    return [b"" if method == "HEAD" else reply.body]


def _of(reply: DoorReply, cache: str) -> Reply:
    return Reply(reply.status, reply.body, reply.content_type, cache if reply.status == 200 else "no-store")


def _not_found() -> Reply:
    return Reply(404, b"there is nothing here\n")


def _not_allowed(allow: str) -> Reply:
    return Reply(405, f"only {allow} is answered here\n".encode(), allow=allow)


def _refused(refused: BodyRefusedError, path: str) -> Reply:
    if path == "/add-checkpoint":
        return Reply(refused.status, f"{refused.why}\n".encode())
    remedy = "send less at once" if refused.status == 413 else "try again"
    if not path.startswith("/api/"):
        return Reply(refused.status, f"{refused.why}: {remedy}. Nothing was changed.\n".encode())
    error = {"what": refused.why, "where": path[:200], "remedy": remedy}
    return Reply(refused.status, json.dumps({"error": error}).encode(), JSON)
