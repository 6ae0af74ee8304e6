"""Offline trust policies, C2SP tlog-policy: which logs, which witnesses, and which of these are enough.

Names are opaque bytes; here they are `str` decoded as UTF-8 with surrogate escapes, so that distinct bytes stay
distinct. Stricter than the spec in one point: no public key may stand there twice, not even once as a log and once
as a witness.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from pellucid.tlog.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from pellucid.tlog.cosignature import Cosignature, cosignatures
from pellucid.tlog.errors import OriginError, PolicyError, QuorumError, VkeyError
from pellucid.tlog.note import Note, SignatureKind, Verifier

MAX_POLICY = 1 << 18
NO_QUORUM = "none"

_ALLOWED = frozenset([0x09, 0x0A, *range(0x20, 0x7F), *range(0x80, 0x100)])


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A log that is accepted; the name of its key is its origin."""

    verifier: Verifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness under the name that groups call it by."""

    name: str
    verifier: Verifier
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyGroup:
    """A group: at least `threshold` of its members, witnesses or earlier groups."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TlogPolicy:
    """The logs, witnesses and groups, in the order of definition, and the name of the quorum."""

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[PolicyGroup, ...]
    quorum: str

    @classmethod
    def parse(cls, data: bytes, *, where: str = "tlog-policy") -> TlogPolicy:
        """Read a policy file of at most 256 KiB; PolicyError or VkeyError, with the line, if it is not one."""
        if len(data) > MAX_POLICY:
            raise PolicyError(f"a policy of more than {MAX_POLICY} bytes", where=where)
        if not data.endswith(b"\n"):
            raise PolicyError("the last line does not end: the file may be cut short", where=where)
        reading = _Reading()
        for number, line in enumerate(data.removesuffix(b"\n").split(b"\n"), 1):
            reading.take(line, where=f"{where}, line {number}")
        if reading.quorum is None:
            raise PolicyError("no quorum line", where=where, remedy="write `quorum <name>` or `quorum none`")
        witnesses = tuple(reading.witnesses.values())
        return cls(tuple(reading.logs), witnesses, tuple(reading.groups.values()), reading.quorum)

    def to_bytes(self) -> bytes:
        """Write the policy file; PolicyError if it would not read back."""
        lines = [_line("log", log.verifier.vkey, log.url) for log in self.logs]
        lines += [_line("witness", item.name, item.verifier.vkey, item.url) for item in self.witnesses]
        lines += [_line("group", item.name, str(item.threshold), *item.members) for item in self.groups]
        lines += [_line("quorum", self.quorum)]
        data = "".join(lines).encode("utf-8", "surrogateescape")
        if TlogPolicy.parse(data) != self:
            raise PolicyError("a name or address of the policy cannot be written in one word")
        return data

    def met_by(self, cosigners: Collection[Verifier]) -> bool:
        """Tell whether cosignatures by these keys are a quorum."""
        witnessed = {item.name for item in self.witnesses if item.verifier in cosigners}
        for group in self.groups:
            if len(witnessed.intersection(group.members)) >= group.threshold:
                witnessed.add(group.name)
        return self.quorum == NO_QUORUM or self.quorum in witnessed

    def open(self, data: bytes | Note, *, where: str = "checkpoint") -> tuple[SignedCheckpoint, list[Cosignature]]:
        """Check a checkpoint: signed by one of the logs, cosigned by the quorum.

        OriginError if no log of the policy has its origin, QuorumError if too few cosigned, and the errors of
        `open_checkpoint` and `cosignatures`.
        """
        note = data if isinstance(data, Note) else Note.parse(data, where=where)
        origin = Checkpoint.parse(note.text, where=where).origin
        logs = [log.verifier for log in self.logs if log.verifier.name == origin]
        if not logs:
            raise OriginError(f"the policy does not name the log {origin!r}", where=where)
        signers = note.verify(logs, where=where)
        signed = open_checkpoint(note, signers[0].verifier, where=where)
        found = cosignatures(note, [item.verifier for item in self.witnesses], where=where)
        if not self.met_by([item.verifier for item in found]):
            raise QuorumError(f"cosigned by {len(found)} of the policy's witnesses; no quorum", where=where)
        return signed, found


@dataclass(slots=True)
class _Reading:
    """What the lines so far have defined."""

    logs: list[PolicyLog] = field(default_factory=list)
    witnesses: dict[str, PolicyWitness] = field(default_factory=dict)
    groups: dict[str, PolicyGroup] = field(default_factory=dict)
    quorum: str | None = None
    keys: set[bytes] = field(default_factory=set)
    grouped: set[str] = field(default_factory=set)

    def take(self, line: bytes, *, where: str) -> None:
        if not _ALLOWED.issuperset(line):
            raise PolicyError("a control character other than tab", where=where)
        words = [word for word in line.decode("utf-8", "surrogateescape").replace("\t", " ").split(" ") if word]
        if not words or words[0].startswith("#"):
            return
        readers: dict[str, Callable[[list[str], str], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        reader = readers.get(words[0])
        if reader is None:
            raise PolicyError(f"{words[0][:40]!r} starts no line", where=where, remedy=f"use {', '.join(readers)} or #")
        reader(words[1:], where)

    def _log(self, words: list[str], where: str) -> None:
        if not 1 <= len(words) <= 2:
            raise PolicyError("expected: log <vkey> [<url>]", where=where)
        self.logs.append(PolicyLog(self._key(words[0], SignatureKind.ED25519, where), *words[1:]))

    def _witness(self, words: list[str], where: str) -> None:
        if not 2 <= len(words) <= 3:
            raise PolicyError("expected: witness <name> <vkey> [<url>]", where=where)
        name, vkey, *url = words
        self._require_new(name, where)
        self.witnesses[name] = PolicyWitness(name, self._key(vkey, SignatureKind.COSIGNATURE, where), *url)

    def _group(self, words: list[str], where: str) -> None:
        if len(words) < 3:
            raise PolicyError("expected: group <name> <k|any|all> <name>...", where=where)
        name, rule, *members = words
        self._require_new(name, where)
        for member in members:
            self._require_defined(member, where)
            if member in self.grouped:
                raise PolicyError(f"{member!r} is a member of a group already", where=where)
            self.grouped.add(member)
        counts = {str(count): count for count in range(1, len(members) + 1)} | {"any": 1, "all": len(members)}
        if rule not in counts:
            raise PolicyError(f"a group of {len(members)} has a threshold of 1 to {len(members)}", where=where)
        self.groups[name] = PolicyGroup(name, counts[rule], tuple(members))

    def _quorum(self, words: list[str], where: str) -> None:
        if len(words) != 1 or self.quorum is not None:
            raise PolicyError("expected once: quorum <name>", where=where)
        if words[0] != NO_QUORUM:
            self._require_defined(words[0], where)
        self.quorum = words[0]

    def _key(self, vkey: str, kind: SignatureKind, where: str) -> Verifier:
        verifier = Verifier.parse(vkey, where=where)
        if verifier.kind is not kind:
            raise VkeyError(f"a key of type {verifier.kind.value} where type {kind.value} belongs", where=where)
        if verifier.public.raw in self.keys:
            raise PolicyError(f"the public key of {verifier.name} stands in the policy already", where=where)
        self.keys.add(verifier.public.raw)
        return verifier

    def _require_new(self, name: str, where: str) -> None:
        if name == NO_QUORUM or name in self.witnesses or name in self.groups:
            raise PolicyError(f"the name {name!r} is taken", where=where)

    def _require_defined(self, name: str, where: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise PolicyError(f"{name!r} is not the name of a witness or group defined above", where=where)


def _line(*words: str | None) -> str:
    return " ".join(word for word in words if word) + "\n"
