"""Ed25519 keys, one per role, kept in encrypted seed files.

A key file is JSON: the role, name and public key in the clear, the 32-byte seed sealed by ChaCha20-Poly1305 under a key
that scrypt makes of the passphrase. Role, name and public key are authenticated with it, so that a file whose role was
edited does not open.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pellucid.errors import InputError
from pellucid.statement.canonical import canonical_json
from pellucid.statement.digest import sha256_hex

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")
_SCRYPT_N = 1 << 15
_SCRYPT_P = 3
_SCRYPT_P_MOST = 8
_SCRYPT_N_MOST = 1 << 20
_KEY_FILE_LIMIT = 4096
_P = 2**255 - 19
_Y_OF_SMALL_ORDER = frozenset(
    y.to_bytes(32, "little")
    for y in (
        *(0, 1, _P - 1, _P, _P + 1),
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    )
)


class KeyFileError(InputError):
    """A key or key file cannot be used."""


class Role(StrEnum):
    """What a key may sign; a public key seen in two roles is refused."""

    LOG = "log"
    WITNESS = "witness"
    MIRROR = "mirror"
    LOOKUP = "lookup"
    AUDIT = "audit"
    NODE = "node"
    PARTY = "party"


class PublicKey(msgspec.Struct, frozen=True, dict=True):
    """An Ed25519 public key; `raw` is its 32 bytes (RFC 8032)."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != 32:
            raise KeyFileError(f"an Ed25519 public key has 32 bytes, not {len(self.raw)}")
        if self.raw[:31] + bytes([self.raw[31] & 0x7F]) in _Y_OF_SMALL_ORDER:
            # under such a key some signatures hold for every message, so its owner could deny what was signed
            raise KeyFileError("this public key has small order, it binds nobody", remedy="make a new key")

    @classmethod
    def from_spki(cls, spki: bytes, *, where: str = "public key") -> PublicKey:
        """Read the 44 bytes of a DER SubjectPublicKeyInfo (RFC 8410)."""
        if len(spki) != 44 or not spki.startswith(_SPKI_PREFIX):
            raise KeyFileError("not an Ed25519 SubjectPublicKeyInfo", where=where, remedy="give 44 bytes of DER")
        return cls(spki[len(_SPKI_PREFIX) :])

    @classmethod
    def from_base64(cls, text: str, *, where: str = "public key") -> PublicKey:
        """Read a base64 SubjectPublicKeyInfo, the form in which keys stand in policies, packs and cards."""
        try:
            spki = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            spki = b""
        if base64.b64encode(spki).decode() != text:
            raise KeyFileError("not base64 in its one spelling", where=where, remedy="give it as `key show` prints it")
        return cls.from_spki(spki, where=where)

    @property
    def spki(self) -> bytes:
        """The DER SubjectPublicKeyInfo, 44 bytes."""
        return _SPKI_PREFIX + self.raw

    @property
    def spki_base64(self) -> str:
        """The DER SubjectPublicKeyInfo in base64, 60 characters."""
        return base64.b64encode(self.spki).decode()

    @cached_property
    def id(self) -> str:
        """SHA-256 of the SubjectPublicKeyInfo: how keys are referenced everywhere."""
        return sha256_hex(self.spki)

    @cached_property
    def _key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Tell whether `signature` (64 bytes) over `message` was made with this key."""
        try:
            self._key.verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class SecretKey:
    """An Ed25519 secret key with the one role it may be used in and the name of its holder."""

    role: Role
    name: str
    seed: bytes = field(repr=False)

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @cached_property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message`."""
        return self._key.sign(message)


def generate_key(role: Role, name: str) -> SecretKey:
    """Make a new key from the system's randomness."""
    return SecretKey(role, name, os.urandom(32))


class _Kdf(msgspec.Struct, forbid_unknown_fields=True):
    name: Literal["scrypt"]
    n: Annotated[int, msgspec.Meta(ge=1024, le=_SCRYPT_N_MOST)]
    r: Literal[8]
    p: Annotated[int, msgspec.Meta(ge=1, le=_SCRYPT_P_MOST)]
    salt: str


class _KeyFile(msgspec.Struct, forbid_unknown_fields=True):
    format: Literal["pellucid-key/v1"]
    role: Role
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    public: str
    kdf: _Kdf
    nonce: str
    sealed: str


class Stretched:
    """A passphrase that is stretched once for each salt: the keys of one home are sealed under one, and open at once.

    Whoever guesses passphrases has no more of it than of one key file: all are sealed with the same passphrase.
    """

    def __init__(self, passphrase: bytes) -> None:
        self.salt = os.urandom(16)
        self._passphrase = passphrase
        self._known: dict[tuple[bytes, int, int], ChaCha20Poly1305] = {}

    def cipher(self, salt: bytes, n: int, p: int) -> ChaCha20Poly1305:
        """Return the cipher for what was sealed with this salt at this cost."""
        if (salt, n, p) not in self._known:
            self._known[salt, n, p] = _cipher(self._passphrase, salt, n, p)
        return self._known[salt, n, p]


def seal_key(key: SecretKey, passphrase: bytes | Stretched) -> bytes:
    """Return the key file of `key`, its seed encrypted under `passphrase`."""
    stretched = _stretched(passphrase)
    salt, nonce = stretched.salt, os.urandom(12)
    spki = key.public.spki_base64
    cipher = stretched.cipher(salt, _SCRYPT_N, _SCRYPT_P)
    file = _KeyFile(
        format="pellucid-key/v1",
        role=key.role,
        name=key.name,
        public=spki,
        kdf=_Kdf(name="scrypt", n=_SCRYPT_N, r=8, p=_SCRYPT_P, salt=base64.b64encode(salt).decode()),
        nonce=base64.b64encode(nonce).decode(),
        sealed=base64.b64encode(cipher.encrypt(nonce, key.seed, _bound(key.role, key.name, spki))).decode(),
    )
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def read_public(data: bytes, *, where: str) -> tuple[Role, str, PublicKey]:
    """Return role, name and public key of a key file; no passphrase is needed and nothing is authenticated."""
    file = _parse(data, where=where)
    return file.role, file.name, PublicKey.from_base64(file.public, where=where)


def unseal_key(data: bytes, passphrase: bytes | Stretched, *, where: str, role: Role | None = None) -> SecretKey:
    """Open a key file; raises KeyFileError for a wrong passphrase, a damaged file, or another role than `role`."""
    file = _parse(data, where=where)
    if role is not None and file.role is not role:
        raise KeyFileError(
            f"this is a key for the role {file.role.value!r}, not {role.value!r}",
            where=where,
            remedy=f"give the key file made for {role.value!r}",
        )
    try:
        salt, nonce, sealed = (base64.b64decode(x, validate=True) for x in (file.kdf.salt, file.nonce, file.sealed))
        cipher = _stretched(passphrase).cipher(salt, file.kdf.n, file.kdf.p)
        seed = cipher.decrypt(nonce, sealed, _bound(file.role, file.name, file.public))
    except (InvalidTag, ValueError):
        raise KeyFileError(
            "the passphrase is wrong or the file was changed",
            where=where,
            remedy="try the passphrase it was made with",
        ) from None
    key = SecretKey(file.role, file.name, seed)
    if key.public.spki_base64 != file.public:
        raise KeyFileError("the public key does not belong to the sealed seed", where=where)
    return key


def _parse(data: bytes, *, where: str) -> _KeyFile:
    try:
        return msgspec.json.decode(data[: _KEY_FILE_LIMIT + 1], type=_KeyFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise KeyFileError(
            f"not a key file: {error}", where=where, remedy="give a file that `pellucid key new` made"
        ) from None


def _stretched(passphrase: bytes | Stretched) -> Stretched:
    return passphrase if isinstance(passphrase, Stretched) else Stretched(passphrase)


def _cipher(passphrase: bytes, salt: bytes, n: int, p: int) -> ChaCha20Poly1305:
    """Return the cipher under a stretched passphrase; verifiers open no key files, and should start without these."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415

    return ChaCha20Poly1305(Scrypt(salt=salt, length=32, n=n, r=8, p=p).derive(passphrase))


def _bound(role: Role, name: str, spki: str) -> bytes:
    return canonical_json({"format": "pellucid-key/v1", "role": role.value, "name": name, "public": spki})
