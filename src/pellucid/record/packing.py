"""Making an evidence pack: everything that the logs of a policy say about one file, with proofs and answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pellucid.errors import InputError, UnavailableError
from pellucid.record.asking import Answer, Asker
from pellucid.record.client import NodeClient
from pellucid.record.sources import Connect, LogAtHand, Nodes, Tell, covering, find_log
from pellucid.statement.commitment import Opening, open_commitment
from pellucid.statement.digest import is_sha256
from pellucid.statement.dsse import Envelope
from pellucid.statement.keys import PublicKey
from pellucid.statement.predicate import Parsed, Registry
from pellucid.statement.reference import Ref, file_ref
from pellucid.tlog.note import Note
from pellucid.tlog.tlog_proof import TlogProof
from pellucid.trust.closure import closure
from pellucid.trust.evidence import signers_of
from pellucid.trust.keyring import Keyring, read_keyring
from pellucid.trust.pack import (
    NOT_PROVEN,
    Covering,
    Pack,
    PackedLog,
    PackedStatement,
    PackSubject,
    decode_path,
    encode_path,
)
from pellucid.trust.policy import Policy
from pellucid.trust.predicate import PARTY

REFS_MOST = 10_000


class TooMuchError(InputError):
    """More is said than fits into a pack."""


class UnknownSignerError(UnavailableError):
    """Nobody gives the key with which a logged statement was signed."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much goes into a pack, and how many seconds making it may take.

    Mirrors are waited for `wait` seconds, and `grace` seconds once as many have answered as the policy asks for.
    """

    statements: int = 20_000
    seconds: float = 600.0
    wait: float = 30.0
    grace: float = 3.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A logged statement with its place and envelope."""

    log: str
    index: int
    parsed: Parsed

    @property
    def envelope(self) -> Envelope:
        """The entry."""
        return self.parsed.envelope


@dataclass(frozen=True, slots=True)
class LoggedProof:
    """A logged statement and its C2SP tlog-proof."""

    log: str
    index: int
    envelope: Envelope
    proof: TlogProof


def build_pack(
    sha256: str,
    policy: Policy,
    registry: Registry,
    *,
    connect: Connect = NodeClient,
    tell: Tell = lambda _text: None,
    openings: Iterable[Opening] = (),
    bounds: Bounds | None = None,
) -> Pack:
    """Return the pack about the file with this SHA-256, as the nodes of `policy` show its logs now.

    `tell` gets a line about everything that is waited for, missing or left out. NoSourceError if nobody shows one of
    the logs, UnknownSignerError if a signer's key cannot be had, TooMuchError beyond the bounds.
    """
    bounds = bounds or Bounds()
    keyring = read_keyring(policy)
    nodes = Nodes(policy, keyring, connect)
    try:
        logs = [find_log(nodes, held, tell) for held in keyring.logs.values()]
        asker = Asker(nodes, registry, tell, bounds.wait, bounds.grace, max(1, policy.quorum.mirrors))
        gathering = Gathering(file_ref(sha256), logs, asker, bounds, keys=dict(keyring.party_keys))
        answers = gathering.complete()
        return _put_together(sha256, gathering, answers, keyring, tuple(openings))
    finally:
        nodes.close()


def tlog_proofs(pack: Pack, concerns: Callable[[Envelope], bool]) -> Sequence[LoggedProof]:
    """Return a proof for each statement of a pack that `concerns` picks, under the checkpoint that first covered it."""
    found = []
    for log in pack.logs:
        notes = [Note.parse(item.note.encode()) for item in log.checkpoints]
        sized = sorted((int(note.text.split("\n")[1]), note) for note in notes)
        for item in log.statements:
            envelope = Envelope.from_json(item.envelope)
            if concerns(envelope):
                note = next(note for size, note in sized if size > item.index)
                path = tuple(decode_path(item.inclusion, where=log.origin))
                found.append(LoggedProof(log.origin, item.index, envelope, TlogProof(item.index, path, note)))
    return found


@dataclass
class Gathering:
    """What was found so far; it grows until nothing that was found leads any further."""

    start: Ref
    logs: Sequence[LogAtHand]
    asker: Asker
    bounds: Bounds
    keys: dict[str, PublicKey]
    entries: dict[tuple[str, int], Entry] = field(default_factory=dict)
    _nobody_knows: set[str] = field(default_factory=set)

    def complete(self) -> Sequence[Answer]:
        """Follow every reference in every log; return the mirrors' answers to the whole question."""
        until = time.monotonic() + self.bounds.seconds
        known: frozenset[Ref] = frozenset()
        while True:
            refs = self._refs()
            while new := refs - known:
                for log in self.logs:
                    self._add(self.asker.explore(log, new))
                known |= new
                refs = self._refs()
                self._require_bounds(refs, until)
            answers = self.asker.ask_all(self.logs, refs)
            for answer in answers:
                self._add(answer)
            if self._refs() <= known:
                return answers
            self._require_bounds(refs, until)

    def signers(self, entry: Entry) -> frozenset[str]:
        """Return the ids of the keys that signed an entry."""
        return signers_of(entry.envelope, self.keys)

    def _refs(self) -> frozenset[Ref]:
        found = self.entries.values()
        return closure(self.start, [(e.parsed, self.signers(e) | _claimed(e.envelope)) for e in found])

    def _add(self, answer: Answer | None) -> None:
        if answer is None:
            return
        for index, parsed in answer.statements:
            if (answer.log, index) not in self.entries:
                self.entries[answer.log, index] = entry = Entry(answer.log, index, parsed)
                self._learn_keys(entry)

    def _learn_keys(self, entry: Entry) -> None:
        parsed = entry.parsed
        if parsed.kind is not None and parsed.kind.uri == PARTY.uri and parsed.predicate.spki is not None:
            key = PublicKey.from_base64(parsed.predicate.spki)
            self.keys[key.id] = key
        for key_id in _claimed(entry.envelope) - self.keys.keys() - self._nobody_knows:
            found = self._ask_for_key(key_id)
            if found is None:
                self._nobody_knows.add(key_id)
            else:
                self.keys[key_id] = found

    def _ask_for_key(self, key_id: str) -> PublicKey | None:
        for node in self.asker.nodes.all():
            try:
                found = self.asker.nodes.client(node).key(key_id)
            except UnavailableError:
                continue
            if found is not None:
                return found
        return None

    def _require_bounds(self, refs: frozenset[Ref], until: float) -> None:
        if len(self.entries) > self.bounds.statements or len(refs) > REFS_MOST:
            raise TooMuchError(
                f"{len(self.entries)} statements under {len(refs)} references are connected with it",
                remedy="ask with a policy that names fewer logs",
            )
        if time.monotonic() > until:
            raise UnavailableError(f"not done within {self.bounds.seconds:.0f} s", remedy="try again later")


def _put_together(
    sha256: str, gathering: Gathering, answers: Sequence[Answer], keyring: Keyring, openings: tuple[Opening, ...]
) -> Pack:
    signers: set[str] = set()
    for entry in gathering.entries.values():
        found = gathering.signers(entry)
        if not found:
            where, remedy = f"{entry.log}, entry {entry.index}", "ask its node's operator for the key"
            raise UnknownSignerError("nobody gives the key of its author", where=where, remedy=remedy)
        signers |= found
    opened = {opening.root: opening for opening in openings}
    for root, opening in opened.items():
        open_commitment(root, opening, where=f"opening of {root}")
    return Pack(
        format="pellucid-evidence/v1",
        subject=PackSubject(sha256),
        keys=tuple(sorted(gathering.keys[key].spki_base64 for key in signers)),
        logs=tuple(
            _packed(log, [e for e in gathering.entries.values() if e.log == log.origin], keyring)
            for log in sorted(gathering.logs, key=lambda log: log.origin)
        ),
        completeness=tuple(
            envelope.as_json() for envelope in sorted({a.envelope for a in answers}, key=Envelope.to_bytes)
        ),
        openings=tuple(opened[root] for root in sorted(opened)),
        not_proven=NOT_PROVEN,
    )


def _packed(log: LogAtHand, entries: Iterable[Entry], keyring: Keyring) -> PackedLog:
    ordered = sorted(entries, key=lambda entry: entry.index)
    chosen: dict[int, Note] = {}
    for entry in ordered:
        if not any(size > entry.index for size in chosen):
            found = covering(log, entry.index, keyring)
            chosen[found.checkpoint.size] = found.note
    sizes = {e.index: min(size for size in chosen if size > e.index) for e in ordered}
    return PackedLog(
        origin=log.origin,
        head=log.head.to_bytes().decode(),
        checkpoints=tuple(_covering(log, size, chosen[size]) for size in sorted(set(sizes.values()))),
        statements=tuple(_statement(log, entry, sizes[entry.index]) for entry in ordered),
    )


def _covering(log: LogAtHand, size: int, note: Note) -> Covering:
    return Covering(note.to_bytes().decode(), encode_path(log.reader.consistency(size, log.size)))


def _statement(log: LogAtHand, entry: Entry, size: int) -> PackedStatement:
    path = encode_path(log.reader.inclusion(entry.index, size))
    return PackedStatement(entry.index, entry.envelope.as_json(), path)


def _claimed(envelope: Envelope) -> frozenset[str]:
    return frozenset(s.keyid for s in envelope.signatures if is_sha256(s.keyid))
