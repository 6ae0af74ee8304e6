"""The part of the views that tells of nodes, logs, checkpoints and mirrors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from pellucid.errors import EvidenceError
from pellucid.record.card import NodeCard, note_key
from pellucid.record.facts import (
    CheckpointFact,
    CosignatureFact,
    Cosigner,
    KeyFact,
    LogFact,
    MirrorFact,
    NodeFact,
    PeerFact,
)
from pellucid.record.home import Home
from pellucid.record.live import Live
from pellucid.record.logs import KnownLog, Logs, Situation
from pellucid.statement.keys import PublicKey, Role
from pellucid.storage.sqlite_sequence import SqliteSequence
from pellucid.tlog import quorum as counting
from pellucid.tlog.checkpoint import open_checkpoint
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.listing import kept_path
from pellucid.tlog.note import MAX_NOTE
from pellucid.tlog.recent import Recent

_NOTE_ROLES = (Role.LOG, Role.WITNESS, Role.MIRROR, Role.AUDIT)


def moment(seconds: int | None) -> datetime | None:
    """Return POSIX seconds as an aware UTC time."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


class LogViews:
    """Reads logs and cards of one home; safe between threads, writes nothing."""

    def __init__(self, home: Home, logs: Logs, live: Live) -> None:
        self.home = home
        self._logs = logs
        self._live = live
        self._checkpoints: Recent[tuple[bytes, int], CheckpointFact] = Recent(256)
        self._sequence: SqliteSequence | None = None

    def node(self) -> NodeFact:
        """Return this installation."""
        settings = self._logs.now().settings
        keys = _key_facts(settings.name, self.home.keys)
        url = settings.url or self.home.node_url() or settings.address
        return NodeFact(settings.name, settings.role, settings.region, settings.operator, url, keys)

    def logs(self) -> tuple[LogFact, ...]:
        """Return the node's own log first, then the mirrored ones by origin."""
        situation = self._logs.now()
        return tuple(self._fact(log, situation) for log in situation.logs.values())

    def log(self, log: str) -> LogFact | None:
        """Return one log."""
        situation = self._logs.now()
        known = situation.logs.get(log)
        return None if known is None else self._fact(known, situation)

    def head(self, known: KnownLog) -> CheckpointFact | None:
        """Return what a log publishes here now."""
        data = known.tiles.fetch("checkpoint", MAX_NOTE)
        return None if data is None else self._checkpoint(known, data, self._logs.now())

    def kept(self, known: KnownLog, size: int) -> CheckpointFact | None:
        """Return the checkpoint that is kept for a size."""
        data = known.tiles.fetch(kept_path(size), MAX_NOTE)
        return None if data is None else self._checkpoint(known, data, self._logs.now())

    def peers(self) -> tuple[PeerFact, ...]:
        """Return the nodes that this one was joined with, by name."""
        situation = self._logs.now()
        head = self.head(situation.own)
        cosigned = {item.cosigner.name for item in head.cosignatures if item.cosigner.role == "witness"} if head else ()
        return tuple(self._peer(peer, peer.name in cosigned, situation) for peer in situation.peers)

    def mirrors(self) -> tuple[MirrorFact, ...]:
        """Return the copies kept here of others' logs, then the copies of this node's log that others keep."""
        situation = self._logs.now()
        kept = [self._kept_here(log, situation) for log in situation.logs.values() if not log.own]
        return tuple(kept + [self._kept_there(peer, situation) for peer in situation.peers])

    def _peer(self, peer: NodeCard, cosigned: bool, situation: Situation) -> PeerFact:
        state, card = self._live.peer(peer.name), peer.card
        log = peer.log_id if peer.log_id in situation.logs else None
        keys = _key_facts(card.name, peer.keys)
        problem = state.problem or state.mirror_problem
        return PeerFact(
            card.name,
            card.role,
            card.region,
            card.operator,
            card.url,
            keys,
            log,
            cosigned,
            state.copy_size is not None,
            moment(state.last_answer),
            problem,
        )

    def _kept_here(self, log: KnownLog, situation: Situation) -> MirrorFact:
        name, head = situation.settings.name, self.head(log)
        state = self._live.peer(log.origin)
        own = [item.at for item in head.cosignatures if item.cosigner.name == name] if head else []
        problem = state.mirror_problem or self._live.index_problems.get(log.id)
        size = head.size if head else 0
        return MirrorFact(log.id, log.origin, name, size, state.log_size, max(own, default=None), problem)

    def _kept_there(self, peer: NodeCard, situation: Situation) -> MirrorFact:
        own, state = situation.own, self._live.peer(peer.name)
        head = self.head(own)
        size = head.size if head else None
        return MirrorFact(
            own.id, own.origin, peer.name, state.copy_size or 0, size, moment(state.copied_at), state.copy_problem
        )

    def _fact(self, log: KnownLog, situation: Situation) -> LogFact:
        head = self.head(log)
        tolerance = log.quorum.tolerates()
        candidates = (*_cosigners(situation, Role.WITNESS, log), *_cosigners(situation, Role.MIRROR, log))
        pending, frozen = self._standing(log, head.size if head else 0)
        return LogFact(
            log.id,
            log.origin,
            log.own,
            log.operator,
            log.region,
            log.verifier.vkey,
            head,
            self._seen(log),
            candidates,
            log.quorum.required,
            tolerance.outages,
            tolerance.colluders,
            pending,
            frozen,
        )

    def _standing(self, log: KnownLog, published: int) -> tuple[int, bool]:
        """Return how many entries are durable but not published, and whether the log has stopped for ever."""
        path = self.home.path / "log.db"
        if not log.own or not path.exists():
            return 0, False
        if self._sequence is None:
            self._sequence = SqliteSequence(path)
        return max(0, self._sequence.next_index() - published), self._sequence.frozen(log.origin) is not None

    def _seen(self, log: KnownLog) -> datetime | None:
        folder = self.home.log_folder if log.own else self.home.mirror_folder(log.id)
        try:
            return moment(int((folder / "checkpoint").stat().st_mtime))
        except FileNotFoundError:
            return None

    def _checkpoint(self, log: KnownLog, data: bytes, situation: Situation) -> CheckpointFact | None:
        key = (data, situation.revision)
        found = self._checkpoints.get(key)
        if found is None:
            found = _read_checkpoint(log, data, situation)
            if found is not None:
                self._checkpoints.put(key, found)
        return found


def _read_checkpoint(log: KnownLog, data: bytes, situation: Situation) -> CheckpointFact | None:
    try:
        signed = open_checkpoint(data, log.verifier)
    except EvidenceError:
        return None
    names = {
        item.verifier: fact
        for role in (Role.WITNESS, Role.MIRROR)
        for item, fact in zip(_counting(situation, role), _cosigners(situation, role, log), strict=True)
    }
    try:
        found = cosignatures(signed.note, list(names))
    except EvidenceError:
        found = []
    facts = [CosignatureFact(names[item.verifier], datetime.fromtimestamp(item.timestamp, UTC)) for item in found]
    checkpoint = signed.checkpoint
    return CheckpointFact(
        checkpoint.origin,
        checkpoint.size,
        checkpoint.root.hex(),
        data.decode(),
        tuple(sorted(facts, key=lambda fact: fact.at)),
        log.quorum.required,
        moment(log.quorum.logged_time(found)),
    )


def _counting(situation: Situation, role: Role) -> tuple[counting.Cosigner, ...]:
    return situation.witnesses if role is Role.WITNESS else situation.mirrors


def _cosigners(situation: Situation, role: Role, log: KnownLog) -> tuple[Cosigner, ...]:
    return tuple(
        Cosigner(
            item.verifier.name.rpartition("/")[0],
            role.value,
            item.operator,
            item.region,
            item.verifier.vkey,
            role is Role.WITNESS and item.operator != log.operator,
        )
        for item in _counting(situation, role)
    )


def _key_facts(name: str, keys: Mapping[Role, PublicKey]) -> tuple[KeyFact, ...]:
    return tuple(
        KeyFact(role.value, name, public.id, note_key(name, role, public).vkey if role in _NOTE_ROLES else None)
        for role, public in keys.items()
    )
