"""Cards: how nodes introduce themselves to each other, and the digits that two people compare aloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from pellucid.errors import InputError
from pellucid.record.predicate import CARD, Card
from pellucid.record.settings import Settings
from pellucid.statement.dsse import IN_TOTO, Envelope, sign_payload
from pellucid.statement.intoto import Statement
from pellucid.statement.keys import PublicKey, Role, SecretKey
from pellucid.statement.predicate import make_statement, read_predicate
from pellucid.tlog.checkpoint import origin_hash
from pellucid.tlog.note import NoteSigner, SignatureKind, Verifier
from pellucid.tlog.quorum import KeyUse, refuse_shared_keys
from pellucid.trust.predicate import key_subject

COSIGNERS = (Role.WITNESS, Role.MIRROR)
AUDIT_SUFFIX = "/audit"


class CardError(InputError):
    """A card cannot be used."""


@dataclass(frozen=True)
class NodeCard:
    """A card whose two signatures and whose keys were checked."""

    card: Card
    envelope: Envelope
    keys: Mapping[Role, PublicKey]

    @property
    def name(self) -> str:
        """The node's name, which is its log's origin."""
        return self.card.name

    @property
    def log_id(self) -> str:
        """The SHA-256 of the origin, how the node's log is named in paths."""
        return origin_hash(self.card.name)

    def verifier(self, role: Role) -> Verifier:
        """Return the key that checks what the node signs on checkpoints as log, witness, mirror or audit log."""
        return note_key(self.card.name, role, self.keys[role])

    @property
    def fingerprint(self) -> str:
        """See `fingerprint`."""
        return fingerprint(self.envelope)


def note_key(origin: str, role: Role, public: PublicKey) -> Verifier:
    """Return a node's C2SP key: its log's is named as its origin, the others have their role after a slash.

    The audit log's name, `<origin>/audit`, is its origin too.
    """
    kind = SignatureKind.COSIGNATURE if role in COSIGNERS else SignatureKind.ED25519
    return Verifier(origin if role is Role.LOG else f"{origin}/{role.value}", kind, public)


def note_signer(origin: str, key: SecretKey) -> NoteSigner:
    """Return the secret half of `note_key`."""
    verifier = note_key(origin, key.role, key.public)
    return NoteSigner(verifier.name, verifier.kind, key)


def make_card(settings: Settings, keys: Mapping[Role, PublicKey], node: SecretKey, party: SecretKey) -> Envelope:
    """Return the node's card, signed by its node key and its party key; the same settings give the same bytes."""
    vkeys = {role: note_key(settings.name, role, keys[role]).vkey for role in (Role.LOG, *COSIGNERS, Role.AUDIT)}
    card = Card(
        name=settings.name,
        role=settings.role,
        region=settings.region,
        operator=settings.operator,
        log=vkeys[Role.LOG],
        witness=vkeys[Role.WITNESS],
        mirror=vkeys[Role.MIRROR],
        lookup=keys[Role.LOOKUP].spki_base64,
        node=keys[Role.NODE].spki_base64,
        party=keys[Role.PARTY].spki_base64,
        audit=vkeys[Role.AUDIT],
        url=settings.address,
    )
    statement = make_statement((key_subject(keys[Role.NODE].id),), CARD, card)
    return sign_payload(IN_TOTO, statement.payload(), node, party)


def read_card(data: bytes, *, where: str = "card") -> NodeCard:
    """Read a card; CardError, EnvelopeError or StatementError unless signatures, key names and keys are in order."""
    envelope = Envelope.parse(data, where=where)
    statement = Statement.parse(envelope.payload, where=where)
    if envelope.payload_type != IN_TOTO or statement.predicate_type != CARD.uri:
        raise CardError("not a node's card", where=where, remedy="give the file that `peer invite` wrote")
    if statement.payload() != envelope.payload:
        raise CardError("its payload is not canonical JSON", where=where)
    card: Card = read_predicate(statement, CARD, where=where)
    keys = _keys(card, where)
    if card.name.endswith(AUDIT_SUFFIX):
        raise CardError(f"no node can be named {card.name!r}: that is the origin of an audit log", where=where)
    if statement.subjects != (key_subject(keys[Role.NODE].id),):
        raise CardError("its subject is not its node key", where=where)
    for role in (Role.NODE, Role.PARTY):
        if not envelope.verified_by(keys[role]):
            raise CardError(
                f"not signed by its own {role.value} key", where=where, remedy="ask the node's operator for a new card"
            )
    return NodeCard(card, envelope, keys)


def fingerprint(envelope: Envelope) -> str:
    """Return 8 groups of 5 digits that stand for a card's content, to be compared aloud."""
    digest = sha256(envelope.payload).digest()
    groups = (int.from_bytes(digest[at : at + 4]) % 100_000 for at in range(0, 32, 4))
    return " ".join(f"{group:05d}" for group in groups)


def key_uses(name: str, keys: Mapping[Role, PublicKey]) -> list[KeyUse]:
    """Return where a node's public keys stand, for `refuse_shared_keys`."""
    return [KeyUse(name, role, public) for role, public in keys.items()]


def _keys(card: Card, where: str) -> Mapping[Role, PublicKey]:
    keys: dict[Role, PublicKey] = {}
    for role in (Role.LOG, *COSIGNERS, Role.AUDIT):
        vkey = getattr(card, role.value)
        if vkey is None:
            continue
        verifier = Verifier.parse(vkey, where=f"{where}: {role.value}")
        if verifier != note_key(card.name, role, verifier.public):
            raise CardError(f"its {role.value} key has not the name or type that this role has", where=where)
        keys[role] = verifier.public
    for role in (Role.LOOKUP, Role.NODE, Role.PARTY):
        keys[role] = PublicKey.from_base64(getattr(card, role.value), where=f"{where}: {role.value}")
    refuse_shared_keys(key_uses(card.name, keys))
    return keys
