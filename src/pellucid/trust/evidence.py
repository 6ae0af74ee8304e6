"""Every byte of a pack, checked against the policy's keys: what is left is what may be reasoned about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pellucid.errors import EvidenceError, InputError
from pellucid.statement.commitment import open_commitment
from pellucid.statement.digest import is_sha256
from pellucid.statement.dsse import Envelope
from pellucid.statement.keys import PublicKey
from pellucid.statement.predicate import Parsed, Registry, parse_statement
from pellucid.tlog.checkpoint import SignedCheckpoint, open_checkpoint
from pellucid.tlog.cosignature import Cosignature, cosignatures
from pellucid.tlog.merkle import leaf_hash, verify_consistency, verify_inclusion
from pellucid.tlog.quorum import MAX_CLOCK_SKEW, Quorum, Standing
from pellucid.trust.keyring import Keyring
from pellucid.trust.pack import Pack, PackedLog, PackedStatement, PackError, decode_path
from pellucid.trust.policy import Policy
from pellucid.trust.predicate import PARTY
from pellucid.trust.testimony import Place, Testimony


@dataclass(frozen=True, slots=True)
class SeenLog:
    """One log of the policy as the pack shows it: its head, who cosigned it, and what is wrong with that."""

    origin: str
    head: SignedCheckpoint
    cosignatures: tuple[Cosignature, ...]
    quorum: Quorum
    standing: Standing
    stale: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a pack proves: the logs, and the statements in them that were logged by the moment."""

    logs: Mapping[str, SeenLog]
    testimonies: tuple[Testimony, ...]
    entries: Mapping[tuple[str, int], str]


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment judged (`at`) and the verifier's own time (`now`), in seconds since 1970."""

    at: int
    now: int

    @property
    def latest(self) -> int:
        """The latest time that a cosignature may bear."""
        return max(self.at, self.now) + MAX_CLOCK_SKEW


def examine(pack: Pack, policy: Policy, keyring: Keyring, registry: Registry, clock: Clock) -> Evidence:
    """Check all signatures and proofs of `pack`; raises EvidenceError at the first that does not hold."""
    packed = _by_origin(pack, keyring)
    keys = _keys(pack, keyring)
    logs: dict[str, SeenLog] = {}
    places: dict[str, list[Place]] = defaultdict(list)
    envelopes: dict[str, list[Envelope]] = defaultdict(list)
    entries: dict[tuple[str, int], str] = {}
    for origin, log in packed.items():
        logs[origin] = _see(log, policy, keyring, clock)
        for place, envelope in _entries(log, logs[origin], keyring, clock):
            places[envelope.id].append(place)
            envelopes[envelope.id].append(envelope)
            entries[origin, place.index] = envelope.id
    parsed = {i: _parse(envelopes[i][0], places[i][0], registry) for i in envelopes}
    known = {**keys, **_accredited(parsed.values())}
    testimonies = [_testify(parsed[i], envelopes[i], places[i], known) for i in envelopes]
    _refuse_unused(pack, testimonies)
    return Evidence(logs, tuple(t for t in testimonies if t.logged_at <= clock.at), entries)


def _by_origin(pack: Pack, keyring: Keyring) -> Mapping[str, PackedLog]:
    packed = {log.origin: log for log in pack.logs}
    if len(packed) != len(pack.logs):
        raise PackError("one log stands twice in the pack")
    remedy = "make the pack with this policy: pellucid pack FILE --policy POLICY -o PACK"
    for origin in packed.keys() - keyring.logs.keys():
        raise PackError(f"the pack speaks of the log {origin}, which the policy does not name", remedy=remedy)
    for origin in keyring.logs.keys() - packed.keys():
        raise PackError(f"the pack says nothing of the log {origin}, which the policy names", remedy=remedy)
    return packed


def _keys(pack: Pack, keyring: Keyring) -> Mapping[str, PublicKey]:
    try:
        carried = [PublicKey.from_base64(text, where="pack: keys") for text in pack.keys]
    except InputError as error:
        raise PackError(error.what, where=error.where) from None
    return {key.id: key for key in carried} | dict(keyring.party_keys)


def _see(log: PackedLog, policy: Policy, keyring: Keyring, clock: Clock) -> SeenLog:
    held = keyring.logs[log.origin]
    head = open_checkpoint(log.head.encode(), held.verifier, where=f"head of {log.origin}")
    quorum = keyring.quorum(log.origin)
    found = tuple(_cosignatures(head, keyring, quorum, clock))
    frozen = held.entry.frozen
    stale = None
    if frozen is not None:
        if (head.checkpoint.size, head.checkpoint.root.hex()) != (frozen.size, frozen.root):
            raise PackError("its head is not the end that the policy gives for this log", where=log.origin)
    elif quorum.required:
        stale = _stale(quorum, found, policy.quorum.max_age_seconds, clock)
    return SeenLog(log.origin, head, found, quorum, quorum.standing(found), stale)


def _cosignatures(signed: SignedCheckpoint, keyring: Keyring, quorum: Quorum, clock: Clock) -> Sequence[Cosignature]:
    found = keyring.counted(cosignatures(signed.note, quorum.verifiers))
    return [c for c in found if c.timestamp <= clock.latest]


def _stale(quorum: Quorum, found: Sequence[Cosignature], max_age: int, clock: Clock) -> str | None:
    seen = quorum.seen_time(found)
    if seen is None or seen >= clock.at - max_age:
        return None
    return f"last seen by enough operators {clock.at - seen} s before the moment asked for, {max_age} s are allowed"


def _entries(log: PackedLog, seen: SeenLog, keyring: Keyring, clock: Clock) -> Sequence[tuple[Place, Envelope]]:
    coverings = _coverings(log, seen, keyring)
    if any(one.checkpoint.size >= other.checkpoint.size for one, other in pairwise(coverings)):
        raise PackError("its checkpoints are not in order, or one stands twice", where=log.origin)
    times = {c.checkpoint.size: _logged_time(c, seen, keyring, clock) for c in coverings}
    found, needed = [], set()
    for packed in log.statements:
        where = f"{log.origin}, entry {packed.index}"
        covering = next((c for c in coverings if c.checkpoint.size > packed.index), None)
        if covering is None:
            raise PackError("no checkpoint of the pack covers it", where=where)
        needed.add(covering.checkpoint.size)
        envelope = _included(packed, covering, where=where)
        found.append((Place(log.origin, packed.index, times[covering.checkpoint.size]), envelope))
    if len(needed) != len(coverings):
        raise PackError("a checkpoint is the first to cover nothing in the pack", where=log.origin)
    return found


def _coverings(log: PackedLog, seen: SeenLog, keyring: Keyring) -> Sequence[SignedCheckpoint]:
    head = seen.head.checkpoint
    found = []
    for packed in log.checkpoints:
        where = f"{log.origin}, checkpoint"
        signed = open_checkpoint(packed.note.encode(), keyring.logs[log.origin].verifier, where=where)
        old = signed.checkpoint
        proof = decode_path(packed.consistency, where=where)
        verify_consistency(old.size, old.root, head.size, head.root, proof)
        found.append(signed)
    return found


def _logged_time(covering: SignedCheckpoint, seen: SeenLog, keyring: Keyring, clock: Clock) -> int:
    """Return the k-th earliest cosignature's time of the checkpoint, else of the head, else the moment itself.

    Each is an upper bound on when the entry was made; without a quorum none but the moment is left.
    """
    for found in (_cosignatures(covering, keyring, seen.quorum, clock), seen.cosignatures):
        time = seen.quorum.logged_time(found)
        if time is not None:
            return time
    return clock.at


def _included(packed: PackedStatement, covering: SignedCheckpoint, *, where: str) -> Envelope:
    envelope = Envelope.from_json(packed.envelope, where=where)
    path = decode_path(packed.inclusion, where=where)
    checkpoint = covering.checkpoint
    try:
        verify_inclusion(leaf_hash(envelope.to_bytes()), packed.index, checkpoint.size, path, checkpoint.root)
    except EvidenceError as error:
        raise PackError(f"it is not in the log: {error.what}", where=where) from None
    return envelope


def _parse(envelope: Envelope, place: Place, registry: Registry) -> Parsed:
    return parse_statement(envelope, registry, where=_where(place))


def _accredited(statements: Iterable[Parsed]) -> Mapping[str, PublicKey]:
    """Return the keys that accreditations carry: leaving a key out of the pack must not silence its holder."""
    texts = [s.predicate.spki for s in statements if s.kind is not None and s.kind.uri == PARTY.uri]
    keys = [PublicKey.from_base64(text) for text in texts if text is not None]
    return {key.id: key for key in keys}


def _testify(
    parsed: Parsed, envelopes: Sequence[Envelope], places: Sequence[Place], keys: Mapping[str, PublicKey]
) -> Testimony:
    signers = frozenset(key for envelope in envelopes for key in signers_of(envelope, keys))
    if not signers:
        raise PackError("no key of the pack or the policy signed it", where=_where(places[0]))
    claimed = frozenset(s.keyid for envelope in envelopes for s in envelope.signatures if is_sha256(s.keyid))
    return Testimony(parsed, signers, tuple(sorted(places, key=lambda place: place.logged_at)), claimed)


def _refuse_unused(pack: Pack, testimonies: Sequence[Testimony]) -> None:
    """Refuse keys and openings that nothing in the pack needs: nobody would have checked them."""
    signers = {key for testimony in testimonies for key in testimony.signers}
    for text in pack.keys:
        if PublicKey.from_base64(text).id not in signers:
            raise PackError("a key signed nothing in the pack", where=f"keys: {text[:60]}")
    for opening in pack.openings:
        where = f"opening of {opening.root}"
        open_commitment(opening.root, opening, where=where)
        if not any(_holds(testimony.parsed.statement.predicate, opening.root) for testimony in testimonies):
            raise PackError("no statement in the pack makes this commitment", where=where)


def _holds(value: object, text: str) -> bool:
    if isinstance(value, Mapping):
        return any(_holds(item, text) for item in value.values())
    if isinstance(value, list):
        return any(_holds(item, text) for item in value)
    return value == text


def _where(place: Place) -> str:
    return f"{place.log}, entry {place.index}"


def signers_of(envelope: Envelope, keys: Mapping[str, PublicKey]) -> frozenset[str]:
    """Return the ids of the keys that did sign an envelope; the hints only say which to try first."""
    hints = [s.keyid for s in envelope.signatures if s.keyid in keys]
    hinted = frozenset(key for key in hints if envelope.verified_by(keys[key]))
    if len(hinted) == len(envelope.signatures):
        return hinted
    return frozenset(key for key, public in keys.items() if envelope.verified_by(public))
