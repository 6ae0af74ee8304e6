"""The keys of a policy, read and told apart: logs, witnesses, mirrors, look-ups, parties."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from pellucid.errors import InputError
from pellucid.statement.keys import PublicKey, Role
from pellucid.statement.moment import parse_time
from pellucid.tlog.cosignature import Cosignature
from pellucid.tlog.note import SignatureKind, Verifier
from pellucid.tlog.quorum import Cosigner, Quorum, refuse_shared_keys
from pellucid.tlog.quorum import KeyUse as SharedUse
from pellucid.trust.policy import KeyUse, NodeKey, Policy, PolicyNode

Key = TypeVar("Key", Verifier, PublicKey)


class KeyringError(InputError):
    """A key of the policy cannot be used; `where` names node and use."""


class Held(msgspec.Struct, frozen=True):
    """A verifier of a node with the seconds between which it may be believed."""

    node: PolicyNode
    entry: NodeKey
    verifier: Verifier

    def valid_at(self, moment: int) -> bool:
        """Tell whether the policy believes the key at that time."""
        return _is_valid(self.entry, moment)


class Keyring(msgspec.Struct, frozen=True):
    """Every key of a policy; `parties` maps base64 keys to their ids, `lookups` key ids to their node."""

    logs: Mapping[str, Held]
    witnesses: tuple[Held, ...]
    mirrors: tuple[Held, ...]
    lookups: Mapping[str, tuple[PolicyNode, PublicKey]]
    parties: Mapping[str, str]
    party_keys: Mapping[str, PublicKey]
    _policy: Policy

    def quorum(self, origin: str) -> Quorum:
        """Return the witness quorum of one log: operators other than its own count."""
        rule = self._policy.quorum
        return Quorum(rule.witnesses, self._cosigners(self.witnesses), self.logs[origin].node.operator, rule.regions)

    def counted(self, cosignatures: Iterable[Cosignature]) -> list[Cosignature]:
        """Return the cosignatures made while the policy believed their key."""
        held = {item.verifier: item for item in self.witnesses}
        return [c for c in cosignatures if c.verifier in held and held[c.verifier].valid_at(c.timestamp)]

    def answers_at(self, key_id: str, moment: int) -> bool:
        """Tell whether the policy believes a look-up key at that time."""
        node, public = self.lookups[key_id]
        return any(_is_valid(entry, moment) for entry in node.keys(KeyUse.LOOKUP) if entry.key == public.spki_base64)

    def witness(self, verifier: Verifier) -> PolicyNode:
        """Return whose witness key it is."""
        return next(item.node for item in self.witnesses if item.verifier == verifier)

    @staticmethod
    def _cosigners(held: Iterable[Held]) -> tuple[Cosigner, ...]:
        return tuple(Cosigner(item.node.operator, item.node.region, item.verifier) for item in held)


def read_keyring(policy: Policy) -> Keyring:
    """Read all keys of `policy`; raises KeyringError or SharedKeyError where one is no key or stands in two places."""
    logs = list(_held(policy, KeyUse.LOG, SignatureKind.ED25519))
    origins = [item.verifier.name for item in logs]
    if len(set(origins)) != len(origins):
        raise KeyringError("two logs have one origin", where="policy", remedy="give each log its own entry")
    witnesses = tuple(_held(policy, KeyUse.WITNESS, SignatureKind.COSIGNATURE))
    mirrors = tuple(_held(policy, KeyUse.MIRROR, SignatureKind.COSIGNATURE))
    spkis = list(_spkis(policy))
    shared = [_use(item) for item in (*logs, *witnesses, *mirrors)]
    refuse_shared_keys(shared + [SharedUse(name, role, key) for name, role, key in spkis])
    lookups = {_public(node, e).id: (node, _public(node, e)) for node in policy.node for e in node.keys(KeyUse.LOOKUP)}
    parties = {key.spki_base64: key for _, role, key in spkis if role is Role.PARTY}
    return Keyring(
        logs={item.verifier.name: item for item in logs},
        witnesses=witnesses,
        mirrors=mirrors,
        lookups=lookups,
        parties={text: key.id for text, key in parties.items()},
        party_keys={key.id: key for key in parties.values()},
        _policy=policy,
    )


def _is_valid(entry: NodeKey, moment: int) -> bool:
    since, until = entry.since, entry.until
    return (since is None or moment >= parse_time(since)) and (until is None or moment <= parse_time(until))


def _held(policy: Policy, use: KeyUse, kind: SignatureKind) -> Iterator[Held]:
    for node in policy.node:
        for entry in node.keys(use):
            verifier = _read(Verifier.parse, entry.key, node.name, use)
            if verifier.kind is not kind:
                raise KeyringError(
                    f"this key has the type {verifier.kind.value}, a {use.value} key has {kind.value}",
                    where=f"policy, node {node.name}",
                    remedy=f"give the node's {use.value} key as its card shows it",
                )
            yield Held(node, entry, verifier)


def _spkis(policy: Policy) -> Iterator[tuple[str, Role, PublicKey]]:
    for node in policy.node:
        for use in (KeyUse.LOOKUP, KeyUse.NODE, KeyUse.PARTY):
            for entry in node.keys(use):
                yield f"{node.name}/{use.value}", Role(use.value), _public(node, entry)
    for party in policy.party:
        yield party.name, Role.PARTY, _read(PublicKey.from_base64, party.key, party.name, KeyUse.PARTY)


def _public(node: PolicyNode, entry: NodeKey) -> PublicKey:
    return _read(PublicKey.from_base64, entry.key, node.name, entry.use)


def _use(held: Held) -> SharedUse:
    return SharedUse(held.verifier.name, Role(held.entry.use.value), held.verifier.public)


def _read(parse: Callable[[str], Key], text: str, name: str, use: KeyUse) -> Key:
    try:
        return parse(text)
    except InputError as error:
        raise KeyringError(error.what, where=f"policy, {name} ({use.value} key)", remedy=error.remedy) from None
