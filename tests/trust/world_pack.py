"""A vendor, three centers and a reviewer in memory: logs as lists, and packs made by hand.

Keys and times are fixed, so that a pack has the same bytes in every run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from pellucid.capabilities import PREDICATES, REQUIREMENTS
from pellucid.record.predicate import COMPLETENESS, NODE_KINDS, Completeness, Listed
from pellucid.release.predicate import RELEASE, Artifact, Release, ReleaseKind, SourceTree
from pellucid.source.predicate import REVIEW, Extent, Independence, Payer, Result, Review, ReviewOf, Scope, tree_subject
from pellucid.statement.canonical import canonical_json
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Subject
from pellucid.statement.keys import PublicKey, Role, SecretKey
from pellucid.statement.moment import format_time
from pellucid.statement.predicate import Predicate, PredicateKind, make_statement, parse_statement
from pellucid.statement.reference import Ref, file_ref
from pellucid.tlog.checkpoint import Checkpoint, sign_checkpoint
from pellucid.tlog.cosignature import cosign
from pellucid.tlog.merkle import Node, consistency_proof, inclusion_proof, leaf_hash, subtree_root, tree_root
from pellucid.tlog.note import Note, NoteSigner, SignatureKind
from pellucid.trust.closure import closure
from pellucid.trust.evidence import Clock, signers_of
from pellucid.trust.keyring import read_keyring
from pellucid.trust.pack import (
    NOT_PROVEN,
    Covering,
    Pack,
    PackedLog,
    PackedStatement,
    PackSubject,
    encode_path,
)
from pellucid.trust.policy import parse_policy
from pellucid.trust.predicate import PARTY, Party, PartyAction, PartyRole, key_subject
from pellucid.trust.verdict import Rules, Verdict, decide

Json = Any

START = 1_790_000_000
NOW = START + 3600
FILE = b"what was shipped"
FILE_SHA256 = sha256(FILE).hexdigest()
TREE = "5a" * 32
CENTERS = ("asia", "europe", "americas")


def secret(role: Role, name: str) -> SecretKey:
    """Return the key of a role and name, always the same."""
    return SecretKey(role, name, sha256(f"{role.value} {name}".encode()).digest())


@dataclass
class WorldNode:
    """One node: its keys and its log, with every checkpoint that it published."""

    name: str
    role: str
    entries: list[bytes] = field(default_factory=list)
    notes: dict[int, Note] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """The name of its log."""
        return f"log.{self.name}.example"

    def signer(self, role: Role) -> NoteSigner:
        """Return its key for notes as log, witness or mirror."""
        kind = SignatureKind.ED25519 if role is Role.LOG else SignatureKind.COSIGNATURE
        name = self.origin if role is Role.LOG else f"{self.origin}/{role.value}"
        return NoteSigner(name, kind, secret(role, name))

    def secret(self, role: Role) -> SecretKey:
        """Return its key for statements as lookup, node or party."""
        return secret(role, f"{self.origin}/{role.value}")

    def read(self, nodes: Sequence[Node]) -> list[bytes]:
        """Return hashes of complete subtrees; a `NodeReader`."""
        leaves = [leaf_hash(entry) for entry in self.entries]
        return [subtree_root(leaves[index << level : (index + 1) << level]) for level, index in nodes]

    def checkpoint(self, size: int) -> Checkpoint:
        """Return the checkpoint of the first `size` entries."""
        return Checkpoint(self.origin, size, tree_root(size, self.read))

    def publish(self, cosigners: Iterable[WorldNode], at: int) -> None:
        """Sign the newest checkpoint and have it cosigned at `at`."""
        note = sign_checkpoint(self.checkpoint(len(self.entries)), self.signer(Role.LOG))
        lines = [cosign(note, node.signer(Role.WITNESS), at) for node in cosigners if node is not self]
        self.notes[len(self.entries)] = note.with_signatures(lines)

    def policy(self) -> str:
        """Return its table in a policy."""
        lines = ["", "[[node]]", f'name = "{self.name}"', f'role = "{self.role}"', f'region = "{self.name}"']
        lines += [f'operator = "Operator {self.name}"', 'obtained = "made here"', f'url = "http://{self.name}.example"']
        for role in (Role.LOG, Role.WITNESS, Role.MIRROR):
            lines += ["[[node.key]]", f'use = "{role.value}"', f'key = "{self.signer(role).vkey}"']
        for role in (Role.LOOKUP, Role.NODE, Role.PARTY):
            lines += ["[[node.key]]", f'use = "{role.value}"', f'key = "{self.secret(role).public.spki_base64}"']
        return "\n".join(lines)


class World:
    """The logs after a release, an accreditation and a review, each in a checkpoint of its own."""

    def __init__(self) -> None:
        self.reviewer = secret(Role.PARTY, "Rita Example")
        self.vendor = WorldNode("vendor", "vendor")
        self.nodes = {"vendor": self.vendor, **{name: WorldNode(name, "center") for name in CENTERS}}
        self.clock = START
        self.release = self.log(self.vendor, self.release_statement(), self.vendor.secret(Role.PARTY))
        asia = self.nodes["asia"]
        self.accreditation = self.log(asia, accreditation(self.reviewer.public), asia.secret(Role.PARTY))
        self.review = self.log(asia, review(Result.PASS), self.reviewer)
        for name in ("europe", "americas"):
            self.log(self.nodes[name], accreditation(secret(Role.PARTY, name).public), self.secret_of(name))

    def secret_of(self, name: str) -> SecretKey:
        """Return a node's party key."""
        return self.nodes[name].secret(Role.PARTY)

    def log(self, node: WorldNode, statement: bytes, *keys: SecretKey) -> Envelope:
        """Sign a payload, log it and publish the log."""
        envelope = sign_payload(IN_TOTO, statement, *keys)
        node.entries.append(envelope.to_bytes())
        self.publish(node)
        return envelope

    def publish(self, node: WorldNode) -> None:
        """Publish a log, cosigned by all others a minute later."""
        self.clock += 60
        node.publish(self.nodes.values(), self.clock)

    def release_statement(self, name: str = "scanner-1.0.tar.gz", digest: str = FILE_SHA256) -> bytes:
        """Return the payload of a release of one file."""
        tree = SourceTree(sha256=TREE, sha1="5a" * 20, files=3, size=900)
        model = Release(
            product="scanner",
            version="1.0",
            kind=ReleaseKind.SOFTWARE,
            artifacts=(Artifact(name=name, size=16),),
            source=tree,
        )
        return payload([Subject({"sha256": digest}, name)], RELEASE, model)

    def policy(self, *, witnesses: int = 2, mirrors: int = 2, max_age: str = "1d", review: int = 1) -> str:
        """Return a policy that names all nodes and honours the centers' accreditations."""
        accreditors = ", ".join(f'"{name}"' for name in CENTERS)
        head = [f"accreditors = [{accreditors}]", "[quorum]", f"witnesses = {witnesses}", f"mirrors = {mirrors}"]
        head += [f'max_age = "{max_age}"', "[require.release]", "[require.review]", f"count = {review}"]
        return "\n".join(head + [node.policy() for node in self.nodes.values()]) + "\n"

    def rules(self, policy: str | None = None) -> Rules:
        """Return what a verifier goes by."""
        read = parse_policy((policy or self.policy()).encode())
        return Rules(read, read_keyring(read), PREDICATES, NODE_KINDS, REQUIREMENTS)

    def decide(self, data: bytes, *, policy: str | None = None, sha256: str = FILE_SHA256, at: int = NOW) -> Verdict:
        """Judge the file by a pack."""
        return decide(data, sha256, self.rules(policy), Clock(at, max(at, NOW)))

    def pack(self, *, leave_out: Iterable[str] = (), mirrors: Mapping[str, Iterable[str]] | None = None) -> Pack:
        """Return the pack about the file as an honest node would make it.

        Without the statements whose ids are in `leave_out`, when the maker is not honest. `mirrors` maps a log's node
        to those who answer for it; by default all others do.
        """
        hidden = set(leave_out)
        shown = {
            name: [(i, envelope) for i, envelope in enumerate(envelopes(node)) if envelope.id not in hidden]
            for name, node in self.nodes.items()
        }
        keys = self.keys()
        refs = self.refs(envelope for found in shown.values() for _, envelope in found)
        chosen = {name: [(i, e) for i, e in found if concerns(e) & refs] for name, found in shown.items()}
        signers = {key for found in chosen.values() for _, e in found for key in signers_of(e, keys)}
        answers = [
            self.answer(self.nodes[log], self.nodes[mirror], refs)
            for log in self.nodes
            for mirror in (mirrors or {}).get(log, [name for name in self.nodes if name != log])
        ]
        return Pack(
            format="pellucid-evidence/v1",
            subject=PackSubject(FILE_SHA256),
            keys=tuple(sorted(keys[key].spki_base64 for key in signers)),
            logs=tuple(packed_log(self.nodes[name], chosen[name]) for name in sorted(self.nodes, key=self._origin)),
            completeness=tuple(answer.as_json() for answer in sorted(answers, key=Envelope.to_bytes)),
            openings=(),
            not_proven=NOT_PROVEN,
        )

    def refs(self, shown: Iterable[Envelope]) -> frozenset[Ref]:
        """Return what a question about the file leads to over these statements."""
        keys = self.keys()
        return closure(file_ref(FILE_SHA256), [(parse_statement(e, PREDICATES), signers_of(e, keys)) for e in shown])

    def answer(self, log: WorldNode, mirror: WorldNode, refs: Iterable[Ref], size: int | None = None) -> Envelope:
        """Return what a mirror signs about a log and some references; it never leaves anything out."""
        wanted = frozenset(refs)
        head = log.checkpoint(len(log.entries) if size is None else size)
        listed = [Listed(i, e.id) for i, e in enumerate(envelopes(log)[: head.size]) if concerns(e) & wanted]
        model = Completeness(
            log=log.origin,
            size=head.size,
            root=head.root.hex(),
            refs=tuple(sorted(wanted)),
            statements=tuple(listed),
        )
        subject = Subject({"sha256": head.root.hex()}, "root")
        return sign_payload(IN_TOTO, payload([subject], COMPLETENESS, model), mirror.secret(Role.LOOKUP))

    def keys(self) -> dict[str, PublicKey]:
        """Return every party key there is, by id."""
        found = [node.secret(Role.PARTY).public for node in self.nodes.values()]
        found += [self.reviewer.public, *(secret(Role.PARTY, name).public for name in ("europe", "americas"))]
        return {key.id: key for key in found}

    def _origin(self, name: str) -> str:
        return self.nodes[name].origin


def envelopes(node: WorldNode) -> list[Envelope]:
    """Return what a log holds."""
    return [Envelope.parse(entry) for entry in node.entries]


def concerns(envelope: Envelope) -> frozenset[Ref]:
    """Return under which references a statement is found."""
    return parse_statement(envelope, PREDICATES).concerns


def packed_log(node: WorldNode, chosen: Sequence[tuple[int, Envelope]]) -> PackedLog:
    """Return one log for a pack: each statement under the checkpoint that first covered it."""
    size = len(node.entries)
    sizes = {index: min(kept for kept in node.notes if kept > index) for index, _ in chosen}
    coverings = [
        Covering(node.notes[kept].to_bytes().decode(), encode_path(consistency_proof(kept, size, node.read)))
        for kept in sorted(set(sizes.values()))
    ]
    statements = [
        PackedStatement(index, envelope.as_json(), encode_path(inclusion_proof(index, sizes[index], node.read)))
        for index, envelope in chosen
    ]
    return PackedLog(node.origin, node.notes[size].to_bytes().decode(), tuple(coverings), tuple(statements))


def payload(subjects: Iterable[Subject], kind: PredicateKind, model: Predicate) -> bytes:
    """Return the bytes to sign."""
    return make_statement(subjects, kind, model).payload()


def accreditation(key: PublicKey, *, expires: int | None = None) -> bytes:
    """Return the payload that makes a key a reviewer's."""
    model = Party(
        action=PartyAction.ACCREDIT,
        roles=(PartyRole.REVIEWER,),
        spki=key.spki_base64,
        expires=None if expires is None else format_time(expires),
    )
    return payload([key_subject(key.id)], PARTY, model)


def review(result: Result, *, criteria: str = "memory-safety") -> bytes:
    """Return the payload of a full review of the source."""
    model = Review(
        of=ReviewOf.SOURCE,
        extent=Extent.FULL,
        result=result,
        independence=Independence.INDEPENDENT,
        paid_by=Payer.CENTER,
        criteria=(criteria,),
        scope=Scope(files=3, lines=40),
        minutes=600,
        expires=format_time(START + 365 * 86_400),
    )
    return payload([tree_subject(TREE)], REVIEW, model)


def as_json(pack: Pack) -> dict[str, Any]:
    """Return a pack as JSON that may be changed."""
    found: dict[str, Any] = json.loads(pack.to_bytes())
    return found


def log_of(pack: Json, name: str) -> Json:
    """Return what a pack shows of one node's log."""
    return next(log for log in pack["logs"] if log["origin"] == f"log.{name}.example")


def judged(world: World, pack: Json, **policy: Any) -> Verdict:
    """Judge the file by a pack given as JSON, under a policy with these numbers."""
    return world.decide(canonical_json(pack), policy=world.policy(**policy))


def unmet(verdict: Verdict) -> dict[str, str]:
    """Return what is not met, and why."""
    return {result.name: result.why for result in verdict.results if not result.met}
