"""Content-addressed bytes: private evidence and the openings of commitments."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path

from pellucid.errors import EvidenceError, InputError, UnavailableError
from pellucid.storage.failures import fatal_io

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """Bytes under `root/<first two hex digits>/<SHA-256 hex>`, readable by the owner only."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes) -> str:
        """Store `data`, durable when it returns; return its SHA-256 as 64 lowercase hex digits.

        A blob that is there already but damaged is written anew.
        """
        digest = hashlib.sha256(data).hexdigest()
        target = self._path(digest)
        with fatal_io("cannot write", str(target)):
            if target.exists() and target.read_bytes() == data:
                return digest
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            temporary = target.parent / f".{secrets.token_hex(8)}"
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(target)
            for directory in (target.parent, self.root, self.root.parent):
                _fsync_directory(directory)
        return digest

    def get(self, digest: str) -> bytes | None:
        """Return the bytes whose SHA-256 is `digest`, None if they are not here; `EvidenceError` if damaged."""
        target = self._path(digest)
        try:
            data = target.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnavailableError(f"cannot be read: {error.strerror}", where=str(target)) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise EvidenceError(
                "this blob no longer has the digest that names it", where=str(target), remedy="restore it"
            )
        return data

    def delete(self, digest: str) -> None:
        """Erase the blob, as a person may ask; durable when it returns, and no error if it is not here."""
        target = self._path(digest)
        with fatal_io("cannot delete", str(target)):
            target.unlink(missing_ok=True)
            if target.parent.exists():
                _fsync_directory(target.parent)

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise InputError(f"not a SHA-256 in lowercase hex: {digest[:80]!r}")
        return self.root / digest[:2] / digest


def _fsync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
