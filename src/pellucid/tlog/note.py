"""Signed notes and verifier keys, C2SP signed-note v1.0.0, for Ed25519 log signatures and Ed25519 cosignatures.

A note is `text`, an empty line, and signature lines. The text is split off at the last empty line. Signatures by
unknown keys are ignored; a signature that claims a known key and fails condemns the whole note.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from enum import IntEnum
from hashlib import sha256

import msgspec

from pellucid.statement.keys import KeyFileError, PublicKey, Role, SecretKey
from pellucid.tlog.errors import BadSignatureError, KeyRoleError, MalformedNoteError, UnsignedNoteError, VkeyError

MAX_NOTE = 1 << 17  # room for the 16 post-quantum signatures that every verifier must accept
MAX_SIGNATURES = 100
MAX_NAME = 255
MAX_TIMESTAMP = 2**63 - 1

_DASH = "\u2014 "
_KEY_ID = 4


class SignatureKind(IntEnum):
    """The signature types in use here, by their signed-note identifier byte."""

    ED25519 = 1
    COSIGNATURE = 4


_ROLES = {
    SignatureKind.ED25519: (Role.LOG, Role.AUDIT),
    SignatureKind.COSIGNATURE: (Role.WITNESS, Role.MIRROR),
}


class NoteSignature(msgspec.Struct, frozen=True):
    """One signature line: key name, 4-byte key ID, and the signature of whatever type that key makes."""

    name: str
    key_id: bytes
    signature: bytes

    @classmethod
    def parse(cls, line: str, *, where: str = "note") -> NoteSignature:
        """Read a line without its newline; MalformedNoteError if it is not exactly a signature line."""
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not space or not is_name(name):
            raise MalformedNoteError("not a signature line", where=where)
        data = decode_base64(encoded, what="a signature", where=where)
        if len(data) <= _KEY_ID:
            raise MalformedNoteError("a signature holds nothing but a key ID", where=where)
        return cls(name, data[:_KEY_ID], data[_KEY_ID:])

    @property
    def line(self) -> str:
        """Return the line without its newline."""
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.signature)}"


class Verifier(msgspec.Struct, frozen=True):
    """A key that signs notes, as others know it: name, kind of signature, public key."""

    name: str
    kind: SignatureKind
    public: PublicKey

    def __post_init__(self) -> None:
        """Refuse a name that could not stand in a signature line."""
        if not is_name(self.name) or len(self.name.encode()) > MAX_NAME:
            raise VkeyError(
                f"{self.name[:300]!r} is not a key name",
                remedy=f"use 1 to {MAX_NAME} bytes without spaces, control characters and '+', like log.example.com/1",
            )

    @classmethod
    def parse(cls, vkey: str, *, where: str = "vkey") -> Verifier:
        """Read `<name>+<hex key ID>+<base64(type || public key)>`; VkeyError if a part is wrong or does not fit."""
        name, first, rest = vkey.partition("+")
        key_id, second, encoded = rest.partition("+")
        if not first or not second or not is_name(name) or len(name.encode()) > MAX_NAME:
            raise VkeyError("not a verifier key: <name>+<key ID>+<key> is expected", where=where)
        try:
            data = decode_base64(encoded, what="the key", where=where)
        except MalformedNoteError as error:
            raise VkeyError(error.what, where=where) from None
        if data[:1] not in (b"\x01", b"\x04") or len(data) != 33:
            raise VkeyError("not an Ed25519 log key (type 1) or cosignature key (type 4)", where=where)
        try:
            verifier = cls(name, SignatureKind(data[0]), PublicKey(data[1:]))
        except KeyFileError as error:
            raise VkeyError(error.what, where=where, remedy=error.remedy) from None
        if verifier.key_id.hex() != key_id:
            raise VkeyError(f"the key ID {key_id[:20]!r} does not belong to this name and key", where=where)
        return verifier

    @property
    def key_id(self) -> bytes:
        """Return the 4 bytes that point from a signature line to the key."""
        return sha256(self.name.encode() + b"\n" + self._encoded).digest()[:_KEY_ID]

    @property
    def vkey(self) -> str:
        """Return the verifier key as text."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(self._encoded)}"

    @property
    def _encoded(self) -> bytes:
        return bytes([self.kind]) + self.public.raw

    def owns(self, signature: NoteSignature) -> bool:
        """Tell whether the line claims to be by this key."""
        return signature.name == self.name and signature.key_id == self.key_id

    def check(self, text: str, signature: NoteSignature, *, where: str = "note") -> Verified:
        """Check one line that claims this key over the note's text; BadSignatureError if it fails."""
        timestamp, raw = None, signature.signature
        message = text.encode()
        if self.kind is SignatureKind.COSIGNATURE:
            timestamp, raw = int.from_bytes(raw[:8], "big"), raw[8:]
            message = cosigned_message(text, timestamp)
            if not 0 < timestamp <= MAX_TIMESTAMP:
                raise BadSignatureError(f"a cosignature by {self.name} has no usable time", where=where)
        if not self.owns(signature) or not self.public.verify(raw, message):
            raise BadSignatureError(f"a signature by {self.name} is wrong", where=where)
        return Verified(self, signature, timestamp)


class Verified(msgspec.Struct, frozen=True):
    """A signature that holds, the key it is by, and its POSIX time if it is a cosignature."""

    verifier: Verifier
    signature: NoteSignature
    timestamp: int | None


class NoteSigner(msgspec.Struct, frozen=True):
    """A secret key under the name and kind with which it signs notes; KeyRoleError if its role does not sign such."""

    name: str
    kind: SignatureKind
    key: SecretKey

    def __post_init__(self) -> None:
        """Refuse a key of another role."""
        if self.key.role not in _ROLES[self.kind]:
            raise KeyRoleError(
                f"a key of the role {self.key.role.value} does not make {self.kind.name.lower()} signatures on notes",
                remedy=f"use a key of the role {' or '.join(role.value for role in _ROLES[self.kind])}",
            )
        _ = self.verifier

    @property
    def verifier(self) -> Verifier:
        """Return what others need to check the signatures."""
        return Verifier(self.name, self.kind, self.key.public)

    @property
    def vkey(self) -> str:
        """Return the verifier key as text."""
        return self.verifier.vkey

    def sign(self, text: str, *, timestamp: int | None = None) -> NoteSignature:
        """Sign a note's text; a cosigner needs the POSIX `timestamp` it vouches for, a log must not give one."""
        require_text(text)
        if self.kind is SignatureKind.ED25519:
            if timestamp is not None:
                raise ValueError("a log's signature carries no time")
            signature = self.key.sign(text.encode())
        else:
            if timestamp is None or not 0 < timestamp <= MAX_TIMESTAMP:
                raise ValueError("a cosignature needs a time after 1970")
            signature = timestamp.to_bytes(8, "big") + self.key.sign(cosigned_message(text, timestamp))
        return NoteSignature(self.name, self.verifier.key_id, signature)

    def sign_note(self, text: str) -> Note:
        """Return a note with this one signature."""
        return Note(text, (self.sign(text),))


class Note(msgspec.Struct, frozen=True):
    """A signed note: its text, which ends in a newline, and at least one signature."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def parse(cls, data: bytes, *, where: str = "note") -> Note:
        """Read a note of at most 128 KiB and 100 signatures; nothing is verified yet.

        MalformedNoteError if it is not one.
        """
        if len(data) > MAX_NOTE:
            raise MalformedNoteError(f"a note of more than {MAX_NOTE} bytes", where=where)
        text, empty_line, tail = decode_text(data, where=where).rpartition("\n\n")
        if not empty_line or not tail.endswith("\n"):
            raise MalformedNoteError("no empty line with signature lines after it", where=where)
        if tail.count("\n") > MAX_SIGNATURES:
            raise MalformedNoteError(f"more than {MAX_SIGNATURES} signatures", where=where)
        lines = tail.removesuffix("\n").split("\n")
        return cls(text + "\n", tuple(NoteSignature.parse(line, where=where) for line in lines))

    def to_bytes(self) -> bytes:
        """Return the note as it is stored and sent."""
        lines = "".join(f"{signature.line}\n" for signature in self.signatures)
        return f"{self.text}\n{lines}".encode()

    def with_signatures(self, signatures: Iterable[NoteSignature]) -> Note:
        """Return the note with more signatures; one by a key that already signed takes the old one's place."""
        merged = {(line.name, line.key_id): line for line in self.signatures}
        merged.update({(line.name, line.key_id): line for line in signatures})
        return Note(self.text, tuple(merged.values()))

    def verified_by(self, verifiers: Sequence[Verifier], *, where: str = "note") -> list[Verified]:
        """Return the signatures that known keys made, in the note's order; there may be none.

        BadSignatureError if a signature that claims a known key fails, or a known key signed twice.
        """
        known = _by_identity(verifiers)
        verified: dict[Verifier, Verified] = {}
        for signature in self.signatures:
            verifier = known.get((signature.name, signature.key_id))
            if verifier is None:
                continue
            if verifier in verified:
                raise BadSignatureError(f"{verifier.name} signed the note twice", where=where)
            verified[verifier] = verifier.check(self.text, signature, where=where)
        return list(verified.values())

    def verify(self, verifiers: Sequence[Verifier], *, where: str = "note") -> list[Verified]:
        """Return what `verified_by` returns, at least one; UnsignedNoteError if no known key signed."""
        verified = self.verified_by(verifiers, where=where)
        if not verified:
            names = ", ".join(sorted({verifier.name for verifier in verifiers})) or "nobody"
            raise UnsignedNoteError(f"the note is not signed by a known key (known: {names[:500]})", where=where)
        return verified


def cosigned_message(text: str, timestamp: int) -> bytes:
    """Return what an Ed25519 cosigner signs, C2SP tlog-cosignature: header, time, the note's text."""
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def is_name(name: str) -> bool:
    """Tell whether a key name is non-empty and without Unicode spaces, control characters and plus."""
    return bool(name) and not any(char.isspace() or char < " " or char == "+" for char in name) and _encodes(name)


def encode_base64(data: bytes) -> str:
    """Return standard, padded base64."""
    return base64.b64encode(data).decode()


def decode_base64(text: str, *, what: str, where: str) -> bytes:
    """Read base64 in its one canonical spelling; MalformedNoteError for any other."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or encode_base64(data) != text:
        raise MalformedNoteError(f"{what} is not canonical base64", where=where)
    return data


def decode_decimal(text: str, *, what: str, where: str) -> int:
    """Read an ASCII decimal without leading zeros, at most 2**63 - 1; MalformedNoteError for any other spelling."""
    plain = text.isascii() and text.isdigit() and len(text) <= 19 and (text == "0" or text[0] != "0")
    if not plain or int(text) > MAX_TIMESTAMP:
        raise MalformedNoteError(f"{what} is not a plain decimal number below 2**63", where=where)
    return int(text)


def decode_text(data: bytes, *, where: str) -> str:
    """Read UTF-8 without control characters other than newline; MalformedNoteError if it is not."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedNoteError("not valid UTF-8", where=where) from None
    if any(byte < 0x20 and byte != 0x0A for byte in set(data)):
        raise MalformedNoteError("a control character other than newline", where=where)
    return text


def require_text(text: str) -> None:
    """Refuse to sign what could not be parsed again; MalformedNoteError."""
    if not text.endswith("\n") or not _encodes(text):
        raise MalformedNoteError("the text of a note is UTF-8 that ends in a newline")
    decode_text(text.encode(), where="note")


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _by_identity(verifiers: Sequence[Verifier]) -> dict[tuple[str, bytes], Verifier]:
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            raise VkeyError(f"two different keys share the name {verifier.name} and the key ID")
    return known
