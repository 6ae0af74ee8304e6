"""Who may have statements logged here now: this node's party, its peers' parties, and whom one of those accredited.

This is about logging only. What a statement is worth is decided by each verifier's own policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pellucid.statement.keys import PublicKey
from pellucid.statement.moment import parse_time
from pellucid.statement.predicate import Parsed
from pellucid.statement.types import PARTY, WITHDRAWAL
from pellucid.trust.predicate import Party, PartyAction


class Standing(StrEnum):
    """How a key stands with this node."""

    ACTIVE = "active"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PartyWord:
    """What one `party` statement says: who (`by`, key ids) grants or ends the key `key`; times in POSIX seconds."""

    statement: str
    by: frozenset[str]
    key: str
    action: PartyAction
    public: PublicKey | None
    since: int | None
    expires: int | None

    def ends(self, now: int) -> bool:
        """Tell whether it has ended the key by now, if its author may."""
        if self.action is PartyAction.COMPROMISED:
            return self.since is None or now > self.since
        return self.action is PartyAction.RETIRE


@dataclass(frozen=True, slots=True)
class WithdrawalWord:
    """That `by` (key ids) withdraw the statement `withdrawn`."""

    statement: str
    by: frozenset[str]
    withdrawn: str


Word = PartyWord | WithdrawalWord


def word_of(parsed: Parsed, signers: frozenset[str]) -> Word | None:
    """Return what a statement changes in who may speak, None if nothing."""
    if parsed.kind is None or parsed.kind.uri not in {PARTY, WITHDRAWAL}:
        return None
    subject = parsed.statement.subjects[0].digest["sha256"]
    if parsed.kind.uri == WITHDRAWAL:
        return WithdrawalWord(parsed.id, signers, subject)
    return party_word(parsed.id, signers, subject, parsed.predicate)


def party_word(statement: str, signers: frozenset[str], subject: str, party: Party) -> PartyWord:
    """Return the word of a `party` predicate about the key with the id `subject`."""
    return PartyWord(
        statement,
        signers,
        subject,
        party.action,
        PublicKey.from_base64(party.spki) if party.spki else None,
        parse_time(party.since) if party.since else None,
        parse_time(party.expires) if party.expires else None,
    )


class Roster:
    """The parties known from cards (`direct`, public keys by id) and from `words` found in logs; immutable."""

    def __init__(self, direct: Mapping[str, PublicKey], words: Iterable[Word]) -> None:
        self._direct = dict(direct)
        self._words: dict[str, list[PartyWord]] = {}
        self._withdrawn: dict[str, frozenset[str]] = {}
        self.keys: dict[str, PublicKey] = dict(direct)
        for word in words:
            if isinstance(word, WithdrawalWord):
                self._withdrawn[word.withdrawn] = self._withdrawn.get(word.withdrawn, frozenset()) | word.by
                continue
            self._words.setdefault(word.key, []).append(word)
            if word.public is not None:
                self.keys[word.key] = word.public

    def standing(self, key: str, now: int) -> Standing:
        """Say whether statements by the key with this id are logged at `now` (POSIX seconds).

        An ending counts if it is the key's own; an accreditor's ends only what that accreditor granted, so that
        nobody can silence a party that somebody else vouches for.
        """
        words = self._words.get(key, ())
        if any(word.ends(now) and key in word.by for word in words):
            return Standing.REVOKED
        if key in self._direct:
            return Standing.ACTIVE
        granted = [(by, word) for word in words for by in self._granters(word) if self._counts(by, now)]
        if not granted:
            return Standing.UNKNOWN
        ended = {by for word in words if word.ends(now) for by in word.by}
        live = any(by not in ended and (word.expires is None or now <= word.expires) for by, word in granted)
        return Standing.ACTIVE if live else Standing.REVOKED

    def _granters(self, word: PartyWord) -> frozenset[str]:
        if word.action is not PartyAction.ACCREDIT:
            return frozenset()
        return (word.by & self._direct.keys()) - self._withdrawn.get(word.statement, frozenset())

    def _counts(self, accreditor: str, now: int) -> bool:
        return not any(word.ends(now) and accreditor in word.by for word in self._words.get(accreditor, ()))
