"""SHA-256 digests as everybody writes them: 64 lowercase hexadecimal characters."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pellucid.errors import InputError, UnavailableError

_SHA256 = re.compile(r"[0-9a-f]{64}")


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of the file at `path`, read in pieces; raises InputError when it is not a readable file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise InputError(
            f"cannot be read as a file: {error.strerror}",
            where=str(path),
            remedy="give the path of a file that exists and that you may read",
        ) from error
    except OSError as error:
        raise UnavailableError(f"reading failed: {error.strerror}", where=str(path)) from error


def is_sha256(text: str) -> bool:
    """Tell whether `text` is a SHA-256 as this project writes it."""
    return _SHA256.fullmatch(text) is not None


def parse_sha256(text: str, *, where: str) -> str:
    """Return `text` when it is 64 lowercase hexadecimal characters, else raise InputError."""
    if not is_sha256(text):
        raise InputError(
            f"{text[:80]!r} is not a SHA-256", where=where, remedy="write 64 lowercase hexadecimal characters"
        )
    return text
