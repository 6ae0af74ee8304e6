"""Which submissions a node logs: every accredited party's statement, whatever it says.

A statement is refused for its form or its author, never for its content.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from pellucid.errors import PellucidError
from pellucid.record.predicate import Refusal
from pellucid.record.roster import Roster, Standing
from pellucid.record.signers import find_signers
from pellucid.statement.digest import sha256_hex
from pellucid.statement.dsse import ENVELOPE_LIMIT, Envelope
from pellucid.statement.keys import PublicKey
from pellucid.statement.predicate import Parsed, Registry, parse_statement


@dataclass(frozen=True, slots=True)
class Accepted:
    """A statement to be logged as `entry`, and the ids of the known party keys that signed it."""

    parsed: Parsed
    signers: frozenset[str]
    entry: bytes

    @property
    def subject(self) -> str:
        """The statement's id."""
        return self.parsed.id

    @property
    def key(self) -> bytes:
        """What makes two submissions the same: the statement and who of the known parties signed it.

        Not the statement alone: else whoever logs somebody's words under another signature first would keep the
        author's own signature out.
        """
        return sha256(f"{self.parsed.id} {' '.join(sorted(self.signers))}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Refused:
    """A submission that is not logged: the statement id, or the SHA-256 of the bytes where there is none."""

    subject: str
    reason: Refusal
    why: str


class Acceptance:
    """Judges submissions by the roster of the moment.

    `roster` returns who is known now, `others` the nodes' keys that are not parties' (by key id), to tell a signature
    by a key of the wrong role from one by a stranger.
    """

    def __init__(
        self, registry: Registry, roster: Callable[[], Roster], others: Callable[[], Mapping[str, PublicKey]]
    ) -> None:
        self._registry = registry
        self._roster = roster
        self._others = others

    def judge(self, data: bytes, now: int) -> Accepted | Refused:
        """Return what becomes of the submitted bytes at `now` (POSIX seconds); nothing is changed."""
        if len(data) > ENVELOPE_LIMIT:
            return Refused(sha256_hex(data), Refusal.TOO_LARGE, f"{len(data)} bytes, {ENVELOPE_LIMIT} are allowed")
        subject = sha256_hex(data)
        try:
            envelope = Envelope.parse(data, where="submission")
            subject = envelope.id
            parsed = parse_statement(envelope, self._registry, where="submission")
            entry = envelope.to_bytes()
        except PellucidError as error:
            return Refused(subject, Refusal.MALFORMED, str(error))
        if len(entry) > ENVELOPE_LIMIT:
            return Refused(subject, Refusal.TOO_LARGE, f"{len(entry)} bytes in canonical form")
        return self._judge_signers(parsed, entry, now)

    def _judge_signers(self, parsed: Parsed, entry: bytes, now: int) -> Accepted | Refused:
        roster = self._roster()
        signers = find_signers(parsed.envelope, roster.keys).keys
        standings = {roster.standing(key, now) for key in signers}
        if Standing.ACTIVE in standings:
            return Accepted(parsed, signers, entry)
        if Standing.REVOKED in standings:
            return Refused(parsed.id, Refusal.REVOKED_PARTY, "its author's key was retired, revoked or has expired")
        others = self._others()
        if find_signers(parsed.envelope, others).keys:
            return Refused(parsed.id, Refusal.WRONG_ROLE, "it is signed by a node's key that is not its party key")
        hints = {signature.keyid for signature in parsed.envelope.signatures}
        if not signers and hints & (roster.keys.keys() | others.keys()):
            return Refused(parsed.id, Refusal.UNSIGNED, "no signature by the key it names is good")
        return Refused(parsed.id, Refusal.UNKNOWN_PARTY, "nobody known here accredits its author")
