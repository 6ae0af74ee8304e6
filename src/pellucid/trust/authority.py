"""Who may be believed in what, at which time: policy, accreditations, withdrawals, revocations.

Chains are one step deep: the policy names parties and accreditors, an accreditor names others. Only the author
withdraws, each signer for itself. Only the party itself or a policy-named accreditor revokes: `retire` spares what was
logged before it, `compromised` voids what was logged after its `since`.

Every doubt counts against the file. Whoever speaks for it has to have had the role for certain; for whoever speaks
against it, it is enough that they may have had it, and neither a revocation nor the end of an accreditation nor a
withdrawal with a revoked key makes them unsaid. A key that is not kept as the policy wants speaks against only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from pellucid.statement.moment import parse_time
from pellucid.statement.reference import key_ref, statement_ref
from pellucid.trust.policy import KeyUse, Policy
from pellucid.trust.predicate import PARTY, WITHDRAWAL, Custody, Party, PartyAction, PartyRole
from pellucid.trust.testimony import Testimony, Window

_GRANTED_BY_POLICY_ONLY = frozenset({PartyRole.VENDOR, PartyRole.CENTER})


class Speaker(msgspec.Struct, frozen=True):
    """A key that may be believed, with the roles it has and for whom it speaks.

    `party` is one for all keys that the policy gives one node or party; of accredited keys each is its own.
    """

    key: str
    name: str
    operator: str | None
    region: str | None
    roles: frozenset[PartyRole]
    party: str


class _Grant(msgspec.Struct, frozen=True):
    """Roles of a key for statements logged from `since` until `until`."""

    speaker: Speaker
    since: int | None = None
    until: int | None = None

    def holds(self, window: Window) -> bool:
        return (self.since is None or window.latest >= self.since) and (
            self.until is None or window.earliest <= self.until
        )


class Authority:
    """Answers who spoke, for the statements in view; built from a policy and those statements."""

    def __init__(
        self,
        policy: Policy,
        party_keys: Mapping[str, str],
        testimonies: Sequence[Testimony],
        moment: int | None = None,
    ) -> None:
        """Take the policy, the ids of its party keys by the base64 key, and all statements in view.

        With `moment`, what may have been logged after it is heard only where it speaks against.
        """
        self._moment = moment
        self._custody = frozenset(policy.custody)
        self._words: dict[tuple[str, str], list[Testimony]] = defaultdict(list)
        for testimony in testimonies:
            for kind in (PARTY, WITHDRAWAL):
                if testimony.is_a(kind):
                    for ref in testimony.parsed.concerns:
                        self._words[kind.uri, ref].append(testimony)
        self._direct = dict(_policy_grants(policy, party_keys))
        self._accreditors = {key for key, grant in self._direct.items() if grant.speaker.name in policy.accreditors}

    def speakers(self, testimony: Testimony, *roles: PartyRole) -> tuple[Speaker, ...]:
        """Return the signers who for certain had one of `roles` when it was logged, unrevoked, and stand by it.

        Their keys are kept as the policy wants.
        """
        found = []
        for key in sorted(testimony.signers):
            if self._speaks_for_certain(testimony, key) and self.refused_custody(key) is None:
                window = _upper(testimony, key)
                found += [s for s in self._grants(key, window, certainly=True) if s.roles & set(roles)][:1]
        return tuple(found)

    def once(self, testimony: Testimony, *roles: PartyRole) -> tuple[Speaker, ...]:
        """Return the signers who may have had one of `roles`, revoked or not, and did not certainly withdraw."""
        found = []
        for key in sorted(testimony.signers):
            if not any(self._is_certain(withdrawal, key) for withdrawal in self._withdrawals(testimony, key)):
                grants = self._grants(key, testimony.window(key), certainly=False)
                found += [s for s in grants if s.roles & set(roles)][:1]
        return tuple(found)

    def claimants(self, testimony: Testimony, *roles: PartyRole) -> tuple[Speaker, ...]:
        """Return `once`, without those whose key was certainly revoked before: a thief's claim contests nothing."""
        return tuple(
            speaker
            for speaker in self.once(testimony, *roles)
            if self.revocation(speaker.key, testimony.window(speaker.key).earliest) is None
        )

    def withdrawal(self, testimony: Testimony) -> Testimony | None:
        """Return a withdrawal of a statement by one of its signers, if there is one."""
        found = (w for key in sorted(testimony.signers) for w in self._withdrawals(testimony, key))
        return next(found, None)

    def revocation(self, key: str, logged_at: int) -> Testimony | None:
        """Return the statement that voids what `key` signed and had logged at that time, if there is one."""
        for candidate in self._words[PARTY.uri, key_ref(key)]:
            party: Party = candidate.parsed.predicate
            if party.action is PartyAction.ACCREDIT or not self._may_revoke(candidate, key):
                continue
            if logged_at > (candidate.logged_at if party.since is None else parse_time(party.since)):
                return candidate
        return None

    def refused_custody(self, key: str) -> Custody | None:
        """Return how a key is said to be kept if the policy refuses that; the holder and every accreditor may say so.

        One such word is enough, whatever others say, until whoever said it takes it back.
        """
        for testimony in self._words[PARTY.uri, key_ref(key)]:
            party: Party = testimony.parsed.predicate
            if party.action is PartyAction.ACCREDIT and party.custody not in self._custody:
                said_by = testimony.signers & (self._accreditors | {key})
                if any(self._says(testimony, speaker) for speaker in said_by):
                    return party.custody
        return None

    def refused_author(self, testimony: Testimony, *roles: PartyRole) -> Custody | None:
        """Return the custody for which the policy refuses a statement whose author may have had one of `roles`."""
        refused = (self.refused_custody(speaker.key) for speaker in self.once(testimony, *roles))
        return next((custody for custody in refused if custody is not None), None)

    def _says(self, testimony: Testimony, key: str) -> bool:
        """Tell whether `key` may have been believed in what it signed, and did not certainly take it back."""
        direct = self._direct.get(key)
        may = direct is None or direct.holds(testimony.window(key))
        return may and not any(self._is_certain(taken, key) for taken in self._withdrawals(testimony, key))

    def _may_revoke(self, revocation: Testimony, key: str) -> bool:
        accreditors = (k for k in revocation.signers & self._accreditors if self._direct[k].holds(revocation.window(k)))
        return key in revocation.signers or any(accreditors)

    def _speaks_for_certain(self, testimony: Testimony, key: str) -> bool:
        return self._is_certain(testimony, key) and not self._withdrawals(testimony, key)

    def _is_certain(self, testimony: Testimony, key: str) -> bool:
        """Tell whether `key` signed by the moment and was not revoked by then."""
        latest = testimony.window(key).latest
        return (self._moment is None or latest <= self._moment) and self.revocation(key, latest) is None

    def _withdrawals(self, testimony: Testimony, key: str) -> Sequence[Testimony]:
        """Return what takes back the signature of `key`: a withdrawal speaks for its own signers only."""
        return [w for w in self._words[WITHDRAWAL.uri, statement_ref(testimony.id)] if key in w.signers]

    def _grants(self, key: str, window: Window, *, certainly: bool) -> Iterator[Speaker]:
        direct = self._direct.get(key)
        if direct is not None and direct.holds(window):
            yield direct.speaker
        for grant in self._accreditations(key, certainly=certainly):
            if grant.holds(window):
                yield grant.speaker

    def _accreditations(self, key: str, *, certainly: bool) -> Iterator[_Grant]:
        for testimony in self._words[PARTY.uri, key_ref(key)]:
            party: Party = testimony.parsed.predicate
            if party.action is not PartyAction.ACCREDIT:
                continue
            for accreditor in sorted(testimony.signers & self._accreditors - {key}):
                if self._grants_nothing(testimony, accreditor, certainly=certainly):
                    continue
                by = self._direct[accreditor].speaker
                roles = frozenset(party.roles) - (_GRANTED_BY_POLICY_ONLY - by.roles)
                speaker = Speaker(key, f"a party accredited by {by.name}", by.operator, by.region, roles, party=key)
                yield _Grant(speaker, until=parse_time(party.expires) if party.expires else None)

    def _grants_nothing(self, accreditation: Testimony, accreditor: str, *, certainly: bool) -> bool:
        window = _upper(accreditation, accreditor) if certainly else accreditation.window(accreditor)
        if not self._direct[accreditor].holds(window):
            return True
        stands = self._speaks_for_certain(accreditation, accreditor) and self.refused_custody(accreditor) is None
        return certainly and not stands


def _upper(testimony: Testimony, key: str) -> Window:
    """Return the latest time that a signature can have, as a window."""
    latest = testimony.window(key).latest
    return Window(latest, latest)


def _policy_grants(policy: Policy, party_keys: Mapping[str, str]) -> Iterator[tuple[str, _Grant]]:
    for node in policy.node:
        for key in node.keys(KeyUse.PARTY):
            roles = frozenset({PartyRole(node.role)})
            speaker = Speaker(party_keys[key.key], node.name, node.operator, node.region, roles, party=node.name)
            yield speaker.key, _Grant(speaker, _seconds(key.since), _seconds(key.until))
    for party in policy.party:
        roles = frozenset(party.roles)
        speaker = Speaker(party_keys[party.key], party.name, party.operator, party.region, roles, party=party.name)
        yield speaker.key, _Grant(speaker, _seconds(party.since), _seconds(party.until))


def _seconds(text: str | None) -> int | None:
    return None if text is None else parse_time(text)
