"""What a node answers to machines, without any HTTP library: paths and bodies in, status, media type and body out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pellucid.errors import EvidenceError, FatalError
from pellucid.record.logs import KnownLog, Logs
from pellucid.storage.objects import MAX_OBJECT
from pellucid.tlog.listing import KEPT, kept_path, kept_size
from pellucid.tlog.note import MAX_NOTE
from pellucid.tlog.tiles import Tile
from pellucid.tlog.witness import TEXT, Witness

BINARY = "application/octet-stream"
_KEPT_MOST = 1000


@dataclass(frozen=True, slots=True)
class DoorReply:
    """An HTTP answer: status, media type, body."""

    status: int
    content_type: str
    body: bytes


NOT_FOUND = DoorReply(404, TEXT, b"not found\n")


class Doors:
    """The C2SP paths of one node: its log, its witness, its mirrors. Safe between threads."""

    def __init__(
        self,
        logs: Logs,
        witness: Witness,
        on_fatal: Callable[[BaseException], object],
        *,
        audit_head: Callable[[], bytes | None],
    ) -> None:
        self._logs = logs
        self._audit_head = audit_head
        self._witness = witness
        self._on_fatal = on_fatal

    def log_file(self, path: str) -> DoorReply:
        """Answer GET /checkpoint, /tile/… and /checkpoints/… of the own log; `path` has no leading slash."""
        return _file(self._logs.now().own, path)

    def mirror_file(self, log_id: str, path: str) -> DoorReply:
        """Answer GET /mirror/<log id>/<path> for a log that is mirrored here."""
        known = self._logs.get(log_id)
        return NOT_FOUND if known is None or known.own else _file(known, path)

    def audit_checkpoint(self) -> DoorReply:
        """Answer GET /audit/checkpoint: the head of the audit log; nothing else of that log is public."""
        note = self._audit_head()
        return NOT_FOUND if note is None else DoorReply(200, TEXT, note)

    def witness_checkpoint(self, log_id: str) -> DoorReply:
        """Answer GET /witness/<log id>/checkpoint: the newest checkpoint cosigned of a log."""
        note = self._witness.latest(log_id)
        return NOT_FOUND if note is None else DoorReply(200, TEXT, note)

    def add_checkpoint(self, body: bytes) -> DoorReply:
        """Answer POST /add-checkpoint (C2SP tlog-witness); bodies above MAX_ADD_CHECKPOINT need not be read."""
        try:
            response = self._witness.add_checkpoint(body)
        except FatalError as error:
            self._on_fatal(error)
            raise
        return DoorReply(int(response.status), response.content_type, response.body)

    def kept_sizes(self, log_id: str, after: int, limit: int) -> list[int] | None:
        """Return sizes above `after` of kept checkpoints, ascending, 1,000 at most; None if the log is unknown."""
        known = self._logs.get(log_id)
        return None if known is None else list(known.tiles.kept(after, max(0, min(limit, _KEPT_MOST))))

    def covering(self, log_id: str, index: int) -> tuple[int, bytes] | None:
        """Return size and note of the first kept checkpoint that covers an entry; None if there is none."""
        known = self._logs.get(log_id)
        sizes = known.tiles.kept(index, 1) if known is not None and index >= 0 else ()
        if known is None or not sizes:
            return None
        note = known.tiles.fetch(kept_path(sizes[0]), MAX_NOTE)
        return None if note is None else (sizes[0], note)


def _file(log: KnownLog, path: str) -> DoorReply:
    content_type = _content_type(path)
    data = None if content_type is None else log.tiles.fetch(path, MAX_OBJECT)
    if data is None or content_type is None:
        return NOT_FOUND
    return DoorReply(200, content_type, data)


def _content_type(path: str) -> str | None:
    """Return the media type of a log's file; None for what is not a log's file."""
    if path == "checkpoint":
        return TEXT
    try:
        if path.startswith(KEPT):
            kept_size(path)
            return TEXT
        Tile.parse(path)
    except EvidenceError:
        return None
    return BINARY
