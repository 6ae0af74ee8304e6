"""Answers to "what does this log say about these references?", signed: exactly these statements, and no others."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from pellucid.errors import InputError, UnavailableError
from pellucid.record.index_reader import IndexReader
from pellucid.record.logs import KnownLog, Logs
from pellucid.record.predicate import COMPLETENESS, Completeness, Listed
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Subject
from pellucid.statement.keys import SecretKey
from pellucid.statement.predicate import make_statement
from pellucid.statement.reference import parse_ref
from pellucid.tlog.note import MAX_NOTE

_REFS_MOST = 10_000
_LISTED_MOST = 100_000
_ENTRY_BYTES_MOST = 64 << 20


class UnknownLogError(InputError):
    """A log is neither kept nor mirrored here."""


@dataclass(frozen=True, slots=True)
class LookupAnswer:
    """A signed completeness statement, the newest checkpoint held of that log, and the entries that are listed."""

    completeness: Envelope
    checkpoint: bytes
    entries: tuple[tuple[int, bytes], ...]


class Lookups:
    """Answers from the index, signed with the look-up key; only up to what is published here. Safe between threads.

    `catch_up` is called when a log is published further than it is indexed.
    """

    def __init__(self, logs: Logs, index: IndexReader, key: SecretKey, catch_up: Callable[[], object]) -> None:
        self._logs = logs
        self._index = index
        self._key = key
        self._catch_up = catch_up

    def answer(self, refs: Collection[str], origin: str, size: int) -> LookupAnswer:
        """Return what the log `origin` says up to `size` entries about `refs` (1 to 10,000).

        InputError for what cannot be asked, UnknownLogError, UnavailableError if less than `size` is known here.
        """
        if not 0 < len(refs) <= _REFS_MOST:
            raise InputError(f"{len(refs)} references; 1 to {_REFS_MOST} may be asked about at once")
        wanted = sorted({parse_ref(ref) for ref in refs})
        log = self._logs.by_origin(origin)
        if log is None:
            raise UnknownLogError(f"the log {origin[:200]!r} is neither kept nor mirrored here")
        self._require_size(log, size)
        listed = self._index.listed(wanted, log.id, size)
        if len(listed) > _LISTED_MOST:
            raise InputError(f"more than {_LISTED_MOST} statements", remedy="ask about fewer references at once")
        completeness = Completeness(
            log=origin,
            size=size,
            root=log.reader.root(size).hex(),
            refs=tuple(wanted),
            statements=tuple(Listed(index=index, id=sid) for index, sid in listed),
        )
        return LookupAnswer(self._sign(completeness), _checkpoint(log), _entries(log, listed))

    def _require_size(self, log: KnownLog, size: int) -> None:
        if size < 0:
            raise InputError(f"{size} is not the size of a log")
        if self._index.size(log.id) < size:
            self._catch_up()
        known = self._index.size(log.id)
        if known < size:
            raise UnavailableError(
                f"{known} entries of this log are known here, not {size}", where=log.origin, remedy="ask again shortly"
            )

    def _sign(self, completeness: Completeness) -> Envelope:
        subject = Subject({"sha256": completeness.root}, "root")
        statement = make_statement((subject,), COMPLETENESS, completeness)
        return sign_payload(IN_TOTO, statement.payload(), self._key)


def _checkpoint(log: KnownLog) -> bytes:
    data = log.tiles.fetch("checkpoint", MAX_NOTE)
    if data is None:
        raise UnavailableError("nothing of this log is published here yet", where=log.origin)
    return data


def _entries(log: KnownLog, listed: list[tuple[int, str]]) -> tuple[tuple[int, bytes], ...]:
    found, total = [], 0
    for index, _ in listed:
        entry = log.reader.entry(index)
        total += len(entry)
        if total > _ENTRY_BYTES_MOST:
            raise InputError("the statements are too large for one answer", remedy="ask about fewer references at once")
        found.append((index, entry))
    return tuple(found)
