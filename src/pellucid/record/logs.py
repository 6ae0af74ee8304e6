"""The logs that a node keeps or mirrors, as they lie in its home, each with the quorum that dates its entries."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from pellucid.errors import EvidenceError, InputError
from pellucid.record.card import NodeCard
from pellucid.record.home import Home
from pellucid.record.settings import Settings
from pellucid.statement.keys import PublicKey, Role
from pellucid.storage.files import FileObjects
from pellucid.storage.objects import MAX_OBJECT
from pellucid.tlog.checkpoint import origin_hash
from pellucid.tlog.note import Verifier
from pellucid.tlog.quorum import Cosigner, Quorum
from pellucid.tlog.reader import FileTiles, LogReader


@dataclass(frozen=True)
class KnownLog:
    """One log in this home: whose it is, how it is read, and who dates it.

    `quorum` asks of every log what this node asks of its own, its operator never counted; `operator` and `region` are
    empty for a log whose node was parted from.
    """

    id: str
    origin: str
    own: bool
    operator: str
    region: str
    verifier: Verifier
    reader: LogReader
    quorum: Quorum

    @property
    def tiles(self) -> FileTiles:
        """The log's files on disk."""
        source = self.reader.source
        assert isinstance(source, FileTiles)  # noqa: S101 - made so below
        return source

    @property
    def published(self) -> bool:
        """Whether there is a checkpoint yet."""
        return self.tiles.fetch("checkpoint", MAX_OBJECT) is not None


@dataclass(frozen=True)
class Situation:
    """Settings, peers and logs of one moment; `revision` counts how often they were read anew."""

    revision: int
    settings: Settings
    peers: tuple[NodeCard, ...]
    logs: Mapping[str, KnownLog]
    witnesses: tuple[Cosigner, ...]
    mirrors: tuple[Cosigner, ...]
    party: PublicKey

    @property
    def own(self) -> KnownLog:
        """The log of this node."""
        return next(log for log in self.logs.values() if log.own)

    def peer(self, name: str) -> NodeCard | None:
        """Return the card of a peer, None if there is no such."""
        return next((peer for peer in self.peers if peer.name == name), None)


class Logs:
    """What `Situation` describes, read anew whenever settings, peers or mirrors have changed on disk.

    Safe between threads; a log's reader, and so what it has cached, outlives such changes. If what has changed cannot
    be read, the last situation stays and `problem` says why.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.problem: str | None = None
        self._mutex = threading.Lock()
        self._seen: tuple[object, ...] | None = None
        self._situation: Situation | None = None
        self._readers: dict[tuple[str, PublicKey], LogReader] = {}

    def now(self) -> Situation:
        """Return the situation as it is on disk."""
        seen = self.home.changes()
        with self._mutex:
            if self._situation is None or seen != self._seen:
                self._situation, self._seen = self._read_or_keep(), seen
            return self._situation

    def get(self, log_id: str) -> KnownLog | None:
        """Return a log by the SHA-256 of its origin."""
        return self.now().logs.get(log_id)

    def by_origin(self, origin: str) -> KnownLog | None:
        """Return a log by its origin."""
        return self.get(origin_hash(origin))

    def _read_or_keep(self) -> Situation:
        """Read anew; a mistake in a file that is being edited must not take down a node that runs."""
        if self._situation is None:
            return self._read(1)
        try:
            return self._read(self._situation.revision + 1)
        except (InputError, EvidenceError) as error:
            self.problem = str(error)
            return self._situation

    def _read(self, revision: int) -> Situation:
        home, settings, peers = self.home, self.home.settings, self.home.peers()
        witnesses = home.cosigners(Role.WITNESS)
        self.problem = None
        own_id = origin_hash(settings.name)
        logs = {own_id: self._log(own_id, home.verifier(Role.LOG), settings, None, witnesses)}
        cards = {peer.log_id: peer for peer in peers}
        for log_id, verifier in home.mirrored().items():
            if log_id != own_id:
                logs[log_id] = self._log(log_id, verifier, settings, cards.get(log_id), witnesses)
        return Situation(revision, settings, peers, logs, witnesses, home.cosigners(Role.MIRROR), home.keys[Role.PARTY])

    def _log(
        self, log_id: str, key: Verifier, settings: Settings, card: NodeCard | None, witnesses: tuple[Cosigner, ...]
    ) -> KnownLog:
        own = key.name == settings.name
        operator, region = ("", "") if card is None else (card.card.operator, card.card.region)
        if own:
            operator, region = settings.operator, settings.region
        quorum = Quorum(settings.quorum, witnesses, operator)
        return KnownLog(log_id, key.name, own, operator, region, key, self._reader(log_id, key, own), quorum)

    def _reader(self, log_id: str, key: Verifier, own: bool) -> LogReader:
        found = self._readers.get((log_id, key.public))
        if found is None:
            folder = self.home.log_folder if own else self.home.mirror_folder(log_id)
            found = self._readers[log_id, key.public] = LogReader(FileTiles(FileObjects(folder)), key)
        return found
