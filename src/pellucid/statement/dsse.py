"""DSSE envelopes (secure-systems-lab/dsse v1.0): a payload, its type, and signatures over both.

A statement's id is the SHA-256 of the PAE, so it does not depend on who signed, how often, or how the JSON was spelled.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec

from pellucid.errors import EvidenceError
from pellucid.statement.canonical import canonical_json, parse_json
from pellucid.statement.digest import sha256_hex
from pellucid.statement.keys import PublicKey, SecretKey

IN_TOTO = "application/vnd.in-toto+json"
ENVELOPE_LIMIT = 65_535
_SIGNATURES_MOST = 16


class EnvelopeError(EvidenceError):
    """Bytes are not a DSSE envelope that can be used."""


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding, the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


class Signature(msgspec.Struct, frozen=True):
    """One signature; `keyid` is only a hint and is never trusted."""

    keyid: str
    sig: bytes


class Envelope(msgspec.Struct, frozen=True, dict=True):
    """A payload of a type with its signatures."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, data: bytes, *, where: str = "envelope") -> Envelope:
        """Read an envelope of at most 65,535 bytes, the largest a log entry can be."""
        return cls.from_json(parse_json(data, where=where, limit=ENVELOPE_LIMIT), where=where)

    @classmethod
    def from_json(cls, value: Any, *, where: str = "envelope") -> Envelope:
        """Read an envelope from parsed JSON; fields that DSSE does not name are refused."""
        if not isinstance(value, dict) or set(value) != {"payloadType", "payload", "signatures"}:
            raise EnvelopeError("an envelope holds payloadType, payload and signatures, nothing else", where=where)
        kind, signatures = value["payloadType"], value["signatures"]
        if not isinstance(kind, str) or not 0 < len(kind) <= 200 or not kind.isascii():
            raise EnvelopeError("payloadType is not a media type", where=where)
        if not isinstance(signatures, list) or not 0 < len(signatures) <= _SIGNATURES_MOST:
            raise EnvelopeError(f"an envelope has 1 to {_SIGNATURES_MOST} signatures", where=where)
        payload = _base64(value["payload"], where=f"{where}: payload")
        return cls(kind, payload, tuple(_signature(s, where=where) for s in signatures))

    @cached_property
    def id(self) -> str:
        """The statement id: SHA-256 of the PAE of type and payload, in hexadecimal."""
        return sha256_hex(pae(self.payload_type, self.payload))

    def as_json(self) -> Mapping[str, Any]:
        """Return the envelope as DSSE's JSON object."""
        return {
            "payloadType": self.payload_type,
            "payload": base64.b64encode(self.payload).decode(),
            "signatures": [{"keyid": s.keyid, "sig": base64.b64encode(s.sig).decode()} for s in self.signatures],
        }

    def to_bytes(self) -> bytes:
        """Return the envelope as canonical JSON, the form in which this project logs it."""
        return canonical_json(self.as_json())

    def verified_by(self, key: PublicKey) -> bool:
        """Tell whether one of the signatures was made with `key`, whatever the hints say."""
        message = pae(self.payload_type, self.payload)
        return any(key.verify(s.sig, message) for s in self.signatures)


def sign_payload(payload_type: str, payload: bytes, *keys: SecretKey) -> Envelope:
    """Wrap `payload` and sign it with each of `keys`; the hint is the SHA-256 of the key's SPKI."""
    message = pae(payload_type, payload)
    return Envelope(payload_type, payload, tuple(Signature(key.public.id, key.sign(message)) for key in keys))


def _signature(value: Any, *, where: str) -> Signature:
    if not isinstance(value, dict) or not {"sig"} <= set(value) <= {"keyid", "sig"}:
        raise EnvelopeError("a signature holds sig and keyid, nothing else", where=where)
    keyid = value.get("keyid", "")
    if not isinstance(keyid, str) or len(keyid) > 200:
        raise EnvelopeError("a keyid is a short text", where=where)
    return Signature(keyid, _base64(value["sig"], where=f"{where}: sig"))


def _base64(text: Any, *, where: str) -> bytes:
    """Decode standard or URL-safe base64, as DSSE allows."""
    if not isinstance(text, str):
        raise EnvelopeError("not base64", where=where)
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise EnvelopeError("not base64", where=where) from None
