"""Every byte of a pack, checked against the policy's keys: what is left is what may be reasoned about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec

from pellucid.errors import EvidenceError, InputError
from pellucid.statement.commitment import open_commitment
from pellucid.statement.digest import is_sha256
from pellucid.statement.dsse import Envelope
from pellucid.statement.keys import PublicKey
from pellucid.statement.moment import duration_words
from pellucid.statement.predicate import Parsed, Registry, parse_statement
from pellucid.tlog.checkpoint import SignedCheckpoint, open_checkpoint
from pellucid.tlog.cosignature import Cosignature, cosignatures
from pellucid.tlog.merkle import leaf_hash, verify_consistency, verify_inclusion
from pellucid.tlog.quorum import MAX_CLOCK_SKEW, Quorum, Standing
from pellucid.trust.keyring import Held, Keyring
from pellucid.trust.pack import Pack, PackedLog, PackedStatement, PackError, decode_path
from pellucid.trust.policy import Policy
from pellucid.trust.predicate import PARTY
from pellucid.trust.testimony import Place, Testimony, Window


class SeenLog(msgspec.Struct, frozen=True):
    """One log of the policy as the pack shows it: its head, who cosigned it, and what is wrong with that.

    `seen_at` is when enough operators last saw it; the moment judged where nobody has to.
    """

    origin: str
    head: SignedCheckpoint
    cosignatures: tuple[Cosignature, ...]
    quorum: Quorum
    standing: Standing
    stale: str | None
    seen_at: int


class Evidence(msgspec.Struct, frozen=True):
    """What a pack proves: the logs, and the statements in them, but for those surely logged after the moment."""

    logs: Mapping[str, SeenLog]
    testimonies: tuple[Testimony, ...]
    entries: Mapping[tuple[str, int], str]


class Clock(msgspec.Struct, frozen=True):
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
    found: dict[str, list[tuple[Place, Envelope]]] = defaultdict(list)
    entries: dict[tuple[str, int], str] = {}
    for origin, log in packed.items():
        logs[origin] = _see(log, policy, keyring, clock)
        for place, envelope in _entries(log, logs[origin], keyring, clock):
            found[envelope.id].append((place, envelope))
            entries[origin, place.index] = envelope.id
    parsed = {i: parse_statement(logged[0][1], registry, where=_where(logged[0][0])) for i, logged in found.items()}
    known = {**keys, **_accredited(parsed.values())}
    testimonies = [_testify(parsed[i], logged, known) for i, logged in found.items()]
    _refuse_unused(pack, testimonies)
    return Evidence(logs, tuple(t for t in testimonies if t.not_before <= clock.at), entries)


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
    seen_at, frozen, stale = quorum.seen_time(found), held.entry.frozen, None
    if frozen is None:
        stale = _stale(held, seen_at, policy.quorum.max_age_seconds, clock)
    elif (head.checkpoint.size, head.checkpoint.root.hex()) != (frozen.size, frozen.root):
        raise PackError("its head is not the end that the policy gives for this log", where=log.origin)
    at = clock.at if frozen is not None or seen_at is None else seen_at
    return SeenLog(log.origin, head, found, quorum, quorum.standing(found), stale, at)


def _cosignatures(signed: SignedCheckpoint, keyring: Keyring, quorum: Quorum, clock: Clock) -> Sequence[Cosignature]:
    found = keyring.counted(cosignatures(signed.note, quorum.verifiers))
    return [c for c in found if c.timestamp <= clock.latest]


def _stale(held: Held, seen_at: int | None, max_age: int, clock: Clock) -> str | None:
    """Say why a head is no word on the present: its key's time is over or not yet come, or nobody saw it lately."""
    if not held.valid_at(clock.at if seen_at is None else seen_at):
        return "signed with a log key that the policy does not believe at the time it was seen"
    if seen_at is None or seen_at >= clock.at - max_age:
        return None
    age, most = duration_words(clock.at - seen_at), duration_words(max_age)
    return f"last seen by enough operators {age} before the moment asked for, {most} are allowed"


def _entries(log: PackedLog, seen: SeenLog, keyring: Keyring, clock: Clock) -> Sequence[tuple[Place, Envelope]]:
    coverings = _coverings(log, seen, keyring)
    if any(one.checkpoint.size >= other.checkpoint.size for one, other in pairwise(coverings)):
        raise PackError("its checkpoints are not in order, or one stands twice", where=log.origin)
    times = {c.checkpoint.size: _times(c, seen, keyring, clock) for c in coverings}
    found, needed = [], set()
    for packed in log.statements:
        where = f"{log.origin}, entry {packed.index}"
        covering = next((c for c in coverings if c.checkpoint.size > packed.index), None)
        if covering is None:
            raise PackError("no checkpoint of the pack covers it", where=where)
        needed.add(covering.checkpoint.size)
        envelope = _included(packed, covering, where=where)
        unseen = max((times[size].earliest for size in times if size <= packed.index), default=0)
        found.append((Place(log.origin, packed.index, times[covering.checkpoint.size].latest, unseen), envelope))
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


def _times(covering: SignedCheckpoint, seen: SeenLog, keyring: Keyring, clock: Clock) -> Window:
    """Return when enough operators last saw a checkpoint as the largest, and by when what it covers was logged.

    The first is 0 where too few did. The second is the k-th earliest cosignature's time of the checkpoint, else of the
    head, else the moment itself: each is an upper bound; without a quorum none but the moment is left.
    """
    own = _cosignatures(covering, keyring, seen.quorum, clock)
    times = (seen.quorum.logged_time(found) for found in (own, seen.cosignatures))
    latest = next((time for time in times if time is not None), clock.at)
    return Window(seen.quorum.seen_time(own) or 0, latest)


def _included(packed: PackedStatement, covering: SignedCheckpoint, *, where: str) -> Envelope:
    envelope = Envelope.from_json(packed.envelope, where=where)
    path = decode_path(packed.inclusion, where=where)
    checkpoint = covering.checkpoint
    try:
        verify_inclusion(leaf_hash(envelope.to_bytes()), packed.index, checkpoint.size, path, checkpoint.root)
    except EvidenceError as error:
        raise PackError(f"it is not in the log: {error.what}", where=where) from None
    return envelope


def _accredited(statements: Iterable[Parsed]) -> Mapping[str, PublicKey]:
    """Return the keys that accreditations carry: leaving a key out of the pack must not silence its holder."""
    texts = [s.predicate.spki for s in statements if s.kind is not None and s.kind.uri == PARTY.uri]
    keys = [PublicKey.from_base64(text) for text in texts if text is not None]
    return {key.id: key for key in keys}


def _testify(parsed: Parsed, logged: Sequence[tuple[Place, Envelope]], keys: Mapping[str, PublicKey]) -> Testimony:
    by_key: dict[str, list[Place]] = defaultdict(list)
    for place, envelope in logged:
        for key in signers_of(envelope, keys):
            by_key[key].append(place)
    places = sorted((place for place, _ in logged), key=lambda place: place.logged_at)
    if not by_key:
        raise PackError("no key of the pack or the policy signed it", where=_where(places[0]))
    claimed = frozenset(s.keyid for _, envelope in logged for s in envelope.signatures if is_sha256(s.keyid))
    signed = {key: Window(min(p.not_before for p in at), min(p.logged_at for p in at)) for key, at in by_key.items()}
    return Testimony(parsed, frozenset(by_key), tuple(places), claimed, signed)


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
    """Tell whether a text stands anywhere in a JSON value, however deep that was nested to bring programs down."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if item == text:
            return True
        if isinstance(item, Mapping):
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return False


def _where(place: Place) -> str:
    return f"{place.log}, entry {place.index}"


def signers_of(envelope: Envelope, keys: Mapping[str, PublicKey]) -> frozenset[str]:
    """Return the ids of the keys that did sign an envelope; the hints only say which to try first."""
    hints = [s.keyid for s in envelope.signatures if s.keyid in keys]
    hinted = frozenset(key for key in hints if envelope.verified_by(keys[key]))
    if len(hinted) == len(envelope.signatures):
        return hinted
    return frozenset(key for key, public in keys.items() if envelope.verified_by(public))
