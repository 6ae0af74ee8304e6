"""Another node's API, asked as a stranger's: bounded answers, deadlines, and nothing believed for being JSON."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec

from pellucid.errors import EvidenceError, InputError, UnavailableError
from pellucid.record.card import NodeCard, read_card
from pellucid.statement.canonical import CanonicalError, parse_json
from pellucid.statement.dsse import ENVELOPE_LIMIT, Envelope
from pellucid.statement.keys import PublicKey
from pellucid.statement.predicate import Count, Sha256
from pellucid.tlog.checkpoint import origin_hash
from pellucid.tlog.note import MAX_NOTE
from pellucid.tlog.sources import HttpTiles
from pellucid.tlog.web import Reply, WebClient

_ANSWER_LIMIT = 128 << 20
_SMALL_LIMIT = 256 << 10
_SAID = 300
_JSON = "application/json"

Model = TypeVar("Model")


class NodeError(UnavailableError):
    """A node could not be asked, or its answer makes no sense."""


class _ListedEntry(msgspec.Struct, frozen=True):
    index: Count
    envelope: dict[str, Any]


class _LookupReply(msgspec.Struct, frozen=True):
    completeness: dict[str, Any]
    checkpoint: Annotated[str, msgspec.Meta(max_length=MAX_NOTE)]
    statements: Annotated[tuple[_ListedEntry, ...], msgspec.Meta(max_length=100_000)]


class _CoveringReply(msgspec.Struct, frozen=True):
    size: Count
    note: Annotated[str, msgspec.Meta(max_length=MAX_NOTE)]


class _KeyReply(msgspec.Struct, frozen=True):
    spki: str


class LogListing(msgspec.Struct, frozen=True):
    """A log that a node says it keeps or mirrors; `path` is below the node's URL."""

    id: Sha256
    origin: str
    own: bool
    vkey: str
    size: Count | None
    path: str


class _LogsReply(msgspec.Struct, frozen=True):
    logs: Annotated[tuple[LogListing, ...], msgspec.Meta(max_length=10_000)]


class PlaceListing(msgspec.Struct, frozen=True):
    """Where a node says a statement stands."""

    log: Sha256
    index: Count


class _StatementReply(msgspec.Struct, frozen=True):
    id: Sha256
    envelope: dict[str, Any]
    places: tuple[PlaceListing, ...]


@dataclass(frozen=True, slots=True)
class FoundStatement:
    """A statement by its id, as a node gave it; only that its id is the one asked for was checked."""

    envelope: Envelope
    places: tuple[PlaceListing, ...]


@dataclass(frozen=True, slots=True)
class LookupReply:
    """A look-up's answer as it came: the signed completeness, the note of the newest checkpoint, the entries listed."""

    completeness: Envelope
    checkpoint: bytes
    entries: tuple[tuple[int, Envelope], ...]


class NodeClient:
    """The node at `url`; one connection, safe between threads. `timeout` bounds a silence, `deadline` a request.

    RemoteError or NodeError (both UnavailableError) name the node when it does not answer or answers nonsense.
    No signature is checked here but a card's.
    """

    def __init__(self, url: str, *, timeout: float = 10.0, deadline: float = 60.0) -> None:
        self._web = WebClient(url, timeout=timeout, deadline=deadline)
        self._times = {"timeout": timeout, "deadline": deadline}
        self.url = self._web.url

    def card(self) -> NodeCard:
        """Return the node's card, its signatures and keys checked against each other."""
        reply = self._get("api/card", limit=ENVELOPE_LIMIT)
        try:
            return read_card(reply.body, where=f"{self.url}/api/card")
        except (EvidenceError, InputError) as error:
            raise NodeError(f"its card cannot be used: {error.what}", where=self.url, remedy=error.remedy) from error

    def submit(self, data: bytes) -> Envelope:
        """Submit an envelope's bytes; return the receipt, whether it accepts or refuses."""
        reply = self._web.post("api/statements", data, limit=ENVELOPE_LIMIT, content_type=_JSON)
        if reply.status not in {200, 201, 400, 403, 413}:
            raise self._unexpected("api/statements", reply)
        return self._envelope(self._json("api/statements", reply), "its receipt")

    def lookup(self, origin: str, size: int, refs: Collection[str]) -> LookupReply:
        """Ask which statements of a log below `size` concern any of `refs`."""
        body = msgspec.json.encode({"log": origin, "size": size, "refs": sorted(refs)})
        reply = self._web.post("api/lookup", body, limit=_ANSWER_LIMIT, content_type=_JSON)
        if reply.status != 200:
            raise self._unexpected("api/lookup", reply)
        found = self._model("api/lookup", reply, _LookupReply)
        entries = tuple((item.index, self._envelope(item.envelope, f"entry {item.index}")) for item in found.statements)
        completeness = self._envelope(found.completeness, "its completeness answer")
        return LookupReply(completeness, found.checkpoint.encode(), entries)

    def covering(self, origin: str, index: int) -> tuple[int, bytes] | None:
        """Return size and note of the first kept checkpoint that covers an entry, None if there is none."""
        path = f"api/logs/{origin_hash(origin)}/checkpoints/covering/{index}"
        reply = self._find(path, limit=_SMALL_LIMIT)
        if reply is None:
            return None
        found = self._model(path, reply, _CoveringReply)
        return found.size, found.note.encode()

    def statement(self, statement_id: str) -> FoundStatement | None:
        """Return a statement by its id and where it stands, None if the node has it not."""
        path = f"api/statements/{statement_id}"
        reply = self._find(path, limit=_SMALL_LIMIT)
        if reply is None:
            return None
        found = self._model(path, reply, _StatementReply)
        envelope = self._envelope(found.envelope, "its statement")
        if envelope.id != statement_id:
            raise NodeError(f"gave another statement than {statement_id}", where=f"{self.url}/{path}")
        return FoundStatement(envelope, found.places)

    def key(self, key_id: str) -> PublicKey | None:
        """Return a key by its id, None if the node does not know it."""
        path = f"api/keys/{key_id}"
        reply = self._find(path, limit=_SMALL_LIMIT)
        if reply is None:
            return None
        try:
            key = PublicKey.from_base64(self._model(path, reply, _KeyReply).spki, where=f"{self.url}/{path}")
        except InputError as error:
            raise NodeError(error.what, where=f"{self.url}/{path}") from error
        if key.id != key_id:
            raise NodeError(f"gave another key than {key_id}", where=f"{self.url}/{path}")
        return key

    def logs(self) -> Sequence[LogListing]:
        """Return the logs that the node keeps or mirrors."""
        return self._model("api/logs", self._get("api/logs", limit=_ANSWER_LIMIT), _LogsReply).logs

    def tiles(self, origin: str, *, mirrored: bool) -> HttpTiles:
        """Return the files of the node's own log, or of its mirror of somebody's."""
        path = f"{self.url}/mirror/{origin_hash(origin)}" if mirrored else self.url
        return HttpTiles(path, origin, api=self.url, **self._times)

    def mirror_checkpoint(self, origin: str) -> bytes | None:
        """Return the checkpoint that the node's mirror of a log serves, None if it has none."""
        reply = self._find(f"mirror/{origin_hash(origin)}/checkpoint", limit=MAX_NOTE)
        return None if reply is None else reply.body

    def close(self) -> None:
        """Drop the connection."""
        self._web.close()

    def _find(self, path: str, *, limit: int) -> Reply | None:
        """Get what the node may not have; None where it says so."""
        reply = self._web.get(path, limit=limit)
        if reply.status == 404:
            return None
        if reply.status != 200:
            raise self._unexpected(path, reply)
        return reply

    def _get(self, path: str, *, limit: int) -> Reply:
        reply = self._web.get(path, limit=limit)
        if reply.status != 200:
            raise self._unexpected(path, reply)
        return reply

    def _json(self, path: str, reply: Reply) -> Any:
        try:
            return parse_json(reply.body, where=f"{self.url}/{path}", limit=_ANSWER_LIMIT)
        except CanonicalError as error:
            raise NodeError(f"did not answer with JSON: {error.what}", where=f"{self.url}/{path}") from error

    def _model(self, path: str, reply: Reply, model: type[Model]) -> Model:
        try:
            return msgspec.convert(self._json(path, reply), model)
        except msgspec.ValidationError as error:
            raise NodeError(f"its answer makes no sense: {error}", where=f"{self.url}/{path}") from error

    def _envelope(self, value: Any, what: str) -> Envelope:
        try:
            return Envelope.from_json(value, where=self.url)
        except EvidenceError as error:
            raise NodeError(f"{what} is no envelope: {error.what}", where=self.url) from error

    def _unexpected(self, path: str, reply: Reply) -> NodeError:
        said = "".join(c if c.isprintable() else " " for c in reply.body[:_SAID].decode("utf-8", "replace")).strip()
        return NodeError(f"answered {reply.status}: {said or 'nothing more'}", where=f"{self.url}/{path}")
