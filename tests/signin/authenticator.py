"""An authenticator in software: makes and shows passkeys as WebAuthn Level 2 §6 has it, on bare cryptography and CBOR.

It does what it is told, also what no honest authenticator would: leave out the check of the person, sign for another
origin, sign the same bytes again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_PRESENT, _CHECKED, _WITH_KEY = 0x01, 0x04, 0x40


def text(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def cbor(value: Any) -> bytes:
    """Encode integers, bytes, text and maps (RFC 8949), in the order given."""
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    return _head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    size, form = (24, ">B") if number < 256 else (25, ">H")
    return bytes([major << 5 | size]) + struct.pack(form, number)


@dataclass
class Authenticator:
    """One passkey for one address."""

    rp: str = "localhost"
    origin: str = "http://localhost"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    person: bytes = b""
    uses: int = 0

    def make(self, options: dict[str, Any], *, checked: bool = True) -> str:
        """Return what a browser sends for a new passkey, given the options of the page."""
        asked = options["publicKey"]
        self.person = base64.urlsafe_b64decode(asked["user"]["id"] + "==")
        client = self._client("webauthn.create", asked["challenge"])
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + self._public()
        data = self._data(_WITH_KEY | (_CHECKED if checked else 0)) + attested
        attestation = cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._sent({"clientDataJSON": text(client), "attestationObject": text(attestation)})

    def show(self, options: dict[str, Any], *, checked: bool = True) -> str:
        """Return what a browser sends for a passkey that is used, given the options of the page."""
        self.uses += 1
        client = self._client("webauthn.get", options["publicKey"]["challenge"])
        data = self._data(_CHECKED if checked else 0)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        said = {"clientDataJSON": client, "authenticatorData": data, "signature": signature, "userHandle": self.person}
        return self._sent({name: text(value) for name, value in said.items()})

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.rp.encode()).digest() + struct.pack(">BI", _PRESENT | flags, self.uses)

    def _public(self) -> bytes:
        point = self.key.public_key().public_numbers()
        return cbor({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})

    def _sent(self, response: dict[str, Any]) -> str:
        shown = {"id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": response}
        return json.dumps({**shown, "clientExtensionResults": {"credProps": {"rk": True}}})
