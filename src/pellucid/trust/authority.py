"""Who may be believed in what, at which time: policy, accreditations, withdrawals, revocations.

Chains are one step deep: the policy names parties and accreditors, an accreditor names others. Only the author
withdraws. Only the party itself or a policy-named accreditor revokes: `retire` spares what was logged before it,
`compromised` voids what was logged after its `since`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pellucid.statement.moment import parse_time
from pellucid.statement.reference import key_ref, statement_ref
from pellucid.trust.policy import KeyUse, Policy
from pellucid.trust.predicate import PARTY, WITHDRAWAL, Party, PartyAction, PartyRole
from pellucid.trust.testimony import Testimony, of_kind

_GRANTED_BY_POLICY_ONLY = frozenset({PartyRole.VENDOR, PartyRole.CENTER})


@dataclass(frozen=True, slots=True)
class Speaker:
    """A key that may be believed, with the roles it has and for whom it speaks."""

    key: str
    name: str
    operator: str | None
    region: str | None
    roles: frozenset[PartyRole]


@dataclass(frozen=True, slots=True)
class _Grant:
    """Roles of a key for statements logged from `since` until `until`."""

    speaker: Speaker
    since: int | None = None
    until: int | None = None

    def holds_at(self, logged_at: int) -> bool:
        return (self.since is None or logged_at >= self.since) and (self.until is None or logged_at <= self.until)


class Authority:
    """Answers who spoke, for the statements in view; built from a policy and those statements."""

    def __init__(self, policy: Policy, party_keys: Mapping[str, str], testimonies: Sequence[Testimony]) -> None:
        """Take the policy, the ids of its party keys by the base64 key, and all statements in view."""
        self._testimonies = testimonies
        self._direct = dict(_policy_grants(policy, party_keys))
        self._accreditors = {key for key, grant in self._direct.items() if grant.speaker.name in policy.accreditors}

    def speakers(self, testimony: Testimony, *roles: PartyRole) -> tuple[Speaker, ...]:
        """Return the signers who, when it was logged, had one of `roles` and were not revoked."""
        found = []
        for key in sorted(testimony.signers):
            if self.revocation(key, testimony.logged_at) is None:
                found += [s for s in self._grants(key, testimony.logged_at) if s.roles & set(roles)][:1]
        return tuple(found)

    def once(self, testimony: Testimony, *roles: PartyRole) -> tuple[Speaker, ...]:
        """Return the signers who had one of `roles`, revoked or not: negative statements stay visible."""
        found = (self._grants(key, testimony.logged_at) for key in sorted(testimony.signers))
        return tuple(s for grants in found for s in grants[:1] if s.roles & set(roles))

    def withdrawal(self, testimony: Testimony) -> Testimony | None:
        """Return the author's withdrawal of a statement, if there is one."""
        for candidate in of_kind(self._testimonies, WITHDRAWAL, statement_ref(testimony.id)):
            if candidate.signers & testimony.signers:
                return candidate
        return None

    def revocation(self, key: str, logged_at: int) -> Testimony | None:
        """Return the statement that voids what `key` signed and had logged at that time, if there is one."""
        for candidate in of_kind(self._testimonies, PARTY, key_ref(key)):
            party: Party = candidate.parsed.predicate
            if key not in candidate.signers and not candidate.signers & self._accreditors:
                continue
            if party.action is PartyAction.RETIRE and logged_at > candidate.logged_at:
                return candidate
            if party.since is not None and logged_at > parse_time(party.since):
                return candidate
        return None

    def _grants(self, key: str, logged_at: int) -> list[Speaker]:
        direct = self._direct.get(key)
        granted = [direct.speaker] if direct is not None and direct.holds_at(logged_at) else []
        return granted + [grant.speaker for grant in self._accreditations(key) if grant.holds_at(logged_at)]

    def _accreditations(self, key: str) -> Iterator[_Grant]:
        for testimony in of_kind(self._testimonies, PARTY, key_ref(key)):
            party: Party = testimony.parsed.predicate
            for accreditor in sorted(testimony.signers & self._accreditors - {key}):
                if party.action is not PartyAction.ACCREDIT or self._is_void(testimony, accreditor):
                    continue
                by = self._direct[accreditor].speaker
                roles = frozenset(party.roles) - (_GRANTED_BY_POLICY_ONLY - by.roles)
                speaker = Speaker(key, f"accredited by {by.name}", by.operator, by.region, roles)
                yield _Grant(speaker, until=parse_time(party.expires) if party.expires else None)

    def _is_void(self, testimony: Testimony, signer: str) -> bool:
        grant = self._direct[signer]
        return (
            not grant.holds_at(testimony.logged_at)
            or self.withdrawal(testimony) is not None
            or self.revocation(signer, testimony.logged_at) is not None
        )


def _policy_grants(policy: Policy, party_keys: Mapping[str, str]) -> Iterator[tuple[str, _Grant]]:
    for node in policy.node:
        for key in node.keys(KeyUse.PARTY):
            speaker = Speaker(
                party_keys[key.key], node.name, node.operator, node.region, frozenset({PartyRole(node.role)})
            )
            yield speaker.key, _Grant(speaker, _seconds(key.since), _seconds(key.until))
    for party in policy.party:
        speaker = Speaker(party_keys[party.key], party.name, party.operator, party.region, frozenset(party.roles))
        yield speaker.key, _Grant(speaker, _seconds(party.since), _seconds(party.until))


def _seconds(text: str | None) -> int | None:
    return None if text is None else parse_time(text)
